//! A mail too large to be fetched whole, made of its header and its texts.

use super::field::Fields;

/// A text of a mail, as a server gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadedText<'a> {
    /// Its header (`BODY[2.1.MIME]`, RFC 3501, 6.4.5); empty for the only part of a mail in one part.
    pub mime: &'a [u8],
    /// Its bytes (`BODY[2.1]`), not decoded; they may end too early.
    pub bytes: &'a [u8],
}

/// The bytes of a mail that has the header and the texts of another and none of its files: to be given to
/// [`read`](super::read). Plain texts and HTML are forms of the same words, each joined in order.
pub fn reduced(header: &[u8], texts: &[LoadedText<'_>]) -> Vec<u8> {
    if let [only] = texts
        && only.mime.trim_ascii().is_empty()
    {
        return [without_end(header), b"\r\n\r\n".as_slice(), only.bytes].concat();
    }
    let mut out = without_mime(header);
    if texts.is_empty() {
        return [out.as_slice(), b"Content-Type: text/plain\r\n\r\n"].concat();
    }
    let outer = boundary(texts, "outer");
    let inner = boundary(texts, "inner");
    let is_html = |text: &&LoadedText<'_>| {
        let (fields, _) = Fields::split(text.mime);
        fields.typed("content-type").is_some_and(|kind| kind.value == "text/html")
    };
    let (html, plain): (Vec<&LoadedText<'_>>, Vec<_>) = texts.iter().partition(is_html);
    multipart("alternative", &outer, &mut out);
    for form in [plain, html].into_iter().filter(|form| !form.is_empty()) {
        out.extend_from_slice(format!("--{outer}\r\n").as_bytes());
        multipart("mixed", &inner, &mut out);
        for text in form {
            out.extend_from_slice(format!("--{inner}\r\n").as_bytes());
            out.extend_from_slice(without_end(text.mime));
            out.extend_from_slice(b"\r\n\r\n");
            out.extend_from_slice(text.bytes);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(format!("--{inner}--\r\n").as_bytes());
    }
    out.extend_from_slice(format!("--{outer}--\r\n").as_bytes());
    out
}

fn multipart(kind: &str, boundary: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(
        format!("Content-Type: multipart/{kind}; boundary=\"{boundary}\"\r\n\r\n").as_bytes(),
    );
}

/// A boundary that stands in none of the texts.
fn boundary(texts: &[LoadedText<'_>], name: &str) -> String {
    let taken = |boundary: &String| {
        let line = format!("--{boundary}");
        texts.iter().any(|text| text.bytes.split(|b| *b == b'\n').any(|l| l.starts_with(line.as_bytes())))
    };
    let numbers = 0_u32..;
    numbers.map(|number| format!("omni-{name}-{number}")).find(|b| !taken(b)).unwrap_or_default()
}

fn without_end(header: &[u8]) -> &[u8] {
    header.trim_ascii_end()
}

/// A header without the fields that tell how the body is made.
fn without_mime(header: &[u8]) -> Vec<u8> {
    let (fields, _) = Fields::split(header);
    let mut out = Vec::new();
    for (name, value) in fields.iter() {
        if name.get(..8).is_some_and(|begin| begin.eq_ignore_ascii_case(b"content-")) {
            continue;
        }
        out.extend_from_slice(name);
        out.push(b':');
        out.extend_from_slice(value.trim_ascii_end());
        out.extend_from_slice(b"\r\n");
    }
    out
}
