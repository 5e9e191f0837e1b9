//! What comes after a closing: thanks, a new conversation, the old one again with its agent there or not.

use omni_core::content::Part;
use omni_core::event::EventBody;
use omni_core::media::{Media, MediaKind, MediaRef};
use omni_core::policy::Presence;
use omni_hub::HubError;
use omni_hub::store::Refused;

use crate::world::*;

fn shop_with(settings: &str) -> String {
    format!(
        r#"
        zone = "Europe/Moscow"
        hours.desk = {{ weekdays = ["09:00-18:00"] }}

        [agents.anna]
        capacity = 1
        [agents.boris]
        capacity = 5

        [teams.sales]
        members = ["anna", "boris"]
        distribution = "round_robin"

        [channels.shop]
        receiver = {{ team = "sales" }}
        {settings}
        "#
    )
}

/// A conversation that anna had and closed.
async fn closed_by_anna(settings: &str) -> (World, omni_hub::Hub) {
    let world = World::new();
    let hub = world.hub(&shop_with(settings)).await;
    online(&hub, &["anna"]).await;
    deliver(&hub, &[says("1", "a", "Где заказ?")]).await;
    assert_eq!(world.owner().await, "anna", "{}", world.traces().await);
    answers(&hub, &world.only().await, "anna", "В пути 🚚").await;
    hub.close(world.only().await.id, agent("anna")).await.unwrap();
    idle().await;
    (world, hub)
}

#[tokio::test]
async fn thanks_within_the_grace_time_changes_nothing() {
    let (world, hub) = closed_by_anna("grace = { within = '1h' }\nreturning = 'reopen'").await;
    for (n, thanks) in ["Спасибо!", "спасибо большое 🙏🙏", "ОК", "👍", "До свидания..."].iter().enumerate()
    {
        deliver(&hub, &[says("1", &format!("t{n}"), thanks)]).await;
    }
    let conversation = world.only().await;
    assert!(!conversation.is_open());
    assert_eq!(world.thread(&conversation).await.len(), 7, "the words are kept");
    assert_eq!(conversation.counts.inbound, 1, "and count as nothing");
    assert_eq!(world.texts(), ["В пути 🚚"]);
}

#[tokio::test]
async fn more_than_thanks_or_thanks_too_late_opens_again() {
    let (world, hub) = closed_by_anna("grace = { within = '1h' }\nreturning = 'reopen'").await;
    deliver(&hub, &[says("1", "b", "Спасибо, а когда привезут?")]).await;
    assert!(world.only().await.is_open());
    hub.close(world.only().await.id, agent("anna")).await.unwrap();
    world.pass(hours(1)).await;
    deliver(&hub, &[says("1", "c", "Спасибо!")]).await;
    assert!(world.only().await.is_open(), "the grace time is half open");
}

#[tokio::test]
async fn own_words_of_thanks_may_be_named() {
    let settings = "grace = { within = '1h', words = ['мерси'] }";
    let (world, hub) = closed_by_anna(settings).await;
    deliver(&hub, &[says("1", "b", "Мерси!")]).await;
    assert!(!world.only().await.is_open());
    deliver(&hub, &[says("1", "c", "Спасибо!")]).await;
    assert_eq!(world.all().await.len(), 2);
}

#[tokio::test]
async fn returning_within_a_time_reopens_and_later_begins_anew() {
    let settings = "returning = { reopen_within = '1d' }";
    let (world, hub) = closed_by_anna(settings).await;
    world.pass(days(1) - secs(1)).await;
    deliver(&hub, &[says("1", "b", "Не привезли")]).await;
    assert_eq!(world.all().await.len(), 1);
    hub.close(world.only().await.id, agent("anna")).await.unwrap();
    world.pass(days(1)).await;
    deliver(&hub, &[says("1", "c", "Опять не привезли")]).await;
    assert_eq!(world.all().await.len(), 2);
    assert!(world.with("1").await.flow.returning);
}

#[tokio::test]
async fn a_reopened_conversation_goes_on_with_its_agent() {
    let (world, hub) = closed_by_anna("returning = 'reopen'").await;
    online(&hub, &["boris"]).await;
    deliver(&hub, &[says("1", "b", "Не привезли")]).await;
    assert_eq!(world.owner().await, "anna");
    assert_eq!(world.assigned().await, ["team sales", "anna"], "nobody is asked anew");
}

#[tokio::test]
async fn an_agent_who_is_offline_loses_a_reopened_conversation_unless_it_is_kept() {
    for (settings, owner) in
        [("returning = 'reopen'", "boris"), ("returning = 'reopen'\nabsent = { offline = 'keep' }", "anna")]
    {
        let (world, hub) = closed_by_anna(settings).await;
        online(&hub, &["boris"]).await;
        present(&hub, "anna", Presence::Offline).await;
        deliver(&hub, &[says("1", "b", "Не привезли")]).await;
        assert_eq!(world.owner().await, owner, "{settings}\n{}", world.traces().await);
        assert!(world.only().await.flow.queue.is_none());
    }
}

#[tokio::test]
async fn an_agent_who_is_full_keeps_a_reopened_conversation_unless_it_is_routed_anew() {
    for (settings, owner) in
        [("returning = 'reopen'", "anna"), ("returning = 'reopen'\nabsent = { full = 'reroute' }", "boris")]
    {
        let (world, hub) = closed_by_anna(settings).await;
        deliver(&hub, &[says("2", "x", "Мне бы тоже")]).await;
        assert_eq!(named(&world.with("2").await.owner), "anna");
        online(&hub, &["boris"]).await;
        deliver(&hub, &[says("1", "b", "Не привезли")]).await;
        assert_eq!(named(&world.with("1").await.owner), owner, "{settings}");
    }
}

#[tokio::test]
async fn a_conversation_whose_agent_is_deleted_is_routed_anew_always() {
    let settings = "returning = 'reopen'\nabsent = { offline = 'keep' }";
    let (world, hub) = closed_by_anna(settings).await;
    online(&hub, &["boris"]).await;
    let without =
        shop_with(settings).replace("[agents.anna]\n        capacity = 1", "").replace("\"anna\", ", "");
    set_book(&hub, &without);
    deliver(&hub, &[says("1", "b", "Не привезли")]).await;
    assert_eq!(world.owner().await, "boris");
    assert!(world.why(omni_core::policy::Verdict::Applied, "is not among the agents any more").await);
}

#[tokio::test]
async fn an_open_conversation_whose_agent_is_deleted_is_routed_with_the_next_message() {
    let world = World::new();
    let hub = world.hub(&shop_with("")).await;
    online(&hub, &["anna"]).await;
    deliver(&hub, &[says("1", "a", "Где заказ?")]).await;
    online(&hub, &["boris"]).await;
    set_book(
        &hub,
        &shop_with("").replace("[agents.anna]\n        capacity = 1", "").replace("\"anna\", ", ""),
    );
    deliver(&hub, &[says("1", "b", "Алло?")]).await;
    assert_eq!(world.owner().await, "boris");
}

#[tokio::test]
async fn a_conversation_reopened_after_hours_waits_and_is_answered_so() {
    let settings = "returning = 'reopen'\nhours = 'desk'\nafter_hours = { replies = ['Ответим утром 🌙'] }";
    let (world, hub) = closed_by_anna(settings).await;
    present(&hub, "anna", Presence::Offline).await;
    world.until("2026-01-12T19:00:00Z").await;
    deliver(&hub, &[says("1", "b", "Не привезли")]).await;
    let conversation = world.only().await;
    assert_eq!((conversation.is_open(), named(&conversation.owner).as_str()), (true, "team sales"));
    world.until("2026-01-13T06:00:00Z").await;
    online(&hub, &["boris"]).await;
    assert_eq!(world.owner().await, "boris");
    deliver(&hub, &[says("1", "c", "Ну что?")]).await;
    assert_eq!(
        world.texts().iter().filter(|t| t.contains("утром")).count(),
        0,
        "a person answered in it before"
    );
}

#[tokio::test]
async fn a_person_of_the_business_reopens_and_the_agent_goes_on() {
    let (world, hub) = closed_by_anna("auto_close = { after = '1h' }").await;
    hub.reopen(world.only().await.id, agent("anna")).await.unwrap();
    idle().await;
    let conversation = world.only().await;
    assert_eq!((conversation.is_open(), named(&conversation.owner).as_str()), (true, "anna"));
    world.pass(hours(1)).await;
    assert_eq!(world.closings().await.len(), 2, "and silence closes it again");
}

#[tokio::test]
async fn an_older_conversation_is_not_reopened_beside_a_newer_one() {
    let (world, hub) = closed_by_anna("").await;
    let older = world.only().await.id;
    deliver(&hub, &[says("1", "b", "Ещё вопрос")]).await;
    let newer = world.with("1").await.id;
    assert_ne!(older, newer);
    let refused = hub.reopen(older, agent("anna")).await;
    assert!(matches!(refused, Err(HubError::Refused(Refused::Newer))), "{refused:?}");
    hub.close(newer, agent("anna")).await.unwrap();
    hub.reopen(older, agent("anna")).await.unwrap();
    deliver(&hub, &[says("1", "c", "И ещё")]).await;
    let all = world.all().await;
    assert_eq!(all.iter().map(|c| c.is_open()).collect::<Vec<_>>(), [true, false], "the message goes there");
    assert_eq!(all[0].counts.inbound, 2);
}

#[tokio::test]
async fn rules_hear_of_a_reopening() {
    let world = World::new();
    let hub = world
        .hub(
            r#"
            [channels.shop]
            scenario = "main"
            returning = "reopen"
            [scenarios.main]
            rules = [
                { name = "hello", on = "opened", do = [{ reply = "Здравствуйте!" }] },
                { name = "again", on = "reopened", do = [{ reply = "Снова здравствуйте!" }, { tag = "вернулся" }] },
            ]
            "#,
        )
        .await;
    deliver(&hub, &[says("1", "a", "Привет")]).await;
    hub.close(world.only().await.id, agent("anna")).await.unwrap();
    world.pass(hours(1)).await;
    deliver(&hub, &[says("1", "b", "Это опять я")]).await;
    assert_eq!(world.texts(), ["Здравствуйте!", "Снова здравствуйте!"]);
    assert_eq!(world.only().await.tags, ["вернулся"]);
}

#[tokio::test]
async fn an_agent_who_is_full_on_this_channel_is_full_for_a_reopened_conversation() {
    let settings = "returning = 'reopen'\nabsent = { full = 'reroute' }";
    let world = World::new();
    let hub = world
        .hub(&shop_with(settings).replace("capacity = 1", "capacity = 9\ncapacity_of = { shop = 1 }"))
        .await;
    online(&hub, &["anna"]).await;
    deliver(&hub, &[says("1", "a", "Где заказ?")]).await;
    answers(&hub, &world.only().await, "anna", "В пути 🚚").await;
    hub.close(world.only().await.id, agent("anna")).await.unwrap();
    deliver(&hub, &[says("2", "x", "Мне бы тоже")]).await;
    assert_eq!(named(&world.with("2").await.owner), "anna");
    online(&hub, &["boris"]).await;
    deliver(&hub, &[says("1", "b", "Не привезли")]).await;
    assert_eq!(named(&world.with("1").await.owner), "boris", "{}", world.traces().await);
}

#[tokio::test]
async fn a_conversation_that_a_person_reopens_is_routed_anew_when_its_agent_is_deleted() {
    let (world, hub) = closed_by_anna("absent = { offline = 'keep' }").await;
    online(&hub, &["boris"]).await;
    let without = shop_with("absent = { offline = 'keep' }")
        .replace("[agents.anna]\n        capacity = 1", "")
        .replace("\"anna\", ", "");
    set_book(&hub, &without);
    hub.reopen(world.only().await.id, agent("boris")).await.unwrap();
    idle().await;
    assert_eq!(world.owner().await, "boris", "{}", world.traces().await);
}

#[tokio::test]
async fn a_reopened_conversation_of_a_pinned_channel_stays_with_its_agent() {
    let world = World::new();
    let hub = world.hub("agents.anna = {}\n[channels.shop]\npinned = 'anna'\nreturning = 'reopen'").await;
    online(&hub, &["anna"]).await;
    deliver(&hub, &[says("1", "a", "Где заказ?")]).await;
    hub.close(world.only().await.id, agent("anna")).await.unwrap();
    present(&hub, "anna", Presence::Offline).await;
    deliver(&hub, &[says("1", "b", "Не привезли")]).await;
    let conversation = world.only().await;
    assert_eq!((conversation.is_open(), named(&conversation.owner).as_str()), (true, "anna"));
    assert_eq!(conversation.visible, omni_core::conversation::Visibility::Agent { agent: "anna".into() });
}

#[tokio::test]
async fn a_picture_with_thanks_is_more_than_thanks() {
    let (world, hub) = closed_by_anna("grace = { within = '1h' }\nreturning = 'reopen'").await;
    let mut event = says("1", "b", "Спасибо!");
    let EventBody::Message(message) = &mut event.body else { unreachable!() };
    let file = MediaRef::new("photo-of-a-broken-cup");
    message.content.parts.push(Part::Media(Media::new(MediaKind::Image, file)));
    deliver(&hub, &[event]).await;
    assert!(world.only().await.is_open());
}

#[tokio::test]
async fn whoever_begins_anew_writes_in_the_window_of_what_the_person_wrote_before() {
    for (later, sent) in [(mins(30) - secs(1), true), (mins(30), false)] {
        let world = World::new();
        let hub = world.hub_with("", |c| c.reply_window = Some(mins(30))).await;
        deliver(&hub, &[says("1", "a", "Где заказ?")]).await;
        hub.close(world.only().await.id, agent("anna")).await.unwrap();
        world.pass(later).await;
        let draft = omni_hub::Draft::text("Ваш заказ у двери 🚪").by(agent("anna"));
        let begun = hub.start(&shop(), omni_core::Address::new("1"), draft).await;
        assert_eq!(begun.is_ok(), sent, "after {later:?}: {begun:?}");
    }
}
