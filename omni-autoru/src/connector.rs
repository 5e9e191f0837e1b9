//! The connector: the traits of the core on top of the pure parts.

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;
use omni_core::channel::{Account, Connected, MarkRead, Receives, Sink};
use omni_core::error::Result;
use omni_core::media::{MediaRef, MediaStream};
use omni_core::outbound::{Accepted, OutboundItem, SendError};
use omni_core::registry::Connector;
use omni_core::webhook::{Received, Rejected, Verified, WebhookRequest, WebhookUrl};
use omni_core::{
    AccountId, Address, Capabilities, Channel, Cursor, Error, Inbound, Outbound, Provider, ProviderMessageId,
    Secret, Status,
};
use omni_http::Http;
use url::Url;

use crate::address::AutoruAddress;
use crate::api::Api;
use crate::capabilities::{ByPlace, capabilities};
use crate::config::{Config, Receive};
use crate::encode;
use crate::parse;
#[cfg(feature = "rest")]
use crate::rest::Rooms;
use crate::verify::{self, Expected};
use crate::{FACTS, PROVIDER};

/// One dealer.
#[derive(Debug)]
pub struct Autoru {
    api: Api,
    #[cfg(feature = "rest")]
    rooms: Option<Rooms>,
    capabilities: ByPlace,
}

impl Autoru {
    /// A dealer with these settings. Nothing is sent to Auto.ru yet.
    ///
    /// # Errors
    /// [`Configuration`](omni_core::error::ErrorKind::Configuration), as [`Config::validate`] finds.
    pub fn new(config: Config, http: Http) -> Result<Self> {
        config.validate()?;
        let capabilities = ByPlace::new(&config);
        #[cfg(feature = "rest")]
        let rooms = config.rest.as_ref().map(|rest| Rooms::new(rest.clone(), http.clone()));
        Ok(Self {
            api: Api::new(config, http)?,
            #[cfg(feature = "rest")]
            rooms,
            capabilities,
        })
    }

    fn config(&self) -> &Config {
        &self.api.config
    }

    #[cfg(feature = "rest")]
    fn rooms(&self, operation: &'static str) -> Result<&Rooms> {
        self.rooms.as_ref().ok_or_else(|| {
            Error::configuration(operation, "rooms are spoken to over the REST API, which is not set up")
                .with_advice("set rest: token, login and password")
        })
    }

    /// What a webhook has to bring, where webhooks are taken.
    fn expected(&self) -> Option<Expected<'_>> {
        let config = self.config();
        let chat_id = config.chat_id.as_ref().filter(|_| config.receive == Receive::Webhook)?;
        Some(Expected { chat_id, path_secret: config.path_secret.as_ref() })
    }

    fn account(&self, id: AccountId, told: Option<String>) -> Account {
        let config = self.config();
        let name = config.name.clone().filter(|name| !name.trim().is_empty()).or(told);
        Account {
            id,
            name: name.unwrap_or_else(|| "Auto.ru".to_owned()),
            handle: None,
            warnings: config.warnings(),
        }
    }
}

#[async_trait]
impl Channel for Autoru {
    fn provider(&self) -> Provider {
        PROVIDER
    }

    fn capabilities(&self) -> &Capabilities {
        match self.config().receive {
            Receive::Webhook => &self.capabilities.buyer,
            #[cfg(feature = "rest")]
            Receive::Polling => &self.capabilities.room,
        }
    }

    fn capabilities_at(&self, address: &Address) -> Cow<'_, Capabilities> {
        Cow::Borrowed(match AutoruAddress::try_from(address) {
            Ok(AutoruAddress::Buyer(_)) => &self.capabilities.buyer,
            Ok(AutoruAddress::Room(_)) => &self.capabilities.room,
            Err(_) => self.capabilities(),
        })
    }

    fn receives(&self) -> Receives {
        match self.config().receive {
            Receive::Webhook => Receives::Webhook,
            #[cfg(feature = "rest")]
            Receive::Polling => Receives::Listen,
        }
    }

    /// By webhook there is nothing to ask: only a buyer's first message proves the ChatId.
    async fn check(&self) -> Result<Account> {
        #[cfg(feature = "rest")]
        if self.config().receive == Receive::Polling {
            let dealer = self.rooms("check")?.dealer().await.map_err(SendError::into_error)?;
            return Ok(self.account(dealer.id, dealer.name));
        }
        Ok(self.account(AccountId::from(self.config().fingerprint()), None))
    }

    async fn connect(&self, at: &WebhookUrl) -> Result<Connected> {
        const OPERATION: &str = "connect";
        if self.expected().is_none() {
            return Err(Error::configuration(OPERATION, "this account is set to receive by polling")
                .with_advice("set receive to \"webhook\" first: both at once show every talk twice"));
        }
        let url = registered(at.as_url(), self.config().path_secret.as_ref()).ok_or_else(|| {
            Error::configuration(OPERATION, "the webhook address must not have a query: Auto.ru adds its own")
        })?;
        let steps = vec![
            "open the settings of the chat application in the dealer's cabinet at auto.ru".to_owned(),
            "type the address shown here into the field for the webhook".to_owned(),
            "type the value of this channel's setting chat_id into the field ChatId, exactly as it is"
                .to_owned(),
            "save, and write a message to one of the dealer's adverts: its arrival proves both".to_owned(),
        ];
        Ok(Connected { url: Some(url), steps })
    }

    /// The registration stands in the cabinet, where only a person can take it back.
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

/// The address to type into the cabinet. How Auto.ru joins its parameter to a query is not documented.
fn registered(at: &Url, path_secret: Option<&Secret>) -> Option<Url> {
    let mut url = at.clone();
    if url.query().is_some() {
        return None;
    }
    if let Some(secret) = path_secret {
        url.path_segments_mut().ok()?.pop_if_empty().push(secret.expose());
    }
    Some(url)
}

#[async_trait]
impl Inbound for Autoru {
    fn verify<'a>(&self, request: &'a WebhookRequest) -> Result<Verified<'a>, Rejected> {
        verify::verify(request, self.expected())
    }

    fn parse(&self, verified: Verified<'_>) -> Result<Received, Rejected> {
        let event = parse::webhook(verified.body())?;
        if let Some(event) = &event {
            tracing::trace!(message = event.id.as_str(), kind = event.kind().as_str(), "received");
        }
        Ok(Received::ok(event.into_iter().collect()))
    }

    #[cfg(feature = "rest")]
    async fn listen(&self, from: Option<Cursor>, sink: &dyn Sink) -> Result<()> {
        if self.config().receive != Receive::Polling {
            return Err(Error::unsupported("listen"));
        }
        self.rooms("listen")?.listen(from, sink).await
    }

    #[cfg(not(feature = "rest"))]
    async fn listen(&self, _: Option<Cursor>, _: &dyn Sink) -> Result<()> {
        Err(Error::unsupported("listen"))
    }

    async fn fetch(&self, media: &MediaRef, cap: u64) -> Result<MediaStream> {
        self.api.download(media, cap.min(self.config().fetch_bytes.unwrap_or(u64::MAX))).await
    }
}

#[async_trait]
impl Outbound for Autoru {
    async fn send(&self, item: &OutboundItem) -> Result<Accepted, SendError> {
        match AutoruAddress::try_from(&item.address).map_err(SendError::Rejected)? {
            AutoruAddress::Buyer(buyer) => {
                let message = encode::send(item, &buyer, &self.config().operator_name);
                self.api.post("send", &message.map_err(SendError::Rejected)?).await?;
                // No id comes back, and ours is the one that Auto.ru knows it by.
                Ok(Accepted::new(item.id.to_string(), Status::Accepted))
            }
            #[cfg(feature = "rest")]
            AutoruAddress::Room(room) => {
                let words = encode::words(item).map_err(SendError::Rejected)?;
                self.rooms("send").map_err(SendError::Rejected)?.post(&room, words, item.id).await
            }
            #[cfg(not(feature = "rest"))]
            AutoruAddress::Room(_) => Err(SendError::Rejected(without_rest("send"))),
        }
    }

    fn as_read(&self) -> Option<&dyn MarkRead> {
        Some(self)
    }
}

#[async_trait]
impl MarkRead for Autoru {
    async fn mark_read(&self, address: &Address, message: &ProviderMessageId) -> Result<()> {
        match AutoruAddress::try_from(address)? {
            AutoruAddress::Buyer(buyer) => {
                let mark = encode::seen(&buyer, message, &self.config().operator_name);
                self.api.post("mark read", &mark).await.map_err(SendError::into_error)
            }
            #[cfg(feature = "rest")]
            AutoruAddress::Room(room) => {
                self.rooms("mark read")?.mark_read(&room).await.map_err(SendError::into_error)
            }
            #[cfg(not(feature = "rest"))]
            AutoruAddress::Room(_) => Err(without_rest("mark read")),
        }
    }
}

#[cfg(not(feature = "rest"))]
fn without_rest(operation: &'static str) -> Error {
    Error::unsupported(operation)
        .with_text("rooms are spoken to over the REST API")
        .with_advice("switch on the cargo feature rest")
}

/// The connector for a registry; its channels share the connections of `http`.
///
/// ```
/// # fn main() -> Result<(), omni_core::Error> {
/// let http = omni_http::Http::new()?;
/// let registry = omni_core::registry::Registry::new().with(omni_autoru::connector(http));
/// let dealer = registry.connect(&omni_autoru::PROVIDER, r#"{"chat_id": "Vj72x3B9NTk0qLw4Zr81mXc5"}"#)?;
/// assert!(dealer.receives().takes_webhooks());
/// # Ok(())
/// # }
/// ```
pub fn connector(http: Http) -> Connector {
    let usual = capabilities(&Config::new(""));
    Connector::new(PROVIDER, "Auto.ru dealer", usual, move |config: Config| {
        Ok(Arc::new(Autoru::new(config, http.clone())?))
    })
    .with_facts(FACTS)
}
