//! From VK's events to ours. Pure: no input or output, no clock.
//!
//! One event of VK becomes one event. What was not understood is kept as it came, but for the secret, which VK puts
//! into every body (law 2, law 12).

mod batch;
mod comment;
mod content;
mod message;
mod other;
mod people;

use omni_core::event::{Event, EventBody};
use omni_core::webhook::{Answer, Received, RejectReason, Rejected};
use omni_core::{AccountId, EventId, Timestamp};
use serde_json::value::RawValue;

pub use batch::{Poll, poll};
pub use content::{emoji_of, reaction_of};
pub use message::one as message;
pub(crate) use people::sender;

use crate::number::fingerprint;
use crate::verify::CONFIRMATION;
use crate::wire::{Envelope, Str};

/// Reads the body of a webhook: the event, and the answer that VK takes. `code` is what it wants to be answered when
/// it confirms the address.
///
/// The answer is exactly `ok` for every event; anything else is a failure to VK, and the event comes again.
/// <https://dev.vk.com/api/callback/getting-started> (read 2026-11)
///
/// # Errors
/// [`Rejected`] when the body is no event, or when it asks for a confirmation and no code is known.
pub fn webhook(json: &[u8], group_id: i64, code: Option<&str>) -> Result<Received, Rejected> {
    let envelope = read(json)?;
    if &*envelope.kind == CONFIRMATION {
        let code = code.ok_or_else(|| Rejected {
            reason: RejectReason::NoWebhook,
            detail: Some(
                "no confirmation code is known: connect or check first, or set confirmation".to_owned(),
            ),
        })?;
        return Ok(Received { answer: Answer::text(code.to_owned()), events: Vec::new() });
    }
    Ok(Received { answer: Answer::text("ok"), events: vec![understood(&envelope, group_id)] })
}

/// Reads one event, of a webhook or of a poll.
///
/// # Errors
/// [`Rejected`] when the text is not JSON, or does not say what kind of event it is. Anything else that cannot be
/// understood is an [`EventBody::Unsupported`] with its raw form.
pub fn event(json: &[u8], group_id: i64) -> Result<Event, Rejected> {
    Ok(understood(&read(json)?, group_id))
}

fn read(json: &[u8]) -> Result<Envelope<'_>, Rejected> {
    // Checked once here, the strings inside need no second check.
    let json = std::str::from_utf8(json).map_err(|_| Rejected::new(RejectReason::Malformed))?;
    serde_json::from_str(json).map_err(|e| Rejected::malformed(&e))
}

/// What an event is read with.
struct Context<'a> {
    group_id: i64,
    envelope: &'a Envelope<'a>,
}

type Read = serde_json::Result<Event>;

impl Context<'_> {
    fn object(&self) -> &str {
        self.envelope.object.map_or("null", RawValue::get)
    }

    /// The event's own id; old versions have none, and what happened has to name itself.
    fn id(&self, natural: impl FnOnce() -> String) -> EventId {
        let given = self.envelope.event_id.and_then(|id| serde_json::from_str::<Str<'_>>(id.get()).ok());
        match given {
            Some(id) if !id.is_empty() => EventId::from(&*id),
            _ => EventId::from(format!("{}:{}", &*self.envelope.kind, natural())),
        }
    }

    /// The event as it came, but for the secret; kept wherever something in it was not understood.
    fn raw(&self) -> Option<Box<RawValue>> {
        serde_json::value::to_raw_value(self.envelope).ok()
    }

    fn event(&self, body: EventBody) -> Event {
        self.event_named(body, || fingerprint(self.object()))
    }

    fn event_named(&self, body: EventBody, natural: impl FnOnce() -> String) -> Event {
        let account = Some(AccountId::from(self.group_id.to_string()));
        Event { account, ..Event::new(self.id(natural), body) }
    }

    fn unsupported(&self) -> Event {
        self.unsupported_as(&self.envelope.kind)
    }

    fn unsupported_as(&self, what: &str) -> Event {
        let event = self.event(EventBody::Unsupported { what: what.to_owned() });
        Event { raw: self.raw(), ..event }
    }
}

/// An instant in VK's seconds, which are 0 where no time is told.
fn time(date: i64) -> Option<Timestamp> {
    (date > 0).then(|| Timestamp::from_secs(date))
}

fn understood(envelope: &Envelope<'_>, group_id: i64) -> Event {
    let cx = Context { group_id, envelope };
    let kind = &*envelope.kind;
    let read = match kind {
        "message_new" => message::new(&cx),
        "message_reply" => message::reply(&cx),
        "message_edit" => message::edit(&cx),
        "message_event" => other::button(&cx),
        "message_read" => other::read(&cx),
        "message_typing_state" => other::typing(&cx),
        "message_reaction_event" => other::reaction(&cx),
        "message_allow" => other::allowed(&cx),
        "message_deny" => other::denied(&cx),
        _ => comment::any(kind, &cx),
    };
    read.unwrap_or_else(|_| cx.unsupported())
}
