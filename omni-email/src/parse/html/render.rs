//! HTML as text, its quotes and signatures told apart where the mailer marked them.

use std::collections::HashSet;

use html2text::config;
use html2text::render::TextDecorator;
use url::Url;

use super::rewrite::{self, Closing, Element, Writer, escape};
use super::{style, within};

/// Columns of the text: no line of a mail reaches it, so nothing is wrapped that the writer did not wrap.
const WIDTH: usize = 1_000_000;

/// Marks in the text while it is made. These are no characters, and are taken out of what strangers write.
const QUOTE: char = '\u{fdd0}';
const SIGNATURE: char = '\u{fdd1}';
const END: char = '\u{fdd2}';
const CELL: char = '\u{fdd3}';
const BREAK: char = '\u{fdd4}';

/// A rule between blocks, as Outlook writes it into plain text.
const RULE: &str = "________________________________";

/// A stretch of a mail's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

/// What a stretch of text is, by the marks of the mailer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing marks it.
    Plain,
    /// A quote of another mail.
    Quote,
    /// A signature.
    Signature,
}

/// The text of HTML, in order. None of the pieces is blank.
pub(crate) fn pieces(html: &str) -> Vec<Piece> {
    let simple = rewrite::to_read(within(html));
    let read = config::with_decorator(Plain).string_from_read(simple.as_bytes(), WIDTH);
    // Its only error is a width too small for the nesting, and the nesting is bounded.
    let text = read.unwrap_or_default();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut kind = Kind::Plain;
    for part in text.split_inclusive([QUOTE, SIGNATURE, END]) {
        let mark = part.chars().next_back();
        let words = tidy(part);
        if !words.is_empty() {
            match pieces.last_mut() {
                Some(last) if last.kind == kind => {
                    last.text.push_str("\n\n");
                    last.text.push_str(&words);
                }
                _ => pieces.push(Piece { kind, text: words }),
            }
        }
        kind = match mark {
            Some(QUOTE) => Kind::Quote,
            Some(SIGNATURE) => Kind::Signature,
            Some(END) => Kind::Plain,
            _ => kind,
        };
    }
    pieces
}

/// Lines without blanks at their ends, cells parted, never more than one empty line in a row.
fn tidy(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().flat_map(|line| line.split(BREAK)) {
        let line = line.replace([QUOTE, SIGNATURE, END], "");
        let cells: Vec<&str> =
            line.split(CELL).map(str::trim_end).filter(|cell| !cell.trim().is_empty()).collect();
        let line = cells.join(" | ").replace('\u{a0}', " ");
        let line = line.trim_end();
        if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line.to_owned());
        }
    }
    lines.join("\n").trim_end().trim_start_matches('\n').to_owned()
}

/// Writes the few elements that make the shape of a text.
#[derive(Default)]
pub(super) struct Reader {
    out: String,
    /// Open marks; only the outermost counts.
    marks: usize,
    /// Whether everything from here on is a quote.
    is_over: bool,
    /// The words of the link that is open.
    link: Option<String>,
    seen: HashSet<String>,
    /// Whether the row that is open has a cell already.
    has_cell: bool,
}

impl Reader {
    pub(super) fn finish(self) -> String {
        self.out
    }

    fn mark(&mut self, mark: char) {
        self.out.push_str("<div>");
        self.out.push(mark);
        self.out.push_str("</div>");
    }

    fn image(&mut self, tag: &Element<'_>) {
        let words = tag.get("alt").unwrap_or_default().trim();
        if words.chars().any(char::is_alphanumeric) {
            self.words(&format!("[{words}]"));
        } else if words.chars().count() <= 8 {
            // A sign that the mailer shows as a picture.
            self.words(words);
        }
    }

    /// The address of a link, unless its words show it or it was there before.
    fn address(&mut self, words: &str, href: &str) {
        let Ok(url) = Url::parse(href.trim()) else { return };
        let (start, shown) = match url.scheme() {
            "http" | "https" => ("", bare(href)),
            "mailto" => ("mailto:", url.path().to_owned()),
            "tel" => ("tel:", url.path().to_owned()),
            _ => return,
        };
        let digits = |s: &str| s.chars().filter(char::is_ascii_digit).collect::<String>();
        let is_shown = match start {
            "tel:" => digits(words).contains(&digits(&shown)),
            _ => bare(words).to_lowercase().contains(&shown.to_lowercase()),
        };
        let told = if start.is_empty() { href.trim() } else { &shown };
        if !is_shown && self.seen.insert(told.to_owned()) {
            let told = format!(" <{told}>");
            self.write(&told);
        }
    }

    fn write(&mut self, words: &str) {
        let words: String = words.chars().filter(|c| !(QUOTE..=BREAK).contains(c)).collect();
        escape(&words, &mut self.out);
    }
}

/// An address without what people leave out.
fn bare(address: &str) -> String {
    let address = address.trim().trim_end_matches('/');
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    address.strip_prefix("www.").unwrap_or(address).to_owned()
}

impl Writer for Reader {
    fn open(&mut self, tag: &Element<'_>) -> Closing {
        if self.marks == 0 && !self.is_over {
            match marked(tag) {
                Some(Marked::Within(mark)) => {
                    self.mark(mark);
                    self.marks = 1;
                    let closing = self.shape(tag);
                    return Closing(format!("{END}{}", closing.0));
                }
                Some(Marked::FromHere) => {
                    self.mark(QUOTE);
                    self.is_over = true;
                }
                None => {}
            }
        }
        self.shape(tag)
    }

    fn close(&mut self, _name: &str, closing: Closing) {
        let (is_mark, closing) = match closing.0.strip_prefix(END) {
            Some(rest) => (true, rest.to_owned()),
            None => (false, closing.0),
        };
        match closing.split_once(' ') {
            Some(("a", href)) => {
                let words = self.link.take().unwrap_or_default();
                self.address(&words, href);
            }
            _ if closing.is_empty() => {}
            _ => {
                self.out.push_str("</");
                self.out.push_str(&closing);
                self.out.push('>');
            }
        }
        if is_mark {
            self.marks = 0;
            if !self.is_over {
                self.mark(END);
            }
        }
    }

    fn words(&mut self, words: &str) {
        if let Some(link) = &mut self.link {
            link.push_str(words);
        }
        self.write(words);
    }
}

impl Reader {
    /// Writes what an element means for the shape of the text; gives back what to write when it ends.
    fn shape(&mut self, tag: &Element<'_>) -> Closing {
        let simple = match tag.name {
            "a" => {
                self.link = Some(String::new());
                return Closing(format!("a {}", tag.get("href").unwrap_or_default()));
            }
            "img" => {
                self.image(tag);
                return Closing::default();
            }
            "br" => "br",
            "hr" => {
                self.out.push_str("<div>");
                self.out.push_str(RULE);
                self.out.push_str("</div>");
                return Closing::default();
            }
            "td" | "th" => {
                if self.has_cell {
                    self.out.push(CELL);
                }
                self.has_cell = true;
                return Closing::default();
            }
            "tr" | "table" => {
                self.has_cell = false;
                "div"
            }
            name @ ("p" | "blockquote" | "ul" | "ol" | "li" | "pre") => name,
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => "p",
            "div" | "center" | "section" | "article" | "header" | "footer" | "address" | "form"
            | "fieldset" | "dl" | "dt" | "dd" | "figure" | "figcaption" | "caption" | "aside" | "nav"
            | "main" | "tbody" | "thead" | "tfoot" | "details" | "summary" => "div",
            _ => return Closing::default(),
        };
        self.out.push('<');
        self.out.push_str(simple);
        self.out.push('>');
        if simple == "br" { Closing::default() } else { Closing(simple.to_owned()) }
    }
}

/// What an element marks.
enum Marked {
    /// What is in it, as what this character says.
    Within(char),
    /// It and everything behind it, as a quote.
    FromHere,
}

/// The marks that mailers leave.
fn marked(tag: &Element<'_>) -> Option<Marked> {
    let id = tag.get("id").unwrap_or_default();
    let classes = |names: &[&str]| names.iter().any(|name| tag.is_of(name));
    if classes(&["gmail_signature", "gmail_signature_prefix", "moz-signature", "protonmail_signature_block"])
        || matches!(id, "Signature" | "ms-outlook-mobile-signature" | "AppleMailSignature")
        || tag.get("data-smartmail") == Some("gmail_signature")
        || tag.get("data-signature-widget") == Some("container")
    {
        return Some(Marked::Within(SIGNATURE));
    }
    let is_quote = match tag.name {
        // Gmail's frame is no mark: replies between quotes are typed inside it.
        "blockquote" => {
            tag.get("type").is_some_and(|t| t.eq_ignore_ascii_case("cite"))
                || tag.is_of("gmail_quote")
                || id == "isReplyContent"
        }
        "div" => {
            classes(&["gmail_attr", "moz-cite-prefix", "yahoo_quoted", "protonmail_quote"])
                || matches!(id, "OLK_SRC_BODY_SECTION" | "zmail_extra")
        }
        _ => id == "zmail_extra",
    };
    if is_quote {
        return Some(Marked::Within(QUOTE));
    }
    let is_border = || tag.get("style").is_some_and(is_outlooks_border);
    let is_start = matches!(id, "appendonsend" | "divRplyFwdMsg" | "x_divRplyFwdMsg");
    (is_start || (tag.name == "div" && is_border())).then_some(Marked::FromHere)
}

/// The line that Outlook draws above the headers of the mail it quotes.
fn is_outlooks_border(css: &str) -> bool {
    style::declarations(css).any(|(name, value)| {
        name == "border-top" && matches!(value.as_str(), "solid#e1e1e11.0pt" | "solid#b5c4df1.0pt")
    })
}

/// Words without any ornament.
#[derive(Clone, Debug)]
struct Plain;

impl TextDecorator for Plain {
    type Annotation = ();

    fn decorate_link_start(&mut self, _: &str) -> (String, ()) {
        Default::default()
    }
    fn decorate_link_end(&mut self) -> String {
        String::new()
    }
    fn decorate_em_start(&self) -> (String, ()) {
        Default::default()
    }
    fn decorate_em_end(&self) -> String {
        String::new()
    }
    fn decorate_strong_start(&self) -> (String, ()) {
        Default::default()
    }
    fn decorate_strong_end(&self) -> String {
        String::new()
    }
    fn decorate_strikeout_start(&self) -> (String, ()) {
        Default::default()
    }
    fn decorate_strikeout_end(&self) -> String {
        String::new()
    }
    fn decorate_code_start(&self) -> (String, ()) {
        Default::default()
    }
    fn decorate_code_end(&self) -> String {
        String::new()
    }
    fn decorate_preformat_first(&self) {}
    fn decorate_preformat_cont(&self) {}
    fn decorate_image(&mut self, _: &str, _: &str) -> (String, ()) {
        Default::default()
    }
    fn header_prefix(&self, _: usize) -> String {
        String::new()
    }
    fn quote_prefix(&self) -> String {
        "> ".to_owned()
    }
    fn unordered_item_prefix(&self) -> String {
        "* ".to_owned()
    }
    fn ordered_item_prefix(&self, i: i64) -> String {
        format!("{i}. ")
    }
    fn make_subblock_decorator(&self) -> Self {
        Plain
    }
}
