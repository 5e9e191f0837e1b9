//! The answer to a poll: many updates, each of which fails alone.

use omni_core::event::{Event, EventBody};
use omni_core::webhook::{RejectReason, Rejected};
use serde_json::value::RawValue;

/// What one poll brought.
#[derive(Debug)]
pub struct Batch {
    /// What happened, in order.
    pub events: Vec<Event>,
    /// The offset that confirms all of it; `None` when there was nothing.
    pub next: Option<i64>,
}

/// Reads the list of updates that was asked for from the offset `from` on.
///
/// No element stops those behind it: what has not even an id is kept raw and passed over, because an update
/// that is never confirmed would come for ever.
///
/// # Errors
/// [`Rejected`] when it is not a list, or when nothing in it tells how to go on.
pub fn batch(json: &[u8], from: Option<i64>, username: Option<&str>) -> Result<Batch, Rejected> {
    let elements: Vec<&RawValue> = serde_json::from_slice(json).map_err(|e| Rejected::malformed(&e))?;
    let mut events = Vec::with_capacity(elements.len());
    let mut highest: Option<i64> = None;
    for (index, element) in elements.iter().enumerate() {
        let event = match super::update(element.get().as_bytes(), username) {
            Ok(event) => event,
            Err(_) => nameless(element, from, index),
        };
        highest = highest.max(event.id.as_str().parse().ok());
        events.push(event);
    }
    let after_named = highest.map(|id| id.saturating_add(1));
    // Ids rise by one, so as many as came are behind the place that was asked for.
    let after_nameless = || Some(from?.saturating_add(i64::try_from(events.len()).ok()?));
    let next = match events.is_empty() {
        true => None,
        false => match after_named.or_else(after_nameless) {
            Some(next) => Some(next),
            None => return Err(Rejected::new(RejectReason::Malformed)),
        },
    };
    Ok(Batch { events, next })
}

/// An element without an id; its place in the stream recognises it when it comes again.
fn nameless(element: &RawValue, from: Option<i64>, index: usize) -> Event {
    let id = format!("nameless-{}-{index}", from.unwrap_or_default());
    Event::new(id, EventBody::Unsupported { what: "update".to_owned() }).with_raw(element)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(batch: &Batch) -> Vec<&'static str> {
        batch.events.iter().map(|event| event.kind().as_str()).collect()
    }

    #[test]
    fn one_bad_update_keeps_the_others() {
        let json = r#"[
            {"update_id": 7, "message": {"message_id": 1, "date": 1, "chat": {"id": 5, "type": "private"}, "text": "да"}},
            {"update_id": 9, "message": {"message_id": "не число", "chat": 7}},
            {"update_id": 8, "novelty": {"a": [1, 2]}},
            {"no": "id"}, 17, null
        ]"#;
        let batch = batch(json.as_bytes(), Some(7), None).unwrap();
        let unsupported = "unsupported";
        assert_eq!(
            kinds(&batch),
            ["message", unsupported, unsupported, unsupported, unsupported, unsupported]
        );
        assert_eq!(batch.next, Some(10));
        assert!(batch.events.iter().skip(1).all(|event| event.raw.is_some()));
        let mut ids: Vec<_> = batch.events.iter().map(|event| event.id.clone()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 6);
    }

    #[test]
    fn elements_without_ids_do_not_block_for_ever() {
        assert_eq!(batch(b"[1, 2]", Some(40), None).unwrap().next, Some(42));
        assert!(batch(b"[1, 2]", None, None).is_err());
        assert_eq!(batch(b"[]", Some(40), None).unwrap().next, None);
        assert!(batch(b"{}", None, None).is_err());
    }

    #[test]
    fn offsets_do_not_overflow() {
        let json = format!(r#"[{{"update_id": {}}}]"#, i64::MAX);
        assert_eq!(batch(json.as_bytes(), None, None).unwrap().next, Some(i64::MAX));
    }
}
