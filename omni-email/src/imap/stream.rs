//! A connection that loses patience, and that does not swallow what is too large.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use crate::net::Stream;

/// A connection on which every wait for the other side has an end, and every answer a greatest length.
///
/// The IMAP library buffers an answer whole, up to 512 MiB, and waits for ever. Both are bounded here, below it.
#[derive(Debug)]
pub(crate) struct Guarded {
    inner: Stream,
    patience: Duration,
    silence: Pin<Box<Sleep>>,
    /// Bytes that may still come until [`Self::allow`] is called again.
    left: u64,
}

impl Guarded {
    /// Waits so long for each sign of life.
    pub(crate) fn new(inner: Stream, patience: Duration) -> Self {
        Self { inner, patience, silence: Box::pin(sleep(patience)), left: 0 }
    }

    /// Takes at most so many bytes from now on, and waits so long for each sign of life.
    pub(crate) fn allow(&mut self, bytes: u64, patience: Duration) {
        self.left = bytes;
        self.patience = patience;
        self.stir();
    }

    fn stir(&mut self) {
        let until = Instant::now() + self.patience;
        self.silence.as_mut().reset(until);
    }

    /// What a poll of the connection becomes: a sign of life, or silence for too long.
    fn watched<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match polled {
            Poll::Ready(done) => {
                self.stir();
                Poll::Ready(done)
            }
            Poll::Pending => self.silence.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into())),
        }
    }
}

impl AsyncRead for Guarded {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.inner).poll_read(cx, buf);
        let read = (buf.filled().len() - before) as u64;
        if read > this.left {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::FileTooLarge, "the answer is too long")));
        }
        this.left -= read;
        this.watched(cx, polled)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_write(cx, buf);
        this.watched(cx, polled)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_flush(cx);
        this.watched(cx, polled)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_shutdown(cx);
        this.watched(cx, polled)
    }
}
