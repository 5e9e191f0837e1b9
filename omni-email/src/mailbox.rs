//! One mailbox: its settings, and the ways into it.

use std::fmt;
use std::sync::Arc;

use omni_core::Timestamp;
use omni_core::error::{ErrorKind, Result};
use omni_core::event::{Event, Told};
use omni_core::tokens::TokenStore;
use omni_http::Http;

use crate::config::{Config, Server};
use crate::imap::Wire;
use crate::login::{Credentials, Login};
use crate::mail::Raw;
use crate::net::Dialer;
use crate::parse;
use crate::parse::event::{Ours, Place, Role};

/// One mailbox: its settings, and the ways into it.
pub(crate) struct Mailbox {
    pub(crate) config: Config,
    pub(crate) dialer: Dialer,
    pub(crate) credentials: Credentials,
    imap: Server,
    ours: Ours,
    limits: parse::Limits,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Mailbox {
    pub(crate) fn new(config: Config, http: &Http, tokens: Arc<dyn TokenStore>) -> Result<Self> {
        config.validate()?;
        Ok(Self {
            dialer: Dialer::new(config.ca_pem.as_deref())?,
            credentials: Credentials::new(&config, http, tokens),
            imap: config.imap_server()?,
            ours: Ours::of(&config),
            limits: parse::Limits::default(),
            clock: Arc::new(now),
            config,
        })
    }

    /// The same, on another clock.
    pub(crate) fn with_clock(mut self, clock: Arc<dyn Fn() -> Timestamp + Send + Sync>) -> Self {
        self.clock = clock;
        self
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// A session to read mail. A token that the server refuses is renewed, once.
    pub(crate) async fn open(&self) -> Result<Wire> {
        let login = self.credentials.login().await?;
        match Wire::open(&self.dialer, &self.imap, &login).await {
            Err(error)
                if error.kind() == ErrorKind::BadCredentials && matches!(login, Login::Bearer { .. }) =>
            {
                let another = self.credentials.instead_of(&login).await?;
                Wire::open(&self.dialer, &self.imap, &another).await
            }
            opened => opened,
        }
    }

    /// What a mail means.
    pub(crate) fn events(&self, raw: &Raw, role: Role, told: Told) -> Vec<Event> {
        let mut mail = parse::read(&raw.bytes, &self.limits);
        mail.files.extend(raw.not_loaded.iter().cloned());
        parse::event::events(&mail, &Place { role, raw, told }, &self.ours)
    }
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::default() + since
}
