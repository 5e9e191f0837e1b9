//! Trouble in a protocol of lines, scripted by the step it strikes.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::sim::random::Random;

type Matches = dyn Fn(&str) -> bool + Send + Sync;

/// When a fault strikes: at which step, after how many and how often.
#[derive(Clone)]
pub struct Rule<P, F> {
    fault: F,
    step: Option<P>,
    matches: Option<Arc<Matches>>,
    skip: u32,
    left: u32,
}

impl<P: fmt::Debug, F: fmt::Debug> fmt::Debug for Rule<P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("fault", &self.fault).field("step", &self.step).finish_non_exhaustive()
    }
}

impl<P: PartialEq, F> Rule<P, F> {
    /// Strikes the next step of any kind, once.
    #[must_use]
    pub fn new(fault: F) -> Self {
        Self { fault, step: None, matches: None, skip: 0, left: 1 }
    }

    /// Only this step.
    #[must_use]
    pub fn at(mut self, step: P) -> Self {
        self.step = Some(step);
        self
    }

    /// Only lines that look so: the client's line without its end; empty where the client says nothing.
    #[must_use]
    pub fn matching(mut self, matches: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.matches = Some(Arc::new(matches));
        self
    }

    /// Lets so many matching steps pass first.
    #[must_use]
    pub fn after(mut self, steps: u32) -> Self {
        self.skip = steps;
        self
    }

    /// Strikes so many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.left = times;
        self
    }

    /// Strikes until [`Script::clear`].
    #[must_use]
    pub fn always(self) -> Self {
        self.times(u32::MAX)
    }

    fn fits(&self, step: &P, line: &str) -> bool {
        self.left > 0
            && self.step.as_ref().is_none_or(|wanted| wanted == step)
            && self.matches.as_ref().is_none_or(|matches| matches(line))
    }
}

/// The faults of one protocol.
pub struct Script<P, F> {
    inner: Mutex<Inner<P, F>>,
}

/// Faults with their probabilities and steps.
type Faces<P, F> = Vec<(f64, P, F)>;

struct Inner<P, F> {
    rules: Vec<Rule<P, F>>,
    chaos: Option<(Random, Faces<P, F>)>,
    struck: u64,
}

impl<P, F> Default for Script<P, F> {
    fn default() -> Self {
        Self { inner: Mutex::new(Inner { rules: Vec::new(), chaos: None, struck: 0 }) }
    }
}

impl<P, F> fmt::Debug for Script<P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").finish_non_exhaustive()
    }
}

impl<P: PartialEq, F: Clone> Script<P, F> {
    fn inner(&self) -> MutexGuard<'_, Inner<P, F>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a rule; earlier rules are looked at first.
    pub fn add(&self, rule: Rule<P, F>) -> &Self {
        self.inner().rules.push(rule);
        self
    }

    /// Strikes the next `times` steps of a kind.
    pub fn on(&self, step: P, times: u32, fault: F) -> &Self {
        self.add(Rule::new(fault).at(step).times(times))
    }

    /// Random trouble from a seed: each with its probability, at its step.
    pub fn chaos(&self, seed: u64, faces: Vec<(f64, P, F)>) -> &Self {
        self.inner().chaos = Some((Random::new(seed), faces));
        self
    }

    /// Rules that have not struck as often as they may.
    #[must_use]
    pub fn unspent(&self) -> usize {
        self.inner().rules.len()
    }

    /// How often anything struck so far.
    #[must_use]
    pub fn struck(&self) -> u64 {
        self.inner().struck
    }

    /// Ends all faults.
    pub fn clear(&self) -> &Self {
        let mut inner = self.inner();
        inner.rules.clear();
        inner.chaos = None;
        drop(inner);
        self
    }

    /// The fault that strikes this step, if any.
    pub(super) fn strike(&self, step: P, line: &str) -> Option<F> {
        let mut inner = self.inner();
        let fault = inner.scripted(&step, line).or_else(|| inner.thrown(&step))?;
        inner.struck += 1;
        Some(fault)
    }
}

impl<P: PartialEq, F: Clone> Inner<P, F> {
    fn scripted(&mut self, step: &P, line: &str) -> Option<F> {
        let rule = self.rules.iter_mut().find(|rule| rule.fits(step, line))?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        if rule.left != u32::MAX {
            rule.left -= 1;
        }
        let fault = rule.fault.clone();
        self.rules.retain(|rule| rule.left > 0);
        Some(fault)
    }

    fn thrown(&mut self, step: &P) -> Option<F> {
        let (dice, faces) = self.chaos.as_mut()?;
        let mut throw = dice.unit();
        for (chance, _, fault) in faces.iter().filter(|(_, at, _)| at == step) {
            if throw < *chance {
                return Some(fault.clone());
            }
            throw -= chance;
        }
        None
    }
}
