//! What the fuzz targets of connectors have in common.

use omni_core::webhook::{Verified, WebhookRequest};
use omni_core::{Channel, Event, Timestamp};

/// Hands bytes to a channel as the body of a webhook that was found genuine. Whatever they are, they are refused with a
/// 4xx or become events that survive being stored; what was not understood keeps its raw form.
///
/// # Panics
/// When one of these does not hold.
pub fn webhook(channel: &dyn Channel, body: &[u8]) {
    let inbound = channel.inbound().expect("every connector here receives");
    let request = WebhookRequest::post("/hook", body.to_vec(), Timestamp::from_secs(1_767_225_600));
    match inbound.parse(Verified::trusted(&request)) {
        Ok(received) => received.events.iter().for_each(survives),
        Err(refused) => assert!(refused.status().is_client_error(), "answered {}", refused.status()),
    }
}

fn survives(event: &Event) {
    assert!(!event.id.as_str().is_empty(), "an event without an id");
    if let omni_core::EventBody::Unsupported { .. } = &event.body {
        assert!(event.raw.is_some(), "the raw form is lost");
    }
    let stored = serde_json::to_string(event).expect("events are JSON");
    let read: Event = serde_json::from_str(&stored).expect("what was stored is read");
    assert_eq!(serde_json::to_string(&read).expect("events are JSON"), stored);
}
