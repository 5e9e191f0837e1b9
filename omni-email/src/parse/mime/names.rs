//! Names of files fit for a disk, and media types by the first bytes.

use std::path::Path;

/// Most bytes of a name. Disks take 255; what is put before or behind needs room.
const LONGEST: usize = 200;
/// Names that Windows keeps for itself, with whatever ending
/// (https://learn.microsoft.com/windows/win32/fileio/naming-a-file).
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// A name fit for a disk: no path, no control or direction characters, no name of a device. Empty when nothing is left.
pub(crate) fn clean(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).find(|piece| !piece.trim().is_empty()).unwrap_or_default();
    let kept = last.chars().filter(|c| !unseen(*c));
    let safe: String =
        kept.map(|c| if "<>:\"|?*".contains(c) || c == '\u{fffd}' { '_' } else { c }).collect();
    let words = safe.split_whitespace().collect::<Vec<_>>().join(" ");
    let bare = words.trim_start_matches(['.', ' ']).trim_end_matches(['.', ' ']);
    let short = shortened(bare);
    let stem = short.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let device = DEVICES.iter().any(|device| match stem.strip_prefix(device) {
        Some("") => !matches!(*device, "com" | "lpt"),
        Some(number) => {
            matches!(*device, "com" | "lpt")
                && number.len() == 1
                && number != "0"
                && number.parse::<u8>().is_ok()
        }
        None => false,
    });
    if device { format!("_{short}") } else { short }
}

/// Characters that are not seen, or turn what stands beside them around.
fn unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{fff9}'..='\u{fffb}')
        || matches!(u32::from(c), 0xe0000..=0xe007f)
}

/// A name of at most so many bytes, its ending kept.
fn shortened(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let ending = name.rsplit_once('.').map(|(_, ending)| ending).filter(|ending| ending.len() <= 16);
    let room = LONGEST - ending.map_or(0, |ending| ending.len() + 1);
    let end = (0..=room).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    let stem = name.get(..end).unwrap_or_default().trim_end_matches(['.', ' ']);
    ending.map_or_else(|| stem.to_owned(), |ending| format!("{stem}.{ending}"))
}

/// Endings of names and the types of such files.
const TYPES: [(&str, &str); 48] = [
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("bmp", "image/bmp"),
    ("tif", "image/tiff"),
    ("heic", "image/heic"),
    ("svg", "image/svg+xml"),
    ("ico", "image/vnd.microsoft.icon"),
    ("txt", "text/plain"),
    ("html", "text/html"),
    ("csv", "text/csv"),
    ("ics", "text/calendar"),
    ("vcf", "text/vcard"),
    ("vcf", "text/x-vcard"),
    ("xml", "application/xml"),
    ("json", "application/json"),
    ("eml", "message/rfc822"),
    ("txt", "text/rfc822-headers"),
    ("txt", "message/delivery-status"),
    ("txt", "message/disposition-notification"),
    ("txt", "message/feedback-report"),
    ("zip", "application/zip"),
    ("rar", "application/vnd.rar"),
    ("7z", "application/x-7z-compressed"),
    ("gz", "application/gzip"),
    ("rtf", "application/rtf"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("ppt", "application/vnd.ms-powerpoint"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("mp3", "audio/mpeg"),
    ("ogg", "audio/ogg"),
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("p7m", "application/pkcs7-mime"),
    ("p7s", "application/pkcs7-signature"),
    ("asc", "application/pgp-encrypted"),
    ("asc", "application/pgp-signature"),
    ("eml", "message/global"),
    ("txt", "message/global-headers"),
    ("txt", "message/global-delivery-status"),
];

/// The ending of the name of a file of a type.
pub(super) fn ending(mime: &str) -> &'static str {
    let mime = mime.split(';').next().unwrap_or_default();
    let mime = mime
        .strip_prefix("application/x-pkcs7-")
        .map_or(mime.to_owned(), |m| format!("application/pkcs7-{m}"));
    TYPES.iter().find(|(_, of)| *of == mime).map_or("bin", |(ending, _)| ending)
}

/// The type of a file with such bytes, label and name. The bytes win over a label that names another kind of thing.
pub(super) fn mime(bytes: &[u8], label: &str, name: &str) -> String {
    let seen = magic(bytes);
    let picture = matches!(
        label,
        "image/png" | "image/jpeg" | "image/jpg" | "image/gif" | "image/webp" | "image/pjpeg"
    );
    let nothing =
        matches!(label, "" | "application/octet-stream" | "application/x-unknown" | "application/binary")
            || !label.contains('/');
    match seen {
        Some(seen) if nothing || seen.starts_with("image/") || picture => seen.to_owned(),
        None if picture && !bytes.is_empty() => "application/octet-stream".to_owned(), // said to be a picture, and is none
        _ if nothing => by_name(name).to_owned(),
        _ => label.to_owned(),
    }
}

fn by_name(name: &str) -> &'static str {
    let ending =
        Path::new(name).extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    let found = TYPES.iter().find(|(of, _)| *of == ending).map(|(_, mime)| *mime);
    found.unwrap_or("application/octet-stream")
}

/// The type that the first bytes tell.
fn magic(bytes: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 8] = [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"II*\0", "image/tiff"),
        (b"MM\0*", "image/tiff"),
        (b"%PDF-", "application/pdf"),
        (b"Rar!\x1a\x07", "application/vnd.rar"),
    ];
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Some("image/webp");
    }
    known.iter().find(|(begin, _)| bytes.starts_with(begin)).map(|(_, mime)| *mime)
}

/// Width and height of a picture in pixels, if its first bytes tell.
pub(super) fn pixels(bytes: &[u8]) -> Option<(u32, u32)> {
    let big = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let little = |at: usize| Some(u32::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    match magic(bytes)? {
        "image/png" => Some((big(16)?, big(20)?)),
        "image/gif" => Some((little(6)?, little(8)?)),
        "image/jpeg" => of_jpeg(bytes),
        _ => None,
    }
}

/// The frame of a JPEG: segment by segment until one that begins a frame (ITU T.81, B.2.2).
fn of_jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let two = |at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let mut at = 2;
    loop {
        let [0xff, mark] = *bytes.get(at..at + 2)? else { return None };
        if matches!(mark, 0xc0..=0xcf) && !matches!(mark, 0xc4 | 0xc8 | 0xcc) {
            return Some((u32::from(two(at + 7)?), u32::from(two(at + 5)?)));
        }
        at += 2 + usize::from(two(at + 2)?.max(2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_else() {
        for (name, wanted) in [
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\Анна\\Счёт.pdf", "Счёт.pdf"),
            ("фото\u{202e}gpj.exe", "фотоgpj.exe"),
            ("a\0b\r\nc.txt", "abc.txt"),
            (".htaccess", "htaccess"),
            ("..", ""),
            ("///", ""),
            ("con.txt", "_con.txt"),
            ("COM1", "_COM1"),
            ("com0.txt", "com0.txt"),
            ("contract.pdf", "contract.pdf"),
            ("a:b|c?.txt", "a_b_c_.txt"),
            ("  two   words .pdf ", "two words .pdf"),
            ("отчёт 😀.xlsx", "отчёт 😀.xlsx"),
            ("trailing. . ", "trailing"),
        ] {
            assert_eq!(clean(name), wanted, "{name:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_ending_and_its_letters() {
        let short = clean(&format!("{}.pdf", "щ".repeat(300)));
        assert!(short.len() <= LONGEST && short.ends_with("щ.pdf"), "{short}");
    }

    #[test]
    fn bytes_win_over_labels_that_lie() {
        let png = b"\x89PNG\r\n\x1a\n";
        assert_eq!(mime(png, "image/jpeg", "a.jpg"), "image/png");
        assert_eq!(mime(png, "application/octet-stream", "a"), "image/png");
        assert_eq!(mime(b"<svg onload=x>", "image/png", "a.png"), "application/octet-stream");
        assert_eq!(mime(b"%PDF-1.4", "application/octet-stream", ""), "application/pdf");
        assert_eq!(mime(b"abc", "application/octet-stream", "a.DOCX"), TYPES[31].1);
        assert_eq!(mime(b"PK", "application/zip", "a.zip"), "application/zip");
        assert_eq!(mime(b"abc", "pdf", "a.pdf"), "application/pdf");
    }

    #[test]
    fn pictures_tell_their_size() {
        let png = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &[0, 0, 0, 3, 0, 0, 0, 4]].concat();
        assert_eq!(pixels(&png), Some((3, 4)));
        assert_eq!(pixels(b"GIF89a\x05\0\x06\0"), Some((5, 6)));
        let jpeg = [0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc0, 0, 17, 8, 0, 7, 0, 8];
        assert_eq!(pixels(&jpeg), Some((8, 7)));
        assert_eq!(pixels(&jpeg[..12]), None);
    }
}
