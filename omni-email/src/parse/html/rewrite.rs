//! One pass over the tokens of HTML, before it is cleaned or read.
//!
//! What comes out is well nested and not deep, whatever came in: trees of wrongly nested HTML can grow with the square
//! of its length, and deep ones exhaust what walks them.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use super::render::Reader;
use super::style::{self, Sight};
use super::tags;

/// The attribute that holds the address of a remote picture.
pub(crate) const REMOTE: &str = "data-remote-src";

/// Deepest nesting that is kept. Real newsletters reach forty.
const MAX_DEPTH: usize = 100;

/// Elements without an end.
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr", "basefont", "bgsound", "frame", "keygen",
];

/// Elements whose content is not for readers.
const DROPPED: &[&str] = &[
    "script", "style", "title", "noscript", "template", "svg", "math", "iframe", "object", "applet",
    "noembed", "noframes", "xmp", "select", "audio", "video", "canvas",
];

/// Elements that end an open paragraph.
const BLOCKS: &[&str] = &[
    "p",
    "div",
    "table",
    "ul",
    "ol",
    "dl",
    "pre",
    "blockquote",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "center",
    "form",
    "section",
    "article",
    "header",
    "footer",
    "address",
    "fieldset",
    "figure",
];

/// What the pass writes to.
pub(super) trait Writer {
    /// An element begins. What is given back is handed to [`Self::close`] when it ends.
    fn open(&mut self, tag: &Element<'_>) -> Closing;
    /// An element that was opened ends.
    fn close(&mut self, name: &str, closing: Closing);
    /// Words.
    fn words(&mut self, words: &str);
}

/// What is to be done when an element ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Closing(pub(super) String);

/// The start of an element.
#[derive(Debug)]
pub(super) struct Element<'a> {
    pub(super) name: &'a str,
    attributes: &'a Tag,
}

impl Element<'_> {
    /// The value of an attribute.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// Names and values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes.attrs.iter().map(|a| (&*a.name.local, &*a.value))
    }

    /// Whether it has this class.
    pub(super) fn is_of(&self, class: &str) -> bool {
        self.get("class").is_some_and(|classes| classes.split_whitespace().any(|c| c == class))
    }
}

/// The same HTML, well nested, without what is hidden, remote pictures out of the way.
pub(super) fn to_show(html: &str) -> String {
    run(html, Show { out: String::with_capacity(html.len()), references: 0 }).out
}

/// Runs over HTML.
pub(super) fn run<W: Writer>(html: &str, writer: W) -> W {
    let state = State { writer, open: Vec::new(), hidden: 0 };
    let tokenizer = Tokenizer::new(Sink(RefCell::new(state)), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(&*tags::bounded(html)));
    // It stops where a sink wants it to, and ours never does.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let mut state = tokenizer.sink.0.into_inner();
    state.close_down_to(0);
    state.writer
}

struct Sink<W>(RefCell<State<W>>);

struct State<W> {
    writer: W,
    open: Vec<Open>,
    /// How many of the open elements hide what is in them.
    hidden: usize,
}

struct Open {
    name: String,
    closing: Option<Closing>,
    hides: bool,
    /// Whether words here have no size.
    sizeless: bool,
}

impl<W: Writer> TokenSink for Sink<W> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => state.start(&tag),
            Token::TagToken(tag) => {
                state.end(&tag.name);
                TokenSinkResult::Continue
            }
            Token::CharacterTokens(words) => {
                state.words(&words);
                TokenSinkResult::Continue
            }
            // Comments hold what Outlook alone reads; the rest is nothing to readers.
            _ => TokenSinkResult::Continue,
        }
    }
}

impl<W: Writer> State<W> {
    fn start(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        self.end_implied(name);
        let element = Element { name, attributes: tag };
        let sight = match element.get("hidden") {
            Some(_) => Sight::Hidden,
            None => element.get("style").map_or(Sight::Shown, style::sight),
        };
        let hides = sight == Sight::Hidden || DROPPED.contains(&name);
        let is_seen = self.hidden == 0 && !hides;
        if VOID.contains(&name) {
            if is_seen {
                self.writer.open(&element);
            }
            return TokenSinkResult::Continue;
        }
        // What hides counts once at any depth: its words must not come to light.
        if self.open.len() < MAX_DEPTH || (hides && self.hidden == 0) {
            let former = self.open.last().is_some_and(|open| open.sizeless);
            let sizeless = sight == Sight::Sizeless || (former && sight != Sight::Sized);
            let closing = is_seen.then(|| self.writer.open(&element));
            self.hidden += usize::from(hides);
            self.open.push(Open { name: name.to_owned(), closing, hides, sizeless });
        }
        match name {
            "script" => TokenSinkResult::RawData(RawKind::ScriptData),
            "style" | "xmp" | "iframe" | "noembed" | "noframes" => TokenSinkResult::RawData(RawKind::Rawtext),
            "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
            _ => TokenSinkResult::Continue,
        }
    }

    /// Ends what the start of an element ends by itself.
    fn end_implied(&mut self, name: &str) {
        let (ends, within): (&[&str], &[&str]) = match name {
            "li" => (&["li"], &["ul", "ol"]),
            "dt" | "dd" => (&["dt", "dd"], &["dl"]),
            "td" | "th" => (&["td", "th"], &["tr", "table"]),
            "tr" => (&["tr"], &["table"]),
            "tbody" | "thead" | "tfoot" => (&["tbody", "thead", "tfoot"], &["table"]),
            "body" => (&["head"], &[]),
            name if BLOCKS.contains(&name) => {
                (&["p"], &["td", "th", "li", "div", "blockquote", "table", "body"])
            }
            _ => return,
        };
        let inner =
            self.open.iter().rposition(|open| within.contains(&open.name.as_str())).map_or(0, |at| at + 1);
        let found = self.open.iter().skip(inner).position(|open| ends.contains(&open.name.as_str()));
        if let Some(at) = found {
            self.close_down_to(inner + at);
        }
    }

    fn end(&mut self, name: &str) {
        // The end of a part of a cell does not end the cell.
        let is_cell = |open: &Open| matches!(open.name.as_str(), "td" | "th" | "table");
        let from = match name {
            "table" | "tr" | "td" | "th" | "tbody" | "thead" | "tfoot" | "body" | "html" => 0,
            _ => self.open.iter().rposition(is_cell).map_or(0, |at| at + 1),
        };
        match self.open.iter().rposition(|open| open.name == name) {
            Some(at) if at >= from => self.close_down_to(at),
            Some(_) | None if name == "br" => self.words("\n"),
            _ => {}
        }
    }

    fn close_down_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            let Some(open) = self.open.pop() else { return };
            self.hidden -= usize::from(open.hides);
            if let Some(closing) = open.closing {
                self.writer.close(&open.name, closing);
            }
        }
    }

    fn words(&mut self, words: &str) {
        let is_sizeless = self.open.last().is_some_and(|open| open.sizeless);
        if self.hidden == 0 && !is_sizeless {
            self.writer.words(words);
        }
    }
}

/// Most characters of one text that are written as references (`&amp;`). What parses the HTML next adds each to the
/// text before it in a time that grows with that text, so that a megabyte of `&` takes minutes. A comment, which it drops,
/// begins another text.
const MAX_REFERENCES: usize = 256;

/// Writes HTML again.
struct Show {
    out: String,
    /// References since the last tag or comment.
    references: usize,
}

impl Writer for Show {
    fn open(&mut self, tag: &Element<'_>) -> Closing {
        self.references = 0;
        self.out.push('<');
        self.out.push_str(tag.name);
        for (name, value) in tag.iter() {
            let (name, value) = match (tag.name, name) {
                // Of the stranger's own there is none.
                (_, REMOTE) => continue,
                ("img", "src") => match remote(value) {
                    Some(address) => (REMOTE, address),
                    None => (name, value.to_owned()),
                },
                _ => (name, value.to_owned()),
            };
            if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
                self.out.push(' ');
                self.out.push_str(name);
                self.out.push_str("=\"");
                escape(&value, &mut self.out);
                self.out.push('"');
            }
        }
        self.out.push('>');
        Closing::default()
    }

    fn close(&mut self, name: &str, _: Closing) {
        self.references = 0;
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    fn words(&mut self, words: &str) {
        for piece in words.split_inclusive(['&', '<', '>', '"']) {
            escape(piece, &mut self.out);
            self.references += 1;
            if self.references == MAX_REFERENCES {
                self.out.push_str("<!---->");
                self.references = 0;
            }
        }
    }
}

/// The address of a picture that would be loaded from elsewhere.
fn remote(address: &str) -> Option<String> {
    // Browsers pass over these wherever they stand.
    let address: String = address.trim().chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
    if address.starts_with("//") {
        return Some(format!("https:{address}"));
    }
    let url = url::Url::parse(&address).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(address)
}

/// Writes words so that they are words in HTML too.
pub(super) fn escape(words: &str, into: &mut String) {
    for c in words.chars() {
        match c {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\0' => {}
            c => into.push(c),
        }
    }
}

/// Reads HTML as simple blocks with marks between them.
pub(super) fn to_read(html: &str) -> String {
    run(html, Reader::default()).finish()
}
