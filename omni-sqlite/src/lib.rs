//! The SQLite store of omni: the embedded default.
//!
//! - **Durable**: write-ahead log with `synchronous = FULL`; what [`Store::apply`] confirmed survives a killed
//!   process and a lost power supply.
//! - **One writer, group commit**: a thread of its own takes whatever units wait, commits them in one
//!   transaction and answers them together, so many webhooks in flight share one fsync.
//! - **Readers beside it**: queries run on connections of their own and never wait for the writer.
//! - **Migrations**: an older schema is upgraded on opening, a newer one is refused.
//! - **Tokens**: it is a [`TokenStore`](omni_core::tokens::TokenStore) too, for providers whose tokens are renewed.
//!
//! Several processes may open one file on one machine; for many machines take the PostgreSQL store.
//!
//! ```no_run
//! # fn example() -> Result<(), omni_hub::store::StoreError> {
//! let store = omni_sqlite::SqliteStore::open("omni.db")?;
//! let hub = omni_hub::Hub::builder().store(store).node("desk").build();
//! # Ok(())
//! # }
//! ```

mod desk;
mod read;
mod rows;
mod schema;
mod snapshot;
mod tokens;
mod unit;
mod writer;

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use omni_core::id::{
    BlobId, ConsumerId, ContactId, ConversationId, Cursor, MessageId, NodeId, TeamId, TenantId,
};
use omni_core::policy::{Desk, Waiting};
use omni_core::{Contact, Conversation, Timestamp};
use omni_hub::store::{
    Applied, Batch, ChannelKey, ConversationQuery, Entry, Lease, MessageRecord, OutboxRecord, PeerKey,
    PeerRecord, Store, StoreError, StoreResult, TimerRecord,
};
use rusqlite::Connection;

use crate::writer::Writer;

/// Idle connections kept for reading.
const READERS: usize = 4;

/// A store in an SQLite file. Clones share it. The writer ends when the last one is dropped.
#[derive(Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    /// Names this opening of the file among others, for claims on tokens.
    process: String,
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens a file, creates or upgrades what is missing in it, and starts the writer.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`] when a newer omni wrote it; [`StoreError::Backend`] when it cannot be opened
    /// or is not a database.
    pub fn open(path: impl AsRef<Path>) -> StoreResult<Self> {
        let path = path.as_ref().to_owned();
        let mut connection = Connection::open(&path).map_err(backend("open"))?;
        schema::prepare(&connection).map_err(backend("open"))?;
        schema::migrate(&mut connection)?;
        let writer = Writer::start(connection)?;
        let process = uuid::Uuid::new_v4().simple().to_string();
        Ok(Self { inner: Arc::new(Inner { path, process, writer, readers: Mutex::default() }) })
    }

    /// Runs a query on a connection of its own, off the async threads.
    async fn read<T: Send + 'static>(
        &self,
        operation: &'static str,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> StoreResult<T> {
        let inner = self.inner.clone();
        let run = move || {
            let idle = inner.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match idle {
                Some(connection) => connection,
                None => {
                    let connection = Connection::open(&inner.path)?;
                    schema::prepare(&connection)?;
                    connection.pragma_update(None, "query_only", true)?;
                    connection
                }
            };
            let result = query(&connection);
            let mut readers = inner.readers.lock().unwrap_or_else(PoisonError::into_inner);
            if readers.len() < READERS {
                readers.push(connection);
            }
            result
        };
        tokio::task::spawn_blocking(run).await.map_err(|_| StoreError::Closed)?.map_err(backend(operation))
    }

    async fn write<T: Send + 'static>(
        &self,
        operation: &'static str,
        write: impl FnMut(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> StoreResult<T> {
        self.inner.writer.run(operation, write).await
    }
}

fn set_of(channels: &[ChannelKey]) -> HashSet<ChannelKey> {
    channels.iter().cloned().collect()
}

/// Wraps a driver's error with what was being done.
pub(crate) fn backend(operation: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| StoreError::backend(operation, error)
}

#[async_trait]
impl Store for SqliteStore {
    async fn apply(&self, batch: Batch) -> StoreResult<Vec<Applied>> {
        self.inner.writer.apply(batch).await
    }

    async fn cursor(&self, channel: &ChannelKey) -> StoreResult<Option<Cursor>> {
        let channel = channel.clone();
        self.read("cursor", move |c| read::cursor(c, &channel)).await
    }

    async fn outbox_take(
        &self,
        node: &NodeId,
        channels: &[ChannelKey],
        now: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<(OutboxRecord, MessageRecord)>> {
        let (node, channels) = (node.clone(), set_of(channels));
        self.write("outbox_take", move |c| read::take(c, &node, &channels, now, limit)).await
    }

    async fn outbox_release(&self, node: &NodeId, messages: &[MessageId]) -> StoreResult<()> {
        let (node, messages) = (node.clone(), messages.to_vec());
        self.write("outbox_release", move |c| read::release_rows(c, &node, &messages)).await
    }

    async fn timers_due(
        &self,
        channels: &[ChannelKey],
        now: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<TimerRecord>> {
        let channels = set_of(channels);
        self.read("timers_due", move |c| read::timers_due(c, &channels, now, limit)).await
    }

    async fn next_timer(&self, channels: &[ChannelKey]) -> StoreResult<Option<Timestamp>> {
        let channels = set_of(channels);
        self.read("next_timer", move |c| read::next_timer(c, &channels)).await
    }

    async fn lease(
        &self,
        name: &str,
        holder: &NodeId,
        now: Timestamp,
        ttl: Duration,
    ) -> StoreResult<Option<Lease>> {
        let lease = Lease { name: name.to_owned(), holder: holder.clone(), until: now + ttl };
        self.write("lease", move |c| read::lease(c, &lease, now)).await
    }

    async fn holder(&self, name: &str) -> StoreResult<Option<Lease>> {
        let name = name.to_owned();
        self.read("holder", move |c| read::holder(c, &name)).await
    }

    async fn release(&self, name: &str, holder: &NodeId) -> StoreResult<()> {
        let (name, holder) = (name.to_owned(), holder.clone());
        self.write("release", move |c| read::release(c, &name, &holder)).await
    }

    async fn entries(&self, after: u64, limit: usize) -> StoreResult<Vec<Entry>> {
        self.read("entries", move |c| read::entries(c, after, limit)).await
    }

    async fn consumer(&self, consumer: &ConsumerId) -> StoreResult<u64> {
        let consumer = consumer.clone();
        self.read("consumer", move |c| read::consumer(c, &consumer)).await
    }

    async fn consumed(&self, consumer: &ConsumerId, seq: u64) -> StoreResult<()> {
        let consumer = consumer.clone();
        self.write("consumed", move |c| read::consumed(c, &consumer, seq)).await
    }

    async fn conversations(&self, query: &ConversationQuery) -> StoreResult<Vec<Conversation>> {
        let query = query.clone();
        self.read("conversations", move |c| read::conversations(c, &query)).await
    }

    async fn desk(&self, tenant: &TenantId) -> StoreResult<Desk> {
        let tenant = tenant.clone();
        self.read("desk", move |c| desk::desk(c, &tenant)).await
    }

    async fn waiting(&self, tenant: &TenantId, team: &TeamId, limit: usize) -> StoreResult<Vec<Waiting>> {
        let (tenant, team) = (tenant.clone(), team.clone());
        self.read("waiting", move |c| desk::waiting(c, &tenant, &team, limit)).await
    }

    async fn conversation(&self, id: ConversationId) -> StoreResult<Option<Conversation>> {
        self.read("conversation", move |c| snapshot::conversation(c, id)).await
    }

    async fn messages(
        &self,
        conversation: ConversationId,
        before: Option<MessageId>,
        limit: usize,
    ) -> StoreResult<Vec<MessageRecord>> {
        self.read("messages", move |c| read::messages(c, conversation, before, limit)).await
    }

    async fn message(&self, id: MessageId) -> StoreResult<Option<MessageRecord>> {
        self.read("message", move |c| snapshot::message(c, id)).await
    }

    async fn peer(&self, key: &PeerKey) -> StoreResult<Option<PeerRecord>> {
        let key = key.clone();
        self.read("peer", move |c| snapshot::peer(c, &key)).await
    }

    async fn contact(&self, id: ContactId) -> StoreResult<Option<Contact>> {
        self.read("contact", move |c| snapshot::contact(c, id)).await
    }

    async fn put_blob(&self, id: &BlobId, bytes: Bytes) -> StoreResult<()> {
        let id = id.clone();
        self.write("put_blob", move |c| read::put_blob(c, &id, &bytes)).await
    }

    async fn blob(&self, id: &BlobId) -> StoreResult<Option<Bytes>> {
        let id = id.clone();
        self.read("blob", move |c| read::blob(c, &id)).await
    }

    async fn prune(&self, before: Timestamp) -> StoreResult<()> {
        self.write("prune", move |c| read::prune(c, before)).await
    }
}
