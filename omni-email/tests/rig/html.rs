//! HTML of ours as a customer's mail program shows it. Not by the parser under test.

use omni_core::Text;
use omni_core::text::{Entity, EntityKind};

/// Words and marks of a mail's HTML; tags that it does not know mean nothing.
pub(super) fn shown(html: &str) -> Text {
    let mut reader = Reader::default();
    let mut rest = html;
    while let Some((words, tag)) = rest.split_once('<') {
        reader.says(words);
        let (tag, behind) = tag.split_once('>').expect("a tag is closed");
        reader.tag(tag);
        rest = behind;
    }
    reader.says(rest);
    assert!(reader.open.is_empty(), "left open: {:?}", reader.open);
    reader.marks.sort_by_key(|mark| mark.offset);
    Text { plain: reader.plain.trim_end().to_owned(), entities: reader.marks }
}

#[derive(Default)]
struct Reader {
    plain: String,
    open: Vec<(String, Option<EntityKind>, u32)>,
    marks: Vec<Entity>,
}

impl Reader {
    fn says(&mut self, words: &str) {
        // A line's end in the source is a blank, and behind `<br>` nothing.
        let words = match self.plain.ends_with('\n') || self.plain.is_empty() {
            true => words.trim_start_matches(['\r', '\n']),
            false => words,
        };
        let words =
            words.replace("\r\n", " ").replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">");
        let words = words.replace("&quot;", "\"").replace("&#39;", "'");
        // The sign that stands in all others is read last.
        self.plain.push_str(&words.replace("&amp;", "&"));
    }

    fn tag(&mut self, tag: &str) {
        let units = u32::try_from(self.plain.encode_utf16().count()).expect("a short text");
        if let Some(name) = tag.strip_prefix('/') {
            let (opened, kind, offset) = self.open.pop().expect("it was opened");
            assert_eq!(opened, name, "tags nest");
            let length = units - offset;
            self.marks.extend(kind.map(|kind| Entity { offset, length, kind }));
            return;
        }
        let (name, rest) = tag.split_once(' ').unwrap_or((tag, ""));
        let kind = match name {
            "br" => return self.plain.push('\n'),
            "b" => Some(EntityKind::Bold),
            "i" => Some(EntityKind::Italic),
            "code" => Some(EntityKind::Code),
            "a" => {
                let url = rest.trim_start_matches("href=").trim_matches('"').replace("&quot;", "\"");
                let url =
                    url.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'").replace("&amp;", "&");
                Some(EntityKind::Link { url })
            }
            _ => None,
        };
        self.open.push((name.to_owned(), kind, units));
    }
}
