//! The simulated program: that it refuses what a program must refuse, and gives the trouble it is told to give.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::collections::BTreeSet;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};
use omni_core::webhook::{Answer, WebhookRequest};
use omni_core::{Secret, Timestamp};
use omni_http::Http;
use omni_testkit::conformance::WebhookHost;
use omni_testkit::webhook::{Customer, From, ProgramSim, Upload};
use omni_webhook::parse;
use omni_webhook::verify::{self, DELIVERY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use serde_json::{Value, json};

const KEY: &str = "5d41402abc4b2a76b9719d911017c592";
const NEXT: &str = "7d793037a0760186574b0282f2f435e7";
const OURS: &str = "019b76da-a800-7000-8000-000000000001";

struct Bench {
    sim: ProgramSim,
    ivan: Customer,
    http: Http,
}

impl Bench {
    async fn start() -> Self {
        let sim = ProgramSim::start(KEY).await.unwrap();
        let ivan = sim.customer("u-100", "Иван");
        Self { sim, ivan, http: Http::new().unwrap() }
    }

    /// Makes a request with these headers; gives the status and the body.
    async fn posts(&self, body: &str, headers: &[(&'static str, &str)]) -> (u16, Value) {
        let mut call = self.http.call(Method::POST, "post", self.sim.endpoint());
        for (name, value) in headers {
            call = call.header(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        let json = HeaderValue::from_static("application/json");
        let answer = call.body(json, body.to_owned()).await.unwrap();
        (answer.status.as_u16(), serde_json::from_slice(&answer.body).unwrap_or_default())
    }

    /// Makes a request signed as it should be.
    async fn signed(&self, body: &Value, delivery: Option<&str>) -> (u16, Value) {
        let body = body.to_string();
        let now = self.sim.ground().now();
        let (timestamp, signature) = verify::sign(&Secret::new(KEY), now, body.as_bytes());
        let mut headers = vec![(TIMESTAMP_HEADER, &*timestamp), (SIGNATURE_HEADER, &*signature)];
        headers.extend(delivery.map(|id| (DELIVERY_HEADER, id)));
        self.posts(&body, &headers).await
    }

    fn message(&self, fields: Value) -> Value {
        let mut message =
            json!({"type": "message", "id": OURS, "address": self.ivan.address(), "author": "person"});
        message.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        message
    }

    async fn refuses(&self, body: &Value) -> String {
        let (status, answer) = self.signed(body, Some(OURS)).await;
        assert!((400..500).contains(&status), "{body}: {status} {answer}");
        answer["error"]["kind"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }
}

#[tokio::test]
async fn nobody_else_is_listened_to() {
    let bench = Bench::start().await;
    let body = json!({"type": "ping"}).to_string();
    let now = bench.sim.ground().now();
    let sign = |key, at: Timestamp| verify::sign(&Secret::new(key), at, body.as_bytes());
    let (timestamp, good) = sign(KEY, now);
    let (_, wrong) = sign(NEXT, now);
    let (old, of_old) = sign(KEY, now - Duration::from_secs(400));
    let (early, of_early) = sign(KEY, now + Duration::from_secs(400));
    let (t, s) = (TIMESTAMP_HEADER, SIGNATURE_HEADER);
    for headers in [
        &[][..],
        &[(t, &*timestamp)],
        &[(s, &*good)],
        &[(t, "скоро"), (s, &*good)],
        &[(t, &*timestamp), (s, &*wrong)],
        &[(t, &*timestamp), (s, &good[3..])],
        &[(t, &*timestamp), (s, &good[..60])],
        &[(t, &*old), (s, &*good)],
        &[(t, &*old), (s, &*of_old)],
        &[(t, &*early), (s, &*of_early)],
    ] {
        // A header that cannot be written is not there.
        let headers: Vec<_> = headers.iter().copied().filter(|(_, value)| value.is_ascii()).collect();
        let (status, answer) = bench.posts(&body, &headers).await;
        assert_eq!((status, answer["error"]["kind"].as_str()), (401, Some("bad_signature")), "{headers:?}");
    }
    let headers = [(t, &*timestamp), (s, &*good)];
    assert_eq!(bench.posts(&format!("{body} "), &headers).await.0, 401, "another body");
    assert_eq!(bench.posts(&body, &headers).await.0, 200);
    let both = format!("{wrong}, {good}");
    assert_eq!(bench.posts(&body, &[(t, &timestamp), (s, &both)]).await.0, 200, "while keys change");
    bench.sim.set_keys(&[NEXT]);
    assert_eq!(bench.posts(&body, &headers).await.0, 401, "the key was changed");
}

#[tokio::test]
async fn what_is_not_of_the_protocol_is_refused() {
    let bench = Bench::start().await;
    let message = |fields| bench.message(fields);
    for broken in [
        json!([]),
        json!({}),
        json!({"type": 7}),
        json!({"type": "message"}),
        message(json!({})),
        message(json!({"text": ""})),
        message(json!({"text": ["да"]})),
        message(json!({"text": "да", "address": ""})),
        message(json!({"text": "да", "author": "кто-то"})),
        message(json!({"text": "да", "parse_mode": "HTML"})),
        message(json!({"text": "да", "entities": []})),
        message(json!({"text": "да", "entities": [{"offset": 1, "length": 2, "kind": "bold"}]})),
        message(json!({"media": [{"kind": "image"}]})),
        message(
            json!({"media": [{"kind": "image", "url": "https://a.example/1", "data": "AA==", "size": 1}]}),
        ),
        message(json!({"media": [{"kind": "image", "url": "ftp://a.example/1"}]})),
        message(json!({"media": [{"kind": "image", "data": "AA==", "size": 2}]})),
        message(json!({"media": [{"kind": "image", "data": "не base64", "size": 2}]})),
        message(json!({"location": {"latitude": "север"}})),
        message(json!({"contact": {"phones": []}})),
        json!({"type": "edit", "address": "чат u-100", "message": "m-1"}),
        json!({"type": "delete", "address": "чат u-100"}),
        json!({"type": "react", "address": "чат u-100", "message": "m-1"}),
        json!({"type": "typing"}),
        json!({"type": "answer_button", "text": "да"}),
        json!({"type": "ping", "loud": true}),
    ] {
        assert_eq!(bench.refuses(&broken).await, "content_rejected", "{broken}");
    }
    assert_eq!(bench.refuses(&json!({"type": "telepathy"})).await, "unsupported");
    let (status, _) = bench.signed(&message(json!({"text": "да"})), None).await;
    assert_eq!(status, 400, "a message without its delivery");
    let (status, _) = bench.signed(&message(json!({"text": "да"})), Some("another")).await;
    assert_eq!(status, 400, "a message with another's delivery");
    assert!(bench.ivan.transcript().is_empty());
}

#[tokio::test]
async fn what_is_not_there_and_not_ours_is_refused() {
    let bench = Bench::start().await;
    let said = bench.ivan.writes("моё");
    let at = bench.ivan.address();
    for (request, kind) in [
        (json!({"type": "typing", "address": "нигде"}), "not_found"),
        (bench.message(json!({"text": "да", "address": "нигде"})), "not_found"),
        (bench.message(json!({"text": "да", "reply_to": {"message": "m-99"}})), "not_found"),
        (json!({"type": "edit", "address": at, "message": "m-99", "text": "да"}), "not_found"),
        (json!({"type": "edit", "address": at, "message": said, "text": "да"}), "forbidden"),
        (json!({"type": "delete", "address": at, "message": said}), "forbidden"),
        (json!({"type": "react", "address": at, "message": "m-99", "signs": []}), "not_found"),
        (json!({"type": "mark_read", "address": at, "message": "m-99"}), "not_found"),
        (json!({"type": "answer_button", "ticket": "t-99"}), "not_found"),
    ] {
        assert_eq!(bench.refuses(&request).await, kind, "{request}");
    }
    bench.ivan.blocks();
    assert_eq!(bench.refuses(&bench.message(json!({"text": "да"}))).await, "recipient_blocked");
}

#[tokio::test]
async fn a_repeated_delivery_is_one_message() {
    let bench = Bench::start().await;
    let message = bench.message(json!({"text": "один раз ☝️"}));
    let first = bench.signed(&message, Some(OURS)).await;
    assert_eq!(first.0, 200);
    for _ in 0..3 {
        assert_eq!(bench.signed(&message, Some(OURS)).await, first);
    }
    let [shown] = &bench.ivan.transcript()[..] else { panic!("one message") };
    assert_eq!((shown.text(), shown.from), ("один раз ☝️", From::Channel));
    assert_eq!(shown.id, first.1["id"].as_str().unwrap());
}

#[tokio::test]
async fn actions_change_what_the_customer_sees() {
    let bench = Bench::start().await;
    let said = bench.ivan.writes("Есть?");
    let keys = json!({"place": "message", "rows": [[{"label": "Да", "action": "press", "data": "y"}]]});
    let sent = bench.signed(&bench.message(json!({"text": "Да", "keyboard": keys})), Some(OURS)).await.1;
    let (at, sent) = (bench.ivan.address(), sent["id"].as_str().unwrap());
    let ticket = bench.ivan.presses(sent, "Да");
    for request in [
        json!({"type": "edit", "address": at, "message": sent, "text": "Да! 👍"}),
        json!({"type": "react", "address": at, "message": said, "signs": ["👍"]}),
        json!({"type": "mark_read", "address": at, "message": said}),
        json!({"type": "typing", "address": at}),
        json!({"type": "answer_button", "ticket": ticket, "text": "Спасибо"}),
        json!({"type": "answer_button", "ticket": ticket}),
    ] {
        assert_eq!(bench.signed(&request, None).await.0, 204, "{request}");
    }
    let [theirs, ours] = &bench.ivan.transcript()[..] else { panic!("two messages") };
    assert_eq!((theirs.signs.join(""), theirs.is_read, ours.is_read), ("👍".to_owned(), true, false));
    assert_eq!(ours.text(), "Да! 👍");
    assert!(bench.ivan.sees_typing());
    assert_eq!(bench.ivan.was_told(&ticket).as_deref(), Some("Спасибо"));
    let delete = json!({"type": "delete", "address": at, "message": sent});
    assert_eq!(bench.signed(&delete, None).await.0, 204);
    assert_eq!(bench.signed(&delete, None).await.0, 204, "gone already");
    assert_eq!(bench.ivan.transcript().len(), 1);
}

fn is_genuine(request: &WebhookRequest) -> bool {
    verify::verify(request, &[Secret::new(KEY)], Duration::from_secs(300)).is_ok()
}

#[tokio::test]
async fn events_are_signed_anew_for_every_try_and_come_until_they_are_taken() {
    let bench = Bench::start().await;
    let refused = std::sync::Mutex::new(2);
    let host = WebhookHost::start(move |_| {
        let mut left = refused.lock().unwrap();
        if *left > 0 {
            *left -= 1;
            return Answer::status(http::StatusCode::SERVICE_UNAVAILABLE);
        }
        Answer::ok()
    })
    .await
    .unwrap();
    bench.sim.posts_to(host.url().as_url().as_str());
    bench.sim.hooks().hold();
    bench.ivan.writes("до перерыва");
    bench.sim.ground().advance(Duration::from_secs(400));
    bench.sim.hooks().release();
    let mut bodies = BTreeSet::new();
    for _ in 0..3 {
        let mut request = host.next().await;
        // Signed when it was tried, by the program's clock; not when it happened.
        request.received_at = bench.sim.ground().now();
        assert!(is_genuine(&request));
        bodies.insert(request.body.to_vec());
    }
    assert_eq!(bodies.len(), 1, "the same event again is the same body");
}

#[tokio::test]
async fn events_can_be_repeated_reordered_and_spoilt() {
    let bench = Bench::start().await;
    let host = WebhookHost::start(|_| Answer::ok()).await.unwrap();
    bench.sim.posts_to(host.url().as_url().as_str());
    bench.sim.hooks().repeat(2).hold().shuffle(3);
    let said: Vec<String> = (1..=5).map(|n| bench.ivan.writes(&format!("слово {n} 😀"))).collect();
    bench.sim.hooks().release();
    bench.sim.hooks().idle().await;
    let mut came = Vec::new();
    for _ in 0..10 {
        let request = host.next().await;
        assert!(is_genuine(&request));
        let events = parse::events(&request.body, "site").unwrap();
        let omni_core::EventBody::Message(message) = &events[0].body else { panic!("{events:?}") };
        came.push(message.id.to_string());
    }
    assert_ne!(came.iter().step_by(2).collect::<Vec<_>>(), said.iter().collect::<Vec<_>>());
    assert_eq!(came.iter().collect::<BTreeSet<_>>().len(), 5);

    bench.sim.hooks().repeat(1).spoil(1, |hook| hook.body = "{\"events\":[]}".into());
    bench.ivan.writes("испорчено");
    assert!(!is_genuine(&host.next().await));
}

#[tokio::test]
async fn files_of_customers_stand_at_the_programs_address() {
    let bench = Bench::start().await;
    let bytes = bytes::Bytes::from_static("картинка".as_bytes());
    let (kind, name, mime) = ("image".to_owned(), "фото.png".to_owned(), "image/png".to_owned());
    bench.ivan.sends(&Upload { kind, name, mime, bytes: bytes.clone() });
    let file = &bench.ivan.transcript()[0].json["media"][0];
    let url = file["url"].as_str().unwrap().parse().unwrap();
    assert_eq!(bench.http.get("file", url).send().await.unwrap().body, bytes);
    let nowhere = bench.sim.endpoint().join("/files/f-99").unwrap();
    assert_eq!(bench.http.get("file", nowhere).send().await.unwrap().status, 404);
}
