//! Sending: texts, places, contacts, polls, dice, forwards and copies.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    super::{
        bot::Bot,
        config::Record,
        error::{ApiError, ApiResult},
        json::{field, set},
        markup::Markup,
        params::{Params, integer},
        record::{Author, Entry},
        state::{BotState, Place},
        text,
    },
    required,
    target::{Access, Target, check_reach, find},
};

/// The content fields of a message.
pub(crate) type Content = Map<String, Value>;

/// Everything about a new message save its content.
pub(crate) struct Envelope {
    pub(crate) target: Target,
    pub(crate) reply: Map<String, Value>,
    pub(crate) markup: Markup,
}

impl Bot {
    /// The way of every single message: markup, chat, reply, content, delivery.
    pub(crate) fn send(
        self: &Arc<Self>,
        params: &Params,
        content: impl FnOnce(&mut BotState) -> ApiResult<Content>,
    ) -> ApiResult<Value> {
        let markup = Markup::read(params)?;
        let mut state = self.lock();
        let envelope = self.envelope(&state, params, markup)?;
        let content = content(&mut state)?;
        Ok(self.put(&mut state, params, &envelope, content))
    }

    pub(crate) fn envelope(&self, state: &BotState, params: &Params, markup: Markup) -> ApiResult<Envelope> {
        let target = self.target(state, params, Access::Write)?;
        markup.check(target.kind, target.place.business.is_some())?;
        let reply = self.reply_fields(state, params, &target)?;
        Ok(Envelope { target, reply, markup })
    }

    /// Puts a message of the bot into the chat and gives its `Message` object.
    pub(crate) fn put(
        &self,
        state: &mut BotState,
        params: &Params,
        env: &Envelope,
        content: Content,
    ) -> Value {
        let (config, now) = (&self.shared.config, self.shared.now());
        let owner = env
            .target
            .place
            .business
            .as_ref()
            .and_then(|id| Some(state.connections.get(&**id)?.owner.clone()));
        let Some(chat) = state.chat_mut(&env.target.place) else { return Value::Null };
        let id = chat.new_message_id();
        let mut message = chat.frame(id, now, env.target.thread);
        match (&env.target.place.business, chat.kind) {
            (Some(connection), _) => {
                message.insert("business_connection_id".into(), (**connection).into());
                message.insert("from".into(), owner.unwrap_or_default());
                message.insert("sender_business_bot".into(), self.user.clone());
            }
            (None, super::super::ChatKind::Channel) => {
                message.insert("sender_chat".into(), chat.json.clone());
            }
            (None, _) => {
                message.insert("from".into(), self.user.clone());
            }
        }
        message.extend(content);
        message.extend(env.reply.clone());
        if let Some(markup) = env.markup.inline() {
            message.insert("reply_markup".into(), markup.clone());
        }
        if params.flag("protect_content") {
            message.insert("has_protected_content".into(), true.into());
        }
        let message = Value::Object(message);
        state.count_text(config.record, &message);
        if config.record == Record::Full {
            let mut entry = Entry::new(id, Author::Bot, message.clone());
            entry.silent = params.flag("disable_notification");
            if let Markup::Keyboard(keyboard) = &env.markup {
                entry.keyboard = Some(keyboard.clone());
            }
            state.store(config, &env.target.place, entry);
        }
        message
    }

    pub(crate) fn send_message(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        let content = text_content(params, "message is too long")?;
        self.send(params, |_| Ok(content))
    }

    /// A streamed preview: checked, shown to nobody.
    pub(crate) fn send_draft(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        text_content(params, "message is too long")?;
        let state = self.lock();
        self.target(&state, params, Access::Write)?;
        if params.integer("draft_id").unwrap_or(0) == 0 {
            return Err(required("draft_id"));
        }
        Ok(true.into())
    }

    pub(crate) fn send_location(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        let mut location = location(params)?;
        for field in ["live_period", "heading", "proximity_alert_radius"] {
            if let Some(value) = params.integer(field).filter(|value| *value != 0) {
                set(&mut location, field, value);
            }
        }
        let period = location.get("live_period").and_then(Value::as_i64);
        if period.is_some_and(|s| !(60..=86_400).contains(&s) && s != 0x7fff_ffff) {
            return Err(ApiError::bad_request("wrong live location period specified"));
        }
        self.send(params, |_| Ok(one("location", location)))
    }

    pub(crate) fn send_venue(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        let location = location(params)?;
        let (title, address) = (params.text("title"), params.text("address"));
        let title = title.ok_or_else(|| required("title"))?;
        let address = address.ok_or_else(|| required("address"))?;
        let venue = json!({"location": location, "title": title, "address": address});
        let mut content = one("venue", venue);
        content.insert("location".into(), location);
        self.send(params, |_| Ok(content))
    }

    pub(crate) fn send_contact(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        let mut contact = Map::new();
        for field in ["phone_number", "first_name"] {
            let value = params.text(field).ok_or_else(|| required(field))?;
            contact.insert(field.into(), (*value).into());
        }
        for field in ["last_name", "vcard"] {
            if let Some(value) = params.text(field) {
                contact.insert(field.into(), (*value).into());
            }
        }
        self.send(params, |_| Ok(one("contact", Value::Object(contact))))
    }

    pub(crate) fn send_poll(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        let question = params.text("question").ok_or_else(|| required("question"))?;
        if text::units(&question) > 300 {
            return Err(ApiError::bad_request("poll question length must not exceed 300"));
        }
        let options = params.json("options").ok().flatten();
        let options = options.as_deref().and_then(Value::as_array);
        let options = options.ok_or_else(|| ApiError::bad_request("Can't parse options JSON object"))?;
        if options.is_empty() || options.len() > 12 {
            return Err(ApiError::bad_request("poll must have from 1 to 12 options"));
        }
        let options: Vec<Value> = options
            .iter()
            .filter_map(|option| option.as_str().or_else(|| option.get("text")?.as_str()))
            .map(|text| json!({"text": text, "voter_count": 0}))
            .collect();
        self.send(params, |state| {
            let poll = json!({
                "id": format!("{}", state.random.next() >> 2), "question": question, "options": options,
                "total_voter_count": 0, "is_closed": false, "type": "regular",
                "is_anonymous": params.text("is_anonymous").is_none() || params.flag("is_anonymous"),
                "allows_multiple_answers": params.flag("allows_multiple_answers"),
            });
            Ok(one("poll", poll))
        })
    }

    pub(crate) fn send_dice(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        let emoji = params.text("emoji").unwrap_or("🎲".into());
        let sides = match &*emoji {
            "🎲" | "🎯" | "🎳" => 6,
            "🏀" | "⚽" => 5,
            "🎰" => 64,
            _ => return Err(ApiError::bad_request("invalid dice emoji specified")),
        };
        self.send(params, |state| {
            Ok(one("dice", json!({"emoji": emoji, "value": 1 + state.random.below(sides)})))
        })
    }

    pub(crate) fn forward_message(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        self.send(params, |state| {
            let source = source(state, params, params.integer("message_id"), "message to forward")?;
            Ok(forwarded(&source))
        })
    }

    /// `copyMessage`: the content without its origin; a caption may be replaced.
    pub(crate) fn copy_message(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        let caption = match params.fields.contains_key("caption") {
            true => Some(super::media::caption(params)?),
            false => None,
        };
        let sent = self.send(params, |state| {
            let mut content =
                copied(&source(state, params, params.integer("message_id"), "message to copy")?);
            if let Some(caption) = caption.filter(|_| !content.contains_key("text")) {
                content.remove("caption");
                content.remove("caption_entities");
                content.extend(caption);
            }
            Ok(content)
        })?;
        Ok(json!({"message_id": field(&sent, "message_id")}))
    }

    /// `forwardMessages` and `copyMessages`: what is not found is skipped.
    pub(crate) fn forward_messages(self: &Arc<Self>, params: &Params, is_copy: bool) -> ApiResult<Value> {
        let ids = message_ids(params)?;
        let mut state = self.lock();
        let envelope = self.envelope(&state, params, Markup::Absent)?;
        let mut sent = Vec::new();
        for id in ids {
            let Ok(source) = source(&state, params, Some(id), "message to forward") else { continue };
            let content = if is_copy { copied(&source) } else { forwarded(&source) };
            let message = self.put(&mut state, params, &envelope, content);
            sent.push(json!({"message_id": field(&message, "message_id")}));
        }
        if sent.is_empty() {
            return Err(ApiError::bad_request("there are no messages to forward"));
        }
        Ok(sent.into())
    }
}

/// A content of one field.
pub(crate) fn one(field: &str, value: Value) -> Content {
    let mut content = Content::new();
    content.insert(field.into(), value);
    content
}

/// The text of `sendMessage` and `editMessageText`, with the sentence for one that is too long.
pub(crate) fn text_content(params: &Params, too_long: &str) -> ApiResult<Content> {
    let empty = || ApiError::bad_request("message text is empty");
    let raw = params.text("text").ok_or_else(empty)?;
    let done = text::formatted(params, &raw, "entities")?;
    if done.text.is_empty() {
        return Err(empty());
    }
    if text::units(&done.text) > text::TEXT_LIMIT {
        return Err(ApiError::bad_request(too_long));
    }
    let mut content = one("text", done.text.into());
    if !done.entities.is_empty() {
        content.insert("entities".into(), done.entities.into());
    }
    if let Ok(Some(preview)) = params.json("link_preview_options") {
        content.insert("link_preview_options".into(), preview.into_owned());
    }
    Ok(content)
}

/// `message_ids`: 1 to 100 numbers.
pub(crate) fn message_ids(params: &Params) -> ApiResult<Vec<i64>> {
    let ids = params
        .json("message_ids")
        .map_err(|()| ApiError::bad_request("Can't parse message identifiers JSON object"))?;
    let ids = ids.ok_or_else(|| ApiError::bad_request("Message identifiers are not specified"))?;
    let ids =
        ids.as_array().ok_or_else(|| ApiError::bad_request("Expected an Array of message identifiers"))?;
    if ids.len() > 100 {
        return Err(ApiError::bad_request("Too many message identifiers specified"));
    }
    if ids.is_empty() {
        return Err(ApiError::bad_request("Message identifiers are not specified"));
    }
    let invalid = || ApiError::bad_request("Invalid message identifier specified");
    ids.iter().map(|id| integer(id).filter(|id| *id > 0).ok_or_else(invalid)).collect()
}

pub(crate) fn location(params: &Params) -> ApiResult<Value> {
    let mut location = json!({});
    for (field, bound) in [("latitude", 90.0), ("longitude", 180.0)] {
        if params.text(field).is_none() {
            return Err(ApiError::bad_request(&format!("{field} is empty")));
        }
        let value = params.real(field).filter(|value: &f64| value.abs() <= bound);
        let value = value.ok_or_else(|| ApiError::bad_request("wrong location specified"))?;
        set(&mut location, field, value);
    }
    if let Some(accuracy) = params.real("horizontal_accuracy") {
        set(&mut location, "horizontal_accuracy", accuracy);
    }
    Ok(location)
}

/// The message that `from_chat_id` and an id name.
fn source(state: &BotState, params: &Params, id: Option<i64>, what: &str) -> ApiResult<Entry> {
    let (chat_id, chat) = find(state, params, "from_chat_id")?;
    check_reach(chat, Access::Read)?;
    let found = state.message(&Place::chat(chat_id), id.unwrap_or(0)).cloned();
    found.ok_or_else(|| ApiError::bad_request(&format!("{what} not found")))
}

/// Fields that belong to a message's place and not to what it says.
const NOT_CONTENT: [&str; 17] = [
    "message_id",
    "date",
    "chat",
    "from",
    "sender_chat",
    "reply_to_message",
    "quote",
    "external_reply",
    "edit_date",
    "message_thread_id",
    "is_topic_message",
    "media_group_id",
    "business_connection_id",
    "sender_business_bot",
    "forward_origin",
    "author_signature",
    "has_protected_content",
];

fn copied(source: &Entry) -> Content {
    let mut content = source.json.as_object().cloned().unwrap_or_default();
    content.retain(|field, _| field != "reply_markup" && !NOT_CONTENT.contains(&field.as_str()));
    content
}

fn forwarded(source: &Entry) -> Content {
    let mut content = copied(source);
    let (json, date) = (&source.json, field(&source.json, "date"));
    let origin = match (json.get("forward_origin"), source.author, json.get("from")) {
        (Some(origin), ..) => origin.clone(),
        (None, Author::Channel, _) | (None, _, None) => json!({
            "type": "channel", "date": date, "chat": field(json, "chat"), "message_id": field(json, "message_id"),
        }),
        (None, _, Some(user)) => json!({"type": "user", "date": date, "sender_user": user}),
    };
    content.insert("forward_origin".into(), origin);
    content
}
