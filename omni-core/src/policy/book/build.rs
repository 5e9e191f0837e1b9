//! Books in code.

use super::{
    AfterHours, Agent, AutoClose, AutoReply, Book, Bot, ChannelPolicy, CloseStep, Condition, Distribution,
    Do, Grace, Handover, Limit, Mode, OneOrMore, Overflow, Per, Receiver, Returning, Rule, Say, Scenario,
    SilenceScope, Team, Trigger, Wait,
};
use crate::content::Button;
use crate::hours::Hours;
use crate::id::{AgentId, BotId, ChannelId, TeamId};
use crate::period::Period;

/// Made piece by piece; fields that no method names are set as fields.
///
/// ```
/// use omni_core::Period;
/// use omni_core::policy::{Book, ChannelPolicy};
/// use omni_core::policy::book::{AutoClose, Condition, Handover, Rule, Scenario, SilenceScope, Team, Trigger};
///
/// let book = Book::default()
///     .with_team("sales", Team::of(["anna", "boris"]))
///     .with_scenario("shop", Scenario::of([
///         Rule::on(Trigger::Opened)
///             .named("greet")
///             .reply("Здравствуйте, {{contact.name|друг}}!")
///             .assign(Handover::Team("sales".into())),
///         Rule::on(Trigger::Message)
///             .named("price")
///             .when(Condition::Word(vec!["цена".to_owned(), "прайс".to_owned()].into()))
///             .tag("price"),
///     ]))
///     .with_channel("shop", ChannelPolicy::new()
///         .named("Магазин")
///         .scenario("shop")
///         .auto_close(AutoClose::after(Period::days(3)).scope(SilenceScope::WaitingForCustomer)));
/// book.check().unwrap();
/// ```
impl Book {
    /// The same with a calendar.
    #[must_use]
    pub fn with_hours(mut self, name: impl Into<String>, hours: impl Into<Hours>) -> Self {
        self.hours.insert(name.into(), hours.into());
        self
    }

    /// The same with an agent.
    #[must_use]
    pub fn with_agent(mut self, id: impl Into<AgentId>, agent: Agent) -> Self {
        self.agents.insert(id.into(), agent);
        self
    }

    /// The same with a team.
    #[must_use]
    pub fn with_team(mut self, id: impl Into<TeamId>, team: Team) -> Self {
        self.teams.insert(id.into(), team);
        self
    }

    /// The same with a bot.
    #[must_use]
    pub fn with_bot(mut self, id: impl Into<BotId>, bot: Bot) -> Self {
        self.bots.insert(id.into(), bot);
        self
    }

    /// The same with a scenario.
    #[must_use]
    pub fn with_scenario(mut self, name: impl Into<String>, scenario: Scenario) -> Self {
        self.scenarios.insert(name.into(), scenario);
        self
    }

    /// The same with a value for `{{name}}` in texts.
    #[must_use]
    pub fn with_variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// The same with what is set for a channel.
    #[must_use]
    pub fn with_channel(mut self, id: impl Into<ChannelId>, policy: ChannelPolicy) -> Self {
        self.channels.insert(id.into(), policy);
        self
    }
}

impl ChannelPolicy {
    /// Nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a name to show.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The same with a scenario.
    #[must_use]
    pub fn scenario(mut self, name: impl Into<String>) -> Self {
        self.scenario = Some(name.into());
        self
    }

    /// The same with somebody who gets the conversations.
    #[must_use]
    pub fn receiver(mut self, receiver: Receiver) -> Self {
        self.receiver = Some(receiver);
        self
    }

    /// The same with one agent who alone sees the conversations.
    #[must_use]
    pub fn pinned(mut self, agent: impl Into<AgentId>) -> Self {
        self.pinned = Some(agent.into());
        self
    }

    /// The same with a calendar.
    #[must_use]
    pub fn hours(mut self, name: impl Into<String>) -> Self {
        self.hours = Some(name.into());
        self
    }

    /// The same with one more text that is sent while nobody answered.
    #[must_use]
    pub fn auto_reply(mut self, reply: impl Into<AutoReply>) -> Self {
        self.auto_replies.push(reply.into());
        self
    }

    /// The same with an answer outside the hours.
    #[must_use]
    pub fn after_hours(mut self, after_hours: AfterHours) -> Self {
        self.after_hours = Some(after_hours);
        self
    }

    /// The same with an end by silence: after a time, or as an [`AutoClose`] says.
    #[must_use]
    pub fn auto_close(mut self, close: impl Into<AutoClose>) -> Self {
        self.auto_close = Some(close.into());
        self
    }

    /// The same with what a message after the closing does.
    #[must_use]
    pub fn returning(mut self, returning: Returning) -> Self {
        self.returning = returning;
        self
    }

    /// The same with a time after the closing for the usual words of thanks.
    #[must_use]
    pub fn grace(mut self, within: Period) -> Self {
        self.grace = Some(Grace { within, words: super::thanks() });
        self
    }
}

impl AutoClose {
    /// After so long a silence of both sides.
    pub fn after(after: Period) -> Self {
        Self { after, scope: SilenceScope::default(), text: None }
    }

    /// The same with whose silence counts.
    #[must_use]
    pub fn scope(mut self, scope: SilenceScope) -> Self {
        self.scope = scope;
        self
    }

    /// The same with what is said on closing.
    #[must_use]
    pub fn text(mut self, text: impl Into<Say>) -> Self {
        self.text = Some(text.into());
        self
    }
}

impl From<Period> for AutoClose {
    fn from(after: Period) -> Self {
        Self::after(after)
    }
}

impl AutoReply {
    /// At once, once in a conversation.
    pub fn new(say: impl Into<Say>) -> Self {
        Self { say: say.into(), delay: Period::default(), per: Per::default() }
    }

    /// The same after a time, unless a person answers first.
    #[must_use]
    pub fn delay(mut self, delay: Period) -> Self {
        self.delay = delay;
        self
    }

    /// The same with how often.
    #[must_use]
    pub fn per(mut self, per: Per) -> Self {
        self.per = per;
        self
    }
}

impl<T: Into<Say>> From<T> for AutoReply {
    fn from(say: T) -> Self {
        Self::new(say)
    }
}

impl Say {
    /// The same with keys, one a row.
    #[must_use]
    pub fn buttons(mut self, buttons: impl IntoIterator<Item = Button>) -> Self {
        self.buttons.extend(buttons.into_iter().map(|button| vec![button]));
        self
    }
}

impl From<&str> for Say {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Say {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl Agent {
    /// An agent with a name to show.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..Self::default() }
    }

    /// The same who can do this too.
    #[must_use]
    pub fn skill(mut self, skill: impl Into<String>) -> Self {
        self.skills.push(skill.into());
        self
    }

    /// The same with the most conversations they are given.
    #[must_use]
    pub fn capacity(mut self, capacity: u32) -> Self {
        self.capacity = Some(capacity);
        self
    }
}

impl Team {
    /// A team of these, who all see its conversations.
    pub fn of<A: Into<AgentId>>(members: impl IntoIterator<Item = A>) -> Self {
        Self { members: members.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// The same with a name to show.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The same with how conversations are shared out.
    #[must_use]
    pub fn distribution(mut self, distribution: Distribution) -> Self {
        self.distribution = distribution;
        self
    }

    /// The same that gives people back to who last answered them within a time.
    #[must_use]
    pub fn sticky(mut self, age: Period) -> Self {
        self.sticky = Some(age);
        self
    }

    /// The same that takes away what is not answered in time.
    #[must_use]
    pub fn answer_within(mut self, period: Period) -> Self {
        self.answer_within = Some(period);
        self
    }

    /// The same that hands on what waits too long.
    #[must_use]
    pub fn overflow(mut self, to: impl Into<TeamId>, after: Period) -> Self {
        self.overflow = Some(Overflow { to: to.into(), after });
        self
    }
}

impl Scenario {
    /// These rules, of which all that fit act.
    pub fn of(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self { mode: Mode::All, rules: rules.into_iter().collect() }
    }

    /// The same of which only the first that fits acts.
    #[must_use]
    pub fn first_only(mut self) -> Self {
        self.mode = Mode::First;
        self
    }
}

/// Give it a name: traces, limits and waits go by it.
impl Rule {
    /// A rule that something sets off.
    pub fn on(trigger: Trigger) -> Self {
        Self { on: Some(trigger), ..Self::called() }
    }

    /// A rule that is set off by its scenario's being called.
    pub fn called() -> Self {
        Self { name: String::new(), on: None, when: None, steps: Vec::new(), limit: Limit::default() }
    }

    /// The same with a name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same under a condition.
    #[must_use]
    pub fn when(mut self, condition: Condition) -> Self {
        self.when = Some(condition);
        self
    }

    /// The same with a limit.
    #[must_use]
    pub fn limit(mut self, limit: Limit) -> Self {
        self.limit = limit;
        self
    }

    /// The same with one more step.
    #[must_use]
    pub fn then(mut self, step: Do) -> Self {
        self.steps.push(step);
        self
    }

    /// Says something.
    #[must_use]
    pub fn reply(self, say: impl Into<Say>) -> Self {
        self.then(Do::Reply(say.into()))
    }

    /// Waits, unless a person answers meanwhile.
    #[must_use]
    pub fn wait(self, lasting: Period) -> Self {
        self.then(Do::Wait(Wait { lasting, unless: super::Cancel::default() }))
    }

    /// Gives the conversation to somebody, unless a person has it.
    #[must_use]
    pub fn assign(self, to: Handover) -> Self {
        self.then(Do::Assign(to))
    }

    /// Lets a program answer.
    #[must_use]
    pub fn ask_bot(self, bot: impl Into<BotId>) -> Self {
        self.then(Do::AskBot(bot.into()))
    }

    /// Labels the conversation.
    #[must_use]
    pub fn tag(self, tag: impl Into<String>) -> Self {
        self.then(Do::Tag(OneOrMore(vec![tag.into()])))
    }

    /// Runs the rules of another scenario.
    #[must_use]
    pub fn call(self, scenario: impl Into<String>) -> Self {
        self.then(Do::Call(scenario.into()))
    }

    /// Ends the conversation.
    #[must_use]
    pub fn close(self) -> Self {
        self.then(Do::Close(CloseStep::default()))
    }

    /// Ends the rule, those behind it, and the scenarios that called it.
    #[must_use]
    pub fn stop(self) -> Self {
        self.then(Do::Stop)
    }
}
