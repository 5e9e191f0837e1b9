//! What goes out, to the byte: messages to buyers, marks, words for rooms.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use bytes::Bytes;
use omni_autoru::dialect::encode::message;
use omni_autoru::encode;
use omni_core::content::{Button, Location, Part};
use omni_core::error::ErrorKind;
use omni_core::event::ReplyTo;
use omni_core::media::{Media, MediaKind, MediaRef};
use omni_core::outbound::{Author, Face, OutboundItem};
use omni_core::text::EntityKind;
use omni_core::{Address, Content, MessageId, ProviderMessageId, Text};
use serde_json::{Value, json};
use url::Url;

const ID: &str = "07070707-0707-0707-0707-070707070707";

fn item(content: Content) -> OutboundItem {
    OutboundItem {
        id: MessageId::from_bytes([7; 16]),
        address: Address::new("9d1f3c"),
        content,
        reply_to: None,
        face: None,
        author: Author::Person,
        note: None,
    }
}

fn sent(item: &OutboundItem) -> Value {
    serde_json::to_value(encode::send(item, "9d1f3c", "Manager").unwrap()).unwrap()
}

fn refusal(content: Content) -> ErrorKind {
    encode::send(&item(content), "9d1f3c", "Manager").unwrap_err().kind()
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[test]
fn words_go_out_under_our_id_in_the_name_of_the_operator() {
    assert_eq!(
        sent(&item(Content::text("Да, продаётся 🚗👨‍👩‍👧"))),
        json!({
            "sender": {"name": "Manager"},
            "recipient": {"id": "9d1f3c"},
            "message": {"type": "text", "id": ID, "text": "Да, продаётся 🚗👨‍👩‍👧"},
        })
    );
}

#[test]
fn a_face_is_shown_and_one_without_a_name_is_not() {
    let mut named = item(Content::text("Да"));
    let avatar = Some(url("https://crm.example.org/olga.jpg"));
    named.face = Some(Face { name: " Ольга ".into(), avatar });
    assert_eq!(sent(&named)["sender"], json!({"name": "Ольга", "photo": "https://crm.example.org/olga.jpg"}));
    named.face = Some(Face { name: " ".into(), avatar: None });
    assert_eq!(sent(&named)["sender"], json!({"name": "Manager"}));
}

#[test]
fn a_picture_goes_out_by_its_address_and_nothing_else() {
    let media = Media::new(MediaKind::Image, url("https://crm.example.org/фото.jpg"));
    let picture = Media { size: Some(7), ..media.named("фото.jpg").typed("image/jpeg") };
    assert_eq!(
        sent(&item(Content::media(picture)))["message"],
        json!({"type": "photo", "id": ID, "file": "https://crm.example.org/%D1%84%D0%BE%D1%82%D0%BE.jpg"})
    );
    let passed_on = Media::new(MediaKind::Image, MediaRef::new("https://avatars.mds.yandex.net/a"));
    assert_eq!(sent(&item(Content::media(passed_on)))["message"]["file"], "https://avatars.mds.yandex.net/a");
}

#[test]
fn marked_words_go_out_plain() {
    let text = Text::plain("<b>Да</b>").mark("Да", EntityKind::Bold);
    assert_eq!(sent(&item(Content::text(text)))["message"]["text"], "<b>Да</b>");
}

#[test]
fn what_auto_ru_has_no_word_for_is_refused() {
    let picture = |source: &str| Media::new(MediaKind::Image, url(source));
    let place = Location { latitude: 1.0, longitude: 2.0, title: None, address: None, live_seconds: None };
    let refused = [
        Content::media(Media::new(MediaKind::Image, Bytes::from_static(b"\xff\xd8\xff"))),
        Content::media(picture("file:///etc/passwd")),
        Content::media(Media::new(MediaKind::File, url("https://crm.example.org/p.pdf"))),
        Content::media(Media::new(MediaKind::Voice, url("https://crm.example.org/v.ogg"))),
        Content::media(picture("https://a.example/1")).and(Part::Media(picture("https://a.example/2"))),
        Content { text: Some("подпись".into()), ..Content::media(picture("https://a.example/1")) },
        Content::part(Part::Location(place)),
        Content::text("Верно?").buttons([Button::press("Да", "yes")]),
    ];
    for content in refused {
        assert_eq!(refusal(content.clone()), ErrorKind::Unsupported, "{content:?}");
    }
    assert_eq!(refusal(Content::default()), ErrorKind::ContentRejected);
    let mut answer = item(Content::text("Да"));
    answer.reply_to = Some(ReplyTo { message: "77aa01".into(), quote: None });
    assert_eq!(encode::send(&answer, "9d1f3c", "Manager").unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn the_same_mark_made_twice_has_one_id() {
    let mark = || encode::seen("9d1f3c", &ProviderMessageId::from("77aa01"), "Manager");
    assert_eq!(
        serde_json::to_value(mark()).unwrap(),
        json!({
            "sender": {"name": "Manager"},
            "recipient": {"id": "9d1f3c"},
            "message": {"type": "seen", "id": "seen-77aa01"},
        })
    );
    assert_eq!(mark(), mark());
}

#[test]
fn a_room_takes_words_only() {
    assert_eq!(encode::words(&item(Content::text("Да 🚗"))).unwrap(), "Да 🚗");
    let picture = Content::media(Media::new(MediaKind::Image, url("https://a.example/1")));
    assert_eq!(encode::words(&item(picture)).unwrap_err().kind(), ErrorKind::Unsupported);
}

/// What Auto.ru does not take, another platform of the dialect does.
#[test]
fn the_dialect_has_more_than_auto_ru_takes() {
    let said = |content: Content| serde_json::to_value(message("1", &content).unwrap()).unwrap();
    let file =
        Media::new(MediaKind::File, url("https://a.example/p.pdf")).named("ПТС.pdf").typed("application/pdf");
    assert_eq!(
        said(Content::media(Media { size: Some(9), ..file })),
        json!({"type": "document", "id": "1", "file": "https://a.example/p.pdf", "file_name": "ПТС.pdf",
               "mime_type": "application/pdf", "file_size": 9})
    );
    let place =
        Location { latitude: 55.75, longitude: 37.61, title: None, address: None, live_seconds: None };
    assert_eq!(
        said(Content::part(Part::Location(place))),
        json!({"type": "location", "id": "1", "latitude": 55.75, "longitude": 37.61})
    );
    let kinds = [(MediaKind::Video, "video"), (MediaKind::Audio, "audio"), (MediaKind::Sticker, "sticker")];
    for (kind, name) in kinds {
        assert_eq!(said(Content::media(Media::new(kind, url("https://a.example/1"))))["type"], name);
    }
}
