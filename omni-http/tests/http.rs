//! Against a real server on this machine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderValue, header};
use omni_core::error::ErrorKind;
use omni_core::outbound::SendError;
use omni_http::{Guard, Http, Part};
use url::Url;
use wiremock::matchers::{header as has_header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn http() -> Http {
    Http::new().unwrap()
}

fn url(server: &MockServer, path: &str) -> Url {
    Url::parse(&server.uri()).unwrap().join(path).unwrap()
}

async fn answering(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(wiremock::matchers::any()).respond_with(answer).mount(&server).await;
    server
}

#[tokio::test]
async fn json_goes_out_and_whatever_comes_back_is_handed_over() {
    let server = answering(ResponseTemplate::new(418).insert_header("x-y", "z").set_body_string("чай")).await;
    let answer = http().post("brew", url(&server, "/")).json(&["Привет"]).await.unwrap();
    assert_eq!((answer.status.as_u16(), &*answer.body), (418, "чай".as_bytes()));
    assert_eq!(answer.headers.get("x-y").unwrap(), "z");
    let request = &server.received_requests().await.unwrap()[0];
    assert_eq!(request.body, r#"["Привет"]"#.as_bytes());
    assert_eq!(request.headers.get("content-type").unwrap(), "application/json");
    assert!(!format!("{answer:?}").contains("чай"), "bodies are not shown");
}

#[tokio::test]
async fn an_answer_above_the_cap_is_not_read() {
    let server = answering(ResponseTemplate::new(200).set_body_bytes(vec![0; 1001])).await;
    let error = http().get("read", url(&server, "/")).cap(1000).send().await.unwrap_err();
    assert!(matches!(&error, SendError::Unknown(e) if e.kind() == ErrorKind::TooLarge), "{error:?}");
}

#[tokio::test]
async fn a_late_answer_leaves_open_what_happened() {
    let server = answering(ResponseTemplate::new(200).set_delay(Duration::from_secs(60))).await;
    let call = http()
        .post("send", url(&server, "/secret-in-path"))
        .timeout(Duration::from_millis(100))
        .json(&1)
        .await;
    let error = call.unwrap_err();
    assert!(matches!(&error, SendError::Unknown(e) if e.kind() == ErrorKind::Timeout), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("secret-in-path"));
}

#[tokio::test]
async fn no_connection_is_certainly_not_sent() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for address in [format!("http://127.0.0.1:{port}/secret"), "https://nowhere.invalid/secret".to_owned()] {
        let error = http().post("send", Url::parse(&address).unwrap()).json(&1).await.unwrap_err();
        assert!(matches!(&error, SendError::Rejected(e) if e.kind() == ErrorKind::Network), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
}

#[tokio::test]
async fn a_call_does_not_follow_redirects() {
    let server = answering(ResponseTemplate::new(307).insert_header("location", "/elsewhere")).await;
    let answer = http().post("send", url(&server, "/")).json(&1).await.unwrap();
    assert_eq!(answer.status, 307);
    let follows = omni_http::reqwest::Client::builder().build().unwrap();
    let error = Http::with_client(follows).post("send", url(&server, "/")).json(&1).await.unwrap_err();
    assert!(matches!(error, SendError::Unknown(_)));
}

#[tokio::test]
async fn files_go_out_as_multipart_from_memory_and_as_they_arrive() {
    let server = answering(ResponseTemplate::new(200)).await;
    let pieces =
        stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"abc")), Ok(Bytes::from_static(b"def"))]);
    let parts = vec![
        Part::text("caption", "Счёт"),
        Part::file("document", "счёт.pdf", Bytes::from_static(b"%PDF")).typed("application/pdf"),
        Part::stream("film", "a.mp4", 6, pieces).typed("not a type\r\n"),
    ];
    http().post("upload", url(&server, "/")).multipart(parts).await.unwrap();
    let request = &server.received_requests().await.unwrap()[0];
    let body = String::from_utf8_lossy(&request.body);
    assert!(body.contains("name=\"document\"; filename=\"счёт.pdf\""), "{body}");
    assert!(body.contains("application/pdf\r\n\r\n%PDF") && body.contains("abcdef"), "{body}");
    assert!(request.headers.contains_key("content-length"), "lengths are known, so nothing is chunked");
}

#[tokio::test]
async fn a_broken_stream_breaks_the_upload_off() {
    let server = answering(ResponseTemplate::new(200)).await;
    let pieces = stream::iter([Ok(Bytes::from_static(b"abc")), Err(std::io::Error::other("gone"))]);
    let parts = vec![Part::stream("film", "a.mp4", 6, pieces)];
    let error = http().post("upload", url(&server, "/")).multipart(parts).await.unwrap_err();
    assert!(matches!(error, SendError::Unknown(_)), "{error:?}");
}

async fn download(http: &Http, guard: Guard, url: Url, cap: u64) -> Result<Vec<u8>, omni_core::Error> {
    let key = HeaderValue::from_static("key");
    let opened = http.download("fetch", url).guard(guard).header(header::AUTHORIZATION, key).open(cap).await;
    let mut stream = opened?;
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.bytes.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    Ok(bytes)
}

fn trusting(server: &MockServer) -> Guard {
    Guard::default().trusting(&url(server, "/"))
}

#[tokio::test]
async fn a_download_is_streamed_and_capped() {
    let server = answering(ResponseTemplate::new(200).set_body_bytes(vec![7; 5000])).await;
    let (http, at) = (http(), url(&server, "/f"));
    assert_eq!(download(&http, trusting(&server), at.clone(), 5000).await.unwrap().len(), 5000);
    let error = download(&http, trusting(&server), at, 4999).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn nothing_is_fetched_from_where_it_is_not_expected() {
    let server = answering(ResponseTemplate::new(200).set_body_bytes(vec![7; 10])).await;
    for guard in [Guard::default(), Guard::hosts(["127.0.0.1"]), Guard::hosts(["api.telegram.org"])] {
        let error = download(&http(), guard, url(&server, "/f"), 100).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden);
    }
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_name_in_a_private_network_is_refused_by_either_client() {
    let foreign = Http::with_client(Http::client_builder().unwrap().build().unwrap());
    for http in [http(), foreign] {
        let at = Url::parse("https://localhost/f").unwrap();
        let error = download(&http, Guard::hosts(["localhost"]), at, 100).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Network);
        assert!(error.to_string().contains("private network"), "{error}");
    }
}

#[tokio::test]
async fn a_redirect_is_checked_like_the_first_address() {
    let inside = answering(ResponseTemplate::new(200).set_body_string("secret")).await;
    let server = MockServer::start().await;
    let away =
        ResponseTemplate::new(302).insert_header("location", format!("{}/meta", inside.uri()).as_str());
    Mock::given(path("/away")).respond_with(away).mount(&server).await;
    let here = ResponseTemplate::new(302).insert_header("location", "/file");
    Mock::given(path("/here")).respond_with(here).mount(&server).await;
    let circle = ResponseTemplate::new(302).insert_header("location", "/circle");
    Mock::given(path("/circle")).respond_with(circle).mount(&server).await;
    Mock::given(method("GET"))
        .and(path("/file"))
        .and(has_header("authorization", "key"))
        .respond_with(ResponseTemplate::new(200).set_body_string("ok"))
        .mount(&server)
        .await;
    let http = http();
    let error = download(&http, trusting(&server), url(&server, "/away"), 100).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(inside.received_requests().await.unwrap().is_empty());
    assert_eq!(download(&http, trusting(&server), url(&server, "/here"), 100).await.unwrap(), b"ok");
    let error = download(&http, trusting(&server), url(&server, "/circle"), 100).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn statuses_of_downloads_are_sorted() {
    for (status, kind) in [
        (404, ErrorKind::NotFound),
        (403, ErrorKind::Forbidden),
        (429, ErrorKind::RateLimited),
        (503, ErrorKind::Unavailable),
        (204 + 96, ErrorKind::Protocol),
    ] {
        let server = answering(ResponseTemplate::new(status)).await;
        let error = download(&http(), trusting(&server), url(&server, "/f"), 100).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status}");
    }
}
