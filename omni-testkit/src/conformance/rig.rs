//! What a connector's test hands to the suite: the provider, as the suite drives it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderValue;
use omni_core::content::{ContentKind, Part};
use omni_core::error::ErrorKind;
use omni_core::event::EventKind;
use omni_core::webhook::{WebhookRequest, WebhookUrl};
use omni_core::{Address, Channel, Content, ProviderMessageId, Status};
use url::Url;

use super::samples;

/// One account at a provider, simulated or real, with one customer.
///
/// Every rule gets a fresh rig. What the provider cannot do is answered with [`Done::Impossible`] and a short
/// reason that goes into the report; a rule that needs it is then not applicable.
#[async_trait]
pub trait Rig: Send + Sync + 'static {
    /// A channel of the account, made from its configuration each time: two of them are two processes.
    fn channel(&self) -> Arc<dyn Channel>;

    /// The configuration, as its `Debug` shows it.
    fn shown(&self) -> String;

    /// The secrets in the configuration, and the forms in which they travel (base64, percent-encoded).
    fn secrets(&self) -> Vec<String>;

    /// Where the customer is spoken to. Needed only where the customer cannot write first; everywhere else the
    /// suite takes it from an event, as a host does.
    fn address(&self) -> Option<Address> {
        None
    }

    /// Where the provider can post webhooks, such as [`WebhookHost::url`](super::WebhookHost::url).
    fn webhook_url(&self) -> Option<WebhookUrl> {
        None
    }

    /// Waits for the next webhook that the provider makes, and takes it. Cancel safe.
    async fn webhook(&self) -> WebhookRequest {
        std::future::pending().await
    }

    /// A genuine webhook with its proof of origin spoilt; `None` where it cannot be spoilt so.
    /// [`forge_header`] and [`forge_body`] do it for most providers.
    fn forge(&self, genuine: &WebhookRequest, how: Forgery) -> Option<WebhookRequest> {
        let _ = (genuine, how);
        None
    }

    /// Lets the customer or the provider do something.
    async fn act(&self, act: Act<'_>) -> Done;

    /// Waits until the provider has handed over all that happened so far. Needed only where different kinds of
    /// events overtake one another.
    async fn settles(&self) {}

    /// The chat as the customer's app shows it, once everything accepted so far has come there.
    async fn chat(&self) -> ChatView;

    /// Makes the provider give trouble.
    async fn trouble(&self, trouble: Trouble) -> Done;

    /// Something of this kind that the provider takes. Replace it where the simulator knows only certain
    /// templates, or checks pictures.
    fn sample(&self, kind: ContentKind) -> Content {
        samples::content(kind)
    }

    /// The same from the customer: bytes in memory. Replace it where [`sample`](Self::sample) is at an address, because the
    /// provider takes no uploads.
    fn sample_of_customer(&self, kind: ContentKind) -> Content {
        self.sample(kind)
    }

    /// The customer's name and the title of what the talk is about, as the provider tells them when it is asked;
    /// needed where the channel has a [`LookUp`](omni_core::channel::LookUp).
    fn known_as(&self) -> (Option<&str>, Option<&str>) {
        (None, None)
    }

    /// How long the suite waits for something that has to come.
    fn patience(&self) -> Duration {
        Duration::from_secs(10)
    }
}

/// Whether a rig did what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// Yes.
    Yes,
    /// The provider cannot, for this reason.
    Impossible(&'static str),
}

/// Something that happens on the other side.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Act<'a> {
    /// The customer writes a text.
    Writes(&'a str),
    /// The customer sends something that is not words. Bytes of a file are in memory.
    Sends(&'a Part),
    /// The customer answers a message of ours.
    Answers {
        /// Ours.
        message: &'a ProviderMessageId,
        /// The words.
        text: &'a str,
    },
    /// The customer changes a message of their own.
    Edits {
        /// Theirs.
        message: &'a ProviderMessageId,
        /// The new words.
        text: &'a str,
    },
    /// The customer puts a sign on a message of ours.
    Reacts {
        /// Ours.
        message: &'a ProviderMessageId,
        /// An emoji.
        sign: &'a str,
    },
    /// The customer presses a key under a message of ours.
    Presses {
        /// Ours.
        message: &'a ProviderMessageId,
        /// What is written on the key.
        label: &'a str,
    },
    /// The customer follows a link to the account.
    Follows(&'a Url),
    /// The provider tells how far a message of ours came.
    Reports {
        /// Ours.
        message: &'a ProviderMessageId,
        /// How far.
        status: Status,
    },
    /// The customer writes two texts, and between them something comes that nobody can read: known by its name,
    /// broken inside. All in one body or batch, where the provider puts several things into one.
    Delivers {
        /// The text before it.
        first: &'a str,
        /// The text behind it.
        last: &'a str,
    },
    /// An event of this kind happens, in whichever way it does at the provider. Never asked for kinds that
    /// another act brings about; [`EventKind::Unsupported`] is something that the connector has no word for.
    Causes(EventKind),
}

/// Trouble that a provider gives.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Trouble {
    /// The next send is refused in the way that means this kind. Nothing goes out.
    Refuses(ErrorKind),
    /// The next send is refused, and may come back after this time. Nothing goes out.
    Pauses(Duration),
    /// The next send is taken and carried out, and its answer is lost.
    LosesAnswer,
    /// The credential is no longer good, for any call from now on.
    Revokes,
}

/// How a webhook is forged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Forgery {
    /// No secret or signature.
    Missing,
    /// An empty one.
    Empty,
    /// One of the right form and length that is wrong.
    Wrong,
    /// The right one without its end.
    Truncated,
    /// The right one over another body. Cannot be done where a plain secret comes along.
    OtherBody,
}

impl Forgery {
    /// All of them.
    pub const ALL: [Forgery; 5] =
        [Forgery::Missing, Forgery::Empty, Forgery::Wrong, Forgery::Truncated, Forgery::OtherBody];
}

/// Forges a webhook whose secret or signature is in a header; [`Forgery::OtherBody`] is left to [`forge_body`].
pub fn forge_header(genuine: &WebhookRequest, header: &'static str, how: Forgery) -> Option<WebhookRequest> {
    let mut forged = genuine.clone();
    let given = genuine.header(header)?.to_owned();
    let (kept, last) = given.split_at_checked(given.len().checked_sub(1)?)?;
    let value = match how {
        Forgery::Missing => {
            forged.headers.remove(header);
            return Some(forged);
        }
        Forgery::Empty => String::new(),
        Forgery::Wrong => format!("{kept}{}", if last == "0" { "1" } else { "0" }),
        Forgery::Truncated => kept.to_owned(),
        Forgery::OtherBody => return None,
    };
    forged.headers.insert(header, HeaderValue::from_str(&value).ok()?);
    Some(forged)
}

/// Changes the body under its signature, so that it says the same and is another text.
pub fn forge_body(genuine: &WebhookRequest) -> WebhookRequest {
    let mut forged = genuine.clone();
    forged.body = [&*genuine.body, b" "].concat().into();
    forged
}

/// A chat as the customer's app shows it.
#[derive(Clone, Debug, Default)]
pub struct ChatView {
    /// The messages of both sides that are there now, in order.
    pub messages: Vec<Seen>,
    /// Whether somebody of ours is shown writing.
    pub is_typing: bool,
}

/// One message as the customer's app shows it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The provider's id of it.
    pub id: ProviderMessageId,
    /// Whether we sent it.
    pub is_ours: bool,
    /// What it says. Files have their bytes, where the provider keeps them.
    pub content: Content,
    /// The message it answers.
    pub reply_to: Option<ProviderMessageId>,
    /// Signs that we put on it.
    pub signs: Vec<String>,
    /// Whether we marked it as seen.
    pub is_read: bool,
}

impl Seen {
    /// A message with nothing but its words.
    pub fn new(id: impl Into<ProviderMessageId>, is_ours: bool, content: Content) -> Self {
        Self { id: id.into(), is_ours, content, reply_to: None, signs: Vec::new(), is_read: false }
    }
}
