//! Conversations: lists, threads, and what is done to them beside answering.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use omni::Conversation;
use omni::core::policy::{Action, Verb};
use omni::core::{ConversationId, MessageId};
use omni::hub::store::{ConversationQuery, MessageRecord};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Asked, Body, Failure, Named, Signed};
use crate::desk::Desk;

/// Messages shown at once.
const PAGE: usize = 60;

/// `GET /api/conversations`: the hub's own query, from the query string, with the teams of whoever asks.
pub(super) async fn list(
    State(desk): State<Desk>,
    Asked(mut query): Asked<ConversationQuery>,
) -> Result<Json<Vec<Conversation>>, Failure> {
    if let Some(agent) = &query.visible_to {
        query.teams = desk.teams_of(query.tenant.as_ref(), agent);
    }
    Ok(Json(desk.hub().conversations(&query).await?))
}

/// `GET /api/conversations/{id}`: the conversation, its person, its newest messages, and why rules did what they did.
pub(super) async fn one(
    State(desk): State<Desk>,
    Named(id): Named<ConversationId>,
) -> Result<Json<Value>, Failure> {
    let hub = desk.hub();
    let conversation = hub.conversation(id).await?.ok_or_else(|| Failure::not_found("conversation"))?;
    let contact = match conversation.contact {
        Some(contact) => hub.contact(contact).await?,
        None => None,
    };
    let messages = page(&desk, id, None).await?;
    let whys = desk.whys(id);
    Ok(Json(json!({ "conversation": conversation, "contact": contact, "messages": messages, "whys": whys })))
}

/// Which messages.
#[derive(Deserialize)]
pub(super) struct Before {
    before: Option<MessageId>,
}

/// `GET /api/conversations/{id}/messages`: older ones.
pub(super) async fn older(
    State(desk): State<Desk>,
    Named(id): Named<ConversationId>,
    Asked(Before { before }): Asked<Before>,
) -> Result<Json<Vec<MessageRecord>>, Failure> {
    Ok(Json(page(&desk, id, before).await?))
}

/// A page of messages, oldest first as they are read.
async fn page(
    desk: &Desk,
    id: ConversationId,
    before: Option<MessageId>,
) -> Result<Vec<MessageRecord>, Failure> {
    let mut messages = desk.hub().messages(id, before, PAGE).await?;
    messages.reverse();
    Ok(messages)
}

/// `POST /api/conversations/{id}/act`: take, give, close, reopen, label. The body is the hub's [`Verb`].
pub(super) async fn act(
    State(desk): State<Desk>,
    agent: Signed,
    Named(id): Named<ConversationId>,
    Body(verb): Body<Verb>,
) -> Result<StatusCode, Failure> {
    desk.hub().act(id, Action { by: agent.actor(), verb }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/conversations/{id}/seen`: an agent looks at it. The customer is told where the channel can.
pub(super) async fn seen(
    State(desk): State<Desk>,
    agent: Signed,
    Named(id): Named<ConversationId>,
) -> Result<StatusCode, Failure> {
    desk.hub().act(id, Action { by: agent.actor(), verb: Verb::Seen }).await?;
    if let Err(error) = desk.hub().mark_read(id).await {
        tracing::debug!(%error, "the customer was not told that their messages were seen");
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/conversations/{id}/typing`: the customer sees that somebody is writing, where the channel can.
pub(super) async fn typing(
    State(desk): State<Desk>,
    _agent: Signed,
    Named(id): Named<ConversationId>,
) -> Result<StatusCode, Failure> {
    desk.hub().typing(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
