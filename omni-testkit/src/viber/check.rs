//! What Viber takes as a message.
//!
//! <https://developers.viber.com/docs/api/rest-bot-api/#send-message> and
//! <https://github.com/Viber/creators-hub/blob/main/docs/bots-api/data-models/message.md> (read 2026-11).
//! Unknown fields are refused as well: Viber would pass over them, and whoever sends them means something
//! else.

use serde_json::Value;

use super::keys;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) status: i64,
    pub(super) words: String,
}

pub(super) fn refuse(status: i64, words: &str) -> Refused {
    Refused { status, words: words.to_owned() }
}

/// A mandatory field is not there.
pub(super) fn missing(field: &str) -> Refused {
    refuse(4, &format!("missingData: {field}"))
}

/// A field has the wrong form, length or value.
pub(super) fn bad(field: &str) -> Refused {
    refuse(3, &format!("badData: {field}"))
}

const COMMON: [&str; 6] = ["auth_token", "min_api_version", "sender", "tracking_data", "type", "keyboard"];
const PICTURES: [&str; 4] = ["jpg", "jpeg", "png", "gif"];
const FORBIDDEN: &str = " bat bin cmd com cpl exe gadget inf1 ins inx isu job jse lnk msc msi msp mst paf pif ps1 \
                         reg rgs sct shb shs u3p vb vbe vbs vbscript ws wsf action app command csh osx workflow ksh \
                         out run apk ipa ";

/// Checks a message without its receivers, for an app of this level.
pub(super) fn message(message: &Value, level_of_app: u64) -> Result<(), Refused> {
    let level = match message.get("min_api_version") {
        None => 1,
        Some(level) => level.as_u64().filter(|level| *level > 0).ok_or_else(|| bad("min_api_version"))?,
    };
    if level > level_of_app {
        return Err(refuse(13, "apiVersionNotSupported"));
    }
    sender(message.get("sender").ok_or_else(|| missing("sender"))?)?;
    if message.get("tracking_data").is_some() {
        limited(message, "tracking_data", 4000)?;
    }
    if let Some(keyboard) = message.get("keyboard") {
        keys::keyboard(keyboard, level)?;
    }
    match message.get("type").map(Value::as_str) {
        // A keyboard may go alone.
        None if message.get("keyboard").is_some() => only(message, &COMMON),
        None => Err(missing("type")),
        Some(kind) => body(message, kind.unwrap_or_default(), level),
    }
}

fn sender(sender: &Value) -> Result<(), Refused> {
    if text(sender, "name")?.is_empty() {
        return Err(missing("sender.name"));
    }
    limited(sender, "name", 28)?;
    only(sender, &["name", "avatar"])?;
    match sender.get("avatar") {
        None => Ok(()),
        Some(_) => address(sender, "avatar").map(drop),
    }
}

fn body(message: &Value, kind: &str, level: u64) -> Result<(), Refused> {
    match kind {
        "text" => {
            if limited(message, "text", 7000)?.is_empty() {
                return Err(missing("text"));
            }
            fields(message, &["text"])
        }
        "picture" => {
            limited(message, "text", 768)?;
            file(message, &PICTURES)?;
            fields(message, &["text", "media", "thumbnail"])
        }
        "video" => {
            file(message, &["mp4"])?;
            size(message, 26 << 20)?;
            if message.get("text").is_some() {
                limited(message, "text", 768)?;
            }
            match message.get("duration").map(Value::as_u64) {
                None | Some(Some(0..=180)) => {}
                _ => return Err(bad("duration")),
            }
            fields(message, &["text", "media", "thumbnail", "size", "duration"])
        }
        "file" => {
            address(message, "media")?;
            size(message, 50 << 20)?;
            let name = limited(message, "file_name", 256)?;
            let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
            let ending = ending.ok_or_else(|| bad("file_name"))?;
            if FORBIDDEN.contains(&format!(" {ending} ")) {
                return Err(bad("file_name"));
            }
            fields(message, &["media", "size", "file_name"])
        }
        "contact" => {
            contact(message.get("contact").ok_or_else(|| missing("contact"))?)?;
            fields(message, &["contact"])
        }
        "location" => {
            let place = message.get("location").ok_or_else(|| missing("location"))?;
            degrees(place, "lat", 90.0)?;
            degrees(place, "lon", 180.0)?;
            only(place, &["lat", "lon"])?;
            fields(message, &["location"])
        }
        "url" => {
            address(message, "media")?;
            limited(message, "media", 2000)?;
            fields(message, &["media"])
        }
        "sticker" => {
            let id = message.get("sticker_id").ok_or_else(|| missing("sticker_id"))?;
            let is_number = id.is_u64() || id.as_str().is_some_and(|id| id.parse::<u64>().is_ok());
            if is_number { fields(message, &["sticker_id"]) } else { Err(bad("sticker_id")) }
        }
        "rich_media" => {
            keys::rich_media(message.get("rich_media").ok_or_else(|| missing("rich_media"))?, level)?;
            fields(message, &["rich_media", "alt_text"])
        }
        _ => Err(bad("type")),
    }
}

fn fields(message: &Value, own: &[&str]) -> Result<(), Refused> {
    only(message, &[&COMMON, own].concat())
}

/// Refuses fields of other names.
pub(super) fn only(object: &Value, known: &[&str]) -> Result<(), Refused> {
    let fields = object.as_object().ok_or_else(|| bad("body"))?;
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(bad(name)),
        None => Ok(()),
    }
}

/// A field that is text.
pub(super) fn text<'a>(object: &'a Value, field: &str) -> Result<&'a str, Refused> {
    object.get(field).ok_or_else(|| missing(field))?.as_str().ok_or_else(|| bad(field))
}

/// A field that is text of at most so many UTF-16 units.
pub(super) fn limited<'a>(object: &'a Value, field: &str, max: usize) -> Result<&'a str, Refused> {
    let text = text(object, field)?;
    if text.encode_utf16().count() > max { Err(bad(field)) } else { Ok(text) }
}

/// A field that is the address of something.
pub(super) fn address(object: &Value, field: &str) -> Result<url::Url, Refused> {
    let url = url::Url::parse(text(object, field)?).map_err(|_| bad(field))?;
    if matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(bad(field)) }
}

fn file(message: &Value, endings: &[&str]) -> Result<(), Refused> {
    let path = address(message, "media")?.path().to_lowercase();
    let fits = path.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending));
    if fits { Ok(()) } else { Err(bad("media")) }
}

fn size(message: &Value, max: u64) -> Result<(), Refused> {
    match message.get("size").ok_or_else(|| missing("size"))?.as_u64() {
        Some(size) if (1..=max).contains(&size) => Ok(()),
        _ => Err(bad("size")),
    }
}

fn contact(card: &Value) -> Result<(), Refused> {
    limited(card, "name", 28)?;
    let phone = limited(card, "phone_number", 18)?;
    let digits = phone.strip_prefix('+').unwrap_or(phone);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad("phone_number"));
    }
    only(card, &["name", "phone_number", "avatar"])
}

fn degrees(place: &Value, field: &str, max: f64) -> Result<(), Refused> {
    let value = place.get(field).ok_or_else(|| missing(field))?;
    let degrees = value.as_f64().or_else(|| value.as_str()?.parse().ok()).ok_or_else(|| bad(field))?;
    if degrees.abs() <= max { Ok(()) } else { Err(bad(field)) }
}
