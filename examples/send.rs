//! Sends one message without a hub: shows the plan, hands it over, tells what came of it.
//!
//! ```text
//! send --provider P --config FILE.json --to ADDRESS [--text T] [--file PATH]... [--button TEXT=DATA]...
//!      [--reply-to ID] [--template NAME --param NAME=VALUE...] [--dry-run]
//! ```
//!
//! Prints the plan as one JSON line, then one outcome a line. Ends with 0 when all of it was accepted, 4 when
//! something was refused, 5 when an outcome is unknown, 1 when it cannot be tried at all. `--dry-run` prints the
//! plan and calls nobody. It knows no history, so it takes the reply window as open; the hub knows better.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use lexopt::prelude::*;
use omni::core::content::{Button, Keyboard, KeyboardPlace, Part, Template};
use omni::core::error::ErrorKind;
use omni::core::event::ReplyTo;
use omni::core::media::{Media, MediaKind};
use omni::core::outbound::{Author, OutboundItem, SendError};
use omni::core::plan::{PlanContext, Refusal, plan};
use omni::core::{IdSource, MessageId, ProviderMessageId};
use omni::{Address, Channel, Content, Provider, Text, Timestamp};
use serde_json::{Value, json};

#[derive(Debug, Default)]
struct Arguments {
    provider: String,
    config: String,
    to: String,
    content: Content,
    reply_to: Option<ProviderMessageId>,
    dry_run: bool,
}

const USAGE: &str = "usage: send --provider P --config FILE.json --to ADDRESS [--text T] [--file PATH]... \
                     [--button TEXT=DATA]... [--reply-to ID] [--template NAME --param NAME=VALUE...] [--dry-run]";

fn arguments() -> Result<Arguments, Box<dyn Error>> {
    let mut found = Arguments::default();
    let (mut buttons, mut template, mut params) = (Vec::new(), None, BTreeMap::new());
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("provider") => found.provider = parser.value()?.string()?,
            Long("config") => found.config = parser.value()?.string()?,
            Long("to") => found.to = parser.value()?.string()?,
            Long("text") => found.content.text = Some(Text::plain(parser.value()?.string()?)),
            Long("file") => found.content.parts.push(Part::Media(file(parser.value()?.into())?)),
            Long("button") => {
                let (label, data) = pair("--button takes TEXT=DATA", parser.value()?.string()?)?;
                buttons.push(vec![Button::press(label, data)]);
            }
            Long("reply-to") => found.reply_to = Some(parser.value()?.string()?.into()),
            Long("template") => template = Some(parser.value()?.string()?),
            Long("param") => params.extend([pair("--param takes NAME=VALUE", parser.value()?.string()?)?]),
            Long("dry-run") => found.dry_run = true,
            other => return Err(format!("{}\n{USAGE}", other.unexpected()).into()),
        }
    }
    let needed = [("--provider", &found.provider), ("--config", &found.config), ("--to", &found.to)];
    if let Some((option, _)) = needed.iter().find(|(_, value)| value.is_empty()) {
        return Err(format!("{option} is missing\n{USAGE}").into());
    }
    match template {
        Some(name) => found.content.parts.push(Part::Template(Template { name, language: None, params })),
        None if !params.is_empty() => return Err("--param is for a --template".into()),
        None => {}
    }
    if !buttons.is_empty() {
        found.content.keyboard = Some(Keyboard { place: KeyboardPlace::Message, rows: buttons });
    }
    Ok(found)
}

/// Splits at the first `=`.
fn pair(how: &str, text: String) -> Result<(String, String), Box<dyn Error>> {
    let (name, value) = text.split_once('=').ok_or(how)?;
    Ok((name.to_owned(), value.to_owned()))
}

fn file(path: PathBuf) -> Result<Media, Box<dyn Error>> {
    let bytes = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mime = mime_guess::from_path(&path).first_or_octet_stream();
    let kind = match (mime.type_().as_str(), mime.subtype().as_str()) {
        ("image", "jpeg" | "png" | "webp") => MediaKind::Image,
        ("video", "mp4") => MediaKind::Video,
        ("audio", "mpeg" | "mp4" | "m4a") => MediaKind::Audio,
        _ => MediaKind::File,
    };
    let size = bytes.len() as u64;
    let mut media = Media::new(kind, bytes::Bytes::from(bytes)).typed(mime.essence_str());
    media.size = Some(size);
    media.name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(media)
}

#[tokio::main]
async fn main() -> ExitCode {
    run().await.unwrap_or_else(|error| {
        eprintln!("send: {error}");
        ExitCode::FAILURE
    })
}

async fn run() -> Result<ExitCode, Box<dyn Error>> {
    let Arguments { provider, config, to, content, reply_to, dry_run } = arguments()?;
    let settings = std::fs::read_to_string(&config).map_err(|e| format!("{config}: {e}"))?;
    let channel = omni::registry()?
        .connect(&Provider::new(provider), &settings)
        .map_err(|e| format!("{config}: {e}"))?;
    let address: Address = to.parse()?;

    let millis = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let now = Timestamp::from_millis(i64::try_from(millis)?);
    let context = PlanContext { now, last_inbound: Some(now), ..PlanContext::default() };
    let plan = plan(&channel.capabilities_at(&address), &content, &context);
    println!("{}", json!({ "plan": summary(&plan.parts), "notes": plan.notes, "refusal": plan.refusal }));
    if let Some(refusal) = plan.refusal {
        if !dry_run {
            println!("{}", json!({ "outcome": "rejected", "error": refused(&refusal).report() }));
        }
        return Ok(ExitCode::from(4));
    }
    if dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    let ids = IdSource::new(u64::try_from(millis)? ^ u64::from(std::process::id()) << 40);
    let mut reply_to = reply_to.map(|message| ReplyTo { message, quote: None });
    for content in plan.parts {
        let item = OutboundItem {
            id: MessageId::next(&ids, now),
            address: address.clone(),
            content,
            reply_to: reply_to.take(),
            face: None,
            author: Author::Person,
            note: None,
        };
        if let Some(stop) = hand_over(&*channel, &item).await? {
            return Ok(stop);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The error that a refused plan comes to.
fn refused(refusal: &Refusal) -> omni::Error {
    let kind = match refusal {
        Refusal::Unsupported { .. } | Refusal::ReceiveOnly => ErrorKind::Unsupported,
        Refusal::Blocked => ErrorKind::RecipientBlocked,
        Refusal::CustomerFirst => ErrorKind::RecipientUnreachable,
        Refusal::WindowClosed { .. } => ErrorKind::WindowClosed,
        Refusal::TemplateNeeded => ErrorKind::TemplateNeeded,
        Refusal::TooLarge { .. } => ErrorKind::TooLarge,
        _ => ErrorKind::ContentRejected,
    };
    omni::Error::new(kind, "plan").with_text(refusal.to_string())
}

/// Sends one part and prints what came of it; a status to end with when it did not go well.
async fn hand_over(channel: &dyn Channel, item: &OutboundItem) -> Result<Option<ExitCode>, Box<dyn Error>> {
    let outbound = channel.outbound().ok_or("this provider only receives")?;
    let (line, stop) = match outbound.send(item).await {
        Ok(accepted) => (json!({ "outcome": "accepted", "id": accepted.id, "accepted": accepted }), None),
        Err(SendError::Rejected(e)) => (
            json!({ "outcome": "rejected", "error": e.report(), "retry": e.retry() }),
            Some(ExitCode::from(4)),
        ),
        Err(SendError::Unknown(e)) => {
            (json!({ "outcome": "unknown", "error": e.report() }), Some(ExitCode::from(5)))
        }
    };
    println!("{line}");
    Ok(stop)
}

/// The parts without the bytes of files; their sizes are told.
fn summary(parts: &[Content]) -> Value {
    let mut parts = serde_json::to_value(parts).unwrap_or_default();
    let contents = parts.as_array_mut().into_iter().flatten();
    let inside = contents.filter_map(|content| content.get_mut("parts")?.as_array_mut()).flatten();
    for source in inside.filter_map(|part| part.get_mut("source")?.as_object_mut()) {
        source.remove("bytes");
    }
    parts
}
