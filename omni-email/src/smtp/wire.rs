//! The stream below [`AsyncSmtpConnection`](lettre::transport::smtp::client::AsyncSmtpConnection): it hands up whole
//! lines, and nothing may be written while the server has said more than it was asked.
//!
//! Without that, one reply too many would shift all later ones by one: a refusal would be read as the answer to the
//! mail before, and a mail would count as taken that never was.

use std::fmt;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::net::Stream;

/// Longest line of a reply that is read: RFC 5321, 4.5.3.1.5, lets servers write 512 bytes.
pub(super) const LINE: usize = 8 << 10;
/// Most lines of a reply: servers offer some twenty things.
pub(super) const LINES: usize = 100;
/// How much is read at once.
const BLOCK: usize = 4 << 10;

/// What the server said since we last wrote: lines as they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard(Arc<Mutex<String>>);

impl Heard {
    /// The lines, without numbers, of the reply that was read last.
    pub(super) fn lines(&self) -> Vec<String> {
        let text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        text.lines().filter_map(|line| line.get(4..)).map(str::to_owned).collect()
    }

    fn add(&self, line: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(line);
    }

    fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A stream that hands up whole lines.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    heard: Heard,
    /// Read, and not handed up yet.
    inbox: Vec<u8>,
    /// The line that is being handed up.
    line: Vec<u8>,
    /// Lines handed up since we last wrote.
    lines: usize,
}

impl Wire {
    /// A connection whose greeting comes from the server.
    pub(super) fn new(stream: Stream, heard: Heard) -> Self {
        Self { stream, heard, inbox: Vec::new(), line: Vec::new(), lines: 0 }
    }

    /// A connection whose server has greeted already, before STARTTLS: the reader above gets a greeting of ours.
    pub(super) fn greeted(stream: Stream, heard: Heard) -> Self {
        Self { line: b"220 ok\r\n".to_vec(), ..Self::new(stream, heard) }
    }

    /// Reads once. `false` at the end of the stream.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if self.inbox.len() > LINE {
            return Poll::Ready(Err(wrong("the server's answer has a line without end")));
        }
        let mut block = [0; BLOCK];
        let mut block = ReadBuf::new(&mut block);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut block))?;
        self.inbox.extend_from_slice(block.filled());
        Poll::Ready(Ok(!block.filled().is_empty()))
    }

    /// Makes the next line of the inbox the one to hand up.
    fn next_line(&mut self, length: usize) {
        let rest = self.inbox.split_off(length);
        let line = mem::replace(&mut self.inbox, rest);
        // Texts in old charsets are no reason to lose an answer.
        let line = String::from_utf8(line).unwrap_or_else(|e| {
            e.into_bytes().into_iter().map(|b| if b.is_ascii() { char::from(b) } else { '?' }).collect()
        });
        self.heard.add(&line);
        self.lines += 1;
        self.line = line.into_bytes();
    }
}

fn wrong(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.line.is_empty() {
            match this.inbox.iter().position(|&b| b == b'\n') {
                Some(_) if this.lines == LINES => {
                    return Poll::Ready(Err(wrong("the server's answer has no end")));
                }
                Some(end) => this.next_line(end + 1),
                None if ready!(this.poll_more(cx))? => {}
                None => return Poll::Ready(Ok(())),
            }
        }
        let rest = this.line.split_off(this.line.len().min(buf.remaining()));
        buf.put_slice(&this.line);
        this.line = rest;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.inbox.is_empty() && this.line.is_empty() {
            match this.poll_more(cx) {
                Poll::Ready(Ok(false)) => return Poll::Ready(Err(Unwritten::Closed.into())),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Unwritten::Failed(error).into())),
                Poll::Ready(Ok(true)) | Poll::Pending => {}
            }
        }
        if !this.inbox.is_empty() || !this.line.is_empty() {
            return Poll::Ready(Err(Unwritten::said(&this.inbox).into()));
        }
        this.heard.forget();
        this.lines = 0;
        Pin::new(&mut this.stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// Why nothing was written. Whatever it was meant to be, the server did not hear it.
#[derive(Debug)]
pub(super) enum Unwritten {
    /// The server had said something that it was not asked for. One that closes says 421 so.
    Said(String),
    /// The server was gone.
    Closed,
    /// The connection was broken.
    Failed(io::Error),
}

impl Unwritten {
    fn said(bytes: &[u8]) -> Self {
        let first = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
        Self::Said(String::from_utf8_lossy(first).chars().filter(|c| !c.is_control()).take(200).collect())
    }

    /// The number and the words of a refusal.
    pub(super) fn refusal(&self) -> Option<(u16, &str)> {
        let Self::Said(said) = self else { return None };
        let number = said.get(..3)?.parse().ok().filter(|n| (400..600).contains(n))?;
        Some((number, said.get(4..).unwrap_or_default()))
    }
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(said) => write!(f, "the server spoke out of turn: {said}"),
            Self::Closed => f.write_str("the server closed the connection"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Unwritten {}

impl From<Unwritten> for io::Error {
    fn from(why: Unwritten) -> Self {
        let kind = match &why {
            Unwritten::Said(_) => io::ErrorKind::ConnectionAborted,
            Unwritten::Closed => io::ErrorKind::UnexpectedEof,
            Unwritten::Failed(error) => error.kind(),
        };
        io::Error::new(kind, why)
    }
}
