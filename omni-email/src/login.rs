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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use async_trait::async_trait;
    use omni_core::tokens::{MemoryTokens, Tokens};
    use tokio::sync::Notify;
    use url::Url;
    use wiremock::matchers::{body_string_contains, method};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::config::{Grant, Tls};

    fn password() -> Login {
        Login::Password { user: "почта@example.com".into(), password: "пароль😀".into() }
    }

    fn bearer(token: &str) -> Login {
        Login::Bearer { user: "Help@Example.com".into(), token: token.into() }
    }

    fn at(server: &MockServer) -> Config {
        let token_url = Url::parse(&server.uri()).unwrap();
        let refresh_token = Some("r1-settings".into());
        let auth = Auth::Oauth {
            token_url,
            client_id: "app".into(),
            client_secret: None,
            refresh_token,
            scope: None,
            grant: Grant::Consent,
        };
        Config::with_auth("Help@Example.com", auth)
    }

    fn credentials(server: &MockServer, store: &Arc<impl TokenStore>) -> Credentials {
        Credentials::new(&at(server), &Http::new().unwrap(), Arc::clone(store) as Arc<dyn TokenStore>)
    }

    /// The server gives `access` and `next` once for the refresh token `refresh`.
    async fn grants(server: &MockServer, refresh: &str, access: &str, next: &str) {
        let body = format!(r#"{{"access_token":"{access}","refresh_token":"{next}","expires_in":3600}}"#);
        Mock::given(method("POST"))
            .and(body_string_contains(format!("refresh_token={refresh}")))
            .respond_with(ResponseTemplate::new(200).set_body_raw(body, "application/json"))
            .expect(1)
            .mount(server)
            .await;
    }

    #[test]
    fn a_password_goes_by_plain_and_a_token_by_xoauth2_before_oauthbearer() {
        let all = ["LOGIN", "oauthbearer", "XOAuth2", "plain"];
        assert_eq!(password().mechanism(all), Some(Mechanism::Plain));
        assert_eq!(bearer("t").mechanism(all), Some(Mechanism::Xoauth2));
        assert_eq!(bearer("t").mechanism(["OAUTHBEARER"]), Some(Mechanism::Oauthbearer));
        assert_eq!(password().mechanism(["XOAUTH2", "LOGIN", "CRAM-MD5"]), None);
        assert_eq!(bearer("t").mechanism(["PLAIN", "LOGIN"]), None);
        assert_eq!(password().mechanism([]), None);
    }

    #[test]
    fn the_response_is_that_of_the_mechanism() {
        let server = Server { host: "imap.example.com".into(), port: 993, tls: Tls::Implicit };
        let said = |login: &Login, mechanism| login.response(mechanism, &server).unwrap().expose().to_owned();
        assert_eq!(said(&password(), Mechanism::Plain), "\0почта@example.com\0пароль😀");
        assert_eq!(
            said(&bearer("t0k"), Mechanism::Xoauth2),
            "user=Help@Example.com\u{1}auth=Bearer t0k\u{1}\u{1}"
        );
        assert_eq!(
            said(&bearer("t0k"), Mechanism::Oauthbearer),
            "n,a=Help@Example.com,\u{1}host=imap.example.com\u{1}port=993\u{1}auth=Bearer t0k\u{1}\u{1}"
        );
    }

    #[test]
    fn no_secret_is_in_what_a_login_shows() {
        let shown = format!("{:?} {:?}", password(), bearer("ya29.token"));
        assert!(!shown.contains("пароль") && !shown.contains("ya29"), "{shown}");
        let config = Config::new("help@yandex.ru", "hunter22-hunter22");
        let credentials = Credentials::new(&config, &Http::new().unwrap(), Arc::new(MemoryTokens::default()));
        assert!(!format!("{credentials:?}").contains("hunter22"), "{credentials:?}");
    }

    #[tokio::test]
    async fn a_password_that_is_refused_has_no_other_in_its_place() {
        let config = Config::new("anna@web.de", "secret");
        let credentials = Credentials::new(&config, &Http::new().unwrap(), Arc::new(MemoryTokens::default()));
        let login = credentials.login().await.unwrap();
        assert_eq!(login, Login::Password { user: "anna".into(), password: "secret".into() });
        let error = credentials.instead_of(&login).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadCredentials);
        assert!(error.advice().unwrap().contains("app password"), "{error}");
    }

    #[tokio::test]
    async fn a_token_is_asked_for_once_however_many_connections_want_it() {
        let server = MockServer::start().await;
        grants(&server, "r1-settings", "a1", "r2").await;
        let store = Arc::new(MemoryTokens::default());
        let credentials = credentials(&server, &store);
        let (one, two, three) = tokio::join!(credentials.login(), credentials.login(), credentials.login());
        for login in [one, two, three] {
            assert_eq!(login.unwrap(), bearer("a1"));
        }
        assert_eq!(credentials.login().await.unwrap(), bearer("a1"));
    }

    #[tokio::test]
    async fn a_refused_token_is_renewed_once_by_the_refresh_token_that_came_last() {
        let server = MockServer::start().await;
        grants(&server, "r1-settings", "a1", "r2").await;
        grants(&server, "r2", "a2", "r3").await;
        let store = Arc::new(MemoryTokens::default());
        let ours = credentials(&server, &store);
        let refused = ours.login().await.unwrap();
        let (one, two) = tokio::join!(ours.instead_of(&refused), ours.instead_of(&refused));
        assert_eq!((one.unwrap(), two.unwrap()), (bearer("a2"), bearer("a2")));
        let kept = store.load("email/help@example.com").await.unwrap().unwrap();
        assert_eq!((kept.access, kept.refresh), ("a2".into(), Some("r3".into())));
        // Another process, or this one after a restart, goes on with what was kept.
        assert_eq!(credentials(&server, &store).login().await.unwrap(), bearer("a2"));
    }

    #[tokio::test]
    async fn a_consent_that_has_ended_is_told_with_what_to_do_and_asked_for_once_by_all_who_wait() {
        let server = MockServer::start().await;
        let body = r#"{"error":"invalid_grant","error_description":"r1-settings was revoked"}"#;
        Mock::given(method("POST"))
            .respond_with(ResponseTemplate::new(400).set_body_raw(body, "application/json"))
            .expect(1)
            .mount(&server)
            .await;
        let credentials = credentials(&server, &Arc::new(MemoryTokens::default()));
        let (one, two) = tokio::join!(credentials.login(), credentials.login());
        for error in [one.unwrap_err(), two.unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::BadCredentials);
            assert!(error.advice().unwrap().contains("consent again"), "{error}");
            assert!(!format!("{error} {error:?}").contains("r1-settings"), "{error:?}");
        }
    }

    /// A store that keeps a pair only when it is told to.
    #[derive(Debug, Default)]
    struct Slow {
        kept: Mutex<Option<Tokens>>,
        asked: Notify,
        go: Notify,
    }

    #[async_trait]
    impl TokenStore for Slow {
        async fn load(&self, _key: &str) -> Result<Option<Tokens>> {
            Ok(self.kept.lock().unwrap().clone())
        }

        async fn save(&self, _key: &str, tokens: &Tokens) -> Result<()> {
            self.asked.notify_one();
            self.go.notified().await;
            *self.kept.lock().unwrap() = Some(tokens.clone());
            Ok(())
        }

        async fn claim(&self, _key: &str, _lasting: Duration) -> Result<bool> {
            Ok(true)
        }

        async fn unclaim(&self, _key: &str) -> Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_new_refresh_token_is_kept_before_anybody_logs_in_with_its_access_token() {
        let server = MockServer::start().await;
        grants(&server, "r1-settings", "a1", "r2").await;
        let store = Arc::new(Slow::default());
        let credentials = Arc::new(credentials(&server, &store));
        let ours = Arc::clone(&credentials);
        let login = tokio::spawn(async move { ours.login().await });
        store.asked.notified().await;
        assert!(!login.is_finished());
        store.go.notify_one();
        assert_eq!(login.await.unwrap().unwrap(), bearer("a1"));
        assert_eq!(store.kept.lock().unwrap().as_ref().unwrap().refresh, Some("r2".into()));
    }

    #[tokio::test]
    async fn a_renewal_is_finished_and_kept_though_nobody_waits_for_it_any_more() {
        let server = MockServer::start().await;
        grants(&server, "r1-settings", "a1", "r2").await;
        let store = Arc::new(Slow::default());
        let ours = Arc::new(credentials(&server, &store));
        let login = tokio::spawn({
            let ours = Arc::clone(&ours);
            async move { ours.login().await }
        });
        store.asked.notified().await;
        login.abort();
        store.go.notify_one();
        assert_eq!(ours.login().await.unwrap(), bearer("a1"));
        assert_eq!(store.kept.lock().unwrap().as_ref().unwrap().refresh, Some("r2".into()));
    }
}
