//! What a provider told us, in one documented JSON form.
//!
//! An event serialises as one flat JSON object: the fields of [`Event`], `type` naming the [`EventBody`]
//! variant, and the fields of that variant. The JSON Schema is published in `omni-core/schema/event.json`,
//! one example of every type in `omni-core/tests/golden/`. Fields may be added; none changes its meaning.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::Url;

use crate::address::Address;
use crate::contact::Sender;
use crate::content::{Content, Item};
use crate::error::ErrorReport;
use crate::id::{AccountId, AlbumId, EventId, MessageId, Note, ProviderMessageId};
use crate::is_default;
use crate::link::Referral;
use crate::status::Status;
use crate::time::Timestamp;

/// Something a provider told us.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// The provider's id of the event. With the kind it recognises repeats (law 3), so a connector that makes
    /// two events of one kind out of one provider event gives them different ids.
    pub id: EventId,
    /// Which account at the provider it is for; absent when it is the one whose webhook or listener told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Where it happened; absent for events of the account, and for statuses that name only a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// When it happened by the provider's clock; absent where the provider tells no time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Whether it was told as it happened.
    #[serde(default, skip_serializing_if = "is_default")]
    pub told: Told,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
    /// The provider's own form of it. Always kept for [`EventBody::Unsupported`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub raw: Option<Box<RawValue>>,
}

/// Whether an event was told as it happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// As it happened, or when the way to us was open again.
    #[default]
    Live,
    /// Read out of the provider's history afterwards. Nothing answers it by itself, and no clock starts.
    History,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventBody {
    /// A customer wrote.
    Message(Message),
    /// The business wrote from the provider's own app, or another program did (law 8).
    Echo(Echo),
    /// A message was changed. Restarts no clock.
    Edited(Edited),
    /// Messages were taken back.
    Deleted {
        /// Which.
        messages: Vec<ProviderMessageId>,
    },
    /// Somebody put signs on a message or took them off.
    Reaction(Reaction),
    /// News of a message of ours.
    Status(StatusNews),
    /// A key was pressed.
    Button(Button),
    /// A talk was begun or resumed without words: a bot's Start, an opened chat.
    Started(Started),
    /// The person allowed us to write.
    Subscribed {
        /// Who.
        sender: Sender,
    },
    /// The person forbade us to write; sends will fail until they return.
    Blocked {
        /// Who.
        sender: Sender,
    },
    /// The person is writing.
    Typing {
        /// Who.
        sender: Sender,
    },
    /// The person has seen our messages.
    Read {
        /// These, or everything up to the last of them.
        messages: Vec<ProviderMessageId>,
        /// How far the mark reaches.
        reach: ReadReach,
    },
    /// A call.
    Call(Call),
    /// Somebody wrote under a post, a picture, goods.
    // Boxed: it is by far the largest, and every event would be as large.
    Comment(Box<Comment>),
    /// The address changed its name; messages sent to the old one fail.
    Migrated {
        /// The address from now on.
        to: Address,
    },
    /// We came into a chat, left it, or our rights in it changed.
    Membership(Membership),
    /// The state of the account itself changed.
    Account(AccountNews),
    /// What the provider tells of a person and of a talk when it is asked.
    // Boxed for the same reason.
    Introduced(Box<Introduced>),
    /// Something this version has no word for; `raw` holds it whole (law 2).
    Unsupported {
        /// The provider's name of it.
        what: String,
    },
}

/// The kind of an [`EventBody`], for claims and filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[allow(missing_docs)] // one for each variant of `EventBody`, where the meaning stands
pub enum EventKind {
    Message,
    Echo,
    Edited,
    Deleted,
    Reaction,
    Status,
    Button,
    Started,
    Subscribed,
    Blocked,
    Typing,
    Read,
    Call,
    Comment,
    Migrated,
    Membership,
    Account,
    Introduced,
    Unsupported,
}

impl EventKind {
    /// The name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            EventKind::Message => "message",
            EventKind::Echo => "echo",
            EventKind::Edited => "edited",
            EventKind::Deleted => "deleted",
            EventKind::Reaction => "reaction",
            EventKind::Status => "status",
            EventKind::Button => "button",
            EventKind::Started => "started",
            EventKind::Subscribed => "subscribed",
            EventKind::Blocked => "blocked",
            EventKind::Typing => "typing",
            EventKind::Read => "read",
            EventKind::Call => "call",
            EventKind::Comment => "comment",
            EventKind::Migrated => "migrated",
            EventKind::Membership => "membership",
            EventKind::Account => "account",
            EventKind::Introduced => "introduced",
            EventKind::Unsupported => "unsupported",
        }
    }
}

/// A message of a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// The provider's id. Written as `message_id`, because an event is one flat object with an `id` of its own.
    #[serde(rename = "message_id")]
    pub id: ProviderMessageId,
    /// Who wrote it.
    pub sender: Sender,
    /// What it says.
    pub content: Content,
    /// What it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTo>,
    /// The album it is a part of: parts of one album arrive as events of their own and are joined by the hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub album: Option<AlbumId>,
    /// Which messages it continues, where messages name those before them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<Box<Thread>>,
    /// The advert or goods it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Item>,
    /// Which link or advert brought the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<Referral>,
    /// What kind of chat it is in.
    #[serde(default, skip_serializing_if = "is_default")]
    pub chat: Chat,
    /// Whether a program wrote it by itself.
    #[serde(default, skip_serializing_if = "is_default")]
    pub origin: Origin,
}

impl Message {
    /// A message with nothing but its author and words.
    pub fn new(id: impl Into<ProviderMessageId>, sender: Sender, content: Content) -> Self {
        Self {
            id: id.into(),
            sender,
            content,
            reply_to: None,
            album: None,
            thread: None,
            item: None,
            referral: None,
            chat: Chat::default(),
            origin: Origin::default(),
        }
    }
}

/// Where among several talks with a person a message belongs, for providers whose messages name those before them.
///
/// An e-mail names the mails that it answers. The address of its event is a new talk; when one of the mails named is
/// known on the channel, the message belongs to that one's address instead. The hub decides so in the transaction
/// that applies the event, so two mails that arrive at once do not open two talks.
///
/// Anybody who got a mail may answer it. So whoever writes a message that has a thread, be it an empty one, is the person
/// whose talk it is only under an identity that is known of them; else a guest, who stays apart from that person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Thread {
    /// What it continues, nearest first. The first that is known decides; at most 32 are looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<ProviderMessageId>,
    /// Further names of the message itself, by which later ones may say that they continue it; at most 32 are kept.
    /// No provider is ever asked for a message by one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<ProviderMessageId>,
    /// What the connector wants to be told when something is sent to the address from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

impl Thread {
    /// Most messages that one may continue, and most further names of one.
    pub const MAX: usize = 32;
}

/// Whether a program wrote a message by itself. Automatic texts are never answered automatically (law 7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Origin {
    /// A person, as far as known.
    #[default]
    Person,
    /// A program: out of office, greeting, another bot.
    Automatic,
}

/// What kind of chat a message is in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Chat {
    /// How many may read along.
    #[serde(default)]
    pub kind: ChatKind,
    /// Its title, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// How many may read along in a chat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChatKind {
    /// The person alone.
    #[default]
    Private,
    /// A group.
    Group,
    /// A channel with subscribers.
    Channel,
}

/// What a message answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReplyTo {
    /// The message answered.
    pub message: ProviderMessageId,
    /// The words quoted out of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
}

/// A message of the business that did not go through our outbox, or not in this process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Echo {
    /// The message.
    pub message: Message,
    /// Our own reference, when the provider carries it back: then it is our send, not a person's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<MessageId>,
    /// The person at the business who wrote it, where told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
}

/// A changed message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Edited {
    /// Which.
    pub message: ProviderMessageId,
    /// Who changed it.
    pub sender: Sender,
    /// What it says now.
    pub content: Content,
}

/// Signs on a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reaction {
    /// Which message.
    pub message: ProviderMessageId,
    /// Who; absent where only counts are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<Sender>,
    /// All signs of that person on it from now on; none means taken off.
    pub signs: Vec<String>,
}

/// News of a message of ours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StatusNews {
    /// How it names the message.
    pub message: MessageName,
    /// How far it came.
    pub status: Status,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
}

/// How a provider names a message of ours.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageName {
    /// By its own id.
    Provider(ProviderMessageId),
    /// By the id that we gave.
    Ours(MessageId),
}

/// A pressed key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Button {
    /// Who pressed.
    pub sender: Sender,
    /// What the key carries.
    pub data: String,
    /// What is written on it, where told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The message it hangs under, where told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<ProviderMessageId>,
    /// What to hand to [`AnswerButton`](crate::channel::AnswerButton), where an answer is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// A talk begun without words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Started {
    /// Who.
    pub sender: Sender,
    /// The message that did it, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<ProviderMessageId>,
    /// Which link or advert brought the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<Referral>,
}

/// How far a read mark reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadReach {
    /// The messages named, and no others.
    #[default]
    These,
    /// Everything up to the last one named.
    UpTo,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Call {
    /// Who called, or was called.
    pub sender: Sender,
    /// How it ended.
    pub outcome: CallOutcome,
    /// How long they spoke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
    /// Its recording or page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CallOutcome {
    /// They spoke.
    Answered,
    /// Nobody took it.
    Missed,
    /// Not told.
    Unknown,
}

/// Words under a post, a picture, goods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comment {
    /// What was written.
    pub message: Message,
    /// Under what.
    pub subject: Item,
}

/// Our place in a chat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Membership {
    /// What we are there now.
    pub state: MembershipState,
    /// Who changed it.
    pub by: Sender,
    /// The chat.
    #[serde(default)]
    pub chat: Chat,
}

/// What we are in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MembershipState {
    /// In it, may write.
    Member,
    /// In it, with rights.
    Administrator,
    /// In it, may not write.
    Muted,
    /// Out of it.
    Out,
}

/// What a provider tells when it is asked: [`LookUp`](crate::channel::LookUp). What is absent is not known, and clears
/// nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Introduced {
    /// The person, with what is known of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<Sender>,
    /// The advert or goods the talk is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Item>,
    /// Title of the chat, where several read along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// The state of an account at the provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountNews {
    /// Which part of the account: a business connection, a number.
    pub part: String,
    /// What it is now.
    pub state: AccountState,
    /// The provider's words for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What an account can do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccountState {
    /// Receives and sends.
    Working,
    /// Receives, may not send.
    ReceiveOnly,
    /// Cut off until a person does something.
    Off,
}

impl Event {
    /// An event with nothing but its id and body.
    pub fn new(id: impl Into<EventId>, body: EventBody) -> Self {
        Self { id: id.into(), account: None, address: None, at: None, told: Told::Live, body, raw: None }
    }

    /// The same at an address.
    #[must_use]
    pub fn at_address(mut self, address: Address) -> Self {
        self.address = Some(address);
        self
    }

    /// The same at a time of the provider's clock.
    #[must_use]
    pub fn at_time(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }

    /// The same with the provider's own form; forms that are not JSON are left out.
    #[must_use]
    pub fn with_raw(mut self, raw: &RawValue) -> Self {
        self.raw = Some(raw.to_owned());
        self
    }

    /// The kind of its body.
    pub fn kind(&self) -> EventKind {
        match &self.body {
            EventBody::Message(_) => EventKind::Message,
            EventBody::Echo(_) => EventKind::Echo,
            EventBody::Edited(_) => EventKind::Edited,
            EventBody::Deleted { .. } => EventKind::Deleted,
            EventBody::Reaction(_) => EventKind::Reaction,
            EventBody::Status(_) => EventKind::Status,
            EventBody::Button(_) => EventKind::Button,
            EventBody::Started(_) => EventKind::Started,
            EventBody::Subscribed { .. } => EventKind::Subscribed,
            EventBody::Blocked { .. } => EventKind::Blocked,
            EventBody::Typing { .. } => EventKind::Typing,
            EventBody::Read { .. } => EventKind::Read,
            EventBody::Call(_) => EventKind::Call,
            EventBody::Comment(_) => EventKind::Comment,
            EventBody::Migrated { .. } => EventKind::Migrated,
            EventBody::Membership(_) => EventKind::Membership,
            EventBody::Account(_) => EventKind::Account,
            EventBody::Introduced(_) => EventKind::Introduced,
            EventBody::Unsupported { .. } => EventKind::Unsupported,
        }
    }

    /// Who did it, where it was a person on the other side.
    pub fn sender(&self) -> Option<&Sender> {
        match &self.body {
            EventBody::Message(m) => Some(&m.sender),
            EventBody::Comment(c) => Some(&c.message.sender),
            EventBody::Edited(e) => Some(&e.sender),
            EventBody::Reaction(r) => r.sender.as_ref(),
            EventBody::Button(b) => Some(&b.sender),
            EventBody::Started(s) => Some(&s.sender),
            EventBody::Subscribed { sender }
            | EventBody::Blocked { sender }
            | EventBody::Typing { sender } => Some(sender),
            EventBody::Call(c) => Some(&c.sender),
            EventBody::Introduced(told) => told.sender.as_ref(),
            _ => None,
        }
    }
}
