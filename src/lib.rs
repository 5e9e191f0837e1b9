// Its examples need every feature.
#![cfg_attr(feature = "full", doc = include_str!("../README.md"))]
#![cfg_attr(not(feature = "full"), doc = "omni: talk with customers over any text channel. See the README.")]

pub use omni_core as core;
pub use omni_core::policy::{Book, ChannelPolicy, Engine};
pub use omni_core::{
    Address, Capabilities, Channel, Contact, Content, Conversation, Error, Event, EventBody, Identity,
    Inbound, Outbound, Period, Provider, Result, Secret, Status, Text, Timestamp,
};
pub use omni_hub as hub;
pub use omni_hub::{Bot, ChannelKey, ChannelSetup, Draft, Hub, HubError, MemoryStore};

#[cfg(feature = "telegram")]
pub use omni_http as http;
#[cfg(feature = "sqlite")]
pub use omni_sqlite::{self as sqlite, SqliteStore};
#[cfg(feature = "telegram")]
pub use omni_telegram as telegram;

use omni_core::registry::Registry;

/// The connectors compiled in, by the cargo features chosen, on an HTTP client of their own.
///
/// # Errors
/// [`Configuration`](omni_core::error::ErrorKind::Configuration) when the process has no TLS provider: switch on
/// the feature `ring`, install one, or use [`registry_with`].
#[cfg(feature = "telegram")]
pub fn registry() -> Result<Registry> {
    Ok(registry_with(&omni_http::Http::new()?))
}

/// The connectors compiled in: none, because no provider's feature is on.
///
/// # Errors
/// None.
#[cfg(not(feature = "telegram"))]
pub fn registry() -> Result<Registry> {
    Ok(Registry::new())
}

/// The connectors compiled in, on a client of the host's.
#[cfg(feature = "telegram")]
pub fn registry_with(http: &omni_http::Http) -> Registry {
    Registry::new().with(omni_telegram::connector(http.clone()))
}
