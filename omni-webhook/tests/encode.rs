//! Every request as it goes out, to the letter, is in `tests/requests`. `UPDATE_GOLDEN=1` writes them anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::path::Path;

use bytes::Bytes;
use omni_core::capability::Capabilities;
use omni_core::content::{
    Button, ButtonAction, ContactCard, Content, EmailParts, Item, Keyboard, KeyboardPlace, Location, Part,
    Template,
};
use omni_core::error::ErrorKind;
use omni_core::event::ReplyTo;
use omni_core::id::IdSource;
use omni_core::media::{Media, MediaKind, MediaRef, MediaSource};
use omni_core::outbound::{Author, Face, OutboundItem};
use omni_core::text::{Entity, EntityKind};
use omni_core::{Address, MessageId, ProviderMessageId, Text, Timestamp};
use omni_testkit::golden;
use omni_webhook::wire::Request;
use omni_webhook::{Abilities, capabilities, encode};
use url::Url;

fn all() -> Capabilities {
    capabilities::capabilities(&Abilities::all(), None)
}

fn plain() -> Capabilities {
    capabilities::capabilities(&Abilities::default(), None)
}

fn url(url: &str) -> Url {
    url.parse().unwrap()
}

fn item(content: Content) -> OutboundItem {
    OutboundItem {
        id: MessageId::next(&IdSource::new(7), Timestamp::from_secs(1_767_225_600)),
        address: Address::new("комната-7"),
        content,
        reply_to: None,
        face: None,
        author: Author::Person,
        note: None,
    }
}

#[track_caller]
fn goes_out(name: &str, request: &Request<'_>) {
    let text = serde_json::to_string_pretty(request).unwrap() + "\n";
    golden::check(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/requests/{name}.json")), &text);
}

#[track_caller]
fn message(name: &str, content: Content) {
    goes_out(name, &encode::message(&item(content), &all()).unwrap());
}

#[track_caller]
fn refused(content: Content, caps: &Capabilities) -> ErrorKind {
    encode::message(&item(content), caps).unwrap_err().kind()
}

fn place() -> Part {
    Part::Location(Location {
        latitude: 55.7512,
        longitude: 37.6184,
        title: Some("Кафе ☕".to_owned()),
        address: None,
        live_seconds: None,
    })
}

fn card() -> Part {
    Part::Contact(ContactCard {
        name: "Анна".to_owned(),
        phones: vec!["+79990003344".to_owned()],
        ..ContactCard::default()
    })
}

fn goods() -> Part {
    Part::Item(Item {
        id: Some("991".to_owned()),
        title: Some("Кружка «Рассвет»".to_owned()),
        price: Some("1 200 ₽".to_owned()),
        url: Some(url("https://shop.example/991")),
        image: None,
    })
}

#[test]
fn words_go_out_as_they_are() {
    message("message_text", Content::text("Да, есть 👟 и 👨‍👩‍👧‍👦 <b>не жирно</b> \"кавычки\"\nвторая строка"));
}

#[test]
fn a_message_names_what_it_answers_and_who_speaks() {
    let mut item = item(Content::text("Сорок второй"));
    item.reply_to =
        Some(ReplyTo { message: "m-1".into(), quote: Some("Есть 42 размер? 👟".to_owned()) });
    item.face =
        Some(Face { name: "Мария".to_owned(), avatar: Some(url("https://crm.example/maria.png")) });
    item.author = Author::Program;
    goes_out("message_answer", &encode::message(&item, &all()).unwrap());
}

#[test]
fn entities_go_only_to_a_program_that_renders_them() {
    let text = Text::plain("😀 жирно, код и ссылка")
        .mark("жирно", EntityKind::Bold)
        .mark("код", EntityKind::Code)
        .mark("ссылка", EntityKind::Link { url: "https://shop.example/9".to_owned() });
    message("message_entities", Content::text(text.clone()));
    let content = item(Content::text(text));
    let Request::Message(out) = encode::message(&content, &plain()).unwrap() else { panic!("no message") };
    assert_eq!(out.content.entities, Vec::<Entity>::new());
}

#[test]
fn files_go_by_address_or_inside() {
    let picture =
        Media::new(MediaKind::Image, Bytes::from_static(b"\x89PNG")).named("фото 1.png").typed("image/png");
    let mut film = Media::new(MediaKind::Video, url("https://crm.example/film.mp4")).named("film.mp4");
    (film.size, film.width, film.height, film.seconds) = (Some(26_214_400), Some(1280), Some(720), Some(15));
    let mut sticker = Media::new(MediaKind::Sticker, MediaRef::new("https://chat.example/f/7.webp"));
    sticker.emoji = Some("👟".to_owned());
    let mut song = Media::new(MediaKind::Audio, url("https://crm.example/song.mp3"));
    song.title = Some("Дорога домой".to_owned());
    let content = Content::text("всё сразу 📎").and(Part::Media(picture)).and(Part::Media(film));
    let content = content.and(Part::Media(song));
    message("message_files", content.and(Part::Media(sticker)));
}

#[test]
fn places_cards_and_goods_go_out() {
    message("message_location", Content::part(place()));
    message("message_contact", Content::part(card()));
    message("message_items", Content::part(goods()).and(goods()));
}

#[test]
fn keys_go_out_with_all_they_do() {
    let rows = vec![
        vec![Button::press("Да ✅", "заказ:7"), Button::say("Нет")],
        vec![Button::open("Открыть", url("https://shop.example/7"))],
        vec![
            Button { label: "Мой телефон".to_owned(), action: ButtonAction::SharePhone },
            Button { label: "Где я".to_owned(), action: ButtonAction::ShareLocation },
        ],
    ];
    let under = Keyboard { place: KeyboardPlace::Message, rows };
    message("message_keys", Content { keyboard: Some(under), ..Content::text("Верно?") });
    let quick = Keyboard { place: KeyboardPlace::QuickReplies, rows: vec![vec![Button::say("Позже")]] };
    message("message_quick_replies", Content { keyboard: Some(quick), ..Content::text("Когда?") });
}

#[test]
fn actions_name_what_they_act_on() {
    let (at, id) = (Address::new("room 7?x=100%"), ProviderMessageId::from("m-31"));
    let new = Content::text("Да! 👍 <b>");
    goes_out("edit", &encode::edit(&at, &id, &new, &all()).unwrap());
    goes_out("delete", &encode::delete(&at, &id).unwrap());
    goes_out("react", &encode::react(&at, &id, &["👍".to_owned(), "❤️".to_owned()]).unwrap());
    goes_out("react_off", &encode::react(&at, &id, &[]).unwrap());
    goes_out("mark_read", &encode::mark_read(&at, &id).unwrap());
    goes_out("typing", &encode::typing(&at).unwrap());
    goes_out("answer_button", &encode::answer_button("t-1", Some("Спасибо 🙏")));
    goes_out("answer_button_silently", &encode::answer_button("t-1", None));
    goes_out("ping", &Request::Ping {});
}

#[test]
fn what_the_program_does_not_show_is_refused() {
    let keys = |place| {
        let rows = vec![vec![Button::press("Да", "yes")]];
        Content { keyboard: Some(Keyboard { place, rows }), ..Content::text("Верно?") }
    };
    let image = || Part::Media(Media::new(MediaKind::Image, Bytes::from_static(b"PNG")));
    for content in [
        Content::part(place()),
        Content::part(card()),
        Content::part(goods()),
        Content::media(Media::new(MediaKind::Voice, Bytes::from_static(b"OggS"))),
        Content::part(image()).and(image()),
        keys(KeyboardPlace::Message),
        keys(KeyboardPlace::QuickReplies),
        keys(KeyboardPlace::Menu),
    ] {
        assert_eq!(refused(content.clone(), &plain()), ErrorKind::Unsupported, "{content:?}");
        assert!(encode::message(&item(content), &all()).is_ok());
    }
    let mut answer = item(Content::text("Да"));
    answer.reply_to = Some(ReplyTo { message: "m-1".into(), quote: None });
    assert_eq!(encode::message(&answer, &plain()).unwrap_err().kind(), ErrorKind::Unsupported);
    for content in [
        Content::part(Part::Template(Template::default())),
        Content::part(Part::Email(EmailParts::default())),
        Content::part(Part::Forwarded { from: None, contents: Vec::new() }),
        Content::part(Part::Unsupported { what: "poll".to_owned() }),
    ] {
        assert_eq!(refused(content.clone(), &all()), ErrorKind::Unsupported, "{content:?}");
    }
}

#[test]
fn what_was_not_planned_is_refused() {
    assert_eq!(refused(Content::default(), &all()), ErrorKind::ContentRejected);
    assert_eq!(refused(Content::part(place()).and(place()), &all()), ErrorKind::ContentRejected);
    assert_eq!(refused(Content::part(card()).and(card()), &all()), ErrorKind::ContentRejected);
    assert_eq!(refused(Content::text("ж".repeat(4097)), &all()), ErrorKind::TooLarge);
    let large = Media::new(MediaKind::File, Bytes::from(vec![0; (1 << 20) + 1]));
    assert_eq!(refused(Content::media(large), &all()), ErrorKind::TooLarge);
    let foreign = Media::new(MediaKind::Image, MediaRef::new("AgACAgIAAxk"));
    assert_eq!(refused(Content::media(foreign), &all()), ErrorKind::ContentRejected);
    let stored = MediaSource::Stored { blob: "b".into() };
    assert_eq!(refused(Content::media(Media::new(MediaKind::File, stored)), &all()), ErrorKind::Internal);
}

#[test]
fn an_address_of_another_channel_is_refused_by_every_request() {
    let (at, id) = ("7?thread=1".parse::<Address>().unwrap(), ProviderMessageId::from("1"));
    let content = Content::text("Да");
    let errors = [
        encode::edit(&at, &id, &content, &all()).unwrap_err(),
        encode::delete(&at, &id).unwrap_err(),
        encode::react(&at, &id, &[]).unwrap_err(),
        encode::mark_read(&at, &id).unwrap_err(),
        encode::typing(&at).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    }
}
