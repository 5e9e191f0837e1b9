//! What goes out, to the byte: methods, paths, queries and bodies.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use bytes::Bytes;
use http::Method;
use omni_avito::encode::{self, Body, Reason, Request, Sending};
use omni_avito::error::Call;
use omni_core::content::{Button, Content, Location, Part};
use omni_core::error::{ErrorKind, Result};
use omni_core::event::ReplyTo;
use omni_core::media::{Media, MediaKind, MediaRef};
use omni_core::outbound::{Author, OutboundItem};
use omni_core::{Address, MessageId, ProviderMessageId};
use serde_json::{Value, json};
use url::Url;

const ME: i64 = 70_010_001;
const CHAT: &str = "u2i-AbCdEf~1234";

fn item(content: Content) -> OutboundItem {
    OutboundItem {
        id: MessageId::from_bytes([7; 16]),
        address: Address::new(CHAT),
        content,
        reply_to: None,
        face: None,
        author: Author::Person,
        note: None,
    }
}

fn now(item: &OutboundItem) -> Request {
    match encode::send(ME, item).unwrap() {
        Sending::Now(request) => request,
        Sending::AfterUpload(upload) => panic!("{upload:?} comes first"),
    }
}

fn refused(result: Result<Sending>) -> ErrorKind {
    result.unwrap_err().kind()
}

/// Method and address, as they go out.
fn line(request: &Request) -> String {
    let url = request.url(&Url::parse("https://api.avito.ru/").unwrap());
    format!("{} {}", request.method, url.as_str().strip_prefix("https://api.avito.ru").unwrap())
}

fn json_of(request: &Request) -> Value {
    match &request.body {
        Body::Json(json) => serde_json::from_slice(json).unwrap(),
        other => panic!("{other:?} is no JSON"),
    }
}

fn picture() -> Media {
    Media::new(MediaKind::Image, Bytes::from_static(b"\x89PNG")).named("фото 1.png").typed("image/png")
}

#[test]
fn a_text_is_a_message_of_the_type_text() {
    let request = now(&item(Content::text("Да, приезжайте 👨‍👩‍👧 <b>\"")));
    assert_eq!(line(&request), format!("POST /messenger/v1/accounts/{ME}/chats/{CHAT}/messages"));
    let Body::Json(json) = &request.body else { panic!("no JSON") };
    let wanted = r#"{"message":{"text":"Да, приезжайте 👨‍👩‍👧 <b>\""},"type":"text"}"#;
    assert_eq!(std::str::from_utf8(json).unwrap(), wanted);
    assert_eq!(request.call, Call::Chat);
}

#[test]
fn a_picture_is_uploaded_and_then_sent_by_its_id() {
    let Sending::AfterUpload(upload) = encode::send(ME, &item(Content::media(picture()))).unwrap() else {
        panic!("no upload")
    };
    assert_eq!(line(&upload), format!("POST /messenger/v1/accounts/{ME}/uploadImages"));
    let Body::Image(file) = &upload.body else { panic!("no picture") };
    assert_eq!((file.name.as_str(), file.mime.as_deref()), ("фото 1.png", Some("image/png")));
    assert_eq!(upload.call, Call::Any, "nothing is sent to a chat by an upload");
    let image = encode::image(ME, &Address::new(CHAT), "90210.qwertyuiop").unwrap();
    assert_eq!(line(&image), format!("POST /messenger/v1/accounts/{ME}/chats/{CHAT}/messages/image"));
    assert_eq!(json_of(&image), json!({"image_id": "90210.qwertyuiop"}));
    let uploaded = Media::new(MediaKind::Image, MediaRef::new("90210.qwertyuiop"));
    assert_eq!(line(&now(&item(Content::media(uploaded)))), line(&image));
}

#[test]
fn a_picture_without_a_name_has_one_all_the_same() {
    let bare = Media::new(MediaKind::Image, Bytes::from_static(b"\xff\xd8\xff"));
    let Body::Image(file) = encode::upload(ME, &bare).unwrap().body else { panic!("no picture") };
    assert_eq!((file.name.as_str(), file.mime), ("image.jpg", None));
}

#[test]
fn pictures_that_are_elsewhere_are_refused_before_anything_goes_out() {
    let at = |media| refused(encode::send(ME, &item(Content::media(media))));
    let url = Url::parse("https://cdn.example/i.png").unwrap();
    assert_eq!(at(Media::new(MediaKind::Image, url)), ErrorKind::ContentRejected);
    let came_in = MediaRef::new("https://10.img.avito.st/image/1280.jpg");
    assert_eq!(at(Media::new(MediaKind::Image, came_in)), ErrorKind::ContentRejected);
    assert_eq!(at(Media::new(MediaKind::Image, MediaRef::new(""))), ErrorKind::ContentRejected);
}

#[test]
fn what_avito_has_no_call_for_is_unsupported() {
    let place =
        Location { latitude: 55.75, longitude: 37.61, title: None, address: None, live_seconds: None };
    let unsupported = [
        Content::media(Media::new(MediaKind::File, Bytes::from_static(b"%PDF"))),
        Content::media(Media::new(MediaKind::Voice, Bytes::from_static(b"OggS"))),
        Content::part(Part::Location(place)),
        Content::media(picture()).and(Part::Media(picture())),
        Content::text("Верно?").buttons([Button::press("Да", "yes")]),
    ];
    for content in unsupported {
        assert_eq!(refused(encode::send(ME, &item(content.clone()))), ErrorKind::Unsupported, "{content:?}");
    }
    let mut answer = item(Content::text("Да"));
    answer.reply_to = Some(ReplyTo { message: ProviderMessageId::from("c0ffee"), quote: None });
    assert_eq!(refused(encode::send(ME, &answer)), ErrorKind::Unsupported);
    let file = Media::new(MediaKind::File, Bytes::from_static(b"%PDF"));
    assert_eq!(encode::upload(ME, &file).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn words_beside_a_picture_and_nothing_at_all_are_refused() {
    let captioned = Content { text: Some("подпись".into()), ..Content::media(picture()) };
    for content in [captioned, Content::default(), Content::text("")] {
        assert_eq!(refused(encode::send(ME, &item(content))), ErrorKind::ContentRejected);
    }
}

#[test]
fn ids_are_encoded_into_paths() {
    let odd = Address::new("u2i-Ab/Cd?Ef%20~ж");
    let path = "u2i-Ab%2FCd%3FEf%2520~%D0%B6";
    assert_eq!(
        line(&encode::one_chat(ME, &odd).unwrap()),
        format!("GET /messenger/v2/accounts/{ME}/chats/{path}")
    );
    let request = encode::delete(ME, &Address::new(CHAT), &ProviderMessageId::from("a/b")).unwrap();
    assert_eq!(line(&request), format!("POST /messenger/v1/accounts/{ME}/chats/{CHAT}/messages/a%2Fb"));
    for bad in ["", "..", "a\0b"] {
        let refused = encode::delete(ME, &Address::new(CHAT), &ProviderMessageId::from(bad));
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::NotFound, "{bad:?}");
    }
}

#[test]
fn every_other_call_is_as_it_is_described() {
    let chat = Address::new(CHAT);
    let rows = [
        (encode::account(), "GET /core/v1/accounts/self".to_owned()),
        (encode::subscriptions(), "POST /messenger/v1/subscriptions".to_owned()),
        (
            encode::chats(ME, 100),
            format!("GET /messenger/v2/accounts/{ME}/chats?chat_types=u2i%2Cu2u%2Ca2u&limit=100&offset=100"),
        ),
        (
            encode::messages(ME, &chat, 0).unwrap(),
            format!("GET /messenger/v3/accounts/{ME}/chats/{CHAT}/messages/?limit=100&offset=0"),
        ),
        (
            encode::voice(ME, "vc-77"),
            format!("GET /messenger/v1/accounts/{ME}/getVoiceFiles?voice_ids=vc-77"),
        ),
        (
            encode::mark_read(ME, &chat).unwrap(),
            format!("POST /messenger/v1/accounts/{ME}/chats/{CHAT}/read"),
        ),
    ];
    for (request, wanted) in rows {
        assert_eq!(line(&request), wanted);
        assert!(matches!(request.body, Body::None), "{wanted} has no body");
    }
}

#[test]
fn webhooks_are_registered_in_the_third_version() {
    const URL: &str = "https://crm.example/hooks/avito/secret";
    let subscribe = encode::subscribe(URL).unwrap();
    assert_eq!(line(&subscribe), "POST /messenger/v3/webhook");
    assert_eq!(json_of(&subscribe), json!({"url": URL}));
    let unsubscribe = encode::unsubscribe(URL).unwrap();
    assert_eq!(line(&unsubscribe), "POST /messenger/v1/webhook/unsubscribe");
    assert_eq!(json_of(&unsubscribe), json!({"url": URL}));
}

#[test]
fn the_blacklist_names_the_person_the_advert_and_the_reason() {
    let reasons = [(Reason::Spam, 1), (Reason::Fraud, 2), (Reason::Rudeness, 3), (Reason::Other, 4)];
    for (reason, id) in reasons {
        let request = encode::blacklist(ME, 80_020_002, Some(5_500_550_055), reason).unwrap();
        assert_eq!(line(&request), format!("POST /messenger/v2/accounts/{ME}/blacklist"));
        let context = json!({"item_id": 5_500_550_055i64, "reason_id": id});
        assert_eq!(json_of(&request), json!({"users": [{"user_id": 80_020_002, "context": context}]}));
    }
    let without = encode::blacklist(ME, 80_020_002, None, Reason::Spam).unwrap();
    assert_eq!(json_of(&without)["users"][0]["context"], json!({"reason_id": 1}));
}

#[test]
fn an_address_of_the_api_may_have_a_path() {
    for base in ["https://proxy.example/avito", "https://proxy.example/avito/"] {
        let url = encode::account().url(&Url::parse(base).unwrap());
        assert_eq!(url.as_str(), "https://proxy.example/avito/core/v1/accounts/self");
    }
    assert_eq!(encode::account().method, Method::GET);
}
