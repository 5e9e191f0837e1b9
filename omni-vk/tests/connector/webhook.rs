//! The webhook: entered, looked after, taken back, read.

use super::*;

fn hook() -> WebhookUrl {
    WebhookUrl::new(Url::parse("https://omni.example/hook").unwrap()).unwrap()
}

fn servers(list: Value) -> ResponseTemplate {
    ok(json!({"count": 1, "items": list}))
}

#[tokio::test]
async fn a_webhook_is_entered_with_its_events_and_its_code_is_known() {
    let server = MockServer::start().await;
    call("groups.getCallbackConfirmationCode")
        .respond_with(ok(json!({"code": "a1b2c3d4"})))
        .mount(&server)
        .await;
    call("groups.getCallbackServers").respond_with(servers(json!([]))).up_to_n_times(1).mount(&server).await;
    let state = |state: &str| {
        servers(
            json!([{"id": 3, "title": "omni", "url": "https://omni.example/hook", "secret_key": SECRET, "status": state}]),
        )
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
    for event in
        ["api_version=5.199", "message_new=1", "message_event=1", "wall_reply_new=1", "board_post_delete=1"]
    {
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
        call("groups.getCallbackConfirmationCode")
            .respond_with(ok(json!({"code": "a1"})))
            .mount(&server)
            .await;
        let standing = json!([{"id": 3, "title": "omni", "url": "https://omni.example/hook",
            "secret_key": secret, "status": "ok"}]);
        call("groups.getCallbackServers").respond_with(servers(standing)).mount(&server).await;
        call("groups.editCallbackServer").respond_with(ok(json!(1))).expect(edits).mount(&server).await;
        call("groups.addCallbackServer")
            .respond_with(ok(json!({"server_id": 4})))
            .expect(0)
            .mount(&server)
            .await;
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
        format!(
            r#"{{"type":"message_new","event_id":"a","group_id":123456,{secret}"object":{{"message":{{"peer_id":5,"from_id":5,"text":"да"}}}}}}"#
        )
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
