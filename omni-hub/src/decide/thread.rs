//! Messages that name those before them, and what a connector wants to be told when the talk goes on.

use omni_core::Timestamp;
use omni_core::event::{Event, EventBody, Message, Thread, Told};
use omni_core::id::{Note, ProviderMessageId};
use tracing::warn;

use super::{Decision, thread_time};
use crate::store::{KeptNote, MessageRecord, PeerKey, Target};

/// What an event is about that names an address: what it continues may be at another one.
pub(super) fn target(named: PeerKey, event: &Event) -> Target {
    let after: Vec<ProviderMessageId> = match &event.body {
        EventBody::Message(message) => after(message).cloned().collect(),
        EventBody::Comment(comment) => after(&comment.message).cloned().collect(),
        // It may be a send of ours, which is known by its own names.
        EventBody::Echo(echo) if echo.message.thread.is_some() => {
            let own = std::iter::once(&echo.message.id).chain(names(&echo.message));
            own.chain(after(&echo.message)).take(Thread::MAX).cloned().collect()
        }
        _ => Vec::new(),
    };
    if after.is_empty() { Target::Peer(named) } else { Target::Thread(named, after) }
}

/// Where the message that an event is says that it belongs, when it says so.
pub(super) fn of(event: &Event) -> Option<&Thread> {
    match &event.body {
        EventBody::Message(message) => message.thread.as_deref(),
        EventBody::Comment(comment) => comment.message.thread.as_deref(),
        EventBody::Echo(echo) => echo.message.thread.as_deref(),
        _ => None,
    }
}

fn after(message: &Message) -> impl Iterator<Item = &ProviderMessageId> {
    message.thread.iter().flat_map(|thread| thread.after.iter().take(Thread::MAX))
}

/// The further names of a message.
pub(super) fn names(message: &Message) -> impl Iterator<Item = &ProviderMessageId> {
    message.thread.iter().flat_map(|thread| thread.names.iter().take(Thread::MAX))
}

/// Lets a message be found by the further names that it was told with. Says whether any is new.
pub(super) fn add_names(record: &mut MessageRecord, told: &Message) -> bool {
    let before = record.names.len();
    for name in names(told) {
        if record.names.len() < Thread::MAX && record.known_as().all(|known| known != name) {
            record.names.push(name.clone());
        }
    }
    record.names.len() > before
}

impl Decision<'_> {
    /// Keeps the note that came with a message, unless a newer one is kept already.
    pub(super) fn take_note(&mut self, event: &Event, message: &Message) {
        let Some(note) = message.thread.as_ref().and_then(|thread| thread.note.as_ref()) else { return };
        let at = thread_time(event, self.now);
        let kept = self.peer.as_ref().and_then(|peer| peer.note.as_ref()).map(|kept| kept.at);
        let is_older = match (event.told, &event.body) {
            // What was read out of the history may be of any time.
            (Told::History, _) => kept.is_some_and(|kept| event.at.is_none() || at < kept),
            // What the business wrote elsewhere is often told after what came in meanwhile.
            (Told::Live, EventBody::Echo(_)) => kept.is_some_and(|kept| at < kept),
            (Told::Live, _) => false,
        };
        if !is_older {
            self.keep_note(note, at);
        }
    }

    /// Keeps what the connector wants to be told when something is sent to the address from now on.
    pub(super) fn keep_note(&mut self, note: &Note, at: Timestamp) {
        let Some(peer) = &mut self.peer else { return };
        let bytes = note.as_str().len();
        if bytes > Note::MAX_BYTES {
            warn!(channel = %self.env.key, bytes, "a note with an address is too long; the one before it stays");
            return;
        }
        let at = peer.note.as_ref().map_or(at, |kept| kept.at.max(at));
        peer.note = Some(KeptNote { note: note.clone(), at });
        self.changes.peer = Some(peer.clone());
    }
}
