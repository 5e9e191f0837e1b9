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
use crate::wire::{Envelope, Str, Update, UpdateKind};

/// Reads the body of a webhook or one element of a poll.
///
/// `username` is the bot's own, where known: in groups `/start@name` is meant for the bot of that name.
///
/// # Errors
/// [`Rejected`] when the text is not JSON, or has no `update_id` by which a repetition would be known. Anything
/// else that cannot be understood is an [`EventBody::Unsupported`] with its raw form.
pub fn update(json: &[u8], username: Option<&str>) -> Result<Event, Rejected> {
    // Checked once here, the strings inside need no second check.
    let json = simdutf8::basic::from_utf8(json).map_err(|_| Rejected::new(RejectReason::Malformed))?;
    match Update::read(json) {
        Ok(update) => {
            let cx = Context { update_id: update.update_id, json, username };
            Ok(understood(update, &cx))
        }
        Err(_) => not_understood(json),
    }
}

/// What an update is read with.
struct Context<'a> {
    update_id: i64,
    /// The whole update, for the second look.
    json: &'a str,
    /// The bot's own user name.
    username: Option<&'a str>,
}

impl Context<'_> {
    fn id(&self) -> EventId {
        EventId::from(Decimal::new(self.update_id).as_str())
    }

    /// The update as it came; kept wherever something in it was not understood.
    fn raw(&self) -> Option<Box<RawValue>> {
        serde_json::from_str(self.json).ok()
    }

    fn event(&self, address: Address, date: i64, body: EventBody) -> Event {
        Event { at: time(date), ..Event::new(self.id(), body).at_address(address) }
    }

    fn unsupported_at(&self, address: Address, date: i64, what: impl Into<String>) -> Event {
        Event { address: Some(address), at: time(date), ..self.unsupported(what) }
    }

    fn unsupported(&self, what: impl Into<String>) -> Event {
        let body = EventBody::Unsupported { what: what.into() };
        Event { raw: self.raw(), ..Event::new(self.id(), body) }
    }
}

/// An instant in Telegram's seconds, which are 0 where no time is told.
fn time(date: i64) -> Option<Timestamp> {
    (date > 0).then(|| Timestamp::from_secs(date))
}

fn understood(mut update: Update<'_>, cx: &Context<'_>) -> Event {
    // Messages are read where they stand: they are large, and most updates are one.
    match &mut update.kind {
        Some(UpdateKind::Message(m) | UpdateKind::BusinessMessage(m)) => message::new(m, cx),
        Some(UpdateKind::ChannelPost(m)) => message::echo(m, cx),
        Some(
            UpdateKind::EditedMessage(m)
            | UpdateKind::EditedChannelPost(m)
            | UpdateKind::EditedBusinessMessage(m),
        ) => message::edited(m, cx),
        _ => beside_messages(update.kind, cx),
    }
}

fn beside_messages(kind: Option<UpdateKind<'_>>, cx: &Context<'_>) -> Event {
    match kind {
        Some(UpdateKind::CallbackQuery(query)) => other::button(*query, cx),
        Some(UpdateKind::MessageReaction(reaction)) => other::reaction(*reaction, cx),
        Some(UpdateKind::MessageReactionCount(counts)) => other::reaction_count(*counts, cx),
        Some(UpdateKind::MyChatMember(change)) => other::membership(*change, cx),
        Some(UpdateKind::BusinessConnection(connection)) => other::connection(&connection, cx),
        Some(UpdateKind::DeletedBusinessMessages(deleted)) => other::deleted(*deleted, cx),
        Some(UpdateKind::Other(name)) => cx.unsupported(name.into_string()),
        // Messages of every kind are read before.
        _ => cx.unsupported("update"),
    }
}

/// The second look: an id and a name are enough to keep an update.
fn not_understood(json: &str) -> Result<Event, Rejected> {
    let Envelope { update_id, kind, .. } = serde_json::from_str(json).map_err(|e| Rejected::malformed(&e))?;
    let cx = Context { update_id, json, username: None };
    Ok(cx.unsupported(kind.map_or_else(|| "update".to_owned(), Str::into_string)))
}
