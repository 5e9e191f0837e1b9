//! Groups, forums, channels and business accounts.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    super::{BotProfile, ChatKind, User},
    Scene, scene,
};

async fn say(s: &Scene, more: Value) -> super::Got {
    let mut params = json!({"text": "привет"});
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    s.api.call("sendMessage", params).await
}

fn last(s: &Scene) -> Value {
    s.bot.updates().last().unwrap().json.clone()
}

#[tokio::test]
async fn a_group_takes_in_throws_out_and_is_upgraded() {
    let s = scene().await;
    let group = s.bot.group(ChatKind::Group, -500, "Лавка");
    assert_eq!(last(&s)["my_chat_member"]["new_chat_member"]["status"], "member");
    let olga = group.member(User::new(42, "Ольга"));
    olga.writes("всем привет");
    assert_eq!(last(&s)["message"]["chat"], json!({"id": -500, "type": "group", "title": "Лавка"}));
    say(&s, json!({"chat_id": -500})).await.result();
    let upgraded = group.migrates(-1_001_500);
    let refused = say(&s, json!({"chat_id": -500})).await;
    refused.refused(400, "Bad Request: group chat was upgraded to a supergroup chat");
    assert_eq!(refused.json()["parameters"]["migrate_to_chat_id"], -1_001_500);
    assert_eq!(last(&s)["message"]["migrate_from_chat_id"], -500);
    say(&s, json!({"chat_id": -1_001_500})).await.result();
    upgraded.kicks_bot();
    say(&s, json!({"chat_id": -1_001_500}))
        .await
        .refused(403, "Forbidden: bot was kicked from the supergroup chat");
    upgraded.adds_bot();
    upgraded.removes_bot();
    say(&s, json!({"chat_id": -1_001_500}))
        .await
        .refused(403, "Forbidden: bot is not a member of the supergroup chat");
    upgraded.adds_bot();
    upgraded.mutes_bot();
    say(&s, json!({"chat_id": -1_001_500}))
        .await
        .refused(400, "Bad Request: not enough rights to send text messages to the chat");
    upgraded.dissolves();
    say(&s, json!({"chat_id": -1_001_500})).await.refused(403, "Forbidden: the group chat was deleted");
}

#[tokio::test]
async fn privacy_mode_hides_what_is_not_for_the_bot() {
    let s = scene().await;
    let mut profile = BotProfile::new(8, "Shy", "shy_bot");
    profile.can_read_all_group_messages = false;
    let shy = s.sim.add_bot("8:shy", profile);
    let group = shy.group(ChatKind::Supergroup, -1_008, "G");
    let olga = group.member(User::new(42, "Ольга"));
    assert_eq!(olga.writes("просто так").update_id, None);
    assert!(olga.writes("/help").update_id.is_some());
    assert!(olga.writes("эй @shy_bot").update_id.is_some());
    group.promotes_bot();
    assert!(olga.writes("просто так").update_id.is_some());
}

#[tokio::test]
async fn topics_of_a_forum_open_and_close() {
    let s = scene().await;
    let forum = s.bot.group(ChatKind::Forum, -1_002, "Форум");
    let topic = forum.creates_topic("Доставка");
    let olga = forum.member(User::new(42, "Ольга")).in_topic(topic);
    olga.writes("где заказ?");
    let message = last(&s)["message"].clone();
    assert_eq!((&message["message_thread_id"], &message["is_topic_message"]), (&json!(topic), &json!(true)));
    assert_eq!(message["reply_to_message"]["forum_topic_created"]["name"], "Доставка");
    let sent = say(&s, json!({"chat_id": -1_002, "message_thread_id": topic})).await.result();
    assert_eq!(sent["message_thread_id"], topic);
    say(&s, json!({"chat_id": -1_002, "message_thread_id": 999}))
        .await
        .refused(400, "Bad Request: message thread not found");
    forum.closes_topic(topic);
    say(&s, json!({"chat_id": -1_002, "message_thread_id": topic}))
        .await
        .refused(400, "Bad Request: TOPIC_CLOSED");
    s.api
        .call("createForumTopic", json!({"chat_id": -1_002, "name": "x"}))
        .await
        .refused(400, "Bad Request: not enough rights to create a topic");
    forum.promotes_bot();
    let made = s.api.call("createForumTopic", json!({"chat_id": -1_002, "name": "Возврат"})).await.result();
    let thread = made["message_thread_id"].clone();
    for method in ["closeForumTopic", "reopenForumTopic", "deleteForumTopic"] {
        s.api.call(method, json!({"chat_id": -1_002, "message_thread_id": thread})).await.result();
    }
    s.api
        .call("editForumTopic", json!({"chat_id": -1_002, "message_thread_id": thread, "name": "y"}))
        .await
        .refused(400, "Bad Request: message thread not found");
}

#[tokio::test]
async fn channels_post_without_a_sender() {
    let s = scene().await;
    let channel = s.bot.group(ChatKind::Channel, -1_003, "Новости");
    channel.set_username("news");
    let post = channel.itself().writes("выпуск 1");
    let update = last(&s);
    assert!(update["channel_post"].get("from").is_none());
    assert_eq!(update["channel_post"]["sender_chat"]["id"], -1_003);
    channel.itself().edits(post.message_id, "выпуск 1, правка");
    assert_eq!(last(&s)["edited_channel_post"]["text"], "выпуск 1, правка");
    let sent = say(&s, json!({"chat_id": "@news"})).await.result();
    assert_eq!(sent["sender_chat"]["id"], -1_003);
    assert_eq!(s.bot.transcript(-1_003).len(), 2);
}

#[tokio::test]
async fn a_business_account_is_served_and_echoes() {
    let s = scene().await;
    let owner = User::new(555_000_111, "Владелец");
    let shop = s.bot.business("conn_1", owner);
    assert_eq!(last(&s)["business_connection"]["is_enabled"], true);
    let olga = User::new(42, "Ольга");
    let asked = shop.customer(olga.clone()).writes("ещё продаёте?");
    assert_eq!(last(&s)["business_message"]["business_connection_id"], "conn_1");
    let sent = say(&s, json!({"chat_id": 42, "business_connection_id": "conn_1"})).await.result();
    assert_eq!(sent["from"]["id"], 555_000_111);
    assert_eq!(sent["sender_business_bot"]["id"], 7_000_000_001i64);
    shop.owner_to(&olga).writes("да, сам отвечу");
    let echo = last(&s)["business_message"].clone();
    assert_ne!(echo["from"]["id"], echo["chat"]["id"]);
    let ids = json!({"business_connection_id": "conn_1", "chat_id": 42, "message_id": asked.message_id});
    s.api.call("readBusinessMessage", ids).await.result();
    assert!(shop.transcript(42)[0].read);
    shop.customer(olga.clone()).edits(asked.message_id, "ещё продаёте? 🙂");
    assert_eq!(last(&s)["edited_business_message"]["text"], "ещё продаёте? 🙂");
    shop.deletes(42, &[asked.message_id]);
    assert_eq!(last(&s)["deleted_business_messages"]["message_ids"], json!([asked.message_id]));
    let own = json!({"business_connection_id": "conn_1", "message_ids": [sent["message_id"]]});
    s.api.call("deleteBusinessMessages", own).await.result();
    assert!(shop.transcript(42)[1].deleted);
    assert!(s.bot.transcript(42).is_empty(), "a business chat is not the bot's own");

    let business = |chat: i64, id: &str| json!({"chat_id": chat, "business_connection_id": id});
    say(&s, business(42, "none")).await.refused(400, "Bad Request: BUSINESS_CONNECTION_INVALID");
    say(&s, business(43, "conn_1")).await.refused(400, "Bad Request: BUSINESS_PEER_INVALID");
    s.sim.advance(Duration::from_secs(86_401));
    say(&s, business(42, "conn_1")).await.refused(400, "Bad Request: BUSINESS_PEER_USAGE_MISSING");
    shop.disables();
    say(&s, business(42, "conn_1")).await.refused(400, "Bad Request: BUSINESS_CONNECTION_INVALID");
    assert_eq!(shop.customer(olga).writes("ау").update_id, None);
    let look =
        s.api.call("getBusinessConnection", json!({"business_connection_id": "conn_1"})).await.result();
    assert_eq!(look["is_enabled"], false);
}

#[tokio::test]
async fn the_customer_does_all_that_a_person_can() {
    let s = scene().await;
    s.ivan.start("site_42");
    assert_eq!(last(&s)["message"]["text"], "/start site_42");
    assert_eq!(last(&s)["message"]["entities"][0]["type"], "bot_command");
    let said = s.ivan.writes("раз два");
    s.ivan.quotes(said.message_id, "два", "почему?");
    assert_eq!(last(&s)["message"]["quote"]["position"], 4);
    s.ivan.replies_to(said.message_id, "три");
    assert_eq!(last(&s)["message"]["reply_to_message"]["message_id"], said.message_id);
    s.ivan.edits(said.message_id, "раз три");
    assert_eq!(last(&s)["edited_message"]["text"], "раз три");
    s.ivan.shares_own_contact();
    assert_eq!(last(&s)["message"]["contact"]["user_id"], 100_200_300);
    let live = s.ivan.sends_live_location(55.0, 37.0, 600);
    s.ivan.moves_to(live.message_id, 55.1, 37.1);
    assert_eq!(last(&s)["edited_message"]["location"]["latitude"], 55.1);
    s.ivan.sends_venue("Кафе", "Тверская 1", 55.0, 37.0);
    assert!(last(&s)["message"]["location"].is_object());
    s.ivan.sends_sticker("👍");
    s.ivan.sends_dice("🎲", 6);
    s.ivan.sends_poll("?", &["да", "нет"]);
    s.ivan.sends(json!({"story": {"chat": {"id": 1, "type": "private"}, "id": 5}}));
    assert_eq!(s.ivan.transcript().last().unwrap().kind(), "story");
    let id = s.bot.inject(json!({"mystery_kind": {"chat": {"id": 100_200_300}}}));
    assert_eq!(last(&s)["update_id"], id);
    assert!(last(&s)["mystery_kind"].is_object());
}
