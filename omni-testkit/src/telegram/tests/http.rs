//! Encodings, paths and refusals of the HTTP side.

use serde_json::json;

use super::{Api, TOKEN, scene};

#[tokio::test]
async fn get_me_answers_the_profile() {
    let s = scene().await;
    let me = s.api.get(&format!("/bot{TOKEN}/getMe")).await.result();
    assert_eq!(me["id"], 7_000_000_001i64);
    assert_eq!(me["username"], "omni_helpdesk_bot");
    assert_eq!(me["can_connect_to_business"], true);
}

#[tokio::test]
async fn tokens_and_methods_are_refused_like_the_server_does() {
    let s = scene().await;
    Api::new(&s.api.base, "7000000001:wrong").call("getMe", json!({})).await.refused(401, "Unauthorized");
    Api::new(&s.api.base, "nonsense").call("getMe", json!({})).await.refused(404, "Not Found");
    s.api.get("/").await.refused(404, "Not Found");
    s.api.call("fooBar", json!({})).await.refused(404, "Not Found: method not found");
    s.bot.revoke_token();
    s.api.call("getMe", json!({})).await.refused(401, "Unauthorized");
    s.bot.restore_token();
    s.api.call("GETME", json!({})).await.result();
    s.api.call("logOut", json!({})).await.result();
    s.api.call("getMe", json!({})).await.refused(400, "Logged out");
}

#[tokio::test]
async fn four_encodings_carry_the_same_call() {
    let s = scene().await;
    let markup = r#"{"inline_keyboard":[[{"text":"Да","callback_data":"y"}]]}"#;
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("chat_id", "100200300")
        .append_pair("text", "привет 👋")
        .append_pair("reply_markup", markup)
        .finish();
    s.api.get(&format!("/bot{TOKEN}/sendMessage?{query}")).await.result();
    let form = s.api.request("sendMessage", "application/x-www-form-urlencoded", query);
    s.api.send(form).await.unwrap().result();
    let fields = [("chat_id", "100200300"), ("text", "привет 👋"), ("reply_markup", markup)];
    s.api.upload("sendMessage", &fields, &[]).await.result();
    let markup: serde_json::Value = serde_json::from_str(markup).unwrap();
    let json = json!({"chat_id": 100_200_300, "text": "привет 👋", "reply_markup": markup});
    s.api.call("sendMessage", json).await.result();

    let sent: Vec<_> = s.ivan.transcript().into_iter().filter(|entry| entry.is_from_bot()).collect();
    assert_eq!(sent.len(), 4);
    for entry in &sent {
        assert_eq!(entry.text(), "привет 👋");
        assert_eq!(entry.buttons()[0].callback_data.as_deref(), Some("y"));
    }
    assert_eq!(s.bot.calls().len(), 4);
}

#[tokio::test]
async fn broken_bodies_are_refused() {
    let s = scene().await;
    let broken = s.api.request("sendMessage", "application/json", "{");
    assert_eq!(s.api.send(broken).await.unwrap().status, 400);
    let broken = s.api.request("sendMessage", "multipart/form-data; boundary=XX", "--XX\r\n");
    assert_eq!(s.api.send(broken).await.unwrap().status, 400);
}

#[tokio::test]
async fn the_simulator_stops_with_its_last_handle() {
    let s = scene().await;
    let api = s.api.clone();
    drop((s.ivan, s.bot));
    api.call("getMe", json!({})).await.result();
    drop(s.sim);
    let address = api.base.strip_prefix("http://").unwrap().to_owned();
    let gone = async {
        while tokio::net::TcpStream::connect(&address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), gone).await.expect("still listening");
}
