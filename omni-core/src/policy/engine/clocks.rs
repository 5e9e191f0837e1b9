//! Promised times: begun by the person, met by people, run by a calendar, stopped by a hold.

use std::time::Duration;

use super::turn::Turn;
use crate::hours::Hours;
use crate::policy::book::Promise;
use crate::policy::{Clock, ClockKind, ClockNews, Effect};
use crate::time::Timestamp;

impl Turn<'_> {
    fn promise(&self, kind: ClockKind) -> Option<&Promise> {
        let clocks = &self.engine.policy.clocks;
        match kind {
            ClockKind::FirstResponse => clocks.first_response.as_ref(),
            ClockKind::NextResponse => clocks.next_response.as_ref(),
            ClockKind::Resolution => clocks.resolution.as_ref(),
        }
    }

    /// The calendar a promised time runs in.
    fn hours_of(&self, promise: &Promise) -> Hours {
        promise
            .hours
            .as_deref()
            .and_then(|name| self.engine.book.calendar(name))
            .cloned()
            .unwrap_or(Hours::Always)
    }

    pub(super) fn begin_resolution(&mut self) {
        self.begin(ClockKind::Resolution);
    }

    /// The person waits for an answer: the first one, or the next.
    pub(super) fn begin_response(&mut self) {
        self.begin(match self.c.first_response_at {
            None => ClockKind::FirstResponse,
            Some(_) => ClockKind::NextResponse,
        });
    }

    fn begin(&mut self, kind: ClockKind) {
        if self.flow().clocks.iter().any(|c| c.kind == kind) {
            return;
        }
        let Some(promise) = self.promise(kind) else { return };
        let now = self.now;
        let due = self.hours_of(promise).after(now, promise.within.get()).unwrap_or(Timestamp::MAX);
        let edition = self.engine.shared.edition;
        let clock = Clock {
            kind,
            started: now,
            due,
            running: now,
            used_ms: 0,
            paused: None,
            breached: false,
            edition,
        };
        self.flow_mut().clocks.push(clock);
        self.tell(kind, ClockNews::Started, due);
        if self.stands_still() {
            self.pause_clocks();
        }
    }

    fn tell(&mut self, clock: ClockKind, news: ClockNews, due: Timestamp) {
        let said = match news {
            ClockNews::Started => "the promised time begins",
            ClockNews::Paused => "the promised time stands still",
            ClockNews::Resumed => "the promised time goes on",
            ClockNews::Breached => "the promised time is over",
            ClockNews::Met => "the promise is met",
        };
        self.applied(&self.engine.names.clocks, format!("{}: {said}", clock.as_str()));
        self.effects.push(Effect::Clock { clock, news, due });
    }

    /// A person answered.
    pub(super) fn meet_responses(&mut self) {
        self.meet(|kind| kind != ClockKind::Resolution);
    }

    pub(super) fn meet_resolution(&mut self) {
        self.meet(|kind| kind == ClockKind::Resolution);
    }

    fn meet(&mut self, which: impl Fn(ClockKind) -> bool) {
        if !self.flow().clocks.iter().any(|c| which(c.kind)) {
            return;
        }
        let clocks = std::mem::take(&mut self.flow_mut().clocks);
        let (met, kept): (Vec<Clock>, Vec<Clock>) = clocks.into_iter().partition(|c| which(c.kind));
        self.flow_mut().clocks = kept;
        for clock in met {
            self.tell(clock.kind, ClockNews::Met, clock.due);
        }
    }

    /// Whether clocks stand still: the conversation is put aside, or waits for something outside.
    pub(super) fn stands_still(&self) -> bool {
        self.flow().held.is_some() || self.flow().snoozed.is_some()
    }

    pub(super) fn pause_clocks(&mut self) {
        let now = self.now;
        for i in 0..self.flow().clocks.len() {
            let Some(clock) = self.flow().clocks.get(i).filter(|c| c.paused.is_none()).cloned() else {
                continue;
            };
            let ran = self.ran(&clock, now);
            if let Some(clock) = self.flow_mut().clocks.get_mut(i) {
                clock.paused = Some(now);
                clock.used_ms = clock.used_ms.saturating_add(ran);
            }
            self.tell(clock.kind, ClockNews::Paused, clock.due);
        }
    }

    pub(super) fn resume_clocks(&mut self) {
        let now = self.now;
        for i in 0..self.flow().clocks.len() {
            let Some(mut clock) = self.flow().clocks.get(i).filter(|c| c.paused.is_some()).cloned() else {
                continue;
            };
            (clock.paused, clock.running) = (None, now);
            clock.due = self.due_of(&clock);
            let (kind, due) = (clock.kind, clock.due);
            if let Some(place) = self.flow_mut().clocks.get_mut(i) {
                *place = clock;
            }
            self.tell(kind, ClockNews::Resumed, due);
        }
    }

    /// How much of its calendar a clock has run through since it last began to run, in milliseconds.
    fn ran(&self, clock: &Clock, until: Timestamp) -> u64 {
        let Some(promise) = self.promise(clock.kind) else { return 0 };
        u64::try_from(self.hours_of(promise).between(clock.running, until).as_millis()).unwrap_or(u64::MAX)
    }

    /// When a running clock is over, by the policy as it is now.
    fn due_of(&self, clock: &Clock) -> Timestamp {
        let Some(promise) = self.promise(clock.kind) else { return Timestamp::MAX };
        let left = promise.within.get().saturating_sub(Duration::from_millis(clock.used_ms));
        self.hours_of(promise).after(clock.running, left).unwrap_or(Timestamp::MAX)
    }

    /// Reckons running clocks anew when the policy has changed since: another calendar, another promise, none.
    pub(super) fn reckon_clocks(&mut self) {
        let edition = self.engine.shared.edition;
        if self.flow().clocks.iter().all(|c| c.edition == edition) {
            return;
        }
        let mut clocks = std::mem::take(&mut self.flow_mut().clocks);
        clocks.retain(|clock| self.promise(clock.kind).is_some());
        for clock in &mut clocks {
            clock.edition = edition;
            if clock.paused.is_none() {
                clock.due = self.due_of(clock);
            }
        }
        self.flow_mut().clocks = clocks;
        self.applied(
            &self.engine.names.clocks,
            "the policy has changed: the promised times are reckoned anew",
        );
    }

    /// Tells of the clocks that are over.
    pub(super) fn breach_clocks(&mut self) {
        let now = self.now;
        for i in 0..self.flow().clocks.len() {
            let over = |c: &&Clock| c.paused.is_none() && !c.breached && c.due <= now;
            let Some(clock) = self.flow().clocks.get(i).filter(over).cloned() else { continue };
            if let Some(clock) = self.flow_mut().clocks.get_mut(i) {
                clock.breached = true;
            }
            self.tell(clock.kind, ClockNews::Breached, clock.due);
        }
    }

    /// Puts it aside until a time.
    pub(super) fn snooze(&mut self, until: Timestamp) {
        self.flow_mut().snoozed = Some(until);
        self.pause_clocks();
        self.applied(&self.engine.names.snooze, "it is put aside: clocks and auto-close stand still");
    }

    /// Stops its clocks until somebody takes it up again.
    pub(super) fn hold(&mut self) {
        let now = self.now;
        self.flow_mut().held.get_or_insert(now);
        self.pause_clocks();
        self.applied(
            &self.engine.names.snooze,
            "it waits for something outside: clocks and auto-close stand still",
        );
    }

    /// Takes it up again, after a snooze or a hold.
    pub(super) fn resume(&mut self, because: &'static str) {
        if !self.stands_still() {
            return;
        }
        let now = self.now;
        let flow = self.flow_mut();
        (flow.held, flow.snoozed, flow.activity_at) = (None, None, Some(now));
        self.resume_clocks();
        self.applied(&self.engine.names.snooze, because);
    }

    /// Ends a snooze; a hold goes on.
    pub(super) fn wake_from_snooze(&mut self, because: &'static str) {
        if self.flow().snoozed.is_none() {
            return;
        }
        let now = self.now;
        let flow = self.flow_mut();
        (flow.snoozed, flow.activity_at) = (None, Some(now));
        if self.flow().held.is_none() {
            self.resume_clocks();
        }
        self.applied(&self.engine.names.snooze, because);
        self.effects.push(Effect::Notify { topic: "awake".to_owned(), text: because.to_owned() });
    }
}
