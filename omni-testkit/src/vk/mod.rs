//! A simulator of VK's communities: real HTTP on loopback, both ways.
//!
//! The community's side is VK's wire protocol (<https://dev.vk.com/reference>): methods over GET and POST, uploads,
//! Callback API with its secret, confirmation and repeats, Bots Long Poll, OAuth. It is strict: what VK would refuse
//! is refused here, with VK's codes. The people's side is typed Rust: a person writes, sends files, presses keys,
//! reacts, reads, forbids messages, comments. What both did can be read back, and trouble can be scripted.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use omni_testkit::vk::{CommunityProfile, Scope, SimConfig, User, VkSim};
//!
//! let sim = VkSim::start(SimConfig::default()).await?;
//! let shop = sim.add_community(CommunityProfile::new(123_456, "Ромашка", "romashka_shop"));
//! let token = shop.token(&Scope::ALL);
//! let ivan = shop.customer(User::new(50_112_233, "Иван", "Петров"));
//! ivan.writes("Есть 42 размер?");
//! // ... the code under test listens at `sim.base_url()` with the token and answers ...
//! let answer = ivan.wait_for_text("Да, есть").await;
//! assert!(answer.is_ours());
//! # Ok(())
//! # }
//! ```
//!
//! # Where what is
//!
//! Everything stands on one address, [`VkSim::base_url`]: `/method/<method>`, `/upload/…` and `/files/…`, the long poll
//! at `/whp/<group>`, `/access_token` (of oauth.vk.com) and `/oauth2/auth` (of id.vk.com).
//!
//! - Trouble of the network: [`VkSim::faults`], by the name of the method; `upload`, `long_poll`, `download` and `oauth`
//!   name the rest.
//! - Refusals in VK's own form, inside `execute` too: [`VkSim::refuses`]; inside the answer of `peer_ids`:
//!   [`Community::refuses_to`]. Flood control is `ApiError::new(9)`, a captcha [`ApiError::captcha`].
//! - Webhooks repeated, delayed, shuffled, held, spoilt: [`VkSim::poster`].
//! - Failures of the long poll: [`Community::poll_fails`].
//!
//! # What it does not do
//!
//! - Pictures and sounds are not decoded. Videos, posts and items exist once a test has made them known.
//! - Events go out with the newest fields; only `message_new` has its old, bare shape for versions below 5.103.
//! - `Retry-After` of a host is not obeyed: repeats come at the simulator's own pace.
//! - Chats have no administrators, and no messages of other communities.
//! - The pages of OAuth are skipped: [`VkSim::authorizes`] and [`VkSim::signs_in`] press their buttons.
//! - Comments under photos, videos, items and in topics cannot be answered: that takes a person's token.
//!
//! # What it keeps
//!
//! Calls and events are bounded by [`SimConfig`]; talks, comments and files are kept until the simulator ends.

mod callback;
mod chat;
mod comments;
mod community;
mod config;
mod customer;
mod error;
mod events;
mod files;
mod keyboard;
mod longpoll;
mod markup;
mod methods;
mod oauth;
mod params;
mod random;
mod record;
mod site;
mod state;

#[cfg(test)]
mod tests;

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;

pub use self::{
    callback::{CallbackServer, ServerStatus},
    chat::GroupChat,
    comments::Thread,
    community::Community,
    config::{CommunityProfile, EchoOrder, Item, Scope, SimConfig, Upload, User},
    customer::{Customer, Pressed},
    error::ApiError,
    longpoll::PollFailure,
    markup::{Link, Shown},
    oauth::{App, SignedIn},
    record::{Author, Call, Comment, Entry, EventRecord, Key, KeyKind, Press, Said, SentFile},
    state::ThreadKind,
};
use self::{
    params::Params,
    site::Vk,
    state::{Club, Grant, Holder, Refusal, World},
};
use crate::sim::{Faults, Ground, Poster, Server};

/// A running simulator. Clones are handles to the same one; when the last handle (and the last [`Community`] or
/// [`Customer`]) is gone, it stops.
#[derive(Clone, Debug)]
pub struct VkSim {
    server: Server<Vk>,
}

/// What the server and the handles share.
#[derive(Debug)]
pub(crate) struct Core {
    config: SimConfig,
    ground: Ground,
    world: Arc<Mutex<World>>,
    poster: Poster,
}

impl Core {
    /// The state; never held across an await.
    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seconds since 1970 at the provider.
    fn now(&self) -> i64 {
        self.ground.now().as_millis() / 1000
    }

    fn changed(&self) {
        self.ground.changed();
    }
}

impl VkSim {
    /// Starts a simulator on 127.0.0.1, on the current runtime. The typed side may be used from any thread.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(config: SimConfig) -> io::Result<Self> {
        let server = Server::start(|ground| {
            let world = Arc::new(Mutex::new(World::new(config.seed)));
            let poster = callback::poster(ground, &world, &config);
            Vk(Arc::new(Core { config, ground: ground.clone(), world, poster }))
        });
        Ok(Self { server: server.await? })
    }

    fn core(&self) -> &Arc<Core> {
        &self.server.site().0
    }

    /// `http://127.0.0.1:<port>`, in place of `https://api.vk.com`, `https://oauth.vk.com` and `https://id.vk.com`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.server.ground().base_url()
    }

    /// Address, clock and waiting.
    #[must_use]
    pub fn ground(&self) -> &Ground {
        self.server.ground()
    }

    /// Trouble of the network, by the names of methods.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.server.faults()
    }

    /// The webhooks on their way.
    #[must_use]
    pub fn poster(&self) -> &Poster {
        &self.core().poster
    }

    /// Every HTTP call, methods and all else, as it came.
    #[must_use]
    pub fn http_calls(&self) -> Vec<crate::sim::Call> {
        self.server.calls()
    }

    /// Every call of a method that came through, those inside `execute` too, refused ones as well.
    #[must_use]
    pub fn attempts(&self) -> Vec<Call> {
        self.core().lock().calls.iter().cloned().collect()
    }

    /// Calls of a method that took effect, inside `execute` too.
    #[must_use]
    pub fn calls(&self, method: &str) -> Vec<Call> {
        self.attempts().into_iter().filter(|call| call.method == method && call.error.is_none()).collect()
    }

    /// Refuses the next `times` calls of a method, alone or inside `execute`; nothing is carried out.
    pub fn refuses(&self, method: &str, times: u32, error: ApiError) {
        if times > 0 {
            let refusal = Refusal { of: method.to_owned(), error, left: times };
            self.core().lock().refusals.push(refusal);
        }
    }

    /// A saved file by how attachments name it: `photo-1_2`. Photos of carousels are found so.
    #[must_use]
    pub fn file(&self, place: &str) -> Option<SentFile> {
        Some(self.core().lock().files.find(place, None)?.as_sent())
    }

    /// Adds a community; one of that id is replaced.
    pub fn add_community(&self, profile: CommunityProfile) -> Community {
        let mut world = self.core().lock();
        let world = &mut *world;
        let id = profile.id;
        world.clubs.insert(id, Club::new(profile, &mut world.random));
        Community { sim: self.clone(), id }
    }

    /// Adds a person, whom a community can find by their id.
    pub fn add_person(&self, user: &User) {
        self.core().lock().meet(user);
    }

    /// A token of a person, with the right to their communities or without.
    #[must_use]
    pub fn user_token(&self, user: &User, scopes: &[Scope]) -> String {
        let mut world = self.core().lock();
        world.meet(user);
        let token = world.new_token();
        world.tokens.insert(token.clone(), Grant::new(Holder::User(user.id), scopes));
        token
    }

    /// Revokes a token: every call with it answers this code from now on. 27 is a community's, 5 a person's.
    pub fn revoke(&self, token: &str, code: i64) {
        let mut world = self.core().lock();
        let holder = world.tokens.get_mut(token).map(|grant| {
            grant.refusal = Some(code);
            grant.holder
        });
        if let Some(Holder::Community(id)) = holder {
            let world = &mut *world;
            if let Some(club) = world.clubs.get_mut(&id) {
                // The key of the long poll was made for the token.
                club.poll.key = world.random.hex(40);
            }
        }
        drop(world);
        self.core().changed();
    }

    /// Adds an application for OAuth.
    pub fn add_app(&self, app: App) {
        self.core().lock().oauth.apps.insert(app.id, app);
    }

    /// An administrator agrees to give an application tokens of communities: the `code` of the redirect.
    #[must_use]
    pub fn authorizes(&self, app: i64, communities: &[i64]) -> String {
        let now = self.core().now();
        self.core().lock().authorize(app, communities, now)
    }

    /// A person signs in by VK ID at the address that the application made: what the redirect brings.
    #[must_use]
    pub fn signs_in(&self, app: i64, user: &User, address: &url::Url) -> SignedIn {
        let mut asked = Params::default();
        asked.add_form(address.query().unwrap_or_default().as_bytes());
        let mut world = self.core().lock();
        world.meet(user);
        world.sign_in(app, user.id, &asked)
    }

    /// Puts the provider's clock forward: messages grow old, tokens and keys expire.
    pub fn advance(&self, by: Duration) {
        self.ground().advance(by);
    }

    /// Waits until every event was taken by the callback servers, or given up.
    pub async fn idle(&self) {
        self.poster().idle().await;
    }
}

/// Sets a field of an object.
fn set(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Value::Object(fields) = object {
        fields.insert(name.to_owned(), value.into());
    }
}
