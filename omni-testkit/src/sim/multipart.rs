//! A small reader of `multipart/form-data` bodies that are already in memory.

use bytes::Bytes;

/// One part: its field, its file name when it is a file, its type and its bytes (a slice of the body).
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) data: Bytes,
}

/// The `boundary` parameter of a content type.
pub(crate) fn boundary(content_type: &str) -> Option<&str> {
    let (_, rest) = content_type.split_once("boundary=")?;
    let value = rest.split(';').next()?.trim();
    Some(value.trim_matches('"'))
}

/// Splits a body into parts without copying their data; `None` when the body is not well formed.
pub(crate) fn parse(body: &Bytes, boundary: &str) -> Option<Vec<Part>> {
    let delimiter = format!("--{boundary}");
    let marker = format!("\r\n--{boundary}");
    let mut at = find(body, delimiter.as_bytes(), 0)? + delimiter.len();
    let mut parts = Vec::new();
    loop {
        if body.get(at..at + 2)? == b"--" {
            return Some(parts);
        }
        let head = at + 2;
        let data = find(body, b"\r\n\r\n", head.saturating_sub(2))? + 4;
        let end = find(body, marker.as_bytes(), data.saturating_sub(2))?;
        let headers = std::str::from_utf8(body.get(head..data)?).ok()?;
        parts.push(part(headers, body.slice(data.min(end)..end))?);
        at = end + marker.len();
    }
}

fn part(headers: &str, data: Bytes) -> Option<Part> {
    let mut found = Part { name: String::new(), file_name: None, content_type: None, data };
    for line in headers.split("\r\n") {
        let Some((key, value)) = line.split_once(':') else { continue };
        match key.trim().to_ascii_lowercase().as_str() {
            "content-disposition" => {
                found.name = parameter(value, "name").unwrap_or_default();
                found.file_name = extended(value).or_else(|| parameter(value, "filename"));
            }
            "content-type" => found.content_type = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    (!found.name.is_empty()).then_some(found)
}

/// The value of `key=` in a header, quoted or not, with `\"` and `%22` undone.
fn parameter(header: &str, key: &str) -> Option<String> {
    for piece in split_outside_quotes(header) {
        let Some((name, value)) = piece.split_once('=') else { continue };
        if name.trim().eq_ignore_ascii_case(key) {
            let value = value.trim();
            let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
            return Some(inner.replace("\\\"", "\"").replace("%22", "\""));
        }
    }
    None
}

/// `filename*=utf-8''…` of RFC 5987, which clients use for names outside ASCII.
fn extended(header: &str) -> Option<String> {
    let value = parameter(header, "filename*")?;
    let encoded = value.splitn(3, '\'').nth(2)?;
    percent_decode(encoded)
}

/// Undoes `%XX`; `None` when the outcome is not UTF-8.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = (byte == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match hex {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).ok()
}

fn split_outside_quotes(header: &str) -> Vec<&str> {
    let (mut pieces, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, letter) in header.char_indices() {
        match letter {
            '\\' if quoted => escaped = !escaped,
            '"' if !escaped => quoted = !quoted,
            ';' if !quoted => {
                pieces.extend(header.get(start..at));
                start = at + 1;
            }
            _ => escaped = false,
        }
    }
    pieces.extend(header.get(start..));
    pieces
}

/// The place of `needle` in `hay` at or after `from`, by its first byte.
fn find(hay: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let (&first, mut at) = (needle.first()?, from);
    loop {
        at += hay.get(at..)?.iter().position(|&byte| byte == first)?;
        if hay.get(at..)?.starts_with(needle) {
            return Some(at);
        }
        at += 1;
    }
}
