//! Laws 7 and 13: automatic texts look again before they go, and everything can say why.

use omni_core::capability::{Capabilities, Rate, RateChats};
use omni_core::contact::{Identity, Profile, Sender, SenderKind};
use omni_core::conversation::{Actor, CloseReason};
use omni_core::error::RateScope;
use omni_core::event::EventBody;
use omni_core::policy::Verdict;
use omni_core::{Provider, Status};
use omni_hub::HostEvent;

use crate::world::*;

/// One message a chat every ten seconds: the second automatic text has to wait.
fn slow(capabilities: &mut Capabilities) {
    let chat = Rate { scope: RateScope::Chat, chats: RateChats::All, burst: 1, every: secs(10) };
    capabilities.rates = vec![chat];
}

/// A world in which one automatic text went out and a second one waits.
async fn waiting(change: impl FnOnce(&mut Capabilities)) -> (World, omni_hub::Hub) {
    let world = World::new();
    let hub = world.hub_with(AutoReply, |c| {
        slow(c);
        change(c);
    });
    deliver(&hub, &[says("1", "a", "раз")]).await;
    deliver(&hub, &[says("1", "b", "два")]).await;
    assert_eq!(world.provided.texts().len(), 1);
    (world, hub)
}

/// The reasons for which texts were dropped.
async fn dropped(world: &World) -> Vec<String> {
    let entries = world.entries().await;
    let dropped =
        entries.iter().filter(|e| matches!(e.event, HostEvent::Dropped { .. }) || !e.why.steps.is_empty());
    let steps = dropped.flat_map(|e| &e.why.steps).filter(|s| s.verdict == Verdict::Dropped);
    steps.map(|s| s.because.to_string()).collect()
}

#[tokio::test]
async fn an_automatic_text_is_dropped_when_a_person_answered_meanwhile() {
    let (world, hub) = waiting(|_| ()).await;
    world.pass(secs(1)).await;
    hub.reply(world.conversation().await.id, anna("Я тут")).await.unwrap();
    world.pass_slowly(secs(30)).await;
    let texts: Vec<String> = world.provided.texts().into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["Спасибо за «раз» 🙏", "Я тут"]);
    assert_eq!(world.outgoing().await[1].1, Status::Dropped);
    assert_eq!(dropped(&world).await, ["a person answered meanwhile"]);
}

#[tokio::test]
async fn an_answer_from_the_providers_own_app_stops_it_too() {
    let (world, hub) = waiting(|_| ()).await;
    world.pass(secs(1)).await;
    deliver(&hub, &[echo("1", "e", "Ответили с телефона")]).await;
    world.pass_slowly(secs(30)).await;
    assert_eq!(world.provided.texts().len(), 1);
    assert_eq!(dropped(&world).await, ["a person answered meanwhile"]);
}

#[tokio::test]
async fn an_automatic_text_is_dropped_when_the_conversation_was_closed() {
    let (world, hub) = waiting(|_| ()).await;
    hub.close(world.conversation().await.id, Actor::Agent { agent: "anna".into() }).await.unwrap();
    world.pass_slowly(secs(30)).await;
    assert_eq!(world.provided.texts().len(), 1);
    assert_eq!(dropped(&world).await, ["the conversation was closed meanwhile"]);
}

#[tokio::test]
async fn an_automatic_text_is_dropped_when_the_reply_window_closed() {
    let (world, _hub) = waiting(|c| c.reply_window = Some(secs(5))).await;
    world.pass_slowly(secs(30)).await;
    assert_eq!(world.provided.texts().len(), 1);
    assert_eq!(dropped(&world).await, ["the reply window is closed"]);
}

#[tokio::test]
async fn an_automatic_text_is_dropped_when_the_person_blocked_the_account() {
    let (world, hub) = waiting(|_| ()).await;
    let identity = Identity::new(Provider::new("fake"), "1");
    let sender = Sender { identity, profile: Profile::default(), kind: SenderKind::Person };
    deliver(&hub, &[event_of("1", "x", EventBody::Blocked { sender })]).await;
    world.pass_slowly(secs(30)).await;
    assert_eq!(world.provided.texts().len(), 1);
    assert_eq!(dropped(&world).await, ["the person blocked the account meanwhile"]);
}

#[tokio::test]
async fn robots_are_never_answered_automatically() {
    let world = World::new();
    let hub = world.hub_with(AutoReply, |_| ());
    deliver(&hub, &[robot_says("1", "a", "Я в отпуске до понедельника")]).await;
    assert_eq!(world.provided.begun(), 0);
    assert_eq!(dropped(&world).await, ["the other side is a robot"]);
    assert_eq!(world.thread().await.len(), 1, "what it said is kept all the same");
}

#[tokio::test]
async fn a_persons_answer_is_never_dropped_in_silence() {
    let world = World::new();
    let hub = world.hub_with(AutoReply, slow);
    deliver(&hub, &[says("1", "a", "раз")]).await;
    let conversation = world.conversation().await.id;
    hub.reply(conversation, anna("Отвечаю")).await.unwrap();
    hub.close(conversation, Actor::Agent { agent: "anna".into() }).await.unwrap();
    world.pass_slowly(secs(30)).await;
    assert_eq!(world.provided.texts().last().unwrap().1, "Отвечаю");
}

#[tokio::test]
async fn a_closing_says_why_with_the_rule_that_decided() {
    let world = World::new();
    let hub = world.hub_with(closes_after(3600), |_| ());
    deliver(&hub, &[says("1", "a", "Спасибо!")]).await;
    world.pass(secs(3601)).await;
    let entries = world.entries().await;
    let closed = entries.iter().find(|e| matches!(e.event, HostEvent::Closed { .. })).unwrap();
    let HostEvent::Closed { snapshot, .. } = &closed.event else { unreachable!() };
    assert_eq!(snapshot.closed.as_ref().unwrap().reason, CloseReason::Inactive);
    assert_eq!(snapshot.counts.inbound, 1);
    assert!(
        closed.why.steps.iter().any(|s| s.rule.as_str() == "auto_close" && s.verdict == Verdict::Applied)
    );
}
