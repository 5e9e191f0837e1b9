//! What happens beside messages.

use omni_core::contact::Sender;
use omni_core::error::{Error, ErrorKind, ErrorReport};
use omni_core::event::{Event, EventBody, MessageName, Started, StatusNews};
use omni_core::link::Referral;
use omni_core::{ProviderMessageId, Status};

use super::{Context, people};
use crate::wire::{Callback, Person, Str};

/// How far a message of ours came. `delivered` comes once for each device, and one message to many has one
/// token: the person belongs to the id.
/// <https://developers.viber.com/docs/api/rest-bot-api/#message-receipts-callbacks> (read 2026-11)
pub(super) fn status(callback: &Callback<'_>, cx: &Context<'_>) -> Event {
    let person = callback.user_id.as_deref().filter(super::named);
    let (Some(token), Some(person)) = (cx.token, person) else {
        return cx.unsupported(&callback.event, person);
    };
    let (status, error) = match &*callback.event {
        "delivered" => (Status::Delivered, None),
        "seen" => (Status::Read, None),
        _ => (Status::Failed, Some(refused(callback.desc.as_deref()))),
    };
    let message = MessageName::Provider(ProviderMessageId::from(token.to_string()));
    let body = EventBody::Status(StatusNews { message, status, error });
    Event { id: cx.id_of(&callback.event, person), ..cx.event(&callback.event, person, body) }
}

/// The person's app refused a message that Viber had taken: a bad address, size or keyboard.
fn refused(why: Option<&str>) -> ErrorReport {
    Error::new(ErrorKind::ContentRejected, "send_message").with_text(why.unwrap_or_default()).report()
}

/// The person lets us write. A first message does so too, and is not told here.
/// <https://developers.viber.com/docs/api/rest-bot-api/#subscribed> (read 2026-11)
pub(super) fn subscribed(callback: Callback<'_>, cx: &Context<'_>) -> Event {
    with_person(callback.user, "subscribed", cx, |sender| EventBody::Subscribed { sender })
}

/// The person no longer lets us write. Only the id is told.
/// <https://developers.viber.com/docs/api/rest-bot-api/#unsubscribed> (read 2026-11)
pub(super) fn unsubscribed(callback: &Callback<'_>, cx: &Context<'_>) -> Event {
    match callback.user_id.as_deref().filter(super::named) {
        Some(id) => cx.event("unsubscribed", id, EventBody::Blocked { sender: people::known_by_id(id) }),
        None => cx.unsupported("unsubscribed", None),
    }
}

/// The chat was opened. That is no consent: sends fail until the person writes or subscribes.
/// <https://developers.viber.com/docs/api/rest-bot-api/#conversation-started> (read 2026-11)
pub(super) fn started(callback: Callback<'_>, cx: &Context<'_>) -> Event {
    let context = callback.context.map(Str::into_string).filter(|context| !context.is_empty());
    with_person(callback.user, "conversation_started", cx, |sender| {
        EventBody::Started(Started { sender, message: None, referral: context.map(Referral::token) })
    })
}

fn with_person(
    person: Option<Person<'_>>,
    name: &str,
    cx: &Context<'_>,
    body: impl FnOnce(Sender) -> EventBody,
) -> Event {
    match person.filter(|person| !person.id.is_empty()) {
        Some(person) => {
            let sender = people::sender(person);
            let id = sender.identity.id.clone();
            cx.event(name, &id, body(sender))
        }
        None => cx.unsupported(name, None),
    }
}
