#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use http::{Method, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use omni_core::webhook::Answer;
use serde_json::json;

use super::*;
use crate::conformance::WebhookHost;

#[derive(Default)]
struct Shop {
    said: Mutex<Vec<String>>,
}

#[async_trait]
impl Site for Shop {
    fn name(&self, request: &Request) -> String {
        request.steps().join("/")
    }

    async fn answer(&self, request: &Request) -> Reply {
        match request.form().text("text") {
            Some(text) => {
                self.said.lock().unwrap().push(text.to_owned());
                Reply::json(200, &json!({"сказано": text}))
            }
            None => Reply::status(400),
        }
    }
}

/// Status and body; nothing when the connection ended before the answer did.
async fn say(sim: &Server<Shop>, text: &str) -> Option<(u16, String)> {
    let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("text", text).finish();
    let mut request = http::Request::new(Full::new(bytes::Bytes::from(form)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = format!("{}/say", sim.ground().base_url()).parse::<Uri>().unwrap();
    let kind = "application/x-www-form-urlencoded".parse().unwrap();
    request.headers_mut().insert("content-type", kind);
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.ok()?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.ok()?.to_bytes();
    Some((status, String::from_utf8(body.to_vec()).unwrap()))
}

#[tokio::test]
async fn a_fault_strikes_its_call_as_often_as_it_was_told() {
    let sim = Server::start(|_| Shop::default()).await.unwrap();
    sim.faults().on("say", 1, Fault::BadGateway).on("другое", 9, Fault::BadGateway);
    assert_eq!(say(&sim, "раз").await.unwrap().0, 502);
    assert_eq!(say(&sim, "два 😀").await.unwrap().0, 200);
    assert_eq!(*sim.site().said.lock().unwrap(), ["два 😀"]);
    assert_eq!(sim.faults().unspent(), 1);
}

#[tokio::test]
async fn a_lost_answer_was_carried_out_and_a_dropped_call_was_not() {
    let sim = Server::start(|_| Shop::default()).await.unwrap();
    let lost = [Fault::DropAfterAccept, Fault::CutBody, Fault::DropBeforeAccept];
    for fault in lost {
        sim.faults().on("say", 1, fault.clone());
        assert_eq!(say(&sim, &format!("{fault:?}")).await, None, "{fault:?}");
    }
    assert_eq!(*sim.site().said.lock().unwrap(), ["DropAfterAccept", "CutBody"]);
    let outcomes: Vec<bool> = sim.calls().iter().map(Call::is_accepted).collect();
    assert_eq!(outcomes, [true, true, false]);
}

#[tokio::test]
async fn a_slow_answer_comes_whole() {
    let sim = Server::start(|_| Shop::default()).await.unwrap();
    sim.faults().on("say", 1, Fault::SlowBody { pieces: 3, pause: Duration::from_millis(1) });
    assert_eq!(say(&sim, "да").await.unwrap().1, r#"{"сказано":"да"}"#);
}

fn hooks(poster: &Poster, host: &WebhookHost, bodies: &[&str]) {
    for body in bodies {
        poster.post(Hook::json("чат", host.url().as_url().as_str(), body.to_string()));
    }
}

async fn came(host: &WebhookHost, count: usize) -> Vec<String> {
    let mut came = Vec::new();
    for _ in 0..count {
        came.push(String::from_utf8(host.next().await.body.to_vec()).unwrap());
    }
    came
}

fn takes_200(_: &Hook, answer: &Answered) -> Verdict {
    if answer.is_success() { Verdict::Taken } else { Verdict::Again(Duration::from_millis(1)) }
}

#[tokio::test]
async fn hooks_of_a_lane_come_in_order_and_each_as_often_as_asked() {
    let sim = Server::start(|_| Shop::default()).await.unwrap();
    let host = WebhookHost::start(|_| Answer::ok()).await.unwrap();
    let poster = Poster::new(sim.ground(), takes_200);
    poster.repeat(2);
    hooks(&poster, &host, &["1", "2"]);
    assert_eq!(came(&host, 4).await, ["1", "1", "2", "2"]);
    poster.idle().await;
    assert_eq!(poster.deliveries().len(), 4);
}

#[tokio::test]
async fn what_waits_while_held_can_come_in_another_order() {
    let sim = Server::start(|_| Shop::default()).await.unwrap();
    let host = WebhookHost::start(|_| Answer::ok()).await.unwrap();
    let poster = Poster::new(sim.ground(), takes_200);
    poster.hold().shuffle(3);
    let all = ["1", "2", "3", "4", "5"];
    hooks(&poster, &host, &all);
    assert_eq!(poster.waiting(), 5);
    poster.release();
    let mut shuffled = came(&host, 5).await;
    assert_ne!(shuffled, all);
    shuffled.sort();
    assert_eq!(shuffled, all);
}

#[tokio::test]
async fn a_refused_hook_is_tried_again_before_the_next_one() {
    let sim = Server::start(|_| Shop::default()).await.unwrap();
    let refused = Mutex::new(2);
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
    let counts = |hook: &mut Hook| drop(hook.headers.insert("x-retry-counter", hook.attempt.into()));
    let poster = Poster::dressing(sim.ground(), takes_200, counts);
    hooks(&poster, &host, &["1", "2"]);
    assert_eq!(came(&host, 4).await, ["1", "1", "1", "2"]);
    poster.idle().await;
    let tries: Vec<_> =
        poster.deliveries().iter().map(|d| d.hook.headers["x-retry-counter"].clone()).collect();
    assert_eq!(tries, ["0", "1", "2", "0"]);
}

#[tokio::test]
async fn only_as_many_hooks_are_spoilt_as_asked() {
    let sim = Server::start(|_| Shop::default()).await.unwrap();
    let host = WebhookHost::start(|_| Answer::ok()).await.unwrap();
    let poster = Poster::new(sim.ground(), takes_200);
    poster.spoil(1, |hook| hook.body = "испорчено".into());
    hooks(&poster, &host, &["1", "2"]);
    assert_eq!(came(&host, 2).await, ["испорчено", "2"]);
}
