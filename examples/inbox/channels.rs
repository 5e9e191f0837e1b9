//! Connecting accounts: from their settings, by the registry, whatever the provider.

use std::collections::BTreeSet;
use std::error::Error;

use omni::core::channel::Channel;
use omni::core::policy::{Engine, Presence};
use omni::core::webhook::WebhookUrl;
use omni::{Book, ChannelKey, ChannelSetup, Provider};
use url::Url;

use crate::config::ChannelSettings;
use crate::desk::Desk;

/// A channel as the desk shows it.
#[derive(Clone)]
pub(crate) struct Connected {
    /// The hub's name of it.
    pub(crate) key: ChannelKey,
    /// The kind of channel.
    pub(crate) provider: Provider,
    /// What agents read.
    pub(crate) title: String,
    /// The account's public name, when the provider told it.
    pub(crate) handle: Option<String>,
    /// What a person still has to do, or should know.
    pub(crate) remarks: Vec<String>,
}

/// Sets the book of each tenant with a channel, and says that all agents are there: this desk has no login, so nobody
/// comes or goes. A real one tells it by `Hub::set_presence` when somebody signs in, has a break, or leaves.
pub(crate) async fn set_book(
    desk: &Desk,
    book: &Book,
    channels: &[ChannelSettings],
) -> Result<(), Box<dyn Error>> {
    let tenants: BTreeSet<&str> = channels.iter().map(|channel| channel.tenant.as_str()).collect();
    for tenant in tenants {
        desk.hub().set_book(tenant, book.clone())?;
        for agent in desk.agents() {
            desk.hub().set_presence(tenant, agent.id.as_str(), Presence::Online).await?;
        }
    }
    Ok(())
}

/// Connects one account. Settings that cannot be used end the program; a provider that does not answer, or
/// does not like the credential, is shown in the desk, and the others work.
///
/// Yields the webhook's address where a person has to type it in at the provider.
pub(crate) async fn connect(desk: &Desk, settings: &ChannelSettings) -> Result<Option<Url>, Box<dyn Error>> {
    let key = settings.key();
    let channel = desk
        .registry()
        .connect(&settings.provider, &settings.config.to_string())
        .map_err(|e| format!("channel {key}: {e}"))?;
    let mut shown = Connected {
        key: key.clone(),
        provider: settings.provider.clone(),
        title: settings.title(),
        handle: None,
        remarks: Vec::new(),
    };
    let mut setup = ChannelSetup::new(key.clone(), channel.clone());
    if let Some(policy) = &settings.policy {
        setup = setup.policy(Engine::of(policy.clone()).map_err(|e| format!("channel {key}: {e}"))?);
    }
    match channel.check().await {
        Ok(account) => {
            tracing::info!(channel = %key, account = %account.name, "the credential is good");
            setup = setup.account(account.id);
            shown.handle = account.handle;
            shown.remarks.extend(account.warnings);
        }
        Err(error) => {
            tracing::warn!(channel = %key, %error, "the account cannot be used now");
            shown.remarks.push(error.to_string());
        }
    }
    // First into the hub: some providers call the webhook while it is being registered.
    desk.hub().add_channel(setup);
    let mut to_type_in = None;
    if channel.receives().takes_webhooks() {
        let (typed, remarks) = register(desk, &key, channel.as_ref()).await?;
        // What was missing before may be there now.
        if let Ok(account) = channel.check().await {
            shown.remarks = account.warnings;
        }
        to_type_in = typed;
        shown.remarks.extend(remarks);
    }
    desk.add_channel(shown);
    Ok(to_type_in)
}

/// Registers our webhook; gives the address to type in, where there is no call for it, and what a person still has to do.
async fn register(
    desk: &Desk,
    key: &ChannelKey,
    channel: &dyn Channel,
) -> Result<(Option<Url>, Vec<String>), Box<dyn Error>> {
    let at = WebhookUrl::new(webhook_url(desk.public_url(), key))?;
    Ok(match channel.connect(&at).await {
        Ok(connected) => {
            let said = |url: &Url| format!("Webhook address to enter at the provider: {url}");
            let remarks = connected.url.as_ref().map(said).into_iter().chain(connected.steps).collect();
            (connected.url, remarks)
        }
        Err(error) => {
            tracing::warn!(channel = %key, %error, "the webhook is not registered");
            (None, vec![error.to_string()])
        }
    })
}

/// Where `omni::hub::axum::router`, nested under `/webhook`, takes the webhooks of a channel.
fn webhook_url(public: &Url, key: &ChannelKey) -> Url {
    let mut url = public.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(["webhook", key.tenant.as_str(), key.channel.as_str()]);
    }
    url
}
