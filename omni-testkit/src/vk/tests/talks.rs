use serde_json::json;

use super::*;
use crate::vk::{Author, Item, Upload};

fn last(shop: &Community) -> (String, Value) {
    let event = shop.events().pop().unwrap();
    (event.kind, event.object)
}

#[tokio::test]
async fn a_person_sends_what_people_send() {
    let Scene { shop, api, ivan, .. } = scene().await;
    ivan.sends_photo(Upload::new("котик.jpg", &b"\xff\xd8jpeg"[..]), "Вот он 🐈‍⬛");
    let message = last(&shop).1["message"].clone();
    assert_eq!((&message["text"], &message["out"]), (&json!("Вот он 🐈‍⬛"), &json!(0)));
    let url = message["attachments"][0]["photo"]["orig_photo"]["url"].as_str().unwrap().to_owned();
    assert_eq!(&*api.get(&url).await.body, b"\xff\xd8jpeg");
    ivan.sends_document(Upload::new("акт.pdf", &b"%PDF"[..]), "");
    let doc = last(&shop).1["message"]["attachments"][0]["doc"].clone();
    assert_eq!((&doc["title"], &doc["ext"], &doc["size"]), (&json!("акт.pdf"), &json!("pdf"), &json!(4)));
    let first = api.get(doc["url"].as_str().unwrap()).await;
    assert_eq!(first.status, 302, "documents lead on");
    assert_eq!(&*api.get(&first.location.unwrap()).await.body, b"%PDF");
    ivan.sends_voice(Upload::new("", &b"OggS"[..]));
    let voice = last(&shop).1["message"]["attachments"][0]["audio_message"].clone();
    assert_eq!(&*api.get(voice["link_ogg"].as_str().unwrap()).await.body, b"OggS");
    ivan.sends_location(59.93, 30.31);
    assert_eq!(last(&shop).1["message"]["geo"]["coordinates"]["latitude"], 59.93);
    ivan.asks_about(&Item::new(991, "Кружка", 45_000), "Ещё есть?");
    assert_eq!(last(&shop).1["message"]["attachments"][0]["market"]["price"]["text"], "450 руб.");
    ivan.forwards(&[(7, "Смотри"), (8, "Ого")], "");
    assert_eq!(last(&shop).1["message"]["fwd_messages"][1]["text"], "Ого");
    let said = ivan.writes("Опечатка");
    assert_eq!((said.cmid, said.peer_id), (7, IVAN));
    ivan.edits(said.cmid, "Без опечатки");
    let (kind, object) = last(&shop);
    assert_eq!((kind.as_str(), &object["text"]), ("message_edit", &json!("Без опечатки")));
    assert!(object["update_time"].is_i64());
    ivan.sends_graffiti(Upload::new("g.png", &b"\x89PNG"[..]));
    let graffiti = last(&shop).1["message"]["attachments"][0]["graffiti"].clone();
    assert_eq!(&*api.get(graffiti["url"].as_str().unwrap()).await.body, b"\x89PNG");
    ivan.sends_sticker(4331);
    let sticker = last(&shop).1["message"]["attachments"][0]["sticker"].clone();
    assert_eq!((&sticker["sticker_id"], sticker["images"].as_array().unwrap().len()), (&json!(4331), 3));
    let at = format!("{}/files/photo1_2?key=x", api.base);
    assert_eq!(api.get(&at).await.status, 404);
}

#[tokio::test]
async fn a_test_waits_for_what_the_community_says() {
    let Scene { sim, api, ivan, .. } = talk().await;
    let saying = api.say(&[("message", "Да, есть 👟")]);
    let (entry, answer) = tokio::join!(ivan.wait_for_text("Да, есть 👟"), saying);
    assert_eq!((entry.author, answer.response()), (Author::Api, json!(entry.id)));
    assert_eq!(sim.calls("messages.send")[0].param("message"), "Да, есть 👟");
    assert_eq!(sim.http_calls().len(), 1);
}

#[tokio::test]
async fn where_a_person_came_from_is_told_once() {
    let Scene { shop, ivan, .. } = scene().await;
    ivan.follows(
        &"https://vk.me/romashka_shop?ref=ad_spring&ref_source=https%3A%2F%2Fvk.com%2Fmarket"
            .parse()
            .unwrap(),
    );
    ivan.starts();
    let message = last(&shop).1["message"].clone();
    assert_eq!(
        (&message["ref"], &message["ref_source"]),
        (&json!("ad_spring"), &json!("https://vk.com/market"))
    );
    assert_eq!(message["payload"], r#"{"command":"start"}"#);
    ivan.writes("Ещё");
    assert!(last(&shop).1["message"].get("ref").is_none());
}

#[tokio::test]
async fn an_administrator_writes_from_vk_itself() {
    let Scene { shop, ivan, .. } = talk().await;
    let said = shop.admin_writes(7_001_002, &ivan, "Сейчас посмотрю");
    let (kind, object) = last(&shop);
    assert_eq!((kind.as_str(), &object["admin_author_id"]), ("message_reply", &json!(7_001_002)));
    assert_eq!((&object["from_id"], &object["random_id"]), (&json!(-GROUP), &json!(0)));
    shop.admin_edits(&ivan, said.cmid, "Посмотрел");
    assert_eq!(last(&shop).0, "message_edit");
    let entry = ivan.sees().pop().unwrap();
    assert_eq!((entry.author, entry.text()), (Author::Admin(7_001_002), "Посмотрел"));
}

#[tokio::test]
async fn signs_marks_and_writing_are_seen_by_both_sides() {
    let Scene { sim, shop, api, ivan } = talk().await;
    api.say(&[("message", "Да")]).await.response();
    let ivans = IVAN.to_string();
    let at = |cmid: &'static str| [("peer_id", ivans.clone()), ("cmid", cmid.to_owned())];
    let call = |method: &'static str, fields: Vec<(&'static str, String)>| {
        let api = api.clone();
        async move {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
            api.call(method, &fields).await
        }
    };
    let mut sign = at("1").to_vec();
    sign.push(("reaction_id", "3".into()));
    call("messages.sendReaction", sign.clone()).await.response();
    assert_eq!(ivan.sees()[0].reactions[&-GROUP], 3);
    call("messages.deleteReaction", at("1").to_vec()).await.response();
    assert!(ivan.sees()[0].reactions.is_empty());
    sign[2].1 = "99".into();
    call("messages.sendReaction", sign).await.refused(100);
    call("messages.deleteReaction", at("77").to_vec()).await.refused(100);

    ivan.writes("А ещё?");
    assert!(!ivan.sees()[2].read);
    let marks = vec![("peer_id", ivans.clone()), ("mark_conversation_as_read", "1".into())];
    call("messages.markAsRead", marks).await.response();
    assert!(ivan.sees()[2].read);

    let typing = vec![("peer_id", ivans.clone()), ("type", "typing".into())];
    call("messages.setActivity", typing).await.response();
    assert_eq!(ivan.activity().as_deref(), Some("typing"));
    sim.advance(std::time::Duration::from_secs(11));
    assert_eq!(ivan.activity(), None);
    let dancing = vec![("peer_id", ivans.clone()), ("type", "dancing".into())];
    call("messages.setActivity", dancing).await.refused(100);

    api.say(&[("message", "И ещё")]).await.response();
    assert!(!ivan.sees()[3].read);
    ivan.reads();
    assert!(ivan.sees()[3].read);
    let read =
        json!({"from_id": IVAN, "peer_id": IVAN, "read_message_id": 4024, "conversation_message_id": 4});
    assert_eq!(last(&shop), ("message_read".into(), read));
    ivan.reacts(2, 3);
    let sign = json!({"reacted_id": IVAN, "peer_id": IVAN, "cmid": 2, "reaction_id": 3});
    assert_eq!(last(&shop), ("message_reaction_event".into(), sign));
    ivan.takes_reaction_off(2);
    assert!(last(&shop).1.get("reaction_id").is_none());
    ivan.denies();
    assert_eq!(last(&shop), ("message_deny".into(), json!({"user_id": IVAN})));
    ivan.allows("landing7");
    assert_eq!(last(&shop), ("message_allow".into(), json!({"user_id": IVAN, "key": "landing7"})));
}

#[tokio::test]
async fn in_a_chat_the_community_hears_what_is_meant_for_it() {
    let Scene { shop, api, .. } = scene().await;
    let chat = shop.chat(1, "Соседи", &[ivan(), olga()]);
    let invited = last(&shop).1["message"].clone();
    assert_eq!(invited["action"], json!({"type": "chat_invite_user", "member_id": -GROUP}));
    assert_eq!((&invited["id"], &invited["peer_id"]), (&json!(0), &json!(2_000_000_001)));
    let (ivan, olga) = (chat.member(ivan()), chat.member(olga()));
    let heard = || shop.events().len();
    let before = heard();
    ivan.writes("Кто дома?");
    assert_eq!(heard(), before);
    olga.writes("[club123456|@romashka_shop] а вы?");
    assert_eq!(heard(), before + 1);
    let fields = [("peer_id", "2000000001"), ("random_id", "0"), ("message", "Мы — да")];
    assert_eq!(api.call("messages.send", &fields).await.response(), 0);
    let ours = olga.sees().pop().unwrap();
    ivan.replies_to(ours.cmid, "Отлично");
    assert_eq!(last(&shop).1["message"]["reply_message"]["text"], "Мы — да");
    chat.gives_access();
    ivan.writes("Кто дома?");
    assert_eq!(last(&shop).1["message"]["text"], "Кто дома?");
    chat.renames(ivan.user(), "Соседи 2");
    assert_eq!(last(&shop).1["message"]["action"]["text"], "Соседи 2");
    chat.kicks(ivan.user(), olga.user());
    chat.invites(ivan.user(), olga.user());
    chat.kicks_community(ivan.user());
    assert_eq!(last(&shop).1["message"]["action"]["member_id"], -GROUP);
    let before = heard();
    ivan.writes("@romashka_shop, вернитесь");
    assert_eq!(heard(), before);
}
