//! Every recorded body becomes the events in `tests/golden`. `UPDATE_GOLDEN=1` writes them anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use omni_autoru::parse;
use omni_autoru::rest::parse::InRoom;
use omni_autoru::wire::rooms::Room;
use omni_core::content::Part;
use omni_core::event::{Event, EventBody, EventKind};
use omni_testkit::golden::{self, Fixture, spoil};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

const CRATE: &str = env!("CARGO_MANIFEST_DIR");

/// A room beside its messages, as they were asked for.
#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    room: Room<'a>,
    #[serde(borrow)]
    messages: Vec<&'a RawValue>,
}

fn webhooks() -> Vec<Fixture> {
    golden::fixtures(CRATE).into_iter().filter(|fixture| !fixture.name.starts_with("room_")).collect()
}

fn events(fixture: &Fixture) -> Vec<Event> {
    if !fixture.name.starts_with("room_") {
        return parse::webhook(&fixture.body).unwrap().into_iter().collect();
    }
    let asked: Asked<'_> = serde_json::from_slice(&fixture.body).unwrap();
    let room = InRoom::from(&asked.room);
    asked.messages.into_iter().map(|message| room.event(message)).collect()
}

/// The kinds that a body must become, by the beginning of its fixture's name; one message otherwise.
fn expected(name: &str) -> Vec<EventKind> {
    use EventKind::{Echo, Message, Read, Typing, Unsupported};
    let rules: &[(&str, &[EventKind])] = &[
        ("malformed", &[Unsupported]),
        ("nameless", &[Unsupported]),
        ("typein", &[Typing]),
        ("typeout", &[]),
        ("seen", &[Read]),
        ("room_texts", &[Message, Echo, Message]),
        ("room_echo", &[Echo]),
        ("room_picture", &[Message, Message]),
        ("room_of", &[Message, Message, Message]),
        ("room_malformed", &[Unsupported, Unsupported, Unsupported, Message]),
    ];
    rules.iter().find(|(start, _)| name.starts_with(start)).map_or(vec![Message], |(_, kinds)| kinds.to_vec())
}

#[test]
fn every_recorded_body_becomes_its_events() {
    golden::replay(CRATE, |fixture| {
        let events = events(fixture);
        let kinds: Vec<EventKind> = events.iter().map(Event::kind).collect();
        assert_eq!(kinds, expected(&fixture.name), "{}", fixture.name);
        events.iter().for_each(|event| is_whole(&fixture.name, event));
        events
    });
}

/// Law 2: what was not understood keeps its raw form; everything else needs none. Every event survives being stored.
fn is_whole(name: &str, event: &Event) {
    assert!(!event.id.as_str().is_empty(), "{name}: no id");
    let incomplete = match &event.body {
        EventBody::Unsupported { .. } => true,
        EventBody::Message(message) => is_incomplete(&message.content.parts),
        EventBody::Echo(echo) => is_incomplete(&echo.message.content.parts),
        _ => false,
    };
    assert_eq!(event.raw.is_some(), incomplete, "{name}: {event:?}");
    let stored = serde_json::to_string(event).unwrap();
    let read: Event = serde_json::from_str(&stored).unwrap();
    assert_eq!(read.body, event.body, "{name}");
}

fn is_incomplete(parts: &[Part]) -> bool {
    parts.iter().any(|part| matches!(part, Part::Unsupported { .. }))
}

/// Whatever comes is refused, or becomes an event that is whole.
fn nothing_is_lost(name: &str, body: &[u8]) {
    match parse::webhook(body) {
        Ok(Some(event)) => is_whole(name, &event),
        Ok(None) => assert!(String::from_utf8_lossy(body).contains("type"), "{name}: nothing came of it"),
        Err(refused) => {
            assert_eq!(refused.status(), 400, "{name}");
            let is_object =
                serde_json::from_slice::<&RawValue>(body).is_ok_and(|raw| raw.get().starts_with('{'));
            assert!(!is_object, "{name}: an object was refused: {}", String::from_utf8_lossy(body));
        }
    }
}

#[test]
fn no_webhook_is_lost_when_it_is_cut_off_anywhere() {
    for Fixture { name, body } in webhooks() {
        spoil::cuts(&body, |cut| assert_eq!(parse::webhook(cut).unwrap_err().status(), 400, "{name}"));
    }
}

#[test]
fn no_webhook_is_lost_when_one_byte_of_it_is_another() {
    for Fixture { name, body } in webhooks() {
        spoil::other_bytes(&body, |changed| nothing_is_lost(&name, changed));
    }
}

#[test]
fn no_webhook_is_lost_when_one_value_of_it_is_another() {
    for Fixture { name, body } in webhooks() {
        spoil::other_values(&body, |what, changed| nothing_is_lost(&format!("{name} {what}"), changed));
    }
}

#[test]
fn no_message_of_a_room_is_lost_when_one_value_is_another() {
    for fixture in golden::fixtures(CRATE).into_iter().filter(|f| f.name.starts_with("room_")) {
        let count = serde_json::from_slice::<Asked<'_>>(&fixture.body).unwrap().messages.len();
        spoil::other_values(&fixture.body, |what, changed| {
            let Ok(asked) = serde_json::from_slice::<Asked<'_>>(changed) else { return };
            let room = InRoom::from(&asked.room);
            let read: Vec<Event> = asked.messages.iter().map(|message| room.event(message)).collect();
            assert!(what.starts_with("/messages = ") || read.len() == count, "{what}");
            read.iter().for_each(|event| is_whole(&format!("{} {what}", fixture.name), event));
        });
    }
}

#[test]
fn a_repeat_has_the_id_of_the_first() {
    for fixture in golden::fixtures(CRATE) {
        let ids = |events: Vec<Event>| {
            events.into_iter().map(|event| (event.id.clone(), event.kind())).collect::<Vec<_>>()
        };
        assert_eq!(ids(events(&fixture)), ids(events(&fixture)), "{}", fixture.name);
    }
}

#[test]
fn the_picture_of_the_car_is_nobodys_face() {
    for fixture in webhooks() {
        for event in events(&fixture) {
            let avatar = event.sender().and_then(|sender| sender.profile.avatar.clone());
            assert_eq!(avatar, None, "{}", fixture.name);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_kept(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        nothing_is_lost("any bytes", &body);
    }

    #[test]
    fn any_words_come_in_as_they_are(words in "\\PC{1,60}") {
        let body = serde_json::json!({
            "sender": {"id": "9d1f3c", "name": "Пётр"},
            "message": {"type": "text", "id": "1", "text": words},
        });
        let event = parse::webhook(body.to_string().as_bytes()).unwrap().unwrap();
        let EventBody::Message(message) = event.body else { panic!("no message") };
        prop_assert_eq!(message.content.plain_text(), Some(&*words));
    }
}
