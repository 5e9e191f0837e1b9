//! The hub: what a host holds in its hands.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use futures_util::future::{FutureExt, poll_immediate};
use omni_core::channel::Channel;
use omni_core::error::Error;
use omni_core::id::{
    AccountId, BotId, ConsumerId, ContactId, ConversationId, IdSource, MessageId, NodeId, TenantId,
};
use omni_core::policy::Policy;
use omni_core::{Contact, Conversation, Timestamp};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::bots::Bot;
use crate::builder::{HubBuilder, STORE_DOWN, Settings};
use crate::clock::Clock;
use crate::health::ChannelHealth;
use crate::line::Line;
use crate::log::Consumer;
use crate::store::{
    Applied, Batch, Changes, ChannelKey, ConversationQuery, MessageRecord, PeerKey, Refused, Store,
    StoreError, StoreResult, Unit,
};
use crate::tenant::Tenant;

/// Why the hub could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// No such channel is connected to this hub.
    #[error("no channel {0} is connected to this hub")]
    NoChannel(ChannelKey),
    /// The state does not allow it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store failed; nothing was changed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The provider, or the way to it, failed.
    #[error(transparent)]
    Channel(#[from] Error),
}

/// A channel to connect to a hub.
#[derive(Debug)]
pub struct ChannelSetup {
    pub(crate) key: ChannelKey,
    pub(crate) channel: Arc<dyn Channel>,
    pub(crate) policy: Option<Arc<dyn Policy>>,
    pub(crate) account: Option<AccountId>,
}

impl ChannelSetup {
    /// A channel under a name of the host's. It follows the tenant's book ([`Hub::set_book`]); without one everyone sees
    /// its conversations, and only people close them.
    pub fn new(key: ChannelKey, channel: Arc<dyn Channel>) -> Self {
        Self { key, channel, policy: None, account: None }
    }

    /// With a policy of its own, whatever the tenant's book says.
    #[must_use]
    pub fn policy(mut self, policy: impl Policy) -> Self {
        self.policy = Some(Arc::new(policy));
        self
    }

    /// With the provider's id of the account, from [`Channel::check`]: webhooks that carry events of several
    /// accounts are told apart by it.
    #[must_use]
    pub fn account(mut self, account: AccountId) -> Self {
        self.account = Some(account);
        self
    }
}

/// The runtime that joins channels, policies and a store. Clones are one hub.
///
/// It takes webhooks and actions as soon as it is built; [`Hub::run`] makes it send, listen and keep time.
#[derive(Clone)]
pub struct Hub {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<IdSource>,
    pub(crate) node: NodeId,
    pub(crate) settings: Settings,
    pub(crate) lines: RwLock<HashMap<ChannelKey, Arc<Line>>>,
    /// Lines that were taken away and may still finish what they hand over.
    leaving: Mutex<HashMap<ChannelKey, CancellationToken>>,
    /// The number of the newest host event known here.
    pub(crate) newest: watch::Sender<u64>,
    /// Lines came or went: the runner looks.
    pub(crate) changed: Notify,
    /// A timer was set.
    pub(crate) timer_set: Notify,
    /// Outbox rows wait without an owner.
    pub(crate) unowned: Notify,
    pub(crate) tenants: RwLock<HashMap<TenantId, Arc<Tenant>>>,
    pub(crate) bots: RwLock<HashMap<BotId, Arc<dyn Bot>>>,
    /// Tenants for whom something may be given out.
    pub(crate) dirty: Mutex<HashSet<TenantId>>,
    pub(crate) desk_changed: Notify,
    pub(crate) stop: CancellationToken,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("node", &self.inner.node)
            .field("store", &self.inner.store)
            .finish_non_exhaustive()
    }
}

impl Hub {
    /// Begins to put a hub together.
    pub fn builder() -> HubBuilder {
        HubBuilder::default()
    }

    pub(crate) fn assemble(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        ids: Arc<IdSource>,
        node: NodeId,
        settings: Settings,
    ) -> Self {
        let inner = Inner {
            store,
            clock,
            ids,
            node,
            settings,
            lines: RwLock::default(),
            leaving: Mutex::default(),
            newest: watch::Sender::new(0),
            changed: Notify::new(),
            timer_set: Notify::new(),
            unowned: Notify::new(),
            tenants: RwLock::default(),
            bots: RwLock::default(),
            dirty: Mutex::default(),
            desk_changed: Notify::new(),
            stop: CancellationToken::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Connects a channel, now or while running. One under the same name is replaced: its listener stops, and
    /// what waits to be sent goes through the new one.
    ///
    /// An account that is connected already under another name goes over to this one: the newest wins, and the health of
    /// the older one says so.
    pub fn add_channel(&self, setup: ChannelSetup) {
        let now = self.inner.now();
        let mut lines = self.inner.lines.write().unwrap_or_else(PoisonError::into_inner);
        for line in lines.iter().filter(|(key, _)| **key != setup.key).map(|(_, line)| line) {
            if line.has_account(&setup) {
                line.supersede(&setup.key, now);
            }
        }
        match lines.get(&setup.key) {
            Some(line) => line.replace(setup, &self.inner),
            None => {
                let former = self.inner.leaving().remove(&setup.key);
                lines.insert(setup.key.clone(), Arc::new(Line::new(setup, former, &self.inner)));
            }
        }
        drop(lines);
        self.inner.changed.notify_one();
    }

    /// Disconnects a channel. What is being handed over is finished; what waits stays in the store and goes out
    /// when the channel is connected again. Returns false when there was none.
    pub fn remove_channel(&self, key: &ChannelKey) -> bool {
        let mut lines = self.inner.lines.write().unwrap_or_else(PoisonError::into_inner);
        let Some(line) = lines.remove(key) else { return false };
        line.stop.cancel();
        // One that never ran waits for nothing but for the one before it.
        let started = line.inbox.lock().unwrap_or_else(PoisonError::into_inner).take().is_none();
        let end = if started { Some(line.gone.clone()) } else { line.former.clone() };
        let mut leaving = self.inner.leaving();
        leaving.retain(|_, gone| !gone.is_cancelled());
        if let Some(end) = end {
            leaving.insert(key.clone(), end);
        }
        true
    }

    /// Gives a channel a policy of its own, from the next event on.
    ///
    /// # Errors
    /// [`HubError::NoChannel`].
    pub fn set_policy(&self, key: &ChannelKey, policy: impl Policy) -> Result<(), HubError> {
        self.inner.line(key)?.set_policy(Arc::new(policy));
        Ok(())
    }

    /// A connected channel.
    pub fn channel(&self, key: &ChannelKey) -> Option<Arc<dyn Channel>> {
        self.inner.line(key).ok().map(|line| line.env().channel.clone())
    }

    /// How each connected channel is, by name.
    pub fn health(&self) -> Vec<ChannelHealth> {
        let lines = self.inner.lines.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<ChannelHealth> = lines
            .iter()
            .map(|(key, line)| ChannelHealth { channel: key.clone(), health: line.health() })
            .collect();
        all.sort_by(|a, b| a.channel.cmp(&b.channel));
        all
    }

    /// Reads the host event log as `consumer`, from where it stopped.
    pub fn events(&self, consumer: impl Into<ConsumerId>) -> Consumer {
        Consumer::new(self.inner.clone(), consumer.into())
    }

    /// Conversations that fit, newest message first.
    ///
    /// # Errors
    /// [`HubError::Store`].
    pub async fn conversations(&self, query: &ConversationQuery) -> Result<Vec<Conversation>, HubError> {
        Ok(self.inner.store.conversations(query).await?)
    }

    /// One conversation.
    ///
    /// # Errors
    /// [`HubError::Store`].
    pub async fn conversation(&self, id: ConversationId) -> Result<Option<Conversation>, HubError> {
        Ok(self.inner.store.conversation(id).await?)
    }

    /// Messages of a conversation older than `before`, newest first.
    ///
    /// # Errors
    /// [`HubError::Store`].
    pub async fn messages(
        &self,
        conversation: ConversationId,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<MessageRecord>, HubError> {
        Ok(self.inner.store.messages(conversation, before, limit).await?)
    }

    /// One message.
    ///
    /// # Errors
    /// [`HubError::Store`].
    pub async fn message(&self, id: MessageId) -> Result<Option<MessageRecord>, HubError> {
        Ok(self.inner.store.message(id).await?)
    }

    /// One person.
    ///
    /// # Errors
    /// [`HubError::Store`].
    pub async fn contact(&self, id: ContactId) -> Result<Option<Contact>, HubError> {
        Ok(self.inner.store.contact(id).await?)
    }

    /// What time it is by the hub's clock: for the time of receipt of a webhook.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Asks everything to end: listeners stop, what is being handed over is finished, and [`Hub::run`] returns.
    pub fn shutdown(&self) {
        self.inner.stop.cancel();
    }

    /// Returns when the hub was asked to end, by [`Hub::shutdown`] or by a newer process of its name.
    pub async fn stopped(&self) {
        self.inner.stop.cancelled().await;
    }
}

impl Inner {
    pub(crate) fn line(&self, key: &ChannelKey) -> Result<Arc<Line>, HubError> {
        let lines = self.lines.read().unwrap_or_else(PoisonError::into_inner);
        lines.get(key).cloned().ok_or_else(|| HubError::NoChannel(key.clone()))
    }

    pub(crate) async fn line_of(&self, conversation: ConversationId) -> Result<Arc<Line>, HubError> {
        let c = self.store.conversation(conversation).await?.ok_or(Refused::NoConversation)?;
        self.line(&ChannelKey { tenant: c.tenant, channel: c.channel })
    }

    fn leaving(&self) -> std::sync::MutexGuard<'_, HashMap<ChannelKey, CancellationToken>> {
        self.leaving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a batch durable and passes on what it wants sent: whole, also when whoever asked goes away
    /// meanwhile. Rows that are durable and never passed on would wait for the end of the process.
    pub(crate) async fn apply(self: &Arc<Self>, batch: Batch) -> StoreResult<Vec<Applied>> {
        let hub = self.clone();
        // A store that panics fails this batch, and not the task that asked: timers must go on.
        let mut whole = Box::pin(
            AssertUnwindSafe(async move {
                let applied = hub.store.apply(batch).await?;
                for applied in &applied {
                    if let Applied::Done(changes) = applied {
                        hub.committed(changes);
                    }
                }
                Ok(applied)
            })
            .catch_unwind(),
        );
        // A store in memory is done at once; only one that takes its time needs a task of its own.
        let done = match poll_immediate(&mut whole).await {
            Some(done) => done,
            None => tokio::spawn(whole).await.map_err(|_| StoreError::Closed)?,
        };
        done.map_err(|_| StoreError::Closed)?
    }

    /// Commits one unit and passes on what it wants sent.
    pub(crate) async fn commit(self: &Arc<Self>, unit: Unit) -> Result<Box<Changes>, HubError> {
        let applied = self.apply(Batch::from(unit)).await?;
        let Some(applied) = applied.into_iter().next() else { return Err(StoreError::Closed.into()) };
        match applied {
            Applied::Failed(error) => Err(error.into()),
            Applied::Duplicate => Ok(Box::default()),
            Applied::Done(changes) => match changes.refused {
                Some(refused) => Err(refused.into()),
                None => Ok(changes),
            },
        }
    }

    /// After a commit: outbox rows to their channels, and wake whoever waits.
    pub(crate) fn committed(self: &Arc<Self>, changes: &Changes) {
        self.ask_bots(changes);
        self.look_after(changes);
        if let Some(last) = changes.entries.last() {
            self.newest.send_if_modified(|newest| {
                let newer = last.seq > *newest;
                *newest = last.seq.max(*newest);
                newer
            });
        }
        if !changes.timers.is_empty() {
            self.timer_set.notify_one();
        }
        let mut orphans = Vec::new();
        for row in &changes.outbox {
            let line = self.line(&row.peer.channel_key()).ok();
            if row.owner.as_ref() != Some(&self.node) {
                if line.is_some_and(|line| line.env().backlog.has_room()) {
                    self.unowned.notify_one();
                }
                continue;
            }
            let message = changes.new_messages.iter().find(|m| m.id == row.message);
            let Some(message) = message else { continue };
            if !line.is_some_and(|line| line.enqueue(row.clone(), message)) {
                orphans.push(row.message);
            }
        }
        if !orphans.is_empty() {
            // Their channel was disconnected between the decision and the commit.
            let hub = self.clone();
            tokio::spawn(async move {
                hub.give_rows_back(&orphans).await;
                hub.unowned.notify_one();
            });
        }
    }

    /// Rows that will not be sent from here wait in the store, for another node or a later time.
    pub(crate) async fn give_rows_back(&self, rows: &[MessageId]) {
        while !rows.is_empty() {
            let Err(error) = self.store.outbox_release(&self.node, rows).await else { return };
            tracing::warn!(%error, rows = rows.len(), "outbox rows were not given back yet");
            tokio::select! {
                () = self.clock.sleep_until(self.now() + STORE_DOWN) => {}
                // They wait for this node's lease to end.
                () = self.stop.cancelled() => return,
            }
        }
    }

    /// The address of a message of ours, and its connector's names of it.
    pub(crate) async fn named(
        &self,
        message: MessageId,
    ) -> Result<(Arc<Line>, PeerKey, MessageRecord), HubError> {
        let record = self.store.message(message).await?.ok_or(Refused::NoMessage)?;
        let c = self.store.conversation(record.conversation).await?.ok_or(Refused::NoConversation)?;
        let key = ChannelKey { tenant: c.tenant, channel: c.channel };
        Ok((self.line(&key)?, key.peer(c.address), record))
    }

    /// The connected channels that may take more rows from the store.
    pub(crate) fn channels_with_room(&self) -> Vec<ChannelKey> {
        let lines = self.lines.read().unwrap_or_else(PoisonError::into_inner);
        let roomy = lines.iter().filter(|(_, line)| line.env().backlog.has_room());
        roomy.map(|(key, _)| key.clone()).collect()
    }

    /// The connected channels.
    pub(crate) fn channels(&self) -> Vec<ChannelKey> {
        self.lines.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
