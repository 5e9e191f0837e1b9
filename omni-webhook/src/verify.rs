//! Whether a webhook is from the program, and how requests to it are signed: the same way.

use std::time::Duration;

use http::{HeaderName, Method};
use omni_core::crypto::{from_hex, hmac_sha256};
use omni_core::webhook::{RejectReason, Rejected, Verified, WebhookRequest};
use omni_core::{Secret, Timestamp};

/// The header that says when a request was signed, in seconds since 1970-01-01T00:00:00Z.
pub const TIMESTAMP_HEADER: &str = "x-omni-timestamp";
/// The header with the signatures: `v1=` and the hex of HMAC-SHA-256 over `<timestamp>.<raw body>`, several with
/// commas between them while keys change.
pub const SIGNATURE_HEADER: &str = "x-omni-signature";
/// The header by which the program recognises a repeated message.
pub const DELIVERY_HEADER: &str = "x-omni-delivery";
/// What stands in front of a signature; what begins otherwise is of another version, and passed over.
pub const VERSION: &str = "v1=";

/// Largest body taken.
pub const MAX_BODY: usize = 1 << 20;
/// Most signatures looked at: as many as there are keys.
const MAX_SIGNATURES: usize = 4;

static TIMESTAMP_NAME: HeaderName = HeaderName::from_static(TIMESTAMP_HEADER);
static SIGNATURE_NAME: HeaderName = HeaderName::from_static(SIGNATURE_HEADER);

/// Checks a webhook: a POST within [`MAX_BODY`], signed under one of `keys`, not longer than `tolerance` ago.
///
/// # Errors
/// [`Rejected`].
pub fn verify<'a>(
    request: &'a WebhookRequest,
    keys: &[Secret],
    tolerance: Duration,
) -> Result<Verified<'a>, Rejected> {
    if request.method != Method::POST {
        return Err(Rejected::new(RejectReason::WrongMethod));
    }
    if request.body.len() > MAX_BODY {
        return Err(Rejected::new(RejectReason::TooLarge));
    }
    let text = |name: &HeaderName| request.headers.get(name).and_then(|value| value.to_str().ok());
    let signatures = signatures(text(&SIGNATURE_NAME).unwrap_or_default());
    Verified::by_timed_hmac_sha256(request, text(&TIMESTAMP_NAME), &signatures, keys, tolerance)
}

/// The signatures of this version in a header. What is not hex has no bytes, and no signature is empty.
fn signatures(header: &str) -> Vec<Vec<u8>> {
    let ours = header.split(',').filter_map(|one| one.trim().strip_prefix(VERSION));
    ours.take(MAX_SIGNATURES).map(|hex| from_hex(hex).unwrap_or_default()).collect()
}

/// Signs a body: the values of [`TIMESTAMP_HEADER`] and [`SIGNATURE_HEADER`].
pub fn sign(key: &Secret, at: Timestamp, body: &[u8]) -> (String, String) {
    use std::fmt::Write;
    let timestamp = at.as_millis().div_euclid(1000).to_string();
    let signed = [timestamp.as_bytes(), b".", body].concat();
    let mut signature = String::from(VERSION);
    for byte in hmac_sha256(key.expose().as_bytes(), &signed) {
        // Writing into a string cannot fail.
        let _ = write!(signature, "{byte:02x}");
    }
    (timestamp, signature)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const KEY: &str = "5d41402abc4b2a76b9719d911017c592";
    const NEXT: &str = "7d793037a0760186574b0282f2f435e7";
    const AT: i64 = 1_767_225_600;

    /// Body and signature at [`AT`] under [`KEY`], computed with Python's `hmac`.
    const SIGNED: [(&str, &str); 4] = [
        ("", "c5fd4b4b4cd689563d30db3a9738112d4c8696c74c7e1ebe2a1ae752e140a2d9"),
        (r#"{"events":[]}"#, "486d3810c7e3c05b26da3e005d9d8deacac7ec6cdc336527ea4ff9600f70a302"),
        (r#"{"type":"ping"}"#, "077263622f8dbdfb9ac7b6cba87fcfc4eb3850beda528453f00e3f95553bae0f"),
        (
            "{\"text\": \"Привет 👨\u{200d}👩\u{200d}👧\u{200d}👦\" }\n",
            "d7f15202bd02ebd335716ec00ca22dcb58af5942f47f9b7afbb2634198264c15",
        ),
    ];

    fn post(body: &str, signature: Option<&str>) -> WebhookRequest {
        let mut request = WebhookRequest::post("/hook", body.to_owned(), Timestamp::from_secs(AT));
        request.headers.insert(TIMESTAMP_HEADER, HeaderValue::from(AT));
        if let Some(signature) = signature {
            request.headers.insert(SIGNATURE_HEADER, HeaderValue::from_str(signature).unwrap());
        }
        request
    }

    fn reason(request: &WebhookRequest, keys: &[&str]) -> Option<RejectReason> {
        let keys: Vec<Secret> = keys.iter().map(|key| Secret::new(*key)).collect();
        verify(request, &keys, Duration::from_secs(300)).err().map(|rejected| rejected.reason)
    }

    #[test]
    fn signing_and_verifying_agree_with_another_program() {
        for (body, signature) in SIGNED {
            let whole = format!("v1={signature}");
            let signed = sign(&Secret::new(KEY), Timestamp::from_millis(AT * 1000 + 999), body.as_bytes());
            assert_eq!(signed, (AT.to_string(), whole.clone()), "{body}");
            assert_eq!(reason(&post(body, Some(&whole)), &[KEY]), None, "{body}");
            assert_eq!(reason(&post(body, Some(&whole.to_uppercase().replace("V1", "v1"))), &[KEY]), None);
        }
    }

    #[test]
    fn while_keys_change_either_side_may_be_first() {
        let [_, (body, old), ..] = SIGNED;
        let (_, new) = sign(&Secret::new(NEXT), Timestamp::from_secs(AT), body.as_bytes());
        let (old, both) = (format!("v1={old}"), format!("v1={old}, {new}"));
        for (signature, keys) in [
            (&old, &[NEXT, KEY][..]),
            (&new, &[KEY, NEXT]),
            (&both, &[KEY]),
            (&both, &[NEXT]),
            (&format!("v2=00,v0,{new}"), &[NEXT]),
        ] {
            assert_eq!(reason(&post(body, Some(signature)), keys), None, "{signature}");
        }
        assert_eq!(reason(&post(body, Some(&old)), &[NEXT]), Some(RejectReason::WrongSecret));
    }

    #[test]
    fn a_wrong_signature_opens_nothing() {
        let [_, (body, signature), ..] = SIGNED;
        let zeros = "0".repeat(64);
        for wrong in [
            "v1=",
            "v1=xyz",
            &format!("v1={}", &signature[..62]),
            &format!("v1={signature}00"),
            &format!("v1={zeros}"),
        ] {
            assert_eq!(reason(&post(body, Some(wrong)), &[KEY]), Some(RejectReason::WrongSecret), "{wrong}");
        }
        // Without its version it is no signature at all.
        for none in ["", signature, &format!("v2={signature}"), &format!("sha256={signature}")] {
            assert_eq!(reason(&post(body, Some(none)), &[KEY]), Some(RejectReason::MissingSecret), "{none}");
        }
        assert_eq!(reason(&post(body, None), &[KEY]), Some(RejectReason::MissingSecret));
        let mut untimed = post(body, Some(&format!("v1={signature}")));
        untimed.headers.remove(TIMESTAMP_HEADER);
        assert_eq!(reason(&untimed, &[KEY]), Some(RejectReason::MissingSecret));
    }

    #[test]
    fn a_body_or_time_written_anew_is_another_one() {
        let [_, (body, signature), ..] = SIGNED;
        let signature = format!("v1={signature}");
        let anew = post(&format!("{body} "), Some(&signature));
        assert_eq!(reason(&anew, &[KEY]), Some(RejectReason::WrongSecret));
        let mut later = post(body, Some(&signature));
        later.headers.insert(TIMESTAMP_HEADER, HeaderValue::from(AT + 1));
        assert_eq!(reason(&later, &[KEY]), Some(RejectReason::WrongSecret));
    }

    #[test]
    fn what_was_recorded_long_ago_is_stale() {
        let [_, (body, signature), ..] = SIGNED;
        for (later, expected) in
            [(300, None), (-300, None), (302, Some(RejectReason::Stale)), (-301, Some(RejectReason::Stale))]
        {
            let mut request = post(body, Some(&format!("v1={signature}")));
            request.received_at = Timestamp::from_secs(AT + later);
            assert_eq!(reason(&request, &[KEY]), expected, "{later}");
        }
    }

    #[test]
    fn other_methods_and_huge_bodies_are_refused_before_anything_is_computed() {
        let mut get = post("", None);
        get.method = Method::GET;
        assert_eq!(reason(&get, &[KEY]), Some(RejectReason::WrongMethod));
        let huge = post(&" ".repeat(MAX_BODY + 1), None);
        assert_eq!(reason(&huge, &[KEY]), Some(RejectReason::TooLarge));
    }
}
