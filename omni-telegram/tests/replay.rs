//! Every recorded update becomes the event in `tests/golden`. `UPDATE_GOLDEN=1` writes them anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use omni_core::event::{Event, EventBody, EventKind};
use omni_core::text::Text;
use omni_telegram::parse;
use omni_testkit::golden::{self, Fixture, spoil};
use proptest::prelude::*;

const USERNAME: &str = "omni_helpdesk_bot";

const HERE: &str = env!("CARGO_MANIFEST_DIR");

fn fixtures() -> Vec<Fixture> {
    golden::fixtures(HERE)
}

fn event(name: &str) -> Event {
    let found = fixtures().into_iter().find(|fixture| fixture.name == name).unwrap();
    parse::update(&found.body, Some(USERNAME)).unwrap()
}

/// The kind an update must become, by the beginning of its fixture's name.
fn expected(name: &str) -> EventKind {
    const RULES: &[(&str, EventKind)] = &[
        ("start_of_another", EventKind::Message),
        ("start_like", EventKind::Message),
        ("start", EventKind::Started),
        ("service", EventKind::Unsupported),
        ("migrate", EventKind::Migrated),
        ("comment", EventKind::Comment),
        ("channel_direct_message_answered", EventKind::Echo),
        ("channel_direct", EventKind::Message),
        ("channel_post", EventKind::Echo),
        ("channel_promoted", EventKind::Membership),
        ("edited", EventKind::Edited),
        ("button_of_inline", EventKind::Unsupported),
        ("button_of_game", EventKind::Unsupported),
        ("button", EventKind::Button),
        ("reaction", EventKind::Reaction),
        ("blocked", EventKind::Blocked),
        ("unblocked", EventKind::Subscribed),
        ("group_text", EventKind::Message),
        ("group_reply", EventKind::Message),
        ("group", EventKind::Membership),
        ("membership_of", EventKind::Unsupported),
        ("business_text", EventKind::Message),
        ("business_start", EventKind::Message),
        ("business_echo", EventKind::Echo),
        ("business_automatic", EventKind::Echo),
        ("business_edited", EventKind::Edited),
        ("business_deleted", EventKind::Deleted),
        ("business", EventKind::Account),
        ("unsupported", EventKind::Unsupported),
        ("malformed", EventKind::Unsupported),
        ("update_without", EventKind::Unsupported),
    ];
    RULES.iter().find(|(start, _)| name.starts_with(start)).map_or(EventKind::Message, |(_, kind)| *kind)
}

#[test]
fn every_recorded_update_becomes_its_event() {
    golden::replay(HERE, |fixture| {
        let event = parse::update(&fixture.body, Some(USERNAME)).unwrap();
        assert_eq!(event.kind(), expected(&fixture.name), "{}", fixture.name);
        event
    });
}

#[test]
fn what_was_not_understood_is_kept_whole() {
    for Fixture { name, body: json } in fixtures() {
        let event = parse::update(&json, None).unwrap();
        if event.kind() == EventKind::Unsupported {
            let raw = event.raw.expect(&name);
            assert_eq!(raw.get(), std::str::from_utf8(&json).unwrap().trim(), "{name}");
        }
    }
    for name in ["dice", "poll", "content_of_the_future", "paid_media_with_caption"] {
        assert!(event(name).raw.is_some(), "{name}");
    }
    assert!(event("text").raw.is_none(), "what is understood needs no second copy");
}

#[test]
fn an_event_survives_being_stored() {
    for Fixture { name, body: json } in fixtures() {
        let event = parse::update(&json, Some(USERNAME)).unwrap();
        let stored = serde_json::to_string(&event).unwrap();
        let read: Event = serde_json::from_str(&stored).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(read.body, event.body, "{name}");
        assert_eq!(serde_json::to_string(&read).unwrap(), stored, "{name}");
    }
}

#[test]
fn entities_cover_the_words_they_mean() {
    let EventBody::Message(message) = event("text_all_entities").body else { panic!("no message") };
    let text: Text = message.content.text.unwrap();
    let words: Vec<_> = text.entities.iter().map(|e| text.slice(e).unwrap()).collect();
    assert_eq!(words, ["ж", "к", "п", "з", "с", "код", "блок", "цит", "ссылка", "я", "@ivan", "#тег", "😀"]);
}

#[test]
fn an_unknown_bot_takes_every_start_that_names_a_bot() {
    let named = |fixture: &Fixture| fixture.name == "start_of_another_bot";
    let json = fixtures().into_iter().find(named).unwrap().body;
    assert_eq!(parse::update(&json, None).unwrap().kind(), EventKind::Started);
    assert_eq!(parse::update(&json, Some("OTHER_BOT")).unwrap().kind(), EventKind::Started);
}

#[test]
fn bodies_that_are_no_updates_are_rejected() {
    for body in
        [&b""[..], b"{", b"null", b"[]", b"{}", b"{\"update_id\":\"1\"}", b"\xff\xfe", b"{\"update_id\":1} x"]
    {
        assert_eq!(parse::update(body, None).unwrap_err().status(), 400, "{body:?}");
    }
}

#[test]
fn a_kind_we_know_is_found_beside_what_we_do_not_know() {
    let message = r#""message":{"message_id":1,"date":1,"chat":{"id":5,"type":"private"},"text":"да"}"#;
    for fields in [format!(r#""novelty":{{"a":1}},{message}"#), format!(r#"{message},"novelty":[1]"#)] {
        let json = format!(r#"{{"update_id":5,{fields}}}"#);
        assert_eq!(parse::update(json.as_bytes(), None).unwrap().kind(), EventKind::Message, "{json}");
    }
}

#[test]
fn deep_nesting_neither_overflows_nor_is_lost() {
    const DEPTH: usize = 10_000;
    let deep = format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(DEPTH), "}".repeat(DEPTH));
    let replies =
        format!("{}{{}}{}", r#"{"message_id":1,"reply_to_message":"#.repeat(DEPTH), "}".repeat(DEPTH));
    for nested in [&deep, &objects, &replies] {
        for key in ["message", "callback_query", "novelty", "my_chat_member"] {
            let json = format!(r#"{{"update_id":5,"{key}":{nested}}}"#);
            let event = parse::update(json.as_bytes(), None).unwrap();
            assert_eq!(event.kind(), EventKind::Unsupported, "{key}");
            assert_eq!(event.raw.unwrap().get(), json);
        }
        let inside = format!(
            r#"{{"update_id":5,"message":{{"message_id":1,"date":1,"chat":{{"id":5,"type":"private"}},"text":"да","x":{nested}}}}}"#
        );
        assert_eq!(parse::update(inside.as_bytes(), None).unwrap().kind(), EventKind::Message);
    }
}

/// Nothing may be lost in silence: a damaged update is rejected, understood, or kept whole as unsupported; and
/// whatever it is, the updates around it in a poll arrive.
fn nothing_is_lost(name: &str, json: &[u8]) {
    match parse::update(json, Some(USERNAME)) {
        Err(rejected) => assert_eq!(rejected.status(), 400, "{name}"),
        Ok(event) if event.kind() == EventKind::Unsupported => {
            let raw = event.raw.unwrap_or_else(|| panic!("{name}: kept without its raw form"));
            assert_eq!(raw.get(), std::str::from_utf8(json).unwrap().trim(), "{name}");
        }
        Ok(_) => {}
    }
    let before: &[u8] = br#"[{"update_id":1,"novelty":1},"#;
    let poll = [before, json, br#",{"update_id":880999,"novelty":2}]"#].concat();
    // A body that is no JSON at all is refused as a whole, and nothing is confirmed.
    let Ok(batch) = parse::batch(&poll, Some(1), None) else {
        assert!(serde_json::from_slice::<Vec<&serde_json::value::RawValue>>(&poll).is_err(), "{name}");
        return;
    };
    assert!(batch.events.len() >= 3, "{name}");
    assert!(batch.next.is_some_and(|next| next >= 881_000), "{name}");
    let ids: Vec<&str> = batch.events.iter().map(|event| event.id.as_str()).collect();
    assert!(ids.starts_with(&["1"]) && ids.ends_with(&["880999"]), "{name}: {ids:?}");
}

#[test]
fn no_update_is_lost_when_it_is_cut_off_anywhere() {
    for Fixture { name, body } in fixtures() {
        spoil::cuts(&body, |cut| assert_eq!(parse::update(cut, None).unwrap_err().status(), 400, "{name}"));
        nothing_is_lost(&name, &body);
    }
}

#[test]
fn no_update_is_lost_when_one_byte_of_it_is_another() {
    for Fixture { name, body } in fixtures() {
        spoil::other_bytes(&body, |spoilt| nothing_is_lost(&name, spoilt));
    }
}

#[test]
fn no_update_is_lost_when_one_value_of_it_is_another() {
    for Fixture { name, body } in fixtures() {
        spoil::other_values(&body, |how, spoilt| nothing_is_lost(&format!("{name} {how}"), spoilt));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_damaged_update_never_panics(
        pick in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        length in 0usize..12,
        with in prop_oneof![
            Just(String::new()), Just("null".to_owned()), Just("-1".to_owned()), Just("1e400".to_owned()),
            Just("\"\\ud83d\"".to_owned()), Just("99999999999999999999".to_owned()), Just("[[{".to_owned()),
            "\\PC{0,8}",
        ],
    ) {
        let fixtures = fixtures();
        let mut json = String::from_utf8(pick.get(&fixtures).body.clone()).unwrap();
        let start = floor(&json, at.index(json.len()));
        let end = floor(&json, (start + length).min(json.len()));
        json.replace_range(start..end.max(start), &with);
        if let Ok(event) = parse::update(json.as_bytes(), None) {
            prop_assert!(serde_json::to_string(&event).is_ok());
        }
        let _ = parse::batch(format!("[{json}]").as_bytes(), Some(1), None);
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse::update(&bytes, None);
        let _ = parse::batch(&bytes, None, None);
    }

    #[test]
    fn any_words_arrive_as_they_were_written(words in "\\PC{1,200}") {
        prop_assume!(!words.starts_with("/start"));
        let text = serde_json::to_string(&words).unwrap();
        let json = format!(
            r#"{{"update_id":5,"message":{{"message_id":1,"date":1,"chat":{{"id":5,"type":"private"}},"text":{text}}}}}"#
        );
        let event = parse::update(json.as_bytes(), None).unwrap();
        let EventBody::Message(message) = event.body else { panic!("no message") };
        prop_assert_eq!(message.content.plain_text(), Some(words.as_str()));
    }
}

/// The nearest border of a character at or before a byte.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
