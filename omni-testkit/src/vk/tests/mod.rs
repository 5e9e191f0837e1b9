//! Tests of the simulator over HTTP, in both directions.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

mod callback;
mod calls;
mod comments;
mod keyboards;
mod oauth;
mod polling;
mod reading;
mod scripts;
mod sending;
mod talks;
mod uploads;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

use super::{Community, CommunityProfile, Customer, Scope, SimConfig, User, VkSim};

pub(super) const GROUP: i64 = 123_456;
pub(super) const IVAN: i64 = 50_112_233;

/// A client of the API without any library of VK.
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
    pub(super) location: Option<String>,
    pub(super) body: Bytes,
}

impl Got {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    #[track_caller]
    pub(super) fn response(&self) -> Value {
        let json = self.json();
        assert_eq!(self.status, 200, "{json}");
        assert!(json.get("error").is_none(), "{json}");
        json["response"].clone()
    }

    #[track_caller]
    pub(super) fn refused(&self, code: i64) -> Value {
        let json = self.json();
        assert_eq!((self.status, &json["error"]["error_code"]), (200, &json!(code)), "{json}");
        json["error"].clone()
    }
}

pub(super) fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

impl Api {
    pub(super) fn new(base: &str, token: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { client, base: base.to_owned(), token: token.to_owned() }
    }

    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Got, String> {
        let answer = self.client.request(request).await.map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let location = answer.headers().get("location").map(|v| v.to_str().unwrap().to_owned());
        let body = answer.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
        Ok(Got { status, location, body })
    }

    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Result<Got, String> {
        let request = Request::post(format!("{}{path}", self.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::new(form(fields).into()))
            .unwrap();
        self.send(request).await
    }

    /// A call with token and version.
    pub(super) async fn call(&self, method: &str, fields: &[(&str, &str)]) -> Got {
        self.try_call(method, fields).await.unwrap()
    }

    pub(super) async fn try_call(&self, method: &str, fields: &[(&str, &str)]) -> Result<Got, String> {
        let mut all = vec![("access_token", self.token.as_str()), ("v", "5.199")];
        all.extend_from_slice(fields);
        self.post(&format!("/method/{method}"), &all).await
    }

    pub(super) async fn get(&self, url: &str) -> Got {
        let request = Request::get(url).body(Full::default()).unwrap();
        self.send(request).await.unwrap()
    }

    /// One file by multipart.
    pub(super) async fn upload(&self, url: &str, field: &str, name: &str, bytes: &[u8]) -> Value {
        let mut body = format!(
            "--XX\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--XX--\r\n");
        let kind = "multipart/form-data; boundary=XX";
        let request = Request::post(url).header("content-type", kind).body(Full::new(body.into())).unwrap();
        self.send(request).await.unwrap().json()
    }

    /// A message to Ivan with the fields given; the whole answer.
    pub(super) async fn say(&self, fields: &[(&str, &str)]) -> Got {
        let ivan = IVAN.to_string();
        let mut all = vec![("peer_id", ivan.as_str())];
        if !fields.iter().any(|(name, _)| *name == "random_id") {
            all.push(("random_id", "0"));
        }
        all.extend_from_slice(fields);
        self.call("messages.send", &all).await
    }
}

/// A simulator with one community, a client for it, and Ivan, who has not written yet.
pub(super) struct Scene {
    pub(super) sim: VkSim,
    pub(super) shop: Community,
    pub(super) api: Api,
    pub(super) ivan: Customer,
}

pub(super) fn ivan() -> User {
    User::new(IVAN, "Иван", "Петров").screen_name("ivan_p")
}

pub(super) fn olga() -> User {
    User::new(60_112_233, "Ольга", "Ёлкина")
}

pub(super) async fn scene() -> Scene {
    scene_with(SimConfig::default()).await
}

pub(super) async fn scene_with(config: SimConfig) -> Scene {
    let sim = VkSim::start(config).await.unwrap();
    let shop = sim.add_community(CommunityProfile::new(GROUP, "Ромашка", "romashka_shop"));
    let api = Api::new(sim.base_url(), &shop.token(&Scope::ALL));
    let ivan = shop.customer(ivan());
    Scene { sim, shop, api, ivan }
}

/// A scene in which Ivan has written.
pub(super) async fn talk() -> Scene {
    let scene = scene().await;
    scene.ivan.writes("Здравствуйте 👋🏽");
    scene
}
