//! What is set for one channel.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize};

use super::form::{or_text, short_or_table};
use super::say::{Key, keys};
use super::{Say, WindowClosed, is_default};
use crate::content::Template;
use crate::id::{AgentId, BotId, TeamId};
use crate::media::Media;
use crate::period::Period;

/// What is set for one channel. Nothing set: every agent sees its conversations, and only people close them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChannelPolicy {
    /// Name to show, in lists and reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether the policy acts. Off, messages are kept and shown, nothing is done by itself, and what falls due
    /// meanwhile is not made up for.
    pub enabled: bool,
    /// Name of the scenario that handles its conversations; absent: every agent sees them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// Who gets its conversations when no rule of the scenario says otherwise; absent: everyone sees them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receiver: Option<Receiver>,
    /// The one agent who sees its conversations; reports count them all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<AgentId>,
    /// Whether a site's widget offers it: attributed links, and the source of a conversation is recorded.
    pub site_widget: bool,
    /// Its calendar by name; absent means always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
    /// Texts sent by themselves while nobody answered, within its hours.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub auto_replies: Vec<AutoReply>,
    /// Who or what answers outside its hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_hours: Option<AfterHours>,
    /// When silence closes a conversation; absent: only people do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_close: Option<AutoClose>,
    /// What a message after the closing does.
    #[serde(skip_serializing_if = "is_default")]
    pub returning: Returning,
    /// A time after the closing in which a word of thanks changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace: Option<Grace>,
    /// What becomes of a returning or reopened conversation whose agent cannot take it.
    #[serde(skip_serializing_if = "is_default")]
    pub absent: Absent,
    /// Promised times.
    #[serde(skip_serializing_if = "is_default")]
    pub clocks: Clocks,
    /// What counts as activity beside words.
    #[serde(skip_serializing_if = "is_default")]
    pub activity: Activity,
    /// What keeps two programs from talking to each other for ever.
    #[serde(skip_serializing_if = "is_default")]
    pub loop_guard: LoopGuard,
    /// A message that reaches us so long after it was written is late: it is shown and routed, but nothing answers it
    /// by itself and no clock starts. The same age makes an automatic text that fell due while nothing ran too old.
    pub late_after: Period,
}

impl Default for ChannelPolicy {
    fn default() -> Self {
        Self {
            name: None,
            enabled: true,
            scenario: None,
            receiver: None,
            pinned: None,
            site_widget: false,
            hours: None,
            auto_replies: Vec::new(),
            after_hours: None,
            auto_close: None,
            returning: Returning::default(),
            grace: None,
            absent: Absent::default(),
            clocks: Clocks::default(),
            activity: Activity::default(),
            loop_guard: LoopGuard::default(),
            late_after: Period::mins(30),
        }
    }
}

/// Who gets a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Receiver {
    /// One agent.
    Agent(AgentId),
    /// A team, by its distribution.
    Team(TeamId),
    /// A program.
    Bot(BotId),
}

/// A text sent by itself, unless a person answers first. In a file it is a [`Say`] with `delay` and `per` beside.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AutoReply {
    /// What it says.
    #[serde(flatten)]
    pub say: Say,
    /// How long after the person's message; nothing means at once.
    #[serde(skip_serializing_if = "is_default")]
    pub delay: Period,
    /// How often.
    #[serde(skip_serializing_if = "is_default")]
    pub per: Per,
}

/// A text sent by itself, unless a person answers first.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "AutoReply", transform = or_text)]
struct AutoReplyTable {
    /// The words. `{{contact.name|друг}}` is the contact's name, or `друг` where it is not known.
    text: Option<String>,
    /// Keys under the message, row by row: a label alone, or a table as in `Button`.
    buttons: Vec<Vec<Key>>,
    /// Files, by their public address.
    media: Vec<Media>,
    /// A text approved by the provider, in place of words.
    template: Option<Template>,
    /// What is done when the time for free replies is over.
    window_closed: WindowClosed,
    /// How long after the person's message; nothing means at once.
    delay: Period,
    /// How often.
    per: Per,
}

impl<'de> Deserialize<'de> for AutoReply {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let short = |text| Ok(AutoReplyTable { text: Some(text), ..AutoReplyTable::default() });
        let expected = "a text, or a table with `text`, `buttons`, `media` or `template`, `delay` and `per`";
        let table = short_or_table(d, expected, short)?;
        let AutoReplyTable { text, buttons, media, template, window_closed, delay, per } = table;
        Ok(Self { say: Say { text, buttons: keys(buttons), media, template, window_closed }, delay, per })
    }
}

impl JsonSchema for AutoReply {
    fn schema_name() -> Cow<'static, str> {
        AutoReplyTable::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        AutoReplyTable::json_schema(generator)
    }
}

/// How often an automatic text may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Once in a conversation.
    #[default]
    Conversation,
    /// After each message of the person.
    Message,
}

/// Who or what answers outside the hours: a bot or texts, never both.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AfterHours {
    /// A program.
    Bot(BotId),
    /// Texts.
    Replies(Vec<AutoReply>),
}

impl<'de> Deserialize<'de> for AfterHours {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Either {
            bot: Option<BotId>,
            replies: Option<Vec<AutoReply>>,
        }
        match Either::deserialize(d)? {
            Either { bot: Some(bot), replies: None } => Ok(AfterHours::Bot(bot)),
            Either { bot: None, replies: Some(replies) } => Ok(AfterHours::Replies(replies)),
            Either { bot: Some(_), replies: Some(_) } => Err(serde::de::Error::custom(
                "after_hours has both a bot and replies: keep one of them, or both would answer",
            )),
            Either { bot: None, replies: None } => Err(serde::de::Error::custom(
                "after_hours is empty: give it a bot or replies, or leave it out",
            )),
        }
    }
}

/// When a conversation closes by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoClose {
    /// After how long a silence; more than zero.
    pub after: Period,
    /// Whose silence counts.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scope: SilenceScope,
    /// What is said on closing. It never opens the conversation again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Say>,
}

/// Whose silence counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SilenceScope {
    /// That of both sides.
    #[default]
    AnySide,
    /// That of the person, after an answer of ours: a person who waits for us is never closed away.
    WaitingForCustomer,
}

/// What a message to a closed conversation does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Returning {
    /// Opens a new one.
    #[default]
    New,
    /// Opens the old one again.
    Reopen,
    /// Opens the old one again within this time of the closing, else a new one.
    ReopenWithin(Period),
}

/// A time after the closing in which a word of thanks is kept in the closed conversation and changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grace {
    /// How long.
    pub within: Period,
    /// The words that count: a message that holds nothing but these, signs and emoji.
    #[serde(default = "thanks")]
    pub words: Vec<String>,
}

/// Words of thanks and farewell in the languages of our first users.
pub fn thanks() -> Vec<String> {
    ["спасибо", "спс", "благодарю", "большое", "вам", "огромное", "до", "свидания", "хорошо", "ок", "понятно"]
        .iter()
        .chain(&["thanks", "thank", "you", "ok", "okay", "thx", "bye", "great", "рахмет", "дякую"])
        .map(|&word| word.to_owned())
        .collect()
}

/// What becomes of a returning or reopened conversation whose agent cannot take it. One whose agent does not exist
/// any more is always routed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Absent {
    /// When the agent is not there.
    pub offline: Then,
    /// When the agent has as many as they may have.
    pub full: Then,
}

impl Default for Absent {
    fn default() -> Self {
        Self { offline: Then::Reroute, full: Then::Keep }
    }
}

/// What is done with a conversation whose agent cannot take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// It stays with the agent.
    Keep,
    /// It is routed as a new one.
    Reroute,
}

/// Promised times. Automatic texts neither meet nor stop them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Clocks {
    /// From the first message to the first answer of a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_response: Option<Promise>,
    /// From each later message to the next answer of a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_response: Option<Promise>,
    /// From the opening to the closing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Promise>,
}

/// One promised time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Promise {
    /// How long it may take; more than zero.
    pub within: Period,
    /// Calendar by name that the time runs in; absent means calendar time, day and night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
}

/// What counts as activity beside words: it puts auto-close off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Activity {
    /// Signs put on messages.
    pub reactions: bool,
    /// Marks that the person has read.
    pub reads: bool,
    /// That the person is writing.
    pub typing: bool,
}

/// What keeps two programs from talking to each other for ever: so many automatic texts to one contact in so long a
/// time, and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LoopGuard {
    /// Texts of rules.
    pub texts: u32,
    /// Texts of bots, who may hold a talk.
    pub bot_texts: u32,
    /// In this time.
    pub within: Period,
}

impl Default for LoopGuard {
    fn default() -> Self {
        Self { texts: 10, bot_texts: 60, within: Period::mins(10) }
    }
}
