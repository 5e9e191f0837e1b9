//! Books that change while something runs: calendars, rules, channels off and on again.

use omni_core::policy::Verdict;
use omni_hub::{ChannelSetup, HostEvent};

use crate::world::*;

fn promise(hours: &str, within: &str) -> String {
    format!(
        r#"
        zone = "Europe/Moscow"
        hours.desk = {{ every_day = ["{hours}"] }}
        channels.shop.clocks = {{ first_response = {{ within = "{within}", hours = "desk" }} }}
        "#
    )
}

#[tokio::test]
async fn a_calendar_that_changes_while_a_clock_runs_is_reckoned_with() {
    let world = World::at("2026-01-12T14:30:00Z");
    let hub = world.hub(&promise("09:00-18:00", "1h")).await;
    deliver(&hub, &[says("1", "a", "Половина шестого")]).await;
    world.pass(mins(10)).await;
    // The shop stays open longer: due at half past six and not in the morning.
    set_book(&hub, &promise("09:00-22:00", "1h"));
    deliver(&hub, &[says("1", "b", "Ау")]).await;
    world.until("2026-01-12T15:29:59Z").await;
    assert_eq!(world.clocks().await, ["first_response started"]);
    world.pass(secs(1)).await;
    assert_eq!(world.clocks().await.last().unwrap(), "first_response breached");
}

#[tokio::test]
async fn a_calendar_that_closes_earlier_puts_the_breach_off() {
    let world = World::at("2026-01-12T14:00:00Z");
    let hub = world.hub(&promise("09:00-18:00", "1h")).await;
    deliver(&hub, &[says("1", "a", "Пять вечера")]).await;
    set_book(&hub, &promise("09:00-17:30", "1h"));
    world.until("2026-01-13T06:29:59Z").await;
    assert_eq!(world.clocks().await, ["first_response started"], "{}", world.traces().await);
    world.pass(secs(1)).await;
    assert_eq!(world.clocks().await.last().unwrap(), "first_response breached");
}

#[tokio::test]
async fn a_promise_that_is_taken_out_is_broken_no_more() {
    let world = World::new();
    let hub = world.hub(&promise("09:00-18:00", "1h")).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    set_book(&hub, "");
    world.pass(days(1)).await;
    assert_eq!(world.clocks().await, ["first_response started"]);
    assert!(world.only().await.flow.clocks.is_empty());
}

#[tokio::test]
async fn auto_close_goes_by_the_newest_book() {
    let world = World::new();
    let hub = world.hub("channels.shop.auto_close = { after = '1h' }").await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    set_book(&hub, "channels.shop.auto_close = { after = '3h' }");
    world.pass(hours(3) - secs(1)).await;
    assert!(world.only().await.is_open());
    world.pass(secs(1)).await;
    assert!(!world.only().await.is_open());

    deliver(&hub, &[says("2", "b", "Добрый день")]).await;
    set_book(&hub, "");
    world.pass(days(9)).await;
    assert!(world.with("2").await.is_open(), "nothing closes it any more");
}

fn delayed(text: &str) -> String {
    format!(
        r#"
        channels.shop.scenario = "main"
        scenarios.main.rules = [{{ name = "later", on = "message", limit = {{ per_conversation = 1 }},
            do = [{{ wait = "5m" }}, {{ reply = "{text}" }}, {{ wait = "5m" }}, {{ reply = "{text}, опять" }}] }}]
        "#
    )
}

#[tokio::test]
async fn a_rule_edited_while_it_waits_goes_on_as_it_began() {
    let world = World::new();
    let hub = world.hub(&format!("version = 7\n{}", delayed("Старый текст"))).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    world.pass(mins(1)).await;
    set_book(&hub, &format!("version = 8\n{}", delayed("Новый текст")));
    deliver(&hub, &[says("2", "b", "Добрый день")]).await;
    world.pass(mins(20)).await;
    assert_eq!(world.texts_to("1"), ["Старый текст", "Старый текст, опять"]);
    assert_eq!(world.texts_to("2"), ["Новый текст", "Новый текст, опять"]);
    assert!(world.why(Verdict::Applied, "as of version 7").await);
}

#[tokio::test]
async fn a_rule_taken_out_while_it_waits_is_dropped_with_a_trace() {
    let world = World::new();
    let hub = world.hub(&delayed("Старый текст")).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    set_book(&hub, "");
    world.pass(mins(20)).await;
    assert!(world.texts().is_empty());
    assert!(world.dropped("taken out of the policy while it waited").await);
    assert!(world.only().await.flow.runs.is_empty());
}

#[tokio::test]
async fn a_bad_book_changes_nothing() {
    let world = World::new();
    let hub = world.hub(&delayed("Текст")).await;
    let mut bad = book("");
    bad.channels.insert(
        "shop".into(),
        omni_core::policy::ChannelPolicy { hours: Some("nowhere".to_owned()), ..Default::default() },
    );
    assert!(hub.set_book("acme", bad).is_err());
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    world.pass(mins(5)).await;
    assert_eq!(world.texts(), ["Текст"]);
}

fn busy(enabled: bool) -> String {
    format!(
        r#"
        agents.anna = {{}}
        teams.sales = {{ members = ["anna"], distribution = "round_robin", answer_within = "5m" }}
        [channels.shop]
        enabled = {enabled}
        scenario = "main"
        receiver = {{ team = "sales" }}
        auto_replies = [{{ text = "Скоро ответим", delay = "10m" }}]
        auto_close = {{ after = "1d", text = "Закрываем" }}
        clocks = {{ first_response = {{ within = "1h" }} }}
        [scenarios.main]
        rules = [
            {{ name = "greet", on = "opened", do = [{{ reply = "Здравствуйте" }}, {{ timer = {{ name = "t", after = "20m" }} }}] }},
            {{ name = "timer", on = {{ timer = "t" }}, do = [{{ reply = "Таймер" }}] }},
            {{ name = "silent", on = {{ silent = {{ of = "agent", for = "15m" }} }}, do = [{{ reply = "Тишина" }}] }},
        ]
        "#
    )
}

#[tokio::test]
async fn a_channel_switched_off_does_nothing_and_on_again_makes_up_for_nothing() {
    // Off for a quarter of an hour and for a week: short enough to be young, and long enough to be old.
    for off_for in [mins(25), days(7)] {
        let world = World::new();
        let hub = world.hub(&busy(true)).await;
        for n in 0..5 {
            deliver(&hub, &[says(&n.to_string(), &format!("m{n}"), "Добрый день")]).await;
        }
        assert_eq!(world.texts().len(), 5);
        set_book(&hub, &busy(false));
        deliver(&hub, &[says("9", "x", "А я пришёл, когда выключено")]).await;
        world.pass(off_for).await;
        assert_eq!(world.texts().len(), 5, "nothing is done");
        assert!(world.assigned().await.iter().all(|a| a == "team sales"));
        set_book(&hub, &busy(true));
        world.pass(hours(3)).await;
        assert_eq!(world.texts().len(), 5, "nothing is made up for: {:?}", world.texts());
        deliver(&hub, &[says("9", "y", "Теперь работает?")]).await;
        world.pass(mins(10)).await;
        assert_eq!(world.texts_to("9").last().unwrap(), "Скоро ответим", "it works again");
    }
}

#[tokio::test]
async fn what_was_open_when_it_was_switched_off_closes_when_it_is_on_again() {
    let world = World::new();
    let hub = world.hub(&busy(true)).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    set_book(&hub, &busy(false));
    deliver(&hub, &[says("2", "b", "Добрый день")]).await;
    world.pass(days(3)).await;
    assert!(world.closings().await.is_empty());
    set_book(&hub, &busy(true));
    world.pass(hours(2)).await;
    assert_eq!(world.closings().await.len(), 2);
    assert_eq!(world.texts(), ["Здравствуйте"]);
}

#[tokio::test]
async fn what_people_do_while_it_is_switched_off_is_kept_in_order() {
    let world = World::new();
    let hub = world.hub(&busy(true)).await;
    deliver(&hub, &[says("1", "a", "Добрый день"), says("2", "b", "И вам")]).await;
    set_book(&hub, &busy(false));
    let (first, second) = (world.with("1").await, world.with("2").await);
    hub.take(first.id, "clara").await.unwrap();
    hub.close(second.id, agent("clara")).await.unwrap();
    online(&hub, &["anna"]).await;
    let first = world.with("1").await;
    assert_eq!(named(&first.owner), "clara");
    assert!(first.flow.queue.is_none(), "who has it waits for nobody");
    let flow = world.with("2").await.flow;
    assert!(
        flow.queue.is_none() && flow.runs.is_empty() && flow.timers.is_empty() && flow.clocks.is_empty(),
        "{flow:?}"
    );
}

#[tokio::test]
async fn a_channel_switched_off_hands_nothing_out() {
    let world = World::new();
    let hub = world.hub(&busy(true)).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    set_book(&hub, &busy(false));
    online(&hub, &["anna"]).await;
    assert_eq!(world.owner().await, "team sales");
    set_book(&hub, &busy(true));
    idle().await;
    assert_eq!(world.owner().await, "anna");
}

#[tokio::test]
async fn a_channel_removed_and_connected_again_sends_no_burst() {
    let world = World::new();
    let hub = world.hub(&busy(true)).await;
    for n in 0..5 {
        deliver(&hub, &[says(&n.to_string(), &format!("m{n}"), "Добрый день")]).await;
    }
    hub.remove_channel(&shop());
    world.jump(world.now() + days(7)).await;
    hub.add_channel(ChannelSetup::new(shop(), world.fake(|_| ())));
    world.pass(hours(1)).await;
    assert_eq!(world.texts().len(), 5, "{:?}", world.texts());
    assert_eq!(world.closings().await.len(), 5, "they are closed without a word");
    assert!(world.dropped("it was due long ago, while nothing ran").await);
}

#[tokio::test]
async fn one_account_under_two_names_goes_to_the_newest_and_the_older_says_so() {
    let world = World::new();
    let hub = world.hub("").await;
    let account = || omni_core::id::AccountId::from("fake-1");
    hub.add_channel(ChannelSetup::new(shop(), world.fake(|_| ())).account(account()));
    hub.add_channel(ChannelSetup::new(site(), world.fake(|_| ())).account(account()));
    idle().await;
    let health = hub.health();
    let older = serde_json::to_string(&health[0].health).unwrap();
    assert!(older.contains("acme/site") && older.contains("needs_person"), "{older}");
    assert_ne!(hand_in(&hub, &shop(), &[says("1", "a", "Раз")]).await.status, 200);
    assert_eq!(hand_in(&hub, &site(), &[says("1", "a", "Раз")]).await.status, 200);
    assert_eq!(world.only().await.channel.as_str(), "site");
    // Connected again, the first one is the newest.
    hub.add_channel(ChannelSetup::new(shop(), world.fake(|_| ())).account(account()));
    assert_eq!(hand_in(&hub, &shop(), &[says("1", "b", "Два")]).await.status, 200);
    assert_ne!(hand_in(&hub, &site(), &[says("1", "c", "Три")]).await.status, 200);
}

#[tokio::test]
async fn a_policy_of_the_channels_own_is_stronger_than_the_book() {
    let world = World::new();
    let hub = world.hub("channels.shop.auto_replies = ['Из книги']").await;
    let own = omni_core::policy::Engine::default();
    hub.set_policy(&shop(), own).unwrap();
    deliver(&hub, &[says("1", "a", "Раз")]).await;
    set_book(&hub, "channels.shop.auto_replies = ['Из новой книги']");
    deliver(&hub, &[says("2", "b", "Два")]).await;
    assert!(world.texts().is_empty());
    let dropped = world.told(|e| matches!(e, HostEvent::Dropped { .. }).then_some(())).await;
    assert!(dropped.is_empty());
}

#[tokio::test]
async fn a_silence_that_was_over_while_it_was_switched_off_is_not_made_up_for() {
    let world = World::new();
    let book = |enabled: bool| {
        format!(
            r#"
            [channels.shop]
            enabled = {enabled}
            scenario = "main"
            [scenarios.main]
            rules = [{{ name = "silent", on = {{ silent = {{ of = "agent", for = "15m" }} }}, do = [{{ tag = "тишина" }}] }}]
            "#
        )
    };
    let hub = world.hub(&book(true)).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    set_book(&hub, &book(false));
    world.pass(hours(2)).await;
    set_book(&hub, &book(true));
    deliver(&hub, &[says("1", "b", "Ау")]).await;
    world.pass(days(1)).await;
    assert!(world.only().await.tags.is_empty(), "{}", world.traces().await);
    answers(&hub, &world.only().await, "anna", "Простите!").await;
    deliver(&hub, &[says("1", "c", "Так что?")]).await;
    world.pass(mins(15)).await;
    assert_eq!(world.only().await.tags, ["тишина"], "and the next one is a new one");
}
