//! The error envelope of VK and its sentences.

use serde_json::{Map, Value, json};

use super::params::Params;
use crate::sim::{Fault, Reply};

/// A refusal as VK words it.
///
/// Codes and sentences follow `errors.json` of <https://github.com/VKCOM/vk-api-schema> (read 2026-11).
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    /// `error_code`.
    pub code: i64,
    /// `error_msg`.
    pub message: String,
    /// `error_subcode`, where there is one.
    pub subcode: Option<i64>,
    /// Fields that only this error has: `captcha_sid` and `captcha_img` of a captcha.
    pub extra: Map<String, Value>,
}

impl ApiError {
    /// An error with VK's sentence for the code.
    #[must_use]
    pub fn new(code: i64) -> Self {
        Self { code, message: sentence(code).to_owned(), subcode: None, extra: Map::new() }
    }

    /// An error whose sentence goes on behind a colon.
    #[must_use]
    pub fn because(code: i64, reason: &str) -> Self {
        Self { message: format!("{}: {reason}", sentence(code)), ..Self::new(code) }
    }

    /// Error 14 with the fields that come with it.
    #[must_use]
    pub fn captcha() -> Self {
        let mut error = Self::new(14);
        error.extra.insert("captcha_sid".into(), "656159838165".into());
        let picture = "https://api.vk.com/captcha.php?sid=656159838165";
        error.extra.insert("captcha_img".into(), picture.into());
        error
    }

    /// The same as trouble of the network, for [`VkSim::faults`](super::VkSim::faults): with rules and chaos, and
    /// without `request_params`. [`VkSim::refuses`](super::VkSim::refuses) is closer to VK.
    #[must_use]
    pub fn to_fault(&self) -> Fault {
        Fault::Reply(Reply::json(200, &self.to_json("", &Params::default())))
    }

    /// Sets `error_subcode`.
    #[must_use]
    pub fn subcode(self, subcode: i64) -> Self {
        Self { subcode: Some(subcode), ..self }
    }

    /// The body of the answer. `request_params` repeats what was asked, all but the token.
    pub(crate) fn to_json(&self, method: &str, params: &Params) -> Value {
        let mut asked =
            vec![json!({"key": "oauth", "value": "1"}), json!({"key": "method", "value": method})];
        asked.extend(params.shown().map(|(key, value)| json!({"key": key, "value": value})));
        let mut error = Map::new();
        error.insert("error_code".into(), self.code.into());
        if let Some(subcode) = self.subcode {
            error.insert("error_subcode".into(), subcode.into());
        }
        error.insert("error_msg".into(), self.message.as_str().into());
        error.extend(self.extra.clone());
        error.insert("request_params".into(), asked.into());
        json!({"error": error})
    }

    /// The form of an error inside the answer of `messages.send` with `peer_ids` and of `messages.delete`.
    pub(crate) fn as_item(&self) -> Value {
        json!({"code": self.code, "description": self.message})
    }
}

/// What a method gives: the `response` or a refusal.
pub(crate) type ApiResult<T = Value> = Result<T, ApiError>;

/// A parameter is missing.
pub(crate) fn missing(name: &str) -> ApiError {
    ApiError::because(100, &format!("{name} is undefined"))
}

/// A parameter is there and wrong.
pub(crate) fn invalid(reason: impl AsRef<str>) -> ApiError {
    ApiError::because(100, reason.as_ref())
}

fn sentence(code: i64) -> &'static str {
    match code {
        1 => "Unknown error occurred",
        3 => "Unknown method passed",
        5 => "User authorization failed",
        6 => "Too many requests per second",
        7 => "Permission to perform this action is denied",
        8 => "Invalid request",
        9 => "Flood control",
        10 => "Internal server error",
        12 => "Unable to compile code",
        13 => "Runtime error occurred during code invocation",
        14 => "Captcha needed",
        15 => "Access denied",
        17 => "Validation required",
        18 => "User was deleted or banned",
        20 => "Permission to perform this action is denied for non-standalone applications",
        21 => "Permission to perform this action is allowed only for standalone and OpenAPI applications",
        23 => "This method was disabled",
        27 => "Group authorization failed",
        28 => "Application authorization failed",
        29 => "Rate limit reached",
        30 => "This profile is private",
        36 => "Method execution was interrupted due to timeout",
        37 => "User was banned",
        43 => "This section is temporary unavailable",
        100 => "One of the parameters specified was missing or invalid",
        103 => "Out of limits",
        104 => "Not found",
        105 => "Couldn't save file",
        113 => "Invalid user id",
        118 => "Invalid server",
        121 => "Invalid hash",
        122 => "Invalid photos",
        125 => "Invalid group id",
        129 => "Invalid photo",
        212 => "Access to post comments denied",
        213 => "Access to status replies denied",
        222 => "Hyperlinks are forbidden",
        223 => "Too many replies",
        900 => "Can't send messages for users from blacklist",
        901 => "Can't send messages for users without permission",
        902 => "Can't send messages to this user due to their privacy settings",
        909 => "Can't edit this message, because it's too old",
        910 => "Can't sent this message, because it's too big",
        911 => "Keyboard format is invalid",
        912 => "This is a chat bot feature, change this status in settings",
        913 => "Too many forwarded messages",
        914 => "Message is too long",
        917 => "You don't have access to this chat",
        920 => "Can't edit this kind of message",
        921 => "Can't forward these messages",
        922 => "You left this chat",
        924 => "Can't delete this message for everybody",
        925 => "You are not admin of this chat",
        927 => "Chat does not exist",
        932 => "Your community can't interact with this peer",
        936 => "Contact not found",
        940 => "Too many posts in messages",
        943 => "Cannot use this intent",
        944 => "Limits overflow for this intent",
        945 => "Chat was disabled",
        946 => "Chat not supported",
        950 => "Can't send message, reply timed out",
        962 => "You can't access donut chat without subscription",
        969 => "Message cannot be forwarded",
        1012 => "Writing is disabled for this chat",
        1105 => "Too many auth attempts, try again later",
        1117 => "Access token has expired",
        2000 => "Servers number limit is reached",
        _ => "Error",
    }
}
