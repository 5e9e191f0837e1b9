use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use omni_core::webhook::{Answer, WebhookRequest};
use serde_json::json;

use super::*;
use crate::{
    conformance::WebhookHost,
    vk::{CallbackServer, EchoOrder, ServerStatus},
};

/// A host that answers the code to confirmations, and to events what is left of a script, or `ok`.
async fn host(code: &str, script: &[&'static str]) -> WebhookHost {
    let code = code.to_owned();
    let script = Mutex::new(script.iter().copied().collect::<VecDeque<_>>());
    let answer = move |request: &WebhookRequest| match body(request)["type"] == "confirmation" {
        true => Answer::text(code.clone()),
        false => Answer::text(script.lock().unwrap().pop_front().unwrap_or("ok")),
    };
    WebhookHost::start(answer).await.unwrap()
}

fn body(request: &WebhookRequest) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// The next event; confirmations are passed over.
async fn event(host: &WebhookHost) -> Value {
    loop {
        let request = host.next().await;
        let body = body(&request);
        if body["type"] != "confirmation" {
            return body;
        }
    }
}

async fn add(scene: &Scene, url: &str, secret: &str) -> i64 {
    let group = GROUP.to_string();
    let fields = [("group_id", group.as_str()), ("url", url), ("title", "omni"), ("secret_key", secret)];
    scene.api.call("groups.addCallbackServer", &fields).await.response()["server_id"].as_i64().unwrap()
}

async fn settle(scene: &Scene, id: i64) -> ServerStatus {
    let find = || {
        let server = scene.shop.servers().into_iter().find(|server| server.id == id)?;
        (server.status != ServerStatus::Wait).then_some(server.status)
    };
    scene.sim.ground().wait_for("the confirmation", find).await
}

/// Adds a server and switches events on.
async fn connect(scene: &Scene, host: &WebhookHost, events: &[&str]) -> i64 {
    let id = add(scene, host.url().as_url().as_str(), "s3cr3tABC").await;
    assert_eq!(settle(scene, id).await, ServerStatus::Ok);
    let (group, server) = (GROUP.to_string(), id.to_string());
    let mut fields = vec![("group_id", group.as_str()), ("server_id", &server), ("api_version", "5.199")];
    fields.extend(events.iter().map(|event| (*event, "1")));
    assert_eq!(scene.api.call("groups.setCallbackSettings", &fields).await.response(), 1);
    id
}

#[tokio::test]
async fn a_server_is_good_once_it_answers_the_code_of_today() {
    let scene = scene().await;
    let (shop, group) = (&scene.shop, GROUP.to_string());
    let host = host(&shop.confirmation_code(), &[]).await;
    let url = host.url().as_url().to_string();
    let id = add(&scene, &url, "s3cr3tABC").await;
    assert_eq!(settle(&scene, id).await, ServerStatus::Ok);
    let asked = body(&host.next().await);
    assert_eq!((&asked["type"], &asked["group_id"]), (&json!("confirmation"), &json!(GROUP)));
    assert!(asked.get("object").is_none() && asked["event_id"].is_string());
    assert_eq!(asked["secret"], "s3cr3tABC");
    shop.changes_code();
    let server = id.to_string();
    let fields = [("group_id", group.as_str()), ("server_id", &server), ("url", &url), ("title", "omni")];
    scene.api.call("groups.editCallbackServer", &fields).await.response();
    assert_eq!(settle(&scene, id).await, ServerStatus::Failed, "the code has changed");
    let listed = scene.api.call("groups.getCallbackServers", &[("group_id", &group)]).await.response();
    assert_eq!(listed["items"][0]["status"], "failed");
    assert_eq!(listed["items"][0]["url"], url);
}

#[tokio::test]
async fn servers_are_checked_and_ten_are_enough() {
    let scene = scene().await;
    let group = GROUP.to_string();
    let url = "http://127.0.0.1:9/hook";
    let long = "x".repeat(51);
    let broken = [
        [("title", "omni"), ("url", "не адрес"), ("secret_key", "")],
        [("title", "слишком длинный заголовок"), ("url", url), ("secret_key", "")],
        [("title", ""), ("url", url), ("secret_key", "")],
        [("title", "omni"), ("url", url), ("secret_key", &long)],
    ];
    for fields in broken {
        let mut all = vec![("group_id", group.as_str())];
        all.extend(fields);
        scene.api.call("groups.addCallbackServer", &all).await.refused(100);
    }
    for _ in 0..10 {
        add(&scene, url, "").await;
    }
    let fields = [("group_id", group.as_str()), ("url", url), ("title", "omni")];
    scene.api.call("groups.addCallbackServer", &fields).await.refused(2000);
    let drop_one = [("group_id", group.as_str()), ("server_id", "3")];
    scene.api.call("groups.deleteCallbackServer", &drop_one).await.response();
    scene.api.call("groups.deleteCallbackServer", &drop_one).await.refused(100);
    add(&scene, url, "").await;
}

#[tokio::test]
async fn events_are_off_until_they_are_switched_on() {
    let scene = scene().await;
    let host = host(&scene.shop.confirmation_code(), &[]).await;
    let id = connect(&scene, &host, &[]).await;
    scene.ivan.writes("никто не слышит");
    let (group, server) = (GROUP.to_string(), id.to_string());
    let fields = [("group_id", group.as_str()), ("server_id", &server)];
    let settings = scene.api.call("groups.getCallbackSettings", &fields).await.response();
    assert_eq!((&settings["api_version"], &settings["events"]["message_new"]), (&json!("5.199"), &json!(0)));
    let on = [fields[0], fields[1], ("message_new", "1"), ("message_read", "0")];
    scene.api.call("groups.setCallbackSettings", &on).await.response();
    scene.ivan.writes("слышно 🌼");
    let event = event(&host).await;
    assert_eq!(event["object"]["message"]["text"], "слышно 🌼");
    assert_eq!((&event["secret"], &event["v"]), (&json!("s3cr3tABC"), &json!("5.199")));
    assert_eq!(event["event_id"], scene.shop.events().last().unwrap().event_id);
    assert!(event["object"]["client_info"]["inline_keyboard"] == true);
}

#[tokio::test]
async fn without_a_version_a_message_comes_bare() {
    let scene = scene().await;
    let host = host(&scene.shop.confirmation_code(), &[]).await;
    let id = add(&scene, host.url().as_url().as_str(), "").await;
    settle(&scene, id).await;
    let (group, server) = (GROUP.to_string(), id.to_string());
    let fields = [("group_id", group.as_str()), ("server_id", &server), ("message_new", "1")];
    scene.api.call("groups.setCallbackSettings", &fields).await.response();
    scene.ivan.writes("по-старому");
    let event = event(&host).await;
    assert_eq!(event["object"]["text"], "по-старому");
    assert!(event.get("secret").is_none());
}

#[tokio::test]
async fn anything_but_ok_is_tried_again_with_a_count() {
    let scene = scene().await;
    let host = host(&scene.shop.confirmation_code(), &["", "{\"ok\":true}", "OK"]).await;
    connect(&scene, &host, &["message_new"]).await;
    scene.ivan.writes("упорно");
    scene.sim.idle().await;
    let counts: Vec<_> = scene.sim.poster().deliveries().iter().skip(1).map(|d| d.hook.attempt).collect();
    assert_eq!(counts, [0, 1, 2, 3]);
    let mut requests = Vec::new();
    for _ in 0..5 {
        requests.push(host.next().await);
    }
    let header = |at: usize| requests[at].header("x-retry-counter").map(str::to_owned);
    assert_eq!((header(1), header(2).as_deref(), header(4).as_deref()), (None, Some("1"), Some("3")));
    assert_eq!(requests[1].body, requests[4].body);
}

#[tokio::test]
async fn remove_removes_the_server_and_endless_failure_makes_it_failed() {
    let scene = scene_with(SimConfig { tries: 2, ..SimConfig::default() }).await;
    let code = scene.shop.confirmation_code();
    let (leaving, broken) = (host(&code, &["remove"]).await, host(&code, &["нет", "нет"]).await);
    connect(&scene, &leaving, &["message_new"]).await;
    let id = connect(&scene, &broken, &["message_new"]).await;
    scene.ivan.writes("кто-нибудь?");
    scene.sim.idle().await;
    let left: Vec<CallbackServer> = scene.shop.servers();
    assert_eq!(left.iter().map(|s| (s.id, s.status)).collect::<Vec<_>>(), [(id, ServerStatus::Failed)]);
}

#[tokio::test]
async fn each_server_has_its_own_events_and_secret() {
    let scene = scene().await;
    let code = scene.shop.confirmation_code();
    let (one, two) = (host(&code, &[]).await, host(&code, &[]).await);
    connect(&scene, &one, &["message_new"]).await;
    connect(&scene, &two, &["message_typing_state"]).await;
    scene.ivan.types();
    scene.ivan.writes("Да");
    assert_eq!(event(&one).await["type"], "message_new");
    let typing = event(&two).await;
    assert_eq!(typing["object"], json!({"state": "typing", "from_id": IVAN, "to_id": -GROUP}));
}

#[tokio::test]
async fn events_are_repeated_shuffled_and_redelivered() {
    let scene = scene().await;
    let host = host(&scene.shop.confirmation_code(), &[]).await;
    connect(&scene, &host, &["message_new"]).await;
    scene.sim.poster().hold().repeat(2).shuffle(3);
    let words = ["1", "2", "3", "4", "5"];
    for word in words {
        scene.ivan.writes(word);
    }
    scene.sim.poster().release();
    let mut heard = Vec::new();
    for _ in 0..10 {
        heard.push(event(&host).await["object"]["message"]["text"].as_str().unwrap().to_owned());
    }
    let mut sorted: Vec<_> = heard.iter().step_by(2).cloned().collect();
    assert_ne!(sorted, words);
    sorted.sort();
    assert_eq!(sorted, words);
    scene.sim.poster().repeat(1);
    let first = scene.shop.events()[0].clone();
    assert!(scene.shop.redeliver(&first.event_id));
    assert_eq!(event(&host).await["event_id"], first.event_id);
    assert!(!scene.shop.redeliver("нет такого"));
}

#[tokio::test]
async fn own_sends_come_back_before_the_answer_or_late() {
    let orders = [EchoOrder::BeforeAnswer, EchoOrder::Late(Duration::from_millis(30))];
    for echo in orders {
        let scene = scene_with(SimConfig { echo, ..SimConfig::default() }).await;
        let host = Arc::new(host(&scene.shop.confirmation_code(), &[]).await);
        connect(&scene, &host, &["message_reply"]).await;
        scene.ivan.writes("Есть?");
        scene.api.say(&[("message", "Да"), ("random_id", "42")]).await.response();
        let is_there = scene.sim.poster().deliveries().len() == 2;
        assert_eq!(is_there, echo == EchoOrder::BeforeAnswer);
        let event = event(&host).await;
        let object = &event["object"];
        assert_eq!((&event["type"], &object["random_id"]), (&json!("message_reply"), &json!(42)));
        assert_eq!((&object["from_id"], &object["out"]), (&json!(-GROUP), &json!(1)));
        assert!(object.get("admin_author_id").is_none());
    }
}
