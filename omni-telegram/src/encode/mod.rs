//! From content to Telegram's methods. Pure: a [`Request`] is a method's name, its fields, and files beside them.
//!
//! Text goes out with explicit entities and never with a parse mode, so nothing that anybody wrote can become
//! markup on the way (law 12).
//!
//! Source: <https://core.telegram.org/bots/api#available-methods>, Bot API 10.1 (read 2026-11).

mod action;
mod keyboard;
mod media;
mod text;

use bytes::Bytes;
use omni_core::Error;
use omni_core::content::{ContactCard, Content, Location, Part};
use omni_core::error::{ErrorKind, Result};
use omni_core::event::ReplyTo;
use omni_core::outbound::OutboundItem;
use omni_core::{Address, ProviderMessageId};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

pub use action::{
    answer_button, delete, edit, edit_caption, get_file, get_me, get_updates, get_webhook_info, mark_read,
    react, set_webhook, typing, unset_webhook,
};

use crate::address::{ChatName, TelegramAddress};

/// A call of a method, ready to be sent as JSON, or as multipart when there are files.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method's name.
    pub method: &'static str,
    /// Its parameters.
    pub fields: Fields,
    /// Files to upload with it, named in the parameters as `attach://<name>` or by their own name.
    pub files: Vec<File>,
}

impl Request {
    fn new(method: &'static str) -> Self {
        Self { method, fields: Fields::default(), files: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: impl Into<Field>) -> Self {
        self.fields.0.push((name, value.into()));
        self
    }

    fn with_some(self, name: &'static str, value: Option<impl Into<Field>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// A nested value, serialised once for both forms.
    fn with_json(self, name: &'static str, value: &impl Serialize) -> Result<Self> {
        let json = serde_json::value::to_raw_value(value)
            .map_err(|e| Error::new(ErrorKind::Internal, self.method).with_text(e.to_string()))?;
        Ok(self.with(name, Field::Json(json)))
    }

    fn chat(self, chat: &ChatName) -> Self {
        match chat {
            ChatName::Id(id) => self.with("chat_id", *id),
            ChatName::Public(name) => self.with("chat_id", name.clone()),
        }
    }

    /// The chat and everything that stands beside it.
    fn to(self, address: &TelegramAddress) -> Self {
        self.with_some("business_connection_id", address.business.clone())
            .chat(&address.chat)
            .with_some("message_thread_id", address.thread)
            .with_some("direct_messages_topic_id", address.direct)
    }
}

/// Parameters of a method, in order. Serialises as a JSON object.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(&'static str, Field)>);

impl Fields {
    /// The parameters as text, for a multipart body: nested ones as JSON.
    pub fn into_texts(self) -> impl Iterator<Item = (&'static str, String)> {
        self.0.into_iter().map(|(name, field)| {
            let text = match field {
                Field::Flag(flag) => flag.to_string(),
                Field::Number(number) => number.to_string(),
                Field::Text(text) => text,
                Field::Json(json) => json.get().to_owned(),
            };
            (name, text)
        })
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(Some(self.0.len()))?;
        for (name, field) in &self.0 {
            match field {
                Field::Flag(flag) => map.serialize_entry(name, flag)?,
                Field::Number(number) => map.serialize_entry(name, number)?,
                Field::Text(text) => map.serialize_entry(name, text)?,
                Field::Json(json) => map.serialize_entry(name, json)?,
            }
        }
        map.end()
    }
}

/// One parameter.
#[derive(Clone, Debug)]
pub enum Field {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(i64),
    /// Text.
    Text(String),
    /// An object, a list, or a number with a fraction.
    Json(Box<RawValue>),
}

impl From<bool> for Field {
    fn from(flag: bool) -> Self {
        Field::Flag(flag)
    }
}

impl From<i64> for Field {
    fn from(number: i64) -> Self {
        Field::Number(number)
    }
}

impl From<u32> for Field {
    fn from(number: u32) -> Self {
        Field::Number(number.into())
    }
}

impl From<String> for Field {
    fn from(text: String) -> Self {
        Field::Text(text)
    }
}

impl From<&str> for Field {
    fn from(text: &str) -> Self {
        Field::Text(text.to_owned())
    }
}

/// A file to upload.
#[derive(Clone, Debug)]
pub struct File {
    /// The part's name.
    pub part: String,
    /// The file's name.
    pub name: String,
    /// Its media type.
    pub mime: Option<String>,
    /// Its bytes.
    pub bytes: Bytes,
}

/// The call that sends one planned item.
///
/// # Errors
/// - [`NotFound`](ErrorKind::NotFound) for an address that is not Telegram's;
/// - [`ContentRejected`](ErrorKind::ContentRejected) for what no method can carry, or not in one message;
/// - [`Unsupported`](ErrorKind::Unsupported) for kinds that the capabilities do not declare.
pub fn send(item: &OutboundItem) -> Result<Request> {
    let address = TelegramAddress::try_from(&item.address)?;
    let content = &item.content;
    let request = match content.parts.as_slice() {
        [] => text::message(content, &address)?,
        [Part::Media(media)] => media::one(media, content.text.as_ref(), &address)?,
        [Part::Location(place)] => location(place, content, &address)?,
        [Part::Contact(card)] => contact(card, content, &address)?,
        parts => media::album(parts, content, &address)?,
    };
    let request = reply(request, item.reply_to.as_ref())?;
    match &content.keyboard {
        Some(keyboard) => keyboard::attach(request, keyboard),
        None => Ok(request),
    }
}

/// <https://core.telegram.org/bots/api#replyparameters>. A message that is gone is no reason not to send.
fn reply(request: Request, reply: Option<&ReplyTo>) -> Result<Request> {
    #[derive(serde::Serialize)]
    struct ReplyParameters<'a> {
        message_id: i64,
        allow_sending_without_reply: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        quote: Option<&'a str>,
    }
    let Some(reply) = reply else { return Ok(request) };
    let message_id = number(request.method, &reply.message)?;
    // A longer quote, or one that is not in the message, would fail the whole send.
    let quote = reply.quote.as_deref().filter(|q| !q.is_empty() && omni_core::text::utf16_len(q) <= 1024);
    request.with_json(
        "reply_parameters",
        &ReplyParameters { message_id, allow_sending_without_reply: true, quote },
    )
}

/// <https://core.telegram.org/bots/api#sendlocation>, and `sendVenue` for a place with a name.
fn location(place: &Location, content: &Content, address: &TelegramAddress) -> Result<Request> {
    let method = if place.title.is_some() { "sendVenue" } else { "sendLocation" };
    alone(method, content)?;
    let request = Request::new(method)
        .to(address)
        .with_json("latitude", &place.latitude)?
        .with_json("longitude", &place.longitude)?;
    Ok(match &place.title {
        // A venue must have an address.
        Some(title) => {
            request.with("title", &**title).with("address", place.address.as_deref().unwrap_or(title))
        }
        None => request.with_some("live_period", place.live_seconds),
    })
}

/// <https://core.telegram.org/bots/api#sendcontact>
fn contact(card: &ContactCard, content: &Content, address: &TelegramAddress) -> Result<Request> {
    const METHOD: &str = "sendContact";
    /// In bytes.
    const VCARD: usize = 2048;
    alone(METHOD, content)?;
    let phone = card.phones.first().ok_or_else(|| refused(METHOD, "a card needs a phone number here"))?;
    let name = if card.name.trim().is_empty() { phone } else { &card.name };
    Ok(Request::new(METHOD)
        .to(address)
        .with("phone_number", &**phone)
        .with("first_name", &**name)
        .with_some("vcard", card.vcard.as_deref().filter(|vcard| vcard.len() <= VCARD)))
}

/// Refuses words beside something that has no caption: the plan sends them as a message of their own.
fn alone(method: &'static str, content: &Content) -> Result<()> {
    match content.plain_text() {
        Some(_) => {
            Err(refused(method, "words cannot stand beside this: send them as a message of their own"))
        }
        None => Ok(()),
    }
}

fn refused(operation: &'static str, text: &str) -> Error {
    Error::new(ErrorKind::ContentRejected, operation).with_text(text)
}

/// Message ids are numbers at Telegram.
fn number(operation: &'static str, id: &ProviderMessageId) -> Result<i64> {
    id.as_str()
        .parse()
        .map_err(|_| Error::new(ErrorKind::NotFound, operation).with_text("not a Telegram message id"))
}

/// The same item at another address of the same place: after a group became a supergroup. What it answers was
/// left behind in the old one.
pub fn moved(item: &OutboundItem, chat: i64) -> Result<OutboundItem> {
    let old = TelegramAddress::try_from(&item.address)?;
    let address = Address::from(&old.moved_to(chat));
    Ok(OutboundItem { address, reply_to: None, ..item.clone() })
}
