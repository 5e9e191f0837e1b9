//! Answers to calls. All of them come with HTTP status 200; the true one is in the body.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Str, lenient};

/// What every answer has. <https://developers.viber.com/docs/api/rest-bot-api/#error-codes>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Envelope<'a> {
    /// 0 when all went well.
    pub status: i64,
    #[serde(borrow)]
    pub status_message: Option<Str<'a>>,
}

/// A message was taken. <https://developers.viber.com/docs/api/rest-bot-api/#send-message>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Sent {
    #[serde(default, deserialize_with = "lenient::whole")]
    pub message_token: Option<u64>,
}

/// A message to many was taken. <https://developers.viber.com/docs/api/rest-bot-api/#broadcast-message>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Broadcasted<'a> {
    #[serde(default, deserialize_with = "lenient::whole")]
    pub message_token: Option<u64>,
    /// Each one read by itself.
    #[serde(borrow, default)]
    pub failed_list: Vec<&'a RawValue>,
}

/// One of many, who did not get it.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Undelivered<'a> {
    #[serde(borrow)]
    pub receiver: Str<'a>,
    pub status: i64,
    #[serde(borrow)]
    pub status_message: Option<Str<'a>>,
}

/// The account. <https://developers.viber.com/docs/api/rest-bot-api/#get-account-info>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct AccountInfo<'a> {
    /// With `pa:` in front.
    #[serde(borrow)]
    pub id: Str<'a>,
    #[serde(borrow)]
    pub name: Str<'a>,
    /// The handle for deep links.
    #[serde(borrow)]
    pub uri: Option<Str<'a>>,
    /// Absent or empty when none is registered.
    #[serde(borrow)]
    pub webhook: Option<Str<'a>>,
    #[serde(borrow)]
    pub event_types: Option<Vec<Str<'a>>>,
}

/// The answer about a person. <https://developers.viber.com/docs/api/rest-bot-api/#get-user-details>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Detailed<'a> {
    #[serde(borrow)]
    pub user: User<'a>,
}

/// What Viber tells of a person when it is asked.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct User<'a> {
    #[serde(borrow)]
    pub id: Str<'a>,
    #[serde(borrow)]
    pub name: Option<Str<'a>>,
    #[serde(borrow)]
    pub avatar: Option<Str<'a>>,
    #[serde(borrow)]
    pub country: Option<Str<'a>>,
    #[serde(borrow)]
    pub language: Option<Str<'a>>,
    #[serde(borrow)]
    pub primary_device_os: Option<Str<'a>>,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub api_version: Option<u64>,
    #[serde(borrow)]
    pub viber_version: Option<Str<'a>>,
    #[serde(borrow)]
    pub device_type: Option<Str<'a>>,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub mcc: Option<u64>,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub mnc: Option<u64>,
}

/// Who is there. <https://developers.viber.com/docs/api/rest-bot-api/#get-online>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct OnlineUsers<'a> {
    #[serde(borrow, default)]
    pub users: Vec<OnlineUser<'a>>,
}

/// Whether one person is there.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct OnlineUser<'a> {
    #[serde(borrow)]
    pub id: Str<'a>,
    pub online_status: i64,
    /// Milliseconds since 1970, for who is away.
    #[serde(default, deserialize_with = "lenient::whole")]
    pub last_online: Option<u64>,
}
