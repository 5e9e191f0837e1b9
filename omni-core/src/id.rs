//! Names of things: one type per meaning, so that an agent is never passed for a channel.
//!
//! Text ids ([`TenantId`], [`ChannelId`], [`AgentId`], ...) are chosen by the host or the provider and are
//! opaque here. Record ids ([`ConversationId`], [`MessageId`], [`ContactId`]) are made by omni: UUID version
//! 7, so they sort by the time of their making.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::time::Timestamp;

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
        #[schemars(transparent)]
        pub struct $name(#[schemars(with = "String")] Arc<str>);

        impl $name {
            /// Wraps a name. Cloning it later costs one reference count.
            pub fn new(name: impl Into<Arc<str>>) -> Self {
                Self(name.into())
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self(name.into())
            }
        }

        impl From<String> for $name {
            fn from(name: String) -> Self {
                Self(name.into())
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                crate::id::arc_str(d).map(Self)
            }
        }
    )*};
}

/// Reads a JSON string straight into an `Arc<str>`, without an intermediate `String` when it can be borrowed.
pub(crate) fn arc_str<'de, D: Deserializer<'de>>(d: D) -> Result<Arc<str>, D::Error> {
    struct Visitor;
    impl serde::de::Visitor<'_> for Visitor {
        type Value = Arc<str>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }
        fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<Arc<str>, E> {
            Ok(v.into())
        }
        fn visit_string<E: serde::de::Error>(self, v: String) -> Result<Arc<str>, E> {
            Ok(v.into())
        }
    }
    d.deserialize_str(Visitor)
}

text_id! {
    /// A customer of the host (a company that uses its CRM). Chosen by the host.
    TenantId;
    /// One connected account at a provider, within a tenant. Chosen by the host.
    ChannelId;
    /// A person who answers. Chosen by the host.
    AgentId;
    /// A group of agents. Chosen by the host.
    TeamId;
    /// A program that answers. Chosen by the host.
    BotId;
    /// The provider's id of the connected account: a bot's number, a community's id, a mailbox's address.
    AccountId;
    /// The provider's id of one event. With the channel and the event's kind it recognises repeats (law 3).
    EventId;
    /// The provider's id of a message. Unique within one address only, unless the connector says more.
    ProviderMessageId;
    /// The provider's id that joins the parts of an album. Unique within one address.
    AlbumId;
    /// A listener's place in the provider's stream (a poll offset, an IMAP UID). Only its connector reads it.
    Cursor;
    /// What a connector wants to be told when something is sent to an address: the subject and the last ids of a
    /// thread of mails. Kept by the hub with the address; only its connector reads it. At most 16 KiB.
    Note;
    /// One running copy of the host program. See the hub's builder for how to choose it.
    NodeId;
    /// One reader of the host event log.
    ConsumerId;
    /// Bytes kept in the store until the message that carries them is sent.
    BlobId;
    /// A rule of a policy: `scenario/rule`, or the name of a setting such as `auto_close`.
    RuleId;
}

impl Note {
    /// Longest note that is kept, in bytes. A longer one is dropped, and the one before it stays.
    pub const MAX_BYTES: usize = 16 * 1024;
}

macro_rules! record_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        #[schemars(transparent)]
        pub struct $name(#[schemars(with = "String")] Uuid);

        impl $name {
            /// Makes the next id of this kind.
            pub fn next(ids: &IdSource, now: Timestamp) -> Self {
                Self(ids.next(now))
            }

            /// The sixteen bytes, for a store's key column.
            pub fn to_bytes(self) -> [u8; 16] {
                *self.0.as_bytes()
            }

            /// The opposite of [`Self::to_bytes`].
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(s: &str) -> Result<Self, NotAnId> {
                Uuid::from_str(s).map(Self).map_err(|_| NotAnId)
            }
        }
    )*};
}

record_id! {
    /// One support case with one address.
    ConversationId;
    /// One message of ours or theirs; for an outgoing one also its idempotency key.
    MessageId;
    /// A person we know.
    ContactId;
    /// One setting of one timer; an older token is stale.
    TimerToken;
}

/// The text is not an id that omni made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an omni id: expected a hyphenated UUID")]
pub struct NotAnId;

/// Makes record ids: time-ordered, unique across nodes, without reading a clock or the system's randomness.
///
/// Give every process its own random seed; ids of two sources with the same seed collide.
#[derive(Debug)]
pub struct IdSource {
    seed: u64,
    counter: AtomicU64,
}

impl IdSource {
    /// A source whose ids are determined by `seed` and the times asked for: random in production, fixed in
    /// tests.
    pub fn new(seed: u64) -> Self {
        Self { seed, counter: AtomicU64::new(0) }
    }

    fn next(&self, now: Timestamp) -> Uuid {
        let count = self.counter.fetch_add(1, Ordering::Relaxed);
        let high = mix(self.seed ^ mix(count)).to_be_bytes();
        let low =
            mix(self.seed.rotate_left(32) ^ mix(count.wrapping_add(0x9e37_79b9_7f4a_7c15))).to_be_bytes();
        let mut tail = [0u8; 10];
        // The first twelve bits count, so ids of one millisecond keep the order of their making.
        tail[..2].copy_from_slice(&((count & 0x0fff) as u16).to_be_bytes());
        tail[2..].copy_from_slice(&high);
        tail[6] ^= low[0];
        let millis = u64::try_from(now.as_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
    }
}

/// The finaliser of splitmix64: every input bit reaches every output bit.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_sort_by_their_making() {
        let ids = IdSource::new(7);
        let made: Vec<MessageId> = (0..4000)
            .map(|i| MessageId::next(&ids, Timestamp::from_millis(1_767_225_600_000 + i / 1000)))
            .collect();
        let mut sorted = made.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted, made);
    }

    #[test]
    fn sources_with_different_seeds_do_not_collide() {
        let (a, b) = (IdSource::new(1), IdSource::new(2));
        let at = Timestamp::from_millis(1);
        let mut seen: std::collections::HashSet<MessageId> =
            (0..1000).map(|_| MessageId::next(&a, at)).collect();
        assert!((0..1000).all(|_| seen.insert(MessageId::next(&b, at))));
    }

    #[test]
    fn a_record_id_survives_text_and_json() {
        let id = ConversationId::next(&IdSource::new(3), Timestamp::from_millis(5));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(serde_json::from_str::<ConversationId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
        assert_eq!("нет".parse::<ConversationId>(), Err(NotAnId));
    }
}
