//! How often rules may act, and what stops two programs that talk to each other.

use super::turn::Turn;
use crate::conversation::Actor;
use crate::hours::Zone;
use crate::id::RuleId;
use crate::policy::book::Limit;
use crate::policy::{Fired, Sent, Words};
use crate::time::Timestamp;

impl Turn<'_> {
    /// Whether a rule's limits let it act.
    pub(super) fn within(&self, rule: &RuleId, limit: &Limit) -> Result<(), Words> {
        if let Some(most) = limit.per_conversation {
            let fired = find(&self.flow().fired, rule);
            if fired.is_some_and(|f| f.count >= most) || most == 0 {
                return Err(Words::Static("it has acted in this conversation as often as it may"));
            }
        }
        if !remembered(limit) {
            return Ok(());
        }
        let Some(fired) = find(&self.memory().fired, rule) else { return Ok(()) };
        if limit.cool_down.is_some_and(|pause| self.now < fired.last + pause) {
            return Err(Words::Static("it has acted a short time ago"));
        }
        if limit.per_contact.is_some_and(|most| fired.count >= most) {
            return Err(Words::Static("it has acted for this contact as often as it may"));
        }
        if limit.per_day.is_some_and(|most| fired.today >= most && self.same_day(fired.last)) {
            return Err(Words::Static("it has acted today as often as it may"));
        }
        Ok(())
    }

    /// Takes note that a rule acts, where somebody will ask.
    pub(super) fn count(&mut self, rule: &RuleId, limit: &Limit) {
        let (now, today) = (self.now, |turn: &Self, last| turn.same_day(last));
        if limit.per_conversation.is_some() {
            let same = find(&self.flow().fired, rule).is_some_and(|f| today(self, f.last));
            bump(&mut self.flow_mut().fired, rule, now, same);
        }
        if remembered(limit) {
            let same = find(&self.memory().fired, rule).is_some_and(|f| today(self, f.last));
            bump(&mut self.memory_mut().fired, rule, now, same);
        }
    }

    fn same_day(&self, then: Timestamp) -> bool {
        let zone = self.engine.book.zone.clone().unwrap_or_else(Zone::utc);
        let day = |at| {
            let local = zone.local(at);
            (local.year, local.month, local.day)
        };
        day(then) == day(self.now)
    }

    /// Whether one more automatic text may go to this contact.
    pub(super) fn may_speak(&self, by: &Actor) -> bool {
        let (by_bot, most) = self.guard_of(by);
        let sent = self.memory().texts.iter().find(|s| s.by_bot == by_bot);
        sent.is_none_or(|s| self.now >= s.until || s.count < most)
    }

    /// Takes note of one automatic text.
    pub(super) fn spoke(&mut self, by: &Actor) {
        let ((by_bot, _), now) = (self.guard_of(by), self.now);
        let until = now + self.engine.policy.loop_guard.within;
        let texts = &mut self.memory_mut().texts;
        match texts.iter_mut().find(|s| s.by_bot == by_bot) {
            Some(sent) if now < sent.until => sent.count = sent.count.saturating_add(1),
            Some(sent) => (sent.since, sent.until, sent.count) = (now, until, 1),
            None => texts.push(Sent { by_bot, since: now, until, count: 1 }),
        }
    }

    fn guard_of(&self, by: &Actor) -> (bool, u32) {
        let guard = &self.engine.policy.loop_guard;
        match by {
            Actor::Bot { .. } => (true, guard.bot_texts),
            _ => (false, guard.texts),
        }
    }
}

/// Whether a limit reaches beyond the conversation.
fn remembered(limit: &Limit) -> bool {
    limit.per_day.is_some() || limit.per_contact.is_some() || limit.cool_down.is_some()
}

fn find<'f>(all: &'f [Fired], rule: &RuleId) -> Option<&'f Fired> {
    all.iter().find(|f| f.rule == *rule)
}

fn bump(all: &mut Vec<Fired>, rule: &RuleId, now: Timestamp, same_day: bool) {
    match all.iter_mut().find(|f| f.rule == *rule) {
        Some(fired) => {
            fired.count = fired.count.saturating_add(1);
            fired.today = if same_day { fired.today.saturating_add(1) } else { 1 };
            fired.last = now;
        }
        None => all.push(Fired { rule: rule.clone(), count: 1, today: 1, last: now }),
    }
}
