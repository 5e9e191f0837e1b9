//! What the policy remembers of a conversation and of a contact.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::book::{Cancel, Do, Silence, is_default};
use crate::id::{AgentId, BotId, RuleId, TeamId};
use crate::time::Timestamp;

/// What the policy remembers of a conversation. Kept with it; small, and empty for most.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Flow {
    /// Rules that wait, each with what it still has to do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<Run>,
    /// How often rules have acted in this conversation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fired: Vec<Fired>,
    /// That it waits for somebody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<Queued>,
    /// When its agent got it, while no answer of theirs followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_at: Option<Timestamp>,
    /// Silences that rules have looked at, and when: each is looked at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub silences: Vec<(Silence, Timestamp)>,
    /// Who was given it and did not answer in time, since the last answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<AgentId>,
    /// The team it was given out by: where it goes when its agent does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// Until when it is put aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snoozed: Option<Timestamp>,
    /// Since when it waits for something outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<Timestamp>,
    /// Promised times that run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<Clock>,
    /// The question a bot is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask: Option<Ask>,
    /// Whether a bot has handed over to people: the channel's settings ask none again until the closing.
    #[serde(skip_serializing_if = "is_default")]
    pub handed_over: bool,
    /// How many questions bots were asked.
    #[serde(skip_serializing_if = "is_default")]
    pub asks: u32,
    /// Fields that rules and people have set.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// Timers that steps have started.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub timers: Vec<NamedTimer>,
    /// When something other than words counted as activity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity_at: Option<Timestamp>,
    /// Since when the person waits for the answer of a person: their first message that none followed. Late ones, and
    /// those of programs, do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_since: Option<Timestamp>,
    /// How many messages the person had written before the one that opened it, this time. No wait that begins with the
    /// opening is cancelled by that one. The largest number when something else opened it.
    #[serde(skip_serializing_if = "is_default")]
    pub opened_behind: u32,
    /// When a bot last said something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bot_at: Option<Timestamp>,
    /// Whether what was last heard came from a program: nothing is said by itself then.
    #[serde(skip_serializing_if = "is_default")]
    pub robot: bool,
    /// Whether the contact had a conversation before.
    #[serde(skip_serializing_if = "is_default")]
    pub returning: bool,
    /// What is remembered across conversations where there is no contact, as in groups.
    #[serde(skip_serializing_if = "is_default")]
    pub memory: Memory,
}

/// What the policy remembers of a contact, across conversations and channels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Memory {
    /// How often rules with a limit a day, a contact or a cool-down have acted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fired: Vec<Fired>,
    /// Automatic texts sent of late.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<Sent>,
    /// How many conversations the contact has begun or was begun with.
    #[serde(skip_serializing_if = "is_default")]
    pub conversations: u32,
    /// Who answered last, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<(AgentId, Timestamp)>,
}

impl Memory {
    /// Takes over what is remembered of the same person under another name: limits count both.
    pub fn absorb(&mut self, other: Memory) {
        for fired in other.fired {
            match self.fired.iter_mut().find(|f| f.rule == fired.rule) {
                Some(known) => {
                    known.count = known.count.saturating_add(fired.count);
                    // What one of them was told on another day is no matter of today.
                    known.today = match (day(known.last), day(fired.last)) {
                        (mine, theirs) if mine == theirs => known.today.saturating_add(fired.today),
                        (mine, theirs) if mine < theirs => fired.today,
                        _ => known.today,
                    };
                    known.last = known.last.max(fired.last);
                }
                None => self.fired.push(fired),
            }
        }
        for sent in other.texts {
            match self.texts.iter_mut().find(|s| s.by_bot == sent.by_bot) {
                Some(known) => *known = known.joined(sent),
                None => self.texts.push(sent),
            }
        }
        self.conversations = self.conversations.saturating_add(other.conversations);
        let newer = |(_, at): &(AgentId, Timestamp)| self.agent.as_ref().is_none_or(|(_, mine)| at > mine);
        if let Some(agent) = other.agent.filter(newer) {
            self.agent = Some(agent);
        }
    }
}

/// Automatic texts of one kind of author within the loop guard's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sent {
    /// Of bots, or of rules.
    pub by_bot: bool,
    /// Since when they are counted.
    pub since: Timestamp,
    /// Until when; then the count begins anew.
    pub until: Timestamp,
    /// How many.
    pub count: u32,
}

impl Sent {
    /// What two counts of one person come to: both, where their times meet; else the later one.
    fn joined(self, other: Self) -> Self {
        let (first, last) = if self.since <= other.since { (self, other) } else { (other, self) };
        let meets = first.until > last.since;
        let count = if meets { first.count.saturating_add(last.count) } else { last.count };
        Self { count, ..last }
    }
}

/// A day of the calendar of UTC: the zone of the book is not known where contacts are merged.
fn day(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(86_400_000)
}

/// How often a rule has acted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fired {
    /// Which.
    pub rule: RuleId,
    /// How often in all.
    pub count: u32,
    /// How often on the day of the last time.
    pub today: u32,
    /// When last.
    pub last: Timestamp,
}

/// A rule that waits. It holds what is left to do, so it keeps the version it began with: across changes of the policy,
/// restarts and nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Which rule. Taken out of the policy, it is dropped when it wakes.
    pub rule: RuleId,
    /// The version of the policy it began with.
    #[serde(default)]
    pub version: u64,
    /// When it began to wait.
    pub since: Timestamp,
    /// When it goes on.
    pub due: Timestamp,
    /// What makes it pointless.
    #[serde(default)]
    pub unless: Cancel,
    /// What is left to do.
    pub rest: Vec<Do>,
    /// It says nothing: what set it off was late, or it is itself.
    #[serde(default, skip_serializing_if = "is_default")]
    pub quiet: bool,
}

/// A conversation that waits for somebody of a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Queued {
    /// Which team.
    pub team: TeamId,
    /// Since when; kept through overflow, so that waiting is never lost.
    pub since: Timestamp,
    /// Since when it waits for this team.
    pub joined: Timestamp,
    /// What the agent should be able to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<String>,
    /// Who should get it, if they can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefer: Option<AgentId>,
    /// Who had it and did not answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<AgentId>,
    /// Teams it has waited for in vain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<TeamId>,
}

/// A promised time that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Clock {
    /// Which.
    pub kind: ClockKind,
    /// When it began.
    pub started: Timestamp,
    /// When it is over; while it stands still, when it would be had it not stopped.
    pub due: Timestamp,
    /// When it last began to run.
    pub running: Timestamp,
    /// How much of it was used up before that, in milliseconds of its calendar.
    #[serde(default, skip_serializing_if = "is_default")]
    pub used_ms: u64,
    /// Since when it stands still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Timestamp>,
    /// Whether it was over before it was met.
    #[serde(default, skip_serializing_if = "is_default")]
    pub breached: bool,
    /// The edition of the policy that `due` was reckoned by; under another one it is reckoned anew.
    #[serde(default)]
    pub edition: u64,
}

/// Which promised time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClockKind {
    /// From the first message to the first answer of a person.
    FirstResponse,
    /// From a later message to the next answer of a person.
    NextResponse,
    /// From the opening to the closing.
    Resolution,
}

impl ClockKind {
    /// The name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            ClockKind::FirstResponse => "first_response",
            ClockKind::NextResponse => "next_response",
            ClockKind::Resolution => "resolution",
        }
    }
}

/// A question to a bot, until it is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ask {
    /// Its number in the conversation: an answer to another one is late.
    pub id: u32,
    /// Who is asked.
    pub bot: BotId,
    /// When.
    pub at: Timestamp,
    /// When people take over.
    pub due: Timestamp,
}

/// A timer that a step has started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamedTimer {
    /// Its name.
    pub name: String,
    /// When it is due.
    pub due: Timestamp,
    /// Nothing is said when it is due: what started it was late.
    #[serde(default, skip_serializing_if = "is_default")]
    pub quiet: bool,
}
