//! Finding servers: in a world of answers made up here, and over HTTP at a server on this machine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use omni_core::error::{Error, ErrorKind, Result};
use omni_email::discover::autoconfig::{self, LARGEST};
use omni_email::discover::{
    Ispdb, Look, Lookups, Mx, Network, Outcome, PlainHttp, PrivateNetworks, Servers, Srv, Step, Takes, Trust,
    discover,
};
use omni_email::{Auth, Server, Tls};
use proptest::prelude::*;
use tokio::time::Instant;
use url::Url;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const ADDRESS: &str = "Анна.help@shop.example";
const AUTOCONFIG: &str = "https://autoconfig.shop.example/mail/config-v1.1.xml";
const WELL_KNOWN: &str = "https://shop.example/.well-known/autoconfig/mail/config-v1.1.xml";
const IN_CLEAR: &str = "http://autoconfig.shop.example/mail/config-v1.1.xml";
const ISPDB: &str = "https://autoconfig.thunderbird.net/v1.1/";

/// A file that names these hosts, for passwords.
fn file(imap: &str, smtp: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
        <clientConfig version="1.1"><emailProvider id="shop.example">
          <domain>shop.example</domain><displayName>Ромашка &amp; Ко 😀</displayName>
          <incomingServer type="imap"><hostname>{imap}</hostname><port>993</port><socketType>SSL</socketType>
            <username>%EMAILADDRESS%</username><authentication>password-cleartext</authentication></incomingServer>
          <outgoingServer type="smtp"><hostname>{smtp}</hostname><port>465</port><socketType>SSL</socketType>
            <username>%EMAILADDRESS%</username><authentication>password-cleartext</authentication></outgoingServer>
        </emailProvider></clientConfig>"#
    )
}

/// Answers of the world, by what is asked for without its query. What is not there is not there.
#[derive(Debug, Default)]
struct World {
    files: HashMap<String, Result<String, ErrorKind>>,
    mx: HashMap<String, Vec<Mx>>,
    srv: HashMap<String, Vec<Srv>>,
    private: Vec<String>,
    /// How long each answer takes.
    slow: Duration,
    asked: Mutex<Vec<String>>,
}

impl World {
    fn file(mut self, at: &str, text: impl Into<String>) -> Self {
        self.files.insert(at.to_owned(), Ok(text.into()));
        self
    }

    fn failing(mut self, at: &str, kind: ErrorKind) -> Self {
        self.files.insert(at.to_owned(), Err(kind));
        self
    }

    fn mx(mut self, hosts: &[(u16, &str)]) -> Self {
        let made = |&(preference, host): &(u16, &str)| Mx { preference, host: host.to_owned() };
        self.mx.insert("shop.example".to_owned(), hosts.iter().map(made).collect());
        self
    }

    fn srv(mut self, service: &str, answers: &[(u16, u16, u16, &str)]) -> Self {
        let made = |&(priority, weight, port, host): &(u16, u16, u16, &str)| Srv {
            priority,
            weight,
            port,
            host: host.to_owned(),
        };
        self.srv.insert(format!("{service}._tcp.shop.example"), answers.iter().map(made).collect());
        self
    }

    fn asks(&self, what: &str) {
        self.asked.lock().unwrap().push(what.to_owned());
    }
}

/// The same world, for whoever looks at what was asked.
#[derive(Clone, Debug)]
struct Shared(Arc<World>);

#[async_trait]
impl Look for Shared {
    async fn get(&self, url: &Url) -> Result<Option<Bytes>> {
        self.0.asks(url.as_str());
        tokio::time::sleep(self.0.slow).await;
        let mut place = url.clone();
        place.set_query(None);
        match self.0.files.get(place.as_str()) {
            Some(Ok(text)) => Ok(Some(Bytes::from(text.clone()))),
            Some(Err(kind)) => Err(Error::new(*kind, "discover").with_text("the server has a cold")),
            None => Ok(None),
        }
    }

    async fn mx(&self, domain: &str) -> Result<Vec<Mx>> {
        self.0.asks(&format!("MX {domain}"));
        Ok(self.0.mx.get(domain).cloned().unwrap_or_default())
    }

    async fn srv(&self, name: &str) -> Result<Vec<Srv>> {
        self.0.asks(&format!("SRV {name}"));
        Ok(self.0.srv.get(name).cloned().unwrap_or_default())
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>> {
        let private = self.0.private.iter().any(|name| name == host);
        Ok(vec![if private { "10.0.0.7" } else { "93.184.216.34" }.parse().unwrap()])
    }
}

/// What is found, and everything that was asked.
async fn look_with(
    world: World,
    change: impl FnOnce(&mut Lookups),
) -> (omni_email::discover::Found, Vec<String>) {
    let world = Arc::new(world);
    let mut lookups = Lookups::through(Shared(Arc::clone(&world)));
    change(&mut lookups);
    let found = discover(ADDRESS, &lookups).await.unwrap();
    let asked = world.asked.lock().unwrap().clone();
    (found, asked)
}

async fn look(world: World) -> (omni_email::discover::Found, Vec<String>) {
    look_with(world, |_| {}).await
}

async fn servers(world: World) -> Servers {
    let (found, _) = look(world).await;
    found.servers.unwrap_or_else(|| panic!("nothing found: {:?}", found.tried))
}

fn server(host: &str, port: u16, tls: Tls) -> Server {
    Server { host: host.to_owned(), port, tls }
}

#[tokio::test]
async fn without_leave_nobody_is_asked_and_the_list_says_so() {
    let found = discover("help@shop.example", &Lookups::default()).await.unwrap();
    assert!(found.servers.is_none());
    assert_eq!(found.tried.iter().filter(|tried| tried.outcome == Outcome::NotAllowed).count(), 4);
    let error = found.config(Auth::Password { password: "hunter22".into() }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("look-ups are not allowed"), "{error}");
    assert!(error.advice().unwrap().contains("IMAP and SMTP"), "{error}");
}

#[tokio::test]
async fn a_known_provider_is_found_without_asking_anybody() {
    let world = Arc::new(World::default());
    let lookups = Lookups::through(Shared(Arc::clone(&world)));
    let found = discover(" help@BK.ru ", &lookups).await.unwrap();
    let servers = found.servers.as_ref().unwrap();
    assert_eq!((servers.by, servers.trust), (Step::Preset, Trust::Named));
    assert_eq!(servers.imap.host, "imap.mail.ru");
    assert!(servers.preset.unwrap().advice.contains("external application"));
    assert!(world.asked.lock().unwrap().is_empty());
    let config = found.config(Auth::Password { password: "x".into() }).unwrap();
    assert_eq!((config.imap, config.address.as_str()), (None, "help@BK.ru"));
}

#[tokio::test]
async fn what_is_no_address_is_told() {
    for address in ["", "anna", "@shop.example", "anna@", "anna@[192.0.2.1]"] {
        let error = discover(address, &Lookups::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{address}");
        assert!(error.advice().unwrap().contains("help@example.com"), "{error}");
    }
}

#[tokio::test]
async fn the_domain_s_own_file_comes_first_and_makes_settings() {
    let world = World::default()
        .file(AUTOCONFIG, file("imap.%EMAILDOMAIN%", "smtp.shop.example"))
        .file(&format!("{ISPDB}shop.example"), file("imap.other.example", "smtp.other.example"));
    let (found, asked) = look(world).await;
    let servers = found.servers.clone().unwrap();
    assert_eq!((servers.by, servers.trust), (Step::Autoconfig, Trust::Named));
    assert_eq!(servers.imap, server("imap.shop.example", 993, Tls::Implicit));
    assert_eq!(servers.smtp, server("smtp.shop.example", 465, Tls::Implicit));
    assert_eq!(servers.name.as_deref(), Some("Ромашка & Ко 😀"));
    assert_eq!((servers.user.as_str(), servers.takes.as_slice()), (ADDRESS, &[Takes::Password][..]));
    assert_eq!(asked.len(), 1, "{asked:?}");
    let config = found.config(Auth::Password { password: "x".into() }).unwrap();
    config.validate().unwrap();
    assert_eq!(config.imap_server().unwrap().host, "imap.shop.example");
}

#[tokio::test]
async fn places_are_asked_in_the_order_of_the_draft() {
    let world = World::default().mx(&[(20, "mx2.other.example"), (10, "mx.in.hoster.example.")]);
    let (found, asked) = look(world).await;
    let query = "emailaddress=%D0%90%D0%BD%D0%BD%D0%B0.help%40shop.example";
    let expected = [
        format!("{AUTOCONFIG}?{query}"),
        WELL_KNOWN.to_owned(),
        format!("{ISPDB}shop.example"),
        "MX shop.example".to_owned(),
        format!("https://autoconfig.in.hoster.example/mail/config-v1.1.xml?{query}"),
        "https://in.hoster.example/.well-known/autoconfig/mail/config-v1.1.xml".to_owned(),
        format!("https://autoconfig.hoster.example/mail/config-v1.1.xml?{query}"),
        "https://hoster.example/.well-known/autoconfig/mail/config-v1.1.xml".to_owned(),
        format!("{ISPDB}in.hoster.example"),
        format!("{ISPDB}hoster.example"),
        "SRV _imaps._tcp.shop.example".to_owned(),
        "SRV _imap._tcp.shop.example".to_owned(),
    ];
    assert_eq!(asked, expected);
    assert!(found.servers.is_none());
}

#[tokio::test]
async fn mozilla_s_list_learns_the_domain_and_never_the_address() {
    let world = World::default()
        .file(&format!("{ISPDB}shop.example"), file("imap.shop.example", "smtp.shop.example"));
    let (found, asked) = look(world).await;
    let servers = found.servers.unwrap();
    assert_eq!((servers.by, servers.trust), (Step::Ispdb, Trust::Named));
    let list: Vec<_> = asked.iter().filter(|url| url.starts_with(ISPDB)).collect();
    assert_eq!(list, [&format!("{ISPDB}shop.example")]);
    let (_, asked) = look_with(World::default(), |lookups| lookups.ispdb = Ispdb::Never).await;
    assert!(!asked.iter().any(|url| url.starts_with(ISPDB)), "{asked:?}");
}

#[tokio::test]
async fn a_list_without_tls_is_not_believed_without_a_person() {
    let world = World::default()
        .file("http://list.internal/v1/shop.example", file("imap.shop.example", "smtp.shop.example"));
    let base = Url::parse("http://list.internal/v1").unwrap();
    let (found, _) = look_with(world, |lookups| lookups.ispdb = Ispdb::At(base)).await;
    assert_eq!(found.servers.unwrap().trust, Trust::Confirm);
}

#[tokio::test]
async fn plain_http_is_asked_only_when_a_person_agreed_and_is_not_told_the_address() {
    let world = || World::default().file(IN_CLEAR, file("imap.shop.example", "smtp.shop.example"));
    let (found, asked) = look(world()).await;
    assert!(found.servers.is_none() && !asked.iter().any(|url| url.starts_with("http://")), "{asked:?}");
    let (found, asked) = look_with(world(), |lookups| lookups.plain_http = PlainHttp::Confirmed).await;
    assert_eq!(found.servers.unwrap().trust, Trust::Confirm);
    assert_eq!(asked.last().unwrap(), IN_CLEAR);
}

#[tokio::test]
async fn an_own_domain_at_a_known_provider_is_known_by_where_its_mail_goes() {
    for (mx, provider, imap) in [
        ("mx.yandex.net.", "yandex", "imap.yandex.com"),
        ("aspmx.l.google.com", "gmail", "imap.gmail.com"),
        ("shop-example.mail.protection.outlook.com", "microsoft365", "outlook.office365.com"),
        ("mx.zoho.eu", "zoho-eu-pro", "imappro.zoho.eu"),
    ] {
        let (found, _) = look(World::default().mx(&[(50, "backup.example"), (1, mx)])).await;
        let servers = found.servers.clone().unwrap();
        assert_eq!((servers.by, servers.trust), (Step::Mx, Trust::Confirm), "{mx}");
        assert_eq!(servers.preset.map(|preset| preset.id), Some(provider));
        assert_eq!((servers.imap.host.as_str(), servers.user.as_str()), (imap, ADDRESS));
        let config = found.config(Auth::Password { password: "x".into() }).unwrap();
        assert_eq!(config.preset().map(|preset| preset.id), Some(provider));
    }
}

#[tokio::test]
async fn the_file_of_whoever_takes_the_mail_counts_but_a_person_confirms_it() {
    let world = World::default().mx(&[(10, "mx1.hoster.co.uk")]).file(
        "https://autoconfig.hoster.co.uk/mail/config-v1.1.xml",
        file("imap.hoster.co.uk", "smtp.hoster.co.uk"),
    );
    let servers = servers(world).await;
    assert_eq!((servers.by, servers.trust), (Step::Mx, Trust::Confirm));
    assert_eq!(servers.imap.host, "imap.hoster.co.uk");
}

#[tokio::test]
async fn a_domain_that_takes_no_mail_and_one_that_takes_its_own_are_told() {
    for mx in [&[(0, ".")][..], &[], &[(10, "mx.shop.example")]] {
        let (found, _) = look(World::default().mx(mx)).await;
        let told =
            found.tried.iter().any(|tried| tried.step == Step::Mx && tried.outcome == Outcome::Nothing);
        assert!(told, "{mx:?}: {:?}", found.tried);
    }
}

#[tokio::test]
async fn names_in_dns_are_taken_by_priority_then_weight_with_tls_from_the_start_first() {
    let world = World::default()
        .srv("_imap", &[(0, 0, 143, "plain.shop.example")])
        .srv(
            "_imaps",
            &[
                (10, 9, 993, "far.shop.example"),
                (1, 1, 993, "light.shop.example"),
                (1, 5, 9993, "Near.shop.example."),
            ],
        )
        .srv("_submissions", &[(0, 0, 0, ".")])
        .srv("_submission", &[(0, 0, 587, "smtp.shop.example")]);
    let servers = servers(world).await;
    assert_eq!((servers.by, servers.trust), (Step::Srv, Trust::Confirm));
    assert_eq!(servers.imap, server("near.shop.example", 9993, Tls::Implicit));
    assert_eq!(servers.smtp, server("smtp.shop.example", 587, Tls::Starttls));
    assert_eq!((servers.user.as_str(), servers.takes.as_slice()), (ADDRESS, &[Takes::Password][..]));
}

#[tokio::test]
async fn a_service_that_is_not_offered_and_one_half_are_nothing() {
    let none = World::default()
        .srv("_imaps", &[(0, 0, 0, ".")])
        .srv("_submissions", &[(0, 0, 465, "smtp.shop.example")]);
    assert!(look(none).await.0.servers.is_none());
    let half = World::default().srv("_imaps", &[(0, 0, 993, "imap.shop.example")]);
    let (found, _) = look(half).await;
    assert!(found.servers.is_none());
    let told = found.tried.iter().filter(|tried| tried.step == Step::Srv).map(|tried| tried.at.as_str());
    assert_eq!(told.collect::<Vec<_>>(), ["_submissions._tcp.shop.example", "_submission._tcp.shop.example"]);
}

#[tokio::test]
async fn servers_in_private_networks_are_refused_unless_they_are_allowed() {
    let world = || World {
        private: vec!["imap.shop.example".to_owned()],
        ..World::default().file(AUTOCONFIG, file("imap.shop.example", "smtp.shop.example"))
    };
    let (found, _) = look(world()).await;
    assert!(found.servers.is_none());
    let why = format!("{}", found.tried[1]);
    assert!(why.contains("imap.shop.example") && why.contains("private network"), "{why}");
    let (found, _) = look_with(world(), |lookups| lookups.private = PrivateNetworks::Allowed).await;
    assert_eq!(found.servers.unwrap().imap.host, "imap.shop.example");
}

#[tokio::test]
async fn a_place_that_fails_or_has_rubbish_does_not_stop_the_search_and_is_told() {
    let world = World::default()
        .failing(AUTOCONFIG, ErrorKind::Network)
        .file(WELL_KNOWN, "<html>404 😀</html>")
        .file(&format!("{ISPDB}shop.example"), file("imap.shop.example", "smtp.shop.example"));
    let (found, _) = look(world).await;
    assert_eq!(found.servers.unwrap().by, Step::Ispdb);
    let told: Vec<String> = found.tried.iter().map(ToString::to_string).collect();
    assert!(told[1].contains("no answer, the server has a cold"), "{told:?}");
    assert!(told[2].contains("not usable") && told[2].contains("another kind of file"), "{told:?}");
    assert!(told[3].ends_with("found"), "{told:?}");
    assert!(!told.concat().contains("emailaddress"), "the person's address is in no list: {told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_world_is_not_asked_for_ever() {
    let world = World { slow: Duration::from_secs(30), ..World::default().mx(&[(10, "mx.hoster.example")]) };
    let began = Instant::now();
    let (found, asked) = look(world).await;
    assert!(found.servers.is_none() && began.elapsed() <= Duration::from_secs(60), "{:?}", began.elapsed());
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(found.tried.iter().any(|tried| tried.outcome == Outcome::NoTime), "{:?}", found.tried);
}

/// What a file is read as that has these sections.
fn parsed(sections: &str) -> autoconfig::ClientConfig {
    let file = format!("<clientConfig><emailProvider>{sections}</emailProvider></clientConfig>");
    autoconfig::parse(file.as_bytes()).unwrap()
}

fn section(kind: &str, host: &str, port: &str, socket: &str, login: &str) -> String {
    let element = if kind == "smtp" { "outgoingServer" } else { "incomingServer" };
    format!(
        "<{element} type=\"{kind}\"><hostname>{host}</hostname><port>{port}</port><socketType>{socket}</socketType>\
         <username>%EMAILLOCALPART%</username><authentication>{login}</authentication></{element}>"
    )
}

#[test]
fn a_section_that_cannot_be_used_is_left_out_alone_and_told() {
    let plain = "password-cleartext";
    let read = parsed(
        &[
            section("pop3", "pop.shop.example", "995", "SSL", plain),
            section("imap", "clear.shop.example", "143", "plain", plain),
            section("imap", "odd.shop.example", "143", "whatever", plain),
            section("imap", "zero.shop.example", "0", "SSL", plain),
            section("imap", "large.shop.example", "70000", "SSL", plain),
            section("imap", "", "993", "SSL", plain),
            section("imap", "kerberos.shop.example", "993", "SSL", "GSSAPI"),
            section("imap", "good.shop.example", "993", "SSL", plain),
            section("smtp", "good.shop.example", "587", "STARTTLS", plain),
        ]
        .concat(),
    );
    assert_eq!(read.imap.iter().map(|offer| offer.host.as_str()).collect::<Vec<_>>(), ["good.shop.example"]);
    assert_eq!(read.smtp[0].tls, Tls::Starttls);
    assert_eq!(read.skipped.len(), 6, "{:?}", read.skipped);
    assert!(read.skipped[0].contains("without TLS"), "{:?}", read.skipped);
    let (found, user) = read.imap[0].filled("anna@shop.example").unwrap();
    assert_eq!((found.host.as_str(), user.as_str()), ("good.shop.example", "anna"));
}

#[test]
fn the_kinds_of_login_stay_in_the_file_s_order() {
    let both = "password-encrypted</authentication><authentication>OAuth2</authentication>\
                <authentication>password-cleartext</authentication><authentication>OAuth2";
    let read = parsed(&section("imap", "imap.shop.example", "993", "SSL", both));
    assert_eq!(read.imap[0].takes, [Takes::Oauth, Takes::Password]);
}

#[test]
fn the_issuer_of_tokens_is_taken_with_addresses_that_have_tls() {
    let file = "<clientConfig version=\"1.2\"><emailProvider id=\"x\"/><oAuth2><issuer>login.shop.example</issuer>\
                <scope>imap smtp</scope><authURL>http://login.shop.example/auth</authURL>\
                <tokenURL>https://login.shop.example/token</tokenURL></oAuth2><unknown><a/></unknown></clientConfig>";
    let oauth = autoconfig::parse(file.as_bytes()).unwrap().oauth.unwrap();
    assert_eq!((oauth.issuer.as_str(), oauth.scope.as_str()), ("login.shop.example", "imap smtp"));
    assert_eq!(oauth.authorize_url, None);
    assert_eq!(oauth.token_url.unwrap().as_str(), "https://login.shop.example/token");
}

#[test]
fn placeholders_are_filled_once_and_in_one_pass() {
    let name = "%EMAILLOCALPART%%%x%EMAILDOMAIN%";
    let section = section("imap", "imap.%EMAILDOMAIN%", "993", "SSL", "password-cleartext");
    let read = parsed(&section.replace("%EMAILLOCALPART%", name));
    let (server, user) = read.imap[0].filled("%EMAILDOMAIN%@пример.рф").unwrap();
    assert_eq!(server.host, "imap.xn--e1afmkfd.xn--p1ai");
    assert_eq!(user, "%EMAILDOMAIN%%%xпример.рф");
    assert_eq!(read.imap[0].filled("no address"), None);
}

#[test]
fn files_that_are_made_to_harm_are_refused() {
    let bomb =
        "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><clientConfig>&b;</clientConfig>";
    let outside = "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><clientConfig/>";
    let entity =
        "<clientConfig><emailProvider><displayName>&xxe;</displayName></emailProvider></clientConfig>";
    let deep = format!("<clientConfig>{}{}</clientConfig>", "<a>".repeat(40), "</a>".repeat(40));
    let inner = "<a><b/><clientConfig></clientConfig></a>";
    for file in
        ["", "{}", "<clientConfig>", "<clientConfig></x>", "<html/>", bomb, outside, entity, &deep, inner]
    {
        let error = autoconfig::parse(file.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{file:.60}");
        assert!(!error.to_string().contains("passwd"), "{error}");
    }
    let large = format!("<clientConfig>{}</clientConfig>", " ".repeat(LARGEST));
    assert_eq!(autoconfig::parse(large.as_bytes()).unwrap_err().kind(), ErrorKind::TooLarge);
    // Bytes that are no UTF-8, and any cut of a good file, are read or refused, and nothing worse.
    let good = file("imap.shop.example", "smtp.shop.example");
    for end in 0..good.len() {
        let _ = autoconfig::parse(&good.as_bytes()[..end]);
    }
    let _ = autoconfig::parse(b"<clientConfig>\xff\xfe</clientConfig>");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_and_what_is_read_has_tls(
        before in ".{0,40}",
        host in "[a-z.%А-я]{0,20}",
        port in 0u32..70_000,
        socket in "(SSL|STARTTLS|plain|)",
        after in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let _ = autoconfig::parse(before.as_bytes());
        let section = section("imap", &host, &port.to_string(), &socket, "password-cleartext");
        let mut file = format!("<clientConfig><emailProvider>{section}").into_bytes();
        file.extend(after);
        let _ = autoconfig::parse(&file);
        let whole = format!("<clientConfig><emailProvider>{section}</emailProvider></clientConfig>");
        for offer in autoconfig::parse(whole.as_bytes()).unwrap().imap {
            prop_assert!(offer.tls != Tls::None && offer.port > 0);
            if let Some((server, _)) = offer.filled(ADDRESS) {
                prop_assert!(server.host.is_ascii() && !server.host.contains(char::is_whitespace));
            }
        }
    }
}

#[tokio::test]
async fn tls_from_the_first_byte_goes_first_and_both_servers_take_one_login() {
    let sections = [
        section("imap", "starttls.shop.example", "143", "STARTTLS", "password-cleartext"),
        section("imap", "tokens.shop.example", "993", "SSL", "OAuth2"),
        section("imap", "imap.shop.example", "993", "SSL", "password-cleartext"),
        section("smtp", "smtp.shop.example", "587", "STARTTLS", "password-cleartext"),
    ]
    .concat();
    let file = format!("<clientConfig><emailProvider>{sections}</emailProvider></clientConfig>");
    let found = servers(World::default().file(WELL_KNOWN, file)).await;
    assert_eq!(found.imap.host, "imap.shop.example");
    assert_eq!(found.user, "Анна.help");
    let clear = [
        section("imap", "imap.shop.example", "143", "plain", "password-cleartext"),
        section("smtp", "smtp.shop.example", "465", "SSL", "password-cleartext"),
    ]
    .concat();
    let file = format!("<clientConfig><emailProvider>{clear}</emailProvider></clientConfig>");
    let (found, _) = look(World::default().file(AUTOCONFIG, file)).await;
    assert!(
        found.servers.is_none() && found.tried[1].to_string().contains("without TLS"),
        "{:?}",
        found.tried
    );
}

/// Asks a server on this machine.
fn network() -> Network {
    Network::new(PrivateNetworks::Allowed).unwrap()
}

async fn serving(answer: ResponseTemplate) -> (MockServer, Url) {
    let server = MockServer::start().await;
    Mock::given(method("GET")).and(path("/v1.1/shop.example")).respond_with(answer).mount(&server).await;
    let url = Url::parse(&server.uri()).unwrap().join("v1.1/shop.example").unwrap();
    (server, url)
}

#[tokio::test]
async fn a_file_is_fetched_over_http_and_read() {
    let answer =
        ResponseTemplate::new(200).set_body_raw(file("imap.shop.example", "smtp.shop.example"), "text/xml");
    let (server, url) = serving(answer).await;
    let bytes = network().get(&url).await.unwrap().unwrap();
    assert_eq!(autoconfig::parse(&bytes).unwrap().imap[0].host, "imap.shop.example");
    assert_eq!(network().get(&url.join("other.example").unwrap()).await.unwrap(), None);
    // Neither cookies nor anything that names the host's user goes along.
    let request = &server.received_requests().await.unwrap()[0];
    for name in ["authorization", "cookie", "referer"] {
        assert!(!request.headers.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn what_is_too_large_or_leads_elsewhere_or_fails_is_an_error() {
    let large = ResponseTemplate::new(200).set_body_bytes(vec![b' '; LARGEST + 1]);
    let (_server, url) = serving(large).await;
    assert_eq!(network().get(&url).await.unwrap_err().kind(), ErrorKind::TooLarge);
    for to in ["http://127.0.0.1:1/", "/v1.1/shop.example", "file:///etc/passwd", ""] {
        let (_server, url) = serving(ResponseTemplate::new(302).insert_header("location", to)).await;
        let error = network().get(&url).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{to}");
        assert!(error.to_string().contains("redirected"), "{error}");
    }
    let (_server, url) = serving(ResponseTemplate::new(503)).await;
    let error = network().get(&url).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Protocol, Some("503")));
}

#[tokio::test]
async fn no_error_of_a_look_up_shows_the_address_that_was_asked_about() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = Url::parse(&format!("http://{closed}/mail/config-v1.1.xml?emailaddress=anna%40shop.example"))
        .unwrap();
    let error = network().get(&url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(!format!("{error} {error:?}").contains("anna"), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_left_after_ten_seconds() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("http://{}/x", listener.local_addr().unwrap())).unwrap();
    let began = Instant::now();
    assert_eq!(network().get(&url).await.unwrap_err().kind(), ErrorKind::Timeout);
    assert!(began.elapsed() <= Duration::from_secs(11), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_service_for_strangers_asks_no_server_on_its_own_machine() {
    let (server, url) = serving(ResponseTemplate::new(200).set_body_string("secret of this machine")).await;
    let guarded = Network::new(PrivateNetworks::Refused).unwrap();
    assert_eq!(guarded.get(&url).await.unwrap_err().kind(), ErrorKind::Forbidden);
    let mut named = url.clone();
    named.set_host(Some("localhost")).unwrap();
    let error = guarded.get(&named).await.unwrap_err();
    assert!(error.to_string().contains("private network"), "{error}");
    assert!(server.received_requests().await.unwrap().is_empty());
}
