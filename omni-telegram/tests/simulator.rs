//! The connector against the simulator of the Bot API: real HTTP, both ways.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use omni_core::channel::Sink;
use omni_core::content::{
    Button, ButtonAction, ContactCard, Content, Keyboard, KeyboardPlace, Location, Part,
};
use omni_core::error::{ErrorKind, Result, Retry};
use omni_core::event::{EventBody, EventKind, ReplyTo};
use omni_core::media::{Media, MediaKind, MediaSource};
use omni_core::outbound::{Accepted, Author, OutboundItem, SendError};
use omni_core::text::EntityKind;
use omni_core::webhook::{WebhookRequest, WebhookUrl};
use omni_core::{
    Address, Channel, Cursor, Error, Event, Inbound, MessageId, Outbound, ProviderMessageId, Text, Timestamp,
};
use omni_http::Http;
use omni_telegram::{Config, Telegram};
use omni_testkit::telegram::{
    BotHandle, BotProfile, ChatKind, Customer, Fault, SimConfig, TelegramSim, Upload, User,
};
use serde_json::json;
use url::Url;
use wiremock::{Mock, MockServer, ResponseTemplate};

const TOKEN: &str = "7000000001:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
const SECRET: &str = "Zx9_random-256bit";
const IVAN: i64 = 100_200_300;

struct Scene {
    handle: BotHandle,
    bot: Telegram,
}

impl Scene {
    async fn polling() -> Self {
        Self::with(Config::new(TOKEN).polling()).await
    }

    async fn with(config: Config) -> Self {
        let sim = TelegramSim::start(SimConfig::default()).await.unwrap();
        let handle = sim.add_bot(TOKEN, BotProfile::new(7_000_000_001, "Помощник", "omni_helpdesk_bot"));
        let config = config.at(Url::parse(sim.base_url()).unwrap());
        Self { handle, bot: Telegram::new(config, Http::new().unwrap()).unwrap() }
    }

    fn ivan(&self) -> Customer {
        self.handle.customer(ivan())
    }

    /// Polls until so many events came.
    async fn hears(&self, count: usize) -> Vec<Event> {
        let kept = Kept { events: Mutex::default(), count };
        let listening = self.bot.listen(None, &kept);
        let ended = tokio::time::timeout(Duration::from_secs(10), listening).await.expect("the events came");
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::State);
        kept.events.into_inner().unwrap()
    }

    async fn sends(&self, chat: i64, content: Content) -> Result<Accepted, SendError> {
        self.bot.send(&item(&chat.to_string(), content)).await
    }
}

struct Kept {
    events: Mutex<Vec<Event>>,
    count: usize,
}

#[async_trait]
impl Sink for Kept {
    async fn commit(&self, events: Vec<Event>, _: Cursor) -> Result<()> {
        let mut kept = self.events.lock().unwrap();
        kept.extend(events);
        if kept.len() < self.count { Ok(()) } else { Err(Error::new(ErrorKind::State, "enough")) }
    }

    fn alive(&self) {}
}

fn ivan() -> User {
    User::new(IVAN, "Иван").last_name("Петров").username("ivan_p").language("ru").phone("+79990001122")
}

fn item(address: &str, content: Content) -> OutboundItem {
    OutboundItem {
        id: MessageId::from_bytes([7; 16]),
        address: address.parse::<Address>().unwrap(),
        content,
        reply_to: None,
        face: None,
        author: Author::Person,
        note: None,
    }
}

fn kinds(events: &[Event]) -> Vec<EventKind> {
    events.iter().map(Event::kind).collect()
}

fn upload(kind: MediaKind, name: &str, mime: &str) -> Media {
    Media::new(kind, Bytes::from_static(b"\xff\xd8\xff\xe0 a picture")).named(name).typed(mime)
}

#[tokio::test]
async fn a_talk_arrives_by_polling_in_order() {
    let scene = Scene::polling().await;
    let ivan = scene.ivan();
    ivan.start("spring_2026-a");
    ivan.writes("Есть 42 размер? 👟👨‍👩‍👧");
    ivan.sends_album(
        vec![
            Upload::new("1.jpg", "image/jpeg", &b"\xff\xd8\xff one"[..]),
            Upload::new("2.jpg", "image/jpeg", &b"\xff\xd8\xff two"[..]),
        ],
        "две",
    );
    ivan.shares_own_contact();
    ivan.sends_contact("+79990003344", "Анна");
    ivan.sends_venue("Кафе", "Тверская, 1", 55.75, 37.61);
    ivan.sends_dice("🎲", 4);
    ivan.blocks();
    ivan.unblocks();
    let events = scene.hears(10).await;
    use EventKind::{Blocked, Message, Started, Subscribed};
    assert_eq!(
        kinds(&events),
        [Started, Message, Message, Message, Message, Message, Message, Message, Blocked, Subscribed]
    );
    let EventBody::Started(started) = &events[0].body else { panic!() };
    assert_eq!(started.referral.as_ref().unwrap().token.as_deref(), Some("spring_2026-a"));
    let EventBody::Message(words) = &events[1].body else { panic!() };
    assert_eq!(words.content.plain_text(), Some("Есть 42 размер? 👟👨‍👩‍👧"));
    assert_eq!(words.sender.profile.name.as_deref(), Some("Иван Петров"));
    let albums: Vec<_> = events[2..4]
        .iter()
        .map(|event| match &event.body {
            EventBody::Message(m) => m.album.clone(),
            _ => None,
        })
        .collect();
    assert!(albums[0].is_some() && albums[0] == albums[1]);
    assert!(events.iter().all(|event| event.address.as_ref().unwrap().as_str() == "100200300"));
}

#[tokio::test]
async fn what_a_person_sent_can_be_fetched() {
    let scene = Scene::polling().await;
    scene.ivan().sends_document(Upload::new("счёт.pdf", "application/pdf", vec![7u8; 5000]), "Счёт");
    let events = scene.hears(1).await;
    let EventBody::Message(message) = &events[0].body else { panic!() };
    let media = message.content.all_media().next().unwrap();
    assert_eq!(media.name.as_deref(), Some("счёт.pdf"));
    let MediaSource::Provider(at) = &media.source else { panic!() };
    let mut stream = scene.bot.fetch(at, 5000).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.bytes.next().await {
        bytes.extend_from_slice(&chunk.unwrap());
    }
    assert_eq!(bytes, vec![7u8; 5000]);
    assert_eq!(scene.bot.fetch(at, 4999).await.unwrap_err().kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn presses_reactions_edits_and_answers_come_in() {
    let scene = Scene::polling().await;
    let ivan = scene.ivan();
    ivan.start("");
    // The first poll asks for reactions; before it Telegram leaves them out.
    scene.hears(1).await;
    let asked = Content::text("Оцените").buttons([Button::press("5 ★", "csat:5")]);
    let sent = scene.sends(IVAN, asked).await.unwrap();
    let id: i64 = sent.id.as_str().parse().unwrap();
    let press = ivan.presses_button(id, "5 ★");
    ivan.reacts(id, "👍");
    let said = ivan.quotes(id, "Оцените", "Отлично");
    ivan.edits(said.message_id, "Отлично!");
    let events = scene.hears(5).await;
    let find =
        |kind| events.iter().find(|event| event.kind() == kind).map(|event| event.body.clone()).unwrap();
    let EventBody::Button(button) = find(EventKind::Button) else { panic!() };
    assert_eq!((button.data.as_str(), button.label.as_deref()), ("csat:5", Some("5 ★")));
    let ticket = button.ticket.unwrap();
    assert_eq!(ticket, press.callback_query_id);
    scene.bot.as_answer().unwrap().answer(&ticket, Some("Спасибо")).await.unwrap();
    assert!(scene.handle.callback_answer(&ticket).is_some());
    let EventBody::Reaction(reaction) = find(EventKind::Reaction) else { panic!() };
    assert_eq!(reaction.signs, ["👍"]);
    let EventBody::Message(answer) = find(EventKind::Message) else { panic!() };
    assert_eq!(answer.reply_to, Some(ReplyTo { message: sent.id, quote: Some("Оцените".into()) }));
    let EventBody::Edited(edited) = find(EventKind::Edited) else { panic!() };
    assert_eq!(edited.content.plain_text(), Some("Отлично!"));
}

#[tokio::test]
async fn every_kind_of_content_goes_out() {
    let scene = Scene::polling().await;
    scene.ivan().start("");
    let place = Location {
        latitude: 55.75,
        longitude: 37.61,
        title: Some("Кафе".into()),
        address: None,
        live_seconds: None,
    };
    let bare = Location { title: None, ..place.clone() };
    let card =
        ContactCard {
            name: "Анна".into(), phones: vec!["+79990003344".into()], ..ContactCard::default()
        };
    let menu = Keyboard {
        place: KeyboardPlace::Menu,
        rows: vec![vec![Button { label: "Телефон".into(), action: ButtonAction::SharePhone }]],
    };
    let mut with_menu = Content::text("Меню");
    with_menu.keyboard = Some(menu);
    let rich = Text::plain("😀 <b>жирный</b>").mark("жирный", EntityKind::Bold);
    let sent = [
        ("text", Content::text(rich)),
        ("text", with_menu),
        ("photo", Content::media(upload(MediaKind::Image, "п.jpg", "image/jpeg"))),
        ("video", Content::media(upload(MediaKind::Video, "в.mp4", "video/mp4"))),
        ("animation", Content::media(upload(MediaKind::Animation, "а.mp4", "video/mp4"))),
        ("audio", Content::media(upload(MediaKind::Audio, "м.mp3", "audio/mpeg"))),
        ("voice", Content::media(upload(MediaKind::Voice, "г.ogg", "audio/ogg"))),
        ("video_note", Content::media(upload(MediaKind::VideoNote, "к.mp4", "video/mp4"))),
        ("document", Content::media(upload(MediaKind::File, "счёт №1; \"копия\".pdf", "application/pdf"))),
        ("sticker", Content::media(upload(MediaKind::Sticker, "с.webp", "image/webp"))),
        (
            "photo",
            Content::media(Media::new(MediaKind::Image, Url::parse("https://cdn.example/1.jpg").unwrap())),
        ),
        ("location", Content::part(Part::Location(bare))),
        ("venue", Content::part(Part::Location(place))),
        ("contact", Content::part(Part::Contact(card))),
    ];
    for (kind, content) in sent {
        let accepted = scene.sends(IVAN, content).await.unwrap_or_else(|e| panic!("{kind}: {e:?}"));
        let entry = scene.handle.message(IVAN, accepted.id.as_str().parse().unwrap()).unwrap();
        assert!(entry.json.get(kind).is_some(), "{kind}: {}", entry.json);
    }
    let first = &scene.handle.transcript(IVAN)[1];
    assert_eq!(first.text(), "😀 <b>жирный</b>");
    assert_eq!(first.json["entities"], json!([{"type": "bold", "offset": 6, "length": 6}]));
}

#[tokio::test]
async fn an_album_becomes_several_messages() {
    let scene = Scene::polling().await;
    scene.ivan().start("");
    let mut album = Content::media(upload(MediaKind::Image, "1.jpg", "image/jpeg"))
        .and(Part::Media(upload(MediaKind::Image, "2.jpg", "image/jpeg")))
        .and(Part::Media(upload(MediaKind::Video, "3.mp4", "video/mp4")));
    album.text = Some("три".into());
    let accepted = scene.sends(IVAN, album).await.unwrap();
    assert_eq!(accepted.more.len(), 2);
    let first = scene.handle.message(IVAN, accepted.id.as_str().parse().unwrap()).unwrap();
    assert_eq!(first.text(), "три");
}

#[tokio::test]
async fn sent_messages_are_edited_signed_and_taken_back() {
    let scene = Scene::polling().await;
    let said = scene.ivan().writes("Привет");
    let chat = Address::new(IVAN.to_string());
    let sent = scene.sends(IVAN, Content::text("Да")).await.unwrap();
    let edit = scene.bot.as_edit().unwrap();
    edit.edit(&chat, &sent.id, &Content::text("Да!")).await.unwrap();
    edit.edit(&chat, &sent.id, &Content::text("Да!")).await.unwrap();
    let id: i64 = sent.id.as_str().parse().unwrap();
    assert_eq!(scene.handle.message(IVAN, id).unwrap().text(), "Да!");

    let mut picture = Content::media(upload(MediaKind::Image, "1.jpg", "image/jpeg"));
    picture.text = Some("подпись".into());
    let film = scene.sends(IVAN, picture).await.unwrap();
    edit.edit(&chat, &film.id, &Content::text("новая подпись")).await.unwrap();
    assert_eq!(
        scene.handle.message(IVAN, film.id.as_str().parse().unwrap()).unwrap().text(),
        "новая подпись"
    );

    let theirs = ProviderMessageId::from(said.message_id.to_string());
    scene.bot.as_react().unwrap().react(&chat, &theirs, &["👍".to_owned()]).await.unwrap();
    assert_eq!(scene.handle.message(IVAN, said.message_id).unwrap().bot_reactions.len(), 1);
    scene.bot.as_typing().unwrap().typing(&chat).await.unwrap();
    let delete = scene.bot.as_delete().unwrap();
    delete.delete(&chat, &sent.id).await.unwrap();
    delete.delete(&chat, &sent.id).await.unwrap();
    assert!(scene.handle.message(IVAN, id).is_none_or(|entry| entry.deleted));
}

#[tokio::test]
async fn answers_are_sent_even_to_messages_that_are_gone() {
    let scene = Scene::polling().await;
    let ivan = scene.ivan();
    let said = ivan.writes("Привет");
    let mut answer = item("100200300", Content::text("И вам"));
    let named = ProviderMessageId::from(said.message_id.to_string());
    answer.reply_to = Some(ReplyTo { message: named, quote: Some("Привет".into()) });
    let first = scene.bot.send(&answer).await.unwrap();
    let entry = scene.handle.message(IVAN, first.id.as_str().parse().unwrap()).unwrap();
    assert_eq!(entry.reply_to(), Some(said.message_id));
    answer.reply_to = Some(ReplyTo { message: ProviderMessageId::from("99999"), quote: None });
    scene.bot.send(&answer).await.unwrap();
}

#[tokio::test]
async fn a_connected_person_is_served_in_their_name() {
    let scene = Scene::polling().await;
    let owner = User::new(555_000_111, "Мария");
    let business = scene.handle.business("aB3kQ_conn_1", owner);
    let said = business.customer(ivan()).writes("Ещё продаёте?");
    business.owner_to(&ivan()).writes("Да");
    business.deletes(IVAN, &[said.message_id]);
    business.disables();
    business.enables();
    let events = scene.hears(6).await;
    use EventKind::{Account, Deleted, Echo, Message};
    assert_eq!(kinds(&events), [Account, Message, Echo, Deleted, Account, Account]);
    let address = events[1].address.clone().unwrap();
    assert_eq!(address.part("business").as_deref(), Some("aB3kQ_conn_1"));
    assert_eq!(events[2].address.as_ref(), Some(&address));

    let again = business.customer(ivan()).writes("Ау?");
    scene.bot.send(&item(address.as_str(), Content::text("Продаём"))).await.unwrap();
    assert!(business.transcript(IVAN).iter().any(|entry| entry.text() == "Продаём"));
    let id = ProviderMessageId::from(again.message_id.to_string());
    scene.bot.as_read().unwrap().mark_read(&address, &id).await.unwrap();
    let error = scene.bot.as_read().unwrap().mark_read(&Address::new("1"), &id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn forums_keep_their_topics() {
    let scene = Scene::polling().await;
    let forum = scene.handle.group(ChatKind::Forum, -1_001_234_567_890, "Магазин");
    let topic = forum.creates_topic("Заказы");
    forum.member(ivan()).in_topic(topic).writes("Где заказ?");
    let events = scene.hears(3).await;
    let message = events.iter().find(|event| event.kind() == EventKind::Message).unwrap();
    let address = message.address.clone().unwrap();
    assert_eq!(address.part("thread"), Some(topic.to_string()));
    let EventBody::Message(said) = &message.body else { panic!() };
    assert_eq!(said.reply_to, None);
    let sent = scene.bot.send(&item(address.as_str(), Content::text("Едет"))).await.unwrap();
    let entry = scene.handle.message(-1_001_234_567_890, sent.id.as_str().parse().unwrap()).unwrap();
    assert_eq!(entry.json["message_thread_id"], json!(topic));
}

#[tokio::test]
async fn a_group_that_moved_is_followed_once() {
    let scene = Scene::polling().await;
    let group = scene.handle.group(ChatKind::Group, -4001, "Старая");
    group.member(ivan()).writes("Привет");
    let upgraded = group.migrates(-1_001_234_567_890);
    let accepted = scene.sends(-4001, Content::text("Переехали")).await.unwrap();
    assert_eq!(accepted.moved_to.unwrap().as_str(), "-1001234567890");
    let arrived = upgraded.transcript().into_iter().filter(|entry| entry.text() == "Переехали").count();
    assert_eq!(arrived, 1);
    let events = scene.hears(4).await;
    assert_eq!(kinds(&events)[2..], [EventKind::Migrated, EventKind::Migrated]);
    assert_eq!(events[2].body, events[3].body);
}

#[tokio::test]
async fn three_outcomes_are_told_apart_and_nothing_is_repeated() {
    let scene = Scene::polling().await;
    scene.ivan().start("");
    let open = [
        Fault::BadGateway,
        Fault::CutBody,
        Fault::DropAfterAccept,
        Fault::DropBeforeAccept,
        Fault::Garbage,
        Fault::Redirect("https://example.com/".into()),
        Fault::ServerError,
    ];
    for (index, fault) in open.into_iter().enumerate() {
        scene.handle.faults().on("sendMessage", 1, fault.clone());
        let error = scene.sends(IVAN, Content::text(format!("проба {index}"))).await.unwrap_err();
        assert!(matches!(error, SendError::Unknown(_)), "{fault:?}: {error:?}");
        let calls = scene.handle.attempts().into_iter().filter(|call| call.method == "sendmessage").count();
        assert_eq!(calls, index + 1, "{fault:?} was repeated");
    }
    scene.handle.faults().on("sendMessage", 1, Fault::TooManyRequests { retry_after: 3 });
    let error = scene.sends(IVAN, Content::text("позже")).await.unwrap_err();
    assert!(matches!(&error, SendError::Rejected(e) if matches!(e.retry(), Retry::After { .. })));
    scene.ivan().blocks();
    let error = scene.sends(IVAN, Content::text("нет")).await.unwrap_err();
    assert!(matches!(&error, SendError::Rejected(e) if e.kind() == ErrorKind::RecipientBlocked));
    let error = scene.sends(424_242, Content::text("кто вы")).await.unwrap_err();
    assert!(
        matches!(&error, SendError::Rejected(e) if e.kind() == ErrorKind::RecipientUnreachable),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_bad_update_does_not_block_those_behind_it() {
    let scene = Scene::polling().await;
    scene.handle.inject(json!({"message": {"message_id": "сорок", "chat": 7}}));
    scene.handle.inject(json!({"telepathy": {"мысль": "🤔"}}));
    scene.ivan().writes("Привет");
    let events = scene.hears(3).await;
    use EventKind::{Message, Unsupported};
    assert_eq!(kinds(&events), [Unsupported, Unsupported, Message]);
}

#[tokio::test]
async fn a_revoked_token_ends_the_listener_with_advice() {
    let scene = Scene::polling().await;
    scene.handle.revoke_token();
    let kept = Kept { events: Mutex::default(), count: 1 };
    let error = scene.bot.listen(None, &kept).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadCredentials);
    scene.handle.restore_token();
    assert_eq!(scene.bot.check().await.unwrap().handle.as_deref(), Some("@omni_helpdesk_bot"));
}

#[tokio::test]
async fn a_webhook_is_delivered_with_its_secret_and_conflicts_with_polling() {
    let scene = Scene::with(Config::new(TOKEN).webhook(SECRET)).await;
    let host = MockServer::start().await;
    Mock::given(wiremock::matchers::any()).respond_with(ResponseTemplate::new(200)).mount(&host).await;
    let at = WebhookUrl::new(Url::parse(&format!("{}/hook", host.uri())).unwrap()).unwrap();
    scene.bot.connect(&at).await.unwrap();
    scene.ivan().writes("Привет 👋");
    scene.handle.wait_for_empty_queue().await;
    let delivered = &host.received_requests().await.unwrap()[0];
    let mut request = WebhookRequest::post("/hook", delivered.body.clone(), Timestamp::default());
    request.headers = delivered.headers.clone();
    let received = scene.bot.receive(&request).unwrap();
    let EventBody::Message(message) = &received.events[0].body else { panic!() };
    assert_eq!(message.content.plain_text(), Some("Привет 👋"));

    let config = Config::new(TOKEN).polling().at(Url::parse(scene.handle.base_url()).unwrap());
    let poller = Telegram::new(config, Http::new().unwrap()).unwrap();
    let kept = Kept { events: Mutex::default(), count: 1 };
    assert_eq!(poller.listen(None, &kept).await.unwrap_err().kind(), ErrorKind::Conflict);
    scene.bot.disconnect().await.unwrap();
    scene.ivan().writes("Ещё здесь?");
    assert_eq!(poller.listen(None, &kept).await.unwrap_err().kind(), ErrorKind::State);
}

#[tokio::test]
async fn check_tells_what_is_wrong_with_the_webhook() {
    let scene = Scene::with(Config::new(TOKEN).webhook(SECRET)).await;
    let host = MockServer::start().await;
    Mock::given(wiremock::matchers::any()).respond_with(ResponseTemplate::new(502)).mount(&host).await;
    let at = WebhookUrl::new(Url::parse(&format!("{}/hook", host.uri())).unwrap()).unwrap();
    scene.bot.connect(&at).await.unwrap();
    let about_webhooks = |account: omni_core::channel::Account| {
        account.warnings.into_iter().filter(|w| w.contains("webhook")).collect::<Vec<_>>()
    };
    assert!(about_webhooks(scene.bot.check().await.unwrap()).is_empty());
    scene.ivan().writes("Алло?");
    scene
        .handle
        .wait_for("a failed delivery", |bot| (bot.counters().webhook_failures > 0).then_some(()))
        .await;
    let warnings = about_webhooks(scene.bot.check().await.unwrap());
    assert!(warnings[0].contains("wait at Telegram") && warnings[0].contains("502"), "{warnings:?}");

    let config = Config::new(TOKEN).polling().at(Url::parse(scene.handle.base_url()).unwrap());
    let poller = Telegram::new(config, Http::new().unwrap()).unwrap();
    let warnings = about_webhooks(poller.check().await.unwrap());
    assert_eq!(warnings, ["a webhook is registered: polling is refused until it is taken back"]);
}
