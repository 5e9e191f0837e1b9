//! Who speaks: people and their identities at providers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::id::{ContactId, TenantId};
use crate::is_default;
use crate::policy::Memory;
use crate::provider::Provider;

/// How a provider names a person.
///
/// Two identities are the same person when `provider`, `scope` and `id` are equal. The scope says how far the
/// id reaches: empty for all of the provider (a Telegram user id), else the account it was issued to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// The kind of channel.
    pub provider: Provider,
    /// Where the id is unique; empty means everywhere at the provider.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// The provider's id of the person.
    pub id: String,
    /// Other names of the same person at the same provider: a user name, a former id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
}

impl Identity {
    /// An identity that is unique at the whole provider.
    pub fn new(provider: Provider, id: impl Into<String>) -> Self {
        Self { provider, scope: String::new(), id: id.into(), aliases: Vec::new() }
    }
}

/// What is known of a person, as one event or the store tells it. Empty fields are unknown, not cleared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// Name to show, as the provider gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Public user name without `@`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Phone number, E.164 where the provider gives it so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Picture that may be shown without credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<Url>,
    /// Language hint, as a BCP 47 tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

impl Profile {
    /// Takes over what `newer` knows; says whether anything changed.
    pub fn learn(&mut self, newer: &Profile) -> bool {
        fn take<T: Clone + PartialEq>(into: &mut Option<T>, from: &Option<T>) -> bool {
            let changes = from.is_some() && into != from;
            if changes {
                into.clone_from(from);
            }
            changes
        }
        [
            take(&mut self.name, &newer.name),
            take(&mut self.username, &newer.username),
            take(&mut self.phone, &newer.phone),
            take(&mut self.email, &newer.email),
            take(&mut self.avatar, &newer.avatar),
            take(&mut self.language, &newer.language),
        ]
        .contains(&true)
    }
}

/// A person with identities at one or more providers, as one tenant knows them. The same person at another tenant is
/// another contact: what one of them writes down, the other never sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contact {
    /// Our id.
    pub id: ContactId,
    /// Whose contact it is.
    pub tenant: TenantId,
    /// How providers name the person; at least one.
    pub identities: Vec<Identity>,
    /// What is known.
    pub profile: Profile,
    /// Fields that the host, agents and rules have set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// Labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What the policy remembers of the person.
    #[serde(default, skip_serializing_if = "is_default")]
    pub memory: Memory,
}

impl Contact {
    /// A person with one identity.
    pub fn new(id: ContactId, tenant: TenantId, identity: Identity, profile: Profile) -> Self {
        let (fields, tags, memory) = Default::default();
        Self { id, tenant, identities: vec![identity], profile, fields, tags, memory }
    }

    /// Takes over all that is known of the same person under another name; what is known here stays.
    pub fn absorb(&mut self, other: Contact) {
        for identity in other.identities {
            let same = |i: &Identity| {
                (&i.provider, &i.scope, &i.id) == (&identity.provider, &identity.scope, &identity.id)
            };
            if !self.identities.iter().any(same) {
                self.identities.push(identity);
            }
        }
        let mut profile = other.profile;
        profile.learn(&self.profile);
        self.profile = profile;
        for (field, value) in other.fields {
            self.fields.entry(field).or_insert(value);
        }
        for tag in other.tags {
            if !self.tags.contains(&tag) {
                self.tags.push(tag);
            }
        }
        self.memory.absorb(other.memory);
    }
}

/// Who wrote one message: an identity, and what the provider told of it at that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sender {
    /// The author at the provider.
    pub identity: Identity,
    /// What came along with the message.
    #[serde(default, skip_serializing_if = "is_default")]
    pub profile: Profile,
    /// What kind of actor the provider says it is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub kind: SenderKind,
}

/// What the provider says about an author.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SenderKind {
    /// A person, as far as known.
    #[default]
    Person,
    /// A program: automatic texts never answer it (law 7).
    Robot,
    /// A chat or channel speaking in its own name.
    Chat,
    /// The provider itself: service messages.
    Provider,
}
