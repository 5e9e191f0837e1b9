//! The `inbox` example as a process that can be killed, and what its database holds then.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use omni::SqliteStore;
use omni::core::event::EventBody;
use omni::hub::HostEvent;
use omni::hub::store::Store;

use super::built;

/// The desk, with the accounts of `omni.toml` in a folder.
pub(crate) struct Host(Child);

impl Host {
    pub(crate) fn start(folder: &Path) -> Self {
        let child = Command::new(built::example("inbox"))
            .env("OMNI_CONFIG", folder.join("omni.toml"))
            .env("OMNI_DB", folder.join("desk.db"))
            .env("LISTEN", "127.0.0.1:0")
            .env("RUST_LOG", "error")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the example starts");
        Self(child)
    }

    pub(crate) fn kill(mut self) {
        self.0.kill().expect("SIGKILL");
        self.0.wait().expect("it is dead");
    }
}

/// How often each text of a customer is in the store.
pub(crate) async fn stored(folder: &Path) -> HashMap<String, u64> {
    let store = SqliteStore::open(folder.join("desk.db")).expect("the database opens after a kill");
    let (mut received, mut after) = (HashMap::new(), 0);
    loop {
        let entries = store.entries(after, 10_000).await.expect("the log is readable");
        let Some(last) = entries.last() else { return received };
        after = last.seq;
        for entry in entries {
            if let HostEvent::Received { event, .. } = entry.event
                && let EventBody::Message(message) = &event.body
            {
                let text = message.content.plain_text().unwrap_or_default().to_owned();
                *received.entry(text).or_default() += 1;
            }
        }
    }
}
