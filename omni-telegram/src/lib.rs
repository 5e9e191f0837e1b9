#![doc = include_str!("../docs.md")]

mod address;
mod api;
pub mod capabilities;
mod config;
mod connector;
mod decimal;
pub mod encode;
pub mod error;
pub mod parse;
pub mod verify;
pub mod wire;

use omni_core::Provider;
use omni_core::registry::Facts;

pub use config::{Config, DEFAULT_UPDATES, DataCentre, Pacing, Receive, Server};
pub use connector::{Telegram, connector};

/// The name of this kind of channel.
pub const PROVIDER: Provider = Provider::from_static("telegram");

/// The newest version of the Bot API that the facts are of. Calls carry none: new fields come at any time.
pub const FACTS: Facts = Facts { version: Some("Bot API 10.2"), as_of: "2026-11" };
