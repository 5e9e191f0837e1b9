//! Who is there, what they have, and what waits.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{AgentId, ChannelId, TeamId};
use crate::time::Timestamp;

/// Whether an agent is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// There, and takes conversations.
    Online,
    /// There, and takes no new ones.
    Away,
    /// Not there.
    #[default]
    Offline,
}

/// An agent as they are now. What they may do is in the [`Book`](super::Book).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentState {
    /// Whether they are there.
    pub presence: Presence,
    /// Since when.
    pub since: Timestamp,
    /// When they were last given a conversation: the cursor of round robin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_at: Option<Timestamp>,
    /// When a conversation of theirs last ended or went to somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freed_at: Option<Timestamp>,
    /// How many open conversations they have, by channel.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub load: BTreeMap<ChannelId, u32>,
}

impl AgentState {
    /// How many open conversations they have.
    pub fn total(&self) -> u32 {
        self.load.values().sum()
    }

    /// Since when they are without new work.
    pub fn idle_since(&self) -> Timestamp {
        self.since.max(self.assigned_at.unwrap_or_default()).max(self.freed_at.unwrap_or_default())
    }
}

/// All of a tenant's agents as they are now, and how many conversations wait for each team.
///
/// A step reads it for conditions and may see it a moment late; whether an agent still can take a conversation is
/// looked at again in the transaction that gives it to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desk {
    /// Agents; those never heard of are offline.
    pub agents: BTreeMap<AgentId, AgentState>,
    /// How many conversations wait for a team.
    pub waiting: BTreeMap<TeamId, u32>,
}

impl Desk {
    /// A desk with nobody.
    pub const fn empty() -> Self {
        Self { agents: BTreeMap::new(), waiting: BTreeMap::new() }
    }

    /// An agent as far as known.
    pub fn agent(&self, agent: &AgentId) -> Option<&AgentState> {
        self.agents.get(agent)
    }

    /// Whether an agent takes conversations.
    pub fn is_online(&self, agent: &AgentId) -> bool {
        self.agent(agent).is_some_and(|a| a.presence == Presence::Online)
    }
}
