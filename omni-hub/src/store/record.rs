//! The rows: plain data, whole values.

use std::sync::Arc;

use omni_core::content::Content;
use omni_core::conversation::{Actor, Owner, Summary, TimerKind};
use omni_core::error::ErrorReport;
use omni_core::event::{ChatKind, Event, Origin, ReplyTo};
use omni_core::id::{
    AgentId, AlbumId, BotId, ChannelId, ContactId, ConversationId, MessageId, NodeId, Note,
    ProviderMessageId, TeamId, TenantId, TimerToken,
};
use omni_core::outbound::{Author, Face};
use omni_core::plan::Reach;
use omni_core::policy::{BotAnswer, ClockKind, ClockNews, Guard, Presence, Queued, Trace};
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
    /// What the connector wants to be told at the next send.
    pub note: Option<KeptNote>,
}

/// What a connector wants to be told when something is sent to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptNote {
    /// What it said.
    pub note: Note,
    /// When the message was written that it came with, or accepted: an older one does not replace it.
    pub at: Timestamp,
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
    /// Further names of the whole message, by which others say that they continue it. It is found by them, and no
    /// provider is asked for it by them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<ProviderMessageId>,
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

impl MessageRecord {
    /// All that it is found by.
    pub fn known_as(&self) -> impl Iterator<Item = &ProviderMessageId> {
        self.provider_ids.iter().chain(&self.names)
    }
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
    /// Under which conditions it may still go out when its turn comes.
    pub guard: Guard,
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

/// What changes of an agent's state. Times only move forward: what is older than what is known is left out.
///
/// An agent never heard of is taken note of. Their load is no part of it: it follows from the conversations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentPatch {
    /// Whose agent.
    pub tenant: TenantId,
    /// Who.
    pub agent: AgentId,
    /// Whether they are there, and since when. One from before the known one is late and changes nothing.
    pub presence: Option<(Presence, Timestamp)>,
    /// When they were given a conversation; the later of this and the known one stays.
    pub assigned_at: Option<Timestamp>,
    /// When a conversation of theirs ended or went to somebody else; the later of this and the known one stays.
    pub freed_at: Option<Timestamp>,
}

impl AgentPatch {
    /// A patch that changes nothing but makes the agent known.
    pub fn new(tenant: TenantId, agent: AgentId) -> Self {
        Self { tenant, agent, presence: None, assigned_at: None, freed_at: None }
    }
}

/// Who has an open conversation, and so whose load it is. What a store counts by.
pub fn agent_of(conversation: &Conversation) -> Option<&AgentId> {
    match &conversation.owner {
        Owner::Agent { agent } if conversation.is_open() => Some(agent),
        _ => None,
    }
}

/// For whom an open conversation waits. What a store queues by.
pub fn queued(conversation: &Conversation) -> Option<&Queued> {
    conversation.flow.queue.as_ref().filter(|_| conversation.is_open())
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
    /// Over which channel; absent for what concerns the tenant as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
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
        /// What a report or a CRM wants to know: reason, times, counts, referral, owner, labels.
        summary: Box<Summary>,
        /// As it ended, whole.
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
    /// A label was taken off.
    Untagged {
        /// Which.
        tag: String,
        /// By whom.
        by: Actor,
    },
    /// A field was set; an empty value took it away.
    FieldSet {
        /// Which.
        field: String,
        /// To what.
        value: String,
        /// By whom.
        by: Actor,
    },
    /// Somebody left words for the agents.
    Noted {
        /// What.
        text: String,
        /// By whom.
        by: Actor,
    },
    /// It waits for somebody of a team.
    Waiting {
        /// Which team.
        team: TeamId,
        /// Since when it waits, for whichever team.
        since: Timestamp,
    },
    /// It was put aside.
    Snoozed {
        /// Until when, unless the person writes.
        until: Timestamp,
        /// By whom.
        by: Actor,
    },
    /// It waits for something outside: its clocks stand still.
    Held {
        /// By whom.
        by: Actor,
    },
    /// It was taken up again, after a snooze or a hold.
    Resumed {
        /// By whom.
        by: Actor,
    },
    /// A promised time began, stood still, was met or was not.
    Clock {
        /// Which.
        clock: ClockKind,
        /// What became of it.
        news: ClockNews,
        /// When it is or was due.
        due: Timestamp,
    },
    /// A bot was asked.
    BotAsked {
        /// Which.
        bot: BotId,
        /// The number of the question.
        ask: u32,
        /// How many of the latest messages it is shown.
        memory: u32,
        /// When people take over.
        due: Timestamp,
    },
    /// A bot answered, failed or was late; `why` says what came of it.
    BotAnswered {
        /// What it wanted.
        answer: Box<BotAnswer>,
    },
    /// An agent came, left, or takes no more.
    Presence {
        /// Who.
        agent: AgentId,
        /// What they are now.
        presence: Presence,
    },
    /// The person is another one: two contacts were found to be the same.
    ContactMerged {
        /// The one that is gone.
        from: ContactId,
        /// The one that goes on.
        into: ContactId,
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
    /// Those that this agent may see: as one of everyone, as the one pinned, as a member of a team, as the owner.
    pub visible_to: Option<AgentId>,
    /// The teams of [`visible_to`](Self::visible_to).
    pub teams: Vec<TeamId>,
    /// Those that this agent has, or had when they ended.
    pub owner: Option<AgentId>,
    /// Open ones that wait for somebody of this team.
    pub waiting_for: Option<TeamId>,
    /// Those with this person.
    pub contact: Option<ContactId>,
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
            && self.visible_to.as_ref().is_none_or(|a| c.visible.shows_to(a, &self.teams) || is_of(c, a))
            && self.owner.as_ref().is_none_or(|agent| is_of(c, agent))
            && self.waiting_for.as_ref().is_none_or(|team| queued(c).is_some_and(|q| q.team == *team))
            && self.contact.is_none_or(|contact| c.contact == Some(contact))
            && self.before.is_none_or(|before| c.last_message_at < before)
    }
}

fn is_of(conversation: &Conversation, agent: &AgentId) -> bool {
    matches!(&conversation.owner, Owner::Agent { agent: owner } if owner == agent)
}
