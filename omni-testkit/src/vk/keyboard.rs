//! Keyboards and carousels: VK's rules (<https://dev.vk.com/api/bots/development/keyboard>, read 2026-11).

use serde_json::{Map, Value};

use super::{
    error::{ApiError, ApiResult},
    record::{Key, KeyKind},
};

const LABEL: usize = 40;
const PAYLOAD: usize = 255;
const COLORS: [&str; 4] = ["primary", "secondary", "positive", "negative"];

fn broken(reason: impl AsRef<str>) -> ApiError {
    ApiError::because(911, reason.as_ref())
}

/// Checks a keyboard as `messages.send` does; error 911 names the reason.
pub(super) fn check(keyboard: &Value) -> ApiResult<()> {
    let Value::Object(fields) = keyboard else { return Err(broken("keyboard should be an object")) };
    known(fields, &["one_time", "inline", "buttons"], "keyboard")?;
    let flag = |name: &str| match fields.get(name) {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(broken(format!("{name} should be boolean"))),
    };
    let (is_inline, is_one_time) = (flag("inline")?, flag("one_time")?);
    if is_inline && is_one_time {
        return Err(broken("one_time is not allowed in inline keyboards"));
    }
    let rows = fields.get("buttons").and_then(Value::as_array);
    let rows = rows.ok_or_else(|| broken("buttons should be an array"))?;
    if is_inline && rows.is_empty() {
        return Err(broken("inline keyboard should have buttons"));
    }
    let (most_rows, most_keys) = if is_inline { (6, 10) } else { (10, 40) };
    if rows.len() > most_rows {
        return Err(broken(format!("too many rows, {most_rows} allowed")));
    }
    let mut count = 0;
    for row in rows {
        let row = row.as_array().ok_or_else(|| broken("row should be an array"))?;
        count += row.len();
        check_row(row)?;
    }
    if count > most_keys {
        return Err(broken(format!("too many buttons, {most_keys} allowed")));
    }
    Ok(())
}

fn check_row(row: &[Value]) -> ApiResult<()> {
    if row.is_empty() || row.len() > 5 {
        return Err(broken("row should have from 1 to 5 buttons"));
    }
    for button in row {
        let kind = check_button(button)?;
        if kind == KeyKind::Location && row.len() > 1 {
            return Err(broken("location takes a whole row"));
        }
    }
    Ok(())
}

fn check_button(button: &Value) -> ApiResult<KeyKind> {
    let Value::Object(fields) = button else { return Err(broken("button should be an object")) };
    known(fields, &["action", "color"], "button")?;
    let Some(Value::Object(action)) = fields.get("action") else {
        return Err(broken("button should have an action"));
    };
    let kind = check_action(action)?;
    match fields.get("color") {
        None => {}
        Some(_) if !matches!(kind, KeyKind::Text | KeyKind::Callback) => {
            return Err(broken("color is allowed in text and callback buttons only"));
        }
        Some(Value::String(color)) if COLORS.contains(&color.as_str()) => {}
        Some(color) => return Err(broken(format!("unknown color {color}"))),
    }
    Ok(kind)
}

fn check_action(action: &Map<String, Value>) -> ApiResult<KeyKind> {
    let named = action.get("type").and_then(Value::as_str).unwrap_or_default();
    let kind = kind(named).ok_or_else(|| broken(format!("unknown type {named:?} of a button")))?;
    let (allowed, needed): (&[&str], &[&str]) = match kind {
        KeyKind::Text | KeyKind::Callback => (&["type", "label", "payload"], &["label"]),
        KeyKind::OpenLink => (&["type", "label", "link", "payload"], &["label", "link"]),
        KeyKind::Location => (&["type", "payload"], &[]),
        KeyKind::OpenApp => {
            (&["type", "app_id", "owner_id", "label", "hash", "payload"], &["app_id", "label"])
        }
        KeyKind::VkPay => (&["type", "hash", "payload"], &["hash"]),
    };
    known(action, allowed, named)?;
    for name in needed {
        if action.get(*name).is_none_or(|value| value.as_str() == Some("")) {
            return Err(broken(format!("{name} is required in a button of type {named}")));
        }
    }
    let label =
        action.get("label").map(|label| label.as_str().ok_or_else(|| broken("label should be a string")));
    if label.transpose()?.is_some_and(|label| label.chars().count() > LABEL) {
        return Err(broken(format!("label is longer than {LABEL} characters")));
    }
    if let Some(link) = action.get("link") {
        let link = link.as_str().and_then(|link| url::Url::parse(link).ok());
        if !link.is_some_and(|link| matches!(link.scheme(), "http" | "https")) {
            return Err(broken("link is not a valid address"));
        }
    }
    check_payload(action.get("payload"), kind)?;
    Ok(kind)
}

fn check_payload(payload: Option<&Value>, kind: KeyKind) -> ApiResult<()> {
    let Some(payload) = payload else {
        let needs = kind == KeyKind::Callback;
        return if needs { Err(broken("payload is required in a callback button")) } else { Ok(()) };
    };
    // VK takes an object in place of the string that it documents.
    let text = payload.as_str().map_or_else(|| payload.to_string(), str::to_owned);
    if text.chars().count() > PAYLOAD {
        return Err(broken(format!("payload is longer than {PAYLOAD} characters")));
    }
    match serde_json::from_str::<Value>(&text) {
        Ok(_) => Ok(()),
        Err(_) => Err(broken("payload should be a valid json")),
    }
}

/// Checks a carousel.
pub(super) fn check_template(template: &Value) -> ApiResult<()> {
    let Value::Object(fields) = template else { return Err(broken("template should be an object")) };
    if fields.get("type").and_then(Value::as_str) != Some("carousel") {
        return Err(broken("template type should be carousel"));
    }
    let elements = fields.get("elements").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if elements.is_empty() || elements.len() > 10 {
        return Err(broken("carousel should have from 1 to 10 elements"));
    }
    let mut shapes = elements.iter().map(check_element);
    let first = shapes.next().transpose()?;
    for shape in shapes {
        if Some(shape?) != first {
            return Err(broken("elements of a carousel should have the same set of fields"));
        }
    }
    Ok(())
}

/// Checks one element and gives its set of fields.
fn check_element(element: &Value) -> ApiResult<Vec<String>> {
    let Value::Object(fields) = element else { return Err(broken("element should be an object")) };
    known(fields, &["title", "description", "photo_id", "action", "buttons"], "element")?;
    for name in ["title", "description"] {
        match fields.get(name).map(Value::as_str) {
            None => {}
            Some(Some(text)) if text.chars().count() <= 80 => {}
            Some(_) => return Err(broken(format!("{name} should be a string of up to 80 characters"))),
        }
    }
    if fields.contains_key("title") != fields.contains_key("description")
        || (!fields.contains_key("title") && !fields.contains_key("photo_id"))
    {
        return Err(broken("element should have a photo_id, or a title with a description"));
    }
    let buttons = fields.get("buttons").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if fields.contains_key("buttons") && !(1..=3).contains(&buttons.len()) {
        return Err(broken("element should have from 1 to 3 buttons"));
    }
    buttons.iter().try_for_each(|button| check_button(button).map(drop))?;
    let kind = fields.get("action").map(|action| action.get("type").and_then(Value::as_str));
    if kind.is_some_and(|kind| !matches!(kind, Some("open_link" | "open_photo"))) {
        return Err(broken("action of an element should be open_link or open_photo"));
    }
    Ok(fields.keys().cloned().collect())
}

/// Photos that a carousel names.
pub(super) fn photos(template: &Value) -> impl Iterator<Item = &str> {
    elements(template).filter_map(|element| element.get("photo_id")?.as_str())
}

fn elements(template: &Value) -> impl Iterator<Item = &Value> {
    template.get("elements").and_then(Value::as_array).into_iter().flatten()
}

fn known(fields: &Map<String, Value>, allowed: &[&str], what: &str) -> ApiResult<()> {
    match fields.keys().find(|key| !allowed.contains(&key.as_str())) {
        Some(key) => Err(broken(format!("unexpected field {key} in {what}"))),
        None => Ok(()),
    }
}

fn kind(name: &str) -> Option<KeyKind> {
    Some(match name {
        "callback" => KeyKind::Callback,
        "location" => KeyKind::Location,
        "open_app" => KeyKind::OpenApp,
        "open_link" => KeyKind::OpenLink,
        "text" => KeyKind::Text,
        "vkpay" => KeyKind::VkPay,
        _ => return None,
    })
}

/// Whether a keyboard stands under its message.
pub(super) fn is_inline(keyboard: &Value) -> bool {
    keyboard.get("inline").and_then(Value::as_bool).unwrap_or(false)
}

/// Whether a keyboard goes away with the first press.
pub(super) fn is_one_time(keyboard: &Value) -> bool {
    keyboard.get("one_time").and_then(Value::as_bool).unwrap_or(false)
}

/// Keys of a checked keyboard.
pub(super) fn keys(keyboard: &Value) -> Vec<Key> {
    let rows = keyboard.get("buttons").and_then(Value::as_array).into_iter().flatten();
    rows.filter_map(Value::as_array).flatten().filter_map(key).collect()
}

/// Keys of a checked carousel.
pub(super) fn keys_of_carousel(template: &Value) -> Vec<Key> {
    elements(template).filter_map(|e| e.get("buttons")?.as_array()).flatten().filter_map(key).collect()
}

fn key(button: &Value) -> Option<Key> {
    let action = button.get("action")?;
    let text = |name: &str| action.get(name).and_then(Value::as_str).map(str::to_owned);
    let payload = action.get("payload").map(|p| p.as_str().map_or_else(|| p.to_string(), str::to_owned));
    let kind = kind(action.get("type")?.as_str()?)?;
    let color = button.get("color").and_then(Value::as_str).map(str::to_owned);
    Some(Key { kind, label: text("label").unwrap_or_default(), payload, link: text("link"), color })
}
