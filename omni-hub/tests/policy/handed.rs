//! What goes from hand to hand: first words, queues that were closed, talks that a bot gave up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use omni_core::capability::FirstContact;
use omni_core::policy::BotReply;
use omni_hub::{Bot, Question};

use crate::world::*;

#[tokio::test]
async fn where_customers_write_first_the_opening_may_be_answered() {
    let world = World::new();
    let book = r#"
        [channels.shop]
        scenario = "shop"
        [[scenarios.shop.rules]]
        name = "hello"
        on = "opened"
        do = [{ reply = "Здравствуйте! 😀" }]
    "#;
    let hub = world.hub_with(book, |c| c.first_contact = FirstContact::CustomerOnly).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    assert_eq!(world.texts(), ["Здравствуйте! 😀"], "{}", world.traces().await);
}

#[tokio::test]
async fn what_was_closed_while_it_waited_waits_again_when_it_is_reopened() {
    let world = World::new();
    let book = r#"
        [agents.anna]
        [teams.sales]
        members = ["anna"]
        distribution = "round_robin"
        [channels.shop]
        receiver = { team = "sales" }
        returning = "reopen"
    "#;
    let hub = world.hub(book).await;
    deliver(&hub, &[says("1", "a", "Есть кто?")]).await;
    hub.close(world.only().await.id, agent("boss")).await.unwrap();
    deliver(&hub, &[says("1", "b", "Так есть кто?")]).await;
    online(&hub, &["anna"]).await;
    assert_eq!(world.owner().await, "anna", "{}", world.traces().await);
}

#[derive(Debug)]
struct GivesUp(Arc<AtomicUsize>);

#[async_trait::async_trait]
impl Bot for GivesUp {
    async fn answer(&self, _: &Question) -> Result<BotReply, omni_core::Error> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(BotReply::HandOver(Vec::new()))
    }
}

async fn asked(channel: &str) -> usize {
    let world = World::new();
    let book = format!(
        "[agents.anna]\n[bots.night]\nhand_over = \"sales\"\n[teams.sales]\nmembers = [\"anna\"]\n\
         [channels.shop]\n{channel}"
    );
    let hub = world.hub(&book).await;
    let times = Arc::new(AtomicUsize::new(0));
    hub.add_bot("night", GivesUp(times.clone()));
    for n in ["a", "b", "c"] {
        deliver(&hub, &[says("1", n, "Позовите человека")]).await;
    }
    assert_eq!(world.owner().await, "team sales");
    times.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_bot_that_handed_over_is_not_asked_again() {
    assert_eq!(asked("hours = \"never\"\nafter_hours = { bot = \"night\" }").await, 1);
    assert_eq!(asked("receiver = { bot = \"night\" }").await, 1);
}
