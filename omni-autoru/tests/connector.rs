//! The connector against a server that gives one answer after another.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::time::Duration;

use futures_util::StreamExt;
use omni_autoru::{Autoru, Config, Rest};
use omni_core::channel::Receives;
use omni_core::error::{ErrorKind, RateScope, Retry};
use omni_core::media::MediaRef;
use omni_core::outbound::{Author, OutboundItem, SendError};
use omni_core::webhook::WebhookUrl;
use omni_core::{Address, Channel, Content, Inbound, MessageId, Outbound, ProviderMessageId, Status};
use omni_http::Http;
use serde_json::json;
use url::Url;
use wiremock::matchers::{body_json, body_partial_json, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

const CHAT_ID: &str = "Vj72x3B9NTk0qLw4Zr81mXc5";
const TOKEN: &str = "t0ken-of-the-manager";
const PASSWORD: &str = "pa55-word-0f-olga";
const ID: &str = "07070707-0707-0707-0707-070707070707";

fn at(server: &MockServer) -> Config {
    Config::new(CHAT_ID).at(Url::parse(&format!("{}/hook", server.uri())).unwrap())
}

fn polling(server: &MockServer) -> Config {
    Config::polling(Rest::new(TOKEN, "79990001122", PASSWORD).at(Url::parse(&server.uri()).unwrap()))
}

fn dealer(config: Config) -> Autoru {
    Autoru::new(config, Http::new().unwrap()).unwrap()
}

fn hook() -> wiremock::MockBuilder {
    Mock::given(method("POST")).and(path("/hook")).and(query_param("token", CHAT_ID))
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

fn webhook_url(text: &str) -> WebhookUrl {
    WebhookUrl::new(Url::parse(text).unwrap()).unwrap()
}

/// Logs in and gives this session.
async fn logs_in(server: &MockServer, session: &str, times: u64) {
    Mock::given(method("POST"))
        .and(path("/auth/login"))
        .and(header("x-authorization", TOKEN))
        .and(body_json(json!({"login": "79990001122", "password": PASSWORD})))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "session": {"id": session, "ttl_sec": "7776000", "expire_timestamp": "2026-12-01T00:00:00Z"},
            "user": {"id": "u-me"}, "status": "SUCCESS",
        })))
        .expect(times)
        .mount(server)
        .await;
}

#[tokio::test]
async fn a_message_goes_out_with_its_chat_id_and_further_headers() {
    let server = MockServer::start().await;
    hook()
        .and(header("accept", "application/json"))
        .and(header("authorization", "Bearer support-asked"))
        .and(body_json(json!({
            "sender": {"name": "Ольга"},
            "recipient": {"id": "9d1f3c"},
            "message": {"type": "text", "id": ID, "text": "Да 🚗"},
        })))
        .respond_with(ResponseTemplate::new(200))
        .expect(1)
        .mount(&server)
        .await;
    let mut config = at(&server);
    config.operator_name = "Ольга".into();
    config.extra_headers.insert("Authorization".into(), "Bearer support-asked".into());
    let accepted = dealer(config).send(&item("9d1f3c", "Да 🚗")).await.unwrap();
    assert_eq!((accepted.id.as_str(), accepted.status), (ID, Status::Accepted));
}

#[tokio::test]
async fn a_refusal_is_certain_and_an_ill_server_is_not() {
    let rows = [
        (400, ErrorKind::ContentRejected, true),
        (401, ErrorKind::BadCredentials, true),
        (403, ErrorKind::BadCredentials, true),
        (404, ErrorKind::BadCredentials, true),
        (408, ErrorKind::Unavailable, false),
        (413, ErrorKind::TooLarge, true),
        (429, ErrorKind::RateLimited, true),
        (500, ErrorKind::Unavailable, false),
        (502, ErrorKind::Unavailable, false),
        (302, ErrorKind::Protocol, false),
    ];
    for (status, kind, certain) in rows {
        let server = MockServer::start().await;
        hook().respond_with(ResponseTemplate::new(status)).expect(1).mount(&server).await;
        let failed = dealer(at(&server)).send(&item("9d1f3c", "Да")).await.unwrap_err();
        assert_eq!(failed.error().kind(), kind, "{status}");
        assert_eq!(matches!(failed, SendError::Rejected(_)), certain, "{status}");
    }
}

#[tokio::test]
async fn a_pause_is_as_long_as_it_says() {
    let server = MockServer::start().await;
    hook().respond_with(ResponseTemplate::new(429).insert_header("retry-after", "7")).mount(&server).await;
    let failed = dealer(at(&server)).send(&item("9d1f3c", "Да")).await.unwrap_err();
    let wait = Duration::from_secs(7);
    assert_eq!(failed.error().retry(), Retry::After { wait, scope: RateScope::Account });
}

#[tokio::test]
async fn an_answer_that_never_comes_leaves_it_open() {
    let nobody = Config::new(CHAT_ID).at(Url::parse("http://127.0.0.1:1/hook").unwrap());
    let failed = dealer(nobody).send(&item("9d1f3c", "Да")).await.unwrap_err();
    assert!(matches!(failed, SendError::Rejected(_)), "nobody was there to take it: {failed:?}");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/hook", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { drop(listener.accept().await) });
    let failed = dealer(Config::new(CHAT_ID).at(url)).send(&item("9d1f3c", "Да")).await.unwrap_err();
    assert!(matches!(failed, SendError::Unknown(_)), "{failed:?}");
}

#[tokio::test]
async fn an_answer_that_quotes_secrets_or_words_shows_neither() {
    let server = MockServer::start().await;
    let quote = format!(
        "bad request /hook?token={CHAT_ID} {{\"text\":\"Паспорт 4509 123456\"}} p4th-s3cret Bearer hush"
    );
    hook().respond_with(ResponseTemplate::new(400).set_body_string(quote)).mount(&server).await;
    let mut config = at(&server).path_secret("p4th-s3cret");
    config.extra_headers.insert("authorization".into(), "Bearer hush".into());
    let failed = dealer(config).send(&item("9d1f3c", "Паспорт 4509 123456")).await.unwrap_err();
    let shown = format!("{failed} {failed:?}");
    assert!(shown.contains("bad request"), "{shown}");
    for secret in [CHAT_ID, "Паспорт", "p4th", "hush"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn connecting_says_what_to_type_and_shows_no_chat_id() {
    let dealer = dealer(Config::new(CHAT_ID).path_secret("p4th-s3cret"));
    for at in ["https://crm.example/hook/7", "https://crm.example/hook/7/"] {
        let connected = dealer.connect(&webhook_url(at)).await.unwrap();
        assert_eq!(connected.url.unwrap().as_str(), "https://crm.example/hook/7/p4th-s3cret");
        let steps = connected.steps.join("\n");
        assert!(steps.contains("ChatId") && steps.contains("chat_id") && !steps.contains(CHAT_ID), "{steps}");
    }
    let error = dealer.connect(&webhook_url("https://crm.example/hook?tenant=7")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    dealer.disconnect().await.unwrap();
}

#[tokio::test]
async fn an_account_that_polls_registers_no_webhook() {
    let server = MockServer::start().await;
    let dealer = dealer(polling(&server));
    assert_eq!(dealer.receives(), Receives::Listen);
    let error = dealer.connect(&webhook_url("https://crm.example/hook")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.advice().is_some());
}

#[tokio::test]
async fn a_check_by_webhook_names_the_account_and_warns_of_what_can_be_guessed() {
    let mut config = Config::new("Vj72x3B9");
    config.name = Some("Автосалон на Тверской".into());
    let account = dealer(config).check().await.unwrap();
    assert_eq!(account.name, "Автосалон на Тверской");
    assert!(!account.id.as_str().contains("Vj72"), "{account:?}");
    assert!(account.warnings[0].contains("guessed"), "{account:?}");
    assert!(dealer(Config::new(CHAT_ID)).check().await.unwrap().warnings.is_empty());
}

#[tokio::test]
async fn seen_is_told_to_buyers_and_to_rooms() {
    let server = MockServer::start().await;
    logs_in(&server, "s-1", 1).await;
    let mark = json!({"recipient": {"id": "9d1f3c"}, "message": {"type": "seen", "id": "seen-77aa01"}});
    hook()
        .and(body_partial_json(mark))
        .respond_with(ResponseTemplate::new(200))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(method("DELETE"))
        .and(path("/chat/message/unread"))
        .and(query_param("room_id", "8a8a"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"status": "SUCCESS"})))
        .expect(1)
        .mount(&server)
        .await;
    let dealer = dealer(at(&server).rest(polling(&server).rest.unwrap()));
    let read = dealer.as_read().unwrap();
    let message = ProviderMessageId::from("77aa01");
    read.mark_read(&Address::new("9d1f3c"), &message).await.unwrap();
    read.mark_read(&Address::new("room:8a8a"), &message).await.unwrap();
}

#[tokio::test]
async fn an_address_whose_settings_are_missing_says_which() {
    let server = MockServer::start().await;
    let refused = [(at(&server), "room:8a8a", "rest"), (polling(&server), "9d1f3c", "chat_id")];
    for (config, address, setting) in refused {
        let failed = dealer(config).send(&item(address, "Да")).await.unwrap_err();
        let SendError::Rejected(error) = failed else { panic!("{failed:?}") };
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(setting), "{error}");
    }
}

#[tokio::test]
async fn a_picture_is_fetched_from_expected_hosts_only_and_within_the_cap() {
    let server = MockServer::start().await;
    Mock::given(path("/p.jpg"))
        .respond_with(ResponseTemplate::new(200).set_body_bytes(vec![7; 100]))
        .mount(&server)
        .await;
    let dealer = dealer(at(&server));
    let here = MediaRef::new(format!("{}/p.jpg", server.uri()));
    let mut stream = dealer.fetch(&here, 100).await.unwrap();
    assert_eq!(stream.bytes.next().await.unwrap().unwrap(), vec![7; 100]);
    assert_eq!(dealer.fetch(&here, 99).await.unwrap_err().kind(), ErrorKind::TooLarge);
    for elsewhere in
        ["https://evil.example/p.jpg", "http://avatars.mds.yandex.net/p.jpg", "https://10.0.0.7/p.jpg"]
    {
        let error = dealer.fetch(&MediaRef::new(elsewhere), 100).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{elsewhere}");
        assert!(error.advice().unwrap().contains("media_hosts"), "{error}");
    }
    assert_eq!(dealer.fetch(&MediaRef::new("не адрес"), 1).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn the_cap_of_the_settings_counts_too() {
    let server = MockServer::start().await;
    Mock::given(path("/p.jpg"))
        .respond_with(ResponseTemplate::new(200).set_body_bytes(vec![7; 100]))
        .mount(&server)
        .await;
    let mut config = at(&server);
    config.fetch_bytes = Some(99);
    let here = MediaRef::new(format!("{}/p.jpg", server.uri()));
    assert_eq!(dealer(config).fetch(&here, 1000).await.unwrap_err().kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn words_for_a_room_go_out_with_every_header_and_come_back_with_an_id() {
    let server = MockServer::start().await;
    logs_in(&server, "s-1", 1).await;
    Mock::given(method("POST"))
        .and(path("/chat/message"))
        .and(header("x-authorization", TOKEN))
        .and(header("x-session-id", "s-1"))
        .and(header("x-dealer-id", "20101"))
        .and(body_json(json!({
            "room_id": "8a8a",
            "payload": {"content_type": "TEXT_PLAIN", "value": "Да 🚗"},
            "provided_id": ID,
        })))
        .respond_with(ResponseTemplate::new(200).set_body_json(
            json!({"message": {"id": "m2", "room_id": "8a8a", "me": true}, "status": "SUCCESS"}),
        ))
        .expect(1)
        .mount(&server)
        .await;
    let mut config = polling(&server);
    config.rest.as_mut().unwrap().dealer_id = Some("20101".into());
    let accepted = dealer(config).send(&item("room:8a8a", "Да 🚗")).await.unwrap();
    assert_eq!((accepted.id.as_str(), accepted.status), ("m2", Status::Accepted));
}

#[tokio::test]
async fn a_success_without_a_message_has_our_id_and_one_without_sense_is_unknown() {
    for (body, known) in
        [(json!({"status": "SUCCESS"}), true), (json!({"message": {"id": {}}}), false), (json!(7), false)]
    {
        let server = MockServer::start().await;
        logs_in(&server, "s-1", 1).await;
        let answer = ResponseTemplate::new(200).set_body_json(&body);
        Mock::given(path("/chat/message")).respond_with(answer).mount(&server).await;
        match dealer(polling(&server)).send(&item("room:8a8a", "Да")).await {
            Ok(accepted) => assert!(known && accepted.id.as_str() == ID, "{body}"),
            Err(SendError::Unknown(error)) => {
                assert!(!known && error.kind() == ErrorKind::Protocol, "{body}")
            }
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_refusal_in_the_envelope_is_one_whatever_the_status() {
    for status in [200, 400] {
        let server = MockServer::start().await;
        logs_in(&server, "s-1", 1).await;
        let words = format!("room is blocked for {TOKEN}");
        let refusal = json!({"error": "ROOM_BLOCKED", "status": "ERROR", "detailed_error": words});
        let answer = ResponseTemplate::new(status).set_body_json(refusal);
        Mock::given(path("/chat/message")).respond_with(answer).expect(1).mount(&server).await;
        let failed = dealer(polling(&server)).send(&item("room:8a8a", "Да")).await.unwrap_err();
        assert!(matches!(failed, SendError::Rejected(_)), "{status}: {failed:?}");
        assert_eq!(failed.error().kind(), ErrorKind::ContentRejected, "{status}");
        let shown = format!("{failed} {failed:?}");
        assert!(shown.contains("ROOM_BLOCKED") && !shown.contains(TOKEN), "{shown}");
    }
}

#[tokio::test]
async fn one_session_serves_all_calls_and_one_that_ended_is_renewed_once() {
    let server = MockServer::start().await;
    let login = |session: &str| {
        let answer = json!({"session": {"id": session, "ttl_sec": 7776000}, "status": "SUCCESS"});
        Mock::given(path("/auth/login")).respond_with(ResponseTemplate::new(200).set_body_json(answer))
    };
    login("s-1").up_to_n_times(1).expect(1).mount(&server).await;
    login("s-2").expect(1).mount(&server).await;
    let account = |session: &str| Mock::given(path("/dealer/account")).and(header("x-session-id", session));
    let good =
        || ResponseTemplate::new(200).set_body_json(json!({"account_id": 12345, "dealer_status": "active"}));
    account("s-1").respond_with(good()).up_to_n_times(3).expect(3).mount(&server).await;
    account("s-1").respond_with(ResponseTemplate::new(401)).mount(&server).await;
    account("s-2").respond_with(good()).expect(4).mount(&server).await;
    let dealer = dealer(polling(&server));
    for _ in 0..3 {
        assert_eq!(dealer.check().await.unwrap().name, "Auto.ru 12345");
    }
    let at_once = futures_util::future::join_all((0..4).map(|_| dealer.check())).await;
    assert!(at_once.into_iter().all(|account| account.unwrap().id.as_str() == "12345"));
}

#[tokio::test]
async fn wrong_credentials_are_bad_credentials_with_advice() {
    for status in [400, 401, 403, 404] {
        let server = MockServer::start().await;
        let refusal = json!({"error": "AUTH_ERROR", "status": "ERROR", "detailed_error": "79990001122 and pa55-word-0f-olga"});
        let answer = ResponseTemplate::new(status).set_body_json(refusal);
        Mock::given(path("/auth/login")).respond_with(answer).mount(&server).await;
        let dealer = dealer(polling(&server));
        let error = dealer.check().await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::BadCredentials, Retry::Never), "{status}");
        assert!(error.advice().is_some(), "{status}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("79990001122") && !shown.contains(PASSWORD), "{shown}");
        let failed = dealer.send(&item("room:8a8a", "Да")).await.unwrap_err();
        assert!(matches!(failed, SendError::Rejected(_)), "{failed:?}");
    }
}
