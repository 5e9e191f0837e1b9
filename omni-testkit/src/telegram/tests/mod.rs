//! Tests of the simulator over HTTP, in both directions.

mod faults;
mod http;
mod messages;
mod places;
mod polling;
mod pure;
mod webhooks;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{BotHandle, BotProfile, Customer, SimConfig, TelegramSim, User};

pub(super) const TOKEN: &str = "7000000001:AAtest-secret_x";

/// A client of the API without any library of bots.
#[derive(Clone)]
pub(super) struct Api {
    client: Client<HttpConnector, Full<Bytes>>,
    pub(super) base: String,
    pub(super) token: String,
}

/// What the wire brought back.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) retry_after: Option<String>,
    pub(super) body: Bytes,
}

impl Got {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn result(&self) -> Value {
        let json = self.json();
        assert_eq!((self.status, &json["ok"]), (200, &json!(true)), "{json}");
        json["result"].clone()
    }

    #[track_caller]
    pub(super) fn refused(&self, code: u16, description: &str) {
        let json = self.json();
        assert_eq!(json["description"], description);
        assert_eq!((self.status, &json["error_code"]), (code, &json!(code)));
        assert_eq!(json["ok"], false);
    }
}

impl Api {
    pub(super) fn new(base: &str, token: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { client, base: base.to_owned(), token: token.to_owned() }
    }

    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Got, String> {
        let answer = self.client.request(request).await.map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get("retry-after").map(|v| v.to_str().unwrap().to_owned());
        let body = answer.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
        Ok(Got { status, retry_after, body })
    }

    pub(super) async fn try_call(&self, method: &str, params: Value) -> Result<Got, String> {
        let kind = "application/json";
        self.send(self.request(method, kind, params.to_string())).await
    }

    pub(super) fn request(&self, method: &str, kind: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
        Request::post(format!("{}/bot{}/{method}", self.base, self.token))
            .header("content-type", kind)
            .body(Full::new(body.into()))
            .unwrap()
    }

    pub(super) async fn call(&self, method: &str, params: Value) -> Got {
        self.try_call(method, params).await.unwrap()
    }

    pub(super) async fn get(&self, path: &str) -> Got {
        let request = Request::get(format!("{}{path}", self.base)).body(Full::default()).unwrap();
        self.send(request).await.unwrap()
    }

    /// A multipart call: fields, then files of (field, file name, type, bytes).
    pub(super) async fn upload(
        &self,
        method: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &str, &str, &[u8])],
    ) -> Got {
        let mut body = Vec::new();
        for (name, value) in fields {
            let head = format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(head.as_bytes());
        }
        for (name, file, kind, bytes) in files {
            let head = format!(
                "--XX\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n\
                 Content-Type: {kind}\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--XX--\r\n");
        self.send(self.request(method, "multipart/form-data; boundary=XX", body)).await.unwrap()
    }

    pub(super) async fn updates(&self, params: Value) -> Vec<Value> {
        self.call("getUpdates", params).await.result().as_array().unwrap().clone()
    }
}

/// A simulator with one bot, a client for it and a customer who has pressed Start.
pub(super) struct Scene {
    pub(super) sim: TelegramSim,
    pub(super) bot: BotHandle,
    pub(super) api: Api,
    pub(super) ivan: Customer,
}

pub(super) fn ivan() -> User {
    User::new(100_200_300, "Иван").last_name("Петров").username("ivan_p").phone("+79990001122")
}

pub(super) fn quick() -> SimConfig {
    SimConfig {
        retry_base: Duration::from_millis(2),
        wait_timeout: Duration::from_secs(5),
        ..SimConfig::default()
    }
}

pub(super) async fn scene_with(config: SimConfig) -> Scene {
    let sim = TelegramSim::start(config).await.unwrap();
    let bot = sim.add_bot(TOKEN, BotProfile::new(7_000_000_001, "Omni Helpdesk", "omni_helpdesk_bot"));
    let api = Api::new(sim.base_url(), TOKEN);
    let ivan = bot.customer(ivan());
    ivan.start("");
    Scene { sim, bot, api, ivan }
}

pub(super) async fn scene() -> Scene {
    scene_with(quick()).await
}

/// A host with a webhook: keeps what came and answers as told.
#[derive(Clone)]
pub(super) struct Host {
    pub(super) address: SocketAddr,
    inner: Arc<Mutex<HostState>>,
    seen: watch::Sender<usize>,
}

#[derive(Default)]
struct HostState {
    came: Vec<Came>,
    answers: VecDeque<Response<Full<Bytes>>>,
    status: StatusCode,
    refused: Option<String>,
    pause: Duration,
}

#[derive(Clone, Debug)]
pub(super) struct Came {
    pub(super) secret: Option<String>,
    pub(super) headers: hyper::HeaderMap,
    pub(super) path: String,
    pub(super) body: Bytes,
}

impl Came {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn text(&self) -> String {
        let json: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        json["message"]["text"].as_str().unwrap_or_default().to_owned()
    }
}

impl Host {
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = Self {
            address: listener.local_addr().unwrap(),
            inner: Arc::default(),
            seen: watch::Sender::new(0),
        };
        let server = host.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let host = server.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |request| host.clone().take(request));
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        host
    }

    async fn take(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let secret = head.headers.get("x-telegram-bot-api-secret-token");
        let came = Came {
            secret: secret.map(|value| value.to_str().unwrap().to_owned()),
            path: head.uri.to_string(),
            headers: head.headers,
            body,
        };
        let (answer, pause) = {
            let mut inner = self.inner.lock().unwrap();
            let is_refused = inner.refused.as_ref().is_some_and(|text| came.text() == *text);
            inner.came.push(came);
            let status = if is_refused { StatusCode::INTERNAL_SERVER_ERROR } else { inner.status };
            let pause = inner.pause;
            let plain = || {
                let mut answer = Response::new(Full::default());
                *answer.status_mut() = status;
                answer
            };
            (inner.answers.pop_front().unwrap_or_else(plain), pause)
        };
        self.seen.send_modify(|count| *count += 1);
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        Ok(answer)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/hook/tg?x=1", self.address)
    }

    /// Answers the next request so; further ones as `settle` says, 200 by default.
    pub(super) fn answers(&self, answer: Response<Full<Bytes>>) {
        self.inner.lock().unwrap().answers.push_back(answer);
    }

    pub(super) fn fails(&self, status: u16) {
        let mut answer = Response::new(Full::default());
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        self.answers(answer);
    }

    pub(super) fn settle(&self, status: StatusCode) {
        self.inner.lock().unwrap().status = status;
    }

    /// Answers 500 to messages of this text.
    pub(super) fn refuses(&self, text: Option<&str>) {
        self.inner.lock().unwrap().refused = text.map(str::to_owned);
    }

    pub(super) fn pauses(&self, pause: Duration) {
        self.inner.lock().unwrap().pause = pause;
    }

    pub(super) fn came(&self) -> Vec<Came> {
        self.inner.lock().unwrap().came.clone()
    }

    /// Waits until so many requests have come.
    pub(super) async fn wait(&self, count: usize) -> Vec<Came> {
        let mut seen = self.seen.subscribe();
        let wait = seen.wait_for(|seen| *seen >= count);
        tokio::time::timeout(Duration::from_secs(5), wait).await.expect("requests did not come").unwrap();
        self.came()
    }
}
