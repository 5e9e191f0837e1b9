//! What happens beside messages.

use omni_core::ProviderMessageId;
use omni_core::contact::Sender;
use omni_core::error::ErrorReport;
use omni_core::event::{Button, EventBody, MessageName, Reaction, ReadReach, Started, StatusNews};

use super::{Context, people};
use crate::capabilities::status as how_far;
use crate::error::classify;
use crate::wire::{
    ButtonEvent, DeletedEvent, How, Id, PersonEvent, ReactionEvent, ReadEvent, Reason, StartedEvent,
    StatusEvent, Str,
};

/// An event that says nothing; nothing when it cannot be read or has no word here.
pub(super) fn body(kind: &str, cx: &Context<'_>) -> Option<EventBody> {
    match kind {
        "deleted" => deleted(cx),
        "reaction" => reaction(cx),
        "status" => status(cx),
        "button" => button(cx),
        "started" => started(cx),
        "subscribed" => Some(EventBody::Subscribed { sender: person(cx)? }),
        "blocked" => Some(EventBody::Blocked { sender: person(cx)? }),
        "typing" => Some(EventBody::Typing { sender: person(cx)? }),
        "read" => seen(cx),
        _ => None,
    }
}

fn person(cx: &Context<'_>) -> Option<Sender> {
    let told: PersonEvent<'_> = cx.read()?;
    Some(people::sender(told.sender, cx))
}

fn message_id(id: &Id<'_>) -> ProviderMessageId {
    ProviderMessageId::from(id.as_str())
}

fn deleted(cx: &Context<'_>) -> Option<EventBody> {
    let told: DeletedEvent<'_> = cx.read()?;
    let messages: Vec<ProviderMessageId> = told.messages.iter().map(message_id).collect();
    (!messages.is_empty()).then_some(EventBody::Deleted { messages })
}

fn reaction(cx: &Context<'_>) -> Option<EventBody> {
    let told: ReactionEvent<'_> = cx.read()?;
    Some(EventBody::Reaction(Reaction {
        message: message_id(&told.message),
        sender: Some(people::sender(told.sender, cx)),
        signs: told.signs.into_iter().map(Str::into_string).collect(),
    }))
}

fn status(cx: &Context<'_>) -> Option<EventBody> {
    let told: StatusEvent<'_> = cx.read()?;
    let message = match (&told.message, &told.ours) {
        (Some(id), _) => MessageName::Provider(message_id(id)),
        (None, Some(ours)) => MessageName::Ours(ours.parse().ok()?),
        (None, None) => return None,
    };
    let error = told.error.filter(|_| told.status == How::Failed).map(|reason| refused(&reason));
    Some(EventBody::Status(StatusNews { message, status: how_far(told.status), error }))
}

fn refused(reason: &Reason<'_>) -> ErrorReport {
    classify("message", reason, reason.text.as_deref().unwrap_or_default(), None).report()
}

fn button(cx: &Context<'_>) -> Option<EventBody> {
    let told: ButtonEvent<'_> = cx.read()?;
    Some(EventBody::Button(Button {
        sender: people::sender(told.sender, cx),
        data: told.data.into_string(),
        label: told.label.map(Str::into_string),
        message: told.message.as_ref().map(message_id),
        ticket: told.ticket.map(|ticket| ticket.as_str().to_owned()),
    }))
}

fn started(cx: &Context<'_>) -> Option<EventBody> {
    let told: StartedEvent<'_> = cx.read()?;
    let sender = people::sender(told.sender, cx);
    Some(EventBody::Started(Started { sender, message: None, referral: told.referral }))
}

fn seen(cx: &Context<'_>) -> Option<EventBody> {
    let told: ReadEvent<'_> = cx.read()?;
    if let Some(last) = told.up_to {
        return Some(EventBody::Read { messages: vec![message_id(&last)], reach: ReadReach::UpTo });
    }
    let messages: Vec<ProviderMessageId> = told.messages.iter().flatten().map(message_id).collect();
    (!messages.is_empty()).then_some(EventBody::Read { messages, reach: ReadReach::These })
}
