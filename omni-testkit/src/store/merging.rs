//! Two persons who are one.

use omni_core::contact::{Contact, Identity, Profile};
use omni_core::conversation::{Owner, Timer};
use omni_core::id::ContactId;
use omni_core::{Conversation, Provider};
use omni_hub::Store;
use omni_hub::store::{Changes, ConversationQuery, Lookup, PeerKey, Target, Unit};

use super::Fresh;
use super::fixture::*;

fn person(make: &Maker, ids: &[&str]) -> Contact {
    let mut contact = Contact::new(make.contact_id(), "acme".into(), identity("none"), Profile::default());
    contact.identities = ids.iter().map(|id| identity(id)).collect();
    contact
}

fn identity(id: &str) -> Identity {
    Identity::new(Provider::new("fake"), id)
}

/// Stores a person with an address and a conversation there.
async fn meet(store: &dyn Store, make: &Maker, contact: &Contact, key: &PeerKey) -> Conversation {
    let conversation = Conversation { contact: Some(contact.id), ..make.conversation(key) };
    let mut record = peer_record(key, Some(&conversation));
    record.contact = Some(contact.id);
    let (stored, of) = (conversation.clone(), contact.clone());
    write(store, move || Changes {
        peer: Some(record.clone()),
        conversation: Some(stored.clone()),
        contact: Some(of.clone()),
        ..Changes::default()
    })
    .await;
    conversation
}

/// Makes one of two, as the hub does.
async fn merge(store: &dyn Store, from: &Contact, into: &Contact) -> Contact {
    let (mut whole, other, pair) = (into.clone(), from.clone(), (from.id, into.id));
    whole.absorb(other);
    let stored = whole.clone();
    write(store, move || Changes { contact: Some(stored.clone()), merged: Some(pair), ..Changes::default() })
        .await;
    whole
}

async fn by_identity(store: &dyn Store, id: &str) -> Option<Contact> {
    look(store, Target::Peer(peer("nowhere")), vec![Lookup::Identity("acme".into(), identity(id))])
        .await
        .contact
}

async fn of_person(store: &dyn Store, contact: ContactId) -> usize {
    ok(store.conversations(&ConversationQuery { contact: Some(contact), ..Default::default() }).await).len()
}

/// By every identity of both, and by none the one that is gone.
pub async fn identities_of_both_lead_to_the_one_that_goes_on(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let (from, into) = (person(&make, &["1", "2"]), person(&make, &["3"]));
    let stranger = person(&make, &["4"]);
    for (contact, name) in [(&from, "a"), (&into, "b"), (&stranger, "c")] {
        meet(store, &make, contact, &peer(name)).await;
    }
    let whole = merge(store, &from, &into).await;
    assert_eq!(whole.identities.len(), 3);
    assert_eq!(ok(store.contact(from.id).await), None);
    assert_eq!(ok(store.contact(into.id).await).as_ref(), Some(&whole));
    for id in ["1", "2", "3"] {
        assert_eq!(by_identity(store, id).await.as_ref(), Some(&whole), "{id}");
    }
    assert_eq!(by_identity(store, "4").await.as_ref(), Some(&stranger));
}

/// A host may keep fewer identities than there were: those too lead to the one that goes on.
pub async fn an_identity_that_was_not_taken_over_leads_on_as_well(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let (from, into) = (person(&make, &["1"]), person(&make, &["2"]));
    for (contact, name) in [(&from, "a"), (&into, "b")] {
        meet(store, &make, contact, &peer(name)).await;
    }
    let (kept, pair) = (into.clone(), (from.id, into.id));
    write(store, move || Changes { contact: Some(kept.clone()), merged: Some(pair), ..Changes::default() })
        .await;
    assert_eq!(by_identity(store, "1").await, Some(into));
}

/// Open and closed ones, at every address; others keep theirs.
pub async fn addresses_and_conversations_name_the_one_that_goes_on(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let (from, into, stranger) = (person(&make, &["1"]), person(&make, &["2"]), person(&make, &["3"]));
    let mut theirs = Vec::new();
    for name in ["a", "a", "b"] {
        theirs.push(meet(store, &make, &from, &peer(name)).await);
    }
    change(store, theirs.first().map_or_else(|| make.conversation(&peer("x")).id, |c| c.id), |c| {
        c.closed = closed();
    })
    .await;
    theirs.push(meet(store, &make, &into, &peer("c")).await);
    let other = meet(store, &make, &stranger, &peer("d")).await;
    // An address that nobody has written from yet.
    let mut silent = peer_record(&peer("e"), None);
    silent.contact = Some(from.id);
    write(store, move || Changes { peer: Some(silent.clone()), ..Changes::default() }).await;

    let whole = merge(store, &from, &into).await;
    for conversation in &theirs {
        let stored = ok(store.conversation(conversation.id).await);
        assert_eq!(stored.and_then(|c| c.contact), Some(into.id));
    }
    for name in ["a", "b", "c", "e"] {
        let record = ok(store.peer(&peer(name)).await);
        assert_eq!(record.and_then(|p| p.contact), Some(into.id), "{name}");
        assert_eq!(look(store, Target::Peer(peer(name)), Vec::new()).await.contact.as_ref(), Some(&whole));
    }
    assert_eq!(ok(store.conversation(other.id).await).and_then(|c| c.contact), Some(stranger.id));
    assert_eq!(ok(store.peer(&peer("d")).await).and_then(|p| p.contact), Some(stranger.id));
    assert_eq!((of_person(store, into.id).await, of_person(store, from.id).await), (4, 0));
}

/// A merge is about persons: what goes on in their conversations goes on.
pub async fn a_merge_keeps_owners_queues_and_timers_of_both_sides(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let (from, into) = (person(&make, &["1"]), person(&make, &["2"]));
    let mut before = Vec::new();
    let mut timers = Vec::new();
    for (contact, name, owner, team) in [
        (&from, "a", agent("anna"), None),
        (&from, "b", Owner::Team { team: "sales".into() }, Some("sales")),
        (&into, "c", agent("boris"), None),
        (&into, "d", Owner::Nobody, Some("sales")),
    ] {
        let id = meet(store, &make, contact, &peer(name)).await.id;
        let mut timer = make.timer(&make.conversation(&peer(name)), at(before.len() as i64));
        timer.conversation = id;
        let (row, queue) = (timer.clone(), team.and_then(|team| queue_of(team, 1)));
        let unit = Unit::new(Target::Conversation(id), move |seen| {
            let conversation = seen.conversation.clone().map(|mut c| {
                (c.owner, c.flow.queue) = (owner.clone(), queue.clone());
                c.timers = vec![Timer { kind: row.kind, due: row.due, token: row.token }];
                c
            });
            Changes { conversation, timers: vec![row.clone()], ..Changes::default() }
        });
        before.extend(done(store, unit).await.conversation);
        timers.push(timer);
    }
    let desk = ok(store.desk(&shop().tenant).await);
    let waiting = ok(store.waiting(&shop().tenant, &"sales".into(), 10).await);
    assert_eq!((desk.agents.len(), waiting.len()), (2, 2));

    merge(store, &from, &into).await;
    for conversation in before {
        let expected = Conversation { contact: Some(into.id), ..conversation };
        assert_eq!(ok(store.conversation(expected.id).await), Some(expected));
    }
    assert_eq!(ok(store.timers_due(&[shop()], at(99), 10).await), timers);
    assert_eq!(ok(store.desk(&shop().tenant).await), desk);
    assert_eq!(ok(store.waiting(&shop().tenant, &"sales".into(), 10).await), waiting);
}

/// A decision sees what was before the merge, and what it hands back follows.
pub async fn what_is_written_along_with_a_merge_follows_it(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let (from, into) = (person(&make, &["1"]), person(&make, &["2"]));
    let here = meet(store, &make, &from, &peer("a")).await;
    let there = meet(store, &make, &from, &peer("b")).await;
    meet(store, &make, &into, &peer("c")).await;
    let pair = (from.id, into.id);
    let unit = Unit::new(Target::Conversation(here.id), move |seen| {
        let mut whole = seen.contacts.first().cloned();
        whole.iter_mut().zip(&seen.contact).for_each(|(whole, from)| whole.absorb(from.clone()));
        Changes {
            peer: seen.peer.clone(),
            conversation: seen.conversation.clone().map(|c| Conversation { unread: 3, ..c }),
            more_conversations: seen.others.iter().map(|c| Conversation { unread: 4, ..c.clone() }).collect(),
            contact: whole,
            merged: Some(pair),
            ..Changes::default()
        }
    });
    let lookups = vec![Lookup::Contact(into.id), Lookup::Conversation(there.id)];
    let written = done(store, unit.with_lookups(lookups)).await;
    assert_eq!(written.conversation.and_then(|c| c.contact), Some(into.id), "handed back as written");
    assert_eq!(written.peer.and_then(|p| p.contact), Some(into.id));
    for (id, unread) in [(here.id, 3), (there.id, 4)] {
        let stored = ok(store.conversation(id).await);
        assert_eq!(stored.map(|c| (c.contact, c.unread)), Some((Some(into.id), unread)));
    }
    assert_eq!(ok(store.peer(&peer("a")).await).and_then(|p| p.contact), Some(into.id));
}

/// Nobody is lost by it.
pub async fn a_person_merged_into_themselves_stays(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let anna = person(&make, &["1"]);
    let conversation = meet(store, &make, &anna, &peer("a")).await;
    merge(store, &anna, &anna).await;
    assert_eq!(by_identity(store, "1").await.as_ref(), Some(&anna));
    assert_eq!(ok(store.conversation(conversation.id).await), Some(conversation));
}
