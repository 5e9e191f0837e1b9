//! The connector: the traits of the core on top of the pure parts.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use omni_core::channel::{
    Account, AnswerButton, Connected, DeepLinks, DeleteMessages, EditMessages, MarkRead, ReactToMessages,
    Receives, ShowTyping, Sink,
};
use omni_core::content::Content;
use omni_core::error::{ErrorKind, Result, Retry};
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

use crate::address::{ChatClass, TelegramAddress};
use crate::api::{Answered, Api, Failed};
use crate::capabilities::{ByPlace, capabilities};
use crate::config::{Config, Receive, Server};
use crate::encode::{self, Request};
use crate::parse;
use crate::verify;
use crate::wire::{File, Me, SentMessage, WebhookInfo};
use crate::{FACTS, PROVIDER};

/// Ports that Telegram posts to: <https://core.telegram.org/bots/api#setwebhook> (read 2026-11).
const WEBHOOK_PORTS: [u16; 4] = [443, 80, 88, 8443];
/// Longest pause that a listener keeps by itself when Telegram asks for one; a longer one is the hub's to keep.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// One bot.
#[derive(Debug)]
pub struct Telegram {
    api: Api,
    capabilities: ByPlace,
    /// The bot's user name, once [`Channel::check`] has asked for it.
    username: OnceLock<String>,
}

impl Telegram {
    /// A bot with these settings. Nothing is sent to Telegram yet.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration), as [`Config::validate`] finds.
    pub fn new(config: Config, http: Http) -> Result<Self> {
        config.validate()?;
        let capabilities = ByPlace::new(&config);
        Ok(Self { api: Api { config, http }, capabilities, username: OnceLock::new() })
    }

    fn config(&self) -> &Config {
        &self.api.config
    }

    fn username(&self) -> Option<&str> {
        self.username.get().map(String::as_str)
    }

    /// Whether Telegram would post to an address. A server of one's own, or a simulator, takes any.
    fn check_webhook(&self, url: &Url) -> Result<()> {
        let official = self.config().base_url.host_str() == Some("api.telegram.org");
        if !official || self.config().server == Server::Local {
            return Ok(());
        }
        let port_fits = url.port_or_known_default().is_some_and(|port| WEBHOOK_PORTS.contains(&port));
        if url.scheme() == "https" && port_fits {
            return Ok(());
        }
        Err(Error::configuration(
            "setWebhook",
            "Telegram posts webhooks to https addresses on the ports 443, 80, 88 and 8443 only",
        )
        .with_advice("put the hub behind a proxy with TLS on port 443, or receive by polling"))
    }

    /// Hands a message over and reads its ids.
    async fn deliver(&self, request: Request) -> Result<Accepted, Failed> {
        let is_album = request.method == "sendMediaGroup";
        let answered = self.api.call(request).await?;
        let sent = if is_album {
            answered.read::<Vec<SentMessage>>()
        } else {
            answered.read::<SentMessage>().map(|one| vec![one])
        };
        accepted(sent).map_err(|error| Failed {
            // It went out; only its id is not known.
            outcome: SendError::Unknown(error),
            said: String::new(),
            migrate_to: None,
        })
    }

    /// Asks for updates once. A pause that Telegram asks for is kept here, so that one flood does not end the
    /// session.
    async fn poll(&self, offset: Option<i64>) -> Result<Answered> {
        loop {
            let config = self.config();
            let request = encode::get_updates(offset, config.poll_time(), &config.updates())?;
            let error = match self.api.poll(request).await {
                Ok(answered) => return Ok(answered),
                Err(failed) => Error::from(failed),
            };
            match error.retry() {
                Retry::After { wait, .. } if wait <= LONGEST_PAUSE => tokio::time::sleep(wait).await,
                _ => return Err(error),
            }
        }
    }
}

fn accepted(sent: Result<Vec<SentMessage>>) -> Result<Accepted> {
    let mut ids = sent?.into_iter().map(|message| ProviderMessageId::from(message.message_id.to_string()));
    let first = ids.next().ok_or_else(|| Error::new(ErrorKind::Protocol, "sendMediaGroup"))?;
    Ok(Accepted { more: ids.collect(), ..Accepted::new(first, Status::Sent) })
}

impl Telegram {
    /// What a person should know of the registered webhook; nothing when the server does not tell.
    async fn webhook_warning(&self) -> Option<String> {
        let answered = self.api.call(encode::get_webhook_info()).await.ok()?;
        let info: WebhookInfo<'_> = answered.read().ok()?;
        if self.config().receive == Receive::Polling {
            let registered = "a webhook is registered: polling is refused until it is taken back";
            return (!info.url.is_empty()).then(|| registered.to_owned());
        }
        // An error stays on record after it was mended; what still waits shows that it was not.
        let waiting = Some(info.pending_update_count).filter(|waiting| *waiting > 0)?;
        let failed = info.last_error_message?;
        Some(format!("updates that wait at Telegram: {waiting}; the last webhook failed: {}", &*failed))
    }
}

#[async_trait]
impl Channel for Telegram {
    fn provider(&self) -> Provider {
        PROVIDER
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities.private
    }

    fn capabilities_at(&self, address: &Address) -> Cow<'_, Capabilities> {
        let at = match TelegramAddress::try_from(address) {
            Ok(address) if address.business.is_some() => &self.capabilities.business,
            Ok(address) if address.class() == ChatClass::Shared && address.direct.is_none() => {
                &self.capabilities.shared
            }
            _ => &self.capabilities.private,
        };
        Cow::Borrowed(at)
    }

    fn receives(&self) -> Receives {
        match self.config().receive {
            Receive::Webhook => Receives::Webhook,
            Receive::Polling => Receives::Listen,
        }
    }

    async fn check(&self) -> Result<Account> {
        let answered = self.api.call(encode::get_me()).await?;
        let me: Me<'_> = answered.read()?;
        let username = me.username.as_deref();
        if let Some(username) = username {
            // The name can change while we run; links of a restarted program have the new one.
            let _ = self.username.set(username.to_owned());
        }
        let mut warnings = Vec::new();
        if self.config().receive == Receive::Webhook && self.config().secret_token.is_none() {
            warnings.push("every webhook is refused until secret_token is set".to_owned());
        }
        if me.can_join_groups && !me.can_read_all_group_messages {
            warnings.push(
                "privacy mode is on: in groups the bot sees only commands and answers to it; \
                 @BotFather, /setprivacy changes that"
                    .to_owned(),
            );
        }
        warnings.extend(self.webhook_warning().await);
        Ok(Account {
            id: AccountId::from(me.id.to_string()),
            name: me.first_name.to_string(),
            handle: username.map(|name| format!("@{name}")),
            warnings,
        })
    }

    async fn connect(&self, at: &WebhookUrl) -> Result<Connected> {
        const OPERATION: &str = "setWebhook";
        if self.config().receive == Receive::Polling {
            return Err(Error::configuration(OPERATION, "this bot is set to receive by polling")
                .with_advice("set receive to \"webhook\" first: Telegram does one of them only"));
        }
        let secret = self.config().secret_token.as_ref().ok_or_else(|| {
            Error::configuration(
                OPERATION,
                "secret_token is not set, and without it every webhook is refused",
            )
            .with_advice("set it to a long random text of A-Z, a-z, 0-9, _ and -")
        })?;
        self.check_webhook(at.as_url())?;
        let request = encode::set_webhook(at.as_url(), secret, &self.config().updates())?;
        self.api.call(request).await?;
        Ok(Connected::default())
    }

    async fn disconnect(&self) -> Result<()> {
        self.api.call(encode::unset_webhook()).await?;
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
impl Inbound for Telegram {
    fn verify<'a>(&self, request: &'a WebhookRequest) -> Result<Verified<'a>, Rejected> {
        verify::verify(request, self.config().secret_token.as_ref())
    }

    fn parse(&self, verified: Verified<'_>) -> Result<Received, Rejected> {
        let event = parse::update(verified.body(), self.username())?;
        tracing::trace!(update = event.id.as_str(), kind = event.kind().as_str(), "received");
        Ok(Received::ok(vec![event]))
    }

    async fn listen(&self, from: Option<Cursor>, sink: &dyn Sink) -> Result<()> {
        if self.config().receive != Receive::Polling {
            return Err(Error::unsupported("listen"));
        }
        let mut offset = from.map(|cursor| read_offset(&cursor)).transpose()?;
        loop {
            let answered = self.poll(offset).await?;
            sink.alive();
            let batch = parse::batch(&answered.result, offset, self.username()).map_err(|rejected| {
                Error::new(ErrorKind::Protocol, "getUpdates")
                    .with_text(rejected.to_string())
                    .with_retry(Retry::Later)
            })?;
            let Some(next) = batch.next else { continue };
            tracing::debug!(updates = batch.events.len(), next, "polled");
            sink.commit(batch.events, Cursor::from(next.to_string())).await?;
            // The next question confirms everything below the offset at Telegram: only now may it move (law 1).
            offset = Some(next);
        }
    }

    async fn fetch(&self, media: &MediaRef, cap: u64) -> Result<MediaStream> {
        const OPERATION: &str = "getFile";
        let cap = cap.min(self.capabilities.private.fetch_bytes.unwrap_or(u64::MAX));
        let answered = self.api.call(encode::get_file(&media.id)).await?;
        let file: File<'_> = answered.read()?;
        if let Some(size) = file.file_size.filter(|size| *size > cap) {
            return Err(Error::new(ErrorKind::TooLarge, OPERATION).with("bytes", size).with("cap", cap));
        }
        let path = file.file_path.as_deref().unwrap_or_default();
        if path.starts_with('/') {
            return Err(Error::unsupported(OPERATION)
                .with_text("the Bot API server keeps the file on its own disk")
                .with_advice("run it without --local to fetch files over HTTP"));
        }
        if path.is_empty() || path.split('/').any(|step| matches!(step, "" | "." | "..")) {
            return Err(Error::new(ErrorKind::Protocol, OPERATION).with_text("no usable file_path came back"));
        }
        self.api.download(path, cap).await
    }
}

fn read_offset(cursor: &Cursor) -> Result<i64> {
    cursor.as_str().parse().map_err(|_| {
        Error::new(ErrorKind::State, "getUpdates").with_text("the stored cursor is not an offset of Telegram")
    })
}

#[async_trait]
impl Outbound for Telegram {
    async fn send(&self, item: &OutboundItem) -> Result<Accepted, SendError> {
        let request = encode::send(item).map_err(SendError::Rejected)?;
        let failed = match self.deliver(request).await {
            Ok(accepted) => return Ok(accepted),
            Err(failed) => failed,
        };
        let Failed { outcome: SendError::Rejected(_), migrate_to: Some(chat), .. } = failed else {
            return Err(failed.outcome);
        };
        // Telegram said that nothing was sent and where the chat is now: the one repetition that is allowed.
        let moved = encode::moved(item, chat).map_err(SendError::Rejected)?;
        let request = encode::send(&moved).map_err(SendError::Rejected)?;
        let accepted = self.deliver(request).await.map_err(|failed| failed.outcome)?;
        Ok(Accepted { moved_to: Some(moved.address), ..accepted })
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
}

#[async_trait]
impl EditMessages for Telegram {
    async fn edit(&self, address: &Address, message: &ProviderMessageId, content: &Content) -> Result<()> {
        const UNCHANGED: &str = "message is not modified";
        let failed = match self.api.call(encode::edit(address, message, content)?).await {
            Ok(_) => return Ok(()),
            Err(failed) if failed.says(UNCHANGED) => return Ok(()),
            Err(failed) => failed,
        };
        // Which method it takes depends on whether the message has a file, which only Telegram knows.
        if !failed.says("there is no text in the message to edit") {
            return Err(failed.into());
        }
        match self.api.call(encode::edit_caption(address, message, content)?).await {
            Err(failed) if !failed.says(UNCHANGED) => Err(failed.into()),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl DeleteMessages for Telegram {
    async fn delete(&self, address: &Address, message: &ProviderMessageId) -> Result<()> {
        // The second is what a connected person's account is answered: unverified, and harmless when it is not.
        const GONE: [&str; 2] = ["message to delete not found", "message_id_invalid"];
        match self.api.call(encode::delete(address, message)?).await {
            Err(failed) if !GONE.iter().any(|words| failed.says(words)) => Err(failed.into()),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl ReactToMessages for Telegram {
    async fn react(&self, address: &Address, message: &ProviderMessageId, signs: &[String]) -> Result<()> {
        self.api.call(encode::react(address, message, signs)?).await?;
        Ok(())
    }
}

#[async_trait]
impl MarkRead for Telegram {
    async fn mark_read(&self, address: &Address, message: &ProviderMessageId) -> Result<()> {
        self.api.call(encode::mark_read(address, message)?).await?;
        Ok(())
    }
}

#[async_trait]
impl ShowTyping for Telegram {
    async fn typing(&self, address: &Address) -> Result<()> {
        self.api.call(encode::typing(address)?).await?;
        Ok(())
    }
}

#[async_trait]
impl AnswerButton for Telegram {
    async fn answer(&self, ticket: &str, text: Option<&str>) -> Result<()> {
        match self.api.call(encode::answer_button(ticket, text)).await {
            Err(failed) if !failed.says("query is too old") => Err(failed.into()),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl DeepLinks for Telegram {
    /// <https://core.telegram.org/bots/features#deep-linking> (read 2026-11)
    async fn link(&self, token: &CampaignToken) -> Result<Url> {
        if self.username().is_none() {
            self.check().await?;
        }
        let link = self.username().map(|name| format!("https://t.me/{name}?start={}", token.as_str()));
        link.and_then(|link| Url::parse(&link).ok())
            .ok_or_else(|| Error::new(ErrorKind::Protocol, "getMe").with_text("the bot has no user name"))
    }
}

/// The connector for a registry; its channels share the connections of `http`.
///
/// ```
/// # fn main() -> Result<(), omni_core::Error> {
/// let http = omni_http::Http::new()?;
/// let registry = omni_core::registry::Registry::new().with(omni_telegram::connector(http));
/// let bot = registry.connect(
///     &omni_telegram::PROVIDER,
///     r#"{"token": "7000000001:AAExampleExampleExampleExampleExample", "receive": "polling"}"#,
/// )?;
/// assert!(bot.receives().listens());
/// # Ok(())
/// # }
/// ```
pub fn connector(http: Http) -> Connector {
    Connector::new(PROVIDER, "Telegram bot", capabilities(Server::Cloud), move |config: Config| {
        Ok(Arc::new(Telegram::new(config, http.clone())?))
    })
    .with_facts(FACTS)
}
