//! `getUpdates`.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{super::SimConfig, scene, scene_with};

#[tokio::test]
async fn an_offset_confirms_what_is_below_it() {
    let s = scene().await;
    s.ivan.writes("раз");
    s.ivan.writes("два");
    let all = s.api.updates(json!({"limit": 2})).await;
    assert_eq!(all.len(), 2);
    assert_eq!(s.api.updates(json!({})).await.len(), 3, "nothing was confirmed");
    let offset = all[1]["update_id"].as_i64().unwrap() + 1;
    let rest = s.api.updates(json!({"offset": offset})).await;
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0]["message"]["text"], "два");
    assert_eq!(s.bot.pending_updates(), 1);
    s.ivan.writes("три");
    let tail = s.api.updates(json!({"offset": -1})).await;
    assert_eq!(tail[0]["message"]["text"], "три");
    assert_eq!(s.bot.pending_updates(), 1);
    assert_eq!(s.bot.counters().delivered, 3);
}

#[tokio::test]
async fn a_long_poll_waits_for_news() {
    let s = scene().await;
    let first = s.api.updates(json!({})).await[0]["update_id"].as_i64().unwrap();
    let (api, params) = (s.api.clone(), json!({"offset": first + 1, "timeout": 30}));
    let poll = tokio::spawn(async move { api.updates(params).await });
    s.bot.wait_for("the poll to confirm", |bot| (bot.pending_updates() == 0).then_some(())).await;
    s.ivan.writes("вот");
    let got = poll.await.unwrap();
    assert_eq!(got[0]["message"]["text"], "вот");
    let begun = Instant::now();
    assert!(s.api.updates(json!({"offset": first + 2, "timeout": 1})).await.is_empty());
    assert!(begun.elapsed() >= Duration::from_millis(950));
}

#[tokio::test]
async fn a_second_poller_ends_the_first() {
    let s = scene().await;
    let offset = s.api.updates(json!({})).await[0]["update_id"].as_i64().unwrap() + 1;
    let api = s.api.clone();
    let first =
        tokio::spawn(async move { api.call("getUpdates", json!({"offset": offset, "timeout": 30})).await });
    s.bot.wait_for("the first poll", |bot| (bot.pending_updates() == 0).then_some(())).await;
    let api = s.api.clone();
    let second =
        tokio::spawn(async move { api.call("getUpdates", json!({"offset": offset, "timeout": 30})).await });
    first.await.unwrap().refused(
        409,
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    );
    s.api.call("setWebhook", json!({"url": "http://127.0.0.1:9/x"})).await.result();
    second.await.unwrap().refused(409, "Conflict: terminated by setWebhook request");
    s.api.call("getUpdates", json!({})).await.refused(
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    );
    s.api.call("deleteWebhook", json!({})).await.result();
    s.ivan.writes("снова");
    assert_eq!(s.api.updates(json!({})).await.len(), 1);
}

#[tokio::test]
async fn allowed_updates_stick() {
    let s = scene().await;
    s.api.updates(json!({"allowed_updates": ["callback_query"]})).await;
    assert_eq!(s.ivan.writes("не дойдёт").update_id, None);
    s.api.updates(json!({})).await;
    assert_eq!(s.ivan.writes("и это").update_id, None, "left out: the former setting holds");
    s.api.updates(json!({"allowed_updates": []})).await;
    assert!(s.ivan.writes("дойдёт").update_id.is_some());
    assert_eq!(s.ivan.reacts(1, "👍"), None, "an empty list is the default, without reactions");
}

#[tokio::test]
async fn updates_expire_after_a_day() {
    let s = scene().await;
    s.sim.advance(Duration::from_secs(86_401));
    s.ivan.writes("свежее");
    let got = s.api.updates(json!({})).await;
    assert_eq!(got.len(), 1);
    assert_eq!(got[0]["message"]["text"], "свежее");
    assert_eq!(s.bot.counters().expired, 1);
}

#[tokio::test]
async fn a_poller_that_does_not_confirm_is_slowed() {
    let s = scene_with(SimConfig { throttle_hooks: true, ..super::quick() }).await;
    s.ivan.writes("раз");
    assert_eq!(s.api.updates(json!({})).await.len(), 2);
    assert_eq!(s.api.updates(json!({})).await.len(), 1);
}
