//! Long polling.

use super::*;

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
    Mock::given(method("GET"))
        .and(path("/whp/123456"))
        .respond_with(ResponseTemplate::new(200).set_body_json(answer))
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
    polled(json!({"ts": "1844", "updates": [update("a"), update("b")]}))
        .up_to_n_times(1)
        .mount(&server)
        .await;
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
    call("groups.getLongPollServer")
        .respond_with(refused(29, "Rate limit reached"))
        .expect(1)
        .mount(&server)
        .await;
    let (_, error) = heard(&server, None, 1).await;
    let wait = Duration::from_secs(3600);
    assert_eq!(error.retry(), Retry::After { wait, scope: RateScope::Method });
}

#[tokio::test]
async fn a_place_to_ask_that_is_not_of_vk_is_not_asked() {
    for foreign in [
        "https://lp.evil.example/whp/1",
        "http://lp.vk.com/whp/1",
        "https://evilvk.com/x",
        "https://127.0.0.1/x",
        "?",
    ] {
        let server = MockServer::start().await;
        with_poll(&server, foreign).await;
        let (_, error) = heard(&server, None, 1).await;
        assert_eq!(error.kind(), ErrorKind::Protocol, "{foreign}");
    }
}
