//! A hub and a provider in one test, on a clock that the test moves.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use omni_testkit::conformance::{Act, Rig};
//! use omni_testkit::pair::{Moving, Pair, PairError};
//!
//! # async fn test(rig: Arc<dyn Rig>) -> Result<(), PairError> {
//! let pair = Pair::start(rig).await?;
//! let talk = pair.customer_writes("Здравствуйте 👋").await?;
//! pair.reply(&talk, "anna", "Добрый день!").await?;
//! pair.all_sent(&talk, Moving::No).await?;
//! assert_eq!(pair.seen().await, ["Добрый день!"]);
//! pair.pass(Duration::from_secs(86_400)); // a day goes by, for the hub's timers
//! # Ok(())
//! # }
//! ```
//!
//! Calls go over real connections, so what comes of them is waited for on the true clock, briefly; everything that the
//! hub itself waits for (pauses, retries, timers) happens when the test moves the clock, and never by itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use omni_core::conversation::Actor;
use omni_core::webhook::WebhookRequest;
use omni_core::{Channel, Conversation, Status, Timestamp};
use omni_hub::store::{ConversationQuery, Direction, MessageRecord};
use omni_hub::{ChannelKey, ChannelSetup, Draft, Hub, HubBuilder, ManualClock};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use crate::conformance::{Act, Done, Rig};

/// How far the clock is moved between two looks, where it is moved.
const STEP: Duration = Duration::from_secs(60);
/// Between two looks, on the true clock.
const LOOK: Duration = Duration::from_millis(2);
/// Longer than all pauses together: nothing expires by the clock's jumps.
const FOR_EVER: Duration = Duration::from_secs(365 * 86_400);

/// A running hub with one channel at a simulated provider. It ends when dropped.
pub struct Pair {
    /// The hub.
    pub hub: Hub,
    /// Its clock.
    pub clock: ManualClock,
    /// The name of the channel.
    pub key: ChannelKey,
    rig: Arc<dyn Rig>,
    /// Webhooks as they came, handed to the hub already.
    came: Mutex<mpsc::UnboundedReceiver<WebhookRequest>>,
    tasks: JoinSet<()>,
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair").field("hub", &self.hub).finish_non_exhaustive()
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.tasks.abort_all();
    }
}

/// What did not come about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairError(pub String);

impl fmt::Display for PairError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PairError {}

/// Whether the hub's clock moves while one waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moving {
    /// It stands still.
    No,
    /// It is moved by a minute between two looks: pauses that a provider asked for pass.
    On,
}

impl Pair {
    /// Connects the rig's channel, where it takes webhooks, and runs a hub on the memory store.
    ///
    /// # Errors
    /// When the channel cannot be connected.
    pub async fn start(rig: Arc<dyn Rig>) -> Result<Self, PairError> {
        let channel = rig.channel();
        if let (true, Some(url)) = (channel.receives().takes_webhooks(), rig.webhook_url()) {
            channel.connect(&url).await.map_err(|e| PairError(format!("connect failed: {e}")))?;
        }
        Ok(Self::on(rig, channel, Hub::builder()))
    }

    /// Runs a hub with a channel of the rig that is connected already, and settings of the test's own.
    #[must_use]
    pub fn on(rig: Arc<dyn Rig>, channel: Arc<dyn Channel>, settings: HubBuilder) -> Self {
        let clock = ManualClock::at(Timestamp::from_secs(1_767_225_600));
        let hub = settings
            .clock(clock.clone())
            .send_timeout(FOR_EVER)
            .give_up_after(FOR_EVER)
            .lease(FOR_EVER)
            .build();
        let key = ChannelKey::new("pair", "channel");
        hub.add_channel(ChannelSetup::new(key.clone(), Arc::clone(&channel)));
        let (sender, came) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        let running = hub.clone();
        tasks.spawn(async move {
            // It ends with the pair.
            let _ = running.run().await;
        });
        if channel.receives().takes_webhooks() {
            let (rig, receiving, key) = (Arc::clone(&rig), hub.clone(), key.clone());
            tasks.spawn(async move {
                loop {
                    let request = rig.webhook().await;
                    receiving.webhook(&key, request.clone()).await;
                    // Not every test looks at them.
                    let _ = sender.send(request);
                }
            });
        }
        Self { hub, clock, key, rig, came: Mutex::new(came), tasks }
    }

    /// The provider's side.
    #[must_use]
    pub fn rig(&self) -> &dyn Rig {
        &*self.rig
    }

    /// Moves the hub's clock.
    pub fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// The next webhook that came, as it was posted; the hub has it already.
    pub async fn webhook(&self) -> Option<WebhookRequest> {
        self.came.lock().await.recv().await
    }

    /// Waits until something is so. `what` names it for the error.
    ///
    /// # Errors
    /// When it is not within the rig's patience.
    pub async fn until<T, F: Future<Output = Option<T>>>(
        &self,
        what: &str,
        moving: Moving,
        look: impl Fn() -> F,
    ) -> Result<T, PairError> {
        let search = async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                tokio::time::sleep(LOOK).await;
                if moving == Moving::On {
                    self.clock.advance(STEP);
                }
            }
        };
        tokio::time::timeout(self.rig.patience(), search)
            .await
            .map_err(|_| PairError(format!("{what}: waited in vain; the channel is {:?}", self.hub.health())))
    }

    /// All conversations.
    pub async fn conversations(&self) -> Vec<Conversation> {
        self.hub.conversations(&ConversationQuery::default()).await.unwrap_or_default()
    }

    /// Lets the customer write, and waits for the conversation.
    ///
    /// # Errors
    /// When the customer cannot write, or no conversation comes of it.
    pub async fn customer_writes(&self, text: &str) -> Result<Conversation, PairError> {
        if let Done::Impossible(why) = self.rig.act(Act::Writes(text)).await {
            return Err(PairError(format!("the customer cannot write: {why}")));
        }
        self.until("a conversation", Moving::No, || async { self.conversations().await.pop() }).await
    }

    /// Answers as an agent.
    ///
    /// # Errors
    /// When the hub refuses it.
    pub async fn reply(&self, talk: &Conversation, agent: &str, text: &str) -> Result<(), PairError> {
        let draft = Draft::text(text).by(Actor::Agent { agent: agent.into() });
        let replied = self.hub.reply(talk.id, draft).await;
        replied.map(drop).map_err(|e| PairError(format!("a reply failed: {e}")))
    }

    /// The thread, oldest first; the last hundred messages.
    pub async fn thread(&self, talk: &Conversation) -> Vec<MessageRecord> {
        let mut thread = self.hub.messages(talk.id, None, 100).await.unwrap_or_default();
        thread.reverse();
        thread
    }

    /// Waits until every message of ours has an outcome, and gives them in order.
    ///
    /// # Errors
    /// When one still has none.
    pub async fn all_sent(
        &self,
        talk: &Conversation,
        moving: Moving,
    ) -> Result<Vec<MessageRecord>, PairError> {
        self.until("every message to be sent", moving, || async {
            let thread = self.thread(talk).await;
            let ours: Vec<MessageRecord> =
                thread.into_iter().filter(|m| m.direction == Direction::Out).collect();
            let waits = |m: &MessageRecord| matches!(m.status, None | Some(Status::Queued | Status::Sending));
            (!ours.iter().any(waits)).then_some(ours)
        })
        .await
    }

    /// The words of ours that the customer sees, in order.
    pub async fn seen(&self) -> Vec<String> {
        let chat = self.rig.chat().await;
        let ours = chat.messages.iter().filter(|message| message.is_ours);
        ours.filter_map(|message| message.content.plain_text().map(str::to_owned)).collect()
    }
}
