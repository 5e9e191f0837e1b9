//! A page of a chat's history: many messages, each of which fails alone.

use omni_core::event::Event;
use omni_core::webhook::Rejected;
use omni_core::{Address, ProviderMessageId, Timestamp};
use serde_json::value::RawValue;

use super::{Place, account, body_id, message, message_id, time, unsupported};
use crate::wire::{Message, Messages, Named};

/// One message of a page.
#[derive(Clone, Debug)]
pub struct Told {
    /// What it says.
    pub event: Event,
    /// A message of ours that the other side has read, and when.
    pub read: Option<(ProviderMessageId, Timestamp)>,
}

/// Reads a page of messages, in its order: newest first.
///
/// # Errors
/// [`Rejected`] when it is no page of messages.
pub fn history(json: &[u8], place: &Place) -> Result<Vec<Told>, Rejected> {
    let page = Messages::read(json).map_err(|e| Rejected::malformed(&e))?;
    Ok(page.messages.into_iter().map(|raw| told(raw, place)).collect())
}

fn told(raw: &RawValue, place: &Place) -> Told {
    let message = serde_json::from_str::<Message<'_>>(raw.get()).ok();
    let read = message.as_ref().and_then(|message| read_by_them(message, place));
    let event = message.and_then(|message| message::event(message, place, raw));
    Told { event: event.unwrap_or_else(|| not_understood(raw, place)), read }
}

/// `read` is when the other side read it, and means something on messages of ours only.
fn read_by_them(message: &Message<'_>, place: &Place) -> Option<(ProviderMessageId, Timestamp)> {
    let is_ours = message.author_id == Some(place.account) || message.direction.as_deref() == Some("out");
    let read = message.read.filter(|read| is_ours && *read > 0)?;
    Some((ProviderMessageId::from(&*message.id), Timestamp::from_secs(read)))
}

/// An element that has at most a name.
fn not_understood(raw: &RawValue, place: &Place) -> Event {
    let Named { id, kind, created, .. } = serde_json::from_str(raw.get()).unwrap_or_default();
    let kind = kind.as_deref().unwrap_or("message");
    let id = match id.as_deref().filter(|id| !id.is_empty()) {
        Some(id) => message_id(&place.chat, id, kind),
        None => body_id(raw),
    };
    let event = unsupported(id, kind, raw);
    Event { account: Some(account(place.account)), at: time(created), ..event }
        .at_address(Address::new(&place.chat))
}
