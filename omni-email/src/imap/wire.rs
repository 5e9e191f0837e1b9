//! Commands and their answers, so that none is taken for another.
//!
//! The typed methods of the IMAP library hide failures: a FETCH that the server refuses or that a lost connection cuts
//! short looks like "no more mails". Here a command ends well only with its own tagged OK; everything else is an error,
//! and an error of the connection ends it for good. The library frames and parses what comes in; what goes out is
//! written past it, because it would log the password at its level `trace`.

use std::io;
use std::time::Duration;

use async_imap::Client;
use async_imap::imap_proto::{Response, Status};
use omni_core::Secret;
use omni_core::error::{Error, ErrorKind, Result, Retry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::{Server, Tls};
use crate::error;
use crate::login::Login;
use crate::net::{self, Dialer, Stream};
use crate::sasl::{self, Challenge, Mechanism};

use super::stream::Guarded;
use super::told::{Code, Told};

/// How long a command may be silent.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the end of an IDLE may take.
const END_OF_IDLE: Duration = Duration::from_secs(15);
/// Most bytes of an answer that holds no mail: a search of a large folder, a long list.
const ANSWER: u64 = 16 << 20;
/// Longest line of the server before TLS.
const CLEAR_LINE: usize = 8 << 10;
/// What a login is called in errors.
const LOGIN: &str = "imap login";

/// A session, logged in.
#[derive(Debug)]
pub(crate) struct Wire {
    client: Client<Guarded>,
    server: Server,
    /// How many commands were sent.
    sent: u32,
    /// What the server can do, in upper case.
    capabilities: Vec<String>,
    /// Mail came while nobody asked: there is something to fetch.
    news: bool,
}

/// A command that was refused, with the fact in brackets.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) error: Error,
    pub(crate) code: Option<Code>,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self { error, code: None }
    }
}

/// What waiting for news brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idle {
    /// Something happened in the folder.
    News,
    /// Nothing did.
    Quiet,
    /// The server does not want to be waited upon.
    Refused,
}

/// One answer.
enum Next {
    Told(Told),
    /// Go ahead, with what stands behind the `+`.
    Continue(String),
    End {
        tag: String,
        ended: Result<(), String>,
        code: Option<Code>,
    },
}

impl Wire {
    /// Connects, makes the connection safe, logs in.
    ///
    /// # Errors
    /// As [`Dialer::connect`]; [`BadCredentials`](ErrorKind::BadCredentials) when the server refuses the login.
    pub(crate) async fn open(dialer: &Dialer, server: &Server, login: &Login) -> Result<Self> {
        let stream = dialer.connect("imap connect", server).await?;
        let (stream, greeted) = match (server.tls, stream) {
            (Tls::Starttls, Stream::Plain(socket)) => (starttls(dialer, server, socket).await?, true),
            (_, stream) => (stream, false),
        };
        let client = Client::new(Guarded::new(stream, PATIENCE));
        let mut wire =
            Self { client, server: server.clone(), sent: 0, capabilities: Vec::new(), news: false };
        wire.client.get_mut().allow(ANSWER, PATIENCE);
        if !greeted {
            wire.greeting().await?;
        }
        wire.learn_capabilities().await?;
        wire.log_in(login).await?;
        // What a server can do may be another thing to those it knows.
        wire.learn_capabilities().await?;
        if wire.can("ID") {
            // Some servers (163.com) let nobody select a folder who has not said who they are.
            let version = env!("CARGO_PKG_VERSION");
            wire.command("ID", &format!(r#"ID ("name" "omni" "version" "{version}")"#)).await?;
        }
        Ok(wire)
    }

    /// Whether the server can do something, by its name in upper case.
    pub(crate) fn can(&self, what: &str) -> bool {
        self.capabilities.iter().any(|c| c == what)
    }

    /// Whether mail came while nobody asked; forgets it.
    pub(crate) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    /// Waits for the greeting.
    async fn greeting(&mut self) -> Result<()> {
        const OPERATION: &str = "imap greeting";
        let greeting = self.client.read_response().await.map_err(|e| lost(OPERATION, &self.server, e))?;
        let configuration = |text: &str| Err(self.placed(Error::configuration(OPERATION, text)));
        match greeting.as_ref().map(|g| g.parsed()) {
            Some(Response::Data { status: Status::Ok, .. }) => Ok(()),
            // As whom is unknown, so it is not our mailbox.
            Some(Response::Data { status: Status::PreAuth, .. }) => {
                configuration("the server takes us for somebody without asking who we are")
            }
            Some(Response::Data { outcome, .. }) => {
                let code = outcome.code.as_ref().map(Code::read);
                Err(self.refused(
                    OPERATION,
                    code.as_ref(),
                    outcome.information.as_deref().unwrap_or_default(),
                ))
            }
            Some(_) => configuration("this is no IMAP server"),
            None => Err(self.gone(OPERATION, "")),
        }
    }

    async fn learn_capabilities(&mut self) -> Result<()> {
        let answer = self.command("CAPABILITY", "CAPABILITY").await?;
        let lists = answer.into_iter().filter_map(|told| match told {
            Told::Capabilities(list) => Some(list),
            _ => None,
        });
        self.capabilities = lists.last().unwrap_or_default();
        Ok(())
    }

    async fn log_in(&mut self, login: &Login) -> Result<()> {
        let offered = self.capabilities.iter().filter_map(|c| c.strip_prefix("AUTH="));
        match (login.mechanism(offered), login) {
            (Some(mechanism), _) => {
                let response = login.response(mechanism, &self.server)?;
                self.authenticate(mechanism, &response).await
            }
            (None, Login::Bearer { .. }) => Err(self
                .placed(Error::configuration(LOGIN, "the server takes no OAuth tokens"))
                .with_advice("log in with a password or an app password")),
            (None, Login::Password { .. }) if self.can("LOGINDISABLED") => Err(self
                .placed(Error::configuration(LOGIN, "the server takes no password on this connection"))
                .with_advice("set tls to implicit (port 993) or to starttls (port 143)")),
            (None, Login::Password { user, password }) => {
                let line = format!("LOGIN {} {}", quoted(LOGIN, user)?, quoted(LOGIN, password.expose())?);
                self.command(LOGIN, &line).await.map(|_| ())
            }
        }
    }

    /// AUTHENTICATE without an initial response, which every server takes. A server that refuses a token says why in a
    /// second challenge, and its NO comes when that was answered.
    async fn authenticate(&mut self, mechanism: Mechanism, response: &Secret) -> Result<()> {
        self.client.get_mut().allow(ANSWER, PATIENCE);
        let tag = self.say(LOGIN, &format!("AUTHENTICATE {}", mechanism.name())).await?;
        let (mut answered, mut why) = (false, None);
        loop {
            match self.next(LOGIN).await? {
                Next::Continue(challenge) if answered => {
                    why = Challenge::read(&challenge);
                    self.write(LOGIN, mechanism.last_word().as_bytes()).await?;
                }
                Next::Continue(_) => {
                    answered = true;
                    self.write(LOGIN, sasl::encoded(response).expose().as_bytes()).await?;
                }
                Next::Told(Told::Bye(text)) => return Err(self.gone(LOGIN, &text)),
                Next::Told(_) => {}
                Next::End { tag: ended, .. } if ended != tag => return Err(self.confused(LOGIN)),
                Next::End { ended: Ok(()), .. } => return Ok(()),
                Next::End { ended: Err(text), code, .. } => {
                    return Err(match why {
                        Some(challenge) => self.placed(challenge.error(LOGIN)),
                        None => self.refused(LOGIN, code.as_ref(), &text),
                    });
                }
            }
        }
    }

    /// Sends a command and waits for its end.
    ///
    /// # Errors
    /// When the server says NO or BAD, or the connection is lost before the command's own end.
    pub(crate) async fn command(&mut self, operation: &'static str, line: &str) -> Result<Vec<Told>> {
        self.command_of(operation, line, ANSWER).await
    }

    /// The same, for an answer of at most so many bytes.
    pub(crate) async fn command_of(
        &mut self,
        operation: &'static str,
        line: &str,
        bytes: u64,
    ) -> Result<Vec<Told>> {
        self.client.get_mut().allow(bytes, PATIENCE);
        let tag = self.say(operation, line).await?;
        self.answer(operation, &tag).await.map_err(|refused| refused.error)
    }

    /// Sends a command that waits for a go-ahead, and `literal` after it (APPEND).
    ///
    /// # Errors
    /// As [`Self::command`].
    pub(crate) async fn command_with(
        &mut self,
        operation: &'static str,
        line: &str,
        literal: &[u8],
    ) -> Result<Vec<Told>, Refused> {
        self.client.get_mut().allow(ANSWER, PATIENCE);
        let tag = self.say(operation, line).await?;
        loop {
            match self.next(operation).await? {
                Next::Continue(_) => break,
                Next::Told(told) => self.note(&told),
                Next::End { tag: ended, .. } if ended != tag => return Err(self.confused(operation).into()),
                Next::End { ended, code, .. } => {
                    let text = ended.err().unwrap_or_else(|| "the server ended the command early".to_owned());
                    return Err(Refused { error: self.refused(operation, code.as_ref(), &text), code });
                }
            }
        }
        self.write(operation, literal).await?;
        self.answer(operation, &tag).await
    }

    /// Waits for the end of a command. What was told before, in order.
    async fn answer(&mut self, operation: &'static str, tag: &str) -> Result<Vec<Told>, Refused> {
        let mut told = Vec::new();
        loop {
            match self.next(operation).await? {
                Next::Told(Told::Bye(text)) => return Err(self.gone(operation, &text).into()),
                Next::Told(one) => {
                    self.note(&one);
                    told.push(one);
                }
                // The end of a command that was given up would shift every later answer.
                Next::End { tag: ended, .. } if ended != tag => return Err(self.confused(operation).into()),
                Next::End { ended: Ok(()), .. } => return Ok(told),
                Next::End { ended: Err(text), code, .. } => {
                    return Err(Refused { error: self.refused(operation, code.as_ref(), &text), code });
                }
                Next::Continue(_) => return Err(self.confused(operation).into()),
            }
        }
    }

    /// Waits for news of the selected folder, at most so long (RFC 2177). After the first, more may follow on its
    /// heels: it waits until nothing was told for `settle`.
    ///
    /// # Errors
    /// As [`Self::command`].
    pub(crate) async fn idle(&mut self, at_most: Duration, settle: Duration) -> Result<Idle> {
        const OPERATION: &str = "IDLE";
        self.client.get_mut().allow(ANSWER, PATIENCE);
        let tag = self.say(OPERATION, "IDLE").await?;
        let mut heard = false;
        // What is told before the go-ahead is news as well.
        loop {
            match self.next(OPERATION).await? {
                Next::Continue(_) => break,
                Next::Told(Told::Bye(text)) => return Err(self.gone(OPERATION, &text)),
                Next::Told(told) => heard |= is_news(&told),
                Next::End { tag: ended, ended: Err(_), .. } if ended == tag => return Ok(Idle::Refused),
                Next::End { .. } => return Err(self.confused(OPERATION)),
            }
        }
        self.client.get_mut().allow(ANSWER, at_most + PATIENCE);
        if !heard {
            heard = timeout(at_most, self.hear()).await.unwrap_or(Ok(false))?;
        }
        let mut more = heard;
        while more {
            more = timeout(settle, self.hear()).await.unwrap_or(Ok(false))?;
        }
        self.client.get_mut().allow(ANSWER, END_OF_IDLE);
        self.write(OPERATION, b"DONE").await?;
        let answer = self.answer(OPERATION, &tag).await.map_err(|refused| refused.error)?;
        heard |= answer.iter().any(is_news);
        Ok(if heard { Idle::News } else { Idle::Quiet })
    }

    /// Waits for one piece of news.
    async fn hear(&mut self) -> Result<bool> {
        loop {
            match self.next("IDLE").await? {
                Next::Told(Told::Bye(text)) => return Err(self.gone("IDLE", &text)),
                Next::Told(told) if is_news(&told) => return Ok(true),
                Next::Told(_) => {}
                Next::Continue(_) | Next::End { .. } => return Err(self.confused("IDLE")),
            }
        }
    }

    fn note(&mut self, told: &Told) {
        match told {
            Told::Exists(_) => self.news = true,
            Told::Alert(text) => {
                tracing::warn!(host = %self.server.host, text, "the mail server wants to be read")
            }
            _ => {}
        }
    }

    /// Writes a command under a new tag.
    async fn say(&mut self, operation: &'static str, line: &str) -> Result<String> {
        self.sent = self.sent.wrapping_add(1);
        let tag = format!("o{}", self.sent);
        self.write(operation, format!("{tag} {line}").as_bytes()).await?;
        Ok(tag)
    }

    async fn write(&mut self, operation: &'static str, line: &[u8]) -> Result<()> {
        let stream = self.client.get_mut();
        let written = async {
            stream.write_all(line).await?;
            stream.write_all(b"\r\n").await?;
            stream.flush().await
        };
        written.await.map_err(|e| lost(operation, &self.server, e))
    }

    async fn next(&mut self, operation: &'static str) -> Result<Next> {
        match self.client.read_response().await {
            Ok(Some(response)) => Ok(Next::read(response.parsed())),
            Ok(None) => Err(self.gone(operation, "")),
            Err(error) => Err(lost(operation, &self.server, error)),
        }
    }

    fn placed(&self, error: Error) -> Error {
        error.with("host", &self.server.host)
    }

    fn refused(&self, operation: &'static str, code: Option<&Code>, text: &str) -> Error {
        self.placed(error::imap(operation, code.and_then(Code::name), text))
    }

    fn gone(&self, operation: &'static str, text: &str) -> Error {
        let text = if text.is_empty() { "the server closed the connection" } else { text };
        self.placed(Error::new(ErrorKind::Network, operation).with_text(text))
    }

    fn confused(&self, operation: &'static str) -> Error {
        self.placed(Error::new(ErrorKind::Network, operation).with_text("answers came out of step"))
    }
}

/// A string in quotes (RFC 3501, quoted), for names and passwords.
///
/// # Errors
/// When it holds a line break or a NUL, or characters beyond ASCII, which quotes cannot hold.
pub(crate) fn quoted(operation: &'static str, text: &str) -> Result<String> {
    if text.bytes().any(|b| matches!(b, b'\r' | b'\n' | 0) || !b.is_ascii()) {
        return Err(Error::configuration(
            operation,
            "a name or password has characters that IMAP cannot carry there",
        ));
    }
    Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

fn is_news(told: &Told) -> bool {
    matches!(told, Told::Exists(_) | Told::Changed | Told::Mail(_))
}

impl Next {
    fn read(response: &Response<'_>) -> Self {
        match response {
            Response::Continue(outcome) => {
                Next::Continue(outcome.information.as_deref().unwrap_or_default().to_owned())
            }
            Response::Done { tag, status, outcome } => {
                let text = outcome.information.as_deref().unwrap_or_default().to_owned();
                Next::End {
                    tag: tag.0.clone(),
                    ended: if *status == Status::Ok { Ok(()) } else { Err(text) },
                    code: outcome.code.as_ref().map(Code::read),
                }
            }
            other => Next::Told(Told::read(other)),
        }
    }
}

fn lost(operation: &'static str, server: &Server, error: io::Error) -> Error {
    let (kind, text) = match error.kind() {
        io::ErrorKind::TimedOut => (ErrorKind::Timeout, "the server is silent"),
        io::ErrorKind::FileTooLarge => (ErrorKind::Protocol, "the answer is larger than what was asked for"),
        // The library's text quotes the answer: it may hold a mail, and stays out of the error.
        io::ErrorKind::Other => (ErrorKind::Protocol, "the answer cannot be read"),
        _ => return net::failed(operation, server, error),
    };
    Error::new(kind, operation).with_text(text).with_retry(Retry::Later).with("host", &server.host)
}

/// Greeting and STARTTLS in clear, read byte by byte: what a man in the middle appends to the server's answer stays on
/// the connection, where TLS refuses it, and is never read as the server's word.
async fn starttls(dialer: &Dialer, server: &Server, mut socket: TcpStream) -> Result<Stream> {
    const OPERATION: &str = "STARTTLS";
    let protocol = |text: &str| Error::configuration(OPERATION, text.to_owned()).with("host", &server.host);
    let greeting = clear_line(&mut socket, server).await?;
    if !greeting.starts_with("* OK") {
        return Err(protocol("the server does not begin as an IMAP server in clear does"));
    }
    let written = socket.write_all(b"S1 STARTTLS\r\n").await;
    written.map_err(|e| net::failed(OPERATION, server, e))?;
    loop {
        let line = clear_line(&mut socket, server).await?;
        if line.starts_with("* BYE") {
            return Err(error::imap(OPERATION, None, &line).with("host", &server.host));
        }
        if let Some(end) = line.strip_prefix("S1 ") {
            if !end.get(..2).is_some_and(|ok| ok.eq_ignore_ascii_case("OK")) {
                return Err(protocol("the server offers no STARTTLS there")
                    .with_advice("use port 993 with tls implicit"));
            }
            break;
        }
    }
    let mut pending = [0; 1];
    match socket.try_read(&mut pending) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
        _ => {
            return Err(Error::new(ErrorKind::Protocol, OPERATION)
                .with_text("somebody on the way speaks in clear after STARTTLS: the connection is not safe")
                .with("host", &server.host));
        }
    }
    dialer.secure(OPERATION, server, socket).await
}

async fn clear_line(socket: &mut TcpStream, server: &Server) -> Result<String> {
    let mut line = Vec::new();
    let read = async {
        while line.len() < CLEAR_LINE {
            match socket.read_u8().await? {
                b'\n' => return Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
                byte => line.push(byte),
            }
        }
        Err(io::ErrorKind::FileTooLarge.into())
    };
    match timeout(PATIENCE, read).await {
        Ok(read) => read.map_err(|e| lost("imap greeting", server, e)),
        Err(_) => Err(lost("imap greeting", server, io::ErrorKind::TimedOut.into())),
    }
}
