//! What the program tells.

use omni_core::content::{ContactCard, Item, Location};
use omni_core::event::{Chat, Origin, ReplyTo};
use omni_core::link::Referral;
use omni_core::media::MediaKind;
use omni_core::text::Entity;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use super::{Id, Reason, Str};

/// The body of a webhook.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Delivery<'a> {
    /// What happened, in order; at most 100.
    #[serde(borrow)]
    #[schemars(with = "Vec<Event<'static>>", length(max = 100))]
    pub events: Vec<&'a RawValue>,
}

/// One event: what all of them have, and what its kind has.
///
/// It is never made: it joins its parts for the schema. The parser reads each part by itself, so that a broken one costs
/// no other.
#[derive(Debug, JsonSchema)]
#[schemars(description = "One event: what all of them have, and what its kind has.")]
pub struct Event<'a> {
    /// What all have.
    #[serde(flatten)]
    pub envelope: Envelope<'a>,
    /// What its kind has.
    #[serde(flatten)]
    pub body: Body<'a>,
}

/// What all events have. Nothing here fails: an event that is broken elsewhere is still known by it.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
pub struct Envelope<'a> {
    /// The program's id of the event. The same event told again has the same id, and changes nothing.
    #[serde(borrow)]
    #[schemars(with = "Id<'static>", required)]
    pub id: Option<&'a RawValue>,
    /// Its kind.
    #[serde(borrow, rename = "type")]
    #[schemars(skip)]
    pub kind: Option<&'a RawValue>,
    /// Where it happened.
    #[serde(borrow)]
    #[schemars(skip)]
    pub address: Option<&'a RawValue>,
    /// When it happened, in milliseconds since 1970-01-01T00:00:00Z.
    #[serde(borrow)]
    #[schemars(with = "Option<i64>")]
    pub at: Option<&'a RawValue>,
    /// `history` for what is told afterwards: nothing answers it by itself.
    #[serde(borrow)]
    #[schemars(with = "Option<omni_core::event::Told>")]
    pub told: Option<&'a RawValue>,
}

/// What a kind of event has.
#[derive(Debug, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant)] // never made: see `Event`
pub enum Body<'a> {
    /// A customer wrote.
    Message(Worded<'a, MessageEvent<'a>>),
    /// Somebody of the business answered in the program itself.
    Echo(Worded<'a, EchoEvent<'a>>),
    /// A customer changed a message of theirs.
    Edited(Worded<'a, EditedEvent<'a>>),
    /// Messages were taken back.
    Deleted(DeletedEvent<'a>),
    /// A customer put signs on a message, or took them off.
    Reaction(ReactionEvent<'a>),
    /// News of a message of ours.
    Status(StatusEvent<'a>),
    /// A customer pressed a key.
    Button(ButtonEvent<'a>),
    /// A customer opened the chat without a word.
    Started(StartedEvent<'a>),
    /// A customer lets us write.
    Subscribed(PersonEvent<'a>),
    /// A customer forbids us to write.
    Blocked(PersonEvent<'a>),
    /// A customer is writing.
    Typing(PersonEvent<'a>),
    /// A customer has seen our messages.
    Read(ReadEvent<'a>),
}

/// An event that says something.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "{T}")]
pub struct Worded<'a, T> {
    /// What its kind has.
    #[serde(flatten)]
    pub head: T,
    /// What it says.
    #[serde(flatten)]
    pub said: Said<'a>,
}

/// What a message says. Each part of it is read by itself; one that cannot be read is kept as unsupported.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
pub struct Said<'a> {
    /// The words; beside files their caption.
    #[serde(borrow)]
    #[schemars(with = "Option<String>")]
    pub text: Option<&'a RawValue>,
    /// Ranges of the words that mean more, in UTF-16 units.
    #[serde(borrow)]
    #[schemars(with = "Option<Vec<Entity>>")]
    pub entities: Option<&'a RawValue>,
    /// Files.
    #[serde(borrow)]
    #[schemars(with = "Option<Vec<MediaIn>>")]
    pub media: Option<&'a RawValue>,
    /// A place.
    #[serde(borrow)]
    #[schemars(with = "Option<Location>")]
    pub location: Option<&'a RawValue>,
    /// A person's card.
    #[serde(borrow)]
    #[schemars(with = "Option<ContactCard>")]
    pub contact: Option<&'a RawValue>,
    /// Adverts or goods shown in the message.
    #[serde(borrow)]
    #[schemars(with = "Option<Vec<Item>>")]
    pub items: Option<&'a RawValue>,
}

/// A file of a customer, at an address.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct MediaIn {
    /// What it is.
    pub kind: MediaKind,
    /// Where it is fetched: at the endpoint's own host, or at one of the hosts in the settings.
    pub url: Url,
    /// File name.
    pub name: Option<String>,
    /// Media type, as `image/jpeg`.
    pub mime: Option<String>,
    /// Bytes.
    pub size: Option<u64>,
    /// Pixels across.
    pub width: Option<u32>,
    /// Pixels down.
    pub height: Option<u32>,
    /// Playing time.
    pub seconds: Option<u32>,
    /// The emoji a sticker stands for.
    pub emoji: Option<String>,
    /// Title or performer of music.
    pub title: Option<String>,
    /// Until when the address is good, in milliseconds since 1970-01-01T00:00:00Z.
    pub until: Option<i64>,
}

/// A person.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Person<'a> {
    /// The program's id of the person.
    #[serde(borrow)]
    pub id: Id<'a>,
    /// Name to show.
    #[serde(borrow)]
    pub name: Option<Str<'a>>,
    /// User name without `@`.
    #[serde(borrow)]
    pub username: Option<Str<'a>>,
    /// Phone number, best as `+79990001122`.
    #[serde(borrow)]
    pub phone: Option<Str<'a>>,
    /// E-mail address.
    #[serde(borrow)]
    pub email: Option<Str<'a>>,
    /// Address of a picture.
    #[serde(borrow)]
    pub avatar: Option<Str<'a>>,
    /// Language, as `ru` or `en-GB`.
    #[serde(borrow)]
    pub language: Option<Str<'a>>,
    /// Other ids of the same person in the program.
    #[serde(borrow)]
    pub aliases: Option<Vec<Id<'a>>>,
    /// `robot` for a program: nothing answers it by itself.
    pub kind: Option<PersonKind>,
}

/// Who a person is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum PersonKind {
    Robot,
    /// What a later version of the protocol may say as well.
    #[serde(other)]
    Person,
}

/// A customer wrote.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct MessageEvent<'a> {
    /// Where to answer: the program's id of the chat.
    #[serde(borrow)]
    pub address: Id<'a>,
    /// The program's id of the message.
    #[serde(borrow)]
    pub message_id: Id<'a>,
    /// Who wrote.
    #[serde(borrow)]
    pub sender: Person<'a>,
    /// What it answers.
    pub reply_to: Option<ReplyTo>,
    /// The advert or goods the talk is about.
    pub item: Option<Item>,
    /// Which link or advert brought the person.
    pub referral: Option<Referral>,
    /// What kind of chat it is in; left out, it is the person's own.
    pub chat: Option<Chat>,
    /// `automatic` for what a program wrote by itself: nothing answers it by itself.
    pub origin: Option<Origin>,
}

/// Somebody of the business answered in the program itself.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct EchoEvent<'a> {
    /// Where.
    #[serde(borrow)]
    pub address: Id<'a>,
    /// The program's id of the message.
    #[serde(borrow)]
    pub message_id: Id<'a>,
    /// The `id` of the request, when it is a message of ours.
    #[serde(borrow)]
    pub ours: Option<Str<'a>>,
    /// Name of who answered.
    #[serde(borrow)]
    pub author: Option<Str<'a>>,
    /// What it answers.
    pub reply_to: Option<ReplyTo>,
}

/// A customer changed a message of theirs.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct EditedEvent<'a> {
    /// Where.
    #[serde(borrow)]
    pub address: Id<'a>,
    /// Which message.
    #[serde(borrow)]
    pub message: Id<'a>,
    /// Who changed it.
    #[serde(borrow)]
    pub sender: Person<'a>,
}

/// Messages were taken back.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct DeletedEvent<'a> {
    /// Where.
    #[serde(borrow)]
    pub address: Id<'a>,
    /// Which messages.
    #[serde(borrow)]
    #[schemars(length(min = 1))]
    pub messages: Vec<Id<'a>>,
}

/// Signs on a message.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ReactionEvent<'a> {
    /// Where.
    #[serde(borrow)]
    pub address: Id<'a>,
    /// Which message.
    #[serde(borrow)]
    pub message: Id<'a>,
    /// Who.
    #[serde(borrow)]
    pub sender: Person<'a>,
    /// All signs of that person on it from now on; none means taken off.
    #[serde(borrow)]
    pub signs: Vec<Str<'a>>,
}

/// News of a message of ours, named by one of `message` and `ours`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct StatusEvent<'a> {
    /// Where.
    #[serde(borrow)]
    pub address: Option<Id<'a>>,
    /// The program's id of the message.
    #[serde(borrow)]
    pub message: Option<Id<'a>>,
    /// The `id` of the request.
    #[serde(borrow)]
    pub ours: Option<Str<'a>>,
    /// How far it came.
    pub status: How,
    /// Why it failed.
    #[serde(borrow)]
    pub error: Option<Reason<'a>>,
}

/// How far a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It reached the customer's device.
    Delivered,
    /// The customer saw it.
    Read,
    /// It will not come.
    Failed,
}

/// A pressed key.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ButtonEvent<'a> {
    /// Where.
    #[serde(borrow)]
    pub address: Id<'a>,
    /// Who pressed.
    #[serde(borrow)]
    pub sender: Person<'a>,
    /// What the key carries.
    #[serde(borrow)]
    pub data: Str<'a>,
    /// What is written on it.
    #[serde(borrow)]
    pub label: Option<Str<'a>>,
    /// The message it hangs under.
    #[serde(borrow)]
    pub message: Option<Id<'a>>,
    /// What names the press in `answer_button`, where the customer waits for an answer.
    #[serde(borrow)]
    pub ticket: Option<Id<'a>>,
}

/// A chat opened without a word.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct StartedEvent<'a> {
    /// Where.
    #[serde(borrow)]
    pub address: Id<'a>,
    /// Who.
    #[serde(borrow)]
    pub sender: Person<'a>,
    /// Which link or advert brought the person.
    pub referral: Option<Referral>,
}

/// Something that says only who and where.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct PersonEvent<'a> {
    /// Where.
    #[serde(borrow)]
    pub address: Id<'a>,
    /// Who.
    #[serde(borrow)]
    pub sender: Person<'a>,
}

/// Our messages were seen: those named, or everything up to one.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ReadEvent<'a> {
    /// Where.
    #[serde(borrow)]
    pub address: Id<'a>,
    /// These messages.
    #[serde(borrow)]
    pub messages: Option<Vec<Id<'a>>>,
    /// Everything up to this message.
    #[serde(borrow)]
    pub up_to: Option<Id<'a>>,
}
