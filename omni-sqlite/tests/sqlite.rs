//! What only a store in a file can get wrong.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

use std::error::Error as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use omni_core::event::EventKind;
use omni_core::id::{ConsumerId, ConversationId};
use omni_core::plan::Reach;
use omni_core::tokens::{TokenStore, Tokens};
use omni_core::{Address, Conversation, Timestamp};
use omni_hub::store::{
    Applied, Batch, Changes, ChannelKey, Claim, Entry, HostEvent, KeptNote, PeerRecord, StoreError, Target,
    Unit,
};
use omni_hub::{Hub, Store};
use omni_sqlite::SqliteStore;
use rusqlite::Connection;

fn note(text: String) -> impl FnMut(&omni_hub::store::Snapshot) -> Changes + Send + 'static {
    move |_| Changes {
        entries: vec![Entry {
            seq: 0,
            at: Timestamp::from_millis(1),
            tenant: "acme".into(),
            channel: Some("shop".into()),
            conversation: None,
            event: HostEvent::Notice { topic: "test".to_owned(), text: text.clone() },
            why: Default::default(),
        }],
        ..Changes::default()
    }
}

fn claim(event: &str, at: i64) -> (Claim, Timestamp) {
    let channel = ChannelKey::new("acme", "shop");
    (Claim { channel, event: event.into(), kind: EventKind::Message }, Timestamp::from_millis(at))
}

fn claimed(event: &str, at: i64) -> Unit {
    let (claim, at) = claim(event, at);
    Unit::new(Target::Nothing, note(event.to_owned())).with_claim(claim, at)
}

async fn count(store: &SqliteStore) -> usize {
    store.entries(0, 10_000).await.unwrap().len()
}

#[test]
fn a_newer_schema_is_refused_with_words_that_say_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("omni.db");
    drop(SqliteStore::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { found: 99, .. }), "{error:?}");
    assert!(error.to_string().contains("upgrade omni"), "{error}");
    let version: u32 =
        Connection::open(&path).unwrap().pragma_query_value(None, "user_version", |r| r.get(0)).unwrap();
    assert_eq!(version, 99, "nothing was changed");
}

#[tokio::test]
async fn an_older_file_is_upgraded_and_keeps_what_is_in_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("omni.db");
    {
        let store = SqliteStore::open(&path).unwrap();
        store.apply(Batch::from(claimed("было", 1))).await.unwrap();
    }
    let old = Connection::open(&path).unwrap();
    // As the first version left it.
    old.execute_batch("DROP TABLE token; DROP TABLE note").unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    drop(old);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(count(&store).await, 1);
    assert_eq!(store.load("avito/7").await.unwrap(), None);
}

/// As the second version left it: addresses without notes, messages without further names.
#[tokio::test]
async fn a_file_from_before_notes_keeps_its_talks_and_takes_notes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("omni.db");
    let key = ChannelKey::new("acme", "shop").peer(Address::new("7"));
    let at = Timestamp::from_millis(1);
    let id = ConversationId::from_bytes([2; 16]);
    let talk = Conversation::open(id, key.tenant.clone(), key.channel.clone(), key.address.clone(), at);
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../src/schema_1.sql")).unwrap();
    old.execute_batch(include_str!("../src/schema_2.sql")).unwrap();
    old.execute_batch(
        "INSERT INTO channel (id, tenant, channel) VALUES (1, 'acme', 'shop'); \
         INSERT INTO message (id, conversation, channel, direction, body) \
         VALUES (x'03030303030303030303030303030303', x'02020202020202020202020202020202', 1, 0, '{}'); \
         INSERT INTO message_name (channel, name, message) VALUES (1, 'a', x'03030303030303030303030303030303'); \
         INSERT INTO peer (channel, address, conversation, reach) \
         VALUES (1, '7', x'02020202020202020202020202020202', 1);",
    )
    .unwrap();
    old.execute(
        "INSERT INTO conversation (id, channel, tenant, address, open, last_message_at, body) \
         VALUES (?1, 1, 'acme', '7', 1, 1, ?2)",
        (id.to_bytes(), serde_json::to_string(&talk).unwrap()),
    )
    .unwrap();
    old.pragma_update(None, "user_version", 2).unwrap();
    drop(old);

    let store = SqliteStore::open(&path).unwrap();
    let peer = store.peer(&key).await.unwrap().unwrap();
    assert_eq!((peer.conversation, peer.reach, &peer.note), (Some(id), Reach::Blocked, &None));
    let kept = KeptNote { note: "re: 7".into(), at };
    let (seen, noted) = (Arc::new(Mutex::new(None)), kept.clone());
    let into = seen.clone();
    let named = ChannelKey::new("acme", "shop").peer(Address::new("8"));
    let unit = Unit::new(Target::Thread(named, vec!["a".into()]), move |snapshot| {
        *into.lock().unwrap() = snapshot.conversation.clone();
        let peer = snapshot.peer.clone().map(|peer| PeerRecord { note: Some(noted.clone()), ..peer });
        Changes { peer, ..Changes::default() }
    });
    store.apply(Batch::from(unit)).await.unwrap();
    assert_eq!(seen.lock().unwrap().take(), Some(talk));
    drop(store);
    let reopened = SqliteStore::open(&path).unwrap();
    assert_eq!(reopened.peer(&key).await.unwrap(), Some(PeerRecord { note: Some(kept), ..peer }));
}

#[tokio::test]
async fn tokens_outlive_the_process_and_are_renewed_by_one_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("omni.db");
    let tokens = |n: u32| Tokens {
        access: format!("доступ-{n}").into(),
        refresh: Some(format!("r-{n}").into()),
        expires_at: Some(Timestamp::from_secs(1_767_225_600)),
    };
    let (one, two) = (SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap());
    let minute = Duration::from_secs(60);
    assert!(one.claim("avito/7", minute).await.unwrap());
    assert!(!two.claim("avito/7", minute).await.unwrap());
    assert!(two.claim("avito/8", minute).await.unwrap(), "another account");
    assert_eq!(two.load("avito/7").await.unwrap(), None, "claimed, and nothing kept");
    one.save("avito/7", &tokens(1)).await.unwrap();
    two.unclaim("avito/7").await.unwrap();
    assert!(!two.claim("avito/7", minute).await.unwrap(), "nobody gives back what is another's");
    one.unclaim("avito/7").await.unwrap();
    assert!(two.claim("avito/7", Duration::ZERO).await.unwrap());
    assert!(one.claim("avito/7", minute).await.unwrap(), "a claim that ran out");
    one.save("avito/7", &tokens(2)).await.unwrap();
    drop((one, two));
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.load("avito/7").await.unwrap(), Some(tokens(2)));
}

#[test]
fn a_file_that_is_not_a_database_is_named_as_such_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.txt");
    let text = "это не база данных\n".repeat(1000);
    std::fs::write(&path, &text).unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    assert!(error.to_string().contains("not a database"), "{error}");
    assert!(error.source().is_some());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_place_without_a_directory_is_an_error_and_no_panic() {
    let directory = tempfile::tempdir().unwrap();
    let error = SqliteStore::open(directory.path().join("none/omni.db")).unwrap_err();
    assert!(error.to_string().starts_with("open:"), "{error}");
}

#[test]
fn many_openers_of_a_new_file_all_succeed() {
    for _ in 0..5 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("omni.db");
        let openers: Vec<_> = (0..6)
            .map(|_| {
                let path = path.clone();
                thread::spawn(move || SqliteStore::open(path).map(drop))
            })
            .collect();
        for opener in openers {
            opener.join().unwrap().unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_parallel_units_share_commits_and_are_all_durable() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("omni.db");
    let store = SqliteStore::open(&path).unwrap();
    let units = (0..500).map(|i| {
        let store = store.clone();
        tokio::spawn(async move { store.apply(Batch::from(claimed(&i.to_string(), 1))).await })
    });
    for unit in futures_join(units).await {
        assert!(matches!(unit.unwrap().unwrap().as_slice(), [Applied::Done(_)]));
    }
    drop(store);
    assert_eq!(count(&SqliteStore::open(&path).unwrap()).await, 500);
}

async fn futures_join<T: Send + 'static>(
    tasks: impl Iterator<Item = tokio::task::JoinHandle<T>>,
) -> Vec<Result<T, tokio::task::JoinError>> {
    let tasks: Vec<_> = tasks.collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await);
    }
    results
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_that_panics_inside_a_group_fails_alone() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("omni.db")).unwrap();
    let units = (0..100).map(|i| {
        let store = store.clone();
        tokio::spawn(async move {
            let (claim, at) = claim(&i.to_string(), 1);
            let mut tell = note(i.to_string());
            let decide = move |s: &_| if i % 10 == 3 { panic!("a policy that fails") } else { tell(s) };
            store.apply(Batch::from(Unit::new(Target::Nothing, decide).with_claim(claim, at))).await
        })
    });
    for (i, unit) in futures_join(units).await.into_iter().enumerate() {
        let applied = unit.unwrap().unwrap();
        match applied.as_slice() {
            [Applied::Failed(StoreError::Panicked)] => assert_eq!(i % 10, 3),
            [Applied::Done(_)] => assert_ne!(i % 10, 3),
            other => panic!("{i}: {other:?}"),
        }
    }
    assert_eq!(count(&store).await, 90);
}

/// Two messages with one id: what a second hub with the same seed would write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_that_the_database_refuses_fails_alone() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("omni.db")).unwrap();
    let bad = || {
        let token = omni_core::id::TimerToken::from_bytes([1; 16]);
        let timer = omni_hub::store::TimerRecord {
            token,
            conversation: omni_core::id::ConversationId::from_bytes([2; 16]),
            channel: ChannelKey::new("acme", "new-name"),
            kind: omni_core::conversation::TimerKind::Wake,
            due: Timestamp::from_millis(1),
        };
        let (claim, at) = claim("bad", 1);
        let twice = move |_: &_| Changes { timers: vec![timer.clone(), timer.clone()], ..Changes::default() };
        Unit::new(Target::Nothing, twice).with_claim(claim, at)
    };
    for _ in 0..2 {
        let units = vec![claimed("a", 1), bad(), claimed("b", 1)];
        let applied = store.apply(Batch { units, cursor: None }).await.unwrap();
        assert!(matches!(applied.get(1), Some(Applied::Failed(StoreError::Backend { .. }))), "{applied:?}");
    }
    assert_eq!(count(&store).await, 2, "its neighbours stand, once");
    let other = ChannelKey::new("acme", "new-name");
    assert!(store.timers_due(&[other], Timestamp::from_millis(9), 10).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_never_wait_for_the_writer_nor_see_half_a_unit() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("omni.db");
    let store = SqliteStore::open(&path).unwrap();
    // Another process holds the lock to write all the while.
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; INSERT INTO consumer (id, seq) VALUES ('x', 1);").unwrap();
    assert_eq!(count(&store).await, 0);
    assert_eq!(store.consumer(&ConsumerId::from("x")).await.unwrap(), 0);
    other.execute_batch("COMMIT").unwrap();

    let over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (store, over) = (store.clone(), over.clone());
            tokio::spawn(async move {
                let mut seen = 0;
                while !over.load(Ordering::SeqCst) {
                    let now = count(&store).await;
                    assert!(now >= seen && now.is_multiple_of(2), "{now} after {seen}");
                    seen = now;
                }
            })
        })
        .collect();
    for i in 0..100 {
        let pair = move |s: &_| {
            let mut entries = note(format!("{i} a"))(s).entries;
            entries.extend(note(format!("{i} b"))(s).entries);
            Changes { entries, ..Changes::default() }
        };
        store.apply(Batch::from(Unit::new(Target::Nothing, pair))).await.unwrap();
    }
    over.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
    assert_eq!(count(&store).await, 200);
}

#[tokio::test]
async fn pruning_forgets_old_claims_and_keeps_young_ones() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("omni.db")).unwrap();
    for (event, at) in [("old", 1), ("young", 100)] {
        store.apply(Batch::from(claimed(event, at))).await.unwrap();
    }
    store.prune(Timestamp::from_millis(50)).await.unwrap();
    let old = store.apply(Batch::from(claimed("old", 101))).await.unwrap();
    assert!(matches!(old.as_slice(), [Applied::Done(_)]));
    let young = store.apply(Batch::from(claimed("young", 101))).await.unwrap();
    assert!(matches!(young.as_slice(), [Applied::Duplicate]));
}

#[tokio::test]
async fn an_answer_that_nobody_waits_for_is_durable_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("omni.db");
    let store = SqliteStore::open(&path).unwrap();
    let mut begun = Box::pin(store.apply(Batch::from(claimed("1", 1))));
    assert!(futures_poll(&mut begun).await, "the writer has it");
    drop(begun);
    let applied = store.apply(Batch::from(claimed("1", 1))).await.unwrap();
    assert!(matches!(applied.as_slice(), [Applied::Duplicate]), "{applied:?}");
}

/// Polls once; says whether it is under way still.
async fn futures_poll<F: Future + Unpin>(future: &mut F) -> bool {
    std::future::poll_fn(|cx| std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx).is_pending()))
        .await
}

#[tokio::test]
async fn the_file_outlives_every_handle_and_the_hub() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("omni.db");
    let store = SqliteStore::open(&path).unwrap();
    let hub = Hub::builder().store(store.clone()).node("desk").build();
    store.apply(Batch::from(claimed("1", 1))).await.unwrap();
    drop((hub, store));
    assert_eq!(count(&SqliteStore::open(&path).unwrap()).await, 1);
}
