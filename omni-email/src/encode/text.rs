//! Words with entities, as plain text and as HTML. What is written in them never becomes markup.

use omni_core::Text;
use omni_core::text::{Entity, EntityKind};
use url::Url;

/// What a link may lead to; any other address is shown and leads nowhere.
const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];

/// The words as plain text: addresses of links behind their words, quotations behind `>`.
pub fn plain(text: &Text) -> String {
    let marks = marks(text);
    let mut out = String::with_capacity(text.plain.len());
    let mut at_start = true;
    for (index, c) in text.plain.char_indices() {
        for mark in marks.iter().filter(|mark| mark.end == index) {
            push_target(&mut out, mark, &text.plain);
        }
        let is_quoted =
            marks.iter().any(|m| *m.kind == EntityKind::Quote && (m.start..m.end).contains(&index));
        if at_start && is_quoted {
            out.push_str("> ");
        }
        at_start = c == '\n';
        out.push(c);
    }
    for mark in marks.iter().filter(|mark| mark.end == text.plain.len()) {
        push_target(&mut out, mark, &text.plain);
    }
    tidy(&out)
}

fn push_target(out: &mut String, mark: &Mark<'_>, plain: &str) {
    let words = plain.get(mark.start..mark.end).unwrap_or_default().trim();
    if let EntityKind::Link { url } = mark.kind {
        let told = url.strip_prefix("mailto:").or(url.strip_prefix("tel:")).unwrap_or(url);
        if told != words {
            out.push_str(" <");
            out.push_str(told);
            out.push('>');
        }
    }
}

/// The words as HTML, when they hold something that plain text does not show as well.
pub fn html(text: &Text) -> Option<String> {
    let marks: Vec<Mark<'_>> = marks(text).into_iter().filter(|mark| mark.tags().is_some()).collect();
    (!marks.is_empty()).then(|| format!("<div>{}</div>", tagged(&text.plain, &marks)))
}

/// Plain words as HTML.
pub fn escaped(text: &str) -> String {
    tagged(&tidy(text), &[])
}

/// A text with entities, in bytes of its words.
struct Mark<'a> {
    start: usize,
    end: usize,
    kind: &'a EntityKind,
}

impl Mark<'_> {
    /// How it opens and closes; `None` for what has no form of its own.
    fn tags(&self) -> Option<(String, &'static str)> {
        let simple = |open: &str, close| Some((open.to_owned(), close));
        match self.kind {
            EntityKind::Bold => simple("<b>", "</b>"),
            EntityKind::Italic => simple("<i>", "</i>"),
            EntityKind::Underline => simple("<u>", "</u>"),
            EntityKind::Strike => simple("<s>", "</s>"),
            EntityKind::Code => simple("<code>", "</code>"),
            EntityKind::Pre { .. } => simple("<pre>", "</pre>"),
            EntityKind::Quote => simple("<blockquote>", "</blockquote>"),
            EntityKind::Link { url } => link(url).map(|url| (format!("<a href=\"{url}\">"), "</a>")),
            _ => None,
        }
    }
}

/// An address fit for `href`.
fn link(url: &str) -> Option<String> {
    let url = Url::parse(url.trim()).ok()?;
    SCHEMES.contains(&url.scheme()).then(|| {
        let mut out = String::new();
        url.as_str().chars().for_each(|c| push_escaped(&mut out, c));
        out
    })
}

/// The entities that cover words, outer ones first.
fn marks(text: &Text) -> Vec<Mark<'_>> {
    let mut marks: Vec<Mark<'_>> =
        text.entities.iter().filter_map(|entity| mark(&text.plain, entity)).collect();
    marks.sort_by_key(|mark| (mark.start, std::cmp::Reverse(mark.end)));
    marks
}

fn mark<'a>(plain: &str, entity: &'a Entity) -> Option<Mark<'a>> {
    let start = byte_at(plain, entity.offset)?;
    let end = byte_at(plain, entity.offset.checked_add(entity.length)?)?;
    (start < end).then_some(Mark { start, end, kind: &entity.kind })
}

/// The byte at a UTF-16 offset; `None` past the end or within a character.
fn byte_at(text: &str, utf16: u32) -> Option<usize> {
    let mut seen = 0;
    for (index, c) in text.char_indices() {
        if seen >= utf16 {
            return (seen == utf16).then_some(index);
        }
        seen += u32::try_from(c.len_utf16()).unwrap_or(2);
    }
    (seen == utf16).then_some(text.len())
}

/// Words with tags around marked ranges. Ranges that cross are cut where the outer one ends, so tags always nest.
fn tagged(plain: &str, marks: &[Mark<'_>]) -> String {
    let mut out = String::with_capacity(plain.len() + plain.len() / 4);
    let mut open: Vec<(usize, &Mark<'_>)> = Vec::new();
    let mut previous = '\n';
    for (index, c) in plain.char_indices() {
        close(&mut out, &mut open, index);
        for mark in marks.iter().filter(|mark| mark.start == index) {
            push_open(&mut out, mark);
            open.push((mark.end, mark));
        }
        let is_pre = open.iter().any(|(_, mark)| matches!(mark.kind, EntityKind::Pre { .. }));
        match c {
            '\n' if !is_pre => out.push_str("<br>\n"),
            '\r' => {}
            // Blanks side by side, and at the start of a line, would be one or none.
            ' ' if !is_pre && matches!(previous, ' ' | '\n') => out.push_str("&nbsp;"),
            c if c.is_control() && !matches!(c, '\n' | '\t') => {}
            c => push_escaped(&mut out, c),
        }
        previous = c;
    }
    close(&mut out, &mut open, plain.len());
    out
}

/// Closes what ends at `index`; what was opened within it is closed too and opened again.
fn close(out: &mut String, open: &mut Vec<(usize, &Mark<'_>)>, index: usize) {
    let Some(first) = open.iter().position(|(end, _)| *end <= index) else { return };
    let inner = open.split_off(first);
    for (_, mark) in inner.iter().rev() {
        out.push_str(mark.tags().map_or("", |(_, close)| close));
    }
    for (end, mark) in inner.into_iter().filter(|(end, _)| *end > index) {
        push_open(out, mark);
        open.push((end, mark));
    }
}

fn push_open(out: &mut String, mark: &Mark<'_>) {
    if let Some((tag, _)) = mark.tags() {
        out.push_str(&tag);
    }
}

fn push_escaped(out: &mut String, c: char) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        c => out.push(c),
    }
}

/// Lines end in LF, and no control characters but tabs are left.
pub(super) fn tidy(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}
