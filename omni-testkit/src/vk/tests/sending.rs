use std::time::Duration;

use serde_json::json;

use super::*;
use crate::vk::{ApiError, Item};

#[tokio::test]
async fn only_who_wrote_or_allowed_it_can_be_written_to() {
    let Scene { shop, api, ivan, .. } = scene().await;
    let hello = [("message", "Здравствуйте")];
    api.say(&hello).await.refused(901);
    ivan.allows("landing7");
    api.say(&hello).await.response();
    ivan.denies();
    api.say(&hello).await.refused(901);
    ivan.writes("Передумал");
    api.say(&hello).await.response();
    shop.blacklists(ivan.user());
    api.say(&hello).await.refused(900);
    shop.forgives(ivan.user());
    ivan.closes_messages();
    api.say(&hello).await.refused(902);
    ivan.deactivates();
    api.say(&hello).await.refused(18);
    let peers = [("-77", 932), ("2000000009", 917), ("777", 936)];
    for (peer, code) in peers {
        let fields = [("peer_id", peer), ("random_id", "0"), ("message", "Эй")];
        api.call("messages.send", &fields).await.refused(code);
    }
}

#[tokio::test]
async fn a_number_against_repeats_is_mandatory_has_32_bits_and_works() {
    let Scene { api, ivan, .. } = talk().await;
    let ivans = IVAN.to_string();
    let bare = [("peer_id", ivans.as_str()), ("message", "Да")];
    api.call("messages.send", &bare).await.refused(100);
    api.say(&[("message", "Да"), ("random_id", "2147483648")]).await.refused(100);
    api.say(&[("message", "Да"), ("random_id", "0191f7c2-uuid")]).await.refused(100);
    let first = api.say(&[("message", "Да"), ("random_id", "918273645")]).await.response();
    let again = api.say(&[("message", "Да"), ("random_id", "918273645")]).await.response();
    assert_eq!(first, again);
    assert_eq!(ivan.sees().len(), 2);
    api.say(&[("message", "Да"), ("random_id", "0")]).await.response();
    api.say(&[("message", "Да"), ("random_id", "0")]).await.response();
    assert_eq!(ivan.sees().len(), 4, "0 is no number");
}

#[tokio::test]
async fn several_peers_get_an_outcome_each_inside_a_success() {
    let Scene { sim, shop, api, .. } = talk().await;
    sim.add_person(&olga());
    let peers = format!("{IVAN},{}", olga().id);
    let fields = [("peer_ids", peers.as_str()), ("random_id", "5"), ("message", "Акция 🎉")];
    let answer = api.call("messages.send", &fields).await.response();
    assert_eq!(answer[0], json!({"peer_id": IVAN, "message_id": 4022, "conversation_message_id": 2}));
    let refused = json!({"code": 901, "description": "Can't send messages for users without permission"});
    assert_eq!(answer[1], json!({"peer_id": olga().id, "message_id": 0, "error": refused}));
    shop.refuses_to(IVAN, 1, ApiError::new(9));
    let ivans = IVAN.to_string();
    let fields = [("peer_ids", ivans.as_str()), ("random_id", "6"), ("message", "Ещё")];
    let answer = api.call("messages.send", &fields).await.response();
    assert_eq!(answer[0]["error"]["code"], 9);
    let many = vec![ivans.as_str(); 101].join(",");
    let fields = [("peer_ids", many.as_str()), ("random_id", "0"), ("message", "Всем")];
    api.call("messages.send", &fields).await.refused(100);
}

#[tokio::test]
async fn what_is_said_has_its_limits() {
    let Scene { api, ivan, .. } = talk().await;
    api.say(&[]).await.refused(100);
    api.say(&[("message", &"ё".repeat(4097))]).await.refused(914);
    api.say(&[("message", &"ё".repeat(4096))]).await.response();
    api.say(&[("message", "Где"), ("lat", "55.75")]).await.refused(100);
    api.say(&[("lat", "91"), ("long", "1")]).await.refused(100);
    api.say(&[("lat", "55.75"), ("long", "37.61")]).await.response();
    assert_eq!(ivan.sees().last().unwrap().place(), Some((55.75, 37.61)));
    api.say(&[("sticker_id", "4331"), ("message", "и слова")]).await.refused(100);
    api.say(&[("sticker_id", "4331")]).await.response();
    assert_eq!(ivan.sees().last().unwrap().attachment("sticker").unwrap()["sticker_id"], 4331);
    api.say(&[("message", "Да"), ("payload", "{не json")]).await.refused(100);
    api.say(&[("message", "Да"), ("disable_mentions", "да")]).await.refused(100);
    api.say(&[("message", "Реклама"), ("intent", "promo_newsletter")]).await.refused(943);
    let both = [("message", "Да"), ("user_id", "50112233")];
    api.say(&both).await.refused(100);
}

#[tokio::test]
async fn messages_off_refuse_everything() {
    let Scene { shop, api, .. } = talk().await;
    shop.changes(|profile| profile.has_messages = false);
    api.say(&[("message", "Да")]).await.refused(15);
}

#[tokio::test]
async fn attachments_have_to_be_there() {
    let Scene { shop, api, ivan, .. } = talk().await;
    api.say(&[("attachment", "photo-123456_1")]).await.refused(100);
    api.say(&[("attachment", "market-123456_991")]).await.refused(100);
    api.say(&[("attachment", "чушь")]).await.refused(100);
    shop.sells(&Item::new(991, "Кружка", 45_000));
    shop.posts(310, "Пост");
    shop.has_video(45_601, "Обзор 🎬");
    api.say(&[("attachment", "video-123456_45601")]).await.response();
    assert_eq!(ivan.sees().pop().unwrap().attachment("video").unwrap()["title"], "Обзор 🎬");
    api.say(&[("attachment", "market-123456_991,wall-123456_310")]).await.response();
    let last = ivan.sees().pop().unwrap();
    assert_eq!(last.attachment("market").unwrap()["price"]["amount"], "45000");
    assert_eq!(last.attachment("wall").unwrap()["text"], "Пост");
    let eleven = ["market-123456_991"; 11].join(",");
    api.say(&[("attachment", &eleven)]).await.refused(100);
}

#[tokio::test]
async fn an_answer_names_one_message_of_the_same_talk() {
    let Scene { shop, api, ivan, .. } = talk().await;
    let said = ivan.writes("Сколько стоит?");
    let quote = |peer: i64, cmids: &[i64]| {
        json!({"peer_id": peer, "conversation_message_ids": cmids, "is_reply": true}).to_string()
    };
    api.say(&[("message", "450 ₽"), ("forward", &quote(IVAN, &[said.cmid]))]).await.response();
    assert_eq!(ivan.sees().last().unwrap().reply_to(), Some(said.cmid));
    api.say(&[("message", "450 ₽"), ("reply_to", &said.id.to_string())]).await.response();
    assert_eq!(ivan.sees().last().unwrap().reply_to(), Some(said.cmid));
    api.say(&[("message", "?"), ("forward", &quote(IVAN, &[1, 2]))]).await.refused(100);
    api.say(&[("message", "?"), ("forward", &quote(IVAN, &[99]))]).await.refused(921);
    let olgas = shop.customer(olga()).writes("Я тоже");
    api.say(&[("message", "?"), ("forward", &quote(olga().id, &[olgas.cmid]))]).await.refused(100);
}

#[tokio::test]
async fn own_messages_are_edited_and_taken_back_while_they_are_young() {
    let Scene { sim, api, ivan, .. } = talk().await;
    api.say(&[("message", "Да"), ("lat", "1"), ("long", "2")]).await.response();
    let ivans = IVAN.to_string();
    let edit = |cmid: &'static str| {
        let (api, ivans) = (api.clone(), ivans.clone());
        async move {
            api.call("messages.edit", &[("peer_id", &ivans), ("cmid", cmid), ("message", "Нет")]).await
        }
    };
    assert_eq!(edit("2").await.response(), 1);
    let seen = ivan.sees().pop().unwrap();
    assert_eq!((seen.text(), seen.edits, seen.place()), ("Нет", 1, None), "what is not repeated is dropped");
    edit("1").await.refused(920);
    edit("9").await.refused(100);
    let delete = |cmids: &'static str| {
        let (api, ivans) = (api.clone(), ivans.clone());
        async move {
            let fields = [("peer_id", ivans.as_str()), ("cmids", cmids), ("delete_for_all", "1")];
            api.call("messages.delete", &fields).await.response()
        }
    };
    let both = delete("2,1").await;
    assert_eq!(both[0]["response"], 1);
    assert_eq!(both[1]["error"]["code"], 924, "a person's message");
    assert_eq!(ivan.sees().len(), 1);
    assert_eq!(delete("2").await[0]["response"], 1);
    api.say(&[("message", "Старое")]).await.response();
    sim.advance(Duration::from_secs(25 * 3600));
    edit("3").await.refused(909);
    assert_eq!(delete("3").await[0]["error"]["code"], 924);
}

#[tokio::test]
async fn markup_in_a_text_is_a_link_to_the_person() {
    let Scene { api, ivan, .. } = talk().await;
    let text = "😀 [id1|Павел], [club5|мы], [нет|не ссылка] *id2 (Аня) [x]";
    api.say(&[("message", text), ("disable_mentions", "1")]).await.response();
    let shown = ivan.sees().pop().unwrap().shown();
    assert_eq!(shown.text, "😀 Павел, мы, [нет|не ссылка] Аня [x]");
    let links: Vec<_> = shown.links.iter().map(|l| (l.offset, l.length, l.target.as_str())).collect();
    assert_eq!(links, [(3, 5, "id1"), (10, 2, "club5"), (30, 3, "id2")]);
}

#[tokio::test]
async fn a_chat_takes_messages_until_the_community_is_thrown_out() {
    let Scene { shop, api, .. } = scene().await;
    let chat = shop.chat(1, "Соседи", &[ivan(), olga()]);
    let peer = chat.peer_id().to_string();
    let fields = [("peer_ids", peer.as_str()), ("random_id", "3"), ("message", "Всем привет")];
    let answer = api.call("messages.send", &fields).await.response();
    assert_eq!(answer[0]["message_id"], 0, "private numbers only");
    assert_eq!(answer[0]["conversation_message_id"], 2);
    chat.kicks_community(&ivan());
    let fields = [("peer_id", peer.as_str()), ("random_id", "4"), ("message", "Эй")];
    api.call("messages.send", &fields).await.refused(917);
}
