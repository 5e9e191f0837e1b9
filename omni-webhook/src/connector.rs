//! The connector: the traits of the core on top of the pure parts.

use std::sync::Arc;

use async_trait::async_trait;
use omni_core::channel::{
    Account, AnswerButton, Connected, DeepLinks, DeleteMessages, EditMessages, MarkRead, ReactToMessages,
    Receives, ShowTyping, Sink,
};
use omni_core::content::{Content, ContentKind};
use omni_core::error::{ErrorKind, Result};
use omni_core::link::CampaignToken;
use omni_core::media::{MediaRef, MediaStream};
use omni_core::outbound::{Accepted, OutboundItem, SendError};
use omni_core::registry::Connector;
use omni_core::webhook::{Received, Rejected, Verified, WebhookRequest, WebhookUrl};
use omni_core::{
    AccountId, Address, Capabilities, Channel, Cursor, Error, Inbound, Outbound, Provider, ProviderMessageId,
    Status,
};
use omni_http::Http;
use url::Url;

use crate::api::{Answered, Api};
use crate::capabilities::{Abilities, FETCH, capabilities};
use crate::config::Config;
use crate::encode;
use crate::parse;
use crate::verify;
use crate::wire::{Answer, Pong, Request};
use crate::{FACTS, PROVIDER};

/// One program.
#[derive(Debug)]
pub struct Webhook {
    api: Api,
    capabilities: Capabilities,
    /// Within what people are known, and the id of the account.
    scope: String,
}

impl Webhook {
    /// A program with these settings. Nothing is sent to it yet.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration), as [`Config::validate`] finds.
    pub fn new(config: Config, http: Http) -> Result<Self> {
        config.validate()?;
        let capabilities = capabilities(&config.capabilities, config.fetch_bytes);
        let scope = config.scope();
        Ok(Self { api: Api { config, http }, capabilities, scope })
    }

    fn config(&self) -> &Config {
        &self.api.config
    }

    /// A request for which it does not matter whether it was carried out.
    async fn ask(&self, request: &Request<'_>) -> Result<Answered> {
        self.api.call(request, None).await.map_err(SendError::into_error)
    }
}

#[async_trait]
impl Channel for Webhook {
    fn provider(&self) -> Provider {
        PROVIDER
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn receives(&self) -> Receives {
        Receives::Webhook
    }

    async fn check(&self) -> Result<Account> {
        let answered = self.ask(&Request::Ping {}).await?;
        let pong: Pong<'_> = answered.read()?;
        let name = pong.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
        Ok(Account {
            id: AccountId::from(self.scope.as_str()),
            name: name.unwrap_or(&self.scope).to_owned(),
            handle: None,
            warnings: Vec::new(),
        })
    }

    /// Nothing is registered: the program is given the address by its owner.
    async fn connect(&self, at: &WebhookUrl) -> Result<Connected> {
        let steps = [
            "Put this address into the program's settings: it posts its events there.",
            "Put the first of the keys into the program's settings: it signs with it, and verifies our requests.",
            "Check the channel: the program has to answer a signed ping with 200.",
        ];
        Ok(Connected { url: Some(at.as_url().clone()), steps: steps.map(str::to_owned).to_vec() })
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

    fn as_links(&self) -> Option<&dyn DeepLinks> {
        self.config().link.is_some().then_some(self as &dyn DeepLinks)
    }
}

#[async_trait]
impl Inbound for Webhook {
    fn verify<'a>(&self, request: &'a WebhookRequest) -> Result<Verified<'a>, Rejected> {
        verify::verify(request, &self.config().keys, self.config().tolerance())
    }

    fn parse(&self, verified: Verified<'_>) -> Result<Received, Rejected> {
        let events = parse::events(verified.body(), &self.scope)?;
        tracing::trace!(events = events.len(), "received");
        Ok(Received::ok(events))
    }

    async fn listen(&self, _from: Option<Cursor>, _sink: &dyn Sink) -> Result<()> {
        Err(Error::unsupported("listen"))
    }

    async fn fetch(&self, media: &MediaRef, cap: u64) -> Result<MediaStream> {
        let cap = cap.min(self.capabilities.fetch_bytes.unwrap_or(FETCH));
        let at = Url::parse(&media.id).map_err(|_| {
            Error::new(ErrorKind::NotFound, "fetch").with_text("the reference is not the address of a file")
        })?;
        self.api.download(at, cap).await
    }
}

#[async_trait]
impl Outbound for Webhook {
    async fn send(&self, item: &OutboundItem) -> Result<Accepted, SendError> {
        let request = encode::message(item, &self.capabilities).map_err(SendError::Rejected)?;
        let answered = self.api.call(&request, Some(item.id)).await?;
        // It was taken: without its id nobody can tell what becomes of it.
        let answer: Answer<'_> = answered.read().map_err(SendError::Unknown)?;
        let id = match answer.id {
            Some(id) => ProviderMessageId::from(id.as_str()),
            None => ProviderMessageId::from(item.id.to_string()),
        };
        Ok(Accepted::new(id, Status::Accepted))
    }

    fn as_edit(&self) -> Option<&dyn EditMessages> {
        self.capabilities.edit.is_there().then_some(self as &dyn EditMessages)
    }

    fn as_delete(&self) -> Option<&dyn DeleteMessages> {
        self.capabilities.delete.is_there().then_some(self as &dyn DeleteMessages)
    }

    fn as_react(&self) -> Option<&dyn ReactToMessages> {
        self.capabilities.react.is_there().then_some(self as &dyn ReactToMessages)
    }

    fn as_read(&self) -> Option<&dyn MarkRead> {
        self.capabilities.mark_read.is_there().then_some(self as &dyn MarkRead)
    }

    fn as_typing(&self) -> Option<&dyn ShowTyping> {
        self.capabilities.typing.is_there().then_some(self as &dyn ShowTyping)
    }

    fn as_answer(&self) -> Option<&dyn AnswerButton> {
        use omni_core::capability::Support;
        let has_keys = self.capabilities.supports(ContentKind::Buttons) >= Support::Partial;
        has_keys.then_some(self as &dyn AnswerButton)
    }
}

#[async_trait]
impl EditMessages for Webhook {
    async fn edit(&self, address: &Address, message: &ProviderMessageId, content: &Content) -> Result<()> {
        self.ask(&encode::edit(address, message, content, &self.capabilities)?).await.map(drop)
    }
}

#[async_trait]
impl DeleteMessages for Webhook {
    async fn delete(&self, address: &Address, message: &ProviderMessageId) -> Result<()> {
        self.ask(&encode::delete(address, message)?).await.map(drop)
    }
}

#[async_trait]
impl ReactToMessages for Webhook {
    async fn react(&self, address: &Address, message: &ProviderMessageId, signs: &[String]) -> Result<()> {
        self.ask(&encode::react(address, message, signs)?).await.map(drop)
    }
}

#[async_trait]
impl MarkRead for Webhook {
    async fn mark_read(&self, address: &Address, message: &ProviderMessageId) -> Result<()> {
        self.ask(&encode::mark_read(address, message)?).await.map(drop)
    }
}

#[async_trait]
impl ShowTyping for Webhook {
    async fn typing(&self, address: &Address) -> Result<()> {
        self.ask(&encode::typing(address)?).await.map(drop)
    }
}

#[async_trait]
impl AnswerButton for Webhook {
    async fn answer(&self, ticket: &str, text: Option<&str>) -> Result<()> {
        self.ask(&encode::answer_button(ticket, text)).await.map(drop)
    }
}

#[async_trait]
impl DeepLinks for Webhook {
    async fn link(&self, token: &CampaignToken) -> Result<Url> {
        self.config().link_with(token).unwrap_or_else(|| Err(Error::unsupported("link")))
    }
}

/// The connector for a registry; its channels share the connections of `http`.
///
/// ```
/// # fn main() -> Result<(), omni_core::Error> {
/// let http = omni_http::Http::new()?;
/// let registry = omni_core::registry::Registry::new().with(omni_webhook::connector(http));
/// let channel = registry.connect(
///     &omni_webhook::PROVIDER,
///     r#"{"endpoint": "https://chat.example/omni", "keys": ["5d41402abc4b2a76b9719d911017c592"]}"#,
/// )?;
/// assert!(channel.receives().takes_webhooks());
/// # Ok(())
/// # }
/// ```
pub fn connector(http: Http) -> Connector {
    let usual = capabilities(&Abilities::default(), None);
    Connector::new(PROVIDER, "Webhook", usual, move |config: Config| {
        Ok(Arc::new(Webhook::new(config, http.clone())?))
    })
    .with_facts(FACTS)
}
