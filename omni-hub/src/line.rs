//! One connected channel within the hub.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use metrics::Counter;
use omni_core::Timestamp;
use omni_core::error::{Error, ErrorKind};
use omni_core::outbound::OutboundItem;
use omni_core::policy::Policy;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::decide::{Backlog, Env};
use crate::health::Health;
use crate::hub::{ChannelSetup, Inner};
use crate::look_up::{self, Question};
use crate::store::{ChannelKey, MessageRecord, OutboxRecord};
use crate::tenant::Tenant;

/// A message on its way, in memory.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) row: OutboxRecord,
    pub(crate) item: OutboundItem,
}

/// What the tasks of a line take from.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) jobs: mpsc::UnboundedReceiver<Job>,
    pub(crate) questions: mpsc::Receiver<Question>,
}

/// One connected channel: what it decides with, what waits to be sent, how it is.
#[derive(Debug)]
pub(crate) struct Line {
    env: RwLock<Arc<Env>>,
    /// Counts how often the channel was replaced by another under its name.
    pub(crate) replaced: watch::Sender<u64>,
    jobs: mpsc::UnboundedSender<Job>,
    /// Who to ask the provider about.
    pub(crate) questions: mpsc::Sender<Question>,
    /// Taken by the runner when it starts the line.
    pub(crate) inbox: Mutex<Option<Inbox>>,
    health: Mutex<Health>,
    /// The account is connected under a newer name.
    superseded: AtomicBool,
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
        let (jobs, waiting) = mpsc::unbounded_channel();
        let (questions, asked) = mpsc::channel(look_up::ROOM);
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
        let tenant = hub.tenant(&setup.key.tenant);
        let (policy, own_policy) = policy_of(&setup, &tenant);
        let env = Env {
            provider: setup.channel.provider(),
            key: setup.key,
            channel: setup.channel,
            policy,
            own_policy,
            tenant,
            account: setup.account,
            ids: hub.ids.clone(),
            node: hub.node.clone(),
            backlog: Arc::new(Backlog {
                waiting: AtomicUsize::new(0),
                room: hub.settings.in_memory,
                open: AtomicBool::new(false),
            }),
            publishing: hub.settings.publishing(),
        };
        Self {
            env: RwLock::new(Arc::new(env)),
            replaced: watch::Sender::new(0),
            jobs,
            questions,
            inbox: Mutex::new(Some(Inbox { jobs: waiting, questions: asked })),
            health: Mutex::new(Health::Starting),
            superseded: AtomicBool::new(false),
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
        let changed = Env { policy, own_policy: true, ..Env::clone(&env) };
        *env = Arc::new(changed);
    }

    /// The tenant has another book; a policy of the channel's own stays.
    pub(crate) fn follow_book(&self, policy: Arc<dyn Policy>) {
        let mut env = self.env.write().unwrap_or_else(PoisonError::into_inner);
        if !env.own_policy {
            let changed = Env { policy, ..Env::clone(&env) };
            *env = Arc::new(changed);
        }
    }

    /// Whether this line stands for the account that a setup connects under another name.
    pub(crate) fn has_account(&self, setup: &ChannelSetup) -> bool {
        let env = self.env();
        setup.account.is_some() && env.account == setup.account && env.provider == setup.channel.provider()
    }

    /// The account goes over to another name: this line stops listening and takes no webhooks. It still sends.
    pub(crate) fn supersede(&self, by: &ChannelKey, now: Timestamp) {
        self.superseded.store(true, Ordering::Release);
        let error = Error::new(ErrorKind::Conflict, "connect")
            .with_text(format!(
                "the account is connected as {by} too: the newest connection receives its messages"
            ))
            .with_advice("remove this channel, or remove the other one and connect this one again");
        self.set_health(Health::NeedsPerson { since: now, error: error.report() });
        self.replaced.send_modify(|n| *n += 1);
    }

    pub(crate) fn is_superseded(&self) -> bool {
        self.superseded.load(Ordering::Acquire)
    }

    /// Another channel under the same name: what waits goes through it, in the order it waits in.
    pub(crate) fn replace(&self, setup: ChannelSetup, hub: &Inner) {
        {
            let mut env = self.env.write().unwrap_or_else(PoisonError::into_inner);
            let (policy, own_policy) = policy_of(&setup, &hub.tenant(&setup.key.tenant));
            let provider = setup.channel.provider();
            let ChannelSetup { key, channel, account, .. } = setup;
            *env = Arc::new(Env { key, channel, policy, own_policy, provider, account, ..Env::clone(&env) });
        }
        self.superseded.store(false, Ordering::Release);
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
            // It is read when the message is handed over.
            note: None,
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
        if self.is_superseded() {
            return;
        }
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

/// The policy of a channel: its own, its part of the tenant's book, or the plainest.
fn policy_of(setup: &ChannelSetup, tenant: &Tenant) -> (Arc<dyn Policy>, bool) {
    if let Some(policy) = &setup.policy {
        return (policy.clone(), true);
    }
    let engine = tenant.engines().map(|engines| engines.channel(&setup.key.channel));
    (Arc::new(engine.unwrap_or_default()), false)
}
