use serde_json::json;

use super::*;
use crate::vk::PollFailure;

async fn on(scene: &Scene) {
    let group = GROUP.to_string();
    let fields =
        [("group_id", group.as_str()), ("enabled", "1"), ("api_version", "5.199"), ("message_new", "1")];
    scene.api.call("groups.setLongPollSettings", &fields).await.response();
}

async fn server(scene: &Scene) -> Value {
    let group = GROUP.to_string();
    scene.api.call("groups.getLongPollServer", &[("group_id", &group)]).await.response()
}

async fn poll(scene: &Scene, server: &Value, ts: &str, wait: u32) -> Value {
    let (url, key) = (server["server"].as_str().unwrap(), server["key"].as_str().unwrap());
    scene.api.get(&format!("{url}?act=a_check&key={key}&ts={ts}&wait={wait}")).await.json()
}

#[tokio::test]
async fn a_poll_waits_for_events_and_gives_the_place_behind_them() {
    let scene = scene().await;
    let group = GROUP.to_string();
    scene.api.call("groups.getLongPollServer", &[("group_id", &group)]).await.refused(100);
    on(&scene).await;
    let server = server(&scene).await;
    let ts = server["ts"].as_str().unwrap().to_owned();
    let waiting = poll(&scene, &server, &ts, 25);
    let writing = async { scene.ivan.writes("Привет из полинга 🐢") };
    let (answer, _) = tokio::join!(waiting, writing);
    assert_eq!(answer["updates"][0]["object"]["message"]["text"], "Привет из полинга 🐢");
    assert_eq!(answer["updates"][0]["group_id"], GROUP);
    assert!(answer["updates"][0].get("secret").is_none());
    let again = poll(&scene, &server, &ts, 25).await;
    assert_eq!(again, answer, "what is not left behind comes again");
    let next = answer["ts"].as_str().unwrap();
    assert_eq!(poll(&scene, &server, next, 0).await, json!({"ts": next, "updates": []}));
    scene.ivan.types();
    assert_eq!(poll(&scene, &server, next, 0).await["updates"], json!([]), "not asked for");
}

#[tokio::test]
async fn failures_are_told_by_their_numbers() {
    let scene = scene_with(SimConfig { poll_history: 2, ..SimConfig::default() }).await;
    on(&scene).await;
    let first = server(&scene).await;
    let ts = first["ts"].as_str().unwrap().to_owned();
    for word in ["1", "2", "3"] {
        scene.ivan.writes(word);
    }
    assert_eq!(poll(&scene, &first, &ts, 0).await, json!({"failed": 1, "ts": 1845}), "a number here");
    scene.shop.poll_fails(PollFailure::KeyExpired);
    assert_eq!(poll(&scene, &first, "1843", 0).await, json!({"failed": 2}));
    assert_eq!(poll(&scene, &first, "1843", 0).await, json!({"failed": 2}), "the key is gone");
    let second = server(&scene).await;
    assert_eq!(poll(&scene, &second, "1843", 0).await["updates"].as_array().unwrap().len(), 2);
    scene.shop.poll_fails(PollFailure::StateLost);
    assert_eq!(poll(&scene, &second, "1845", 0).await, json!({"failed": 3}));
    scene.shop.poll_fails(PollFailure::HistoryLost);
    let third = server(&scene).await;
    assert_eq!(poll(&scene, &third, "1845", 0).await["failed"], 1);
}

#[tokio::test]
async fn a_revoked_token_ends_the_poll() {
    let scene = scene().await;
    on(&scene).await;
    let server = server(&scene).await;
    let ts = server["ts"].as_str().unwrap().to_owned();
    let waiting = poll(&scene, &server, &ts, 25);
    let revoking = async { scene.sim.revoke(&scene.api.token, 27) };
    assert_eq!(tokio::join!(waiting, revoking).0, json!({"failed": 2}));
    let group = GROUP.to_string();
    scene.api.call("groups.getLongPollServer", &[("group_id", &group)]).await.refused(27);
}

#[tokio::test]
async fn asking_for_the_server_in_a_loop_is_refused() {
    let scene = scene().await;
    on(&scene).await;
    for _ in 0..10 {
        server(&scene).await;
    }
    let group = GROUP.to_string();
    scene.api.call("groups.getLongPollServer", &[("group_id", &group)]).await.refused(29);
}
