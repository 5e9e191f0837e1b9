//! The policy engine: pure, explainable, testable in simulated time.
//!
//! A [`Policy`] is asked, for every input, what is to be done: `step(state, input, context)` yields [`Effect`]s,
//! which are data, and a [`Trace`] that says why. The hub runs it inside the transaction that applies the
//! input; a host without the hub calls it in its own loop (see the `bare` example).
//!
//! [`Engine`] is the policy that most hosts want: a channel's part of a [`Book`], which is data. What it remembers of a
//! conversation is its [`Flow`], of a contact its [`Memory`]; both are kept with them. It waits by one timer a
//! conversation, whatever runs in it. Who gets what waits for a team is decided apart, by [`distribute`], with all that
//! waits and all that is free in view.

pub mod book;
mod desk;
mod distribute;
mod effect;
mod engine;
mod flow;
mod template;
mod trace;

pub use book::{BadBook, Book, ChannelPolicy};
pub use desk::*;
pub use distribute::*;
pub use effect::*;
pub use engine::{Engine, Engines};
pub use flow::*;
pub use trace::{Trace, TraceStep, Verdict, Words};

use std::fmt::Debug;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contact::Contact;
use crate::conversation::{Actor, CloseReason, Conversation, Owner, TimerKind};
use crate::error::ErrorReport;
use crate::event::Event;
use crate::id::{BotId, ConversationId, MessageId};
use crate::provider::Provider;
use crate::time::Timestamp;
use book::{Do, Window};

/// How a channel's conversations are handled. [`Engine`] is ours, made of a [`Book`]; a host may write its own.
///
/// Implementations are pure: the same arguments yield the same step, no clock is read, nothing is kept. The
/// store may run a step more than once before one of them is committed.
pub trait Policy: Debug + Send + Sync + 'static {
    /// What a customer's event does to a closed conversation.
    fn returning(&self, closed: &Conversation, event: &Event, context: &Context<'_>) -> Comeback {
        let _ = (closed, event, context);
        Comeback::New
    }

    /// What is to be done. `conversation` already holds the facts of `input` (counts, times, texts).
    fn step(&self, conversation: &Conversation, input: &Input<'_>, context: &Context<'_>) -> Step;
}

/// What a customer's event does to a closed conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Comeback {
    /// It opens a new one.
    #[default]
    New,
    /// It opens the old one again.
    Reopen,
    /// It is kept in the closed one, which stays closed: a word of thanks, a message that was late.
    Stay,
}

/// Something that happened to a conversation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Input<'a> {
    /// The conversation has just begun. The event that began it follows as an input of its own; none, when the
    /// business began it.
    Opened(Option<&'a Event>),
    /// A closed conversation was opened again, by an event that follows or by an action.
    Reopened(Option<&'a Event>),
    /// The provider told something. Repeats never get here (law 3).
    Event(&'a Event),
    /// A person, a bot or the host did something.
    Action(&'a Action),
    /// A message of ours could not be delivered.
    Failed(&'a Failure),
    /// A bot answered, or gave up.
    Bot(&'a BotAnswer),
    /// The conversation has just ended, whoever ended it. Once a closing.
    Closed,
    /// A timer is due.
    Timer(TimerKind),
}

/// A message of ours that could not be delivered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// Which.
    pub message: MessageId,
    /// Who wrote it.
    pub author: Actor,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
}

/// What a bot answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BotAnswer {
    /// Who answered.
    pub bot: BotId,
    /// The number of the question; see [`Ask::id`].
    pub ask: u32,
    /// What.
    pub reply: BotReply,
}

/// What a bot wants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BotReply {
    /// These steps, and the talk stays with it.
    Steps(Vec<Do>),
    /// People take over, after these steps.
    HandOver(Vec<Do>),
    /// It failed; people take over. The words are for the trace.
    Failed(String),
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
    /// Took a label off.
    Untag {
        /// The label.
        tag: String,
    },
    /// Set a field; an empty value takes it away.
    Set {
        /// Which.
        field: String,
        /// To what.
        value: String,
    },
    /// Left words for the agents.
    Note {
        /// What.
        text: String,
    },
    /// Put it aside until a time, or until the person writes.
    Snooze {
        /// Until when.
        until: Timestamp,
    },
    /// Stopped its clocks: it waits for something outside.
    Hold,
    /// Took it up again, after a snooze or a hold.
    Resume,
    /// Joined it to another conversation, which goes on.
    Merge {
        /// The one that goes on.
        into: ConversationId,
    },
}

/// What a step may know beside the conversation.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Context<'a> {
    /// The time.
    pub now: Timestamp,
    /// The kind of channel, where known.
    pub provider: Option<&'a Provider>,
    /// The person, where there is one.
    pub contact: Option<&'a Contact>,
    /// Who is there, and what waits.
    pub desk: &'a Desk,
    /// Whether free replies are possible.
    pub window: Window,
}

impl<'a> Context<'a> {
    /// A context at a time, with nothing else known.
    pub fn at(now: Timestamp) -> Self {
        static NOBODY: Desk = Desk::empty();
        Self { now, provider: None, contact: None, desk: &NOBODY, window: Window::Open }
    }

    /// The same on a kind of channel.
    #[must_use]
    pub fn on(mut self, provider: &'a Provider) -> Self {
        self.provider = Some(provider);
        self
    }

    /// The same with a person.
    #[must_use]
    pub fn with_contact(mut self, contact: Option<&'a Contact>) -> Self {
        self.contact = contact;
        self
    }

    /// The same with what is known of agents and queues.
    #[must_use]
    pub fn with_desk(mut self, desk: &'a Desk) -> Self {
        self.desk = desk;
        self
    }

    /// The same with the reply window.
    #[must_use]
    pub fn with_window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }
}

/// What a step yields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// What is to be done, in order.
    pub effects: Vec<Effect>,
    /// What the policy remembers of the conversation from now on; absent when unchanged. Put in place before the
    /// effects are done.
    pub flow: Option<Box<Flow>>,
    /// What it remembers of the contact from now on; absent when unchanged.
    pub memory: Option<Memory>,
    /// Why.
    pub trace: Trace,
}
