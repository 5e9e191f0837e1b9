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

pub use config::{Access, Config, Receive, Signature};
pub use connector::{Avito, History, connector, connector_with};

/// The name of this kind of channel.
pub const PROVIDER: Provider = Provider::from_static("avito");
