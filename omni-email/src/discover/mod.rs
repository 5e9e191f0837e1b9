//! The servers of a mailbox, from its address alone.
//!
//! In this order, the first that has an answer wins: known providers ([`crate::presets`]); the file that a domain
//! publishes for mail programs (autoconfig); Mozilla's list of such files (ISPDB); both again for the domain that the
//! domain's mail goes to (MX); names in DNS (SRV). Everything but the first asks the network, which the host has to
//! allow by [`Lookups`].
//!
//! What was found is not yet good: a person confirms it where [`Servers::trust`] says so, and
//! [`Channel::check`](omni_core::Channel::check) logs in to both servers.
//!
//! Sources: <https://github.com/benbucksch/autoconfig-spec> (draft-ietf-mailmaint-autoconfig, 2026-06), RFC 6186,
//! RFC 8314.

pub mod autoconfig;
mod network;
mod steps;

use std::fmt;
use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use omni_core::error::{Error, ErrorKind, Result};
use url::Url;

use crate::config::{Auth, Config, Server};
use crate::presets::Preset;

pub use network::{Network, PrivateNetworks};

/// What may be looked up. By default nothing: only known providers are found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Lookups {
    /// Whether the network may be asked.
    pub allowed: Allowed,
    /// Whether a file may be taken over a connection that anybody on the way can change.
    pub plain_http: PlainHttp,
    /// Mozilla's list of files.
    pub ispdb: Ispdb,
    /// Whether servers may be in private networks.
    pub private: PrivateNetworks,
}

impl Lookups {
    /// Look-ups through this: [`Network`], or answers of a test.
    pub fn through(look: impl Look) -> Self {
        Self { allowed: Allowed::Network(Arc::new(look)), ..Self::default() }
    }
}

/// Whether the network may be asked.
#[derive(Clone, Debug, Default)]
pub enum Allowed {
    /// No: only known providers are found.
    #[default]
    PresetsOnly,
    /// Yes, through this.
    Network(Arc<dyn Look>),
}

/// Whether a file may be taken over plain HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlainHttp {
    /// No.
    #[default]
    Never,
    /// Yes, after https brought nothing, because a person agreed: whoever sits on the way could name a server of theirs.
    Confirmed,
}

/// Mozilla's list of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ispdb {
    /// Not asked.
    Never,
    /// Asked: the domain is appended to this. Its operator learns the domain, not the address.
    At(Url),
}

impl Default for Ispdb {
    /// What mail programs ask: <https://autoconfig.thunderbird.net/v1.1/> (community; the draft names
    /// <https://v1.ispdb.net/>).
    #[allow(clippy::expect_used)] // a literal, read by every test of this module
    fn default() -> Self {
        Self::At(Url::parse("https://autoconfig.thunderbird.net/v1.1/").expect("a literal address"))
    }
}

/// Where answers come from. [`Network`] asks the world.
///
/// *Cancel safety*: all methods may be dropped at any await.
#[async_trait]
pub trait Look: Debug + Send + Sync + 'static {
    /// The file at an address, 256 KiB at most; `None` when there is none. Redirects are followed, three at most and to
    /// https only.
    ///
    /// # Errors
    /// When the server cannot be reached in 10 s or answers in another way.
    async fn get(&self, url: &Url) -> Result<Option<Bytes>>;

    /// The hosts that take a domain's mail.
    ///
    /// # Errors
    /// When DNS gives no answer; that there are none is an empty list.
    async fn mx(&self, domain: &str) -> Result<Vec<Mx>>;

    /// The servers of a service, such as `_imaps._tcp.example.com`.
    ///
    /// # Errors
    /// As [`Self::mx`].
    async fn srv(&self, name: &str) -> Result<Vec<Srv>>;

    /// The addresses of a host.
    ///
    /// # Errors
    /// As [`Self::mx`].
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>>;
}

/// A host that takes mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mx {
    /// The smaller, the sooner it is tried.
    pub preference: u16,
    /// Its name.
    pub host: String,
}

/// A server of a service (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv {
    /// The smaller, the sooner it is tried.
    pub priority: u16,
    /// The larger, the more often it is tried among those of one priority.
    pub weight: u16,
    /// Its port.
    pub port: u16,
    /// Its name; `.` says that the service is not offered.
    pub host: String,
}

/// A way to find servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// The table of known providers.
    Preset,
    /// The file that the domain publishes.
    Autoconfig,
    /// Mozilla's list.
    Ispdb,
    /// The domain that the domain's mail goes to.
    Mx,
    /// Names in DNS.
    Srv,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Preset => "known providers",
            Step::Autoconfig => "the domain's own file",
            Step::Ispdb => "Mozilla's list",
            Step::Mx => "the domain its mail goes to",
            Step::Srv => "names in DNS",
        })
    }
}

/// What came of asking at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The way.
    pub step: Step,
    /// What was asked for: an address without its query, a name.
    pub at: String,
    /// What came of it.
    pub outcome: Outcome,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}: ", self.step, self.at)?;
        match &self.outcome {
            Outcome::Found => f.write_str("found"),
            Outcome::Nothing => f.write_str("nothing there"),
            Outcome::Unusable(why) => write!(f, "not usable, {why}"),
            Outcome::Failed(why) => write!(f, "no answer, {why}"),
            Outcome::NotAllowed => f.write_str("not asked, look-ups are not allowed"),
            Outcome::NoTime => f.write_str("not asked, it took too long already"),
        }
    }
}

/// What came of asking at one place, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Servers that can be used.
    Found,
    /// There is nothing.
    Nothing,
    /// There is something that cannot be used, and why.
    Unusable(String),
    /// It could not be asked, and why.
    Failed(String),
    /// The host does not allow it.
    NotAllowed,
    /// The time for all of it was over.
    NoTime,
}

/// How far servers can be believed to be those of the domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trust {
    /// They are built in, or the domain itself or Mozilla named them over https.
    Named,
    /// Plain DNS or plain HTTP was part of it, which can be forged on the way: a person confirms the hosts before a
    /// password is sent there.
    Confirm,
}

/// What a server takes to log in, of what we can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Takes {
    /// A password.
    Password,
    /// Tokens.
    Oauth,
}

/// The issuer of tokens that a domain's file names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OauthHint {
    /// Its name, such as `accounts.google.com`.
    pub issuer: String,
    /// What to ask for, parted by blanks.
    pub scope: String,
    /// Where a person consents. Https only.
    pub authorize_url: Option<Url>,
    /// Where tokens are got. Https only.
    pub token_url: Option<Url>,
}

/// The servers of a mailbox.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Servers {
    /// How they were found.
    pub by: Step,
    /// How far they can be believed.
    pub trust: Trust,
    /// The provider's name for people, as it calls itself.
    pub name: Option<String>,
    /// Where mail is read.
    pub imap: Server,
    /// Where mail is handed in.
    pub smtp: Server,
    /// The name at the servers.
    pub user: String,
    /// What both servers take to log in, the best first.
    pub takes: Vec<Takes>,
    /// The issuer of tokens, where it is named.
    pub oauth: Option<OauthHint>,
    /// The known provider, where it is one: its advice is to be shown before the first login.
    pub preset: Option<&'static Preset>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Found {
    /// The mailbox.
    pub address: String,
    /// The servers, if any were found.
    pub servers: Option<Servers>,
    /// What was tried, in order, for a person who has to do it by hand.
    pub tried: Vec<Tried>,
}

impl Found {
    /// Settings of the mailbox.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when no servers were found, with everything that was tried.
    pub fn config(&self, auth: Auth) -> Result<Config> {
        let Some(servers) = &self.servers else { return Err(self.nothing()) };
        let mut config = Config::with_auth(&self.address, auth);
        if servers.by != Step::Preset {
            config = config.at(servers.imap.clone(), servers.smtp.clone());
        }
        if servers.user != config.user() {
            config.user = Some(servers.user.clone());
        }
        Ok(config)
    }

    fn nothing(&self) -> Error {
        let tried = self.tried.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Error::new(ErrorKind::NotFound, "discover")
            .with_text("the servers of this address were not found")
            .with_advice(
                "ask whoever runs the mailbox for the names of its IMAP and SMTP servers, and set both",
            )
            .with("tried", tried)
    }
}

/// Finds the servers of an address. Nobody is logged in, nothing is connected to but what the look-ups ask. Takes a
/// minute at most.
///
/// ```
/// use omni_email::discover::{Lookups, discover};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), omni_core::Error> {
/// let found = discover("help@yandex.ru", &Lookups::default()).await?;
/// assert_eq!(found.servers.map(|servers| servers.imap.host).as_deref(), Some("imap.yandex.com"));
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Configuration`](ErrorKind::Configuration) when it is no address. That nothing was found is no error here but one
/// of [`Found::config`].
///
/// *Cancel safety*: may be dropped at any await.
pub async fn discover(address: &str, look: &Lookups) -> Result<Found> {
    steps::discover(address, look).await
}
