//! Sends one message without a hub: shows the plan, hands it over, tells what came of it.
//!
//! ```text
//! send --provider P --config FILE.json --to ADDRESS [--text T] [--file PATH]... [--button TEXT=DATA]...
//!      [--reply-to ID] [--template NAME --param NAME=VALUE...] [--dry-run]
//! ```
//!
//! Prints the plan as one JSON line, then one outcome a line. Ends with 0 when all of it was accepted, 4 when
//! something was refused, 5 when an outcome is unknown. It knows no history, so it takes the reply window as
//! open; the hub knows better.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use lexopt::prelude::*;
use omni::core::content::{Button, Keyboard, KeyboardPlace, Part, Template};
use omni::core::event::ReplyTo;
use omni::core::media::{Media, MediaKind};
use omni::core::outbound::{Author, OutboundItem, SendError};
use omni::core::plan::{PlanContext, plan};
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
    let pair = |text: String, option: &str| -> Result<(String, String), Box<dyn Error>> {
        let (name, value) = text.split_once('=').ok_or_else(|| format!("--{option} takes NAME=VALUE"))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("provider") => found.provider = parser.value()?.string()?,
            Long("config") => found.config = parser.value()?.string()?,
            Long("to") => found.to = parser.value()?.string()?,
            Long("text") => found.content.text = Some(Text::plain(parser.value()?.string()?)),
            Long("file") => found.content.parts.push(Part::Media(file(parser.value()?.into())?)),
            Long("button") => {
                let (label, data) = pair(parser.value()?.string()?, "button")?;
                buttons.push(vec![Button::press(label, data)]);
            }
            Long("reply-to") => found.reply_to = Some(parser.value()?.string()?.into()),
            Long("template") => template = Some(parser.value()?.string()?),
            Long("param") => params.extend([pair(parser.value()?.string()?, "param")?]),
            Long("dry-run") => found.dry_run = true,
            other => return Err(other.unexpected().into()),
        }
    }
    if found.provider.is_empty() || found.config.is_empty() || found.to.is_empty() {
        return Err(USAGE.into());
    }
    if let Some(name) = template {
        found.content.parts.push(Part::Template(Template { name, language: None, params }));
    }
    if !buttons.is_empty() {
        found.content.keyboard = Some(Keyboard { place: KeyboardPlace::Message, rows: buttons });
    }
    Ok(found)
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
    let mut media = Media::new(kind, bytes::Bytes::from(bytes)).typed(mime.essence_str());
    media.name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(media)
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = arguments()?;
    let config =
        std::fs::read_to_string(&arguments.config).map_err(|e| format!("{}: {e}", arguments.config))?;
    let channel = omni::registry()?.connect(&Provider::new(arguments.provider), &config)?;
    let address: Address = arguments.to.parse()?;

    let millis = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let now = Timestamp::from_millis(i64::try_from(millis)?);
    let context = PlanContext { now, last_inbound: Some(now), ..PlanContext::default() };
    let plan = plan(&channel.capabilities_at(&address), &arguments.content, &context);
    println!("{}", json!({ "plan": summary(&plan.parts), "notes": plan.notes, "refusal": plan.refusal }));
    if !plan.is_sendable() {
        return Ok(ExitCode::from(4));
    }
    if arguments.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    let ids = IdSource::new(u64::try_from(millis)? ^ u64::from(std::process::id()) << 40);
    let mut reply_to = arguments.reply_to.map(|message| ReplyTo { message, quote: None });
    for content in plan.parts {
        let id = MessageId::next(&ids, now);
        let reply_to = reply_to.take();
        let item = OutboundItem {
            id,
            address: address.clone(),
            content,
            reply_to,
            face: None,
            author: Author::Person,
        };
        if let Some(stop) = hand_over(&*channel, &item).await? {
            return Ok(stop);
        }
    }
    Ok(ExitCode::SUCCESS)
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

/// The parts with the size of files in place of their bytes.
fn summary(parts: &[Content]) -> Value {
    let mut parts = serde_json::to_value(parts).unwrap_or_default();
    for source in parts
        .as_array_mut()
        .into_iter()
        .flatten()
        .flat_map(|c| c.pointer_mut("/parts").and_then(Value::as_array_mut))
        .flatten()
    {
        if let Some(source) = source.get_mut("source").and_then(Value::as_object_mut)
            && let Some(Value::String(bytes)) = source.remove("bytes")
        {
            source.insert("base64_length".to_owned(), bytes.len().into());
        }
    }
    parts
}
