//! Leases: who may do what only one may.

use std::time::Duration;

use futures_util::future::join_all;
use omni_hub::store::Lease;

use super::Fresh;
use super::fixture::*;

const TTL: Duration = Duration::from_millis(100);

/// And the moment it runs out it is free.
pub async fn a_lease_is_exclusive_until_it_runs_out(fresh: Fresh) {
    let (here, there) = (node("here"), node("there"));
    assert_eq!(ok(fresh.store.holder("x").await), None);
    let taken = ok(fresh.store.lease("x", &here, at(0), TTL).await);
    assert_eq!(taken, Some(Lease { name: "x".to_owned(), holder: here.clone(), until: at(100) }));
    assert_eq!(ok(fresh.store.holder("x").await), taken);
    assert_eq!(ok(fresh.store.lease("x", &there, at(99), TTL).await), None);
    assert!(ok(fresh.store.lease("y", &there, at(99), TTL).await).is_some(), "another name is another lease");
    let over = ok(fresh.store.lease("x", &there, at(100), TTL).await);
    assert_eq!(over.map(|l| (l.holder, l.until)), Some((there, at(200))));
    assert_eq!(ok(fresh.store.lease("x", &here, at(150), TTL).await), None);
}

/// A lease that ran out still says who had it.
pub async fn a_lease_is_renewed_by_its_holder_alone(fresh: Fresh) {
    let (here, there) = (node("here"), node("there"));
    ok(fresh.store.lease("x", &here, at(0), TTL).await);
    let renewed = ok(fresh.store.lease("x", &here, at(50), TTL).await);
    assert_eq!(renewed.map(|l| l.until), Some(at(150)));
    assert_eq!(ok(fresh.store.lease("x", &there, at(120), TTL).await), None);
    let held = ok(fresh.store.holder("x").await);
    assert_eq!(held.map(|l| (l.holder, l.until)), Some((here.clone(), at(150))), "run out or not");
    let late = ok(fresh.store.lease("x", &here, at(500), TTL).await);
    assert_eq!(late.map(|l| l.until), Some(at(600)), "nobody took it meanwhile");
}

/// Giving back what another one holds is nothing.
pub async fn a_lease_is_given_back_by_its_holder_alone(fresh: Fresh) {
    let (here, there) = (node("here"), node("there"));
    ok(fresh.store.lease("x", &here, at(0), TTL).await);
    ok(fresh.store.release("x", &there).await);
    assert_eq!(ok(fresh.store.lease("x", &there, at(1), TTL).await), None);
    ok(fresh.store.release("x", &here).await);
    ok(fresh.store.release("x", &here).await);
    assert_eq!(ok(fresh.store.holder("x").await), None);
    assert!(ok(fresh.store.lease("x", &there, at(1), TTL).await).is_some());
}

/// However many try at once.
pub async fn of_parallel_takers_one_wins(fresh: Fresh) {
    let takers = (0..20).map(|i| {
        let store = fresh.store.clone();
        tokio::spawn(async move { ok(store.lease("x", &node(&i.to_string()), at(0), TTL).await).is_some() })
    });
    let won = join_all(takers).await.into_iter().filter(|won| matches!(won, Ok(true))).count();
    assert_eq!(won, 1);
}
