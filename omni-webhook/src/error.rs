//! What the program's refusals mean: one table.
//!
//! A refusal is `{"error": {"kind": "…", "text": "…"}}` under a status of 4xx or 5xx, and its kind is what counts.
//! Anything else is not the program's: a framework's page, or a proxy's.

use std::time::Duration;

use omni_core::Error;
use omni_core::error::{ErrorKind, RateScope, Retry};

use crate::wire::{Reason, Scope};

/// One kind of refusal.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it means.
    pub kind: ErrorKind,
    /// What a person can do, where there is something.
    pub advice: Option<&'static str>,
}

const fn row(name: &'static str, kind: ErrorKind) -> Row {
    Row { name, kind, advice: None }
}

impl Row {
    const fn advise(mut self, advice: &'static str) -> Self {
        self.advice = Some(advice);
        self
    }
}

const KEYS: &str = "the program does not take our signature: put the first of the keys into the program's settings, and compare \
                    the clocks of both machines";

/// Every kind of refusal there is.
pub const TABLE: &[Row] = &[
    row("bad_signature", ErrorKind::BadCredentials).advise(KEYS),
    row("recipient_blocked", ErrorKind::RecipientBlocked),
    row("recipient_unreachable", ErrorKind::RecipientUnreachable),
    row("not_found", ErrorKind::NotFound),
    row("content_rejected", ErrorKind::ContentRejected),
    row("too_large", ErrorKind::TooLarge),
    row("forbidden", ErrorKind::Forbidden),
    row("window_closed", ErrorKind::WindowClosed),
    row("unsupported", ErrorKind::Unsupported)
        .advise("take out of the capabilities what the program cannot do"),
    row("rate_limited", ErrorKind::RateLimited),
    row("unavailable", ErrorKind::Unavailable),
];

/// Sorts a refusal. `said` is its text, redacted already; `retry_after` is the header's, when there was one.
pub fn classify(operation: &'static str, reason: &Reason<'_>, said: &str, retry_after: Option<u64>) -> Error {
    let found = TABLE.iter().find(|row| row.name == &*reason.kind);
    // A kind of a later version, or a slip: what was refused is the message in any case.
    let kind = found.map_or(ErrorKind::ContentRejected, |row| row.kind);
    let mut error = Error::new(kind, operation);
    let code = name(&reason.kind);
    if !code.is_empty() {
        error = error.with_code(code);
    }
    if !said.is_empty() {
        error = error.with_text(said);
    }
    if let Some(advice) = found.and_then(|row| row.advice) {
        error = error.with_advice(advice);
    }
    let pauses = matches!(kind, ErrorKind::RateLimited | ErrorKind::Unavailable);
    match reason.retry_after.or(retry_after) {
        Some(seconds) if pauses => {
            let scope = match reason.scope {
                Some(Scope::Chat) => RateScope::Chat,
                Some(Scope::Account) | None => RateScope::Account,
            };
            error.with_retry(Retry::After { wait: Duration::from_secs(seconds), scope })
        }
        _ => error,
    }
}

/// A kind as it may be shown: short, and only of what names are made of.
fn name(kind: &str) -> String {
    kind.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect()
}

/// Sorts an answer that is not in the form of the protocol.
pub fn foreign(operation: &'static str, status: u16, retry_after: Option<u64>) -> Error {
    const NOT_OURS: &str = "the answer is not in the form of the protocol";
    let (kind, advice) = match status {
        200..=299 => (ErrorKind::Protocol, "answer 2xx with {\"id\": \"…\"} or with an empty body"),
        300..=399 => (ErrorKind::Configuration, "set endpoint to the address it redirects to"),
        401 | 403 => (ErrorKind::Forbidden, "something in front of the program refuses us: check endpoint"),
        404 | 405 | 410 => (ErrorKind::Configuration, "the program takes no POST there: check endpoint"),
        413 => (ErrorKind::TooLarge, "raise the limit of the program's server, or lower inline_bytes"),
        429 => (ErrorKind::RateLimited, "the program's server is asked too often: set per_second"),
        500.. => (ErrorKind::Unavailable, "look at the program's log, and at what stands in front of it"),
        _ => (ErrorKind::Protocol, "refuse with {\"error\": {\"kind\": \"…\"}}"),
    };
    let error = Error::new(kind, operation).with_code(status).with_text(NOT_OURS).with_advice(advice);
    match retry_after {
        Some(seconds) if matches!(kind, ErrorKind::RateLimited | ErrorKind::Unavailable) => {
            let wait = Duration::from_secs(seconds);
            error.with_retry(Retry::After { wait, scope: RateScope::Account })
        }
        _ => error,
    }
}

/// Whether a status of an answer that is not in the form of the protocol proves that nothing was done: a server that
/// refuses the request itself has not handed it to the program. A 408 or 5xx may come after it was read, and a redirect
/// after it was carried out.
pub fn proves_not_done(status: u16) -> bool {
    (400..500).contains(&status) && status != 408
}

#[cfg(test)]
mod tests {
    use omni_core::error::Fault;

    use super::*;
    use crate::wire::Refusal;

    fn sorted(json: &str, retry_after: Option<u64>) -> Error {
        let refusal: Refusal<'_> = serde_json::from_str(json).unwrap();
        let said = refusal.error.text.as_deref().unwrap_or_default();
        classify("message", &refusal.error, said, retry_after)
    }

    /// One for each row, and some more.
    const SEEN: &[(&str, ErrorKind)] = &[
        (r#"{"error":{"kind":"bad_signature"}}"#, ErrorKind::BadCredentials),
        (
            r#"{"error":{"kind":"recipient_blocked","text":"Иван заблокировал вас"}}"#,
            ErrorKind::RecipientBlocked,
        ),
        (r#"{"error":{"kind":"recipient_unreachable"}}"#, ErrorKind::RecipientUnreachable),
        (r#"{"error":{"kind":"not_found","text":"no chat 7"}}"#, ErrorKind::NotFound),
        (r#"{"error":{"kind":"content_rejected"}}"#, ErrorKind::ContentRejected),
        (r#"{"error":{"kind":"too_large"}}"#, ErrorKind::TooLarge),
        (r#"{"error":{"kind":"forbidden"}}"#, ErrorKind::Forbidden),
        (r#"{"error":{"kind":"window_closed"}}"#, ErrorKind::WindowClosed),
        (r#"{"error":{"kind":"unsupported"}}"#, ErrorKind::Unsupported),
        (r#"{"error":{"kind":"rate_limited","retry_after":7,"scope":"chat"}}"#, ErrorKind::RateLimited),
        (r#"{"error":{"kind":"unavailable","scope":"галактика"}}"#, ErrorKind::Unavailable),
        (r#"{"error":{"kind":"что-то новое 😀","later":[1]}}"#, ErrorKind::ContentRejected),
    ];

    #[test]
    fn every_refusal_is_sorted_by_its_kind_alone() {
        for (json, kind) in SEEN {
            assert_eq!(sorted(json, None).kind(), *kind, "{json}");
        }
    }

    #[test]
    fn every_row_is_reached_and_no_name_stands_twice() {
        for row in TABLE {
            let named = format!("\"{}\"", row.name);
            assert!(SEEN.iter().any(|(json, kind)| json.contains(&named) && *kind == row.kind), "{row:?}");
            assert_eq!(TABLE.iter().filter(|r| r.name == row.name).count(), 1, "{row:?}");
        }
    }

    #[test]
    fn a_pause_is_for_what_it_names() {
        let seven = Duration::from_secs(7);
        let chat = Retry::After { wait: seven, scope: RateScope::Chat };
        let account = Retry::After { wait: seven, scope: RateScope::Account };
        assert_eq!(
            sorted(r#"{"error":{"kind":"rate_limited","retry_after":7,"scope":"chat"}}"#, Some(9)).retry(),
            chat
        );
        assert_eq!(sorted(r#"{"error":{"kind":"rate_limited"}}"#, Some(7)).retry(), account);
        assert_eq!(sorted(r#"{"error":{"kind":"unavailable"}}"#, Some(7)).retry(), account);
        assert_eq!(sorted(r#"{"error":{"kind":"rate_limited"}}"#, None).retry(), Retry::Later);
        // A pause does not make good what will never do.
        assert_eq!(sorted(r#"{"error":{"kind":"too_large"}}"#, Some(7)).retry(), Retry::Never);
    }

    #[test]
    fn a_refused_signature_says_what_to_do() {
        let error = sorted(r#"{"error":{"kind":"bad_signature"}}"#, None);
        assert_eq!((error.fault(), error.retry()), (Fault::Configuration, Retry::Never));
        let advice = error.advice().unwrap();
        assert!(advice.contains("keys") && advice.contains("clocks"), "{advice}");
    }

    #[test]
    fn only_who_refuses_the_request_itself_proves_that_nothing_was_done() {
        for (status, kind, proves) in [
            (200, ErrorKind::Protocol, false),
            (302, ErrorKind::Configuration, false),
            (400, ErrorKind::Protocol, true),
            (401, ErrorKind::Forbidden, true),
            (404, ErrorKind::Configuration, true),
            (408, ErrorKind::Protocol, false),
            (413, ErrorKind::TooLarge, true),
            (429, ErrorKind::RateLimited, true),
            (500, ErrorKind::Unavailable, false),
            (502, ErrorKind::Unavailable, false),
            (504, ErrorKind::Unavailable, false),
        ] {
            assert_eq!(
                (foreign("x", status, None).kind(), proves_not_done(status)),
                (kind, proves),
                "{status}"
            );
        }
        let paused = Retry::After { wait: Duration::from_secs(14), scope: RateScope::Account };
        assert_eq!(foreign("x", 429, Some(14)).retry(), paused);
        assert_eq!(foreign("x", 503, Some(14)).retry(), paused);
        assert_eq!(foreign("x", 404, Some(14)).retry(), Retry::Never);
    }
}
