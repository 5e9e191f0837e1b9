//! Law 9: time is a parameter; a late or stale timer is harmless.

use std::sync::Arc;

use omni_core::Conversation;
use omni_core::conversation::{Actor, CloseReason, TimerKind};
use omni_core::id::{IdSource, TimerToken};
use omni_core::policy::{Action, Context, Effect, Engine, Input, Policy, Step, Verb};
use omni_hub::store::{Batch, Changes, Target, TimerRecord, Unit};
use omni_hub::{ChannelSetup, HostEvent};

use crate::fake::Fake;
use crate::world::*;

fn closes_after_an_hour() -> Engine {
    closes_after(3600)
}

async fn closings(world: &World) -> usize {
    world.entries().await.iter().filter(|e| matches!(e.event, HostEvent::Closed { .. })).count()
}

#[tokio::test]
async fn silence_closes_at_the_moment_and_not_before() {
    let world = World::new();
    let hub = world.hub_with(closes_after_an_hour(), |_| ());
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    world.pass_slowly(secs(3599)).await;
    assert_eq!(closings(&world).await, 0);
    world.pass_slowly(secs(1)).await;
    assert_eq!(closings(&world).await, 1);
    assert!(!world.conversation().await.is_open());
    assert_eq!(world.store.next_timer(&[shop()]).await.unwrap(), None, "closed means that no timer runs");
}

#[tokio::test]
async fn speech_moves_the_clock() {
    let world = World::new();
    let hub = world.hub_with(closes_after_an_hour(), |_| ());
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    world.pass(secs(1800)).await;
    deliver(&hub, &[says("1", "b", "Вы тут?")]).await;
    world.pass(secs(1800)).await;
    assert_eq!(closings(&world).await, 0);
    world.pass(secs(1800)).await;
    assert_eq!(closings(&world).await, 1);
}

#[tokio::test]
async fn a_timer_that_came_due_while_nothing_ran_fires_once_at_the_next_start() {
    let world = World::new();
    let first = world.builder().node("desk").build();
    let fake = || Arc::new(Fake::new(&world.provided, |_| ()));
    first.add_channel(ChannelSetup::new(shop(), fake()).policy(closes_after_an_hour()));
    let running = run(&first);
    deliver(&first, &[says("1", "a", "Добрый день")]).await;
    running.abort();
    world.pass(secs(100_000)).await;
    assert_eq!(closings(&world).await, 0);
    let second = world.builder().node("desk").build();
    second.add_channel(ChannelSetup::new(shop(), fake()).policy(closes_after_an_hour()));
    run(&second);
    idle().await;
    world.pass_slowly(secs(30)).await;
    assert_eq!(closings(&world).await, 1);
}

#[tokio::test]
async fn two_nodes_close_one_conversation_once() {
    let world = World::new();
    let hub = world.hub_with(closes_after_an_hour(), |_| ());
    let _other = world.hub_with(closes_after_an_hour(), |_| ());
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    world.pass(secs(4000)).await;
    world.pass_slowly(secs(30)).await;
    assert_eq!(closings(&world).await, 1);
}

#[tokio::test]
async fn a_reopened_conversation_is_watched_again() {
    let world = World::new();
    let hub = world.hub_with(closes_after_an_hour(), |_| ());
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    let conversation = world.conversation().await.id;
    hub.close(conversation, Actor::Host).await.unwrap();
    hub.act(conversation, Action { by: Actor::Host, verb: Verb::Reopen }).await.unwrap();
    assert!(world.conversation().await.is_open());
    world.pass(secs(4000)).await;
    world.pass_slowly(secs(30)).await;
    assert_eq!(closings(&world).await, 2);
}

#[tokio::test]
async fn timers_of_channels_that_are_not_connected_do_not_hold_up_the_others() {
    let world = World::new();
    let hub = world.hub_with(closes_after_an_hour(), |_| ());
    let gone = omni_hub::ChannelKey::new("acme", "gone");
    let fake = Fake::new(&world.provided, |_| ());
    hub.add_channel(ChannelSetup::new(gone.clone(), Arc::new(fake)).policy(closes_after_an_hour()));
    let many: Vec<_> = (0..600).map(|n| says(&n.to_string(), &n.to_string(), "раз")).collect();
    hub.webhook(&gone, request(&many)).await;
    world.pass(secs(1)).await;
    deliver(&hub, &[says("1", "a", "два")]).await;
    assert!(hub.remove_channel(&gone));
    world.pass(secs(3600)).await;
    assert_eq!(closings(&world).await, 1);
}

/// Closes at any timer, so that a stale one would be seen.
#[derive(Debug)]
struct ClosesAtTimers;

impl Policy for ClosesAtTimers {
    fn step(&self, _: &Conversation, input: &Input<'_>, context: &Context<'_>) -> Step {
        let mut step = Step::default();
        step.effects.extend(match input {
            Input::Opened(_) => {
                Some(Effect::SetTimer { kind: TimerKind::Own(1), due: context.now + secs(3600) })
            }
            Input::Timer(_) => Some(Effect::Close { reason: CloseReason::Inactive, by: Actor::Host }),
            _ => None,
        });
        step
    }
}

#[tokio::test]
async fn a_stale_timer_goes_away_and_does_nothing() {
    let world = World::new();
    let hub = world.hub_with(ClosesAtTimers, |_| ());
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    let stale = TimerRecord {
        token: TimerToken::next(&IdSource::new(99), hub.now()),
        conversation: world.conversation().await.id,
        channel: shop(),
        kind: TimerKind::Own(1),
        due: hub.now() + secs(10),
    };
    let put =
        Unit::new(Target::Nothing, move |_| Changes { timers: vec![stale.clone()], ..Changes::default() });
    world.store.apply(Batch::from(put)).await.unwrap();
    world.pass_slowly(secs(30)).await;
    assert_eq!(closings(&world).await, 0);
    let next = world.store.next_timer(&[shop()]).await.unwrap();
    assert_eq!(next, world.conversation().await.timer(TimerKind::Own(1)).map(|t| t.due));
    world.pass_slowly(secs(3600)).await;
    assert_eq!(closings(&world).await, 1);
}
