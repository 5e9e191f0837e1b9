//! Webhooks over HTTP, from the provider's simulator and from those who only pretend to be it: what is not
//! genuine leaves no trace, and what is genuine is there once, however often it comes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

mod support {
    pub(crate) mod host;
    pub(crate) mod wire;
}

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use omni::hub::store::{ConversationQuery, Direction, Store};
use omni::hub::{HostEvent, ManualClock};
use omni::{EventBody, Hub, MemoryStore, SqliteStore, Status, Timestamp};
use omni_testkit::telegram::{BotHandle, BotProfile, Customer, SimConfig, TelegramSim, User};
use rusqlite::types::Value;
use serde_json::json;
use support::host::{Host, SECRET, TOKEN};
use support::wire::{self, Framing, Request};

const SECRET_HEADER: &str = "X-Telegram-Bot-Api-Secret-Token";
const GENUINE: &[(&str, &str)] = &[(SECRET_HEADER, SECRET)];

/// A provider, and a customer of its bot.
async fn provider() -> (TelegramSim, BotHandle, Customer) {
    let config = SimConfig {
        retry_base: Duration::from_millis(2),
        wait_timeout: Duration::from_secs(30),
        ..SimConfig::default()
    };
    let sim = TelegramSim::start(config).await.unwrap();
    let bot = sim.add_bot(TOKEN, BotProfile::new(7_000_000_001, "Эхо", "echo_bot"));
    let ivan = bot.customer(User::new(100_200_300, "Иван"));
    (sim, bot, ivan)
}

/// A host whose store can be looked into, after one talk in it: there are rows that a forger could spoil.
/// Its clock stands still, so that no lease is renewed while a test compares.
struct Watched {
    host: Host,
    _sim: TelegramSim,
    folder: tempfile::TempDir,
}

impl Watched {
    async fn start() -> Self {
        let (sim, _, ivan) = provider().await;
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("omni.db")).unwrap();
        let clock = ManualClock::at(Timestamp::from_millis(1_790_000_000_000));
        let host = Host::start(Hub::builder().store(store).clock(clock), &sim).await;
        host.register().await;
        ivan.writes("первое слово");
        host.find("the answer to be sent", is_sent).await;
        Self { host, _sim: sim, folder }
    }

    /// Every row of every table.
    fn rows(&self) -> BTreeMap<String, Vec<Vec<Value>>> {
        rows(&self.folder.path().join("omni.db"))
    }

    async fn post(&self, headers: &[(&str, &str)], body: &[u8]) -> u16 {
        let path = self.host.path();
        let request = Request { method: "POST", path: &path, headers, framing: Framing::Length, body };
        wire::status(self.host.address, &request).await
    }

    /// Asserts that a request gets this status and changes no row.
    async fn refuses(&self, what: &str, request: &Request<'_>, status: u16) {
        let before = self.rows();
        assert_eq!(wire::status(self.host.address, request).await, status, "{what}");
        assert!(self.rows() == before, "{what} left a trace in the store");
    }

    /// Asserts that a body with the right secret is refused as unreadable.
    async fn cannot_read(&self, what: &str, body: &[u8]) {
        let path = self.host.path();
        let request =
            Request { method: "POST", path: &path, headers: GENUINE, framing: Framing::Length, body };
        self.refuses(what, &request, 400).await;
    }
}

fn rows(file: &Path) -> BTreeMap<String, Vec<Vec<Value>>> {
    let database = rusqlite::Connection::open(file).unwrap();
    let mut names = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let of_table = |name: String| {
        let mut all = database.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let columns = all.column_count();
        let row = |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get(at)).collect();
        let rows = all.query_map([], row).unwrap().map(Result::unwrap).collect();
        (name, rows)
    };
    names.into_iter().map(of_table).collect()
}

fn is_sent(event: &HostEvent) -> Option<()> {
    matches!(event, HostEvent::Status { status: Status::Sent, .. }).then_some(())
}

fn update(id: i64, text: &str) -> Vec<u8> {
    let person = json!({ "id": 100_200_300, "is_bot": false, "first_name": "Иван" });
    let chat = json!({ "id": 100_200_300, "type": "private", "first_name": "Иван" });
    json!({ "update_id": id, "message": {
        "message_id": id, "date": 1_790_000_000, "from": person, "chat": chat, "text": text,
    }})
    .to_string()
    .into_bytes()
}

#[tokio::test]
async fn without_the_whole_secret_nothing_gets_in() {
    let watched = Watched::start().await;
    let path = watched.host.path();
    let longer = format!("{SECRET}x");
    let other_case = SECRET.to_uppercase();
    let forged: [(&str, &[(&str, &str)]); 8] = [
        ("no secret", &[]),
        ("a wrong secret", &[(SECRET_HEADER, "not-the-secret")]),
        ("an empty secret", &[(SECRET_HEADER, "")]),
        ("a truncated secret", &[(SECRET_HEADER, &SECRET[..SECRET.len() - 1])]),
        ("the first letter of the secret", &[(SECRET_HEADER, &SECRET[..1])]),
        ("more than the secret", &[(SECRET_HEADER, &longer)]),
        ("the secret in capitals", &[(SECRET_HEADER, &other_case)]),
        ("the secret in another header", &[("X-Secret-Token", SECRET)]),
    ];
    let body = update(90_001, "подделка");
    for (what, headers) in forged {
        let request = Request { method: "POST", path: &path, headers, framing: Framing::Length, body: &body };
        watched.refuses(what, &request, 401).await;
    }
    let broken = Request { method: "POST", path: &path, headers: &[], framing: Framing::Length, body: b"{" };
    watched.refuses("a broken body without the secret", &broken, 401).await;
    let before = watched.rows();
    assert_eq!(watched.post(GENUINE, &body).await, 200, "the same body is taken with the secret");
    assert!(watched.rows() != before, "what is taken can be seen in the rows");
}

#[tokio::test]
async fn a_huge_body_is_refused_however_it_is_announced() {
    let watched = Watched::start().await;
    let path = watched.host.path();
    let mut body = update(90_002, "большое");
    body.resize(10 << 20, b' ');
    for framing in [Framing::Length, Framing::Chunked, Framing::Endless] {
        let request = Request { method: "POST", path: &path, headers: GENUINE, framing, body: &body };
        watched.refuses(&format!("10 MB by {framing:?}"), &request, 413).await;
        let request = Request { method: "POST", path: &path, headers: &[], framing, body: &body };
        watched.refuses(&format!("10 MB by {framing:?} without the secret"), &request, 413).await;
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused() {
    let watched = Watched::start().await;
    let deep = vec![b'['; 100_000];
    let deep_object = br#"{"a":"#.repeat(100_000);
    let whole = update(90_003, "обрыв");
    let bodies: [(&str, &[u8]); 14] = [
        ("an empty body", b""),
        ("blanks", b"  \r\n"),
        ("100,000 brackets", &deep),
        ("100,000 braces", &deep_object),
        ("half an update", &whole[..whole.len() / 2]),
        ("an update and more", &[whole.as_slice(), b"}"].concat()),
        ("text", b"update_id=1"),
        ("bytes that are not UTF-8", b"{\"update_id\":1,\"x\":\"\xff\xfe\"}"),
        ("a list", b"[]"),
        ("null", b"null"),
        ("a number", b"42"),
        ("an object without an id", b"{}"),
        ("an id that is a text", br#"{"update_id":"seven"}"#),
        ("an id that is no whole number", br#"{"update_id":1.5}"#),
    ];
    for (what, body) in bodies {
        watched.cannot_read(what, body).await;
    }
    assert_eq!(watched.post(GENUINE, &whole).await, 200, "the host lives");
}

#[tokio::test]
async fn what_is_not_known_is_kept_whole() {
    let watched = Watched::start().await;
    let deep = format!(r#"{{"update_id":90014,"well":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let bodies = [
        ("wave", r#"{"update_id":90010,  "wave":{"чай":"🫖\ud83d\udc4b","n":1.10}}"#),
        ("update", r#"{"update_id":90011}"#),
        ("message", r#"{"update_id":90012,"message":{"chat":"nowhere"}}"#),
        ("wave", r#"{"update_id":90013,"wave":null}"#),
        ("well", &deep),
    ];
    for (name, body) in bodies {
        assert_eq!(watched.post(GENUINE, body.as_bytes()).await, 200, "{name}");
        let id = &body[13..18];
        let what = format!("an event of the kind {name}");
        watched
            .host
            .find(&what, |event| {
                let HostEvent::Received { event, .. } = event else { return None };
                if event.id.as_str() != id {
                    return None;
                }
                assert_eq!(event.body, EventBody::Unsupported { what: name.to_owned() });
                assert!(
                    event.raw.as_ref().is_some_and(|raw| raw.get() == body),
                    "{name} is kept to the letter"
                );
                Some(())
            })
            .await;
    }
}

#[tokio::test]
async fn other_methods_and_other_doors_are_closed() {
    let watched = Watched::start().await;
    let (path, body) = (watched.host.path(), update(90_020, "мимо"));
    let doors = [
        ("GET", path.as_str(), 405),
        ("PUT", path.as_str(), 405),
        ("PATCH", path.as_str(), 405),
        ("DELETE", path.as_str(), 405),
        ("POST", "/webhooks/demo/another", 404),
        ("POST", "/webhooks/another/bot", 404),
        ("GET", "/webhooks/demo/another", 404),
        ("POST", "/webhooks/demo", 404),
        ("POST", "/webhooks", 404),
        ("POST", "/", 404),
        ("POST", "/webhooks/../demo/bot", 404),
        ("POST", "/WEBHOOKS/demo/bot", 404),
    ];
    for (method, path, status) in doors {
        let request = Request { method, path, headers: GENUINE, framing: Framing::Length, body: &body };
        watched.refuses(&format!("{method} {path}"), &request, status).await;
    }
}

/// What a customer's messages became: for each one message, one answer, in one conversation.
async fn assert_once(hub: &Hub, bot: &BotHandle, ivan: &Customer, texts: &[&str]) {
    for text in texts {
        bot.wait_for_text(ivan.chat_id(), text).await;
    }
    // A call is noted when it is answered, a moment after its message is in the chat.
    let handed_over =
        |bot: &BotHandle| bot.attempts().iter().filter(|call| call.method == "sendmessage").count();
    bot.wait_for("the answers", |bot| (handed_over(bot) >= texts.len()).then_some(())).await;
    let conversations = hub.conversations(&ConversationQuery::default()).await.unwrap();
    assert_eq!(conversations.len(), 1);
    let messages = hub.messages(conversations[0].id, None, 1000).await.unwrap();
    let said = |direction| {
        let of = messages.iter().filter(|m| m.direction == direction);
        let mut said: Vec<&str> = of.filter_map(|m| m.content.plain_text()).collect();
        said.sort_unstable();
        said
    };
    let mut wanted = texts.to_vec();
    wanted.sort_unstable();
    assert_eq!(said(Direction::In), wanted, "each message is there once");
    assert_eq!(said(Direction::Out), wanted, "each is answered once");
    assert_eq!(handed_over(bot), texts.len(), "each answer is handed over once");
}

/// Asserts that the provider made so many requests, and that each got a 200.
async fn assert_all_taken(bot: &BotHandle, requests: usize) {
    let deliveries = bot
        .wait_for("the requests to be answered", |bot| {
            Some(bot.deliveries()).filter(|all| all.len() >= requests && bot.pending_updates() == 0)
        })
        .await;
    let statuses: Vec<Option<u16>> = deliveries.iter().map(|delivery| delivery.status).collect();
    assert_eq!(statuses, vec![Some(200); requests]);
}

async fn five_in_a_row_are_one(store: Arc<dyn Store>) {
    let (sim, bot, ivan) = provider().await;
    let host = Host::start(Hub::builder().shared_store(store), &sim).await;
    bot.faults().repeat_webhook(5);
    host.register().await;
    ivan.writes("пять раз 👋");
    assert_all_taken(&bot, 5).await;
    assert_once(&host.hub, &bot, &ivan, &["пять раз 👋"]).await;
    host.stop().await;
}

async fn twenty_at_once_are_one(store: Arc<dyn Store>) {
    let (sim, bot, ivan) = provider().await;
    let host = Host::start(Hub::builder().shared_store(store), &sim).await;
    bot.faults().repeat_webhook_in_parallel(20);
    host.register().await;
    ivan.writes("двадцать раз сразу");
    assert_all_taken(&bot, 20).await;
    assert_once(&host.hub, &bot, &ivan, &["двадцать раз сразу"]).await;
    host.stop().await;
}

async fn the_second_before_the_first_are_two_of_one_talk(store: Arc<dyn Store>) {
    let (sim, bot, ivan) = provider().await;
    let host = Host::start(Hub::builder().shared_store(store), &sim).await;
    // The provider keeps them: no webhook is registered yet.
    for text in ["первое", "второе"] {
        ivan.writes(text);
    }
    let updates: Vec<String> = bot.updates().iter().map(|update| update.json.to_string()).collect();
    for at in [1, 0, 1, 0, 0, 1] {
        let request = Request {
            method: "POST",
            path: &host.path(),
            headers: GENUINE,
            framing: Framing::Length,
            body: updates[at].as_bytes(),
        };
        assert_eq!(wire::status(host.address, &request).await, 200);
    }
    assert_once(&host.hub, &bot, &ivan, &["первое", "второе"]).await;
    host.register().await;
    assert_all_taken(&bot, 2).await;
    assert_once(&host.hub, &bot, &ivan, &["первое", "второе"]).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_memory_what_comes_again_changes_nothing() {
    five_in_a_row_are_one(Arc::new(MemoryStore::new())).await;
    twenty_at_once_are_one(Arc::new(MemoryStore::new())).await;
    the_second_before_the_first_are_two_of_one_talk(Arc::new(MemoryStore::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_sqlite_what_comes_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = |name: &str| Arc::new(SqliteStore::open(folder.path().join(name)).unwrap());
    five_in_a_row_are_one(store("row.db")).await;
    twenty_at_once_are_one(store("parallel.db")).await;
    the_second_before_the_first_are_two_of_one_talk(store("reordered.db")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_what_comes_again_changes_nothing() {
    let (sim, bot, ivan) = provider().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("omni.db");
    let host = Host::start(Hub::builder().store(SqliteStore::open(&file).unwrap()), &sim).await;
    host.register().await;
    let said = ivan.writes("до перезапуска");
    host.find("the answer to be sent", is_sent).await;
    assert_all_taken(&bot, 1).await;
    host.stop().await;

    let host = Host::start(Hub::builder().store(SqliteStore::open(&file).unwrap()), &sim).await;
    host.register().await;
    assert!(bot.redeliver(said.update_id.unwrap()));
    assert_all_taken(&bot, 2).await;
    assert_once(&host.hub, &bot, &ivan, &["до перезапуска"]).await;
    host.stop().await;
}
