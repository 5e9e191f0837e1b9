//! What is said to log in: PLAIN, XOAUTH2 and OAUTHBEARER, and what a server answers to tokens it does not take.
//!
//! Everything here is pure. What is made is the first (and only) response before base64; [`encoded`] is what travels.
//!
//! Sources: RFC 4616 (PLAIN), RFC 7628 (OAUTHBEARER), RFC 5801 section 4 (names in its header), and
//! <https://developers.google.com/gmail/imap/xoauth2-protocol> (XOAUTH2, read 2026-11).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use omni_core::Secret;
use omni_core::error::{Error, ErrorKind, Result};
use serde::Deserialize;

const OPERATION: &str = "login";
/// Longest challenge that is read, in bytes as it travels: real ones have about a hundred.
const CHALLENGE: usize = 8 << 10;

/// A way to log in that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mechanism {
    /// User name and password (RFC 4616).
    Plain,
    /// An access token, as Google, Microsoft and Yandex take it.
    Xoauth2,
    /// An access token, by the standard (RFC 7628).
    Oauthbearer,
}

impl Mechanism {
    /// Its name in capabilities and commands.
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::Xoauth2 => "XOAUTH2",
            Mechanism::Oauthbearer => "OAUTHBEARER",
        }
    }

    /// What is answered, in base64, when a server says by a challenge why it refuses; its refusal follows. XOAUTH2
    /// wants an empty line, OAUTHBEARER one ^A (RFC 7628, 3.2.3).
    pub fn last_word(self) -> &'static str {
        match self {
            Mechanism::Plain | Mechanism::Xoauth2 => "",
            Mechanism::Oauthbearer => "AQ==",
        }
    }
}

/// The response of PLAIN: both parts in UTF-8, no other identity asked for.
///
/// ```
/// use omni_email::sasl::{encoded, plain};
/// let response = plain("help@example.com", &"пароль".into())?;
/// assert_eq!(response.expose(), "\0help@example.com\0пароль");
/// assert_eq!(encoded(&plain("tim", &"tanstaaftanstaaf".into())?).expose(), "AHRpbQB0YW5zdGFhZnRhbnN0YWFm");
/// # Ok::<(), omni_core::Error>(())
/// ```
///
/// # Errors
/// [`Configuration`](ErrorKind::Configuration) when a part is empty or holds NUL, which would be read as another user
/// or password.
pub fn plain(user: &str, password: &Secret) -> Result<Secret> {
    let is_harmless = |text: &str| !text.is_empty() && !text.contains('\0');
    if !is_harmless(user) {
        return Err(Error::configuration(OPERATION, "the user name is empty or holds NUL"));
    }
    if !is_harmless(password.expose()) {
        return Err(Error::configuration(OPERATION, "the password is empty or holds NUL"));
    }
    Ok(Secret::new(format!("\0{user}\0{}", password.expose())))
}

/// The response of XOAUTH2.
///
/// ```
/// use omni_email::sasl::xoauth2;
/// let response = xoauth2("help@example.com", &"ya29.token".into())?;
/// assert_eq!(response.expose(), "user=help@example.com\u{1}auth=Bearer ya29.token\u{1}\u{1}");
/// # Ok::<(), omni_core::Error>(())
/// ```
///
/// # Errors
/// [`Configuration`](ErrorKind::Configuration) for a user with control characters, [`Protocol`](ErrorKind::Protocol)
/// for a token with signs that none has.
pub fn xoauth2(user: &str, token: &Secret) -> Result<Secret> {
    check_user(user)?;
    check_token(token)?;
    Ok(Secret::new(format!("user={user}\u{1}auth=Bearer {}\u{1}\u{1}", token.expose())))
}

/// The response of OAUTHBEARER, for a server of this name and port.
///
/// # Errors
/// As [`xoauth2`]; [`Configuration`](ErrorKind::Configuration) also for a host with control characters.
pub fn oauthbearer(user: &str, host: &str, port: u16, token: &Secret) -> Result<Secret> {
    check_user(user)?;
    check_token(token)?;
    if host.is_empty() || host.chars().any(char::is_control) {
        return Err(Error::configuration(
            OPERATION,
            "the server's name is empty or holds control characters",
        ));
    }
    // The order matters: what a comma becomes holds "=".
    let user = user.replace('=', "=3D").replace(',', "=2C");
    Ok(Secret::new(format!(
        "n,a={user},\u{1}host={host}\u{1}port={port}\u{1}auth=Bearer {}\u{1}\u{1}",
        token.expose()
    )))
}

/// A response as it travels.
#[must_use]
pub fn encoded(response: &Secret) -> Secret {
    Secret::new(STANDARD.encode(response.expose()))
}

fn check_user(user: &str) -> Result<()> {
    if user.is_empty() || user.chars().any(char::is_control) {
        return Err(Error::configuration(OPERATION, "the user name is empty or holds control characters"));
    }
    Ok(())
}

/// RFC 6750, 2.1, has fewer signs still; real tokens keep to visible ASCII at least.
fn check_token(token: &Secret) -> Result<()> {
    if token.is_empty() || !token.expose().bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Error::new(ErrorKind::Protocol, OPERATION)
            .with_text("the access token is empty or has signs that none has"));
    }
    Ok(())
}

/// Why a server does not take a token. Its texts are the server's: shown to people, never trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// `invalid_token` by the standard; a number such as `401` or `400` at Google, Microsoft and Yandex.
    pub status: String,
    /// What the token must allow, where the server says it.
    pub scope: Option<String>,
}

impl Challenge {
    /// Reads a challenge as it travels. `None` when it is none of this kind: an empty one asks for the token itself.
    ///
    /// ```
    /// use omni_email::sasl::Challenge;
    /// let told = Challenge::read("eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIiwic2NvcGUiOiJtYWlsIn0=").unwrap();
    /// assert_eq!((told.status.as_str(), told.scope.as_deref()), ("401", Some("mail")));
    /// assert!(told.is_about_the_token());
    /// assert!(Challenge::read("").is_none());
    /// ```
    pub fn read(base64: &str) -> Option<Self> {
        let base64 = base64.trim();
        if base64.is_empty() || base64.len() > CHALLENGE {
            return None;
        }
        Self::read_json(&STANDARD.decode(base64).ok()?)
    }

    /// Reads a challenge that was decoded already.
    pub fn read_json(json: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Told {
            status: Status,
            #[serde(default)]
            scope: Option<String>,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Status {
            Text(String),
            Number(u16),
        }
        let Told { status, scope } = serde_json::from_slice(json).ok()?;
        let status = match status {
            Status::Text(text) => text,
            Status::Number(number) => number.to_string(),
        };
        let scope = scope.filter(|scope| !scope.trim().is_empty());
        Some(Self { status: shown(&status), scope: scope.as_deref().map(shown) })
    }

    /// Whether another token may be taken: this one ran out or was revoked. Otherwise it lacks a right, or the user is
    /// another one, and a new token of the same consent would be refused too.
    pub fn is_about_the_token(&self) -> bool {
        matches!(self.status.as_str(), "401" | "invalid_token")
    }

    /// What it means for whoever connected the mailbox.
    pub fn error(&self, operation: &'static str) -> Error {
        let error = Error::new(ErrorKind::BadCredentials, operation)
            .with_code(&self.status)
            .with_text("the server does not take the access token");
        let error = match &self.scope {
            Some(scope) => error.with("scope", scope),
            None => error,
        };
        error.with_advice(if self.is_about_the_token() {
            "a person has to consent again"
        } else {
            "check that the consent covers IMAP and SMTP, and that it was given for this mailbox"
        })
    }
}

/// A server's text in one short line.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(result: Result<Secret>) -> ErrorKind {
        result.unwrap_err().kind()
    }

    #[test]
    fn the_examples_of_the_standards_come_out_byte_for_byte() {
        // RFC 4616, section 4
        assert_eq!(plain("tim", &"tanstaaftanstaaf".into()).unwrap().expose(), "\0tim\0tanstaaftanstaaf");
        // RFC 7628, section 4.1
        let token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==".into();
        let response = oauthbearer("user@example.com", "server.example.com", 143, &token).unwrap();
        assert_eq!(
            encoded(&response).expose(),
            "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRx\
             bVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
        );
        // Google's page of XOAUTH2
        let token = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg".into();
        assert_eq!(
            encoded(&xoauth2("someuser@example.com", &token).unwrap()).expose(),
            "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRH\
             RXVZMjl0Q2cBAQ=="
        );
    }

    #[test]
    fn words_of_any_language_travel_as_utf_8() {
        let response = plain("почта@пример.рф", &"пароль😀".into()).unwrap();
        assert_eq!(response.expose().as_bytes(), "\0почта@пример.рф\0пароль😀".as_bytes());
    }

    #[test]
    fn signs_that_part_the_fields_cannot_be_smuggled_in() {
        assert_eq!(kind(plain("a\0b", &"secret".into())), ErrorKind::Configuration);
        assert_eq!(kind(plain("a", &"sec\0ret".into())), ErrorKind::Configuration);
        assert_eq!(kind(plain("", &"secret".into())), ErrorKind::Configuration);
        assert_eq!(kind(plain("a", &"".into())), ErrorKind::Configuration);
        for user in ["", "a\u{1}auth=Bearer x", "a\0", "a\r\nNOOP"] {
            assert_eq!(kind(xoauth2(user, &"token".into())), ErrorKind::Configuration, "{user:?}");
            assert_eq!(
                kind(oauthbearer(user, "h", 1, &"token".into())),
                ErrorKind::Configuration,
                "{user:?}"
            );
        }
        for token in ["", "to ken", "to\u{1}ken", "to\0ken", "token\r\n", "жетон"] {
            assert_eq!(kind(xoauth2("a", &token.into())), ErrorKind::Protocol, "{token:?}");
            assert_eq!(kind(oauthbearer("a", "h", 1, &token.into())), ErrorKind::Protocol, "{token:?}");
        }
        assert_eq!(kind(oauthbearer("a", "h\u{1}x=y", 1, &"token".into())), ErrorKind::Configuration);
    }

    #[test]
    fn commas_and_equals_signs_of_a_name_do_not_end_the_header() {
        let response = oauthbearer("a,b=c@example.com", "h", 993, &"t".into()).unwrap();
        assert_eq!(
            response.expose(),
            "n,a=a=2Cb=3Dc@example.com,\u{1}host=h\u{1}port=993\u{1}auth=Bearer t\u{1}\u{1}"
        );
    }

    #[test]
    fn no_error_holds_the_secret() {
        let error = plain("user", &"pass\0word".into()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("word\""), "{error:?}");
        let error = xoauth2("user", &"to ken".into()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("to ken"), "{error:?}");
        assert!(!format!("{:?}", plain("user", &"hunter22".into())).contains("hunter22"));
    }

    #[test]
    fn a_challenge_says_why_in_the_forms_of_all_servers() {
        let read = |json: &str| Challenge::read(&STANDARD.encode(json));
        let dovecot =
            read(r#"{"status":"invalid_token","scope":"","openid-configuration":"https://x"}"#).unwrap();
        assert_eq!(dovecot, Challenge { status: "invalid_token".into(), scope: None });
        assert!(dovecot.is_about_the_token());
        let number = read(r#"{"status":400,"schemes":"Bearer","scope":"https://mail.google.com/"}"#).unwrap();
        assert_eq!(number.status, "400");
        assert!(!number.is_about_the_token());
        let error = number.error("imap login");
        assert_eq!(error.kind(), ErrorKind::BadCredentials);
        assert!(error.to_string().contains("https://mail.google.com/"), "{error}");
        assert!(error.advice().unwrap().contains("consent"), "{error}");
    }

    #[test]
    fn what_is_no_challenge_of_tokens_is_none() {
        for text in ["", "  ", "!!!", "e30=", "bm8ganNvbg==", "PDEyMy40NUBleGFtcGxlLmNvbT4="] {
            assert_eq!(Challenge::read(text), None, "{text}");
        }
        assert_eq!(Challenge::read(&"A".repeat(CHALLENGE + 4)), None);
        let odd =
            Challenge::read_json("{\"status\":\"4\\r\\n01\",\"scope\":\"ящик\\u0000\"}".as_bytes()).unwrap();
        assert_eq!((odd.status.as_str(), odd.scope.as_deref()), ("401", Some("ящик")));
    }

    #[test]
    fn the_last_word_is_empty_or_one_control_a() {
        assert_eq!(Mechanism::Xoauth2.last_word(), "");
        assert_eq!(STANDARD.decode(Mechanism::Oauthbearer.last_word()).unwrap(), [1]);
    }
}
