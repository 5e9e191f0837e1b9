//! Bodies of Avito's webhooks.

#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use omni_avito::{Avito, Config};
use omni_core::tokens::MemoryTokens;
use omni_http::Http;

static CHANNEL: LazyLock<Avito> = LazyLock::new(|| {
    let http = Http::new().expect("TLS is set up");
    Avito::new(
        Config::new("client_id_0123456789", "client_secret_0123456789"),
        http,
        Arc::new(MemoryTokens::default()),
    )
    .expect("good settings")
});

fuzz_target!(|body: &[u8]| omni_fuzz::webhook(&*CHANNEL, body));
