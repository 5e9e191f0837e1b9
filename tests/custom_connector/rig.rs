//! Parrot as the suite drives it: one account, one customer.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use omni_core::content::Content;
use omni_core::error::ErrorKind;
use omni_core::event::EventKind;
use omni_core::webhook::{Answer, WebhookRequest, WebhookUrl};
use omni_core::{Channel, Status};
use omni_http::Http;
use omni_testkit::conformance::{self, Act, ChatView, Done, Forgery, Rig, Seen, Trouble, WebhookHost};
use omni_testkit::sim::{Fault, Reply, Server};
use serde_json::json;

use super::custom_connector::{Config, Parrot};
use super::parrot;

const TOKEN: &str = "t0ken-of-the-parrot";
const SECRET: &str = "s3cret-of-the-parrot";

/// An account at the simulator, and Pyotr, who writes to it.
pub struct Account {
    sim: Server<parrot::Parrot>,
    config: Config,
    http: Http,
    /// Where Parrot posts, when it does.
    host: Option<WebhookHost>,
}

impl Account {
    /// An account that gets webhooks.
    pub async fn by_webhook() -> Self {
        let host = WebhookHost::start(|_| Answer::ok()).await.expect("a port on loopback");
        Self::start(Some(SECRET.into()), Some(host)).await
    }

    /// An account that asks.
    pub async fn by_asking() -> Self {
        Self::start(None, None).await
    }

    async fn start(webhook_secret: Option<omni_core::Secret>, host: Option<WebhookHost>) -> Self {
        // Connections of one client serve all rigs: making one reads the system's certificates.
        static HTTP: OnceLock<Http> = OnceLock::new();
        let http = HTTP.get_or_init(|| Http::new().expect("a client")).clone();
        let sim = parrot::start(TOKEN, SECRET).await;
        let base_url = sim.ground().base_url().parse().expect("an address");
        let config = Config { token: TOKEN.into(), webhook_secret, base_url };
        Self { sim, config, http, host }
    }

    fn strikes(&self, fault: Fault) -> Done {
        self.sim.faults().on("messages", 1, fault);
        Done::Yes
    }

    fn tells(&self, entry: serde_json::Value) -> Done {
        self.sim.site().tells(vec![entry]);
        Done::Yes
    }
}

#[async_trait]
impl Rig for Account {
    fn channel(&self) -> Arc<dyn Channel> {
        Arc::new(Parrot::new(self.config.clone(), self.http.clone()).expect("a channel"))
    }

    fn shown(&self) -> String {
        format!("{:?}", self.config)
    }

    fn secrets(&self) -> Vec<String> {
        vec![TOKEN.to_owned(), SECRET.to_owned()]
    }

    fn webhook_url(&self) -> Option<WebhookUrl> {
        self.host.as_ref().map(|host| host.url().clone())
    }

    async fn webhook(&self) -> WebhookRequest {
        match &self.host {
            Some(host) => host.next().await,
            None => std::future::pending().await,
        }
    }

    fn forge(&self, genuine: &WebhookRequest, how: Forgery) -> Option<WebhookRequest> {
        match how {
            Forgery::OtherBody => Some(conformance::forge_body(genuine)),
            _ => conformance::forge_header(genuine, "x-parrot-signature", how),
        }
    }

    async fn act(&self, act: Act<'_>) -> Done {
        let site = self.sim.site();
        match act {
            Act::Writes(text) => self.tells(site.written(text)),
            Act::Reports { message, status: Status::Delivered } => {
                self.tells(site.reported(message.as_str(), "delivered"))
            }
            Act::Reports { message, status: Status::Read } => {
                self.tells(site.reported(message.as_str(), "read"))
            }
            Act::Delivers { first, last } => {
                let broken = json!({"kind": "message", "id": "p-broken", "chat": parrot::CHAT, "text": 7});
                site.tells(vec![site.written(first), broken, site.written(last)]);
                Done::Yes
            }
            Act::Causes(EventKind::Unsupported) => {
                self.tells(json!({"kind": "whistle", "id": "p-whistle", "tune": "🎵"}))
            }
            _ => Done::Impossible("Parrot has no such thing"),
        }
    }

    async fn settles(&self) {
        self.sim.site().settles().await;
    }

    async fn chat(&self) -> ChatView {
        let seen = |line: parrot::Line| Seen::new(line.id, line.is_ours, Content::text(line.text));
        ChatView { messages: self.sim.site().lines().into_iter().map(seen).collect(), is_typing: false }
    }

    async fn trouble(&self, trouble: Trouble) -> Done {
        let refuses = |status| self.strikes(Fault::Reply(Reply::json(status, &json!({"error": TOKEN}))));
        match trouble {
            Trouble::Refuses(ErrorKind::RecipientUnreachable) => refuses(404),
            Trouble::Refuses(ErrorKind::ContentRejected) => refuses(422),
            Trouble::Refuses(ErrorKind::RateLimited) => refuses(429),
            Trouble::Refuses(ErrorKind::Unavailable) => self.strikes(Fault::BadGateway),
            Trouble::Refuses(_) => Done::Impossible("Parrot does not tell it apart"),
            Trouble::Pauses(wait) => {
                let pause = Reply::status(429).with("retry-after", wait.as_secs().to_string());
                self.strikes(Fault::Reply(pause))
            }
            Trouble::LosesAnswer => self.strikes(Fault::DropAfterAccept),
            Trouble::Revokes => {
                self.sim.site().revokes();
                Done::Yes
            }
            _ => Done::Impossible("Parrot gives no such trouble"),
        }
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(5)
    }
}
