//! What a connector is asked to send, and the three ways it can end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::address::Address;
use crate::content::Content;
use crate::error::Error;
use crate::event::ReplyTo;
use crate::id::{MessageId, Note, ProviderMessageId};
use crate::status::Status;

/// One message to hand to a provider, already planned: it fits the channel's capabilities as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutboundItem {
    /// Our id, the same in every attempt: the idempotency key where the provider has one.
    pub id: MessageId,
    /// Where to.
    pub address: Address,
    /// What it says. File bytes are in memory or at an address, never [`Stored`](crate::media::MediaSource).
    pub content: Content,
    /// What it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTo>,
    /// In whose name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub face: Option<Face>,
    /// Whether a person wrote it. Marks automatic mail, and decides who goes first (law 10).
    pub author: Author,
    /// What the connector last wanted to be told of the address, by [`Thread::note`](crate::event::Thread::note) or
    /// [`Accepted::note`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// In whose name a message goes out, where the provider shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Face {
    /// Name to show.
    pub name: String,
    /// Picture to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<Url>,
}

/// Who wrote an outgoing message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// A person: goes first.
    Person,
    /// A rule, a bot or the host's program.
    Program,
}

/// The provider took the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The provider's id of it; our own where the provider gives none.
    pub id: ProviderMessageId,
    /// Further ids, when it became several messages there (an album).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<ProviderMessageId>,
    /// How far the answer itself proves it to have come: at least [`Status::Accepted`].
    pub status: Status,
    /// The address to use from now on, when the provider says that it moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<Address>,
    /// What to tell the connector when something is sent to the address from now on; absent leaves it as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

impl Accepted {
    /// Taken, with no more said.
    pub fn new(id: impl Into<ProviderMessageId>, status: Status) -> Self {
        Self { id: id.into(), more: Vec::new(), status, moved_to: None, note: None }
    }
}

/// The two ways in which a send does not end well (law 5).
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Certainly not sent. [`Error::retry`] says whether trying again can help.
    #[error("not sent: {0}")]
    Rejected(#[source] Error),
    /// Handed over, and the answer was lost: perhaps sent. Repeating may double it.
    #[error("perhaps sent: {0}")]
    Unknown(#[source] Error),
}

impl SendError {
    /// The error itself.
    pub fn error(&self) -> &Error {
        match self {
            SendError::Rejected(e) | SendError::Unknown(e) => e,
        }
    }

    /// The error itself, for calls where it does not matter whether they were carried out.
    pub fn into_error(self) -> Error {
        match self {
            SendError::Rejected(e) | SendError::Unknown(e) => e,
        }
    }
}
