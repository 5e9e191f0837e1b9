//! Every failure of a connection says what to do.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// A certificate, its key, and the PEM that a person would paste to trust it.
struct Made {
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
    pem: String,
}

/// What an authority of a company gives to a server of these names.
fn issued(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Made {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(rcgen::DnType::CommonName, "Ромашка");
    let authority_key = KeyPair::generate().unwrap();
    let root = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let cert = params.signed_by(&key, &issuer).unwrap();
    Made { chain: vec![cert.der().clone()], key: key.serialize_der(), pem: root.pem() }
}

/// What a bridge makes for itself: an authority of its own, shown as the server's certificate.
fn own(name: &str) -> Made {
    own_with(name, |_| {})
}

fn own_with(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Made {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let cert = params.self_signed(&key).unwrap();
    Made { chain: vec![cert.der().clone()], key: key.serialize_der(), pem: cert.pem() }
}

fn at(host: &str, port: u16, tls: Tls) -> Server {
    Server { host: host.to_owned(), port, tls }
}

/// A TLS server that says "hello" to everybody.
async fn serve(made: &Made) -> u16 {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.key.clone()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(made.chain.clone(), key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(socket).await {
                stream.write_all("привет 😀".as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        }
    });
    port
}

async fn heard(dialer: &Dialer, server: &Server) -> Result<String> {
    let mut stream = dialer.connect("test", server).await?;
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.unwrap();
    Ok(heard)
}

#[tokio::test]
async fn a_company_s_own_authority_is_trusted_when_it_is_given() {
    let made = issued(&["localhost", "127.0.0.1"], |_| {});
    let port = serve(&made).await;
    let dialer = Dialer::new(Some(&made.pem)).unwrap();
    for host in ["localhost", "127.0.0.1"] {
        assert_eq!(heard(&dialer, &at(host, port, Tls::Implicit)).await.unwrap(), "привет 😀", "{host}");
    }
}

#[tokio::test]
async fn an_authority_that_nobody_gave_is_refused_and_the_setting_is_named() {
    let port = serve(&issued(&["localhost"], |_| {})).await;
    let error = heard(&Dialer::new(None).unwrap(), &at("localhost", port, Tls::Implicit)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.text().unwrap().contains("authority that is not trusted"), "{error}");
    assert!(error.advice().unwrap().contains("ca_pem"), "{error}");
    assert!(error.to_string().contains("host localhost"), "{error}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_and_its_names_are_told() {
    let made = issued(&["mail.example.com"], |_| {});
    let port = serve(&made).await;
    let dialer = Dialer::new(Some(&made.pem)).unwrap();
    let error = heard(&dialer, &at("localhost", port, Tls::Implicit)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.text().unwrap().contains("mail.example.com"), "{error}");
    assert!(error.advice().unwrap().contains("host"), "{error}");
}

#[tokio::test]
async fn a_certificate_that_has_run_out_is_refused_and_the_clock_is_named() {
    let made = issued(&["localhost"], |params| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    });
    let port = serve(&made).await;
    let dialer = Dialer::new(Some(&made.pem)).unwrap();
    let error = heard(&dialer, &at("localhost", port, Tls::Implicit)).await.unwrap_err();
    assert!(
        error.text().unwrap().contains("run out") && error.advice().unwrap().contains("clock"),
        "{error}"
    );
}

#[tokio::test]
async fn a_certificate_of_the_server_s_own_is_trusted_when_it_is_given_and_for_its_name_only() {
    let made = own("localhost");
    let port = serve(&made).await;
    let dialer = Dialer::new(Some(&made.pem)).unwrap();
    assert_eq!(heard(&dialer, &at("localhost", port, Tls::Implicit)).await.unwrap(), "привет 😀");
    let error = heard(&dialer, &at("127.0.0.1", port, Tls::Implicit)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    let error = heard(&Dialer::new(None).unwrap(), &at("localhost", port, Tls::Implicit)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    let another = Dialer::new(Some(&own("localhost").pem)).unwrap();
    assert!(heard(&another, &at("localhost", port, Tls::Implicit)).await.is_err());
}

#[tokio::test]
async fn a_certificate_of_the_server_s_own_that_has_run_out_is_refused_though_it_is_given() {
    let made = own_with("localhost", |params| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    });
    let port = serve(&made).await;
    let dialer = Dialer::new(Some(&made.pem)).unwrap();
    let error = heard(&dialer, &at("localhost", port, Tls::Implicit)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.text().unwrap().contains("run out"), "{error}");
}

#[tokio::test]
async fn a_port_that_speaks_in_clear_is_told_from_one_with_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            socket.write_all(b"* OK Dovecot ready.\r\n").await.unwrap();
            let mut ignored = [0; 1024];
            let _ = socket.read(&mut ignored).await;
        }
    });
    let server = at("localhost", port, Tls::Implicit);
    let error = heard(&Dialer::new(None).unwrap(), &server).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.text().unwrap().contains("does not speak TLS"), "{error}");
    assert!(error.advice().unwrap().contains("starttls"), "{error}");
}

#[tokio::test]
async fn a_closed_port_says_that_nothing_listens_there() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let server = at("127.0.0.1", port, Tls::Implicit);
    let error = heard(&Dialer::new(None).unwrap(), &server).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(error.advice().unwrap().contains("check host and port"), "{error}");
    assert!(error.to_string().contains(&format!("port {port}")), "{error}");
}

#[tokio::test]
async fn a_server_that_hangs_up_is_told_from_one_that_is_not_there() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let server = at("127.0.0.1", port, Tls::Implicit);
    let error = heard(&Dialer::new(None).unwrap(), &server).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(error.advice().unwrap().contains("closed the connection"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_given_up_after_half_a_minute() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // The backlog takes the connection; nobody ever answers.
    let began = tokio::time::Instant::now();
    let server = at("127.0.0.1", port, Tls::Implicit);
    let error = Dialer::new(None).unwrap().connect("test", &server).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(began.elapsed() >= CONNECT && began.elapsed() <= CONNECT * 2, "{:?}", began.elapsed());
    assert!(error.advice().unwrap().contains("tls"), "{error}");
    drop(listener);
}

#[tokio::test]
async fn in_clear_only_this_machine_is_spoken_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let dialer = Dialer::new(None).unwrap();
    let stream = dialer.connect("test", &at("localhost", port, Tls::None)).await.unwrap();
    assert!(matches!(&stream, Stream::Plain(_)) && stream.peer_addr().unwrap().port() == port);
    let stream = dialer.connect("test", &at("127.0.0.1", port, Tls::Starttls)).await.unwrap();
    assert!(matches!(stream, Stream::Plain(_)), "STARTTLS is for the protocol to say");
}

#[test]
fn in_clear_no_other_machine_is_spoken_to_whatever_name_it_has() {
    let server = at("localhost.example.com", 143, Tls::None);
    let may = |ip: &str| may_be_clear("test", &server, ip.parse().unwrap());
    for ip in ["127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"] {
        assert!(may(ip).is_ok(), "{ip}");
    }
    for ip in ["192.0.2.1", "10.0.0.1", "0.0.0.0", "2001:db8::1", "::ffff:10.0.0.1"] {
        let error = may(ip).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{ip}");
        assert!(error.text().unwrap().contains("localhost.example.com"), "{error}");
        assert!(error.advice().unwrap().contains("implicit or starttls"), "{error}");
    }
}

#[test]
fn names_in_any_script_and_addresses_in_brackets_are_what_dns_and_certificates_have() {
    for (host, expected) in [
        ("почта.Ромашка.рф", "xn--80a1acny.xn--80aa3agjl3d.xn--p1ai"),
        ("Mail.Shop.example.", "mail.shop.example"),
        ("[::1]", "::1"),
        ("192.0.2.1", "192.0.2.1"),
    ] {
        let host = host_of(&at(host, 993, Tls::Implicit));
        assert!(ServerName::try_from(host.clone()).is_ok(), "{host}");
        assert_eq!(host, expected);
    }
}

#[test]
fn what_is_no_certificate_is_refused() {
    let key = KeyPair::generate().unwrap().serialize_pem();
    for pem in ["", "сертификат", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----", &key]
    {
        let error = further_roots(Some(pem)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("ca_pem"), "{error}");
    }
    assert!(further_roots(None).unwrap().is_empty());
    assert_eq!(further_roots(Some(&own("localhost").pem)).unwrap().len(), 1);
}
