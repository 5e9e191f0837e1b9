//! One talk with a server: login and transactions, command by command.
//!
//! lettre writes the commands and reads the answers. Its own TLS, pool, timeouts and `send` are not used: they lose
//! mails (a cancelled send leaves its answer to the next one), hang on silent servers, and give a transaction up for
//! one refused recipient.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, MailBodyParameter, MailParameter, RcptParameter};
use lettre::transport::smtp::response::Response;
use omni_core::error::{Error, ErrorKind, Result};
use omni_core::outbound::SendError;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::debug;

use super::hello::{Offers, place, silent, starttls};
use super::wire::{Heard, Unwritten, Wire};
use super::{Limits, Receipt, Refused, Timing};
use crate::config::{Server, Tls};
use crate::encode::{Composed, Utf8};
use crate::error::{Stage, smtp};
use crate::net::{self, Dialer, Stream};

/// A mail is written in pieces of this many bytes; each has its own deadline.
const PIECE: usize = 64 << 10;
const CLOSED: &str = "the server closed the connection";

/// A logged-in talk.
pub(super) struct Session {
    connection: AsyncSmtpConnection,
    pub(super) offers: Offers,
    server: Server,
    timing: Timing,
    state: State,
}

/// What a talk may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The next mail.
    Ready,
    /// Nothing: an answer is missing, or the server is going.
    Broken,
}

/// Why a command was not carried out.
enum Fault {
    /// The server refused, and listens on.
    Refused(u16, String),
    /// The server refused, and ends the talk: by 421, or by words that it was not asked for.
    Closing(u16, String),
    /// The talk is over.
    Lost(Error),
}

/// How a transaction failed.
pub(super) struct Failure {
    /// Before the server took the first command: on a connection that was kept, another one may do.
    pub(super) began: bool,
    pub(super) error: SendError,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("offers", &self.offers)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// A command that lettre has no type for.
pub(super) struct Line<'a>(pub(super) &'a str);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\r\n", self.0)
    }
}

impl Session {
    /// Connects, encrypts and greets. The login follows.
    pub(super) async fn open(
        dialer: &Dialer,
        server: &Server,
        client: &ClientId,
        timing: Timing,
    ) -> Result<Self> {
        let stream = dialer.connect(Stage::Hello.operation(), server).await?;
        let heard = Heard::default();
        let wire = match (server.tls, stream) {
            (Tls::Starttls, Stream::Plain(socket)) => {
                let stream = starttls(dialer, server, socket, client, timing.command).await?;
                Wire::greeted(stream, heard.clone())
            }
            (_, stream) => Wire::new(stream, heard.clone()),
        };
        let greeting = AsyncSmtpConnection::connect_with_transport(Box::new(wire), client);
        let connection = match timeout(timing.command, greeting).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return Err(fault(server, Stage::Hello, error).into_error(server, Stage::Hello)),
            Err(_) => return Err(silent(server, Stage::Hello, timing.command)),
        };
        let offers = Offers::read(&heard.lines());
        Ok(Self { connection, offers, server: server.clone(), timing, state: State::Ready })
    }

    /// What the server allows.
    pub(super) fn limits(&self) -> Limits {
        self.offers.limits
    }

    /// Whether another mail may go over it.
    pub(super) fn is_ready(&self) -> bool {
        self.state == State::Ready
    }

    /// Says one command; the number and the words of a positive answer.
    ///
    /// Whatever goes wrong but a refusal breaks the talk, and so does a call that is dropped.
    async fn say(&mut self, stage: Stage, command: impl fmt::Display) -> Result<(u16, String), Fault> {
        let before = std::mem::replace(&mut self.state, State::Broken);
        let answer = match timeout(self.timing.command, self.connection.command(command)).await {
            Ok(answer) => self.heard(stage, answer),
            Err(_) => Err(Fault::Lost(silent(&self.server, stage, self.timing.command))),
        };
        match &answer {
            Err(Fault::Lost(_) | Fault::Closing(..)) => {}
            _ => self.state = before,
        }
        answer
    }

    fn heard(
        &self,
        stage: Stage,
        answer: Result<Response, lettre::transport::smtp::Error>,
    ) -> Result<(u16, String), Fault> {
        match answer {
            Ok(response) => {
                let words: Vec<&str> = response.message().collect();
                Ok((response.code().into(), words.join(" ")))
            }
            Err(error) => Err(fault(&self.server, stage, error)),
        }
    }

    /// Says one command of the login. Refusals and words are as the server gave them.
    pub(super) async fn login_step(&mut self, line: &str) -> Result<(u16, String), Error> {
        match self.say(Stage::Login, Line(line)).await {
            Ok(answer) => Ok(answer),
            Err(Fault::Refused(number, text) | Fault::Closing(number, text)) => Ok((number, text)),
            Err(Fault::Lost(error)) => Err(error),
        }
    }

    /// Hands a mail in. Afterwards [`Self::is_ready`] says whether another one may follow.
    pub(super) async fn hand_in(&mut self, mail: &Composed) -> Result<Receipt, Failure> {
        if mail.utf8 == Utf8::Needed && !self.offers.limits.utf8 {
            return Err(rejected(Error::new(ErrorKind::Unsupported, "send").with_text(
                "the server takes no addresses with letters beyond ASCII before the @ (SMTPUTF8)",
            )));
        }
        fits(mail, self.offers.limits.size).map_err(rejected)?;
        if !has_whole_line_ends(&mail.bytes) {
            let error = Error::new(ErrorKind::Internal, "send");
            return Err(rejected(error.with_text("the mail has a bare CR or LF")));
        }
        let refused = match self.envelope(mail).await {
            Ok(refused) => refused,
            Err(failure) => {
                self.reset().await;
                return Err(failure);
            }
        };
        let said = self.content(mail).await.map_err(|error| Failure { began: true, error })?;
        debug!(message = %mail.id, ?said, "the server took a mail");
        Ok(Receipt { refused })
    }

    /// MAIL, RCPT and DATA. Who is refused beside the first recipient is told, the others go; without the first one
    /// nothing goes: it is whom the mail is to.
    async fn envelope(&mut self, mail: &Composed) -> Result<Vec<Refused>, Failure> {
        let from = address(&mail.envelope.from).map_err(rejected)?;
        let command = Mail::new(Some(from), self.mail_parameters(mail));
        if let Err(fault) = self.say(Stage::Sender, command).await {
            let closes = matches!(fault, Fault::Lost(_) | Fault::Closing(..));
            let error = SendError::Rejected(fault.aged(&self.server, Stage::Sender, mail.age));
            return Err(Failure { began: !closes, error });
        }
        let began = |error| Failure { began: true, error: SendError::Rejected(error) };
        let mut refused = Vec::new();
        for (position, to) in mail.envelope.to.iter().enumerate() {
            let command = Rcpt::new(address(to).map_err(began)?, self.rcpt_parameters());
            match self.say(Stage::Recipient, command).await {
                Ok(_) => {}
                Err(fault) if position == 0 || !self.is_ready() => {
                    return Err(began(fault.aged(&self.server, Stage::Recipient, mail.age)));
                }
                Err(fault) => {
                    let error = fault.aged(&self.server, Stage::Recipient, mail.age);
                    // Who it is, is nobody's business who reads logs; where, helps.
                    let domain = to.rsplit('@').next().unwrap_or_default();
                    refused.push(Refused { error: error.with("domain", domain) });
                }
            }
        }
        match self.say(Stage::Data, Data).await {
            Ok((354, _)) => Ok(refused),
            Ok((number, text)) => {
                self.state = State::Broken;
                Err(began(smtp(Stage::Data, number, &text, mail.age)))
            }
            Err(fault) => Err(began(fault.aged(&self.server, Stage::Data, mail.age))),
        }
    }

    fn mail_parameters(&self, mail: &Composed) -> Vec<MailParameter> {
        let other = |keyword: &str, value: &str| MailParameter::Other {
            keyword: keyword.to_owned(),
            value: Some(value.to_owned()),
        };
        let Offers { limits, eight_bit, .. } = &self.offers;
        let mut parameters = Vec::new();
        if limits.size.is_some() {
            parameters.push(MailParameter::Size(mail.bytes.len()));
        }
        if mail.utf8 == Utf8::Needed {
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if *eight_bit && !mail.bytes.is_ascii() {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        if limits.reports {
            parameters.push(other("RET", "HDRS"));
            parameters.push(other("ENVID", &mail.id.to_string()));
        }
        parameters
    }

    fn rcpt_parameters(&self) -> Vec<RcptParameter> {
        let reports =
            RcptParameter::Other { keyword: "NOTIFY".to_owned(), value: Some("FAILURE,DELAY".to_owned()) };
        if self.offers.limits.reports { vec![reports] } else { Vec::new() }
    }

    /// The mail and the final dot. Until the dot is on its way nothing can have been sent; from then on only the
    /// server's answer tells.
    async fn content(&mut self, mail: &Composed) -> Result<String, SendError> {
        self.state = State::Broken;
        let progress = Progress::new(self.timing);
        let answer = {
            let message = self.connection.message_iter(progress.pieces(&mail.bytes));
            tokio::pin!(message);
            loop {
                let limit = progress.limit();
                tokio::select! {
                    biased;
                    answer = &mut message => break Some(answer),
                    () = sleep_until(limit) => if progress.limit() <= limit { break None },
                }
            }
        };
        let Some(answer) = answer else {
            let error = silent(&self.server, Stage::Data, progress.patience());
            return Err(progress.lost(error));
        };
        let is_unsaid = answer.as_ref().is_err_and(|error| unwritten(error).is_some());
        let server = self.server.clone();
        let told = |number, text: &str| place(&server, smtp(Stage::Data, number, text, mail.age));
        match self.heard(Stage::Data, answer) {
            Ok((250, text)) => {
                self.state = State::Ready;
                Ok(text)
            }
            // An answer that belongs elsewhere: what the server did with the mail is not told.
            Ok((number, text)) => Err(SendError::Unknown(told(number, &text))),
            Err(Fault::Refused(number, text)) => {
                self.state = State::Ready;
                Err(SendError::Rejected(told(number, &text)))
            }
            Err(Fault::Closing(number, text)) => Err(SendError::Rejected(told(number, &text))),
            // The dot may have been next, and was not written.
            Err(Fault::Lost(error)) if is_unsaid => Err(SendError::Rejected(error)),
            Err(Fault::Lost(error)) => Err(progress.lost(error)),
        }
    }

    /// Gives a transaction up, so that the next one begins anew.
    async fn reset(&mut self) {
        if self.is_ready() && self.say(Stage::Data, Rset).await.is_err() {
            self.state = State::Broken;
        }
    }

    /// Says goodbye.
    pub(super) async fn quit(mut self) {
        if self.is_ready() {
            let _ = self.say(Stage::Hello, Quit).await;
        }
    }
}

/// Refused before anything was said, so the talk goes on.
fn rejected(error: Error) -> Failure {
    Failure { began: true, error: SendError::Rejected(error) }
}

/// Whether a mail is within a limit.
pub(super) fn fits(mail: &Composed, limit: Option<u64>) -> Result<()> {
    match limit {
        Some(limit) if mail.bytes.len() as u64 > limit => Err(Error::new(ErrorKind::TooLarge, "send")
            .with_text("the mail is larger than the server takes")
            .with("bytes", mail.bytes.len())
            .with("limit", limit)),
        _ => Ok(()),
    }
}

/// Whether every CR and LF is one of a pair. Servers differ in what a bare one ends: behind it somebody's words could
/// end the mail and begin another one.
fn has_whole_line_ends(mail: &[u8]) -> bool {
    let mut former = 0;
    let is_whole = mail.iter().all(|&byte| {
        let former = std::mem::replace(&mut former, byte);
        (former == b'\r') == (byte == b'\n')
    });
    is_whole && former != b'\r'
}

/// Addresses of an envelope were checked when the mail was composed.
fn address(text: &str) -> Result<Address> {
    let is_safe =
        |text: &str| !text.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>'));
    match text.rsplit_once('@') {
        Some((local, domain)) if is_safe(text) && !local.is_empty() => {
            Ok(Address::new_dangerous(local, domain))
        }
        _ => Err(Error::new(ErrorKind::NotFound, "send").with_text("not an e-mail address")),
    }
}

impl Fault {
    fn aged(self, server: &Server, stage: Stage, age: Duration) -> Error {
        match self {
            Fault::Refused(number, text) | Fault::Closing(number, text) => {
                place(server, smtp(stage, number, &text, age))
            }
            Fault::Lost(error) => error,
        }
    }

    fn into_error(self, server: &Server, stage: Stage) -> Error {
        self.aged(server, stage, Duration::ZERO)
    }
}

/// What lettre calls an error: a refusal, or the end of the talk.
fn fault(server: &Server, stage: Stage, error: lettre::transport::smtp::Error) -> Fault {
    let words = error.source().map(ToString::to_string).unwrap_or_default();
    match error.status().map(u16::from) {
        Some(421) => return Fault::Closing(421, words),
        Some(number) => return Fault::Refused(number, words),
        None => {}
    }
    if let Some((number, text)) = unwritten(&error).and_then(Unwritten::refusal) {
        return Fault::Closing(number, text.to_owned());
    }
    let io = error.source().and_then(|e| e.downcast_ref::<io::Error>());
    let closed = words == "incomplete response";
    let lost = |kind, text: &str| {
        let error = net::failed(stage.operation(), server, io::Error::new(kind, text));
        match stage {
            Stage::Hello | Stage::Login => error,
            // The settings are good: it got this far.
            _ => {
                error.with_advice("if it stays unknown what became of the mail, ask before you send it again")
            }
        }
    };
    Fault::Lost(match io {
        Some(e) => lost(e.kind(), &e.to_string()),
        None if closed => lost(io::ErrorKind::UnexpectedEof, CLOSED),
        None => place(server, Error::new(ErrorKind::Protocol, stage.operation()))
            .with_text("the server's answer is not SMTP")
            .with_advice("check host, port and tls of smtp"),
    })
}

/// Why nothing was written, if it was so.
fn unwritten(error: &lettre::transport::smtp::Error) -> Option<&Unwritten> {
    error.source()?.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref()
}

/// How far a mail has got, and until when it must get further.
struct Progress {
    timing: Timing,
    start: Instant,
    /// Milliseconds after `start` at which it last got further.
    last: AtomicU64,
    dot: AtomicU8,
}

const BEFORE_DOT: u8 = 0;
const AFTER_DOT: u8 = 1;

impl Progress {
    fn new(timing: Timing) -> Self {
        Self { timing, start: Instant::now(), last: AtomicU64::new(0), dot: AtomicU8::new(BEFORE_DOT) }
    }

    /// The mail in pieces. Each is asked for when the former is written; behind the last one comes the dot, which ends
    /// the last line too.
    fn pieces<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let mut pieces = bytes.strip_suffix(b"\r\n").unwrap_or(bytes).chunks(PIECE);
        std::iter::from_fn(move || {
            let piece = pieces.next();
            let passed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.last.store(passed, Ordering::Relaxed);
            if piece.is_none() {
                self.dot.store(AFTER_DOT, Ordering::Relaxed);
            }
            piece
        })
    }

    fn is_after_dot(&self) -> bool {
        self.dot.load(Ordering::Relaxed) == AFTER_DOT
    }

    /// How long the next step may take.
    fn patience(&self) -> Duration {
        if self.is_after_dot() { self.timing.answer } else { self.timing.piece }
    }

    fn limit(&self) -> Instant {
        self.start + Duration::from_millis(self.last.load(Ordering::Relaxed)) + self.patience()
    }

    fn lost(&self, error: Error) -> SendError {
        if self.is_after_dot() { SendError::Unknown(error) } else { SendError::Rejected(error) }
    }
}
