//! The host event log and its consumers.

use omni_core::id::ConsumerId;
use omni_hub::store::{Changes, HostEvent};

use super::Fresh;
use super::fixture::*;

async fn tell(fresh: &Fresh, text: &'static str, millis: i64) -> u64 {
    let written = write(&*fresh.store, move || Changes {
        entries: vec![entry(text, at(millis))],
        ..Changes::default()
    })
    .await;
    written.entries.first().map_or(0, |entry| entry.seq)
}

async fn texts(fresh: &Fresh, after: u64, limit: usize) -> Vec<String> {
    let entries = ok(fresh.store.entries(after, limit).await);
    let text = |entry: omni_hub::Entry| match entry.event {
        HostEvent::Notice { text, .. } => text,
        other => panic!("{other:?}"),
    };
    entries.into_iter().map(text).collect()
}

/// The number handed back is the number it is read by.
pub async fn entries_are_numbered_in_order_and_read_in_pages(fresh: Fresh) {
    let mut seqs = Vec::new();
    for text in ["a", "b", "c", "d", "e"] {
        seqs.push(tell(&fresh, text, 1).await);
    }
    assert!(seqs.is_sorted_by(|a, b| a < b) && seqs.first() > Some(&0), "{seqs:?}");
    assert_eq!(texts(&fresh, 0, 2).await, ["a", "b"]);
    let second = seqs.get(1).copied().unwrap_or_default();
    assert_eq!(texts(&fresh, second, 2).await, ["c", "d"]);
    assert_eq!(texts(&fresh, second, 100).await, ["c", "d", "e"]);
    let read = ok(fresh.store.entries(0, 100).await);
    assert_eq!(read.iter().map(|e| e.seq).collect::<Vec<_>>(), seqs);
    assert!(texts(&fresh, seqs.last().copied().unwrap_or_default(), 100).await.is_empty());
    assert!(texts(&fresh, u64::MAX, 100).await.is_empty());
}

/// A slow confirmation after a fast one changes nothing.
pub async fn a_consumer_never_moves_back(fresh: Fresh) {
    let (crm, bi) = (ConsumerId::from("crm"), ConsumerId::from("bi"));
    assert_eq!(ok(fresh.store.consumer(&crm).await), 0);
    for (seq, expected) in [(5, 5), (3, 5), (5, 5), (8, 8)] {
        ok(fresh.store.consumed(&crm, seq).await);
        assert_eq!(ok(fresh.store.consumer(&crm).await), expected);
    }
    assert_eq!(ok(fresh.store.consumer(&bi).await), 0, "consumers are apart");
}

/// Nothing goes that somebody has still to read, and nothing young.
pub async fn pruning_keeps_the_newest_entry_and_what_is_not_consumed(fresh: Fresh) {
    let (crm, bi) = (ConsumerId::from("crm"), ConsumerId::from("bi"));
    let mut seqs = Vec::new();
    for (text, millis) in [("a", 1), ("b", 2), ("c", 3), ("d", 100)] {
        seqs.push(tell(&fresh, text, millis).await);
    }
    let seq = |i: usize| seqs.get(i).copied().unwrap_or_default();
    ok(fresh.store.consumed(&crm, seq(3)).await);
    ok(fresh.store.consumed(&bi, seq(1)).await);
    ok(fresh.store.prune(at(50)).await);
    assert_eq!(texts(&fresh, seq(1), 10).await, ["c", "d"], "c is not consumed by all");
    ok(fresh.store.consumed(&bi, seq(3)).await);
    ok(fresh.store.prune(at(50)).await);
    assert_eq!(texts(&fresh, seq(2), 10).await, ["d"], "d is young");
    ok(fresh.store.prune(at(500)).await);
    assert_eq!(texts(&fresh, seq(2), 10).await, ["d"], "the newest one stays");
}

/// A number is never given twice.
pub async fn numbers_go_on_after_pruning(fresh: Fresh) {
    let crm = ConsumerId::from("crm");
    let first = tell(&fresh, "a", 1).await;
    let second = tell(&fresh, "b", 2).await;
    ok(fresh.store.consumed(&crm, second).await);
    ok(fresh.store.prune(at(500)).await);
    let third = tell(&fresh, "c", 600).await;
    assert!(first < second && second < third);
    assert_eq!(texts(&fresh, ok(fresh.store.consumer(&crm).await), 10).await, ["c"]);
}
