//! One text update: into a small serde struct, and through verify, parse and normalise.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use omni_benches::text_update;
use omni_core::webhook::WebhookRequest;
use omni_core::{Channel, Inbound, Timestamp};
use omni_http::Http;
use omni_telegram::{Config, Telegram};
use serde::Deserialize;

#[derive(Deserialize)]
#[allow(dead_code)] // read by the benchmark as a whole
struct Small {
    update_id: u64,
    message: SmallMessage,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct SmallMessage {
    message_id: i64,
    date: i64,
    from: SmallUser,
    chat: SmallChat,
    text: String,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct SmallUser {
    id: i64,
    first_name: String,
    username: Option<String>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct SmallChat {
    id: i64,
    r#type: String,
}

fn benches(criterion: &mut Criterion) {
    let body = text_update(
        880_001,
        100_200_300,
        "Здравствуйте 👋 ещё продаётся? Могу приехать сегодня после шести.",
    );
    let config = Config::new("7000000001:AAbenchbenchbenchbenchbenchbenchbenc").webhook("bench-secret");
    let http = Http::new().expect("a TLS provider");
    let telegram = Telegram::new(config, http).expect("a valid configuration");
    let mut request =
        WebhookRequest::post("/", Bytes::from(body.clone()), Timestamp::from_secs(1_767_225_601));
    request.headers.insert("x-telegram-bot-api-secret-token", "bench-secret".parse().expect("a header"));
    let inbound: &dyn Inbound = telegram.inbound().expect("Telegram receives");

    let mut group = criterion.benchmark_group("telegram text update");
    group.bench_function("small serde struct", |b| {
        b.iter(|| serde_json::from_slice::<Small>(black_box(&body)).expect("valid JSON"));
    });
    group.bench_function("verify", |b| {
        b.iter(|| inbound.verify(black_box(&request)).expect("genuine"));
    });
    group.bench_function("verify, parse and normalise", |b| {
        b.iter(|| inbound.receive(black_box(&request)).expect("genuine"));
    });
    group.finish();
}

criterion_group!(telegram, benches);
criterion_main!(telegram);
