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

#[cfg(feature = "autoru")]
pub use omni_autoru as autoru;
#[cfg(feature = "avito")]
pub use omni_avito as avito;
#[cfg(feature = "email")]
pub use omni_email as email;
#[cfg(feature = "http")]
pub use omni_http as http;
#[cfg(feature = "sqlite")]
pub use omni_sqlite::{self as sqlite, SqliteStore};
#[cfg(feature = "telegram")]
pub use omni_telegram as telegram;
#[cfg(feature = "viber")]
pub use omni_viber as viber;
#[cfg(feature = "vk")]
pub use omni_vk as vk;
#[cfg(feature = "webhook")]
pub use omni_webhook as webhook;

use omni_core::registry::Registry;

/// The connectors compiled in, by the cargo features chosen, on an HTTP client of their own. Tokens that are renewed are
/// kept in memory: see [`registry_on`].
///
/// # Errors
/// [`Configuration`](omni_core::error::ErrorKind::Configuration) when the process has no TLS provider: switch on
/// the feature `ring`, install one, or use [`registry_with`].
#[cfg(feature = "http")]
pub fn registry() -> Result<Registry> {
    Ok(registry_with(&omni_http::Http::new()?))
}

/// The connectors compiled in: none, because no provider's feature is on.
///
/// # Errors
/// None.
#[cfg(not(feature = "http"))]
pub fn registry() -> Result<Registry> {
    Ok(Registry::new())
}

/// The connectors compiled in, on a client of the host's. Tokens that are renewed are kept in memory: see
/// [`registry_on`].
#[cfg(feature = "http")]
pub fn registry_with(http: &omni_http::Http) -> Registry {
    registry_on(http, std::sync::Arc::new(omni_core::tokens::MemoryTokens::default()))
}

/// The connectors compiled in, on a client of the host's, with renewed tokens kept by the host: needed where a refresh
/// token may be used once (Avito applications). `SqliteStore` is such a store.
#[cfg(feature = "http")]
pub fn registry_on(
    http: &omni_http::Http,
    tokens: std::sync::Arc<dyn omni_core::tokens::TokenStore>,
) -> Registry {
    let registry = Registry::new();
    #[cfg(feature = "autoru")]
    let registry = registry.with(omni_autoru::connector(http.clone()));
    #[cfg(feature = "avito")]
    let registry = registry.with(omni_avito::connector_with(http.clone(), tokens.clone()));
    #[cfg(feature = "email")]
    let registry = registry.with(omni_email::connector_with(http.clone(), tokens.clone()));
    #[cfg(feature = "telegram")]
    let registry = registry.with(omni_telegram::connector(http.clone()));
    #[cfg(feature = "viber")]
    let registry = registry.with(omni_viber::connector(http.clone()));
    #[cfg(feature = "vk")]
    let registry = registry.with(omni_vk::connector(http.clone()));
    #[cfg(feature = "webhook")]
    let registry = registry.with(omni_webhook::connector(http.clone()));
    // Not every connector needs both.
    let _ = (http, tokens);
    registry
}
