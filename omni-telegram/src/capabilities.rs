//! What a bot can do, as data.
//!
//! Sources: <https://core.telegram.org/bots/api>, <https://core.telegram.org/bots/faq> (read 2026-11). The figures
//! of the rates are the FAQ's; the true ones are dynamic, and a 429 has the last word.

use std::collections::BTreeMap;
use std::time::Duration;

use omni_core::Capabilities;
use omni_core::capability::{
    Action, ButtonLimit, FirstContact, Idempotency, Markup, MediaLimit, Rate, RateChats, Support, TextLimit,
};
use omni_core::content::ContentKind;
use omni_core::error::RateScope;
use omni_core::event::EventKind;
use omni_core::status::Status;
use omni_core::text::Unit;

use crate::config::{Config, Pacing, Server};

/// <https://core.telegram.org/bots/api#sendmessage>; counted in UTF-16 units by the practice of clients, the
/// documentation says characters.
const TEXT: u32 = 4096;
/// <https://core.telegram.org/bots/api#sendphoto>
const CAPTION: u32 = 1024;
/// <https://core.telegram.org/bots/api#sendmediagroup>
const ALBUM: u32 = 10;
/// <https://core.telegram.org/bots/api#inlinekeyboardbutton>
pub(crate) const CALLBACK_BYTES: u32 = 64;
/// From the constants of other clients.
const BUTTONS: u32 = 100;
/// From the constants of other clients.
const BUTTONS_PER_ROW: u32 = 8;

const MB: u64 = 1 << 20;
/// <https://core.telegram.org/bots/api#sending-files>
const PHOTO_UPLOAD: u64 = 10 * MB;
/// <https://core.telegram.org/bots/api#sending-files>
const PHOTO_URL: u64 = 5 * MB;
/// <https://core.telegram.org/bots/api#sending-files>
const UPLOAD: u64 = 50 * MB;
/// <https://core.telegram.org/bots/api#sending-files>
const URL: u64 = 20 * MB;
/// <https://core.telegram.org/bots/api#getfile>
pub(crate) const DOWNLOAD: u64 = 20 * MB;
/// <https://core.telegram.org/bots/api#using-a-local-bot-api-server>
const LOCAL: u64 = 2000 * MB;

/// <https://core.telegram.org/bots/api#deletemessage>
const DELETE_AGE: Duration = Duration::from_secs(48 * 3600);
/// <https://core.telegram.org/bots/api#businessbotrights>, `can_reply`
const BUSINESS_WINDOW: Duration = Duration::from_secs(24 * 3600);

/// Where capabilities differ.
#[derive(Clone, Debug)]
pub(crate) struct ByPlace {
    /// In a private chat with the bot.
    pub(crate) private: Capabilities,
    /// In groups and channels.
    pub(crate) shared: Capabilities,
    /// In the private chat of a connected person.
    pub(crate) business: Capabilities,
}

impl ByPlace {
    pub(crate) fn new(config: &Config) -> Self {
        let mut private = capabilities(config.server);
        private.fetch_bytes = [private.fetch_bytes, config.fetch_bytes].into_iter().flatten().min();
        if config.pacing() == Pacing::OnDemand {
            private.rates.clear();
        }
        let mut shared = private.clone();
        shared.first_contact = FirstContact::Anyone;
        let mut business = private.clone();
        business.reply_window = Some(BUSINESS_WINDOW);
        business.mark_read = Action::Yes;
        business.react = Action::No;
        business.content.insert(ContentKind::QuickReplies, Support::Fallback);
        Self { private, shared, business }
    }
}

/// What a bot can do in a private chat, the usual case, with the published rates.
pub fn capabilities(server: Server) -> Capabilities {
    let mut caps = Capabilities::default();
    caps.content = content();
    caps.text = TextLimit::new(TEXT, Unit::Utf16);
    caps.caption = Some(TextLimit::new(CAPTION, Unit::Utf16));
    caps.media = media(server);
    caps.fetch_bytes = match server {
        Server::Cloud => Some(DOWNLOAD),
        Server::Local => None,
    };
    caps.album_max = Some(ALBUM);
    caps.buttons = ButtonLimit {
        total: Some(BUTTONS),
        per_row: Some(BUTTONS_PER_ROW),
        label: None,
        data_bytes: Some(CALLBACK_BYTES),
    };
    caps.markup = Markup::Entities;
    caps.edit = Action::Yes;
    caps.delete = Action::Until { age: DELETE_AGE };
    caps.react = Action::Yes;
    caps.typing = Action::Yes;
    caps.first_contact = FirstContact::CustomerOnly;
    caps.idempotency = Idempotency::None;
    caps.answer_proves = Some(Status::Sent);
    caps.rates = rates();
    caps.events = events();
    caps
}

fn content() -> BTreeMap<ContentKind, Support> {
    use ContentKind::*;
    let full = [
        Text, Image, Video, Animation, VideoNote, Audio, Voice, File, Sticker, Album, Location, Contact,
        Buttons, Reply,
    ];
    let mut content: BTreeMap<_, _> = full.into_iter().map(|kind| (kind, Support::Full)).collect();
    // The data of a key is lost: its label comes back as a message.
    content.insert(QuickReplies, Support::Partial);
    content.insert(Item, Support::Fallback);
    content.insert(Email, Support::Fallback);
    content.insert(Forwarded, Support::Fallback);
    content
}

fn media(server: Server) -> BTreeMap<ContentKind, MediaLimit> {
    use ContentKind::*;
    let limit = |bytes, url_bytes, mime: &[&str]| MediaLimit {
        bytes: Some(if server == Server::Local { LOCAL } else { bytes }),
        url_bytes: Some(url_bytes),
        mime: mime.iter().map(|&m| m.to_owned()).collect(),
        ..MediaLimit::default()
    };
    let mut limits = BTreeMap::new();
    for kind in [Video, Animation, VideoNote, Audio, Voice, File, Sticker] {
        limits.insert(kind, limit(UPLOAD, URL, &[]));
    }
    // The limit of a photo is the same on every server.
    let photo = MediaLimit { bytes: Some(PHOTO_UPLOAD), ..limit(PHOTO_UPLOAD, PHOTO_URL, &["image/*"]) };
    limits.insert(Image, photo);
    limits
}

/// Law 10: as data, for the hub to keep.
fn rates() -> Vec<Rate> {
    let rate = |scope, chats, burst, every| Rate { scope, chats, burst, every };
    vec![
        rate(RateScope::Account, RateChats::All, 30, Duration::from_millis(34)),
        rate(RateScope::Chat, RateChats::Private, 3, Duration::from_secs(1)),
        rate(RateScope::Chat, RateChats::Groups, 3, Duration::from_secs(3)),
    ]
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
        Comment,
        Migrated,
        Membership,
        Account,
        Unsupported,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_get_twenty_messages_a_minute() {
        let groups = rates().into_iter().find(|rate| rate.chats == RateChats::Groups).unwrap();
        assert_eq!(Duration::from_secs(60).as_secs() / groups.every.as_secs(), 20);
    }

    #[test]
    fn a_smaller_cap_of_the_configuration_counts() {
        let fetch = |server, fetch_bytes| {
            let mut config = Config::new("");
            (config.server, config.fetch_bytes) = (server, fetch_bytes);
            ByPlace::new(&config).private.fetch_bytes
        };
        assert_eq!(fetch(Server::Cloud, Some(5)), Some(5));
        assert_eq!(fetch(Server::Cloud, Some(u64::MAX)), Some(DOWNLOAD));
        assert_eq!(fetch(Server::Local, None), None);
    }

    #[test]
    fn without_a_pace_of_its_own_a_bot_declares_no_rates_anywhere() {
        let mut config = Config::new("");
        let declared = |config: &Config| {
            let ByPlace { private, shared, business } = ByPlace::new(config);
            [private, shared, business].map(|caps| caps.rates.len())
        };
        assert_eq!(declared(&config), [3, 3, 3]);
        config.pacing = Some(Pacing::OnDemand);
        assert_eq!(declared(&config), [0, 0, 0]);
    }
}
