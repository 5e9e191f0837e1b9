//! The file that a domain publishes for mail programs: `config-v1.1.xml`.
//!
//! Read with mistrust: no document types, no entities but the five of XML, no server without TLS. A server's section
//! that cannot be used is left out alone. Source: draft-ietf-mailmaint-autoconfig (2026-06).

use omni_core::error::{Error, ErrorKind, Result};
use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use url::Url;

use super::{OauthHint, Takes};
use crate::config::{Server, Tls};
use crate::presets::ascii;

/// Largest file, in bytes.
pub const LARGEST: usize = 256 << 10;
/// Deepest nesting: real files have four levels.
const DEEPEST: usize = 32;
/// Most servers that are kept of a file, and longest text of an element, in bytes.
const MOST: usize = 32;
const LONGEST: usize = 2048;

/// What a file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientConfig {
    /// The provider's name for people.
    pub name: Option<String>,
    /// IMAP servers, in the file's order of preference.
    pub imap: Vec<Offer>,
    /// SMTP servers, in the file's order of preference.
    pub smtp: Vec<Offer>,
    /// The issuer of tokens, where it is named.
    pub oauth: Option<OauthHint>,
    /// What was left out and why, for people.
    pub skipped: Vec<String>,
}

/// A server in a file. Its texts may have placeholders: see [`Offer::filled`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Offer {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is made safe; never [`Tls::None`].
    pub tls: Tls,
    /// The name at the server.
    pub user: Option<String>,
    /// What it takes of what we can do, the best first; never empty.
    pub takes: Vec<Takes>,
}

impl Offer {
    /// The server and the user name of an address. `None` when the host is no name then.
    pub fn filled(&self, address: &str) -> Option<(Server, String)> {
        let host = ascii(&fill(&self.host, address)?)?;
        let user = match &self.user {
            Some(user) => fill(user, address)?,
            None => address.to_owned(),
        };
        Some((Server { host, port: self.port, tls: self.tls }, user))
    }
}

/// The placeholders of a text, filled in one pass: an address that looks like one is not filled again.
fn fill(text: &str, address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let values = [("%EMAILADDRESS%", address), ("%EMAILLOCALPART%", local), ("%EMAILDOMAIN%", domain)];
    let mut filled = String::with_capacity(text.len() + address.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        filled.push_str(before);
        let known = values.iter().find_map(|(name, value)| {
            let after = after.strip_prefix(name.strip_prefix('%')?)?;
            Some((*value, after))
        });
        match known {
            Some((value, after)) => {
                filled.push_str(value);
                rest = after;
            }
            None => {
                filled.push('%');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    Some(filled)
}

/// Reads a file.
///
/// # Errors
/// [`TooLarge`](ErrorKind::TooLarge) over 256 KiB; [`Protocol`](ErrorKind::Protocol) when it is no such file, is not
/// well-formed, declares a document type, or is nested deeper than 32.
pub fn parse(bytes: &[u8]) -> Result<ClientConfig> {
    if bytes.len() > LARGEST {
        return Err(Error::new(ErrorKind::TooLarge, "discover").with_text("the file is larger than 256 KiB"));
    }
    let text = String::from_utf8_lossy(bytes);
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    reader.config_mut().expand_empty_elements = true;
    let mut state = State::default();
    loop {
        // What the library says may quote the file: the place alone is told.
        let event = reader.read_event().map_err(|_| unreadable("it is not well-formed"))?;
        match event {
            Event::Start(start) => state.open(&start)?,
            Event::End(_) => state.close(),
            Event::Text(text) => state.add(&text.decode().map_err(|_| unreadable("it is not well-formed"))?),
            Event::CData(text) => state.add(&text.decode().map_err(|_| unreadable("it is not well-formed"))?),
            Event::GeneralRef(name) => state.add(&refer(&name)?),
            Event::DocType(_) => return Err(unreadable("it declares a document type")),
            // Empty elements come as a start and an end.
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Empty(_) => {}
            Event::Eof => break,
        }
    }
    state.finish()
}

fn unreadable(why: &str) -> Error {
    Error::new(ErrorKind::Protocol, "discover")
        .with_text(format!("the file for mail programs cannot be read: {why}"))
}

/// What `&name;` stands for. Entities of one's own could blow a small file up, so there are none.
fn refer(name: &BytesRef<'_>) -> Result<String> {
    if let Some(character) = name.resolve_char_ref().map_err(|_| unreadable("it is not well-formed"))? {
        return Ok(character.to_string());
    }
    let known = match name.decode().as_deref() {
        Ok("amp") => "&",
        Ok("lt") => "<",
        Ok("gt") => ">",
        Ok("quot") => "\"",
        Ok("apos") => "'",
        _ => return Err(unreadable("it has entities of its own")),
    };
    Ok(known.to_owned())
}

/// Where we are in the file.
#[derive(Default)]
struct State {
    path: Vec<String>,
    text: String,
    section: Option<Section>,
    read: Option<ClientConfig>,
}

/// A server's section while it is read.
#[derive(Default)]
struct Section {
    kind: String,
    host: String,
    port: String,
    socket: String,
    user: String,
    authentication: Vec<String>,
}

impl State {
    fn open(&mut self, start: &BytesStart<'_>) -> Result<()> {
        if self.path.len() >= DEEPEST {
            return Err(unreadable("it is nested too deep"));
        }
        self.text.clear();
        self.path.push(String::from_utf8_lossy(start.local_name().as_ref()).into_owned());
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["clientConfig"] => self.read = Some(ClientConfig::default()),
            ["clientConfig", "emailProvider", "incomingServer" | "outgoingServer"] => {
                let kind = start.try_get_attribute("type").ok().flatten();
                let kind = kind.map(|kind| String::from_utf8_lossy(&kind.value).trim().to_ascii_lowercase());
                self.section = Some(Section { kind: kind.unwrap_or_default(), ..Section::default() });
            }
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, text: &str) {
        if self.text.len() + text.len() <= LONGEST {
            self.text.push_str(text);
        }
    }

    fn close(&mut self) {
        let value = std::mem::take(&mut self.text).trim().to_owned();
        if let Some(mut read) = self.read.take() {
            self.take_in(&mut read, value);
            self.read = Some(read);
        }
        self.path.pop();
    }

    /// What the element that ends here says.
    fn take_in(&mut self, read: &mut ClientConfig, value: String) {
        let names: Vec<&str> = self.path.iter().map(String::as_str).collect();
        match names.as_slice() {
            ["clientConfig", "emailProvider", "displayName"] if !value.is_empty() => {
                let shown = value.chars().filter(|c| !c.is_control()).take(100).collect();
                read.name.get_or_insert(shown);
            }
            ["clientConfig", "emailProvider", "incomingServer"] => {
                keep(&mut read.imap, "imap", self.section.take(), &mut read.skipped);
            }
            ["clientConfig", "emailProvider", "outgoingServer"] => {
                keep(&mut read.smtp, "smtp", self.section.take(), &mut read.skipped);
            }
            ["clientConfig", "emailProvider", _, name] => {
                if let Some(section) = &mut self.section {
                    section.set(name, value);
                }
            }
            ["clientConfig", "oAuth2", name] => set_oauth(read.oauth.get_or_insert_default(), name, value),
            _ => {}
        }
    }

    fn finish(self) -> Result<ClientConfig> {
        if !self.path.is_empty() {
            return Err(unreadable("it ends in the middle"));
        }
        let mut read = self.read.ok_or_else(|| unreadable("it is another kind of file"))?;
        read.oauth = read.oauth.filter(|oauth| !oauth.issuer.is_empty());
        Ok(read)
    }
}

impl Section {
    fn set(&mut self, name: &str, value: String) {
        let field = match name {
            "hostname" => &mut self.host,
            "port" => &mut self.port,
            "socketType" => &mut self.socket,
            "username" => &mut self.user,
            "authentication" => return self.authentication.push(value),
            _ => return,
        };
        *field = value;
    }

    /// The server, or why it cannot be used.
    fn offer(self) -> Result<Offer, &'static str> {
        let port = self.port.parse().ok().filter(|port| *port > 0).ok_or("its port is no number of one")?;
        let tls = match self.socket.to_ascii_uppercase().as_str() {
            "SSL" | "TLS" => Tls::Implicit,
            "STARTTLS" => Tls::Starttls,
            "PLAIN" => return Err("it is without TLS"),
            _ => return Err("how it is made safe is not said"),
        };
        if self.host.is_empty() || self.host.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err("it has no host name");
        }
        if self.user.contains(char::is_control) {
            return Err("its user name is more than one line");
        }
        let takes = takes(&self.authentication);
        if takes.is_empty() {
            return Err("it takes no kind of login that is known here");
        }
        let user = Some(self.user).filter(|user| !user.is_empty());
        Ok(Offer { host: self.host, port, tls, user, takes })
    }
}

/// What we can do of what a server takes. A section without a word about it takes a password, as old files do. Methods
/// that hide the password from the server are left out: within TLS they prove nothing more.
fn takes(authentication: &[String]) -> Vec<Takes> {
    if authentication.is_empty() {
        return vec![Takes::Password];
    }
    let mut takes = Vec::new();
    for method in authentication {
        let method = match method.to_ascii_lowercase().as_str() {
            // "plain" is what old files say.
            "password-cleartext" | "plain" => Takes::Password,
            "oauth2" => Takes::Oauth,
            _ => continue,
        };
        if !takes.contains(&method) {
            takes.push(method);
        }
    }
    takes
}

fn keep(offers: &mut Vec<Offer>, kind: &str, section: Option<Section>, skipped: &mut Vec<String>) {
    // POP3, EWS and others are not what is looked for.
    let Some(section) = section.filter(|section| section.kind == kind) else { return };
    if offers.len() + skipped.len() >= MOST {
        return;
    }
    let host: String = section.host.chars().filter(|c| !c.is_control()).take(100).collect();
    match section.offer() {
        Ok(offer) => offers.push(offer),
        Err(why) => skipped.push(format!("{kind} server {host}: {why}")),
    }
}

fn set_oauth(oauth: &mut OauthHint, name: &str, value: String) {
    let https = |value: &str| Url::parse(value).ok().filter(|url| url.scheme() == "https");
    match name {
        "issuer" => oauth.issuer = value,
        "scope" => oauth.scope = value,
        "authURL" => oauth.authorize_url = https(&value),
        "tokenURL" => oauth.token_url = https(&value),
        _ => {}
    }
}
