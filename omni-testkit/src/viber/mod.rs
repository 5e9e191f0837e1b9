//! A simulator of Viber's REST Bot API: real HTTP on loopback, both ways.
//!
//! The bot's side is the wire protocol of <https://developers.viber.com/docs/api/rest-bot-api/>: calls are
//! checked strictly and refused by the numbers of its list of errors. The customers' side is typed Rust: a
//! person opens the chat, writes, sends files, presses keys, unsubscribes. Callbacks are signed as Viber
//! signs them, and tried again until they are answered 200.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use omni_testkit::viber::{Person, ViberSim};
//!
//! let sim = ViberSim::start().await?;
//! let bot = sim.add_bot("00112233445566aa-bbccddeeff001122-3344556677889900", "Ромашка", "romashka");
//! let olga = bot.customer(Person::new("uQ0abcd1234EFGH5678ijA==", "Ольга"));
//! olga.writes("Есть 42 размер?");
//! // ... the code under test gets the callback and answers by way of `sim.base_url()` ...
//! assert_eq!(olga.transcript().last().unwrap().text(), "Да, есть");
//! # Ok(())
//! # }
//! ```
//!
//! # What it does not do
//!
//! - Files are not fetched from their addresses: endings and sizes are checked as they are told.
//! - Payments and chat extensions are answered by their error numbers only.
//! - Callbacks are posted over plain HTTP only.
//! - Retries come after milliseconds, not minutes.

mod bot;
mod check;
mod customer;
mod hooks;
mod keys;
mod site;
#[cfg(test)]
mod tests;

use std::io;

use url::Url;

pub use bot::{Bot, Entry, From};
pub use customer::{Customer, Person, Upload};

use crate::sim::{Call, Fault, Faults, Ground, Server};
use site::Provider;

/// Viber, with its bots and their customers. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct ViberSim {
    server: Server<Provider>,
}

impl ViberSim {
    /// Starts it on 127.0.0.1.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> io::Result<Self> {
        Ok(Self { server: Server::start(Provider::new).await? })
    }

    /// Where methods are called, as `http://127.0.0.1:<port>/pa`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("{}/pa", self.ground().base_url())
    }

    /// Adds a bot of this token, name and handle.
    #[must_use]
    pub fn add_bot(&self, token: &str, name: &str, uri: &str) -> Bot {
        self.server.site().add_bot(token, name, uri)
    }

    /// Puts a file at a public address, as a customer's app or a shop does.
    #[must_use]
    pub fn publish(&self, upload: &Upload) -> Url {
        self.server.site().publish(upload)
    }

    /// The bytes at an address of [`Self::publish`].
    #[must_use]
    pub fn published(&self, url: &str) -> Option<Upload> {
        self.server.site().published(url)
    }

    /// Address, clock and waiting.
    #[must_use]
    pub fn ground(&self) -> &Ground {
        self.server.ground()
    }

    /// Scripts trouble by the names of methods.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.server.faults()
    }

    /// Refuses the next call of a method with this status. Nothing is carried out.
    pub fn refuse(&self, method: &str, status: i64, words: &str) {
        self.faults().on(method, 1, Fault::Reply(site::refusal(status, words)));
    }

    /// All calls in order, refused and faulted ones too.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.server.calls()
    }
}
