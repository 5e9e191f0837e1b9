//! Laws 1 to 4 and 8: what comes in.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use omni_core::Status;
use omni_core::conversation::Actor;
use omni_core::event::EventBody;
use omni_core::id::*;
use omni_hub::store::*;
use omni_hub::{ChannelSetup, HostEvent};

use crate::failing::Failing;
use crate::fake::{Fake, Turn};
use crate::world::*;

#[tokio::test]
async fn an_event_is_acknowledged_only_when_it_is_durable() {
    let store = Failing::default();
    let broken = store.broken.clone();
    let world = World::on(store);
    let hub = world.hub();
    broken.store(true, Ordering::SeqCst);
    assert_eq!(deliver(&hub, &[says("1", "a", "Привет")]).await.status, 503);
    assert!(world.conversations().await.is_empty());
    broken.store(false, Ordering::SeqCst);
    assert_eq!(deliver(&hub, &[says("1", "a", "Привет")]).await.status, 200);
    assert_eq!(world.thread().await.len(), 1);
}

#[tokio::test]
async fn a_store_that_panics_fails_the_batch_and_not_the_hub() {
    let store = Failing::default();
    let panics = store.panics.clone();
    let world = World::on(store);
    let hub = world.hub_with(closes_after(60), |_| ());
    deliver(&hub, &[says("1", "a", "Привет")]).await;
    panics.store(true, Ordering::SeqCst);
    assert_eq!(deliver(&hub, &[says("2", "b", "Алло?")]).await.status, 503);
    world.pass_slowly(secs(90)).await;
    assert!(world.conversation().await.is_open());
    panics.store(false, Ordering::SeqCst);
    world.pass_slowly(secs(30)).await;
    assert!(!world.conversation().await.is_open(), "timers go on");
}

#[tokio::test]
async fn a_listeners_place_moves_with_its_events_or_not_at_all() {
    let store = Failing::default();
    let broken = store.broken.clone();
    let world = World::on(store);
    let hub = world.builder().build();
    hub.add_channel(ChannelSetup::new(shop(), Arc::new(Fake::new(&world.provided, |_| ()).listening())));
    run(&hub);
    idle().await;
    broken.store(true, Ordering::SeqCst);
    world.provided.update(says("1", "a", "Алло"));
    idle().await;
    assert_eq!(world.store.cursor(&shop()).await.unwrap(), None);
    broken.store(false, Ordering::SeqCst);
    world.pass_slowly(secs(60)).await;
    assert_eq!(world.thread().await.len(), 1);
    assert_eq!(world.store.cursor(&shop()).await.unwrap(), Some(Cursor::from("1")));
}

#[tokio::test]
async fn one_bad_event_of_a_batch_is_kept_aside_and_the_others_are_applied() {
    let world = World::new();
    let hub = world.hub_with(AutoReply, |_| ());
    let batch = [says("1", "a", "раз"), says("2", "b", "panic"), says("3", "c", "три")];
    assert_eq!(deliver(&hub, &batch).await.status, 200);
    assert_eq!(world.conversations().await.len(), 2);
    assert_eq!(world.provided.texts().len(), 2);
    let parked: Vec<_> = world
        .entries()
        .await
        .into_iter()
        .filter_map(|e| match e.event {
            HostEvent::Parked { event, .. } => Some(event.id.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(parked, [EventId::from("b")]);
    // The repeat of the bad one is a repeat.
    let before = world.entries().await.len();
    assert_eq!(deliver(&hub, &batch).await.status, 200);
    assert_eq!(world.entries().await.len(), before);
}

#[tokio::test]
async fn a_repeat_changes_nothing_and_answers_nobody_twice() {
    let world = World::new();
    let hub = world.hub_with(AutoReply, |_| ());
    for _ in 0..3 {
        assert_eq!(deliver(&hub, &[says("1", "a", "Есть 38-й?")]).await.status, 200);
    }
    assert_eq!(world.provided.texts(), [("1".to_owned(), "Спасибо за «Есть 38-й?» 🙏".to_owned())]);
    assert_eq!(world.thread().await.len(), 2);
    assert_eq!(world.conversation().await.unread, 1);
}

#[tokio::test]
async fn twenty_deliveries_at_once_are_one_message() {
    let world = World::new();
    let hub = world.hub_with(AutoReply, |_| ());
    let one = || async { hub.webhook(&shop(), request(&[says("1", "a", "Тут?")])).await.status };
    let answers = futures_util::future::join_all((0..20).map(|_| one())).await;
    idle().await;
    assert!(answers.iter().all(|status| *status == 200));
    assert_eq!((world.thread().await.len(), world.provided.texts().len()), (2, 1));
}

#[tokio::test]
async fn the_same_event_on_two_channels_is_two_events() {
    let world = World::new();
    let hub = world.hub();
    let other = ChannelKey::new("acme", "other");
    hub.add_channel(ChannelSetup::new(other.clone(), Arc::new(Fake::new(&world.provided, |_| ()))));
    deliver(&hub, &[says("1", "a", "раз")]).await;
    hub.webhook(&other, request(&[says("1", "a", "раз")])).await;
    assert_eq!(world.conversations().await.len(), 2);
}

#[tokio::test]
async fn what_nobody_signed_leaves_no_trace() {
    let world = World::new();
    let hub = world.hub();
    for secret in [Some("wrong"), Some("genuin"), Some(""), None] {
        let mut forged = request(&[says("1", "a", "поддельное")]);
        forged.headers.remove("x-secret");
        if let Some(secret) = secret {
            forged.headers.insert("x-secret", secret.parse().unwrap());
        }
        assert_eq!(hub.webhook(&shop(), forged).await.status, 401, "{secret:?}");
    }
    let mut large = request(&[]);
    large.body = Bytes::from(vec![b' '; hub.body_limit() + 1]);
    assert_eq!(hub.webhook(&shop(), large).await.status, 413);
    let mut broken = request(&[]);
    broken.body = Bytes::from_static(b"[{");
    assert_eq!(hub.webhook(&shop(), broken).await.status, 400);
    assert_eq!(hub.webhook(&ChannelKey::new("acme", "nobody"), request(&[])).await.status, 404);
    assert!(world.entries().await.is_empty());
}

#[tokio::test]
async fn a_webhook_that_is_hung_up_on_is_finished_without_it() {
    let world = World::on(Failing::default());
    let hub = world.hub_with(AutoReply, |_| ());
    idle().await;
    {
        let shop = shop();
        let webhook = hub.webhook(&shop, request(&[says("1", "a", "Кто тут?")]));
        let mut webhook = std::pin::pin!(webhook);
        // Begun, and dropped at its first wait.
        let begun = futures_util::future::poll_immediate(webhook.as_mut()).await;
        assert!(begun.is_none());
    }
    idle().await;
    assert_eq!(world.provided.texts().len(), 1);
}

#[tokio::test]
async fn message_conversation_outbox_timer_and_host_events_change_together() {
    let world = World::new();
    let hub = world.hub_with(closes_after(3600), |_| ());
    deliver(&hub, &[says("1", "a", "Добрый день 😀")]).await;
    let conversation = world.conversation().await;
    assert_eq!((conversation.unread, conversation.preview.as_str()), (1, "Добрый день 😀"));
    assert_eq!(conversation.title, "Клиент 1");
    assert!(conversation.contact.is_some());
    assert!(world.store.next_timer(&[shop()]).await.unwrap().is_some());
    let what: Vec<_> = world
        .entries()
        .await
        .iter()
        .map(|e| serde_json::to_value(&e.event).unwrap()["what"].clone())
        .collect();
    assert_eq!(what, ["opened", "received"]);
}

#[tokio::test]
async fn an_echo_of_the_providers_app_is_a_person_and_counts_as_an_answer() {
    let world = World::new();
    let hub = world.hub();
    deliver(&hub, &[says("1", "a", "Сколько стоит?")]).await;
    assert!(world.conversation().await.waits());
    deliver(&hub, &[echo("1", "e", "1000 ₽")]).await;
    let thread = world.thread().await;
    assert_eq!(thread[1].author, Actor::Elsewhere);
    assert_eq!((thread[1].direction, thread[1].status), (Direction::Out, Some(Status::Sent)));
    let conversation = world.conversation().await;
    assert!(!conversation.waits());
    assert_eq!((conversation.counts.by_people, conversation.unread), (1, 0));
    assert!(world.provided.texts().is_empty(), "an echo is never sent again");
}

#[tokio::test]
async fn an_echo_of_our_own_send_is_our_send() {
    let world = World::new();
    let hub = world.hub();
    deliver(&hub, &[says("1", "a", "Сколько?")]).await;
    world.provided.script([Turn::LoseAnswer]);
    hub.reply(world.conversation().await.id, anna("1000 ₽")).await.unwrap();
    idle().await;
    assert_eq!(world.outgoing().await, [("1000 ₽".to_owned(), Status::Unknown)]);
    deliver(&hub, &[echo("1", "out-77", "1000 ₽")]).await;
    assert_eq!(world.outgoing().await, [("1000 ₽".to_owned(), Status::Sent)]);
    assert_eq!(world.thread().await[1].provider_ids, [ProviderMessageId::from("out-77")]);
}

#[tokio::test]
async fn what_is_not_understood_is_kept_for_the_host() {
    let world = World::new();
    let hub = world.hub();
    let raw = serde_json::value::RawValue::from_string(r#"{"new_thing":"🧪"}"#.to_owned()).unwrap();
    let strange = event_of("1", "u", EventBody::Unsupported { what: "new_thing".to_owned() }).with_raw(&raw);
    deliver(&hub, &[strange]).await;
    let entries = world.entries().await;
    let [Entry { event: HostEvent::Received { event, .. }, .. }] = entries.as_slice() else {
        panic!("{entries:?}")
    };
    assert_eq!(event.raw.as_ref().unwrap().get(), r#"{"new_thing":"🧪"}"#);
}

#[tokio::test]
async fn an_event_of_an_account_that_is_not_connected_is_kept_aside() {
    let world = World::new();
    let hub = world.builder().build();
    let fake = || Arc::new(Fake::new(&world.provided, |_| ()));
    let second = ChannelKey::new("acme", "second");
    hub.add_channel(ChannelSetup::new(shop(), fake()).account("first".into()));
    hub.add_channel(ChannelSetup::new(second.clone(), fake()).account("second".into()));
    let of = |account: &str, id: &str| {
        let mut event = says("1", id, "чей я?");
        event.account = Some(account.into());
        event
    };
    deliver(&hub, &[of("second", "a"), of("third", "b")]).await;
    assert_eq!(world.conversation().await.channel, second.channel);
    assert!(world.entries().await.iter().any(|e| matches!(e.event, HostEvent::Parked { .. })));
}
