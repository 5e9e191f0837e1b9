//! Whether a webhook is from Viber.

use http::{HeaderName, Method};
use omni_core::Secret;
use omni_core::crypto::from_hex;
use omni_core::webhook::{RejectReason, Rejected, Verified, WebhookRequest};

/// The header that carries the signature: lower-case hex of HMAC-SHA-256 over the body as it came, under the
/// token. There is no time stamp; a replay is recognised by the event's id.
/// <https://developers.viber.com/docs/api/rest-bot-api/#callbacks> (read 2026-11)
pub const SIGNATURE_HEADER: &str = "x-viber-content-signature";

/// The query parameter with the same value. Viber's own client library for Node reads only this one:
/// <https://github.com/Viber/viber-bot-node/blob/master/lib/middleware.js> (read 2026-11).
pub const SIGNATURE_PARAMETER: &str = "sig";

/// [`SIGNATURE_HEADER`], read once instead of for every request.
static SIGNATURE_NAME: HeaderName = HeaderName::from_static(SIGNATURE_HEADER);

/// Largest body taken. Callbacks are a few kilobytes; the longest text stays far below.
pub const MAX_BODY: usize = 1 << 20;

/// Checks a webhook: a POST within [`MAX_BODY`], signed under `token` in [`SIGNATURE_HEADER`], or in
/// [`SIGNATURE_PARAMETER`] when the header is absent.
///
/// # Errors
/// [`Rejected`]; always, when the token is empty: anybody can sign with nothing.
pub fn verify<'a>(request: &'a WebhookRequest, token: &Secret) -> Result<Verified<'a>, Rejected> {
    if request.method != Method::POST {
        return Err(Rejected::new(RejectReason::WrongMethod));
    }
    if request.body.len() > MAX_BODY {
        return Err(Rejected::new(RejectReason::TooLarge));
    }
    if token.is_empty() {
        return Err(Rejected {
            reason: RejectReason::NoWebhook,
            detail: Some("token is not set".to_owned()),
        });
    }
    let signature = match request.headers.get(&SIGNATURE_NAME) {
        // What is no text is no hex either, and a wrong header is not made good by the parameter.
        Some(header) => Some(header.to_str().unwrap_or_default().to_owned()),
        None => request.query_param(SIGNATURE_PARAMETER),
    };
    // What is not hex has no bytes, and no signature is empty.
    let signature = signature.map(|hex| from_hex(&hex).unwrap_or_default());
    Verified::by_hmac_sha256(request, signature.as_deref(), token)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use omni_core::Timestamp;

    use super::*;

    const KEY: &str = "00112233445566aa-bbccddeeff001122-3344556677889900";

    /// Key, body and signature. The first is from Viber's own client library,
    /// <https://github.com/Viber/viber-bot-python/blob/master/tests/api/test_api.py> (read 2026-11); the
    /// others were computed with Python's `hmac`.
    const SIGNED: [(&str, &str, &str); 8] = [
        (
            "44dafb7e0f40021e-61a47a1e6778d187-f2c5a676a07050b3",
            r#"{"event":"webhook","timestamp":4977069964384421269,"message_token":1478683725125}"#,
            "d21b343448c8aee33b8e93768ef6ceb64a6ba6163099973a2b8bd028fea510ef",
        ),
        (
            KEY,
            r#"{"event":"message","timestamp":1760000000123,"message_token":5901234567890123456,"sender":{"id":"uQ0abcd1234EFGH5678ijA==","name":"Ольга"},"message":{"type":"text","text":"Добрый день"}}"#,
            "f8ebdd2f2678c1cd05f1b4b1fd4963d9832147df42ed38f73982edd758e4d298",
        ),
        (
            KEY,
            r#"{"event":"message","message":{"type":"text","text":"👟 42 размер? 👍🏽"}}"#,
            "38cd953e4fda3d207d980fbd0705d125c7f1b39f86bb026497ff43db03261b00",
        ),
        (
            KEY,
            "{\"event\":\"message\",\"message\":{\"type\":\"text\",\"text\":\"👨\u{200d}👩\u{200d}👧\u{200d}👦 едем к вам\"}}",
            "7d0d23d7022fc88c5286ab05b006951c388bdce114cd8686585ef211126bd6c7",
        ),
        (KEY, "{}", "34ef00b75da3013f776faa80c54e201cdecaa6e28af191fa25533e9c7074d98f"),
        (KEY, "", "2705d289f1a3128dd463ae8b9170eb3d4f1d58c71386c1eb801e27d5068199bc"),
        (
            KEY,
            "{ \"event\" : \"seen\" ,\n  \"user_id\":\"a/b+c==\" }\n",
            "765dac6ca338a6f7a012d49516e239646f696af15eea5b391d218052fbe13a87",
        ),
        (
            KEY,
            r#"{"event":"message","message":{"type":"text","text":"\u0414\u0430 \ud83d\ude00"}}"#,
            "68c9533788892329c520eb8166f880e0b29cc0c2f79735b504df6b0257169743",
        ),
    ];

    fn post(body: impl Into<bytes::Bytes>, signature: Option<&str>) -> WebhookRequest {
        let mut request = WebhookRequest::post("/hook", body, Timestamp::default());
        if let Some(signature) = signature {
            request.headers.insert(SIGNATURE_HEADER, HeaderValue::from_str(signature).unwrap());
        }
        request
    }

    fn reason(request: &WebhookRequest, key: &str) -> Option<RejectReason> {
        verify(request, &Secret::new(key)).err().map(|rejected| rejected.reason)
    }

    #[test]
    fn what_viber_signed_is_genuine_by_header_and_by_parameter() {
        for (key, body, signature) in SIGNED {
            assert_eq!(reason(&post(body, Some(signature)), key), None, "{body}");
            let mut by_parameter = post(body, None);
            by_parameter.query = Some(format!("tenant=7&sig={signature}"));
            assert_eq!(reason(&by_parameter, key), None, "{body}");
        }
    }

    #[test]
    fn a_body_written_anew_is_another_one() {
        for (key, body, signature) in SIGNED {
            let anew = match serde_json::from_str::<serde_json::Value>(body) {
                Ok(value) => serde_json::to_string_pretty(&value).unwrap() + "\n",
                Err(_) => " ".to_owned(),
            };
            let found = reason(&post(anew, Some(signature)), key);
            assert_eq!(found, Some(RejectReason::WrongSecret), "{body}");
        }
    }

    #[test]
    fn a_wrong_signature_or_key_opens_nothing() {
        let [_, (key, body, signature), ..] = SIGNED;
        let zeros = "0".repeat(64);
        for wrong in ["", "xyz", &signature[1..], &signature[..62], &format!("{signature}00"), &zeros] {
            let found = reason(&post(body, Some(wrong)), key);
            assert_eq!(found, Some(RejectReason::WrongSecret), "{wrong}");
        }
        assert_eq!(reason(&post(body, Some(signature)), SIGNED[0].0), Some(RejectReason::WrongSecret));
        assert_eq!(reason(&post(body, None), key), Some(RejectReason::MissingSecret));
        assert_eq!(reason(&post(body, Some(signature)), ""), Some(RejectReason::NoWebhook));
    }

    #[test]
    fn a_wrong_header_is_not_made_good_by_the_parameter() {
        let [_, (key, body, signature), ..] = SIGNED;
        let mut request = post(body, Some(&"0".repeat(64)));
        request.query = Some(format!("sig={signature}"));
        assert_eq!(reason(&request, key), Some(RejectReason::WrongSecret));
    }

    #[test]
    fn other_methods_and_huge_bodies_are_refused_before_anything_is_computed() {
        let [_, (key, body, signature), ..] = SIGNED;
        let mut get = post(body, Some(signature));
        get.method = Method::GET;
        assert_eq!(reason(&get, key), Some(RejectReason::WrongMethod));
        let huge = post(vec![b' '; MAX_BODY + 1], Some(signature));
        assert_eq!(reason(&huge, key), Some(RejectReason::TooLarge));
    }
}
