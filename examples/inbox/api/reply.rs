//! Answers: what would go out, and sending it.

use axum::Json;
use axum::extract::multipart::Field;
use axum::extract::{Multipart, State};
use omni::core::content::Button;
use omni::core::media::{Media, MediaKind, MediaSource};
use omni::core::outbound::Face;
use omni::core::plan::{Plan, Refusal};
use omni::core::{BlobId, ConversationId, MessageId, ProviderMessageId};
use omni::hub::HubError;
use omni::hub::store::Refused;
use omni::{Content, Draft};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Body, Failure, Named, Signed};
use crate::desk::Desk;

/// A key as the page names it.
#[derive(Deserialize)]
pub(super) struct Key {
    label: String,
    data: String,
}

/// An answer as far as it is written; files are named, not sent.
#[derive(Deserialize)]
pub(super) struct Sketch {
    #[serde(default)]
    text: String,
    #[serde(default)]
    buttons: Vec<Key>,
    #[serde(default)]
    files: Vec<FileSketch>,
}

#[derive(Deserialize)]
struct FileSketch {
    name: String,
    #[serde(rename = "type")]
    mime: String,
    size: u64,
}

/// `POST /api/conversations/{id}/plan`: what would go out, or the true reason why nothing can.
pub(super) async fn plan(
    State(desk): State<Desk>,
    Named(id): Named<ConversationId>,
    Body(sketch): Body<Sketch>,
) -> Result<Json<Value>, Failure> {
    let files = sketch.files.into_iter().map(|file| {
        // Planning asks for the size, not for the bytes.
        let mut media =
            media(MediaSource::Stored { blob: BlobId::from("not sent yet") }, file.name, file.mime);
        media.size = Some(file.size);
        media
    });
    let content = content(sketch.text, files, sketch.buttons);
    // A reply is refused in a closed conversation, and on a channel that only receives.
    let conversation =
        desk.hub().conversation(id).await?.ok_or_else(|| Failure::not_found("conversation"))?;
    if !conversation.is_open() {
        return Ok(Json(json!({ "refusal": { "reason": "closed", "text": Refused::Closed.to_string() } })));
    }
    match desk.hub().plan(id, &content).await {
        Ok(plan) => Ok(Json(shown(&plan))),
        Err(HubError::Refused(Refused::Unsendable(refusal))) => Ok(Json(refused_by(&refusal))),
        Err(error) => Err(error.into()),
    }
}

/// A plan in short: the page shows what differs, not the messages themselves.
fn shown(plan: &Plan) -> Value {
    match &plan.refusal {
        Some(refusal) => refused_by(refusal),
        None => json!({ "messages": plan.parts.len(), "notes": plan.notes, "not_before": plan.not_before }),
    }
}

/// A reason as data, and in words.
fn refused_by(refusal: &Refusal) -> Value {
    #[derive(Serialize)]
    struct Shown<'a> {
        #[serde(flatten)]
        refusal: &'a Refusal,
        text: String,
    }
    json!({ "refusal": Shown { refusal, text: refusal.to_string() } })
}

/// `POST /api/conversations/{id}/reply`: a form of `text`, `buttons` (JSON), `reply_to` and any number of
/// `file`s. Returns the messages it became; they are durable then.
pub(super) async fn reply(
    State(desk): State<Desk>,
    agent: Signed,
    Named(id): Named<ConversationId>,
    mut form: Multipart,
) -> Result<Json<Vec<MessageId>>, Failure> {
    let (mut text, mut keys, mut files, mut reply_to) = (String::new(), Vec::new(), Vec::new(), None);
    while let Some(field) = form.next_field().await? {
        match field.name().unwrap_or_default() {
            "text" => text = field.text().await?,
            "buttons" => keys = keys_of(&field.text().await?)?,
            "reply_to" => reply_to = Some(ProviderMessageId::from(field.text().await?)),
            "file" => files.push(file(field).await?),
            other => return Err(Failure::bad(format!("the form has an unknown field {other:?}"))),
        }
    }
    let face = Face { name: agent.name().to_owned(), avatar: None };
    let mut draft = Draft::new(content(text, files, keys), agent.actor()).with_face(face);
    draft.reply_to = reply_to.map(|message| omni::core::event::ReplyTo { message, quote: None });
    Ok(Json(desk.hub().reply(id, draft).await?))
}

fn keys_of(json: &str) -> Result<Vec<Key>, Failure> {
    serde_json::from_str(json).map_err(|e| Failure::bad(format!("buttons: {e}")))
}

async fn file(field: Field<'_>) -> Result<Media, Failure> {
    let name = field.file_name().unwrap_or("file").to_owned();
    let mime = field.content_type().unwrap_or_default().to_owned();
    Ok(media(MediaSource::from(field.bytes().await?), name, mime))
}

/// The one place where a message is made, for planning and for sending.
fn content(text: String, files: impl IntoIterator<Item = Media>, keys: Vec<Key>) -> Content {
    let mut content = if text.trim().is_empty() { Content::default() } else { Content::text(text) };
    content.parts.extend(files.into_iter().map(omni::core::content::Part::Media));
    if keys.is_empty() {
        return content;
    }
    content.buttons(keys.into_iter().map(|key| Button::press(key.label, key.data)))
}

fn media(source: MediaSource, name: String, mime: String) -> Media {
    let kind = match mime.split_once('/') {
        Some(("image", "jpeg" | "png" | "webp")) => MediaKind::Image,
        Some(("video", "mp4")) => MediaKind::Video,
        Some(("audio", "mpeg" | "mp4")) => MediaKind::Audio,
        _ => MediaKind::File,
    };
    let media = Media::new(kind, source).named(name);
    if mime.is_empty() { media } else { media.typed(mime) }
}
