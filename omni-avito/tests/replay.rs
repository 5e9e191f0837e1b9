//! Every recorded webhook and page becomes what stands in `tests/golden`. `UPDATE_GOLDEN=1` writes it anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::collections::HashSet;

use omni_avito::parse::{self, Listed, Other, Place, Told};
use omni_core::contact::SenderKind;
use omni_core::content::Part;
use omni_core::event::{Event, EventBody, EventKind, Message, Origin};
use omni_core::text::EntityKind;
use omni_testkit::golden::{self, Fixture, spoil};
use proptest::prelude::*;
use serde_json::{Value, json};

const HERE: &str = env!("CARGO_MANIFEST_DIR");
const ME: i64 = 70_010_001;

fn place() -> Place {
    Place { account: ME, chat: "u2i-AbCdEf~1234".to_owned(), item: Some(5_500_550_055), other: Other::Person }
}

fn fixture(name: &str) -> Vec<u8> {
    golden::fixtures(HERE).into_iter().find(|fixture| fixture.name == name).unwrap().body
}

fn hooks() -> Vec<Fixture> {
    let mut found = golden::fixtures(HERE);
    found.retain(|f| !f.name.starts_with("history") && !f.name.starts_with("chat"));
    found
}

/// The event of a recorded webhook.
fn event(name: &str) -> Event {
    let events: [Event; 1] = parse::webhook(&fixture(name)).unwrap().try_into().unwrap();
    events.into_iter().next().unwrap()
}

fn message(name: &str) -> Message {
    match event(name).body {
        EventBody::Message(message) => message,
        other => panic!("{name} is {other:?}"),
    }
}

/// The kind a webhook must become, by the beginning of its fixture's name.
fn expected(name: &str) -> EventKind {
    const RULES: &[(&str, EventKind)] = &[
        ("echo", EventKind::Echo),
        ("call", EventKind::Call),
        ("deleted", EventKind::Deleted),
        ("unsupported", EventKind::Unsupported),
    ];
    RULES.iter().find(|(start, _)| name.starts_with(start)).map_or(EventKind::Message, |(_, kind)| *kind)
}

fn shown_told(told: &Told) -> Value {
    let read = told.read.as_ref().map(|(message, at)| json!({"message": message, "at": at}));
    json!({"event": told.event, "read": read})
}

fn shown_chat(chat: &Listed) -> Value {
    let Listed { place, updated, last, is_unread_by_them, introduced } = chat;
    let place = json!({"chat": place.chat, "item": place.item, "other": format!("{:?}", place.other)});
    json!({"place": place, "updated": updated, "last": last, "is_unread_by_them": is_unread_by_them,
           "introduced": introduced})
}

#[test]
fn every_recorded_body_becomes_what_it_means() {
    golden::replay(HERE, |Fixture { name, body }| match name.as_str() {
        "readiness" => json!(parse::webhook(body).unwrap()),
        "chats" => {
            let page = parse::listed(body, ME).unwrap();
            json!({"chats": page.chats.iter().map(shown_chat).collect::<Vec<_>>(), "len": page.len})
        }
        name if name.starts_with("chat") => shown_chat(&parse::introduced(body, ME).unwrap()),
        name if name.starts_with("history") => {
            json!(parse::history(body, &place()).unwrap().iter().map(shown_told).collect::<Vec<_>>())
        }
        name => {
            let event = event(name);
            assert_eq!(event.kind(), expected(name), "{name}");
            json!(event)
        }
    });
}

#[test]
fn what_was_not_understood_is_kept_whole() {
    for Fixture { name, body } in hooks() {
        for event in parse::webhook(&body).unwrap() {
            if event.kind() == EventKind::Unsupported {
                let raw = event.raw.expect(&name);
                assert_eq!(raw.get(), std::str::from_utf8(&body).unwrap().trim(), "{name}");
            }
        }
    }
}

#[test]
fn a_message_we_have_no_word_for_is_a_message_and_keeps_its_form() {
    for name in
        ["app_call", "file", "video", "content_of_the_future", "content_of_another_shape", "content_missing"]
    {
        let parts = message(name).content.parts;
        assert!(matches!(parts.as_slice(), [Part::Unsupported { .. }]), "{name}: {parts:?}");
        assert!(event(name).raw.is_some(), "{name}");
    }
    for name in ["link_with_preview", "system", "call_that_ended_otherwise"] {
        assert!(event(name).raw.is_some(), "{name}: what is left out stays in the raw form");
    }
    for name in ["text", "image", "voice", "link", "location", "item", "call", "deleted", "echo"] {
        assert!(event(name).raw.is_none(), "{name}: what is understood needs no second copy");
    }
}

#[test]
fn an_event_survives_being_stored() {
    for Fixture { name, body } in hooks() {
        for event in parse::webhook(&body).unwrap() {
            let stored = serde_json::to_string(&event).unwrap();
            let read: Event = serde_json::from_str(&stored).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(read.body, event.body, "{name}");
            assert_eq!(serde_json::to_string(&read).unwrap(), stored, "{name}");
        }
    }
}

/// A place is the very one that was told, however often it is written and read.
#[test]
fn a_place_stays_where_it_is_when_it_is_stored() {
    let body = String::from_utf8(fixture("location")).unwrap();
    for (told, degrees) in [
        ("55.75222000000001", 55.752_220_000_000_01),
        ("37.61556000000002", 37.615_560_000_000_02),
        ("-0.1", -0.1),
        // Nowhere on Earth, and no reason to become another number.
        ("5.555555555555457e+84", 5.555555555555457e+84),
    ] {
        let body = body.replace("55.75,", &format!("{told},")).replace("37.61,", &format!("{told},"));
        let events: [Event; 1] = parse::webhook(body.as_bytes()).unwrap().try_into().unwrap();
        let EventBody::Message(message) = &events[0].body else { panic!("{told}: {events:?}") };
        let [Part::Location(place)] = &*message.content.parts else { panic!("{told}: {message:?}") };
        assert_eq!((place.latitude, place.longitude), (degrees, degrees), "{told}");
        let written = serde_json::to_string(&events[0]).unwrap();
        let read: Event = serde_json::from_str(&written).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), written, "{told}");
    }
}

#[test]
fn different_events_have_different_ids() {
    let mut ids = HashSet::new();
    for Fixture { name, body } in hooks() {
        for event in parse::webhook(&body).unwrap() {
            assert!(ids.insert(event.id.clone()), "{name}: {} again", event.id);
        }
    }
}

/// What a sweep finds behind a webhook is the same event, or it would come in twice.
#[test]
fn webhook_and_history_tell_one_message_under_one_id() {
    for Fixture { name, body } in hooks() {
        let hook: Value = serde_json::from_slice(&body).unwrap();
        let value = hook.pointer("/payload/value").cloned().unwrap_or_default();
        let told = parse::webhook(&body).unwrap();
        let (Some(chat), Some(_)) = (value["chat_id"].as_str(), value["id"].as_str()) else { continue };
        let a2u = value["chat_type"] == "a2u";
        let other = if a2u { Other::Provider } else { Other::Person };
        let place = Place { account: ME, chat: chat.to_owned(), item: value["item_id"].as_i64(), other };
        let page = parse::history(json!([value]).to_string().as_bytes(), &place).unwrap();
        let ids = (&told[0].id, told[0].kind());
        // What lacks its account in a webhook has it in a history, and is understood there.
        if told[0].kind() == EventKind::Unsupported {
            assert_eq!(ids.0, &page[0].event.id, "{name}");
            continue;
        }
        assert_eq!(ids, (&page[0].event.id, page[0].event.kind()), "{name}");
        assert_eq!(told[0].body, page[0].event.body, "{name}");
    }
}

#[test]
fn avitos_own_bots_are_never_taken_for_buyers() {
    for name in ["system", "system_in_our_name", "text_of_avito"] {
        let message = message(name);
        assert_eq!(
            (message.sender.kind, message.origin),
            (SenderKind::Provider, Origin::Automatic),
            "{name}"
        );
    }
    let buyer = message("text");
    assert_eq!((buyer.sender.kind, buyer.origin), (SenderKind::Person, Origin::Person));
}

/// Their author is the same in every chat: taken for a person, it would join all buyers into one.
#[test]
fn a_system_message_names_nobody_but_its_chat() {
    for name in ["system", "system_in_our_name"] {
        assert_eq!(message(name).sender.identity.id, "chat:u2i-AbCdEf~1234", "{name}");
    }
}

#[test]
fn a_person_is_known_within_the_account() {
    let sender = message("text").sender.identity;
    assert_eq!((sender.scope.as_str(), sender.id.as_str()), ("70010001", "80020002"));
    let EventBody::Call(ours) = event("call_of_ours").body else { panic!("no call") };
    assert_eq!(ours.sender.identity, sender, "a call of ours is with the buyer");
}

#[test]
fn words_that_lead_elsewhere_are_marked_and_plain_addresses_are_not() {
    let marked = message("link_under_other_words").content.text.unwrap();
    assert_eq!(marked.slice(&marked.entities[0]), Some("example.org"));
    assert_eq!(marked.entities[0].kind, EntityKind::Link { url: "https://example.org/a".to_owned() });
    assert!(message("link").content.text.unwrap().entities.is_empty());
    assert_eq!(message("link_without_words").content.plain_text(), Some("https://example.org/a"));
}

#[test]
fn a_quote_is_told_by_the_history() {
    let page = parse::history(&fixture("history_list"), &place()).unwrap();
    let EventBody::Message(first) = &page[0].event.body else { panic!("no message") };
    let reply = first.reply_to.as_ref().unwrap();
    assert_eq!((reply.message.as_str(), reply.quote.as_deref()), ("c0ffee00", Some("Добрый день 👋")));
    let EventBody::Message(last) = &page[8].event.body else { panic!("a broken quote cost the message") };
    assert_eq!(last.reply_to, None);
}

#[test]
fn only_an_object_is_a_webhook_and_an_empty_one_is_a_readiness_test() {
    for body in [&b"{}"[..], b" { } ", b"{\n}"] {
        assert!(parse::webhook(body).unwrap().is_empty(), "{body:?}");
    }
    for body in [&b""[..], b"{", b"null", b"[]", b"17", b"\"x\"", b"\xff\xfe", b"{} x", b"{}{}"] {
        assert_eq!(parse::webhook(body).unwrap_err().status(), 400, "{body:?}");
    }
}

#[test]
fn deep_nesting_neither_overflows_nor_is_lost() {
    const DEPTH: usize = 20_000;
    let deep = format!("{}1{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(DEPTH), "}".repeat(DEPTH));
    for nested in [&deep, &objects] {
        for body in [
            format!(r#"{{"payload":{nested}}}"#),
            format!(r#"{{"payload":{{"type":"message","value":{nested}}}}}"#),
            format!(r#"{{"novelty":{nested}}}"#),
        ] {
            let events = parse::webhook(body.as_bytes()).unwrap();
            assert_eq!(events[0].kind(), EventKind::Unsupported);
            assert_eq!(events[0].raw.as_ref().unwrap().get(), body);
        }
        let content = format!(
            r#"{{"payload":{{"type":"message","value":{{"id":"1","chat_id":"c","user_id":1,"author_id":2,"type":"text","content":{nested},"x":{nested}}}}}}}"#
        );
        assert_eq!(parse::webhook(content.as_bytes()).unwrap()[0].kind(), EventKind::Message);
    }
}

/// Nothing may be lost in silence: a damaged webhook is rejected, understood, or kept whole as unsupported.
fn nothing_is_lost(name: &str, body: &[u8]) {
    let Ok(events) = parse::webhook(body) else { return };
    let text = std::str::from_utf8(body).unwrap().trim();
    assert!(!events.is_empty() || text == "{}", "{name}: nothing came of {text}");
    for event in events {
        if event.kind() == EventKind::Unsupported {
            assert_eq!(event.raw.as_deref().map(|raw| raw.get()), Some(text), "{name}");
        }
        if let EventBody::Message(message) = &event.body
            && message.content.parts.iter().any(|part| matches!(part, Part::Unsupported { .. }))
        {
            assert!(event.raw.is_some(), "{name}: kept without its raw form");
        }
    }
}

#[test]
fn no_webhook_is_lost_when_it_is_damaged() {
    for Fixture { name, body } in hooks() {
        spoil::cuts(&body, |cut| {
            let found = parse::webhook(cut);
            assert_eq!(found.unwrap_err().status(), 400, "{name} at {}", cut.len());
        });
        spoil::other_bytes(&body, |spoilt| nothing_is_lost(&name, spoilt));
        spoil::other_values(&body, |place, spoilt| nothing_is_lost(&format!("{name} {place}"), spoilt));
    }
}

/// One bad message of a page fails alone.
#[test]
fn no_message_of_a_page_is_lost_when_another_is_damaged() {
    let page = fixture("history_list");
    let whole = parse::history(&page, &place()).unwrap().len();
    spoil::other_values(&page, |at, spoilt| {
        let told = parse::history(spoilt, &place()).unwrap_or_else(|e| panic!("{at}: {e}"));
        assert_eq!(told.len(), whole, "{at}");
        for one in told {
            assert!(one.event.kind() != EventKind::Unsupported || one.event.raw.is_some(), "{at}");
        }
    });
    let chats = fixture("chats");
    spoil::other_values(&chats, |_, spoilt| drop(parse::listed(spoilt, ME)));
    spoil::other_bytes(&chats, |spoilt| drop(parse::listed(spoilt, ME)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse::webhook(&bytes);
        let _ = parse::history(&bytes, &place());
        let _ = parse::listed(&bytes, ME);
        let _ = parse::introduced(&bytes, ME);
    }

    #[test]
    fn any_words_arrive_as_they_were_written(words in "\\PC{1,200}") {
        let mut hook: Value = serde_json::from_slice(&fixture("text")).unwrap();
        hook["payload"]["value"]["content"]["text"] = json!(words);
        let events = parse::webhook(hook.to_string().as_bytes()).unwrap();
        let EventBody::Message(message) = &events[0].body else { panic!("no message") };
        prop_assert_eq!(message.content.plain_text(), Some(words.as_str()));
    }
}
