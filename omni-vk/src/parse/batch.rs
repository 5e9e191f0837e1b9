//! The answer to a poll: many events, each of which fails alone.

use omni_core::AccountId;
use omni_core::event::{Event, EventBody};
use omni_core::webhook::{RejectReason, Rejected};
use serde_json::value::RawValue;

use crate::number::fingerprint;
use crate::wire::LongPoll;

/// What one poll brought. <https://dev.vk.com/api/bots-long-poll/getting-started> (read 2026-11)
#[derive(Debug)]
pub enum Poll {
    /// What happened, in order, and the place behind it.
    Events {
        /// What happened.
        events: Vec<Event>,
        /// The place from which to ask next.
        ts: String,
    },
    /// A part of the history is lost; it goes on from here.
    Lost {
        /// The place from which to ask next.
        ts: String,
    },
    /// The key ran out: a new one is needed, the place holds.
    KeyExpired,
    /// Key and place are needed anew.
    Anew,
}

/// Reads the answer to a poll.
///
/// No element stops those behind it: what is no event at all is kept raw and passed over, because the place moves on.
///
/// # Errors
/// [`Rejected`] when it is not the answer to a poll.
pub fn poll(json: &[u8], group_id: i64) -> Result<Poll, Rejected> {
    let answer: LongPoll<'_> = serde_json::from_slice(json).map_err(|e| Rejected::malformed(&e))?;
    match (answer.failed, answer.ts) {
        (None, Some(ts)) => {
            let events = answer.updates.iter().map(|update| element(update, group_id)).collect();
            Ok(Poll::Events { events, ts: ts.0 })
        }
        (Some(1), Some(ts)) => Ok(Poll::Lost { ts: ts.0 }),
        (Some(2), _) => Ok(Poll::KeyExpired),
        (Some(_), _) => Ok(Poll::Anew),
        (None, None) => Err(Rejected::new(RejectReason::Malformed)),
    }
}

fn element(update: &RawValue, group_id: i64) -> Event {
    super::event(update.get().as_bytes(), group_id).unwrap_or_else(|_| {
        let id = format!("nameless:{}", fingerprint(update.get()));
        let event = Event::new(id, EventBody::Unsupported { what: "update".to_owned() }).with_raw(update);
        Event { account: Some(AccountId::from(group_id.to_string())), ..event }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(json: &str) -> (Vec<Event>, String) {
        match poll(json.as_bytes(), 123_456).unwrap() {
            Poll::Events { events, ts } => (events, ts),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_bad_event_keeps_the_others() {
        let json = r#"{"ts": "1843", "updates": [
            {"type": "message_new", "event_id": "a", "group_id": 123456, "object": {"message":
                {"peer_id": 5, "from_id": 5, "conversation_message_id": 1, "date": 1, "text": "да 👍"}}},
            {"type": "message_new", "event_id": "b", "group_id": 123456, "object": {"message": {"peer_id": "пять"}}},
            {"type": "novelty", "event_id": "c", "object": [1]},
            {"no": "type"}, 17, null
        ]}"#;
        let (events, ts) = events(json);
        let kinds: Vec<&str> = events.iter().map(|event| event.kind().as_str()).collect();
        let unsupported = "unsupported";
        assert_eq!(kinds, ["message", unsupported, unsupported, unsupported, unsupported, unsupported]);
        assert_eq!(ts, "1843");
        assert!(events.iter().skip(1).all(|event| event.raw.is_some()));
        let mut ids: Vec<_> = events.iter().map(|event| event.id.clone()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 6);
    }

    #[test]
    fn a_place_is_text_or_a_number() {
        assert_eq!(events(r#"{"ts": "1843", "updates": []}"#).1, "1843");
        assert_eq!(events(r#"{"ts": 1843, "updates": []}"#).1, "1843");
    }

    #[test]
    fn every_failure_says_how_to_go_on() {
        let read = |json: &str| poll(json.as_bytes(), 1);
        assert!(matches!(read(r#"{"failed":1,"ts":1850}"#), Ok(Poll::Lost { ts }) if ts == "1850"));
        assert!(matches!(read(r#"{"failed":1,"ts":"1850"}"#), Ok(Poll::Lost { ts }) if ts == "1850"));
        assert!(matches!(read(r#"{"failed":1}"#), Ok(Poll::Anew)));
        assert!(matches!(read(r#"{"failed":2}"#), Ok(Poll::KeyExpired)));
        assert!(matches!(read(r#"{"failed":3}"#), Ok(Poll::Anew)));
        assert!(matches!(read(r#"{"failed":4,"min_version":0}"#), Ok(Poll::Anew)));
        for bad in ["", "[]", "{}", "null", r#"{"updates":[]}"#, r#"{"ts":[],"updates":[]}"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
