//! Units of work: whole or not at all, once, in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use omni_core::Conversation;
use omni_core::event::EventKind;
use omni_core::id::Cursor;
use omni_hub::store::{
    Applied, Batch, Changes, ChannelKey, Claim, Lookup, Refused, StoreError, Target, Unit,
};

use super::Fresh;
use super::fixture::*;

/// A decision that panics is rolled back with its claim; the other units of its batch stand.
pub async fn a_panicking_decision_stores_nothing_and_its_neighbours_stand(fresh: Fresh) {
    let note =
        |text: &'static str| move |_: &_| Changes { entries: vec![entry(text, at(1))], ..Changes::default() };
    let units = vec![
        Unit::new(Target::Nothing, note("before")).with_claim(claim("1"), at(1)),
        Unit::new(Target::Nothing, |_| panic!("a policy that fails")).with_claim(claim("2"), at(1)),
        Unit::new(Target::Nothing, note("after")).with_claim(claim("3"), at(1)),
    ];
    let applied = ok(fresh.store.apply(Batch { units, cursor: None }).await);
    assert!(
        matches!(
            applied.as_slice(),
            [Applied::Done(_), Applied::Failed(StoreError::Panicked), Applied::Done(_)]
        ),
        "{applied:?}"
    );
    assert_eq!(ok(fresh.store.entries(0, 10).await).len(), 2);
    let again = Unit::new(Target::Nothing, note("again")).with_claim(claim("2"), at(2));
    assert!(matches!(apply(&*fresh.store, again).await, Applied::Done(_)), "the claim was rolled back");
}

/// A repeat changes nothing.
pub async fn a_claim_is_taken_once(fresh: Fresh) {
    let unit = || {
        let tell = |_: &_| Changes { entries: vec![entry("once", at(1))], ..Changes::default() };
        Unit::new(Target::Nothing, tell).with_claim(claim("1"), at(1))
    };
    assert!(matches!(apply(&*fresh.store, unit()).await, Applied::Done(_)));
    assert!(matches!(apply(&*fresh.store, unit()).await, Applied::Duplicate));
    let both = Batch { units: vec![unit(), unit()], cursor: None };
    let applied = ok(fresh.store.apply(both).await);
    assert!(applied.iter().all(|a| matches!(a, Applied::Duplicate)), "{applied:?}");
    assert_eq!(ok(fresh.store.entries(0, 10).await).len(), 1);
}

/// Of twenty deliveries at once one is applied.
pub async fn twenty_parallel_repeats_are_applied_once(fresh: Fresh) {
    let deliveries = (0..20).map(|_| {
        let store = fresh.store.clone();
        tokio::spawn(async move {
            let tell = |_: &_| Changes { entries: vec![entry("once", at(1))], ..Changes::default() };
            apply(&*store, Unit::new(Target::Nothing, tell).with_claim(claim("1"), at(1))).await
        })
    });
    let applied = join_all(deliveries).await;
    let done = applied.iter().filter(|a| matches!(a, Ok(Applied::Done(_)))).count();
    let repeats = applied.iter().filter(|a| matches!(a, Ok(Applied::Duplicate))).count();
    assert_eq!((done, repeats), (1, 19));
    assert_eq!(ok(fresh.store.entries(0, 100).await).len(), 1);
}

/// Side effects hang on the claim, so a repeat is not decided at all.
pub async fn a_repeat_never_asks_the_decision(fresh: Fresh) {
    let asked = Arc::new(AtomicUsize::new(0));
    for _ in 0..3 {
        let asked = asked.clone();
        let count = move |_: &_| {
            asked.fetch_add(1, Ordering::SeqCst);
            Changes::default()
        };
        apply(&*fresh.store, Unit::new(Target::Nothing, count).with_claim(claim("1"), at(1))).await;
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

/// Two providers, accounts, tenants or kinds may use one number.
pub async fn a_claim_is_of_one_tenant_channel_event_and_kind(fresh: Fresh) {
    let claims = [
        claim("1"),
        claim("2"),
        Claim { kind: EventKind::Edited, ..claim("1") },
        Claim { channel: ChannelKey::new("acme", "other"), ..claim("1") },
        Claim { channel: ChannelKey::new("other", "shop"), ..claim("1") },
    ];
    for claim in claims {
        let unit = Unit::new(Target::Nothing, |_| Changes::default()).with_claim(claim.clone(), at(1));
        assert!(matches!(apply(&*fresh.store, unit).await, Applied::Done(_)), "{claim:?} is no repeat");
    }
}

/// A batch is applied in order, each unit on what the one before it left.
pub async fn later_units_of_a_batch_see_earlier_ones(fresh: Fresh) {
    let (make, key) = (Maker::new(), peer("1"));
    let conversation = make.conversation(&key);
    let (record, id) = (peer_record(&key, Some(&conversation)), conversation.id);
    let first = Unit::new(Target::Nothing, move |_| Changes {
        peer: Some(record.clone()),
        conversation: Some(conversation.clone()),
        ..Changes::default()
    });
    let add = move |s: &omni_hub::store::Snapshot| {
        let mut conversation = s.conversation.clone();
        if let Some(c) = &mut conversation {
            c.unread += 1;
        }
        Changes { conversation, ..Changes::default() }
    };
    let units =
        vec![first, Unit::new(Target::Peer(key.clone()), add), Unit::new(Target::Conversation(id), add)];
    let applied = ok(fresh.store.apply(Batch { units, cursor: None }).await);
    assert!(applied.iter().all(|a| matches!(a, Applied::Done(_))), "{applied:?}");
    let stored = ok(fresh.store.conversation(id).await);
    assert_eq!(stored.map(|c| c.unread), Some(2));
}

/// A unit may be about several conversations, as when two are joined.
pub async fn one_unit_writes_several_conversations(fresh: Fresh) {
    let make = Maker::new();
    let [mut first, mut second, mut third] = ["1", "2", "3"].map(|name| make.conversation(&peer(name)));
    for (conversation, title) in [(&mut first, "a"), (&mut second, "b"), (&mut third, "c")] {
        conversation.title = title.to_owned();
    }
    let all = [first.clone(), second.clone(), third.clone()];
    let messages: Vec<_> = all.iter().map(|c| Arc::new(make.inbound(c, "7"))).collect();
    let timers: Vec<_> = all.iter().map(|c| make.timer(c, at(5))).collect();
    write(&*fresh.store, move || Changes {
        conversation: Some(first.clone()),
        more_conversations: vec![second.clone(), third.clone()],
        new_messages: messages.clone(),
        timers: timers.clone(),
        ..Changes::default()
    })
    .await;
    for conversation in &all {
        assert_eq!(ok(fresh.store.conversation(conversation.id).await).as_ref(), Some(conversation));
        assert_eq!(ok(fresh.store.messages(conversation.id, None, 10).await).len(), 1);
    }
    let due = ok(fresh.store.timers_due(&[shop()], at(5), 10).await);
    assert_eq!(due.len(), 3);
    let [first, second, _] = all;
    let unit = Unit::new(Target::Conversation(first.id), move |seen| Changes {
        conversation: seen.conversation.clone().map(|c| Conversation { closed: closed(), ..c }),
        more_conversations: seen.others.iter().map(|c| Conversation { unread: 9, ..c.clone() }).collect(),
        ..Changes::default()
    });
    done(&*fresh.store, unit.with_lookups(vec![Lookup::Conversation(second.id)])).await;
    assert_eq!(ok(fresh.store.conversation(first.id).await).map(|c| c.is_open()), Some(false));
    assert_eq!(ok(fresh.store.conversation(second.id).await).map(|c| c.unread), Some(9));
}

/// The cursor of a listener is written with what it brought, also when that is nothing or a repeat.
pub async fn a_cursor_becomes_durable_with_its_batch(fresh: Fresh) {
    assert_eq!(ok(fresh.store.cursor(&shop()).await), None);
    let unit = || Unit::new(Target::Nothing, |_| Changes::default()).with_claim(claim("1"), at(1));
    let batch = |units, cursor: &str| Batch { units, cursor: Some((shop(), Cursor::from(cursor))) };
    ok(fresh.store.apply(batch(vec![unit()], "10")).await);
    assert_eq!(ok(fresh.store.cursor(&shop()).await), Some(Cursor::from("10")));
    ok(fresh.store.apply(batch(vec![unit()], "11")).await);
    assert_eq!(ok(fresh.store.cursor(&shop()).await), Some(Cursor::from("11")), "a repeat moves the cursor");
    ok(fresh.store.apply(batch(Vec::new(), "12")).await);
    assert_eq!(
        ok(fresh.store.cursor(&shop()).await),
        Some(Cursor::from("12")),
        "nothing new moves the cursor"
    );
}

/// Two accounts never share a place.
pub async fn a_cursor_is_of_one_channel(fresh: Fresh) {
    let other = ChannelKey::new("acme", "other");
    for (channel, place) in [(shop(), "1"), (other.clone(), "2")] {
        ok(fresh
            .store
            .apply(Batch { units: Vec::new(), cursor: Some((channel, Cursor::from(place))) })
            .await);
    }
    assert_eq!(ok(fresh.store.cursor(&shop()).await), Some(Cursor::from("1")));
    assert_eq!(ok(fresh.store.cursor(&other).await), Some(Cursor::from("2")));
}

/// Whoever asked is told why nothing was changed.
pub async fn a_refusal_is_handed_back(fresh: Fresh) {
    let changes =
        write(&*fresh.store, || Changes { refused: Some(Refused::Taken), ..Changes::default() }).await;
    assert_eq!(changes.refused, Some(Refused::Taken));
}

/// Read, decide and write are one: nothing is lost between them.
pub async fn parallel_units_of_one_conversation_lose_nothing(fresh: Fresh) {
    let make = Maker::new();
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    let steps = (0..50).map(|i| {
        let (store, id) = (fresh.store.clone(), conversation.id);
        tokio::spawn(async move {
            let target = if i % 2 == 0 { Target::Conversation(id) } else { Target::Peer(peer("1")) };
            let add = |s: &omni_hub::store::Snapshot| {
                let mut conversation = s.conversation.clone();
                if let Some(c) = &mut conversation {
                    c.unread += 1;
                }
                Changes { conversation, ..Changes::default() }
            };
            done(&*store, Unit::new(target, add)).await;
        })
    });
    for step in join_all(steps).await {
        assert!(step.is_ok());
    }
    let stored = ok(fresh.store.conversation(conversation.id).await);
    assert_eq!(stored.map(|c| c.unread), Some(50));
}

/// Group commits answer each batch with its own results, and keep the order within a batch.
pub async fn parallel_batches_keep_every_unit(fresh: Fresh) {
    let batches = (0..40).map(|batch| {
        let store = fresh.store.clone();
        tokio::spawn(async move {
            let unit = |i: usize| {
                let text = format!("{batch}/{i}");
                let tell = move |_: &_| Changes { entries: vec![entry(&text, at(1))], ..Changes::default() };
                let fails = batch % 4 == 0 && i == 1;
                let decide = move |s: &_| if fails { panic!("a policy that fails") } else { tell(s) };
                Unit::new(Target::Nothing, decide).with_claim(claim(&format!("{batch}/{i}")), at(1))
            };
            let applied = ok(store.apply(Batch { units: (0..3).map(unit).collect(), cursor: None }).await);
            let done = applied.iter().filter(|a| matches!(a, Applied::Done(_))).count();
            assert_eq!(done, if batch % 4 == 0 { 2 } else { 3 }, "batch {batch}: {applied:?}");
            let seqs: Vec<u64> = applied
                .iter()
                .filter_map(|a| match a {
                    Applied::Done(changes) => changes.entries.first().map(|e| e.seq),
                    _ => None,
                })
                .collect();
            assert!(seqs.is_sorted(), "batch {batch}: {seqs:?}");
        })
    });
    for batch in join_all(batches).await {
        assert!(batch.is_ok());
    }
    assert_eq!(ok(fresh.store.entries(0, 1000).await).len(), 40 * 3 - 10);
}
