//! The tables behind the lock: claim, look, decide, write.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use omni_core::event::MessageName;
use omni_core::id::{
    BlobId, ConsumerId, ContactId, ConversationId, Cursor, MessageId, ProviderMessageId, TenantId, TimerToken,
};
use omni_core::{Address, Contact, Conversation, Identity, Status, Timestamp};

use super::MemoryLimits;
use super::desks::Desks;
use super::outbox::Lane;
use crate::store::{
    Applied, Changes, ChannelKey, Claim, Direction, Entry, Lease, Lookup, MessageRecord, OutboxRecord,
    PeerKey, PeerRecord, Snapshot, StatusPatch, StoreError, Target, TimerRecord, Unit,
};

#[derive(Default)]
pub(super) struct Tables {
    pub(super) limits: MemoryLimits,
    pub(super) claims: HashSet<Claim>,
    pub(super) claim_order: VecDeque<Claim>,
    pub(super) peers: HashMap<PeerKey, PeerRecord>,
    pub(super) conversations: HashMap<ConversationId, Conversation>,
    pub(super) desks: Desks,
    pub(super) contacts: HashMap<ContactId, Contact>,
    pub(super) identities: HashMap<IdentityKey, ContactId>,
    pub(super) messages: HashMap<MessageId, Arc<MessageRecord>>,
    /// Message ids sort by their making, so a conversation's list is in order.
    pub(super) threads: HashMap<ConversationId, VecDeque<MessageId>>,
    pub(super) settled: VecDeque<MessageId>,
    pub(super) by_provider: HashMap<(ChannelKey, ProviderMessageId), Vec<MessageId>>,
    pub(super) outbox: BTreeMap<u64, OutboxRecord>,
    pub(super) outbox_seq: HashMap<MessageId, u64>,
    pub(super) lanes: HashMap<PeerKey, Lane>,
    pub(super) next_row: u64,
    pub(super) timers: BTreeMap<(Timestamp, TimerToken), TimerRecord>,
    pub(super) timer_due: HashMap<TimerToken, Timestamp>,
    pub(super) leases: HashMap<String, Lease>,
    pub(super) cursors: HashMap<ChannelKey, Cursor>,
    /// Boxed: a table that grows moves what stands in it.
    pub(super) entries: VecDeque<Box<Entry>>,
    pub(super) last_seq: u64,
    pub(super) consumers: HashMap<ConsumerId, u64>,
    pub(super) blobs: HashMap<BlobId, Bytes>,
}

impl Tables {
    pub(super) fn run(&mut self, mut unit: Unit) -> Applied {
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
        if let Target::Thread(named, after) = target {
            found.thread = self.thread(&named.channel_key(), after).cloned();
        }
        let place = target.place(found.thread.as_ref());
        match target {
            Target::Nothing => {}
            Target::Peer(_) | Target::Thread(..) => {
                found.peer = place.as_ref().and_then(|key| self.peers.get(key)).cloned();
            }
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
            self.look_up(lookup, place.as_ref(), &mut found);
        }
        found
    }

    /// The address of the first of these messages that is known on a channel.
    fn thread(&self, channel: &ChannelKey, after: &[ProviderMessageId]) -> Option<&Address> {
        after.iter().find_map(|id| {
            let named = self.by_provider.get(&(channel.clone(), id.clone()))?;
            let newest = named.iter().filter_map(|id| self.message(id)).max_by_key(|m| m.id)?;
            self.conversations.get(&newest.conversation).map(|c| &c.address)
        })
    }

    pub(super) fn message(&self, id: &MessageId) -> Option<&MessageRecord> {
        self.messages.get(id).map(Arc::as_ref)
    }

    fn is_of(&self, message: &MessageRecord, channel: &ChannelKey) -> bool {
        let of = self.conversations.get(&message.conversation);
        of.is_some_and(|c| c.tenant == channel.tenant && c.channel == channel.channel)
    }

    fn look_up(&self, lookup: &Lookup, place: Option<&PeerKey>, found: &mut Snapshot) {
        let thread = found.conversation.as_ref().and_then(|c| self.threads.get(&c.id));
        let in_thread = || thread.into_iter().flatten().rev().filter_map(|id| self.message(id));
        match lookup {
            Lookup::Message(channel, id) => {
                let message = self.message(id).filter(|m| self.is_of(m, channel));
                found.messages.extend(message.cloned());
            }
            Lookup::Album(album) => {
                let joined = in_thread().take(50).find(|m| m.album.as_ref() == Some(album));
                found.messages.extend(joined.cloned());
            }
            Lookup::Provider(id) => {
                let Some(key) = place else { return };
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
            Lookup::Identity(tenant, identity) if found.contact.is_none() => {
                let id = self.identities.get(&identity_key(tenant, identity));
                found.contact = id.and_then(|id| self.contacts.get(id)).cloned();
            }
            Lookup::Identity(..) => {}
            Lookup::Agent(tenant, agent) => {
                found.agents.push((agent.clone(), self.desks.agent(tenant, agent)));
            }
            Lookup::Contact(id) => found.contacts.extend(self.contacts.get(id).cloned()),
            Lookup::Conversation(id) => found.others.extend(self.conversations.get(id).cloned()),
        }
    }

    fn write(&mut self, changes: &mut Changes) {
        changes.follow_merge();
        if let Some(peer) = &changes.peer {
            self.peers.insert(peer.key.clone(), peer.clone());
        }
        for c in changes.conversation.iter().chain(&changes.more_conversations) {
            let old = self.conversations.insert(c.id, c.clone());
            self.desks.changed(old.as_ref(), c);
        }
        if let Some(contact) = &changes.contact {
            for identity in &contact.identities {
                self.identities.insert(identity_key(&contact.tenant, identity), contact.id);
            }
            self.contacts.insert(contact.id, contact.clone());
        }
        if let Some((from, into)) = changes.merge() {
            self.merge(from, into);
        }
        for patch in &changes.agents {
            self.desks.patch(patch);
        }
        for message in &changes.new_messages {
            self.threads.entry(message.conversation).or_default().push_back(message.id);
            if message.status.is_none_or(Status::is_settled) {
                self.settled.push_back(message.id);
            }
            self.index(message.id, message.conversation, message.known_as());
            self.messages.insert(message.id, message.clone());
        }
        for message in &changes.changed_messages {
            let Some(known) = self.messages.get_mut(&message.id) else { continue };
            let (status, error) = (known.status, known.error.clone());
            *known = Arc::new(MessageRecord { status, error, ..message.clone() });
            self.index(message.id, message.conversation, message.known_as());
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

    fn merge(&mut self, from: ContactId, into: ContactId) {
        self.contacts.remove(&from);
        let identities = self.identities.values_mut();
        let peers = self.peers.values_mut().filter_map(|peer| peer.contact.as_mut());
        let conversations = self.conversations.values_mut().filter_map(|c| c.contact.as_mut());
        for contact in identities.chain(peers).chain(conversations).filter(|contact| **contact == from) {
            *contact = into;
        }
    }

    fn index<'i>(
        &mut self,
        message: MessageId,
        conversation: ConversationId,
        ids: impl Iterator<Item = &'i ProviderMessageId>,
    ) {
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
            self.index(patch.message, conversation, patch.provider_ids.iter());
        }
    }

    fn rename(&mut self, from: &PeerKey, to: &Address) {
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
        let note = peer.note.clone();
        let joined = self.peers.entry(key).or_insert(peer);
        joined.note = joined.note.take().or(note);
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
            for id in message.known_as().cloned() {
                let name = (channel.clone(), id);
                let Some(named) = self.by_provider.get_mut(&name) else { continue };
                named.retain(|id| *id != oldest);
                if named.is_empty() {
                    self.by_provider.remove(&name);
                }
            }
        }
    }
}

/// Tenant, provider, scope, id.
type IdentityKey = (TenantId, String, String, String);

fn identity_key(tenant: &TenantId, i: &Identity) -> IdentityKey {
    (tenant.clone(), i.provider.to_string(), i.scope.clone(), i.id.clone())
}
