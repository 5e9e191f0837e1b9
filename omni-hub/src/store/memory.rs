//! The store in memory: for tests, demonstrations and load measurements. Nothing survives the process, so
//! "acknowledged means committed" (law 1) holds only while it runs.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use omni_core::event::MessageName;
use omni_core::id::{
    BlobId, ConsumerId, ContactId, ConversationId, Cursor, MessageId, NodeId, ProviderMessageId, TimerToken,
};
use omni_core::{Contact, Conversation, Status, Timestamp};

use super::{
    Applied, Batch, Changes, ChannelKey, Claim, ConversationQuery, Direction, Entry, Lease, Lookup,
    MessageRecord, OutboxRecord, PeerKey, PeerRecord, Snapshot, StatusPatch, Store, StoreError, StoreResult,
    Target, TimerRecord, Unit, node_lease,
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

#[derive(Default)]
struct Tables {
    limits: MemoryLimits,
    claims: HashSet<Claim>,
    claim_order: VecDeque<Claim>,
    peers: HashMap<PeerKey, PeerRecord>,
    conversations: HashMap<ConversationId, Conversation>,
    contacts: HashMap<ContactId, Contact>,
    identities: HashMap<(String, String, String), ContactId>,
    messages: HashMap<MessageId, Arc<MessageRecord>>,
    /// Message ids sort by their making, so a conversation's list is in order.
    threads: HashMap<ConversationId, VecDeque<MessageId>>,
    settled: VecDeque<MessageId>,
    by_provider: HashMap<(ChannelKey, ProviderMessageId), Vec<MessageId>>,
    outbox: BTreeMap<u64, OutboxRecord>,
    outbox_seq: HashMap<MessageId, u64>,
    lanes: HashMap<PeerKey, Lane>,
    next_row: u64,
    timers: BTreeMap<(Timestamp, TimerToken), TimerRecord>,
    timer_due: HashMap<TimerToken, Timestamp>,
    leases: HashMap<String, Lease>,
    cursors: HashMap<ChannelKey, Cursor>,
    /// Boxed: a table that grows moves what stands in it.
    entries: VecDeque<Box<Entry>>,
    last_seq: u64,
    consumers: HashMap<ConsumerId, u64>,
    blobs: HashMap<BlobId, Bytes>,
}

/// How many waiting rows of an address each node owns. Nearly always it is one node, so this is a short list.
#[derive(Default)]
struct Lane {
    owners: Vec<(Option<NodeId>, usize)>,
}

impl Lane {
    fn add(&mut self, owner: &Option<NodeId>, rows: usize) {
        match self.owners.iter_mut().find(|(known, _)| known == owner) {
            Some((_, count)) => *count += rows,
            None => self.owners.push((owner.clone(), rows)),
        }
    }

    fn remove(&mut self, owner: &Option<NodeId>) {
        for (known, count) in &mut self.owners {
            if known == owner {
                *count -= 1;
            }
        }
        self.owners.retain(|(_, count)| *count > 0);
    }

    /// Whether rows wait here that somebody else owns, or nobody.
    fn is_elsewhere(&self, owner: &Option<NodeId>) -> bool {
        self.owners.iter().any(|(known, _)| known != owner)
    }
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

fn identity_key(i: &omni_core::Identity) -> (String, String, String) {
    (i.provider.to_string(), i.scope.clone(), i.id.clone())
}

impl Tables {
    fn run(&mut self, mut unit: Unit) -> Applied {
        if unit.claim.as_ref().is_some_and(|(claim, _)| self.claims.contains(claim)) {
            return Applied::Duplicate;
        }
        let snapshot = self.snapshot(&unit.target, &unit.lookups);
        let Ok(mut changes) = catch_unwind(AssertUnwindSafe(|| (unit.decide)(&snapshot))) else {
            return Applied::Failed(StoreError::Panicked);
        };
        if let Some((claim, _)) = unit.claim {
            self.claim_order.push_back(claim.clone());
            self.claims.insert(claim);
            while self.claims.len() > self.limits.claims {
                let Some(oldest) = self.claim_order.pop_front() else { break };
                self.claims.remove(&oldest);
            }
        }
        self.write(&mut changes);
        Applied::Done(Box::new(changes))
    }

    fn snapshot(&self, target: &Target, lookups: &[Lookup]) -> Snapshot {
        let mut found = Snapshot::default();
        match target {
            Target::Nothing => {}
            Target::Peer(key) => found.peer = self.peers.get(key).cloned(),
            Target::Conversation(id) => found.conversation = self.conversations.get(id).cloned(),
            Target::Message(channel, name) => {
                let message = match name {
                    MessageName::Ours(id) => self.message(id).filter(|m| self.is_of(m, channel)),
                    MessageName::Provider(id) => self
                        .by_provider
                        .get(&(channel.clone(), id.clone()))
                        .and_then(|ids| ids.iter().rev().find_map(|id| self.message(id))),
                };
                found.conversation = message.and_then(|m| self.conversations.get(&m.conversation)).cloned();
                found.messages.extend(message.cloned());
            }
        }
        if let Some(c) = &found.conversation {
            let key = ChannelKey::new(c.tenant.clone(), c.channel.clone()).peer(c.address.clone());
            found.peer = self.peers.get(&key).cloned();
        } else if let Some(id) = found.peer.as_ref().and_then(|p| p.conversation) {
            found.conversation = self.conversations.get(&id).cloned();
        }
        let contact = found.peer.as_ref().and_then(|p| p.contact);
        found.contact = contact.and_then(|id| self.contacts.get(&id)).cloned();
        for lookup in lookups {
            self.look_up(lookup, target, &mut found);
        }
        found
    }

    fn message(&self, id: &MessageId) -> Option<&MessageRecord> {
        self.messages.get(id).map(Arc::as_ref)
    }

    fn is_of(&self, message: &MessageRecord, channel: &ChannelKey) -> bool {
        let of = self.conversations.get(&message.conversation);
        of.is_some_and(|c| c.tenant == channel.tenant && c.channel == channel.channel)
    }

    fn look_up(&self, lookup: &Lookup, target: &Target, found: &mut Snapshot) {
        let thread = found.conversation.as_ref().and_then(|c| self.threads.get(&c.id));
        let in_thread = || thread.into_iter().flatten().rev().filter_map(|id| self.message(id));
        match lookup {
            Lookup::Message(id) => found.messages.extend(self.message(id).cloned()),
            Lookup::Album(album) => {
                let joined = in_thread().take(50).find(|m| m.album.as_ref() == Some(album));
                found.messages.extend(joined.cloned());
            }
            Lookup::Provider(id) => {
                let Target::Peer(key) = target else { return };
                let at_address = |m: &&MessageRecord| {
                    self.conversations.get(&m.conversation).is_some_and(|c| c.address == key.address)
                };
                let ids = self.by_provider.get(&(key.channel_key(), id.clone()));
                let messages = ids.into_iter().flatten().filter_map(|id| self.message(id));
                found.messages.extend(messages.filter(at_address).cloned());
            }
            Lookup::Unsettled => {
                let open = in_thread()
                    .take(200)
                    .filter(|m| matches!(m.status, Some(Status::Sending | Status::Unknown | Status::Queued)));
                found.messages.extend(open.cloned());
            }
            Lookup::Unread => {
                let unread =
                    |m: &&MessageRecord| m.direction == Direction::Out && m.status != Some(Status::Read);
                found.messages.extend(in_thread().take(200).filter(unread).cloned());
            }
            Lookup::Identity(identity) if found.contact.is_none() => {
                let id = self.identities.get(&identity_key(identity));
                found.contact = id.and_then(|id| self.contacts.get(id)).cloned();
            }
            Lookup::Identity(_) => {}
        }
    }

    fn write(&mut self, changes: &mut Changes) {
        if let Some(peer) = &changes.peer {
            self.peers.insert(peer.key.clone(), peer.clone());
        }
        if let Some(c) = &changes.conversation {
            self.conversations.insert(c.id, c.clone());
        }
        if let Some(contact) = &changes.contact {
            for identity in &contact.identities {
                self.identities.insert(identity_key(identity), contact.id);
            }
            self.contacts.insert(contact.id, contact.clone());
        }
        for message in &changes.new_messages {
            self.threads.entry(message.conversation).or_default().push_back(message.id);
            if message.status.is_none_or(Status::is_settled) {
                self.settled.push_back(message.id);
            }
            self.index(message.id, message.conversation, &message.provider_ids);
            self.messages.insert(message.id, message.clone());
        }
        for message in &changes.changed_messages {
            let Some(known) = self.messages.get_mut(&message.id) else { continue };
            let (status, error) = (known.status, known.error.clone());
            *known = Arc::new(MessageRecord { status, error, ..message.clone() });
            self.index(message.id, message.conversation, &message.provider_ids);
        }
        for patch in &changes.statuses {
            self.patch(patch);
        }
        for row in &mut changes.outbox {
            self.put_row(row);
        }
        for message in &changes.outbox_done {
            self.drop_row(message);
            self.settled.push_back(*message);
        }
        for timer in &changes.timers {
            self.timer_due.insert(timer.token, timer.due);
            self.timers.insert((timer.due, timer.token), timer.clone());
        }
        for token in &changes.timers_done {
            if let Some(due) = self.timer_due.remove(token) {
                self.timers.remove(&(due, *token));
            }
        }
        if let Some((from, to)) = &changes.moved {
            self.rename(from, to);
        }
        for entry in &mut changes.entries {
            self.last_seq += 1;
            entry.seq = self.last_seq;
            self.entries.push_back(Box::new(entry.clone()));
        }
        while self.entries.len() > self.limits.entries {
            self.entries.pop_front();
        }
        self.forget_old_messages();
    }

    fn index(&mut self, message: MessageId, conversation: ConversationId, ids: &[ProviderMessageId]) {
        let Some(c) = self.conversations.get(&conversation) else { return };
        let channel = ChannelKey { tenant: c.tenant.clone(), channel: c.channel.clone() };
        for id in ids {
            let known = self.by_provider.entry((channel.clone(), id.clone())).or_default();
            if !known.contains(&message) {
                known.push(message);
            }
        }
    }

    fn patch(&mut self, patch: &StatusPatch) {
        let Some(message) = self.messages.get_mut(&patch.message) else { return };
        // The journal keeps what the message was when it was queued.
        let message = Arc::make_mut(message);
        if let Some(old) = message.status.filter(|old| old.merge(patch.status) != *old) {
            message.status = Some(old.merge(patch.status));
            message.error.clone_from(&patch.error);
        }
        if !patch.provider_ids.is_empty() {
            message.provider_ids.clone_from(&patch.provider_ids);
            let conversation = message.conversation;
            self.index(patch.message, conversation, &patch.provider_ids);
        }
    }

    fn put_row(&mut self, row: &mut OutboxRecord) {
        if let Some(known) = self.outbox_seq.get(&row.message).and_then(|seq| self.outbox.get_mut(seq)) {
            (row.owner, row.peer) = (known.owner.clone(), known.peer.clone());
            known.clone_from(row);
            return;
        }
        let lane = self.lanes.entry(row.peer.clone()).or_default();
        if lane.is_elsewhere(&row.owner) {
            row.owner = None;
        }
        lane.add(&row.owner, 1);
        self.next_row += 1;
        self.outbox_seq.insert(row.message, self.next_row);
        self.outbox.insert(self.next_row, row.clone());
    }

    fn drop_row(&mut self, message: &MessageId) {
        let Some(seq) = self.outbox_seq.remove(message) else { return };
        let Some(row) = self.outbox.remove(&seq) else { return };
        if let Some(lane) = self.lanes.get_mut(&row.peer) {
            lane.remove(&row.owner);
            if lane.owners.is_empty() {
                self.lanes.remove(&row.peer);
            }
        }
    }

    fn rename(&mut self, from: &PeerKey, to: &omni_core::Address) {
        let key = PeerKey { address: to.clone(), ..from.clone() };
        let Some(mut peer) = self.peers.remove(from) else { return };
        for c in self.conversations.values_mut() {
            if c.address == from.address && c.channel == from.channel && c.tenant == from.tenant {
                c.address = to.clone();
            }
        }
        for row in self.outbox.values_mut().filter(|row| row.peer == *from) {
            row.peer = key.clone();
        }
        if let Some(lane) = self.lanes.remove(from) {
            let joined = self.lanes.entry(key.clone()).or_default();
            lane.owners.iter().for_each(|(owner, rows)| joined.add(owner, *rows));
        }
        peer.key = key.clone();
        self.peers.entry(key).or_insert(peer);
    }

    fn forget_old_messages(&mut self) {
        while self.settled.len() > self.limits.messages {
            let Some(oldest) = self.settled.pop_front() else { break };
            let Some(message) = self.messages.remove(&oldest) else { continue };
            if let Some(thread) = self.threads.get_mut(&message.conversation) {
                // Nearly always the first of its thread; one that was settled late is not.
                match thread.front() {
                    Some(first) if *first == oldest => drop(thread.pop_front()),
                    _ => thread.retain(|id| *id != oldest),
                }
            }
            let Some(c) = self.conversations.get(&message.conversation) else { continue };
            let channel = ChannelKey { tenant: c.tenant.clone(), channel: c.channel.clone() };
            for id in message.provider_ids.iter().cloned() {
                let name = (channel.clone(), id);
                let Some(named) = self.by_provider.get_mut(&name) else { continue };
                named.retain(|id| *id != oldest);
                if named.is_empty() {
                    self.by_provider.remove(&name);
                }
            }
        }
    }

    fn lives(&self, node: &NodeId, now: Timestamp) -> bool {
        self.leases.get(&node_lease(node)).is_some_and(|lease| lease.until > now)
    }

    fn take(
        &mut self,
        node: &NodeId,
        channels: &[ChannelKey],
        now: Timestamp,
        limit: usize,
    ) -> Vec<(OutboxRecord, MessageRecord)> {
        let channels: HashSet<&ChannelKey> = channels.iter().collect();
        let mut blocked: HashSet<PeerKey> = HashSet::new();
        let mut taken = Vec::new();
        for (seq, row) in &self.outbox {
            if taken.len() == limit {
                break;
            }
            if !channels.contains(&row.peer.channel_key()) {
                continue;
            }
            let ours = row.owner.as_ref() == Some(node);
            let others = row.owner.as_ref().is_some_and(|owner| owner != node && self.lives(owner, now));
            // A row that waits for its time, or for another node, holds back what is behind it.
            if others || (!ours && row.due > now) {
                blocked.insert(row.peer.clone());
            } else if !ours && !blocked.contains(&row.peer) {
                taken.push(*seq);
            }
        }
        let own = |seq: u64| {
            let row = self.change_owner(seq, Some(node.clone()))?;
            let message = self.message(&row.message)?.clone();
            Some((row, message))
        };
        taken.into_iter().filter_map(own).collect()
    }

    fn change_owner(&mut self, seq: u64, owner: Option<NodeId>) -> Option<OutboxRecord> {
        let row = self.outbox.get_mut(&seq)?;
        let lane = self.lanes.entry(row.peer.clone()).or_default();
        lane.remove(&row.owner);
        lane.add(&owner, 1);
        row.owner = owner;
        Some(row.clone())
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
