//! The connector against a server that gives one answer after another.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

mod account;
mod listening;
mod sending;
mod uploads;
mod webhook;

use std::sync::Mutex;
use std::time::Duration;

use omni_core::channel::Sink;
use omni_core::content::{Button, Content};
use omni_core::error::{ErrorKind, RateScope, Result, Retry};
use omni_core::link::CampaignToken;
use omni_core::media::{Media, MediaKind, MediaRef};
use omni_core::outbound::{Author, OutboundItem, SendError};
use omni_core::webhook::{RejectReason, WebhookRequest, WebhookUrl};
use omni_core::{
    Address, Channel, Cursor, Error, Event, Inbound, MessageId, Outbound, ProviderMessageId, Status,
    Timestamp,
};
use omni_http::Http;
use omni_vk::{Config, Vk};
use serde_json::{Value, json};
use url::Url;
use wiremock::matchers::{body_string_contains, method, path};
use wiremock::{Mock, MockBuilder, MockServer, ResponseTemplate};

const TOKEN: &str = "vk1.a.Zx9random256bitTokenOfTheCommunity";
const SECRET: &str = "s3cr3tABCrandom32charactersOrMore";
const GROUP: i64 = 123_456;

fn at(server: &MockServer) -> Config {
    Config::new(TOKEN, GROUP).webhook(SECRET).at(Url::parse(&server.uri()).unwrap())
}

fn vk(config: Config) -> Vk {
    Vk::new(config, Http::new().unwrap()).unwrap()
}

fn ok(response: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"response": response}))
}

/// As VK refuses: with our own parameters repeated.
fn refused(code: i64, text: &str) -> ResponseTemplate {
    let params = json!([{"key": "message", "value": "тайна"}, {"key": "access_token", "value": TOKEN}]);
    let error = json!({"error_code": code, "error_msg": text, "request_params": params});
    ResponseTemplate::new(200).set_body_json(json!({"error": error}))
}

fn sent(cmid: i64) -> Value {
    json!([{"peer_id": 50112233, "message_id": 4022, "conversation_message_id": cmid}])
}

fn call(name: &str) -> MockBuilder {
    Mock::given(method("POST")).and(path(format!("/method/{name}")))
}

fn item(address: &str, words: &str) -> OutboundItem {
    OutboundItem {
        id: MessageId::from_bytes([7; 16]),
        address: address.parse::<Address>().unwrap(),
        content: Content::text(words),
        reply_to: None,
        face: None,
        author: Author::Person,
        note: None,
    }
}

fn group() -> Value {
    json!({"groups": [{"id": GROUP, "name": "Ромашка", "screen_name": "romashka_shop", "type": "page"}],
        "profiles": []})
}

async fn bodies(server: &MockServer, name: &str) -> Vec<String> {
    let requests = server.received_requests().await.unwrap();
    let calls = requests.into_iter().filter(|r| r.url.path() == format!("/method/{name}"));
    calls.map(|request| String::from_utf8(request.body).unwrap()).collect()
}
