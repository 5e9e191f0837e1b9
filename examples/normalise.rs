//! Verifies and parses one webhook body, and prints what omni makes of it: for trying out payloads.
//!
//! ```text
//! normalise --provider P --config FILE.json [--header K:V]... [--query STRING] [--path PATH] [--unverified] < body
//! ```
//!
//! Prints the answer that the provider would get as one JSON line, then one normalised event a line. A body
//! that is rejected prints `{"rejected": reason}` and ends with status 3. `--unverified` skips the check of the
//! signature only.

use std::error::Error;
use std::io::Read;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue};
use lexopt::prelude::*;
use omni::Provider;
use omni::Timestamp;
use omni::core::webhook::{Received, Rejected, Verified, WebhookRequest};
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
                let header = parser.value()?.string()?;
                let (name, value) = header.split_once(':').ok_or("--header takes NAME:VALUE")?;
                let value = HeaderValue::from_bytes(value.trim().as_bytes())?;
                found.headers.append(HeaderName::from_bytes(name.trim().as_bytes())?, value);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if found.provider.is_empty() || found.config.is_empty() {
        return Err("usage: normalise --provider P --config FILE.json [--header K:V]... [--query STRING] \
                    [--path PATH] [--unverified] < body"
            .into());
    }
    Ok(found)
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = arguments()?;
    let config =
        std::fs::read_to_string(&arguments.config).map_err(|e| format!("{}: {e}", arguments.config))?;
    let channel = omni::registry()?.connect(&Provider::new(arguments.provider), &config)?;
    let inbound = channel.inbound().ok_or("this provider only sends")?;

    let mut body = Vec::new();
    std::io::stdin().read_to_end(&mut body)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let mut request =
        WebhookRequest::post(arguments.path, body, Timestamp::from_millis(i64::try_from(now.as_millis())?));
    request.headers = arguments.headers;
    request.query = arguments.query;

    let received: Result<Received, Rejected> = if arguments.unverified {
        inbound.parse(Verified::trusted(&request))
    } else {
        inbound.receive(&request)
    };
    match received {
        Err(rejected) => {
            println!("{}", json!({ "rejected": rejected.reason.to_string() }));
            if let Some(detail) = rejected.detail {
                eprintln!("{detail}");
            }
            Ok(ExitCode::from(3))
        }
        Ok(received) => {
            let answer = received.answer;
            let headers: serde_json::Map<_, _> = answer
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()))
                .collect();
            let body = String::from_utf8_lossy(&answer.body);
            println!("{}", json!({ "status": answer.status.as_u16(), "headers": headers, "body": body }));
            for event in received.events {
                println!("{}", serde_json::to_string(&event)?);
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}
