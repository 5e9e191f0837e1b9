//! Conversations that somebody else gets between the look at the desk and the write: the write looks again.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use omni_core::conversation::Actor;
use omni_core::id::*;
use omni_core::policy::{Desk, Waiting};
use omni_core::{Contact, Conversation, Timestamp};
use omni_hub::store::*;
use omni_hub::{Hub, MemoryStore};

use crate::world::*;

const PULLS: &str = r#"
    agents.anna = { capacity = 1 }
    agents.clara = {}
    teams.sales = { members = ["anna", "clara"], distribution = "pull" }
    channels.shop.receiver = { team = "sales" }
"#;

async fn on_a_database() -> (World, Hub) {
    let world = World { store: std::sync::Arc::new(TakesTime::default()), ..World::new() };
    let hub = world.hub(PULLS).await;
    online(&hub, &["anna"]).await;
    (world, hub)
}

#[tokio::test]
async fn what_was_taken_meanwhile_is_not_given_out() {
    let (world, hub) = on_a_database().await;
    deliver(&hub, &[says("1", "a", "Кто возьмёт?")]).await;
    let id = world.only().await.id;
    // anna asks while it waits, and it is clara's before it is given to her.
    let (taken, asked) = tokio::join!(hub.take(id, "clara"), hub.pull("acme", "anna"));
    taken.unwrap();
    assert_eq!(asked.unwrap(), None);
    assert_eq!(world.owner().await, "clara");
    assert_eq!(world.assigned().await, ["team sales", "clara"]);
}

#[tokio::test]
async fn who_was_given_something_meanwhile_gets_no_more_than_they_may_have() {
    let (world, hub) = on_a_database().await;
    deliver(&hub, &[says("1", "a", "Кто возьмёт?")]).await;
    let first = world.only().await.id;
    hub.take(first, "clara").await.unwrap();
    deliver(&hub, &[says("2", "b", "А меня?")]).await;
    // anna has nothing when she asks, and as many as she may have when she is answered.
    let (given, asked) =
        tokio::join!(hub.assign(first, to_agent("anna"), Actor::Host), hub.pull("acme", "anna"));
    given.unwrap();
    assert_eq!(asked.unwrap(), None);
    assert_eq!(named(&world.with("2").await.owner), "team sales");
    assert_eq!(hub.desk(&"acme".into()).await.unwrap().agents["anna"].total(), 1);
}

/// A memory store whose writes take their time, as a database's do.
#[derive(Debug, Default)]
struct TakesTime {
    inner: MemoryStore,
}

#[async_trait]
impl Store for TakesTime {
    async fn apply(&self, batch: Batch) -> StoreResult<Vec<Applied>> {
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
