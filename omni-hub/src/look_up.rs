//! Asking providers who writes, where their events do not tell it.
//!
//! What is to be asked lives in memory alone: whoever is still nameless is asked about again with their next message,
//! so a crash loses nothing that would not come back.

use std::collections::BTreeMap;
use std::sync::Arc;

use omni_core::channel::LOOK_UP_MAX;
use omni_core::event::{Event, EventBody};
use omni_core::id::EventId;
use omni_core::{Address, Timestamp};
use tokio::sync::mpsc;
use tracing::debug;

use crate::hub::Inner;
use crate::line::Line;
use crate::store::{Changes, HostEvent};

/// Most questions that wait at one channel; what is above is asked with a later message.
pub(crate) const ROOM: usize = 1000;

/// Who to ask about, and the event that made us ask.
pub(crate) type Question = (Address, EventId);

impl Line {
    /// Asks about whoever sent an event that was just applied, when nobody knows more than an id.
    pub(crate) fn wonder(&self, event: &Event, changes: &Changes) {
        let Some(talk) = &changes.conversation else { return };
        let Some(sender) = event.sender().filter(|_| talk.is_open()) else { return };
        let is_new = changes.entries.iter().any(|entry| matches!(entry.event, HostEvent::Opened { .. }));
        let is_nameless = sender.profile.name.is_none() && talk.title == sender.identity.id;
        let asks = self.env().channel.inbound().is_some_and(|inbound| inbound.as_look_up().is_some());
        if asks && (is_new || is_nameless) {
            // Full: it is asked with the next message.
            let _ = self.questions.try_send((talk.address.clone(), event.id.clone()));
        }
    }
}

/// Answers the questions of one channel until it is disconnected, as many at once as have gathered.
pub(crate) async fn look_up(hub: Arc<Inner>, line: Arc<Line>, mut questions: mpsc::Receiver<Question>) {
    let mut gathered = Vec::new();
    loop {
        let any = tokio::select! {
            any = questions.recv_many(&mut gathered, LOOK_UP_MAX) => any,
            () = line.stop.cancelled() => return,
        };
        if any == 0 {
            return;
        }
        let causes: BTreeMap<Address, EventId> = gathered.drain(..).collect();
        let addresses: Vec<Address> = causes.keys().cloned().collect();
        let env = line.env();
        let Some(asked) = env.channel.inbound().and_then(|inbound| inbound.as_look_up()) else { continue };
        let known = tokio::select! {
            known = asked.look_up(&addresses) => known,
            () = line.stop.cancelled() => return,
        };
        match known {
            Ok(known) => {
                let introduced = known.into_iter().filter_map(|known| {
                    // The claim is of another kind than the cause's, so its id serves for both.
                    let cause = causes.get(&known.address)?.clone();
                    let body = EventBody::Introduced(Box::new(known.told));
                    Some(Event::new(cause, body).at_address(known.address))
                });
                let now: Timestamp = hub.now();
                if let Err(error) = hub.ingest(&line, introduced.collect(), None, now).await {
                    debug!(%error, "who writes is not stored; it is asked again");
                }
            }
            Err(error) => {
                debug!(%error, "who writes could not be asked; it is asked again");
                line.ails(&error, hub.now());
            }
        }
    }
}
