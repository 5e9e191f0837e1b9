//! The connector against a server: what goes out in headers, how answers end a send, and what is never shown.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::error::Error as _;
use std::time::Duration;

use futures_util::StreamExt as _;
use omni_core::channel::{Channel, Inbound, Outbound};
use omni_core::content::{Button, Content};
use omni_core::error::{ErrorKind, RateScope, Retry};
use omni_core::id::IdSource;
use omni_core::link::CampaignToken;
use omni_core::media::MediaRef;
use omni_core::outbound::{Author, OutboundItem, SendError};
use omni_core::registry::Registry;
use omni_core::webhook::{WebhookRequest, WebhookUrl};
use omni_core::{Address, Error, MessageId, ProviderMessageId, Secret, Status, Timestamp};
use omni_http::Http;
use omni_webhook::verify::{self, DELIVERY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use omni_webhook::{Abilities, Config, Webhook};
use serde_json::{Value, json};
use url::Url;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

const KEY: &str = "5d41402abc4b2a76b9719d911017c592";
const NEXT: &str = "7d793037a0760186574b0282f2f435e7";

fn at(server: &MockServer) -> Config {
    Config::new(Url::parse(&format!("{}/omni?site=7", server.uri())).unwrap(), KEY).able(Abilities::all())
}

fn with(mut config: Config, change: impl FnOnce(&mut Config)) -> Config {
    change(&mut config);
    config
}

fn program(config: Config) -> Webhook {
    Webhook::new(config, Http::new().unwrap()).unwrap()
}

fn item(content: Content) -> OutboundItem {
    OutboundItem {
        id: MessageId::next(&IdSource::new(7), Timestamp::from_secs(1_767_225_600)),
        address: Address::new("комната-7"),
        content,
        reply_to: None,
        face: None,
        author: Author::Person,
        note: None,
    }
}

async fn answering(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

fn refusal(status: u16, error: Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({ "error": error }))
}

/// How a send of a text ends when it is answered so.
async fn sent(answer: ResponseTemplate) -> Result<omni_core::outbound::Accepted, SendError> {
    let server = answering(answer).await;
    program(at(&server)).send(&item(Content::text("Да 👋"))).await
}

async fn rejected(answer: ResponseTemplate) -> Error {
    match sent(answer).await {
        Err(SendError::Rejected(error)) => error,
        other => panic!("{other:?}"),
    }
}

async fn unknown(answer: ResponseTemplate) -> Error {
    match sent(answer).await {
        Err(SendError::Unknown(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_message_is_signed_over_its_bytes_and_carries_its_key() {
    let server = answering(ResponseTemplate::new(200)).await;
    let item = item(Content::text("Да 👨‍👩‍👧‍👦"));
    program(at(&server)).send(&item).await.unwrap();
    let [request] = &server.received_requests().await.unwrap()[..] else { panic!("one request") };
    assert_eq!((request.url.path(), request.url.query()), ("/omni", Some("site=7")));
    assert_eq!(request.headers[DELIVERY_HEADER], item.id.to_string());
    assert_eq!(request.headers["content-type"], "application/json");
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["text"], "Да 👨‍👩‍👧‍👦");
    assert_eq!(body["id"], item.id.to_string());

    // The program verifies as we do: the same rules both ways.
    let now = request.headers[TIMESTAMP_HEADER].to_str().unwrap().parse().unwrap();
    let mut back = WebhookRequest::post("/omni", request.body.clone(), Timestamp::from_secs(now));
    back.headers = request.headers.clone();
    let verified = |key: &str| verify::verify(&back, &[Secret::new(key)], Duration::from_secs(30)).is_ok();
    assert!(verified(KEY) && !verified(NEXT));
}

#[tokio::test]
async fn a_repetition_has_the_same_key_and_actions_have_none() {
    let server = answering(ResponseTemplate::new(204)).await;
    let (program, item) = (program(at(&server)), item(Content::text("Да")));
    program.send(&item).await.unwrap();
    program.send(&item).await.unwrap();
    let (at, id) = (&item.address, ProviderMessageId::from("m-1"));
    program.as_edit().unwrap().edit(at, &id, &Content::text("Нет")).await.unwrap();
    program.as_delete().unwrap().delete(at, &id).await.unwrap();
    program.as_react().unwrap().react(at, &id, &["👍".to_owned()]).await.unwrap();
    program.as_read().unwrap().mark_read(at, &id).await.unwrap();
    program.as_typing().unwrap().typing(at).await.unwrap();
    program.as_answer().unwrap().answer("t-1", Some("Спасибо")).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let told: Vec<(String, bool)> = requests
        .iter()
        .map(|request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            (body["type"].as_str().unwrap().to_owned(), request.headers.contains_key(DELIVERY_HEADER))
        })
        .collect();
    let names = ["message", "message", "edit", "delete", "react", "mark_read", "typing", "answer_button"];
    let wanted: Vec<(String, bool)> = names.map(|name| (name.to_owned(), name == "message")).into();
    assert_eq!(told, wanted);
    assert!(requests.iter().all(|request| request.headers.contains_key(SIGNATURE_HEADER)));
}

#[tokio::test]
async fn a_taken_message_has_the_programs_id_or_ours() {
    let ours = item(Content::text("")).id.to_string();
    for (answer, id) in [
        (ResponseTemplate::new(200).set_body_json(json!({"id": "m-1"})), "m-1"),
        (ResponseTemplate::new(201).set_body_json(json!({"id": 12, "later": [1]})), "12"),
        (ResponseTemplate::new(200).set_body_json(json!({})), &ours),
        (ResponseTemplate::new(200).set_body_json(json!({"id": null})), &ours),
        (ResponseTemplate::new(200).set_body_string(" \n"), &ours),
        (ResponseTemplate::new(204), &ours),
    ] {
        let accepted = sent(answer).await.unwrap();
        assert_eq!((accepted.id.as_str(), accepted.status), (id, Status::Accepted));
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_leaves_open_whether_it_was_taken() {
    for body in
        ["<html>it works</html>", "OK", "{\"id\":", "[\"m-1\"]", "{\"id\":\"\"}", "{\"id\":{}}", "null"]
    {
        let error = unknown(ResponseTemplate::new(200).set_body_string(body)).await;
        assert_eq!(error.kind(), ErrorKind::Protocol, "{body}");
        assert!(error.advice().unwrap().contains("\"id\""), "{error}");
    }
    let huge = ResponseTemplate::new(200).set_body_string("x".repeat(100_000));
    assert_eq!(unknown(huge).await.kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn a_refusal_in_the_form_of_the_protocol_is_certain() {
    for (status, kind, means) in [
        (403, "recipient_blocked", ErrorKind::RecipientBlocked),
        (410, "recipient_unreachable", ErrorKind::RecipientUnreachable),
        (404, "not_found", ErrorKind::NotFound),
        (400, "content_rejected", ErrorKind::ContentRejected),
        (413, "too_large", ErrorKind::TooLarge),
        (403, "forbidden", ErrorKind::Forbidden),
        (409, "window_closed", ErrorKind::WindowClosed),
        (501, "unsupported", ErrorKind::Unsupported),
        (429, "rate_limited", ErrorKind::RateLimited),
        (503, "unavailable", ErrorKind::Unavailable),
        (418, "teapot", ErrorKind::ContentRejected),
    ] {
        let error = rejected(refusal(status, json!({"kind": kind, "text": "нет 🙅"}))).await;
        assert_eq!((error.kind(), error.text()), (means, Some("нет 🙅")), "{kind}");
        assert_eq!(error.code(), Some(kind));
    }
}

#[tokio::test]
async fn an_ill_server_leaves_open_whether_it_was_taken() {
    for (status, kind) in [
        (500, ErrorKind::Unavailable),
        (502, ErrorKind::Unavailable),
        (504, ErrorKind::Unavailable),
        (408, ErrorKind::Protocol),
        (302, ErrorKind::Configuration),
    ] {
        let page = ResponseTemplate::new(status).set_body_string("<html>Bad Gateway</html>");
        assert_eq!(unknown(page).await.kind(), kind, "{status}");
    }
    // A page that happens to hold a refusal is not the program's.
    let page = ResponseTemplate::new(502).set_body_raw(r#"{"error":{"kind":"forbidden"}}"#, "text/html");
    assert_eq!(unknown(page).await.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_server_that_refuses_the_request_itself_is_certain() {
    for (status, kind) in [
        (400, ErrorKind::Protocol),
        (401, ErrorKind::Forbidden),
        (404, ErrorKind::Configuration),
        (405, ErrorKind::Configuration),
        (413, ErrorKind::TooLarge),
    ] {
        let error = rejected(ResponseTemplate::new(status).set_body_string("nginx")).await;
        assert_eq!(error.kind(), kind, "{status}");
        assert!(error.advice().is_some(), "{status}");
    }
}

#[tokio::test]
async fn a_pause_is_told_by_the_header_or_by_the_refusal() {
    let seven = |scope| Retry::After { wait: Duration::from_secs(7), scope };
    let page = ResponseTemplate::new(429).insert_header("retry-after", "7");
    assert_eq!(rejected(page).await.retry(), seven(RateScope::Account));
    let told = refusal(429, json!({"kind": "rate_limited"})).insert_header("retry-after", "7");
    assert_eq!(rejected(told).await.retry(), seven(RateScope::Account));
    let chat = refusal(429, json!({"kind": "rate_limited", "retry_after": 7, "scope": "chat"}));
    assert_eq!(rejected(chat).await.retry(), seven(RateScope::Chat));
    let date = ResponseTemplate::new(429).insert_header("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT");
    assert_eq!(rejected(date).await.retry(), Retry::Later);
}

#[tokio::test]
async fn a_program_that_is_not_there_has_certainly_not_taken_it() {
    let server = MockServer::start().await;
    let config = at(&server);
    drop(server);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let config = with(config, |config| config.endpoint = nobody.parse().unwrap());
    match program(config).send(&item(Content::text("Да"))).await {
        Err(SendError::Rejected(error)) => assert_eq!(error.kind(), ErrorKind::Network),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_refused_signature_needs_a_person() {
    let server = answering(refusal(401, json!({"kind": "bad_signature"}))).await;
    let error = program(at(&server)).check().await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::BadCredentials, Retry::Never));
    assert!(error.advice().unwrap().contains("clocks"), "{error}");
}

#[tokio::test]
async fn a_check_names_the_program_or_takes_the_name_of_the_settings() {
    for (answer, name) in [
        (ResponseTemplate::new(200).set_body_json(json!({"name": "Чат магазина 🛍"})), "Чат магазина 🛍"),
        (ResponseTemplate::new(200).set_body_json(json!({"name": "  "})), "site"),
        (ResponseTemplate::new(204), "site"),
    ] {
        let server = answering(answer).await;
        let account = program(at(&server).named("site")).check().await.unwrap();
        assert_eq!((account.name.as_str(), account.id.as_str()), (name, "site"));
    }
    let server =
        answering(ResponseTemplate::new(200).set_body_string("<html>Welcome to nginx!</html>")).await;
    let error = program(at(&server)).check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "a page is no program");
}

#[tokio::test]
async fn connecting_says_what_to_do_and_asks_nobody() {
    let server = MockServer::start().await;
    let program = program(at(&server));
    let url = WebhookUrl::new("https://crm.example/webhooks/demo/site".parse().unwrap()).unwrap();
    let connected = program.connect(&url).await.unwrap();
    assert_eq!(connected.url.as_ref(), Some(url.as_url()));
    assert!(!connected.steps.is_empty() && connected.steps.iter().all(|step| !step.contains(KEY)));
    program.disconnect().await.unwrap();
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_the_settings_do_not_name_is_not_there() {
    let server = MockServer::start().await;
    let plain = program(at(&server).able(Abilities::default()));
    assert!(plain.as_edit().is_none() && plain.as_delete().is_none() && plain.as_react().is_none());
    assert!(plain.as_read().is_none() && plain.as_typing().is_none() && plain.as_answer().is_none());
    assert!(plain.as_links().is_none());
    let keys = Content::text("Верно?").buttons([Button::press("Да", "yes")]);
    match plain.send(&item(keys)).await {
        Err(SendError::Rejected(error)) => assert_eq!(error.kind(), ErrorKind::Unsupported),
        other => panic!("{other:?}"),
    }
    assert!(server.received_requests().await.unwrap().is_empty());
    let linked = program(at(&server).linked("https://shop.example/{token}"));
    let token = CampaignToken::new("spring").unwrap();
    let link = linked.as_links().unwrap().link(&token).await.unwrap();
    assert_eq!(link.as_str(), "https://shop.example/spring");
}

#[tokio::test]
async fn files_come_from_the_endpoints_place_and_nowhere_else() {
    let server = answering(ResponseTemplate::new(200).set_body_bytes("файл")).await;
    let fetch = async |config: Config, url: &str, cap: u64| {
        let mut stream = program(config).fetch(&MediaRef::new(url), cap).await?;
        let mut bytes = Vec::new();
        while let Some(piece) = stream.bytes.next().await {
            bytes.extend_from_slice(&piece?);
        }
        Ok::<_, Error>(bytes)
    };
    let here = format!("{}/files/1", server.uri());
    assert_eq!(fetch(at(&server), &here, 100).await.unwrap(), "файл".as_bytes());
    assert_eq!(fetch(at(&server), &here, 7).await.unwrap_err().kind(), ErrorKind::TooLarge);
    let small = with(at(&server), |config| config.fetch_bytes = Some(3));
    assert_eq!(fetch(small, &here, 100).await.unwrap_err().kind(), ErrorKind::TooLarge);
    let more = with(at(&server), |config| config.media_hosts = vec!["media.example".to_owned()]);
    let port = server.address().port();
    for elsewhere in [
        "https://files.example/1",
        "http://169.254.169.254/latest/meta-data",
        &format!("http://localhost:{port}/files/1"),
        &format!("https://127.0.0.1:{port}/files/1"),
        "file:///etc/passwd",
    ] {
        let error = fetch(more.clone(), elsewhere, 100).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{elsewhere}");
    }
    assert_eq!(fetch(at(&server), "нет", 100).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn no_key_is_ever_shown() {
    let quoting = refusal(401, json!({"kind": KEY, "text": format!("expected {KEY} or {NEXT}")}));
    let server = answering(quoting.insert_header("location", KEY)).await;
    let program = program(at(&server).taking(NEXT));
    let mut shown = vec![format!("{program:?}")];
    let mut errors = vec![program.check().await.unwrap_err()];
    errors.push(program.send(&item(Content::text("Да"))).await.unwrap_err().into_error());
    errors.push(program.as_typing().unwrap().typing(&Address::new("7")).await.unwrap_err());
    errors.push(program.fetch(&MediaRef::new(format!("{}/{KEY}", server.uri())), 9).await.unwrap_err());
    for error in &errors {
        shown.push(format!("{error} {error:?} {:?} {:?}", error.report(), error.source()));
    }
    for text in shown {
        assert!(!text.contains(NEXT) && !text.contains(KEY), "{text}");
    }
}

#[tokio::test]
async fn while_keys_change_the_first_signs_and_all_are_taken() {
    let server = answering(ResponseTemplate::new(204)).await;
    let config = with(at(&server), |config| config.keys = vec![Secret::new(NEXT), Secret::new(KEY)]);
    let program = program(config);
    program.check().await.unwrap();
    let request = server.received_requests().await.unwrap().remove(0);
    let at = Timestamp::from_secs(request.headers[TIMESTAMP_HEADER].to_str().unwrap().parse().unwrap());
    assert_eq!(request.headers[SIGNATURE_HEADER], verify::sign(&Secret::new(NEXT), at, &request.body).1);
    for (key, is_taken) in [(KEY, true), (NEXT, true), ("a-key-of-nobody-at-all", false)] {
        let mut webhook = WebhookRequest::post("/hook", "{\"events\":[]}", at);
        let (timestamp, signature) = verify::sign(&Secret::new(key), at, &webhook.body);
        webhook.headers.insert(TIMESTAMP_HEADER, timestamp.parse().unwrap());
        webhook.headers.insert(SIGNATURE_HEADER, signature.parse().unwrap());
        assert_eq!(program.receive(&webhook).is_ok(), is_taken, "{key}");
    }
}

#[tokio::test]
async fn there_is_nothing_to_listen_to() {
    use omni_core::Cursor;
    use omni_core::channel::{Receives, Sink};

    #[derive(Debug)]
    struct Nobody;
    #[async_trait::async_trait]
    impl Sink for Nobody {
        async fn commit(&self, _: Vec<omni_core::Event>, _: Cursor) -> Result<(), Error> {
            Ok(())
        }
        fn alive(&self) {}
    }
    let program = program(Config::new("https://chat.example/".parse().unwrap(), KEY));
    assert_eq!(program.receives(), Receives::Webhook);
    let error = program.listen(None, &Nobody).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn a_registry_makes_channels_and_explains_bad_settings_without_quoting_them() {
    let registry = Registry::new().with(omni_webhook::connector(Http::new().unwrap()));
    let connect = |json: &str| registry.connect(&omni_webhook::PROVIDER, json);
    let settings = json!({"endpoint": "https://chat.example/omni", "keys": [KEY], "capabilities": {
        "content": ["image", "buttons"], "actions": ["edit"], "statuses": ["read"], "text_max": 1000
    }});
    let channel = connect(&settings.to_string()).unwrap();
    assert_eq!(channel.capabilities().text.max, Some(1000));
    assert_eq!(channel.capabilities().statuses, [Status::Read]);
    for (bad, says) in [
        (format!(r#"{{"endpoint": "{KEY}", "keys": ["{KEY}"]}}"#), "wrong type"),
        (format!(r#"{{"endpoint": "https://chat.example/", "keys": "{KEY}"}}"#), "wrong type"),
        (format!(r#"{{"endpoint": "https://chat.example/", "keys": ["{KEY}"], "kyes": []}}"#), "kyes"),
        (format!(r#"{{"keys": ["{KEY}"]}}"#), "endpoint"),
        (r#"{"endpoint": "https://chat.example/", "keys": []}"#.to_owned(), "one to four"),
    ] {
        let error = connect(&bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(says), "{error}");
        assert!(!format!("{error} {error:?}").contains(KEY));
    }
}
