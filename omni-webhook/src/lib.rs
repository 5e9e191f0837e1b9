#![doc = include_str!("../docs.md")]

mod address;
mod api;
pub mod capabilities;
mod config;
mod connector;
pub mod encode;
pub mod error;
pub mod parse;
pub mod verify;
pub mod wire;

use omni_core::Provider;

pub use capabilities::Abilities;
pub use config::Config;
pub use connector::{Webhook, connector};

/// The name of this kind of channel.
pub const PROVIDER: Provider = Provider::from_static("webhook");
