//! Laws 4, 5, 6 and 10: what goes out.

use std::time::Duration;

use omni_core::capability::{Capabilities, Idempotency, Rate, RateChats};
use omni_core::error::{Error, ErrorKind, RateScope, Retry};
use omni_core::event::ChatKind;
use omni_core::policy::Engine;
use omni_core::{Address, Status};
use omni_hub::store::Refused;
use omni_hub::{Draft, Health, Hub, HubError, Settle};

use crate::fake::Turn;
use crate::world::*;

fn refusal(kind: ErrorKind) -> Turn {
    Turn::Refuse(Error::new(kind, "send"))
}

fn pause(wait: u64, scope: RateScope) -> Turn {
    let retry = Retry::After { wait: secs(wait), scope };
    Turn::Refuse(Error::new(ErrorKind::RateLimited, "send").with_retry(retry))
}

fn rate(scope: RateScope, burst: u32, every: u64) -> Rate {
    Rate { scope, chats: RateChats::All, burst, every: secs(every) }
}

fn idempotent(capabilities: &mut Capabilities) {
    capabilities.idempotency = Idempotency::Key { memory: Some(secs(3600)) };
}

async fn start(hub: &Hub, to: &str, text: &str) {
    hub.start(&shop(), Address::new(to), Draft::text(text)).await.unwrap();
}

fn to(address: &str, text: &str) -> (String, String) {
    (address.to_owned(), text.to_owned())
}

#[tokio::test]
async fn messages_to_one_address_keep_their_order_and_others_do_not_wait() {
    let world = World::new();
    let hub = world.hub();
    world.provided.script([refusal(ErrorKind::Unavailable)]);
    for text in ["первое", "второе", "третье"] {
        start(&hub, "1", text).await;
    }
    start(&hub, "2", "другому").await;
    idle().await;
    assert_eq!(world.provided.texts(), [to("2", "другому")]);
    world.pass_slowly(secs(5)).await;
    assert_eq!(world.provided.texts()[1..], [to("1", "первое"), to("1", "второе"), to("1", "третье")]);
}

#[tokio::test]
async fn an_address_has_one_send_at_a_time_and_a_channel_many() {
    let world = World::new();
    let hub = world.hub();
    world.provided.hold();
    for (address, text) in [("1", "а"), ("1", "б"), ("2", "в"), ("3", "г")] {
        start(&hub, address, text).await;
        idle().await;
    }
    assert_eq!(world.provided.begun(), 3);
    world.provided.let_go();
    idle().await;
    assert_eq!(world.provided.texts().len(), 4);
}

#[tokio::test]
async fn a_lost_answer_is_an_unknown_and_is_not_repeated() {
    let world = World::new();
    let hub = world.hub();
    world.provided.script([Turn::LoseAnswer]);
    start(&hub, "1", "Ждём вас").await;
    world.pass_slowly(secs(300)).await;
    assert_eq!(world.provided.begun(), 1);
    assert_eq!(world.outgoing().await, [("Ждём вас".to_owned(), Status::Unknown)]);
}

#[tokio::test]
async fn a_send_without_end_and_a_panic_of_the_connector_are_unknowns() {
    let world = World::new();
    let hub = world.hub();
    world.provided.script([Turn::Hang, Turn::Panic]);
    start(&hub, "1", "раз").await;
    start(&hub, "1", "два").await;
    start(&hub, "1", "три").await;
    world.pass_slowly(secs(125)).await;
    let statuses: Vec<Status> = world.outgoing().await.into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, [Status::Unknown, Status::Unknown, Status::Sent]);
}

#[tokio::test]
async fn a_lost_answer_is_repeated_where_the_provider_knows_repeats() {
    let world = World::new();
    let hub = world.hub_with(Engine::default(), idempotent);
    world.provided.script([Turn::LoseAnswer]);
    start(&hub, "1", "Ждём вас").await;
    world.pass_slowly(secs(5)).await;
    assert_eq!(world.provided.begun(), 2);
    assert_eq!(world.outgoing().await, [("Ждём вас".to_owned(), Status::Sent)]);
}

#[tokio::test]
async fn what_the_provider_may_have_forgotten_is_not_repeated_any_more() {
    let world = World::new();
    let hub = world.hub_with(Engine::default(), |capabilities| {
        capabilities.idempotency = Idempotency::Key { memory: Some(secs(2)) };
    });
    world.provided.script((0..5).map(|_| Turn::LoseAnswer));
    start(&hub, "1", "Ждём вас").await;
    world.pass_slowly(secs(60)).await;
    assert_eq!(world.provided.begun(), 2);
    assert_eq!(world.outgoing().await, [("Ждём вас".to_owned(), Status::Unknown)]);
}

#[tokio::test]
async fn a_person_settles_an_unknown_once() {
    for (how, becomes, sends) in [
        (Settle::Sent, Status::Sent, 1),
        (Settle::NotSent, Status::Failed, 1),
        (Settle::Resend, Status::Failed, 2),
    ] {
        let world = World::new();
        let hub = world.hub();
        world.provided.script([Turn::LoseAnswer]);
        start(&hub, "1", "Ждём").await;
        idle().await;
        let message = world.thread().await[0].id;
        hub.settle(message, how).await.unwrap();
        idle().await;
        assert_eq!(world.outgoing().await[0].1, becomes, "{how:?}");
        assert_eq!(world.provided.begun(), sends, "{how:?}");
        let again = hub.settle(message, how).await;
        assert!(matches!(again, Err(HubError::Refused(Refused::Settled))), "{again:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_a_failure_with_its_reason_and_lets_the_next_go() {
    let world = World::new();
    let hub = world.hub();
    world.provided.script([refusal(ErrorKind::ContentRejected)]);
    start(&hub, "1", "плохое").await;
    start(&hub, "1", "хорошее").await;
    idle().await;
    let thread = world.thread().await;
    assert_eq!(thread[0].status, Some(Status::Failed));
    assert_eq!(thread[0].error.as_ref().unwrap().kind, ErrorKind::ContentRejected);
    assert_eq!(thread[1].status, Some(Status::Sent));
}

#[tokio::test]
async fn what_is_never_taken_expires() {
    let world = World::new();
    let hub = world.hub();
    world.provided.script((0..2000).map(|_| refusal(ErrorKind::Unavailable)));
    start(&hub, "1", "когда-нибудь").await;
    for _ in 0..400 {
        world.pass(secs(300)).await;
    }
    assert_eq!(world.outgoing().await, [("когда-нибудь".to_owned(), Status::Expired)]);
}

#[tokio::test]
async fn a_status_only_rises_and_the_order_of_callbacks_does_not_matter() {
    let world = World::new();
    let hub = world.hub();
    start(&hub, "1", "Готово").await;
    idle().await;
    let news =
        [("s1", Status::Read), ("s2", Status::Delivered), ("s3", Status::Sent), ("s4", Status::Failed)];
    for (id, news) in news {
        deliver(&hub, &[status(id, "out-1", news)]).await;
        assert_eq!(world.outgoing().await[0].1, Status::Read, "{id}");
    }
}

#[tokio::test]
async fn a_status_of_the_provider_settles_an_unknown() {
    let world = World::new();
    let hub = world.hub();
    world.provided.script([Turn::LoseAnswer]);
    start(&hub, "1", "Готово").await;
    idle().await;
    let message = world.thread().await[0].id;
    let named = omni_core::event::MessageName::Ours(message);
    let news = omni_core::event::StatusNews { message: named, status: Status::Delivered, error: None };
    deliver(&hub, &[omni_core::Event::new("s", omni_core::EventBody::Status(news))]).await;
    assert_eq!(world.outgoing().await[0].1, Status::Delivered);
}

#[tokio::test]
async fn the_declared_rate_of_a_chat_is_kept_without_asking_the_provider() {
    let world = World::new();
    let hub = world.hub_with(Engine::default(), |c| c.rates = vec![rate(RateScope::Chat, 1, 10)]);
    for text in ["а", "б", "в"] {
        start(&hub, "1", text).await;
    }
    start(&hub, "2", "г").await;
    idle().await;
    assert_eq!(world.provided.begun(), 2);
    world.pass_slowly(secs(9)).await;
    assert_eq!(world.provided.begun(), 2);
    world.pass_slowly(secs(1)).await;
    assert_eq!(world.provided.begun(), 3);
    world.pass_slowly(secs(10)).await;
    assert_eq!(world.provided.begun(), 4);
}

#[tokio::test]
async fn people_go_before_programs_when_the_account_must_wait() {
    let world = World::new();
    let hub = world.hub_with(Engine::default(), |c| c.rates = vec![rate(RateScope::Account, 1, 10)]);
    for address in ["1", "2", "3"] {
        start(&hub, address, "рассылка").await;
    }
    idle().await;
    hub.start(&shop(), Address::new("4"), anna("Отвечаю сама")).await.unwrap();
    idle().await;
    assert_eq!(world.provided.texts(), [to("1", "рассылка")]);
    world.pass_slowly(secs(10)).await;
    assert_eq!(world.provided.texts()[1], to("4", "Отвечаю сама"));
}

#[tokio::test]
async fn a_retry_after_of_the_account_stops_all_and_of_a_chat_only_the_chat() {
    for (scope, others) in [(RateScope::Account, 0), (RateScope::Chat, 1)] {
        let world = World::new();
        let hub = world.hub();
        world.provided.script([pause(30, scope)]);
        start(&hub, "1", "раз").await;
        idle().await;
        start(&hub, "2", "два").await;
        idle().await;
        assert_eq!(world.provided.texts().len(), others, "{scope:?}");
        world.pass_slowly(secs(29)).await;
        assert_eq!(world.provided.texts().len(), others, "{scope:?}");
        world.pass_slowly(secs(1)).await;
        assert_eq!(world.provided.texts().len(), 2, "{scope:?}");
    }
}

#[tokio::test]
async fn a_revoked_credential_holds_messages_and_asks_for_a_person() {
    let world = World::new();
    let hub = world.hub();
    world.provided.script([refusal(ErrorKind::BadCredentials)]);
    start(&hub, "1", "раз").await;
    idle().await;
    start(&hub, "2", "два").await;
    idle().await;
    assert!(matches!(hub.health()[0].health, Health::NeedsPerson { .. }), "{:?}", hub.health());
    assert!(world.provided.texts().is_empty());
    world.pass_slowly(secs(90)).await;
    assert_eq!(world.provided.texts().len(), 2, "nothing was lost when the credential works again");
    assert_eq!(hub.health()[0].health, Health::Working);
}

#[tokio::test]
async fn more_than_fits_in_memory_waits_in_the_store_in_order() {
    let world = World::new();
    let hub = world.builder().in_memory(3).in_flight(2).build();
    let fake = crate::fake::Fake::new(&world.provided, |_| ());
    hub.add_channel(omni_hub::ChannelSetup::new(shop(), std::sync::Arc::new(fake)));
    run(&hub);
    idle().await;
    world.provided.hold();
    let texts: Vec<String> = (0..40).map(|n| n.to_string()).collect();
    for text in &texts {
        start(&hub, "1", text).await;
    }
    idle().await;
    world.provided.let_go();
    world.pass_slowly(secs(60)).await;
    let sent: Vec<String> = world.provided.texts().into_iter().map(|(_, text)| text).collect();
    assert_eq!(sent, texts);
}

#[tokio::test]
async fn what_plan_refuses_is_refused_with_the_same_reason_and_changes_nothing() {
    let world = World::new();
    let hub = world.hub_with(Engine::default(), |c| c.reply_window = Some(Duration::from_secs(60)));
    deliver(&hub, &[says("1", "a", "Здравствуйте")]).await;
    let conversation = world.conversation().await.id;
    world.pass(secs(61)).await;
    let draft = anna("поздно");
    let plan = hub.plan(conversation, &draft.content).await.unwrap();
    let refused = hub.reply(conversation, draft).await.unwrap_err();
    assert_eq!(refused.to_string(), plan.refusal.unwrap().to_string());
    assert_eq!(world.thread().await.len(), 1);
    assert_eq!(world.conversation().await.chat.kind, ChatKind::Private);
}
