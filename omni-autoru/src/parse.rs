//! From Auto.ru's webhooks to events. Pure: no input or output, no clock.
//!
//! One webhook is one message and becomes one event, whose id is the message's. It is read in one pass; only when
//! that fails, or when a message holds nothing known, is its raw form kept as well (law 2). Auto.ru tells no times.

use omni_core::contact::{Identity, Profile, Sender as Person, SenderKind};
use omni_core::content::Item;
use omni_core::crypto::hmac_sha256;
use omni_core::event::{Event, EventBody, Message as Said, ReadReach};
use omni_core::webhook::{RejectReason, Rejected};
use omni_core::{Address, ProviderMessageId};
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use crate::PROVIDER;
use crate::address::AutoruAddress;
use crate::dialect::parse::{content, is_incomplete, link};
use crate::dialect::wire::{Incoming, Kind, Name, Outline, Sender};
use crate::wire::{Id, Str};

/// Reads the body of a webhook; nothing comes of news that somebody has stopped writing.
///
/// # Errors
/// [`Rejected`] when the text is not a JSON object. Anything else that cannot be understood is an
/// [`EventBody::Unsupported`] with its raw form.
pub fn webhook(body: &[u8]) -> Result<Option<Event>, Rejected> {
    // Checked once here, the strings inside need no second check; skipped ones would have none.
    let body = str::from_utf8(body).map_err(|_| Rejected::new(RejectReason::Malformed))?;
    match serde_json::from_str::<Incoming<'_>>(body) {
        Ok(incoming) if !incoming.message.id.is_empty() && !incoming.sender.id.trim().is_empty() => {
            Ok(understood(incoming, body))
        }
        _ => not_understood(body).map(Some),
    }
}

fn understood(Incoming { sender, message }: Incoming<'_>, body: &str) -> Option<Event> {
    let address = buyer(&sender.id);
    let id = message.id.to_string();
    let event = |body| Some(Event::new(id.clone(), body).at_address(address.clone()));
    match message.kind {
        Kind::TypeOut => return None,
        Kind::TypeIn => return event(EventBody::Typing { sender: person(&sender) }),
        // Which messages is not told: all that are there.
        Kind::Seen => return event(EventBody::Read { messages: Vec::new(), reach: ReadReach::UpTo }),
        _ => {}
    }
    let content = content(&message);
    let raw = if is_incomplete(&content) { whole(body) } else { None };
    let said = Said {
        item: item(&sender),
        ..Said::new(ProviderMessageId::from(id.as_str()), person(&sender), content)
    };
    let event = Event::new(id, EventBody::Message(said)).at_address(address);
    Some(match raw {
        Some(raw) => event.with_raw(raw),
        None => event,
    })
}

/// The second look: whatever names it is enough to keep it. A body without an id is known by what it says.
fn not_understood(body: &str) -> Result<Event, Rejected> {
    let raw: &RawValue = serde_json::from_str(body).map_err(|e| Rejected::malformed(&e))?;
    if !raw.get().starts_with('{') {
        return Err(Rejected {
            detail: Some("not an object".to_owned()),
            ..Rejected::new(RejectReason::Malformed)
        });
    }
    let Outline { sender, message } = serde_json::from_str(raw.get()).unwrap_or_default();
    let message: Name<'_> = part(message).unwrap_or_default();
    let sender: Name<'_> = part(sender).unwrap_or_default();
    let named = |id: Option<&RawValue>| {
        part::<Id<'_>>(id).map(|id| id.to_string()).filter(|id| !id.trim().is_empty())
    };
    let id = named(message.id).unwrap_or_else(|| nameless(raw));
    let what = part::<Str<'_>>(message.kind).map(Str::into_string).filter(|kind| !kind.is_empty());
    let body = EventBody::Unsupported { what: what.unwrap_or_else(|| "message".to_owned()) };
    let event = Event::new(id, body).with_raw(raw);
    Ok(match named(sender.id) {
        Some(id) => event.at_address(buyer(&id)),
        None => event,
    })
}

/// A part of a body that may be of any shape.
pub(crate) fn part<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

/// An id for what has none: the same whenever the same comes again.
pub(crate) fn nameless(raw: &RawValue) -> String {
    let digest = hmac_sha256(b"nameless", raw.get().as_bytes());
    digest.iter().take(16).fold("nameless-".to_owned(), |id, byte| id + &format!("{byte:02x}"))
}

fn whole(body: &str) -> Option<&RawValue> {
    serde_json::from_str(body).ok()
}

fn buyer(id: &str) -> Address {
    Address::from(&AutoruAddress::Buyer(id.to_owned()))
}

fn person(sender: &Sender<'_>) -> Person {
    let own =
        |text: &Option<Str<'_>>| text.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
    Person {
        identity: Identity::new(PROVIDER, sender.id.to_string()),
        // The photo is the car's.
        profile: Profile {
            name: own(&sender.name),
            phone: own(&sender.phone),
            email: own(&sender.email),
            ..Profile::default()
        },
        kind: SenderKind::Person,
    }
}

/// The advert that the talk is about.
fn item(sender: &Sender<'_>) -> Option<Item> {
    let url = sender.url.as_deref().and_then(link);
    let item = Item {
        id: url.as_ref().and_then(offer),
        title: sender.title.as_deref().filter(|title| !title.trim().is_empty()).map(str::to_owned),
        price: None,
        image: sender.photo.as_deref().and_then(link),
        url,
    };
    (item != Item::default()).then_some(item)
}

/// The last part of an advert's path is its id: `1100000001-aabbccdd`.
fn offer(url: &Url) -> Option<String> {
    url.path_segments()?.rfind(|segment| !segment.is_empty()).map(str::to_owned)
}
