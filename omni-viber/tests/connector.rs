//! The connector against a server that gives one answer after another.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::time::Duration;

use futures_util::StreamExt;
use omni_core::channel::Known;
use omni_core::content::{Content, Part};
use omni_core::error::{ErrorKind, RateScope, Retry};
use omni_core::link::CampaignToken;
use omni_core::media::{Media, MediaKind, MediaRef};
use omni_core::outbound::{Author, OutboundItem, SendError};
use omni_core::webhook::{WebhookRequest, WebhookUrl};
use omni_core::{Address, Channel, Inbound, MessageId, Outbound, Status, Timestamp};
use omni_http::Http;
use omni_viber::{Config, OnlineState, Viber};
use serde_json::{Value, json};
use url::Url;
use wiremock::matchers::{body_json, body_partial_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const TOKEN: &str = "00112233445566aa-bbccddeeff001122-3344556677889900";
const OLGA: &str = "uQ0abcd1234EFGH5678ijA==";

fn at(server: &MockServer) -> Config {
    Config::new(TOKEN).at(Url::parse(&format!("{}/pa", server.uri())).unwrap())
}

fn bot(config: Config) -> Viber {
    Viber::new(config, Http::new().unwrap()).unwrap()
}

fn ok(fields: Value) -> ResponseTemplate {
    let mut body = json!({"status": 0, "status_message": "ok"});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    ResponseTemplate::new(200).set_body_json(body)
}

fn refused(status: i64, words: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"status": status, "status_message": words}))
}

fn call(name: &str) -> wiremock::MockBuilder {
    Mock::given(method("POST")).and(path(format!("/pa/{name}"))).and(header("X-Viber-Auth-Token", TOKEN))
}

fn item(content: Content) -> OutboundItem {
    OutboundItem {
        id: MessageId::from_bytes([7; 16]),
        address: Address::new(OLGA),
        content,
        reply_to: None,
        face: None,
        author: Author::Person,
        note: None,
    }
}

fn words(words: &str) -> OutboundItem {
    item(Content::text(words))
}

fn account() -> Value {
    json!({"id": "pa:5075331234567890123", "name": "Ромашка Сервис", "uri": "romashkaservice",
           "webhook": "https://crm.example.net/hook",
           "event_types": ["subscribed", "unsubscribed", "conversation_started", "delivered", "failed", "message", "seen"],
           "members": [{"id": "aB3x==", "name": "Анна", "role": "admin"}], "subscribers_count": 128})
}

#[tokio::test]
async fn a_good_token_names_its_bot_and_makes_links() {
    let server = MockServer::start().await;
    call("get_account_info")
        .and(body_json(json!({})))
        .respond_with(ok(account()))
        .expect(1)
        .mount(&server)
        .await;
    let bot = bot(at(&server));
    let link = bot.as_links().unwrap().link(&CampaignToken::new("spring_2026-a").unwrap()).await.unwrap();
    assert_eq!(link.as_str(), "viber://pa?chatURI=romashkaservice&context=spring_2026-a");
    let again = bot.as_links().unwrap().link(&CampaignToken::new("b").unwrap()).await.unwrap();
    assert_eq!(again.as_str(), "viber://pa?chatURI=romashkaservice&context=b");
}

#[tokio::test]
async fn a_check_tells_the_account_and_what_is_off() {
    let warned = async |change: fn(&mut Value)| {
        let server = MockServer::start().await;
        let mut account = account();
        change(&mut account);
        call("get_account_info").respond_with(ok(account)).mount(&server).await;
        bot(at(&server)).check().await.unwrap()
    };
    let good = warned(|_| {}).await;
    assert_eq!((good.id.as_str(), good.name.as_str()), ("pa:5075331234567890123", "Ромашка Сервис"));
    assert_eq!((good.handle.as_deref(), good.warnings.len()), (Some("romashkaservice"), 0));
    let none = warned(|account| account["webhook"] = json!("")).await;
    assert!(none.warnings[0].contains("no webhook is registered"), "{none:?}");
    let deaf = warned(|account| account["event_types"] = json!(["message", "delivered"])).await;
    assert!(deaf.warnings[0].contains("seen, failed, conversation_started"), "{deaf:?}");
}

#[tokio::test]
async fn a_stolen_webhook_is_told_without_the_thiefs_secret() {
    let server = MockServer::start().await;
    call("set_webhook").respond_with(ok(json!({"event_types": []}))).mount(&server).await;
    let stolen = json!({"webhook": "https://other.example/hook?secret=pa55word"});
    let mut info = account();
    info.as_object_mut().unwrap().extend(stolen.as_object().unwrap().clone());
    call("get_account_info").respond_with(ok(info)).mount(&server).await;
    let bot = bot(at(&server));
    assert!(bot.check().await.unwrap().warnings.is_empty(), "nothing to compare with yet");
    let ours = WebhookUrl::new(Url::parse("https://crm.example.net/hook").unwrap()).unwrap();
    bot.connect(&ours).await.unwrap();
    let warnings = bot.check().await.unwrap().warnings;
    assert!(warnings[0].contains("other.example") && !warnings[0].contains("pa55word"), "{warnings:?}");
    bot.disconnect().await.unwrap();
    assert!(bot.check().await.unwrap().warnings.is_empty());
}

#[tokio::test]
async fn a_wrong_token_is_bad_credentials_with_advice() {
    for (status, said) in [(2, "invalidAuthToken"), (8, "publicAccountNotFound")] {
        let server = MockServer::start().await;
        call("get_account_info").respond_with(refused(status, said)).mount(&server).await;
        let error = bot(at(&server)).check().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadCredentials);
        assert_eq!(error.text(), Some("Bot not found"));
        assert!(error.advice().is_some());
    }
}

#[tokio::test]
async fn a_sent_message_has_its_id_to_the_last_digit() {
    let server = MockServer::start().await;
    call("send_message")
        .and(body_partial_json(
            json!({"receiver": OLGA, "type": "text", "text": "Привет 👋", "sender": {"name": "Support"}}),
        ))
        .respond_with(ok(json!({"message_token": 5_901_234_567_890_124_001_u64, "billing_status": 2})))
        .mount(&server)
        .await;
    let accepted = bot(at(&server)).send(&words("Привет 👋")).await.unwrap();
    assert_eq!((accepted.id.as_str(), accepted.status), ("5901234567890124001", Status::Accepted));
    assert_eq!((accepted.more.len(), accepted.moved_to), (0, None));
}

#[tokio::test]
async fn messages_go_under_the_bots_own_name_once_it_is_known() {
    let server = MockServer::start().await;
    call("get_account_info").respond_with(ok(account())).mount(&server).await;
    call("send_message")
        .and(body_partial_json(json!({"sender": {"name": "Ромашка Сервис"}})))
        .respond_with(ok(json!({"message_token": 7})))
        .expect(1)
        .mount(&server)
        .await;
    let bot = bot(at(&server));
    bot.check().await.unwrap();
    bot.send(&words("да")).await.unwrap();
}

async fn outcome(answer: ResponseTemplate) -> SendError {
    let server = MockServer::start().await;
    call("send_message").respond_with(answer).expect(1).mount(&server).await;
    bot(at(&server)).send(&words("да")).await.unwrap_err()
}

#[tokio::test]
async fn only_a_refusal_in_vibers_own_form_is_certain() {
    let page = |status| ResponseTemplate::new(status).set_body_string("<html>502 Bad Gateway</html>");
    let rows = [
        (refused(6, "notSubscribed"), true, ErrorKind::RecipientBlocked),
        (refused(5, "receiverNotRegistered"), true, ErrorKind::RecipientUnreachable),
        (refused(10, "webhookNotSet"), true, ErrorKind::Configuration),
        (refused(23, "freeMessagesExceeded"), true, ErrorKind::WindowClosed),
        (refused(99, "что-то новое"), true, ErrorKind::Unavailable),
        (ResponseTemplate::new(500).set_body_json(json!({"status": 99})), true, ErrorKind::Unavailable),
        (page(502), false, ErrorKind::Unavailable),
        (page(504), false, ErrorKind::Unavailable),
        (page(408), false, ErrorKind::Protocol),
        (page(413), true, ErrorKind::TooLarge),
        (page(200), false, ErrorKind::Protocol),
        (
            ResponseTemplate::new(302).insert_header("location", "https://other.example/"),
            false,
            ErrorKind::Protocol,
        ),
        (ResponseTemplate::new(200).set_body_string(r#"{"status": 0, "mess"#), false, ErrorKind::Protocol),
        (ResponseTemplate::new(200).set_body_string(""), false, ErrorKind::Protocol),
        (ok(json!({})), false, ErrorKind::Protocol),
        (ok(json!({"message_token": "сорок"})), false, ErrorKind::Protocol),
        (
            ResponseTemplate::new(502).set_body_json(json!({"status": 0, "message_token": 7})),
            false,
            ErrorKind::Unavailable,
        ),
    ];
    for (answer, certain, kind) in rows {
        let shown = format!("{answer:?}");
        let outcome = outcome(answer).await;
        assert_eq!(outcome.error().kind(), kind, "{shown}");
        assert_eq!(matches!(outcome, SendError::Rejected(_)), certain, "{shown}");
    }
}

#[tokio::test]
async fn no_connection_is_certainly_not_sent() {
    let config = Config::new(TOKEN).at(Url::parse("http://127.0.0.1:1/pa").unwrap());
    let error = bot(config).send(&words("да")).await.unwrap_err();
    assert!(matches!(&error, SendError::Rejected(e) if e.kind() == ErrorKind::Network), "{error}");
}

#[tokio::test]
async fn pauses_are_told_with_their_scope() {
    let retry = async |answer| outcome(answer).await.into_error().retry();
    let hour = Retry::After { wait: Duration::from_secs(3600), scope: RateScope::Chat };
    assert_eq!(retry(refused(12, "tooManyRequests")).await, hour);
    let gateway = ResponseTemplate::new(429).insert_header("retry-after", "14");
    let asked = Retry::After { wait: Duration::from_secs(14), scope: RateScope::Account };
    assert_eq!(retry(gateway).await, asked);
    assert_eq!(retry(ResponseTemplate::new(429)).await, Retry::Later);
}

#[tokio::test]
async fn what_is_quoted_back_is_redacted() {
    let quoting = refused(3, &format!("bad request with auth_token={TOKEN}"));
    let shown = format!("{0} {0:?}", outcome(quoting).await);
    assert!(!shown.contains(TOKEN) && shown.contains("***"), "{shown}");
    let bot = bot(Config::new(TOKEN));
    assert!(!format!("{bot:?}").contains(TOKEN));
}

fn file(server: &MockServer, name: &str) -> Media {
    Media::new(MediaKind::File, Url::parse(&format!("{}/files/{name}", server.uri())).unwrap())
}

#[tokio::test]
async fn a_size_nobody_told_is_asked_for() {
    let server = MockServer::start().await;
    let served = ResponseTemplate::new(200).set_body_bytes(vec![b'x'; 90_211]);
    Mock::given(path("/files/akt.pdf")).respond_with(served).mount(&server).await;
    call("send_message")
        .and(body_partial_json(json!({"type": "file", "size": 90_211, "file_name": "akt.pdf"})))
        .respond_with(ok(json!({"message_token": 7})))
        .expect(1)
        .mount(&server)
        .await;
    bot(at(&server)).send(&item(Content::media(file(&server, "akt.pdf")))).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_not_there_is_certainly_not_sent() {
    let server = MockServer::start().await;
    Mock::given(path("/files/akt.pdf")).respond_with(ResponseTemplate::new(404)).mount(&server).await;
    call("send_message").respond_with(ok(json!({"message_token": 7}))).expect(0).mount(&server).await;
    let error = bot(at(&server)).send(&item(Content::media(file(&server, "akt.pdf")))).await.unwrap_err();
    assert!(matches!(&error, SendError::Rejected(e) if e.kind() == ErrorKind::NotFound), "{error}");
}

#[tokio::test]
async fn a_size_is_never_asked_for_in_private_networks() {
    let server = MockServer::start().await;
    let elsewhere = MockServer::start().await;
    Mock::given(path("/files/akt.pdf"))
        .respond_with(ResponseTemplate::new(200))
        .expect(0)
        .mount(&elsewhere)
        .await;
    let error = bot(at(&server)).send(&item(Content::media(file(&elsewhere, "akt.pdf")))).await.unwrap_err();
    assert!(matches!(&error, SendError::Rejected(e) if e.kind() == ErrorKind::Forbidden), "{error}");
    assert!(error.error().advice().unwrap().contains("set the size"), "{error}");
}

/// A file whose words go behind it.
fn two_messages() -> OutboundItem {
    let media = Media {
        size: Some(5),
        ..Media::new(MediaKind::File, Url::parse("https://a.example/a.pdf").unwrap())
    };
    item(Content { text: Some("слова".into()), ..Content::media(media) })
}

#[tokio::test]
async fn words_behind_a_file_have_an_id_of_their_own() {
    let server = MockServer::start().await;
    let answer = |kind: &str, token: u64| {
        call("send_message")
            .and(body_partial_json(json!({"type": kind})))
            .respond_with(ok(json!({"message_token": token})))
    };
    answer("file", 7).expect(1).mount(&server).await;
    answer("text", 8).expect(1).mount(&server).await;
    let accepted = bot(at(&server)).send(&two_messages()).await.unwrap();
    assert_eq!((accepted.id.as_str(), accepted.more[0].as_str()), ("7", "8"));
}

#[tokio::test]
async fn nothing_is_certain_once_the_first_of_two_messages_went_out() {
    let server = MockServer::start().await;
    let kind = |kind: &str| call("send_message").and(body_partial_json(json!({"type": kind})));
    kind("file").respond_with(ok(json!({"message_token": 7}))).expect(1).mount(&server).await;
    kind("text").respond_with(refused(3, "badData")).expect(1).mount(&server).await;
    let error = bot(at(&server)).send(&two_messages()).await.unwrap_err();
    assert!(matches!(error, SendError::Unknown(_)), "{error}");
    assert!(error.to_string().contains("sent_before_it 7"), "{error}");
    let server = MockServer::start().await;
    call("send_message").respond_with(refused(6, "notSubscribed")).expect(1).mount(&server).await;
    let error = bot(at(&server)).send(&two_messages()).await.unwrap_err();
    assert!(matches!(error, SendError::Rejected(_)), "the first one was refused: {error}");
}

#[tokio::test]
async fn a_broadcast_sorts_each_of_those_who_failed() {
    let server = MockServer::start().await;
    let failed = json!([
        {"receiver": "zR9kLmN0pQ2sT4uV6wX8yA==", "status": 6, "status_message": "Not subscribed"},
        {"receiver": "aaaa", "status": 12, "status_message": format!("too many {TOKEN}")},
        "nobody knows"
    ]);
    call("broadcast_message")
        .respond_with(ok(json!({"message_token": 5_901_234_567_890_124_500_u64, "failed_list": failed})))
        .mount(&server)
        .await;
    let people = [Address::new(OLGA), Address::new("zR9kLmN0pQ2sT4uV6wX8yA=="), Address::new("aaaa")];
    let sent = bot(at(&server)).broadcast(&people, &Content::text("Скидки"), None).await.unwrap();
    assert_eq!((sent.id.as_str(), sent.failed.len(), sent.unreadable), ("5901234567890124500", 2, 1));
    assert_eq!(
        (&sent.failed[0].address, sent.failed[0].error.kind()),
        (&people[1], ErrorKind::RecipientBlocked)
    );
    assert!(matches!(sent.failed[1].error.retry(), Retry::After { .. }));
    assert!(!format!("{sent:?}").contains(TOKEN));
}

#[tokio::test]
async fn a_broadcast_whose_answer_is_lost_is_unknown() {
    for (answer, certain) in [
        (ResponseTemplate::new(502), false),
        (ok(json!({"failed_list": []})), false),
        (refused(20, "x"), true),
    ] {
        let server = MockServer::start().await;
        call("broadcast_message").respond_with(answer).mount(&server).await;
        let error =
            bot(at(&server)).broadcast(&[Address::new(OLGA)], &Content::text("да"), None).await.unwrap_err();
        assert_eq!(matches!(error, SendError::Rejected(_)), certain, "{error}");
    }
}

fn olga() -> Value {
    json!({"id": OLGA, "name": "Ольга", "avatar": "https://media-direct.cdn.viber.com/a", "country": "BY",
           "language": "ru", "primary_device_os": "android 15", "api_version": 10, "viber_version": "25.1.0",
           "mcc": 257, "mnc": 2, "device_type": "Pixel 9"})
}

#[tokio::test]
async fn a_person_is_described_and_whether_they_are_there() {
    let server = MockServer::start().await;
    call("get_user_details")
        .and(body_json(json!({"id": OLGA})))
        .respond_with(ok(json!({"message_token": 1, "user": olga()})))
        .mount(&server)
        .await;
    let users = json!([{"id": OLGA, "online_status": 0}, {"id": "b", "online_status": 1, "last_online": 1_760_000_000_123_u64},
                       {"id": "c", "online_status": 2}, {"id": "d", "online_status": 3}, {"id": "e", "online_status": 4}]);
    call("get_online")
        .and(body_json(json!({"ids": [OLGA]})))
        .respond_with(ok(json!({"users": users})))
        .mount(&server)
        .await;
    let bot = bot(at(&server));
    let details = bot.user_details(&Address::new(OLGA)).await.unwrap();
    assert_eq!((details.profile.name.as_deref(), details.country.as_deref()), (Some("Ольга"), Some("BY")));
    assert_eq!((details.network, details.api_version), (Some((257, 2)), Some(10)));
    let online = bot.online(&[Address::new(OLGA)]).await.unwrap();
    use OnlineState::{Offline, Online, TryLater, Unavailable, Undisclosed};
    let states: Vec<_> = online.iter().map(|o| o.state).collect();
    assert_eq!(states, [Online, Offline, Undisclosed, TryLater, Unavailable]);
    assert_eq!(online[1].last, Some(Timestamp::from_millis(1_760_000_000_123)));
    let many = vec![Address::new(OLGA); 101];
    assert_eq!(bot.online(&many).await.unwrap_err().kind(), ErrorKind::ContentRejected);
}

#[tokio::test]
async fn a_person_is_looked_up_once_and_told_again_from_memory() {
    let server = MockServer::start().await;
    let ask = |id: &str| call("get_user_details").and(body_json(json!({"id": id})));
    ask(OLGA).respond_with(ok(json!({"user": olga()}))).expect(1).mount(&server).await;
    ask("gone").respond_with(refused(5, "receiverNotRegistered")).expect(1).mount(&server).await;
    let bot = bot(at(&server));
    let look_up = bot.inbound().unwrap().as_look_up().unwrap();
    let addresses = [Address::new("нигде"), Address::new("gone"), Address::new(OLGA)];
    for _ in 0..3 {
        let known = look_up.look_up(&addresses).await.unwrap();
        let [Known { address, told }] = &known[..] else { panic!("{known:?}") };
        assert_eq!(address, &addresses[2]);
        assert_eq!(told.sender.as_ref().unwrap().profile.name.as_deref(), Some("Ольга"));
    }
}

#[tokio::test]
async fn a_look_up_that_could_not_ask_is_an_error_and_is_not_remembered() {
    let server = MockServer::start().await;
    call("get_user_details").respond_with(ResponseTemplate::new(502)).up_to_n_times(1).mount(&server).await;
    let bot = bot(at(&server));
    let look_up = bot.inbound().unwrap().as_look_up().unwrap();
    assert_eq!(look_up.look_up(&[Address::new(OLGA)]).await.unwrap_err().kind(), ErrorKind::Unavailable);
    call("get_user_details").respond_with(ok(json!({"user": olga()}))).mount(&server).await;
    assert_eq!(look_up.look_up(&[Address::new(OLGA)]).await.unwrap().len(), 1);
}

async fn fetched(bot: &Viber, at: &str, cap: u64) -> Result<usize, ErrorKind> {
    let mut stream = bot.fetch(&MediaRef::new(at), cap).await.map_err(|e| e.kind())?;
    let mut length = 0;
    while let Some(chunk) = stream.bytes.next().await {
        length += chunk.map_err(|e| e.kind())?.len();
    }
    Ok(length)
}

#[tokio::test]
async fn files_are_fetched_from_expected_places_only() {
    let server = MockServer::start().await;
    Mock::given(path("/1/p.jpg"))
        .respond_with(ResponseTemplate::new(200).set_body_bytes(vec![7; 1000]))
        .mount(&server)
        .await;
    let bot = bot(at(&server));
    let here = format!("{}/1/p.jpg", server.uri());
    assert_eq!(fetched(&bot, &here, 1000).await, Ok(1000));
    assert_eq!(fetched(&bot, &here, 999).await, Err(ErrorKind::TooLarge));
    for elsewhere in
        ["https://evil.example/p.jpg", "http://dl-media.viber.com/p.jpg", "https://127.0.0.1/p.jpg"]
    {
        assert_eq!(fetched(&bot, elsewhere, 1000).await, Err(ErrorKind::Forbidden), "{elsewhere}");
    }
    assert_eq!(fetched(&bot, "40133", 1000).await, Err(ErrorKind::NotFound));
    let mut config = at(&server);
    config.fetch_bytes = Some(10);
    assert_eq!(fetched(&self::bot(config), &here, 1000).await, Err(ErrorKind::TooLarge));
}

#[tokio::test]
async fn a_webhook_has_to_be_https_at_vibers_own_server() {
    let plain = WebhookUrl::new(Url::parse("http://crm.example.net/hook").unwrap()).unwrap();
    let error = bot(Config::new(TOKEN)).connect(&plain).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.advice().unwrap().contains("TLS"));
    let server = MockServer::start().await;
    call("set_webhook").respond_with(refused(1, "invalidUrl")).mount(&server).await;
    let error = bot(at(&server)).connect(&plain).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.advice().unwrap().contains("answer 200"), "{error}");
}

fn signed(body: &Value) -> WebhookRequest {
    let body = body.to_string();
    let signature = omni_core::crypto::hmac_sha256(TOKEN.as_bytes(), body.as_bytes());
    let signature: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut request = WebhookRequest::post("/hook", body, Timestamp::default());
    request.headers.insert("x-viber-content-signature", signature.parse().unwrap());
    request
}

#[test]
fn a_probe_is_answered_200_and_tells_nothing() {
    let bot = bot(Config::new(TOKEN));
    let probe = json!({"event": "webhook", "timestamp": 4_977_069_964_384_421_269_u64, "message_token": 1});
    let received = bot.receive(&signed(&probe)).unwrap();
    assert_eq!(
        (received.answer.status.as_u16(), received.answer.body.len(), received.events.len()),
        (200, 0, 0)
    );
    let mut forged = signed(&probe);
    forged.headers.clear();
    assert_eq!(bot.receive(&forged).unwrap_err().status(), 401);
}

#[test]
fn only_who_has_not_written_is_welcomed_and_only_when_that_is_set() {
    let opened = |subscribed: bool| {
        signed(
            &json!({"event": "conversation_started", "timestamp": 1_760_000_040_000_u64, "message_token": 7,
                       "type": "open", "subscribed": subscribed, "user": {"id": OLGA, "name": "Ольга"}}),
        )
    };
    let welcoming = bot(Config::new(TOKEN).named("Ромашка").welcoming("Здравствуйте! 👋"));
    let received = welcoming.receive(&opened(false)).unwrap();
    let body: Value = serde_json::from_slice(&received.answer.body).unwrap();
    assert_eq!((&body["text"], &body["sender"]["name"]), (&json!("Здравствуйте! 👋"), &json!("Ромашка")));
    assert_eq!(received.events.len(), 1);
    assert!(welcoming.receive(&opened(true)).unwrap().answer.body.is_empty());
    let silent = bot(Config::new(TOKEN));
    assert!(silent.receive(&opened(false)).unwrap().answer.body.is_empty());
}

#[tokio::test]
async fn content_that_cannot_go_makes_no_call() {
    let server = MockServer::start().await;
    call("send_message").respond_with(ok(json!({"message_token": 7}))).expect(0).mount(&server).await;
    let bot = bot(at(&server));
    let bytes = Media::new(MediaKind::Image, bytes::Bytes::from_static(b"x"));
    for content in
        [Content::default(), Content::media(bytes), Content::part(Part::Unsupported { what: "x".into() })]
    {
        assert!(matches!(bot.send(&item(content)).await, Err(SendError::Rejected(_))));
    }
}
