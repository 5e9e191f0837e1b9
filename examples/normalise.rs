//! Verifies and parses one webhook body, and prints what omni makes of it: for trying out payloads.
//!
//! ```text
//! normalise --provider P --config FILE.json [--header K:V]... [--query STRING] [--path PATH] [--unverified] < body
//! ```
//!
//! Prints the answer that the provider would get as one JSON line, then one normalised event a line. A body
//! that is rejected prints `{"rejected": reason}` and ends with status 3; what cannot be tried at all, such as a
//! configuration that cannot be used, ends with 1. `--unverified` skips the check of the signature only.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Read;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue};
use lexopt::prelude::*;
use omni::core::webhook::{Received, RejectReason, Verified, WebhookRequest};
use omni::{Provider, Timestamp};
use serde::Serialize;
use serde_json::json;

#[derive(Debug, Default)]
struct Arguments {
    provider: String,
    config: String,
    headers: HeaderMap,
    query: Option<String>,
    path: String,
    unverified: bool,
}

const USAGE: &str = "usage: normalise --provider P --config FILE.json [--header K:V]... [--query STRING] \
                     [--path PATH] [--unverified] < body";

fn arguments() -> Result<Arguments, Box<dyn Error>> {
    let mut found = Arguments { path: "/".to_owned(), ..Arguments::default() };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("provider") => found.provider = parser.value()?.string()?,
            Long("config") => found.config = parser.value()?.string()?,
            Long("query") => found.query = Some(parser.value()?.string()?),
            Long("path") => found.path = parser.value()?.string()?,
            Long("unverified") => found.unverified = true,
            Long("header") => {
                let (name, value) = header(&parser.value()?.string()?)?;
                found.headers.append(name, value);
            }
            other => return Err(format!("{}\n{USAGE}", other.unexpected()).into()),
        }
    }
    for (option, value) in [("--provider", &found.provider), ("--config", &found.config)] {
        if value.is_empty() {
            return Err(format!("{option} is missing\n{USAGE}").into());
        }
    }
    Ok(found)
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), Box<dyn Error>> {
    let (name, value) = text.split_once(':').ok_or("--header takes NAME:VALUE")?;
    let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|e| format!("--header: {e}"))?;
    let value = HeaderValue::from_bytes(value.trim().as_bytes()).map_err(|e| format!("--header: {e}"))?;
    Ok((name, value))
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("normalise: {error}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    let Arguments { provider, config, headers, query, path, unverified } = arguments()?;
    let settings = std::fs::read_to_string(&config).map_err(|e| format!("{config}: {e}"))?;
    let channel = omni::registry()?
        .connect(&Provider::new(provider), &settings)
        .map_err(|e| format!("{config}: {e}"))?;
    let inbound = channel.inbound().ok_or("this provider only sends")?;

    let mut body = Vec::new();
    std::io::stdin().read_to_end(&mut body)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let now = Timestamp::from_millis(i64::try_from(now.as_millis())?);
    let request = WebhookRequest { headers, query, ..WebhookRequest::post(path, body, now) };

    let verified = match inbound.verify(&request) {
        Err(rejected) if unverified && is_of_signature(rejected.reason) => Ok(Verified::trusted(&request)),
        other => other,
    };
    match verified.and_then(|verified| inbound.parse(verified)) {
        Err(rejected) => {
            println!("{}", json!({ "rejected": rejected.reason.to_string() }));
            if let Some(detail) = rejected.detail {
                eprintln!("{detail}");
            }
            Ok(ExitCode::from(3))
        }
        Ok(received) => {
            print(&received)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Whether a rejection is about the proof of origin: that it is absent, wrong or old, that there is no key for it, or that
/// it names another account.
fn is_of_signature(reason: RejectReason) -> bool {
    use RejectReason::{MissingSecret, NoWebhook, Stale, UnknownAccount, WrongSecret};
    matches!(reason, MissingSecret | NoWebhook | Stale | UnknownAccount | WrongSecret)
}

/// The answer that the provider is to get.
#[derive(Serialize)]
struct AnswerLine {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

fn print(received: &Received) -> Result<(), Box<dyn Error>> {
    let answer = &received.answer;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = answer.headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes())));
    let headers = headers.collect();
    let line = AnswerLine { status: answer.status.as_u16(), headers, body: text(&answer.body) };
    println!("{}", serde_json::to_string(&line)?);
    for event in &received.events {
        // The provider's own form is in it to the letter, line breaks included: in JSON they are only blanks.
        println!("{}", serde_json::to_string(event)?.replace(['\n', '\r'], " "));
    }
    Ok(())
}
