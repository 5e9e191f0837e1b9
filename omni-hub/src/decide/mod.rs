//! The pure half of the hub: from what happened and what is, to what is to be changed.
//!
//! Everything here runs inside the store's transaction, reads no clock and does no input or output, so every
//! rule of conversations, matching and automatic texts is in one place and testable without a runtime.

mod action;
mod desk;
mod effect;
mod event;
mod outcome;
mod person;
mod send;
mod thread;

pub(crate) use action::{begin, do_action, postpone, reply, settle, timer};
pub(crate) use desk::{bot_answered, merge_contacts, place, set_presence};
pub(crate) use event::{event_unit, parked_unit};
pub(crate) use outcome::{Outcome, before_send, outcome};
pub use send::Draft;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use omni_core::channel::Channel;
use omni_core::conversation::{Actor, Closed, Owner, Timer, TimerKind};
use omni_core::event::Event;
use omni_core::id::{AccountId, AgentId, ConversationId, IdSource, NodeId, TimerToken};
use omni_core::plan::Publishing;
use omni_core::policy::{Input, Policy, Trace, Verdict};
use omni_core::{Contact, Conversation, Provider, Timestamp};

use crate::store::{
    AgentPatch, Changes, ChannelKey, Entry, HostEvent, PeerKey, PeerRecord, Snapshot, TimerRecord,
};
use crate::tenant::Tenant;

/// What decisions of one channel have in common.
#[derive(Clone, Debug)]
pub(crate) struct Env {
    pub(crate) key: ChannelKey,
    pub(crate) channel: Arc<dyn Channel>,
    pub(crate) policy: Arc<dyn Policy>,
    /// Whether the policy is the host's own, and not the tenant's book.
    pub(crate) own_policy: bool,
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) provider: Provider,
    pub(crate) account: Option<AccountId>,
    pub(crate) ids: Arc<IdSource>,
    pub(crate) node: NodeId,
    pub(crate) backlog: Arc<Backlog>,
    /// Whether the host publishes files of the store.
    pub(crate) publishing: Publishing,
}

/// How much of a channel's outbox is in this process's memory.
#[derive(Debug)]
pub(crate) struct Backlog {
    pub(crate) waiting: AtomicUsize,
    pub(crate) room: usize,
    /// Whether a dispatcher runs that will send what is put here. Until then, and after it, rows wait in the
    /// store without an owner, for whichever node sends first.
    pub(crate) open: AtomicBool,
}

impl Backlog {
    pub(crate) fn has_room(&self) -> bool {
        self.open.load(Ordering::Acquire) && self.waiting.load(Ordering::Relaxed) < self.room
    }
}

/// Whether something may be answered automatically (law 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OtherSide {
    Person,
    Robot,
}

/// How many people may write in a talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writers {
    /// Whoever writes at the address is the person whose talk it is, under whatever name.
    One,
    /// Messages say which ones they continue: whoever got one of them may, from any address of their own.
    Several,
}

/// One decision in the making.
struct Decision<'a> {
    env: &'a Env,
    now: Timestamp,
    changes: Changes,
    peer: Option<PeerRecord>,
    conversation: Option<Conversation>,
    contact: Option<Contact>,
    /// The agent who had the open conversation before.
    had: Option<AgentId>,
    /// When its agent counts as having been given it, where that is not now: the turns of round robin.
    given_at: Option<Timestamp>,
    /// Whether the effects of a step are being done, and whether one of them ended the conversation: the policy hears of
    /// that when all are done, so that what it says then comes last.
    stepping: bool,
    ended: bool,
    /// What the policy noted since the last entry.
    trace: Trace,
    other_side: OtherSide,
    writers: Writers,
}

impl<'a> Decision<'a> {
    fn new(env: &'a Env, now: Timestamp, snapshot: &Snapshot) -> Self {
        Self {
            env,
            now,
            changes: Changes::default(),
            peer: snapshot.peer.clone(),
            conversation: snapshot.conversation.clone(),
            contact: snapshot.contact.clone(),
            had: owner_of(snapshot.conversation.as_ref()),
            given_at: None,
            stepping: false,
            ended: false,
            trace: Trace::default(),
            other_side: OtherSide::Person,
            writers: Writers::One,
        }
    }

    /// Adds a host event about the conversation at hand.
    fn tell(&mut self, event: HostEvent) {
        let why = std::mem::take(&mut self.trace);
        self.changes.entries.push(Entry {
            seq: 0,
            at: self.now,
            tenant: self.env.key.tenant.clone(),
            channel: Some(self.env.key.channel.clone()),
            conversation: self.conversation.as_ref().map(|c| c.id),
            event,
            why: if why.decided() { why } else { Trace::default() },
        });
    }

    fn set_timer(&mut self, kind: TimerKind, due: Timestamp) {
        self.cancel_timer(kind);
        let Some(conversation) = &mut self.conversation else { return };
        let token = TimerToken::next(&self.env.ids, self.now);
        conversation.timers.push(Timer { kind, due, token });
        let channel = self.env.key.clone();
        self.changes.timers.push(TimerRecord { token, conversation: conversation.id, channel, kind, due });
    }

    fn cancel_timer(&mut self, kind: TimerKind) {
        let Some(conversation) = &mut self.conversation else { return };
        let Changes { timers, timers_done, .. } = &mut self.changes;
        conversation.timers.retain(|timer| {
            if timer.kind == kind {
                timers.retain(|t| t.token != timer.token);
                timers_done.push(timer.token);
            }
            timer.kind != kind
        });
    }

    /// Ends the conversation and its timers: closed means that no timer runs.
    fn close(&mut self, closed: Closed) {
        let Some(conversation) = &mut self.conversation else { return };
        if !conversation.is_open() {
            return;
        }
        conversation.closed = Some(closed);
        conversation.unread = 0;
        let kinds: Vec<TimerKind> = conversation.timers.iter().map(|t| t.kind).collect();
        for kind in kinds {
            self.cancel_timer(kind);
        }
        if let Some(snapshot) = self.conversation.clone()
            && let Some(summary) = snapshot.summary()
        {
            self.tell(HostEvent::Closed { summary: Box::new(summary), snapshot: Box::new(snapshot) });
        }
        if self.stepping {
            self.ended = true;
        } else {
            self.step(&Input::Closed);
        }
    }

    /// Opens the conversation again, for an event or because somebody wants it.
    fn reopen(&mut self, by: Actor, event: Option<&Event>) {
        let Some(conversation) = &mut self.conversation else { return };
        if conversation.closed.take().is_some() {
            let heard = event.map(|e| thread_time(e, self.now));
            conversation.last_inbound_at = conversation.last_inbound_at.max(heard);
            self.tell(HostEvent::Reopened { by });
            self.step(&Input::Reopened(event));
        }
    }

    /// Begins a conversation at `key`; `event` is what the person began it with.
    fn open(&mut self, key: PeerKey, event: Option<&Event>, prepare: impl FnOnce(&mut Conversation)) {
        let id = ConversationId::next(&self.env.ids, self.now);
        let PeerKey { tenant, channel, address } = key.clone();
        let former = self.conversation.take();
        let mut conversation = Conversation::open(id, tenant, channel, address, self.now);
        prepare(&mut conversation);
        // Before its first step: the person is there, and may be answered.
        conversation.last_inbound_at =
            event.map(|e| thread_time(e, self.now)).or(conversation.last_inbound_at);
        if let Some(former) = former {
            conversation.flow.returning = true;
            conversation.flow.memory = former.flow.memory;
        }
        let peer = self.peer.get_or_insert_with(|| PeerRecord {
            key,
            contact: None,
            conversation: None,
            reach: Default::default(),
            note: None,
        });
        peer.conversation = Some(id);
        conversation.contact = peer.contact;
        self.changes.peer = Some(peer.clone());
        if let Some(contact) = &mut self.contact {
            conversation.flow.returning |= contact.memory.conversations > 0;
            contact.memory.conversations = contact.memory.conversations.saturating_add(1);
            self.changes.contact = Some(contact.clone());
        }
        self.conversation = Some(conversation);
        self.step(&Input::Opened(event));
        if let Some(snapshot) = self.conversation.clone() {
            self.tell(HostEvent::Opened { snapshot: Box::new(snapshot) });
        }
    }

    /// Ends the decision: what changed of the conversation and what the trace still holds goes along.
    fn finish(mut self) -> Changes {
        if self.trace.steps.iter().any(|s| s.verdict == Verdict::Dropped) {
            self.tell(HostEvent::Dropped { message: None });
        }
        if self.changes.refused.is_none() {
            self.note_load();
            self.changes.conversation = self.conversation;
        }
        self.changes
    }

    /// An agent who lost the conversation is freer now, one who got it had the last turn.
    fn note_load(&mut self) {
        let Some(conversation) = &self.conversation else { return };
        let has = owner_of(Some(conversation));
        if has == self.had {
            return;
        }
        let tenant = &conversation.tenant;
        let patch = |agent: AgentId| AgentPatch {
            tenant: tenant.clone(),
            agent,
            presence: None,
            assigned_at: None,
            freed_at: None,
        };
        let freed = self.had.take().map(|a| AgentPatch { freed_at: Some(self.now), ..patch(a) });
        let given_at = self.given_at.unwrap_or(self.now);
        let given = has.map(|a| AgentPatch { assigned_at: Some(given_at), ..patch(a) });
        self.changes.agents.extend(freed.into_iter().chain(given));
    }
}

/// The agent who has an open conversation.
fn owner_of(conversation: Option<&Conversation>) -> Option<AgentId> {
    match conversation.filter(|c| c.is_open()).map(|c| &c.owner) {
        Some(Owner::Agent { agent }) => Some(agent.clone()),
        _ => None,
    }
}

/// When an event counts as having happened in a thread: by the provider's clock, unless it is ahead of ours.
fn thread_time(event: &Event, now: Timestamp) -> Timestamp {
    event.at.map_or(now, |at| at.min(now))
}
