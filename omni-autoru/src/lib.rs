#![doc = include_str!("../docs.md")]

mod address;
mod api;
pub mod capabilities;
mod config;
mod connector;
pub mod dialect;
pub mod encode;
pub mod error;
pub mod parse;
#[cfg(feature = "rest")]
pub mod rest;
pub mod verify;
pub mod wire;

use omni_core::Provider;
use omni_core::registry::Facts;

#[cfg(feature = "rest")]
pub use config::Rest;
pub use config::{BASE_URL, Config, DEFAULT_MEDIA_HOSTS, OTHER_BASE_URL, Receive};
pub use connector::{Autoru, connector};

/// The name of this kind of channel.
pub const PROVIDER: Provider = Provider::from_static("autoru");

/// The version in the path of every call, and how old the facts are.
pub const FACTS: Facts = Facts { version: Some("API 1.0"), as_of: "2026-11" };
