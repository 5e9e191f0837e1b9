//! The channel behind a hub: what a host's users see of it when things go wrong.

use std::sync::Arc;

use omni_core::capability::Idempotency;
use omni_core::error::ErrorKind;
use omni_core::{Content, Conversation, Status};
use omni_hub::store::MessageRecord;
use omni_hub::{Health, Hub};

use super::rig::Trouble;
use super::scene::{Scene, Stop, Verdict, copies, ensure, failed, not_applicable, passed};
use crate::pair::{Moving, Pair, PairError};

impl From<PairError> for Stop {
    fn from(PairError(why): PairError) -> Self {
        Stop::Failed(why)
    }
}

/// A hub with the scene's channel, and a customer who has written.
async fn begun(scene: &Scene) -> Result<(Pair, Conversation), Stop> {
    scene.inbound()?;
    scene.outbound()?;
    if scene.rig.address().is_some() {
        return not_applicable("the customer cannot write first");
    }
    let pair = Pair::on(Arc::clone(&scene.rig), Arc::clone(&scene.channel), Hub::builder());
    let talk = pair.customer_writes("Здравствуйте 👋").await?;
    Ok((pair, talk))
}

/// Law 3: providers repeat webhooks, also at the same moment.
pub(super) async fn a_repeated_webhook_changes_nothing(scene: Scene) -> Verdict {
    if !scene.channel.receives().takes_webhooks() {
        return not_applicable("the channel takes no webhooks");
    }
    let (pair, talk) = begun(&scene).await?;
    let Some(request) = pair.webhook().await else { return failed("no webhook was kept") };
    let again = (0..5).map(|_| pair.hub.webhook(&pair.key, request.clone()));
    for answer in futures_util::future::join_all(again).await {
        ensure!(answer.status.is_success(), "a repeated webhook is answered {}", answer.status);
    }
    let (talks, thread) = (pair.conversations().await.len(), pair.thread(&talk).await.len());
    ensure!((talks, thread) == (1, 1), "six deliveries made {talks} conversations and {thread} messages");
    passed("six deliveries, five of them at once: one message")
}

/// Law 4: the order in which agents' answers were taken is the order in which the customer sees them.
pub(super) async fn two_agents_at_once_keep_the_order_of_the_chat(scene: Scene) -> Verdict {
    const EACH: usize = 5;
    let (pair, talk) = begun(&scene).await?;
    let answers = |agent: &'static str| {
        let (pair, talk) = (&pair, &talk);
        async move {
            for n in 0..EACH {
                pair.reply(talk, agent, &format!("{agent} {n}")).await?;
            }
            Ok::<(), PairError>(())
        }
    };
    let (anna, boris) = tokio::join!(answers("Анна"), answers("Борис"));
    anna?;
    boris?;
    let ours = pair.all_sent(&talk, Moving::On).await?;
    let taken: Vec<String> = ours.iter().filter_map(|m| m.content.plain_text().map(str::to_owned)).collect();
    let seen = pair.seen().await;
    ensure!(taken.len() == 2 * EACH, "{} of {} answers are in the thread", taken.len(), 2 * EACH);
    ensure!(seen == taken, "taken as {taken:?}, seen as {seen:?}");
    passed(format!("{} answers of two agents, in order, each once", 2 * EACH))
}

/// Law 10: what a pause holds back goes when it is over, in order, once.
pub(super) async fn a_pause_loses_nothing(scene: Scene) -> Verdict {
    let (pair, talk) = begun(&scene).await?;
    scene.trouble(Trouble::Refuses(ErrorKind::RateLimited)).await?;
    for text in ["первое", "второе", "третье"] {
        pair.reply(&talk, "Анна", text).await?;
    }
    pair.all_sent(&talk, Moving::On).await?;
    let seen = pair.seen().await;
    ensure!(seen == ["первое", "второе", "третье"], "the customer sees {seen:?}");
    passed("three answers, in order, each once")
}

/// Law 5: what was perhaps sent is not sent again, unless the provider recognises repeats; what follows it goes.
pub(super) async fn a_lost_answer_doubles_nothing(scene: Scene) -> Verdict {
    let (pair, talk) = begun(&scene).await?;
    scene.trouble(Trouble::LosesAnswer).await?;
    pair.reply(&talk, "Анна", "один раз").await?;
    let ours = pair.all_sent(&talk, Moving::On).await?;
    pair.reply(&talk, "Анна", "дальше").await?;
    pair.all_sent(&talk, Moving::On).await?;
    scene.rig.settles().await;
    let chat = scene.rig.chat().await;
    let came = copies(&chat, "один раз");
    ensure!(came == 1, "the customer sees it {came} times");
    ensure!(copies(&chat, "дальше") == 1, "the next one did not come");
    let repeats = scene.channel.capabilities().idempotency != Idempotency::None;
    match ours.first().and_then(|m| m.status) {
        // An echo may be faster than we look.
        Some(Status::Unknown) if !repeats => passed("held as unknown until its echo; the next one goes"),
        Some(status) if status.merge(Status::Accepted) == status => passed(match repeats {
            true => "repeated with its key, and taken once",
            false => "held as unknown until its echo; the next one goes",
        }),
        other => failed(format!("it was sent, and its status is {other:?}")),
    }
}

/// A revoked credential stops the channel and says what to do; what people wrote is kept.
pub(super) async fn a_revoked_credential_needs_a_person_and_loses_nothing(scene: Scene) -> Verdict {
    let (pair, talk) = begun(&scene).await?;
    scene.trouble(Trouble::Revokes).await?;
    pair.reply(&talk, "Анна", "когда-нибудь").await?;
    let ill = pair
        .until("the channel to need a person", Moving::No, || async {
            pair.hub.health().into_iter().find_map(|channel| match channel.health {
                Health::NeedsPerson { error, .. } => Some(error),
                _ => None,
            })
        })
        .await?;
    ensure!(ill.advice.is_some(), "it is not said what to do: {ill:?}");
    let kept = pair.thread(&talk).await;
    let waits = |m: &MessageRecord| {
        m.content == Content::text("когда-нибудь")
            && matches!(m.status, Some(Status::Queued | Status::Sending))
    };
    ensure!(kept.iter().any(waits), "what was written is not kept: {:?}", kept.last().map(|m| m.status));
    passed("health says what to do; the answer waits")
}
