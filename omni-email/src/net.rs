//! Connections to mail servers: TCP, TLS from the first byte or after STARTTLS, deadlines.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use omni_core::error::{Error, ErrorKind, Result};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig};
use rustls_platform_verifier::Verifier;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::{Server, Tls};
use crate::presets::ascii;

mod trust;

use trust::Trusting;

#[cfg(test)]
mod tests;

/// How long a connection may take, and a TLS handshake.
const CONNECT: Duration = Duration::from_secs(30);
/// A connection that says nothing is probed after so long, and so often: networks drop silent ones without a word.
const PROBE_AFTER: Duration = Duration::from_secs(60);
const PROBE_EVERY: Duration = Duration::from_secs(15);

/// A connection to a mail server, in clear or not.
#[derive(Debug)]
pub(crate) enum Stream {
    /// In clear: before STARTTLS, or on loopback.
    Plain(TcpStream),
    /// Encrypted.
    Tls(Box<TlsStream<TcpStream>>),
}

/// Opens connections; knows whom to trust.
#[derive(Clone)]
pub(crate) struct Dialer {
    tls: TlsConnector,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer").finish_non_exhaustive()
    }
}

impl Dialer {
    /// Trusts the machine's roots, those of `ca_pem`, and a server that shows a certificate of `ca_pem` as its own.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) when the PEM cannot be read or the machine has no roots at all.
    pub(crate) fn new(ca_pem: Option<&str>) -> Result<Self> {
        let wrong = |text: String| Error::configuration("configure", text);
        let further = further_roots(ca_pem)?;
        let provider = Arc::new(ring::default_provider());
        let by_roots = Verifier::new_with_extra_roots(further.clone(), provider.clone()).map_err(|e| {
            wrong(format!("there are no root certificates to trust: {e}; install ca-certificates"))
        })?;
        let verifier = Trusting::new(by_roots, further);
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| wrong(e.to_string()))?
            .dangerous() // the name of rustls for any verifier that is not a list of roots
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)) })
    }

    /// Connects. With [`Tls::Starttls`] the connection is still in clear: [`Self::secure`] follows.
    ///
    /// # Errors
    /// Network, timeout, or a certificate that is not trusted (as [`Configuration`](ErrorKind::Configuration), with
    /// advice).
    pub(crate) async fn connect(&self, operation: &'static str, server: &Server) -> Result<Stream> {
        let host = host_of(server);
        let at = (host.as_str(), server.port);
        let socket = within(operation, server, TcpStream::connect(at)).await?;
        prepare(&socket).map_err(|e| failed(operation, server, e))?;
        match server.tls {
            Tls::Implicit => self.secure(operation, server, socket).await,
            Tls::Starttls => Ok(Stream::Plain(socket)),
            Tls::None => {
                let peer = socket.peer_addr().map_err(|e| failed(operation, server, e))?;
                may_be_clear(operation, server, peer.ip())?;
                Ok(Stream::Plain(socket))
            }
        }
    }

    /// Encrypts a connection that the server agreed to encrypt. Nothing may have been read past its answer.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub(crate) async fn secure(
        &self,
        operation: &'static str,
        server: &Server,
        socket: TcpStream,
    ) -> Result<Stream> {
        let name = ServerName::try_from(host_of(server))
            .map_err(|_| Error::configuration(operation, format!("{} is no host name", server.host)))?;
        let stream = within(operation, server, self.tls.connect(name, socket)).await?;
        Ok(Stream::Tls(Box::new(stream)))
    }
}

/// Reads the certificates of [`Config::ca_pem`](crate::Config::ca_pem).
///
/// # Errors
/// [`Configuration`](ErrorKind::Configuration) when it is set and holds none, or one that cannot be read.
pub(crate) fn further_roots(ca_pem: Option<&str>) -> Result<Vec<CertificateDer<'static>>> {
    let Some(pem) = ca_pem else { return Ok(Vec::new()) };
    let wrong = |text: &str| {
        Error::configuration("configure", text).with_advice(
            "paste the certificate of the authority: text from BEGIN CERTIFICATE to END CERTIFICATE",
        )
    };
    let read = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
    let further = read.map_err(|_| wrong("ca_pem is not PEM"))?;
    if further.is_empty() {
        return Err(wrong("ca_pem holds no certificate"));
    }
    let mut roots = rustls::RootCertStore::empty();
    for certificate in &further {
        roots.add(certificate.clone()).map_err(|_| wrong("ca_pem holds something that is no certificate"))?;
    }
    Ok(further)
}

/// Says at once what is written, and notices a peer that vanished.
fn prepare(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let probes = TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_EVERY);
    SockRef::from(socket).set_tcp_keepalive(&probes)
}

/// A server's name as DNS and certificates have it, in ASCII; or its address.
fn host_of(server: &Server) -> String {
    let host = server.host.trim_matches(['[', ']']);
    ascii(host).unwrap_or_else(|| host.to_owned())
}

/// A name may lead anywhere: where it led is what counts.
fn may_be_clear(operation: &'static str, server: &Server, peer: IpAddr) -> Result<()> {
    if peer.to_canonical().is_loopback() {
        return Ok(());
    }
    let text =
        format!("{} is another machine: without TLS the password would be readable on the way", server.host);
    Err(Error::configuration(operation, text).with_advice("set tls to implicit or starttls"))
}

async fn within<T>(
    operation: &'static str,
    server: &Server,
    work: impl Future<Output = io::Result<T>>,
) -> Result<T> {
    match timeout(CONNECT, work).await {
        Ok(done) => done.map_err(|e| failed(operation, server, e)),
        Err(_) => Err(Error::new(ErrorKind::Timeout, operation)
            .with_text(format!("no answer within {} s", CONNECT.as_secs()))
            .with_advice("check host, port and tls, and that the network lets the connection out")
            .with("host", &server.host)
            .with("port", server.port)),
    }
}

/// What a failure of the connection means for whoever set it up.
pub(crate) fn failed(operation: &'static str, server: &Server, error: io::Error) -> Error {
    let place = |e: Error| e.with("host", &server.host).with("port", server.port);
    match error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(why)) => {
            let (text, advice) = untrusted(why);
            place(Error::configuration(operation, text)).with_advice(advice)
        }
        // Somebody who does not speak TLS, or breaks off when a handshake begins.
        Some(
            rustls::Error::InvalidMessage(_)
            | rustls::Error::AlertReceived(_)
            | rustls::Error::PeerIncompatible(_),
        ) => place(Error::configuration(
            operation,
            "the server does not speak TLS there, or none that is safe",
        ))
        .with_advice("993 and 465 want tls implicit; 143 and 587 want starttls"),
        _ => {
            let text = error.to_string();
            let advice = match error.kind() {
                io::ErrorKind::ConnectionRefused => "nothing listens there: check host and port",
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
                    "the server closed the connection: it may take no more connections now, or want other tls there"
                }
                _ => "check the host name, and that the network lets the connection out",
            };
            place(Error::new(ErrorKind::Network, operation).with_text(text).with_source(error))
                .with_advice(advice)
        }
    }
}

/// Why a certificate is not trusted, and what to do.
fn untrusted(why: &CertificateError) -> (String, &'static str) {
    use CertificateError as E;
    match why {
        E::NotValidForName => (
            "the server's certificate is for another name".to_owned(),
            "set host to the name in the certificate",
        ),
        E::NotValidForNameContext { presented, .. } => (
            format!("the server's certificate is for other names: {}", presented.join(", ")),
            "set host to one of them, or look whether this is the right server",
        ),
        E::UnknownIssuer => (
            "the server's certificate is from an authority that is not trusted".to_owned(),
            "for a company's own authority, or a certificate of its own, set ca_pem; public servers should send their \
             whole chain",
        ),
        E::Expired | E::ExpiredContext { .. } => (
            "the server's certificate has run out".to_owned(),
            "whoever runs the server has to renew it; look also at the clock of this machine",
        ),
        E::NotValidYet | E::NotValidYetContext { .. } => {
            ("the server's certificate is not valid yet".to_owned(), "look at the clock of this machine")
        }
        E::Revoked => {
            ("the server's certificate was revoked".to_owned(), "whoever runs the server has to replace it")
        }
        other => (
            format!("the server's certificate is not trusted: {other}"),
            "check the host name; for a company's own authority set ca_pem",
        ),
    }
}

impl Stream {
    /// Where the other side is.
    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Stream::Plain(socket) => socket.peer_addr(),
            Stream::Tls(stream) => stream.get_ref().0.peer_addr(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(s) => Pin::new(s).poll_read(cx, buf),
            Stream::Tls(s) => Pin::new(s).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(s) => Pin::new(s).poll_write(cx, buf),
            Stream::Tls(s) => Pin::new(s).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(s) => Pin::new(s).poll_flush(cx),
            Stream::Tls(s) => Pin::new(s).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(s) => Pin::new(s).poll_shutdown(cx),
            Stream::Tls(s) => Pin::new(s).poll_shutdown(cx),
        }
    }
}
