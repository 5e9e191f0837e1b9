//! What an event or an action sets off.

use std::time::Duration;

use super::turn::Turn;
use crate::contact::SenderKind;
use crate::conversation::{Actor, Owner, Visibility};
use crate::event::{Event, EventBody, Message, Origin, Told};
use crate::id::AgentId;
use crate::policy::book::{AfterHours, AutoReply, Cancel, Limit, Per, Trigger};
use crate::policy::{Action, Failure, Verb, Words};
use crate::time::Timestamp;

/// Why an event is answered by nothing that speaks by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quiet {
    /// It was read out of the history.
    History,
    /// It reached us too late.
    Late,
    /// A program wrote it.
    Robot,
}

impl Quiet {
    pub(super) fn of(event: &Event, now: Timestamp, late: Duration) -> Option<Self> {
        let robot = |m: &Message| m.origin == Origin::Automatic || m.sender.kind == SenderKind::Robot;
        if event.told == Told::History {
            return Some(Quiet::History);
        }
        if event.at.is_some_and(|at| at + late <= now) {
            return Some(Quiet::Late);
        }
        super::check::message(&event.body).filter(|m| robot(m)).map(|_| Quiet::Robot)
    }
}

impl From<Quiet> for Words {
    fn from(quiet: Quiet) -> Self {
        Words::Static(match quiet {
            Quiet::History => "it was read out of the history",
            Quiet::Late => "it reached us too late",
            Quiet::Robot => "a program wrote it",
        })
    }
}

impl Turn<'_> {
    /// Takes note of why nothing may be said by itself in answer to an event.
    fn hear(&mut self, event: Option<&Event>) -> Option<Quiet> {
        let late = self.engine.policy.late_after.get();
        let quiet = Quiet::of(event?, self.now, late);
        self.quiet = quiet.map(Words::from);
        quiet
    }

    pub(super) fn opened(&mut self, event: Option<&Event>) {
        self.hear(event);
        if let Some(agent) = &self.engine.policy.pinned {
            self.pin(agent.clone());
        }
        self.note_opener(event, 0);
        if event.is_none() {
            // The business writes first: whoever writes has it.
            return self.skipped(&self.engine.names.routing, "the business began it");
        }
        self.route();
        if self.quiet.is_none() {
            self.begin_resolution();
        }
        self.rules(&Trigger::Opened);
    }

    pub(super) fn reopened(&mut self, event: Option<&Event>) {
        self.hear(event);
        // Silences are counted from now on, and not from what was said before the closing.
        self.active();
        self.note_opener(event, self.c.counts.inbound);
        self.come_back();
        if self.quiet.is_none() {
            self.begin_resolution();
        }
        self.rules(&Trigger::Reopened);
    }

    fn note_opener(&mut self, event: Option<&Event>, heard: u32) {
        let behind = if event.is_some() { heard } else { u32::MAX };
        if self.flow().opened_behind != behind {
            self.flow_mut().opened_behind = behind;
        }
    }

    /// Whether this message is the one that opened the conversation: what waits has just begun with it.
    fn is_opener(&self) -> bool {
        self.c.counts.inbound == self.flow().opened_behind.saturating_add(1)
    }

    pub(super) fn event(&mut self, event: &Event) {
        let heard = self.hear(Some(event));
        if !self.open {
            // A key of what was said on closing: how satisfied the person is.
            if matches!(event.body, EventBody::Button(_)) {
                self.rules(&Trigger::Button);
            }
            return;
        }
        match &event.body {
            EventBody::Message(_) => self.spoken(&Trigger::Message, heard),
            EventBody::Comment(_) => self.spoken(&Trigger::Comment, heard),
            EventBody::Button(_) => self.spoken(&Trigger::Button, heard),
            EventBody::Call(_) => self.rules(&Trigger::Call),
            EventBody::Echo(echo) if echo.message.origin == Origin::Person => self.answered(None),
            EventBody::Reaction(_) if self.engine.policy.activity.reactions => self.active(),
            EventBody::Read { .. } if self.engine.policy.activity.reads => self.active(),
            EventBody::Typing { .. } if self.engine.policy.activity.typing => self.active(),
            _ => {}
        }
    }

    /// What an event changes while the policy is switched off: what waits for words or for an answer is pointless.
    pub(super) fn overhear(&mut self, event: &Event) {
        self.hear(Some(event));
        match &event.body {
            EventBody::Message(_) | EventBody::Comment(_) | EventBody::Button(_) if self.quiet.is_none() => {
                self.cancel_runs(Cancel::Message, "the person wrote");
            }
            EventBody::Echo(echo) if echo.message.origin == Origin::Person => self.answered(None),
            _ => {}
        }
    }

    /// The person said something, by words or by a key.
    fn spoken(&mut self, trigger: &Trigger, heard: Option<Quiet>) {
        let robot = heard == Some(Quiet::Robot);
        if self.flow().robot != robot {
            self.flow_mut().robot = robot;
        }
        if self.quiet.is_none() {
            if !self.is_opener() {
                self.cancel_runs(Cancel::Message, "the person wrote");
            }
            self.wake_from_snooze("the person wrote");
            if self.flow().waits_since.is_none() {
                self.flow_mut().waits_since = Some(self.now);
            }
        }
        self.route();
        if self.quiet.is_none() {
            self.begin_response();
        }
        self.rules(trigger);
        if !self.open || self.stopped {
            return;
        }
        if let Owner::Bot { bot } = &*self.owner {
            let bot = bot.clone();
            return self.ask(&bot);
        }
        self.auto_replies();
    }

    /// Something other than words counts as activity.
    fn active(&mut self) {
        let now = self.now;
        self.flow_mut().activity_at = Some(now);
    }

    /// A person of the business answered: here, or in the provider's own app (law 8).
    fn answered(&mut self, agent: Option<&AgentId>) {
        self.cancel_runs(Cancel::Answer, "a person answered");
        self.drop_ask("a person answered");
        self.meet_responses();
        let now = self.now;
        let flow = self.flow();
        if flow.waits_since.is_some() || flow.assigned_at.is_some() || flow.queue.is_some() {
            let flow = self.flow_mut();
            flow.waits_since = None;
            flow.assigned_at = None;
            flow.queue = None;
            flow.missed.clear();
        }
        let Some(agent) = agent else {
            // Somebody talks to them, we do not know who: everyone sees it, nobody is given it.
            if matches!(*self.owner, Owner::Team { .. } | Owner::Bot { .. }) {
                self.applied(&self.engine.names.routing, "somebody answered elsewhere: everyone sees it");
                self.own(Owner::Nobody, Actor::Elsewhere);
                self.show(Visibility::Everyone);
            }
            return;
        };
        if !self.engine.book.teams.is_empty() {
            self.memory_mut().agent = Some((agent.clone(), now));
        }
        if !matches!(*self.owner, Owner::Agent { .. }) {
            self.applied(&self.engine.names.routing, "who answers has it");
            self.own(Owner::Agent { agent: agent.clone() }, Actor::Agent { agent: agent.clone() });
        }
    }

    pub(super) fn action(&mut self, action: &Action) {
        match (&action.verb, &action.by) {
            (Verb::Reply, Actor::Agent { agent }) => self.answered(Some(agent)),
            (Verb::Reply, Actor::Elsewhere) => self.answered(None),
            (Verb::Assign { to }, by) => self.given(to, by),
            (Verb::Snooze { until }, _) => self.snooze(*until),
            (Verb::Hold, _) => self.hold(),
            (Verb::Resume, _) => self.resume("somebody took it up again"),
            (Verb::Set { field, value }, _) if !field.starts_with(super::say::CONTACT_FIELD) => {
                self.set(field, value)
            }
            _ => {}
        }
    }

    pub(super) fn failed(&mut self, _: &Failure) {
        if self.open {
            self.rules(&Trigger::Failed);
        }
    }

    /// Texts and the bot of the channel's settings, beside the scenario.
    fn auto_replies(&mut self) {
        let policy = &self.engine.policy;
        if policy.auto_replies.is_empty() && policy.after_hours.is_none() {
            return;
        }
        let inside = self.engine.hours.is_open(self.now);
        match (&policy.after_hours, inside) {
            (_, true) => self.each_reply(&policy.auto_replies, &self.engine.names.auto_replies),
            (Some(AfterHours::Replies(replies)), false) => {
                self.each_reply(replies, &self.engine.names.after_hours);
            }
            (Some(AfterHours::Bot(_)), false) if self.flow().handed_over => {
                self.skipped(&self.engine.names.after_hours_bot, "the bot has handed over to people");
            }
            (Some(AfterHours::Bot(bot)), false) => {
                if matches!(*self.owner, Owner::Agent { .. }) && self.flow().waits_since.is_none() {
                    return;
                }
                self.applied(&self.engine.names.after_hours_bot, "it is after hours");
                self.ask(bot);
            }
            (None, false) => {}
        }
    }

    fn each_reply(&mut self, replies: &[AutoReply], names: &[crate::id::RuleId]) {
        for (reply, rule) in replies.iter().zip(names) {
            self.auto_reply(reply, rule);
        }
    }

    fn auto_reply(&mut self, reply: &AutoReply, rule: &crate::id::RuleId) {
        let limit = match reply.per {
            Per::Conversation => Limit { per_conversation: Some(1), ..Limit::default() },
            Per::Message => Limit::default(),
        };
        if let Some(why) = self.quiet.clone() {
            return self.dropped(rule, why);
        }
        if let Err(why) = self.within(rule, &limit) {
            return self.skipped(rule, why);
        }
        if reply.per == Per::Conversation && self.c.first_response_at.is_some() {
            return self.skipped(rule, "a person has answered in this conversation");
        }
        if self.flow().runs.iter().any(|run| run.rule == *rule) {
            return self.skipped(rule, "one is on its way already");
        }
        self.applied(rule, "nobody has answered yet");
        self.count(rule, &limit);
        let by = Actor::Rule { rule: rule.to_string() };
        if reply.delay.is_zero() {
            self.say(rule, &by, &reply.say);
        } else {
            let rest = vec![crate::policy::book::Do::Reply(reply.say.clone())];
            self.wait(rule, reply.delay, Cancel::Answer, rest);
        }
    }
}
