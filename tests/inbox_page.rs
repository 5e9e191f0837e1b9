//! The `inbox` example in a real browser: both sides of a talk, by hand and eye of a headless Chromium.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

mod support {
    pub(crate) mod browser;
    pub(crate) mod built;
}

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use omni::http::Http;
use omni_testkit::email::{MailServer, Settings};
use omni_testkit::telegram::{BotProfile, SimConfig, TelegramSim, User};
use serde_json::Value;
use support::browser::Browser;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::ChildStdout;

const NAME: &str = "Анна Белова";
const QUESTION: &str = "Здравствуйте! Есть 38-й? 😀👩‍🚀";
const ANSWER: &str = "Да, последняя пара 🔥 Отложить?";
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_talk_from_the_first_word_to_the_block() {
    let inbox = Inbox::start("").await;
    let browser = Browser::start(1440, 900).await;
    browser.open(&format!("{}/demo", inbox.url)).await;
    a_customer_writes(&browser).await;
    the_desk_answers_with_a_button(&browser).await;
    the_customer_presses_it_edits_and_reacts(&browser).await;
    a_file_goes_each_way(&browser, &inbox).await;
    if let Some(path) = std::env::var_os("OMNI_SCREENSHOT") {
        browser.leave_frame().await;
        std::fs::write(path, browser.screenshot().await).unwrap();
    }
    a_lost_answer_is_settled_by_a_person(&browser).await;
    a_long_text_is_said_to_be_split(&browser).await;
    a_block_greys_the_reply_box(&browser).await;
    the_conversation_is_closed(&browser).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_of_the_configuration_are_served() {
    let sim = TelegramSim::start(SimConfig::default()).await.unwrap();
    let polled = sim.add_bot(&token(1), BotProfile::new(7_000_000_001, "Опрос", "polled_bot"));
    let hooked = sim.add_bot(&token(2), BotProfile::new(7_000_000_002, "Вебхук", "hooked_bot"));
    let inbox = Inbox::start(&configuration(sim.base_url())).await;
    let browser = Browser::start(1440, 900).await;
    browser.open(&inbox.url).await;
    for (bot, id, name) in [(&polled, 101, "Олег Ким"), (&hooked, 102, "Мария Соколова")]
    {
        let customer = bot.customer(User::new(id, name));
        customer.writes(QUESTION);
        browser.click(&format!("[data-testid=conversation][data-title='{name}']")).await;
        see(&browser, "[data-testid=message-in] .words", QUESTION).await;
        answer(&browser, ANSWER).await;
        bot.wait_for_text(customer.chat_id(), ANSWER).await;
    }
    // One account that cannot be used is said to be so, and does not stand in the way of the others.
    see(&browser, "[data-testid=channel]", "Bot not found").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_provider_is_answered_from_one_desk() {
    let inbox = Inbox::start("").await;
    let browser = Browser::start(1440, 900).await;
    browser.open(&inbox.url).await;
    let people = [
        ("viber", "Алеся Новик"),
        ("vk", "Дмитрий Орлов"),
        ("avito", "Никита"),
        ("autoru", "Пётр"),
        ("email", "Елена Зимина"),
    ];
    for (provider, name) in people {
        // VK and Avito tell no names: this one was asked for.
        browser.click(&format!("[data-testid=conversation][data-title='{name}']")).await;
        see(&browser, "[data-testid=contact-name]", name).await;
        let words = format!("{ANSWER} {provider}");
        write(&browser, "[data-testid=reply-text]", &words).await;
        browser.click("[data-testid=send]").await;
        see(&browser, "[data-testid=message-out] .words", &words).await;
        inbox.customer_sees(provider, name, &words).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_shows_its_subject_its_pictures_and_its_files_and_is_answered() {
    let inbox = Inbox::start("").await;
    let browser = Browser::start(1440, 900).await;
    browser.open(&inbox.url).await;
    browser.click("[data-testid=conversation][data-title='Елена Зимина']").await;
    see(&browser, "[data-testid=subject]", "Обмен: заказ № 1043 👟").await;
    see(&browser, "[data-testid=message-in] > .bubble-body > .words", "Поменяете на 39-й?").await;
    see(&browser, "[data-testid=message-in] .file-name", "Чек 1043.txt").await;
    // What was cut off the words is there for whoever opens it.
    let words = "return [...document.querySelectorAll('.words')].some((e) => e.textContent.includes('Заказ № 1043 уже'))";
    assert_eq!(browser.run(words).await, false);
    unfold(&browser).await;
    see(&browser, ".folded .rest", "Заказ № 1043 уже у вас").await;
    see(&browser, ".folded .rest", "Архитектурное бюро «Север»").await;
    // Its own picture is in place and not once more below; a remote one waits until it is asked for.
    let own = r#"src="http://127.0.0.1:"#;
    let remote = r#" src="https://pictures.customer.example/map.png"#;
    assert_eq!(browser.run(&frame_holds(r#"<th align="left">Заказ"#)).await, true);
    assert_eq!(browser.run(&frame_holds(own)).await, true);
    assert_eq!(browser.run(&frame_holds(remote)).await, false);
    let below = "return document.querySelectorAll('[data-testid=message-in] img.image').length";
    assert_eq!(browser.run(below).await, 0);
    browser.click("[data-testid=load-remote]").await;
    browser.wait("the remote picture to be let in", &frame_holds(remote)).await;
    assert_eq!(browser.run(&frame_holds("data: https:;")).await, true);
    if let Some(path) = std::env::var_os("OMNI_SCREENSHOT_MAIL") {
        std::fs::write(path, browser.screenshot().await).unwrap();
    }
    answer(&browser, ANSWER).await;
    inbox.customer_sees("email", "Елена Зимина", ANSWER).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_runs_no_script_and_learns_of_no_reader_who_does_not_want_it() {
    let spy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    spy.set_nonblocking(true).unwrap();
    let remote = format!("<img src=\"https://{}/seen.png\">", spy.local_addr().unwrap());
    let server = MailServer::start(Settings::new("help@shop.example", "s3cret")).await.unwrap();
    let inbox = Inbox::start(&mailbox(&server)).await;
    let browser = Browser::start(1440, 900).await;
    browser.open(&inbox.url).await;
    browser.run("addEventListener('message', ({ data }) => { window.heard = data; })").await;
    server.idles(1).await;
    let picture = include_bytes!("../examples/inbox/demo/sneakers.jpg").as_slice();
    server
        .mail(QUESTION)
        .from(NAME, "anna@customer.example")
        .subject("<img src=x onerror=\"top.heard = 1\"> 👟")
        .html(&format!("<table><tr><td>38</td></tr></table><img src=\"cid:shoe%201@a\">{remote}{HOSTILE}"))
        .picture("shoe 1@a", "image/jpeg", picture)
        .file("Счёт <b>38.html", "text/html", "<script>top.heard = 2</script>")
        .arrives();
    browser.click(&format!("[data-testid=conversation][data-title='{NAME}']")).await;
    see(&browser, "[data-testid=subject]", "<img src=x onerror=\"top.heard = 1\"> 👟").await;
    see(&browser, "[data-testid=message-in] .words", QUESTION).await;
    see(&browser, "[data-testid=message-in] .file-name", "Счёт").await;
    unfold(&browser).await;
    let sandbox =
        browser.run("return document.querySelector('[data-testid=mail-html]').getAttribute('sandbox')").await;
    let sandbox = sandbox.as_str().expect("the frame is a sandbox");
    assert!(!sandbox.contains("scripts") && !sandbox.contains("same-origin"), "{sandbox}");
    // The frame holds by itself, whatever a cleaning before it lets through.
    assert_eq!(browser.run(&uncleaned()).await, "loaded");
    assert_eq!(browser.run("return window.heard ?? null").await, Value::Null);
    browser.run("document.querySelector('[data-testid=mail-html]').id = 'mail'").await;
    browser.enter_frame("mail").await;
    let shown = "return document.querySelector('td') && document.querySelector('img').naturalWidth > 0";
    browser.wait("the picture of the mail, in its place", shown).await;
    browser.leave_frame().await;
    assert!(spy.accept().is_err(), "a remote picture was asked for by itself");
    browser.click("[data-testid=load-remote]").await;
    let spy = TcpListener::from_std(spy).unwrap();
    tokio::time::timeout(PATIENCE, spy.accept()).await.expect("the picture is asked for").unwrap();
    write(&browser, "[data-testid=reply-text]", ANSWER).await;
    browser.click("[data-testid=send]").await;
    let sent = server.sends(1).await;
    assert_eq!(sent[0].recipients(), ["anna@customer.example"]);
    assert_eq!(sent[0].text().as_deref(), Some(ANSWER));
}

/// Ways to run a script, each of which would say so to the page around.
const HOSTILE: &str = "<script>parent.postMessage('script', '*')</script>\
    <img src=\"x:\" onerror=\"parent.postMessage('onerror', '*')\">\
    <svg onload=\"parent.postMessage('onload', '*')\"></svg>\
    <iframe srcdoc=\"<script>top.postMessage('inner', '*')</script>\"></iframe>\
    <a href=\"javascript:parent.postMessage('link', '*')\" autofocus onfocus=\"parent.postMessage('focus', '*')\">x</a>";

/// Shows the same in the page as if nobody had cleaned it, and waits until the frame is loaded.
fn uncleaned() -> String {
    let html = serde_json::to_string(HOSTILE).unwrap();
    format!(
        "return (async () => {{ const {{ mail }} = await import('/static/mail.js'); \
         document.body.append(...mail({{ html: {html} }}, null, []).flat().filter(Boolean)); \
         const folded = [...document.querySelectorAll('.folded')].at(-1); \
         folded.open = true; \
         await new Promise((opened) => folded.addEventListener('toggle', opened)); \
         const frame = folded.querySelector('iframe'); \
         await new Promise((loaded) => frame.addEventListener('load', loaded)); \
         return 'loaded' }})()"
    )
}

/// Whether the frame of a mail has this in it.
fn frame_holds(html: &str) -> String {
    let html = serde_json::to_string(html).unwrap();
    format!("return document.querySelector('[data-testid=mail-html]').srcdoc.includes({html})")
}

/// Opens everything that is folded in the mails of the thread.
async fn unfold(browser: &Browser) {
    browser.run("for (const part of document.querySelectorAll('.folded')) part.open = true").await;
    browser.wait("the mail's frame", "return document.querySelector('[data-testid=mail-html]')").await;
}

/// A mailbox of this server.
fn mailbox(server: &MailServer) -> String {
    format!(
        "[[channel]]\nid = \"mailbox\"\nprovider = \"email\"\n[channel.config]\naddress = \"help@shop.example\"\n\
         auth = {{ with = \"password\", password = \"s3cret\" }}\n\
         imap = {{ host = \"localhost\", port = {} }}\nsmtp = {{ host = \"localhost\", port = {} }}\n\
         ca_pem = '''\n{}'''\n",
        server.imaps_port(),
        server.smtps_port(),
        server.ca_pem()
    )
}

fn token(number: u64) -> String {
    format!("700000000{number}:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw")
}

/// A bot that is polled, one that gets webhooks, and one that does not exist.
fn configuration(api: &str) -> String {
    let channel = |number: u64, receive: &str| {
        format!(
            "[[channel]]\nid = \"bot-{number}\"\nprovider = \"telegram\"\n[channel.config]\ntoken = \"{}\"\n\
             base_url = \"{api}\"\nsecret_token = \"a-secret-of-our-own\"\nreceive = \"{receive}\"\n",
            token(number)
        )
    };
    [channel(1, "polling"), channel(2, "webhook"), channel(3, "webhook")].concat()
}

async fn a_customer_writes(browser: &Browser) {
    browser.enter_frame("customer").await;
    browser.type_into("[data-testid=new-name]", NAME).await;
    browser.click("[data-testid=new-customer]").await;
    let chosen = format!("return document.getElementById('who').selectedOptions[0]?.text === '{NAME}'");
    browser.wait("the new customer to be chosen", &chosen).await;
    browser.run("document.querySelector('[data-deed=start]').click()").await;
    see(browser, "[data-testid=line-own]", "/start spring_sale").await;
    write(browser, "[data-testid=customer-text]", QUESTION).await;
    browser.click("[data-testid=customer-send]").await;

    browser.enter_frame("desk").await;
    browser.click(&format!("[data-testid=conversation][data-title='{NAME}']")).await;
    see(browser, "[data-testid=message-in] .words", QUESTION).await;
    see(browser, "[data-testid=contact-name]", NAME).await;
    see(browser, "[data-testid=card]", "spring_sale").await;
}

async fn the_desk_answers_with_a_button(browser: &Browser) {
    browser.click("[data-testid=take]").await;
    see(browser, "[data-testid=talk-state]", "Anna answers").await;
    browser.click("[data-testid=add-key]").await;
    browser.type_into("[data-testid=key-input]", "Да, отложите=reserve\u{e007}").await;
    see(browser, "#keys .chip", "Да, отложите").await;
    answer(browser, ANSWER).await;

    browser.enter_frame("customer").await;
    see(browser, "[data-testid=line-theirs] .words", ANSWER).await;
}

async fn the_customer_presses_it_edits_and_reacts(browser: &Browser) {
    browser.click("[data-testid=inline-button]").await;
    browser.run("document.querySelector('[data-testid=line-theirs] .signs-menu').open = true").await;
    browser.click("[data-testid=line-theirs] [aria-label='❤']").await;
    see(browser, "[data-testid=line-theirs] [data-testid=signs]", "❤").await;
    browser
        .run("[...document.querySelectorAll('[data-testid=line-own] [aria-label=Edit]')].at(-1).click()")
        .await;
    write(browser, "[data-testid=customer-text]", &QUESTION.replace("38", "39")).await;
    browser.click("[data-testid=customer-send]").await;

    browser.enter_frame("desk").await;
    see(browser, ".bubble.press .words", "Да, отложите").await;
    see(browser, "[data-testid=message-out] [data-testid=signs]", "❤").await;
    see(browser, "[data-testid=message-in] .words", "Есть 39-й?").await;
    see(browser, "[data-testid=message-in] footer", "edited").await;
}

async fn a_file_goes_each_way(browser: &Browser, inbox: &Inbox) {
    let picture = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/inbox/demo/sneakers.jpg"));
    browser.enter_frame("customer").await;
    write(browser, "[data-testid=customer-text]", "Вот такие, из рекламы").await;
    browser.attach("[data-testid=customer-file]", &picture).await;

    browser.enter_frame("desk").await;
    let shown = "return document.querySelector('[data-testid=message-in] img.image')?.naturalWidth > 0";
    browser.wait("the picture to be shown", shown).await;
    let bill = inbox.folder.path().join("Счёт 1044.txt");
    std::fs::write(&bill, "39 размер, белые").unwrap();
    browser.attach("[data-testid=attach]", &bill).await;
    see(browser, "#files .chip", "Счёт 1044.txt").await;
    answer(browser, "Ждёт вас до завтра, 20:00 👌").await;
    see(browser, "[data-testid=message-out] .file-name", "Счёт 1044.txt").await;

    browser.enter_frame("customer").await;
    see(browser, "[data-testid=line-theirs] .file-name", "Счёт 1044.txt").await;
}

/// Law 5: what may have gone out is not repeated; a person says what became of it.
async fn a_lost_answer_is_settled_by_a_person(browser: &Browser) {
    browser.enter_frame("customer").await;
    browser.run("document.querySelector('[data-testid=lose]').click()").await;
    browser
        .wait("the provider to be ready to lose it", "return document.getElementById('phone').dataset.did")
        .await;
    browser.enter_frame("desk").await;
    write(browser, "[data-testid=reply-text]", "Ждём вас!").await;
    browser.click("[data-testid=send]").await;
    browser.wait("the mark of an unknown outcome", &last_is("unknown")).await;
    browser.click("[data-testid=settle-sent]").await;
    browser.wait("the tick of a settled message", &last_is("sent")).await;
}

async fn a_long_text_is_said_to_be_split(browser: &Browser) {
    write(browser, "[data-testid=reply-text]", &"очень долгий рассказ ".repeat(300)).await;
    see(browser, "[data-testid=notes]", "Will be split into 2 messages").await;
    write(browser, "[data-testid=reply-text]", "").await;
}

async fn a_block_greys_the_reply_box(browser: &Browser) {
    browser.enter_frame("customer").await;
    browser.run("document.querySelector('[data-testid=block]').click()").await;
    browser.enter_frame("desk").await;
    see(browser, "[data-testid=refusal]", "The person blocked this account").await;
    browser.wait("the box to be greyed out", "return document.getElementById('text').disabled").await;
}

async fn the_conversation_is_closed(browser: &Browser) {
    browser.click("[data-testid=close]").await;
    see(browser, "[data-testid=closed]", "Closed: by Anna").await;
    see(browser, "[data-testid=refusal]", "The conversation is closed").await;
    let gone = format!("return !document.querySelector('[data-testid=conversation][data-title=\"{NAME}\"]')");
    browser.wait("the list of open conversations without it", &gone).await;
}

/// Answers in the open conversation, and waits for the tick.
async fn answer(browser: &Browser, text: &str) {
    write(browser, "[data-testid=reply-text]", text).await;
    browser.click("[data-testid=send]").await;
    see(browser, "[data-testid=message-out] .words", text).await;
    browser.wait("the tick of a sent message", &last_is("sent")).await;
}

fn last_is(status: &str) -> String {
    format!(
        "return [...document.querySelectorAll('[data-testid=message-out]')].at(-1)?.dataset.status === '{status}'"
    )
}

/// Puts a text where a person would have typed it: the driver's keys know no emoji outside the basic plane.
async fn write(browser: &Browser, selector: &str, text: &str) {
    let text = serde_json::to_string(text).unwrap();
    let script = format!(
        "const box = document.querySelector('{selector}'); if (!box || box.disabled) return false; \
         box.value = {text}; box.dispatchEvent(new Event('input', {{ bubbles: true }})); return true"
    );
    browser.wait(selector, &script).await;
}

/// Waits until some element of these holds the words.
async fn see(browser: &Browser, selector: &str, words: &str) {
    let wanted = serde_json::to_string(words).unwrap();
    let script = format!(
        "return [...document.querySelectorAll('{selector}')].some((e) => e.textContent.includes({wanted}))"
    );
    browser.wait(&format!("{words:?} in {selector}"), &script).await;
}

/// The example, running.
struct Inbox {
    url: String,
    _program: tokio::process::Child,
    _output: Lines<BufReader<ChildStdout>>,
    folder: tempfile::TempDir,
}

impl Inbox {
    /// With this `omni.toml`; empty means none.
    async fn start(configuration: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if !configuration.is_empty() {
            std::fs::write(folder.path().join("omni.toml"), configuration).unwrap();
        }
        let mut program = tokio::process::Command::new(support::built::example("inbox"))
            .arg("127.0.0.1:0")
            .env("OMNI_DB", folder.path().join("inbox.db"))
            .env_remove("OMNI_CONFIG")
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
        let url = loop {
            let line = lines.next_line().await.unwrap().expect("the example ended before it listened");
            if let Some(url) = line.strip_prefix("listening on ") {
                break url.to_owned();
            }
        };
        Self { url, _program: program, _output: lines, folder }
    }

    async fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.url).parse().unwrap();
        let answer = Http::new().unwrap().get("page", url).send().await.unwrap();
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// Waits until a customer of a simulated provider has these words in their chat.
    async fn customer_sees(&self, provider: &str, name: &str, words: &str) {
        let simulators = self.get("/api/simulators").await;
        let simulator = simulators.as_array().unwrap().iter().find(|s| s["provider"] == provider).unwrap();
        let customer = simulator["customers"].as_array().unwrap().iter().find(|c| c["name"] == name).unwrap();
        let chat = format!("/api/simulators/{provider}/customers/{}", customer["id"].as_str().unwrap());
        for _ in 0..400 {
            let lines = self.get(&chat).await;
            if lines.as_array().unwrap().iter().any(|line| line["text"] == words) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{name} at {provider} never saw {words:?}: {}", self.get(&chat).await);
    }
}
