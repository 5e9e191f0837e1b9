//! The yardstick of the `echo` bench: a bare hyper server that answers a text update with the same call as the
//! `echo` example, and keeps nothing. `TELEGRAM_TOKEN`, `TELEGRAM_API` and `LISTEN` as there.

use std::convert::Infallible;
use std::env;
use std::error::Error;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

#[derive(Deserialize)]
struct Update {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    chat: Chat,
    text: String,
}

#[derive(Deserialize)]
struct Chat {
    id: i64,
}

#[derive(Serialize)]
struct SendMessage<'a> {
    chat_id: i64,
    text: &'a str,
}

type ApiClient = Client<HttpConnector, Full<Bytes>>;

async fn answer(
    request: Request<Incoming>,
    client: ApiClient,
    url: String,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = match request.into_body().collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return Ok(Response::new(Full::default())),
    };
    if let Ok(update) = serde_json::from_slice::<Update>(&body) {
        let call = SendMessage { chat_id: update.message.chat.id, text: &update.message.text };
        tokio::spawn(send(client, url, serde_json::to_vec(&call).unwrap_or_default()));
    }
    Ok(Response::new(Full::default()))
}

async fn send(client: ApiClient, url: String, body: Vec<u8>) {
    let request =
        Request::post(url).header("content-type", "application/json").body(Full::new(Bytes::from(body)));
    if let Ok(request) = request
        && let Ok(response) = client.request(request).await
    {
        // The connection is used again once the body was read.
        let _ = response.into_body().collect().await;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = format!(
        "{}/bot{}/sendMessage",
        env::var("TELEGRAM_API")?.trim_end_matches('/'),
        env::var("TELEGRAM_TOKEN")?
    );
    let client: ApiClient = Client::builder(TokioExecutor::new()).build_http();
    let listener = TcpListener::bind(env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:0".to_owned())).await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (client, url) = (client.clone(), url.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, client.clone(), url.clone()));
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
