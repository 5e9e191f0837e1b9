//! Cancel safety: every future may be dropped at every await, and nothing is lost, doubled or stuck.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use omni_core::channel::Receives;
use omni_core::{Content, EventBody};

use super::rig::Act;
use super::scene::{Scene, Verdict, copies, done, ensure, failed, not_applicable, passed};

/// Awaits at which a future is dropped, one after the other; most end long before.
const AWAITS: usize = 12;

/// Polls a future until it is done or has waited so many times; then it is dropped.
async fn dropped_after<F: Future>(future: F, waits: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = waits;
    poll_fn(move |cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// A dropped send has perhaps sent: once at most. The next one goes.
pub(super) async fn a_send_may_be_dropped_at_every_await(scene: Scene) -> Verdict {
    let outbound = scene.outbound()?;
    let address = scene.hello().await?.address;
    let mut cut = 0;
    let words = |waits: usize| format!("брошено {waits}");
    for waits in 0..AWAITS {
        let item = scene.item(&address, Content::text(words(waits)));
        let ended = dropped_after(outbound.send(&item), waits).await;
        cut += usize::from(ended.is_none());
        ensure!(ended.is_none_or(|sent| sent.is_ok()), "a send that was not dropped failed");
    }
    scene.sends(&address, Content::text("и дальше")).await?;
    let chat = scene.rig.chat().await;
    ensure!(copies(&chat, "и дальше") == 1, "nothing goes after a dropped send");
    for waits in 0..AWAITS {
        let came = copies(&chat, &words(waits));
        ensure!(came <= 1, "a send dropped at await {waits} came {came} times");
    }
    passed(if cut > 0 { "none came twice; the next send goes" } else { "the send never waits" })
}

/// A dropped question leaves the channel as it was.
pub(super) async fn a_check_may_be_dropped_at_every_await(scene: Scene) -> Verdict {
    let mut cut = 0;
    for waits in 0..AWAITS {
        cut += usize::from(dropped_after(scene.channel.check(), waits).await.is_none());
    }
    done("a check after dropped ones", scene.channel.check().await)?;
    passed(if cut > 0 { "the next check is answered" } else { "the check asks nobody" })
}

/// A dropped listener has lost nothing: whoever goes on behind the last cursor hears all of it.
pub(super) async fn a_listener_may_be_dropped_at_any_moment(scene: Scene) -> Verdict {
    if !scene.channel.receives().listens() {
        return not_applicable("the channel has no listener");
    }
    if scene.channel.receives() == Receives::Both {
        // What the session misses the webhook brings: the two are told apart by the rules about listening.
        return not_applicable("the channel takes webhooks beside it");
    }
    scene.hello().await?;
    let texts: Vec<String> = (0..AWAITS).map(|n| format!("слово {n}")).collect();
    let mut heard = Vec::new();
    for text in &texts {
        scene.stops().await;
        scene.act(Act::Writes(text)).await?;
        scene.listens().await;
        let event = scene
            .hears(text, |event| match &event.body {
                EventBody::Message(message) => message.content.plain_text() == Some(text),
                _ => false,
            })
            .await?;
        if heard.contains(&event.id) {
            return failed(format!("{text:?} has the id of another message"));
        }
        heard.push(event.id);
    }
    passed(format!("dropped {} times between two messages; each was told", texts.len()))
}
