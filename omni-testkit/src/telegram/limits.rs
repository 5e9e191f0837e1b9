//! Flood control with the provider's published figures.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// How many messages may be sent, after <https://core.telegram.org/bots/faq>. The real limits are dynamic;
/// these are the figures the FAQ names.
#[derive(Clone, Copy, Debug)]
pub struct RateLimits {
    /// Messages a second for the whole bot.
    pub per_second: f64,
    /// Messages a second in one chat.
    pub per_chat_per_second: f64,
    /// Messages that may come at once in one chat before the rate binds.
    pub chat_burst: f64,
    /// Messages a minute in one group, supergroup or channel.
    pub per_group_per_minute: f64,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { per_second: 30.0, per_chat_per_second: 1.0, chat_burst: 3.0, per_group_per_minute: 20.0 }
    }
}

/// Above this many chats, those at rest are forgotten.
const MAX_CHATS: usize = 50_000;

/// The buckets of one bot.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    bot: Option<Bucket>,
    chats: HashMap<i64, Bucket>,
}

impl Limiter {
    /// Takes room for one message, or says after how many seconds to come again.
    pub(crate) fn take(&mut self, limits: &RateLimits, chat: i64, now: Instant) -> Result<(), u32> {
        let (rate, burst) = match chat < 0 {
            true => (limits.per_group_per_minute / 60.0, limits.per_group_per_minute),
            false => (limits.per_chat_per_second, limits.chat_burst),
        };
        if self.chats.len() > MAX_CHATS {
            self.chats.retain(|_, bucket| bucket.wait(now).is_some() || bucket.tokens < bucket.burst);
        }
        let room = self.chats.entry(chat).or_insert_with(|| Bucket::full(rate, burst, now));
        let bot = self.bot.get_or_insert_with(|| Bucket::full(limits.per_second, limits.per_second, now));
        let wait = room.wait(now).max(bot.wait(now));
        match wait {
            Some(wait) => Err(wait.as_secs_f64().ceil().max(1.0) as u32),
            None => {
                room.tokens -= 1.0;
                bot.tokens -= 1.0;
                Ok(())
            }
        }
    }
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    rate: f64,
    burst: f64,
    at: Instant,
}

impl Bucket {
    fn full(rate: f64, burst: f64, now: Instant) -> Self {
        Self { tokens: burst, rate, burst, at: now }
    }

    /// Fills up to `now`; gives the time until one token is there, if it is not.
    fn wait(&mut self, now: Instant) -> Option<Duration> {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * self.rate).min(self.burst);
        self.at = now;
        let missing = 1.0 - self.tokens;
        (missing > 1e-9 && self.rate > 0.0).then(|| Duration::from_secs_f64(missing / self.rate))
    }
}
