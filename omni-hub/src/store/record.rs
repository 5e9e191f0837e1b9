//! The rows: plain data, whole values.

use std::sync::Arc;

use omni_core::content::Content;
use omni_core::conversation::{Actor, Owner, TimerKind};
use omni_core::error::ErrorReport;
use omni_core::event::{ChatKind, Event, Origin, ReplyTo};
use omni_core::id::{
    AgentId, AlbumId, ChannelId, ContactId, ConversationId, MessageId, NodeId, ProviderMessageId, TenantId,
    TimerToken,
};
use omni_core::outbound::{Author, Face};
use omni_core::plan::Reach;
use omni_core::policy::{Overtaken, Trace};
use omni_core::{Conversation, Status, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ChannelKey, PeerKey};

/// What is known of an address, beyond its conversations.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerRecord {
    /// Which.
    pub key: PeerKey,
    /// The person, in a private chat.
    pub contact: Option<ContactId>,
    /// The latest conversation, open or closed.
    pub conversation: Option<ConversationId>,
    /// Whether the person lets us write.
    pub reach: Reach,
}

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the person.
    In,
    /// To the person.
    Out,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageRecord {
    /// Our id; for an outgoing one also its idempotency key.
    pub id: MessageId,
    /// Of which conversation.
    pub conversation: ConversationId,
    /// Which way.
    pub direction: Direction,
    /// Who wrote it.
    pub author: Actor,
    /// Name of the writer to show, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it says.
    pub content: Content,
    /// The provider's ids; an album has several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provider_ids: Vec<ProviderMessageId>,
    /// The album its parts were joined by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub album: Option<AlbumId>,
    /// What it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTo>,
    /// In whose name it went out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub face: Option<Face>,
    /// Whether a program wrote it by itself.
    #[serde(default)]
    pub origin: Origin,
    /// When, by the provider's clock if it told, else when we learned of it.
    pub at: Timestamp,
    /// How far it came; absent for inbound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
    /// Signs on it: who put which.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<(String, String)>,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// When it was taken back. Its words stay: the desk shows them struck through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

/// Where an outbox row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboxState {
    /// Not handed over yet.
    Queued,
    /// Handed over, the answer is awaited. Found after a crash, it is an unknown (law 5).
    Sending,
}

/// An outgoing message on its way. The message row holds what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxRecord {
    /// Which message.
    pub message: MessageId,
    /// Where to.
    pub peer: PeerKey,
    /// Of which conversation.
    pub conversation: ConversationId,
    /// In what kind of chat: limits differ.
    pub chat: ChatKind,
    /// Who wrote it: people go first.
    pub author: Author,
    /// What makes it pointless meanwhile.
    pub unless: Overtaken,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// Not before this.
    pub due: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Where it stands.
    pub state: OutboxState,
    /// Which node sends it. A decision proposes its own node; the store leaves it empty when rows of that
    /// address wait elsewhere, and hands the row back as written.
    pub owner: Option<NodeId>,
}

/// A timer that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimerRecord {
    /// This setting of it.
    pub token: TimerToken,
    /// Of which conversation.
    pub conversation: ConversationId,
    /// Of which channel.
    pub channel: ChannelKey,
    /// What for.
    pub kind: TimerKind,
    /// When it is due.
    pub due: Timestamp,
}

/// One line of the host event log: what happened, as an immutable snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Its number: grows, with gaps; set by the store.
    #[serde(default)]
    pub seq: u64,
    /// When it was committed.
    pub at: Timestamp,
    /// Whose.
    pub tenant: TenantId,
    /// Over which channel.
    pub channel: ChannelId,
    /// Of which conversation, where it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
    /// What happened. Not flattened, so that raw payloads survive being read back to the letter.
    pub event: HostEvent,
    /// Why: the rules looked at, when one of them decided something (law 13).
    #[serde(default, skip_serializing_if = "is_empty")]
    pub why: Trace,
}

fn is_empty(trace: &Trace) -> bool {
    trace.steps.is_empty()
}

/// What happened, for the host.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "what", content = "data", rename_all = "snake_case")]
#[non_exhaustive]
pub enum HostEvent {
    /// The provider told something.
    Received {
        /// What.
        event: Arc<Event>,
        /// The message it became or joined.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<MessageId>,
    },
    /// A conversation began.
    Opened {
        /// As it began.
        snapshot: Box<Conversation>,
    },
    /// A conversation was opened again.
    Reopened {
        /// By whom.
        by: Actor,
    },
    /// A conversation ended.
    Closed {
        /// As it ended: reason, times, counts, referral, owner, labels.
        snapshot: Box<Conversation>,
    },
    /// A message was put into the outbox.
    Queued {
        /// The message.
        message: Arc<MessageRecord>,
    },
    /// There is news of an outgoing message.
    Status {
        /// Which.
        message: MessageId,
        /// How far it came.
        status: Status,
        /// The provider's ids, when they became known.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        provider_ids: Vec<ProviderMessageId>,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<ErrorReport>,
    },
    /// Somebody else answers from now on.
    Assigned {
        /// Who.
        to: Owner,
        /// By whom it was decided.
        by: Actor,
    },
    /// Somebody saw what was new.
    Seen {
        /// Who.
        by: Actor,
    },
    /// The conversation was labelled.
    Tagged {
        /// With what.
        tag: String,
        /// By whom.
        by: Actor,
    },
    /// The address has a new name.
    Moved {
        /// The new one.
        to: omni_core::Address,
    },
    /// A rule has something to say to the host.
    Notice {
        /// The host's name for it.
        topic: String,
        /// What it carries.
        text: String,
    },
    /// An event could not be applied, because the policy failed on it. It is kept here, whole.
    Parked {
        /// What the provider told.
        event: Arc<Event>,
        /// What failed.
        error: String,
    },
    /// A rule looked, and something it would have done was dropped.
    Dropped {
        /// The message that was not sent, where there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<MessageId>,
    },
}

/// Which conversations to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConversationQuery {
    /// Of this tenant alone.
    pub tenant: Option<TenantId>,
    /// Of this channel alone.
    pub channel: Option<ChannelId>,
    /// Open or closed ones.
    pub state: StateFilter,
    /// Those that this agent may see as one of everyone, or as the one pinned.
    pub visible_to: Option<AgentId>,
    /// Older than this, for the next page.
    pub before: Option<Timestamp>,
    /// At most this many; 0 means 100.
    pub limit: usize,
}

/// Open or closed conversations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateFilter {
    /// Both.
    #[default]
    Any,
    /// Open ones.
    Open,
    /// Closed ones.
    Closed,
}

impl ConversationQuery {
    /// How many at most.
    pub fn page(&self) -> usize {
        if self.limit == 0 { 100 } else { self.limit.min(1000) }
    }

    /// Whether a conversation fits.
    pub fn fits(&self, c: &Conversation) -> bool {
        self.tenant.as_ref().is_none_or(|t| *t == c.tenant)
            && self.channel.as_ref().is_none_or(|ch| *ch == c.channel)
            && match self.state {
                StateFilter::Any => true,
                StateFilter::Open => c.is_open(),
                StateFilter::Closed => !c.is_open(),
            }
            && self.visible_to.as_ref().is_none_or(|agent| c.visible.shows_to(agent, &[]))
            && self.before.is_none_or(|before| c.last_message_at < before)
    }
}
