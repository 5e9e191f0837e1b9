//! What a channel can do, as data.
//!
//! The default is "nothing": a connector declares what works, the conformance suite tests both directions.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::content::ContentKind;
use crate::error::RateScope;
use crate::status::Status;
use crate::text::Unit;
use crate::time::millis;

/// What an account can do, everywhere or at one address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Capabilities {
    /// How well each kind of content goes out. A kind that is absent is [`Support::Rejected`].
    pub content: BTreeMap<ContentKind, Support>,
    /// Limit of a text.
    pub text: TextLimit,
    /// Limit of a text beside media; absent where there are no captions and the text goes out by itself.
    pub caption: Option<TextLimit>,
    /// Limits of files by kind, outbound.
    pub media: BTreeMap<ContentKind, MediaLimit>,
    /// Largest inbound file that can be fetched, in bytes.
    pub fetch_bytes: Option<u64>,
    /// Most files in an album.
    pub album_max: Option<u32>,
    /// Most adverts or goods shown together in one message; absent where each goes by itself.
    #[serde(default)]
    pub carousel_max: Option<u32>,
    /// Limits of keys.
    pub buttons: ButtonLimit,
    /// Whether rich text is rendered; otherwise entities are left out and links written out.
    pub markup: Markup,
    /// Changing sent messages.
    pub edit: Action,
    /// Taking messages back.
    pub delete: Action,
    /// Putting signs on messages.
    pub react: Action,
    /// Telling that messages were seen.
    pub mark_read: Action,
    /// Showing that somebody is writing.
    pub typing: Action,
    /// Who may write first.
    pub first_contact: FirstContact,
    /// How long after the person's last message one may write freely; absent means always.
    #[serde(with = "opt_millis", default)]
    #[schemars(with = "Option<u64>")]
    pub reply_window: Option<Duration>,
    /// What a repetition of a send does.
    pub idempotency: Idempotency,
    /// Which statuses will come, beyond the answer to the send.
    pub statuses: Vec<Status>,
    /// How far a successful answer alone proves the message to have come.
    pub answer_proves: Option<Status>,
    /// Limits of calls.
    pub rates: Vec<Rate>,
    /// Which events the provider sends: for a host that must know what will never come.
    pub events: Vec<crate::event::EventKind>,
}

impl Capabilities {
    /// How well a kind goes out.
    pub fn supports(&self, kind: ContentKind) -> Support {
        self.content.get(&kind).copied().unwrap_or_default()
    }
}

/// How well something goes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Support {
    /// A message with it is refused.
    #[default]
    Rejected,
    /// It is left out, the rest goes.
    Dropped,
    /// It goes in another form: keys as numbered text, a sticker as a picture.
    Fallback,
    /// It goes, with losses the limits name.
    Partial,
    /// It goes.
    Full,
}

/// Whether an action beside sending is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "can", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// No.
    #[default]
    No,
    /// Yes.
    Yes,
    /// Yes, while the message is younger than this.
    Until {
        /// The greatest age.
        #[serde(with = "millis")]
        #[schemars(with = "u64")]
        age: Duration,
    },
}

impl Action {
    /// Whether it is there at all.
    pub fn is_there(self) -> bool {
        self != Action::No
    }
}

/// How long a text may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TextLimit {
    /// Most units in one message; absent means no limit is known.
    pub max: Option<u32>,
    /// What is counted.
    pub unit: Unit,
}

impl TextLimit {
    /// At most `max` of `unit`.
    pub fn new(max: u32, unit: Unit) -> Self {
        Self { max: Some(max), unit }
    }
}

/// What files may be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MediaLimit {
    /// Most bytes, when we upload them.
    pub bytes: Option<u64>,
    /// Most bytes, when the provider fetches them from an address.
    pub url_bytes: Option<u64>,
    /// Media types taken, as `image/jpeg` or `image/*`; empty takes all.
    pub mime: Vec<String>,
    /// How files get there.
    #[serde(default)]
    pub sources: Sources,
}

/// How files get to a provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Sources {
    /// We upload them, or the provider fetches them from an address.
    #[default]
    Any,
    /// We upload them. One at an address goes out as the address in words.
    Upload,
    /// The provider fetches them from a public address. One in memory or in the store goes out only where the host
    /// publishes its files.
    Address,
}

impl MediaLimit {
    /// Whether a media type is taken; an unknown type is.
    pub fn takes(&self, mime: Option<&str>) -> bool {
        let Some(mime) = mime else { return true };
        let fits = |pattern: &String| match pattern.strip_suffix("/*") {
            Some(class) => mime.split('/').next() == Some(class),
            None => pattern == mime,
        };
        self.mime.is_empty() || self.mime.iter().any(fits)
    }
}

/// How many keys, and of which length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ButtonLimit {
    /// Most keys in all.
    pub total: Option<u32>,
    /// Most keys a row.
    pub per_row: Option<u32>,
    /// Longest label.
    pub label: Option<TextLimit>,
    /// Longest data, in bytes.
    pub data_bytes: Option<u32>,
}

/// Whether rich text is rendered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Markup {
    /// Words only.
    #[default]
    None,
    /// The provider renders entities.
    Entities,
}

/// Who may write first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FirstContact {
    /// Only the person.
    #[default]
    CustomerOnly,
    /// We too, with an approved template.
    TemplateOnly,
    /// We too.
    Anyone,
}

/// What a repetition of a send does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Idempotency {
    /// It sends again.
    #[default]
    None,
    /// Nothing, while the provider remembers our key.
    Key {
        /// For how long; absent means for ever.
        #[serde(with = "opt_millis", default)]
        #[schemars(with = "Option<u64>")]
        memory: Option<Duration>,
    },
    /// Nothing: our id is the message's id.
    OwnId,
}

/// A limit of calls: at most `burst` at once, and one more every `every`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rate {
    /// What it counts over.
    pub scope: RateScope,
    /// Which chats it is for.
    pub chats: RateChats,
    /// How many at once.
    pub burst: u32,
    /// How often one more.
    #[serde(with = "millis")]
    #[schemars(with = "u64")]
    pub every: Duration,
}

/// Which chats a [`Rate`] is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RateChats {
    /// All.
    #[default]
    All,
    /// Those of one person.
    Private,
    /// Those of several.
    Groups,
}

mod opt_millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(d: &Option<Duration>, s: S) -> Result<S::Ok, S::Error> {
        d.map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX)).serialize(s)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(d)?.map(Duration::from_millis))
    }
}
