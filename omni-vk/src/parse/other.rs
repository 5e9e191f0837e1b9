//! What happens beside messages.

use omni_core::event::{Button, Event, EventBody, Reaction, ReadReach};
use omni_core::{Address, ProviderMessageId};

use super::content::emoji_of;
use super::{Context, Read, message, people};
use crate::address::VkAddress;
use crate::wire::{Allowed, MessageEvent, MessageRead, Reacted, Typing};

/// A pressed key that awaits an answer. Who has to be answered, and where, is a part of the ticket.
pub(super) fn button(cx: &Context<'_>) -> Read {
    let pressed: MessageEvent<'_> = serde_json::from_str(cx.object())?;
    let body = EventBody::Button(Button {
        sender: people::sender(pressed.user_id),
        data: pressed.payload.map(message::data_of).unwrap_or_default(),
        label: None,
        message: pressed.conversation_message_id.map(id),
        ticket: Some(format!("{}:{}:{}", pressed.peer_id, pressed.user_id, &*pressed.event_id)),
    });
    Ok(cx.event(body).at_address(peer(pressed.peer_id)))
}

pub(super) fn read(cx: &Context<'_>) -> Read {
    let mark: MessageRead = serde_json::from_str(cx.object())?;
    if is_ours(mark.from_id, cx) {
        return Ok(cx.unsupported());
    }
    let messages = vec![id(mark.conversation_message_id)];
    Ok(cx.event(EventBody::Read { messages, reach: ReadReach::UpTo }).at_address(peer(mark.peer_id)))
}

/// Told of private talks only: they have the number of their person.
pub(super) fn typing(cx: &Context<'_>) -> Read {
    let Typing { from_id } = serde_json::from_str(cx.object())?;
    if is_ours(from_id, cx) {
        return Ok(cx.unsupported());
    }
    Ok(cx.event(EventBody::Typing { sender: people::sender(from_id) }).at_address(peer(from_id)))
}

pub(super) fn reaction(cx: &Context<'_>) -> Read {
    let reacted: Reacted = serde_json::from_str(cx.object())?;
    if is_ours(reacted.reacted_id, cx) {
        return Ok(cx.unsupported());
    }
    let body = EventBody::Reaction(Reaction {
        message: id(reacted.cmid),
        sender: Some(people::sender(reacted.reacted_id)),
        signs: reacted.reaction_id.map(emoji_of).into_iter().collect(),
    });
    Ok(cx.event(body).at_address(peer(reacted.peer_id)))
}

/// What the asking page handed along has no place in the event, and is kept in its raw form.
pub(super) fn allowed(cx: &Context<'_>) -> Read {
    let allowed: Allowed<'_> = serde_json::from_str(cx.object())?;
    let has_key = allowed.key.is_some_and(|key| !key.is_empty());
    let body = EventBody::Subscribed { sender: people::sender(allowed.user_id) };
    let raw = has_key.then(|| cx.raw()).flatten();
    Ok(Event { raw, ..cx.event(body).at_address(peer(allowed.user_id)) })
}

pub(super) fn denied(cx: &Context<'_>) -> Read {
    let denied: Allowed<'_> = serde_json::from_str(cx.object())?;
    let body = EventBody::Blocked { sender: people::sender(denied.user_id) };
    Ok(cx.event(body).at_address(peer(denied.user_id)))
}

/// What the community did itself is no news of the other side.
fn is_ours(id: i64, cx: &Context<'_>) -> bool {
    id == -cx.group_id
}

fn peer(id: i64) -> Address {
    Address::from(VkAddress::Peer(id))
}

fn id(number: i64) -> ProviderMessageId {
    ProviderMessageId::from(number.to_string())
}
