//! The provider's side of HTTP: calls, faults, answers, records.

use std::collections::VecDeque;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body_util::{BodyExt as _, Either, Full, Limited};
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::exchange::{Reply, Request};
use super::fault::{Fault, Faults};
use super::ground::Ground;
use super::wire::{Body, Cut, Ending, accept, in_pieces, pieces};

/// Largest body taken; larger ones are answered 413.
const MAX_BODY: usize = 256 << 20;
/// Calls kept; the oldest go first.
const MAX_CALLS: usize = 100_000;

/// What a provider answers.
#[async_trait]
pub trait Site: Send + Sync + 'static {
    /// The name of a call, for faults and records: `send_message`, `messages.send`.
    fn name(&self, request: &Request) -> String;

    /// Carries a call out and answers it.
    async fn answer(&self, request: &Request) -> Reply;

    /// Whether the provider means a refusal by an answer. By status, where nothing else is said.
    fn refuses(&self, reply: &Reply) -> bool {
        !reply.status.is_success()
    }
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Carried out and answered.
    Accepted(Reply),
    /// Carried out, but the answer was withheld or cut by a fault.
    AcceptedUnanswered(Reply),
    /// Refused by the provider's rules or by a scripted answer.
    Refused(Reply),
    /// Neither carried out nor answered: a fault came first.
    Faulted,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its name.
    pub name: String,
    /// The call as it came.
    pub request: Request,
    /// What came of it.
    pub outcome: Outcome,
}

impl Call {
    /// Whether it took effect, answered or not.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        matches!(self.outcome, Outcome::Accepted(_) | Outcome::AcceptedUnanswered(_))
    }
}

/// A running simulator. Clones are handles to the same one; when the last is gone, it stops: listening ends,
/// connections close, webhooks cease.
#[derive(Debug)]
pub struct Server<S> {
    core: Arc<Core<S>>,
    _guard: Arc<Guard>,
}

impl<S> Clone for Server<S> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core), _guard: Arc::clone(&self._guard) }
    }
}

#[derive(Debug)]
struct Core<S> {
    site: Arc<S>,
    ground: Ground,
    faults: Faults,
    calls: Mutex<VecDeque<Call>>,
}

/// Stops the tasks when the last handle is dropped.
#[derive(Debug)]
struct Guard(watch::Sender<bool>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

impl<S: Site> Server<S> {
    /// Starts a simulator on 127.0.0.1, on the current runtime. `site` gets the ground it stands on.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(site: impl FnOnce(&Ground) -> S) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let (stopper, stop) = watch::channel(false);
        let ground = Ground::new(base_url, stop.clone());
        let site = Arc::new(site(&ground));
        let core = Arc::new(Core { site, ground, faults: Faults::default(), calls: Mutex::default() });
        tokio::spawn(accept(Arc::clone(&core), listener, stop, Core::serve));
        Ok(Self { core, _guard: Arc::new(Guard(stopper)) })
    }

    /// The provider's state.
    #[must_use]
    pub fn site(&self) -> &Arc<S> {
        &self.core.site
    }

    /// Address, clock and waiting.
    #[must_use]
    pub fn ground(&self) -> &Ground {
        &self.core.ground
    }

    /// Scripts trouble.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.core.faults
    }

    /// All calls in order, refused and faulted ones too.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.core.calls.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Calls of a name that took effect, in order.
    #[must_use]
    pub fn accepted(&self, name: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.name == name && call.is_accepted()).collect()
    }
}

impl<S: Site> Core<S> {
    async fn serve(self: Arc<Self>, request: http::Request<Incoming>) -> Result<Response<Body>, Cut> {
        let (head, body) = request.into_parts();
        let body = match Limited::new(body, MAX_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                return Ok(whole(&Reply::status(413)));
            }
            Err(_) => return Err(Cut),
        };
        let (path, query) = (head.uri.path().to_owned(), head.uri.query().map(str::to_owned));
        let request = Request { method: head.method, path, query, headers: head.headers, body };
        let name = self.site.name(&request);
        let fault = self.faults.strike(&name, &request);
        match &fault {
            Some(fault) if !fault.lets_through() => return self.before(fault, name, request),
            Some(Fault::Delay(delay)) => tokio::time::sleep(*delay).await,
            _ => {}
        }
        let reply = self.site.answer(&request).await;
        let outcome = match () {
            () if self.site.refuses(&reply) => Outcome::Refused(reply.clone()),
            () if fault.as_ref().is_some_and(Fault::hides_answer) => {
                Outcome::AcceptedUnanswered(reply.clone())
            }
            () => Outcome::Accepted(reply.clone()),
        };
        self.record(name, request, outcome);
        after(fault.as_ref(), &reply).await
    }

    /// The answer of a fault that comes before the call is carried out.
    fn before(&self, fault: &Fault, name: String, request: Request) -> Result<Response<Body>, Cut> {
        let (reply, outcome) = match fault {
            Fault::Reply(reply) => (reply.clone(), Outcome::Refused(reply.clone())),
            Fault::Redirect(to) => (Reply::status(302).with("location", to), Outcome::Faulted),
            Fault::DropBeforeAccept => {
                self.record(name, request, Outcome::Faulted);
                return Err(Cut);
            }
            _ => (Reply::bad_gateway(), Outcome::Faulted),
        };
        self.record(name, request, outcome);
        Ok(whole(&reply))
    }

    fn record(&self, name: String, request: Request, outcome: Outcome) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() == MAX_CALLS {
            calls.pop_front();
        }
        calls.push_back(Call { name, request, outcome });
        drop(calls);
        self.ground.changed();
    }
}

/// The answer of a call that was carried out, as the fault lets it through.
async fn after(fault: Option<&Fault>, reply: &Reply) -> Result<Response<Body>, Cut> {
    match fault {
        Some(Fault::DropAfterAccept) => Err(Cut),
        Some(Fault::DelayAnswer(delay)) => {
            tokio::time::sleep(*delay).await;
            Ok(whole(reply))
        }
        Some(Fault::Garbage) => Ok(whole(&Reply::bytes(200, "text/html", "<html>it works</html>"))),
        Some(Fault::CutBody) => Ok(sent(reply, 2, Duration::ZERO, Ending::Cut)),
        Some(Fault::SlowBody { pieces, pause }) => Ok(sent(reply, *pieces, *pause, Ending::Whole)),
        _ => Ok(whole(reply)),
    }
}

fn sent(reply: &Reply, count: usize, pause: Duration, ending: Ending) -> Response<Body> {
    in_pieces(whole(reply), &reply.body, pieces(&reply.body, count, pause, ending))
}

fn whole(reply: &Reply) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::new(Bytes::clone(&reply.body))));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers.clone();
    if !reply.headers.contains_key(header::CONTENT_TYPE) && !reply.body.is_empty() {
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    }
    response
}
