use serde_json::json;

use super::*;

#[tokio::test]
async fn history_comes_newest_first_in_pages_and_with_names() {
    let Scene { api, ivan, .. } = talk().await;
    ivan.writes("два");
    api.say(&[("message", "три")]).await.response();
    let ivans = IVAN.to_string();
    let fields = [("peer_id", ivans.as_str()), ("count", "2"), ("offset", "1"), ("extended", "1")];
    let page = api.call("messages.getHistory", &fields).await.response();
    let texts: Vec<_> =
        page["items"].as_array().unwrap().iter().map(|m| m["text"].as_str().unwrap()).collect();
    assert_eq!((texts, &page["count"]), (vec!["два", "Здравствуйте 👋🏽"], &json!(3)));
    assert_eq!(page["profiles"][0]["first_name"], "Иван");
    assert_eq!(page["groups"][0]["name"], "Ромашка");
    let fields = [("peer_id", ivans.as_str()), ("rev", "1"), ("count", "1")];
    let oldest = api.call("messages.getHistory", &fields).await.response();
    assert_eq!(oldest["items"][0]["conversation_message_id"], 1);
    let fields = [("peer_id", ivans.as_str()), ("count", "201")];
    api.call("messages.getHistory", &fields).await.refused(100);
}

#[tokio::test]
async fn conversations_are_filtered_and_found_by_their_ids() {
    let Scene { shop, api, .. } = talk().await;
    shop.customer(olga()).writes("Ещё продаёте?");
    api.say(&[("message", "Да")]).await.response();
    let all = api.call("messages.getConversations", &[("count", "200")]).await.response();
    assert_eq!(all["count"], 2);
    let open = api.call("messages.getConversations", &[("filter", "unanswered")]).await.response();
    assert_eq!(open["items"][0]["conversation"]["peer"]["id"], olga().id);
    assert_eq!(open["items"][0]["last_message"]["text"], "Ещё продаёте?");
    shop.chat(7, "Соседи 🏡", &[ivan()]);
    let fields = [("peer_ids", "2000000007,50112233,5")];
    let found = api.call("messages.getConversationsById", &fields).await.response();
    assert_eq!(found["count"], 2);
    assert_eq!(found["items"][0]["chat_settings"]["title"], "Соседи 🏡");
    assert_eq!(found["items"][1]["can_write"]["allowed"], true);
}

#[tokio::test]
async fn a_cropped_message_is_fetched_whole() {
    let Scene { shop, api, ivan, .. } = scene().await;
    let sticker = json!({"type": "gift", "gift": {"id": 77, "thumb_256": "https://vk.com/g.png"}});
    let said = ivan.sends_cropped(json!({"text": "Длинно", "attachments": [sticker]}));
    let event = shop.events().pop().unwrap().object;
    assert_eq!(
        (&event["message"]["is_cropped"], &event["message"]["attachments"]),
        (&json!(true), &json!([]))
    );
    let (ivans, cmid) = (IVAN.to_string(), said.cmid.to_string());
    let fields = [("peer_id", ivans.as_str()), ("conversation_message_ids", cmid.as_str())];
    let whole = api.call("messages.getByConversationMessageId", &fields).await.response();
    assert_eq!(whole["items"][0]["attachments"][0]["gift"]["id"], 77);
    assert!(whole["items"][0].get("is_cropped").is_none());
}

#[tokio::test]
async fn people_are_named_when_they_are_asked_for() {
    let Scene { shop, api, ivan, .. } = scene().await;
    let fields = [("user_ids", "50112233,ivan_p,404"), ("fields", "photo_100,screen_name")];
    let people = api.call("users.get", &fields).await.response();
    assert_eq!(people.as_array().unwrap().len(), 2);
    assert_eq!(people[0], people[1]);
    assert_eq!((&people[0]["last_name"], &people[0]["screen_name"]), (&json!("Петров"), &json!("ivan_p")));
    assert!(people[0]["photo_100"].is_string() && people[0].get("photo_50").is_none());
    ivan.deactivates();
    let gone = api.call("users.get", &[("user_ids", "50112233")]).await.response();
    assert_eq!((&gone[0]["first_name"], &gone[0]["deactivated"]), (&json!("DELETED"), &json!("deleted")));
    api.call("users.get", &[]).await.refused(100);
    let many = (1..=1001).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    api.call("users.get", &[("user_ids", &many)]).await.refused(100);
    let group = GROUP.to_string();
    let asks = [("group_id", group.as_str()), ("user_id", "50112233")];
    let allowed = api.call("messages.isMessagesFromGroupAllowed", &asks).await.response();
    assert_eq!(allowed, json!({"is_allowed": 0}));
    shop.customer(super::ivan()).allows("виджет");
    let allowed = api.call("messages.isMessagesFromGroupAllowed", &asks).await.response();
    assert_eq!(allowed, json!({"is_allowed": 1}));
}
