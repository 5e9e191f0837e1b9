//! The pure half of the hub: from what happened and what is, to what is to be changed.
//!
//! Everything here runs inside the store's transaction, reads no clock and does no input or output, so every
//! rule of conversations, matching and automatic texts is in one place and testable without a runtime.

mod action;
mod event;
mod outcome;
mod send;

pub(crate) use action::{begin, do_action, postpone, reply, settle, timer};
pub(crate) use event::{event_unit, parked_unit};
pub(crate) use outcome::{Outcome, before_send, outcome};
pub use send::Draft;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use omni_core::channel::Channel;
use omni_core::conversation::{Actor, Closed, Timer, TimerKind};
use omni_core::event::Event;
use omni_core::id::{AccountId, ConversationId, IdSource, NodeId, TimerToken};
use omni_core::policy::{Context, Effect, Input, Policy, Trace, Verdict};
use omni_core::{Conversation, Timestamp};

use crate::store::{Changes, ChannelKey, Entry, HostEvent, PeerKey, PeerRecord, Snapshot, TimerRecord};

/// What decisions of one channel have in common.
#[derive(Clone, Debug)]
pub(crate) struct Env {
    pub(crate) key: ChannelKey,
    pub(crate) channel: Arc<dyn Channel>,
    pub(crate) policy: Arc<dyn Policy>,
    pub(crate) account: Option<AccountId>,
    pub(crate) ids: Arc<IdSource>,
    pub(crate) node: NodeId,
    pub(crate) backlog: Arc<Backlog>,
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

/// One decision in the making.
struct Decision<'a> {
    env: &'a Env,
    now: Timestamp,
    changes: Changes,
    peer: Option<PeerRecord>,
    conversation: Option<Conversation>,
    /// What the policy noted since the last entry.
    trace: Trace,
    other_side: OtherSide,
}

impl<'a> Decision<'a> {
    fn new(env: &'a Env, now: Timestamp, snapshot: &Snapshot) -> Self {
        Self {
            env,
            now,
            changes: Changes::default(),
            peer: snapshot.peer.clone(),
            conversation: snapshot.conversation.clone(),
            trace: Trace::default(),
            other_side: OtherSide::Person,
        }
    }

    /// Adds a host event about the conversation at hand.
    fn tell(&mut self, event: HostEvent) {
        let why = std::mem::take(&mut self.trace);
        self.changes.entries.push(Entry {
            seq: 0,
            at: self.now,
            tenant: self.env.key.tenant.clone(),
            channel: self.env.key.channel.clone(),
            conversation: self.conversation.as_ref().map(|c| c.id),
            event,
            why: if why.decided() { why } else { Trace::default() },
        });
    }

    /// Runs the policy on an input and does what it wants.
    fn step(&mut self, input: &Input<'_>) {
        let Some(conversation) = &self.conversation else { return };
        let step = self.env.policy.step(conversation, input, &Context::at(self.now));
        self.trace.steps.extend(step.trace.steps);
        for effect in step.effects {
            self.effect(effect);
        }
    }

    fn effect(&mut self, effect: Effect) {
        let Some(conversation) = &mut self.conversation else { return };
        match effect {
            Effect::Reply { content, by, unless } => {
                if self.other_side == OtherSide::Robot {
                    self.trace.note("automatic text", Verdict::Dropped, "the other side is a robot");
                    return self.tell(HostEvent::Dropped { message: None });
                }
                let mut draft = Draft::new(content, by);
                draft.unless = unless;
                if let Err(refusal) = self.queue(draft) {
                    self.trace.note("automatic text", Verdict::Dropped, refusal.to_string());
                    self.tell(HostEvent::Dropped { message: None });
                }
            }
            Effect::Assign { to } => {
                conversation.owner = to.clone();
                self.tell(HostEvent::Assigned { to, by: Actor::Rule { rule: "policy".to_owned() } });
            }
            Effect::Show { to } => conversation.visible = to,
            Effect::Close { reason, by } => self.close(Closed { at: self.now, reason, by }),
            Effect::SetTimer { kind, due } => self.set_timer(kind, due),
            Effect::CancelTimer { kind } => self.cancel_timer(kind),
            Effect::Notify { topic, text } => self.tell(HostEvent::Notice { topic, text }),
            // An effect of a newer core than this hub knows; the trace says that it was not done.
            other => {
                self.trace.note(format!("{other:?}"), Verdict::Dropped, "this hub does not know the effect")
            }
        }
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
        if let Some(snapshot) = self.conversation.clone() {
            self.tell(HostEvent::Closed { snapshot: Box::new(snapshot) });
        }
    }

    /// Begins a conversation at `key`.
    fn open(&mut self, key: PeerKey, prepare: impl FnOnce(&mut Conversation)) {
        let id = ConversationId::next(&self.env.ids, self.now);
        let PeerKey { tenant, channel, address } = key.clone();
        let mut conversation = Conversation::open(id, tenant, channel, address, self.now);
        prepare(&mut conversation);
        let peer = self.peer.get_or_insert_with(|| PeerRecord {
            key,
            contact: None,
            conversation: None,
            reach: Default::default(),
        });
        peer.conversation = Some(id);
        conversation.contact = peer.contact;
        self.changes.peer = Some(peer.clone());
        self.conversation = Some(conversation);
        self.step(&Input::Opened);
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
            self.changes.conversation = self.conversation;
        }
        self.changes
    }
}

/// When an event counts as having happened in a thread: by the provider's clock, unless it is ahead of ours.
fn thread_time(event: &Event, now: Timestamp) -> Timestamp {
    event.at.map_or(now, |at| at.min(now))
}
