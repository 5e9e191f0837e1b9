//! What a site's widget offers: the channels of a tenant, each with a link that says where the person came from.

use omni_core::id::TenantId;
use omni_core::link::CampaignToken;
use omni_core::provider::Provider;
use tracing::warn;
use url::Url;

use crate::hub::Hub;
use crate::store::ChannelKey;

/// A channel as a site's widget offers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WidgetLink {
    /// Which.
    pub channel: ChannelKey,
    /// Its kind, for the icon.
    pub provider: Provider,
    /// Its name, as set in the book; the channel's own where none is.
    pub name: String,
    /// Where a click leads. The token comes back with the person's first message, as the source of the conversation.
    pub url: Url,
}

impl Hub {
    /// The channels that the tenant's book offers in a site's widget (`site_widget`), with links that carry a token of the
    /// page or the advert. Channels that make no links, or cannot now, are left out.
    pub async fn widget(&self, tenant: &TenantId, token: &CampaignToken) -> Vec<WidgetLink> {
        let Some(book) = self.book(tenant) else { return Vec::new() };
        let mut keys: Vec<ChannelKey> = self.inner.channels();
        keys.retain(|key| key.tenant == *tenant && book.channel(&key.channel).site_widget);
        keys.sort();
        let mut links = Vec::with_capacity(keys.len());
        for key in keys {
            let Some(channel) = self.channel(&key) else { continue };
            let Some(maker) = channel.as_links() else { continue };
            match maker.link(token).await {
                Ok(url) => {
                    let name = book.channel(&key.channel).name.clone();
                    let name = name.unwrap_or_else(|| key.channel.to_string());
                    links.push(WidgetLink { provider: channel.provider(), channel: key, name, url });
                }
                Err(error) => warn!(channel = %key, %error, "no link for the widget"),
            }
        }
        links
    }
}
