//! Text as the server treats it: trimming, lengths in UTF-16 units, entities and their checks.

use serde_json::{Value, json};

use super::{
    error::{ApiError, ApiResult},
    html,
    json::{field, set},
    params::Params,
};

/// Longest text of a message, after entity parsing (<https://core.telegram.org/bots/api#sendmessage>).
pub(crate) const TEXT_LIMIT: usize = 4096;
/// Longest caption, after entity parsing (<https://core.telegram.org/bots/api#sendphoto>).
pub(crate) const CAPTION_LIMIT: usize = 1024;
/// More entities than this are ignored.
const ENTITY_LIMIT: usize = 100;

/// Text and its entities as they will be shown.
#[derive(Debug, Default)]
pub(crate) struct Formatted {
    pub(crate) text: String,
    pub(crate) entities: Vec<Value>,
}

/// UTF-16 units of a text.
pub(crate) fn units(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// Reads a text with `parse_mode` or explicit entities: parsed, checked and trimmed.
pub(crate) fn formatted(params: &Params, text: &str, entities_field: &str) -> ApiResult<Formatted> {
    let explicit = params.json(entities_field).ok().flatten();
    format(text, params.text("parse_mode").as_deref(), explicit.as_deref())
}

/// The same for a text inside an object, such as an item of an album.
pub(crate) fn format(text: &str, parse_mode: Option<&str>, explicit: Option<&Value>) -> ApiResult<Formatted> {
    let mode = parse_mode.unwrap_or_default().to_ascii_lowercase();
    let (text, entities) = match mode.as_str() {
        "html" if !text.is_empty() => html::parse(text)
            .map_err(|reason| ApiError::new(400, format!("Bad Request: can't parse entities: {reason}")))?,
        // The Markdown modes are taken as plain text: see the module's documentation.
        "" | "none" | "markdown" | "markdownv2" | "html" => {
            (text.to_owned(), explicit_entities(text, explicit)?)
        }
        _ => return Err(ApiError::bad_request("unsupported parse_mode")),
    };
    let mut done = trim(text, entities);
    if done.entities.is_empty() {
        done.entities = detect(&done.text);
    }
    Ok(done)
}

/// Checks entities given by the caller against the text.
fn explicit_entities(text: &str, explicit: Option<&Value>) -> ApiResult<Vec<Value>> {
    let Some(Value::Array(given)) = explicit else { return Ok(Vec::new()) };
    let total = units(text) as i64;
    let mut kept = Vec::new();
    for entity in given.iter().take(ENTITY_LIMIT) {
        let (offset, length) = (field(entity, "offset").as_i64(), field(entity, "length").as_i64());
        let (Some(offset), Some(length)) = (offset, length) else {
            return Err(ApiError::bad_request(
                "can't parse MessageEntity: Field \"offset\" must be of type Number",
            ));
        };
        check_span(text, total, offset, length)?;
        if length > 0 {
            kept.push(entity.clone());
        }
    }
    Ok(kept)
}

fn check_span(text: &str, total: i64, offset: i64, length: i64) -> ApiResult<()> {
    if offset < 0 {
        return Err(ApiError::bad_request(&format!("Receive an entity with incorrect offset {offset}")));
    }
    if length < 0 {
        return Err(ApiError::bad_request(&format!("Receive an entity with incorrect length {length}")));
    }
    if offset >= total && length > 0 {
        let sentence = format!("Entity begins after the end of the text at UTF-16 offset {offset}");
        return Err(ApiError::bad_request(&sentence));
    }
    if offset + length > total {
        return Err(ApiError::bad_request(&format!(
            "Entity beginning at UTF-16 offset {offset} ends after the end of the text at UTF-16 offset {}",
            offset + length
        )));
    }
    if let Some(byte) = middle_of_pair(text, offset) {
        let sentence = format!("Entity begins in a middle of a UTF-16 symbol at byte offset {byte}");
        return Err(ApiError::bad_request(&sentence));
    }
    if let Some(byte) = middle_of_pair(text, offset + length) {
        return Err(ApiError::bad_request(&format!(
            "Entity beginning at UTF-16 offset {offset} ends in a middle of a UTF-16 symbol at byte offset {byte}"
        )));
    }
    Ok(())
}

/// The byte after the symbol that a UTF-16 offset would cut in two.
fn middle_of_pair(text: &str, offset: i64) -> Option<usize> {
    let mut seen = 0;
    for (at, letter) in text.char_indices() {
        if seen >= offset {
            return None;
        }
        seen += letter.len_utf16() as i64;
        if seen > offset {
            return Some(at + letter.len_utf8());
        }
    }
    None
}

/// Cuts white space at both ends and moves the entities along.
fn trim(text: String, entities: Vec<Value>) -> Formatted {
    let shown = text.trim();
    if shown.len() == text.len() {
        return Formatted { text, entities };
    }
    let cut = units(text.get(..text.len() - text.trim_start().len()).unwrap_or_default()) as i64;
    let end = units(shown) as i64;
    let entities = entities.into_iter().filter_map(|mut entity| {
        let (from, length) = (field(&entity, "offset").as_i64()?, field(&entity, "length").as_i64()?);
        let (start, stop) = ((from - cut).max(0), (from + length - cut).min(end));
        (stop > start).then(|| {
            set(&mut entity, "offset", start);
            set(&mut entity, "length", stop - start);
            entity
        })
    });
    Formatted { entities: entities.collect(), text: shown.to_owned() }
}

/// Finds what the server marks by itself: bot commands and plain links. Mentions, hashtags, e-mails and phone
/// numbers are left unmarked.
pub(crate) fn detect(text: &str) -> Vec<Value> {
    if !text.contains('/') {
        return Vec::new();
    }
    let (mut entities, mut offset) = (Vec::new(), 0);
    for word in text.split_inclusive(char::is_whitespace) {
        let shown = word.trim_end();
        if shown.starts_with("http://") || shown.starts_with("https://") {
            entities.push(json!({"type": "url", "offset": offset, "length": units(shown)}));
        } else if let Some(length) = command_length(shown) {
            entities.push(json!({"type": "bot_command", "offset": offset, "length": length}));
        }
        offset += units(word);
    }
    entities
}

/// Length of `/command` or `/command@bot` at the start of a word.
fn command_length(word: &str) -> Option<usize> {
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let body = word.strip_prefix('/')?;
    let command = body.find(|c| !name(c)).unwrap_or(body.len());
    if command == 0 || command > 64 {
        return None;
    }
    let tail = body.get(command..).unwrap_or_default();
    let bot = tail.strip_prefix('@').map_or(0, |t| 1 + t.find(|c| !name(c)).unwrap_or(t.len()));
    Some(1 + command + bot)
}
