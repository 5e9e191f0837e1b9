//! A host that takes webhooks is killed with SIGKILL again and again: what got a 200 is there exactly once, and
//! every answer was handed over at least once, exactly once where its outcome was known.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

mod support {
    pub(crate) mod built;
}

use std::collections::HashMap;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use omni::core::event::EventBody;
use omni::hub::HostEvent;
use omni::hub::store::Store;
use omni::{SqliteStore, Status};
use omni_testkit::telegram::{BotHandle, BotProfile, Customer, SimConfig, TelegramSim, User};

const TOKEN: &str = "7000000001:AAcrashcrashcrashcrashcrashcrashcras";
const KILLS: u64 = 30;
const CUSTOMERS: i64 = 12;

struct Host {
    child: Child,
}

impl Host {
    fn start(port: u16, api: &str, database: &std::path::Path) -> Self {
        let child = Command::new(support::built::example("echo"))
            .env("TELEGRAM_TOKEN", TOKEN)
            .env("TELEGRAM_SECRET", "crash-secret")
            .env("TELEGRAM_API", api)
            .env("OMNI_STORE", format!("sqlite:{}", database.display()))
            .env("LISTEN", format!("127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .spawn()
            .expect("the example starts");
        Self { child }
    }

    fn kill(mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("it is dead");
    }
}

/// A few pseudo-random numbers: where to kill is to differ, and to be the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// How often each text was handed over.
fn hand_overs(bot: &BotHandle) -> HashMap<String, u64> {
    let mut counts = HashMap::new();
    for call in bot.calls().iter().filter(|c| c.method == "sendmessage" && c.is_accepted()) {
        *counts.entry(call.params["text"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    counts
}

/// What the store holds: how often each text came in, and which answers are known to be sent.
async fn stored(database: &std::path::Path) -> (HashMap<String, u64>, Vec<String>) {
    let store = SqliteStore::open(database).expect("the database opens after a kill");
    let (mut received, mut queued, mut sent) = (HashMap::new(), HashMap::new(), Vec::new());
    let mut after = 0;
    loop {
        let entries = store.entries(after, 10_000).await.expect("the log is readable");
        let Some(last) = entries.last() else { return (received, sent) };
        after = last.seq;
        for entry in entries {
            match entry.event {
                HostEvent::Received { event, .. } => {
                    if let EventBody::Message(m) = &event.body {
                        *received
                            .entry(m.content.plain_text().unwrap_or_default().to_owned())
                            .or_default() += 1;
                    }
                }
                HostEvent::Queued { message } => {
                    queued.insert(message.id, message.content.plain_text().unwrap_or_default().to_owned());
                }
                HostEvent::Status { message, status: Status::Sent, .. } => {
                    sent.extend(queued.get(&message).cloned())
                }
                _ => {}
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_got_a_200_survives_every_kill_exactly_once() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = SimConfig {
        retry_base: Duration::from_millis(2),
        wait_timeout: Duration::from_secs(120),
        ..SimConfig::default()
    };
    let sim = TelegramSim::start(config).await.unwrap();
    let bot = sim.add_bot(TOKEN, BotProfile::new(7_000_000_001, "Echo", "echo_bot"));
    set_webhook(&sim, port).await;
    let files = tempfile::tempdir().unwrap();
    let database = files.path().join("echo.db");
    let customers: Vec<Customer> =
        (0..CUSTOMERS).map(|i| bot.customer(User::new(100 + i, format!("Покупатель {i}")))).collect();

    let mut dice = Dice(2026);
    let (mut written, mut updates) = (0u64, Vec::new());
    let mut known: HashMap<String, u64> = HashMap::new();
    for kill in 0..KILLS {
        let host = Host::start(port, sim.base_url(), &database);
        let delivered = bot.counters().delivered;
        for _ in 0..20 + dice.roll(40) {
            let customer = &customers[usize::try_from(dice.roll(CUSTOMERS.unsigned_abs())).unwrap()];
            updates.extend(customer.writes(&format!("сообщение {written} 👋")).update_id);
            written += 1;
            let again = usize::try_from(dice.roll(updates.len() as u64)).unwrap();
            bot.redeliver(updates[again]);
        }
        // In the middle of taking, answering, or with all of it done: the number decides.
        let until = delivered + 1 + dice.roll(60);
        sim.wait_for("some updates to be taken", |_| {
            (bot.counters().delivered >= until.min(bot.counters().updates)).then_some(())
        })
        .await;
        host.kill();
        // Answers known to be sent now must never be handed over again.
        let (_, sent) = stored(&database).await;
        let counts = hand_overs(&bot);
        for text in sent {
            let count = counts.get(&text).copied().unwrap_or(0);
            assert!(count >= 1, "kill {kill}: {text} is marked as sent and never was");
            let before = *known.entry(text.clone()).or_insert(count);
            assert_eq!(count, before, "kill {kill}: {text} was known to be sent, and was sent again");
        }
    }

    let host = Host::start(port, sim.base_url(), &database);
    bot.wait_for_empty_queue().await;
    sim.wait_for("every answer", |_| (hand_overs(&bot).len() as u64 == written).then_some(())).await;
    let acknowledged: std::collections::HashSet<i64> =
        bot.deliveries().iter().filter(|d| d.status == Some(200)).map(|d| d.update_id).collect();
    assert!(updates.iter().all(|id| acknowledged.contains(id)), "every update was taken in the end");
    host.kill();
    let (received, _) = stored(&database).await;
    for number in 0..written {
        let text = format!("сообщение {number} 👋");
        assert_eq!(received.get(&text), Some(&1), "{text} is there exactly once");
    }
    let counts = hand_overs(&bot);
    for (text, count) in known {
        assert_eq!(counts.get(&text), Some(&count), "{text} was known to be sent, and was sent again");
    }
    let doubled = counts.values().filter(|count| **count > 1).count();
    println!(
        "{written} messages, {KILLS} kills, {doubled} answers handed over twice: their outcome was unknown"
    );
}

/// Registers the host's address as the real server takes it.
async fn set_webhook(sim: &TelegramSim, port: u16) {
    use omni::core::webhook::WebhookUrl;
    let config =
        omni::telegram::Config::new(TOKEN).webhook("crash-secret").at(sim.base_url().parse().unwrap());
    let http = omni::http::Http::new().unwrap();
    let registry = omni::registry_with(&http);
    let provider = omni::telegram::PROVIDER;
    let channel = registry.connect(&provider, &serde_json::to_string(&config).unwrap()).unwrap();
    let url = format!("http://127.0.0.1:{port}/webhooks/telegram").parse().unwrap();
    channel.connect(&WebhookUrl::new(url).unwrap()).await.unwrap();
}
