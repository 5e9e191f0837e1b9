//! The connector against a server that gives one answer after another.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use omni_avito::{Avito, Config, PROVIDER};
use omni_core::channel::Receives;
use omni_core::content::Content;
use omni_core::error::{ErrorKind, RateScope, Retry};
use omni_core::event::EventKind;
use omni_core::media::{Media, MediaKind, MediaRef};
use omni_core::outbound::{Author, OutboundItem, SendError};
use omni_core::registry::Registry;
use omni_core::tokens::{MemoryTokens, TokenStore};
use omni_core::webhook::{WebhookRequest, WebhookUrl};
use omni_core::{
    Address, Channel, Error, Inbound, MessageId, Outbound, ProviderMessageId, Status, Timestamp,
};
use omni_http::Http;
use serde_json::{Value, json};
use url::Url;
use wiremock::matchers::{body_json, body_string_contains, header, method, path};
use wiremock::{Mock, MockBuilder, MockServer, ResponseTemplate};

const ME: i64 = 70_010_001;
const CHAT: &str = "u2i-AbCdEf~1234";
const CLIENT_SECRET: &str = "zX9-client-secret";
const SECRET: &str = "Zx9_random-256bit";
const ACCESS: &str = "aT-000000000001";

fn at(server: &MockServer) -> Config {
    let base = Url::parse(&server.uri()).unwrap();
    Config::new("aB3kQ", CLIENT_SECRET).account(ME).webhook(SECRET).at(base)
}

fn account(config: Config) -> Avito {
    with_tokens(config, Arc::new(MemoryTokens::default()))
}

fn with_tokens(config: Config, tokens: Arc<MemoryTokens>) -> Avito {
    Avito::new(config, Http::new().unwrap(), tokens).unwrap()
}

fn item(content: Content) -> OutboundItem {
    OutboundItem {
        id: MessageId::from_bytes([7; 16]),
        address: Address::new(CHAT),
        content,
        reply_to: None,
        face: None,
        author: Author::Person,
        note: None,
    }
}

fn json_answer(code: u16, body: Value) -> ResponseTemplate {
    ResponseTemplate::new(code).set_body_json(body)
}

fn refused(code: u16, message: &str) -> ResponseTemplate {
    json_answer(code, json!({"error": {"code": code, "message": message}}))
}

fn tokens(access: &str) -> ResponseTemplate {
    json_answer(200, json!({"access_token": access, "expires_in": 86400, "token_type": "Bearer"}))
}

fn call(verb: &str, at: &str) -> MockBuilder {
    Mock::given(method(verb)).and(path(at))
}

fn sends() -> MockBuilder {
    call("POST", &format!("/messenger/v1/accounts/{ME}/chats/{CHAT}/messages"))
}

/// A server that hands out a token.
async fn server() -> MockServer {
    let server = MockServer::start().await;
    call("POST", "/token").respond_with(tokens(ACCESS)).mount(&server).await;
    server
}

fn sent(id: &str) -> ResponseTemplate {
    json_answer(200, json!({"id": id, "created": 1790000200, "direction": "out", "type": "text"}))
}

async fn outcome(answer: ResponseTemplate) -> SendError {
    let server = server().await;
    sends().respond_with(answer).mount(&server).await;
    account(at(&server)).send(&item(Content::text("да"))).await.unwrap_err()
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_carried_along() {
    let server = MockServer::start().await;
    call("POST", "/token")
        .and(header("content-type", "application/x-www-form-urlencoded"))
        .and(body_string_contains(
            "grant_type=client_credentials&client_id=aB3kQ&client_secret=zX9-client-secret",
        ))
        .respond_with(tokens(ACCESS))
        .expect(1)
        .mount(&server)
        .await;
    sends()
        .and(header("authorization", &*format!("Bearer {ACCESS}")))
        .and(body_json(json!({"message": {"text": "Привет 👋"}, "type": "text"})))
        .respond_with(sent("beef01"))
        .expect(2)
        .mount(&server)
        .await;
    let account = account(at(&server));
    for _ in 0..2 {
        let accepted = account.send(&item(Content::text("Привет 👋"))).await.unwrap();
        assert_eq!((accepted.id.as_str(), accepted.status), ("beef01", Status::Sent));
    }
}

#[tokio::test]
async fn a_token_that_ran_out_is_renewed_once_and_the_call_made_once_more() {
    for code in [401, 403] {
        let server = MockServer::start().await;
        call("POST", "/token").respond_with(tokens("aT-old")).up_to_n_times(1).mount(&server).await;
        call("POST", "/token").respond_with(tokens("aT-new")).expect(1).mount(&server).await;
        sends()
            .and(header("authorization", "Bearer aT-old"))
            .respond_with(refused(code, "invalid access token"))
            .expect(1)
            .mount(&server)
            .await;
        sends()
            .and(header("authorization", "Bearer aT-new"))
            .respond_with(sent("beef02"))
            .expect(1)
            .mount(&server)
            .await;
        let accepted = account(at(&server)).send(&item(Content::text("да"))).await.unwrap();
        assert_eq!(accepted.id.as_str(), "beef02");
    }
}

#[tokio::test]
async fn a_missing_right_renews_no_token_twice_a_minute() {
    let server = MockServer::start().await;
    call("POST", "/token").respond_with(tokens("aT-1")).up_to_n_times(1).mount(&server).await;
    call("POST", "/token").respond_with(tokens("aT-2")).expect(1).mount(&server).await;
    sends().respond_with(refused(403, "access denied")).expect(4).mount(&server).await;
    let account = account(at(&server));
    for _ in 0..3 {
        let error = account.send(&item(Content::text("да"))).await.unwrap_err();
        assert!(matches!(&error, SendError::Rejected(e) if e.kind() == ErrorKind::Forbidden), "{error:?}");
        assert!(error.error().advice().unwrap().contains("messenger:write"));
    }
}

#[tokio::test]
async fn refused_keys_are_bad_credentials_with_advice_and_nothing_is_sent() {
    for (code, body) in [
        (401, json!({"error": "invalid_client", "error_description": "secret zX9-client-secret is wrong"})),
        (400, json!({"error": {"code": 400, "message": "bad client"}})),
        (403, json!({"result": {"status": false, "message": "no"}})),
    ] {
        let server = MockServer::start().await;
        call("POST", "/token").respond_with(json_answer(code, body)).mount(&server).await;
        let account = account(at(&server));
        let error = account.check().await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::BadCredentials, Retry::Never));
        assert!(error.advice().unwrap().contains("professionals/api"));
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(CLIENT_SECRET), "{shown}");
        let send = account.send(&item(Content::text("да"))).await.unwrap_err();
        assert!(matches!(send, SendError::Rejected(_)), "{send:?}");
    }
}

#[tokio::test]
async fn an_ill_token_server_is_no_bad_credential() {
    let server = MockServer::start().await;
    call("POST", "/token").respond_with(ResponseTemplate::new(502)).mount(&server).await;
    let error = account(at(&server)).send(&item(Content::text("да"))).await.unwrap_err();
    assert!(matches!(&error, SendError::Rejected(e) if e.kind() == ErrorKind::Unavailable), "{error:?}");
}

#[tokio::test]
async fn a_refresh_token_is_used_once_and_the_next_one_kept() {
    let server = MockServer::start().await;
    let pair = |n: u32| {
        json_answer(
            200,
            json!({"access_token": format!("aT-{n}"), "expires_in": 1, "refresh_token": format!("rT-{n}")}),
        )
    };
    for n in 1..=3 {
        call("POST", "/token")
            .and(body_string_contains("grant_type=refresh_token"))
            .and(body_string_contains(&*format!("refresh_token=rT-{}", n - 1)))
            .respond_with(pair(n))
            .expect(1)
            .mount(&server)
            .await;
    }
    sends().respond_with(sent("beef")).mount(&server).await;
    let store = Arc::new(MemoryTokens::default());
    let config = at(&server).application("rT-0");
    let first = with_tokens(config.clone(), store.clone());
    // Tokens of a second's life are renewed before each call.
    for _ in 0..2 {
        first.send(&item(Content::text("да"))).await.unwrap();
    }
    let restarted = with_tokens(config, store.clone());
    restarted.send(&item(Content::text("да"))).await.unwrap();
    let kept = store.load("avito:aB3kQ:70010001").await.unwrap().unwrap();
    assert_eq!(kept.refresh.unwrap().expose(), "rT-3");
}

#[tokio::test]
async fn a_person_who_allowed_anew_is_connected_anew() {
    let server = MockServer::start().await;
    let store = Arc::new(MemoryTokens::default());
    let old = omni_core::tokens::Tokens {
        access: "aT-old".into(),
        refresh: Some("rT-used".into()),
        expires_at: Some(Timestamp::default()),
    };
    store.save("avito:aB3kQ:70010001", &old).await.unwrap();
    let grant = |token: &str| call("POST", "/token").and(body_string_contains(token));
    let used = json!({"error": "invalid_grant", "error_description": "rT-used is used"});
    grant("refresh_token=rT-used").respond_with(json_answer(400, used)).expect(1).mount(&server).await;
    let fresh = json!({"access_token": "aT-new", "expires_in": 86400, "refresh_token": "rT-2"});
    grant("refresh_token=rT-anew").respond_with(json_answer(200, fresh)).expect(1).mount(&server).await;
    sends().and(header("authorization", "Bearer aT-new")).respond_with(sent("beef")).mount(&server).await;
    let account = with_tokens(at(&server).application("rT-anew"), store);
    account.send(&item(Content::text("да"))).await.unwrap();
}

#[tokio::test]
async fn a_code_is_exchanged_for_a_pair() {
    let server = MockServer::start().await;
    let answer =
        json!({"access_token": "aT", "expires_in": 86400, "refresh_token": "rT", "scope": "messenger:read"});
    call("POST", "/token")
        .and(body_string_contains("grant_type=authorization_code"))
        .and(body_string_contains("code=c-1"))
        .respond_with(json_answer(200, answer))
        .mount(&server)
        .await;
    let tokens = omni_avito::oauth::exchange(&Http::new().unwrap(), &at(&server), "c-1").await.unwrap();
    assert_eq!(tokens.refresh.unwrap().expose(), "rT");
}

#[tokio::test]
async fn a_refusal_is_certain_and_says_when_to_come_back() {
    let slow = refused(429, "Too Many Requests").insert_header("retry-after", "14");
    let after = |secs| Retry::After { wait: Duration::from_secs(secs), scope: RateScope::Account };
    let error = outcome(slow).await;
    assert!(matches!(error, SendError::Rejected(_)));
    assert_eq!(error.error().retry(), after(14));
    let page = ResponseTemplate::new(429).set_body_string("<html>Slow down");
    assert_eq!(outcome(page).await.error().retry(), after(1));
    let rows = [
        (400, ErrorKind::ContentRejected),
        (402, ErrorKind::Forbidden),
        (404, ErrorKind::RecipientUnreachable),
        (413, ErrorKind::TooLarge),
    ];
    for (code, kind) in rows {
        let error = outcome(refused(code, "нет")).await;
        assert!(matches!(&error, SendError::Rejected(e) if e.kind() == kind), "{code}: {error:?}");
    }
    let resting = outcome(refused(503, "Unavailable")).await;
    assert!(matches!(&resting, SendError::Rejected(e) if e.retry() == Retry::Later), "{resting:?}");
    let fields = json!({"error": {"code": 400, "message": "Bad Request", "fields": {"text": "too long"}}});
    assert_eq!(outcome(json_answer(400, fields)).await.error().kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn a_lost_answer_leaves_it_open() {
    let page = |code| ResponseTemplate::new(code).set_body_string("<html>Bad Gateway</html>");
    let lost = [
        page(502),
        page(503),
        page(504),
        page(200),
        refused(500, "Internal"),
        refused(408, "Request Timeout"),
        json_answer(200, json!({"no": "id"})),
        json_answer(200, json!({"id": ""})),
        ResponseTemplate::new(200).set_body_string(r#"{"id":"beef"#),
        ResponseTemplate::new(302).insert_header("location", "https://example.com/"),
    ];
    for answer in lost {
        let shown = format!("{answer:?}");
        let error = outcome(answer).await;
        assert!(matches!(error, SendError::Unknown(_)), "{shown}: {error:?}");
    }
}

#[tokio::test]
async fn a_closed_port_is_certainly_not_sent() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let config = Config::new("aB3kQ", CLIENT_SECRET).account(ME).polling().at(base);
    let error = account(config).send(&item(Content::text("да"))).await.unwrap_err();
    assert!(matches!(&error, SendError::Rejected(e) if e.kind() == ErrorKind::Network), "{error:?}");
}

#[tokio::test]
async fn an_upload_that_fails_has_sent_nothing_and_a_sent_picture_is_one_upload() {
    let picture =
        || Content::media(Media::new(MediaKind::Image, Bytes::from_static(b"GIF89a")).named("a.png"));
    let uploads = || call("POST", &format!("/messenger/v1/accounts/{ME}/uploadImages"));
    for answer in [
        ResponseTemplate::new(502),
        json_answer(200, json!({})),
        ResponseTemplate::new(200).set_body_string("<html>"),
        refused(400, "no picture"),
    ] {
        let server = server().await;
        uploads().respond_with(answer).expect(1).mount(&server).await;
        let error = account(at(&server)).send(&item(picture())).await.unwrap_err();
        assert!(matches!(error, SendError::Rejected(_)), "{error:?}");
    }
    let server = server().await;
    let sizes = json!({"90210.q": {"32x32": "https://img.example/s.png"}});
    uploads()
        .and(body_string_contains("name=\"uploadfile[]\"; filename=\"a.png\""))
        .respond_with(json_answer(200, sizes))
        .expect(1)
        .mount(&server)
        .await;
    call("POST", &format!("/messenger/v1/accounts/{ME}/chats/{CHAT}/messages/image"))
        .and(body_json(json!({"image_id": "90210.q"})))
        .respond_with(sent("beef03"))
        .expect(2)
        .mount(&server)
        .await;
    let account = account(at(&server));
    let upload = account.outbound().unwrap().as_upload().unwrap();
    let Some(Media { source, .. }) = picture().all_media().next().cloned() else { panic!("no picture") };
    let at = upload.upload(&Address::new(CHAT), &Media::new(MediaKind::Image, MediaRef::new("x"))).await;
    assert_eq!(at.unwrap_err().kind(), ErrorKind::ContentRejected, "only bytes are uploaded");
    let media = Media { source, ..Media::new(MediaKind::Image, MediaRef::new("x")).named("a.png") };
    let at = upload.upload(&Address::new(CHAT), &media).await.unwrap();
    for _ in 0..2 {
        let again = Content::media(Media::new(MediaKind::Image, at.clone()));
        assert_eq!(account.send(&item(again)).await.unwrap().id.as_str(), "beef03");
    }
}

#[tokio::test]
async fn a_check_tells_the_account_and_what_is_missing() {
    let server = server().await;
    let own = json!({"id": ME, "name": "Авто Плюс", "profile_url": "https://avito.ru/user/0a/profile"});
    call("GET", "/core/v1/accounts/self").respond_with(json_answer(200, own)).mount(&server).await;
    let mut config = at(&server);
    config.webhook_secret = None;
    config.user_id = None;
    let found = account(config.clone()).check().await.unwrap();
    assert_eq!((found.id.as_str(), found.name.as_str()), ("70010001", "Авто Плюс"));
    assert_eq!(found.handle.as_deref(), Some("https://avito.ru/user/0a/profile"));
    assert!(found.warnings.iter().any(|warning| warning.contains("webhook_secret")));
    let error = account(config.account(7)).check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "keys of another account: {error}");
}

#[tokio::test]
async fn a_check_without_the_right_to_the_name_still_proves_the_token() {
    let server = server().await;
    call("GET", "/core/v1/accounts/self").respond_with(refused(403, "no scope")).mount(&server).await;
    let list = json_answer(200, json!({"subscriptions": []}));
    call("POST", "/messenger/v1/subscriptions").respond_with(list).mount(&server).await;
    let found = account(at(&server)).check().await.unwrap();
    assert_eq!((found.id.as_str(), found.name.as_str()), ("70010001", "Avito 70010001"));
    assert!(found.warnings.iter().any(|warning| warning.contains("user:read")));
    let mut nameless = at(&server);
    nameless.user_id = None;
    assert_eq!(account(nameless).check().await.unwrap_err().kind(), ErrorKind::Forbidden);
}

#[tokio::test]
async fn the_number_of_the_account_is_asked_for_once_when_it_is_not_set() {
    let server = server().await;
    let own = json_answer(200, json!({"id": ME}));
    call("GET", "/core/v1/accounts/self").respond_with(own).expect(1).mount(&server).await;
    sends().respond_with(sent("beef")).expect(2).mount(&server).await;
    let mut config = at(&server);
    config.user_id = None;
    let account = account(config);
    for _ in 0..2 {
        account.send(&item(Content::text("да"))).await.unwrap();
    }
}

#[tokio::test]
async fn connecting_registers_the_secret_and_takes_back_only_what_is_ours() {
    let server = server().await;
    let hook = |last: &str| format!("https://crm.example/hooks/avito{last}");
    let listed = json!({"subscriptions": [
        {"url": hook("/an-old-secret-of-ours"), "version": "3"},
        {"url": "https://other.example/avito/x", "version": "3"},
        {"url": hook("/Zx9_random-256bit"), "version": "2"},
    ]});
    call("POST", "/messenger/v1/subscriptions").respond_with(json_answer(200, listed)).mount(&server).await;
    let ok = || json_answer(200, json!({"ok": true}));
    call("POST", "/messenger/v3/webhook")
        .and(body_json(json!({"url": hook("/Zx9_random-256bit")})))
        .respond_with(ok())
        .expect(1)
        .mount(&server)
        .await;
    let unsubscribes =
        |url: String| call("POST", "/messenger/v1/webhook/unsubscribe").and(body_json(json!({ "url": url })));
    unsubscribes(hook("/an-old-secret-of-ours")).respond_with(ok()).expect(1).mount(&server).await;
    unsubscribes(hook("/Zx9_random-256bit")).respond_with(ok()).expect(1).mount(&server).await;
    let account = account(at(&server));
    account.connect(&WebhookUrl::new(Url::parse(&hook("")).unwrap()).unwrap()).await.unwrap();
    account.disconnect().await.unwrap();
    assert_eq!(account.subscriptions().await.unwrap().len(), 3);
}

#[tokio::test]
async fn connecting_without_a_secret_or_by_polling_says_what_to_do() {
    let server = server().await;
    let url = WebhookUrl::new(Url::parse("https://crm.example/hooks").unwrap()).unwrap();
    let mut config = at(&server);
    config.webhook_secret = None;
    for config in [config.clone(), config.polling()] {
        let error = account(config).connect(&url).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.advice().is_some());
    }
}

#[tokio::test]
async fn a_readiness_test_and_unknown_payloads_are_taken() {
    let account = account(Config::new("aB3kQ", CLIENT_SECRET).webhook(SECRET));
    let receive = |body: &str| {
        account.receive(&WebhookRequest::post(
            format!("/hooks/{SECRET}"),
            body.to_owned(),
            Timestamp::default(),
        ))
    };
    let ready = receive("{}").unwrap();
    assert_eq!((ready.answer.status.as_u16(), ready.events.len()), (200, 0));
    let unknown = receive(r#"{"id":"d-1","payload":{"type":"chat_archived","value":{}}}"#).unwrap();
    assert_eq!(unknown.answer.status.as_u16(), 200);
    assert_eq!(unknown.events[0].kind(), EventKind::Unsupported);
    let polling = Avito::new(
        Config::new("aB3kQ", CLIENT_SECRET).webhook(SECRET).polling(),
        Http::new().unwrap(),
        Arc::new(MemoryTokens::default()),
    );
    let request = WebhookRequest::post(format!("/hooks/{SECRET}"), "{}", Timestamp::default());
    assert_eq!(polling.unwrap().receive(&request).unwrap_err().status(), 404);
}

#[tokio::test]
async fn a_message_that_is_gone_is_deleted() {
    let server = server().await;
    let gone = call("POST", &format!("/messenger/v1/accounts/{ME}/chats/{CHAT}/messages/beef"));
    gone.respond_with(refused(404, "message is not found")).expect(1).mount(&server).await;
    let account = account(at(&server));
    let delete = account.outbound().unwrap().as_delete().unwrap();
    delete.delete(&Address::new(CHAT), &ProviderMessageId::from("beef")).await.unwrap();
}

async fn fetched(account: &Avito, id: &str, cap: u64) -> Result<Vec<u8>, Error> {
    let mut stream = account.fetch(&MediaRef::new(id), cap).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.bytes.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    Ok(bytes)
}

#[tokio::test]
async fn media_is_fetched_from_expected_hosts_within_the_cap_and_without_the_token() {
    let server = server().await;
    let file = || ResponseTemplate::new(200).set_body_raw(&b"opus"[..], "audio/mp4");
    call("GET", "/media/vc-77.mp4").respond_with(file()).mount(&server).await;
    let link = format!("{}/media/vc-77.mp4", server.uri());
    let voices = json_answer(200, json!({"voices_urls": [{"voice_id": "vc-77", "url": link}]}));
    call("GET", &format!("/messenger/v1/accounts/{ME}/getVoiceFiles"))
        .respond_with(voices)
        .mount(&server)
        .await;
    let account = account(at(&server));
    assert_eq!(fetched(&account, "voice:vc-77", 100).await.unwrap(), b"opus");
    assert_eq!(fetched(&account, &link, 4).await.unwrap(), b"opus");
    assert_eq!(fetched(&account, &link, 3).await.unwrap_err().kind(), ErrorKind::TooLarge);
    assert_eq!(fetched(&account, "voice:vc-78", 9).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(fetched(&account, "no address", 9).await.unwrap_err().kind(), ErrorKind::NotFound);
    for foreign in
        ["https://evil.example/x", "https://127.0.0.1/x", "http://10.img.avito.st/x", "file:///etc/passwd"]
    {
        let error = fetched(&account, foreign, 9).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{foreign}");
    }
    let asked = server.received_requests().await.unwrap();
    let media = asked.iter().filter(|request| request.url.path().starts_with("/media"));
    assert!(media.clone().count() >= 2 && media.clone().all(|r| !r.headers.contains_key("authorization")));
}

#[tokio::test]
async fn a_receive_only_account_sends_nothing_and_says_so() {
    let server = server().await;
    let account = account(at(&server).receive_only());
    assert!(account.outbound().is_none());
    assert!(account.capabilities().content.is_empty() && !account.capabilities().mark_read.is_there());
    let error = account.send(&item(Content::text("да"))).await.unwrap_err();
    assert!(matches!(&error, SendError::Rejected(e) if e.kind() == ErrorKind::Unsupported), "{error:?}");
    assert_eq!(account.receives(), Receives::Webhook);
}

#[tokio::test]
async fn many_addresses_are_asked_about_in_one_call() {
    let server = server().await;
    let chat = |id: &str| json!({"id": id, "updated": 1, "users": [{"id": 5, "name": format!("Имя {id}")}]});
    let page = json!({"chats": [chat("u2i-1"), chat("u2i-2")]});
    let list = call("GET", &format!("/messenger/v2/accounts/{ME}/chats"));
    list.respond_with(json_answer(200, page)).expect(1).mount(&server).await;
    let one = |id: &str| call("GET", &format!("/messenger/v2/accounts/{ME}/chats/{id}"));
    one("u2i-3").respond_with(json_answer(200, chat("u2i-3"))).expect(1).mount(&server).await;
    one("u2i-4").respond_with(refused(404, "chat is not found")).expect(1).mount(&server).await;
    let account = account(at(&server));
    let addresses = ["u2i-1", "u2i-2", "u2i-3", "u2i-4"].map(Address::new);
    let known = account.as_look_up().unwrap().look_up(&addresses).await.unwrap();
    let names: Vec<_> = known.into_iter().filter_map(|known| known.told.sender?.profile.name).collect();
    assert_eq!(names, ["Имя u2i-1", "Имя u2i-2", "Имя u2i-3"]);
}

#[tokio::test]
async fn an_answer_that_quotes_secrets_is_redacted() {
    let quoted = format!("token {ACCESS} of {CLIENT_SECRET} at https://crm.example/{SECRET}");
    let error = outcome(refused(400, &quoted)).await;
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("***"), "{shown}");
    assert!(![ACCESS, CLIENT_SECRET, SECRET].iter().any(|secret| shown.contains(secret)), "{shown}");
}

#[test]
fn a_registry_connects_accounts_from_json() {
    let registry = Registry::new().with(omni_avito::connector(Http::new().unwrap()));
    let config = r#"{"client_id": "aB3kQ", "client_secret": "zX9-client-secret", "receive": "both",
                     "webhook_secret": "Zx9_random-256bit", "access": "receive_only"}"#;
    let channel = registry.connect(&PROVIDER, config).unwrap();
    assert_eq!(channel.receives(), Receives::Both);
    assert!(channel.outbound().is_none());
    let error = registry.connect(&PROVIDER, r#"{"client_id": "a", "client_secret": ""}"#).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}
