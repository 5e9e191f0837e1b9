//! The HTTP side: paths and their answers.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::json;

use super::{Core, config::EchoOrder, params::Params};
use crate::sim::{Reply, Request, Site};

/// How long a call waits for its echo to be delivered.
const ECHO_PATIENCE: Duration = Duration::from_secs(5);

/// The provider.
#[derive(Debug)]
pub(crate) struct Vk(pub(super) Arc<Core>);

/// What a path asks for.
enum Route<'a> {
    Document(&'a str),
    File(&'a str),
    LongPoll(i64),
    Method(&'a str),
    OauthCode,
    Unknown,
    Upload(&'a str),
    VkId,
}

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Self {
        let path = path.trim_matches('/');
        match path.split_once('/') {
            Some(("method", method)) => Self::Method(method),
            Some(("upload", key)) => Self::Upload(key),
            Some(("files", place)) => Self::File(place),
            Some(("whp", id)) => id.parse().map_or(Self::Unknown, Self::LongPoll),
            _ if path == "access_token" => Self::OauthCode,
            _ if path == "oauth2/auth" => Self::VkId,
            None if path.starts_with("doc") => Self::Document(path),
            _ => Self::Unknown,
        }
    }
}

#[async_trait]
impl Site for Vk {
    fn name(&self, request: &Request) -> String {
        let name = match Route::of(&request.path) {
            Route::Document(_) | Route::File(_) => "download",
            Route::LongPoll(_) => "long_poll",
            Route::Method(method) => method,
            Route::OauthCode | Route::VkId => "oauth",
            Route::Unknown => "unknown",
            Route::Upload(_) => "upload",
        };
        name.to_owned()
    }

    async fn answer(&self, request: &Request) -> Reply {
        let core = &self.0;
        match Route::of(&request.path) {
            Route::Document(place) => core.redirect(place, request),
            Route::File(place) => core.download(place, request),
            Route::LongPoll(club) => Reply::json(200, &core.check(club, &params(request)).await),
            Route::Method(method) => core.method(method, request).await,
            Route::OauthCode => core.lock().community_tokens(&params(request), core.now()),
            Route::Unknown => Reply::status(404),
            Route::Upload(key) => core.take_upload(&mut core.lock(), key, request),
            Route::VkId if request.method == http::Method::POST => {
                core.lock().person_tokens(&params(request), core.now())
            }
            Route::VkId => Reply::status(405),
        }
    }

    fn refuses(&self, reply: &Reply) -> bool {
        !(reply.status.is_success() || reply.status.is_redirection()) || reply.body.starts_with(b"{\"error\"")
    }
}

fn params(request: &Request) -> Params {
    let mut params = Params::default();
    for (name, value) in request.form().fields {
        params.set(&name, value);
    }
    params
}

impl Core {
    async fn method(self: &Arc<Self>, method: &str, request: &Request) -> Reply {
        let params = params(request);
        let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let token = params.text("access_token").or(bearer);
        let answer = match self.call(&mut self.lock(), token, method, &params) {
            // A script's answer is the whole body: its failures stand beside it.
            Ok(body) if method == "execute" => body,
            Ok(response) => json!({"response": response}),
            Err(error) => error.to_json(method, &params),
        };
        if self.config.echo == EchoOrder::BeforeAnswer {
            // A host that never takes its events does not keep the answer for ever.
            let _ = tokio::time::timeout(ECHO_PATIENCE, self.poster.idle()).await;
        }
        Reply::json(200, &answer)
    }

    /// The address of a document leads on to its bytes.
    fn redirect(&self, place: &str, request: &Request) -> Reply {
        let params = params(request);
        match self.lock().files.find(place, params.text("hash")) {
            Some(file) if params.has("hash") => {
                Reply::status(302).with("location", file.url(self.ground.base_url()))
            }
            _ => Reply::status(404),
        }
    }

    fn download(&self, place: &str, request: &Request) -> Reply {
        let params = params(request);
        match self.lock().files.find(place, params.text("key")) {
            Some(file) if params.has("key") => Reply::bytes(200, file.content_type(), file.bytes.clone()),
            _ => Reply::status(404),
        }
    }
}
