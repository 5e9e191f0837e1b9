//! An address with a new name.

use omni_core::id::ProviderMessageId;
use omni_hub::Store;
use omni_hub::store::{Changes, Lookup, OutboxState, PeerKey, Target};

use super::Fresh;
use super::fixture::*;

async fn moves(store: &dyn Store, from: PeerKey, to: &PeerKey) {
    let to = to.address.clone();
    write(store, move || Changes { moved: Some((from.clone(), to.clone())), ..Changes::default() }).await;
}

/// Conversation, messages, outbox and what is known of the address follow; nothing else does.
pub async fn a_moved_address_takes_everything_along(fresh: Fresh) {
    let (make, here) = (Maker::new(), node("here"));
    let first = open(&*fresh.store, &make, &peer("old")).await;
    let latest = open(&*fresh.store, &make, &peer("old")).await;
    let other = open(&*fresh.store, &make, &peer("other")).await;
    say(&*fresh.store, &[make.inbound(&first, "7")]).await;
    let row = queue(&*fresh.store, &make, &latest, Some(&here), |_| {}).await;
    moves(&*fresh.store, peer("old"), &peer("new")).await;

    for id in [first.id, latest.id] {
        let stored = ok(fresh.store.conversation(id).await);
        assert_eq!(stored.map(|c| c.address), Some(peer("new").address));
    }
    assert_eq!(ok(fresh.store.conversation(other.id).await).map(|c| c.address), Some(peer("other").address));
    assert_eq!(ok(fresh.store.peer(&peer("old")).await), None);
    let record = ok(fresh.store.peer(&peer("new")).await);
    assert_eq!(record, Some(peer_record(&peer("new"), Some(&latest))));
    let lookup = vec![Lookup::Provider(ProviderMessageId::from("7"))];
    assert_eq!(look(&*fresh.store, Target::Peer(peer("new")), lookup).await.messages.len(), 1);

    // What is in flight knows the old name still.
    let mut sending = row.clone();
    sending.state = OutboxState::Sending;
    let written =
        write(&*fresh.store, move || Changes { outbox: vec![sending.clone()], ..Changes::default() }).await;
    assert_eq!(written.outbox.first().map(|r| &r.peer), Some(&peer("new")));
    ok(fresh.store.outbox_release(&here, &[row.message]).await);
    let taken = ok(fresh.store.outbox_take(&here, &[shop()], at(0), 10).await);
    assert_eq!(taken.first().map(|(row, _)| &row.peer), Some(&peer("new")));
}

/// Both sides may have been known already.
pub async fn an_address_that_moves_onto_another_one_joins_it(fresh: Fresh) {
    let make = Maker::new();
    let old = open(&*fresh.store, &make, &peer("old")).await;
    let new = open(&*fresh.store, &make, &peer("new")).await;
    moves(&*fresh.store, peer("old"), &peer("new")).await;
    for id in [old.id, new.id] {
        assert_eq!(ok(fresh.store.conversation(id).await).map(|c| c.address), Some(peer("new").address));
    }
    assert_eq!(ok(fresh.store.peer(&peer("old")).await), None);
    let record = ok(fresh.store.peer(&peer("new")).await);
    assert_eq!(record.and_then(|p| p.conversation), Some(new.id));
}
