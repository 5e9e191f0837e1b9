//! The connector against the simulator: sweeps, their places, and what happens when things go wrong on the way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use omni_avito::encode::Reason;
use omni_avito::{Avito, Config, Signature};
use omni_core::channel::Sink;
use omni_core::content::Content;
use omni_core::error::{ErrorKind, Result};
use omni_core::event::{EventBody, EventKind, ReadReach, Told};
use omni_core::outbound::{Author, OutboundItem, SendError};
use omni_core::tokens::MemoryTokens;
use omni_core::webhook::Answer;
use omni_core::{Address, Channel, Cursor, Error, Event, Inbound, MessageId, Outbound, ProviderMessageId};
use omni_http::Http;
use omni_testkit::avito::{Account, AvitoSim, Buyer, ChatType, Seller, refusal};
use omni_testkit::conformance::WebhookHost;
use omni_testkit::sim::Fault;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use url::Url;

const SELLER: i64 = 70_010_001;
const CLIENT_SECRET: &str = "zX9-client-secret";
const SECRET: &str = "Zx9_random-256bit";

struct Shop {
    sim: AvitoSim,
    seller: Seller,
    ivan: Buyer,
    config: Config,
    tokens: Arc<MemoryTokens>,
}

impl Shop {
    async fn open() -> Self {
        let sim = AvitoSim::start().await.unwrap();
        let seller = sim.add_account(Account::new(SELLER, "Авто Плюс", "aB3kQ", CLIENT_SECRET));
        let ivan = seller.buyer(80_020_002, "Иван").about(5_500_550_055, "Kia Rio 2019");
        let mut config = Config::new("aB3kQ", CLIENT_SECRET).webhook(SECRET).polling();
        config.base_url = Url::parse(sim.base_url()).unwrap();
        config.poll_seconds = Some(1);
        Self { sim, seller, ivan, config, tokens: Arc::default() }
    }

    /// The account in another process.
    fn account(&self) -> Arc<Avito> {
        let http = Http::new().unwrap();
        Arc::new(Avito::new(self.config.clone(), http, self.tokens.clone()).unwrap())
    }

    fn buyer(&self, n: i64) -> Buyer {
        self.seller.buyer(90_000_000 + n, &format!("Покупатель {n}"))
    }

    fn item(&self, words: &str) -> OutboundItem {
        OutboundItem {
            id: MessageId::from_bytes([7; 16]),
            address: Address::new(self.ivan.chat_id()),
            content: Content::text(words),
            reply_to: None,
            face: None,
            author: Author::Person,
            note: None,
        }
    }
}

/// A listener on a task of its own, as the hub runs it.
struct Listener {
    batches: Mutex<mpsc::UnboundedReceiver<(Vec<Event>, Cursor)>>,
    task: JoinHandle<Result<()>>,
}

struct Durable(mpsc::UnboundedSender<(Vec<Event>, Cursor)>);

#[async_trait]
impl Sink for Durable {
    async fn commit(&self, events: Vec<Event>, cursor: Cursor) -> Result<()> {
        self.0.send((events, cursor)).map_err(|_| Error::new(ErrorKind::Storage, "commit"))
    }

    fn alive(&self) {}
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Listener {
    fn start(account: Arc<Avito>, from: Option<Cursor>) -> Self {
        let (sender, batches) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move { account.listen(from, &Durable(sender)).await });
        Self { batches: Mutex::new(batches), task }
    }

    async fn next(&self) -> (Vec<Event>, Cursor) {
        let mut batches = self.batches.lock().await;
        tokio::time::timeout(Duration::from_secs(10), batches.recv()).await.unwrap().unwrap()
    }

    /// The next events, and the place that was stored with them.
    async fn events(&self) -> (Vec<Event>, Cursor) {
        loop {
            let (events, cursor) = self.next().await;
            if !events.is_empty() {
                return (events, cursor);
            }
        }
    }

    /// So many events, whatever batches they come in.
    async fn collect(&self, count: usize) -> Vec<Event> {
        let mut all = Vec::new();
        while all.len() < count {
            all.extend(self.events().await.0);
        }
        all
    }

    async fn ends(mut self) -> Error {
        tokio::time::timeout(Duration::from_secs(10), &mut self.task).await.unwrap().unwrap().unwrap_err()
    }
}

fn words(events: &[Event]) -> Vec<&str> {
    let texts = events.iter().filter_map(|event| match &event.body {
        EventBody::Message(message) => message.content.plain_text(),
        EventBody::Echo(echo) => echo.message.content.plain_text(),
        _ => None,
    });
    texts.collect()
}

#[tokio::test]
async fn a_sweep_tells_both_sides_in_order_and_each_message_once() {
    let shop = Shop::open().await;
    shop.ivan.writes("раз");
    shop.ivan.is_answered_in_the_app("два");
    shop.ivan.writes("три 👋");
    let listener = Listener::start(shop.account(), None);
    let first = listener.collect(3).await;
    assert_eq!(words(&first), ["раз", "два", "три 👋"]);
    assert_eq!(
        first.iter().map(Event::kind).collect::<Vec<_>>(),
        [EventKind::Message, EventKind::Echo, EventKind::Message]
    );
    assert!(first.iter().all(|event| event.told == Told::Live && event.account.is_some()));
    shop.ivan.writes("четыре");
    assert_eq!(words(&listener.collect(1).await), ["четыре"]);
}

#[tokio::test]
async fn what_a_killed_process_did_not_commit_comes_again_and_nothing_is_lost() {
    let shop = Shop::open().await;
    let killed = Listener::start(shop.account(), None);
    let (_, place) = killed.next().await;
    shop.ivan.writes("до");
    let (lost, with_place) = killed.events().await;
    drop(killed);
    shop.ivan.writes("после");
    // The place stored beside the events is the one before the whole sweep: it never runs ahead of them.
    for from in [place, with_place] {
        let again = Listener::start(shop.account(), Some(from)).collect(2).await;
        assert_eq!(words(&again), ["до", "после"]);
        assert_eq!(again[0].id, lost[0].id, "the hub knows it by its id");
    }
}

#[tokio::test]
async fn what_was_written_while_nobody_listened_is_news() {
    let shop = Shop::open().await;
    let (_, place) = Listener::start(shop.account(), None).next().await;
    shop.sim.ground().advance(Duration::from_secs(3600));
    shop.ivan.writes("час спустя");
    shop.sim.ground().advance(Duration::from_secs(7200));
    let found = Listener::start(shop.account(), Some(place)).collect(1).await;
    assert_eq!((words(&found), found[0].told), (vec!["час спустя"], Told::Live));
}

#[tokio::test]
async fn messages_before_the_beginning_of_news_are_history() {
    let shop = Shop::open().await;
    shop.ivan.writes("давно");
    let begins = shop.sim.ground().now().as_millis() / 1000 + 600;
    shop.sim.ground().advance(Duration::from_secs(900));
    shop.ivan.writes("сейчас");
    let from = Cursor::from(format!(r#"{{"since":0,"live":{begins}}}"#));
    let found = Listener::start(shop.account(), Some(from)).collect(2).await;
    assert_eq!(words(&found), ["давно", "сейчас"]);
    assert_eq!(found.iter().map(|event| event.told).collect::<Vec<_>>(), [Told::History, Told::Live]);
}

#[tokio::test]
async fn messages_before_the_place_are_not_told_at_all() {
    let shop = Shop::open().await;
    shop.ivan.writes("давно");
    let place = shop.sim.ground().now().as_millis() / 1000 + 600;
    shop.sim.ground().advance(Duration::from_secs(900));
    shop.ivan.writes("сейчас");
    let from = Cursor::from(format!(r#"{{"since":{place}}}"#));
    let found = Listener::start(shop.account(), Some(from)).collect(1).await;
    assert_eq!(words(&found), ["сейчас"]);
}

#[tokio::test]
async fn more_chats_and_messages_than_a_page_are_all_found() {
    let shop = Shop::open().await;
    for n in 0..130 {
        shop.buyer(n).writes(&format!("чат {n}"));
    }
    for n in 0..230 {
        shop.ivan.writes(&format!("слово {n}"));
    }
    let found = Listener::start(shop.account(), None).collect(360).await;
    let distinct: HashSet<_> = found.iter().map(|event| event.id.clone()).collect();
    assert_eq!(distinct.len(), 360);
    let of_ivan: Vec<Event> = found
        .into_iter()
        .filter(|event| event.address.as_ref().is_some_and(|at| at.as_str() == shop.ivan.chat_id()))
        .collect();
    let wanted: Vec<String> = (0..230).map(|n| format!("слово {n}")).collect();
    assert_eq!(words(&of_ivan), wanted, "in the order they were written");
}

#[tokio::test]
async fn chats_of_every_type_are_looked_at() {
    let shop = Shop::open().await;
    shop.ivan.writes("по объявлению");
    shop.seller.opens(ChatType::U2u, 80_020_003, "Пётр").writes("из профиля");
    shop.seller.opens(ChatType::A2u, 1, "Авито").writes("от Авито");
    let found = Listener::start(shop.account(), None).collect(3).await;
    let said: HashSet<&str> = words(&found).into_iter().collect();
    assert_eq!(said, ["по объявлению", "из профиля", "от Авито"].into());
}

#[tokio::test]
async fn one_chat_that_fails_does_not_keep_the_others_and_is_told_later() {
    let shop = Shop::open().await;
    shop.ivan.writes("первый");
    shop.buyer(2).writes("второй");
    shop.sim.faults().on("messages", 1, Fault::BadGateway);
    let listener = Listener::start(shop.account(), None);
    let (found, place) = listener.events().await;
    assert_eq!(found.len(), 1);
    assert_eq!(listener.ends().await.kind(), ErrorKind::Unavailable, "the hub begins anew");
    let again = Listener::start(shop.account(), Some(place)).collect(2).await;
    assert_eq!(again.len(), 2);
}

#[tokio::test]
async fn a_chat_that_is_gone_is_passed_over() {
    let shop = Shop::open().await;
    shop.ivan.writes("исчезну");
    shop.buyer(2).writes("останусь");
    shop.sim.faults().on("messages", 1, Fault::Reply(refusal(404, "chat is not found")));
    let listener = Listener::start(shop.account(), None);
    assert_eq!(listener.collect(1).await.len(), 1);
    shop.buyer(3).writes("дальше");
    assert_eq!(words(&listener.collect(1).await), ["дальше"]);
}

#[tokio::test]
async fn a_short_pause_does_not_end_the_session_and_a_long_one_does() {
    let shop = Shop::open().await;
    let slow = |secs: &str| Fault::Reply(refusal(429, "Too Many Requests").with("retry-after", secs));
    shop.sim.faults().on("chats", 1, slow("1"));
    shop.ivan.writes("раз");
    let listener = Listener::start(shop.account(), None);
    assert_eq!(words(&listener.collect(1).await), ["раз"]);
    shop.sim.faults().on("chats", 1, slow("3600"));
    assert_eq!(listener.ends().await.kind(), ErrorKind::RateLimited);
}

#[tokio::test]
async fn reading_and_deleting_are_told_once_each() {
    let shop = Shop::open().await;
    let account = shop.account();
    let ours = account.send(&shop.item("Приезжайте")).await.unwrap().id;
    let said = shop.ivan.writes("Ой");
    let listener = Listener::start(account.clone(), None);
    listener.collect(2).await;
    shop.ivan.deletes(&said.id);
    let deleted = listener.collect(1).await;
    let EventBody::Deleted { messages } = &deleted[0].body else { panic!("{deleted:?}") };
    assert_eq!(messages, &[ProviderMessageId::from(said.id)]);
    let last = account.send(&shop.item("Ждём")).await.unwrap().id;
    listener.collect(1).await;
    shop.ivan.reads();
    let read = listener.collect(1).await;
    let EventBody::Read { messages, reach } = &read[0].body else { panic!("{read:?}") };
    assert_eq!((messages.as_slice(), *reach), (&[last][..], ReadReach::UpTo));
    assert_ne!(messages[0], ours, "one mark reaches both");
    shop.ivan.writes("Еду");
    assert_eq!(words(&listener.collect(1).await), ["Еду"], "nothing is told again");
}

#[tokio::test]
async fn a_quiet_sweep_costs_one_call() {
    let shop = Shop::open().await;
    shop.ivan.writes("раз");
    let listener = Listener::start(shop.account(), None);
    listener.collect(1).await;
    let lists = |sim: &AvitoSim| sim.accepted("chats").len();
    let (before, read) = (lists(&shop.sim), shop.sim.accepted("messages").len());
    shop.sim.ground().wait_for("two more sweeps", || (lists(&shop.sim) >= before + 2).then_some(())).await;
    assert_eq!(shop.sim.accepted("messages").len(), read, "nothing changed, so nothing is read");
}

#[tokio::test]
async fn a_time_in_the_future_does_not_carry_the_place_away() {
    let shop = Shop::open().await;
    shop.sim.ground().advance(Duration::from_secs(365 * 86_400));
    shop.ivan.writes("из будущего");
    let listener = Listener::start(shop.account(), None);
    listener.collect(1).await;
    let (_, place) = listener.next().await;
    let since: serde_json::Value = serde_json::from_str(place.as_str()).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(since["since"].as_u64().unwrap() <= now, "{place}");
}

#[tokio::test]
async fn a_message_is_one_event_whether_a_webhook_or_a_sweep_tells_it() {
    let mut shop = Shop::open().await;
    shop.config = shop.config.webhook_and_polling(SECRET);
    let host = WebhookHost::start(|_| Answer::ok()).await.unwrap();
    let account = shop.account();
    account.connect(host.url()).await.unwrap();
    shop.sim.hooks().repeat(2);
    let listener = Listener::start(account.clone(), None);
    shop.ivan.writes("Ещё продаёте?");
    shop.ivan.sends_image(Bytes::from_static(b"\x89PNG"));
    account.send(&shop.item("Да")).await.unwrap();
    let swept = listener.collect(3).await;
    let mut hooked = Vec::new();
    for _ in 0..6 {
        hooked.extend(account.receive(&host.next().await).unwrap().events);
    }
    for (n, event) in swept.iter().enumerate() {
        for copy in [&hooked[2 * n], &hooked[2 * n + 1]] {
            assert_eq!((&copy.id, copy.kind(), &copy.body), (&event.id, event.kind(), &event.body));
        }
    }
}

#[tokio::test]
async fn webhooks_out_of_order_and_spoilt_are_sorted_out() {
    let mut shop = Shop::open().await;
    shop.config = shop.config.webhook(SECRET);
    shop.config.signature = Signature::Require;
    let host = WebhookHost::start(|_| Answer::ok()).await.unwrap();
    let account = shop.account();
    account.connect(host.url()).await.unwrap();
    shop.sim.hooks().hold().shuffle(7);
    for n in 0..5 {
        shop.ivan.writes(&format!("слово {n}"));
    }
    shop.sim.hooks().spoil(1, |hook| hook.body = [&*hook.body, b" "].concat().into());
    shop.sim.hooks().release();
    let mut said = Vec::new();
    let mut refused = 0;
    for _ in 0..5 {
        match account.receive(&host.next().await) {
            Ok(received) => said.extend(received.events),
            Err(rejected) => refused += u16::from(rejected.status() == 401),
        }
    }
    assert_eq!((said.len(), refused), (4, 1), "the signature is over the very bytes");
    assert!(said.iter().all(|event| event.at.is_some()), "their times tell the order");
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_the_echo_of_what_was_sent() {
    let mut shop = Shop::open().await;
    shop.config = shop.config.webhook(SECRET);
    let host = WebhookHost::start(|_| Answer::ok()).await.unwrap();
    let account = shop.account();
    account.connect(host.url()).await.unwrap();
    for fault in [Fault::DropAfterAccept, Fault::CutBody, Fault::Garbage] {
        shop.sim.faults().on("sendMessage", 1, fault.clone());
        let error = account.send(&shop.item("Один раз")).await.unwrap_err();
        assert!(matches!(error, SendError::Unknown(_)), "{fault:?}: {error:?}");
        let echo = account.receive(&host.next().await).unwrap().events;
        assert_eq!((words(&echo), echo[0].kind()), (vec!["Один раз"], EventKind::Echo));
    }
    assert_eq!(shop.ivan.transcript().len(), 3, "each once");
    shop.sim.faults().on("sendMessage", 1, Fault::DropBeforeAccept);
    assert!(matches!(account.send(&shop.item("да")).await.unwrap_err(), SendError::Unknown(_)));
    assert_eq!(shop.ivan.transcript().len(), 3);
}

#[tokio::test]
async fn tokens_that_ran_out_are_renewed_under_many_calls_at_once() {
    let mut shop = Shop::open().await;
    shop.config = shop.config.application(shop.seller.allows());
    let account = shop.account();
    account.check().await.unwrap();
    shop.seller.expires_tokens();
    let sends = (0..20).map(|_| {
        let (account, item) = (account.clone(), shop.item("разом"));
        tokio::spawn(async move { account.send(&item).await })
    });
    for send in sends.collect::<Vec<_>>() {
        send.await.unwrap().unwrap();
    }
    assert_eq!(shop.ivan.transcript().len(), 20);
    assert_eq!(shop.sim.accepted("token").len(), 2, "the refresh token is good once, and was used once");
}

#[tokio::test]
async fn history_chat_and_blacklist_can_be_asked_for() {
    let shop = Shop::open().await;
    for n in 0..150 {
        shop.ivan.writes(&format!("слово {n}"));
    }
    let (account, at) = (shop.account(), Address::new(shop.ivan.chat_id()));
    let first = account.messages(&at, 0).await.unwrap();
    assert_eq!((first.events.len(), first.next), (100, Some(100)));
    assert_eq!(words(&first.events)[0], "слово 149");
    let rest = account.messages(&at, 100).await.unwrap();
    assert_eq!((rest.events.len(), rest.next), (50, None));
    assert!(rest.events.iter().all(|event| event.told == Told::History));
    let known = account.chat(&at).await.unwrap();
    assert_eq!(known.sender.unwrap().profile.name.as_deref(), Some("Иван"));
    assert_eq!(known.item.unwrap().price.as_deref(), Some("1 100 000 ₽"));
    account.blacklist(&at, Reason::Spam).await.unwrap();
    assert_eq!(shop.seller.blacklist()[0]["user_id"], 80_020_002);
    let nobody = account.chat(&Address::new("u2i-nobody")).await.unwrap_err();
    assert_eq!(nobody.kind(), ErrorKind::RecipientUnreachable);
}

#[tokio::test]
async fn a_cursor_of_something_else_is_refused() {
    let shop = Shop::open().await;
    let listener = Listener::start(shop.account(), Some(Cursor::from("880001")));
    assert_eq!(listener.ends().await.kind(), ErrorKind::State);
}
