//! Parameters of a call, whichever of the four encodings carried them.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::error::ApiError;
use crate::sim::multipart;

/// A file that came in a multipart body.
#[derive(Clone, Debug)]
pub struct CallFile {
    /// Name of the form field: `photo`, `document`, or the name behind `attach://`.
    pub field: String,
    /// File name as the client gave it.
    pub file_name: String,
    /// Content type of the part, empty when there was none.
    pub content_type: String,
    /// The bytes themselves, shared with the body of the request.
    pub bytes: Bytes,
}

/// Decoded parameters: query string and body joined, as in
/// <https://core.telegram.org/bots/api#making-requests>.
#[derive(Debug, Default)]
pub(crate) struct Params {
    pub(crate) fields: Map<String, Value>,
    pub(crate) files: Vec<CallFile>,
}

impl Params {
    /// Reads the query string and a body of the given content type.
    pub(crate) fn decode(query: Option<&str>, content_type: &str, body: &Bytes) -> Result<Self, ApiError> {
        let mut params = Self::default();
        params.add_form(query.unwrap_or_default().as_bytes());
        if content_type.starts_with("application/json") {
            params.add_json(body)?;
        } else if content_type.starts_with("application/x-www-form-urlencoded") {
            params.add_form(body);
        } else if content_type.starts_with("multipart/form-data") {
            params.add_multipart(content_type, body)?;
        }
        Ok(params)
    }

    /// Parameters of a call made in a webhook answer: the object itself.
    pub(crate) fn from_object(fields: Map<String, Value>) -> Self {
        Self { fields, files: Vec::new() }
    }

    fn add_form(&mut self, text: &[u8]) {
        for (key, value) in url::form_urlencoded::parse(text) {
            self.fields.insert(key.into_owned(), Value::String(value.into_owned()));
        }
    }

    fn add_json(&mut self, body: &Bytes) -> Result<(), ApiError> {
        if body.is_empty() {
            return Ok(());
        }
        let fields: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|_| ApiError::bad_request("can't parse request body JSON object"))?;
        if self.fields.is_empty() {
            self.fields = fields;
        } else {
            self.fields.extend(fields);
        }
        Ok(())
    }

    fn add_multipart(&mut self, content_type: &str, body: &Bytes) -> Result<(), ApiError> {
        let parts = multipart::boundary(content_type)
            .and_then(|boundary| multipart::parse(body, boundary))
            .ok_or_else(|| ApiError::new(400, "Bad Request: invalid multipart/form-data body"))?;
        for part in parts {
            if let Some(file_name) = part.file_name {
                self.files.push(CallFile {
                    field: part.name,
                    file_name,
                    content_type: part.content_type.unwrap_or_default(),
                    bytes: part.data,
                });
            } else {
                let text = String::from_utf8(part.data.to_vec())
                    .map_err(|_| ApiError::new(400, "Bad Request: strings must be encoded in UTF-8"))?;
                self.fields.insert(part.name, Value::String(text));
            }
        }
        Ok(())
    }

    /// The uploaded file of that field.
    pub(crate) fn file(&self, field: &str) -> Option<&CallFile> {
        self.files.iter().find(|file| file.field == field)
    }

    /// The parameter as text: a string as it is, numbers and flags in their JSON form, nothing when absent,
    /// null or empty.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        match self.fields.get(name)? {
            Value::Null => None,
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(Cow::Borrowed(text)),
            other => Some(Cow::Owned(other.to_string())),
        }
    }

    /// The parameter as a whole number, given as a number or as its digits.
    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        integer(self.fields.get(name)?)
    }

    /// The parameter as a real number.
    pub(crate) fn real(&self, name: &str) -> Option<f64> {
        match self.fields.get(name)? {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_f64(),
        }
    }

    /// The parameter as a flag: `true`, `True`, `yes` and `1` are yes.
    pub(crate) fn flag(&self, name: &str) -> bool {
        match self.fields.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => {
                matches!(text.to_ascii_lowercase().as_str(), "true" | "yes" | "1")
            }
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            _ => false,
        }
    }

    /// The parameter as an object or array, given so or as a JSON-serialised string.
    pub(crate) fn json(&self, name: &str) -> Result<Option<Cow<'_, Value>>, ()> {
        match self.fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => {
                serde_json::from_str(text).map(|value| Some(Cow::Owned(value))).map_err(|_| ())
            }
            Some(other) => Ok(Some(Cow::Borrowed(other))),
        }
    }
}

/// A whole number written as a number or as a string of digits.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    }
}
