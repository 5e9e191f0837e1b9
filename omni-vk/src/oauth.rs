//! Getting a community's token with its administrator's consent, in place of one made by hand.
//!
//! 1. With a user's token that may see communities, [`Oauth::groups`] lists those the person administers; or the host
//!    asks for the community's address.
//! 2. [`Oauth::authorize_url`] is where the administrator agrees, for one or several of them.
//! 3. The redirect brings a code; [`Oauth::exchange`] makes a token of each community out of it.
//!
//! User tokens of new apps come from VK ID: [`Oauth::vk_id_url`], [`Oauth::vk_id_exchange`], [`Oauth::vk_id_refresh`].
//! They live for an hour, and the right to see communities is granted on request only.
//!
//! Sources: <https://dev.vk.com/api/access-token/authcode-flow-community>, <https://dev.vk.com/reference/access-rights>,
//! <https://id.vk.com/about/business/go/docs/ru/vkid/latest/vk-id/connection/api-integration/api-description>
//! (read 2026-11).

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use omni_core::error::{ErrorKind, Result};
use omni_core::outbound::SendError;
use omni_core::tokens::Tokens;
use omni_core::{Error, Secret, Timestamp};
use omni_http::{Answer, Http};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use url::Url;

use crate::config::API_VERSION;
use crate::error::classify;
use crate::wire::{ApiError, Group, Str};

/// What a connected community lets us do: messages, pictures, files, and its webhooks.
/// <https://dev.vk.com/reference/access-rights> (read 2026-11)
const SCOPE: &str = "messages,photos,docs,manage";

/// An app at VK, by which administrators connect their communities.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Oauth {
    /// The app's number.
    pub client_id: String,
    /// The app's key. VK ID needs none.
    pub client_secret: Secret,
    /// Where the administrator comes back to; one of the app's trusted addresses.
    pub redirect_uri: Url,
    /// Where communities are connected: `https://oauth.vk.com/`, its mirror `https://oauth.vk.ru/`, a simulator.
    pub oauth_url: Url,
    /// VK ID: `https://id.vk.com/`, its mirror `https://id.vk.ru/`, a simulator.
    pub id_url: Url,
    /// The API: `https://api.vk.com/`, its mirror, a simulator.
    pub api_url: Url,
}

/// A community that was connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// Its number: [`Config::group_id`](crate::Config::group_id).
    pub group_id: i64,
    /// Its token: [`Config::token`](crate::Config::token).
    pub token: Secret,
}

/// A community that the person administers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Administered {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its picture.
    pub photo: Option<Url>,
}

impl Oauth {
    /// An app at VK's own addresses.
    #[allow(clippy::expect_used)] // literals, read by every test of this module
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<Secret>, redirect_uri: Url) -> Self {
        let literal = |url| Url::parse(url).expect("a literal address");
        Self {
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            redirect_uri,
            oauth_url: literal("https://oauth.vk.com/"),
            id_url: literal("https://id.vk.com/"),
            api_url: literal("https://api.vk.com/"),
        }
    }

    /// Where an administrator agrees to connect these communities. `state` comes back with the redirect: a random
    /// text of the host's, by which it knows its own.
    pub fn authorize_url(&self, groups: &[i64], state: &str) -> Url {
        let groups = groups.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let mut url = at(&self.oauth_url, "authorize");
        url.query_pairs_mut()
            .append_pair("client_id", &self.client_id)
            .append_pair("group_ids", &groups)
            .append_pair("redirect_uri", self.redirect_uri.as_str())
            .append_pair("response_type", "code")
            .append_pair("scope", SCOPE)
            .append_pair("state", state)
            .append_pair("display", "page")
            .append_pair("v", API_VERSION);
        url
    }

    /// Makes tokens of the code that the redirect brought. A code is good for one use, for about an hour
    /// (unverified). The tokens do not run out.
    ///
    /// # Errors
    /// [`BadCredentials`](ErrorKind::BadCredentials) when VK does not take the code or the app's key.
    pub async fn exchange(&self, http: &Http, code: &str) -> Result<Vec<Connected>> {
        const OPERATION: &str = "access_token";
        #[derive(Deserialize)]
        struct Granted<'a> {
            #[serde(borrow, default)]
            groups: Vec<GroupToken<'a>>,
        }
        #[derive(Deserialize)]
        struct GroupToken<'a> {
            group_id: i64,
            #[serde(borrow)]
            access_token: Str<'a>,
        }
        let fields = [
            ("client_id", self.client_id.as_str()),
            ("client_secret", self.client_secret.expose()),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("code", code),
        ];
        // In the body: addresses stand in the logs of everything between.
        let answer = http.post(OPERATION, at(&self.oauth_url, "access_token")).form(fields).await;
        let answer = self.granted(OPERATION, answer, &[code])?;
        let Granted { groups } = read(OPERATION, &answer)?;
        let connected = |group: GroupToken<'_>| Connected {
            group_id: group.group_id,
            token: Secret::new(group.access_token.into_string()),
        };
        Ok(groups.into_iter().map(connected).collect())
    }

    /// The communities that a person administers; the token is the person's, with the right `groups`.
    /// <https://dev.vk.com/method/groups.get> (read 2026-11)
    ///
    /// # Errors
    /// As any call of VK.
    pub async fn groups(&self, http: &Http, user_token: &Secret) -> Result<Vec<Administered>> {
        const OPERATION: &str = "groups.get";
        #[derive(Deserialize)]
        struct Listed<'a> {
            #[serde(borrow)]
            response: Option<Items<'a>>,
            #[serde(borrow)]
            error: Option<ApiError<'a>>,
        }
        #[derive(Deserialize)]
        struct Items<'a> {
            #[serde(borrow, default)]
            items: Vec<Group<'a>>,
        }
        let fields = [
            ("filter", "admin"),
            ("extended", "1"),
            ("access_token", user_token.expose()),
            ("v", API_VERSION),
        ];
        let url = at(&self.api_url, "method/groups.get");
        let answer = http.post(OPERATION, url).form(fields).await.map_err(SendError::into_error)?;
        let Listed { response, error } = read(OPERATION, &answer)?;
        if let Some(error) = error {
            let said = user_token.redact(error.error_msg.as_deref().unwrap_or_default());
            return Err(classify(OPERATION, error.error_code, &said));
        }
        let items = response.ok_or_else(|| unread(OPERATION))?.items;
        let administered = |group: Group<'_>| Administered {
            id: group.id,
            name: group.name.into_string(),
            photo: group.photo_50.and_then(|url| Url::parse(&url).ok()),
        };
        Ok(items.into_iter().map(administered).collect())
    }

    /// Where a person signs in with VK ID. `verifier` is a random text of the host's, 43 to 128 of `A-Z a-z 0-9 _ -`,
    /// kept until the exchange; only its hash is in the address.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) for a verifier of another form.
    pub fn vk_id_url(&self, verifier: &Secret, state: &str, scope: &[&str]) -> Result<Url> {
        let text = verifier.expose();
        let is_plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !(43..=128).contains(&text.len()) || !is_plain {
            return Err(Error::configuration(
                "authorize",
                "the verifier must have 43 to 128 of A-Z a-z 0-9 _ -",
            ));
        }
        let mut url = at(&self.id_url, "authorize");
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", self.redirect_uri.as_str())
            .append_pair("state", state)
            .append_pair("code_challenge", &challenge(verifier))
            .append_pair("code_challenge_method", "S256")
            .append_pair("scope", &scope.join(" "));
        Ok(url)
    }

    /// Makes a person's tokens of the code and the device that the redirect brought. The access token lives for an
    /// hour from `now`.
    ///
    /// # Errors
    /// [`BadCredentials`](ErrorKind::BadCredentials) when VK ID does not take the code or the verifier.
    pub async fn vk_id_exchange(&self, http: &Http, came: &Came<'_>, now: Timestamp) -> Result<Tokens> {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", came.code),
            ("code_verifier", came.verifier.expose()),
            ("client_id", self.client_id.as_str()),
            ("device_id", came.device_id),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("state", came.state),
        ];
        self.vk_id(http, &fields, &[came.code, came.verifier.expose()], now).await
    }

    /// New tokens for old ones. The refresh token is used up by it (how long it lives otherwise: 180 days,
    /// unverified), so the new pair must be kept before anything is done with it: let an
    /// [`omni_http::TokenKeeper`] do it.
    ///
    /// # Errors
    /// [`BadCredentials`](ErrorKind::BadCredentials) when the person has to sign in again.
    pub async fn vk_id_refresh(
        &self,
        http: &Http,
        refresh: &Secret,
        device_id: &str,
        state: &str,
        now: Timestamp,
    ) -> Result<Tokens> {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.expose()),
            ("client_id", self.client_id.as_str()),
            ("device_id", device_id),
            ("state", state),
        ];
        self.vk_id(http, &fields, &[refresh.expose()], now).await
    }

    async fn vk_id(
        &self,
        http: &Http,
        fields: &[(&str, &str)],
        secrets: &[&str],
        now: Timestamp,
    ) -> Result<Tokens> {
        const OPERATION: &str = "oauth2/auth";
        #[derive(Deserialize)]
        struct Granted<'a> {
            #[serde(borrow)]
            access_token: Str<'a>,
            #[serde(borrow)]
            refresh_token: Option<Str<'a>>,
            expires_in: Option<u64>,
        }
        let answer = http.post(OPERATION, at(&self.id_url, "oauth2/auth")).form(fields.iter().copied()).await;
        let answer = self.granted(OPERATION, answer, secrets)?;
        let granted: Granted<'_> = read(OPERATION, &answer)?;
        let lasting = granted.expires_in.filter(|seconds| *seconds > 0).map(Duration::from_secs);
        Ok(Tokens {
            access: Secret::new(granted.access_token.into_string()),
            refresh: granted.refresh_token.map(|token| Secret::new(token.into_string())),
            expires_at: lasting.map(|lasting| now + lasting),
        })
    }

    /// A grant, or the refusal in OAuth's form: `{"error": …, "error_description": …}`, with 401 or 200 (unverified).
    fn granted(
        &self,
        operation: &'static str,
        answer: Result<Answer, SendError>,
        secrets: &[&str],
    ) -> Result<Answer> {
        #[derive(Deserialize)]
        struct Refused<'a> {
            #[serde(borrow)]
            error: Str<'a>,
            #[serde(borrow)]
            error_description: Option<Str<'a>>,
        }
        let answer = answer.map_err(SendError::into_error)?;
        let Ok(refused) = serde_json::from_slice::<Refused<'_>>(&answer.body) else {
            if answer.status.is_success() {
                return Ok(answer);
            }
            return Err(crate::api::foreign(operation, &answer).into_error());
        };
        let words = refused.error_description.as_deref().unwrap_or_default();
        let words = self.client_secret.redact(words);
        let words = secrets.iter().fold(words, |words, secret| Secret::new(*secret).redact(&words));
        Err(Error::new(ErrorKind::BadCredentials, operation)
            .with_code(&*refused.error)
            .with_text(words)
            .with_advice("begin again: codes are good for one use and a short time"))
    }
}

/// What VK ID's redirect brought, with what the host kept.
#[derive(Clone, Copy)]
#[allow(missing_docs)] // the names of the redirect's parameters
pub struct Came<'a> {
    pub code: &'a str,
    pub device_id: &'a str,
    pub state: &'a str,
    /// The same as for [`Oauth::vk_id_url`].
    pub verifier: &'a Secret,
}

impl fmt::Debug for Came<'_> {
    /// Without the code, which is as good as a token for as long as it lives.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Came").field("state", &self.state).finish_non_exhaustive()
    }
}

/// <https://www.rfc-editor.org/rfc/rfc7636#section-4.2>
fn challenge(verifier: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose().as_bytes()))
}

fn at(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let above = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{above}/{path}"));
    url
}

fn read<'a, T: Deserialize<'a>>(operation: &'static str, answer: &'a Answer) -> Result<T> {
    serde_json::from_slice(&answer.body).map_err(|_| unread(operation))
}

fn unread(operation: &'static str) -> Error {
    Error::new(ErrorKind::Protocol, operation).with_text("the answer is not what the method yields")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> Oauth {
        Oauth::new("51000001", "app-s3cret-key", Url::parse("https://crm.example/vk?tenant=7").unwrap())
    }

    #[test]
    fn an_administrator_is_asked_for_certain_communities() {
        let url = app().authorize_url(&[123, 456], "с 1&2");
        assert_eq!(
            url.as_str(),
            "https://oauth.vk.com/authorize?client_id=51000001&group_ids=123%2C456\
             &redirect_uri=https%3A%2F%2Fcrm.example%2Fvk%3Ftenant%3D7&response_type=code\
             &scope=messages%2Cphotos%2Cdocs%2Cmanage&state=%D1%81+1%262&display=page&v=5.199"
        );
    }

    #[test]
    fn only_the_hash_of_the_verifier_is_in_the_address() {
        // <https://www.rfc-editor.org/rfc/rfc7636#appendix-B>
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        let url = app().vk_id_url(&verifier, "s", &["vkid.personal_info", "groups"]).unwrap();
        let text = url.as_str();
        assert!(text.contains("code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&"), "{text}");
        assert!(text.contains("scope=vkid.personal_info+groups"), "{text}");
        assert!(!text.contains(verifier.expose()));
        for bad in ["short", &"x".repeat(129), &"ж".repeat(43), &"a b".repeat(20)] {
            assert!(app().vk_id_url(&Secret::new(bad), "s", &[]).is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_secret_shows() {
        let shown = format!("{:?}", app());
        assert!(!shown.contains("app-s3cret-key"), "{shown}");
        let connected = Connected { group_id: 1, token: Secret::new("vk1.a.token") };
        assert!(!format!("{connected:?}").contains("vk1.a.token"));
    }
}
