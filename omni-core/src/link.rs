//! "Write to us" links that carry a campaign token, and the token recognised when the person comes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A token of a campaign, an advert or a page: what a link carries and a first message brings back.
///
/// At most 64 characters of `A-Z a-z 0-9 _ -`: the narrowest set of the providers (Telegram's `start`), so a
/// token made once works on every channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(transparent)]
pub struct CampaignToken(String);

impl CampaignToken {
    /// Most characters a token may have.
    pub const MAX: usize = 64;

    /// Checks and wraps a token.
    ///
    /// # Errors
    /// [`BadToken`] when it is empty, too long or has other characters.
    pub fn new(token: impl Into<String>) -> Result<Self, BadToken> {
        let token = token.into();
        let fits = !token.is_empty()
            && token.len() <= Self::MAX
            && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if fits { Ok(Self(token)) } else { Err(BadToken) }
    }

    /// The token as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for CampaignToken {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

/// The text cannot be a campaign token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a campaign token has 1 to 64 characters of A-Z, a-z, 0-9, _ and -")]
pub struct BadToken;

/// Which link or advert brought a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Referral {
    /// What the link carried, as it arrived; a [`CampaignToken`] when we made the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Where the link or advert stood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The provider's id of the advert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ad: Option<String>,
}

impl Referral {
    /// A referral that is only a token.
    pub fn token(token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_some_channel_cannot_carry_is_refused() {
        assert!(CampaignToken::new("spring_2026-a").is_ok());
        for bad in ["", "весна", "a b", &"x".repeat(65)] {
            assert_eq!(CampaignToken::new(bad), Err(BadToken), "{bad}");
        }
    }
}
