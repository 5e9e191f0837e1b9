//! Every recorded event becomes the one in `tests/golden`. `UPDATE_GOLDEN=1` writes them anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use omni_core::content::Part;
use omni_core::event::{Event, EventBody, EventKind, Message};
use omni_core::{MessageId, Text};
use omni_testkit::golden::{self, Fixture, spoil};
use omni_vk::parse::{self, Poll};
use proptest::prelude::*;

const HERE: &str = env!("CARGO_MANIFEST_DIR");
const GROUP: i64 = 123_456;
const SECRET: &str = "s3cr3tABC";

fn fixtures() -> Vec<Fixture> {
    golden::fixtures(HERE)
}

fn event(name: &str) -> Event {
    let found = fixtures().into_iter().find(|fixture| fixture.name == name).expect(name);
    parse::event(&found.body, GROUP).unwrap()
}

fn message(name: &str) -> Message {
    match event(name).body {
        EventBody::Message(message) => message,
        EventBody::Echo(echo) => echo.message,
        EventBody::Comment(comment) => comment.message,
        other => panic!("{name} is {other:?}"),
    }
}

/// The kind an event must become, by the beginning of its fixture's name.
fn expected(name: &str) -> EventKind {
    const RULES: &[(&str, EventKind)] = &[
        ("start", EventKind::Started),
        ("button", EventKind::Button),
        ("call", EventKind::Call),
        ("membership", EventKind::Membership),
        ("service", EventKind::Unsupported),
        ("old_shape_edit", EventKind::Edited),
        ("echo", EventKind::Echo),
        ("edited", EventKind::Edited),
        ("read_without", EventKind::Unsupported),
        ("read", EventKind::Read),
        ("typing", EventKind::Typing),
        ("reaction", EventKind::Reaction),
        ("subscribed", EventKind::Subscribed),
        ("blocked", EventKind::Blocked),
        ("comment", EventKind::Comment),
        ("deleted", EventKind::Deleted),
        ("unsupported", EventKind::Unsupported),
        ("malformed_event_id", EventKind::Typing),
        ("malformed", EventKind::Unsupported),
    ];
    RULES.iter().find(|(start, _)| name.starts_with(start)).map_or(EventKind::Message, |(_, kind)| *kind)
}

#[test]
fn every_recorded_event_becomes_its_own() {
    assert!(fixtures().len() > 100, "the fixtures are gone");
    golden::replay(HERE, |fixture| {
        let event = parse::event(&fixture.body, GROUP).unwrap();
        assert_eq!(event.kind(), expected(&fixture.name), "{}", fixture.name);
        event
    });
}

#[test]
fn whatever_is_kept_holds_no_secret_and_all_the_rest() {
    for fixture in fixtures() {
        let name = &fixture.name;
        let event = parse::event(&fixture.body, GROUP).unwrap();
        assert!(!serde_json::to_string(&event).unwrap().contains(SECRET), "{name}");
        if let Some(raw) = event.raw {
            let mut whole: serde_json::Value = serde_json::from_slice(&fixture.body).unwrap();
            whole.as_object_mut().unwrap().remove("secret");
            assert_eq!(serde_json::from_str::<serde_json::Value>(raw.get()).unwrap(), whole, "{name}");
        } else {
            assert_ne!(event.kind(), EventKind::Unsupported, "{name}");
        }
    }
}

#[test]
fn what_has_no_word_is_a_message_that_keeps_its_raw_form() {
    for name in ["gift", "poll", "story", "audio", "cropped", "attachment_of_the_future", "geo_of_the_future"]
    {
        let event = event(name);
        assert_eq!(event.kind(), EventKind::Message, "{name}");
        assert!(event.raw.is_some(), "{name}");
    }
    assert!(event("forwarded").raw.is_some(), "a poll is within the forwarded ones");
    for name in ["text", "photo_album", "market", "video", "geo", "echo_of_admin", "comment_wall"] {
        assert!(event(name).raw.is_none(), "{name} is understood and needs no second copy");
    }
}

#[test]
fn one_bad_attachment_keeps_the_others() {
    let parts = message("attachment_of_the_future").content.parts;
    let unsupported = |part: &Part| match part {
        Part::Unsupported { what } => Some(what.clone()),
        _ => None,
    };
    let what: Vec<_> = parts.iter().map(unsupported).collect();
    let named = |what: &str| Some(what.to_owned());
    assert_eq!(what, [named("hologram"), named("attachment"), named("doc"), None]);
}

#[test]
fn the_largest_picture_is_taken() {
    for (name, url) in [
        ("photo", "https://sun9-1.userapi.com/x.jpg"),
        ("photo_original", "https://sun9-1.userapi.com/orig.jpg"),
        ("sticker", "https://vk.com/sticker/1-4331-128"),
    ] {
        let json = serde_json::to_value(message(name).content).unwrap();
        assert_eq!(json["parts"][0]["source"]["id"], url, "{name}");
    }
}

#[test]
fn a_mention_is_told_beside_the_words() {
    let text: Text = message("text_with_mention").content.text.unwrap();
    let words: Vec<_> = text.entities.iter().map(|entity| text.slice(entity).unwrap()).collect();
    assert_eq!(words, ["[club123456|@romashka_shop]"]);
}

#[test]
fn our_own_words_come_back_as_they_were_and_are_known_for_ours() {
    let EventBody::Echo(echo) = event("echo_of_ours").body else { panic!("no echo") };
    assert_eq!(echo.message.content.plain_text(), Some("[id1|Иван], ваш заказ готов"));
    assert_eq!(echo.ours, Some(MessageId::from_bytes([7; 16])));
    let EventBody::Edited(edited) = event("edited_of_ours").body else { panic!("not edited") };
    assert_eq!(edited.content.plain_text(), Some("Да, [club1|мы] тут"));
}

#[test]
fn an_answer_to_a_comment_is_at_the_address_of_whom_it_answers() {
    let asked = event("comment_wall").address.unwrap();
    assert_eq!(asked.to_string(), "wall-123456_310?from=50112233&thread=412");
    assert_eq!(event("echo_comment").address.unwrap(), asked);
    assert_eq!(event("edited_comment").address.unwrap(), asked);
    assert_eq!(event("deleted_comment").address.unwrap(), asked);
    assert_ne!(event("comment_wall_reply").address.unwrap(), asked);
}

#[test]
fn an_event_without_an_id_has_a_name_of_its_own() {
    assert_eq!(event("old_shape").id.as_str(), "message_new:50112233:17");
    assert_eq!(event("old_shape_edit").id.as_str(), "message_edit:50112233:17:1760000500");
    let typing = |to: i64| {
        let json = format!(r#"{{"type":"message_typing_state","object":{{"from_id":{to}}}}}"#);
        parse::event(json.as_bytes(), GROUP).unwrap().id
    };
    assert_eq!(typing(5), typing(5));
    assert_ne!(typing(5), typing(6));
}

#[test]
fn every_event_is_answered_ok_and_a_confirmation_with_its_code() {
    for fixture in fixtures() {
        let received = parse::webhook(&fixture.body, GROUP, None).unwrap();
        assert_eq!((received.answer.status.as_u16(), &received.answer.body[..]), (200, &b"ok"[..]));
        assert_eq!(received.answer.headers["content-type"], "text/plain");
        assert_eq!(received.events.len(), 1);
    }
    let confirmation = br#"{"type":"confirmation","group_id":123456,"event_id":"9c1f0e","v":"5.199"}"#;
    let received = parse::webhook(confirmation, GROUP, Some("a1b2c3d4")).unwrap();
    assert_eq!((&received.answer.body[..], received.events.len()), (&b"a1b2c3d4"[..], 0));
    assert_eq!(received.answer.headers["content-type"], "text/plain");
    assert_eq!(parse::webhook(confirmation, GROUP, None).unwrap_err().status(), 404);
}

#[test]
fn an_event_survives_being_stored() {
    for Fixture { name, body } in fixtures() {
        let event = parse::event(&body, GROUP).unwrap();
        let stored = serde_json::to_string(&event).unwrap();
        let read: Event = serde_json::from_str(&stored).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(read.body, event.body, "{name}");
        assert_eq!(serde_json::to_string(&read).unwrap(), stored, "{name}");
    }
}

#[test]
fn bodies_that_are_no_events_are_rejected() {
    for body in
        [&b""[..], b"{", b"null", b"[]", b"{}", b"{\"type\":1}", b"\xff\xfe", b"{\"type\":\"message_new\"} x"]
    {
        assert_eq!(parse::event(body, GROUP).unwrap_err().status(), 400, "{body:?}");
    }
}

#[test]
fn deep_nesting_neither_overflows_nor_is_lost() {
    const DEPTH: usize = 10_000;
    let deep = format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(DEPTH), "}".repeat(DEPTH));
    for nested in [&deep, &objects] {
        for kind in ["message_new", "message_event", "novelty", "wall_reply_new"] {
            let json = format!(r#"{{"type":"{kind}","event_id":"a","object":{nested}}}"#);
            let event = parse::event(json.as_bytes(), GROUP).unwrap();
            assert_eq!(event.kind(), EventKind::Unsupported, "{kind}");
            assert_eq!(event.raw.unwrap().get(), json);
        }
    }
    let forwarded = format!("{}{{}}{}", r#"{"from_id":1,"fwd_messages":["#.repeat(DEPTH), "]}".repeat(DEPTH));
    let replies = format!("{}{{}}{}", r#"{"reply_message":"#.repeat(DEPTH), "}".repeat(DEPTH));
    for (key, value) in [("fwd_messages", format!("[{forwarded}]")), ("reply_message", replies), ("x", deep)]
    {
        let json = format!(
            r#"{{"type":"message_new","event_id":"a","object":{{"message":{{"peer_id":5,"from_id":5,"text":"да","{key}":{value}}}}}}}"#
        );
        assert_eq!(parse::event(json.as_bytes(), GROUP).unwrap().kind(), EventKind::Message, "{key}");
    }
}

/// Nothing may be lost in silence: a damaged event is rejected, understood, or kept whole as unsupported; and whatever
/// it is, the events around it in a poll arrive.
fn nothing_is_lost(name: &str, json: &[u8]) {
    match parse::event(json, GROUP) {
        Err(rejected) => assert_eq!(rejected.status(), 400, "{name}"),
        Ok(event) if event.kind() == EventKind::Unsupported => {
            assert!(event.raw.is_some(), "{name}: kept without its raw form");
        }
        Ok(_) => {}
    }
    let before: &[u8] = br#"{"ts":"7","updates":[{"type":"novelty","event_id":"first"},"#;
    let answer = [before, json, br#",{"type":"novelty","event_id":"last"}]}"#].concat();
    // A body that is no JSON at all is refused as a whole, and the place stays.
    let Ok(Poll::Events { events, ts }) = parse::poll(&answer, GROUP) else {
        let is_json = std::str::from_utf8(&answer)
            .is_ok_and(|text| serde_json::from_str::<serde_json::Value>(text).is_ok());
        assert!(!is_json, "{name}");
        return;
    };
    assert_eq!(ts, "7");
    let ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
    assert!(ids.len() >= 3 && ids.starts_with(&["first"]) && ids.ends_with(&["last"]), "{name}: {ids:?}");
}

#[test]
fn no_event_is_lost_when_it_is_cut_off_anywhere() {
    for Fixture { name, body } in fixtures() {
        spoil::cuts(&body, |cut| assert_eq!(parse::event(cut, GROUP).unwrap_err().status(), 400, "{name}"));
        nothing_is_lost(&name, &body);
    }
}

#[test]
fn no_event_is_lost_when_one_byte_of_it_is_another() {
    for Fixture { name, body } in fixtures() {
        spoil::other_bytes(&body, |changed| nothing_is_lost(&name, changed));
    }
}

#[test]
fn no_event_is_lost_when_one_value_of_it_is_another() {
    for Fixture { name, body } in fixtures() {
        spoil::other_values(&body, |what, changed| nothing_is_lost(&format!("{name} {what}"), changed));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse::event(&bytes, GROUP);
        let _ = parse::poll(&bytes, GROUP);
    }

    #[test]
    fn any_words_arrive_as_they_were_written(words in "\\PC{1,200}") {
        let text = serde_json::to_string(&words).unwrap();
        let json = format!(
            r#"{{"type":"message_new","object":{{"message":{{"peer_id":5,"from_id":5,"text":{text}}}}}}}"#
        );
        let event = parse::event(json.as_bytes(), GROUP).unwrap();
        let EventBody::Message(message) = event.body else { panic!("no message") };
        prop_assert_eq!(message.content.plain_text(), Some(words.as_str()));
    }

    #[test]
    fn any_data_of_a_key_comes_back(data in "\\PC{0,100}|[\"\\\\{}:]{0,30}") {
        let payload = serde_json::to_string(&serde_json::json!({"omni": data})).unwrap();
        let within = serde_json::to_string(&payload).unwrap();
        for payload in [payload, within] {
            let json = format!(
                r#"{{"type":"message_event","object":{{"user_id":5,"peer_id":5,"event_id":"t","payload":{payload}}}}}"#
            );
            let EventBody::Button(button) = parse::event(json.as_bytes(), GROUP).unwrap().body else {
                panic!("no press")
            };
            prop_assert_eq!(&button.data, &data);
        }
    }
}
