//! The connector: the traits of the core on top of the pure parts.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use omni_core::channel::{
    Account, AnswerButton, Connected, DeepLinks, DeleteMessages, EditMessages, Known, LookUp, MarkRead,
    ReactToMessages, Receives, ShowTyping, Sink, UploadMedia,
};
use omni_core::content::Content;
use omni_core::error::{ErrorKind, Result};
use omni_core::event::Message;
use omni_core::link::CampaignToken;
use omni_core::media::{Media, MediaRef, MediaStream};
use omni_core::outbound::{Accepted, OutboundItem, SendError};
use omni_core::registry::Connector;
use omni_core::webhook::{Received, Rejected, Verified, WebhookRequest, WebhookUrl};
use omni_core::{
    AccountId, Address, Capabilities, Channel, Cursor, Error, Inbound, Outbound, Provider, ProviderMessageId,
    Status,
};
use omni_http::Http;
use serde_json::value::RawValue;
use url::Url;

use crate::address::{SubjectKind, VkAddress};
use crate::api::{Answered, Api};
use crate::capabilities::{ByPlace, capabilities};
use crate::config::{Config, Receive};
use crate::encode::{self, Source, sources};
use crate::known::Names;
use crate::parse;
use crate::verify;
use crate::wire::{Deleted, ItemError, Permissions, Sent};
use crate::{FACTS, PROVIDER};

/// One community.
pub struct Vk {
    api: Arc<Api>,
    capabilities: ByPlace,
    names: Names,
    /// What VK last wanted to be answered to a confirmation; parsing needs it and asks nobody.
    code: Mutex<Option<String>>,
    /// The community's name in addresses, once [`Channel::check`] has asked for it.
    screen_name: OnceLock<String>,
}

impl fmt::Debug for Vk {
    /// The settings alone: what is remembered beside them are people's names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vk").field("config", self.config()).finish_non_exhaustive()
    }
}

impl Vk {
    /// A community with these settings. Nothing is sent to VK yet.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration), as [`Config::validate`] finds.
    pub fn new(config: Config, http: Http) -> Result<Self> {
        config.validate()?;
        let capabilities = ByPlace::new(&config);
        let code = Mutex::new(config.confirmation.clone());
        let api = Arc::new(Api::new(config, http));
        Ok(Self { api, capabilities, names: Names::default(), code, screen_name: OnceLock::new() })
    }

    /// The whole of a message that came with a part `cropped`: VK cut it for its size, and attachments are missing.
    ///
    /// # Errors
    /// As any call; [`NotFound`](ErrorKind::NotFound) when it is gone.
    pub async fn whole(&self, address: &Address, message: &ProviderMessageId) -> Result<Message> {
        #[derive(serde::Deserialize)]
        struct Found<'a> {
            #[serde(borrow, default)]
            items: Vec<&'a RawValue>,
        }
        let request = encode::get_message(address, message, self.config().group_id)?;
        let operation = request.method;
        let answered = self.api.ask(request).await?;
        let found: Found<'_> = answered.read()?;
        let item = found.items.first().ok_or_else(|| Error::new(ErrorKind::NotFound, operation))?;
        parse::message(item.get()).map_err(|_| Error::new(ErrorKind::Protocol, operation))
    }

    fn config(&self) -> &Config {
        &self.api.config
    }

    fn known_code(&self) -> Option<String> {
        self.code.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the present code, so that the confirmation that comes next is answered with it.
    async fn refresh_code(&self) -> Result<()> {
        let code = self.api.confirmation_code().await?;
        *self.code.lock().unwrap_or_else(PoisonError::into_inner) = Some(code);
        Ok(())
    }

    /// What a person should know of the token's rights and of the webhook; nothing where VK does not tell.
    async fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Ok(answered) = self.api.ask(encode::token_permissions()).await
            && let Ok(rights) = answered.read::<Permissions<'_>>()
        {
            let has = |right| rights.permissions.iter().any(|permission| &*permission.name == right);
            for (right, without) in [
                ("messages", "nothing can be sent or received"),
                ("photos", "no pictures can be sent"),
                ("docs", "no files can be sent"),
                ("manage", "the webhook cannot be registered, nor long polling switched on"),
            ] {
                if !has(right) {
                    warnings.push(format!("the token lacks the right {right}: {without}"));
                }
            }
        }
        if self.config().receive != Receive::Webhook {
            return warnings;
        }
        let Some(secret) = &self.config().secret else {
            warnings.push("every webhook is refused until secret is set".to_owned());
            return warnings;
        };
        if self.refresh_code().await.is_err() && self.known_code().is_none() {
            warnings.push("no confirmation code is known: VK cannot confirm the webhook".to_owned());
        }
        if self.api.has_failed(secret).await.unwrap_or_default() {
            warnings.push("VK has given up on the webhook: connect the channel again".to_owned());
        }
        warnings
    }

    async fn sent(&self, item: &OutboundItem) -> Result<Accepted, SendError> {
        let address = VkAddress::try_from(&item.address).map_err(SendError::Rejected)?;
        let group = self.config().group_id;
        let names = match address {
            VkAddress::Peer(peer) => {
                // What can be seen to be wrong is refused before anything goes up.
                let pending = vec![String::new(); item.content.all_media().count()];
                encode::send(item, group, &pending).map_err(SendError::Rejected)?;
                self.api.named(peer, &item.content).await.map_err(SendError::Rejected)?
            }
            VkAddress::Comments(_) => Vec::new(),
        };
        let request = encode::send(item, group, &names).map_err(SendError::Rejected)?;
        let answered = self.api.join(request).await?;
        match address {
            VkAddress::Peer(_) => self.message_id(&answered),
            VkAddress::Comments(_) => comment_id(&answered),
        }
    }

    /// <https://dev.vk.com/method/messages.send>: with `peer_ids` failures stand within a good answer.
    fn message_id(&self, answered: &Answered) -> Result<Accepted, SendError> {
        let sent: Vec<Sent<'_>> = answered.read().map_err(SendError::Unknown)?;
        let sent = sent.into_iter().next();
        if let Some(ItemError { code, description }) = sent.as_ref().and_then(|sent| sent.error.clone()) {
            return Err(self.api.refused(
                answered.operation,
                code,
                description.as_deref().unwrap_or_default(),
            ));
        }
        match sent.and_then(|sent| sent.conversation_message_id) {
            Some(id) => Ok(Accepted::new(id.to_string(), Status::Sent)),
            None => Err(SendError::Unknown(
                Error::new(ErrorKind::Protocol, answered.operation).with_text("the message has no number"),
            )),
        }
    }
}

fn comment_id(answered: &Answered) -> Result<Accepted, SendError> {
    #[derive(serde::Deserialize)]
    struct Created {
        comment_id: i64,
    }
    let Created { comment_id } = answered.read().map_err(SendError::Unknown)?;
    Ok(Accepted::new(comment_id.to_string(), Status::Sent))
}

#[async_trait]
impl Channel for Vk {
    fn provider(&self) -> Provider {
        PROVIDER
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities.private
    }

    fn capabilities_at(&self, address: &Address) -> Cow<'_, Capabilities> {
        Cow::Borrowed(match VkAddress::try_from(address) {
            Ok(VkAddress::Comments(place)) if place.subject.kind == SubjectKind::Wall => {
                &self.capabilities.comments
            }
            Ok(VkAddress::Comments(_)) => &self.capabilities.closed,
            Ok(peer) if peer.is_shared() => &self.capabilities.chat,
            _ => &self.capabilities.private,
        })
    }

    fn receives(&self) -> Receives {
        match self.config().receive {
            Receive::Webhook => Receives::Webhook,
            Receive::LongPoll => Receives::Listen,
        }
    }

    async fn check(&self) -> Result<Account> {
        const OPERATION: &str = "groups.getById";
        let answered = self.api.ask(encode::get_group()).await?;
        let group = answered.read_groups()?.into_iter().next().ok_or_else(|| {
            Error::configuration(OPERATION, "the token is of no community")
                .with_advice("make one in the community: Manage, API usage, Access tokens")
        })?;
        if group.id != self.config().group_id {
            let text = format!(
                "the token is of the community {}, group_id says {}",
                group.id,
                self.config().group_id
            );
            return Err(Error::configuration(OPERATION, text).with_advice("change one of the two settings"));
        }
        let screen_name = group.screen_name.map(|name| name.into_string());
        if let Some(name) = &screen_name {
            // The name can change while we run; links of a restarted program have the new one.
            let _ = self.screen_name.set(name.clone());
        }
        Ok(Account {
            id: AccountId::from(group.id.to_string()),
            name: group.name.into_string(),
            handle: screen_name,
            warnings: self.warnings().await,
        })
    }

    async fn connect(&self, at: &WebhookUrl) -> Result<Connected> {
        const OPERATION: &str = "groups.addCallbackServer";
        if self.config().receive == Receive::LongPoll {
            return Err(Error::configuration(OPERATION, "this community is set to receive by long polling")
                .with_advice("set receive to \"webhook\" first"));
        }
        let secret = self.config().secret.as_ref().ok_or_else(|| {
            Error::configuration(OPERATION, "secret is not set, and without it every webhook is refused")
                .with_advice("set it to 32 random characters or more of A-Z, a-z and 0-9")
        })?;
        // VK asks for it at once when the webhook is entered or changed.
        self.refresh_code().await?;
        self.api.register(at.as_url(), secret).await?;
        Ok(Connected::default())
    }

    async fn disconnect(&self) -> Result<()> {
        match (&self.config().receive, &self.config().secret) {
            (Receive::Webhook, Some(secret)) => self.api.unregister(secret).await,
            _ => Ok(()),
        }
    }

    fn inbound(&self) -> Option<&dyn Inbound> {
        Some(self)
    }

    fn outbound(&self) -> Option<&dyn Outbound> {
        Some(self)
    }

    fn as_links(&self) -> Option<&dyn DeepLinks> {
        Some(self)
    }
}

#[async_trait]
impl Inbound for Vk {
    fn verify<'a>(&self, request: &'a WebhookRequest) -> Result<Verified<'a>, Rejected> {
        let expected = match self.config().receive {
            Receive::Webhook => self.config().secret.as_ref(),
            Receive::LongPoll => None,
        };
        verify::verify(request, self.config().group_id, expected)
    }

    fn parse(&self, verified: Verified<'_>) -> Result<Received, Rejected> {
        let received = parse::webhook(verified.body(), self.config().group_id, self.known_code().as_deref())?;
        for event in &received.events {
            tracing::trace!(event = event.id.as_str(), kind = event.kind().as_str(), "received");
        }
        Ok(received)
    }

    async fn listen(&self, from: Option<Cursor>, sink: &dyn Sink) -> Result<()> {
        if self.config().receive != Receive::LongPoll {
            return Err(Error::unsupported("listen"));
        }
        self.api.listen(from, sink).await
    }

    async fn fetch(&self, media: &MediaRef, cap: u64) -> Result<MediaStream> {
        const OPERATION: &str = "fetch";
        let cap = cap.min(self.capabilities.private.fetch_bytes.unwrap_or(u64::MAX));
        let url = Url::parse(&media.id).map_err(|_| {
            Error::new(ErrorKind::NotFound, OPERATION).with_text("the file has no address to fetch it from")
        })?;
        self.api.http.download(OPERATION, url).guard(self.api.guard()).open(cap).await
    }

    fn as_look_up(&self) -> Option<&dyn LookUp> {
        Some(self)
    }
}

#[async_trait]
impl LookUp for Vk {
    async fn look_up(&self, addresses: &[Address]) -> Result<Vec<Known>> {
        self.api.look_up(&self.names, addresses).await
    }
}

#[async_trait]
impl Outbound for Vk {
    async fn send(&self, item: &OutboundItem) -> Result<Accepted, SendError> {
        self.sent(item).await
    }

    fn as_edit(&self) -> Option<&dyn EditMessages> {
        Some(self)
    }

    fn as_delete(&self) -> Option<&dyn DeleteMessages> {
        Some(self)
    }

    fn as_react(&self) -> Option<&dyn ReactToMessages> {
        Some(self)
    }

    fn as_read(&self) -> Option<&dyn MarkRead> {
        Some(self)
    }

    fn as_typing(&self) -> Option<&dyn ShowTyping> {
        Some(self)
    }

    fn as_answer(&self) -> Option<&dyn AnswerButton> {
        Some(self)
    }

    fn as_upload(&self) -> Option<&dyn UploadMedia> {
        Some(self)
    }
}

#[async_trait]
impl EditMessages for Vk {
    async fn edit(&self, address: &Address, message: &ProviderMessageId, content: &Content) -> Result<()> {
        let peer = VkAddress::try_from(address)?.peer("edit")?;
        let names = self.api.named(peer, content).await?;
        let request = encode::edit(address, message, content, self.config().group_id, &names)?;
        self.api.ask(request).await?;
        Ok(())
    }
}

#[async_trait]
impl DeleteMessages for Vk {
    async fn delete(&self, address: &Address, message: &ProviderMessageId) -> Result<()> {
        let answered = self.api.ask(encode::delete(address, message)?).await?;
        // Older versions answer with an object of ones, which says no more than that it was carried out.
        let Ok(deleted) = answered.read::<Vec<Deleted<'_>>>() else { return Ok(()) };
        let Some(ItemError { code, description }) = deleted.into_iter().find_map(|one| one.error) else {
            return Ok(());
        };
        let said = description.as_deref().unwrap_or_default();
        match self.api.refused(answered.operation, code, said).into_error() {
            // It is gone already.
            error if error.kind() == ErrorKind::NotFound => Ok(()),
            error => Err(error),
        }
    }
}

#[async_trait]
impl ReactToMessages for Vk {
    async fn react(&self, address: &Address, message: &ProviderMessageId, signs: &[String]) -> Result<()> {
        self.api.ask(encode::react(address, message, signs)?).await?;
        Ok(())
    }
}

#[async_trait]
impl MarkRead for Vk {
    async fn mark_read(&self, address: &Address, message: &ProviderMessageId) -> Result<()> {
        self.api.ask(encode::mark_read(address, message)?).await?;
        Ok(())
    }
}

#[async_trait]
impl ShowTyping for Vk {
    async fn typing(&self, address: &Address) -> Result<()> {
        self.api.ask(encode::typing(address)?).await?;
        Ok(())
    }
}

#[async_trait]
impl AnswerButton for Vk {
    async fn answer(&self, ticket: &str, text: Option<&str>) -> Result<()> {
        match self.api.ask(encode::answer_button(ticket, text)?).await {
            // An answered or outlived ticket is a bad parameter to VK. (unverified)
            Err(error) if error.code() == Some("100") => Ok(()),
            outcome => outcome.map(|_| ()),
        }
    }
}

#[async_trait]
impl UploadMedia for Vk {
    async fn upload(&self, address: &Address, media: &Media) -> Result<MediaRef> {
        let peer = VkAddress::try_from(address)?.peer("upload")?;
        let content = Content::media(media.clone());
        let name = match sources(&content, self.config().group_id)?.into_iter().next() {
            Some(Source::Named(name)) => name,
            Some(Source::Upload(upload)) => self.api.upload(peer, upload).await?,
            Some(Source::Fetch(_)) | None => return Err(Error::new(ErrorKind::ContentRejected, "upload")),
        };
        Ok(MediaRef::new(name))
    }
}

#[async_trait]
impl DeepLinks for Vk {
    /// <https://dev.vk.com/api/bots/development/messages> (read 2026-11)
    async fn link(&self, token: &CampaignToken) -> Result<Url> {
        if self.screen_name.get().is_none() {
            self.check().await?;
        }
        let by_number = || format!("club{}", self.config().group_id);
        let name = self.screen_name.get().cloned().unwrap_or_else(by_number);
        let link = format!("https://vk.me/{name}?ref={}", token.as_str());
        Url::parse(&link).map_err(|_| {
            Error::new(ErrorKind::Protocol, "groups.getById")
                .with_text("the community's name is none of an address")
        })
    }
}

/// The connector for a registry; its channels share the connections of `http`.
///
/// ```
/// # fn main() -> Result<(), omni_core::Error> {
/// let http = omni_http::Http::new()?;
/// let registry = omni_core::registry::Registry::new().with(omni_vk::connector(http));
/// let community = registry.connect(
///     &omni_vk::PROVIDER,
///     r#"{"token": "vk1.a.ExampleExampleExample", "group_id": 123456, "receive": "long_poll"}"#,
/// )?;
/// assert!(community.receives().listens());
/// # Ok(())
/// # }
/// ```
pub fn connector(http: Http) -> Connector {
    let usual = capabilities(&Config::new("", 1));
    Connector::new(PROVIDER, "VK community", usual, move |config: Config| {
        Ok(Arc::new(Vk::new(config, http.clone())?))
    })
    .with_facts(FACTS)
}
