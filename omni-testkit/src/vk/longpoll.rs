//! Bots Long Poll (<https://dev.vk.com/api/bots-long-poll/getting-started>, read 2026-11).

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{Core, params::Params, random::Random};

/// The longest wait of one question.
const MAX_WAIT: u64 = 90;

/// The long poll of one community.
#[derive(Debug)]
pub(super) struct LongPoll {
    pub(super) is_on: bool,
    pub(super) version: Option<String>,
    pub(super) events: BTreeMap<String, bool>,
    pub(super) key: String,
    /// Number of the next event.
    pub(super) next: u64,
    pub(super) history: VecDeque<(u64, Value)>,
    /// Answers of `failed` that a test has asked for.
    pub(super) script: VecDeque<PollFailure>,
    pub(super) asked: VecDeque<Instant>,
}

/// A long poll that fails (<https://dev.vk.com/api/bots-long-poll/getting-started>).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PollFailure {
    /// `failed: 1`: events before the newest are lost.
    HistoryLost,
    /// `failed: 2`: the key is no longer good.
    KeyExpired,
    /// `failed: 3`: key and place are no longer good.
    StateLost,
}

impl LongPoll {
    pub(super) fn new(random: &mut Random) -> Self {
        Self {
            is_on: false,
            version: None,
            events: BTreeMap::new(),
            key: random.hex(40),
            next: 1842,
            history: VecDeque::new(),
            script: VecDeque::new(),
            asked: VecDeque::new(),
        }
    }

    pub(super) fn push(&mut self, event: Value, limit: usize) {
        self.history.push_back((self.next, event));
        self.next += 1;
        while self.history.len() > limit {
            self.history.pop_front();
        }
    }

    /// Whether the address of the server was asked for too often.
    pub(super) fn is_asked_too_often(&mut self, quota: usize) -> bool {
        let now = Instant::now();
        self.asked.retain(|at| now.duration_since(*at) < Duration::from_secs(1));
        self.asked.push_back(now);
        self.asked.len() > quota
    }

    /// Carries a scripted failure out.
    fn fail(&mut self, failure: PollFailure, random: &mut Random) -> Value {
        match failure {
            PollFailure::HistoryLost => {
                self.history.clear();
                json!({"failed": 1, "ts": self.next})
            }
            PollFailure::KeyExpired => {
                self.key = random.hex(40);
                json!({"failed": 2})
            }
            PollFailure::StateLost => {
                self.key = random.hex(40);
                self.history.clear();
                self.next += 1000;
                json!({"failed": 3})
            }
        }
    }

    /// What there is to tell from a place on; nothing when it is to be waited for.
    fn look(&self, ts: u64) -> Option<Value> {
        let oldest = self.history.front().map_or(self.next, |(number, _)| *number);
        if ts < oldest || ts > self.next {
            // The number is one here and a string elsewhere.
            return Some(json!({"failed": 1, "ts": self.next}));
        }
        let fresh: Vec<&Value> =
            self.history.iter().filter(|(n, _)| *n >= ts).map(|(_, event)| event).collect();
        (!fresh.is_empty()).then(|| json!({"ts": self.next.to_string(), "updates": fresh}))
    }
}

impl Core {
    /// `a_check`: waits until there is something to tell.
    pub(super) async fn check(&self, club: i64, params: &Params) -> Value {
        if params.text("act") != Some("a_check") {
            return json!({"error": "unknown act"});
        }
        let Some(ts) = params.text("ts").and_then(|ts| ts.parse::<u64>().ok()) else {
            return json!({"failed": 3});
        };
        let key = params.text("key").unwrap_or_default().to_owned();
        let wait = params.text("wait").and_then(|wait| wait.parse().ok()).unwrap_or(25).min(MAX_WAIT);
        let mut changes = self.ground.watch();
        let search = async {
            loop {
                changes.mark_unchanged();
                if let Some(found) = self.look(club, &key, ts) {
                    return found;
                }
                // The sender lives in the ground, so this cannot fail while we wait.
                let _ = changes.changed().await;
            }
        };
        let found = tokio::time::timeout(Duration::from_secs(wait), search).await;
        found.unwrap_or_else(|_| json!({"ts": ts.to_string(), "updates": []}))
    }

    fn look(&self, club: i64, key: &str, ts: u64) -> Option<Value> {
        let mut world = self.lock();
        let world = &mut *world;
        let Some(club) = world.clubs.get_mut(&club) else { return Some(json!({"failed": 3})) };
        if club.poll.key != key || !club.poll.is_on {
            return Some(json!({"failed": 2}));
        }
        match club.poll.script.pop_front() {
            Some(failure) => Some(club.poll.fail(failure, &mut world.random)),
            None => club.poll.look(ts),
        }
    }
}
