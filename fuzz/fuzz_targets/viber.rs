//! Bodies of Viber's webhooks.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use omni_http::Http;
use omni_viber::{Config, Viber};

static CHANNEL: LazyLock<Viber> = LazyLock::new(|| {
    let http = Http::new().expect("TLS is set up");
    Viber::new(Config::new("445da6az1s345z78-dazcczb2542zv51a-e0vc5fva17480im9"), http)
        .expect("good settings")
});

fuzz_target!(|body: &[u8]| omni_fuzz::webhook(&*CHANNEL, body));
