//! Sending what waits: one task a channel, one send at a time an address, people first.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use omni_core::error::{ErrorKind, RateScope};
use omni_core::outbound::Author;
use omni_core::{Address, Timestamp};
use tokio::sync::mpsc;

use crate::attempt::{After, attempt};
use crate::hub::Inner;
use crate::line::{Job, Line};
use crate::pacing::Pacer;

/// What waits for one address, in the order of its making.
#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Job>,
    busy: bool,
}

type Attempts = FuturesUnordered<Pin<Box<dyn Future<Output = After> + Send>>>;

/// The outbox of one channel in this process.
struct Dispatcher {
    hub: Arc<Inner>,
    line: Arc<Line>,
    pacer: Pacer,
    lanes: HashMap<Address, Lane>,
    people: VecDeque<Address>,
    programs: VecDeque<Address>,
    later: BinaryHeap<Reverse<(Timestamp, Address)>>,
    in_flight: Attempts,
    spent: u32,
}

/// Sends what a channel has to send, until it is disconnected. Then what is in flight is finished, and what
/// waits is given back to the store.
pub(crate) async fn dispatch(hub: Arc<Inner>, line: Arc<Line>, mut inbox: mpsc::UnboundedReceiver<Job>) {
    let mut d = Dispatcher {
        pacer: Pacer::new(line.env().channel.capabilities()),
        hub,
        line: line.clone(),
        lanes: HashMap::new(),
        people: VecDeque::new(),
        programs: VecDeque::new(),
        later: BinaryHeap::new(),
        in_flight: FuturesUnordered::new(),
        spent: 0,
    };
    let mut replaced = line.replaced.subscribe();
    loop {
        // Whatever has come in takes part: a person's answer must not wait until a provider that answers at
        // once has got all that programs have to say.
        while let Ok(job) = inbox.try_recv() {
            d.put(job);
        }
        let wake = d.start_ready();
        tokio::select! {
            biased;
            () = line.stop.cancelled() => break,
            Ok(()) = replaced.changed() => d.replaced(),
            Some(after) = d.in_flight.next() => {
                if let Some(job) = d.after(after) {
                    d.again(job);
                }
            }
            Some(job) = inbox.recv() => d.put(job),
            () = sleep_until(&d.hub, wake) => {}
        }
    }
    line.env().backlog.open.store(false, Ordering::Release);
    d.drain(inbox).await;
}

async fn sleep_until(hub: &Inner, wake: Option<Timestamp>) {
    match wake {
        Some(at) => hub.clock.sleep_until(at).await,
        None => std::future::pending().await,
    }
}

impl Dispatcher {
    fn put(&mut self, job: Job) {
        let address = job.row.peer.address.clone();
        let author = job.row.author;
        let lane = self.lanes.entry(address.clone()).or_default();
        lane.waiting.push_back(job);
        if !lane.busy && lane.waiting.len() == 1 {
            self.ready(address, author);
        }
    }

    fn ready(&mut self, address: Address, author: Author) {
        match author {
            Author::Person => self.people.push_back(address),
            Author::Program => self.programs.push_back(address),
        }
    }

    /// Starts what may go now; says when to look again.
    fn start_ready(&mut self) -> Option<Timestamp> {
        let now = self.hub.now();
        while self.later.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            let Some(Reverse((_, address))) = self.later.pop() else { break };
            if let Some(job) = self.lanes.get(&address).and_then(|l| l.waiting.front()) {
                self.ready(address, job.row.author);
            }
        }
        while self.in_flight.len() < self.hub.settings.in_flight {
            if self.people.is_empty() && self.programs.is_empty() {
                break;
            }
            let open = self.pacer.account_ready_at();
            if open > now {
                return Some(open);
            }
            let Some(address) = self.people.pop_front().or_else(|| self.programs.pop_front()) else { break };
            self.start(address, now);
        }
        self.later.peek().map(|Reverse((at, _))| *at)
    }

    fn start(&mut self, address: Address, now: Timestamp) {
        let Some(lane) = self.lanes.get_mut(&address) else { return };
        let Some(job) = lane.waiting.front() else { return };
        let at = job.row.due.max(self.pacer.ready_at(&address, job.row.chat));
        if at > now {
            return self.later.push(Reverse((at, address)));
        }
        let Some(job) = lane.waiting.pop_front() else { return };
        lane.busy = true;
        self.pacer.spend(&address, job.row.chat, now);
        self.spent = self.spent.wrapping_add(1);
        if self.spent.is_multiple_of(1024) {
            self.pacer.forget_idle(now);
        }
        self.in_flight.push(Box::pin(attempt(self.hub.clone(), self.line.clone(), job)));
    }

    /// Another channel has the name: its limits hold, and what waited for the former one to get well goes now.
    fn replaced(&mut self) {
        self.pacer.renew(self.line.env().channel.capabilities());
        let now = self.hub.now();
        for job in self.lanes.values_mut().flat_map(|lane| &mut lane.waiting) {
            job.row.due = job.row.due.min(now);
        }
        for Reverse((_, address)) in std::mem::take(&mut self.later) {
            if let Some(job) = self.lanes.get(&address).and_then(|l| l.waiting.front()) {
                self.ready(address, job.row.author);
            }
        }
    }

    /// What an attempt leaves behind: pauses, a lane that may go on, or a job to try again.
    fn after(&mut self, after: After) -> Option<Job> {
        let now = self.hub.now();
        if let Some((scope, wait)) = after.pause {
            let until = now + wait;
            self.pacer.block(scope, &after.address, until);
            if scope != RateScope::Chat {
                self.line.pause(until);
            }
        }
        if after.again.is_some() {
            return after.again;
        }
        let backlog = &self.line.env().backlog;
        if backlog.waiting.fetch_sub(1, Ordering::Relaxed) == backlog.room / 2 + 1 {
            // There is room again for what is above in the store.
            self.hub.unowned.notify_one();
        }
        let lane = self.lanes.get_mut(&after.address)?;
        lane.busy = false;
        match lane.waiting.front().map(|job| job.row.author) {
            Some(author) => self.ready(after.address, author),
            None => {
                self.lanes.remove(&after.address);
            }
        }
        None
    }

    /// Puts a job back at the head of its lane.
    fn again(&mut self, job: Job) {
        let (address, author) = (job.row.peer.address.clone(), job.row.author);
        let lane = self.lanes.entry(address.clone()).or_default();
        lane.busy = false;
        lane.waiting.push_front(job);
        self.ready(address, author);
    }

    /// Gives back what waits, and finishes what is in flight: until it is, others leave its address alone.
    async fn drain(mut self, mut inbox: mpsc::UnboundedReceiver<Job>) {
        inbox.close();
        while let Some(job) = inbox.recv().await {
            self.put(job);
        }
        let rest: Vec<_> =
            self.lanes.values().flat_map(|l| l.waiting.iter().map(|j| j.row.message)).collect();
        self.hub.give_rows_back(&rest).await;
        self.lanes.clear();
        while let Some(after) = self.in_flight.next().await {
            if let Some(job) = self.after(after) {
                self.hub.give_rows_back(&[job.row.message]).await;
            }
        }
    }
}

/// Whether an error stops the whole channel, so that its messages wait instead of failing.
pub(crate) fn stops_channel(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::BadCredentials | ErrorKind::Conflict | ErrorKind::Configuration)
}
