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

pub use config::{Config, DEFAULT_UPDATES, DataCentre, Pacing, Receive, Server};
pub use connector::{Telegram, connector};

/// The name of this kind of channel.
pub const PROVIDER: Provider = Provider::from_static("telegram");
