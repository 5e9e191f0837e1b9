//! Chats and people: actions, profiles, business connections, answered buttons.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    super::{
        bot::Bot,
        error::{ApiError, ApiResult},
        json::set,
        params::Params,
        state::{ChatKind, Place, Reach},
    },
    required,
    target::{Access, check_reach, enabled, find},
};

/// Actions of <https://core.telegram.org/bots/api#sendchataction>.
const ACTIONS: [&str; 13] = [
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "record_audio",
    "upload_audio",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
];
/// A pressed button waits this long for its answer, in seconds.
const CALLBACK_LIFE: i64 = 150;

impl Bot {
    pub(crate) fn send_chat_action(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        let action = params.text("action").unwrap_or_default();
        if !ACTIONS.contains(&&*action) {
            return Err(ApiError::bad_request("Wrong parameter action in request"));
        }
        let mut state = self.lock();
        let target = self.target(&state, params, Access::Write)?;
        if let Some(chat) = state.chat_mut(&target.place) {
            chat.last_action = Some(action.into_owned());
        }
        Ok(true.into())
    }

    /// `getChat`: the chat with what `ChatFullInfo` always adds.
    pub(crate) fn get_chat(&self, params: &Params) -> ApiResult<Value> {
        let state = self.lock();
        let (_, chat) = find(&state, params, "chat_id")?;
        check_reach(chat, Access::Read)?;
        let mut info = chat.json.clone();
        set(&mut info, "accent_color_id", 0);
        set(&mut info, "max_reaction_count", 11);
        set(
            &mut info,
            "accepted_gift_types",
            json!({"unlimited_gifts": false, "limited_gifts": false, "unique_gifts": false,
            "premium_subscription": false}),
        );
        if chat.kind != ChatKind::Private {
            set(&mut info, "permissions", json!({"can_send_messages": true}));
        }
        Ok(info)
    }

    pub(crate) fn get_chat_member(&self, params: &Params) -> ApiResult<Value> {
        let state = self.lock();
        let (_, chat) = find(&state, params, "chat_id")?;
        check_reach(chat, Access::Read)?;
        let user_id =
            params.integer("user_id").ok_or_else(|| ApiError::bad_request("Invalid user_id specified"))?;
        if user_id == self.profile.id {
            let status = match chat.reach {
                Reach::Kicked => "kicked",
                Reach::Left => "left",
                _ if chat.bot_is_admin => "administrator",
                _ => "member",
            };
            return Ok(json!({"status": status, "user": self.user}));
        }
        match chat.members.get(&user_id) {
            Some(user) => Ok(json!({"status": "member", "user": user})),
            None => Err(ApiError::bad_request("user not found")),
        }
    }

    /// `getUserProfilePhotos`: the simulator's people have none.
    pub(crate) fn profile_photos(&self, params: &Params) -> ApiResult<Value> {
        let state = self.lock();
        let user = params.integer("user_id").unwrap_or(0);
        let is_known = state.chats.get(&user).is_some_and(|chat| chat.kind == ChatKind::Private)
            || state.chats.values().any(|chat| chat.members.contains_key(&user));
        match is_known {
            true => Ok(json!({"total_count": 0, "photos": []})),
            false => Err(ApiError::bad_request("user not found")),
        }
    }

    pub(crate) fn business_connection(&self, params: &Params) -> ApiResult<Value> {
        let id = params.text("business_connection_id").ok_or_else(|| required("business_connection_id"))?;
        let state = self.lock();
        let found = state.connections.get(&*id).map(super::super::state::Connection::to_json);
        found.ok_or_else(|| ApiError::bad_request("BUSINESS_CONNECTION_INVALID"))
    }

    pub(crate) fn read_business_message(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        let id = params.text("business_connection_id").ok_or_else(|| required("business_connection_id"))?;
        let mut state = self.lock();
        let connection = enabled(&state, &id)?;
        if !connection.may("can_read_messages") {
            return Err(ApiError::bad_request("BOT_ACCESS_FORBIDDEN"));
        }
        let chat_id = params.integer("chat_id").unwrap_or(0);
        let place = Place { chat_id, business: Some(connection.id.clone()) };
        let chat = connection.chats.get(&chat_id);
        let chat = chat.ok_or_else(|| ApiError::bad_request("BUSINESS_PEER_INVALID"))?;
        if self.shared.now() - chat.last_incoming > 86_400 {
            return Err(ApiError::bad_request("BUSINESS_PEER_USAGE_MISSING"));
        }
        let message = params.integer("message_id").unwrap_or(0);
        if chat.message(message).is_none() {
            return Err(ApiError::bad_request("MESSAGE_ID_INVALID"));
        }
        if let Some(chat) = state.chat_mut(&place) {
            chat.messages.range_mut(..=message).for_each(|(_, entry)| entry.read = true);
        }
        Ok(true.into())
    }

    /// `answerCallbackQuery`: once, and within the life of the query.
    pub(crate) fn answer_callback(&self, params: &Params) -> ApiResult<Value> {
        let late =
            || ApiError::bad_request("query is too old and response timeout expired or query ID is invalid");
        let id = params.text("callback_query_id").ok_or_else(late)?;
        if params.text("text").is_some_and(|text| text.chars().count() > 200) {
            return Err(ApiError::bad_request("MESSAGE_TOO_LONG"));
        }
        let now = self.shared.now();
        let mut state = self.lock();
        let callback = state.callbacks.iter_mut().find(|callback| callback.id == *id).ok_or_else(late)?;
        if callback.answer.is_some() || now - callback.pressed > CALLBACK_LIFE {
            return Err(late());
        }
        callback.answer = Some(Value::Object(params.fields.clone()));
        Ok(true.into())
    }
}
