//! Scenarios and their rules.

use std::collections::BTreeMap;

use super::condition::{Truth, Where};
use super::graph::{chains, circles, shown};
use super::{At, FindingKind, Lint};
use crate::policy::book::{Do, Limit, MAX_DEPTH, Mode, Rule, Scenario, Trigger};

impl<'a> Lint<'a> {
    pub(super) fn scenarios(&mut self, at: &At) {
        for (name, scenario) in &self.book.scenarios {
            let at = at.key(name);
            if scenario.rules.is_empty() {
                let message = "a scenario without rules does nothing: add a rule, or take it out";
                self.add(FindingKind::EmptyScenario, &at, message);
            }
            if self.is_whole() && !self.uses.is_used(name) {
                let message = if self.uses.is_called(name) {
                    format!("only scenarios that no channel uses call `{name}`")
                } else {
                    format!(
                        "no channel uses `{name}`, and no scenario calls it: name it in a channel's `scenario`"
                    )
                };
                self.add(FindingKind::UnusedScenario, &at, message);
            }
            let at = at.key("rules");
            self.rule_names(&at, &scenario.rules);
            self.reach(&at, name, scenario);
            for (i, rule) in scenario.rules.iter().enumerate() {
                self.rule(&at.index(i), name, (i, rule));
            }
        }
    }

    fn rule_names(&mut self, at: &At, rules: &[Rule]) {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for (i, rule) in rules.iter().enumerate() {
            let at = at.index(i).key("name");
            if rule.name.trim().is_empty() {
                let message = "the name is empty: traces, limits and waits go by it";
                self.add(FindingKind::RuleName, &at, message);
            } else if let Some(first) = seen.get(rule.name.as_str()) {
                let message = format!(
                    "the rule {first} of this scenario has the name `{}` too: limits and waits would be counted together",
                    rule.name
                );
                self.add(FindingKind::RuleName, &at, message);
            } else {
                seen.insert(&rule.name, i);
            }
        }
    }

    /// Rules that nothing sets off, and those that an earlier one leaves nothing for.
    fn reach(&mut self, at: &At, name: &str, scenario: &'a Scenario) {
        // Rules that act whenever they are set off, and leave nothing for those behind them.
        let mut takers: Vec<&Rule> = Vec::new();
        for (i, rule) in scenario.rules.iter().enumerate() {
            let at = at.index(i);
            if self.is_whole() && self.uses.is_used(name) && !self.uses.is_set_off(name, rule) {
                let message = match rule.on {
                    None => {
                        format!("nothing sets this rule off: give it an `on`, or call the scenario `{name}`")
                    }
                    Some(_) => format!(
                        "no call of the scenario `{name}` comes from a rule with this `on` (behind a wait none is left): \
                         leave `on` out, or call it from such a rule"
                    ),
                };
                self.add(FindingKind::UncalledRule, &at, message);
            }
            // Where it only is called, a rule without a trigger fits all of them.
            let is_called_only = !self.uses.is_main(name);
            let fits = |taker: &&&Rule| taker.on == rule.on || (taker.on.is_none() && is_called_only);
            if let Some(taker) = takers.iter().find(fits) {
                let why = match scenario.mode {
                    Mode::First => "only the first rule that fits acts",
                    Mode::All => "it stops the scenario",
                };
                let message = format!(
                    "the rule `{}` before it always acts, and {why}: move this one up, or give that one a condition",
                    taker.name
                );
                self.add(FindingKind::UnreachableRule, &at, message);
            } else if self.takes_all(scenario.mode, rule) {
                takers.push(rule);
            }
        }
    }

    /// Whether a rule acts whenever it is set off, and leaves nothing for those behind it.
    fn takes_all(&self, mode: Mode, rule: &Rule) -> bool {
        let ends = match mode {
            Mode::First => true,
            // Behind a wait a stop ends only what waited.
            Mode::All => {
                let mut before =
                    rule.steps.iter().take_while(|step| !matches!(step, Do::Wait(_) | Do::Close(_)));
                before.any(|step| *step == Do::Stop)
            }
        };
        ends && rule.limit == Limit::default() && self.always(rule)
    }

    fn always(&self, rule: &Rule) -> bool {
        let place = Where { trigger: rule.on.as_ref(), user: None };
        rule.when.as_ref().is_none_or(|when| self.truth(when, &place) == Truth::Always)
    }

    fn rule(&mut self, at: &At, scenario: &'a str, (i, rule): (usize, &'a Rule)) {
        match &rule.on {
            Some(Trigger::Silent(silence)) => {
                let at = at.keys(["on", "silent", "for"]);
                self.period(&at, silence.lasting, "nobody is silent for no time");
            }
            Some(Trigger::Timer(name)) => {
                self.words(&at.keys(["on", "timer"]), name, "the name of the timer")
            }
            _ => {}
        }
        if let Some(when) = &rule.when {
            self.condition(&at.key("if"), scenario, rule, when);
        }
        self.limit(&at.key("limit"), rule.limit);
        self.steps(&at.key("do"), scenario, (i, rule));
    }

    fn limit(&mut self, at: &At, limit: Limit) {
        let counts = [
            ("per_conversation", limit.per_conversation),
            ("per_day", limit.per_day),
            ("per_contact", limit.per_contact),
        ];
        for (key, count) in counts {
            if count == Some(0) {
                let message = "with a limit of 0 the rule never acts: raise it, or leave it out for no limit";
                self.add(FindingKind::ZeroLimit, &at.key(key), message);
            }
        }
        if let Some(period) = limit.cool_down {
            self.period(&at.key("cool_down"), period, "a `cool_down` of zero limits nothing");
        }
    }

    /// Circles of calls, and calls that go too deep.
    pub(super) fn calls(&mut self, at: &At) {
        let mut graph = self.uses.calls.clone();
        for circle in circles(&graph) {
            let first = circle.first().copied().unwrap_or_default();
            let next = circle.get(1).copied().unwrap_or(first);
            let message =
                format!("scenarios call each other in a circle: {}; take one call out", shown(&circle));
            let at = self.call_site(&at.key(first), first, next);
            self.add(FindingKind::CallCycle, &at, message);
            for name in circle {
                graph.remove(name);
            }
        }
        for chain in chains(&graph, usize::from(MAX_DEPTH)) {
            let (Some(first), Some(next)) = (chain.first(), chain.get(1)) else { continue };
            let message =
                format!("calls go deeper than {MAX_DEPTH}: {}; join some of these", chain.join(" -> "));
            let at = self.call_site(&at.key(first), first, next);
            self.add(FindingKind::TooDeep, &at, message);
        }
    }

    /// Where a scenario calls another one.
    fn call_site(&self, at: &At, from: &str, to: &str) -> At {
        let rules = self.book.scenarios.get(from).map(|s| s.rules.as_slice()).unwrap_or_default();
        let sites = rules
            .iter()
            .enumerate()
            .flat_map(|(i, rule)| rule.steps.iter().enumerate().map(move |(j, s)| (i, j, s)));
        let mut calls = sites.filter(|(_, _, step)| matches!(step, Do::Call(name) if name == to));
        match calls.next() {
            Some((i, j, _)) => at.key("rules").index(i).key("do").index(j).key("call"),
            None => at.clone(),
        }
    }
}
