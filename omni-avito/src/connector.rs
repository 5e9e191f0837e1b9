//! The connector: the traits of the core on top of the pure parts.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use omni_core::channel::{
    Account, Connected, DeleteMessages, Known, LookUp, MarkRead, Receives, Sink, UploadMedia,
};
use omni_core::error::{ErrorKind, Result};
use omni_core::event::{Event, Introduced};
use omni_core::media::{Media, MediaRef, MediaStream};
use omni_core::outbound::{Accepted, OutboundItem, SendError};
use omni_core::registry::Connector;
use omni_core::tokens::{MemoryTokens, TokenStore};
use omni_core::webhook::{Received, Rejected, Verified, WebhookRequest, WebhookUrl};
use omni_core::{
    AccountId, Address, Capabilities, Channel, Cursor, Error, Inbound, Outbound, Provider, ProviderMessageId,
    Status,
};
use omni_http::Http;
use url::Url;

use crate::api::{Api, Failed};
use crate::capabilities::{self, FETCH};
use crate::config::{Access, Config, Receive};
use crate::encode::{self, Reason, Request, Sending};
use crate::parse::{self, Listed, VOICE};
use crate::sweep::{Mark, Sweep, now};
use crate::verify::{self, Proof};
use crate::wire::{self, Sent, Subscriptions};
use crate::{FACTS, PROVIDER};

/// From so many addresses on, the list of chats is asked before each chat alone.
const WORTH_A_LIST: usize = 3;

/// One Avito account.
#[derive(Debug)]
pub struct Avito {
    api: Api,
    capabilities: Capabilities,
    /// The account's number, once it is known.
    account: OnceLock<i64>,
}

impl Avito {
    /// An account with these settings, whose tokens are kept in `tokens`. Nothing is sent to Avito yet.
    ///
    /// An application's refresh token can be used once: keep the tokens where they survive a restart. With the
    /// account's own keys [`MemoryTokens`] are enough.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration), as [`Config::validate`] finds.
    pub fn new(config: Config, http: Http, tokens: Arc<dyn TokenStore>) -> Result<Self> {
        config.validate()?;
        let account = config.user_id.map_or_else(OnceLock::new, OnceLock::from);
        Ok(Self { capabilities: capabilities::of(&config), api: Api::new(config, http, tokens), account })
    }

    /// Who is on the other side of a chat, and what it is about.
    ///
    /// # Errors
    /// [`RecipientUnreachable`](ErrorKind::RecipientUnreachable) when there is no such chat.
    pub async fn chat(&self, address: &Address) -> Result<Introduced> {
        Ok(self.listed(address).await?.introduced)
    }

    /// A page of a chat's history, newest first, from `offset` on: at most 100 messages, the first 1100 of a chat.
    /// Marks nothing as seen.
    ///
    /// # Errors
    /// [`RecipientUnreachable`](ErrorKind::RecipientUnreachable) when there is no such chat.
    pub async fn messages(&self, address: &Address, offset: usize) -> Result<History> {
        let place = self.listed(address).await?.place;
        let answered = self.api.call(&encode::messages(place.account, address, offset)?).await?;
        let page = parse::history(&answered.body, &place)
            .map_err(|rejected| answered.unreadable(&rejected.to_string()))?;
        let next = offset + encode::PAGE;
        let has_more = page.len() >= encode::PAGE && next <= encode::LAST_OFFSET;
        let events =
            page.into_iter().map(|told| Event { told: omni_core::event::Told::History, ..told.event });
        Ok(History { events: events.collect(), next: has_more.then_some(next) })
    }

    /// Puts the other side of a chat on the account's blacklist. Nothing takes them off it but a person on the site.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when nobody is on the other side.
    pub async fn blacklist(&self, address: &Address, reason: Reason) -> Result<()> {
        let Listed { place, introduced, .. } = self.listed(address).await?;
        let person = introduced.sender.and_then(|sender| sender.identity.id.parse().ok());
        let person = person.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "blacklist").with_text("nobody is on the other side of the chat")
        })?;
        self.api.call(&encode::blacklist(place.account, person, place.item, reason)?).await?;
        Ok(())
    }

    /// Where webhooks of the account go: everybody's, not only ours. Addresses of ours hold the secret.
    ///
    /// # Errors
    /// As any call.
    pub async fn subscriptions(&self) -> Result<Vec<Url>> {
        let answered = self.api.call(&encode::subscriptions()).await?;
        let found: Subscriptions<'_> = answered.read()?;
        Ok(found.subscriptions.iter().filter_map(|one| Url::parse(&one.url).ok()).collect())
    }

    fn config(&self) -> &Config {
        &self.api.config
    }

    /// The account's number: set, known, or asked for once.
    async fn number(&self) -> Result<i64> {
        match self.account.get() {
            Some(account) => Ok(*account),
            None => self.ask_account().await.map(|account| account.number).map_err(Error::from),
        }
    }

    async fn ask_account(&self) -> Result<Found, Failed> {
        let request = encode::account();
        let answered = self.api.call(&request).await?;
        let found = answered.read::<wire::Account<'_>>().and_then(|account| {
            let number = account.id.ok_or_else(|| answered.unreadable("the account has no id"))?;
            Ok(Found {
                number,
                name: account
                    .name
                    .as_deref()
                    .map(str::trim)
                    .filter(|name| !name.is_empty())
                    .map(str::to_owned),
                handle: account.profile_url.map(wire::Str::into_string),
            })
        });
        let found = found.map_err(|error| Failed { outcome: SendError::Unknown(error), status: None })?;
        if let Some(set) = self.config().user_id.filter(|set| *set != found.number) {
            let error =
                Error::configuration(request.operation, "the keys belong to another account than user_id")
                    .with("user_id", set)
                    .with("account", found.number)
                    .with_advice("leave user_id out, or use the keys of that account");
            return Err(Failed { outcome: SendError::Rejected(error), status: None });
        }
        let _ = self.account.set(found.number);
        Ok(found)
    }

    async fn listed(&self, address: &Address) -> Result<Listed> {
        let account = self.number().await?;
        let answered = self.api.call(&encode::one_chat(account, address)?).await?;
        parse::introduced(&answered.body, account)
            .map_err(|rejected| answered.unreadable(&rejected.to_string()))
    }

    /// The chats on the first page of the list: those of late.
    async fn latest(&self, account: i64) -> Result<HashMap<Address, Introduced>> {
        let answered = self.api.call(&encode::chats(account, 0)).await?;
        let page = parse::listed(&answered.body, account)
            .map_err(|rejected| answered.unreadable(&rejected.to_string()))?;
        Ok(page.chats.into_iter().map(|chat| (Address::new(chat.place.chat), chat.introduced)).collect())
    }

    /// Uploads a picture. Whatever becomes of it, nothing is sent by that.
    async fn upload_image(&self, request: &Request) -> Result<String> {
        let answered = self.api.call(request).await?;
        answered
            .read_by(wire::read_images)?
            .filter(|id| !id.is_empty())
            .ok_or_else(|| answered.unreadable("the picture has no id"))
    }

    /// Where webhooks are registered under an address of the hub's: the secret is its last part.
    fn registered(&self, at: &Url) -> Result<Url> {
        let secret = self.config().webhook_secret.as_ref().ok_or_else(|| {
            Error::configuration(
                "subscribe",
                "webhook_secret is not set, and without it every webhook is refused",
            )
            .with_advice("set it to a long random text of A-Z, a-z, 0-9, _ and -")
        })?;
        Ok(below(at, secret.expose()))
    }
}

/// What Avito says of the account.
struct Found {
    number: i64,
    name: Option<String>,
    handle: Option<String>,
}

/// A page of a chat's history.
#[derive(Clone, Debug)]
pub struct History {
    /// What was said, newest first.
    pub events: Vec<Event>,
    /// Where the next page begins, when there is one.
    pub next: Option<usize>,
}

fn below(at: &Url, last: &str) -> Url {
    let mut url = at.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().push(last);
    }
    url
}

/// Whether an address is this one with one more part: one of ours with a secret of before.
fn is_below(url: &str, at: &Url) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let last = url.path_segments().and_then(|mut parts| parts.next_back().map(str::to_owned));
    last.is_some_and(|last| !last.is_empty() && below(at, &last) == url)
}

#[async_trait]
impl Channel for Avito {
    fn provider(&self) -> Provider {
        PROVIDER
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn receives(&self) -> Receives {
        match self.config().receive {
            Receive::Webhook => Receives::Webhook,
            Receive::Polling => Receives::Listen,
            Receive::Both => Receives::Both,
        }
    }

    async fn check(&self) -> Result<Account> {
        let mut warnings = Vec::new();
        if self.config().receive.takes_webhooks() && self.config().webhook_secret.is_none() {
            warnings.push("every webhook is refused until webhook_secret is set".to_owned());
        }
        let found = match self.ask_account().await {
            Ok(found) => found,
            // An application without user:read may still read and write messages.
            Err(Failed { status: Some(403), outcome }) => {
                let Some(number) = self.config().user_id else { return Err(outcome.into_error()) };
                self.api.call(&encode::subscriptions()).await?;
                warnings.push("without the scope user:read the account's name is not told".to_owned());
                Found { number, name: None, handle: None }
            }
            Err(failed) => return Err(failed.into()),
        };
        Ok(Account {
            id: AccountId::from(found.number.to_string()),
            name: found.name.unwrap_or_else(|| format!("Avito {}", found.number)),
            handle: found.handle,
            warnings,
        })
    }

    async fn connect(&self, at: &WebhookUrl) -> Result<Connected> {
        if !self.config().receive.takes_webhooks() {
            return Err(Error::configuration("subscribe", "this account is set to receive by polling")
                .with_advice("set receive to \"webhook\" or \"both\" first"));
        }
        let url = self.registered(at.as_url())?;
        let answered = self.api.call(&encode::subscriptions()).await?;
        let found: Subscriptions<'_> = answered.read()?;
        // The version of the call decides the form of the webhooks; an older one is registered anew.
        let is_there = found.subscriptions.iter().any(|one| {
            let is_third = one.version.as_deref().is_some_and(|v| v.trim_start_matches('v').starts_with('3'));
            *one.url == *url.as_str() && is_third
        });
        if !is_there {
            self.api.call(&encode::subscribe(url.as_str())?).await?;
        }
        // Ours with a secret of before: every message would come once more, and be refused.
        let stale = found
            .subscriptions
            .iter()
            .filter(|one| is_below(&one.url, at.as_url()) && *one.url != *url.as_str());
        for one in stale {
            self.api.call(&encode::unsubscribe(&one.url)?).await?;
        }
        Ok(Connected::default())
    }

    async fn disconnect(&self) -> Result<()> {
        let Some(secret) = &self.config().webhook_secret else { return Ok(()) };
        let answered = self.api.call(&encode::subscriptions()).await?;
        let found: Subscriptions<'_> = answered.read()?;
        let is_ours = |url: &str| url.rsplit('/').next() == Some(secret.expose());
        for one in found.subscriptions.iter().filter(|one| is_ours(&one.url)) {
            self.api.call(&encode::unsubscribe(&one.url)?).await?;
        }
        Ok(())
    }

    fn inbound(&self) -> Option<&dyn Inbound> {
        Some(self)
    }

    fn outbound(&self) -> Option<&dyn Outbound> {
        (self.config().access == Access::Full).then_some(self)
    }
}

#[async_trait]
impl Inbound for Avito {
    fn verify<'a>(&self, request: &'a WebhookRequest) -> Result<Verified<'a>, Rejected> {
        let proof = Proof::from(self.config());
        let webhook_secret = proof.webhook_secret.filter(|_| self.config().receive.takes_webhooks());
        verify::verify(request, &Proof { webhook_secret, ..proof })
    }

    fn parse(&self, verified: Verified<'_>) -> Result<Received, Rejected> {
        let events = parse::webhook(verified.body())?;
        for event in &events {
            tracing::trace!(event = event.id.as_str(), kind = event.kind().as_str(), "received");
        }
        Ok(Received::ok(events))
    }

    async fn listen(&self, from: Option<Cursor>, sink: &dyn Sink) -> Result<()> {
        if !self.config().receive.listens() {
            return Err(Error::unsupported("listen"));
        }
        let account = self.number().await?;
        let mark = match from {
            Some(cursor) => Mark::read(&cursor)?,
            None => {
                let mark = Mark::first(now(), self.config().history_days);
                // News begins here, also for the process after this one.
                sink.commit(Vec::new(), mark.cursor()?).await?;
                mark
            }
        };
        let mut sweep = Sweep::new(&self.api, account, mark);
        loop {
            sweep.run(sink).await?;
            tokio::time::sleep(self.config().poll_time()).await;
        }
    }

    async fn fetch(&self, media: &MediaRef, cap: u64) -> Result<MediaStream> {
        const OPERATION: &str = "fetch";
        let cap = cap.min(self.capabilities.fetch_bytes.unwrap_or(FETCH));
        let url = match media.id.strip_prefix(VOICE) {
            None => Url::parse(&media.id).ok(),
            // The address lives an hour from now, so it is asked for each time.
            Some(id) => {
                let answered = self.api.call(&encode::voice(self.number().await?, id)).await?;
                answered.read_by(wire::read_voices)?.get(id).and_then(|url| Url::parse(url).ok())
            }
        };
        let url = url.ok_or_else(|| Error::new(ErrorKind::NotFound, OPERATION).with_text("no such file"))?;
        self.api.download(OPERATION, url, cap).await
    }

    fn as_look_up(&self) -> Option<&dyn LookUp> {
        Some(self)
    }
}

#[async_trait]
impl LookUp for Avito {
    async fn look_up(&self, addresses: &[Address]) -> Result<Vec<Known>> {
        let account = self.number().await?;
        let mut latest = match addresses.len() {
            0..WORTH_A_LIST => HashMap::new(),
            _ => self.latest(account).await?,
        };
        let mut known = Vec::new();
        for address in addresses {
            let told = match latest.remove(address) {
                Some(told) => told,
                None => match self.listed(address).await {
                    Ok(listed) => listed.introduced,
                    Err(error) if is_nobody(&error) => continue,
                    // What is known already is worth more than the error.
                    Err(_) if !known.is_empty() => break,
                    Err(error) => return Err(error),
                },
            };
            known.push(Known { address: address.clone(), told });
        }
        Ok(known)
    }
}

/// Nothing is told of an address that nobody has, or that is not ours to see.
fn is_nobody(error: &Error) -> bool {
    use ErrorKind::{ContentRejected, Forbidden, NotFound, RecipientBlocked, RecipientUnreachable};
    matches!(error.kind(), ContentRejected | Forbidden | NotFound | RecipientBlocked | RecipientUnreachable)
}

#[async_trait]
impl Outbound for Avito {
    async fn send(&self, item: &OutboundItem) -> Result<Accepted, SendError> {
        if self.config().access == Access::ReceiveOnly {
            return Err(SendError::Rejected(Error::unsupported("send")));
        }
        let account = self.number().await.map_err(SendError::Rejected)?;
        let request = match encode::send(account, item).map_err(SendError::Rejected)? {
            Sending::Now(request) => request,
            Sending::AfterUpload(upload) => {
                let id = self.upload_image(&upload).await.map_err(SendError::Rejected)?;
                encode::image(account, &item.address, &id).map_err(SendError::Rejected)?
            }
        };
        let answered = self.api.call(&request).await?;
        // It went out; only its id is not known.
        let sent: Sent<'_> = answered.read().map_err(SendError::Unknown)?;
        if sent.id.is_empty() {
            return Err(SendError::Unknown(answered.unreadable("the message has no id")));
        }
        Ok(Accepted::new(&*sent.id, Status::Sent))
    }

    fn as_delete(&self) -> Option<&dyn DeleteMessages> {
        Some(self)
    }

    fn as_read(&self) -> Option<&dyn MarkRead> {
        Some(self)
    }

    fn as_upload(&self) -> Option<&dyn UploadMedia> {
        Some(self)
    }
}

#[async_trait]
impl DeleteMessages for Avito {
    async fn delete(&self, address: &Address, message: &ProviderMessageId) -> Result<()> {
        let account = self.number().await?;
        match self.api.call(&encode::delete(account, address, message)?).await {
            // Gone already.
            Ok(_) | Err(Failed { status: Some(404), .. }) => Ok(()),
            Err(failed) => Err(failed.into()),
        }
    }
}

#[async_trait]
impl MarkRead for Avito {
    async fn mark_read(&self, address: &Address, _: &ProviderMessageId) -> Result<()> {
        let account = self.number().await?;
        self.api.call(&encode::mark_read(account, address)?).await?;
        Ok(())
    }
}

#[async_trait]
impl UploadMedia for Avito {
    /// The reference is good for any chat of the account; for how long is not documented.
    async fn upload(&self, _: &Address, media: &Media) -> Result<MediaRef> {
        let account = self.number().await?;
        Ok(MediaRef::new(self.upload_image(&encode::upload(account, media)?).await?))
    }
}

/// The connector for a registry, with tokens in memory: enough for accounts with keys of their own. Its channels share
/// the connections of `http`.
///
/// ```
/// # fn main() -> Result<(), omni_core::Error> {
/// let http = omni_http::Http::new()?;
/// let registry = omni_core::registry::Registry::new().with(omni_avito::connector(http));
/// let account = registry.connect(
///     &omni_avito::PROVIDER,
///     r#"{"client_id": "aB3kQexample", "client_secret": "zX9example", "receive": "polling"}"#,
/// )?;
/// assert!(account.receives().listens());
/// # Ok(())
/// # }
/// ```
pub fn connector(http: Http) -> Connector {
    connector_with(http, Arc::new(MemoryTokens::default()))
}

/// The same with the host's store of tokens, which applications need: a refresh token that is lost takes the account
/// with it.
pub fn connector_with(http: Http, tokens: Arc<dyn TokenStore>) -> Connector {
    let usual = capabilities::capabilities(Access::Full, Receive::Webhook);
    Connector::new(PROVIDER, "Avito account", usual, move |config: Config| {
        Ok(Arc::new(Avito::new(config, http.clone(), Arc::clone(&tokens))?))
    })
    .with_facts(FACTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn the_secret_is_the_last_part_of_the_address() {
        for at in ["https://crm.example/hooks/avito", "https://crm.example/hooks/avito/"] {
            assert_eq!(below(&url(at), "s3").as_str(), "https://crm.example/hooks/avito/s3", "{at}");
        }
        assert_eq!(below(&url("https://crm.example"), "s3").as_str(), "https://crm.example/s3");
    }

    #[test]
    fn only_addresses_right_below_ours_are_ours() {
        let at = url("https://crm.example/hooks/avito");
        assert!(is_below("https://crm.example/hooks/avito/old-secret", &at));
        for other in [
            "https://crm.example/hooks/avito",
            "https://crm.example/hooks/avito/",
            "https://crm.example/hooks/avito/a/b",
            "https://crm.example/hooks/avito2/x",
            "https://other.example/hooks/avito/x",
            "https://crm.example/hooks/avito/x?y=1",
            "nonsense",
        ] {
            assert!(!is_below(other, &at), "{other}");
        }
    }
}
