//! The calls, one by one: strict where Avito is, and where its description lets nothing else be expected.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::site::{AvitoSite, Refused, invalid, refused};
use super::state::{ChatType, Said, VOICE_LIFE, seconds};
use crate::sim::{Form, Request};

/// Longest text, in characters.
const TEXT: usize = 1000;
/// Largest picture, in bytes.
const IMAGE: usize = 24 << 20;
/// How long a message may be taken back, in seconds.
const DELETE: i64 = 3600;

type Answer = Result<Value, Refused>;

pub(super) fn account(site: &AvitoSite, account: i64) -> Answer {
    let state = site.state();
    if state.lacks_user_read {
        return Err(refused(403, "scope user:read is needed"));
    }
    let found = state.accounts.get(&account).ok_or_else(|| refused(404, "Not Found"))?;
    Ok(json!({
        "id": found.id, "name": found.name, "email": "sales@example.org", "phone": "79990001122",
        "phones": ["79990001122"], "profile_url": format!("https://avito.ru/user/{:x}/profile", found.id),
    }))
}

/// The only field that a body may have.
fn only<'a>(body: &'a Map<String, Value>, fields: &[&str]) -> Result<&'a Map<String, Value>, Refused> {
    match body.keys().find(|name| !fields.contains(&name.as_str())) {
        Some(unknown) => Err(invalid(unknown, "unknown field")),
        None => Ok(body),
    }
}

fn object(request: &Request) -> Result<Map<String, Value>, Refused> {
    let kind = request.header("content-type").unwrap_or_default();
    match request.json() {
        Some(Value::Object(body)) if kind.starts_with("application/json") => Ok(body),
        _ => Err(refused(400, "a JSON object is needed")),
    }
}

fn empty(request: &Request) -> Result<(), Refused> {
    if request.body.is_empty() { Ok(()) } else { Err(refused(400, "no body is expected")) }
}

fn text<'a>(body: &'a Map<String, Value>, field: &str) -> Result<&'a str, Refused> {
    body.get(field)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| invalid(field, "is required"))
}

fn url_of(request: &Request) -> Result<String, Refused> {
    let body = object(request)?;
    let url = text(only(&body, &["url"])?, "url")?;
    match url::Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => Ok(url.to_owned()),
        _ => Err(invalid("url", "is not an address")),
    }
}

pub(super) fn subscribe(site: &AvitoSite, account: i64, request: &Request) -> Answer {
    let entry = (account, url_of(request)?);
    let mut state = site.state();
    if !state.subscriptions.contains(&entry) {
        state.subscriptions.push(entry);
    }
    Ok(json!({"ok": true}))
}

pub(super) fn unsubscribe(site: &AvitoSite, account: i64, request: &Request) -> Answer {
    let entry = (account, url_of(request)?);
    site.state().subscriptions.retain(|found| *found != entry);
    Ok(json!({"ok": true}))
}

pub(super) fn subscriptions(site: &AvitoSite, account: i64) -> Answer {
    let state = site.state();
    let own = state.subscriptions.iter().filter(|(of, _)| *of == account);
    let own: Vec<Value> = own.map(|(_, url)| json!({"url": url, "version": "3"})).collect();
    Ok(json!({"subscriptions": own}))
}

/// `limit` 1 to 100, `offset` 0 to 1000.
fn page(form: &Form) -> Result<(usize, usize), Refused> {
    let within = |name: &str, default: usize, least: usize, most: usize| match form.text(name) {
        None => Ok(default),
        Some(text) => match text.parse::<usize>() {
            Ok(number) if (least..=most).contains(&number) => Ok(number),
            _ => Err(invalid(name, "is out of range")),
        },
    };
    Ok((within("limit", 100, 1, 100)?, within("offset", 0, 0, 1000)?))
}

pub(super) fn chats(site: &AvitoSite, account: i64, form: &Form) -> Answer {
    let (limit, offset) = page(form)?;
    // Left out, it is those about adverts alone.
    let types: Vec<&str> = form.text("chat_types").unwrap_or("u2i").split(',').collect();
    let known = [ChatType::A2u, ChatType::U2i, ChatType::U2u].map(ChatType::as_str);
    if types.iter().any(|kind| !known.contains(kind)) {
        return Err(invalid("chat_types", "is unknown"));
    }
    let state = site.state();
    let owner = state.accounts.get(&account).ok_or_else(|| refused(404, "Not Found"))?;
    let is_unread = |chat: &super::Chat| chat.entries.iter().any(|e| e.author != account && !e.is_read);
    let mut found: Vec<_> = state.chats.iter().filter(|chat| chat.account == account).collect();
    found.retain(|chat| types.contains(&chat.kind.as_str()));
    found.retain(|chat| !form.flag("unread_only") || is_unread(chat));
    found.sort_by_key(|chat| std::cmp::Reverse(chat.updated));
    let has_more = found.len() > offset + limit;
    let shown = found.into_iter().skip(offset).take(limit).map(|chat| chat.shown(owner, site.base_url()));
    Ok(json!({"chats": shown.collect::<Vec<_>>(), "meta": {"has_more": has_more}}))
}

fn no_chat() -> Refused {
    refused(404, "chat is not found")
}

pub(super) fn chat(site: &AvitoSite, account: i64, id: &str) -> Answer {
    let state = site.state();
    let owner = state.accounts.get(&account).ok_or_else(no_chat)?;
    Ok(state.chat(account, id).ok_or_else(no_chat)?.shown(owner, site.base_url()))
}

pub(super) fn messages(site: &AvitoSite, account: i64, id: &str, form: &Form) -> Answer {
    let (limit, offset) = page(form)?;
    let state = site.state();
    let chat = state.chat(account, id).ok_or_else(no_chat)?;
    let has_more = chat.entries.len() > offset + limit;
    let shown = chat.entries.iter().rev().skip(offset).take(limit).map(|entry| chat.told(entry));
    Ok(json!({"messages": shown.collect::<Vec<_>>(), "meta": {"has_more": has_more}}))
}

pub(super) fn send_message(site: &AvitoSite, account: i64, id: &str, request: &Request) -> Answer {
    let body = object(request)?;
    if text(only(&body, &["message", "type"])?, "type")? != "text" {
        return Err(invalid("type", "only text is taken"));
    }
    let message =
        body.get("message").and_then(Value::as_object).ok_or_else(|| invalid("message", "is required"))?;
    let words = text(only(message, &["text"])?, "text")?;
    if words.chars().count() > TEXT {
        return Err(invalid("text", "too long"));
    }
    say(site, account, id, "text", json!({"text": words}))
}

pub(super) fn send_image(site: &AvitoSite, account: i64, id: &str, request: &Request) -> Answer {
    let body = object(request)?;
    let image = text(only(&body, &["image_id"])?, "image_id")?;
    let is_own = site.state().uploads.get(image).is_some_and(|(owner, _)| *owner == account);
    if !is_own {
        return Err(invalid("image_id", "is not found"));
    }
    say(site, account, id, "image", json!({"image": {"sizes": sizes(site.base_url(), image)}}))
}

fn sizes(base: &str, image: &str) -> Value {
    json!({"32x32": format!("{base}/media/32/{image}"), "1280x960": format!("{base}/media/1280/{image}")})
}

/// Stores a message of the account and tells it to the webhooks: an account's own messages come back to it.
fn say(site: &AvitoSite, account: i64, id: &str, kind: &'static str, content: Value) -> Answer {
    let said = Said { author: account, kind, content, quote: None };
    let entry = site.state().say(account, id, said, site.now()).ok_or_else(no_chat)?;
    super::hook(site, account, id, &entry);
    Ok(json!({"id": entry.id, "author_id": account, "created": entry.created, "direction": "out",
              "type": entry.kind, "content": entry.content}))
}

/// JPEG, HEIC, GIF, BMP and PNG by their first bytes.
fn is_picture(bytes: &[u8]) -> bool {
    let starts: [&[u8]; 4] = [b"\xff\xd8\xff", b"GIF8", b"BM", b"\x89PNG"];
    starts.iter().any(|start| bytes.starts_with(start)) || bytes.get(4..12) == Some(b"ftypheic")
}

pub(super) fn upload(site: &AvitoSite, account: i64, request: &Request) -> Answer {
    let form = request.form();
    let [file] = form.files.as_slice() else { return Err(refused(400, "one file is needed")) };
    if file.field != "uploadfile[]" {
        return Err(invalid(&file.field, "unknown field"));
    }
    if file.bytes.len() > IMAGE {
        return Err(invalid("uploadfile[]", "is larger than 24 MB"));
    }
    if !is_picture(&file.bytes) {
        return Err(invalid("uploadfile[]", "is no picture that is taken"));
    }
    let id = keep_image(site, account, file.bytes.clone());
    Ok(json!({ id.clone(): sizes(site.base_url(), &id) }))
}

/// Keeps a picture and serves it; gives its id.
pub(super) fn keep_image(site: &AvitoSite, account: i64, bytes: Bytes) -> String {
    let mut state = site.state();
    let id = format!("{}.qwertyuiop", 90_000 + state.next());
    for size in ["32", "1280"] {
        state.files.insert(format!("/media/{size}/{id}"), (bytes.clone(), "image/png", None));
    }
    state.uploads.insert(id.clone(), (account, bytes));
    id
}

pub(super) fn image_content(site: &AvitoSite, id: &str) -> Value {
    json!({"image": {"sizes": sizes(site.base_url(), id)}})
}

pub(super) fn delete(site: &AvitoSite, account: i64, id: &str, message: &str, request: &Request) -> Answer {
    empty(request)?;
    let now = seconds(site.now());
    let mut state = site.state();
    let chat = state.chat_mut(account, id).ok_or_else(no_chat)?;
    let entry = chat.entries.iter_mut().find(|entry| entry.id == message && entry.kind != "deleted");
    let entry = entry.ok_or_else(|| refused(404, "message is not found"))?;
    if entry.author != account {
        return Err(refused(403, "the message is somebody else's"));
    }
    if now - entry.created > DELETE {
        return Err(refused(400, "the message is too old"));
    }
    (entry.kind, entry.content) = ("deleted".to_owned(), json!({}));
    Ok(json!({}))
}

pub(super) fn mark_read(site: &AvitoSite, account: i64, id: &str, request: &Request) -> Answer {
    empty(request)?;
    let mut state = site.state();
    let chat = state.chat_mut(account, id).ok_or_else(no_chat)?;
    chat.entries.iter_mut().filter(|entry| entry.author != account).for_each(|entry| entry.is_read = true);
    Ok(json!({"ok": true}))
}

pub(super) fn voices(site: &AvitoSite, account: i64, form: &Form) -> Answer {
    let now = seconds(site.now());
    let mut state = site.state();
    let mut urls = Map::new();
    for id in form.all("voice_ids") {
        let bytes = match state.voices.get(id) {
            Some(voice) if voice.account == account => voice.bytes.clone(),
            _ => continue,
        };
        let path = format!("/media/voice/{}/{id}.mp4", state.next());
        urls.insert(id.to_owned(), json!(format!("{}{path}", site.base_url())));
        state.files.insert(path, (bytes, "audio/mp4", Some(now + VOICE_LIFE)));
    }
    Ok(json!({"voices_urls": urls}))
}

pub(super) fn blacklist(site: &AvitoSite, _: i64, request: &Request) -> Answer {
    let body = object(request)?;
    let users = only(&body, &["users"])?.get("users").and_then(Value::as_array);
    let users = users.filter(|users| !users.is_empty()).ok_or_else(|| invalid("users", "is required"))?;
    for user in users {
        let reason = user.pointer("/context/reason_id").and_then(Value::as_i64);
        if user.get("user_id").and_then(Value::as_i64).is_none()
            || !reason.is_some_and(|r| (1..=4).contains(&r))
        {
            return Err(invalid("users", "user_id and reason_id 1 to 4 are needed"));
        }
    }
    site.state().blacklist.extend(users.iter().cloned());
    Ok(json!({}))
}
