//! The smallest connector, `examples/custom_connector.rs`, passes the whole suite; and what else its guide,
//! `docs/writing-a-connector.md`, says of its tests. `UPDATE_GOLDEN=1` writes the report anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

#[path = "support/built.rs"]
mod built;
#[path = "../examples/custom_connector.rs"]
#[allow(dead_code, unreachable_pub)] // its `main`, and what it shows to others
mod custom_connector;
#[path = "custom_connector/parrot.rs"]
#[allow(unreachable_pub)] // in a crate of its own it stands beside the test
mod parrot;
#[path = "custom_connector/rig.rs"]
#[allow(unreachable_pub)]
mod rig;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use omni_core::crypto::hmac_sha256;
use omni_core::event::EventKind;
use omni_core::webhook::{Verified, WebhookRequest};
use omni_core::{Channel, Event, Inbound, Timestamp};
use omni_http::Http;
use omni_testkit::conformance::{self, Committed, Rig};
use omni_testkit::golden::{self, spoil};
use omni_testkit::pair::{Moving, Pair};
use omni_testkit::redact::Redaction;
use rig::Account;
use serde_json::json;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connector_conforms() {
    let (webhook, asking) =
        tokio::join!(conformance::run(Account::by_webhook), conformance::run(Account::by_asking));
    for report in [&webhook, &asking] {
        report.assert_passed();
    }
    let reports = [("An account that gets webhooks", webhook), ("An account that asks", asking)];
    let parrot = custom_connector::connector(Http::new().unwrap());
    // In a crate of its own `commit_report` does this.
    let committed = Committed::new("the smallest connector", &parrot, &reports);
    let text = committed.markdown("cargo test --features full --test custom_connector");
    golden::check(root().join("examples/custom_connector.conformance.json"), &committed.json());
    golden::check(root().join("examples/custom_connector.CONFORMANCE.md"), &text);
}

/// What Parrot posts, in one body: a message, something unknown, a status.
const BATCH: &str = r#"{"events": [
    {"kind": "message", "id": "p1", "chat": "клетка-1", "name": "Пётр", "text": "Есть корм? 🦜", "at": 1760000000000},
    {"kind": "whistle", "id": "p2", "tune": "🎵"},
    {"kind": "status", "id": "p3", "message": "p0", "status": "read", "at": 1760000000001}
]}"#;

/// What becomes of a body; nothing where it is refused.
fn read(channel: &dyn Channel, body: &[u8]) -> Option<Vec<Event>> {
    let request = WebhookRequest::post("/", body.to_vec(), Timestamp::default());
    channel.inbound()?.parse(Verified::trusted(&request)).ok().map(|received| received.events)
}

#[tokio::test]
async fn a_batch_becomes_an_event_an_entry() {
    let channel = Account::by_webhook().await.channel();
    let events = read(&*channel, BATCH.as_bytes()).unwrap();
    let kinds: Vec<EventKind> = events.iter().map(Event::kind).collect();
    assert_eq!(kinds, [EventKind::Message, EventKind::Unsupported, EventKind::Status]);
    assert!(events[1].raw.as_ref().unwrap().get().contains("🎵"));
}

#[tokio::test]
async fn a_spoilt_batch_is_refused_or_keeps_its_entries() {
    let channel = Account::by_webhook().await.channel();
    let read = |body: &[u8]| read(&*channel, body);
    spoil::cuts(BATCH.as_bytes(), |body| assert!(read(body).is_none()));
    spoil::other_bytes(BATCH.as_bytes(), |body| drop(read(body)));
    spoil::other_values(BATCH.as_bytes(), |what, body| {
        let Some(events) = read(body) else { return };
        let understood = |event: &Event| event.kind() != EventKind::Unsupported;
        assert!(events.iter().all(|event| understood(event) || event.raw.is_some()), "{what}");
        assert!(events.len() == 3 || what.starts_with("/events ="), "{what}: {} events", events.len());
    });
}

#[test]
fn an_empty_secret_opens_nothing() {
    let config = |secret: &str| custom_connector::Config {
        token: "t0ken".into(),
        webhook_secret: Some(secret.into()),
        base_url: "http://127.0.0.1:1".parse().unwrap(),
    };
    let opens = |secret: &str| {
        let signature = hmac_sha256(secret.as_bytes(), BATCH.as_bytes()).map(|byte| format!("{byte:02x}"));
        let mut request = WebhookRequest::post("/", BATCH, Timestamp::default());
        request.headers.insert("x-parrot-signature", signature.concat().parse().unwrap());
        let channel = custom_connector::Parrot::new(config(secret), Http::new().unwrap()).unwrap();
        channel.verify(&request).is_ok()
    };
    assert!(opens("s3cret"));
    assert!(!opens(""));
}

#[test]
fn the_program_shows_parrot_as_hosts_see_it() {
    let output = Command::new(built::example("custom_connector")).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}");
    for words in ["webhook_secret", "\"writeOnly\": true", "\"max\": 1000", "Parrot, Telegram bot"] {
        assert!(printed.contains(words), "{words} is not in {printed}");
    }
}

#[test]
fn a_captured_payload_becomes_a_fixture() {
    let captured = json!({"kind": "message", "chat": "80020002", "text": "Звоните 8 916 123-45-67 😀", "at": 1760000000000_i64});
    let fixture = Redaction::new().keep(["kind", "at"]).apply(&captured);
    assert_eq!((&fixture["kind"], &fixture["at"]), (&captured["kind"], &captured["at"]));
    assert!(!fixture.to_string().contains("916"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_and_an_agent_talk_through_a_hub() {
    let pair = Pair::start(Arc::new(Account::by_webhook().await)).await.unwrap();
    let talk = pair.customer_writes("Есть корм? 🦜").await.unwrap();
    pair.reply(&talk, "anna", "Есть, зерновой").await.unwrap();
    pair.all_sent(&talk, Moving::No).await.unwrap();
    assert_eq!(pair.seen().await, ["Есть, зерновой"]);
}

#[test]
fn every_snippet_of_the_guide_is_in_the_sources() {
    const SOURCES: [&str; 4] = [
        "examples/custom_connector.rs",
        "tests/custom_connector/parrot.rs",
        "tests/custom_connector/rig.rs",
        "tests/custom_connector.rs",
    ];
    let text = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let sources = SOURCES.map(text);
    let guide = text("docs/writing-a-connector.md");
    // The files of a crate of one's own are made and run by `tests/outside.rs`.
    let sections: Vec<&str> = guide.split("\n## ").filter(|s| !s.starts_with("A new crate\n")).collect();
    let mut count = 0;
    for section in sections {
        for block in section.split("```rust\n").skip(1) {
            let snippet = block.split_once("```").unwrap().0;
            let is_there = sources.iter().any(|source| source.contains(snippet));
            assert!(is_there, "this is in none of {SOURCES:?}:\n{snippet}");
            count += 1;
        }
    }
    assert!(count >= 12, "{count} snippets");
    let lines = sources[0].lines().count();
    assert!(lines < 200, "the smallest connector has {lines} lines: the guide says fewer than 200");
}
