//! What will happen, in order of time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use omni::core::{AgentId, ConversationId, MessageId};
use omni::{Event, Timestamp};

/// Something that somebody outside of the hub does.
#[derive(Debug)]
pub(crate) enum Deed {
    /// A person begins to write: somebody new, or one of those who were here.
    Arrive(usize),
    /// A person writes.
    Write(usize, String),
    /// A person presses a key: its label and its data.
    Press(usize, String, String),
    /// The provider tells something, perhaps for the second time.
    Deliver(String, Box<Event>),
    /// An agent comes, or comes back.
    Come(AgentId),
    /// An agent has a break.
    Rest(AgentId),
    /// An agent goes home.
    Leave(AgentId),
    /// An agent looks through the list.
    Look(AgentId),
    /// An agent answers.
    Answer(AgentId, ConversationId),
    /// An agent ends a conversation.
    Close(AgentId, ConversationId),
    /// Somebody looks into the chat and says what became of a message.
    Settle(MessageId),
}

/// Deeds by time. Those of one moment go by who does them, then in the order of their planning, so that it does not
/// matter who planned first. Clones are one agenda.
#[derive(Clone, Debug, Default)]
pub(crate) struct Agenda {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    deeds: BTreeMap<(Timestamp, String, u64), Option<Deed>>,
    planned: u64,
}

impl Agenda {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody will do something.
    pub(crate) fn plan(&self, at: Timestamp, who: &str, deed: Deed) {
        self.put(at, who, Some(deed));
    }

    /// Something waits for the clock, which has to stop here.
    pub(crate) fn stop_at(&self, at: Timestamp) {
        self.put(at, "", None);
    }

    fn put(&self, at: Timestamp, who: &str, deed: Option<Deed>) {
        let mut inner = self.inner();
        inner.planned += 1;
        let number = inner.planned;
        inner.deeds.insert((at, who.to_owned(), number), deed);
    }

    /// When the next thing happens.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.inner().deeds.first_key_value().map(|((at, ..), _)| *at)
    }

    /// The next deed that is due.
    pub(crate) fn take(&self, now: Timestamp) -> Option<Deed> {
        let mut inner = self.inner();
        while inner.deeds.first_key_value().is_some_and(|((at, ..), _)| *at <= now) {
            if let Some((_, Some(deed))) = inner.deeds.pop_first() {
                return Some(deed);
            }
        }
        None
    }
}
