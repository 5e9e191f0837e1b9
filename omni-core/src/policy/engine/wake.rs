//! Time: what a conversation waits for, and what is due.

use super::turn::Turn;
use crate::conversation::{Actor, Owner};
use crate::id::TeamId;
use crate::policy::book::{Side, Silence, Team, Trigger};
use crate::policy::{Queued, Words};
use crate::time::Timestamp;

impl Turn<'_> {
    /// The earliest of all that the conversation waits for.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let flow = self.flow();
        let runs = flow.runs.iter().map(|run| run.due);
        let timers = flow.timers.iter().map(|timer| timer.due);
        let running = |c: &&crate::policy::Clock| c.paused.is_none() && !c.breached && c.due < Timestamp::MAX;
        let clocks = flow.clocks.iter().filter(running).map(|c| c.due);
        let others = [
            flow.snoozed,
            flow.ask.as_ref().map(|ask| ask.due),
            flow.queue.as_ref().and_then(|queue| self.queue_due(queue)),
            self.answer_due(),
            self.closes_at(),
        ];
        let silences = self.engine.silences.iter().filter_map(|silence| self.silence_due(silence));
        runs.chain(timers).chain(clocks).chain(others.into_iter().flatten()).chain(silences).min()
    }

    /// Does all that is due: promised times first, then what rules wait for, in the order of its being due; who has it;
    /// silences, and the closing last, for any of the others may make it pointless.
    pub(super) fn woken(&mut self) {
        if !self.open {
            return self.skipped(&self.engine.names.policy, "the conversation is closed");
        }
        if self.flow().snoozed.is_some_and(|until| until <= self.now) {
            self.wake_from_snooze("the time it was put aside for is over");
        }
        self.breach_clocks();
        self.due_runs();
        self.due_timers();
        if !self.open {
            return;
        }
        self.due_asks();
        self.due_queue();
        if self.answer_due().is_some_and(|due| due <= self.now) {
            self.take_away();
        }
        self.due_silences();
        let Some(due) = self.closes_at() else { return };
        if due <= self.now {
            self.overdue(due, false);
            self.close_silently();
        } else if self.effects.is_empty() {
            self.skipped(&self.engine.names.auto_close, "something was said meanwhile: the silence goes on");
        }
    }

    /// What falls due long after its time, because nothing ran or the channel was switched off, says nothing: people
    /// would get texts out of nowhere, all at once.
    fn overdue(&mut self, due: Timestamp, began_quiet: bool) {
        let stale = due + self.engine.policy.late_after <= self.now;
        self.quiet = match (stale, began_quiet) {
            (true, _) => Some(Words::Static("it was due long ago, while nothing ran")),
            (_, true) => Some(Words::Static("what it began with was late")),
            _ => None,
        };
    }

    fn due_runs(&mut self) {
        let now = self.now;
        if !self.flow().runs.iter().any(|run| run.due <= now) {
            return;
        }
        let (mut due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.flow_mut().runs).into_iter().partition(|run| run.due <= now);
        self.flow_mut().runs = later;
        due.sort_by_key(|run| run.due);
        for run in due {
            if !self.open {
                self.dropped(&run.rule, "the conversation was closed");
                continue;
            }
            if !self.engine.has(&run.rule) {
                self.dropped(&run.rule, "the rule was taken out of the policy while it waited");
                continue;
            }
            self.applied(&run.rule, format!("the wait is over; it goes on as of version {}", run.version));
            self.overdue(run.due, run.quiet);
            let by = self.actor_of(&run.rule);
            self.run(&run.rule, &by, &run.rest, None, 0);
            self.stopped = false;
        }
        self.quiet = None;
    }

    /// In whose name a rule that waited goes on: a bot's steps are the bot's.
    fn actor_of(&self, rule: &crate::id::RuleId) -> Actor {
        match &*self.owner {
            Owner::Bot { bot } if *rule == self.engine.names.bot => Actor::Bot { bot: bot.clone() },
            _ => Actor::Rule { rule: rule.to_string() },
        }
    }

    fn due_timers(&mut self) {
        let now = self.now;
        if !self.flow().timers.iter().any(|timer| timer.due <= now) {
            return;
        }
        let (mut due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.flow_mut().timers).into_iter().partition(|timer| timer.due <= now);
        self.flow_mut().timers = later;
        due.sort_by_key(|timer| timer.due);
        for timer in due.into_iter().filter(|_| self.open).collect::<Vec<_>>() {
            self.overdue(timer.due, timer.quiet);
            self.rules(&Trigger::Timer(timer.name));
            self.stopped = false;
        }
        self.quiet = None;
    }

    /// Drops what falls due while the policy is switched off: it is not made up for.
    pub(super) fn miss_due(&mut self) {
        let now = self.now;
        let flow = self.flow();
        let (runs, timers) =
            (flow.runs.iter().any(|r| r.due <= now), flow.timers.iter().any(|t| t.due <= now));
        if runs {
            let gone = self.flow_mut().runs.extract_if(.., |run| run.due <= now).collect::<Vec<_>>();
            for run in gone {
                self.dropped(&run.rule, "it was due while the channel's policy was switched off");
            }
        }
        if timers {
            self.flow_mut().timers.retain(|timer| timer.due > now);
        }
        if self.flow().ask.as_ref().is_some_and(|ask| ask.due <= now) {
            self.drop_ask("the channel's policy is switched off");
        }
        for silence in &self.engine.silences {
            if self.silence_due(silence).is_some_and(|due| due <= now) {
                self.seen(silence);
            }
        }
    }

    /// When next something falls due that [`miss_due`](Self::miss_due) drops.
    pub(super) fn next_missed(&self) -> Option<Timestamp> {
        let flow = self.flow();
        let runs = flow.runs.iter().map(|run| run.due);
        let timers = flow.timers.iter().map(|timer| timer.due);
        let silences = self.engine.silences.iter().filter_map(|silence| self.silence_due(silence));
        runs.chain(timers).chain(flow.ask.as_ref().map(|ask| ask.due)).chain(silences).min()
    }

    fn due_asks(&mut self) {
        if let Some(ask) = self.flow().ask.clone().filter(|ask| ask.due <= self.now) {
            self.bot_is_slow(&ask);
        }
    }

    /// A waiting conversation's skills are relaxed by the one who shares it out; here only its team changes.
    fn due_queue(&mut self) {
        let Some(queue) = self.flow().queue.clone() else { return };
        if let Some((to, due)) = self.overflow_of(&queue)
            && due <= self.now
        {
            self.overflow(to);
        }
    }

    fn team(&self, team: &TeamId) -> Option<&Team> {
        self.engine.book.teams.get(team)
    }

    /// Where a waiting conversation goes next, and when. Never back to a team it has waited for.
    fn overflow_of(&self, queue: &Queued) -> Option<(TeamId, Timestamp)> {
        let overflow = self.team(&queue.team)?.overflow.as_ref()?;
        let fresh = overflow.to != queue.team && !queue.passed.contains(&overflow.to);
        fresh.then(|| (overflow.to.clone(), queue.joined + overflow.after))
    }

    fn queue_due(&self, queue: &Queued) -> Option<Timestamp> {
        self.overflow_of(queue).map(|(_, due)| due)
    }

    /// When the agent who was given it loses it to another.
    fn answer_due(&self) -> Option<Timestamp> {
        let flow = self.flow();
        let within = self.team(flow.team.as_ref()?)?.answer_within?;
        let waits = flow.waits_since.is_some() && !self.stands_still();
        let has = matches!(*self.owner, Owner::Agent { .. });
        flow.assigned_at.filter(|_| waits && has).map(|at| at + within)
    }

    /// When a silence has lasted long enough for the rules that wait for it; once a silence.
    fn silence_due(&self, silence: &Silence) -> Option<Timestamp> {
        let since = self.silent_since(silence.of)?;
        let looked = self.flow().silences.iter().any(|(seen, at)| seen == silence && *at >= since);
        (!looked).then(|| since + silence.lasting)
    }

    /// Since when a side owes the other one an answer.
    fn silent_since(&self, side: Side) -> Option<Timestamp> {
        match side {
            Side::Agent => self.flow().waits_since,
            Side::Customer => {
                let said = self.c.last_human_at.max(self.flow().bot_at);
                // An answer of the same millisecond is an answer; a talk that was taken up again begins anew.
                let begun = self.flow().activity_at.unwrap_or_default();
                said.filter(|_| said >= self.c.last_inbound_at).map(|said| said.max(begun))
            }
        }
    }

    /// Takes note that a silence was looked at.
    fn seen(&mut self, silence: &Silence) {
        let now = self.now;
        let seen = &mut self.flow_mut().silences;
        seen.retain(|(s, _)| s != silence);
        seen.push((*silence, now));
    }

    fn due_silences(&mut self) {
        for silence in &self.engine.silences {
            let Some(due) = self.silence_due(silence).filter(|due| *due <= self.now && self.open) else {
                continue;
            };
            self.overdue(due, false);
            self.seen(silence);
            self.rules(&Trigger::Silent(*silence));
            self.stopped = false;
            self.quiet = None;
        }
    }
}
