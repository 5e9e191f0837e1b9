//! The policy engine: pure, explainable, testable in simulated time.
//!
//! A [`Policy`] is asked, for every input, what is to be done: `step(state, input, context)` yields [`Effect`]s,
//! which are data, and a [`Trace`] that says why. The hub runs it inside the transaction that applies the
//! input; a host without the hub calls it in its own loop (see the `bare` example).

mod standard;
mod trace;

pub use standard::{BadPolicy, Returning, StandardPolicy};
pub use trace::{Trace, TraceStep, Verdict};

use std::fmt::Debug;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::content::Content;
use crate::conversation::{Actor, CloseReason, Conversation, Owner, TimerKind, Visibility};
use crate::event::Event;
use crate::time::Timestamp;

/// How a channel's conversations are handled.
///
/// Implementations are pure: the same arguments yield the same step, no clock is read, nothing is kept. The
/// store may run a step more than once before one of them is committed.
pub trait Policy: Debug + Send + Sync + 'static {
    /// What a message to a closed conversation does.
    fn returning(&self, closed: &Conversation, context: &Context) -> Returning {
        let _ = (closed, context);
        Returning::New
    }

    /// What is to be done. `conversation` already holds the facts of `input` (counts, times, texts).
    fn step(&self, conversation: &Conversation, input: &Input<'_>, context: &Context) -> Step;
}

/// Something that happened to a conversation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Input<'a> {
    /// The conversation has just begun; the event that began it follows as an input of its own.
    Opened,
    /// The provider told something. Repeats never get here (law 3).
    Event(&'a Event),
    /// A person, a bot or the host did something.
    Action(&'a Action),
    /// A timer is due.
    Timer(TimerKind),
}

/// What a person, a bot or the host did to a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Action {
    /// Who.
    pub by: Actor,
    /// What.
    pub verb: Verb,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "verb", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verb {
    /// Answered.
    Reply,
    /// Took it, or gave it to somebody.
    Assign {
        /// To whom.
        to: Owner,
    },
    /// Ended it.
    Close {
        /// Why.
        reason: CloseReason,
    },
    /// Opened it again.
    Reopen,
    /// Saw what was new.
    Seen,
    /// Labelled it.
    Tag {
        /// The label.
        tag: String,
    },
}

/// What a step may know beside the conversation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Context {
    /// The time.
    pub now: Timestamp,
}

impl Context {
    /// A context at a time.
    pub fn at(now: Timestamp) -> Self {
        Self { now }
    }
}

/// What a step yields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// What is to be done, in order.
    pub effects: Vec<Effect>,
    /// Why.
    pub trace: Trace,
}

/// Something that is to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "effect", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Effect {
    /// Send something. As an automatic text it is checked again at the last moment (law 7).
    Reply {
        /// What.
        content: Content,
        /// In whose name.
        by: Actor,
        /// Under which condition it may still go out.
        unless: Overtaken,
    },
    /// Let somebody answer.
    Assign {
        /// Whom.
        to: Owner,
    },
    /// Let somebody see it.
    Show {
        /// To whom.
        to: Visibility,
    },
    /// End the conversation and its timers.
    Close {
        /// Why.
        reason: CloseReason,
        /// By whom.
        by: Actor,
    },
    /// Start a timer; a running one of that kind is replaced.
    SetTimer {
        /// Which.
        kind: TimerKind,
        /// When it is due.
        due: Timestamp,
    },
    /// Stop a timer.
    CancelTimer {
        /// Which.
        kind: TimerKind,
    },
    /// Tell the host, durably, in its event log.
    Notify {
        /// The host's name for it.
        topic: String,
        /// What it carries.
        text: String,
    },
}

/// What makes an automatic text pointless between its decision and its sending (law 7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Overtaken {
    /// A person answered meanwhile.
    #[default]
    PersonAnswered,
    /// Nothing: it goes in any case (a bot's answer, a receipt).
    Never,
}
