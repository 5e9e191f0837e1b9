//! What happens on the other side: a buyer, and whoever else writes into the talk.

use bytes::Bytes;
use serde_json::{Value, json};

use super::AutoruSim;
use super::state::{Entry, Said, Side};

/// A buyer with one talk about one advert.
#[derive(Clone, Debug)]
pub struct Buyer {
    sim: AutoruSim,
    id: String,
}

impl Buyer {
    pub(super) fn new(sim: AutoruSim, id: &str) -> Self {
        Self { sim, id: id.to_owned() }
    }

    /// The id in webhooks.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The id of the room of the REST API.
    #[must_use]
    pub fn room(&self) -> String {
        self.sim.state().talk(&self.id, "").room.clone()
    }

    /// Title of the advert.
    #[must_use]
    pub fn advert(&self) -> &'static str {
        "Kia Rio IV, 1 100 000 ₽"
    }

    /// The buyer writes. Gives the message's id.
    pub fn writes(&self, words: &str) -> String {
        let entry = self.says(Side::Buyer, Said::Text(words.to_owned()));
        self.hook(&json!({"type": "text", "id": entry.id, "text": words}));
        entry.id
    }

    /// The buyer sends a picture. Gives the message's id.
    pub fn sends_picture(&self, bytes: impl Into<Bytes>) -> String {
        let mut state = self.sim.state();
        let name = format!("{}.jpg", state.number());
        state.pictures.insert(name.clone(), bytes.into());
        drop(state);
        let url = format!("{}/picture/{name}", self.sim.ground().base_url());
        let entry = self.says(Side::Buyer, Said::Picture(url.clone()));
        self.hook(&json!({"type": "photo", "id": entry.id, "file": url, "thumb": url}));
        entry.id
    }

    /// The buyer reads everything.
    pub fn reads(&self) {
        let now = self.sim.ground().now();
        self.sim.state().talk(&self.id, "").is_read_by_buyer(now);
        self.sim.ground().changed();
    }

    /// A manager answers in Auto.ru's own app; webhooks do not tell of it.
    pub fn is_answered_in_the_app(&self, words: &str) -> String {
        self.says(Side::Manager, Said::Text(words.to_owned())).id
    }

    /// Auto.ru writes by itself, with tags.
    pub fn is_told_by_the_service(&self, html: &str) -> String {
        self.says(Side::Service, Said::Html(html.to_owned())).id
    }

    /// Puts something between the messages of the room that nobody can read.
    pub fn gets_an_oddity(&self, oddity: Value) {
        let mut state = self.sim.state();
        let talk = state.talk(&self.id, "");
        talk.oddity = Some((talk.entries.len(), oddity));
    }

    /// The talk as the buyer's app shows it.
    #[must_use]
    pub fn talk(&self) -> Vec<Entry> {
        self.sim.state().talk(&self.id, "").entries.clone()
    }

    fn says(&self, side: Side, said: Said) -> Entry {
        let now = self.sim.ground().now();
        let entry = self.sim.state().says(&self.id, side, said, now);
        self.sim.ground().changed();
        entry
    }

    fn hook(&self, message: &Value) {
        let name = self.sim.state().talk(&self.id, "").name.clone();
        let sender = json!({
            "id": self.id,
            "name": name,
            // The car, not the person.
            "photo": format!("{}/picture/car.jpg", self.sim.ground().base_url()),
            "url": "https://auto.ru/cars/used/sale/1100000001-aabbccdd",
            "title": self.advert(),
        });
        let body = json!({"sender": sender, "message": message});
        self.sim.server.site().posts(&self.id, body.to_string().into());
    }
}
