//! HTML, entities, multipart and limits, without a socket.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::{error::ApiError, html, limits::Limiter, limits::RateLimits, text};
use crate::sim::multipart;

fn marks(source: &str) -> (String, Value) {
    let (text, entities) = html::parse(source).unwrap();
    (text, entities.into())
}

#[test]
fn html_becomes_text_and_entities_in_utf16_units() {
    let (text, entities) = marks("👋 <b>Иван</b>, <i>ты &lt;тут&gt;</i>?");
    assert_eq!(text, "👋 Иван, ты <тут>?");
    assert_eq!(
        entities,
        json!([{"type": "bold", "offset": 3, "length": 4}, {"type": "italic", "offset": 9, "length": 8}])
    );
    let (text, entities) = marks("<a href=\"https://example.com/?a=1&amp;b=2\">тут</a>");
    assert_eq!(text, "тут");
    assert_eq!(entities[0]["url"], "https://example.com/?a=1&b=2");
    let (_, entities) = marks("<pre><code class=\"language-rust\">fn</code></pre>");
    assert_eq!(entities, json!([{"type": "pre", "language": "rust", "offset": 0, "length": 2}]));
    let (_, entities) = marks("<code class='language-x'>a</code><blockquote expandable>b</blockquote>");
    assert_eq!(
        entities,
        json!([{"type": "code", "offset": 0, "length": 1},
               {"type": "expandable_blockquote", "offset": 1, "length": 1}])
    );
    let (_, entities) = marks("<b><i>x</i> y</b><span class=\"tg-spoiler\">z</span>");
    assert_eq!(entities[0]["type"], "bold");
    assert_eq!(entities[1]["type"], "italic");
    assert_eq!(entities[2]["type"], "spoiler");
    assert_eq!(marks("a &amp; b &nbsp; &#128075; &#x41;").0, "a & b &nbsp; 👋 A");
}

#[test]
fn broken_html_is_refused_with_the_place_of_the_fault() {
    let refused = |source: &str| html::parse(source).unwrap_err();
    assert_eq!(refused("<b>x"), "Can't find end tag corresponding to start tag \"b\"");
    assert_eq!(refused("я<h1>x</h1>"), "Unsupported start tag \"h1\" at byte offset 2");
    assert_eq!(refused("<b>x</i>"), "Unmatched end tag at byte offset 4, expected \"</b>\", found \"</i>\"");
    assert_eq!(refused("x</b>"), "Unexpected end tag at byte offset 1");
    assert_eq!(refused("<b"), "Unclosed start tag at byte offset 0");
    assert_eq!(refused("2 < 3>"), "Unsupported start tag \"\" at byte offset 2");
    assert_eq!(refused("<span>x</span>"), "Tag \"span\" must have class \"tg-spoiler\" at byte offset 0");
    assert_eq!(refused("<a =x>y</a>"), "Empty attribute name in the tag \"a\" at byte offset 0");
    assert_eq!(refused("<a href=\"x>y</a>"), "Unclosed start tag at byte offset 0");
}

#[test]
fn entities_are_held_against_the_text() {
    let check = |text: &str, offset: i64, length: i64| {
        let given = json!([{"type": "bold", "offset": offset, "length": length}]);
        text::format(text, None, Some(&given)).map(|done| done.entities)
    };
    assert_eq!(check("👋 мир", 3, 3).unwrap().len(), 1);
    let refused = |text, offset, length| check(text, offset, length).unwrap_err().description;
    assert_eq!(
        refused("👋", 0, 3),
        "Bad Request: entity beginning at UTF-16 offset 0 ends after the end of the text at UTF-16 offset 3"
    );
    assert_eq!(
        refused("👋x", 1, 2),
        "Bad Request: entity begins in a middle of a UTF-16 symbol at byte offset 4"
    );
    assert_eq!(
        refused("x👋", 0, 2),
        "Bad Request: entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol at byte offset 5"
    );
    assert_eq!(refused("x", -1, 1), "Bad Request: receive an entity with incorrect offset -1");
    assert_eq!(refused("x", 5, 1), "Bad Request: entity begins after the end of the text at UTF-16 offset 5");
}

#[test]
fn text_is_trimmed_and_its_entities_move() {
    let given =
        json!([{"type": "bold", "offset": 2, "length": 3}, {"type": "italic", "offset": 0, "length": 2}]);
    let done = text::format("  мир  ", None, Some(&given)).unwrap();
    assert_eq!(done.text, "мир");
    assert_eq!(done.entities, vec![json!({"type": "bold", "offset": 0, "length": 3})]);
}

#[test]
fn commands_and_links_are_found() {
    let found = text::detect("👋 /help@omni_bot, https://example.com и /");
    assert_eq!(
        found,
        vec![
            json!({"type": "bot_command", "offset": 3, "length": 14}),
            json!({"type": "url", "offset": 19, "length": 19}),
        ]
    );
}

#[test]
fn multipart_keeps_bytes_and_names() {
    let body = b"--B\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n1\r\n--B\r\n\
        Content-Disposition: form-data; name=\"document\"; filename*=utf-8''%D1%81%D1%87%D1%91%D1%82.pdf\r\n\
        Content-Type: application/pdf\r\n\r\n\r\n--\x00\xff\r\n\r\n--B--\r\n";
    let parts = multipart::parse(&Bytes::from_static(body), "B").unwrap();
    assert_eq!(parts[0].data, "1");
    assert_eq!(parts[1].file_name.as_deref(), Some("счёт.pdf"));
    assert_eq!(&parts[1].data[..], b"\r\n--\x00\xff\r\n");
    assert!(multipart::parse(&Bytes::from_static(b"--B\r\nx"), "B").is_none());
    assert_eq!(multipart::boundary("multipart/form-data; boundary=\"a b\"; x=1"), Some("a b"));
}

#[test]
fn codes_keep_their_capitals_and_sentences_lose_the_first() {
    assert_eq!(ApiError::bad_request("BUTTON_DATA_INVALID").description, "Bad Request: BUTTON_DATA_INVALID");
    assert_eq!(
        ApiError::bad_request("Message can't be edited").description,
        "Bad Request: message can't be edited"
    );
}

#[test]
fn buckets_refill_and_tell_how_long_to_wait() {
    let (limits, mut limiter, now) = (RateLimits::default(), Limiter::default(), Instant::now());
    for _ in 0..3 {
        assert_eq!(limiter.take(&limits, 5, now), Ok(()));
    }
    assert_eq!(limiter.take(&limits, 5, now), Err(1));
    assert_eq!(limiter.take(&limits, 6, now), Ok(()));
    assert_eq!(limiter.take(&limits, 5, now + Duration::from_secs(1)), Ok(()));
    for _ in 0..20 {
        assert_eq!(limiter.take(&limits, -100, now + Duration::from_secs(2)), Ok(()));
    }
    assert_eq!(limiter.take(&limits, -100, now + Duration::from_secs(2)), Err(3));
}
