//! Messages: of a customer, of the business, and changed ones.

use omni_core::ProviderMessageId;
use omni_core::event::{Echo, Edited, EventBody, Message};

use super::content::content;
use super::{Context, Whole, people};
use crate::wire::{EchoEvent, EditedEvent, MessageEvent, Str};

pub(super) fn message(cx: &Context<'_>) -> Option<(EventBody, Whole)> {
    const FIELDS: [&str; 7] = ["message_id", "sender", "reply_to", "item", "referral", "chat", "origin"];
    let head: MessageEvent<'_> = cx.read()?;
    let (content, is_whole) = content(cx, &FIELDS)?;
    let mut message = Message::new(head.message_id.as_str(), people::sender(head.sender, cx), content);
    message.reply_to = head.reply_to;
    message.item = head.item;
    message.referral = head.referral;
    message.chat = head.chat.unwrap_or_default();
    message.origin = head.origin.unwrap_or_default();
    Some((EventBody::Message(message), is_whole))
}

/// Law 8: a person's answer, unless it is a message of ours.
pub(super) fn echo(cx: &Context<'_>) -> Option<(EventBody, Whole)> {
    const FIELDS: [&str; 4] = ["message_id", "ours", "author", "reply_to"];
    let head: EchoEvent<'_> = cx.read()?;
    // A name of ours that is none must not turn a message of ours into a person's.
    let ours = head.ours.map(|id| id.parse()).transpose().ok()?;
    let (content, is_whole) = content(cx, &FIELDS)?;
    let author = head.author.map(Str::into_string);
    let sender = people::business(author.as_deref(), cx);
    let mut message = Message::new(head.message_id.as_str(), sender, content);
    message.reply_to = head.reply_to;
    Some((EventBody::Echo(Echo { message, ours, author }), is_whole))
}

pub(super) fn edited(cx: &Context<'_>) -> Option<(EventBody, Whole)> {
    const FIELDS: [&str; 2] = ["message", "sender"];
    let head: EditedEvent<'_> = cx.read()?;
    let (content, is_whole) = content(cx, &FIELDS)?;
    let message = ProviderMessageId::from(head.message.as_str());
    let body = Edited { message, sender: people::sender(head.sender, cx), content };
    Some((EventBody::Edited(body), is_whole))
}
