#![doc = include_str!("../docs.md")]

mod address;
mod api;
mod batch;
pub mod capabilities;
mod config;
mod connector;
pub mod encode;
pub mod error;
mod known;
mod listen;
mod markup;
mod number;
pub mod oauth;
pub mod parse;
mod register;
mod upload;
pub mod verify;
pub mod wire;

use omni_core::Provider;
use omni_core::registry::Facts;

pub use config::{API_VERSION, Config, EVENTS, Receive};
pub use connector::{Vk, connector};

/// The name of this kind of channel.
pub const PROVIDER: Provider = Provider::from_static("vk");

/// The version that calls and events have unless the settings name another, and how old the facts are.
pub const FACTS: Facts = Facts { version: Some(API_VERSION), as_of: "2026-11" };
