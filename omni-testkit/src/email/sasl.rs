//! Logging in: PLAIN, LOGIN, XOAUTH2 (Google), OAUTHBEARER (RFC 7628).

use super::settings::Mechanism;
use super::state::{State, Store};

/// One exchange, of either protocol.
#[derive(Debug)]
pub(super) struct Exchange {
    mechanism: Mechanism,
    at: At,
}

#[derive(Debug, PartialEq)]
enum At {
    Start,
    /// LOGIN has the name.
    Named(String),
    /// The reason of a refusal was told; the client has to take note before it is refused.
    Told,
}

/// What comes next.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// This is asked.
    Ask(String),
    /// The login is right: the key of the mailbox.
    In(String),
    /// It is wrong.
    Refused,
    /// It is no answer to what was asked.
    Malformed,
}

impl Exchange {
    /// One of the mechanisms offered; `None` for others.
    pub(super) fn new(name: &str, state: &State) -> Option<Self> {
        let mut offered = state.settings.mechanisms.iter();
        let mechanism = *offered.find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))?;
        Some(Self { mechanism, at: At::Start })
    }

    /// What the server says first, when the client says nothing.
    pub(super) fn first(&self) -> &'static str {
        if self.mechanism == Mechanism::Login { "Username:" } else { "" }
    }

    /// What comes of an answer of the client.
    pub(super) fn answer(&mut self, said: &[u8], state: &State) -> Step {
        let Ok(said) = std::str::from_utf8(said) else { return Step::Malformed };
        match (self.mechanism, &self.at) {
            (Mechanism::Plain, _) => match said.split('\0').collect::<Vec<_>>()[..] {
                [_, user, password] => by_password(state, user, password),
                _ => Step::Malformed,
            },
            (Mechanism::Login, At::Named(user)) => by_password(state, user, said),
            (Mechanism::Login, _) => {
                self.at = At::Named(said.to_owned());
                Step::Ask("Password:".to_owned())
            }
            (Mechanism::Xoauth2, At::Told) => {
                if said.is_empty() {
                    Step::Refused
                } else {
                    Step::Malformed
                }
            }
            (Mechanism::OauthBearer, At::Told) => {
                if said == "\u{1}" {
                    Step::Refused
                } else {
                    Step::Malformed
                }
            }
            (_, _) => self.bearer(said, state),
        }
    }

    fn bearer(&mut self, said: &str, state: &State) -> Step {
        let read = match self.mechanism {
            Mechanism::Xoauth2 => said.strip_prefix("user="),
            _ => said.strip_prefix("n,a=").map(|rest| rest.trim_start()),
        };
        let Some((user, rest)) = read.and_then(|rest| rest.split_once('\u{1}')) else {
            return Step::Malformed;
        };
        // OAUTHBEARER ends the name with a comma, and may name host and port before the token.
        let user = if self.mechanism == Mechanism::Xoauth2 { Some(user) } else { user.strip_suffix(',') };
        let token = rest.split('\u{1}').find_map(|pair| pair.strip_prefix("auth=Bearer "));
        let (Some(user), Some(token), true) = (user, token, rest.ends_with("\u{1}\u{1}")) else {
            return Step::Malformed;
        };
        match state.box_of_user(user) {
            Some((key, store)) if store.tokens.contains(token) => Step::In(key.clone()),
            _ => {
                self.at = At::Told;
                Step::Ask(self.refusal().to_owned())
            }
        }
    }

    /// The reason, as Google and RFC 7628 tell it.
    fn refusal(&self) -> &'static str {
        match self.mechanism {
            Mechanism::Xoauth2 => {
                r#"{"status":"401","schemes":"bearer","scope":"https://mail.example.org/"}"#
            }
            _ => r#"{"status":"invalid_token","scope":"https://mail.example.org/"}"#,
        }
    }
}

/// A login with a password.
pub(super) fn by_password(state: &State, user: &str, password: &str) -> Step {
    let fits = |store: &Store| store.password == password;
    match state.box_of_user(user) {
        Some((key, store)) if fits(store) => Step::In(key.clone()),
        _ => Step::Refused,
    }
}
