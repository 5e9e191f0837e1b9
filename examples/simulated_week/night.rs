//! The bot that answers at night.

use async_trait::async_trait;
use omni::core::error::{Error, ErrorKind};
use omni::core::policy::BotReply;
use omni::core::policy::book::{Do, Say};
use omni::hub::store::Direction;
use omni::hub::{Clock as _, ManualClock, Question};
use omni::{Bot, Result};

use crate::agenda::Agenda;
use crate::chance::Chance;

/// Answers simple questions after a few seconds, calls people for hard ones, fails sometimes, and is sometimes so slow
/// that nobody waits for it.
#[derive(Debug)]
pub(crate) struct Night {
    pub(crate) seed: u64,
    pub(crate) clock: ManualClock,
    pub(crate) agenda: Agenda,
}

impl Night {
    /// Thinks in the time of the simulation. A real bot calls a model here.
    async fn think(&self, seconds: std::time::Duration) {
        let until = self.clock.now() + seconds;
        self.agenda.stop_at(until);
        self.clock.sleep_until(until).await;
    }
}

#[async_trait]
impl Bot for Night {
    async fn answer(&self, question: &Question) -> Result<BotReply> {
        let who = format!("bot for {}", question.conversation.address);
        let mut chance = Chance::of(self.seed, &who, u64::from(question.ask));
        let asked = question.messages.iter().rev().find(|m| m.direction == Direction::In);
        let words = asked.and_then(|m| m.content.plain_text()).unwrap_or_default().to_lowercase();
        match chance.below(100) {
            0..7 => {
                return Err(Error::new(ErrorKind::Unavailable, "bot").with_text("the model is overloaded"));
            }
            7..14 => self.think(std::time::Duration::from_secs(60)).await,
            _ => self.think(chance.secs(2, 9)).await,
        }
        let say = |text: &str| vec![Do::Reply(Say::text(text))];
        if ["возврат", "верн", "человек", "оператор"].iter().any(|hard| words.contains(hard))
        {
            return Ok(BotReply::HandOver(say("Передаю ваш вопрос людям, они ответят утром 🌅")));
        }
        let known = [
            "Мы на связи с 9 до 18. Что у вас случилось? Запишу и передам 🌙",
            "Доставка по Москве — завтра, по России — 3–5 дней 🚚",
            "Кружки можно мыть в посудомойке, рисунок не сойдёт ☕",
        ];
        Ok(BotReply::Steps(say(chance.pick(&known).unwrap_or_default())))
    }
}
