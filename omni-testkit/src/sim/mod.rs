//! Blocks that simulators of providers are made of: real HTTP on loopback, both ways, with scripted trouble.
//!
//! A simulator implements [`Site`] for what its provider answers, starts it with [`Server::start`], and posts its
//! webhooks with a [`Poster`]. What both sides did can be read back; faults strike by the names of calls.
//!
//! ```
//! use std::sync::Mutex;
//!
//! use async_trait::async_trait;
//! use omni_testkit::sim::{Fault, Reply, Request, Server, Site};
//! use serde_json::json;
//!
//! /// A provider with one call, `/say`.
//! #[derive(Default)]
//! struct Echo {
//!     said: Mutex<Vec<String>>,
//! }
//!
//! #[async_trait]
//! impl Site for Echo {
//!     fn name(&self, request: &Request) -> String {
//!         request.path.trim_matches('/').to_owned()
//!     }
//!
//!     async fn answer(&self, request: &Request) -> Reply {
//!         let Some(text) = request.form().text("text").map(str::to_owned) else {
//!             return Reply::json(400, &json!({"error": "text is missing"}));
//!         };
//!         self.said.lock().unwrap().push(text);
//!         Reply::json(200, &json!({"ok": true}))
//!     }
//! }
//!
//! # async fn example() -> std::io::Result<()> {
//! let sim = Server::start(|_ground| Echo::default()).await?;
//! sim.faults().on("say", 1, Fault::DropAfterAccept); // carried out, and the answer is lost
//! println!("call {}", sim.ground().base_url());
//! # Ok(())
//! # }
//! ```

mod exchange;
mod fault;
mod form;
pub(crate) mod ground;
pub(crate) mod multipart;
mod poster;
pub(crate) mod random;
mod server;
#[cfg(test)]
mod tests;
pub(crate) mod wire;

pub use exchange::{Reply, Request};
pub use fault::{Fault, Faults, Rule};
pub use form::{Form, FormFile};
pub use ground::Ground;
pub use poster::{Answered, Delivery, Hook, Poster, Verdict, VerdictOf};
pub use server::{Call, Outcome, Server, Site};
