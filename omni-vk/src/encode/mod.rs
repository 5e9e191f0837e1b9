//! From content to VK's methods. Pure: a [`Request`] is a method's name and its fields.
//!
//! Files go up before the message and are then named in it, so a message is made in two steps: [`sources`] says which
//! files have to go up and which VK has already, [`send`] takes the names of all of them.
//!
//! Words that VK would read as a link get a sign without width (law 12): it has no way to write them as they are.
//!
//! Source: <https://dev.vk.com/method> and `messages/methods.json` of <https://github.com/VKCOM/vk-api-schema>,
//! version 5.199 (read 2026-11).

mod action;
mod carousel;
mod execute;
mod keyboard;
mod source;

use std::borrow::Cow;
use std::fmt;

use omni_core::content::{Content, Item, Location, Part};
use omni_core::error::{ErrorKind, Result};
use omni_core::event::ReplyTo;
use omni_core::outbound::OutboundItem;
use omni_core::{Address, Error, ProviderMessageId};
use serde::Serialize;

pub use action::{
    add_callback_server, answer_button, chats, confirmation_code, delete, delete_callback_server,
    document_server, edit_callback_server, get_callback_servers, get_group, get_groups, get_message,
    get_users, long_poll_server, mark_read, photo_server, react, save_document, save_photo,
    set_callback_settings, set_long_poll_settings, token_permissions, typing,
};
pub(crate) use carousel::CARDS;
pub use execute::{CALLS, execute};
pub(crate) use source::saved_name;
pub use source::{Class, Source, Upload, sources};

use crate::address::{Comments, SubjectKind, VkAddress};
use crate::config::EVENTS;
use crate::markup::neutral;
use crate::number::random_id;

/// A call of a method, ready to be sent as a form.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The method's name.
    pub method: &'static str,
    /// Its parameters, in order. Nested ones are JSON as text.
    pub fields: Vec<(Cow<'static, str>, String)>,
}

impl fmt::Debug for Request {
    /// The names of its parameters: what they say is a customer's, or a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.fields.iter().map(|(name, _)| &**name).collect();
        f.debug_struct("Request").field("method", &self.method).field("fields", &names).finish()
    }
}

impl Request {
    fn new(method: &'static str) -> Self {
        Self { method, fields: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.fields.push((Cow::Borrowed(name), value.to_string()));
        self
    }

    /// Switches these events on, and off whatever else this connector may have switched on before.
    fn switches(self, on: &[&str]) -> Self {
        let off = EVENTS.iter().filter(|event| !on.contains(event));
        let switched = on.iter().map(|&event| (event, 1)).chain(off.map(|&event| (event, 0)));
        switched.fold(self, |mut request, (event, state)| {
            request.fields.push((Cow::Owned(event.to_owned()), state.to_string()));
            request
        })
    }

    fn with_some(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn with_json(self, name: &'static str, value: &impl Serialize) -> Result<Self> {
        let json = serde_json::to_string(value)
            .map_err(|e| Error::new(ErrorKind::Internal, self.method).with_text(e.to_string()))?;
        Ok(self.with(name, json))
    }
}

/// The call that sends one planned item. `named` are the files of its content as VK names them, in order.
///
/// # Errors
/// - [`NotFound`](ErrorKind::NotFound) for an address that is not VK's;
/// - [`ContentRejected`](ErrorKind::ContentRejected) for what no method can carry, or not in one message;
/// - [`Unsupported`](ErrorKind::Unsupported) for kinds that the capabilities do not declare.
pub fn send(item: &OutboundItem, group_id: i64, named: &[String]) -> Result<Request> {
    match VkAddress::try_from(&item.address)? {
        VkAddress::Peer(peer) => message(item, peer, group_id, named),
        VkAddress::Comments(place) => comment(item, place, group_id),
    }
}

/// `peer_ids` with one of them: only then the answer tells the number within the peer, which every later call needs.
/// <https://dev.vk.com/method/messages.send>
fn message(item: &OutboundItem, peer: i64, group_id: i64, named: &[String]) -> Result<Request> {
    const METHOD: &str = "messages.send";
    /// What comes back with the echo, so that it is known for ours.
    #[derive(Serialize)]
    struct Ours {
        omni_id: String,
    }
    let request = Request::new(METHOD)
        .with("peer_ids", peer)
        .with("random_id", random_id(item.id))
        .with_json("payload", &Ours { omni_id: item.id.to_string() })?;
    let request = filled(request, &item.content, group_id, named)?;
    let request = forward(request, peer, item.reply_to.as_ref())?;
    keys(request, &item.content)
}

/// <https://dev.vk.com/method/wall.createComment>. Everywhere but under posts a community's token can only read.
fn comment(item: &OutboundItem, place: Comments, group_id: i64) -> Result<Request> {
    const METHOD: &str = "wall.createComment";
    if place.subject.kind != SubjectKind::Wall {
        return Err(
            Error::unsupported(METHOD).with_text("a community's token answers comments under posts only")
        );
    }
    if !item.content.parts.is_empty() || item.content.keyboard.is_some() {
        return Err(Error::unsupported(METHOD).with_text("a comment carries words only"));
    }
    let words = item.content.plain_text().ok_or_else(|| nothing(METHOD))?;
    let answered = match &item.reply_to {
        Some(reply) => Some(number(METHOD, &reply.message)?),
        None => place.thread,
    };
    Ok(Request::new(METHOD)
        .with("owner_id", place.subject.owner)
        .with("post_id", place.subject.id)
        .with("from_group", group_id)
        .with_some("reply_to_comment", answered)
        .with("message", neutral(words))
        .with("guid", item.id))
}

/// Replaces what a message says. Files that are not named again are gone.
/// <https://dev.vk.com/method/messages.edit>
///
/// # Errors
/// As [`send`].
pub fn edit(
    address: &Address,
    message: &ProviderMessageId,
    content: &Content,
    group_id: i64,
    named: &[String],
) -> Result<Request> {
    const METHOD: &str = "messages.edit";
    let peer = VkAddress::try_from(address)?.peer("edit")?;
    let body = Body::of(METHOD, content, group_id, named)?;
    if body.sticker.is_some() {
        return Err(Error::unsupported("edit").with_text("a message cannot become a sticker"));
    }
    let request = Request::new(METHOD).with("peer_id", peer).with("cmid", number(METHOD, message)?);
    let request = body.put(request)?.with("keep_forward_messages", 1);
    keys(request, content)
}

/// Words, files and goods.
fn filled(request: Request, content: &Content, group_id: i64, named: &[String]) -> Result<Request> {
    let Some(cards) = carousel::cards(content, group_id) else {
        return Body::of(request.method, content, group_id, named)?.put(request);
    };
    let words = content.plain_text().unwrap_or_default();
    let said = Body { words: words.to_owned(), ..Body::default() };
    carousel::attach(said.put(request)?, &cards, words, named)
}

/// What one message can hold.
#[derive(Debug, Default)]
struct Body<'a> {
    words: String,
    attachments: Vec<String>,
    place: Option<&'a Location>,
    sticker: Option<String>,
}

/// <https://dev.vk.com/method/messages.send>, `attachment` (unverified, from memory)
pub(crate) const ATTACHMENTS: usize = 10;

impl<'a> Body<'a> {
    fn of(method: &'static str, content: &'a Content, group_id: i64, named: &[String]) -> Result<Self> {
        let mut body = Self { words: content.plain_text().unwrap_or_default().to_owned(), ..Self::default() };
        let mut named = named.iter();
        for part in &content.parts {
            match part {
                Part::Media(_) => {
                    let name = named.next().ok_or_else(|| {
                        Error::new(ErrorKind::Internal, method).with_text("a file was not uploaded")
                    })?;
                    body.attach(name);
                }
                Part::Item(item) => match source::item_name(item, group_id) {
                    Some(name) => body.attachments.push(name),
                    None => body.say(&in_words(item)),
                },
                Part::Location(place) if body.place.is_none() => body.place = Some(place),
                Part::Location(_) => return Err(refused(method, "a message holds one place")),
                _ => return Err(Error::unsupported(method)),
            }
        }
        body.check(method)
    }

    fn attach(&mut self, name: &str) {
        match name.strip_prefix("sticker") {
            Some(sticker) => self.sticker = Some(sticker.to_owned()),
            None => self.attachments.push(name.to_owned()),
        }
    }

    fn say(&mut self, words: &str) {
        if !self.words.is_empty() && !words.is_empty() {
            self.words.push('\n');
        }
        self.words.push_str(words);
    }

    fn check(mut self, method: &'static str) -> Result<Self> {
        if self.attachments.len() > ATTACHMENTS {
            return Err(refused(method, "a message holds ten files at most"));
        }
        let others = !self.words.is_empty() || !self.attachments.is_empty() || self.place.is_some();
        if self.sticker.is_some() && others {
            return Err(refused(method, "a sticker stands alone"));
        }
        if self.sticker.is_none() && !others {
            return Err(nothing(method));
        }
        // VK shows a bare map: what the place is called goes beside it.
        if let (true, Some(place)) = (self.words.is_empty(), self.place) {
            let names = [place.title.as_deref(), place.address.as_deref()];
            self.words = names.into_iter().flatten().collect::<Vec<_>>().join("\n");
        }
        Ok(self)
    }

    fn put(self, request: Request) -> Result<Request> {
        let Self { words, attachments, place, sticker } = self;
        let request = match words.as_str() {
            "" => request,
            words => request.with("message", neutral(words)),
        };
        let names = (!attachments.is_empty()).then(|| attachments.join(","));
        Ok(request
            .with_some("attachment", names)
            .with_some("lat", place.map(|place| place.latitude))
            .with_some("long", place.map(|place| place.longitude))
            .with_some("sticker_id", sticker)
            // Nobody is told of being named by words that only happen to look so.
            .with("disable_mentions", 1))
    }
}

/// Quotes by the number within the peer, which works in chats too.
fn forward(request: Request, peer: i64, reply: Option<&ReplyTo>) -> Result<Request> {
    #[derive(Serialize)]
    struct Forward {
        peer_id: i64,
        conversation_message_ids: [i64; 1],
        is_reply: bool,
    }
    let Some(reply) = reply else { return Ok(request) };
    let quoted = number(request.method, &reply.message)?;
    let forward = Forward { peer_id: peer, conversation_message_ids: [quoted], is_reply: true };
    request.with_json("forward", &forward)
}

fn keys(request: Request, content: &Content) -> Result<Request> {
    match &content.keyboard {
        Some(keys) => keyboard::attach(request, keys),
        None => Ok(request),
    }
}

/// Goods that are not VK's own.
fn in_words(item: &Item) -> String {
    let url = item.url.as_ref().map(ToString::to_string);
    let lines = [item.title.clone(), item.price.clone(), url];
    lines.into_iter().flatten().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn nothing(operation: &'static str) -> Error {
    refused(operation, "there is nothing to send")
}

fn refused(operation: &'static str, text: &str) -> Error {
    Error::new(ErrorKind::ContentRejected, operation).with_text(text)
}

/// Message and comment ids are numbers at VK, above zero.
fn number(operation: &'static str, id: &ProviderMessageId) -> Result<i64> {
    let number = id.as_str().parse().ok().filter(|number: &i64| *number > 0);
    number.ok_or_else(|| Error::new(ErrorKind::NotFound, operation).with_text("not a VK message id"))
}
