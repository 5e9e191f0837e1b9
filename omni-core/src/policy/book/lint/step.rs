//! What rules do.

use std::collections::BTreeSet;
use std::time::Duration;

use super::condition::{Truth, Where};
use super::uses::User;
use super::{At, FindingKind, Lint};
use crate::policy::book::{Cancel, Do, Handover, MAX_DEPTH, Rule, Silence, Trigger};
use crate::policy::template;

/// A step, with the way on which a conversation comes to it.
pub(super) struct Way<'w, 'a> {
    pub(super) at: At,
    /// The step of the rule that was set off: the same, or the call that leads here.
    pub(super) origin: &'w At,
    pub(super) scenario: &'a str,
    pub(super) rule: &'a Rule,
    pub(super) step: &'a Do,
    /// For how long the person has said nothing by then, at least.
    pub(super) silent: Duration,
    /// Whether nothing has passed since the rule was set off.
    pub(super) at_once: bool,
}

struct Walk<'w, 'a> {
    user: Option<&'w User<'a>>,
    origin: Option<At>,
    seen: BTreeSet<(&'a str, bool)>,
    visit: &'w mut dyn FnMut(&Way<'_, 'a>),
}

#[derive(Clone, Copy)]
struct Came<'a> {
    trigger: Option<&'a Trigger>,
    silent: Duration,
    at_once: bool,
    depth: u8,
}

impl<'a> Lint<'a> {
    /// Visits all steps that conversations of a channel can come to.
    pub(super) fn walk(&self, user: &User<'a>, visit: &mut dyn FnMut(&Way<'_, 'a>)) {
        let Some(name) = &user.policy.scenario else { return };
        let Some((name, scenario)) = self.book.scenarios.get_key_value(name) else { return };
        for (i, rule) in scenario.rules.iter().enumerate().filter(|(_, rule)| rule.on.is_some()) {
            self.walk_rule(Some(user), name, (i, rule), visit);
        }
    }

    /// Visits all steps that a rule leads to, those of called scenarios too; each scenario once.
    pub(super) fn walk_rule(
        &self,
        user: Option<&User<'a>>,
        scenario: &'a str,
        rule: (usize, &'a Rule),
        visit: &mut dyn FnMut(&Way<'_, 'a>),
    ) {
        let trigger = rule.1.on.as_ref();
        let silent = match trigger {
            Some(Trigger::Silent(Silence { lasting, .. })) => lasting.get(),
            _ => Duration::ZERO,
        };
        let mut walk = Walk { user, origin: None, seen: BTreeSet::new(), visit };
        self.follow(&mut walk, scenario, rule, Came { trigger, silent, at_once: true, depth: 0 });
    }

    fn follow(
        &self,
        walk: &mut Walk<'_, 'a>,
        scenario: &'a str,
        (i, rule): (usize, &'a Rule),
        mut came: Came<'a>,
    ) {
        let place = Where { trigger: came.trigger, user: walk.user };
        if rule.when.as_ref().is_some_and(|when| self.truth(when, &place) == Truth::Never) {
            return;
        }
        let rule_at = At::default().keys(["scenarios", scenario, "rules"]).index(i).key("do");
        for (j, step) in rule.steps.iter().enumerate() {
            let at = rule_at.index(j);
            let is_origin = came.depth == 0;
            if is_origin {
                walk.origin = Some(at.clone());
            }
            let origin = walk.origin.clone().unwrap_or_default();
            let Came { silent, at_once, .. } = came;
            (walk.visit)(&Way { at, origin: &origin, scenario, rule, step, silent, at_once });
            match step {
                Do::Wait(wait) => {
                    came.trigger = None;
                    came.at_once &= wait.lasting.is_zero();
                    // In a wait that the person's words do not end they may have written.
                    came.silent = match wait.unless {
                        Cancel::Message | Cancel::Either => came.silent.saturating_add(wait.lasting.get()),
                        Cancel::Answer | Cancel::Never => Duration::ZERO,
                    };
                }
                Do::Call(name) if came.depth <= MAX_DEPTH => {
                    let Some((name, called)) = self.book.scenarios.get_key_value(name) else { continue };
                    if !walk.seen.insert((name, came.trigger.is_some())) {
                        continue;
                    }
                    let set_off = |rule: &Rule| rule.on.is_none() || rule.on.as_ref() == came.trigger;
                    for rule in called.rules.iter().enumerate().filter(|(_, rule)| set_off(rule)) {
                        self.follow(walk, name, rule, Came { depth: came.depth + 1, ..came });
                    }
                }
                Do::Stop | Do::Close(_) => return,
                _ => {}
            }
        }
    }

    pub(super) fn steps(&mut self, at: &At, scenario: &'a str, (index, rule): (usize, &'a Rule)) {
        if rule.steps.is_empty() {
            self.add(FindingKind::EmptySteps, at, "the rule does nothing: add a step, or take it out");
        }
        let end = rule.steps.iter().position(|step| matches!(step, Do::Stop | Do::Close(_)));
        if let Some(end) = end
            && end + 1 < rule.steps.len()
        {
            let word = if matches!(rule.steps.get(end), Some(Do::Stop)) { "stop" } else { "close" };
            let message = format!("`{word}` before it ends the rule: move `{word}` to the end");
            self.add(FindingKind::UnreachableStep, &at.index(end + 1), message);
        }
        for (i, step) in rule.steps.iter().enumerate() {
            self.step(&at.index(i), step);
        }
        if rule.on == Some(Trigger::Closed) {
            self.when_closed(scenario, (index, rule));
        }
    }

    fn step(&mut self, at: &At, step: &'a Do) {
        match step {
            Do::Reply(say) => self.say(&at.key("reply"), say),
            Do::Wait(wait) => self.period(&at.key("wait"), wait.lasting, "a wait of no time"),
            Do::AskBot(bot) => self.bot(&at.key("ask_bot"), bot),
            Do::Assign(to) => self.handover(&at.key("assign"), to),
            Do::Transfer(to) => self.handover(&at.key("transfer"), to),
            Do::Tag(tags) => self.texts(&at.key("tag"), &tags.0, "label"),
            Do::Set(fields) => {
                let at = at.key("set");
                if fields.is_empty() {
                    self.add(FindingKind::EmptyList, &at, "no fields: name one, as in { order = \"new\" }");
                }
                for (field, value) in fields {
                    self.field(&at.key(field), field);
                    self.template(&at.key(field), value);
                }
            }
            Do::Note(text) => {
                let at = at.key("note");
                self.words(&at, text, "the note");
                self.template(&at, text);
            }
            Do::Close(close) => {
                let at = at.key("close");
                if let Some(status) = &close.status {
                    self.words(&at.key("status"), status, "the status");
                }
                if let Some(text) = &close.text {
                    self.say(&at.key("text"), text);
                }
            }
            Do::Notify(notice) => {
                let at = at.key("notify");
                self.words(&at.key("topic"), &notice.topic, "the topic");
                self.template(&at.key("text"), &notice.text);
            }
            Do::Call(name) => self.scenario_name(&at.key("call"), name),
            Do::Timer(timer) => self.words(&at.keys(["timer", "name"]), &timer.name, "the name of the timer"),
            Do::Stop => {}
        }
    }

    fn handover(&mut self, at: &At, to: &'a Handover) {
        match to {
            Handover::Agent(agent) => self.agent(&at.key("agent"), agent),
            Handover::Team(team) => self.team(&at.key("team"), team),
            Handover::Skilled(skilled) => {
                let at = at.key("skilled");
                self.team(&at.key("team"), &skilled.team);
                self.texts(&at.key("skills"), &skilled.skills, "skill");
                let book = self.book;
                let Some(team) = book.teams.get(&skilled.team) else { return };
                let has_all = |agent| {
                    let agent = book.agents.get(agent);
                    agent.is_some_and(|agent| skilled.skills.iter().all(|skill| agent.skills.contains(skill)))
                };
                if self.is_whole() && !skilled.skills.is_empty() && !team.members.iter().any(has_all) {
                    let then = match team.relax_skills {
                        Some(period) => {
                            format!("every such conversation waits {period} before anybody gets it")
                        }
                        None => "such conversations wait for ever".to_owned(),
                    };
                    let message = format!(
                        "nobody in the team `{}` has {}, so {then}: give an agent these `skills`",
                        skilled.team,
                        skilled.skills.join(" and ")
                    );
                    self.add(FindingKind::MissingSkill, &at.key("skills"), message);
                }
            }
        }
    }

    /// Nothing waits, runs or is handed out in a closed conversation.
    fn when_closed(&mut self, scenario: &'a str, rule: (usize, &'a Rule)) {
        let mut found: Vec<(At, String)> = Vec::new();
        self.walk_rule(None, scenario, rule, &mut |way: &Way<'_, 'a>| {
            let word = match way.step {
                Do::Wait(_) => "wait",
                Do::Assign(_) => "assign",
                Do::Transfer(_) => "transfer",
                Do::AskBot(_) => "ask_bot",
                Do::Close(_) => "close",
                Do::Timer(_) => "timer",
                _ => return,
            };
            let through = if way.at == *way.origin {
                String::new()
            } else {
                format!(" (in the rule {}/{})", way.scenario, way.rule.name)
            };
            let message = format!(
                "`{word}`{through} does nothing in a closed conversation: take it out, or set the rule off by something \
                 else than \"closed\""
            );
            found.push((way.origin.clone(), message));
        });
        for (at, message) in found {
            self.add(FindingKind::NotWhenClosed, &at, message);
        }
    }

    /// A name that a step sets.
    fn field(&mut self, at: &At, field: &str) {
        if let Some(message) = bad_field(field) {
            self.add(FindingKind::BadField, at, message);
        }
    }

    /// The book's own variables.
    pub(super) fn variables(&mut self, at: &At) {
        for name in self.book.variables.keys() {
            let reserved = super::say::is_reserved(name)
                .then(|| format!("`{name}` is a name that texts have of their own"));
            let bad = reserved.or_else(|| template::problem(name).map(String::from));
            if let Some(message) = bad {
                self.add(FindingKind::BadField, &at.key(name), format!("{message}: give it another name"));
            }
        }
    }

    /// A list of texts of which none may be empty, and there is one.
    pub(super) fn texts(&mut self, at: &At, texts: &[String], noun: &str) {
        if texts.is_empty() {
            self.add(FindingKind::EmptyList, at, format!("no {noun} is named: name one, or take it out"));
        }
        for (i, text) in texts.iter().enumerate() {
            let at = if texts.len() == 1 { at.clone() } else { at.index(i) };
            self.words(&at, text, format_args!("this {noun}"));
        }
    }
}

/// What is wrong with a field to set.
fn bad_field(field: &str) -> Option<String> {
    let own = field.strip_prefix("contact.fields.");
    if own.is_none() && super::say::is_reserved(field) {
        return Some(format!(
            "`{field}` cannot be set by a rule: set `contact.fields.` and a name for the contact, or a name alone for the \
             conversation"
        ));
    }
    template::problem(own.unwrap_or(field)).map(String::from)
}
