//! Parameters of a call, whichever encoding carried them.

use bytes::Bytes;

use super::multipart;

/// Parameters of the query and the body, in their order.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// Names and values.
    pub fields: Vec<(String, String)>,
    /// Files of a multipart body.
    pub files: Vec<FormFile>,
}

/// A file of a multipart body.
#[derive(Clone, Debug)]
pub struct FormFile {
    /// Name of the field.
    pub field: String,
    /// File name as the client gave it.
    pub name: String,
    /// Content type of the part; empty when there was none.
    pub content_type: String,
    /// The bytes, shared with the body.
    pub bytes: Bytes,
}

impl Form {
    /// Reads a query and a body of a content type; what is no form is left out.
    pub(super) fn read(query: Option<&str>, content_type: &str, body: &Bytes) -> Self {
        let mut form = Self::default();
        form.add(query.unwrap_or_default().as_bytes());
        if content_type.starts_with("application/x-www-form-urlencoded") {
            form.add(body);
        } else if content_type.starts_with("multipart/form-data") {
            let boundary = multipart::boundary(content_type);
            for part in boundary.and_then(|b| multipart::parse(body, b)).unwrap_or_default() {
                form.add_part(part);
            }
        }
        form
    }

    fn add(&mut self, text: &[u8]) {
        self.fields.extend(url::form_urlencoded::parse(text).into_owned());
    }

    fn add_part(&mut self, part: multipart::Part) {
        match part.file_name {
            Some(name) => self.files.push(FormFile {
                field: part.name,
                name,
                content_type: part.content_type.unwrap_or_default(),
                bytes: part.data,
            }),
            None => self.fields.push((part.name, String::from_utf8_lossy(&part.data).into_owned())),
        }
    }

    /// A parameter; `None` when it is absent or empty. The last one of a name counts.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().rev().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A parameter as a whole number.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.text(name)?.trim().parse().ok()
    }

    /// A parameter as a flag: `1` and `true` are yes.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.text(name), Some("1" | "true"))
    }

    /// All values of a parameter that is repeated.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The file of a field.
    #[must_use]
    pub fn file(&self, field: &str) -> Option<&FormFile> {
        self.files.iter().find(|file| file.field == field)
    }
}
