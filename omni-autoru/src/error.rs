//! What Auto.ru's errors mean: one table.
//!
//! The documentation names 200, 400 and 500 for messages and an envelope without a list of codes for rooms. What an
//! unknown ChatId or buyer is answered is not documented, so the rows marked *unverified* follow what the status
//! means in HTTP.
//!
//! Sources: <https://yandex.ru/dev/autoru/doc/ru/reference/chats/basic/chats-operator-message>,
//! <https://yandex.ru/dev/autoru/doc/ru/reference/chats/additional/post-message>,
//! <https://yandex.ru/dev/autoru/doc/ru/concepts/access> (read 2026-11).

use std::time::Duration;

use omni_core::Error;
use omni_core::error::{ErrorKind, RateScope, Retry};

/// How long to wait after a 429 that does not say.
const PAUSE: Duration = Duration::from_secs(5);

/// Which of the two interfaces answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// Messages by webhook, ChatId and all.
    Hook,
    /// Chat rooms over the REST API.
    Rest,
}

/// One error of Auto.ru.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The interface that answers it; both when absent.
    pub interface: Option<Interface>,
    /// The HTTP status.
    pub status: u16,
    /// What it means.
    pub kind: ErrorKind,
    /// What a person can do, where there is something.
    pub advice: Option<&'static str>,
}

const fn row(interface: Option<Interface>, status: u16, kind: ErrorKind) -> Row {
    Row { interface, status, kind, advice: None }
}

const fn hook(status: u16, kind: ErrorKind) -> Row {
    row(Some(Interface::Hook), status, kind)
}

const fn rest(status: u16, kind: ErrorKind) -> Row {
    row(Some(Interface::Rest), status, kind)
}

impl Row {
    const fn advise(mut self, advice: &'static str) -> Self {
        self.advice = Some(advice);
        self
    }
}

const CHAT_ID: &str = "compare chat_id with the field ChatId of the chat application in the dealer's cabinet";
const ACCESS: &str = "compare token, login and password with what the dealer's manager at Auto.ru gave out";
const ADDRESS: &str = "set base_url to the other documented address";

/// Every status we know. The first row that fits counts.
pub const TABLE: &[Row] = &[
    row(None, 400, ErrorKind::ContentRejected),
    // unverified
    hook(401, ErrorKind::BadCredentials).advise(CHAT_ID),
    // unverified
    hook(403, ErrorKind::BadCredentials).advise(CHAT_ID),
    // unverified: a wrong address looks the same
    hook(404, ErrorKind::BadCredentials).advise(CHAT_ID),
    rest(401, ErrorKind::BadCredentials).advise(ACCESS),
    rest(403, ErrorKind::BadCredentials).advise(ACCESS),
    // unverified
    rest(404, ErrorKind::NotFound),
    // unverified
    row(None, 405, ErrorKind::Configuration).advise(ADDRESS),
    // unverified
    row(None, 408, ErrorKind::Unavailable),
    // unverified
    row(None, 413, ErrorKind::TooLarge),
    // unverified
    row(None, 429, ErrorKind::RateLimited),
    row(None, 500, ErrorKind::Unavailable),
    // unverified
    row(None, 502, ErrorKind::Unavailable),
    // unverified
    row(None, 503, ErrorKind::Unavailable),
    // unverified
    row(None, 504, ErrorKind::Unavailable),
];

/// Sorts an error answer. `said` is redacted already; `retry_after` is in seconds.
///
/// A status that is not in [`TABLE`] is permanent below 500 and passing from there on; below 400 it is no answer of
/// Auto.ru at all.
pub fn classify(
    interface: Interface,
    operation: &'static str,
    status: u16,
    said: &str,
    retry_after: Option<u64>,
) -> Error {
    let fits = |row: &&Row| row.status == status && row.interface.is_none_or(|only| only == interface);
    let found = TABLE.iter().find(fits);
    let kind = match found {
        Some(row) => row.kind,
        None if status >= 500 => ErrorKind::Unavailable,
        None if status >= 400 => ErrorKind::ContentRejected,
        None => ErrorKind::Protocol,
    };
    let mut error = Error::new(kind, operation).with_code(status);
    if !said.is_empty() {
        error = error.with_text(said);
    }
    if kind == ErrorKind::RateLimited {
        let wait = retry_after.map_or(PAUSE, Duration::from_secs);
        // Which limit overflowed is not told.
        error = error.with_retry(Retry::After { wait, scope: RateScope::Account });
    }
    match found.and_then(|row| row.advice) {
        Some(advice) => error.with_advice(advice),
        None => error,
    }
}

/// Sorts a refusal that came with a good status: `status` is `ERROR` in the envelope of the REST API. Which codes
/// there are is not documented.
pub fn refused(operation: &'static str, code: &str, said: &str) -> Error {
    Error::new(ErrorKind::ContentRejected, operation).with_code(code).with_text(said)
}

/// Whether an error answer proves that nothing was sent: what is below 500, but for a server that waited in vain for
/// the request, is a decision. Above may be a gateway's, and what stands behind it may have sent.
pub fn proves_not_sent(status: u16) -> bool {
    (400..500).contains(&status) && status != 408
}

#[cfg(test)]
mod tests {
    use omni_core::error::Fault;

    use super::*;

    fn sorted(interface: Interface, status: u16) -> Error {
        classify(interface, "send", status, "сказано", None)
    }

    /// Each row of the table, and statuses that have none.
    const SEEN: &[(Interface, u16, ErrorKind)] = &[
        (Interface::Hook, 400, ErrorKind::ContentRejected),
        (Interface::Rest, 400, ErrorKind::ContentRejected),
        (Interface::Hook, 401, ErrorKind::BadCredentials),
        (Interface::Hook, 403, ErrorKind::BadCredentials),
        (Interface::Hook, 404, ErrorKind::BadCredentials),
        (Interface::Rest, 401, ErrorKind::BadCredentials),
        (Interface::Rest, 403, ErrorKind::BadCredentials),
        (Interface::Rest, 404, ErrorKind::NotFound),
        (Interface::Hook, 405, ErrorKind::Configuration),
        (Interface::Hook, 408, ErrorKind::Unavailable),
        (Interface::Hook, 413, ErrorKind::TooLarge),
        (Interface::Hook, 418, ErrorKind::ContentRejected),
        (Interface::Hook, 429, ErrorKind::RateLimited),
        (Interface::Rest, 500, ErrorKind::Unavailable),
        (Interface::Hook, 502, ErrorKind::Unavailable),
        (Interface::Hook, 503, ErrorKind::Unavailable),
        (Interface::Hook, 504, ErrorKind::Unavailable),
        (Interface::Hook, 520, ErrorKind::Unavailable),
        (Interface::Hook, 302, ErrorKind::Protocol),
    ];

    #[test]
    fn every_status_is_sorted() {
        for (interface, status, kind) in SEEN {
            assert_eq!(sorted(*interface, *status).kind(), *kind, "{interface:?} {status}");
        }
    }

    #[test]
    fn every_row_is_reached() {
        for (index, row) in TABLE.iter().enumerate() {
            let first = |interface: Interface, status: u16| {
                TABLE
                    .iter()
                    .position(|r| r.status == status && r.interface.is_none_or(|only| only == interface))
            };
            assert!(
                SEEN.iter().any(|(i, status, _)| first(*i, *status) == Some(index)),
                "nothing reaches {row:?}"
            );
        }
    }

    #[test]
    fn a_wrong_chat_id_says_where_to_look() {
        let error = sorted(Interface::Hook, 403);
        assert_eq!((error.fault(), error.retry()), (Fault::Configuration, Retry::Never));
        assert!(error.advice().unwrap().contains("cabinet"));
        assert!(sorted(Interface::Rest, 401).advice().unwrap().contains("password"));
    }

    #[test]
    fn a_flood_makes_the_whole_account_wait() {
        let wait = |retry_after| classify(Interface::Hook, "send", 429, "", retry_after).retry();
        let after = |secs| Retry::After { wait: Duration::from_secs(secs), scope: RateScope::Account };
        assert_eq!(
            (wait(Some(14)), wait(None)),
            (after(14), Retry::After { wait: PAUSE, scope: RateScope::Account })
        );
    }

    #[test]
    fn a_refusal_in_the_envelope_keeps_its_code() {
        let error = refused("post message", "ROOM_BLOCKED", "комната закрыта");
        assert_eq!((error.kind(), error.code()), (ErrorKind::ContentRejected, Some("ROOM_BLOCKED")));
    }

    #[test]
    fn only_a_decision_proves_that_nothing_was_sent() {
        let rows =
            [(400, true), (404, true), (408, false), (429, true), (500, false), (502, false), (302, false)];
        for (status, proves) in rows {
            assert_eq!(proves_not_sent(status), proves, "{status}");
        }
    }
}
