//! HTML: cleaned, and as text.
//!
//! A mail's HTML comes from a stranger. Everything goes through a pass of our own first, which makes it well nested, bounds
//! its depth, and drops what no reader sees; what is to be shown goes through [`ammonia`] after that. Showing it in a
//! sandboxed frame under a content security policy is still the host's part: cleaning is one layer of several.

use std::borrow::Cow;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use url::Url;

mod render;
mod rewrite;
mod style;
mod tags;

pub(crate) use render::{Kind, Piece, pieces};
pub(crate) use rewrite::REMOTE;

/// Most bytes of HTML that are looked at; the rest is left out.
pub const MAX_BYTES: usize = 2 << 20;

/// Pictures that may stand in the HTML itself: none of these kinds can run anything.
const PICTURES: [&str; 4] = [
    "data:image/png;base64,",
    "data:image/jpeg;base64,",
    "data:image/gif;base64,",
    "data:image/webp;base64,",
];

/// HTML fit to be shown: nothing in it runs, and nothing is loaded from elsewhere.
///
/// Pictures of the mail itself keep their `cid:` address; the address of a remote one moves to `data-remote-src`, so a
/// reader can ask for it, through a proxy. Styles, classes, ids, forms and hidden texts are gone. Of more than
/// [`MAX_BYTES`] the rest is left out.
///
/// ```
/// let html = omni_email::parse::html::clean(r#"<p onclick="x()">Привет<script>x()</script></p><img src="https://t.example/1.gif">"#);
/// assert_eq!(html, r#"<p>Привет</p><img data-remote-src="https://t.example/1.gif">"#);
/// ```
pub fn clean(html: &str) -> String {
    CLEANER.clean(&rewrite::to_show(within(html))).to_string()
}

/// HTML as plain text: quotes as `> ` lines, every link's address once, behind the words that carry it. Of more than
/// [`MAX_BYTES`] the rest is left out.
///
/// ```
/// let html = r#"<p>Да, <a href="https://shop.example/1">вот</a></p><blockquote>Есть?</blockquote>"#;
/// assert_eq!(omni_email::parse::html::text(html), "Да, вот <https://shop.example/1>\n\n> Есть?");
/// ```
pub fn text(html: &str) -> String {
    let words: Vec<String> = pieces(html).into_iter().map(|piece| piece.text).collect();
    words.join("\n\n")
}

/// What of the HTML is looked at.
fn within(html: &str) -> &str {
    let end = (0..=MAX_BYTES.min(html.len())).rev().find(|end| html.is_char_boundary(*end));
    end.and_then(|end| html.get(..end)).unwrap_or_default()
}

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut cleaner = Builder::default();
    cleaner
        .add_url_schemes(["cid", "data"])
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .add_clean_content_tags(["title", "noscript", "template", "svg", "math", "iframe", "object"])
        .add_tag_attributes("img", [REMOTE, "align", "width", "height"])
        .attribute_filter(|element, attribute, value| allowed(element, attribute, value).map(Cow::Borrowed));
    for element in ["table", "td", "th", "tr", "div", "p", "h1", "h2", "h3"] {
        cleaner.add_tag_attributes(element, ["align"]);
    }
    for element in ["table", "td", "th", "col"] {
        cleaner.add_tag_attributes(element, ["width", "height", "colspan"]);
    }
    cleaner
});

/// What may remain of an attribute that is allowed as such: addresses are looked at one by one.
fn allowed<'v>(element: &str, attribute: &str, value: &'v str) -> Option<&'v str> {
    let is_fit = match (element, attribute) {
        ("img", "src") => is_scheme(value, &["cid"]) || is_picture(value),
        ("img", REMOTE) => is_scheme(value, &["http", "https"]),
        (_, "href") => is_scheme(value, &["http", "https", "mailto", "tel", "sms", "ftp"]),
        (_, "cite") => is_scheme(value, &["http", "https", "mid"]),
        _ => true,
    };
    is_fit.then_some(value)
}

/// Whether an address has one of these schemes, read as browsers read it.
fn is_scheme(address: &str, schemes: &[&str]) -> bool {
    Url::parse(address).is_ok_and(|url| schemes.contains(&url.scheme()))
}

fn is_picture(address: &str) -> bool {
    PICTURES.iter().any(|start| address.get(..start.len()).is_some_and(|s| s.eq_ignore_ascii_case(start)))
}

#[cfg(test)]
#[path = "html/tests.rs"]
mod tests;
