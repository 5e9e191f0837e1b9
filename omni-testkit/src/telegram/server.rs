//! The HTTP side: connections, paths, faults, answers.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Either, Full, Limited};
use hyper::body::Incoming;
use serde_json::Value;

use crate::sim::multipart::percent_decode;
use crate::sim::wire::{Body, Cut, Ending, in_pieces, pieces};

use super::{
    Core,
    bot::Bot,
    config::Record,
    error::ApiError,
    faults::Fault,
    params::Params,
    record::{Call, Outcome},
    state::push_bounded,
};

type Answer = Response<Body>;

impl Core {
    /// Answers one call.
    pub(super) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, Cut> {
        let path = request.uri().path();
        if let Some(rest) = path.strip_prefix("/file/bot") {
            let Some((token, file)) = rest.split_once('/') else { return Ok(not_found()) };
            return match self.find(token) {
                Ok(bot) => download(&bot, &percent_decode(file).unwrap_or_default()).await,
                Err(error) => Ok(refusal(&error)),
            };
        }
        let Some((token, method)) = path.strip_prefix("/bot").and_then(|rest| rest.split_once('/')) else {
            return Ok(not_found());
        };
        let method = method.strip_prefix("test/").unwrap_or(method);
        let method = method.trim_end_matches('/').to_ascii_lowercase();
        let bot = match self.find(token) {
            Ok(bot) => bot,
            Err(error) => return Ok(refusal(&error)),
        };
        let (head, body) = request.into_parts();
        let body = match Limited::new(body, self.shared.config.max_body).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                return Ok(refusal(&ApiError::new(413, "Request Entity Too Large")));
            }
            Err(_) => return Err(Cut),
        };
        let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        match Params::decode(head.uri.query(), content_type.unwrap_or_default(), &body) {
            Ok(params) => bot.serve(&method, params).await,
            Err(error) => Ok(refusal(&error)),
        }
    }

    /// The bot of a token: 404 for what is not shaped like a token, 401 for a token nobody has.
    fn find(&self, token: &str) -> Result<Arc<Bot>, ApiError> {
        let token = percent_decode(token).unwrap_or_default();
        let bots = self.bots.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(bot) = bots.get(&token) {
            let bot = Arc::clone(bot);
            return match bot.lock().is_revoked {
                true => Err(ApiError::new(401, "Unauthorized")),
                false => Ok(Arc::clone(&bot)),
            };
        }
        let is_shaped = token.split_once(':').is_some_and(|(id, secret)| {
            !id.is_empty()
                && id.bytes().all(|byte| byte.is_ascii_digit())
                && !secret.is_empty()
                && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        });
        Err(if is_shaped { ApiError::new(401, "Unauthorized") } else { ApiError::new(404, "Not Found") })
    }
}

impl Bot {
    /// One call from fault to record to answer.
    async fn serve(self: &Arc<Self>, method: &str, params: Params) -> Result<Answer, Cut> {
        let fault = self.faults.strike(method, params.integer("chat_id"));
        if let Some(fault) = &fault
            && !fault.lets_through()
        {
            self.note(method, params, refused(fault));
            return before(fault);
        }
        if let Some(Fault::Delay(delay)) = fault {
            tokio::time::sleep(delay).await;
        }
        if method == "getupdates" {
            self.lock().count_call(method);
            return match self.get_updates(&params).await {
                Ok(body) => after(fault.as_ref(), body).await,
                Err(error) => Ok(refusal(&error)),
            };
        }
        let keep = (self.shared.config.record == Record::Full)
            .then(|| (Value::Object(params.fields.clone()), params.files.clone()));
        let result = self.execute(method, &params);
        let outcome = match &result {
            Ok(_) if fault.as_ref().is_some_and(Fault::hides_answer) => Outcome::AcceptedUnanswered,
            Ok(_) => Outcome::Accepted,
            Err(error) => Outcome::Rejected(error.clone()),
        };
        self.record(method, keep, outcome);
        match result {
            Ok(body) => after(fault.as_ref(), body).await,
            Err(error) => Ok(refusal(&error)),
        }
    }

    fn note(&self, method: &str, params: Params, outcome: Outcome) {
        let keep = (self.shared.config.record == Record::Full)
            .then_some((Value::Object(params.fields), params.files));
        self.record(method, keep, outcome);
    }

    fn record(&self, method: &str, keep: Option<(Value, Vec<super::CallFile>)>, outcome: Outcome) {
        let mut state = self.lock();
        state.count_call(method);
        match &outcome {
            Outcome::Rejected(_) => state.counters.rejected += 1,
            Outcome::AcceptedUnanswered | Outcome::Faulted => state.counters.faulted += 1,
            Outcome::Accepted => {}
        }
        if let Some((params, files)) = keep {
            let call = Call { method: method.to_owned(), params, files, outcome };
            push_bounded(&mut state.calls, call, self.shared.config.max_records);
        }
        drop(state);
        self.shared.changed();
    }
}

async fn download(bot: &Arc<Bot>, path: &str) -> Result<Answer, Cut> {
    let fault = bot.faults.strike("download", None);
    bot.lock().count_call("download");
    match &fault {
        Some(fault) if !fault.lets_through() => return before(fault),
        Some(Fault::Delay(delay)) => tokio::time::sleep(*delay).await,
        _ => {}
    }
    let file = bot.lock().files.download(path, bot.shared.now());
    let Some(file) = file else { return Ok(not_found()) };
    let mut answer = after(fault.as_ref(), file.upload.bytes.clone()).await?;
    let kind = HeaderValue::from_static("application/octet-stream");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(answer)
}

/// What the record says about a call that a fault stopped.
fn refused(fault: &Fault) -> Outcome {
    match fault {
        Fault::TooManyRequests { retry_after } => {
            Outcome::Rejected(ApiError::too_many_requests(*retry_after))
        }
        Fault::Error(error) => Outcome::Rejected(error.clone()),
        _ => Outcome::Faulted,
    }
}

/// The answer of a fault that comes before the call is carried out.
fn before(fault: &Fault) -> Result<Answer, Cut> {
    match fault {
        Fault::DropBeforeAccept => Err(Cut),
        Fault::TooManyRequests { retry_after } => Ok(refusal(&ApiError::too_many_requests(*retry_after))),
        Fault::Error(error) => Ok(refusal(error)),
        Fault::ServerError => Ok(refusal(&ApiError::new(500, "Internal Server Error: restart"))),
        Fault::Redirect(to) => {
            let mut answer = page(StatusCode::FOUND, "");
            if let Ok(to) = HeaderValue::from_str(to) {
                answer.headers_mut().insert(header::LOCATION, to);
            }
            Ok(answer)
        }
        _ => Ok(page(
            StatusCode::BAD_GATEWAY,
            "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1>\
             </center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
        )),
    }
}

/// The answer of a call that was carried out, as the fault lets it through.
async fn after(fault: Option<&Fault>, body: Bytes) -> Result<Answer, Cut> {
    match fault {
        Some(Fault::DropAfterAccept) => Err(Cut),
        Some(Fault::DelayAnswer(delay)) => {
            tokio::time::sleep(*delay).await;
            Ok(success(body))
        }
        Some(Fault::Garbage) => Ok(page(StatusCode::OK, "<html>it works</html>")),
        Some(Fault::CutBody) => Ok(in_parts(&body, 2, Duration::ZERO, Ending::Cut)),
        Some(Fault::SlowBody { pieces: count, pause }) => Ok(in_parts(&body, *count, *pause, Ending::Whole)),
        _ => Ok(success(body)),
    }
}

fn in_parts(body: &Bytes, count: usize, pause: Duration, ending: Ending) -> Answer {
    in_pieces(success(body.clone()), body, pieces(body, count, pause, ending))
}

fn success(body: Bytes) -> Answer {
    let mut answer = Response::new(Either::Left(Full::new(body)));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn refusal(error: &ApiError) -> Answer {
    let mut answer = success(error.to_json().to_string().into());
    *answer.status_mut() = StatusCode::from_u16(error.code).unwrap_or(StatusCode::BAD_REQUEST);
    if let Some(seconds) = error.retry_after {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

fn not_found() -> Answer {
    refusal(&ApiError::new(404, "Not Found"))
}

fn page(status: StatusCode, html: &'static str) -> Answer {
    let mut answer = Response::new(Either::Left(Full::new(Bytes::from_static(html.as_bytes()))));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    answer
}
