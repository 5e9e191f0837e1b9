//! The conformance suite, against the simulator of the Messenger API. `UPDATE_GOLDEN=1` writes the report anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderValue;
use omni_avito::{Avito, Config, Receive};
use omni_core::content::Part;
use omni_core::error::ErrorKind;
use omni_core::event::EventKind;
use omni_core::media::{Media, MediaKind, MediaSource};
use omni_core::tokens::MemoryTokens;
use omni_core::webhook::{Answer, WebhookRequest, WebhookUrl};
use omni_core::{Channel, Content, Status};
use omni_http::Http;
use omni_testkit::avito::{Account, AvitoSim, Buyer, Entry, Seller, refusal};
use omni_testkit::conformance::{self, Act, ChatView, Done, Forgery, Rig, Seen, Trouble, WebhookHost};
use omni_testkit::pair::{Moving, Pair};
use omni_testkit::sim::Fault;
use serde_json::json;
use url::Url;

const SELLER: i64 = 70_010_001;
const CLIENT_SECRET: &str = "zX9-client-secret";
const SECRET: &str = "Zx9_random-256bit";

/// A seller at the simulator, and Ivan, who writes about an advert.
struct Shop {
    sim: AvitoSim,
    seller: Seller,
    ivan: Buyer,
    config: Config,
    http: Http,
    tokens: Arc<MemoryTokens>,
    /// Where it is called, when it receives by webhook.
    host: Option<WebhookHost>,
    /// What nobody but this rig knows.
    secrets: Vec<String>,
}

impl Shop {
    async fn by_webhook() -> Self {
        Self::start(Config::new("aB3kQ", CLIENT_SECRET).webhook(SECRET)).await
    }

    async fn by_polling() -> Self {
        Self::start(Config::new("aB3kQ", CLIENT_SECRET).polling()).await
    }

    async fn by_both() -> Self {
        Self::start(Config::new("aB3kQ", CLIENT_SECRET).webhook_and_polling(SECRET)).await
    }

    async fn as_an_application() -> Self {
        let mut shop = Self::by_webhook().await;
        let refresh_token = shop.seller.allows();
        shop.secrets.push(refresh_token.clone());
        shop.config = shop.config.application(refresh_token).account(SELLER);
        shop
    }

    async fn start(mut config: Config) -> Self {
        let sim = AvitoSim::start().await.unwrap();
        let seller = sim.add_account(Account::new(SELLER, "Авто Плюс", "aB3kQ", CLIENT_SECRET));
        let ivan = seller.buyer(80_020_002, "Иван 👨‍🚀").about(5_500_550_055, "Kia Rio 2019");
        config.base_url = Url::parse(sim.base_url()).unwrap();
        config.poll_seconds = Some(1);
        let host = match config.receive {
            Receive::Polling => None,
            _ => Some(WebhookHost::start(|_| Answer::ok()).await.unwrap()),
        };
        // Connections of one client serve all rigs: making one reads the system's certificates.
        static HTTP: OnceLock<Http> = OnceLock::new();
        let http = HTTP.get_or_init(|| Http::new().unwrap()).clone();
        let secrets = vec![CLIENT_SECRET.to_owned(), SECRET.to_owned()];
        Self { sim, seller, ivan, config, http, tokens: Arc::default(), host, secrets }
    }

    fn causes(&self, kind: EventKind) -> Done {
        match kind {
            EventKind::Call => {
                drop(
                    self.ivan.sends("call", json!({"call": {"status": "missed", "target_user_id": SELLER}})),
                );
            }
            EventKind::Deleted => {
                let said = self.ivan.writes("Ой");
                self.ivan.deletes(&said.id);
            }
            EventKind::Echo => drop(self.ivan.is_answered_in_the_app("Продаём")),
            EventKind::Read => {
                self.ivan.is_answered_in_the_app("Приезжайте");
                self.ivan.reads();
            }
            EventKind::Unsupported => drop(self.ivan.says_what_nobody_can_read()),
            _ => return Done::Impossible("Avito does not tell it"),
        }
        Done::Yes
    }

    fn sends(&self, part: &Part) -> Done {
        match part {
            Part::Media(media) => {
                let MediaSource::Bytes { bytes } = &media.source else {
                    panic!("{media:?} is not in memory")
                };
                match media.kind {
                    MediaKind::Image => drop(self.ivan.sends_image(bytes.clone())),
                    MediaKind::Voice => drop(self.ivan.sends_voice(bytes.clone())),
                    _ => return Done::Impossible("Avito hands no files over"),
                }
            }
            Part::Location(place) => {
                let place = json!({"kind": "street", "lat": place.latitude, "lon": place.longitude,
                                   "title": "Тверская, 1", "text": "Москва, Тверская улица, 1"});
                self.ivan.sends("location", json!({"location": place}));
            }
            _ => return Done::Impossible("the app does not send it"),
        }
        Done::Yes
    }

    /// A refusal with 403 is heard twice: the token is renewed in between.
    fn refuses(&self, times: u32, fault: Fault) -> Done {
        self.sim.faults().on("sendMessage", times, fault);
        Done::Yes
    }
}

#[async_trait]
impl Rig for Shop {
    fn channel(&self) -> Arc<dyn Channel> {
        let tokens = self.tokens.clone();
        Arc::new(Avito::new(self.config.clone(), self.http.clone(), tokens).unwrap())
    }

    fn shown(&self) -> String {
        format!("{:?}", self.config)
    }

    fn secrets(&self) -> Vec<String> {
        self.secrets.clone()
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
        let (before, secret) = genuine.path.rsplit_once('/').unwrap();
        let (kept, _) = secret.split_at(secret.len() - 1);
        forged.path = match how {
            Forgery::Missing => before.to_owned(),
            Forgery::Empty => format!("{before}/"),
            Forgery::Wrong => format!("{before}/{kept}_"),
            Forgery::Truncated => format!("{before}/{kept}"),
            _ => return None,
        };
        // What is not checked by default proves nothing either.
        forged.headers.insert("x-avito-messenger-signature", HeaderValue::from_static("00"));
        Some(forged)
    }

    async fn act(&self, act: Act<'_>) -> Done {
        match act {
            Act::Writes(text) => drop(self.ivan.writes(text)),
            Act::Sends(part) => return self.sends(part),
            Act::Answers { message, text } if self.config.receive == Receive::Polling => {
                drop(self.ivan.answers(message.as_str(), text));
            }
            Act::Answers { .. } => return Done::Impossible("webhooks carry no quotes"),
            Act::Delivers { first, last } => {
                self.ivan.writes(first);
                self.ivan.says_what_nobody_can_read();
                self.ivan.writes(last);
            }
            Act::Causes(kind) => return self.causes(kind),
            _ => return Done::Impossible("Avito does not tell it"),
        }
        Done::Yes
    }

    async fn settles(&self) {
        self.sim.hooks().idle().await;
    }

    async fn chat(&self) -> ChatView {
        let entries = self.ivan.transcript();
        let there = entries.iter().filter(|entry| entry.kind != "deleted");
        ChatView { messages: there.map(|entry| seen(&self.ivan, entry)).collect(), is_typing: false }
    }

    async fn trouble(&self, trouble: Trouble) -> Done {
        match trouble {
            Trouble::Refuses(ErrorKind::RecipientUnreachable) => self.ivan.leaves(),
            Trouble::Refuses(ErrorKind::RecipientBlocked) => {
                return self.refuses(2, Fault::Reply(refusal(403, "user is in blacklist")));
            }
            Trouble::Refuses(ErrorKind::Forbidden) => {
                return self.refuses(2, Fault::Reply(refusal(403, "access denied")));
            }
            Trouble::Refuses(ErrorKind::ContentRejected) => {
                return self.refuses(1, Fault::Reply(refusal(400, "Bad Request")));
            }
            Trouble::Refuses(ErrorKind::TooLarge) => {
                return self.refuses(1, Fault::Reply(refusal(400, "text is too long")));
            }
            Trouble::Refuses(ErrorKind::RateLimited) => {
                return self.refuses(1, Fault::Reply(refusal(429, "Too Many Requests")));
            }
            Trouble::Refuses(ErrorKind::Unavailable) => return self.refuses(1, Fault::BadGateway),
            Trouble::Pauses(wait) => {
                let reply = refusal(429, "Too Many Requests").with("retry-after", wait.as_secs().to_string());
                return self.refuses(1, Fault::Reply(reply));
            }
            Trouble::LosesAnswer => {
                // Its echo comes later than the loss is noticed, as over a true network.
                self.sim.hooks().delay(Duration::from_millis(300));
                return self.refuses(1, Fault::DropAfterAccept);
            }
            Trouble::Revokes => self.seller.revokes(),
            _ => return Done::Impossible("Avito refuses nothing so"),
        }
        Done::Yes
    }

    fn known_as(&self) -> (Option<&str>, Option<&str>) {
        (Some("Иван 👨‍🚀"), Some("Kia Rio 2019"))
    }
}

/// What a message says, read from the provider's own form: not by the parser under test.
fn seen(ivan: &Buyer, entry: &Entry) -> Seen {
    let mut content = Content::default();
    if let Some(words) = entry.content["text"].as_str() {
        content = Content::text(words);
    }
    if let Some(bytes) = ivan.image(entry) {
        content.parts.push(Part::Media(Media::new(MediaKind::Image, bytes)));
    }
    Seen { is_read: entry.is_read, ..Seen::new(entry.id.as_str(), entry.author == SELLER, content) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connector_conforms() {
    let reports = tokio::join!(
        conformance::run(Shop::by_webhook),
        conformance::run_receiving(Shop::by_polling),
        conformance::run(Shop::by_both),
        conformance::run(Shop::as_an_application),
    );
    let reports = [
        ("An account with keys of its own that receives by webhook", reports.0),
        ("The same account receiving by polling", reports.1),
        ("The same account receiving by both", reports.2),
        ("An account that allowed an application", reports.3),
    ];
    let connector = omni_avito::connector(Http::new().unwrap());
    conformance::commit_report(env!("CARGO_MANIFEST_DIR"), "omni-avito", &connector, &reports);
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_the_echo_of_what_was_sent() {
    let shop = Arc::new(Shop::by_webhook().await);
    let pair = Pair::start(shop.clone()).await.unwrap();
    let talk = pair.customer_writes("Ещё продаёте? 👋").await.unwrap();
    shop.trouble(Trouble::LosesAnswer).await;
    pair.reply(&talk, "Анна", "Один раз").await.unwrap();
    let lost = pair.all_sent(&talk, Moving::No).await.unwrap();
    assert_eq!(lost[0].status, Some(Status::Unknown));
    let settled = || async {
        let thread = pair.thread(&talk).await;
        thread.iter().any(|m| m.id == lost[0].id && m.status != Some(Status::Unknown)).then_some(thread)
    };
    let thread = pair.until("the echo", Moving::No, settled).await.unwrap();
    assert_eq!(thread.len(), 2, "the echo is the message itself, not another one");
    assert_eq!(pair.seen().await, ["Один раз"]);
}

#[tokio::test]
async fn what_webhooks_lose_the_sweep_finds_and_nothing_comes_twice() {
    let shop = Arc::new(Shop::by_both().await);
    let pair = Pair::start(shop.clone()).await.unwrap();
    shop.sim.hooks().hold();
    let talk = pair.customer_writes("Меня слышно?").await.unwrap();
    shop.sim.hooks().repeat(3).release();
    shop.settles().await;
    shop.ivan.writes("И ещё");
    let whole = || async { Some(pair.thread(&talk).await).filter(|thread| thread.len() >= 2) };
    let thread = pair.until("the second message", Moving::No, whole).await.unwrap();
    shop.settles().await;
    assert_eq!(thread.len(), pair.thread(&talk).await.len());
    assert_eq!(pair.conversations().await.len(), 1);
}
