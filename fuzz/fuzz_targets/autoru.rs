//! Bodies of Auto.ru's webhooks, and messages of its rooms.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use omni_autoru::rest::parse::InRoom;
use omni_autoru::wire::rooms::{MessageList, Room};
use omni_autoru::{Autoru, Config};
use omni_http::Http;

static CHANNEL: LazyLock<Autoru> = LazyLock::new(|| {
    let http = Http::new().expect("TLS is set up");
    Autoru::new(Config::new("Vj72x3B9NTk0qLw4Zr81mXc5"), http).expect("good settings")
});

fuzz_target!(|body: &[u8]| {
    omni_fuzz::webhook(&*CHANNEL, body);
    let Ok(MessageList { messages }) = serde_json::from_slice(body) else { return };
    let room = serde_json::from_str::<Room<'_>>(r#"{"id": "8a8a", "me": "u-me"}"#).expect("a room");
    for message in messages {
        let event = InRoom::from(&room).event(message);
        serde_json::to_string(&event).expect("events are JSON");
    }
});
