//! FETCH.

use super::super::fault::ImapFault;
use super::super::mime;
use super::super::settings::Ability;
use super::super::state::{Folder, Stored};
use super::super::structure::{body_structure, envelope};
use super::parse::{By, Numbers, Request, Token};
use super::search::day;
use super::{Access, Answer, Handled, Selected, Session};

/// Something that is asked about a mail.
#[derive(Clone, Debug, PartialEq)]
enum Item {
    Uid,
    Flags,
    InternalDate,
    Size,
    Envelope,
    Structure,
    ModSeq,
    Section(Section),
}

#[derive(Clone, Debug, PartialEq)]
struct Section {
    /// As it is told back: `BODY[1.2]`, `RFC822`.
    name: String,
    /// What of the mail: `1.2`, `HEADER`.
    path: String,
    seen: Seen,
    /// From which byte, and how many.
    part: Option<(usize, usize)>,
}

/// Whether a fetch marks the mail as seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Marked,
    Untouched,
}

impl Session {
    pub(super) fn fetch(&mut self, request: &Request, fault: Option<&ImapFault>) -> Handled {
        let condstore = self.core.state().settings.can(Ability::Condstore);
        let [set, what, modifiers @ ..] = &request.arguments[..] else {
            return Err("BAD FETCH wants numbers and items".to_owned());
        };
        let mut items = items(what).ok_or_else(|| "BAD Invalid items".to_owned())?;
        if request.by == By::Uid && !items.contains(&Item::Uid) {
            items.insert(0, Item::Uid);
        }
        let since = match modifiers {
            [] => None,
            [Token::List(words)] if condstore => Some(changed_since(words)?),
            _ => return Err("BAD Invalid modifier".to_owned()),
        };
        if since.is_some() && !items.contains(&Item::ModSeq) {
            items.push(Item::ModSeq);
        }
        if items.contains(&Item::ModSeq) && !condstore {
            return Err("BAD Invalid items".to_owned());
        }
        let chosen = self.chosen(set, request.by)?;
        self.within(|folder, selected| {
            let mut answer = Answer::ok("Fetch completed");
            for (place, uid) in chosen {
                let is_changed = |mail: &Stored| since.is_none_or(|since| mail.mod_seq > since);
                if folder.mails.get(&uid).is_some_and(is_changed) {
                    let told = told(folder, selected, uid, &items, fault);
                    answer = answer.with([format!("{place} FETCH (").as_bytes(), &told, b")"].concat());
                }
            }
            answer
        })
    }

    /// Places and UIDs of a set, of mails that this client knows of.
    pub(super) fn chosen(&self, set: &Token, by: By) -> Result<Vec<(usize, u32)>, String> {
        let Some(selected) = &self.selected else { return Err("BAD No mailbox selected".to_owned()) };
        let set = set.text().unwrap_or_default();
        let wrong = || "BAD Invalid messageset".to_owned();
        let count = u32::try_from(selected.uids.len()).map_err(|_| wrong())?;
        let most = match by {
            By::Uid => selected.uids.last().copied().unwrap_or(0),
            By::Place => count,
        };
        let numbers = Numbers::read(&set, most).ok_or_else(wrong)?;
        if by == By::Place && (numbers.greatest() > count || count == 0) {
            return Err(wrong());
        }
        let places = selected.uids.iter().copied().zip(1_u32..);
        let chosen = places.filter(|(uid, place)| numbers.has(if by == By::Uid { *uid } else { *place }));
        Ok(chosen.map(|(uid, place)| (place as usize, uid)).collect())
    }
}

fn changed_since(words: &[Token]) -> Result<u64, String> {
    let wrong = || "BAD Invalid modifier".to_owned();
    let [Token::Atom(word), Token::Atom(number)] = words else { return Err(wrong()) };
    if !word.eq_ignore_ascii_case("CHANGEDSINCE") {
        return Err(wrong());
    }
    number.parse().map_err(|_| wrong())
}

fn items(what: &Token) -> Option<Vec<Item>> {
    match what {
        Token::List(items) => items.iter().map(item).collect(),
        _ => match what.word()?.as_str() {
            "ALL" => Some(vec![Item::Flags, Item::InternalDate, Item::Size, Item::Envelope]),
            "FAST" => Some(vec![Item::Flags, Item::InternalDate, Item::Size]),
            "FULL" => {
                Some(vec![Item::Flags, Item::InternalDate, Item::Size, Item::Envelope, Item::Structure])
            }
            _ => Some(vec![item(what)?]),
        },
    }
}

fn item(token: &Token) -> Option<Item> {
    let word = token.word()?;
    let whole = |name: &str, path: &str, seen| {
        Item::Section(Section { name: name.to_owned(), path: path.to_owned(), seen, part: None })
    };
    Some(match word.as_str() {
        "UID" => Item::Uid,
        "FLAGS" => Item::Flags,
        "INTERNALDATE" => Item::InternalDate,
        "RFC822.SIZE" => Item::Size,
        "ENVELOPE" => Item::Envelope,
        "BODYSTRUCTURE" => Item::Structure,
        "MODSEQ" => Item::ModSeq,
        "RFC822" => whole("RFC822", "", Seen::Marked),
        "RFC822.HEADER" => whole("RFC822.HEADER", "HEADER", Seen::Untouched),
        "RFC822.TEXT" => whole("RFC822.TEXT", "TEXT", Seen::Marked),
        _ => Item::Section(section(&word)?),
    })
}

/// `BODY.PEEK[1.2]<0.100>`.
fn section(word: &str) -> Option<Section> {
    let (rest, seen) = match word.strip_prefix("BODY.PEEK[") {
        Some(rest) => (rest, Seen::Untouched),
        None => (word.strip_prefix("BODY[")?, Seen::Marked),
    };
    let (path, part) = rest.rsplit_once(']')?;
    let part = match part {
        "" => None,
        _ => {
            let (from, count) = part.strip_prefix('<')?.strip_suffix('>')?.split_once('.')?;
            Some((from.parse().ok()?, count.parse().ok().filter(|count| *count > 0)?))
        }
    };
    let from = part.map(|(from, _)| format!("<{from}>")).unwrap_or_default();
    is_path(path).then(|| Section { name: format!("BODY[{path}]{from}"), path: path.to_owned(), seen, part })
}

/// Whether a section can be asked for at all.
fn is_path(path: &str) -> bool {
    let word = path.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let has_numbers = word.len() < path.len();
    match word {
        "" => !path.ends_with('.') && !path.starts_with('.'),
        "HEADER" | "TEXT" => true,
        "MIME" => has_numbers,
        _ => word.starts_with("HEADER.FIELDS"),
    }
}

/// What is told of a mail.
fn told(
    folder: &mut Folder,
    selected: &mut Selected,
    uid: u32,
    items: &[Item],
    fault: Option<&ImapFault>,
) -> Vec<u8> {
    let marks = |item: &Item| matches!(item, Item::Section(section) if section.seen == Seen::Marked);
    let unseen = folder.mails.get(&uid).is_some_and(|mail| !mail.flags.contains("\\Seen"));
    let mut items = items.to_vec();
    if unseen && selected.access == Access::ReadWrite && items.iter().any(marks) {
        folder.flag(uid, |flags| {
            flags.insert("\\Seen".to_owned());
        });
        if !items.contains(&Item::Flags) {
            items.push(Item::Flags);
        }
        selected.mod_seq = folder.mod_seq;
    }
    let Some(mail) = folder.mails.get(&uid) else { return Vec::new() };
    let root = mime::read(&mail.raw);
    let pieces: Vec<Vec<u8>> = items
        .iter()
        .map(|item| match item {
            Item::Uid => format!("UID {uid}").into(),
            Item::Flags => format!("FLAGS ({})", flags(mail, selected, uid)).into(),
            Item::InternalDate => format!("INTERNALDATE \"{}\"", day(mail.at).internal()).into(),
            Item::Size => format!("RFC822.SIZE {}", mail.raw.len()).into(),
            Item::Envelope => format!("ENVELOPE {}", envelope(&mail.raw)).into(),
            Item::Structure => format!("BODYSTRUCTURE {}", body_structure(&mail.raw, &root)).into(),
            Item::ModSeq => format!("MODSEQ ({})", mail.mod_seq).into(),
            Item::Section(section) => piece(&mail.raw, section, fault),
        })
        .collect();
    pieces.join(&b' ')
}

/// Flags of a mail, with `\Recent` for the session that was told of it first.
pub(super) fn flags(mail: &Stored, selected: &Selected, uid: u32) -> String {
    let recent = selected.recent.contains(&uid).then_some("\\Recent");
    mail.flags.iter().map(String::as_str).chain(recent).collect::<Vec<_>>().join(" ")
}

fn piece(raw: &[u8], section: &Section, fault: Option<&ImapFault>) -> Vec<u8> {
    let whole = mime::section(raw, &section.path).unwrap_or_default();
    let bytes = match section.part {
        Some((from, count)) => whole.into_iter().skip(from).take(count).collect(),
        None => whole,
    };
    match fault {
        Some(ImapFault::NilBody) => format!("{} NIL", section.name).into(),
        Some(ImapFault::Announces(size)) => literal(&section.name, *size, &bytes),
        _ => literal(&section.name, bytes.len() as u64, &bytes),
    }
}

fn literal(name: &str, size: u64, bytes: &[u8]) -> Vec<u8> {
    [format!("{name} {{{size}}}\r\n").as_bytes(), bytes].concat()
}
