//! From Telegram's updates to events. Pure: no input or output, no clock.
//!
//! One update becomes one event, whose id is the update's. An update is read in one pass; only when that fails,
//! or when a message holds nothing known, is it looked at again, and kept whole as the event's raw form
//! (law 2).

mod batch;
mod content;
mod message;
mod other;
mod people;

use omni_core::event::{Event, EventBody};
use omni_core::webhook::{RejectReason, Rejected};
use omni_core::{Address, EventId, Timestamp};
use serde_json::value::RawValue;

pub use batch::{Batch, batch};

use crate::decimal::Decimal;
use crate::wire::{Envelope, Update, UpdateKind};

/// Reads the body of a webhook or one element of a poll.
///
/// `username` is the bot's own, where known: in groups `/start@name` is meant for the bot of that name.
///
/// # Errors
/// [`Rejected`] when the text is not JSON, or has no `update_id` by which a repetition would be known. Anything
/// else that cannot be understood is an [`EventBody::Unsupported`] with its raw form.
pub fn update(json: &[u8], username: Option<&str>) -> Result<Event, Rejected> {
    // Checked once here, the strings inside need no second check.
    let json = std::str::from_utf8(json).map_err(|_| Rejected::new(RejectReason::Malformed))?;
    match serde_json::from_str::<Update<'_>>(json) {
        Ok(update) => Ok(understood(update, json, username)),
        Err(_) => not_understood(json),
    }
}

/// What one update was read as; what all events share is added around it.
struct Parsed {
    body: EventBody,
    address: Option<Address>,
    at: Option<Timestamp>,
    raw: Raw,
}

/// Whether an event has to keep its raw form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Raw {
    /// Everything was understood.
    Drop,
    /// Something was not.
    Keep,
}

impl Parsed {
    fn new(body: EventBody) -> Self {
        let raw = if matches!(body, EventBody::Unsupported { .. }) { Raw::Keep } else { Raw::Drop };
        Self { body, address: None, at: None, raw }
    }

    fn unsupported(what: impl Into<String>) -> Self {
        Self::new(EventBody::Unsupported { what: what.into() })
    }

    fn at(mut self, address: Address, date: i64) -> Self {
        self.address = Some(address);
        self.at = time(date);
        self
    }
}

/// An instant in Telegram's seconds, which are 0 where no time is told.
fn time(date: i64) -> Option<Timestamp> {
    (date > 0).then(|| Timestamp::from_secs(date))
}

fn understood(mut update: Update<'_>, json: &str, username: Option<&str>) -> Event {
    let cx = message::Context { json, username };
    // Messages are read where they stand: they are large, and most updates are one.
    let parsed = match &mut update.kind {
        Some(UpdateKind::Message(m) | UpdateKind::BusinessMessage(m)) => message::new(m, &cx),
        Some(UpdateKind::ChannelPost(m)) => message::post(m, &cx),
        Some(
            UpdateKind::EditedMessage(m)
            | UpdateKind::EditedChannelPost(m)
            | UpdateKind::EditedBusinessMessage(m),
        ) => message::edited(m, &cx),
        _ => beside_messages(update.kind),
    };
    let raw = match parsed.raw {
        Raw::Drop => None,
        Raw::Keep => serde_json::from_str::<Box<RawValue>>(json).ok(),
    };
    Event {
        id: event_id(update.update_id),
        account: None,
        address: parsed.address,
        at: parsed.at,
        body: parsed.body,
        raw,
    }
}

fn beside_messages(kind: Option<UpdateKind<'_>>) -> Parsed {
    match kind {
        Some(UpdateKind::CallbackQuery(query)) => other::button(query),
        Some(UpdateKind::MessageReaction(reaction)) => other::reaction(reaction),
        Some(UpdateKind::MessageReactionCount(counts)) => other::reaction_count(counts),
        Some(UpdateKind::MyChatMember(change)) => other::membership(change),
        Some(UpdateKind::BusinessConnection(connection)) => other::connection(&connection),
        Some(UpdateKind::DeletedBusinessMessages(deleted)) => other::deleted(deleted),
        Some(UpdateKind::Other(name)) => Parsed::unsupported(name.into_string()),
        // Messages of every kind are read before.
        _ => Parsed::unsupported("update"),
    }
}

/// The second look: an id and a name are enough to keep an update.
fn not_understood(json: &str) -> Result<Event, Rejected> {
    let envelope: Envelope<'_> = serde_json::from_str(json).map_err(|e| Rejected::malformed(&e))?;
    let what = envelope.kind.map_or_else(|| "update".to_owned(), |kind| kind.into_string());
    let mut event = Event::new(event_id(envelope.update_id), EventBody::Unsupported { what });
    event.raw = serde_json::from_str::<Box<RawValue>>(json).ok();
    Ok(event)
}

fn event_id(update_id: i64) -> EventId {
    EventId::from(Decimal::new(update_id).as_str())
}
