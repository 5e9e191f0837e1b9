//! Settings of a bot.

use omni_core::error::Result;
use omni_core::{Error, Secret};
use omni_http::settings::{below, check_address, check_hosts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::capabilities::{CAPTION, OLD_CAPTION};

/// Settings of one bot.
///
/// ```
/// use omni_viber::Config;
/// let config: Config = serde_json::from_str(r#"{
///     "token": "00112233445566aa-bbccddeeff001122-3344556677889900",
///     "sender_name": "Ромашка"
/// }"#)?;
/// assert!(!format!("{config:?}").contains("00112233445566aa"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Viber bot")]
#[non_exhaustive]
pub struct Config {
    /// The bot's authentication token, as `00112233445566aa-bbccddeeff001122-3344556677889900`. Whoever has
    /// it is the bot, and can sign webhooks in Viber's name.
    #[schemars(title = "Token")]
    pub token: Secret,
    /// The name above messages that have none of their own, at most 28 characters. Left out it is the bot's
    /// name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Name above messages")]
    pub sender_name: Option<String>,
    /// Address of the picture beside messages that have none of their own, at most 100 KB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Picture beside messages")]
    pub sender_avatar: Option<Url>,
    /// What somebody who has never written is shown when they open the chat. They cannot be written to
    /// otherwise until they write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Welcome")]
    pub welcome: Option<String>,
    /// Longest words beside a picture or film, 512 to 768 characters; longer ones go as a message of their
    /// own. Some apps cut at 512.
    #[serde(default = "caption_max")]
    #[schemars(title = "Longest caption", range(min = 512, max = 768))]
    pub caption_max: u32,
    /// Address of the Bot API: a proxy, a simulator.
    #[serde(default = "base_url")]
    #[schemars(title = "API address")]
    pub base_url: Url,
    /// Further hosts that files of customers may be fetched from, beside Viber's own: `files.example` or
    /// `*.files.example`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(title = "Further hosts of files")]
    pub media_hosts: Vec<String>,
    /// Where pictures of stickers are, each as `<id>.png` below it.
    #[serde(default = "sticker_pictures")]
    #[schemars(title = "Pictures of stickers")]
    pub sticker_pictures: Url,
    /// Largest file to fetch, in bytes, when smaller than what Viber carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Largest file to fetch, in bytes")]
    pub fetch_bytes: Option<u64>,
}

impl Config {
    /// A bot at Viber's own server.
    pub fn new(token: impl Into<Secret>) -> Self {
        Self {
            token: token.into(),
            sender_name: None,
            sender_avatar: None,
            welcome: None,
            caption_max: caption_max(),
            base_url: base_url(),
            media_hosts: Vec::new(),
            sticker_pictures: sticker_pictures(),
            fetch_bytes: None,
        }
    }

    /// The same bot, speaking under this name.
    #[must_use]
    pub fn named(mut self, sender_name: impl Into<String>) -> Self {
        self.sender_name = Some(sender_name.into());
        self
    }

    /// The same bot, greeting who opens the chat for the first time.
    #[must_use]
    pub fn welcoming(mut self, welcome: impl Into<String>) -> Self {
        self.welcome = Some(welcome.into());
        self
    }

    /// The same bot at another server.
    #[must_use]
    pub fn at(mut self, base_url: Url) -> Self {
        self.base_url = base_url;
        self
    }

    /// Checks what can be checked without asking Viber.
    ///
    /// # Errors
    /// [`Configuration`](omni_core::error::ErrorKind::Configuration), saying which setting and why. The text
    /// never holds the token.
    pub fn validate(&self) -> Result<()> {
        check_token(self.token.expose())?;
        check_address("base_url", &self.base_url)?;
        if self.sender_name.as_ref().is_some_and(|name| name.trim().is_empty()) {
            return wrong("sender_name must not be empty: leave it out for the bot's own name");
        }
        if self.sender_avatar.as_ref().is_some_and(|avatar| !is_web(avatar)) {
            return wrong("sender_avatar must be an http or https address");
        }
        if let Some(welcome) = &self.welcome {
            check_welcome(welcome)?;
        }
        if !(OLD_CAPTION..=CAPTION).contains(&self.caption_max) {
            return wrong("caption_max must be 512 to 768: Viber takes no longer ones");
        }
        if !is_web(&self.sticker_pictures) || self.sticker_pictures.query().is_some() {
            return wrong("sticker_pictures must be an http or https address without ? and #");
        }
        check_hosts("media_hosts", &self.media_hosts)
    }

    /// Where a method is called.
    pub(crate) fn method_url(&self, method: &str) -> Url {
        below(&self.base_url, method)
    }
}

fn wrong<T>(text: &str) -> Result<T> {
    Err(Error::configuration("configure", text))
}

/// A token is opaque to us, but it travels in a header. That it is three groups of 16 hex digits is how every
/// one that was seen looks, not a promise.
fn check_token(token: &str) -> Result<()> {
    if token.len() >= 16 && token.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    let found = match token.trim() {
        "" => "it is empty".to_owned(),
        trimmed if trimmed.len() != token.len() => "it has blanks around it".to_owned(),
        _ => format!("what is set has {} characters and another form", token.chars().count()),
    };
    Err(Error::configuration(
        "configure",
        format!("the token must look like 00112233445566aa-bbccddeeff001122-3344556677889900; {found}"),
    )
    .with_advice("copy the token from the bot's settings: Viber, More, Settings, Bots, Edit info"))
}

fn check_welcome(welcome: &str) -> Result<()> {
    use crate::capabilities::{TEXT, UNIT};
    if welcome.trim().is_empty() {
        return wrong("welcome must not be empty: leave it out to say nothing");
    }
    if UNIT.measure(welcome) > TEXT as usize {
        return wrong("welcome must not have more than 7000 characters");
    }
    Ok(())
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host() && url.fragment().is_none()
}

fn caption_max() -> u32 {
    CAPTION
}

/// <https://developers.viber.com/docs/api/rest-bot-api/> (read 2026-11)
#[allow(clippy::expect_used)] // a literal, read by every test of this crate
fn base_url() -> Url {
    Url::parse("https://chatapi.viber.com/pa").expect("a literal address")
}

/// Community: the pictures of Viber's own page of stickers,
/// <https://developers.viber.com/docs/tools/sticker-ids/> (read 2026-11).
#[allow(clippy::expect_used)] // a literal, read by every test of this crate
fn sticker_pictures() -> Url {
    Url::parse("https://viber.github.io/docs/img/stickers").expect("a literal address")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "00112233445566aa-bbccddeeff001122-3344556677889900";

    #[test]
    fn a_token_that_is_none_is_explained_without_being_shown() {
        for bad in ["", "00112233", " 00112233445566aa-bbccddeeff001122", "ключ-от-бота-ключ-от-бота", "a b"]
        {
            let error = Config::new(bad).validate().unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(bad.is_empty() || !shown.contains(&format!("{bad:?}")), "{shown}");
            assert!(shown.contains("Edit info"), "{shown}");
        }
        assert!(Config::new(TOKEN).validate().is_ok());
    }

    #[test]
    fn the_base_address_may_have_a_path_and_no_secrets() {
        let at = |url: &str| Config::new(TOKEN).at(Url::parse(url).unwrap());
        assert_eq!(
            Config::new(TOKEN).method_url("send_message").as_str(),
            "https://chatapi.viber.com/pa/send_message"
        );
        let proxied = at("http://proxy.internal:8081/viber/");
        assert!(proxied.validate().is_ok());
        assert_eq!(
            proxied.method_url("send_message").as_str(),
            "http://proxy.internal:8081/viber/send_message"
        );
        for bad in ["https://user:pass@chatapi.viber.com", "https://chatapi.viber.com/?x=1", "file:///tmp"] {
            assert!(at(bad).validate().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_viber_would_refuse_is_refused() {
        let wrong = |change: fn(&mut Config)| {
            let mut config = Config::new(TOKEN);
            change(&mut config);
            config.validate().unwrap_err().text().unwrap().to_owned()
        };
        assert!(wrong(|c| c.sender_name = Some("  ".to_owned())).contains("sender_name"));
        assert!(wrong(|c| c.sender_avatar = Url::parse("data:image/png,").ok()).contains("sender_avatar"));
        assert!(wrong(|c| c.welcome = Some(String::new())).contains("welcome"));
        assert!(wrong(|c| c.welcome = Some("ж".repeat(7001))).contains("7000"));
        assert!(wrong(|c| c.caption_max = 511).contains("caption_max"));
        assert!(wrong(|c| c.caption_max = 769).contains("caption_max"));
        assert!(wrong(|c| c.media_hosts = vec!["https://files.example".to_owned()]).contains("media_hosts"));
        let odd = |c: &mut Config| c.sticker_pictures = Url::parse("mailto:a@b.example").unwrap();
        assert!(wrong(odd).contains("sticker_pictures"));
        let full = Config::new(TOKEN).named("Ромашка").welcoming("Здравствуйте! 👋");
        assert!(full.validate().is_ok());
    }

    #[test]
    fn unknown_settings_are_refused_and_secrets_are_marked() {
        let json = format!(r#"{{"token":"{TOKEN}","webhook":"https://crm.example"}}"#);
        assert!(serde_json::from_str::<Config>(&json).is_err());
        let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
        assert_eq!(schema["required"], serde_json::json!(["token"]));
        assert!(schema.to_string().contains("writeOnly"), "{schema}");
        for (name, setting) in schema["properties"].as_object().unwrap() {
            assert!(setting["title"].is_string(), "{name} has no title");
            assert!(setting["description"].is_string(), "{name} has no help");
        }
    }

    #[test]
    fn settings_survive_being_stored() {
        let config = Config::new(TOKEN).named("Ромашка").welcoming("Здравствуйте!");
        let stored = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&stored).unwrap(), config);
        assert!(!format!("{config:?}").contains("00112233445566aa"));
    }
}
