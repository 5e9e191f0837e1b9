//! What of a mail is new, what is quoted, what is signature.

/// A text, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// What the writer says. Never empty when the text is not.
    pub visible: String,
    /// The mail it answers.
    pub quoted: Option<String>,
    /// The signature.
    pub signature: Option<String>,
}

/// Takes a text apart. `html` is the mail's HTML as it came, not cleaned: cleaning takes away the marks by which
/// mailers tell their quotes.
pub fn cut(text: &str, html: Option<&str>) -> Cut {
    let _ = html;
    Cut { visible: text.to_owned(), quoted: None, signature: None }
}
