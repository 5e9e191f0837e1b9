//! A provider in memory and its connector, whose faults are switched on one by one.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use omni_core::capability::{Action, FirstContact, Idempotency, Markup, Support, TextLimit};
use omni_core::channel::{Account, Connected, EditMessages, Receives, Sink};
use omni_core::contact::{Sender, SenderKind};
use omni_core::content::{ContentKind, Part};
use omni_core::error::{ErrorKind, RateScope, Result, Retry};
use omni_core::event::{Edited, EventKind, Message, MessageName, StatusNews};
use omni_core::media::{Media, MediaKind, MediaRef, MediaStream};
use omni_core::outbound::{Accepted, OutboundItem, SendError};
use omni_core::text::{EntityKind, Unit};
use omni_core::webhook::{Received, Rejected, Verified, WebhookRequest, WebhookUrl};
use omni_core::{
    Address, Capabilities, Channel, Content, Cursor, Error, Event, EventBody, Identity, Inbound, MessageId,
    Outbound, Provider, ProviderMessageId, Secret, Status, Text, Timestamp,
};
use serde_json::{Value, json, value::to_raw_value};
use tokio::sync::watch;

use super::super::samples::bytes_of;
use super::super::{Act, ChatView, Done, Forgery, Rig, Seen, Trouble, forge_header};

const SECRET: &str = "s3cret-of-the-fake";
const HEADER: &str = "x-fake-secret";
const CUSTOMER: &str = "c1";

/// What is wrong with the connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    AcceptsUndeclaredContent,
    AddressOfOneProcess,
    CallsLostAnswerRejected,
    CallsRefusalsForbidden,
    ComparesPrefixOfSecret,
    CutsLongTexts,
    DeclaresEditWithoutIt,
    DeclaresKeyWithoutIt,
    DropsBadEntry,
    EditsUndeclared,
    ForgetsPause,
    IgnoresCap,
    InjectsMarkup,
    JoinsStatuses,
    LosesRaw,
    MovesBeforeCommit,
    PanicsOnGarbage,
    RepeatsLostSend,
    ShowsSecretInDebug,
    ShowsSecretInErrors,
    TakesForgeries,
    TearsEmoji,
    TellsTwice,
    TellsUndeclaredEvents,
    UnstableIds,
}

/// The provider.
#[derive(Default)]
struct World {
    messages: Vec<Seen>,
    /// Bodies of webhooks, or batches for the listener.
    bodies: Vec<Vec<Value>>,
    posted: usize,
    confirmed: usize,
    count: u64,
    files: HashMap<String, Bytes>,
    sent: HashMap<MessageId, ProviderMessageId>,
    trouble: Option<Trouble>,
    is_revoked: bool,
}

impl World {
    fn id(&mut self) -> String {
        self.count += 1;
        self.count.to_string()
    }

    fn put(&mut self, content: Content) -> ProviderMessageId {
        let id = ProviderMessageId::from(self.id());
        self.messages.push(Seen::new(id.clone(), true, content));
        id
    }
}

/// The provider with its one customer, and how the connector is to be.
#[derive(Clone)]
pub(super) struct Fake {
    world: Arc<Mutex<World>>,
    changed: watch::Sender<()>,
    flaw: Flaw,
    receives: Receives,
}

impl Fake {
    pub(super) fn new(flaw: Flaw, receives: Receives) -> Self {
        Self { world: Arc::default(), changed: watch::Sender::new(()), flaw, receives }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    /// Waits for bodies behind a place.
    async fn behind(&self, place: usize) -> Vec<Vec<Value>> {
        let mut changes = self.changed.subscribe();
        loop {
            let found = self.world().bodies.get(place..).map(<[_]>::to_vec).unwrap_or_default();
            if !found.is_empty() {
                return found;
            }
            changes.changed().await.unwrap();
        }
    }

    fn tells(&self, entries: Vec<Value>) {
        let mut world = self.world();
        let numbered = entries.into_iter().map(|mut entry| {
            entry["id"] = world.id().into();
            entry
        });
        let body = numbered.collect();
        world.bodies.push(body);
        self.changed.send_replace(());
    }
}

fn said(text: &str) -> Value {
    json!({"kind": "message", "mid": format!("t{text}"), "text": text})
}

#[async_trait]
impl Rig for Fake {
    fn channel(&self) -> Arc<dyn Channel> {
        let caps = capabilities(self.flaw);
        Arc::new(Connector { fake: self.clone(), secret: SECRET.into(), caps, heard: Mutex::default() })
    }

    fn shown(&self) -> String {
        format!("{:?}", Secret::new(SECRET))
    }

    fn secrets(&self) -> Vec<String> {
        vec![SECRET.to_owned()]
    }

    async fn webhook(&self) -> WebhookRequest {
        let posted = self.world().posted;
        let body = self.behind(posted).await.remove(0);
        self.world().posted += 1;
        let mut request = WebhookRequest::post("/", Value::from(body).to_string(), Timestamp::default());
        request.headers.insert(HEADER, SECRET.parse().unwrap());
        request
    }

    fn forge(&self, genuine: &WebhookRequest, how: Forgery) -> Option<WebhookRequest> {
        forge_header(genuine, HEADER, how)
    }

    async fn act(&self, act: Act<'_>) -> Done {
        match act {
            Act::Writes(text) => self.tells(vec![said(text)]),
            Act::Sends(Part::Media(file)) if file.kind == MediaKind::File => {
                self.world().files.insert("f".to_owned(), bytes_of(file).unwrap().clone());
                self.tells(vec![json!({"kind": "message", "mid": "f", "file": "f"})]);
            }
            Act::Edits { message, text } => {
                self.tells(vec![json!({"kind": "edited", "mid": message.as_str(), "text": text})]);
            }
            Act::Reports { message, status: Status::Delivered } => {
                self.tells(vec![json!({"kind": "delivered", "mid": message.as_str()})]);
            }
            Act::Reports { message, status: Status::Read } => {
                self.tells(vec![json!({"kind": "read", "mid": message.as_str()})]);
            }
            Act::Delivers { first, last } => {
                self.tells(vec![said(first), json!({"kind": "message", "mid": 7}), said(last)]);
            }
            Act::Causes(EventKind::Unsupported) => self.tells(vec![json!({"kind": "telepathy"})]),
            _ => return Done::Impossible("there is no such thing"),
        }
        Done::Yes
    }

    async fn chat(&self) -> ChatView {
        ChatView { messages: self.world().messages.clone(), is_typing: false }
    }

    async fn trouble(&self, trouble: Trouble) -> Done {
        use ErrorKind::{ContentRejected, Unavailable};
        match trouble {
            Trouble::Revokes => self.world().is_revoked = true,
            Trouble::Refuses(kind) if !matches!(kind, ContentRejected | Unavailable) => {
                return Done::Impossible("nothing is refused so");
            }
            trouble => self.world().trouble = Some(trouble),
        }
        self.changed.send_replace(());
        Done::Yes
    }
}

fn capabilities(flaw: Flaw) -> Capabilities {
    let mut caps = Capabilities::default();
    caps.content = [ContentKind::Text, ContentKind::Image].map(|kind| (kind, Support::Full)).into();
    caps.content.insert(ContentKind::Item, Support::Fallback);
    caps.text = TextLimit::new(100, Unit::Characters);
    caps.caption = Some(TextLimit::new(10, Unit::Utf16));
    caps.markup = Markup::None;
    caps.edit = if flaw == Flaw::EditsUndeclared { Action::No } else { Action::Yes };
    caps.first_contact = FirstContact::CustomerOnly;
    caps.idempotency = Idempotency::Key { memory: None };
    caps.statuses = vec![Status::Delivered, Status::Read];
    caps.events = vec![EventKind::Message, EventKind::Edited, EventKind::Status, EventKind::Unsupported];
    if flaw == Flaw::TellsUndeclaredEvents {
        caps.events.retain(|kind| *kind != EventKind::Edited);
    }
    caps
}

/// The connector.
struct Connector {
    fake: Fake,
    secret: Secret,
    caps: Capabilities,
    /// Addresses of messages that this process heard.
    heard: Mutex<Vec<Address>>,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let leak = if self.fake.has(Flaw::ShowsSecretInDebug) { self.secret.expose() } else { "***" };
        write!(f, "Fake({leak})")
    }
}

impl Connector {
    fn error(&self, kind: ErrorKind, operation: &'static str) -> Error {
        let error = Error::new(kind, operation).with_advice("ask somebody");
        if self.fake.has(Flaw::ShowsSecretInErrors) { error.with_source(self.secret.expose()) } else { error }
    }

    fn guard(&self, operation: &'static str) -> Result<()> {
        if self.fake.world().is_revoked {
            Err(self.error(ErrorKind::BadCredentials, operation))
        } else {
            Ok(())
        }
    }

    fn event(&self, entry: &Value) -> Option<Event> {
        static UNSTABLE: AtomicU64 = AtomicU64::new(0);
        let id = match self.fake.has(Flaw::UnstableIds) {
            true => UNSTABLE.fetch_add(1, Ordering::Relaxed).to_string(),
            false if self.fake.has(Flaw::JoinsStatuses) && entry["kind"] != "message" => {
                entry["mid"].to_string()
            }
            false => entry.get("id")?.as_str()?.to_owned(),
        };
        let body = match body(entry) {
            Some(body) => body,
            None if self.fake.has(Flaw::DropsBadEntry) && entry["kind"] == "message" => return None,
            None => EventBody::Unsupported { what: entry["kind"].to_string() },
        };
        let address = Address::new(CUSTOMER);
        self.heard.lock().unwrap().push(address.clone());
        let mut event = Event::new(id, body).at_address(address);
        if event.kind() == EventKind::Unsupported && !self.fake.has(Flaw::LosesRaw) {
            event.raw = to_raw_value(entry).ok();
        }
        if let (true, EventBody::Message(message)) = (self.fake.has(Flaw::TearsEmoji), &mut event.body) {
            let text = message.content.text.get_or_insert_default();
            text.plain = text.plain.chars().map(|c| if c.len_utf16() > 1 { '?' } else { c }).collect();
        }
        Some(event)
    }
}

fn body(entry: &Value) -> Option<EventBody> {
    let mid = ProviderMessageId::from(entry.get("mid")?.as_str()?);
    let identity = Identity::new(Provider::from_static("fake"), CUSTOMER);
    let sender = Sender { identity, profile: Default::default(), kind: SenderKind::Person };
    let text = entry.get("text").and_then(Value::as_str);
    let mut content = Content { text: text.map(Text::plain), ..Content::default() };
    if let Some(file) = entry.get("file").and_then(Value::as_str) {
        content.parts.push(Part::Media(Media::new(MediaKind::File, MediaRef::new(file))));
    }
    Some(match entry.get("kind")?.as_str()? {
        "message" => EventBody::Message(Message::new(mid, sender, content)),
        "edited" => EventBody::Edited(Edited { message: mid, sender, content }),
        kind @ ("delivered" | "read") => EventBody::Status(StatusNews {
            message: MessageName::Provider(mid),
            status: if kind == "read" { Status::Read } else { Status::Delivered },
            error: None,
        }),
        _ => return None,
    })
}

#[async_trait]
impl Channel for Connector {
    fn provider(&self) -> Provider {
        Provider::from_static("fake")
    }

    fn capabilities(&self) -> &Capabilities {
        &self.caps
    }

    fn receives(&self) -> Receives {
        self.fake.receives
    }

    async fn check(&self) -> Result<Account> {
        self.guard("check")?;
        Ok(Account {
            id: "shop".into(), name: "Магазин".to_owned(), handle: None, warnings: Vec::new()
        })
    }

    async fn connect(&self, _: &WebhookUrl) -> Result<Connected> {
        Ok(Connected::default())
    }

    async fn disconnect(&self) -> Result<()> {
        Ok(())
    }

    fn inbound(&self) -> Option<&dyn Inbound> {
        Some(self)
    }

    fn outbound(&self) -> Option<&dyn Outbound> {
        Some(self)
    }
}

#[async_trait]
impl Inbound for Connector {
    fn verify<'a>(&self, request: &'a WebhookRequest) -> Result<Verified<'a>, Rejected> {
        let given = request.headers.get(HEADER).map(|value| value.as_bytes());
        match self.fake.flaw {
            _ if !self.fake.receives.takes_webhooks() => Verified::by_secret(request, None, &self.secret),
            Flaw::TakesForgeries => Ok(Verified::trusted(request)),
            Flaw::ComparesPrefixOfSecret
                if given.is_some_and(|g| !g.is_empty() && SECRET.as_bytes().starts_with(g)) =>
            {
                Ok(Verified::trusted(request))
            }
            _ => Verified::by_secret(request, given, &self.secret),
        }
    }

    fn parse(&self, verified: Verified<'_>) -> Result<Received, Rejected> {
        let entries: Result<Vec<Value>, _> = serde_json::from_slice(verified.body());
        let entries = match entries {
            Err(error) if self.fake.has(Flaw::PanicsOnGarbage) => panic!("{error}"),
            entries => entries.map_err(|error| Rejected::malformed(&error))?,
        };
        Ok(Received::ok(entries.iter().filter_map(|entry| self.event(entry)).collect()))
    }

    async fn listen(&self, from: Option<Cursor>, sink: &dyn Sink) -> Result<()> {
        if !self.fake.receives.listens() {
            return Err(Error::unsupported("listen"));
        }
        let from = from.map(|cursor| cursor.as_str().parse().unwrap());
        let mut place: usize = from.unwrap_or_else(|| self.fake.world().confirmed);
        loop {
            self.guard("listen")?;
            let bodies = self.fake.behind(place).await;
            place += bodies.len();
            if self.fake.has(Flaw::MovesBeforeCommit) {
                self.fake.world().confirmed = place;
            }
            let events: Vec<Event> = bodies.iter().flatten().filter_map(|entry| self.event(entry)).collect();
            let cursor = Cursor::from(place.to_string());
            if self.fake.has(Flaw::TellsTwice) {
                sink.commit(Vec::clone(&events), cursor.clone()).await?;
            }
            sink.commit(events, cursor).await?;
            self.fake.world().confirmed = place;
        }
    }

    async fn fetch(&self, media: &MediaRef, cap: u64) -> Result<MediaStream> {
        let found = self.fake.world().files.get(&media.id).cloned();
        let bytes = found.ok_or_else(|| self.error(ErrorKind::NotFound, "fetch"))?;
        if bytes.len() as u64 > cap && !self.fake.has(Flaw::IgnoresCap) {
            return Err(self.error(ErrorKind::TooLarge, "fetch"));
        }
        Ok(MediaStream { mime: None, size: None, bytes: Box::pin(stream::iter([Ok(bytes)])) })
    }
}

impl Connector {
    /// What the provider makes of a send.
    fn hand_over(&self, item: &OutboundItem) -> Result<ProviderMessageId, SendError> {
        let mut content = item.content.clone();
        if let (true, Some(text)) = (self.fake.has(Flaw::InjectsMarkup), &mut content.text) {
            *text = text.clone().mark("<b>не жирно</b>", EntityKind::Bold);
        }
        if let (true, Some(text)) = (self.fake.has(Flaw::CutsLongTexts), &mut content.text) {
            text.plain = text.plain.chars().take(97).collect();
        }
        let mut world = self.fake.world();
        let remembers = !self.fake.has(Flaw::DeclaresKeyWithoutIt);
        if let (true, Some(id)) = (remembers, world.sent.get(&item.id)) {
            return Ok(id.clone());
        }
        let refused = |kind| self.error(kind, "send");
        match world.trouble.take() {
            Some(Trouble::Refuses(_)) if self.fake.has(Flaw::CallsRefusalsForbidden) => {
                return Err(SendError::Rejected(refused(ErrorKind::Forbidden)));
            }
            Some(Trouble::Refuses(kind)) => return Err(SendError::Rejected(refused(kind))),
            Some(Trouble::Pauses(_)) if self.fake.has(Flaw::ForgetsPause) => {
                return Err(SendError::Rejected(refused(ErrorKind::RateLimited)));
            }
            Some(Trouble::Pauses(wait)) => {
                let retry = Retry::After { wait, scope: RateScope::Account };
                return Err(SendError::Rejected(refused(ErrorKind::RateLimited).with_retry(retry)));
            }
            Some(Trouble::LosesAnswer) => {
                let id = world.put(content.clone());
                if remembers {
                    world.sent.insert(item.id, id);
                }
                match self.fake.flaw {
                    Flaw::RepeatsLostSend => {}
                    Flaw::CallsLostAnswerRejected => {
                        return Err(SendError::Rejected(refused(ErrorKind::Network)));
                    }
                    _ => return Err(SendError::Unknown(refused(ErrorKind::Network))),
                }
            }
            _ => {}
        }
        let id = world.put(content);
        world.sent.insert(item.id, id.clone());
        Ok(id)
    }
}

/// Whether an item holds what the capabilities do not declare.
fn is_undeclared(item: &OutboundItem) -> bool {
    let is_image = |part: &Part| matches!(part, Part::Media(media) if media.kind == MediaKind::Image);
    let content = &item.content;
    item.reply_to.is_some()
        || content.keyboard.is_some()
        || content.parts.len() > 1
        || !content.parts.iter().all(is_image)
}

#[async_trait]
impl Outbound for Connector {
    async fn send(&self, item: &OutboundItem) -> Result<Accepted, SendError> {
        self.guard("send").map_err(SendError::Rejected)?;
        let knows =
            !self.fake.has(Flaw::AddressOfOneProcess) || self.heard.lock().unwrap().contains(&item.address);
        if item.address.as_str() != CUSTOMER || !knows {
            return Err(SendError::Rejected(self.error(ErrorKind::NotFound, "send")));
        }
        if is_undeclared(item) && !self.fake.has(Flaw::AcceptsUndeclaredContent) {
            return Err(SendError::Rejected(Error::unsupported("send")));
        }
        Ok(Accepted::new(self.hand_over(item)?, Status::Accepted))
    }

    fn as_edit(&self) -> Option<&dyn EditMessages> {
        if self.fake.has(Flaw::DeclaresEditWithoutIt) { None } else { Some(self) }
    }
}

#[async_trait]
impl EditMessages for Connector {
    async fn edit(&self, _: &Address, message: &ProviderMessageId, content: &Content) -> Result<()> {
        self.guard("edit")?;
        let mut world = self.fake.world();
        match world.messages.iter_mut().find(|m| m.id == *message) {
            Some(found) => {
                found.content = content.clone();
                Ok(())
            }
            None => Err(self.error(ErrorKind::NotFound, "edit")),
        }
    }
}
