//! Tokens by authorization code: for communities at `/access_token`, for people (VK ID) at `/oauth2/auth`
//! (<https://dev.vk.com/api/access-token/authcode-flow-community>, <https://id.vk.com/about/business/go/docs>,
//! read 2026-11).

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    config::Scope,
    params::Params,
    state::{Grant, Holder, World},
};
use crate::sim::Reply;

/// A code of community tokens lives so long, in seconds (an hour: from memory).
const CODE_LIFE: i64 = 3600;
/// A person's token by VK ID lives so long, in seconds.
const TOKEN_LIFE: i64 = 3600;

/// An application as its developer made it.
#[derive(Clone, Debug)]
pub struct App {
    /// `client_id`.
    pub id: i64,
    /// `client_secret`.
    pub secret: String,
    /// The trusted redirect address.
    pub redirect_uri: String,
}

/// What VK ID brought to the redirect address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedIn {
    /// `code`.
    pub code: String,
    /// `device_id`.
    pub device_id: String,
    /// `state`, as it was asked with.
    pub state: String,
}

/// A sign-in that waits for its exchange.
#[derive(Debug)]
struct Pending {
    app: i64,
    user: i64,
    device_id: String,
    challenge: String,
    scope: String,
}

/// Applications, codes, refresh tokens.
#[derive(Debug, Default)]
pub(super) struct Oauth {
    pub(super) apps: HashMap<i64, App>,
    /// Codes of community tokens: application, communities, and the second they end at.
    codes: HashMap<String, (i64, Vec<i64>, i64)>,
    pending: HashMap<String, Pending>,
    refresh: HashMap<String, Pending>,
}

/// A refusal: VK's word for it, and its sentence.
#[derive(Clone, Copy, Debug)]
struct Refused(&'static str, &'static str);

impl Refused {
    /// With status 401, which VK does not document.
    fn reply(self) -> Reply {
        Reply::json(401, &json!({"error": self.0, "error_description": self.1}))
    }
}

impl World {
    /// An administrator agrees: the code that the redirect brings.
    pub(super) fn authorize(&mut self, app: i64, groups: &[i64], now: i64) -> String {
        let code = self.random.hex(18);
        self.oauth.codes.insert(code.clone(), (app, groups.to_vec(), now + CODE_LIFE));
        code
    }

    /// A person signs in with VK ID.
    pub(super) fn sign_in(&mut self, app: i64, user: i64, asked: &Params) -> SignedIn {
        let (code, device_id) = (format!("vk2.a.{}", self.random.hex(40)), self.random.hex(32));
        let text = |name: &str| asked.text(name).unwrap_or_default().to_owned();
        let (challenge, scope) = (text("code_challenge"), text("scope"));
        let pending = Pending { app, user, device_id: device_id.clone(), challenge, scope };
        self.oauth.pending.insert(code.clone(), pending);
        SignedIn { code, device_id, state: text("state") }
    }

    /// `/access_token`: tokens of communities for a code, once.
    pub(super) fn community_tokens(&mut self, params: &Params, now: i64) -> Reply {
        let app = params.text("client_id").and_then(|id| self.oauth.apps.get(&id.parse().ok()?));
        let Some(app) = app else { return Refused("invalid_client", "client_id is incorrect").reply() };
        if params.text("client_secret") != Some(&app.secret) {
            return Refused("invalid_client", "client_secret is incorrect").reply();
        }
        if params.text("redirect_uri") != Some(&app.redirect_uri) {
            return Refused("invalid_request", "redirect_uri is incorrect, check application redirect uri")
                .reply();
        }
        let (id, code) = (app.id, params.text("code").unwrap_or_default());
        let is_ours = self.oauth.codes.get(code).is_some_and(|(app, ..)| *app == id);
        let Some((_, groups, until)) = is_ours.then(|| self.oauth.codes.remove(code)).flatten() else {
            return Refused("invalid_grant", "Code is invalid or expired.").reply();
        };
        if now > until {
            return Refused("invalid_grant", "Code is expired.").reply();
        }
        let mut tokens = Vec::new();
        for group in groups {
            let token = self.new_token();
            self.tokens.insert(token.clone(), Grant::new(Holder::Community(group), &Scope::ALL));
            tokens.push(json!({"group_id": group, "access_token": token}));
        }
        Reply::json(200, &json!({"groups": tokens, "expires_in": 0}))
    }

    /// `/oauth2/auth`: a person's tokens for a code or a refresh token.
    pub(super) fn person_tokens(&mut self, params: &Params, now: i64) -> Reply {
        let found = match params.text("grant_type") {
            Some("authorization_code") => self.by_code(params),
            Some("refresh_token") => self.by_refresh_token(params),
            _ => Err(Refused("invalid_request", "grant_type is invalid")),
        };
        match found {
            Ok(pending) => self.grant(pending, params.text("state"), now),
            Err(refused) => refused.reply(),
        }
    }

    fn by_code(&mut self, params: &Params) -> Result<Pending, Refused> {
        let code = params.text("code").unwrap_or_default();
        let pending = self.oauth.pending.remove(code);
        let pending = pending.ok_or(Refused("invalid_grant", "code is invalid or expired"))?;
        let redirect = self.oauth.apps.get(&pending.app).map(|app| app.redirect_uri.as_str());
        if params.text("redirect_uri") != redirect {
            return Err(Refused("invalid_request", "redirect_uri is invalid"));
        }
        let verifier = params.text("code_verifier").unwrap_or_default();
        let is_shaped = (43..=128).contains(&verifier.len())
            && verifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !is_shaped || challenge(verifier) != pending.challenge {
            return Err(Refused("invalid_grant", "code_verifier is invalid"));
        }
        same_client(pending, params)
    }

    fn by_refresh_token(&mut self, params: &Params) -> Result<Pending, Refused> {
        let token = params.text("refresh_token").unwrap_or_default();
        let pending = self.oauth.refresh.remove(token);
        let pending = pending.ok_or(Refused("invalid_grant", "refresh_token is invalid or expired"))?;
        same_client(pending, params)
    }

    fn grant(&mut self, pending: Pending, state: Option<&str>, now: i64) -> Reply {
        let (token, refresh) =
            (format!("vk2.a.{}", self.random.hex(64)), format!("vk2.a.{}", self.random.hex(64)));
        let scopes: &[Scope] =
            if pending.scope.split(' ').any(|name| name == "groups") { &[Scope::Manage] } else { &[] };
        let grant = Grant { until: Some(now + TOKEN_LIFE), ..Grant::new(Holder::User(pending.user), scopes) };
        self.tokens.insert(token.clone(), grant);
        let mut answer = Map::new();
        answer.insert("access_token".into(), token.into());
        answer.insert("refresh_token".into(), refresh.as_str().into());
        answer.insert("id_token".into(), "eyJhbGciOiJSUzI1NiJ9.e30.AA".into());
        answer.insert("token_type".into(), "Bearer".into());
        answer.insert("expires_in".into(), TOKEN_LIFE.into());
        answer.insert("user_id".into(), pending.user.into());
        answer.insert("scope".into(), pending.scope.as_str().into());
        if let Some(state) = state {
            answer.insert("state".into(), state.into());
        }
        self.oauth.refresh.insert(refresh, pending);
        Reply::json(200, &Value::Object(answer))
    }
}

fn same_client(pending: Pending, params: &Params) -> Result<Pending, Refused> {
    let is_app = params.text("client_id").is_some_and(|id| id.parse() == Ok(pending.app));
    match is_app && params.text("device_id") == Some(&pending.device_id) {
        true => Ok(pending),
        false => Err(Refused("invalid_request", "client_id or device_id is invalid")),
    }
}

/// `base64url(SHA-256)` without padding.
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}
