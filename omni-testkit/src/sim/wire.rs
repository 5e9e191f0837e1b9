//! Connections, and answers that are cut, slow or never given.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, Either, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::ground::stopped;

/// A body in one piece, or in several.
pub(crate) type Body = Either<Full<Bytes>, UnsyncBoxBody<Bytes, io::Error>>;

/// The connection is to be closed without an answer.
#[derive(Debug)]
pub(crate) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("connection cut by a fault")
    }
}

impl std::error::Error for Cut {}

impl From<Infallible> for Cut {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Accepts connections until told to stop; then every connection is closed.
pub(crate) async fn accept<C, F>(
    core: Arc<C>,
    listener: TcpListener,
    mut stop: watch::Receiver<bool>,
    answer: fn(Arc<C>, Request<Incoming>) -> F,
) where
    C: Send + Sync + 'static,
    F: Future<Output = Result<Response<Body>, Cut>> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stopped(&mut stop) => return,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                // A failed accept is a client that went away, or a lack of descriptors that may pass.
                let Ok((stream, _)) = accepted else {
                    tokio::task::yield_now().await;
                    continue;
                };
                let _ = stream.set_nodelay(true);
                let core = Arc::clone(&core);
                connections.spawn(async move {
                    let service = service_fn(move |request| answer(Arc::clone(&core), request));
                    let mut server = http1::Builder::new();
                    server.timer(TokioTimer::new()).pipeline_flush(true);
                    // An error here is the client's, or a fault that cut the connection on purpose.
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        }
    }
}

/// Whether an answer sent in pieces comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Whole,
    /// It ends after the first piece.
    Cut,
}

/// A body sent piece by piece under its full length.
pub(crate) fn pieces(body: &Bytes, count: usize, pause: Duration, ending: Ending) -> Body {
    let size = body.len().div_ceil(count.max(1)).max(1);
    let body = body.clone();
    let parts = stream::unfold(0usize, move |at| {
        let body = body.clone();
        async move {
            if at >= body.len() {
                return None;
            }
            if ending == Ending::Cut && at > 0 {
                return Some((Err(io::Error::other("answer cut by a fault")), body.len()));
            }
            tokio::time::sleep(pause).await;
            let end = (at + size).min(body.len());
            Some((Ok(Frame::data(body.slice(at..end))), end))
        }
    });
    Either::Right(StreamBody::new(parts).boxed_unsync())
}

/// An answer in pieces, with the length of the whole.
pub(crate) fn in_pieces(mut whole: Response<Body>, body: &Bytes, parts: Body) -> Response<Body> {
    whole.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    *whole.body_mut() = parts;
    whole
}
