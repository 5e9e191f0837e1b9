//! One API call.

use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use omni_core::Error;
use omni_core::error::ErrorKind;
use omni_core::outbound::SendError;
use reqwest::{Body, Client, Response, multipart};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::failure;

/// How long a call may take, when nothing else is said.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How large an answer may be, when nothing else is said.
const CAP: usize = 8 << 20;

/// An API call that is being put together. Nothing happens before one of the sending methods is awaited.
///
/// The sending methods answer with [`SendError`], for every kind of call: it tells whether the provider may
/// have carried the call out. Calls for which that does not matter use [`SendError::into_error`].
///
/// *Cancel safety*: dropping a sending future leaves open whether the call was carried out.
pub struct Call<'a> {
    client: &'a Client,
    method: Method,
    operation: &'static str,
    url: Url,
    headers: HeaderMap,
    timeout: Duration,
    cap: usize,
}

impl<'a> Call<'a> {
    pub(crate) fn new(client: &'a Client, method: Method, operation: &'static str, url: Url) -> Self {
        Self { client, method, operation, url, headers: HeaderMap::new(), timeout: TIMEOUT, cap: CAP }
    }

    /// How long it may take in all; 30 seconds when not set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many bytes of answer are read; 8 MiB when not set.
    #[must_use]
    pub fn cap(mut self, bytes: usize) -> Self {
        self.cap = bytes;
        self
    }

    /// Adds a header; one of that name is replaced.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sends it without a body.
    ///
    /// # Errors
    /// See [`Call`].
    pub async fn send(self) -> Result<Answer, SendError> {
        self.run(Payload::None).await
    }

    /// Sends `body` as JSON, serialised once.
    ///
    /// # Errors
    /// See [`Call`].
    pub async fn json<T: Serialize + ?Sized>(self, body: &T) -> Result<Answer, SendError> {
        let json = serde_json::to_vec(body).map_err(|e| {
            SendError::Rejected(Error::new(ErrorKind::Internal, self.operation).with_text(e.to_string()))
        })?;
        self.body(HeaderValue::from_static("application/json"), json).await
    }

    /// Sends fields as `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// See [`Call`].
    pub async fn form<K: AsRef<str>, V: AsRef<str>>(
        self,
        fields: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Answer, SendError> {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body(HeaderValue::from_static("application/x-www-form-urlencoded"), form).await
    }

    /// Sends bytes of a content type.
    ///
    /// # Errors
    /// See [`Call`].
    pub async fn body(
        mut self,
        content_type: HeaderValue,
        body: impl Into<Bytes>,
    ) -> Result<Answer, SendError> {
        self.headers.insert(header::CONTENT_TYPE, content_type);
        self.run(Payload::Bytes(body.into())).await
    }

    /// Sends a `multipart/form-data` body.
    ///
    /// # Errors
    /// See [`Call`].
    pub async fn multipart(self, parts: Vec<Part>) -> Result<Answer, SendError> {
        let form =
            parts.into_iter().fold(multipart::Form::new(), |form, part| form.part(part.name, part.inner));
        self.run(Payload::Form(form)).await
    }

    async fn run(self, payload: Payload) -> Result<Answer, SendError> {
        let Self { client, method, operation, url, headers, timeout, cap } = self;
        let request = client.request(method, url.clone()).headers(headers).timeout(timeout);
        let request = match payload {
            Payload::None => request,
            Payload::Bytes(bytes) => request.body(bytes),
            Payload::Form(form) => request.multipart(form),
        };
        let response = request.send().await.map_err(|e| failure::of_request(operation, &e))?;
        if response.url() != &url {
            // Only a client of the host follows redirects; what the other place answered proves nothing.
            return Err(SendError::Unknown(
                Error::new(ErrorKind::Protocol, operation)
                    .with_text("the call was redirected to another address")
                    .with_advice("build the client with redirect(Policy::none())"),
            ));
        }
        let answer = read(operation, response, cap).await.map_err(SendError::Unknown)?;
        tracing::trace!(operation, status = answer.status.as_u16(), bytes = answer.body.len(), "answered");
        Ok(answer)
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("operation", &self.operation).finish_non_exhaustive()
    }
}

enum Payload {
    None,
    Bytes(Bytes),
    Form(multipart::Form),
}

/// What came back, whatever its status.
#[derive(Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, within the cap.
    pub body: Bytes,
}

impl Answer {
    /// The seconds of `Retry-After`, where it is given so; a date counts as not given.
    pub fn retry_after(&self) -> Option<u64> {
        self.headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
    }
}

/// Reads the JSON of an answer. Whatever was asked for was done all the same when this fails.
///
/// # Errors
/// [`Protocol`](ErrorKind::Protocol), with the place and without the text.
pub fn read_json<'a, T: Deserialize<'a>>(operation: &'static str, json: &'a [u8]) -> Result<T, Error> {
    serde_json::from_slice(json).map_err(|e| {
        Error::new(ErrorKind::Protocol, operation)
            .with_text("the answer is not what the method yields")
            .with("line", e.line())
            .with("column", e.column())
    })
}

impl fmt::Debug for Answer {
    /// Sizes only: bodies and headers are never logged (law 12).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

async fn read(operation: &'static str, mut response: Response, cap: usize) -> Result<Answer, Error> {
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| failure::describe(operation, &e))? {
        if body.len() + chunk.len() > cap {
            return Err(Error::new(ErrorKind::TooLarge, operation)
                .with_text("the answer is larger than the cap")
                .with("cap", cap)
                .with("status", status.as_u16()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body: body.freeze() })
}

/// A part of a `multipart/form-data` body.
#[derive(Debug)]
pub struct Part {
    name: String,
    inner: multipart::Part,
}

impl Part {
    /// A field of text.
    pub fn text(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), inner: multipart::Part::text(value.into()) }
    }

    /// A file in memory; the bytes are not copied.
    pub fn file(name: impl Into<String>, file_name: &str, bytes: Bytes) -> Self {
        let length = bytes.len() as u64;
        Self::of_file(name, file_name, multipart::Part::stream_with_length(Body::from(bytes), length))
    }

    /// A file of known length as it arrives. An error of the stream breaks the request off.
    pub fn stream<S, E>(name: impl Into<String>, file_name: &str, length: u64, bytes: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        let body = Body::wrap_stream(bytes);
        Self::of_file(name, file_name, multipart::Part::stream_with_length(body, length))
    }

    /// The same with a media type; one that cannot be read is left out.
    #[must_use]
    pub fn typed(mut self, mime: &str) -> Self {
        // `mime_str` consumes the part even when it fails, so the type is checked by way of the header.
        if let Ok(value) = HeaderValue::from_str(mime)
            && mime.contains('/')
        {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, value)]);
            self.inner = self.inner.headers(headers);
        }
        self
    }

    fn of_file(name: impl Into<String>, file_name: &str, inner: multipart::Part) -> Self {
        Self { name: name.into(), inner: inner.file_name(harmless(file_name)) }
    }
}

/// A file name that cannot end its header: reqwest leaves line breaks in, and some servers split at `;`.
fn harmless(file_name: &str) -> String {
    let name: String = file_name
        .chars()
        .map(|c| if c.is_control() || matches!(c, '"' | '\\' | ';' | '/') { '_' } else { c })
        .collect();
    if name.is_empty() { "file".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_cannot_break_out_of_its_header() {
        assert_eq!(harmless("счёт.pdf"), "счёт.pdf");
        assert_eq!(harmless("a\"; name=\"chat_id\"\r\n\r\n7"), "a__ name=_chat_id_____7");
        assert_eq!(harmless(""), "file");
    }
}
