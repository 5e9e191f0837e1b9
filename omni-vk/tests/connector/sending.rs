//! Sends: one, many together, and how they end.

use super::*;

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
    assert!(
        matches!(&blocked, SendError::Rejected(e) if e.kind() == ErrorKind::RecipientBlocked),
        "{blocked}"
    );
    let within = json!([{"peer_id": 50112233, "message_id": 0,
        "error": {"code": 901, "description": "Can't send messages for users without permission"}}]);
    let blocked = outcome(ok(within)).await;
    assert!(
        matches!(&blocked, SendError::Rejected(e) if e.kind() == ErrorKind::RecipientBlocked),
        "{blocked}"
    );
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
    call("execute")
        .respond_with(ResponseTemplate::new(200).set_body_json(body))
        .expect(1)
        .mount(&server)
        .await;
    let mut config = at(&server);
    config.calls_per_second = 2;
    let vk = vk(config);
    // The first turn is free at once; the others wait for the second one together.
    vk.send(&item("5", "первое")).await.unwrap();
    let sends = (0..5).map(|n| {
        let item =
            OutboundItem { id: MessageId::from_bytes([n; 16]), ..item("5", &format!("слово {n}")) };
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
    config.calls_per_second = 2;
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
    let slow = ok(json!([sent(2), sent(3)])).set_delay(Duration::from_secs(3));
    call("execute").respond_with(slow).expect(1).mount(&server).await;
    let mut config = at(&server);
    config.calls_per_second = 2;
    let vk = vk(config);
    vk.send(&item("5", "первое")).await.unwrap();
    let (leader, follower) = (item("5", "раз"), item("6", "два"));
    // Whichever of the two took the turn: the one that is dropped while the call is out does not end it.
    let dropped = tokio::time::timeout(Duration::from_secs(2), vk.send(&leader));
    let (dropped, kept) = tokio::join!(dropped, vk.send(&follower));
    assert!(dropped.is_err());
    assert_eq!(kept.unwrap().id.as_str(), "3");
}

#[tokio::test]
async fn a_send_dropped_before_its_turn_is_not_sent() {
    let server = MockServer::start().await;
    call("messages.send").respond_with(ok(sent(1))).mount(&server).await;
    let mut config = at(&server);
    config.calls_per_second = 1;
    let vk = vk(config);
    vk.send(&item("5", "первое")).await.unwrap();
    let waiting = item("5", "передумали");
    assert!(tokio::time::timeout(Duration::from_millis(50), vk.send(&waiting)).await.is_err());
    vk.send(&item("5", "второе")).await.unwrap();
    assert_eq!(bodies(&server, "messages.send").await.len(), 2);
    assert!(bodies(&server, "execute").await.is_empty());
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
