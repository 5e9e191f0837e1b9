//! From content to Avito's calls. Pure: a [`Request`] is a method, the parts of a path, a query and a body.
//!
//! Paths: <https://developers.avito.ru/api-catalog/messenger/documentation>, read through the copy of the OpenAPI
//! description in <https://github.com/elchin92/avito-mcp> (`swaggers/messenger.json`; read 2026-11).

use std::borrow::Cow;

use bytes::Bytes;
use http::Method;
use omni_core::content::{Content, Part};
use omni_core::error::{ErrorKind, Result};
use omni_core::media::{Media, MediaKind, MediaSource};
use omni_core::outbound::OutboundItem;
use omni_core::{Address, Error, ProviderMessageId};
use serde::Serialize;
use url::Url;

use crate::address::{chat, is_segment};
use crate::error::Call;

/// A call, ready to be sent as often as needed.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its name in errors.
    pub operation: &'static str,
    /// The method.
    pub method: Method,
    /// The parts of its path, not yet encoded.
    pub path: Vec<Cow<'static, str>>,
    /// Its query, not yet encoded.
    pub query: Vec<(&'static str, String)>,
    /// Its body.
    pub body: Body,
    /// What it asks for: decides what a refusal means.
    pub call: Call,
}

/// The body of a call.
#[derive(Clone, Debug)]
pub enum Body {
    /// None at all.
    None,
    /// JSON.
    Json(Bytes),
    /// A picture as the part `uploadfile[]` of a form.
    Image(File),
}

/// A file to upload.
#[derive(Clone, Debug)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub mime: Option<String>,
    /// Its bytes.
    pub bytes: Bytes,
}

impl Request {
    fn new(operation: &'static str, method: Method, path: &[&'static str]) -> Self {
        let path = path.iter().map(|part| Cow::Borrowed(*part)).collect();
        Self { operation, method, path, query: Vec::new(), body: Body::None, call: Call::Any }
    }

    /// A call under an account.
    fn of(operation: &'static str, method: Method, version: &'static str, account: i64) -> Self {
        Self::new(operation, method, &["messenger", version, "accounts"]).then(account.to_string())
    }

    /// A call under a chat.
    fn at(self, address: &Address) -> Result<Self> {
        let chat = chat(self.operation, address)?;
        Ok(Self { call: Call::Chat, ..self.then("chats").then(chat) })
    }

    fn then(mut self, part: impl Into<Cow<'static, str>>) -> Self {
        self.path.push(part.into());
        self
    }

    fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    fn json(self, body: &impl Serialize) -> Result<Self> {
        let json = serde_json::to_vec(body)
            .map_err(|e| Error::new(ErrorKind::Internal, self.operation).with_text(e.to_string()))?;
        Ok(Self { body: Body::Json(json.into()), ..self })
    }

    /// The address of the call at a server.
    pub fn url(&self, base: &Url) -> Url {
        let mut url = base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(&self.path);
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }
}

/// `GET /core/v1/accounts/self`
pub fn account() -> Request {
    Request::new("account", Method::GET, &["core", "v1", "accounts", "self"])
}

/// `POST /messenger/v3/webhook`. What is registered here gets webhooks of version 3.
///
/// # Errors
/// None that a caller can cause.
pub fn subscribe(url: &str) -> Result<Request> {
    Request::new("subscribe", Method::POST, &["messenger", "v3", "webhook"]).json(&Hook { url })
}

/// `POST /messenger/v1/subscriptions`: a list, and a POST without a body all the same.
pub fn subscriptions() -> Request {
    Request::new("subscriptions", Method::POST, &["messenger", "v1", "subscriptions"])
}

/// `POST /messenger/v1/webhook/unsubscribe`
///
/// # Errors
/// None that a caller can cause.
pub fn unsubscribe(url: &str) -> Result<Request> {
    Request::new("unsubscribe", Method::POST, &["messenger", "v1", "webhook", "unsubscribe"])
        .json(&Hook { url })
}

#[derive(Serialize)]
struct Hook<'a> {
    url: &'a str,
}

/// Most chats or messages on a page.
pub const PAGE: usize = 100;
/// The last place from which a page may begin.
pub const LAST_OFFSET: usize = 1000;

/// `GET /messenger/v2/accounts/{user_id}/chats`, of every type: left out it would be those about adverts alone.
pub fn chats(account: i64, offset: usize) -> Request {
    Request::of("chats", Method::GET, "v2", account)
        .then("chats")
        .with("chat_types", "u2i,u2u,a2u")
        .with("limit", PAGE)
        .with("offset", offset)
}

/// `GET /messenger/v2/accounts/{user_id}/chats/{chat_id}`
///
/// # Errors
/// [`NotFound`](ErrorKind::NotFound) for an address that is not Avito's.
pub fn one_chat(account: i64, address: &Address) -> Result<Request> {
    Request::of("chat", Method::GET, "v2", account).at(address)
}

/// `GET /messenger/v3/accounts/{user_id}/chats/{chat_id}/messages/`, with the slash at its end. Marks nothing as seen.
///
/// # Errors
/// [`NotFound`](ErrorKind::NotFound) for an address that is not Avito's.
pub fn messages(account: i64, address: &Address, offset: usize) -> Result<Request> {
    let request = Request::of("messages", Method::GET, "v3", account).at(address)?;
    Ok(request.then("messages").then("").with("limit", PAGE).with("offset", offset))
}

/// `GET /messenger/v1/accounts/{user_id}/getVoiceFiles`
pub fn voice(account: i64, id: &str) -> Request {
    Request::of("getVoiceFiles", Method::GET, "v1", account).then("getVoiceFiles").with("voice_ids", id)
}

/// The call that sends one planned item.
#[derive(Clone, Debug)]
pub enum Sending {
    /// In one call.
    Now(Request),
    /// After this picture was uploaded: its id goes into [`image`].
    AfterUpload(Request),
}

/// The calls that send one planned item.
///
/// # Errors
/// - [`NotFound`](ErrorKind::NotFound) for an address that is not Avito's;
/// - [`ContentRejected`](ErrorKind::ContentRejected) for what no call can carry, or not in one message;
/// - [`Unsupported`](ErrorKind::Unsupported) for kinds that the capabilities do not declare.
pub fn send(account: i64, item: &OutboundItem) -> Result<Sending> {
    const OPERATION: &str = "sendMessage";
    // Found before anything is uploaded.
    chat(OPERATION, &item.address)?;
    let Content { text, parts, keyboard } = &item.content;
    if item.reply_to.is_some() || keyboard.is_some() {
        return Err(Error::unsupported(OPERATION));
    }
    let words = text.as_ref().map(|text| text.plain.as_str()).filter(|words| !words.is_empty());
    match (parts.as_slice(), words) {
        ([], Some(words)) => message(account, &item.address, words).map(Sending::Now),
        ([], None) => Err(refused(OPERATION, "there is nothing to send")),
        ([Part::Media(media)], None) if media.kind == MediaKind::Image => match &media.source {
            MediaSource::Provider(at) => image(account, &item.address, &at.id).map(Sending::Now),
            _ => upload(account, media).map(Sending::AfterUpload),
        },
        ([Part::Media(media)], Some(_)) if media.kind == MediaKind::Image => {
            Err(refused(OPERATION, "a picture has no caption here: send the words as a message of their own"))
        }
        _ => Err(Error::unsupported(OPERATION)),
    }
}

/// `POST /messenger/v1/accounts/{user_id}/chats/{chat_id}/messages`
fn message(account: i64, address: &Address, text: &str) -> Result<Request> {
    #[derive(Serialize)]
    struct Body<'a> {
        message: Words<'a>,
        r#type: &'static str,
    }
    #[derive(Serialize)]
    struct Words<'a> {
        text: &'a str,
    }
    Request::of("sendMessage", Method::POST, "v1", account)
        .at(address)?
        .then("messages")
        .json(&Body { message: Words { text }, r#type: "text" })
}

/// `POST /messenger/v1/accounts/{user_id}/chats/{chat_id}/messages/image`, of a picture that was uploaded.
///
/// # Errors
/// - [`NotFound`](ErrorKind::NotFound) for an address that is not Avito's;
/// - [`ContentRejected`](ErrorKind::ContentRejected) for the reference of a picture that came in.
pub fn image(account: i64, address: &Address, image_id: &str) -> Result<Request> {
    const OPERATION: &str = "sendImage";
    #[derive(Serialize)]
    struct Body<'a> {
        image_id: &'a str,
    }
    // Pictures that came in are named by their address, uploaded ones by an id: only those can be sent.
    if image_id.is_empty() || image_id.contains("://") {
        return Err(refused(OPERATION, "a picture that came in cannot be sent on by its reference")
            .with_advice("fetch it, and send its bytes"));
    }
    Request::of(OPERATION, Method::POST, "v1", account)
        .at(address)?
        .then("messages")
        .then("image")
        .json(&Body { image_id })
}

/// `POST /messenger/v1/accounts/{user_id}/uploadImages`
///
/// # Errors
/// - [`Unsupported`](ErrorKind::Unsupported) for anything but a picture;
/// - [`ContentRejected`](ErrorKind::ContentRejected) for one that is not in memory: Avito fetches nothing.
pub fn upload(account: i64, media: &Media) -> Result<Request> {
    const OPERATION: &str = "uploadImages";
    if media.kind != MediaKind::Image {
        return Err(Error::unsupported(OPERATION));
    }
    let MediaSource::Bytes { bytes } = &media.source else {
        return Err(refused(OPERATION, "Avito fetches no pictures from addresses")
            .with_advice("send the picture's bytes"));
    };
    let name = media.name.clone().unwrap_or_else(|| "image.jpg".to_owned());
    let file = File { name, mime: media.mime.clone(), bytes: bytes.clone() };
    let request = Request::of(OPERATION, Method::POST, "v1", account).then("uploadImages");
    Ok(Request { body: Body::Image(file), ..request })
}

/// `POST /messenger/v1/accounts/{user_id}/chats/{chat_id}/messages/{message_id}`: a deletion, and a POST all the same.
///
/// # Errors
/// [`NotFound`](ErrorKind::NotFound) for an address or id that is not Avito's.
pub fn delete(account: i64, address: &Address, message: &ProviderMessageId) -> Result<Request> {
    const OPERATION: &str = "deleteMessage";
    if !is_segment(message.as_str()) {
        return Err(Error::new(ErrorKind::NotFound, OPERATION).with_text("not an Avito message id"));
    }
    let request = Request::of(OPERATION, Method::POST, "v1", account).at(address)?;
    Ok(request.then("messages").then(message.as_str().to_owned()))
}

/// `POST /messenger/v1/accounts/{user_id}/chats/{chat_id}/read`: the whole chat, there are no marks of messages.
///
/// # Errors
/// [`NotFound`](ErrorKind::NotFound) for an address that is not Avito's.
pub fn mark_read(account: i64, address: &Address) -> Result<Request> {
    Ok(Request::of("markRead", Method::POST, "v1", account).at(address)?.then("read"))
}

/// Why somebody is put on the account's blacklist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// Spam.
    Spam,
    /// Fraud.
    Fraud,
    /// Rudeness.
    Rudeness,
    /// Anything else.
    Other,
}

/// `POST /messenger/v2/accounts/{user_id}/blacklist`. No call takes anybody off it.
///
/// # Errors
/// None that a caller can cause.
pub fn blacklist(account: i64, person: i64, item: Option<i64>, reason: Reason) -> Result<Request> {
    #[derive(Serialize)]
    struct Body {
        users: [User; 1],
    }
    #[derive(Serialize)]
    struct User {
        user_id: i64,
        context: Context,
    }
    #[derive(Serialize)]
    struct Context {
        #[serde(skip_serializing_if = "Option::is_none")]
        item_id: Option<i64>,
        reason_id: u8,
    }
    let reason_id = match reason {
        Reason::Spam => 1,
        Reason::Fraud => 2,
        Reason::Rudeness => 3,
        Reason::Other => 4,
    };
    let context = Context { item_id: item, reason_id };
    Request::of("blacklist", Method::POST, "v2", account)
        .then("blacklist")
        .json(&Body { users: [User { user_id: person, context }] })
}

fn refused(operation: &'static str, text: &str) -> Error {
    Error::new(ErrorKind::ContentRejected, operation).with_text(text)
}
