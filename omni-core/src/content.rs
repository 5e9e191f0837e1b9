//! What is said: one form for all providers, inbound and outbound.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::is_default;
use crate::media::{Media, MediaKind, MediaSource};
use crate::text::Text;

/// What a message says: text, parts beside it, and keys to press.
///
/// One message may hold several parts (an album, an e-mail with attachments, a VK message with pictures and a
/// place); [`plan`](crate::plan::plan) tells how a channel will send that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Content {
    /// The words; beside media they are its caption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
    /// Everything that is not words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// Keys under the message or in place of the keyboard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyboard: Option<Keyboard>,
}

/// Something in a message that is not its words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "part", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Part {
    /// A file of any kind. Several of them are an album.
    Media(Media),
    /// A place.
    Location(Location),
    /// A person's card.
    Contact(ContactCard),
    /// An advert, goods, a post: what the talk is about.
    Item(Item),
    /// A text approved beforehand by the provider, with its parameters.
    Template(Template),
    /// What only an e-mail has.
    Email(EmailParts),
    /// Messages handed on.
    Forwarded {
        /// Who wrote them first, where told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// What they said.
        contents: Vec<Content>,
    },
    /// Something we have no word for; the event keeps the raw form.
    Unsupported {
        /// The provider's name of it.
        what: String,
    },
}

impl Eq for Part {}

/// A place on earth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Name of the place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Street address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// For how many seconds the place will follow its sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_seconds: Option<u32>,
}

/// A person's card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContactCard {
    /// Name to show.
    pub name: String,
    /// Phone numbers, as given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<String>,
    /// E-mail addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
    /// The whole vCard, where given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vcard: Option<String>,
    /// Whose card the provider proves it to be.
    #[serde(default, skip_serializing_if = "is_default")]
    pub belongs_to: CardOwner,
}

/// Whose card it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CardOwner {
    /// Not told: anybody's.
    #[default]
    Unproved,
    /// The provider proves that it is the sender's own.
    Sender,
}

/// What a talk is about: an advert, goods, a post.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// The provider's id of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its price as text with currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<String>,
    /// Its page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    /// Its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Url>,
}

/// A text approved beforehand by the provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Template {
    /// The provider's name of it.
    pub name: String,
    /// Language, as the provider names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Values of its variables, by name or by number from 1.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
}

/// What only an e-mail has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmailParts {
    /// Subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Cleaned HTML form of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// Further visible recipients.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cc: Vec<String>,
    /// Hidden recipients.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bcc: Vec<String>,
    /// The quoted mail that was cut off the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoted: Option<String>,
    /// The signature that was cut off the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// Keys to press, row by row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Keyboard {
    /// Where the keys are.
    #[serde(default)]
    pub place: KeyboardPlace,
    /// The rows.
    pub rows: Vec<Vec<Button>>,
}

/// Where keys are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeyboardPlace {
    /// Under the message.
    #[default]
    Message,
    /// In place of the person's keyboard, until pressed once: quick replies.
    QuickReplies,
    /// In place of the person's keyboard, to stay.
    Menu,
    /// Takes a menu away.
    Remove,
}

/// One key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Button {
    /// What is written on it.
    pub label: String,
    /// What pressing it does.
    #[serde(flatten)]
    pub action: ButtonAction,
}

/// What pressing a [`Button`] does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ButtonAction {
    /// Tells us `data` with an event of kind button; falls back to numbered text.
    Press {
        /// What we are told.
        data: String,
    },
    /// Writes the label as the person's message.
    Say,
    /// Opens a page.
    Open {
        /// The page.
        url: Url,
    },
    /// Asks the person for their phone number.
    SharePhone,
    /// Asks the person for their place.
    ShareLocation,
}

impl Button {
    /// A key that tells us `data`.
    pub fn press(label: impl Into<String>, data: impl Into<String>) -> Self {
        Self { label: label.into(), action: ButtonAction::Press { data: data.into() } }
    }

    /// A key that writes its label.
    pub fn say(label: impl Into<String>) -> Self {
        Self { label: label.into(), action: ButtonAction::Say }
    }

    /// A key that opens a page.
    pub fn open(label: impl Into<String>, url: Url) -> Self {
        Self { label: label.into(), action: ButtonAction::Open { url } }
    }
}

/// What a channel's abilities are asked about: see [`Capabilities::content`](crate::Capabilities).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ContentKind {
    /// Words.
    Text,
    /// A picture.
    Image,
    /// A film.
    Video,
    /// A short silent film.
    Animation,
    /// A round film.
    VideoNote,
    /// Music.
    Audio,
    /// Recorded speech.
    Voice,
    /// A file.
    File,
    /// A sticker.
    Sticker,
    /// Several media in one message.
    Album,
    /// A place.
    Location,
    /// A person's card.
    Contact,
    /// An advert or goods.
    Item,
    /// A text approved beforehand.
    Template,
    /// Subject, HTML and the like.
    Email,
    /// Messages handed on.
    Forwarded,
    /// Keys under the message.
    Buttons,
    /// Keys in place of the keyboard.
    QuickReplies,
    /// An answer to a certain message.
    Reply,
}

impl From<MediaKind> for ContentKind {
    fn from(kind: MediaKind) -> Self {
        match kind {
            MediaKind::Image => ContentKind::Image,
            MediaKind::Video => ContentKind::Video,
            MediaKind::Animation => ContentKind::Animation,
            MediaKind::VideoNote => ContentKind::VideoNote,
            MediaKind::Audio => ContentKind::Audio,
            MediaKind::Voice => ContentKind::Voice,
            MediaKind::File => ContentKind::File,
            MediaKind::Sticker => ContentKind::Sticker,
        }
    }
}

impl Content {
    /// Words alone.
    pub fn text(text: impl Into<Text>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    /// One part alone.
    pub fn part(part: Part) -> Self {
        Self { parts: vec![part], ..Self::default() }
    }

    /// One file alone.
    pub fn media(media: Media) -> Self {
        Self::part(Part::Media(media))
    }

    /// The same with one more part.
    #[must_use]
    pub fn and(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// The same with keys under the message, one a row.
    #[must_use]
    pub fn buttons(mut self, buttons: impl IntoIterator<Item = Button>) -> Self {
        let rows = buttons.into_iter().map(|b| vec![b]).collect();
        self.keyboard = Some(Keyboard { place: KeyboardPlace::Message, rows });
        self
    }

    /// The words, or nothing.
    pub fn plain_text(&self) -> Option<&str> {
        self.text.as_ref().map(|t| t.plain.as_str()).filter(|t| !t.is_empty())
    }

    /// Whether it says nothing at all.
    pub fn is_empty(&self) -> bool {
        self.plain_text().is_none() && self.parts.is_empty()
    }

    /// The files in it.
    pub fn all_media(&self) -> impl Iterator<Item = &Media> {
        self.parts.iter().filter_map(|part| match part {
            Part::Media(media) => Some(media),
            _ => None,
        })
    }

    /// The files in it, to change.
    pub fn all_media_mut(&mut self) -> impl Iterator<Item = &mut Media> {
        self.parts.iter_mut().filter_map(|part| match part {
            Part::Media(media) => Some(media),
            _ => None,
        })
    }

    /// Whether a file's bytes are in memory, so that the hub must store them first.
    pub fn holds_bytes(&self) -> bool {
        self.all_media().any(|m| matches!(m.source, MediaSource::Bytes { .. }))
    }

    /// A line to show in a list: the words, or the name of the first part.
    pub fn preview(&self) -> String {
        if let Some(text) = self.plain_text() {
            return text.chars().take(120).map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        }
        match self.parts.first() {
            Some(Part::Media(m)) => m.name.clone().unwrap_or_else(|| format!("[{}]", snake(m.kind))),
            Some(Part::Location(_)) => "[location]".to_owned(),
            Some(Part::Contact(card)) => format!("[contact] {}", card.name),
            Some(Part::Item(item)) => item.title.clone().unwrap_or_else(|| "[item]".to_owned()),
            Some(Part::Template(t)) => format!("[template] {}", t.name),
            Some(Part::Email(mail)) => mail.subject.clone().unwrap_or_else(|| "[e-mail]".to_owned()),
            Some(Part::Forwarded { .. }) => "[forwarded]".to_owned(),
            Some(Part::Unsupported { what }) => format!("[{what}]"),
            None => String::new(),
        }
    }
}

fn snake(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Video => "video",
        MediaKind::Animation => "animation",
        MediaKind::VideoNote => "video note",
        MediaKind::Audio => "audio",
        MediaKind::Voice => "voice",
        MediaKind::File => "file",
        MediaKind::Sticker => "sticker",
    }
}
