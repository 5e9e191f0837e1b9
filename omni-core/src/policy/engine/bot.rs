//! Bots: asked with the talk so far, answered by steps or by a hand-over, never over a person's head.

use super::turn::Turn;
use crate::conversation::{Actor, Owner};
use crate::id::BotId;
use crate::policy::book::{Do, Receiver};
use crate::policy::{Ask, BotAnswer, BotReply, Effect};

impl Turn<'_> {
    /// Asks a bot. An older question is forgotten: the new one is asked with all that was said.
    pub(super) fn ask(&mut self, bot: &BotId) {
        if let Some(why) = self.quiet.clone() {
            return self.dropped(&self.engine.names.bot, why);
        }
        let actor = Actor::Bot { bot: bot.clone() };
        if !self.may_speak(&actor) {
            self.dropped(
                &self.engine.names.bot,
                "too many automatic texts to this contact in a short time: people take over",
            );
            return self.hand_over(bot);
        }
        let settings = self.engine.book.bots.get(bot).cloned().unwrap_or_default();
        let (at, due) = (self.now, self.now + settings.timeout);
        let flow = self.flow_mut();
        flow.asks = flow.asks.saturating_add(1);
        let id = flow.asks;
        flow.ask = Some(Ask { id, bot: bot.clone(), at, due });
        self.applied(&self.engine.names.bot, format!("{bot} is asked, question {id}"));
        self.effects.push(Effect::AskBot { bot: bot.clone(), ask: id, memory: settings.memory, due });
    }

    /// A question that is pointless now: its answer will be late.
    pub(super) fn drop_ask(&mut self, because: &'static str) {
        if self.flow().ask.is_some() {
            self.flow_mut().ask = None;
            self.dropped(&self.engine.names.bot, because);
        }
    }

    pub(super) fn bot_answered(&mut self, answer: &BotAnswer) {
        let bot = &self.engine.names.bot;
        let asked = |ask: &Ask| ask.id == answer.ask && ask.bot == answer.bot;
        if !self.open {
            return self.dropped(bot, "the bot answered after the closing");
        }
        if !self.flow().ask.as_ref().is_some_and(asked) {
            return self
                .dropped(bot, "the bot answered late: somebody else has answered, or it was asked anew");
        }
        self.flow_mut().ask = None;
        match &answer.reply {
            BotReply::Steps(steps) => {
                self.applied(bot, "the bot answered");
                self.bot_steps(&answer.bot, steps);
            }
            BotReply::HandOver(steps) => {
                self.applied(bot, "the bot hands over to people");
                self.bot_steps(&answer.bot, steps);
                if self.open && !matches!(*self.owner, Owner::Agent { .. }) {
                    self.hand_over(&answer.bot);
                }
            }
            BotReply::Failed(why) => {
                self.applied(bot, format!("the bot failed, people take over: {why}"));
                self.hand_over(&answer.bot);
            }
        }
    }

    fn bot_steps(&mut self, bot: &BotId, steps: &[Do]) {
        let rule = self.engine.names.bot.clone();
        self.run(&rule, &Actor::Bot { bot: bot.clone() }, steps, None, 0);
    }

    /// The bot did not answer in time.
    pub(super) fn bot_is_slow(&mut self, ask: &Ask) {
        self.flow_mut().ask = None;
        self.applied(&self.engine.names.bot, format!("{} did not answer in time: people take over", ask.bot));
        self.hand_over(&ask.bot);
    }

    /// People take over from a bot: its team, the channel's, or everyone.
    fn hand_over(&mut self, bot: &BotId) {
        if matches!(*self.owner, Owner::Agent { .. }) || self.flow().queue.is_some() {
            return;
        }
        self.flow_mut().handed_over = true;
        let its = self.engine.book.bots.get(bot).and_then(|b| b.hand_over.clone());
        let channels = || match &self.engine.policy.receiver {
            Some(Receiver::Team(team)) => Some(team.clone()),
            _ => None,
        };
        let by = Actor::Bot { bot: bot.clone() };
        match its.or_else(channels).filter(|team| self.engine.book.teams.contains_key(team)) {
            Some(team) => self.enqueue(team, Vec::new(), by),
            None => self.release(),
        }
    }
}
