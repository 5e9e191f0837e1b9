//! Small whole values for the cases, and short names for what they do to a store.

use std::sync::atomic::{AtomicU64, Ordering};

use omni_core::content::Content;
use omni_core::conversation::{Actor, CloseReason, Closed, Conversation, Owner, TimerKind};
use omni_core::event::{ChatKind, EventKind, Origin};
use omni_core::id::{ConversationId, IdSource, MessageId, NodeId, ProviderMessageId, TimerToken};
use omni_core::outbound::Author;
use omni_core::plan::Reach;
use omni_core::policy::{Guard, Overtaken, Queued, Trace};
use omni_core::{Address, Status, Timestamp};
use omni_hub::store::{
    Applied, Batch, Changes, ChannelKey, Claim, Direction, Entry, HostEvent, Lookup, MessageRecord,
    OutboxRecord, OutboxState, PeerKey, PeerRecord, Snapshot, Store, StoreResult, Target, TimerRecord, Unit,
    node_lease,
};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A moment, in milliseconds after the one at which every case begins.
pub(super) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_767_225_600_000 + millis)
}

/// The channel most cases play on.
pub(super) fn shop() -> ChannelKey {
    ChannelKey::new("acme", "shop")
}

/// An address of it.
pub(super) fn peer(name: &str) -> PeerKey {
    shop().peer(Address::new(name))
}

/// A node's name.
pub(super) fn node(name: &str) -> NodeId {
    NodeId::from(name)
}

/// Makes values whose ids sort by their making.
#[derive(Debug)]
pub(super) struct Maker {
    ids: IdSource,
    millis: AtomicU64,
}

impl Maker {
    pub(super) fn new() -> Self {
        Self { ids: IdSource::new(11), millis: AtomicU64::new(0) }
    }

    /// A later moment with every call, so that ids sort.
    fn tick(&self) -> Timestamp {
        at(self.millis.fetch_add(1, Ordering::Relaxed).try_into().unwrap_or(i64::MAX))
    }

    pub(super) fn conversation(&self, peer: &PeerKey) -> Conversation {
        let now = self.tick();
        let id = ConversationId::next(&self.ids, now);
        Conversation::open(id, peer.tenant.clone(), peer.channel.clone(), peer.address.clone(), now)
    }

    pub(super) fn contact_id(&self) -> omni_core::id::ContactId {
        omni_core::id::ContactId::next(&self.ids, self.tick())
    }

    pub(super) fn inbound(&self, of: &Conversation, provider_id: &str) -> MessageRecord {
        self.message(of, Direction::In, None, &[provider_id])
    }

    pub(super) fn outgoing(&self, of: &Conversation, status: Status) -> MessageRecord {
        self.message(of, Direction::Out, Some(status), &[])
    }

    fn message(
        &self,
        of: &Conversation,
        direction: Direction,
        status: Option<Status>,
        ids: &[&str],
    ) -> MessageRecord {
        let now = self.tick();
        MessageRecord {
            id: MessageId::next(&self.ids, now),
            conversation: of.id,
            direction,
            author: if direction == Direction::In { Actor::Customer } else { Actor::Host },
            name: None,
            content: Content::text("Привет 👋🏽"),
            provider_ids: ids.iter().map(|id| ProviderMessageId::from(*id)).collect(),
            names: Vec::new(),
            album: None,
            reply_to: None,
            face: None,
            origin: Origin::Person,
            at: now,
            status,
            error: None,
            reactions: Vec::new(),
            edited_at: None,
            deleted_at: None,
        }
    }

    pub(super) fn row(
        &self,
        peer: &PeerKey,
        message: &MessageRecord,
        owner: Option<&NodeId>,
    ) -> OutboxRecord {
        OutboxRecord {
            message: message.id,
            peer: peer.clone(),
            conversation: message.conversation,
            chat: ChatKind::Private,
            author: Author::Person,
            guard: Guard::from(Overtaken::Never),
            queued_at: at(0),
            due: at(0),
            attempts: 0,
            state: OutboxState::Queued,
            owner: owner.cloned(),
        }
    }

    pub(super) fn timer(&self, of: &Conversation, due: Timestamp) -> TimerRecord {
        TimerRecord {
            token: TimerToken::next(&self.ids, self.tick()),
            conversation: of.id,
            channel: ChannelKey::new(of.tenant.clone(), of.channel.clone()),
            kind: TimerKind::Wake,
            due,
        }
    }
}

/// The record of an address, with its latest conversation.
pub(super) fn peer_record(key: &PeerKey, latest: Option<&Conversation>) -> PeerRecord {
    let conversation = latest.map(|c| c.id);
    PeerRecord { key: key.clone(), contact: None, conversation, reach: Reach::Open, note: None }
}

/// An agent as owner.
pub(super) fn agent(name: &str) -> Owner {
    Owner::Agent { agent: name.into() }
}

/// That a conversation was closed.
pub(super) fn closed() -> Option<Closed> {
    Some(Closed { at: at(1), reason: CloseReason::Done, by: Actor::Host })
}

/// A place in a team's queue, since so many milliseconds.
pub(super) fn queue_of(team: &str, since: i64) -> Option<Queued> {
    Some(Queued {
        team: team.into(),
        since: at(since),
        joined: at(since),
        skills: Vec::new(),
        prefer: None,
        excluded: Vec::new(),
        passed: Vec::new(),
    })
}

/// A line of the log.
pub(super) fn entry(text: &str, when: Timestamp) -> Entry {
    Entry {
        seq: 0,
        at: when,
        tenant: shop().tenant,
        channel: Some(shop().channel),
        conversation: None,
        event: HostEvent::Notice { topic: "test".to_owned(), text: text.to_owned() },
        why: Trace::default(),
    }
}

/// A claim of an event of [`shop`].
pub(super) fn claim(event: &str) -> Claim {
    Claim { channel: shop(), event: event.into(), kind: EventKind::Message }
}

/// The value, or the end of the case.
#[track_caller]
pub(super) fn ok<T>(result: StoreResult<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("the store failed: {error}"),
    }
}

/// Applies one unit.
pub(super) async fn apply(store: &dyn Store, unit: Unit) -> Applied {
    match ok(store.apply(Batch::from(unit)).await).pop() {
        Some(applied) => applied,
        None => panic!("a unit was applied and nothing was said of it"),
    }
}

/// Applies one unit that must not fail, and hands back its changes as written.
pub(super) async fn done(store: &dyn Store, unit: Unit) -> Changes {
    match apply(store, unit).await {
        Applied::Done(changes) => *changes,
        other => panic!("the unit should have been done: {other:?}"),
    }
}

/// Writes changes that look at nothing.
pub(super) async fn write(
    store: &dyn Store,
    mut changes: impl FnMut() -> Changes + Send + 'static,
) -> Changes {
    done(store, Unit::new(Target::Nothing, move |_| changes())).await
}

/// What a unit with this target and these look-ups is shown.
pub(super) async fn look(store: &dyn Store, target: Target, lookups: Vec<Lookup>) -> Snapshot {
    let seen = Arc::new(Mutex::new(None));
    let into = seen.clone();
    let unit = Unit::new(target, move |snapshot| {
        *into.lock().unwrap_or_else(PoisonError::into_inner) = Some(snapshot.clone());
        Changes::default()
    });
    done(store, unit.with_lookups(lookups)).await;
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    match seen {
        Some(snapshot) => snapshot,
        None => panic!("the decision was not asked"),
    }
}

/// Stores an address with an open conversation.
pub(super) async fn open(store: &dyn Store, make: &Maker, key: &PeerKey) -> Conversation {
    let conversation = make.conversation(key);
    let (record, stored) = (peer_record(key, Some(&conversation)), conversation.clone());
    write(store, move || Changes {
        peer: Some(record.clone()),
        conversation: Some(stored.clone()),
        ..Changes::default()
    })
    .await;
    conversation
}

/// Stores a conversation as it is now.
pub(super) async fn put(store: &dyn Store, conversation: &Conversation) {
    let stored = conversation.clone();
    write(store, move || Changes { conversation: Some(stored.clone()), ..Changes::default() }).await;
}

/// Stores an open conversation of an agent.
pub(super) async fn owned(store: &dyn Store, make: &Maker, key: &PeerKey, name: &str) -> Conversation {
    let conversation = Conversation { owner: agent(name), ..make.conversation(key) };
    put(store, &conversation).await;
    conversation
}

/// Changes a conversation as the hub does: read, change and write in one unit.
pub(super) async fn change(
    store: &dyn Store,
    id: ConversationId,
    mut how: impl FnMut(&mut Conversation) + Send + 'static,
) -> Changes {
    let unit = Unit::new(Target::Conversation(id), move |seen| {
        let mut conversation = seen.conversation.clone();
        conversation.iter_mut().for_each(&mut how);
        Changes { conversation, ..Changes::default() }
    });
    done(store, unit).await
}

/// Stores messages.
pub(super) async fn say(store: &dyn Store, messages: &[MessageRecord]) {
    let messages = messages.to_vec();
    write(store, move || Changes {
        new_messages: messages.iter().cloned().map(Arc::new).collect(),
        ..Changes::default()
    })
    .await;
}

/// Queues a message to an address for a node, and hands back the row as written.
pub(super) async fn queue(
    store: &dyn Store,
    make: &Maker,
    of: &Conversation,
    owner: Option<&NodeId>,
    change: impl Fn(&mut OutboxRecord),
) -> OutboxRecord {
    let key = ChannelKey::new(of.tenant.clone(), of.channel.clone()).peer(of.address.clone());
    let message = make.outgoing(of, Status::Queued);
    let mut row = make.row(&key, &message, owner);
    change(&mut row);
    let mut written = write(store, move || Changes {
        new_messages: vec![Arc::new(message.clone())],
        outbox: vec![row.clone()],
        ..Changes::default()
    })
    .await;
    match written.outbox.pop() {
        Some(row) => row,
        None => panic!("the row was not handed back as written"),
    }
}

/// Lets a node live until `until` milliseconds.
pub(super) async fn live(store: &dyn Store, node: &NodeId, until: u64) {
    let lease = ok(store.lease(&node_lease(node), node, at(0), Duration::from_millis(until)).await);
    assert!(lease.is_some(), "nobody else holds the lease of {node}");
}

/// The messages whose rows a node can take now, at most `limit`.
pub(super) async fn take(store: &dyn Store, node: &NodeId, now: Timestamp, limit: usize) -> Vec<MessageId> {
    let rows = ok(store.outbox_take(node, &[shop()], now, limit).await);
    rows.into_iter()
        .map(|(row, message)| {
            assert_eq!(row.message, message.id, "a row comes with its message");
            assert_eq!(row.owner.as_ref(), Some(node), "a row that is taken is owned");
            row.message
        })
        .collect()
}
