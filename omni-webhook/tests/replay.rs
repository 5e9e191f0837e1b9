//! Every example event becomes the event in `tests/golden`. `UPDATE_GOLDEN=1` writes them anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use omni_core::content::Part;
use omni_core::event::{Event, EventBody, EventKind};
use omni_testkit::golden::{self, Fixture, spoil};
use omni_webhook::parse::{self, EVENTS_MAX};
use proptest::prelude::*;
use serde_json::value::RawValue;

const HERE: &str = env!("CARGO_MANIFEST_DIR");
const SCOPE: &str = "chat.example";

fn fixtures() -> Vec<Fixture> {
    golden::fixtures(HERE)
}

fn parsed(json: &[u8]) -> Event {
    let raw: &RawValue = serde_json::from_slice(json).unwrap();
    parse::event(raw, SCOPE)
}

fn event(name: &str) -> Event {
    parsed(&fixtures().into_iter().find(|fixture| fixture.name == name).unwrap().body)
}

fn body(events: &[&[u8]]) -> Vec<u8> {
    [&b"{\"events\":["[..], &events.join(&b","[..]), b"]}"].concat()
}

/// The kind an event must become, by the beginning of its fixture's name.
fn expected(name: &str) -> EventKind {
    use EventKind::*;
    const RULES: &[(&str, EventKind)] = &[
        ("message", Message),
        ("echo", Echo),
        ("edited", Edited),
        ("deleted", Deleted),
        ("reaction", Reaction),
        ("status", Status),
        ("button", Button),
        ("started", Started),
        ("subscribed", Subscribed),
        ("blocked", Blocked),
        ("typing", Typing),
        ("read", Read),
        ("unsupported", Unsupported),
        ("malformed", Unsupported),
    ];
    RULES.iter().find(|(start, _)| name.starts_with(start)).unwrap_or_else(|| panic!("{name}")).1
}

#[test]
fn every_example_becomes_its_event() {
    golden::replay(HERE, |fixture| {
        let event = parsed(&fixture.body);
        assert_eq!(event.kind(), expected(&fixture.name), "{}", fixture.name);
        event
    });
}

#[test]
fn what_was_not_understood_is_kept_whole() {
    for Fixture { name, body } in fixtures() {
        let event = parsed(&body);
        let whole = std::str::from_utf8(&body).unwrap().trim();
        let has_gap = match &event.body {
            EventBody::Unsupported { .. } => true,
            EventBody::Message(said) => {
                said.content.parts.iter().any(|part| matches!(part, Part::Unsupported { .. }))
            }
            _ => false,
        };
        if has_gap || name.starts_with("message_entities_o") {
            assert_eq!(event.raw.expect(&name).get(), whole, "{name}");
        } else {
            assert!(event.raw.is_none(), "{name}: what is understood needs no second copy");
        }
    }
}

#[test]
fn an_event_survives_being_stored() {
    for Fixture { name, body } in fixtures() {
        let event = parsed(&body);
        let stored = serde_json::to_string(&event).unwrap();
        let read: Event = serde_json::from_str(&stored).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(read.body, event.body, "{name}");
        assert_eq!(serde_json::to_string(&read).unwrap(), stored, "{name}");
    }
}

#[test]
fn an_event_without_an_id_is_known_by_its_words() {
    let (one, again) = (event("malformed_without_id"), event("malformed_without_id"));
    assert_eq!(one.id, again.id);
    assert_ne!(one.id, event("malformed_no_object").id);
}

#[test]
fn people_of_two_programs_are_different_people() {
    let raw = RawValue::from_string(
        r#"{"id":1,"type":"typing","address":5,"sender":{"id":5,"name":"Иван"}}"#.to_owned(),
    )
    .unwrap();
    let identity = |scope| parse::event(&raw, scope).sender().unwrap().identity.clone();
    assert_ne!(identity("one.example"), identity("other.example"));
    assert_eq!(identity("one.example"), identity("one.example"));
}

#[test]
fn an_address_and_a_name_survive_odd_signs() {
    let event = event("message_escaped");
    let address = event.address.clone().unwrap();
    assert_eq!(address.main(), "room 7?x=100%");
    let EventBody::Message(message) = event.body else { panic!("no message") };
    assert_eq!(message.sender.profile.name.as_deref(), Some("Иван 👨\u{200d}👩\u{200d}👧"));
    assert_eq!(message.content.plain_text(), Some("Да 😀\n\"кавычки\""));
}

#[test]
fn one_bad_event_keeps_the_others() {
    let all = fixtures();
    let bodies: Vec<&[u8]> = all.iter().map(|fixture| &*fixture.body).collect();
    let events = parse::events(&body(&bodies), SCOPE).unwrap();
    let kinds: Vec<EventKind> = events.iter().map(Event::kind).collect();
    let wanted: Vec<EventKind> = all.iter().map(|fixture| expected(&fixture.name)).collect();
    assert_eq!(kinds, wanted);
}

#[test]
fn bodies_that_are_no_events_are_rejected() {
    for bad in [
        &b""[..],
        b"{",
        b"null",
        b"[]",
        b"[[]]",
        b"{}",
        b"\xff\xfe",
        b"{\"events\":null}",
        b"{\"events\":{}}",
        b"{\"events\":[{}}",
        b"{\"events\":[]} x",
        b"{\"events\":[1,]}",
    ] {
        assert_eq!(parse::events(bad, SCOPE).unwrap_err().status(), 400, "{bad:?}");
    }
    for good in [&b"{\"events\":[]}"[..], b" {\"later\":[[1]],\"events\":[ ]} \n"] {
        assert!(parse::events(good, SCOPE).unwrap().is_empty());
    }
}

#[test]
fn more_events_than_a_body_may_have_are_refused_whole() {
    let one: &[u8] = br#"{"id":1,"type":"typing","address":5,"sender":{"id":5}}"#;
    assert_eq!(parse::events(&body(&vec![one; EVENTS_MAX]), SCOPE).unwrap().len(), EVENTS_MAX);
    assert_eq!(parse::events(&body(&vec![one; EVENTS_MAX + 1]), SCOPE).unwrap_err().status(), 413);
}

#[test]
fn deep_nesting_neither_overflows_nor_is_lost() {
    const DEPTH: usize = 10_000;
    let deep = format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(DEPTH), "}".repeat(DEPTH));
    for nested in [&deep, &objects] {
        for key in ["sender", "reply_to", "message_id"] {
            let json = format!(r#"{{"id":1,"type":"message","address":5,"text":"да","{key}":{nested}}}"#);
            let [event] = &parse::events(&body(&[json.as_bytes()]), SCOPE).unwrap()[..] else {
                panic!("one")
            };
            assert_eq!(event.kind(), EventKind::Unsupported, "{key}");
            assert_eq!(event.raw.as_ref().unwrap().get(), json);
        }
        for key in ["media", "location", "novelty", "at"] {
            let json = format!(
                r#"{{"id":1,"type":"message","address":5,"message_id":2,"sender":{{"id":5}},"text":"да","{key}":{nested}}}"#
            );
            assert_eq!(parsed(json.as_bytes()).kind(), EventKind::Message, "{key}");
        }
        assert_eq!(parsed(nested.as_bytes()).kind(), EventKind::Unsupported);
    }
}

/// Nothing may be lost in silence: a damaged event is understood, or kept whole as unsupported, or its body is refused;
/// and whatever it is, the events around it arrive.
fn nothing_is_lost(name: &str, json: &[u8]) {
    let (before, behind): (&[u8], &[u8]) =
        (br#"{"id":"before","type":"novelty"}"#, br#"{"id":"behind","type":"novelty"}"#);
    let body = body(&[before, json, behind]);
    let Ok(events) = parse::events(&body, SCOPE) else {
        assert!(serde_json::from_slice::<&RawValue>(&body).is_err(), "{name}");
        return;
    };
    // A damaged event may have become several values of the list.
    let ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
    assert!(ids.len() >= 3 && ids.starts_with(&["before"]) && ids.ends_with(&["behind"]), "{name}: {ids:?}");
    for event in events {
        assert!(
            event.kind() != EventKind::Unsupported || event.raw.is_some(),
            "{name}: its raw form is lost"
        );
    }
}

#[test]
fn no_event_is_lost_when_it_is_cut_off_anywhere() {
    for Fixture { name, body } in fixtures() {
        spoil::cuts(&body, |cut| {
            let whole = [b"{\"events\":[", cut].concat();
            assert_eq!(parse::events(&whole, SCOPE).unwrap_err().status(), 400, "{name}");
        });
        nothing_is_lost(&name, &body);
    }
}

#[test]
fn no_event_is_lost_when_one_byte_of_it_is_another() {
    for Fixture { name, body } in fixtures() {
        spoil::other_bytes(&body, |spoilt| nothing_is_lost(&name, spoilt));
    }
}

#[test]
fn no_event_is_lost_when_one_value_of_it_is_another() {
    for Fixture { name, body } in fixtures() {
        spoil::other_values(&body, |how, spoilt| nothing_is_lost(&format!("{name} {how}"), spoilt));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse::events(&bytes, SCOPE);
        let _ = parse::events(&body(&[&bytes]), SCOPE);
    }

    #[test]
    fn any_words_arrive_as_they_were_written(words in "\\PC{1,200}", id in "\\PC{1,60}") {
        let json = serde_json::json!({
            "id": 1, "type": "message", "address": &id, "message_id": &id, "sender": {"id": &id}, "text": &words
        });
        let event = parsed(json.to_string().as_bytes());
        prop_assert_eq!(event.address.clone().unwrap().main().into_owned(), id.clone());
        let EventBody::Message(message) = event.body else { panic!("no message") };
        prop_assert_eq!(message.content.plain_text(), Some(words.as_str()));
        prop_assert_eq!(message.id.as_str(), &*id);
        prop_assert_eq!(&message.sender.identity.id, &id);
    }
}
