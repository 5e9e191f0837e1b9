//! Files: those that VK has, and those that have to go up.

use bytes::Bytes;
use omni_core::content::{Content, Item};
use omni_core::error::{ErrorKind, Result};
use omni_core::media::{Media, MediaKind, MediaRef, MediaSource};
use omni_core::{Error, Secret};
use url::Url;

use super::carousel;

/// Where a file of a message comes from.
#[derive(Clone, Debug)]
pub enum Source<'a> {
    /// VK has it, under this name.
    Named(String),
    /// It has to go up first.
    Upload(Upload<'a>),
    /// A picture of goods, which has to be fetched and go up.
    Fetch(&'a Url),
}

/// A file that has to go up.
#[derive(Clone, Copy, Debug)]
pub struct Upload<'a> {
    /// As what.
    pub class: Class,
    /// The file.
    pub media: &'a Media,
    /// Its bytes.
    pub bytes: &'a Bytes,
}

/// As what a file goes up. <https://dev.vk.com/api/upload/overview> (read 2026-11)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A file to download. Films go so too: a community cannot upload them as films.
    Document,
    /// A picture that is shown.
    Photo,
    /// Recorded speech.
    Voice,
}

impl Class {
    fn of(kind: MediaKind) -> Self {
        match kind {
            MediaKind::Image | MediaKind::Sticker => Self::Photo,
            MediaKind::Voice => Self::Voice,
            _ => Self::Document,
        }
    }

    /// The field of the form, and the name of a file that has none.
    pub fn field(self) -> (&'static str, &'static str) {
        match self {
            Self::Document => ("file", "file"),
            Self::Photo => ("photo", "photo.jpg"),
            Self::Voice => ("file", "voice.ogg"),
        }
    }
}

/// The files of a content, in order; then the pictures of its cards.
///
/// # Errors
/// [`ContentRejected`](ErrorKind::ContentRejected) for a reference that VK cannot send again.
pub fn sources(content: &Content, group_id: i64) -> Result<Vec<Source<'_>>> {
    let cards = carousel::cards(content, group_id).unwrap_or_default();
    let pictures = carousel::pictures(&cards).into_iter().map(|picture| Ok(Source::Fetch(picture)));
    content.all_media().map(source).chain(pictures).collect()
}

fn source(media: &Media) -> Result<Source<'_>> {
    match &media.source {
        MediaSource::Provider(at) => {
            let name = name_of(at).ok_or_else(|| {
                Error::new(ErrorKind::ContentRejected, "send").with_text("the file is not at VK")
            })?;
            Ok(Source::Named(name.to_owned()))
        }
        MediaSource::Bytes { bytes } => {
            Ok(Source::Upload(Upload { class: Class::of(media.kind), media, bytes }))
        }
        MediaSource::Url { .. } => Err(Error::new(ErrorKind::ContentRejected, "send")
            .with_text("VK fetches no files from addresses")
            .with_advice("send the bytes, or the address in words")),
        _ => Err(Error::new(ErrorKind::Internal, "send").with_text("the file's bytes were not resolved")),
    }
}

/// VK's name of a file: that of an uploaded one is its id; what came in has it beside its address.
fn name_of(at: &MediaRef) -> Option<&str> {
    [Some(at.id.as_str()), at.unique.as_deref()].into_iter().flatten().find(|name| is_name(name))
}

/// `photo-123456_457239020_ak1`, `sticker4331`.
fn is_name(text: &str) -> bool {
    const KINDS: [&str; 6] = ["photo", "doc", "video", "audio", "market", "wall"];
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if let Some(number) = text.strip_prefix("sticker") {
        return digits(number);
    }
    let Some(rest) = KINDS.iter().find_map(|kind| text.strip_prefix(kind)) else { return false };
    let mut steps = rest.strip_prefix('-').unwrap_or(rest).splitn(3, '_');
    let numbers = [steps.next(), steps.next()].into_iter().all(|step| step.is_some_and(digits));
    numbers
        && steps.next().is_none_or(|key| !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// The name under which goods, a post or a film are attached. A bare number is one of the community's own goods.
pub(super) fn item_name(item: &Item, group_id: i64) -> Option<String> {
    let id = item.id.as_deref()?;
    if id.parse::<u64>().is_ok() {
        return Some(format!("market-{group_id}_{id}"));
    }
    is_name(id).then(|| id.to_owned())
}

/// The name of a file that was saved. The access key lets the receiver see what belongs to nobody.
pub(crate) fn saved_name(kind: &str, owner: i64, id: i64, access_key: Option<&Secret>) -> String {
    match access_key {
        Some(key) => format!("{kind}{owner}_{id}_{}", key.expose()),
        None => format!("{kind}{owner}_{id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_vk_are_names() {
        for name in ["photo-123456_457239020_ak1", "doc50112233_6601", "sticker4331", "market-123456_991"] {
            assert!(is_name(name), "{name}");
        }
        for other in [
            "",
            "photo",
            "photo1",
            "photo1_",
            "photo1_2_",
            "photo1_2,doc3_4",
            "wall-1_2_r311x,",
            "https://sun9-1.userapi.com/x.jpg",
            "sticker",
            "stickerх",
            "photo1_2_к",
        ] {
            assert!(!is_name(other), "{other}");
        }
    }

    #[test]
    fn goods_of_the_community_need_their_number_only() {
        let item = |id: &str| Item { id: Some(id.to_owned()), ..Item::default() };
        assert_eq!(item_name(&item("991"), 123_456).as_deref(), Some("market-123456_991"));
        assert_eq!(item_name(&item("wall-1_2"), 123_456).as_deref(), Some("wall-1_2"));
        assert_eq!(item_name(&item("артикул 7"), 123_456), None);
        assert_eq!(item_name(&Item::default(), 123_456), None);
    }
}
