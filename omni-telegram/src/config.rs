//! Settings of a bot.

use std::time::Duration;

use omni_core::error::Result;
use omni_core::{Error, Secret};
use omni_http::settings::{below, check_address, is_plain};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// Updates asked for when the configuration names none. Without naming them Telegram keeps the list of
/// before, and leaves reactions out: <https://core.telegram.org/bots/api#setwebhook> (read 2026-11).
pub const DEFAULT_UPDATES: [&str; 11] = [
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "callback_query",
    "my_chat_member",
    "message_reaction",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
];

/// Settings of one bot.
///
/// ```
/// use omni_telegram::Config;
/// let config: Config = serde_json::from_str(r#"{
///     "token": "7000000001:AAExampleExampleExampleExampleExample",
///     "receive": "polling"
/// }"#)?;
/// assert!(!format!("{config:?}").contains("AAExample"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Telegram bot")]
#[non_exhaustive]
pub struct Config {
    /// The bot's token from @BotFather, as `7000000001:AA…`. Whoever has it is the bot.
    #[schemars(title = "Bot token")]
    pub token: Secret,
    /// How messages come in.
    #[serde(default)]
    #[schemars(title = "Receive by")]
    pub receive: Receive,
    /// Telegram sends it along with every webhook, so that nobody else can: 1 to 256 of `A-Z a-z 0-9 _ -`.
    /// Needed to receive by webhook; without it every webhook is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Webhook secret")]
    pub secret_token: Option<Secret>,
    /// Kinds of updates to ask for, in Telegram's names; leave out for all that this connector understands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Kinds of updates")]
    pub allowed_updates: Option<Vec<String>>,
    /// How many seconds one question for updates may wait, at most 50. For receiving by polling.
    #[serde(default = "poll_seconds")]
    #[schemars(title = "Seconds of a poll", range(min = 1, max = 50))]
    pub poll_seconds: u64,
    /// Address of the Bot API server: a proxy, a server of your own, a simulator.
    #[serde(default = "base_url")]
    #[schemars(title = "API address")]
    pub base_url: Url,
    /// Whose server stands at that address: it decides how large files may be.
    #[serde(default)]
    #[schemars(title = "API server")]
    pub server: Server,
    /// Telegram's production or its test data centre.
    #[serde(default)]
    #[schemars(title = "Data centre")]
    pub data_centre: DataCentre,
    /// Whether sends keep to Telegram's published rates from the start, or only to what the server asks for.
    /// Left out it is `published`, but for a simulator: an address of this machine with the server `cloud`.
    /// A server of your own speaks to Telegram, which counts all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Pace of sending")]
    pub pacing: Option<Pacing>,
    /// Largest file to fetch, in bytes, when smaller than what the server allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Largest file to fetch, in bytes")]
    pub fetch_bytes: Option<u64>,
}

/// How messages come in. A bot can do one of them only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Receive {
    /// Telegram posts them to an https address of ours.
    #[default]
    Webhook,
    /// We ask for them; no public address is needed.
    Polling,
}

/// Whose Bot API server it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Server {
    /// Telegram's: files up to 20 MB in and 50 MB out.
    #[default]
    Cloud,
    /// Your own, run with `--local`: files up to 2000 MB, webhooks on any port and without TLS.
    Local,
}

/// Which data centre.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DataCentre {
    /// The true one.
    #[default]
    Production,
    /// The one for tests, with accounts of its own.
    Test,
}

/// What holds sends back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Pacing {
    /// The rates of Telegram's FAQ, before it has to say anything: 30 messages a second in all, one a second
    /// in a private chat, 20 a minute in a group. What it asks for after a 429 holds as well.
    Published,
    /// Nothing but what the server asks for after a 429. For simulators and tests of load.
    OnDemand,
}

impl Config {
    /// A bot that receives by webhook from Telegram's own server. Set [`Self::secret_token`] before use, or
    /// [`Self::receive`] to polling.
    pub fn new(token: impl Into<Secret>) -> Self {
        Self {
            token: token.into(),
            receive: Receive::default(),
            secret_token: None,
            allowed_updates: None,
            poll_seconds: poll_seconds(),
            base_url: base_url(),
            server: Server::default(),
            data_centre: DataCentre::default(),
            pacing: None,
            fetch_bytes: None,
        }
    }

    /// The same bot, receiving by polling.
    #[must_use]
    pub fn polling(mut self) -> Self {
        self.receive = Receive::Polling;
        self
    }

    /// The same bot, receiving by webhook with this secret.
    #[must_use]
    pub fn webhook(mut self, secret_token: impl Into<Secret>) -> Self {
        self.receive = Receive::Webhook;
        self.secret_token = Some(secret_token.into());
        self
    }

    /// The same bot at another Bot API server.
    #[must_use]
    pub fn at(mut self, base_url: Url) -> Self {
        self.base_url = base_url;
        self
    }

    /// Checks what can be checked without asking Telegram.
    ///
    /// # Errors
    /// [`Configuration`](omni_core::error::ErrorKind::Configuration), saying which setting and why. The text
    /// never holds the token.
    pub fn validate(&self) -> Result<()> {
        check_token(self.token.expose())?;
        if let Some(secret) = &self.secret_token {
            check_secret(secret.expose())?;
        }
        check_address("base_url", &self.base_url)?;
        if !(1..=50).contains(&self.poll_seconds) {
            return wrong("poll_seconds must be 1 to 50: the server waits no longer");
        }
        Ok(())
    }

    /// The kinds of updates to ask for.
    pub fn updates(&self) -> Vec<&str> {
        match &self.allowed_updates {
            Some(named) => named.iter().map(String::as_str).collect(),
            None => DEFAULT_UPDATES.to_vec(),
        }
    }

    /// How long one question for updates waits at the server.
    pub fn poll_time(&self) -> Duration {
        Duration::from_secs(self.poll_seconds)
    }

    /// What holds sends back: the setting, or what it means when left out.
    pub fn pacing(&self) -> Pacing {
        let default = match self.server {
            Server::Cloud if is_this_machine(&self.base_url) => Pacing::OnDemand,
            _ => Pacing::Published,
        };
        self.pacing.unwrap_or(default)
    }

    /// Where a method is called. Holds the token: never show it.
    pub(crate) fn method_url(&self, method: &str) -> Url {
        let test = match self.data_centre {
            DataCentre::Production => "",
            DataCentre::Test => "test/",
        };
        self.url_of(&format!("bot{}/{test}{method}", self.token.expose()))
    }

    /// Where a file is downloaded. Holds the token: never show it.
    ///
    /// That the test data centre has its `test/` here too is unverified.
    pub(crate) fn file_url(&self, path: &str) -> Url {
        let test = match self.data_centre {
            DataCentre::Production => "",
            DataCentre::Test => "test/",
        };
        self.url_of(&format!("file/bot{}/{test}{}", self.token.expose(), path.trim_start_matches('/')))
    }

    fn url_of(&self, path: &str) -> Url {
        below(&self.base_url, path)
    }
}

fn wrong<T>(text: &str) -> Result<T> {
    Err(Error::configuration("configure", text))
}

/// A token is the bot's id, a colon, and a secret that is opaque to us but for its letters: it becomes a part
/// of a path. <https://core.telegram.org/bots/api#authorizing-your-bot> (read 2026-11)
fn check_token(token: &str) -> Result<()> {
    let well_formed = token.split_once(':').is_some_and(|(id, secret)| {
        !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) && secret.len() >= 3 && is_plain(secret)
    });
    if well_formed {
        return Ok(());
    }
    let found = match token.trim() {
        "" => "it is empty".to_owned(),
        trimmed if trimmed.len() != token.len() => "it has blanks around it".to_owned(),
        _ => format!("what is set has {} characters and another form", token.chars().count()),
    };
    Err(Error::configuration(
        "configure",
        format!("the token must look like 7000000001:AAxxxx, a number, a colon and letters; {found}"),
    )
    .with_advice("copy the token from @BotFather: /mybots, then API Token"))
}

/// <https://core.telegram.org/bots/api#setwebhook> (read 2026-11)
fn check_secret(secret: &str) -> Result<()> {
    if (1..=256).contains(&secret.len()) && is_plain(secret) {
        return Ok(());
    }
    wrong("secret_token must have 1 to 256 characters of A-Z, a-z, 0-9, _ and -")
}

/// Telegram's own server is never there.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.to_canonical().is_loopback(),
        // <https://www.rfc-editor.org/rfc/rfc6761#section-6.3>
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

fn poll_seconds() -> u64 {
    50
}

#[allow(clippy::expect_used)] // a literal, read by every test of this crate
fn base_url() -> Url {
    Url::parse("https://api.telegram.org").expect("a literal address")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "7000000001:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";

    #[test]
    fn a_token_that_is_none_is_explained_without_being_shown() {
        for bad in
            ["", "8123456789", "AAHdqTcv:7000000001", " 7000000001:AAHdq", "7:AAHd/../x", "7:ключ", "7:a"]
        {
            let error = Config::new(bad).validate().unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(bad.is_empty() || !shown.contains(bad), "{shown}");
            assert!(shown.contains("BotFather"), "{shown}");
        }
        assert!(Config::new(TOKEN).validate().is_ok());
    }

    #[test]
    fn a_secret_that_telegram_would_refuse_is_refused() {
        for bad in ["", "есть", "a b", &"x".repeat(257)] {
            assert!(Config::new(TOKEN).webhook(bad).validate().is_err(), "{bad}");
        }
        assert!(Config::new(TOKEN).webhook("Zx9_random-256bit").validate().is_ok());
    }

    #[test]
    fn the_base_address_may_have_a_path_and_no_secrets() {
        let at = |url: &str| Config::new(TOKEN).at(Url::parse(url).unwrap());
        let proxied = at("http://proxy.internal:8081/tg/");
        assert!(proxied.validate().is_ok());
        assert_eq!(
            proxied.method_url("getMe").as_str(),
            format!("http://proxy.internal:8081/tg/bot{TOKEN}/getMe")
        );
        for bad in ["https://user:pass@api.telegram.org", "https://api.telegram.org/?x=1", "file:///tmp"] {
            assert!(at(bad).validate().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_test_data_centre_has_paths_of_its_own() {
        let mut config = Config::new(TOKEN);
        config.data_centre = DataCentre::Test;
        assert_eq!(config.method_url("getMe").path(), format!("/bot{TOKEN}/test/getMe"));
    }

    #[test]
    fn only_a_simulator_is_sent_to_without_the_published_rates() {
        let at = |url: &str| Config::new(TOKEN).at(Url::parse(url).unwrap());
        assert_eq!(Config::new(TOKEN).pacing(), Pacing::Published);
        for proxy in ["https://telegram.proxy.example", "http://10.0.0.7:8081", "http://notlocalhost"] {
            assert_eq!(at(proxy).pacing(), Pacing::Published, "{proxy}");
        }
        for here in [
            "http://127.0.0.1:8081",
            "http://127.8.9.1",
            "http://[::1]:80",
            "http://[::ffff:127.0.0.1]",
            "http://LOCALHOST:1",
            "http://bot.localhost",
        ] {
            assert_eq!(at(here).pacing(), Pacing::OnDemand, "{here}");
            let mut own = at(here);
            own.server = Server::Local;
            assert_eq!(own.pacing(), Pacing::Published, "{here}: behind it is Telegram");
            own.pacing = Some(Pacing::OnDemand);
            assert_eq!(own.pacing(), Pacing::OnDemand, "{here}: what is set counts");
        }
        let stored = format!(r#"{{"token":"{TOKEN}","pacing":"on_demand"}}"#);
        assert_eq!(serde_json::from_str::<Config>(&stored).unwrap().pacing(), Pacing::OnDemand);
    }

    #[test]
    fn unknown_settings_are_refused_and_secrets_are_marked() {
        let json = format!(r#"{{"token":"{TOKEN}","drop_pending_updates":true}}"#);
        assert!(serde_json::from_str::<Config>(&json).is_err());
        let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
        let text = schema.to_string();
        assert_eq!(schema["required"], serde_json::json!(["token"]));
        assert!(text.contains("writeOnly"), "{text}");
    }

    #[test]
    fn settings_survive_being_stored() {
        let config = Config::new(TOKEN).webhook("s3cret");
        let stored = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&stored).unwrap(), config);
        assert!(!format!("{config:?}").contains("AAHdq"));
    }
}
