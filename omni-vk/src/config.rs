//! Settings of a community.

use std::time::Duration;

use omni_core::error::Result;
use omni_core::{Error, Secret};
use omni_http::settings::{below, check_address};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

/// The version of calls and of the shapes of events. <https://dev.vk.com/reference/versions> (read 2026-11)
pub const API_VERSION: &str = "5.199";

/// Events asked for when the configuration names none: all that become more than
/// [`Unsupported`](omni_core::EventBody::Unsupported).
/// <https://dev.vk.com/api/community-events/json-schema> (read 2026-11)
pub const EVENTS: [&str; 29] = [
    "message_new",
    "message_reply",
    "message_edit",
    "message_allow",
    "message_deny",
    "message_event",
    "message_read",
    "message_typing_state",
    "message_reaction_event",
    "wall_reply_new",
    "wall_reply_edit",
    "wall_reply_restore",
    "wall_reply_delete",
    "photo_comment_new",
    "photo_comment_edit",
    "photo_comment_restore",
    "photo_comment_delete",
    "video_comment_new",
    "video_comment_edit",
    "video_comment_restore",
    "video_comment_delete",
    "market_comment_new",
    "market_comment_edit",
    "market_comment_restore",
    "market_comment_delete",
    "board_post_new",
    "board_post_edit",
    "board_post_restore",
    "board_post_delete",
];

/// <https://dev.vk.com/method/groups.addCallbackServer> (read 2026-11)
const TITLE_MAX: usize = 14;
/// <https://dev.vk.com/method/groups.addCallbackServer> (read 2026-11)
const SECRET_MAX: usize = 50;
/// <https://dev.vk.com/api/bots-long-poll/getting-started> (read 2026-11)
const POLL_MAX: u64 = 90;

/// Settings of one community.
///
/// ```
/// use omni_vk::Config;
/// let config: Config = serde_json::from_str(r#"{
///     "token": "vk1.a.ExampleExampleExample",
///     "group_id": 123456,
///     "receive": "long_poll"
/// }"#)?;
/// assert!(!format!("{config:?}").contains("Example"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "VK community")]
#[non_exhaustive]
pub struct Config {
    /// The community's access token, with the rights messages, photos, docs and manage. Whoever has it speaks
    /// for the community.
    #[schemars(title = "Community token")]
    pub token: Secret,
    /// The community's number, without a sign, as in `vk.com/club123456`. Events of any other are refused.
    #[schemars(title = "Community number", range(min = 1))]
    pub group_id: i64,
    /// How messages come in.
    #[serde(default)]
    #[schemars(title = "Receive by")]
    pub receive: Receive,
    /// VK sends it along with every webhook, so that nobody else can: 1 to 50 of `A-Z a-z 0-9`, better 32 random
    /// ones or more. Needed to receive by webhook; without it every webhook is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Webhook secret")]
    pub secret: Option<Secret>,
    /// The text that VK wants to be answered when it confirms a webhook. Needed only for a server that was
    /// entered by hand: connecting and checking read the present one from VK.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Confirmation code")]
    pub confirmation: Option<String>,
    /// Events to ask for, in VK's names; leave out for all that this connector understands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Kinds of events")]
    pub events: Option<Vec<String>>,
    /// Name of the webhook in the community's settings, at most 14 characters. It also tells ours from others.
    #[serde(default = "server_title")]
    #[schemars(title = "Name of the webhook")]
    pub server_title: String,
    /// How many seconds one question for events may wait, at most 90. For receiving by long polling.
    #[serde(default = "poll_seconds")]
    #[schemars(title = "Seconds of a poll", range(min = 1, max = 90))]
    pub poll_seconds: u64,
    /// Version of VK's interface, for calls and events alike.
    #[serde(default = "api_version")]
    #[schemars(title = "API version")]
    pub api_version: String,
    /// Language of names, as VK writes it.
    #[serde(default = "lang")]
    #[schemars(title = "Language of names")]
    pub lang: String,
    /// How many calls a second VK takes; sends above that are joined, up to 25 a call.
    #[serde(default = "calls_per_second")]
    #[schemars(title = "Calls a second", range(min = 1, max = 1000))]
    pub calls_per_second: u32,
    /// For how many seconds VK knows a repeated message by its number. VK does not say; an hour is what others
    /// saw.
    #[serde(default = "repeat_seconds")]
    #[schemars(title = "Seconds in which repeats are known")]
    pub repeat_seconds: u64,
    /// Address of the API: a proxy, the mirror `https://api.vk.ru/`, a simulator.
    #[serde(default = "base_url")]
    #[schemars(title = "API address")]
    pub base_url: Url,
    /// Largest file to fetch, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Largest file to fetch, in bytes")]
    pub fetch_bytes: Option<u64>,
    /// Hosts that files may come from beside VK's own, such as `*.example.com`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(title = "More hosts of files")]
    pub media_hosts: Vec<String>,
}

/// How messages come in. Both may be on at VK; one channel uses one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Receive {
    /// VK posts them to an https address of ours: Callback API.
    #[default]
    Webhook,
    /// We ask for them; no public address is needed: Bots Long Poll.
    LongPoll,
}

impl Config {
    /// A community that receives by webhook. Set [`Self::secret`] before use, or [`Self::receive`] to long polling.
    pub fn new(token: impl Into<Secret>, group_id: i64) -> Self {
        Self {
            token: token.into(),
            group_id,
            receive: Receive::default(),
            secret: None,
            confirmation: None,
            events: None,
            server_title: server_title(),
            poll_seconds: poll_seconds(),
            api_version: api_version(),
            lang: lang(),
            calls_per_second: calls_per_second(),
            repeat_seconds: repeat_seconds(),
            base_url: base_url(),
            fetch_bytes: None,
            media_hosts: Vec::new(),
        }
    }

    /// The same community, receiving by long polling.
    #[must_use]
    pub fn long_poll(mut self) -> Self {
        self.receive = Receive::LongPoll;
        self
    }

    /// The same community, receiving by webhook with this secret.
    #[must_use]
    pub fn webhook(mut self, secret: impl Into<Secret>) -> Self {
        self.receive = Receive::Webhook;
        self.secret = Some(secret.into());
        self
    }

    /// The same community at another address of the API.
    #[must_use]
    pub fn at(mut self, base_url: Url) -> Self {
        self.base_url = base_url;
        self
    }

    /// Checks what can be checked without asking VK.
    ///
    /// # Errors
    /// [`Configuration`](omni_core::error::ErrorKind::Configuration), saying which setting and why. The text
    /// never holds the token.
    pub fn validate(&self) -> Result<()> {
        check_token(self.token.expose())?;
        if self.group_id <= 0 {
            return wrong("group_id must be the community's number, above zero and without a sign");
        }
        if let Some(secret) = &self.secret {
            check_secret(secret.expose())?;
        }
        if self.confirmation.as_deref().is_some_and(|code| !is_plain(code)) {
            return wrong("confirmation must be the code that VK shows: letters and digits");
        }
        check_address("base_url", &self.base_url)?;
        if !(1..=TITLE_MAX).contains(&self.server_title.chars().count()) {
            return wrong("server_title must have 1 to 14 characters");
        }
        if !(1..=POLL_MAX).contains(&self.poll_seconds) {
            return wrong("poll_seconds must be 1 to 90: VK waits no longer");
        }
        if !(1..=1000).contains(&self.calls_per_second) {
            return wrong("calls_per_second must be 1 to 1000; VK takes 20 of a community");
        }
        if self.api_version.is_empty() || self.lang.is_empty() {
            return wrong("api_version and lang must not be empty");
        }
        Ok(())
    }

    /// The events to ask for.
    pub fn events(&self) -> Vec<&str> {
        match &self.events {
            Some(named) => named.iter().map(String::as_str).collect(),
            None => EVENTS.to_vec(),
        }
    }

    /// How long one question for events waits at the server.
    pub fn poll_time(&self) -> Duration {
        Duration::from_secs(self.poll_seconds)
    }

    /// Where a method is called.
    pub(crate) fn method_url(&self, method: &str) -> Url {
        below(&self.base_url, &format!("method/{method}"))
    }
}

fn wrong<T>(text: &str) -> Result<T> {
    Err(Error::configuration("configure", text))
}

/// A token is opaque to us, but for being one word.
fn check_token(token: &str) -> Result<()> {
    let well_formed = !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    if well_formed {
        return Ok(());
    }
    let found = match token.trim() {
        "" => "it is empty".to_owned(),
        trimmed if trimmed.len() != token.len() => "it has blanks around it".to_owned(),
        _ => format!("what is set has {} characters, and some are none of a token", token.chars().count()),
    };
    Err(Error::configuration(
        "configure",
        format!("the token must be a community's access token, one word of letters; {found}"),
    )
    .with_advice("make one in the community: Manage, API usage, Access tokens"))
}

fn check_secret(secret: &str) -> Result<()> {
    if (1..=SECRET_MAX).contains(&secret.len()) && is_plain(secret) {
        return Ok(());
    }
    wrong("secret must have 1 to 50 characters of A-Z, a-z and 0-9")
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn server_title() -> String {
    "omni".to_owned()
}

fn poll_seconds() -> u64 {
    25
}

fn api_version() -> String {
    API_VERSION.to_owned()
}

fn lang() -> String {
    "ru".to_owned()
}

/// Of a community token: <https://dev.vk.com/api/api-requests> (read 2026-11)
fn calls_per_second() -> u32 {
    20
}

fn repeat_seconds() -> u64 {
    3600
}

#[allow(clippy::expect_used)] // a literal, read by every test of this crate
fn base_url() -> Url {
    Url::parse("https://api.vk.com/").expect("a literal address")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "vk1.a.Zx9random256bit";

    #[test]
    fn a_token_that_is_none_is_explained_without_being_shown() {
        for bad in ["", "   ", " vk1.a.Zx9", "vk1.a.Zx9\n", "ключ сообщества", "vk1.a Zx9"] {
            let error = Config::new(bad, 1).validate().unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(bad.trim().is_empty() || !shown.contains(bad.trim()), "{shown}");
            assert!(shown.contains("Access tokens"), "{shown}");
        }
        assert!(Config::new(TOKEN, 1).validate().is_ok());
    }

    #[test]
    fn a_community_is_named_by_its_number() {
        for bad in [0, -123_456, i64::MIN] {
            assert!(Config::new(TOKEN, bad).validate().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_that_vk_would_refuse_is_refused() {
        for bad in ["", "есть", "a b", "a_b", &"x".repeat(51)] {
            assert!(Config::new(TOKEN, 1).webhook(bad).validate().is_err(), "{bad}");
        }
        assert!(Config::new(TOKEN, 1).webhook("x".repeat(50)).validate().is_ok());
    }

    #[test]
    fn numbers_and_names_out_of_range_are_refused() {
        let with = |change: fn(&mut Config)| {
            let mut config = Config::new(TOKEN, 1);
            change(&mut config);
            config.validate()
        };
        assert!(with(|c| c.poll_seconds = 0).is_err());
        assert!(with(|c| c.poll_seconds = 91).is_err());
        assert!(with(|c| c.server_title = "название длиннее".to_owned()).is_err());
        assert!(with(|c| c.server_title = "четырнадцать14".to_owned()).is_ok());
        assert!(with(|c| c.server_title = String::new()).is_err());
        assert!(with(|c| c.calls_per_second = 0).is_err());
        assert!(with(|c| c.api_version = String::new()).is_err());
        assert!(with(|c| c.confirmation = Some("a1 b2".to_owned())).is_err());
        assert!(with(|c| c.confirmation = Some("a1b2c3d4".to_owned())).is_ok());
    }

    #[test]
    fn the_base_address_may_have_a_path_and_no_secrets() {
        let at = |url: &str| Config::new(TOKEN, 1).at(Url::parse(url).unwrap());
        let proxied = at("http://proxy.internal:8081/vk/");
        assert!(proxied.validate().is_ok());
        assert_eq!(
            proxied.method_url("messages.send").as_str(),
            "http://proxy.internal:8081/vk/method/messages.send"
        );
        assert_eq!(
            Config::new(TOKEN, 1).method_url("users.get").as_str(),
            "https://api.vk.com/method/users.get"
        );
        for bad in ["https://user:pass@api.vk.com", "https://api.vk.com/?x=1", "file:///tmp"] {
            assert!(at(bad).validate().is_err(), "{bad}");
        }
    }

    #[test]
    fn unknown_settings_are_refused_and_secrets_are_marked() {
        let json = format!(r#"{{"token":"{TOKEN}","group_id":1,"chat_id":7}}"#);
        assert!(serde_json::from_str::<Config>(&json).is_err());
        let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
        assert_eq!(schema["required"], serde_json::json!(["token", "group_id"]));
        for (name, setting) in schema["properties"].as_object().unwrap() {
            assert!(setting["title"].is_string() && setting["description"].is_string(), "{name}");
        }
        assert!(schema.to_string().contains("writeOnly"));
    }

    #[test]
    fn settings_survive_being_stored() {
        let config = Config::new(TOKEN, 123_456).webhook("s3cret");
        let stored = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&stored).unwrap(), config);
        assert!(!format!("{config:?}").contains("Zx9"));
    }
}
