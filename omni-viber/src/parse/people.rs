//! Who speaks.

use omni_core::contact::{Identity, Profile, Sender, SenderKind};
use url::Url;

use crate::wire::{Person, Str};

pub(super) fn sender(person: Person<'_>) -> Sender {
    let profile = profile(person.name, person.avatar, person.language);
    Sender { profile, ..known_by_id(&person.id) }
}

/// Of whom nothing is told but the id.
pub(super) fn known_by_id(id: &str) -> Sender {
    Sender {
        identity: Identity::new(crate::PROVIDER, id),
        profile: Profile::default(),
        kind: SenderKind::Person,
    }
}

/// What a person shares. Who shares nothing has empty fields: they must not overwrite what is known.
/// <https://github.com/Viber/creators-hub/blob/main/docs/bots-api/data-models/subscriber.md> (read 2026-11)
pub(crate) fn profile(name: Option<Str<'_>>, avatar: Option<Str<'_>>, language: Option<Str<'_>>) -> Profile {
    let filled = |text: Option<Str<'_>>| text.map(Str::into_string).filter(|text| !text.trim().is_empty());
    Profile {
        name: filled(name),
        avatar: avatar.and_then(|avatar| web(&avatar)),
        language: filled(language),
        ..Profile::default()
    }
}

/// An address that a browser can open.
pub(super) fn web(address: &str) -> Option<Url> {
    Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}
