//! Messages: new, the community's own, edited, and those that only report something.

use omni_core::contact::Sender;
use omni_core::event::{
    Button, Call, CallOutcome, Chat, ChatKind, Echo, Edited, Event, EventBody, Membership, MembershipState,
    Message as Said, Origin, ReplyTo, Started,
};
use omni_core::link::Referral;
use omni_core::{Address, MessageId, ProviderMessageId, Text};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::content::{self, Parts};
use super::{Context, Read, people, time};
use crate::address::{FIRST_CHAT, VkAddress};
use crate::markup;
use crate::wire::{Action, Message, NewMessage, Quoted, Str};

/// Somebody wrote to the community, or in a chat it is in.
pub(super) fn new(cx: &Context<'_>) -> Read {
    // Since version 5.103 the message is within the object; before it was the object.
    let wrapped = serde_json::from_str::<NewMessage<'_>>(cx.object())?.message;
    let m: Message<'_> = serde_json::from_str(wrapped.map_or(cx.object(), RawValue::get))?;
    if m.out == 1 || m.from_id == -cx.group_id {
        return Ok(echo(m, cx));
    }
    if let Some(action) = m.action {
        return Ok(reported(&m, action, cx));
    }
    let pressed = m.payload.map_or(Pressed::Nothing, pressed);
    match pressed {
        Pressed::Start => Ok(started(&m, cx)),
        Pressed::Ours(data) => Ok(button(&m, data, cx)),
        Pressed::Nothing => Ok(said(m, cx)),
        Pressed::Foreign => {
            // The words are read; what the key carried is in the raw form.
            let event = said(m, cx);
            Ok(Event { raw: event.raw.or_else(|| cx.raw()), ..event })
        }
    }
}

/// The community spoke: an administrator in VK itself, another program, or we.
pub(super) fn reply(cx: &Context<'_>) -> Read {
    Ok(echo(serde_json::from_str(cx.object())?, cx))
}

/// A changed message, of either side.
pub(super) fn edit(cx: &Context<'_>) -> Read {
    let m: Message<'_> = serde_json::from_str(cx.object())?;
    let at = m.update_time.unwrap_or(m.date);
    let (address, message, sender) = (address_of(&m), id_of(&m), people::sender(m.from_id));
    let natural = format!("{}:{at}", natural(&m));
    let mut read = content_of(m);
    if sender.identity.id == (-cx.group_id).to_string() {
        restore(&mut read.content.text);
    }
    let raw = read.has_more.then(|| cx.raw()).flatten();
    let body = EventBody::Edited(Edited { message, sender, content: read.content });
    Ok(Event { at: time(at), raw, ..cx.event_named(body, || natural).at_address(address) })
}

/// Reads one message as VK's methods hand it out, by itself: what is left of one that was cut.
///
/// # Errors
/// When it is no message.
pub fn one(json: &str) -> serde_json::Result<Said> {
    let m: Message<'_> = serde_json::from_str(json)?;
    let sender = people::sender(m.from_id);
    let frame = Frame::of(&m);
    Ok(frame.message(sender, content_of(m)))
}

/// The number within the peer: the other one is 0 in chats, and no call takes it there.
fn id_of(m: &Message<'_>) -> ProviderMessageId {
    ProviderMessageId::from(m.conversation_message_id.to_string())
}

fn address_of(m: &Message<'_>) -> Address {
    Address::from(VkAddress::Peer(m.peer_id))
}

/// What names a message where the event has no id.
fn natural(m: &Message<'_>) -> String {
    format!("{}:{}", m.peer_id, m.conversation_message_id)
}

fn content_of(m: Message<'_>) -> content::Said {
    let parts = Parts { text: m.text, attachments: &m.attachments, geo: m.geo, forwarded: &m.fwd_messages };
    let mut read = content::read(parts);
    if m.is_cropped {
        read.lacks("cropped");
    }
    read
}

/// What a message has beside what it says.
struct Frame {
    id: ProviderMessageId,
    reply_to: Option<ReplyTo>,
    referral: Option<Referral>,
    chat: Chat,
}

impl Frame {
    fn of(m: &Message<'_>) -> Self {
        let is_chat = m.peer_id >= FIRST_CHAT;
        let kind = if is_chat { ChatKind::Group } else { ChatKind::Private };
        let chat = Chat { kind, title: None };
        Self { id: id_of(m), reply_to: answered(m), referral: referral(m), chat }
    }

    fn message(self, sender: Sender, said: content::Said) -> Said {
        let Self { id, reply_to, referral, chat } = self;
        Said { reply_to, referral, chat, item: said.item, ..Said::new(id, sender, said.content) }
    }
}

fn answered(m: &Message<'_>) -> Option<ReplyTo> {
    let quoted: Quoted = serde_json::from_str(m.reply_message?.get()).ok()?;
    let message = quoted.conversation_message_id;
    (message > 0).then(|| ReplyTo { message: ProviderMessageId::from(message.to_string()), quote: None })
}

/// <https://dev.vk.com/api/bots/development/messages> (read 2026-11)
fn referral(m: &Message<'_>) -> Option<Referral> {
    let text = |text: &Option<Str<'_>>| text.as_deref().filter(|t| !t.is_empty()).map(str::to_owned);
    let (token, source) = (text(&m.referral), text(&m.ref_source));
    (token.is_some() || source.is_some()).then_some(Referral { token, source, ad: None })
}

fn said(m: Message<'_>, cx: &Context<'_>) -> Event {
    let (address, date, natural) = (address_of(&m), m.date, natural(&m));
    let (sender, frame) = (people::sender(m.from_id), Frame::of(&m));
    let read = content_of(m);
    if let (Some(call), None, [_]) = (read.call, &read.content.text, read.content.parts.as_slice()) {
        let event = cx.event_named(EventBody::Call(called(call, sender)), || natural);
        return Event { at: time(date), ..event.at_address(address) };
    }
    let raw = read.has_more.then(|| cx.raw()).flatten();
    let body = EventBody::Message(frame.message(sender, read));
    Event { at: time(date), raw, ..cx.event_named(body, || natural).at_address(address) }
}

/// A message that is nothing but a call.
fn called((_, reached, seconds): (i64, bool, Option<u32>), sender: Sender) -> Call {
    let outcome = if reached { CallOutcome::Answered } else { CallOutcome::Missed };
    Call { sender, outcome, seconds: seconds.filter(|_| reached), url: None }
}

fn echo(m: Message<'_>, cx: &Context<'_>) -> Event {
    let (address, date, natural) = (address_of(&m), m.date, natural(&m));
    let (sender, frame) = (people::sender(m.from_id), Frame::of(&m));
    let author = m.admin_author_id.map(|admin| admin.to_string());
    let ours = m.payload.and_then(our_id);
    // Without an administrator a program wrote it: ours, or another one.
    let origin = if author.is_some() { Origin::Person } else { Origin::Automatic };
    let mut read = content_of(m);
    restore(&mut read.content.text);
    let raw = read.has_more.then(|| cx.raw()).flatten();
    let message = Said { origin, ..frame.message(sender, read) };
    let body = EventBody::Echo(Echo { message, ours, author });
    Event { at: time(date), raw, ..cx.event_named(body, || natural).at_address(address) }
}

fn restore(text: &mut Option<Text>) {
    if let Some(text) = text {
        text.plain = markup::restored(std::mem::take(&mut text.plain));
    }
}

/// A service message of a chat. That we were taken in or put out is told as such; the rest is kept.
/// <https://dev.vk.com/reference/objects/message>, `action` (read 2026-11)
fn reported(m: &Message<'_>, action: &RawValue, cx: &Context<'_>) -> Event {
    let (address, at) = (address_of(m), time(m.date));
    let read: Option<Action<'_>> = serde_json::from_str(action.get()).ok();
    let state = read.as_ref().filter(|a| a.member_id == Some(-cx.group_id)).and_then(|a| match &*a.kind {
        "chat_invite_user" | "chat_invite_user_by_link" => Some(MembershipState::Member),
        "chat_kick_user" => Some(MembershipState::Out),
        _ => None,
    });
    let Some(state) = state else {
        let what = read.map_or_else(|| "action".to_owned(), |action| action.kind.into_string());
        let body = EventBody::Unsupported { what };
        let event = cx.event_named(body, || natural(m)).at_address(address);
        return Event { at, raw: cx.raw(), ..event };
    };
    let chat = Chat { kind: ChatKind::Group, title: None };
    let body = EventBody::Membership(Membership { state, by: people::sender(m.from_id), chat });
    Event { at, ..cx.event_named(body, || natural(m)).at_address(address) }
}

fn started(m: &Message<'_>, cx: &Context<'_>) -> Event {
    let started =
        Started { sender: people::sender(m.from_id), message: Some(id_of(m)), referral: referral(m) };
    let event = cx.event_named(EventBody::Started(started), || natural(m)).at_address(address_of(m));
    Event { at: time(m.date), ..event }
}

/// A pressed key that writes its label and carries data of ours.
fn button(m: &Message<'_>, data: String, cx: &Context<'_>) -> Event {
    let label = m.text.as_deref().filter(|text| !text.is_empty()).map(str::to_owned);
    let pressed = Button { sender: people::sender(m.from_id), data, label, message: None, ticket: None };
    let event = cx.event_named(EventBody::Button(pressed), || natural(m)).at_address(address_of(m));
    Event { at: time(m.date), ..event }
}

/// What a message says of the key that wrote it.
enum Pressed {
    Nothing,
    /// The key with which every talk with a community's bot begins.
    Start,
    /// A key of ours, with its data.
    Ours(String),
    /// A key that somebody else made.
    Foreign,
}

/// What keys of ours carry, and what VK itself puts there.
#[derive(Deserialize)]
struct Payload<'a> {
    /// The data of a key of ours.
    #[serde(borrow)]
    omni: Option<Str<'a>>,
    #[serde(borrow)]
    command: Option<Str<'a>>,
    /// What the key carried that a client could not press.
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

/// A payload is a string that holds JSON. <https://dev.vk.com/api/bots/development/keyboard> (read 2026-11)
fn pressed(payload: &RawValue) -> Pressed {
    let json = unwrapped(payload);
    let Ok(read) = serde_json::from_str::<Payload<'_>>(&json) else { return Pressed::Foreign };
    match (read.omni, read.command.as_deref(), read.payload) {
        (Some(data), _, _) => Pressed::Ours(data.into_string()),
        (None, Some("start"), _) => Pressed::Start,
        // (community) A client without such keys writes a message for the press.
        (None, Some("not_supported_button"), Some(inner)) => Pressed::Ours(data_of(inner)),
        _ => Pressed::Foreign,
    }
}

/// What a key carries: the data of one of ours, the whole JSON of any other.
pub(super) fn data_of(payload: &RawValue) -> String {
    let json = unwrapped(payload);
    match serde_json::from_str::<Payload<'_>>(&json) {
        Ok(Payload { omni: Some(data), .. }) => data.into_string(),
        _ => json.into_string(),
    }
}

/// JSON that may be within a string.
fn unwrapped(payload: &RawValue) -> Str<'_> {
    serde_json::from_str::<Str<'_>>(payload.get()).unwrap_or_else(|_| Str(payload.get().into()))
}

/// Our own id, which our messages carry. That VK hands it back with `message_reply` is unverified; without it the
/// number of the message settles whose it is.
fn our_id(payload: &RawValue) -> Option<MessageId> {
    #[derive(Deserialize)]
    struct Ours<'a> {
        #[serde(borrow)]
        omni_id: Str<'a>,
    }
    let json = unwrapped(payload);
    serde_json::from_str::<Ours<'_>>(&json).ok()?.omni_id.parse().ok()
}
