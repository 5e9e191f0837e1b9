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

#[cfg(feature = "rest")]
pub use config::Rest;
pub use config::{BASE_URL, Config, DEFAULT_MEDIA_HOSTS, OTHER_BASE_URL, Receive};
pub use connector::{Autoru, connector};

/// The name of this kind of channel.
pub const PROVIDER: Provider = Provider::from_static("autoru");
