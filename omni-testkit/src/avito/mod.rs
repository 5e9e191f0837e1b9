//! A simulator of Avito's Messenger API: accounts of sellers, their keys and tokens, buyers who write, webhooks.
//!
//! Strict where Avito is described to be: tokens run out and open their own account only, a refresh token is good
//! once, a body with an unknown field is refused, the path of messages ends with a slash. What is not described (how
//! often a webhook is tried again, what signs it) is simulated in one way and proves nothing of the true one.
//!
//! ```
//! # async fn example() -> std::io::Result<()> {
//! use omni_testkit::avito::{Account, AvitoSim};
//!
//! let sim = AvitoSim::start().await?;
//! let seller = sim.add_account(Account::new(70_010_001, "Авто Плюс", "aB3kQ", "zX9"));
//! let buyer = seller.buyer(80_020_002, "Иван").about(5_500_550_055, "Kia Rio 2019");
//! buyer.writes("Ещё продаёте? 👋");
//! println!("configure base_url = {}", sim.base_url());
//! # Ok(())
//! # }
//! ```
//!
//! Source: <https://developers.avito.ru/api-catalog/messenger/documentation>, read through the copy of its OpenAPI
//! description in <https://github.com/elchin92/avito-mcp> (read 2026-11).

mod calls;
mod site;
mod state;
#[cfg(test)]
mod tests;

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use omni_core::crypto::hmac_sha256;
use serde_json::{Value, json};

pub use site::{AvitoSite, refusal};
pub use state::{Account, Advert, Chat, ChatType, Entry};

use crate::sim::{Answered, Call, Faults, Ground, Hook, Poster, Server, Verdict};
use state::{Said, Voice, put, seconds};

/// How often a webhook is tried in all. Avito does not document it.
const TRIES: u32 = 3;
/// How long the simulator waits between two tries.
const PAUSE: Duration = Duration::from_millis(10);

/// A running simulator. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct AvitoSim {
    server: Server<AvitoSite>,
}

impl AvitoSim {
    /// Starts one on 127.0.0.1.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> io::Result<Self> {
        let site = |ground: &Ground| AvitoSite::new(ground, Poster::new(ground, verdict));
        Ok(Self { server: Server::start(site).await? })
    }

    /// What to configure as address of the API.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.server.ground().base_url()
    }

    /// The clock.
    #[must_use]
    pub fn ground(&self) -> &Ground {
        self.server.ground()
    }

    /// Scripts trouble; calls are named `token`, `account`, `subscribe`, `subscriptions`, `unsubscribe`, `chats`,
    /// `chat`, `messages`, `sendMessage`, `sendImage`, `deleteMessage`, `markRead`, `uploadImages`,
    /// `getVoiceFiles`, `blacklist` and `media`.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.server.faults()
    }

    /// How webhooks go out.
    #[must_use]
    pub fn hooks(&self) -> &Poster {
        &self.server.site().poster
    }

    /// All calls in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.server.calls()
    }

    /// Calls of a name that took effect, in order.
    #[must_use]
    pub fn accepted(&self, name: &str) -> Vec<Call> {
        self.server.accepted(name)
    }

    /// Opens an account.
    #[must_use]
    pub fn add_account(&self, account: Account) -> Seller {
        let id = account.id;
        self.server.site().state().accounts.insert(id, account);
        Seller { server: self.server.clone(), id }
    }
}

fn verdict(hook: &Hook, answer: &Answered) -> Verdict {
    match answer.status.map(|status| status.as_u16()) {
        Some(200) => Verdict::Taken,
        _ if hook.attempt + 1 < TRIES => Verdict::Again(PAUSE),
        _ => Verdict::Dropped,
    }
}

impl Account {
    /// An account with keys of its own.
    #[must_use]
    pub fn new(id: i64, name: &str, client_id: &str, client_secret: &str) -> Self {
        let [name, client_id, client_secret] = [name, client_id, client_secret].map(str::to_owned);
        Self { id, name, client_id, client_secret }
    }
}

/// A seller's account at the simulator.
#[derive(Clone, Debug)]
pub struct Seller {
    server: Server<AvitoSite>,
    id: i64,
}

impl Seller {
    fn site(&self) -> &AvitoSite {
        self.server.site()
    }

    /// Lets an application with these keys act for the account: a refresh token, good once.
    #[must_use]
    pub fn allows(&self) -> String {
        self.grant("rT")
    }

    /// The same by the code of a redirect, good once.
    #[must_use]
    pub fn code(&self) -> String {
        self.grant("code")
    }

    fn grant(&self, name: &str) -> String {
        let mut state = self.site().state();
        let grant = format!("{name}-{:024x}", state.next());
        state.grants.insert(grant.clone(), self.id);
        grant
    }

    /// Lets every access token run out at once.
    pub fn expires_tokens(&self) {
        self.site().state().tokens.retain(|_, token| token.account != self.id);
    }

    /// Refuses keys and tokens from now on.
    pub fn revokes(&self) {
        self.site().state().revoked.push(self.id);
    }

    /// Takes the right `user:read` from every token.
    pub fn hides_account(&self) {
        self.site().state().lacks_user_read = true;
    }

    /// Somebody who writes to the account; the chat is opened from an advert with the first message.
    #[must_use]
    pub fn buyer(&self, id: i64, name: &str) -> Buyer {
        self.opens(ChatType::U2i, id, name)
    }

    /// The same with a chat of another type.
    #[must_use]
    pub fn opens(&self, kind: ChatType, id: i64, name: &str) -> Buyer {
        let site = self.site();
        let now = seconds(site.now());
        let mut state = site.state();
        let known = state.chats.iter().find(|c| (c.account, c.buyer, c.kind) == (self.id, id, kind));
        let chat = known.map(|chat| chat.id.clone()).unwrap_or_else(|| {
            let chat = format!("{}-AbCdEf~{}", kind.as_str(), state.next());
            state.chats.push(Chat {
                id: chat.clone(),
                kind,
                account: self.id,
                buyer: id,
                buyer_name: name.to_owned(),
                advert: None,
                created: now,
                updated: now,
                entries: Vec::new(),
            });
            chat
        });
        Buyer { seller: self.clone(), id, chat }
    }

    /// Posts a payload of a test's own making to the account's webhooks.
    pub fn posts(&self, payload: &Value) {
        post(self.site(), self.id, "own", payload);
    }

    /// Where webhooks of the account go.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<String> {
        let state = self.site().state();
        state.subscriptions.iter().filter(|(of, _)| *of == self.id).map(|(_, url)| url.clone()).collect()
    }

    /// Registers a webhook without a call, as somebody else's program did.
    pub fn subscribes(&self, url: &str) {
        self.site().state().subscriptions.push((self.id, url.to_owned()));
    }

    /// Who was put on the blacklist, as the calls named them.
    #[must_use]
    pub fn blacklist(&self) -> Vec<Value> {
        self.site().state().blacklist.clone()
    }
}

/// Somebody on the other side of one chat.
#[derive(Clone, Debug)]
pub struct Buyer {
    seller: Seller,
    id: i64,
    chat: String,
}

impl Buyer {
    /// The same about an advert.
    #[must_use]
    pub fn about(self, id: i64, title: &str) -> Self {
        let advert = Advert { id, title: title.to_owned(), price: "1 100 000 ₽".to_owned() };
        if let Some(chat) = self.seller.site().state().chat_mut(self.seller.id, &self.chat) {
            chat.advert = Some(advert);
        }
        self
    }

    /// The chat's id.
    #[must_use]
    pub fn chat_id(&self) -> &str {
        &self.chat
    }

    fn says(&self, author: i64, kind: &'static str, content: Value, quote: Option<&str>) -> Entry {
        let site = self.seller.site();
        let said = Said { author, kind, content, quote: quote.map(str::to_owned) };
        let entry = site.state().say(self.seller.id, &self.chat, said, site.now());
        let Some(entry) = entry else { panic!("the chat {} is gone", self.chat) };
        hook(site, self.seller.id, &self.chat, &entry);
        site.changed();
        entry
    }

    /// Writes a text.
    pub fn writes(&self, text: &str) -> Entry {
        self.says(self.id, "text", json!({"text": text}), None)
    }

    /// Answers a message.
    pub fn answers(&self, message: &str, text: &str) -> Entry {
        self.says(self.id, "text", json!({"text": text}), Some(message))
    }

    /// Sends a picture.
    pub fn sends_image(&self, bytes: Bytes) -> Entry {
        let site = self.seller.site();
        let image = calls::keep_image(site, self.seller.id, bytes);
        self.says(self.id, "image", calls::image_content(site, &image), None)
    }

    /// Sends a voice message.
    pub fn sends_voice(&self, bytes: Bytes) -> Entry {
        let mut state = self.seller.site().state();
        let id = format!("vc-{}", state.next());
        state.voices.insert(id.clone(), Voice { account: self.seller.id, bytes });
        drop(state);
        self.says(self.id, "voice", json!({"voice": {"voice_id": id}}), None)
    }

    /// Sends anything, by its type and content.
    pub fn sends(&self, kind: &'static str, content: Value) -> Entry {
        self.says(self.id, kind, content, None)
    }

    /// The seller writes in Avito's own app.
    pub fn is_answered_in_the_app(&self, text: &str) -> Entry {
        self.says(self.seller.id, "text", json!({"text": text}), None)
    }

    /// Deletes a message: it stays under its id as a deleted one, and is told so.
    pub fn deletes(&self, message: &str) {
        let site = self.seller.site();
        let mut state = site.state();
        let chat = state.chat_mut(self.seller.id, &self.chat);
        let now = seconds(site.now());
        let found = chat.and_then(|chat| {
            chat.updated = now;
            let entry = chat.entries.iter_mut().find(|entry| entry.id == message)?;
            (entry.kind, entry.content) = ("deleted".to_owned(), json!({}));
            Some(entry.clone())
        });
        drop(state);
        if let Some(entry) = found {
            hook(site, self.seller.id, &self.chat, &entry);
            site.changed();
        }
    }

    /// Reads all that the seller wrote. No webhook tells it.
    pub fn reads(&self) {
        let site = self.seller.site();
        let now = seconds(site.now());
        if let Some(chat) = site.state().chat_mut(self.seller.id, &self.chat) {
            let unread = chat.entries.iter_mut().filter(|e| e.author == chat.account && e.read.is_none());
            unread.for_each(|entry| entry.read = Some(now));
        }
        site.changed();
    }

    /// Says something known by its name and broken inside, in history and webhooks alike.
    pub fn says_what_nobody_can_read(&self) -> Entry {
        let site = self.seller.site();
        let said = Said { author: self.id, kind: "text", content: json!({"text": "?"}), quote: None };
        let mut state = site.state();
        let entry = state.say(self.seller.id, &self.chat, said, site.now());
        let chat = state.chat_mut(self.seller.id, &self.chat);
        let Some((entry, chat)) = entry.zip(chat) else { panic!("the chat {} is gone", self.chat) };
        let spoil = |mut shown: Value| {
            put(&mut shown, "author_id", json!("кто-то"));
            shown
        };
        let (told, hooked) = (spoil(chat.told(&entry)), spoil(chat.hooked(&entry)));
        if let Some(last) = chat.entries.last_mut() {
            last.broken = Some(told);
        }
        drop(state);
        post(site, self.seller.id, &self.chat, &json!({"type": "message", "value": hooked}));
        site.changed();
        entry
    }

    /// Takes the chat away.
    pub fn leaves(&self) {
        self.seller.site().state().chats.retain(|chat| chat.id != self.chat);
    }

    /// The chat as it is now.
    #[must_use]
    pub fn transcript(&self) -> Vec<Entry> {
        let state = self.seller.site().state();
        state.chat(self.seller.id, &self.chat).map(|chat| chat.entries.clone()).unwrap_or_default()
    }

    /// The bytes of a picture in the chat.
    #[must_use]
    pub fn image(&self, entry: &Entry) -> Option<Bytes> {
        let sizes = entry.content.pointer("/image/sizes")?.as_object()?;
        let id = sizes.values().next()?.as_str()?.rsplit('/').next()?;
        self.seller.site().state().uploads.get(id).map(|(_, bytes)| bytes.clone())
    }
}

/// Tells a message to the webhooks of its account.
fn hook(site: &AvitoSite, account: i64, chat: &str, entry: &Entry) {
    let value = site.state().chat(account, chat).map(|chat| chat.hooked(entry));
    let Some(value) = value else { return };
    post(site, account, chat, &json!({"type": "message", "value": value}));
}

fn post(site: &AvitoSite, account: i64, lane: &str, payload: &Value) {
    let mut state = site.state();
    let delivery = format!("6f1c0d2e-aaaa-4bbb-8ccc-{:012x}", state.next());
    let body =
        json!({"id": delivery, "version": "v3.0.0", "timestamp": seconds(site.now()), "payload": payload});
    let body = Bytes::from(body.to_string());
    let key = state.accounts.get(&account).map(|account| account.client_secret.clone()).unwrap_or_default();
    let own = state.subscriptions.iter().filter(|(of, _)| *of == account);
    let urls: Vec<String> = own.map(|(_, url)| url.clone()).collect();
    drop(state);
    for url in urls {
        let mut hook = Hook::json(format!("{lane} {url}"), url, body.clone());
        hook.headers.insert("x-avito-messenger-signature", signature(&key, &body));
        site.poster.post(hook);
    }
}

/// The guess in circulation: what Avito signs with is documented nowhere.
fn signature(key: &str, body: &[u8]) -> HeaderValue {
    let hex: String = hmac_sha256(key.as_bytes(), body).iter().map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&hex).unwrap_or(HeaderValue::from_static(""))
}
