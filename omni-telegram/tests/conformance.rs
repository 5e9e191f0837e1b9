//! The conformance suite, against the simulator of the Bot API. `UPDATE_GOLDEN=1` writes the report anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;
use omni_core::content::{
    Button, ButtonAction, ContactCard, ContentKind, Keyboard, KeyboardPlace, Location, Part,
};
use omni_core::error::ErrorKind;
use omni_core::event::EventKind;
use omni_core::media::{Media, MediaKind, MediaSource};
use omni_core::text::{Entity, EntityKind};
use omni_core::webhook::{Answer, WebhookRequest, WebhookUrl};
use omni_core::{Channel, Content, ProviderMessageId, Text};
use omni_http::Http;
use omni_telegram::verify::SECRET_HEADER;
use omni_telegram::{Config, Telegram};
use omni_testkit::conformance::{
    self, Act, ChatView, Done, Forgery, Rig, Seen, Trouble, WebhookHost, forge_header,
};
use omni_testkit::telegram::{
    ApiError, BotHandle, BotProfile, Business, ChatKind, ChatSummary, Customer, Entry, Fault, Group,
    SimConfig, TelegramSim, Upload, User,
};
use serde_json::{Value, json};
use url::Url;

const TOKEN: &str = "7000000001:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
const SECRET: &str = "Zx9_random-256bit";
const IVAN: i64 = 100_200_300;
const GROUP: i64 = -1_001_234_567_890;

/// A bot at the simulator, and Ivan, who writes to it.
struct Bot {
    handle: BotHandle,
    place: Place,
    config: Config,
    http: Http,
    /// Where it is called, when it receives by webhook.
    host: Option<WebhookHost>,
}

/// Where Ivan writes.
enum Place {
    /// To the bot.
    Private,
    /// To a person who has connected the bot to their account.
    Business(Business),
    /// In a group.
    Group(Group),
}

impl Bot {
    async fn by_webhook() -> Self {
        let host = WebhookHost::start(|_| Answer::ok()).await.unwrap();
        Self::start(Config::new(TOKEN).webhook(SECRET), Some(host)).await
    }

    async fn by_polling() -> Self {
        Self::start(Config::new(TOKEN).polling(), None).await
    }

    async fn in_a_connected_account() -> Self {
        let mut bot = Self::by_webhook().await;
        bot.place = Place::Business(bot.handle.business("aB3kQ_conn_1", owner()));
        bot
    }

    async fn in_a_group() -> Self {
        let mut bot = Self::by_webhook().await;
        bot.place = Place::Group(bot.handle.group(ChatKind::Supergroup, GROUP, "Магазин"));
        bot
    }

    async fn start(config: Config, host: Option<WebhookHost>) -> Self {
        let sim = TelegramSim::start(SimConfig::default()).await.unwrap();
        let handle = sim.add_bot(TOKEN, BotProfile::new(7_000_000_001, "Помощник", "omni_helpdesk_bot"));
        let config = config.at(Url::parse(sim.base_url()).unwrap());
        // Connections of one client serve all rigs: making one reads the system's certificates.
        static HTTP: OnceLock<Http> = OnceLock::new();
        let http = HTTP.get_or_init(|| Http::new().unwrap()).clone();
        Self { handle, place: Place::Private, config, http, host }
    }

    fn ivan(&self) -> Customer {
        match &self.place {
            Place::Private => self.handle.customer(ivan()),
            Place::Business(business) => business.customer(ivan()),
            Place::Group(group) => group.member(ivan()),
        }
    }

    fn refuses(&self, error: ApiError) -> Done {
        self.strikes(Fault::Error(error))
    }

    fn strikes(&self, fault: Fault) -> Done {
        self.handle.faults().on("sendMessage", 1, fault);
        Done::Yes
    }

    fn causes(&self, kind: EventKind) -> Done {
        let business = || self.handle.business("aB3kQ_conn_1", owner());
        match kind {
            EventKind::Account => drop(business()),
            EventKind::Blocked => drop(self.ivan().blocks()),
            EventKind::Comment => {
                let recorded: Value =
                    serde_json::from_str(include_str!("fixtures/comment_under_post.json")).unwrap();
                self.handle.inject(json!({"message": recorded["message"]}));
            }
            EventKind::Deleted => {
                let business = business();
                let said = business.customer(ivan()).writes("Ещё продаёте?");
                business.deletes(IVAN, &[said.message_id]);
            }
            EventKind::Echo => drop(business().owner_to(&ivan()).writes("Продаём")),
            EventKind::Membership => drop(self.handle.group(ChatKind::Group, -4001, "Магазин")),
            EventKind::Migrated => {
                let group = self.handle.group(ChatKind::Group, -4001, "Магазин");
                let _ = group.migrates(-1_001_234_567_890);
            }
            EventKind::Started => drop(self.ivan().start("")),
            EventKind::Subscribed => {
                self.ivan().blocks();
                self.ivan().unblocks();
            }
            EventKind::Unsupported => {
                self.handle.inject(json!({"telepathy": {"мысль": "🤔"}}));
            }
            _ => return Done::Impossible("bots are not told"),
        }
        Done::Yes
    }

    fn sends(&self, part: &Part) -> Done {
        let ivan = self.ivan();
        match part {
            Part::Media(media) => {
                let MediaSource::Bytes { bytes } = &media.source else {
                    panic!("{media:?} is not in memory")
                };
                let (name, mime) = (media.name.clone(), media.mime.clone());
                let upload = Upload::new(name.unwrap_or_default(), mime.unwrap_or_default(), bytes.clone());
                match media.kind {
                    MediaKind::Image => ivan.sends_photo(upload, ""),
                    MediaKind::Video => ivan.sends_video(upload, ""),
                    MediaKind::Animation => ivan.sends_animation(upload, ""),
                    MediaKind::VideoNote => ivan.sends_video_note(upload),
                    MediaKind::Audio => ivan.sends_audio(upload, ""),
                    MediaKind::Voice => ivan.sends_voice(upload),
                    MediaKind::Sticker => ivan.sends_sticker("👟"),
                    _ => ivan.sends_document(upload, ""),
                };
            }
            Part::Location(place) => drop(ivan.sends_location(place.latitude, place.longitude)),
            Part::Contact(card) => drop(ivan.sends_contact(&card.phones[0], &card.name)),
            _ => return Done::Impossible("the app does not send it"),
        }
        Done::Yes
    }
}

#[async_trait]
impl Rig for Bot {
    fn channel(&self) -> Arc<dyn Channel> {
        Arc::new(Telegram::new(self.config.clone(), self.http.clone()).unwrap())
    }

    fn shown(&self) -> String {
        format!("{:?}", self.config)
    }

    fn secrets(&self) -> Vec<String> {
        let (_, key) = TOKEN.split_once(':').unwrap();
        vec![TOKEN.to_owned(), key.to_owned(), SECRET.to_owned()]
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
        forge_header(genuine, SECRET_HEADER, how)
    }

    async fn act(&self, act: Act<'_>) -> Done {
        let ivan = self.ivan();
        match act {
            Act::Writes(text) => drop(ivan.writes(text)),
            Act::Sends(part) => return self.sends(part),
            Act::Answers { message, text } => drop(ivan.replies_to(number(message), text)),
            Act::Edits { message, text } => drop(ivan.edits(number(message), text)),
            Act::Reacts { message, sign } => drop(ivan.reacts(number(message), sign)),
            Act::Presses { message, label } => drop(ivan.presses_button(number(message), label)),
            Act::Follows(link) => {
                let payload = link.query_pairs().find(|(name, _)| name == "start").unwrap().1;
                ivan.start(&payload);
            }
            Act::Delivers { first, last } => {
                ivan.writes(first);
                let chat = json!({"id": IVAN, "type": "private"});
                self.handle.inject(json!({"message": {"message_id": "сорок", "date": 1, "chat": chat}}));
                ivan.writes(last);
            }
            Act::Causes(kind) => return self.causes(kind),
            _ => return Done::Impossible("bots are not told"),
        }
        Done::Yes
    }

    async fn settles(&self) {
        self.handle.wait_for_empty_queue().await;
    }

    async fn chat(&self) -> ChatView {
        let ivan = self.ivan();
        let business = match &self.place {
            Place::Business(business) => Some(business.id()),
            _ => None,
        };
        let is_it = |chat: &ChatSummary| {
            chat.chat_id == ivan.chat_id() && chat.business_connection_id.as_deref() == business
        };
        let summary = self.handle.chats().into_iter().find(is_it);
        // Files of the bot stand in the transcript by their ids; their bytes are in the calls, in the same order.
        let mut files = self.handle.calls().into_iter().flat_map(|call| call.files).map(|file| file.bytes);
        let mut messages = Vec::new();
        for entry in ivan.transcript() {
            let content = shown(&entry, &mut files);
            if !entry.deleted {
                messages.push(seen(&entry, content));
            }
        }
        let is_typing = summary.is_some_and(|chat| chat.last_action.as_deref() == Some("typing"));
        ChatView { messages, is_typing }
    }

    async fn trouble(&self, trouble: Trouble) -> Done {
        match trouble {
            Trouble::Refuses(ErrorKind::RecipientBlocked) => match &self.place {
                Place::Private => drop(self.ivan().blocks()),
                _ => return Done::Impossible("only a bot's own chat can be blocked"),
            },
            Trouble::Refuses(ErrorKind::RecipientUnreachable) => match &self.place {
                Place::Private => self.ivan().deactivates(),
                Place::Business(_) => {
                    return self.refuses(ApiError::bad_request("BUSINESS_CONNECTION_INVALID"));
                }
                Place::Group(group) => drop(group.kicks_bot()),
            },
            Trouble::Refuses(ErrorKind::ContentRejected) => {
                return self.refuses(ApiError::bad_request("message text is empty"));
            }
            Trouble::Refuses(ErrorKind::TooLarge) => {
                return self.refuses(ApiError::bad_request("message is too long"));
            }
            Trouble::Refuses(ErrorKind::Forbidden) => {
                return self
                    .refuses(ApiError::bad_request("not enough rights to send text messages to the chat"));
            }
            Trouble::Refuses(ErrorKind::WindowClosed) => {
                return self.refuses(ApiError::bad_request("BUSINESS_PEER_USAGE_MISSING"));
            }
            Trouble::Refuses(ErrorKind::RateLimited) => {
                return self.strikes(Fault::TooManyRequests { retry_after: 1 });
            }
            Trouble::Refuses(ErrorKind::Unavailable) => return self.strikes(Fault::BadGateway),
            Trouble::Pauses(wait) => {
                let retry_after = u32::try_from(wait.as_secs()).unwrap();
                return self.strikes(Fault::TooManyRequests { retry_after });
            }
            Trouble::LosesAnswer => return self.strikes(Fault::DropAfterAccept),
            Trouble::Revokes => self.handle.revoke_token(),
            _ => return Done::Impossible("bots are not refused so"),
        }
        Done::Yes
    }

    fn sample(&self, kind: ContentKind) -> Content {
        match kind {
            // The simulator has one sticker to send.
            ContentKind::Sticker => {
                let file = Media::new(MediaKind::Sticker, Bytes::from_static(b"RIFF"));
                Content::media(file.named("sticker.webp").typed("image/webp"))
            }
            kind => conformance::sample(kind),
        }
    }
}

fn ivan() -> User {
    User::new(IVAN, "Иван").last_name("Петров").username("ivan_p").language("ru").phone("+79990001122")
}

fn owner() -> User {
    User::new(555_000_111, "Мария")
}

fn number(id: &ProviderMessageId) -> i64 {
    id.as_str().parse().unwrap()
}

fn seen(entry: &Entry, content: Content) -> Seen {
    Seen {
        reply_to: entry.reply_to().map(|id| ProviderMessageId::from(id.to_string())),
        signs: entry.bot_reactions.iter().map(|sign| sign["emoji"].as_str().unwrap().to_owned()).collect(),
        is_read: entry.read,
        ..Seen::new(entry.message_id.to_string(), entry.is_from_bot(), content)
    }
}

/// What a message says, read from the provider's own form: not by the parser under test.
fn shown(entry: &Entry, files: &mut impl Iterator<Item = Bytes>) -> Content {
    let json = &entry.json;
    let mut content = Content::default();
    if !entry.text().is_empty() {
        let entities = json.get("entities").or_else(|| json.get("caption_entities"));
        let entities = entities.and_then(Value::as_array).into_iter().flatten().map(entity).collect();
        content.text = Some(Text { plain: entry.text().to_owned(), entities });
    }
    let kind = match entry.kind() {
        "photo" => Some(MediaKind::Image),
        "video" => Some(MediaKind::Video),
        "animation" => Some(MediaKind::Animation),
        "video_note" => Some(MediaKind::VideoNote),
        "audio" => Some(MediaKind::Audio),
        "voice" => Some(MediaKind::Voice),
        "sticker" => Some(MediaKind::Sticker),
        "document" => Some(MediaKind::File),
        _ => None,
    };
    if let Some(kind) = kind
        && entry.is_from_bot()
    {
        content.parts.push(Part::Media(Media::new(kind, files.next().unwrap())));
    }
    if let Some(place) = json.get("location") {
        let degrees = |name: &str| place[name].as_f64().unwrap();
        let (latitude, longitude) = (degrees("latitude"), degrees("longitude"));
        let place = Location { latitude, longitude, title: None, address: None, live_seconds: None };
        content.parts.push(Part::Location(place));
    }
    if let Some(card) = json.get("contact") {
        let phones = vec![card["phone_number"].as_str().unwrap().to_owned()];
        content.parts.push(Part::Contact(ContactCard { phones, ..ContactCard::default() }));
    }
    content.keyboard = keyboard(entry);
    content
}

fn entity(json: &Value) -> Entity {
    let units = |name: &str| u32::try_from(json[name].as_u64().unwrap()).unwrap();
    let kind = match json["type"].as_str().unwrap() {
        "bold" => EntityKind::Bold,
        "italic" => EntityKind::Italic,
        "code" => EntityKind::Code,
        "text_link" => EntityKind::Link { url: json["url"].as_str().unwrap().to_owned() },
        "text_mention" => EntityKind::Mention { id: Some(json["user"]["id"].to_string()) },
        "underline" | "strikethrough" | "spoiler" | "pre" | "blockquote" => EntityKind::Spoiler,
        other => EntityKind::Detected { what: other.to_owned() },
    };
    Entity { offset: units("offset"), length: units("length"), kind }
}

fn keyboard(entry: &Entry) -> Option<Keyboard> {
    let inline = entry.buttons();
    if !inline.is_empty() {
        let row = |b: &omni_testkit::telegram::Button| {
            vec![Button::press(&*b.text, b.callback_data.clone().unwrap_or_default())]
        };
        return Some(Keyboard { place: KeyboardPlace::Message, rows: inline.iter().map(row).collect() });
    }
    let rows = entry.keyboard.as_ref()?.get("keyboard")?.as_array()?;
    let key = |key: &Value| Button {
        label: key["text"].as_str().or(key.as_str()).unwrap().to_owned(),
        action: ButtonAction::Say,
    };
    let rows = rows.iter().map(|row| row.as_array().unwrap().iter().map(key).collect()).collect();
    Some(Keyboard { place: KeyboardPlace::QuickReplies, rows })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connector_conforms() {
    let reports = [
        ("A bot that receives by webhook", conformance::run(Bot::by_webhook).await),
        ("The same bot receiving by polling", conformance::run_receiving(Bot::by_polling).await),
        ("In the account of a connected person", conformance::run_sending(Bot::in_a_connected_account).await),
        ("In a group", conformance::run_sending(Bot::in_a_group).await),
    ];
    let connector = omni_telegram::connector(Http::new().unwrap());
    conformance::commit_report(env!("CARGO_MANIFEST_DIR"), "omni-telegram", &connector, &reports);
}
