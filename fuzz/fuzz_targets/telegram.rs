//! Bodies of Telegram's webhooks.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use omni_http::Http;
use omni_telegram::{Config, Telegram};

static CHANNEL: LazyLock<Telegram> = LazyLock::new(|| {
    let http = Http::new().expect("TLS is set up");
    Telegram::new(Config::new("7000000001:AAHdqTcvCH1vGWJxfSeofSAs").webhook("secret"), http)
        .expect("good settings")
});

fuzz_target!(|body: &[u8]| omni_fuzz::webhook(&*CHANNEL, body));
