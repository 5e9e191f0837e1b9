//! Handing mails in: SMTP.

use omni_core::error::{Error, Result};
use omni_core::outbound::SendError;

use crate::config::Server;
use crate::encode::Composed;
use crate::login::Login;
use crate::net::Dialer;

/// Hands mails in at one server. Keeps one connection for a while; any number of calls at once are fine.
#[derive(Debug)]
pub(crate) struct Sender {
    server: Server,
    dialer: Dialer,
    ehlo: Option<String>,
}

/// What a server allows, by its answer to EHLO after the login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Largest mail in bytes, where told (RFC 1870).
    pub(crate) size: Option<u64>,
    /// Whether addresses may have letters beyond ASCII before their `@` (RFC 6531).
    pub(crate) utf8: bool,
    /// Whether reports of delivery can be asked for (RFC 3461).
    pub(crate) reports: bool,
}

/// The server took a mail.
#[derive(Debug)]
pub(crate) struct Receipt {
    /// What it said: the name of the mail in its queue, mostly.
    pub(crate) text: String,
    /// Recipients that it refused; all others get the mail.
    pub(crate) refused: Vec<Refused>,
}

/// A recipient that the server refused.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Whom.
    pub(crate) address: String,
    /// Why.
    pub(crate) error: Error,
}

impl Sender {
    /// Hands mails in at `server`, greeting it as `ehlo`, or as an address literal.
    pub(crate) fn new(server: Server, dialer: Dialer, ehlo: Option<&str>) -> Self {
        Self { server, dialer, ehlo: ehlo.map(str::to_owned) }
    }

    /// Logs in and says what the server allows.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(crate) async fn check(&self, login: &Login) -> Result<Limits> {
        let _ = (&self.server, &self.dialer, &self.ehlo, login);
        Err(Error::unsupported("check"))
    }

    /// What the server allowed when it was last asked.
    pub(crate) fn limits(&self) -> Option<Limits> {
        None
    }

    /// Hands a mail in.
    ///
    /// # Errors
    /// [`Rejected`](SendError::Rejected) for everything before the final dot was sent, and for a refusal after it;
    /// [`Unknown`](SendError::Unknown) when the answer after it was lost.
    ///
    /// # Cancel safety
    /// A dropped call ends its connection. Whether the mail went out is then unknown.
    pub(crate) async fn send(&self, login: &Login, mail: &Composed) -> Result<Receipt, SendError> {
        let _ = (login, mail);
        Err(SendError::Rejected(Error::unsupported("send")))
    }
}
