//! Keys.

use omni_core::content::{Button, ButtonAction, Keyboard, KeyboardPlace};
use omni_core::error::Result;
use serde::Serialize;

use super::{Request, refused};
use crate::capabilities::CALLBACK_BYTES;

/// <https://core.telegram.org/bots/api#inlinekeyboardmarkup>
#[derive(Debug, Serialize)]
struct InlineKeyboardMarkup<'a> {
    inline_keyboard: Vec<Vec<InlineButton<'a>>>,
}

/// <https://core.telegram.org/bots/api#inlinekeyboardbutton>
#[derive(Debug, Serialize)]
struct InlineButton<'a> {
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
}

/// <https://core.telegram.org/bots/api#replykeyboardmarkup>
#[derive(Debug, Serialize)]
struct ReplyKeyboardMarkup<'a> {
    keyboard: Vec<Vec<ReplyButton<'a>>>,
    resize_keyboard: bool,
    #[serde(skip_serializing_if = "is_off")]
    one_time_keyboard: bool,
    #[serde(skip_serializing_if = "is_off")]
    is_persistent: bool,
}

/// <https://core.telegram.org/bots/api#keyboardbutton>
#[derive(Debug, Serialize)]
struct ReplyButton<'a> {
    text: &'a str,
    #[serde(skip_serializing_if = "is_off")]
    request_contact: bool,
    #[serde(skip_serializing_if = "is_off")]
    request_location: bool,
}

/// <https://core.telegram.org/bots/api#replykeyboardremove>
#[derive(Debug, Serialize)]
struct ReplyKeyboardRemove {
    remove_keyboard: bool,
}

/// Adds keys to a message.
pub(super) fn attach(request: Request, keyboard: &Keyboard) -> Result<Request> {
    const NAME: &str = "reply_markup";
    if request.method == "sendMediaGroup" {
        return Err(refused(request.method, "keys cannot hang under an album"));
    }
    let place = keyboard.place;
    match place {
        KeyboardPlace::Message => {
            let markup = InlineKeyboardMarkup { inline_keyboard: rows(&request, keyboard, inline)? };
            request.with_json(NAME, &markup)
        }
        KeyboardPlace::Remove => request.with_json(NAME, &ReplyKeyboardRemove { remove_keyboard: true }),
        _ => {
            let markup = ReplyKeyboardMarkup {
                keyboard: rows(&request, keyboard, reply)?,
                resize_keyboard: true,
                one_time_keyboard: place == KeyboardPlace::QuickReplies,
                is_persistent: place == KeyboardPlace::Menu,
            };
            request.with_json(NAME, &markup)
        }
    }
}

fn rows<'a, K>(
    request: &Request,
    keyboard: &'a Keyboard,
    key: fn(&'a Button) -> Result<K, &'static str>,
) -> Result<Vec<Vec<K>>> {
    keyboard
        .rows
        .iter()
        .filter(|row| !row.is_empty())
        .map(|row| row.iter().map(|button| key(button).map_err(|why| refused(request.method, why))).collect())
        .collect()
}

fn inline(button: &Button) -> Result<InlineButton<'_>, &'static str> {
    let text = &button.label;
    match &button.action {
        ButtonAction::Press { data } => Ok(InlineButton { text, callback_data: Some(data), url: None }),
        // Keys under a message cannot write for the person; the label comes back as data instead.
        ButtonAction::Say => Ok(InlineButton { text, callback_data: Some(as_data(text)), url: None }),
        ButtonAction::Open { url } => Ok(InlineButton { text, callback_data: None, url: Some(url.as_str()) }),
        _ => Err("a key that asks for a phone number or place cannot be under a message: use quick replies"),
    }
}

/// A label as the data of its key, cut at what Telegram takes: Cyrillic labels reach it at 32 letters. The event
/// of a press has the whole label beside it.
fn as_data(label: &str) -> &str {
    label.get(..label.floor_char_boundary(CALLBACK_BYTES as usize)).unwrap_or(label)
}

fn reply(button: &Button) -> Result<ReplyButton<'_>, &'static str> {
    let (request_contact, request_location) = match button.action {
        ButtonAction::SharePhone => (true, false),
        ButtonAction::ShareLocation => (false, true),
        // The label is written as the person's message, whatever data the key has.
        ButtonAction::Say | ButtonAction::Press { .. } => (false, false),
        _ => return Err("a key that opens a page has to be under a message"),
    };
    Ok(ReplyButton { text: &button.label, request_contact, request_location })
}

fn is_off(flag: &bool) -> bool {
    !*flag
}
