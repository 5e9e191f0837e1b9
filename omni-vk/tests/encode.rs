//! Every kind of content becomes exactly this call.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use bytes::Bytes;
use omni_core::content::{
    Button, ButtonAction, ContactCard, Content, Item, Keyboard, KeyboardPlace, Location, Part, Template,
};
use omni_core::error::ErrorKind;
use omni_core::event::ReplyTo;
use omni_core::media::{Media, MediaKind, MediaRef};
use omni_core::outbound::{Author, OutboundItem};
use omni_core::text::EntityKind;
use omni_core::{Address, MessageId, ProviderMessageId, Secret, Text};
use omni_vk::encode::{self, Class, Request, Source};
use serde_json::{Value, json};
use url::Url;

const GROUP: i64 = 123_456;
const OURS: &str = r#"{"omni_id":"07070707-0707-0707-0707-070707070707"}"#;

fn item(content: Content) -> OutboundItem {
    at("50112233", content)
}

fn at(address: &str, content: Content) -> OutboundItem {
    OutboundItem {
        id: MessageId::from_bytes([7; 16]),
        address: address.parse::<Address>().unwrap(),
        content,
        reply_to: None,
        face: None,
        author: Author::Person,
        note: None,
    }
}

/// The fields as an object; what is JSON within a field stays text.
fn fields(request: &Request) -> Value {
    request.fields.iter().map(|(name, value)| (name.to_string(), json!(value))).collect()
}

/// The fields but for those that every message has.
#[track_caller]
fn sends(item: &OutboundItem, named: &[&str], expected: Value) {
    let named: Vec<String> = named.iter().map(|&name| name.to_owned()).collect();
    let request = encode::send(item, GROUP, &named).unwrap();
    assert_eq!(request.method, "messages.send");
    let mut found = fields(&request);
    let found = found.as_object_mut().unwrap();
    assert_eq!(found.remove("payload"), Some(json!(OURS)));
    assert_eq!(found.remove("disable_mentions"), Some(json!("1")));
    assert!(found.remove("random_id").unwrap().as_str().unwrap().parse::<i32>().unwrap() > 0);
    assert_eq!(json!(found), expected);
}

#[track_caller]
fn refuses(item: &OutboundItem) -> ErrorKind {
    let named = vec!["photo1_2".to_owned(); item.content.all_media().count()];
    encode::send(item, GROUP, &named).unwrap_err().kind()
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn upload(kind: MediaKind) -> Media {
    Media::new(kind, Bytes::from_static(b"bytes"))
}

fn keys(place: KeyboardPlace, rows: Vec<Vec<Button>>) -> Content {
    Content { keyboard: Some(Keyboard { place, rows }), ..Content::text("Верно?") }
}

#[track_caller]
fn markup(content: Content) -> Value {
    let request = encode::send(&item(content), GROUP, &[]).unwrap();
    let (_, json) = request.fields.iter().find(|(name, _)| name == "keyboard").unwrap();
    serde_json::from_str(json).unwrap()
}

#[test]
fn words_go_out_as_they_are() {
    let words = "<b>не жирный</b> *и* _не_ [ссылка](x) 👨‍👩‍👧 & = +";
    sends(&item(Content::text(words)), &[], json!({"peer_ids": "50112233", "message": words}));
    sends(&at("2000000007", Content::text("да")), &[], json!({"peer_ids": "2000000007", "message": "да"}));
}

#[test]
fn words_that_vk_would_read_as_a_link_get_a_sign_without_width() {
    let words = "[id1|Иван] и @club2 (мы)";
    let neutral = "[\u{2060}id1|Иван] и @\u{2060}club2 (мы)";
    sends(&item(Content::text(words)), &[], json!({"peer_ids": "50112233", "message": neutral}));
}

#[test]
fn entities_are_left_to_the_plan() {
    let text = Text::plain("жирный").mark("жирный", EntityKind::Bold);
    sends(&item(Content::text(text)), &[], json!({"peer_ids": "50112233", "message": "жирный"}));
}

#[test]
fn the_number_of_a_message_is_the_same_in_every_attempt_and_another_for_another() {
    let number = |item: &OutboundItem| fields(&encode::send(item, GROUP, &[]).unwrap())["random_id"].clone();
    let first = item(Content::text("да"));
    assert_eq!(number(&first), number(&first));
    let other = OutboundItem { id: MessageId::from_bytes([8; 16]), ..first.clone() };
    assert_ne!(number(&first), number(&other));
}

#[test]
fn an_answer_quotes_by_the_number_within_the_peer() {
    let mut answer = item(Content::text("XL"));
    answer.reply_to =
        Some(ReplyTo { message: ProviderMessageId::from("17"), quote: Some("Какой".into()) });
    sends(
        &answer,
        &[],
        json!({"peer_ids": "50112233", "message": "XL",
            "forward": r#"{"peer_id":50112233,"conversation_message_ids":[17],"is_reply":true}"#}),
    );
    for bad in ["нет", "0", "-5", ""] {
        answer.reply_to = Some(ReplyTo { message: ProviderMessageId::from(bad), quote: None });
        assert_eq!(refuses(&answer), ErrorKind::NotFound, "{bad}");
    }
}

#[test]
fn files_go_up_as_what_they_are() {
    let class = |kind| match &encode::sources(&Content::media(upload(kind)), GROUP).unwrap()[..] {
        [Source::Upload(upload)] => upload.class,
        other => panic!("{other:?}"),
    };
    for (kind, expected) in [
        (MediaKind::Image, Class::Photo),
        (MediaKind::Sticker, Class::Photo),
        (MediaKind::Voice, Class::Voice),
        (MediaKind::File, Class::Document),
        (MediaKind::Video, Class::Document),
        (MediaKind::Animation, Class::Document),
        (MediaKind::VideoNote, Class::Document),
        (MediaKind::Audio, Class::Document),
    ] {
        assert_eq!(class(kind), expected, "{kind:?}");
    }
    assert_eq!(
        (Class::Photo.field().0, Class::Document.field().0, Class::Voice.field().0),
        ("photo", "file", "file")
    );
}

#[test]
fn what_vk_has_is_named_and_not_uploaded() {
    let named = |id: &str, unique: Option<&str>| {
        let mut at = MediaRef::new(id);
        at.unique = unique.map(str::to_owned);
        let content = Content::media(Media::new(MediaKind::Image, at));
        match encode::sources(&content, GROUP).map(|mut found| found.remove(0)) {
            Ok(Source::Named(name)) => Ok(name),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.kind()),
        }
    };
    assert_eq!(named("photo-123456_457239020_ak1", None).as_deref(), Ok("photo-123456_457239020_ak1"));
    let came_in = "https://sun9-1.userapi.com/x.jpg";
    assert_eq!(
        named(came_in, Some("photo50112233_457239018_k1")).as_deref(),
        Ok("photo50112233_457239018_k1")
    );
    assert_eq!(named(came_in, None), Err(ErrorKind::ContentRejected));
    let far = Content::media(Media::new(MediaKind::Image, url("https://cdn.example/f.jpg")));
    assert_eq!(encode::sources(&far, GROUP).unwrap_err().kind(), ErrorKind::ContentRejected);
}

#[test]
fn files_stand_beside_their_words() {
    let picture = Content { text: Some("Вот".into()), ..Content::media(upload(MediaKind::Image)) };
    sends(
        &item(picture.clone()),
        &["photo-123456_1_k"],
        json!({"peer_ids": "50112233", "message": "Вот", "attachment": "photo-123456_1_k"}),
    );
    let album = picture.and(Part::Media(upload(MediaKind::File)));
    sends(
        &item(album.clone()),
        &["photo-123456_1_k", "doc-123456_2"],
        json!({"peer_ids": "50112233", "message": "Вот", "attachment": "photo-123456_1_k,doc-123456_2"}),
    );
    let eleven = (0..11).fold(Content::default(), |all, _| all.and(Part::Media(upload(MediaKind::Image))));
    assert_eq!(refuses(&item(eleven)), ErrorKind::ContentRejected);
    let lost = encode::send(&item(album), GROUP, &["photo-123456_1_k".to_owned()]).unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Internal);
}

#[test]
fn a_sticker_of_vk_stands_alone() {
    let sticker = Content::media(Media::new(MediaKind::Image, MediaRef::new("sticker4331")));
    sends(&item(sticker.clone()), &["sticker4331"], json!({"peer_ids": "50112233", "sticker_id": "4331"}));
    let with_words = Content { text: Some("да".into()), ..sticker };
    let error = encode::send(&item(with_words), GROUP, &["sticker4331".to_owned()]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ContentRejected);
}

#[test]
fn a_place_is_two_numbers_and_its_name_in_words() {
    let place = |title: Option<&str>| {
        Part::Location(Location {
            latitude: 55.75,
            longitude: 37.61,
            title: title.map(str::to_owned),
            address: title.map(|_| "Москва, Тверская, 1".to_owned()),
            live_seconds: None,
        })
    };
    let bare = item(Content::part(place(None)));
    sends(&bare, &[], json!({"peer_ids": "50112233", "lat": "55.75", "long": "37.61"}));
    sends(
        &item(Content::part(place(Some("Магазин")))),
        &[],
        json!({"peer_ids": "50112233", "lat": "55.75", "long": "37.61", "message": "Магазин\nМосква, Тверская, 1"}),
    );
    let two = Content::part(place(None)).and(place(None));
    assert_eq!(refuses(&item(two)), ErrorKind::ContentRejected);
}

#[test]
fn goods_of_vk_are_attached_and_others_told_in_words() {
    let goods = |id: Option<&str>| {
        Part::Item(Item {
            id: id.map(str::to_owned),
            title: Some("Кружка".to_owned()),
            price: Some("450 ₽".to_owned()),
            url: Some(url("https://shop.example/9")),
            image: None,
        })
    };
    for (id, name) in
        [("991", "market-123456_991"), ("market-7_5", "market-7_5"), ("wall-123456_310", "wall-123456_310")]
    {
        let content = Content::part(goods(Some(id)));
        sends(&item(content), &[], json!({"peer_ids": "50112233", "attachment": name}));
    }
    let words = "Кружка\n450 ₽\nhttps://shop.example/9";
    let own = Content { text: Some("Смотрите:".into()), ..Content::part(goods(None)) };
    sends(&item(own), &[], json!({"peer_ids": "50112233", "message": format!("Смотрите:\n{words}")}));
    let two = Content::part(goods(Some("1"))).and(goods(Some("2")));
    sends(&item(two), &[], json!({"peer_ids": "50112233", "attachment": "market-123456_1,market-123456_2"}));
}

fn card(title: &str, price: Option<&str>, link: Option<&str>, image: Option<&str>) -> Part {
    Part::Item(Item {
        id: None,
        title: Some(title.to_owned()),
        price: price.map(str::to_owned),
        url: link.map(url),
        image: image.map(url),
    })
}

#[test]
fn several_goods_are_cards_with_the_same_fields() {
    let (shop, picture) = (Some("https://shop.example/9"), Some("https://cdn.example/9.jpg"));
    let whole = |title| card(title, Some("450 ₽"), shop, picture);
    let content = Content {
        text: Some("Выбирайте 👇".into()),
        ..Content::part(whole("Кружка")).and(whole("Чашка"))
    };
    let fetched = encode::sources(&content, GROUP).unwrap();
    assert!(
        fetched.iter().all(|source| matches!(source, Source::Fetch(at) if at.as_str() == picture.unwrap()))
    );
    assert_eq!(fetched.len(), 2);
    let element = |title: &str, photo: &str| {
        json!({
            "title": title, "description": "450 ₽", "photo_id": photo,
            "action": {"type": "open_link", "link": shop.unwrap()},
            "buttons": [{"action": {"type": "open_link", "link": shop.unwrap(), "label": "shop.example"}}],
        })
    };
    let elements = [element("Кружка", "-123456_1"), element("Чашка", "-123456_2")];
    let request =
        encode::send(&item(content), GROUP, &["photo-123456_1_k".to_owned(), "photo-123456_2".to_owned()]);
    let found = fields(&request.unwrap());
    let template: Value = serde_json::from_str(found["template"].as_str().unwrap()).unwrap();
    assert_eq!(template, json!({"type": "carousel", "elements": elements}));
    assert_eq!(found["message"], "Выбирайте 👇");

    // What one of them lacks none has, and VK wants words above.
    let bare = Content::part(whole("Кружка")).and(card("Чашка", None, None, None));
    assert!(encode::sources(&bare, GROUP).unwrap().is_empty());
    let found = fields(&encode::send(&item(bare), GROUP, &[]).unwrap());
    let template: Value = serde_json::from_str(found["template"].as_str().unwrap()).unwrap();
    let plain = |title: &str, about: &str| json!({"title": title, "description": about});
    assert_eq!(template["elements"], json!([plain("Кружка", "450 ₽"), plain("Чашка", "—")]));
    assert_eq!(found["message"], "Кружка, Чашка");
    let many = Content { parts: vec![whole("Кружка"); 11], ..Content::default() };
    assert_eq!(refuses(&item(many)), ErrorKind::ContentRejected);
}

#[test]
fn keys_under_a_message_tell_us_what_they_carry() {
    let rows = vec![
        vec![Button::press("Да", "заказ \"5\""), Button::say("Подробнее")],
        vec![Button::open("Сайт", url("https://shop.example/ё"))],
    ];
    let found = markup(keys(KeyboardPlace::Message, rows));
    assert_eq!(
        found,
        json!({"inline": true, "buttons": [
            [{"action": {"type": "callback", "label": "Да", "payload": r#"{"omni":"заказ \"5\""}"#}},
             {"action": {"type": "text", "label": "Подробнее"}}],
            [{"action": {"type": "open_link", "label": "Сайт", "link": "https://shop.example/%D1%91"}}],
        ]})
    );
}

#[test]
fn keys_in_place_of_the_keyboard_write_their_label_and_carry_data_too() {
    let rows = || vec![vec![Button::press("Да", "yes")], vec![Button::say("Нет")]];
    let buttons = json!([
        [{"action": {"type": "text", "label": "Да", "payload": r#"{"omni":"yes"}"#}}],
        [{"action": {"type": "text", "label": "Нет"}}],
    ]);
    let once = markup(keys(KeyboardPlace::QuickReplies, rows()));
    assert_eq!(once, json!({"one_time": true, "buttons": buttons}));
    let menu = markup(keys(KeyboardPlace::Menu, rows()));
    assert_eq!(menu, json!({"one_time": false, "buttons": buttons}));
    let gone = markup(keys(KeyboardPlace::Remove, Vec::new()));
    assert_eq!(gone, json!({"one_time": true, "buttons": []}));
}

#[test]
fn a_key_that_asks_for_a_place_has_a_row_of_its_own() {
    let share = Button { label: "Где вы?".into(), action: ButtonAction::ShareLocation };
    let row = vec![Button::say("а"), share, Button::say("б"), Button::say("в")];
    let found = markup(keys(KeyboardPlace::QuickReplies, vec![row]));
    let lengths: Vec<usize> =
        found["buttons"].as_array().unwrap().iter().map(|r| r.as_array().unwrap().len()).collect();
    assert_eq!(lengths, [1, 1, 2]);
    assert_eq!(found["buttons"][1][0], json!({"action": {"type": "location", "payload": "{}"}}));
}

#[test]
fn more_rows_than_vk_shows_become_fewer_and_longer_ones() {
    let one_a_row =
        |count: usize| (0..count).map(|n| vec![Button::press(format!("к{n}"), "x")]).collect::<Vec<_>>();
    let lengths = |place, count| -> Vec<usize> {
        let found = markup(keys(place, one_a_row(count)));
        found["buttons"].as_array().unwrap().iter().map(|row| row.as_array().unwrap().len()).collect()
    };
    assert_eq!(lengths(KeyboardPlace::Message, 6), [1; 6]);
    assert_eq!(lengths(KeyboardPlace::Message, 10), [2; 5]);
    assert_eq!(lengths(KeyboardPlace::Menu, 10), [1; 10]);
    assert_eq!(lengths(KeyboardPlace::Menu, 40), [4; 10]);
    assert_eq!(refuses(&item(keys(KeyboardPlace::Message, one_a_row(31)))), ErrorKind::ContentRejected);
    let found = markup(keys(KeyboardPlace::Message, one_a_row(10)));
    let labels: Vec<&str> = found["buttons"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .map(|key| key["action"]["label"].as_str().unwrap())
        .collect();
    assert_eq!(labels, ["к0", "к1", "к2", "к3", "к4", "к5", "к6", "к7", "к8", "к9"]);
}

#[test]
fn the_longest_data_goes_and_longer_or_unknown_keys_are_refused() {
    let press = |data: String| item(keys(KeyboardPlace::Message, vec![vec![Button::press("Да", data)]]));
    let found = encode::send(&press("x".repeat(244)), GROUP, &[]).unwrap();
    assert!(fields(&found)["keyboard"].as_str().unwrap().len() > 255);
    assert_eq!(refuses(&press("x".repeat(245))), ErrorKind::ContentRejected);
    assert_eq!(refuses(&press("\"".repeat(130))), ErrorKind::ContentRejected);
    let phone = Button { label: "Номер".into(), action: ButtonAction::SharePhone };
    assert_eq!(
        refuses(&item(keys(KeyboardPlace::QuickReplies, vec![vec![phone]]))),
        ErrorKind::ContentRejected
    );
}

#[test]
fn what_no_method_carries_is_unsupported() {
    for part in [
        Part::Contact(ContactCard { name: "Анна".into(), ..ContactCard::default() }),
        Part::Template(Template { name: "x".into(), ..Template::default() }),
        Part::Email(Default::default()),
        Part::Forwarded { from: None, contents: vec![Content::text("да")] },
        Part::Unsupported { what: "poll".into() },
    ] {
        assert_eq!(refuses(&item(Content::part(part.clone()))), ErrorKind::Unsupported, "{part:?}");
    }
    assert_eq!(refuses(&item(Content::default())), ErrorKind::ContentRejected);
    assert_eq!(refuses(&at("ivan@example.com", Content::text("да"))), ErrorKind::NotFound);
}

#[test]
fn a_comment_is_answered_in_its_thread() {
    let mut answer = at("wall-123456_310?from=50112233&thread=412", Content::text("450 ₽ [id1|x]"));
    let request = encode::send(&answer, GROUP, &[]).unwrap();
    assert_eq!(request.method, "wall.createComment");
    let expected = |to: &str| {
        json!({"owner_id": "-123456", "post_id": "310", "from_group": "123456", "reply_to_comment": to,
            "message": "450 ₽ [\u{2060}id1|x]", "guid": "07070707-0707-0707-0707-070707070707"})
    };
    assert_eq!(fields(&request), expected("412"));
    answer.reply_to = Some(ReplyTo { message: ProviderMessageId::from("415"), quote: None });
    assert_eq!(fields(&encode::send(&answer, GROUP, &[]).unwrap()), expected("415"));
}

#[test]
fn comments_carry_words_and_only_those_under_posts_are_answered() {
    let wall = "wall-123456_310?from=50112233&thread=412";
    assert_eq!(refuses(&at(wall, Content::media(upload(MediaKind::Image)))), ErrorKind::Unsupported);
    assert_eq!(refuses(&at(wall, keys(KeyboardPlace::Message, vec![]))), ErrorKind::Unsupported);
    assert_eq!(refuses(&at(wall, Content::default())), ErrorKind::ContentRejected);
    for closed in
        ["photo-123456_1?from=5", "video-123456_1?from=5", "market-123456_1?from=5", "topic-123456_1?from=5"]
    {
        assert_eq!(refuses(&at(closed, Content::text("да"))), ErrorKind::Unsupported, "{closed}");
    }
}

#[test]
fn an_edit_says_everything_again() {
    let address = Address::new("50112233");
    let id = ProviderMessageId::from("18");
    let content = Content { text: Some("Да!".into()), ..Content::media(upload(MediaKind::Image)) };
    let request = encode::edit(&address, &id, &content, GROUP, &["photo-123456_1_k".to_owned()]).unwrap();
    assert_eq!(request.method, "messages.edit");
    assert_eq!(
        fields(&request),
        json!({"peer_id": "50112233", "cmid": "18", "message": "Да!", "attachment": "photo-123456_1_k",
            "disable_mentions": "1", "keep_forward_messages": "1"})
    );
    let wall = Address::new("wall-123456_310");
    assert_eq!(encode::edit(&wall, &id, &content, GROUP, &[]).unwrap_err().kind(), ErrorKind::Unsupported);
    let sticker = Content::media(Media::new(MediaKind::Sticker, MediaRef::new("sticker4331")));
    let named = ["sticker4331".to_owned()];
    assert_eq!(
        encode::edit(&address, &id, &sticker, GROUP, &named).unwrap_err().kind(),
        ErrorKind::Unsupported
    );
}

#[track_caller]
fn is(request: Request, method: &str, expected: Value) {
    assert_eq!((request.method, fields(&request)), (method, expected));
}

#[test]
fn actions_have_their_methods() {
    let (peer, id) = (Address::new("2000000007"), ProviderMessageId::from("18"));
    is(
        encode::delete(&peer, &id).unwrap(),
        "messages.delete",
        json!({"peer_id": "2000000007", "cmids": "18", "delete_for_all": "1"}),
    );
    is(
        encode::mark_read(&peer, &id).unwrap(),
        "messages.markAsRead",
        json!({"peer_id": "2000000007", "up_to_cmid": "18"}),
    );
    is(
        encode::typing(&peer).unwrap(),
        "messages.setActivity",
        json!({"peer_id": "2000000007", "type": "typing"}),
    );
    let sign = |sign: &str| encode::react(&peer, &id, &[sign.to_owned()]);
    is(
        sign("👍").unwrap(),
        "messages.sendReaction",
        json!({"peer_id": "2000000007", "cmid": "18", "reaction_id": "4"}),
    );
    is(
        sign("reaction:77").unwrap(),
        "messages.sendReaction",
        json!({"peer_id": "2000000007", "cmid": "18", "reaction_id": "77"}),
    );
    is(
        encode::react(&peer, &id, &[]).unwrap(),
        "messages.deleteReaction",
        json!({"peer_id": "2000000007", "cmid": "18"}),
    );
    assert_eq!(sign("🦄").unwrap_err().kind(), ErrorKind::ContentRejected);
    let two = ["👍".to_owned(), "🔥".to_owned()];
    assert_eq!(encode::react(&peer, &id, &two).unwrap_err().kind(), ErrorKind::ContentRejected);
    let wall = Address::new("wall-123456_310");
    assert_eq!(encode::delete(&wall, &id).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(encode::mark_read(&wall, &id).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(encode::typing(&wall).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(encode::react(&wall, &id, &[]).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn a_ticket_says_who_is_answered_and_where() {
    is(
        encode::answer_button("2000000007:50112233:1a2b:3c", Some("Готово 👍")).unwrap(),
        "messages.sendMessageEventAnswer",
        json!({"event_id": "1a2b:3c", "user_id": "50112233", "peer_id": "2000000007",
            "event_data": r#"{"type":"show_snackbar","text":"Готово 👍"}"#}),
    );
    let silent = encode::answer_button("5:5:t", None).unwrap();
    assert!(!fields(&silent).as_object().unwrap().contains_key("event_data"));
    let long = encode::answer_button("5:5:t", Some(&"ж".repeat(300))).unwrap();
    let data: Value = serde_json::from_str(fields(&long)["event_data"].as_str().unwrap()).unwrap();
    assert_eq!(data["text"].as_str().unwrap().chars().count(), 90);
    for bad in ["", "1a2b", "5:5", "a:b:c"] {
        assert_eq!(encode::answer_button(bad, None).unwrap_err().kind(), ErrorKind::NotFound, "{bad}");
    }
}

#[test]
fn the_webhook_is_entered_changed_and_taken_back() {
    let hook = url("https://omni.example/hook");
    let secret = Secret::new("s3cr3tABC");
    is(
        encode::add_callback_server(GROUP, &hook, "omni", &secret),
        "groups.addCallbackServer",
        json!({"group_id": "123456", "url": "https://omni.example/hook", "title": "omni", "secret_key": "s3cr3tABC"}),
    );
    is(
        encode::edit_callback_server(GROUP, 3, &hook, "omni", &secret),
        "groups.editCallbackServer",
        json!({"group_id": "123456", "server_id": "3", "url": "https://omni.example/hook", "title": "omni",
            "secret_key": "s3cr3tABC"}),
    );
    is(
        encode::delete_callback_server(GROUP, 3),
        "groups.deleteCallbackServer",
        json!({"group_id": "123456", "server_id": "3"}),
    );
}

#[test]
fn events_asked_for_are_switched_on_and_the_others_off() {
    let settings = fields(&encode::set_callback_settings(GROUP, 3, "5.199", &["message_new", "user_block"]));
    let named = [("group_id", "123456"), ("server_id", "3"), ("api_version", "5.199")];
    for (name, value) in
        named.into_iter().chain([("message_new", "1"), ("user_block", "1"), ("wall_reply_new", "0")])
    {
        assert_eq!(settings[name], value, "{name}");
    }
    let settings = fields(&encode::set_long_poll_settings(GROUP, "5.199", &omni_vk::EVENTS));
    assert_eq!((&settings["enabled"], &settings["server_id"]), (&json!("1"), &json!(null)));
    for event in omni_vk::EVENTS {
        assert_eq!(settings[event], "1", "{event}");
    }
}

#[test]
fn a_call_shows_no_secret_and_no_words() {
    let hook = url("https://omni.example/hook");
    let entered = encode::add_callback_server(GROUP, &hook, "omni", &Secret::new("s3cr3tABC"));
    let said = encode::send(&item(Content::text("тайна")), GROUP, &[]).unwrap();
    let shown = format!("{entered:?} {said:?}");
    assert!(!shown.contains("s3cr3t") && !shown.contains("тайна"), "{shown}");
    assert!(shown.contains("secret_key"));
}

#[test]
fn the_other_calls_have_their_parameters() {
    is(encode::get_group(), "groups.getById", json!({}));
    is(encode::token_permissions(), "groups.getTokenPermissions", json!({}));
    is(encode::confirmation_code(GROUP), "groups.getCallbackConfirmationCode", json!({"group_id": "123456"}));
    is(encode::get_callback_servers(GROUP), "groups.getCallbackServers", json!({"group_id": "123456"}));
    is(encode::long_poll_server(GROUP), "groups.getLongPollServer", json!({"group_id": "123456"}));
    is(
        encode::get_users(&[5, 6]),
        "users.get",
        json!({"user_ids": "5,6", "fields": "photo_100,screen_name"}),
    );
    is(encode::get_groups(&[7]), "groups.getById", json!({"group_ids": "7"}));
    is(
        encode::chats(&[2_000_000_001], GROUP),
        "messages.getConversationsById",
        json!({"peer_ids": "2000000001", "group_id": "123456"}),
    );
    is(
        encode::get_message(&Address::new("5"), &ProviderMessageId::from("17"), GROUP).unwrap(),
        "messages.getByConversationMessageId",
        json!({"peer_id": "5", "conversation_message_ids": "17", "group_id": "123456"}),
    );
    is(encode::photo_server(5), "photos.getMessagesUploadServer", json!({"peer_id": "5"}));
    is(
        encode::document_server(5, "audio_message"),
        "docs.getMessagesUploadServer",
        json!({"type": "audio_message", "peer_id": "5"}),
    );
    is(
        encode::save_photo("885123", "[{}]", "6f1c"),
        "photos.saveMessagesPhoto",
        json!({"server": "885123", "photo": "[{}]", "hash": "6f1c"}),
    );
    is(encode::save_document("f", Some("акт.pdf")), "docs.save", json!({"file": "f", "title": "акт.pdf"}));
    is(encode::save_document("f", None), "docs.save", json!({"file": "f"}));
}
