//! The other side of a talk, scripted line by line.

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::config::{Server, Tls};

trait Pipe: AsyncRead + AsyncWrite + Send + Unpin + Debug {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + Debug> Pipe for T {}

/// One connection, as the server sees it.
#[derive(Debug)]
pub(super) struct Peer {
    pipe: BufReader<Box<dyn Pipe>>,
    authority: Authority,
}

impl Peer {
    /// Says lines, each ended.
    pub(super) async fn say(&mut self, text: &str) {
        self.say_raw(format!("{}\r\n", text.replace('\n', "\r\n")).as_bytes()).await;
    }

    /// Says bytes. A client that is gone is no fault of the script.
    pub(super) async fn say_raw(&mut self, bytes: &[u8]) {
        let _ = self.pipe.get_mut().write_all(bytes).await;
        let _ = self.pipe.get_mut().flush().await;
    }

    /// The next line; empty when the client is gone.
    pub(super) async fn hear(&mut self) -> String {
        self.hear_raw().await.trim_end().to_owned()
    }

    /// The next line with its end.
    pub(super) async fn hear_raw(&mut self) -> String {
        let mut line = String::new();
        let _ = self.pipe.read_line(&mut line).await;
        line
    }

    /// The next line, which has to begin so.
    pub(super) async fn expect(&mut self, start: &str) -> String {
        let line = self.hear().await;
        assert!(line.starts_with(start), "heard {line:?} in place of {start:?}");
        line
    }

    /// Greets, and offers this.
    pub(super) async fn greet(&mut self, offers: &[&str]) {
        self.say("220 mx.example ESMTP").await;
        self.answer_ehlo(offers).await;
    }

    pub(super) async fn answer_ehlo(&mut self, offers: &[&str]) {
        self.expect("EHLO ").await;
        let mut lines = vec!["250-mx.example".to_owned()];
        lines.extend(offers.iter().map(|offer| format!("250-{offer}")));
        let last = lines.len() - 1;
        lines[last] = lines[last].replacen('-', " ", 1);
        self.say(&lines.join("\n")).await;
    }

    /// Greets and takes the login.
    pub(super) async fn open(&mut self) {
        self.greet(&["AUTH PLAIN LOGIN", "SIZE 100000000"]).await;
        self.expect("AUTH PLAIN ").await;
        self.say("235 2.7.0 ok").await;
    }

    /// Takes one command with 250.
    pub(super) async fn take(&mut self, start: &str) -> String {
        let line = self.expect(start).await;
        self.say("250 2.1.0 ok").await;
        line
    }

    /// Takes MAIL and one RCPT, and answers DATA.
    pub(super) async fn envelope(&mut self) {
        self.take("MAIL FROM:").await;
        self.take("RCPT TO:").await;
        self.expect("DATA").await;
        self.say("354 go on").await;
    }

    /// The mail up to the final dot, with its dots as they were.
    pub(super) async fn mail(&mut self) -> Vec<u8> {
        let mut mail = Vec::new();
        loop {
            let mut line = Vec::new();
            if self.pipe.read_until(b'\n', &mut line).await.unwrap_or(0) == 0 || line == b".\r\n" {
                return mail;
            }
            mail.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
    }

    /// Takes a whole mail.
    pub(super) async fn deliver(&mut self) -> Vec<u8> {
        self.envelope().await;
        let mail = self.mail().await;
        self.say("250 2.0.0 queued as 4711").await;
        mail
    }

    /// Takes mails until the client goes; how many it took.
    pub(super) async fn serve(&mut self) -> usize {
        let mut taken = 0;
        loop {
            let line = self.hear().await;
            match line.split(' ').next().unwrap_or_default() {
                "" => return taken,
                "QUIT" => {
                    self.say("221 2.0.0 bye").await;
                    return taken;
                }
                "DATA" => {
                    self.say("354 go on").await;
                    self.mail().await;
                    self.say("250 2.0.0 queued").await;
                    taken += 1;
                }
                _ => self.say("250 2.1.0 ok").await,
            }
        }
    }

    /// Everything until the client goes.
    pub(super) async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        let _ = self.pipe.read_to_end(&mut rest).await;
        String::from_utf8_lossy(&rest).into_owned()
    }

    /// Encrypts, with whatever was read past STARTTLS thrown away.
    pub(super) async fn secure(self) -> Option<Self> {
        let stream = self.authority.acceptor.accept(self.pipe.into_inner()).await.ok()?;
        Some(Self { pipe: BufReader::new(Box::new(stream)), authority: self.authority })
    }
}

/// A throw-away authority and a server's certificate for 127.0.0.1.
#[derive(Clone)]
pub(super) struct Authority {
    acceptor: TlsAcceptor,
    pub(super) pem: String,
}

impl Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut root = CertificateParams::new(Vec::new()).unwrap();
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf =
            CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &root).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap();
        Self { acceptor: TlsAcceptor::from(Arc::new(config)), pem: root.pem() }
    }
}

/// A server of a number of connections, each with its script.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) server: Server,
    pub(super) authority: Authority,
    talks: JoinSet<()>,
}

impl Script {
    /// Serves `connections` connections, in order; more are not taken.
    pub(super) async fn new<F>(
        tls: Tls,
        connections: usize,
        serve: impl Fn(usize, Peer) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server =
            Server { host: "127.0.0.1".to_owned(), port: listener.local_addr().unwrap().port(), tls };
        let authority = Authority::new();
        let mut talks = JoinSet::new();
        let of = authority.clone();
        talks.spawn(async move {
            let mut open = JoinSet::new();
            for number in 0..connections {
                let (socket, _) = listener.accept().await.unwrap();
                let peer = Peer { pipe: BufReader::new(Box::new(socket)), authority: of.clone() };
                open.spawn(serve(number, peer));
            }
            while let Some(talk) = open.join_next().await {
                talk.unwrap();
            }
        });
        Self { server, authority, talks }
    }

    /// Waits for every talk to end as its script says.
    pub(super) async fn done(mut self) {
        while let Some(talk) = self.talks.join_next().await {
            talk.unwrap();
        }
    }
}
