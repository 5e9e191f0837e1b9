//! The conformance suite, against a program that speaks the protocol. `UPDATE_GOLDEN=1` writes the report anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use omni_core::content::{ContactCard, Item, Keyboard, Location, Part};
use omni_core::error::ErrorKind;
use omni_core::event::EventKind;
use omni_core::media::{Media, MediaKind, MediaSource};
use omni_core::text::Entity;
use omni_core::webhook::{Answer, WebhookRequest, WebhookUrl};
use omni_core::{Channel, Content, Status, Text};
use omni_http::Http;
use omni_testkit::conformance::{
    self, Act, ChatView, Done, Forgery, Rig, Seen, Trouble, WebhookHost, forge_body, forge_header,
};
use omni_testkit::sim::Fault;
use omni_testkit::webhook::{Customer, Entry, From, ProgramSim, Upload, refusal};
use omni_webhook::verify::SIGNATURE_HEADER;
use omni_webhook::{Abilities, Config, Webhook};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const KEY: &str = "5d41402abc4b2a76b9719d911017c592";

/// A program, and Ivan, who writes in it.
struct Site {
    sim: ProgramSim,
    ivan: Customer,
    config: Config,
    http: Http,
    host: WebhookHost,
}

impl Site {
    /// A program that can do all the protocol has words for.
    async fn able() -> Self {
        Self::start(Abilities::all()).await
    }

    /// A program of which the settings say nothing.
    async fn plain() -> Self {
        Self::start(Abilities::default()).await
    }

    async fn start(abilities: Abilities) -> Self {
        let sim = ProgramSim::start(KEY).await.unwrap();
        let host = WebhookHost::start(|_| Answer::ok()).await.unwrap();
        sim.posts_to(host.url().as_url().as_str());
        let config = Config::new(sim.endpoint(), KEY)
            .named("site")
            .able(abilities)
            .linked("https://shop.example/chat?start={token}");
        // Connections of one client serve all rigs: making one reads the system's certificates.
        static HTTP: OnceLock<Http> = OnceLock::new();
        let http = HTTP.get_or_init(|| Http::new().unwrap()).clone();
        let ivan = sim.customer("u-100", "Иван");
        Self { sim, ivan, config, http, host }
    }

    fn causes(&self, kind: EventKind) -> Done {
        match kind {
            EventKind::Echo => drop(self.ivan.is_answered_by("Мария", "Да, есть 😊")),
            EventKind::Deleted => {
                let said = self.ivan.writes("ой");
                self.ivan.deletes(&said);
            }
            EventKind::Started => self.ivan.starts(None),
            EventKind::Subscribed => self.ivan.does("subscribed"),
            EventKind::Blocked => self.ivan.blocks(),
            EventKind::Typing => self.ivan.does("typing"),
            EventKind::Read => {
                let said = self.ivan.is_answered_by("Мария", "Видите?");
                self.ivan.reads(&said);
            }
            EventKind::Unsupported => {
                self.sim.inject(&[json!({"id": "e-tele", "type": "telepathy", "мысль": "🤔"})]);
            }
            _ => return Done::Impossible("the protocol has no word for it"),
        }
        Done::Yes
    }

    fn sends(&self, part: &Part) -> Done {
        match part {
            Part::Media(media) => {
                let MediaSource::Bytes { bytes } = &media.source else {
                    panic!("{media:?} is not in memory")
                };
                let kind = serde_json::to_value(media.kind).unwrap().as_str().unwrap().to_owned();
                let (name, mime) = (media.name.clone().unwrap(), media.mime.clone().unwrap());
                self.ivan.sends(&Upload { kind, name, mime, bytes: bytes.clone() });
            }
            Part::Location(place) => {
                let place = json!({"latitude": place.latitude, "longitude": place.longitude});
                self.ivan.says(json!({ "location": place }));
            }
            Part::Contact(card) => {
                self.ivan.says(json!({"contact": {"name": card.name, "phones": card.phones}}));
            }
            _ => return Done::Impossible("nobody sends it"),
        }
        Done::Yes
    }
}

#[async_trait]
impl Rig for Site {
    fn channel(&self) -> Arc<dyn Channel> {
        Arc::new(Webhook::new(self.config.clone(), self.http.clone()).unwrap())
    }

    fn shown(&self) -> String {
        format!("{:?}", self.config)
    }

    fn secrets(&self) -> Vec<String> {
        vec![KEY.to_owned()]
    }

    fn webhook_url(&self) -> Option<WebhookUrl> {
        Some(self.host.url().clone())
    }

    async fn webhook(&self) -> WebhookRequest {
        self.host.next().await
    }

    fn forge(&self, genuine: &WebhookRequest, how: Forgery) -> Option<WebhookRequest> {
        match how {
            Forgery::OtherBody => Some(forge_body(genuine)),
            how => forge_header(genuine, SIGNATURE_HEADER, how),
        }
    }

    async fn act(&self, act: Act<'_>) -> Done {
        let ivan = &self.ivan;
        match act {
            Act::Writes(text) => drop(ivan.writes(text)),
            Act::Sends(part) => return self.sends(part),
            Act::Answers { message, text } => drop(ivan.answers(message.as_str(), text)),
            Act::Edits { message, text } => ivan.edits(message.as_str(), text),
            Act::Reacts { message, sign } => ivan.reacts(message.as_str(), sign),
            Act::Presses { message, label } => drop(ivan.presses(message.as_str(), label)),
            Act::Follows(link) => {
                let token = link.query_pairs().find(|(name, _)| name == "start").unwrap().1;
                ivan.starts(Some(&token));
            }
            Act::Reports { message, status } => {
                let told = match status {
                    _ if self.config.capabilities.statuses.is_empty() => None,
                    Status::Delivered => Some("delivered"),
                    Status::Read => Some("read"),
                    Status::Failed => Some("failed"),
                    _ => None,
                };
                let Some(told) = told else { return Done::Impossible("the program does not tell it") };
                ivan.is_told(message.as_str(), told);
            }
            Act::Delivers { first, last } => {
                let broken = json!({"id": "e-broken", "type": "message", "address": ivan.address(),
                    "message_id": ["сорок"], "sender": {}, "text": "?"});
                ivan.writes_around(first, broken, last);
            }
            Act::Causes(kind) => return self.causes(kind),
            _ => return Done::Impossible("the protocol has no word for it"),
        }
        Done::Yes
    }

    async fn settles(&self) {
        self.sim.hooks().idle().await;
    }

    async fn chat(&self) -> ChatView {
        let messages = self.ivan.transcript().iter().map(seen).collect();
        ChatView { messages, is_typing: self.ivan.sees_typing() }
    }

    async fn trouble(&self, trouble: Trouble) -> Done {
        let refuses = |status, kind| self.sim.refuse("message", status, kind);
        match trouble {
            Trouble::Refuses(ErrorKind::RecipientBlocked) => self.ivan.blocks(),
            Trouble::Refuses(ErrorKind::RecipientUnreachable) => self.ivan.leaves(),
            Trouble::Refuses(ErrorKind::ContentRejected) => refuses(422, "content_rejected"),
            Trouble::Refuses(ErrorKind::TooLarge) => refuses(413, "too_large"),
            Trouble::Refuses(ErrorKind::Forbidden) => refuses(403, "forbidden"),
            Trouble::Refuses(ErrorKind::WindowClosed) => refuses(409, "window_closed"),
            Trouble::Refuses(ErrorKind::RateLimited) => refuses(429, "rate_limited"),
            Trouble::Refuses(ErrorKind::Unavailable) => {
                self.sim.faults().on("message", 1, Fault::BadGateway);
            }
            Trouble::Pauses(wait) => {
                let paused = refusal(429, "rate_limited", "помедленнее");
                self.sim.answer("message", paused.with("retry-after", wait.as_secs().to_string()));
            }
            Trouble::LosesAnswer => {
                self.sim.faults().on("message", 1, Fault::DropAfterAccept);
            }
            Trouble::Revokes => self.sim.set_keys(&["another-key-of-the-program"]),
            _ => return Done::Impossible("programs do not refuse so"),
        }
        Done::Yes
    }
}

fn seen(entry: &Entry) -> Seen {
    let answered = entry.json.pointer("/reply_to/message").and_then(Value::as_str);
    Seen {
        reply_to: answered.map(Into::into),
        signs: entry.signs.clone(),
        is_read: entry.is_read,
        ..Seen::new(entry.id.as_str(), entry.from == From::Channel, shown(&entry.json))
    }
}

/// What a message says, read from the wire form: not by the parser under test.
fn shown(json: &Value) -> Content {
    let mut content = Content::default();
    if let Some(plain) = json["text"].as_str() {
        let entities: Option<Vec<Entity>> = field(json, "entities");
        content.text = Some(Text { plain: plain.to_owned(), entities: entities.unwrap_or_default() });
    }
    for file in json["media"].as_array().into_iter().flatten() {
        let kind: MediaKind = field(file, "kind").unwrap();
        let source = match file["data"].as_str() {
            Some(data) => MediaSource::Bytes { bytes: STANDARD.decode(data).unwrap().into() },
            None => MediaSource::Url { url: field(file, "url").unwrap() },
        };
        content.parts.push(Part::Media(Media::new(kind, source)));
    }
    content.parts.extend(field::<Location>(json, "location").map(Part::Location));
    content.parts.extend(field::<ContactCard>(json, "contact").map(Part::Contact));
    content.parts.extend(field::<Vec<Item>>(json, "items").into_iter().flatten().map(Part::Item));
    content.keyboard = field::<Keyboard>(json, "keyboard");
    content
}

fn field<T: DeserializeOwned>(json: &Value, name: &str) -> Option<T> {
    json.get(name).map(|value| serde_json::from_value(value.clone()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connector_conforms() {
    let reports = [
        ("A program that can do everything", conformance::run(Site::able).await),
        ("A program of which the settings say nothing", conformance::run(Site::plain).await),
    ];
    let connector = omni_webhook::connector(Http::new().unwrap());
    conformance::commit_report(env!("CARGO_MANIFEST_DIR"), "omni-webhook", &connector, &reports);
}
