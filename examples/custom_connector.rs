//! The smallest complete connector: Parrot, a chat service that does not exist. `docs/writing-a-connector.md` walks
//! through it; its simulator, rig and tests are in `tests/custom_connector/`. `main` shows it as hosts see it.

use async_trait::async_trait;
use http::{HeaderValue, header};
use omni_core::{channel::*, contact::*, content::*, error::*, event::*, outbound::*, webhook::*, *};
use omni_http::Http;
use serde_json::{Value, from_slice, from_str, json, value::RawValue};

const PROVIDER: Provider = Provider::from_static("parrot");
/// Settings of an account at Parrot.
#[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Token of the account, from Parrot's settings.
    pub token: Secret,
    /// Secret that signs webhooks. Without it Parrot is asked for news.
    pub webhook_secret: Option<Secret>,
    /// Where Parrot is.
    pub base_url: url::Url,
}
/// What Parrot says: an answer, the body of a webhook, an entry in it. What is not said is absent.
#[derive(Default, serde::Deserialize)]
struct Said {
    id: Option<String>,
    kind: Option<String>,
    name: Option<String>,
    events: Option<Vec<Box<RawValue>>>,
    next: Option<Cursor>,
}
#[derive(serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum News {
    Message { id: String, chat: String, name: String, text: String, at: i64 },
    Status { id: String, message: String, status: Status, at: i64 },
}
/// Each entry alone: what cannot be understood is kept as it came (law 2).
fn read(events: &[Box<RawValue>]) -> Vec<Event> {
    events.iter().map(|raw| event(raw)).collect()
}
fn event(raw: &RawValue) -> Event {
    match from_str(raw.get()) {
        Ok(News::Message { id, chat, name, text, at }) => {
            let profile = Profile { name: Some(name), ..Profile::default() };
            let by = Sender { identity: Identity::new(PROVIDER, &*chat), profile, kind: SenderKind::Person };
            let body = EventBody::Message(Message::new(&*id, by, Content::text(text)));
            Event::new(id, body).at_address(Address::new(chat)).at_time(Timestamp::from_millis(at))
        }
        Ok(News::Status { id, message, status: status @ (Status::Delivered | Status::Read), at }) => {
            let news = StatusNews { message: MessageName::Provider(message.into()), status, error: None };
            Event::new(id, EventBody::Status(news)).at_time(Timestamp::from_millis(at))
        }
        _ => {
            let Said { id, kind, .. } = from_str(raw.get()).unwrap_or_default();
            let hash = || crypto::hmac_sha256(b"", raw.get().as_bytes()).map(|b| format!("{b:02x}")).concat();
            let what = EventBody::Unsupported { what: kind.unwrap_or_default() };
            Event::new(id.unwrap_or_else(hash), what).with_raw(raw)
        }
    }
}
fn capabilities() -> Capabilities {
    let mut can = Capabilities::default();
    can.content = [(ContentKind::Text, capability::Support::Full)].into();
    can.text = capability::TextLimit::new(1000, text::Unit::Utf16);
    can.statuses = vec![Status::Delivered, Status::Read];
    can.events = vec![EventKind::Message, EventKind::Status, EventKind::Unsupported];
    can
}
/// An account at Parrot, as a channel.
#[derive(Debug)]
pub struct Parrot {
    config: Config,
    bearer: HeaderValue,
    can: Capabilities,
    http: Http,
}
impl Parrot {
    /// Nothing is called yet.
    pub fn new(config: Config, http: Http) -> Result<Self> {
        let bearer = HeaderValue::from_str(&format!("Bearer {}", config.token.expose()));
        let mut bearer = bearer.map_err(|_| Error::configuration("configure", "no token has such signs"))?;
        bearer.set_sensitive(true);
        Ok(Self { config, bearer, can: capabilities(), http })
    }
    async fn call(&self, call: &'static str, fields: Value) -> Result<Said, SendError> {
        let mut url = self.config.base_url.clone();
        url.set_path(call);
        let request = self.http.post(call, url).header(header::AUTHORIZATION, self.bearer.clone());
        let answer = request.json(&fields).await?;
        let error = |kind| Error::new(kind, call).with_code(answer.status.as_u16());
        let lost = |kind| SendError::Unknown(error(kind));
        let pause = answer.headers.get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()?.parse().ok());
        let wait = std::time::Duration::from_secs(pause.unwrap_or(1));
        // Only Parrot's own refusal proves that nothing was sent; after a success something was (law 5).
        Err(SendError::Rejected(match answer.status.as_u16() {
            200..=299 => return from_slice(&answer.body).map_err(|_| lost(ErrorKind::Protocol)),
            401 => error(ErrorKind::BadCredentials).with_advice("make a new token in Parrot's settings"),
            404 => error(ErrorKind::RecipientUnreachable),
            422 => error(ErrorKind::ContentRejected),
            429 => error(ErrorKind::RateLimited).with_retry(Retry::After { wait, scope: RateScope::Account }),
            400..=499 => error(ErrorKind::Protocol),
            _ => return Err(lost(ErrorKind::Unavailable)),
        }))
    }
    async fn ask(&self, call: &'static str, fields: Value) -> Result<Said> {
        self.call(call, fields).await.map_err(SendError::into_error)
    }
}

#[async_trait]
impl Channel for Parrot {
    fn provider(&self) -> Provider {
        PROVIDER
    }
    fn capabilities(&self) -> &Capabilities {
        &self.can
    }
    fn receives(&self) -> Receives {
        if self.config.webhook_secret.is_some() { Receives::Webhook } else { Receives::Listen }
    }
    async fn check(&self) -> Result<Account> {
        let Said { id, name, .. } = self.ask("me", json!({})).await?;
        let (id, name) = id.zip(name).ok_or(Error::new(ErrorKind::Protocol, "me"))?;
        Ok(Account { id: id.into(), name, handle: None, warnings: Vec::new() })
    }
    async fn connect(&self, at: &WebhookUrl) -> Result<Connected> {
        self.ask("hook", json!({"url": at.as_url()})).await.map(|_| Connected::default())
    }
    async fn disconnect(&self) -> Result<()> {
        self.ask("unhook", json!({})).await.map(drop)
    }
    fn inbound(&self) -> Option<&dyn Inbound> {
        Some(self)
    }
    fn outbound(&self) -> Option<&dyn Outbound> {
        Some(self)
    }
}

#[async_trait]
impl Inbound for Parrot {
    fn verify<'a>(&self, request: &'a WebhookRequest) -> Result<Verified<'a>, Rejected> {
        let secret = self.config.webhook_secret.as_ref().filter(|secret| !secret.is_empty());
        let secret = secret.ok_or(Rejected::new(RejectReason::NoWebhook))?;
        let signature = request.header("x-parrot-signature").and_then(crypto::from_hex);
        Verified::by_hmac_sha256(request, signature.as_deref(), secret)
    }
    fn parse(&self, verified: Verified<'_>) -> Result<Received, Rejected> {
        let said: Said = from_slice(verified.body()).map_err(|error| Rejected::malformed(&error))?;
        let events = said.events.ok_or(Rejected::new(RejectReason::Malformed))?;
        Ok(Received::ok(read(&events)))
    }
    async fn listen(&self, from: Option<Cursor>, sink: &dyn Sink) -> Result<()> {
        if self.receives() == Receives::Webhook {
            return Err(Error::unsupported("updates"));
        }
        let mut after = from.unwrap_or("".into());
        loop {
            let Said { events, next, .. } = self.ask("updates", json!({"after": after})).await?;
            let (events, next) = events.zip(next).ok_or(Error::new(ErrorKind::Protocol, "updates"))?;
            sink.alive();
            // Parrot forgets what is acknowledged: only after it is stored (law 1).
            sink.commit(read(&events), next.clone()).await?;
            self.ask("ack", json!({"up_to": next})).await?;
            after = next;
        }
    }
    async fn fetch(&self, _: &media::MediaRef, _: u64) -> Result<media::MediaStream> {
        Err(Error::unsupported("fetch"))
    }
}

#[async_trait]
impl Outbound for Parrot {
    async fn send(&self, item: &OutboundItem) -> Result<Accepted, SendError> {
        let Content { text, parts, keyboard } = &item.content;
        let (Some(text), [], None, None) = (text, &**parts, keyboard, &item.reply_to) else {
            return Err(SendError::Rejected(Error::unsupported("messages")));
        };
        let sent = self.call("messages", json!({"chat": item.address.main(), "text": text.plain})).await?;
        let id = sent.id.ok_or_else(|| SendError::Unknown(Error::new(ErrorKind::Protocol, "messages")))?;
        Ok(Accepted::new(id, Status::Accepted))
    }
}

/// Parrot as hosts see it.
pub fn connector(http: Http) -> registry::Connector {
    let connect = move |config| Ok(std::sync::Arc::new(Parrot::new(config, http.clone())?) as _);
    let facts = registry::Facts { version: Some("API 1"), as_of: "2026-11" };
    registry::Connector::new(PROVIDER, "Parrot", capabilities(), connect).with_facts(facts)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let parrot = connector(Http::new()?);
    println!("{:#}\n{:#}", parrot.schema().as_value(), serde_json::to_value(parrot.capabilities())?);
    let all = omni::registry()?.with(parrot);
    println!("{}", all.iter().map(registry::Connector::title).collect::<Vec<_>>().join(", "));
    Ok(())
}
