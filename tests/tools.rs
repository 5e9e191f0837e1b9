//! The small programs among the examples, run as a person runs them: `normalise`, `send` and `bare`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

mod support {
    pub(crate) mod built;
}

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use omni_testkit::telegram::{BotHandle, BotProfile, Call, Customer, Fault, SimConfig, TelegramSim, User};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;

const TOKEN: &str = "7000000001:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
const SECRET: &str = "Zx9_random-256bit";
const SECRET_HEADER: &str = "X-Telegram-Bot-Api-Secret-Token: Zx9_random-256bit";
const IVAN: &str = "100200300";
/// Cyrillic, a flag of two code points, a family of seven with joiners, a letter outside the basic plane.
const WORDS: &str = "Ёлка \"в наличии\"? 🇷🇺 👨‍👩‍👧‍👦 𝒳 = 100%\tда";

/// A tool's settings in a file, and the folder for more files.
struct Desk {
    folder: tempfile::TempDir,
}

/// How a run ended.
struct Ran {
    status: ExitStatus,
    lines: Vec<Value>,
    said: String,
}

impl Desk {
    fn new(config: &Value) -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        desk.file("bot.json", config.to_string().as_bytes());
        desk
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("bot.json")
    }

    async fn normalise(&self, arguments: &[&str], body: &[u8]) -> Ran {
        let config = self.config();
        let usual = ["--provider", "telegram", "--config", config.to_str().unwrap()];
        run("normalise", &[&usual, arguments].concat(), body).await
    }

    async fn send(&self, arguments: &[&str]) -> Ran {
        let config = self.config();
        let usual = ["--provider", "telegram", "--config", config.to_str().unwrap(), "--to", IVAN];
        run("send", &[&usual, arguments].concat(), b"").await
    }
}

impl Ran {
    fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| panic!("ended by {}: {}", self.status, self.said))
    }
}

/// Runs a tool to its end. Each line that it prints must be JSON.
async fn run(tool: &str, arguments: &[&str], input: &[u8]) -> Ran {
    let mut program = Command::new(support::built::example(tool))
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
    assert!(!said.contains("panicked"), "{said}");
    assert!(!said.contains(&TOKEN[11..]), "{tool} shows the token: {said}");
    let printed = String::from_utf8(ended.stdout).unwrap();
    let json = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{tool} printed {line:?}: {e}"));
    Ran { status: ended.status, lines: printed.lines().map(json).collect(), said }
}

fn webhook_bot() -> Desk {
    Desk::new(&json!({ "token": TOKEN, "secret_token": SECRET }))
}

fn written(id: i64, text: &str) -> Value {
    let person = json!({ "id": 100_200_300, "is_bot": false, "first_name": "Иван" });
    let chat = json!({ "id": 100_200_300, "type": "private", "first_name": "Иван" });
    json!({ "update_id": id, "message": {
        "message_id": 5, "date": 1_790_000_000, "from": person, "chat": chat, "text": text,
    }})
}

#[tokio::test]
async fn normalise_prints_the_answer_and_then_the_events() {
    let desk = webhook_bot();
    let arguments =
        ["--header", SECRET_HEADER, "--header", "X-Other: a:b", "--query", "a=1", "--path", "/tg"];
    let ran = desk.normalise(&arguments, written(7, WORDS).to_string().as_bytes()).await;
    assert_eq!(ran.code(), 0, "{}", ran.said);
    assert_eq!(ran.lines[0], json!({ "status": 200, "headers": {}, "body": "" }));
    assert_eq!(ran.lines.len(), 2, "one event");
    let event = &ran.lines[1];
    assert_eq!((&event["id"], &event["type"]), (&json!("7"), &json!("message")));
    assert_eq!((&event["address"], &event["message_id"]), (&json!(IVAN), &json!("5")));
    assert!(event.to_string().contains("👨‍👩‍👧‍👦 𝒳"), "{event}");
}

#[tokio::test]
async fn normalise_keeps_an_event_on_one_line() {
    let body = serde_json::to_vec_pretty(&json!({ "update_id": 8, "wave": { "чай": "🫖" } })).unwrap();
    let ran = webhook_bot().normalise(&["--header", SECRET_HEADER], &body).await;
    assert_eq!((ran.code(), ran.lines.len()), (0, 2), "{}", ran.said);
    assert_eq!(ran.lines[1]["type"], "unsupported");
    assert_eq!(ran.lines[1]["raw"]["wave"], json!({ "чай": "🫖" }));
}

#[tokio::test]
async fn normalise_says_why_it_rejects_and_ends_with_3() {
    let desk = webhook_bot();
    let good = written(9, "привет").to_string();
    let huge = " ".repeat(2 << 20);
    let wrong_header = "X-Telegram-Bot-Api-Secret-Token: other";
    let rejected: [(&[&str], &[u8], &str); 7] = [
        (&[], good.as_bytes(), "missing_secret"),
        (&["--header", wrong_header], good.as_bytes(), "wrong_secret"),
        (&["--header", SECRET_HEADER], b"{\"update_id\":", "malformed"),
        (&["--header", SECRET_HEADER], b"", "malformed"),
        (&["--header", SECRET_HEADER], huge.as_bytes(), "too_large"),
        (&["--unverified"], b"{\"update_id\":", "malformed"),
        (&["--unverified"], huge.as_bytes(), "too_large"),
    ];
    for (arguments, body, reason) in rejected {
        let ran = desk.normalise(arguments, body).await;
        assert_eq!(ran.lines, [json!({ "rejected": reason })], "{arguments:?}");
        assert_eq!(ran.code(), 3, "{arguments:?}");
    }
}

#[tokio::test]
async fn unverified_skips_the_signature_only() {
    let body = written(10, "без подписи").to_string();
    let without_secret = Desk::new(&json!({ "token": TOKEN, "receive": "polling" }));
    for desk in [webhook_bot(), without_secret] {
        for header in ["X-Nothing: 1", "X-Telegram-Bot-Api-Secret-Token: other", SECRET_HEADER] {
            let ran = desk.normalise(&["--unverified", "--header", header], body.as_bytes()).await;
            assert_eq!(ran.code(), 0, "{}", ran.said);
            assert_eq!(ran.lines[1]["type"], "message", "{header}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_tried_is_explained() {
    let desk = webhook_bot();
    let config = desk.config();
    let config = config.to_str().unwrap();
    let broken = desk.file("broken.json", b"{\"token\": ");
    let unknown = desk.file("unknown.json", json!({ "token": TOKEN, "tokn": 1 }).to_string().as_bytes());
    let bad_token = desk.file("bad.json", b"{\"token\": \"not a token\"}");
    let (broken, unknown, bad_token) =
        (broken.to_str().unwrap(), unknown.to_str().unwrap(), bad_token.to_str().unwrap());
    let shared: [(&[&str], &str); 7] = [
        (&["--provider", "telegram"], "--config is missing"),
        (&["--config", config], "--provider is missing"),
        (&["--provider", "telegram", "--config", "/nowhere/bot.json"], "/nowhere/bot.json"),
        (&["--provider", "telegram", "--config", broken], "broken.json: connect: unusable configuration"),
        (&["--provider", "telegram", "--config", unknown], "unknown field `tokn`"),
        (&["--provider", "telegram", "--config", bad_token], "must look like 7000000001:AAxxxx"),
        (
            &["--provider", "pigeon", "--config", config],
            "no connector named pigeon; compiled in: autoru, avito, email, telegram",
        ),
    ];
    for (arguments, words) in shared {
        assert_fails("normalise", arguments, words).await;
        assert_fails("send", &[arguments, &["--to", IVAN]].concat(), words).await;
    }
    let good = ["--provider", "telegram", "--config", config];
    assert_fails("normalise", &[&good[..], &["--header", "nothing"]].concat(), "NAME:VALUE").await;
    assert_fails("normalise", &[&good[..], &["--header", "a b: c"]].concat(), "--header: ").await;
    assert_fails("normalise", &[&good[..], &["--verified"]].concat(), "usage: normalise").await;
    assert_fails("send", &good, "--to is missing").await;
    let to = [&good[..], &["--to", IVAN]].concat();
    assert_fails("send", &[&to[..], &["--button", "Да"]].concat(), "TEXT=DATA").await;
    assert_fails("send", &[&to[..], &["--file", "/nowhere/x.pdf"]].concat(), "/nowhere/x.pdf").await;
    assert_fails("send", &[&to[..], &["--param", "a=b"]].concat(), "--param is for a --template").await;
    assert_fails("send", &[&to[..], &["--txt", "a"]].concat(), "usage: send").await;
}

async fn assert_fails(tool: &str, arguments: &[&str], words: &str) {
    let ran = run(tool, arguments, b"").await;
    assert_eq!(ran.code(), 1, "{tool} {arguments:?}");
    assert!(ran.said.contains(words), "{tool} {arguments:?} says {:?}, not {words:?}", ran.said);
    assert_eq!(ran.lines, [] as [Value; 0], "{tool} {arguments:?} prints nothing");
}

/// A bot at a simulator, known to one customer, and the settings to reach it.
async fn bot() -> (TelegramSim, BotHandle, Customer, Desk) {
    let config = SimConfig { wait_timeout: Duration::from_secs(30), ..SimConfig::default() };
    let sim = TelegramSim::start(config).await.unwrap();
    let bot = sim.add_bot(TOKEN, BotProfile::new(7_000_000_001, "Помощник", "help_bot"));
    let ivan = bot.customer(User::new(IVAN.parse().unwrap(), "Иван"));
    let desk = Desk::new(&json!({ "token": TOKEN, "receive": "polling", "base_url": sim.base_url() }));
    (sim, bot, ivan, desk)
}

fn only_call(bot: &BotHandle) -> Call {
    let calls = bot.attempts();
    assert_eq!(calls.len(), 1, "{calls:?}");
    calls[0].clone()
}

#[tokio::test]
async fn send_prints_the_plan_and_then_the_outcome() {
    let (_sim, bot, ivan, desk) = bot().await;
    let asked = ivan.writes("есть ёлка?");
    let reply_to = asked.message_id.to_string();
    let arguments =
        ["--text", WORDS, "--button", "Да 👍=yes=1", "--button", "Нет=no", "--reply-to", &reply_to];
    let ran = desk.send(&arguments).await;
    assert_eq!(ran.code(), 0, "{}", ran.said);
    assert_eq!(ran.lines.len(), 2);
    assert_eq!(ran.lines[0]["plan"][0]["text"]["plain"], WORDS);
    assert_eq!(ran.lines[0]["refusal"], Value::Null);
    let shown = bot.wait_for_text(ivan.chat_id(), WORDS).await;
    assert_eq!(ran.lines[1]["outcome"], "accepted");
    assert_eq!(ran.lines[1]["id"], shown.message_id.to_string());
    assert_eq!(shown.reply_to(), Some(asked.message_id));
    let keys: Vec<_> = shown.buttons().into_iter().map(|b| (b.text, b.callback_data.unwrap())).collect();
    assert_eq!(keys, [("Да 👍".to_owned(), "yes=1".to_owned()), ("Нет".to_owned(), "no".to_owned())]);
}

#[tokio::test]
async fn send_takes_files() {
    let (_sim, bot, ivan, desk) = bot().await;
    ivan.start("");
    let bill = desk.file("Счёт №1 🧾.pdf", b"%PDF-1.7 bill");
    let ran = desk.send(&["--text", "Ваш счёт", "--file", bill.to_str().unwrap()]).await;
    assert_eq!(ran.code(), 0, "{}", ran.said);
    let planned = &ran.lines[0]["plan"][0]["parts"][0];
    assert_eq!((&planned["size"], &planned["source"]), (&json!(13), &json!({ "at": "bytes" })));
    let call = only_call(&bot);
    assert_eq!((call.method.as_str(), &call.params["caption"]), ("senddocument", &json!("Ваш счёт")));
    assert_eq!(call.files[0].bytes, &b"%PDF-1.7 bill"[..]);
    assert_eq!(
        (call.files[0].file_name.as_str(), call.files[0].content_type.as_str()),
        ("Счёт №1 🧾.pdf", "application/pdf")
    );

    let photo = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/inbox/demo/sneakers.jpg");
    let photo = photo.to_str().unwrap();
    let ran = desk.send(&["--file", photo, "--file", photo]).await;
    assert_eq!(ran.code(), 0, "{}", ran.said);
    assert_eq!(bot.attempts()[1].method, "sendmediagroup");
    assert_eq!(ran.lines[1]["accepted"]["more"].as_array().map(Vec::len), Some(1), "both ids are told");
}

#[tokio::test]
async fn a_dry_run_calls_nobody() {
    let (_sim, bot, ivan, desk) = bot().await;
    ivan.start("");
    let photo = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/inbox/demo/sneakers.jpg");
    let long = "слово ".repeat(1000);
    let ran = desk.send(&["--dry-run", "--text", &long, "--file", photo.to_str().unwrap()]).await;
    assert_eq!((ran.code(), ran.lines.len()), (0, 1), "{}", ran.said);
    assert!(ran.lines[0]["plan"].as_array().is_some_and(|parts| parts.len() > 1), "{}", ran.lines[0]);
    assert_eq!(bot.attempts().len(), 0);
    assert_eq!(bot.counters().calls.len(), 0, "not even a question was asked");
}

#[tokio::test]
async fn the_status_of_send_tells_the_outcome() {
    let (_sim, bot, ivan, desk) = bot().await;
    ivan.start("");
    let unknown = [Fault::DropAfterAccept, Fault::CutBody, Fault::BadGateway, Fault::Garbage];
    for fault in unknown {
        bot.faults().on("sendMessage", 1, fault.clone());
        let ran = desk.send(&["--text", "дошло?"]).await;
        assert_eq!((ran.code(), &ran.lines[1]["outcome"]), (5, &json!("unknown")), "{fault:?}");
    }
    bot.faults().on("sendMessage", 1, Fault::TooManyRequests { retry_after: 7 });
    let ran = desk.send(&["--text", "часто"]).await;
    assert_eq!((ran.code(), &ran.lines[1]["outcome"]), (4, &json!("rejected")));
    assert_eq!(ran.lines[1]["error"]["kind"], "rate_limited");
    assert_eq!(
        (&ran.lines[1]["retry"]["retry"], &ran.lines[1]["retry"]["wait"]),
        (&json!("after"), &json!(7000))
    );

    ivan.blocks();
    let ran = desk.send(&["--text", "ау"]).await;
    assert_eq!((ran.code(), &ran.lines[1]["error"]["kind"]), (4, &json!("recipient_blocked")));
    bot.revoke_token();
    let ran = desk.send(&["--text", "ау"]).await;
    assert_eq!((ran.code(), &ran.lines[1]["error"]["kind"]), (4, &json!("bad_credentials")));
    let advice = ran.lines[1]["error"]["advice"].as_str().unwrap_or_default();
    assert!(advice.contains("BotFather"), "{advice}");
}

#[tokio::test]
async fn a_part_that_fails_holds_back_those_behind_it() {
    let (_sim, bot, ivan, desk) = bot().await;
    ivan.start("");
    bot.faults()
        .add(omni_testkit::telegram::Rule::new(Fault::DropAfterAccept).method("sendMessage").after(1));
    let ran = desk.send(&["--text", &"слово ".repeat(2000)]).await;
    let outcomes: Vec<&Value> = ran.lines[1..].iter().map(|line| &line["outcome"]).collect();
    assert_eq!((ran.code(), outcomes), (5, vec![&json!("accepted"), &json!("unknown")]));
    assert!(ran.lines[0]["plan"].as_array().is_some_and(|parts| parts.len() > 2), "there was more to send");
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = json!({ "token": TOKEN, "receive": "polling", "base_url": format!("http://{gone}") });
    let ran = Desk::new(&config).send(&["--text", "есть кто?"]).await;
    assert_eq!((ran.code(), &ran.lines[1]["outcome"]), (4, &json!("rejected")));
    assert_eq!(ran.lines[1]["error"]["kind"], "network");
}

#[tokio::test]
async fn telegram_has_no_templates_and_says_so() {
    let (_sim, bot, ivan, desk) = bot().await;
    ivan.start("");
    let template = ["--template", "order_ready", "--param", "имя=Иван", "--param", "номер=42"];
    let ran = desk.send(&template).await;
    assert_eq!((ran.code(), ran.lines.len()), (4, 2), "{}", ran.said);
    assert_eq!(ran.lines[0]["refusal"], json!({ "reason": "unsupported", "kind": "template" }));
    assert_eq!(
        (&ran.lines[1]["outcome"], &ran.lines[1]["error"]["kind"]),
        (&json!("rejected"), &json!("unsupported"))
    );
    assert_eq!(ran.lines[1]["error"]["text"], "this channel cannot send Template");
    let ran = desk.send(&[&template[..], &["--dry-run"]].concat()).await;
    assert_eq!((ran.code(), ran.lines.len()), (4, 1), "{}", ran.said);
    assert_eq!(bot.attempts().len(), 0);
}

#[tokio::test]
async fn bare_answers_without_a_hub() {
    let (sim, bot, ivan, _) = bot().await;
    let mut program = Command::new(support::built::example("bare"))
        .env("TELEGRAM_TOKEN", TOKEN)
        .env("TELEGRAM_API", sim.base_url())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut printed = BufReader::new(program.stdout.take().unwrap()).lines();
    assert_eq!(printed.next_line().await.unwrap().as_deref(), Some("connected as Помощник"));
    ivan.writes(WORDS);
    bot.wait_for_text(ivan.chat_id(), &format!("You wrote: {WORDS}")).await;
    ivan.writes("ещё");
    bot.wait_for_text(ivan.chat_id(), "You wrote: ещё").await;
    let again = bot.attempts().iter().filter(|call| call.method == "sendmessage").count();
    assert_eq!(again, 2, "each is answered once");
    program.kill().await.unwrap();
}
