#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use omni_core::webhook::Answer;
use serde_json::{Value, json};

use super::*;
use crate::conformance::WebhookHost;

const SELLER: i64 = 70_010_001;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n picture";

struct World {
    sim: AvitoSim,
    seller: Seller,
    buyer: Buyer,
    token: String,
}

impl World {
    async fn new() -> Self {
        let sim = AvitoSim::start().await.unwrap();
        let seller = sim.add_account(Account::new(SELLER, "Авто Плюс", "aB3kQ", "zX9"));
        let buyer = seller.buyer(80_020_002, "Иван").about(5_500_550_055, "Kia Rio 2019");
        let mut world = Self { sim, seller, buyer, token: String::new() };
        let form = "grant_type=client_credentials&client_id=aB3kQ&client_secret=zX9";
        let (status, answer) = world.form(form).await;
        assert_eq!(status, 200);
        assert!(answer.get("refresh_token").is_none(), "keys of one's own bring no refresh token");
        world.token = answer["access_token"].as_str().unwrap().to_owned();
        world
    }

    async fn ask(&self, method: Method, path: &str, kind: &str, body: impl Into<Bytes>) -> (u16, Value) {
        let mut request = http::Request::new(Full::new(body.into()));
        *request.method_mut() = method;
        *request.uri_mut() = format!("{}{path}", self.sim.base_url()).parse::<Uri>().unwrap();
        if !kind.is_empty() {
            request.headers_mut().insert("content-type", kind.parse().unwrap());
        }
        if !self.token.is_empty() {
            request.headers_mut().insert("authorization", format!("Bearer {}", self.token).parse().unwrap());
        }
        let response = Client::builder(TokioExecutor::new()).build_http().request(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn form(&self, form: &str) -> (u16, Value) {
        let kind = "application/x-www-form-urlencoded";
        self.ask(Method::POST, "/token", kind, form.to_owned()).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask(Method::GET, path, "", "").await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.ask(Method::POST, path, "application/json", body.to_string()).await
    }

    fn chat(&self, rest: &str) -> String {
        format!("/messenger/v1/accounts/{SELLER}/chats/{}{rest}", self.buyer.chat_id())
    }

    async fn say(&self, text: &str) -> (u16, Value) {
        self.post(&self.chat("/messages"), json!({"message": {"text": text}, "type": "text"})).await
    }

    async fn upload(&self, field: &str, bytes: &[u8]) -> (u16, Value) {
        let head =
            format!("--b\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"a.png\"\r\n\r\n");
        let body = [head.as_bytes(), bytes, b"\r\n--b--\r\n"].concat();
        let path = format!("/messenger/v1/accounts/{SELLER}/uploadImages");
        self.ask(Method::POST, &path, "multipart/form-data; boundary=b", body).await
    }
}

#[tokio::test]
async fn a_text_goes_out_only_as_it_is_described() {
    let world = World::new().await;
    assert_eq!(world.say("Да 👨‍👩‍👧").await.1["content"]["text"], "Да 👨‍👩‍👧");
    assert_eq!(world.say(&"я".repeat(1000)).await.0, 200);
    let (status, answer) = world.say(&"я".repeat(1001)).await;
    assert_eq!((status, &answer["error"]["fields"]["text"]), (400, &json!("too long")));
    let path = world.chat("/messages");
    for bad in [
        json!({"message": {"text": ""}, "type": "text"}),
        json!({"message": {"text": "да"}}),
        json!({"message": {"text": "да"}, "type": "image"}),
        json!({"message": {"text": "да", "html": true}, "type": "text"}),
        json!({"message": {"text": "да"}, "type": "text", "reply_to": 1}),
        json!({"text": "да", "type": "text"}),
        json!([]),
    ] {
        assert_eq!(world.post(&path, bad.clone()).await.0, 400, "{bad}");
    }
    let body = r#"{"message":{"text":"да"},"type":"text"}"#;
    assert_eq!(world.ask(Method::POST, &path, "text/plain", body).await.0, 400);
    let (status, _) = world
        .post(&path.replace("AbCdEf", "nobody"), json!({"message": {"text": "да"}, "type": "text"}))
        .await;
    assert_eq!(status, 404);
    assert_eq!(world.buyer.transcript().len(), 2);
}

#[tokio::test]
async fn a_token_opens_its_own_account_for_a_day() {
    let mut world = World::new().await;
    assert_eq!(world.get("/core/v1/accounts/self").await.1["id"], SELLER);
    assert_eq!(world.get("/messenger/v2/accounts/1/chats").await.0, 403);
    world.sim.ground().advance(Duration::from_secs(86_401));
    assert_eq!(world.get("/core/v1/accounts/self").await.0, 403);
    world.token.clear();
    assert_eq!(world.get("/core/v1/accounts/self").await.0, 401);
    world.seller.revokes();
    let form = "grant_type=client_credentials&client_id=aB3kQ&client_secret=zX9";
    assert_eq!(world.form(form).await.0, 401);
}

#[tokio::test]
async fn codes_and_refresh_tokens_are_good_once() {
    let world = World::new().await;
    let keys = "client_id=aB3kQ&client_secret=zX9";
    let code = world.seller.code();
    let form = format!("grant_type=authorization_code&code={code}&{keys}");
    let (status, answer) = world.form(&form).await;
    assert_eq!(status, 200);
    assert_eq!(world.form(&form).await.1["error"], "invalid_grant");
    let refresh = answer["refresh_token"].as_str().unwrap();
    let form = format!("grant_type=refresh_token&refresh_token={refresh}&{keys}");
    let (status, answer) = world.form(&form).await;
    assert_eq!(status, 200);
    assert_ne!(answer["refresh_token"], refresh);
    assert_eq!(world.form(&form).await.0, 400);
    assert_eq!(world.form("grant_type=client_credentials&client_id=aB3kQ&client_secret=x").await.0, 401);
    assert_eq!(world.form(&format!("grant_type=password&{keys}")).await.0, 400);
    let json = json!({"grant_type": "client_credentials", "client_id": "aB3kQ", "client_secret": "zX9"});
    assert_eq!(world.post("/token", json).await.0, 400, "JSON is no form");
}

#[tokio::test]
async fn a_picture_is_uploaded_before_it_is_sent() {
    let world = World::new().await;
    assert_eq!(world.upload("uploadfile", PNG).await.0, 400);
    assert_eq!(world.upload("uploadfile[]", b"%PDF-1.4").await.0, 400);
    let (status, answer) = world.upload("uploadfile[]", PNG).await;
    assert_eq!(status, 200);
    let id = answer.as_object().unwrap().keys().next().unwrap().clone();
    let path = world.chat("/messages/image");
    assert_eq!(world.post(&path, json!({"image_id": "1.unknown"})).await.0, 400);
    assert_eq!(world.post(&path, json!({"image_id": id, "text": "подпись"})).await.0, 400);
    assert_eq!(world.post(&path, json!({"image_id": id})).await.0, 200);
    let sent = world.buyer.transcript();
    assert_eq!(world.buyer.image(&sent[0]).as_deref(), Some(PNG));
}

#[tokio::test]
async fn pages_have_their_limits_and_paths_their_slash() {
    let world = World::new().await;
    world.buyer.writes("раз");
    let _ = world.seller.opens(ChatType::U2u, 80_020_003, "Пётр").writes("два");
    let chats = format!("/messenger/v2/accounts/{SELLER}/chats");
    let count = |answer: &Value| answer["chats"].as_array().unwrap().len();
    assert_eq!(count(&world.get(&chats).await.1), 1, "left out, the types are those about adverts");
    assert_eq!(count(&world.get(&format!("{chats}?chat_types=u2i,u2u")).await.1), 2);
    for bad in ["limit=0", "limit=101", "offset=1001", "offset=x", "chat_types=u3u"] {
        assert_eq!(world.get(&format!("{chats}?{bad}")).await.0, 400, "{bad}");
    }
    let messages = format!("/messenger/v3/accounts/{SELLER}/chats/{}/messages", world.buyer.chat_id());
    assert_eq!(world.get(&messages).await.0, 404);
    assert_eq!(world.get(&format!("{messages}/")).await.1["messages"][0]["content"]["text"], "раз");
    assert_eq!(world.post("/messenger/v1/subscriptions", json!({})).await.0, 200);
    assert_eq!(world.get("/messenger/v1/subscriptions").await.0, 404, "the list is a POST");
}

#[tokio::test]
async fn only_young_messages_of_the_account_are_deleted() {
    let world = World::new().await;
    let theirs = world.buyer.writes("моё");
    let ours = world.say("наше").await.1["id"].as_str().unwrap().to_owned();
    let delete = |id: &str| world.chat(&format!("/messages/{id}"));
    assert_eq!(world.ask(Method::POST, &delete(&theirs.id), "", "").await.0, 403);
    world.sim.ground().advance(Duration::from_secs(3601));
    assert_eq!(world.ask(Method::POST, &delete(&ours), "", "").await.0, 400);
    let young = world.say("свежее").await.1["id"].as_str().unwrap().to_owned();
    assert_eq!(world.ask(Method::POST, &delete(&young), "", "").await.0, 200);
    assert_eq!(world.ask(Method::POST, &delete(&young), "", "").await.0, 404);
    assert_eq!(world.buyer.transcript()[2].kind, "deleted");
}

#[tokio::test]
async fn a_link_to_a_voice_message_is_good_for_an_hour() {
    let world = World::new().await;
    let said = world.buyer.sends_voice(Bytes::from_static(b"ftyp opus"));
    let id = said.content["voice"]["voice_id"].as_str().unwrap();
    let path = format!("/messenger/v1/accounts/{SELLER}/getVoiceFiles?voice_ids={id}&voice_ids=unknown");
    let (_, answer) = world.get(&path).await;
    assert_eq!(answer["voices_urls"].as_object().unwrap().len(), 1);
    let url =
        answer["voices_urls"][id].as_str().unwrap().strip_prefix(world.sim.base_url()).unwrap().to_owned();
    assert_eq!(world.get(&url).await.0, 200);
    world.sim.ground().advance(Duration::from_secs(3601));
    assert_eq!(world.get(&url).await.0, 404);
}

#[tokio::test]
async fn webhooks_go_to_every_address_and_are_tried_again() {
    let world = World::new().await;
    let tries = std::sync::atomic::AtomicU32::new(0);
    let host = WebhookHost::start(move |_| {
        let first = tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        if first { Answer::status(http::StatusCode::BAD_GATEWAY) } else { Answer::ok() }
    })
    .await
    .unwrap();
    let url = host.url().as_url().as_str();
    assert_eq!(world.post("/messenger/v3/webhook", json!({"url": "nonsense"})).await.0, 400);
    assert_eq!(world.post("/messenger/v3/webhook", json!({"url": url})).await.1, json!({"ok": true}));
    world.buyer.writes("Ещё продаёте? 👋");
    let (first, second) = (host.next().await, host.next().await);
    assert_eq!(first.body, second.body);
    let hook: Value = serde_json::from_slice(&second.body).unwrap();
    assert_eq!(hook["payload"]["value"]["content"]["text"], "Ещё продаёте? 👋");
    assert_eq!(hook["payload"]["value"]["item_id"], 5_500_550_055i64);
    assert_eq!(second.header("x-avito-messenger-signature").unwrap().len(), 64);
    world.post("/messenger/v1/webhook/unsubscribe", json!({"url": url})).await;
    assert!(world.seller.subscriptions().is_empty());
}

#[tokio::test]
async fn the_blacklist_takes_known_reasons() {
    let world = World::new().await;
    let path = format!("/messenger/v2/accounts/{SELLER}/blacklist");
    let user = |reason: i64| json!({"users": [{"user_id": 80_020_002, "context": {"reason_id": reason}}]});
    assert_eq!(world.post(&path, user(5)).await.0, 400);
    assert_eq!(world.post(&path, json!({"users": []})).await.0, 400);
    assert_eq!(world.post(&path, user(1)).await.0, 200);
    assert_eq!(world.seller.blacklist().len(), 1);
}
