//! The smallest connector, `examples/custom_connector.rs`, passes the whole suite; and what else its guide,
//! `docs/writing-a-connector.md`, says of its tests. `UPDATE_GOLDEN=1` writes the report anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

#[path = "../examples/custom_connector.rs"]
#[allow(dead_code)] // its `main`
mod custom_connector;
#[path = "custom_connector/parrot.rs"]
mod parrot;
#[path = "custom_connector/rig.rs"]
mod rig;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use omni_core::event::EventKind;
use omni_core::webhook::{Verified, WebhookRequest};
use omni_core::{Channel, Inbound, Timestamp};
use omni_http::Http;
use omni_testkit::conformance::{self, Rig};
use omni_testkit::golden::{self, spoil};
use omni_testkit::pair::{Moving, Pair};
use omni_testkit::redact::Redaction;
use rig::Account;
use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connector_conforms() {
    let (webhook, asking) =
        tokio::join!(conformance::run(Account::by_webhook), conformance::run(Account::by_asking));
    let mut text = "# Conformance of the smallest connector\n\n\
                    Made by the suite `omni_testkit::conformance` against its simulator:\n\
                    `UPDATE_GOLDEN=1 cargo test --features full --test custom_connector` writes it anew.\n"
        .to_owned();
    for (title, report) in [("An account that gets webhooks", webhook), ("An account that asks", asking)] {
        report.assert_passed();
        text.push_str(&format!("\n## {title}\n\n{}", report.markdown()));
    }
    golden::check(root().join("examples/custom_connector.CONFORMANCE.md"), &text);
}
