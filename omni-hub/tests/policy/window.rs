//! Automatic texts when the time for free replies is over: a template, a task, or a trace; never nothing in silence.

use omni_core::Status;
use omni_core::capability::{Capabilities, Rate, RateChats};
use omni_core::content::Part;
use omni_core::error::RateScope;

use crate::world::*;

/// A text an hour after the message, and a window of half an hour.
fn follows_up(window_closed: &str) -> String {
    format!(
        r#"
        [channels.shop]
        scenario = "main"
        [[scenarios.main.rules]]
        name = "follow"
        on = "message"
        do = [{{ wait = "1h" }}, {{ reply = {{ text = "Ещё актуально, {{{{contact.name|друг}}}}?" {window_closed} }} }}]
        "#
    )
}

fn half_an_hour(capabilities: &mut Capabilities) {
    capabilities.reply_window = Some(mins(30));
}

const TEMPLATE: &str =
    r#", window_closed = { template = { name = "come_back", params = { 1 = "{{contact.name|друг}}" } } }"#;
const TASK: &str = r#", window_closed = { task = "call_them" }"#;

async fn after_the_window(window_closed: &str) -> World {
    let world = World::new();
    let hub = world.hub_with(&follows_up(window_closed), half_an_hour).await;
    deliver(&hub, &[says("1", "a", "Сколько стоит?")]).await;
    world.pass(hours(1)).await;
    world
}

#[tokio::test]
async fn the_text_is_skipped_and_the_trace_says_so() {
    let world = after_the_window("").await;
    assert!(world.texts().is_empty());
    assert!(world.dropped("the reply window is closed").await);
}

#[tokio::test]
async fn a_template_goes_in_its_place() {
    let world = after_the_window(TEMPLATE).await;
    let conversation = world.only().await;
    let thread = world.thread(&conversation).await;
    let Part::Template(template) = &thread[1].content.parts[0] else { panic!("{thread:?}") };
    assert_eq!((template.name.as_str(), template.params["1"].as_str()), ("come_back", "Клиент 1"));
    assert_eq!(thread[1].status, Some(Status::Sent));
    assert_eq!(world.provided.begun(), 1);
}

#[tokio::test]
async fn somebody_is_told_that_something_is_to_be_done() {
    let world = after_the_window(TASK).await;
    assert!(world.texts().is_empty());
    assert_eq!(world.notices().await, [("call_them".to_owned(), "Ещё актуально, Клиент 1?".to_owned())]);
}

/// A text that was queued while the window was open and whose turn comes when it is closed.
async fn closed_at_the_last_look(window_closed: &str) -> World {
    let world = World::new();
    let book = follows_up(window_closed).replace("{ wait = \"1h\" }, ", "");
    let hub = world
        .hub_with(&book, |c| {
            half_an_hour(c);
            let chat = Rate { scope: RateScope::Chat, chats: RateChats::All, burst: 1, every: hours(1) };
            c.rates = vec![chat];
        })
        .await;
    deliver(&hub, &[says("1", "a", "Сколько стоит?")]).await;
    deliver(&hub, &[says("1", "b", "И доставка?")]).await;
    assert_eq!(world.texts().len(), 1, "the second one waits for its turn");
    world.pass(mins(31)).await;
    // Its turn comes in half an hour, and the template's an hour later.
    world.pass(hours(1)).await;
    world.pass(hours(1)).await;
    world
}

#[tokio::test]
async fn the_last_look_skips_it_and_says_so() {
    let world = closed_at_the_last_look("").await;
    assert_eq!(world.texts().len(), 1);
    assert!(world.dropped("the reply window is closed").await);
    let thread = world.thread(&world.only().await).await;
    assert_eq!(thread.iter().filter(|m| m.status == Some(Status::Dropped)).count(), 1);
}

#[tokio::test]
async fn the_last_look_puts_a_template_in_its_place() {
    let world = closed_at_the_last_look(TEMPLATE).await;
    let thread = world.thread(&world.only().await).await;
    let template = thread.last().unwrap();
    assert!(matches!(&template.content.parts[..], [Part::Template(_)]), "{thread:#?}");
    assert_eq!(template.status, Some(Status::Sent));
}

#[tokio::test]
async fn the_last_look_tells_somebody() {
    let world = closed_at_the_last_look(TASK).await;
    assert_eq!(world.notices().await, [("call_them".to_owned(), "Ещё актуально, Клиент 1?".to_owned())]);
    assert_eq!(world.texts().len(), 1);
}

#[tokio::test]
async fn a_late_message_does_not_open_the_window() {
    let world = World::new();
    let hub = world.hub_with(&follows_up(""), half_an_hour).await;
    let now = world.now();
    deliver(&hub, &[says("1", "a", "Сколько стоит?").at_time(now - hours(3))]).await;
    let conversation = world.only().await;
    let refused = hub.reply(conversation.id, omni_hub::Draft::text("100 ₽").by(agent("anna"))).await;
    assert!(refused.is_err(), "the person wrote three hours ago: {refused:?}");
}

#[tokio::test]
async fn rules_may_ask_whether_the_window_is_open() {
    let world = World::new();
    let book = r#"
        [channels.shop]
        scenario = "main"
        [scenarios.main]
        rules = [
            { name = "start", on = "message", do = [{ timer = { name = "later", after = "1h" } }, { timer = { name = "soon", after = "1m" } }] },
            { name = "soon", on = { timer = "soon" }, if = { window = "open" }, do = [{ tag = "открыто" }] },
            { name = "later", on = { timer = "later" }, if = { window = "closed" }, do = [{ tag = "закрыто" }] },
        ]
    "#;
    let hub = world.hub_with(book, half_an_hour).await;
    deliver(&hub, &[says("1", "a", "Сколько стоит?")]).await;
    world.pass(hours(2)).await;
    assert_eq!(world.only().await.tags, ["открыто", "закрыто"]);
}

#[tokio::test]
async fn the_window_is_closed_from_the_very_moment_on() {
    for (after, tags) in [("1799s", 0), ("30m", 1)] {
        let world = World::new();
        let book = format!(
            r#"
            [channels.shop]
            scenario = "main"
            [scenarios.main]
            rules = [
                {{ name = "start", on = "message", do = [{{ timer = {{ name = "later", after = "{after}" }} }}] }},
                {{ name = "later", on = {{ timer = "later" }}, if = {{ window = "closed" }}, do = [{{ tag = "закрыто" }}] }},
            ]
            "#
        );
        let hub = world.hub_with(&book, half_an_hour).await;
        deliver(&hub, &[says("1", "a", "Сколько стоит?")]).await;
        world.pass(hours(1)).await;
        assert_eq!(world.only().await.tags.len(), tags, "{after}");
    }
}

#[tokio::test]
async fn a_template_goes_in_place_of_a_closing_text_too() {
    let world = World::new();
    let book = r#"
        [channels.shop.auto_close]
        after = "1h"
        text = { text = "До свидания!", window_closed = { template = { name = "bye" } } }
    "#;
    let hub = world.hub_with(book, half_an_hour).await;
    deliver(&hub, &[says("1", "a", "Сколько стоит?")]).await;
    world.pass(hours(1)).await;
    let conversation = world.only().await;
    assert!(!conversation.is_open());
    let thread = world.thread(&conversation).await;
    let template = thread.last().unwrap();
    assert!(matches!(&template.content.parts[..], [Part::Template(t)] if t.name == "bye"), "{thread:#?}");
    assert_eq!(template.status, Some(Status::Sent));
}
