//! One step in the making: what it has seen, noted and wants so far.

use std::borrow::Cow;

use super::check::Subject;
use super::parts::Asked;
use super::{Compiled, Scenario};
use crate::conversation::{Actor, Conversation, Owner, TimerKind, Visibility};
use crate::id::RuleId;
use crate::policy::book::{Do, Mode, Trigger};
use crate::policy::{Context, Effect, Flow, Input, Memory, Step, Trace, Verdict, Words};
use crate::time::Timestamp;

/// Most steps of rules one input may set off: a cycle that the linter missed stops here.
const MAX_STEPS: u32 = 100;

/// How long a policy that is switched off sleeps before it looks again.
const REST: std::time::Duration = std::time::Duration::from_secs(3600);

/// How soon after its timer a conversation may be woken again.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(1);

/// One step in the making.
pub(super) struct Turn<'a> {
    pub(super) engine: &'a Compiled,
    pub(super) c: &'a Conversation,
    pub(super) cx: &'a Context<'a>,
    pub(super) subject: &'a Subject<'a>,
    pub(super) now: Timestamp,
    flow: Cow<'a, Flow>,
    memory: Option<Memory>,
    pub(super) calendars: Asked,
    /// Who has it, as far as this step has come.
    pub(super) owner: Cow<'a, Owner>,
    pub(super) open: bool,
    /// Why nothing may be said by itself in this step.
    pub(super) quiet: Option<Words>,
    /// A rule ended the step.
    pub(super) stopped: bool,
    pub(super) steps_left: u32,
    pub(super) effects: Vec<Effect>,
    trace: Trace,
}

impl<'a> Turn<'a> {
    pub(super) fn new(
        engine: &'a Compiled,
        c: &'a Conversation,
        cx: &'a Context<'a>,
        subject: &'a Subject<'a>,
    ) -> Self {
        Self {
            engine,
            c,
            cx,
            subject,
            now: cx.now,
            flow: Cow::Borrowed(&c.flow),
            memory: None,
            calendars: Asked::default(),
            owner: Cow::Borrowed(&c.owner),
            open: c.is_open(),
            quiet: None,
            stopped: false,
            steps_left: MAX_STEPS,
            effects: Vec::new(),
            trace: Trace::default(),
        }
    }

    /// What is remembered of the conversation, as far as this step has come.
    pub(super) fn flow(&self) -> &Flow {
        &self.flow
    }

    /// The same, to change.
    pub(super) fn flow_mut(&mut self) -> &mut Flow {
        self.flow.to_mut()
    }

    /// What is remembered of the contact; of the conversation, where there is none.
    pub(super) fn memory(&self) -> &Memory {
        match (&self.memory, self.cx.contact) {
            (Some(memory), _) => memory,
            (None, Some(contact)) => &contact.memory,
            (None, None) => &self.flow.memory,
        }
    }

    /// The same, to change.
    pub(super) fn memory_mut(&mut self) -> &mut Memory {
        match self.cx.contact {
            Some(contact) => self.memory.get_or_insert_with(|| contact.memory.clone()),
            None => &mut self.flow.to_mut().memory,
        }
    }

    pub(super) fn note(&mut self, rule: &RuleId, verdict: Verdict, because: Words) {
        self.trace.note(rule.clone(), verdict, because);
    }

    pub(super) fn applied(&mut self, rule: &RuleId, because: impl Into<Words>) {
        self.note(rule, Verdict::Applied, because.into());
    }

    pub(super) fn skipped(&mut self, rule: &RuleId, because: impl Into<Words>) {
        self.note(rule, Verdict::Skipped, because.into());
    }

    pub(super) fn dropped(&mut self, rule: &RuleId, because: impl Into<Words>) {
        self.note(rule, Verdict::Dropped, because.into());
    }

    /// Looks at the rules of the channel's scenario that this sets off.
    pub(super) fn rules(&mut self, trigger: &Trigger) {
        if let Some(scenario) = &self.engine.main {
            self.scenario(scenario, Some(trigger), 0);
        }
    }

    /// Looks at the rules of a scenario. Called by another one, those without a trigger are looked at too.
    pub(super) fn scenario(&mut self, scenario: &'a Scenario, trigger: Option<&Trigger>, depth: u8) {
        self.trace.steps.reserve(scenario.rules.len());
        for rule in &scenario.rules {
            if self.stopped {
                return;
            }
            let set_off = match &rule.on {
                Some(on) => trigger == Some(on),
                None => depth > 0,
            };
            if !set_off {
                continue;
            }
            if let Err(why) = self.within(&rule.id, &rule.limit) {
                self.skipped(&rule.id, why);
                continue;
            }
            if let Some(Err(why)) = rule.when.as_ref().map(|check| check.decide(self)) {
                self.trace.steps.push(why);
                continue;
            }
            self.trace.steps.push(rule.acts.clone());
            // What would have been said is dropped: a page of history must not use up the one greeting there is.
            if self.quiet.is_none() || !rule.steps.iter().any(speaks) {
                self.count(&rule.id, &rule.limit);
            }
            let by = Actor::Rule { rule: rule.id.to_string() };
            self.run(&rule.id, &by, &rule.steps, trigger, depth);
            if scenario.mode == Mode::First {
                return;
            }
        }
    }

    /// Changes who has it.
    pub(super) fn own(&mut self, to: Owner, by: Actor) {
        if *self.owner == to {
            return;
        }
        self.owner = Cow::Owned(to.clone());
        self.effects.push(Effect::Assign { to, by });
    }

    pub(super) fn show(&mut self, to: Visibility) {
        if self.c.visible != to || self.effects.iter().any(|e| matches!(e, Effect::Show { .. })) {
            self.effects.push(Effect::Show { to });
        }
    }

    /// The policy is switched off: what people do is kept in order, what falls due is dropped, and it looks again
    /// later. Every open conversation keeps its timer, so that it is watched when the policy is on again.
    pub(super) fn rest(&mut self, input: &Input<'_>) {
        self.skipped(&self.engine.names.policy, "the channel's policy is switched off");
        match input {
            Input::Action(action) => self.action(action),
            Input::Event(event) => self.overhear(event),
            Input::Closed => self.end_all(),
            Input::Timer(_) => self.miss_due(),
            _ => {}
        }
        let due = self.next_missed().map_or(self.now + REST, |due| due.min(self.now + REST));
        if self.open && self.c.timer(TimerKind::Wake).is_none_or(|running| due < running.due) {
            self.effects.push(Effect::SetTimer { kind: TimerKind::Wake, due });
        }
    }

    /// Keeps the one timer running that wakes the conversation at the earliest of all it waits for. A timer that is
    /// early is left alone: it looks again when it fires, so that a message costs nothing.
    pub(super) fn settle(&mut self, input: &Input<'_>) {
        if !self.open {
            return;
        }
        let Some(mut due) = self.next_due() else { return };
        if matches!(input, Input::Timer(_)) {
            // What is still due now could not be done: it is looked at again soon, and not without end at once.
            due = due.max(self.now + AGAIN);
        }
        if self.c.timer(TimerKind::Wake).is_none_or(|running| due < running.due) {
            self.effects.push(Effect::SetTimer { kind: TimerKind::Wake, due });
        }
    }

    pub(super) fn finish(self) -> Step {
        let changed = |flow: Flow| (flow != *self.c.flow).then(|| Box::new(flow));
        let flow = match self.flow {
            Cow::Borrowed(_) => None,
            Cow::Owned(flow) => changed(flow),
        };
        let known = self.cx.contact.map(|contact| &contact.memory);
        let memory = self.memory.filter(|memory| known != Some(memory));
        Step { effects: self.effects, flow, memory, trace: self.trace }
    }
}

/// Whether a step says something, or lets a bot say something.
fn speaks(step: &Do) -> bool {
    matches!(step, Do::Reply(_) | Do::AskBot(_))
}
