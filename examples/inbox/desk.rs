//! What all handlers of the desk share.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use omni::core::policy::TraceStep;
use omni::core::registry::Registry;
use omni::core::{AgentId, ConversationId, TeamId, TenantId};
use omni::{Hub, Provider, Timestamp};
use serde::Serialize;
use tokio::sync::{broadcast, watch};
use url::Url;

use crate::channels::Connected;
use crate::config::{Agent, Settings};
use crate::simulated::Simulator;

/// The desk. Clones are one desk.
#[derive(Clone)]
pub(crate) struct Desk {
    inner: Arc<Inner>,
}

struct Inner {
    hub: Hub,
    registry: Registry,
    at: SocketAddr,
    public_url: Url,
    agents: Vec<Agent>,
    channels: RwLock<Vec<Connected>>,
    simulators: RwLock<Vec<Arc<dyn Simulator>>>,
    whys: Mutex<VecDeque<Why>>,
    news: broadcast::Sender<News>,
    stop: watch::Sender<bool>,
}

/// Reasons kept for all conversations together: a glance at the last ones, and no archive.
const WHYS: usize = 5000;

/// Reasons shown of one conversation.
const WHYS_SHOWN: usize = 12;

/// Why something was done by itself, or was not.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Why {
    #[serde(skip)]
    pub(crate) conversation: ConversationId,
    pub(crate) at: Timestamp,
    #[serde(flatten)]
    pub(crate) step: Arc<TraceStep>,
}

/// What open pages are told: what to fetch again, not what it says.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "news", rename_all = "snake_case")]
pub(crate) enum News {
    /// Something happened in a conversation.
    Conversation {
        /// Which.
        id: ConversationId,
    },
    /// Its customer is writing.
    Typing {
        /// Which.
        id: ConversationId,
    },
    /// A channel came, went, fell ill or got well.
    Channels,
    /// Something happened in a simulator.
    Simulator {
        /// Which.
        provider: Provider,
    },
    /// The page missed something, or nobody knows what changed.
    Everything,
}

impl Desk {
    /// A desk without channels.
    pub(crate) fn new(hub: Hub, registry: Registry, settings: &Settings, at: SocketAddr) -> Self {
        let inner = Inner {
            hub,
            registry,
            at,
            public_url: settings.reached_at(at),
            agents: settings.agents.clone(),
            channels: RwLock::default(),
            simulators: RwLock::default(),
            whys: Mutex::default(),
            news: broadcast::Sender::new(256),
            stop: watch::Sender::new(false),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The hub.
    pub(crate) fn hub(&self) -> &Hub {
        &self.inner.hub
    }

    /// The connectors at hand.
    pub(crate) fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// Where the desk listens.
    pub(crate) fn at(&self) -> SocketAddr {
        self.inner.at
    }

    /// Where providers reach us.
    pub(crate) fn public_url(&self) -> &Url {
        &self.inner.public_url
    }

    /// Who may answer.
    pub(crate) fn agents(&self) -> &[Agent] {
        &self.inner.agents
    }

    /// The name to show of an agent.
    pub(crate) fn agent_name(&self, id: &str) -> Option<&str> {
        self.agents().iter().find(|agent| agent.id == id).map(|agent| agent.name.as_str())
    }

    /// The teams of an agent, by the book.
    pub(crate) fn teams_of(&self, tenant: Option<&TenantId>, agent: &AgentId) -> Vec<TeamId> {
        let tenants = match tenant {
            Some(tenant) => vec![tenant.clone()],
            None => self.channels().into_iter().map(|channel| channel.key.tenant).collect(),
        };
        let books = tenants.iter().filter_map(|tenant| self.hub().book(tenant));
        let mut teams: Vec<TeamId> = books
            .flat_map(|book| {
                let mine = book.teams.iter().filter(|(_, team)| team.members.contains(agent));
                mine.map(|(id, _)| id.clone()).collect::<Vec<_>>()
            })
            .collect();
        teams.sort();
        teams.dedup();
        teams
    }

    /// Keeps a reason for a while.
    pub(crate) fn keep_why(&self, why: Why) {
        let mut whys = self.inner.whys.lock().unwrap_or_else(PoisonError::into_inner);
        if whys.len() >= WHYS {
            whys.pop_front();
        }
        whys.push_back(why);
    }

    /// The latest reasons in a conversation, newest first.
    pub(crate) fn whys(&self, conversation: ConversationId) -> Vec<Why> {
        let whys = self.inner.whys.lock().unwrap_or_else(PoisonError::into_inner);
        let of_it = whys.iter().rev().filter(|why| why.conversation == conversation);
        of_it.take(WHYS_SHOWN).cloned().collect()
    }

    /// Adds a channel to what pages show.
    pub(crate) fn add_channel(&self, channel: Connected) {
        self.inner.channels.write().unwrap_or_else(PoisonError::into_inner).push(channel);
        self.tell(News::Channels);
    }

    /// The channels.
    pub(crate) fn channels(&self) -> Vec<Connected> {
        self.inner.channels.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds a simulator, for the customer's page.
    pub(crate) fn add_simulator(&self, simulator: Arc<dyn Simulator>) {
        self.inner.simulators.write().unwrap_or_else(PoisonError::into_inner).push(simulator);
    }

    /// The simulators.
    pub(crate) fn simulators(&self) -> Vec<Arc<dyn Simulator>> {
        self.inner.simulators.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells open pages; nobody listening is fine.
    pub(crate) fn tell(&self, news: News) {
        let _ = self.inner.news.send(news);
    }

    /// What open pages are told from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<News> {
        self.inner.news.subscribe()
    }

    /// Ends everything that waits for news.
    pub(crate) fn stop(&self) {
        self.inner.stop.send_replace(true);
    }

    /// Ends when [`Desk::stop`] was called.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stop = self.inner.stop.subscribe();
        async move {
            // An error means that the desk itself is gone.
            let _ = stop.wait_for(|stopped| *stopped).await;
        }
    }
}
