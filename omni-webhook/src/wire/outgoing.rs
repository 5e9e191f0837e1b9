//! What the program is told.

use std::borrow::Cow;

use omni_core::content::{ContactCard, Item, Keyboard, Location};
use omni_core::event::ReplyTo;
use omni_core::media::MediaKind;
use omni_core::outbound::Author;
use omni_core::text::Entity;
use omni_core::{MessageId, ProviderMessageId};
use schemars::JsonSchema;
use serde::Serialize;
use url::Url;

/// One request to the program.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request<'a> {
    /// Show a message to the customer.
    Message(MessageOut<'a>),
    /// Change a message of ours. The same content again is a success.
    Edit(Edit<'a>),
    /// Take a message of ours back. One that is gone already is a success.
    Delete(Delete<'a>),
    /// Put these signs on a message in place of all signs of ours; none takes them off.
    React(React<'a>),
    /// Show everything up to a message as seen by us.
    MarkRead(MarkRead<'a>),
    /// Show for some seconds that somebody of ours is writing.
    Typing(Typing<'a>),
    /// End the wait of a customer who pressed a key. Too late is a success.
    AnswerButton(AnswerButton<'a>),
    /// Say that the program is there and the keys are right.
    Ping {},
}

/// A message of ours.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MessageOut<'a> {
    /// Our id of it, the same in every repetition and in `X-Omni-Delivery`.
    pub id: MessageId,
    /// Where to.
    pub address: Cow<'a, str>,
    /// What it says.
    #[serde(flatten)]
    pub content: ContentOut<'a>,
    /// What it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<&'a ReplyTo>,
    /// In whose name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub face: Option<FaceOut<'a>>,
    /// Whether a person or a program wrote it.
    pub author: Author,
}

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct ContentOut<'a> {
    /// The words; beside files their caption.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<&'a str>,
    /// Ranges of the words that mean more, in UTF-16 units. Only where `markup` is `entities`.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schemars(default)]
    pub entities: &'a [Entity],
    /// Files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub media: Vec<MediaOut<'a>>,
    /// A place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<&'a Location>,
    /// A person's card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<&'a ContactCard>,
    /// Adverts or goods.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub items: Vec<&'a Item>,
    /// Keys to press.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyboard: Option<&'a Keyboard>,
}

/// A file of ours: at an address, or here.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MediaOut<'a> {
    /// What it is.
    pub kind: MediaKind,
    /// Where it is, when it is not here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    /// The bytes in Base64 with the usual alphabet and padding, when it is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// File name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// Media type, as claimed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime: Option<&'a str>,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Pixels across.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Playing time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
    /// The emoji a sticker stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emoji: Option<&'a str>,
    /// Title or performer of music.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<&'a str>,
}

/// In whose name a message goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FaceOut<'a> {
    /// Name to show.
    pub name: &'a str,
    /// Picture to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<&'a Url>,
}

/// Another content for a message of ours.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Edit<'a> {
    /// Where.
    pub address: Cow<'a, str>,
    /// Which message.
    pub message: &'a ProviderMessageId,
    /// What it says from now on.
    #[serde(flatten)]
    pub content: ContentOut<'a>,
}

/// A message of ours that goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Delete<'a> {
    /// Where.
    pub address: Cow<'a, str>,
    /// Which message.
    pub message: &'a ProviderMessageId,
}

/// Signs on a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct React<'a> {
    /// Where.
    pub address: Cow<'a, str>,
    /// Which message.
    pub message: &'a ProviderMessageId,
    /// All signs of ours on it from now on.
    pub signs: &'a [String],
}

/// Seen by us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MarkRead<'a> {
    /// Where.
    pub address: Cow<'a, str>,
    /// Up to which message.
    pub message: &'a ProviderMessageId,
}

/// Somebody of ours is writing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Typing<'a> {
    /// Where.
    pub address: Cow<'a, str>,
}

/// The answer to a pressed key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AnswerButton<'a> {
    /// The `ticket` of the event.
    pub ticket: &'a str,
    /// What to show to the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<&'a str>,
}
