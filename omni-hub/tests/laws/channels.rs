//! Channels and policies come, change and go while the hub runs.

use std::sync::Arc;

use omni_core::Address;
use omni_core::conversation::{Actor, Owner, Visibility};
use omni_core::error::{Error, ErrorKind};
use omni_core::policy::{ChannelPolicy, Engine};
use omni_hub::store::Refused;
use omni_hub::{ChannelSetup, Draft, HubError};

use crate::fake::{Fake, Provided, Turn};
use crate::world::*;

#[tokio::test]
async fn what_waits_for_a_disconnected_channel_goes_out_when_it_is_back() {
    let world = World::new();
    let hub = world.hub();
    world.provided.script([Turn::Refuse(Error::new(ErrorKind::Unavailable, "send"))]);
    hub.start(&shop(), Address::new("1"), Draft::text("позже")).await.unwrap();
    idle().await;
    assert!(hub.remove_channel(&shop()));
    world.pass_slowly(secs(60)).await;
    assert!(world.provided.texts().is_empty());
    assert!(matches!(
        hub.start(&shop(), Address::new("1"), Draft::text("никуда")).await,
        Err(HubError::NoChannel(_))
    ));
    hub.add_channel(ChannelSetup::new(shop(), Arc::new(Fake::new(&world.provided, |_| ()))));
    world.pass_slowly(secs(10)).await;
    assert_eq!(world.provided.texts(), [("1".to_owned(), "позже".to_owned())]);
}

#[tokio::test]
async fn a_replaced_channel_sends_what_waited_for_the_old_one() {
    let world = World::new();
    let hub = world.hub();
    world.provided.script([Turn::Refuse(Error::new(ErrorKind::BadCredentials, "send"))]);
    hub.start(&shop(), Address::new("1"), Draft::text("с новым ключом")).await.unwrap();
    idle().await;
    let renewed = Provided::new();
    hub.add_channel(ChannelSetup::new(shop(), Arc::new(Fake::new(&renewed, |_| ()))));
    world.pass_slowly(secs(5)).await;
    assert_eq!(renewed.texts(), [("1".to_owned(), "с новым ключом".to_owned())]);
}

#[tokio::test]
async fn a_channel_may_be_added_before_and_after_the_hub_runs() {
    let world = World::new();
    let hub = world.builder().build();
    run(&hub);
    idle().await;
    hub.add_channel(ChannelSetup::new(shop(), Arc::new(Fake::new(&world.provided, |_| ()))));
    hub.start(&shop(), Address::new("1"), Draft::text("сразу")).await.unwrap();
    idle().await;
    assert_eq!(world.provided.texts().len(), 1);
}

#[tokio::test]
async fn what_is_queued_before_the_hub_runs_goes_out_when_it_does() {
    let world = World::new();
    let hub = world.builder().build();
    hub.add_channel(ChannelSetup::new(shop(), Arc::new(Fake::new(&world.provided, |_| ()))));
    for text in ["раз", "два"] {
        hub.start(&shop(), Address::new("1"), Draft::text(text)).await.unwrap();
    }
    idle().await;
    assert_eq!(world.provided.begun(), 0);
    run(&hub);
    idle().await;
    let texts: Vec<String> = world.provided.texts().into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["раз", "два"]);
}

#[tokio::test]
async fn a_policy_holds_from_the_next_event_on() {
    let world = World::new();
    let hub = world.hub();
    deliver(&hub, &[says("1", "a", "раз")]).await;
    hub.set_policy(
        &shop(),
        Engine::of(ChannelPolicy { pinned: Some("anna".into()), ..ChannelPolicy::default() }).unwrap(),
    )
    .unwrap();
    deliver(&hub, &[says("2", "b", "два")]).await;
    let mut all = world.conversations().await;
    all.sort_by_key(|c| c.id);
    assert_eq!(all[0].visible, Visibility::Everyone);
    assert_eq!(all[1].visible, Visibility::Agent { agent: "anna".into() });
    assert_eq!(all[1].owner, Owner::Agent { agent: "anna".into() });
}

#[tokio::test]
async fn two_agents_never_both_take_a_conversation() {
    let world = World::new();
    let hub = world.hub();
    deliver(&hub, &[says("1", "a", "Кто возьмёт?")]).await;
    let id = world.conversation().await.id;
    let taken = futures_util::future::join_all(["anna", "boris", "vera"].map(|who| hub.take(id, who))).await;
    assert_eq!(taken.iter().filter(|t| t.is_ok()).count(), 1);
    assert!(
        taken.iter().filter_map(|t| t.as_ref().err()).all(|e| matches!(e, HubError::Refused(Refused::Taken)))
    );
    // A transfer is given, not taken.
    let to = Owner::Agent { agent: "vera".into() };
    hub.assign(id, to.clone(), Actor::Agent { agent: "anna".into() }).await.unwrap();
    assert_eq!(world.conversation().await.owner, to);
}

#[tokio::test]
async fn a_closed_conversation_takes_no_answer_and_a_new_message_opens_another() {
    let world = World::new();
    let hub = world.hub();
    deliver(&hub, &[says("1", "a", "Спасибо")]).await;
    let id = world.conversation().await.id;
    hub.close(id, Actor::Agent { agent: "anna".into() }).await.unwrap();
    assert!(matches!(hub.reply(id, anna("ещё")).await, Err(HubError::Refused(Refused::Closed))));
    deliver(&hub, &[says("1", "b", "И ещё вопрос")]).await;
    assert_eq!(world.conversations().await.len(), 2);
}
