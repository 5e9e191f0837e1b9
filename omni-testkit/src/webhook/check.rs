//! What the program takes: a right signature and the fields of the protocol, and nothing else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use omni_core::Timestamp;
use omni_core::crypto::{constant_time_eq, from_hex, hmac_sha256};
use serde_json::{Value, json};

use crate::sim::{Reply, Request};

/// How many seconds ago a request may have been signed.
const TOLERANCE: i64 = 300;

/// A refusal in the form of the protocol.
#[must_use]
pub fn refusal(status: u16, kind: &str, text: &str) -> Reply {
    Reply::json(status, &json!({"error": {"kind": kind, "text": text}}))
}

/// A request that is not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    status: u16,
    kind: &'static str,
    text: String,
}

impl Refused {
    pub(super) fn new(status: u16, kind: &'static str, text: &str) -> Self {
        Self { status, kind, text: text.to_owned() }
    }

    pub(super) fn reply(&self) -> Reply {
        refusal(self.status, self.kind, &self.text)
    }
}

/// Something about the request is not as the protocol says.
pub(super) fn bad(text: &str) -> Refused {
    Refused::new(400, "content_rejected", text)
}

/// Whether it is signed under one of the keys, not long ago.
pub(super) fn signature(request: &Request, keys: &[String], now: Timestamp) -> Result<(), Refused> {
    let refuse = |text: &str| Err(Refused::new(401, "bad_signature", text));
    let Some(timestamp) = request.header("x-omni-timestamp") else { return refuse("no timestamp") };
    let Some(signatures) = request.header("x-omni-signature") else { return refuse("no signature") };
    let Ok(at) = timestamp.parse::<i64>() else { return refuse("the timestamp is no number") };
    if (now.as_millis() / 1000 - at).abs() > TOLERANCE {
        return refuse("signed too long ago");
    }
    let signed = [timestamp.as_bytes(), b".", &request.body].concat();
    let given = signatures.split(',').filter_map(|one| from_hex(one.trim().strip_prefix("v1=")?));
    let fits = |given: &Vec<u8>| {
        keys.iter().any(|key| constant_time_eq(given, &hmac_sha256(key.as_bytes(), &signed)))
    };
    if given.collect::<Vec<_>>().iter().any(fits) { Ok(()) } else { refuse("wrong signature") }
}

/// Whether the body is a request of the protocol, without fields of other names.
pub(super) fn body(request: &Request, body: &Value) -> Result<(), Refused> {
    const SAYS: [&str; 7] = ["text", "entities", "media", "location", "contact", "items", "keyboard"];
    if !request.header("content-type").is_some_and(|kind| kind.starts_with("application/json")) {
        return Err(Refused::new(415, "content_rejected", "the body is not announced as JSON"));
    }
    match text(body, "type")? {
        "message" => {
            if request.header("x-omni-delivery") != Some(text(body, "id")?) {
                return Err(bad("X-Omni-Delivery is not the message's id"));
            }
            if !matches!(text(body, "author")?, "person" | "program") {
                return Err(bad("author"));
            }
            only(body, &[&["id", "address", "reply_to", "face", "author"], &SAYS[..]].concat())?;
            text(body, "address")?;
            says(body)
        }
        "edit" => {
            only(body, &[&["address", "message"], &SAYS[..]].concat())?;
            text(body, "address").and(text(body, "message"))?;
            says(body)
        }
        "delete" | "mark_read" => {
            text(body, "address").and(text(body, "message"))?;
            only(body, &["address", "message"])
        }
        "react" => {
            text(body, "address").and(text(body, "message"))?;
            list(body, "signs")?;
            only(body, &["address", "message", "signs"])
        }
        "typing" => text(body, "address").and(only(body, &["address"])),
        "answer_button" => text(body, "ticket").and(only(body, &["ticket", "text"])),
        "ping" => only(body, &[]),
        other => Err(Refused::new(400, "unsupported", other)),
    }
}

/// Whether a message says something, in the right form.
fn says(body: &Value) -> Result<(), Refused> {
    let words = match body.get("text") {
        None => 0,
        Some(_) => text(body, "text")?.encode_utf16().count(),
    };
    for entity in optional_list(body, "entities")? {
        let number = |name: &str| entity.get(name).and_then(Value::as_u64).ok_or_else(|| bad("entities"));
        if number("offset")? + number("length")? > words as u64 {
            return Err(bad("an entity reaches beyond the text"));
        }
    }
    let media = optional_list(body, "media")?;
    media.iter().try_for_each(file)?;
    let items = optional_list(body, "items")?;
    if let Some(place) = body.get("location") {
        let is_there = |name: &str| place.get(name).is_some_and(Value::is_number);
        if !is_there("latitude") || !is_there("longitude") {
            return Err(bad("location"));
        }
    }
    if let Some(card) = body.get("contact") {
        text(card, "name")?;
    }
    if let Some(keyboard) = body.get("keyboard") {
        text(keyboard, "place").and(list(keyboard, "rows").map(drop))?;
    }
    let nothing = words == 0 && media.is_empty() && items.is_empty();
    if nothing && body.get("location").or(body.get("contact")).is_none() {
        return Err(bad("the message says nothing"));
    }
    Ok(())
}

fn file(file: &Value) -> Result<(), Refused> {
    text(file, "kind")?;
    match (file.get("url").and_then(Value::as_str), file.get("data").and_then(Value::as_str)) {
        (Some(url), None) => match url::Url::parse(url) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(()),
            _ => Err(bad("the address of a file")),
        },
        (None, Some(data)) => match STANDARD.decode(data) {
            Ok(bytes) if file.get("size").and_then(Value::as_u64) == Some(bytes.len() as u64) => Ok(()),
            _ => Err(bad("the bytes of a file")),
        },
        _ => Err(bad("a file has one of url and data")),
    }
}

/// Refuses fields of other names.
fn only(body: &Value, known: &[&str]) -> Result<(), Refused> {
    let mut names = body.as_object().into_iter().flat_map(|fields| fields.keys());
    match names.find(|name| *name != "type" && !known.contains(&name.as_str())) {
        Some(name) => Err(bad(&format!("{name} is unknown"))),
        None => Ok(()),
    }
}

/// A field that is text and not empty.
pub(super) fn text<'a>(body: &'a Value, field: &str) -> Result<&'a str, Refused> {
    let found = body.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    found.ok_or_else(|| bad(&format!("{field} is missing")))
}

/// A field that is a list.
pub(super) fn list<'a>(body: &'a Value, field: &str) -> Result<&'a [Value], Refused> {
    let found = body.get(field).and_then(Value::as_array);
    found.map(Vec::as_slice).ok_or_else(|| bad(&format!("{field} is no list")))
}

/// A field that is a list with something in it, or is not there.
fn optional_list<'a>(body: &'a Value, field: &str) -> Result<&'a [Value], Refused> {
    if body.get(field).is_none() {
        return Ok(&[]);
    }
    match list(body, field)? {
        [] => Err(bad(&format!("{field} is empty"))),
        found => Ok(found),
    }
}
