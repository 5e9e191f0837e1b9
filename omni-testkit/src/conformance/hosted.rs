//! The channel behind a hub: what a host's users see of it when things go wrong.

use std::sync::Arc;
use std::time::Duration;

use omni_core::capability::Idempotency;
use omni_core::conversation::Actor;
use omni_core::error::ErrorKind;
use omni_core::webhook::WebhookRequest;
use omni_core::{Content, Conversation, Status, Timestamp};
use omni_hub::store::{ConversationQuery, Direction, MessageRecord};
use omni_hub::{ChannelKey, ChannelSetup, Draft, Health, Hub, ManualClock};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::rig::{Act, Trouble};
use super::scene::{Scene, Stop, Verdict, copies, done, ensure, failed, not_applicable, passed};

/// Pauses that providers ask for are not waited for: the hub's clock is moved by this, again and again.
const STEP: Duration = Duration::from_secs(60);
/// Between two looks at what came of it, on the true clock: calls go over real connections.
const LOOK: Duration = Duration::from_millis(2);
/// Longer than all pauses together: nothing expires here.
const FOR_EVER: Duration = Duration::from_secs(365 * 86_400);

/// A hub with the scene's channel, on the memory store and a clock of its own.
struct Hosted {
    scene: Scene,
    hub: Hub,
    clock: ManualClock,
    /// Webhooks as they came, handed to the hub already.
    came: tokio::sync::Mutex<mpsc::UnboundedReceiver<WebhookRequest>>,
    tasks: JoinSet<()>,
}

impl Drop for Hosted {
    fn drop(&mut self) {
        self.tasks.abort_all();
    }
}

fn key() -> ChannelKey {
    ChannelKey::new("suite", "channel")
}

impl Hosted {
    fn start(scene: Scene) -> Result<Self, Stop> {
        scene.inbound()?;
        scene.outbound()?;
        let clock = ManualClock::at(Timestamp::from_secs(1_767_225_600));
        let hub = Hub::builder()
            .clock(clock.clone())
            .send_timeout(FOR_EVER)
            .give_up_after(FOR_EVER)
            .lease(FOR_EVER)
            .build();
        hub.add_channel(ChannelSetup::new(key(), Arc::clone(&scene.channel)));
        let (sender, came) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        let running = hub.clone();
        tasks.spawn(async move {
            // It ends with the scene.
            let _ = running.run().await;
        });
        let (rig, receiving) = (Arc::clone(&scene.rig), hub.clone());
        if scene.channel.receives().takes_webhooks() {
            tasks.spawn(async move {
                loop {
                    let request = rig.webhook().await;
                    receiving.webhook(&key(), request.clone()).await;
                    // Only one rule looks at them.
                    let _ = sender.send(request);
                }
            });
        }
        Ok(Self { scene, hub, clock, came: tokio::sync::Mutex::new(came), tasks })
    }

    /// Waits until something is so; with the clock moved on between two looks, when asked to.
    async fn until<T, F: Future<Output = Option<T>>>(
        &self,
        what: &str,
        moving: Moving,
        look: impl Fn() -> F,
    ) -> Result<T, Stop> {
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
        match tokio::time::timeout(self.scene.rig.patience(), search).await {
            Ok(found) => Ok(found),
            Err(_) => failed(format!("{what}: waited in vain; the channel is {:?}", self.hub.health())),
        }
    }

    async fn conversations(&self) -> Vec<Conversation> {
        self.hub.conversations(&ConversationQuery::default()).await.unwrap_or_default()
    }

    /// Lets the customer write, and waits for the conversation.
    async fn hello(&self) -> Result<Conversation, Stop> {
        if self.scene.rig.address().is_some() {
            return not_applicable("the customer cannot write first");
        }
        self.scene.act(Act::Writes("Здравствуйте 👋")).await?;
        self.until("a conversation", Moving::No, || async { self.conversations().await.pop() }).await
    }

    async fn replies(&self, talk: &Conversation, agent: &str, text: &str) -> Result<(), Stop> {
        let draft = Draft::text(text).by(Actor::Agent { agent: agent.into() });
        done("a reply", self.hub.reply(talk.id, draft).await).map(drop)
    }

    /// The thread, oldest first.
    async fn thread(&self, talk: &Conversation) -> Vec<MessageRecord> {
        let mut thread = self.hub.messages(talk.id, None, 100).await.unwrap_or_default();
        thread.reverse();
        thread
    }

    /// Waits until everything of ours has an outcome that lasts.
    async fn all_sent(&self, talk: &Conversation, moving: Moving) -> Result<Vec<MessageRecord>, Stop> {
        self.until("every message to be sent", moving, || async {
            let ours: Vec<MessageRecord> =
                self.thread(talk).await.into_iter().filter(|m| m.direction == Direction::Out).collect();
            let pending =
                |m: &MessageRecord| matches!(m.status, None | Some(Status::Queued | Status::Sending));
            (!ours.iter().any(pending)).then_some(ours)
        })
        .await
    }

    /// The words of ours that the customer sees, in order.
    async fn seen(&self) -> Vec<String> {
        let chat = self.scene.rig.chat().await;
        let ours = chat.messages.iter().filter(|message| message.is_ours);
        ours.filter_map(|message| message.content.plain_text().map(str::to_owned)).collect()
    }
}

/// Whether the hub's clock moves while one waits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moving {
    No,
    On,
}

/// Law 3: providers repeat webhooks, also at the same moment.
pub(super) async fn a_repeated_webhook_changes_nothing(scene: Scene) -> Verdict {
    if !scene.channel.receives().takes_webhooks() {
        return not_applicable("the channel takes no webhooks");
    }
    let hosted = Hosted::start(scene)?;
    let talk = hosted.hello().await?;
    let Some(request) = hosted.came.lock().await.recv().await else { return failed("no webhook was kept") };
    let key = key();
    let again = (0..5).map(|_| hosted.hub.webhook(&key, request.clone()));
    for answer in futures_util::future::join_all(again).await {
        ensure!(answer.status.is_success(), "a repeated webhook is answered {}", answer.status);
    }
    let (talks, thread) = (hosted.conversations().await.len(), hosted.thread(&talk).await.len());
    ensure!((talks, thread) == (1, 1), "six deliveries made {talks} conversations and {thread} messages");
    passed("six deliveries, five of them at once: one message")
}

/// Law 4: the order in which agents' answers were taken is the order in which the customer sees them.
pub(super) async fn two_agents_at_once_keep_the_order_of_the_chat(scene: Scene) -> Verdict {
    const EACH: usize = 5;
    let hosted = Hosted::start(scene)?;
    let talk = hosted.hello().await?;
    let answers = |agent: &'static str| {
        let (hosted, talk) = (&hosted, &talk);
        async move {
            for n in 0..EACH {
                hosted.replies(talk, agent, &format!("{agent} {n}")).await?;
            }
            Ok::<(), Stop>(())
        }
    };
    let (anna, boris) = tokio::join!(answers("Анна"), answers("Борис"));
    anna?;
    boris?;
    let ours = hosted.all_sent(&talk, Moving::On).await?;
    let taken: Vec<String> = ours.iter().filter_map(|m| m.content.plain_text().map(str::to_owned)).collect();
    let seen = hosted.seen().await;
    ensure!(taken.len() == 2 * EACH, "{} of {} answers are in the thread", taken.len(), 2 * EACH);
    ensure!(seen == taken, "taken as {taken:?}, seen as {seen:?}");
    passed(format!("{} answers of two agents, in order, each once", 2 * EACH))
}

/// Law 10: what a pause holds back goes when it is over, in order, once.
pub(super) async fn a_pause_loses_nothing(scene: Scene) -> Verdict {
    let hosted = Hosted::start(scene)?;
    let talk = hosted.hello().await?;
    hosted.scene.trouble(Trouble::Refuses(ErrorKind::RateLimited)).await?;
    for text in ["первое", "второе", "третье"] {
        hosted.replies(&talk, "Анна", text).await?;
    }
    hosted.all_sent(&talk, Moving::On).await?;
    let seen = hosted.seen().await;
    ensure!(seen == ["первое", "второе", "третье"], "the customer sees {seen:?}");
    passed("three answers, in order, each once")
}

/// Law 5: what was perhaps sent is not sent again, unless the provider recognises repeats; what follows it goes.
pub(super) async fn a_lost_answer_doubles_nothing(scene: Scene) -> Verdict {
    let hosted = Hosted::start(scene)?;
    let talk = hosted.hello().await?;
    hosted.scene.trouble(Trouble::LosesAnswer).await?;
    hosted.replies(&talk, "Анна", "один раз").await?;
    let ours = hosted.all_sent(&talk, Moving::On).await?;
    hosted.replies(&talk, "Анна", "дальше").await?;
    hosted.all_sent(&talk, Moving::On).await?;
    hosted.scene.rig.settles().await;
    let chat = hosted.scene.rig.chat().await;
    let came = copies(&chat, "один раз");
    ensure!(came == 1, "the customer sees it {came} times");
    ensure!(copies(&chat, "дальше") == 1, "the next one did not come");
    let status = ours.first().and_then(|m| m.status);
    let repeats = hosted.scene.channel.capabilities().idempotency != Idempotency::None;
    match status {
        Some(Status::Unknown) if !repeats => passed("held as unknown; the next one goes"),
        Some(status) if status.merge(Status::Accepted) == status => {
            passed(if repeats { "repeated with its key, and taken once" } else { "settled by its echo" })
        }
        other => failed(format!("it was sent, and its status is {other:?}")),
    }
}

/// A revoked credential stops the channel and says what to do; what people wrote is kept.
pub(super) async fn a_revoked_credential_needs_a_person_and_loses_nothing(scene: Scene) -> Verdict {
    let hosted = Hosted::start(scene)?;
    let talk = hosted.hello().await?;
    hosted.scene.trouble(Trouble::Revokes).await?;
    hosted.replies(&talk, "Анна", "когда-нибудь").await?;
    let ill = hosted
        .until("the channel to need a person", Moving::No, || async {
            hosted.hub.health().into_iter().find_map(|channel| match channel.health {
                Health::NeedsPerson { error, .. } => Some(error),
                _ => None,
            })
        })
        .await?;
    ensure!(ill.advice.is_some(), "it is not said what to do: {ill:?}");
    let kept: Vec<MessageRecord> = hosted.thread(&talk).await;
    let waits = |m: &MessageRecord| {
        m.content == Content::text("когда-нибудь")
            && matches!(m.status, Some(Status::Queued | Status::Sending))
    };
    ensure!(kept.iter().any(waits), "what was written is not kept: {:?}", kept.last().map(|m| m.status));
    passed("health says what to do; the answer waits")
}
