//! Data that outlive the process, and several processes on them.

use futures_util::future::join_all;
use omni_core::Status;
use omni_core::id::{BlobId, ConsumerId, Cursor};
use omni_core::policy::book::WindowClosed;
use omni_core::policy::{Guard, Overtaken, Presence};
use omni_hub::store::{AgentPatch, Applied, Batch, Changes, Target, Unit};

use super::Fresh;
use super::fixture::*;

/// One of everything.
pub async fn everything_survives_a_restart(fresh: Fresh) {
    let (make, here) = (Maker::new(), node("here"));
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    let message = make.inbound(&conversation, "7");
    say(&*fresh.store, std::slice::from_ref(&message)).await;
    let row = queue(&*fresh.store, &make, &conversation, Some(&here), |_| {}).await;
    let timer = make.timer(&conversation, at(10));
    let (line, started) = (entry("a", at(1)), timer.clone());
    let unit = Unit::new(Target::Nothing, move |_| Changes {
        timers: vec![started.clone()],
        entries: vec![line.clone()],
        ..Changes::default()
    });
    let units = vec![unit.with_claim(claim("1"), at(1))];
    ok(fresh.store.apply(Batch { units, cursor: Some((shop(), Cursor::from("9"))) }).await);
    live(&*fresh.store, &here, 1000).await;
    ok(fresh.store.consumed(&ConsumerId::from("crm"), 1).await);
    ok(fresh.store.put_blob(&BlobId::from("b"), vec![1, 2].into()).await);

    let fresh = fresh.restarted().await;
    assert_eq!(ok(fresh.store.conversation(conversation.id).await), Some(conversation.clone()));
    assert_eq!(ok(fresh.store.message(message.id).await), Some(message));
    assert_eq!(ok(fresh.store.peer(&peer("1")).await), Some(peer_record(&peer("1"), Some(&conversation))));
    assert_eq!(ok(fresh.store.cursor(&shop()).await), Some(Cursor::from("9")));
    assert_eq!(ok(fresh.store.timers_due(&[shop()], at(10), 10).await), [timer]);
    assert_eq!(ok(fresh.store.entries(0, 10).await).len(), 1);
    assert_eq!(ok(fresh.store.consumer(&ConsumerId::from("crm")).await), 1);
    assert_eq!(ok(fresh.store.blob(&BlobId::from("b")).await), Some(vec![1, 2].into()));
    let repeat = Unit::new(Target::Nothing, |_| Changes::default()).with_claim(claim("1"), at(2));
    assert!(matches!(apply(&*fresh.store, repeat).await, Applied::Duplicate));
    let there = node("there");
    assert!(take(&*fresh.store, &there, at(999), 10).await.is_empty(), "the lease survives as well");
    assert_eq!(take(&*fresh.store, &there, at(1000), 10).await, [row.message]);
    let queued = ok(fresh.store.message(row.message).await).and_then(|m| m.status);
    assert_eq!(queued, Some(Status::Queued));
}

/// Who is there, what they have, who waits; and a guard.
pub async fn desks_survive_a_restart(fresh: Fresh) {
    let (make, tenant) = (Maker::new(), shop().tenant);
    owned(&*fresh.store, &make, &peer("1"), "anna").await;
    let mut waits = make.conversation(&peer("2"));
    waits.flow.queue = queue_of("sales", 3);
    put(&*fresh.store, &waits).await;
    let patch = AgentPatch {
        presence: Some((Presence::Online, at(1))),
        assigned_at: Some(at(2)),
        ..AgentPatch::new(tenant.clone(), "boris".into())
    };
    write(&*fresh.store, move || Changes { agents: vec![patch.clone()], ..Changes::default() }).await;
    let guard = Guard { unless: Overtaken::TalkGoesOn, window_closed: WindowClosed::Task("call".to_owned()) };
    let set = guard.clone();
    queue(&*fresh.store, &make, &waits, None, move |row| row.guard = set.clone()).await;
    let desk = ok(fresh.store.desk(&tenant).await);
    let waiting = ok(fresh.store.waiting(&tenant, &"sales".into(), 10).await);
    assert_eq!((desk.agents.len(), waiting.len()), (2, 1));

    let fresh = fresh.restarted().await;
    assert_eq!(ok(fresh.store.desk(&tenant).await), desk);
    assert_eq!(ok(fresh.store.waiting(&tenant, &"sales".into(), 10).await), waiting);
    let rows = ok(fresh.store.outbox_take(&node("here"), &[shop()], at(0), 10).await);
    assert_eq!(rows.first().map(|(row, _)| &row.guard), Some(&guard));
}

/// A consumer that comes back misses nothing.
pub async fn numbers_go_on_after_a_restart(fresh: Fresh) {
    let tell = || Changes { entries: vec![entry("a", at(1))], ..Changes::default() };
    let first = write(&*fresh.store, tell).await.entries.first().map(|e| e.seq);
    let fresh = fresh.restarted().await;
    let second = write(&*fresh.store, tell).await.entries.first().map(|e| e.seq);
    assert!(first < second, "{first:?} {second:?}");
}

/// What one has committed the other one sees, at once.
pub async fn two_handles_are_two_nodes_on_one_store(fresh: Fresh) {
    let (make, here, there) = (Maker::new(), node("here"), node("there"));
    let other = fresh.reopen().await;
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    assert_eq!(ok(other.conversation(conversation.id).await), Some(conversation.clone()));
    live(&*fresh.store, &here, 1000).await;
    assert!(ok(other.lease("x", &there, at(0), std::time::Duration::from_secs(1)).await).is_some());
    assert_eq!(ok(fresh.store.lease("x", &here, at(0), std::time::Duration::from_secs(1)).await), None);
    let first = queue(&*fresh.store, &make, &conversation, Some(&here), |_| {}).await;
    let second = queue(&*other, &make, &conversation, Some(&there), |_| {}).await;
    assert_eq!((first.owner, second.owner), (Some(here.clone()), None));
    assert!(take(&*other, &there, at(0), 10).await.is_empty());
    assert_eq!(take(&*fresh.store, &here, at(0), 10).await, [second.message]);
    let seqs = ok(fresh.store.entries(0, 10).await).len();
    write(&*other, || Changes { entries: vec![entry("a", at(1))], ..Changes::default() }).await;
    assert_eq!(ok(fresh.store.entries(0, 10).await).len(), seqs + 1);
}

/// Of deliveries to two nodes at once one is applied.
pub async fn two_handles_claim_an_event_once(fresh: Fresh) {
    let other = fresh.reopen().await;
    for event in 0..10 {
        let deliveries = (0..8).map(|i| {
            let store = if i % 2 == 0 { fresh.store.clone() } else { other.clone() };
            tokio::spawn(async move {
                let unit = Unit::new(Target::Nothing, |_| Changes::default());
                let unit = unit.with_claim(claim(&event.to_string()), at(1));
                matches!(apply(&*store, unit).await, Applied::Done(_))
            })
        });
        let done = join_all(deliveries).await.into_iter().filter(|done| matches!(done, Ok(true))).count();
        assert_eq!(done, 1, "event {event}");
    }
}

/// The order at an address holds between processes too.
pub async fn two_handles_lose_no_change_of_one_conversation(fresh: Fresh) {
    let other = fresh.reopen().await;
    let conversation = open(&*fresh.store, &Maker::new(), &peer("1")).await;
    let steps = (0..40).map(|i| {
        let store = if i % 2 == 0 { fresh.store.clone() } else { other.clone() };
        let id = conversation.id;
        tokio::spawn(async move {
            let add = |s: &omni_hub::store::Snapshot| {
                let mut conversation = s.conversation.clone();
                if let Some(c) = &mut conversation {
                    c.unread += 1;
                }
                Changes { conversation, ..Changes::default() }
            };
            done(&*store, Unit::new(Target::Conversation(id), add)).await;
        })
    });
    for step in join_all(steps).await {
        assert!(step.is_ok());
    }
    assert_eq!(ok(other.conversation(conversation.id).await).map(|c| c.unread), Some(40));
}
