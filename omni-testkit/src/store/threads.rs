//! Messages that name those before them, and the notes that are kept with addresses.

use omni_core::id::{Note, ProviderMessageId};
use omni_core::{Conversation, Status};
use omni_hub::Store;
use omni_hub::store::{
    Batch, Changes, ChannelKey, KeptNote, Lookup, MessageRecord, PeerKey, Snapshot, StatusPatch, Target, Unit,
};
use std::sync::{Arc, Mutex, PoisonError};

use super::Fresh;
use super::fixture::*;

fn ids(names: &[&str]) -> Vec<ProviderMessageId> {
    names.iter().map(|name| ProviderMessageId::from(*name)).collect()
}

/// What a unit is shown that continues these messages, at an address of its own.
async fn after(store: &dyn Store, named: &PeerKey, messages: &[&str]) -> Snapshot {
    look(store, Target::Thread(named.clone(), ids(messages)), Vec::new()).await
}

/// An address with a conversation and one message in it.
async fn talk(store: &dyn Store, make: &Maker, key: &PeerKey, message: &str) -> Conversation {
    let conversation = open(store, make, key).await;
    say(store, &[make.inbound(&conversation, message)]).await;
    conversation
}

fn is_at(seen: &Snapshot, conversation: &Conversation) -> bool {
    seen.thread.as_ref() == Some(&conversation.address)
        && seen.peer.as_ref().is_some_and(|peer| peer.key.address == conversation.address)
        && seen.conversation.as_ref() == Some(conversation)
}

/// The order in which messages are named decides, not their age.
pub async fn a_thread_is_where_the_first_known_message_is(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let one = talk(store, &make, &peer("one"), "a").await;
    let two = talk(store, &make, &peer("two"), "b").await;
    for (named, expected) in [
        (vec!["a"], &one),
        (vec!["b"], &two),
        (vec!["a", "b"], &one),
        (vec!["b", "a"], &two),
        (vec!["none", "b", "a"], &two),
    ] {
        let seen = after(store, &peer("new"), &named).await;
        assert!(is_at(&seen, expected), "{named:?}: {seen:?}");
    }
    let far: Vec<String> = (0..31).map(|n| format!("none {n}")).chain(["a".to_owned()]).collect();
    let far: Vec<&str> = far.iter().map(String::as_str).collect();
    assert!(is_at(&after(store, &peer("new"), &far).await, &one), "the last of thirty-two");
}

/// The latest conversation of the address is shown, also when the message is of an earlier one.
pub async fn a_thread_goes_on_in_the_latest_conversation(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    talk(store, &make, &peer("one"), "a").await;
    let latest = open(store, &make, &peer("one")).await;
    assert!(is_at(&after(store, &peer("new"), &["a"]).await, &latest));
}

/// Then it is as if the unit were about the address alone.
pub async fn an_unknown_thread_is_the_address_given(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let known = open(store, &make, &peer("known")).await;
    for messages in [&["none"][..], &[]] {
        let seen = after(store, &peer("known"), messages).await;
        assert_eq!((seen.thread, seen.conversation), (None, Some(known.clone())), "{messages:?}");
        let seen = after(store, &peer("new"), messages).await;
        assert_eq!((seen.thread, seen.peer, seen.conversation), (None, None, None), "{messages:?}");
    }
}

/// Another account may have got the very same message.
pub async fn a_thread_is_of_one_channel(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let here = talk(store, &make, &peer("one"), "a").await;
    for channel in [ChannelKey::new("acme", "other"), ChannelKey::new("other", "shop")] {
        let seen = after(store, &channel.peer(peer("new").address), &["a"]).await;
        assert!(seen.thread.is_none() && seen.conversation.is_none(), "{channel}");
        let there = talk(store, &make, &channel.peer(peer("two").address), "a").await;
        assert!(is_at(&after(store, &channel.peer(peer("new").address), &["a"]).await, &there));
    }
    assert!(is_at(&after(store, &peer("new"), &["a"]).await, &here));
}

/// Of messages with one name the newest counts, whichever was named first.
pub async fn of_several_messages_with_one_name_the_newest_counts(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let (one, two) = (open(store, &make, &peer("one")).await, open(store, &make, &peer("two")).await);
    let (older, newer) = (make.inbound(&one, "a"), make.inbound(&two, "a"));
    say(store, &[newer, older]).await;
    assert!(is_at(&after(store, &peer("new"), &["a"]).await, &two));
}

/// What we sent is answered by any of the ids that it got, also those that were told one after the other.
pub async fn a_thread_is_found_by_all_ids_of_what_was_sent(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let conversation = open(store, &make, &peer("one")).await;
    let sent = make.outgoing(&conversation, Status::Sending);
    say(store, std::slice::from_ref(&sent)).await;
    for (status, told) in [(Status::Accepted, &["x", "y"][..]), (Status::Sent, &["z"])] {
        let patch = StatusPatch { message: sent.id, status, provider_ids: ids(told), error: None };
        write(store, move || Changes { statuses: vec![patch.clone()], ..Changes::default() }).await;
    }
    for id in ["x", "y", "z"] {
        assert!(is_at(&after(store, &peer("new"), &[id]).await, &conversation), "{id}");
    }
}

/// Also names that became known later; and what is asked for beside the thread is looked for in it.
pub async fn a_thread_is_found_by_further_names(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let conversation = open(store, &make, &peer("one")).await;
    let mut message = MessageRecord { names: ids(&["b", "c"]), ..make.inbound(&conversation, "a") };
    say(store, std::slice::from_ref(&message)).await;
    message.names.extend(ids(&["d"]));
    let changed = message.clone();
    write(store, move || Changes { changed_messages: vec![changed.clone()], ..Changes::default() }).await;
    for name in ["a", "b", "c", "d"] {
        let lookups = vec![Lookup::Provider(name.into())];
        let seen = look(store, Target::Thread(peer("new"), ids(&[name])), lookups).await;
        assert!(is_at(&seen, &conversation), "{name}");
        assert_eq!(seen.messages, std::slice::from_ref(&message), "{name}");
    }
    assert_eq!(ok(store.message(message.id).await), Some(message));
}

/// Two messages that come in together, the second continuing the first.
pub async fn a_unit_continues_what_an_earlier_one_of_its_batch_wrote(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let conversation = make.conversation(&peer("one"));
    let (record, message) =
        (peer_record(&peer("one"), Some(&conversation)), make.inbound(&conversation, "a"));
    let opened = conversation.clone();
    let first = Unit::new(Target::Thread(peer("one"), ids(&["none"])), move |_| Changes {
        peer: Some(record.clone()),
        conversation: Some(opened.clone()),
        new_messages: vec![Arc::new(message.clone())],
        ..Changes::default()
    });
    let seen = Arc::new(Mutex::new(Snapshot::default()));
    let into = seen.clone();
    let second = Unit::new(Target::Thread(peer("two"), ids(&["a"])), move |snapshot| {
        *into.lock().unwrap_or_else(PoisonError::into_inner) = snapshot.clone();
        Changes::default()
    });
    ok(store.apply(Batch { units: vec![first, second], cursor: None }).await);
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(is_at(&seen, &conversation), "{seen:?}");
}

/// The messages are where the address is now.
pub async fn a_thread_follows_a_moved_address(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    talk(store, &make, &peer("old"), "a").await;
    moves(store, "old", "now").await;
    let seen = after(store, &peer("new"), &["a"]).await;
    assert_eq!(seen.thread, Some(peer("now").address));
    assert_eq!(seen.peer.map(|p| p.key), Some(peer("now")));
}

/// Claims and the log are forgotten; messages are not.
pub async fn pruning_forgets_no_thread(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let conversation = talk(store, &make, &peer("one"), "a").await;
    done(store, Unit::new(Target::Nothing, |_| Changes::default()).with_claim(claim("a"), at(1))).await;
    ok(store.prune(at(1_000_000_000)).await);
    assert!(is_at(&after(store, &peer("new"), &["a"]).await, &conversation));
}

async fn moves(store: &dyn Store, from: &str, to: &str) {
    let moved = (peer(from), peer(to).address);
    write(store, move || Changes { moved: Some(moved.clone()), ..Changes::default() }).await;
}

fn kept(note: impl Into<Note>, millis: i64) -> Option<KeptNote> {
    Some(KeptNote { note: note.into(), at: at(millis) })
}

/// Keeps a note with an address, as the hub does: with the address whole, after a look at it or without one.
async fn keep(store: &dyn Store, target: Target, key: &PeerKey, note: Option<KeptNote>) {
    let key = key.clone();
    let unit = Unit::new(target, move |seen| {
        let mut peer = seen.peer.clone().unwrap_or_else(|| peer_record(&key, None));
        peer.note.clone_from(&note);
        Changes { peer: Some(peer), ..Changes::default() }
    });
    done(store, unit).await;
}

async fn note_of(store: &dyn Store, key: &PeerKey) -> Option<KeptNote> {
    ok(store.peer(key).await).and_then(|peer| peer.note)
}

/// To the letter, new and changed, large and taken away; by every way of reading it.
pub async fn a_note_comes_back_whole(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let conversation = open(store, &make, &peer("1")).await;
    let large = "Тема: заказ № 7 👋🏽\0".repeat(600);
    for note in [kept("", 1), kept(large.as_str(), -2), kept("{\"re\": 1}", 3), None, kept("b", 4)] {
        for target in [Target::Nothing, Target::Peer(peer("1")), Target::Conversation(conversation.id)] {
            keep(store, target.clone(), &peer("1"), note.clone()).await;
            assert_eq!(note_of(store, &peer("1")).await, note);
            for shown in [Target::Peer(peer("1")), Target::Conversation(conversation.id)] {
                assert_eq!(look(store, shown, Vec::new()).await.peer.and_then(|p| p.note), note);
            }
            keep(store, target, &peer("1"), kept("between", 5)).await;
        }
    }
    assert_eq!(note_of(store, &peer("2")).await, None);
    let elsewhere = ChannelKey::new("other", "shop").peer(peer("1").address);
    assert_eq!(note_of(store, &elsewhere).await, None);
}

/// What else changes of an address leaves its note as it is.
pub async fn a_note_stays_when_its_address_changes(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let key = peer("1");
    open(store, &make, &key).await;
    keep(store, Target::Peer(key.clone()), &key, kept("a", 1)).await;
    let (contact, of) = (make.contact_id(), key.clone());
    let unit = Unit::new(Target::Peer(key.clone()), move |seen| {
        let mut peer = seen.peer.clone().unwrap_or_else(|| peer_record(&of, None));
        peer.contact = Some(contact);
        Changes { peer: Some(peer), ..Changes::default() }
    });
    done(store, unit).await;
    assert_eq!(note_of(store, &key).await, kept("a", 1));
    let into = make.contact_id();
    write(store, move || Changes { merged: Some((contact, into)), ..Changes::default() }).await;
    let record = ok(store.peer(&key).await);
    assert_eq!(record.as_ref().and_then(|p| p.contact), Some(into));
    assert_eq!(record.and_then(|p| p.note), kept("a", 1));
}

/// Onto an address that has one of its own, that one stays.
pub async fn a_note_moves_with_its_address(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    for (old, new, expected) in [("a", None, "a"), ("a", Some("b"), "b")] {
        for key in [peer("old"), peer("new")] {
            open(store, &make, &key).await;
        }
        keep(store, Target::Peer(peer("old")), &peer("old"), kept(old, 1)).await;
        keep(store, Target::Peer(peer("new")), &peer("new"), new.and_then(|new| kept(new, 1))).await;
        moves(store, "old", "new").await;
        assert_eq!(note_of(store, &peer("new")).await, kept(expected, 1));
        assert_eq!(note_of(store, &peer("old")).await, None);
    }
    moves(store, "new", "newest").await;
    assert_eq!(note_of(store, &peer("newest")).await, kept("b", 1));
    // Whoever has the old name from now on has no note.
    open(store, &make, &peer("new")).await;
    assert_eq!(note_of(store, &peer("new")).await, None);
}

/// What was written before a restart is continued after it.
pub async fn threads_and_notes_survive_a_restart(fresh: Fresh) {
    let make = Maker::new();
    let conversation = open(&*fresh.store, &make, &peer("one")).await;
    let message = MessageRecord { names: ids(&["b"]), ..make.inbound(&conversation, "a") };
    say(&*fresh.store, std::slice::from_ref(&message)).await;
    keep(&*fresh.store, Target::Peer(peer("one")), &peer("one"), kept("re: 7", 1)).await;
    let fresh = fresh.restarted().await;
    for name in ["a", "b"] {
        assert!(is_at(&after(&*fresh.store, &peer("new"), &[name]).await, &conversation), "{name}");
    }
    assert_eq!(note_of(&*fresh.store, &peer("one")).await, kept("re: 7", 1));
}
