//! The connector: the traits of the core on top of the pure parts.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use omni_core::channel::{Account, Connected, MarkRead, Receives, Sink};
use omni_core::error::{ErrorKind, Result};
use omni_core::media::{MediaRef, MediaStream};
use omni_core::outbound::{Accepted, OutboundItem, SendError};
use omni_core::registry::Connector;
use omni_core::tokens::{MemoryTokens, TokenStore};
use omni_core::webhook::{Received, RejectReason, Rejected, Verified, WebhookRequest, WebhookUrl};
use omni_core::{
    Address, Capabilities, Channel, Cursor, Error, Inbound, Outbound, Provider, ProviderMessageId, Status,
    Timestamp,
};
use omni_http::Http;
use tokio::time::sleep;
use tracing::{debug, warn};

use crate::capabilities::capabilities;
use crate::config::{Config, SentCopy};
use crate::encode::{self, Composed};
use crate::imap::{self, Errands};
use crate::login::Login;
use crate::mailbox::Mailbox;
use crate::parse::event::FileRef;
use crate::presets::Autosaves;
use crate::smtp::{Receipt, Sender};
use crate::{FACTS, PROVIDER};

/// After these pauses a mail whose answer was lost is looked for in the Sent folder.
const LOOKS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(10)];
/// How large the pieces are in which a file is handed on.
const PIECE: usize = 64 << 10;

/// One mailbox.
#[derive(Debug)]
pub struct Email {
    mailbox: Arc<Mailbox>,
    errands: Arc<Errands>,
    sender: Sender,
    capabilities: Capabilities,
}

impl Email {
    /// A mailbox with these settings, whose tokens are kept in `tokens`. Nothing is sent to its servers yet.
    ///
    /// With a password [`MemoryTokens`] are enough. An OAuth refresh token may be good for one use only: keep it where
    /// it survives a restart.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration), as [`Config::validate`] finds.
    pub fn new(config: Config, http: &Http, tokens: Arc<dyn TokenStore>) -> Result<Self> {
        Self::of(Mailbox::new(config, http, tokens)?)
    }

    /// The same, on another clock: for tests and simulations.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_clock(
        config: Config,
        http: &Http,
        tokens: Arc<dyn TokenStore>,
        clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    ) -> Result<Self> {
        Self::of(Mailbox::new(config, http, tokens)?.with_clock(clock))
    }

    fn of(mailbox: Mailbox) -> Result<Self> {
        let config = &mailbox.config;
        let sender = Sender::new(config.smtp_server()?, mailbox.dialer.clone(), config.ehlo.as_deref());
        let capabilities = capabilities(config, None);
        let mailbox = Arc::new(mailbox);
        let errands = Arc::new(Errands::new(Arc::clone(&mailbox)));
        Ok(Self { mailbox, errands, sender, capabilities })
    }

    /// Hands a mail in. A token that the server refuses is renewed, once: nothing was sent with it.
    async fn hand_in(&self, mail: &Composed) -> Result<Receipt, SendError> {
        let login = self.mailbox.credentials.login().await.map_err(SendError::Rejected)?;
        match self.sender.send(&login, mail).await {
            Err(SendError::Rejected(error))
                if error.kind() == ErrorKind::BadCredentials && matches!(login, Login::Bearer { .. }) =>
            {
                let another =
                    self.mailbox.credentials.instead_of(&login).await.map_err(SendError::Rejected)?;
                self.sender.send(&another, mail).await
            }
            done => done,
        }
    }

    /// The answer was lost. A copy in the Sent folder proves that the server took the mail: nobody else can have put
    /// it there.
    async fn settle(&self, mail: &Composed, error: Error) -> Result<(), SendError> {
        for pause in LOOKS {
            sleep(pause).await;
            match self.errands.sent_holds(mail.message_id.as_str()).await {
                Ok(Some(true)) => return Ok(()),
                Ok(Some(false)) => {}
                Ok(None) => break,
                Err(error) => debug!(%error, "the Sent folder cannot be looked at"),
            }
        }
        Err(SendError::Unknown(error))
    }

    /// Leaves a copy in the Sent folder where the provider does not. Nothing waits for it, and its failure changes
    /// nothing: the mail was sent.
    fn keep_copy(&self, mail: &Composed) {
        let config = &self.mailbox.config;
        let by_itself = config.preset().is_some_and(|preset| preset.autosaves_sent == Autosaves::Yes);
        if config.sent == SentCopy::Never || by_itself {
            return;
        }
        let (errands, id, bytes) = (Arc::clone(&self.errands), mail.message_id.clone(), mail.bytes.clone());
        tokio::spawn(async move { errands.copy_to_sent(id.as_str(), &bytes).await });
    }
}

#[async_trait]
impl Channel for Email {
    fn provider(&self) -> Provider {
        PROVIDER
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn receives(&self) -> Receives {
        Receives::Listen
    }

    /// Logs in to both servers. The error says which of them refused, and what a person can do.
    async fn check(&self) -> Result<Account> {
        let mut warnings = self.errands.check().await.map_err(|e| e.with("server", "imap"))?;
        let login = self.mailbox.credentials.login().await?;
        let limits = self.sender.check(&login).await.map_err(|e| e.with("server", "smtp"))?;
        let config = &self.mailbox.config;
        if let (Some(told), Some(set)) = (limits.size, config.send_bytes)
            && told < set
        {
            warnings
                .push(format!("the server takes mails of {told} bytes at most, less than the settings say"));
        }
        Ok(Account {
            id: config.address.to_lowercase().into(),
            name: config.name.clone().unwrap_or_else(|| config.address.clone()),
            handle: Some(config.address.clone()),
            warnings,
        })
    }

    /// Nothing has to be registered: mail is fetched.
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
impl Inbound for Email {
    fn verify<'a>(&self, _request: &'a WebhookRequest) -> Result<Verified<'a>, Rejected> {
        Err(Rejected::new(RejectReason::NoWebhook))
    }

    fn parse(&self, _verified: Verified<'_>) -> Result<Received, Rejected> {
        Err(Rejected::new(RejectReason::NoWebhook))
    }

    async fn listen(&self, from: Option<Cursor>, sink: &dyn Sink) -> Result<()> {
        imap::listen(&self.mailbox, from, sink).await
    }

    async fn fetch(&self, media: &MediaRef, cap: u64) -> Result<MediaStream> {
        let file = FileRef::read(media)?;
        let (mime, bytes) = self.errands.file(&file, cap.min(self.mailbox.config.fetch_bytes)).await?;
        let size = bytes.len() as u64;
        Ok(MediaStream { mime: Some(mime), size: Some(size), bytes: Box::pin(stream::iter(pieces(bytes))) })
    }
}

fn pieces(mut bytes: Bytes) -> impl Iterator<Item = Result<Bytes>> + Send {
    std::iter::from_fn(move || (!bytes.is_empty()).then(|| Ok(bytes.split_to(PIECE.min(bytes.len())))))
}

#[async_trait]
impl Outbound for Email {
    async fn send(&self, item: &OutboundItem) -> Result<Accepted, SendError> {
        let mail = encode::compose(item, &self.mailbox.config, self.mailbox.now())?;
        match self.hand_in(&mail).await {
            Ok(receipt) => {
                for refused in &receipt.refused {
                    warn!(error = %refused.error, "the server takes no mail for one of the recipients");
                }
                self.keep_copy(&mail);
            }
            Err(SendError::Unknown(error)) => self.settle(&mail, error).await?,
            Err(rejected) => return Err(rejected),
        }
        let accepted = Accepted::new(mail.message_id, Status::Accepted);
        Ok(Accepted { more: mail.names, note: mail.note, ..accepted })
    }

    fn as_read(&self) -> Option<&dyn MarkRead> {
        Some(self)
    }
}

#[async_trait]
impl MarkRead for Email {
    /// Marks the mail as seen, for whoever looks into the mailbox with another program. The writer is told nothing.
    async fn mark_read(&self, _address: &Address, message: &ProviderMessageId) -> Result<()> {
        self.errands.mark_seen(message.as_str()).await
    }
}

/// The connector for a registry, with tokens kept in memory: for mailboxes with passwords.
pub fn connector(http: Http) -> Connector {
    connector_with(http, Arc::new(MemoryTokens::default()))
}

/// The same with the host's store of tokens, which OAuth needs: a refresh token that is lost takes the consent with it.
pub fn connector_with(http: Http, tokens: Arc<dyn TokenStore>) -> Connector {
    let usual = capabilities(&Config::new("help@example.com", ""), None);
    Connector::new(PROVIDER, "E-mail", usual, move |config: Config| {
        Ok(Arc::new(Email::new(config, &http, Arc::clone(&tokens))?))
    })
    .with_facts(FACTS)
}
