//! A host with one mailbox.

use std::sync::Arc;
use std::time::Duration;

use omni::core::conversation::Actor;
use omni::core::tokens::MemoryTokens;
use omni::email::{Config, Email};
use omni::hub::store::{Entry, MessageRecord, Store};
use omni::hub::{HostEvent, HubBuilder};
use omni::{ChannelKey, ChannelSetup, Content, Conversation, Draft, EventBody, Hub, MemoryStore, Status};
use tokio::task::JoinHandle;

/// Longer than anything here takes, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(90);

/// A host with one mailbox.
pub(crate) struct Desk {
    pub(crate) hub: Hub,
    pub(crate) store: Arc<dyn Store>,
    running: JoinHandle<()>,
}

/// The mailbox's name in the hub.
pub(crate) fn key() -> ChannelKey {
    ChannelKey::new("shop", "mail")
}

pub(crate) fn agent() -> Actor {
    Actor::Agent { agent: "Мария".into() }
}

pub(crate) fn email(config: Config) -> Email {
    let http = omni::http::Http::new().unwrap();
    Email::new(config, &http, Arc::new(MemoryTokens::default())).unwrap()
}

impl Desk {
    pub(crate) async fn open(config: Config) -> Self {
        Self::open_on(Hub::builder(), Arc::new(MemoryStore::new()), config, |setup| setup).await
    }

    /// A host on a store, with a policy. The mailbox has been looked at for the first time when this returns.
    pub(crate) async fn open_on(
        builder: HubBuilder,
        store: Arc<dyn Store>,
        config: Config,
        setup: impl FnOnce(ChannelSetup) -> ChannelSetup,
    ) -> Self {
        let hub = builder.shared_store(Arc::clone(&store)).build();
        hub.add_channel(setup(ChannelSetup::new(key(), Arc::new(email(config)))));
        let running = tokio::spawn({
            let hub = hub.clone();
            async move { hub.run().await.unwrap() }
        });
        let desk = Self { hub, store, running };
        desk.listens().await;
        desk
    }

    /// Waits until the connector has looked at the mailbox.
    async fn listens(&self) {
        let waited = async {
            while self.store.cursor(&key()).await.unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waited).await.expect("the mailbox is listened to");
    }

    /// Everything that happened so far and later, until `look` finds something.
    pub(crate) async fn find<T>(&self, what: &str, mut look: impl FnMut(&Entry) -> Option<T>) -> T {
        let mut log = self.hub.events("a reader that never confirms");
        let search = async {
            loop {
                let entries = log.next().await.unwrap();
                assert!(!entries.is_empty(), "the hub ended before {what}");
                if let Some(found) = entries.iter().find_map(&mut look) {
                    return found;
                }
            }
        };
        match tokio::time::timeout(PATIENCE, search).await {
            Ok(found) => found,
            Err(_) => {
                let all = self.store.entries(0, 1000).await.unwrap();
                let last: Vec<_> = all.iter().rev().take(5).map(|entry| &entry.event).collect();
                panic!("waited {PATIENCE:?} in vain for {what}; {:?}; at last: {last:#?}", self.hub.health())
            }
        }
    }

    /// The message of a customer with these words.
    pub(crate) async fn received(&self, text: &str) -> (Conversation, MessageRecord) {
        let found = self
            .find(text, |entry| match &entry.event {
                HostEvent::Received { event, message: Some(id) } => match &event.body {
                    EventBody::Message(message) if message.content.plain_text() == Some(text) => {
                        Some((entry.conversation.unwrap(), *id))
                    }
                    _ => None,
                },
                _ => None,
            })
            .await;
        let conversation = self.hub.conversation(found.0).await.unwrap().unwrap();
        (conversation, self.hub.message(found.1).await.unwrap().unwrap())
    }

    /// Answers, and waits until the mail is handed over.
    pub(crate) async fn replies(&self, conversation: &Conversation, content: Content) -> MessageRecord {
        let sent = self.hub.reply(conversation.id, Draft::new(content, agent())).await.unwrap();
        self.becomes(sent[0], Status::Accepted).await
    }

    /// Waits until a message of ours has a status.
    pub(crate) async fn becomes(&self, message: omni::core::MessageId, wanted: Status) -> MessageRecord {
        self.find(&format!("{message} to be {wanted:?}"), |entry| match &entry.event {
            HostEvent::Status { message: id, status, .. } if *id == message && *status == wanted => Some(()),
            _ => None,
        })
        .await;
        self.hub.message(message).await.unwrap().unwrap()
    }

    /// The words of all messages of customers so far, in order.
    pub(crate) async fn words(&self) -> Vec<String> {
        let mut log = self.hub.events("another reader that never confirms").batch(1000);
        let mut words = Vec::new();
        while let Ok(Ok(entries)) = tokio::time::timeout(Duration::from_millis(50), log.next()).await {
            for entry in entries {
                if let HostEvent::Received { event, .. } = &entry.event
                    && let EventBody::Message(message) = &event.body
                {
                    words.push(message.content.plain_text().unwrap_or_default().to_owned());
                }
            }
        }
        words
    }

    /// Ends the host.
    pub(crate) async fn stop(self) {
        self.hub.shutdown();
        self.running.await.unwrap();
    }
}
