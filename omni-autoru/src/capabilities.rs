//! What an account can do, as data.
//!
//! Auto.ru publishes no limits: not of texts, nor of pictures, nor of calls. The figures here are ours, chosen to be
//! safe, and settings where they could be wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use omni_core::Capabilities;
use omni_core::capability::{
    Action, FirstContact, Idempotency, Markup, MediaLimit, Rate, RateChats, Sources, Support, TextLimit,
};
use omni_core::content::ContentKind;
use omni_core::error::RateScope;
use omni_core::event::EventKind;
use omni_core::status::Status;
use omni_core::text::Unit;

use crate::config::{Config, Receive};

/// Ours: Auto.ru fetches pictures by itself and names no limit.
const PICTURE: u64 = 10 << 20;

/// Where capabilities differ.
#[derive(Clone, Debug)]
pub(crate) struct ByPlace {
    /// To a buyer known by a webhook.
    pub(crate) buyer: Capabilities,
    /// In a room of the REST API.
    pub(crate) room: Capabilities,
}

impl ByPlace {
    pub(crate) fn new(config: &Config) -> Self {
        let buyer = capabilities(config);
        let mut room = buyer.clone();
        room.content.insert(ContentKind::Image, Support::Fallback);
        room.content.insert(ContentKind::Album, Support::Fallback);
        room.media.clear();
        room.idempotency = Idempotency::Key { memory: None };
        Self { buyer, room }
    }
}

/// What an account can do with a buyer known by a webhook, the usual case.
pub fn capabilities(config: &Config) -> Capabilities {
    let mut caps = Capabilities::default();
    caps.content = content();
    caps.text = TextLimit::new(config.text_limit, Unit::Characters);
    caps.media = media();
    caps.fetch_bytes = config.fetch_bytes;
    caps.markup = Markup::None;
    caps.mark_read = Action::Yes;
    caps.first_contact = FirstContact::CustomerOnly;
    caps.idempotency = Idempotency::OwnId;
    caps.answer_proves = Some(Status::Accepted);
    caps.rates = rates(config);
    caps.events = events(config.receive);
    caps
}

fn content() -> BTreeMap<ContentKind, Support> {
    use ContentKind::*;
    let mut content = BTreeMap::from([(Text, Support::Full), (Image, Support::Full)]);
    let in_words = [
        Video,
        Animation,
        VideoNote,
        Audio,
        Voice,
        File,
        Location,
        Contact,
        Item,
        Email,
        Forwarded,
        Buttons,
        QuickReplies,
    ];
    content.extend(in_words.map(|kind| (kind, Support::Fallback)));
    content
}

/// Pictures go by their address: there is no upload.
fn media() -> BTreeMap<ContentKind, MediaLimit> {
    let mime = ["image/jpeg", "image/png"].map(str::to_owned).to_vec();
    let limit =
        MediaLimit { url_bytes: Some(PICTURE), mime, sources: Sources::Address, ..MediaLimit::default() };
    BTreeMap::from([(ContentKind::Image, limit)])
}

/// Law 10: as data, for the hub to keep.
fn rates(config: &Config) -> Vec<Rate> {
    let every = Duration::from_millis(config.pause_millis);
    let rate = Rate { scope: RateScope::Chat, chats: RateChats::All, burst: 1, every };
    if every.is_zero() { Vec::new() } else { vec![rate] }
}

fn events(receive: Receive) -> Vec<EventKind> {
    use EventKind::*;
    match receive {
        Receive::Webhook => vec![Message, Unsupported],
        #[cfg(feature = "rest")]
        Receive::Polling => vec![Message, Echo, Read, Unsupported],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_a_setting_and_none_is_none() {
        let mut config = Config::new("Vj72x3B9NT");
        assert_eq!(capabilities(&config).rates.first().unwrap().every, Duration::from_secs(1));
        config.pause_millis = 0;
        assert!(capabilities(&config).rates.is_empty());
    }

    #[test]
    fn a_room_takes_no_pictures_and_knows_our_key() {
        let places = ByPlace::new(&Config::new("Vj72x3B9NT"));
        assert_eq!(places.buyer.supports(ContentKind::Image), Support::Full);
        assert_eq!(places.room.supports(ContentKind::Image), Support::Fallback);
        assert_eq!(places.buyer.idempotency, Idempotency::OwnId);
        assert_eq!(places.room.idempotency, Idempotency::Key { memory: None });
    }

    #[test]
    fn the_length_of_a_text_is_a_setting() {
        let mut config = Config::new("Vj72x3B9NT");
        assert_eq!(capabilities(&config).text.max, Some(1000));
        config.text_limit = 4000;
        assert_eq!(capabilities(&config).text.max, Some(4000));
    }
}
