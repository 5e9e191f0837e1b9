//! The store port: what the hub needs of a database, in one trait that a host may implement itself.
//!
//! # The unit of work
//!
//! Everything that changes goes through [`Store::apply`]. A [`Unit`] names what it is about ([`Target`]), what
//! it claims ([`Claim`], law 3), and a pure function from a [`Snapshot`] to [`Changes`]. The store, within one
//! transaction and holding the target against others:
//!
//! 1. takes the claim; if it exists already the unit is a [`Applied::Duplicate`] and nothing else happens;
//! 2. loads the snapshot and calls the function, once or, after a rollback, again;
//! 3. writes all changes, or none.
//!
//! So message, conversation, outbox rows, timers and host events change together (law 4), the policy runs
//! inside the transaction, and a backend may commit many units at once: each still fails alone.

mod memory;
mod record;

pub use memory::{MemoryLimits, MemoryStore};
pub use record::*;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use omni_core::event::MessageName;
use omni_core::id::{
    AgentId, AlbumId, BlobId, ChannelId, ConsumerId, ContactId, ConversationId, Cursor, EventId, MessageId,
    NodeId, ProviderMessageId, TeamId, TenantId,
};
use omni_core::policy::{AgentState, Desk, Waiting};
use omni_core::{Contact, Conversation, Identity, Timestamp};

/// What went wrong in a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database was written by a newer version of omni.
    #[error(
        "the database has schema {found}, this version of omni knows up to {known}: upgrade omni, or open another database"
    )]
    NewerSchema {
        /// What the database says.
        found: u32,
        /// The newest this version knows.
        known: u32,
    },
    /// The decision function panicked; its unit was rolled back.
    #[error("the policy panicked on this unit; nothing of it was stored")]
    Panicked,
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
    /// The database failed.
    #[error("{operation}: {source}")]
    Backend {
        /// What was being done.
        operation: &'static str,
        /// What the driver says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    /// Wraps a driver's error.
    pub fn backend(
        operation: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Backend { operation, source: source.into() }
    }
}

/// The result of a store operation.
pub type StoreResult<T> = Result<T, StoreError>;

/// One address of one channel of one tenant: the unit of order (law 4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerKey {
    /// The tenant.
    pub tenant: TenantId,
    /// The channel.
    pub channel: ChannelId,
    /// The address.
    pub address: omni_core::Address,
}

/// One channel of one tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelKey {
    /// The tenant.
    pub tenant: TenantId,
    /// The channel.
    pub channel: ChannelId,
}

impl ChannelKey {
    /// Joins the two.
    pub fn new(tenant: impl Into<TenantId>, channel: impl Into<ChannelId>) -> Self {
        Self { tenant: tenant.into(), channel: channel.into() }
    }

    /// An address of this channel.
    pub fn peer(&self, address: omni_core::Address) -> PeerKey {
        PeerKey { tenant: self.tenant.clone(), channel: self.channel.clone(), address }
    }
}

impl fmt::Display for ChannelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.channel)
    }
}

impl PeerKey {
    /// Its channel.
    pub fn channel_key(&self) -> ChannelKey {
        ChannelKey { tenant: self.tenant.clone(), channel: self.channel.clone() }
    }
}

/// What a unit is about: what its snapshot holds, and what nobody else changes meanwhile.
#[derive(Clone, Debug)]
pub enum Target {
    /// Nothing: the changes stand by themselves.
    Nothing,
    /// An address, with its latest conversation.
    Peer(PeerKey),
    /// A conversation, with its address.
    Conversation(ConversationId),
    /// The conversation of the message a provider names, wherever on the channel it is.
    Message(ChannelKey, MessageName),
    /// What [`Target::Peer`] is for the address of the first of these messages that is known on the channel, by any of
    /// its names and in either direction; of several with one name the newest counts. When none is known it is the
    /// address given. At most [`Thread::MAX`](omni_core::event::Thread::MAX) messages are named.
    Thread(PeerKey, Vec<ProviderMessageId>),
}

impl Target {
    /// The address that it is about, where it names one; `thread` is where the messages of a [`Target::Thread`] are.
    pub fn place(&self, thread: Option<&omni_core::Address>) -> Option<PeerKey> {
        match (self, thread) {
            (Target::Thread(named, _), Some(thread)) => Some(named.channel_key().peer(thread.clone())),
            (Target::Peer(named) | Target::Thread(named, _), _) => Some(named.clone()),
            (Target::Nothing | Target::Conversation(_) | Target::Message(..), _) => None,
        }
    }
}

/// That an event was applied: (tenant, channel, provider's event id, kind) (law 3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    /// The channel.
    pub channel: ChannelKey,
    /// The provider's event id.
    pub event: EventId,
    /// The kind.
    pub kind: omni_core::event::EventKind,
}

/// What a snapshot holds beside its target.
#[derive(Clone, Debug)]
pub enum Lookup {
    /// The messages at the address with this provider's id, or with this further name.
    Provider(ProviderMessageId),
    /// The message that an album's parts are joined in.
    Album(AlbumId),
    /// A message by our id, if it is of this channel: an id that a provider brings back proves nothing, since whoever
    /// got the message may know it.
    Message(ChannelKey, MessageId),
    /// Outgoing messages of the conversation that are not settled: sending or unknown.
    Unsettled,
    /// Outgoing messages of the conversation that the person has not read yet, newest first, at most 200.
    Unread,
    /// A contact of a tenant by an identity, when the address has none yet.
    Identity(TenantId, Identity),
    /// An agent of a tenant, with the load they have now: what earlier units changed is counted, also of this batch.
    Agent(TenantId, AgentId),
    /// Another person.
    Contact(ContactId),
    /// Another conversation.
    Conversation(ConversationId),
}

/// What a decision function sees.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Where the messages of a [`Target::Thread`] are, when one of them is known.
    pub thread: Option<omni_core::Address>,
    /// The address.
    pub peer: Option<PeerRecord>,
    /// Its latest conversation, or the one targeted.
    pub conversation: Option<Conversation>,
    /// The person.
    pub contact: Option<Contact>,
    /// What the message lookups found.
    pub messages: Vec<MessageRecord>,
    /// The agents asked for, in that order. One never heard of is offline, with the load they have all the same.
    pub agents: Vec<(AgentId, AgentState)>,
    /// The other persons asked for, as far as they exist.
    pub contacts: Vec<Contact>,
    /// The other conversations asked for, as far as they exist.
    pub others: Vec<Conversation>,
}

/// A pure decision: what to change, given what is. May be called more than once.
pub type Decide = Box<dyn FnMut(&Snapshot) -> Changes + Send>;

/// One unit of work.
pub struct Unit {
    /// What it is about.
    pub target: Target,
    /// What it claims, and when: old claims are pruned.
    pub claim: Option<(Claim, Timestamp)>,
    /// What it wants to see beside.
    pub lookups: Vec<Lookup>,
    /// The decision.
    pub decide: Decide,
}

impl Unit {
    /// A unit without a claim and without look-ups.
    pub fn new(target: Target, decide: impl FnMut(&Snapshot) -> Changes + Send + 'static) -> Self {
        Self { target, claim: None, lookups: Vec::new(), decide: Box::new(decide) }
    }

    /// The same with look-ups.
    #[must_use]
    pub fn with_lookups(mut self, lookups: Vec<Lookup>) -> Self {
        self.lookups = lookups;
        self
    }

    /// The same with a claim.
    #[must_use]
    pub fn with_claim(mut self, claim: Claim, at: Timestamp) -> Self {
        self.claim = Some((claim, at));
        self
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unit")
            .field("target", &self.target)
            .field("claim", &self.claim)
            .finish_non_exhaustive()
    }
}

/// Units that become durable together, with the cursor of the listener that brought them.
#[derive(Debug, Default)]
pub struct Batch {
    /// The units, in order; a later one sees what an earlier one changed.
    pub units: Vec<Unit>,
    /// The listener's place after them.
    pub cursor: Option<(ChannelKey, Cursor)>,
}

impl From<Unit> for Batch {
    fn from(unit: Unit) -> Self {
        Self { units: vec![unit], cursor: None }
    }
}

/// What became of a unit.
#[derive(Debug)]
pub enum Applied {
    /// Its changes are durable. They are handed back as written: see [`OutboxRecord::owner`].
    Done(Box<Changes>),
    /// Its claim existed: nothing was changed.
    Duplicate,
    /// It failed alone; the others of its batch stand.
    Failed(StoreError),
}

/// What a message's way to the person changed to. The store merges it: a status never falls (law 6), and the
/// error is that of the status the message has. Inbound messages have none.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusPatch {
    /// Which message.
    pub message: MessageId,
    /// News of it; merged with [`Status::merge`](omni_core::Status::merge).
    pub status: omni_core::Status,
    /// The provider's ids of it, when they became known.
    pub provider_ids: Vec<ProviderMessageId>,
    /// Why it failed.
    pub error: Option<omni_core::error::ErrorReport>,
}

/// What a decision wants changed, all or nothing.
#[derive(Debug, Default)]
pub struct Changes {
    /// The address, whole.
    pub peer: Option<PeerRecord>,
    /// The conversation, whole.
    pub conversation: Option<Conversation>,
    /// More conversations, each whole, written as `conversation` is.
    pub more_conversations: Vec<Conversation>,
    /// The person, whole, with all identities.
    pub contact: Option<Contact>,
    /// Two persons are one: identities, addresses and all conversations of the first name the second from now on, and
    /// the first is gone. `contact` then holds the second whole. Messages, timers and owners stay as they are. A
    /// person merged into themselves changes nothing.
    pub merged: Option<(ContactId, ContactId)>,
    /// What changes of agents, in order.
    pub agents: Vec<AgentPatch>,
    /// New messages; shared with the host event log.
    pub new_messages: Vec<Arc<MessageRecord>>,
    /// Changed messages, whole but for status and error: those change by [`Changes::statuses`] alone.
    pub changed_messages: Vec<MessageRecord>,
    /// News of outgoing messages.
    pub statuses: Vec<StatusPatch>,
    /// New or changed outbox rows. A row that exists keeps its owner and its address, whatever is said here:
    /// only [`Store::outbox_take`] and [`Store::outbox_release`] change whose it is.
    pub outbox: Vec<OutboxRecord>,
    /// Outbox rows that are done with.
    pub outbox_done: Vec<MessageId>,
    /// Timers to start.
    pub timers: Vec<TimerRecord>,
    /// Timers to stop.
    pub timers_done: Vec<omni_core::id::TimerToken>,
    /// The address has a new name: conversation, messages and outbox follow.
    pub moved: Option<(PeerKey, omni_core::Address)>,
    /// Host events, in order.
    pub entries: Vec<Entry>,
    /// Why nothing was changed, for whoever asked.
    pub refused: Option<Refused>,
}

impl Changes {
    /// Two persons to make one of; nothing for one that is merged into themselves.
    pub fn merge(&self) -> Option<(ContactId, ContactId)> {
        self.merged.filter(|(from, into)| from != into)
    }

    /// Lets what is written along with a merge name the person who goes on. A store calls it before it writes, so that
    /// a decision need not touch what it read before the merge.
    pub fn follow_merge(&mut self) {
        let Some((from, into)) = self.merge() else { return };
        let peer = self.peer.iter_mut().map(|peer| &mut peer.contact);
        let conversations = self.conversation.iter_mut().chain(&mut self.more_conversations);
        for contact in peer.chain(conversations.map(|c| &mut c.contact)) {
            if *contact == Some(from) {
                *contact = Some(into);
            }
        }
    }
}

/// Why an action was not done.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// There is no such conversation.
    #[error("there is no such conversation")]
    NoConversation,
    /// There is no such message.
    #[error("there is no such message")]
    NoMessage,
    /// The conversation is closed.
    #[error("the conversation is closed: reopen it, or start a new one")]
    Closed,
    /// The person has a newer conversation, which is open: one address has one at a time.
    #[error("a newer conversation with this person is open: go on there, or join this one to it")]
    Newer,
    /// There is no such contact.
    #[error("there is no such contact")]
    NoContact,
    /// Somebody else was faster: the claim is lost, which is normal.
    #[error("somebody else has taken the conversation")]
    Taken,
    /// The agent is not there, has as many as they may have, or may not have this one.
    #[error("the agent cannot take the conversation now")]
    Busy,
    /// The action is of a newer version of omni.
    #[error("this version of omni does not know the action")]
    Unknown,
    /// It cannot be sent.
    #[error(transparent)]
    Unsendable(#[from] omni_core::plan::Refusal),
    /// The outcome of that message is known already.
    #[error("the outcome of this message is known already")]
    Settled,
}

/// A lease: who may do what only one may (law 11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What is leased.
    pub name: String,
    /// By whom.
    pub holder: NodeId,
    /// Until when, unless renewed.
    pub until: Timestamp,
}

/// What the hub needs of a database. Every backend passes the suite in `omni_testkit::store`.
///
/// All futures are cancel safe: a dropped one has either happened whole or not at all.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Makes a batch durable in one transaction, and says what became of each unit, in order.
    async fn apply(&self, batch: Batch) -> StoreResult<Vec<Applied>>;

    /// Where a channel's listener stands.
    async fn cursor(&self, channel: &ChannelKey) -> StoreResult<Option<Cursor>>;

    /// Takes up to `limit` due outbox rows of `channels` that no living node owns, in the order of their making,
    /// for `node`. A row is left alone while an earlier one of its address is owned by another living node, so
    /// the order at an address holds across nodes. Nodes are alive while they hold the lease [`node_lease`].
    async fn outbox_take(
        &self,
        node: &NodeId,
        channels: &[ChannelKey],
        now: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<(OutboxRecord, MessageRecord)>>;

    /// Gives rows back, for another node or a later time.
    async fn outbox_release(&self, node: &NodeId, messages: &[MessageId]) -> StoreResult<()>;

    /// Up to `limit` timers of `channels` due at `now`, earliest first. They stay until their unit removes them.
    async fn timers_due(
        &self,
        channels: &[ChannelKey],
        now: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<TimerRecord>>;

    /// When the next timer of `channels` is due.
    async fn next_timer(&self, channels: &[ChannelKey]) -> StoreResult<Option<Timestamp>>;

    /// Takes or renews a lease; `None` when somebody else holds it.
    async fn lease(
        &self,
        name: &str,
        holder: &NodeId,
        now: Timestamp,
        ttl: Duration,
    ) -> StoreResult<Option<Lease>>;

    /// Who holds a lease, run out or not.
    async fn holder(&self, name: &str) -> StoreResult<Option<Lease>>;

    /// Gives a lease back; one held by somebody else is left alone.
    async fn release(&self, name: &str, holder: &NodeId) -> StoreResult<()>;

    /// Host events behind `after`, oldest first, at most `limit`.
    async fn entries(&self, after: u64, limit: usize) -> StoreResult<Vec<Entry>>;

    /// How far a consumer has come; zero for a new one.
    async fn consumer(&self, consumer: &ConsumerId) -> StoreResult<u64>;

    /// Takes note of how far a consumer has come. Never moves back.
    async fn consumed(&self, consumer: &ConsumerId, seq: u64) -> StoreResult<()>;

    /// Conversations that fit, newest message first.
    async fn conversations(&self, query: &ConversationQuery) -> StoreResult<Vec<Conversation>>;

    /// All agents of a tenant who were ever heard of or have a conversation, each with what they have, and how many
    /// open conversations wait for each team. An unknown tenant has an empty desk.
    ///
    /// Costs a step for each open conversation that somebody of the tenant has or that waits for a team; others cost
    /// nothing.
    async fn desk(&self, tenant: &TenantId) -> StoreResult<Desk>;

    /// Open conversations of a tenant that wait for a team, the longest waiting first, of those of one moment the
    /// oldest conversation; at most `limit`.
    async fn waiting(&self, tenant: &TenantId, team: &TeamId, limit: usize) -> StoreResult<Vec<Waiting>>;

    /// One conversation.
    async fn conversation(&self, id: ConversationId) -> StoreResult<Option<Conversation>>;

    /// Messages of a conversation older than `before`, newest first, at most `limit`.
    async fn messages(
        &self,
        conversation: ConversationId,
        before: Option<MessageId>,
        limit: usize,
    ) -> StoreResult<Vec<MessageRecord>>;

    /// One message.
    async fn message(&self, id: MessageId) -> StoreResult<Option<MessageRecord>>;

    /// One address.
    async fn peer(&self, key: &PeerKey) -> StoreResult<Option<PeerRecord>>;

    /// One person.
    async fn contact(&self, id: ContactId) -> StoreResult<Option<Contact>>;

    /// Keeps bytes for an outgoing message.
    async fn put_blob(&self, id: &BlobId, bytes: Bytes) -> StoreResult<()>;

    /// The bytes kept.
    async fn blob(&self, id: &BlobId) -> StoreResult<Option<Bytes>>;

    /// Forgets claims, and host events every consumer has passed, from before `before`.
    async fn prune(&self, before: Timestamp) -> StoreResult<()>;
}

/// The name of the lease by which a node shows that it lives.
pub fn node_lease(node: &NodeId) -> String {
    format!("node/{node}")
}

/// The name of the lease under which one node listens for an account (law 11).
pub fn listen_lease(channel: &ChannelKey) -> String {
    format!("listen/{channel}")
}
