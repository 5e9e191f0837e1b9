//! The bot's side: paths, tokens, methods.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http::{Method, header};
use omni_core::Timestamp;
use serde_json::{Value, json};
use url::Url;

use super::bot::{Bot, Entry, From, Webhook};
use super::check::{self, Refused, missing, refuse};
use super::customer::Upload;
use super::hooks;
use crate::sim::{Ground, Reply, Request, Site};

/// <https://developers.viber.com/docs/api/rest-bot-api/#authentication-token>
const TOKEN: &str = "x-viber-auth-token";
/// <https://developers.viber.com/docs/faq/>: messages to one person who does not answer, an hour.
const UNANSWERED: usize = 100;
/// <https://developers.viber.com/docs/api/rest-bot-api/#get-user-details>
const QUESTIONS: usize = 2;
const QUESTIONS_WITHIN: Duration = Duration::from_secs(12 * 3600);
const MANDATORY: [&str; 3] = ["message", "subscribed", "unsubscribed"];
const OPTIONAL: [&str; 4] = ["delivered", "seen", "failed", "conversation_started"];

/// Viber.
#[derive(Debug)]
pub(super) struct Provider {
    ground: Ground,
    bots: Mutex<Vec<Bot>>,
    files: Mutex<Vec<Upload>>,
}

/// An answer in Viber's form that refuses.
pub(super) fn refusal(status: i64, words: &str) -> Reply {
    Reply::json(200, &json!({"status": status, "status_message": words, "chat_hostname": "SN-CHAT-05_"}))
}

impl Provider {
    pub(super) fn new(ground: &Ground) -> Self {
        Self { ground: ground.clone(), bots: Mutex::default(), files: Mutex::default() }
    }

    pub(super) fn add_bot(&self, token: &str, name: &str, uri: &str) -> Bot {
        let mut bots = self.bots.lock().unwrap_or_else(PoisonError::into_inner);
        let bot = Bot::new(&self.ground, bots.len(), token, name, uri);
        bots.push(bot.clone());
        bot
    }

    pub(super) fn publish(&self, upload: &Upload) -> Url {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.push(upload.clone());
        let number = files.len() - 1;
        let mut url = Url::parse(self.ground.base_url()).unwrap_or_else(|e| panic!("our own address: {e}"));
        if let Ok(mut steps) = url.path_segments_mut() {
            steps.extend(["files", &number.to_string(), &upload.name]);
        }
        url
    }

    pub(super) fn published(&self, url: &str) -> Option<Upload> {
        let path = url.strip_prefix(self.ground.base_url())?.strip_prefix("/files/")?;
        self.file(path.split('/').next()?)
    }

    fn file(&self, number: &str) -> Option<Upload> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.get(number.parse::<usize>().ok()?).cloned()
    }

    fn bot(&self, request: &Request, body: &Value) -> Result<Bot, Refused> {
        // One of Viber's own client libraries puts it into the body instead.
        let given = request.header(TOKEN).or_else(|| body.get("auth_token")?.as_str());
        let given = given.ok_or_else(|| refuse(2, "missing_auth_token"))?;
        let bots = self.bots.lock().unwrap_or_else(PoisonError::into_inner);
        let found = bots.iter().find(|bot| bot.inner.token == given && !bot.lock().is_revoked);
        found.cloned().ok_or_else(|| refuse(2, "invalidAuthToken"))
    }

    async fn call(&self, method: &str, request: &Request) -> Result<Value, Refused> {
        let body = match request.json() {
            Some(body @ Value::Object(_)) if is_json(request) => body,
            _ => return Err(refuse(3, "badData")),
        };
        let bot = self.bot(request, &body)?;
        match method {
            "get_account_info" => Ok(account(&bot)),
            "set_webhook" => set_webhook(&bot, &body).await,
            "send_message" => self.send(&bot, body, request.body.len()),
            "broadcast_message" => self.broadcast(&bot, &body, request.body.len()),
            "get_user_details" => self.details(&bot, &body),
            "get_online" => online(&bot, &body),
            _ => Err(refuse(3, "badData")),
        }
    }

    fn send(&self, bot: &Bot, mut body: Value, length: usize) -> Result<Value, Refused> {
        ready(bot, length)?;
        let receiver =
            body.get("receiver").and_then(Value::as_str).ok_or_else(|| missing("receiver"))?.to_owned();
        if let Some(fields) = body.as_object_mut() {
            fields.remove("receiver");
        }
        check::message(&body, u64::MAX)?;
        let token = self.deliver(bot, &receiver, body, None)?;
        Ok(json!({"message_token": token, "chat_hostname": "SN-CHAT-05_", "billing_status": 2}))
    }

    fn broadcast(&self, bot: &Bot, body: &Value, length: usize) -> Result<Value, Refused> {
        ready(bot, length)?;
        let list =
            body.get("broadcast_list").and_then(Value::as_array).ok_or_else(|| missing("broadcast_list"))?;
        if list.is_empty() || list.len() > 300 {
            return Err(refuse(3, "badData"));
        }
        let mut message = body.clone();
        if let Some(fields) = message.as_object_mut() {
            fields.remove("broadcast_list");
        }
        check::message(&message, u64::MAX)?;
        let token = bot.lock().next_token();
        let mut failed = Vec::new();
        for receiver in list {
            let receiver = receiver.as_str().ok_or_else(|| refuse(3, "badData"))?;
            if let Err(why) = self.deliver(bot, receiver, message.clone(), Some(token)) {
                failed.push(json!({"receiver": receiver, "status": why.status, "status_message": why.words}));
            }
        }
        Ok(json!({"message_token": token, "failed_list": failed, "chat_hostname": "SN-CHAT-05_"}))
    }

    /// Shows a message to one person, under a token of its own or the given one.
    fn deliver(&self, bot: &Bot, receiver: &str, json: Value, token: Option<u64>) -> Result<u64, Refused> {
        let now = self.ground.now();
        let mut state = bot.lock();
        let token = token.unwrap_or_else(|| state.next_token());
        let known = state.people.get_mut(receiver).filter(|known| known.is_registered);
        let known = known.ok_or_else(|| refuse(5, "receiverNotRegistered"))?;
        if !known.is_subscribed {
            return Err(refuse(6, "notSubscribed"));
        }
        if json.get("min_api_version").and_then(Value::as_u64).unwrap_or(1) > known.person.api_version {
            return Err(refuse(13, "apiVersionNotSupported"));
        }
        known.unanswered.retain(|at| now.since(*at) < Duration::from_secs(3600));
        if known.unanswered.len() >= UNANSWERED {
            return Err(refuse(12, "tooManyRequests"));
        }
        known.unanswered.push(now);
        known.transcript.push(Entry { token, from: From::Bot, at: now, json });
        drop(state);
        self.ground.changed();
        Ok(token)
    }

    fn details(&self, bot: &Bot, body: &Value) -> Result<Value, Refused> {
        let id = body.get("id").and_then(Value::as_str).ok_or_else(|| missing("id"))?;
        let now = self.ground.now();
        let mut state = bot.lock();
        let token = state.next_token();
        let known = state.people.get_mut(id).filter(|known| known.is_registered);
        let known = known.ok_or_else(|| refuse(5, "receiverNotRegistered"))?;
        known.asked.retain(|at: &Timestamp| now.since(*at) < QUESTIONS_WITHIN);
        if known.asked.len() >= QUESTIONS {
            return Err(refuse(12, "tooManyRequests"));
        }
        known.asked.push(now);
        let mut user = known.person.json(true, true);
        if let Some(fields) = user.as_object_mut() {
            fields.extend([
                ("primary_device_os".to_owned(), json!("android 15")),
                ("viber_version".to_owned(), json!("25.1.0")),
                ("device_type".to_owned(), json!("Pixel 9")),
                ("mcc".to_owned(), json!(257)),
                ("mnc".to_owned(), json!(2)),
            ]);
        }
        Ok(json!({"message_token": token, "user": user}))
    }
}

/// What has to be before anything is sent. A KB is taken as 1024 bytes: the larger of its two meanings.
fn ready(bot: &Bot, length: usize) -> Result<(), Refused> {
    match () {
        () if bot.lock().webhook.is_none() => Err(refuse(10, "webhookNotSet")),
        () if length > 30 << 10 => Err(refuse(3, "badData")),
        () => Ok(()),
    }
}

fn account(bot: &Bot) -> Value {
    let state = bot.lock();
    let mut info = json!({
        "id": bot.inner.id, "name": bot.inner.name, "uri": bot.inner.uri,
        "icon": "https://media-direct.cdn.viber.com/pg_download?id=icon1", "category": "Companies",
        "subcategory": "Local Business", "country": "BY", "subscribers_count": state.people.len(),
        "location": {"lat": 53.9, "lon": 27.55}, "members": []
    });
    if let (Some(webhook), Some(fields)) = (&state.webhook, info.as_object_mut()) {
        fields.insert("webhook".to_owned(), json!(webhook.url));
        fields.insert("event_types".to_owned(), json!(webhook.events));
    }
    info
}

/// <https://developers.viber.com/docs/api/rest-bot-api/#setting-a-webhook>
async fn set_webhook(bot: &Bot, body: &Value) -> Result<Value, Refused> {
    let url = body.get("url").and_then(Value::as_str).ok_or_else(|| missing("url"))?;
    check::only(body, &["auth_token", "url", "event_types", "send_name", "send_photo", "is_inline"])?;
    if url.is_empty() {
        bot.lock().webhook = None;
        return Ok(json!({}));
    }
    let events = match body.get("event_types") {
        None => OPTIONAL.to_vec(),
        Some(named) => {
            let named: Option<Vec<&str>> =
                named.as_array().map(|n| n.iter().filter_map(Value::as_str).collect());
            named.ok_or_else(|| refuse(3, "badData"))?
        }
    };
    let known = |event: &&str| MANDATORY.contains(event) || OPTIONAL.contains(event);
    if !events.iter().all(known) {
        return Err(refuse(3, "badData"));
    }
    // The call stays open meanwhile: whoever makes it has to be able to answer.
    if Url::parse(url).is_err() || !hooks::probe(bot, url).await {
        return Err(refuse(1, "invalidUrl"));
    }
    let asked = events.into_iter().filter(|event| !MANDATORY.contains(event));
    let events: Vec<String> = MANDATORY.into_iter().chain(asked).map(str::to_owned).collect();
    let flag = |name: &str| body.get(name).and_then(Value::as_bool).unwrap_or_default();
    let (send_name, send_photo) = (flag("send_name"), flag("send_photo"));
    bot.lock().webhook = Some(Webhook { url: url.to_owned(), events: events.clone(), send_name, send_photo });
    Ok(json!({"event_types": events}))
}

/// <https://developers.viber.com/docs/api/rest-bot-api/#get-online>
fn online(bot: &Bot, body: &Value) -> Result<Value, Refused> {
    let ids = body.get("ids").and_then(Value::as_array).ok_or_else(|| missing("ids"))?;
    if ids.len() > 100 {
        return Err(refuse(3, "badData"));
    }
    let state = bot.lock();
    let user = |id: &Value| match state.people.get(id.as_str().unwrap_or_default()) {
        Some(known) if known.is_subscribed => {
            json!({"id": id, "online_status": 0, "online_status_message": "online"})
        }
        Some(_) => json!({"id": id, "online_status": 1, "online_status_message": "offline",
                          "last_online": 1_760_000_000_123_u64}),
        None => json!({"id": id, "online_status": 4, "online_status_message": "unavailable"}),
    };
    Ok(json!({"users": ids.iter().map(user).collect::<Vec<_>>()}))
}

fn is_json(request: &Request) -> bool {
    request.header(header::CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("application/json"))
}

#[async_trait]
impl Site for Provider {
    fn name(&self, request: &Request) -> String {
        match request.steps().as_slice() {
            [pa, method] if pa == "pa" => method.clone(),
            [files, ..] => files.clone(),
            [] => String::new(),
        }
    }

    async fn answer(&self, request: &Request) -> Reply {
        match request.steps().as_slice() {
            [files, number, _] if files == "files" => match self.file(number) {
                Some(upload) => Reply::bytes(200, "application/octet-stream", upload.bytes)
                    .with("content-type", upload.mime),
                None => Reply::status(404),
            },
            [pa, method] if pa == "pa" && request.method == Method::POST => {
                match self.call(method, request).await {
                    Ok(mut yields) => {
                        if let Some(fields) = yields.as_object_mut() {
                            fields.insert("status".to_owned(), json!(0));
                            fields.insert("status_message".to_owned(), json!("ok"));
                        }
                        Reply::json(200, &yields)
                    }
                    Err(why) => refusal(why.status, &why.words),
                }
            }
            _ => Reply::status(404),
        }
    }

    /// Refusals come with HTTP status 200.
    fn refuses(&self, reply: &Reply) -> bool {
        let status =
            serde_json::from_slice::<Value>(&reply.body).ok().and_then(|body| body.get("status")?.as_i64());
        !reply.status.is_success() || status.is_some_and(|status| status != 0)
    }
}
