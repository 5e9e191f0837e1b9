//! The first words: greeting, EHLO and STARTTLS in clear, and what a server offers.

use std::io;
use std::time::Duration;

use lettre::transport::smtp::extension::ClientId;
use omni_core::error::{Error, ErrorKind, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Limits;
use super::wire::{LINE, LINES};
use crate::config::Server;
use crate::error::{Stage, smtp};
use crate::net::{self, Dialer, Stream};

const OPERATION: &str = "smtp connect";

/// How we name ourselves: a host name of the configuration, else an address literal (RFC 5321, 4.1.4), never the
/// machine's own name.
pub(super) fn client(ehlo: Option<&str>) -> ClientId {
    let is_name = |name: &&str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
    match ehlo.map(str::trim).filter(is_name) {
        Some(name) => ClientId::Domain(name.to_owned()),
        None => ClientId::Ipv4(std::net::Ipv4Addr::LOCALHOST),
    }
}

/// What a server offers, by its answer to EHLO.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Offers {
    /// Ways to log in, in upper case.
    pub(super) auth: Vec<String>,
    /// What it allows.
    pub(super) limits: Limits,
    /// Whether it takes mails with bytes beyond ASCII (RFC 6152).
    pub(super) eight_bit: bool,
    starttls: bool,
}

impl Offers {
    /// Reads the lines of an answer, without numbers. Keywords are in whatever case.
    pub(super) fn read(lines: &[String]) -> Self {
        let mut offers = Self::default();
        for line in lines.iter().skip(1) {
            // Old servers write `AUTH=LOGIN`.
            let line = line.to_ascii_uppercase().replace('=', " ");
            let mut words = line.split_whitespace();
            match words.next() {
                Some("AUTH") => offers.auth.extend(words.map(str::to_owned)),
                // Zero is no limit (RFC 1870, section 4).
                Some("SIZE") => {
                    offers.limits.size = words.next().and_then(|n| n.parse().ok()).filter(|&n| n > 0)
                }
                Some("SMTPUTF8") => offers.limits.utf8 = true,
                Some("DSN") => offers.limits.reports = true,
                Some("8BITMIME") => offers.eight_bit = true,
                Some("STARTTLS") => offers.starttls = true,
                _ => {}
            }
        }
        offers
    }
}

/// Talks with a server in clear until it agrees to encrypt, and encrypts.
///
/// Everything is read byte by byte, so nothing that came in clear is left for the talk inside TLS; bytes behind the
/// server's agreement are refused, because somebody on the way may have put them there.
///
/// # Errors
/// Network, timeout, and [`Configuration`](ErrorKind::Configuration) when the server offers no STARTTLS: then nothing is
/// said at all, least of all a password.
pub(super) async fn starttls(
    dialer: &Dialer,
    server: &Server,
    mut socket: TcpStream,
    client: &ClientId,
    limit: Duration,
) -> Result<Stream> {
    said(server, &mut socket, None, limit).await?;
    let lines = said(server, &mut socket, Some(format!("EHLO {client}\r\n")), limit).await?;
    if !Offers::read(&lines).starttls {
        return Err(place(server, Error::configuration(OPERATION, "the server offers no STARTTLS"))
            .with_advice(
                "set tls of smtp to implicit and port to 465; somebody on the way may also have removed it",
            ));
    }
    said(server, &mut socket, Some("STARTTLS\r\n".to_owned()), limit).await?;
    match socket.try_read(&mut [0; 1]) {
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
        Ok(0) => return Err(net::failed(OPERATION, server, io::ErrorKind::UnexpectedEof.into())),
        Ok(_) => {
            return Err(place(server, Error::new(ErrorKind::Protocol, OPERATION)).with_text(
                "more than the answer to STARTTLS came in clear: somebody on the way may have added it",
            ));
        }
        Err(e) => return Err(net::failed(OPERATION, server, e)),
    }
    dialer.secure(OPERATION, server, socket).await
}

/// Says something, if there is something to say, and reads the answer, which has to be positive.
async fn said(
    server: &Server,
    socket: &mut TcpStream,
    command: Option<String>,
    limit: Duration,
) -> Result<Vec<String>> {
    let talk = async {
        if let Some(command) = command {
            socket.write_all(command.as_bytes()).await?;
        }
        reply(socket).await
    };
    let (number, lines) = match timeout(limit, talk).await {
        Ok(done) => done.map_err(|e| net::failed(OPERATION, server, e))?,
        Err(_) => return Err(silent(server, Stage::Hello, limit)),
    };
    match number {
        200..=299 => Ok(lines),
        _ => Err(place(server, smtp(Stage::Hello, number, &lines.join(" "), Duration::ZERO))),
    }
}

/// Reads one reply: its number, and its lines without numbers.
async fn reply(socket: &mut TcpStream) -> io::Result<(u16, Vec<String>)> {
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "the server does not speak SMTP there");
    let mut lines = Vec::new();
    while lines.len() < LINES {
        let line = line(socket).await?;
        let number = line.get(..3).and_then(|n| n.parse::<u16>().ok()).filter(|n| (200..600).contains(n));
        let number = number.ok_or_else(wrong)?;
        lines.push(line.get(4..).unwrap_or_default().trim_end().to_owned());
        match line.as_bytes().get(3) {
            Some(b'-') => {}
            Some(b' ' | b'\r' | b'\n') => return Ok((number, lines)),
            _ => return Err(wrong()),
        }
    }
    Err(wrong())
}

/// Reads one line and not a byte more.
async fn line(socket: &mut TcpStream) -> io::Result<String> {
    let mut line = Vec::new();
    while line.len() < LINE {
        let byte = socket.read_u8().await?;
        line.push(byte);
        if byte == b'\n' {
            return Ok(line.into_iter().map(|b| if b.is_ascii() { char::from(b) } else { '?' }).collect());
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "the server's answer has a line without end"))
}

/// No answer in time.
pub(super) fn silent(server: &Server, stage: Stage, limit: Duration) -> Error {
    place(server, Error::new(ErrorKind::Timeout, stage.operation()))
        .with_text(format!("no answer within {} s", limit.as_secs()))
}

/// Says which server it was.
pub(super) fn place(server: &Server, error: Error) -> Error {
    error.with("host", &server.host).with("port", server.port)
}
