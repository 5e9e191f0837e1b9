//! One connected channel within the hub.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use metrics::Counter;
use omni_core::Timestamp;
use omni_core::error::Error;
use omni_core::outbound::OutboundItem;
use omni_core::policy::Policy;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::decide::{Backlog, Env};
use crate::health::Health;
use crate::hub::{ChannelSetup, Inner};
use crate::store::{MessageRecord, OutboxRecord};

/// A message on its way, in memory.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) row: OutboxRecord,
    pub(crate) item: OutboundItem,
}

/// One connected channel: what it decides with, what waits to be sent, how it is.
#[derive(Debug)]
pub(crate) struct Line {
    env: RwLock<Arc<Env>>,
    /// Counts how often the channel was replaced by another under its name.
    pub(crate) replaced: watch::Sender<u64>,
    jobs: mpsc::UnboundedSender<Job>,
    /// Taken by the runner when it starts the line.
    pub(crate) inbox: Mutex<Option<mpsc::UnboundedReceiver<Job>>>,
    health: Mutex<Health>,
    paused_until: AtomicI64,
    pub(crate) stop: CancellationToken,
    /// The end of a line that had the name before: this one begins after it.
    pub(crate) former: Option<CancellationToken>,
    /// Nothing of this line runs any more.
    pub(crate) gone: CancellationToken,
    pub(crate) meters: Meters,
}

/// Counters of a channel; see the crate's documentation for their names.
pub(crate) struct Meters {
    pub(crate) received: Counter,
    pub(crate) committed: Counter,
    pub(crate) duplicate: Counter,
    pub(crate) rejected: Counter,
    pub(crate) sent: Counter,
    pub(crate) failed: Counter,
    pub(crate) unknown: Counter,
}

impl std::fmt::Debug for Meters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meters")
    }
}

impl Line {
    pub(crate) fn new(setup: ChannelSetup, former: Option<CancellationToken>, hub: &Inner) -> Self {
        let (jobs, inbox) = mpsc::unbounded_channel();
        let provider = setup.channel.provider().to_string();
        let counter = |name: &'static str| metrics::counter!(name, "provider" => provider.clone());
        let meters = Meters {
            received: counter("omni_received_total"),
            committed: counter("omni_committed_total"),
            duplicate: counter("omni_duplicate_total"),
            rejected: counter("omni_rejected_total"),
            sent: counter("omni_sent_total"),
            failed: counter("omni_failed_total"),
            unknown: counter("omni_unknown_total"),
        };
        let env = Env {
            key: setup.key,
            channel: setup.channel,
            policy: setup.policy,
            account: setup.account,
            ids: hub.ids.clone(),
            node: hub.node.clone(),
            backlog: Arc::new(Backlog {
                waiting: AtomicUsize::new(0),
                room: hub.settings.in_memory,
                open: AtomicBool::new(false),
            }),
        };
        Self {
            env: RwLock::new(Arc::new(env)),
            replaced: watch::Sender::new(0),
            jobs,
            inbox: Mutex::new(Some(inbox)),
            health: Mutex::new(Health::Starting),
            paused_until: AtomicI64::new(i64::MIN),
            stop: hub.stop.child_token(),
            former,
            gone: CancellationToken::new(),
            meters,
        }
    }

    pub(crate) fn env(&self) -> Arc<Env> {
        self.env.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_policy(&self, policy: Arc<dyn Policy>) {
        let mut env = self.env.write().unwrap_or_else(PoisonError::into_inner);
        let changed = Env { policy, ..Env::clone(&env) };
        *env = Arc::new(changed);
    }

    /// Another channel under the same name: what waits goes through it, in the order it waits in.
    pub(crate) fn replace(&self, setup: ChannelSetup) {
        {
            let mut env = self.env.write().unwrap_or_else(PoisonError::into_inner);
            let ChannelSetup { key, channel, policy, account } = setup;
            *env = Arc::new(Env { key, channel, policy, account, ..Env::clone(&env) });
        }
        self.set_health(Health::Starting);
        self.paused_until.store(i64::MIN, Ordering::Relaxed);
        self.replaced.send_modify(|n| *n += 1);
    }

    /// Puts a durable row before the dispatcher. Says whether there is one.
    pub(crate) fn enqueue(&self, row: OutboxRecord, message: &MessageRecord) -> bool {
        let item = OutboundItem {
            id: message.id,
            address: row.peer.address.clone(),
            content: message.content.clone(),
            reply_to: message.reply_to.clone(),
            face: message.face.clone(),
            author: row.author,
        };
        self.env().backlog.waiting.fetch_add(1, Ordering::Relaxed);
        self.jobs.send(Job { row, item }).is_ok()
    }

    pub(crate) fn health(&self) -> Health {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_health(&self, health: Health) {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner) = health;
    }

    /// The provider answered well: a channel that was ill is not any more.
    pub(crate) fn works(&self) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        if *health != Health::Working {
            *health = Health::Working;
        }
    }

    /// The provider reached us: good news of a channel of which nothing was known, and no more. A revoked
    /// credential does not get better by a webhook.
    pub(crate) fn heard(&self) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        if *health == Health::Starting {
            *health = Health::Working;
        }
    }

    /// Takes note of an error, where it says something about the channel.
    pub(crate) fn ails(&self, error: &Error, now: Timestamp) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(worse) = health.after(error, now) {
            *health = worse;
        }
    }

    pub(crate) fn pause(&self, until: Timestamp) {
        self.paused_until.fetch_max(until.as_millis(), Ordering::Relaxed);
    }

    pub(crate) fn paused_until(&self) -> Option<Timestamp> {
        let until = self.paused_until.load(Ordering::Relaxed);
        (until > i64::MIN).then(|| Timestamp::from_millis(until))
    }
}
