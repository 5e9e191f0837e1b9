//! Messages, and pressed keys, which come as messages too.

use omni_core::content::{Content, Part};
use omni_core::event::{Button, Event, EventBody, Message as Said};
use omni_core::{EventId, ProviderMessageId};

use super::{Context, content, people};
use crate::encode::PRESS;
use crate::wire::{Callback, Message, Str};

/// <https://developers.viber.com/docs/api/rest-bot-api/#receive-message-from-user> (read 2026-11)
pub(super) fn new(callback: Callback<'_>, cx: &Context<'_>) -> Event {
    let Some(sender) = callback.sender.filter(|sender| !sender.id.is_empty()) else {
        return cx.unsupported("message", None);
    };
    let sender = people::sender(sender);
    let at = sender.identity.id.clone();
    let id = cx.id("message");
    let within_extension = callback.chat_id.is_some() || callback.reply_type.is_some();
    let message = callback.message.and_then(|raw| serde_json::from_str::<Message<'_>>(raw.get()).ok());
    let Some(mut message) = message else {
        return kept(cx, &at, said(&id, sender, unreadable("message")));
    };
    if let Some(data) = pressed(&message, callback.silent == Some(true)) {
        let button = Button { sender, data, label: None, message: None, ticket: None };
        return cx.event("message", &at, EventBody::Button(button));
    }
    let is_tracked = message.tracking_data.as_deref().is_some_and(|data| !data.is_empty());
    let kind = message.kind.clone();
    match content::take(&mut message, cx.stickers) {
        Some(content) if is_tracked || within_extension => kept(cx, &at, said(&id, sender, content)),
        Some(content) => cx.event("message", &at, EventBody::Message(said(&id, sender, content))),
        None => kept(cx, &at, said(&id, sender, unreadable(&kind))),
    }
}

fn said(id: &EventId, sender: omni_core::contact::Sender, content: Content) -> Said {
    Said::new(ProviderMessageId::from(id.as_str()), sender, content)
}

/// A message that says more than we have words for.
fn kept(cx: &Context<'_>, at: &str, message: Said) -> Event {
    Event { raw: cx.raw(), ..cx.event("message", at, EventBody::Message(message)) }
}

fn unreadable(kind: &str) -> Content {
    Content::part(Part::Unsupported { what: kind.to_owned() })
}

/// What a pressed key carries. Our own begin with [`PRESS`]; a key that shows nothing in the chat was not set
/// by us when its text does not, and is no word of the person either.
fn pressed(message: &Message<'_>, silent: bool) -> Option<String> {
    let text = message.text.as_deref().filter(|_| &*message.kind == "text")?;
    match text.strip_prefix(PRESS) {
        Some(data) => Some(data.to_owned()),
        None => silent.then(|| text.to_owned()),
    }
}

impl Message<'_> {
    /// The words, taken out.
    pub(super) fn words(&mut self) -> Option<String> {
        self.text.take().map(Str::into_string).filter(|text| !text.is_empty())
    }
}
