//! What the simulator takes, refuses and tells.

use std::sync::Arc;

use http::{HeaderMap, Method, StatusCode};
use omni_core::crypto::{from_hex, verify_hmac_sha256};
use omni_core::webhook::Answer;
use serde_json::{Value, json};

use super::*;
use crate::conformance::WebhookHost;
use crate::sim::Hook;

const TOKEN: &str = "00112233445566aa-bbccddeeff001122-3344556677889900";
const OLGA: &str = "uQ0abcd1234EFGH5678ijA==";

/// A bot with a webhook, and Olga, who has written to it.
struct Scene {
    sim: ViberSim,
    bot: Bot,
    olga: Customer,
    host: Arc<WebhookHost>,
}

async fn scene() -> Scene {
    let sim = ViberSim::start().await.unwrap();
    let bot = sim.add_bot(TOKEN, "Ромашка Сервис", "romashkaservice");
    let olga = bot.customer(Person::new(OLGA, "Ольга"));
    let host = Arc::new(WebhookHost::start(|_| Answer::ok()).await.unwrap());
    let scene = Scene { sim, bot, olga, host };
    let url = scene.host.url().as_url().to_string();
    let registered =
        scene.call("set_webhook", json!({"url": url, "send_name": true, "send_photo": true})).await;
    assert_eq!(registered["status"], 0);
    assert_eq!(scene.next().await["event"], "webhook");
    scene.olga.writes("Здравствуйте! 👋");
    assert_eq!(scene.next().await["event"], "message");
    scene
}

impl Scene {
    async fn call(&self, method: &str, body: Value) -> Value {
        self.call_as(TOKEN, method, body.to_string()).await
    }

    /// Calls by way of a poster: it is an HTTP client that is at hand.
    async fn call_as(&self, token: &str, method: &str, body: String) -> Value {
        let mut hook = Hook::json("call", format!("{}/{method}", self.sim.base_url()), body);
        if !token.is_empty() {
            hook.headers.insert("x-viber-auth-token", token.parse().unwrap());
        }
        let answered = self.bot.hooks().ask(hook).await;
        assert_eq!(answered.status, Some(StatusCode::OK), "refusals come with 200 too");
        serde_json::from_slice(&answered.body).unwrap()
    }

    async fn send(&self, body: Value) -> i64 {
        let mut message = json!({"receiver": OLGA, "sender": {"name": "Ромашка"}});
        message.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        self.call("send_message", message).await["status"].as_i64().unwrap()
    }

    async fn next(&self) -> Value {
        serde_json::from_slice(&self.host.next().await.body).unwrap()
    }
}

#[tokio::test]
async fn callbacks_are_signed_twice_over_the_bytes_that_go_out() {
    let s = scene().await;
    s.olga.writes("Есть 42 размер? 👟");
    let request = s.host.next().await;
    let header = request.header("x-viber-content-signature").unwrap().to_owned();
    assert_eq!(request.query_param("sig"), Some(header.clone()));
    assert!(verify_hmac_sha256(TOKEN.as_bytes(), &request.body, &from_hex(&header).unwrap()));
    assert_eq!(request.method, Method::POST);
}

#[tokio::test]
async fn a_wrong_or_revoked_token_is_refused() {
    let s = scene().await;
    let refused = s.call_as("", "get_account_info", "{}".to_owned()).await;
    assert_eq!(
        (refused["status"].as_i64(), refused["status_message"].as_str()),
        (Some(2), Some("missing_auth_token"))
    );
    assert_eq!(s.call_as("0000", "get_account_info", "{}".to_owned()).await["status"], 2);
    let in_body = json!({"auth_token": TOKEN}).to_string();
    assert_eq!(s.call_as("", "get_account_info", in_body).await["status"], 0);
    s.bot.revoke();
    assert_eq!(s.call("get_account_info", json!({})).await["status"], 2);
}

#[tokio::test]
async fn nothing_is_sent_without_a_webhook_or_to_who_has_not_written() {
    let s = scene().await;
    let text = json!({"type": "text", "text": "да"});
    let ivan = s.bot.customer(Person::new("zR9kLmN0pQ2sT4uV6wX8yA==", "Иван"));
    let to = |id: &str| json!({"receiver": id, "sender": {"name": "Ромашка"}, "type": "text", "text": "да"});
    assert_eq!(s.call("send_message", to("zR9kLmN0pQ2sT4uV6wX8yA==")).await["status"], 6);
    assert_eq!(s.call("send_message", to("nobody")).await["status"], 5);
    ivan.subscribes();
    assert_eq!(s.call("send_message", to("zR9kLmN0pQ2sT4uV6wX8yA==")).await["status"], 0);
    assert_eq!(s.send(text.clone()).await, 0);
    s.olga.unsubscribes();
    assert_eq!(s.send(text.clone()).await, 6);
    assert_eq!(s.call("set_webhook", json!({"url": ""})).await["status"], 0);
    s.olga.subscribes();
    assert_eq!(s.send(text).await, 10);
}

#[tokio::test]
async fn messages_are_checked_as_strictly_as_viber_does() {
    let s = scene().await;
    let pdf = "https://cdn.example.net/akt.pdf";
    let rows: Vec<(Value, i64)> = vec![
        (json!({"type": "text", "text": "ж".repeat(7000)}), 0),
        (json!({"type": "text", "text": "ж".repeat(7001)}), 3),
        (json!({"type": "text", "text": ""}), 4),
        (json!({"type": "text"}), 4),
        (json!({"text": "да"}), 4),
        (json!({"type": "telepathy"}), 3),
        (json!({"type": "text", "text": "да", "novelty": 1}), 3),
        (json!({"type": "text", "text": "да", "sender": {"name": "ж".repeat(29)}}), 3),
        (json!({"type": "text", "text": "да", "sender": {}}), 4),
        (json!({"type": "text", "text": "да", "tracking_data": null}), 3),
        (json!({"type": "text", "text": "да", "min_api_version": 11}), 13),
        (json!({"type": "picture", "media": "https://cdn.example.net/1.jpg"}), 4),
        (json!({"type": "picture", "text": "", "media": "https://cdn.example.net/1.JPG?x=1"}), 0),
        (json!({"type": "picture", "text": "", "media": "https://cdn.example.net/1.webp"}), 3),
        (json!({"type": "picture", "text": "ж".repeat(769), "media": "https://cdn.example.net/1.jpg"}), 3),
        (json!({"type": "video", "media": "https://cdn.example.net/1.mp4"}), 4),
        (json!({"type": "video", "media": "https://cdn.example.net/1.mp4", "size": 27_262_976}), 0),
        (json!({"type": "video", "media": "https://cdn.example.net/1.mp4", "size": 27_262_977}), 3),
        (json!({"type": "video", "media": "https://cdn.example.net/1.mp4", "size": 1, "duration": 181}), 3),
        (json!({"type": "file", "media": pdf, "size": 90211, "file_name": "акт.pdf"}), 0),
        (json!({"type": "file", "media": pdf, "file_name": "акт.pdf"}), 4),
        (json!({"type": "file", "media": pdf, "size": 9}), 4),
        (json!({"type": "file", "media": pdf, "size": 9, "file_name": "акт"}), 3),
        (json!({"type": "file", "media": pdf, "size": 9, "file_name": "setup.EXE"}), 3),
        (json!({"type": "file", "media": pdf, "size": 52_428_801, "file_name": "акт.pdf"}), 3),
        (json!({"type": "contact", "contact": {"name": "Склад", "phone_number": "+375291112233"}}), 0),
        (json!({"type": "contact", "contact": {"name": "Склад", "phone_number": "+375 29"}}), 3),
        (json!({"type": "contact", "contact": {"name": "ж".repeat(29), "phone_number": "1"}}), 3),
        (json!({"type": "location", "location": {"lat": "53.9006", "lon": 27.559}}), 0),
        (json!({"type": "location", "location": {"lat": 91, "lon": 0}}), 3),
        (json!({"type": "url", "media": "https://shop.example.by/item/9"}), 0),
        (json!({"type": "url", "media": format!("https://a.example/{}", "x".repeat(2000))}), 3),
        (json!({"type": "sticker", "sticker_id": 46105}), 0),
        (json!({"type": "sticker", "sticker_id": "40129"}), 0),
        (json!({"type": "sticker", "sticker_id": "кот"}), 3),
    ];
    for (body, status) in rows {
        assert_eq!(s.send(body.clone()).await, status, "{body}");
    }
}

#[tokio::test]
async fn keys_and_cards_are_checked_too() {
    let s = scene().await;
    let with = |keyboard: Value| json!({"type": "text", "text": "да", "keyboard": keyboard});
    let one = |key: Value| with(json!({"Type": "keyboard", "Buttons": [key]}));
    let cards = |level: u64, rows: u64, parts: Value| {
        json!({"type": "rich_media", "min_api_version": level, "rich_media": {"Type": "rich_media",
            "ButtonsGroupColumns": 6, "ButtonsGroupRows": rows, "BgColor": "#FFFFFF", "Buttons": parts}})
    };
    let part = json!({"Columns": 6, "Rows": 7, "ActionType": "none", "ActionBody": "x", "Text": "Кружка"});
    let rows: Vec<(Value, i64)> = vec![
        (one(json!({"Columns": 3, "Rows": 1, "ActionType": "reply", "ActionBody": "да", "Text": "Да"})), 0),
        (one(json!({"ActionBody": "да", "Text": "Да"})), 0),
        (one(json!({"Columns": 7, "ActionBody": "да", "Text": "Да"})), 3),
        (one(json!({"Columns": "3", "ActionBody": "да", "Text": "Да"})), 3),
        (one(json!({"Text": "Да"})), 4),
        (one(json!({"ActionBody": "да"})), 4),
        (one(json!({"ActionBody": "да", "Text": "ж".repeat(251)})), 3),
        (one(json!({"ActionType": "open-url", "ActionBody": "not a page", "Text": "Сайт"})), 3),
        (one(json!({"ActionType": "share-phone", "ActionBody": "x", "Text": "Телефон"})), 14),
        (one(json!({"ActionType": "dance", "ActionBody": "x", "Text": "Да"})), 3),
        (with(json!({"Type": "keyboard", "Buttons": []})), 3),
        (with(json!({"Buttons": [{"ActionBody": "да", "Text": "Да"}]})), 4),
        (cards(2, 7, json!([part])), 0),
        (cards(1, 7, json!([part])), 14),
        (cards(2, 8, json!([part])), 3),
        (cards(2, 7, json!([part, part, part, part, part, part, part])), 3),
    ];
    for (body, status) in rows {
        assert_eq!(s.send(body.clone()).await, status, "{body}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_or_no_json_is_refused() {
    let s = scene().await;
    let large = json!({"type": "text", "text": "да", "tracking_data": "х".repeat(4000),
        "keyboard": {"Type": "keyboard", "Buttons": [{"ActionBody": "ж".repeat(12_000), "Text": "Да"}]}});
    assert_eq!(s.send(large).await, 3);
    assert_eq!(s.call_as(TOKEN, "send_message", "{".to_owned()).await["status"], 3);
}

#[tokio::test]
async fn a_hundred_messages_without_an_answer_are_enough_for_an_hour() {
    let s = scene().await;
    let text = json!({"type": "text", "text": "?"});
    for _ in 0..100 {
        assert_eq!(s.send(text.clone()).await, 0);
    }
    assert_eq!(s.send(text.clone()).await, 12);
    s.olga.writes("хватит");
    assert_eq!(s.send(text.clone()).await, 0);
    for _ in 0..99 {
        s.send(text.clone()).await;
    }
    assert_eq!(s.send(text.clone()).await, 12);
    s.sim.ground().advance(std::time::Duration::from_secs(3601));
    assert_eq!(s.send(text).await, 0);
}

#[tokio::test]
async fn an_address_that_does_not_answer_200_is_not_registered() {
    let s = scene().await;
    let deaf = WebhookHost::start(|_| Answer::status(StatusCode::ACCEPTED)).await.unwrap();
    let before = s.bot.webhook();
    for url in [deaf.url().as_url().as_str(), "http://127.0.0.1:1/", "nowhere"] {
        assert_eq!(s.call("set_webhook", json!({"url": url})).await["status"], 1, "{url}");
    }
    assert_eq!(s.bot.webhook(), before);
    assert_eq!(s.call("set_webhook", json!({"url": "", "send_names": true})).await["status"], 3);
    let odd = json!({"url": s.host.url().as_url().as_str(), "event_types": ["telepathy"]});
    assert_eq!(s.call("set_webhook", odd).await["status"], 3);
}

#[tokio::test]
async fn only_events_asked_for_come_and_names_only_when_asked_for() {
    let s = scene().await;
    let url = s.host.url().as_url().to_string();
    let answer = s.call("set_webhook", json!({"url": url, "event_types": ["seen"]})).await;
    assert_eq!(answer["event_types"], json!(["message", "subscribed", "unsubscribed", "seen"]));
    assert_eq!(s.next().await["event"], "webhook");
    s.olga.opens(Some("ad=spring"));
    s.olga.gets(7);
    s.olga.sees(7);
    let seen = s.next().await;
    assert_eq!((seen["event"].as_str(), seen["message_token"].as_u64()), (Some("seen"), Some(7)));
    s.olga.writes("кто здесь?");
    let message = s.next().await;
    assert_eq!(message["sender"]["id"], OLGA);
    assert!(message["sender"].get("name").is_none(), "{message}");
}

#[tokio::test]
async fn a_callback_that_is_not_answered_200_comes_again() {
    let tries = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = Arc::clone(&tries);
    let host = WebhookHost::start(move |request| {
        let is_probe = request.body.windows(9).any(|part| part == b"\"webhook\"");
        let refused = !is_probe && counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2;
        Answer::status(if refused { StatusCode::BAD_GATEWAY } else { StatusCode::OK })
    });
    let host = host.await.unwrap();
    let s = scene().await;
    s.call("set_webhook", json!({"url": host.url().as_url().as_str()})).await;
    host.next().await;
    s.olga.writes("раз");
    let bodies = [host.next().await.body, host.next().await.body, host.next().await.body];
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    s.bot.hooks().idle().await;
    assert_eq!(tries.load(std::sync::atomic::Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_welcome_is_shown_to_who_has_not_written_and_only_in_the_right_form() {
    let welcome =
        r#"{"sender":{"name":"Ромашка"},"type":"text","text":"Здравствуйте!","tracking_data":"welcome"}"#;
    let host = WebhookHost::start(move |_| Answer {
        headers: HeaderMap::from_iter([(http::header::CONTENT_TYPE, "application/json".parse().unwrap())]),
        body: welcome.into(),
        ..Answer::ok()
    });
    let host = host.await.unwrap();
    let s = scene().await;
    s.call("set_webhook", json!({"url": host.url().as_url().as_str()})).await;
    let ivan = s.bot.customer(Person::new("zR9kLmN0pQ2sT4uV6wX8yA==", "Иван"));
    ivan.opens(None);
    s.olga.opens(None);
    s.bot.hooks().idle().await;
    assert_eq!(ivan.transcript().iter().map(Entry::text).collect::<Vec<_>>(), ["Здравствуйте!"]);
    assert_eq!(s.olga.transcript().len(), 1, "who has written is shown nothing");
}

#[tokio::test]
async fn a_broadcast_lists_who_does_not_get_it() {
    let s = scene().await;
    let list = json!([OLGA, "nobody", "nobody"]);
    let body =
        json!({"broadcast_list": list, "sender": {"name": "Ромашка"}, "type": "text", "text": "Скидки 👟"});
    let answer = s.call("broadcast_message", body.clone()).await;
    assert_eq!(answer["status"], 0);
    assert_eq!(answer["failed_list"].as_array().unwrap().len(), 2);
    assert_eq!(answer["failed_list"][0]["status"], 5);
    assert_eq!(s.olga.transcript().last().unwrap().token, answer["message_token"].as_u64().unwrap());
    for list in [json!([]), json!(vec!["x"; 301])] {
        let body = json!({"broadcast_list": list, "sender": {"name": "Р"}, "type": "text", "text": "да"});
        assert_eq!(s.call("broadcast_message", body).await["status"], 3);
    }
}

#[tokio::test]
async fn people_are_described_twice_in_twelve_hours() {
    let s = scene().await;
    let ask = || s.call("get_user_details", json!({"id": OLGA}));
    assert_eq!(ask().await["user"]["name"], "Ольга");
    assert_eq!(ask().await["status"], 0);
    assert_eq!(ask().await["status"], 12);
    s.sim.ground().advance(std::time::Duration::from_secs(12 * 3600));
    assert_eq!(ask().await["status"], 0);
    assert_eq!(s.call("get_user_details", json!({"id": "nobody"})).await["status"], 5);
    let online = s.call("get_online", json!({"ids": [OLGA, "nobody"]})).await;
    assert_eq!(
        (online["users"][0]["online_status"].as_i64(), online["users"][1]["online_status"].as_i64()),
        (Some(0), Some(4))
    );
    assert_eq!(s.call("get_online", json!({"ids": vec![OLGA; 101]})).await["status"], 3);
}

#[tokio::test]
async fn a_pressed_key_does_what_it_says() {
    let s = scene().await;
    let key = |kind: &str, body: &str, text: &str, silent: bool| json!({"ActionType": kind, "ActionBody": body, "Text": text, "Silent": silent});
    let keyboard = json!({"Type": "keyboard", "Buttons": [
        key("reply", "act:yes", "Да", true), key("reply", "Нет", "Нет", false),
        key("open-url", "https://shop.example.by", "Сайт", false),
        key("share-phone", "x", "Телефон", false), key("location-picker", "x", "Где я", false)]});
    let asked = json!({"type": "text", "text": "?", "min_api_version": 3, "keyboard": keyboard});
    assert_eq!(s.send(asked).await, 0);
    let mut came = Vec::new();
    for label in ["Да", "Нет", "Сайт", "Телефон", "Где я"] {
        assert!(s.olga.presses(label), "{label}");
        came.push(s.next().await);
    }
    assert!(!s.olga.presses("Нет такой"));
    assert_eq!(
        (came[0]["message"]["text"].as_str(), came[0]["silent"].as_bool()),
        (Some("act:yes"), Some(true))
    );
    assert_eq!(
        (came[1]["message"]["text"].as_str(), came[1]["silent"].as_bool()),
        (Some("Нет"), Some(false))
    );
    let kinds: Vec<_> = came.iter().map(|c| c["message"]["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["text", "text", "url", "contact", "location"]);
}

#[tokio::test]
async fn what_another_program_registers_takes_everything() {
    let s = scene().await;
    s.bot.steal_webhook("https://other.example/hook");
    let account = s.call("get_account_info", json!({})).await;
    assert_eq!(
        (account["webhook"].as_str(), account["uri"].as_str()),
        (Some("https://other.example/hook"), Some("romashkaservice"))
    );
    assert!(account["id"].as_str().unwrap().starts_with("pa:"));
}

#[tokio::test]
async fn a_published_file_can_be_fetched() {
    let s = scene().await;
    let upload = Upload::new("счёт № 1.pdf", "application/pdf", "%PDF");
    let url = s.sim.publish(&upload);
    assert_eq!(s.sim.published(url.as_str()), Some(upload));
    s.sim.refuse("send_message", 7, "publicAccountBlocked");
    assert_eq!(s.send(json!({"type": "text", "text": "да"})).await, 7);
    assert_eq!(s.send(json!({"type": "text", "text": "да"})).await, 0);
}
