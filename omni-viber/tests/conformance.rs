//! The conformance suite, against the simulator of the Bot API. `UPDATE_GOLDEN=1` writes the report anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use omni_core::content::{Button, ContactCard, ContentKind, Item, Keyboard, KeyboardPlace, Location, Part};
use omni_core::error::ErrorKind;
use omni_core::event::EventKind;
use omni_core::media::{Media, MediaKind, MediaRef, MediaSource};
use omni_core::webhook::{Answer, WebhookRequest, WebhookUrl};
use omni_core::{Channel, Content, ProviderMessageId, Status};
use omni_http::Http;
use omni_testkit::conformance::{
    self, Act, ChatView, Done, Forgery, Rig, Seen, Trouble, WebhookHost, forge_body, forge_header,
};
use omni_testkit::sim::Fault;
use omni_testkit::viber::{self, Bot, Customer, Entry, Person, Upload, ViberSim};
use omni_viber::verify::SIGNATURE_HEADER;
use omni_viber::{Config, Viber};
use serde_json::{Value, json};
use url::Url;

const TOKEN: &str = "00112233445566aa-bbccddeeff001122-3344556677889900";
const OLGA: &str = "uQ0abcd1234EFGH/678+jA==";

/// A bot at the simulator, and Olga, who writes to it.
struct Shop {
    sim: ViberSim,
    bot: Bot,
    olga: Customer,
    config: Config,
    http: Http,
    host: WebhookHost,
}

impl Shop {
    async fn start() -> Self {
        let sim = ViberSim::start().await.unwrap();
        let bot = sim.add_bot(TOKEN, "Ромашка Сервис", "romashkaservice");
        let olga = bot.customer(Person::new(OLGA, "Ольга"));
        let config = Config::new(TOKEN).at(Url::parse(&sim.base_url()).unwrap());
        // Connections of one client serve all rigs: making one reads the system's certificates.
        static HTTP: OnceLock<Http> = OnceLock::new();
        let http = HTTP.get_or_init(|| Http::new().unwrap()).clone();
        let host = WebhookHost::start(|_| Answer::ok()).await.unwrap();
        Self { sim, bot, olga, config, http, host }
    }

    fn refuses(&self, status: i64, words: &str) -> Done {
        self.sim.refuse("send_message", status, words);
        Done::Yes
    }

    fn strikes(&self, fault: Fault) -> Done {
        self.sim.faults().on("send_message", 1, fault);
        Done::Yes
    }

    fn causes(&self, kind: EventKind) -> Done {
        match kind {
            EventKind::Started => self.olga.opens(None),
            EventKind::Subscribed => self.olga.subscribes(),
            EventKind::Blocked => self.olga.unsubscribes(),
            EventKind::Unsupported => self.olga.pays(),
            _ => return Done::Impossible("bots are not told"),
        }
        Done::Yes
    }

    fn sends(&self, part: &Part) -> Done {
        match part {
            Part::Media(media) => {
                let upload = upload(media);
                let at = self.sim.publish(&upload);
                let kind = match media.kind {
                    MediaKind::Image => "picture",
                    MediaKind::Video => "video",
                    MediaKind::File => "file",
                    MediaKind::Sticker => {
                        self.olga.sends_sticker(40133, Some(at.as_str()));
                        return Done::Yes;
                    }
                    _ => return Done::Impossible("the app sends it as a file"),
                };
                self.olga.sends_file(kind, at.as_str(), &upload, "");
            }
            Part::Location(place) => drop(self.olga.sends_location(place.latitude, place.longitude)),
            Part::Contact(card) => drop(self.olga.sends_contact(&card.name, &card.phones[0])),
            _ => return Done::Impossible("the app does not send it"),
        }
        Done::Yes
    }

    fn reports(&self, message: &ProviderMessageId, status: Status) -> Done {
        let token = message.as_str().parse().unwrap();
        match status {
            Status::Delivered => self.olga.gets(token),
            Status::Read => self.olga.sees(token),
            Status::Failed => self.olga.refuses(token, "message validation failed"),
            _ => return Done::Impossible("bots are not told"),
        }
        Done::Yes
    }

    /// What a message of the bot says, read from the provider's own form: not by the parser under test.
    fn shown(&self, entry: &Entry) -> Content {
        let mut content = Content::default();
        if !entry.text().is_empty() {
            content.text = Some(entry.text().into());
        }
        content.parts.extend(self.part(entry));
        if entry.json.get("keyboard").is_some() {
            let keys = entry.keys();
            let label = |key: &Value| Button::say(key["Text"].as_str().unwrap());
            // Viber shows keys in place of the person's keyboard, whatever they were meant as.
            let rows = vec![keys.iter().map(label).collect()];
            content.keyboard = Some(Keyboard { place: KeyboardPlace::QuickReplies, rows });
        }
        content
    }

    fn part(&self, entry: &Entry) -> Option<Part> {
        let file = |kind| {
            let at = entry.field("media");
            assert!(self.sim.published(at).is_some(), "there is no file at {at}");
            Part::Media(Media::new(kind, Url::parse(at).unwrap()))
        };
        Some(match entry.kind() {
            "picture" => file(MediaKind::Image),
            "video" => file(MediaKind::Video),
            "file" => file(MediaKind::File),
            // A link to a GIF is played.
            "url" => file(MediaKind::Animation),
            "sticker" => Part::Media(Media::new(
                MediaKind::Sticker,
                MediaRef::new(entry.json["sticker_id"].to_string()),
            )),
            "location" => {
                let degrees = |name: &str| entry.json["location"][name].as_f64().unwrap();
                let (latitude, longitude) = (degrees("lat"), degrees("lon"));
                let (title, address, live_seconds) = (None, None, None);
                Part::Location(Location { latitude, longitude, title, address, live_seconds })
            }
            "contact" => {
                let phones = vec![entry.json["contact"]["phone_number"].as_str().unwrap().to_owned()];
                Part::Contact(ContactCard { phones, ..ContactCard::default() })
            }
            "rich_media" => {
                let title = entry.keys().iter().find_map(|part| part["Text"].as_str().map(str::to_owned));
                Part::Item(Item { title, ..Item::default() })
            }
            _ => return None,
        })
    }
}

fn upload(media: &Media) -> Upload {
    let MediaSource::Bytes { bytes } = &media.source else { panic!("{media:?} is not in memory") };
    let (name, mime) = (media.name.clone().unwrap(), media.mime.clone().unwrap());
    Upload::new(name, mime, bytes.clone())
}

#[async_trait]
impl Rig for Shop {
    fn channel(&self) -> Arc<dyn Channel> {
        Arc::new(Viber::new(self.config.clone(), self.http.clone()).unwrap())
    }

    fn shown(&self) -> String {
        format!("{:?}", self.config)
    }

    fn secrets(&self) -> Vec<String> {
        vec![TOKEN.to_owned()]
    }

    fn webhook_url(&self) -> Option<WebhookUrl> {
        Some(self.host.url().clone())
    }

    /// The next one that is no probe of a registration: those tell nothing.
    async fn webhook(&self) -> WebhookRequest {
        loop {
            let request = self.host.next().await;
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            if body["event"] != "webhook" {
                return request;
            }
        }
    }

    fn forge(&self, genuine: &WebhookRequest, how: Forgery) -> Option<WebhookRequest> {
        let mut forged = match how {
            Forgery::OtherBody => forge_body(genuine),
            how => forge_header(genuine, SIGNATURE_HEADER, how)?,
        };
        // The same signature stands in the address.
        if how == Forgery::Missing {
            forged.query = None;
        }
        Some(forged)
    }

    async fn act(&self, act: Act<'_>) -> Done {
        match act {
            Act::Writes(text) => drop(self.olga.writes(text)),
            Act::Sends(part) => return self.sends(part),
            Act::Presses { label, .. } => assert!(self.olga.presses(label), "there is no key {label}"),
            Act::Follows(link) => {
                let context = link.query_pairs().find(|(name, _)| name == "context").unwrap().1;
                self.olga.opens(Some(&context));
            }
            Act::Reports { message, status } => return self.reports(message, status),
            Act::Delivers { first, last } => {
                self.olga.writes(first);
                self.olga.posts(&json!({
                    "event": "message", "timestamp": 1_760_000_100_456_u64, "message_token": 17,
                    "sender": "Ольга", "message": {"type": "text", "text": "да"}
                }));
                self.olga.writes(last);
            }
            Act::Causes(kind) => return self.causes(kind),
            _ => return Done::Impossible("bots are not told"),
        }
        Done::Yes
    }

    async fn settles(&self) {
        self.bot.hooks().idle().await;
    }

    async fn chat(&self) -> ChatView {
        let seen = |entry: &Entry| {
            let is_ours = entry.from == viber::From::Bot;
            let content = if is_ours { self.shown(entry) } else { Content::text(entry.text()) };
            Seen::new(entry.token.to_string(), is_ours, content)
        };
        let messages = self.olga.transcript().iter().map(seen).collect();
        ChatView { messages, is_typing: false }
    }

    async fn trouble(&self, trouble: Trouble) -> Done {
        match trouble {
            Trouble::Refuses(ErrorKind::RecipientBlocked) => self.olga.unsubscribes(),
            Trouble::Refuses(ErrorKind::RecipientUnreachable) => self.olga.leaves(),
            Trouble::Refuses(ErrorKind::ContentRejected) => return self.refuses(3, "badData"),
            Trouble::Refuses(ErrorKind::Forbidden) => return self.refuses(7, "publicAccountBlocked"),
            Trouble::Refuses(ErrorKind::WindowClosed) => return self.refuses(23, "freeMessagesExceeded"),
            Trouble::Refuses(ErrorKind::RateLimited) => return self.refuses(12, "tooManyRequests"),
            Trouble::Refuses(ErrorKind::Unavailable) => return self.strikes(Fault::BadGateway),
            Trouble::Refuses(ErrorKind::TooLarge) => {
                return Done::Impossible("Viber calls it bad data like everything else");
            }
            Trouble::Pauses(_) => return Done::Impossible("Viber does not say how long"),
            Trouble::LosesAnswer => return self.strikes(Fault::DropAfterAccept),
            Trouble::Revokes => self.bot.revoke(),
            _ => return Done::Impossible("bots are not refused so"),
        }
        Done::Yes
    }

    /// Files are at public addresses: nothing can be uploaded. Stickers are Viber's own.
    fn sample(&self, kind: ContentKind) -> Content {
        if kind == ContentKind::Sticker {
            return Content::media(Media::new(MediaKind::Sticker, MediaRef::new("46105")));
        }
        let mut content = conformance::sample(kind);
        for media in content.all_media_mut() {
            if media.kind == MediaKind::Animation {
                media.name = Some("silent.gif".to_owned());
                media.mime = Some("image/gif".to_owned());
            }
            media.source = MediaSource::Url { url: self.sim.publish(&upload(media)) };
        }
        content
    }

    fn sample_of_customer(&self, kind: ContentKind) -> Content {
        conformance::sample(kind)
    }

    fn known_as(&self) -> (Option<&str>, Option<&str>) {
        (Some("Ольга"), None)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_holds() {
    let report = conformance::run(Shop::start).await;
    let connector = omni_viber::connector(Http::new().unwrap());
    conformance::commit_report(env!("CARGO_MANIFEST_DIR"), "omni-viber", &connector, &[("A bot", report)]);
}
