//! What a community can do, as data.
//!
//! Sources: <https://dev.vk.com/method/messages.send>, <https://dev.vk.com/api/bots/development/keyboard>,
//! <https://dev.vk.com/api/upload/overview>, <https://dev.vk.com/api/api-requests> (read 2026-11). What is marked
//! *unverified* comes from memory, what is marked *community* from other clients.

use std::collections::BTreeMap;
use std::time::Duration;

use omni_core::Capabilities;
use omni_core::capability::{
    Action, ButtonLimit, FirstContact, Idempotency, MediaLimit, Rate, RateChats, Sources, Support, TextLimit,
};
use omni_core::content::ContentKind;
use omni_core::error::RateScope;
use omni_core::event::EventKind;
use omni_core::status::Status;
use omni_core::text::Unit;

use crate::config::Config;
use crate::encode::{ATTACHMENTS, CALLS, CARDS};

/// The schema says 9000; clients cut here (community), and so do we.
const TEXT: u32 = 4096;
/// Keys under a message; in place of the keyboard there may be 40, but one limit has to do for both.
const KEYS: u32 = 10;
/// Keys in a row.
pub(crate) const KEYS_IN_A_ROW: u32 = 5;
/// Characters on a key.
const LABEL: u32 = 40;
/// What a key carries in all, in characters; counted in bytes to be safe.
pub(crate) const PAYLOAD: usize = 255;
/// What is left of it for data: it is written as `{"omni":""}`.
const DATA: u32 = 244;

const MB: u64 = 1 << 20;
/// (unverified)
const PHOTO: u64 = 50 * MB;
/// (unverified)
const DOCUMENT: u64 = 200 * MB;
/// (unverified)
const AGE: Duration = Duration::from_secs(24 * 3600);
/// To one person about a thousand messages an hour (community): half of them at once, the others spread.
const TO_ONE: Rate = Rate {
    scope: RateScope::Chat,
    chats: RateChats::Private,
    burst: 500,
    every: Duration::from_millis(7200),
};

/// Where capabilities differ.
#[derive(Clone, Debug)]
pub(crate) struct ByPlace {
    /// In private messages.
    pub(crate) private: Capabilities,
    /// In a chat of several people.
    pub(crate) chat: Capabilities,
    /// Under posts.
    pub(crate) comments: Capabilities,
    /// Under pictures, films and goods, and in topics: there a community's token can only read.
    pub(crate) closed: Capabilities,
}

impl ByPlace {
    pub(crate) fn new(config: &Config) -> Self {
        let private = capabilities(config);
        let mut chat = private.clone();
        chat.first_contact = FirstContact::Anyone;
        let closed = closed(&private);
        let mut comments = closed.clone();
        comments.content = words_only();
        comments.idempotency = private.idempotency;
        comments.answer_proves = private.answer_proves;
        Self { private, chat, comments, closed }
    }
}

/// What a community can do in private messages, the usual case.
pub fn capabilities(config: &Config) -> Capabilities {
    let mut caps = Capabilities::default();
    caps.content = content();
    caps.text = TextLimit::new(TEXT, Unit::Utf16);
    caps.caption = Some(caps.text);
    caps.media = media();
    caps.fetch_bytes = Some(config.fetch_bytes.unwrap_or(DOCUMENT).min(DOCUMENT));
    caps.album_max = u32::try_from(ATTACHMENTS).ok();
    caps.carousel_max = Some(CARDS);
    caps.buttons = ButtonLimit {
        total: Some(KEYS),
        per_row: Some(KEYS_IN_A_ROW),
        label: Some(TextLimit::new(LABEL, Unit::Characters)),
        data_bytes: Some(DATA),
    };
    caps.edit = Action::Until { age: AGE };
    caps.delete = Action::Until { age: AGE };
    caps.react = Action::Yes;
    caps.mark_read = Action::Yes;
    caps.typing = Action::Yes;
    caps.first_contact = FirstContact::CustomerOnly;
    caps.idempotency = Idempotency::Key { memory: Some(Duration::from_secs(config.repeat_seconds)) };
    caps.answer_proves = Some(Status::Sent);
    caps.rates = rates(config.calls_per_second);
    caps.events = events();
    caps
}

/// What comes in and can be fetched is the same everywhere; nothing can be sent.
fn closed(private: &Capabilities) -> Capabilities {
    let mut caps = Capabilities::default();
    caps.text = private.text;
    caps.fetch_bytes = private.fetch_bytes;
    caps.rates = private.rates.clone();
    caps.events = private.events.clone();
    caps
}

fn content() -> BTreeMap<ContentKind, Support> {
    use ContentKind::*;
    let full = [Text, Image, Voice, File, Album, Location, Buttons, QuickReplies, Reply];
    let mut content: BTreeMap<_, _> = full.into_iter().map(|kind| (kind, Support::Full)).collect();
    // Goods, posts and films of VK are shown as such; several other goods as cards, one in words.
    content.insert(Item, Support::Partial);
    // A community uploads no films and no music, and stickers of its own there are none.
    for kind in [Video, Animation, VideoNote, Audio, Sticker, Contact, Email, Forwarded] {
        content.insert(kind, Support::Fallback);
    }
    content
}

fn words_only() -> BTreeMap<ContentKind, Support> {
    use ContentKind::*;
    let mut content: BTreeMap<_, _> = [Text, Reply].into_iter().map(|kind| (kind, Support::Full)).collect();
    for kind in [Item, Location, Contact, Email, Forwarded, Buttons, QuickReplies] {
        content.insert(kind, Support::Fallback);
    }
    content
}

fn media() -> BTreeMap<ContentKind, MediaLimit> {
    use ContentKind::*;
    let limit = |bytes, mime: &[&str]| MediaLimit {
        bytes: Some(bytes),
        url_bytes: None,
        mime: mime.iter().map(|&m| m.to_owned()).collect(),
        // VK fetches no address by itself.
        sources: Sources::Upload,
    };
    BTreeMap::from([
        (Image, limit(PHOTO, &["image/*"])),
        (Voice, limit(DOCUMENT, &["audio/*"])),
        (File, limit(DOCUMENT, &[])),
    ])
}

/// Law 10: as data, for the hub to keep. Sends are joined into one call, so as many messages fit into a second as
/// calls times what a call holds.
fn rates(calls_per_second: u32) -> Vec<Rate> {
    let together = u32::try_from(CALLS).unwrap_or(1);
    let every = Duration::from_secs(1) / calls_per_second.saturating_mul(together).max(1);
    vec![Rate { scope: RateScope::Account, chats: RateChats::All, burst: together, every }, TO_ONE]
}

fn events() -> Vec<EventKind> {
    use EventKind::*;
    vec![
        Message,
        Echo,
        Edited,
        Deleted,
        Reaction,
        Button,
        Started,
        Subscribed,
        Blocked,
        Typing,
        Read,
        Call,
        Comment,
        Membership,
        Unsupported,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_calls_a_second_of_twenty_five_messages() {
        let account = rates(20).into_iter().find(|rate| rate.scope == RateScope::Account).unwrap();
        assert_eq!(account.burst, 25);
        assert_eq!(Duration::from_secs(1).as_millis() / account.every.as_millis(), 500);
    }

    #[test]
    fn to_one_person_a_thousand_messages_an_hour() {
        let spread = Duration::from_secs(3600).as_millis() / TO_ONE.every.as_millis();
        assert_eq!(u128::from(TO_ONE.burst) + spread, 1000);
    }

    #[test]
    fn a_smaller_cap_of_the_configuration_counts() {
        let mut config = Config::new("", 1);
        config.fetch_bytes = Some(5);
        assert_eq!(capabilities(&config).fetch_bytes, Some(5));
        config.fetch_bytes = Some(u64::MAX);
        assert_eq!(ByPlace::new(&config).closed.fetch_bytes, Some(DOCUMENT));
    }

    #[test]
    fn where_a_community_cannot_write_nothing_is_declared() {
        let ByPlace { closed, comments, .. } = ByPlace::new(&Config::new("", 1));
        assert!(closed.content.is_empty());
        for caps in [closed, comments] {
            for action in [caps.edit, caps.delete, caps.react, caps.mark_read, caps.typing] {
                assert!(!action.is_there());
            }
        }
    }

    #[test]
    fn the_longest_data_fits_into_what_a_key_carries() {
        assert_eq!(PAYLOAD - r#"{"omni":""}"#.len(), DATA as usize);
    }
}
