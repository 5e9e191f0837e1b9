//! What is set for channels.

use super::step::Way;
use super::{At, FindingKind, Lint};
use crate::hours::Hours;
use crate::policy::book::{AfterHours, AutoReply, ChannelPolicy, Do, Handover, Receiver, Returning};

impl<'a> Lint<'a> {
    pub(super) fn channels(&mut self) {
        let book = self.book;
        for (id, policy) in &book.channels {
            let at = At::default().keys(["channels", id.as_str()]);
            if self.known.channels.as_ref().is_some_and(|known| !known.contains_key(id)) {
                let message = format!("no channel `{id}` is connected: connect it, or take it out");
                self.add(FindingKind::NotConnected, &at, message);
            }
            self.channel(&at, policy);
        }
        self.channel(&At::default().key("other_channels"), &book.other_channels);
        for user in 0..self.uses.channels.len() {
            self.pinned(user);
        }
    }

    fn channel(&mut self, at: &At, policy: &'a ChannelPolicy) {
        if let Some(name) = &policy.scenario {
            self.scenario_name(&at.key("scenario"), name);
        }
        if let Some(agent) = &policy.pinned {
            self.agent(&at.key("pinned"), agent);
        }
        let receiver = at.key("receiver");
        match &policy.receiver {
            Some(Receiver::Agent(agent)) => self.agent(&receiver.key("agent"), agent),
            Some(Receiver::Team(team)) => self.team(&receiver.key("team"), team),
            Some(Receiver::Bot(bot)) => self.bot(&receiver.key("bot"), bot),
            None => {}
        }
        self.hours_of(at, policy);
        self.replies(&at.key("auto_replies"), &policy.auto_replies);
        self.ends(at, policy);
        self.promises(&at.key("clocks"), policy);
        self.guard(&at.key("loop_guard"), policy);
        self.period(
            &at.key("late_after"),
            policy.late_after,
            "every message would count as late, and nothing would answer it",
        );
    }

    fn hours_of(&mut self, at: &At, policy: &'a ChannelPolicy) {
        let name = policy.hours.as_deref();
        if let Some(name) = name {
            self.calendar(&at.key("hours"), name);
        }
        let hours = name.map_or(Some(&Hours::Always), |name| self.book.calendar(name));
        let after_hours = at.key("after_hours");
        match &policy.after_hours {
            None => {}
            Some(AfterHours::Bot(bot)) => self.bot(&after_hours.key("bot"), bot),
            Some(AfterHours::Replies(replies)) => {
                let at = after_hours.key("replies");
                if replies.is_empty() {
                    self.add(FindingKind::EmptyList, &at, "no replies: add one, or leave `after_hours` out");
                }
                self.replies(&at, replies);
            }
        }
        if policy.after_hours.is_some() && hours == Some(&Hours::Always) {
            let message = "the channel is always open, so this is never used: name a calendar in `hours`";
            self.add(FindingKind::UnusedAfterHours, &after_hours, message);
        }
        if !policy.auto_replies.is_empty() && hours == Some(&Hours::Never) {
            let message = "the channel never opens, so these are never sent: put them into `after_hours`";
            self.add(FindingKind::UnusedAutoReplies, &at.key("auto_replies"), message);
        }
    }

    fn replies(&mut self, at: &At, replies: &'a [AutoReply]) {
        for (i, reply) in replies.iter().enumerate() {
            self.say(&at.index(i), &reply.say);
        }
    }

    fn ends(&mut self, at: &At, policy: &'a ChannelPolicy) {
        if let Some(close) = &policy.auto_close {
            let at = at.key("auto_close");
            self.period(&at.key("after"), close.after, "every conversation would close at once");
            if let Some(text) = &close.text {
                self.say(&at.key("text"), text);
            }
        }
        if let Returning::ReopenWithin(within) = policy.returning {
            let at = at.keys(["returning", "reopen_within"]);
            self.period(
                &at,
                within,
                "within no time nothing is ever opened again; write \"new\" if that is meant",
            );
        }
        if let Some(grace) = &policy.grace {
            let at = at.key("grace");
            self.period(&at.key("within"), grace.within, "a time of thanks that is over at once");
            let words = at.key("words");
            if grace.words.is_empty() {
                let message = "without words nothing is a word of thanks: add some, or leave `words` out for the usual \
                               ones";
                self.add(FindingKind::GraceWithoutWords, &words, message);
            }
            for (i, word) in grace.words.iter().enumerate() {
                self.word(&words.index(i), word);
            }
        }
    }

    fn promises(&mut self, at: &At, policy: &ChannelPolicy) {
        let clocks = &policy.clocks;
        let promises = [
            ("first_response", &clocks.first_response),
            ("next_response", &clocks.next_response),
            ("resolution", &clocks.resolution),
        ];
        for (key, promise) in promises {
            let (Some(promise), at) = (promise, at.key(key)) else { continue };
            self.period(&at.key("within"), promise.within, "this promise is broken as it is made");
            if let Some(name) = &promise.hours {
                self.calendar(&at.key("hours"), name);
            }
        }
    }

    fn guard(&mut self, at: &At, policy: &ChannelPolicy) {
        let guard = policy.loop_guard;
        if guard.texts == 0 {
            let message = "with 0 no automatic text is ever sent: write how many may go to one contact";
            self.add(FindingKind::GuardStopsAll, &at.key("texts"), message);
        }
        if guard.bot_texts == 0 && !self.book.bots.is_empty() {
            let message =
                "with 0 no bot ever says anything: write how many texts of bots may go to one contact";
            self.add(FindingKind::GuardStopsAll, &at.key("bot_texts"), message);
        }
        self.period(&at.key("within"), guard.within, "within no time nothing is ever too much");
    }

    /// Whoever has a conversation of a pinned channel and is not the pinned agent does not see it. Another receiver is
    /// a contradiction in one place, so an error. A scenario may be shared with channels that are not pinned, and then
    /// its steps are right for those, so a warning.
    fn pinned(&mut self, user: usize) {
        let Some(user) = self.uses.channels.get(user) else { return };
        let (policy, at) = (user.policy, user.at.clone());
        let Some(pinned) = &policy.pinned else { return };
        let mut routed = None;
        self.walk(user, &mut |way: &Way<'_, 'a>| {
            let is_other = match way.step {
                Do::Assign(Handover::Agent(agent)) | Do::Transfer(Handover::Agent(agent)) => agent != pinned,
                Do::Assign(_) | Do::Transfer(_) => true,
                _ => false,
            };
            if is_other && routed.is_none() {
                routed = Some(format!("{}/{}", way.scenario, way.rule.name));
            }
        });
        if let Some(receiver) = &policy.receiver
            && *receiver != Receiver::Agent(pinned.clone())
        {
            let message =
                format!("the channel is pinned to `{pinned}`, who alone sees it: leave out one of the two");
            self.add(FindingKind::PinnedReceiver, &at.key("receiver"), message);
        }
        if let Some(rule) = routed {
            let message = format!(
                "the channel is pinned to `{pinned}`, who alone sees it, and the rule {rule} gives its conversations to \
                 others: leave out one of the two, or give that rule a condition on the channel"
            );
            self.add(FindingKind::PinnedRouting, &at.key("pinned"), message);
        }
    }
}
