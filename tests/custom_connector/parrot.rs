//! Parrot, simulated: real HTTP on loopback, both ways. It refuses what Parrot would refuse.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderValue;
use omni_core::crypto::hmac_sha256;
use omni_testkit::sim::{Answered, Ground, Hook, Poster, Reply, Request, Server, Site, Verdict};
use serde_json::{Value, json};

/// The one chat there is.
pub const CHAT: &str = "клетка-1";
/// The longest text, in UTF-16 code units.
const LONGEST: usize = 1000;
/// How long `updates` waits for news.
const PATIENCE: Duration = Duration::from_secs(20);

/// One message, as the customer's app shows it.
#[derive(Clone, Debug)]
pub struct Line {
    pub id: String,
    pub is_ours: bool,
    pub text: String,
}

#[derive(Debug)]
struct State {
    token: String,
    secret: String,
    hook: Option<String>,
    lines: Vec<Line>,
    /// News that were not acknowledged, by their numbers.
    news: Vec<(u64, Value)>,
    count: u64,
}

/// The service.
#[derive(Debug)]
pub struct Parrot {
    state: Mutex<State>,
    poster: Poster,
    ground: Ground,
}

/// Starts Parrot with an account that has this token, and signs webhooks under this secret.
pub async fn start(token: &str, secret: &str) -> Server<Parrot> {
    let (token, key) = (token.to_owned(), secret.to_owned());
    let make = move |ground: &Ground| {
        let state = State { token, secret: key, hook: None, lines: Vec::new(), news: Vec::new(), count: 0 };
        Parrot { state: Mutex::new(state), poster: Poster::new(ground, verdict), ground: ground.clone() }
    };
    Server::start(make).await.expect("a port on loopback")
}

/// What is refused is not tried again; what went wrong is.
fn verdict(hook: &Hook, answer: &Answered) -> Verdict {
    match answer.status.map(|status| status.as_u16()) {
        Some(200..=299) => Verdict::Taken,
        Some(400..=499) => Verdict::Dropped,
        _ if hook.attempt >= 5 => Verdict::Dropped,
        _ => Verdict::Again(Duration::from_millis(20)),
    }
}

impl Parrot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    /// The chat, as the customer's app shows it.
    pub fn lines(&self) -> Vec<Line> {
        self.state().lines.clone()
    }

    /// From now on the token is another one.
    pub fn revokes(&self) {
        self.state().token.push_str("-renewed");
        self.ground.changed();
    }

    /// Waits until every webhook was taken.
    pub async fn settles(&self) {
        self.poster.idle().await;
    }

    /// A message of the customer, as news.
    pub fn written(&self, text: &str) -> Value {
        let id = self.state().id();
        self.state().lines.push(Line { id: id.clone(), is_ours: false, text: text.to_owned() });
        json!({"kind": "message", "id": id, "chat": CHAT, "name": "Пётр 🦜", "text": text, "at": self.now()})
    }

    /// How far a message of ours came, as news.
    pub fn reported(&self, message: &str, status: &str) -> Value {
        let id = self.state().id();
        json!({"kind": "status", "id": id, "message": message, "status": status, "at": self.now()})
    }

    fn now(&self) -> i64 {
        self.ground.now().as_millis()
    }

    /// Tells news: to the webhook, where one is set, else to whoever asks.
    pub fn tells(&self, entries: Vec<Value>) {
        let mut state = self.state();
        if let Some(url) = state.hook.clone() {
            let body = json!({"events": entries}).to_string();
            let signature = hmac_sha256(state.secret.as_bytes(), body.as_bytes());
            let signature: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
            let mut hook = Hook::json(CHAT, url, body);
            hook.headers.insert("x-parrot-signature", HeaderValue::from_str(&signature).expect("digits"));
            self.poster.post(hook);
        } else {
            for entry in entries {
                let number = state.number();
                state.news.push((number, entry));
            }
        }
        drop(state);
        self.ground.changed();
    }

    /// News behind a place, waited for.
    async fn updates(&self, after: u64) -> Reply {
        let look = async {
            let mut changes = self.ground.watch();
            loop {
                changes.mark_unchanged();
                let found = self.state().after(after);
                if !found.is_empty() {
                    return found;
                }
                let _ = changes.changed().await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, look).await.unwrap_or_default();
        let next = found.last().map_or(after, |(number, _)| *number);
        let entries: Vec<Value> = found.into_iter().map(|(_, entry)| entry).collect();
        Reply::json(200, &json!({"events": entries, "next": next.to_string()}))
    }
}

impl State {
    fn number(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn id(&mut self) -> String {
        format!("p{}", self.number())
    }

    fn after(&self, place: u64) -> Vec<(u64, Value)> {
        self.news.iter().filter(|(number, _)| *number > place).cloned().collect()
    }

    fn message(&mut self, body: &Value) -> Reply {
        let (Some(chat), Some(text)) = (body["chat"].as_str(), body["text"].as_str()) else {
            return refuse(422, "chat or text is missing");
        };
        if chat != CHAT {
            return refuse(404, "nobody is there");
        }
        if text.is_empty() || text.encode_utf16().count() > LONGEST {
            return refuse(422, "too short or too long");
        }
        let id = self.id();
        self.lines.push(Line { id: id.clone(), is_ours: true, text: text.to_owned() });
        Reply::json(200, &json!({"id": id}))
    }
}

fn refuse(status: u16, why: &str) -> Reply {
    Reply::json(status, &json!({"error": why}))
}

#[async_trait]
impl Site for Parrot {
    fn name(&self, request: &Request) -> String {
        request.path.trim_matches('/').to_owned()
    }

    async fn answer(&self, request: &Request) -> Reply {
        let bearer = format!("Bearer {}", self.state().token);
        if request.header("authorization") != Some(bearer.as_str()) {
            return refuse(401, "no such token");
        }
        let Some(body) = request.json().filter(Value::is_object) else {
            return refuse(422, "no JSON object");
        };
        let place = |name: &str| body[name].as_str().and_then(|place| place.parse().ok()).unwrap_or(0);
        match self.name(request).as_str() {
            "me" => Reply::json(200, &json!({"id": "7", "name": "Магазин попугаев"})),
            "messages" => self.state().message(&body),
            "updates" => self.updates(place("after")).await,
            "ack" => {
                self.state().news.retain(|(number, _)| *number > place("up_to"));
                Reply::json(200, &json!({}))
            }
            "hook" | "unhook" => {
                self.state().hook = body["url"].as_str().map(str::to_owned);
                Reply::json(200, &json!({}))
            }
            _ => refuse(404, "no such call"),
        }
    }
}
