//! What a step wants done: data, not calls.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::book::WindowClosed;
use super::flow::ClockKind;
use crate::content::Content;
use crate::conversation::{Actor, CloseReason, Owner, TimerKind, Visibility};
use crate::id::BotId;
use crate::time::Timestamp;

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
        /// Under which conditions it may still go out.
        guard: Guard,
    },
    /// Let somebody answer. A team as owner waits in [`Flow::queue`](super::Flow::queue).
    Assign {
        /// Whom.
        to: Owner,
        /// By whom it is decided.
        by: Actor,
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
    /// Label it.
    Tag {
        /// The label.
        tag: String,
        /// By whom.
        by: Actor,
    },
    /// Set a field: of the contact, with `contact.fields.` in front, or of the conversation, whose new value is in the
    /// flow already and is told to the host.
    SetField {
        /// Which.
        field: String,
        /// To what; empty takes it away.
        value: String,
        /// By whom.
        by: Actor,
    },
    /// Leave words for the agents.
    Note {
        /// What.
        text: String,
        /// By whom.
        by: Actor,
    },
    /// Ask a bot; the answer comes as an input.
    AskBot {
        /// Whom.
        bot: BotId,
        /// The number of the question.
        ask: u32,
        /// How many of the latest messages it is shown.
        memory: u32,
        /// When people take over.
        due: Timestamp,
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
    /// Tell the host what became of a promised time.
    Clock {
        /// Which.
        clock: ClockKind,
        /// What.
        news: ClockNews,
        /// When it is or was due.
        due: Timestamp,
    },
    /// Tell the host, durably, in its event log.
    Notify {
        /// The host's name for it.
        topic: String,
        /// What it carries.
        text: String,
    },
}

/// What became of a promised time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClockNews {
    /// It began to run.
    Started,
    /// It stands still.
    Paused,
    /// It runs again.
    Resumed,
    /// It is over, and was not met.
    Breached,
    /// It was met, in time or after the breach.
    Met,
}

/// Under which conditions an automatic text may still go out, looked at in the outbox transaction (law 7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Guard {
    /// What makes it pointless.
    pub unless: Overtaken,
    /// What is done when the time for free replies is over by then.
    #[serde(skip_serializing_if = "super::book::is_default")]
    pub window_closed: WindowClosed,
}

impl From<Overtaken> for Guard {
    fn from(unless: Overtaken) -> Self {
        Self { unless, window_closed: WindowClosed::Skip }
    }
}

/// What makes an automatic text pointless between its decision and its sending (law 7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Overtaken {
    /// A person answered meanwhile, or the conversation was closed.
    #[default]
    PersonAnswered,
    /// The person wrote or the conversation was opened again: what is said on closing.
    TalkGoesOn,
    /// Nothing: it goes in any case (a receipt).
    Never,
}
