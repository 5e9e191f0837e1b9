//! A call as it came, and what it is answered with.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::Value;

use super::form::Form;
use super::multipart::percent_decode;

/// A call as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path, still percent-encoded.
    pub path: String,
    /// What stands behind the `?`, still encoded.
    pub query: Option<String>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Request {
    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The steps of the path, decoded.
    #[must_use]
    pub fn steps(&self) -> Vec<String> {
        let steps = self.path.split('/').filter(|step| !step.is_empty());
        steps.map(|step| percent_decode(step).unwrap_or_default()).collect()
    }

    /// The parameters of the query and of a form in the body, urlencoded or multipart.
    #[must_use]
    pub fn form(&self) -> Form {
        Form::read(self.query.as_deref(), self.header("content-type").unwrap_or_default(), &self.body)
    }

    /// The body as JSON, whatever its content type says.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// What a call is answered with.
#[derive(Clone, PartialEq)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Reply {
    /// An empty answer.
    ///
    /// # Panics
    /// When `status` is no HTTP status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        match StatusCode::from_u16(status) {
            Ok(status) => Self { status, headers: HeaderMap::new(), body: Bytes::new() },
            Err(_) => panic!("{status} is no HTTP status"),
        }
    }

    /// JSON.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self::bytes(status, "application/json", body.to_string())
    }

    /// Plain text.
    #[must_use]
    pub fn text(status: u16, body: impl Into<Bytes>) -> Self {
        Self::bytes(status, "text/plain; charset=utf-8", body)
    }

    /// Bytes of a type.
    #[must_use]
    pub fn bytes(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut reply = Self::status(status);
        reply.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        reply.body = body.into();
        reply
    }

    /// A proxy's page in place of the provider's answer.
    #[must_use]
    pub fn bad_gateway() -> Self {
        Self::bytes(
            502,
            "text/html",
            "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1>\
             </center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
        )
    }

    /// The same with a header.
    ///
    /// # Panics
    /// When the value cannot stand in a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        match HeaderValue::from_str(value.as_ref()) {
            Ok(value) => self.headers.insert(HeaderName::from_static(name), value),
            Err(_) => panic!("the value of {name} cannot stand in a header"),
        };
        self
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status.as_u16(), String::from_utf8_lossy(&self.body))
    }
}
