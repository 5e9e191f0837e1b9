//! What is to be said: text, attachments, keyboard, quotes, checked as `messages.send` checks them.

use serde_json::{Map, Value, json};

use crate::vk::{
    Core,
    error::{ApiError, ApiResult, invalid},
    files::{self, Attached},
    keyboard,
    params::Params,
    record::{Author, Entry},
    set,
    state::{Club, Draft, World, quoted},
};

/// The most attachments of one message (10: from memory).
const MAX_ATTACHMENTS: usize = 10;
/// The longest `payload`.
const MAX_PAYLOAD: usize = 1000;
/// The most messages forwarded at once.
const MAX_FORWARDS: usize = 100;

/// A checked message without its destination.
#[derive(Debug)]
pub(super) struct Letter {
    fields: Map<String, Value>,
    attached: Attached,
    keyboard: Option<Value>,
    template: Option<Value>,
    /// The chat in which the answered message stands.
    pub(super) replies_in: Option<i64>,
}

/// Whether an edited message keeps what it quotes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Quotes {
    Dropped,
    Kept,
}

impl Letter {
    pub(super) fn draft(&self, author: Author, random_id: i64) -> Draft {
        let mut fields = self.fields.clone();
        fields.insert("random_id".into(), random_id.into());
        Draft {
            author,
            fields,
            files: self.attached.files.clone(),
            keyboard: self.keyboard.clone(),
            template: self.template.clone(),
        }
    }

    /// Puts the letter in place of what a message said. What is not said again is gone, but for quotes when
    /// they are to be kept.
    pub(super) fn replace(self, entry: &mut Entry, quotes: Quotes, now: i64) {
        let mut fresh = self.fields;
        if let Value::Object(fields) = &mut entry.json {
            for name in ["text", "attachments", "geo", "keyboard", "template"] {
                fields.remove(name);
            }
            if quotes == Quotes::Dropped {
                fields.remove("reply_message");
                fields.insert("fwd_messages".into(), json!([]));
            }
            for name in ["reply_message", "fwd_messages", "payload"] {
                fresh.remove(name);
            }
            fields.insert("attachments".into(), json!([]));
            fields.extend(fresh);
            fields.insert("update_time".into(), now.into());
        }
        entry.files = self.attached.files;
        entry.keyboard = self.keyboard;
        entry.template = self.template;
        entry.edits += 1;
    }
}

impl Core {
    /// Reads and checks what `messages.send` and `messages.edit` have in common.
    pub(super) fn letter(&self, world: &World, club_id: i64, params: &Params) -> ApiResult<Letter> {
        let club = world.club(club_id)?;
        let text = params.text("message").unwrap_or_default();
        if text.chars().count() > self.config.text_limit {
            return Err(ApiError::new(914));
        }
        let attached = self.attachments(world, club_id, params.text("attachment"))?;
        let mut fields = Map::new();
        fields.insert("text".into(), text.into());
        let mut json = attached.json.clone();
        json.extend(sticker(params, text)?);
        let place = place(params)?;
        let quote = quote(club, params)?;
        let template = template(club, params)?;
        if template.is_some() && text.is_empty() {
            return Err(invalid("message is required with template"));
        }
        if let Some(template) = &template {
            self.photos_are_there(world, club_id, template)?;
        }
        if text.is_empty() && json.is_empty() && place.is_none() && quote.is_none() {
            return Err(invalid("message is empty or invalid"));
        }
        fields.insert("attachments".into(), json.into());
        if let Some(place) = place {
            fields.insert("geo".into(), place);
        }
        let replies_in = quote.and_then(|quote| quote.put_into(&mut fields));
        if let Some(payload) = payload(params)? {
            fields.insert("payload".into(), payload.into());
        }
        let keyboard = keyboard_of(club, params)?;
        if let Some(keyboard) = keyboard.as_ref().filter(|keyboard| keyboard::is_inline(keyboard)) {
            fields.insert("keyboard".into(), keyboard.clone());
        }
        if let Some(template) = &template {
            fields.insert("template".into(), template.clone());
        }
        Ok(Letter { fields, attached, keyboard, template, replies_in })
    }

    /// Attachments by their references. Photos and documents have to be the community's own, or come with their
    /// key; all else has to be known to the simulator.
    pub(super) fn attachments(&self, world: &World, club_id: i64, list: Option<&str>) -> ApiResult<Attached> {
        let mut attached = Attached::default();
        let Some(list) = list else { return Ok(attached) };
        for reference in list.split(',').map(str::trim) {
            let (kind, place, key) = files::split(reference)?;
            let unknown = || invalid(format!("attachment {reference} is invalid"));
            let base = self.ground.base_url();
            match kind {
                "photo" | "doc" => {
                    let file = world.files.find(place, key);
                    let file =
                        file.filter(|file| key.is_some() || file.owner == -club_id).ok_or_else(unknown)?;
                    attached.json.push(file.as_attachment(base));
                    attached.files.push(file.as_sent());
                }
                _ => {
                    let thing = world.club(club_id)?.things.get(place).ok_or_else(unknown)?;
                    attached.json.push(thing.clone());
                }
            }
        }
        match attached.json.len() > MAX_ATTACHMENTS {
            true => Err(invalid("too many attachments")),
            false => Ok(attached),
        }
    }

    fn photos_are_there(&self, world: &World, club_id: i64, template: &Value) -> ApiResult<()> {
        for photo in keyboard::photos(template) {
            let place = format!("photo{photo}");
            if world.files.find(&place, None).is_none_or(|file| file.owner != -club_id) {
                return Err(ApiError::because(911, &format!("photo_id {photo} is invalid")));
            }
        }
        Ok(())
    }
}

fn sticker(params: &Params, text: &str) -> ApiResult<Option<Value>> {
    let Some(id) = params.integer("sticker_id")? else { return Ok(None) };
    let others = ["attachment", "lat", "long", "template"];
    if id <= 0 || !text.is_empty() || others.iter().any(|name| params.text(name).is_some()) {
        return Err(invalid("sticker_id should be sent alone"));
    }
    Ok(Some(sticker_json(id)))
}

/// A sticker as an attachment.
pub(in crate::vk) fn sticker_json(id: i64) -> Value {
    let image = |size: i64| {
        let url = format!("https://vk.com/sticker/1-{id}-{size}");
        json!({"url": url, "width": size, "height": size})
    };
    json!({"type": "sticker", "sticker": {"product_id": 129, "sticker_id": id,
        "images": [image(64), image(512), image(128)], "images_with_background": []}})
}

fn place(params: &Params) -> ApiResult<Option<Value>> {
    match (params.real("lat")?, params.real("long")?) {
        (None, None) => Ok(None),
        (Some(lat), Some(long)) if lat.abs() <= 90.0 && long.abs() <= 180.0 => Ok(Some(geo(lat, long))),
        _ => Err(invalid("lat and long should be given both, in degrees")),
    }
}

/// A place as messages show it.
pub(in crate::vk) fn geo(latitude: f64, longitude: f64) -> Value {
    json!({"type": "point", "coordinates": {"latitude": latitude, "longitude": longitude},
        "place": {"country": "Россия", "city": "Москва", "title": "Москва, Россия"}})
}

fn payload(params: &Params) -> ApiResult<Option<&str>> {
    let Some(payload) = params.text("payload") else { return Ok(None) };
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(payload).is_ok();
    match payload.chars().count() <= MAX_PAYLOAD && is_json {
        true => Ok(Some(payload)),
        false => Err(invalid("payload should be a valid json of up to 1000 characters")),
    }
}

fn keyboard_of(club: &Club, params: &Params) -> ApiResult<Option<Value>> {
    let keyboard = params.json("keyboard", |reason| ApiError::because(911, reason))?;
    if let Some(keyboard) = &keyboard {
        if !club.profile.has_bots {
            return Err(ApiError::new(912));
        }
        keyboard::check(keyboard)?;
    }
    Ok(keyboard)
}

fn template(club: &Club, params: &Params) -> ApiResult<Option<Value>> {
    let template = params.json("template", |reason| ApiError::because(911, reason))?;
    if let Some(template) = &template {
        if !club.profile.has_bots {
            return Err(ApiError::new(912));
        }
        keyboard::check_template(template)?;
    }
    Ok(template)
}

/// Messages quoted by another.
enum Quote {
    Reply { peer: i64, message: Value },
    Forwards(Vec<Value>),
}

impl Quote {
    /// Gives the chat that the answered message has to stand in.
    fn put_into(self, fields: &mut Map<String, Value>) -> Option<i64> {
        match self {
            Self::Reply { peer, message } => {
                fields.insert("reply_message".into(), message);
                Some(peer)
            }
            Self::Forwards(messages) => {
                fields.insert("fwd_messages".into(), messages.into());
                None
            }
        }
    }
}

fn quote(club: &Club, params: &Params) -> ApiResult<Option<Quote>> {
    if let Some(id) = params.integer("reply_to")? {
        let (peer, cmid) = club.find_by_id(id).ok_or_else(|| invalid("reply_to is invalid"))?;
        return Ok(Some(Quote::Reply { peer, message: shown(club, peer, cmid)? }));
    }
    let Some(forward) = params.json("forward", |_| invalid("forward should be a valid json"))? else {
        return Ok(None);
    };
    let numbers = |name: &str| -> Vec<i64> {
        let list = forward.get(name).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_i64).collect()
    };
    let peer = forward.get("peer_id").and_then(Value::as_i64);
    let mut places: Vec<(i64, i64)> = match peer {
        Some(peer) => numbers("conversation_message_ids").into_iter().map(|cmid| (peer, cmid)).collect(),
        None => Vec::new(),
    };
    for id in numbers("message_ids") {
        places.push(club.find_by_id(id).ok_or_else(|| invalid("forward message_ids is invalid"))?);
    }
    if places.is_empty() {
        return Err(invalid("forward should name messages"));
    }
    if places.len() > MAX_FORWARDS {
        return Err(ApiError::new(913));
    }
    let is_reply = matches!(forward.get("is_reply"), Some(Value::Bool(true)))
        || forward.get("is_reply").and_then(Value::as_i64) == Some(1);
    if !is_reply {
        let messages: ApiResult<Vec<Value>> =
            places.iter().map(|(peer, cmid)| shown(club, *peer, *cmid)).collect();
        return Ok(Some(Quote::Forwards(messages?)));
    }
    match places.as_slice() {
        [(peer, cmid)] => Ok(Some(Quote::Reply { peer: *peer, message: shown(club, *peer, *cmid)? })),
        _ => Err(invalid("is_reply wants one message")),
    }
}

fn shown(club: &Club, peer: i64, cmid: i64) -> ApiResult<Value> {
    let found = club.talks.get(&peer).and_then(|talk| talk.message(cmid)).map(quoted);
    found.ok_or_else(|| ApiError::because(921, "message was not found"))
}

/// A message of a person, made of its parts.
pub(in crate::vk) fn content(text: &str, attachments: Vec<Value>) -> Value {
    let mut content = json!({"text": text});
    set(&mut content, "attachments", attachments);
    content
}
