//! Timers that rules start for each other.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Graph, circles, shown};
use super::step::Way;
use super::{At, FindingKind, Lint};
use crate::policy::book::{Do, Limit, Trigger};

impl<'a> Lint<'a> {
    pub(super) fn timers(&mut self) {
        if self.is_whole() {
            self.unmatched();
        }
        self.round();
    }

    /// Timers that nothing starts, and those that nobody listens to.
    fn unmatched(&mut self) {
        let scenarios = At::default().key("scenarios");
        let mut started: BTreeMap<&str, Vec<At>> = BTreeMap::new();
        let mut heard: BTreeMap<&str, Vec<At>> = BTreeMap::new();
        for (name, scenario) in &self.book.scenarios {
            for (i, rule) in scenario.rules.iter().enumerate() {
                let at = scenarios.key(name).key("rules").index(i);
                if let Some(Trigger::Timer(timer)) = &rule.on {
                    heard.entry(timer).or_default().push(at.keys(["on", "timer"]));
                }
                for (j, step) in rule.steps.iter().enumerate() {
                    if let Do::Timer(timer) = step {
                        started.entry(&timer.name).or_default().push(at.key("do").index(j).key("timer"));
                    }
                }
            }
        }
        for (timer, places) in &heard {
            for at in places.iter().filter(|_| !started.contains_key(timer)) {
                let near = super::nearest(timer, started.keys().copied());
                let near = near.map(|near| format!("did you mean `{near}`?"));
                let advice = near.unwrap_or_else(|| "add a `timer` step with this name".to_owned());
                self.add(
                    FindingKind::TimerNeverStarts,
                    at,
                    format!("nothing starts the timer `{timer}`: {advice}"),
                );
            }
        }
        for (timer, places) in &started {
            for at in places.iter().filter(|_| !heard.contains_key(timer)) {
                let message = format!(
                    "no rule listens to the timer `{timer}`: add one with on = {{ timer = \"{timer}\" }}"
                );
                self.add(FindingKind::TimerUnheard, at, message);
            }
        }
    }

    /// Timers that start one another.
    fn round(&mut self) {
        let (mut spinning, mut unlimited) = (Graph::new(), Graph::new());
        let mut places: BTreeMap<(&str, &str), At> = BTreeMap::new();
        for (name, scenario) in &self.book.scenarios {
            for (i, rule) in scenario.rules.iter().enumerate() {
                let Some(Trigger::Timer(from)) = &rule.on else { continue };
                self.walk_rule(None, name, (i, rule), &mut |way: &Way<'_, 'a>| {
                    let Do::Timer(timer) = way.step else { return };
                    let to = timer.name.as_str();
                    places.entry((from, to)).or_insert_with(|| way.at.key("timer"));
                    if way.at_once && timer.after.is_zero() {
                        spinning.entry(from.as_str()).or_default().insert(to);
                    }
                    let is_free = |rule: &crate::policy::book::Rule| {
                        rule.when.is_none() && rule.limit == Limit::default()
                    };
                    if is_free(rule) && is_free(way.rule) {
                        unlimited.entry(from.as_str()).or_default().insert(to);
                    }
                });
            }
        }
        let mut spun: BTreeSet<&str> = BTreeSet::new();
        for circle in circles(&spinning) {
            let message = format!(
                "these timers start each other without any time passing, for ever: {}; give one a time above zero",
                shown(&circle)
            );
            self.on_circle(FindingKind::TimerSpin, &circle, &places, message);
            spun.extend(circle);
        }
        for circle in circles(&unlimited) {
            if circle.iter().any(|timer| spun.contains(timer)) {
                continue;
            }
            let message = format!(
                "nothing but the closing ends this circle of timers: {}; give a rule on the way a `limit` or an `if`",
                shown(&circle)
            );
            self.on_circle(FindingKind::TimerRepeats, &circle, &places, message);
        }
    }

    fn on_circle(
        &mut self,
        kind: FindingKind,
        circle: &[&str],
        places: &BTreeMap<(&str, &str), At>,
        message: String,
    ) {
        let first = circle.first().copied().unwrap_or_default();
        let next = circle.get(1).copied().unwrap_or(first);
        if let Some(at) = places.get(&(first, next)) {
            self.add(kind, at, message);
        }
    }
}
