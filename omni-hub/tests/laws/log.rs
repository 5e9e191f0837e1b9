//! The host event log: at least once, in order, for each consumer by itself.

use crate::world::*;

#[tokio::test]
async fn what_was_not_confirmed_comes_again_and_what_was_does_not() {
    let world = World::new();
    let hub = world.hub();
    deliver(&hub, &[says("1", "a", "раз")]).await;
    let first = hub.events("crm").next().await.unwrap();
    let mut crm = hub.events("crm");
    let again = crm.next().await.unwrap();
    let numbers = |entries: &[omni_hub::Entry]| entries.iter().map(|e| e.seq).collect::<Vec<_>>();
    assert_eq!(numbers(&first), numbers(&again));
    crm.done().await.unwrap();
    deliver(&hub, &[says("1", "b", "два")]).await;
    let next = hub.events("crm").next().await.unwrap();
    assert!(next[0].seq > again.last().unwrap().seq);
    let other = hub.events("billing").next().await.unwrap();
    assert_eq!(other[0].seq, first[0].seq);
}

#[tokio::test]
async fn a_reader_wakes_for_what_another_node_wrote() {
    let world = World::new();
    let (hub, other) = (world.hub(), world.hub());
    let mut crm = hub.events("crm");
    let reader = tokio::spawn(async move { crm.next().await.unwrap().len() });
    idle().await;
    deliver(&other, &[says("1", "a", "раз")]).await;
    assert!(!reader.is_finished());
    world.pass(secs(1)).await;
    assert!(reader.await.unwrap() > 0);
}

#[tokio::test]
async fn a_shutdown_ends_readers() {
    let world = World::new();
    let hub = world.hub();
    let mut crm = hub.events("crm");
    let reader = tokio::spawn(async move { crm.next().await.unwrap() });
    idle().await;
    hub.shutdown();
    assert!(reader.await.unwrap().is_empty());
}

#[tokio::test]
async fn snapshots_do_not_change_afterwards() {
    let world = World::new();
    let hub = world.hub();
    deliver(&hub, &[says("1", "a", "Первое слово")]).await;
    let before = serde_json::to_string(&world.entries().await[..2]).unwrap();
    deliver(&hub, &[says("1", "b", "Второе слово")]).await;
    assert_eq!(serde_json::to_string(&world.entries().await[..2]).unwrap(), before);
}
