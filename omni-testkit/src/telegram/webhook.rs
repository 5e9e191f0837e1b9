//! Delivery to the host's webhook.
//!
//! One update a request; updates of one lane in order, the next after a 2xx of the former; lanes in parallel up
//! to `max_connections`; after a failure once again at once, then with a doubling delay, `Retry-After`
//! honoured; 410 for 23 hours switches the webhook off (tdlib/telegram-bot-api `WebhookActor.cpp`,
//! <https://core.telegram.org/bots/webhooks>).

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use serde_json::{Map, Value};

use crate::sim::ground::stopped;

use super::{
    bot::Bot,
    config::Record,
    faults::{DeliveryPlan, WebhookFault},
    params::Params,
    record::Delivery,
    state::{BotState, push_bounded},
    updates::{LIFE_OF_AN_UPDATE, Lane, Update},
};

/// Longest pause the host may ask for with `Retry-After`, in seconds.
const MAX_RETRY_AFTER: u32 = 3600;
/// The back-off stops doubling at a random point between this and twice this, in seconds.
const MAX_DELAY: u32 = 60;
/// 410 for this long switches the webhook off, in seconds.
const GONE_LIMIT: i64 = 23 * 3600;
/// At most so much of the host's answer is read.
const MAX_ANSWER: usize = 1 << 20;

/// A webhook that is set, with the lanes waiting for it.
#[derive(Debug)]
pub(crate) struct Webhook {
    pub(crate) url: String,
    pub(crate) endpoint: Endpoint,
    pub(crate) max_connections: usize,
    pub(crate) has_certificate: bool,
    pub(crate) last_error: Option<(i64, String)>,
    lanes: HashMap<Lane, LaneQueue>,
    ready: VecDeque<Lane>,
    active: usize,
    gone_since: Option<i64>,
}

/// Where requests go and what they carry.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Endpoint {
    /// The address connected to; nothing when TLS would be needed.
    pub(crate) target: Option<Uri>,
    pub(crate) host: HeaderValue,
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) secret: Option<HeaderValue>,
}

#[derive(Debug)]
struct LaneQueue {
    ids: VecDeque<i64>,
    fails: u32,
    delay: u32,
    is_idle: bool,
}

/// One update on its way.
struct Job {
    update: Arc<Update>,
    attempt: u32,
    endpoint: Endpoint,
}

/// What the host answered.
struct Answer {
    status: Option<StatusCode>,
    retry_after: u32,
    error: String,
    body: Bytes,
}

impl Webhook {
    pub(crate) fn new(url: String, endpoint: Endpoint, max_connections: usize) -> Self {
        Self {
            url,
            endpoint,
            max_connections,
            has_certificate: false,
            last_error: None,
            lanes: HashMap::new(),
            ready: VecDeque::new(),
            active: 0,
            gone_since: None,
        }
    }

    fn add(&mut self, lane: Lane, id: i64) {
        let queue = self.lanes.entry(lane).or_insert_with(|| LaneQueue {
            ids: VecDeque::new(),
            fails: 0,
            delay: 1,
            is_idle: true,
        });
        queue.ids.push_back(id);
        if queue.is_idle {
            queue.is_idle = false;
            self.ready.push_back(lane);
        }
    }
}

impl Bot {
    /// Puts a webhook in place of the former one and hands it everything that waits.
    pub(crate) fn install_webhook(self: &Arc<Self>, state: &mut BotState, webhook: Option<Webhook>) {
        state.queue.webhook_generation += 1;
        state.queue.webhook = webhook;
        let waiting: Vec<(Lane, i64)> = state.queue.pending.values().map(|u| (u.lane, u.id)).collect();
        if let Some(hook) = &mut state.queue.webhook {
            waiting.into_iter().for_each(|(lane, id)| hook.add(lane, id));
        }
        self.start_workers(state);
        self.wake.notify_waiters();
    }

    /// Queues one update for the webhook.
    pub(crate) fn schedule(self: &Arc<Self>, state: &mut BotState, lane: Lane, id: i64) {
        if let Some(hook) = &mut state.queue.webhook {
            hook.add(lane, id);
            self.start_workers(state);
        }
    }

    /// Starts workers while there are lanes ready and connections free.
    pub(crate) fn start_workers(self: &Arc<Self>, state: &mut BotState) {
        if self.faults.webhook_is_held() {
            return;
        }
        let generation = state.queue.webhook_generation;
        let Some(hook) = &mut state.queue.webhook else { return };
        let wanted = (hook.active + hook.ready.len()).min(hook.max_connections);
        while hook.active < wanted {
            hook.active += 1;
            let bot = Arc::clone(self);
            let mut stop = self.shared.stop.clone();
            self.shared.runtime.spawn(async move {
                tokio::select! {
                    () = stopped(&mut stop) => {}
                    () = bot.work(generation) => {}
                }
            });
        }
    }

    /// A worker: delivers until no lane is ready.
    async fn work(self: &Arc<Self>, generation: u64) {
        while let Some(job) = self.next_job(generation) {
            let plan = self.faults.plan_delivery();
            if !plan.delay.is_zero() {
                tokio::time::sleep(plan.delay).await;
            }
            let answer = self.deliver(&job, &plan).await;
            self.settle(generation, &job, answer);
        }
    }

    fn next_job(self: &Arc<Self>, generation: u64) -> Option<Job> {
        let mut state = self.lock();
        let state = &mut *state;
        if state.queue.webhook_generation != generation {
            return None;
        }
        let now = self.shared.now();
        let shuffle = self.faults.shuffle();
        let hook = state.queue.webhook.as_mut()?;
        while !self.faults.webhook_is_held() {
            let lane = match shuffle.chats {
                true => hook.ready.swap_remove_back(state.random.below(hook.ready.len())),
                false => hook.ready.pop_front(),
            };
            let Some(lane) = lane else { break };
            let Some(queue) = hook.lanes.get_mut(&lane) else { continue };
            if shuffle.within_chat && !queue.ids.is_empty() {
                let at = state.random.below(queue.ids.len());
                queue.ids.swap(0, at);
            }
            while let Some(&id) = queue.ids.front() {
                match state.queue.pending.get(&id) {
                    Some(update) if now - update.born <= LIFE_OF_AN_UPDATE => {
                        return Some(Job {
                            update: Arc::clone(update),
                            attempt: queue.fails + 1,
                            endpoint: hook.endpoint.clone(),
                        });
                    }
                    found => {
                        state.counters.expired += u64::from(found.is_some());
                        state.queue.pending.remove(&id);
                        queue.ids.pop_front();
                        (queue.fails, queue.delay) = (0, 1);
                    }
                }
            }
            hook.lanes.remove(&lane);
        }
        hook.active -= 1;
        None
    }

    /// Sends the update as often as the plan says; the last answer counts, unless an earlier one was better.
    async fn deliver(self: &Arc<Self>, job: &Job, plan: &DeliveryPlan) -> Answer {
        let copies = (0..plan.copies.max(1)).map(|_| self.post(job, plan.fault.as_ref()));
        let mut answers = if plan.in_parallel {
            join_all(copies).await
        } else {
            let mut answers = Vec::new();
            for copy in copies {
                answers.push(copy.await);
            }
            answers
        };
        let good = answers.iter().position(|a| a.status.is_some_and(|s| s.is_success()));
        answers.swap_remove(good.unwrap_or(answers.len() - 1))
    }

    async fn post(self: &Arc<Self>, job: &Job, fault: Option<&WebhookFault>) -> Answer {
        let answer = match request(job, fault) {
            Some(request) => {
                let exchange = self.exchange(request);
                tokio::time::timeout(self.shared.config.webhook_timeout, exchange)
                    .await
                    .unwrap_or_else(|_| Answer::failed("Read timeout expired"))
            }
            None => Answer::failed("Can't connect to the webhook: TLS is not simulated, use webhook_via"),
        };
        let mut state = self.lock();
        state.counters.webhook_requests += 1;
        if !answer.status.is_some_and(|status| status.is_success()) {
            state.counters.webhook_failures += 1;
        }
        if self.shared.config.record == Record::Full {
            let delivery = Delivery {
                update_id: job.update.id,
                attempt: job.attempt,
                status: answer.status.map(|status| status.as_u16()),
                fault: fault.cloned(),
            };
            push_bounded(&mut state.deliveries, delivery, self.shared.config.max_records);
        }
        answer
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Answer {
        let response = match self.shared.client.request(request).await {
            Ok(response) => response,
            Err(error) if error.is_connect() => return Answer::failed("Connection refused"),
            Err(_) => return Answer::failed("Webhook connection closed"),
        };
        let status = response.status();
        let retry_after = response.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|v| v.to_str().ok()?.trim().parse().ok()).unwrap_or(0);
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
        let body = body.map(|whole| whole.to_bytes()).unwrap_or_default();
        let reason = status.canonical_reason().unwrap_or_default();
        let error = format!("Wrong response from the webhook: {} {reason}", status.as_u16());
        Answer { status: Some(status), retry_after, error, body }
    }

    /// Removes what was taken, or plans the next try; then the lane goes on.
    fn settle(self: &Arc<Self>, generation: u64, job: &Job, answer: Answer) {
        let is_taken = answer.status.is_some_and(|status| status.is_success());
        if is_taken && !answer.body.is_empty() {
            self.run_answer(&answer.body);
        }
        let now = self.shared.now();
        {
            let mut state = self.lock();
            let state = &mut *state;
            if is_taken && state.queue.pending.remove(&job.update.id).is_some() {
                state.counters.delivered += 1;
            }
            if state.queue.webhook_generation == generation {
                let jitter = MAX_DELAY + state.random.below(MAX_DELAY as usize + 1) as u32;
                let Some(hook) = &mut state.queue.webhook else { return };
                if is_taken {
                    hook.gone_since = None;
                    hook.advance(job.update.lane);
                } else {
                    self.hold_back(hook, job, &answer, now, jitter, generation);
                    if hook.gone_since.is_some_and(|since| now - since > GONE_LIMIT) {
                        self.install_webhook(state, None);
                    }
                }
            }
        }
        self.shared.changed();
    }

    /// Notes the failure and puts the lane aside for as long as the server would.
    fn hold_back(
        self: &Arc<Self>,
        hook: &mut Webhook,
        job: &Job,
        answer: &Answer,
        now: i64,
        max_delay: u32,
        generation: u64,
    ) {
        hook.last_error = Some((now, answer.error.clone()));
        hook.gone_since = match answer.status {
            Some(StatusCode::GONE) => hook.gone_since.or(Some(now)),
            _ => None,
        };
        let Some(queue) = hook.lanes.get_mut(&job.update.lane) else { return };
        let mut pause = answer.retry_after.min(MAX_RETRY_AFTER);
        if pause == 0 && queue.fails > 0 {
            pause = queue.delay;
            queue.delay = (queue.delay * 2).min(max_delay);
        }
        queue.fails += 1;
        if pause == 0 {
            hook.ready.push_back(job.update.lane);
            return;
        }
        let (bot, lane) = (Arc::clone(self), job.update.lane);
        let mut stop = self.shared.stop.clone();
        let pause = self.shared.config.retry_base.saturating_mul(pause);
        self.shared.runtime.spawn(async move {
            tokio::select! {
                () = stopped(&mut stop) => {}
                () = tokio::time::sleep(pause) => bot.resume(lane, generation),
            }
        });
    }

    fn resume(self: &Arc<Self>, lane: Lane, generation: u64) {
        let mut state = self.lock();
        if state.queue.webhook_generation != generation {
            return;
        }
        if let Some(hook) = &mut state.queue.webhook {
            hook.ready.push_back(lane);
            self.start_workers(&mut state);
        }
    }

    /// A 2xx whose body is a call: it is carried out and its outcome is told to nobody
    /// (<https://core.telegram.org/bots/api#making-requests-when-getting-updates>). JSON only.
    fn run_answer(self: &Arc<Self>, body: &[u8]) {
        let Ok(mut fields) = serde_json::from_slice::<Map<String, Value>>(body) else { return };
        let Some(Value::String(method)) = fields.remove("method") else { return };
        let method = method.to_ascii_lowercase();
        let is_barred = ["deletewebhook", "setwebhook", "close", "logout"].contains(&method.as_str());
        if !is_barred && !method.starts_with("get") {
            let _ = self.execute(&method, &Params::from_object(fields));
        }
    }
}

impl Webhook {
    /// The front of the lane was taken: the next one may go.
    fn advance(&mut self, lane: Lane) {
        let Some(queue) = self.lanes.get_mut(&lane) else { return };
        queue.ids.pop_front();
        (queue.fails, queue.delay) = (0, 1);
        match queue.ids.is_empty() {
            true => {
                self.lanes.remove(&lane);
            }
            false => self.ready.push_back(lane),
        }
    }
}

impl Answer {
    fn failed(error: &str) -> Self {
        Self { status: None, retry_after: 0, error: error.to_owned(), body: Bytes::new() }
    }
}

/// The HTTP request of a delivery, spoilt as the fault says.
fn request(job: &Job, fault: Option<&WebhookFault>) -> Option<Request<Full<Bytes>>> {
    let endpoint = &job.endpoint;
    let mut body = job.update.body.clone();
    let mut secret = endpoint.secret.clone();
    match fault {
        Some(WebhookFault::MissingSecret) => secret = None,
        Some(WebhookFault::WrongSecret) => secret = Some(HeaderValue::from_static("not-the-secret")),
        Some(WebhookFault::TruncatedBody) => body.truncate(body.len() / 2),
        Some(WebhookFault::OversizedBody(size)) => body = inflate(&body, *size),
        Some(WebhookFault::Body(other)) => body = other.clone(),
        None => {}
    }
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(endpoint.target.clone()?)
        .header(header::HOST, &endpoint.host)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT_ENCODING, "gzip, deflate");
    if let Some(value) = &endpoint.authorization {
        request = request.header(header::AUTHORIZATION, value);
    }
    if let Some(value) = secret {
        request = request.header("X-Telegram-Bot-Api-Secret-Token", value);
    }
    request.body(Full::new(body)).ok()
}

/// The same update with a junk field that brings it to the size asked for: still valid JSON.
fn inflate(body: &Bytes, size: usize) -> Bytes {
    let mut out = Vec::with_capacity(size + 32);
    out.extend_from_slice(br#"{"padding":""#);
    out.resize(size.saturating_sub(body.len()).max(out.len()), b'x');
    out.extend_from_slice(b"\",");
    out.extend_from_slice(body.get(1..).unwrap_or_default());
    out.into()
}

/// Resolves the URL of `setWebhook` into where and how to connect.
pub(crate) fn endpoint(
    url: &url::Url,
    via: Option<std::net::SocketAddr>,
    secret: Option<&str>,
) -> Option<Endpoint> {
    let host = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str()?),
        None => url.host_str()?.to_owned(),
    };
    let mut path = url.path().to_owned();
    if let Some(query) = url.query() {
        path = format!("{path}?{query}");
    }
    let authority = match via {
        Some(address) => Some(address.to_string()),
        None => (url.scheme() == "http").then(|| host.clone()),
    };
    let target = authority.and_then(|to| format!("http://{to}{path}").parse().ok());
    let authorization = (!url.username().is_empty()).then(|| {
        let pair = format!("{}:{}", url.username(), url.password().unwrap_or_default());
        format!("Basic {}", base64(pair.as_bytes()))
    });
    Some(Endpoint {
        target,
        host: HeaderValue::from_str(&host).ok()?,
        authorization: authorization.and_then(|value| HeaderValue::from_str(&value).ok()),
        secret: secret.and_then(|value| HeaderValue::from_str(value).ok()),
    })
}

fn base64(data: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in data.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let letter = LETTERS.get((bits >> (18 - 6 * at) & 63) as usize).copied().unwrap_or(b'=');
            out.push(if at <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}
