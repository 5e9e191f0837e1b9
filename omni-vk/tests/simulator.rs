//! The connector against the simulator of VK: real HTTP, both ways.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use omni_core::channel::Sink;
use omni_core::content::{Button, ButtonAction, Content, Item as Goods, Keyboard, KeyboardPlace, Part};
use omni_core::error::{ErrorKind, Result};
use omni_core::event::{EventBody, EventKind};
use omni_core::media::{Media, MediaKind, MediaSource};
use omni_core::outbound::{Accepted, Author, OutboundItem, SendError};
use omni_core::{
    Address, Channel, Cursor, Error, Event, Inbound, MessageId, Outbound, ProviderMessageId, Secret,
    Timestamp,
};
use omni_http::Http;
use omni_testkit::vk::{
    ApiError, App, Community, CommunityProfile, Customer, EchoOrder, Item, PollFailure, Scope, SimConfig,
    User, VkSim,
};
use omni_vk::oauth::{Came, Oauth};
use omni_vk::{Config, Vk};
use serde_json::json;
use url::Url;

const TOKEN: &str = "vk1.a.Zx9random256bitTokenOfTheCommunity";
const GROUP: i64 = 123_456;
const IVAN: i64 = 50_112_233;

struct Scene {
    sim: VkSim,
    shop: Community,
    vk: Vk,
}

impl Scene {
    async fn start() -> Self {
        Self::with(SimConfig::default(), 1000).await
    }

    async fn with(sim: SimConfig, calls_per_second: u32) -> Self {
        let sim = VkSim::start(sim).await.unwrap();
        let shop = sim.add_community(CommunityProfile::new(GROUP, "Ромашка", "romashka_shop"));
        shop.takes_token(TOKEN, &Scope::ALL);
        let mut config = Config::new(TOKEN, GROUP).long_poll().at(Url::parse(sim.base_url()).unwrap());
        config.calls_per_second = calls_per_second;
        let vk = Vk::new(config, Http::new().unwrap()).unwrap();
        Self { sim, shop, vk }
    }

    fn ivan(&self) -> Customer {
        self.shop.customer(ivan())
    }

    /// Lets something happen while the community listens, and hears so many events.
    async fn hears(&self, count: usize, happens: impl FnOnce()) -> Vec<Event> {
        let kept = Kept { events: Mutex::default(), count };
        let asked = self.sim.calls("groups.getLongPollServer").len();
        let begins = async {
            let listening = || (self.sim.calls("groups.getLongPollServer").len() > asked).then_some(());
            self.sim.ground().wait_for("a listener", listening).await;
            happens();
        };
        let listening = tokio::time::timeout(Duration::from_secs(10), self.vk.listen(None, &kept));
        let (ended, ()) = tokio::join!(listening, begins);
        assert_eq!(ended.expect("the events came").unwrap_err().kind(), ErrorKind::State);
        kept.events.into_inner().unwrap()
    }

    async fn sends(&self, content: Content) -> Result<Accepted, SendError> {
        self.vk.send(&item(IVAN, content)).await
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
    User::new(IVAN, "Иван", "Петров").screen_name("ivan_p")
}

fn item(peer: i64, content: Content) -> OutboundItem {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let mut id = [0; 16];
    id[8..].copy_from_slice(&number.to_be_bytes());
    OutboundItem {
        id: MessageId::from_bytes(id),
        address: Address::new(peer.to_string()),
        content,
        reply_to: None,
        face: None,
        author: Author::Person,
        note: None,
    }
}

fn upload(kind: MediaKind, name: &str) -> Media {
    Media::new(kind, Bytes::from_static(b"OggS bytes")).named(name)
}

fn number(id: &ProviderMessageId) -> i64 {
    id.as_str().parse().unwrap()
}

#[tokio::test]
async fn every_kind_of_file_comes_to_the_customer() {
    let scene = Scene::start().await;
    scene.ivan().writes("Здравствуйте");
    let three = Content::media(upload(MediaKind::Image, "кот.jpg"))
        .and(Part::Media(upload(MediaKind::File, "акт № 7.pdf")))
        .and(Part::Media(upload(MediaKind::Voice, "voice.ogg")));
    scene.sends(Content { text: Some("Вот 👍".into()), ..three }).await.unwrap();
    let entry = scene.ivan().wait_for_text("Вот 👍").await;
    let files: Vec<_> =
        entry.files.iter().map(|file| (file.kind, file.name.as_str(), &file.bytes[..])).collect();
    assert_eq!(
        files,
        [
            ("photo", "кот.jpg", &b"OggS bytes"[..]),
            ("doc", "акт № 7.pdf", b"OggS bytes"),
            ("audio_message", "voice.ogg", b"OggS bytes"),
        ]
    );
}

#[tokio::test]
async fn what_came_in_can_be_handed_on_without_an_upload() {
    let scene = Scene::start().await;
    let events = scene
        .hears(2, || {
            scene.ivan().sends_photo(omni_testkit::vk::Upload::new("кот.jpg", &b"jpeg"[..]), "");
            scene.ivan().sends_sticker(4331);
        })
        .await;
    for event in events {
        let EventBody::Message(message) = event.body else { panic!("no message") };
        let Part::Media(media) = &message.content.parts[0] else { panic!("no file") };
        scene.sends(Content::media(media.clone())).await.unwrap();
    }
    let seen = scene.ivan().sees();
    let sent: Vec<_> = seen.iter().filter(|entry| entry.is_ours()).collect();
    assert!(sent[0].attachment("photo").is_some());
    assert_eq!(sent[1].attachment("sticker").unwrap()["sticker_id"], 4331);
    assert!(scene.sim.calls("photos.getMessagesUploadServer").is_empty());
}

#[tokio::test]
async fn a_file_that_was_put_up_ahead_is_sent_many_times() {
    let scene = Scene::start().await;
    scene.ivan().writes("Здравствуйте");
    let address = Address::new(IVAN.to_string());
    let file = upload(MediaKind::File, "прайс.pdf");
    let at = scene.vk.as_upload().unwrap().upload(&address, &file).await.unwrap();
    for _ in 0..3 {
        let media = Media { source: MediaSource::Provider(at.clone()), ..file.clone() };
        scene.sends(Content::media(media)).await.unwrap();
    }
    assert_eq!(scene.sim.calls("docs.save").len(), 1);
    let sent = scene.ivan().sees().iter().filter(|entry| !entry.files.is_empty()).count();
    assert_eq!(sent, 3);
}

#[tokio::test]
async fn a_burst_comes_in_few_calls_each_message_once() {
    let scene = Scene::with(SimConfig { rate_limits: true, ..SimConfig::default() }, 20).await;
    scene.ivan().writes("Здравствуйте");
    let items: Vec<OutboundItem> =
        (0..120).map(|n| item(IVAN, Content::text(format!("слово {n} \"}});//\u{2028}")))).collect();
    let sends = items.iter().map(|item| scene.vk.send(item));
    let outcomes = futures_util::future::join_all(sends).await;
    let ids: HashSet<_> = outcomes.into_iter().map(|outcome| outcome.unwrap().id).collect();
    assert_eq!(ids.len(), 120);
    let mut words: Vec<String> =
        scene.ivan().sees().iter().filter(|e| e.is_ours()).map(|e| e.text().to_owned()).collect();
    let mut expected: Vec<String> = (0..120).map(|n| format!("слово {n} \"}});//\u{2028}")).collect();
    words.sort();
    expected.sort();
    assert_eq!(words, expected);
    let calls = scene.sim.calls("messages.send");
    assert!(calls.iter().filter(|call| call.is_in_script).count() >= 115, "most of them go together");
    assert!(scene.sim.http_calls().len() <= 10, "{} calls", scene.sim.http_calls().len());
}

#[tokio::test]
async fn a_burst_with_a_refusal_tells_it_to_the_one_it_is_for() {
    let scene = Scene::with(SimConfig::default(), 2).await;
    let anna = scene.shop.customer(User::new(60_112_233, "Анна", "Белова"));
    scene.ivan().writes("раз");
    anna.writes("два");
    anna.denies();
    scene.sends(Content::text("первое")).await.unwrap();
    let items = [IVAN, anna.peer_id(), IVAN].map(|peer| item(peer, Content::text("вместе")));
    let outcomes = futures_util::future::join_all(items.iter().map(|item| scene.vk.send(item))).await;
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok());
    assert!(matches!(&outcomes[1], Err(SendError::Rejected(e)) if e.kind() == ErrorKind::RecipientBlocked));
    assert_eq!(scene.sim.calls("execute").len(), 1);
}

#[tokio::test]
async fn our_own_message_is_known_even_when_its_echo_is_first() {
    let scene = Scene::with(SimConfig { echo: EchoOrder::BeforeAnswer, ..SimConfig::default() }, 1000).await;
    scene.ivan().writes("Здравствуйте");
    let item = item(IVAN, Content::text("[id1|Иван], да"));
    let events = scene.hears(1, || {});
    let sends = async {
        let listening = || (!scene.sim.calls("groups.getLongPollServer").is_empty()).then_some(());
        scene.sim.ground().wait_for("a listener", listening).await;
        scene.vk.send(&item).await.unwrap()
    };
    let (events, accepted) = tokio::join!(events, sends);
    let EventBody::Echo(echo) = &events[0].body else { panic!("no echo: {events:?}") };
    assert_eq!((echo.ours, &echo.message.id), (Some(item.id), &accepted.id));
    assert_eq!(echo.message.content.plain_text(), Some("[id1|Иван], да"));
}

#[tokio::test]
async fn an_administrator_and_another_program_are_told_apart() {
    let scene = Scene::start().await;
    let ivan = scene.ivan();
    let events = scene
        .hears(1, || {
            scene.shop.admin_writes(7_001_002, &ivan, "Продаём");
        })
        .await;
    let EventBody::Echo(echo) = &events[0].body else { panic!("no echo") };
    assert_eq!((echo.author.as_deref(), echo.ours), (Some("7001002"), None));
}

#[tokio::test]
async fn words_that_look_like_a_link_are_shown_as_words() {
    let scene = Scene::start().await;
    scene.ivan().writes("Здравствуйте");
    for words in ["[id1|Иван]", "[https://vk.com/wall-1_2|пост]", "@club1 (мы)", "*id7 (он)"] {
        let accepted = scene.sends(Content::text(words)).await.unwrap();
        let entry = scene.ivan().sees().into_iter().find(|e| e.cmid == number(&accepted.id)).unwrap();
        let shown = entry.shown();
        assert!(shown.links.is_empty(), "{words}");
        assert_eq!(shown.text.replace('\u{2060}', ""), words);
    }
}

#[tokio::test]
async fn a_menu_key_tells_its_data_and_its_label() {
    let scene = Scene::start().await;
    scene.ivan().writes("Здравствуйте");
    let share = Button { label: "Где вы?".into(), action: ButtonAction::ShareLocation };
    let rows = vec![vec![Button::press("Заказ 5 📦", "order:5"), Button::say("Позже")], vec![share]];
    let keys = Keyboard { place: KeyboardPlace::Menu, rows };
    scene.sends(Content { keyboard: Some(keys), ..Content::text("Что дальше?") }).await.unwrap();
    let events = scene
        .hears(3, || {
            scene.ivan().presses("Заказ 5 📦");
            scene.ivan().presses("Позже");
            scene.ivan().presses("");
        })
        .await;
    let EventBody::Button(pressed) = &events[0].body else { panic!("no press: {events:?}") };
    assert_eq!((pressed.data.as_str(), pressed.label.as_deref()), ("order:5", Some("Заказ 5 📦")));
    let EventBody::Message(said) = &events[1].body else { panic!("no message") };
    assert_eq!(said.content.plain_text(), Some("Позже"));
    let EventBody::Message(shared) = &events[2].body else { panic!("no place") };
    assert!(matches!(shared.content.parts[0], Part::Location(_)));
    let gone = Keyboard { place: KeyboardPlace::Remove, rows: Vec::new() };
    scene.sends(Content { keyboard: Some(gone), ..Content::text("Готово") }).await.unwrap();
    assert!(scene.ivan().menu().is_empty());
}

#[tokio::test]
async fn a_pressed_key_is_answered_with_words() {
    let scene = Scene::start().await;
    scene.ivan().writes("Здравствуйте");
    let asked = Content::text("Верно?").buttons([Button::press("Да", "yes")]);
    let sent = scene.sends(asked).await.unwrap();
    let mut ticket = None;
    let events = scene.hears(1, || ticket = Some(scene.ivan().presses_under(number(&sent.id), "Да"))).await;
    let EventBody::Button(pressed) = &events[0].body else { panic!("no press") };
    assert_eq!((pressed.data.as_str(), pressed.message.as_ref()), ("yes", Some(&sent.id)));
    let answer = scene.vk.as_answer().unwrap();
    answer.answer(pressed.ticket.as_deref().unwrap(), Some("Записали 👍")).await.unwrap();
    let Some(omni_testkit::vk::Pressed::Callback(ticket)) = ticket else { panic!("no callback key") };
    let shown = scene.ivan().answer_to(&ticket).unwrap();
    assert_eq!(shown, json!({"type": "show_snackbar", "text": "Записали 👍"}));
}

#[tokio::test]
async fn ten_keys_one_a_row_are_laid_out_so_that_vk_takes_them() {
    let scene = Scene::start().await;
    scene.ivan().writes("Здравствуйте");
    let keys = (0..10).map(|n| Button::press(format!("Размер {n}"), n.to_string()));
    scene.sends(Content::text("Какой?").buttons(keys)).await.unwrap();
    assert_eq!(scene.ivan().sees().last().unwrap().keys().len(), 10);
}

#[tokio::test]
async fn a_cut_message_is_asked_for_whole() {
    let scene = Scene::start().await;
    let photo = json!({"type": "photo", "photo": {"id": 1, "owner_id": IVAN, "sizes":
        [{"type": "x", "url": "https://sun9-1.userapi.com/x.jpg", "width": 6, "height": 4}]}});
    let cropped = json!({"text": "Много всего", "attachments": [photo]});
    let events = scene
        .hears(1, || {
            scene.ivan().sends_cropped(cropped);
        })
        .await;
    let EventBody::Message(cut) = &events[0].body else { panic!("no message") };
    assert_eq!(cut.content.parts, [Part::Unsupported { what: "cropped".into() }]);
    assert!(events[0].raw.is_some());
    let whole = scene.vk.whole(events[0].address.as_ref().unwrap(), &cut.id).await.unwrap();
    assert_eq!(whole.content.plain_text(), Some("Много всего"));
    assert!(matches!(&whole.content.parts[0], Part::Media(media) if media.kind == MediaKind::Image));
    let nowhere = scene.vk.whole(&Address::new(IVAN.to_string()), &ProviderMessageId::from("999")).await;
    assert!(nowhere.is_err());
}

#[tokio::test]
async fn goods_asked_about_are_what_the_message_is_about() {
    let scene = Scene::start().await;
    let mug = Item::new(991, "Кружка", 45_000);
    scene.shop.sells(&mug);
    let events = scene
        .hears(1, || {
            scene.ivan().asks_about(&mug, "Есть белая?");
        })
        .await;
    let EventBody::Message(message) = &events[0].body else { panic!("no message") };
    let item = message.item.clone().unwrap();
    assert_eq!((item.title.as_deref(), item.price.as_deref()), (Some("Кружка"), Some("450 руб.")));
    scene.sends(Content::part(Part::Item(Goods { id: item.id, ..Goods::default() }))).await.unwrap();
    assert!(scene.ivan().sees().last().unwrap().attachment("market").is_some());
}

#[tokio::test]
async fn goods_with_pictures_come_as_cards_whose_pictures_went_up() {
    let scene = Scene::start().await;
    scene.ivan().writes("Что есть?");
    // Kept at VK's own address here: the only one that may be in a private network.
    let kept = scene.ivan().sends_photo(omni_testkit::vk::Upload::new("кружка.jpg", &b"jpeg"[..]), "").cmid;
    let photo = scene.ivan().sees().into_iter().find(|entry| entry.cmid == kept).unwrap();
    let picture = photo.attachment("photo").unwrap()["sizes"][0]["url"].as_str().unwrap().to_owned();
    let goods = |title: &str| {
        let image = Some(Url::parse(&picture).unwrap());
        Part::Item(Goods { title: Some(title.to_owned()), image, ..Goods::default() })
    };
    let accepted = scene.sends(Content::part(goods("Кружка")).and(goods("Чашка 👌"))).await.unwrap();
    let shown = scene.ivan().sees().into_iter().find(|e| e.cmid == number(&accepted.id)).unwrap();
    let elements = shown.template.unwrap()["elements"].clone();
    assert_eq!((&elements[0]["title"], &elements[1]["title"]), (&json!("Кружка"), &json!("Чашка 👌")));
    assert!(elements[0]["photo_id"].as_str().unwrap().starts_with("-123456_"), "{elements}");
    assert_ne!(elements[0]["photo_id"], elements[1]["photo_id"]);
}

#[tokio::test]
async fn a_talk_under_a_post_goes_on_in_its_thread() {
    let scene = Scene::start().await;
    let post = scene.shop.posts(310, "Кружки");
    let events = scene
        .hears(1, || {
            post.writes(&ivan(), "Цена?");
        })
        .await;
    let EventBody::Comment(comment) = &events[0].body else { panic!("no comment") };
    let asked = number(&comment.message.id);
    let address = events[0].address.clone().unwrap();
    let answer = OutboundItem { address: address.clone(), ..item(IVAN, Content::text("450 ₽")) };
    let accepted = scene.vk.send(&answer).await.unwrap();
    let again = scene.vk.send(&answer).await.unwrap();
    assert_eq!(accepted.id, again.id, "a repeated comment is known by its guid");
    let found = post.comments().into_iter().find(|c| c.id == number(&accepted.id)).unwrap();
    assert_eq!((found.reply_to, found.text()), (Some(asked), "450 ₽"));
    let events = scene
        .hears(1, || {
            post.answers(&ivan(), found.id, "Беру");
        })
        .await;
    assert_eq!(events[0].address.as_ref(), Some(&address), "the thread is one talk");
}

#[tokio::test]
async fn a_chat_tells_its_title_and_a_person_their_name() {
    let scene = Scene::start().await;
    let chat = scene.shop.chat(7, "Совместная закупка 📦", &[ivan()]);
    let (room, person) = (Address::new(chat.peer_id().to_string()), Address::new(IVAN.to_string()));
    let known = scene.vk.as_look_up().unwrap().look_up(&[room, person]).await.unwrap();
    assert_eq!(known[0].told.title.as_deref(), Some("Совместная закупка 📦"));
    let sender = known[1].told.sender.clone().unwrap();
    assert_eq!(sender.profile.name.as_deref(), Some("Иван Петров"));
    assert_eq!(sender.profile.username.as_deref(), Some("ivan_p"));
}

#[tokio::test]
async fn a_listener_lives_through_every_failure_of_a_poll() {
    let scene = Scene::start().await;
    for failure in [PollFailure::KeyExpired, PollFailure::StateLost, PollFailure::HistoryLost] {
        let (shop, sim) = (scene.shop.clone(), scene.sim.clone());
        let polls =
            move |sim: &VkSim| sim.http_calls().iter().filter(|call| call.name == "long_poll").count();
        let before = polls(&sim);
        let keys = sim.calls("groups.getLongPollServer").len();
        let events = scene
            .hears(1, || {
                shop.poll_fails(failure);
                tokio::spawn(async move {
                    // What is written before the listener has its new place belongs to the lost history.
                    let wanted = if failure == PollFailure::HistoryLost { keys + 1 } else { keys + 2 };
                    let goes_on = || {
                        let has_key = sim.calls("groups.getLongPollServer").len() >= wanted;
                        (has_key && polls(&sim) > before).then_some(())
                    };
                    sim.ground().wait_for("the listener to go on", goes_on).await;
                    shop.customer(ivan()).writes("Вы тут?");
                });
            })
            .await;
        assert_eq!(events[0].kind(), EventKind::Message, "{failure:?}");
    }
}

#[tokio::test]
async fn bot_features_that_are_off_say_what_to_do() {
    let scene = Scene::start().await;
    scene.ivan().writes("Здравствуйте");
    scene.shop.changes(|profile| profile.has_bots = false);
    let keys = Content::text("Верно?").buttons([Button::press("Да", "yes")]);
    let error = scene.sends(keys).await.unwrap_err();
    assert_eq!(error.error().kind(), ErrorKind::Configuration);
    assert!(error.error().advice().unwrap().contains("Bot settings"));
    scene.sim.refuses("messages.send", 1, ApiError::captcha());
    let error = scene.sends(Content::text("Да")).await.unwrap_err();
    assert_eq!(error.error().kind(), ErrorKind::RateLimited);
}

#[tokio::test]
async fn a_community_is_connected_with_its_administrators_consent() {
    let scene = Scene::start().await;
    let redirect = Url::parse("https://crm.example/vk").unwrap();
    let secret = "app-s3cret-key";
    let redirect_uri = redirect.to_string();
    scene.sim.add_app(App { id: 51_000_001, secret: secret.to_owned(), redirect_uri });
    let mut app = Oauth::new("51000001", secret, redirect);
    let base = Url::parse(scene.sim.base_url()).unwrap();
    (app.oauth_url, app.id_url, app.api_url) = (base.clone(), base.clone(), base);
    let http = Http::new().unwrap();
    let code = scene.sim.authorizes(51_000_001, &[GROUP]);
    let connected = app.exchange(&http, &code).await.unwrap();
    assert_eq!(connected[0].group_id, GROUP);
    let config = Config::new(connected[0].token.clone(), GROUP).at(Url::parse(scene.sim.base_url()).unwrap());
    let vk = Vk::new(config, Http::new().unwrap()).unwrap();
    assert_eq!(vk.check().await.unwrap().name, "Ромашка");
    let again = app.exchange(&http, &code).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::BadCredentials);
    let shown = format!("{again} {again:?}");
    assert!(!shown.contains(&code) && !shown.contains(secret), "{shown}");
}

#[tokio::test]
async fn a_person_signs_in_lists_communities_and_is_renewed() {
    let scene = Scene::start().await;
    let admin = User::new(7_001_002, "Ольга", "Иванова");
    scene.shop.has_admin(&admin);
    let redirect = Url::parse("https://crm.example/vk").unwrap();
    let redirect_uri = redirect.to_string();
    scene.sim.add_app(App { id: 51_000_001, secret: "app-s3cret-key".to_owned(), redirect_uri });
    let mut app = Oauth::new("51000001", "app-s3cret-key", redirect);
    let base = Url::parse(scene.sim.base_url()).unwrap();
    (app.oauth_url, app.id_url, app.api_url) = (base.clone(), base.clone(), base);
    let http = Http::new().unwrap();
    let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    let address = app.vk_id_url(&verifier, "state-7", &["vkid.personal_info", "groups"]).unwrap();
    let signed = scene.sim.signs_in(51_000_001, &admin, &address);
    let now = Timestamp::from_secs(1_767_225_600);
    let wrong = Secret::new("x".repeat(43));
    let came =
        |verifier| Came { code: &signed.code, device_id: &signed.device_id, state: &signed.state, verifier };
    let refused = app.vk_id_exchange(&http, &came(&wrong), now).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::BadCredentials);
    let signed = scene.sim.signs_in(51_000_001, &admin, &address);
    let came =
        Came { code: &signed.code, device_id: &signed.device_id, state: &signed.state, verifier: &verifier };
    let tokens = app.vk_id_exchange(&http, &came, now).await.unwrap();
    assert_eq!(tokens.expires_at, Some(now + Duration::from_secs(3600)));
    let groups = app.groups(&http, &tokens.access).await.unwrap();
    assert_eq!((groups[0].id, groups[0].name.as_str()), (GROUP, "Ромашка"));
    let refresh = tokens.refresh.unwrap();
    let renewed = app.vk_id_refresh(&http, &refresh, &signed.device_id, "s", now).await.unwrap();
    assert_ne!(renewed.access, tokens.access);
    let spent = app.vk_id_refresh(&http, &refresh, &signed.device_id, "s", now).await.unwrap_err();
    assert_eq!(spent.kind(), ErrorKind::BadCredentials);
    assert!(!format!("{spent:?}").contains(refresh.expose()));
}
