//! A small WebDriver client: enough of <https://www.w3.org/TR/webdriver2/> to drive a headless Chromium.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

const INSTALL: &str = "install it: apt-get install -y chromium chromium-driver";
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(40);
/// The key under which an element stands in WebDriver's JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A program that ends with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A Chromium, driven. One frame of one window at a time.
pub(crate) struct Browser {
    http: Client<HttpConnector, Full<Bytes>>,
    session: String,
    _driver: Program,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts a driver and a browser with a profile of its own.
    pub(crate) async fn start(width: u32, height: u32) -> Self {
        let port = free_port();
        let driver = Command::new(installed("CHROMEDRIVER", "/usr/bin/chromedriver"))
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("chromedriver does not start ({e}); {INSTALL}"));
        let driver = Program(driver);
        let profile = tempfile::tempdir().unwrap();
        let http = Client::builder(TokioExecutor::new()).build_http();
        let mut browser =
            Self { http, session: format!("http://127.0.0.1:{port}"), _driver: driver, _profile: profile };
        browser.wait_for_driver().await;
        let options = browser.options(width, height);
        let made =
            browser.call("POST", "/session", json!({ "capabilities": { "alwaysMatch": options } })).await;
        let id =
            made["sessionId"].as_str().unwrap_or_else(|| panic!("no browser session: {made}")).to_owned();
        browser.session = format!("{}/session/{id}", browser.session);
        browser.fit(width, height).await;
        browser
    }

    fn options(&self, width: u32, height: u32) -> Value {
        let profile = self._profile.path().display();
        json!({ "browserName": "chrome", "goog:chromeOptions": {
            "binary": installed("CHROMIUM", "/usr/bin/chromium"),
            "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--hide-scrollbars", "--accept-lang=en-GB", "--force-color-profile=srgb",
                format!("--user-data-dir={profile}"), format!("--window-size={width},{height}"),
            ],
        }})
    }

    async fn wait_for_driver(&self) {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Ok(status) = self.try_call("GET", "/status", Value::Null).await
                && status["ready"] == true
            {
                return;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        panic!("chromedriver did not get ready within {PATIENCE:?}; {INSTALL}");
    }

    /// Makes the page, not the window around it, this large.
    async fn fit(&self, width: u32, height: u32) {
        let frame = self.run("return [outerWidth - innerWidth, outerHeight - innerHeight]").await;
        let more = |at: usize| u32::try_from(frame[at].as_u64().unwrap_or_default()).unwrap_or_default();
        let rect = json!({ "width": width + more(0), "height": height + more(1) });
        self.call("POST", "/window/rect", rect).await;
    }

    /// Opens an address in the whole window.
    pub(crate) async fn open(&self, url: &str) {
        self.call("POST", "/url", json!({ "url": url })).await;
    }

    /// Goes on in the frame of this id, from the top.
    pub(crate) async fn enter_frame(&self, id: &str) {
        self.call("POST", "/frame", json!({ "id": null })).await;
        let frame =
            self.wait(&format!("the frame {id}"), &format!("return document.getElementById('{id}')")).await;
        self.call("POST", "/frame", json!({ "id": frame })).await;
    }

    /// Goes on in the page around the frames.
    pub(crate) async fn leave_frame(&self) {
        self.call("POST", "/frame", json!({ "id": null })).await;
    }

    /// Runs a script in the page and returns what it returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.call("POST", "/execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// Looks until the script returns something true; the page is told of what is missing.
    pub(crate) async fn wait(&self, what: &str, script: &str) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            // A page that is just being loaded cannot answer: that is looked at again, too.
            let body = json!({ "script": script, "args": [] });
            let found = self.try_call("POST", "/execute/sync", body).await.unwrap_or(Value::Null);
            if !matches!(found, Value::Null | Value::Bool(false)) {
                return found;
            }
            if Instant::now() > until {
                let page = self.run("return document.body.innerText").await;
                panic!("waited {PATIENCE:?} in vain for {what}; last answer {found}\nthe page says:\n{page}");
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Waits until an element is there, can be seen and is not greyed out; presses it.
    pub(crate) async fn click(&self, selector: &str) {
        self.on_usable(selector, "click", json!({})).await;
    }

    /// Types into an element as a person does.
    pub(crate) async fn type_into(&self, selector: &str, text: &str) {
        self.on_usable(selector, "value", json!({ "text": text })).await;
    }

    /// Does something to an element. A live page may draw it anew in between: then it is looked for again.
    async fn on_usable(&self, selector: &str, deed: &str, body: Value) {
        let until = Instant::now() + PATIENCE;
        loop {
            let element = self.usable(selector).await;
            match self.try_call("POST", &format!("/element/{element}/{deed}"), body.clone()).await {
                Ok(_) => return,
                Err(why) if why.contains("stale element") && Instant::now() < until => {}
                Err(why) => panic!("WebDriver {deed} on {selector}: {why}"),
            }
        }
    }

    /// Gives a file input its file.
    pub(crate) async fn attach(&self, selector: &str, file: &Path) {
        let found = self.wait(selector, &format!("return document.querySelector('{selector}')")).await;
        let element = found[ELEMENT].as_str().unwrap().to_owned();
        self.call("POST", &format!("/element/{element}/value"), json!({ "text": file })).await;
    }

    async fn usable(&self, selector: &str) -> String {
        let script = format!(
            "const e = [...document.querySelectorAll(`{selector}`)].at(-1); \
             return e && e.offsetParent !== null && !e.disabled && e"
        );
        let found = self.wait(&format!("{selector} to be usable"), &script).await;
        found[ELEMENT].as_str().unwrap_or_else(|| panic!("{selector} is no element: {found}")).to_owned()
    }

    /// A picture of the window, as PNG.
    pub(crate) async fn screenshot(&self) -> Vec<u8> {
        use base64::Engine as _;
        let picture = self.call("GET", "/screenshot", Value::Null).await;
        base64::engine::general_purpose::STANDARD.decode(picture.as_str().unwrap()).unwrap()
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Value {
        match self.try_call(method, path, body).await {
            Ok(value) => value,
            Err(why) => panic!("WebDriver {method} {path}: {why}"),
        }
    }

    async fn try_call(&self, method: &str, path: &str, body: Value) -> Result<Value, String> {
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.session))
            .header("content-type", "application/json; charset=utf-8")
            .body(Full::new(body))
            .map_err(|e| e.to_string())?;
        let answer = self.http.request(request).await.map_err(|e| e.to_string())?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await.map_err(|e| e.to_string())?.to_bytes();
        let mut answer: Value = serde_json::from_slice(&bytes).map_err(|e| e.to_string())?;
        if status.is_success() {
            Ok(answer["value"].take())
        } else {
            Err(answer["value"]["message"].to_string())
        }
    }
}

/// Where a program is: where the environment says, else where Debian puts it.
fn installed(variable: &str, usual: &str) -> String {
    let path = std::env::var(variable).unwrap_or_else(|_| usual.to_owned());
    assert!(Path::new(&path).exists(), "{path} is missing; {INSTALL}");
    path
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
