//! HTML: cleaned, and as text.

/// HTML fit to be shown: nothing in it runs, nothing is loaded from elsewhere.
pub fn clean(html: &str) -> String {
    ammonia::clean(html)
}

/// HTML as plain text.
pub fn text(html: &str) -> String {
    html2text::from_read(clean(html).as_bytes(), 10_000).unwrap_or_default()
}
