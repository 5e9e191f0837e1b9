//! A dealer at Auto.ru, simulated.

use std::error::Error;

use omni::autoru::PROVIDER;
use omni::core::media::MediaKind;
use omni::{ChannelKey, Provider};
use omni_testkit::autoru as sim;
use omni_testkit::sim::{Fault, Rule};
use serde_json::json;
use tokio::sync::watch;
use url::Url;

use super::people::{People, impossible, secret, unique};
use super::{Customer, Deed, FileAt, Line, LineFile, Simulator, Upload};
use crate::config::ChannelSettings;

const TITLE: &str = "Cars, Auto.ru";

/// One dealer, and whoever writes about the cars.
pub(super) struct Autoru {
    server: sim::AutoruSim,
    channel: ChannelKey,
    people: People<sim::Buyer>,
}

impl Autoru {
    pub(super) async fn start() -> Result<(Self, ChannelSettings), Box<dyn Error>> {
        let chat_id = secret();
        let server = sim::AutoruSim::start(sim::Dealer::new(&chat_id)).await?;
        let settings = ChannelSettings {
            tenant: "demo".to_owned(),
            id: "autoru-dealer".to_owned(),
            provider: PROVIDER,
            title: Some(TITLE.to_owned()),
            policy: None,
            config: json!({ "chat_id": chat_id, "base_url": server.hook_url(), "name": TITLE }),
        };
        Ok((Self { server, channel: settings.key(), people: People::new() }, settings))
    }
}

impl Simulator for Autoru {
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
        let id = format!("{:x}{}", unique(), self.people.count());
        self.people.add(id.clone(), name, self.server.buyer(&id, name))
    }

    fn chat(&self, customer: &str) -> Option<Vec<Line>> {
        Some(self.people.handle(customer)?.talk().iter().map(line).collect())
    }

    fn act(&self, customer: &str, deed: Deed) -> Result<(), String> {
        let who = self.people.known(customer)?;
        match deed {
            Deed::Write { text, .. } if text.trim().is_empty() => {
                return Err("there is nothing to send".to_owned());
            }
            Deed::Write { text, .. } => drop(who.writes(&text)),
            Deed::LoseNextAnswer => {
                self.server.faults().add(Rule::new(Fault::DropAfterAccept).name("hook"));
            }
            Deed::Start { .. } => return impossible("coming by a link"),
            Deed::Press { .. } => return impossible("pressing keys"),
            Deed::Edit { .. } => return impossible("editing"),
            Deed::React { .. } => return impossible("reacting"),
            Deed::ShareContact => return impossible("sharing a card"),
            Deed::Block | Deed::Unblock => return impossible("blocking"),
        }
        Ok(())
    }

    fn send_file(&self, customer: &str, file: Upload, caption: &str) -> Result<(), String> {
        let who = self.people.known(customer)?;
        if !file.mime.starts_with("image/") {
            return impossible("sending such a file");
        }
        who.sends_picture(file.bytes);
        if !caption.trim().is_empty() {
            who.writes(caption);
        }
        Ok(())
    }

    fn is_told_webhook(&self, at: &Url) {
        self.server.types_in_cabinet(at.as_str());
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.server.ground().watch()
    }
}

/// A message of the talk, in the words of the customer's page.
fn line(entry: &sim::Entry) -> Line {
    let (text, picture) = match &entry.said {
        sim::Said::Text(text) | sim::Said::Html(text) => (text.clone(), None),
        sim::Said::Picture(at) => (String::new(), Url::parse(at).ok()),
    };
    let file = picture.map(|at| LineFile {
        at: FileAt::Address(at),
        kind: MediaKind::Image,
        name: None,
        mime: None,
    });
    Line {
        id: entry.id.clone(),
        own: entry.side == sim::Side::Buyer,
        text,
        at: entry.at.as_millis(),
        file,
        buttons: Vec::new(),
        reply_to: None,
        signs: Vec::new(),
        edited: false,
        deleted: false,
    }
}
