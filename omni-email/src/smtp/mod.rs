//! Handing mails in: SMTP (RFC 5321) with logins (RFC 4954), over streams of our own.

mod auth;
mod hello;
mod session;
#[cfg(test)]
mod tests;
mod wire;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::extension::ClientId;
use omni_core::error::{Error, Result};
use omni_core::outbound::SendError;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout};

use crate::config::Server;
use crate::encode::Composed;
use crate::login::Login;
use crate::net::Dialer;
use session::{Failure, Session};

/// A connection is kept for the next mail for so long.
const IDLE: Duration = Duration::from_secs(30);
/// And for so many mails: some providers count them.
const MAILS: u32 = 20;
/// Connections at once: one more than the one that is kept, so that a server that thinks about one mail for minutes
/// does not hold up all others. Microsoft allows three.
const CONNECTIONS: usize = 2;
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(5);

/// How long a server may be silent. RFC 5321, 4.5.3.2, gives 5 minutes for commands; nobody waits so long for an answer
/// to a customer. The time after the final dot is the RFC's: a shorter one makes doubles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// Greeting, and the answer to a command.
    command: Duration,
    /// Writing a piece of a mail.
    piece: Duration,
    /// The answer to a whole mail.
    answer: Duration,
}

const TIMING: Timing = Timing {
    command: Duration::from_secs(60),
    piece: Duration::from_secs(180),
    answer: Duration::from_secs(600),
};

/// Hands mails in at one server. Any number of calls at once are fine: two connections are open at most, one is kept
/// for half a minute.
#[derive(Debug)]
pub(crate) struct Sender {
    server: Server,
    dialer: Dialer,
    client: ClientId,
    permits: Semaphore,
    kept: Arc<Mutex<Option<Kept>>>,
    limits: Mutex<Option<Limits>>,
}

/// A connection between mails.
struct Kept {
    session: Session,
    login: Login,
    mails: u32,
    since: Instant,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept")
            .field("session", &self.session)
            .field("mails", &self.mails)
            .finish_non_exhaustive()
    }
}

/// What a server allows, by its answer to EHLO.
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
    /// Recipients that it refused; all others get the mail. The first recipient is never among them: without them
    /// nothing goes out.
    pub(crate) refused: Vec<Refused>,
}

/// A recipient that the server refused.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Why.
    pub(crate) error: Error,
}

impl Sender {
    /// Hands mails in at `server`, greeting it as `ehlo`, or as an address literal.
    pub(crate) fn new(server: Server, dialer: Dialer, ehlo: Option<&str>) -> Self {
        Self {
            server,
            dialer,
            client: hello::client(ehlo),
            permits: Semaphore::new(CONNECTIONS),
            kept: Arc::default(),
            limits: Mutex::default(),
        }
    }

    /// What the server allowed when it was last asked.
    pub(crate) fn limits(&self) -> Option<Limits> {
        *locked(&self.limits)
    }

    /// Logs in and says what the server allows. No mail is sent.
    ///
    /// # Errors
    /// - [`BadCredentials`](omni_core::error::ErrorKind::BadCredentials) with advice, when the login is refused;
    /// - [`Configuration`](omni_core::error::ErrorKind::Configuration) for a wrong host, port, tls or certificate;
    /// - network, timeout, and what the server puts off.
    pub(crate) async fn check(&self, login: &Login) -> Result<Limits> {
        let _permit = self.permit().await;
        let session = self.open(login).await?;
        let limits = session.limits();
        self.put_back(session, login, 0);
        Ok(limits)
    }

    /// Hands a mail in.
    ///
    /// # Errors
    /// [`Rejected`](SendError::Rejected) for everything before the final dot was on its way, and for a refusal after it;
    /// [`Unknown`](SendError::Unknown) when the answer after it was lost or is no answer to a mail.
    ///
    /// # Cancel safety
    /// A dropped call ends its connection, so its answer never reaches another mail. Whether the mail itself went out is
    /// then unknown.
    pub(crate) async fn send(&self, login: &Login, mail: &Composed) -> Result<Receipt, SendError> {
        session::fits(mail, self.limits().and_then(|l| l.size)).map_err(SendError::Rejected)?;
        let _permit = self.permit().await;
        if let Some(mut kept) = self.take(login) {
            match kept.session.hand_in(mail).await {
                // It was closed meanwhile: nothing of the mail was said, another connection may do.
                Err(Failure { began: false, .. }) => {}
                result => return self.finish(kept.session, login, kept.mails, result),
            }
        }
        let mut session = self.open(login).await.map_err(SendError::Rejected)?;
        let result = session.hand_in(mail).await;
        self.finish(session, login, 0, result)
    }

    fn finish(
        &self,
        session: Session,
        login: &Login,
        mails: u32,
        result: Result<Receipt, Failure>,
    ) -> Result<Receipt, SendError> {
        self.put_back(session, login, mails + 1);
        result.map_err(|failure| failure.error)
    }

    async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.permits.acquire().await.ok()
    }

    async fn open(&self, login: &Login) -> Result<Session> {
        let mut session = Session::open(&self.dialer, &self.server, &self.client, TIMING).await?;
        auth::log_in(&mut session, login, &self.server).await?;
        *locked(&self.limits) = Some(session.limits());
        Ok(session)
    }

    /// The kept connection, if it is fresh and of the same login.
    fn take(&self, login: &Login) -> Option<Kept> {
        let kept = locked(&self.kept).take()?;
        (kept.login == *login && kept.since.elapsed() < IDLE).then_some(kept)
    }

    /// Keeps a connection for the next mail, or says goodbye.
    fn put_back(&self, session: Session, login: &Login, mails: u32) {
        if !session.is_ready() {
            return;
        }
        let since = Instant::now();
        let kept = Kept { session, login: login.clone(), mails, since };
        if mails >= MAILS {
            tokio::spawn(goodbye(kept));
            return;
        }
        if let Some(other) = locked(&self.kept).replace(kept) {
            tokio::spawn(goodbye(other));
        }
        let place = Arc::downgrade(&self.kept);
        tokio::spawn(async move {
            sleep(IDLE).await;
            let Some(place) = place.upgrade() else { return };
            let idle = locked(&place).take_if(|kept| kept.since == since);
            if let Some(kept) = idle {
                goodbye(kept).await;
            }
        });
    }
}

/// Servers count connections that are dropped without a word as errors.
async fn goodbye(kept: Kept) {
    let _ = timeout(GOODBYE, kept.session.quit()).await;
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
