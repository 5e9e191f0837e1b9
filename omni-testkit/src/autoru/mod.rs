//! A simulator of Auto.ru's chats: real HTTP on loopback, both ways, over both interfaces.
//!
//! The dealer's side is the wire protocol of <https://yandex.ru/dev/autoru/doc/ru/reference/all-resources> (read 2026-11): the
//! webhook of a buyer's message, operators' messages posted back, and the chat rooms of the REST API. The buyers' side
//! is typed Rust: a person writes, sends pictures, reads; a manager answers in Auto.ru's own app. One talk is seen
//! through both interfaces, under ids that have nothing in common, as at Auto.ru.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use omni_testkit::autoru::{AutoruSim, Dealer};
//!
//! let sim = AutoruSim::start(Dealer::new("Vj72x3B9NTk0qLw4Zr81mXc5")).await?;
//! sim.types_in_cabinet("http://127.0.0.1:8080/hook");
//! let petr = sim.buyer("9d1f3c", "Пётр");
//! petr.writes("Ещё продаёте?");
//! // ... the code under test answers at `sim.hook_url()` ...
//! println!("{:?}", petr.talk());
//! # Ok(())
//! # }
//! ```
//!
//! # Where the documentation is silent
//!
//! A wrong ChatId is answered 403, an unknown buyer and a message that lacks something 400, a wrong token, session or
//! password of the REST API 401, an unknown room 404. Webhooks that are not answered 2xx or 4xx are tried again. A page
//! of messages begins with the message asked from. Pictures by address are not fetched.

mod buyer;
mod hook;
mod rest;
mod state;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use serde_json::Value;

use self::state::State;
pub use self::{
    buyer::Buyer,
    state::{Dealer, Entry, Said, Side},
};
use crate::sim::{Answered, Call, Faults, Ground, Hook, Poster, Reply, Request, Server, Site, Verdict};

/// How often a webhook is tried.
const TRIES: u32 = 20;
/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(20);

/// A running simulator. Clones are handles to the same one; when the last is gone, it stops.
#[derive(Clone, Debug)]
pub struct AutoruSim {
    server: Server<Autoru>,
}

impl AutoruSim {
    /// Starts one on 127.0.0.1 with one dealer.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(dealer: Dealer) -> io::Result<Self> {
        let make = |ground: &Ground| Autoru {
            state: State::new(dealer).into(),
            poster: Poster::new(ground, verdict),
            ground: ground.clone(),
        };
        Ok(Self { server: Server::start(make).await? })
    }

    /// Where operators' messages are posted.
    #[must_use]
    pub fn hook_url(&self) -> String {
        format!("{}/1.0/aggregators/auto/hook", self.server.ground().base_url())
    }

    /// Where the REST API is.
    #[must_use]
    pub fn rest_url(&self) -> String {
        format!("{}/1.0", self.server.ground().base_url())
    }

    /// The dealer types the address of the webhook into the cabinet.
    pub fn types_in_cabinet(&self, url: impl Into<String>) {
        self.state().webhook = Some(url.into());
    }

    /// A buyer who talks about one advert. The same id is the same buyer.
    pub fn buyer(&self, id: &str, name: &str) -> Buyer {
        self.state().talk(id, name);
        Buyer::new(self.clone(), id)
    }

    /// Posts a webhook with any body.
    pub fn inject(&self, body: &Value) {
        self.inject_text(body.to_string());
    }

    /// Posts a webhook with any text for a body.
    pub fn inject_text(&self, body: impl Into<bytes::Bytes>) {
        self.server.site().posts("injected", body.into());
    }

    /// From now on the ChatId and the token of the REST API are others: whoever knew them is shut out.
    pub fn revokes(&self) {
        let mut state = self.state();
        state.dealer.chat_id.push_str("-renewed");
        state.dealer.token.push_str("-renewed");
    }

    /// Every session of the REST API ends.
    pub fn ends_sessions(&self) {
        self.state().sessions.clear();
    }

    /// How often somebody logged in.
    #[must_use]
    pub fn logins(&self) -> usize {
        self.state().logins
    }

    /// Scripts trouble; names of calls are `hook`, `login`, `rooms`, `room`, `messages`, `post`, `unread`, `read`,
    /// `account`, `picture`.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.server.faults()
    }

    /// The webhooks on their way: repeats, delays, shuffles, spoils, holds.
    #[must_use]
    pub fn poster(&self) -> &Poster {
        &self.server.site().poster
    }

    /// Address, clock and waiting.
    #[must_use]
    pub fn ground(&self) -> &Ground {
        self.server.ground()
    }

    /// All calls in order, refused and faulted ones too.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.server.calls()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.server.site().state()
    }
}

/// The provider.
#[derive(Debug)]
pub(crate) struct Autoru {
    state: std::sync::Mutex<State>,
    poster: Poster,
    ground: Ground,
}

impl Autoru {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Posts a webhook of a talk; those of one talk go in order. Nothing is posted before the cabinet has an address.
    fn posts(&self, talk: &str, body: bytes::Bytes) {
        let state = self.state();
        let Some(url) = &state.webhook else { return };
        let url = format!("{url}?chat_id={}", state.dealer.chat_id);
        let mut hook = Hook::json(talk, url, body);
        drop(state);
        // The documented example has no content type.
        hook.headers.clear();
        hook.headers.insert(http::header::ACCEPT, http::HeaderValue::from_static("application/json"));
        self.poster.post(hook);
    }
}

/// A repeat of a message is documented, the rules of it are not.
fn verdict(hook: &Hook, answer: &Answered) -> Verdict {
    match answer.status {
        Some(status) if status.is_success() => Verdict::Taken,
        Some(status) if status.is_client_error() => Verdict::Dropped,
        _ if hook.attempt + 1 >= TRIES => Verdict::Dropped,
        _ => Verdict::Again(PAUSE),
    }
}

#[async_trait]
impl Site for Autoru {
    fn name(&self, request: &Request) -> String {
        let steps = request.steps();
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        let name = match (&request.method, steps.as_slice()) {
            (&Method::POST, ["1.0", "aggregators", "auto", "hook"]) => "hook",
            (&Method::POST, ["1.0", "auth", "login"]) => "login",
            (&Method::GET, ["1.0", "dealer", "account"]) => "account",
            (&Method::GET, ["1.0", "chat", "room", "light"]) => "rooms",
            (&Method::GET, ["1.0", "chat", "room", "by-id"]) => "room",
            (&Method::GET, ["1.0", "chat", "message"]) => "messages",
            (&Method::POST, ["1.0", "chat", "message"]) => "post",
            (&Method::GET, ["1.0", "chat", "message", "unread"]) => "unread",
            (&Method::DELETE, ["1.0", "chat", "message", "unread"]) => "read",
            (&Method::GET, ["picture", _]) => "picture",
            _ => "",
        };
        name.to_owned()
    }

    async fn answer(&self, request: &Request) -> Reply {
        match self.name(request).as_str() {
            "hook" => self.hook(request),
            "picture" => self.picture(request),
            "" => Reply::status(404),
            name => self.rest(name, request),
        }
    }
}

impl Autoru {
    fn picture(&self, request: &Request) -> Reply {
        let state = self.state();
        let steps = request.steps();
        let found = steps.last().and_then(|name| state.pictures.get(name));
        found.map_or_else(|| Reply::status(404), |bytes| Reply::bytes(200, "image/jpeg", bytes.clone()))
    }
}
