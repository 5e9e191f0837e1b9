//! Promised times: begun, held, resumed, broken, met.

use omni_core::policy::{Action, Verb};

use crate::world::*;

const PROMISES: &str = r#"
    zone = "Europe/Moscow"
    hours.desk = { weekdays = ["09:00-18:00"] }
    [channels.shop]
    clocks = { first_response = { within = "1h", hours = "desk" }, next_response = { within = "30m" }, resolution = { within = "9h", hours = "desk" } }
"#;

async fn hold(hub: &omni_hub::Hub, world: &World, verb: Verb) {
    hub.act(world.only().await.id, Action { by: agent("anna"), verb }).await.unwrap();
    idle().await;
}

#[tokio::test]
async fn the_first_and_the_next_response_are_two_promises() {
    let world = World::new();
    let hub = world.hub(PROMISES).await;
    deliver(&hub, &[says("1", "a", "Раз")]).await;
    answers(&hub, &world.only().await, "anna", "Да?").await;
    deliver(&hub, &[says("1", "b", "Два")]).await;
    world.pass(mins(30)).await;
    answers(&hub, &world.only().await, "anna", "Простите").await;
    hub.close(world.only().await.id, agent("anna")).await.unwrap();
    let clocks = world.clocks().await;
    assert_eq!(
        clocks,
        [
            "resolution started",
            "first_response started",
            "first_response met",
            "next_response started",
            "next_response breached",
            "next_response met",
            "resolution met",
        ]
    );
    assert!(world.only().await.flow.clocks.is_empty());
}

#[tokio::test]
async fn a_clock_that_is_held_over_the_night_goes_on_with_what_was_left() {
    let world = World::at("2026-01-12T14:30:00Z");
    let hub = world.hub(PROMISES).await;
    // 17:30: half an hour of the hour is left for tomorrow.
    deliver(&hub, &[says("1", "a", "Вечером")]).await;
    world.pass(mins(10)).await;
    hold(&hub, &world, Verb::Hold).await;
    world.until("2026-01-13T09:00:00Z").await;
    assert_eq!(world.clocks().await.iter().filter(|c| c.ends_with("breached")).count(), 0);
    hold(&hub, &world, Verb::Resume).await;
    // Noon: ten minutes of the hour were used up.
    world.until("2026-01-13T09:49:59Z").await;
    assert!(!world.clocks().await.contains(&"first_response breached".to_owned()));
    world.pass(secs(1)).await;
    assert!(
        world.clocks().await.contains(&"first_response breached".to_owned()),
        "{:?}",
        world.clocks().await
    );
    assert!(world.clocks().await.contains(&"first_response paused".to_owned()));
    assert!(world.clocks().await.contains(&"first_response resumed".to_owned()));
}

#[tokio::test]
async fn time_outside_of_the_hours_does_not_count_before_a_hold() {
    let world = World::at("2026-01-12T16:00:00Z");
    let hub = world.hub(PROMISES).await;
    deliver(&hub, &[says("1", "a", "Ночью")]).await;
    world.until("2026-01-13T02:00:00Z").await;
    hold(&hub, &world, Verb::Hold).await;
    world.until("2026-01-13T04:00:00Z").await;
    hold(&hub, &world, Verb::Resume).await;
    world.until("2026-01-13T06:59:59Z").await;
    assert!(!world.clocks().await.contains(&"first_response breached".to_owned()));
    world.pass(secs(1)).await;
    assert!(world.clocks().await.contains(&"first_response breached".to_owned()));
}

#[tokio::test]
async fn holding_twice_and_resuming_twice_is_holding_and_resuming_once() {
    let world = World::new();
    let hub = world.hub(PROMISES).await;
    deliver(&hub, &[says("1", "a", "Раз")]).await;
    world.pass(mins(10)).await;
    hold(&hub, &world, Verb::Hold).await;
    world.pass(mins(30)).await;
    hold(&hub, &world, Verb::Hold).await;
    world.pass(mins(30)).await;
    hold(&hub, &world, Verb::Resume).await;
    hold(&hub, &world, Verb::Resume).await;
    let paused = world.clocks().await.iter().filter(|c| c.ends_with("paused")).count();
    let resumed = world.clocks().await.iter().filter(|c| c.ends_with("resumed")).count();
    assert_eq!((paused, resumed), (2, 2), "two clocks, once each");
    world.pass(mins(50) - secs(1)).await;
    assert!(!world.clocks().await.contains(&"first_response breached".to_owned()));
    world.pass(secs(1)).await;
    assert!(world.clocks().await.contains(&"first_response breached".to_owned()));
}

#[tokio::test]
async fn a_message_while_it_is_held_begins_a_clock_that_stands_still() {
    let world = World::new();
    let hub = world.hub(PROMISES).await;
    deliver(&hub, &[says("1", "a", "Раз")]).await;
    answers(&hub, &world.only().await, "anna", "Жду склад").await;
    hold(&hub, &world, Verb::Hold).await;
    deliver(&hub, &[says("1", "b", "Хорошо, жду")]).await;
    world.pass(hours(2)).await;
    assert!(world.only().await.flow.held.is_some());
    assert!(!world.clocks().await.contains(&"next_response breached".to_owned()));
    hold(&hub, &world, Verb::Resume).await;
    world.pass(mins(30)).await;
    assert!(world.clocks().await.contains(&"next_response breached".to_owned()));
}

#[tokio::test]
async fn the_resolution_is_broken_once_and_met_by_the_closing() {
    let world = World::new();
    let hub = world.hub(PROMISES).await;
    deliver(&hub, &[says("1", "a", "Раз")]).await;
    // Noon on Monday and nine hours of work: noon on Tuesday.
    world.until("2026-01-13T08:59:59Z").await;
    assert!(!world.clocks().await.contains(&"resolution breached".to_owned()));
    world.pass(days(3)).await;
    hub.close(world.only().await.id, agent("anna")).await.unwrap();
    let clocks = world.clocks().await;
    let of_it: Vec<_> = clocks.iter().filter(|c| c.starts_with("resolution")).collect();
    assert_eq!(of_it, ["resolution started", "resolution breached", "resolution met"]);
}

#[tokio::test]
async fn a_reopened_conversation_gets_a_new_promise() {
    let world = World::new();
    let hub = world.hub(&PROMISES.replace("[channels.shop]", "[channels.shop]\nreturning = 'reopen'")).await;
    deliver(&hub, &[says("1", "a", "Раз")]).await;
    answers(&hub, &world.only().await, "anna", "Да").await;
    hub.close(world.only().await.id, agent("anna")).await.unwrap();
    deliver(&hub, &[says("1", "b", "Не помогло")]).await;
    let clocks = world.clocks().await;
    assert_eq!(clocks[4..], ["resolution started", "next_response started"], "{clocks:?}");
}

#[tokio::test]
async fn a_snooze_stops_the_clocks_and_its_end_lets_them_go_on() {
    let world = World::new();
    let hub = world.hub(PROMISES).await;
    deliver(&hub, &[says("1", "a", "Раз")]).await;
    hub.snooze(world.only().await.id, world.now() + hours(2), agent("anna")).await.unwrap();
    world.pass(hours(3) - secs(1)).await;
    assert!(
        !world.clocks().await.contains(&"first_response breached".to_owned()),
        "{:?}",
        world.clocks().await
    );
    world.pass(secs(1)).await;
    assert!(world.clocks().await.contains(&"first_response breached".to_owned()));
}

#[tokio::test]
async fn the_end_of_a_snooze_does_not_end_a_hold() {
    let world = World::new();
    let hub = world.hub(PROMISES).await;
    deliver(&hub, &[says("1", "a", "Раз")]).await;
    hold(&hub, &world, Verb::Hold).await;
    hub.snooze(world.only().await.id, world.now() + hours(1), agent("anna")).await.unwrap();
    world.pass(hours(4)).await;
    let conversation = world.only().await;
    assert!(conversation.flow.snoozed.is_none() && conversation.flow.held.is_some());
    let clocks = world.clocks().await;
    assert!(!clocks.iter().any(|c| c.ends_with("resumed") || c.ends_with("breached")), "{clocks:?}");
    hold(&hub, &world, Verb::Resume).await;
    world.pass(hours(1)).await;
    assert!(world.clocks().await.contains(&"first_response breached".to_owned()));
}
