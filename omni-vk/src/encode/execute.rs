//! Many calls in one. <https://dev.vk.com/method/execute> (read 2026-11)

use std::fmt::Write;

use omni_core::Error;
use omni_core::error::{ErrorKind, Result};

use super::Request;

/// Most calls within one.
pub const CALLS: usize = 25;

/// One call that makes others, in order; its answer is the list of theirs, `false` for each that failed.
///
/// Arguments are written as JSON, so nothing in them can end its string and become code (law 12).
///
/// # Errors
/// None that can happen: text always serialises.
pub fn execute<'a>(requests: impl IntoIterator<Item = &'a Request>) -> Result<Request> {
    let mut code = "return [".to_owned();
    for (index, request) in requests.into_iter().enumerate() {
        if index > 0 {
            code.push(',');
        }
        // Writing to a string never fails.
        let _ = write!(code, "API.{}({})", request.method, arguments(request)?);
    }
    code.push_str("];");
    Ok(Request::new("execute").with("code", code))
}

/// An object of texts. What JSON lets stand in a string and scripts end lines at is escaped too.
fn arguments(request: &Request) -> Result<String> {
    let text = |text: &str| {
        serde_json::to_string(text)
            .map_err(|e| Error::new(ErrorKind::Internal, "execute").with_text(e.to_string()))
    };
    let mut json = "{".to_owned();
    for (index, (name, value)) in request.fields.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        let _ = write!(json, "\"{name}\":{}", text(value)?);
    }
    json.push('}');
    Ok(json.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029").replace('\u{7f}', "\\u007f"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn code(requests: &[Request]) -> String {
        execute(requests).unwrap().fields.remove(0).1
    }

    #[test]
    fn calls_stand_in_order_with_their_arguments() {
        let one = Request::new("messages.send").with("peer_ids", 5).with("message", "да 👍");
        let two = Request::new("wall.createComment").with("guid", "x");
        assert_eq!(
            code(&[one, two]),
            r#"return [API.messages.send({"peer_ids":"5","message":"да 👍"}),API.wall.createComment({"guid":"x"})];"#
        );
    }

    #[test]
    fn words_cannot_become_code() {
        let words = "\"});return API.messages.delete({\"x\":\"\\\n\u{2028}\r\0";
        let code = code(&[Request::new("messages.send").with("message", words)]);
        let json = code.strip_prefix("return [API.messages.send(").unwrap().strip_suffix(")];").unwrap();
        assert_eq!(serde_json::from_str::<Value>(json).unwrap(), json!({"message": words}));
        assert!(!code.contains('\n') && !code.contains('\u{2028}'));
    }

    proptest! {
        #[test]
        fn any_words_come_back_out_of_the_code(words in "\\PC{0,80}|[\"\\\\'(){};\n\u{2028}]{0,20}") {
            let code = code(&[Request::new("messages.send").with("message", &words)]);
            let json = code.strip_prefix("return [API.messages.send(").unwrap().strip_suffix(")];").unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(json).unwrap(), json!({"message": words}));
        }
    }
}
