//! Settings of a channel.

use std::time::Duration;

use omni_core::error::Result;
use omni_core::link::CampaignToken;
use omni_core::{Error, Secret};
use omni_http::settings::check_hosts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::capabilities::Abilities;

/// What stands for the token in [`Config::link`].
const TOKEN: &str = "{token}";
/// Most keys at a time: one in use, the next one, and room for a mistake.
const KEYS_MAX: usize = 4;
/// Shortest key: 128 bits as hexadecimal digits would be twice as long.
const KEY_MIN: usize = 16;

/// Settings of one program.
///
/// ```
/// use omni_webhook::Config;
/// let config: Config = serde_json::from_str(r#"{
///     "endpoint": "https://chat.example/omni",
///     "keys": ["5d41402abc4b2a76b9719d911017c592"]
/// }"#)?;
/// assert!(!format!("{config:?}").contains("5d41402abc4b2a76"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Webhook")]
#[non_exhaustive]
pub struct Config {
    /// Where the program takes our messages: every message and action is posted there. It may be shown in logs: the
    /// keys are the secret, not the address.
    #[schemars(title = "Address of the program")]
    pub endpoint: Url,
    /// Keys that both sides sign with, 16 to 256 characters each, at most four. The first signs, all are taken: to
    /// change a key, put the new one behind the old one here and in the program, then in front, then take the old one
    /// out.
    #[schemars(title = "Keys", length(min = 1, max = 4))]
    pub keys: Vec<Secret>,
    /// Name of the program, within which its ids of people are unique. Left out, it is the host of the endpoint; set
    /// it before that host changes, because people are known by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Name of the program")]
    pub program: Option<String>,
    /// How many seconds ago a request may have been signed, 30 to 3600. The clocks of both sides have to agree so far.
    #[serde(default = "tolerance_seconds")]
    #[schemars(title = "Age of a signature, in seconds", range(min = 30, max = 3600))]
    pub tolerance_seconds: u64,
    /// What the program can do.
    #[serde(default)]
    #[schemars(title = "What the program can do")]
    pub capabilities: Abilities,
    /// Address that opens a chat with a campaign token, which stands as `{token}` in it. The program brings the token
    /// back as `referral`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Link to a chat")]
    pub link: Option<String>,
    /// Further hosts that files of customers may be fetched from, beside the endpoint's own: `files.example` or
    /// `*.files.example`. Only over https.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(title = "Further hosts of files")]
    pub media_hosts: Vec<String>,
    /// Largest file to fetch, in bytes; 50 MiB when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Largest file to fetch, in bytes")]
    pub fetch_bytes: Option<u64>,
}

impl Config {
    /// A program at this address, with this key.
    pub fn new(endpoint: Url, key: impl Into<Secret>) -> Self {
        Self {
            endpoint,
            keys: vec![key.into()],
            program: None,
            tolerance_seconds: tolerance_seconds(),
            capabilities: Abilities::default(),
            link: None,
            media_hosts: Vec::new(),
            fetch_bytes: None,
        }
    }

    /// The same program under this name.
    #[must_use]
    pub fn named(mut self, program: impl Into<String>) -> Self {
        self.program = Some(program.into());
        self
    }

    /// The same program, which can do this.
    #[must_use]
    pub fn able(mut self, abilities: Abilities) -> Self {
        self.capabilities = abilities;
        self
    }

    /// The same program with one more key that is taken.
    #[must_use]
    pub fn taking(mut self, key: impl Into<Secret>) -> Self {
        self.keys.push(key.into());
        self
    }

    /// The same program, whose chats are opened by this link.
    #[must_use]
    pub fn linked(mut self, link: impl Into<String>) -> Self {
        self.link = Some(link.into());
        self
    }

    /// Checks what can be checked without asking the program.
    ///
    /// # Errors
    /// [`Configuration`](omni_core::error::ErrorKind::Configuration), saying which setting and why. The text never
    /// holds a key.
    pub fn validate(&self) -> Result<()> {
        check_endpoint(&self.endpoint)?;
        check_keys(&self.keys)?;
        if self.program.as_ref().is_some_and(|name| name.trim().is_empty() || name.len() > 100) {
            return wrong("program must have 1 to 100 characters: leave it out for the host of the endpoint");
        }
        if !(30..=3600).contains(&self.tolerance_seconds) {
            return wrong("tolerance_seconds must be 30 to 3600");
        }
        if let Some(link) = &self.link {
            check_link(link)?;
        }
        check_hosts("media_hosts", &self.media_hosts)?;
        self.capabilities.validate()
    }

    /// Within what the program's ids of people are unique.
    pub fn scope(&self) -> String {
        match &self.program {
            Some(name) => name.clone(),
            None => {
                let host = self.endpoint.host_str().unwrap_or_default();
                self.endpoint.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
            }
        }
    }

    /// How long ago a request may have been signed.
    pub fn tolerance(&self) -> Duration {
        Duration::from_secs(self.tolerance_seconds)
    }

    /// The link that carries a token.
    pub(crate) fn link_with(&self, token: &CampaignToken) -> Option<Result<Url>> {
        let link = self.link.as_deref()?.replace(TOKEN, token.as_str());
        Some(Url::parse(&link).map_err(|e| Error::configuration("link", format!("link: {e}"))))
    }
}

pub(crate) fn wrong<T>(text: &str) -> Result<T> {
    Err(Error::configuration("configure", text))
}

fn check_endpoint(endpoint: &Url) -> Result<()> {
    if !is_web(endpoint) {
        return wrong("endpoint must be an http or https address without #");
    }
    if !endpoint.username().is_empty() || endpoint.password().is_some() {
        return wrong("endpoint must not hold a user name or password: requests are signed with the keys");
    }
    Ok(())
}

/// A key is opaque: its characters are the bytes that sign. It has to survive being copied.
fn check_keys(keys: &[Secret]) -> Result<()> {
    const ADVICE: &str = "make one with: openssl rand -hex 32";
    if !(1..=KEYS_MAX).contains(&keys.len()) {
        return Err(Error::configuration("configure", "keys must be one to four").with_advice(ADVICE));
    }
    for (at, key) in keys.iter().enumerate() {
        let text = key.expose();
        let found = match text.len() {
            0 => "is empty",
            _ if !text.bytes().all(|b| b.is_ascii_graphic()) => "has blanks or signs outside ASCII",
            length if length < KEY_MIN => "is shorter than 16 characters",
            length if length > 256 => "is longer than 256 characters",
            _ if keys.iter().take(at).any(|other| other == key) => "stands there twice",
            _ => continue,
        };
        let number = at + 1;
        return Err(
            Error::configuration("configure", format!("keys: number {number} {found}")).with_advice(ADVICE)
        );
    }
    Ok(())
}

fn check_link(link: &str) -> Result<()> {
    let filled = Url::parse(&link.replace(TOKEN, "t"));
    if !link.contains(TOKEN) || !filled.is_ok_and(|url| !url.cannot_be_a_base()) {
        return wrong(
            "link must be an address with {token} in it, as https://shop.example/chat?start={token}",
        );
    }
    Ok(())
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host() && url.fragment().is_none()
}

fn tolerance_seconds() -> u64 {
    300
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capabilities::Shows;

    const KEY: &str = "5d41402abc4b2a76b9719d911017c592";

    fn at(endpoint: &str) -> Config {
        Config::new(Url::parse(endpoint).unwrap(), KEY)
    }

    fn program() -> Config {
        at("https://chat.example/omni")
    }

    #[test]
    fn a_key_that_is_none_is_explained_without_being_shown() {
        for bad in ["", "short", "has a blank in it, and is long", "ключ-из-двадцати-букв", &"x".repeat(257)]
        {
            let error = Config::new(program().endpoint, bad).validate().unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(bad.is_empty() || !shown.contains(&format!("{bad:?}")), "{shown}");
            assert!(shown.contains("openssl rand"), "{shown}");
        }
        assert!(program().validate().is_ok());
    }

    #[test]
    fn one_to_four_different_keys_are_taken() {
        let keys = |count: usize| {
            let mut config = program();
            config.keys = (0..count).map(|n| Secret::new(format!("{KEY}{n}"))).collect();
            config.validate().is_ok()
        };
        assert_eq!([0, 1, 2, 4, 5].map(keys), [false, true, true, true, false]);
        assert!(
            program().taking(KEY).validate().unwrap_err().to_string().contains("number 2 stands there twice")
        );
        assert!(program().taking("another-key-of-16").validate().is_ok());
    }

    #[test]
    fn the_endpoint_may_be_anywhere_and_holds_no_secrets() {
        for good in ["http://127.0.0.1:8080/", "https://chat.example/omni?site=7", "http://chat.internal"] {
            assert!(at(good).validate().is_ok(), "{good}");
        }
        for bad in ["https://user:pass@chat.example/", "ftp://chat.example/", "https://chat.example/#a"] {
            assert!(at(bad).validate().is_err(), "{bad}");
        }
    }

    #[test]
    fn people_are_known_within_the_program() {
        assert_eq!(program().scope(), "chat.example");
        assert_eq!(at("http://127.0.0.1:8080/omni").scope(), "127.0.0.1:8080");
        assert_eq!(program().named("site").scope(), "site");
        assert!(program().named("  ").validate().is_err());
    }

    #[test]
    fn a_link_carries_its_token() {
        let token = CampaignToken::new("spring_2026-a").unwrap();
        let config = program().linked("https://shop.example/chat?start={token}&lang=ru");
        assert!(config.validate().is_ok());
        let link = config.link_with(&token).unwrap().unwrap();
        assert_eq!(link.as_str(), "https://shop.example/chat?start=spring_2026-a&lang=ru");
        assert!(program().link_with(&token).is_none());
        for bad in ["https://shop.example/chat", "{token}", "mailto:{token}"] {
            assert!(program().linked(bad).validate().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let wrong = |change: fn(&mut Config)| {
            let mut config = program();
            change(&mut config);
            config.validate().unwrap_err().text().unwrap().to_owned()
        };
        assert!(wrong(|c| c.tolerance_seconds = 29).contains("tolerance_seconds"));
        assert!(wrong(|c| c.tolerance_seconds = 3601).contains("tolerance_seconds"));
        assert!(wrong(|c| c.media_hosts = vec!["https://files.example".to_owned()]).contains("media_hosts"));
        assert!(wrong(|c| c.capabilities.text_max = 0).contains("text_max"));
    }

    #[test]
    fn unknown_settings_are_refused_and_secrets_are_marked() {
        let json = format!(r#"{{"endpoint":"https://chat.example/","keys":["{KEY}"],"key":"x"}}"#);
        assert!(serde_json::from_str::<Config>(&json).is_err());
        let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
        assert_eq!(schema["required"], serde_json::json!(["endpoint", "keys"]));
        assert!(schema.to_string().contains("writeOnly"), "{schema}");
        let nested = &schema["$defs"]["Abilities"]["properties"];
        for settings in [&schema["properties"], nested] {
            for (name, setting) in settings.as_object().unwrap() {
                assert!(setting["title"].is_string(), "{name} has no title");
                assert!(setting["description"].is_string(), "{name} has no help");
            }
        }
    }

    #[test]
    fn settings_survive_being_stored() {
        let mut config =
            program().named("site").able(Abilities::all()).linked("https://shop.example/{token}");
        config.capabilities.content.remove(&Shows::Sticker);
        let stored = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&stored).unwrap(), config);
        assert!(!format!("{config:?}").contains(KEY));
    }
}
