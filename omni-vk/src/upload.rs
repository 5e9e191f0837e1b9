//! Files that go up before the message that carries them.
//!
//! Nothing is sent to anybody before the message itself, so whatever fails here is certainly not sent.
//! <https://dev.vk.com/api/upload/overview> (read 2026-11)

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use omni_core::error::{ErrorKind, Result, Retry};
use omni_core::media::{Media, MediaKind};
use omni_core::outbound::SendError;
use omni_core::{Content, Error, Secret};
use omni_http::{Guard, Part};
use serde_json::value::RawValue;
use url::Url;

use crate::api::{Api, foreign};
use crate::encode::{self, Class, Source, Upload, sources};
use crate::error::spoils_upload;
use crate::wire::{SavedDocument, SavedPhoto, Str, UploadServer, UploadedFile, UploadedPhoto};

/// How long an upload may take.
const UPLOAD: Duration = Duration::from_secs(300);
/// Largest picture of goods that is fetched.
const PICTURE: u64 = 10 << 20;

impl Api {
    /// The files of a content as VK names them; those that it does not have go up.
    pub(crate) async fn named(&self, peer: i64, content: &Content) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for source in sources(content, self.config.group_id)? {
            names.push(match source {
                Source::Named(name) => name,
                Source::Upload(upload) => self.upload(peer, upload).await?,
                Source::Fetch(picture) => self.bring(peer, picture).await?,
            });
        }
        Ok(names)
    }

    /// Fetches a picture of goods from where the host keeps it, and puts it up.
    async fn bring(&self, peer: i64, picture: &Url) -> Result<String> {
        let guard = Guard::hosts(picture.host_str().map(str::to_owned)).trusting(&self.config.base_url);
        let mut stream = self.http.download("fetch", picture.clone()).guard(guard).open(PICTURE).await?;
        let mut bytes = BytesMut::new();
        while let Some(piece) = stream.bytes.next().await {
            bytes.extend_from_slice(&piece?);
        }
        let bytes = bytes.freeze();
        let media = Media::new(MediaKind::Image, bytes.clone());
        self.upload(peer, Upload { class: Class::Photo, media: &media, bytes: &bytes }).await
    }

    /// Puts one file up, once more when VK spoilt the first try.
    pub(crate) async fn upload(&self, peer: i64, upload: Upload<'_>) -> Result<String> {
        match self.put(peer, upload).await {
            Err(error) if error.code().is_some_and(spoils_upload) => self.put(peer, upload).await,
            outcome => outcome,
        }
        .map_err(repeatable)
    }

    async fn put(&self, peer: i64, upload: Upload<'_>) -> Result<String> {
        let server = match upload.class {
            Class::Photo => encode::photo_server(peer),
            Class::Document => encode::document_server(peer, "doc"),
            Class::Voice => encode::document_server(peer, "audio_message"),
        };
        let answered = self.call(server).await.map_err(SendError::into_error)?;
        let UploadServer { upload_url } = answered.read()?;
        let body = self.post_file(answered.operation, &upload_url, upload).await?;
        match upload.class {
            Class::Photo => self.save_photo(&body).await,
            _ => self.save_document(&body, upload.media.name.as_deref()).await,
        }
    }

    async fn post_file(&self, operation: &'static str, address: &str, upload: Upload<'_>) -> Result<Bytes> {
        let address = self.own_address(operation, address)?;
        let (field, default) = upload.class.field();
        let name = upload.media.name.as_deref().unwrap_or(default);
        let part = Part::file(field, name, upload.bytes.clone());
        let part = match &upload.media.mime {
            Some(mime) => part.typed(mime),
            None => part,
        };
        let answer = self.http.post(operation, address).timeout(UPLOAD).multipart(vec![part]).await;
        let answer = answer.map_err(SendError::into_error)?;
        if !answer.status.is_success() {
            return Err(foreign(operation, &answer).into_error());
        }
        Ok(answer.body)
    }

    async fn save_photo(&self, body: &[u8]) -> Result<String> {
        const OPERATION: &str = "photos.saveMessagesPhoto";
        let put: UploadedPhoto<'_> = serde_json::from_slice(body).map_err(|_| unread(OPERATION))?;
        let photo = put.photo.as_deref().unwrap_or_default();
        if matches!(photo, "" | "[]") {
            return Err(refused(OPERATION, "VK did not take the picture"));
        }
        let server = put.server.map(plain).unwrap_or_default();
        let hash = put.hash.as_deref().unwrap_or_default();
        let answered =
            self.call(encode::save_photo(&server, photo, hash)).await.map_err(SendError::into_error)?;
        let saved: Vec<SavedPhoto<'_>> = answered.read()?;
        let saved = saved.into_iter().next().ok_or_else(|| unread(OPERATION))?;
        let key = saved.access_key.as_deref().map(Secret::new);
        Ok(encode::saved_name("photo", saved.owner_id, saved.id, key.as_ref()))
    }

    async fn save_document(&self, body: &[u8], title: Option<&str>) -> Result<String> {
        const OPERATION: &str = "docs.save";
        let put: UploadedFile<'_> = serde_json::from_slice(body).map_err(|_| unread(OPERATION))?;
        let file = match (put.file.filter(|file| !file.is_empty()), put.error) {
            (Some(file), _) => file,
            (None, Some(_)) => return Err(refused(OPERATION, "VK did not take the file")),
            (None, None) => return Err(unread(OPERATION)),
        };
        let answered = self.call(encode::save_document(&file, title)).await.map_err(SendError::into_error)?;
        let saved: SavedDocument<'_> = answered.read()?;
        let saved = saved.doc.or(saved.audio_message).or(saved.graffiti).ok_or_else(|| unread(OPERATION))?;
        let key = saved.access_key.as_deref().map(Secret::new);
        // Recorded speech is attached as a document too.
        Ok(encode::saved_name("doc", saved.owner_id, saved.id, key.as_ref()))
    }
}

/// A number or a text, as text.
fn plain(json: &RawValue) -> String {
    match serde_json::from_str::<Str<'_>>(json.get()) {
        Ok(text) => text.into_string(),
        Err(_) => json.get().to_owned(),
    }
}

fn refused(operation: &'static str, text: &str) -> Error {
    Error::new(ErrorKind::ContentRejected, operation)
        .with_text(text)
        .with_advice("send another form of it: VK takes no programs and no mp3 as files")
}

fn unread(operation: &'static str) -> Error {
    Error::new(ErrorKind::Protocol, operation).with_text("the upload's answer cannot be read")
}

/// An upload that broke off did no harm: it may be tried again.
fn repeatable(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Protocol => error.with_retry(Retry::Later),
        _ => error,
    }
}
