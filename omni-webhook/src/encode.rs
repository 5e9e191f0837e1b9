//! From our messages and actions to requests. Pure: no input or output, no clock.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use omni_core::capability::{Markup, Support};
use omni_core::content::{ContentKind, KeyboardPlace, Part};
use omni_core::error::{ErrorKind, Result};
use omni_core::media::{Media, MediaSource};
use omni_core::outbound::OutboundItem;
use omni_core::{Address, Capabilities, Content, Error, ProviderMessageId};
use url::Url;

use crate::address;
use crate::wire::{
    AnswerButton, ContentOut, Delete, Edit, FaceOut, MarkRead, MediaOut, MessageOut, React, Request, Typing,
};

/// The request of a message, for a program with these capabilities.
///
/// # Errors
/// [`NotFound`](ErrorKind::NotFound) for an address of another channel, [`Unsupported`](ErrorKind::Unsupported) for
/// what the program cannot show, [`TooLarge`](ErrorKind::TooLarge), [`ContentRejected`](ErrorKind::ContentRejected).
pub fn message<'a>(item: &'a OutboundItem, caps: &Capabilities) -> Result<Request<'a>> {
    const NAME: &str = "message";
    let address = address::chat(NAME, &item.address)?;
    if item.reply_to.is_some() {
        shows(NAME, caps, ContentKind::Reply)?;
    }
    let face = item.face.as_ref().map(|face| FaceOut { name: &face.name, avatar: face.avatar.as_ref() });
    Ok(Request::Message(MessageOut {
        id: item.id,
        address,
        content: content(NAME, &item.content, caps)?,
        reply_to: item.reply_to.as_ref(),
        face,
        author: item.author,
    }))
}

/// The request of a change.
///
/// # Errors
/// As [`message`].
pub fn edit<'a>(
    address: &'a Address,
    message: &'a ProviderMessageId,
    new: &'a Content,
    caps: &Capabilities,
) -> Result<Request<'a>> {
    let content = content("edit", new, caps)?;
    Ok(Request::Edit(Edit { address: address::chat("edit", address)?, message, content }))
}

/// The request of a deletion.
///
/// # Errors
/// [`NotFound`](ErrorKind::NotFound) for an address of another channel.
pub fn delete<'a>(address: &'a Address, message: &'a ProviderMessageId) -> Result<Request<'a>> {
    Ok(Request::Delete(Delete { address: address::chat("delete", address)?, message }))
}

/// The request that puts signs on a message.
///
/// # Errors
/// As [`delete`].
pub fn react<'a>(
    address: &'a Address,
    message: &'a ProviderMessageId,
    signs: &'a [String],
) -> Result<Request<'a>> {
    Ok(Request::React(React { address: address::chat("react", address)?, message, signs }))
}

/// The request that marks messages as seen.
///
/// # Errors
/// As [`delete`].
pub fn mark_read<'a>(address: &'a Address, message: &'a ProviderMessageId) -> Result<Request<'a>> {
    Ok(Request::MarkRead(MarkRead { address: address::chat("mark_read", address)?, message }))
}

/// The request that shows somebody writing.
///
/// # Errors
/// As [`delete`].
pub fn typing(address: &Address) -> Result<Request<'_>> {
    Ok(Request::Typing(Typing { address: address::chat("typing", address)? }))
}

/// The request that ends the wait behind a pressed key.
pub fn answer_button<'a>(ticket: &'a str, text: Option<&'a str>) -> Request<'a> {
    Request::AnswerButton(AnswerButton { ticket, text })
}

impl Request<'_> {
    /// Its `type`, which names it in errors.
    pub fn name(&self) -> &'static str {
        match self {
            Request::Message(_) => "message",
            Request::Edit(_) => "edit",
            Request::Delete(_) => "delete",
            Request::React(_) => "react",
            Request::MarkRead(_) => "mark_read",
            Request::Typing(_) => "typing",
            Request::AnswerButton(_) => "answer_button",
            Request::Ping {} => "ping",
        }
    }
}

fn content<'a>(name: &'static str, content: &'a Content, caps: &Capabilities) -> Result<ContentOut<'a>> {
    let mut out = ContentOut { text: content.plain_text(), ..ContentOut::default() };
    if let Some(text) = &content.text
        && caps.markup != Markup::None
    {
        out.entities = &text.entities;
    }
    if let Some(words) = out.text
        && caps.text.max.is_some_and(|max| caps.text.unit.measure(words) > max as usize)
    {
        return Err(Error::new(ErrorKind::TooLarge, name).with_text("the text is longer than text_max"));
    }
    for part in &content.parts {
        add(name, &mut out, part, caps)?;
    }
    if out.media.len() > 1 {
        shows(name, caps, ContentKind::Album)?;
    }
    if let Some(keyboard) = &content.keyboard {
        let kind = match keyboard.place {
            KeyboardPlace::Message => ContentKind::Buttons,
            _ => ContentKind::QuickReplies,
        };
        shows(name, caps, kind)?;
        out.keyboard = Some(keyboard);
    }
    if out == ContentOut::default() {
        return Err(Error::new(ErrorKind::ContentRejected, name).with_text("there is nothing to send"));
    }
    Ok(out)
}

fn add<'a>(name: &'static str, out: &mut ContentOut<'a>, part: &'a Part, caps: &Capabilities) -> Result<()> {
    match part {
        Part::Media(file) => {
            shows(name, caps, file.kind.into())?;
            out.media.push(media(name, file, caps)?);
        }
        Part::Location(place) => {
            shows(name, caps, ContentKind::Location)?;
            alone(name, out.location.replace(place))?;
        }
        Part::Contact(card) => {
            shows(name, caps, ContentKind::Contact)?;
            alone(name, out.contact.replace(card))?;
        }
        Part::Item(item) => {
            shows(name, caps, ContentKind::Item)?;
            out.items.push(item);
        }
        _ => return Err(Error::unsupported(name)),
    }
    Ok(())
}

/// What the program does not show may not be sent in silence.
fn shows(name: &'static str, caps: &Capabilities, kind: ContentKind) -> Result<()> {
    if caps.supports(kind) >= Support::Partial { Ok(()) } else { Err(Error::unsupported(name)) }
}

fn alone<T>(name: &'static str, before: Option<T>) -> Result<()> {
    match before {
        None => Ok(()),
        Some(_) => Err(Error::new(ErrorKind::ContentRejected, name)
            .with_text("a message holds one place and one card at most: plan it first")),
    }
}

fn media<'a>(name: &'static str, file: &'a Media, caps: &Capabilities) -> Result<MediaOut<'a>> {
    let (url, data, size) = match &file.source {
        MediaSource::Url { url } => (Some(url.clone()), None, file.size),
        // A file of a customer, handed on: its reference is its address.
        MediaSource::Provider(at) => {
            let url = Url::parse(&at.id).map_err(|_| {
                Error::new(ErrorKind::ContentRejected, name).with_text("the file is of another channel")
            })?;
            (Some(url), None, file.size)
        }
        MediaSource::Bytes { bytes } => {
            let max = caps.media.get(&file.kind.into()).and_then(|limit| limit.bytes).unwrap_or_default();
            let size = bytes.len() as u64;
            if size > max {
                return Err(Error::new(ErrorKind::TooLarge, name)
                    .with_text("the file is larger than inline_bytes")
                    .with("bytes", size)
                    .with("limit", max));
            }
            (None, Some(STANDARD.encode(bytes)), Some(size))
        }
        _ => {
            return Err(Error::new(ErrorKind::Internal, name).with_text("the file's bytes are not at hand"));
        }
    };
    let Media { kind, width, height, seconds, .. } = *file;
    Ok(MediaOut {
        kind,
        url,
        data,
        name: file.name.as_deref(),
        mime: file.mime.as_deref(),
        size,
        width,
        height,
        seconds,
        emoji: file.emoji.as_deref(),
        title: file.title.as_deref(),
    })
}
