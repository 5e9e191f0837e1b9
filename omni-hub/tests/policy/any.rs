//! What random runs are made of: dice, books that follow one another, a bot that does anything.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use omni_core::error::{Error, ErrorKind};
use omni_core::policy::BotReply;
use omni_core::policy::book::{Do, Handover, Say};
use omni_hub::{Bot, Question};
use tokio::task::yield_now;

/// The same numbers for the same seed, on every machine.
#[derive(Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    pub(crate) fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let n = self.below(all.len() as u64);
        &all[usize::try_from(n).unwrap()]
    }
}

pub(crate) const AGENTS: [&str; 3] = ["anna", "boris", "clara"];
pub(crate) const CAPACITY: [(&str, u32); 2] = [("anna", 3), ("boris", 2)];
pub(crate) const GREETING: &str = "Здравствуйте! 👋";

/// Books that follow one another. Agents may have as many in all of them.
pub(crate) fn books() -> Vec<String> {
    let people = r#"
        zone = "Europe/Moscow"
        hours.desk = { weekdays = ["09:00-18:00"], sat = ["22:00-04:00"] }
        agents.anna = { capacity = 3, skills = ["english"] }
        agents.boris = { capacity = 2 }
        agents.clara = {}
        bots.luna = { timeout = "1m", hand_over = "sales" }
    "#;
    let teams = r#"
        teams.sales = { members = ["anna", "boris"], distribution = "round_robin", answer_within = "20m", sticky = "1d", relax_skills = "5m", overflow = { to = "backup", after = "10m" } }
        teams.backup = { members = ["boris", "clara", "anna"], distribution = "least_loaded", answer_within = "45m" }
    "#;
    let rules = |text: &str| {
        format!(
            r#"
            [scenarios.main]
            rules = [
                {{ name = "greet", on = "opened", limit = {{ per_conversation = 1 }}, do = [{{ reply = "{GREETING}" }}] }},
                {{ name = "again", on = "reopened", do = [{{ reply = "Снова здравствуйте" }}, {{ timer = {{ name = "t", after = "7m" }} }}] }},
                {{ name = "bot", on = "message", if = {{ word = "бот" }}, do = [{{ ask_bot = "luna" }}] }},
                {{ name = "english", on = "message", if = {{ word = "hello" }}, do = [{{ assign = {{ skilled = {{ team = "sales", skills = ["english"] }} }} }}] }},
                {{ name = "wait", on = "message", limit = {{ per_day = 3 }}, do = [{{ wait = {{ for = "4m", unless = "either" }} }}, {{ reply = "{text}" }}, {{ wait = "1h" }}, {{ transfer = {{ team = "backup" }} }}] }},
                {{ name = "timer", on = {{ timer = "t" }}, do = [{{ tag = "таймер" }}, {{ reply = "{text}" }}] }},
                {{ name = "slow", on = {{ silent = {{ of = "agent", for = "15m" }} }}, do = [{{ notify = {{ topic = "slow" }} }}, {{ reply = "Ещё минуту" }}] }},
                {{ name = "lost", on = {{ silent = {{ of = "customer", for = "2h" }} }}, limit = {{ cool_down = "1d" }}, do = [{{ reply = "Вы тут?" }}, {{ wait = "1d" }}, {{ close = {{ status = "lost", text = "Пока" }} }}] }},
                {{ name = "failed", on = "failed", do = [{{ tag = "не дошло" }}] }},
                {{ name = "bye", on = "closed", do = [{{ reply = "Оцените нас" }}] }},
            ]
            "#
        )
    };
    let channel = |name: &str, settings: &str| {
        format!(
            r#"
            [channels.{name}]
            scenario = "main"
            {settings}
            clocks = {{ first_response = {{ within = "5m", hours = "desk" }}, next_response = {{ within = "10m" }}, resolution = {{ within = "1d" }} }}
            activity = {{ reactions = true }}
            "#
        )
    };
    let shop = "receiver = { team = 'sales' }\nreturning = { reopen_within = '6h' }\nauto_close = { after = '8h', text = 'Закрываем' }\ngrace = { within = '10m' }";
    let desk = "receiver = { bot = 'luna' }\nauto_replies = [{ text = 'Скоро', delay = '2m', per = 'message' }]\nauto_close = { after = '1d' }";
    let changed = "receiver = { team = 'backup' }\nreturning = 'reopen'\nabsent = { offline = 'keep' }\nhours = 'desk'\nafter_hours = { bot = 'luna' }";
    let off = "enabled = false\nreceiver = { team = 'sales' }";
    let with = |text: &str, a: &str, b: &str| {
        format!("{people}{teams}{}{}{}", channel("shop", a), channel("site", b), rules(text))
    };
    vec![
        with("Первое издание", shop, desk),
        with("Второе издание", changed, shop),
        with("Третье издание", off, desk),
        with("Четвёртое издание", shop, off),
    ]
}

/// A bot that does anything, told by dice.
pub(crate) struct Any(pub(crate) Arc<Mutex<Dice>>);

impl std::fmt::Debug for Any {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Any")
    }
}

#[async_trait]
impl Bot for Any {
    async fn answer(&self, _: &Question) -> Result<BotReply, Error> {
        let (what, nap) = {
            let mut dice = self.0.lock().unwrap();
            (dice.below(8), dice.below(200))
        };
        for _ in 0..nap {
            yield_now().await;
        }
        let say = || Do::Reply(Say::text("Я бот 🤖"));
        Ok(match what {
            0 => return Err(Error::new(ErrorKind::Unavailable, "bot")),
            1 => std::future::pending().await,
            2 => BotReply::HandOver(vec![say()]),
            3 => BotReply::Steps(vec![Do::Assign(Handover::Team("backup".into())), say()]),
            4 => BotReply::Steps(vec![Do::Close(Default::default())]),
            5 => BotReply::Steps(vec![Do::Call("main".to_owned()), say()]),
            _ => BotReply::Steps(vec![say()]),
        })
    }
}
