//! Topics of forums (<https://core.telegram.org/bots/api#createforumtopic>).

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    super::{
        bot::Bot,
        error::{ApiError, ApiResult},
        json::field,
        params::Params,
        record::{Author, Entry},
        state::{BotState, ChatKind, Topic},
    },
    target::{Access, Target},
};

/// The colour of a topic that names none.
const DEFAULT_COLOUR: i64 = 0x6F_B9_F0;

impl Bot {
    pub(crate) fn create_topic(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        let name = topic_name(params)?.ok_or_else(|| ApiError::bad_request("TOPIC_TITLE_EMPTY"))?;
        let mut state = self.lock();
        let target = self.forum(&state, params)?;
        let colour = params.integer("icon_color").unwrap_or(DEFAULT_COLOUR);
        let event = json!({"name": name, "icon_color": colour});
        let created = self.service(&mut state, &target, None, "forum_topic_created", event);
        if let Some(chat) = state.chat_mut(&target.place) {
            chat.topics.insert(created, Topic { name: name.clone(), closed: false });
        }
        Ok(json!({"message_thread_id": created, "name": name, "icon_color": colour}))
    }

    pub(crate) fn edit_topic(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        let name = topic_name(params)?;
        self.change_topic(params, |topic| {
            let Some(name) = name.filter(|name| *name != topic.name) else {
                return Err(ApiError::bad_request("TOPIC_NOT_MODIFIED"));
            };
            topic.name.clone_from(&name);
            Ok(("forum_topic_edited", json!({"name": name})))
        })
    }

    pub(crate) fn close_topic(self: &Arc<Self>, params: &Params, close: bool) -> ApiResult<Value> {
        self.change_topic(params, |topic| {
            if topic.closed == close {
                return Err(ApiError::bad_request("TOPIC_NOT_MODIFIED"));
            }
            topic.closed = close;
            Ok((if close { "forum_topic_closed" } else { "forum_topic_reopened" }, json!({})))
        })
    }

    /// `deleteForumTopic`: the topic goes with its messages.
    pub(crate) fn delete_topic(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        let mut state = self.lock();
        let target = self.forum(&state, params)?;
        let thread = params.integer("message_thread_id").unwrap_or(0);
        let chat = state.chat_mut(&target.place);
        let Some(chat) = chat.filter(|chat| chat.topics.contains_key(&thread)) else {
            return Err(ApiError::bad_request("message thread not found"));
        };
        chat.topics.remove(&thread);
        for (id, entry) in &mut chat.messages {
            if *id == thread || field(&entry.json, "message_thread_id") == thread {
                entry.deleted = true;
            }
        }
        Ok(true.into())
    }

    fn change_topic(
        self: &Arc<Self>,
        params: &Params,
        change: impl FnOnce(&mut Topic) -> ApiResult<(&'static str, Value)>,
    ) -> ApiResult<Value> {
        let mut state = self.lock();
        let target = self.forum(&state, params)?;
        let thread = params.integer("message_thread_id").unwrap_or(0);
        let topic = state.chat_mut(&target.place).and_then(|chat| chat.topics.get_mut(&thread));
        let topic = topic.ok_or_else(|| ApiError::bad_request("message thread not found"))?;
        let (field, event) = change(topic)?;
        self.service(&mut state, &target, Some(thread), field, event);
        Ok(true.into())
    }

    fn forum(&self, state: &BotState, params: &Params) -> ApiResult<Target> {
        let mut plain = Params::default();
        if let Some(chat) = params.fields.get("chat_id") {
            plain.fields.insert("chat_id".into(), chat.clone());
        }
        let target = self.target(state, &plain, Access::Write)?;
        let chat = state.chat(&target.place);
        match target.kind {
            ChatKind::Forum if chat.is_some_and(|chat| chat.bot_is_admin) => Ok(target),
            ChatKind::Forum => Err(ApiError::bad_request("not enough rights to create a topic")),
            _ => Err(ApiError::bad_request("the chat is not a forum")),
        }
    }

    /// A service message of the bot's doing; it makes no update, since bots do not hear themselves.
    fn service(
        &self,
        state: &mut BotState,
        to: &Target,
        thread: Option<i64>,
        field: &str,
        event: Value,
    ) -> i64 {
        let now = self.shared.now();
        let Some(chat) = state.chat_mut(&to.place) else { return 0 };
        let id = chat.new_message_id();
        let thread = thread.unwrap_or(id);
        let mut message = chat.frame(id, now, Some(thread));
        message.insert("from".into(), self.user.clone());
        message.insert(field.into(), event);
        state.store(&self.shared.config, &to.place, Entry::new(id, Author::Service, Value::Object(message)));
        id
    }
}

/// `name`: 1 to 128 characters.
fn topic_name(params: &Params) -> ApiResult<Option<String>> {
    let name = params.text("name").map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    match name {
        Some(name) if name.chars().count() > 128 => Err(ApiError::bad_request("TOPIC_TITLE_TOO_LONG")),
        other => Ok(other),
    }
}
