//! Telegram, simulated.

use std::error::Error;

use omni::core::media::{MediaKind, MediaRef};
use omni::telegram::PROVIDER;
use omni::{ChannelKey, Provider};
use omni_testkit::telegram as sim;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::people::{People, secret, unique};
use super::{Customer, Deed, FileAt, Line, LineButton, LineFile, Simulator, Upload};
use crate::config::ChannelSettings;

const TITLE: &str = "Sneaker Shop";

/// One bot, and whoever writes to it.
pub(super) struct Telegram {
    bot: sim::BotHandle,
    channel: ChannelKey,
    people: People<sim::Customer>,
}

impl Telegram {
    /// Starts the server, and makes the settings of a bot that is connected by webhook.
    pub(super) async fn start() -> Result<(Self, ChannelSettings), Box<dyn Error>> {
        let config = sim::SimConfig { seed: unique(), ..sim::SimConfig::default() };
        let server = sim::TelegramSim::start(config).await?;
        let token = format!("7000000001:{}", secret());
        let bot = server.add_bot(&token, sim::BotProfile::new(7_000_000_001, TITLE, "sneaker_shop_bot"));
        let settings = ChannelSettings {
            tenant: "demo".to_owned(),
            id: "shop-bot".to_owned(),
            provider: PROVIDER,
            title: Some(TITLE.to_owned()),
            policy: None,
            config: json!({ "token": token, "secret_token": secret(), "base_url": server.base_url() }),
        };
        Ok((Self { bot, channel: settings.key(), people: People::new() }, settings))
    }
}

impl Simulator for Telegram {
    fn provider(&self) -> Provider {
        PROVIDER
    }

    fn channel(&self) -> &ChannelKey {
        &self.channel
    }

    fn title(&self) -> &str {
        TITLE
    }

    fn signs(&self) -> &[&str] {
        &["👍", "❤", "🔥", "😁", "👎"]
    }

    fn customers(&self) -> Vec<Customer> {
        self.people.list()
    }

    fn enter(&self, name: &str) -> Customer {
        let number = self.people.count();
        let id = i64::try_from(unique()).unwrap_or_default() + i64::try_from(number).unwrap_or_default();
        let (first, last) = name.split_once(' ').unwrap_or((name, ""));
        let mut user = sim::User::new(id, first).language("ru").phone(format!("7900{:07}", id % 10_000_000));
        user = user.username(format!("guest_{}", number + 1));
        if !last.is_empty() {
            user = user.last_name(last);
        }
        self.people.add(id.to_string(), name, self.bot.customer(user))
    }

    fn chat(&self, customer: &str) -> Option<Vec<Line>> {
        let customer = self.people.handle(customer)?;
        Some(customer.transcript().iter().map(line).collect())
    }

    fn act(&self, customer: &str, deed: Deed) -> Result<(), String> {
        let who = self.people.known(customer)?;
        // The simulator takes wrong message ids for a mistake in a test and panics, so they are looked up.
        let known = |line: &str| {
            let id = line
                .parse()
                .ok()
                .filter(|id| self.bot.message(who.chat_id(), *id).is_some_and(|m| !m.deleted));
            id.ok_or_else(|| "there is no such message".to_owned())
        };
        // Whoever writes lets the bot write again.
        match &deed {
            Deed::Block => self.people.set_blocked(customer, true),
            Deed::Edit { .. } | Deed::LoseNextAnswer | Deed::Press { .. } | Deed::React { .. } => {}
            _ => self.people.set_blocked(customer, false),
        }
        match deed {
            Deed::Start { token } => drop(who.start(&token)),
            Deed::Write { text, .. } if text.trim().is_empty() => {
                return Err("there is nothing to send".to_owned());
            }
            Deed::Write { text, reply_to: None } => drop(who.writes(&text)),
            Deed::Write { text, reply_to: Some(line) } => drop(who.replies_to(known(&line)?, &text)),
            Deed::Press { line, data } => drop(who.presses(known(&line)?, &data)),
            Deed::Edit { line, text } => drop(who.edits(known(&line)?, &text)),
            Deed::React { line, sign } => drop(who.reacts(known(&line)?, &sign)),
            Deed::ShareContact => drop(who.shares_own_contact()),
            Deed::Block => drop(who.blocks()),
            Deed::Unblock => drop(who.unblocks()),
            Deed::LoseNextAnswer => {
                self.bot.faults().add(
                    sim::Rule::new(sim::Fault::DropAfterAccept).method("sendMessage").chat(who.chat_id()),
                );
            }
        }
        Ok(())
    }

    fn send_file(&self, customer: &str, file: Upload, caption: &str) -> Result<(), String> {
        let who = self.people.known(customer)?;
        let upload = sim::Upload::new(file.name, file.mime.clone(), file.bytes);
        match file.mime.split_once('/') {
            Some(("image", "jpeg" | "png" | "webp")) => who.sends_photo(upload, caption),
            Some(("video", _)) => who.sends_video(upload, caption),
            Some(("audio", "ogg")) => who.sends_voice(upload),
            Some(("audio", _)) => who.sends_audio(upload, caption),
            _ => who.sends_document(upload, caption),
        };
        self.people.set_blocked(customer, false);
        Ok(())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.bot.sim().watch()
    }
}

/// A message of the transcript, in the words of the customer's page.
fn line(entry: &sim::Entry) -> Line {
    let contact = entry.json.get("contact").map(|card| format!("📇 +{}", text_at(card, "phone_number")));
    let buttons = entry.buttons().into_iter();
    Line {
        id: entry.message_id.to_string(),
        own: matches!(entry.author, sim::Author::Person(_)),
        text: contact.unwrap_or_else(|| entry.text().to_owned()),
        at: entry.json.get("date").and_then(Value::as_i64).unwrap_or_default() * 1000,
        file: file(entry),
        buttons: buttons.map(|b| LineButton { label: b.text, data: b.callback_data, url: b.url }).collect(),
        reply_to: entry.reply_to().map(|id| id.to_string()),
        signs: entry.emoji(),
        edited: entry.edits > 0,
        deleted: entry.deleted,
    }
}

fn file(entry: &sim::Entry) -> Option<LineFile> {
    let kind = match entry.kind() {
        "photo" => MediaKind::Image,
        "video" => MediaKind::Video,
        "animation" => MediaKind::Animation,
        "video_note" => MediaKind::VideoNote,
        "audio" => MediaKind::Audio,
        "voice" => MediaKind::Voice,
        "document" => MediaKind::File,
        _ => return None,
    };
    let object = entry.json.get(entry.kind())?;
    // A photo is a list of sizes, the largest last.
    let object = object.as_array().map_or(Some(object), |sizes| sizes.last())?;
    let named = |field: &str| object.get(field).and_then(Value::as_str).map(str::to_owned);
    Some(LineFile {
        at: FileAt::Provider(MediaRef::new(named("file_id")?)),
        kind,
        name: named("file_name"),
        mime: named("mime_type"),
    })
}

fn text_at<'v>(object: &'v Value, field: &str) -> &'v str {
    object.get(field).and_then(Value::as_str).unwrap_or_default()
}
