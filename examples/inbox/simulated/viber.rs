//! A Viber bot, simulated.

use std::error::Error;

use omni::core::media::MediaKind;
use omni::viber::PROVIDER;
use omni::{ChannelKey, Provider};
use omni_testkit::sim::{Fault, Rule};
use omni_testkit::viber as sim;
use serde_json::{Value, json};
use tokio::sync::watch;
use url::Url;

use super::people::{People, impossible, secret, unique};
use super::{Customer, Deed, FileAt, Line, LineButton, LineFile, Simulator, Upload};
use crate::config::ChannelSettings;

const TITLE: &str = "Sneakers, Viber";

/// One bot, and whoever writes to it.
pub(super) struct Viber {
    server: sim::ViberSim,
    bot: sim::Bot,
    channel: ChannelKey,
    people: People<sim::Customer>,
}

impl Viber {
    pub(super) async fn start() -> Result<(Self, ChannelSettings), Box<dyn Error>> {
        let server = sim::ViberSim::start().await?;
        let token = secret();
        let bot = server.add_bot(&token, TITLE, "sneakershop");
        let settings = ChannelSettings {
            tenant: "demo".to_owned(),
            id: "viber-bot".to_owned(),
            provider: PROVIDER,
            title: Some(TITLE.to_owned()),
            policy: None,
            config: json!({
                "token": token, "base_url": server.base_url(),
                "welcome": "Здравствуйте! Напишите нам, и мы ответим 👟"
            }),
        };
        Ok((Self { server, bot, channel: settings.key(), people: People::new() }, settings))
    }
}

impl Simulator for Viber {
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
        &[]
    }

    fn customers(&self) -> Vec<Customer> {
        self.people.list()
    }

    fn enter(&self, name: &str) -> Customer {
        let id = format!("{:x}{}==", unique(), self.people.count());
        self.people.add(id.clone(), name, self.bot.customer(sim::Person::new(id, name)))
    }

    fn chat(&self, customer: &str) -> Option<Vec<Line>> {
        Some(self.people.handle(customer)?.transcript().iter().map(line).collect())
    }

    fn act(&self, customer: &str, deed: Deed) -> Result<(), String> {
        let who = self.people.known(customer)?;
        match deed {
            Deed::Start { token } => who.opens(Some(&token)),
            Deed::Write { text, .. } if text.trim().is_empty() => {
                return Err("there is nothing to send".to_owned());
            }
            Deed::Write { text, .. } => {
                who.writes(&text);
                self.people.set_blocked(customer, false);
            }
            Deed::Press { line, data } => {
                let entry = who.transcript().into_iter().find(|entry| entry.token.to_string() == line);
                let keys = entry.map(|entry| entry.keys()).unwrap_or_default();
                let key = keys.iter().find(|key| text_at(key, "ActionBody") == data);
                if !key.is_some_and(|key| who.presses(text_at(key, "Text"))) {
                    return Err("there is no such key".to_owned());
                }
            }
            Deed::ShareContact => drop(who.sends_contact("Я", "+375291112233")),
            Deed::Block => {
                who.unsubscribes();
                self.people.set_blocked(customer, true);
            }
            Deed::Unblock => {
                who.subscribes();
                self.people.set_blocked(customer, false);
            }
            Deed::LoseNextAnswer => {
                self.server.faults().add(Rule::new(Fault::DropAfterAccept).name("send_message"));
            }
            Deed::Edit { .. } => return impossible("editing"),
            Deed::React { .. } => return impossible("reacting"),
        }
        Ok(())
    }

    fn send_file(&self, customer: &str, file: Upload, caption: &str) -> Result<(), String> {
        let who = self.people.known(customer)?;
        let kind = match file.mime.split_once('/') {
            Some(("image", _)) => "picture",
            Some(("video", _)) => "video",
            _ => "file",
        };
        let upload = sim::Upload::new(file.name, file.mime, file.bytes);
        let at = self.server.publish(&upload);
        who.sends_file(kind, at.as_str(), &upload, caption);
        self.people.set_blocked(customer, false);
        Ok(())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.server.ground().watch()
    }
}

/// A message of the chat, in the words of the customer's page.
fn line(entry: &sim::Entry) -> Line {
    let card = entry.json.get("contact").map(|card| format!("📇 {}", text_at(card, "phone_number")));
    let buttons = entry.keys().into_iter().filter(|key| !text_at(key, "Text").is_empty());
    let button = |key: Value| {
        let opens = text_at(&key, "ActionType") == "open-url";
        let body = text_at(&key, "ActionBody").to_owned();
        let (data, url) = if opens { (None, Some(body)) } else { (Some(body), None) };
        LineButton { label: text_at(&key, "Text").to_owned(), data, url }
    };
    Line {
        id: entry.token.to_string(),
        own: entry.from == sim::From::Customer,
        text: card.unwrap_or_else(|| entry.text().to_owned()),
        at: entry.at.as_millis(),
        file: file(entry),
        buttons: buttons.map(button).collect(),
        reply_to: None,
        signs: Vec::new(),
        edited: false,
        deleted: false,
    }
}

fn file(entry: &sim::Entry) -> Option<LineFile> {
    let kind = match entry.kind() {
        "picture" => MediaKind::Image,
        "video" => MediaKind::Video,
        "file" => MediaKind::File,
        _ => return None,
    };
    let at = FileAt::Address(Url::parse(entry.field("media")).ok()?);
    let name = Some(entry.field("file_name")).filter(|name| !name.is_empty()).map(str::to_owned);
    Some(LineFile { at, kind, name, mime: None })
}

fn text_at<'v>(object: &'v Value, field: &str) -> &'v str {
    object.get(field).and_then(Value::as_str).unwrap_or_default()
}
