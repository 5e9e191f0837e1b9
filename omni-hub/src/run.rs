//! What runs: dispatchers, listeners, timers, the node's heartbeat.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use omni_core::Timestamp;
use omni_core::error::{Error, ErrorKind};
use omni_core::id::NodeId;
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::builder::{Interrupted, back_off};
use crate::decide::{self, Env, Outcome};
use crate::desk::keep_desk;
use crate::dispatch::dispatch;
use crate::health::Health;
use crate::hub::{Hub, HubError, Inner};
use crate::ingest::LeasedSink;
use crate::line::{Inbox, Line};
use crate::look_up::look_up;
use crate::store::{
    Applied, Batch, Changes, ChannelKey, MessageRecord, OutboxRecord, OutboxState, StoreResult, Target,
    TimerRecord, Unit, listen_lease, node_lease,
};

/// Rows taken from the outbox, and timers fired, in one go.
const GULP: usize = 1000;

/// How long a timer is put off when the policy fails on it.
const TIMER_FAILED: Duration = Duration::from_secs(300);

impl Hub {
    /// Sends, listens and keeps time until [`Hub::shutdown`]; then returns when what was being handed over is
    /// finished and leases are given back. Spawn it once.
    ///
    /// # Errors
    /// [`HubError::Refused`] when another program runs under the same node name: the newest one wins, and the
    /// older ends here. [`HubError::Store`] when the store fails at the start.
    pub async fn run(&self) -> Result<(), HubError> {
        let hub = &self.inner;
        hub.take_over().await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(keep_time(hub.clone()));
        tasks.spawn(reclaim(hub.clone()));
        tasks.spawn(keep_desk(hub.clone()));
        // In a set of its own: it ends with this future, and a dropped hub does not live on in its leases.
        let mut alive = JoinSet::new();
        alive.spawn(heartbeat(hub.clone()));
        loop {
            for line in hub.lines_to_start() {
                hub.start_line(line, &mut tasks);
            }
            tokio::select! {
                () = hub.changed.notified() => {}
                () = hub.stop.cancelled() => break,
                Some(ended) = tasks.join_next() => {
                    if let Err(panic) = ended {
                        warn!(%panic, "a task of the hub ended early");
                    }
                }
            }
        }
        while tasks.join_next().await.is_some() {}
        let superseded = matches!(alive.try_join_next(), Some(Ok(Superseded)));
        alive.shutdown().await;
        hub.give_back().await;
        if superseded { Err(crate::store::Refused::Taken.into()) } else { Ok(()) }
    }
}

/// Another process took the node's name.
struct Superseded;

impl Inner {
    /// Lines whose dispatcher does not run yet.
    fn lines_to_start(&self) -> Vec<Arc<Line>> {
        let waits = |line: &&Arc<Line>| line.inbox.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        let lines = self.lines.read().unwrap_or_else(PoisonError::into_inner);
        lines.values().filter(waits).cloned().collect()
    }

    fn start_line(self: &Arc<Self>, line: Arc<Line>, tasks: &mut JoinSet<()>) {
        let inbox = line.inbox.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(inbox) = inbox else { return };
        tasks.spawn(run_line(self.clone(), line, inbox));
    }

    fn name_lease(&self) -> Option<String> {
        self.settings.name.as_ref().map(|name| format!("name/{name}"))
    }

    /// A named node declares its predecessor dead and takes the name; then it lives.
    async fn take_over(&self) -> StoreResult<()> {
        if let Some(name) = self.name_lease() {
            if let Some(former) = self.store.holder(&name).await? {
                self.store.release(&node_lease(&former.holder), &former.holder).await?;
                self.store.release(&name, &former.holder).await?;
                info!(former = %former.holder, "took over from the former process of this name");
            }
            self.store.lease(&name, &self.node, self.now(), self.settings.lease).await?;
        }
        self.store.lease(&node_lease(&self.node), &self.node, self.now(), self.settings.lease).await?;
        Ok(())
    }

    async fn give_back(&self) {
        let mut names = vec![node_lease(&self.node)];
        names.extend(self.name_lease());
        for name in names {
            if let Err(error) = self.store.release(&name, &self.node).await {
                warn!(%error, name, "a lease was not given back; it will run out");
            }
        }
    }

    /// Whether the node that holds a lease still lives.
    async fn lives(&self, node: &NodeId) -> StoreResult<bool> {
        let lease = self.store.holder(&node_lease(node)).await?;
        Ok(lease.is_some_and(|l| l.until > self.now()))
    }

    /// Takes the lease to listen for an account; from a dead node at once.
    async fn lease_to_listen(&self, key: &ChannelKey) -> StoreResult<bool> {
        let name = listen_lease(key);
        if self.store.lease(&name, &self.node, self.now(), self.settings.lease).await?.is_some() {
            return Ok(true);
        }
        match self.store.holder(&name).await? {
            Some(held) if !self.lives(&held.holder).await? => {
                self.store.release(&name, &held.holder).await?;
                Ok(self.store.lease(&name, &self.node, self.now(), self.settings.lease).await?.is_some())
            }
            _ => Ok(false),
        }
    }

    pub(crate) async fn pause(&self, wait: Duration) {
        self.clock.sleep_until(self.now() + wait).await;
    }

    /// After a commit that queued nothing: tells the log's readers.
    pub(crate) fn committed_entries(&self, changes: &Changes) {
        if let Some(last) = changes.entries.last() {
            self.newest.send_if_modified(|newest| {
                let newer = last.seq > *newest;
                *newest = last.seq.max(*newest);
                newer
            });
        }
    }
}

/// Sends and listens for one channel until it is disconnected.
async fn run_line(hub: Arc<Inner>, line: Arc<Line>, inbox: Inbox) {
    let _gone = line.gone.clone().drop_guard();
    if let Some(former) = &line.former {
        // It may still hand something over: the order at an address holds, and nobody listens twice.
        former.cancelled().await;
    }
    line.env().backlog.open.store(true, Ordering::Release);
    hub.unowned.notify_one();
    tokio::join!(
        dispatch(hub.clone(), line.clone(), inbox.jobs),
        listen(hub.clone(), line.clone()),
        look_up(hub.clone(), line.clone(), inbox.questions),
    );
    hub.unowned.notify_one();
}

/// Renews the node's leases, also while the last sends are finished; ends the hub when another process took
/// its name.
async fn heartbeat(hub: Arc<Inner>) -> Superseded {
    loop {
        hub.pause(hub.settings.lease / 3).await;
        let (now, ttl) = (hub.now(), hub.settings.lease);
        if let Some(name) = hub.name_lease()
            && let Ok(None) = hub.store.lease(&name, &hub.node, now, ttl).await
        {
            warn!("another process runs under this node name: this one stops");
            hub.stop.cancel();
            return Superseded;
        }
        if let Err(error) = hub.store.lease(&node_lease(&hub.node), &hub.node, now, ttl).await {
            warn!(%error, "the node's lease was not renewed");
        }
    }
}

/// Takes outbox rows that nobody owns: after a crash of this or another node, and when memory was full.
async fn reclaim(hub: Arc<Inner>) {
    let mut full = false;
    loop {
        if !full {
            tokio::select! {
                () = hub.unowned.notified() => {}
                () = hub.pause(hub.settings.lease / 3) => {}
                () = hub.stop.cancelled() => return,
            }
        }
        if hub.stop.is_cancelled() {
            return;
        }
        let channels = hub.channels_with_room();
        if channels.is_empty() {
            full = false;
            continue;
        }
        match hub.store.outbox_take(&hub.node, &channels, hub.now(), GULP).await {
            Ok(rows) => {
                let taken = rows.len();
                full = hub.adopt(rows).await && taken == GULP;
            }
            Err(error) => {
                full = false;
                warn!(%error, "the outbox was not read; it is tried again");
            }
        }
    }
}

impl Inner {
    /// Puts rows taken from the store before their dispatchers; gives back those it has no channel or room
    /// for. Says whether all of them were put.
    async fn adopt(&self, rows: Vec<(OutboxRecord, MessageRecord)>) -> bool {
        let mut back = Vec::new();
        for (row, message) in rows {
            match self.line(&row.peer.channel_key()) {
                Ok(line) if line.env().backlog.has_room() => {
                    let message_id = row.message;
                    if !self.resume(&line, row, &message).await {
                        back.push(message_id);
                    }
                }
                _ => back.push(row.message),
            }
        }
        self.give_rows_back(&back).await;
        back.is_empty()
    }

    /// A row found after a crash: one that was being handed over is an unknown, unless it may be sent again.
    /// Says whether the row is taken care of.
    async fn resume(&self, line: &Arc<Line>, mut row: OutboxRecord, message: &MessageRecord) -> bool {
        let env = line.env();
        let idempotent = env.channel.capabilities().idempotency != omni_core::capability::Idempotency::None;
        let again = self.settings.interrupted == Interrupted::Resend || idempotent;
        if row.state == OutboxState::Queued || again {
            row.state = OutboxState::Queued;
            return line.enqueue(row, message);
        }
        let error = Error::new(ErrorKind::Internal, "send")
            .with_text("the process ended while the message was being handed over")
            .with_advice("look at the chat, then settle it as sent, as not sent, or send it again");
        let (now, outcome) = (self.now(), Outcome::Unknown(error.report()));
        let unit =
            Unit::new(Target::Nothing, move |snapshot| decide::outcome(&env, now, &row, &outcome, snapshot));
        match self.store.apply(Batch::from(unit)).await {
            Ok(applied) => {
                line.meters.unknown.increment(1);
                let done = |applied: &Applied| match applied {
                    Applied::Done(changes) => {
                        self.committed_entries(changes);
                        true
                    }
                    _ => false,
                };
                applied.iter().all(done)
            }
            Err(error) => {
                warn!(%error, "an interrupted send was not settled; it is tried again");
                false
            }
        }
    }
}

/// Fires timers when they are due: an index on due time, no task and no memory per timer.
async fn keep_time(hub: Arc<Inner>) {
    let mut pruned = hub.now();
    loop {
        let now = hub.now();
        if now.since(pruned) > Duration::from_secs(3600) {
            pruned = now;
            if let Err(error) = hub.store.prune(now - hub.settings.keep_claims).await {
                warn!(%error, "old claims were not pruned");
            }
        }
        let busy = match hub.fire_due(now).await {
            Ok(fired) => fired == GULP,
            Err(error) => {
                warn!(%error, "timers were not fired; they are tried again");
                false
            }
        };
        if busy && !hub.stop.is_cancelled() {
            continue;
        }
        // Other nodes' timers are seen within a third of a lease.
        let soon = now + hub.settings.lease / 3;
        let next = hub.store.next_timer(&hub.channels()).await.ok().flatten().filter(|at| *at > now);
        tokio::select! {
            () = hub.clock.sleep_until(next.map_or(soon, |at| at.min(soon))) => {}
            () = hub.timer_set.notified() => {}
            () = hub.stop.cancelled() => return,
        }
    }
}

impl Inner {
    async fn fire_due(self: &Arc<Self>, now: Timestamp) -> StoreResult<usize> {
        let due = self.store.timers_due(&self.channels(), now, GULP).await?;
        let due: Vec<(Arc<Env>, TimerRecord)> = due
            .into_iter()
            .filter_map(|timer| Some((self.line(&timer.channel).ok()?.env(), timer)))
            .collect();
        let fired = due.len();
        if fired == 0 {
            return Ok(0);
        }
        let units = due.iter().map(|(env, timer)| timer_unit(env.clone(), timer, now)).collect();
        let mut failed = Vec::new();
        for (applied, (env, timer)) in self.apply(Batch { units, cursor: None }).await?.into_iter().zip(due) {
            if let Applied::Failed(error) = applied {
                warn!(%error, channel = %timer.channel, "a timer failed; it is put off");
                failed.push(postponed_unit(env, &timer, now));
            }
        }
        if !failed.is_empty() {
            self.apply(Batch { units: failed, cursor: None }).await?;
        }
        Ok(fired)
    }
}

fn timer_unit(env: Arc<Env>, timer: &TimerRecord, now: Timestamp) -> Unit {
    let (token, kind) = (timer.token, timer.kind);
    Unit::new(Target::Conversation(timer.conversation), move |snapshot| {
        decide::timer(&env, now, token, kind, snapshot)
    })
}

fn postponed_unit(env: Arc<Env>, timer: &TimerRecord, now: Timestamp) -> Unit {
    let (token, kind, due) = (timer.token, timer.kind, now + TIMER_FAILED);
    Unit::new(Target::Conversation(timer.conversation), move |snapshot| {
        decide::postpone(&env, now, due, token, kind, snapshot)
    })
}

/// Listens for an account while this node holds its lease (law 11).
async fn listen(hub: Arc<Inner>, line: Arc<Line>) {
    let key = line.env().key.clone();
    let mut replaced = line.replaced.subscribe();
    let mut failures = 0;
    while !line.stop.is_cancelled() {
        replaced.mark_unchanged();
        if line.is_superseded() || !line.env().channel.receives().listens() {
            tokio::select! {
                _ = replaced.changed() => continue,
                () = line.stop.cancelled() => return,
            }
        }
        let worked = Arc::new(AtomicBool::new(false));
        let ended = tokio::select! {
            ended = listen_once(&hub, &line, &key, &worked) => ended,
            _ = replaced.changed() => {
                failures = 0;
                give_up_listening(&hub, &key).await;
                continue;
            }
            () = line.stop.cancelled() => break,
        };
        let now = hub.now();
        let wait = match ended {
            Ok(Listened::Elsewhere) => {
                line.set_health(Health::Standby);
                hub.settings.lease / 3
            }
            Ok(Listened::Ended) => Duration::from_secs(1),
            Err(error) => {
                warn!(channel = %key, %error, "the listener stopped");
                // Not the channel's health: sending may be ill while receiving is well.
                failures = if worked.load(Ordering::Relaxed) { 1 } else { failures + 1 };
                line.ails(&error, now);
                match error.retry() {
                    omni_core::error::Retry::After { wait, .. } => wait,
                    _ if error.kind() == ErrorKind::Conflict => Duration::from_secs(30),
                    _ if error.kind() == ErrorKind::BadCredentials => Duration::from_secs(300),
                    _ => back_off(failures),
                }
            }
        };
        tokio::select! {
            () = hub.pause(wait) => {}
            _ = replaced.changed() => failures = 0,
            () = line.stop.cancelled() => break,
        }
    }
    give_up_listening(&hub, &key).await;
}

async fn give_up_listening(hub: &Inner, key: &ChannelKey) {
    if let Err(error) = hub.store.release(&listen_lease(key), &hub.node).await {
        warn!(%error, "the lease to listen was not given back; it will run out");
    }
}

/// Why a listener ended without an error.
enum Listened {
    /// Another node listens.
    Elsewhere,
    /// The connector returned.
    Ended,
}

async fn listen_once(
    hub: &Arc<Inner>,
    line: &Arc<Line>,
    key: &ChannelKey,
    worked: &Arc<AtomicBool>,
) -> Result<Listened, Error> {
    let storage = |e| Error::new(ErrorKind::Storage, "listen").with_source(e);
    if !hub.lease_to_listen(key).await.map_err(storage)? {
        return Ok(Listened::Elsewhere);
    }
    let env = line.env();
    let inbound = env.channel.inbound().ok_or_else(|| Error::unsupported("listen"))?;
    let cursor = hub.store.cursor(key).await.map_err(storage)?;
    let sink = LeasedSink { hub: hub.clone(), line: line.clone(), worked: worked.clone() };
    tokio::select! {
        ended = inbound.listen(cursor, &sink) => ended.map(|()| Listened::Ended),
        // The listener is dropped the moment the lease is lost: two nodes never poll one account.
        lost = keep_lease(hub, key) => lost.map(|()| Listened::Elsewhere).map_err(storage),
    }
}

/// Renews the lease until it is lost.
async fn keep_lease(hub: &Inner, key: &ChannelKey) -> StoreResult<()> {
    let mut until = hub.now() + hub.settings.lease;
    loop {
        hub.pause(hub.settings.lease / 3).await;
        match hub.store.lease(&listen_lease(key), &hub.node, hub.now(), hub.settings.lease).await {
            Ok(Some(lease)) => until = lease.until,
            Ok(None) => return Ok(()),
            Err(error) if hub.now() >= until => return Err(error),
            Err(error) => warn!(%error, "the lease to listen was not renewed yet"),
        }
    }
}
