//! What Telegram's errors mean: one table.
//!
//! The documentation names no codes beyond those of HTTP and warns that they may change, so the description is
//! matched, without regard to case: its first letter differs between versions of the server.
//!
//! Sources: <https://core.telegram.org/bots/api#making-requests>,
//! <https://core.telegram.org/bots/api#responseparameters>, and the error texts in `Client.cpp` and `Query.cpp`
//! of <https://github.com/tdlib/telegram-bot-api> (read 2026-11). Rows marked *community* come from the error
//! lists of other clients, rows marked *unverified* from memory.

use std::time::Duration;

use omni_core::Error;
use omni_core::error::{ErrorKind, RateScope, Retry};

use crate::wire::Parameters;

/// How long to wait after a 429 that does not say.
const PAUSE: Duration = Duration::from_secs(5);

/// One error of Telegram.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The code it comes with.
    pub code: u16,
    /// What its description contains, in lower case; empty for every text of the code.
    pub text: &'static str,
    /// What it means.
    pub kind: ErrorKind,
    /// What a person can do, where there is something.
    pub advice: Option<&'static str>,
}

const fn row(code: u16, text: &'static str, kind: ErrorKind) -> Row {
    Row { code, text, kind, advice: None }
}

impl Row {
    const fn advise(mut self, advice: &'static str) -> Self {
        self.advice = Some(advice);
        self
    }
}

const NEW_TOKEN: &str =
    "the token is wrong or was revoked: get it anew from @BotFather and change the setting";
const ONE_POLLER: &str = "another program polls this bot, perhaps the old process after a deployment: stop it, or \
                          give each its own bot";
const NO_WEBHOOK: &str =
    "a webhook is set for this bot: disconnect the channel to remove it, or receive by webhook";
const BE_ADMIN: &str = "give the bot the right in the chat's settings";

/// Every error we know. The first row that fits counts, so the special ones of a code stand before the general.
pub const TABLE: &[Row] = &[
    row(401, "", ErrorKind::BadCredentials).advise(NEW_TOKEN),
    row(404, "method not found", ErrorKind::Unsupported),
    row(404, "", ErrorKind::BadCredentials).advise(NEW_TOKEN),
    row(421, "", ErrorKind::Configuration)
        .advise("the bot is logged in at another Bot API server: set base_url to it"),
    row(409, "can't use getupdates method while webhook is active", ErrorKind::Conflict).advise(NO_WEBHOOK),
    row(409, "terminated by setwebhook", ErrorKind::Conflict).advise(NO_WEBHOOK),
    row(409, "", ErrorKind::Conflict).advise(ONE_POLLER),
    row(429, "", ErrorKind::RateLimited),
    row(403, "bot was blocked by the user", ErrorKind::RecipientBlocked),
    row(403, "user is deactivated", ErrorKind::RecipientUnreachable),
    // community
    row(403, "can't initiate conversation", ErrorKind::RecipientUnreachable)
        .advise("the person has to press Start in the bot first"),
    row(403, "bot was kicked", ErrorKind::RecipientUnreachable),
    row(403, "bot is not a member", ErrorKind::RecipientUnreachable),
    row(403, "group chat was deleted", ErrorKind::RecipientUnreachable),
    // community
    row(403, "can't send messages to bots", ErrorKind::RecipientUnreachable),
    row(403, "", ErrorKind::Forbidden).advise(BE_ADMIN),
    row(400, "group chat was upgraded to a supergroup", ErrorKind::RecipientUnreachable),
    row(400, "not enough rights", ErrorKind::Forbidden).advise(BE_ADMIN),
    // community
    row(400, "need administrator rights", ErrorKind::Forbidden).advise(BE_ADMIN),
    row(400, "chat not found", ErrorKind::RecipientUnreachable),
    row(400, "user not found", ErrorKind::RecipientUnreachable),
    // unverified
    row(400, "peer_id_invalid", ErrorKind::RecipientUnreachable),
    row(400, "message to be replied not found", ErrorKind::NotFound),
    row(400, "message thread not found", ErrorKind::NotFound),
    // unverified
    row(400, "topic_closed", ErrorKind::Forbidden),
    // community
    row(400, "message to edit not found", ErrorKind::NotFound),
    row(400, "message can't be edited", ErrorKind::Forbidden),
    row(400, "message to delete not found", ErrorKind::NotFound),
    row(400, "message can't be deleted", ErrorKind::Forbidden),
    row(400, "message to react not found", ErrorKind::NotFound),
    // community
    row(400, "can't parse entities", ErrorKind::ContentRejected),
    row(400, "message text is empty", ErrorKind::ContentRejected),
    row(400, "message is too long", ErrorKind::TooLarge),
    // unverified
    row(400, "message_too_long", ErrorKind::TooLarge),
    // community
    row(400, "caption is too long", ErrorKind::TooLarge),
    row(400, "reply markup is too long", ErrorKind::TooLarge),
    row(400, "wrong file_id", ErrorKind::ContentRejected),
    row(400, "wrong file identifier", ErrorKind::ContentRejected),
    row(400, "wrong remote file identifier", ErrorKind::ContentRejected),
    row(400, "wrong http url", ErrorKind::ContentRejected).advise(UPLOAD),
    row(400, "failed to get http url content", ErrorKind::ContentRejected).advise(UPLOAD),
    row(400, "wrong type of the web page content", ErrorKind::ContentRejected).advise(UPLOAD),
    row(400, "can't upload file by url", ErrorKind::ContentRejected).advise(UPLOAD),
    // community
    row(400, "image_process_failed", ErrorKind::ContentRejected).advise(AS_FILE),
    // unverified
    row(400, "photo_invalid_dimensions", ErrorKind::ContentRejected).advise(AS_FILE),
    // community
    row(400, "button_data_invalid", ErrorKind::ContentRejected),
    row(400, "button_url_invalid", ErrorKind::ContentRejected),
    // unverified
    row(400, "reaction_invalid", ErrorKind::ContentRejected),
    // unverified
    row(400, "quote_text_invalid", ErrorKind::ContentRejected),
    row(400, "file is too big", ErrorKind::TooLarge)
        .advise("Telegram's own server hands out 20 MB at most; a Bot API server of your own has no limit"),
    row(413, "", ErrorKind::TooLarge),
    // unverified
    row(400, "business_connection_invalid", ErrorKind::RecipientUnreachable).advise(RECONNECT),
    // unverified: said both when the peer is wrong and when it has not written for a day
    row(400, "business_peer_invalid", ErrorKind::WindowClosed),
    // unverified
    row(400, "business_peer_usage_missing", ErrorKind::WindowClosed),
    row(400, "bad webhook", ErrorKind::Configuration),
    row(400, "", ErrorKind::ContentRejected),
];

const UPLOAD: &str = "Telegram could not fetch the file from its address: send the bytes instead";
const AS_FILE: &str = "send the picture as a file";
const RECONNECT: &str = "the person has to connect the bot again: Telegram Business, Chatbots";

/// Sorts an error answer. `description` is redacted already.
///
/// After a 429 the whole account waits, not the one chat: Telegram counts per chat and per bot, does not say
/// which of them overflowed, and a bot that goes on elsewhere meanwhile is held longer.
pub fn classify(operation: &'static str, code: u16, description: &str, parameters: Parameters) -> Error {
    let lower = description.to_lowercase();
    let found = TABLE.iter().find(|row| row.code == code && lower.contains(row.text));
    let kind = match found {
        Some(row) => row.kind,
        None if code >= 500 => ErrorKind::Unavailable,
        None => ErrorKind::Protocol,
    };
    let mut error = Error::new(kind, operation).with_code(code);
    error = match kind {
        // What a person has to be told is the same whatever Telegram calls it.
        ErrorKind::BadCredentials => error.with_text("Bot not found").with("answer", description),
        _ => error.with_text(description),
    };
    if kind == ErrorKind::RateLimited {
        error = error.with_retry(pause(parameters.retry_after));
    }
    match found.and_then(|row| row.advice) {
        Some(advice) => error.with_advice(advice),
        None => error,
    }
}

/// What a 429 asks for, given its seconds.
pub(crate) fn pause(retry_after: Option<u64>) -> Retry {
    Retry::After { wait: retry_after.map_or(PAUSE, Duration::from_secs), scope: RateScope::Account }
}

/// Whether an error answer proves that nothing was sent.
///
/// - An answer in Telegram's own form below 500 is its decision: nothing was sent.
/// - A 500 in that form is too, but for the one that a server gives to calls in flight when it restarts.
/// - 502 and 504 are a gateway's: what stands behind it may have sent. Whatever is not in Telegram's form above
///   400 is treated the same, and a 408 as well.
pub fn proves_not_sent(status: u16, form: Form, description: &str) -> bool {
    match (form, status) {
        (_, 408) => false,
        (Form::Telegram, 500) => !description.to_lowercase().contains("restart"),
        (_, code) => (400..500).contains(&code),
    }
}

/// In which form an error answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Telegram's JSON envelope.
    Telegram,
    /// Anything else: a proxy's page.
    Foreign,
}

#[cfg(test)]
mod tests {
    use omni_core::error::Fault;

    use super::*;

    fn sorted(code: u16, description: &str) -> Error {
        classify("sendMessage", code, description, Parameters::default())
    }

    /// Real descriptions, one for each row and some more.
    const SEEN: &[(u16, &str, ErrorKind)] = &[
        (401, "Unauthorized", ErrorKind::BadCredentials),
        (401, "Unauthorized: invalid token specified", ErrorKind::BadCredentials),
        (404, "Not Found", ErrorKind::BadCredentials),
        (404, "Not Found: method not found", ErrorKind::Unsupported),
        (421, "Misdirected Request", ErrorKind::Configuration),
        (
            409,
            "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
            ErrorKind::Conflict,
        ),
        (
            409,
            "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
            ErrorKind::Conflict,
        ),
        (409, "Conflict: terminated by setWebhook request", ErrorKind::Conflict),
        (429, "Too Many Requests: retry after 14", ErrorKind::RateLimited),
        (500, "Internal Server Error", ErrorKind::Unavailable),
        (502, "Bad Gateway", ErrorKind::Unavailable),
        (403, "Forbidden: bot was blocked by the user", ErrorKind::RecipientBlocked),
        (403, "Forbidden: user is deactivated", ErrorKind::RecipientUnreachable),
        (403, "Forbidden: bot can't initiate conversation with a user", ErrorKind::RecipientUnreachable),
        (403, "Forbidden: bot was kicked from the supergroup chat", ErrorKind::RecipientUnreachable),
        (403, "Forbidden: bot is not a member of the channel chat", ErrorKind::RecipientUnreachable),
        (403, "Forbidden: the group chat was deleted", ErrorKind::RecipientUnreachable),
        (403, "Forbidden: bot can't send messages to bots", ErrorKind::RecipientUnreachable),
        (403, "Forbidden: something new", ErrorKind::Forbidden),
        (400, "Bad Request: group chat was upgraded to a supergroup chat", ErrorKind::RecipientUnreachable),
        (400, "Bad Request: not enough rights to send text messages to the chat", ErrorKind::Forbidden),
        (400, "Bad Request: need administrator rights in the channel chat", ErrorKind::Forbidden),
        (400, "Bad Request: chat not found", ErrorKind::RecipientUnreachable),
        (400, "Bad Request: private chat not found", ErrorKind::RecipientUnreachable),
        (400, "Bad Request: user not found", ErrorKind::RecipientUnreachable),
        (400, "Bad Request: PEER_ID_INVALID", ErrorKind::RecipientUnreachable),
        (400, "Bad Request: message to be replied not found", ErrorKind::NotFound),
        (400, "Bad Request: message thread not found", ErrorKind::NotFound),
        (400, "Bad Request: TOPIC_CLOSED", ErrorKind::Forbidden),
        (400, "Bad Request: message to edit not found", ErrorKind::NotFound),
        (400, "Bad Request: message can't be edited", ErrorKind::Forbidden),
        (400, "Bad Request: message to delete not found", ErrorKind::NotFound),
        (400, "Bad Request: message can't be deleted", ErrorKind::Forbidden),
        (400, "Bad Request: message to react not found", ErrorKind::NotFound),
        (400, "Bad Request: can't parse entities: unclosed tag", ErrorKind::ContentRejected),
        (400, "Bad Request: message text is empty", ErrorKind::ContentRejected),
        (400, "Bad Request: message is too long", ErrorKind::TooLarge),
        (400, "Bad Request: MESSAGE_TOO_LONG", ErrorKind::TooLarge),
        (400, "Bad Request: message caption is too long", ErrorKind::TooLarge),
        (400, "Bad Request: reply markup is too long", ErrorKind::TooLarge),
        (
            400,
            "Bad Request: wrong file_id or the file is temporarily unavailable",
            ErrorKind::ContentRejected,
        ),
        (400, "Bad Request: wrong file identifier/HTTP URL specified", ErrorKind::ContentRejected),
        (400, "Bad Request: wrong remote file identifier specified", ErrorKind::ContentRejected),
        (400, "Bad Request: wrong HTTP URL specified", ErrorKind::ContentRejected),
        (400, "Bad Request: failed to get HTTP URL content", ErrorKind::ContentRejected),
        (400, "Bad Request: wrong type of the web page content", ErrorKind::ContentRejected),
        (400, "Bad Request: can't upload file by URL", ErrorKind::ContentRejected),
        (400, "Bad Request: IMAGE_PROCESS_FAILED", ErrorKind::ContentRejected),
        (400, "Bad Request: PHOTO_INVALID_DIMENSIONS", ErrorKind::ContentRejected),
        (400, "Bad Request: BUTTON_DATA_INVALID", ErrorKind::ContentRejected),
        (400, "Bad Request: BUTTON_URL_INVALID", ErrorKind::ContentRejected),
        (400, "Bad Request: REACTION_INVALID", ErrorKind::ContentRejected),
        (400, "Bad Request: QUOTE_TEXT_INVALID", ErrorKind::ContentRejected),
        (400, "Bad Request: file is too big", ErrorKind::TooLarge),
        (413, "Request Entity Too Large", ErrorKind::TooLarge),
        (400, "Bad Request: BUSINESS_CONNECTION_INVALID", ErrorKind::RecipientUnreachable),
        (400, "Bad Request: BUSINESS_PEER_INVALID", ErrorKind::WindowClosed),
        (400, "Bad Request: BUSINESS_PEER_USAGE_MISSING", ErrorKind::WindowClosed),
        (400, "Bad Request: bad webhook: IP address 127.0.0.1 is reserved", ErrorKind::Configuration),
        (400, "Bad Request: something new", ErrorKind::ContentRejected),
        (418, "I'm a teapot", ErrorKind::Protocol),
    ];

    #[test]
    fn every_known_description_is_sorted_in_any_case() {
        for (code, description, kind) in SEEN {
            assert_eq!(sorted(*code, description).kind(), *kind, "{code} {description}");
            assert_eq!(sorted(*code, &description.to_uppercase()).kind(), *kind, "{code} {description}");
        }
    }

    #[test]
    fn every_row_is_reached_by_a_real_description() {
        for (index, row) in TABLE.iter().enumerate() {
            let first = |code: u16, text: &str| {
                let lower = text.to_lowercase();
                TABLE.iter().position(|r| r.code == code && lower.contains(r.text))
            };
            let reached = SEEN.iter().any(|(code, text, _)| first(*code, text) == Some(index));
            assert!(reached, "no description reaches {row:?}");
        }
    }

    #[test]
    fn a_flood_makes_the_whole_account_wait() {
        let parameters = Parameters { retry_after: Some(14), ..Parameters::default() };
        let error = classify("sendMessage", 429, "Too Many Requests: retry after 14", parameters);
        let wait = Duration::from_secs(14);
        assert_eq!(error.retry(), Retry::After { wait, scope: RateScope::Account });
        assert_eq!(sorted(429, "").retry(), Retry::After { wait: PAUSE, scope: RateScope::Account });
    }

    #[test]
    fn a_revoked_token_says_what_to_do() {
        let error = sorted(401, "Unauthorized");
        assert_eq!(error.text(), Some("Bot not found"));
        assert_eq!(error.fault(), Fault::Configuration);
        assert!(error.advice().unwrap().contains("BotFather"));
    }

    #[test]
    fn only_what_telegram_decided_itself_proves_that_nothing_was_sent() {
        use Form::{Foreign, Telegram};
        let rows = [
            (400, Telegram, "Bad Request: chat not found", true),
            (403, Telegram, "Forbidden: bot was blocked by the user", true),
            (429, Telegram, "Too Many Requests: retry after 5", true),
            (500, Telegram, "Internal Server Error", true),
            (500, Telegram, "Internal Server Error: restart", false),
            (502, Telegram, "Bad Gateway", false),
            (504, Telegram, "Gateway Timeout", false),
            (413, Foreign, "", true),
            (408, Foreign, "", false),
            (500, Foreign, "", false),
            (502, Foreign, "", false),
            (200, Foreign, "", false),
        ];
        for (status, form, description, proves) in rows {
            assert_eq!(proves_not_sent(status, form, description), proves, "{status} {form:?} {description}");
        }
    }
}
