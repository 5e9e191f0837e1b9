//! What a decision is shown, for every target and every look-up.

use omni_core::contact::{Contact, Identity, Profile};
use omni_core::event::MessageName;
use omni_core::id::{AlbumId, ProviderMessageId};
use omni_core::{Provider, Status};
use omni_hub::store::{Changes, ChannelKey, Direction, Lookup, Target};

use super::Fresh;
use super::fixture::*;

fn person(make: &Maker, id: &str) -> Contact {
    let profile = Profile { name: Some("Анна".to_owned()), ..Profile::default() };
    Contact::new(make.contact_id(), "acme".into(), Identity::new(Provider::new("fake"), id), profile)
}

/// Nothing was asked for.
pub async fn a_target_of_nothing_shows_nothing(fresh: Fresh) {
    open(&*fresh.store, &Maker::new(), &peer("1")).await;
    let seen = look(&*fresh.store, Target::Nothing, Vec::new()).await;
    assert!(seen.peer.is_none() && seen.conversation.is_none() && seen.messages.is_empty());
}

/// There is nothing yet.
pub async fn an_unknown_target_shows_nothing(fresh: Fresh) {
    let id = Maker::new().conversation(&peer("1")).id;
    let name = MessageName::Provider(ProviderMessageId::from("7"));
    for target in [Target::Peer(peer("1")), Target::Conversation(id), Target::Message(shop(), name)] {
        let seen = look(&*fresh.store, target, vec![Lookup::Unread, Lookup::Unsettled]).await;
        assert!(seen.peer.is_none() && seen.conversation.is_none() && seen.contact.is_none());
        assert!(seen.messages.is_empty());
    }
}

/// The latest one, open or closed.
pub async fn an_address_shows_its_latest_conversation_and_its_person(fresh: Fresh) {
    let (make, key) = (Maker::new(), peer("1"));
    open(&*fresh.store, &make, &key).await;
    let (contact, later) = (person(&make, "77"), make.conversation(&key));
    let mut record = peer_record(&key, Some(&later));
    record.contact = Some(contact.id);
    let (known, stored, of) = (record.clone(), later.clone(), contact.clone());
    write(&*fresh.store, move || Changes {
        peer: Some(record.clone()),
        conversation: Some(stored.clone()),
        contact: Some(of.clone()),
        ..Changes::default()
    })
    .await;
    open(&*fresh.store, &make, &peer("2")).await;
    let seen = look(&*fresh.store, Target::Peer(key), Vec::new()).await;
    assert_eq!(seen.conversation, Some(later));
    assert_eq!(seen.contact, Some(contact));
    assert_eq!(seen.peer, Some(known));
}

/// The one asked for, also when there is a later one.
pub async fn a_conversation_shows_its_address_and_its_person(fresh: Fresh) {
    let (make, key) = (Maker::new(), peer("1"));
    let first = open(&*fresh.store, &make, &key).await;
    let later = open(&*fresh.store, &make, &key).await;
    let seen = look(&*fresh.store, Target::Conversation(first.id), Vec::new()).await;
    assert_eq!(seen.conversation.map(|c| c.id), Some(first.id));
    assert_eq!(seen.peer.and_then(|p| p.conversation), Some(later.id));
}

/// By the provider's id or by ours; of several of one name the newest.
pub async fn a_named_message_shows_its_conversation(fresh: Fresh) {
    let make = Maker::new();
    let first = open(&*fresh.store, &make, &peer("1")).await;
    let second = open(&*fresh.store, &make, &peer("2")).await;
    let (old, new) = (make.inbound(&first, "7"), make.inbound(&second, "7"));
    say(&*fresh.store, &[old.clone(), new.clone()]).await;
    let by_provider = MessageName::Provider(ProviderMessageId::from("7"));
    for (name, message) in [(by_provider, &new), (MessageName::Ours(old.id), &old)] {
        let seen = look(&*fresh.store, Target::Message(shop(), name), Vec::new()).await;
        assert_eq!(seen.conversation.map(|c| c.id), Some(message.conversation));
        assert_eq!(seen.messages, std::slice::from_ref(message));
        assert!(seen.peer.is_some());
    }
}

/// What one account is told never touches the messages of another, not even by our own id.
pub async fn a_named_message_is_of_one_channel(fresh: Fresh) {
    let make = Maker::new();
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    let message = make.inbound(&conversation, "7");
    say(&*fresh.store, std::slice::from_ref(&message)).await;
    let names = [MessageName::Provider(ProviderMessageId::from("7")), MessageName::Ours(message.id)];
    for channel in [ChannelKey::new("acme", "other"), ChannelKey::new("other", "shop")] {
        for name in &names {
            let seen = look(&*fresh.store, Target::Message(channel.clone(), name.clone()), Vec::new()).await;
            assert!(seen.conversation.is_none() && seen.messages.is_empty(), "{channel} {name:?}");
        }
    }
}

/// Providers number messages per chat: an id means something only together with its address.
pub async fn a_provider_id_is_looked_up_at_one_address_of_one_channel(fresh: Fresh) {
    let make = Maker::new();
    let other = ChannelKey::new("acme", "other").peer(peer("1").address);
    let (mut messages, mut keys) = (Vec::new(), Vec::new());
    for key in [peer("1"), peer("2"), other] {
        let conversation = open(&*fresh.store, &make, &key).await;
        messages.push(make.inbound(&conversation, "7"));
        messages.push(make.inbound(&conversation, "8"));
        keys.push(key);
    }
    say(&*fresh.store, &messages).await;
    for (key, expected) in keys.into_iter().zip(messages.chunks(2)) {
        for message in expected {
            let lookups = message.provider_ids.iter().cloned().map(Lookup::Provider).collect();
            let seen = look(&*fresh.store, Target::Peer(key.clone()), lookups).await;
            assert_eq!(seen.messages, std::slice::from_ref(message), "{key:?}");
        }
    }
}

/// The message that the parts are joined in.
pub async fn an_album_is_looked_up_in_its_conversation(fresh: Fresh) {
    let make = Maker::new();
    let first = open(&*fresh.store, &make, &peer("1")).await;
    let second = open(&*fresh.store, &make, &peer("2")).await;
    let mut album = make.inbound(&first, "7");
    album.album = Some(AlbumId::from("a1"));
    say(&*fresh.store, &[album.clone(), make.inbound(&first, "8")]).await;
    let lookup = |album: &str| vec![Lookup::Album(AlbumId::from(album))];
    let seen = look(&*fresh.store, Target::Peer(peer("1")), lookup("a1")).await;
    assert_eq!(seen.messages, [album]);
    let elsewhere = look(&*fresh.store, Target::Conversation(second.id), lookup("a1")).await;
    assert!(elsewhere.messages.is_empty());
    let unknown = look(&*fresh.store, Target::Peer(peer("1")), lookup("a2")).await;
    assert!(unknown.messages.is_empty());
}

/// Whatever the target is, and on its own channel only.
pub async fn a_message_of_ours_is_looked_up_by_its_id(fresh: Fresh) {
    let make = Maker::new();
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    let message = make.outgoing(&conversation, Status::Queued);
    say(&*fresh.store, std::slice::from_ref(&message)).await;
    let here = peer("1").channel_key();
    for target in [Target::Nothing, Target::Peer(peer("2")), Target::Conversation(conversation.id)] {
        let seen = look(&*fresh.store, target.clone(), vec![Lookup::Message(here.clone(), message.id)]).await;
        assert_eq!(seen.messages, std::slice::from_ref(&message), "{target:?}");
        for elsewhere in [ChannelKey::new("acme", "other"), ChannelKey::new("other", "shop")] {
            let lookups = vec![Lookup::Message(elsewhere, message.id)];
            assert!(look(&*fresh.store, target.clone(), lookups).await.messages.is_empty(), "{target:?}");
        }
    }
}

/// Queued, sending and unknown ones: those an echo may be of.
pub async fn unsettled_messages_are_outgoing_and_newest_first(fresh: Fresh) {
    let make = Maker::new();
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    let all = [
        make.outgoing(&conversation, Status::Unknown),
        make.outgoing(&conversation, Status::Accepted),
        make.inbound(&conversation, "7"),
        make.outgoing(&conversation, Status::Sending),
        make.outgoing(&conversation, Status::Failed),
        make.outgoing(&conversation, Status::Queued),
    ];
    say(&*fresh.store, &all).await;
    let seen = look(&*fresh.store, Target::Peer(peer("1")), vec![Lookup::Unsettled]).await;
    let statuses: Vec<_> = seen.messages.iter().filter_map(|m| m.status).collect();
    assert_eq!(statuses, [Status::Queued, Status::Sending, Status::Unknown]);
}

/// A read mark looks back a bounded way.
pub async fn unread_messages_are_outgoing_newest_first_and_at_most_two_hundred(fresh: Fresh) {
    let make = Maker::new();
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    let mut all: Vec<_> = (0..210).map(|_| make.outgoing(&conversation, Status::Sent)).collect();
    all.push(make.inbound(&conversation, "7"));
    all.push(make.outgoing(&conversation, Status::Read));
    say(&*fresh.store, &all).await;
    let seen = look(&*fresh.store, Target::Peer(peer("1")), vec![Lookup::Unread]).await;
    assert!(seen.messages.len() <= 200 && seen.messages.len() >= 150, "{}", seen.messages.len());
    assert!(seen.messages.iter().all(|m| m.direction == Direction::Out && m.status == Some(Status::Sent)));
    assert!(seen.messages.iter().map(|m| std::cmp::Reverse(m.id)).is_sorted());
}

/// One person at two addresses is one person.
pub async fn a_person_is_looked_up_by_identity_when_the_address_has_none(fresh: Fresh) {
    let make = Maker::new();
    let (anna, boris) = (person(&make, "77"), person(&make, "78"));
    let mut known = peer_record(&peer("1"), None);
    known.contact = Some(anna.id);
    for (contact, record) in [(anna.clone(), Some(known)), (boris.clone(), None)] {
        write(&*fresh.store, move || Changes {
            contact: Some(contact.clone()),
            peer: record.clone(),
            ..Changes::default()
        })
        .await;
    }
    let by = |id: &str| vec![Lookup::Identity("acme".into(), Identity::new(Provider::new("fake"), id))];
    let new_address = look(&*fresh.store, Target::Peer(peer("2")), by("78")).await;
    assert_eq!(new_address.contact, Some(boris));
    let known_address = look(&*fresh.store, Target::Peer(peer("1")), by("78")).await;
    assert_eq!(known_address.contact, Some(anna), "the person of the address comes first");
    let stranger = look(&*fresh.store, Target::Peer(peer("2")), by("79")).await;
    assert_eq!(stranger.contact, None);
    let mut elsewhere = Identity::new(Provider::new("fake"), "78");
    elsewhere.scope = "account".to_owned();
    let scoped =
        look(&*fresh.store, Target::Peer(peer("2")), vec![Lookup::Identity("acme".into(), elsewhere)]).await;
    assert_eq!(scoped.contact, None, "an id of another scope is another person");
    let same = Identity::new(Provider::new("fake"), "78");
    let of_another = vec![Lookup::Identity("globex".into(), same)];
    let unknown = look(&*fresh.store, Target::Peer(peer("2")), of_another).await;
    assert_eq!(unknown.contact, None, "a tenant never sees the contact of another");
}

/// Beside the target, in the order asked for; what does not exist is left out.
pub async fn other_persons_and_conversations_are_looked_up_by_id(fresh: Fresh) {
    let make = Maker::new();
    let here = open(&*fresh.store, &make, &peer("1")).await;
    let others = [open(&*fresh.store, &make, &peer("2")).await, open(&*fresh.store, &make, &peer("3")).await];
    let (anna, boris) = (person(&make, "77"), person(&make, "78"));
    for contact in [anna.clone(), boris.clone()] {
        write(&*fresh.store, move || Changes { contact: Some(contact.clone()), ..Changes::default() }).await;
    }
    let mut lookups = vec![Lookup::Contact(boris.id), Lookup::Contact(make.contact_id())];
    lookups.push(Lookup::Contact(anna.id));
    lookups.push(Lookup::Conversation(make.conversation(&peer("4")).id));
    lookups.extend(others.iter().rev().map(|c| Lookup::Conversation(c.id)));
    for target in [Target::Conversation(here.id), Target::Peer(peer("1")), Target::Nothing] {
        let seen = look(&*fresh.store, target, lookups.clone()).await;
        assert_eq!(seen.contacts, [boris.clone(), anna.clone()]);
        assert!(seen.others.iter().eq(others.iter().rev()), "{:?}", seen.others);
        assert_eq!(seen.contact, None, "the person of the target is another thing");
    }
}
