//! Keys. <https://dev.vk.com/api/bots/development/keyboard> (read 2026-11)

use omni_core::content::{Button, ButtonAction, Keyboard, KeyboardPlace};
use omni_core::error::Result;
use serde::Serialize;

use super::{Request, refused};
use crate::capabilities::{KEYS_IN_A_ROW, PAYLOAD};

/// Most rows under a message.
const INLINE_ROWS: usize = 6;
/// Most rows in place of the person's keyboard.
const ROWS: usize = 10;

#[derive(Debug, Serialize)]
struct Markup<'a> {
    // Not allowed under a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    one_time: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inline: Option<bool>,
    buttons: Vec<Vec<Key<'a>>>,
}

#[derive(Debug, Serialize)]
struct Key<'a> {
    action: Action<'a>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Action<'a> {
    Callback {
        label: &'a str,
        payload: String,
    },
    Location {
        payload: &'static str,
    },
    OpenLink {
        label: &'a str,
        link: &'a str,
    },
    Text {
        label: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<String>,
    },
}

/// Adds keys to a message.
pub(super) fn attach(request: Request, keyboard: &Keyboard) -> Result<Request> {
    const NAME: &str = "keyboard";
    let method = request.method;
    let markup = match keyboard.place {
        KeyboardPlace::Message => {
            let buttons = rows(method, keyboard, INLINE_ROWS, inline)?;
            Markup { one_time: None, inline: Some(true), buttons }
        }
        KeyboardPlace::Remove => Markup { one_time: Some(true), inline: None, buttons: Vec::new() },
        place => {
            let one_time = place == KeyboardPlace::QuickReplies;
            let buttons = rows(method, keyboard, ROWS, reply)?;
            Markup { one_time: Some(one_time), inline: None, buttons }
        }
    };
    request.with_json(NAME, &markup)
}

type Made<'a> = Result<Action<'a>, &'static str>;

fn rows<'a>(
    method: &'static str,
    keyboard: &'a Keyboard,
    most: usize,
    key: fn(&'a Button) -> Made<'a>,
) -> Result<Vec<Vec<Key<'a>>>> {
    let rows =
        laid_out(keyboard, most).ok_or_else(|| refused(method, "there are more keys than VK shows"))?;
    let made = |button: &&'a Button| match key(button) {
        Ok(action) => Ok(Key { action }),
        Err(why) => Err(refused(method, why)),
    };
    rows.iter().map(|row| row.iter().map(made).collect()).collect()
}

/// The rows as VK takes them: a key that asks for a place has a row of its own, and too many rows become fewer and
/// longer ones. `None` when there is no room even so.
fn laid_out(keyboard: &Keyboard, most: usize) -> Option<Vec<Vec<&Button>>> {
    let mut rows: Vec<Vec<&Button>> = Vec::new();
    for row in &keyboard.rows {
        let mut joins = false;
        for button in row {
            match rows.last_mut() {
                Some(last) if joins && !is_wide(button) => last.push(button),
                _ => rows.push(vec![button]),
            }
            joins = !is_wide(button);
        }
    }
    let fits = |rows: &[Vec<&Button>]| {
        rows.len() <= most && rows.iter().all(|row| row.len() <= KEYS_IN_A_ROW as usize)
    };
    if fits(&rows) {
        return Some(rows);
    }
    let wide = rows.iter().filter(|row| row.iter().any(|b| is_wide(b))).count();
    let left = most.checked_sub(wide).filter(|left| *left > 0)?;
    let keys: Vec<&Button> = rows.iter().flatten().copied().filter(|b| !is_wide(b)).collect();
    let mut fewer: Vec<Vec<&Button>> =
        keys.chunks(keys.len().div_ceil(left).max(1)).map(<[&Button]>::to_vec).collect();
    fewer.extend(rows.into_iter().filter(|row| row.iter().any(|b| is_wide(b))));
    fits(&fewer).then_some(fewer)
}

fn is_wide(button: &Button) -> bool {
    matches!(button.action, ButtonAction::ShareLocation)
}

/// Under a message.
fn inline(button: &Button) -> Made<'_> {
    let label = &button.label;
    match &button.action {
        ButtonAction::Press { data } => Ok(Action::Callback { label, payload: payload(data)? }),
        _ => other(button),
    }
}

/// In place of the keyboard: a key writes its label, and its data comes with it.
fn reply(button: &Button) -> Made<'_> {
    let label = &button.label;
    match &button.action {
        ButtonAction::Press { data } => Ok(Action::Text { label, payload: Some(payload(data)?) }),
        _ => other(button),
    }
}

fn other(button: &Button) -> Made<'_> {
    let label = &button.label;
    match &button.action {
        ButtonAction::Say => Ok(Action::Text { label, payload: None }),
        ButtonAction::Open { url } => Ok(Action::OpenLink { label, link: url.as_str() }),
        ButtonAction::ShareLocation => Ok(Action::Location { payload: "{}" }),
        _ => Err("VK has no key that asks for a phone number: ask for it in words"),
    }
}

/// Data within an object of our own, so that keys of ours are told from those of others, and VK may write the JSON
/// anew without changing it.
fn payload(data: &str) -> Result<String, &'static str> {
    #[derive(Serialize)]
    struct Payload<'a> {
        omni: &'a str,
    }
    let json = serde_json::to_string(&Payload { omni: data }).unwrap_or_default();
    if json.len() > PAYLOAD {
        return Err("the data of a key is too long for VK once its marks are escaped");
    }
    Ok(json)
}
