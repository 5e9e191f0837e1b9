//! Three providers in memory: a messenger, a social network and a mailbox. Each can do something else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use omni::core::capability::{ButtonLimit, Capabilities, FirstContact, Support};
use omni::core::channel::{Account, Connected, Receives, Sink};
use omni::core::content::ContentKind;
use omni::core::error::{Error, ErrorKind, RateScope, Retry};
use omni::core::id::Cursor;
use omni::core::media::{MediaRef, MediaStream};
use omni::core::outbound::{Accepted, OutboundItem, SendError};
use omni::core::webhook::{Received, RejectReason, Rejected, Verified, WebhookRequest, WebhookUrl};
use omni::hub::Clock as _;
use omni::hub::ManualClock;
use omni::{Channel, Inbound, Outbound, Provider, Result, Secret, Status};

use crate::agenda::Agenda;
use crate::chance::Chance;

/// What genuine webhooks carry.
pub(crate) const SECRET: &str = "a-secret-of-the-simulation";

/// The channels, under the names that the book gives them.
pub(crate) const CHANNELS: [&str; 3] = ["telegram", "vk", "owner"];

/// Something that a person got from us.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) item: OutboundItem,
    /// The provider's name of it.
    pub(crate) id: String,
    /// The answer to us was lost on the way: we do not know that it went out.
    pub(crate) answer_lost: bool,
}

/// The side of the providers: what they did with what we sent.
#[derive(Debug)]
pub(crate) struct Providers {
    seed: u64,
    clock: ManualClock,
    agenda: Agenda,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    delivered: Vec<Delivery>,
    /// How many sends each address has seen.
    sends: BTreeMap<String, u64>,
}

impl Providers {
    pub(crate) fn new(seed: u64, clock: ManualClock, agenda: Agenda) -> Arc<Self> {
        Arc::new(Self { seed, clock, agenda, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What people got since the last call.
    pub(crate) fn delivered(&self) -> Vec<Delivery> {
        std::mem::take(&mut self.state().delivered)
    }

    /// Most sends go well. Some are too many, some are refused for good, and of some nobody knows what became.
    fn take(&self, channel: &'static str, item: &OutboundItem) -> Result<Accepted, SendError> {
        let mut state = self.state();
        let address = format!("{channel} {}", item.address);
        let count = state.sends.entry(address.clone()).or_default();
        *count += 1;
        let id = format!("{address} {count}");
        let mut deliver = |answer_lost| {
            let item = item.clone();
            state.delivered.push(Delivery { item, id: id.clone(), answer_lost });
        };
        match Chance::of(self.seed, &id, 0).below(1000) {
            0..20 => {
                let wait = Duration::from_secs(3);
                self.agenda.stop_at(self.clock.now() + wait);
                let error = Error::new(ErrorKind::RateLimited, "send");
                Err(SendError::Rejected(error.with_retry(Retry::After { wait, scope: RateScope::Chat })))
            }
            20..28 => Err(SendError::Rejected(Error::new(ErrorKind::ContentRejected, "send"))),
            28..32 => Err(SendError::Rejected(Error::new(ErrorKind::RecipientBlocked, "send"))),
            32..37 => Err(SendError::Unknown(Error::new(ErrorKind::Timeout, "send"))),
            37..44 => {
                deliver(true);
                Err(SendError::Unknown(Error::new(ErrorKind::Network, "send")))
            }
            _ => {
                deliver(false);
                Ok(Accepted::new(id, Status::Sent))
            }
        }
    }
}

/// One connected account.
#[derive(Debug)]
pub(crate) struct Simulated {
    channel: &'static str,
    capabilities: Capabilities,
    providers: Arc<Providers>,
}

impl Simulated {
    /// The account behind a name of [`CHANNELS`].
    pub(crate) fn new(channel: &'static str, providers: &Arc<Providers>) -> Self {
        let mut capabilities = Capabilities::default();
        capabilities.content.insert(ContentKind::Text, Support::Full);
        match channel {
            "telegram" => {
                capabilities.content.insert(ContentKind::Buttons, Support::Full);
                capabilities.buttons = ButtonLimit { total: Some(100), ..ButtonLimit::default() };
            }
            // As some networks have it: who has not written for a day is left alone.
            "vk" => {
                capabilities.content.insert(ContentKind::Buttons, Support::Full);
                capabilities.buttons = ButtonLimit { total: Some(6), ..ButtonLimit::default() };
                capabilities.reply_window = Some(Duration::from_secs(24 * 3600));
            }
            // Mail: no keys, and anybody may write first.
            _ => capabilities.first_contact = FirstContact::Anyone,
        }
        Self { channel, capabilities, providers: providers.clone() }
    }

    /// The kind of a channel.
    pub(crate) fn provider_of(channel: &str) -> Provider {
        Provider::new(if channel == "owner" { "email" } else { channel })
    }
}

#[async_trait]
impl Channel for Simulated {
    fn provider(&self) -> Provider {
        Self::provider_of(self.channel)
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn receives(&self) -> Receives {
        Receives::Webhook
    }

    async fn check(&self) -> Result<Account> {
        let name = self.channel.to_owned();
        Ok(Account { id: self.channel.into(), name, handle: None, warnings: Vec::new() })
    }

    async fn connect(&self, _at: &WebhookUrl) -> Result<Connected> {
        Ok(Connected::default())
    }

    async fn disconnect(&self) -> Result<()> {
        Ok(())
    }

    fn inbound(&self) -> Option<&dyn Inbound> {
        Some(self)
    }

    fn outbound(&self) -> Option<&dyn Outbound> {
        Some(self)
    }
}

#[async_trait]
impl Inbound for Simulated {
    fn verify<'a>(&self, request: &'a WebhookRequest) -> Result<Verified<'a>, Rejected> {
        let given = request.header("x-secret").map(str::as_bytes);
        Verified::by_secret(request, given, &Secret::new(SECRET))
    }

    /// The body is a list of events in their JSON form.
    fn parse(&self, verified: Verified<'_>) -> Result<Received, Rejected> {
        let events = serde_json::from_slice(verified.body());
        events.map(Received::ok).map_err(|_| Rejected::new(RejectReason::Malformed))
    }

    async fn listen(&self, _from: Option<Cursor>, _sink: &dyn Sink) -> Result<()> {
        Err(Error::unsupported("listen"))
    }

    async fn fetch(&self, _media: &MediaRef, _cap: u64) -> Result<MediaStream> {
        Err(Error::unsupported("fetch"))
    }
}

#[async_trait]
impl Outbound for Simulated {
    async fn send(&self, item: &OutboundItem) -> Result<Accepted, SendError> {
        self.providers.take(self.channel, item)
    }
}
