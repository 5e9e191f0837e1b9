#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

use bytes::Bytes;
use http::{Method, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use omni_core::webhook::Answer;
use serde_json::{Value, json};

use super::*;
use crate::conformance::WebhookHost;

const CHAT_ID: &str = "Vj72x3B9NTk0qLw4";

async fn start() -> (AutoruSim, Buyer) {
    let sim = AutoruSim::start(Dealer::new(CHAT_ID).rest("t0ken", "79990001122", "pa55word")).await.unwrap();
    let petr = sim.buyer("9d1f3c", "Пётр");
    petr.writes("Ещё продаёте?");
    (sim, petr)
}

/// Status and JSON.
async fn call(method: Method, url: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> (u16, Value) {
    let mut request = http::Request::new(Full::new(body.into()));
    *request.method_mut() = method;
    *request.uri_mut() = url.parse::<Uri>().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap());
    }
    let response = Client::builder(TokioExecutor::new()).build_http().request(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

async fn operates(sim: &AutoruSim, token: &str, body: impl Into<Bytes>) -> u16 {
    call(Method::POST, &format!("{}?token={token}", sim.hook_url()), &[], body).await.0
}

fn says() -> Value {
    json!({"sender": {"name": "Ольга"}, "recipient": {"id": "9d1f3c"},
           "message": {"type": "text", "id": "our-1", "text": "Да 🚗"}})
}

/// Logs in and gives the headers of a call.
async fn session(sim: &AutoruSim) -> String {
    let url = format!("{}/auth/login", sim.rest_url());
    let body = json!({"login": "79990001122", "password": "pa55word"}).to_string();
    let (status, answer) = call(Method::POST, &url, &[("x-authorization", "t0ken")], body).await;
    assert_eq!(status, 200);
    answer["session"]["id"].as_str().unwrap().to_owned()
}

async fn asks(sim: &AutoruSim, session: &str, method: Method, what: &str, body: &str) -> (u16, Value) {
    let headers = [("x-authorization", "t0ken"), ("x-session-id", session)];
    call(method, &format!("{}/{what}", sim.rest_url()), &headers, body.to_owned()).await
}

#[tokio::test]
async fn an_operators_message_comes_once_however_often_it_is_sent() {
    let (sim, petr) = start().await;
    for _ in 0..2 {
        assert_eq!(operates(&sim, CHAT_ID, says().to_string()).await, 200);
    }
    let talk = petr.talk();
    assert_eq!(talk.len(), 2);
    assert_eq!(talk[1].said, Said::Text("Да 🚗".into()));
    assert_eq!((talk[1].operator.as_deref(), talk[1].provided_id.as_deref()), (Some("Ольга"), Some("our-1")));
}

#[tokio::test]
async fn a_message_that_lacks_something_is_refused() {
    let (sim, petr) = start().await;
    for place in ["/sender/name", "/recipient/id", "/message/type", "/message/id", "/message/text"] {
        for other in [Value::Null, json!(""), json!(7)] {
            let mut body = says();
            *body.pointer_mut(place).unwrap() = other.clone();
            assert_eq!(operates(&sim, CHAT_ID, body.to_string()).await, 400, "{place} = {other}");
        }
    }
    for message in [
        json!({"type": "photo", "id": "1"}),
        json!({"type": "photo", "id": "1", "file": "p.jpg"}),
        json!({"type": "document", "id": "1", "file": "https://a.example/p.pdf"}),
    ] {
        let mut body = says();
        body["message"] = message.clone();
        assert_eq!(operates(&sim, CHAT_ID, body.to_string()).await, 400, "{message}");
    }
    assert_eq!(operates(&sim, CHAT_ID, "{").await, 400);
    assert_eq!(petr.talk().len(), 1);
}

#[tokio::test]
async fn a_wrong_chat_id_and_a_buyer_who_never_wrote_are_refused() {
    let (sim, _) = start().await;
    sim.buyer("silent", "Молчун");
    assert_eq!(operates(&sim, "Vj72x3B9NT", says().to_string()).await, 403);
    assert_eq!(operates(&sim, "", says().to_string()).await, 403);
    for nobody in ["silent", "никто"] {
        let mut body = says();
        body["recipient"]["id"] = json!(nobody);
        assert_eq!(operates(&sim, CHAT_ID, body.to_string()).await, 400, "{nobody}");
    }
    sim.revokes();
    assert_eq!(operates(&sim, CHAT_ID, says().to_string()).await, 403);
}

#[tokio::test]
async fn a_webhook_has_the_chat_id_in_its_query_and_no_content_type() {
    let (sim, petr) = start().await;
    let host = WebhookHost::start(|_| Answer::ok()).await.unwrap();
    sim.types_in_cabinet(host.url().as_url().as_str());
    let id = petr.sends_picture(&b"\xff\xd8\xff"[..]);
    let request = host.next().await;
    assert_eq!(request.query_param("chat_id").as_deref(), Some(CHAT_ID));
    assert_eq!((request.header("accept"), request.header("content-type")), (Some("application/json"), None));
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!((&body["message"]["type"], &body["message"]["id"]), (&json!("photo"), &json!(id)));
    let (status, _) = call(Method::GET, body["message"]["file"].as_str().unwrap(), &[], "").await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_webhook_is_tried_again_while_the_host_is_ill_and_dropped_when_it_refuses() {
    let (sim, petr) = start().await;
    let tries = std::sync::atomic::AtomicU32::new(0);
    let host = WebhookHost::start(move |_| {
        let ill = tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2;
        Answer::status(if ill { http::StatusCode::BAD_GATEWAY } else { http::StatusCode::BAD_REQUEST })
    });
    let host = host.await.unwrap();
    sim.types_in_cabinet(host.url().as_url().as_str());
    petr.writes("раз");
    sim.poster().idle().await;
    let bodies: Vec<_> = sim.poster().deliveries().into_iter().map(|delivery| delivery.hook.body).collect();
    assert_eq!(bodies.len(), 3);
    assert!(bodies.windows(2).all(|two| two[0] == two[1]), "a repeat is the same to the byte");
}

#[tokio::test]
async fn rooms_are_shown_to_those_who_logged_in() {
    let (sim, petr) = start().await;
    let wrong = json!({"login": "79990001122", "password": "другой"}).to_string();
    let login = format!("{}/auth/login", sim.rest_url());
    assert_eq!(call(Method::POST, &login, &[("x-authorization", "t0ken")], wrong).await.0, 401);
    assert_eq!(call(Method::POST, &login, &[], "{}").await.0, 401);
    assert_eq!(asks(&sim, "no-session", Method::GET, "chat/room/light", "").await.0, 401);
    let session = session(&sim).await;
    let (status, answer) = asks(&sim, &session, Method::GET, "chat/room/light", "").await;
    assert_eq!((status, &answer["status"]), (200, &json!("SUCCESS")));
    assert_eq!(answer["rooms"][0]["id"], petr.room());
    sim.ends_sessions();
    assert_eq!(asks(&sim, &session, Method::GET, "chat/room/light", "").await.0, 401);
}

#[tokio::test]
async fn a_session_ends_when_its_time_is_over() {
    let dealer = Dealer::new(CHAT_ID).rest("t0ken", "79990001122", "pa55word").session_seconds(600);
    let sim = AutoruSim::start(dealer).await.unwrap();
    let session = session(&sim).await;
    assert_eq!(asks(&sim, &session, Method::GET, "dealer/account", "").await.0, 200);
    sim.ground().advance(Duration::from_secs(601));
    assert_eq!(asks(&sim, &session, Method::GET, "dealer/account", "").await.0, 401);
}

#[tokio::test]
async fn unread_messages_are_counted_until_the_room_is_read() {
    let (sim, petr) = start().await;
    petr.writes("ау");
    let session = session(&sim).await;
    let (_, answer) = asks(&sim, &session, Method::GET, "chat/message/unread", "").await;
    assert_eq!((&answer["has_unread"], &answer["unread_counter"]), (&json!(true), &json!(2)));
    let what = format!("chat/message/unread?room_id={}", petr.room());
    assert_eq!(asks(&sim, &session, Method::DELETE, &what, "").await.0, 200);
    let (_, answer) = asks(&sim, &session, Method::GET, "chat/message/unread", "").await;
    assert_eq!((&answer["has_unread"], &answer["unread_counter"]), (&json!(false), &json!(0)));
    let (_, answer) = asks(&sim, &session, Method::GET, "chat/room/light?only_unread=true", "").await;
    assert_eq!(answer["rooms"], json!([]));
    assert_eq!(asks(&sim, &session, Method::DELETE, "chat/message/unread?room_id=0", "").await.0, 404);
}

#[tokio::test]
async fn messages_come_in_pages_from_either_end() {
    let (sim, petr) = start().await;
    for n in 2..=5 {
        petr.writes(&n.to_string());
    }
    let session = session(&sim).await;
    let ids = |answer: &Value| -> Vec<String> {
        let messages = answer["messages"].as_array().unwrap();
        messages.iter().map(|message| message["id"].as_str().unwrap().to_owned()).collect()
    };
    let all: Vec<String> = petr.talk().into_iter().map(|entry| entry.id).collect();
    let page = |query: String| {
        let what = format!("chat/message?room_id={}&{query}", petr.room());
        let (sim, session) = (sim.clone(), session.clone());
        async move { asks(&sim, &session, Method::GET, &what, "").await }
    };
    assert_eq!(ids(&page(format!("from={}&count=2&asc=true", all[1])).await.1), all[1..3]);
    assert_eq!(ids(&page("count=2&asc=false".to_owned()).await.1), [all[4].clone(), all[3].clone()]);
    assert_eq!(page("from=никакое&asc=true".to_owned()).await.0, 404);
    assert_eq!(asks(&sim, &session, Method::GET, "chat/message?room_id=0", "").await.0, 404);
}

#[tokio::test]
async fn a_room_takes_plain_words_once_under_one_id() {
    let (sim, petr) = start().await;
    let session = session(&sim).await;
    let post = |kind: &str, words: &str, room: &str| {
        json!({"room_id": room, "payload": {"content_type": kind, "value": words}, "provided_id": "our-2"})
            .to_string()
    };
    let room = petr.room();
    for body in [post("TEXT_HTML", "<b>да</b>", &room), post("TEXT_PLAIN", "", &room), "{".to_owned()] {
        assert_eq!(asks(&sim, &session, Method::POST, "chat/message", &body).await.0, 400);
    }
    assert_eq!(
        asks(&sim, &session, Method::POST, "chat/message", &post("TEXT_PLAIN", "да", "0")).await.0,
        404
    );
    let (_, first) =
        asks(&sim, &session, Method::POST, "chat/message", &post("TEXT_PLAIN", "да", &room)).await;
    let (_, again) =
        asks(&sim, &session, Method::POST, "chat/message", &post("TEXT_PLAIN", "да", &room)).await;
    assert_eq!(first["message"], again["message"]);
    assert_eq!((&first["message"]["me"], &first["message"]["provided_id"]), (&json!(true), &json!("our-2")));
    assert_eq!(petr.talk().len(), 2);
}

#[tokio::test]
async fn an_agency_has_to_name_its_dealer() {
    let dealer = Dealer::new(CHAT_ID).rest("t0ken", "79990001122", "pa55word").of_agency("20101");
    let sim = AutoruSim::start(dealer).await.unwrap();
    let session = session(&sim).await;
    assert_eq!(asks(&sim, &session, Method::GET, "dealer/account", "").await.0, 403);
    let headers = [("x-authorization", "t0ken"), ("x-session-id", &session), ("x-dealer-id", "20101")];
    let url = format!("{}/dealer/account", sim.rest_url());
    assert_eq!(call(Method::GET, &url, &headers, "").await.1["account_id"], 12345);
}
