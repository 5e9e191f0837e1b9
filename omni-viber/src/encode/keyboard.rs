//! Keys. Viber has one kind: in place of the person's keyboard, until our next message.

use omni_core::content::{Button, ButtonAction, Keyboard, KeyboardPlace};
use omni_core::error::Result;

use super::refused;
use crate::capabilities::{KEYBOARD_ROWS, LABEL, ROW, UNIT};
use crate::wire::{ActionType, Key, Outgoing};

/// What stands before the data of a key. A press comes back as the person's message with nothing but the
/// data, so it has to be told from words.
pub const PRESS: &str = "omni:";

/// <https://developers.viber.com/docs/tools/keyboards/>: asking for a phone number or place (read 2026-11).
const SHARE_LEVEL: u8 = 3;

/// Adds keys to a message.
pub(super) fn attach(method: &'static str, message: &mut Outgoing, keyboard: &Keyboard) -> Result<()> {
    // Every message without a keyboard takes the last one away.
    if keyboard.place == KeyboardPlace::Remove {
        return Ok(());
    }
    let rows = laid_out(keyboard);
    if rows.is_empty() {
        return Ok(());
    }
    let mut buttons = Vec::new();
    for row in rows {
        let widths = widths(row.len());
        for (button, columns) in row.into_iter().zip(widths) {
            buttons.push(key(button, columns).map_err(|why| refused(method, why))?);
        }
    }
    let shares = |key: &Key| matches!(key.action_type, ActionType::SharePhone | ActionType::LocationPicker);
    if buttons.iter().any(shares) {
        message.min_api_version = message.min_api_version.max(SHARE_LEVEL);
    }
    message.keyboard = Some(crate::wire::Keyboard { default_height: false, buttons });
    Ok(())
}

/// The rows as they were asked for, or fuller ones when there are more than fit on a screen.
fn laid_out(keyboard: &Keyboard) -> Vec<Vec<&Button>> {
    let rows: Vec<Vec<&Button>> = keyboard
        .rows
        .iter()
        .flat_map(|row| row.chunks(ROW as usize))
        .map(|row| row.iter().collect())
        .collect();
    if rows.len() <= KEYBOARD_ROWS {
        return rows;
    }
    let all: Vec<&Button> = rows.into_iter().flatten().collect();
    let a_row = all.len().div_ceil(KEYBOARD_ROWS).max(1);
    all.chunks(a_row).map(<[&Button]>::to_vec).collect()
}

/// The six columns of a row, shared out.
fn widths(keys: usize) -> impl Iterator<Item = u8> {
    let (each, more) = ((ROW as usize) / keys.max(1), (ROW as usize) % keys.max(1));
    (0..keys).map(move |at| u8::try_from(each + usize::from(at < more)).unwrap_or(1))
}

fn key(button: &Button, columns: u8) -> Result<Key, &'static str> {
    if UNIT.measure(&button.label) > LABEL as usize || button.label.trim().is_empty() {
        return Err("what is written on a key must have 1 to 250 characters");
    }
    let (action_type, action_body, silent) = match &button.action {
        // Not shown in the chat: what comes back is no word of the person.
        ButtonAction::Press { data } => (ActionType::Reply, format!("{PRESS}{data}"), true),
        ButtonAction::Say => (ActionType::Reply, button.label.clone(), false),
        // Else the address would come back as the person's message.
        ButtonAction::Open { url } => (ActionType::OpenUrl, url.to_string(), true),
        // Any text has to be there.
        ButtonAction::SharePhone => (ActionType::SharePhone, "phone".to_owned(), false),
        ButtonAction::ShareLocation => (ActionType::LocationPicker, "location".to_owned(), false),
        _ => return Err("a key of this kind is not known here"),
    };
    Ok(Key { columns, rows: 1, action_type, action_body, text: harmless(&button.label), silent })
}

/// Words on keys and cards are read as HTML by apps of level 4 and up. How to escape a mark is not told, so
/// what would begin a tag gets a blank of no width behind its `<` (law 12).
pub(super) fn harmless(words: &str) -> String {
    let mut safe = String::with_capacity(words.len());
    let mut signs = words.chars().peekable();
    while let Some(sign) = signs.next() {
        safe.push(sign);
        let begins_tag = |next: &char| next.is_ascii_alphabetic() || *next == '/';
        if sign == '<' && signs.peek().is_some_and(begins_tag) {
            safe.push('\u{200b}');
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_always_fills_its_six_columns() {
        for keys in 1..=6 {
            let widths: Vec<u8> = widths(keys).collect();
            assert_eq!((widths.len(), widths.iter().sum::<u8>()), (keys, 6), "{widths:?}");
        }
        assert_eq!(widths(4).collect::<Vec<_>>(), [2, 2, 1, 1]);
    }

    #[test]
    fn more_rows_than_fit_are_packed_tighter_in_order() {
        let rows = (0..20).map(|n| vec![Button::say(format!("{n}"))]).collect();
        let keyboard = Keyboard { place: KeyboardPlace::QuickReplies, rows };
        let laid_out = laid_out(&keyboard);
        assert_eq!(laid_out.len(), 10);
        let labels: Vec<&str> = laid_out.iter().flatten().map(|b| b.label.as_str()).collect();
        assert_eq!(labels, (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn words_on_a_key_cannot_become_markup() {
        assert_eq!(harmless("<b>Да</b> 1 < 2 <3 👨‍👩‍👧"), "<\u{200b}b>Да<\u{200b}/b> 1 < 2 <3 👨‍👩‍👧");
    }
}
