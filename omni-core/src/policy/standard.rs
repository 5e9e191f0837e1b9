use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Context, Effect, Input, Policy, Step, Verb, Verdict};
use crate::conversation::{
    Actor, AutoClose, CloseReason, Conversation, Owner, SilenceScope, TimerKind, Visibility,
};
use crate::id::AgentId;
use crate::time::Timestamp;

/// The policy of a channel without a scenario: everyone sees its conversations or one pinned agent does, and
/// silence may close them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StandardPolicy {
    /// The one agent who sees the channel's conversations; absent means everyone.
    pub pinned: Option<AgentId>,
    /// When silence closes a conversation; absent means only people do.
    pub auto_close: Option<AutoClose>,
    /// What a message after the closing does.
    pub returning: Returning,
}

/// What a message to a closed conversation does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "then", rename_all = "snake_case")]
pub enum Returning {
    /// Opens a new one.
    #[default]
    New,
    /// Opens the old one again.
    Reopen,
    /// Opens the old one again within this time of the closing, else a new one.
    ReopenWithin {
        /// The time.
        #[serde(with = "crate::time::millis")]
        #[schemars(with = "u64")]
        within: Duration,
    },
}

/// A policy that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadPolicy {
    /// A conversation would close the moment it opens.
    #[error("auto_close.after must be more than zero; leave auto_close out to let only people close")]
    ZeroAutoClose,
}

impl StandardPolicy {
    /// Everyone sees everything; only people close.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only this agent sees the conversations.
    #[must_use]
    pub fn pinned(mut self, agent: impl Into<AgentId>) -> Self {
        self.pinned = Some(agent.into());
        self
    }

    /// Silence of this length closes a conversation.
    ///
    /// # Errors
    /// [`BadPolicy::ZeroAutoClose`] for a time of zero.
    pub fn auto_close(mut self, after: Duration, scope: SilenceScope) -> Result<Self, BadPolicy> {
        self.auto_close = Some(AutoClose { after, scope });
        self.check().map(|()| self)
    }

    /// Checks a policy that came from a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), BadPolicy> {
        match self.auto_close {
            Some(AutoClose { after, .. }) if after.is_zero() => Err(BadPolicy::ZeroAutoClose),
            _ => Ok(()),
        }
    }

    /// On opening: who sees it, who owns it.
    fn opened(&self, step: &mut Step) {
        let Some(agent) = &self.pinned else {
            return step.trace.note("pinned", Verdict::Skipped, "no agent is pinned: everyone sees it");
        };
        step.effects.push(Effect::Show { to: Visibility::Agent { agent: agent.clone() } });
        step.effects.push(Effect::Assign { to: Owner::Agent { agent: agent.clone() } });
        step.trace.note("pinned", Verdict::Applied, format!("the channel is pinned to {agent}"));
    }

    /// When silence is over for a conversation as it stands; `None` while it may not close.
    fn silence_ends(rule: AutoClose, conversation: &Conversation) -> Option<Timestamp> {
        match rule.scope {
            SilenceScope::AnySide => Some(conversation.last_message_at + rule.after),
            SilenceScope::Customer if conversation.waits() => None,
            SilenceScope::Customer => Some(conversation.last_message_at + rule.after),
        }
    }

    /// Keeps one timer running. It is not moved with every message: when it fires early it is set anew, so a
    /// message costs nothing.
    fn watch_silence(&self, conversation: &Conversation, step: &mut Step) {
        let Some(rule) = self.auto_close else { return };
        if !conversation.is_open() || conversation.timer(TimerKind::AutoClose).is_some() {
            return;
        }
        if let Some(due) = Self::silence_ends(rule, conversation) {
            step.effects.push(Effect::SetTimer { kind: TimerKind::AutoClose, due });
            step.trace.note("auto_close", Verdict::Applied, "the silence clock starts");
        }
    }

    fn silence_due(&self, conversation: &Conversation, now: Timestamp, step: &mut Step) {
        let Some(rule) = self.auto_close else {
            return step.trace.note("auto_close", Verdict::Skipped, "auto-close was switched off meanwhile");
        };
        match Self::silence_ends(rule, conversation) {
            Some(due) if due <= now => {
                let by = Actor::Rule { rule: "auto_close".to_owned() };
                step.effects.push(Effect::Close { reason: CloseReason::Inactive, by });
                step.trace.note("auto_close", Verdict::Applied, "nothing was said for long enough");
            }
            Some(due) => {
                step.effects.push(Effect::SetTimer { kind: TimerKind::AutoClose, due });
                step.trace.note(
                    "auto_close",
                    Verdict::Skipped,
                    "something was said meanwhile: the clock runs on",
                );
            }
            None => step.trace.note("auto_close", Verdict::Dropped, "the person waits for an answer"),
        }
    }
}

impl Policy for StandardPolicy {
    fn returning(&self, closed: &Conversation, context: &Context) -> Returning {
        match (self.returning, &closed.closed) {
            (Returning::ReopenWithin { within }, Some(end)) if context.now < end.at + within => {
                Returning::Reopen
            }
            (Returning::ReopenWithin { .. }, _) => Returning::New,
            (other, _) => other,
        }
    }

    fn step(&self, conversation: &Conversation, input: &Input<'_>, context: &Context) -> Step {
        let mut step = Step::default();
        match input {
            Input::Opened => self.opened(&mut step),
            Input::Timer(TimerKind::AutoClose) => {
                self.silence_due(conversation, context.now, &mut step);
                return step;
            }
            Input::Action(action) if matches!(action.verb, Verb::Close { .. }) => return step,
            Input::Event(_) | Input::Action(_) => {}
        }
        self.watch_silence(conversation, &mut step);
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::conversation::{Closed, Timer};
    use crate::id::{ConversationId, IdSource, TimerToken};
    use crate::policy::Action;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn conversation() -> Conversation {
        let id = ConversationId::next(&IdSource::new(1), at(0));
        Conversation::open(id, "t".into(), "c".into(), Address::new("1"), at(0))
    }

    fn with_timer(mut c: Conversation, due: Timestamp) -> Conversation {
        let token = TimerToken::next(&IdSource::new(2), at(0));
        c.timers.push(Timer { kind: TimerKind::AutoClose, due, token });
        c
    }

    fn effects(policy: &StandardPolicy, c: &Conversation, input: &Input<'_>, now: Timestamp) -> Vec<Effect> {
        policy.step(c, input, &Context::at(now)).effects
    }

    #[test]
    fn a_pinned_channel_shows_its_conversations_to_one_agent() {
        let policy = StandardPolicy::new().pinned("anna");
        let made = effects(&policy, &conversation(), &Input::Opened, at(0));
        assert!(made.contains(&Effect::Show { to: Visibility::Agent { agent: "anna".into() } }));
        assert!(effects(&StandardPolicy::new(), &conversation(), &Input::Opened, at(0)).is_empty());
    }

    #[test]
    fn silence_closes_and_speech_moves_the_clock() {
        let policy = StandardPolicy::new().auto_close(HOUR, SilenceScope::AnySide).unwrap();
        let timer = Input::Timer(TimerKind::AutoClose);
        let mut c = conversation();
        let started = effects(&policy, &c, &Input::Opened, at(0));
        assert_eq!(started, [Effect::SetTimer { kind: TimerKind::AutoClose, due: at(3600) }]);
        c.heard(at(1800), "ещё тут".into());
        let moved = effects(&policy, &c, &timer, at(3600));
        assert_eq!(moved, [Effect::SetTimer { kind: TimerKind::AutoClose, due: at(5400) }]);
        let closed = effects(&policy, &c, &timer, at(5400));
        assert!(matches!(closed.as_slice(), [Effect::Close { reason: CloseReason::Inactive, .. }]));
    }

    #[test]
    fn a_message_costs_no_timer_while_one_runs() {
        let policy = StandardPolicy::new().auto_close(HOUR, SilenceScope::AnySide).unwrap();
        let c = with_timer(conversation(), at(3600));
        let reply = Action { by: Actor::Host, verb: Verb::Reply };
        assert!(effects(&policy, &c, &Input::Action(&reply), at(10)).is_empty());
    }

    #[test]
    fn a_person_who_waits_is_not_closed_away() {
        let policy = StandardPolicy::new().auto_close(HOUR, SilenceScope::Customer).unwrap();
        let mut c = conversation();
        c.heard(at(1), "есть кто?".into());
        assert!(effects(&policy, &c, &Input::Timer(TimerKind::AutoClose), at(9000)).is_empty());
        c.answered(&Actor::Rule { rule: "auto".into() }, at(2), "робот".into());
        assert!(effects(&policy, &c, &Input::Timer(TimerKind::AutoClose), at(9000)).is_empty());
        c.answered(&Actor::Elsewhere, at(3), "да".into());
        assert!(!effects(&policy, &c, &Input::Timer(TimerKind::AutoClose), at(9000)).is_empty());
    }

    #[test]
    fn a_return_reopens_within_its_time_only() {
        let returning = Returning::ReopenWithin { within: HOUR };
        let policy = StandardPolicy { returning, ..StandardPolicy::new() };
        let mut c = conversation();
        c.closed = Some(Closed { at: at(0), reason: CloseReason::Done, by: Actor::Host });
        assert_eq!(policy.returning(&c, &Context::at(at(3599))), Returning::Reopen);
        assert_eq!(policy.returning(&c, &Context::at(at(3600))), Returning::New);
    }

    #[test]
    fn zero_auto_close_is_refused_with_advice() {
        let refused = StandardPolicy::new().auto_close(Duration::ZERO, SilenceScope::AnySide);
        assert_eq!(refused, Err(BadPolicy::ZeroAutoClose));
    }
}
