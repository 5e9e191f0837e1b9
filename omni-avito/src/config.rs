//! Settings of an account.

use std::time::Duration;

use omni_core::error::Result;
use omni_core::{Error, Secret};
use omni_http::settings::{check_address, check_hosts, is_plain};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

/// Longest text of a secret in the webhook's address; more gains nothing.
const SECRET_MAX: usize = 128;
/// Shortest text of a secret in the webhook's address: it is all that proves a webhook.
const SECRET_MIN: usize = 16;

/// Settings of one Avito account.
///
/// ```
/// use omni_avito::Config;
/// let config: Config = serde_json::from_str(r#"{
///     "client_id": "aB3kQexampleexample",
///     "client_secret": "zX9example-secret",
///     "webhook_secret": "Zx9_random-256bit-and-longer"
/// }"#)?;
/// assert!(!format!("{config:?}").contains("zX9example"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Avito account")]
#[non_exhaustive]
pub struct Config {
    /// Client id: of the account's own keys from avito.ru/professionals/api, or of an application registered at
    /// developers.avito.ru.
    #[schemars(title = "Client id")]
    pub client_id: String,
    /// Client secret that belongs to the client id.
    #[schemars(title = "Client secret")]
    pub client_secret: Secret,
    /// Refresh token that an application got when the person allowed it; leave out with the account's own keys. It
    /// is used once: what comes after it is kept in the host's token store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Refresh token")]
    pub refresh_token: Option<Secret>,
    /// Number of the Avito account. Left out it is asked for; an application without the scope `user:read` must
    /// have it set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Account number", range(min = 1))]
    pub user_id: Option<i64>,
    /// Whether we answer, or only read.
    #[serde(default)]
    #[schemars(title = "Access")]
    pub access: Access,
    /// How messages come in.
    #[serde(default)]
    #[schemars(title = "Receive by")]
    pub receive: Receive,
    /// Last part of the webhook's address, which proves that a webhook is Avito's: 16 to 128 of `A-Z a-z 0-9 _ -`.
    /// Needed to receive by webhook; without it every webhook is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Webhook secret")]
    pub webhook_secret: Option<Secret>,
    /// What to do with the signature that webhooks carry and Avito does not document.
    #[serde(default)]
    #[schemars(title = "Signature of webhooks")]
    pub signature: Signature,
    /// How many seconds pass between two looks at the chats, 1 to 3600. Left out it is 10 when receiving by
    /// polling, and 60 beside webhooks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Seconds between polls", range(min = 1, max = 3600))]
    pub poll_seconds: Option<u64>,
    /// How many days of old messages the first polling tells, as history; at most 365.
    #[serde(default)]
    #[schemars(title = "Days of history", range(max = 365))]
    pub history_days: u32,
    /// Further hosts that pictures and voice messages may be fetched from: `media.example.com`, `*.example.com`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(title = "Further media hosts")]
    pub media_hosts: Vec<String>,
    /// Largest file to fetch, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Largest file to fetch, in bytes")]
    pub fetch_bytes: Option<u64>,
    /// Address of the API: a proxy, a simulator.
    #[serde(default = "base_url")]
    #[schemars(title = "API address")]
    pub base_url: Url,
}

/// Whether we answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Access {
    /// Reads and answers.
    #[default]
    Full,
    /// Only reads: for an account that is answered elsewhere, or an application without `messenger:write`.
    ReceiveOnly,
}

/// How messages come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Receive {
    /// Avito posts them to an https address of ours.
    #[default]
    Webhook,
    /// We look for them; no public address is needed.
    Polling,
    /// Avito posts them, and we look for what got lost on the way.
    Both,
}

impl Receive {
    pub(crate) fn takes_webhooks(self) -> bool {
        matches!(self, Receive::Webhook | Receive::Both)
    }

    pub(crate) fn listens(self) -> bool {
        matches!(self, Receive::Polling | Receive::Both)
    }
}

/// What to do with the signature of webhooks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Signature {
    /// Nothing: the secret in the address decides.
    #[default]
    Ignore,
    /// A trace says whether it is what it is guessed to be. Nothing is refused.
    Probe,
    /// A webhook is refused when it is not what it is guessed to be. Set it only after `probe` has shown equality.
    Require,
}

impl Config {
    /// An account with keys of its own. Set [`Self::webhook_secret`] before use, or [`Self::receive`] to polling.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<Secret>) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            refresh_token: None,
            user_id: None,
            access: Access::default(),
            receive: Receive::default(),
            webhook_secret: None,
            signature: Signature::default(),
            poll_seconds: None,
            history_days: 0,
            media_hosts: Vec::new(),
            fetch_bytes: None,
            base_url: base_url(),
        }
    }

    /// The same account, reached as an application that the person allowed.
    #[must_use]
    pub fn application(mut self, refresh_token: impl Into<Secret>) -> Self {
        self.refresh_token = Some(refresh_token.into());
        self
    }

    /// The same account with its number.
    #[must_use]
    pub fn account(mut self, user_id: i64) -> Self {
        self.user_id = Some(user_id);
        self
    }

    /// The same account, receiving by webhook with this secret in its address.
    #[must_use]
    pub fn webhook(mut self, webhook_secret: impl Into<Secret>) -> Self {
        self.receive = Receive::Webhook;
        self.webhook_secret = Some(webhook_secret.into());
        self
    }

    /// The same account, receiving by polling.
    #[must_use]
    pub fn polling(mut self) -> Self {
        self.receive = Receive::Polling;
        self
    }

    /// The same account, receiving by webhook with this secret, and looking for what got lost.
    #[must_use]
    pub fn webhook_and_polling(self, webhook_secret: impl Into<Secret>) -> Self {
        Self { receive: Receive::Both, ..self.webhook(webhook_secret) }
    }

    /// The same account, never written from.
    #[must_use]
    pub fn receive_only(mut self) -> Self {
        self.access = Access::ReceiveOnly;
        self
    }

    /// The same account at another API server.
    #[must_use]
    pub fn at(mut self, base_url: Url) -> Self {
        self.base_url = base_url;
        self
    }

    /// Checks what can be checked without asking Avito.
    ///
    /// # Errors
    /// [`Configuration`](omni_core::error::ErrorKind::Configuration), saying which setting and why. The text
    /// never holds a secret.
    pub fn validate(&self) -> Result<()> {
        const KEYS: &str = "copy both keys from avito.ru/professionals/api, or from the application's page";
        if !is_key(&self.client_id) {
            return Err(wrong("client_id must be set, without blanks").with_advice(KEYS));
        }
        if !is_key(self.client_secret.expose()) {
            return Err(wrong("client_secret must be set, without blanks").with_advice(KEYS));
        }
        if self.refresh_token.as_ref().is_some_and(|token| !is_key(token.expose())) {
            return Err(wrong("refresh_token must have no blanks; leave it out with the account's own keys"));
        }
        if self.user_id.is_some_and(|id| id <= 0) {
            return Err(wrong("user_id must be the number of the Avito account, above 0"));
        }
        if self.webhook_secret.as_ref().is_some_and(|secret| !is_webhook_secret(secret.expose())) {
            return Err(wrong("webhook_secret must have 16 to 128 characters of A-Z, a-z, 0-9, _ and -"));
        }
        if !(1..=3600).contains(&self.poll_time().as_secs()) {
            return Err(wrong("poll_seconds must be 1 to 3600"));
        }
        if self.history_days > 365 {
            return Err(wrong("history_days must be 0 to 365"));
        }
        check_address("base_url", &self.base_url)?;
        check_hosts("media_hosts", &self.media_hosts)
    }

    /// How long a look at the chats is behind the one before it.
    pub fn poll_time(&self) -> Duration {
        let default = if self.receive == Receive::Both { 60 } else { 10 };
        Duration::from_secs(self.poll_seconds.unwrap_or(default))
    }
}

fn wrong(text: impl Into<String>) -> Error {
    Error::configuration("configure", text)
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}

fn is_webhook_secret(text: &str) -> bool {
    (SECRET_MIN..=SECRET_MAX).contains(&text.len()) && is_plain(text)
}

#[allow(clippy::expect_used)] // a literal, read by every test of this crate
fn base_url() -> Url {
    // <https://developers.avito.ru/api-catalog/messenger/documentation> (read 2026-11)
    Url::parse("https://api.avito.ru/").expect("a literal address")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config::new("aB3kQ_client", "zX9-client-secret").webhook("Zx9_random-256bit")
    }

    #[test]
    fn a_whole_configuration_is_good() {
        assert!(config().validate().is_ok());
        assert!(config().application("rT-1").account(70_010_001).polling().receive_only().validate().is_ok());
        assert!(config().at(Url::parse("http://127.0.0.1:81/avito/").unwrap()).validate().is_ok());
    }

    #[test]
    fn keys_with_blanks_are_explained_without_being_shown() {
        for bad in ["", " zX9-client", "ключ-от-авито", "a b"] {
            let error = Config::new("aB3kQ", bad).validate().unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains("client_secret") && shown.contains("professionals"), "{shown}");
            assert!(bad.is_empty() || !shown.contains(bad), "{shown}");
            assert!(Config::new(bad, "zX9").validate().is_err(), "{bad}");
            assert!(config().application(bad).validate().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_that_can_be_guessed_or_is_no_part_of_an_address_is_refused() {
        for bad in ["", "short", "секретсекретсекрет", "a/b/c/d/e/f/g/h/i", &"x".repeat(129)]
        {
            assert!(config().webhook(bad).validate().is_err(), "{bad}");
        }
        assert!(config().webhook("x".repeat(128)).validate().is_ok());
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        assert!(Config { poll_seconds: Some(0), ..config() }.validate().is_err());
        assert!(Config { poll_seconds: Some(3601), ..config() }.validate().is_err());
        assert!(Config { history_days: 366, ..config() }.validate().is_err());
        assert!(config().account(0).validate().is_err());
    }

    #[test]
    fn addresses_hold_no_secrets_and_hosts_are_hosts() {
        for bad in ["https://user:pass@api.avito.ru", "https://api.avito.ru/?x=1", "file:///tmp"] {
            assert!(config().at(Url::parse(bad).unwrap()).validate().is_err(), "{bad}");
        }
        for bad in ["", "*", "*.ru", "localhost", "https://img.example.com", "a b.example"] {
            let config = Config { media_hosts: vec![bad.to_owned()], ..config() };
            assert!(config.validate().is_err(), "{bad}");
        }
        let good = vec!["*.cdn.example".to_owned(), "img.example".to_owned()];
        assert!(Config { media_hosts: good, ..config() }.validate().is_ok());
    }

    #[test]
    fn the_sweep_beside_webhooks_is_slower_than_polling() {
        assert_eq!(config().polling().poll_time().as_secs(), 10);
        assert_eq!(config().webhook_and_polling("Zx9_random-256bit").poll_time().as_secs(), 60);
    }

    #[test]
    fn unknown_settings_are_refused_and_secrets_are_marked() {
        let json = r#"{"client_id":"a","client_secret":"b","token":"c"}"#;
        assert!(serde_json::from_str::<Config>(json).is_err());
        let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
        assert_eq!(schema["required"], serde_json::json!(["client_id", "client_secret"]));
        assert!(schema.to_string().contains("writeOnly"));
    }

    #[test]
    fn settings_survive_being_stored() {
        let config = config().application("rT-secret").webhook_and_polling("Zx9_random-256bit");
        let stored = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&stored).unwrap(), config);
        let shown = format!("{config:?}");
        assert!(!["zX9-client", "rT-secret", "Zx9_random"].iter().any(|s| shown.contains(s)), "{shown}");
    }
}
