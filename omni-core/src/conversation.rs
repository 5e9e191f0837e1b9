//! One support case with one address, as small data that policies read.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::content::Item;
use crate::event::Chat;
use crate::id::{AgentId, BotId, ChannelId, ContactId, ConversationId, TeamId, TenantId, TimerToken};
use crate::is_default;
use crate::link::Referral;
use crate::policy::Flow;
use crate::time::Timestamp;

/// One support case with one address: from the first message to its closing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conversation {
    /// Our id.
    pub id: ConversationId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Over which channel.
    pub channel: ChannelId,
    /// Where on it.
    pub address: Address,
    /// The person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactId>,
    /// Name to show: the person's, or the chat's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What kind of chat it is.
    #[serde(default)]
    pub chat: Chat,
    /// When it began.
    pub opened_at: Timestamp,
    /// When and why it ended; absent while open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closed>,
    /// Who may see it.
    #[serde(default)]
    pub visible: Visibility,
    /// Who answers.
    #[serde(default)]
    pub owner: Owner,
    /// When the person last wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_inbound_at: Option<Timestamp>,
    /// When a person of the business last wrote, here or elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_human_at: Option<Timestamp>,
    /// When anything was last said by either side.
    pub last_message_at: Timestamp,
    /// When a person of the business first answered. Automatic texts do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_response_at: Option<Timestamp>,
    /// A line of the last message.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub preview: String,
    /// Messages of the person that nobody has seen here.
    #[serde(default)]
    pub unread: u32,
    /// How much was said.
    #[serde(default)]
    pub counts: Counts,
    /// Which link or advert brought the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<Referral>,
    /// What the talk is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Item>,
    /// Labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Timers that run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timers: Vec<Timer>,
    /// What the policy remembers of it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub flow: Box<Flow>,
}

impl Conversation {
    /// A conversation that begins now.
    pub fn open(
        id: ConversationId,
        tenant: TenantId,
        channel: ChannelId,
        address: Address,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            tenant,
            channel,
            address,
            contact: None,
            title: String::new(),
            chat: Chat::default(),
            opened_at: now,
            closed: None,
            visible: Visibility::default(),
            owner: Owner::default(),
            last_inbound_at: None,
            last_human_at: None,
            last_message_at: now,
            first_response_at: None,
            preview: String::new(),
            unread: 0,
            counts: Counts::default(),
            referral: None,
            item: None,
            tags: Vec::new(),
            timers: Vec::new(),
            flow: Box::default(),
        }
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// Takes note of a message of the person.
    pub fn heard(&mut self, now: Timestamp, preview: String) {
        self.last_inbound_at = Some(now);
        self.said(now, preview);
        self.unread = self.unread.saturating_add(1);
        self.counts.inbound = self.counts.inbound.saturating_add(1);
    }

    /// Takes note of a message of the business. Only people end the person's wait.
    pub fn answered(&mut self, by: &Actor, now: Timestamp, preview: String) {
        self.said(now, preview);
        if by.is_human() {
            self.last_human_at = Some(now);
            self.first_response_at.get_or_insert(now);
            self.unread = 0;
            self.counts.by_people = self.counts.by_people.saturating_add(1);
        } else {
            self.counts.automatic = self.counts.automatic.saturating_add(1);
        }
    }

    fn said(&mut self, now: Timestamp, preview: String) {
        self.last_message_at = now;
        self.preview = preview;
    }

    /// Whether the person waits for a person: the last human answer is older than their last message.
    pub fn waits(&self) -> bool {
        self.last_inbound_at > self.last_human_at
    }

    /// What a report wants to know of it; absent while it is open.
    pub fn summary(&self) -> Option<Summary> {
        let closed = self.closed.as_ref()?;
        let since_opening =
            |at: Timestamp| u64::try_from(at.since(self.opened_at).as_millis()).unwrap_or(u64::MAX);
        Some(Summary {
            reason: closed.reason.clone(),
            duration_ms: since_opening(closed.at),
            first_response_ms: self.first_response_at.map(since_opening),
            counts: self.counts,
            referral: self.referral.clone(),
            item: self.item.clone(),
            owner: self.owner.clone(),
            tags: self.tags.clone(),
            fields: self.flow.fields.clone(),
        })
    }

    /// The running timer of a kind.
    pub fn timer(&self, kind: TimerKind) -> Option<&Timer> {
        self.timers.iter().find(|t| t.kind == kind)
    }
}

/// Who may see a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "to", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Visibility {
    /// Every agent.
    #[default]
    Everyone,
    /// One agent alone; reports count it all the same.
    Agent {
        /// Who.
        agent: AgentId,
    },
    /// Nobody but who has it: it is handed out, not looked for.
    Owner,
    /// The members of a team.
    Team {
        /// Which.
        team: TeamId,
    },
}

impl Visibility {
    /// Whether an agent may see it, given their teams.
    pub fn shows_to(&self, agent: &AgentId, teams: &[TeamId]) -> bool {
        match self {
            Visibility::Everyone => true,
            Visibility::Owner => false,
            Visibility::Agent { agent: one } => one == agent,
            Visibility::Team { team } => teams.contains(team),
        }
    }
}

/// Who answers a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "who", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Owner {
    /// Nobody yet.
    #[default]
    Nobody,
    /// An agent.
    Agent {
        /// Who.
        agent: AgentId,
    },
    /// A team, until one of them takes it.
    Team {
        /// Which.
        team: TeamId,
    },
    /// A program.
    Bot {
        /// Which.
        bot: BotId,
    },
}

/// When and why a conversation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Closed {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: CloseReason,
    /// By whom.
    pub by: Actor,
}

/// Why a conversation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CloseReason {
    /// Somebody closed it.
    Done,
    /// Nothing was said for as long as the policy allows.
    Inactive,
    /// It was joined to another conversation, which goes on.
    Merged(ConversationId),
    /// For a reason of the host's.
    Other(String),
}

/// What a report or a CRM wants to know of a conversation that has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Why it ended.
    pub reason: CloseReason,
    /// How long it was open, in milliseconds.
    pub duration_ms: u64,
    /// How long the person waited for the first answer of a person, in milliseconds; absent when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_response_ms: Option<u64>,
    /// How much was said.
    pub counts: Counts,
    /// Which link or advert brought the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<Referral>,
    /// What the talk was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Item>,
    /// Who had it.
    pub owner: Owner,
    /// Labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

/// How much was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// By the person.
    pub inbound: u32,
    /// By people of the business, here or elsewhere.
    pub by_people: u32,
    /// By programs.
    pub automatic: u32,
}

/// Who did something (design section 7).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "actor", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Actor {
    /// The person on the other side.
    Customer,
    /// A person of the business, through omni.
    Agent {
        /// Who.
        agent: AgentId,
    },
    /// A person of the business, in the provider's own app (law 8).
    Elsewhere,
    /// A program that talks.
    Bot {
        /// Which.
        bot: BotId,
    },
    /// A rule of the policy.
    Rule {
        /// Its name.
        rule: String,
    },
    /// The host's program.
    Host,
    /// The provider.
    Provider,
}

impl Actor {
    /// Whether it is a person of the business.
    pub fn is_human(&self) -> bool {
        matches!(self, Actor::Agent { .. } | Actor::Elsewhere)
    }
}

/// A running timer: a row with a due time and a token in the store. A late or stale one is harmless (law 9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Timer {
    /// What it is for; one of a kind runs in a conversation.
    pub kind: TimerKind,
    /// When it is due.
    pub due: Timestamp,
    /// This setting of it; another token is stale.
    pub token: TimerToken,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TimerKind {
    /// The earliest of all that the [`Engine`](crate::policy::Engine) waits for in a conversation. One row a
    /// conversation, whatever runs in it.
    Wake,
    /// One of a policy of the host's own, by its number.
    Own(u32),
}
