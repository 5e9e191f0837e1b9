//! The tables in `docs.md` are those of the data. `UPDATE_GOLDEN=1` writes them anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use omni_email::Config;
use omni_email::capabilities::capabilities;
use omni_email::error::{Again, IMAP, SMTP, Stage};
use omni_email::oauth::{ISSUERS, Pkce};
use omni_email::presets::{Credential, PRESETS, Place, Preset};
use omni_testkit::docs;

const CRATE: &str = env!("CARGO_MANIFEST_DIR");

/// One test for all of them: each writes the same file anew.
#[test]
fn the_tables_of_the_documentation_are_the_data() {
    let caps = capabilities(&Config::new("help@example.com", ""), None);
    docs::is_in_docs(CRATE, "providers", &providers());
    docs::is_in_docs(CRATE, "issuers", &issuers());
    docs::is_in_docs(CRATE, "capabilities", &docs::capabilities(CRATE, &[("Support", &caps)]));
    docs::is_in_docs(CRATE, "settings", &docs::settings::<Config>());
    docs::is_in_docs(CRATE, "smtp errors", &smtp());
    docs::is_in_docs(CRATE, "imap errors", &imap());
}

fn providers() -> String {
    let rows = PRESETS.iter().map(|row| {
        vec![
            row.name.to_owned(),
            domains(row),
            place(row.imap),
            place(row.smtp),
            row.credentials.iter().map(login).collect::<Vec<_>>().join(", "),
            row.send_bytes.map(|bytes| format!("{} MB", bytes / 1_000_000)).unwrap_or_default(),
            row.advice.to_owned(),
            row.doubt.unwrap_or_default().to_owned(),
        ]
    });
    docs::table(
        &[
            "Provider",
            "Addresses",
            "IMAP",
            "SMTP",
            "Login",
            "Largest mail",
            "Before the first login",
            "Not proven",
        ],
        rows,
    )
}

fn domains(row: &Preset) -> String {
    let own = (!row.mx.is_empty()).then_some("own domains");
    row.domains.iter().copied().chain(own).collect::<Vec<_>>().join(", ")
}

fn place(place: Place) -> String {
    format!("{} {}", place.host, place.port)
}

fn login(credential: &Credential) -> String {
    match credential {
        Credential::Password => "password".to_owned(),
        Credential::AppPassword => "app password".to_owned(),
        Credential::Oauth(issuer) => format!("OAuth `{issuer}`"),
        _ => panic!("a kind of login without words"),
    }
}

fn issuers() -> String {
    let rows = ISSUERS.iter().map(|row| {
        let pkce = match row.pkce {
            Pkce::Needed => "needed",
            Pkce::Taken => "taken",
            _ => "not known",
        };
        let scopes = row.scopes.iter().map(|scope| format!("`{scope}`")).collect::<Vec<_>>().join(" ");
        vec![format!("`{}`", row.id), row.name.to_owned(), scopes, pkce.to_owned(), row.note.to_owned()]
    });
    docs::table(&["Issuer", "Of", "Scopes", "PKCE", "To know"], rows)
}

fn smtp() -> String {
    let rows = SMTP.iter().map(|row| {
        let stages = row.stages.iter().map(|stage| match stage {
            Stage::Hello => "greeting",
            Stage::Login => "login",
            Stage::Sender => "sender",
            Stage::Recipient => "recipient",
            Stage::Data => "mail",
        });
        let numbers = match row.numbers {
            (from, to) if from == to => from.to_string(),
            (from, to) => format!("{from}-{to}"),
        };
        vec![
            stages.collect::<Vec<_>>().join(", "),
            numbers,
            row.status.to_owned(),
            row.words.to_owned(),
            format!("{:?}", row.kind),
            again(row.again),
            row.advice.unwrap_or_default().to_owned(),
        ]
    });
    docs::table(&["At", "Number", "Code", "Words", "Means", "Pause", "What to do"], rows)
}

fn imap() -> String {
    let rows = IMAP.iter().map(|row| {
        vec![
            row.code.to_owned(),
            row.words.to_owned(),
            format!("{:?}", row.kind),
            again(row.again),
            row.advice.unwrap_or_default().to_owned(),
        ]
    });
    docs::table(&["Code", "Words", "Means", "Pause", "What to do"], rows)
}

fn again(again: Again) -> String {
    match again {
        Again::Usual => String::new(),
        Again::Aged => "the message waits, longer each time".to_owned(),
        Again::Account(seconds) => format!("the mailbox waits {seconds} s"),
    }
}
