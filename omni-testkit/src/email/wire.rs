//! Lines and bytes of a connection, in clear or not.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Longest line taken: RFC 2683 asks servers for 8000 octets at least.
pub(super) const LINE: usize = 8192;

/// A connection, and what was read of it and not taken.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    buffer: Vec<u8>,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Gone,
}

/// A line without its end.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    /// How it ended.
    pub(super) end: LineEnd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnd {
    CrLf,
    /// A bare LF, which no client may send.
    Lf,
}

impl Line {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

impl Wire {
    pub(super) fn new(socket: TcpStream) -> Self {
        Self { stream: Stream::Plain(socket), buffer: Vec::new() }
    }

    pub(super) fn is_secure(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }

    /// Encrypts. What the client sent in clear behind its STARTTLS is thrown away.
    pub(super) async fn secure(&mut self, acceptor: &TlsAcceptor) -> io::Result<()> {
        self.buffer.clear();
        match std::mem::replace(&mut self.stream, Stream::Gone) {
            Stream::Plain(socket) => {
                self.stream = Stream::Tls(Box::new(acceptor.accept(socket).await?));
                Ok(())
            }
            _ => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// The next line; `None` at the end. One of more than `most` bytes is an error, when all of it has come. Cancel safe.
    pub(super) async fn line(&mut self, most: usize) -> io::Result<Option<Line>> {
        let mut looked = 0;
        loop {
            let fresh = self.buffer.get(looked..).unwrap_or_default();
            if let Some(at) = fresh.iter().position(|byte| *byte == b'\n') {
                let mut bytes: Vec<u8> = self.buffer.drain(..=looked + at).collect();
                if bytes.len() > most {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long"));
                }
                bytes.pop();
                let end = if bytes.last() == Some(&b'\r') { LineEnd::CrLf } else { LineEnd::Lf };
                if end == LineEnd::CrLf {
                    bytes.pop();
                }
                return Ok(Some(Line { bytes, end }));
            }
            // What is too long already is not kept, but for its being so.
            looked = self.buffer.len().min(most);
            self.buffer.truncate(looked);
            if self.more().await? == 0 {
                return Ok(None);
            }
        }
    }

    /// So many bytes.
    pub(super) async fn bytes(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < count {
            if self.more().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.buffer.drain(..count).collect())
    }

    /// Reads what there is; 0 at the end. Cancel safe.
    async fn more(&mut self) -> io::Result<usize> {
        self.buffer.reserve(16 << 10);
        match &mut self.stream {
            Stream::Plain(socket) => socket.read_buf(&mut self.buffer).await,
            Stream::Tls(stream) => stream.read_buf(&mut self.buffer).await,
            Stream::Gone => Ok(0),
        }
    }

    /// Reads and forgets until the client goes.
    pub(super) async fn listens_for_nothing(&mut self) {
        while self.more().await.is_ok_and(|read| read > 0) {
            self.buffer.clear();
        }
    }

    /// Writes, and sees to it that it goes out.
    pub(super) async fn write(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(socket) => socket.write_all(bytes.as_ref()).await,
            Stream::Tls(stream) => {
                stream.write_all(bytes.as_ref()).await?;
                stream.flush().await
            }
            Stream::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Says that nothing more comes.
    pub(super) async fn end(&mut self) {
        // The client may be gone already, which is an end as well.
        let _ = match &mut self.stream {
            Stream::Plain(socket) => socket.shutdown().await,
            Stream::Tls(stream) => stream.shutdown().await,
            Stream::Gone => Ok(()),
        };
    }
}

/// A throw-away authority, and a certificate of it for loopback.
#[derive(Clone)]
pub(super) struct Tls {
    pub(super) acceptor: TlsAcceptor,
    pub(super) ca_pem: Arc<str>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    pub(super) fn new() -> io::Result<Self> {
        let (certificate, key, ca_pem) = issued().map_err(io::Error::other)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .map_err(io::Error::other)?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), ca_pem: ca_pem.into() })
    }
}

type Issued = (rustls::pki_types::CertificateDer<'static>, rustls::pki_types::PrivateKeyDer<'static>, String);

fn issued() -> Result<Issued, rcgen::Error> {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
    let ca_key = KeyPair::generate()?;
    let mut ca = CertificateParams::new(Vec::new())?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name.push(DnType::CommonName, "Throw-away authority");
    let ca_pem = ca.self_signed(&ca_key)?.pem();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate()?;
    // A leaf of its own: rustls refuses an authority that shows itself as a server.
    let names = ["localhost", "127.0.0.1", "mail.test.example"].map(str::to_owned);
    let leaf = CertificateParams::new(names.to_vec())?.signed_by(&key, &issuer)?;
    let der = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der());
    Ok((leaf.der().clone(), der.into(), ca_pem))
}
