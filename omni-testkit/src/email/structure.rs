//! BODYSTRUCTURE and ENVELOPE (RFC 3501, 7.4.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_parser::{Addr, HeaderValue, Message, MessageParser};

use super::mime::{self, Labelled, Part, field, slice};

/// A string as IMAP writes it: quoted, or a literal where it may not be.
pub(super) fn string(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        format!("{{{}}}\r\n{text}", text.len())
    }
}

fn nstring(text: Option<&str>) -> String {
    text.map_or_else(|| "NIL".to_owned(), string)
}

/// The BODYSTRUCTURE of a mail.
pub(super) fn body_structure(raw: &[u8], part: &Part) -> String {
    let header = slice(raw, &part.header);
    let disposition = field(header, "content-disposition").map(|value| Labelled::read(&value));
    let disposition = match disposition {
        Some(told) => format!("({} {})", string(&told.word), parameters(&told)),
        None => "NIL".to_owned(),
    };
    let (kind, subtype) = part.kind.word.split_once('/').unwrap_or(("text", "plain"));
    if !part.parts.is_empty() {
        let parts: String = part.parts.iter().map(|inner| body_structure(raw, inner)).collect();
        return format!("({parts} {} {} {disposition} NIL NIL)", string(subtype), parameters(&part.kind));
    }
    let body = slice(raw, &part.body);
    let encoding = field(header, "content-transfer-encoding").unwrap_or_else(|| "7bit".to_owned());
    let lines = body.iter().filter(|byte| **byte == b'\n').count();
    let further = match &part.mail {
        Some(mail) => {
            format!(" {} {} {lines}", envelope(slice(raw, &part.body)), body_structure(raw, mail))
        }
        None if kind == "text" => format!(" {lines}"),
        None => String::new(),
    };
    format!(
        "({} {} {} {} {} {} {}{further} NIL {disposition} NIL NIL)",
        string(kind),
        string(subtype),
        parameters(&with_charset(&part.kind)),
        nstring(field(header, "content-id").as_deref()),
        nstring(field(header, "content-description").as_deref()),
        string(&encoding.to_ascii_lowercase()),
        body.len(),
    )
}

/// A text without a charset is told as one in ASCII.
fn with_charset(kind: &Labelled) -> Labelled {
    let mut kind = kind.clone();
    if kind.word.starts_with("text/") && kind.parameter("charset").is_none() {
        kind.parameters.push(("charset".to_owned(), "us-ascii".to_owned()));
    }
    kind
}

fn parameters(of: &Labelled) -> String {
    let pairs: Vec<String> =
        of.parameters.iter().map(|(name, value)| format!("{} {}", string(name), string(value))).collect();
    if pairs.is_empty() { "NIL".to_owned() } else { format!("({})", pairs.join(" ")) }
}

/// The ENVELOPE of a mail.
pub(super) fn envelope(raw: &[u8]) -> String {
    let header = slice(raw, &mime::read(raw).header);
    let mail = MessageParser::default().parse_headers(header).unwrap_or_default();
    let told = |name| nstring(field(header, name).as_deref());
    let from = addresses(&mail, "From");
    let or_from = |name| match addresses(&mail, name).as_str() {
        "NIL" => from.clone(),
        found => found.to_owned(),
    };
    let (sender, reply_to) = (or_from("Sender"), or_from("Reply-To"));
    let [to, cc, bcc] = ["To", "Cc", "Bcc"].map(|name| addresses(&mail, name));
    format!(
        "({} {} {from} {sender} {reply_to} {to} {cc} {bcc} {} {})",
        told("date"),
        told("subject"),
        told("in-reply-to"),
        told("message-id")
    )
}

fn addresses(mail: &Message<'_>, name: &'static str) -> String {
    let Some(HeaderValue::Address(list)) = mail.header(name) else { return "NIL".to_owned() };
    let all: String = list.iter().map(address).collect();
    if all.is_empty() { "NIL".to_owned() } else { format!("({all})") }
}

fn address(addr: &Addr<'_>) -> String {
    let (local, host) = addr.address().and_then(|a| a.rsplit_once('@')).unwrap_or_default();
    let name = addr.name().map(|name| if name.is_ascii() { name.to_owned() } else { encoded_word(name) });
    format!("({} NIL {} {})", nstring(name.as_deref()), string(local), string(host))
}

/// A word of RFC 2047.
pub(super) fn encoded_word(text: &str) -> String {
    format!("=?utf-8?B?{}?=", STANDARD.encode(text))
}
