//! The connector: the traits of the core on top of the pure parts.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use omni_core::channel::{Account, Connected, DeepLinks, Known, LookUp, Receives, Sink};
use omni_core::contact::{Identity, Sender, SenderKind};
use omni_core::content::Content;
use omni_core::error::{ErrorKind, Result};
use omni_core::event::Introduced;
use omni_core::link::CampaignToken;
use omni_core::media::{Media, MediaRef, MediaStream};
use omni_core::outbound::{Accepted, Face, OutboundItem, SendError};
use omni_core::registry::Connector;
use omni_core::webhook::{Received, Rejected, Verified, WebhookRequest, WebhookUrl};
use omni_core::{
    AccountId, Address, Capabilities, Channel, Cursor, Error, Inbound, Outbound, Provider, ProviderMessageId,
    Status,
};
use omni_http::Http;
use serde::Serialize;
use url::Url;

use crate::address;
use crate::api::{Answered, Api};
use crate::broadcast::{self, Broadcast};
use crate::capabilities::{FILE, capabilities};
use crate::config::Config;
use crate::encode::{self, EVENT_TYPES, Request, Speaker};
use crate::parse;
use crate::people::{Asked, Lately, MOST_ONLINE, Online, UserDetails};
use crate::verify;
use crate::wire::{AccountInfo, Broadcasted, Detailed, OnlineUsers, Sent};
use crate::{FACTS, PROVIDER};

/// The name above messages until the bot's own is known.
const NAMELESS: &str = "Support";

/// One bot.
#[derive(Debug)]
pub struct Viber {
    api: Api,
    capabilities: Capabilities,
    /// The bot itself, once [`Channel::check`] has asked for it.
    this: OnceLock<This>,
    /// The address that [`Channel::connect`] registered last.
    registered: Mutex<Option<Url>>,
    asked: Asked,
}

/// What is kept of the account. It can change while we run; a restarted program has the new one.
#[derive(Debug)]
struct This {
    name: String,
    uri: Option<String>,
}

impl Viber {
    /// A bot with these settings. Nothing is sent to Viber yet.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration), as [`Config::validate`] finds.
    pub fn new(config: Config, http: Http) -> Result<Self> {
        config.validate()?;
        let capabilities = capabilities(&config);
        Ok(Self {
            api: Api { config, http },
            capabilities,
            this: OnceLock::new(),
            registered: Mutex::default(),
            asked: Asked::default(),
        })
    }

    /// Sends one message to at most [`MOST_RECEIVERS`](broadcast::MOST_RECEIVERS) people, in one call.
    ///
    /// - Who is listed in [`Broadcast::failed`] certainly does not get it; news of the others come as
    ///   statuses.
    /// - *Cancel safety*: dropping the future leaves the outcome unknown.
    ///
    /// # Errors
    /// [`SendError`], for all of them at once.
    pub async fn broadcast(
        &self,
        to: &[Address],
        content: &Content,
        face: Option<&Face>,
    ) -> Result<Broadcast, SendError> {
        let mut content = Cow::Borrowed(content);
        self.measure(&mut content).await.map_err(SendError::Rejected)?;
        let request = encode::broadcast(to, &content, face, &self.speaker()).map_err(SendError::Rejected)?;
        let answered = self.api.call(request.method, &request.body).await?;
        let taken: Broadcasted<'_> = answered.read().map_err(SendError::Unknown)?;
        let id = message_id(request.method, taken.message_token).map_err(SendError::Unknown)?;
        let (failed, unreadable) = broadcast::sort(&taken.failed_list, |text| self.api.redact(text));
        Ok(Broadcast { id, failed, unreadable })
    }

    /// What Viber tells of a person. It tells of one person twice in twelve hours.
    ///
    /// # Errors
    /// Those of Viber; [`RateLimited`](ErrorKind::RateLimited) when it was asked too often.
    pub async fn user_details(&self, address: &Address) -> Result<UserDetails> {
        #[derive(Serialize)]
        struct Ask {
            id: String,
        }
        const METHOD: &str = "get_user_details";
        let id = address::person(METHOD, address)?;
        let answered = self.ask(METHOD, &Ask { id }).await?;
        Ok(answered.read::<Detailed<'_>>()?.user.into())
    }

    /// Whether people are there, at most 100 of them.
    ///
    /// # Errors
    /// Those of Viber; [`ContentRejected`](ErrorKind::ContentRejected) for more people.
    pub async fn online(&self, addresses: &[Address]) -> Result<Vec<Online>> {
        #[derive(Serialize)]
        struct Ask {
            ids: Vec<String>,
        }
        const METHOD: &str = "get_online";
        if addresses.len() > MOST_ONLINE {
            return Err(Error::new(ErrorKind::ContentRejected, METHOD)
                .with_text("at most 100 people can be asked about at once")
                .with("people", addresses.len()));
        }
        let ids = addresses.iter().map(|a| address::person(METHOD, a)).collect::<Result<Vec<_>>>()?;
        let answered = self.ask(METHOD, &Ask { ids }).await?;
        Ok(answered.read::<OnlineUsers<'_>>()?.users.into_iter().map(Online::from).collect())
    }

    fn config(&self) -> &Config {
        &self.api.config
    }

    /// In whose name messages go out that have no face of their own.
    fn speaker(&self) -> Speaker {
        let own = self.this.get().map(|this| this.name.as_str());
        let name = self.config().sender_name.as_deref().or(own).unwrap_or(NAMELESS);
        Speaker { name: name.to_owned(), avatar: self.config().sender_avatar.clone() }
    }

    /// A call for which it does not matter whether it was carried out.
    async fn ask(&self, method: &'static str, body: &impl Serialize) -> Result<Answered> {
        self.api.call(method, body).await.map_err(SendError::into_error)
    }

    /// Whether Viber would post to an address. A simulator takes any.
    fn check_webhook(&self, url: &Url) -> Result<()> {
        let official = self.config().base_url.host_str() == Some("chatapi.viber.com");
        if !official || url.scheme() == "https" {
            return Ok(());
        }
        Err(Error::configuration("set_webhook", "Viber posts webhooks to https addresses only")
            .with_advice("put the hub behind a proxy with TLS and a certificate that everybody trusts"))
    }

    fn registered(&self, now: Option<Url>) {
        *self.registered.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Asks for the sizes of files that Viber wants to be told, where nobody has told them.
    async fn measure(&self, content: &mut Cow<'_, Content>) -> Result<()> {
        let lacks = |media: &Media| encode::needs_size(media).is_some();
        if !content.all_media().any(lacks) {
            return Ok(());
        }
        for media in content.to_mut().all_media_mut() {
            let Some(at) = encode::needs_size(media) else { continue };
            const ADVICE: &str = "set the size of the file, in bytes, and nobody has to ask its server";
            media.size = self.api.size(at, FILE).await.map_err(|error| error.with_advice(ADVICE))?;
            if media.size.is_none() {
                return Err(Error::new(ErrorKind::ContentRejected, "size")
                    .with_text("the server of the file does not tell its size")
                    .with_advice(ADVICE));
            }
        }
        Ok(())
    }

    /// Hands one message over and reads its id.
    async fn deliver(&self, request: &Request) -> Result<ProviderMessageId, SendError> {
        let answered = self.api.call(request.method, &request.body).await?;
        // It was taken: without its id nobody can tell what becomes of it.
        let sent: Sent = answered.read().map_err(SendError::Unknown)?;
        message_id(request.method, sent.message_token).map_err(SendError::Unknown)
    }
}

fn message_id(method: &'static str, token: Option<u64>) -> Result<ProviderMessageId> {
    token.map(|token| ProviderMessageId::from(token.to_string())).ok_or_else(|| {
        Error::new(ErrorKind::Protocol, method).with_text("the message was taken, and has no message_token")
    })
}

/// What a person should know of the registration.
fn warnings(info: &AccountInfo<'_>, ours: Option<&Url>) -> Vec<String> {
    let registered = info.webhook.as_deref().filter(|url| !url.is_empty());
    let Some(registered) = registered else {
        return vec![
            "no webhook is registered: nothing comes in and nothing can be sent; connect the channel".into(),
        ];
    };
    let mut warnings = Vec::new();
    if ours.is_some_and(|ours| ours.as_str() != registered) {
        // The address itself may hold a secret of whoever registered it.
        let host = Url::parse(registered).ok().and_then(|url| url.host_str().map(str::to_owned));
        let host = host.unwrap_or_else(|| "an unknown host".to_owned());
        warnings
            .push(format!("another program has registered its webhook, at {host}: everything goes there"));
    }
    if let Some(told) = &info.event_types {
        let is_told = |event: &str| told.iter().any(|told| &**told == event);
        let missing: Vec<&str> = EVENT_TYPES.into_iter().filter(|event| !is_told(event)).collect();
        // These two come in any case, and old registrations do not name them.
        let missing: Vec<&str> =
            missing.into_iter().filter(|event| !matches!(*event, "subscribed" | "unsubscribed")).collect();
        if !missing.is_empty() {
            warnings.push(format!("not told of: {}; connect the channel again", missing.join(", ")));
        }
    }
    warnings
}

#[async_trait]
impl Channel for Viber {
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
        #[derive(Serialize)]
        struct Ask {}
        let answered = self.ask("get_account_info", &Ask {}).await?;
        let info: AccountInfo<'_> = answered.read()?;
        let uri = info.uri.as_deref().filter(|uri| !uri.is_empty());
        let _ = self.this.set(This { name: info.name.to_string(), uri: uri.map(str::to_owned) });
        let ours = self.registered.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Account {
            id: AccountId::from(&*info.id),
            name: info.name.to_string(),
            handle: uri.map(str::to_owned),
            warnings: warnings(&info, ours.as_ref()),
        })
    }

    async fn connect(&self, at: &WebhookUrl) -> Result<Connected> {
        self.check_webhook(at.as_url())?;
        self.ask("set_webhook", &encode::set_webhook(at.as_url())).await?;
        self.registered(Some(at.as_url().clone()));
        Ok(Connected::default())
    }

    async fn disconnect(&self) -> Result<()> {
        self.ask("set_webhook", &encode::unset_webhook()).await?;
        self.registered(None);
        Ok(())
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
impl Inbound for Viber {
    fn verify<'a>(&self, request: &'a WebhookRequest) -> Result<Verified<'a>, Rejected> {
        verify::verify(request, &self.config().token)
    }

    fn parse(&self, verified: Verified<'_>) -> Result<Received, Rejected> {
        let told = parse::callback(verified.body(), &self.config().sticker_pictures)?;
        if let Some(event) = &told.event {
            tracing::trace!(event = event.id.as_str(), kind = event.kind().as_str(), "received");
            if let Some(sender) = event.sender() {
                self.asked.hear(sender);
            }
        }
        let mut received = Received::ok(told.event.into_iter().collect());
        if let (true, Some(welcome)) = (told.may_welcome, &self.config().welcome) {
            received.answer = encode::welcome(welcome, &self.speaker());
        }
        Ok(received)
    }

    async fn listen(&self, _from: Option<Cursor>, _sink: &dyn Sink) -> Result<()> {
        Err(Error::unsupported("listen"))
    }

    async fn fetch(&self, media: &MediaRef, cap: u64) -> Result<MediaStream> {
        let cap = cap.min(self.capabilities.fetch_bytes.unwrap_or(FILE));
        let at = Url::parse(&media.id).map_err(|_| {
            Error::new(ErrorKind::NotFound, "fetch").with_text("the reference is not the address of a file")
        })?;
        self.api.download(at, cap).await
    }

    fn as_look_up(&self) -> Option<&dyn LookUp> {
        Some(self)
    }
}

#[async_trait]
impl LookUp for Viber {
    /// One call a person: Viber has no other. Who has told a name, or was asked about within twelve hours, is
    /// told from memory.
    async fn look_up(&self, addresses: &[Address]) -> Result<Vec<Known>> {
        let mut known = Vec::new();
        for address in addresses {
            let Ok(person) = address::person("get_user_details", address) else { continue };
            let now = Instant::now();
            let told = match self.asked.lately(&person, now) {
                Lately::Told(told) => told.map(|profile| *profile),
                Lately::Full => None,
                Lately::Never => match self.user_details(address).await {
                    Ok(details) => {
                        self.asked.keep(&person, Some(details.profile.clone()), now);
                        Some(details.profile)
                    }
                    // Of this one nothing is told; the others may be known.
                    Err(error) if is_of_person(error.kind()) => {
                        self.asked.keep(&person, None, now);
                        None
                    }
                    Err(error) if known.is_empty() => return Err(error),
                    Err(_) => return Ok(known),
                },
            };
            if let Some(profile) = told {
                let sender =
                    Sender { identity: Identity::new(PROVIDER, person), profile, kind: SenderKind::Person };
                let told = Introduced { sender: Some(sender), ..Introduced::default() };
                known.push(Known { address: address.clone(), told });
            }
        }
        Ok(known)
    }
}

/// Whether a refusal says something of the one person asked about, and nothing of the bot or the network.
fn is_of_person(kind: ErrorKind) -> bool {
    use ErrorKind::{ContentRejected, NotFound, RateLimited, RecipientBlocked, RecipientUnreachable};
    matches!(kind, ContentRejected | NotFound | RateLimited | RecipientBlocked | RecipientUnreachable)
}

#[async_trait]
impl Outbound for Viber {
    async fn send(&self, item: &OutboundItem) -> Result<Accepted, SendError> {
        let mut content = Cow::Borrowed(&item.content);
        self.measure(&mut content).await.map_err(SendError::Rejected)?;
        let measured;
        let item = match content {
            Cow::Borrowed(_) => item,
            Cow::Owned(content) => {
                measured = OutboundItem { content, ..item.clone() };
                &measured
            }
        };
        let requests = encode::send(item, &self.speaker()).map_err(SendError::Rejected)?;
        let mut ids = Vec::with_capacity(requests.len());
        for request in &requests {
            match self.deliver(request).await {
                Ok(id) => ids.push(id),
                Err(failed) => return Err(behind(failed, ids.first())),
            }
        }
        let mut ids = ids.into_iter();
        let first = ids.next().ok_or_else(|| {
            SendError::Rejected(Error::new(ErrorKind::Internal, "send_message").with_text("no call was made"))
        })?;
        Ok(Accepted { more: ids.collect(), ..Accepted::new(first, Status::Accepted) })
    }
}

/// How a send ends whose later part failed: what stands before it went out, so nothing about it is certain.
fn behind(failed: SendError, sent: Option<&ProviderMessageId>) -> SendError {
    match sent {
        None => failed,
        Some(sent) => SendError::Unknown(failed.into_error().with("sent_before_it", sent)),
    }
}

#[async_trait]
impl DeepLinks for Viber {
    /// <https://developers.viber.com/docs/tools/deep-links/> (read 2026-11)
    async fn link(&self, token: &CampaignToken) -> Result<Url> {
        if self.this.get().is_none() {
            self.check().await?;
        }
        let uri = self.this.get().and_then(|this| this.uri.as_deref()).ok_or_else(|| {
            Error::new(ErrorKind::Protocol, "get_account_info").with_text("the bot has no uri")
        })?;
        let query = [("chatURI", uri), ("context", token.as_str())];
        Url::parse_with_params("viber://pa", query)
            .map_err(|e| Error::new(ErrorKind::Internal, "link").with_text(e.to_string()))
    }
}

/// The connector for a registry; its channels share the connections of `http`.
///
/// ```
/// # fn main() -> Result<(), omni_core::Error> {
/// let http = omni_http::Http::new()?;
/// let registry = omni_core::registry::Registry::new().with(omni_viber::connector(http));
/// let bot = registry.connect(
///     &omni_viber::PROVIDER,
///     r#"{"token": "00112233445566aa-bbccddeeff001122-3344556677889900"}"#,
/// )?;
/// assert!(bot.receives().takes_webhooks());
/// # Ok(())
/// # }
/// ```
pub fn connector(http: Http) -> Connector {
    Connector::new(PROVIDER, "Viber bot", capabilities(&Config::new("")), move |config: Config| {
        Ok(Arc::new(Viber::new(config, http.clone())?))
    })
    .with_facts(FACTS)
}
