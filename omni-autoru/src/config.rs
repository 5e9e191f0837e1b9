//! Settings of an account.

use std::collections::BTreeMap;
#[cfg(feature = "rest")]
use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use omni_core::crypto::hmac_sha256;
use omni_core::error::Result;
use omni_core::{Error, Secret};
use omni_http::settings::{check_address, is_plain};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

/// Where operators' messages go by the format of the request:
/// <https://yandex.ru/dev/autoru/doc/ru/reference/chats/basic/chats-operator-message> (read 2026-11).
pub const BASE_URL: &str = "https://apiauto.ru/1.0/aggregators/auto/hook";
/// Where they go by the example on the same page, and in a public connector for Bitrix24 (community).
pub const OTHER_BASE_URL: &str = "https://chat-api-ext.vertis.yandex.net/api/1.x/aggregators/auto/hook";
/// Where pictures are, as the examples of the documentation write them:
/// <https://yandex.ru/dev/autoru/doc/ru/reference/chats/additional/get-message> (read 2026-11). That buyers' pictures
/// are there too is unverified; [`Config::media_hosts`] adds others.
pub const DEFAULT_MEDIA_HOSTS: [&str; 1] = ["avatars.mds.yandex.net"];

/// Shortest ChatId that Auto.ru's cabinet takes, by the help of a chat platform (unverified).
const SHORTEST: usize = 4;
/// A shorter one can be guessed.
const SAFE: usize = 16;

/// Settings of one dealer's account.
///
/// ```
/// use omni_autoru::Config;
/// let config: Config = serde_json::from_str(r#"{"chat_id": "Vj72x3B9NTk0qLw4Zr81mXc5"}"#)?;
/// assert!(!format!("{config:?}").contains("Vj72x3B9NT"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Auto.ru dealer")]
#[non_exhaustive]
pub struct Config {
    /// A long random text that you make up, 16 characters or more of `A-Z a-z 0-9 _ -`, and type into the field
    /// ChatId of the dealer's cabinet. It is the only proof in both directions: whoever has it speaks for buyers and
    /// for the dealer. Two accounts must not have the same. Needed to receive by webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "ChatId")]
    pub chat_id: Option<Secret>,
    /// Name of the account to show; Auto.ru tells none by webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Name")]
    pub name: Option<String>,
    /// How messages come in.
    #[serde(default)]
    #[schemars(title = "Receive by")]
    pub receive: Receive,
    /// One more secret, the last part of the webhook's address: characters of `A-Z a-z 0-9 _ -`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Secret in the path")]
    pub path_secret: Option<Secret>,
    /// Name that buyers see over a message without one.
    #[serde(default = "operator_name")]
    #[schemars(title = "Name of the operator", length(min = 1))]
    pub operator_name: String,
    /// Most characters in one message; longer texts are split. Auto.ru names no limit.
    #[serde(default = "text_limit")]
    #[schemars(title = "Longest text", range(min = 1))]
    pub text_limit: u32,
    /// How many milliseconds between two messages to one buyer, 0 for none. Auto.ru names no rate.
    #[serde(default = "pause_millis")]
    #[schemars(title = "Milliseconds between messages")]
    pub pause_millis: u64,
    /// Address that messages are posted to: the other documented one, a proxy, a simulator.
    #[serde(default = "base_url")]
    #[schemars(title = "API address")]
    pub base_url: Url,
    /// Headers to send along, by name, where Auto.ru's support asks for one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(title = "Further headers")]
    pub extra_headers: BTreeMap<String, Secret>,
    /// Hosts that buyers' pictures may be fetched from, beside those known; `*.example.com` for all below one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(title = "Further hosts of pictures")]
    pub media_hosts: Vec<String>,
    /// Largest picture to fetch, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Largest picture to fetch, in bytes")]
    pub fetch_bytes: Option<u64>,
    /// The chat rooms of the REST API, with a token from the dealer's manager at Auto.ru. Needed to receive by polling.
    #[cfg(feature = "rest")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "REST API")]
    pub rest: Option<Rest>,
}

/// How messages come in. One of them only: both at once would show every talk twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Receive {
    /// Auto.ru posts them to an address typed into the dealer's cabinet.
    #[default]
    Webhook,
    /// We ask for the dealer's rooms over the REST API; no public address is needed.
    #[cfg(feature = "rest")]
    Polling,
}

/// The dealer's chat rooms over the REST API.
#[cfg(feature = "rest")]
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "REST API")]
#[non_exhaustive]
pub struct Rest {
    /// The token for `x-authorization`, given out by the dealer's manager at Auto.ru.
    #[schemars(title = "Token")]
    pub token: Secret,
    /// Phone number or e-mail of a user of the dealer's cabinet.
    #[schemars(title = "Login")]
    pub login: String,
    /// The password of that user.
    #[schemars(title = "Password")]
    pub password: Secret,
    /// Which dealer is meant, for agencies that work for several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Dealer")]
    pub dealer_id: Option<String>,
    /// How many milliseconds between two questions for news, 100 or more.
    #[serde(default = "poll_millis")]
    #[schemars(title = "Milliseconds between polls", range(min = 100))]
    pub poll_millis: u64,
    /// Address of the REST API: a proxy, a simulator.
    #[serde(default = "rest_url")]
    #[schemars(title = "REST API address")]
    pub base_url: Url,
}

#[cfg(feature = "rest")]
impl fmt::Debug for Rest {
    /// Without the login: it is somebody's phone number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest")
            .field("token", &self.token)
            .field("password", &self.password)
            .field("dealer_id", &self.dealer_id)
            .field("poll_millis", &self.poll_millis)
            .field("base_url", &self.base_url.as_str())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "rest")]
impl Rest {
    /// The rooms of the dealer whose user this is.
    pub fn new(token: impl Into<Secret>, login: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self {
            token: token.into(),
            login: login.into(),
            password: password.into(),
            dealer_id: None,
            poll_millis: poll_millis(),
            base_url: rest_url(),
        }
    }

    /// The same at another server.
    #[must_use]
    pub fn at(mut self, base_url: Url) -> Self {
        self.base_url = base_url;
        self
    }

    fn validate(&self) -> Result<()> {
        check_address("rest.base_url", &self.base_url)?;
        if self.token.is_empty() || self.login.trim().is_empty() || self.password.is_empty() {
            return wrong(
                "rest needs token, login and password: the dealer's manager at Auto.ru gives out the token",
            );
        }
        if self.poll_millis < 100 {
            return wrong("rest.poll_millis must be 100 or more");
        }
        if self.dealer_id.as_deref().is_some_and(|id| id.is_empty() || HeaderValue::from_str(id).is_err()) {
            return wrong("rest.dealer_id must be the dealer's number: leave it out where there is only one");
        }
        match HeaderValue::from_str(self.token.expose()) {
            Ok(_) => Ok(()),
            Err(_) => wrong("rest.token holds characters that no header can: copy it again"),
        }
    }
}

impl Config {
    /// An account that receives by webhook.
    pub fn new(chat_id: impl Into<Secret>) -> Self {
        Self { chat_id: Some(chat_id.into()), ..Self::empty() }
    }

    /// An account that receives by polling its rooms.
    #[cfg(feature = "rest")]
    pub fn polling(rest: Rest) -> Self {
        Self { receive: Receive::Polling, rest: Some(rest), ..Self::empty() }
    }

    fn empty() -> Self {
        Self {
            chat_id: None,
            name: None,
            receive: Receive::default(),
            path_secret: None,
            operator_name: operator_name(),
            text_limit: text_limit(),
            pause_millis: pause_millis(),
            base_url: base_url(),
            extra_headers: BTreeMap::new(),
            media_hosts: Vec::new(),
            fetch_bytes: None,
            #[cfg(feature = "rest")]
            rest: None,
        }
    }

    /// The same account with one more secret at the end of its webhook's path.
    #[must_use]
    pub fn path_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.path_secret = Some(secret.into());
        self
    }

    /// The same account, its messages posted to another address.
    #[must_use]
    pub fn at(mut self, base_url: Url) -> Self {
        self.base_url = base_url;
        self
    }

    /// The same account with rooms of the REST API to send to.
    #[cfg(feature = "rest")]
    #[must_use]
    pub fn rest(mut self, rest: Rest) -> Self {
        self.rest = Some(rest);
        self
    }

    /// Checks what can be checked without asking Auto.ru.
    ///
    /// # Errors
    /// [`Configuration`](omni_core::error::ErrorKind::Configuration), saying which setting and why. The text never
    /// holds a secret.
    pub fn validate(&self) -> Result<()> {
        match (&self.chat_id, self.receive) {
            (Some(chat_id), _) => check_chat_id(chat_id.expose())?,
            (None, Receive::Webhook) => {
                return wrong("chat_id is needed to receive by webhook: a long random text that you make up");
            }
            #[cfg(feature = "rest")]
            (None, Receive::Polling) => {}
        }
        if self.path_secret.as_ref().is_some_and(|secret| secret.is_empty() || !is_plain(secret.expose())) {
            return wrong("path_secret must have one or more characters of A-Z, a-z, 0-9, _ and -");
        }
        if self.operator_name.trim().is_empty() {
            return wrong("operator_name must not be empty: Auto.ru takes no message without a name");
        }
        if self.text_limit == 0 {
            return wrong("text_limit must be 1 or more");
        }
        check_address("base_url", &self.base_url)?;
        self.headers()?;
        #[cfg(feature = "rest")]
        self.check_rest()?;
        Ok(())
    }

    #[cfg(feature = "rest")]
    fn check_rest(&self) -> Result<()> {
        match (&self.rest, self.receive) {
            (Some(rest), _) => rest.validate(),
            (None, Receive::Polling) => wrong("receiving by polling needs rest: token, login and password"),
            (None, Receive::Webhook) => Ok(()),
        }
    }

    /// A name for the account that is always the same and does not tell the ChatId.
    pub(crate) fn fingerprint(&self) -> String {
        let chat_id = self.chat_id.as_ref().map(Secret::expose).unwrap_or_default();
        let digest = hmac_sha256(b"account of Auto.ru", chat_id.as_bytes());
        digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// What a person should know of the settings.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let guessable = |secret: &Secret| secret.expose().len() < SAFE;
        let short =
            "chat_id can be guessed: make up one of 16 characters or more, and type it into the cabinet anew";
        self.chat_id.as_ref().filter(|id| guessable(id)).map(|_| short.to_owned()).into_iter().collect()
    }

    /// The headers to send along, marked so that nothing shows them.
    pub(crate) fn headers(&self) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.extra_headers {
            let header = HeaderName::from_bytes(name.as_bytes()).ok();
            let Some((header, mut value)) = header.zip(HeaderValue::from_str(value.expose()).ok()) else {
                return wrong("extra_headers holds a name or a value that no header can have");
            };
            value.set_sensitive(true);
            headers.insert(header, value);
        }
        Ok(headers)
    }

    /// Where messages are posted. Holds the ChatId: never show it.
    pub(crate) fn post_url(&self, chat_id: &Secret) -> Url {
        let mut url = self.base_url.clone();
        url.query_pairs_mut().append_pair("token", chat_id.expose());
        url
    }

    /// `text` without the secrets of this account.
    pub(crate) fn redact(&self, text: &str) -> String {
        let secrets = self.chat_id.iter().chain(&self.path_secret).chain(self.extra_headers.values());
        let text = secrets.fold(text.to_owned(), |text, secret| secret.redact(&text));
        #[cfg(feature = "rest")]
        let text = self.rest.iter().fold(text, |text, rest| {
            Secret::new(&*rest.login).redact(&rest.password.redact(&rest.token.redact(&text)))
        });
        text
    }
}

fn wrong<T>(text: &str) -> Result<T> {
    Err(Error::configuration("configure", text))
}

fn check_chat_id(chat_id: &str) -> Result<()> {
    if chat_id.len() >= SHORTEST && is_plain(chat_id) {
        return Ok(());
    }
    let found = match chat_id {
        "" => "it is empty".to_owned(),
        id if id.trim().len() != id.len() => "it has blanks around it".to_owned(),
        id => format!("what is set has {} characters, some of them others", id.chars().count()),
    };
    let found = if is_plain(chat_id) && !chat_id.is_empty() { "it is too short".to_owned() } else { found };
    Err(Error::configuration(
        "configure",
        format!("chat_id must have more than 3 characters of A-Z, a-z, 0-9, _ and -; {found}"),
    )
    .with_advice("make up a long random one, and type it into the field ChatId of the dealer's cabinet"))
}

fn operator_name() -> String {
    "Manager".to_owned()
}

fn text_limit() -> u32 {
    1000
}

fn pause_millis() -> u64 {
    1000
}

#[allow(clippy::expect_used)] // a literal, read by every test of this crate
fn base_url() -> Url {
    Url::parse(BASE_URL).expect("a literal address")
}

#[cfg(feature = "rest")]
fn poll_millis() -> u64 {
    30_000
}

/// <https://yandex.ru/dev/autoru/doc/ru/concepts/access> (read 2026-11)
#[cfg(feature = "rest")]
#[allow(clippy::expect_used)] // a literal, read by every test of this crate
fn rest_url() -> Url {
    Url::parse("https://apiauto.ru/1.0").expect("a literal address")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAT_ID: &str = "Vj72x3B9NTk0qLw4Zr81mXc5";

    #[test]
    fn a_chat_id_that_is_none_is_explained_without_being_shown() {
        for bad in
            ["", "abc", " Vj72x3B9NT", "Vj72/x3B9NT", "чат-номер-семь", "Vj72x3B9NT?x=1", "Vj72x3B9NT&"]
        {
            let error = Config::new(bad).validate().unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(bad.is_empty() || !shown.contains(bad), "{shown}");
            assert!(shown.contains("cabinet"), "{shown}");
        }
        assert!(Config::new(CHAT_ID).validate().is_ok());
    }

    #[test]
    fn a_chat_id_that_can_be_guessed_is_warned_of() {
        assert_eq!(Config::new("Vj72").warnings().len(), 1);
        assert!(Config::new(CHAT_ID).warnings().is_empty());
    }

    #[test]
    fn each_way_to_receive_says_what_it_needs() {
        let said = |json: &str| {
            serde_json::from_str::<Config>(json)
                .unwrap()
                .validate()
                .err()
                .and_then(|e| Some(e.text()?.to_owned()))
        };
        assert!(said("{}").unwrap().contains("chat_id"));
        assert!(said(r#"{"receive": "polling"}"#).unwrap().contains("token, login and password"));
        let rest =
            r#"{"receive": "polling", "rest": {"token": "t", "login": "79990001122", "password": "p"}}"#;
        assert_eq!(said(rest), None);
        let empty =
            r#"{"receive": "polling", "rest": {"token": "", "login": "79990001122", "password": "p"}}"#;
        assert!(said(empty).unwrap().contains("manager"));
    }

    #[test]
    fn settings_that_no_request_can_carry_are_refused() {
        let with = |change: fn(&mut Config)| {
            let mut config = Config::new(CHAT_ID).rest(Rest::new("t", "l", "p"));
            change(&mut config);
            config.validate().is_ok()
        };
        assert!(with(|_| {}));
        assert!(with(|c| c.base_url = Url::parse(OTHER_BASE_URL).unwrap()));
        assert!(!with(|c| c.base_url = Url::parse("https://apiauto.ru/?token=1").unwrap()));
        assert!(!with(|c| c.base_url = Url::parse("https://me:pass@apiauto.ru/").unwrap()));
        assert!(!with(|c| c.path_secret = Some("a/b".into())));
        assert!(!with(|c| c.path_secret = Some("".into())));
        assert!(!with(|c| c.operator_name = " ".into()));
        assert!(!with(|c| c.text_limit = 0));
        assert!(with(|c| drop(c.extra_headers.insert("Authorization".into(), "Bearer x".into()))));
        assert!(!with(|c| drop(c.extra_headers.insert("пароль".into(), "x".into()))));
        assert!(!with(|c| drop(c.extra_headers.insert("x-a".into(), "a\nb".into()))));
        assert!(!with(|c| c.rest.as_mut().unwrap().poll_millis = 0));
        assert!(!with(|c| c.rest.as_mut().unwrap().dealer_id = Some("".into())));
        assert!(!with(|c| c.rest.as_mut().unwrap().token = "токен\n".into()));
    }

    #[test]
    fn the_chat_id_travels_as_the_token() {
        let url = Config::new(CHAT_ID).post_url(&CHAT_ID.into());
        assert_eq!(url.as_str(), format!("{BASE_URL}?token={CHAT_ID}"));
    }

    #[test]
    fn an_account_is_named_without_its_chat_id() {
        let name = |chat_id: &str| Config::new(chat_id).fingerprint();
        assert_eq!((name(CHAT_ID).len(), name(CHAT_ID)), (16, name(CHAT_ID)));
        assert_ne!(name(CHAT_ID), name("Vj72x3B9NT"));
    }

    #[test]
    fn unknown_settings_are_refused_and_secrets_are_marked() {
        assert!(serde_json::from_str::<Config>(r#"{"chat_id":"Vj72x3B9NT","webhook":"x"}"#).is_err());
        let text = serde_json::to_string(&schemars::schema_for!(Config)).unwrap();
        assert!(text.contains("writeOnly"), "{text}");
    }

    #[test]
    fn settings_survive_being_stored_and_nothing_secret_shows() {
        let rest = Rest::new("t0ken-of-rest", "79990001122", "pa55word");
        let mut config = Config::new(CHAT_ID).path_secret("p4th-s3cret").rest(rest);
        config.extra_headers.insert("Authorization".into(), "Bearer hush".into());
        let stored = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&stored).unwrap(), config);
        let shown = format!("{config:?}");
        for secret in [CHAT_ID, "p4th-s3cret", "hush", "t0ken", "79990001122", "pa55word"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert_eq!(config.redact("token=t0ken-of-rest, 79990001122"), "token=***, ***");
    }
}
