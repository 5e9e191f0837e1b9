//! From bytes to text, where the label lies, is unknown, or is missing.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use charset::Charset;
use encoding_rs::{Encoding, IBM866, ISO_8859_5, KOI8_R, KOI8_U, UTF_8, WINDOWS_1251, WINDOWS_1252};

/// How much of a text is looked at to guess its charset.
const SAMPLE: usize = 64 * 1024;
/// How much likelier, per letter and as a logarithm, another reading must be to win over the label.
const LIKELIER: f32 = 0.7;
/// The letters of Russian by how often they come, of 10,000.
const LETTERS: [(char, f32); 37] = [
    ('о', 1097.),
    ('е', 845.),
    ('а', 801.),
    ('и', 735.),
    ('н', 670.),
    ('т', 626.),
    ('с', 547.),
    ('р', 473.),
    ('в', 454.),
    ('л', 440.),
    ('к', 349.),
    ('м', 321.),
    ('д', 298.),
    ('п', 281.),
    ('у', 262.),
    ('я', 201.),
    ('ы', 190.),
    ('ь', 174.),
    ('г', 170.),
    ('з', 165.),
    ('б', 159.),
    ('ч', 144.),
    ('й', 121.),
    ('х', 97.),
    ('ж', 94.),
    ('ш', 73.),
    ('ю', 64.),
    ('ц', 48.),
    ('щ', 36.),
    ('э', 32.),
    ('ф', 26.),
    ('ё', 20.),
    ('ъ', 10.),
    // Ukrainian and Belarusian: rare among Russian, common among their own.
    ('і', 60.),
    ('ї', 30.),
    ('є', 30.),
    ('ў', 20.),
];

/// Text out of bytes that carry a label, or none. `tld` is the top-level domain of who wrote it: it helps to guess.
pub(super) fn text(bytes: &[u8], label: Option<&str>, tld: Option<&str>) -> String {
    let label = label.map(tidy);
    if let Some((mark, length)) = Charset::for_bom(bytes) {
        return mark.decode_without_bom_handling(bytes.get(length..).unwrap_or_default()).0.into_owned();
    }
    let named = label.as_deref().and_then(known);
    if bytes.is_ascii() {
        return seven_bit(bytes, named);
    }
    let labelled = named.map(Charset::name);
    match labelled {
        Some(name) if name == UTF_8.name() => utf8(bytes, tld),
        Some(name) if name == WINDOWS_1252.name() => latin(bytes, tld),
        Some(name) if of_cyrillic(name) => cyrillic(bytes, name),
        Some("UTF-7") | None => guessed(bytes, tld),
        Some(_) => other(bytes, named, tld),
    }
}

/// A label in lower case, without quotes and a language.
fn tidy(label: &str) -> String {
    let label = label.trim().trim_matches(['"', '\'', '<', '>', '=']);
    let label = label.split(['*', ';', ' ', ',']).next().unwrap_or_default();
    label.to_ascii_lowercase().replace('_', "-")
}

/// The charset of a label, also of names that no list has.
fn known(label: &str) -> Option<Charset> {
    let of = |label: &str| Charset::for_label_no_replacement(label.as_bytes());
    let written = match label {
        // Any ASCII with more in it is of unknown charset.
        "us-ascii" | "ascii" | "ansi-x3.4-1968" | "ansi-x3.110-1983" | "unknown-8bit" | "x-unknown"
        | "8bit" => {
            return None;
        }
        "utf8mb4" | "utf8mb3" | "utf-8-sig" | "utf-8-mac" | "cp65001" | "unicode" => "utf-8",
        "koi8r" | "koi-8" | "koi-8-r" | "koi8-ru" | "cp20866" | "koi8-c" => "koi8-r",
        "koi8u" | "koi-8-u" | "cp21866" => "koi8-u",
        "cp-866" | "dos" | "dos-866" | "alt" => "ibm866",
        "cp936" | "ms936" | "cp-936" | "gb-2312" | "gb2312-80" => "gbk",
        "cp932" | "cp-932" | "ms932" => "shift_jis",
        "cp949" | "ks-c-5601" | "ks-c-5601-1987" | "ks-c-5601-1989" | "ms949" => "euc-kr",
        "cp950" | "ms950" => "big5",
        "cp50220" | "cp50221" | "cp50222" | "iso-2022-jp-ms" | "-iso-2022-jp" | "jis" => "iso-2022-jp",
        _ => label,
    };
    of(written).or_else(|| of(&written.replace('-', "_"))).or_else(|| {
        let digits: String = written.chars().skip_while(|c| !c.is_ascii_digit()).collect();
        let head = written.strip_suffix(digits.as_str())?.trim_end_matches('-');
        let family =
            matches!(head, "win" | "windows" | "cp" | "cp1" | "x-cp" | "x-windows" | "ansi" | "microsoft-cp");
        family.then(|| of(&format!("windows-{digits}")))?
    })
}

/// Seven bits may still be of a charset that switches by escapes, whatever the label says.
fn seven_bit(bytes: &[u8], named: Option<Charset>) -> String {
    let switches = |b: &[u8]| matches!(b, [0x1b, b'$', b'B' | b'@', ..] | [0x1b, b'(', b'J', ..]);
    if bytes.windows(3).any(switches) {
        return encoding_rs::ISO_2022_JP.decode_without_bom_handling(bytes).0.into_owned();
    }
    match named {
        Some(charset) => charset.decode_without_bom_handling(bytes).0.into_owned(),
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// UTF-8; with faults in it, the rest of it if it is mostly right, else a guess.
fn utf8(bytes: &[u8], tld: Option<&str>) -> String {
    let (mut right, mut wrong) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        right += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        wrong += chunk.invalid().len();
    }
    if wrong > 0 && wrong * 2 >= right && !(right > 0 && wrong < 4) {
        return guessed(bytes, tld);
    }
    String::from_utf8_lossy(bytes).into_owned()
}

/// What is said to be Western: UTF-8 when it is that, Cyrillic and the like when its words have no letter of the West.
fn latin(bytes: &[u8], tld: Option<&str>) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let text = WINDOWS_1252.decode_without_bom_handling(bytes).0;
    let high = |c: char| ('\u{c0}'..='\u{ff}').contains(&c);
    // Signs that Western texts hardly have, and that half the small letters of Cyrillic under DOS look like.
    let signs = text.chars().filter(|c| "¡¢¤¥¦¨ª¬\u{ad}®¯".contains(*c)).count();
    if signs >= 3 && signs * 5 >= bytes.iter().filter(|b| !b.is_ascii()).count() {
        return guessed(bytes, tld);
    }
    let (mut letters, mut alien, mut mixed) = (0, 0, 0);
    for word in text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()) {
        let count = word.chars().count();
        letters += count;
        match word.chars().filter(|c| high(*c)).count() {
            n if n == count && n > 1 => alien += count,
            0 => {}
            _ => mixed += count,
        }
    }
    if alien * 10 >= letters * 3 && alien > mixed * 2 {
        return guessed(bytes, tld);
    }
    text.into_owned()
}

fn of_cyrillic(name: &str) -> bool {
    [WINDOWS_1251, KOI8_R, KOI8_U, IBM866, ISO_8859_5].iter().any(|e| e.name() == name)
}

/// What is said to be Cyrillic: UTF-8 when it is that, the likeliest charset of Cyrillic when the label's is far less likely.
fn cyrillic(bytes: &[u8], name: &str) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let named = Encoding::for_label(name.as_bytes()).unwrap_or(WINDOWS_1251);
    likeliest(bytes, named).decode_without_bom_handling(bytes).0.into_owned()
}

/// The likeliest charset of Cyrillic, the given one if none is far likelier.
fn likeliest(bytes: &[u8], given: &'static Encoding) -> &'static Encoding {
    let sample = sample(bytes);
    let likely = |e: &'static Encoding| likelihood(&e.decode_without_bom_handling(sample).0);
    let most = likely(given) + LIKELIER;
    [WINDOWS_1251, KOI8_R, IBM866, ISO_8859_5]
        .into_iter()
        .map(|e| (e, likely(e)))
        .filter(|(_, found)| *found > most)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map_or(given, |(e, _)| e)
}

/// How likely a text is Russian, per letter that is not of ASCII, as a logarithm.
fn likelihood(text: &str) -> f32 {
    let (mut sum, mut count, mut before) = (0., 0_u16, ' ');
    for c in text.chars() {
        if !c.is_ascii() {
            let small = c.to_lowercase().next().unwrap_or(c);
            let often = LETTERS.iter().find(|(letter, _)| *letter == small).map(|(_, often)| often / 300.);
            sum += often.map_or(if c.is_alphabetic() { -3. } else { -1. }, f32::ln);
            if c.is_uppercase() && before.is_lowercase() {
                sum -= 3.;
            }
            count = count.saturating_add(1);
        }
        before = c;
        if count == u16::MAX {
            break;
        }
    }
    if count == 0 { 0. } else { sum / f32::from(count) }
}

/// Text of a charset with more than one byte a letter: by its label unless that does not fit at all.
fn other(bytes: &[u8], named: Option<Charset>, tld: Option<&str>) -> String {
    let Some(charset) = named else { return guessed(bytes, tld) };
    let (text, faults) = charset.decode_without_bom_handling(bytes);
    if faults && let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let lost = text.chars().filter(|c| *c == '\u{fffd}').count();
    if lost * 4 > text.chars().filter(|c| !c.is_ascii()).count() {
        guessed(bytes, tld)
    } else {
        text.into_owned()
    }
}

/// Text without a label to be trusted.
fn guessed(bytes: &[u8], tld: Option<&str>) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(sample(bytes), true);
    let found = detector.guess(tld.map(str::as_bytes), Utf8Detection::Deny);
    let found = if of_cyrillic(found.name()) { likeliest(bytes, found) } else { found };
    found.decode_without_bom_handling(bytes).0.into_owned()
}

/// The piece of a text that tells its charset: from its first byte that is not of ASCII.
fn sample(bytes: &[u8]) -> &[u8] {
    let first = bytes.iter().position(|b| !b.is_ascii()).unwrap_or(0);
    let from = first.saturating_sub(64);
    bytes.get(from..bytes.len().min(from + SAMPLE)).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUSSIAN: &str = "Здравствуйте! Где мой заказ № 15? Жду ответа, спасибо.";

    #[test]
    fn a_wrong_label_does_not_spoil_russian() {
        for really in [WINDOWS_1251, KOI8_R, IBM866, ISO_8859_5, UTF_8] {
            let bytes = really.encode(&RUSSIAN.replace('№', "N")).0.into_owned();
            let wanted = RUSSIAN.replace('№', "N");
            for label in [
                "us-ascii",
                "iso-8859-1",
                "utf-8",
                "koi8-r",
                "windows-1251",
                "win-1251",
                "x-unknown",
                "nonsense",
            ] {
                assert_eq!(
                    text(&bytes, Some(label), Some("ru")),
                    wanted,
                    "{label}, really {}",
                    really.name()
                );
            }
            assert_eq!(text(&bytes, None, None), wanted, "no label, really {}", really.name());
        }
    }

    #[test]
    fn a_right_label_is_believed() {
        for (said, label) in [
            ("ПРИВЕТ, ЭТО СНОВА Я", "koi8-r"),
            ("ПРИВЕТ, ЭТО СНОВА Я", "windows-1251"),
            ("Счет", "windows-1251"),
            ("Ага", "koi8-r"),
            ("Дякую! Чекаю на відповідь із Києва.", "koi8-u"),
            ("Été à Évry, où déjà", "iso-8859-1"),
            ("Grüße aus Köln: ÄÖÜ", "iso-8859-15"),
            ("Zażółć gęślą jaźń", "iso-8859-2"),
            ("こんにちは", "iso-2022-jp"),
            ("お問い合わせ", "shift_jis"),
            ("你好，请问", "gb2312"),
            ("您好", "big5"),
            ("안녕하세요", "ks_c_5601-1987"),
        ] {
            let encoding = Encoding::for_label(label.as_bytes()).unwrap();
            assert_eq!(text(&encoding.encode(said).0, Some(label), None), said, "{label}");
        }
        assert_eq!(text(b"+BB8EQAQ4BDIENQRC-!", Some("utf-7"), None), "Привет!");
    }

    #[test]
    fn escapes_of_japanese_are_seen_whatever_the_label() {
        let bytes = encoding_rs::ISO_2022_JP.encode("注文について").0.into_owned();
        for label in [None, Some("us-ascii"), Some("utf-8"), Some("cp50221")] {
            assert_eq!(text(&bytes, label, None), "注文について");
        }
    }

    #[test]
    fn names_of_charsets_are_known_however_they_are_written() {
        for (label, name) in [
            ("win-1251", "windows-1251"),
            ("cp-1251", "windows-1251"),
            ("Windows1251", "windows-1251"),
            ("WINDOWS_1251", "windows-1251"),
            ("koi8r", "KOI8-R"),
            ("utf8mb4", "UTF-8"),
            ("\"utf-8\"", "UTF-8"),
            ("iso8859-5", "ISO-8859-5"),
            ("ks_c_5601-1987", "EUC-KR"),
            ("utf-8*ru", "UTF-8"),
            ("win1252", "windows-1252"),
        ] {
            assert_eq!(known(&tidy(label)).map(Charset::name), Some(name), "{label}");
        }
        assert!(known("ansi-x3.110-1983").is_none() && known("x-unknown").is_none() && known("").is_none());
    }

    #[test]
    fn a_fault_in_utf8_costs_one_letter() {
        assert_eq!(text(b"\xd0\x9f\xd1\x80\xd0\xb8\xff\xd0\xb2\xd0\xb5\xd1", Some("utf-8"), None), "При�ве�");
    }
}
