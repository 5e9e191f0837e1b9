//! What waits for agents survives the process: on SQLite, with a hub that is gone without a word.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

#[allow(dead_code)] // the laws use all of it
#[path = "../omni-hub/tests/laws/fake.rs"]
mod fake;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use omni::core::contact::{Identity, Profile, Sender, SenderKind};
use omni::core::conversation::{Actor, Owner};
use omni::core::event::Message;
use omni::core::policy::Presence;
use omni::core::webhook::WebhookRequest;
use omni::hub::{HostEvent, ManualClock};
use omni::{
    Address, Book, ChannelKey, ChannelSetup, Content, Event, EventBody, Hub, Provider, SqliteStore, Timestamp,
};
use tokio::task::JoinHandle;

const BOOK: &str = r#"
    [agents.anna]
    capacity = 1
    [teams.sales]
    members = ["anna"]
    distribution = "round_robin"
    [channels.shop]
    receiver = { team = "sales" }
    auto_replies = [{ text = "Скоро ответим 🙏", delay = "10m" }]
"#;

fn shop() -> ChannelKey {
    ChannelKey::new("acme", "shop")
}

/// A hub on the file, and its task: dropped without a word, it leaves its rows and leases as a killed process does.
fn start(path: &Path, clock: &ManualClock, provided: &Arc<fake::Provided>) -> (Hub, JoinHandle<()>) {
    let hub =
        Hub::builder().store(SqliteStore::open(path).unwrap()).clock(clock.clone()).node("desk").build();
    hub.set_book("acme", Book::from_toml(BOOK).unwrap()).unwrap();
    hub.add_channel(ChannelSetup::new(shop(), Arc::new(fake::Fake::new(provided, |_| ()))));
    let running = hub.clone();
    let task = tokio::spawn(async move { running.run().await.unwrap() });
    (hub, task)
}

async fn says(hub: &Hub, who: &str) {
    let identity = Identity::new(Provider::new("fake"), who);
    let sender = Sender { identity, profile: Profile::default(), kind: SenderKind::Person };
    let message = Message::new(format!("m{who}"), sender, Content::text("Есть кто живой? 😀"));
    let event = Event::new(format!("e{who}"), EventBody::Message(message)).at_address(Address::new(who));
    let body = Bytes::from(serde_json::to_vec(&[event]).unwrap());
    let mut request = WebhookRequest::post("/", body, hub.now());
    request.headers.insert("x-secret", fake::SECRET.parse().unwrap());
    assert_eq!(hub.webhook(&shop(), request).await.status, 200);
}

/// The next conversation that the engine gives to an agent.
async fn given(hub: &Hub, log: &mut omni::hub::Consumer) -> String {
    loop {
        let entries = log.next().await.unwrap();
        log.done().await.unwrap();
        for entry in entries {
            let by_rule = |by: &Actor| matches!(by, Actor::Rule { .. });
            let HostEvent::Assigned { to: Owner::Agent { .. }, by } = &entry.event else { continue };
            if by_rule(by) {
                let conversation = hub.conversation(entry.conversation.unwrap()).await.unwrap().unwrap();
                return conversation.address.to_string();
            }
        }
    }
}

#[tokio::test]
async fn a_queue_is_drained_oldest_first_by_the_next_process_and_waits_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.db");
    let clock = ManualClock::at(Timestamp::from_secs(1_768_381_200));
    let provided = fake::Provided::new();
    let (hub, task) = start(&path, &clock, &provided);
    let mut log = hub.events("test").batch(1);
    for who in ["1", "2", "3"] {
        says(&hub, who).await;
        clock.advance(Duration::from_millis(5));
    }
    hub.set_presence("acme", "anna", Presence::Online).await.unwrap();
    assert_eq!(given(&hub, &mut log).await, "1");
    task.abort();
    let _ = task.await;
    drop((hub, log));

    let (hub, task) = start(&path, &clock, &provided);
    let mut log = hub.events("test").batch(1);
    for (freed, next) in [("1", "2"), ("2", "3")] {
        let all = hub.conversations(&omni::hub::store::ConversationQuery::default()).await.unwrap();
        let conversation = all.into_iter().find(|c| c.address.as_str() == freed).unwrap();
        assert_eq!(conversation.owner, Owner::Agent { agent: "anna".into() });
        hub.close(conversation.id, Actor::Agent { agent: "anna".into() }).await.unwrap();
        assert_eq!(given(&hub, &mut log).await, next, "the place that got free goes to the oldest");
    }
    // The texts of the closed ones are dropped; the third person has waited for ten minutes.
    clock.advance(Duration::from_secs(600));
    loop {
        let entries = log.next().await.unwrap();
        if entries.iter().any(|e| matches!(&e.event, HostEvent::Queued { .. })) {
            break;
        }
    }
    let desk = hub.desk(&"acme".into()).await.unwrap();
    assert_eq!(desk.agents.get("anna").unwrap().total(), 1);
    assert_eq!(desk.waiting.values().sum::<u32>(), 0);
    hub.shutdown();
    task.await.unwrap();
    assert_eq!(provided.texts(), [("3".to_owned(), "Скоро ответим 🙏".to_owned())]);
}
