//! The memory store as a database is: its writes take their time, and fail when told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use omni_core::error::ErrorKind;
use omni_core::id::*;
use omni_core::policy::{Desk, Waiting};
use omni_core::{Contact, Conversation, Timestamp};
use omni_hub::MemoryStore;
use omni_hub::store::*;

/// A store that fails when told to.
#[derive(Debug, Default)]
pub(crate) struct Failing {
    inner: MemoryStore,
    pub(crate) broken: Arc<AtomicBool>,
    pub(crate) panics: Arc<AtomicBool>,
}

impl Failing {
    fn check(&self) -> StoreResult<()> {
        assert!(!self.panics.load(Ordering::SeqCst), "the store panics, as told");
        match self.broken.load(Ordering::SeqCst) {
            true => Err(StoreError::backend("commit", format!("{:?}", ErrorKind::Storage))),
            false => Ok(()),
        }
    }
}

/// Writes fail when told to; everything else is the memory store's.
#[async_trait]
impl Store for Failing {
    async fn apply(&self, batch: Batch) -> StoreResult<Vec<Applied>> {
        self.check()?;
        // As a database does, it takes its time.
        tokio::task::yield_now().await;
        self.inner.apply(batch).await
    }
    async fn cursor(&self, channel: &ChannelKey) -> StoreResult<Option<Cursor>> {
        self.inner.cursor(channel).await
    }
    async fn outbox_take(
        &self,
        node: &NodeId,
        channels: &[ChannelKey],
        now: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<(OutboxRecord, MessageRecord)>> {
        self.inner.outbox_take(node, channels, now, limit).await
    }
    async fn outbox_release(&self, node: &NodeId, messages: &[MessageId]) -> StoreResult<()> {
        self.inner.outbox_release(node, messages).await
    }
    async fn timers_due(
        &self,
        channels: &[ChannelKey],
        now: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<TimerRecord>> {
        self.inner.timers_due(channels, now, limit).await
    }
    async fn next_timer(&self, channels: &[ChannelKey]) -> StoreResult<Option<Timestamp>> {
        self.inner.next_timer(channels).await
    }
    async fn desk(&self, tenant: &TenantId) -> StoreResult<Desk> {
        self.inner.desk(tenant).await
    }
    async fn waiting(&self, tenant: &TenantId, team: &TeamId, limit: usize) -> StoreResult<Vec<Waiting>> {
        self.inner.waiting(tenant, team, limit).await
    }
    async fn lease(
        &self,
        name: &str,
        holder: &NodeId,
        now: Timestamp,
        ttl: Duration,
    ) -> StoreResult<Option<Lease>> {
        self.inner.lease(name, holder, now, ttl).await
    }
    async fn holder(&self, name: &str) -> StoreResult<Option<Lease>> {
        self.inner.holder(name).await
    }
    async fn release(&self, name: &str, holder: &NodeId) -> StoreResult<()> {
        self.inner.release(name, holder).await
    }
    async fn entries(&self, after: u64, limit: usize) -> StoreResult<Vec<Entry>> {
        self.inner.entries(after, limit).await
    }
    async fn consumer(&self, consumer: &ConsumerId) -> StoreResult<u64> {
        self.inner.consumer(consumer).await
    }
    async fn consumed(&self, consumer: &ConsumerId, seq: u64) -> StoreResult<()> {
        self.inner.consumed(consumer, seq).await
    }
    async fn conversations(&self, query: &ConversationQuery) -> StoreResult<Vec<Conversation>> {
        self.inner.conversations(query).await
    }
    async fn conversation(&self, id: ConversationId) -> StoreResult<Option<Conversation>> {
        self.inner.conversation(id).await
    }
    async fn messages(
        &self,
        conversation: ConversationId,
        before: Option<MessageId>,
        limit: usize,
    ) -> StoreResult<Vec<MessageRecord>> {
        self.inner.messages(conversation, before, limit).await
    }
    async fn message(&self, id: MessageId) -> StoreResult<Option<MessageRecord>> {
        self.inner.message(id).await
    }
    async fn peer(&self, key: &PeerKey) -> StoreResult<Option<PeerRecord>> {
        self.inner.peer(key).await
    }
    async fn contact(&self, id: ContactId) -> StoreResult<Option<Contact>> {
        self.inner.contact(id).await
    }
    async fn put_blob(&self, id: &BlobId, bytes: Bytes) -> StoreResult<()> {
        self.inner.put_blob(id, bytes).await
    }
    async fn blob(&self, id: &BlobId) -> StoreResult<Option<Bytes>> {
        self.inner.blob(id).await
    }
    async fn prune(&self, before: Timestamp) -> StoreResult<()> {
        self.inner.prune(before).await
    }
}
