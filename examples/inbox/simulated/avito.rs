//! A seller at Avito, simulated.

use std::error::Error;

use omni::avito::PROVIDER;
use omni::core::media::MediaKind;
use omni::{ChannelKey, Provider};
use omni_testkit::avito as sim;
use omni_testkit::sim::{Fault, Rule};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::people::{People, impossible, secret, unique};
use super::{Customer, Deed, FileAt, Line, LineFile, Simulator, Upload};
use crate::config::ChannelSettings;

const TITLE: &str = "Sneakers, Avito";
const ACCOUNT: i64 = 70_010_001;

/// One account, and whoever writes about its adverts.
pub(super) struct Avito {
    server: sim::AvitoSim,
    seller: sim::Seller,
    channel: ChannelKey,
    people: People<sim::Buyer>,
}

impl Avito {
    pub(super) async fn start() -> Result<(Self, ChannelSettings), Box<dyn Error>> {
        let server = sim::AvitoSim::start().await?;
        let key = secret();
        let seller = server.add_account(sim::Account::new(ACCOUNT, TITLE, "demo-client", &key));
        let settings = ChannelSettings {
            tenant: "demo".to_owned(),
            id: "avito-shop".to_owned(),
            provider: PROVIDER,
            title: Some(TITLE.to_owned()),
            policy: None,
            config: json!({
                "client_id": "demo-client", "client_secret": key, "webhook_secret": secret(),
                "base_url": server.base_url()
            }),
        };
        Ok((Self { server, seller, channel: settings.key(), people: People::new() }, settings))
    }
}

impl Simulator for Avito {
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
        let id = i64::try_from(unique()).unwrap_or_default();
        let id = id + i64::try_from(self.people.count()).unwrap_or_default();
        let buyer = self.seller.buyer(id, name).about(5_500_550_055, "Кроссовки, белые, 42");
        self.people.add(id.to_string(), name, buyer)
    }

    fn chat(&self, customer: &str) -> Option<Vec<Line>> {
        let buyer = self.people.handle(customer)?;
        Some(buyer.transcript().iter().map(|entry| line(&buyer, entry)).collect())
    }

    fn act(&self, customer: &str, deed: Deed) -> Result<(), String> {
        let who = self.people.known(customer)?;
        match deed {
            Deed::Write { text, .. } if text.trim().is_empty() => {
                return Err("there is nothing to send".to_owned());
            }
            Deed::Write { text, reply_to: None } => drop(who.writes(&text)),
            Deed::Write { text, reply_to: Some(line) } => drop(who.answers(&line, &text)),
            Deed::LoseNextAnswer => {
                self.server.faults().add(Rule::new(Fault::DropAfterAccept).name("send_text"));
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
        match file.mime.split_once('/') {
            Some(("image", _)) => drop(who.sends_image(file.bytes)),
            Some(("audio", _)) => drop(who.sends_voice(file.bytes)),
            _ => return impossible("sending such a file"),
        }
        if !caption.trim().is_empty() {
            who.writes(caption);
        }
        Ok(())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.server.ground().watch()
    }
}

/// A message of the chat, in the words of the customer's page.
fn line(buyer: &sim::Buyer, entry: &sim::Entry) -> Line {
    let text = entry.content.get("text").and_then(Value::as_str).unwrap_or_default();
    let picture = buyer.image(entry).map(|bytes| LineFile {
        at: FileAt::App(bytes),
        kind: MediaKind::Image,
        name: None,
        mime: None,
    });
    Line {
        id: entry.id.clone(),
        own: entry.author != ACCOUNT,
        text: text.to_owned(),
        at: entry.created * 1000,
        file: picture,
        buttons: Vec::new(),
        reply_to: entry.quote.clone(),
        signs: Vec::new(),
        edited: false,
        deleted: entry.kind == "deleted",
    }
}
