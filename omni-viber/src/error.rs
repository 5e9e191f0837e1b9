//! What Viber's statuses mean: one table.
//!
//! Every answer comes with HTTP status 200 and a number in its body, which is what counts. The texts beside
//! it vary (`notSubscribed`, `Not subscribed`) and are kept for people only.
//!
//! Sources: <https://github.com/Viber/creators-hub/blob/main/docs/bots-api/errors.md> and
//! <https://developers.viber.com/docs/api/rest-bot-api/#error-codes> (read 2026-11).

use std::time::Duration;

use omni_core::Error;
use omni_core::error::{ErrorKind, RateScope, Retry};

/// How long one person is left alone after 100 messages without an answer. Viber does not say when it may go
/// on: <https://developers.viber.com/docs/faq/> (read 2026-11).
pub const UNANSWERED_PAUSE: Duration = Duration::from_secs(3600);

/// One status of Viber.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The number.
    pub status: i64,
    /// Viber's name of it.
    pub name: &'static str,
    /// What it means.
    pub kind: ErrorKind,
    /// What a person can do, where there is something.
    pub advice: Option<&'static str>,
}

const fn row(status: i64, name: &'static str, kind: ErrorKind) -> Row {
    Row { status, name, kind, advice: None }
}

impl Row {
    const fn advise(mut self, advice: &'static str) -> Self {
        self.advice = Some(advice);
        self
    }
}

const NEW_TOKEN: &str = "the token is wrong or was replaced: copy it anew from Viber, More, Settings, Bots, \
                         Edit info, and change the setting";
const ASK_VIBER: &str = "the bot was shut by Viber: write to its support";
const ADDRESS: &str = "the address must be https with a certificate that everybody trusts, and answer 200 while \
                       it is being registered: the hub has to run at that moment";

/// Every status we know but 0, which is good.
pub const TABLE: &[Row] = &[
    row(1, "invalidUrl", ErrorKind::Configuration).advise(ADDRESS),
    row(2, "invalidAuthToken", ErrorKind::BadCredentials).advise(NEW_TOKEN),
    row(3, "badData", ErrorKind::ContentRejected),
    row(4, "missingData", ErrorKind::ContentRejected),
    row(5, "receiverNotRegistered", ErrorKind::RecipientUnreachable),
    row(6, "receiverNotSubscribed", ErrorKind::RecipientBlocked)
        .advise("the person has to write or subscribe first"),
    row(7, "publicAccountBlocked", ErrorKind::Forbidden).advise(ASK_VIBER),
    row(8, "publicAccountNotFound", ErrorKind::BadCredentials).advise(NEW_TOKEN),
    row(9, "publicAccountSuspended", ErrorKind::Forbidden).advise(ASK_VIBER),
    row(10, "webhookNotSet", ErrorKind::Configuration)
        .advise("no webhook is registered, and Viber sends nothing without one: connect the channel"),
    row(11, "receiverNoSuitableDevice", ErrorKind::RecipientUnreachable)
        .advise("the person's app is too old for bots"),
    row(12, "tooManyRequests", ErrorKind::RateLimited),
    row(13, "apiVersionNotSupported", ErrorKind::ContentRejected)
        .advise("the person's app is too old for this: send it without cards and keys that ask for a phone or place"),
    row(14, "incompatibleWithVersion", ErrorKind::ContentRejected),
    row(15, "publicAccountNotAuthorized", ErrorKind::Forbidden)
        .advise("Viber has not authorised the bot for this: write to its support"),
    row(16, "inchatReplyMessageNotAllowed", ErrorKind::Unsupported),
    row(17, "publicAccountIsNotInline", ErrorKind::Unsupported),
    row(18, "noPublicChat", ErrorKind::Unsupported),
    row(19, "cannotSendBroadcast", ErrorKind::Unavailable),
    row(20, "broadcastNotAllowed", ErrorKind::Forbidden).advise("ask Viber's support to allow broadcasts"),
    row(21, "unsupportedCountry", ErrorKind::RecipientUnreachable),
    row(22, "paymentUnsupported", ErrorKind::Unsupported),
    row(23, "freeMessagesExceeded", ErrorKind::WindowClosed).advise(
        "the month's free messages outside sessions are spent: wait for the person to write, or for the next month",
    ),
    row(24, "noBalance", ErrorKind::Forbidden).advise("the bot's balance is empty: top it up"),
];

/// Sorts an error answer. `said` is redacted already. A status that is not in the table is a general error,
/// which may pass.
pub fn classify(operation: &'static str, status: i64, said: &str) -> Error {
    let found = TABLE.iter().find(|row| row.status == status);
    let kind = found.map_or(ErrorKind::Unavailable, |row| row.kind);
    let mut error = Error::new(kind, operation).with_code(status);
    error = match kind {
        // What a person has to be told is the same whatever Viber calls it.
        ErrorKind::BadCredentials => error.with_text("Bot not found").with("answer", said),
        _ => error.with_text(said),
    };
    // Viber counts what one person got; for other calls it does not say what overflowed.
    if kind == ErrorKind::RateLimited && operation == "send_message" {
        error = error.with_retry(Retry::After { wait: UNANSWERED_PAUSE, scope: RateScope::Chat });
    }
    match found.and_then(|row| row.advice) {
        Some(advice) => error.with_advice(advice),
        None => error,
    }
}

/// Sorts an answer that is not Viber's: a proxy's page, or half of an answer.
pub fn foreign(operation: &'static str, http_status: u16, retry_after: Option<u64>) -> Error {
    let kind = match http_status {
        413 => ErrorKind::TooLarge,
        429 => ErrorKind::RateLimited,
        500.. => ErrorKind::Unavailable,
        _ => ErrorKind::Protocol,
    };
    let error = Error::new(kind, operation)
        .with_code(http_status)
        .with_text("the answer is not in the form of the Bot API")
        .with_advice("check base_url, and what stands between here and Viber");
    match retry_after {
        Some(seconds) if kind == ErrorKind::RateLimited => {
            let wait = Duration::from_secs(seconds);
            error.with_retry(Retry::After { wait, scope: RateScope::Account })
        }
        _ => error,
    }
}

/// Whether an HTTP status of an answer that is not Viber's proves that nothing was done: whatever stands
/// between refused the call itself. A 5xx may come after Viber has read everything.
pub fn proves_not_done(http_status: u16) -> bool {
    (400..500).contains(&http_status) && http_status != 408
}

#[cfg(test)]
mod tests {
    use omni_core::error::Fault;

    use super::*;

    fn sorted(status: i64, said: &str) -> Error {
        classify("send_message", status, said)
    }

    /// Real answers, one for each row and some more.
    const SEEN: &[(i64, &str, ErrorKind)] = &[
        (1, "invalidUrl", ErrorKind::Configuration),
        (2, "invalidAuthToken", ErrorKind::BadCredentials),
        (2, "missing_auth_token", ErrorKind::BadCredentials),
        (3, "badData", ErrorKind::ContentRejected),
        (4, "missingData", ErrorKind::ContentRejected),
        (5, "receiverNotRegistered", ErrorKind::RecipientUnreachable),
        (6, "notSubscribed", ErrorKind::RecipientBlocked),
        (6, "Not subscribed", ErrorKind::RecipientBlocked),
        (7, "publicAccountBlocked", ErrorKind::Forbidden),
        (8, "publicAccountNotFound", ErrorKind::BadCredentials),
        (9, "publicAccountSuspended", ErrorKind::Forbidden),
        (10, "webhookNotSet", ErrorKind::Configuration),
        (11, "receiverNoSuitableDevice", ErrorKind::RecipientUnreachable),
        (12, "tooManyRequests", ErrorKind::RateLimited),
        (13, "apiVersionNotSupported", ErrorKind::ContentRejected),
        (14, "incompatibleWithVersion", ErrorKind::ContentRejected),
        (15, "publicAccountNotAuthorized", ErrorKind::Forbidden),
        (16, "inchatReplyMessageNotAllowed", ErrorKind::Unsupported),
        (17, "publicAccountIsNotInline", ErrorKind::Unsupported),
        (18, "noPublicChat", ErrorKind::Unsupported),
        (19, "cannotSendBroadcast", ErrorKind::Unavailable),
        (20, "broadcastNotAllowed", ErrorKind::Forbidden),
        (21, "unsupportedCountry", ErrorKind::RecipientUnreachable),
        (22, "paymentUnsupported", ErrorKind::Unsupported),
        (23, "freeMessagesExceeded", ErrorKind::WindowClosed),
        (24, "noBalance", ErrorKind::Forbidden),
        (25, "что-то новое", ErrorKind::Unavailable),
        (-1, "", ErrorKind::Unavailable),
    ];

    #[test]
    fn every_known_status_is_sorted_by_its_number_alone() {
        for (status, said, kind) in SEEN {
            assert_eq!(sorted(*status, said).kind(), *kind, "{status} {said}");
            assert_eq!(sorted(*status, "other words").kind(), *kind, "{status}");
        }
    }

    #[test]
    fn every_row_is_reached_and_no_number_stands_twice() {
        for row in TABLE {
            assert!(SEEN.iter().any(|(status, ..)| *status == row.status), "{row:?}");
            assert_eq!(TABLE.iter().filter(|r| r.status == row.status).count(), 1, "{row:?}");
        }
    }

    #[test]
    fn too_many_messages_leave_one_person_alone_for_an_hour() {
        let paused = Retry::After { wait: Duration::from_secs(3600), scope: RateScope::Chat };
        assert_eq!(sorted(12, "tooManyRequests").retry(), paused);
        assert_eq!(classify("get_online", 12, "tooManyRequests").retry(), Retry::Later);
    }

    #[test]
    fn a_wrong_token_says_what_to_do() {
        for status in [2, 8] {
            let error = sorted(status, "invalidAuthToken");
            assert_eq!(error.text(), Some("Bot not found"));
            assert_eq!(error.fault(), Fault::Configuration);
            assert_eq!(error.retry(), Retry::Never);
            assert!(error.advice().unwrap().contains("Edit info"));
        }
        assert!(sorted(10, "webhookNotSet").advice().unwrap().contains("connect the channel"));
    }

    #[test]
    fn only_what_refused_the_call_itself_proves_that_nothing_was_done() {
        for (status, kind, proves) in [
            (413, ErrorKind::TooLarge, true),
            (429, ErrorKind::RateLimited, true),
            (403, ErrorKind::Protocol, true),
            (408, ErrorKind::Protocol, false),
            (500, ErrorKind::Unavailable, false),
            (502, ErrorKind::Unavailable, false),
            (504, ErrorKind::Unavailable, false),
            (302, ErrorKind::Protocol, false),
            (200, ErrorKind::Protocol, false),
        ] {
            assert_eq!(
                (foreign("x", status, None).kind(), proves_not_done(status)),
                (kind, proves),
                "{status}"
            );
        }
        let wait = Duration::from_secs(14);
        let paused = foreign("x", 429, Some(14)).retry();
        assert_eq!(paused, Retry::After { wait, scope: RateScope::Account });
    }
}
