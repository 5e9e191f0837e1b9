//! The connector against a server that gives one answer after another.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::sync::Mutex;
use std::time::Duration;

use omni_core::channel::Sink;
use omni_core::content::{Button, Content};
use omni_core::error::{ErrorKind, RateScope, Result, Retry};
use omni_core::link::CampaignToken;
use omni_core::media::{Media, MediaKind, MediaRef};
use omni_core::outbound::{Author, OutboundItem, SendError};
use omni_core::webhook::{RejectReason, WebhookRequest, WebhookUrl};
use omni_core::{
    Address, Channel, Cursor, Error, Event, Inbound, MessageId, Outbound, ProviderMessageId, Status,
    Timestamp,
};
use omni_http::Http;
use omni_vk::{Config, Vk};
use serde_json::{Value, json};
use url::Url;
use wiremock::matchers::{body_string_contains, method, path};
use wiremock::{Mock, MockBuilder, MockServer, ResponseTemplate};

const TOKEN: &str = "vk1.a.Zx9random256bitTokenOfTheCommunity";
const SECRET: &str = "s3cr3tABCrandom32charactersOrMore";
const GROUP: i64 = 123_456;

fn at(server: &MockServer) -> Config {
    Config::new(TOKEN, GROUP).webhook(SECRET).at(Url::parse(&server.uri()).unwrap())
}

fn vk(config: Config) -> Vk {
    Vk::new(config, Http::new().unwrap()).unwrap()
}

fn ok(response: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"response": response}))
}

/// As VK refuses: with our own parameters repeated.
fn refused(code: i64, text: &str) -> ResponseTemplate {
    let params = json!([{"key": "message", "value": "тайна"}, {"key": "access_token", "value": TOKEN}]);
    let error = json!({"error_code": code, "error_msg": text, "request_params": params});
    ResponseTemplate::new(200).set_body_json(json!({"error": error}))
}

fn sent(cmid: i64) -> Value {
    json!([{"peer_id": 50112233, "message_id": 4022, "conversation_message_id": cmid}])
}

fn call(name: &str) -> MockBuilder {
    Mock::given(method("POST")).and(path(format!("/method/{name}")))
}

fn item(address: &str, words: &str) -> OutboundItem {
    OutboundItem {
        id: MessageId::from_bytes([7; 16]),
        address: address.parse::<Address>().unwrap(),
        content: Content::text(words),
        reply_to: None,
        face: None,
        author: Author::Person,
    }
}

fn group() -> Value {
    json!({"groups": [{"id": GROUP, "name": "Ромашка", "screen_name": "romashka_shop", "type": "page"}],
        "profiles": []})
}

async fn bodies(server: &MockServer, name: &str) -> Vec<String> {
    let requests = server.received_requests().await.unwrap();
    let calls = requests.into_iter().filter(|r| r.url.path() == format!("/method/{name}"));
    calls.map(|request| String::from_utf8(request.body).unwrap()).collect()
}

#[tokio::test]
async fn a_good_token_names_its_community_and_makes_links() {
    let server = MockServer::start().await;
    call("groups.getById").respond_with(ok(group())).expect(1).mount(&server).await;
    let vk = vk(at(&server));
    let link = vk.as_links().unwrap().link(&CampaignToken::new("spring_2026-a").unwrap()).await.unwrap();
    assert_eq!(link.as_str(), "https://vk.me/romashka_shop?ref=spring_2026-a");
    let again = vk.as_links().unwrap().link(&CampaignToken::new("b").unwrap()).await.unwrap();
    assert_eq!(again.as_str(), "https://vk.me/romashka_shop?ref=b");
    let asked = &bodies(&server, "groups.getById").await[0];
    assert_eq!(asked, &format!("access_token={TOKEN}&v=5.199&lang=ru"));
}

#[tokio::test]
async fn a_check_tells_the_account_and_what_is_missing() {
    let server = MockServer::start().await;
    call("groups.getById").respond_with(ok(group())).mount(&server).await;
    let rights = json!({"mask": 4096, "permissions": [{"name": "messages", "setting": 4096}]});
    call("groups.getTokenPermissions").respond_with(ok(rights)).mount(&server).await;
    let failed = json!({"count": 1, "items": [{"id": 3, "title": "omni", "creator_id": 1,
        "url": "https://omni.example/hook", "secret_key": SECRET, "status": "failed"}]});
    call("groups.getCallbackServers").respond_with(ok(failed)).mount(&server).await;
    let account = vk(at(&server)).check().await.unwrap();
    assert_eq!((account.id.as_str(), account.name.as_str()), ("123456", "Ромашка"));
    assert_eq!(account.handle.as_deref(), Some("romashka_shop"));
    let warned = |what: &str| account.warnings.iter().any(|warning| warning.contains(what));
    assert!(warned("photos") && warned("docs") && warned("manage") && !warned("right messages"));
    assert!(warned("given up") && warned("confirmation code"));
    let mut open = at(&server);
    open.secret = None;
    let account = vk(open).check().await.unwrap();
    assert!(account.warnings.iter().any(|warning| warning.contains("until secret is set")));
}

#[tokio::test]
async fn a_token_of_another_community_is_a_wrong_setting() {
    let server = MockServer::start().await;
    let other = json!({"groups": [{"id": 654321, "name": "Другая"}]});
    call("groups.getById").respond_with(ok(other)).mount(&server).await;
    let error = vk(at(&server)).check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("654321"), "{error}");
    let person = MockServer::start().await;
    call("groups.getById").respond_with(ok(json!({"groups": []}))).mount(&person).await;
    assert_eq!(vk(at(&person)).check().await.unwrap_err().kind(), ErrorKind::Configuration);
}

#[tokio::test]
async fn a_revoked_token_is_bad_credentials_with_advice() {
    for (code, text) in [(5, "User authorization failed"), (27, "Group authorization failed"), (1117, "")] {
        let server = MockServer::start().await;
        call("groups.getById").respond_with(refused(code, text)).mount(&server).await;
        let error = vk(at(&server)).check().await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::BadCredentials, Retry::Never));
        assert!(error.advice().is_some());
    }
}

#[tokio::test]
async fn a_sent_message_has_its_number_within_the_peer() {
    let server = MockServer::start().await;
    call("messages.send").respond_with(ok(sent(18))).expect(1).mount(&server).await;
    let accepted = vk(at(&server)).send(&item("50112233", "Привет & 👋")).await.unwrap();
    assert_eq!((accepted.id.as_str(), accepted.status), ("18", Status::Sent));
    let body = &bodies(&server, "messages.send").await[0];
    assert!(body.starts_with("peer_ids=50112233&random_id="), "{body}");
    assert!(body.contains("message=%D0%9F%D1%80%D0%B8%D0%B2%D0%B5%D1%82+%26+%F0%9F%91%8B"), "{body}");
}

async fn outcome(answer: ResponseTemplate) -> SendError {
    let server = MockServer::start().await;
    call("messages.send").respond_with(answer).expect(1).mount(&server).await;
    vk(at(&server)).send(&item("50112233", "тайна")).await.unwrap_err()
}

#[tokio::test]
async fn a_refusal_is_certain_wherever_it_stands() {
    let blocked = outcome(refused(901, "Can't send messages for users without permission")).await;
    assert!(matches!(&blocked, SendError::Rejected(e) if e.kind() == ErrorKind::RecipientBlocked), "{blocked}");
    let within = json!([{"peer_id": 50112233, "message_id": 0,
        "error": {"code": 901, "description": "Can't send messages for users without permission"}}]);
    let blocked = outcome(ok(within)).await;
    assert!(matches!(&blocked, SendError::Rejected(e) if e.kind() == ErrorKind::RecipientBlocked), "{blocked}");
    let fast = outcome(refused(6, "Too many requests per second")).await;
    let wait = Duration::from_secs(1);
    assert!(matches!(&fast, SendError::Rejected(_)));
    assert_eq!(fast.error().retry(), Retry::After { wait, scope: RateScope::Account });
    let flood = outcome(refused(9, "Flood control")).await;
    let wait = Duration::from_secs(600);
    assert_eq!(flood.error().retry(), Retry::After { wait, scope: RateScope::Chat });
}

#[tokio::test]
async fn what_broke_inside_or_on_the_way_leaves_it_open() {
    for broken in [
        refused(10, "Internal server error"),
        refused(1, "Unknown error occurred"),
        ResponseTemplate::new(502).set_body_string("<html>Bad Gateway"),
        ResponseTemplate::new(504).set_body_string("<html>"),
    ] {
        let error = outcome(broken).await;
        assert!(matches!(&error, SendError::Unknown(e) if e.kind() == ErrorKind::Unavailable), "{error}");
        assert_eq!(error.error().retry(), Retry::Later);
    }
    for unreadable in [
        ResponseTemplate::new(200).set_body_string(r#"{"response": [{"peer_id": 501"#),
        ResponseTemplate::new(200).set_body_string("[]"),
        ResponseTemplate::new(200).set_body_json(json!({})),
        ok(json!(4022)),
        ok(json!([])),
        ok(json!([{"peer_id": 50112233, "message_id": 4022}])),
    ] {
        let error = outcome(unreadable).await;
        assert!(matches!(&error, SendError::Unknown(e) if e.kind() == ErrorKind::Protocol), "{error}");
    }
    let slow = outcome(ResponseTemplate::new(429).set_body_string("<html>")).await;
    assert!(matches!(&slow, SendError::Rejected(e) if e.kind() == ErrorKind::RateLimited), "{slow}");
}

#[tokio::test]
async fn a_closed_port_is_certainly_not_sent() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let config = Config::new(TOKEN, GROUP).at(Url::parse(&format!("http://127.0.0.1:{port}")).unwrap());
    let error = vk(config).send(&item("1", "да")).await.unwrap_err();
    assert!(matches!(&error, SendError::Rejected(e) if e.kind() == ErrorKind::Network), "{error:?}");
}

#[tokio::test]
async fn nothing_secret_and_nothing_said_shows_in_errors() {
    let error = outcome(refused(100, &format!("One of the parameters is invalid: {TOKEN} {SECRET}"))).await;
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("One of the parameters") && shown.contains("***"), "{shown}");
    for hidden in [TOKEN, SECRET, "тайна"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
    let server = MockServer::start().await;
    assert!(!format!("{:?}", vk(at(&server))).contains("Zx9"));
}

#[tokio::test]
async fn a_burst_goes_together_and_each_has_its_own_outcome() {
    let server = MockServer::start().await;
    call("messages.send").respond_with(ok(sent(1))).mount(&server).await;
    let body = json!({
        "response": [sent(11), false, sent(13), [{"peer_id": 5, "error": {"code": 902, "description": "Privacy"}}], false],
        "execute_errors": [
            {"method": "messages.send", "error_code": 914, "error_msg": "Message is too long"},
            {"method": "messages.send", "error_code": 10, "error_msg": "Internal server error"}
        ]});
    call("execute").respond_with(ResponseTemplate::new(200).set_body_json(body)).expect(1).mount(&server).await;
    let mut config = at(&server);
    config.calls_per_second = 5;
    let vk = vk(config);
    // The first turn is free at once; the others wait for the second one together.
    vk.send(&item("5", "первое")).await.unwrap();
    let sends = (0..5).map(|n| {
        let item = OutboundItem { id: MessageId::from_bytes([n; 16]), ..item("5", &format!("слово {n}")) };
        let vk = &vk;
        async move { vk.send(&item).await }
    });
    let outcomes = futures_util::future::join_all(sends).await;
    let ids = |n: usize| outcomes[n].as_ref().unwrap().id.to_string();
    assert_eq!((ids(0), ids(2)), ("11".to_owned(), "13".to_owned()));
    let kind = |n: usize| match outcomes[n].as_ref().unwrap_err() {
        SendError::Rejected(error) => ("rejected", error.kind()),
        SendError::Unknown(error) => ("unknown", error.kind()),
    };
    assert_eq!(kind(1), ("rejected", ErrorKind::TooLarge));
    assert_eq!(kind(3), ("rejected", ErrorKind::RecipientBlocked));
    assert_eq!(kind(4), ("unknown", ErrorKind::Unavailable));
    let code = &bodies(&server, "execute").await[0];
    assert_eq!(code.matches("API.messages.send").count(), 5);
    assert_eq!(bodies(&server, "messages.send").await.len(), 1);
}

async fn burst(answer: ResponseTemplate) -> Vec<SendError> {
    let server = MockServer::start().await;
    call("messages.send").respond_with(ok(sent(1))).mount(&server).await;
    call("execute").respond_with(answer).expect(1).mount(&server).await;
    let mut config = at(&server);
    config.calls_per_second = 5;
    let vk = vk(config);
    vk.send(&item("5", "первое")).await.unwrap();
    let (one, two) = (item("5", "раз"), item("6", "два"));
    let (one, two) = tokio::join!(vk.send(&one), vk.send(&two));
    vec![one.unwrap_err(), two.unwrap_err()]
}

#[tokio::test]
async fn a_burst_that_fails_as_a_whole_fails_for_each_in_the_same_way() {
    for error in burst(refused(6, "Too many requests per second")).await {
        assert!(matches!(&error, SendError::Rejected(e) if e.kind() == ErrorKind::RateLimited), "{error}");
        assert!(matches!(error.error().retry(), Retry::After { .. }));
    }
    for error in burst(refused(5, "User authorization failed")).await {
        assert_eq!(error.error().kind(), ErrorKind::BadCredentials);
        assert!(error.error().advice().is_some());
    }
    let lost = [
        ResponseTemplate::new(502).set_body_string("<html>"),
        ResponseTemplate::new(200).set_body_string("{"),
        ok(json!([sent(1)])),
        ok(json!([false, false])),
    ];
    for answer in lost {
        for error in burst(answer).await {
            assert!(matches!(error, SendError::Unknown(_)), "{error}");
        }
    }
}

#[tokio::test]
async fn whoever_is_dropped_takes_nobody_along() {
    let server = MockServer::start().await;
    call("messages.send").respond_with(ok(sent(1))).mount(&server).await;
    let slow = ok(json!([sent(2), sent(3)])).set_delay(Duration::from_millis(300));
    call("execute").respond_with(slow).expect(1).mount(&server).await;
    let mut config = at(&server);
    config.calls_per_second = 5;
    let vk = vk(config);
    vk.send(&item("5", "первое")).await.unwrap();
    let (leader, follower) = (item("5", "раз"), item("6", "два"));
    // Whichever of the two took the turn: the one that is dropped while the call is out does not end it.
    let dropped = tokio::time::timeout(Duration::from_millis(350), vk.send(&leader));
    let (dropped, kept) = tokio::join!(dropped, vk.send(&follower));
    assert!(dropped.is_err());
    assert_eq!(kept.unwrap().id.as_str(), "3");
}

#[tokio::test]
async fn a_send_dropped_before_its_turn_is_not_sent() {
    let server = MockServer::start().await;
    call("messages.send").respond_with(ok(sent(1))).mount(&server).await;
    let mut config = at(&server);
    config.calls_per_second = 2;
    let vk = vk(config);
    vk.send(&item("5", "первое")).await.unwrap();
    let waiting = item("5", "передумали");
    assert!(tokio::time::timeout(Duration::from_millis(50), vk.send(&waiting)).await.is_err());
    vk.send(&item("5", "второе")).await.unwrap();
    assert_eq!(bodies(&server, "messages.send").await.len(), 2);
    assert!(bodies(&server, "execute").await.is_empty());
}

fn hook() -> WebhookUrl {
    WebhookUrl::new(Url::parse("https://omni.example/hook").unwrap()).unwrap()
}

fn servers(list: Value) -> ResponseTemplate {
    ok(json!({"count": 1, "items": list}))
}

#[tokio::test]
async fn a_webhook_is_entered_with_its_events_and_its_code_is_known() {
    let server = MockServer::start().await;
    call("groups.getCallbackConfirmationCode").respond_with(ok(json!({"code": "a1b2c3d4"}))).mount(&server).await;
    call("groups.getCallbackServers").respond_with(servers(json!([]))).up_to_n_times(1).mount(&server).await;
    let state = |state: &str| {
        servers(json!([{"id": 3, "title": "omni", "url": "https://omni.example/hook", "secret_key": SECRET, "status": state}]))
    };
    call("groups.addCallbackServer").respond_with(ok(json!({"server_id": 3}))).expect(1).mount(&server).await;
    call("groups.setCallbackSettings").respond_with(ok(json!(1))).expect(1).mount(&server).await;
    call("groups.getCallbackServers").respond_with(state("wait")).up_to_n_times(2).mount(&server).await;
    call("groups.getCallbackServers").respond_with(state("ok")).mount(&server).await;
    let vk = vk(at(&server));
    vk.connect(&hook()).await.unwrap();
    let added = &bodies(&server, "groups.addCallbackServer").await[0];
    assert!(added.contains(&format!("title=omni&secret_key={SECRET}")), "{added}");
    let settings = &bodies(&server, "groups.setCallbackSettings").await[0];
    for event in ["api_version=5.199", "message_new=1", "message_event=1", "wall_reply_new=1", "board_post_delete=1"] {
        assert!(settings.contains(event), "{settings}");
    }
    let body = r#"{"type":"confirmation","group_id":123456}"#;
    let received = vk.receive(&WebhookRequest::post("/hook", body, Timestamp::default())).unwrap();
    assert_eq!(&received.answer.body[..], b"a1b2c3d4");
}

#[tokio::test]
async fn a_webhook_that_stands_as_it_should_is_left_alone_and_another_is_changed() {
    for (secret, edits) in [(SECRET, 0), ("another", 1)] {
        let server = MockServer::start().await;
        call("groups.getCallbackConfirmationCode").respond_with(ok(json!({"code": "a1"}))).mount(&server).await;
        let standing = json!([{"id": 3, "title": "omni", "url": "https://omni.example/hook",
            "secret_key": secret, "status": "ok"}]);
        call("groups.getCallbackServers").respond_with(servers(standing)).mount(&server).await;
        call("groups.editCallbackServer").respond_with(ok(json!(1))).expect(edits).mount(&server).await;
        call("groups.addCallbackServer").respond_with(ok(json!({"server_id": 4}))).expect(0).mount(&server).await;
        call("groups.setCallbackSettings").respond_with(ok(json!(1))).mount(&server).await;
        vk(at(&server)).connect(&hook()).await.unwrap();
    }
}

#[tokio::test]
async fn a_webhook_that_vk_does_not_like_says_what_to_do() {
    let server = MockServer::start().await;
    call("groups.getCallbackConfirmationCode").respond_with(ok(json!({"code": "a1"}))).mount(&server).await;
    let failed = json!([{"id": 3, "title": "omni", "url": "https://omni.example/hook", "secret_key": "", "status": "failed"}]);
    call("groups.getCallbackServers").respond_with(servers(failed)).mount(&server).await;
    call("groups.editCallbackServer").respond_with(ok(json!(1))).mount(&server).await;
    call("groups.setCallbackSettings").respond_with(ok(json!(1))).mount(&server).await;
    let error = vk(at(&server)).connect(&hook()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.advice().is_some());
    for config in [Config::new(TOKEN, GROUP), Config::new(TOKEN, GROUP).long_poll()] {
        assert_eq!(vk(config).connect(&hook()).await.unwrap_err().kind(), ErrorKind::Configuration);
    }
}

#[tokio::test]
async fn only_our_own_webhooks_are_taken_back() {
    let server = MockServer::start().await;
    let list = json!([
        {"id": 1, "title": "JivoSite", "url": "https://jivo.example", "secret_key": "x", "status": "ok"},
        {"id": 2, "title": "omni", "url": "https://omni.example/other", "secret_key": "another", "status": "ok"},
        {"id": 3, "title": "omni", "url": "https://omni.example/hook", "secret_key": SECRET, "status": "ok"},
    ]);
    call("groups.getCallbackServers").respond_with(servers(list)).up_to_n_times(1).mount(&server).await;
    call("groups.getCallbackServers").respond_with(servers(json!([]))).mount(&server).await;
    call("groups.deleteCallbackServer")
        .and(body_string_contains("server_id=3&"))
        .respond_with(ok(json!(1)))
        .expect(1)
        .mount(&server)
        .await;
    vk(at(&server)).disconnect().await.unwrap();
}

#[tokio::test]
async fn only_a_genuine_webhook_is_read() {
    let community = vk(Config::new(TOKEN, GROUP).webhook(SECRET));
    let post = |body: String| WebhookRequest::post("/hook", body, Timestamp::default());
    let body = |secret: &str| {
        format!(r#"{{"type":"message_new","event_id":"a","group_id":123456,{secret}"object":{{"message":{{"peer_id":5,"from_id":5,"text":"да"}}}}}}"#)
    };
    assert_eq!(community.receive(&post(body(""))).unwrap_err().status(), 401);
    let received = community.receive(&post(body(&format!(r#""secret":"{SECRET}","#)))).unwrap();
    assert_eq!((&received.answer.body[..], received.events.len()), (&b"ok"[..], 1));
    let confirmation = post(r#"{"type":"confirmation","group_id":123456}"#.to_owned());
    assert_eq!(community.receive(&confirmation).unwrap_err().reason, RejectReason::NoWebhook);
    let mut config = Config::new(TOKEN, GROUP).webhook(SECRET);
    config.confirmation = Some("deadbeef".to_owned());
    assert_eq!(&vk(config).receive(&confirmation).unwrap().answer.body[..], b"deadbeef");
    let polling = vk(Config::new(TOKEN, GROUP).long_poll());
    assert_eq!(polling.receive(&post(body(""))).unwrap_err().reason, RejectReason::NoWebhook);
}

/// Keeps what is committed, and ends the listener after some batches.
#[derive(Default)]
struct Kept {
    batches: Mutex<Vec<(Vec<Event>, Cursor)>>,
    stop_after: usize,
}

#[async_trait::async_trait]
impl Sink for Kept {
    async fn commit(&self, events: Vec<Event>, cursor: Cursor) -> Result<()> {
        let mut batches = self.batches.lock().unwrap();
        batches.push((events, cursor));
        if batches.len() < self.stop_after { Ok(()) } else { Err(Error::new(ErrorKind::Storage, "commit")) }
    }

    fn alive(&self) {}
}

fn polling(server: &MockServer) -> Config {
    let mut config = Config::new(TOKEN, GROUP).long_poll().at(Url::parse(&server.uri()).unwrap());
    config.calls_per_second = 1000;
    config
}

async fn with_poll(server: &MockServer, address: &str) {
    call("groups.setLongPollSettings").respond_with(ok(json!(1))).mount(server).await;
    let place = json!({"key": "ab12", "server": address, "ts": "1842"});
    call("groups.getLongPollServer").respond_with(ok(place)).mount(server).await;
}

fn polled(answer: Value) -> Mock {
    Mock::given(method("GET")).and(path("/whp/123456")).respond_with(ResponseTemplate::new(200).set_body_json(answer))
}

fn update(id: &str) -> Value {
    json!({"group_id": GROUP, "type": "message_new", "event_id": id, "v": "5.199",
        "object": {"message": {"peer_id": 5, "from_id": 5, "conversation_message_id": 1, "text": "да"}}})
}

async fn heard(server: &MockServer, from: Option<&str>, stop_after: usize) -> (Vec<String>, Error) {
    let kept = Kept { stop_after, ..Kept::default() };
    let error = vk(polling(server)).listen(from.map(Cursor::from), &kept).await.unwrap_err();
    let batches = kept.batches.into_inner().unwrap();
    let shown = |(events, cursor): (Vec<Event>, Cursor)| {
        let ids: Vec<String> = events.iter().map(|event| event.id.to_string()).collect();
        format!("{}:{cursor}", ids.join("+"))
    };
    (batches.into_iter().map(shown).collect(), error)
}

async fn places_asked_from(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.unwrap();
    let polls = requests.iter().filter(|r| r.url.path() == "/whp/123456");
    let ts = |r: &wiremock::Request| r.url.query_pairs().find(|(n, _)| n == "ts").unwrap().1.into_owned();
    polls.map(ts).collect()
}

#[tokio::test]
async fn a_place_moves_only_after_the_commit() {
    let server = MockServer::start().await;
    with_poll(&server, &format!("{}/whp/123456", server.uri())).await;
    polled(json!({"ts": "1844", "updates": [update("a"), update("b")]})).up_to_n_times(1).mount(&server).await;
    polled(json!({"ts": 1845, "updates": [update("c")]})).mount(&server).await;
    let (batches, error) = heard(&server, None, 3).await;
    assert_eq!(batches, [":1842", "a+b:1844", "c:1845"]);
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert_eq!(places_asked_from(&server).await, ["1842", "1844"]);
}

#[tokio::test]
async fn a_stored_place_is_gone_on_from() {
    let server = MockServer::start().await;
    with_poll(&server, &format!("{}/whp/123456", server.uri())).await;
    polled(json!({"ts": "1801", "updates": [update("a")]})).mount(&server).await;
    let (batches, _) = heard(&server, Some("1800"), 1).await;
    assert_eq!(batches, ["a:1801"]);
    assert_eq!(places_asked_from(&server).await, ["1800"]);
}

#[tokio::test]
async fn every_failure_of_a_poll_is_gone_on_from() {
    let server = MockServer::start().await;
    with_poll(&server, &format!("{}/whp/123456", server.uri())).await;
    polled(json!({"failed": 1, "ts": 1850})).up_to_n_times(1).mount(&server).await;
    polled(json!({"ts": "1851", "updates": [update("a")]})).up_to_n_times(1).mount(&server).await;
    polled(json!({"failed": 2})).up_to_n_times(1).mount(&server).await;
    polled(json!({"ts": "1852", "updates": [update("b")]})).up_to_n_times(1).mount(&server).await;
    polled(json!({"failed": 3})).up_to_n_times(1).mount(&server).await;
    polled(json!({"ts": "1853", "updates": [update("c")]})).mount(&server).await;
    let (batches, _) = heard(&server, None, 6).await;
    assert_eq!(batches, [":1842", ":1850", "a:1851", "b:1852", ":1842", "c:1853"]);
    // After the key ran out the place held; after both ran out it was asked for anew.
    assert_eq!(places_asked_from(&server).await, ["1842", "1850", "1851", "1851", "1852", "1842"]);
    assert_eq!(bodies(&server, "groups.getLongPollServer").await.len(), 3);
}

#[tokio::test]
async fn a_short_failure_of_the_network_keeps_the_key() {
    let server = MockServer::start().await;
    with_poll(&server, &format!("{}/whp/123456", server.uri())).await;
    let ill = Mock::given(method("GET")).respond_with(ResponseTemplate::new(502).set_body_string("<html>"));
    ill.up_to_n_times(2).mount(&server).await;
    polled(json!({"ts": "1843", "updates": [update("a")]})).mount(&server).await;
    let (batches, _) = heard(&server, None, 2).await;
    assert_eq!(batches, [":1842", "a:1843"]);
    assert_eq!(bodies(&server, "groups.getLongPollServer").await.len(), 1);
}

#[tokio::test]
async fn a_spent_quota_ends_the_session_with_its_pause() {
    let server = MockServer::start().await;
    call("groups.setLongPollSettings").respond_with(ok(json!(1))).mount(&server).await;
    call("groups.getLongPollServer").respond_with(refused(29, "Rate limit reached")).expect(1).mount(&server).await;
    let (_, error) = heard(&server, None, 1).await;
    let wait = Duration::from_secs(3600);
    assert_eq!(error.retry(), Retry::After { wait, scope: RateScope::Method });
}

#[tokio::test]
async fn a_place_to_ask_that_is_not_of_vk_is_not_asked() {
    for foreign in ["https://lp.evil.example/whp/1", "http://lp.vk.com/whp/1", "https://evilvk.com/x", "https://127.0.0.1/x", "?"] {
        let server = MockServer::start().await;
        with_poll(&server, foreign).await;
        let (_, error) = heard(&server, None, 1).await;
        assert_eq!(error.kind(), ErrorKind::Protocol, "{foreign}");
    }
}

fn picture() -> OutboundItem {
    let media = Media::new(MediaKind::Image, bytes::Bytes::from_static(b"jpeg")).named("п\"; x=\"\r\n.jpg");
    OutboundItem { content: Content::media(media), ..item("50112233", "") }
}

async fn photo_server(server: &MockServer) {
    let address = json!({"upload_url": format!("{}/upload", server.uri()), "album_id": -64, "group_id": GROUP});
    call("photos.getMessagesUploadServer").respond_with(ok(address)).mount(server).await;
}

fn uploaded(answer: Value) -> Mock {
    Mock::given(method("POST")).and(path("/upload")).respond_with(ResponseTemplate::new(200).set_body_json(answer))
}

#[tokio::test]
async fn a_picture_goes_up_is_saved_and_is_then_named() {
    let server = MockServer::start().await;
    photo_server(&server).await;
    uploaded(json!({"server": 885123, "photo": "[{\"a\":1}]", "hash": "6f1c"})).mount(&server).await;
    let saved = json!([{"id": 457239020, "owner_id": -123456, "access_key": "ak1", "sizes": []}]);
    call("photos.saveMessagesPhoto").respond_with(ok(saved)).mount(&server).await;
    call("messages.send")
        .and(body_string_contains("attachment=photo-123456_457239020_ak1&"))
        .respond_with(ok(sent(18)))
        .expect(1)
        .mount(&server)
        .await;
    vk(at(&server)).send(&picture()).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let upload = requests.iter().find(|r| r.url.path() == "/upload").unwrap();
    let body = String::from_utf8_lossy(&upload.body);
    assert!(body.contains("name=\"photo\"; filename=\"п__ x=___.jpg\""), "{body}");
    let save = &bodies(&server, "photos.saveMessagesPhoto").await[0];
    assert!(save.starts_with("server=885123&photo=%5B%7B%22a%22%3A1%7D%5D&hash=6f1c&"), "{save}");
}

#[tokio::test]
async fn an_upload_that_vk_spoilt_is_done_once_more_and_then_given_up() {
    for (failures, goes) in [(1, true), (2, false)] {
        let server = MockServer::start().await;
        photo_server(&server).await;
        uploaded(json!({"server": 885123, "photo": "[{}]", "hash": "6f1c"})).expect(2).mount(&server).await;
        let bad = refused(121, "Invalid hash");
        call("photos.saveMessagesPhoto").respond_with(bad).up_to_n_times(failures).mount(&server).await;
        let saved = json!([{"id": 1, "owner_id": -123456}]);
        call("photos.saveMessagesPhoto").respond_with(ok(saved)).mount(&server).await;
        call("messages.send").respond_with(ok(sent(18))).mount(&server).await;
        let outcome = vk(at(&server)).send(&picture()).await;
        assert_eq!(outcome.is_ok(), goes);
        assert!(goes || matches!(outcome, Err(SendError::Rejected(e)) if e.kind() == ErrorKind::ContentRejected));
    }
}

#[tokio::test]
async fn whatever_fails_before_the_message_is_certainly_not_sent() {
    for answer in [
        json!({"server": 885123, "photo": "[]", "hash": "6f1c"}),
        json!({"error": "ERR_UPLOAD_FILE_NOT_IMAGE"}),
        json!([]),
    ] {
        let server = MockServer::start().await;
        photo_server(&server).await;
        uploaded(answer).mount(&server).await;
        let outcome = vk(at(&server)).send(&picture()).await;
        assert!(matches!(outcome, Err(SendError::Rejected(_))), "{outcome:?}");
    }
    let ill = MockServer::start().await;
    photo_server(&ill).await;
    Mock::given(path("/upload")).respond_with(ResponseTemplate::new(502)).mount(&ill).await;
    let error = vk(at(&ill)).send(&picture()).await.unwrap_err();
    assert!(matches!(&error, SendError::Rejected(e) if e.kind() == ErrorKind::Unavailable), "{error}");
    let elsewhere = MockServer::start().await;
    let foreign = json!({"upload_url": "https://evil.example/upload"});
    call("photos.getMessagesUploadServer").respond_with(ok(foreign)).mount(&elsewhere).await;
    let error = vk(at(&elsewhere)).send(&picture()).await.unwrap_err();
    assert_eq!(error.error().kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_anything_goes_up() {
    let server = MockServer::start().await;
    let mut item = picture();
    item.content = item.content.buttons([Button::press("Да", "x".repeat(300))]);
    let error = vk(at(&server)).send(&item).await.unwrap_err();
    assert!(matches!(&error, SendError::Rejected(e) if e.kind() == ErrorKind::ContentRejected), "{error}");
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn repeated_deletions_and_late_answers_are_successes() {
    let server = MockServer::start().await;
    let gone = json!([{"peer_id": 5, "conversation_message_id": 18, "error": {"code": 104, "description": "Not found"}}]);
    call("messages.delete").respond_with(ok(gone)).up_to_n_times(1).mount(&server).await;
    call("messages.delete").respond_with(ok(json!({"18": 1}))).up_to_n_times(1).mount(&server).await;
    let late = json!([{"peer_id": 5, "conversation_message_id": 18, "error": {"code": 924, "description": "Can't delete"}}]);
    call("messages.delete").respond_with(ok(late)).mount(&server).await;
    call("messages.sendMessageEventAnswer")
        .respond_with(refused(100, "One of the parameters specified was missing or invalid: event_id"))
        .mount(&server)
        .await;
    let vk = vk(at(&server));
    let (peer, id) = (Address::new("5"), ProviderMessageId::from("18"));
    vk.as_delete().unwrap().delete(&peer, &id).await.unwrap();
    vk.as_delete().unwrap().delete(&peer, &id).await.unwrap();
    let error = vk.as_delete().unwrap().delete(&peer, &id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    vk.as_answer().unwrap().answer("5:5:t", Some("Спасибо")).await.unwrap();
}

#[tokio::test]
async fn names_are_asked_for_together_and_once() {
    let server = MockServer::start().await;
    let people = json!([
        {"id": 5, "first_name": "Иван", "last_name": "Петров", "photo_100": "https://sun1.userapi.com/i.jpg", "screen_name": "ivan_p"},
        {"id": 6, "first_name": "Анна", "last_name": "", "screen_name": "id6"},
    ]);
    call("users.get").respond_with(ok(people)).expect(1).mount(&server).await;
    call("groups.getById")
        .and(body_string_contains("group_ids=7&"))
        .respond_with(ok(json!({"groups": [{"id": 7, "name": "Соседи", "screen_name": "neighbours"}]})))
        .expect(1)
        .mount(&server)
        .await;
    let chats = json!({"count": 1, "items": [{"peer": {"id": 2000000007i64, "type": "chat"},
        "chat_settings": {"title": "Закупка 📦"}}]});
    call("messages.getConversationsById").respond_with(ok(chats)).expect(1).mount(&server).await;
    let vk = vk(at(&server));
    let addresses: Vec<Address> = ["5", "wall-123456_310?from=6&thread=1", "-7", "2000000007", "нигде", "8"]
        .iter()
        .map(|address| address.parse().unwrap())
        .collect();
    let look_up = vk.as_look_up().unwrap();
    let known = look_up.look_up(&addresses).await.unwrap();
    let told: Vec<_> = known
        .iter()
        .map(|known| {
            let sender = known.told.sender.as_ref();
            let profile = sender.map(|s| s.profile.clone()).unwrap_or_default();
            (known.address.to_string(), profile.name.or(known.told.title.clone()).unwrap(), profile.username)
        })
        .collect();
    let row = |address: &str, name: &str, handle: Option<&str>| {
        (address.to_owned(), name.to_owned(), handle.map(str::to_owned))
    };
    assert_eq!(
        told,
        [
            row("5", "Иван Петров", Some("ivan_p")),
            row("wall-123456_310?from=6&thread=1", "Анна", None),
            row("-7", "Соседи", Some("neighbours")),
            row("2000000007", "Закупка 📦", None),
        ]
    );
    let again = look_up.look_up(&addresses[..4]).await.unwrap();
    assert_eq!(again, known);
}

#[tokio::test]
async fn a_look_up_that_fails_for_all_is_an_error() {
    let server = MockServer::start().await;
    call("users.get").respond_with(refused(6, "Too many requests per second")).mount(&server).await;
    let vk = vk(at(&server));
    let error = vk.as_look_up().unwrap().look_up(&[Address::new("5")]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(vk.as_look_up().unwrap().look_up(&[Address::new("нигде")]).await.unwrap().is_empty());
}

#[tokio::test]
async fn files_come_from_hosts_of_vk_only() {
    let server = MockServer::start().await;
    Mock::given(method("GET")).and(path("/files/a")).respond_with(ResponseTemplate::new(200).set_body_string("да")).mount(&server).await;
    let vk = vk(at(&server));
    assert!(vk.fetch(&MediaRef::new(format!("{}/files/a", server.uri())), 10).await.is_ok());
    for foreign in ["https://evil.example/a", "http://sun9-1.userapi.com/a", "https://userapi.com.evil.example/a"] {
        let error = vk.fetch(&MediaRef::new(foreign), 10).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{foreign}");
    }
    let error = vk.fetch(&MediaRef::new("photo-1_2"), 10).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
