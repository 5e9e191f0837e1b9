use serde_json::json;

use super::*;
use crate::{
    sim::Fault,
    vk::{ApiError, Scope},
};

#[tokio::test]
async fn a_call_needs_a_version_and_a_good_token() {
    let Scene { sim, api, .. } = scene().await;
    let token = api.token.clone();
    let me = "/method/groups.getById";
    api.post(me, &[("access_token", &token)]).await.unwrap().refused(8);
    api.post(me, &[("access_token", &token), ("v", "6.1")]).await.unwrap().refused(8);
    api.post(me, &[("v", "5.199")]).await.unwrap().refused(5);
    api.post(me, &[("access_token", "vk1.a.no"), ("v", "5.199")]).await.unwrap().refused(5);
    api.call("groups.getByID", &[]).await.refused(3);
    sim.revoke(&token, 27);
    api.call("groups.getById", &[]).await.refused(27);
}

#[tokio::test]
async fn an_error_repeats_what_was_asked_but_for_the_token() {
    let scene = scene().await;
    let api = &scene.api;
    let error = api.say(&[("message", "Привет")]).await.refused(901);
    let asked = error["request_params"].as_array().unwrap();
    assert!(asked.contains(&json!({"key": "message", "value": "Привет"})));
    assert!(asked.contains(&json!({"key": "method", "value": "messages.send"})));
    assert!(!error.to_string().contains(&api.token));
    assert_eq!(error["error_msg"], "Can't send messages for users without permission");
}

#[tokio::test]
async fn a_token_may_come_in_a_header_and_a_call_by_get() {
    let scene = scene().await;
    let api = &scene.api;
    let request = Request::get(format!("{}/method/groups.getById?v=5.199", api.base))
        .header("authorization", format!("Bearer {}", api.token))
        .body(Full::default())
        .unwrap();
    let answer = api.send(request).await.unwrap().response();
    assert_eq!(answer["groups"][0]["id"], GROUP);
    assert_eq!(answer["groups"][0]["name"], "Ромашка");
}

#[tokio::test]
async fn below_5_139_communities_are_a_bare_list() {
    let scene = scene().await;
    let api = &scene.api;
    let fields = [("access_token", api.token.as_str()), ("v", "5.131")];
    let answer = api.post("/method/groups.getById", &fields).await.unwrap().response();
    assert_eq!(answer[0]["screen_name"], "romashka_shop");
}

#[tokio::test]
async fn a_right_that_the_token_lacks_is_refused() {
    let Scene { shop, api, .. } = scene().await;
    let api = Api::new(&api.base, &shop.token(&[Scope::Photos]));
    api.say(&[("message", "Привет")]).await.refused(15);
    let group = GROUP.to_string();
    api.call("groups.getCallbackServers", &[("group_id", &group)]).await.refused(15);
    let rights = api.call("groups.getTokenPermissions", &[]).await.response();
    assert_eq!(rights, json!({"mask": 4, "permissions": [{"name": "photos", "setting": 4}]}));
}

#[tokio::test]
async fn another_community_is_none_of_the_tokens_business() {
    let Scene { sim, api, .. } = scene().await;
    sim.add_community(CommunityProfile::new(777, "Чужая", "alien"));
    for method in ["groups.getCallbackConfirmationCode", "groups.getLongPollServer"] {
        api.call(method, &[("group_id", "777")]).await.refused(15);
        api.call(method, &[]).await.refused(100);
    }
}

#[tokio::test]
async fn the_twenty_first_call_within_a_second_is_too_many() {
    let scene = scene_with(SimConfig { rate_limits: true, ..SimConfig::default() }).await;
    let api = &scene.api;
    let mut codes = Vec::new();
    for _ in 0..21 {
        codes.push(api.call("groups.getById", &[]).await.json()["error"]["error_code"].as_i64());
    }
    assert_eq!(codes.iter().filter(|code| code.is_none()).count(), 20, "{codes:?}");
    assert_eq!(codes.last(), Some(&Some(6)));
}

#[tokio::test]
async fn refusals_and_trouble_are_scripted() {
    let Scene { sim, api, ivan, .. } = talk().await;
    sim.refuses("messages.send", 1, ApiError::new(9));
    sim.refuses("messages.send", 1, ApiError::captcha());
    api.say(&[("message", "раз")]).await.refused(9);
    let captcha = api.say(&[("message", "раз")]).await.refused(14);
    assert!(captcha["captcha_sid"].is_string() && captcha["captcha_img"].is_string());
    sim.faults().on("messages.send", 1, ApiError::new(29).to_fault());
    api.say(&[("message", "раз")]).await.refused(29);
    sim.faults().on("messages.send", 1, Fault::DropAfterAccept);
    let ivans = IVAN.to_string();
    let fields = [("peer_id", ivans.as_str()), ("random_id", "7"), ("message", "потерян ответ")];
    assert!(api.try_call("messages.send", &fields).await.is_err());
    assert_eq!(ivan.sees().last().unwrap().text(), "потерян ответ");
    let outcomes: Vec<_> = sim.attempts().iter().map(|call| call.error.clone().map(|e| e.code)).collect();
    assert_eq!(outcomes, [Some(9), Some(14), None]);
}
