//! The tree of a mail: words, HTML with its pictures, files.

use lettre::message::header::{ContentDisposition, ContentId, ContentTransferEncoding, ContentType};
use lettre::message::{Body, MultiPart, MultiPartBuilder, SinglePart};
use omni_core::MessageId;
use omni_core::error::{Error, ErrorKind, Result};
use omni_core::media::{Media, MediaKind, MediaSource};

use super::address::one_line;

/// Longest name of a file, in bytes.
const FILE_NAME: usize = 200;

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
            mixed = mixed.singlepart(part(file, ContentDisposition::attachment(&name), None)?);
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
    for file in inline {
        let name = file.name.as_deref().unwrap_or_default();
        related = related.singlepart(part(file, ContentDisposition::inline_with_name(name), Some(name))?);
    }
    Ok(Branch::Many(alternative.multipart(related)))
}

/// Whether the HTML shows the file in place: `cid:` and the file's name, which must be fit for a Content-ID.
fn is_shown(file: &Media, html: &str) -> bool {
    let Some(name) = file.name.as_deref() else { return false };
    let is_id = |b: u8| b.is_ascii_alphanumeric() || b"@._-+".contains(&b);
    let cid = format!("cid:{name}");
    let ends = |rest: &str| !rest.bytes().next().is_some_and(is_id);
    !name.is_empty() && name.bytes().all(is_id) && html.split(cid.as_str()).skip(1).any(ends)
}

/// Files are always base64: whatever is in them passes every server unchanged.
fn part(file: &Media, disposition: ContentDisposition, id: Option<&str>) -> Result<SinglePart> {
    let MediaSource::Bytes { bytes } = &file.source else {
        return Err(Error::unsupported("send").with_text("files go out by their bytes, not by an address"));
    };
    let body = Body::new_with_encoding(bytes.to_vec(), ContentTransferEncoding::Base64)
        .map_err(|_| Error::new(ErrorKind::Internal, "send").with_text("a file cannot be encoded"))?;
    let mut builder = SinglePart::builder().header(media_type(file)).header(disposition);
    if let Some(id) = id {
        builder = builder.header(ContentId::from(format!("<{id}>")));
    }
    Ok(builder.body(body))
}

/// The type as `kind/name`, or the one for any bytes: what else stands in it is not trusted, and mails and their parts
/// may not be base64 (RFC 2045, 6.4).
fn media_type(file: &Media) -> ContentType {
    let is_token = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    let told = file.mime.as_deref().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let fits = told.split_once('/').is_some_and(|(kind, name)| {
        is_token(kind)
            && is_token(name)
            && !matches!(kind.to_ascii_lowercase().as_str(), "message" | "multipart")
    });
    let any = || ContentType::parse("application/octet-stream");
    let parsed = if fits { ContentType::parse(told).or_else(|_| any()) } else { any() };
    parsed.unwrap_or(ContentType::TEXT_PLAIN)
}

/// A name without paths, control characters and signs that turn the direction of reading; one by the kind for a file
/// without a name.
fn file_name(file: &Media, number: usize) -> String {
    let name = one_line(file.name.as_deref().unwrap_or_default());
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default().trim_matches([' ', '.']);
    if name.is_empty() {
        let kind = match file.kind {
            MediaKind::Image | MediaKind::Sticker => "image",
            MediaKind::Video | MediaKind::VideoNote | MediaKind::Animation => "video",
            MediaKind::Audio | MediaKind::Voice => "audio",
            _ => "file",
        };
        return format!("{kind}-{}{}", number + 1, ending(file.mime.as_deref()));
    }
    let mut end = name.len().min(FILE_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.get(..end).unwrap_or_default().to_owned()
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
