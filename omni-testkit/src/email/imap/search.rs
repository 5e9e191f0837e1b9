//! SEARCH, and days as IMAP writes them.

use mail_parser::DateTime;
use omni_core::Timestamp;

use super::super::mime;
use super::super::state::Stored;
use super::parse::{By, Numbers, Request, Token};
use super::{Answer, Handled, Selected, Session};

/// The server's zone, ahead of UTC: days begin earlier here than where the client may be.
const ZONE_HOURS: i64 = 3;
const HOUR: i64 = 3600;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment in the server's zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Day {
    seconds: i64,
}

/// A moment in the server's zone.
pub(super) fn day(at: Timestamp) -> Day {
    Day { seconds: at.as_millis().div_euclid(1000) + ZONE_HOURS * HOUR }
}

impl Day {
    /// As INTERNALDATE tells it.
    pub(super) fn internal(self) -> String {
        let at = DateTime::from_timestamp(self.seconds);
        let month = MONTHS.get(usize::from(at.month).wrapping_sub(1)).copied().unwrap_or("Jan");
        format!(
            "{:2}-{month}-{:04} {:02}:{:02}:{:02} +{ZONE_HOURS:02}00",
            at.day, at.year, at.hour, at.minute, at.second
        )
    }

    /// Days since 1970.
    fn number(self) -> i64 {
        self.seconds.div_euclid(24 * HOUR)
    }
}

/// Reads `21-Nov-2026` as days since 1970.
fn date(text: &str) -> Option<i64> {
    let [day, month, year] = <[&str; 3]>::try_from(text.split('-').collect::<Vec<_>>()).ok()?;
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))? + 1;
    let read =
        DateTime::parse_rfc822(&format!("{} {} {year} 00:00:00 +0000", day.trim(), MONTHS.get(month - 1)?))?;
    Some(read.to_timestamp().div_euclid(24 * HOUR))
}

/// Reads `"21-Nov-2026 10:00:00 +0300"` as a moment.
pub(super) fn date_time(text: &str) -> Option<Timestamp> {
    let (date, time) = text.trim().split_once(' ')?;
    let [day, month, year] = <[&str; 3]>::try_from(date.split('-').collect::<Vec<_>>()).ok()?;
    let at = DateTime::parse_rfc822(&format!("{day} {month} {year} {time}"))?;
    Some(Timestamp::from_secs(at.to_timestamp()))
}

/// A condition.
#[derive(Debug)]
enum Key {
    All,
    Numbers(Numbers, By),
    Flag(String),
    Not(Box<Key>),
    Or(Box<Key>, Box<Key>),
    Since(i64),
    Before(i64),
    On(i64),
    Header(String, String),
    Text(String),
    Larger(usize),
    Smaller(usize),
    Every(Vec<Key>),
}

impl Session {
    pub(super) fn search(&mut self, request: &Request) -> Handled {
        let mut words = &request.arguments[..];
        if let [Token::Atom(word), charset, rest @ ..] = words
            && word.eq_ignore_ascii_case("CHARSET")
        {
            let charset = charset.text().unwrap_or_default();
            if !["UTF-8", "US-ASCII"].contains(&charset.to_ascii_uppercase().as_str()) {
                return Err("NO [BADCHARSET (US-ASCII UTF-8)] Unknown charset".to_owned());
            }
            words = rest;
        }
        let Some(selected) = &self.selected else { return Err("BAD No mailbox selected".to_owned()) };
        let mut reader = Reader { words, selected };
        let key = reader.every()?;
        let by = request.by;
        self.within(|folder, selected| {
            let found = selected.uids.iter().zip(1_usize..).filter(|(uid, place)| {
                folder.mails.get(uid).is_some_and(|mail| holds(&key, mail, **uid, *place))
            });
            let found: String = found
                .map(|(uid, place)| if by == By::Uid { format!(" {uid}") } else { format!(" {place}") })
                .collect();
            Answer::ok("Search completed").with(format!("SEARCH{found}"))
        })
    }
}

struct Reader<'a> {
    words: &'a [Token],
    selected: &'a Selected,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<&Token, String> {
        let (first, rest) = self.words.split_first().ok_or("BAD Missing argument of a search key")?;
        self.words = rest;
        Ok(first)
    }

    fn text(&mut self) -> Result<String, String> {
        self.next()?.text().ok_or_else(|| "BAD Invalid argument of a search key".to_owned())
    }

    fn day(&mut self) -> Result<i64, String> {
        date(&self.text()?).ok_or_else(|| "BAD Invalid date".to_owned())
    }

    fn size(&mut self) -> Result<usize, String> {
        self.text()?.parse().map_err(|_| "BAD Invalid size".to_owned())
    }

    fn every(&mut self) -> Result<Key, String> {
        let mut keys = vec![self.key()?];
        while !self.words.is_empty() {
            keys.push(self.key()?);
        }
        Ok(Key::Every(keys))
    }

    fn key(&mut self) -> Result<Key, String> {
        if let Some(Token::List(words)) = self.words.first() {
            self.words = self.words.get(1..).unwrap_or_default();
            return Reader { words, selected: self.selected }.every();
        }
        let word = self.text()?.to_ascii_uppercase();
        let flag = |name: &str| Key::Flag(format!("\\{name}"));
        let without = |key| Key::Not(Box::new(key));
        Ok(match word.as_str() {
            "ALL" => Key::All,
            "ANSWERED" => flag("Answered"),
            "DELETED" => flag("Deleted"),
            "DRAFT" => flag("Draft"),
            "FLAGGED" => flag("Flagged"),
            "SEEN" => flag("Seen"),
            "UNANSWERED" => without(flag("Answered")),
            "UNDELETED" => without(flag("Deleted")),
            "UNFLAGGED" => without(flag("Flagged")),
            "UNSEEN" => without(flag("Seen")),
            "KEYWORD" => Key::Flag(self.text()?),
            "UNKEYWORD" => without(Key::Flag(self.text()?)),
            "NOT" => without(self.key()?),
            "OR" => Key::Or(Box::new(self.key()?), Box::new(self.key()?)),
            "SINCE" => Key::Since(self.day()?),
            "BEFORE" => Key::Before(self.day()?),
            "ON" => Key::On(self.day()?),
            "HEADER" => Key::Header(self.text()?.to_ascii_lowercase(), self.text()?),
            "FROM" | "TO" | "CC" | "SUBJECT" => Key::Header(word.to_ascii_lowercase(), self.text()?),
            "TEXT" | "BODY" => Key::Text(self.text()?),
            "LARGER" => Key::Larger(self.size()?),
            "SMALLER" => Key::Smaller(self.size()?),
            "UID" => {
                let most = self.selected.uids.last().copied().unwrap_or(0);
                let numbers = Numbers::read(&self.text()?, most).ok_or("BAD Invalid messageset")?;
                Key::Numbers(numbers, By::Uid)
            }
            set => {
                let most = u32::try_from(self.selected.uids.len()).unwrap_or(u32::MAX);
                let numbers =
                    Numbers::read(set, most).ok_or_else(|| format!("BAD Unknown argument {set}"))?;
                Key::Numbers(numbers, By::Place)
            }
        })
    }
}

fn holds(key: &Key, mail: &Stored, uid: u32, place: usize) -> bool {
    let has = |bytes: &[u8], text: &str| {
        String::from_utf8_lossy(bytes).to_lowercase().contains(&text.to_lowercase())
    };
    match key {
        Key::All => true,
        Key::Numbers(numbers, By::Uid) => numbers.has(uid),
        Key::Numbers(numbers, By::Place) => u32::try_from(place).is_ok_and(|place| numbers.has(place)),
        Key::Flag(flag) => mail.flags.contains(flag),
        Key::Not(key) => !holds(key, mail, uid, place),
        Key::Or(one, other) => holds(one, mail, uid, place) || holds(other, mail, uid, place),
        Key::Since(day) => self::day(mail.at).number() >= *day,
        Key::Before(day) => self::day(mail.at).number() < *day,
        Key::On(day) => self::day(mail.at).number() == *day,
        Key::Header(name, text) => {
            let header = mime::read(&mail.raw).header;
            mime::fields(mime::slice(&mail.raw, &header)).into_iter().any(|field| {
                mime::name_of(field) == *name && has(field.get(name.len() + 1..).unwrap_or_default(), text)
            })
        }
        Key::Text(text) => has(&mail.raw, text),
        Key::Larger(size) => mail.raw.len() > *size,
        Key::Smaller(size) => mail.raw.len() < *size,
        Key::Every(keys) => keys.iter().all(|key| holds(key, mail, uid, place)),
    }
}
