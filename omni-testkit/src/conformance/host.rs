//! A place for providers to post their webhooks to.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use omni_core::Timestamp;
use omni_core::webhook::{Answer, WebhookRequest, WebhookUrl};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use url::Url;

type Answers = dyn Fn(&WebhookRequest) -> Answer + Send + Sync;

/// A small HTTP server that keeps the webhooks it gets, to the byte, until the rig takes them.
#[derive(Debug)]
pub struct WebhookHost {
    url: WebhookUrl,
    came: Mutex<mpsc::UnboundedReceiver<WebhookRequest>>,
    server: tokio::task::JoinHandle<()>,
}

impl WebhookHost {
    /// Starts one on 127.0.0.1 that answers each request by `answer`: an empty 200 for most providers, a code or
    /// a challenge for those that ask for one while the webhook is being registered.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(
        answer: impl Fn(&WebhookRequest) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = Url::parse(&format!("http://{}/hook", listener.local_addr()?)).map_err(io::Error::other)?;
        let url = WebhookUrl::new(url).map_err(io::Error::other)?;
        let (sender, came) = mpsc::unbounded_channel();
        let answer: Arc<Answers> = Arc::new(answer);
        let router = axum::Router::new().fallback(take).with_state((sender, answer));
        let server = tokio::spawn(async move {
            // Ends with the runtime or with the host; there is nobody to tell.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, came: Mutex::new(came), server })
    }

    /// Its address.
    pub fn url(&self) -> &WebhookUrl {
        &self.url
    }

    /// Waits for the next webhook and takes it. Cancel safe.
    pub async fn next(&self) -> WebhookRequest {
        match self.came.lock().await.recv().await {
            Some(request) => request,
            // The server task has ended: nothing will come any more.
            None => std::future::pending().await,
        }
    }
}

impl Drop for WebhookHost {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(
    State((sender, answer)): State<(mpsc::UnboundedSender<WebhookRequest>, Arc<Answers>)>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return http::StatusCode::BAD_REQUEST.into_response() };
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let request = WebhookRequest {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers: head.headers,
        body: body.to_bytes(),
        received_at: Timestamp::default() + since,
    };
    let Answer { status, headers, body } = answer(&request);
    // The rig may be gone already; the provider gets its answer all the same.
    let _ = sender.send(request);
    (status, headers, body).into_response()
}
