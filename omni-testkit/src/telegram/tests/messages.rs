//! Sending, editing, deleting, reacting.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    super::{Author, Outcome, SimConfig, Upload, User},
    scene, scene_with,
};

const CHAT: i64 = 100_200_300;

#[tokio::test]
async fn a_text_reaches_the_customer_as_it_was_sent() {
    let s = scene().await;
    let asked = s.ivan.writes("Какой размер? 👟");
    let params = json!({"chat_id": CHAT, "text": " <b>42</b> и 43 😀 ", "parse_mode": "HTML",
        "reply_parameters": {"message_id": asked.message_id, "quote": "размер"}, "disable_notification": true});
    let sent = s.api.call("sendMessage", params).await.result();
    assert_eq!(sent["text"], "42 и 43 😀");
    assert_eq!(sent["entities"], json!([{"type": "bold", "offset": 0, "length": 2}]));
    assert_eq!(sent["from"]["id"], 7_000_000_001i64);
    assert_eq!(sent["reply_to_message"]["text"], "Какой размер? 👟");
    assert_eq!(sent["quote"], json!({"text": "размер", "position": 6, "is_manual": true}));
    let entry = s.bot.wait_for_text(CHAT, "42 и 43 😀").await;
    assert_eq!((entry.reply_to(), entry.silent), (Some(asked.message_id), true));
    assert_eq!(entry.author, Author::Bot);
    assert_eq!(s.sim.calls(super::TOKEN)[0].method, "sendmessage");
    assert_eq!(s.sim.calls(super::TOKEN)[0].params["parse_mode"], "HTML");
}

#[tokio::test]
async fn texts_are_checked_like_the_server_checks_them() {
    let s = scene().await;
    let send = async |more: Value| {
        let mut params = json!({"chat_id": CHAT, "text": "x"});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        s.api.call("sendMessage", params).await
    };
    send(json!({"text": ""})).await.refused(400, "Bad Request: message text is empty");
    send(json!({"text": " \n "})).await.refused(400, "Bad Request: message text is empty");
    send(json!({"text": "я".repeat(4096)})).await.result();
    send(json!({"text": "😀".repeat(2049)})).await.refused(400, "Bad Request: message is too long");
    send(json!({"chat_id": 5})).await.refused(400, "Bad Request: chat not found");
    send(json!({"chat_id": null})).await.refused(400, "Bad Request: chat_id is empty");
    send(json!({"parse_mode": "BBCode"})).await.refused(400, "Bad Request: unsupported parse_mode");
    send(json!({"parse_mode": "HTML", "text": "<b>x"})).await.refused(
        400,
        "Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\"",
    );
    send(json!({"reply_parameters": {"message_id": 99}}))
        .await
        .refused(400, "Bad Request: message to be replied not found");
    let lone =
        send(json!({"reply_parameters": {"message_id": 99, "allow_sending_without_reply": true}})).await;
    assert!(lone.result().get("reply_to_message").is_none());
    send(json!({"reply_to_message_id": 99, "text": "old"}))
        .await
        .refused(400, "Bad Request: message to be replied not found");
    send(json!({"reply_parameters": {"message_id": 1, "quote": "нет"}}))
        .await
        .refused(400, "Bad Request: QUOTE_TEXT_INVALID");
    send(json!({"message_thread_id": 7})).await.refused(400, "Bad Request: message thread not found");
}

#[tokio::test]
async fn keyboards_are_checked_and_shown() {
    let s = scene().await;
    let send = async |markup: Value| {
        s.api.call("sendMessage", json!({"chat_id": CHAT, "text": "x", "reply_markup": markup})).await
    };
    let button = |more: Value| json!({"inline_keyboard": [[more]]});
    send(button(json!({"text": "a", "callback_data": "я".repeat(33)})))
        .await
        .refused(400, "Bad Request: BUTTON_DATA_INVALID");
    send(button(json!({"text": "a", "callback_data": "я".repeat(32)}))).await.result();
    send(button(json!({"text": "a"}))).await.refused(
        400,
        "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
    );
    send(button(json!({"text": "a", "url": "not a link"})))
        .await
        .refused(400, "Bad Request: inline keyboard button URL 'not a link' is invalid: Wrong HTTP URL");
    send(json!("{")).await.refused(400, "Bad Request: can't parse reply keyboard markup JSON object");
    let rows: Vec<Value> =
        (0..101).map(|i| json!([{"text": "a", "callback_data": format!("{i}")}])).collect();
    send(json!({"inline_keyboard": rows})).await.refused(400, "Bad Request: reply markup is too long");
    let keyboard = json!({"keyboard": [[{"text": "Телефон", "request_contact": true}], ["Отмена"]]});
    let sent = send(keyboard.clone()).await.result();
    assert!(sent.get("reply_markup").is_none());
    assert_eq!(s.ivan.transcript().last().unwrap().keyboard, Some(keyboard));
}

#[tokio::test]
async fn blocked_deleted_and_unmet_people_refuse() {
    let s = scene().await;
    let send = async |chat: i64| s.api.call("sendMessage", json!({"chat_id": chat, "text": "x"})).await;
    s.ivan.blocks();
    send(CHAT).await.refused(403, "Forbidden: bot was blocked by the user");
    s.ivan.writes("я вернулся");
    send(CHAT).await.result();
    let kinds: Vec<String> = s
        .bot
        .updates()
        .iter()
        .filter_map(|update| update.json.get("my_chat_member"))
        .map(|change| change["new_chat_member"]["status"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["kicked", "member"]);
    s.ivan.deactivates();
    send(CHAT).await.refused(403, "Forbidden: user is deactivated");
    let group = s.bot.group(super::super::ChatKind::Supergroup, -1_001, "Лавка");
    group.member(User::new(42, "Olga"));
    send(42).await.refused(403, "Forbidden: bot can't initiate conversation with a user");
}

#[tokio::test]
async fn edits_change_the_transcript_and_refuse_the_same_content() {
    let s = scene().await;
    let markup = json!({"inline_keyboard": [[{"text": "Да", "callback_data": "y"}]]});
    let sent =
        s.api.call("sendMessage", json!({"chat_id": CHAT, "text": "раз", "reply_markup": markup})).await;
    let id = sent.result()["message_id"].as_i64().unwrap();
    let edit = async |text: &str, id: i64| {
        s.api.call("editMessageText", json!({"chat_id": CHAT, "message_id": id, "text": text})).await
    };
    let edited = edit("раз", id).await.result();
    assert!(edited.get("reply_markup").is_none(), "a markup left out is removed");
    edit("раз", id).await.refused(
        400,
        "Bad Request: message is not modified: specified new message content and reply markup are exactly the \
         same as a current content and reply markup of the message",
    );
    assert_eq!(edit("два 🎉", id).await.result()["text"], "два 🎉");
    edit("x", 999).await.refused(400, "Bad Request: message to edit not found");
    edit("x", 1).await.refused(400, "Bad Request: message can't be edited");
    edit(&"x".repeat(4097), id).await.refused(400, "Bad Request: MESSAGE_TOO_LONG");
    let entry = s.bot.message(CHAT, id).unwrap();
    assert_eq!((entry.text(), entry.edits), ("два 🎉", 2));
    let markup = s.api.call(
        "editMessageReplyMarkup",
        json!({"chat_id": CHAT, "message_id": id, "reply_markup": {"inline_keyboard": [[{"text": "b", "url": "example.com"}]]}}),
    );
    markup.await.result();
    assert_eq!(s.bot.message(CHAT, id).unwrap().buttons()[0].url.as_deref(), Some("example.com"));
    s.api
        .call("editMessageCaption", json!({"chat_id": CHAT, "message_id": id, "caption": "x"}))
        .await
        .refused(400, "Bad Request: there is no caption in the message to edit");
}

#[tokio::test]
async fn deletions_know_age_and_absence() {
    let s = scene().await;
    let delete =
        async |id: i64| s.api.call("deleteMessage", json!({"chat_id": CHAT, "message_id": id})).await;
    let sent = s.api.call("sendMessage", json!({"chat_id": CHAT, "text": "x"})).await.result();
    let id = sent["message_id"].as_i64().unwrap();
    delete(id).await.result();
    assert!(s.bot.message(CHAT, id).unwrap().deleted);
    delete(id).await.refused(400, "Bad Request: message to delete not found");
    delete(0).await.refused(400, "Bad Request: message identifier is not specified");
    let said = s.ivan.writes("старое");
    let many = json!({"chat_id": CHAT, "message_ids": [said.message_id, 777]});
    s.sim.advance(Duration::from_secs(49 * 3600));
    delete(said.message_id).await.refused(400, "Bad Request: message can't be deleted for everyone");
    let fresh = s.ivan.writes("новое");
    s.api
        .call("deleteMessages", many)
        .await
        .refused(400, "Bad Request: message can't be deleted for everyone");
    let many = json!({"chat_id": CHAT, "message_ids": [fresh.message_id, 777]});
    s.api.call("deleteMessages", many).await.result();
    assert!(s.bot.message(CHAT, fresh.message_id).unwrap().deleted);
}

#[tokio::test]
async fn reactions_go_both_ways() {
    let s = scene().await;
    let said = s.ivan.writes("спасибо");
    let react = async |reaction: Value| {
        let params = json!({"chat_id": CHAT, "message_id": said.message_id, "reaction": reaction});
        s.api.call("setMessageReaction", params).await
    };
    react(json!([{"type": "emoji", "emoji": "❤️"}])).await.result();
    assert_eq!(s.bot.message(CHAT, said.message_id).unwrap().emoji(), ["❤️"]);
    react(json!([{"type": "emoji", "emoji": "🧦"}])).await.refused(400, "Bad Request: REACTION_INVALID");
    react(json!([])).await.result();
    assert!(s.bot.message(CHAT, said.message_id).unwrap().bot_reactions.is_empty());
    assert_eq!(s.ivan.reacts(said.message_id, "👍"), None, "reactions are opt-in");
    s.api.updates(json!({"allowed_updates": ["message", "message_reaction"]})).await;
    assert!(s.ivan.reacts(said.message_id, "🔥").is_some());
    let update = s.bot.updates().last().unwrap().json.clone();
    assert_eq!(update["message_reaction"]["old_reaction"][0]["emoji"], "👍");
    assert_eq!(update["message_reaction"]["new_reaction"][0]["emoji"], "🔥");
}

#[tokio::test]
async fn uploads_come_back_as_media_and_can_be_downloaded() {
    let s = scene().await;
    let fields = [("chat_id", "100200300"), ("caption", "Счёт 🧾")];
    let files = [("document", "счёт.pdf", "application/pdf", &b"%PDF-1.7"[..])];
    let sent = s.api.upload("sendDocument", &fields, &files).await.result();
    assert_eq!(sent["document"]["file_name"], "счёт.pdf");
    assert_eq!(sent["document"]["mime_type"], "application/pdf");
    assert_eq!(sent["document"]["file_size"], 8);
    let call = &s.bot.calls()[0];
    assert_eq!((call.files[0].file_name.as_str(), call.files[0].bytes.len()), ("счёт.pdf", 8));

    let id = sent["document"]["file_id"].as_str().unwrap();
    let again = s.api.call("sendDocument", json!({"chat_id": CHAT, "document": id})).await.result();
    assert_eq!(again["document"]["file_id"], id);
    let file = s.api.call("getFile", json!({"file_id": id})).await.result();
    let path = format!("/file/bot{}/{}", super::TOKEN, file["file_path"].as_str().unwrap());
    assert_eq!(s.api.get(&path).await.body, "%PDF-1.7");
    s.sim.advance(Duration::from_secs(3601));
    s.api.get(&path).await.refused(404, "Not Found");

    let gif = [("document", "a.gif", "image/gif", &b"GIF89a"[..])];
    let sent = s.api.upload("sendDocument", &fields, &gif).await.result();
    assert!(sent.get("animation").is_some() && sent.get("document").is_some());
    let photo = [("photo", "p.jpg", "image/jpeg", &b"\xff\xd8\xff"[..])];
    let sent = s.api.upload("sendPhoto", &fields, &photo).await.result();
    assert_eq!(sent["photo"].as_array().unwrap().len(), 2);
    s.api
        .call("sendPhoto", json!({"chat_id": CHAT, "photo": "nonsense"}))
        .await
        .refused(400, "Bad Request: wrong file identifier/HTTP URL specified");
    s.api
        .call("sendPhoto", json!({"chat_id": CHAT}))
        .await
        .refused(400, "Bad Request: there is no photo in the request");
    let long = json!({"chat_id": CHAT, "photo": "https://example.com/p.jpg", "caption": "я".repeat(1025)});
    s.api.call("sendPhoto", long).await.refused(400, "Bad Request: message caption is too long");
}

#[tokio::test]
async fn inbound_media_can_be_fetched_up_to_the_limit() {
    let s = scene().await;
    s.ivan.sends_voice(Upload::new("", "audio/ogg", &b"OggS"[..]));
    s.ivan.sends_document(Upload::pretending("film.mkv", "video/x-matroska", 21 << 20), "кино");
    let updates = s.api.updates(json!({})).await;
    let voice = updates[1]["message"]["voice"]["file_id"].as_str().unwrap();
    let file = s.api.call("getFile", json!({"file_id": voice})).await.result();
    let path = format!("/file/bot{}/{}", super::TOKEN, file["file_path"].as_str().unwrap());
    assert_eq!(s.api.get(&path).await.body, "OggS");
    let film = updates[2]["message"]["document"]["file_id"].as_str().unwrap();
    let got = s.api.call("getFile", json!({"file_id": film})).await;
    got.refused(400, "Bad Request: file is too big");
}

#[tokio::test]
async fn albums_hold_two_to_ten_items_that_go_together() {
    let s = scene().await;
    let item = |kind: &str, at: usize| json!({"type": kind, "media": format!("https://x.example/{at}"), "caption": "A"});
    let album = async |media: Vec<Value>| {
        s.api.call("sendMediaGroup", json!({"chat_id": CHAT, "media": media})).await
    };
    let sent = album(vec![item("photo", 1), item("video", 2)]).await.result();
    assert_eq!(sent[0]["media_group_id"], sent[1]["media_group_id"]);
    assert!(sent[0]["photo"].is_array() && sent[1]["video"].is_object());
    assert_eq!(album(vec![item("photo", 1)]).await.status, 400);
    album((0..11).map(|at| item("photo", at)).collect())
        .await
        .refused(400, "Bad Request: too many messages to send as an album");
    album(vec![item("photo", 1), item("document", 2)])
        .await
        .refused(400, "Bad Request: document can't be mixed with other media types");
    let mut bad = item("photo", 2);
    bad["media"] = "attach://none".into();
    album(vec![item("photo", 1), bad]).await.refused(
        400,
        "Bad Request: failed to send message #2 with the error message \"wrong file identifier/HTTP URL specified\"",
    );
    let media = r#"[{"type":"photo","media":"attach://a"},{"type":"photo","media":"attach://b"}]"#;
    let files = [("a", "a.png", "image/png", &b"\x89PNG"[..]), ("b", "b.png", "image/png", &b"\x89PNG"[..])];
    s.api.upload("sendMediaGroup", &[("chat_id", "100200300"), ("media", media)], &files).await.result();
    let said = s.ivan.sends_album(
        vec![Upload::new("1.jpg", "image/jpeg", "1"), Upload::new("2.mp4", "video/mp4", "2")],
        "мои",
    );
    let groups: Vec<_> = said
        .iter()
        .map(|said| s.bot.message(CHAT, said.message_id).unwrap().json["media_group_id"].clone())
        .collect();
    assert_eq!(groups[0], groups[1]);
}

#[tokio::test]
async fn other_contents_are_sent() {
    let s = scene().await;
    let calls = [
        ("sendLocation", json!({"latitude": 55.75, "longitude": "37.61"}), "location"),
        (
            "sendVenue",
            json!({"latitude": 55.75, "longitude": 37.61, "title": "Кафе", "address": "Тверская 1"}),
            "venue",
        ),
        ("sendContact", json!({"phone_number": "+7999", "first_name": "Иван"}), "contact"),
        ("sendPoll", json!({"question": "?", "options": [{"text": "да"}, {"text": "нет"}]}), "poll"),
        ("sendDice", json!({}), "dice"),
        ("sendSticker", json!({"sticker": "https://x.example/s.webp"}), "sticker"),
        ("sendAudio", json!({"audio": "https://x.example/s.mp3", "title": "Песня"}), "audio"),
        ("sendVideo", json!({"video": "https://x.example/s.mp4", "width": 10}), "video"),
        ("sendAnimation", json!({"animation": "https://x.example/s.mp4"}), "animation"),
        ("sendVoice", json!({"voice": "https://x.example/s.ogg"}), "voice"),
        ("forwardMessage", json!({"from_chat_id": CHAT, "message_id": 1}), "forward_origin"),
    ];
    for (method, mut params, field) in calls {
        params["chat_id"] = CHAT.into();
        let sent = s.api.call(method, params).await.result();
        assert!(sent.get(field).is_some(), "{method}: {sent}");
    }
    let copy = json!({"chat_id": CHAT, "from_chat_id": CHAT, "message_id": 1});
    let copied = s.api.call("copyMessage", copy).await.result();
    assert_eq!(s.bot.message(CHAT, copied["message_id"].as_i64().unwrap()).unwrap().text(), "/start");
    s.api.call("sendChatAction", json!({"chat_id": CHAT, "action": "typing"})).await.result();
    assert_eq!(s.bot.chats()[0].last_action.as_deref(), Some("typing"));
    s.api
        .call("sendChatAction", json!({"chat_id": CHAT, "action": "yawning"}))
        .await
        .refused(400, "Bad Request: wrong parameter action in request");
    s.api
        .call("sendVideoNote", json!({"chat_id": CHAT, "video_note": "https://x.example/v.mp4"}))
        .await
        .refused(400, "Bad Request: wrong file identifier/HTTP URL specified");
    assert_eq!(s.api.call("getChat", json!({"chat_id": CHAT})).await.result()["first_name"], "Иван");
    assert_eq!(s.api.call("getUserProfilePhotos", json!({"user_id": CHAT})).await.result()["total_count"], 0);
}

#[tokio::test]
async fn a_pressed_button_is_answered_once_and_in_time() {
    let s = scene().await;
    let markup = json!({"inline_keyboard": [[{"text": "5 ⭐", "callback_data": "csat:5"}]]});
    let sent =
        s.api.call("sendMessage", json!({"chat_id": CHAT, "text": "Оцените", "reply_markup": markup})).await;
    let id = sent.result()["message_id"].as_i64().unwrap();
    let press = s.ivan.presses_button(id, "5 ⭐");
    let update = s.bot.updates().last().unwrap().json.clone();
    assert_eq!(update["callback_query"]["data"], "csat:5");
    assert_eq!(update["callback_query"]["message"]["message_id"], id);
    let answer = async |id: &str| {
        s.api.call("answerCallbackQuery", json!({"callback_query_id": id, "text": "Спасибо"})).await
    };
    answer(&press.callback_query_id).await.result();
    assert_eq!(s.bot.callback_answer(&press.callback_query_id).unwrap()["text"], "Спасибо");
    let late = "Bad Request: query is too old and response timeout expired or query ID is invalid";
    answer(&press.callback_query_id).await.refused(400, late);
    let press = s.ivan.presses(777, "gone");
    assert_eq!(s.bot.updates().last().unwrap().json["callback_query"]["message"]["date"], 0);
    s.sim.advance(Duration::from_secs(200));
    answer(&press.callback_query_id).await.refused(400, late);
    assert_eq!(s.bot.attempts().len(), s.bot.calls().len() + 2);
    assert!(matches!(s.bot.attempts().last().unwrap().outcome, Outcome::Rejected(_)));
}

#[tokio::test]
async fn counters_keep_numbers_only() {
    let config = SimConfig { record: super::super::Record::Counters, ..super::quick() };
    let s = scene_with(config).await;
    for text in ["a", "b", "a"] {
        let params = json!({"chat_id": CHAT, "text": text, "reply_parameters": {"message_id": 1}});
        s.api.call("sendMessage", params).await.result();
    }
    let counters = s.bot.counters();
    assert_eq!((counters.sent, counters.texts["a"], counters.texts["b"]), (3, 2, 1));
    assert_eq!(counters.calls["sendmessage"], 3);
    assert!(s.ivan.transcript().is_empty() && s.bot.calls().is_empty());
}
