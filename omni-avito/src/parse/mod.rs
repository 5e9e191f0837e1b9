//! From Avito's webhooks and pages to events. Pure: no input or output, no clock.
//!
//! A message has the same id as an event, `chat:message:type`, whether a webhook told it or the chat's history, so
//! that a sweep behind webhooks tells nothing twice (law 3). The type is a part of it because a deleted message comes
//! again under its own id.

mod chat;
mod content;
mod history;
mod message;

use omni_core::crypto::hmac_sha256;
use omni_core::event::{Event, EventBody};
use omni_core::webhook::{RejectReason, Rejected};
use omni_core::{AccountId, Address, EventId, Timestamp};
use serde_json::value::RawValue;

pub(crate) use content::VOICE;

pub use chat::{Listed, Page, introduced, listed};
pub use history::{Told, history};

use crate::wire::{Hook, Named, Payload};

/// Where a message of a chat's history stands: what webhooks say of it themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The account.
    pub account: i64,
    /// The chat.
    pub chat: String,
    /// The advert it is about.
    pub item: Option<i64>,
    /// Whether it is with Avito itself.
    pub other: Other,
}

/// Who is on the other side of a chat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Other {
    /// A person.
    #[default]
    Person,
    /// Avito.
    Provider,
}

impl Other {
    /// By the type of a chat: `a2u` is from Avito.
    pub(crate) fn of_type(chat_type: Option<&str>) -> Self {
        if chat_type == Some("a2u") { Other::Provider } else { Other::Person }
    }
}

/// Reads the body of a webhook: one event, or none for the readiness test `{}`.
///
/// # Errors
/// [`Rejected`] when the body is no JSON object. Anything else that cannot be understood is an
/// [`EventBody::Unsupported`] with its raw form.
pub fn webhook(json: &[u8]) -> Result<Vec<Event>, Rejected> {
    let json = std::str::from_utf8(json).map_err(|_| Rejected::new(RejectReason::Malformed))?;
    let raw: &RawValue = serde_json::from_str(json).map_err(|e| Rejected::malformed(&e))?;
    let Some(inside) = raw.get().strip_prefix('{') else {
        return Err(Rejected::new(RejectReason::Malformed));
    };
    if inside.trim_start() == "}" {
        return Ok(Vec::new());
    }
    let Ok(hook) = serde_json::from_str::<Hook<'_>>(raw.get()) else {
        return Ok(vec![unsupported(body_id(raw), "webhook", raw)]);
    };
    Ok(vec![hooked(&hook, raw)])
}

fn hooked(hook: &Hook<'_>, raw: &RawValue) -> Event {
    let id = match hook.id.as_deref().filter(|id| !id.is_empty()) {
        Some(id) => EventId::from(format!("delivery:{id}")),
        None => body_id(raw),
    };
    match &hook.payload {
        Some(Payload { kind, value: Some(value) }) if &**kind == "message" => match message::read(value) {
            Some(event) => event,
            // Its own names are better than the delivery's: a repeat may be another delivery.
            None => named(value, raw).unwrap_or_else(|| unsupported(id, "message", raw)),
        },
        Some(Payload { kind, .. }) => unsupported(id, kind, raw),
        None => unsupported(id, "webhook", raw),
    }
}

/// A message that has names and cannot be read.
fn named(value: &RawValue, raw: &RawValue) -> Option<Event> {
    let Named { id, kind, chat_id, user_id, created } = serde_json::from_str(value.get()).ok()?;
    let (id, chat) = (id?, chat_id?);
    let kind = kind.as_deref().unwrap_or("message");
    let event = unsupported(message_id(&chat, &id, kind), kind, raw);
    let event = Event { account: user_id.map(account), at: time(created), ..event };
    Some(event.at_address(Address::new(&*chat)))
}

/// An instant in Avito's seconds.
fn time(created: Option<i64>) -> Option<Timestamp> {
    created.filter(|created| *created > 0).map(Timestamp::from_secs)
}

fn unsupported(id: EventId, what: &str, raw: &RawValue) -> Event {
    Event::new(id, EventBody::Unsupported { what: what.to_owned() }).with_raw(raw)
}

fn message_id(chat: &str, id: &str, kind: &str) -> EventId {
    EventId::from(format!("{chat}:{id}:{kind}"))
}

pub(crate) fn account(user_id: i64) -> AccountId {
    AccountId::from(user_id.to_string())
}

/// Recognises a nameless body when it comes again. A keyed hash with a public key is a hash.
fn body_id(raw: &RawValue) -> EventId {
    let hash = hmac_sha256(b"body", raw.get().as_bytes());
    let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    EventId::from(format!("body:{hex}"))
}
