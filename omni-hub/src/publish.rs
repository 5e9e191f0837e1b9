//! Files of the store at public addresses, for providers that take no uploads.

use omni_core::crypto::{constant_time_eq, from_hex, hmac_sha256};
use omni_core::id::BlobId;
use omni_core::media::{Media, MediaKind};
use omni_core::{Error, Result, Secret};
use url::Url;

/// Longest file name in an address, in characters.
const NAME: usize = 80;

/// Where the host serves files of the store: `<base>/<signature>/<blob>/<name>`.
///
/// Whoever has an address can read the file, as with every link that a provider fetches; nobody can make one without
/// the key. Serve them with [`axum::media_router`](crate::axum::media_router) or with
/// [`Hub::published`](crate::Hub::published) on any server.
#[derive(Clone, Debug)]
pub struct Published {
    base: Url,
    key: Secret,
}

impl Published {
    /// Files under `base`, an address that providers can reach, signed with `key`: a long random text, the same on
    /// every node and over restarts.
    ///
    /// # Errors
    /// [`Configuration`](omni_core::error::ErrorKind::Configuration) when the address or the key cannot be used.
    pub fn new(base: Url, key: impl Into<Secret>) -> Result<Self> {
        let key = key.into();
        let refuse = |text: &str| Err(Error::configuration("publish", text));
        if !matches!(base.scheme(), "https" | "http") || base.query().is_some() || base.fragment().is_some() {
            return refuse("the base address must be http or https, without ? and #");
        }
        if key.expose().len() < 16 {
            return refuse("the key must have 16 characters at least");
        }
        Ok(Self { base, key })
    }

    /// The address of a file. Its name ends as the file's type does: some providers go by that alone.
    pub(crate) fn address(&self, blob: &BlobId, media: &Media) -> Option<Url> {
        let signature = hex(&hmac_sha256(self.key.expose().as_bytes(), blob.as_str().as_bytes()));
        let mut url = self.base.clone();
        url.path_segments_mut().ok()?.pop_if_empty().extend([&signature, blob.as_str(), &file_name(media)]);
        Some(url)
    }

    /// The file that a path under the base names, when its signature is right.
    pub(crate) fn blob(&self, path: &str) -> Option<BlobId> {
        let mut steps = path.trim_matches('/').split('/');
        let (signature, blob) = (from_hex(steps.next()?)?, steps.next()?);
        let right = hmac_sha256(self.key.expose().as_bytes(), blob.as_bytes());
        constant_time_eq(&signature, &right).then(|| BlobId::from(blob.to_owned()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A name of harmless characters with the right end.
fn file_name(media: &Media) -> String {
    let name = media.name.as_deref().unwrap_or_default();
    let is_name = |(stem, end): &(&str, &str)| !stem.is_empty() && end.chars().all(char::is_alphanumeric);
    let (stem, end) = name.rsplit_once('.').filter(is_name).unwrap_or((name, ""));
    let harmless = |text: &str| -> String {
        let fits = |c: char| if c.is_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
        text.chars().map(fits).take(NAME).collect()
    };
    let stem = if stem.is_empty() { "file".to_owned() } else { harmless(stem) };
    let end = if end.is_empty() { usual_end(media).to_owned() } else { harmless(&end.to_lowercase()) };
    format!("{stem}.{end}")
}

/// How names of such files usually end.
fn usual_end(media: &Media) -> &'static str {
    match media.mime.as_deref() {
        Some("image/png") => "png",
        Some("image/gif") => "gif",
        Some("image/webp") => "webp",
        Some("video/mp4") => "mp4",
        Some("audio/mpeg") => "mp3",
        Some("audio/ogg") => "ogg",
        Some("application/pdf") => "pdf",
        _ => match media.kind {
            MediaKind::Image => "jpg",
            MediaKind::Video | MediaKind::Animation | MediaKind::VideoNote => "mp4",
            MediaKind::Audio => "mp3",
            MediaKind::Voice => "ogg",
            MediaKind::Sticker => "webp",
            _ => "bin",
        },
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn published() -> Published {
        Published::new("https://desk.example/files/".parse().unwrap(), "0123456789abcdef").unwrap()
    }

    fn media(name: &str) -> Media {
        Media::new(MediaKind::Image, Bytes::new()).named(name).typed("image/png")
    }

    #[test]
    fn an_address_leads_back_to_its_file_and_to_no_other() {
        let blob = BlobId::from("018f".to_owned());
        let url = published().address(&blob, &media("Фото 1.PNG")).unwrap();
        assert!(url.as_str().starts_with("https://desk.example/files/"), "{url}");
        assert!(url.path().ends_with(".png"), "{url}");
        let path = url.path().strip_prefix("/files").unwrap().to_owned();
        assert_eq!(published().blob(&path), Some(blob));
        assert_eq!(published().blob(&path.replace("018f", "018e")), None);
        let other =
            Published::new("https://desk.example/files".parse().unwrap(), "another key of 16").unwrap();
        assert_eq!(other.blob(&path), None);
        for bad in ["", "/", "/zz/018f", "018f", "/0/018f/x"] {
            assert_eq!(published().blob(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_name_keeps_its_end_and_loses_what_could_break_the_address() {
        assert_eq!(file_name(&media("../../etc/passwd")), "______etc_passwd.png");
        assert_eq!(file_name(&media("счёт № 1.PDF")), "счёт___1.pdf");
        assert_eq!(file_name(&media("")), "file.png");
        assert_eq!(file_name(&media(".png")), "_png.png");
    }

    #[test]
    fn a_short_key_or_an_odd_address_is_refused() {
        assert!(Published::new("https://desk.example/f?x=1".parse().unwrap(), "0123456789abcdef").is_err());
        assert!(Published::new("https://desk.example/f".parse().unwrap(), "short").is_err());
    }
}
