//! What is set for a tenant's channels, as data: from TOML, from JSON, or built in code.
//!
//! A [`Book`] holds all of a tenant's policy: calendars, agents and teams, bots, scenarios, and one
//! [`ChannelPolicy`] a channel. It is read with [`Book::from_toml`] or [`Book::from_json`], looked over with
//! [`Book::lint`], and becomes a [`Policy`](crate::policy::Policy) a channel with [`Engine::new`](crate::policy::Engine::new).

mod build;
mod channel;
mod form;
mod lint;
mod read;
mod say;
mod scenario;
mod team;

pub use channel::*;
pub use form::OneOrMore;
pub use lint::{BadBook, Finding, FindingKind, Known, KnownChannel, Place, Severity};
pub use say::*;
pub use scenario::*;
pub use team::*;

pub use super::template::{BadTemplate, Variable, variables};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::hours::{Hours, Zone};
use crate::id::{AgentId, BotId, ChannelId, TeamId};

/// All of a tenant's policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Book {
    /// The host's number of this version, for traces. A change of content is noticed without it.
    pub version: u64,
    /// The zone of calendars and times of day that name none; UTC when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// Calendars by name. `always` and `never` may be named without standing here.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub hours: BTreeMap<String, Hours>,
    /// Who answers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub agents: BTreeMap<AgentId, Agent>,
    /// Groups of them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub teams: BTreeMap<TeamId, Team>,
    /// Programs that answer.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub bots: BTreeMap<BotId, Bot>,
    /// Scenarios by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub scenarios: BTreeMap<String, Scenario>,
    /// Values of the variables `{{company}}` and the like that texts may use, beside those of the contact and the
    /// conversation.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// What is set for each channel.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<ChannelId, ChannelPolicy>,
    /// What is set for channels that are not named.
    #[serde(skip_serializing_if = "is_default")]
    pub other_channels: ChannelPolicy,
}

impl Book {
    /// What is set for a channel.
    pub fn channel(&self, channel: &ChannelId) -> &ChannelPolicy {
        self.channels.get(channel).unwrap_or(&self.other_channels)
    }

    /// A calendar by name.
    pub fn calendar(&self, name: &str) -> Option<&Hours> {
        match name {
            "always" => Some(&Hours::Always),
            "never" => Some(&Hours::Never),
            name => self.hours.get(name),
        }
    }
}

pub(crate) use crate::is_default;

/// How deep conditions may be nested, and scenarios may call each other.
pub const MAX_DEPTH: u8 = 8;
