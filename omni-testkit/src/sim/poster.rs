//! Webhooks from the provider to the host: in order by lanes, repeated, delayed, shuffled, spoilt, tried again.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderMap, Method, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::ground::Ground;
use super::random::Random;

/// At most so much of the host's answer is read.
const MAX_ANSWER: usize = 1 << 20;
/// How long the host may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Deliveries kept; the oldest go first.
const MAX_DELIVERIES: usize = 100_000;

/// One webhook on its way, signed already.
#[derive(Clone, Debug)]
pub struct Hook {
    /// Hooks of one lane go in order, those of different lanes in parallel.
    pub lane: String,
    /// Where to. Only plain HTTP is spoken.
    pub url: String,
    /// Headers, the signature among them.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// How often it was tried before, from 0; made anew for each try.
    pub attempt: u32,
}

impl Hook {
    /// A JSON body in a lane.
    #[must_use]
    pub fn json(lane: impl Into<String>, url: impl Into<String>, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        Self { lane: lane.into(), url: url.into(), headers, body: body.into(), attempt: 0 }
    }
}

/// What the host answered.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The status; nothing when there was no answer.
    pub status: Option<StatusCode>,
    /// Headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answered {
    /// Whether the host answered 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status.is_some_and(|status| status.is_success())
    }

    fn nothing() -> Self {
        Self { status: None, headers: HeaderMap::new(), body: Bytes::new() }
    }
}

/// What the provider makes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is done with.
    Taken,
    /// Once more, after this pause.
    Again(Duration),
    /// It is given up.
    Dropped,
}

/// Judges an answer to the hook's try of that number, from 0.
pub type VerdictOf = dyn Fn(&Hook, &Answered) -> Verdict + Send + Sync;

/// One request that was made.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What was sent, as it went out.
    pub hook: Hook,
    /// What came back.
    pub answer: Answered,
}

type Spoil = dyn Fn(&mut Hook) + Send + Sync;

#[derive(Default)]
struct State {
    lanes: HashMap<String, VecDeque<Hook>>,
    running: HashSet<String>,
    is_held: bool,
    copies: u32,
    in_parallel: bool,
    delay: Duration,
    dice: Option<Random>,
    spoils: Vec<(u32, Arc<Spoil>)>,
    deliveries: VecDeque<Delivery>,
}

/// Posts webhooks. Cheap to clone.
#[derive(Clone)]
pub struct Poster {
    inner: Arc<Inner>,
}

struct Inner {
    ground: Ground,
    client: Client<HttpConnector, Full<Bytes>>,
    verdict: Box<VerdictOf>,
    /// Changes a hook before it goes out: a header that counts tries.
    dress: Box<Spoil>,
    state: Mutex<State>,
}

impl fmt::Debug for Poster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poster").field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}

impl Poster {
    /// A poster that judges answers by `verdict`.
    pub fn new(
        ground: &Ground,
        verdict: impl Fn(&Hook, &Answered) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        Self::dressing(ground, verdict, |_| {})
    }

    /// The same; `dress` changes each hook before each try, by its [`attempt`](Hook::attempt).
    pub fn dressing(
        ground: &Ground,
        verdict: impl Fn(&Hook, &Answered) -> Verdict + Send + Sync + 'static,
        dress: impl Fn(&mut Hook) + Send + Sync + 'static,
    ) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        let (verdict, dress) = (Box::new(verdict), Box::new(dress));
        let state = Mutex::new(State { copies: 1, ..State::default() });
        Self { inner: Arc::new(Inner { ground: ground.clone(), client, verdict, dress, state }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a webhook; may be called from any thread.
    pub fn post(&self, hook: Hook) {
        let lane = hook.lane.clone();
        let mut state = self.state();
        state.lanes.entry(lane.clone()).or_default().push_back(hook);
        self.start(&mut state, lane);
    }

    /// Posts at once, past the queue and all faults, and gives the answer: for probes and confirmations.
    pub async fn ask(&self, hook: Hook) -> Answered {
        let answer = self.exchange(&hook).await;
        self.record(hook, answer.clone());
        answer
    }

    /// Posts every hook so many times, one after the other.
    pub fn repeat(&self, copies: u32) -> &Self {
        (self.state().copies, self.state().in_parallel) = (copies.max(1), false);
        self
    }

    /// Posts every hook so many times at once.
    pub fn repeat_in_parallel(&self, copies: u32) -> &Self {
        (self.state().copies, self.state().in_parallel) = (copies.max(1), true);
        self
    }

    /// Waits before every request.
    pub fn delay(&self, delay: Duration) -> &Self {
        self.state().delay = delay;
        self
    }

    /// Takes what waits in a lane in a random order, from a seed.
    pub fn shuffle(&self, seed: u64) -> &Self {
        self.state().dice = Some(Random::new(seed));
        self
    }

    /// Starts no further request until [`Poster::release`]; hooks pile up.
    pub fn hold(&self) -> &Self {
        self.state().is_held = true;
        self
    }

    /// Lets requests go on.
    pub fn release(&self) -> &Self {
        let mut state = self.state();
        state.is_held = false;
        let lanes: Vec<String> = state.lanes.keys().cloned().collect();
        for lane in lanes {
            self.start(&mut state, lane);
        }
        drop(state);
        self
    }

    /// Changes the next `times` hooks behind their signature.
    pub fn spoil(&self, times: u32, spoil: impl Fn(&mut Hook) + Send + Sync + 'static) -> &Self {
        if times > 0 {
            self.state().spoils.push((times, Arc::new(spoil)));
        }
        self
    }

    /// Requests made, in order of their ends.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.state().deliveries.iter().cloned().collect()
    }

    /// Hooks that are not taken yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let state = self.state();
        state.lanes.values().map(VecDeque::len).sum::<usize>()
    }

    /// Waits until every hook was taken or given up.
    pub async fn idle(&self) {
        let is_idle = || {
            let state = self.state();
            (state.lanes.is_empty() && state.running.is_empty()).then_some(())
        };
        self.inner.ground.wait_for("every webhook to be taken", is_idle).await;
    }

    fn start(&self, state: &mut State, lane: String) {
        if !state.is_held && state.running.insert(lane.clone()) {
            let poster = self.clone();
            self.inner.ground.spawn(async move { poster.work(&lane).await });
        }
    }

    /// Delivers what waits in a lane.
    async fn work(&self, lane: &str) {
        while let Some(hook) = self.next(lane) {
            self.see_through(hook).await;
            self.inner.ground.changed();
        }
        self.inner.ground.changed();
    }

    /// The next hook of a lane; it stays in the queue until it is settled.
    fn next(&self, lane: &str) -> Option<Hook> {
        let mut state = self.state();
        let state = &mut *state;
        let queue = state.lanes.get_mut(lane).filter(|queue| !queue.is_empty());
        match (queue, state.is_held) {
            (Some(queue), false) => {
                if let Some(dice) = &mut state.dice {
                    let at = dice.below(queue.len());
                    queue.swap(0, at);
                }
                queue.front().cloned()
            }
            (found, _) => {
                if found.is_none() {
                    state.lanes.remove(lane);
                }
                state.running.remove(lane);
                None
            }
        }
    }

    /// Tries one hook until it is taken or given up.
    async fn see_through(&self, mut hook: Hook) {
        loop {
            if let Verdict::Again(pause) = self.deliver(hook.clone()).await {
                hook.attempt += 1;
                tokio::time::sleep(pause).await;
                continue;
            }
            let mut state = self.state();
            if let Some(queue) = state.lanes.get_mut(&hook.lane) {
                queue.pop_front();
            }
            return;
        }
    }

    /// One try, in as many copies as asked for: it is taken when one of them is, otherwise the last one counts.
    async fn deliver(&self, mut hook: Hook) -> Verdict {
        let (copies, in_parallel, delay, spoil) = {
            let mut state = self.state();
            let spoil = state.spoils.first_mut().map(|(left, spoil)| {
                *left -= 1;
                Arc::clone(spoil)
            });
            state.spoils.retain(|(left, _)| *left > 0);
            (state.copies, state.in_parallel, state.delay, spoil)
        };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        (self.inner.dress)(&mut hook);
        if let Some(spoil) = spoil {
            spoil(&mut hook);
        }
        let requests = (0..copies).map(|_| self.ask(hook.clone()));
        let mut answers = Vec::new();
        if in_parallel {
            answers = join_all(requests).await;
        } else {
            for request in requests {
                answers.push(request.await);
            }
        }
        // Each answer is judged once: a simulator may act on it.
        let verdicts: Vec<Verdict> =
            answers.iter().map(|answer| (self.inner.verdict)(&hook, answer)).collect();
        let taken = verdicts.iter().find(|verdict| **verdict == Verdict::Taken);
        taken.or(verdicts.last()).copied().unwrap_or(Verdict::Dropped)
    }

    async fn exchange(&self, hook: &Hook) -> Answered {
        let request = hook.url.parse::<Uri>().map(|uri| {
            let mut request = http::Request::new(Full::new(hook.body.clone()));
            *request.method_mut() = Method::POST;
            *request.uri_mut() = uri;
            *request.headers_mut() = hook.headers.clone();
            request
        });
        let Ok(request) = request else { return Answered::nothing() };
        let exchange = async {
            let response = self.inner.client.request(request).await.ok()?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await;
            let body = body.map(|whole| whole.to_bytes()).unwrap_or_default();
            Some(Answered { status: Some(head.status), headers: head.headers, body })
        };
        let answer = tokio::time::timeout(PATIENCE, exchange).await;
        answer.ok().flatten().unwrap_or_else(Answered::nothing)
    }

    fn record(&self, hook: Hook, answer: Answered) {
        let mut state = self.state();
        if state.deliveries.len() == MAX_DELIVERIES {
            state.deliveries.pop_front();
        }
        state.deliveries.push_back(Delivery { hook, answer });
        drop(state);
        self.inner.ground.changed();
    }
}
