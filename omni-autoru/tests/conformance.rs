//! The conformance suite, against the simulator of Auto.ru. `UPDATE_GOLDEN=1` writes the report anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use omni_autoru::{Autoru, Config, Rest};
use omni_core::content::{ContentKind, Part};
use omni_core::error::ErrorKind;
use omni_core::event::EventKind;
use omni_core::media::{Media, MediaKind, MediaSource};
use omni_core::webhook::{Answer, WebhookRequest, WebhookUrl};
use omni_core::{Channel, Content};
use omni_http::Http;
use omni_testkit::autoru::{AutoruSim, Buyer, Dealer, Entry, Said, Side};
use omni_testkit::conformance::{self, Act, ChatView, Done, Forgery, Rig, Seen, Trouble, WebhookHost};
use omni_testkit::sim::{Fault, Reply};
use serde_json::json;
use url::Url;

const CHAT_ID: &str = "Vj72x3B9NTk0qLw4Zr81mXc5";
const PATH_SECRET: &str = "p4th-0f_s3crecy";
const TOKEN: &str = "t0ken-of-the-manager";
const PASSWORD: &str = "pa55-word-0f-olga";
const LOGIN: &str = "79990001122";

/// A dealer at the simulator, and Pyotr, who writes to it.
struct Account {
    sim: AutoruSim,
    petr: Buyer,
    config: Config,
    http: Http,
    /// Where it is called, when it receives by webhook.
    host: Option<WebhookHost>,
}

impl Account {
    async fn by_webhook() -> Self {
        let host = WebhookHost::start(|_| Answer::ok()).await.unwrap();
        Self::start(Config::new(CHAT_ID).path_secret(PATH_SECRET), Some(host)).await
    }

    async fn by_polling() -> Self {
        let mut rest = Rest::new(TOKEN, LOGIN, PASSWORD);
        rest.poll_millis = 100;
        Self::start(Config::polling(rest), None).await
    }

    async fn start(mut config: Config, host: Option<WebhookHost>) -> Self {
        let dealer = Dealer::new(CHAT_ID).rest(TOKEN, LOGIN, PASSWORD);
        let sim = AutoruSim::start(dealer).await.unwrap();
        config.base_url = Url::parse(&sim.hook_url()).unwrap();
        if let Some(rest) = &mut config.rest {
            rest.base_url = Url::parse(&sim.rest_url()).unwrap();
        }
        // Connections of one client serve all rigs: making one reads the system's certificates.
        static HTTP: OnceLock<Http> = OnceLock::new();
        let http = HTTP.get_or_init(|| Http::new().unwrap()).clone();
        let petr = sim.buyer("9d1f3c", "Пётр");
        let account = Self { sim, petr, config, http, host };
        if let Some(url) = account.webhook_url() {
            // The step that only a person can do.
            let connected = account.channel().connect(&url).await.unwrap();
            account.sim.types_in_cabinet(connected.url.unwrap());
        }
        account
    }

    fn polls(&self) -> bool {
        self.host.is_none()
    }

    /// The call by which words go out.
    fn call(&self) -> &'static str {
        if self.polls() { "post" } else { "hook" }
    }

    fn strikes(&self, fault: Fault) -> Done {
        self.sim.faults().on(self.call(), 1, fault);
        Done::Yes
    }

    fn refuses(&self, status: u16) -> Done {
        let reply = match self.polls() {
            true => Reply::json(status, &json!({"error": "NOT_TODAY", "status": "ERROR"})),
            false => Reply::text(status, format!("отказ {CHAT_ID}")),
        };
        self.strikes(Fault::Reply(reply))
    }

    fn causes(&self, kind: EventKind) -> Done {
        match (kind, self.polls()) {
            (EventKind::Unsupported, false) => {
                self.sim.inject(&json!({"sender": {"id": "9d1f3c"}, "message": {"мысль": "🤔"}}));
            }
            (EventKind::Unsupported, true) => {
                self.petr.gets_an_oddity(json!({"id": "m99999999", "мысль": "🤔"}));
                self.petr.writes("и ещё");
            }
            (EventKind::Echo, _) => drop(self.petr.is_answered_in_the_app("Продаём")),
            (EventKind::Read, _) => {
                self.petr.is_answered_in_the_app("Продаём");
                self.petr.reads();
            }
            _ => return Done::Impossible("Auto.ru does not tell it"),
        }
        Done::Yes
    }
}

#[async_trait]
impl Rig for Account {
    fn channel(&self) -> Arc<dyn Channel> {
        Arc::new(Autoru::new(self.config.clone(), self.http.clone()).unwrap())
    }

    fn shown(&self) -> String {
        format!("{:?}", self.config)
    }

    fn secrets(&self) -> Vec<String> {
        [CHAT_ID, PATH_SECRET, TOKEN, PASSWORD, LOGIN].map(str::to_owned).to_vec()
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
        let mut forged = genuine.clone();
        let kept = &CHAT_ID[..CHAT_ID.len() - 1];
        forged.query = match how {
            Forgery::Missing => None,
            Forgery::Empty => Some("chat_id=".to_owned()),
            Forgery::Wrong => Some(format!("chat_id={kept}6")),
            Forgery::Truncated => Some(format!("chat_id={kept}")),
            _ => return None,
        };
        Some(forged)
    }

    async fn act(&self, act: Act<'_>) -> Done {
        match act {
            Act::Writes(words) => drop(self.petr.writes(words)),
            Act::Sends(Part::Media(media)) if media.kind == MediaKind::Image => {
                let MediaSource::Bytes { bytes } = &media.source else {
                    panic!("{media:?} is not in memory")
                };
                self.petr.sends_picture(bytes.clone());
            }
            Act::Sends(_) => return Done::Impossible("the app sends words and pictures only"),
            Act::Delivers { first, last } if self.polls() => {
                self.petr.writes(first);
                self.petr.gets_an_oddity(json!({"id": "m99999999", "author": {"мысль": "🤔"}}));
                self.petr.writes(last);
            }
            Act::Delivers { .. } => return Done::Impossible("a webhook is one message"),
            Act::Causes(kind) => return self.causes(kind),
            _ => return Done::Impossible("Auto.ru has no such thing"),
        }
        Done::Yes
    }

    async fn settles(&self) {
        self.sim.poster().idle().await;
    }

    async fn chat(&self) -> ChatView {
        let polls = self.polls();
        let messages = self.petr.talk().iter().map(|entry| seen(entry, polls)).collect();
        ChatView { messages, is_typing: false }
    }

    async fn trouble(&self, trouble: Trouble) -> Done {
        match trouble {
            Trouble::Refuses(ErrorKind::ContentRejected) => self.refuses(400),
            Trouble::Refuses(ErrorKind::TooLarge) => self.refuses(413),
            Trouble::Refuses(ErrorKind::RateLimited) => self.refuses(429),
            Trouble::Refuses(ErrorKind::Unavailable) => self.strikes(Fault::BadGateway),
            Trouble::Pauses(wait) => {
                let reply = Reply::status(429).with("retry-after", wait.as_secs().to_string());
                self.strikes(Fault::Reply(reply))
            }
            Trouble::LosesAnswer => self.strikes(Fault::DropAfterAccept),
            Trouble::Revokes if self.polls() => {
                self.sim.revokes();
                Done::Yes
            }
            Trouble::Revokes => Done::Impossible("there is no call by which a ChatId could be checked"),
            _ => Done::Impossible("Auto.ru does not tell it apart"),
        }
    }

    /// Files go by their address.
    fn sample(&self, kind: ContentKind) -> Content {
        let mut content = conformance::sample(kind);
        for media in content.all_media_mut() {
            let name = media.name.clone().unwrap_or_default();
            let mut url = Url::parse("https://crm.example.org/").unwrap();
            url.path_segments_mut().unwrap().push(&name);
            media.source = MediaSource::Url { url };
        }
        content
    }

    fn sample_of_customer(&self, kind: ContentKind) -> Content {
        conformance::sample(kind)
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(5)
    }
}

/// Messages of webhooks are known by our id, those of rooms by the room's.
fn seen(entry: &Entry, polls: bool) -> Seen {
    let content = match &entry.said {
        Said::Text(words) | Said::Html(words) => Content::text(&**words),
        Said::Picture(url) => Content::media(Media::new(MediaKind::Image, Url::parse(url).unwrap())),
    };
    let id = entry.provided_id.as_ref().filter(|_| !polls).unwrap_or(&entry.id);
    Seen { is_read: entry.is_read, ..Seen::new(&**id, entry.side == Side::Operator, content) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connector_conforms() {
    let (webhook, polling) =
        tokio::join!(conformance::run(Account::by_webhook), conformance::run(Account::by_polling));
    let reports =
        [("A dealer that receives by webhook", webhook), ("A dealer whose rooms are polled", polling)];
    let connector = omni_autoru::connector(Http::new().unwrap());
    conformance::commit_report(env!("CARGO_MANIFEST_DIR"), "omni-autoru", &connector, &reports);
}
