//! Scenarios: what happens, under which conditions, and what is done then.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::form::{or_text, short_or_table};
use super::{OneOrMore, Say, is_default};
use crate::content::ContentKind;
use crate::hours::Zone;
use crate::id::{AgentId, BotId, ChannelId, TeamId};
use crate::period::Period;
use crate::provider::Provider;

/// How conversations are handled: rules in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// Whether all rules that fit act, or only the first.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: Mode,
    /// The rules.
    pub rules: Vec<Rule>,
}

/// Which of the rules that fit act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// All of them, in order.
    #[default]
    All,
    /// The first one.
    First,
}

/// One rule: when, if, do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, one of its kind in the scenario: traces, limits and running waits go by it.
    pub name: String,
    /// What sets it off. In a scenario that others call it may be left out: then being called does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Trigger>,
    /// What must hold; absent means nothing.
    #[serde(default, rename = "if", skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// What is done, in order.
    #[serde(rename = "do")]
    pub steps: Vec<Do>,
    /// How often it may act.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limit: Limit,
}

/// What sets a rule off.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trigger {
    /// A conversation begins.
    Opened,
    /// A closed conversation is opened again.
    Reopened,
    /// The person wrote.
    Message,
    /// The person pressed a key.
    Button,
    /// One side has said nothing for a time.
    Silent(Silence),
    /// A message of ours could not be delivered.
    Failed,
    /// The person called.
    Call,
    /// The person wrote under a post, a picture, goods.
    Comment,
    /// A conversation ended. Waits are not allowed then: a closed conversation has no running timers.
    Closed,
    /// A timer that a step started.
    Timer(String),
}

/// A silence of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Silence {
    /// Who is silent.
    pub of: Side,
    /// For how long since the other side last spoke; more than zero.
    #[serde(rename = "for")]
    pub lasting: Period,
}

/// A side of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The person.
    Customer,
    /// The people of the business.
    Agent,
}

/// What must hold for a rule to act.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Condition {
    /// All of these.
    All(Vec<Condition>),
    /// One of these.
    Any(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// Over one of these channels.
    Channel(OneOrMore<ChannelId>),
    /// Over a channel of one of these kinds.
    Provider(OneOrMore<Provider>),
    /// The words hold one of these, wherever; case does not count, here and below.
    Contains(OneOrMore<String>),
    /// The words are one of these, but for spaces around.
    Equals(OneOrMore<String>),
    /// The words hold one of these as whole words.
    Word(OneOrMore<String>),
    /// The words match this pattern, in linear time. The syntax is that of the `regex` crate.
    Regex(String),
    /// The pressed key carries one of these.
    Button(OneOrMore<String>),
    /// The message holds something of one of these kinds.
    Kind(OneOrMore<ContentKind>),
    /// The person's language is one of these: `ru` also means `ru-RU`.
    Language(OneOrMore<String>),
    /// A field of the contact or the conversation has a value.
    Field(FieldIs),
    /// The conversation has one of these labels.
    Tag(OneOrMore<String>),
    /// The contact has one of these labels.
    ContactTag(OneOrMore<String>),
    /// Whether it is the contact's first conversation.
    Visit(Visit),
    /// The person came through one of these links or adverts: their token, source or number.
    Source(OneOrMore<String>),
    /// The talk is about goods or an advert whose number is one of these, or whose title holds one of these.
    Item(OneOrMore<String>),
    /// The calendar of this name is open.
    Inside(String),
    /// The calendar of this name is closed.
    Outside(String),
    /// Somebody of this team is there.
    Online(TeamId),
    /// So many conversations or more wait for a team.
    Queue(QueueLength),
    /// The time of day lies between two times.
    Time(TimeOfDay),
    /// The time for free replies is open or closed.
    Window(Window),
    /// Who has the conversation.
    Owner(OwnerKind),
}

/// A field of the contact or the conversation: `contact.email`, `contact.fields.city`, `order`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldIs {
    /// Which, as in a text's variable.
    pub name: String,
    /// The value it has; absent means any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<OneOrMore<String>>,
}

/// Whether a contact was here before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visit {
    /// This is their first conversation.
    First,
    /// They had one before.
    Returning,
}

/// How many wait for a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueLength {
    /// Which team.
    pub team: TeamId,
    /// So many or more.
    pub at_least: u32,
}

/// A time of day, half open; one that ends before it begins goes over midnight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeOfDay {
    /// From, as `09:00`.
    pub from: ClockTime,
    /// To, as `18:00`; `24:00` is the end of the day.
    pub to: ClockTime,
    /// In which zone; absent means the book's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
}

/// A time on the wall, in minutes since midnight; written `09:30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(with = "String")]
pub struct ClockTime(u16);

impl ClockTime {
    /// Minutes since midnight, 0 to 1440.
    pub fn minutes(self) -> u16 {
        self.0
    }
}

impl Serialize for ClockTime {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&format_args!("{:02}:{:02}", self.0 / 60, self.0 % 60))
    }
}

impl<'de> Deserialize<'de> for ClockTime {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        crate::hours::minute(&text).map(Self).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "{text:?} is not a time of day: write \"09:30\", 00:00 to 24:00"
            ))
        })
    }
}

/// Whether free replies are possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// They are.
    Open,
    /// Only templates are, or nothing is.
    Closed,
}

/// Who has a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OwnerKind {
    /// Nobody.
    Nobody,
    /// A person.
    Agent,
    /// A team, until one of them takes it.
    Team,
    /// A program.
    Bot,
}

/// What a rule or a bot does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Do {
    /// Says something.
    Reply(Say),
    /// Goes on after a time, unless what it waited in front of has happened.
    Wait(Wait),
    /// Lets a program answer.
    AskBot(BotId),
    /// Gives the conversation to somebody, unless a person has it.
    Assign(Handover),
    /// Gives the conversation to somebody, whoever has it.
    Transfer(Handover),
    /// Labels the conversation.
    Tag(OneOrMore<String>),
    /// Sets a field of the conversation or, with `contact.fields.`, of the contact.
    Set(BTreeMap<String, String>),
    /// Leaves words for the agents.
    Note(String),
    /// Ends the conversation.
    Close(CloseStep),
    /// Tells the host, durably.
    Notify(Notice),
    /// Runs the rules of another scenario.
    Call(String),
    /// Starts a timer that [`Trigger::Timer`] listens to; a running one of that name is replaced.
    Timer(StartTimer),
    /// Ends the rule, the rules behind it, and the scenarios that called it.
    Stop,
}

/// A time to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, transform = or_text)]
pub struct Wait {
    /// How long.
    #[serde(rename = "for")]
    pub lasting: Period,
    /// What makes the rest pointless.
    #[schemars(default)]
    pub unless: Cancel,
}

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            #[serde(rename = "for")]
            lasting: Period,
            #[serde(default)]
            unless: Cancel,
        }
        let short = |text: String| match text.parse() {
            Ok(lasting) => Ok(Table { lasting, unless: Cancel::default() }),
            Err(error) => Err(error.to_string()),
        };
        let Table { lasting, unless } =
            short_or_table(d, "a length of time such as \"5m\", or a table with `for` and `unless`", short)?;
        Ok(Self { lasting, unless })
    }
}

/// What cancels a wait and the steps behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cancel {
    /// An answer of a person of the business.
    #[default]
    Answer,
    /// A message of the customer.
    Message,
    /// Either of them.
    Either,
    /// Nothing but the closing.
    Never,
}

/// To whom a conversation is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Handover {
    /// To an agent.
    Agent(AgentId),
    /// To a team, by its distribution.
    Team(TeamId),
    /// To a team, for somebody with these skills.
    Skilled(Skilled),
}

/// A team, and what of its members is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Skilled {
    /// The team.
    pub team: TeamId,
    /// All of these.
    pub skills: Vec<String>,
}

/// How a conversation is ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CloseStep {
    /// Reason to record; absent means done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// What is said on closing. It never opens the conversation again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Say>,
}

/// Words for the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// The host's name for it.
    pub topic: String,
    /// What it carries; variables are filled in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

/// A timer with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartTimer {
    /// Its name.
    pub name: String,
    /// When it is due, from now.
    pub after: Period,
}

/// How often a rule may act. What is not set does not limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limit {
    /// So often in a conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_conversation: Option<u32>,
    /// So often in a day of the book's zone, to one contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_day: Option<u32>,
    /// So often to one contact, ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_contact: Option<u32>,
    /// Not again to one contact before this time is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cool_down: Option<Period>,
}

/// Compiles a pattern of [`Condition::Regex`]: case does not count, and its size is bounded.
pub(crate) fn pattern(pattern: &str) -> Result<regex::Regex, regex::Error> {
    regex::RegexBuilder::new(pattern).case_insensitive(true).size_limit(1 << 20).build()
}
