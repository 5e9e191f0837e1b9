//! Who answers: agents, teams, bots, and how conversations are shared out among them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{AgentId, ChannelId, TeamId};
use crate::period::Period;

/// A person who answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Agent {
    /// Name to show; texts may say it as `{{agent.name}}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What they can do: `english`, `refunds`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<String>,
    /// Most open conversations they are given; absent means any number. What they take themselves is not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// The same for single channels, counted beside the limit for all.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub capacity_of: BTreeMap<ChannelId, u32>,
}

/// A group of agents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Team {
    /// Name to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who is in it.
    pub members: Vec<AgentId>,
    /// How waiting conversations are shared out.
    pub distribution: Distribution,
    /// A person who comes back within this time gets the agent who last answered them, when that agent can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Period>,
    /// An agent who was given a conversation and did not answer for so long loses it to another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_within: Option<Period>,
    /// A conversation that asks for skills is given to anybody after waiting so long for one who has them; absent
    /// means that it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relax_skills: Option<Period>,
    /// Where conversations go that wait too long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overflow: Option<Overflow>,
}

/// How a team's waiting conversations are shared out. The one that waits longest always comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Distribution {
    /// All members see it; whoever takes it or answers first has it.
    #[default]
    AllSee,
    /// Nobody sees it; a member asks for the next one and gets the one that waits longest.
    Pull,
    /// To the member who was given one longest ago. The cursor is the time of that assignment, so members who join,
    /// leave or restart do not shift it.
    RoundRobin,
    /// To the member with the smallest share of their capacity in use; among equals as by round robin.
    LeastLoaded,
    /// To the member who has been without work, or with the same work, for longest.
    LongestIdle,
}

impl Distribution {
    /// Whether conversations are handed out, and not taken.
    pub fn pushes(self) -> bool {
        !matches!(self, Distribution::AllSee | Distribution::Pull)
    }
}

/// Where conversations go that wait too long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Overflow {
    /// To this team.
    pub to: TeamId,
    /// After so long.
    pub after: Period,
}

/// A program that answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Bot {
    /// How long it may think; then people take over.
    pub timeout: Period,
    /// Who takes over when it gives up, fails or is slow; absent means everyone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hand_over: Option<TeamId>,
    /// How many of the latest messages it is shown.
    pub memory: u32,
}

impl Default for Bot {
    fn default() -> Self {
        Self { timeout: Period::secs(30), hand_over: None, memory: 50 }
    }
}
