//! A mail server: IMAP4rev1 and SMTP on loopback, with mailboxes in memory.
//!
//! It speaks as Dovecot and Postfix do, and is as strict as they are: a client that says something wrong hears BAD or
//! 500. Customers' mails are made with [`Mailbox::mail`] or delivered raw; what was handed in is kept with its
//! envelope ([`MailServer::sent`]) and goes to the mailboxes that the server has. Trouble is scripted by the step it
//! strikes, with [`MailServer::imap`] and [`MailServer::smtp`].
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use omni_testkit::email::{Command, ImapFault, MailServer, Settings};
//!
//! let server = MailServer::start(Settings::new("help@shop.example", "s3cret")).await?;
//! server.mail("Есть 42 размер? 👟").arrives();
//! server.imap().on(Command::Fetch, 1, ImapFault::CutInLiteral);
//! // ... the code under test reads mail at 127.0.0.1, port `server.imap_port()` ...
//! server.deliver("INBOX", "From: a@b.example\r\n\r\nRaw\r\n");
//! // ... and hands its answer in at port `server.smtp_port()` ...
//! assert_eq!(server.sent()[0].recipients(), ["olga@customer.example"]);
//! # Ok(())
//! # }
//! ```
//!
//! # What it can
//!
//! [`Settings`] say what kind of server it is: which [`Ability`], [`Extension`] and [`Mechanism`] it has, its folders,
//! its limits, what STARTTLS is to it, and who files what was sent. [`MailServer::change`] changes that on the way.
//! Further mailboxes come by [`MailServer::mailbox`]. IMAP and SMTP are spoken in clear and with STARTTLS at one port each,
//! over TLS at another; [`MailServer::ca_pem`] is whom to trust.
//!
//! | Somebody else | How |
//! |---|---|
//! | a customer writes, answers, sends files | [`Mailbox::mail`], [`Letter::answers`], [`Letter::file`], [`Letter::arrives`] |
//! | a mail of whatever bytes comes | [`Mailbox::deliver`], with a day of its own [`Mailbox::deliver_at`], among older ones [`Mailbox::insert`] |
//! | a mail bounces, is delivered, is read | [`delivery_report`], [`read_receipt`] |
//! | another program reads, moves, deletes, sends | [`Mailbox::set_flags`], [`Mailbox::move_to`], [`Mailbox::expunge`], [`Letter::arrives_in`] |
//!
//! # Trouble
//!
//! | What goes wrong | How |
//! |---|---|
//! | the password is no longer right, a token ran out | [`Mailbox::change_password`], [`Mailbox::expire_token`] |
//! | everybody is sent away, with a BYE or without a word | [`MailServer::kick`], [`MailServer::cut`] |
//! | the server is gone for a while | [`MailServer::goes_down`], [`MailServer::comes_back`] |
//! | too many connections | [`Settings::connections`] |
//! | mails have other UIDs | [`Mailbox::change_uid_validity`] |
//! | a command is refused, or ends the session | [`ImapFault::No`], [`ImapFault::Bye`], [`ImapFault::Close`] |
//! | the mailbox is full | `ImapFault::No("[OVERQUOTA] ...")` to APPEND, `SmtpFault::Reply("552 5.2.2 ...")` to RCPT |
//! | the socket stays open, and nothing is said | [`ImapFault::Silence`], to a wait [`ImapFault::Deaf`], [`SmtpFault::Silence`] |
//! | an answer ends in the middle of a mail | [`ImapFault::CutInLiteral`], [`ImapFault::CutAfterResponses`] |
//! | mail comes or goes while a command is under way | [`ImapFault::Delivers`], [`ImapFault::Expunges`] |
//! | a mail was taken, and the answer is lost | [`SmtpFault::LosesAnswer`] at [`Stage::Dot`] |
//! | greylisting, refusals | [`SmtpFault::Reply`]: `451 4.7.1 Greylisted`, `554 5.7.1 Spam`; [`MailServer::refuse_recipient`] |
//! | all is slow | [`ImapFault::Slow`], [`ImapFault::Delay`], [`SmtpFault::Slow`], [`SmtpFault::Delay`] |
//! | somebody puts words before TLS | [`ImapFault::Injects`], [`SmtpFault::Injects`] |
//!
//! A [`Rule`] says when a fault strikes; [`Script::chaos`] throws faults from a seed.
//!
//! # What it does not do
//!
//! - Nothing leaves it: a mail to an address that it has no mailbox for is kept, and taken to be under way.
//! - QRESYNC, ESEARCH, SORT, THREAD, NOTIFY, BINARY, COMPRESS, quotas and access lists.
//! - A failed login is answered at once; real servers take seconds.

mod compose;
mod fault;
mod imap;
mod mailbox;
mod mime;
mod report;
mod sasl;
mod script;
mod settings;
mod smtp;
mod state;
mod structure;
mod submission;
#[cfg(test)]
mod tests;
mod utf7;
mod wire;

use std::future::Future;
use std::io;
use std::net::Ipv4Addr;
use std::ops::Deref;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub use compose::Letter;
pub use fault::{Command, ImapFault, SmtpFault, Stage};
pub use mailbox::Mailbox;
pub use report::{Delivery, delivery_report, read_receipt};
pub use script::{Rule, Script};
pub use settings::{Ability, Extension, Mechanism, NewFolder, SentCopies, Settings, Starttls};
pub use state::{Counts, Open};
pub use submission::{Attachment, Recipient, Submission};

use crate::sim::Ground;
use state::State;
use wire::{Tls, Wire};

/// A mail server, and the mailbox of its account: methods of [`Mailbox`] can be called on it. Clones are handles to the
/// same one; when the last is gone, it stops.
#[derive(Clone, Debug)]
pub struct MailServer {
    core: Arc<Core>,
    own: Mailbox,
    ports: Ports,
    _guard: Arc<Guard>,
}

#[derive(Clone, Copy, Debug)]
struct Ports {
    imap: u16,
    imaps: u16,
    smtp: u16,
    smtps: u16,
}

/// What all connections share.
#[derive(Debug)]
struct Core {
    state: Mutex<State>,
    ground: Ground,
    imap: Script<Command, ImapFault>,
    smtp: Script<Stage, SmtpFault>,
    tls: Tls,
    /// Moves when the server ends all connections.
    ends: watch::Sender<Ended>,
    letters: AtomicU64,
}

/// How connections are ended.
#[derive(Clone, Debug, Default)]
struct Ended {
    /// How often they were.
    times: u64,
    /// What IMAP clients hear before it.
    bye: Option<String>,
}

impl Core {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is known, and tells everybody who waits.
    fn note<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let done = change(&mut self.state());
        self.ground.changed();
        done
    }
}

/// Stops everything when the last handle is dropped.
#[derive(Debug)]
struct Guard(watch::Sender<bool>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

/// When a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    FirstByte,
    Starttls,
}

impl MailServer {
    /// Starts it on 127.0.0.1, on the current runtime.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let (imap, imaps) = (bind().await?, bind().await?);
        let (smtp, smtps) = (bind().await?, bind().await?);
        let port = |listener: &TcpListener| listener.local_addr().map(|at| at.port());
        let ports =
            Ports { imap: port(&imap)?, imaps: port(&imaps)?, smtp: port(&smtp)?, smtps: port(&smtps)? };
        let (stopper, stop) = watch::channel(false);
        let address = settings.address.clone();
        let core = Arc::new(Core {
            state: Mutex::new(State::new(settings)),
            ground: Ground::new(format!("imap://127.0.0.1:{}", ports.imap), stop),
            imap: Script::default(),
            smtp: Script::default(),
            tls: Tls::new()?,
            ends: watch::Sender::default(),
            letters: AtomicU64::new(0),
        });
        for (listener, from) in [(imap, From::Starttls), (imaps, From::FirstByte)] {
            accept(&core, listener, from, imap::serve);
        }
        for (listener, from) in [(smtp, From::Starttls), (smtps, From::FirstByte)] {
            accept(&core, listener, from, smtp::serve);
        }
        let own = Mailbox::new(Arc::clone(&core), &address);
        Ok(Self { core, own, ports, _guard: Arc::new(Guard(stopper)) })
    }

    /// Port of IMAP, in clear and with STARTTLS.
    #[must_use]
    pub fn imap_port(&self) -> u16 {
        self.ports.imap
    }

    /// Port of IMAP over TLS.
    #[must_use]
    pub fn imaps_port(&self) -> u16 {
        self.ports.imaps
    }

    /// Port of SMTP, in clear and with STARTTLS.
    #[must_use]
    pub fn smtp_port(&self) -> u16 {
        self.ports.smtp
    }

    /// Port of SMTP over TLS.
    #[must_use]
    pub fn smtps_port(&self) -> u16 {
        self.ports.smtps
    }

    /// The authority that signed its certificate, for `localhost`, `127.0.0.1` and `mail.test.example`.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.core.tls.ca_pem
    }

    /// Faults of IMAP.
    #[must_use]
    pub fn imap(&self) -> &Script<Command, ImapFault> {
        &self.core.imap
    }

    /// Faults of SMTP.
    #[must_use]
    pub fn smtp(&self) -> &Script<Stage, SmtpFault> {
        &self.core.smtp
    }

    /// Clock, waiting, news.
    #[must_use]
    pub fn ground(&self) -> &Ground {
        &self.core.ground
    }

    /// A further mailbox, whose user name is its address.
    #[must_use]
    pub fn mailbox(&self, address: &str, password: &str) -> Mailbox {
        self.core.state().add_box(address, address, password);
        Mailbox::new(Arc::clone(&self.core), address)
    }

    /// What was handed in, in order.
    #[must_use]
    pub fn sent(&self) -> Vec<Submission> {
        self.core.state().sent.clone()
    }

    /// Takes what was handed in so far out of the server's memory, and forgets what clients said: for long runs.
    /// [`Self::sent`], [`Self::sends`] and [`Self::said`] begin anew.
    #[must_use]
    pub fn forget(&self) -> Vec<Submission> {
        let mut state = self.core.state();
        state.said = Vec::new();
        std::mem::take(&mut state.sent)
    }

    /// Waits until so many mails were handed in since the start, and returns them all.
    ///
    /// # Panics
    /// When they do not come within ten seconds.
    pub async fn sends(&self, count: usize) -> Vec<Submission> {
        let look = || Some(self.sent()).filter(|sent| sent.len() >= count);
        self.core.ground.wait_for(&format!("{count} mails handed in"), look).await
    }

    /// Waits until so many IMAP connections wait in IDLE.
    ///
    /// # Panics
    /// When they do not within ten seconds.
    pub async fn idles(&self, count: usize) {
        let look = || (self.open().idling == count).then_some(());
        self.core.ground.wait_for(&format!("{count} connections in IDLE"), look).await;
    }

    /// How often things happened.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.core.state().counts
    }

    /// What is open now.
    #[must_use]
    pub fn open(&self) -> Open {
        self.core.state().open
    }

    /// Lines of a command that IMAP clients said, in order and without the tag; those of logins without what is secret.
    #[must_use]
    pub fn said(&self, command: Command) -> Vec<String> {
        let state = self.core.state();
        let lines = state.said.iter().filter(|(said, _)| *said == command);
        lines.map(|(_, line)| line.clone()).collect()
    }

    /// Refuses a recipient from now on with this answer: `550 5.1.1 User unknown`.
    pub fn refuse_recipient(&self, address: &str, answer: &str) {
        self.core.state().refused.insert(address.to_ascii_lowercase(), answer.to_owned());
    }

    /// Changes what kind of server it is, for what is said from now on. Folders and the login stay.
    pub fn change(&self, change: impl FnOnce(Settings) -> Settings) {
        let mut state = self.core.state();
        state.settings = change(state.settings.clone());
    }

    /// Ends all connections; IMAP clients hear `* BYE` with these words.
    pub fn kick(&self, words: &str) {
        self.end(Some(words.to_owned()));
    }

    /// Ends all connections without a word.
    pub fn cut(&self) {
        self.end(None);
    }

    /// Ends all connections without a word, and those that come are ended at once, until [`Self::comes_back`].
    pub fn goes_down(&self) {
        self.core.state().is_down = true;
        self.cut();
    }

    /// Takes connections again.
    pub fn comes_back(&self) {
        self.core.state().is_down = false;
    }

    fn end(&self, bye: Option<String>) {
        self.core.ends.send_modify(|ended| *ended = Ended { times: ended.times + 1, bye });
    }
}

impl Deref for MailServer {
    type Target = Mailbox;

    fn deref(&self) -> &Mailbox {
        &self.own
    }
}

/// Takes connections until the server stops.
fn accept<F>(core: &Arc<Core>, listener: TcpListener, from: From, serve: fn(Arc<Core>, Wire) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let shared = Arc::clone(core);
    core.ground.spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            if shared.state().is_down {
                continue;
            }
            let core = Arc::clone(&shared);
            shared.ground.spawn(async move {
                if let Some(wire) = opened(&core, socket, from).await {
                    serve(core, wire).await;
                }
            });
        }
    });
}

/// A connection, encrypted where it has to be from its first byte; `None` when the client does not manage.
async fn opened(core: &Core, socket: TcpStream, from: From) -> Option<Wire> {
    // Without it small answers wait for one another; a socket that is gone already ends by itself.
    let _ = socket.set_nodelay(true);
    let mut wire = Wire::new(socket);
    match from {
        From::FirstByte => wire.secure(&core.tls.acceptor).await.ok().map(|()| wire),
        From::Starttls => Some(wire),
    }
}

/// Waits until the server ends all connections, and says with which words.
async fn ended(core: &Core) -> Option<String> {
    let mut ends = core.ends.subscribe();
    // The sender lives in `core`, so this cannot fail while we wait.
    let _ = ends.changed().await;
    let ended = ends.borrow_and_update().clone();
    ended.bye
}
