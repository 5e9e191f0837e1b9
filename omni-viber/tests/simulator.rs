//! The connector against the simulator of the Bot API: real HTTP, both ways.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use omni_core::content::{
    Button, ButtonAction, ContactCard, Content, Item, Keyboard, KeyboardPlace, Location, Part,
};
use omni_core::error::{ErrorKind, RateScope, Retry};
use omni_core::event::{Event, EventBody, EventKind, MessageName};
use omni_core::link::CampaignToken;
use omni_core::media::{Media, MediaKind, MediaRef, MediaSource};
use omni_core::outbound::{Accepted, Author, Face, OutboundItem, SendError};
use omni_core::webhook::{Answer, WebhookUrl};
use omni_core::{Address, Channel, Inbound, MessageId, Outbound, Status};
use omni_http::Http;
use omni_testkit::conformance::WebhookHost;
use omni_testkit::sim::Fault;
use omni_testkit::viber::{Bot, Customer, Person, Upload, ViberSim};
use omni_viber::{Config, Viber};
use url::Url;

const TOKEN: &str = "00112233445566aa-bbccddeeff001122-3344556677889900";
const OLGA: &str = "uQ0abcd1234EFGH/678+jA==";
const IVAN: &str = "zR9kLmN0pQ2sT4uV6wX8yA==";

struct Scene {
    sim: ViberSim,
    handle: Bot,
    olga: Customer,
    viber: Arc<Viber>,
    host: WebhookHost,
    /// Webhooks that were refused.
    refused: Arc<Mutex<u32>>,
}

impl Scene {
    async fn start() -> Self {
        Self::with(|config| config).await
    }

    /// A connected bot; its webhooks are answered as the connector says.
    async fn with(change: impl FnOnce(Config) -> Config) -> Self {
        let sim = ViberSim::start().await.unwrap();
        let handle = sim.add_bot(TOKEN, "Ромашка Сервис", "romashkaservice");
        let olga =
            handle.customer(Person::new(OLGA, "Ольга").avatar("https://media-direct.cdn.viber.com/olga"));
        let config = change(Config::new(TOKEN).at(Url::parse(&sim.base_url()).unwrap()));
        let viber = Arc::new(Viber::new(config, Http::new().unwrap()).unwrap());
        let (reading, refused) = (Arc::clone(&viber), Arc::<Mutex<u32>>::default());
        let counted = Arc::clone(&refused);
        let answer = move |request: &_| match reading.receive(request) {
            Ok(received) => received.answer,
            Err(rejected) => {
                *counted.lock().unwrap() += 1;
                rejected.answer()
            }
        };
        let host = WebhookHost::start(answer).await.unwrap();
        let scene = Self { sim, handle, olga, viber, host, refused };
        scene.viber.connect(scene.host.url()).await.unwrap();
        assert_eq!(scene.hears(1).await.len(), 0, "the probe of the registration tells nothing");
        scene
    }

    /// What so many webhooks tell.
    async fn hears(&self, webhooks: usize) -> Vec<Event> {
        let mut events = Vec::new();
        for _ in 0..webhooks {
            let next = tokio::time::timeout(Duration::from_secs(10), self.host.next());
            let request = next.await.expect("a webhook came");
            if let Ok(received) = self.viber.receive(&request) {
                events.extend(received.events);
            }
        }
        events
    }

    async fn sends(&self, content: Content) -> Result<Accepted, SendError> {
        self.viber.send(&item(OLGA, content)).await
    }

    /// A file at a public address.
    fn file(&self, kind: MediaKind, name: &str) -> Media {
        let upload = Upload::new(name, "application/octet-stream", Bytes::from_static(b"\xff\xd8\xff file"));
        Media::new(kind, self.sim.publish(&upload)).named(name)
    }
}

fn item(to: &str, content: Content) -> OutboundItem {
    OutboundItem {
        id: MessageId::from_bytes([7; 16]),
        address: Address::new(to),
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

#[tokio::test]
async fn a_talk_comes_in_as_it_happened() {
    let s = Scene::start().await;
    s.olga.opens(Some("ad=spring;utm=vk"));
    s.olga.writes("Есть 42 размер? 👟👨‍👩‍👧");
    let photo = Upload::new("p.jpg", "image/jpeg", Bytes::from_static(b"\xff\xd8\xff photo"));
    let at = s.sim.publish(&photo);
    s.olga.sends_file("picture", at.as_str(), &photo, "Вот такой");
    s.olga.sends_sticker(40133, None);
    s.olga.sends_location(53.9006, 27.559);
    s.olga.sends_contact("Пётр", "+375291112233");
    s.olga.sends_link("https://shop.example.by/item/9");
    s.olga.says(serde_json::json!({"type": "telepathy", "thought": "🤔"}));
    s.olga.unsubscribes();
    s.olga.subscribes();
    let events = s.hears(10).await;
    use EventKind::{Blocked, Message, Started, Subscribed};
    assert_eq!(
        kinds(&events),
        [Started, Message, Message, Message, Message, Message, Message, Message, Blocked, Subscribed]
    );
    assert!(events.iter().all(|event| event.address == Some(Address::new(OLGA)) && event.at.is_some()));
    let EventBody::Started(started) = &events[0].body else { panic!() };
    assert_eq!(started.referral.as_ref().unwrap().token.as_deref(), Some("ad=spring;utm=vk"));
    let EventBody::Message(words) = &events[1].body else { panic!() };
    assert_eq!(words.content.plain_text(), Some("Есть 42 размер? 👟👨‍👩‍👧"));
    assert_eq!(words.sender.profile.name.as_deref(), Some("Ольга"));
    assert_eq!(words.sender.profile.avatar.as_ref().unwrap().path(), "/olga");
    assert_eq!(words.sender.profile.language.as_deref(), Some("ru-BY"));
    let EventBody::Message(picture) = &events[2].body else { panic!() };
    assert_eq!(picture.content.plain_text(), Some("Вот такой"));
    assert!(matches!(&events[7].raw, Some(raw) if raw.get().contains("telepathy")));
}

#[tokio::test]
async fn what_a_person_sent_can_be_fetched() {
    let s = Scene::start().await;
    let photo = Upload::new("p.jpg", "image/jpeg", Bytes::from_static(b"\xff\xd8\xff photo"));
    let at = s.sim.publish(&photo);
    s.olga.sends_file("picture", at.as_str(), &photo, "");
    let events = s.hears(1).await;
    let EventBody::Message(message) = &events[0].body else { panic!() };
    let media = message.content.all_media().next().unwrap();
    assert_eq!((media.kind, media.name.as_deref(), media.size), (MediaKind::Image, Some("p.jpg"), Some(9)));
    let MediaSource::Provider(at) = &media.source else { panic!() };
    let mut stream = s.viber.fetch(at, 1000).await.unwrap();
    assert_eq!(stream.mime.as_deref(), Some("image/jpeg"));
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.bytes.next().await {
        bytes.extend_from_slice(&chunk.unwrap());
    }
    assert_eq!(bytes, photo.bytes);
    assert_eq!(s.viber.fetch(at, 8).await.unwrap_err().kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn every_kind_of_content_goes_out_and_is_taken() {
    let s = Scene::start().await;
    s.olga.writes("Здравствуйте");
    let place = Location { latitude: 53.9, longitude: 27.5, title: None, address: None, live_seconds: None };
    let card =
        ContactCard {
            name: "Склад".into(), phones: vec!["+375 29 111-22-33".into()], ..Default::default()
        };
    let goods = Item {
        title: Some("Кружка ☕".into()),
        price: Some("25 BYN".into()),
        url: Url::parse("https://shop.example.by/9").ok(),
        image: Url::parse("https://cdn.example.net/9.png").ok(),
        ..Item::default()
    };
    let bare = Item { title: Some("Чашка".into()), ..Item::default() };
    let share = |label: &str, action| Button { label: label.into(), action };
    let keys = vec![
        vec![Button::press("Да 👍", "yes"), Button::say("Нет"), Button::say("Не знаю"), Button::say("Позже")],
        vec![Button::open("Сайт", Url::parse("https://shop.example.by").unwrap())],
        vec![share("Телефон", ButtonAction::SharePhone), share("Где я", ButtonAction::ShareLocation)],
    ];
    let asked = Content {
        keyboard: Some(Keyboard { place: KeyboardPlace::QuickReplies, rows: keys }),
        ..Content::text("Верно?")
    };
    let contents = [
        (Content::text("ж".repeat(7000)), vec!["text"]),
        (
            Content { text: Some("📦".into()), ..Content::media(s.file(MediaKind::Image, "1.jpg")) },
            vec!["picture"],
        ),
        (Content::media(s.file(MediaKind::Video, "1.mp4")), vec!["video"]),
        (
            Content { text: Some("да".into()), ..Content::media(s.file(MediaKind::Video, "1.mp4")) },
            vec!["video"],
        ),
        (Content::media(s.file(MediaKind::File, "акт № 7.pdf")), vec!["file"]),
        (
            Content { text: Some("акт".into()), ..Content::media(s.file(MediaKind::File, "акт.pdf")) },
            vec!["file", "text"],
        ),
        (Content::media(s.file(MediaKind::Animation, "кот.gif")), vec!["url"]),
        (Content::media(s.file(MediaKind::Animation, "кот.mp4")), vec!["video"]),
        (Content::media(Media::new(MediaKind::Sticker, MediaRef::new("46105"))), vec!["sticker"]),
        (Content::part(Part::Location(place)), vec!["location"]),
        (Content::part(Part::Contact(card)), vec!["contact"]),
        (Content::part(Part::Item(goods.clone())), vec!["rich_media"]),
        (
            Content {
                parts: vec![goods, bare].into_iter().cycle().take(6).map(Part::Item).collect(),
                ..Content::default()
            },
            vec!["rich_media"],
        ),
        (asked, vec!["text"]),
    ];
    for (content, wanted) in contents {
        let before = s.olga.transcript().len();
        let sent = s.sends(content.clone()).await.unwrap_or_else(|e| panic!("{content:?}: {e}"));
        let shown = s.olga.transcript().split_off(before);
        assert_eq!(shown.iter().map(|entry| entry.kind()).collect::<Vec<_>>(), wanted);
        let ids: Vec<String> = std::iter::once(&sent.id).chain(&sent.more).map(ToString::to_string).collect();
        assert_eq!(ids, shown.iter().map(|entry| entry.token.to_string()).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn as_many_keys_as_are_declared_are_taken() {
    let s = Scene::start().await;
    s.olga.writes("Здравствуйте");
    let total = s.viber.capabilities().buttons.total.unwrap();
    let rows = (0..total).map(|n| vec![Button::press(format!("{n}"), format!("{n}"))]).collect();
    let content = Content {
        keyboard: Some(Keyboard { place: KeyboardPlace::Message, rows }),
        ..Content::text("Какой из них?")
    };
    s.sends(content).await.unwrap();
    assert_eq!(s.olga.transcript().last().unwrap().keys().len(), total as usize);
}

#[tokio::test]
async fn pressed_keys_come_in_by_what_they_mean() {
    let s = Scene::start().await;
    s.olga.writes("Здравствуйте");
    let share = |label: &str, action| Button { label: label.into(), action };
    let asked = Content::text("Верно?").buttons([
        Button::press("<b>Да</b> 👍", "да:7"),
        Button::say("Нет"),
        share("Телефон", ButtonAction::SharePhone),
        share("Где я", ButtonAction::ShareLocation),
    ]);
    s.sends(asked).await.unwrap();
    for label in ["<b>Да</b> 👍", "Нет", "Телефон", "Где я"] {
        assert!(s.olga.presses(label), "{label}");
    }
    let events = s.hears(5).await.split_off(1);
    let EventBody::Button(button) = &events[0].body else { panic!("{:?}", events[0]) };
    assert_eq!((button.data.as_str(), button.sender.identity.id.as_str()), ("да:7", OLGA));
    let EventBody::Message(said) = &events[1].body else { panic!() };
    assert_eq!(said.content.plain_text(), Some("Нет"));
    let parts = |event: &Event| match &event.body {
        EventBody::Message(message) => message.content.parts.clone(),
        _ => panic!("{event:?}"),
    };
    assert!(matches!(&parts(&events[2])[..], [Part::Contact(card)] if card.phones == ["375291112233"]));
    assert!(matches!(&parts(&events[3])[..], [Part::Location(_)]));
}

#[tokio::test]
async fn how_far_a_message_came_is_told_by_the_id_of_its_send() {
    let s = Scene::start().await;
    s.olga.writes("Здравствуйте");
    let sent = s.sends(Content::text("Готово")).await.unwrap();
    let token: u64 = sent.id.as_str().parse().unwrap();
    s.olga.gets(token);
    s.olga.gets(token);
    s.olga.sees(token);
    s.olga.refuses(token, "wrong keyboard");
    let events = s.hears(5).await.split_off(1);
    let told: Vec<_> = events
        .iter()
        .map(|event| match &event.body {
            EventBody::Status(news) => (news.message.clone(), news.status),
            _ => panic!("{event:?}"),
        })
        .collect();
    let name = MessageName::Provider(sent.id);
    let statuses = [Status::Delivered, Status::Delivered, Status::Read, Status::Failed];
    assert_eq!(told, statuses.map(|status| (name.clone(), status)));
    assert_eq!(events[0].id, events[1].id, "a second device is no second event");
}

#[tokio::test]
async fn who_opens_the_chat_is_welcomed_once_and_cannot_be_written_to() {
    let s = Scene::with(|config| config.named("Ромашка").welcoming("Здравствуйте! Чем помочь? 👋")).await;
    s.olga.opens(None);
    assert_eq!(kinds(&s.hears(1).await), [EventKind::Started]);
    s.olga.wait_for("Здравствуйте! Чем помочь? 👋").await;
    let error = s.sends(Content::text("Вы ещё здесь?")).await.unwrap_err();
    assert!(matches!(&error, SendError::Rejected(e) if e.kind() == ErrorKind::RecipientBlocked), "{error}");
    s.olga.writes("Да");
    s.sends(Content::text("Отлично")).await.unwrap();
    s.olga.opens(None);
    s.handle.hooks().idle().await;
    let welcomes =
        s.olga.transcript().iter().filter(|entry| entry.text().starts_with("Здравствуйте!")).count();
    assert_eq!(welcomes, 1);
}

#[tokio::test]
async fn a_link_brings_its_token() {
    let s = Scene::start().await;
    let link = s.viber.as_links().unwrap().link(&CampaignToken::new("spring_2026-a").unwrap()).await.unwrap();
    let context = link.query_pairs().find(|(name, _)| name == "context").unwrap().1.into_owned();
    s.olga.opens(Some(&context));
    let events = s.hears(1).await;
    let EventBody::Started(started) = &events[0].body else { panic!() };
    assert_eq!(started.referral.as_ref().unwrap().token.as_deref(), Some("spring_2026-a"));
}

#[tokio::test]
async fn a_broadcast_reaches_who_can_be_reached() {
    let s = Scene::start().await;
    let ivan = s.handle.customer(Person::new(IVAN, "Иван"));
    s.olga.writes("Здравствуйте");
    ivan.writes("Здравствуйте");
    ivan.unsubscribes();
    let people = [OLGA, IVAN, "nobody"].map(Address::new);
    let face = Face { name: "Анна".into(), avatar: None };
    let sent = s.viber.broadcast(&people, &Content::text("Скидки 👟"), Some(&face)).await.unwrap();
    let failed: Vec<_> =
        sent.failed.iter().map(|missed| (missed.address.clone(), missed.error.kind())).collect();
    assert_eq!(
        failed,
        [
            (people[1].clone(), ErrorKind::RecipientBlocked),
            (people[2].clone(), ErrorKind::RecipientUnreachable)
        ]
    );
    let shown = s.olga.wait_for("Скидки 👟").await;
    assert_eq!(
        (shown.token.to_string(), &shown.json["sender"]["name"]),
        (sent.id.to_string(), &"Анна".into())
    );
}

#[tokio::test]
async fn three_outcomes_are_told_apart_and_nothing_is_repeated() {
    let s = Scene::start().await;
    s.olga.writes("Здравствуйте");
    let said = || s.olga.transcript().iter().filter(|entry| entry.text() == "один раз").count();
    let faults = [
        (Fault::DropBeforeAccept, 0, false),
        (Fault::DropAfterAccept, 1, false),
        (Fault::CutBody, 1, false),
        (Fault::Garbage, 1, false),
        (Fault::BadGateway, 0, false),
        (Fault::Redirect("https://other.example/".into()), 0, false),
        (Fault::SlowBody { pieces: 4, pause: Duration::from_millis(1) }, 1, true),
    ];
    let mut expected = 0;
    for (fault, adds, taken) in faults {
        s.sim.faults().on("send_message", 1, fault.clone());
        match s.sends(Content::text("один раз")).await {
            Ok(_) => assert!(taken, "{fault:?}"),
            Err(SendError::Unknown(_)) => assert!(!taken, "{fault:?}"),
            Err(error) => panic!("{fault:?}: {error}"),
        }
        expected += adds;
        assert_eq!(said(), expected, "{fault:?}");
    }
    s.sim.refuse("send_message", 3, "badData");
    assert!(matches!(s.sends(Content::text("один раз")).await, Err(SendError::Rejected(_))));
    assert_eq!(said(), expected);
}

#[tokio::test]
async fn a_hundred_messages_without_an_answer_leave_the_person_alone_for_an_hour() {
    let s = Scene::start().await;
    s.olga.writes("Здравствуйте");
    for _ in 0..100 {
        s.sends(Content::text("?")).await.unwrap();
    }
    let error = s.sends(Content::text("?")).await.unwrap_err().into_error();
    assert_eq!(error.retry(), Retry::After { wait: Duration::from_secs(3600), scope: RateScope::Chat });
    s.olga.writes("Хватит");
    s.sends(Content::text("Хорошо")).await.unwrap();
}

#[tokio::test]
async fn an_old_app_does_not_get_what_it_does_not_know() {
    let s = Scene::start().await;
    let ivan = s.handle.customer(Person::new(IVAN, "Иван").api_version(2));
    ivan.writes("Здравствуйте");
    let ask = Content::text("Ваш телефон?")
        .buttons([Button { label: "Телефон".into(), action: ButtonAction::SharePhone }]);
    let error = s.viber.send(&item(IVAN, ask)).await.unwrap_err();
    assert!(matches!(&error, SendError::Rejected(e) if e.kind() == ErrorKind::ContentRejected), "{error}");
    assert!(error.error().advice().unwrap().contains("too old"));
    s.viber.send(&item(IVAN, Content::text("Ваш телефон?").buttons([Button::say("Нет")]))).await.unwrap();
}

#[tokio::test]
async fn repeated_delayed_and_reordered_callbacks_keep_their_names() {
    let s = Scene::start().await;
    s.handle.hooks().hold().repeat_in_parallel(2).shuffle(7).delay(Duration::from_millis(1));
    for n in 0..10 {
        s.olga.writes(&format!("№ {n}"));
    }
    s.handle.hooks().release();
    let mut ids: Vec<String> = s.hears(20).await.iter().map(|event| event.id.to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 10);
}

#[tokio::test]
async fn a_spoilt_callback_is_refused_and_comes_again() {
    let s = Scene::start().await;
    s.handle.hooks().spoil(1, |hook| hook.body = [&*hook.body, b" "].concat().into());
    s.olga.writes("Здравствуйте");
    assert_eq!(kinds(&s.hears(2).await), [EventKind::Message]);
    assert_eq!(*s.refused.lock().unwrap(), 1);
}

#[tokio::test]
async fn an_address_that_refuses_the_probe_is_not_registered() {
    let s = Scene::start().await;
    let deaf = WebhookHost::start(|_| Answer::status(http::StatusCode::BAD_GATEWAY)).await.unwrap();
    let error = s.viber.connect(deaf.url()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(s.handle.webhook().as_deref(), Some(s.host.url().as_url().as_str()));
}

#[tokio::test]
async fn a_stolen_webhook_and_one_that_is_gone_are_told() {
    let s = Scene::start().await;
    assert!(s.viber.check().await.unwrap().warnings.is_empty());
    s.handle.steal_webhook("https://other.example/hook");
    let warnings = s.viber.check().await.unwrap().warnings;
    assert!(warnings[0].contains("other.example"), "{warnings:?}");
    s.viber.disconnect().await.unwrap();
    assert!(s.viber.check().await.unwrap().warnings[0].contains("no webhook"));
    s.olga.writes("Здравствуйте");
    let error = s.sends(Content::text("да")).await.unwrap_err().into_error();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Configuration, Some("10")));
    let url = WebhookUrl::new(s.host.url().as_url().clone()).unwrap();
    s.viber.connect(&url).await.unwrap();
    s.sends(Content::text("да")).await.unwrap();
}

#[tokio::test]
async fn people_are_described_as_often_as_viber_allows() {
    let s = Scene::start().await;
    s.olga.writes("Здравствуйте");
    s.hears(1).await;
    let olga = Address::new(OLGA);
    let details = s.viber.user_details(&olga).await.unwrap();
    assert_eq!(
        (details.profile.name.as_deref(), details.system.as_deref()),
        (Some("Ольга"), Some("android 15"))
    );
    // The message told the name: nobody has to be asked.
    let look_up = s.viber.inbound().unwrap().as_look_up().unwrap();
    for _ in 0..3 {
        assert_eq!(look_up.look_up(std::slice::from_ref(&olga)).await.unwrap().len(), 1);
    }
    s.viber.user_details(&olga).await.unwrap();
    assert_eq!(s.viber.user_details(&olga).await.unwrap_err().kind(), ErrorKind::RateLimited);
    assert_eq!(s.viber.online(&[olga]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_revoked_token_says_what_to_do() {
    let s = Scene::start().await;
    s.handle.revoke();
    let error = s.viber.check().await.unwrap_err();
    assert_eq!((error.kind(), error.text()), (ErrorKind::BadCredentials, Some("Bot not found")));
    assert!(error.advice().is_some());
}
