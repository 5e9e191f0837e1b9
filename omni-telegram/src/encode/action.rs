//! Everything but sending.

use omni_core::content::{Content, Part};
use omni_core::error::Result;
use omni_core::{Address, Error, ProviderMessageId, Secret};
use serde::Serialize;
use url::Url;

use super::{Request, keyboard, media, number, refused, text};
use crate::address::TelegramAddress;

/// <https://core.telegram.org/bots/api#getme>
pub fn get_me() -> Request {
    Request::new("getMe")
}

/// <https://core.telegram.org/bots/api#getwebhookinfo>
pub fn get_webhook_info() -> Request {
    Request::new("getWebhookInfo")
}

/// <https://core.telegram.org/bots/api#getfile>
pub fn get_file(file_id: &str) -> Request {
    Request::new("getFile").with("file_id", file_id)
}

/// <https://core.telegram.org/bots/api#setwebhook>. The list of updates is always named, because Telegram keeps
/// the former one otherwise, and what waits is never dropped.
///
/// # Errors
/// None that can happen: lists of text always serialise.
pub fn set_webhook(url: &Url, secret: &Secret, updates: &[&str]) -> Result<Request> {
    Request::new("setWebhook")
        .with("url", url.as_str())
        .with("secret_token", secret.expose())
        .with("drop_pending_updates", false)
        .with_json("allowed_updates", &updates)
}

/// <https://core.telegram.org/bots/api#deletewebhook>
pub fn unset_webhook() -> Request {
    Request::new("deleteWebhook").with("drop_pending_updates", false)
}

/// <https://core.telegram.org/bots/api#getupdates>. An `offset` confirms everything below it.
///
/// # Errors
/// None that can happen: lists of text always serialise.
pub fn get_updates(offset: Option<i64>, wait: std::time::Duration, updates: &[&str]) -> Result<Request> {
    /// The most that one answer may hold.
    const LIMIT: i64 = 100;
    Request::new("getUpdates")
        .with_some("offset", offset)
        .with("limit", LIMIT)
        .with("timeout", i64::try_from(wait.as_secs()).unwrap_or(0))
        .with_json("allowed_updates", &updates)
}

/// Replaces what a message says: `editMessageMedia` for a file, `editMessageText` for words,
/// `editMessageReplyMarkup` for keys alone. <https://core.telegram.org/bots/api#updating-messages>
///
/// # Errors
/// As [`send`](super::send).
pub fn edit(address: &Address, message: &ProviderMessageId, content: &Content) -> Result<Request> {
    let words = content.text.as_ref().filter(|text| !text.is_empty());
    let request = match (content.parts.as_slice(), words) {
        ([Part::Media(file)], words) => {
            const METHOD: &str = "editMessageMedia";
            let mut request = edit_of(METHOD, address, message)?;
            let input = media::input(&mut request.files, METHOD, file, words)?;
            request.with_json("media", &input)?
        }
        ([], Some(words)) => {
            let request = edit_of("editMessageText", address, message)?.with("text", &*words.plain);
            text::with_entities(request, "entities", words)?
        }
        ([], None) if content.keyboard.is_some() => edit_of("editMessageReplyMarkup", address, message)?,
        ([], None) => return Err(refused("edit", "there is nothing to write in place of the message")),
        _ => return Err(Error::unsupported("edit")),
    };
    with_keys(request, content)
}

/// Replaces the caption under a file that stays.
///
/// # Errors
/// As [`send`](super::send).
pub fn edit_caption(address: &Address, message: &ProviderMessageId, content: &Content) -> Result<Request> {
    let mut request = edit_of("editMessageCaption", address, message)?;
    if let Some(words) = content.text.as_ref().filter(|text| !text.is_empty()) {
        request = text::with_entities(request.with("caption", &*words.plain), "caption_entities", words)?;
    }
    with_keys(request, content)
}

fn with_keys(request: Request, content: &Content) -> Result<Request> {
    match &content.keyboard {
        Some(keys) => keyboard::attach(request, keys),
        None => Ok(request),
    }
}

fn edit_of(method: &'static str, address: &Address, message: &ProviderMessageId) -> Result<Request> {
    let address = TelegramAddress::try_from(address)?;
    let id = number(method, message)?;
    Ok(Request::new(method)
        .with_some("business_connection_id", address.business)
        .chat(&address.chat)
        .with("message_id", id))
}

/// <https://core.telegram.org/bots/api#deletemessage>, and `deleteBusinessMessages` for a connected person.
///
/// # Errors
/// [`NotFound`](omni_core::error::ErrorKind::NotFound) for an address or id that is not Telegram's.
pub fn delete(address: &Address, message: &ProviderMessageId) -> Result<Request> {
    let address = TelegramAddress::try_from(address)?;
    match address.business {
        Some(business) => {
            const METHOD: &str = "deleteBusinessMessages";
            Request::new(METHOD)
                .with("business_connection_id", business)
                .with_json("message_ids", &[number(METHOD, message)?])
        }
        None => {
            const METHOD: &str = "deleteMessage";
            Ok(Request::new(METHOD).chat(&address.chat).with("message_id", number(METHOD, message)?))
        }
    }
}

/// <https://core.telegram.org/bots/api#setmessagereaction>. Signs are written as events tell them: an emoji, or
/// `custom_emoji:<id>`.
///
/// # Errors
/// - [`Unsupported`](omni_core::error::ErrorKind::Unsupported) in the chat of a connected person;
/// - [`ContentRejected`](omni_core::error::ErrorKind::ContentRejected) for more than one sign: a bot has one.
pub fn react(address: &Address, message: &ProviderMessageId, signs: &[String]) -> Result<Request> {
    const METHOD: &str = "setMessageReaction";
    #[derive(Serialize)]
    #[serde(tag = "type", rename_all = "snake_case")]
    enum Reaction<'a> {
        Emoji { emoji: &'a str },
        CustomEmoji { custom_emoji_id: &'a str },
    }
    let address = TelegramAddress::try_from(address)?;
    if address.business.is_some() {
        return Err(Error::unsupported("react"));
    }
    if signs.len() > 1 {
        return Err(refused(METHOD, "a bot can put one sign on a message"));
    }
    let signs: Vec<Reaction<'_>> = signs
        .iter()
        .map(|sign| match sign.strip_prefix("custom_emoji:") {
            Some(id) => Reaction::CustomEmoji { custom_emoji_id: id },
            None => Reaction::Emoji { emoji: sign },
        })
        .collect();
    Request::new(METHOD)
        .chat(&address.chat)
        .with("message_id", number(METHOD, message)?)
        .with_json("reaction", &signs)
}

/// <https://core.telegram.org/bots/api#readbusinessmessage>
///
/// # Errors
/// [`Unsupported`](omni_core::error::ErrorKind::Unsupported) anywhere but in the chat of a connected person.
pub fn mark_read(address: &Address, message: &ProviderMessageId) -> Result<Request> {
    const METHOD: &str = "readBusinessMessage";
    let address = TelegramAddress::try_from(address)?;
    let business = address.business.ok_or_else(|| Error::unsupported("mark_read"))?;
    Ok(Request::new(METHOD)
        .with("business_connection_id", business)
        .chat(&address.chat)
        .with("message_id", number(METHOD, message)?))
}

/// <https://core.telegram.org/bots/api#sendchataction>
///
/// # Errors
/// [`NotFound`](omni_core::error::ErrorKind::NotFound) for an address that is not Telegram's.
pub fn typing(address: &Address) -> Result<Request> {
    let address = TelegramAddress::try_from(address)?;
    Ok(Request::new("sendChatAction")
        .with_some("business_connection_id", address.business)
        .chat(&address.chat)
        .with_some("message_thread_id", address.thread)
        .with("action", "typing"))
}

/// <https://core.telegram.org/bots/api#answercallbackquery>. The text is cut at what Telegram shows.
pub fn answer_button(ticket: &str, text: Option<&str>) -> Request {
    /// In characters.
    const MAX: usize = 200;
    Request::new("answerCallbackQuery")
        .with("callback_query_id", ticket)
        .with_some("text", text.map(|text| text.chars().take(MAX).collect::<String>()))
}
