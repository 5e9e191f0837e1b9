//! A hub on the provider in memory, with short names for what happens around it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use omni_core::capability::Capabilities;
use omni_core::contact::{Identity, Profile, Sender, SenderKind};
use omni_core::conversation::Actor;
use omni_core::event::{Echo, EventBody, Message, MessageName, Origin, StatusNews};
use omni_core::policy::book::{AutoClose, SilenceScope};
use omni_core::policy::{ChannelPolicy, Context, Effect, Engine, Input, Overtaken, Policy, Step};
use omni_core::webhook::{Answer, WebhookRequest};
use omni_core::{Address, Content, Conversation, Event, Provider, Status, Timestamp};
use omni_hub::store::{ConversationQuery, MessageRecord};
use omni_hub::{ChannelKey, ChannelSetup, Draft, Entry, Hub, HubBuilder, ManualClock, MemoryStore, Store};

use crate::fake::{Fake, Provided, SECRET};

/// One account, one store, one clock, and as many hubs as a test starts.
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) provided: Arc<Provided>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::on(MemoryStore::new())
    }

    pub(crate) fn on(store: impl Store) -> Self {
        let clock = ManualClock::at(Timestamp::from_secs(1_767_225_600));
        Self { clock, store: Arc::new(store), provided: Provided::new() }
    }

    /// A hub as these tests want it: the world's store and clock.
    pub(crate) fn builder(&self) -> HubBuilder {
        Hub::builder().shared_store(self.store.clone()).clock(self.clock.clone())
    }

    /// A running hub with one plain channel.
    pub(crate) fn hub(&self) -> Hub {
        self.hub_with(Engine::default(), |_| ())
    }

    /// A running hub whose channel has this policy and these capabilities.
    pub(crate) fn hub_with(&self, policy: impl Policy, change: impl FnOnce(&mut Capabilities)) -> Hub {
        let hub = self.builder().build();
        hub.add_channel(
            ChannelSetup::new(shop(), Arc::new(Fake::new(&self.provided, change))).policy(policy),
        );
        run(&hub);
        hub
    }

    /// Moves the clock and lets everything happen that is due.
    pub(crate) async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        idle().await;
    }

    /// Moves the clock in small steps, as when it really passes.
    pub(crate) async fn pass_slowly(&self, time: Duration) {
        let step = Duration::from_millis(500);
        let mut left = time;
        while !left.is_zero() {
            self.pass(left.min(step)).await;
            left = left.saturating_sub(step);
        }
    }

    /// The only conversation there is.
    pub(crate) async fn conversation(&self) -> Conversation {
        let mut all = self.conversations().await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    pub(crate) async fn conversations(&self) -> Vec<Conversation> {
        self.store.conversations(&ConversationQuery::default()).await.unwrap()
    }

    /// The thread of the only conversation, oldest first.
    pub(crate) async fn thread(&self) -> Vec<MessageRecord> {
        let mut thread = self.store.messages(self.conversation().await.id, None, 100).await.unwrap();
        thread.reverse();
        thread
    }

    /// What outgoing messages say and how far they came, oldest first.
    pub(crate) async fn outgoing(&self) -> Vec<(String, Status)> {
        let words = |m: &MessageRecord| m.content.plain_text().unwrap_or_default().to_owned();
        let thread = self.thread().await;
        thread.iter().filter_map(|m| Some((words(m), m.status?))).collect()
    }

    /// The whole host event log.
    pub(crate) async fn entries(&self) -> Vec<Entry> {
        self.store.entries(0, 10_000).await.unwrap()
    }
}

pub(crate) fn run(hub: &Hub) -> tokio::task::JoinHandle<Result<(), omni_hub::HubError>> {
    let hub = hub.clone();
    tokio::spawn(async move { hub.run().await })
}

/// Returns when everything that can happen without the clock has happened.
pub(crate) async fn idle() {
    for _ in 0..400 {
        tokio::task::yield_now().await;
    }
}

pub(crate) fn shop() -> ChannelKey {
    ChannelKey::new("acme", "shop")
}

pub(crate) fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A webhook with these events, signed as the provider does.
pub(crate) fn request(events: &[Event]) -> WebhookRequest {
    let body = Bytes::from(serde_json::to_vec(events).unwrap());
    let mut request = WebhookRequest::post("/", body, Timestamp::from_secs(1_767_225_600));
    request.headers.insert("x-secret", SECRET.parse().unwrap());
    request
}

/// Delivers events and lets everything happen that follows.
pub(crate) async fn deliver(hub: &Hub, events: &[Event]) -> Answer {
    let received_at = hub.now();
    let answer = hub.webhook(&shop(), WebhookRequest { received_at, ..request(events) }).await;
    idle().await;
    answer
}

fn sender(id: &str) -> Sender {
    let profile = Profile { name: Some(format!("Клиент {id}")), ..Profile::default() };
    let identity = Identity::new(Provider::new("fake"), id);
    Sender { identity, profile, kind: SenderKind::Person }
}

/// A customer's words: the message's id is the event's.
pub(crate) fn says(who: &str, id: &str, text: &str) -> Event {
    event_of(who, id, EventBody::Message(Message::new(id, sender(who), Content::text(text))))
}

/// An automatic text of the other side.
pub(crate) fn robot_says(who: &str, id: &str, text: &str) -> Event {
    let mut message = Message::new(id, sender(who), Content::text(text));
    message.origin = Origin::Automatic;
    event_of(who, id, EventBody::Message(message))
}

/// Words of the business from the provider's own app.
pub(crate) fn echo(who: &str, id: &str, text: &str) -> Event {
    let message = Message::new(id, sender("business"), Content::text(text));
    event_of(who, id, EventBody::Echo(Echo { message, ours: None, author: Some("Ольга".to_owned()) }))
}

/// News of a message by the provider's id of it.
pub(crate) fn status(id: &str, message: &str, status: Status) -> Event {
    let message = MessageName::Provider(message.into());
    Event::new(id, EventBody::Status(StatusNews { message, status, error: None }))
}

pub(crate) fn event_of(who: &str, id: &str, body: EventBody) -> Event {
    Event::new(id, body).at_address(Address::new(who))
}

/// A person's answer.
pub(crate) fn anna(text: &str) -> Draft {
    Draft::text(text).by(Actor::Agent { agent: "anna".into() })
}

/// Silence of both sides closes a conversation after so many seconds.
pub(crate) fn closes_after(seconds: u64) -> Engine {
    let auto_close = AutoClose { after: secs(seconds).into(), scope: SilenceScope::AnySide, text: None };
    Engine::of(ChannelPolicy { auto_close: Some(auto_close), ..ChannelPolicy::default() }).unwrap()
}

/// Answers every message at once, unless a person was faster; panics when told to.
#[derive(Debug)]
pub(crate) struct AutoReply;

impl Policy for AutoReply {
    fn step(&self, _: &Conversation, input: &Input<'_>, _: &Context<'_>) -> Step {
        let mut step = Step::default();
        let Input::Event(event) = input else { return step };
        let EventBody::Message(message) = &event.body else { return step };
        let words = message.content.plain_text().unwrap_or_default();
        assert_ne!(words, "panic", "the policy panics, as told");
        step.effects.push(Effect::Reply {
            content: Content::text(format!("Спасибо за «{words}» 🙏")),
            by: Actor::Rule { rule: "auto_reply".to_owned() },
            guard: Overtaken::PersonAnswered.into(),
        });
        step
    }
}
