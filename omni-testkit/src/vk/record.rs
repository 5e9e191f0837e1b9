//! What a test reads back: messages, comments, events.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use super::{
    error::ApiError,
    keyboard,
    markup::{self, Shown},
};

/// Who wrote a message or a comment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Author {
    /// An administrator of the community, from VK itself.
    Admin(i64),
    /// The community, through the API.
    Api,
    /// A person.
    Person(i64),
}

/// One message of a talk, with what became of it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The chat.
    pub peer_id: i64,
    /// Number within the chat: `conversation_message_id`.
    pub cmid: i64,
    /// Number among the community's private messages; 0 in chats.
    pub id: i64,
    /// Who wrote it.
    pub author: Author,
    /// The message as the API shows it.
    pub json: Value,
    /// Files among its attachments, in their order.
    pub files: Vec<SentFile>,
    /// Keyboard that came with it.
    pub keyboard: Option<Value>,
    /// Carousel that came with it.
    pub template: Option<Value>,
    /// Reactions by who put them: people by their ids, the community by its negative one.
    pub reactions: BTreeMap<i64, i64>,
    /// How often it was edited.
    pub edits: u32,
    /// It was deleted; the content stays readable here.
    pub deleted: bool,
    /// The other side has read it.
    pub read: bool,
}

impl Entry {
    /// The text, as it was sent.
    #[must_use]
    pub fn text(&self) -> &str {
        self.json.get("text").and_then(Value::as_str).unwrap_or_default()
    }

    /// The text as VK's apps show it: `[id1|Иван]` has become a link with the words "Иван".
    #[must_use]
    pub fn shown(&self) -> Shown {
        markup::shown(self.text())
    }

    /// Whether the community wrote it, by API or by an administrator.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        !matches!(self.author, Author::Person(_))
    }

    /// Attachments as the API shows them.
    #[must_use]
    pub fn attachments(&self) -> &[Value] {
        self.json.get("attachments").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    /// The first attachment of this kind.
    #[must_use]
    pub fn attachment(&self, kind: &str) -> Option<&Value> {
        self.attachments().iter().find(|a| a.get("type").and_then(Value::as_str) == Some(kind))?.get(kind)
    }

    /// The number of the message it answers.
    #[must_use]
    pub fn reply_to(&self) -> Option<i64> {
        self.json.get("reply_message")?.get("conversation_message_id")?.as_i64()
    }

    /// Latitude and longitude of a place it shows.
    #[must_use]
    pub fn place(&self) -> Option<(f64, f64)> {
        let at = self.json.get("geo")?.get("coordinates")?;
        Some((at.get("latitude")?.as_f64()?, at.get("longitude")?.as_f64()?))
    }

    /// Keys of its keyboard and of its carousel, in reading order.
    #[must_use]
    pub fn keys(&self) -> Vec<Key> {
        let mut keys = self.keyboard.as_ref().map(keyboard::keys).unwrap_or_default();
        keys.extend(self.template.as_ref().map(keyboard::keys_of_carousel).unwrap_or_default());
        keys
    }

    /// Whether its keyboard stands under it, and not in place of the person's own.
    #[must_use]
    pub fn has_inline_keyboard(&self) -> bool {
        self.keyboard.as_ref().is_some_and(keyboard::is_inline)
    }
}

/// A file of a message, as it was uploaded.
#[derive(Clone, Debug)]
pub struct SentFile {
    /// `photo`, `doc`, `audio_message` or `graffiti`.
    pub kind: &'static str,
    /// Name or title.
    pub name: String,
    /// The bytes.
    pub bytes: Bytes,
}

/// What a press of a key does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyKind {
    /// Tells the community, without a message.
    Callback,
    /// Sends the person's place.
    Location,
    /// Opens a mini app.
    OpenApp,
    /// Opens a page.
    OpenLink,
    /// Says the label.
    Text,
    /// Pays.
    VkPay,
}

/// A key as a person sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// What it does.
    pub kind: KeyKind,
    /// What is written on it.
    pub label: String,
    /// What it carries, as a JSON string.
    pub payload: Option<String>,
    /// The page it opens.
    pub link: Option<String>,
    /// Its color, where it has one.
    pub color: Option<String>,
}

/// One comment.
#[derive(Clone, Debug)]
pub struct Comment {
    /// Its id.
    pub id: i64,
    /// Who wrote it.
    pub author: Author,
    /// The comment as events show it.
    pub json: Value,
    /// The comment it answers.
    pub reply_to: Option<i64>,
    /// Files among its attachments, in their order.
    pub files: Vec<SentFile>,
    /// How often it was edited.
    pub edits: u32,
    /// It was deleted.
    pub deleted: bool,
}

impl Comment {
    /// The text, as it was sent.
    #[must_use]
    pub fn text(&self) -> &str {
        self.json.get("text").and_then(Value::as_str).unwrap_or_default()
    }

    /// The text as VK's apps show it.
    #[must_use]
    pub fn shown(&self) -> Shown {
        markup::shown(self.text())
    }
}

/// One call of a method.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method.
    pub method: String,
    /// Its parameters, without the token.
    pub params: BTreeMap<String, String>,
    /// It came inside `execute`.
    pub is_in_script: bool,
    /// The refusal, if it was refused.
    pub error: Option<ApiError>,
}

impl Call {
    /// A parameter; empty when it was left out.
    #[must_use]
    pub fn param(&self, name: &str) -> &str {
        self.params.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// An event that was made, whether somebody had asked for it or not.
#[derive(Clone, Debug)]
pub struct EventRecord {
    /// `event_id` of the envelope.
    pub event_id: String,
    /// `type` of the envelope.
    pub kind: String,
    /// The object, in the newest form.
    pub object: Value,
}

/// A pressed callback key.
#[derive(Clone, Debug)]
pub struct Press {
    /// `object.event_id`: the ticket with which it is answered.
    pub ticket: String,
    /// Who pressed.
    pub user_id: i64,
    /// In which chat.
    pub peer_id: i64,
    /// When, in seconds since 1970.
    pub at: i64,
    /// What was answered: `event_data`, null when it was left out.
    pub answer: Option<Value>,
}

/// What came of a message: its numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Said {
    /// The chat.
    pub peer_id: i64,
    /// `conversation_message_id`.
    pub cmid: i64,
    /// `id`; 0 in chats.
    pub id: i64,
}
