//! Fetching media.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use omni_core::error::{ErrorKind, Retry};
use omni_core::media::MediaStream;
use omni_core::{Error, Result};
use reqwest::{Client, Response};
use url::Url;

use crate::client::{Downloads, Http};
use crate::failure;
use crate::guard::{Guard, public_addresses};

/// How long the server may be silent, at the beginning and between two pieces.
const SILENCE: Duration = Duration::from_secs(30);
/// Most redirects followed, each one checked like the first address.
const HOPS: usize = 5;

/// A download that is being put together. Nothing happens before [`Self::open`] is awaited.
pub struct Download<'a> {
    http: &'a Http,
    operation: &'static str,
    url: Url,
    headers: HeaderMap,
    guard: Guard,
}

impl<'a> Download<'a> {
    pub(crate) fn new(http: &'a Http, operation: &'static str, url: Url) -> Self {
        Self { http, operation, url, headers: HeaderMap::new(), guard: Guard::default() }
    }

    /// Which hosts it may come from. Without a guard nothing may.
    #[must_use]
    pub fn guard(mut self, guard: Guard) -> Self {
        self.guard = guard;
        self
    }

    /// Adds a header; it is not handed to other hosts on a redirect.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Opens the stream; at most `cap` bytes come out of it, then an error.
    ///
    /// # Errors
    /// - [`Forbidden`](ErrorKind::Forbidden) for a host that is not expected or in a private network;
    /// - [`TooLarge`](ErrorKind::TooLarge) when the server says that it is;
    /// - by status otherwise: 404 and 410 are [`NotFound`](ErrorKind::NotFound), 401 and 403
    ///   [`Forbidden`](ErrorKind::Forbidden), 429 [`RateLimited`](ErrorKind::RateLimited), 5xx
    ///   [`Unavailable`](ErrorKind::Unavailable).
    ///
    /// *Cancel safety*: may be dropped at any await.
    pub async fn open(self, cap: u64) -> Result<MediaStream> {
        let operation = self.operation;
        let response = self.follow().await?;
        if !response.status().is_success() {
            return Err(of_status(operation, response.status()));
        }
        let size = response.content_length();
        if size.is_some_and(|size| size > cap) {
            return Err(too_large(operation, cap));
        }
        let mime =
            response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).map(str::to_owned);
        tracing::debug!(operation, size, "media opened");
        Ok(MediaStream { mime, size, bytes: Box::pin(capped(operation, response, cap)) })
    }

    async fn follow(self) -> Result<Response> {
        let Self { http, operation, mut url, mut headers, guard } = self;
        for _ in 0..=HOPS {
            let client = choose(http, operation, &guard, &url).await?;
            let request = client.get(url.clone()).headers(headers.clone()).send();
            let response = match tokio::time::timeout(SILENCE, request).await {
                Ok(sent) => sent.map_err(|e| failure::describe(operation, &e))?,
                Err(_) => return Err(Error::new(ErrorKind::Timeout, operation)),
            };
            // A client of the host may have followed redirects by itself: where it ended must be allowed too.
            guard.check(operation, response.url())?;
            let Some(next) = redirect(&response) else { return Ok(response) };
            if next.origin() != url.origin() {
                headers.clear();
            }
            url = next;
        }
        Err(Error::new(ErrorKind::Protocol, operation).with_text("redirected too often"))
    }
}

impl fmt::Debug for Download<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download").field("operation", &self.operation).finish_non_exhaustive()
    }
}

/// The client for an address, once it is known to be allowed.
async fn choose<'a>(http: &'a Http, operation: &'static str, guard: &Guard, url: &Url) -> Result<&'a Client> {
    guard.check(operation, url)?;
    if guard.trusts(url) {
        return Ok(http.trusted());
    }
    match http.downloads() {
        Downloads::Guarded(client) => Ok(client),
        Downloads::Foreign(client) => {
            let (host, port) =
                (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(443));
            match public_addresses(host.trim_matches(['[', ']']), port).await {
                Ok(_) => Ok(client),
                Err(e) => Err(Error::new(ErrorKind::Network, operation).with_text(e.to_string())),
            }
        }
    }
}

fn redirect(response: &Response) -> Option<Url> {
    use StatusCode as S;
    let redirects =
        [S::MOVED_PERMANENTLY, S::FOUND, S::SEE_OTHER, S::TEMPORARY_REDIRECT, S::PERMANENT_REDIRECT];
    if !redirects.contains(&response.status()) {
        return None;
    }
    let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
    response.url().join(location).ok()
}

fn of_status(operation: &'static str, status: StatusCode) -> Error {
    let error = match status.as_u16() {
        404 | 410 => Error::new(ErrorKind::NotFound, operation),
        401 | 403 => Error::new(ErrorKind::Forbidden, operation),
        429 => Error::new(ErrorKind::RateLimited, operation),
        500.. => Error::new(ErrorKind::Unavailable, operation),
        _ => Error::new(ErrorKind::Protocol, operation).with_retry(Retry::Never),
    };
    error.with_code(status.as_u16())
}

fn too_large(operation: &'static str, cap: u64) -> Error {
    Error::new(ErrorKind::TooLarge, operation).with_text("the file is larger than the cap").with("cap", cap)
}

/// The body, until it ends, breaks, falls silent or goes over the cap; after an error nothing more comes.
fn capped(operation: &'static str, response: Response, cap: u64) -> impl Stream<Item = Result<Bytes>> + Send {
    let body = response.bytes_stream();
    stream::unfold(Some((Box::pin(body), 0u64)), move |state| async move {
        let (mut body, seen) = state?;
        let chunk = match tokio::time::timeout(SILENCE, body.next()).await {
            Err(_) => Err(Error::new(ErrorKind::Timeout, operation)),
            Ok(None) => return None,
            Ok(Some(Err(e))) => Err(failure::describe(operation, &e)),
            Ok(Some(Ok(chunk))) => Ok(chunk),
        };
        match chunk {
            Ok(chunk) if seen + chunk.len() as u64 <= cap => {
                let seen = seen + chunk.len() as u64;
                Some((Ok(chunk), Some((body, seen))))
            }
            Ok(_) => Some((Err(too_large(operation, cap)), None)),
            Err(e) => Some((Err(e), None)),
        }
    })
}
