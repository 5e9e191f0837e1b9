//! The store in memory: for tests, demonstrations and load measurements. Nothing survives the process, so
//! "acknowledged means committed" (law 1) holds only while it runs.

mod desks;
mod outbox;
mod tables;

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use omni_core::id::{
    BlobId, ConsumerId, ContactId, ConversationId, Cursor, MessageId, NodeId, TeamId, TenantId,
};
use omni_core::policy::{Desk, Waiting};
use omni_core::{Contact, Conversation, Timestamp};

use self::tables::Tables;
use super::{
    Applied, Batch, ChannelKey, ConversationQuery, Entry, Lease, MessageRecord, OutboxRecord, PeerKey,
    PeerRecord, Store, StoreResult, TimerRecord,
};

/// How much a [`MemoryStore`] keeps. The oldest goes first.
#[derive(Clone, Copy, Debug)]
pub struct MemoryLimits {
    /// Most host events. A consumer that is further behind never sees the ones that went.
    pub entries: usize,
    /// Most claims; a repeat of an older event would be taken as new.
    pub claims: usize,
    /// Most settled messages.
    pub messages: usize,
}

impl Default for MemoryLimits {
    fn default() -> Self {
        Self { entries: 20_000, claims: 200_000, messages: 20_000 }
    }
}

/// A store in memory. Clones share it, so two hubs on one of them act as two nodes on one database.
#[derive(Clone, Default)]
pub struct MemoryStore {
    inner: Arc<Mutex<Tables>>,
}

impl fmt::Debug for MemoryStore {
    /// Nothing of what is in it: a hub shows its store, and messages are never logged (law 12).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// An empty store with the usual limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store with other limits.
    pub fn with_limits(limits: MemoryLimits) -> Self {
        Self { inner: Arc::new(Mutex::new(Tables { limits, ..Tables::default() })) }
    }

    /// A decision that panics leaves the tables as they were, so a poisoned lock is taken as it is.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn apply(&self, batch: Batch) -> StoreResult<Vec<Applied>> {
        let mut tables = self.tables();
        let applied = batch.units.into_iter().map(|unit| tables.run(unit)).collect();
        if let Some((channel, cursor)) = batch.cursor {
            tables.cursors.insert(channel, cursor);
        }
        Ok(applied)
    }

    async fn cursor(&self, channel: &ChannelKey) -> StoreResult<Option<Cursor>> {
        Ok(self.tables().cursors.get(channel).cloned())
    }

    async fn outbox_take(
        &self,
        node: &NodeId,
        channels: &[ChannelKey],
        now: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<(OutboxRecord, MessageRecord)>> {
        Ok(self.tables().take(node, channels, now, limit))
    }

    async fn outbox_release(&self, node: &NodeId, messages: &[MessageId]) -> StoreResult<()> {
        let mut tables = self.tables();
        for message in messages {
            let Some(seq) = tables.outbox_seq.get(message).copied() else { continue };
            if tables.outbox.get(&seq).is_some_and(|row| row.owner.as_ref() == Some(node)) {
                tables.change_owner(seq, None);
            }
        }
        Ok(())
    }

    async fn timers_due(
        &self,
        channels: &[ChannelKey],
        now: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<TimerRecord>> {
        let tables = self.tables();
        let channels: HashSet<&ChannelKey> = channels.iter().collect();
        let due = tables.timers.values().take_while(|t| t.due <= now);
        Ok(due.filter(|t| channels.contains(&t.channel)).take(limit).cloned().collect())
    }

    async fn next_timer(&self, channels: &[ChannelKey]) -> StoreResult<Option<Timestamp>> {
        let tables = self.tables();
        let channels: HashSet<&ChannelKey> = channels.iter().collect();
        Ok(tables.timers.values().find(|t| channels.contains(&t.channel)).map(|t| t.due))
    }

    async fn lease(
        &self,
        name: &str,
        holder: &NodeId,
        now: Timestamp,
        ttl: Duration,
    ) -> StoreResult<Option<Lease>> {
        let mut tables = self.tables();
        if tables.leases.get(name).is_some_and(|l| l.holder != *holder && l.until > now) {
            return Ok(None);
        }
        let lease = Lease { name: name.to_owned(), holder: holder.clone(), until: now + ttl };
        tables.leases.insert(name.to_owned(), lease.clone());
        Ok(Some(lease))
    }

    async fn holder(&self, name: &str) -> StoreResult<Option<Lease>> {
        Ok(self.tables().leases.get(name).cloned())
    }

    async fn release(&self, name: &str, holder: &NodeId) -> StoreResult<()> {
        let mut tables = self.tables();
        if tables.leases.get(name).is_some_and(|l| l.holder == *holder) {
            tables.leases.remove(name);
        }
        Ok(())
    }

    async fn entries(&self, after: u64, limit: usize) -> StoreResult<Vec<Entry>> {
        let tables = self.tables();
        let from = tables.entries.partition_point(|e| e.seq <= after);
        Ok(tables.entries.iter().skip(from).take(limit).map(|e| Entry::clone(e)).collect())
    }

    async fn consumer(&self, consumer: &ConsumerId) -> StoreResult<u64> {
        Ok(self.tables().consumers.get(consumer).copied().unwrap_or(0))
    }

    async fn consumed(&self, consumer: &ConsumerId, seq: u64) -> StoreResult<()> {
        let mut tables = self.tables();
        let place = tables.consumers.entry(consumer.clone()).or_default();
        *place = seq.max(*place);
        Ok(())
    }

    async fn conversations(&self, query: &ConversationQuery) -> StoreResult<Vec<Conversation>> {
        let tables = self.tables();
        let mut fitting: Vec<&Conversation> =
            tables.conversations.values().filter(|c| query.fits(c)).collect();
        fitting.sort_by_key(|c| std::cmp::Reverse((c.last_message_at, c.id)));
        Ok(fitting.into_iter().take(query.page()).cloned().collect())
    }

    async fn desk(&self, tenant: &TenantId) -> StoreResult<Desk> {
        Ok(self.tables().desks.desk(tenant))
    }

    async fn waiting(&self, tenant: &TenantId, team: &TeamId, limit: usize) -> StoreResult<Vec<Waiting>> {
        let tables = self.tables();
        let waiting = tables.desks.queue(tenant, team).filter_map(|id| tables.conversations.get(&id));
        Ok(waiting.filter_map(Waiting::of).take(limit).collect())
    }

    async fn conversation(&self, id: ConversationId) -> StoreResult<Option<Conversation>> {
        Ok(self.tables().conversations.get(&id).cloned())
    }

    async fn messages(
        &self,
        conversation: ConversationId,
        before: Option<MessageId>,
        limit: usize,
    ) -> StoreResult<Vec<MessageRecord>> {
        let tables = self.tables();
        let thread = tables.threads.get(&conversation).into_iter().flatten().rev();
        let older = thread.filter(|id| before.is_none_or(|before| **id < before));
        Ok(older.filter_map(|id| tables.message(id)).take(limit).cloned().collect())
    }

    async fn message(&self, id: MessageId) -> StoreResult<Option<MessageRecord>> {
        Ok(self.tables().message(&id).cloned())
    }

    async fn peer(&self, key: &PeerKey) -> StoreResult<Option<PeerRecord>> {
        Ok(self.tables().peers.get(key).cloned())
    }

    async fn contact(&self, id: ContactId) -> StoreResult<Option<Contact>> {
        Ok(self.tables().contacts.get(&id).cloned())
    }

    async fn put_blob(&self, id: &BlobId, bytes: Bytes) -> StoreResult<()> {
        self.tables().blobs.insert(id.clone(), bytes);
        Ok(())
    }

    async fn blob(&self, id: &BlobId) -> StoreResult<Option<Bytes>> {
        Ok(self.tables().blobs.get(id).cloned())
    }

    async fn prune(&self, _before: Timestamp) -> StoreResult<()> {
        // The limits prune as it goes.
        Ok(())
    }
}
