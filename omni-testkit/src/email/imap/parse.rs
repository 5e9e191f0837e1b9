//! Commands as they are written (RFC 3501, 9).

use super::super::fault::Command;

/// A command, read.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) tag: String,
    pub(super) command: Command,
    /// What its numbers mean.
    pub(super) by: By,
    pub(super) arguments: Vec<Token>,
}

/// What the numbers of a command mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Uid,
    Place,
}

/// An argument.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A bare word; the section of a FETCH with its brackets is one.
    Atom(String),
    /// Quoted, or a literal.
    Text(Vec<u8>),
    List(Vec<Token>),
}

/// What can be wrong with a command.
#[derive(Debug, PartialEq)]
pub(super) struct Wrong(pub(super) &'static str);

/// A line, and the literal that came behind it.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) line: Vec<u8>,
    pub(super) literal: Option<Vec<u8>>,
}

/// Size and kind of the literal that a line announces: `{12}`, `{12+}`.
pub(super) fn literal(line: &[u8]) -> Option<(usize, Literal)> {
    let inner = line.strip_suffix(b"}")?;
    let start = inner.iter().rposition(|byte| *byte == b'{')?;
    let number = std::str::from_utf8(inner.get(start + 1..)?).ok()?;
    match number.strip_suffix('+') {
        Some(number) => Some((number.parse().ok()?, Literal::AtOnce)),
        None => Some((number.parse().ok()?, Literal::Asked)),
    }
}

/// Whether the client waits for a `+` before it sends a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Literal {
    Asked,
    AtOnce,
}

/// Tag and command of a first line, before its literals are read.
pub(super) fn head(line: &[u8]) -> Option<(String, Command, By)> {
    let line = String::from_utf8_lossy(line);
    let mut words = line.split(' ');
    let tag = words.next().filter(|tag| !tag.is_empty())?;
    if !tag.bytes().all(|byte| byte.is_ascii_graphic() && !b"(){%*\"\\+".contains(&byte)) {
        return None;
    }
    let word = words.next().unwrap_or_default();
    let (word, by) = match word.eq_ignore_ascii_case("UID") {
        true => (words.next().unwrap_or_default(), By::Uid),
        false => (word, By::Place),
    };
    Some((tag.to_owned(), Command::read(word), by))
}

/// Reads a whole command.
pub(super) fn request(pieces: &[Piece]) -> Result<Request, Wrong> {
    let first = pieces.first().ok_or(Wrong("no command"))?;
    let (tag, command, by) = head(&first.line).ok_or(Wrong("no tag"))?;
    let mut reader = Reader { pieces, piece: 0, at: 0 };
    let skip = if by == By::Uid { 3 } else { 2 };
    let mut arguments = reader.list(None, 0)?;
    arguments.drain(..skip.min(arguments.len()));
    Ok(Request { tag, command, by, arguments })
}

struct Reader<'a> {
    pieces: &'a [Piece],
    piece: usize,
    at: usize,
}

const DEPTH: usize = 10;

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.pieces.get(self.piece)?.line.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Tokens up to a closing bracket, or to the end.
    fn list(&mut self, close: Option<u8>, depth: usize) -> Result<Vec<Token>, Wrong> {
        if depth > DEPTH {
            return Err(Wrong("too many brackets"));
        }
        let mut tokens = Vec::new();
        loop {
            match self.peek() {
                None if close.is_none() => return Ok(tokens),
                None => return Err(Wrong("a bracket is not closed")),
                byte if byte == close => {
                    self.at += 1;
                    return Ok(tokens);
                }
                Some(b' ') => self.at += 1,
                Some(b')') => return Err(Wrong("a bracket too many")),
                Some(b'(') => {
                    self.at += 1;
                    tokens.push(Token::List(self.list(Some(b')'), depth + 1)?));
                }
                Some(b'"') => tokens.push(self.quoted()?),
                Some(b'{') => tokens.push(self.literal()?),
                Some(_) => tokens.push(self.atom()?),
            }
        }
    }

    fn quoted(&mut self) -> Result<Token, Wrong> {
        self.at += 1;
        let mut text = Vec::new();
        loop {
            match self.next() {
                None => return Err(Wrong("a quote is not closed")),
                Some(b'"') => return Ok(Token::Text(text)),
                Some(b'\\') => match self.next() {
                    Some(byte @ (b'"' | b'\\')) => text.push(byte),
                    _ => return Err(Wrong("a backslash before neither a quote nor a backslash")),
                },
                Some(byte) if byte.is_ascii() => text.push(byte),
                Some(_) => return Err(Wrong("8-bit characters in a quoted string")),
            }
        }
    }

    fn literal(&mut self) -> Result<Token, Wrong> {
        let piece = self.pieces.get(self.piece).ok_or(Wrong("no literal"))?;
        let is_last = piece.line.get(self.at..).is_some_and(|rest| literal(rest).is_some());
        let text = piece.literal.clone().filter(|_| is_last).ok_or(Wrong("a brace in a word"))?;
        self.piece += 1;
        self.at = 0;
        Ok(Token::Text(text))
    }

    fn atom(&mut self) -> Result<Token, Wrong> {
        let mut word = String::new();
        let mut section = false;
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'(' | b')' | b'"' | b'{' if !section => break,
                b'[' => section = true,
                b']' => section = false,
                0x20..=0x7e => {}
                _ => return Err(Wrong("control or 8-bit characters in a word")),
            }
            word.push(char::from(byte));
            self.at += 1;
        }
        if section { Err(Wrong("a section is not closed")) } else { Ok(Token::Atom(word)) }
    }
}

impl Token {
    /// The words of an atom, a quoted string or a literal.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Token::Atom(word) => Some(word.clone()),
            Token::Text(bytes) => String::from_utf8(bytes.clone()).ok(),
            Token::List(_) => None,
        }
    }

    /// An atom in upper case.
    pub(super) fn word(&self) -> Option<String> {
        match self {
            Token::Atom(word) => Some(word.to_ascii_uppercase()),
            _ => None,
        }
    }
}

/// Numbers of a set: `1:3,7,9:*`. `most` is what `*` means; a range counts in whichever order it is written, and
/// `n:*` includes the last however great `n` is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Numbers(Vec<(u32, u32)>);

impl Numbers {
    /// Reads a set.
    pub(super) fn read(set: &str, most: u32) -> Option<Self> {
        let number = |text: &str| match text {
            "*" => Some(most),
            _ => text.parse().ok().filter(|n| *n > 0),
        };
        let range = |part: &str| match part.split_once(':') {
            Some((from, to)) => {
                let (from, to) = (number(from)?, number(to)?);
                Some((from.min(to), from.max(to)))
            }
            None => number(part).map(|n| (n, n)),
        };
        set.split(',').map(range).collect::<Option<_>>().map(Self)
    }

    pub(super) fn has(&self, number: u32) -> bool {
        self.0.iter().any(|(from, to)| (*from..=*to).contains(&number))
    }

    /// The greatest number named.
    pub(super) fn greatest(&self) -> u32 {
        self.0.iter().map(|(_, to)| *to).max().unwrap_or(0)
    }
}
