//! The tree of a mail: words, HTML with its pictures, files.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::message::header::{
    ContentDisposition, ContentId, ContentTransferEncoding, Header, HeaderName, HeaderValue,
};
use lettre::message::{Body, MultiPart, MultiPartBuilder, SinglePart};
use omni_core::MessageId;
use omni_core::error::{Error, ErrorKind, Result};
use omni_core::media::{Media, MediaKind, MediaSource};

use crate::parse::file_name as clean;

/// Longest media type, in bytes: both halves have 127 at most (RFC 6838, 4.2).
const MEDIA_TYPE: usize = 255;
/// Bytes of a name in one encoded word: with its frame it fits a line (RFC 2047, 2).
const WORD: usize = 42;
/// Longest name that is written as it is.
const PLAIN_NAME: usize = 60;

/// What a mail is made of.
pub(super) struct Tree<'a> {
    /// The words.
    pub(super) plain: String,
    /// The same as HTML, where it shows more.
    pub(super) html: Option<String>,
    /// The files.
    pub(super) files: Vec<&'a Media>,
}

/// A part of a mail, of either kind.
pub(super) enum Branch {
    One(SinglePart),
    Many(MultiPart),
}

/// Boundaries that are the same in every attempt. `=_` at the start stands in no quoted-printable or base64 line, and
/// nobody outside knows the id before the mail is written.
struct Boundaries {
    id: MessageId,
    used: u32,
}

impl Boundaries {
    fn next(&mut self, builder: MultiPartBuilder) -> MultiPart {
        self.used += 1;
        builder.boundary(format!("=_omni.{}.{}", self.id, self.used)).build()
    }
}

impl Tree<'_> {
    /// The tree: files beside the words, pictures that the HTML names within it.
    pub(super) fn build(self, id: MessageId) -> Result<Branch> {
        let mut boundaries = Boundaries { id, used: 0 };
        let html = self.html;
        let (inline, attached): (Vec<&Media>, Vec<&Media>) =
            self.files.into_iter().partition(|file| html.as_deref().is_some_and(|html| is_shown(file, html)));
        let mut top = match attached.is_empty() {
            true => None,
            false => Some(boundaries.next(MultiPart::builder().kind(lettre::message::MultiPartKind::Mixed))),
        };
        let words = words(self.plain, html, &inline, &mut boundaries)?;
        let Some(mixed) = top.take() else { return Ok(words) };
        let mut mixed = match words {
            Branch::One(part) => mixed.singlepart(part),
            Branch::Many(part) => mixed.multipart(part),
        };
        for (number, file) in attached.iter().enumerate() {
            let name = file_name(file, number);
            mixed = mixed.singlepart(part(file, &name, ContentDisposition::attachment(&name), None)?);
        }
        Ok(Branch::Many(mixed))
    }
}

fn words(
    plain: String,
    html: Option<String>,
    inline: &[&Media],
    boundaries: &mut Boundaries,
) -> Result<Branch> {
    use lettre::message::MultiPartKind::{Alternative, Related};
    let plain = SinglePart::plain(plain);
    let Some(html) = html else { return Ok(Branch::One(plain)) };
    let alternative = boundaries.next(MultiPart::builder().kind(Alternative)).singlepart(plain);
    let html = SinglePart::html(html);
    if inline.is_empty() {
        return Ok(Branch::Many(alternative.singlepart(html)));
    }
    let mut related = boundaries.next(MultiPart::builder().kind(Related)).singlepart(html);
    for (number, file) in inline.iter().enumerate() {
        let name = file_name(file, number);
        let disposition = ContentDisposition::inline_with_name(&name);
        related = related.singlepart(part(file, &name, disposition, shown_as(file))?);
    }
    Ok(Branch::Many(alternative.multipart(related)))
}

/// The name by which HTML may show a file in place: the one it was given for that, else the file's own.
fn shown_as(file: &Media) -> Option<&str> {
    file.cid.as_deref().or(file.name.as_deref())
}

/// Whether the HTML shows the file in place: `cid:` and a name that is fit for a Content-ID.
fn is_shown(file: &Media, html: &str) -> bool {
    let Some(name) = shown_as(file) else { return false };
    let is_id = |b: u8| b.is_ascii_alphanumeric() || b"@._-+$=".contains(&b);
    let cid = format!("cid:{name}");
    let ends = |rest: &str| !rest.bytes().next().is_some_and(is_id);
    let fits = !name.is_empty() && name.len() <= MEDIA_TYPE && name.bytes().all(is_id);
    fits && html.split(cid.as_str()).skip(1).any(ends)
}

/// Files are always base64: whatever is in them passes every server unchanged.
fn part(file: &Media, name: &str, disposition: ContentDisposition, id: Option<&str>) -> Result<SinglePart> {
    let MediaSource::Bytes { bytes } = &file.source else {
        return Err(Error::unsupported("send").with_text("files go out by their bytes, not by an address"));
    };
    let body = Body::new_with_encoding(bytes.to_vec(), ContentTransferEncoding::Base64)
        .map_err(|_| Error::new(ErrorKind::Internal, "send").with_text("a file cannot be encoded"))?;
    let mut builder = SinglePart::builder().header(FileType::new(media_type(file), name)).header(disposition);
    if let Some(id) = id {
        builder = builder.header(ContentId::from(format!("<{id}>")));
    }
    Ok(builder.body(body))
}

/// The type as `kind/name`, or the one for any bytes: what else stands in it is not trusted, and mails and their parts
/// may not be base64 (RFC 2045, 6.4).
fn media_type(file: &Media) -> &str {
    let is_token = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    let told = file.mime.as_deref().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let fits = told.split_once('/').is_some_and(|(kind, name)| {
        is_token(kind)
            && is_token(name)
            && !matches!(kind.to_ascii_lowercase().as_str(), "message" | "multipart")
    });
    if fits && told.len() <= MEDIA_TYPE { told } else { "application/octet-stream" }
}

/// Content-Type with the file's name, for programs that do not know the `filename*` of RFC 2231. They all read encoded
/// words there, which RFC 2047 does not foresee.
#[derive(Clone)]
struct FileType(String);

impl FileType {
    fn new(media_type: &str, name: &str) -> Self {
        let is_plain = |b: u8| b == b' ' || b.is_ascii_graphic() && !b"\"\\".contains(&b);
        let shown = match name.len() <= PLAIN_NAME && name.bytes().all(is_plain) && !name.contains("=?") {
            true => name.to_owned(),
            false => encoded_words(name).join("\r\n "),
        };
        Self(format!("{media_type};\r\n name=\"{shown}\""))
    }
}

impl Header for FileType {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Content-Type")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::dangerous_new_pre_encoded(Self::name(), self.0.clone(), self.0.clone())
    }
}

/// Words in one line as encoded words (RFC 2047), each of whole characters.
pub(super) fn encoded_words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        match words.last_mut() {
            Some(word) if word.len() + c.len_utf8() <= WORD => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word))).collect()
}

/// A name fit for any disk; one by the kind for a file without a name.
fn file_name(file: &Media, number: usize) -> String {
    let name = clean(file.name.as_deref().unwrap_or_default());
    if !name.is_empty() {
        return name;
    }
    let kind = match file.kind {
        MediaKind::Image | MediaKind::Sticker => "image",
        MediaKind::Video | MediaKind::VideoNote | MediaKind::Animation => "video",
        MediaKind::Audio | MediaKind::Voice => "audio",
        _ => "file",
    };
    format!("{kind}-{}{}", number + 1, ending(file.mime.as_deref()))
}

/// Endings of what is sent most without a name.
fn ending(mime: Option<&str>) -> &'static str {
    match mime.unwrap_or_default() {
        "image/jpeg" => ".jpg",
        "image/png" => ".png",
        "image/gif" => ".gif",
        "image/webp" => ".webp",
        "video/mp4" => ".mp4",
        "audio/mpeg" => ".mp3",
        "audio/ogg" => ".ogg",
        "application/pdf" => ".pdf",
        "text/plain" => ".txt",
        _ => "",
    }
}
