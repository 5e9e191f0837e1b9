//! Whether a webhook is from VK.

use http::Method;
use omni_core::Secret;
use omni_core::webhook::{RejectReason, Rejected, Verified, WebhookRequest};

use crate::wire::Claim;

/// Largest body taken. A message with all its forwarded ones is cut by VK itself, far below
/// (`is_cropped`).
pub const MAX_BODY: usize = 4 << 20;

/// The type of the request by which VK asks whether an address wants its events.
pub const CONFIRMATION: &str = "confirmation";

/// Checks a webhook: a POST within [`MAX_BODY`], for this community, with the secret in its body, compared in
/// constant time.
///
/// - VK signs nothing and sends no time: the secret in the JSON body and the community's number are all there is.
///   <https://dev.vk.com/api/callback/getting-started> (read 2026-11)
/// - A `confirmation` may lack the secret: whether VK sends it along depends on how the server was entered. A wrong
///   secret is refused there too.
///
/// # Errors
/// [`Rejected`]; always, when no secret is expected: an open door would let anybody speak for any customer.
pub fn verify<'a>(
    request: &'a WebhookRequest,
    group_id: i64,
    expected: Option<&Secret>,
) -> Result<Verified<'a>, Rejected> {
    if request.method != Method::POST {
        return Err(Rejected::new(RejectReason::WrongMethod));
    }
    if request.body.len() > MAX_BODY {
        return Err(Rejected::new(RejectReason::TooLarge));
    }
    let Some(expected) = expected else {
        return Err(Rejected {
            reason: RejectReason::NoWebhook,
            detail: Some("secret is not set, or the channel receives by long polling".to_owned()),
        });
    };
    let claim: Claim<'_> = serde_json::from_slice(&request.body).map_err(|e| Rejected::malformed(&e))?;
    if claim.group_id != group_id {
        return Err(Rejected::new(RejectReason::UnknownAccount));
    }
    match &claim.secret {
        None if &*claim.kind == CONFIRMATION => Ok(Verified::trusted(request)),
        given => Verified::by_secret(request, given.as_deref().map(str::as_bytes), expected),
    }
}

#[cfg(test)]
mod tests {
    use omni_core::Timestamp;

    use super::*;

    const GROUP: i64 = 123_456;

    fn request(body: &str) -> WebhookRequest {
        WebhookRequest::post("/hook", body.to_owned(), Timestamp::default())
    }

    fn reason(body: &str) -> Option<RejectReason> {
        verify(&request(body), GROUP, Some(&Secret::new("s3cr3tABC"))).err().map(|rejected| rejected.reason)
    }

    fn event(secret: &str) -> String {
        format!(r#"{{"type":"message_new","group_id":123456,{secret}"object":{{"text":"да 👍"}}}}"#)
    }

    #[test]
    fn only_the_whole_secret_opens() {
        assert_eq!(reason(&event(r#""secret":"s3cr3tABC","#)), None);
        for wrong in ["s3cr3tAB", "S3cr3tABC", "s3cr3tABC1", "", "x"] {
            let found = reason(&event(&format!(r#""secret":"{wrong}","#)));
            assert_eq!(found, Some(RejectReason::WrongSecret), "{wrong}");
        }
        for missing in ["", r#""secret":null,"#] {
            assert_eq!(reason(&event(missing)), Some(RejectReason::MissingSecret));
        }
    }

    #[test]
    fn a_secret_deeper_in_the_body_opens_nothing() {
        let body =
            r#"{"type":"message_new","group_id":123456,"object":{"secret":"s3cr3tABC","text":"secret"}}"#;
        assert_eq!(reason(body), Some(RejectReason::MissingSecret));
        let twice = event(r#""secret":"s3cr3tABC","secret":"x","#);
        assert_eq!(reason(&twice), Some(RejectReason::Malformed));
    }

    #[test]
    fn a_confirmation_may_lack_the_secret_and_may_not_have_a_wrong_one() {
        let confirmation =
            |rest: &str| format!(r#"{{"type":"confirmation","group_id":123456{rest},"event_id":"9c1f"}}"#);
        assert_eq!(reason(&confirmation("")), None);
        assert_eq!(reason(&confirmation(r#","secret":"s3cr3tABC""#)), None);
        assert_eq!(reason(&confirmation(r#","secret":"x""#)), Some(RejectReason::WrongSecret));
        assert_eq!(reason(&confirmation(r#","secret":"""#)), Some(RejectReason::WrongSecret));
    }

    #[test]
    fn another_community_is_not_ours() {
        for body in [
            r#"{"type":"confirmation","group_id":654321}"#,
            r#"{"type":"message_new","group_id":-123456,"secret":"s3cr3tABC"}"#,
        ] {
            assert_eq!(reason(body), Some(RejectReason::UnknownAccount), "{body}");
        }
    }

    #[test]
    fn what_is_no_event_is_malformed() {
        for body in ["", "{", "null", "[]", "{}", r#"{"type":"message_new"}"#, r#"{"group_id":123456}"#] {
            assert_eq!(reason(body), Some(RejectReason::Malformed), "{body}");
        }
    }

    #[test]
    fn without_an_expected_secret_nothing_opens() {
        for body in [event(""), r#"{"type":"confirmation","group_id":123456}"#.to_owned()] {
            let refused = verify(&request(&body), GROUP, None).unwrap_err();
            assert_eq!(refused.reason, RejectReason::NoWebhook);
        }
        let empty = request(&event(r#""secret":"","#));
        let refused = verify(&empty, GROUP, Some(&Secret::new("")));
        assert_eq!(refused.unwrap_err().reason, RejectReason::WrongSecret);
    }

    #[test]
    fn other_methods_and_huge_bodies_are_refused_before_anything_is_read() {
        let expected = Secret::new("s3cret");
        let mut get = request("{}");
        get.method = Method::GET;
        assert_eq!(verify(&get, GROUP, Some(&expected)).unwrap_err().reason, RejectReason::WrongMethod);
        let mut huge = request("");
        huge.body = vec![b' '; MAX_BODY + 1].into();
        assert_eq!(verify(&huge, GROUP, Some(&expected)).unwrap_err().reason, RejectReason::TooLarge);
    }
}
