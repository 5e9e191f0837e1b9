//! Access tokens: a person's consent, and renewal.
//!
//! An embedding vendor registers an application at an [`Issuer`] and builds an [`App`] of it. It sends the person to
//! [`App::authorize_url`], gets a code at its redirect address together with the `state` it gave, and exchanges the
//! code with [`App::exchange`]. What comes out is put into [`Auth::Oauth`] by [`App::auth`]; from then on the connector
//! renews by itself and keeps every new refresh token in the host's store.
//!
//! Client ids are the vendor's; none is built in.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use omni_core::error::{Error, ErrorKind, RateScope, Result, Retry};
use omni_core::outbound::SendError;
use omni_core::tokens::Tokens;
use omni_core::{Secret, Timestamp};
use omni_http::{Answer, Http, Renew};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use url::Url;

use crate::config::{Auth, Grant};

mod issuers;

#[cfg(test)]
mod tests;

pub use issuers::{ISSUERS, Issuer, Pkce, issuer};

const OPERATION: &str = "token";
/// Lifetime of a token that does not tell it: an hour is what all known issuers give at least.
const LIFE: Duration = Duration::from_secs(3600);
/// Longest pause that an issuer may ask for, in seconds: a day.
const LONGEST_PAUSE: u64 = 86_400;
/// Largest answer that is read, in bytes.
const ANSWER: usize = 256 << 10;

/// An application of the vendor's at an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct App {
    /// Its id.
    pub client_id: String,
    /// Its secret; public clients have none.
    pub client_secret: Option<Secret>,
    /// Where the person comes back to: as registered.
    pub redirect_uri: Url,
    /// Where the person consents.
    pub authorize_url: Url,
    /// Where codes and refresh tokens are exchanged.
    pub token_url: Url,
    /// What is asked for, parted by blanks.
    pub scope: String,
    /// What the issuer wants in the address beside, as Google's `access_type`.
    pub extra: Vec<(String, String)>,
}

impl App {
    /// An application at a known issuer.
    ///
    /// # Errors
    /// Never for the issuers of [`ISSUERS`]; [`Configuration`](ErrorKind::Configuration) when an address of another one
    /// cannot be read.
    pub fn at(issuer: &Issuer, client_id: impl Into<String>, redirect_uri: Url) -> Result<Self> {
        let read = |text: &str| {
            Url::parse(text)
                .map_err(|_| Error::configuration("authorize", "an issuer's address cannot be read"))
        };
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        Ok(Self {
            client_id: client_id.into(),
            client_secret: None,
            redirect_uri,
            authorize_url: read(issuer.authorize_url)?,
            token_url: read(issuer.token_url)?,
            scope: issuer.scopes.join(" "),
            extra: issuer.extra.iter().map(owned).collect(),
        })
    }

    /// The same application with its secret.
    #[must_use]
    pub fn with_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// Where the owner of a mailbox consents.
    ///
    /// - `state` comes back with the code: make it unguessable and compare it, or anybody can connect their mailbox in
    ///   somebody else's name.
    /// - `verifier` is a random text of the host's, 43 to 128 of `A-Z a-z 0-9 - . _ ~`, kept until the exchange (PKCE,
    ///   RFC 7636); only its hash is in the address. Give one where [`Issuer::pkce`] says so, and `None` elsewhere.
    /// - `address` is the mailbox, so that the page begins with the right account.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) for a verifier of another form.
    pub fn authorize_url(&self, state: &str, verifier: Option<&Secret>, address: &str) -> Result<Url> {
        let mut url = self.authorize_url.clone();
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", self.redirect_uri.as_str())
            .append_pair("scope", &self.scope)
            .append_pair("state", state)
            .append_pair("login_hint", address);
        if let Some(verifier) = verifier {
            query
                .append_pair("code_challenge", &challenge(verifier)?)
                .append_pair("code_challenge_method", "S256");
        }
        for (name, value) in &self.extra {
            query.append_pair(name, value);
        }
        drop(query);
        Ok(url)
    }

    /// Exchanges the code of a redirect for tokens. A code is good once. `verifier` is the one of
    /// [`Self::authorize_url`].
    ///
    /// # Errors
    /// [`BadCredentials`](ErrorKind::BadCredentials) when the issuer refuses the code or the application;
    /// [`Protocol`](ErrorKind::Protocol) when there is no refresh token in the answer: without one the mailbox would
    /// work for an hour.
    pub async fn exchange(&self, http: &Http, code: &Secret, verifier: Option<&Secret>) -> Result<Tokens> {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", self.redirect_uri.as_str()),
        ];
        form.extend(verifier.map(|verifier| ("code_verifier", verifier.expose())));
        let tokens = self.client(http).ask(&form, &[Some(code), verifier]).await?;
        if tokens.refresh.is_none() {
            return Err(Error::new(ErrorKind::Protocol, OPERATION)
                .with_text("the issuer gave no refresh token")
                .with_advice("ask for offline access, and for consent anew even when it was given before"));
        }
        Ok(tokens)
    }

    /// The login of a mailbox whose owner consented.
    #[must_use]
    pub fn auth(&self, tokens: &Tokens) -> Auth {
        Auth::Oauth {
            token_url: self.token_url.clone(),
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
            refresh_token: tokens.refresh.clone(),
            scope: None,
            grant: Grant::Consent,
        }
    }

    fn client(&self, http: &Http) -> Client {
        Client::new(http, &self.token_url, &self.client_id, self.client_secret.as_ref())
    }
}

/// <https://www.rfc-editor.org/rfc/rfc7636#section-4>
fn challenge(verifier: &Secret) -> Result<String> {
    let text = verifier.expose();
    let is_plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    if !(43..=128).contains(&text.len()) || !is_plain {
        return Err(Error::configuration(
            "authorize",
            "the verifier must have 43 to 128 of A-Z a-z 0-9 - . _ ~",
        ));
    }
    Ok(URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes())))
}

/// Who asks an issuer.
pub(crate) struct Client {
    http: Http,
    token_url: Url,
    id: String,
    secret: Option<Secret>,
}

impl Client {
    pub(crate) fn new(http: &Http, token_url: &Url, id: &str, secret: Option<&Secret>) -> Self {
        Self { http: http.clone(), token_url: token_url.clone(), id: id.to_owned(), secret: secret.cloned() }
    }

    /// Asks for tokens. `secrets` are those of the form: an answer may quote them.
    async fn ask(&self, form: &[(&str, &str)], secrets: &[Option<&Secret>]) -> Result<Tokens> {
        let own = [
            ("client_id", Some(self.id.as_str())),
            ("client_secret", self.secret.as_ref().map(Secret::expose)),
        ];
        let own = own.into_iter().filter_map(|(name, value)| Some((name, value?)));
        // In the body, as all issuers of the table take it: addresses stand in logs.
        let call = self.http.post(OPERATION, self.token_url.clone()).cap(ANSWER);
        let answer = call.form(form.iter().copied().chain(own)).await.map_err(SendError::into_error)?;
        if answer.status.is_success()
            && let Some(tokens) = read(&answer.body, now())
        {
            return Ok(tokens);
        }
        let redact = |text: &str| {
            let secrets = secrets.iter().copied().chain([self.secret.as_ref()]).flatten();
            secrets.fold(text.to_owned(), |text, secret| secret.redact(&text))
        };
        Err(refused(&answer, redact))
    }
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::default() + since
}

/// Reads the answer of a token call, which came at `now` (RFC 6749, 5.1). `None` when it holds no access token.
fn read(json: &[u8], now: Timestamp) -> Option<Tokens> {
    #[derive(Deserialize)]
    struct Granted {
        access_token: String,
        #[serde(default)]
        refresh_token: Option<String>,
        #[serde(default)]
        expires_in: Option<Seconds>,
    }
    // Some issuers write numbers as texts.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Seconds {
        Number(u64),
        Text(String),
    }
    let Granted { access_token, refresh_token, expires_in } = serde_json::from_slice(json).ok()?;
    let life = match expires_in {
        Some(Seconds::Number(seconds)) => Some(seconds),
        Some(Seconds::Text(text)) => text.trim().parse().ok(),
        None => None,
    };
    // No issuer means centuries; a sum of time beyond them would be none.
    let life = life.map_or(LIFE, |seconds| Duration::from_secs(seconds.min(10 * 365 * 86_400)));
    let refresh = refresh_token.filter(|token| !token.is_empty()).map(Secret::new);
    let is_token = !access_token.is_empty();
    is_token.then(|| Tokens {
        access: Secret::new(access_token),
        refresh,
        expires_at: Some(now + sooner(life)),
    })
}

/// A tenth sooner: together with the minutes that [`omni_http::TokenKeeper`] leaves, a token of an hour is renewed
/// after four fifths of it, before servers begin to cut sessions.
fn sooner(life: Duration) -> Duration {
    life - life / 10
}

/// What a refusal means (RFC 6749, 5.2).
fn refused(answer: &Answer, redact: impl Fn(&str) -> String) -> Error {
    #[derive(Default, Deserialize)]
    struct Failure {
        #[serde(default)]
        error: String,
        #[serde(default)]
        error_description: String,
    }
    let Failure { error, error_description } = serde_json::from_slice(&answer.body).unwrap_or_default();
    let status = answer.status.as_u16();
    let code = if error.is_empty() { status.to_string() } else { redact(&error) };
    let made = |kind, text: &str, advice: Option<&str>| {
        let made = Error::new(kind, OPERATION).with_code(&code);
        let made = match error_description.trim() {
            "" => made.with_text(text),
            said => made.with_text(format!("{text}: {}", redact(said))),
        };
        match advice {
            Some(advice) => made.with_advice(advice),
            None => made,
        }
    };
    match (error.as_str(), status) {
        // The latter two are Microsoft's: consent was withdrawn, or a second factor is asked for.
        // <https://learn.microsoft.com/entra/identity-platform/reference-error-codes> (unverified)
        ("invalid_grant" | "consent_required" | "interaction_required", _) => made(
            ErrorKind::BadCredentials,
            "the consent has ended",
            Some("a person has to consent again: open the address of consent and connect the mailbox anew"),
        ),
        ("invalid_client" | "unauthorized_client", _) => made(
            ErrorKind::BadCredentials,
            "the issuer refuses the application",
            Some("check client_id and client_secret: the secret may have run out"),
        ),
        ("invalid_scope", _) => made(
            ErrorKind::Configuration,
            "the issuer does not know what is asked for",
            Some("leave scope out, or set what the application was granted"),
        ),
        ("slow_down", _) | (_, 429) => {
            let made = made(ErrorKind::RateLimited, "the issuer was asked too often", None);
            match answer.retry_after() {
                Some(seconds) => {
                    let wait = Duration::from_secs(seconds.min(LONGEST_PAUSE));
                    made.with_retry(Retry::After { wait, scope: RateScope::Account })
                }
                None => made,
            }
        }
        ("temporarily_unavailable" | "server_error", _) | (_, 500..) => {
            made(ErrorKind::Unavailable, "the issuer of tokens is not available", None)
        }
        _ => made(ErrorKind::Protocol, "the issuer gave no token", Some("check token_url"))
            .with_retry(Retry::Later),
    }
}

/// Renews the tokens of one mailbox.
pub(crate) struct Renewal {
    client: Client,
    first: Option<Secret>,
    scope: Option<String>,
    grant: Grant,
}

impl Renewal {
    pub(crate) fn new(client: Client, first: Option<Secret>, scope: Option<String>, grant: Grant) -> Self {
        Self { client, first, scope, grant }
    }

    async fn by(&self, refresh: &Secret) -> Result<Tokens> {
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", refresh.expose())];
        form.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        self.client.ask(&form, &[Some(refresh)]).await
    }

    async fn by_itself(&self) -> Result<Tokens> {
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        self.client.ask(&form, &[]).await
    }
}

#[async_trait]
impl Renew for Renewal {
    async fn renew(&self, old: Option<&Tokens>) -> Result<Tokens> {
        if self.grant == Grant::Application {
            return self.by_itself().await;
        }
        let kept = old.and_then(|tokens| tokens.refresh.as_ref());
        let renewed = match (kept, &self.first) {
            (None, None) => return Err(no_consent()),
            (None, Some(first)) => (self.by(first).await?, first),
            (Some(kept), first) => match (self.by(kept).await, first) {
                // The person may have consented anew: then the settings hold a fresh one.
                (Err(error), Some(first)) if error.kind() == ErrorKind::BadCredentials && first != kept => {
                    (self.by(first).await?, first)
                }
                (tried, _) => (tried?, kept),
            },
        };
        let (tokens, used) = renewed;
        // Where none comes back the one that was used stays good (RFC 6749, 6).
        let refresh = tokens.refresh.clone().or_else(|| Some(used.clone()));
        Ok(Tokens { refresh, ..tokens })
    }
}

fn no_consent() -> Error {
    Error::new(ErrorKind::BadCredentials, OPERATION)
        .with_text("there is no refresh token, neither in the settings nor in the store")
        .with_advice("a person has to consent: see omni_email::oauth::App")
}
