//! A talk of messages that name each other goes on in another process.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use omni_core::capability::{Capabilities, Support};
use omni_core::channel::{Account, Channel, Connected, Inbound, Outbound, Receives, Sink};
use omni_core::contact::{Profile, Sender, SenderKind};
use omni_core::content::ContentKind;
use omni_core::error::{Error, Result};
use omni_core::event::{EventBody, Message, Thread};
use omni_core::id::Cursor;
use omni_core::media::{MediaRef, MediaStream};
use omni_core::outbound::{Accepted, OutboundItem, SendError};
use omni_core::webhook::{Received, RejectReason, Rejected, Verified, WebhookRequest, WebhookUrl};
use omni_core::{Address, Content, Event, Identity, Provider, Secret, Status, Timestamp};
use omni_hub::store::ConversationQuery;
use omni_hub::{ChannelKey, ChannelSetup, Draft, Hub, Store};
use omni_sqlite::SqliteStore;
use tokio::sync::mpsc;

const SECRET: &str = "genuine";

/// Takes events in their JSON form, and hands over what is sent.
#[derive(Debug)]
struct Letters {
    capabilities: Capabilities,
    sent: mpsc::UnboundedSender<OutboundItem>,
}

#[async_trait]
impl Channel for Letters {
    fn provider(&self) -> Provider {
        Provider::new("letters")
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn receives(&self) -> Receives {
        Receives::Webhook
    }

    async fn check(&self) -> Result<Account> {
        Ok(Account { id: "1".into(), name: "Letters".into(), handle: None, warnings: Vec::new() })
    }

    async fn connect(&self, _at: &WebhookUrl) -> Result<Connected> {
        Ok(Connected::default())
    }

    async fn disconnect(&self) -> Result<()> {
        Ok(())
    }

    fn inbound(&self) -> Option<&dyn Inbound> {
        Some(self)
    }

    fn outbound(&self) -> Option<&dyn Outbound> {
        Some(self)
    }
}

#[async_trait]
impl Inbound for Letters {
    fn verify<'a>(&self, request: &'a WebhookRequest) -> Result<Verified<'a>, Rejected> {
        let given = request.header("x-secret").map(str::as_bytes);
        Verified::by_secret(request, given, &Secret::new(SECRET))
    }

    fn parse(&self, verified: Verified<'_>) -> Result<Received, Rejected> {
        let events = serde_json::from_slice(verified.body());
        events.map(Received::ok).map_err(|_| Rejected::new(RejectReason::Malformed))
    }

    async fn listen(&self, _from: Option<Cursor>, _sink: &dyn Sink) -> Result<()> {
        Err(Error::unsupported("listen"))
    }

    async fn fetch(&self, _media: &MediaRef, _cap: u64) -> Result<MediaStream> {
        Err(Error::unsupported("fetch"))
    }
}

#[async_trait]
impl Outbound for Letters {
    async fn send(&self, item: &OutboundItem) -> Result<Accepted, SendError> {
        self.sent.send(item.clone()).unwrap();
        let note = Some("re: answered".into());
        Ok(Accepted { note, ..Accepted::new(format!("out-{}", item.id), Status::Sent) })
    }
}

fn shop() -> ChannelKey {
    ChannelKey::new("acme", "letters")
}

fn letter(id: &str, thread: Thread) -> Event {
    let identity = Identity::new(Provider::new("letters"), "ivan");
    let profile = Profile { name: Some("Иван".to_owned()), ..Profile::default() };
    let sender = Sender { identity, profile, kind: SenderKind::Person };
    let mut message = Message::new(id, sender, Content::text("Здравствуйте"));
    message.thread = Some(Box::new(thread));
    Event::new(id, EventBody::Message(message)).at_address(Address::new(format!("talk-{id}")))
}

/// What happens in one process, on the file as the one before it left it.
struct Process {
    hub: Hub,
    store: SqliteStore,
    sent: mpsc::UnboundedReceiver<OutboundItem>,
    running: tokio::task::JoinHandle<Result<(), omni_hub::HubError>>,
}

impl Process {
    fn start(path: &Path) -> Self {
        let store = SqliteStore::open(path).unwrap();
        let hub = Hub::builder().store(store.clone()).node("desk").build();
        let (into, sent) = mpsc::unbounded_channel();
        let mut capabilities = Capabilities::default();
        capabilities.content.insert(ContentKind::Text, Support::Full);
        hub.add_channel(ChannelSetup::new(shop(), Arc::new(Letters { capabilities, sent: into })));
        let running = tokio::spawn({
            let hub = hub.clone();
            async move { hub.run().await }
        });
        Self { hub, store, sent, running }
    }

    async fn receive(&self, events: &[Event]) {
        let body = Bytes::from(serde_json::to_vec(events).unwrap());
        let mut request = WebhookRequest::post("/", body, Timestamp::from_secs(1_767_225_600));
        request.headers.insert("x-secret", SECRET.parse().unwrap());
        assert_eq!(self.hub.webhook(&shop(), request).await.status, 200);
    }

    /// Answers in the only talk there is, and says what the connector was told.
    async fn answer(&mut self) -> OutboundItem {
        let talks = self.store.conversations(&ConversationQuery::default()).await.unwrap();
        assert_eq!(talks.len(), 1, "{talks:?}");
        self.hub.reply(talks[0].id, Draft::text("Готово")).await.unwrap();
        self.sent.recv().await.unwrap()
    }

    async fn end(self) {
        self.hub.shutdown();
        self.running.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_talk_and_its_note_go_on_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("omni.db");
    let first = Process::start(&path);
    let note = Some("re: a".into());
    first.receive(&[letter("a", Thread { names: vec!["<a@x>".into()], note, ..Thread::default() })]).await;
    first.end().await;

    let mut second = Process::start(&path);
    let answered = second.answer().await;
    assert_eq!(
        (answered.address.as_str(), answered.note.as_ref().map(|n| n.as_str())),
        ("talk-a", Some("re: a"))
    );
    second.end().await;

    let mut third = Process::start(&path);
    let ours = format!("out-{}", answered.id);
    for (id, after) in [("b", "<a@x>"), ("c", ours.as_str())] {
        third.receive(&[letter(id, Thread { after: vec![after.into()], ..Thread::default() })]).await;
    }
    let again = third.answer().await;
    assert_eq!(
        (again.address.as_str(), again.note.as_ref().map(|n| n.as_str())),
        ("talk-a", Some("re: answered"))
    );
    third.end().await;
}
