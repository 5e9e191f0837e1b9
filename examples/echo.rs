//! The smallest host: a Telegram bot on a webhook that answers every text with the same text.
//!
//! ```text
//! TELEGRAM_TOKEN=7000000001:AA... TELEGRAM_SECRET=some-long-secret OMNI_STORE=sqlite:echo.db \
//!     cargo run --release --example echo --features full
//! ```
//!
//! | Variable | Meaning | Default |
//! |---|---|---|
//! | `TELEGRAM_TOKEN` | the bot's token | required |
//! | `TELEGRAM_SECRET` | what Telegram sends along with every webhook | required |
//! | `TELEGRAM_API` | address of the Bot API server | `https://api.telegram.org` |
//! | `OMNI_STORE` | `memory` or `sqlite:PATH` | `memory` |
//! | `LISTEN` | where to listen; port 0 takes a free one | `127.0.0.1:8080` |
//! | `PUBLIC_URL` | when set, the webhook is registered at Telegram for this address | |
//!
//! The webhook's path is `/webhooks/telegram`. The answer is decided in the transaction that stores the
//! message: after a crash each message is there once, and each answer is handed over at least once.

use std::env;
use std::error::Error;

use axum::Router;
use omni::core::conversation::Actor;
use omni::core::policy::{Context, Effect, Input, Overtaken, Policy, Step};
use omni::hub::Interrupted;
use omni::telegram::{Config, Telegram};
use omni::{ChannelKey, ChannelSetup, Content, Conversation, EventBody, Hub, MemoryStore, SqliteStore};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

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
            let by = Actor::Bot { bot: "echo".into() };
            step.effects.push(Effect::Reply {
                content: Content::text(text),
                by,
                guard: Overtaken::Never.into(),
            });
        }
        step
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).init();

    let mut config = Config::new(required("TELEGRAM_TOKEN")?).webhook(required("TELEGRAM_SECRET")?);
    if let Ok(api) = env::var("TELEGRAM_API") {
        config = config.at(api.parse().map_err(|e| format!("TELEGRAM_API: {e}"))?);
    }
    let telegram = Telegram::new(config, omni::http::Http::new()?)?;

    // A bot's answer may rather come twice than never when the process dies in the middle of sending it.
    let hub = Hub::builder().node("echo").interrupted(Interrupted::Resend);
    let store = env::var("OMNI_STORE").unwrap_or_else(|_| "memory".to_owned());
    let hub = match store.split_once(':') {
        None if store == "memory" => hub.store(MemoryStore::new()).build(),
        Some(("sqlite", path)) => hub.store(SqliteStore::open(path)?).build(),
        _ => return Err(format!("OMNI_STORE is memory or sqlite:PATH, not {store}").into()),
    };
    let key = ChannelKey::new("demo", "telegram");
    hub.add_channel(ChannelSetup::new(key.clone(), std::sync::Arc::new(telegram)).policy(Echo));

    if let Ok(url) = env::var("PUBLIC_URL") {
        let url = format!("{}/webhooks/telegram", url.trim_end_matches('/')).parse()?;
        let at = omni::core::webhook::WebhookUrl::new(url)?;
        hub.channel(&key).ok_or("no channel")?.connect(&at).await?;
    }

    let router = Router::new().nest("/webhooks/telegram", omni::hub::axum::channel_router(hub.clone(), key));
    let listener =
        TcpListener::bind(env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".to_owned())).await?;
    println!("listening on http://{}", listener.local_addr()?);

    let running = tokio::spawn({
        let hub = hub.clone();
        async move { hub.run().await }
    });
    axum::serve(listener, router).with_graceful_shutdown(stopped(hub.clone())).await?;
    hub.shutdown();
    Ok(running.await??)
}

fn required(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("set {name}"))
}

/// Returns when the process is asked to end, or when the hub ended by itself.
async fn stopped(hub: Hub) {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
        () = hub.stopped() => {}
    }
}
