//! The parts of a mail, by their bytes: what IMAP serves pieces of.

use std::ops::Range;

/// Deeper parts are served as they are, unread.
const DEPTH: usize = 20;

/// A part of a mail, or the mail itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    /// Its headers, with the empty line behind them.
    pub(super) header: Range<usize>,
    pub(super) body: Range<usize>,
    pub(super) kind: Labelled,
    /// The parts of a multipart.
    pub(super) parts: Vec<Part>,
    /// The mail within a `message/rfc822`.
    pub(super) mail: Option<Box<Part>>,
}

/// A header's word and the parameters behind it: `text/plain; charset=utf-8`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Labelled {
    pub(super) word: String,
    pub(super) parameters: Vec<(String, String)>,
}

impl Labelled {
    /// Reads a header's value.
    pub(super) fn read(value: &str) -> Self {
        let mut pieces = pieces(value).into_iter();
        let word = pieces.next().unwrap_or_default().trim().to_ascii_lowercase();
        let parameter = |piece: String| {
            let (name, value) = piece.split_once('=')?;
            Some((name.trim().to_ascii_lowercase(), unquoted(value.trim())))
        };
        Self { word, parameters: pieces.filter_map(parameter).collect() }
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn is(&self, start: &str) -> bool {
        self.word.starts_with(start)
    }
}

/// Parts between semicolons that are not quoted.
fn pieces(value: &str) -> Vec<String> {
    let (mut all, mut piece, mut quoted, mut escaped) = (Vec::new(), String::new(), false, false);
    for c in value.chars() {
        match c {
            ';' if !quoted => all.push(std::mem::take(&mut piece)),
            _ => {
                quoted ^= c == '"' && !escaped;
                piece.push(c);
            }
        }
        escaped = c == '\\' && !escaped;
    }
    all.push(piece);
    all
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) else {
        return value.to_owned();
    };
    let (mut out, mut escaped) = (String::new(), false);
    for c in inner.chars() {
        match c {
            '\\' if !escaped => escaped = true,
            _ => {
                out.push(c);
                escaped = false;
            }
        }
    }
    out
}

/// Reads a mail.
pub(super) fn read(raw: &[u8]) -> Part {
    part(raw, 0..raw.len(), "text/plain", DEPTH)
}

fn part(raw: &[u8], within: Range<usize>, usual: &str, depth: usize) -> Part {
    let header = header_of(raw, &within);
    let body = header.end..within.end;
    let value = field(slice(raw, &header), "content-type");
    let mut kind = Labelled::read(value.as_deref().unwrap_or(usual));
    if !kind.word.contains('/') {
        kind.word = "text/plain".to_owned();
    }
    let mut part = Part { header, body, kind, ..Part::default() };
    if depth == 0 {
        return part;
    }
    if part.kind.is("multipart/") {
        let usual = if part.kind.word == "multipart/digest" { "message/rfc822" } else { "text/plain" };
        let boundary = part.kind.parameter("boundary").unwrap_or_default();
        let ranges = between(raw, &part.body, boundary);
        part.parts = ranges.into_iter().map(|range| self::part(raw, range, usual, depth - 1)).collect();
    } else if part.kind.word == "message/rfc822" {
        part.mail = Some(Box::new(self::part(raw, part.body.clone(), "text/plain", depth - 1)));
    }
    part
}

/// Where the headers of a part are, with the empty line behind them.
fn header_of(raw: &[u8], within: &Range<usize>) -> Range<usize> {
    for (start, line) in lines(raw, within) {
        if line.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return within.start..start + line.len();
        }
    }
    within.clone()
}

/// Lines with their ends, and where each begins.
fn lines<'a>(raw: &'a [u8], within: &Range<usize>) -> impl Iterator<Item = (usize, &'a [u8])> {
    let mut start = within.start;
    slice(raw, within).split_inclusive(|byte| *byte == b'\n').map(move |line| {
        let at = start;
        start += line.len();
        (at, line)
    })
}

/// What stands between the lines of a boundary.
fn between(raw: &[u8], within: &Range<usize>, boundary: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut open: Option<usize> = None;
    let opening = format!("--{boundary}");
    let mut is_over = boundary.is_empty();
    for (start, line) in lines(raw, within) {
        let Some(rest) = line.strip_prefix(opening.as_bytes()).filter(|_| !is_over) else { continue };
        let rest = rest.trim_ascii();
        if !rest.is_empty() && rest != b"--" {
            continue;
        }
        if let Some(from) = open.take() {
            found.push(from..without_line_end(raw, from, start));
        }
        is_over = rest == b"--";
        if !is_over {
            open = Some(start + line.len());
        }
    }
    if let Some(from) = open {
        found.push(from..within.end);
    }
    found
}

/// The line end before a boundary belongs to the boundary.
fn without_line_end(raw: &[u8], from: usize, end: usize) -> usize {
    let body = slice(raw, &(from..end));
    let kept = body.strip_suffix(b"\n").unwrap_or(body);
    let kept = kept.strip_suffix(b"\r").unwrap_or(kept);
    from + kept.len()
}

pub(super) fn slice<'a>(raw: &'a [u8], range: &Range<usize>) -> &'a [u8] {
    raw.get(range.clone()).unwrap_or_default()
}

/// Fields of a header block, each with the lines that continue it and their ends.
pub(super) fn fields(header: &[u8]) -> Vec<&[u8]> {
    let mut fields: Vec<Range<usize>> = Vec::new();
    for (start, line) in lines(header, &(0..header.len())) {
        let end = start + line.len();
        match (line.first(), fields.last_mut()) {
            (Some(b' ' | b'\t'), Some(last)) => last.end = end,
            _ => fields.push(start..end),
        }
    }
    fields.into_iter().map(|range| slice(header, &range)).collect()
}

/// The name of a field, in lower case.
pub(super) fn name_of(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == b':').unwrap_or(0);
    String::from_utf8_lossy(slice(field, &(0..end))).trim().to_ascii_lowercase()
}

/// The first value under a name in lower case, unfolded and otherwise as it was written.
pub(super) fn field(header: &[u8], name: &str) -> Option<String> {
    let found = fields(header).into_iter().find(|field| name_of(field) == name)?;
    let text = String::from_utf8_lossy(found);
    let (_, value) = text.split_once(':')?;
    Some(value.replace(['\r', '\n'], "").trim().to_owned())
}

/// The bytes of an IMAP section (RFC 3501, 6.4.5) of a mail; `None` when there is no such section.
pub(super) fn section(raw: &[u8], section: &str) -> Option<Vec<u8>> {
    let root = read(raw);
    let (path, what) = split_section(section);
    let mut here = &root;
    let mut is_mail = true;
    for number in path {
        let holder = here.mail.as_deref().unwrap_or(here);
        (here, is_mail) = match (number, holder.parts.is_empty()) {
            // A mail that is no multipart is its own part 1.
            (1, true) if is_mail || here.mail.is_some() => (holder, false),
            (_, false) => (holder.parts.get(number.checked_sub(1)?)?, false),
            _ => return None,
        };
    }
    let of_mail = if is_mail { Some(here) } else { here.mail.as_deref() };
    let upper = what.to_ascii_uppercase();
    let range = match upper.as_str() {
        "" if is_mail => 0..raw.len(),
        "" => here.body.clone(),
        "MIME" if !is_mail => here.header.clone(),
        "HEADER" => of_mail?.header.clone(),
        "TEXT" => of_mail?.body.clone(),
        _ => {
            let names = upper.strip_prefix("HEADER.FIELDS")?;
            return Some(chosen(slice(raw, &of_mail?.header), names));
        }
    };
    Some(slice(raw, &range).to_vec())
}

/// The numbers of a section, and the word behind them.
fn split_section(section: &str) -> (Vec<usize>, &str) {
    let (mut path, mut rest) = (Vec::new(), section);
    loop {
        let (step, after) = rest.split_once('.').unwrap_or((rest, ""));
        match step.parse() {
            Ok(number) => path.push(number),
            Err(_) => return (path, rest),
        }
        rest = after;
    }
}

/// Fields of these names, or of all others: ` (SUBJECT FROM)`, `.NOT (RECEIVED)`.
fn chosen(header: &[u8], names: &str) -> Vec<u8> {
    let (wanted, list) = match names.strip_prefix(".NOT") {
        Some(list) => (false, list),
        None => (true, names),
    };
    let list: Vec<String> = list
        .trim_matches(|c: char| c == '(' || c == ')' || c.is_whitespace())
        .split_whitespace()
        .map(|name| name.trim_matches('"').to_ascii_lowercase())
        .collect();
    let fields = fields(header).into_iter().filter(|field| {
        let name = name_of(field);
        !name.is_empty() && list.contains(&name) == wanted
    });
    [fields.collect::<Vec<_>>().concat(), b"\r\n".to_vec()].concat()
}
