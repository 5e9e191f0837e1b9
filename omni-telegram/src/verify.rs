//! Whether a webhook is from Telegram.

use http::{HeaderName, Method};
use omni_core::Secret;
use omni_core::webhook::{RejectReason, Rejected, Verified, WebhookRequest};

/// The header that carries the secret set with the webhook, verbatim. There is no signature over the body and
/// no time stamp; a replay is recognised by the update's id.
/// <https://core.telegram.org/bots/api#setwebhook> (read 2026-11)
pub const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

/// [`SECRET_HEADER`], read once instead of for every request.
static SECRET_NAME: HeaderName = HeaderName::from_static(SECRET_HEADER);

/// Largest body taken. Updates are a few kilobytes; the longest text with its entities stays far below.
pub const MAX_BODY: usize = 1 << 20;

/// Checks a webhook: a POST within [`MAX_BODY`], with the secret in [`SECRET_HEADER`], compared in constant
/// time.
///
/// # Errors
/// [`Rejected`]; always, when no secret is expected: an open door would let anybody speak for any customer.
pub fn verify<'a>(request: &'a WebhookRequest, expected: Option<&Secret>) -> Result<Verified<'a>, Rejected> {
    if request.method != Method::POST {
        return Err(Rejected::new(RejectReason::WrongMethod));
    }
    if request.body.len() > MAX_BODY {
        return Err(Rejected::new(RejectReason::TooLarge));
    }
    let Some(expected) = expected else {
        return Err(Rejected {
            reason: RejectReason::NoWebhook,
            detail: Some("secret_token is not set".to_owned()),
        });
    };
    let given = request.headers.get(&SECRET_NAME).map(|value| value.as_bytes());
    Verified::by_secret(request, given, expected)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use omni_core::Timestamp;

    use super::*;

    fn request(secret: Option<&str>) -> WebhookRequest {
        let mut request = WebhookRequest::post("/hook", "{}", Timestamp::default());
        if let Some(secret) = secret {
            request.headers.insert(SECRET_HEADER, HeaderValue::from_str(secret).unwrap());
        }
        request
    }

    fn reason(request: &WebhookRequest, expected: Option<&Secret>) -> Option<RejectReason> {
        verify(request, expected).err().map(|rejected| rejected.reason)
    }

    #[test]
    fn only_the_whole_secret_opens() {
        let expected = Secret::new("Zx9_random-256bit");
        assert_eq!(reason(&request(Some("Zx9_random-256bit")), Some(&expected)), None);
        for wrong in ["Zx9_random-256bi", "zx9_random-256bit", "Zx9_random-256bit1", "", "x"] {
            let found = reason(&request(Some(wrong)), Some(&expected));
            assert_eq!(found, Some(RejectReason::WrongSecret), "{wrong}");
        }
        assert_eq!(reason(&request(None), Some(&expected)), Some(RejectReason::MissingSecret));
    }

    #[test]
    fn without_an_expected_secret_nothing_opens() {
        assert_eq!(reason(&request(Some("")), None), Some(RejectReason::NoWebhook));
        assert_eq!(reason(&request(Some("x")), None), Some(RejectReason::NoWebhook));
    }

    #[test]
    fn other_methods_and_huge_bodies_are_refused_before_anything_is_compared() {
        let expected = Secret::new("s3cret");
        let mut get = request(Some("s3cret"));
        get.method = Method::GET;
        assert_eq!(reason(&get, Some(&expected)), Some(RejectReason::WrongMethod));
        let mut huge = request(Some("s3cret"));
        huge.body = vec![b' '; MAX_BODY + 1].into();
        assert_eq!(reason(&huge, Some(&expected)), Some(RejectReason::TooLarge));
    }
}
