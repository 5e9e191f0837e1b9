//! The traits that a connector implements.
//!
//! A connector implements [`Channel`], and [`Inbound`] and [`Outbound`] as far as the provider goes. Abilities
//! that many providers lack are traits of their own, reached by `as_edit()` and the like: a connector without
//! typing has no typing code, and its capabilities say so.
//!
//! All futures here may be dropped at any await (*cancel safe*), with one exception that lies in the nature of
//! things: a dropped [`Outbound::send`] has perhaps sent. The hub treats it as [`SendError::Unknown`].

use std::borrow::Cow;
use std::fmt::Debug;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::address::Address;
use crate::capability::Capabilities;
use crate::content::Content;
use crate::error::Result;
use crate::event::{Event, Introduced};
use crate::id::{AccountId, Cursor, ProviderMessageId};
use crate::link::CampaignToken;
use crate::media::{Media, MediaRef, MediaStream};
use crate::outbound::{Accepted, OutboundItem, SendError};
use crate::provider::Provider;
use crate::webhook::{Received, Rejected, Verified, WebhookRequest, WebhookUrl};

/// One connected account at a provider.
#[async_trait]
pub trait Channel: Debug + Send + Sync + 'static {
    /// The kind of channel.
    fn provider(&self) -> Provider;

    /// What the account can do, as data. What is not declared here is answered with
    /// [`ErrorKind::Unsupported`](crate::error::ErrorKind::Unsupported).
    fn capabilities(&self) -> &Capabilities;

    /// What it can do at one address, where that differs (a group, a business connection).
    fn capabilities_at(&self, address: &Address) -> Cow<'_, Capabilities> {
        let _ = address;
        Cow::Borrowed(self.capabilities())
    }

    /// How messages come in, by the configuration.
    fn receives(&self) -> Receives;

    /// Asks the provider whether the credential is good.
    ///
    /// - *Errors*: [`BadCredentials`](crate::error::ErrorKind::BadCredentials) with advice when the provider
    ///   refuses it; network errors otherwise. Providers without such a call validate the configuration.
    async fn check(&self) -> Result<Account>;

    /// Registers `at` as webhook where the provider has an API for that, and says what a person still has to
    /// do where it has none. Repeating it changes nothing. Waiting messages are never dropped.
    async fn connect(&self, at: &WebhookUrl) -> Result<Connected>;

    /// Takes the registration back. Messages that wait at the provider stay there.
    async fn disconnect(&self) -> Result<()>;

    /// The receiving side; `None` for a channel that only sends.
    fn inbound(&self) -> Option<&dyn Inbound> {
        None
    }

    /// The sending side; `None` for a channel that only receives.
    fn outbound(&self) -> Option<&dyn Outbound> {
        None
    }

    /// Links that bring a person here with a campaign token.
    fn as_links(&self) -> Option<&dyn DeepLinks> {
        None
    }
}

/// How messages come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Receives {
    /// They do not.
    Nothing,
    /// The provider posts them.
    Webhook,
    /// We ask for them or hold a session; the hub runs [`Inbound::listen`] under a lease (law 11).
    Listen,
    /// Both: webhooks, and a session or sweep beside them.
    Both,
}

impl Receives {
    /// Whether the hub has to run [`Inbound::listen`].
    pub fn listens(self) -> bool {
        matches!(self, Receives::Listen | Receives::Both)
    }

    /// Whether webhooks are taken.
    pub fn takes_webhooks(self) -> bool {
        matches!(self, Receives::Webhook | Receives::Both)
    }
}

/// What the provider says of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// The provider's id of it: events name it, and one account connected twice is seen by it.
    pub id: AccountId,
    /// Name to show.
    pub name: String,
    /// Public user name, number or address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// What a person should know: a missing right, a mode that is off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What [`Channel::connect`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Connected {
    /// The address to give to the provider, when it differs from the one asked for or must be typed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    /// What a person still has to do, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
}

/// The receiving side of a channel.
#[async_trait]
pub trait Inbound: Send + Sync {
    /// Checks that a webhook is genuine, over the raw bytes. Pure: no input or output, no clock.
    ///
    /// # Errors
    /// [`Rejected`], with the status to answer.
    fn verify<'a>(&self, request: &'a WebhookRequest) -> Result<Verified<'a>, Rejected>;

    /// Reads a genuine webhook: the answer to give once the events are durable, and the events. Pure.
    ///
    /// - Each item of a batch fails alone; what cannot be understood becomes
    ///   [`Unsupported`](crate::event::EventBody::Unsupported) with its raw form (law 2).
    ///
    /// # Errors
    /// [`Rejected`] only when the body as a whole cannot be read.
    fn parse(&self, verified: Verified<'_>) -> Result<Received, Rejected>;

    /// [`Self::verify`], then [`Self::parse`].
    ///
    /// # Errors
    /// As these two.
    fn receive(&self, request: &WebhookRequest) -> Result<Received, Rejected> {
        self.parse(self.verify(request)?)
    }

    /// Receives until an error or until dropped: long poll, IMAP IDLE, an SMPP session.
    ///
    /// - Begins behind `from`; hands batches to [`Sink::commit`] and moves its place at the provider only after
    ///   that returned (law 1).
    /// - *Cancel safety*: may be dropped at any await; nothing is lost, the last batch may come again.
    ///
    /// # Errors
    /// [`Conflict`](crate::error::ErrorKind::Conflict) when somebody else receives for the account,
    /// [`Unsupported`](crate::error::ErrorKind::Unsupported) where there is nothing to listen to.
    async fn listen(&self, from: Option<Cursor>, sink: &dyn Sink) -> Result<()>;

    /// Opens the bytes of inbound media, streamed and capped at `cap` bytes, only from hosts the connector
    /// expects (law 12).
    async fn fetch(&self, media: &MediaRef, cap: u64) -> Result<MediaStream>;

    /// Asking who writes and what about, where events do not tell it.
    fn as_look_up(&self) -> Option<&dyn LookUp> {
        None
    }
}

/// Asking the provider what its events leave out: who writes, and what the talk is about.
///
/// The hub asks when somebody without a name writes and when a conversation opens, in batches, and applies the
/// answers as events of kind [`Introduced`](crate::event::EventKind::Introduced). Nothing waits for it.
#[async_trait]
pub trait LookUp: Send + Sync {
    /// What the provider tells of these addresses, at most [`LOOK_UP_MAX`]; addresses of which it tells nothing are
    /// left out. Connectors ask in as few calls as the provider allows.
    ///
    /// # Errors
    /// When nothing could be asked. What is known of only some addresses is no error.
    async fn look_up(&self, addresses: &[Address]) -> Result<Vec<Known>>;
}

/// Most addresses in one [`LookUp::look_up`].
pub const LOOK_UP_MAX: usize = 100;

/// What a provider tells of an address.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The address asked for.
    pub address: Address,
    /// What it tells.
    pub told: Introduced,
}

/// Where a listener puts what it received.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Returns when `events` *and* `cursor` are durable in one transaction. The connector moves its place at
    /// the provider after that, never before. An empty batch stores the cursor.
    async fn commit(&self, events: Vec<Event>, cursor: Cursor) -> Result<()>;

    /// Says that the session stands: the account is healthy again after an error.
    fn alive(&self);
}

/// The sending side of a channel.
#[async_trait]
pub trait Outbound: Send + Sync {
    /// Hands one planned item to the provider, once. Never repeats by itself, except where the provider said
    /// that nothing was sent and named another address.
    ///
    /// - *Outcomes*: accepted, certainly not sent, perhaps sent (law 5).
    /// - *Cancel safety*: dropping the future leaves the outcome unknown.
    ///
    /// # Errors
    /// [`SendError`].
    async fn send(&self, item: &OutboundItem) -> Result<Accepted, SendError>;

    /// Changing sent messages.
    fn as_edit(&self) -> Option<&dyn EditMessages> {
        None
    }

    /// Taking messages back.
    fn as_delete(&self) -> Option<&dyn DeleteMessages> {
        None
    }

    /// Putting signs on messages.
    fn as_react(&self) -> Option<&dyn ReactToMessages> {
        None
    }

    /// Telling that messages were seen.
    fn as_read(&self) -> Option<&dyn MarkRead> {
        None
    }

    /// Showing that somebody is writing.
    fn as_typing(&self) -> Option<&dyn ShowTyping> {
        None
    }

    /// Answering pressed keys.
    fn as_answer(&self) -> Option<&dyn AnswerButton> {
        None
    }

    /// Uploading a file ahead of its message.
    fn as_upload(&self) -> Option<&dyn UploadMedia> {
        None
    }
}

/// Changing sent messages. *Requires* the capability `edit`.
#[async_trait]
pub trait EditMessages: Send + Sync {
    /// Replaces what a message of ours says. The same content again is a success.
    async fn edit(&self, address: &Address, message: &ProviderMessageId, content: &Content) -> Result<()>;
}

/// Taking messages back. *Requires* the capability `delete`.
#[async_trait]
pub trait DeleteMessages: Send + Sync {
    /// Removes a message for everybody. One that is gone already is a success.
    async fn delete(&self, address: &Address, message: &ProviderMessageId) -> Result<()>;
}

/// Putting signs on messages. *Requires* the capability `react`.
#[async_trait]
pub trait ReactToMessages: Send + Sync {
    /// Sets our signs on a message; none takes them off.
    async fn react(&self, address: &Address, message: &ProviderMessageId, signs: &[String]) -> Result<()>;
}

/// Telling that messages were seen. *Requires* the capability `mark_read`.
#[async_trait]
pub trait MarkRead: Send + Sync {
    /// Marks everything up to `message` as seen by us.
    async fn mark_read(&self, address: &Address, message: &ProviderMessageId) -> Result<()>;
}

/// Showing that somebody is writing. *Requires* the capability `typing`.
#[async_trait]
pub trait ShowTyping: Send + Sync {
    /// Shows it for as long as the provider does, some seconds.
    async fn typing(&self, address: &Address) -> Result<()>;
}

/// Answering pressed keys.
#[async_trait]
pub trait AnswerButton: Send + Sync {
    /// Ends the wait that the person sees after pressing; `text` is shown to them. Too late is a success.
    async fn answer(&self, ticket: &str, text: Option<&str>) -> Result<()>;
}

/// Uploading a file ahead of its message, to send it many times.
#[async_trait]
pub trait UploadMedia: Send + Sync {
    /// Uploads, and yields a reference that [`Outbound::send`] takes as a source.
    async fn upload(&self, address: &Address, media: &Media) -> Result<MediaRef>;
}

/// Links that bring a person to the channel.
#[async_trait]
pub trait DeepLinks: Send + Sync {
    /// A link that opens a talk on this channel; its token comes back as
    /// [`Referral`](crate::link::Referral) with the first message or start.
    async fn link(&self, token: &CampaignToken) -> Result<Url>;
}
