//! Outbox rows: order, ownership, lanes.

use futures_util::future::join_all;
use omni_core::Conversation;
use omni_core::id::MessageId;
use omni_hub::Store;
use omni_hub::store::{Changes, ChannelKey, OutboxState};

use super::Fresh;
use super::fixture::*;

async fn row(store: &dyn Store, make: &Maker, of: &Conversation) -> MessageId {
    queue(store, make, of, None, |_| {}).await.message
}

/// Across addresses and takers, at most as many as asked for.
pub async fn rows_come_in_the_order_of_their_making(fresh: Fresh) {
    let make = Maker::new();
    let (a, b) = (open(&*fresh.store, &make, &peer("1")).await, open(&*fresh.store, &make, &peer("2")).await);
    let mut made = Vec::new();
    for of in [&b, &a, &a, &b, &a] {
        made.push(row(&*fresh.store, &make, of).await);
    }
    let here = node("here");
    live(&*fresh.store, &here, 1000).await;
    let mut taken = take(&*fresh.store, &here, at(0), 2).await;
    assert_eq!(taken.len(), 2);
    taken.extend(take(&*fresh.store, &here, at(0), 10).await);
    assert_eq!(taken, made);
}

/// Not again by its owner, not by another one.
pub async fn a_row_is_taken_once(fresh: Fresh) {
    let (make, here, there) = (Maker::new(), node("here"), node("there"));
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    let made = row(&*fresh.store, &make, &conversation).await;
    for node in [&here, &there] {
        live(&*fresh.store, node, 1000).await;
    }
    assert_eq!(take(&*fresh.store, &here, at(0), 10).await, [made]);
    for node in [&here, &there] {
        assert!(take(&*fresh.store, node, at(0), 10).await.is_empty(), "{node}");
    }
}

/// However many ask at once.
pub async fn parallel_nodes_never_take_the_same_row(fresh: Fresh) {
    let make = Maker::new();
    for i in 0..30 {
        let conversation = open(&*fresh.store, &make, &peer(&i.to_string())).await;
        row(&*fresh.store, &make, &conversation).await;
    }
    let takers = (0..8).map(|i| {
        let store = fresh.store.clone();
        tokio::spawn(async move {
            let me = node(&format!("node-{i}"));
            live(&*store, &me, 1000).await;
            let mut all = Vec::new();
            loop {
                let some = take(&*store, &me, at(0), 3).await;
                if some.is_empty() {
                    return all;
                }
                all.extend(some);
            }
        })
    });
    let mut all: Vec<MessageId> = join_all(takers).await.into_iter().flatten().flatten().collect();
    assert_eq!(all.len(), 30);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 30, "no row was taken twice");
}

/// A node lives while its lease runs.
pub async fn rows_of_a_living_node_are_left_alone_and_those_of_a_dead_one_taken(fresh: Fresh) {
    let (make, here, there) = (Maker::new(), node("here"), node("there"));
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    live(&*fresh.store, &there, 1000).await;
    let made = queue(&*fresh.store, &make, &conversation, Some(&there), |_| {}).await;
    assert_eq!(made.owner, Some(there));
    assert!(take(&*fresh.store, &here, at(999), 10).await.is_empty());
    assert_eq!(take(&*fresh.store, &here, at(1000), 10).await, [made.message]);
    let orphan = queue(&*fresh.store, &make, &conversation, Some(&node("never-lived")), |_| {}).await;
    assert_eq!(take(&*fresh.store, &here, at(1000), 10).await, [orphan.message]);
}

/// A retry does not let later messages of its address overtake it.
pub async fn a_row_waits_for_its_time_and_holds_back_what_is_behind(fresh: Fresh) {
    let (make, here) = (Maker::new(), node("here"));
    let (a, b) = (open(&*fresh.store, &make, &peer("1")).await, open(&*fresh.store, &make, &peer("2")).await);
    let later = queue(&*fresh.store, &make, &a, None, |row| row.due = at(500)).await.message;
    let behind = row(&*fresh.store, &make, &a).await;
    let beside = row(&*fresh.store, &make, &b).await;
    assert_eq!(take(&*fresh.store, &here, at(499), 10).await, [beside]);
    assert_eq!(take(&*fresh.store, &here, at(500), 10).await, [later, behind]);
}

/// So the order at an address holds across nodes.
pub async fn a_lane_stays_with_the_node_that_has_its_first_row(fresh: Fresh) {
    let (make, here, there) = (Maker::new(), node("here"), node("there"));
    let (a, b) = (open(&*fresh.store, &make, &peer("1")).await, open(&*fresh.store, &make, &peer("2")).await);
    live(&*fresh.store, &here, 1000).await;
    live(&*fresh.store, &there, 1000).await;
    let first = queue(&*fresh.store, &make, &a, Some(&here), |_| {}).await;
    let second = queue(&*fresh.store, &make, &a, Some(&there), |_| {}).await;
    assert_eq!(second.owner, None, "the lane is elsewhere: the store leaves the row without an owner");
    let third = queue(&*fresh.store, &make, &a, Some(&here), |_| {}).await;
    assert_eq!(third.owner, None, "a row without an owner stands before it");
    let free = queue(&*fresh.store, &make, &b, Some(&there), |_| {}).await;
    assert_eq!(free.owner, Some(there.clone()), "another address is free");

    assert!(take(&*fresh.store, &there, at(0), 10).await.is_empty());
    assert_eq!(take(&*fresh.store, &here, at(0), 10).await, [second.message, third.message]);
    let fourth = queue(&*fresh.store, &make, &a, Some(&here), |_| {}).await;
    assert_eq!(fourth.owner, Some(here.clone()), "all of the lane is here");
    let rest = [first, second, third, fourth].map(|row| row.message);
    ok(fresh.store.outbox_release(&here, &rest).await);
    assert_eq!(take(&*fresh.store, &there, at(0), 10).await, rest);
}

/// By its owner alone.
pub async fn a_row_given_back_is_taken_by_another_node(fresh: Fresh) {
    let (make, here, there) = (Maker::new(), node("here"), node("there"));
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    live(&*fresh.store, &here, 1000).await;
    let made = queue(&*fresh.store, &make, &conversation, Some(&here), |_| {}).await.message;
    ok(fresh.store.outbox_release(&there, &[made]).await);
    assert!(take(&*fresh.store, &there, at(0), 10).await.is_empty(), "only the owner gives back");
    ok(fresh.store.outbox_release(&here, &[made]).await);
    assert_eq!(take(&*fresh.store, &there, at(0), 10).await, [made]);
}

/// A node takes what it has a channel for.
pub async fn only_rows_of_the_channels_asked_for_are_taken(fresh: Fresh) {
    let (make, here) = (Maker::new(), node("here"));
    let other = ChannelKey::new("acme", "other");
    let a = open(&*fresh.store, &make, &peer("1")).await;
    let b = open(&*fresh.store, &make, &other.peer(peer("1").address)).await;
    let (mine, its) = (row(&*fresh.store, &make, &a).await, row(&*fresh.store, &make, &b).await);
    assert!(ok(fresh.store.outbox_take(&here, &[], at(0), 10).await).is_empty());
    assert_eq!(take(&*fresh.store, &here, at(0), 10).await, [mine]);
    let unknown = ChannelKey::new("acme", "unknown");
    let rows = ok(fresh.store.outbox_take(&here, &[other, unknown], at(0), 10).await);
    assert_eq!(rows.iter().map(|(row, _)| row.message).collect::<Vec<_>>(), [its]);
}

/// Rows that nobody can send stay where they are, however many there are.
pub async fn waiting_channels_never_hide_the_rows_of_others(fresh: Fresh) {
    let (make, here) = (Maker::new(), node("here"));
    let gone = ChannelKey::new("acme", "gone").peer(peer("1").address);
    let (a, b) = (open(&*fresh.store, &make, &gone).await, open(&*fresh.store, &make, &peer("1")).await);
    for _ in 0..20 {
        row(&*fresh.store, &make, &a).await;
    }
    let mine = row(&*fresh.store, &make, &b).await;
    assert_eq!(take(&*fresh.store, &here, at(0), 5).await, [mine]);
}

/// Whoever was taken for dead and writes its mark late learns that the row is another's.
pub async fn an_update_leaves_the_owner_as_it_is(fresh: Fresh) {
    let (make, here, there) = (Maker::new(), node("here"), node("there"));
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    let row = queue(&*fresh.store, &make, &conversation, Some(&there), |_| {}).await;
    assert_eq!(take(&*fresh.store, &here, at(0), 10).await, [row.message]);
    live(&*fresh.store, &here, 1000).await;
    for (state, attempts) in [(OutboxState::Sending, 0), (OutboxState::Queued, 1), (OutboxState::Queued, 0)] {
        let mut late = row.clone();
        (late.state, late.attempts) = (state, attempts);
        let written =
            write(&*fresh.store, move || Changes { outbox: vec![late.clone()], ..Changes::default() }).await;
        let owner = written.outbox.first().and_then(|row| row.owner.clone());
        assert_eq!(owner, Some(here.clone()), "handed back as it is");
    }
    assert!(take(&*fresh.store, &there, at(0), 10).await.is_empty());
}

/// And with it nothing holds back the rows behind it.
pub async fn a_row_that_is_done_is_gone(fresh: Fresh) {
    let (make, here, there) = (Maker::new(), node("here"), node("there"));
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    live(&*fresh.store, &here, 1000).await;
    let first = queue(&*fresh.store, &make, &conversation, Some(&here), |_| {}).await.message;
    let second = queue(&*fresh.store, &make, &conversation, Some(&there), |_| {}).await.message;
    assert!(take(&*fresh.store, &there, at(0), 10).await.is_empty());
    write(&*fresh.store, move || Changes { outbox_done: vec![first], ..Changes::default() }).await;
    assert_eq!(take(&*fresh.store, &there, at(0), 10).await, [second]);
    assert!(take(&*fresh.store, &node("third"), at(5000), 10).await.iter().all(|id| *id == second));
}
