//! What can be said about settings without asking a server.

use std::net::IpAddr;

use omni_core::Secret;
use omni_core::error::{Error, Result};
use omni_http::settings::check_address;
use url::Host;

use super::{Auth, Config, Dkim, First, Grant, Server, Tls};
use crate::encode::check_dkim_key;
use crate::net::further_roots;
use crate::presets::{self, domain_of};

/// Longest address, in bytes: RFC 5321, 4.5.3.1.3, less the `<>`.
const ADDRESS: usize = 254;
/// The range of [`Config::idle_minutes`]: RFC 2177 asks for less than 30.
const IDLE: std::ops::RangeInclusive<u32> = 1..=29;
/// The range of [`Config::poll_seconds`].
const POLL: std::ops::RangeInclusive<u32> = 5..=3600;
/// Most days of history.
const DAYS: std::ops::RangeInclusive<u16> = 1..=3650;
/// Least that [`Config::send_bytes`], [`Config::max_whole`] and [`Config::fetch_bytes`] may be: headers alone are
/// that large.
const BYTES: u64 = 64 << 10;
/// Most that [`Config::max_whole`] and [`Config::fetch_bytes`] may be: a mail, and a file out of one, are in memory
/// while they are read.
const IN_MEMORY: u64 = 512 << 20;

pub(super) fn check(config: &Config) -> Result<()> {
    check_mailbox("address", &config.address)?;
    for alias in &config.aliases {
        check_mailbox("aliases", alias)?;
    }
    check_auth(config)?;
    check_server("imap", &config.imap_server()?)?;
    check_server("smtp", &config.smtp_server()?)?;
    check_words(config)?;
    check_folders(&config.folders)?;
    check_numbers(config)?;
    further_roots(config.ca_pem.as_deref())?;
    config.dkim.as_ref().map_or(Ok(()), check_dkim)
}

fn wrong<T>(text: impl Into<String>) -> Result<T> {
    Err(Error::configuration("configure", text))
}

/// Whether a text is an address that mail can be sent to: `name@domain`, in any script.
fn is_mailbox(address: &str) -> bool {
    let Some((local, _)) = address.rsplit_once('@') else { return false };
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !"<>()[]\\,;:\"@".contains(c);
    address.len() <= ADDRESS
        && address.trim() == address
        && local.chars().all(plain)
        && domain_of(address).is_some_and(|domain| domain.contains('.') || domain == "localhost")
}

fn check_mailbox(setting: &str, address: &str) -> Result<()> {
    if is_mailbox(address) {
        return Ok(());
    }
    wrong(format!("{setting} takes mailboxes such as help@example.com, without a name before them"))
}

fn check_auth(config: &Config) -> Result<()> {
    match &config.auth {
        Auth::Password { password } => {
            if password.is_empty() || password.expose().contains(['\0', '\r', '\n']) {
                return wrong("auth.password must not be empty, nor have more than one line");
            }
            match config.preset().filter(|preset| !preset.takes_passwords()) {
                Some(preset) => Err(Error::configuration(
                    "configure",
                    format!("{} takes no passwords: set auth.with to oauth", preset.name),
                )
                .with_advice(preset.advice)),
                None => Ok(()),
            }
        }
        Auth::Oauth { token_url, client_id, client_secret, refresh_token, scope, grant } => {
            check_address("auth.token_url", token_url)?;
            if token_url.scheme() != "https" && !is_loopback(token_url.host_str().unwrap_or_default()) {
                return wrong("auth.token_url must be an https address: secrets are sent there");
            }
            if client_id.trim().is_empty() {
                return wrong(
                    "auth.client_id must not be empty: it is the id of your application at the issuer",
                );
            }
            let secrets = [("client_secret", client_secret), ("refresh_token", refresh_token)];
            for (setting, secret) in secrets {
                if secret.as_ref().is_some_and(Secret::is_empty) {
                    return wrong(format!(
                        "auth.{setting} must not be empty: leave it out when there is none"
                    ));
                }
            }
            if *grant == Grant::Application && (client_secret.is_none() || scope.is_none()) {
                return wrong("auth.grant application needs auth.client_secret and auth.scope");
            }
            Ok(())
        }
    }
}

fn check_server(setting: &str, server: &Server) -> Result<()> {
    let host = server.host.trim_matches(['[', ']']);
    let is_host = Host::parse(host).is_ok() || host.parse::<IpAddr>().is_ok();
    if !is_host || host.contains(char::is_whitespace) {
        return wrong(format!("{setting}.host must be the name of a server, such as {setting}.example.com"));
    }
    if server.port == 0 {
        return wrong(format!("{setting}.port must not be 0"));
    }
    if server.tls == Tls::None && !is_loopback(host) {
        return Err(Error::configuration(
            "configure",
            format!("{setting}.tls may be none on this machine only: elsewhere the password could be read on the way"),
        )
        .with_advice("set it to implicit (993, 465) or starttls (143, 587)"));
    }
    match (server.port, server.tls) {
        (993 | 465, Tls::Starttls) => wrong(format!("{setting}: port {} wants tls implicit", server.port)),
        (143 | 587, Tls::Implicit) => wrong(format!("{setting}: port {} wants tls starttls", server.port)),
        _ => Ok(()),
    }
}

/// Whether a host is this machine, by its name alone.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn check_words(config: &Config) -> Result<()> {
    let one_line = |text: &str| !text.trim().is_empty() && !text.contains(char::is_control);
    if config.user.as_ref().is_some_and(|user| !one_line(user)) {
        return wrong("user must be one line, or be left out for what the provider usually takes");
    }
    if config.name.as_ref().is_some_and(|name| !one_line(name)) {
        return wrong("name must be one line, or be left out");
    }
    if config.subject.as_ref().is_some_and(|subject| !one_line(subject)) {
        return wrong("subject must be one line, or be left out for the first line of the words");
    }
    if config.ehlo.as_ref().is_some_and(|name| !is_ehlo(name)) {
        return wrong(
            "ehlo must be a full host name such as mail.example.com, or an address literal such as [192.0.2.1]",
        );
    }
    Ok(())
}

/// RFC 5321, 4.1.1.1: a name of DNS or an address literal.
fn is_ehlo(name: &str) -> bool {
    let literal = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    match literal {
        Some(literal) => literal.strip_prefix("IPv6:").unwrap_or(literal).parse::<IpAddr>().is_ok(),
        None => {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
            !name.is_empty() && name.len() <= 255 && name.bytes().all(plain) && !name.starts_with(['.', '-'])
        }
    }
}

fn check_folders(folders: &[String]) -> Result<()> {
    if folders.is_empty() {
        return wrong("folders must name one at least, such as INBOX");
    }
    if folders.iter().any(|folder| folder.trim().is_empty() || folder.contains(char::is_control)) {
        return wrong("folders must hold names of folders, each one line");
    }
    let is_again = |(place, folder): (usize, &String)| {
        let same = |other: &String| other == folder || is_inbox(other) && is_inbox(folder);
        folders.iter().take(place).any(same)
    };
    if folders.iter().enumerate().any(is_again) {
        return wrong("folders must not name one twice");
    }
    Ok(())
}

/// INBOX is the one name whose case does not matter (RFC 3501, 5.1).
fn is_inbox(folder: &str) -> bool {
    folder.eq_ignore_ascii_case("INBOX")
}

fn check_numbers(config: &Config) -> Result<()> {
    if !IDLE.contains(&config.idle_minutes) {
        return wrong("idle_minutes must be 1 to 29: servers close a connection that idles for 30");
    }
    if !POLL.contains(&config.poll_seconds) {
        return wrong("poll_seconds must be 5 to 3600");
    }
    if let First::Days { days } = config.first
        && !DAYS.contains(&days)
    {
        return wrong("first.days must be 1 to 3650; to take nothing of what lies there set take to new");
    }
    let sizes = [
        ("max_whole", Some(config.max_whole), IN_MEMORY),
        ("fetch_bytes", Some(config.fetch_bytes), IN_MEMORY),
        ("send_bytes", config.send_bytes, u64::MAX),
    ];
    for (setting, bytes, most) in sizes {
        if bytes.is_some_and(|bytes| bytes < BYTES) {
            return wrong(format!(
                "{setting} must be {BYTES} bytes at least: headers alone may be that large"
            ));
        }
        if bytes.is_some_and(|bytes| bytes > most) {
            return wrong(format!(
                "{setting} must be {most} bytes at most: so much may be in memory at once"
            ));
        }
    }
    Ok(())
}

fn check_dkim(dkim: &Dkim) -> Result<()> {
    if presets::ascii(&dkim.domain).is_none() {
        return wrong("dkim.domain must be the domain that signs, such as example.com");
    }
    // A selector may have dots in it: RFC 6376, 3.1.
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if dkim.selector.is_empty() || !dkim.selector.bytes().all(plain) {
        return wrong("dkim.selector must be a name such as mail2026");
    }
    if dkim.key.is_empty() {
        return wrong("dkim.key must be an RSA key as PEM, or the base64 of the 32 bytes of an Ed25519 key");
    }
    check_dkim_key(dkim)
}
