//! One rule's stage: a rig, a channel, and what came in.

use std::collections::{HashSet, VecDeque};
use std::fmt::{Debug, Display};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use omni_core::channel::{Inbound, Outbound, Receives, Sink};
use omni_core::content::Content;
use omni_core::event::{EventBody, EventKind, Message};
use omni_core::id::IdSource;
use omni_core::outbound::{Accepted, Author, OutboundItem, SendError};
use omni_core::plan::{Plan, PlanContext, plan};
use omni_core::webhook::WebhookRequest;
use omni_core::{
    Address, Capabilities, Channel, Cursor, Error, Event, EventId, MessageId, ProviderMessageId, Timestamp,
};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

use super::rig::{Act, ChatView, Done, Rig, Seen, Trouble};

/// What a rule that went to its end says.
pub(super) enum Proof {
    /// It holds; this was shown.
    Passed(String),
    /// The ability is neither declared nor there.
    NotDeclared(String),
}

/// Why a rule ended early.
pub(super) enum Stop {
    /// It cannot be shown here.
    NotApplicable(String),
    /// It does not hold.
    Failed(String),
}

pub(super) type Verdict = Result<Proof, Stop>;

pub(super) fn passed(shown: impl Into<String>) -> Verdict {
    Ok(Proof::Passed(shown.into()))
}

pub(super) fn not_declared(shown: impl Into<String>) -> Verdict {
    Ok(Proof::NotDeclared(shown.into()))
}

pub(super) fn failed<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Failed(why.into()))
}

pub(super) fn not_applicable<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::NotApplicable(why.into()))
}

/// Ends the rule as failed when something does not hold.
macro_rules! ensure {
    ($holds:expr, $($why:tt)+) => {
        if !$holds {
            return $crate::conformance::scene::failed(format!($($why)+));
        }
    };
}
pub(super) use ensure;

/// The result of a call that has to succeed.
pub(super) fn done<T>(what: &str, result: Result<T, impl Debug + Display>) -> Result<T, Stop> {
    result.map_err(|error| Stop::Failed(format!("{what} failed: {error}")))
}

/// One rule's stage.
pub(super) struct Scene {
    pub(super) rig: Arc<dyn Rig>,
    pub(super) channel: Arc<dyn Channel>,
    ids: IdSource,
    greetings: AtomicU32,
    inbox: Mutex<Inbox>,
}

/// What came in and was not looked for yet.
#[derive(Default)]
struct Inbox {
    waiting: VecDeque<Event>,
    claimed: HashSet<(EventId, EventKind)>,
    listener: Option<Listener>,
    cursor: Option<Cursor>,
}

/// The customer's first message.
pub(super) struct Hello {
    /// Where to answer.
    pub(super) address: Address,
    /// What was heard; nothing where the customer cannot write.
    pub(super) message: Option<Message>,
}

impl Scene {
    /// Connects the channel. A provider that wants its webhook registered is registered with.
    pub(super) async fn open(rig: Arc<dyn Rig>) -> Result<Self, Stop> {
        let channel = rig.channel();
        if let (true, Some(url)) = (channel.receives().takes_webhooks(), rig.webhook_url()) {
            done("connect", channel.connect(&url).await)?;
        }
        Ok(Self {
            rig,
            channel,
            ids: IdSource::new(7),
            greetings: AtomicU32::new(1),
            inbox: Mutex::default(),
        })
    }

    pub(super) fn inbound(&self) -> Result<&dyn Inbound, Stop> {
        self.channel.inbound().ok_or_else(|| Stop::NotApplicable("the channel only sends".to_owned()))
    }

    pub(super) fn outbound(&self) -> Result<&dyn Outbound, Stop> {
        self.channel.outbound().ok_or_else(|| Stop::NotApplicable("the channel only receives".to_owned()))
    }

    pub(super) async fn act(&self, act: Act<'_>) -> Result<(), Stop> {
        possible(self.rig.act(act).await)
    }

    pub(super) async fn trouble(&self, trouble: Trouble) -> Result<(), Stop> {
        possible(self.rig.trouble(trouble).await)
    }

    /// Lets the customer write first, and learns the address from what was heard.
    pub(super) async fn hello(&self) -> Result<Hello, Stop> {
        if let Some(address) = self.rig.address() {
            return Ok(Hello { address, message: None });
        }
        // Providers without ids of their own know a repeat by its words: no greeting is said twice.
        let count = self.greetings.fetch_add(1, Ordering::Relaxed);
        let (event, message) = self.says(&format!("Здравствуйте, {count}")).await?;
        let Some(address) = event.address else { return failed("a message of a customer has no address") };
        Ok(Hello { address, message: Some(message) })
    }

    /// Lets the customer write, and hears it.
    pub(super) async fn says(&self, text: &str) -> Result<(Event, Message), Stop> {
        self.listens().await;
        self.act(Act::Writes(text)).await?;
        self.message(&format!("the customer's {text:?}")).await
    }

    /// The next message of a customer.
    pub(super) async fn message(&self, what: &str) -> Result<(Event, Message), Stop> {
        let event = self.hears(what, |event| event.kind() == EventKind::Message).await?;
        match &event.body {
            EventBody::Message(message) => {
                let message = message.clone();
                Ok((event, message))
            }
            _ => failed(format!("{what} is no message")),
        }
    }

    /// Waits for an event that is `wanted`; others that come before it are dropped. `what` names it.
    pub(super) async fn hears(
        &self,
        what: &str,
        wanted: impl Fn(&Event) -> bool + Send,
    ) -> Result<Event, Stop> {
        let mut inbox = self.inbox.lock().await;
        let mut others: Vec<EventKind> = Vec::new();
        let search = async {
            loop {
                while let Some(event) = inbox.waiting.pop_front() {
                    if wanted(&event) {
                        return Ok(event);
                    }
                    others.push(event.kind());
                }
                self.more(&mut inbox).await?;
            }
        };
        match tokio::time::timeout(self.rig.patience(), search).await {
            Ok(found) => found,
            Err(_) => failed(format!("{what} never came; what came instead: {others:?}")),
        }
    }

    /// Starts the listener, where the channel has one: what happens next is heard.
    pub(super) async fn listens(&self) {
        let mut inbox = self.inbox.lock().await;
        if self.channel.receives().listens() && inbox.listener.is_none() {
            let from = inbox.cursor.clone();
            inbox.listener = Some(Listener::start(Arc::clone(&self.channel), from, Commits::All));
        }
    }

    /// Stops the listener, as an ending process does; gives its place.
    pub(super) async fn stops(&self) -> Option<Cursor> {
        let mut inbox = self.inbox.lock().await;
        inbox.listener = None;
        inbox.cursor.clone()
    }

    /// Takes in what the provider hands over next.
    async fn more(&self, inbox: &mut Inbox) -> Result<(), Stop> {
        let takes_webhooks = self.channel.receives().takes_webhooks();
        if self.channel.receives() == Receives::Nothing {
            return not_applicable("the channel does not receive");
        }
        let events = tokio::select! {
            request = self.rig.webhook(), if takes_webhooks => self.reads(&request)?,
            batch = next(&mut inbox.listener), if inbox.listener.is_some() => {
                let (events, cursor) = batch?;
                inbox.cursor = Some(cursor);
                events
            }
        };
        // As the hub does (law 3): a provider may tell everything twice.
        inbox.waiting.extend(events.into_iter().filter(|e| inbox.claimed.insert((e.id.clone(), e.kind()))));
        Ok(())
    }

    /// Reads a genuine webhook, as the hub does.
    pub(super) fn reads(&self, request: &WebhookRequest) -> Result<Vec<Event>, Stop> {
        let received = done("reading a genuine webhook", self.inbound()?.receive(request))?;
        ensure!(
            received.answer.status.is_success(),
            "a genuine webhook is answered {}",
            received.answer.status
        );
        Ok(received.events)
    }

    /// Waits for the next webhook as it was posted.
    pub(super) async fn webhook(&self, what: &str) -> Result<WebhookRequest, Stop> {
        match tokio::time::timeout(self.rig.patience(), self.rig.webhook()).await {
            Ok(request) => Ok(request),
            Err(_) => failed(format!("the webhook with {what} never came")),
        }
    }

    /// What the account can do at an address.
    pub(super) fn capabilities(&self, address: &Address) -> Capabilities {
        self.channel.capabilities_at(address).into_owned()
    }

    /// What will go out, said to somebody who has just written.
    pub(super) fn plan(&self, address: &Address, content: &Content) -> Plan {
        let now = Timestamp::from_secs(1_767_225_600);
        let context = PlanContext { now, last_inbound: Some(now), ..PlanContext::default() };
        plan(&self.capabilities(address), content, &context)
    }

    pub(super) fn item(&self, address: &Address, content: Content) -> OutboundItem {
        OutboundItem {
            id: MessageId::next(&self.ids, Timestamp::from_secs(1_767_225_600)),
            address: address.clone(),
            content,
            reply_to: None,
            face: None,
            author: Author::Person,
            note: None,
        }
    }

    /// Sends as it is.
    pub(super) async fn send(
        &self,
        address: &Address,
        content: Content,
    ) -> Result<Result<Accepted, SendError>, Stop> {
        Ok(self.outbound()?.send(&self.item(address, content)).await)
    }

    /// Sends what has to be taken.
    pub(super) async fn sends(&self, address: &Address, content: Content) -> Result<Accepted, Stop> {
        done("a send", self.send(address, content).await?)
    }

    /// Plans, sends every part, and gives what the customer sees of it.
    pub(super) async fn shows(&self, address: &Address, content: &Content) -> Result<Vec<Seen>, Stop> {
        let plan = self.plan(address, content);
        if let Some(refusal) = plan.refusal {
            return failed(format!("the plan refuses: {refusal}"));
        }
        let mut ids = Vec::new();
        for part in plan.parts {
            ids.push(self.sends(address, part).await?);
        }
        Ok(seen(&self.rig.chat().await, &ids))
    }
}

fn possible(answer: Done) -> Result<(), Stop> {
    match answer {
        Done::Yes => Ok(()),
        Done::Impossible(why) => not_applicable(why),
    }
}

/// The messages of ours in a chat that these answers named, in the order of the chat.
pub(super) fn seen(chat: &ChatView, accepted: &[Accepted]) -> Vec<Seen> {
    let named = |id: &ProviderMessageId| accepted.iter().any(|a| a.id == *id || a.more.contains(id));
    chat.messages.iter().filter(|m| m.is_ours && named(&m.id)).cloned().collect()
}

/// How many messages of ours with these words a chat shows.
pub(super) fn copies(chat: &ChatView, words: &str) -> usize {
    chat.messages.iter().filter(|m| m.is_ours && m.content.plain_text() == Some(words)).count()
}

type Committed = (Vec<Event>, Cursor);

/// A listener on a task of its own, ended when dropped.
pub(super) struct Listener {
    batches: mpsc::UnboundedReceiver<Committed>,
    task: Option<JoinHandle<Result<(), Error>>>,
}

/// What a sink makes durable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Commits {
    /// Everything.
    All,
    /// Places without events; events fail to be stored.
    PlacesOnly,
}

impl Listener {
    pub(super) fn start(channel: Arc<dyn Channel>, from: Option<Cursor>, commits: Commits) -> Self {
        let (sender, batches) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            let sink = Kept { sender, commits };
            match channel.inbound() {
                Some(inbound) => inbound.listen(from, &sink).await,
                None => Err(Error::unsupported("listen")),
            }
        });
        Self { batches, task: Some(task) }
    }

    /// The next batch, or how the listener ended.
    pub(super) async fn next(&mut self) -> Result<Committed, Option<Error>> {
        if let Some(batch) = self.batches.recv().await {
            return Ok(batch);
        }
        match self.task.take() {
            // An aborted or panicked task has no error to show; the panic is on the screen.
            Some(task) => Err(task.await.ok().and_then(Result::err)),
            None => Err(None),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn next(listener: &mut Option<Listener>) -> Result<Committed, Stop> {
    let Some(listener) = listener else { return std::future::pending().await };
    listener.next().await.map_err(|error| match error {
        Some(error) => Stop::Failed(format!("the listener ended: {error}")),
        None => Stop::Failed("the listener ended without an error".to_owned()),
    })
}

struct Kept {
    sender: mpsc::UnboundedSender<Committed>,
    commits: Commits,
}

#[async_trait]
impl Sink for Kept {
    async fn commit(&self, events: Vec<Event>, cursor: Cursor) -> Result<(), Error> {
        let fails = self.commits == Commits::PlacesOnly && !events.is_empty();
        // Nobody takes the batch any more when the rule has ended.
        let _ = self.sender.send((events, cursor));
        if fails { Err(Error::new(omni_core::error::ErrorKind::Storage, "commit")) } else { Ok(()) }
    }

    fn alive(&self) {}
}
