//! Who has it, when several want it at once; answers from the phone.

use omni_core::conversation::Owner;
use omni_core::event::{EventBody, Origin};
use omni_core::policy::Presence;
use omni_hub::HubError;
use omni_hub::store::Refused;

use crate::world::*;

const PUSHES: &str = r#"
    agents.anna = {}
    agents.boris = {}
    agents.clara = {}
    [teams.sales]
    members = ["anna", "boris"]
    distribution = "round_robin"
    [channels.shop]
    receiver = { team = "sales" }
    clocks = { first_response = { within = "1h" } }
"#;

fn is_taken(result: &Result<(), HubError>) -> bool {
    matches!(result, Err(HubError::Refused(Refused::Taken)))
}

#[tokio::test]
async fn of_two_takers_one_has_it_and_the_other_is_told() {
    let world = World::new();
    let hub = world.hub("").await;
    deliver(&hub, &[says("1", "a", "Кто возьмёт?")]).await;
    let id = world.only().await.id;
    let (first, second) = tokio::join!(hub.take(id, "anna"), hub.take(id, "boris"));
    assert!(first.is_ok() && is_taken(&second), "{first:?} {second:?}");
    assert_eq!(world.owner().await, "anna");
    assert!(hub.take(id, "anna").await.is_ok(), "who has it may take it again");
    assert_eq!(world.assigned().await.iter().filter(|a| *a == "boris").count(), 0);
}

#[tokio::test]
async fn a_transfer_during_a_take_ends_with_one_owner() {
    let world = World::new();
    let hub = world.hub("").await;
    deliver(&hub, &[says("1", "a", "Кто возьмёт?")]).await;
    let id = world.only().await.id;
    hub.take(id, "anna").await.unwrap();
    let (moved, taken) =
        tokio::join!(hub.assign(id, to_agent("clara"), agent("anna")), hub.take(id, "boris"));
    assert!(moved.is_ok() && is_taken(&taken));
    assert_eq!(world.owner().await, "clara");
}

#[tokio::test]
async fn an_agent_who_takes_it_first_has_it_before_the_engine() {
    let world = World::new();
    let hub = world.hub(PUSHES).await;
    deliver(&hub, &[says("1", "a", "Кто возьмёт?")]).await;
    let id = world.only().await.id;
    // anna gets ready to be given it, and clara takes it in the same moment.
    let (here, taken) =
        tokio::join!(hub.set_presence("acme", "anna", Presence::Online), hub.take(id, "clara"));
    here.unwrap();
    taken.unwrap();
    idle().await;
    let conversation = world.only().await;
    assert_eq!(named(&conversation.owner), "clara");
    assert!(conversation.flow.queue.is_none());
    assert_eq!(world.assigned().await, ["team sales", "clara"]);
}

#[tokio::test]
async fn the_engine_that_was_first_has_given_it_and_the_taker_is_told() {
    let world = World::new();
    let hub = world.hub(PUSHES).await;
    deliver(&hub, &[says("1", "a", "Кто возьмёт?")]).await;
    online(&hub, &["anna"]).await;
    assert!(is_taken(&hub.take(world.only().await.id, "clara").await));
    assert_eq!(world.owner().await, "anna");
}

#[tokio::test]
async fn a_transfer_to_a_team_is_handed_out_there() {
    let world = World::new();
    let hub = world.hub(PUSHES).await;
    deliver(&hub, &[says("1", "a", "Мне к продавцам")]).await;
    let id = world.only().await.id;
    hub.take(id, "clara").await.unwrap();
    online(&hub, &["boris"]).await;
    assert_eq!(world.owner().await, "clara");
    hub.assign(id, to_team("sales"), agent("clara")).await.unwrap();
    idle().await;
    assert_eq!(world.owner().await, "boris");
}

#[tokio::test]
async fn a_transfer_to_a_team_that_does_not_exist_leaves_no_queue_behind() {
    let world = World::new();
    let hub = world.hub(PUSHES).await;
    deliver(&hub, &[says("1", "a", "Кто возьмёт?")]).await;
    let id = world.only().await.id;
    hub.assign(id, to_team("nowhere"), agent("anna")).await.unwrap();
    online(&hub, &["boris"]).await;
    let conversation = world.only().await;
    assert!(conversation.flow.queue.is_none(), "{:?}", conversation.flow.queue);
    assert_eq!(named(&conversation.owner), "team nowhere");
}

#[tokio::test]
async fn giving_it_back_lets_the_next_message_route_it_again() {
    let world = World::new();
    let hub = world.hub(PUSHES).await;
    deliver(&hub, &[says("1", "a", "Кто возьмёт?")]).await;
    let id = world.only().await.id;
    hub.take(id, "clara").await.unwrap();
    hub.assign(id, Owner::Nobody, agent("clara")).await.unwrap();
    assert_eq!(world.owner().await, "nobody");
    online(&hub, &["boris"]).await;
    deliver(&hub, &[says("1", "b", "Есть кто?")]).await;
    assert_eq!(world.owner().await, "boris");
}

#[tokio::test]
async fn an_answer_from_the_phone_counts_as_a_persons() {
    let world = World::new();
    let hub = world.hub(PUSHES).await;
    deliver(&hub, &[says("1", "a", "Есть кто?")]).await;
    world.pass(mins(10)).await;
    deliver(&hub, &[echo("1", "e", "Да-да, слушаю 📱")]).await;
    let conversation = world.only().await;
    assert_eq!(conversation.first_response_at, Some(world.now()));
    assert_eq!(world.clocks().await, ["first_response started", "first_response met"]);
    assert!(conversation.flow.queue.is_none() && conversation.flow.waits_since.is_none());
    online(&hub, &["anna"]).await;
    assert_eq!(world.owner().await, "nobody", "somebody talks to them already");
    deliver(&hub, &[says("1", "b", "Спасибо! А ещё?")]).await;
    assert_eq!(world.owner().await, "anna", "the next question is routed");
}

#[tokio::test]
async fn an_answer_from_the_phone_stops_a_delayed_text() {
    let world = World::new();
    let hub = world.hub("channels.shop.auto_replies = [{ text = 'Скоро ответим', delay = '5m' }]").await;
    deliver(&hub, &[says("1", "a", "Есть кто?")]).await;
    world.pass(mins(4)).await;
    deliver(&hub, &[echo("1", "e", "Да-да, слушаю 📱")]).await;
    world.pass(hours(1)).await;
    assert!(world.texts().is_empty());
}

#[tokio::test]
async fn the_owner_keeps_it_when_somebody_answers_from_the_phone() {
    let world = World::new();
    let hub = world.hub(PUSHES).await;
    online(&hub, &["anna"]).await;
    deliver(&hub, &[says("1", "a", "Есть кто?")]).await;
    deliver(&hub, &[echo("1", "e", "Да-да, слушаю 📱")]).await;
    assert_eq!(world.owner().await, "anna");
}

#[tokio::test]
async fn a_text_that_the_provider_sends_by_itself_is_no_persons_answer() {
    let world = World::new();
    let hub = world.hub(PUSHES).await;
    deliver(&hub, &[says("1", "a", "Есть кто?")]).await;
    let mut away = echo("1", "e", "Вас приветствует магазин (автоответ)");
    let EventBody::Echo(echo) = &mut away.body else { unreachable!() };
    echo.message.origin = Origin::Automatic;
    deliver(&hub, &[away]).await;
    let conversation = world.only().await;
    assert_eq!((conversation.first_response_at, conversation.waits()), (None, true));
    assert!(conversation.flow.queue.is_some() && conversation.flow.waits_since.is_some());
    assert_eq!(world.clocks().await, ["first_response started"]);
    online(&hub, &["anna"]).await;
    assert_eq!(world.owner().await, "anna");
}
