//! Events: signed anew for each try, and tried again until they are taken.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::HeaderValue;
use omni_core::crypto::hmac_sha256;
use serde_json::Value;

use super::state::State;
use super::{ProgramSim, lock};
use crate::sim::{Ground, Hook, Poster, Verdict};

/// Tries of one body.
const TRIES: u32 = 6;
/// Pause between two of them.
const PAUSE: Duration = Duration::from_millis(20);

/// What posts events. A body that is refused for what it is is given up: it will be no better.
pub(super) fn poster(ground: &Ground, state: &Arc<Mutex<State>>) -> Poster {
    let (state, clock) = (Arc::clone(state), ground.clone());
    let verdict = |hook: &Hook, answer: &crate::sim::Answered| match answer.status.map(|s| s.as_u16()) {
        Some(200..=299) => Verdict::Taken,
        Some(400 | 413) => Verdict::Dropped,
        _ if hook.attempt + 1 < TRIES => Verdict::Again(PAUSE),
        _ => Verdict::Dropped,
    };
    Poster::dressing(ground, verdict, move |hook| {
        let key = lock(&state).keys.first().cloned().unwrap_or_default();
        sign(hook, &key, clock.now().as_millis() / 1000);
    })
}

fn sign(hook: &mut Hook, key: &str, at: i64) {
    let timestamp = at.to_string();
    let signed = [timestamp.as_bytes(), b".", &hook.body].concat();
    let hex =
        hmac_sha256(key.as_bytes(), &signed).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    if let Ok(signature) = HeaderValue::from_str(&format!("v1={hex}")) {
        hook.headers.insert("x-omni-signature", signature);
    }
    hook.headers.insert("x-omni-timestamp", at.into());
}

/// Posts a body to where its owner said; nobody hears it otherwise.
pub(super) fn post(sim: &ProgramSim, lane: &str, body: &Value) {
    let Some(webhook) = sim.lock().webhook.clone() else { return };
    sim.hooks().post(Hook::json(lane, webhook, body.to_string()));
}
