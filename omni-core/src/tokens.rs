//! Tokens that run out and are renewed: where a host keeps them.
//!
//! A provider with OAuth hands out an access token for some hours and, often, a refresh token that may be used once.
//! Whoever renews must write the new pair down before anybody uses it, and two who renew at once lock each other
//! out. The host keeps the pairs in a [`TokenStore`]; connectors renew under its claim.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::secret::Secret;
use crate::time::Timestamp;

/// An access token, and what renews it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// What calls are made with.
    pub access: Secret,
    /// What a new pair is got with; often good for one use only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Secret>,
    /// When the access token runs out, where the provider told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl Tokens {
    /// Whether it is still good at `now`, and for `margin` longer. A token without an end is.
    pub fn outlives(&self, now: Timestamp, margin: Duration) -> bool {
        self.expires_at.is_none_or(|end| end > now + margin)
    }
}

/// Where a host keeps tokens: a table of its database, encrypted as it likes. The serialised form of [`Tokens`] holds
/// secrets.
///
/// `key` names an account and is made by the connector; it holds no secret. All methods may be called by several
/// processes at once.
#[async_trait]
pub trait TokenStore: Debug + Send + Sync + 'static {
    /// The pair kept under a key.
    async fn load(&self, key: &str) -> Result<Option<Tokens>>;

    /// Keeps a pair; durable when it returns. A former one is replaced.
    async fn save(&self, key: &str, tokens: &Tokens) -> Result<()>;

    /// Takes the right to renew for this long; `false` while somebody else has it. Whoever gets it loads again before
    /// renewing: the pair may be new already.
    async fn claim(&self, key: &str, lasting: Duration) -> Result<bool>;

    /// Gives the right back.
    async fn unclaim(&self, key: &str) -> Result<()>;
}

/// Tokens in memory: for tests, and where every process can begin with the credentials of its configuration. What a
/// restart loses must be got anew; refresh tokens that may be used once need a durable store.
#[derive(Debug, Default)]
pub struct MemoryTokens {
    kept: Mutex<HashMap<String, Tokens>>,
}

#[async_trait]
impl TokenStore for MemoryTokens {
    async fn load(&self, key: &str) -> Result<Option<Tokens>> {
        Ok(self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
    }

    async fn save(&self, key: &str, tokens: &Tokens) -> Result<()> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), tokens.clone());
        Ok(())
    }

    /// Always granted: within one process, whoever renews is alone already.
    async fn claim(&self, _key: &str, _lasting: Duration) -> Result<bool> {
        Ok(true)
    }

    async fn unclaim(&self, _key: &str) -> Result<()> {
        Ok(())
    }
}
