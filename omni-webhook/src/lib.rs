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
use omni_core::registry::Facts;

pub use capabilities::Abilities;
pub use config::Config;
pub use connector::{Webhook, connector};

/// The name of this kind of channel.
pub const PROVIDER: Provider = Provider::from_static("webhook");

/// The version of the protocol, which is omni's own, and when it was last changed.
pub const FACTS: Facts = Facts { version: Some("protocol 1"), as_of: "2026-11" };
