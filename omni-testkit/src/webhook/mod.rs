//! A program on the other side of the webhook protocol: real HTTP on loopback, both ways.
//!
//! Requests are checked strictly, by their signature, their time and their fields, and refused by the kinds of the
//! protocol's table of errors. The customers' side is typed Rust: a person writes, sends files, presses keys, goes
//! away; an operator answers in the program itself. Events are signed anew for every try, and tried until they are
//! answered 2xx.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use omni_testkit::webhook::ProgramSim;
//!
//! let sim = ProgramSim::start("5d41402abc4b2a76b9719d911017c592").await?;
//! sim.posts_to("http://127.0.0.1:8080/webhooks/demo/site");
//! let ivan = sim.customer("u-100", "Иван");
//! ivan.writes("Есть 42 размер? 👟");
//! // ... the code under test gets the event and answers by way of `sim.endpoint()` ...
//! assert_eq!(ivan.transcript().last().unwrap().text(), "Да, есть");
//! # Ok(())
//! # }
//! ```
//!
//! # What it does not do
//!
//! - It speaks plain HTTP only.
//! - It keeps everything in memory, and recognises a repeated delivery for as long as it lives.
//! - Retries come after milliseconds.

mod check;
mod customer;
mod events;
mod site;
mod state;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use url::Url;

pub use check::refusal;
pub use customer::{Customer, Upload};
pub use state::{Entry, From};

use crate::sim::{Call, Fault, Faults, Ground, Poster, Reply, Server};
use site::Program;
use state::State;

/// A program, with its customers. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct ProgramSim {
    server: Server<Program>,
}

impl ProgramSim {
    /// Starts one on 127.0.0.1, with this key.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(key: &str) -> io::Result<Self> {
        Ok(Self { server: Server::start(|ground| Program::new(ground, key)).await? })
    }

    /// Where it takes requests.
    ///
    /// # Panics
    /// Never: the address of a running server can be read.
    #[must_use]
    pub fn endpoint(&self) -> Url {
        match Url::parse(&format!("{}/omni", self.ground().base_url())) {
            Ok(url) => url,
            Err(error) => panic!("{error}"),
        }
    }

    /// Where it posts events, as its owner sets it.
    pub fn posts_to(&self, webhook: &str) {
        self.lock().webhook = Some(webhook.to_owned());
    }

    /// Its keys from now on: the first signs, all are taken.
    pub fn set_keys(&self, keys: &[&str]) {
        self.lock().keys = keys.iter().map(|&key| key.to_owned()).collect();
    }

    /// A chat with somebody; the same id again is the same chat.
    #[must_use]
    pub fn customer(&self, id: &str, name: &str) -> Customer {
        let address = self.lock().chat_of(id, name);
        Customer::new(self.clone(), address)
    }

    /// What posts its events: to repeat, delay, reorder, spoil or hold them.
    #[must_use]
    pub fn hooks(&self) -> &Poster {
        &self.server.site().poster
    }

    /// Posts these events in one body, as they are.
    pub fn inject(&self, events: &[Value]) {
        events::post(self, "injected", &json!({ "events": events }));
    }

    /// Address, clock and waiting.
    #[must_use]
    pub fn ground(&self) -> &Ground {
        self.server.ground()
    }

    /// Scripts trouble by the `type` of requests.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.server.faults()
    }

    /// Refuses the next request of a `type` with this kind of error. Nothing is carried out.
    pub fn refuse(&self, request: &str, status: u16, kind: &str) {
        self.answer(request, refusal(status, kind, "нет 🙅"));
    }

    /// Answers the next request of a `type` so. Nothing is carried out.
    pub fn answer(&self, request: &str, reply: Reply) {
        self.faults().on(request, 1, Fault::Reply(reply));
    }

    /// All requests in order, refused and faulted ones too.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.server.calls()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.server.site().state)
    }
}

fn lock(state: &Arc<Mutex<State>>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
