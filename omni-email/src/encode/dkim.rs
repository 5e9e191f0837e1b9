//! Signing mails (RFC 6376; RFC 8463 for Ed25519): relaxed headers, relaxed body.
//!
//! The signature is determined by the mail and its time, so a repeated mail stays the same to the byte.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use omni_core::error::{Error, Result};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};

use super::address::MailAddress;
use crate::config::Dkim;

/// What is signed, where the mail has it (RFC 6376, 5.4.1; RFC 8058 wants the last two).
const SIGNED: [&str; 13] = [
    "from",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "reply-to",
    "mime-version",
    "content-type",
    "list-unsubscribe",
    "list-unsubscribe-post",
];
/// Named once more than the mail has them: a second one that somebody adds on the way breaks the signature
/// (RFC 6376, 8.15).
const SEALED: [&str; 4] = ["from", "to", "subject", "date"];

/// Whether a key can sign. What is wrong is told without the key.
///
/// # Errors
/// [`Configuration`](omni_core::error::ErrorKind::Configuration).
pub(crate) fn check_dkim_key(dkim: &Dkim) -> Result<()> {
    Key::read(dkim).map(|_| ())
}

/// A key that signs.
enum Key {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

/// The mail with a signature above it. `age` is the time since 1970 at which it was made.
///
/// # Errors
/// [`Configuration`](omni_core::error::ErrorKind::Configuration) for a key, a domain or a selector that cannot be used.
pub(super) fn sign(mail: &[u8], dkim: &Dkim, age: Duration) -> Result<Vec<u8>> {
    let key = Key::read(dkim)?;
    let domain = MailAddress::read(&format!("dkim@{}", dkim.domain))
        .map_err(|_| wrong("dkim.domain must be the domain that signs"))?;
    let is_label = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if dkim.selector.is_empty() || !dkim.selector.bytes().all(is_label) {
        return Err(wrong("dkim.selector must be a name"));
    }
    let (head, body) = split(mail);
    let fields = fields(head);
    let (names, mut signed) = covered(&fields);
    let unsigned = format!(
        "DKIM-Signature: v=1; a={}; c=relaxed/relaxed; d={};\r\n\ts={}; t={};\r\n\th={};\r\n\tbh={};\r\n\tb=",
        key.algorithm(),
        domain.domain(),
        dkim.selector,
        age.as_secs(),
        names.join(":\r\n\t "),
        STANDARD.encode(Sha256::digest(relaxed_body(body))),
    );
    // The field itself is signed too, without its signature and without an end of line.
    signed.push_str(relaxed_field(&unsigned).trim_end());
    let signature = folded(&STANDARD.encode(key.sign(signed.as_bytes())?));
    let mut out = Vec::with_capacity(mail.len() + unsigned.len() + signature.len() + 2);
    for part in [unsigned.as_bytes(), signature.as_bytes(), b"\r\n", mail] {
        out.extend_from_slice(part);
    }
    Ok(out)
}

fn wrong(text: &str) -> Error {
    Error::configuration("configure", text)
}

fn unreadable() -> Error {
    wrong("dkim.key cannot be read").with_advice(
        "an RSA key is PEM that begins with BEGIN RSA PRIVATE KEY or BEGIN PRIVATE KEY and has 2048 to 4096 bits, an \
         Ed25519 key the base64 of its 32 bytes",
    )
}

impl Key {
    fn read(dkim: &Dkim) -> Result<Self> {
        let key = dkim.key.expose().trim();
        if !key.starts_with("-----") {
            let pair =
                STANDARD.decode(key).ok().and_then(|seed| Ed25519KeyPair::from_seed_unchecked(&seed).ok());
            return pair.map(|pair| Key::Ed25519(Box::new(pair))).ok_or_else(unreadable);
        }
        let pair = match PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| unreadable())? {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            _ => return Err(unreadable()),
        };
        pair.map(|pair| Key::Rsa(Box::new(pair))).map_err(|_| unreadable())
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        }
    }

    fn sign(&self, data: &[u8]) -> Result<Vec<u8>> {
        match self {
            // RFC 8463, section 3: the hash is what is signed.
            Key::Ed25519(pair) => Ok(pair.sign(&Sha256::digest(data)).as_ref().to_vec()),
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                // The randomness only hides the key from clocks; the signature is the same every time.
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), data, &mut signature)
                    .map_err(|_| wrong("dkim.key does not sign"))?;
                Ok(signature)
            }
        }
    }
}

/// Headers, each with its end of line, and body.
fn split(mail: &[u8]) -> (&[u8], &[u8]) {
    let end = mail.windows(4).position(|w| w == b"\r\n\r\n").map_or(mail.len(), |at| at + 2);
    let (head, rest) = mail.split_at(end);
    (head, rest.strip_prefix(b"\r\n").unwrap_or(rest))
}

/// The fields of the headers, folded as they are.
fn fields(head: &[u8]) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for line in String::from_utf8_lossy(head).split_inclusive("\r\n") {
        match fields.last_mut() {
            Some(field) if line.starts_with([' ', '\t']) => field.push_str(line),
            _ => fields.push(line.to_owned()),
        }
    }
    fields
}

/// The names of what is signed, and what is signed.
fn covered(fields: &[String]) -> (Vec<&'static str>, String) {
    let mut names = Vec::new();
    let mut signed = String::new();
    for name in SIGNED {
        let has_name =
            |field: &&String| field.split(':').next().is_some_and(|n| n.trim().eq_ignore_ascii_case(name));
        if let Some(field) = fields.iter().rev().find(has_name) {
            names.push(name);
            signed.push_str(&relaxed_field(field));
        }
    }
    names.extend(SEALED);
    (names, signed)
}

/// RFC 6376, 3.4.2.
fn relaxed_field(field: &str) -> String {
    let (name, value) = field.split_once(':').unwrap_or((field, ""));
    let words: Vec<&str> = value.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()).collect();
    format!("{}:{}\r\n", name.trim().to_ascii_lowercase(), words.join(" "))
}

/// RFC 6376, 3.4.4.
fn relaxed_body(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut blank = false;
    for (index, &byte) in body.iter().enumerate() {
        match byte {
            b' ' | b'\t' => blank = true,
            b'\r' if body.get(index + 1) == Some(&b'\n') => {
                blank = false;
                out.push(byte);
            }
            byte => {
                if std::mem::take(&mut blank) {
                    out.push(b' ');
                }
                out.push(byte);
            }
        }
    }
    while out.ends_with(b"\r\n\r\n") {
        out.truncate(out.len() - 2);
    }
    match out.as_slice() {
        b"\r\n" => Vec::new(),
        [] => out,
        _ if out.ends_with(b"\r\n") => out,
        _ => {
            out.extend_from_slice(b"\r\n");
            out
        }
    }
}

/// Base64 in lines that headers may have.
fn folded(base64: &str) -> String {
    let lines: Vec<String> =
        base64.as_bytes().chunks(72).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    lines.join("\r\n\t ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8463, appendix A.3.
    const BODY: &[u8] = b"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";

    #[test]
    fn the_body_hash_is_that_of_the_standards_example() {
        let hash = STANDARD.encode(Sha256::digest(relaxed_body(BODY)));
        assert_eq!(hash, "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
    }

    #[test]
    fn blanks_and_empty_lines_count_as_the_standard_says() {
        // RFC 6376, 3.4.5
        assert_eq!(relaxed_field("A: X\r\n"), "a:X\r\n");
        assert_eq!(relaxed_field("B : Y\t\r\n\tZ  \r\n"), "b:Y Z\r\n");
        assert_eq!(relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n"), b" C\r\nD E\r\n");
        assert_eq!(relaxed_body(b""), b"");
        assert_eq!(relaxed_body(b"\r\n\r\n"), b"");
        assert_eq!(relaxed_body(b"no end"), b"no end\r\n");
    }
}
