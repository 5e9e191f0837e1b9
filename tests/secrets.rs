//! Law 12: nothing secret leaves. Whole conversations, every failure and every value that a host may print, with
//! everything recorded that any crate of the process logs; then neither the token, nor the webhook's secret, nor
//! a word that was written is found in it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

mod support {
    pub(crate) mod host;
    pub(crate) mod tape;
    pub(crate) mod wire;
}

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use futures_util::StreamExt as _;
use omni::core::channel::Sink;
use omni::core::content::{Button, Keyboard, KeyboardPlace, Part};
use omni::core::id::Cursor;
use omni::core::media::{Media, MediaKind, MediaRef};
use omni::core::outbound::{Author, OutboundItem};
use omni::core::webhook::{Verified, WebhookRequest, WebhookUrl};
use omni::core::{IdSource, MessageId, ProviderMessageId};
use omni::http::Http;
use omni::hub::store::{ConversationQuery, Store};
use omni::hub::{Draft, Health, HostEvent};
use omni::telegram::{Config, Telegram};
use omni::{
    Address, Channel, ChannelSetup, Content, Event, EventBody, Hub, Inbound, MemoryStore, Outbound,
    SqliteStore, Status, Timestamp,
};
use omni_testkit::telegram::{
    ApiError, BotHandle, BotProfile, Customer, Fault, SimConfig, TelegramSim, Upload, User,
};
use support::host::{Host, SECRET, TOKEN, key};
use support::tape::{self, show, show_error};
use support::wire::{self, Framing, Request};

/// Stands in every text of the customer.
const WRITTEN: &str = "marker-of-the-customer-4417";
/// Stands in every text of the business.
const ANSWERED: &str = "marker-of-the-agent-9036";
/// Stands in every file.
const IN_FILES: &str = "marker-in-the-file-2275";
const PHONE: &str = "+79995550142";
const NAME: &str = "Markerovich";

/// Asserts that no secret was recorded so far, and that these crates were. The tests of this program share one
/// record: the line that is shown tells which of them it came from.
fn assert_nothing_leaked(crates: &[&str]) {
    let secret_half = TOKEN.split_once(':').unwrap().1;
    let said = tape::so_far();
    let secrets = [secret_half, SECRET, WRITTEN, ANSWERED, IN_FILES, PHONE, NAME];
    for secret in secrets {
        let in_decimal = format!("{:?}", &secret.as_bytes()[..secret.len().min(12)]);
        let in_decimal = in_decimal.trim_matches(['[', ']']);
        for line in said.lines() {
            let line = line.get(..2000).unwrap_or(line);
            assert!(!line.contains(secret), "{secret} is in: {line}");
            assert!(!line.contains(in_decimal), "{secret} is, as numbers, in: {line}");
        }
    }
    for name in crates {
        assert!(said.contains(&format!(" {name}::")), "{name} was not recorded");
    }
}

/// A provider, its bot, and a customer with a name and a phone number.
async fn provider() -> (TelegramSim, BotHandle, Customer) {
    tape::record();
    let config = SimConfig {
        retry_base: Duration::from_millis(2),
        wait_timeout: Duration::from_secs(30),
        ..SimConfig::default()
    };
    let sim = TelegramSim::start(config).await.unwrap();
    let bot = sim.add_bot(TOKEN, BotProfile::new(7_000_000_001, "Помощник", "help_bot"));
    let ivan = bot.customer(User::new(100_200_300, "Иван").last_name(NAME).phone(PHONE));
    (sim, bot, ivan)
}

fn config(sim: &TelegramSim) -> Config {
    Config::new(TOKEN).webhook(SECRET).at(sim.base_url().parse().unwrap())
}

fn answer_with_a_file() -> Content {
    let bill = Media::new(MediaKind::File, bytes::Bytes::from(format!("%PDF {IN_FILES}")));
    let bill = bill.named(format!("{ANSWERED}.pdf")).typed("application/pdf");
    let rows = vec![vec![Button::press(ANSWERED, format!("{ANSWERED}-data"))]];
    let keyboard = Keyboard { place: KeyboardPlace::Message, rows };
    Content { parts: vec![Part::Media(bill)], keyboard: Some(keyboard), ..Content::text(ANSWERED) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_in_sqlite_is_not_in_the_logs() {
    let folder = tempfile::tempdir().unwrap();
    a_conversation_on(Arc::new(SqliteStore::open(folder.path().join("omni.db")).unwrap())).await;
    assert_nothing_leaked(&["omni_hub", "omni_http", "omni_telegram", "hyper_util", "reqwest"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_in_memory_is_not_in_the_logs() {
    a_conversation_on(Arc::new(MemoryStore::new())).await;
    assert_nothing_leaked(&["omni_hub", "omni_http", "omni_telegram", "hyper_util", "reqwest"]);
}

async fn a_conversation_on(store: Arc<dyn Store>) {
    let (sim, bot, ivan) = provider().await;
    let host = Host::start(Hub::builder().shared_store(store.clone()), &sim).await;
    host.register().await;
    the_customer_says_everything(&host, &bot, &ivan).await;
    the_business_does_everything(&host, &ivan).await;
    strangers_knock(&host).await;
    sends_go_wrong(&host, &bot).await;
    show(&host.hub);
    show(&Hub::builder().shared_store(store.clone()));
    show(&host.hub.events("crm"));
    show(&host.hub.health());
    for entry in store.entries(0, 10_000).await.unwrap() {
        let stored = serde_json::to_string(&entry).unwrap();
        assert!(!stored.contains(TOKEN) && !stored.contains(SECRET), "a secret is stored: {stored}");
    }
    host.stop().await;
}

async fn the_customer_says_everything(host: &Host, bot: &BotHandle, ivan: &Customer) {
    ivan.start(WRITTEN);
    let said = ivan.writes(&format!("Где заказ? {WRITTEN} 👋"));
    ivan.edits(said.message_id, &format!("Где посылка? {WRITTEN}"));
    let photo = Upload::new("x.jpg", "image/jpeg", format!("\u{ff}{IN_FILES}"));
    ivan.sends_photo(photo, WRITTEN);
    ivan.sends_document(Upload::new(format!("{WRITTEN}.pdf"), "application/pdf", IN_FILES), "");
    ivan.shares_own_contact();
    bot.inject(serde_json::json!({ "wave": { "from": WRITTEN } }));
    bot.inject(serde_json::json!({ "message": { "chat": WRITTEN } }));
    bot.wait_for_empty_queue().await;
    bot.wait_for_text(ivan.chat_id(), WRITTEN).await;
    let conversation = host.hub.conversations(&ConversationQuery::default()).await.unwrap()[0].id;
    let messages = host.hub.messages(conversation, None, 100).await.unwrap();
    let with_files = messages.iter().filter(|m| m.provider_ids.len() == 1 && m.status.is_none());
    let with_files: Vec<_> = with_files.filter(|m| m.content.all_media().next().is_some()).collect();
    assert_eq!(with_files.len(), 2);
    for message in with_files {
        let mut stream = host.hub.media(message.id, 0, 1 << 20).await.unwrap();
        show(&stream);
        while let Some(piece) = stream.bytes.next().await {
            piece.unwrap();
        }
        show_error(&host.hub.media(message.id, 0, 1).await.unwrap_err());
    }
}

async fn the_business_does_everything(host: &Host, ivan: &Customer) {
    let hub = &host.hub;
    let conversation = hub.conversations(&ConversationQuery::default()).await.unwrap()[0].id;
    hub.typing(conversation).await.unwrap();
    hub.mark_read(conversation).await.unwrap();
    let replies = hub.reply(conversation, Draft::text(ANSWERED)).await.unwrap();
    became(host, replies[0], Status::Sent).await;
    hub.edit(replies[0], Content::text(format!("{ANSWERED}, исправлено"))).await.unwrap();
    hub.react(replies[0], vec!["👍".to_owned()]).await.unwrap();
    hub.delete(replies[0]).await.unwrap();
    let draft = Draft::new(answer_with_a_file(), omni::core::conversation::Actor::Host);
    let replies = hub.reply(conversation, draft).await.unwrap();
    became(host, replies[0], Status::Sent).await;
    let shown = hub.message(replies[0]).await.unwrap().unwrap();
    let id = shown.provider_ids[0].as_str().parse().unwrap();
    ivan.presses_button(id, ANSWERED);
    ivan.reacts(id, "❤");
    host.find("the press of the button", |event| match event {
        HostEvent::Received { event, .. } => matches!(event.body, EventBody::Button(_)).then_some(()),
        _ => None,
    })
    .await;
    show_error(&hub.edit(replies[0], Content::default()).await.unwrap_err());
    show_error(&hub.reply(conversation, Draft::text("")).await.unwrap_err());
}

/// Waits until a message came so far.
async fn became(host: &Host, id: MessageId, wanted: Status) {
    let what = format!("the message to be {wanted:?}");
    host.find(&what, |event| match event {
        HostEvent::Status { message, status, .. } => (*message == id && *status == wanted).then_some(()),
        _ => None,
    })
    .await;
}

async fn strangers_knock(host: &Host) {
    let path = host.path();
    let secret_header = "X-Telegram-Bot-Api-Secret-Token";
    let almost = format!("{SECRET}x");
    let broken = format!(r#"{{"update_id":1,"message":{{"text":"{WRITTEN}""#);
    let huge = WRITTEN.repeat(100_000);
    let knocks: [(&str, &str, Framing, &[u8], u16); 5] = [
        ("X-Nothing", SECRET, Framing::Length, broken.as_bytes(), 401),
        (secret_header, &almost, Framing::Length, broken.as_bytes(), 401),
        (secret_header, SECRET, Framing::Length, broken.as_bytes(), 400),
        (secret_header, SECRET, Framing::Chunked, huge.as_bytes(), 413),
        (secret_header, SECRET, Framing::Endless, huge.as_bytes(), 413),
    ];
    let with_query = format!("{path}?secret={SECRET}&text={WRITTEN}");
    for (name, value, framing, body, status) in knocks {
        let headers = [(name, value)];
        let request = Request { method: "POST", path: &with_query, headers: &headers, framing, body };
        assert_eq!(wire::status(host.address, &request).await, status);
    }
}

async fn sends_go_wrong(host: &Host, bot: &BotHandle) {
    let conversation = host.hub.conversations(&ConversationQuery::default()).await.unwrap()[0].id;
    let quoted = format!("Bad Request: {TOKEN} of https://x/bot{TOKEN}/y with {SECRET}");
    let faults = [
        (Fault::DropAfterAccept, Status::Unknown),
        (Fault::TooManyRequests { retry_after: 1 }, Status::Sent),
        (Fault::Error(ApiError::new(400, quoted)), Status::Failed),
        (Fault::Redirect(format!("https://elsewhere.example/bot{TOKEN}/")), Status::Unknown),
    ];
    for (fault, status) in faults {
        bot.faults().on("sendMessage", 1, fault);
        let replies = host.hub.reply(conversation, Draft::text(ANSWERED)).await.unwrap();
        became(host, replies[0], status).await;
    }
    bot.revoke_token();
    let replies = host.hub.reply(conversation, Draft::text(ANSWERED)).await.unwrap();
    show_error(&host.hub.typing(conversation).await.unwrap_err());
    show_error(&host.hub.edit(replies[0], Content::text(ANSWERED)).await.unwrap_err());
    until_health(&host.hub, |health| matches!(health, Health::NeedsPerson { .. })).await;
    bot.restore_token();
}

/// Waits for a channel's health, which has no bell.
async fn until_health(hub: &Hub, is_wanted: impl Fn(&Health) -> bool) {
    let look = async {
        while !hub.health().iter().any(|channel| is_wanted(&channel.health)) {
            tokio::task::yield_now().await;
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(30), look).await;
    assert!(found.is_ok(), "the health stayed {:?}", hub.health());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poller_and_its_conflict_are_not_in_the_logs() {
    let (sim, bot, ivan) = provider().await;
    let telegram = Telegram::new(config(&sim).polling(), Http::new().unwrap()).unwrap();
    let hub = Hub::builder().build();
    hub.add_channel(ChannelSetup::new(key(), Arc::new(telegram)));
    let running = tokio::spawn({
        let hub = hub.clone();
        async move { hub.run().await }
    });
    ivan.writes(WRITTEN);
    bot.wait_for_empty_queue().await;
    let other = Telegram::new(config(&sim), Http::new().unwrap()).unwrap();
    let at = WebhookUrl::new("http://127.0.0.1:9/elsewhere".parse().unwrap()).unwrap();
    other.connect(&at).await.unwrap();
    until_health(&hub, |health| !matches!(health, Health::Starting | Health::Working)).await;
    show(&hub.health());
    let polling = Telegram::new(config(&sim).polling(), Http::new().unwrap()).unwrap();
    show_error(&polling.listen(None, &Nowhere).await.unwrap_err());
    hub.shutdown();
    running.await.unwrap().unwrap();
    assert_nothing_leaked(&["omni_hub", "omni_telegram"]);
}

struct Nowhere;

#[async_trait]
impl Sink for Nowhere {
    async fn commit(&self, _: Vec<Event>, _: Cursor) -> omni::Result<()> {
        Ok(())
    }

    fn alive(&self) {}
}

fn item(content: Content) -> OutboundItem {
    OutboundItem {
        id: MessageId::next(&IdSource::new(1), Timestamp::default()),
        address: Address::new("100200300"),
        content,
        reply_to: None,
        face: None,
        author: Author::Person,
        note: None,
    }
}

/// Calls everything that a channel can do, and shows what fails.
async fn fails_everywhere(bot: &Telegram) {
    let (to, message) = (Address::new("100200300"), ProviderMessageId::from("1"));
    let at = WebhookUrl::new(format!("https://h.example/{SECRET}").parse().unwrap()).unwrap();
    show_error(&bot.send(&item(Content::text(ANSWERED))).await.unwrap_err());
    show_error(&bot.send(&item(answer_with_a_file())).await.unwrap_err());
    show_error(&bot.check().await.unwrap_err());
    show_error(&bot.connect(&at).await.unwrap_err());
    show_error(&bot.disconnect().await.unwrap_err());
    show_error(&bot.fetch(&MediaRef::new("file"), 1000).await.unwrap_err());
    let (edit, typing) = (bot.as_edit().unwrap(), bot.as_typing().unwrap());
    show_error(&edit.edit(&to, &message, &Content::text(ANSWERED)).await.unwrap_err());
    show_error(&typing.typing(&to).await.unwrap_err());
    show_error(&bot.as_delete().unwrap().delete(&to, &message).await.unwrap_err());
    show_error(&bot.as_react().unwrap().react(&to, &message, &["👍".into()]).await.unwrap_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_failure_shows_a_secret() {
    let (sim, handle, _) = provider().await;
    let bot = Telegram::new(config(&sim), Http::new().unwrap()).unwrap();
    let quoted = format!("Forbidden: {TOKEN} {SECRET}");
    let faults = [
        Fault::BadGateway,
        Fault::CutBody,
        Fault::DropAfterAccept,
        Fault::DropBeforeAccept,
        Fault::Error(ApiError::new(403, quoted)),
        Fault::Error(ApiError::new(401, "Unauthorized")),
        Fault::Garbage,
        Fault::Redirect(format!("{}/bot{TOKEN}/getMe?secret={SECRET}", sim.base_url())),
        Fault::Redirect(format!("//{TOKEN}@[::1")),
        Fault::ServerError,
        Fault::TooManyRequests { retry_after: 1 },
    ];
    for fault in faults {
        handle.faults().clear();
        handle.faults().add(omni_testkit::telegram::Rule::new(fault).always());
        fails_everywhere(&bot).await;
    }
    handle.faults().clear();
    handle.revoke_token();
    fails_everywhere(&bot).await;

    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for base in [format!("http://{gone}"), format!("https://{gone}"), "https://no.such.host.invalid".into()] {
        let unreachable =
            Telegram::new(config(&sim).at(base.parse().unwrap()), Http::new().unwrap()).unwrap();
        fails_everywhere(&unreachable).await;
    }
    let tls_to_plain = sim.base_url().replace("http:", "https:").parse().unwrap();
    fails_everywhere(&Telegram::new(config(&sim).at(tls_to_plain), Http::new().unwrap()).unwrap()).await;
    assert_nothing_leaked(&["omni_http", "omni_telegram", "hyper_util", "reqwest"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_that_fails_shows_no_secret() {
    let (sim, handle, ivan) = provider().await;
    let bot = Telegram::new(config(&sim), Http::new().unwrap()).unwrap();
    ivan.sends_document(Upload::new("x.pdf", "application/pdf", IN_FILES), WRITTEN);
    let file = &handle.updates()[0].json["message"]["document"]["file_id"];
    let file = MediaRef::new(file.as_str().unwrap());
    let elsewhere = format!("http://127.0.0.1:9/file/bot{TOKEN}/x");
    let faults = [Fault::BadGateway, Fault::CutBody, Fault::DropBeforeAccept, Fault::Redirect(elsewhere)];
    for fault in faults {
        handle.faults().on("download", 1, fault.clone());
        let failed = match bot.fetch(&file, 1000).await {
            Err(error) => error,
            Ok(mut stream) => loop {
                match stream.bytes.next().await {
                    Some(Err(error)) => break error,
                    Some(Ok(_)) => {}
                    None => panic!("the download went well under {fault:?}"),
                }
            },
        };
        show_error(&failed);
    }
    assert_nothing_leaked(&["omni_http"]);
}

/// Telegram speaks HTTP/2, whose library logs frames: another way for a path to get out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_2_shows_no_secret() {
    tape::record();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let refusal = format!(r#"{{"ok":false,"error_code":400,"description":"Bad Request: {TOKEN}"}}"#);
    let server = Router::new().fallback(move |request: axum::extract::Request| async move {
        assert_eq!(request.version(), http::Version::HTTP_2);
        refusal
    });
    let server = tokio::spawn(async move { axum::serve(listener, server).await });
    let client = Http::client_builder().unwrap().http2_prior_knowledge().build().unwrap();
    let bot = Telegram::new(Config::new(TOKEN).webhook(SECRET).at(base), Http::with_client(client)).unwrap();
    fails_everywhere(&bot).await;
    server.abort();
    assert_nothing_leaked(&["h2", "omni_http", "omni_telegram"]);
}

#[tokio::test]
async fn settings_that_cannot_be_read_are_not_shown() {
    tape::record();
    let registry = omni::registry().unwrap();
    show(&registry);
    let at = |field: &str, value: String| format!(r#"{{"token":"{TOKEN}","{field}":{value}}}"#);
    let configurations = [
        TOKEN.to_owned(),
        format!("\"{TOKEN}\""),
        format!("[\"{TOKEN}\"]"),
        format!(r#"{{"token":"{TOKEN}""#),
        format!(r#"{{"token":"{TOKEN}"}} {SECRET}"#),
        format!(r#"{{"token":["{TOKEN}"]}}"#),
        format!(r#"{{"token":" {TOKEN}"}}"#),
        format!(r#"{{"token":"{TOKEN}/getMe"}}"#),
        format!(r#"{{"token":"{TOKEN}","token":"{TOKEN}"}}"#),
        format!(r#"{{"{TOKEN}":"token"}}"#),
        at("receive", format!("\"{TOKEN}\"")),
        at("server", format!("\"{TOKEN}\"")),
        at("secret_token", format!("\"{SECRET} {SECRET}\"")),
        at("secret_token", format!("{{\"{SECRET}\":1}}")),
        at("poll_seconds", format!("\"{TOKEN}\"")),
        at("base_url", format!("\"{TOKEN}\"")),
        at("base_url", format!("\"https://{SECRET}@api.telegram.org\"")),
        at("base_url", format!("\"https://api.telegram.org/?{TOKEN}\"")),
        at("allowed_updates", format!("\"{TOKEN}\"")),
    ];
    for configuration in configurations {
        match registry.connect(&omni::telegram::PROVIDER, &configuration) {
            Err(error) => show_error(&error),
            Ok(channel) => show(&channel),
        }
    }
    assert_nothing_leaked(&[]);
}

#[tokio::test]
async fn what_a_host_prints_shows_no_secret() {
    let (sim, _, _) = provider().await;
    let http = Http::new().unwrap();
    let (config, polling) = (config(&sim), config(&sim).polling());
    show(&(&config, &polling, &http, Http::with_client(Default::default())));
    show(&config.token);
    let url = format!("https://api.telegram.org/bot{TOKEN}/getMe").parse::<url::Url>().unwrap();
    show(&http.get("getMe", url.clone()));
    show(&http.download("getFile", url));
    let channel: Arc<dyn Channel> = Arc::new(Telegram::new(config, http).unwrap());
    show(&channel);
    show(&channel.capabilities());
    show(&ChannelSetup::new(key(), channel.clone()));
    let mut request = WebhookRequest::post(format!("/hook/{SECRET}"), WRITTEN, Timestamp::default());
    request.query = Some(format!("secret={SECRET}"));
    request.headers.insert("x-telegram-bot-api-secret-token", SECRET.parse().unwrap());
    show(&(&request, Verified::trusted(&request)));
    let rejected = channel.inbound().unwrap().receive(&request).unwrap_err();
    show_error(&rejected);
    assert_nothing_leaked(&[]);
}

#[test]
fn the_recorder_hears_every_way_of_logging() {
    tape::record();
    log::trace!("heard through log");
    std::thread::spawn(|| tracing::trace_span!("one", field = "heard in a field").in_scope(|| {}))
        .join()
        .unwrap();
    tracing::trace!(target: "another_crate", "heard in an event");
    let said = tape::so_far();
    for words in ["heard through log", "heard in a field", "heard in an event"] {
        assert!(said.contains(words), "{words}");
    }
}
