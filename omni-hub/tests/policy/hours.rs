//! Calendars: nights on which clocks are moved, shifts over midnight, holidays of another zone.

use crate::world::*;

/// A channel that says whether it is open, with a promise of so long.
fn says_if_open(calendar: &str, within: &str) -> String {
    format!(
        r#"
        [hours.desk]
        {calendar}

        [channels.shop]
        hours = "desk"
        auto_replies = ["Мы на связи ☀️"]
        after_hours = {{ replies = ["Мы спим 🌙"] }}
        clocks = {{ first_response = {{ within = "{within}", hours = "desk" }} }}
        "#
    )
}

/// Whether somebody who writes at these moments meets open doors.
async fn open_at(calendar: &str, moments: &[(&str, bool)]) {
    let world = World::at(moments[0].0);
    let hub = world.hub(&says_if_open(calendar, "10h")).await;
    for (n, (time, open)) in moments.iter().enumerate() {
        world.jump(moment(time)).await;
        let who = n.to_string();
        deliver(&hub, &[says(&who, &format!("m{n}"), "Вы открыты?")]).await;
        let expected = if *open { "Мы на связи ☀️" } else { "Мы спим 🌙" };
        assert_eq!(world.texts_to(&who), [expected], "{calendar} at {time}");
    }
}

/// When a promise given at one moment is broken.
async fn breached_at(calendar: &str, within: &str, from: &str, due: &str) {
    let world = World::at(from);
    let hub = world.hub(&says_if_open(calendar, within)).await;
    deliver(&hub, &[says("1", "a", "Где мой заказ? 📦")]).await;
    world.pass(moment(due).since(world.now()) - std::time::Duration::from_millis(1)).await;
    assert_eq!(world.clocks().await, ["first_response started"], "{calendar}: too early");
    world.until(due).await;
    assert_eq!(
        world.clocks().await,
        ["first_response started", "first_response breached"],
        "{calendar}: at {due}"
    );
}

const BERLIN: &str = "zone = 'Europe/Berlin'\n";

fn berlin(spans: &str) -> String {
    format!("{BERLIN}{spans}")
}

#[tokio::test]
async fn an_opening_that_the_clock_skips_is_when_the_clock_is_moved() {
    // 29 March 2026: at 02:00 it is 03:00.
    let moments = [("2026-03-29T00:59:59Z", false), ("2026-03-29T01:00:00Z", true)];
    open_at(&berlin("sun = ['02:30-05:00']"), &moments).await;
}

#[tokio::test]
async fn a_closing_that_the_clock_skips_is_when_the_clock_is_moved() {
    let moments = [("2026-03-29T00:59:59Z", true), ("2026-03-29T01:00:00Z", false)];
    open_at(&berlin("sun = ['00:00-02:30']"), &moments).await;
}

#[tokio::test]
async fn an_opening_that_comes_twice_is_the_first_and_a_closing_the_second() {
    // 25 October 2026: at 03:00 it is 02:00 again.
    let opening =
        [("2026-10-25T00:29:59Z", false), ("2026-10-25T00:30:00Z", true), ("2026-10-25T01:15:00Z", true)];
    open_at(&berlin("sun = ['02:30-05:00']"), &opening).await;
    let closing =
        [("2026-10-25T00:45:00Z", true), ("2026-10-25T01:29:59Z", true), ("2026-10-25T01:30:00Z", false)];
    open_at(&berlin("sun = ['00:00-02:30']"), &closing).await;
}

#[tokio::test]
async fn a_promise_is_due_in_true_time_on_nights_when_clocks_are_moved() {
    let split = berlin("sun = ['00:00-02:30', '12:00-18:00']");
    breached_at(&split, "1h", "2026-03-29T00:30:00Z", "2026-03-29T10:30:00Z").await;
    let fold = berlin("sun = ['02:30-04:00']");
    breached_at(&fold, "2h", "2026-10-25T00:00:00Z", "2026-10-25T02:30:00Z").await;
    let all_day = berlin("every_day = ['00:00-24:00']");
    breached_at(&all_day, "25h", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z").await;
}

#[tokio::test]
async fn a_night_shift_over_a_clock_change_keeps_what_the_wall_says() {
    let night = berlin("sat = ['22:00-06:00']");
    // 22:00 in winter time to 06:00 in summer time: seven hours.
    let moments = [
        ("2026-03-28T20:59:59Z", false),
        ("2026-03-28T21:00:00Z", true),
        ("2026-03-29T03:59:59Z", true),
        ("2026-03-29T04:00:00Z", false),
    ];
    open_at(&night, &moments).await;
    breached_at(&night, "7h", "2026-03-28T20:00:00Z", "2026-03-29T04:00:00Z").await;
    breached_at(&night, "9h", "2026-10-24T18:00:00Z", "2026-10-25T05:00:00Z").await;
}

#[tokio::test]
async fn a_split_shift_stops_the_clock_over_lunch() {
    let split = "zone = 'Europe/Moscow'\nweekdays = ['09:00-13:00', '14:00-18:00']";
    breached_at(split, "5h", "2026-01-12T06:00:00Z", "2026-01-12T12:00:00Z").await;
    breached_at(split, "4h", "2026-01-12T06:00:00Z", "2026-01-12T10:00:00Z").await;
    breached_at(split, "1h", "2026-01-16T14:30:00Z", "2026-01-19T06:30:00Z").await;
}

#[tokio::test]
async fn the_end_of_the_day_is_midnight_and_no_gap() {
    let zone = "zone = 'Europe/Moscow'\n";
    let evening = [("2026-01-17T20:59:59Z", true), ("2026-01-17T21:00:00Z", false)];
    open_at(&format!("{zone}sat = ['20:00-24:00']"), &evening).await;
    let days = [("2026-01-17T20:59:59Z", true), ("2026-01-17T21:00:00Z", true)];
    open_at(&format!("{zone}sat = ['00:00-24:00']\nsun = ['00:00-24:00']"), &days).await;
}

#[tokio::test]
async fn one_open_minute_a_week_is_enough_for_a_promise_to_run() {
    let minute = "zone = 'Europe/Moscow'\nmon = ['09:00-09:01']";
    breached_at(minute, "2m", "2026-01-12T05:00:00Z", "2026-01-19T06:01:00Z").await;
}

#[tokio::test]
async fn a_holiday_is_that_of_the_teams_zone() {
    // In Vladivostok it is 9 May; in Moscow, where the person sits, it is five in the afternoon of 8 May.
    let calendar = "zone = 'Asia/Vladivostok'\nevery_day = ['00:00-24:00']\nholidays = ['2026-05-09']";
    let moments = [
        ("2026-05-08T13:59:59Z", true),
        ("2026-05-08T14:00:00Z", false),
        ("2026-05-09T13:59:59Z", false),
        ("2026-05-09T14:00:00Z", true),
    ];
    open_at(calendar, &moments).await;
}

#[tokio::test]
async fn a_calendar_without_a_zone_goes_by_the_books() {
    let world = World::at("2026-01-12T05:59:59Z");
    let text = says_if_open("weekdays = ['09:00-18:00']", "1h");
    let hub = world.hub(&format!("zone = 'Europe/Moscow'\n{text}")).await;
    deliver(&hub, &[says("1", "a", "Рано?")]).await;
    world.pass(secs(1)).await;
    deliver(&hub, &[says("2", "b", "А теперь?")]).await;
    assert_eq!(world.texts(), ["Мы спим 🌙", "Мы на связи ☀️"]);
}
