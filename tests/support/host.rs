//! A host: a hub with one bot that echoes, behind an axum server on loopback.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use omni::core::conversation::Actor;
use omni::core::policy::{Context, Effect, Input, Overtaken, Policy, Step};
use omni::core::webhook::WebhookUrl;
use omni::hub::{HostEvent, HubBuilder};
use omni::telegram::{Config, Telegram};
use omni::{ChannelKey, ChannelSetup, Content, Conversation, EventBody, Hub};
use omni_testkit::telegram::TelegramSim;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) const TOKEN: &str = "7000000001:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
pub(crate) const SECRET: &str = "Zx9_random-256bit-webhook-secret";
/// Longer than anything here takes, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running host. Its webhook is [`Host::path`] at [`Host::address`].
pub(crate) struct Host {
    pub(crate) hub: Hub,
    pub(crate) address: SocketAddr,
    server: JoinHandle<()>,
    running: JoinHandle<()>,
}

impl Host {
    pub(crate) async fn start(builder: HubBuilder, sim: &TelegramSim) -> Self {
        let config = Config::new(TOKEN).webhook(SECRET).at(sim.base_url().parse().unwrap());
        let telegram = Telegram::new(config, omni::http::Http::new().unwrap()).unwrap();
        let hub = builder.build();
        hub.add_channel(ChannelSetup::new(key(), Arc::new(telegram)).policy(Echo));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().nest("/webhooks", omni::hub::axum::router(hub.clone()));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let running = tokio::spawn({
            let hub = hub.clone();
            async move { hub.run().await.unwrap() }
        });
        Self { hub, address, server, running }
    }

    /// Where the bot's webhooks go.
    pub(crate) fn path(&self) -> String {
        let key = key();
        format!("/webhooks/{}/{}", key.tenant, key.channel)
    }

    /// Registers the webhook at the provider.
    pub(crate) async fn register(&self) {
        let url = format!("http://{}{}", self.address, self.path()).parse().unwrap();
        let channel = self.hub.channel(&key()).unwrap();
        channel.connect(&WebhookUrl::new(url).unwrap()).await.unwrap();
    }

    /// Reads the event log from its beginning until `look` finds something.
    pub(crate) async fn find<T>(&self, what: &str, mut look: impl FnMut(&HostEvent) -> Option<T>) -> T {
        let mut log = self.hub.events("a reader that never confirms");
        let search = async {
            loop {
                let entries = log.next().await.unwrap();
                assert!(!entries.is_empty(), "the hub ended before {what}");
                if let Some(found) = entries.iter().find_map(|entry| look(&entry.event)) {
                    return found;
                }
            }
        };
        match tokio::time::timeout(PATIENCE, search).await {
            Ok(found) => found,
            Err(_) => panic!("waited {PATIENCE:?} in vain for {what}"),
        }
    }

    /// Ends it, and gives back what it holds of the store.
    pub(crate) async fn stop(self) {
        self.hub.shutdown();
        self.running.await.unwrap();
        self.server.abort();
        assert!(self.server.await.unwrap_err().is_cancelled(), "the server ended by itself");
    }
}

/// The name of the bot's channel.
pub(crate) fn key() -> ChannelKey {
    ChannelKey::new("demo", "bot")
}

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
