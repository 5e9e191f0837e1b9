//! Bodies of VK's webhooks.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use omni_http::Http;
use omni_vk::{Config, Vk};

static CHANNEL: LazyLock<Vk> = LazyLock::new(|| {
    let http = Http::new().expect("TLS is set up");
    Vk::new(Config::new("vk1.a.token_of_the_community_0123456789", 1), http).expect("good settings")
});

fuzz_target!(|body: &[u8]| omni_fuzz::webhook(&*CHANNEL, body));
