//! Which addresses and ids are ours.

use std::collections::BTreeSet;

use omni_core::MessageId;

use crate::config::Config;
use crate::encode::MailAddress;
use crate::mail::Mailbox;
use crate::parse::thread;

/// Which addresses and ids are ours.
#[derive(Clone, Debug, Default)]
pub struct Ours {
    /// Keys of addresses ([`MailAddress::key`]).
    addresses: BTreeSet<String>,
    domains: BTreeSet<String>,
}

impl Ours {
    /// The address and the aliases of a mailbox. What cannot be an address is left out.
    pub fn of(config: &Config) -> Self {
        let own = std::iter::once(&config.address).chain(&config.aliases);
        let own: Vec<MailAddress> = own.filter_map(|address| MailAddress::read(address).ok()).collect();
        Self {
            addresses: own.iter().map(MailAddress::key).collect(),
            domains: own.iter().map(|address| address.domain().to_owned()).collect(),
        }
    }

    /// The addresses, in the form in which they are compared.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.addresses.iter().map(String::as_str)
    }

    /// Whether an address is ours, also with a tag (`help+spring@shop.example`).
    pub fn is(&self, mailbox: &Mailbox) -> bool {
        let Some(key) = key(mailbox) else { return false };
        let tagless = key.split_once('@').and_then(|(local, domain)| {
            let (person, _) = local.split_once('+')?;
            Some(format!("{person}@{domain}"))
        });
        self.addresses.contains(&key) || tagless.is_some_and(|key| self.addresses.contains(&key))
    }

    /// The message of ours that a Message-ID names.
    pub fn message(&self, id: &str) -> Option<MessageId> {
        let (message, domain) = thread::message_of(id)?;
        self.domains.contains(&domain.to_ascii_lowercase()).then_some(message)
    }
}

/// An address in the form in which addresses are compared; `None` when it can be none.
pub(super) fn key(mailbox: &Mailbox) -> Option<String> {
    MailAddress::read(&mailbox.address).ok().map(|address| address.key())
}
