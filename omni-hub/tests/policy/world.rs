//! A hub with a book, and short names for what happens around it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use omni_core::capability::{Capabilities, Support};
use omni_core::contact::{Identity, Profile, Sender, SenderKind};
use omni_core::content::{Content, ContentKind};
use omni_core::conversation::{Actor, CloseReason, Owner};
use omni_core::event::{Button, Echo, EventBody, Message, MessageName, StatusNews, Told};
use omni_core::policy::{Book, Presence, Verdict};
use omni_core::webhook::{Answer, WebhookRequest};
use omni_core::{Address, Contact, Conversation, Event, Provider, Status, Timestamp};
use omni_hub::store::{ConversationQuery, MessageRecord};
use omni_hub::{
    ChannelKey, ChannelSetup, Draft, Entry, HostEvent, Hub, HubBuilder, ManualClock, MemoryStore, Store,
};

use crate::fake::{Fake, Provided, SECRET};

/// Monday, 12 January 2026, noon in Moscow.
pub(crate) const MONDAY_NOON: &str = "2026-01-12T09:00:00Z";

/// One account, one store, one clock, and as many hubs as a test starts.
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) provided: Arc<Provided>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::at(MONDAY_NOON)
    }

    pub(crate) fn at(time: &str) -> Self {
        let clock = ManualClock::at(moment(time));
        Self { clock, store: Arc::new(MemoryStore::new()), provided: Provided::new() }
    }

    pub(crate) fn builder(&self) -> HubBuilder {
        Hub::builder().shared_store(self.store.clone()).clock(self.clock.clone())
    }

    /// A running hub with this book and one channel.
    pub(crate) async fn hub(&self, book: &str) -> Hub {
        self.hub_with(book, |_| ()).await
    }

    /// The same, with capabilities changed.
    pub(crate) async fn hub_with(&self, book: &str, change: impl FnOnce(&mut Capabilities)) -> Hub {
        let hub = self.builder().build();
        set_book(&hub, book);
        hub.add_channel(ChannelSetup::new(shop(), self.fake(change)));
        run(&hub);
        idle().await;
        hub
    }

    pub(crate) fn fake(&self, change: impl FnOnce(&mut Capabilities)) -> Arc<Fake> {
        Arc::new(Fake::new(&self.provided, |c| {
            for kind in [ContentKind::Buttons, ContentKind::Template, ContentKind::Image] {
                c.content.insert(kind, Support::Full);
            }
            change(c);
        }))
    }

    pub(crate) fn now(&self) -> Timestamp {
        use omni_hub::Clock as _;
        self.clock.now()
    }

    /// Time goes by, and everything happens at its moment.
    pub(crate) async fn pass(&self, time: Duration) {
        let end = self.now() + time;
        for _ in 0..10_000 {
            let next = self.store.next_timer(&[shop(), site()]).await.unwrap();
            let Some(next) = next.filter(|at| *at <= end) else { break };
            self.clock.set(next.max(self.now()));
            idle().await;
        }
        self.clock.set(end);
        idle().await;
    }

    /// Time goes by in steps of half a second: for what is paced, and for what is looked at now and then.
    pub(crate) async fn slowly(&self, time: Duration) {
        let end = self.now() + time;
        while self.now() < end {
            self.clock.set(end.min(self.now() + Duration::from_millis(500)));
            idle().await;
        }
    }

    /// Time jumps, as when nothing ran meanwhile.
    pub(crate) async fn jump(&self, to: Timestamp) {
        self.clock.set(to);
        idle().await;
    }

    /// Time goes by until a moment.
    pub(crate) async fn until(&self, time: &str) {
        self.pass(moment(time).since(self.now())).await;
    }

    /// The only conversation there is.
    pub(crate) async fn only(&self) -> Conversation {
        let mut all = self.all().await;
        assert_eq!(all.len(), 1, "{all:#?}");
        all.remove(0)
    }

    /// All conversations, oldest first.
    pub(crate) async fn all(&self) -> Vec<Conversation> {
        let query = ConversationQuery { limit: 1000, ..ConversationQuery::default() };
        let mut all = self.store.conversations(&query).await.unwrap();
        all.sort_by_key(|c| c.id);
        all
    }

    /// The latest conversation with somebody.
    pub(crate) async fn with(&self, who: &str) -> Conversation {
        let mut theirs = self.all().await;
        theirs.retain(|c| c.address.as_str() == who);
        theirs.pop().unwrap()
    }

    pub(crate) async fn contact(&self, who: &str) -> Contact {
        let id = self.with(who).await.contact.unwrap();
        self.store.contact(id).await.unwrap().unwrap()
    }

    /// Who has the only conversation, in a word.
    pub(crate) async fn owner(&self) -> String {
        named(&self.only().await.owner)
    }

    /// The messages of a conversation, oldest first.
    pub(crate) async fn thread(&self, of: &Conversation) -> Vec<MessageRecord> {
        let mut thread = self.store.messages(of.id, None, 1000).await.unwrap();
        thread.reverse();
        thread
    }

    /// What people got, in order.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.provided.texts().into_iter().map(|(_, text)| text).collect()
    }

    /// What somebody got, in order.
    pub(crate) fn texts_to(&self, who: &str) -> Vec<String> {
        self.provided.texts().into_iter().filter(|(to, _)| to == who).map(|(_, text)| text).collect()
    }

    /// The host event log from the beginning.
    pub(crate) async fn log(&self) -> Vec<Entry> {
        let mut log = Vec::new();
        loop {
            let after = log.last().map_or(0, |e: &Entry| e.seq);
            let more = self.store.entries(after, 1000).await.unwrap();
            if more.is_empty() {
                return log;
            }
            log.extend(more);
        }
    }

    /// Host events that something can be made of.
    pub(crate) async fn told<T>(&self, pick: impl Fn(&HostEvent) -> Option<T>) -> Vec<T> {
        self.log().await.iter().filter_map(|e| pick(&e.event)).collect()
    }

    /// What rules told the host, by topic.
    pub(crate) async fn notices(&self) -> Vec<(String, String)> {
        self.told(|e| match e {
            HostEvent::Notice { topic, text } => Some((topic.clone(), text.clone())),
            _ => None,
        })
        .await
    }

    /// Clocks, as `first_response started`.
    pub(crate) async fn clocks(&self) -> Vec<String> {
        self.told(|e| match e {
            HostEvent::Clock { clock, news, .. } => {
                Some(format!("{} {}", clock.as_str(), format!("{news:?}").to_lowercase()))
            }
            _ => None,
        })
        .await
    }

    /// To whom conversations were given, in order.
    pub(crate) async fn assigned(&self) -> Vec<String> {
        self.told(|e| match e {
            HostEvent::Assigned { to, .. } => Some(named(to)),
            _ => None,
        })
        .await
    }

    /// How often conversations ended.
    pub(crate) async fn closings(&self) -> Vec<CloseReason> {
        self.told(|e| match e {
            HostEvent::Closed { summary, .. } => Some(summary.reason.clone()),
            _ => None,
        })
        .await
    }

    /// Whether some trace has words with a verdict.
    pub(crate) async fn why(&self, verdict: Verdict, words: &str) -> bool {
        let log = self.log().await;
        let mut steps = log.iter().flat_map(|e| &e.why.steps);
        steps.any(|s| s.verdict == verdict && s.because.as_str().contains(words))
    }

    /// That something was dropped for this reason.
    pub(crate) async fn dropped(&self, words: &str) -> bool {
        self.why(Verdict::Dropped, words).await
    }

    /// All traces, for a failed assertion.
    pub(crate) async fn traces(&self) -> String {
        self.log().await.iter().map(|e| e.why.to_string()).collect()
    }
}

/// Reads `2026-01-12T09:00:00Z`.
pub(crate) fn moment(time: &str) -> Timestamp {
    let number = |from: usize, to: usize| time[from..to].parse::<i64>().unwrap();
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let years = if month <= 2 { year - 1 } else { year };
    let (era, month) = (years.div_euclid(400), (month + 9) % 12);
    let of_era = years - era * 400;
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    assert_eq!(&time[19..], "Z", "{time}");
    Timestamp::from_secs(days * 86_400 + number(11, 13) * 3600 + number(14, 16) * 60 + number(17, 19))
}

pub(crate) fn book(text: &str) -> Book {
    Book::from_toml(text).unwrap_or_else(|bad| panic!("{bad}\n{text}"))
}

pub(crate) fn set_book(hub: &Hub, text: &str) {
    hub.set_book("acme", book(text)).unwrap();
}

pub(crate) fn run(hub: &Hub) -> tokio::task::JoinHandle<Result<(), omni_hub::HubError>> {
    let hub = hub.clone();
    tokio::spawn(async move { hub.run().await })
}

/// Returns when everything that can happen without the clock has happened.
pub(crate) async fn idle() {
    for _ in 0..150 {
        tokio::task::yield_now().await;
    }
}

pub(crate) fn shop() -> ChannelKey {
    ChannelKey::new("acme", "shop")
}

pub(crate) fn site() -> ChannelKey {
    ChannelKey::new("acme", "site")
}

pub(crate) fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) fn mins(n: u64) -> Duration {
    secs(n * 60)
}

pub(crate) fn hours(n: u64) -> Duration {
    mins(n * 60)
}

pub(crate) fn days(n: u64) -> Duration {
    hours(n * 24)
}

pub(crate) fn request(hub: &Hub, events: &[Event]) -> WebhookRequest {
    let body = Bytes::from(serde_json::to_vec(events).unwrap());
    let mut request = WebhookRequest::post("/", body, hub.now());
    request.headers.insert("x-secret", SECRET.parse().unwrap());
    request
}

/// Delivers events to the shop and lets everything happen that follows.
pub(crate) async fn deliver(hub: &Hub, events: &[Event]) {
    let answer = hand_in(hub, &shop(), events).await;
    assert_eq!(answer.status, 200);
    idle().await;
}

/// Delivers events, and nothing more happens yet.
pub(crate) async fn hand_in(hub: &Hub, channel: &ChannelKey, events: &[Event]) -> Answer {
    hub.webhook(channel, request(hub, events)).await
}

pub(crate) fn sender(id: &str) -> Sender {
    let profile = Profile { name: Some(format!("Клиент {id}")), ..Profile::default() };
    Sender { identity: Identity::new(Provider::new("fake"), id), profile, kind: SenderKind::Person }
}

pub(crate) fn event_of(who: &str, id: &str, body: EventBody) -> Event {
    Event::new(id, body).at_address(Address::new(who))
}

/// A customer's words: the message's id is the event's.
pub(crate) fn says(who: &str, id: &str, text: &str) -> Event {
    event_of(who, id, EventBody::Message(Message::new(id, sender(who), Content::text(text))))
}

/// The same, read out of the history.
pub(crate) fn said_long_ago(who: &str, id: &str, text: &str) -> Event {
    let mut event = says(who, id, text);
    event.told = Told::History;
    event
}

pub(crate) fn presses(who: &str, id: &str, data: &str) -> Event {
    let (label, message, ticket) = (Some(format!("⭐ {data}")), None, None);
    event_of(
        who,
        id,
        EventBody::Button(Button { sender: sender(who), data: data.to_owned(), label, message, ticket }),
    )
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

pub(crate) fn agent(name: &str) -> Actor {
    Actor::Agent { agent: name.into() }
}

pub(crate) fn to_agent(name: &str) -> Owner {
    Owner::Agent { agent: name.into() }
}

pub(crate) fn to_team(name: &str) -> Owner {
    Owner::Team { team: name.into() }
}

/// An agent answers in somebody's conversation, and nothing more happens yet.
pub(crate) async fn answers(hub: &Hub, conversation: &Conversation, name: &str, text: &str) {
    hub.reply(conversation.id, Draft::text(text).by(agent(name))).await.unwrap();
}

pub(crate) async fn online(hub: &Hub, names: &[&str]) {
    for name in names {
        present(hub, name, Presence::Online).await;
    }
}

pub(crate) async fn present(hub: &Hub, name: &str, presence: Presence) {
    hub.set_presence("acme", name, presence).await.unwrap();
    idle().await;
}

pub(crate) fn named(owner: &Owner) -> String {
    match owner {
        Owner::Agent { agent } => agent.to_string(),
        Owner::Team { team } => format!("team {team}"),
        Owner::Bot { bot } => format!("bot {bot}"),
        _ => "nobody".to_owned(),
    }
}
