//! What goes over the wire for every kind of content.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use bytes::Bytes;
use omni_core::content::{
    Button, ButtonAction, ContactCard, Content, EmailParts, Item, Keyboard, KeyboardPlace, Location, Part,
    Template,
};
use omni_core::error::{ErrorKind, Result};
use omni_core::event::ReplyTo;
use omni_core::media::{Media, MediaKind, MediaRef};
use omni_core::outbound::{Author, Face, OutboundItem};
use omni_core::{Address, Error, MessageId, ProviderMessageId};
use omni_viber::encode::{self, Speaker};
use serde_json::{Value, json};
use url::Url;

const OLGA: &str = "uQ0abcd1234EFGH/678+jA==";

fn speaker() -> Speaker {
    Speaker { name: "Ромашка".to_owned(), avatar: None }
}

fn item(content: Content) -> OutboundItem {
    OutboundItem {
        id: MessageId::from_bytes([7; 16]),
        address: Address::new(OLGA),
        content,
        reply_to: None,
        face: None,
        author: Author::Person,
        note: None,
    }
}

fn requests(content: Content) -> Vec<Value> {
    let requests = encode::send(&item(content), &speaker()).unwrap();
    assert!(requests.iter().all(|request| request.method == "send_message"));
    requests.iter().map(|request| serde_json::to_value(&request.body).unwrap()).collect()
}

/// The only request, without what all of them have.
fn only(content: Content) -> Value {
    let mut requests = requests(content);
    assert_eq!(requests.len(), 1, "{requests:?}");
    stripped(requests.remove(0))
}

fn stripped(mut request: Value) -> Value {
    let fields = request.as_object_mut().unwrap();
    assert_eq!(fields.remove("receiver"), Some(json!(OLGA)));
    assert_eq!(fields.remove("sender"), Some(json!({"name": "Ромашка"})));
    if fields["min_api_version"] == json!(1) {
        fields.remove("min_api_version");
    }
    request
}

fn refused(content: Content) -> Error {
    encode::send(&item(content), &speaker()).unwrap_err()
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn at(kind: MediaKind, address: &str) -> Media {
    Media::new(kind, url(address))
}

fn sized(kind: MediaKind, address: &str, size: u64) -> Media {
    Media { size: Some(size), ..at(kind, address) }
}

fn with_words(media: Media, words: &str) -> Content {
    Content { text: Some(words.into()), ..Content::media(media) }
}

#[test]
fn words_go_as_they_are() {
    let whole = requests(Content::text("«Здравствуйте» 👋 <b>*не жирно*</b> \u{2028} 👨‍👩‍👧"));
    assert_eq!(
        whole,
        [json!({
            "receiver": OLGA, "min_api_version": 1, "sender": {"name": "Ромашка"},
            "type": "text", "text": "«Здравствуйте» 👋 <b>*не жирно*</b> \u{2028} 👨‍👩‍👧"
        })]
    );
}

#[test]
fn a_face_goes_before_the_setting_and_its_name_is_cut_between_signs() {
    let mut item = item(Content::text("да"));
    let face = |item: &OutboundItem, speaker: &Speaker| {
        let request = encode::send(item, speaker).unwrap().remove(0);
        serde_json::to_value(&request.body.sender).unwrap()
    };
    let avatar = Some(url("https://cdn.example.net/a.jpg"));
    let own = Speaker { avatar: avatar.clone(), ..speaker() };
    assert_eq!(face(&item, &own), json!({"name": "Ромашка", "avatar": "https://cdn.example.net/a.jpg"}));
    item.face = Some(Face { name: "Анна".to_owned(), avatar: None });
    assert_eq!(face(&item, &own), json!({"name": "Анна"}));
    item.face = Some(Face { name: "  ".to_owned(), avatar });
    assert_eq!(face(&item, &speaker()), json!({"name": "Ромашка"}));
    item.face = Some(Face { name: format!("{}👨‍👩‍👧‍👦", "я".repeat(27)), avatar: None });
    assert_eq!(face(&item, &speaker()), json!({"name": "я".repeat(27)}));
}

#[test]
fn a_picture_always_has_words_if_only_none() {
    let picture = at(MediaKind::Image, "https://cdn.example.net/o/1.JPEG?v=2");
    assert_eq!(
        only(with_words(picture.clone(), "Ваш заказ 📦")),
        json!({"type": "picture", "text": "Ваш заказ 📦", "media": "https://cdn.example.net/o/1.JPEG?v=2"})
    );
    assert_eq!(only(Content::media(picture))["text"], "");
    for bad in
        ["https://cdn.example.net/1.webp", "https://cdn.example.net/1", "https://cdn.example.net/x.jpg/1"]
    {
        let error = refused(Content::media(at(MediaKind::Image, bad)));
        assert_eq!(error.kind(), ErrorKind::ContentRejected, "{bad}");
        assert!(error.advice().unwrap().contains("file"), "{error}");
    }
}

#[test]
fn a_film_has_its_size_and_keeps_its_words() {
    let film =
        Media { seconds: Some(10), ..sized(MediaKind::Video, "https://cdn.example.net/v/1.mp4", 3_861_139) };
    assert_eq!(
        only(with_words(film, "Распаковка")),
        json!({"type": "video", "text": "Распаковка", "media": "https://cdn.example.net/v/1.mp4",
               "size": 3_861_139, "duration": 10})
    );
    let bare = only(Content::media(sized(MediaKind::Video, "https://cdn.example.net/v/1.mp4", 1)));
    assert_eq!(bare, json!({"type": "video", "media": "https://cdn.example.net/v/1.mp4", "size": 1}));
    let unsized_film = at(MediaKind::Video, "https://cdn.example.net/v/1.mp4");
    assert_eq!(encode::needs_size(&unsized_film), Some(url("https://cdn.example.net/v/1.mp4")));
    assert_eq!(refused(Content::media(unsized_film)).kind(), ErrorKind::ContentRejected);
    let large = sized(MediaKind::Video, "https://cdn.example.net/v/1.mp4", 27_262_977);
    assert_eq!(refused(Content::media(large)).kind(), ErrorKind::TooLarge);
    let long = Media { seconds: Some(181), ..sized(MediaKind::Video, "https://cdn.example.net/v/1.mp4", 1) };
    assert_eq!(refused(Content::media(long)).kind(), ErrorKind::ContentRejected);
    let other = sized(MediaKind::Video, "https://cdn.example.net/v/1.avi", 1);
    assert_eq!(refused(Content::media(other)).kind(), ErrorKind::ContentRejected);
}

#[test]
fn a_file_has_size_and_name_and_its_words_go_behind_it() {
    let file = sized(MediaKind::File, "https://cdn.example.net/f/akt", 90_211).named("Акт сверки № 7.pdf");
    let requests = requests(with_words(file, "Подпишите, пожалуйста"));
    assert_eq!(
        requests.into_iter().map(stripped).collect::<Vec<_>>(),
        [
            json!({"type": "file", "media": "https://cdn.example.net/f/akt", "size": 90_211,
                   "file_name": "Акт сверки № 7.pdf"}),
            json!({"type": "text", "text": "Подпишите, пожалуйста"}),
        ]
    );
    let nameless = only(Content::media(sized(MediaKind::File, "https://cdn.example.net/f/akt.pdf", 1)));
    assert_eq!(nameless["file_name"], "akt.pdf");
    let file = |name: &str| sized(MediaKind::File, "https://cdn.example.net/f", 1).named(name);
    for bad in ["setup.exe", "SETUP.EXE", "a.pdf.apk", "акт", "x.workflow", "run.sh.command"] {
        assert_eq!(refused(Content::media(file(bad))).kind(), ErrorKind::ContentRejected, "{bad}");
    }
    let long = format!("{}.pdf", "ж".repeat(256));
    assert_eq!(refused(Content::media(file(&long))).kind(), ErrorKind::TooLarge);
    let large = sized(MediaKind::File, "https://cdn.example.net/akt.pdf", 52_428_801);
    assert_eq!(refused(Content::media(large)).kind(), ErrorKind::TooLarge);
    assert!(encode::needs_size(&at(MediaKind::File, "https://cdn.example.net/akt.pdf")).is_some());
}

#[test]
fn a_gif_goes_as_the_link_that_plays_it_and_another_silent_film_as_a_film() {
    let gif = at(MediaKind::Animation, "https://cdn.example.net/кот.gif");
    assert_eq!(encode::needs_size(&gif), None);
    assert_eq!(
        requests(with_words(gif, "😀")).into_iter().map(stripped).collect::<Vec<_>>(),
        [
            json!({"type": "url", "media": "https://cdn.example.net/%D0%BA%D0%BE%D1%82.gif"}),
            json!({"type": "text", "text": "😀"})
        ]
    );
    let film = only(Content::media(sized(MediaKind::Animation, "https://cdn.example.net/1.mp4", 5)));
    assert_eq!(film["type"], "video");
}

#[test]
fn a_sticker_goes_by_its_number_or_as_a_picture() {
    let came = MediaRef {
        unique: Some("40133".to_owned()),
        ..MediaRef::new("https://viber.github.io/docs/img/stickers/40133.png")
    };
    assert_eq!(only(Content::media(Media::new(MediaKind::Sticker, came)))["sticker_id"], 40133);
    let written = Media::new(MediaKind::Sticker, MediaRef::new("46105"));
    assert_eq!(only(Content::media(written)), json!({"type": "sticker", "sticker_id": 46105}));
    let picture = at(MediaKind::Sticker, "https://cdn.example.net/кот.png");
    assert_eq!(only(Content::media(picture))["type"], "picture");
    let webp = at(MediaKind::Sticker, "https://cdn.example.net/1.webp");
    assert_eq!(refused(Content::media(webp)).kind(), ErrorKind::ContentRejected);
}

#[test]
fn a_file_that_came_in_goes_out_by_its_address() {
    let came = Media::new(MediaKind::Image, MediaRef::new("https://dl-media.viber.com/1/p.jpg"));
    assert_eq!(only(Content::media(came))["media"], "https://dl-media.viber.com/1/p.jpg");
    let odd = Media::new(MediaKind::Image, MediaRef::new("AgACAgIAAx"));
    assert_eq!(refused(Content::media(odd)).kind(), ErrorKind::ContentRejected);
}

#[test]
fn nothing_can_be_uploaded_and_the_error_says_what_to_do() {
    for kind in
        [MediaKind::Image, MediaKind::Video, MediaKind::File, MediaKind::Sticker, MediaKind::Animation]
    {
        let error = refused(Content::media(Media::new(kind, Bytes::from_static(b"x")).named("x.pdf")));
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{kind:?}");
        assert!(error.advice().unwrap().contains("public address"), "{kind:?}: {error}");
    }
}

#[test]
fn addresses_that_viber_cannot_fetch_are_refused() {
    for bad in ["file:///etc/1.jpg", "data:image/png,1.png", "ftp://cdn.example.net/1.png"] {
        let error = refused(Content::media(at(MediaKind::Image, bad)));
        assert_eq!(error.kind(), ErrorKind::ContentRejected, "{bad}");
    }
    let long = format!("https://cdn.example.net/{}.png", "x".repeat(2000));
    assert_eq!(refused(Content::media(at(MediaKind::Image, &long))).kind(), ErrorKind::TooLarge);
}

#[test]
fn a_place_goes_without_its_name() {
    let place = |latitude, longitude| {
        let title = Some("Склад".to_owned());
        Content::part(Part::Location(Location {
            latitude,
            longitude,
            title,
            address: None,
            live_seconds: None,
        }))
    };
    assert_eq!(
        only(place(53.9006, 27.559)),
        json!({"type": "location", "location": {"lat": 53.9006, "lon": 27.559}})
    );
    for (latitude, longitude) in [(91.0, 0.0), (0.0, 180.1), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
        assert_eq!(refused(place(latitude, longitude)).kind(), ErrorKind::ContentRejected);
    }
}

#[test]
fn a_card_has_one_number_of_digits_and_a_short_name() {
    let card = |name: &str, phones: &[&str]| {
        let phones = phones.iter().map(|&phone| phone.to_owned()).collect();
        Content::part(Part::Contact(ContactCard { name: name.to_owned(), phones, ..ContactCard::default() }))
    };
    assert_eq!(
        only(card("Склад", &["+375 (29) 111-22-33", "2"])),
        json!({"type": "contact", "contact": {"name": "Склад", "phone_number": "+375291112233"}})
    );
    assert_eq!(only(card("", &["102"]))["contact"]["name"], "102");
    let long = only(card(&"Ж".repeat(40), &["1"]));
    assert_eq!(long["contact"]["name"].as_str().unwrap().chars().count(), 28);
    for phones in [&[][..], &["нет"], &["1234567890123456789"]] {
        assert_eq!(refused(card("Склад", phones)).kind(), ErrorKind::ContentRejected, "{phones:?}");
    }
}

fn keyboard(place: KeyboardPlace, rows: Vec<Vec<Button>>) -> Content {
    Content { keyboard: Some(Keyboard { place, rows }), ..Content::text("Верно?") }
}

#[test]
fn keys_fill_their_rows_and_a_press_is_told_from_words() {
    let rows = vec![
        vec![Button::press("Да 👍", "yes:1"), Button::say("Нет")],
        vec![Button::open("Сайт", url("https://shop.example.by/?a=1&b=2"))],
    ];
    for place in [KeyboardPlace::Message, KeyboardPlace::QuickReplies, KeyboardPlace::Menu] {
        assert_eq!(
            only(keyboard(place, rows.clone()))["keyboard"],
            json!({"Type": "keyboard", "DefaultHeight": false, "Buttons": [
                {"Columns": 3, "Rows": 1, "ActionType": "reply", "ActionBody": "omni:yes:1", "Text": "Да 👍", "Silent": true},
                {"Columns": 3, "Rows": 1, "ActionType": "reply", "ActionBody": "Нет", "Text": "Нет", "Silent": false},
                {"Columns": 6, "Rows": 1, "ActionType": "open-url", "ActionBody": "https://shop.example.by/?a=1&b=2",
                 "Text": "Сайт", "Silent": true},
            ]}),
            "{place:?}"
        );
    }
}

#[test]
fn keys_that_ask_for_something_need_newer_apps() {
    let share = |label: &str, action| Button { label: label.to_owned(), action };
    let asked = only(keyboard(
        KeyboardPlace::QuickReplies,
        vec![vec![share("Телефон", ButtonAction::SharePhone), share("Где я", ButtonAction::ShareLocation)]],
    ));
    assert_eq!(asked["min_api_version"], 3);
    let keys = asked["keyboard"]["Buttons"].as_array().unwrap();
    let actions: Vec<_> =
        keys.iter().map(|key| (key["ActionType"].as_str().unwrap(), &key["ActionBody"])).collect();
    assert_eq!(actions, [("share-phone", &json!("phone")), ("location-picker", &json!("location"))]);
}

#[test]
fn a_keyboard_is_taken_away_by_a_message_without_one() {
    let plain = only(Content::text("Верно?"));
    assert_eq!(only(keyboard(KeyboardPlace::Remove, Vec::new())), plain);
    assert_eq!(only(keyboard(KeyboardPlace::QuickReplies, vec![Vec::new()])), plain);
}

#[test]
fn keys_stand_under_the_last_message_of_one_item() {
    let file = sized(MediaKind::File, "https://cdn.example.net/f/akt.pdf", 1);
    let content = with_words(file, "Верно?").buttons([Button::say("Да")]);
    let requests = requests(content);
    assert_eq!(requests.len(), 2);
    assert!(requests[0].get("keyboard").is_none() && requests[1].get("keyboard").is_some(), "{requests:?}");
}

#[test]
fn words_on_keys_are_limited_and_never_markup() {
    let key = |label: &str| keyboard(KeyboardPlace::Message, vec![vec![Button::say(label)]]);
    let marked = only(key("<b>Да</b>"));
    let key_of = |content: &Value| content["keyboard"]["Buttons"][0].clone();
    assert_eq!(key_of(&marked)["Text"], "<\u{200b}b>Да<\u{200b}/b>");
    assert_eq!(key_of(&marked)["ActionBody"], "<b>Да</b>", "what is said stays as it is");
    for bad in ["", " ", &"ж".repeat(251)] {
        assert_eq!(refused(key(bad)).kind(), ErrorKind::ContentRejected, "{bad}");
    }
}

fn goods() -> Item {
    Item {
        id: Some("991".to_owned()),
        title: Some("Кружка <i>белая</i> ☕".to_owned()),
        price: Some("25 BYN".to_owned()),
        url: Some(url("https://shop.example.by/9")),
        image: Some(url("https://cdn.example.net/9.png")),
    }
}

#[test]
fn goods_are_a_card_with_picture_title_price_and_page() {
    let page = "https://shop.example.by/9";
    let part = |rows: u8| json!({"Columns": 6, "Rows": rows, "ActionType": "open-url", "ActionBody": page, "Silent": true});
    let with = |rows, name: &str, value: &str| {
        let mut part = part(rows);
        part[name] = json!(value);
        part
    };
    assert_eq!(
        only(Content::part(Part::Item(goods()))),
        json!({
            "min_api_version": 2, "type": "rich_media",
            "alt_text": "Кружка <i>белая</i> ☕\n25 BYN\nhttps://shop.example.by/9",
            "rich_media": {"Type": "rich_media", "ButtonsGroupColumns": 6, "ButtonsGroupRows": 7, "BgColor": "#FFFFFF",
                "Buttons": [
                    with(3, "Image", "https://cdn.example.net/9.png"),
                    with(2, "Text", "Кружка <\u{200b}i>белая<\u{200b}/i> ☕"),
                    with(1, "Text", "25 BYN"),
                    with(1, "Text", "shop.example.by"),
                ]}
        })
    );
}

#[test]
fn goods_without_a_page_open_nothing() {
    let bare = Item { title: Some("Кружка".to_owned()), ..Item::default() };
    assert_eq!(
        only(Content::part(Part::Item(bare)))["rich_media"],
        json!({"Type": "rich_media", "ButtonsGroupColumns": 6, "ButtonsGroupRows": 2, "BgColor": "#FFFFFF", "Buttons": [
            {"Columns": 6, "Rows": 2, "ActionType": "none", "ActionBody": "none", "Text": "Кружка", "Silent": true}
        ]})
    );
    let nothing = Item { id: Some("7".to_owned()), ..Item::default() };
    assert_eq!(refused(Content::part(Part::Item(nothing))).kind(), ErrorKind::ContentRejected);
}

#[test]
fn several_goods_are_cards_of_one_height() {
    let bare = Item { title: Some("Чашка".to_owned()), ..Item::default() };
    let two = Content::part(Part::Item(goods())).and(Part::Item(bare.clone()));
    let carousel = only(two);
    let heights: Vec<u64> = carousel["rich_media"]["Buttons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["Rows"].as_u64().unwrap())
        .collect();
    assert_eq!(heights, [3, 2, 1, 1, 3, 2, 1, 1]);
    let seven = Content { parts: vec![Part::Item(bare.clone()); 7], ..Content::default() };
    assert_eq!(refused(seven).kind(), ErrorKind::ContentRejected);
    let mixed = Content::part(Part::Item(bare)).and(Part::Contact(ContactCard::default()));
    assert_eq!(refused(mixed).kind(), ErrorKind::Unsupported);
}

#[test]
fn what_is_not_declared_is_unsupported() {
    let picture = || Part::Media(at(MediaKind::Image, "https://cdn.example.net/1.png"));
    let undeclared = [
        Content::part(picture()).and(picture()),
        Content::part(Part::Template(Template::default())),
        Content::part(Part::Email(EmailParts::default())),
        Content::part(Part::Forwarded { from: None, contents: Vec::new() }),
        Content::part(Part::Unsupported { what: "poll".to_owned() }),
        Content::media(at(MediaKind::Voice, "https://cdn.example.net/1.ogg")),
        Content::media(at(MediaKind::Audio, "https://cdn.example.net/1.mp3")),
        Content::media(at(MediaKind::VideoNote, "https://cdn.example.net/1.mp4")),
    ];
    for content in undeclared {
        assert_eq!(refused(content.clone()).kind(), ErrorKind::Unsupported, "{content:?}");
    }
    let mut answer = item(Content::text("да"));
    answer.reply_to = Some(ReplyTo { message: ProviderMessageId::from("1"), quote: None });
    assert_eq!(encode::send(&answer, &speaker()).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn nothing_and_too_much_are_refused() {
    assert_eq!(refused(Content::default()).kind(), ErrorKind::ContentRejected);
    assert_eq!(refused(Content::text("")).kind(), ErrorKind::ContentRejected);
    assert_eq!(only(Content::text("ж".repeat(7000)))["text"].as_str().unwrap().chars().count(), 7000);
    assert_eq!(refused(Content::text("ж".repeat(7001))).kind(), ErrorKind::TooLarge);
    assert_eq!(
        refused(Content::text("😀".repeat(3501))).kind(),
        ErrorKind::TooLarge,
        "counted in UTF-16 units"
    );
    let picture = at(MediaKind::Image, "https://cdn.example.net/1.png");
    assert_eq!(refused(with_words(picture, &"ж".repeat(769))).kind(), ErrorKind::TooLarge);
    // Control signs take six bytes each in JSON: 7000 of them are more than a call may have.
    assert_eq!(refused(Content::text("\u{1}".repeat(7000))).kind(), ErrorKind::TooLarge);
    let heavy = keyboard(KeyboardPlace::Message, vec![vec![Button::press("Да", "ж".repeat(15_000))]]);
    assert_eq!(refused(heavy).kind(), ErrorKind::TooLarge);
}

fn broadcast(to: &[Address], content: &Content) -> Result<Value> {
    let face = Face { name: "Анна".to_owned(), avatar: None };
    let request = encode::broadcast(to, content, Some(&face), &speaker())?;
    assert_eq!(request.method, "broadcast_message");
    Ok(serde_json::to_value(&request.body).unwrap())
}

#[test]
fn a_broadcast_names_its_people_in_place_of_one() {
    let people = [Address::new(OLGA), Address::new("zR9kLmN0pQ2sT4uV6wX8yA==")];
    assert_eq!(
        broadcast(&people, &Content::text("Скидки 👟")).unwrap(),
        json!({"broadcast_list": [OLGA, "zR9kLmN0pQ2sT4uV6wX8yA=="], "min_api_version": 1,
               "sender": {"name": "Анна"}, "type": "text", "text": "Скидки 👟"})
    );
    let many: Vec<Address> = (0..301).map(|n| Address::new(format!("user{n}"))).collect();
    assert!(broadcast(&many[..300], &Content::text("да")).is_ok());
    for (to, content) in [
        (&many[..], Content::text("да")),
        (&[][..], Content::text("да")),
        (&[Address::new("нигде")][..], Content::text("да")),
        (&people[..], with_words(sized(MediaKind::File, "https://cdn.example.net/a.pdf", 1), "слова")),
    ] {
        let kind = broadcast(to, &content).unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::ContentRejected | ErrorKind::NotFound), "{kind:?}");
    }
}

#[test]
fn a_welcome_is_json_without_a_receiver() {
    let answer = encode::welcome("Здравствуйте! 👋", &speaker());
    assert_eq!(answer.headers["content-type"], "application/json");
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(
        body,
        json!({"min_api_version": 1, "sender": {"name": "Ромашка"}, "tracking_data": "welcome",
               "type": "text", "text": "Здравствуйте! 👋"})
    );
}

#[test]
fn a_webhook_is_registered_for_everything_and_taken_back_by_nothing() {
    let at = url("https://crm.example.net/webhooks/viber/a1");
    assert_eq!(
        serde_json::to_value(encode::set_webhook(&at)).unwrap(),
        json!({"url": "https://crm.example.net/webhooks/viber/a1", "send_name": true, "send_photo": true,
               "event_types": ["delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started"]})
    );
    assert_eq!(serde_json::to_value(encode::unset_webhook()).unwrap(), json!({"url": ""}));
}
