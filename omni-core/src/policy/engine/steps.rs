//! What rules and bots do, step by step.

use super::say::CONTACT_FIELD;
use super::turn::Turn;
use crate::conversation::{Actor, CloseReason, Owner};
use crate::id::{AgentId, RuleId, TeamId};
use crate::period::Period;
use crate::policy::book::{Cancel, CloseStep, Do, Handover, MAX_DEPTH, OneOrMore, Skilled, Trigger, Wait};
use crate::policy::{Effect, NamedTimer, Run, Words};

impl<'a> Turn<'a> {
    /// Does steps in order. A wait keeps the rest for later; a closing or a stop ends them.
    pub(super) fn run(
        &mut self,
        rule: &RuleId,
        by: &Actor,
        steps: &[Do],
        trigger: Option<&Trigger>,
        depth: u8,
    ) {
        let mut left = steps;
        while let Some((step, rest)) = left.split_first() {
            if self.stopped {
                return;
            }
            if self.steps_left == 0 {
                self.stopped = true;
                return self.dropped(rule, "too many steps for one input: the rules go round in a circle");
            }
            self.steps_left -= 1;
            match step {
                Do::Wait(Wait { .. }) if !self.open => {
                    return self.dropped(rule, "the conversation is closed: nothing waits in it");
                }
                Do::Wait(Wait { lasting, unless }) => {
                    return self.wait(rule, *lasting, *unless, rest.to_vec());
                }
                Do::Call(name) => self.call(rule, name, trigger, depth),
                Do::Close(close) => {
                    self.end(rule, by, close);
                    return;
                }
                Do::Stop => self.stopped = true,
                step => self.simple(rule, by, step),
            }
            left = rest;
        }
    }

    fn simple(&mut self, rule: &RuleId, by: &Actor, step: &Do) {
        match step {
            Do::Reply(say) => self.say(rule, by, say),
            Do::AskBot(bot) if self.open => {
                self.own(Owner::Bot { bot: bot.clone() }, by.clone());
                self.leave_queue();
                self.ask(bot);
            }
            Do::Assign(_) if matches!(*self.owner, Owner::Agent { .. }) => {
                self.skipped(rule, "a person has it already: only transfer takes it from them");
            }
            Do::Assign(to) | Do::Transfer(to) if self.open => self.hand(rule, by, to),
            Do::AskBot(_) | Do::Assign(_) | Do::Transfer(_) => {
                self.dropped(rule, "the conversation is closed")
            }
            Do::Tag(OneOrMore(tags)) => {
                for tag in tags {
                    if !self.has_tag(tag) {
                        self.effects.push(Effect::Tag { tag: tag.clone(), by: by.clone() });
                    }
                }
            }
            Do::Set(fields) => {
                for (field, value) in fields {
                    if let Some(value) = self.filled(rule, value) {
                        if !field.starts_with(CONTACT_FIELD) {
                            self.set(field, &value);
                        }
                        self.effects.push(Effect::SetField { field: field.clone(), value, by: by.clone() });
                    }
                }
            }
            Do::Note(text) => {
                if let Some(text) = self.filled(rule, text) {
                    self.effects.push(Effect::Note { text, by: by.clone() });
                }
            }
            Do::Notify(notice) => {
                if let Some(text) = self.filled(rule, &notice.text) {
                    self.effects.push(Effect::Notify { topic: notice.topic.clone(), text });
                }
            }
            Do::Timer(start) if self.open => {
                let timer = NamedTimer {
                    name: start.name.clone(),
                    due: self.now + start.after,
                    quiet: self.quiet.is_some(),
                };
                let timers = &mut self.flow_mut().timers;
                timers.retain(|t| t.name != timer.name);
                timers.push(timer);
            }
            Do::Timer(_) => self.dropped(rule, "the conversation is closed: no timer runs in it"),
            // Those that change the order of steps are done above.
            Do::Wait(_) | Do::Call(_) | Do::Close(_) | Do::Stop => {}
        }
    }

    /// Keeps steps for later, as data: whatever becomes of the policy, the run keeps what it began with.
    pub(super) fn wait(&mut self, rule: &RuleId, lasting: Period, unless: Cancel, rest: Vec<Do>) {
        if rest.is_empty() {
            return;
        }
        let run = Run {
            rule: rule.clone(),
            version: self.engine.book.version,
            since: self.now,
            due: self.now + lasting,
            unless,
            rest,
            quiet: self.quiet.is_some(),
        };
        self.flow_mut().runs.push(run);
    }

    /// Runs another scenario's rules. What waits in them holds up nothing here.
    fn call(&mut self, rule: &RuleId, name: &str, trigger: Option<&Trigger>, depth: u8) {
        if depth >= MAX_DEPTH {
            return self.dropped(rule, "scenarios call each other too deep: it may be a circle");
        }
        match self.engine.shared.scenarios.get(name) {
            Some(scenario) => self.scenario(scenario, trigger, depth + 1),
            None => self.dropped(rule, format!("there is no scenario {name:?}")),
        }
    }

    fn end(&mut self, rule: &RuleId, by: &Actor, close: &CloseStep) {
        if !self.open {
            return self.dropped(rule, "the conversation is closed already");
        }
        let reason = close.status.clone().map_or(CloseReason::Done, CloseReason::Other);
        self.close(rule, by, reason, close.text.as_ref());
    }

    fn hand(&mut self, rule: &RuleId, by: &Actor, to: &Handover) {
        match to {
            Handover::Agent(agent) => self.give(rule, by, agent.clone()),
            Handover::Team(team) => self.wait_for(rule, by, team, &[]),
            Handover::Skilled(Skilled { team, skills }) => self.wait_for(rule, by, team, skills),
        }
    }

    /// Gives it to an agent.
    fn give(&mut self, rule: &RuleId, by: &Actor, agent: AgentId) {
        let agents = &self.engine.book.agents;
        if !agents.is_empty() && !agents.contains_key(&agent) {
            self.dropped(rule, format!("there is no agent {agent:?}: everyone sees it"));
            return self.release();
        }
        self.leave_queue();
        let now = self.now;
        self.flow_mut().assigned_at = Some(now);
        self.own(Owner::Agent { agent }, by.clone());
    }

    fn wait_for(&mut self, rule: &RuleId, by: &Actor, team: &TeamId, skills: &[String]) {
        if !self.engine.book.teams.contains_key(team) {
            self.dropped(rule, format!("there is no team {team:?}: everyone sees it"));
            return self.release();
        }
        self.enqueue(team.clone(), skills.to_vec(), by.clone());
    }

    /// Drops the runs that this makes pointless.
    pub(super) fn cancel_runs(&mut self, happened: Cancel, because: &'static str) {
        let pointless = |unless: Cancel| unless == happened || unless == Cancel::Either;
        if !self.flow().runs.iter().any(|run| pointless(run.unless)) {
            return;
        }
        let (gone, kept) =
            std::mem::take(&mut self.flow_mut().runs).into_iter().partition(|r| pointless(r.unless));
        self.flow_mut().runs = kept;
        let gone: Vec<Run> = gone;
        for run in gone {
            self.dropped(&run.rule, Words::Static(because));
        }
    }
}
