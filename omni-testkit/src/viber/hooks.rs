//! Callbacks: signed, posted, tried again.
//!
//! <https://developers.viber.com/docs/api/rest-bot-api/#webhooks>: only 200 will do; what is answered
//! otherwise comes again for an hour.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use omni_core::Timestamp;
use omni_core::crypto::hmac_sha256;
use serde_json::{Value, json};

use super::bot::{Bot, Entry, From, State, Webhook};
use super::check;
use crate::sim::{Answered, Ground, Hook, Poster, Verdict};

const SIGNATURE: &str = "x-viber-content-signature";
/// Tries of one callback.
const TRIES: u32 = 6;
/// Pause between two of them; Viber takes minutes.
const PAUSE: Duration = Duration::from_millis(20);

/// What posts a bot's callbacks, and reads the welcome out of their answers.
pub(super) fn poster(ground: &Ground, state: &Arc<Mutex<State>>) -> Poster {
    let state = Arc::clone(state);
    Poster::new(ground, move |hook, answer| {
        if answer.status == Some(StatusCode::OK) {
            welcome(&state, hook, answer);
            return Verdict::Taken;
        }
        if hook.attempt + 1 < TRIES { Verdict::Again(PAUSE) } else { Verdict::Dropped }
    })
}

/// Posts a callback to what is registered; nobody hears it otherwise.
pub(super) fn post(bot: &Bot, lane: &str, body: &Value) {
    let Some(Webhook { url, .. }) = bot.lock().webhook.clone() else { return };
    bot.inner.poster.post(signed(bot, lane, &url, body));
}

/// Whether an address takes the probe of a registration.
pub(super) async fn probe(bot: &Bot, url: &str) -> bool {
    // Tokens and times of the probe go up to the end of their range.
    let (token, timestamp) = (bot.lock().next_token(), 4_977_069_964_384_421_269_u64);
    let body = json!({
        "event": "webhook", "timestamp": timestamp, "chat_hostname": "SN-CHAT-05_", "message_token": token
    });
    let answer = bot.inner.poster.ask(signed(bot, "probe", url, &body)).await;
    answer.status == Some(StatusCode::OK)
}

fn signed(bot: &Bot, lane: &str, url: &str, body: &Value) -> Hook {
    let body = body.to_string();
    let signature: String = hmac_sha256(bot.inner.token.as_bytes(), body.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mark = if url.contains('?') { '&' } else { '?' };
    let mut hook = Hook::json(lane, format!("{url}{mark}sig={signature}"), body);
    if let Ok(signature) = HeaderValue::from_str(&signature) {
        hook.headers.insert(SIGNATURE, signature);
    }
    hook
}

/// Shows the message in the answer to an opened chat, when it is one that Viber takes. Anything else is
/// nothing.
fn welcome(state: &Mutex<State>, hook: &Hook, answer: &Answered) {
    let Ok(opened) = serde_json::from_slice::<Value>(&hook.body) else { return };
    let Ok(message) = serde_json::from_slice::<Value>(&answer.body) else { return };
    let is_json =
        answer.headers.get("content-type").is_some_and(|kind| kind.as_bytes() == b"application/json");
    let person = opened.pointer("/user/id").and_then(Value::as_str).unwrap_or_default();
    if opened.get("event") != Some(&json!("conversation_started")) || !is_json {
        return;
    }
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let token = state.next_token();
    let at = opened.get("timestamp").and_then(Value::as_i64).map(Timestamp::from_millis).unwrap_or_default();
    let Some(known) = state.people.get_mut(person) else { return };
    let is_free =
        message.get("receiver").is_none() && check::message(&message, known.person.api_version).is_ok();
    if is_free && !known.is_subscribed {
        known.transcript.push(Entry { token, from: From::Bot, at, json: message });
    }
}
