//! Why a mail did not arrive.
//!
//! Sources: RFC 3463 and the registry of enhanced codes; words as servers are met in the field. Codes that say little
//! (`5.0.0` of Exim, `5.7.1` of Yandex for an unknown user, `5.4.1` of Microsoft) give way to words that say more.

use std::time::Duration;

use omni_core::error::{Error, ErrorKind, Retry};

use super::{Action, Reason, Recipient};
use crate::error::{self, Stage};

/// Words of servers in lower case, and what they mean; the first that is found counts.
const WORDS: &[(Reason, &[&str])] = &[
    (
        Reason::Full,
        &[
            "mailbox full",
            "mailbox is full",
            "inbox is full",
            "over quota",
            "overquota",
            "over the quota",
            "quota exceeded",
            "exceeded quota",
            "exceeds quota",
            "exceeded storage",
            "out of storage",
            "insufficient disk",
            "insufficient system storage",
            "not enough space",
            "not enough disk",
            "mailbox for user is full",
            "переполнен",
        ],
    ),
    (
        Reason::TooLarge,
        &[
            "too large",
            "too big",
            "size limit",
            "size exceeds",
            "exceeds size",
            "exceeds maximum",
            "exceeds the maximum",
            "exceeded max",
            "слишком больш",
        ],
    ),
    (
        // What is said of senders reads much like what is said of recipients.
        Reason::Refused,
        &["sender address", "sender domain", "sender verify", "domain of sender", "envelope sender"],
    ),
    (
        Reason::UnknownAddress,
        &[
            "user unknown",
            "unknown user",
            "user is unknown",
            "no such user",
            "no such recipient",
            "no such mailbox",
            "no such address",
            "no such domain",
            "no such person",
            "no mailbox here",
            "user not found",
            "user doesn't exist",
            "recipient not found",
            "recipientnotfound",
            "mailbox not found",
            "address not found",
            "host not found",
            "domain not found",
            "name or service not known",
            "does not exist",
            "doesn't have a",
            "invalid mailbox",
            "invalid recipient",
            "unknown recipient",
            "unknown address",
            "unknown or illegal alias",
            "unrouteable address",
            "unroutable address",
            "mailbox unavailable",
            "mailbox is unavailable",
            "mailbox disabled",
            "mailbox is disabled",
            "mailbox is inactive",
            "account is disabled",
            "account has been disabled",
            "account inactive",
            "account is inactive",
            "recipient address rejected: access denied",
            "address does not accept mail",
            "domain does not accept mail",
            "нет такого",
            "не существует",
            "не найден",
            "ящик заблокирован",
        ],
    ),
    (
        Reason::Refused,
        &[
            "spam",
            "blocked",
            "blacklist",
            "blocklist",
            "denylist",
            "policy",
            "dmarc",
            "dkim",
            " spf",
            "reputation",
            "unsolicited",
            "virus",
            "malware",
            "content rejected",
            "not authorized",
            "access denied",
            "relay",
            "спам",
            "заблокирован",
        ],
    ),
    (
        Reason::Unreachable,
        &[
            "timed out",
            "timeout",
            "connection refused",
            "connection reset",
            "lost connection",
            "no route to host",
            "unreachable",
            "could not connect",
            "couldn't connect",
            "unable to connect",
            "time expired",
            "temporar",
            "try again",
            "greylist",
            "too long",
            "couldn't find any host",
        ],
    ),
];

/// What kind of failure it is.
pub(super) fn of(one: &Recipient) -> Reason {
    let text = one.text.as_deref().unwrap_or_default().to_lowercase();
    let by_words =
        || WORDS.iter().find(|(_, words)| words.iter().any(|w| text.contains(w))).map(|(reason, _)| *reason);
    let Some((class, subject, detail)) = one.status.as_deref().and_then(digits) else {
        return by_words().unwrap_or_else(|| by_number(one.number));
    };
    let is_empty = subject == 0 || detail == 0;
    let is_vague = is_empty || subject == 5 || matches!((subject, detail), (7, 1) | (4, 1));
    let told = by_words().filter(|reason| {
        let is_plain = matches!(reason, Reason::Full | Reason::TooLarge | Reason::UnknownAddress);
        is_empty || (is_vague && is_plain)
    });
    told.unwrap_or_else(|| by_code(class, subject, detail, one.number))
}

fn by_code(class: u16, subject: u16, detail: u16, number: Option<u16>) -> Reason {
    match (class, subject, detail) {
        (_, 2, 2) => Reason::Full,
        (_, 2, 3) | (_, 3, 4) => Reason::TooLarge,
        (_, 4, 5) => Reason::TooMuch,
        (_, 7, _) | (_, 6, _) | (_, 1, 7 | 8) => Reason::Refused,
        (4, _, _) => Reason::Unreachable,
        // 5.4.4: the domain has no server (RFC 3463, 3.5). 5.2.1: the mailbox was switched off.
        (_, 1, _) | (_, 2, 1) | (_, 4, 4) => Reason::UnknownAddress,
        (_, 3 | 4, _) => Reason::Unreachable,
        _ => by_number(number),
    }
}

fn by_number(number: Option<u16>) -> Reason {
    match number {
        Some(552) => Reason::Full,
        Some(556) => Reason::UnknownAddress,
        Some(400..=499) => Reason::Unreachable,
        _ => Reason::Other,
    }
}

/// The numbers of an enhanced code.
pub(super) fn digits(status: &str) -> Option<(u16, u16, u16)> {
    let mut parts = status.split('.').map(|part| {
        let is_number = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<u16>().ok().filter(|_| is_number)
    });
    let code = (parts.next()??, parts.next()??, parts.next()??);
    (parts.next().is_none() && matches!(code.0, 2 | 4 | 5)).then_some(code)
}

/// The refusal that it would have been, had our own server said so.
pub(super) fn error(one: &Recipient) -> Option<Error> {
    let reason = one.reason()?;
    let number = one.number.filter(|number| (500..=599).contains(number)).unwrap_or(550);
    let status = one.status.as_deref().filter(|status| status.starts_with('5'));
    let refusal = |status: &str| error::smtp(Stage::Recipient, number, status, Duration::ZERO);
    let like = match reason {
        Reason::UnknownAddress => refusal("5.1.1"),
        Reason::Full => refusal("5.2.2"),
        Reason::TooLarge => refusal("5.2.3"),
        Reason::TooMuch => refusal("5.4.5"),
        Reason::Refused => refusal(status.filter(|status| status.starts_with("5.7.")).unwrap_or("5.7.1")),
        Reason::Unreachable => Error::new(ErrorKind::RecipientUnreachable, OPERATION)
            .with_advice("the recipient's server was not reached: write again later, or in another way"),
        Reason::Other if one.number.is_some() => refusal(""),
        Reason::Other => Error::new(ErrorKind::RecipientUnreachable, OPERATION),
    };
    let retry = if one.action == Action::Delayed { Retry::Later } else { Retry::Never };
    let error = Error::new(like.kind(), OPERATION).with_retry(retry);
    let error = match (one.number, one.status.as_deref()) {
        (Some(number), Some(status)) => error.with_code(format_args!("{number} {status}")),
        (Some(number), None) => error.with_code(number),
        (None, Some(status)) => error.with_code(status),
        (None, None) => error,
    };
    let error = match one.text.as_deref() {
        Some(text) => error.with_text(text),
        None => error,
    };
    Some(match like.advice() {
        Some(advice) => error.with_advice(advice),
        None => error,
    })
}

/// What failed.
const OPERATION: &str = "delivery";
