//! Who speaks.

use omni_core::contact::{Identity, Profile, Sender, SenderKind};
use url::Url;

use super::Context;
use crate::PROVIDER;
use crate::wire::{Person, PersonKind, Str};

pub(super) fn sender(person: Person<'_>, cx: &Context<'_>) -> Sender {
    let said = |text: Option<Str<'_>>| text.map(Str::into_string).filter(|text| !text.is_empty());
    let identity = Identity {
        scope: cx.scope.to_owned(),
        aliases: person.aliases.iter().flatten().map(|alias| alias.as_str().to_owned()).collect(),
        ..Identity::new(PROVIDER, person.id.as_str())
    };
    let profile = Profile {
        name: said(person.name),
        username: said(person.username),
        phone: said(person.phone),
        email: said(person.email),
        avatar: person.avatar.and_then(|url| Url::parse(&url).ok()).filter(is_web),
        language: said(person.language),
    };
    let kind = match person.kind {
        Some(PersonKind::Robot) => SenderKind::Robot,
        Some(PersonKind::Person) | None => SenderKind::Person,
    };
    Sender { identity, profile, kind }
}

/// The program itself, speaking for the business.
pub(super) fn business(name: Option<&str>, cx: &Context<'_>) -> Sender {
    let identity = Identity { scope: cx.scope.to_owned(), ..Identity::new(PROVIDER, cx.scope) };
    let profile = Profile { name: name.map(str::to_owned), ..Profile::default() };
    Sender { identity, profile, kind: SenderKind::Person }
}

/// Pages show pictures at once: other schemes could run something.
pub(super) fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}
