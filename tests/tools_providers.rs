//! `normalise` and `send` work with every provider alike: a genuine payload becomes an event, a forged one is refused,
//! and a sent text is in the customer's chat.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

mod support {
    pub(crate) mod built;
}

use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};

use omni::core::crypto::hmac_sha256;
use omni::core::webhook::Answer;
use omni_testkit::conformance::WebhookHost;
use omni_testkit::{autoru, avito, viber, vk};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

const WORDS: &str = "Здравствуйте! Есть 42-й? 👟 👨‍👩‍👧‍👦 𝒳";
const ANSWER: &str = "Да, последняя пара 🔥";
const VIBER: &str = "00112233445566aa-bbccddeeff001122-3344556677889900";
const CHAT_ID: &str = "Vj72x3B9NTk0qLw4Zr81mXc5";
const KEY: &str = "a-key-of-thirty-two-letters-long";

/// How a run ended: its status and the JSON lines it printed.
async fn run(
    tool: &str,
    provider: &str,
    config: &Value,
    arguments: &[String],
    input: &[u8],
) -> (i32, Vec<Value>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.json");
    std::fs::write(&file, config.to_string()).unwrap();
    let mut program = Command::new(support::built::example(tool))
        .args(["--provider", provider, "--config", file.to_str().unwrap()])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = program.stdin.take().unwrap();
    // A tool that refuses its arguments does not read.
    let _ = stdin.write_all(input).await;
    drop(stdin);
    let ended = program.wait_with_output().await.unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    let code = ended.status.code().unwrap_or_else(|| panic!("{tool} {provider} was ended: {said}"));
    assert!(code != 1 && code != 101, "{tool} {provider}: {said}");
    let printed = String::from_utf8(ended.stdout).unwrap();
    (code, printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn owned(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|&argument| argument.to_owned()).collect()
}

/// A payload, the arguments that prove it genuine, and those of a forgery.
struct Payload {
    provider: &'static str,
    config: Value,
    body: Value,
    genuine: Vec<String>,
    forged: Vec<String>,
    /// What the provider is to be answered.
    answer: &'static str,
}

fn payloads() -> Vec<Payload> {
    let from_viber = json!({"event": "message", "timestamp": 1_760_000_100_456_u64,
        "message_token": 5_901_234_567_890_123_457_u64, "sender": {"id": "uQ0abcd1234EFGH5678ijA==", "name": "Ольга"},
        "message": {"type": "text", "text": WORDS}});
    let signed = |key: &str| {
        let signature = hex(&hmac_sha256(key.as_bytes(), from_viber.to_string().as_bytes()));
        owned(&["--header", &format!("X-Viber-Content-Signature: {signature}")])
    };
    let from_vk = |secret: &str| {
        json!({"type": "message_new", "event_id": "7f8d0c2b", "v": "5.199", "group_id": 123_456, "secret": secret,
            "object": {"message": {"id": 4021, "conversation_message_id": 17, "date": 1_760_000_100, "out": 0,
                "peer_id": 50_112_233, "from_id": 50_112_233, "text": WORDS, "attachments": []}}})
    };
    let from_avito = json!({"id": "6f1c", "version": "v3.0.0", "timestamp": 1_790_000_100, "payload": {
        "type": "message", "value": {"id": "c0ffee01", "chat_id": "u2i-AbCdEf~1234", "user_id": 70_010_001,
            "author_id": 80_020_002, "created": 1_790_000_100, "type": "text", "chat_type": "u2i",
            "item_id": 5_500_550_055_u64, "content": {"text": WORDS}}}});
    let from_autoru = json!({"sender": {"id": "9d1f3c", "name": "Пётр", "photo": "https://img.example/a",
        "url": "https://auto.ru/cars/used/sale/1100000001-aabbccdd", "title": "Kia Rio IV"},
        "message": {"type": "text", "id": "77aa01", "text": WORDS}});
    let from_program = json!({"events": [{"type": "message", "id": "e-1", "address": "c-1",
        "sender": {"id": "c-1", "name": "Пётр"}, "message_id": "m-1", "text": WORDS}]});
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let program = |key: &str| {
        let signature = hex(&hmac_sha256(key.as_bytes(), format!("{now}.{from_program}").as_bytes()));
        owned(&[
            "--header",
            &format!("X-Omni-Timestamp: {now}"),
            "--header",
            &format!("X-Omni-Signature: v1={signature}"),
        ])
    };
    let path = |secret: &str| owned(&["--path", &format!("/hooks/avito/{secret}")]);
    let query = |chat: &str| owned(&["--query", &format!("chat_id={chat}")]);
    vec![
        Payload {
            provider: "viber",
            config: json!({"token": VIBER}),
            genuine: signed(VIBER),
            forged: signed("another"),
            body: from_viber.clone(),
            answer: "",
        },
        Payload {
            provider: "vk",
            config: json!({"token": "vk1.a.AAAAAAAAAAAAAAAA", "group_id": 123_456, "secret": "s3cr3tABC"}),
            body: from_vk("s3cr3tABC"),
            genuine: Vec::new(),
            forged: Vec::new(),
            answer: "ok",
        },
        Payload {
            provider: "avito",
            config: json!({"client_id": "aB3kQ", "client_secret": "zX9", "webhook_secret": "Zx9_random-256bit"}),
            body: from_avito,
            genuine: path("Zx9_random-256bit"),
            forged: path("Zx9_random-256bi"),
            answer: "",
        },
        Payload {
            provider: "autoru",
            config: json!({"chat_id": CHAT_ID}),
            body: from_autoru,
            genuine: query(CHAT_ID),
            forged: query("another"),
            answer: "",
        },
        Payload {
            provider: "webhook",
            config: json!({"endpoint": "https://shop.example/omni", "keys": [KEY]}),
            genuine: program(KEY),
            forged: program("another-key-of-thirty-two-letter"),
            body: from_program.clone(),
            answer: "",
        },
    ]
}

#[tokio::test]
async fn normalise_reads_every_providers_genuine_payload_and_refuses_a_forged_one() {
    for Payload { provider, config, body, genuine, forged, answer } in payloads() {
        let (code, lines) = run("normalise", provider, &config, &genuine, body.to_string().as_bytes()).await;
        assert_eq!((code, lines.len()), (0, 2), "{provider}: {lines:?}");
        assert_eq!((&lines[0]["status"], &lines[0]["body"]), (&json!(200), &json!(answer)), "{provider}");
        assert_eq!(lines[1]["type"], "message", "{provider}");
        assert_eq!(lines[1]["content"]["text"]["plain"], WORDS, "{provider}: {}", lines[1]);
        // VK's proof stands in the body itself.
        let body = if provider == "vk" {
            body.to_string().replace("s3cr3tABC", "s3cr3tABD")
        } else {
            body.to_string()
        };
        let (code, lines) = run("normalise", provider, &config, &forged, body.as_bytes()).await;
        assert_eq!((code, lines.len()), (3, 1), "{provider}: {lines:?}");
        let (code, _) = run(
            "normalise",
            provider,
            &config,
            &[forged, owned(&["--unverified"])].concat(),
            body.as_bytes(),
        )
        .await;
        assert_eq!(code, 0, "{provider}: --unverified");
    }
}

/// Sends the answer and checks that it was accepted.
async fn sends(provider: &str, config: &Value, to: &str) {
    let arguments = owned(&["--to", to, "--text", ANSWER]);
    let (code, lines) = run("send", provider, config, &arguments, b"").await;
    assert_eq!(code, 0, "{provider}: {lines:?}");
    assert_eq!(lines.last().unwrap()["outcome"], "accepted", "{provider}: {lines:?}");
}

#[tokio::test]
async fn send_reaches_a_customer_of_viber() {
    let sim = viber::ViberSim::start().await.unwrap();
    let bot = sim.add_bot(VIBER, "Ромашка", "romashka");
    // Without a webhook Viber sends nothing.
    let host = WebhookHost::start(|_| Answer::ok()).await.unwrap();
    let settings = json!({"token": VIBER, "base_url": sim.base_url()}).to_string();
    let channel = omni::registry().unwrap().connect(&omni::viber::PROVIDER, &settings).unwrap();
    channel.connect(host.url()).await.unwrap();
    let olga = bot.customer(viber::Person::new("uQ0abcd1234EFGH5678ijA==", "Ольга"));
    olga.writes(WORDS);
    sends("viber", &json!({"token": VIBER, "base_url": sim.base_url()}), "uQ0abcd1234EFGH5678ijA==").await;
    assert_eq!(olga.transcript().last().unwrap().text(), ANSWER);
}

#[tokio::test]
async fn send_reaches_a_customer_of_vk() {
    let sim = vk::VkSim::start(vk::SimConfig::default()).await.unwrap();
    let shop = sim.add_community(vk::CommunityProfile::new(123_456, "Ромашка", "romashka_shop"));
    let ivan = shop.customer(vk::User::new(50_112_233, "Иван", "Петров"));
    ivan.writes(WORDS);
    let config = json!({"token": shop.token(&vk::Scope::ALL), "group_id": 123_456, "receive": "long_poll",
        "base_url": sim.base_url()});
    sends("vk", &config, "50112233").await;
    assert_eq!(ivan.sees().last().unwrap().text(), ANSWER);
}

#[tokio::test]
async fn send_reaches_a_buyer_at_avito() {
    let sim = avito::AvitoSim::start().await.unwrap();
    let seller = sim.add_account(avito::Account::new(70_010_001, "Авто Плюс", "aB3kQ", "zX9"));
    let buyer = seller.buyer(80_020_002, "Иван");
    buyer.writes(WORDS);
    let config = json!({"client_id": "aB3kQ", "client_secret": "zX9", "webhook_secret": "Zx9_random-256bit",
        "base_url": sim.base_url()});
    sends("avito", &config, buyer.chat_id()).await;
    assert_eq!(buyer.transcript().last().unwrap().content["text"], ANSWER);
}

#[tokio::test]
async fn send_reaches_a_buyer_at_autoru() {
    let sim = autoru::AutoruSim::start(autoru::Dealer::new(CHAT_ID)).await.unwrap();
    let petr = sim.buyer("9d1f3c", "Пётр");
    petr.writes(WORDS);
    sends("autoru", &json!({"chat_id": CHAT_ID, "base_url": sim.hook_url()}), "9d1f3c").await;
    assert_eq!(petr.talk().last().unwrap().said, autoru::Said::Text(ANSWER.to_owned()));
}
