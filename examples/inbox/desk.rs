//! What all handlers of the desk share.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use omni::core::ConversationId;
use omni::{Hub, Provider};
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
    at: SocketAddr,
    public_url: Url,
    agents: Vec<Agent>,
    channels: RwLock<Vec<Connected>>,
    simulators: RwLock<Vec<Arc<dyn Simulator>>>,
    news: broadcast::Sender<News>,
    stop: watch::Sender<bool>,
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
    pub(crate) fn new(hub: Hub, settings: &Settings, at: SocketAddr) -> Self {
        let inner = Inner {
            hub,
            at,
            public_url: settings.public_url.clone().unwrap_or_else(|| local_url(at)),
            agents: settings.agents.clone(),
            channels: RwLock::default(),
            simulators: RwLock::default(),
            news: broadcast::Sender::new(256),
            stop: watch::Sender::new(false),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The hub.
    pub(crate) fn hub(&self) -> &Hub {
        &self.inner.hub
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

fn local_url(at: SocketAddr) -> Url {
    // An address that means "every interface" is none to call.
    let host = if at.ip().is_unspecified() { "127.0.0.1".to_owned() } else { at.ip().to_string() };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    #[allow(clippy::expect_used)] // made of an address and a port
    Url::parse(&format!("http://{host}:{}/", at.port())).expect("an address is a valid host")
}
