//! A VK community, simulated.

use std::error::Error;

use omni::core::media::MediaKind;
use omni::vk::PROVIDER;
use omni::{ChannelKey, Provider};
use omni_testkit::sim::{Fault, Rule};
use omni_testkit::vk as sim;
use serde_json::json;
use tokio::sync::watch;

use super::people::{People, impossible, secret, unique};
use super::{Customer, Deed, FileAt, Line, LineButton, LineFile, Simulator, Upload};
use crate::config::ChannelSettings;

const TITLE: &str = "Sneakers, VK";
const GROUP: i64 = 123_456;
/// Reactions that the page offers, by VK's numbers.
const SIGNS: [(&str, i64); 3] = [("❤", 1), ("🔥", 2), ("👍", 4)];

/// One community, and whoever writes to it.
pub(super) struct Vk {
    server: sim::VkSim,
    community: sim::Community,
    channel: ChannelKey,
    people: People<sim::Customer>,
}

impl Vk {
    pub(super) async fn start() -> Result<(Self, ChannelSettings), Box<dyn Error>> {
        let server = sim::VkSim::start(sim::SimConfig::default()).await?;
        let community = server.add_community(sim::CommunityProfile::new(GROUP, TITLE, "sneaker_shop"));
        let token = community.token(&sim::Scope::ALL);
        let settings = ChannelSettings {
            tenant: "demo".to_owned(),
            id: "vk-group".to_owned(),
            provider: PROVIDER,
            title: Some(TITLE.to_owned()),
            policy: None,
            config: json!({
                "token": token, "group_id": GROUP, "secret": secret(), "base_url": server.base_url()
            }),
        };
        let people = People::new();
        Ok((Self { server, community, channel: settings.key(), people }, settings))
    }
}

impl Simulator for Vk {
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
        &["❤", "🔥", "👍"]
    }

    fn customers(&self) -> Vec<Customer> {
        self.people.list()
    }

    fn enter(&self, name: &str) -> Customer {
        let id = i64::try_from(unique() % 1_000_000_000).unwrap_or_default() + 1;
        let id = id + i64::try_from(self.people.count()).unwrap_or_default();
        let (first, last) = name.split_once(' ').unwrap_or((name, ""));
        self.people.add(id.to_string(), name, self.community.customer(sim::User::new(id, first, last)))
    }

    fn chat(&self, customer: &str) -> Option<Vec<Line>> {
        Some(self.people.handle(customer)?.transcript().iter().map(line).collect())
    }

    fn act(&self, customer: &str, deed: Deed) -> Result<(), String> {
        let who = self.people.known(customer)?;
        let number = |line: &str| line.parse::<i64>().map_err(|_| "there is no such message".to_owned());
        match deed {
            Deed::Start { token } => who.comes_by(&token, None),
            Deed::Write { text, .. } if text.trim().is_empty() => {
                return Err("there is nothing to send".to_owned());
            }
            Deed::Write { text, reply_to: None } => drop(who.writes(&text)),
            Deed::Write { text, reply_to: Some(line) } => drop(who.replies_to(number(&line)?, &text)),
            Deed::Press { line, data } => {
                let at = number(&line)?;
                let entry = who.transcript().into_iter().find(|entry| entry.cmid == at);
                let key =
                    entry.and_then(|e| e.keys().into_iter().find(|k| k.payload.as_deref() == Some(&data)));
                let key = key.ok_or("there is no such key")?;
                who.presses_under(at, &key.label);
            }
            Deed::Edit { line, text } => who.edits(number(&line)?, &text),
            Deed::React { line, sign } => match SIGNS.iter().find(|(shown, _)| *shown == sign) {
                Some((_, reaction)) => who.reacts(number(&line)?, *reaction),
                None => who.takes_reaction_off(number(&line)?),
            },
            Deed::ShareContact => return impossible("sharing a card"),
            Deed::Block => {
                who.denies();
                self.people.set_blocked(customer, true);
            }
            Deed::Unblock => {
                who.allows("");
                self.people.set_blocked(customer, false);
            }
            Deed::LoseNextAnswer => {
                self.server.faults().add(Rule::new(Fault::DropAfterAccept).name("messages.send"));
            }
        }
        Ok(())
    }

    fn send_file(&self, customer: &str, file: Upload, caption: &str) -> Result<(), String> {
        let who = self.people.known(customer)?;
        let upload = sim::Upload::new(file.name, file.bytes);
        match file.mime.split_once('/') {
            Some(("image", _)) => drop(who.sends_photo(upload, caption)),
            Some(("audio", _)) => drop(who.sends_voice(upload)),
            _ => drop(who.sends_document(upload, caption)),
        }
        Ok(())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.server.ground().watch()
    }
}

/// A message of the talk, in the words of the customer's page.
fn line(entry: &sim::Entry) -> Line {
    let date = entry.json.get("date").and_then(serde_json::Value::as_i64).unwrap_or_default();
    let buttons = entry.keys().into_iter();
    let signs = entry.reactions.values().filter_map(|reaction| {
        SIGNS.iter().find(|(_, number)| number == reaction).map(|(sign, _)| (*sign).to_owned())
    });
    Line {
        id: entry.cmid.to_string(),
        own: !entry.is_ours(),
        text: entry.shown().text,
        at: date * 1000,
        file: entry.files.first().map(file),
        buttons: buttons
            .map(|key| LineButton { label: key.label, data: key.payload, url: key.link })
            .collect(),
        reply_to: entry.reply_to().map(|id| id.to_string()),
        signs: signs.collect(),
        edited: entry.edits > 0,
        deleted: entry.deleted,
    }
}

fn file(sent: &sim::SentFile) -> LineFile {
    let kind = match sent.kind {
        "photo" | "graffiti" => MediaKind::Image,
        "audio_message" => MediaKind::Voice,
        _ => MediaKind::File,
    };
    LineFile { at: FileAt::App(sent.bytes.clone()), kind, name: Some(sent.name.clone()), mime: None }
}
