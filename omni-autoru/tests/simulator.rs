//! The connector against the simulator of Auto.ru: real HTTP, both ways.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use omni_autoru::{Autoru, Config, Rest};
use omni_core::channel::Sink;
use omni_core::contact::SenderKind;
use omni_core::content::Part;
use omni_core::error::{ErrorKind, Result, Retry};
use omni_core::event::{EventBody, EventKind, Origin, ReadReach};
use omni_core::media::{Media, MediaKind, MediaSource};
use omni_core::outbound::{Author, OutboundItem, SendError};
use omni_core::webhook::Answer;
use omni_core::{Address, Channel, Content, Cursor, Error, Event, Inbound, MessageId, Outbound};
use omni_http::Http;
use omni_testkit::autoru::{AutoruSim, Buyer, Dealer, Said, Side};
use omni_testkit::conformance::WebhookHost;
use omni_testkit::sim::{Fault, Reply, Rule};
use serde_json::json;
use url::Url;

const CHAT_ID: &str = "Vj72x3B9NTk0qLw4Zr81mXc5";
const DAY: Duration = Duration::from_secs(24 * 3600);

struct Scene {
    sim: AutoruSim,
    petr: Buyer,
    dealer: Autoru,
    host: WebhookHost,
}

impl Scene {
    async fn by_webhook() -> Self {
        Self::with(Config::new(CHAT_ID), Dealer::new(CHAT_ID)).await
    }

    async fn by_polling() -> Self {
        Self::polling(Dealer::new(CHAT_ID)).await
    }

    async fn polling(dealer: Dealer) -> Self {
        let mut rest = Rest::new("t0ken", "79990001122", "pa55word");
        rest.poll_millis = 100;
        Self::with(Config::polling(rest), dealer.rest("t0ken", "79990001122", "pa55word")).await
    }

    async fn with(mut config: Config, dealer: Dealer) -> Self {
        let sim = AutoruSim::start(dealer).await.unwrap();
        let host = WebhookHost::start(|_| Answer::ok()).await.unwrap();
        config.base_url = Url::parse(&sim.hook_url()).unwrap();
        if let Some(rest) = &mut config.rest {
            rest.base_url = Url::parse(&sim.rest_url()).unwrap();
        }
        sim.types_in_cabinet(host.url().as_url().as_str());
        let petr = sim.buyer("9d1f3c", "Пётр");
        Self { sim, petr, dealer: Autoru::new(config, Http::new().unwrap()).unwrap(), host }
    }

    /// What the next webhook says.
    async fn hears(&self) -> Event {
        self.dealer.receive(&self.host.next().await).unwrap().events.remove(0)
    }

    /// Polls from a place until so many events came; the place behind them comes with them.
    async fn polls(&self, from: Option<Cursor>, count: usize) -> (Vec<Event>, Cursor) {
        let kept = Kept { heard: Mutex::default(), count };
        let listening = self.dealer.listen(from, &kept);
        let ended = tokio::time::timeout(Duration::from_secs(10), listening).await.expect("the events came");
        assert_eq!(ended.unwrap_err().text(), Some("enough"));
        let (events, cursor) = kept.heard.into_inner().unwrap();
        (events, cursor.unwrap())
    }

    /// The place behind everything that there is, told or not.
    async fn place(&self) -> Cursor {
        self.polls(None, 0).await.1
    }

    async fn sends(&self, address: &Address, content: Content) -> Result<String, SendError> {
        let item = OutboundItem {
            id: MessageId::from_bytes([7; 16]),
            address: address.clone(),
            content,
            reply_to: None,
            face: None,
            author: Author::Person,
            note: None,
        };
        Ok(self.dealer.send(&item).await?.id.as_str().to_owned())
    }

    fn room(&self) -> Address {
        Address::new(format!("room:{}", self.petr.room()))
    }
}

#[derive(Default)]
struct Kept {
    heard: Mutex<(Vec<Event>, Option<Cursor>)>,
    count: usize,
}

#[async_trait]
impl Sink for Kept {
    async fn commit(&self, events: Vec<Event>, cursor: Cursor) -> Result<()> {
        let mut heard = self.heard.lock().unwrap();
        heard.0.extend(events);
        heard.1 = Some(cursor);
        if heard.0.len() < self.count {
            Ok(())
        } else {
            Err(Error::new(ErrorKind::State, "listen").with_text("enough"))
        }
    }

    fn alive(&self) {}
}

fn words(event: &Event) -> &str {
    let content = match &event.body {
        EventBody::Message(message) => &message.content,
        EventBody::Echo(echo) => &echo.message.content,
        other => panic!("{other:?}"),
    };
    content.plain_text().unwrap_or_default()
}

fn kinds(events: &[Event]) -> Vec<EventKind> {
    events.iter().map(Event::kind).collect()
}

#[tokio::test]
async fn a_talk_by_webhook_from_the_first_word_to_the_mark() {
    let scene = Scene::by_webhook().await;
    scene.petr.writes("Ещё продаёте? 🚗👨‍👩‍👧");
    let event = scene.hears().await;
    let EventBody::Message(message) = &event.body else { panic!("{event:?}") };
    assert_eq!(words(&event), "Ещё продаёте? 🚗👨‍👩‍👧");
    assert_eq!(message.sender.profile.name.as_deref(), Some("Пётр"));
    let item = message.item.as_ref().unwrap();
    assert_eq!(item.id.as_deref(), Some("1100000001-aabbccdd"));
    assert_eq!(item.title.as_deref(), Some(scene.petr.advert()));
    assert!(item.image.is_some() && message.sender.profile.avatar.is_none());
    let address = event.address.clone().unwrap();
    let id = scene.sends(&address, Content::text("Да")).await.unwrap();
    let photo = Media::new(MediaKind::Image, Url::parse("https://crm.example.org/p.jpg").unwrap());
    let item = OutboundItem {
        id: MessageId::from_bytes([8; 16]),
        address: address.clone(),
        content: Content::media(photo),
        reply_to: None,
        face: None,
        author: Author::Person,
        note: None,
    };
    scene.dealer.send(&item).await.unwrap();
    let talk = scene.petr.talk();
    assert_eq!(talk[1].provided_id.as_deref(), Some(&*id));
    assert_eq!((talk[1].side, talk[1].operator.as_deref()), (Side::Operator, Some("Manager")));
    assert_eq!(talk[2].said, Said::Picture("https://crm.example.org/p.jpg".into()));
    scene.petr.writes("Спасибо");
    assert!(!scene.petr.talk()[3].is_read);
    scene.dealer.as_read().unwrap().mark_read(&address, &message.id).await.unwrap();
    assert!(scene.petr.talk()[3].is_read);
}

#[tokio::test]
async fn a_picture_of_a_buyer_can_be_fetched() {
    let scene = Scene::by_webhook().await;
    scene.petr.sends_picture(vec![7u8; 5000]);
    let event = scene.hears().await;
    let EventBody::Message(message) = &event.body else { panic!("{event:?}") };
    let media = message.content.all_media().next().unwrap();
    let MediaSource::Provider(at) = &media.source else { panic!("{media:?}") };
    let mut stream = scene.dealer.fetch(at, 5000).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.bytes.next().await {
        bytes.extend_from_slice(&chunk.unwrap());
    }
    assert_eq!(bytes, vec![7u8; 5000]);
    assert_eq!(scene.dealer.fetch(at, 4999).await.unwrap_err().kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn a_repeated_webhook_has_the_same_id_and_shuffled_ones_keep_theirs() {
    let scene = Scene::by_webhook().await;
    scene.sim.poster().repeat(2).hold().shuffle(7);
    let mut sent: Vec<String> = ["раз", "два", "три"].iter().map(|words| scene.petr.writes(words)).collect();
    scene.sim.poster().release();
    let mut heard = Vec::new();
    for _ in 0..6 {
        heard.push(scene.hears().await.id.as_str().to_owned());
    }
    heard.sort();
    sent = sent.into_iter().flat_map(|id| [id.clone(), id]).collect();
    assert_eq!(heard, sent);
}

#[tokio::test]
async fn a_spoilt_chat_id_is_answered_as_an_address_that_nobody_has() {
    let scene = Scene::by_webhook().await;
    scene.sim.poster().spoil(1, |hook| hook.url = hook.url.replace("chat_id=Vj", "chat_id=vj"));
    scene.petr.writes("Ещё продаёте?");
    let refused = scene.dealer.receive(&scene.host.next().await).unwrap_err();
    assert_eq!((refused.status().as_u16(), refused.answer().body.len()), (404, 0));
}

#[tokio::test]
async fn the_same_send_again_after_a_lost_answer_doubles_nothing() {
    let scene = Scene::by_webhook().await;
    scene.petr.writes("Ещё продаёте?");
    let address = scene.hears().await.address.unwrap();
    scene.sim.faults().on("hook", 1, Fault::DropAfterAccept);
    let lost = scene.sends(&address, Content::text("Да")).await.unwrap_err();
    assert!(matches!(lost, SendError::Unknown(_)), "{lost:?}");
    scene.sends(&address, Content::text("Да")).await.unwrap();
    assert_eq!(scene.petr.talk().len(), 2);
}

#[tokio::test]
async fn a_revoked_chat_id_is_told_by_the_next_send() {
    let scene = Scene::by_webhook().await;
    scene.petr.writes("Ещё продаёте?");
    let address = scene.hears().await.address.unwrap();
    scene.sim.revokes();
    let SendError::Rejected(error) = scene.sends(&address, Content::text("Да")).await.unwrap_err() else {
        panic!()
    };
    assert_eq!(error.kind(), ErrorKind::BadCredentials);
    assert!(error.advice().unwrap().contains("cabinet"), "{error}");
}

#[tokio::test]
async fn a_talk_by_polling_is_told_in_order_with_all_who_speak() {
    let scene = Scene::by_polling().await;
    let place = scene.place().await;
    scene.petr.writes("Ещё продаёте?");
    scene.petr.is_answered_in_the_app("Да, приезжайте");
    scene.petr.sends_picture(&b"\xff\xd8\xff"[..]);
    scene.petr.is_told_by_the_service("<b>Будьте</b> осторожны");
    let ours = scene.sends(&scene.room(), Content::text("Адрес: Тверская, 1")).await.unwrap();
    let (events, _) = scene.polls(Some(place), 5).await;
    use EventKind::{Echo, Message, Read};
    // Who writes has read what stands before.
    assert_eq!(kinds(&events), [Message, Echo, Message, Message, Echo, Read]);
    assert!(events.iter().all(|event| event.address == Some(scene.room()) && event.at.is_some()));
    assert_eq!((words(&events[0]), words(&events[1])), ("Ещё продаёте?", "Да, приезжайте"));
    let EventBody::Message(service) = &events[3].body else { panic!() };
    assert_eq!((service.origin, service.sender.kind), (Origin::Automatic, SenderKind::Provider));
    assert_eq!(service.content.parts, [Part::Unsupported { what: "TEXT_HTML".into() }]);
    assert!(events[3].raw.is_some());
    let EventBody::Echo(elsewhere) = &events[1].body else { panic!() };
    assert_eq!(elsewhere.ours, None);
    let EventBody::Echo(echo) = &events[4].body else { panic!() };
    assert_eq!((echo.ours, echo.message.id.as_str()), (Some(MessageId::from_bytes([7; 16])), &*ours));
}

#[tokio::test]
async fn the_first_look_takes_what_nobody_has_read_today_and_no_history() {
    let scene = Scene::by_polling().await;
    let (anna, oleg) = (scene.sim.buyer("a", "Анна"), scene.sim.buyer("o", "Олег"));
    anna.writes("год назад");
    scene.sim.ground().advance(DAY * 2);
    oleg.writes("прочитано в приложении");
    oleg.is_answered_in_the_app("да");
    scene.petr.writes("ждёт ответа");
    let (events, place) = scene.polls(None, 1).await;
    assert_eq!(events.iter().map(words).collect::<Vec<_>>(), ["ждёт ответа"]);
    // What comes later is told in every room, also in one that was history.
    anna.writes("снова я");
    oleg.writes("и я");
    let (events, _) = scene.polls(Some(place), 2).await;
    let mut told: Vec<_> = events.iter().map(words).collect();
    told.sort_unstable();
    assert_eq!(told, ["и я", "снова я"]);
}

#[tokio::test]
async fn a_room_that_fell_silent_is_forgotten_and_heard_again() {
    let scene = Scene::by_polling().await;
    scene.petr.writes("раз");
    let (_, place) = scene.polls(None, 1).await;
    assert!(place.as_str().contains(&scene.petr.room()));
    scene.sim.ground().advance(DAY * 5);
    let busy = scene.sim.buyer("b", "Борис");
    busy.writes("привет");
    let (events, place) = scene.polls(Some(place), 1).await;
    assert_eq!(words(&events[0]), "привет");
    assert!(!place.as_str().contains(&scene.petr.room()), "{place:?}");
    scene.petr.writes("два");
    let (events, _) = scene.polls(Some(place), 1).await;
    assert_eq!(events.iter().map(words).collect::<Vec<_>>(), ["два"]);
}

#[tokio::test]
async fn more_messages_than_a_page_are_all_told_in_order() {
    for known in [true, false] {
        let scene = Scene::by_polling().await;
        if known {
            scene.petr.writes("начало");
        }
        let place = if known { scene.polls(None, 1).await.1 } else { scene.place().await };
        let said: Vec<String> = (0..250).map(|n| format!("сообщение {n}")).collect();
        for words in &said {
            scene.petr.writes(words);
        }
        let (events, _) = scene.polls(Some(place), 250).await;
        assert_eq!(events.iter().map(words).collect::<Vec<_>>(), said, "known {known}");
    }
}

#[tokio::test]
async fn reading_is_told_once_up_to_the_last_message_of_ours() {
    let scene = Scene::by_polling().await;
    scene.petr.writes("Ещё продаёте?");
    let (_, place) = scene.polls(None, 1).await;
    scene.petr.is_answered_in_the_app("Да");
    let last = scene.petr.is_answered_in_the_app("Приезжайте");
    let (events, place) = scene.polls(Some(place), 2).await;
    assert_eq!(kinds(&events), [EventKind::Echo, EventKind::Echo]);
    scene.sim.ground().advance(Duration::from_secs(1));
    scene.petr.reads();
    let (events, place) = scene.polls(Some(place), 1).await;
    let EventBody::Read { messages, reach } = &events[0].body else { panic!("{events:?}") };
    assert_eq!((messages[0].as_str(), *reach), (&*last, ReadReach::UpTo));
    scene.petr.writes("Еду");
    let (events, _) = scene.polls(Some(place), 1).await;
    assert_eq!(kinds(&events), [EventKind::Message], "the mark is not told again");
}

#[tokio::test]
async fn a_message_to_begin_behind_may_be_gone() {
    let scene = Scene::by_polling().await;
    scene.petr.writes("раз");
    let (_, place) = scene.polls(None, 1).await;
    let gone = json!({"error": "MESSAGE_NOT_FOUND", "status": "ERROR"});
    scene.petr.writes("два");
    let from = |request: &omni_testkit::sim::Request| request.form().text("from").is_some();
    scene.sim.faults().add(Rule::new(Fault::Reply(Reply::json(404, &gone))).name("messages").matching(from));
    let (events, _) = scene.polls(Some(place), 1).await;
    assert_eq!(events.iter().map(words).collect::<Vec<_>>(), ["два"]);
}

#[tokio::test]
async fn a_room_that_refuses_to_be_read_stops_no_other_and_is_told_once() {
    let scene = Scene::by_polling().await;
    let place = scene.place().await;
    let closed = scene.sim.buyer("closed", "Закрытый");
    let room = closed.room();
    let refusal = Fault::Reply(Reply::json(400, &json!({"error": "CLOSED", "status": "ERROR"})));
    let of_room = move |request: &omni_testkit::sim::Request| request.form().text("room_id") == Some(&room);
    scene.sim.faults().add(Rule::new(refusal).name("messages").matching(of_room).always());
    closed.writes("не прочесть");
    scene.petr.writes("прочесть");
    let (events, place) = scene.polls(Some(place), 2).await;
    let mut told = kinds(&events);
    told.sort_by_key(|kind| kind.as_str());
    assert_eq!(told, [EventKind::Message, EventKind::Unsupported]);
    scene.petr.writes("дальше");
    let (events, _) = scene.polls(Some(place), 1).await;
    assert_eq!(events.iter().map(words).collect::<Vec<_>>(), ["дальше"]);
}

#[tokio::test]
async fn a_session_that_ends_is_renewed_within_the_listener() {
    let scene = Scene::by_polling().await;
    scene.petr.writes("раз");
    let (_, place) = scene.polls(None, 1).await;
    scene.sim.ends_sessions();
    scene.petr.writes("два");
    let (events, _) = scene.polls(Some(place), 1).await;
    assert_eq!((words(&events[0]), scene.sim.logins()), ("два", 2));
}

#[tokio::test]
async fn a_dealer_of_an_agency_is_named_in_every_call() {
    let dealer = Dealer::new(CHAT_ID).of_agency("20101");
    let scene = Scene::polling(dealer).await;
    let error = scene.dealer.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadCredentials, "without its number: {error}");
}

#[tokio::test]
async fn a_short_pause_is_kept_and_a_long_one_ends_the_listener() {
    let scene = Scene::by_polling().await;
    scene.petr.writes("раз");
    let pause = |seconds: &str| Fault::Reply(Reply::status(429).with("retry-after", seconds));
    scene.sim.faults().on("rooms", 1, pause("1"));
    let (events, place) = scene.polls(None, 1).await;
    assert_eq!(words(&events[0]), "раз");
    scene.sim.faults().on("rooms", 1, pause("600"));
    let error = scene.dealer.listen(Some(place), &Kept { count: 1, ..Kept::default() }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
}

#[tokio::test]
async fn a_cut_or_foreign_answer_ends_the_listener_and_loses_nothing() {
    let scene = Scene::by_polling().await;
    scene.petr.writes("раз");
    let (_, place) = scene.polls(None, 1).await;
    scene.petr.writes("два");
    for (name, fault) in
        [("rooms", Fault::Garbage), ("rooms", Fault::CutBody), ("messages", Fault::BadGateway)]
    {
        scene.sim.faults().on(name, 1, fault);
        let sink = Kept { count: 1, ..Kept::default() };
        let error = scene.dealer.listen(Some(place.clone()), &sink).await.unwrap_err();
        assert_ne!(error.kind(), ErrorKind::State, "{error}");
        assert_eq!(error.retry(), Retry::Later, "{error}");
        assert!(sink.heard.into_inner().unwrap().0.is_empty());
    }
    let (events, _) = scene.polls(Some(place), 1).await;
    assert_eq!(words(&events[0]), "два");
}

#[tokio::test]
async fn a_cursor_of_another_connector_is_refused() {
    let scene = Scene::by_polling().await;
    let error = scene.dealer.listen(Some(Cursor::from("881000")), &Kept::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
}
