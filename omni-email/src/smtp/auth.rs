//! Logging in (RFC 4954).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use omni_core::Secret;
use omni_core::error::{Error, Result};
use std::time::Duration;

use super::hello::place;
use super::session::Session;
use crate::config::{Server, Tls};
use crate::error::{Stage, smtp};
use crate::login::Login;
use crate::sasl::{Challenge, Mechanism, encoded};

const OPERATION: &str = "smtp login";

/// Logs in by the best way that both know. A relay that offers no login needs none when the password is empty.
///
/// # Errors
/// [`BadCredentials`](omni_core::error::ErrorKind::BadCredentials) with advice; network and timeout.
pub(super) async fn log_in(session: &mut Session, login: &Login, server: &Server) -> Result<()> {
    let offered: Vec<String> = session.offers.auth.clone();
    let offers = |name: &str| offered.iter().any(|o| o == name);
    match (login, login.mechanism(offered.iter().map(String::as_str))) {
        (Login::Password { password, .. }, _) if password.is_empty() && offered.is_empty() => Ok(()),
        (_, Some(mechanism)) => respond(session, login, mechanism, server).await,
        (Login::Password { user, password }, None) if offers("LOGIN") => {
            ask_and_tell(session, user, password, server).await
        }
        (login, None) => Err(no_way(&offered, login, server)),
    }
}

/// One response, at once or when asked for.
async fn respond(session: &mut Session, login: &Login, mechanism: Mechanism, server: &Server) -> Result<()> {
    let response = encoded(&login.response(mechanism, server)?);
    let command = Secret::new(format!("AUTH {} {}", mechanism.name(), response.expose()));
    let mut answer = session.login_step(command.expose()).await?;
    // Some ask for what they were told already.
    if answer.0 == 334 && answer.1.trim().is_empty() {
        answer = session.login_step(response.expose()).await?;
    }
    if answer.0 == 334 {
        let told = Challenge::read(&answer.1);
        let refusal = session.login_step(mechanism.last_word()).await?;
        return Err(match told {
            Some(challenge) => place(server, challenge.error(OPERATION)).with("answer", said(&refusal)),
            None => refused(refusal, &[&response], server),
        });
    }
    match answer.0 {
        235 => Ok(()),
        _ => Err(refused(answer, &[secret(login), &response], server)),
    }
}

/// LOGIN: the server asks for the name, then for the password. Old servers know nothing else.
async fn ask_and_tell(session: &mut Session, user: &str, password: &Secret, server: &Server) -> Result<()> {
    let word = Secret::new(STANDARD.encode(password.expose()));
    let name = STANDARD.encode(user);
    for line in ["AUTH LOGIN", &name] {
        let answer = session.login_step(line).await?;
        if answer.0 != 334 {
            return Err(refused(answer, &[password, &word], server));
        }
    }
    match session.login_step(word.expose()).await? {
        (235, _) => Ok(()),
        answer => Err(refused(answer, &[password, &word], server)),
    }
}

fn secret(login: &Login) -> &Secret {
    match login {
        Login::Password { password, .. } => password,
        Login::Bearer { token, .. } => token,
    }
}

/// A refusal, without what servers repeat of our own words.
fn refused((number, text): (u16, String), secrets: &[&Secret], server: &Server) -> Error {
    let text = secrets.iter().fold(text, |text, secret| secret.redact(&text));
    place(server, smtp(Stage::Login, number, &text, Duration::ZERO))
}

fn said((number, text): &(u16, String)) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    format!("{number} {text}")
}

/// The server offers nothing that fits.
fn no_way(offered: &[String], login: &Login, server: &Server) -> Error {
    let text = match offered.is_empty() {
        true => "the server offers no login there".to_owned(),
        false => format!("the server offers none of the logins we know, only {}", offered.join(" ")),
    };
    let advice = match (login, server.tls) {
        (Login::Password { .. }, _) if offered.iter().any(|o| o == "XOAUTH2") => {
            "this provider takes no passwords: log in with OAuth2"
        }
        (_, Tls::None) => "set tls of smtp to starttls or implicit: many servers offer logins only then",
        _ => "check host and port of smtp: 465 or 587 take logins, 25 mostly does not",
    };
    place(server, Error::configuration(OPERATION, text)).with_advice(advice)
}
