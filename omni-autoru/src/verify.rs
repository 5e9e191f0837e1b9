//! Whether a webhook is from Auto.ru.

use http::Method;
use omni_core::Secret;
use omni_core::crypto::constant_time_eq;
use omni_core::webhook::{RejectReason, Rejected, Verified, WebhookRequest};

/// The query parameter that carries the ChatId. There is no signature, no header and no time stamp; a replay is
/// recognised by the message's id.
/// <https://yandex.ru/dev/autoru/doc/ru/reference/chats/basic/chats-user-message> (read 2026-11)
pub const CHAT_ID: &str = "chat_id";

/// Largest body taken. Messages are a few kilobytes: pictures come as addresses.
pub const MAX_BODY: usize = 1 << 20;

/// The secrets that a webhook has to bring.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The ChatId, in the query.
    pub chat_id: &'a Secret,
    /// The last part of the path, where one is set.
    pub path_secret: Option<&'a Secret>,
}

/// Checks a webhook: a POST within [`MAX_BODY`] with the ChatId in its query and the path secret at the end of its
/// path. Both are compared in constant time, and a wrong one is answered as a wrong address is, whichever it was.
///
/// # Errors
/// [`Rejected`]; always, when nothing is expected: an open door would let anybody speak for any buyer.
pub fn verify<'a>(
    request: &'a WebhookRequest,
    expected: Option<Expected<'_>>,
) -> Result<Verified<'a>, Rejected> {
    if request.method != Method::POST {
        return Err(Rejected::new(RejectReason::WrongMethod));
    }
    if request.body.len() > MAX_BODY {
        return Err(Rejected::new(RejectReason::TooLarge));
    }
    let Some(Expected { chat_id, path_secret }) = expected else {
        return Err(Rejected {
            reason: RejectReason::NoWebhook,
            detail: Some("this account does not receive by webhook".to_owned()),
        });
    };
    let given = request.query_param(CHAT_ID);
    let by_chat = Verified::by_secret(request, given.as_deref().map(str::as_bytes), chat_id);
    let last = request.path.rsplit('/').next().unwrap_or_default();
    let path_fits =
        path_secret.is_none_or(|secret| constant_time_eq(last.as_bytes(), secret.expose().as_bytes()));
    match by_chat {
        Ok(verified) if path_fits => Ok(verified),
        _ => Err(Rejected::new(RejectReason::UnknownAccount)),
    }
}

#[cfg(test)]
mod tests {
    use omni_core::Timestamp;

    use super::*;

    fn request(path: &str, query: Option<&str>) -> WebhookRequest {
        let mut request = WebhookRequest::post(path, "{}", Timestamp::default());
        request.query = query.map(str::to_owned);
        request
    }

    fn reason(request: &WebhookRequest, chat_id: &str, path_secret: Option<&str>) -> Option<RejectReason> {
        let (chat_id, path_secret) = (Secret::new(chat_id), path_secret.map(Secret::new));
        let expected = Expected { chat_id: &chat_id, path_secret: path_secret.as_ref() };
        verify(request, Some(expected)).err().map(|rejected| rejected.reason)
    }

    const UNKNOWN: Option<RejectReason> = Some(RejectReason::UnknownAccount);

    #[test]
    fn only_the_whole_chat_id_opens() {
        let with = |query| reason(&request("/hook", query), "Vj72x3B9NTk0_-aa", None);
        assert_eq!(with(Some("chat_id=Vj72x3B9NTk0_-aa")), None);
        assert_eq!(with(Some("x=1&chat_id=%56j72x3B9NTk0_-aa")), None, "escaped it is the same");
        for wrong in
            ["chat_id=Vj72x3B9NTk0_-a", "chat_id=vj72x3B9NTk0_-aa", "chat_id=", "token=Vj72x3B9NTk0_-aa"]
        {
            assert_eq!(with(Some(wrong)), UNKNOWN, "{wrong}");
        }
        assert_eq!(with(None), UNKNOWN);
    }

    #[test]
    fn the_path_secret_is_asked_for_too_and_a_wrong_one_looks_the_same() {
        let at = |path: &str, chat: &str| {
            reason(&request(path, Some(&format!("chat_id={chat}"))), "Vj72x3B9NT", Some("p4th"))
        };
        assert_eq!(at("/hook/p4th", "Vj72x3B9NT"), None);
        for path in ["/hook", "/hook/", "/hook/p4t", "/p4th/hook", "p4th/"] {
            assert_eq!(at(path, "Vj72x3B9NT"), UNKNOWN, "{path}");
        }
        assert_eq!(at("/hook/p4th", "Vj72x3B9N"), UNKNOWN);
        let refused = verify(&request("/hook", None), None).unwrap_err();
        assert_eq!(Rejected::new(RejectReason::UnknownAccount).status(), refused.status());
    }

    #[test]
    fn without_an_expected_secret_nothing_opens() {
        assert_eq!(reason(&request("/hook", Some("chat_id=")), "", None), UNKNOWN);
        let open = request("/hook", Some("chat_id=x"));
        assert_eq!(verify(&open, None).unwrap_err().reason, RejectReason::NoWebhook);
    }

    #[test]
    fn other_methods_and_huge_bodies_are_refused_before_anything_is_compared() {
        let mut get = request("/hook", Some("chat_id=Vj72x3B9NT"));
        get.method = Method::GET;
        assert_eq!(reason(&get, "Vj72x3B9NT", None), Some(RejectReason::WrongMethod));
        let mut huge = request("/hook", Some("chat_id=Vj72x3B9NT"));
        huge.body = vec![b' '; MAX_BODY + 1].into();
        assert_eq!(reason(&huge, "Vj72x3B9NT", None), Some(RejectReason::TooLarge));
    }
}
