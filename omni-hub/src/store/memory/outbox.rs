//! Outbox rows: their order, their owners, their lanes.

use std::collections::HashSet;

use omni_core::Timestamp;
use omni_core::id::{MessageId, NodeId};

use super::tables::Tables;
use crate::store::{ChannelKey, MessageRecord, OutboxRecord, PeerKey, node_lease};

/// How many waiting rows of an address each node owns. Nearly always it is one node, so this is a short list.
#[derive(Default)]
pub(super) struct Lane {
    pub(super) owners: Vec<(Option<NodeId>, usize)>,
}

impl Lane {
    pub(super) fn add(&mut self, owner: &Option<NodeId>, rows: usize) {
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

impl Tables {
    pub(super) fn put_row(&mut self, row: &mut OutboxRecord) {
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

    pub(super) fn drop_row(&mut self, message: &MessageId) {
        let Some(seq) = self.outbox_seq.remove(message) else { return };
        let Some(row) = self.outbox.remove(&seq) else { return };
        if let Some(lane) = self.lanes.get_mut(&row.peer) {
            lane.remove(&row.owner);
            if lane.owners.is_empty() {
                self.lanes.remove(&row.peer);
            }
        }
    }

    fn lives(&self, node: &NodeId, now: Timestamp) -> bool {
        self.leases.get(&node_lease(node)).is_some_and(|lease| lease.until > now)
    }

    pub(super) fn take(
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

    pub(super) fn change_owner(&mut self, seq: u64, owner: Option<NodeId>) -> Option<OutboxRecord> {
        let row = self.outbox.get_mut(&seq)?;
        let lane = self.lanes.entry(row.peer.clone()).or_default();
        lane.remove(&row.owner);
        lane.add(&owner, 1);
        row.owner = owner;
        Some(row.clone())
    }
}
