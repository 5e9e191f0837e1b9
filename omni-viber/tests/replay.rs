//! Every recorded callback becomes the event in `tests/golden`. `UPDATE_GOLDEN=1` writes them anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::collections::HashSet;

use omni_core::Address;
use omni_core::content::Part;
use omni_core::event::{Event, EventBody, EventKind};
use omni_core::media::MediaSource;
use omni_core::webhook::{RejectReason, Rejected};
use omni_testkit::golden::{self, Fixture, spoil};
use omni_viber::Config;
use omni_viber::parse::{self, Told};
use proptest::prelude::*;
use url::Url;

const CRATE: &str = env!("CARGO_MANIFEST_DIR");

fn stickers() -> Url {
    Config::new("").sticker_pictures
}

fn read(json: &[u8]) -> Result<Told, Rejected> {
    parse::callback(json, &stickers())
}

fn told(fixture: &Fixture) -> Option<Event> {
    read(&fixture.body).unwrap_or_else(|e| panic!("{}: {e}", fixture.name)).event
}

fn event(name: &str) -> Event {
    let fixture = golden::fixtures(CRATE).into_iter().find(|f| f.name == name).expect(name);
    told(&fixture).expect(name)
}

/// The kind a callback must become, by the beginning of its fixture's name.
fn expected(name: &str) -> Option<EventKind> {
    const RULES: &[(&str, EventKind)] = &[
        ("subscribed_without", EventKind::Unsupported),
        ("subscribed", EventKind::Subscribed),
        ("unsubscribed_nobody", EventKind::Unsupported),
        ("unsubscribed", EventKind::Blocked),
        ("conversation_started_by_nobody", EventKind::Unsupported),
        ("conversation_started", EventKind::Started),
        ("delivered", EventKind::Status),
        ("seen", EventKind::Status),
        ("failed", EventKind::Status),
        ("status_without", EventKind::Unsupported),
        ("button", EventKind::Button),
        ("unsupported", EventKind::Unsupported),
        ("malformed", EventKind::Unsupported),
    ];
    if name == "webhook" {
        return None;
    }
    Some(
        RULES.iter().find(|(start, _)| name.starts_with(start)).map_or(EventKind::Message, |(_, kind)| *kind),
    )
}

#[test]
fn every_recorded_callback_becomes_its_event() {
    for fixture in golden::fixtures(CRATE) {
        assert_eq!(told(&fixture).map(|event| event.kind()), expected(&fixture.name), "{}", fixture.name);
    }
    golden::replay(CRATE, told);
}

#[test]
fn what_was_not_understood_is_kept_whole() {
    for fixture in golden::fixtures(CRATE) {
        let Some(event) = told(&fixture) else { continue };
        if event.kind() == EventKind::Unsupported {
            let raw = event.raw.expect(&fixture.name);
            assert_eq!(raw.get(), std::str::from_utf8(&fixture.body).unwrap().trim(), "{}", fixture.name);
        }
    }
    for name in [
        "content_of_the_future",
        "content_broken",
        "content_is_no_object",
        "message_without_content",
        "sticker_without_number",
        "contact_empty",
        "location_nowhere",
        "picture_at_no_address",
        "text_without_words",
        "text_with_tracking_data",
        "text_of_chat_extension",
    ] {
        assert!(event(name).raw.is_some(), "{name}");
    }
    for name in ["text", "picture", "sticker", "text_with_empty_tracking_data", "button", "seen"] {
        assert!(event(name).raw.is_none(), "{name}: what is understood needs no second copy");
    }
}

#[test]
fn a_message_nobody_understands_keeps_its_author_and_its_name() {
    for (name, what) in [
        ("content_of_the_future", "telepathy"),
        ("content_broken", "message"),
        ("sticker_without_number", "sticker"),
    ] {
        let event = event(name);
        let EventBody::Message(message) = event.body else { panic!("{name}") };
        assert_eq!(message.sender.profile.name.as_deref(), Some("Ольга"), "{name}");
        assert_eq!(message.content.parts, [Part::Unsupported { what: what.to_owned() }], "{name}");
    }
}

#[test]
fn an_event_survives_being_stored() {
    for fixture in golden::fixtures(CRATE) {
        let Some(event) = told(&fixture) else { continue };
        let stored = serde_json::to_string(&event).unwrap();
        let read: Event = serde_json::from_str(&stored).unwrap_or_else(|e| panic!("{}: {e}", fixture.name));
        assert_eq!(read.body, event.body, "{}", fixture.name);
        assert_eq!(serde_json::to_string(&read).unwrap(), stored, "{}", fixture.name);
    }
}

#[test]
fn different_callbacks_have_different_names_and_a_repetition_has_the_same() {
    let events: Vec<Event> = golden::fixtures(CRATE).iter().filter_map(told).collect();
    let names: HashSet<_> = events.iter().map(|event| (event.id.clone(), event.kind())).collect();
    assert_eq!(names.len(), events.len());
    let again: HashSet<_> = golden::fixtures(CRATE)
        .iter()
        .filter_map(told)
        .map(|event| (event.id.clone(), event.kind()))
        .collect();
    assert_eq!(names, again);
}

#[test]
fn news_of_one_message_are_told_apart_by_kind_and_person_and_not_by_device() {
    let ids: Vec<String> = ["delivered", "seen"].map(|name| event(name).id.to_string()).into();
    let person = "uQ0abcd1234EFGH5678ijA==";
    assert_eq!(ids[0], format!("delivered:5901234567890124001:{person}"));
    assert_eq!(ids[1], format!("seen:5901234567890124001:{person}"));
    assert_eq!(event("seen").address, Some(Address::new(person)));
    let later = r#"{"event":"delivered","timestamp":1760000299999,"message_token":5901234567890124001,"user_id":"uQ0abcd1234EFGH5678ijA=="}"#;
    assert_eq!(read(later.as_bytes()).unwrap().event.unwrap().id.to_string(), ids[0]);
}

#[test]
fn a_token_keeps_its_last_digit() {
    assert_eq!(event("text_with_the_largest_token").id.to_string(), "18446744073709551615");
    assert_eq!(event("text_with_token_as_text").id.to_string(), "5901234567890123499");
}

#[test]
fn a_failure_says_why_in_words_that_can_be_stored() {
    let EventBody::Status(news) = event("failed").body else { panic!() };
    let error = news.error.unwrap();
    assert_eq!(error.text.as_deref(), Some("message validation failed"));
    let EventBody::Status(news) = event("failed_without_reason").body else { panic!() };
    assert!(news.error.is_some());
}

#[test]
fn who_shares_no_name_overwrites_none() {
    for name in ["text_from_nameless", "text_from_nameless_bare"] {
        let event = event(name);
        let profile = &event.sender().unwrap().profile;
        assert_eq!((&profile.name, &profile.avatar, &profile.language), (&None, &None, &None), "{name}");
    }
}

#[test]
fn a_sticker_is_found_by_its_number_and_by_its_picture() {
    for (name, at, number) in [
        ("sticker", "https://viber.github.io/docs/img/stickers/40133.png", "40133"),
        ("sticker_as_text_with_picture", "https://www.viber.com/stickers/46105.png", "46105"),
    ] {
        let EventBody::Message(message) = event(name).body else { panic!("{name}") };
        let MediaSource::Provider(media) = &message.content.all_media().next().unwrap().source else {
            panic!()
        };
        assert_eq!((media.id.as_str(), media.unique.as_deref()), (at, Some(number)), "{name}");
    }
}

#[test]
fn a_link_leads_where_it_says() {
    let EventBody::Message(message) = event("url_with_words").body else { panic!() };
    let text = message.content.text.unwrap();
    assert_eq!(text.plain, "Вот эта 👟\nhttps://shop.example.by/item/9");
    assert_eq!(text.slice(&text.entities[0]), Some("https://shop.example.by/item/9"));
}

#[test]
fn only_who_does_not_let_us_write_may_be_welcomed() {
    for fixture in golden::fixtures(CRATE) {
        let may = read(&fixture.body).unwrap().may_welcome;
        assert_eq!(may, fixture.name == "conversation_started", "{}", fixture.name);
    }
}

#[test]
fn a_probe_is_no_event() {
    let probe = r#"{"event":"webhook","timestamp":4977069964384421269,"message_token":1478683725125}"#;
    assert!(read(probe.as_bytes()).unwrap().event.is_none());
}

#[test]
fn what_names_no_event_is_refused() {
    for bad in ["", "null", "[]", "{}", "17", r#"{"event":7}"#, "{\"event\":\"message\"", "a=1&b=2"] {
        let error = read(bad.as_bytes()).unwrap_err();
        assert_eq!(error.reason, RejectReason::Malformed, "{bad}");
    }
    assert_eq!(read(b"\xff\xfe{}").unwrap_err().reason, RejectReason::Malformed);
}

/// Whatever becomes of a spoilt callback, it is refused, or kept whole, or still says something true.
fn is_sound(json: &[u8]) {
    let Ok(Told { event: Some(event), .. }) = read(json) else { return };
    assert!(!event.id.as_str().is_empty());
    if event.kind() == EventKind::Unsupported {
        assert!(event.raw.is_some(), "{}", String::from_utf8_lossy(json));
    }
    let unknown = |part: &Part| matches!(part, Part::Unsupported { .. });
    if let EventBody::Message(message) = &event.body {
        assert!(!message.content.is_empty(), "{}", String::from_utf8_lossy(json));
        assert!(event.raw.is_some() || !message.content.parts.iter().any(unknown));
    }
    serde_json::to_string(&event).unwrap();
}

#[test]
fn no_cut_callback_is_taken() {
    for fixture in golden::fixtures(CRATE) {
        spoil::cuts(&fixture.body, |cut| {
            assert!(read(cut).is_err(), "{}: {}", fixture.name, String::from_utf8_lossy(cut));
        });
    }
}

#[test]
fn no_other_byte_and_no_other_value_is_lost_or_panics() {
    for fixture in golden::fixtures(CRATE) {
        spoil::other_bytes(&fixture.body, is_sound);
        spoil::other_values(&fixture.body, |place, json| {
            is_sound(json);
            let named = place.starts_with("/event ");
            assert!(named || read(json).is_ok(), "{} {place}", fixture.name);
        });
    }
}

#[test]
fn errors_of_parsing_quote_nothing() {
    let error = read("{\"event\":\"message\", \"message\": {\"text\": \"тайна\"}, ".as_bytes()).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("тайна"), "{shown}");
}

proptest! {
    #[test]
    fn any_words_come_through_whole(words in "[а-яA-Z😀👩‍🚀\"\\\\\n<>&;:*_]{1,80}", token in any::<u64>()) {
        let json = serde_json::json!({
            "event": "message", "timestamp": 1760000100456u64, "message_token": token,
            "sender": {"id": "a/b+c=="}, "message": {"type": "text", "text": words}
        });
        let event = read(json.to_string().as_bytes()).unwrap().event.unwrap();
        prop_assert_eq!(event.id.to_string(), token.to_string());
        let EventBody::Message(message) = event.body else { panic!("no message") };
        prop_assert_eq!(message.content.plain_text(), Some(words.as_str()));
    }
}
