//! Changing and removing messages.

use std::sync::Arc;

use serde_json::Value;

use super::{
    super::{
        bot::Bot,
        error::{ApiError, ApiResult},
        json::{field, set},
        markup::Markup,
        params::Params,
        record::{Author, Entry},
        state::{BotState, Chat, ChatKind, Place},
    },
    media, required,
    send::{Content, location, message_ids, one, text_content},
    target::{Access, Target, enabled},
};

/// Messages older than this cannot be deleted, nor edited in the name of a business, in seconds.
const CHANGE_WINDOW: i64 = 48 * 3600;

/// Every key under which a message holds content that `editMessageMedia` replaces.
const MEDIA_FIELDS: [&str; 10] = [
    "photo",
    "video",
    "document",
    "audio",
    "animation",
    "voice",
    "text",
    "entities",
    "caption",
    "caption_entities",
];

impl Bot {
    pub(crate) fn edit_text(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        let content = text_content(params, "MESSAGE_TOO_LONG")?;
        self.edit(params, |_, entry| {
            if entry.json.get("text").is_none() {
                return Err(ApiError::bad_request("There is no text in the message to edit"));
            }
            Ok((content, &["text", "entities", "link_preview_options"]))
        })
    }

    pub(crate) fn edit_caption(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        let content = media::caption(params)?;
        self.edit(params, |_, entry| {
            let with_caption = ["photo", "video", "document", "audio", "animation", "voice"];
            if !with_caption.iter().any(|field| entry.json.get(*field).is_some()) {
                return Err(ApiError::bad_request("There is no caption in the message to edit"));
            }
            Ok((content, &["caption", "caption_entities"]))
        })
    }

    pub(crate) fn edit_media(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        let media = params
            .json("media")
            .map_err(|()| ApiError::bad_request("Can't parse input media JSON object"))?;
        let media = media.ok_or_else(|| ApiError::bad_request("Can't parse InputMedia: media not found"))?;
        self.edit(params, |state, _| {
            let content = self.input_media(state, params, &media, false)?;
            Ok((content, &MEDIA_FIELDS))
        })
    }

    pub(crate) fn edit_markup(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        self.edit(params, |_, _| Ok((Content::new(), &[])))
    }

    pub(crate) fn edit_live_location(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        let moved = location(params)?;
        self.edit(params, |_, entry| {
            let period = entry.json.get("location").and_then(|location| location.get("live_period"));
            let period = period.cloned().ok_or_else(|| ApiError::bad_request("Message can't be edited"))?;
            let mut location = moved;
            set(&mut location, "live_period", period);
            Ok((one("location", location), &["location"]))
        })
    }

    /// The way of every edit: find, check whose it is, replace the fields, refuse what changes nothing.
    fn edit(
        self: &Arc<Self>,
        params: &Params,
        change: impl FnOnce(&mut BotState, &Entry) -> ApiResult<(Content, &'static [&'static str])>,
    ) -> ApiResult<Value> {
        let markup = Markup::read(params)?;
        if params.text("inline_message_id").is_some() {
            return Err(ApiError::bad_request("MESSAGE_ID_INVALID"));
        }
        let mut state = self.lock();
        let target = self.target(&state, params, Access::Edit)?;
        if matches!(markup, Markup::Keyboard(_)) {
            return Err(ApiError::bad_request("Inline keyboard expected"));
        }
        let id = params.integer("message_id").unwrap_or(0);
        let found = state.message(&target.place, id).cloned();
        let former = found.ok_or_else(|| ApiError::bad_request("message to edit not found"))?;
        if !self.may_edit(&state, &target, &former) {
            return Err(ApiError::bad_request("Message can't be edited"));
        }
        let (content, fields) = change(&mut state, &former)?;
        let mut json = former.json.clone();
        if let Value::Object(message) = &mut json {
            fields.iter().for_each(|field| drop(message.remove(*field)));
            message.extend(content);
            message.remove("reply_markup");
            if let Some(markup) = markup.inline() {
                message.insert("reply_markup".into(), markup.clone());
            }
        }
        if json == former.json {
            return Err(ApiError::bad_request(
                "message is not modified: specified new message content and reply markup are exactly the same \
                 as a current content and reply markup of the message",
            ));
        }
        set(&mut json, "edit_date", self.shared.now());
        if let Some(entry) = state.message_mut(&target.place, id) {
            entry.json = json.clone();
            entry.edits += 1;
        }
        Ok(json)
    }

    /// Own messages always; in a business chat those of the owner for 48 hours.
    fn may_edit(&self, state: &BotState, target: &Target, entry: &Entry) -> bool {
        if entry.author == Author::Bot {
            return true;
        }
        let Some(connection) = target.place.business.as_ref().and_then(|id| state.connections.get(&**id))
        else {
            return entry.author == Author::Channel && target.kind == ChatKind::Channel;
        };
        entry.author == Author::Person(connection.owner_id) && age(self, entry) <= CHANGE_WINDOW
    }

    pub(crate) fn delete_message(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        if params.text("chat_id").is_none() {
            return Err(ApiError::bad_request("Chat identifier is not specified"));
        }
        let id = params.integer("message_id").filter(|id| *id != 0);
        let id = id.ok_or_else(|| ApiError::bad_request("Message identifier is not specified"))?;
        let mut state = self.lock();
        let target = self.target(&state, params, Access::Write)?;
        self.check_delete(&state, &target.place, id)?;
        if let Some(entry) = state.message_mut(&target.place, id) {
            entry.deleted = true;
        }
        Ok(true.into())
    }

    /// `deleteMessages`: what is not there is skipped; one that may not be deleted refuses all.
    pub(crate) fn delete_messages(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        let ids = message_ids(params)?;
        let mut state = self.lock();
        let target = self.target(&state, params, Access::Write)?;
        let ids: Vec<i64> =
            ids.into_iter().filter(|id| state.message(&target.place, *id).is_some()).collect();
        for id in &ids {
            self.check_delete(&state, &target.place, *id)?;
        }
        for id in ids {
            if let Some(entry) = state.message_mut(&target.place, id) {
                entry.deleted = true;
            }
        }
        Ok(true.into())
    }

    fn check_delete(&self, state: &BotState, place: &Place, id: i64) -> ApiResult<()> {
        let chat = state.chat(place).ok_or_else(|| ApiError::bad_request("chat not found"))?;
        let entry = chat.message(id).ok_or_else(|| ApiError::bad_request("message to delete not found"))?;
        if !may_delete(chat, entry) {
            return Err(ApiError::bad_request("Message can't be deleted"));
        }
        if age(self, entry) > CHANGE_WINDOW {
            return Err(ApiError::bad_request("Message can't be deleted for everyone"));
        }
        Ok(())
    }

    /// `deleteBusinessMessages`: own ones with `can_delete_sent_messages`, any with `can_delete_all_messages`.
    pub(crate) fn delete_business_messages(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        let id = params.text("business_connection_id").ok_or_else(|| required("business_connection_id"))?;
        let ids = message_ids(params)?;
        let mut state = self.lock();
        let connection = enabled(&state, &id)?;
        let (own, all) =
            (connection.may("can_delete_sent_messages"), connection.may("can_delete_all_messages"));
        let holds = |chat: &Chat, id: i64| chat.message(id).is_some();
        let chat = connection.chats.iter().find(|(_, chat)| ids.iter().any(|id| holds(chat, *id)));
        let (chat_id, chat) = chat.ok_or_else(|| ApiError::bad_request("MESSAGE_ID_INVALID"))?;
        let is_allowed = |id: &i64| all || (own && chat.message(*id).is_none_or(|e| e.author == Author::Bot));
        if !ids.iter().all(is_allowed) {
            return Err(ApiError::bad_request("BOT_ACCESS_FORBIDDEN"));
        }
        let place = Place { chat_id: *chat_id, business: Some(connection.id.clone()) };
        for id in ids {
            if let Some(entry) = state.message_mut(&place, id) {
                entry.deleted = true;
            }
        }
        Ok(true.into())
    }
}

fn age(bot: &Bot, entry: &Entry) -> i64 {
    bot.shared.now() - field(&entry.json, "date").as_i64().unwrap_or(0)
}

/// In private chats everything; elsewhere own messages, and all of them for an administrator.
fn may_delete(chat: &Chat, entry: &Entry) -> bool {
    chat.kind == ChatKind::Private || chat.bot_is_admin || entry.author == Author::Bot
}
