//! The session of a user of the dealer's cabinet. There is no refresh: when it ends, one logs in again.

use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue};
use omni_core::error::{ErrorKind, Result};
use omni_core::outbound::SendError;
use omni_core::tokens::Tokens;
use omni_core::{Error, Secret};
use omni_http::{Http, Renew};

use super::api::{self, Answered};
use crate::config::Rest;
use crate::wire::rooms::{LoggedIn, Login};

/// <https://yandex.ru/dev/autoru/doc/ru/concepts/access> (read 2026-11)
const AUTHORIZATION: HeaderName = HeaderName::from_static("x-authorization");
/// The header tables of the documentation say so; the examples write `x-session`. Clients in use send this one
/// (community).
const SESSION: HeaderName = HeaderName::from_static("x-session-id");
/// <https://yandex.ru/dev/autoru/doc/ru/concepts/access> (read 2026-11)
const DEALER: HeaderName = HeaderName::from_static("x-dealer-id");

/// Logs in.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) rest: Rest,
    pub(super) http: Http,
}

#[async_trait]
impl Renew for Session {
    /// <https://yandex.ru/dev/autoru/doc/ru/reference/auth-login> (read 2026-11)
    async fn renew(&self, _: Option<&Tokens>) -> Result<Tokens> {
        const OPERATION: &str = "log in";
        let url = api::url_of(&self.rest, "auth/login", &[]);
        let asked = Login { login: &self.rest.login, password: self.rest.password.expose() };
        let call = api::with(self.http.post(OPERATION, url), headers(&self.rest, None)?);
        let answer = call.json(&asked).await.map_err(SendError::into_error)?;
        let answered: Answered =
            api::sorted(&self.rest, OPERATION, answer).map_err(SendError::into_error).map_err(refused)?;
        let LoggedIn { session } = answered.read()?;
        let lasts =
            session.ttl_sec.as_deref().and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        Ok(Tokens {
            access: Secret::new(session.id.into_string()),
            refresh: None,
            expires_at: lasts.map(|lasts| self.now() + lasts),
        })
    }
}

/// Whatever is refused while logging in is refused of the credentials: nothing else is asked.
fn refused(error: Error) -> Error {
    match error.kind() {
        ErrorKind::ContentRejected | ErrorKind::NotFound => {
            let code = error.code().unwrap_or_default().to_owned();
            Error::new(ErrorKind::BadCredentials, error.operation())
                .with_code(code)
                .with_advice("compare login and password with those of the dealer's cabinet")
        }
        _ => error,
    }
}

/// What every call brings along, marked so that nothing shows it.
pub(super) fn headers(rest: &Rest, session: Option<&Secret>) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    let mut put = |name: HeaderName, value: &str| {
        let value = HeaderValue::from_str(value).map_err(|_| {
            Error::new(ErrorKind::Protocol, "call").with_text("a credential holds what no header can")
        });
        value.map(|mut value| {
            value.set_sensitive(true);
            headers.insert(name, value);
        })
    };
    put(AUTHORIZATION, rest.token.expose())?;
    if let Some(session) = session {
        put(SESSION, session.expose())?;
    }
    if let Some(dealer) = &rest.dealer_id {
        put(DEALER, dealer)?;
    }
    Ok(headers)
}
