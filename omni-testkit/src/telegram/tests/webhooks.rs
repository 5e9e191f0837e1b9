//! Delivery to a host.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode};
use serde_json::json;

use super::{
    super::{SimConfig, User, WebhookFault},
    Host, Scene, quick, scene, scene_with,
};

async fn hooked(s: &Scene) -> Host {
    let host = Host::start().await;
    let params = json!({"url": host.url(), "secret_token": "Zx9_random-256bit", "max_connections": 4});
    s.api.call("setWebhook", params).await.result();
    host
}

fn texts(came: &[super::Came]) -> Vec<String> {
    came.iter().map(super::Came::text).collect()
}

#[tokio::test]
async fn an_update_comes_with_the_secret() {
    let s = scene().await;
    let host = hooked(&s).await;
    s.ivan.writes("Здравствуйте 👋");
    let came = host.wait(2).await;
    assert_eq!(texts(&came), ["/start", "Здравствуйте 👋"], "what waited comes first");
    assert_eq!(came[1].secret.as_deref(), Some("Zx9_random-256bit"));
    assert_eq!(came[1].path, "/hook/tg?x=1");
    assert_eq!(came[1].headers["content-type"], "application/json");
    assert_eq!(came[1].headers["host"], host.address.to_string());
    s.bot.wait_for_empty_queue().await;
    let info = s.api.call("getWebhookInfo", json!({})).await.result();
    assert_eq!((&info["pending_update_count"], &info["max_connections"]), (&json!(0), &json!(4)));
    let again = json!({"url": host.url(), "secret_token": "Zx9_random-256bit", "max_connections": 4});
    assert_eq!(s.api.call("setWebhook", again).await.json()["description"], "Webhook is already set");
    assert_eq!(s.api.call("deleteWebhook", json!({})).await.json()["description"], "Webhook was deleted");
    assert_eq!(
        s.api.call("deleteWebhook", json!({})).await.json()["description"],
        "Webhook is already deleted"
    );
}

#[tokio::test]
async fn settings_are_checked() {
    let s = scene_with(SimConfig { plain_webhooks: false, throttle_hooks: true, ..quick() }).await;
    let set = async |params| s.api.call("setWebhook", params).await;
    set(json!({"url": "http://x.example/"}))
        .await
        .refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook");
    let throttled = set(json!({"url": "https://x.example/"})).await;
    throttled.refused(429, "Too Many Requests: retry after 1");
    assert_eq!(throttled.retry_after.as_deref(), Some("1"));
    let s = scene_with(SimConfig { plain_webhooks: false, ..quick() }).await;
    let set = async |params| s.api.call("setWebhook", params).await;
    set(json!({"url": "https://x.example:444/"}))
        .await
        .refused(400, "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443");
    set(json!({"url": "https://x.example/", "secret_token": "with space"}))
        .await
        .refused(400, "Bad Request: secret token contains unallowed characters");
    set(json!({"url": "https://x.example/", "secret_token": "x".repeat(257)}))
        .await
        .refused(400, "Bad Request: secret token is too long");
}

#[tokio::test]
async fn an_https_url_can_be_led_to_a_plain_host() {
    let host = Host::start().await;
    let s = scene_with(SimConfig { plain_webhooks: false, webhook_via: Some(host.address), ..quick() }).await;
    s.api.call("setWebhook", json!({"url": "https://u:p@omni.example:8443/hook"})).await.result();
    let came = host.wait(1).await;
    assert_eq!(came[0].headers["host"], "omni.example:8443");
    assert_eq!(came[0].headers["authorization"], "Basic dTpw");
    assert_eq!(came[0].path, "/hook");
}

#[tokio::test]
async fn a_failed_update_holds_back_its_chat_only() {
    let s = scene().await;
    let host = Host::start().await;
    host.refuses(Some("/start"));
    s.api.call("setWebhook", json!({"url": host.url()})).await.result();
    s.ivan.writes("раз");
    s.bot.customer(User::new(42, "Ольга")).writes("я тут");
    let taken = |bot: &super::BotHandle| {
        (bot.counters().delivered == 1 && bot.counters().webhook_failures > 2).then_some(())
    };
    s.bot.wait_for("Olga's update alone to be taken", taken).await;
    assert_eq!(s.bot.pending_updates(), 2);
    let info = s.api.call("getWebhookInfo", json!({})).await.result();
    assert_eq!(info["last_error_message"], "Wrong response from the webhook: 500 Internal Server Error");
    host.refuses(None);
    s.bot.wait_for_empty_queue().await;
    let ivan: Vec<String> = texts(&host.came()).into_iter().filter(|text| text != "я тут").collect();
    assert_eq!(ivan.last().unwrap(), "раз");
    assert!(ivan.iter().rev().skip(1).all(|text| text == "/start"), "{ivan:?}");
    let last = s.bot.deliveries().into_iter().rfind(|delivery| delivery.attempt > 1).unwrap();
    assert_eq!(last.status, Some(200));
}

#[tokio::test]
async fn retry_after_of_the_host_is_honoured() {
    let s = scene_with(SimConfig { retry_base: Duration::from_millis(20), ..quick() }).await;
    let host = Host::start().await;
    let busy = Response::builder().status(503).header("retry-after", "3").body(Full::default()).unwrap();
    host.answers(busy);
    let begun = std::time::Instant::now();
    s.api.call("setWebhook", json!({"url": host.url()})).await.result();
    host.wait(2).await;
    assert!(begun.elapsed() >= Duration::from_millis(60), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn gone_for_a_day_switches_the_webhook_off() {
    let s = scene().await;
    let host = Host::start().await;
    host.settle(StatusCode::GONE);
    s.api.call("setWebhook", json!({"url": host.url()})).await.result();
    host.wait(2).await;
    s.ivan.writes("ещё");
    s.sim.advance(Duration::from_secs(23 * 3600 + 1));
    let off = |bot: &super::BotHandle| bot.bot.lock().queue.webhook.is_none().then_some(());
    s.bot.wait_for("the webhook to be switched off", off).await;
}

#[tokio::test]
async fn chats_go_in_parallel_up_to_the_connections() {
    let s = scene().await;
    s.bot.faults().hold_webhook();
    let host = hooked(&s).await;
    host.pauses(Duration::from_millis(50));
    for id in 1..=12 {
        s.bot.customer(User::new(id, "X")).writes("привет");
    }
    let begun = std::time::Instant::now();
    s.bot.faults().release_webhook();
    s.bot.wait_for_empty_queue().await;
    let spent = begun.elapsed();
    assert!(spent >= Duration::from_millis(150), "13 chats over 4 connections: {spent:?}");
    assert!(spent < Duration::from_millis(600), "{spent:?}");
}

#[tokio::test]
async fn an_answer_may_be_a_call() {
    let s = scene().await;
    let host = Host::start().await;
    let call = json!({"method": "sendMessage", "chat_id": 100_200_300, "text": "из ответа"}).to_string();
    host.answers(Response::new(Full::new(Bytes::from(call))));
    s.api.call("setWebhook", json!({"url": host.url()})).await.result();
    s.bot.wait_for_text(100_200_300, "из ответа").await;
}

#[tokio::test]
async fn deliveries_can_be_spoilt() {
    let s = scene().await;
    let faults = [
        WebhookFault::MissingSecret,
        WebhookFault::WrongSecret,
        WebhookFault::TruncatedBody,
        WebhookFault::OversizedBody(100_000),
        WebhookFault::Body(Bytes::from_static(b"[]")),
    ];
    for fault in &faults {
        s.bot.faults().on_webhook(1, fault.clone());
    }
    let host = Host::start().await;
    faults.iter().for_each(|_| host.fails(401));
    s.api.call("setWebhook", json!({"url": host.url(), "secret_token": "s"})).await.result();
    s.bot.wait_for_empty_queue().await;
    let came = host.came();
    assert_eq!(came[0].secret, None);
    assert_eq!(came[1].secret.as_deref(), Some("not-the-secret"));
    assert!(serde_json::from_slice::<serde_json::Value>(&came[2].body).is_err());
    assert!(came[3].body.len() >= 100_000 && came[3].text() == "/start");
    assert_eq!(came[4].body, "[]");
    assert_eq!((came[5].text().as_str(), came[5].secret.as_deref()), ("/start", Some("s")));
    let carried: Vec<_> = s.bot.deliveries().into_iter().map(|delivery| delivery.fault).collect();
    assert_eq!(carried[..5], faults.map(Some));
}

#[tokio::test]
async fn deliveries_repeat_and_leave_their_order() {
    let s = scene().await;
    s.bot.faults().hold_webhook().repeat_webhook_in_parallel(3).shuffle_within_chats().shuffle_chats();
    let host = hooked(&s).await;
    for at in 0..12 {
        s.ivan.writes(&at.to_string());
    }
    s.bot.faults().release_webhook();
    s.bot.wait_for_empty_queue().await;
    let came = texts(&host.came());
    assert_eq!(came.len(), 13 * 3);
    let mut once: Vec<&String> = came.iter().step_by(3).collect();
    let ordered = once.iter().map(|text| text.parse().unwrap_or(-1)).collect::<Vec<i32>>();
    assert!(!ordered.is_sorted(), "{ordered:?}");
    once.sort();
    once.dedup();
    assert_eq!(once.len(), 13);
    s.bot.faults().clear();
    let id = s.bot.updates()[0].update_id;
    assert!(s.bot.redeliver(id));
    assert_eq!(host.wait(40).await[39].json()["update_id"], id);
}
