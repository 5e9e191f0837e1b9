//! Bodies of the webhooks of a program of one's own.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use omni_http::Http;
use omni_http::reqwest::Url;
use omni_webhook::{Config, Webhook};

static CHANNEL: LazyLock<Webhook> = LazyLock::new(|| {
    let http = Http::new().expect("TLS is set up");
    let endpoint = Url::parse("https://program.example/omni").expect("an address");
    Webhook::new(Config::new(endpoint, "0123456789abcdef0123456789abcdef0123"), http).expect("good settings")
});

fuzz_target!(|body: &[u8]| omni_fuzz::webhook(&*CHANNEL, body));
