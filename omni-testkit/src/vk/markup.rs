//! Mentions and links in texts, as VK's apps show them (<https://dev.vk.com/api/bots/development/messages>,
//! read 2026-11): `[id1|Иван]`, `[club1|Магазин]`, `[https://vk.com/page|слово]`, `@id1 (Иван)`, `*id1 (Иван)`.

/// A text as an app shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shown {
    /// The words.
    pub text: String,
    /// What in it is a link.
    pub links: Vec<Link>,
}

/// A piece of a text that leads somewhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// Where it begins, in UTF-16 units of the shown text.
    pub offset: usize,
    /// Its length in UTF-16 units.
    pub length: usize,
    /// What it leads to: `id1`, `club1`, or an address at VK.
    pub target: String,
}

pub(super) fn shown(raw: &str) -> Shown {
    let mut shown = Shown { text: String::with_capacity(raw.len()), links: Vec::new() };
    let mut rest = raw;
    while let Some(sign) = rest.chars().next() {
        match bracketed(rest).or_else(|| called(rest)) {
            Some((target, words, after)) => {
                let (offset, length) = (units(&shown.text), units(words));
                shown.links.push(Link { offset, length, target: target.to_owned() });
                shown.text.push_str(words);
                rest = after;
            }
            None => {
                shown.text.push(sign);
                rest = rest.get(sign.len_utf8()..).unwrap_or_default();
            }
        }
    }
    shown
}

/// `[id1|words]`: target, words and what stands behind.
fn bracketed(text: &str) -> Option<(&str, &str, &str)> {
    let (target, behind) = text.strip_prefix('[')?.split_once('|')?;
    let (words, after) = behind.split_once(']')?;
    let is_link =
        ["https://vk.com/", "https://vk.ru/", "https://vk.me/"].iter().any(|p| target.starts_with(p));
    let is_plain = !target.contains([' ', '\n', '[', ']']) && !words.is_empty();
    (is_plain && (is_link || is_account(target))).then_some((target, words, after))
}

/// `@id1 (words)` and `*id1 (words)`.
fn called(text: &str) -> Option<(&str, &str, &str)> {
    let behind = text.strip_prefix('@').or_else(|| text.strip_prefix('*'))?;
    let (target, behind) = behind.split_once(" (")?;
    let (words, after) = behind.split_once(')')?;
    (is_account(target) && !words.is_empty()).then_some((target, words, after))
}

fn is_account(target: &str) -> bool {
    ["id", "club", "public", "event"].iter().any(|kind| {
        let digits = target.strip_prefix(kind).unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

pub(super) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}
