//! What servers said about a mail: whether it is spam, whether it comes from whom it says.

use crate::mail::Mail;

/// Above this confidence of spam Microsoft calls a mail spam: 5 and 6 spam, 9 surely (learn.microsoft.com, "Spam
/// confidence level").
const SCL: i32 = 5;

/// What Yandex writes into `X-Yandex-Spam` of spam, as it is met in the field; 1 is mail.
const YANDEX: i32 = 4;

/// Whether the provider holds a mail for spam. It is passed on and never acted on but for one thing: such a mail gets no
/// automatic answer.
///
/// Only plain verdicts count, not scores: what a score means only its server knows.
///
/// ```
/// use omni_email::mail::{Headers, Mail};
/// use omni_email::parse::sender::spam;
/// let mail = Mail { headers: Headers::new([("X-Spam-Flag", "YES")]), ..Mail::default() };
/// assert!(spam(&mail));
/// ```
pub fn spam(mail: &Mail) -> bool {
    let headers = &mail.headers;
    let first =
        |name: &str| headers.get(name).map(|value| value.trim().to_ascii_lowercase()).unwrap_or_default();
    let says_yes = |name: &str| first(name).starts_with("yes") || first(name) == "true";
    let scl = |value: &str| value.trim().parse::<i32>().is_ok_and(|level| level >= SCL);
    let forefront = || {
        first("x-forefront-antispam-report")
            .split(';')
            .any(|field| field.trim().strip_prefix("scl:").is_some_and(scl))
    };
    ["x-spam-flag", "x-spam-status", "x-spam", "x-gm-spam"].iter().any(|name| says_yes(name))
        || first("x-gm-spam") == "1"
        || scl(&first("x-ms-exchange-organization-scl"))
        || forefront()
        || first("x-yandex-spam").parse::<i32>().is_ok_and(|level| level >= YANDEX)
        || first("x-rspamd-action").starts_with("reject")
        || first("x-spamd-result").starts_with("default: true")
        || first("x-mras").starts_with("spam")
}

/// Whether a mail comes from whom it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// The provider checked it: the domain of the author stands behind it.
    Yes,
    /// The provider checked it: it does not.
    No,
    /// Nobody who is believed said anything.
    Unknown,
}

/// What the provider found when it checked the author's domain (DMARC): of the topmost `Authentication-Results` (RFC
/// 8601), if the server that wrote it is one of `servers` or below one (`google.com`). Those below the topmost may be the
/// sender's own words. Two authors are never verified.
///
/// ```
/// use omni_email::mail::{Headers, Mail, Mailbox};
/// use omni_email::parse::sender::{Verified, verified};
/// let mail = Mail {
///     headers: Headers::new([("Authentication-Results", "mx.google.com; dkim=pass; dmarc=pass (p=NONE)")]),
///     from: vec![Mailbox { name: None, address: "a@b.example".into() }],
///     ..Mail::default()
/// };
/// assert_eq!(verified(&mail, &["google.com"]), Verified::Yes);
/// assert_eq!(verified(&mail, &["yandex.ru"]), Verified::Unknown);
/// ```
pub fn verified(mail: &Mail, servers: &[&str]) -> Verified {
    let Some(value) = mail.headers.get("authentication-results") else { return Verified::Unknown };
    let mut fields = value.split(';');
    let server = fields.next().and_then(|first| first.split_whitespace().next()).unwrap_or_default();
    if !servers.iter().any(|one| is_within(server, one)) {
        return Verified::Unknown;
    }
    if mail.from.len() != 1 || mail.headers.all("from").count() > 1 {
        return Verified::No;
    }
    let dmarc = fields.find_map(|field| {
        let (method, result) = field.trim().split_once('=')?;
        method.trim().eq_ignore_ascii_case("dmarc").then_some(result)
    });
    let result = dmarc.and_then(|result| result.split_whitespace().next()).unwrap_or_default();
    match result.to_ascii_lowercase().as_str() {
        "pass" => Verified::Yes,
        "fail" => Verified::No,
        _ => Verified::Unknown,
    }
}

/// Whether a server is the domain or below it.
fn is_within(server: &str, domain: &str) -> bool {
    let (server, domain) = (server.to_ascii_lowercase(), domain.to_ascii_lowercase());
    server == domain || server.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
}
