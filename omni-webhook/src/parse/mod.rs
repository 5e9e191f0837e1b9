//! From the program's events to ours. Pure: no input or output, no clock.
//!
//! Each event of a body is read by itself; one that cannot be read is kept whole as the raw form of an
//! [`EventBody::Unsupported`] (law 2). It is read in layers, each borrowing from the body: what all events have, what its
//! kind has, what it says. So a broken layer leaves those around it, and no intermediate value is built.

mod content;
mod message;
mod other;
mod people;

use omni_core::event::{Event, EventBody, Told};
use omni_core::webhook::{RejectReason, Rejected};
use omni_core::{Address, EventId, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::wire::{Delivery, Envelope, Id, Str};

/// Most events in one body.
pub const EVENTS_MAX: usize = 100;

/// Reads the body of a webhook. People are known within `scope`.
///
/// # Errors
/// [`Rejected`] when the body is no JSON object with a list `events` of at most [`EVENTS_MAX`].
pub fn events(body: &[u8], scope: &str) -> Result<Vec<Event>, Rejected> {
    let body = std::str::from_utf8(body).map_err(|_| Rejected::new(RejectReason::Malformed))?;
    // A derived reader takes lists for objects as well.
    if !body.trim_start().starts_with('{') {
        let detail = Some("not an object".to_owned());
        return Err(Rejected { reason: RejectReason::Malformed, detail });
    }
    let delivery: Delivery<'_> = serde_json::from_str(body).map_err(|e| Rejected::malformed(&e))?;
    if delivery.events.len() > EVENTS_MAX {
        let detail = Some(format!("{} events, at most {EVENTS_MAX}", delivery.events.len()));
        return Err(Rejected { reason: RejectReason::TooLarge, detail });
    }
    Ok(delivery.events.into_iter().map(|raw| event(raw, scope)).collect())
}

/// Reads one event. What cannot be understood is [`EventBody::Unsupported`] with its raw form.
pub fn event(raw: &RawValue, scope: &str) -> Event {
    let envelope = match raw.get().starts_with('{') {
        true => serde_json::from_str(raw.get()).unwrap_or_default(),
        false => Envelope::default(),
    };
    let cx = Context { raw, scope, envelope };
    cx.understood().unwrap_or_else(|| cx.unsupported())
}

/// What an event is read with.
struct Context<'a> {
    /// The whole event.
    raw: &'a RawValue,
    scope: &'a str,
    envelope: Envelope<'a>,
}

impl<'a> Context<'a> {
    /// The event, when it has an id and all that its kind needs.
    fn understood(&self) -> Option<Event> {
        let id: Id<'_> = read(self.envelope.id?)?;
        let kind: Str<'_> = read(self.envelope.kind?)?;
        let (body, is_whole) = match &*kind {
            "message" => message::message(self)?,
            "echo" => message::echo(self)?,
            "edited" => message::edited(self)?,
            kind => (other::body(kind, self)?, Whole::Yes),
        };
        let raw = (is_whole == Whole::No).then(|| self.raw.to_owned());
        Some(Event { raw, ..self.event(EventId::from(id.as_str()), body) })
    }

    fn unsupported(&self) -> Event {
        let kind = self.envelope.kind.and_then(read::<Str<'_>>);
        let what = kind.filter(|kind| !kind.is_empty()).map_or_else(|| "event".to_owned(), Str::into_string);
        let id = match self.envelope.id.and_then(read::<Id<'_>>) {
            Some(id) => EventId::from(id.as_str()),
            // A repetition is the same text again.
            None => EventId::from(format!("{:016x}", fingerprint(self.raw.get()))),
        };
        self.event(id, EventBody::Unsupported { what }).with_raw(self.raw)
    }

    fn event(&self, id: EventId, body: EventBody) -> Event {
        let told = self.envelope.told.and_then(read::<Told>).unwrap_or_default();
        let address = self.envelope.address.and_then(read::<Id<'_>>);
        Event {
            address: address.map(|chat| Address::new(chat.as_str())),
            at: self.envelope.at.and_then(read::<i64>).and_then(time),
            told,
            ..Event::new(id, body)
        }
    }

    /// The event as one of its kind.
    fn read<T: Deserialize<'a>>(&self) -> Option<T> {
        read(self.raw)
    }
}

/// Whether all that a message says has words here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whole {
    Yes,
    No,
}

/// A value as something; nothing when it is something else.
fn read<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

/// An instant in milliseconds. One before 2000 is in other units, and none is better than a wrong one.
fn time(millis: i64) -> Option<Timestamp> {
    const YEAR_2000: i64 = 946_684_800_000;
    const YEAR_3000: i64 = 32_503_680_000_000;
    (YEAR_2000..YEAR_3000).contains(&millis).then(|| Timestamp::from_millis(millis))
}

/// FNV-1a, 64 bits. Webhooks are signed, so nobody else can make two events alike.
/// <https://www.rfc-editor.org/rfc/rfc9923> (read 2026-11)
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
