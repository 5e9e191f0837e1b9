//! What Avito's errors mean: one table.
//!
//! The description of the messenger names no codes beyond those of HTTP; the shared schemas name 400, 401, 402, 403,
//! 404, 500 and 503. Texts are not described, so only two are looked for, and both are *unverified*.
//!
//! Sources: <https://developers.avito.ru/api-catalog/messenger/documentation> and `src/core/errors.ts` of
//! <https://github.com/elchin92/avito-mcp> (read 2026-11).

use std::time::Duration;

use omni_core::Error;
use omni_core::error::{ErrorKind, RateScope, Retry};

/// How long to wait after a 429 that does not say; clients begin with this (*community*).
const PAUSE: Duration = Duration::from_secs(1);

/// One error of Avito.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The code it comes with.
    pub code: u16,
    /// What its text contains, in lower case; empty for every text of the code.
    pub text: &'static str,
    /// What was asked for.
    pub call: Call,
    /// What it means.
    pub kind: ErrorKind,
    /// What a person can do, where there is something.
    pub advice: Option<&'static str>,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Anything.
    Any,
    /// Something in a chat of somebody's.
    Chat,
    /// New tokens.
    Token,
}

const fn row(code: u16, text: &'static str, call: Call, kind: ErrorKind) -> Row {
    Row { code, text, call, kind, advice: None }
}

impl Row {
    const fn advise(mut self, advice: &'static str) -> Self {
        self.advice = Some(advice);
        self
    }
}

const NEW_KEYS: &str = "the keys were refused: copy client_id and client_secret anew from avito.ru/professionals/api, \
                        or let the person allow the application once more and set the new refresh_token";
const PLAN: &str =
    "the Messenger API is open on Avito's higher subscription levels only: raise the account's";
const RIGHTS: &str = "the token lacks a right: the application needs the scopes messenger:read and messenger:write, and \
                      the account a subscription with the API";

/// Every error we know. The first row that fits counts, so the special ones of a code stand before the general.
pub const TABLE: &[Row] = &[
    row(400, "", Call::Token, ErrorKind::BadCredentials).advise(NEW_KEYS),
    row(401, "", Call::Any, ErrorKind::BadCredentials).advise(NEW_KEYS),
    row(403, "", Call::Token, ErrorKind::BadCredentials).advise(NEW_KEYS),
    row(402, "", Call::Any, ErrorKind::Forbidden).advise(PLAN),
    // unverified
    row(403, "blacklist", Call::Chat, ErrorKind::RecipientBlocked),
    row(403, "", Call::Any, ErrorKind::Forbidden).advise(RIGHTS),
    // unverified: the description gives `{"text": "too long"}` as an example of a field's text
    row(400, "too long", Call::Any, ErrorKind::TooLarge),
    row(400, "", Call::Any, ErrorKind::ContentRejected),
    row(404, "", Call::Chat, ErrorKind::RecipientUnreachable),
    row(404, "", Call::Any, ErrorKind::NotFound),
    row(413, "", Call::Any, ErrorKind::TooLarge),
    row(429, "", Call::Any, ErrorKind::RateLimited),
    row(500, "", Call::Any, ErrorKind::Unavailable),
    row(503, "", Call::Any, ErrorKind::Unavailable),
];

/// Sorts an error answer. `said` is redacted already; `retry_after` is the header, in seconds.
///
/// After a 429 the whole account waits: what the limit counts is not published.
pub fn classify(
    operation: &'static str,
    call: Call,
    code: u16,
    said: &str,
    retry_after: Option<u64>,
) -> Error {
    let lower = said.to_lowercase();
    let fits = |row: &&Row| {
        row.code == code && (row.call == Call::Any || row.call == call) && lower.contains(row.text)
    };
    let found = TABLE.iter().find(fits);
    let kind = match found {
        Some(row) => row.kind,
        None if code >= 500 => ErrorKind::Unavailable,
        None => ErrorKind::Protocol,
    };
    let mut error = Error::new(kind, operation).with_code(code);
    if !said.is_empty() {
        error = error.with_text(said);
    }
    if kind == ErrorKind::RateLimited {
        let wait = retry_after.map_or(PAUSE, Duration::from_secs);
        error = error.with_retry(Retry::After { wait, scope: RateScope::Account });
    }
    match found.and_then(|row| row.advice) {
        Some(advice) => error.with_advice(advice),
        None => error,
    }
}

/// Whether an error answer proves that nothing was sent.
///
/// - A refusal below 500 is, in whichever form: what stands before Avito refuses before it hands over. 408 is not:
///   the request may have been read whole.
/// - A 503 in Avito's own form says that it is not taking calls now. A 500 only says that something broke, perhaps
///   after the message was stored, and any other 5xx is a gateway's.
pub fn proves_not_sent(code: u16, form: Form) -> bool {
    match (form, code) {
        (_, 408) => false,
        (Form::Avito, 503) => true,
        (_, code) => (400..500).contains(&code),
    }
}

/// In which form an error answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One of Avito's.
    Avito,
    /// Anything else: a proxy's page.
    Foreign,
}

#[cfg(test)]
mod tests {
    use omni_core::error::Fault;

    use super::*;

    /// One answer for each row and some more.
    const SEEN: &[(u16, Call, &str, ErrorKind)] = &[
        (400, Call::Token, "invalid_grant; refresh token is used", ErrorKind::BadCredentials),
        (401, Call::Token, "invalid_client", ErrorKind::BadCredentials),
        (401, Call::Any, "Unauthorized", ErrorKind::BadCredentials),
        (403, Call::Token, "forbidden", ErrorKind::BadCredentials),
        (402, Call::Chat, "Payment Required", ErrorKind::Forbidden),
        (403, Call::Chat, "user is in blacklist", ErrorKind::RecipientBlocked),
        (403, Call::Chat, "access denied", ErrorKind::Forbidden),
        (403, Call::Any, "access denied", ErrorKind::Forbidden),
        (400, Call::Chat, "Bad Request; text: too long", ErrorKind::TooLarge),
        (400, Call::Chat, "Bad Request", ErrorKind::ContentRejected),
        (404, Call::Chat, "чат не найден", ErrorKind::RecipientUnreachable),
        (404, Call::Any, "", ErrorKind::NotFound),
        (413, Call::Any, "", ErrorKind::TooLarge),
        (429, Call::Any, "Too Many Requests", ErrorKind::RateLimited),
        (429, Call::Token, "", ErrorKind::RateLimited),
        (500, Call::Any, "Internal", ErrorKind::Unavailable),
        (503, Call::Any, "Unavailable", ErrorKind::Unavailable),
        (502, Call::Any, "", ErrorKind::Unavailable),
        (418, Call::Any, "", ErrorKind::Protocol),
    ];

    #[test]
    fn every_known_answer_is_sorted_in_any_case() {
        for (code, call, said, kind) in SEEN {
            for said in [said.to_string(), said.to_uppercase()] {
                let error = classify("sendMessage", *call, *code, &said, None);
                assert_eq!(error.kind(), *kind, "{code} {call:?} {said}");
            }
        }
    }

    #[test]
    fn every_row_is_reached_by_an_answer() {
        for (index, row) in TABLE.iter().enumerate() {
            let first = |code: u16, call: Call, said: &str| {
                TABLE.iter().position(|row| {
                    row.code == code && (row.call == Call::Any || row.call == call) && said.contains(row.text)
                })
            };
            let reached = SEEN.iter().any(|(code, call, said, _)| first(*code, *call, said) == Some(index));
            assert!(reached, "no answer reaches {row:?}");
        }
    }

    #[test]
    fn a_pause_holds_the_whole_account() {
        let pause = |header| classify("sendMessage", Call::Chat, 429, "", header).retry();
        let after = |wait| Retry::After { wait: Duration::from_secs(wait), scope: RateScope::Account };
        assert_eq!(pause(Some(14)), after(14));
        assert_eq!(pause(None), after(1));
    }

    #[test]
    fn refused_keys_say_what_to_do() {
        let error = classify("token", Call::Token, 401, "invalid_client", None);
        assert_eq!(error.fault(), Fault::Configuration);
        assert!(error.advice().unwrap().contains("professionals/api"));
    }

    #[test]
    fn only_a_refusal_proves_that_nothing_was_sent() {
        use Form::{Avito, Foreign};
        let rows = [
            (400, Avito, true),
            (403, Foreign, true),
            (429, Avito, true),
            (408, Avito, false),
            (500, Avito, false),
            (503, Avito, true),
            (503, Foreign, false),
            (502, Foreign, false),
            (504, Avito, false),
            (200, Foreign, false),
            (302, Foreign, false),
        ];
        for (code, form, proves) in rows {
            assert_eq!(proves_not_sent(code, form), proves, "{code} {form:?}");
        }
    }
}
