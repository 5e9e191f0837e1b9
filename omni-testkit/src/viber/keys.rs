//! What Viber takes as keyboards and cards.
//!
//! <https://developers.viber.com/docs/tools/keyboards/> (read 2026-11)

use serde_json::Value;

use super::check::{Refused, address, bad, limited, missing, only, refuse, text};

const ACTIONS: [&str; 5] = ["reply", "open-url", "location-picker", "share-phone", "none"];
/// Fields of a key or card that this simulator knows.
const FIELDS: [&str; 15] = [
    "Columns",
    "Rows",
    "ActionType",
    "ActionBody",
    "Text",
    "TextSize",
    "TextVAlign",
    "TextHAlign",
    "TextOpacity",
    "BgColor",
    "BgMedia",
    "BgMediaType",
    "Image",
    "Silent",
    "OpenURLType",
];

/// Checks a keyboard for apps of this level.
pub(super) fn keyboard(keyboard: &Value, level: u64) -> Result<(), Refused> {
    if text(keyboard, "Type")? != "keyboard" {
        return Err(bad("keyboard.Type"));
    }
    only(keyboard, &["Type", "DefaultHeight", "BgColor", "InputFieldState", "Buttons"])?;
    if keyboard.get("DefaultHeight").is_some_and(|flag| !flag.is_boolean()) {
        return Err(bad("keyboard.DefaultHeight"));
    }
    if keyboard.get("InputFieldState").is_some() && level < 4 {
        return Err(refuse(14, "incompatibleWithVersion"));
    }
    let mut area = 0;
    for key in buttons(keyboard)? {
        let (columns, rows) = button(key, level, 2)?;
        if text(key, "Text")?.is_empty() {
            return Err(bad("Text"));
        }
        area += columns * rows;
    }
    // <https://developers.viber.com/docs/faq/>: twelve rows of six columns.
    if area > 12 * 6 { Err(bad("keyboard.Buttons")) } else { Ok(()) }
}

/// Checks cards for apps of this level.
pub(super) fn rich_media(rich_media: &Value, level: u64) -> Result<(), Refused> {
    if level < 2 {
        return Err(refuse(14, "incompatibleWithVersion"));
    }
    if text(rich_media, "Type")? != "rich_media" {
        return Err(bad("rich_media.Type"));
    }
    only(rich_media, &["Type", "ButtonsGroupColumns", "ButtonsGroupRows", "BgColor", "Buttons"])?;
    let columns = number(rich_media, "ButtonsGroupColumns", 6)?;
    let rows = number(rich_media, "ButtonsGroupRows", 7)?;
    text(rich_media, "BgColor")?;
    let mut area = 0;
    for part in buttons(rich_media)? {
        let (width, height) = button(part, level, 7)?;
        if part.get("Image").is_some() {
            address(part, "Image")?;
        }
        area += width * height;
    }
    if area > columns * rows * 6 { Err(bad("rich_media.Buttons")) } else { Ok(()) }
}

fn buttons(of: &Value) -> Result<&Vec<Value>, Refused> {
    let buttons = of.get("Buttons").ok_or_else(|| missing("Buttons"))?.as_array();
    buttons.filter(|buttons| !buttons.is_empty()).ok_or_else(|| bad("Buttons"))
}

/// Width and height.
fn button(button: &Value, level: u64, most_rows: u64) -> Result<(u64, u64), Refused> {
    only(button, &FIELDS)?;
    let size = |field: &str, max, default| match button.get(field) {
        None => Ok(default),
        Some(_) => number(button, field, max),
    };
    let (columns, rows) = (size("Columns", 6, 6)?, size("Rows", most_rows, 1)?);
    if button.get("Text").is_some() {
        limited(button, "Text", 250)?;
    }
    if button.get("Silent").is_some_and(|flag| !flag.is_boolean()) {
        return Err(bad("Silent"));
    }
    if text(button, "ActionBody")?.is_empty() {
        return Err(missing("ActionBody"));
    }
    match button.get("ActionType").map_or(Some("reply"), Value::as_str).unwrap_or_default() {
        "open-url" => address(button, "ActionBody").map(drop)?,
        "share-phone" | "location-picker" if level < 3 => return Err(refuse(14, "incompatibleWithVersion")),
        action if ACTIONS.contains(&action) => {}
        _ => return Err(bad("ActionType")),
    }
    Ok((columns, rows))
}

fn number(of: &Value, field: &str, max: u64) -> Result<u64, Refused> {
    let found = of.get(field).ok_or_else(|| missing(field))?.as_u64();
    found.filter(|n| (1..=max).contains(n)).ok_or_else(|| bad(field))
}
