//! Dates of headers (RFC 5322, 3.3 and 4.3), in whatever order programs write them.

use mail_parser::DateTime;
use omni_core::Timestamp;

/// Most bytes of a date that are looked at.
const LONGEST: usize = 200;
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/// Names of zones and their hours before Greenwich (RFC 5322, 4.3), and that of Moscow. Others count as Greenwich.
const ZONES: [(&str, i64); 9] = [
    ("edt", -4),
    ("est", -5),
    ("cdt", -5),
    ("cst", -6),
    ("mdt", -6),
    ("mst", -7),
    ("pdt", -7),
    ("pst", -8),
    ("msk", 3),
];

/// A date of a header. `None`: it is no date.
pub(super) fn date(value: &[u8]) -> Option<Timestamp> {
    let text = String::from_utf8_lossy(value.get(..LONGEST).unwrap_or(value)).to_ascii_lowercase();
    let text = text.split('(').next().unwrap_or_default();
    let mut found = Found::default();
    for word in text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty()) {
        let joined = word.starts_with(|c: char| c.is_ascii_digit()); // `5-Jun-2026`
        word.split(|c| joined && c == '-').for_each(|word| found.add(word));
    }
    found.date()
}

/// What of a date was found.
#[derive(Default)]
struct Found<'a> {
    day: Option<u8>,
    month: Option<u8>,
    year: Option<u16>,
    time: Option<&'a str>,
    /// Minutes before Greenwich.
    zone: Option<i64>,
}

impl<'a> Found<'a> {
    fn add(&mut self, word: &'a str) {
        let is_number = word.bytes().all(|b| b.is_ascii_digit());
        if is_number && self.day.is_none() {
            self.day = word.parse().ok();
        } else if is_number && self.year.is_none() {
            self.year = word.parse().ok();
        } else if word.starts_with(|c: char| c.is_ascii_digit()) && word.contains(':') {
            self.time.get_or_insert(word);
        } else if let Some((_, month)) = MONTHS.iter().zip(1..).find(|(name, _)| word.starts_with(**name)) {
            self.month.get_or_insert(month);
        } else if self.time.is_some() && self.zone.is_none() {
            self.zone = zone(word);
        }
    }

    fn date(&self) -> Option<Timestamp> {
        let year = match self.year? {
            short @ 0..=49 => 2000 + short,
            short @ 50..=999 => 1900 + short,
            year => year,
        };
        let (month, day) = (self.month?, self.day?);
        let mut time = self.time?.splitn(3, ':').map(|part| part.get(..2).unwrap_or(part).parse::<u8>().ok());
        let (hour, minute, second) = (time.next()??, time.next()??, time.next().unwrap_or(Some(0))?);
        let fits = (1..=31).contains(&day)
            && hour < 24
            && minute < 60
            && second <= 60
            && (1900..=9999).contains(&year);
        let at = DateTime {
            year,
            month,
            day,
            hour,
            minute,
            second,
            tz_before_gmt: false,
            tz_hour: 0,
            tz_minute: 0,
        };
        fits.then(|| Timestamp::from_secs(at.to_timestamp() - self.zone.unwrap_or_default() * 60))
    }
}

/// Minutes before Greenwich.
fn zone(word: &str) -> Option<i64> {
    if let Some((_, hours)) = ZONES.iter().find(|(name, _)| *name == word) {
        return Some(hours * 60);
    }
    let number = word.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let (sign, digits) = match number.split_at_checked(1)? {
        ("+", digits) => (1, digits.replace(':', "")),
        ("-", digits) => (-1, digits.replace(':', "")),
        _ => return None,
    };
    let (hours, minutes) = digits.split_at_checked(2)?;
    let minutes = if minutes.is_empty() { 0 } else { minutes.parse::<u8>().ok()? };
    let all = i64::from(hours.parse::<u8>().ok()?) * 60 + i64::from(minutes);
    (all <= 24 * 60).then_some(sign * all) // farther than a day is nowhere
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<i64> {
        date(text.as_bytes()).map(|t| t.as_millis() / 1000)
    }

    #[test]
    fn dates_are_read_in_every_order() {
        for text in [
            " Fri, 5 Jun 2026 10:00:00 +0300",
            "5 Jun 2026 07:00 GMT",
            "Fri, 5 Jun 2026 10:00:00\r\n +0300 (MSK)",
            "Fri, 05 Jun 26 10:00:00 MSK",
            "5-Jun-2026 03:00:00 EDT",
            "Fri Jun  5 07:00:00 2026",
            "Friday, 5 June 2026 10:00 +03:00",
            "5 Jun 2026 10:00:00.123 GMT+0300",
            "5 Jun 2026 02:00:00 -0500",
            "5 Jun 2026 07:00:00 nowhere",
            "5 Jun 2026 07:00:00 +9999",
        ] {
            assert_eq!(at(text), Some(1_780_642_800), "{text}");
        }
        assert_eq!(at("Thu, 1 Jan 1970 00:00:00 -0000"), Some(0));
        assert_eq!(at("Sun, 1 Jan 99 00:00:00 +0000"), Some(915_148_800));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for absurd in [
            "",
            "yesterday",
            "Пт, 5 июн 2026",
            "99 Foo 2026 77:99:99 +0000",
            "0",
            "5 Jun 2026",
            "5 Jun 2026 1:x",
            "😀",
        ] {
            assert_eq!(at(absurd), None, "{absurd}");
        }
    }
}
