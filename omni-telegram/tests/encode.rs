//! Every kind of content becomes exactly this call.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use bytes::Bytes;
use omni_core::content::{
    Button, ButtonAction, ContactCard, Content, Keyboard, KeyboardPlace, Location, Part,
};
use omni_core::error::ErrorKind;
use omni_core::event::ReplyTo;
use omni_core::media::{Media, MediaKind, MediaRef};
use omni_core::outbound::{Author, OutboundItem};
use omni_core::text::EntityKind;
use omni_core::{Address, MessageId, ProviderMessageId, Text};
use omni_telegram::encode::{self, Request};
use serde_json::{Value, json};
use url::Url;

fn item(content: Content) -> OutboundItem {
    at("100200300", content)
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

fn fields(request: &Request) -> Value {
    serde_json::to_value(&request.fields).unwrap()
}

#[track_caller]
fn sends(item: &OutboundItem, method: &str, expected: Value) {
    let request = encode::send(item).unwrap();
    assert_eq!(request.method, method);
    assert_eq!(fields(&request), expected);
}

#[track_caller]
fn refuses(item: &OutboundItem) -> ErrorKind {
    encode::send(item).unwrap_err().kind()
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn by_url(kind: MediaKind) -> Media {
    Media::new(kind, url("https://cdn.example/f"))
}

fn upload(kind: MediaKind) -> Media {
    Media::new(kind, Bytes::from_static(b"bytes"))
}

#[test]
fn words_go_without_a_parse_mode_whatever_they_look_like() {
    let words = "<b>не жирный</b> *и* _не_ [ссылка](x) 👨‍👩‍👧";
    sends(&item(Content::text(words)), "sendMessage", json!({"chat_id": 100200300, "text": words}));
}

#[test]
fn entities_are_sent_in_utf16_and_what_telegram_finds_itself_is_left_to_it() {
    let text = Text::plain("😀 жирный код ссылка Иван /start #тег")
        .mark("жирный", EntityKind::Bold)
        .mark("код", EntityKind::Pre { language: Some("rust".into()) })
        .mark("ссылка", EntityKind::Link { url: "https://example.com/ё".into() })
        .mark("Иван", EntityKind::Mention { id: Some("100200300".into()) })
        .mark("/start", EntityKind::Command)
        .mark("#тег", EntityKind::Detected { what: "hashtag".into() });
    let plain = text.plain.clone();
    sends(
        &item(Content::text(text)),
        "sendMessage",
        json!({"chat_id": 100200300, "text": plain, "entities": [
            {"type": "bold", "offset": 3, "length": 6},
            {"type": "pre", "offset": 10, "length": 3, "language": "rust"},
            {"type": "text_link", "offset": 14, "length": 6, "url": "https://example.com/ё"},
            {"type": "text_mention", "offset": 21, "length": 4, "user": {"id": 100200300, "is_bot": false, "first_name": ""}},
        ]}),
    );
}

#[test]
fn every_style_has_its_name() {
    let styles = [
        (EntityKind::Bold, "bold"),
        (EntityKind::Italic, "italic"),
        (EntityKind::Underline, "underline"),
        (EntityKind::Strike, "strikethrough"),
        (EntityKind::Spoiler, "spoiler"),
        (EntityKind::Code, "code"),
        (EntityKind::Quote, "blockquote"),
    ];
    for (kind, name) in styles {
        let request = encode::send(&item(Content::text(Text::plain("да").mark("да", kind)))).unwrap();
        assert_eq!(fields(&request)["entities"], json!([{"type": name, "offset": 0, "length": 2}]));
    }
}

#[test]
fn an_answer_is_sent_even_when_what_it_answers_is_gone() {
    let mut answer = item(Content::text("XL"));
    answer.reply_to = Some(ReplyTo {
        message: ProviderMessageId::from("41"),
        quote: Some("Какой размер".into()),
    });
    sends(
        &answer,
        "sendMessage",
        json!({"chat_id": 100200300, "text": "XL", "reply_parameters":
            {"message_id": 41, "allow_sending_without_reply": true, "quote": "Какой размер"}}),
    );
    answer.reply_to =
        Some(ReplyTo { message: ProviderMessageId::from("41"), quote: Some("я".repeat(1025)) });
    let request = encode::send(&answer).unwrap();
    assert_eq!(
        fields(&request)["reply_parameters"],
        json!({"message_id": 41, "allow_sending_without_reply": true})
    );
    answer.reply_to = Some(ReplyTo { message: ProviderMessageId::from("mid.1"), quote: None });
    assert_eq!(refuses(&answer), ErrorKind::NotFound);
}

#[test]
fn everything_in_an_address_goes_along() {
    sends(
        &at("-1001234567890?thread=12", Content::text("в теме")),
        "sendMessage",
        json!({"chat_id": -1001234567890i64, "message_thread_id": 12, "text": "в теме"}),
    );
    sends(
        &at("100200300?business=aB3kQ_conn_1", Content::text("да")),
        "sendMessage",
        json!({"business_connection_id": "aB3kQ_conn_1", "chat_id": 100200300, "text": "да"}),
    );
    sends(
        &at("-1005550001111?direct=9", Content::text("да")),
        "sendMessage",
        json!({"chat_id": -1005550001111i64, "direct_messages_topic_id": 9, "text": "да"}),
    );
    sends(
        &at("@omni_news", Content::text("пост")),
        "sendMessage",
        json!({"chat_id": "@omni_news", "text": "пост"}),
    );
    assert_eq!(refuses(&at("ivan@example.com", Content::text("да"))), ErrorKind::NotFound);
}

#[test]
fn keys_under_a_message() {
    let content = Content::text("Оцените").buttons([
        Button::press("5 ★", "csat:5"),
        Button::open("Сайт", url("https://example.com/")),
        Button::say("Позвать человека"),
    ]);
    sends(
        &item(content),
        "sendMessage",
        json!({"chat_id": 100200300, "text": "Оцените", "reply_markup": {"inline_keyboard": [
            [{"text": "5 ★", "callback_data": "csat:5"}],
            [{"text": "Сайт", "url": "https://example.com/"}],
            [{"text": "Позвать человека", "callback_data": "Позвать человека"}],
        ]}}),
    );
    let share = Button { label: "Телефон".into(), action: ButtonAction::SharePhone };
    assert_eq!(refuses(&item(Content::text("?").buttons([share]))), ErrorKind::ContentRejected);
}

#[test]
fn a_long_label_is_cut_where_it_becomes_data() {
    let label = "Позвать человека, а не робота 🤖, прямо сейчас";
    let request = encode::send(&item(Content::text("?").buttons([Button::say(label)]))).unwrap();
    let key = &fields(&request)["reply_markup"]["inline_keyboard"][0][0];
    assert_eq!(key["text"], label);
    let data = key["callback_data"].as_str().unwrap();
    assert!(data.len() <= 64 && data.len() > 60 && label.starts_with(data), "{data}");
}

fn keyed(place: KeyboardPlace, rows: Vec<Vec<Button>>) -> OutboundItem {
    let mut content = Content::text("?");
    content.keyboard = Some(Keyboard { place, rows });
    item(content)
}

#[test]
fn keys_in_place_of_the_keyboard() {
    let row = vec![
        Button { label: "Телефон".into(), action: ButtonAction::SharePhone },
        Button { label: "Место".into(), action: ButtonAction::ShareLocation },
        Button::say("Да"),
        Button::press("Нет", "no"),
    ];
    let keys = json!([[
        {"text": "Телефон", "request_contact": true}, {"text": "Место", "request_location": true},
        {"text": "Да"}, {"text": "Нет"},
    ]]);
    let markup = |item: &OutboundItem| fields(&encode::send(item).unwrap())["reply_markup"].clone();
    assert_eq!(
        markup(&keyed(KeyboardPlace::QuickReplies, vec![row.clone(), vec![]])),
        json!({"keyboard": keys, "resize_keyboard": true, "one_time_keyboard": true})
    );
    assert_eq!(
        markup(&keyed(KeyboardPlace::Menu, vec![row])),
        json!({"keyboard": keys, "resize_keyboard": true, "is_persistent": true})
    );
    assert_eq!(markup(&keyed(KeyboardPlace::Remove, vec![])), json!({"remove_keyboard": true}));
    let page = vec![vec![Button::open("Сайт", url("https://example.com/"))]];
    assert_eq!(refuses(&keyed(KeyboardPlace::Menu, page)), ErrorKind::ContentRejected);
}

#[test]
fn every_kind_of_file_has_its_method() {
    let ways = [
        (MediaKind::Image, "sendPhoto", "photo"),
        (MediaKind::Video, "sendVideo", "video"),
        (MediaKind::Animation, "sendAnimation", "animation"),
        (MediaKind::Audio, "sendAudio", "audio"),
        (MediaKind::Voice, "sendVoice", "voice"),
        (MediaKind::Sticker, "sendSticker", "sticker"),
        (MediaKind::File, "sendDocument", "document"),
        (MediaKind::VideoNote, "sendVideoNote", "video_note"),
    ];
    for (kind, method, field) in ways {
        let again = Media::new(kind, MediaRef::new("AgACAgI"));
        sends(&item(Content::media(again)), method, json!({"chat_id": 100200300, field: "AgACAgI"}));
        if kind != MediaKind::VideoNote {
            let sent = json!({"chat_id": 100200300, field: "https://cdn.example/f"});
            sends(&item(Content::media(by_url(kind))), method, sent);
        }
        let request = encode::send(&item(Content::media(upload(kind)))).unwrap();
        assert_eq!(fields(&request), json!({"chat_id": 100200300}));
        assert_eq!(request.files.len(), 1);
        assert_eq!((request.files[0].part.as_str(), &*request.files[0].bytes), (field, &b"bytes"[..]));
    }
    assert_eq!(refuses(&item(Content::media(by_url(MediaKind::VideoNote)))), ErrorKind::ContentRejected);
}

#[test]
fn a_file_keeps_its_name_type_and_caption() {
    let mut content = Content::media(upload(MediaKind::File).named("счёт №1.pdf").typed("application/pdf"));
    content.text = Some(Text::plain("Ваш счёт").mark("счёт", EntityKind::Bold));
    let request = encode::send(&item(content)).unwrap();
    assert_eq!(request.files[0].name, "счёт №1.pdf");
    assert_eq!(request.files[0].mime.as_deref(), Some("application/pdf"));
    let texts: Vec<_> = request.fields.into_texts().collect();
    assert_eq!(
        texts,
        [
            ("chat_id", "100200300".to_owned()),
            ("caption", "Ваш счёт".to_owned()),
            ("caption_entities", r#"[{"type":"bold","offset":4,"length":4}]"#.to_owned()),
        ]
    );
}

#[test]
fn sizes_go_along_where_a_method_takes_them() {
    let mut film = by_url(MediaKind::Video);
    (film.width, film.height, film.seconds) = (Some(1280), Some(720), Some(14));
    sends(
        &item(Content::media(film)),
        "sendVideo",
        json!({"chat_id": 100200300, "video": "https://cdn.example/f", "duration": 14, "width": 1280, "height": 720}),
    );
}

#[test]
fn words_beside_what_has_no_caption_are_refused() {
    for part in [
        Part::Media(by_url(MediaKind::Sticker)),
        Part::Location(place(None)),
        Part::Contact(ContactCard {
            name: "Анна".into(),
            phones: vec!["+7".into()],
            ..ContactCard::default()
        }),
    ] {
        let mut content = Content::part(part);
        content.text = Some("слова".into());
        assert_eq!(refuses(&item(content)), ErrorKind::ContentRejected);
    }
}

#[test]
fn an_album_has_its_caption_on_the_first_and_uploads_by_name() {
    let mut content = Content::media(by_url(MediaKind::Image))
        .and(Part::Media(upload(MediaKind::Video).named("б.mp4")))
        .and(Part::Media(Media::new(MediaKind::Image, MediaRef::new("AgACAgI"))));
    content.text = Some(Text::plain("три").mark("три", EntityKind::Italic));
    let request = encode::send(&item(content)).unwrap();
    assert_eq!(request.method, "sendMediaGroup");
    assert_eq!(
        fields(&request),
        json!({"chat_id": 100200300, "media": [
            {"type": "photo", "media": "https://cdn.example/f", "caption": "три",
             "caption_entities": [{"type": "italic", "offset": 0, "length": 3}]},
            {"type": "video", "media": "attach://file0"},
            {"type": "photo", "media": "AgACAgI"},
        ]})
    );
    assert_eq!((request.files[0].part.as_str(), request.files[0].name.as_str()), ("file0", "б.mp4"));
}

#[test]
fn an_album_takes_neither_keys_nor_what_stands_alone() {
    let two = |second| Content::media(by_url(MediaKind::Image)).and(second);
    let keys = two(Part::Media(by_url(MediaKind::Image))).buttons([Button::press("a", "a")]);
    assert_eq!(refuses(&item(keys)), ErrorKind::ContentRejected);
    let voice = two(Part::Media(by_url(MediaKind::Voice)));
    assert_eq!(refuses(&item(voice)), ErrorKind::ContentRejected);
    assert_eq!(refuses(&item(two(Part::Location(place(None))))), ErrorKind::ContentRejected);
}

fn place(title: Option<&str>) -> Location {
    Location {
        latitude: 55.751244,
        longitude: 37.618423,
        title: title.map(str::to_owned),
        address: None,
        live_seconds: None,
    }
}

#[test]
fn places_with_a_name_are_venues() {
    sends(
        &item(Content::part(Part::Location(place(None)))),
        "sendLocation",
        json!({"chat_id": 100200300, "latitude": 55.751244, "longitude": 37.618423}),
    );
    sends(
        &item(Content::part(Part::Location(place(Some("Кафе"))))),
        "sendVenue",
        json!({"chat_id": 100200300, "latitude": 55.751244, "longitude": 37.618423, "title": "Кафе", "address": "Кафе"}),
    );
}

#[test]
fn a_card_needs_a_number() {
    let card = ContactCard {
        name: "Анна К.".into(),
        phones: vec!["+79990003344".into(), "+7".into()],
        vcard: Some("x".repeat(2049)),
        ..ContactCard::default()
    };
    sends(
        &item(Content::part(Part::Contact(card))),
        "sendContact",
        json!({"chat_id": 100200300, "phone_number": "+79990003344", "first_name": "Анна К."}),
    );
    let bare = ContactCard { name: "Анна".into(), ..ContactCard::default() };
    assert_eq!(refuses(&item(Content::part(Part::Contact(bare)))), ErrorKind::ContentRejected);
}

#[test]
fn what_is_not_declared_is_not_supported() {
    let other = Content::part(Part::Unsupported { what: "poll".into() });
    assert_eq!(refuses(&item(other)), ErrorKind::Unsupported);
    assert_eq!(refuses(&item(Content::default())), ErrorKind::ContentRejected);
}

#[test]
fn a_moved_group_takes_the_message_and_leaves_its_past() {
    let mut old = at("-4001?thread=12&business=b", Content::text("да"));
    old.reply_to = Some(ReplyTo { message: ProviderMessageId::from("41"), quote: None });
    let moved = encode::moved(&old, -1001234567890).unwrap();
    assert_eq!(moved.address.to_string(), "-1001234567890?business=b");
    assert_eq!((moved.id, moved.reply_to), (old.id, None));
}

fn id(id: &str) -> ProviderMessageId {
    ProviderMessageId::from(id)
}

#[test]
fn edits_take_the_method_of_their_content() {
    let chat = Address::new("100200300");
    let text = encode::edit(&chat, &id("41"), &Content::text("новое")).unwrap();
    assert_eq!(text.method, "editMessageText");
    assert_eq!(fields(&text), json!({"chat_id": 100200300, "message_id": 41, "text": "новое"}));

    let mut film = Content::media(upload(MediaKind::Animation));
    film.text = Some("подпись".into());
    let media = encode::edit(&chat, &id("41"), &film).unwrap();
    assert_eq!(media.method, "editMessageMedia");
    let input = json!({"type": "animation", "media": "attach://file0", "caption": "подпись"});
    assert_eq!(fields(&media), json!({"chat_id": 100200300, "message_id": 41, "media": input}));

    let keys = Content::default().buttons([Button::press("a", "b")]);
    let keys = encode::edit(&chat, &id("41"), &keys).unwrap();
    assert_eq!(keys.method, "editMessageReplyMarkup");

    let business = chat.with("business", "conn");
    let caption = encode::edit_caption(&business, &id("41"), &Content::text("подпись")).unwrap();
    assert_eq!(
        fields(&caption),
        json!({"business_connection_id": "conn", "chat_id": 100200300, "message_id": 41, "caption": "подпись"})
    );
    assert!(encode::edit(&chat, &id("41"), &Content::default()).is_err());
}

#[test]
fn actions_take_the_method_of_their_place() {
    let (chat, business) = (Address::new("100200300"), Address::new("100200300").with("business", "conn"));
    let deleted = encode::delete(&chat, &id("41")).unwrap();
    assert_eq!(deleted.method, "deleteMessage");
    assert_eq!(fields(&deleted), json!({"chat_id": 100200300, "message_id": 41}));
    let deleted = encode::delete(&business, &id("41")).unwrap();
    assert_eq!(deleted.method, "deleteBusinessMessages");
    assert_eq!(fields(&deleted), json!({"business_connection_id": "conn", "message_ids": [41]}));

    assert_eq!(encode::mark_read(&chat, &id("41")).unwrap_err().kind(), ErrorKind::Unsupported);
    let read = encode::mark_read(&business, &id("41")).unwrap();
    assert_eq!(read.method, "readBusinessMessage");
    assert_eq!(
        fields(&read),
        json!({"business_connection_id": "conn", "chat_id": 100200300, "message_id": 41})
    );

    let typing = encode::typing(&Address::new("-100").with("thread", "12")).unwrap();
    assert_eq!(fields(&typing), json!({"chat_id": -100, "message_thread_id": 12, "action": "typing"}));
}

#[test]
fn a_bot_puts_one_sign_or_none() {
    let chat = Address::new("100200300");
    let react = |signs: &[&str]| {
        let signs: Vec<String> = signs.iter().map(|s| (*s).to_owned()).collect();
        encode::react(&chat, &id("41"), &signs).map(|request| fields(&request)["reaction"].clone())
    };
    assert_eq!(react(&["👍"]).unwrap(), json!([{"type": "emoji", "emoji": "👍"}]));
    assert_eq!(
        react(&["custom_emoji:53"]).unwrap(),
        json!([{"type": "custom_emoji", "custom_emoji_id": "53"}])
    );
    assert_eq!(react(&[]).unwrap(), json!([]));
    assert_eq!(react(&["👍", "❤"]).unwrap_err().kind(), ErrorKind::ContentRejected);
    let business = chat.with("business", "conn");
    assert_eq!(encode::react(&business, &id("41"), &[]).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn a_webhook_is_set_with_every_setting_named() {
    let secret = omni_core::Secret::new("s3cret");
    let request = encode::set_webhook(&url("https://omni.example/hook"), &secret, &["message"]).unwrap();
    assert_eq!(
        fields(&request),
        json!({"url": "https://omni.example/hook", "secret_token": "s3cret", "drop_pending_updates": false,
               "allowed_updates": ["message"]})
    );
    assert_eq!(fields(&encode::unset_webhook()), json!({"drop_pending_updates": false}));
}

#[test]
fn an_answer_to_a_key_is_cut_at_what_is_shown() {
    let request = encode::answer_button("4303", Some(&"ж".repeat(300)));
    assert_eq!(fields(&request), json!({"callback_query_id": "4303", "text": "ж".repeat(200)}));
    assert_eq!(fields(&encode::answer_button("4303", None)), json!({"callback_query_id": "4303"}));
}
