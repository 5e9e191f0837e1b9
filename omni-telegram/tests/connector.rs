//! The connector against a server that gives one answer after another.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::sync::Mutex;
use std::time::Duration;

use futures_util::StreamExt;
use omni_core::channel::Sink;
use omni_core::content::Content;
use omni_core::error::{ErrorKind, RateScope, Result, Retry};
use omni_core::link::CampaignToken;
use omni_core::media::MediaRef;
use omni_core::outbound::{Author, OutboundItem, SendError};
use omni_core::webhook::{WebhookRequest, WebhookUrl};
use omni_core::{
    Address, Channel, Cursor, Error, Event, Inbound, MessageId, Outbound, ProviderMessageId, Status,
    Timestamp,
};
use omni_http::Http;
use omni_telegram::{Config, Pacing, Telegram};
use serde_json::{Value, json};
use url::Url;
use wiremock::matchers::{body_partial_json, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const TOKEN: &str = "7000000001:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
const SECRET: &str = "Zx9_random-256bit";

fn at(server: &MockServer) -> Config {
    Config::new(TOKEN).webhook(SECRET).at(Url::parse(&server.uri()).unwrap())
}

fn bot(config: Config) -> Telegram {
    Telegram::new(config, Http::new().unwrap()).unwrap()
}

fn ok(result: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"ok": true, "result": result}))
}

fn refused(code: u16, description: &str, parameters: Value) -> ResponseTemplate {
    let body = json!({"ok": false, "error_code": code, "description": description, "parameters": parameters});
    ResponseTemplate::new(code).set_body_json(body)
}

fn call(name: &str) -> wiremock::MockBuilder {
    Mock::given(method("POST")).and(path(format!("/bot{TOKEN}/{name}")))
}

fn item(address: &str, words: &str) -> OutboundItem {
    OutboundItem {
        id: MessageId::from_bytes([7; 16]),
        address: address.parse::<Address>().unwrap(),
        content: Content::text(words),
        reply_to: None,
        face: None,
        author: Author::Person,
        note: None,
    }
}

fn me() -> Value {
    json!({"id": 7000000001i64, "is_bot": true, "first_name": "Помощник", "username": "omni_helpdesk_bot",
           "can_join_groups": true, "can_read_all_group_messages": false})
}

#[tokio::test]
async fn a_good_token_names_its_bot_and_makes_links() {
    let server = MockServer::start().await;
    call("getMe").respond_with(ok(me())).expect(1).mount(&server).await;
    let bot = bot(at(&server));
    let link = bot.as_links().unwrap().link(&CampaignToken::new("spring_2026-a").unwrap()).await.unwrap();
    assert_eq!(link.as_str(), "https://t.me/omni_helpdesk_bot?start=spring_2026-a");
    let again = bot.as_links().unwrap().link(&CampaignToken::new("b").unwrap()).await.unwrap();
    assert_eq!(again.as_str(), "https://t.me/omni_helpdesk_bot?start=b");
}

#[tokio::test]
async fn a_check_tells_the_account_and_what_is_off() {
    let server = MockServer::start().await;
    call("getMe").respond_with(ok(me())).mount(&server).await;
    let account = bot(at(&server)).check().await.unwrap();
    assert_eq!((account.id.as_str(), account.name.as_str()), ("7000000001", "Помощник"));
    assert_eq!(account.handle.as_deref(), Some("@omni_helpdesk_bot"));
    assert!(account.warnings.iter().any(|w| w.contains("privacy mode")));
    let mut config = at(&server);
    config.secret_token = None;
    let account = bot(config).check().await.unwrap();
    assert!(account.warnings.iter().any(|w| w.contains("secret_token")));
}

#[tokio::test]
async fn a_revoked_token_is_bad_credentials_with_advice() {
    for (code, description) in [(401, "Unauthorized"), (404, "Not Found")] {
        let server = MockServer::start().await;
        call("getMe").respond_with(refused(code, description, json!({}))).mount(&server).await;
        let error = bot(at(&server)).check().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadCredentials);
        assert_eq!(error.text(), Some("Bot not found"));
        assert!(error.advice().is_some());
    }
}

#[tokio::test]
async fn a_sent_message_has_its_id() {
    let server = MockServer::start().await;
    call("sendMessage")
        .and(body_partial_json(json!({"chat_id": 100200300, "text": "Привет 👋"})))
        .respond_with(ok(json!({"message_id": 51})))
        .mount(&server)
        .await;
    let accepted = bot(at(&server)).send(&item("100200300", "Привет 👋")).await.unwrap();
    assert_eq!((accepted.id.as_str(), accepted.status), ("51", Status::Sent));
    assert_eq!(accepted.moved_to, None);
}

async fn outcome(answer: ResponseTemplate) -> SendError {
    let server = MockServer::start().await;
    call("sendMessage").respond_with(answer).expect(1).mount(&server).await;
    bot(at(&server)).send(&item("100200300", "да")).await.unwrap_err()
}

#[tokio::test]
async fn a_refusal_is_certain_and_says_when_to_come_back() {
    let error = outcome(refused(429, "Too Many Requests: retry after 14", json!({"retry_after": 14}))).await;
    assert!(matches!(error, SendError::Rejected(_)));
    let wait = Duration::from_secs(14);
    assert_eq!(error.error().retry(), Retry::After { wait, scope: RateScope::Account });
    let header = ResponseTemplate::new(429)
        .insert_header("retry-after", "9")
        .set_body_json(json!({"ok": false, "error_code": 429, "description": "Too Many Requests"}));
    let wait = Duration::from_secs(9);
    assert_eq!(outcome(header).await.error().retry(), Retry::After { wait, scope: RateScope::Account });
    let page =
        ResponseTemplate::new(429).insert_header("retry-after", "9").set_body_string("<html>Slow down");
    assert_eq!(outcome(page).await.error().retry(), Retry::After { wait, scope: RateScope::Account });
    let blocked = outcome(refused(403, "Forbidden: bot was blocked by the user", json!({}))).await;
    assert!(matches!(&blocked, SendError::Rejected(e) if e.kind() == ErrorKind::RecipientBlocked));
    let ill = outcome(refused(500, "Internal Server Error", json!({}))).await;
    assert!(matches!(&ill, SendError::Rejected(e) if e.retry() == Retry::Later));
}

#[tokio::test]
async fn a_lost_answer_leaves_it_open() {
    let page = |code| ResponseTemplate::new(code).set_body_string("<html>Bad Gateway</html>");
    let lost = [
        page(502),
        page(200),
        refused(504, "Gateway Timeout", json!({})),
        refused(500, "Internal Server Error: restart", json!({})),
        ok(json!({"no": "id"})),
        ResponseTemplate::new(200).set_body_string(r#"{"ok":true,"result":{"mess"#),
        ResponseTemplate::new(302).insert_header("location", "https://example.com/"),
    ];
    for answer in lost {
        assert!(matches!(outcome(answer).await, SendError::Unknown(_)));
    }
}

#[tokio::test]
async fn a_closed_port_is_certainly_not_sent() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let config = Config::new(TOKEN).at(Url::parse(&format!("http://127.0.0.1:{port}")).unwrap());
    let error = bot(config).send(&item("1", "да")).await.unwrap_err();
    assert!(matches!(&error, SendError::Rejected(e) if e.kind() == ErrorKind::Network), "{error:?}");
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_leaves_it_open() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut read = [0; 1024];
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut read).await;
        }
    });
    let config = Config::new(TOKEN).at(Url::parse(&format!("http://127.0.0.1:{port}")).unwrap());
    let error = bot(config).send(&item("1", "да")).await.unwrap_err();
    assert!(matches!(&error, SendError::Unknown(_)), "{error:?}");
}

#[tokio::test]
async fn a_moved_group_gets_the_message_exactly_once_more() {
    let server = MockServer::start().await;
    let moved = json!({"migrate_to_chat_id": -1001234567890i64});
    let text = "Bad Request: group chat was upgraded to a supergroup chat";
    call("sendMessage")
        .and(body_partial_json(json!({"chat_id": -4001})))
        .respond_with(refused(400, text, moved.clone()))
        .expect(1)
        .mount(&server)
        .await;
    call("sendMessage")
        .and(body_partial_json(json!({"chat_id": -1001234567890i64})))
        .respond_with(ok(json!({"message_id": 1})))
        .expect(1)
        .mount(&server)
        .await;
    let accepted = bot(at(&server)).send(&item("-4001", "да")).await.unwrap();
    assert_eq!(accepted.moved_to.unwrap().to_string(), "-1001234567890");

    let circle = MockServer::start().await;
    call("sendMessage").respond_with(refused(400, text, moved)).expect(2).mount(&circle).await;
    let error = bot(at(&circle)).send(&item("-4001", "да")).await.unwrap_err();
    assert!(matches!(error, SendError::Rejected(_)));
}

#[tokio::test]
async fn an_album_has_all_its_ids() {
    use omni_core::content::Part;
    use omni_core::media::{Media, MediaKind};
    let server = MockServer::start().await;
    call("sendMediaGroup")
        .respond_with(ok(json!([{"message_id": 5}, {"message_id": 6}])))
        .mount(&server)
        .await;
    let mut album = item("1", "");
    let picture =
        || Media::new(MediaKind::Image, bytes::Bytes::from_static(b"jpeg")).named("п\"; x=\"\r\n.jpg");
    album.content = Content::media(picture()).and(Part::Media(picture()));
    let accepted = bot(at(&server)).send(&album).await.unwrap();
    assert_eq!(accepted.id.as_str(), "5");
    assert_eq!(accepted.more, [ProviderMessageId::from("6")]);
    let request = &server.received_requests().await.unwrap()[0];
    let body = String::from_utf8_lossy(&request.body);
    assert!(
        body.contains("attach://file1") && body.contains("name=\"file1\"; filename=\"п__ x=___.jpg\""),
        "{body}"
    );
}

#[tokio::test]
async fn repeated_edits_deletions_and_late_answers_are_successes() {
    let server = MockServer::start().await;
    let same = "Bad Request: message is not modified: specified new message content is exactly the same";
    call("editMessageText").respond_with(refused(400, same, json!({}))).mount(&server).await;
    let gone = "Bad Request: message to delete not found";
    call("deleteMessage").respond_with(refused(400, gone, json!({}))).mount(&server).await;
    let late = "Bad Request: query is too old and response timeout expired or query ID is invalid";
    call("answerCallbackQuery").respond_with(refused(400, late, json!({}))).mount(&server).await;
    let bot = bot(at(&server));
    let (chat, id) = (Address::new("1"), ProviderMessageId::from("41"));
    bot.as_edit().unwrap().edit(&chat, &id, &Content::text("да")).await.unwrap();
    bot.as_delete().unwrap().delete(&chat, &id).await.unwrap();
    bot.as_answer().unwrap().answer("4303", Some("Спасибо")).await.unwrap();
}

#[tokio::test]
async fn words_under_a_file_are_edited_as_its_caption() {
    let server = MockServer::start().await;
    let text = "Bad Request: there is no text in the message to edit";
    call("editMessageText").respond_with(refused(400, text, json!({}))).mount(&server).await;
    call("editMessageCaption")
        .and(body_partial_json(json!({"caption": "новая", "message_id": 41})))
        .respond_with(ok(json!({"message_id": 41})))
        .expect(1)
        .mount(&server)
        .await;
    let (chat, id) = (Address::new("1"), ProviderMessageId::from("41"));
    bot(at(&server)).as_edit().unwrap().edit(&chat, &id, &Content::text("новая")).await.unwrap();
}

#[tokio::test]
async fn a_webhook_is_registered_with_its_secret_and_list() {
    let server = MockServer::start().await;
    call("setWebhook")
        .and(body_partial_json(json!({"secret_token": SECRET, "drop_pending_updates": false})))
        .respond_with(ok(json!(true)))
        .expect(1)
        .mount(&server)
        .await;
    let hook = WebhookUrl::new(Url::parse("http://127.0.0.1:9000/hook").unwrap()).unwrap();
    bot(at(&server)).connect(&hook).await.unwrap();
    let request = &server.received_requests().await.unwrap()[0];
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert!(body["allowed_updates"].as_array().unwrap().contains(&json!("message_reaction")));
}

#[tokio::test]
async fn a_webhook_that_telegram_would_not_call_is_refused_before_asking() {
    let official = |url: &str| {
        let bot = bot(Config::new(TOKEN).webhook(SECRET));
        let at = WebhookUrl::new(Url::parse(url).unwrap()).unwrap();
        async move { bot.connect(&at).await.unwrap_err() }
    };
    for url in ["http://omni.example/hook", "https://omni.example:9000/hook"] {
        assert_eq!(official(url).await.kind(), ErrorKind::Configuration, "{url}");
    }
    let hook = WebhookUrl::new(Url::parse("https://omni.example/hook").unwrap()).unwrap();
    for config in [Config::new(TOKEN), Config::new(TOKEN).polling()] {
        assert_eq!(bot(config).connect(&hook).await.unwrap_err().kind(), ErrorKind::Configuration);
    }
}

#[tokio::test]
async fn only_a_genuine_webhook_is_read() {
    let bot = bot(Config::new(TOKEN).webhook(SECRET));
    let body =
        r#"{"update_id":5,"message":{"message_id":1,"date":1,"chat":{"id":5,"type":"private"},"text":"да"}}"#;
    let mut request = WebhookRequest::post("/hook", body, Timestamp::default());
    assert_eq!(bot.receive(&request).unwrap_err().status(), 401);
    request.headers.insert("X-Telegram-Bot-Api-Secret-Token", SECRET.parse().unwrap());
    let received = bot.receive(&request).unwrap();
    assert_eq!((received.answer.status.as_u16(), received.events.len()), (200, 1));
}

/// Keeps what is committed, and ends the listener after some batches.
#[derive(Default)]
struct Kept {
    batches: Mutex<Vec<(Vec<Event>, Cursor)>>,
    alive: Mutex<u32>,
    stop_after: usize,
    fail: bool,
}

#[async_trait::async_trait]
impl Sink for Kept {
    async fn commit(&self, events: Vec<Event>, cursor: Cursor) -> Result<()> {
        if self.fail {
            return Err(Error::new(ErrorKind::Storage, "commit"));
        }
        let mut batches = self.batches.lock().unwrap();
        batches.push((events, cursor));
        if batches.len() == self.stop_after { Err(Error::new(ErrorKind::State, "stop")) } else { Ok(()) }
    }

    fn alive(&self) {
        *self.alive.lock().unwrap() += 1;
    }
}

fn update(id: i64) -> Value {
    json!({"update_id": id, "message": {"message_id": id, "date": 1, "chat": {"id": 5, "type": "private"}, "text": "да"}})
}

async fn offsets(server: &MockServer) -> Vec<Value> {
    let requests = server.received_requests().await.unwrap();
    let offset = |r: &wiremock::Request| serde_json::from_slice::<Value>(&r.body).unwrap()["offset"].clone();
    requests.iter().map(offset).collect()
}

#[tokio::test]
async fn a_poll_moves_on_only_after_the_commit() {
    let server = MockServer::start().await;
    let batch = json!([update(7), {"update_id": 8, "message": 17}, update(9)]);
    call("getUpdates")
        .and(body_partial_json(json!({"offset": 7})))
        .respond_with(ok(batch))
        .mount(&server)
        .await;
    call("getUpdates")
        .and(body_partial_json(json!({"offset": 10})))
        .respond_with(ok(json!([update(10)])))
        .mount(&server)
        .await;
    let kept = Kept { stop_after: 2, ..Kept::default() };
    let bot = bot(at(&server).polling());
    let error = bot.listen(Some(Cursor::from("7")), &kept).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    {
        let batches = kept.batches.lock().unwrap();
        let seen: Vec<_> = batches.iter().map(|(events, cursor)| (events.len(), cursor.as_str())).collect();
        assert_eq!(seen, [(3, "10"), (1, "11")]);
    }
    assert_eq!(*kept.alive.lock().unwrap(), 2);
    assert_eq!(offsets(&server).await, [json!(7), json!(10)]);

    let failing = Kept { fail: true, ..Kept::default() };
    server.reset().await;
    call("getUpdates").respond_with(ok(json!([update(7)]))).mount(&server).await;
    bot.listen(None, &failing).await.unwrap_err();
    assert_eq!(offsets(&server).await, [Value::Null]);
}

#[tokio::test]
async fn a_second_poller_is_a_conflict_at_once() {
    let server = MockServer::start().await;
    let text =
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
    call("getUpdates").respond_with(refused(409, text, json!({}))).expect(1).mount(&server).await;
    let error = bot(at(&server).polling()).listen(None, &Kept::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.advice().is_some());
}

#[tokio::test]
async fn a_pause_is_kept_and_polling_goes_on() {
    let server = MockServer::start().await;
    call("getUpdates")
        .respond_with(refused(429, "Too Many Requests: retry after 0", json!({"retry_after": 0})))
        .up_to_n_times(2)
        .mount(&server)
        .await;
    call("getUpdates").respond_with(ok(json!([update(7)]))).mount(&server).await;
    let kept = Kept { stop_after: 1, ..Kept::default() };
    let error = bot(at(&server).polling()).listen(None, &kept).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    let long = MockServer::start().await;
    call("getUpdates")
        .respond_with(refused(429, "Too Many Requests: retry after 600", json!({"retry_after": 600})))
        .mount(&long)
        .await;
    let error = bot(at(&long).polling()).listen(None, &kept).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
}

#[tokio::test]
async fn a_bot_with_a_webhook_does_not_listen() {
    let error = bot(Config::new(TOKEN)).listen(None, &Kept::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

async fn fetched(server: &MockServer, file: Value, cap: u64) -> Result<Vec<u8>> {
    call("getFile").respond_with(ok(file)).mount(server).await;
    Mock::given(method("GET"))
        .and(path(format!("/file/bot{TOKEN}/documents/file_12.pdf")))
        .respond_with(ResponseTemplate::new(200).set_body_bytes(vec![7u8; 1000]))
        .mount(server)
        .await;
    let mut stream = bot(at(server)).fetch(&MediaRef::new("BQACAgIA1"), cap).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.bytes.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    Ok(bytes)
}

#[tokio::test]
async fn a_file_is_streamed_within_its_cap() {
    let file = |size: u64| json!({"file_id": "B", "file_size": size, "file_path": "documents/file_12.pdf"});
    assert_eq!(fetched(&MockServer::start().await, file(1000), 1000).await.unwrap().len(), 1000);
    let told = fetched(&MockServer::start().await, file(1001), 1000).await.unwrap_err();
    assert_eq!(told.kind(), ErrorKind::TooLarge);
    let lied = fetched(&MockServer::start().await, file(10), 999).await.unwrap_err();
    assert_eq!(lied.kind(), ErrorKind::TooLarge);
    for path in ["documents/../../x", "", "a//b"] {
        let bad = json!({"file_id": "B", "file_path": path});
        let error = fetched(&MockServer::start().await, bad, 1000).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{path}");
    }
    let local = json!({"file_id": "B", "file_path": "/var/lib/bot/file_12.pdf"});
    let error = fetched(&MockServer::start().await, local, 1000).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

/// Makes every call there is and collects how it failed.
async fn every_failure(bot: &Telegram) -> Vec<String> {
    let (chat, id) = (Address::new("1"), ProviderMessageId::from("41"));
    let business = chat.with("business", "conn");
    let hook = WebhookUrl::new(Url::parse("https://omni.example/hook").unwrap()).unwrap();
    let mut picture = item("1", "");
    picture.content = Content::media(omni_core::media::Media::new(
        omni_core::media::MediaKind::Image,
        bytes::Bytes::from_static(b"jpeg"),
    ));
    fn shown<T: std::fmt::Debug, E: std::fmt::Debug + std::fmt::Display>(result: Result<T, E>) -> String {
        match result {
            Ok(done) => format!("{done:?}"),
            Err(error) => format!("{error:?} {error}"),
        }
    }
    vec![
        shown(bot.check().await),
        shown(bot.connect(&hook).await),
        shown(bot.disconnect().await),
        shown(bot.send(&item("1", "да")).await),
        shown(bot.send(&picture).await),
        shown(bot.as_edit().unwrap().edit(&chat, &id, &Content::text("да")).await),
        shown(bot.as_delete().unwrap().delete(&chat, &id).await),
        shown(bot.as_react().unwrap().react(&chat, &id, &[]).await),
        shown(bot.as_read().unwrap().mark_read(&business, &id).await),
        shown(bot.as_typing().unwrap().typing(&chat).await),
        shown(bot.as_answer().unwrap().answer("1", None).await),
        shown(bot.as_links().unwrap().link(&CampaignToken::new("a").unwrap()).await),
        shown(bot.fetch(&MediaRef::new("B"), 10).await),
        format!("{bot:?}"),
    ]
}

fn shows_no_secret(failures: &[String]) {
    for failure in failures {
        assert!(!failure.contains("AAHdqTcv") && !failure.contains(SECRET), "{failure}");
        assert!(!failure.contains("/bot"), "{failure}");
    }
}

#[tokio::test]
async fn no_error_ever_shows_the_token() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = Config::new(TOKEN).webhook(SECRET);
    let nowhere = config.clone().at(Url::parse(&format!("http://127.0.0.1:{closed}")).unwrap());
    shows_no_secret(&every_failure(&bot(nowhere.clone())).await);
    let listening = bot(nowhere.polling()).listen(None, &Kept::default()).await.unwrap_err();
    shows_no_secret(&[format!("{listening} {listening:?}")]);

    let unresolvable = config.at(Url::parse("https://api.telegram.invalid").unwrap());
    shows_no_secret(&every_failure(&bot(unresolvable)).await);

    // A server that quotes its secrets back in every way it can.
    for status in [200, 302, 400, 401, 404, 409, 429, 500, 502] {
        let server = MockServer::start().await;
        let escaped = TOKEN.replace(':', "%3A");
        let said = format!("no such path bot{TOKEN} or b{escaped} with {SECRET}");
        let quoting =
            refused(status, &said, json!({})).insert_header("location", format!("/bot{TOKEN}/x").as_str());
        Mock::given(wiremock::matchers::any()).respond_with(quoting).mount(&server).await;
        shows_no_secret(&every_failure(&bot(at(&server))).await);
    }
}

#[tokio::test]
async fn a_failed_download_does_not_show_the_token_either() {
    let server = MockServer::start().await;
    call("getFile")
        .respond_with(ok(json!({"file_id": "B", "file_path": "documents/gone.pdf"})))
        .mount(&server)
        .await;
    let error = bot(at(&server)).fetch(&MediaRef::new("B"), 10).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    shows_no_secret(&[format!("{error} {error:?}")]);
}

#[test]
fn a_registry_makes_bots_and_explains_bad_settings_without_quoting_them() {
    let registry = omni_core::registry::Registry::new().with(omni_telegram::connector(Http::new().unwrap()));
    let connect = |json: &str| registry.connect(&omni_telegram::PROVIDER, json);
    let bot = connect(&format!(r#"{{"token": "{TOKEN}", "receive": "polling"}}"#)).unwrap();
    assert!(bot.receives().listens());
    for (bad, says) in [
        (format!(r#"{{"token": ["{TOKEN}"]}}"#), "wrong type"),
        (format!(r#"{{"token": "{TOKEN}", "base_url": "{TOKEN}"}}"#), "wrong type"),
        (format!(r#"{{"token": "{TOKEN}", "recieve": "polling"}}"#), "recieve"),
        ("{}".to_owned(), "token"),
    ] {
        let error = connect(&bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(says), "{error}");
        shows_no_secret(&[format!("{error} {error:?}")]);
    }
}

#[test]
fn the_pace_is_declared_where_telegram_counts() {
    let rates = |base: &str, pacing| {
        let mut config = Config::new(TOKEN).at(Url::parse(base).unwrap());
        config.pacing = pacing;
        let bot = bot(config);
        let everywhere = ["100200300", "-1001234567890", "100200300?business=conn"];
        everywhere.map(|address| bot.capabilities_at(&address.parse().unwrap()).rates.len())
    };
    let (telegram, here) = ("https://api.telegram.org", "http://127.0.0.1:8081");
    assert_eq!(rates(telegram, None), [3, 3, 3]);
    assert_eq!(rates(telegram, Some(Pacing::OnDemand)), [0, 0, 0]);
    assert_eq!(rates(here, None), [0, 0, 0]);
    assert_eq!(rates(here, Some(Pacing::Published)), [3, 3, 3]);
}

#[test]
fn capabilities_differ_by_place() {
    let bot = bot(Config::new(TOKEN));
    let at = |address: &str| bot.capabilities_at(&address.parse().unwrap()).into_owned();
    use omni_core::capability::{Action, FirstContact};
    assert_eq!(at("100200300").first_contact, FirstContact::CustomerOnly);
    assert_eq!(at("-1001234567890?thread=12").first_contact, FirstContact::Anyone);
    let business = at("100200300?business=conn");
    assert_eq!(business.reply_window, Some(Duration::from_secs(24 * 3600)));
    assert_eq!((business.mark_read, business.react), (Action::Yes, Action::No));
    assert_eq!(at("not an address"), *bot.capabilities());
}
