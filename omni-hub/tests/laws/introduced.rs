//! Who writes, where events do not tell it; and files that a provider fetches by address.

use std::sync::Arc;

use bytes::Bytes;
use omni_core::capability::{MediaLimit, Sources};
use omni_core::channel::Known;
use omni_core::contact::{Identity, Profile, Sender, SenderKind};
use omni_core::content::{Content, ContentKind, Item};
use omni_core::conversation::Actor;
use omni_core::error::ErrorKind;
use omni_core::event::{EventBody, EventKind, Introduced, Message};
use omni_core::media::{Media, MediaKind, MediaSource};
use omni_core::plan::Refusal;
use omni_core::{Address, Event, Provider};
use omni_hub::store::Refused;
use omni_hub::{ChannelSetup, Draft, HostEvent, Hub, HubError, Published};

use crate::fake::Fake;
use crate::world::*;

fn nameless(id: &str) -> Sender {
    let identity = Identity::new(Provider::new("fake"), id);
    Sender { identity, profile: Profile::default(), kind: SenderKind::Person }
}

fn writes(who: &str, id: &str, text: &str) -> Event {
    event_of(who, id, EventBody::Message(Message::new(id, nameless(who), Content::text(text))))
}

fn ivan() -> Known {
    let profile = Profile { name: Some("Иван 👟".to_owned()), ..Profile::default() };
    let item = Item { id: Some("55".to_owned()), title: Some("Kia Rio".to_owned()), ..Item::default() };
    let told =
        Introduced { sender: Some(Sender { profile, ..nameless("7") }), item: Some(item), title: None };
    Known { address: Address::new("7"), told }
}

/// A running hub at a provider that has to be asked.
fn hub(world: &World) -> Hub {
    let hub = world.builder().build();
    hub.add_channel(ChannelSetup::new(shop(), Arc::new(Fake::new(&world.provided, |_| ()).asking())));
    run(&hub);
    hub
}

#[tokio::test]
async fn somebody_without_a_name_is_asked_about_and_gets_one() {
    let world = World::new();
    let hub = hub(&world);
    world.provided.knows(ivan());
    deliver(&hub, &[writes("7", "a", "Ещё продаёте?")]).await;
    let talk = world.conversation().await;
    assert_eq!(talk.title, "Иван 👟");
    assert_eq!(talk.item.unwrap().title.as_deref(), Some("Kia Rio"));
    let contact = world.store.contact(talk.contact.unwrap()).await.unwrap().unwrap();
    assert_eq!(contact.profile.name.as_deref(), Some("Иван 👟"));
    let told = |e: &&omni_hub::Entry| matches!(&e.event, HostEvent::Received { event, .. } if event.kind() == EventKind::Introduced);
    assert_eq!(world.entries().await.iter().filter(told).count(), 1);
}

#[tokio::test]
async fn who_is_known_keeps_the_name_and_is_not_asked_about_again() {
    let world = World::new();
    let hub = hub(&world);
    world.provided.knows(ivan());
    deliver(&hub, &[writes("7", "a", "Раз")]).await;
    deliver(&hub, &[writes("7", "b", "Два")]).await;
    assert_eq!(world.conversation().await.title, "Иван 👟");
    assert_eq!(world.provided.asked().len(), 1);
}

#[tokio::test]
async fn a_failed_question_is_asked_again_with_the_next_message() {
    let world = World::new();
    let hub = hub(&world);
    world.provided.knows(ivan());
    world.provided.refuse_look_ups(Some(ErrorKind::Network));
    deliver(&hub, &[writes("7", "a", "Раз")]).await;
    assert_eq!(world.conversation().await.title, "7");
    world.provided.refuse_look_ups(None);
    deliver(&hub, &[writes("7", "b", "Два")]).await;
    assert_eq!(world.conversation().await.title, "Иван 👟");
}

#[tokio::test]
async fn many_at_once_are_asked_about_together() {
    let world = World::new();
    let hub = hub(&world);
    let all: Vec<Event> = (0..50).map(|n| writes(&n.to_string(), &n.to_string(), "Алло")).collect();
    deliver(&hub, &all).await;
    let asked = world.provided.asked();
    assert_eq!(asked.iter().map(Vec::len).sum::<usize>(), 50);
    assert!(asked.len() <= 2, "{} questions", asked.len());
}

#[tokio::test]
async fn a_repeated_webhook_asks_nothing() {
    let world = World::new();
    let hub = hub(&world);
    deliver(&hub, &[writes("7", "a", "Раз")]).await;
    deliver(&hub, &[writes("7", "a", "Раз")]).await;
    assert_eq!(world.provided.asked().len(), 1);
}

fn picture() -> Draft {
    let file = Media::new(MediaKind::File, Bytes::from_static(b"%PDF")).named("счёт.pdf");
    Draft::new(Content::media(file), Actor::Agent { agent: "anna".into() })
}

fn by_address(caps: &mut omni_core::Capabilities) {
    let limit = MediaLimit { sources: Sources::Address, ..MediaLimit::default() };
    caps.media.insert(ContentKind::File, limit);
}

#[tokio::test]
async fn a_file_goes_by_its_address_where_the_provider_fetches_files() {
    let world = World::new();
    let published = Published::new("https://desk.example/f".parse().unwrap(), "sixteen letters!").unwrap();
    let hub = world.builder().publish(published).build();
    hub.add_channel(ChannelSetup::new(shop(), Arc::new(Fake::new(&world.provided, by_address))));
    run(&hub);
    deliver(&hub, &[says("1", "a", "Пришлите счёт")]).await;
    hub.reply(world.conversation().await.id, picture()).await.unwrap();
    idle().await;
    let sent = world.provided.sent();
    let media = sent[0].content.all_media().next().unwrap();
    let MediaSource::Url { url } = &media.source else { panic!("{media:?}") };
    assert!(url.as_str().starts_with("https://desk.example/f/"), "{url}");
    let path = url.path().strip_prefix("/f").unwrap();
    assert_eq!(hub.published(path).await.unwrap().as_deref(), Some(&b"%PDF"[..]));
    assert_eq!(hub.published("/00/018f").await.unwrap(), None);
}

#[tokio::test]
async fn a_file_without_an_address_is_refused_before_it_is_queued() {
    let world = World::new();
    let hub = world.hub_with(omni_core::policy::Engine::default(), by_address);
    deliver(&hub, &[says("1", "a", "Пришлите счёт")]).await;
    let refused = hub.reply(world.conversation().await.id, picture()).await.unwrap_err();
    let wanted = Refusal::NeedsAddress { kind: ContentKind::File };
    assert!(matches!(refused, HubError::Refused(Refused::Unsendable(found)) if found == wanted));
}

#[tokio::test]
async fn the_provider_speaking_in_a_chat_is_nobodys_contact() {
    let world = World::new();
    let hub = world.hub();
    deliver(&hub, &[says("1", "a", "Ещё продаёте?")]).await;
    let buyer = world.conversation().await.contact.unwrap();
    let service = Sender { kind: SenderKind::Provider, ..nameless("service") };
    for (who, id) in [("1", "b"), ("2", "c")] {
        let mut message = Message::new(id, service.clone(), Content::text("Проверьте доставку"));
        message.origin = omni_core::event::Origin::Automatic;
        deliver(&hub, &[event_of(who, id, EventBody::Message(message))]).await;
    }
    let talks = world.conversations().await;
    let of = |who: &str| talks.iter().find(|talk| talk.address.as_str() == who).unwrap();
    assert_eq!((of("1").contact, of("2").contact), (Some(buyer), None));
    let contact = world.store.contact(buyer).await.unwrap().unwrap();
    assert_eq!(contact.identities.len(), 1, "{contact:?}");
}
