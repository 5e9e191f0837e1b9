//! What is done to single messages.

use axum::extract::State;
use axum::http::StatusCode;
use omni::Content;
use omni::core::MessageId;
use omni::hub::Settle;
use serde::Deserialize;

use super::{Body, Failure, Named, Signed};
use crate::desk::{Desk, News};

/// What became of a message whose outcome was unknown.
#[derive(Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(super) enum Outcome {
    Sent,
    NotSent,
    Resend,
}

/// `POST /api/messages/{id}/settle`: a person knows what the provider did not tell (law 5).
pub(super) async fn settle(
    State(desk): State<Desk>,
    _agent: Signed,
    Named(id): Named<MessageId>,
    Body(outcome): Body<Outcome>,
) -> Result<StatusCode, Failure> {
    let how = match outcome {
        Outcome::Sent => Settle::Sent,
        Outcome::NotSent => Settle::NotSent,
        Outcome::Resend => Settle::Resend,
    };
    desk.hub().settle(id, how).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// New words.
#[derive(Deserialize)]
pub(super) struct Words {
    text: String,
}

/// `POST /api/messages/{id}/edit`: other words; files and keys stay.
pub(super) async fn edit(
    State(desk): State<Desk>,
    _agent: Signed,
    Named(id): Named<MessageId>,
    Body(Words { text }): Body<Words>,
) -> Result<StatusCode, Failure> {
    let message = desk.hub().message(id).await?.ok_or_else(|| Failure::not_found("message"))?;
    let content = Content { text: Some(text.into()), ..message.content };
    desk.hub().edit(id, content).await?;
    changed(&desk, id).await
}

/// `POST /api/messages/{id}/delete`: takes it back.
pub(super) async fn delete(
    State(desk): State<Desk>,
    _agent: Signed,
    Named(id): Named<MessageId>,
) -> Result<StatusCode, Failure> {
    desk.hub().delete(id).await?;
    changed(&desk, id).await
}

/// Our signs on a message; none takes them off.
#[derive(Deserialize)]
pub(super) struct Signs {
    signs: Vec<String>,
}

/// `POST /api/messages/{id}/react`.
pub(super) async fn react(
    State(desk): State<Desk>,
    _agent: Signed,
    Named(id): Named<MessageId>,
    Body(Signs { signs }): Body<Signs>,
) -> Result<StatusCode, Failure> {
    desk.hub().react(id, signs).await?;
    changed(&desk, id).await
}

/// The hub's log tells nothing of these, so other pages are told here.
async fn changed(desk: &Desk, id: MessageId) -> Result<StatusCode, Failure> {
    if let Some(message) = desk.hub().message(id).await? {
        desk.tell(News::Conversation { id: message.conversation });
    }
    Ok(StatusCode::NO_CONTENT)
}
