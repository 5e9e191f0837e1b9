//! The conformance suite, against the simulator of VK. `UPDATE_GOLDEN=1` writes the report anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::sync::{Arc, Mutex, OnceLock, Weak};

use async_trait::async_trait;
use bytes::Bytes;
use omni_core::content::{
    Button, ButtonAction, Content, ContentKind, Item as Goods, Keyboard, KeyboardPlace, Location, Part,
};
use omni_core::error::ErrorKind;
use omni_core::event::EventKind;
use omni_core::media::{Media, MediaKind, MediaSource};
use omni_core::text::{Entity, EntityKind};
use omni_core::webhook::{Answer, WebhookRequest, WebhookUrl};
use omni_core::{Address, Channel, ProviderMessageId, Text};
use omni_http::Http;
use omni_testkit::conformance::{self, Act, ChatView, Done, Forgery, Rig, Seen, Trouble, WebhookHost};
use omni_testkit::sim::Fault;
use omni_testkit::vk::{
    ApiError, Author, Comment, Community, CommunityProfile, Customer, Entry, Item, Scope, SimConfig, Thread,
    ThreadKind, Upload, User, VkSim,
};
use omni_vk::parse::{emoji_of, reaction_of};
use omni_vk::{Config, Receive, Vk};
use serde_json::{Value, json};
use url::Url;

const TOKEN: &str = "vk1.a.Zx9random256bitTokenOfTheCommunity";
const SECRET: &str = "s3cr3tABCrandom32charactersOrMore";
const GROUP: i64 = 123_456;
const IVAN: i64 = 50_112_233;
const ADMIN: i64 = 7_001_002;
/// What VK leaves out of sight: a sign without width.
const JOINER: char = '\u{2060}';

type Channels = Arc<Mutex<Vec<Weak<dyn Channel>>>>;

/// A community at the simulator, and Ivan, who writes to it.
struct Shop {
    sim: VkSim,
    community: Community,
    place: Place,
    config: Config,
    http: Http,
    /// Where it is called, when it receives by webhook.
    host: Option<WebhookHost>,
    /// The processes that have the community connected: one of them answers when VK confirms the webhook.
    channels: Channels,
}

/// Where Ivan writes.
enum Place {
    /// To the community.
    Private,
    /// In a chat of several people.
    Chat(Customer),
    /// Under a post.
    Comments(Thread, Address),
}

impl Shop {
    async fn by_webhook() -> Self {
        let channels = Channels::default();
        let live = Arc::clone(&channels);
        let host = WebhookHost::start(move |request| answer(&live, request)).await.unwrap();
        Self::start(Config::new(TOKEN, GROUP).webhook(SECRET), Some(host), channels).await
    }

    async fn by_long_poll() -> Self {
        Self::start(Config::new(TOKEN, GROUP).long_poll(), None, Channels::default()).await
    }

    async fn in_a_chat() -> Self {
        let mut shop = Self::by_webhook().await;
        let chat = shop.community.chat(7, "Магазин", &[ivan()]);
        chat.gives_access();
        shop.place = Place::Chat(chat.member(ivan()));
        shop
    }

    async fn under_a_post() -> Self {
        let mut shop = Self::by_webhook().await;
        let post = shop.community.posts(310, "Кружки 450 руб.");
        let asked = post.writes(&ivan(), "Есть белые?");
        let address = Address::new(format!("wall-{GROUP}_310")).with("from", IVAN.to_string());
        shop.place = Place::Comments(post, address.with("thread", asked.to_string()));
        shop
    }

    async fn start(config: Config, host: Option<WebhookHost>, channels: Channels) -> Self {
        let sim = VkSim::start(SimConfig::default()).await.unwrap();
        let community = sim.add_community(CommunityProfile::new(GROUP, "Ромашка", "romashka_shop"));
        community.takes_token(TOKEN, &Scope::ALL);
        community.sells(&Item::new(991, "Кружка", 45_000));
        let mut config = config.at(Url::parse(sim.base_url()).unwrap());
        // The simulator sets no limit, and ninety rules have thousands of calls.
        config.calls_per_second = 1000;
        // Connections of one client serve all rigs: making one reads the system's certificates.
        static HTTP: OnceLock<Http> = OnceLock::new();
        let http = HTTP.get_or_init(|| Http::new().unwrap()).clone();
        Self { sim, community, place: Place::Private, config, http, host, channels }
    }

    fn ivan(&self) -> Customer {
        match &self.place {
            Place::Chat(ivan) => ivan.clone(),
            _ => self.community.customer(ivan()),
        }
    }

    /// Before the first question of a poll nothing is kept for it.
    async fn is_heard(&self) {
        if self.config.receive == Receive::LongPoll {
            let asked = || (!self.sim.calls("groups.getLongPollServer").is_empty()).then_some(());
            self.sim.ground().wait_for("a listener", asked).await;
        }
    }

    fn refuses(&self, code: i64) -> Done {
        match &self.place {
            Place::Comments(..) => self.sim.refuses("wall.createComment", 1, ApiError::new(code)),
            // Within the answer, as VK does it for one of many recipients.
            _ => self.community.refuses_to(self.ivan().peer_id(), 1, ApiError::new(code)),
        }
        Done::Yes
    }

    fn strikes(&self, fault: Fault) -> Done {
        let method = match &self.place {
            Place::Comments(..) => "wall.createComment",
            _ => "messages.send",
        };
        self.sim.faults().on(method, 1, fault);
        Done::Yes
    }

    fn causes(&self, kind: EventKind) -> Done {
        let at_home = self.ivan();
        match kind {
            EventKind::Blocked => at_home.denies(),
            EventKind::Call => {
                let call = json!({"initiator_id": IVAN, "receiver_id": -GROUP, "state": "reached",
                    "time": 1_760_000_100, "duration": 31, "video": false});
                at_home.attaches(json!({"type": "call", "call": call}), "");
            }
            EventKind::Comment => drop(self.post().writes(&ivan(), "Цена?")),
            EventKind::Deleted => {
                let post = self.post();
                let said = post.writes(&ivan(), "Ой");
                post.deletes(said, IVAN);
            }
            EventKind::Echo => drop(self.community.admin_writes(ADMIN, &at_home, "Продаём")),
            EventKind::Membership => drop(self.community.chat(9, "Новый чат", &[ivan()])),
            EventKind::Read => at_home.reads(),
            EventKind::Started => drop(at_home.starts()),
            EventKind::Subscribed => at_home.allows("landing7"),
            EventKind::Typing => at_home.types(),
            EventKind::Unsupported => {
                self.community.inject("group_join", json!({"user_id": IVAN, "join_type": "join"}));
            }
            _ => return Done::Impossible("communities are not told"),
        }
        Done::Yes
    }

    fn post(&self) -> Thread {
        self.community.posts(311, "Ещё кружки");
        self.community.thread(ThreadKind::Wall, 311)
    }

    fn sends(&self, part: &Part) -> Done {
        let ivan = self.ivan();
        match part {
            Part::Media(media) => {
                let MediaSource::Bytes { bytes } = &media.source else {
                    panic!("{media:?} is not in memory")
                };
                let upload = Upload::new(media.name.clone().unwrap_or_default(), bytes.clone());
                match media.kind {
                    MediaKind::Image => ivan.sends_photo(upload, ""),
                    MediaKind::File => ivan.sends_document(upload, ""),
                    MediaKind::Voice => ivan.sends_voice(upload),
                    _ => return Done::Impossible("communities are told of no file"),
                };
            }
            Part::Location(place) => drop(ivan.sends_location(place.latitude, place.longitude)),
            _ => return Done::Impossible("the app does not send it"),
        }
        Done::Yes
    }
}

/// What a host answers: a confirmation by whichever process knows the code, events with what VK takes.
fn answer(channels: &Channels, request: &WebhookRequest) -> Answer {
    if !is_confirmation(request) {
        return Answer::text("ok");
    }
    let live: Vec<Arc<dyn Channel>> = channels.lock().unwrap().iter().filter_map(Weak::upgrade).collect();
    let answers = live.iter().filter_map(|channel| channel.inbound()?.receive(request).ok());
    answers
        .map(|received| received.answer)
        .last()
        .unwrap_or_else(|| Answer::status(http::StatusCode::NOT_FOUND))
}

fn is_confirmation(request: &WebhookRequest) -> bool {
    serde_json::from_slice::<Value>(&request.body).is_ok_and(|body| body["type"] == "confirmation")
}

#[async_trait]
impl Rig for Shop {
    fn channel(&self) -> Arc<dyn Channel> {
        let channel: Arc<dyn Channel> = Arc::new(Vk::new(self.config.clone(), self.http.clone()).unwrap());
        self.channels.lock().unwrap().push(Arc::downgrade(&channel));
        channel
    }

    fn shown(&self) -> String {
        format!("{:?}", self.config)
    }

    fn secrets(&self) -> Vec<String> {
        vec![TOKEN.to_owned(), SECRET.to_owned()]
    }

    fn address(&self) -> Option<Address> {
        match &self.place {
            Place::Comments(_, address) => Some(address.clone()),
            _ => None,
        }
    }

    fn webhook_url(&self) -> Option<WebhookUrl> {
        self.host.as_ref().map(|host| host.url().clone())
    }

    async fn webhook(&self) -> WebhookRequest {
        let Some(host) = &self.host else { return std::future::pending().await };
        loop {
            let request = host.next().await;
            // It was answered while the webhook was registered, and tells nothing.
            if !is_confirmation(&request) {
                return request;
            }
        }
    }

    /// The secret is in the body.
    fn forge(&self, genuine: &WebhookRequest, how: Forgery) -> Option<WebhookRequest> {
        let mut body: Value = serde_json::from_slice(&genuine.body).unwrap();
        let fields = body.as_object_mut().unwrap();
        match how {
            Forgery::Missing => drop(fields.remove("secret")),
            Forgery::Empty => drop(fields.insert("secret".to_owned(), json!(""))),
            Forgery::Wrong => drop(fields.insert("secret".to_owned(), json!(SECRET.replace('3', "4")))),
            Forgery::Truncated => drop(fields.insert("secret".to_owned(), json!(SECRET[..SECRET.len() - 1]))),
            _ => return None,
        }
        Some(WebhookRequest { body: body.to_string().into(), ..genuine.clone() })
    }

    async fn act(&self, act: Act<'_>) -> Done {
        self.is_heard().await;
        let ivan = self.ivan();
        match act {
            Act::Writes(text) => drop(ivan.writes(text)),
            Act::Sends(part) => return self.sends(part),
            Act::Answers { message, text } => drop(ivan.replies_to(number(message), text)),
            Act::Edits { message, text } => ivan.edits(number(message), text),
            Act::Reacts { message, sign } => ivan.reacts(number(message), reaction_of(sign).unwrap()),
            Act::Presses { message, label } => drop(ivan.presses_under(number(message), label)),
            Act::Follows(link) => {
                ivan.follows(link);
                ivan.writes("Здравствуйте, я по ссылке");
            }
            Act::Delivers { first, last } => {
                ivan.writes(first);
                self.community
                    .inject("message_new", json!({"message": {"peer_id": "сорок", "from_id": IVAN}}));
                ivan.writes(last);
            }
            Act::Causes(kind) => return self.causes(kind),
            _ => return Done::Impossible("VK tells of reading only, and not as a status"),
        }
        Done::Yes
    }

    async fn settles(&self) {
        self.sim.idle().await;
    }

    async fn chat(&self) -> ChatView {
        if let Place::Comments(thread, _) = &self.place {
            let messages = thread.comments().iter().filter(|c| !c.deleted).map(seen_comment).collect();
            return ChatView { messages, is_typing: false };
        }
        let ivan = self.ivan();
        let messages = ivan.sees().iter().map(seen).collect();
        ChatView { messages, is_typing: ivan.activity().as_deref() == Some("typing") }
    }

    async fn trouble(&self, trouble: Trouble) -> Done {
        let is_talk = !matches!(self.place, Place::Comments(..));
        match trouble {
            Trouble::Refuses(ErrorKind::RecipientBlocked) if is_talk => self.refuses(901),
            Trouble::Refuses(ErrorKind::RecipientUnreachable) if is_talk => self.refuses(917),
            Trouble::Refuses(ErrorKind::ContentRejected) if is_talk => self.refuses(911),
            Trouble::Refuses(ErrorKind::ContentRejected) => self.refuses(222),
            Trouble::Refuses(ErrorKind::TooLarge) if is_talk => self.refuses(914),
            Trouble::Refuses(ErrorKind::Forbidden) => self.refuses(15),
            Trouble::Refuses(ErrorKind::WindowClosed) if is_talk => self.refuses(950),
            Trouble::Refuses(ErrorKind::RateLimited) => self.refuses(6),
            Trouble::Refuses(ErrorKind::Unavailable) => self.strikes(Fault::BadGateway),
            Trouble::Pauses(_) => Done::Impossible("VK does not say how long"),
            Trouble::LosesAnswer => self.strikes(Fault::DropAfterAccept),
            Trouble::Revokes => {
                self.sim.revoke(TOKEN, 27);
                Done::Yes
            }
            _ => Done::Impossible("communities are not refused so here"),
        }
    }

    fn sample(&self, kind: ContentKind) -> Content {
        match kind {
            // VK takes no mp3 as a file.
            ContentKind::Audio => {
                let song = Media::new(MediaKind::Audio, Bytes::from_static(b"OggS song"));
                Content::media(song.named("песня.ogg").typed("audio/ogg"))
            }
            kind => conformance::sample(kind),
        }
    }

    fn known_as(&self) -> (Option<&str>, Option<&str>) {
        match self.place {
            Place::Chat(_) => (None, None),
            _ => (Some("Иван Петров"), None),
        }
    }
}

fn ivan() -> User {
    User::new(IVAN, "Иван", "Петров").screen_name("ivan_p")
}

fn number(id: &ProviderMessageId) -> i64 {
    id.as_str().parse().unwrap()
}

fn seen(entry: &Entry) -> Seen {
    Seen {
        reply_to: entry.reply_to().map(|id| ProviderMessageId::from(id.to_string())),
        signs: entry.reactions.get(&-GROUP).map(|sign| emoji_of(*sign)).into_iter().collect(),
        is_read: entry.read,
        ..Seen::new(entry.cmid.to_string(), entry.is_ours(), shown(entry))
    }
}

fn seen_comment(comment: &Comment) -> Seen {
    let is_ours = !matches!(comment.author, Author::Person(_));
    let content = Content { text: words(comment.text(), comment.shown()), ..Content::default() };
    Seen {
        reply_to: comment.reply_to.map(|id| ProviderMessageId::from(id.to_string())),
        ..Seen::new(comment.id.to_string(), is_ours, content)
    }
}

/// The words as VK's apps show them: what they read as markup has become a link, and a sign without width is not seen.
fn words(raw: &str, shown: omni_testkit::vk::Shown) -> Option<Text> {
    let entity = |link: omni_testkit::vk::Link| Entity {
        offset: u32::try_from(link.offset).unwrap(),
        length: u32::try_from(link.length).unwrap(),
        kind: EntityKind::Mention { id: Some(link.target) },
    };
    let plain = shown.text.replace(JOINER, "");
    (!raw.is_empty()).then(|| Text { plain, entities: shown.links.into_iter().map(entity).collect() })
}

/// What a message says, read from the provider's own form: not by the parser under test.
fn shown(entry: &Entry) -> Content {
    let mut content = Content { text: words(entry.text(), entry.shown()), ..Content::default() };
    let mut files = entry.files.iter();
    for attachment in entry.attachments() {
        let kind = match attachment["type"].as_str().unwrap() {
            "photo" => MediaKind::Image,
            "doc" => MediaKind::File,
            "audio_message" => MediaKind::Voice,
            "market" => {
                let title = attachment["market"]["title"].as_str().map(str::to_owned);
                content.parts.push(Part::Item(Goods { title, ..Goods::default() }));
                continue;
            }
            other => {
                content.parts.push(Part::Unsupported { what: other.to_owned() });
                continue;
            }
        };
        content.parts.push(Part::Media(Media::new(kind, files.next().unwrap().bytes.clone())));
    }
    if let Some((latitude, longitude)) = entry.place() {
        let place = Location { latitude, longitude, title: None, address: None, live_seconds: None };
        content.parts.push(Part::Location(place));
    }
    content.keyboard = keyboard(entry);
    content
}

fn keyboard(entry: &Entry) -> Option<Keyboard> {
    let keys = entry.keys();
    let place = match entry.has_inline_keyboard() {
        true => KeyboardPlace::Message,
        false => KeyboardPlace::QuickReplies,
    };
    let key = |label| vec![Button { label, action: ButtonAction::Say }];
    (!keys.is_empty()).then(|| Keyboard { place, rows: keys.into_iter().map(|k| key(k.label)).collect() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connector_conforms() {
    let reports = [
        ("A community that receives by webhook", conformance::run(Shop::by_webhook).await),
        (
            "The same community receiving by long polling",
            conformance::run_receiving(Shop::by_long_poll).await,
        ),
        ("In a chat", conformance::run_sending(Shop::in_a_chat).await),
        ("Under a post", conformance::run_sending(Shop::under_a_post).await),
    ];
    let connector = omni_vk::connector(Http::new().unwrap());
    conformance::commit_report(env!("CARGO_MANIFEST_DIR"), "omni-vk", &connector, &reports);
}
