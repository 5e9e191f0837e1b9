//! The connectors at hand, by name: for hosts whose users add accounts at run time.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, schema_for};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::capability::Capabilities;
use crate::channel::Channel;
use crate::error::{Error, Result};
use crate::provider::Provider;

/// Makes a channel from its configuration.
type Connect = dyn Fn(&RawValue) -> Result<Arc<dyn Channel>> + Send + Sync;

/// Which interface of a provider a connector speaks, and how old the knowledge of it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The version of the provider's interface, in the provider's words; absent where the provider names none.
    pub version: Option<&'static str>,
    /// When the provider's documentation was last read: a month as `2026-11`, or a day of it.
    pub as_of: &'static str,
}

/// One connector: what it is called, how it is configured, what it can do.
#[derive(Clone)]
pub struct Connector {
    provider: Provider,
    title: &'static str,
    facts: Option<Facts>,
    schema: Schema,
    capabilities: Capabilities,
    connect: Arc<Connect>,
}

impl Connector {
    /// Describes a connector. `title` is its name for people; `connect` makes a channel from settings of the
    /// type `S`, which also yields the schema. Settings that cannot be read never get there.
    pub fn new<S: DeserializeOwned + JsonSchema>(
        provider: Provider,
        title: &'static str,
        capabilities: Capabilities,
        connect: impl Fn(S) -> Result<Arc<dyn Channel>> + Send + Sync + 'static,
    ) -> Self {
        let connect: Arc<Connect> = Arc::new(move |json| connect(read_settings(json)?));
        Self { provider, title, facts: None, schema: schema_for!(S), capabilities, connect }
    }

    /// Says which interface of the provider is spoken, and how old the knowledge of it is.
    #[must_use]
    pub fn with_facts(mut self, facts: Facts) -> Self {
        self.facts = Some(facts);
        self
    }

    /// Which interface of the provider is spoken; absent where the connector does not say.
    pub fn facts(&self) -> Option<Facts> {
        self.facts
    }

    /// The kind of channel.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// Its name for people.
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// JSON Schema of its configuration, with titles, help, and `writeOnly` on secrets: enough to draw a form.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// What an account usually can do; the connected channel has the last word.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Makes a channel. Nothing is sent to the provider yet.
    ///
    /// # Errors
    /// [`Configuration`](crate::error::ErrorKind::Configuration), saying what is wrong and where.
    pub fn connect(&self, config: &RawValue) -> Result<Arc<dyn Channel>> {
        (self.connect)(config)
    }
}

fn read_settings<S: DeserializeOwned>(json: &RawValue) -> Result<S> {
    if !json.get().starts_with('{') {
        return Err(Error::configuration("configure", "the settings must be a JSON object"));
    }
    serde_json::from_str(json.get()).map_err(|e| misread(&e))
}

/// Says which setting is wrong, without quoting values: one of them is a secret, perhaps in a wrong place.
fn misread(error: &serde_json::Error) -> Error {
    let text = error.to_string();
    let quoted = text.split('`').nth(1).unwrap_or_default();
    let is_name = quoted.len() <= 40 && quoted.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let names_only = ["missing field", "unknown field"].iter().any(|s| text.starts_with(s)) && is_name;
    let text = if names_only {
        text
    } else {
        let (line, column) = (error.line(), error.column());
        format!("a setting has a wrong type or value, or an unknown name, at line {line} column {column}")
    };
    Error::configuration("configure", text)
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// The connectors at hand. Nothing registers itself before `main`: what is here was put here.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    connectors: BTreeMap<Provider, Connector>,
}

impl Registry {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connector, ours or your own; one of the same name is replaced.
    #[must_use]
    pub fn with(mut self, connector: Connector) -> Self {
        self.connectors.insert(connector.provider.clone(), connector);
        self
    }

    /// The connectors, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Connector> {
        self.connectors.values()
    }

    /// One connector.
    pub fn get(&self, provider: &Provider) -> Option<&Connector> {
        self.connectors.get(provider)
    }

    /// Makes a channel from the JSON text of its configuration.
    ///
    /// # Errors
    /// [`Configuration`](crate::error::ErrorKind::Configuration) for an unknown provider, text that is not
    /// JSON, or settings that cannot be used.
    pub fn connect(&self, provider: &Provider, config: &str) -> Result<Arc<dyn Channel>> {
        let connector = self.get(provider).ok_or_else(|| {
            let known: Vec<&str> = self.connectors.keys().map(Provider::as_str).collect();
            Error::configuration(
                "connect",
                format!("no connector named {provider}; compiled in: {}", known.join(", ")),
            )
            .with_advice("switch on its cargo feature, or register your own connector")
        })?;
        let config = serde_json::from_str::<&RawValue>(config)
            .map_err(|e| Error::configuration("connect", format!("the configuration is not JSON: {e}")))?;
        connector.connect(config)
    }
}
