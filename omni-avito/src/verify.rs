//! Whether a webhook is from Avito.
//!
//! Avito documents no signature, no secret and no addresses that it posts from. What holds is a secret in the
//! registered address. A header `x-avito-messenger-signature` comes along; its algorithm, key and signed bytes are
//! documented nowhere, and what is computed here is the guess in circulation: the HMAC-SHA-256 of the raw body under
//! the client secret, in hexadecimal (*unverified*; <https://qna.habr.com/q/1404944>, read 2026-11).

use http::{HeaderName, Method};
use omni_core::Secret;
use omni_core::crypto::{from_hex, verify_hmac_sha256};
use omni_core::webhook::{RejectReason, Rejected, Verified, WebhookRequest};

use crate::config::{Config, Signature};

/// The header with the undocumented signature: 64 hexadecimal digits, seen in practice.
pub const SIGNATURE_HEADER: &str = "x-avito-messenger-signature";

/// [`SIGNATURE_HEADER`], read once instead of for every request.
static SIGNATURE_NAME: HeaderName = HeaderName::from_static(SIGNATURE_HEADER);

/// Largest body taken. A text has 1000 characters at most; everything else is addresses.
pub const MAX_BODY: usize = 1 << 20;

/// What proves a webhook.
#[derive(Clone, Copy, Debug)]
pub struct Proof<'a> {
    /// The last part of the registered address; without one nothing is taken.
    pub webhook_secret: Option<&'a Secret>,
    /// What to do with the signature.
    pub signature: Signature,
    /// The key of the signature.
    pub client_secret: &'a Secret,
}

impl<'a> From<&'a Config> for Proof<'a> {
    fn from(config: &'a Config) -> Self {
        Self {
            webhook_secret: config.webhook_secret.as_ref(),
            signature: config.signature,
            client_secret: &config.client_secret,
        }
    }
}

/// Checks a webhook: a POST within [`MAX_BODY`] to an address that ends with the secret, compared in constant time,
/// and its signature where that is required.
///
/// # Errors
/// [`Rejected`]; always, when no secret is expected: an open door would let anybody speak for any buyer.
pub fn verify<'a>(request: &'a WebhookRequest, proof: &Proof<'_>) -> Result<Verified<'a>, Rejected> {
    if request.method != Method::POST {
        return Err(Rejected::new(RejectReason::WrongMethod));
    }
    if request.body.len() > MAX_BODY {
        return Err(Rejected::new(RejectReason::TooLarge));
    }
    let Some(expected) = proof.webhook_secret else {
        return Err(Rejected {
            reason: RejectReason::NoWebhook,
            detail: Some("webhook_secret is not set".to_owned()),
        });
    };
    let given = request.path.rsplit('/').next().filter(|segment| !segment.is_empty());
    let verified = Verified::by_secret(request, given.map(str::as_bytes), expected)?;
    match proof.signature {
        Signature::Ignore => Ok(verified),
        Signature::Probe => {
            let fits = signature(request).is_some_and(|found| is_signed(request, &found, proof));
            tracing::info!(fits, "the signature of a webhook was probed");
            Ok(verified)
        }
        Signature::Require => {
            Verified::by_hmac_sha256(request, signature(request).as_deref(), proof.client_secret)
        }
    }
}

fn signature(request: &WebhookRequest) -> Option<Vec<u8>> {
    from_hex(request.headers.get(&SIGNATURE_NAME)?.to_str().ok()?)
}

fn is_signed(request: &WebhookRequest, found: &[u8], proof: &Proof<'_>) -> bool {
    verify_hmac_sha256(proof.client_secret.expose().as_bytes(), &request.body, found)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use omni_core::Timestamp;
    use omni_core::crypto::hmac_sha256;

    use super::*;

    const SECRET: &str = "Zx9_random-256bit";

    fn request(path: &str) -> WebhookRequest {
        WebhookRequest::post(path, r#"{"слово":"👋"}"#, Timestamp::default())
    }

    fn reason(request: &WebhookRequest, secret: Option<&str>, signature: Signature) -> Option<RejectReason> {
        let (webhook_secret, client_secret) = (secret.map(Secret::new), Secret::new("zX9-client-secret"));
        let proof =
            Proof { webhook_secret: webhook_secret.as_ref(), signature, client_secret: &client_secret };
        verify(request, &proof).err().map(|rejected| rejected.reason)
    }

    fn signed(key: &str) -> WebhookRequest {
        let mut request = request("/hooks/Zx9_random-256bit");
        let hex: String =
            hmac_sha256(key.as_bytes(), &request.body).iter().map(|b| format!("{b:02x}")).collect();
        request.headers.insert(SIGNATURE_HEADER, HeaderValue::from_str(&hex).unwrap());
        request
    }

    #[test]
    fn only_the_whole_last_part_of_the_address_opens() {
        let at = |path| reason(&request(path), Some(SECRET), Signature::Ignore);
        assert_eq!(at("/hooks/avito/Zx9_random-256bit"), None);
        for wrong in ["/hooks/Zx9_random-256bi", "/zx9_random-256bit", "/Zx9_random-256bit1", "/a/b"] {
            assert_eq!(at(wrong), Some(RejectReason::WrongSecret), "{wrong}");
        }
        for missing in ["/hooks/", "/", "", "/Zx9_random-256bit/"] {
            assert_eq!(at(missing), Some(RejectReason::MissingSecret), "{missing}");
        }
    }

    #[test]
    fn without_an_expected_secret_nothing_opens() {
        assert_eq!(reason(&request("/hooks/"), None, Signature::Ignore), Some(RejectReason::NoWebhook));
    }

    #[test]
    fn a_signature_counts_only_where_it_is_required() {
        let (good, bad, none) =
            (signed("zX9-client-secret"), signed("another"), request("/a/Zx9_random-256bit"));
        for request in [&good, &bad, &none] {
            assert_eq!(reason(request, Some(SECRET), Signature::Ignore), None);
            assert_eq!(reason(request, Some(SECRET), Signature::Probe), None);
        }
        assert_eq!(reason(&good, Some(SECRET), Signature::Require), None);
        assert_eq!(reason(&bad, Some(SECRET), Signature::Require), Some(RejectReason::WrongSecret));
        assert_eq!(reason(&none, Some(SECRET), Signature::Require), Some(RejectReason::MissingSecret));
        let mut elsewhere = signed("zX9-client-secret");
        elsewhere.path = "/hooks/guessed".to_owned();
        assert_eq!(reason(&elsewhere, Some(SECRET), Signature::Require), Some(RejectReason::WrongSecret));
    }

    #[test]
    fn other_methods_and_huge_bodies_are_refused_before_anything_is_compared() {
        let mut get = request("/hooks/Zx9_random-256bit");
        get.method = Method::GET;
        assert_eq!(reason(&get, Some(SECRET), Signature::Ignore), Some(RejectReason::WrongMethod));
        let mut huge = request("/hooks/Zx9_random-256bit");
        huge.body = vec![b' '; MAX_BODY + 1].into();
        assert_eq!(reason(&huge, Some(SECRET), Signature::Ignore), Some(RejectReason::TooLarge));
    }
}
