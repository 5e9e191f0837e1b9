//! What an account can do, as data.
//!
//! Source: <https://developers.avito.ru/api-catalog/messenger/documentation>, read through the copy of the OpenAPI
//! description in <https://github.com/elchin92/avito-mcp> (`swaggers/messenger.json`; read 2026-11). No rates are
//! published for the messenger: a 429 has the only word.

use std::time::Duration;

use omni_core::Capabilities;
use omni_core::capability::{
    Action, FirstContact, Idempotency, Markup, MediaLimit, Sources, Support, TextLimit,
};
use omni_core::content::ContentKind;
use omni_core::event::EventKind;
use omni_core::status::Status;
use omni_core::text::Unit;

use crate::config::{Access, Config, Receive};

/// `maxLength` of a text; what it counts is not said (*unverified*).
const TEXT: u32 = 1000;
/// Largest picture.
const IMAGE: u64 = 24 << 20;
/// Types of pictures that are taken.
const IMAGE_TYPES: [&str; 5] = ["image/jpeg", "image/heic", "image/gif", "image/bmp", "image/png"];
/// How long a message of ours may be taken back.
const DELETE_AGE: Duration = Duration::from_secs(3600);
/// Largest file fetched when the configuration names none: above every picture that Avito takes.
pub(crate) const FETCH: u64 = 32 << 20;

/// What an account with these settings can do.
pub(crate) fn of(config: &Config) -> Capabilities {
    let mut caps = capabilities(config.access, config.receive);
    caps.fetch_bytes = config.fetch_bytes.or(Some(FETCH));
    caps
}

/// What an account can do.
pub fn capabilities(access: Access, receive: Receive) -> Capabilities {
    let mut caps = Capabilities::default();
    caps.fetch_bytes = Some(FETCH);
    caps.first_contact = FirstContact::CustomerOnly;
    caps.events = events(receive);
    if access == Access::ReceiveOnly {
        return caps;
    }
    caps.content = [
        (ContentKind::Text, Support::Full),
        (ContentKind::Image, Support::Full),
        (ContentKind::Location, Support::Fallback),
        (ContentKind::Contact, Support::Fallback),
        (ContentKind::Item, Support::Fallback),
        (ContentKind::Email, Support::Fallback),
        (ContentKind::Forwarded, Support::Fallback),
        (ContentKind::Buttons, Support::Fallback),
        (ContentKind::QuickReplies, Support::Fallback),
    ]
    .into();
    caps.text = TextLimit::new(TEXT, Unit::Characters);
    let types = IMAGE_TYPES.iter().map(|&mime| mime.to_owned()).collect();
    let image = MediaLimit { bytes: Some(IMAGE), url_bytes: None, mime: types, sources: Sources::Upload };
    caps.media = [(ContentKind::Image, image)].into();
    caps.markup = Markup::None;
    caps.delete = Action::Until { age: DELETE_AGE };
    caps.mark_read = Action::Yes;
    caps.idempotency = Idempotency::None;
    caps.answer_proves = Some(Status::Sent);
    caps
}

fn events(receive: Receive) -> Vec<EventKind> {
    use EventKind::{Call, Deleted, Echo, Message, Read, Unsupported};
    let mut events = vec![Message, Echo, Deleted, Call, Unsupported];
    // Only the history tells who has read what.
    if receive.listens() {
        events.push(Read);
    }
    events
}
