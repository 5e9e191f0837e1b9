//! Which chat a call is about, and whether the bot may do that there.

use serde_json::{Map, Value, json};

use super::super::{
    bot::Bot,
    config::Record,
    error::{ApiError, ApiResult},
    json::field,
    params::{Params, integer},
    state::{BotState, Chat, ChatKind, Connection, Place, Reach},
    text,
};

/// What is wanted of a chat.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Access {
    /// Change what is there.
    Edit,
    /// Only look.
    Read,
    /// Put something new there.
    Write,
}

/// A chat, found and allowed.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) place: Place,
    pub(crate) thread: Option<i64>,
    pub(crate) kind: ChatKind,
}

/// Seconds of activity that a business answer needs.
const BUSINESS_WINDOW: i64 = 86_400;

impl Bot {
    /// Finds the chat of `chat_id`, in the account of `business_connection_id` where one is given.
    pub(crate) fn target(&self, state: &BotState, params: &Params, access: Access) -> ApiResult<Target> {
        let Some(connection) = params.text("business_connection_id") else {
            let (id, chat) = find(state, params, "chat_id")?;
            check_reach(chat, access)?;
            let thread = thread(chat, params, access)?;
            return Ok(Target { place: Place::chat(id), thread, kind: chat.kind });
        };
        let connection = enabled(state, &connection)?;
        let Some(raw) = params.text("chat_id") else {
            return Err(ApiError::bad_request("chat identifier is empty"));
        };
        let Ok(chat_id) = raw.parse() else {
            return Err(ApiError::bad_request("chat identifier must be a valid Integer"));
        };
        let invalid = || ApiError::bad_request("BUSINESS_PEER_INVALID");
        let chat = connection.chats.get(&chat_id).ok_or_else(invalid)?;
        if access == Access::Write {
            if !connection.may("can_reply") {
                return Err(ApiError::bad_request("BOT_ACCESS_FORBIDDEN"));
            }
            if self.shared.now() - chat.last_incoming > BUSINESS_WINDOW {
                return Err(ApiError::bad_request("BUSINESS_PEER_USAGE_MISSING"));
            }
        }
        let place = Place { chat_id, business: Some(connection.id.clone()) };
        Ok(Target { place, thread: None, kind: ChatKind::Private })
    }

    /// What the new message answers, as the fields of the message; empty when it answers nothing.
    pub(crate) fn reply_fields(
        &self,
        state: &BotState,
        params: &Params,
        target: &Target,
    ) -> ApiResult<Map<String, Value>> {
        let wanted = params.json("reply_parameters");
        let wanted =
            wanted.map_err(|()| ApiError::bad_request("Can't parse reply parameters JSON object"))?;
        let legacy = || {
            json!({
                "message_id": params.integer("reply_to_message_id").unwrap_or(0),
                "allow_sending_without_reply": params.flag("allow_sending_without_reply"),
            })
        };
        let wanted = wanted.map_or_else(legacy, std::borrow::Cow::into_owned);
        if !wanted.is_object() {
            return Err(ApiError::bad_request("Object expected as reply parameters"));
        }
        let id = wanted.get("message_id").and_then(integer).unwrap_or(0);
        if id <= 0 {
            return Ok(Map::new());
        }
        let other = wanted.get("chat_id").and_then(integer).filter(|chat| *chat != target.place.chat_id);
        let place = other.map_or_else(|| target.place.clone(), Place::chat);
        let found = match self.shared.config.record {
            Record::Full => state.message(&place, id).map(BotState::shown_in_reply),
            Record::Counters => state
                .chat(&place)
                .filter(|chat| id < chat.next_id)
                .map(|chat| Value::Object(chat.frame(id, self.shared.now(), None))),
        };
        match found {
            None if wanted.get("allow_sending_without_reply") == Some(&true.into()) => Ok(Map::new()),
            None => Err(ApiError::bad_request("message to be replied not found")),
            Some(message) => with_quote(message, &wanted, other.is_some()),
        }
    }
}

/// The chat of a parameter, by id or by `@username`.
pub(crate) fn find<'a>(state: &'a BotState, params: &Params, field: &str) -> ApiResult<(i64, &'a Chat)> {
    let Some(raw) = params.text(field) else {
        return Err(ApiError::bad_request(&format!("{field} is empty")));
    };
    let not_found = || ApiError::bad_request("chat not found");
    if let Some(name) = raw.strip_prefix('@') {
        let named = |chat: &Chat| chat.json.get("username").and_then(Value::as_str) == Some(name);
        let public = |chat: &Chat| chat.kind != ChatKind::Private;
        let found = state.chats.iter().find(|(_, chat)| public(chat) && named(chat));
        return found.map(|(id, chat)| (*id, chat)).ok_or_else(not_found);
    }
    let id = raw.trim().parse().map_err(|_| not_found())?;
    state.chats.get(&id).map(|chat| (id, chat)).ok_or_else(not_found)
}

/// The connection of an id, if it is there and switched on.
pub(crate) fn enabled<'a>(state: &'a BotState, id: &str) -> ApiResult<&'a Connection> {
    let connection = state.connections.get(id).filter(|connection| connection.is_enabled);
    connection.ok_or_else(|| ApiError::bad_request("BUSINESS_CONNECTION_INVALID"))
}

/// Whether the bot may do that in the chat, in the order the server asks.
pub(crate) fn check_reach(chat: &Chat, access: Access) -> ApiResult<()> {
    let place = match chat.kind {
        ChatKind::Group => "group",
        ChatKind::Channel => "channel",
        _ => "supergroup",
    };
    let is_write = access == Access::Write;
    match chat.reach {
        Reach::Blocked if is_write => Err(ApiError::forbidden("bot was blocked by the user")),
        Reach::Deactivated if access != Access::Read => Err(ApiError::forbidden("user is deactivated")),
        Reach::NeverStarted if is_write => {
            Err(ApiError::forbidden("bot can't initiate conversation with a user"))
        }
        Reach::Migrated(to) if is_write => Err(ApiError::migrated(to)),
        Reach::Deleted if is_write => Err(ApiError::forbidden("the group chat was deleted")),
        Reach::Kicked if access != Access::Read || chat.kind != ChatKind::Group => {
            Err(ApiError::forbidden(&format!("bot was kicked from the {place} chat")))
        }
        Reach::Left if access != Access::Read || chat.kind != ChatKind::Group => {
            Err(ApiError::forbidden(&format!("bot is not a member of the {place} chat")))
        }
        Reach::Muted if is_write && chat.kind == ChatKind::Channel => {
            Err(ApiError::bad_request("need administrator rights in the channel chat"))
        }
        Reach::Muted if is_write => {
            Err(ApiError::bad_request("not enough rights to send text messages to the chat"))
        }
        _ => Ok(()),
    }
}

/// The topic of `message_thread_id`; chats that are no forums ignore it, save private ones.
fn thread(chat: &Chat, params: &Params, access: Access) -> ApiResult<Option<i64>> {
    let Some(thread) = params.integer("message_thread_id").filter(|thread| *thread != 0) else {
        return Ok(None);
    };
    match (chat.kind, chat.topics.get(&thread)) {
        (ChatKind::Forum, Some(topic)) => match topic.closed && access == Access::Write && !chat.bot_is_admin
        {
            true => Err(ApiError::bad_request("TOPIC_CLOSED")),
            false => Ok(Some(thread)),
        },
        (ChatKind::Forum | ChatKind::Private, _) => Err(ApiError::bad_request("message thread not found")),
        _ => Ok(None),
    }
}

/// `reply_to_message` or `external_reply`, with the quote where one was asked for and is really there.
fn with_quote(message: Value, wanted: &Value, is_external: bool) -> ApiResult<Map<String, Value>> {
    let mut fields = Map::new();
    if let Some(quote) = wanted.get("quote").and_then(Value::as_str).filter(|quote| !quote.is_empty()) {
        let whole = message.get("text").or_else(|| message.get("caption")).and_then(Value::as_str);
        let at = whole.and_then(|whole| Some((whole, whole.find(quote)?)));
        let Some((whole, at)) = at.filter(|_| text::units(quote) <= text::CAPTION_LIMIT) else {
            return Err(ApiError::bad_request("QUOTE_TEXT_INVALID"));
        };
        let position = text::units(whole.get(..at).unwrap_or_default());
        fields.insert("quote".into(), json!({"text": quote, "position": position, "is_manual": true}));
    }
    if is_external {
        let external = json!({
            "origin": {"type": "hidden_user", "date": field(&message, "date"), "sender_user_name": "User"},
            "chat": field(&message, "chat"), "message_id": field(&message, "message_id"),
        });
        fields.insert("external_reply".into(), external);
    } else {
        fields.insert("reply_to_message".into(), message);
    }
    Ok(fields)
}
