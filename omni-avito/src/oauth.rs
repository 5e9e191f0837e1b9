//! Tokens: asked for with the account's own keys, or got by an application that a person allowed.
//!
//! An application sends the person to [`authorize_url`], gets a code at its redirect address together with the
//! `state` it gave, and exchanges the code for tokens with [`exchange`]. The refresh token among them goes into
//! [`Config::refresh_token`]; from then on the connector renews by itself.
//!
//! Source: <https://developers.avito.ru/api-catalog/auth/documentation>, read through the copy in
//! <https://github.com/elchin92/avito-mcp> (`swaggers/authorization.json`; read 2026-11). That a refresh token can be
//! used once is *community*; that both tokens of an answer are new is not.

use std::time::Duration;

use async_trait::async_trait;
use omni_core::crypto::hmac_sha256;
use omni_core::error::{ErrorKind, Result, Retry};
use omni_core::tokens::Tokens;
use omni_core::{Error, Secret, Timestamp};
use omni_http::{Answer, Http, Renew};
use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::config::Config;
use crate::error::{Call, classify};
use crate::wire::{Failure, Token};

const OPERATION: &str = "token";
/// Lifetime of a token that does not tell it.
const LIFE: Duration = Duration::from_secs(86_400);

/// A right that a person gives an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// Details of adverts.
    ReadItems,
    /// Chats, messages, marks, voice files, webhooks.
    ReadMessages,
    /// Which account it is.
    ReadUser,
    /// Sending, deleting, the blacklist.
    WriteMessages,
}

impl Scope {
    /// What this connector needs.
    pub const NEEDED: [Scope; 3] = [Scope::ReadMessages, Scope::WriteMessages, Scope::ReadUser];

    /// Avito's name of it.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::ReadItems => "items:info",
            Scope::ReadMessages => "messenger:read",
            Scope::ReadUser => "user:read",
            Scope::WriteMessages => "messenger:write",
        }
    }
}

/// Where a person allows an application. `state` comes back with the code: make it unguessable and compare it, or
/// anybody can connect their account in somebody else's name.
///
/// ```
/// use omni_avito::oauth::{Scope, authorize_url};
/// let url = authorize_url("aB3kQ", &Scope::NEEDED, "x7-random");
/// assert_eq!(
///     url.as_str(),
///     "https://avito.ru/oauth?response_type=code&pro_users_flow=true&client_id=aB3kQ\
///      &scope=messenger:read,messenger:write,user:read&state=x7-random"
/// );
/// ```
pub fn authorize_url(client_id: &str, scopes: &[Scope], state: &str) -> Url {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let mut url = page();
    // Commas stay as they are, as in Avito's own example.
    url.set_query(Some(&format!(
        "response_type=code&pro_users_flow=true&client_id={}&scope={}&state={}",
        encoded(client_id),
        scopes.join(","),
        encoded(state)
    )));
    url
}

#[allow(clippy::expect_used)] // a literal, read by a test
fn page() -> Url {
    Url::parse("https://avito.ru/oauth").expect("a literal address")
}

/// Exchanges the code of a redirect for tokens. A code is good once.
///
/// # Errors
/// [`BadCredentials`](ErrorKind::BadCredentials) when the code or the application's keys are refused.
pub async fn exchange(http: &Http, config: &Config, code: &str) -> Result<Tokens> {
    Renewal::new(config, http.clone()).ask(&Grant::Code(Secret::new(code))).await
}

/// What tokens are asked for with.
#[derive(Clone, Debug)]
pub enum Grant {
    /// The account's own keys alone.
    Keys,
    /// The code of a redirect.
    Code(Secret),
    /// The refresh token of a former pair.
    Refresh(Secret),
}

impl Grant {
    /// The form of the call, secrets in it.
    pub fn form(&self, client_id: &str, client_secret: &Secret) -> Vec<(&'static str, String)> {
        let (kind, secret) = match self {
            Grant::Keys => ("client_credentials", None),
            Grant::Code(code) => ("authorization_code", Some(("code", code))),
            Grant::Refresh(token) => ("refresh_token", Some(("refresh_token", token))),
        };
        let mut form = vec![
            ("grant_type", kind.to_owned()),
            ("client_id", client_id.to_owned()),
            ("client_secret", client_secret.expose().to_owned()),
        ];
        form.extend(secret.map(|(name, secret)| (name, secret.expose().to_owned())));
        form
    }

    fn redact(&self, text: &str) -> String {
        match self {
            Grant::Keys => text.to_owned(),
            Grant::Code(secret) | Grant::Refresh(secret) => secret.redact(text),
        }
    }
}

/// Reads the answer of the token call, which came at `now`.
///
/// # Errors
/// [`Protocol`](ErrorKind::Protocol) when there is no access token in it.
pub fn read(json: &[u8], now: Timestamp) -> Result<Tokens> {
    let token: Token<'_> = serde_json::from_slice(json).map_err(|_| no_token())?;
    if token.access_token.is_empty() {
        return Err(no_token());
    }
    Ok(Tokens {
        access: Secret::new(&*token.access_token),
        refresh: token.refresh_token.filter(|token| !token.is_empty()).map(|token| Secret::new(&*token)),
        expires_at: Some(now + token.expires_in.map_or(LIFE, Duration::from_secs)),
    })
}

fn no_token() -> Error {
    Error::new(ErrorKind::Protocol, OPERATION)
        .with_text("the answer holds no access token")
        .with_retry(Retry::Later)
}

/// Under which name the tokens of these settings are kept. Holds no secret: of the refresh token only a hash, so
/// that accounts of one application differ, and an account that was allowed anew begins anew.
pub fn key(config: &Config) -> String {
    let whose = match (config.user_id, &config.refresh_token) {
        (Some(user_id), _) => format!(":{user_id}"),
        (None, Some(token)) => {
            let hash = hmac_sha256(b"avito", token.expose().as_bytes());
            let hex: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            format!(":{hex}")
        }
        (None, None) => String::new(),
    };
    format!("avito:{}{whose}", config.client_id)
}

/// Asks Avito for tokens.
pub(crate) struct Renewal {
    http: Http,
    url: Url,
    client_id: String,
    client_secret: Secret,
    refresh_token: Option<Secret>,
}

impl Renewal {
    pub(crate) fn new(config: &Config, http: Http) -> Self {
        let mut url = config.base_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("token");
        }
        Self {
            http,
            url,
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone(),
            refresh_token: config.refresh_token.clone(),
        }
    }

    async fn ask(&self, grant: &Grant) -> Result<Tokens> {
        let form = grant.form(&self.client_id, &self.client_secret);
        let call = self.http.post(OPERATION, self.url.clone()).form(form).await;
        let answer = call.map_err(omni_core::outbound::SendError::into_error)?;
        if answer.status.is_success() {
            return read(&answer.body, self.now());
        }
        Err(self.refused(grant, &answer))
    }

    fn refused(&self, grant: &Grant, answer: &Answer) -> Error {
        let said = Failure::read(&answer.body).unwrap_or_default().said;
        let said = grant.redact(&self.client_secret.redact(&said));
        classify(OPERATION, Call::Token, answer.status.as_u16(), &said, answer.retry_after())
    }
}

#[async_trait]
impl Renew for Renewal {
    async fn renew(&self, old: Option<&Tokens>) -> Result<Tokens> {
        let Some(first) = &self.refresh_token else { return self.ask(&Grant::Keys).await };
        let kept = old.and_then(|tokens| tokens.refresh.as_ref()).filter(|kept| *kept != first);
        let renewed = match kept {
            None => self.ask(&Grant::Refresh(first.clone())).await,
            Some(kept) => match self.ask(&Grant::Refresh(kept.clone())).await {
                // The person may have allowed the application anew: then the settings hold a fresh one.
                Err(error) if error.kind() == ErrorKind::BadCredentials => {
                    self.ask(&Grant::Refresh(first.clone())).await
                }
                other => other,
            },
        }?;
        let refresh = renewed.refresh.clone().or_else(|| old.and_then(|old| old.refresh.clone()));
        Ok(Tokens { refresh, ..renewed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(grant: &Grant) -> Vec<(&'static str, String)> {
        grant.form("aB3kQ", &Secret::new("zX9"))
    }

    #[test]
    fn every_grant_has_its_form() {
        let common = |kind: &str| {
            vec![
                ("grant_type", kind.to_owned()),
                ("client_id", "aB3kQ".into()),
                ("client_secret", "zX9".into()),
            ]
        };
        assert_eq!(form(&Grant::Keys), common("client_credentials"));
        let mut by_code = common("authorization_code");
        by_code.push(("code", "c-1".into()));
        assert_eq!(form(&Grant::Code("c-1".into())), by_code);
        let mut by_token = common("refresh_token");
        by_token.push(("refresh_token", "rT-1".into()));
        assert_eq!(form(&Grant::Refresh("rT-1".into())), by_token);
    }

    #[test]
    fn an_answer_without_a_token_is_none() {
        let now = Timestamp::from_secs(1000);
        for json in ["", "{}", "null", r#"{"access_token":""}"#, r#"{"access_token":7}"#] {
            assert_eq!(read(json.as_bytes(), now).unwrap_err().kind(), ErrorKind::Protocol, "{json}");
        }
        let json =
            r#"{"access_token":"aT-2","expires_in":86400,"refresh_token":"rT-2","token_type":"Bearer"}"#;
        let tokens = read(json.as_bytes(), now).unwrap();
        assert_eq!((tokens.access.expose(), tokens.refresh), ("aT-2", Some(Secret::new("rT-2"))));
        assert_eq!(tokens.expires_at, Some(Timestamp::from_secs(87_400)));
        assert_eq!(read(br#"{"access_token":"a"}"#, now).unwrap().expires_at, Some(now + LIFE));
    }

    #[test]
    fn a_state_cannot_break_out_of_the_address() {
        let url = authorize_url("a&b", &[Scope::ReadItems], "с&scope=всё");
        let pairs: Vec<_> =
            url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        assert_eq!(pairs[2], ("client_id".to_owned(), "a&b".to_owned()));
        assert_eq!(pairs[4], ("state".to_owned(), "с&scope=всё".to_owned()));
        assert_eq!(pairs.len(), 5);
    }

    #[test]
    fn accounts_of_one_application_are_kept_apart_and_no_key_holds_a_secret() {
        let config = Config::new("aB3kQ", "zX9");
        assert_eq!(key(&config), "avito:aB3kQ");
        let (one, two) = (key(&config.clone().application("rT-1")), key(&config.clone().application("rT-2")));
        assert!(one != two && !one.contains("rT-1"), "{one} {two}");
        assert_eq!(key(&config.application("rT-1").account(7)), "avito:aB3kQ:7");
    }
}
