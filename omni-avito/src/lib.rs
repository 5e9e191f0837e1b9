#![doc = include_str!("../docs.md")]

mod address;
mod api;
pub mod capabilities;
mod config;
mod connector;
pub mod encode;
pub mod error;
pub mod oauth;
pub mod parse;
mod sweep;
pub mod verify;
pub mod wire;

use omni_core::Provider;
use omni_core::registry::Facts;

pub use config::{Access, Config, Receive, Signature};
pub use connector::{Avito, History, connector, connector_with};

/// The name of this kind of channel.
pub const PROVIDER: Provider = Provider::from_static("avito");

/// The versions of the calls used, each in its path, and how old the facts are. Webhooks are of version 3.
pub const FACTS: Facts = Facts { version: Some("Messenger API v1, v2 and v3, by call"), as_of: "2026-11" };
