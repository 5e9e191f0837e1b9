//! Signatures, checked by the standard alone (RFC 6376): nothing of the signer is used here.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;
use ring::signature::{
    ED25519, Ed25519KeyPair, KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};

use super::*;
use crate::config::Dkim;

/// RFC 8463, A.2: a key pair that everybody knows.
const SEED: &str = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
const PUBLIC: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
/// One key made for these tests, in both forms.
const PKCS1: &str = include_str!("rsa_pkcs1.pem");
const PKCS8: &str = include_str!("rsa_pkcs8.pem");

fn signing(key: &str) -> Config {
    let mut config = config();
    let key = Secret::new(key.to_owned());
    config.dkim = Some(Dkim { domain: "пример.рф".to_owned(), selector: "omni2026".to_owned(), key });
    config
}

fn rsa_public() -> Vec<u8> {
    let pem = PrivateKeyDer::from_pem_slice(PKCS8.as_bytes()).unwrap();
    RsaKeyPair::from_pkcs8(pem.secret_der()).unwrap().public_key().as_ref().to_vec()
}

/// A field in relaxed form, without its end of line (RFC 6376, 3.4.2).
fn relaxed(field: &str) -> String {
    let (name, value) = field.split_once(':').unwrap();
    let value = Regex::new(r"[ \t]+").unwrap().replace_all(&value.replace("\r\n", ""), " ").into_owned();
    format!("{}:{}", name.trim_end().to_lowercase(), value.trim_matches([' ', '\t']))
}

/// A body in relaxed form (RFC 6376, 3.4.4).
fn relaxed_body(body: &str) -> String {
    let blanks = Regex::new(r"[ \t]+").unwrap();
    let mut lines: Vec<String> = body
        .split("\r\n")
        .map(|line| blanks.replace_all(line, " ").trim_end_matches(' ').to_owned())
        .collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.iter().map(|line| format!("{line}\r\n")).collect()
}

/// Whether the topmost signature of a mail is good for a public key.
fn is_good(mail: &str, public: &[u8]) -> bool {
    let (head, body) = mail.split_once("\r\n\r\n").unwrap();
    let unfolded = Regex::new("\r\n(?P<blank>[ \t])").unwrap().replace_all(head, "\u{0}$blank").into_owned();
    let fields: Vec<String> = unfolded.split("\r\n").map(|field| field.replace('\u{0}', "\r\n")).collect();
    let is_named =
        |field: &str, name: &str| field.split(':').next().unwrap().trim().eq_ignore_ascii_case(name);
    let signature = fields.iter().find(|field| is_named(field, "dkim-signature")).unwrap();
    let tags: HashMap<String, String> = signature
        .split_once(':')
        .unwrap()
        .1
        .split(';')
        .filter_map(|tag| tag.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.split_whitespace().collect()))
        .collect();
    assert_eq!((tags["v"].as_str(), tags["c"].as_str()), ("1", "relaxed/relaxed"));
    assert_eq!((tags["d"].as_str(), tags["s"].as_str()), ("xn--e1afmkfd.xn--p1ai", "omni2026"));
    if STANDARD.encode(Sha256::digest(relaxed_body(body))) != tags["bh"] {
        return false;
    }
    let mut left: Vec<&String> = fields.iter().collect();
    let mut data = String::new();
    for name in tags["h"].split(':') {
        // From the bottom up; a name without a field counts as nothing.
        if let Some(at) = left.iter().rposition(|field| is_named(field, name)) {
            data += &format!("{}\r\n", relaxed(left.remove(at)));
        }
    }
    let unsigned = Regex::new(r"(?P<tag>;\s*b=)[^;]*").unwrap().replace(signature, "$tag").into_owned();
    data += &relaxed(&unsigned);
    let told = STANDARD.decode(&tags["b"]).unwrap();
    match tags["a"].as_str() {
        "rsa-sha256" => {
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public).verify(data.as_bytes(), &told).is_ok()
        }
        "ed25519-sha256" => {
            UnparsedPublicKey::new(&ED25519, public).verify(&Sha256::digest(&data), &told).is_ok()
        }
        other => panic!("{other}"),
    }
}

fn signed(key: &str) -> String {
    let parts = EmailParts {
        subject: Some("Счёт за ноябрь, который никак не помещается в одну строку 📄".into()),
        cc: vec!["boris@example.com".into()],
        ..EmailParts::default()
    };
    let file = file("Счёт.pdf", "application/pdf", b"%PDF-1.4\r\n\r\n");
    let content = Content::text("Добрый  день \n\n\n").and(Part::Email(parts)).and(Part::Media(file));
    String::from_utf8(sent_by(&item(content), &signing(key)).bytes.to_vec()).unwrap()
}

#[test]
fn signatures_of_both_kinds_are_good_by_the_standard() {
    let public = STANDARD.decode(PUBLIC).unwrap();
    let seed = STANDARD.decode(SEED).unwrap();
    assert_eq!(Ed25519KeyPair::from_seed_unchecked(&seed).unwrap().public_key().as_ref(), public);
    assert!(is_good(&signed(SEED), &public));
    for key in [PKCS1, PKCS8] {
        assert!(is_good(&signed(key), &rsa_public()));
    }
    assert_eq!(signed(PKCS1), signed(PKCS8));
    assert!(!is_good(&signed(SEED), &[7; 32]));
}

#[test]
fn what_somebody_changes_on_the_way_breaks_the_signature() {
    let public = STANDARD.decode(PUBLIC).unwrap();
    let mail = signed(SEED);
    let broken = |changed: String| {
        assert_ne!(changed, mail);
        assert!(!is_good(&changed, &public));
    };
    broken(mail.replacen("To: anna@", "To: hanna@", 1));
    broken(mail.replacen("JVBER", "JVBEX", 1));
    broken(mail.replacen("\r\nDate: Sat", "\r\nDate: Sun", 1));
    for second in ["From: x@y.example", "Subject: x", "To: x@y.example", "Date: x"] {
        broken(format!("{second}\r\n{mail}"));
    }
}

#[test]
fn what_servers_change_by_themselves_does_not() {
    let public = STANDARD.decode(PUBLIC).unwrap();
    let mail = signed(SEED);
    assert!(is_good(&format!("Received: from x by y;\r\n\tSat\r\n{mail}\r\n\r\n"), &public));
    assert!(is_good(&mail.replacen("From: ", "FROM :   ", 1), &public));
    assert!(is_good(&mail.replacen("\r\n\th=", "\r\n\t\t  h=", 1), &public));
}

#[test]
fn a_key_that_cannot_sign_is_told_without_the_key() {
    let short = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
    for key in
        ["", "secret-key", "c2VjcmV0", short, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
    {
        let error = match compose(&said("x"), &signing(key), now()) {
            Err(SendError::Rejected(error)) => error,
            other => panic!("{other:?}"),
        };
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("c2VjcmV0") && !shown.contains("secret-key"), "{shown}");
    }
    let mut config = signing(SEED);
    for (domain, selector) in [("shop.example\r\nx", "s"), ("shop.example", "s; d=x"), ("shop.example", "")] {
        let dkim = config.dkim.as_mut().unwrap();
        (dkim.domain, dkim.selector) = (domain.to_owned(), selector.to_owned());
        assert!(compose(&said("x"), &config, now()).is_err());
    }
}
