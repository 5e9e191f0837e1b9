//! What settings are refused, and what a person is told; and the table of providers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use omni_core::error::{Error, ErrorKind};
use omni_email::presets::{Autosaves, Credential, PRESETS, Quirk, UserName, preset};
use omni_email::{AnswerTo, Auth, Config, Dkim, First, Grant, Junk, Seen, SentCopy, Server, Tls};
use serde_json::{Value, json};
use url::Url;

const PASSWORD: &str = "пароль😀-hunter22";

fn server(host: &str, port: u16, tls: Tls) -> Server {
    Server { host: host.to_owned(), port, tls }
}

/// A mailbox at a company's own servers.
fn own() -> Config {
    Config::new("help@shop.example", PASSWORD)
        .at(server("mail.shop.example", 993, Tls::Implicit), server("mail.shop.example", 587, Tls::Starttls))
}

fn oauth() -> Auth {
    Auth::Oauth {
        token_url: Url::parse("https://oauth.yandex.com/token").unwrap(),
        client_id: "app".to_owned(),
        client_secret: Some("s3cr3t-app".into()),
        refresh_token: Some("r3fr3sh-1".into()),
        scope: None,
        grant: Grant::Consent,
    }
}

/// What somebody is told who changes the settings of [`own`] so.
fn refused(change: impl FnOnce(&mut Config)) -> Error {
    let mut config = own();
    change(&mut config);
    config.validate().expect_err("it is wrong")
}

fn told(error: &Error) -> String {
    format!("{} {}", error.text().unwrap_or_default(), error.advice().unwrap_or_default())
}

#[test]
fn address_and_password_are_enough_at_a_known_provider() {
    let config = Config::new("help@yandex.ru", PASSWORD);
    config.validate().unwrap();
    assert_eq!(config.imap_server().unwrap(), server("imap.yandex.com", 993, Tls::Implicit));
    assert_eq!(config.smtp_server().unwrap(), server("smtp.yandex.com", 465, Tls::Implicit));
    assert_eq!(config.user(), "help@yandex.ru");
    assert_eq!(config.send_limit(), Some(30_000_000));
}

#[test]
fn servers_of_ones_own_go_before_those_of_the_provider() {
    let mut config = Config::new("anna@web.de", PASSWORD);
    assert_eq!(config.user(), "anna");
    config.user = Some("shared".to_owned());
    config.smtp = Some(server("relay.shop.example", 587, Tls::Starttls));
    config.send_bytes = Some(5 << 20);
    config.validate().unwrap();
    assert_eq!(config.imap_server().unwrap().host, "imap.web.de");
    assert_eq!(config.smtp_server().unwrap().host, "relay.shop.example");
    assert_eq!(config.user(), "shared");
    assert_eq!(config.send_limit(), Some(5 << 20));
}

#[test]
fn an_own_domain_at_a_known_provider_is_known_by_its_server() {
    let at = |host: &str| own().at(server(host, 993, Tls::Implicit), server(host, 465, Tls::Implicit));
    assert_eq!(at("imap.yandex.ru").preset().map(|preset| preset.id), Some("yandex"));
    assert_eq!(at("mail.shop.example").preset(), None);
}

#[test]
fn the_servers_of_an_address_that_nobody_knows_have_to_be_named() {
    let error = Config::new("help@shop.example", PASSWORD).validate().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.advice().unwrap().contains("imap and smtp"), "{error}");
    assert!(error.advice().unwrap().contains("discover"), "{error}");
}

#[test]
fn every_wrong_setting_is_named_and_what_to_do_and_nothing_secret_is_shown() {
    let key = || Dkim { domain: "shop.example".into(), selector: "m1".into(), key: "no-k3y".into() };
    let in_auth = |change: fn(&mut Auth)| {
        refused(|config| {
            config.auth = oauth();
            change(&mut config.auth);
        })
    };
    for (words, error) in [
        (["address", "help@example.com"], refused(|c| c.address = "Анна <anna@shop.example>".into())),
        (["address", "help@example.com"], refused(|c| c.address = "anna".into())),
        (["address", "help@example.com"], refused(|c| c.address = " anna@shop.example".into())),
        (["address", "help@example.com"], refused(|c| c.address = "anna@shop".into())),
        (["address", "help@example.com"], refused(|c| c.address = "a\r\nBcc: b@shop.example".into())),
        (
            ["address", "help@example.com"],
            refused(|c| c.address = format!("{}@shop.example", "ж".repeat(130))),
        ),
        (["aliases", "help@example.com"], refused(|c| c.aliases = vec!["a@b.example, c@d.example".into()])),
        (["auth.password", "empty"], refused(|c| c.auth = Auth::Password { password: "".into() })),
        (
            ["auth.password", "one line"],
            refused(|c| c.auth = Auth::Password { password: "hunter22\n".into() }),
        ),
        (
            ["auth.token_url", "https"],
            in_auth(|auth| {
                let Auth::Oauth { token_url, .. } = auth else { return };
                *token_url = Url::parse("http://oauth.yandex.com/token").unwrap();
            }),
        ),
        (
            ["auth.token_url", "password"],
            in_auth(|auth| {
                let Auth::Oauth { token_url, .. } = auth else { return };
                *token_url = Url::parse("https://app:hunter22@oauth.yandex.com/token").unwrap();
            }),
        ),
        (
            ["auth.client_id", "application"],
            in_auth(|auth| {
                let Auth::Oauth { client_id, .. } = auth else { return };
                *client_id = " ".into();
            }),
        ),
        (
            ["auth.client_secret", "leave it out"],
            in_auth(|auth| {
                let Auth::Oauth { client_secret, .. } = auth else { return };
                *client_secret = Some("".into());
            }),
        ),
        (
            ["auth.refresh_token", "leave it out"],
            in_auth(|auth| {
                let Auth::Oauth { refresh_token, .. } = auth else { return };
                *refresh_token = Some("".into());
            }),
        ),
        (
            ["auth.grant", "auth.scope"],
            in_auth(|auth| {
                let Auth::Oauth { grant, .. } = auth else { return };
                *grant = Grant::Application;
            }),
        ),
        (["imap.host", "imap.example.com"], refused(|c| c.imap.as_mut().unwrap().host = "".into())),
        (["imap.host", "imap.example.com"], refused(|c| c.imap.as_mut().unwrap().host = "mail shop".into())),
        (
            ["smtp.host", "smtp.example.com"],
            refused(|c| c.smtp.as_mut().unwrap().host = "https://a/b".into()),
        ),
        (["imap.port", "0"], refused(|c| c.imap.as_mut().unwrap().port = 0)),
        (["imap.tls", "implicit"], refused(|c| c.imap.as_mut().unwrap().tls = Tls::None)),
        (["smtp.tls", "starttls"], refused(|c| c.smtp.as_mut().unwrap().tls = Tls::None)),
        (["imap", "wants tls implicit"], refused(|c| c.imap.as_mut().unwrap().tls = Tls::Starttls)),
        (["smtp", "wants tls starttls"], refused(|c| c.smtp.as_mut().unwrap().tls = Tls::Implicit)),
        (["user", "one line"], refused(|c| c.user = Some("a\r\nb".into()))),
        (["name", "one line"], refused(|c| c.name = Some("Ромашка\u{0}".into()))),
        (["subject", "one line"], refused(|c| c.subject = Some("Заказ\r\nBcc: x@y.example".into()))),
        (["ehlo", "mail.example.com"], refused(|c| c.ehlo = Some("почта".into()))),
        (["ehlo", "[192.0.2.1]"], refused(|c| c.ehlo = Some("[999.1.1.1]".into()))),
        (["folders", "INBOX"], refused(|c| c.folders = Vec::new())),
        (["folders", "one line"], refused(|c| c.folders = vec!["INBOX\r\n".into()])),
        (["folders", "twice"], refused(|c| c.folders = vec!["INBOX".into(), "inbox".into()])),
        (["idle_minutes", "1 to 29"], refused(|c| c.idle_minutes = 30)),
        (["idle_minutes", "1 to 29"], refused(|c| c.idle_minutes = 0)),
        (["poll_seconds", "5 to 3600"], refused(|c| c.poll_seconds = 4)),
        (["first.days", "1 to 3650"], refused(|c| c.first = First::Days { days: 0 })),
        (["max_whole", "65536"], refused(|c| c.max_whole = 1)),
        (["max_whole", "at most"], refused(|c| c.max_whole = u64::MAX)),
        (["fetch_bytes", "65536"], refused(|c| c.fetch_bytes = 0)),
        (["fetch_bytes", "at most"], refused(|c| c.fetch_bytes = 1 << 40)),
        (["send_bytes", "65536"], refused(|c| c.send_bytes = Some(1))),
        (["ca_pem", "BEGIN CERTIFICATE"], refused(|c| c.ca_pem = Some("hunter22".into()))),
        (["dkim.domain", "example.com"], refused(|c| c.dkim = Some(Dkim { domain: "".into(), ..key() }))),
        (["dkim.selector", "mail2026"], refused(|c| c.dkim = Some(Dkim { selector: "a b".into(), ..key() }))),
        (["dkim.key", "PEM"], refused(|c| c.dkim = Some(Dkim { key: "".into(), ..key() }))),
        (["dkim", "key"], refused(|c| c.dkim = Some(key()))),
    ] {
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        for word in words {
            assert!(told(&error).contains(word), "{word:?} is not in: {error}");
        }
        let shown = format!("{error} {error:?}");
        for secret in ["hunter22", "пароль", "s3cr3t-app", "r3fr3sh-1", "no-k3y"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[test]
fn whole_settings_of_all_kinds_are_good() {
    own().validate().unwrap();
    Config::with_auth("help@yandex.ru", oauth()).validate().unwrap();
    let loopback = |port| server("127.0.0.1", port, Tls::None);
    own().at(loopback(1143), loopback(1025)).validate().unwrap();
    own()
        .at(server("[::1]", 993, Tls::Implicit), server("localhost", 465, Tls::Implicit))
        .validate()
        .unwrap();
    let mut config = own();
    config.address = "помощь@ромашка.рф".to_owned();
    config.aliases = vec!["sales+eu@shop.example".to_owned()];
    config.name = Some("Ромашка 😀".to_owned());
    config.folders = vec!["INBOX".to_owned(), "Заказы".to_owned()];
    config.ehlo = Some("[IPv6:2001:db8::1]".to_owned());
    config.validate().unwrap();
}

#[test]
fn a_password_is_refused_where_the_provider_takes_none_with_its_advice() {
    for address in ["shop@outlook.com", "shop@hotmail.com"] {
        let error = Config::new(address, PASSWORD).validate().unwrap_err();
        assert!(error.text().unwrap().contains("auth.with to oauth"), "{error}");
        assert!(error.advice().unwrap().contains("OAuth"), "{error}");
        Config::with_auth(address, oauth()).validate().unwrap();
    }
}

#[test]
fn settings_survive_being_stored_and_show_no_secret() {
    let mut config = own();
    config.name = Some("Ромашка 😀".to_owned());
    (config.junk, config.seen, config.sent) = (Junk::Watch, Seen::WhenTaken, SentCopy::Never);
    (config.first, config.answer) = (First::Days { days: 14 }, AnswerTo::Writer);
    config.dkim =
        Some(Dkim { domain: "shop.example".into(), selector: "m1".into(), key: "k3y-of-dkim".into() });
    let other = Config::with_auth("help@yandex.ru", oauth());
    for config in [config, other] {
        let stored = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&stored).unwrap(), config);
        let shown = format!("{config:?}");
        for secret in ["hunter22", "s3cr3t-app", "r3fr3sh-1", "k3y-of-dkim"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[test]
fn what_is_left_out_is_what_the_schema_says() {
    let short = json!({"address": "help@yandex.ru", "auth": {"with": "password", "password": "x"}});
    assert_eq!(serde_json::from_value::<Config>(short).unwrap(), Config::new("help@yandex.ru", "x"));
    let schema = schema();
    let defaults = serde_json::to_value(Config::new("help@yandex.ru", "x")).unwrap();
    for (name, setting) in schema["properties"].as_object().unwrap() {
        if let Some(default) = setting.get("default").filter(|default| !default.is_null()) {
            assert_eq!(&defaults[name.as_str()], default, "{name}");
        }
    }
}

fn schema() -> Value {
    serde_json::to_value(schemars::schema_for!(Config)).unwrap()
}

#[test]
fn unknown_settings_are_refused_and_secrets_are_marked() {
    for json in [
        json!({"address": "a@ya.ru", "auth": {"with": "password", "password": "x"}, "imap_host": "x"}),
        json!({"address": "a@ya.ru", "auth": {"with": "password", "password": "x", "user": "a"}}),
        json!({"address": "a@ya.ru", "auth": {"with": "magic"}}),
        json!({"address": "a@ya.ru", "auth": {"with": "password", "password": "x"}, "imap": {"host": "x"}}),
        json!({"auth": {"with": "password", "password": "x"}}),
    ] {
        assert!(serde_json::from_value::<Config>(json.clone()).is_err(), "{json}");
    }
    let schema = schema();
    assert_eq!(schema["required"], json!(["address", "auth"]));
    for (name, setting) in schema["properties"].as_object().unwrap() {
        assert!(setting["title"].is_string(), "{name} has no title");
        assert!(setting["description"].is_string(), "{name} has no help");
    }
    let secrets = format!("{schema}").matches("writeOnly").count();
    assert!(secrets >= 1, "{schema}");
}

/// Section 4 of the fact sheet, typed anew: who, where mail is read and handed in, what is taken to log in.
const SHEET: [(&str, &str, &str, u16, &str, u16); 25] = [
    ("yandex", "a@yandex.ru", "imap.yandex.com", 993, "smtp.yandex.com", 465),
    ("mailru", "a@bk.ru", "imap.mail.ru", 993, "smtp.mail.ru", 465),
    ("gmail", "a@gmail.com", "imap.gmail.com", 993, "smtp.gmail.com", 465),
    ("outlook", "a@live.com", "outlook.office365.com", 993, "smtp-mail.outlook.com", 587),
    ("microsoft365", "", "outlook.office365.com", 993, "smtp.office365.com", 587),
    ("rambler", "a@lenta.ru", "imap.rambler.ru", 993, "smtp.rambler.ru", 465),
    ("icloud", "a@me.com", "imap.mail.me.com", 993, "smtp.mail.me.com", 587),
    ("yahoo", "a@yahoo.co.uk", "imap.mail.yahoo.com", 993, "smtp.mail.yahoo.com", 465),
    ("aol", "a@aol.com", "imap.aol.com", 993, "smtp.aol.com", 465),
    ("zoho", "a@zoho.com", "imap.zoho.com", 993, "smtp.zoho.com", 465),
    ("zoho-eu", "a@zoho.eu", "imap.zoho.eu", 993, "smtp.zoho.eu", 465),
    ("zoho-in", "a@zoho.in", "imap.zoho.in", 993, "smtp.zoho.in", 465),
    ("zoho-pro", "", "imappro.zoho.com", 993, "smtppro.zoho.com", 465),
    ("zoho-eu-pro", "", "imappro.zoho.eu", 993, "smtppro.zoho.eu", 465),
    ("zoho-in-pro", "", "imappro.zoho.in", 993, "smtppro.zoho.in", 465),
    ("gmx", "a@gmx.de", "imap.gmx.net", 993, "mail.gmx.net", 465),
    ("gmx-com", "a@gmx.com", "imap.gmx.com", 993, "mail.gmx.com", 465),
    ("mailcom", "a@mail.com", "imap.mail.com", 993, "smtp.mail.com", 465),
    ("webde", "a@web.de", "imap.web.de", 993, "smtp.web.de", 465),
    ("fastmail", "a@fastmail.com", "imap.fastmail.com", 993, "smtp.fastmail.com", 465),
    ("proton", "a@pm.me", "127.0.0.1", 1143, "127.0.0.1", 1025),
    ("seznam", "a@seznam.cz", "imap.seznam.cz", 993, "smtp.seznam.cz", 465),
    ("qq", "a@qq.com", "imap.qq.com", 993, "smtp.qq.com", 465),
    ("netease", "a@163.com", "imap.163.com", 993, "smtp.163.com", 465),
    ("naver", "a@naver.com", "imap.naver.com", 993, "smtp.naver.com", 465),
];

#[test]
fn the_table_of_providers_is_the_sheet() {
    assert_eq!(PRESETS.len(), SHEET.len());
    for (id, address, imap, imap_port, smtp, smtp_port) in SHEET {
        let row = PRESETS.iter().find(|row| row.id == id).expect(id);
        assert_eq!((row.imap.host, row.imap.port), (imap, imap_port), "{id}");
        assert_eq!((row.smtp.host, row.smtp.port), (smtp, smtp_port), "{id}");
        if address.is_empty() {
            assert!(row.domains.is_empty() && !row.mx.is_empty(), "{id}: own domains alone");
        } else {
            assert_eq!(preset(address).map(|row| row.id), Some(id), "{address}");
        }
    }
}

#[test]
fn a_mailbox_at_each_provider_is_set_up_by_address_and_one_kind_of_login() {
    for row in &PRESETS {
        for domain in row.domains {
            let address = format!("help@{domain}");
            let with_password = Config::new(&address, PASSWORD).validate();
            assert_eq!(with_password.is_ok(), row.takes_passwords(), "{address}: {with_password:?}");
            if let Err(error) = with_password {
                assert_eq!(error.advice(), Some(row.advice), "{address}");
            }
            Config::with_auth(&address, oauth()).validate().unwrap();
        }
    }
}

#[test]
fn each_provider_says_which_kind_of_password_it_wants() {
    for row in &PRESETS {
        let advice = row.advice.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| advice.contains(word));
        let app = ["app password", "app-specific password", "external", "authorisation code", "bridge"];
        match row.credentials.first().unwrap() {
            Credential::AppPassword => assert!(says(&app), "{}: {advice}", row.id),
            Credential::Password => assert!(says(&["password"]), "{}: {advice}", row.id),
            Credential::Oauth(_) => assert!(says(&["oauth"]), "{}: {advice}", row.id),
            _ => panic!("{}: a kind of login without a rule", row.id),
        }
        assert!(advice.ends_with('.') && !advice.contains("  "), "{}: {advice}", row.id);
    }
    let app_only =
        ["yandex", "mailru", "gmail", "icloud", "yahoo", "aol", "fastmail", "qq", "netease", "proton"];
    for id in app_only {
        let row = PRESETS.iter().find(|row| row.id == id).unwrap();
        assert!(!row.credentials.contains(&Credential::Password), "{id} refuses the account's own password");
    }
}

#[test]
fn limits_names_and_quirks_of_providers_are_those_of_the_sheet() {
    let row = |id: &str| PRESETS.iter().find(|row| row.id == id).unwrap();
    const MB: u64 = 1_000_000;
    for (id, bytes) in [
        ("gmail", 25 * MB),
        ("outlook", 20 * MB),
        ("microsoft365", 35 * MB),
        ("yandex", 30 * MB),
        ("mailru", 25 * MB),
        ("icloud", 20 * MB),
        ("yahoo", 25 * MB),
    ] {
        assert_eq!(row(id).send_bytes, Some(bytes), "{id}");
    }
    for id in ["gmail", "microsoft365", "outlook", "mailru"] {
        assert_eq!(row(id).autosaves_sent, Autosaves::Yes, "{id}");
    }
    assert_eq!(row("yandex").autosaves_sent, Autosaves::Unknown);
    assert!(row("yandex").has(Quirk::NoPartialFetch) && row("yahoo").has(Quirk::NoIdle));
    assert!(row("zoho-eu-pro").has(Quirk::IgnoreModseq) && row("netease").has(Quirk::IdBeforeSelect));
    assert!(row("proton").has(Quirk::OwnCertificate));
    assert_eq!(row("webde").user, UserName::LocalPart);
}
