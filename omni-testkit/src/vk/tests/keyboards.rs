use serde_json::json;

use super::*;
use crate::vk::{KeyKind, Pressed};

fn key(action: Value) -> Value {
    json!({"action": action})
}

fn text(label: &str) -> Value {
    key(json!({"type": "text", "label": label, "payload": "{\"act\":\"да\"}"}))
}

fn inline(rows: Value) -> String {
    json!({"inline": true, "buttons": rows}).to_string()
}

#[tokio::test]
async fn keyboards_are_checked_and_the_error_names_the_reason() {
    let Scene { shop, api, .. } = talk().await;
    let callback = |payload: Value| key(json!({"type": "callback", "label": "Ещё", "payload": payload}));
    let row = |count: usize| vec![text("Да"); count];
    let broken = [
        (inline(json!([[text(&"ы".repeat(41))]])), "label"),
        (inline(json!([[callback(json!(format!("\"{}\"", "ы".repeat(254))))]])), "payload"),
        (inline(json!([[callback(json!("{не json"))]])), "payload"),
        (inline(json!([[key(json!({"type": "callback", "label": "Ещё"}))]])), "payload"),
        (inline(json!([[key(json!({"type": "telepathy", "label": "Ещё"}))]])), "type"),
        (inline(json!([[key(json!({"type": "open_link", "label": "Сайт", "link": "не адрес"}))]])), "link"),
        (inline(json!([[key(json!({"type": "location"})), text("Да")]])), "location"),
        (
            inline(
                json!([[{"action": {"type": "open_link", "label": "Сайт", "link": "https://a.ru"}, "color": "primary"}]]),
            ),
            "color",
        ),
        (inline(json!([[{"action": text("Да")["action"], "color": "pink"}]])), "color"),
        (inline(json!([row(6)])), "row"),
        (inline(json!([row(5), row(5), row(1)])), "too many"),
        (inline(json!(vec![row(1); 7])), "too many rows"),
        (inline(json!([])), "inline"),
        (json!({"inline": true, "one_time": true, "buttons": [[text("Да")]]}).to_string(), "one_time"),
        (json!({"buttons": vec![row(1); 11]}).to_string(), "too many rows"),
        (json!({"buttons": vec![row(5); 9]}).to_string(), "too many buttons"),
        (json!({"rows": []}).to_string(), "unexpected"),
        ("не json".to_owned(), "json"),
    ];
    for (keyboard, reason) in broken {
        let error = api.say(&[("message", "Выберите"), ("keyboard", &keyboard)]).await.refused(911);
        let text = error["error_msg"].as_str().unwrap();
        assert!(text.contains(reason), "{keyboard}: {text}");
    }
    let good = [
        inline(json!([row(5), row(5)])),
        inline(json!([
            [callback(json!({"act": 1}))],
            [text(&"ы".repeat(40))],
            [key(json!({"type": "location"}))]
        ])),
        json!({"one_time": true, "buttons": vec![row(4); 10]}).to_string(),
        json!({"one_time": true, "buttons": []}).to_string(),
    ];
    for keyboard in &good {
        api.say(&[("message", "Выберите"), ("keyboard", keyboard)]).await.response();
    }
    shop.changes(|profile| profile.has_bots = false);
    api.say(&[("message", "Выберите"), ("keyboard", &good[0])]).await.refused(912);
}

#[tokio::test]
async fn a_menu_stays_until_it_is_taken_away_and_a_one_time_one_until_a_press() {
    let Scene { api, ivan, .. } = talk().await;
    let menu = |one_time: bool| json!({"one_time": one_time, "buttons": [[text("Да")]]}).to_string();
    api.say(&[("message", "?"), ("keyboard", &menu(false))]).await.response();
    ivan.presses("Да");
    let said = ivan.sees().pop().unwrap();
    assert_eq!((said.text(), said.json["payload"].as_str()), ("Да", Some("{\"act\":\"да\"}")));
    assert_eq!(ivan.menu().len(), 1);
    let away = json!({"one_time": true, "buttons": []}).to_string();
    api.say(&[("message", "Спасибо"), ("keyboard", &away)]).await.response();
    assert!(ivan.menu().is_empty());
    api.say(&[("message", "?"), ("keyboard", &menu(true))]).await.response();
    ivan.presses("Да");
    assert!(ivan.menu().is_empty());
}

#[tokio::test]
async fn a_pressed_callback_key_is_answered_once_by_its_ticket() {
    let Scene { sim, shop, api, ivan } = talk().await;
    let keyboard =
        inline(json!([[key(json!({"type": "callback", "label": "Ещё", "payload": "{\"act\":\"more\"}"}))]]));
    api.say(&[("message", "?"), ("keyboard", &keyboard)]).await.response();
    let Pressed::Callback(ticket) = ivan.presses("Ещё") else { panic!("a callback key") };
    let event = shop.events().pop().unwrap();
    assert_eq!(event.kind, "message_event");
    assert_eq!(event.object["payload"], json!({"act": "more"}), "an object, not its string");
    assert_eq!(event.object["conversation_message_id"], 2);
    assert_ne!(event.object["event_id"], event.event_id);
    let ivans = IVAN.to_string();
    let answer = |data: &'static str, ticket: String| {
        let (api, ivans) = (api.clone(), ivans.clone());
        async move {
            let fields =
                [("event_id", &*ticket), ("user_id", &ivans), ("peer_id", &ivans), ("event_data", data)];
            api.call("messages.sendMessageEventAnswer", &fields).await
        }
    };
    answer("", "чужой".into()).await.refused(100);
    answer(r#"{"type":"dance"}"#, ticket.clone()).await.refused(100);
    let snack = r#"{"type":"show_snackbar","text":"Готово 👌"}"#;
    assert_eq!(answer(snack, ticket.clone()).await.response(), 1);
    assert_eq!(ivan.answer_to(&ticket).unwrap()["text"], "Готово 👌");
    answer(snack, ticket).await.refused(100);
    let Pressed::Callback(late) = ivan.presses("Ещё") else { panic!("a callback key") };
    sim.advance(std::time::Duration::from_secs(61));
    answer("", late).await.refused(100);
}

#[tokio::test]
async fn keys_open_pages_and_show_places() {
    let Scene { api, ivan, .. } = talk().await;
    let link = key(json!({"type": "open_link", "label": "Сайт", "link": "https://shop.example.ru"}));
    let place = key(json!({"type": "location", "payload": "{\"act\":\"geo\"}"}));
    api.say(&[("message", "?"), ("keyboard", &inline(json!([[link], [place]])))]).await.response();
    let keys = ivan.sees().pop().unwrap().keys();
    assert_eq!(keys.iter().map(|key| key.kind).collect::<Vec<_>>(), [KeyKind::OpenLink, KeyKind::Location]);
    assert_eq!(ivan.presses("Сайт"), Pressed::Opened("https://shop.example.ru".into()));
    ivan.presses_under(2, "");
    let said = ivan.sees().pop().unwrap();
    assert!(said.place().is_some() && said.json["payload"] == "{\"act\":\"geo\"}");
}

#[tokio::test]
async fn elements_of_a_carousel_are_alike_and_have_words_beside_them() {
    let Scene { api, ivan, .. } = talk().await;
    let element = json!({"title": "Кружка", "description": "450 ₽", "buttons": [text("Купить")]});
    let carousel = |elements: Value| json!({"type": "carousel", "elements": elements}).to_string();
    let mut bare = element.clone();
    bare.as_object_mut().unwrap().remove("buttons");
    let mut long = element.clone();
    long["title"] = "ж".repeat(81).into();
    let mut pictured = element.clone();
    pictured["photo_id"] = "-123456_1".into();
    let broken = [
        json!([]),
        json!(vec![element.clone(); 11]),
        json!([element, bare]),
        json!([long]),
        json!([pictured]),
    ];
    for elements in broken {
        api.say(&[("message", "?"), ("template", &carousel(elements))]).await.refused(911);
    }
    let good = carousel(json!([element, element]));
    api.say(&[("template", &good)]).await.refused(100);
    api.say(&[("message", "Выберите"), ("template", &good)]).await.response();
    assert_eq!(ivan.sees().pop().unwrap().keys().len(), 2);
    assert!(matches!(ivan.presses("Купить"), Pressed::Said(_)));
}
