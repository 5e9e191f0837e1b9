//! How the program answers.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Id, Str};

/// A message was taken.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct Answer<'a> {
    /// The program's id of the message; left out, it is the `id` of the request.
    #[serde(borrow)]
    pub id: Option<Id<'a>>,
}

/// The program is there.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct Pong<'a> {
    /// Name of the account, for people.
    #[serde(borrow)]
    pub name: Option<Str<'a>>,
}

/// Nothing was done.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Refusal<'a> {
    /// Why.
    #[serde(borrow)]
    pub error: Reason<'a>,
}

/// Why something was not done.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Reason<'a> {
    /// One of the kinds in the table of errors; others mean that the content was refused.
    #[serde(borrow)]
    pub kind: Str<'a>,
    /// Words for the people who run the channel. Never what the customer or the operator wrote.
    #[serde(borrow)]
    pub text: Option<Str<'a>>,
    /// Seconds to wait, for `rate_limited` and `unavailable`; the header `Retry-After` says the same.
    pub retry_after: Option<u64>,
    /// What has to wait; left out, it is everything.
    pub scope: Option<Scope>,
}

/// What a pause is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// This chat.
    Chat,
    /// Everything.
    #[serde(other)]
    Account,
}
