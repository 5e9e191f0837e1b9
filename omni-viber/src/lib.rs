#![doc = include_str!("../docs.md")]

mod address;
mod api;
pub mod broadcast;
pub mod capabilities;
mod config;
mod connector;
pub mod encode;
pub mod error;
pub mod parse;
mod people;
pub mod verify;
pub mod wire;

use omni_core::Provider;
use omni_core::registry::Facts;

pub use config::Config;
pub use connector::{Viber, connector};
pub use people::{Online, OnlineState, UserDetails};

/// The name of this kind of channel.
pub const PROVIDER: Provider = Provider::from_static("viber");

/// How old the facts are. The REST Bot API has no version; `min_api_version` is about the apps of people.
pub const FACTS: Facts = Facts { version: None, as_of: "2026-11" };
