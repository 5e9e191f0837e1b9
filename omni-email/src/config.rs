//! Settings of a mailbox.

use std::time::Duration;

use omni_core::error::Result;
use omni_core::{Error, Secret};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::presets::{self, Place, Preset};

mod check;

/// Settings of one mailbox.
///
/// With an address at a provider that is known, address and password are all it takes:
///
/// ```
/// use omni_email::Config;
/// let config: Config = serde_json::from_str(r#"{
///     "address": "help@yandex.ru",
///     "auth": { "with": "password", "password": "abcdefghijklmnop" }
/// }"#)?;
/// assert!(!format!("{config:?}").contains("abcdefgh"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Mailbox")]
#[non_exhaustive]
pub struct Config {
    /// The mailbox's address: `help@example.com`.
    #[schemars(title = "Address")]
    pub address: String,
    /// How to log in.
    #[schemars(title = "Login")]
    pub auth: Auth,
    /// The name at the server, when it is not what the provider usually takes (the address).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "User name")]
    pub user: Option<String>,
    /// Name that recipients see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Sender's name")]
    pub name: Option<String>,
    /// Where mail is read. Left out it is the known provider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "IMAP server")]
    pub imap: Option<Server>,
    /// Where mail is handed in. Left out it is the known provider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "SMTP server")]
    pub smtp: Option<Server>,
    /// Further addresses that are ours: mail from them is no customer's, and none of them gets a copy of an answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(title = "Further own addresses")]
    pub aliases: Vec<String>,
    /// Folders whose mail is customers'. The first is watched, the others are looked at in turn.
    #[serde(default = "folders")]
    #[schemars(title = "Folders")]
    pub folders: Vec<String>,
    /// What to do with the folder of spam.
    #[serde(default)]
    #[schemars(title = "Spam folder")]
    pub junk: Junk,
    /// What to take of the mail that lies there when the mailbox is connected.
    #[serde(default)]
    #[schemars(title = "First look")]
    pub first: First,
    /// Whether customers' mail is marked as seen when it was taken.
    #[serde(default)]
    #[schemars(title = "Mark as seen")]
    pub seen: Seen,
    /// Whether sent mail is put into the Sent folder.
    #[serde(default)]
    #[schemars(title = "Copies of sent mail")]
    pub sent: SentCopy,
    /// Subject of new mails that bring none. Left out it is the first line of their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Subject of new mails")]
    pub subject: Option<String>,
    /// Signature below what agents write. `{agent}` becomes the agent's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Signature")]
    pub signature: Option<String>,
    /// Whether those in copy get our answers too. Automatic texts go to the writer alone.
    #[serde(default)]
    #[schemars(title = "Answer to")]
    pub answer: AnswerTo,
    /// Largest mail that is downloaded whole, in bytes; of larger ones the words, and each file when it is asked for.
    #[serde(default = "max_whole")]
    #[schemars(title = "Largest whole mail, in bytes")]
    pub max_whole: u64,
    /// Largest file to fetch, in bytes.
    #[serde(default = "fetch_bytes")]
    #[schemars(title = "Largest file to fetch, in bytes")]
    pub fetch_bytes: u64,
    /// Largest mail to send, in bytes as sent, when smaller than what the server says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Largest mail to send, in bytes")]
    pub send_bytes: Option<u64>,
    /// Minutes an IDLE is left alone, 1 to 29. Networks drop silent connections sooner than servers.
    #[serde(default = "idle_minutes")]
    #[schemars(title = "Minutes between IDLEs", range(min = 1, max = 29))]
    pub idle_minutes: u32,
    /// Seconds between looks, for servers without IDLE and for further folders.
    #[serde(default = "poll_seconds")]
    #[schemars(title = "Seconds between looks", range(min = 5, max = 3600))]
    pub poll_seconds: u32,
    /// Root certificates to trust beside the machine's, as PEM: a company's own authority, Proton Bridge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Further root certificates")]
    pub ca_pem: Option<String>,
    /// The name we greet servers with. Left out it is an address literal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "EHLO name")]
    pub ehlo: Option<String>,
    /// Signing of what goes out, for own relays only: public mailboxes sign by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "DKIM")]
    pub dkim: Option<Dkim>,
}

/// How to log in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "with", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Auth {
    /// With a password, or the app password that most public mailboxes want.
    #[schemars(title = "Password")]
    Password {
        /// The password.
        #[schemars(title = "Password")]
        password: Secret,
    },
    /// With tokens that are renewed (XOAUTH2, OAUTHBEARER). The first refresh token is here or in the host's token
    /// store.
    #[schemars(title = "OAuth")]
    Oauth {
        /// Where tokens are renewed.
        #[schemars(title = "Token address")]
        token_url: Url,
        /// The vendor's application.
        #[schemars(title = "Client id")]
        client_id: String,
        /// Its secret; public clients have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(title = "Client secret")]
        client_secret: Option<Secret>,
        /// The first refresh token.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(title = "Refresh token")]
        refresh_token: Option<Secret>,
        /// What the token shall allow, where the issuer asks again on renewal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(title = "Scope")]
        scope: Option<String>,
        /// Whose right it is.
        #[serde(default)]
        #[schemars(title = "Kind of consent")]
        grant: Grant,
    },
}

/// Whose right a token stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Grant {
    /// A person's, who consented: renewed by refresh tokens.
    #[default]
    Consent,
    /// The application's own, which an administrator of the company allowed (Microsoft 365): asked for with its secret
    /// and `scope`.
    Application,
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Its name, as in its certificate.
    #[schemars(title = "Host")]
    pub host: String,
    /// Its port.
    #[schemars(title = "Port")]
    pub port: u16,
    /// How the connection is made safe.
    #[serde(default)]
    #[schemars(title = "Encryption")]
    pub tls: Tls,
}

/// How a connection is made safe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// TLS from the first byte (993, 465).
    #[default]
    Implicit,
    /// STARTTLS, and no word without it (143, 587).
    Starttls,
    /// None. For tests and for a relay on the same machine: only loopback addresses are taken.
    None,
}

/// What to do with the folder of spam.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Junk {
    /// Nothing.
    #[default]
    Ignore,
    /// Its mail is taken as automatic: shown, never answered by itself.
    Watch,
}

/// What to take of the mail that lies in a folder when it is seen for the first time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "take")]
pub enum First {
    /// Nothing: only what comes from now on.
    #[default]
    New,
    /// Mail of the last days, told as history: nothing answers it by itself.
    Days {
        /// How many days.
        days: u16,
    },
}

/// Whether customers' mail is marked as seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// Only when an agent read it ([`MarkRead`](omni_core::channel::MarkRead)).
    #[default]
    WhenRead,
    /// As soon as it was taken.
    WhenTaken,
}

/// Whether sent mail is put into the Sent folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SentCopy {
    /// Where the provider does not do it by itself: looked for first.
    #[default]
    Auto,
    /// Never.
    Never,
}

/// Who gets our answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnswerTo {
    /// Who wrote, and those in copy.
    #[default]
    Everybody,
    /// Who wrote.
    Writer,
}

/// Signing of what goes out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dkim {
    /// The domain that signs.
    #[schemars(title = "Domain")]
    pub domain: String,
    /// Which of its keys.
    #[schemars(title = "Selector")]
    pub selector: String,
    /// The private key: RSA as PKCS#1 PEM, or Ed25519 as base64 of its 32 bytes.
    #[schemars(title = "Private key")]
    pub key: Secret,
}

fn folders() -> Vec<String> {
    vec!["INBOX".to_owned()]
}

fn max_whole() -> u64 {
    10 << 20
}

fn fetch_bytes() -> u64 {
    35 << 20
}

fn idle_minutes() -> u32 {
    5
}

fn poll_seconds() -> u32 {
    60
}

impl Config {
    /// A mailbox with a password, at a known provider.
    pub fn new(address: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self::with_auth(address, Auth::Password { password: password.into() })
    }

    /// A mailbox at a known provider.
    pub fn with_auth(address: impl Into<String>, auth: Auth) -> Self {
        Self {
            address: address.into(),
            auth,
            user: None,
            name: None,
            imap: None,
            smtp: None,
            aliases: Vec::new(),
            folders: folders(),
            junk: Junk::default(),
            first: First::default(),
            seen: Seen::default(),
            sent: SentCopy::default(),
            subject: None,
            signature: None,
            answer: AnswerTo::default(),
            max_whole: max_whole(),
            fetch_bytes: fetch_bytes(),
            send_bytes: None,
            idle_minutes: idle_minutes(),
            poll_seconds: poll_seconds(),
            ca_pem: None,
            ehlo: None,
            dkim: None,
        }
    }

    /// The same mailbox at these servers.
    #[must_use]
    pub fn at(mut self, imap: Server, smtp: Server) -> Self {
        (self.imap, self.smtp) = (Some(imap), Some(smtp));
        self
    }

    /// Checks what can be checked without asking a server.
    ///
    /// # Errors
    /// [`Configuration`](omni_core::error::ErrorKind::Configuration), saying which setting, why and what to do. The text
    /// never holds a secret.
    pub fn validate(&self) -> Result<()> {
        check::check(self)
    }

    /// The known provider of this mailbox: of its IMAP server where one is set, else of its address.
    pub fn preset(&self) -> Option<&'static Preset> {
        match &self.imap {
            Some(server) => presets::by_imap_host(&server.host, &self.address),
            None => presets::preset(&self.address),
        }
    }

    /// Where mail is read.
    ///
    /// # Errors
    /// [`Configuration`](omni_core::error::ErrorKind::Configuration) when none is set and the provider is not known.
    pub fn imap_server(&self) -> Result<Server> {
        self.server(self.imap.as_ref(), |preset| preset.imap)
    }

    /// Where mail is handed in.
    ///
    /// # Errors
    /// As [`Self::imap_server`].
    pub fn smtp_server(&self) -> Result<Server> {
        self.server(self.smtp.as_ref(), |preset| preset.smtp)
    }

    fn server(&self, set: Option<&Server>, known: impl Fn(&Preset) -> Place) -> Result<Server> {
        let known = || self.preset().map(|preset| known(preset).server());
        set.cloned().or_else(known).ok_or_else(|| {
            Error::configuration("configure", "the servers of this address are not known")
                .with_advice("set imap and smtp, or use discover to find them")
        })
    }

    /// The name at the servers.
    pub fn user(&self) -> String {
        let usual =
            || self.preset().map_or_else(|| self.address.clone(), |preset| preset.user_of(&self.address));
        self.user.clone().unwrap_or_else(usual)
    }

    /// Largest mail to send, in bytes as sent: the smaller of what is set and what the provider takes.
    pub fn send_limit(&self) -> Option<u64> {
        let known = self.preset().and_then(|preset| preset.send_bytes);
        self.send_bytes.into_iter().chain(known).min()
    }

    /// How long an IDLE is left alone.
    pub(crate) fn idle(&self) -> Duration {
        Duration::from_secs(u64::from(self.idle_minutes) * 60)
    }

    /// How long between looks.
    pub(crate) fn poll(&self) -> Duration {
        Duration::from_secs(u64::from(self.poll_seconds))
    }
}
