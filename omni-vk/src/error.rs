//! What VK's errors mean: one table.
//!
//! Every answer has the status 200; a refusal is a number with words. The same numbers come for one recipient within
//! a good answer (`response[].error`) and for one call within `execute`.
//!
//! Sources: <https://dev.vk.com/reference/errors> and `errors.json` of
//! <https://github.com/VKCOM/vk-api-schema> (read 2026-11). Rows marked *community* come from other clients.

use std::time::Duration;

use omni_core::Error;
use omni_core::error::{ErrorKind, RateScope, Retry};

/// One error of VK.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its number.
    pub code: i64,
    /// What VK calls it, in short.
    pub name: &'static str,
    /// What it means.
    pub kind: ErrorKind,
    /// The pause it asks for. VK tells no time, so these are ours.
    pub pause: Option<(Duration, RateScope)>,
    /// What a person can do, where there is something.
    pub advice: Option<&'static str>,
}

const fn row(code: i64, name: &'static str, kind: ErrorKind) -> Row {
    Row { code, name, kind, pause: None, advice: None }
}

impl Row {
    const fn advise(mut self, advice: &'static str) -> Self {
        self.advice = Some(advice);
        self
    }

    const fn wait(mut self, seconds: u64, scope: RateScope) -> Self {
        self.pause = Some((Duration::from_secs(seconds), scope));
        self
    }
}

const NEW_TOKEN: &str = "the token is wrong or was revoked: make a new one in the community (Manage, API usage, \
                         Access tokens) and change the setting";
const MORE_RIGHTS: &str =
    "make a token with the rights messages, photos, docs and manage: what is asked for needs one it lacks";
const WAIT: &str = "VK wants to see a person: slow down, and write to its support when it goes on";

const SECOND: u64 = 1;
const MINUTES: u64 = 600;
const HOUR: u64 = 3600;

/// Every error we know.
pub const TABLE: &[Row] = &[
    row(1, "unknown error", ErrorKind::Unavailable),
    row(3, "unknown method", ErrorKind::Unsupported),
    row(5, "user authorization failed", ErrorKind::BadCredentials).advise(NEW_TOKEN),
    row(6, "too many requests per second", ErrorKind::RateLimited).wait(SECOND, RateScope::Account),
    row(7, "no permission", ErrorKind::Forbidden).advise(MORE_RIGHTS),
    row(8, "invalid request", ErrorKind::Configuration).advise("check api_version"),
    row(9, "flood control", ErrorKind::RateLimited).wait(MINUTES, RateScope::Chat),
    row(10, "internal server error", ErrorKind::Unavailable),
    row(14, "captcha needed", ErrorKind::RateLimited).wait(HOUR, RateScope::Account).advise(WAIT),
    row(15, "access denied", ErrorKind::Forbidden).advise(MORE_RIGHTS),
    row(17, "validation required", ErrorKind::BadCredentials).advise(
        "VK wants the owner of the token to confirm it: open VK as that person, then make a new token",
    ),
    row(18, "user deleted or banned", ErrorKind::RecipientUnreachable),
    row(20, "not for this kind of app", ErrorKind::Forbidden),
    row(21, "only for other kinds of apps", ErrorKind::Forbidden),
    row(23, "method disabled", ErrorKind::Unsupported),
    row(27, "group authorization failed", ErrorKind::BadCredentials).advise(NEW_TOKEN),
    row(28, "app authorization failed", ErrorKind::BadCredentials).advise(NEW_TOKEN),
    row(29, "rate limit of the method", ErrorKind::RateLimited).wait(HOUR, RateScope::Method),
    row(30, "private profile", ErrorKind::RecipientUnreachable),
    row(36, "timed out inside", ErrorKind::Unavailable),
    row(37, "user banned", ErrorKind::BadCredentials)
        .advise("whoever made the token is banned: another administrator has to make a new one"),
    row(43, "section unavailable", ErrorKind::Unavailable),
    row(100, "bad or missing parameter", ErrorKind::ContentRejected),
    row(103, "out of limits", ErrorKind::ContentRejected),
    row(104, "not found", ErrorKind::NotFound),
    row(105, "could not save the file", ErrorKind::ContentRejected),
    row(113, "bad user id", ErrorKind::RecipientUnreachable),
    row(118, "bad upload server", ErrorKind::ContentRejected),
    row(121, "bad hash of the upload", ErrorKind::ContentRejected),
    row(122, "bad file", ErrorKind::ContentRejected),
    row(125, "bad group id", ErrorKind::Configuration)
        .advise("set group_id to the number of the community whose token it is"),
    row(129, "bad picture", ErrorKind::ContentRejected).advise("send the picture as a file"),
    row(212, "no access to comments", ErrorKind::Forbidden),
    row(213, "no access to commenting", ErrorKind::Forbidden),
    row(222, "links are not allowed", ErrorKind::ContentRejected),
    row(223, "too many replies", ErrorKind::RateLimited),
    row(900, "blacklisted user", ErrorKind::RecipientBlocked),
    row(901, "the user has not allowed messages", ErrorKind::RecipientBlocked)
        .advise("the person has to write first, or press the button that allows messages"),
    row(902, "privacy settings", ErrorKind::RecipientBlocked),
    row(909, "too old to edit", ErrorKind::Forbidden),
    row(910, "message too big", ErrorKind::TooLarge),
    row(911, "bad keyboard", ErrorKind::ContentRejected),
    row(912, "bot features are off", ErrorKind::Configuration)
        .advise("switch on bot capabilities in the community: Manage, Messages, Bot settings"),
    row(913, "too many forwarded messages", ErrorKind::ContentRejected),
    row(914, "text too long", ErrorKind::TooLarge),
    row(917, "no access to the chat", ErrorKind::RecipientUnreachable),
    row(920, "this kind cannot be edited", ErrorKind::ContentRejected),
    row(921, "cannot be forwarded", ErrorKind::ContentRejected),
    row(922, "left the chat", ErrorKind::RecipientUnreachable),
    row(924, "cannot delete for all", ErrorKind::Forbidden),
    row(925, "not an administrator of the chat", ErrorKind::RecipientUnreachable),
    row(927, "the chat does not exist", ErrorKind::RecipientUnreachable),
    row(932, "the community cannot interact with this peer", ErrorKind::RecipientUnreachable),
    row(936, "contact not found", ErrorKind::RecipientUnreachable),
    row(940, "too many posts in the message", ErrorKind::ContentRejected),
    row(943, "this intent is not allowed", ErrorKind::Forbidden),
    row(944, "the limit of the intent is spent", ErrorKind::RateLimited),
    row(945, "the chat is disabled", ErrorKind::RecipientUnreachable),
    row(946, "the chat is not supported", ErrorKind::RecipientUnreachable),
    row(950, "reply timed out", ErrorKind::WindowClosed),
    row(962, "only for donors", ErrorKind::RecipientBlocked),
    row(969, "this kind cannot be edited or forwarded", ErrorKind::ContentRejected),
    row(985, "only notifications are allowed", ErrorKind::RecipientBlocked),
    row(987, "a message request is needed", ErrorKind::RecipientBlocked),
    row(988, "the message request is pending", ErrorKind::RecipientBlocked),
    row(1012, "writing is disabled in the chat", ErrorKind::RecipientUnreachable),
    row(1105, "too many attempts to authorize", ErrorKind::RateLimited),
    row(1117, "the access token expired", ErrorKind::BadCredentials).advise(NEW_TOKEN),
    row(2000, "too many callback servers", ErrorKind::Configuration)
        .advise("a community has ten at most: delete one in Manage, API usage, Callback API"),
];

/// Sorts a refusal. `said` is redacted already.
///
/// Who is slowed down by 6 is the token, so the whole account waits; 9 counts what goes to one person.
pub fn classify(operation: &'static str, code: i64, said: &str) -> Error {
    let found = TABLE.iter().find(|row| row.code == code);
    let kind = found.map_or(ErrorKind::Protocol, |row| row.kind);
    let mut error = Error::new(kind, operation).with_code(code);
    // Some refusals come without words.
    let words = if said.is_empty() { found.map_or("", |row| row.name) } else { said };
    if !words.is_empty() {
        error = error.with_text(words);
    }
    if let Some((wait, scope)) = found.and_then(|row| row.pause) {
        error = error.with_retry(Retry::After { wait, scope });
    }
    match found.and_then(|row| row.advice) {
        Some(advice) => error.with_advice(advice),
        None => error,
    }
}

/// Whether a refusal proves that nothing was sent.
///
/// - A refusal in VK's own form is its decision, but for the three that say that something broke inside: what broke
///   may have sent before.
/// - Whatever is not in VK's form comes from something between: its 4xx are refusals, but for 408; everything else
///   may have gone through.
pub fn proves_not_sent(code: i64, form: Form) -> bool {
    match form {
        Form::Vk => !matches!(code, 1 | 10 | 36),
        Form::Foreign => (400..500).contains(&code) && code != 408,
    }
}

/// Whether uploading the same file once more can help.
pub(crate) fn spoils_upload(code: &str) -> bool {
    ["105", "118", "121", "122", "129"].contains(&code)
}

/// In which form an error answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// VK's JSON envelope, with VK's number.
    Vk,
    /// Anything else, with the HTTP status: a proxy's page.
    Foreign,
}

#[cfg(test)]
mod tests {
    use omni_core::error::Fault;

    use super::*;

    /// What the provider's list says of each: the class, by number. Kept apart from the table on purpose.
    const MEANT: &[(&[i64], ErrorKind)] = &[
        (&[5, 17, 27, 28, 37, 1117], ErrorKind::BadCredentials),
        (&[6, 9, 14, 29, 223, 944, 1105], ErrorKind::RateLimited),
        (&[1, 10, 36, 43], ErrorKind::Unavailable),
        (&[900, 901, 902, 962, 985, 987, 988], ErrorKind::RecipientBlocked),
        (&[18, 30, 113, 917, 922, 925, 927, 932, 936, 945, 946, 1012], ErrorKind::RecipientUnreachable),
        (&[950], ErrorKind::WindowClosed),
        (&[910, 914], ErrorKind::TooLarge),
        (&[100, 103, 105, 118, 121, 122, 129, 222, 911, 913, 920, 921, 940, 969], ErrorKind::ContentRejected),
        (&[7, 15, 20, 21, 212, 213, 909, 924, 943], ErrorKind::Forbidden),
        (&[8, 125, 912, 2000], ErrorKind::Configuration),
        (&[104], ErrorKind::NotFound),
        (&[3, 23], ErrorKind::Unsupported),
        (&[0, 11, 31, 999_999, -1], ErrorKind::Protocol),
    ];

    #[test]
    fn every_known_number_is_sorted() {
        for (codes, kind) in MEANT {
            for code in *codes {
                assert_eq!(classify("messages.send", *code, "слова").kind(), *kind, "{code}");
            }
        }
    }

    #[test]
    fn every_row_is_meant_once() {
        for row in TABLE {
            let times = MEANT.iter().flat_map(|(codes, _)| *codes).filter(|code| **code == row.code).count();
            assert_eq!(times, 1, "{row:?}");
            let first = TABLE.iter().find(|other| other.code == row.code).unwrap();
            assert_eq!(first.name, row.name, "{} stands twice", row.code);
        }
    }

    #[test]
    fn pauses_have_their_scope() {
        let wait = |code| classify("messages.send", code, "").retry();
        let after = |seconds, scope| Retry::After { wait: Duration::from_secs(seconds), scope };
        assert_eq!(wait(6), after(1, RateScope::Account));
        assert_eq!(wait(9), after(600, RateScope::Chat));
        assert_eq!(wait(14), after(3600, RateScope::Account));
        assert_eq!(wait(29), after(3600, RateScope::Method));
        for later in [1, 10, 36, 43, 223, 944, 1105] {
            assert_eq!(wait(later), Retry::Later, "{later}");
        }
        for never in [5, 7, 15, 100, 901, 911, 2000] {
            assert_eq!(wait(never), Retry::Never, "{never}");
        }
    }

    #[test]
    fn whatever_needs_a_person_says_what_to_do() {
        for row in TABLE {
            let needs_person = matches!(row.kind, ErrorKind::BadCredentials | ErrorKind::Configuration);
            assert!(!needs_person || row.advice.is_some(), "{row:?}");
        }
        let error = classify("groups.getById", 27, "Group authorization failed: access_token is invalid.");
        assert_eq!(error.fault(), Fault::Configuration);
        assert!(error.advice().unwrap().contains("Access tokens"));
        assert!(classify("messages.send", 14, "Captcha needed").advice().is_some());
    }

    #[test]
    fn a_refusal_without_words_gets_ours() {
        assert_eq!(classify("messages.send", 901, "").text(), Some("the user has not allowed messages"));
        assert_eq!(classify("messages.send", 77, "").text(), None);
    }

    #[test]
    fn only_what_vk_decided_itself_proves_that_nothing_was_sent() {
        use Form::{Foreign, Vk};
        for (code, form, proves) in [
            (5, Vk, true),
            (6, Vk, true),
            (9, Vk, true),
            (901, Vk, true),
            (43, Vk, true),
            (1, Vk, false),
            (10, Vk, false),
            (36, Vk, false),
            (413, Foreign, true),
            (403, Foreign, true),
            (408, Foreign, false),
            (500, Foreign, false),
            (502, Foreign, false),
            (200, Foreign, false),
            (302, Foreign, false),
        ] {
            assert_eq!(proves_not_sent(code, form), proves, "{code} {form:?}");
        }
    }
}
