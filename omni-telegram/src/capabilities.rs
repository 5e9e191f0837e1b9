//! What a bot can do, as data.
//!
//! Sources: <https://core.telegram.org/bots/api>, <https://core.telegram.org/bots/faq> (read 2026-11). The figures
//! of the rates are the FAQ's; the true ones are dynamic, and a 429 has the last word.

use std::borrow::Cow;
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

use crate::config::Server;

/// <https://core.telegram.org/bots/api#sendmessage>; counted in UTF-16 units by the practice of clients, the
/// documentation says characters.
const TEXT: u32 = 4096;
/// <https://core.telegram.org/bots/api#sendphoto>
const CAPTION: u32 = 1024;
/// <https://core.telegram.org/bots/api#sendmediagroup>
const ALBUM: u32 = 10;
/// <https://core.telegram.org/bots/api#inlinekeyboardbutton>
const CALLBACK_BYTES: u32 = 64;
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
    pub(crate) fn new(server: Server, fetch_bytes: Option<u64>) -> Self {
        let mut private = capabilities(server);
        private.fetch_bytes = [private.fetch_bytes, fetch_bytes].into_iter().flatten().min();
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

/// What a bot can do in a private chat, the usual case.
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

/// The table of the crate's documentation, made from the data.
pub fn table() -> String {
    let caps = capabilities(Server::Cloud);
    let mut lines = vec!["| Content | Support | Largest upload | Largest by URL |".to_owned()];
    lines.push("|---|---|---|---|".to_owned());
    for (kind, support) in &caps.content {
        let limit = caps.media.get(kind);
        let megabytes =
            |bytes: Option<u64>| bytes.map_or(Cow::Borrowed(""), |b| format!("{} MB", b / MB).into());
        lines.push(format!(
            "| {kind:?} | {support:?} | {} | {} |",
            megabytes(limit.and_then(|l| l.bytes)),
            megabytes(limit.and_then(|l| l.url_bytes)),
        ));
    }
    lines.extend(actions());
    lines.join("\n")
}

/// What differs between the bot's own chats and those of a connected person.
fn actions() -> Vec<String> {
    let ByPlace { private, business, .. } = ByPlace::new(Server::Cloud, None);
    let shown = |action: Action| match action {
        Action::No => "no".to_owned(),
        Action::Until { age } => format!("for {} h", age.as_secs() / 3600),
        _ => "yes".to_owned(),
    };
    let row = |name: &str, of: fn(&Capabilities) -> Action| {
        format!("| {name} | {} | {} |", shown(of(&private)), shown(of(&business)))
    };
    vec![
        String::new(),
        "| Action | In the bot's chats | For a connected person |".to_owned(),
        "|---|---|---|".to_owned(),
        row("edit", |caps| caps.edit),
        row("delete", |caps| caps.delete),
        row("react", |caps| caps.react),
        row("mark read", |caps| caps.mark_read),
        row("show typing", |caps| caps.typing),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_in_the_documentation_is_the_data() {
        let docs = include_str!("docs.md");
        assert!(docs.contains(&table()), "put this into docs.md:\n{}", table());
    }

    #[test]
    fn groups_get_twenty_messages_a_minute() {
        let groups = rates().into_iter().find(|rate| rate.chats == RateChats::Groups).unwrap();
        assert_eq!(Duration::from_secs(60).as_secs() / groups.every.as_secs(), 20);
    }

    #[test]
    fn a_smaller_cap_of_the_configuration_counts() {
        assert_eq!(ByPlace::new(Server::Cloud, Some(5)).private.fetch_bytes, Some(5));
        assert_eq!(ByPlace::new(Server::Cloud, Some(u64::MAX)).private.fetch_bytes, Some(DOWNLOAD));
        assert_eq!(ByPlace::new(Server::Local, None).private.fetch_bytes, None);
    }
}
