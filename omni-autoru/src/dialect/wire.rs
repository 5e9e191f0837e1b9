//! The dialect's JSON, exactly as on the wire. Inbound it borrows from the body where it can.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::wire::{Id, Str};

/// From the client to us.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Incoming<'a> {
    /// Who writes.
    #[serde(borrow)]
    pub sender: Sender<'a>,
    /// What.
    #[serde(borrow)]
    pub message: Message<'a>,
}

/// The same, as far as it can be read when it cannot be read whole.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Outline<'a> {
    /// Who writes.
    #[serde(borrow, default)]
    pub sender: Option<&'a RawValue>,
    /// What.
    #[serde(borrow, default)]
    pub message: Option<&'a RawValue>,
}

/// What names a thing, as far as it can be read.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Name<'a> {
    /// Its id.
    #[serde(borrow, default)]
    pub id: Option<&'a RawValue>,
    /// Its type.
    #[serde(borrow, default, rename = "type")]
    pub kind: Option<&'a RawValue>,
}

/// Who writes, and what about.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Sender<'a> {
    /// The person's id, which answers are addressed to.
    #[serde(borrow)]
    pub id: Id<'a>,
    /// Name.
    #[serde(borrow, default)]
    pub name: Option<Str<'a>>,
    /// A picture; at Auto.ru it is the car's.
    #[serde(borrow, default)]
    pub photo: Option<Str<'a>>,
    /// The page the talk began on; at Auto.ru the advert.
    #[serde(borrow, default)]
    pub url: Option<Str<'a>>,
    /// Title of the talk; at Auto.ru car and price. Jivo has none.
    #[serde(borrow, default)]
    pub title: Option<Str<'a>>,
    /// Phone; seen at Jivo (community).
    #[serde(borrow, default)]
    pub phone: Option<Str<'a>>,
    /// E-mail; seen at Jivo (community).
    #[serde(borrow, default)]
    pub email: Option<Str<'a>>,
    /// The words that invited the person; seen at Jivo (community).
    #[serde(borrow, default)]
    pub invite: Option<Str<'a>>,
}

/// A message of a client.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Message<'a> {
    /// What it is.
    #[serde(borrow, rename = "type")]
    pub kind: Kind<'a>,
    /// Its id; a repeat has the same.
    #[serde(borrow)]
    pub id: Id<'a>,
    /// Words.
    #[serde(borrow, default)]
    pub text: Option<Str<'a>>,
    /// Where the file is.
    #[serde(borrow, default)]
    pub file: Option<Str<'a>>,
    /// Where its small picture is.
    #[serde(borrow, default)]
    pub thumb: Option<Str<'a>>,
    /// Name of the file; Jivo's.
    #[serde(borrow, default)]
    pub file_name: Option<Str<'a>>,
    /// Media type of the file; Jivo's.
    #[serde(borrow, default)]
    pub mime_type: Option<Str<'a>>,
    /// Bytes of the file; Jivo's.
    #[serde(default)]
    pub file_size: Option<u64>,
    /// Degrees north; Jivo's.
    #[serde(default)]
    pub latitude: Option<f64>,
    /// Degrees east; Jivo's.
    #[serde(default)]
    pub longitude: Option<f64>,
}

/// What a message is. Auto.ru sends `text` and `photo`; the others are Jivo's, partly unverified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// Words.
    Text,
    /// A picture.
    Photo,
    /// A file.
    Document,
    /// A film.
    Video,
    /// A sound.
    Audio,
    /// A sticker.
    Sticker,
    /// A place.
    Location,
    /// The person begins to write.
    TypeIn,
    /// The person has stopped writing.
    TypeOut,
    /// The person has seen our messages.
    Seen,
    /// A mark given to the talk.
    Rate,
    /// The talk begins.
    Start,
    /// The talk ends.
    Stop,
    /// Keys.
    Keyboard,
    /// Something newer.
    Other(Str<'a>),
}

impl Kind<'_> {
    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Kind::Text => "text",
            Kind::Photo => "photo",
            Kind::Document => "document",
            Kind::Video => "video",
            Kind::Audio => "audio",
            Kind::Sticker => "sticker",
            Kind::Location => "location",
            Kind::TypeIn => "typein",
            Kind::TypeOut => "typeout",
            Kind::Seen => "seen",
            Kind::Rate => "rate",
            Kind::Start => "start",
            Kind::Stop => "stop",
            Kind::Keyboard => "keyboard",
            Kind::Other(name) => name,
        }
    }
}

impl Default for Kind<'_> {
    fn default() -> Self {
        Kind::Other(Str::default())
    }
}

impl<'a> From<Str<'a>> for Kind<'a> {
    fn from(name: Str<'a>) -> Self {
        match &*name {
            "text" => Kind::Text,
            "photo" => Kind::Photo,
            "document" => Kind::Document,
            "video" => Kind::Video,
            "audio" => Kind::Audio,
            "sticker" => Kind::Sticker,
            "location" => Kind::Location,
            "typein" => Kind::TypeIn,
            "typeout" => Kind::TypeOut,
            "seen" => Kind::Seen,
            "rate" => Kind::Rate,
            "start" => Kind::Start,
            "stop" => Kind::Stop,
            "keyboard" => Kind::Keyboard,
            _ => Kind::Other(name),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Kind<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Str::deserialize(d).map(Kind::from)
    }
}

impl Serialize for Kind<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

/// From us to the client.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outgoing {
    /// Who answers.
    pub sender: Agent,
    /// Whom.
    pub recipient: Recipient,
    /// What.
    pub message: Said,
}

/// The person who answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Agent {
    /// Name to show.
    pub name: String,
    /// Address of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photo: Option<String>,
    /// E-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// Whom a message is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recipient {
    /// The [`Sender::id`] that came in.
    pub id: String,
}

/// A message of ours.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Said {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: Kind<'static>,
    /// Our id; a repeat with the same is ignored.
    pub id: String,
    /// Words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Where the file is: an address that anybody can open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Name of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// Media type of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Bytes of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_size: Option<u64>,
    /// Degrees north.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latitude: Option<f64>,
    /// Degrees east.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longitude: Option<f64>,
}

impl Said {
    /// A message that says nothing but what it is.
    pub fn new(kind: Kind<'static>, id: impl Into<String>) -> Self {
        let (text, file, file_name, mime_type) = Default::default();
        let (file_size, latitude, longitude) = Default::default();
        Self { kind, id: id.into(), text, file, file_name, mime_type, file_size, latitude, longitude }
    }
}
