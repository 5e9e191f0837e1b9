//! The durable runtime of omni: it joins channels, policies and a store inside the host's own process.
//!
//! ```no_run
//! use omni_hub::{ChannelKey, ChannelSetup, Draft, Hub};
//! # async fn example(channel: std::sync::Arc<dyn omni_core::Channel>) {
//! let hub = Hub::builder().node("desk").build();
//! hub.add_channel(ChannelSetup::new(ChannelKey::new("acme", "shop-bot"), channel));
//! let running = hub.clone();
//! tokio::spawn(async move { running.run().await });
//! // hand webhooks to hub.webhook(..), read hub.events("crm"), answer with hub.reply(..)
//! # }
//! ```
//!
//! # Policy, agents, bots
//!
//! A tenant's [`Book`](omni_core::policy::Book) says what happens by itself; its channels follow it from the next event on:
//!
//! ```no_run
//! # async fn example(hub: omni_hub::Hub, toml: &str) -> Result<(), Box<dyn std::error::Error>> {
//! use omni_core::policy::{Book, Presence};
//! hub.set_book("acme", Book::from_toml(toml)?)?; // all findings of the linter at once
//! hub.set_presence("acme", "anna", Presence::Online).await?; // conversations that wait are shared out
//! let next = hub.pull("acme", "anna").await?; // for teams that pull
//! # let _ = next;
//! # Ok(())
//! # }
//! ```
//!
//! Programs that answer are [`Bot`]s, put behind the names that books give them with [`Hub::add_bot`]. Why something
//! happened stands beside it in the log ([`Entry::why`]); what a changed book would have done is asked with
//! [`Hub::dry_run`].
//!
//! # Metrics
//!
//! Through the `metrics` facade, labelled with the provider: `omni_received_total`, `omni_committed_total`,
//! `omni_duplicate_total`, `omni_rejected_total`, `omni_sent_total`, `omni_failed_total`,
//! `omni_unknown_total`; labelled with the consumer: `omni_handled_total` and the gauge `omni_lag`.
//!
//! # Spans
//!
//! `webhook` and `send`, with the channel, ids and sizes. Bodies, secrets and addresses are never recorded.

mod actions;
mod attempt;
#[cfg(feature = "axum")]
pub mod axum;
mod bots;
mod builder;
mod clock;
mod decide;
mod desk;
mod dispatch;
mod health;
mod hub;
mod ingest;
mod line;
mod log;
mod look_up;
mod messages;
mod pacing;
mod publish;
mod replay;
mod run;
pub mod store;
mod tenant;
mod widget;

pub use actions::Settle;
pub use bots::{Bot, Question};
pub use builder::{HubBuilder, Interrupted};
pub use clock::{Clock, ManualClock, SystemClock};
pub use decide::Draft;
pub use health::{ChannelHealth, Health};
pub use hub::{ChannelSetup, Hub, HubError};
pub use log::Consumer;
pub use publish::Published;
pub use replay::{Deed, Difference, Replay, ReplayError, What};
pub use store::{ChannelKey, Entry, HostEvent, MemoryStore, Store};
pub use widget::WidgetLink;
