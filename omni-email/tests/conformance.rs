//! The conformance suite, against the simulator of a mail server. `UPDATE_GOLDEN=1` writes the report anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

mod rig;

use omni_http::Http;
use omni_testkit::conformance;
use rig::Shop;

#[tokio::test]
async fn the_connector_conforms() {
    rig::runs_fast();
    let reports = [
        ("A mailbox at a server that tells of new mail", conformance::run(Shop::start).await),
        ("At a server that has to be asked", conformance::run_receiving(Shop::at_a_plain_server).await),
    ];
    let connector = omni_email::connector(Http::new().unwrap());
    conformance::commit_report(env!("CARGO_MANIFEST_DIR"), "omni-email", &connector, &reports);
}
