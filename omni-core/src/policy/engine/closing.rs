//! Ends of conversations, and what comes after them.

use std::collections::{BTreeMap, HashSet};

use unicode_segmentation::UnicodeSegmentation;

use super::Compiled;
use super::check::message;
use super::inbound::Quiet;
use super::turn::Turn;
use super::words::fold;
use crate::content::ButtonAction;
use crate::conversation::{Actor, CloseReason, Conversation};
use crate::event::{Event, EventBody};
use crate::id::RuleId;
use crate::policy::book::{ChannelPolicy, Do, Grace, Returning, Say, Scenario, SilenceScope, Trigger};
use crate::policy::{Comeback, Context, Effect, Overtaken};
use crate::time::Timestamp;

/// What a customer's event does to a closed conversation.
pub(super) fn comeback(
    engine: &Compiled,
    closed: &Conversation,
    event: &Event,
    cx: &Context<'_>,
) -> Comeback {
    let Some(end) = &closed.closed else { return Comeback::New };
    let policy = &engine.policy;
    let late = Quiet::of(event, cx.now, policy.late_after.get()).is_some();
    if late && event.at.is_some_and(|at| at <= end.at) {
        return Comeback::Stay;
    }
    // A key of what was said on closing, such as how satisfied the person is, belongs there whenever it is pressed.
    if matches!(&event.body, EventBody::Button(button) if engine.closing_keys.contains(&button.data)) {
        return Comeback::Stay;
    }
    if policy.grace.as_ref().is_some_and(|grace| cx.now < end.at + grace.within && is_thanks(event, grace)) {
        return Comeback::Stay;
    }
    match policy.returning {
        Returning::New => Comeback::New,
        Returning::Reopen => Comeback::Reopen,
        Returning::ReopenWithin(within) if cx.now < end.at + within => Comeback::Reopen,
        Returning::ReopenWithin(_) => Comeback::New,
    }
}

/// Whether a message holds nothing but words of thanks, signs and emoji.
fn is_thanks(event: &Event, grace: &Grace) -> bool {
    let Some(content) = message(&event.body).map(|m| &m.content) else { return false };
    let Some(text) = content.plain_text().filter(|_| content.parts.is_empty()) else { return false };
    let text = fold(text);
    text.unicode_words().all(|word| grace.words.iter().any(|thanks| fold(thanks) == word))
}

impl Turn<'_> {
    /// Ends the conversation; the text on closing never opens it again.
    pub(super) fn close(&mut self, rule: &RuleId, by: &Actor, reason: CloseReason, text: Option<&Say>) {
        self.open = false;
        self.effects.push(Effect::Close { reason, by: by.clone() });
        if let Some(text) = text {
            self.say_unless(rule, by, text, Overtaken::TalkGoesOn);
        }
    }

    /// The conversation has ended, whoever ended it: nothing waits in it any more.
    pub(super) fn closed(&mut self) {
        self.end_all();
        if matches!(self.c.closed.as_ref().map(|c| &c.reason), Some(CloseReason::Merged(_))) {
            return self
                .skipped(&self.engine.names.closing, "it goes on in another conversation: nothing is said");
        }
        self.rules(&Trigger::Closed);
    }

    /// Ends all that waits in a conversation that has ended.
    pub(super) fn end_all(&mut self) {
        self.meet_resolution();
        for run in std::mem::take(&mut self.flow_mut().runs) {
            self.dropped(&run.rule, "the conversation was closed");
        }
        self.drop_ask("the conversation was closed");
        let flow = self.flow_mut();
        flow.clocks.clear();
        flow.timers.clear();
        flow.missed.clear();
        (flow.queue, flow.assigned_at, flow.snoozed, flow.held, flow.waits_since) = Default::default();
        flow.handed_over = false;
    }

    /// When silence closes the conversation, as far as is known now.
    pub(super) fn closes_at(&self) -> Option<Timestamp> {
        let rule = self.engine.policy.auto_close.as_ref()?;
        if self.stands_still() || !self.open {
            return None;
        }
        if rule.scope == SilenceScope::WaitingForCustomer && self.customer_waits() {
            return None;
        }
        let last = self.c.last_message_at.max(self.flow().activity_at.unwrap_or_default());
        Some(last + rule.after)
    }

    /// Whether the person wrote after all that people and bots have said.
    fn customer_waits(&self) -> bool {
        self.c.last_inbound_at > self.c.last_human_at.max(self.flow().bot_at)
    }

    /// Silence has lasted long enough.
    pub(super) fn close_silently(&mut self) {
        let Some(rule) = &self.engine.policy.auto_close else { return };
        let name = &self.engine.names.auto_close;
        self.applied(name, "nothing was said for long enough");
        let by = Actor::Rule { rule: name.to_string() };
        self.close(name, &by, CloseReason::Inactive, rule.text.as_ref());
    }
}

/// What the keys carry that are shown on closing: by the closing's own text, by rules on closed, by steps that close.
pub(super) fn closing_keys(
    policy: &ChannelPolicy,
    scenarios: &BTreeMap<String, Scenario>,
) -> HashSet<String> {
    let rules = || scenarios.values().flat_map(|s| &s.rules);
    let on_closed = rules().filter(|r| r.on == Some(Trigger::Closed)).flat_map(|r| &r.steps);
    let replies = on_closed.filter_map(|step| match step {
        Do::Reply(say) => Some(say),
        _ => None,
    });
    let last_words = rules().flat_map(|r| &r.steps).filter_map(|step| match step {
        Do::Close(close) => close.text.as_ref(),
        _ => None,
    });
    let of_silence = policy.auto_close.iter().filter_map(|rule| rule.text.as_ref());
    let says = replies.chain(last_words).chain(of_silence);
    let keys = says.flat_map(|say| say.buttons.iter().flatten());
    keys.filter_map(|key| match &key.action {
        ButtonAction::Press { data } => Some(data.clone()),
        _ => None,
    })
    .collect()
}
