//! A strict reader of `parse_mode=HTML`, with the refusals of TDLib's `parse_html`.
//!
//! Tags and nesting: <https://core.telegram.org/bots/api#html-style>.

use serde_json::{Map, Value, json};

/// Text without markup and the entities that the markup stood for (UTF-16 offsets).
pub(crate) type Parsed = (String, Vec<Value>);

const TAGS: [&str; 17] = [
    "a",
    "b",
    "blockquote",
    "code",
    "del",
    "em",
    "i",
    "ins",
    "pre",
    "s",
    "span",
    "strike",
    "strong",
    "tg-emoji",
    "tg-spoiler",
    "tg-time",
    "u",
];

/// Parses HTML markup; the error is the sentence after `can't parse entities: `.
pub(crate) fn parse(source: &str) -> Result<Parsed, String> {
    let mut reader =
        Reader { source, at: 0, out: String::new(), units: 0, open: Vec::new(), found: Vec::new() };
    while let Some(letter) = reader.peek() {
        match letter {
            '&' => reader.reference(),
            '<' if reader.rest().starts_with("</") => reader.end_tag()?,
            '<' => reader.start_tag()?,
            _ => {
                reader.at += letter.len_utf8();
                reader.push(letter);
            }
        }
    }
    if let Some(tag) = reader.open.last() {
        return Err(format!("Can't find end tag corresponding to start tag \"{}\"", tag.name));
    }
    let mut found = reader.found;
    found.sort_by_key(|(offset, length, _)| (*offset, std::cmp::Reverse(*length)));
    let entities = found.into_iter().map(|(offset, length, mut entity)| {
        if entity.get("type").and_then(Value::as_str) == Some("code") {
            entity.remove("language");
        }
        entity.insert("offset".into(), offset.into());
        entity.insert("length".into(), length.into());
        Value::Object(entity)
    });
    Ok((reader.out, entities.collect()))
}

struct Tag {
    name: String,
    argument: String,
    units: usize,
    bytes: usize,
}

struct Reader<'a> {
    source: &'a str,
    at: usize,
    out: String,
    units: usize,
    open: Vec<Tag>,
    found: Vec<(usize, usize, Map<String, Value>)>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn push(&mut self, letter: char) {
        self.units += letter.len_utf16();
        self.out.push(letter);
    }

    fn skip_spaces(&mut self) {
        self.at +=
            self.rest().len() - self.rest().trim_start_matches(|c: char| c.is_ascii_whitespace()).len();
    }

    /// Takes letters while they fit.
    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> String {
        let taken: String = self.rest().chars().take_while(|&c| fits(c)).collect();
        self.at += taken.len();
        taken
    }

    fn reference(&mut self) {
        let (letter, length) = decode_reference(self.rest()).unwrap_or(('&', 1));
        self.at += length;
        self.push(letter);
    }

    fn start_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        self.at += 1;
        let name = self.take_while(|c| !c.is_ascii_whitespace() && c != '>').to_ascii_lowercase();
        if self.rest().is_empty() {
            return Err(format!("Unclosed start tag at byte offset {begin}"));
        }
        if !TAGS.contains(&name.as_str()) {
            return Err(format!("Unsupported start tag \"{name}\" at byte offset {begin}"));
        }
        let argument = self.attributes(&name, begin)?;
        self.at += 1;
        if name == "span" && argument != "spoiler" {
            return Err(format!("Tag \"span\" must have class \"tg-spoiler\" at byte offset {begin}"));
        }
        self.open.push(Tag { name, argument, units: self.units, bytes: self.out.len() });
        Ok(())
    }

    /// Reads attributes up to `>` and gives the one that matters for the tag.
    fn attributes(&mut self, tag: &str, begin: usize) -> Result<String, String> {
        let mut argument = String::new();
        loop {
            self.skip_spaces();
            match self.peek() {
                Some('>') => return Ok(argument),
                None => return Err(format!("Unclosed start tag \"{tag}\" at byte offset {begin}")),
                Some(_) => {}
            }
            let name = self.take_while(|c| !c.is_ascii_whitespace() && !"=>/\"'".contains(c));
            if name.is_empty() {
                return Err(format!("Empty attribute name in the tag \"{tag}\" at byte offset {begin}"));
            }
            self.skip_spaces();
            if self.peek() != Some('=') {
                if tag == "blockquote" && name == "expandable" {
                    argument = "1".into();
                }
                continue;
            }
            self.at += 1;
            self.skip_spaces();
            let value = self.attribute_value(tag, begin)?;
            keep_attribute(tag, &name, value, &mut argument);
        }
    }

    fn attribute_value(&mut self, tag: &str, begin: usize) -> Result<String, String> {
        match self.peek() {
            None => Err(format!("Unclosed start tag \"{tag}\" at byte offset {begin}")),
            Some(quote @ ('"' | '\'')) => {
                self.at += 1;
                let raw = self.take_while(|c| c != quote);
                if self.peek().is_none() {
                    return Err(format!("Unclosed start tag at byte offset {begin}"));
                }
                self.at += 1;
                Ok(decode_all(&raw))
            }
            Some(_) => {
                let token = self.at;
                let value = self.take_while(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-');
                match self.peek() {
                    Some(c) if c.is_ascii_whitespace() || c == '>' => Ok(value.to_ascii_lowercase()),
                    _ => Err(format!("Unexpected end of name token at byte offset {token}")),
                }
            }
        }
    }

    fn end_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        self.at += 2;
        let Some(tag) = self.open.pop() else {
            return Err(format!("Unexpected end tag at byte offset {begin}"));
        };
        let name = self.take_while(|c| !c.is_ascii_whitespace() && c != '>').to_ascii_lowercase();
        self.skip_spaces();
        if self.peek() != Some('>') {
            return Err(format!("Unclosed end tag at byte offset {begin}"));
        }
        self.at += 1;
        if !name.is_empty() && name != tag.name {
            return Err(format!(
                "Unmatched end tag at byte offset {begin}, expected \"</{}>\", found \"</{name}>\"",
                tag.name
            ));
        }
        if self.units > tag.units {
            self.close(tag)?;
        }
        Ok(())
    }

    fn close(&mut self, tag: Tag) -> Result<(), String> {
        let (offset, length) = (tag.units, self.units - tag.units);
        let same_span = self.found.last().is_some_and(|(o, l, _)| (*o, *l) == (offset, length));
        let entity = match tag.name.as_str() {
            "b" | "strong" => json!({"type": "bold"}),
            "i" | "em" => json!({"type": "italic"}),
            "u" | "ins" => json!({"type": "underline"}),
            "s" | "strike" | "del" => json!({"type": "strikethrough"}),
            "span" | "tg-spoiler" => json!({"type": "spoiler"}),
            "blockquote" if tag.argument.is_empty() => json!({"type": "blockquote"}),
            "blockquote" => json!({"type": "expandable_blockquote"}),
            "tg-emoji" if tag.argument.parse::<i64>().is_ok_and(|id| id != 0) => {
                json!({"type": "custom_emoji", "custom_emoji_id": tag.argument})
            }
            "tg-emoji" => return Err("Invalid custom emoji identifier specified".into()),
            "tg-time" => json!({"type": "date_time"}),
            "a" => match self.link(&tag) {
                Some(link) => link,
                None => return Ok(()),
            },
            "pre" if same_span => {
                self.upgrade_code_to_pre();
                return Ok(());
            }
            "pre" => json!({"type": "pre"}),
            // `language` is dropped at the end unless a `pre` of the same span closes around it.
            _ if tag.argument.is_empty() => json!({"type": "code"}),
            _ => json!({"type": "code", "language": tag.argument}),
        };
        if let Value::Object(entity) = entity {
            self.found.push((offset, length, entity));
        }
        Ok(())
    }

    /// `<pre><code class="language-…">` is one `pre` entity with a language.
    fn upgrade_code_to_pre(&mut self) {
        if let Some((_, _, entity)) = self.found.last_mut() {
            entity.insert("type".into(), "pre".into());
        }
    }

    fn link(&self, tag: &Tag) -> Option<Value> {
        let shown = self.out.get(tag.bytes..).unwrap_or_default();
        let url = if tag.argument.is_empty() { shown } else { &tag.argument };
        if let Some(id) = url.strip_prefix("tg://user?id=").and_then(|id| id.parse::<i64>().ok()) {
            return Some(json!({"type": "text_mention",
                "user": {"id": id, "is_bot": false, "first_name": "User"}}));
        }
        let known = ["http://", "https://", "tg://", "mailto:", "tel:"].iter().any(|s| url.starts_with(s));
        match known {
            true => Some(json!({"type": "text_link", "url": url})),
            false if url.contains('.') && !url.contains(char::is_whitespace) => {
                Some(json!({"type": "text_link", "url": format!("http://{url}/")}))
            }
            false => None,
        }
    }
}

fn keep_attribute(tag: &str, name: &str, value: String, argument: &mut String) {
    match (tag, name) {
        ("a", "href") | ("tg-emoji", "emoji-id") | ("tg-time", "format") => *argument = value,
        ("code", "class") => {
            if let Some(language) = value.strip_prefix("language-") {
                language.clone_into(argument);
            }
        }
        ("span", "class") => {
            if let Some(class) = value.strip_prefix("tg-") {
                class.clone_into(argument);
            }
        }
        ("blockquote", "expandable") => *argument = "1".into(),
        _ => {}
    }
}

fn decode_all(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(letter) = rest.chars().next() {
        let (letter, length) = match letter {
            '&' => decode_reference(rest).unwrap_or(('&', 1)),
            _ => (letter, letter.len_utf8()),
        };
        out.push(letter);
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

/// A character reference at the start of `text` and its length; a semicolon may be missing.
fn decode_reference(text: &str) -> Option<(char, usize)> {
    let body = text.strip_prefix('&')?;
    let (letter, length) = if let Some(number) = body.strip_prefix('#') {
        let (digits, radix, skip) = match number.strip_prefix('x') {
            Some(hex) => (hex, 16, 3),
            None => (number, 10, 2),
        };
        let count = digits.chars().take_while(|c| c.is_digit(radix)).count();
        let code = u32::from_str_radix(digits.get(..count)?, radix).ok().filter(|&code| code != 0)?;
        (char::from_u32(code)?, skip + count)
    } else {
        let count = body.chars().take_while(char::is_ascii_alphabetic).count();
        let letter = match body.get(..count)? {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            _ => return None,
        };
        (letter, 1 + count)
    };
    let semicolon = usize::from(text.as_bytes().get(length) == Some(&b';'));
    Some((letter, length + semicolon))
}
