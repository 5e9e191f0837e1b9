//! Which channels use which scenarios, and what is done in them.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::Graph;
use super::{At, ChannelPolicy};
use crate::id::ChannelId;
use crate::policy::book::{Book, Do, Rule, Trigger};

/// A channel of the book.
pub(super) struct User<'a> {
    /// Absent for those that the book does not name.
    pub(super) id: Option<&'a ChannelId>,
    pub(super) policy: &'a ChannelPolicy,
    pub(super) at: At,
}

/// Which channels use which scenarios.
pub(super) struct Uses<'a> {
    pub(super) channels: Vec<User<'a>>,
    /// Which scenario calls which.
    pub(super) calls: Graph<'a>,
    /// Scenarios with the channels, by their place in the list, whose conversations come there.
    users: BTreeMap<&'a str, BTreeSet<usize>>,
    /// Scenarios that channels begin with.
    mains: BTreeSet<&'a str>,
    /// Fields that steps set.
    pub(super) fields: BTreeSet<&'a str>,
    /// What sets off the rules of a scenario that is called: `None` where a call comes after a wait.
    called: BTreeMap<&'a str, Vec<Option<&'a Trigger>>>,
}

impl<'a> Uses<'a> {
    pub(super) fn of(book: &'a Book) -> Self {
        let named = book.channels.iter().map(|(id, policy)| {
            let at = At::default().keys(["channels", id.as_str()]);
            User { id: Some(id), policy, at }
        });
        let other = User { id: None, policy: &book.other_channels, at: At::default().key("other_channels") };
        let channels: Vec<User<'a>> = named.chain([other]).collect();

        let mut calls = Graph::new();
        for (name, scenario) in &book.scenarios {
            let called = scenario.rules.iter().flat_map(|rule| &rule.steps).filter_map(|step| match step {
                Do::Call(called) => Some(called.as_str()),
                _ => None,
            });
            calls.insert(name, called.filter(|called| book.scenarios.contains_key(*called)).collect());
        }

        let mut users: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        let mut spread: Vec<(&str, usize)> = channels
            .iter()
            .enumerate()
            .filter_map(|(i, user)| {
                Some((book.scenarios.get_key_value(user.policy.scenario.as_ref()?)?.0.as_str(), i))
            })
            .collect();
        while let Some((name, user)) = spread.pop() {
            if users.entry(name).or_default().insert(user) {
                spread.extend(calls.get(name).into_iter().flatten().map(|called| (*called, user)));
            }
        }

        let steps = book.scenarios.values().flat_map(|s| &s.rules).flat_map(|rule| &rule.steps);
        let set = steps.filter_map(|step| match step {
            Do::Set(fields) => Some(fields),
            _ => None,
        });
        let fields = set.flat_map(BTreeMap::keys).map(String::as_str).collect();

        let mains = channels.iter().filter_map(|user| user.policy.scenario.as_deref()).collect();
        Self { called: called(book), channels, calls, users, mains, fields }
    }

    /// The channels whose conversations come to a scenario.
    pub(super) fn users(&self, scenario: &str) -> impl Iterator<Item = &User<'a>> {
        self.users.get(scenario).into_iter().flatten().filter_map(|user| self.channels.get(*user))
    }

    pub(super) fn is_used(&self, scenario: &str) -> bool {
        self.users.contains_key(scenario)
    }

    /// Whether a channel begins with it.
    pub(super) fn is_main(&self, scenario: &str) -> bool {
        self.mains.contains(scenario)
    }

    pub(super) fn is_called(&self, scenario: &str) -> bool {
        self.called.contains_key(scenario)
    }

    /// Whether something sets a rule off.
    pub(super) fn is_set_off(&self, scenario: &str, rule: &Rule) -> bool {
        let called = self.called.get(scenario);
        match &rule.on {
            None => called.is_some(),
            on => self.is_main(scenario) || called.is_some_and(|by| by.contains(&on.as_ref())),
        }
    }
}

/// What sets off the rules of scenarios that are called.
fn called(book: &Book) -> BTreeMap<&str, Vec<Option<&Trigger>>> {
    let mut called: BTreeMap<&str, Vec<Option<&Trigger>>> = BTreeMap::new();
    // From calls in rules with a trigger, and then on from scenario to scenario.
    let mut spread: Vec<(&str, Option<&Trigger>)> = Vec::new();
    for rule in book.scenarios.values().flat_map(|s| &s.rules) {
        if let Some(on) = &rule.on {
            spread.extend(calls_of(rule).map(|(name, waited)| (name, (!waited).then_some(on))));
        }
    }
    while let Some((name, trigger)) = spread.pop() {
        let Some((name, scenario)) = book.scenarios.get_key_value(name) else { continue };
        let by = called.entry(name.as_str()).or_default();
        if by.contains(&trigger) {
            continue;
        }
        by.push(trigger);
        for rule in scenario.rules.iter().filter(|rule| rule.on.is_none()) {
            spread.extend(calls_of(rule).map(|(name, waited)| (name, trigger.filter(|_| !waited))));
        }
    }
    called
}

/// The scenarios a rule calls, and whether it waits before.
fn calls_of(rule: &Rule) -> impl Iterator<Item = (&str, bool)> {
    let mut waited = false;
    rule.steps.iter().filter_map(move |step| match step {
        Do::Wait(_) => {
            waited = true;
            None
        }
        Do::Call(name) => Some((name.as_str(), waited)),
        _ => None,
    })
}
