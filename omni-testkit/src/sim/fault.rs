//! Trouble, scripted by the names of calls or thrown from a seed.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::exchange::{Reply, Request};
use super::random::Random;

/// What happens to a call instead of, or after, its proper answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// A proxy's page; nothing is carried out.
    BadGateway,
    /// The call is carried out; half of the answer is sent and the connection is closed.
    CutBody,
    /// The call waits this long and is then carried out and answered as usual.
    Delay(Duration),
    /// The call is carried out at once; its answer waits this long.
    DelayAnswer(Duration),
    /// The call is carried out; the connection is closed without an answer.
    DropAfterAccept,
    /// The connection is closed; nothing is carried out.
    DropBeforeAccept,
    /// The call is carried out; the answer is 200 with something else.
    Garbage,
    /// 302 to this place; nothing is carried out.
    Redirect(String),
    /// This answer, in the provider's own form; nothing is carried out.
    Reply(Reply),
    /// The call is carried out; the answer is sent in so many pieces with this pause before each.
    SlowBody {
        /// Number of pieces.
        pieces: usize,
        /// Pause before each piece.
        pause: Duration,
    },
}

impl Fault {
    /// Whether the call is still carried out.
    pub(super) fn lets_through(&self) -> bool {
        use Fault::{CutBody, Delay, DelayAnswer, DropAfterAccept, Garbage, SlowBody};
        matches!(self, CutBody | Delay(_) | DelayAnswer(_) | DropAfterAccept | Garbage | SlowBody { .. })
    }

    /// Whether the caller is kept from learning the outcome.
    pub(super) fn hides_answer(&self) -> bool {
        matches!(self, Self::CutBody | Self::DropAfterAccept | Self::Garbage)
    }
}

type Matches = dyn Fn(&Request) -> bool + Send + Sync;

/// When a fault strikes: which call, after how many and how often.
#[derive(Clone)]
pub struct Rule {
    fault: Fault,
    name: Option<String>,
    matches: Option<Arc<Matches>>,
    skip: u32,
    left: u32,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("fault", &self.fault).field("name", &self.name).finish_non_exhaustive()
    }
}

impl Rule {
    /// Strikes the next call of any name, once.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self { fault, name: None, matches: None, skip: 0, left: 1 }
    }

    /// Only calls of this name, as [`Site::name`](super::Site::name) gives it.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Only calls that look so.
    #[must_use]
    pub fn matching(mut self, matches: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Self {
        self.matches = Some(Arc::new(matches));
        self
    }

    /// Lets so many matching calls pass first.
    #[must_use]
    pub fn after(mut self, calls: u32) -> Self {
        self.skip = calls;
        self
    }

    /// Strikes so many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.left = times;
        self
    }

    /// Strikes until [`Faults::clear`].
    #[must_use]
    pub fn always(self) -> Self {
        self.times(u32::MAX)
    }

    fn fits(&self, name: &str, request: &Request) -> bool {
        self.left > 0
            && self.name.as_deref().is_none_or(|wanted| wanted == name)
            && self.matches.as_ref().is_none_or(|matches| matches(request))
    }
}

#[derive(Debug, Default)]
struct Script {
    rules: Vec<Rule>,
    chaos: Option<Chaos>,
}

/// Dice, and what they may show.
#[derive(Debug)]
struct Chaos {
    dice: Random,
    faces: Vec<(f64, String, Fault)>,
}

/// The faults of one simulator. When nothing is scripted, a call costs one atomic read.
#[derive(Debug, Default)]
pub struct Faults {
    armed: AtomicBool,
    script: Mutex<Script>,
}

impl Faults {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arm(&self, change: impl FnOnce(&mut Script)) -> &Self {
        change(&mut self.script());
        self.armed.store(true, Ordering::Release);
        self
    }

    /// Adds a rule; earlier rules are looked at first.
    pub fn add(&self, rule: Rule) -> &Self {
        self.arm(|script| script.rules.push(rule))
    }

    /// Strikes the next `times` calls of a name.
    pub fn on(&self, name: &str, times: u32, fault: Fault) -> &Self {
        self.add(Rule::new(fault).name(name).times(times))
    }

    /// Random trouble from a seed: each with its probability, for calls of its name.
    pub fn chaos(&self, seed: u64, faces: Vec<(f64, String, Fault)>) -> &Self {
        self.arm(|script| script.chaos = Some(Chaos { dice: Random::new(seed), faces }))
    }

    /// Rules that have not struck as often as they may.
    #[must_use]
    pub fn unspent(&self) -> usize {
        self.script().rules.len()
    }

    /// Ends all faults.
    pub fn clear(&self) -> &Self {
        *self.script() = Script::default();
        self.armed.store(false, Ordering::Release);
        self
    }

    /// The fault that strikes this call, if any.
    pub(super) fn strike(&self, name: &str, request: &Request) -> Option<Fault> {
        if !self.armed.load(Ordering::Acquire) {
            return None;
        }
        let mut script = self.script();
        if let Some(rule) = script.rules.iter_mut().find(|rule| rule.fits(name, request)) {
            if rule.skip == 0 {
                if rule.left != u32::MAX {
                    rule.left -= 1;
                }
                let fault = rule.fault.clone();
                script.rules.retain(|rule| rule.left > 0);
                return Some(fault);
            }
            rule.skip -= 1;
        }
        let Chaos { dice, faces } = script.chaos.as_mut()?;
        let mut throw = dice.unit();
        for (chance, _, fault) in faces.iter().filter(|(_, of, _)| of == name) {
            if throw < *chance {
                return Some(fault.clone());
            }
            throw -= chance;
        }
        None
    }
}
