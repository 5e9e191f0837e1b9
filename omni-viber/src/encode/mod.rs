//! From content to Viber's calls. Pure: a [`Request`] is a method's name and its body.
//!
//! Words that Viber has no place for beside a file go behind it as a message of their own, so one item may
//! become two calls.
//!
//! Source: <https://developers.viber.com/docs/api/rest-bot-api/#send-message> and
//! <https://github.com/Viber/creators-hub/blob/main/docs/bots-api/data-models/message.md> (read 2026-11).

mod card;
mod keyboard;
mod media;

use http::{HeaderMap, HeaderValue, header};
use omni_core::content::{ContactCard, Content, Item, Location, Part};
use omni_core::error::{ErrorKind, Result};
use omni_core::outbound::{Face, OutboundItem};
use omni_core::webhook::Answer;
use omni_core::{Address, Error, Text};
use serde::Serialize;
use url::Url;

pub use keyboard::PRESS;
pub use media::needs_size;

use crate::address;
use crate::broadcast::MOST_RECEIVERS;
use crate::capabilities::{CAPTION, CARD_NAME, CARD_PHONE, REQUEST, SENDER_NAME, TEXT, UNIT};
use crate::wire::{self, Body, ContactOut, LocationOut, Outgoing, SetWebhook};

/// What events to ask for; `message`, `subscribed` and `unsubscribed` come in any case.
/// <https://developers.viber.com/docs/api/rest-bot-api/#setting-a-webhook> (read 2026-11)
pub const EVENT_TYPES: [&str; 6] =
    ["delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started"];

/// What the welcome carries, and the answer to it brings back.
pub const WELCOME: &str = "welcome";

/// A call of a method, ready to be sent as JSON.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method's name.
    pub method: &'static str,
    /// What it says.
    pub body: Outgoing,
}

/// In whose name messages go out that have no face of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speaker {
    /// Name to show.
    pub name: String,
    /// Picture to show.
    pub avatar: Option<Url>,
}

impl Speaker {
    fn face(&self, face: Option<&Face>) -> wire::Face {
        let (name, avatar) = match face {
            Some(face) if !face.name.trim().is_empty() => (&face.name, face.avatar.as_ref()),
            _ => (&self.name, self.avatar.as_ref()),
        };
        wire::Face { name: cut(name, SENDER_NAME), avatar: avatar.map(Url::to_string) }
    }
}

/// The calls that send one planned item, in order.
///
/// # Errors
/// - [`NotFound`](ErrorKind::NotFound) for an address that is not Viber's;
/// - [`ContentRejected`](ErrorKind::ContentRejected) and [`TooLarge`](ErrorKind::TooLarge) for what Viber
///   refuses;
/// - [`Unsupported`](ErrorKind::Unsupported) for what the capabilities do not declare: answers to a certain
///   message, several files in one message, files in memory.
pub fn send(item: &OutboundItem, speaker: &Speaker) -> Result<Vec<Request>> {
    const METHOD: &str = "send_message";
    let receiver = address::person(METHOD, &item.address)?;
    if item.reply_to.is_some() {
        return Err(Error::unsupported(METHOD).with_text("a message cannot answer a certain other one here"));
    }
    let sender = speaker.face(item.face.as_ref());
    messages(METHOD, &item.content, &sender)?
        .into_iter()
        .map(|message| sized(METHOD, Outgoing { receiver: Some(receiver.clone()), ..message }))
        .collect()
}

/// The call that sends one message to many.
///
/// # Errors
/// As [`send`], and for no receivers, more than [`MOST_RECEIVERS`], or content that takes two messages.
pub fn broadcast(
    to: &[Address],
    content: &Content,
    face: Option<&Face>,
    speaker: &Speaker,
) -> Result<Request> {
    const METHOD: &str = "broadcast_message";
    if to.is_empty() || to.len() > MOST_RECEIVERS {
        return Err(refused(METHOD, "a broadcast goes to 1 to 300 people").with("people", to.len()));
    }
    let broadcast_list = to.iter().map(|to| address::person(METHOD, to)).collect::<Result<Vec<_>>>()?;
    let mut messages = messages(METHOD, content, &speaker.face(face))?;
    match (messages.pop(), messages.is_empty()) {
        (Some(message), true) => sized(METHOD, Outgoing { broadcast_list, ..message }),
        _ => Err(refused(METHOD, "words cannot stand beside this: send them as a broadcast of their own")),
    }
}

/// The answer to an opened chat: the one message that somebody may be shown who has not written yet.
/// <https://developers.viber.com/docs/api/rest-bot-api/#sending-a-welcome-message> (read 2026-11)
pub fn welcome(text: &str, speaker: &Speaker) -> Answer {
    let body = Body::Text { text: text.to_owned() };
    let message = Outgoing { tracking_data: Some(WELCOME.to_owned()), ..message(body, speaker.face(None)) };
    // Strings and numbers alone: there is nothing in it that could fail.
    let body = serde_json::to_vec(&message).unwrap_or_default();
    let json = HeaderValue::from_static("application/json");
    Answer {
        headers: HeaderMap::from_iter([(header::CONTENT_TYPE, json)]),
        body: body.into(),
        ..Answer::ok()
    }
}

/// Registers a webhook for every event, with names and pictures.
pub fn set_webhook(url: &Url) -> SetWebhook<'_> {
    SetWebhook { url: url.as_str(), event_types: &EVENT_TYPES, send_name: Some(true), send_photo: Some(true) }
}

/// Takes the registration back.
pub fn unset_webhook() -> SetWebhook<'static> {
    SetWebhook { url: "", event_types: &[], send_name: None, send_photo: None }
}

/// The messages that content becomes: the words last, when there is no place for them beside the rest.
fn messages(method: &'static str, content: &Content, sender: &wire::Face) -> Result<Vec<Outgoing>> {
    let (body, left) = body(method, content)?;
    let behind = left.map(|words| text(method, words)).transpose()?;
    let mut messages: Vec<Outgoing> =
        body.into_iter().chain(behind).map(|body| message(body, sender.clone())).collect();
    let Some(last) = messages.last_mut() else { return Err(refused(method, "there is nothing to send")) };
    // A keyboard is taken away by the next message without one.
    if let Some(keyboard) = &content.keyboard {
        keyboard::attach(method, last, keyboard)?;
    }
    Ok(messages)
}

/// What content is as one message, and the words that found no place in it.
fn body<'a>(method: &'static str, content: &'a Content) -> Result<(Option<Body>, Option<&'a Text>)> {
    let words = content.text.as_ref().filter(|text| !text.is_empty());
    let body = match content.parts.as_slice() {
        [] => return Ok((None, words)),
        [Part::Media(file)] => {
            return media::body(method, file, words).map(|(body, left)| (Some(body), left));
        }
        [Part::Location(place)] => location(method, place)?,
        [Part::Contact(card)] => contact(method, card)?,
        [Part::Item(_), ..] => card::body(method, &items(method, &content.parts)?)?,
        _ => return Err(Error::unsupported(method)),
    };
    Ok((Some(body), words))
}

fn items<'a>(method: &'static str, parts: &'a [Part]) -> Result<Vec<&'a Item>> {
    let item = |part: &'a Part| match part {
        Part::Item(item) => Ok(item),
        _ => Err(Error::unsupported(method)),
    };
    parts.iter().map(item).collect()
}

fn message(body: Body, sender: wire::Face) -> Outgoing {
    let min_api_version = match body {
        Body::RichMedia { .. } => card::LEVEL,
        _ => 1,
    };
    Outgoing {
        receiver: None,
        broadcast_list: Vec::new(),
        min_api_version,
        sender,
        tracking_data: None,
        body,
        keyboard: None,
    }
}

fn text(method: &'static str, words: &Text) -> Result<Body> {
    match UNIT.measure(&words.plain) {
        length if length <= TEXT as usize => Ok(Body::Text { text: words.plain.clone() }),
        length => Err(too_large(method, "the text is too long", length, TEXT as usize)),
    }
}

/// Words beside a picture or film.
fn caption(method: &'static str, words: &Text) -> Result<String> {
    match UNIT.measure(&words.plain) {
        length if length <= CAPTION as usize => Ok(words.plain.clone()),
        length => Err(too_large(method, "the caption is too long", length, CAPTION as usize)),
    }
}

/// Names of a place have no field here.
fn location(method: &'static str, place: &Location) -> Result<Body> {
    let on_earth = (-90.0..=90.0).contains(&place.latitude) && (-180.0..=180.0).contains(&place.longitude);
    if !on_earth {
        return Err(refused(method, "there is no such place on earth"));
    }
    Ok(Body::Location { location: LocationOut { lat: place.latitude, lon: place.longitude } })
}

fn contact(method: &'static str, card: &ContactCard) -> Result<Body> {
    let phone = card.phones.first().ok_or_else(|| refused(method, "a card needs a phone number here"))?;
    // Blanks, brackets and the like make the send fail.
    let phone: String = phone.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    if phone.is_empty() || phone.len() > CARD_PHONE as usize {
        return Err(refused(method, "the phone number of a card must have 1 to 18 digits"));
    }
    let name = if card.name.trim().is_empty() { phone.clone() } else { cut(&card.name, CARD_NAME) };
    Ok(Body::Contact { contact: ContactOut { name, phone_number: phone } })
}

/// Nothing is sent that Viber would refuse for its size.
fn sized(method: &'static str, body: Outgoing) -> Result<Request> {
    let bytes = length(method, &body)?;
    if bytes > REQUEST {
        return Err(too_large(method, "the message with its keys is too large", bytes, REQUEST));
    }
    Ok(Request { method, body })
}

fn length(method: &'static str, body: &impl Serialize) -> Result<usize> {
    let json = serde_json::to_vec(body)
        .map_err(|e| Error::new(ErrorKind::Internal, method).with_text(e.to_string()))?;
    Ok(json.len())
}

fn refused(method: &'static str, text: &str) -> Error {
    Error::new(ErrorKind::ContentRejected, method).with_text(text)
}

fn too_large(method: &'static str, text: &str, found: usize, max: usize) -> Error {
    Error::new(ErrorKind::TooLarge, method).with_text(text).with("length", found).with("limit", max)
}

/// The beginning of a text, never tearing what a person sees as one sign.
fn cut(text: &str, max: u32) -> String {
    let pieces = Text::plain(text.trim()).split(max as usize, UNIT);
    pieces.into_iter().next().unwrap_or_default().plain
}
