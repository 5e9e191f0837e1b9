//! VK's JSON, as far as this connector reads it, exactly as on the wire.
//!
//! Everything borrows from the body where it can. Lists whose items may fail alone (attachments, forwarded
//! messages) are kept unread and read one by one.
//!
//! Source: <https://github.com/VKCOM/vk-api-schema> (`callback/objects.json`, `messages/objects.json`,
//! `wall/objects.json`), version 5.199, and <https://dev.vk.com/api/community-events/json-schema> (read 2026-11).

mod answer;
mod attachment;
mod event;
mod message;

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use omni_core::wire::Str;

pub use answer::{
    Answer, ApiError, CallbackServer, CallbackServers, Chat, ChatSettings, Chats, Code, Deleted,
    ExecuteError, Group, Groups, ItemError, LongPoll, LongPollServer, Name, Peer, Permission, Permissions,
    Saved, SavedDocument, SavedPhoto, Sent, ServerId, UploadServer, UploadedFile, UploadedPhoto,
};
pub use attachment::{
    Attachment, Audio, AudioMessage, Call, Document, Graffiti, Link, Market, Photo, PhotoSize, Price,
    Sticker, Video, Wall, WallReply,
};
pub use event::{Allowed, Comment, CommentDeleted, MessageEvent, MessageRead, Reacted, Typing};
pub use message::{Action, Coordinates, Forwarded, Geo, Message, NewMessage, Place, Quoted};

/// A place in the stream of events, which is a string in most answers and a number in some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ts(pub String);

impl<'de> Deserialize<'de> for Ts {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct TextOrNumber;
        impl Visitor<'_> for TextOrNumber {
            type Value = Ts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a number")
            }
            fn visit_str<E: Error>(self, v: &str) -> Result<Ts, E> {
                Ok(Ts(v.to_owned()))
            }
            fn visit_u64<E: Error>(self, v: u64) -> Result<Ts, E> {
                Ok(Ts(v.to_string()))
            }
            fn visit_i64<E: Error>(self, v: i64) -> Result<Ts, E> {
                Ok(Ts(v.to_string()))
            }
        }
        d.deserialize_any(TextOrNumber)
    }
}

/// What a webhook has to prove before anything else of it is read.
#[derive(Deserialize)]
#[allow(missing_docs)]
pub struct Claim<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Str<'a>,
    pub group_id: i64,
    #[serde(borrow)]
    pub secret: Option<Str<'a>>,
}

impl fmt::Debug for Claim<'_> {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("kind", &self.kind)
            .field("group_id", &self.group_id)
            .finish_non_exhaustive()
    }
}

/// What every event comes in. The secret is left out: nothing that is kept may hold it.
/// <https://dev.vk.com/api/community-events/json-schema>
#[derive(Debug, Deserialize, Serialize)]
#[allow(missing_docs)]
pub struct Envelope<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Str<'a>,
    /// Unique for the event; absent in old versions.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub v: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<&'a RawValue>,
    /// What happened, unread.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub object: Option<&'a RawValue>,
}
