//! The files of a mail: what is shown in its words, what is only decoration, and those in a `winmail.dat`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use sha2::{Digest, Sha256};

use super::encoded::{self, Hint};
use super::field::Fields;
use super::names;
use super::tnef::{Tnef, TnefFile};
use super::tree::{Part, escapes};
use super::words::{content_id, name};
use crate::mail::{File, PartPath};

/// A picture of a signature is not higher than this, in pixels.
const LOGO: u32 = 120;
/// Nor has it more bytes than this; or than the second, if its size in pixels is not known.
const LOGO_BYTES: [u64; 2] = [32 * 1024, 8 * 1024];
/// Most pictures that are looked for by their address.
const LOCATIONS: usize = 200;
/// Most bytes that the new addresses of one of them take in the HTML.
const REPLACED: usize = 64 * 1024;

/// What is known of a file before its place in the words is.
struct Found<'p> {
    file: File,
    content_id: Option<String>,
    location: Option<String>,
    pixels: Option<(u32, u32)>,
    winmail: Option<Cow<'p, [u8]>>,
    /// The digest of an invitation.
    invitation: Option<[u8; 32]>,
}

/// The words that lie in a `winmail.dat`.
#[derive(Debug, Default)]
pub(super) struct Inside {
    pub(super) plain: Option<String>,
    pub(super) html: Option<String>,
    pub(super) rtf: Option<String>,
}

/// The files of parts, in order. Pictures that the HTML shows get a Content-ID by which it shows them.
pub(super) fn list(parts: &[&Part<'_>], html: &mut Option<String>, hint: &Hint) -> (Vec<File>, Inside) {
    let mut found = Vec::new();
    let mut inside = Inside::default();
    for part in parts {
        let mut one = one(part, hint);
        let winmail = one.winmail.take();
        match winmail.as_deref().and_then(Tnef::read) {
            Some(tnef) => unpack(part, tnef, one, &mut found, &mut inside),
            None => found.push(one),
        }
    }
    once(&mut found);
    if html.is_none() {
        html.clone_from(&inside.html);
    }
    shown(&mut found, html);
    for (at, found) in found.iter_mut().enumerate() {
        found.file.decoration = is_decoration(found);
        if found.file.name.is_empty() {
            found.file.name = unnamed(&found.file.mime, at + 1);
        }
    }
    (found.into_iter().map(|found| found.file).collect(), inside)
}

/// An invitation stands in a mail twice: as a form of its words, and as a file for programs that know no such form. It is
/// listed once, as the first.
fn once(found: &mut Vec<Found<'_>>) {
    let mut seen = Vec::new();
    found.retain(|one| match one.invitation {
        Some(digest) if seen.contains(&digest) => false,
        Some(digest) => {
            seen.push(digest);
            true
        }
        None => true,
    });
}

fn one<'a>(part: &Part<'a>, hint: &Hint) -> Found<'a> {
    let bytes = part.bytes();
    let mut name = names::clean(&name(part, hint).unwrap_or_default());
    if name.is_empty() && matches!(part.kind.value.as_str(), "message/rfc822" | "message/global") {
        let subject = Fields::split(&bytes).0.first("subject").map(|subject| encoded::text(subject, hint));
        name = subject
            .map(|s| names::clean(&s.replace(['/', '\\'], "_")))
            .filter(|s| !s.is_empty())
            .unwrap_or_default();
        if !name.is_empty() {
            name = names::clean(&format!("{name}.eml"));
        }
    }
    let label = part.kind.value.as_str();
    let tnef = matches!(label, "application/ms-tnef" | "application/vnd.ms-tnef")
        || name.eq_ignore_ascii_case("winmail.dat");
    let mime = mime(part, &bytes, &name);
    let location = part.fields.first("content-location").map(|location| encoded::text(location, hint));
    let file = File {
        part: PartPath(part.path.clone()),
        name,
        mime,
        size: size(&bytes),
        shown_as: None,
        decoration: false,
    };
    Found {
        content_id: content_id(part),
        location: location.map(|l| l.replace(' ', "")).filter(|l| l.len() > 2 && !l.contains(['"', '\''])),
        pixels: names::pixels(&bytes),
        invitation: (file.mime.starts_with("text/calendar")
            || file.name.to_ascii_lowercase().ends_with(".ics"))
        .then(|| Sha256::digest(&bytes).into()),
        file,
        winmail: tnef.then_some(bytes),
    }
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// The type of a part's bytes. An invitation says what it asks for.
pub(super) fn mime(part: &Part<'_>, bytes: &[u8], name: &str) -> String {
    let mime = names::mime(bytes, &part.kind.value, name);
    let method =
        part.kind.get("method").filter(|m| !m.is_empty() && m.bytes().all(|b| b.is_ascii_alphabetic()));
    match method {
        Some(method) if mime == "text/calendar" => format!("{mime}; method={}", method.to_ascii_uppercase()),
        _ => mime,
    }
}

/// The name of a file that has none.
fn unnamed(mime: &str, number: usize) -> String {
    match mime {
        "application/pgp-signature" => "signature.asc".into(),
        _ if mime.starts_with("text/calendar") => "invite.ics".into(),
        _ => format!("attachment-{number}.{}", names::ending(mime)),
    }
}

/// A file of a `winmail.dat`: its bytes and their type.
pub(super) fn within<'a>(file: &TnefFile<'a>) -> Option<(String, &'a [u8])> {
    let data = file.data?;
    let mime = names::mime(data, file.mime.as_deref().unwrap_or_default(), &names::clean(&file.name));
    Some((mime, data))
}

fn unpack<'p>(
    part: &Part<'_>,
    tnef: Tnef<'_>,
    dat: Found<'p>,
    found: &mut Vec<Found<'p>>,
    inside: &mut Inside,
) {
    let before = found.len();
    for (number, file) in tnef.files.iter().enumerate() {
        let Some((mime, data)) = within(file) else { continue };
        let location = PartPath(format!("{}!{number}", part.path));
        let name = names::clean(&file.name);
        found.push(Found {
            file: File { part: location, name, mime, size: size(data), shown_as: None, decoration: false },
            content_id: file.content_id.clone(),
            location: None,
            pixels: names::pixels(data),
            winmail: None,
            invitation: None,
        });
    }
    let blank = |text: &String| text.trim().is_empty();
    let rtf = tnef.rtf.and_then(super::rtf::unpacked);
    let words = tnef.plain.is_some() || tnef.html.is_some() || rtf.is_some();
    if !tnef.whole || before == found.len() && !words {
        found.insert(before, Found { winmail: None, ..dat });
    }
    inside.plain = inside.plain.take().or(tnef.plain.filter(|text| !blank(text)));
    inside.html = inside.html.take().or(tnef.html.filter(|text| !blank(text)));
    inside.rtf = inside.rtf.take().or(rtf);
}

/// Finds which files the HTML shows, and makes it name each by its Content-ID.
fn shown(found: &mut [Found<'_>], html: &mut Option<String>) {
    static CID: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"(?i)\bcid:([^"'\s<>)]+)"#).ok());
    let (Some(text), Some(cid)) = (html.as_mut(), CID.as_ref()) else { return };
    // From what the HTML may call a file to the Content-ID that it has.
    let mut ids: BTreeMap<String, usize> = BTreeMap::new();
    for (at, one) in found.iter().enumerate() {
        if let Some(id) = &one.content_id {
            ids.entry(id.clone()).or_insert(at);
        }
    }
    let mut seen = Vec::new();
    let rewritten = cid.replace_all(text, |captures: &Captures<'_>| {
        let (whole, written) = (captures.get(0), captures.get(1));
        let (Some(whole), Some(written)) = (whole, written) else { return String::new() };
        let plain = written.as_str().replace("&amp;", "&");
        let mut bytes = Vec::new();
        escapes(plain.as_bytes(), b'%', &mut bytes);
        let decoded = String::from_utf8_lossy(&bytes).into_owned();
        let Some((id, at)) = ids.get_key_value(&plain).or_else(|| ids.get_key_value(&decoded)) else {
            return whole.as_str().to_owned();
        };
        seen.push(*at);
        format!("cid:{id}")
    });
    if let Cow::Owned(rewritten) = rewritten {
        *text = rewritten;
    }
    for at in seen {
        if let Some(one) = found.get_mut(at) {
            one.file.shown_as.clone_from(&one.content_id);
        }
    }
    located(found, text);
}

/// Pictures that the HTML names by where they once lay (RFC 2557).
fn located(found: &mut [Found<'_>], html: &mut String) {
    let of_place = found.iter_mut().filter(|one| one.file.shown_as.is_none() && one.location.is_some());
    for one in of_place.take(LOCATIONS) {
        let Some(location) = &one.location else { continue };
        let id = one.content_id.clone().unwrap_or_else(|| format!("part-{}", one.file.part.0));
        for quote in ['"', '\''] {
            let written = format!("{quote}{location}{quote}");
            let shown = format!("{quote}cid:{id}{quote}");
            let count = html.matches(&written).count();
            // A long id in the place of many short addresses must not fill the memory.
            if count > 0 && count.saturating_mul(shown.len()) <= REPLACED {
                *html = html.replace(&written, &shown);
                one.file.shown_as = Some(id.clone());
            }
        }
    }
}

/// Whether a picture is likely a dot that tells who reads, or a logo of a signature: Outlook calls those `image001.png`.
fn is_decoration(found: &Found<'_>) -> bool {
    let file = &found.file;
    if !file.mime.starts_with("image/") {
        return false;
    }
    if found.pixels.is_some_and(|(width, height)| width <= 1 || height <= 1) {
        return true;
    }
    let stem = file.name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let number = stem.strip_prefix("image").unwrap_or_default();
    let of_outlook = number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit());
    let [known, unknown] = LOGO_BYTES;
    let small = match found.pixels {
        Some((_, height)) => height <= LOGO && file.size <= known,
        None => file.size <= unknown,
    };
    of_outlook && small && (file.shown_as.is_some() || found.content_id.is_some())
}
