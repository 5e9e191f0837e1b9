//! A dry run: a recorded log under a changed policy.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

#[allow(dead_code)] // the laws use all of it
#[path = "../laws/fake.rs"]
mod fake;
#[allow(dead_code)] // the policy's tests use all of it
#[path = "../policy/world.rs"]
mod world;

use std::sync::Arc;

use omni_core::conversation::CloseReason;
use omni_core::policy::{BotReply, Verdict, book::Do};
use omni_hub::{Bot, Deed, Difference, Entry, HostEvent, Hub, Question, Replay, What};

use world::*;

const BOOK: &str = r#"
    zone = "Europe/Moscow"
    [agents.anna]
    [agents.boris]
    [bots.night]
    [teams.sales]
    members = ["anna", "boris"]
    distribution = "round_robin"
    [hours.office]
    weekdays = ["09:00-18:00"]
    [channels.shop]
    receiver = { team = "sales" }
    hours = "office"
    auto_replies = [{ text = "Здравствуйте! Скоро ответим 🙏", delay = "30s" }]
    after_hours = { bot = "night" }
    auto_close = { after = "2h", text = "До свидания!" }
    clocks = { first_response = { within = "10m" } }
    scenario = "shop"
    [[scenarios.shop.rules]]
    name = "price"
    on = "message"
    if = { contains = "цена" }
    do = [{ tag = "price" }, { notify = { topic = "price", text = "{{contact.name}}" } }]
"#;

#[derive(Debug)]
struct Night;

#[async_trait::async_trait]
impl Bot for Night {
    async fn answer(&self, question: &Question) -> Result<BotReply, omni_core::Error> {
        let asked = question.messages.last().and_then(|m| m.content.plain_text()).unwrap_or_default();
        Ok(BotReply::Steps(vec![Do::Reply(format!("Ночной ответ на «{asked}»").as_str().into())]))
    }
}

/// A day of a shop: three customers, an agent who answers one, silence that closes, a bot at night.
async fn a_day(world: &World) -> (Hub, Vec<Entry>) {
    let hub = world.hub(BOOK).await;
    hub.add_bot("night", Night);
    online(&hub, &["anna", "boris"]).await;
    deliver(&hub, &[says("1", "a", "Здравствуйте, какая цена?")]).await;
    world.pass(secs(10)).await;
    deliver(&hub, &[says("2", "b", "Есть кто живой?")]).await;
    world.pass(secs(5)).await;
    answers(&hub, &world.with("1").await, "anna", "Две тысячи 😀").await;
    idle().await;
    deliver(&hub, &[echo("2", "c", "С телефона: да, мы тут")]).await;
    deliver(&hub, &[says("3", "d", "Беру")]).await;
    world.pass(hours(3)).await;
    world.until("2026-01-12T19:00:00Z").await;
    deliver(&hub, &[says("4", "e", "Вы ещё работаете?")]).await;
    world.pass(hours(5)).await;
    let log = world.log().await;
    (hub, log)
}

/// What rules did in the log itself.
fn said(log: &[Entry]) -> Vec<String> {
    let automatic = |e: &Entry| match &e.event {
        HostEvent::Queued { message } if !message.author.is_human() => {
            Some(message.content.plain_text()?.to_owned())
        }
        _ => None,
    };
    log.iter().filter_map(automatic).collect()
}

fn says_of(deeds: &[Deed]) -> Vec<String> {
    let words = |d: &Deed| match &d.what {
        What::Said { content, .. } => content.plain_text().map(str::to_owned),
        _ => None,
    };
    deeds.iter().filter_map(words).collect()
}

async fn under(log: &[Entry], text: &str) -> Vec<Deed> {
    let world = World::new();
    let replay = Replay::new("acme", log).channel("shop", world.fake(|_| ()));
    replay.until(log.last().unwrap().at).under(book(text)).await.unwrap()
}

#[tokio::test]
async fn a_log_under_its_own_policy_gives_what_it_gave() {
    let world = World::new();
    let (_hub, log) = a_day(&world).await;
    let deeds = under(&log, BOOK).await;
    assert_eq!(says_of(&deeds), said(&log));
    let closed = |d: &&Deed| matches!(d.what, What::Closed { reason: CloseReason::Inactive });
    assert_eq!(deeds.iter().filter(closed).count(), world.closings().await.len());
    let given: Vec<String> = deeds
        .iter()
        .filter_map(|d| match &d.what {
            What::Assigned { to } => Some(named(to)),
            _ => None,
        })
        .collect();
    let ruled: Vec<String> = world.assigned().await;
    assert!(given.iter().all(|owner| ruled.contains(owner)), "{given:?} {ruled:?}");
    assert!(deeds.iter().all(|d| !d.why.steps.is_empty()
        || matches!(
            d.what,
            What::Said { .. }
                | What::Clock { .. }
                | What::Closed { .. }
                | What::Assigned { .. }
                | What::Notified { .. }
                | What::Tagged { .. }
        )));
}

#[tokio::test]
async fn the_difference_of_a_policy_to_itself_is_none() {
    let world = World::new();
    let (hub, log) = a_day(&world).await;
    let difference = hub.dry_run(&"acme".into(), &log, book(BOOK)).await.unwrap();
    assert!(difference.is_empty(), "{difference}");
    assert!(difference.same > 5);
}

#[tokio::test]
async fn a_changed_policy_shows_what_it_would_have_done_otherwise() {
    let world = World::new();
    let (hub, log) = a_day(&world).await;
    let before = world.log().await.len();
    let changed = BOOK.replace("delay = \"30s\"", "delay = \"5s\"").replace("\"цена\"", "\"живой\"");
    let difference = hub.dry_run(&"acme".into(), &log, book(&changed)).await.unwrap();
    let tags = |deeds: &[Deed]| {
        let tagged = |d: &Deed| matches!(d.what, What::Tagged { .. }).then(|| d.address.to_string());
        deeds.iter().filter_map(tagged).collect::<Vec<_>>()
    };
    assert_eq!((tags(&difference.gone), tags(&difference.new)), (vec!["1".to_owned()], vec!["2".to_owned()]));
    // The agent answered the first one after 15 s: only the faster greeting is sent.
    assert_eq!(says_of(&difference.new).iter().filter(|t| t.starts_with("Здравствуйте")).count(), 3);
    assert!(difference.new.iter().any(|d| d.why.steps.iter().any(|s| s.verdict == Verdict::Applied)));
    let shown = difference.to_string();
    assert!(shown.contains("+ ") && shown.contains("- ") && shown.contains("labels it \"price\""), "{shown}");
    assert_eq!(world.log().await.len(), before, "a dry run leaves no trace in the store");
    assert_eq!(
        serde_json::from_str::<Difference>(&serde_json::to_string(&difference).unwrap()).unwrap(),
        difference
    );
}

#[tokio::test]
async fn a_book_that_cannot_be_used_is_refused_with_all_that_is_wrong() {
    let world = World::new();
    let (hub, log) = a_day(&world).await;
    let mut bad = book(BOOK);
    let shop = bad.channels.get_mut("shop").unwrap();
    shop.scenario = Some("нет такого".to_owned());
    shop.receiver = Some(omni_core::policy::book::Receiver::Team("nobody".into()));
    let refused = hub.dry_run(&"acme".into(), &log, bad).await.unwrap_err().to_string();
    assert!(refused.contains("нет такого") && refused.contains("nobody"), "{refused}");
}

#[tokio::test]
async fn a_site_widget_offers_the_channels_set_for_it() {
    let world = World::new();
    let hub = world.hub("[channels.shop]\nsite_widget = true\nname = \"Магазин\"").await;
    hub.add_channel(omni_hub::ChannelSetup::new(site(), Arc::new(fake::Fake::new(&world.provided, |_| ()))));
    let token = omni_core::link::CampaignToken::new("spring").unwrap();
    let offered = hub.widget(&"acme".into(), &token).await;
    let shown: Vec<_> = offered
        .iter()
        .map(|link| (link.channel.channel.as_str(), link.name.as_str(), link.url.as_str()))
        .collect();
    assert_eq!(shown, [("shop", "Магазин", "https://fake.example/shop?start=spring")]);
}

#[tokio::test]
async fn what_a_bot_said_answers_the_question_that_is_open_in_the_dry_run() {
    let world = World::new();
    let hub = world.hub(BOOK).await;
    hub.add_bot("night", Night);
    world.until("2026-01-12T16:00:00Z").await;
    deliver(&hub, &[says("1", "a", "Раз")]).await;
    world.pass(mins(30)).await;
    deliver(&hub, &[says("1", "b", "Два")]).await;
    let log = world.log().await;
    assert_eq!(said(&log), ["Ночной ответ на «Раз»", "Ночной ответ на «Два»"]);
    // Open for a quarter of an hour longer than the first message: what was the second question is the first.
    let deeds = under(&log, &BOOK.replace("09:00-18:00", "09:00-19:15")).await;
    assert_eq!(says_of(&deeds), ["Здравствуйте! Скоро ответим 🙏", "Ночной ответ на «Два»"]);
}

#[tokio::test]
async fn an_echo_of_a_text_that_went_out_by_itself_is_no_answer_in_the_dry_run() {
    let world = World::new();
    let hub = world.hub(BOOK).await;
    deliver(&hub, &[says("1", "a", "Есть кто живой?")]).await;
    world.pass(secs(30)).await;
    deliver(&hub, &[echo("1", "out-1", "Здравствуйте! Скоро ответим 🙏")]).await;
    world.pass(hours(1)).await;
    deliver(&hub, &[says("2", "b", "И я")]).await;
    let log = world.log().await;
    let deeds = under(&log, &BOOK.replace("delay = \"30s\"", "delay = \"5m\"")).await;
    assert_eq!(says_of(&deeds), ["Здравствуйте! Скоро ответим 🙏"]);
}
