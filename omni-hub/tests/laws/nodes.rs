//! Law 11 and the rest of what happens between processes on one store.

use std::sync::Arc;

use omni_core::Address;
use omni_core::Status;
use omni_core::capability::Idempotency;
use omni_core::error::{Error, ErrorKind};
use omni_core::policy::Engine;
use omni_hub::store::Refused;
use omni_hub::{ChannelSetup, Health, Hub, HubError, Interrupted};

use crate::fake::{Fake, Turn};
use crate::world::*;

fn listening(world: &World) -> Hub {
    let hub = world.builder().build();
    hub.add_channel(ChannelSetup::new(shop(), Arc::new(Fake::new(&world.provided, |_| ()).listening())));
    hub
}

#[tokio::test]
async fn two_nodes_never_listen_for_one_account() {
    let world = World::new();
    let (first, second) = (listening(&world), listening(&world));
    run(&first);
    idle().await;
    run(&second);
    world.pass_slowly(secs(120)).await;
    let (now, most, _) = world.provided.listeners();
    assert_eq!((now, most), (1, 1));
    assert_eq!(first.health()[0].health, Health::Working);
    assert_eq!(second.health()[0].health, Health::Standby);
}

#[tokio::test]
async fn a_node_that_dies_is_followed_by_the_other_from_where_it_stood() {
    let world = World::new();
    let (first, second) = (listening(&world), listening(&world));
    let running = run(&first);
    idle().await;
    run(&second);
    world.provided.update(says("1", "a", "раз"));
    idle().await;
    running.abort();
    world.provided.update(says("1", "b", "два"));
    world.pass_slowly(secs(10)).await;
    assert_eq!(world.thread().await.len(), 1, "the dead one's lease still holds");
    world.pass_slowly(secs(30)).await;
    assert_eq!(world.thread().await.len(), 2);
    assert_eq!(world.provided.listeners().1, 1);
}

#[tokio::test]
async fn a_listener_that_returns_its_lease_is_followed_soon() {
    let world = World::new();
    let (first, second) = (listening(&world), listening(&world));
    let running = run(&first);
    idle().await;
    run(&second);
    idle().await;
    first.shutdown();
    running.await.unwrap().unwrap();
    world.pass_slowly(secs(6)).await;
    assert_eq!(second.health()[0].health, Health::Working);
}

#[tokio::test]
async fn a_provider_that_takes_nothing_is_listened_to_all_the_same() {
    let world = World::new();
    let hub = listening(&world);
    run(&hub);
    world.provided.update(says("1", "a", "раз"));
    idle().await;
    let talk = world.conversation().await.id;
    for cut in 1..=8 {
        world.provided.script([Turn::Refuse(Error::new(ErrorKind::Protocol, "send"))]);
        hub.reply(talk, anna("ответ")).await.unwrap();
        idle().await;
        assert!(matches!(hub.health()[0].health, Health::Degraded { .. }), "sending is ill");
        world.provided.cut_listeners();
        world.pass_slowly(secs(5)).await;
        assert_eq!(world.provided.listeners().0, 1, "after cut {cut} it listens again within seconds");
    }
}

#[tokio::test]
async fn a_conflict_at_the_provider_is_health_and_no_storm_of_calls() {
    let world = World::new();
    world.provided.refuse_listeners(Some(ErrorKind::Conflict));
    let hub = listening(&world);
    run(&hub);
    world.pass_slowly(secs(300)).await;
    assert!(matches!(hub.health()[0].health, Health::NeedsPerson { .. }));
    let (_, _, listens) = world.provided.listeners();
    assert!(listens <= 12, "{listens} calls in five minutes");
    world.provided.refuse_listeners(None);
    world.pass_slowly(secs(31)).await;
    assert_eq!(hub.health()[0].health, Health::Working, "it works by itself once the other has gone");
}

/// A message that is being handed over when the process dies.
async fn interrupted(world: &World, how: Interrupted, idempotency: Idempotency) -> Hub {
    let hub = || {
        let hub = world.builder().node("desk").interrupted(how).build();
        let fake = Fake::new(&world.provided, |c| c.idempotency = idempotency);
        hub.add_channel(ChannelSetup::new(shop(), Arc::new(fake)));
        hub
    };
    let first = hub();
    let running = run(&first);
    idle().await;
    world.provided.hold();
    first.start(&shop(), Address::new("1"), anna("Договорились!")).await.unwrap();
    idle().await;
    assert_eq!(world.provided.begun(), 1);
    running.abort();
    idle().await;
    world.provided.let_go();
    let second = hub();
    run(&second);
    world.pass_slowly(secs(30)).await;
    second
}

#[tokio::test]
async fn a_send_cut_off_by_a_crash_is_an_unknown() {
    let world = World::new();
    let _hub = interrupted(&world, Interrupted::Hold, Idempotency::None).await;
    assert_eq!(world.provided.begun(), 1);
    assert_eq!(world.outgoing().await, [("Договорились!".to_owned(), Status::Unknown)]);
}

#[tokio::test]
async fn a_send_cut_off_by_a_crash_is_repeated_where_that_is_harmless_or_wanted() {
    let key = Idempotency::Key { memory: None };
    for (how, idempotency) in [(Interrupted::Hold, key), (Interrupted::Resend, Idempotency::None)] {
        let world = World::new();
        let _hub = interrupted(&world, how, idempotency).await;
        assert_eq!(world.provided.begun(), 2);
        assert_eq!(world.outgoing().await, [("Договорились!".to_owned(), Status::Sent)]);
    }
}

#[tokio::test]
async fn what_a_dead_node_had_to_send_another_sends_once_in_order() {
    let world = World::new();
    let first = world.hub();
    world.provided.hold();
    for text in ["раз", "два", "три"] {
        first.start(&shop(), Address::new("1"), anna(text)).await.unwrap();
    }
    idle().await;
    // It was never run by name, so only the end of its lease shows that it is dead.
    let second = world.builder().build();
    second.add_channel(ChannelSetup::new(shop(), Arc::new(Fake::new(&world.provided, |_| ()))));
    run(&second);
    world.pass_slowly(secs(60)).await;
    world.provided.let_go();
    idle().await;
    let texts: Vec<String> = world.provided.texts().into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["раз", "два", "три"], "the first node lives, so it alone sends");
}

#[tokio::test]
async fn a_newer_process_of_the_same_name_ends_the_older() {
    let world = World::new();
    let named = || {
        let hub = world.builder().node("desk").build();
        hub.add_channel(ChannelSetup::new(shop(), Arc::new(Fake::new(&world.provided, |_| ()).listening())));
        hub
    };
    let older = run(&named());
    idle().await;
    let newer = named();
    run(&newer);
    world.pass_slowly(secs(20)).await;
    let ended = older.await.unwrap();
    assert!(matches!(ended, Err(HubError::Refused(Refused::Taken))), "{ended:?}");
    world.provided.update(says("1", "a", "Кто слушает?"));
    idle().await;
    assert_eq!(world.thread().await.len(), 1);
    assert_eq!(newer.health()[0].health, Health::Working);
}

#[tokio::test]
async fn a_superseded_process_hands_over_nothing_that_was_taken_from_it() {
    let world = World::new();
    let hub = || {
        let hub = world.builder().node("desk").build();
        hub.add_channel(ChannelSetup::new(
            shop(),
            Arc::new(Fake::new(&world.provided, |c| {
                c.rates = vec![omni_core::capability::Rate {
                    scope: omni_core::error::RateScope::Chat,
                    chats: omni_core::capability::RateChats::All,
                    burst: 1,
                    every: secs(3),
                }];
            })),
        ));
        hub
    };
    let older = hub();
    run(&older);
    idle().await;
    for text in ["раз", "два"] {
        older.start(&shop(), Address::new("1"), anna(text)).await.unwrap();
    }
    idle().await;
    assert_eq!(world.provided.begun(), 1, "the second waits in the memory of the older process");
    world.provided.hold();
    run(&hub());
    world.pass_slowly(secs(4)).await;
    assert_eq!(world.provided.begun(), 2, "the newer hands it over, the older does not as well");
    world.provided.let_go();
    world.pass_slowly(secs(60)).await;
    let texts: Vec<String> = world.provided.texts().into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["раз", "два"]);
}

#[tokio::test]
async fn a_shutdown_finishes_what_is_handed_over_and_leaves_the_rest_to_the_next() {
    let world = World::new();
    let hub = world.hub_with(Engine::default(), |_| ());
    let again = world.builder().build();
    world.provided.hold();
    for text in ["раз", "два"] {
        hub.start(&shop(), Address::new("1"), anna(text)).await.unwrap();
    }
    idle().await;
    hub.shutdown();
    idle().await;
    assert_eq!(world.outgoing().await[0].1, Status::Sending);
    world.provided.let_go();
    idle().await;
    assert_eq!(world.provided.texts().len(), 1, "what was not begun is not begun any more");
    assert_eq!(world.outgoing().await[0].1, Status::Sent);
    again.add_channel(ChannelSetup::new(shop(), Arc::new(Fake::new(&world.provided, |_| ()))));
    run(&again);
    idle().await;
    assert_eq!(world.provided.texts().len(), 2);
}
