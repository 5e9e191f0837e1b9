//! Putting a hub together.

use std::sync::Arc;
use std::time::Duration;

use omni_core::Timestamp;
use omni_core::id::{IdSource, NodeId};
use omni_core::plan::Publishing;

use crate::clock::{Clock, SystemClock};
use crate::hub::Hub;
use crate::publish::Published;
use crate::store::Store;

/// What happens to a message that was being handed over when the process died: it may have gone out or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interrupted {
    /// It becomes [`Unknown`](omni_core::Status::Unknown) until an echo, a status or a person settles it: at
    /// most once (law 5). A durable mark is written before each hand-over.
    #[default]
    Hold,
    /// It is sent again: at least once. No mark is written, which saves a commit a message. Answers lost while
    /// the process lives are unknown all the same, never repeated.
    Resend,
}

/// Settings of a hub, with values that fit most hosts.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) interrupted: Interrupted,
    pub(crate) body_limit: usize,
    pub(crate) in_flight: usize,
    pub(crate) in_memory: usize,
    pub(crate) lease: Duration,
    pub(crate) send_timeout: Duration,
    pub(crate) give_up_after: Duration,
    pub(crate) keep_claims: Duration,
    pub(crate) name: Option<String>,
    pub(crate) published: Option<Arc<Published>>,
}

impl Settings {
    pub(crate) fn publishing(&self) -> Publishing {
        if self.published.is_some() { Publishing::Yes } else { Publishing::No }
    }
}

/// Puts a hub together. See [`Hub::builder`].
#[derive(Debug)]
pub struct HubBuilder {
    pub(crate) store: Option<Arc<dyn Store>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) seed: Option<u64>,
    pub(crate) settings: Settings,
}

impl Default for HubBuilder {
    fn default() -> Self {
        Self {
            store: None,
            clock: Arc::new(SystemClock),
            seed: None,
            settings: Settings {
                interrupted: Interrupted::default(),
                body_limit: 1024 * 1024,
                in_flight: 64,
                in_memory: 10_000,
                lease: Duration::from_secs(15),
                send_timeout: Duration::from_secs(120),
                give_up_after: Duration::from_secs(24 * 3600),
                keep_claims: Duration::from_secs(14 * 24 * 3600),
                name: None,
                published: None,
            },
        }
    }
}

impl HubBuilder {
    /// Where everything is kept. Without one it is kept in memory, and lost with the process.
    #[must_use]
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// A store that is shared already.
    #[must_use]
    pub fn shared_store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// Where the time comes from; the machine's clock unless set.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// A name that this program keeps over restarts, and no other running copy of it has.
    ///
    /// With a name a restart takes over at once what its predecessor left behind, and a predecessor that still
    /// runs stops; without one, others wait until its lease has run out.
    #[must_use]
    pub fn node(mut self, name: impl Into<String>) -> Self {
        self.settings.name = Some(name.into());
        self
    }

    /// What happens to messages that were being handed over when the process died.
    #[must_use]
    pub fn interrupted(mut self, how: Interrupted) -> Self {
        self.settings.interrupted = how;
        self
    }

    /// Largest webhook body taken, in bytes; 1 MiB unless set. Larger ones are answered with 413.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.settings.body_limit = bytes;
        self
    }

    /// Most sends in flight for one channel; 64 unless set. One address has one at a time.
    #[must_use]
    pub fn in_flight(mut self, sends: usize) -> Self {
        self.settings.in_flight = sends.max(1);
        self
    }

    /// Most waiting sends of one channel kept in memory; 10,000 unless set. What is above waits in the store.
    #[must_use]
    pub fn in_memory(mut self, sends: usize) -> Self {
        self.settings.in_memory = sends.max(1);
        self
    }

    /// How long a node may be silent before others take over; 15 s unless set. Renewed at a third of it.
    #[must_use]
    pub fn lease(mut self, ttl: Duration) -> Self {
        self.settings.lease = ttl;
        self
    }

    /// How long one hand-over may take before its outcome counts as unknown; two minutes unless set.
    #[must_use]
    pub fn send_timeout(mut self, limit: Duration) -> Self {
        self.settings.send_timeout = limit;
        self
    }

    /// How long an undelivered message is tried before it expires; a day unless set.
    #[must_use]
    pub fn give_up_after(mut self, limit: Duration) -> Self {
        self.settings.give_up_after = limit;
        self
    }

    /// Lets providers that fetch files by address have those in the store, at addresses of the host's.
    #[must_use]
    pub fn publish(mut self, at: Published) -> Self {
        self.settings.published = Some(Arc::new(at));
        self
    }

    /// How long the ids of events are remembered to recognise repeats, and host events that every consumer has
    /// passed are kept; two weeks unless set. More than any provider repeats.
    #[must_use]
    pub fn keep_claims(mut self, keep: Duration) -> Self {
        self.settings.keep_claims = keep;
        self
    }

    /// Makes ids predictable, for tests; two hubs on one store must not share a seed.
    #[must_use]
    pub fn id_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The hub. It takes webhooks and actions at once; [`Hub::run`] makes it send, listen and keep time.
    pub fn build(self) -> Hub {
        let seed = self.seed.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().1);
        let ids = Arc::new(IdSource::new(seed));
        let unique = uuid::Uuid::new_v4().simple().to_string();
        let node = match &self.settings.name {
            Some(name) => NodeId::from(format!("{name}:{unique}")),
            None => NodeId::from(unique),
        };
        let store = self.store.unwrap_or_else(|| Arc::new(crate::store::MemoryStore::new()));
        Hub::assemble(store, self.clock, ids, node, self.settings)
    }
}

/// How long a failed store is left alone.
pub(crate) const STORE_DOWN: Duration = Duration::from_secs(1);

/// The time a retry waits: doubling from a second to five minutes.
pub(crate) fn back_off(attempts: u32) -> Duration {
    Duration::from_secs(1u64 << attempts.min(9)).min(Duration::from_secs(300))
}

/// When a message queued at `queued_at` is given up.
pub(crate) fn gives_up(settings: &Settings, queued_at: Timestamp) -> Timestamp {
    queued_at + settings.give_up_after
}
