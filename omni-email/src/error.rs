//! What the answers of mail servers mean: one table for SMTP, one for IMAP.
//!
//! The enhanced code decides where there is one that agrees with the number, else the number; words only where
//! providers say by nothing else what is wrong. The first row that fits counts, so special ones stand first.
//!
//! Sources: RFC 5321 section 4.2, RFC 3463 and RFC 2034 (enhanced codes), RFC 4954 (logins), RFC 5530 (IMAP). Codes of
//! single providers (5.7.139, 5.4.5, 5.7.60 and words) are as they are met in the field.

use std::time::Duration;

use omni_core::error::{Error, ErrorKind, RateScope, Retry};

/// Where in the talk an SMTP server said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Greeting, EHLO, STARTTLS.
    Hello,
    /// AUTH.
    Login,
    /// MAIL.
    Sender,
    /// RCPT.
    Recipient,
    /// DATA, and what is said after the final dot.
    Data,
}

impl Stage {
    /// What was being done, for errors.
    pub fn operation(self) -> &'static str {
        match self {
            Stage::Hello => "smtp connect",
            Stage::Login => "smtp login",
            Stage::Sender => "smtp mail",
            Stage::Recipient => "smtp rcpt",
            Stage::Data => "smtp data",
        }
    }
}

/// When to try again what an answer put off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// As the kind of error usually is.
    Usual,
    /// After a pause that grows with the age of the message ([`pause`]); nothing else waits but its address.
    Aged,
    /// After this many seconds, the whole account.
    Account(u64),
}

/// One meaning of an answer of an SMTP server.
#[derive(Clone, Copy, Debug)]
pub struct SmtpRow {
    /// Where it counts; anywhere when empty.
    pub stages: &'static [Stage],
    /// The numbers it is for, both ends included.
    pub numbers: (u16, u16),
    /// The enhanced code; all that begin so when it ends in a dot, any or none when empty.
    pub status: &'static str,
    /// Words that must be in the text, in lower case; none when empty.
    pub words: &'static str,
    /// What it means.
    pub kind: ErrorKind,
    /// When to try again.
    pub again: Again,
    /// What a person can do, where there is something.
    pub advice: Option<&'static str>,
}

const fn row(
    stages: &'static [Stage],
    numbers: (u16, u16),
    status: &'static str,
    kind: ErrorKind,
) -> SmtpRow {
    SmtpRow { stages, numbers, status, words: "", kind, again: Again::Usual, advice: None }
}

impl SmtpRow {
    const fn says(mut self, words: &'static str) -> Self {
        self.words = words;
        self
    }

    const fn again(mut self, again: Again) -> Self {
        self.again = again;
        self
    }

    const fn advise(mut self, advice: &'static str) -> Self {
        self.advice = Some(advice);
        self
    }

    fn fits(&self, stage: Stage, number: u16, status: Option<&str>, text: &str) -> bool {
        let (from, to) = self.numbers;
        let fits_status = match (self.status, status) {
            ("", _) => true,
            (wanted, Some(told)) if wanted.ends_with('.') => told.starts_with(wanted),
            (wanted, Some(told)) => told == wanted,
            (_, None) => false,
        };
        (self.stages.is_empty() || self.stages.contains(&stage))
            && (from..=to).contains(&number)
            && fits_status
            && text.contains(self.words)
    }
}

const ANY: &[Stage] = &[];
const HELLO: &[Stage] = &[Stage::Hello];
const LOGIN: &[Stage] = &[Stage::Login];
const SENDER: &[Stage] = &[Stage::Sender];
const RECIPIENT: &[Stage] = &[Stage::Recipient];
const ALL_4: (u16, u16) = (400, 499);
const ALL_5: (u16, u16) = (500, 599);

/// Gmail frees a day's quota bit by bit within 24 hours: asking once an hour costs nothing.
const HOUR: u64 = 3600;
/// Too many connections or mails: the rate of the account rests for so long.
const THROTTLED: u64 = 300;

const APP_PASSWORD: &str =
    "make an app password in the provider's web settings and use it in place of the password";
const LOG_IN_THERE: &str =
    "log in once at the provider's web page, confirm that it was you, then use an app password";
const SWITCHED_OFF: &str = "sending by programs is switched off for this mailbox: switch SMTP (mail programs) on in \
                            the provider's web settings";
const MICROSOFT: &str = "passwords are switched off at this provider: log in with OAuth2, or ask the administrator to \
                         allow authenticated SMTP for the mailbox";
const CHECK_LOGIN: &str = "check user name and password; many providers want an app password made in their web \
                           settings";
const NO_LOGIN: &str = "the server takes no login there: check host, port and tls of smtp";
const NEEDS_TLS: &str = "set tls of smtp to implicit (465) or starttls (587)";
const NOT_OURS: &str = "the server lets this login send as its own addresses alone: check address, or allow the alias \
                        at the provider";
const REFUSES_US: &str = "the server refuses this machine or its greeting: check host, port and ehlo, or ask whoever \
                          runs it";
const FULL_QUOTA: &str = "the account has sent as much as its provider allows for now";

/// What SMTP servers say, special rows first.
pub const SMTP: &[SmtpRow] = &[
    // Logins: the message waits, a person is asked.
    row(ANY, (530, 530), "", ErrorKind::Configuration).says("starttls").advise(NEEDS_TLS),
    row(ANY, (538, 538), "", ErrorKind::Configuration).advise(NEEDS_TLS),
    row(ANY, (535, 535), "5.7.139", ErrorKind::BadCredentials).advise(MICROSOFT),
    row(ANY, (534, 535), "", ErrorKind::BadCredentials)
        .says("application-specific password")
        .advise(APP_PASSWORD),
    row(ANY, (534, 535), "", ErrorKind::BadCredentials).says("application password").advise(APP_PASSWORD),
    row(ANY, (534, 534), "5.7.9", ErrorKind::BadCredentials).advise(APP_PASSWORD),
    row(ANY, (534, 534), "5.7.14", ErrorKind::BadCredentials).advise(LOG_IN_THERE),
    row(ANY, (534, 535), "", ErrorKind::BadCredentials).says("web browser").advise(LOG_IN_THERE),
    row(ANY, (535, 535), "", ErrorKind::BadCredentials).says("access rights").advise(SWITCHED_OFF),
    row(ANY, (535, 535), "", ErrorKind::BadCredentials).says("disabled").advise(SWITCHED_OFF),
    row(ANY, (534, 535), "", ErrorKind::BadCredentials).advise(CHECK_LOGIN),
    row(ANY, (530, 530), "", ErrorKind::BadCredentials).advise(CHECK_LOGIN),
    row(ANY, (525, 525), "", ErrorKind::BadCredentials).advise(SWITCHED_OFF),
    row(LOGIN, (432, 432), "4.7.12", ErrorKind::BadCredentials).advise(LOG_IN_THERE),
    row(LOGIN, (454, 454), "4.7.0", ErrorKind::Unavailable),
    row(LOGIN, (500, 504), "", ErrorKind::Configuration).advise(NO_LOGIN),
    row(LOGIN, ALL_5, "", ErrorKind::BadCredentials).advise(CHECK_LOGIN),
    // Too much at once.
    row(ANY, (432, 432), "4.3.2", ErrorKind::RateLimited).again(Again::Account(60)),
    row(ANY, (421, 421), "4.7.", ErrorKind::RateLimited).again(Again::Account(THROTTLED)),
    row(ANY, (421, 421), "", ErrorKind::RateLimited).says("too many").again(Again::Account(THROTTLED)),
    row(ANY, (454, 454), "4.7.0", ErrorKind::RateLimited).again(Again::Account(THROTTLED)),
    row(ANY, ALL_4, "4.7.", ErrorKind::RateLimited).says("too many").again(Again::Account(THROTTLED)),
    row(ANY, ALL_4, "4.7.", ErrorKind::RateLimited).says(" rate").again(Again::Account(THROTTLED)),
    // The person's quota, and then ours: what the account may send in a day.
    row(ANY, ALL_5, "5.2.2", ErrorKind::RecipientUnreachable).advise("the person's mailbox is full"),
    row(ANY, ALL_5, "5.4.5", ErrorKind::RateLimited).again(Again::Account(HOUR)).advise(FULL_QUOTA),
    row(ANY, (554, 554), "5.2.", ErrorKind::RateLimited)
        .says("quota")
        .again(Again::Account(HOUR))
        .advise(FULL_QUOTA),
    row(ANY, (550, 554), "", ErrorKind::RateLimited)
        .says("sending limit")
        .again(Again::Account(HOUR))
        .advise(FULL_QUOTA),
    // In whose name.
    row(ANY, ALL_5, "5.7.60", ErrorKind::Forbidden).advise(NOT_OURS),
    row(ANY, ALL_5, "5.2.252", ErrorKind::Forbidden).advise(NOT_OURS),
    row(ANY, ALL_5, "", ErrorKind::Forbidden).says("send as this sender").advise(NOT_OURS),
    row(ANY, ALL_5, "", ErrorKind::Forbidden).says("not owned by user").advise(NOT_OURS),
    row(ANY, ALL_5, "", ErrorKind::Forbidden).says("sender address rejected").advise(NOT_OURS),
    row(ANY, ALL_5, "", ErrorKind::Forbidden).says("relay access denied").advise(NOT_OURS),
    // Put off.
    row(ANY, (421, 421), "", ErrorKind::Unavailable),
    row(HELLO, ALL_4, "", ErrorKind::Unavailable),
    row(LOGIN, ALL_4, "", ErrorKind::Unavailable),
    row(ANY, (452, 452), "4.5.3", ErrorKind::Unavailable).again(Again::Aged),
    row(ANY, ALL_4, "", ErrorKind::Unavailable).again(Again::Aged),
    // Too large, full, unknown.
    row(ANY, ALL_5, "5.3.4", ErrorKind::TooLarge),
    row(ANY, ALL_5, "5.2.3", ErrorKind::TooLarge),
    row(ANY, ALL_5, "5.2.1", ErrorKind::RecipientUnreachable),
    row(RECIPIENT, ALL_5, "5.1.", ErrorKind::RecipientUnreachable).advise("check the address"),
    row(SENDER, ALL_5, "5.1.", ErrorKind::Forbidden).advise(NOT_OURS),
    row(ANY, ALL_5, "5.1.", ErrorKind::RecipientUnreachable).advise("check the address"),
    row(ANY, (556, 556), "", ErrorKind::RecipientUnreachable).advise("check the address"),
    // What it says, who we are.
    row(HELLO, ALL_5, "", ErrorKind::Configuration).advise(REFUSES_US),
    row(ANY, ALL_5, "5.7.", ErrorKind::ContentRejected),
    row(ANY, ALL_5, "5.6.", ErrorKind::ContentRejected),
    row(ANY, (552, 552), "", ErrorKind::TooLarge),
    row(RECIPIENT, (550, 553), "", ErrorKind::RecipientUnreachable).advise("check the address"),
    row(SENDER, (550, 553), "", ErrorKind::Configuration).advise(NOT_OURS),
    row(SENDER, (554, 554), "", ErrorKind::Configuration).advise(REFUSES_US),
    row(ANY, (500, 504), "", ErrorKind::Protocol),
    row(ANY, (555, 555), "", ErrorKind::Protocol),
    row(ANY, ALL_5, "", ErrorKind::ContentRejected),
];

/// Sorts a refusal of an SMTP server: its number, and its text, which may begin with an enhanced code. `age` is how
/// long ago the message was made: what is put off waits longer and longer.
///
/// A number that is no refusal (354 where 250 belongs) is a talk out of step:
/// [`Protocol`](omni_core::error::ErrorKind::Protocol).
pub fn smtp(stage: Stage, number: u16, text: &str, age: Duration) -> Error {
    let text = shown(text);
    let status = enhanced(number, &text);
    let lower = text.to_lowercase();
    let Some(row) = SMTP.iter().find(|row| row.fits(stage, number, status, &lower)) else {
        return Error::new(ErrorKind::Protocol, stage.operation()).with_code(number).with_text(text);
    };
    let error = Error::new(row.kind, stage.operation());
    let error = match status {
        Some(status) => error.with_code(format_args!("{number} {status}")),
        None => error.with_code(number),
    };
    let error = match row.again {
        Again::Usual => error,
        Again::Aged => {
            let wait = asked_for(&lower).unwrap_or_else(|| pause(age));
            error.with_retry(Retry::After { wait, scope: RateScope::Chat })
        }
        Again::Account(seconds) => {
            let wait = Duration::from_secs(seconds);
            error.with_retry(Retry::After { wait, scope: RateScope::Account })
        }
    };
    let error = error.with_text(text.clone());
    match row.advice {
        Some(advice) => error.with_advice(advice),
        None => error,
    }
}

/// The enhanced code at the beginning of a text, when its class agrees with the number (RFC 2034, section 4).
pub fn enhanced(number: u16, text: &str) -> Option<&str> {
    let word = text.split_whitespace().next()?;
    let mut parts = word.split('.');
    let class: u16 = parts.next()?.parse().ok()?;
    let is_number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let is_code =
        parts.next().is_some_and(is_number) && parts.next().is_some_and(is_number) && parts.next().is_none();
    (is_code && class == number / 100).then_some(word)
}

/// How long a message waits that was put off: 1, 5, 15 and 30 minutes, 1, 2, then every 4 hours. Most greylists let a
/// mail through after 5 minutes.
pub fn pause(age: Duration) -> Duration {
    let minutes = age.as_secs() / 60;
    let steps = [1, 5, 15, 30, 60, 120];
    let mut passed = 0;
    for step in steps {
        passed += step;
        if minutes < passed {
            return Duration::from_secs(step * 60);
        }
    }
    Duration::from_secs(4 * HOUR)
}

/// How long the server itself asks to wait ("Greylisted, try again in 300 seconds"), within a minute and an hour.
fn asked_for(text: &str) -> Option<Duration> {
    let seconds = text.split(" in ").skip(1).find_map(|rest| {
        let mut words = rest.split_whitespace();
        let count: u64 = words.next()?.parse().ok()?;
        let unit = match words.next()? {
            unit if unit.starts_with("sec") => 1,
            unit if unit.starts_with("min") => 60,
            _ => return None,
        };
        Some(count.saturating_mul(unit))
    })?;
    Some(Duration::from_secs(seconds.clamp(60, HOUR)))
}

/// One meaning of a refusal of an IMAP server.
#[derive(Clone, Copy, Debug)]
pub struct ImapRow {
    /// The response code; none or any when empty.
    pub code: &'static str,
    /// Words that must be in the text, in lower case; none when empty.
    pub words: &'static str,
    /// What it means.
    pub kind: ErrorKind,
    /// When to try again.
    pub again: Again,
    /// What a person can do, where there is something.
    pub advice: Option<&'static str>,
}

const fn code(code: &'static str, kind: ErrorKind) -> ImapRow {
    ImapRow { code, words: "", kind, again: Again::Usual, advice: None }
}

impl ImapRow {
    const fn says(mut self, words: &'static str) -> Self {
        self.words = words;
        self
    }

    const fn again(mut self, again: Again) -> Self {
        self.again = again;
        self
    }

    const fn advise(mut self, advice: &'static str) -> Self {
        self.advice = Some(advice);
        self
    }

    fn fits(&self, code: Option<&str>, text: &str) -> bool {
        let fits_code = self.code.is_empty() || code.is_some_and(|c| c.eq_ignore_ascii_case(self.code));
        fits_code && text.contains(self.words)
    }
}

const IMAP_OFF: &str = "reading by programs is switched off for this mailbox: switch IMAP on in the provider's web \
                        settings";
const CHECK_FOLDER: &str = "check the names in folders";

/// What IMAP servers say, special rows first.
pub const IMAP: &[ImapRow] = &[
    code("", ErrorKind::BadCredentials).says("application-specific password").advise(APP_PASSWORD),
    code("", ErrorKind::BadCredentials).says("application password").advise(APP_PASSWORD),
    code("", ErrorKind::BadCredentials).says("web browser").advise(LOG_IN_THERE),
    code("", ErrorKind::BadCredentials).says("imap is disabled").advise(IMAP_OFF),
    code("", ErrorKind::BadCredentials).says("not enabled for imap").advise(IMAP_OFF),
    code("", ErrorKind::RateLimited).says("too many simultaneous connections").again(Again::Account(60)),
    code("", ErrorKind::RateLimited).says("bandwidth limits").again(Again::Account(HOUR)),
    code("AUTHENTICATIONFAILED", ErrorKind::BadCredentials).advise(CHECK_LOGIN),
    code("AUTHORIZATIONFAILED", ErrorKind::BadCredentials).advise(CHECK_LOGIN),
    code("EXPIRED", ErrorKind::BadCredentials).advise("the password ran out: set a new one at the provider"),
    code("PRIVACYREQUIRED", ErrorKind::Configuration)
        .advise("set tls of imap to implicit (993) or starttls (143)"),
    code("CONTACTADMIN", ErrorKind::Forbidden).advise("ask whoever runs the mail server"),
    code("UNAVAILABLE", ErrorKind::Unavailable),
    code("INUSE", ErrorKind::Unavailable),
    code("SERVERBUG", ErrorKind::Unavailable),
    code("CORRUPTION", ErrorKind::Unavailable),
    code("EXPUNGEISSUED", ErrorKind::Unavailable),
    code("LIMIT", ErrorKind::RateLimited).again(Again::Account(60)),
    code("OVERQUOTA", ErrorKind::TooLarge)
        .advise("the mailbox is full: make room, or nothing comes in any more"),
    code("TOOBIG", ErrorKind::TooLarge),
    code("NONEXISTENT", ErrorKind::NotFound).advise(CHECK_FOLDER),
    code("TRYCREATE", ErrorKind::NotFound).advise(CHECK_FOLDER),
    code("NOPERM", ErrorKind::Forbidden).advise(CHECK_FOLDER),
    code("CANNOT", ErrorKind::Configuration).advise(CHECK_FOLDER),
    code("CLIENTBUG", ErrorKind::Protocol),
    code("ALERT", ErrorKind::Unavailable).advise("the provider wants a person to read this"),
    code("", ErrorKind::Unavailable),
];

/// Words by which servers without response codes refuse a login; looked at in logins alone.
const REFUSED_LOGIN: &[&str] =
    &["authentication failed", "invalid credentials", "login fail", "incorrect", "denied"];

/// Sorts a NO, BAD or BYE of an IMAP server by its response code (without brackets, as `LIMIT`) and its text.
///
/// `operation` that ends in `login` reads refusals without a code as ones of the login.
pub fn imap(operation: &'static str, code: Option<&str>, text: &str) -> Error {
    let text = shown(text);
    let lower = text.to_lowercase();
    let refuses_login = code.is_none()
        && operation.ends_with("login")
        && REFUSED_LOGIN.iter().any(|words| lower.contains(words));
    let found = match refuses_login {
        true => IMAP.iter().find(|row| {
            row.kind == ErrorKind::BadCredentials && row.fits(Some("AUTHENTICATIONFAILED"), &lower)
        }),
        false => IMAP.iter().find(|row| row.fits(code, &lower)),
    };
    let error = Error::new(found.map_or(ErrorKind::Unavailable, |row| row.kind), operation);
    let error = match (code, found.map(|row| row.again)) {
        (_, Some(Again::Account(seconds))) => {
            let wait = Duration::from_secs(seconds);
            error.with_retry(Retry::After { wait, scope: RateScope::Account })
        }
        _ => error,
    };
    let error = match code {
        Some(code) => error.with_code(shown(code)),
        None => error,
    };
    let error = error.with_text(text);
    match found.and_then(|row| row.advice) {
        Some(advice) => error.with_advice(advice),
        None => error,
    }
}

/// A server's text in one line, without signs that would change how a log or a page reads.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests;
