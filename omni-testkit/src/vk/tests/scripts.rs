use serde_json::json;

use super::*;
use crate::vk::{ApiError, methods::read_script};

fn send(peer: i64, text: &str) -> String {
    let arguments = json!({"peer_ids": peer.to_string(), "random_id": 0, "message": text});
    format!("API.messages.send({arguments})")
}

#[tokio::test]
async fn a_script_sends_many_and_its_failures_stand_beside_its_answers() {
    let Scene { sim, api, ivan, .. } = talk().await;
    let tricky = "кавычки \" и \\ и ]; return [API.x()]; \u{2028} 😀";
    let code = format!(
        "return [{}, API.messages.send({{\"peer_id\": 777, \"random_id\": 1, \"message\": \"Эй\"}}), {}];",
        send(IVAN, tricky),
        send(IVAN, "три")
    );
    let body = api.call("execute", &[("code", &code)]).await.json();
    assert_eq!(body["response"][0][0]["conversation_message_id"], 2);
    assert_eq!(body["response"][1], false);
    let failure = json!([{"method": "messages.send", "error_code": 936, "error_msg": "Contact not found"}]);
    assert_eq!(body["execute_errors"], failure);
    let seen: Vec<_> = ivan.sees().iter().skip(1).map(|entry| entry.text().to_owned()).collect();
    assert_eq!(seen, [tricky, "три"]);
    assert_eq!(sim.calls("messages.send").len(), 2);
    assert!(sim.calls("messages.send").iter().all(|call| call.is_in_script));
}

#[tokio::test]
async fn refusals_strike_inside_scripts_too() {
    let Scene { sim, api, .. } = talk().await;
    sim.refuses("messages.send", 1, ApiError::new(9));
    let code = format!("return [{},{}];", send(IVAN, "раз"), send(IVAN, "два"));
    let body = api.call("execute", &[("code", &code)]).await.json();
    assert_eq!(body["response"][0], false);
    assert_eq!(body["response"][1][0]["message_id"], 4022);
    assert_eq!(body["execute_errors"][0]["error_code"], 9);
}

#[tokio::test]
async fn at_most_twenty_five_calls_are_joined() {
    let Scene { api, ivan, .. } = talk().await;
    let script = |count: usize| format!("return [{}];", vec![send(IVAN, "да"); count].join(","));
    api.call("execute", &[("code", &script(26))]).await.refused(13);
    assert_eq!(ivan.sees().len(), 1, "nothing was carried out");
    let body = api.call("execute", &[("code", &script(25))]).await.response();
    assert_eq!(body.as_array().unwrap().len(), 25);
    api.call("execute", &[]).await.refused(100);
    api.call("execute", &[("code", "return API.users.get({});")]).await.refused(12);
}

#[test]
fn a_script_is_read_to_the_letter() {
    assert_eq!(read_script(" return [ ] ; ").unwrap().len(), 0);
    let calls = read_script("return [API.users.get({\"user_ids\": \"1\"}), API.groups.getById()];").unwrap();
    assert_eq!(calls[0].0, "users.get");
    assert!(calls[1].1.is_empty());
    let broken = [
        "",
        "return [API.users.get({})]",
        "return [API.users.get({}),];",
        "return [users.get({})];",
        "return [API.users.get({\"a\": b})];",
        "return [API.users.get({\"a\": 1};",
        "return [API.users.get({})]; return 1;",
        "var a = 1; return [API.users.get({})];",
    ];
    for code in broken {
        assert!(read_script(code).is_err(), "{code}");
    }
}
