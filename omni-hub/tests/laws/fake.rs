//! A provider in memory, and a connector to it that does what a test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use omni_core::capability::{Capabilities, FirstContact, Support};
use omni_core::channel::{
    Account, Channel, Connected, DeepLinks, Inbound, Known, LookUp, Outbound, Receives, Sink,
};
use omni_core::content::ContentKind;
use omni_core::error::{Error, ErrorKind, Result};
use omni_core::id::{Cursor, Note, ProviderMessageId};
use omni_core::link::CampaignToken;
use omni_core::media::{MediaRef, MediaStream};
use omni_core::outbound::{Accepted, OutboundItem, SendError};
use omni_core::webhook::{Received, RejectReason, Rejected, Verified, WebhookRequest, WebhookUrl};
use omni_core::{Address, Event, Provider, Secret, Status};
use tokio::sync::watch;

/// The secret that genuine webhooks carry.
pub(crate) const SECRET: &str = "genuine";

/// What the provider does with a send.
#[derive(Debug)]
pub(crate) enum Turn {
    /// It certainly does not send it.
    Refuse(Error),
    /// It sends it, and the answer is lost.
    LoseAnswer,
    /// It never answers.
    Hang,
    /// The connector panics.
    Panic,
    /// It becomes several messages, with these further ids.
    Split(Vec<ProviderMessageId>),
    /// It takes it, and the connector wants to be told this at the next send.
    Note(Note),
}

/// One account at the provider: what two nodes' connectors share.
#[derive(Debug)]
pub(crate) struct Provided {
    state: Mutex<State>,
    /// Whether sends are let through.
    gate: watch::Sender<bool>,
    /// Counts what listeners may look at.
    news: watch::Sender<u64>,
    /// Counts how often listeners were cut off.
    cuts: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    sent: Vec<OutboundItem>,
    begun: usize,
    script: VecDeque<Turn>,
    updates: Vec<Event>,
    listeners: usize,
    most_listeners: usize,
    listen_error: Option<ErrorKind>,
    listens: usize,
    /// What is told of addresses when somebody asks.
    known: Vec<Known>,
    look_up_error: Option<ErrorKind>,
    asked: Vec<Vec<Address>>,
}

/// A listener that counts itself.
struct Listening<'a>(&'a Provided);

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        self.0.state().listeners -= 1;
    }
}

impl Provided {
    pub(crate) fn new() -> Arc<Self> {
        let (gate, news, cuts) = (watch::Sender::new(true), watch::Sender::new(0), watch::Sender::new(0));
        Arc::new(Self { state: Mutex::default(), gate, news, cuts })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// What the next sends meet, one after the other; then all go well.
    pub(crate) fn script(&self, turns: impl IntoIterator<Item = Turn>) {
        self.state().script.extend(turns);
    }

    /// Lets sends wait at the provider.
    pub(crate) fn hold(&self) {
        self.gate.send_replace(false);
    }

    /// Lets them through again.
    pub(crate) fn let_go(&self) {
        self.gate.send_replace(true);
    }

    /// How many sends reached the provider, answered or not.
    pub(crate) fn begun(&self) -> usize {
        self.state().begun
    }

    /// The words people got, with the address, in order.
    pub(crate) fn texts(&self) -> Vec<(String, String)> {
        let words = |i: &OutboundItem| i.content.plain_text().unwrap_or_default().to_owned();
        self.state().sent.iter().map(|i| (i.address.to_string(), words(i))).collect()
    }

    /// What is told of an address when somebody asks.
    pub(crate) fn knows(&self, known: Known) {
        self.state().known.push(known);
    }

    /// What whoever asks is answered.
    pub(crate) fn refuse_look_ups(&self, kind: Option<ErrorKind>) {
        self.state().look_up_error = kind;
    }

    /// The addresses of each question.
    pub(crate) fn asked(&self) -> Vec<Vec<Address>> {
        self.state().asked.clone()
    }

    /// What people got, whole.
    pub(crate) fn sent(&self) -> Vec<OutboundItem> {
        self.state().sent.clone()
    }

    /// Leaves an update for whoever listens.
    pub(crate) fn update(&self, event: Event) {
        self.state().updates.push(event);
        self.news.send_modify(|n| *n += 1);
    }

    /// Cuts off whoever listens now.
    pub(crate) fn cut_listeners(&self) {
        self.cuts.send_modify(|n| *n += 1);
    }

    /// What whoever begins to listen is answered.
    pub(crate) fn refuse_listeners(&self, kind: Option<ErrorKind>) {
        self.state().listen_error = kind;
    }

    /// How many listen now, the most that ever did at once, and how often somebody began.
    pub(crate) fn listeners(&self) -> (usize, usize, usize) {
        let state = self.state();
        (state.listeners, state.most_listeners, state.listens)
    }

    async fn take(&self, item: &OutboundItem) -> Result<Accepted, SendError> {
        let turn = {
            let mut state = self.state();
            state.begun += 1;
            state.script.pop_front()
        };
        self.gate.subscribe().wait_for(|open| *open).await.unwrap();
        match turn {
            Some(Turn::Refuse(error)) => return Err(SendError::Rejected(error)),
            Some(Turn::Hang) => std::future::pending().await,
            Some(Turn::Panic) => panic!("the connector panics, as told"),
            Some(Turn::LoseAnswer) => {
                self.state().sent.push(item.clone());
                return Err(SendError::Unknown(Error::new(ErrorKind::Network, "send")));
            }
            Some(Turn::Split(more)) => return Ok(Accepted { more, ..self.accept(item) }),
            Some(Turn::Note(note)) => return Ok(Accepted { note: Some(note), ..self.accept(item) }),
            None => {}
        }
        Ok(self.accept(item))
    }

    fn accept(&self, item: &OutboundItem) -> Accepted {
        let mut state = self.state();
        state.sent.push(item.clone());
        Accepted::new(format!("out-{}", state.sent.len()), Status::Sent)
    }

    async fn listen(&self, from: Option<Cursor>, sink: &dyn Sink) -> Result<()> {
        {
            let mut state = self.state();
            state.listens += 1;
            if let Some(kind) = state.listen_error {
                return Err(Error::new(kind, "listen"));
            }
            state.listeners += 1;
            state.most_listeners = state.most_listeners.max(state.listeners);
        }
        let _listening = Listening(self);
        sink.alive();
        let mut at: usize = from.map_or(0, |c| c.as_str().parse().unwrap());
        let (mut news, mut cuts) = (self.news.subscribe(), self.cuts.subscribe());
        loop {
            news.mark_unchanged();
            let fresh: Vec<Event> = self.state().updates.iter().skip(at).cloned().collect();
            if fresh.is_empty() {
                tokio::select! {
                    told = news.changed() => told.unwrap(),
                    _ = cuts.changed() => return Err(Error::new(ErrorKind::Network, "listen")),
                }
                continue;
            }
            let end = at + fresh.len();
            sink.commit(fresh, Cursor::from(end.to_string())).await?;
            at = end;
        }
    }
}

/// A connector to the provider in memory.
#[derive(Debug)]
pub(crate) struct Fake {
    provided: Arc<Provided>,
    capabilities: Capabilities,
    receives: Receives,
    tells: Tells,
}

/// What the provider's events tell of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tells {
    All,
    /// The rest has to be asked for.
    Ids,
}

impl Fake {
    /// One that takes webhooks, with what the test adds to the capabilities.
    pub(crate) fn new(provided: &Arc<Provided>, change: impl FnOnce(&mut Capabilities)) -> Self {
        let mut capabilities = Capabilities::default();
        for kind in [ContentKind::Text, ContentKind::File] {
            capabilities.content.insert(kind, Support::Full);
        }
        capabilities.first_contact = FirstContact::Anyone;
        change(&mut capabilities);
        Self { provided: provided.clone(), capabilities, receives: Receives::Webhook, tells: Tells::All }
    }

    /// The same at a provider that has to be asked who writes.
    pub(crate) fn asking(mut self) -> Self {
        self.tells = Tells::Ids;
        self
    }

    /// The same, listening.
    pub(crate) fn listening(mut self) -> Self {
        self.receives = Receives::Both;
        self
    }
}

#[async_trait]
impl Channel for Fake {
    fn provider(&self) -> Provider {
        Provider::new("fake")
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn receives(&self) -> Receives {
        self.receives
    }

    async fn check(&self) -> Result<Account> {
        Ok(Account { id: "fake-1".into(), name: "Fake".into(), handle: None, warnings: Vec::new() })
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

    fn as_links(&self) -> Option<&dyn DeepLinks> {
        Some(self)
    }
}

#[async_trait]
impl DeepLinks for Fake {
    async fn link(&self, token: &CampaignToken) -> Result<url::Url> {
        let link = format!("https://fake.example/shop?start={}", token.as_str());
        url::Url::parse(&link).map_err(|e| Error::new(ErrorKind::Internal, "link").with_source(e))
    }
}

#[async_trait]
impl Inbound for Fake {
    fn verify<'a>(&self, request: &'a WebhookRequest) -> Result<Verified<'a>, Rejected> {
        let given = request.header("x-secret").map(str::as_bytes);
        Verified::by_secret(request, given, &Secret::new(SECRET))
    }

    /// The body is a list of events in their JSON form.
    fn parse(&self, verified: Verified<'_>) -> Result<Received, Rejected> {
        let events = serde_json::from_slice(verified.body());
        events.map(Received::ok).map_err(|_| Rejected::new(RejectReason::Malformed))
    }

    async fn listen(&self, from: Option<Cursor>, sink: &dyn Sink) -> Result<()> {
        self.provided.listen(from, sink).await
    }

    async fn fetch(&self, _media: &MediaRef, _cap: u64) -> Result<MediaStream> {
        Err(Error::unsupported("fetch"))
    }

    fn as_look_up(&self) -> Option<&dyn LookUp> {
        (self.tells == Tells::Ids).then_some(self)
    }
}

#[async_trait]
impl LookUp for Fake {
    async fn look_up(&self, addresses: &[Address]) -> Result<Vec<Known>> {
        let mut state = self.provided.state();
        state.asked.push(addresses.to_vec());
        if let Some(kind) = state.look_up_error {
            return Err(Error::new(kind, "look_up"));
        }
        Ok(state.known.iter().filter(|known| addresses.contains(&known.address)).cloned().collect())
    }
}

#[async_trait]
impl Outbound for Fake {
    async fn send(&self, item: &OutboundItem) -> Result<Accepted, SendError> {
        self.provided.take(item).await
    }
}
