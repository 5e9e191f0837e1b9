//! The other side: customers of the simulated providers.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Multipart, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::stream;
use omni::core::media::MediaStream;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Failure, Named, media::CAP};
use crate::desk::Desk;
use crate::simulated::{Customer, Deed, FileAt, Line, Simulator, Upload};

/// `GET /api/simulators`: the simulated providers and their customers.
pub(super) async fn simulators(State(desk): State<Desk>) -> Json<Vec<Value>> {
    let all = desk.simulators().into_iter().map(|simulator| {
        json!({
            "provider": simulator.provider(), "title": simulator.title(), "signs": simulator.signs(),
            "customers": simulator.customers(),
        })
    });
    Json(all.collect())
}

/// Who comes.
#[derive(Deserialize)]
pub(super) struct Newcomer {
    name: String,
}

/// `POST /api/simulators/{provider}/customers`: somebody new.
pub(super) async fn enter(
    State(desk): State<Desk>,
    Named(provider): Named<String>,
    Body(Newcomer { name }): Body<Newcomer>,
) -> Result<Json<Customer>, Failure> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 60 {
        return Err(Failure::bad("a name has 1 to 60 characters"));
    }
    Ok(Json(named(&desk, &provider)?.enter(name)))
}

/// `GET /api/simulators/{provider}/customers/{id}`: the chat as the customer sees it.
pub(super) async fn chat(
    State(desk): State<Desk>,
    Named((provider, id)): Named<(String, String)>,
) -> Result<Json<Vec<Line>>, Failure> {
    named(&desk, &provider)?.chat(&id).map(Json).ok_or_else(|| Failure::not_found("customer"))
}

/// `POST /api/simulators/{provider}/customers/{id}`: the customer does something.
pub(super) async fn act(
    State(desk): State<Desk>,
    Named((provider, id)): Named<(String, String)>,
    Body(deed): Body<Deed>,
) -> Result<StatusCode, Failure> {
    named(&desk, &provider)?.act(&id, deed).map_err(Failure::bad)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/simulators/{provider}/customers/{id}/file`: a form of `file` and `caption`.
pub(super) async fn send_file(
    State(desk): State<Desk>,
    Named((provider, id)): Named<(String, String)>,
    mut form: Multipart,
) -> Result<StatusCode, Failure> {
    let simulator = named(&desk, &provider)?;
    let (mut caption, mut file) = (String::new(), None);
    while let Some(field) = form.next_field().await? {
        match field.name().unwrap_or_default() {
            "caption" => caption = field.text().await?,
            _ => {
                let name = field.file_name().unwrap_or("file").to_owned();
                let mime = field.content_type().unwrap_or_default().to_owned();
                file = Some(Upload { name, mime, bytes: field.bytes().await? });
            }
        }
    }
    let file = file.ok_or_else(|| Failure::bad("the form has no file"))?;
    simulator.send_file(&id, file, &caption).map_err(Failure::bad)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/simulators/{provider}/customers/{id}/media/{line}`: a file of the chat, fetched as the hub would.
pub(super) async fn media(
    State(desk): State<Desk>,
    Named((provider, id, line)): Named<(String, String, String)>,
) -> Result<Response, Failure> {
    let simulator = named(&desk, &provider)?;
    let missing = || Failure::not_found("file");
    let lines = simulator.chat(&id).ok_or_else(missing)?;
    let file = lines.into_iter().find(|l| l.id == line).and_then(|l| l.file).ok_or_else(missing)?;
    let at = match &file.at {
        FileAt::App(bytes) => {
            let size = Some(bytes.len() as u64);
            let bytes = Box::pin(stream::iter([Ok(bytes.clone())]));
            let whole = MediaStream { mime: None, size, bytes };
            return Ok(super::media::answer(whole, file.mime.as_deref(), Some(file.kind), None));
        }
        FileAt::Address(url) => return Ok(Redirect::temporary(url.as_str()).into_response()),
        FileAt::Provider(at) => at,
    };
    let channel = desk.hub().channel(simulator.channel()).ok_or_else(missing)?;
    let stream = channel.inbound().ok_or_else(missing)?.fetch(at, CAP).await;
    let stream = stream.map_err(|e| Failure::new(StatusCode::BAD_GATEWAY, e.to_string()))?;
    Ok(super::media::answer(stream, file.mime.as_deref(), Some(file.kind), file.name.as_deref()))
}

fn named(desk: &Desk, provider: &str) -> Result<Arc<dyn Simulator>, Failure> {
    let found = desk.simulators().into_iter().find(|s| s.provider().as_str() == provider);
    found.ok_or_else(|| Failure::not_found("simulator"))
}
