//! From Viber's callbacks to events. Pure: no input or output, no clock.
//!
//! One callback becomes one event, or none for the probe of a registration. A callback is read in one pass;
//! only when that fails, or when something in it has no word here, is it kept whole as the event's raw form
//! (law 2).

mod content;
mod message;
mod other;
mod people;

use omni_core::event::{Event, EventBody};
use omni_core::webhook::{RejectReason, Rejected};
use omni_core::{Address, EventId, Timestamp};
use serde_json::value::RawValue;
use url::Url;

pub(crate) use people::profile;

use crate::wire::{Callback, Essentials, Person};

/// What a callback says.
#[derive(Clone, Debug)]
pub struct Told {
    /// What happened; nothing for the probe of a registration.
    pub event: Option<Event>,
    /// Whether the answer may carry a welcome: somebody who does not let us write has opened the chat.
    pub may_welcome: bool,
}

/// Reads the body of a webhook. `stickers` is where pictures of stickers are.
///
/// # Errors
/// [`Rejected`] when the text is not JSON, or does not name its event. Anything else that cannot be
/// understood is an [`EventBody::Unsupported`] with its raw form.
pub fn callback(json: &[u8], stickers: &Url) -> Result<Told, Rejected> {
    let json = std::str::from_utf8(json).map_err(|_| Rejected::new(RejectReason::Malformed))?;
    match serde_json::from_str::<Callback<'_>>(json) {
        Ok(callback) => {
            let (token, at) = (callback.message_token, time(callback.timestamp));
            Ok(understood(callback, &Context { json, stickers, token, at }))
        }
        // The second look: a name is enough to keep a callback.
        Err(_) => {
            let Essentials { event, message_token: token } =
                serde_json::from_str(json).map_err(|e| Rejected::malformed(&e))?;
            let cx = Context { json, stickers, token, at: None };
            Ok(Told { event: Some(cx.unsupported(&event, None)), may_welcome: false })
        }
    }
}

/// What a callback is read with.
struct Context<'a> {
    /// The whole callback, for the raw form.
    json: &'a str,
    stickers: &'a Url,
    token: Option<u64>,
    at: Option<Timestamp>,
}

impl Context<'_> {
    /// The callback as it came; kept wherever something in it was not understood.
    fn raw(&self) -> Option<Box<RawValue>> {
        serde_json::from_str(self.json).ok()
    }

    /// What recognises a repetition: the token, which a message has for itself. Everything else may share the
    /// token of a message, so it has its own name in front.
    fn id(&self, event: &str) -> EventId {
        match (event, self.token) {
            ("message", Some(token)) => EventId::from(token.to_string()),
            (_, Some(token)) => EventId::from(format!("{event}:{token}")),
            // A repetition is the same text again.
            (_, None) => EventId::from(format!("{event}:{:016x}", fingerprint(self.json))),
        }
    }

    /// News of a message: one of many receivers each, and as often as they have devices.
    fn id_of(&self, event: &str, person: &str) -> EventId {
        EventId::from(format!("{}:{person}", self.id(event)))
    }

    fn event(&self, name: &str, person: &str, body: EventBody) -> Event {
        Event { at: self.at, ..Event::new(self.id(name), body).at_address(Address::new(person)) }
    }

    fn unsupported(&self, event: &str, person: Option<&str>) -> Event {
        let body = EventBody::Unsupported { what: event.to_owned() };
        Event {
            at: self.at,
            address: person.map(Address::new),
            raw: self.raw(),
            ..Event::new(self.id(event), body)
        }
    }
}

/// An instant in Viber's milliseconds. The probe's may be any number.
fn time(millis: Option<u64>) -> Option<Timestamp> {
    /// The year 3000: no clock of a server is there yet.
    const FAR: i64 = 32_503_680_000_000;
    let millis = i64::try_from(millis?).ok()?;
    (1..FAR).contains(&millis).then(|| Timestamp::from_millis(millis))
}

/// <https://developers.viber.com/docs/api/rest-bot-api/#callbacks> (read 2026-11)
fn understood(callback: Callback<'_>, cx: &Context<'_>) -> Told {
    let silent = |event| Told { event: Some(event), may_welcome: false };
    match &*callback.event {
        "webhook" => Told { event: None, may_welcome: false },
        "message" => silent(message::new(callback, cx)),
        "delivered" | "seen" | "failed" => silent(other::status(&callback, cx)),
        "subscribed" => silent(other::subscribed(callback, cx)),
        "unsubscribed" => silent(other::unsubscribed(&callback, cx)),
        "conversation_started" => {
            let may_welcome = callback.user.is_some() && callback.subscribed != Some(true);
            Told { event: Some(other::started(callback, cx)), may_welcome }
        }
        event => silent(cx.unsupported(event, who(&callback))),
    }
}

/// Whoever a callback names.
fn who<'a>(callback: &'a Callback<'_>) -> Option<&'a str> {
    let person = |person: &'a Option<Person<'_>>| person.as_ref().map(|p| &*p.id);
    person(&callback.sender).or_else(|| person(&callback.user)).or(callback.user_id.as_deref()).filter(named)
}

fn named(id: &&str) -> bool {
    !id.is_empty()
}

/// FNV-1a, 64 bits. Callbacks are signed, so nobody can make two of them alike.
/// <https://www.rfc-editor.org/rfc/rfc9923> (read 2026-11)
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
