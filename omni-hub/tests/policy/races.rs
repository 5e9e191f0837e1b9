//! Conversations that somebody else gets between the look at the desk and the write: the write looks again.

use omni_core::conversation::Actor;
use omni_hub::Hub;

use crate::failing::Failing;
use crate::world::*;

const PULLS: &str = r#"
    agents.anna = { capacity = 1 }
    agents.clara = {}
    teams.sales = { members = ["anna", "clara"], distribution = "pull" }
    channels.shop.receiver = { team = "sales" }
"#;

async fn on_a_database() -> (World, Hub) {
    let world = World { store: std::sync::Arc::new(Failing::default()), ..World::new() };
    let hub = world.hub(PULLS).await;
    online(&hub, &["anna"]).await;
    (world, hub)
}

#[tokio::test]
async fn what_was_taken_meanwhile_is_not_given_out() {
    let (world, hub) = on_a_database().await;
    deliver(&hub, &[says("1", "a", "Кто возьмёт?")]).await;
    let id = world.only().await.id;
    // anna asks while it waits, and it is clara's before it is given to her.
    let (taken, asked) = tokio::join!(hub.take(id, "clara"), hub.pull("acme", "anna"));
    taken.unwrap();
    assert_eq!(asked.unwrap(), None);
    assert_eq!(world.owner().await, "clara");
    assert_eq!(world.assigned().await, ["team sales", "clara"]);
}

#[tokio::test]
async fn who_was_given_something_meanwhile_gets_no_more_than_they_may_have() {
    let (world, hub) = on_a_database().await;
    deliver(&hub, &[says("1", "a", "Кто возьмёт?")]).await;
    let first = world.only().await.id;
    hub.take(first, "clara").await.unwrap();
    deliver(&hub, &[says("2", "b", "А меня?")]).await;
    // anna has nothing when she asks, and as many as she may have when she is answered.
    let (given, asked) =
        tokio::join!(hub.assign(first, to_agent("anna"), Actor::Host), hub.pull("acme", "anna"));
    given.unwrap();
    assert_eq!(asked.unwrap(), None);
    assert_eq!(named(&world.with("2").await.owner), "team sales");
    assert_eq!(hub.desk(&"acme".into()).await.unwrap().agents["anna"].total(), 1);
}
