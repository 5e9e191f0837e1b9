//! Keyboards: what `reply_markup` may hold.

use serde_json::{Value, json};

use super::{
    error::{ApiError, ApiResult},
    params::Params,
    state::ChatKind,
};

/// Longest `callback_data`, in bytes (<https://core.telegram.org/bots/api#inlinekeyboardbutton>).
const CALLBACK_DATA_LIMIT: usize = 64;
/// More inline buttons than this are too long a markup.
const BUTTON_LIMIT: usize = 100;
/// What makes an inline button do something.
const BUTTON_KINDS: [&str; 10] = [
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
];

/// A checked `reply_markup`.
#[derive(Debug)]
pub(crate) enum Markup {
    /// None was given, or an empty one.
    Absent,
    /// Buttons under the message.
    Inline(Value),
    /// A keyboard in place of the person's own, its removal, or a forced reply.
    Keyboard(Value),
}

impl Markup {
    /// Reads `reply_markup`.
    pub(crate) fn read(params: &Params) -> ApiResult<Self> {
        let value = params.json("reply_markup");
        let value =
            value.map_err(|()| ApiError::bad_request("Can't parse reply keyboard markup JSON object"))?;
        let Some(value) = value else { return Ok(Self::Absent) };
        let Some(object) = value.as_object() else {
            return Err(ApiError::bad_request("Object expected as reply markup"));
        };
        if let Some(keyboard) = object.get("keyboard") {
            return Ok(match check_rows(keyboard, "keyboard", check_key)? {
                0 => Self::Absent,
                _ => Self::Keyboard(value.into_owned()),
            });
        }
        if let Some(keyboard) = object.get("inline_keyboard") {
            return Ok(match check_rows(keyboard, "inline_keyboard", check_button)? {
                0 => Self::Absent,
                count if count > BUTTON_LIMIT => {
                    return Err(ApiError::bad_request("reply markup is too long"));
                }
                _ => Self::Inline(json!({"inline_keyboard": keyboard})),
            });
        }
        let is_other =
            ["remove_keyboard", "force_reply"].iter().any(|key| object.get(*key) == Some(&true.into()));
        Ok(if is_other { Self::Keyboard(value.into_owned()) } else { Self::Absent })
    }

    /// Whether the markup fits the chat: reply keyboards go to people and groups, requests for a phone number
    /// or a place to private chats only.
    pub(crate) fn check(&self, kind: ChatKind, is_business: bool) -> ApiResult<()> {
        let Self::Keyboard(value) = self else { return Ok(()) };
        if kind == ChatKind::Channel || is_business {
            return Err(ApiError::bad_request("Inline keyboard expected"));
        }
        let rows = value.get("keyboard").and_then(Value::as_array);
        let mut keys = rows.into_iter().flatten().filter_map(Value::as_array).flatten();
        if kind == ChatKind::Private {
            return Ok(());
        }
        match keys
            .find_map(|key| ["request_contact", "request_location"].iter().find(|k| key.get(*k).is_some()))
        {
            Some(&"request_contact") => {
                Err(ApiError::bad_request("Phone number can be requested in private chats only"))
            }
            Some(_) => Err(ApiError::bad_request("Location can be requested in private chats only")),
            None => Ok(()),
        }
    }

    /// The `reply_markup` of the sent message: only inline keyboards are shown.
    pub(crate) fn inline(&self) -> Option<&Value> {
        match self {
            Self::Inline(value) => Some(value),
            Self::Absent | Self::Keyboard(_) => None,
        }
    }
}

/// Checks every button and counts them.
fn check_rows(rows: &Value, field: &str, check: fn(&Value) -> ApiResult<()>) -> ApiResult<usize> {
    let shape = || ApiError::bad_request(&format!("Field \"{field}\" must be an Array of Arrays"));
    let mut count = 0;
    for row in rows.as_array().ok_or_else(shape)? {
        for button in row.as_array().ok_or_else(shape)? {
            check(button)?;
            count += 1;
        }
    }
    Ok(count)
}

fn check_key(key: &Value) -> ApiResult<()> {
    let text = key.as_str().or_else(|| key.get("text").and_then(Value::as_str));
    match text {
        None => Err(ApiError::bad_request(
            "Can't parse keyboard button: KeyboardButton must be a String or an Object",
        )),
        Some("") => Err(ApiError::bad_request("Keyboard button text must be non-empty")),
        Some(_) => Ok(()),
    }
}

fn check_button(button: &Value) -> ApiResult<()> {
    let fail =
        |reason: &str| Err(ApiError::bad_request(&format!("Can't parse inline keyboard button: {reason}")));
    let Some(fields) = button.as_object() else { return fail("InlineKeyboardButton must be an Object") };
    match fields.get("text").and_then(Value::as_str) {
        None => return fail("Can't find field \"text\""),
        Some("") => return Err(ApiError::bad_request("Inline keyboard button text must be non-empty")),
        Some(_) => {}
    }
    let filled = |kind: &&str| {
        fields.get(*kind).is_some_and(|value| value.as_str() != Some("") || kind.starts_with("switch"))
    };
    let Some(kind) = BUTTON_KINDS.iter().find(|kind| filled(kind)) else {
        return fail("Text buttons are unallowed in the inline keyboard");
    };
    let value = fields.get(*kind).and_then(Value::as_str).unwrap_or_default();
    match *kind {
        "callback_data" if value.len() > CALLBACK_DATA_LIMIT => {
            Err(ApiError::bad_request("BUTTON_DATA_INVALID"))
        }
        "url" if !is_link(value) => Err(ApiError::bad_request(&format!(
            "Inline keyboard button URL '{value}' is invalid: Wrong HTTP URL"
        ))),
        "copy_text" => {
            let text = fields.get("copy_text").and_then(|c| c.get("text")).and_then(Value::as_str);
            match text.map(|text| text.chars().count()) {
                Some(1..=256) => Ok(()),
                _ => Err(ApiError::bad_request("BUTTON_COPY_TEXT_INVALID")),
            }
        }
        _ => Ok(()),
    }
}

/// The server takes a link without a scheme as HTTP, and wants a dot in a host.
fn is_link(text: &str) -> bool {
    let known = ["http://", "https://", "tg://", "ton://", "tonsite://"];
    let rest = known.iter().find_map(|scheme| text.strip_prefix(scheme));
    match rest {
        Some(rest) if text.starts_with("http") => {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            host.contains('.') && !text.contains(char::is_whitespace)
        }
        Some(rest) => !rest.is_empty(),
        None => text.contains('.') && !text.contains(char::is_whitespace) && !text.contains(':'),
    }
}
