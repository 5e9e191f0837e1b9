//! A desk for all channels in one page: conversations, answers, ticks, live. One embedded database file, no
//! other server.
//!
//! ```text
//! cargo run --example inbox --features full
//! ```
//!
//! Without configuration the providers are simulated: open `/demo` and play both sides. With an `omni.toml`
//! (see `omni.example.toml`) the same desk serves real accounts.
//!
//! | Setting | In `omni.toml` | Otherwise |
//! |---|---|---|
//! | configuration file | | `OMNI_CONFIG`, `omni.toml` when it is there |
//! | where to listen | `listen` | first argument, `LISTEN`, `127.0.0.1:8080` |
//! | database file | `database` | `OMNI_DB`, `omni-inbox.db` |
//! | policy of all channels | `book`, see `docs/policy.md` | everyone sees everything, only people close |
//! | log | | `RUST_LOG`, such as `info,omni_hub=debug` |
//!
//! **This desk has no login.** It listens on 127.0.0.1 and answers to local host names only. A real one stands
//! behind the host's own login and takes the agent from the session, not from the page: see `api::Signed`.

mod api;
mod channels;
mod config;
mod desk;
mod live;
mod pages;
mod simulated;

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use omni::http::Http;
use omni::hub::Published;
use omni::{Hub, SqliteStore};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::config::Settings;
use crate::desk::Desk;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("inbox: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let settings = Settings::load()?;
    let listener = TcpListener::bind(settings.listen)
        .await
        .map_err(|e| format!("cannot listen on {}: {e}; set LISTEN to another address", settings.listen))?;
    let at = listener.local_addr()?;
    let store = SqliteStore::open(&settings.database)?;
    // Providers that take no uploads fetch files here. A key that ends with the process will do: addresses are made
    // at the moment of sending.
    let key = uuid::Uuid::new_v4().simple().to_string();
    let files = Published::new(settings.reached_at(at).join("files")?, key)?;
    let registry = omni::registry_on(&Http::new()?, Arc::new(store.clone()));
    let hub = Hub::builder().store(store).node("inbox").publish(files).build();
    let desk = Desk::new(hub.clone(), registry, &settings, at);

    let running = hub.clone();
    let mut runner = tokio::spawn(async move { running.run().await });
    let served = desk.clone();
    // Serving begins before the channels are connected: some providers call the webhook while it is registered.
    let server = tokio::spawn(async move {
        let until = served.stopped();
        axum::serve(listener, api::router(served)).with_graceful_shutdown(until).await
    });
    live::start(&desk);
    simulated::start(&desk, &settings).await?;
    if let Some(book) = &settings.book {
        channels::set_book(&desk, book, &settings.channels).await?;
    }
    for channel in &settings.channels {
        channels::connect(&desk, channel).await?;
    }
    announce(&desk, at);

    let ended = tokio::select! {
        () = asked_to_stop() => Ok(()),
        ended = &mut runner => ended?,
    };
    tracing::info!("stopping: what is being handed over is finished first");
    desk.stop();
    hub.shutdown();
    server.await??;
    if !runner.is_finished() {
        runner.await??;
    }
    Ok(ended?)
}

/// Tells the person at the terminal where to look. The first line is also read by the test.
fn announce(desk: &Desk, at: SocketAddr) {
    let mut lines = format!("listening on http://{at}\n");
    if !desk.simulators().is_empty() {
        lines += &format!("the providers are simulated: play both sides on http://{at}/demo\n");
    }
    if !at.ip().is_loopback() {
        lines +=
            &format!("WARNING: whoever reaches {at} can read and answer everything: there is no login\n");
    }
    // Nobody has to read it.
    let _ = std::io::stdout().write_all(lines.as_bytes());
}

/// Ends when the terminal or the service manager asks for it.
async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
