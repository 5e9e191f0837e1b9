//! The client itself.

use std::fmt;
use std::time::Duration;

use http::Method;
use omni_core::{Error, Result};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};
use url::Url;

use crate::call::Call;
use crate::download::Download;
use crate::guard::PublicOnly;

/// How long a connection may take to stand, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// An HTTP client for connectors. Cloning it shares the connections.
#[derive(Clone)]
pub struct Http {
    calls: Client,
    downloads: Downloads,
}

/// What fetches media.
#[derive(Clone)]
pub(crate) enum Downloads {
    /// A client of ours, whose resolver hides private addresses.
    Guarded(Client),
    /// The host's client: names are looked up and checked ahead of the request.
    Foreign(Client),
}

impl Http {
    /// A client of omni's own: rustls, no redirects, ten seconds to connect.
    ///
    /// # Errors
    /// [`Configuration`](omni_core::error::ErrorKind::Configuration) when no cryptography provider is
    /// installed for rustls and the feature `ring` is off, or when TLS cannot be set up.
    pub fn new() -> Result<Self> {
        let calls = build(Self::client_builder()?)?;
        // A proxy would look names up by itself, past the guard.
        let guarded = build(Self::client_builder()?.dns_resolver(PublicOnly).no_proxy())?;
        Ok(Self { calls, downloads: Downloads::Guarded(guarded) })
    }

    /// A client of the host, for its proxies, certificates and metrics.
    ///
    /// Build it from [`Self::client_builder`], or at least with `redirect(Policy::none())`: a followed
    /// redirect hands a token in a path or body to another host. When it follows one all the same, the
    /// answer is refused. Names of media hosts are looked up and checked ahead of each download; that cannot
    /// see an address that changes between the check and the request, which a client of [`Self::new`] does.
    ///
    /// Never build it with `connection_verbose(true)`: that writes every byte to the log, tokens too. What the
    /// HTTP libraries log otherwise, at any level, holds no path, header or body.
    pub fn with_client(client: Client) -> Self {
        Self { calls: client.clone(), downloads: Downloads::Foreign(client) }
    }

    /// The settings that [`Self::new`] begins with, to add a proxy or certificates to.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn client_builder() -> Result<ClientBuilder> {
        ensure_crypto()?;
        Ok(Client::builder()
            .user_agent(concat!("omni/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT))
    }

    /// A POST named `operation` in errors. The address is never shown.
    pub fn post(&self, operation: &'static str, url: Url) -> Call<'_> {
        Call::new(&self.calls, Method::POST, operation, url)
    }

    /// A GET named `operation` in errors. The address is never shown.
    pub fn get(&self, operation: &'static str, url: Url) -> Call<'_> {
        Call::new(&self.calls, Method::GET, operation, url)
    }

    /// A call of any method, named `operation` in errors. The address is never shown.
    pub fn call(&self, method: Method, operation: &'static str, url: Url) -> Call<'_> {
        Call::new(&self.calls, method, operation, url)
    }

    /// A streamed GET of media, named `operation` in errors.
    pub fn download(&self, operation: &'static str, url: Url) -> Download<'_> {
        Download::new(self, operation, url)
    }

    /// The client for addresses that the configuration trusts.
    pub(crate) fn trusted(&self) -> &Client {
        &self.calls
    }

    /// The client for all other addresses.
    pub(crate) fn downloads(&self) -> &Downloads {
        &self.downloads
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

fn build(builder: ClientBuilder) -> Result<Client> {
    builder.build().map_err(|e| {
        Error::configuration(
            "http",
            format!("the HTTP client cannot be set up: {}", crate::failure::chain(&e)),
        )
        .with_advice("check the system's certificate store")
    })
}

/// reqwest panics when rustls has no provider; this is the error in place of it.
fn ensure_crypto() -> Result<()> {
    if rustls::crypto::CryptoProvider::get_default().is_some() {
        return Ok(());
    }
    #[cfg(feature = "ring")]
    {
        // A loser of the race finds the winner's provider installed: just as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(())
    }
    #[cfg(not(feature = "ring"))]
    Err(Error::configuration("http", "no cryptography provider is installed for rustls").with_advice(
        "call rustls::crypto::ring::default_provider().install_default() at the start of the program, \
         or switch on the feature `ring` of omni-http",
    ))
}
