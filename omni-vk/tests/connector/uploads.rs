//! Files that go up before their message.

use super::*;

fn picture() -> OutboundItem {
    let media = Media::new(MediaKind::Image, bytes::Bytes::from_static(b"jpeg")).named("п\"; x=\"\r\n.jpg");
    OutboundItem { content: Content::media(media), ..item("50112233", "") }
}

async fn photo_server(server: &MockServer) {
    let address =
        json!({"upload_url": format!("{}/upload", server.uri()), "album_id": -64, "group_id": GROUP});
    call("photos.getMessagesUploadServer").respond_with(ok(address)).mount(server).await;
}

fn uploaded(answer: Value) -> Mock {
    Mock::given(method("POST"))
        .and(path("/upload"))
        .respond_with(ResponseTemplate::new(200).set_body_json(answer))
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
        assert!(
            goes || matches!(outcome, Err(SendError::Rejected(e)) if e.kind() == ErrorKind::ContentRejected)
        );
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
