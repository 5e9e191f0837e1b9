//! What falls due while no node lives, on two nodes, and by a clock that jumps.

use omni_core::policy::Verdict;
use omni_hub::{ChannelSetup, Hub};

use crate::world::*;

const BUSY: &str = r#"
    [channels.shop]
    auto_replies = [{ text = "Скоро ответим", delay = "5m" }]
    auto_close = { after = "1d", text = "Закрываем" }
    clocks = { first_response = { within = "1h" } }
"#;

fn node(world: &World) -> Hub {
    let hub = world.builder().node("desk").build();
    set_book(&hub, BUSY);
    hub.add_channel(ChannelSetup::new(shop(), world.fake(|_| ())));
    hub
}

#[tokio::test]
async fn what_was_due_while_no_node_lived_is_done_once_and_old_texts_are_not_said() {
    let world = World::new();
    let first = node(&world);
    let running = run(&first);
    deliver(&first, &[says("1", "a", "Добрый день")]).await;
    running.abort();
    idle().await;
    world.jump(world.now() + hours(2)).await;
    assert!(world.clocks().await.len() == 1 && world.texts().is_empty());
    run(&node(&world));
    idle().await;
    world.pass(secs(30)).await;
    assert_eq!(world.clocks().await, ["first_response started", "first_response breached"]);
    assert!(world.texts().is_empty(), "two hours late is too late");
    assert!(world.dropped("it was due long ago, while nothing ran").await);
    world.pass(days(2)).await;
    assert_eq!(world.closings().await.len(), 1);
    assert_eq!(world.texts(), ["Закрываем"], "and what is due in its time is said");
}

#[tokio::test]
async fn a_text_that_is_due_during_a_short_restart_is_said() {
    let world = World::new();
    let first = node(&world);
    let running = run(&first);
    deliver(&first, &[says("1", "a", "Добрый день")]).await;
    world.pass(mins(4)).await;
    running.abort();
    idle().await;
    world.jump(world.now() + mins(3)).await;
    run(&node(&world));
    idle().await;
    world.pass(secs(30)).await;
    assert_eq!(world.texts(), ["Скоро ответим"]);
}

#[tokio::test]
async fn two_nodes_do_everything_once() {
    let world = World::new();
    let first = world.hub(BUSY).await;
    let _second = world.hub(BUSY).await;
    deliver(&first, &[says("1", "a", "Добрый день")]).await;
    world.pass(days(2)).await;
    world.slowly(secs(30)).await;
    assert_eq!(world.texts(), ["Скоро ответим", "Закрываем"]);
    assert_eq!(world.clocks().await, ["first_response started", "first_response breached"]);
    assert_eq!(world.closings().await.len(), 1);
}

#[tokio::test]
async fn two_nodes_hand_one_conversation_out_once() {
    let world = World::new();
    let book = r#"
        agents.anna = {}
        agents.boris = {}
        teams.sales = { members = ["anna", "boris"], distribution = "round_robin" }
        channels.shop.receiver = { team = "sales" }
    "#;
    let first = world.hub(book).await;
    let second = world.hub(book).await;
    deliver(&first, &[says("1", "a", "Раз"), says("2", "b", "Два"), says("3", "c", "Три")]).await;
    let (one, other) = tokio::join!(
        first.set_presence("acme", "anna", omni_core::policy::Presence::Online),
        second.set_presence("acme", "boris", omni_core::policy::Presence::Online),
    );
    one.unwrap();
    other.unwrap();
    idle().await;
    world.slowly(secs(20)).await;
    let given: Vec<_> = world.assigned().await.into_iter().filter(|a| !a.starts_with("team")).collect();
    assert_eq!(given.len(), 3, "{given:?}");
}

#[tokio::test]
async fn a_clock_that_jumps_back_does_nothing_twice() {
    let world = World::new();
    let hub = world.hub(BUSY).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    world.pass(mins(5)).await;
    assert_eq!(world.texts().len(), 1);
    // Back to before it all began, and once more through the same times.
    world.jump(world.now() - hours(3)).await;
    world.pass(hours(4) + mins(5)).await;
    assert_eq!(world.texts(), ["Скоро ответим"]);
    assert_eq!(world.clocks().await, ["first_response started", "first_response breached"]);
    deliver(&hub, &[says("1", "b", "Ау?")]).await;
    world.pass(days(2)).await;
    assert_eq!(world.closings().await.len(), 1);
}

#[tokio::test]
async fn a_message_while_the_clock_is_wrong_is_answered_and_closed_all_the_same() {
    let world = World::new();
    let hub = world.hub(BUSY).await;
    deliver(&hub, &[says("1", "a", "Раз")]).await;
    world.jump(world.now() - days(30)).await;
    deliver(&hub, &[says("1", "b", "Два"), says("2", "c", "Три")]).await;
    world.pass(mins(5)).await;
    assert_eq!(world.texts_to("2"), ["Скоро ответим"]);
    world.pass(days(31)).await;
    world.pass(days(2)).await;
    assert_eq!(world.closings().await.len(), 2);
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_for_a_moment_loses_nothing() {
    let world = World::new();
    let hub = world.hub(BUSY).await;
    let now = world.now();
    world.jump(now + days(300)).await;
    world.jump(now).await;
    deliver(&hub, &[says("1", "a", "Раз")]).await;
    world.pass(mins(5)).await;
    assert_eq!(world.texts(), ["Скоро ответим"]);
}

#[tokio::test]
async fn a_reply_that_is_early_by_the_clock_of_another_node_still_stops_the_text() {
    let world = World::new();
    let hub = world.hub(BUSY).await;
    deliver(&hub, &[says("1", "a", "Раз")]).await;
    world.jump(world.now() - secs(2)).await;
    answers(&hub, &world.only().await, "anna", "Я тут").await;
    world.pass(mins(30)).await;
    assert_eq!(world.texts(), ["Я тут"]);
    assert!(world.why(Verdict::Dropped, "a person answered").await);
}

#[tokio::test]
async fn a_silence_that_was_over_while_no_node_lived_says_nothing_and_is_noted() {
    let book = r#"
        [channels.shop]
        scenario = "main"
        late_after = "30m"
        [scenarios.main]
        rules = [{ name = "slow", on = { silent = { of = "agent", for = "10m" } }, do = [{ tag = "ждёт" }, { reply = "Ещё минуту" }] }]
    "#;
    for (down, texts) in [(mins(39), 1), (mins(40), 0)] {
        let world = World::new();
        let start = || {
            let hub = world.builder().node("desk").build();
            set_book(&hub, book);
            hub.add_channel(ChannelSetup::new(shop(), world.fake(|_| ())));
            hub
        };
        let first = start();
        let running = run(&first);
        deliver(&first, &[says("1", "a", "Добрый день")]).await;
        running.abort();
        idle().await;
        world.jump(world.now() + down).await;
        run(&start());
        world.pass(secs(1)).await;
        assert_eq!(world.only().await.tags, ["ждёт"], "{down:?}");
        assert_eq!(world.texts().len(), texts, "{down:?}");
    }
}

#[tokio::test]
async fn what_was_due_while_nothing_ran_is_done_in_its_order() {
    let world = World::new();
    let book = r#"
        [channels.shop]
        scenario = "main"
        [scenarios.main]
        rules = [
            { name = "second", on = "opened", do = [{ wait = "10m" }, { tag = "второе" }] },
            { name = "first", on = "opened", do = [{ wait = "5m" }, { tag = "первое" }] },
        ]
    "#;
    let hub = world.hub(book).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    world.jump(world.now() + mins(20)).await;
    assert_eq!(world.only().await.tags, ["первое", "второе"]);
}
