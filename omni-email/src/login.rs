//! Who we are to a server: a password, or an access token that is renewed.

use std::sync::Arc;

use omni_core::Secret;
use omni_core::error::{Error, ErrorKind, Result};
use omni_core::tokens::TokenStore;
use omni_http::{Http, TokenKeeper};

use crate::config::{Auth, Config, Server};
use crate::oauth::{Client, Renewal};
use crate::sasl::{self, Mechanism};

/// What a server is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    /// A password or an app password.
    Password {
        /// Name at the server.
        user: String,
        /// The password.
        password: Secret,
    },
    /// An access token (XOAUTH2, OAUTHBEARER).
    Bearer {
        /// Name at the server.
        user: String,
        /// The token.
        token: Secret,
    },
}

impl Login {
    /// The mechanism to use at a server that offers these names, in whatever case. XOAUTH2 goes before OAUTHBEARER:
    /// every provider with tokens has it, and its answers are the ones that are known.
    ///
    /// `None` when the server offers none that fits; a password may still go by the LOGIN command of IMAP.
    pub(crate) fn mechanism<'a>(&self, offered: impl IntoIterator<Item = &'a str>) -> Option<Mechanism> {
        let fitting: &[Mechanism] = match self {
            Login::Password { .. } => &[Mechanism::Plain],
            Login::Bearer { .. } => &[Mechanism::Xoauth2, Mechanism::Oauthbearer],
        };
        let offered: Vec<&str> = offered.into_iter().collect();
        let is_offered =
            |mechanism: &&Mechanism| offered.iter().any(|name| name.eq_ignore_ascii_case(mechanism.name()));
        fitting.iter().find(is_offered).copied()
    }

    /// The response of a mechanism that [`Self::mechanism`] chose, before base64 ([`sasl::encoded`]).
    ///
    /// # Errors
    /// As the functions of [`sasl`].
    pub(crate) fn response(&self, mechanism: Mechanism, server: &Server) -> Result<Secret> {
        match (self, mechanism) {
            (Login::Bearer { user, token }, Mechanism::Oauthbearer) => {
                sasl::oauthbearer(user, &server.host, server.port, token)
            }
            (Login::Bearer { user, token }, _) => sasl::xoauth2(user, token),
            (Login::Password { user, password }, _) => sasl::plain(user, password),
        }
    }
}

/// Where logins come from.
#[derive(Debug)]
pub(crate) struct Credentials {
    user: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Password(Secret),
    Tokens(TokenKeeper),
}

impl Credentials {
    /// The credentials of a mailbox. Tokens are kept in `store` under `email/<address>`. Nothing is asked for yet.
    pub(crate) fn new(config: &Config, http: &Http, store: Arc<dyn TokenStore>) -> Self {
        let kind = match &config.auth {
            Auth::Password { password } => Kind::Password(password.clone()),
            Auth::Oauth { token_url, client_id, client_secret, refresh_token, scope, grant } => {
                let client = Client::new(http, token_url, client_id, client_secret.as_ref());
                let renewal = Renewal::new(client, refresh_token.clone(), scope.clone(), *grant);
                Kind::Tokens(TokenKeeper::new(key(&config.address), store, renewal))
            }
        };
        Self { user: config.user(), kind }
    }

    /// A login that is good for some minutes at least.
    ///
    /// # Errors
    /// As the token store and the issuer of tokens: [`BadCredentials`](ErrorKind::BadCredentials) when a person has to
    /// consent again.
    ///
    /// *Cancel safety*: a renewal that was begun is finished and written down.
    pub(crate) async fn login(&self) -> Result<Login> {
        let user = self.user.clone();
        Ok(match &self.kind {
            Kind::Password(password) => Login::Password { user, password: password.clone() },
            Kind::Tokens(tokens) => Login::Bearer { user, token: tokens.access().await? },
        })
    }

    /// Another login in place of one that a server refused. A token is renewed once, however many connections ask.
    ///
    /// # Errors
    /// As [`Self::login`]; for a password always [`BadCredentials`](ErrorKind::BadCredentials): there is no other one.
    pub(crate) async fn instead_of(&self, refused: &Login) -> Result<Login> {
        match (&self.kind, refused) {
            (Kind::Tokens(tokens), Login::Bearer { user, token }) => {
                Ok(Login::Bearer { user: user.clone(), token: tokens.instead_of(token).await? })
            }
            _ => Err(Error::new(ErrorKind::BadCredentials, "login")
                .with_text("the server does not take the password")
                .with_advice("many providers want an app password made in their web settings")),
        }
    }
}

/// Under which name the tokens of a mailbox are kept.
fn key(address: &str) -> String {
    format!("email/{}", address.trim().to_lowercase())
}
