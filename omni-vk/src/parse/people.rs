//! Who speaks.

use omni_core::contact::{Identity, Profile, Sender, SenderKind};

use crate::PROVIDER;

/// A person by id, or a community by its id below zero. Events tell no names.
pub(crate) fn sender(id: i64) -> Sender {
    let kind = if id < 0 { SenderKind::Chat } else { SenderKind::Person };
    Sender { identity: Identity::new(PROVIDER, id.to_string()), profile: Profile::default(), kind }
}

/// As VK writes it in addresses: `id50112233`, `club123456`.
pub(super) fn page_name(id: i64) -> String {
    if id < 0 { format!("club{}", id.unsigned_abs()) } else { format!("id{id}") }
}
