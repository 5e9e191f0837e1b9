//! The example clients of the webhook protocol, each a program in its own language, talk with a hub.
//!
//! They need `python3`, and `node` with `npm`, which compiles the TypeScript one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::http::{HeaderName, HeaderValue};
use omni::core::conversation::Actor;
use omni::core::error::ErrorKind;
use omni::core::id::{IdSource, MessageId};
use omni::core::outbound::{Author, OutboundItem};
use omni::core::policy::{Context, Effect, Input, Overtaken, Policy, Step};
use omni::http::Http;
use omni::hub::store::{ConversationQuery, Direction};
use omni::webhook::verify::{SIGNATURE_HEADER, TIMESTAMP_HEADER, sign};
use omni::webhook::{Config, Webhook};
use omni::{
    Address, Channel, ChannelKey, ChannelSetup, Content, Conversation, EventBody, Hub, Secret, Timestamp,
};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use url::Url;

const KEY: &str = "5d41402abc4b2a76b9719d911017c592";
const ANOTHER_KEY: &str = "7d793037a0760186574b0282f2f435e7";
/// Longer than anything here takes, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than the compiler of TypeScript takes, and its download.
const BUILD: Duration = Duration::from_secs(300);

/// Answers every text with the same text.
#[derive(Debug)]
struct Echo;

impl Policy for Echo {
    fn step(&self, _: &Conversation, input: &Input<'_>, _: &Context<'_>) -> Step {
        let mut step = Step::default();
        if let Input::Event(event) = input
            && let EventBody::Message(message) = &event.body
            && let Some(text) = message.content.plain_text()
        {
            let (by, guard) = (Actor::Bot { bot: "echo".into() }, Overtaken::Never.into());
            step.effects.push(Effect::Reply {
                content: Content::text(format!("вы сказали: {text}")),
                by,
                guard,
            });
        }
        step
    }
}

fn key() -> ChannelKey {
    ChannelKey::new("demo", "site")
}

/// A hub behind an axum server, on the memory store.
struct Host {
    hub: Hub,
    webhook: Url,
    http: Http,
}

impl Host {
    async fn start() -> Self {
        let hub = Hub::builder().build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let webhook = format!("http://{}/webhooks/demo/site", listener.local_addr().unwrap());
        let router = Router::new().nest("/webhooks", omni::hub::axum::router(hub.clone()));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let running = hub.clone();
        tokio::spawn(async move { running.run().await.unwrap() });
        Self { hub, webhook: webhook.parse().unwrap(), http: Http::new().unwrap() }
    }

    fn channel(&self, endpoint: &Url, key: &str) -> Arc<Webhook> {
        Arc::new(Webhook::new(Config::new(endpoint.clone(), key), self.http.clone()).unwrap())
    }

    /// Posts a body, signed under a key so long ago; gives the status.
    async fn post(&self, to: &Url, body: &str, key: &str, ago: Duration) -> u16 {
        let now = Timestamp::default() + SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let (timestamp, signature) = sign(&Secret::new(key), now - ago, body.as_bytes());
        let header =
            |name, value: &str| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        let (at, by) = (header(TIMESTAMP_HEADER, &timestamp), header(SIGNATURE_HEADER, &signature));
        let call = self.http.post("post", to.clone()).header(at.0, at.1).header(by.0, by.1);
        let json = HeaderValue::from_static("application/json");
        call.body(json, body.to_owned()).await.unwrap().status.as_u16()
    }

    /// What the hub has of the talk: theirs, then ours.
    async fn talk(&self) -> [Vec<String>; 2] {
        let conversations = self.hub.conversations(&ConversationQuery::default()).await.unwrap();
        let [conversation] = &conversations[..] else { panic!("{} conversations", conversations.len()) };
        let mut messages = self.hub.messages(conversation.id, None, 100).await.unwrap();
        messages.reverse();
        [Direction::In, Direction::Out].map(|direction| {
            let of = messages.iter().filter(|message| message.direction == direction);
            of.filter_map(|message| message.content.plain_text().map(str::to_owned)).collect()
        })
    }
}

/// A running client.
struct Client {
    process: Child,
    keyboard: ChildStdin,
    screen: Lines<BufReader<ChildStdout>>,
}

impl Client {
    fn start(mut command: Command, host: &Host) -> Self {
        command.env("OMNI_KEY", KEY).env("OMNI_WEBHOOK", host.webhook.as_str()).kill_on_drop(true);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let keyboard = process.stdin.take().unwrap();
        let screen = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, keyboard, screen }
    }

    /// The next line on its screen.
    async fn shows(&mut self) -> String {
        match tokio::time::timeout(PATIENCE, self.screen.next_line()).await {
            Ok(line) => line.unwrap().expect("the client ended"),
            Err(_) => panic!("waited {PATIENCE:?} in vain for a line"),
        }
    }

    async fn is_typed(&mut self, line: &str) {
        self.keyboard.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// Ends it as a person does, by the end of what is typed.
    async fn ends(mut self) {
        drop(self.keyboard);
        let ended = tokio::time::timeout(PATIENCE, self.process.wait()).await.expect("it goes on for ever");
        assert!(ended.unwrap().success());
    }
}

/// A conversation of several turns; whatever comes twice counts once, and what is signed wrongly does not count.
async fn holds_a_conversation(command: Command, name: &str) {
    let host = Host::start().await;
    let mut client = Client::start(command, &host);
    let port = client.shows().await;
    let port = port.strip_prefix("listening on ").unwrap();
    let endpoint: Url = format!("http://127.0.0.1:{port}/").parse().unwrap();
    let channel = host.channel(&endpoint, KEY);
    host.hub.add_channel(ChannelSetup::new(key(), channel.clone()).policy(Echo));
    assert_eq!(channel.check().await.unwrap().name, name);

    let said =
        ["Здравствуйте! Есть 42 размер? 👟", "А для семьи 👨‍👩‍👧‍👦?", "\"Спасибо\" <b>и</b> \\n до свидания"];
    for text in said {
        client.is_typed(text).await;
        assert_eq!(client.shows().await, format!("hub: вы сказали: {text}"));
    }

    // The client does not take what another key signed, or what was signed too long ago.
    let (now, long_ago) = (Duration::ZERO, Duration::from_secs(3600));
    let error = host.channel(&endpoint, ANOTHER_KEY).check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadCredentials, "{error}");
    let ping = r#"{"type":"ping"}"#;
    assert_eq!(host.post(&endpoint, ping, KEY, long_ago).await, 401);
    assert_eq!(host.post(&endpoint, ping, KEY, now).await, 200);

    // The same delivery is one message: the line behind it is the next one.
    let item = OutboundItem {
        id: MessageId::next(&IdSource::new(7), Timestamp::from_secs(1_767_225_600)),
        address: Address::new("console"),
        content: Content::text("дважды ✌️"),
        reply_to: None,
        face: None,
        author: Author::Person,
        note: None,
    };
    let outbound = channel.outbound().unwrap();
    let first = outbound.send(&item).await.unwrap();
    assert_eq!(outbound.send(&item).await.unwrap(), first);
    assert_eq!(client.shows().await, "hub: дважды ✌️");

    // The hub takes an event once, and nothing that is signed wrongly or too old.
    let event = json!({"events": [{"id": "e-1", "type": "message", "address": "console", "message_id": "m-1",
        "sender": {"id": "me"}, "text": "ещё раз 🔁"}]});
    let event = event.to_string();
    assert_eq!(host.post(&host.webhook, &event, ANOTHER_KEY, now).await, 401);
    assert_eq!(host.post(&host.webhook, &event, KEY, long_ago).await, 401);
    for _ in 0..3 {
        assert_eq!(host.post(&host.webhook, &event, KEY, now).await, 200);
    }
    assert_eq!(client.shows().await, "hub: вы сказали: ещё раз 🔁");
    client.is_typed("конец").await;
    assert_eq!(client.shows().await, "hub: вы сказали: конец");

    let theirs: Vec<&str> = said.into_iter().chain(["ещё раз 🔁", "конец"]).collect();
    let ours: Vec<String> = theirs.iter().map(|text| format!("вы сказали: {text}")).collect();
    assert_eq!(host.talk().await, [theirs.into_iter().map(str::to_owned).collect(), ours]);
    client.ends().await;
    host.hub.shutdown();
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/clients")
}

/// Fails with what to do when a program is missing.
async fn needs(program: &str) {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).status().await;
    let is_there = found.is_ok_and(|status| status.success());
    assert!(is_there, "this test needs {program}: sudo apt-get install nodejs npm python3");
}

async fn runs(command: &mut Command, what: &str) {
    let output = tokio::time::timeout(BUILD, command.kill_on_drop(true).output()).await;
    let output = output.unwrap_or_else(|_| panic!("{what} takes more than {BUILD:?}")).unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{what} failed: {}", String::from_utf8_lossy(&said));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_client_holds_a_conversation() {
    needs("python3").await;
    let mut command = Command::new("python3");
    command.arg(clients().join("python/omni_client.py"));
    holds_a_conversation(command, "Python console").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_typescript_client_holds_a_conversation() {
    needs("node").await;
    needs("npm").await;
    let folder = tempfile::tempdir().unwrap();
    for file in ["client.ts", "package.json", "package-lock.json", "tsconfig.json"] {
        std::fs::copy(clients().join("typescript").join(file), folder.path().join(file)).unwrap();
    }
    let mut install = Command::new("npm");
    install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder.path());
    runs(&mut install, "npm ci").await;
    let mut compile = Command::new("node");
    compile.arg("node_modules/typescript/bin/tsc").current_dir(folder.path());
    runs(&mut compile, "tsc").await;
    let mut command = Command::new("node");
    command.arg(folder.path().join("client.js"));
    holds_a_conversation(command, "TypeScript console").await;
}
