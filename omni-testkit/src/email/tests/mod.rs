//! The mail server, by raw sockets and by clients of others.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

mod clients;
mod folders;
mod idle;
mod login;
mod mails;
mod reading;
mod smtp;
mod trouble;
mod writing;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::*;

const HELP: &str = "help@shop.example";
const PASSWORD: &str = "s3\"cr\\et";
/// The login of the mailbox, as LOGIN says it.
const LOGIN: &str = r#"LOGIN help@shop.example "s3\"cr\\et""#;

fn settings() -> Settings {
    Settings::new(HELP, PASSWORD)
}

async fn server() -> MailServer {
    MailServer::start(settings()).await.unwrap()
}

trait Pipe: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Pipe for T {}

/// A client that says lines and hears lines.
struct Talk {
    pipe: BufReader<Box<dyn Pipe>>,
    commands: u32,
}

impl Talk {
    async fn at(port: u16) -> Self {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        Self { pipe: BufReader::new(Box::new(socket)), commands: 0 }
    }

    /// An IMAP session after the greeting.
    async fn imap(server: &MailServer) -> Self {
        let mut talk = Self::at(server.imap_port()).await;
        assert!(talk.hears().await.starts_with("* OK [CAPABILITY IMAP4rev1 "));
        talk
    }

    /// An IMAP session that is logged in.
    async fn logged_in(server: &MailServer) -> Self {
        let mut talk = Self::imap(server).await;
        assert_eq!(talk.ends(LOGIN).await, "OK Logged in");
        talk
    }

    /// An IMAP session that reads and writes INBOX.
    async fn in_inbox(server: &MailServer) -> Self {
        let mut talk = Self::logged_in(server).await;
        assert_eq!(talk.ends("SELECT INBOX").await, "OK [READ-WRITE] Select completed");
        talk
    }

    /// An SMTP session after EHLO.
    async fn smtp(server: &MailServer) -> Self {
        let mut talk = Self::at(server.smtp_port()).await;
        assert!(talk.hears().await.starts_with("220 "));
        talk.answers("EHLO client.example").await;
        talk
    }

    /// An SMTP session that is logged in.
    async fn submitting(server: &MailServer) -> Self {
        let mut talk = Self::smtp(server).await;
        let answer = talk.answers(&format!("AUTH PLAIN {}", plain(HELP, PASSWORD))).await;
        assert_eq!(answer, ["235 2.7.0 Authentication successful"]);
        talk
    }

    /// Encrypts what follows.
    async fn secured(self, server: &MailServer, name: &'static str) -> io::Result<Self> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(server.ca_pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(name).unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, self.pipe.into_inner()).await?;
        Ok(Self { pipe: BufReader::new(Box::new(stream)), commands: self.commands })
    }

    async fn sends(&mut self, bytes: impl AsRef<[u8]>) {
        self.pipe.get_mut().write_all(bytes.as_ref()).await.unwrap();
        self.pipe.get_mut().flush().await.unwrap();
    }

    async fn says(&mut self, line: &str) {
        self.sends(format!("{line}\r\n")).await;
    }

    /// The next line without its end; empty when the server is gone.
    async fn hears(&mut self) -> String {
        let mut line = Vec::new();
        // A connection that is reset is gone as well.
        let _ = self.pipe.read_until(b'\n', &mut line).await;
        String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned()
    }

    /// All that comes until the server is gone.
    async fn hears_the_rest(&mut self) -> String {
        let mut rest = Vec::new();
        let _ = self.pipe.read_to_end(&mut rest).await;
        String::from_utf8_lossy(&rest).into_owned()
    }

    /// A command of IMAP: the lines of its answer, the last one without the tag.
    async fn command(&mut self, command: &str) -> Vec<String> {
        let tag = self.begins(command).await;
        self.until(&tag).await
    }

    /// The first line of a command; its tag.
    async fn begins(&mut self, command: &str) -> String {
        self.commands += 1;
        let tag = format!("a{}", self.commands);
        self.says(&format!("{tag} {command}")).await;
        tag
    }

    /// Lines up to the one with this tag.
    async fn until(&mut self, tag: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.hears().await;
            assert!(!line.is_empty() || !lines.is_empty(), "the server is gone");
            if let Some(end) = line.strip_prefix(&format!("{tag} ")) {
                lines.push(end.to_owned());
                return lines;
            }
            lines.push(line);
        }
    }

    /// How a command ends.
    async fn ends(&mut self, command: &str) -> String {
        self.command(command).await.pop().unwrap()
    }

    /// A command of SMTP: the lines of its answer.
    async fn answers(&mut self, line: &str) -> Vec<String> {
        self.says(line).await;
        let mut lines = Vec::new();
        loop {
            let line = self.hears().await;
            let is_last = line.as_bytes().get(3) != Some(&b'-');
            lines.push(line);
            if is_last {
                return lines;
            }
        }
    }

    /// The only line of an answer of SMTP.
    async fn answer(&mut self, line: &str) -> String {
        self.answers(line).await.join("\n")
    }

    /// Hands a mail in, up to its dot.
    async fn hands_in(&mut self, from: &str, to: &str, mail: &str) -> String {
        self.answer(&format!("MAIL FROM:<{from}>")).await;
        self.answer(&format!("RCPT TO:<{to}>")).await;
        assert_eq!(self.answer("DATA").await, "354 End data with <CR><LF>.<CR><LF>");
        self.answer(&format!("{}\r\n.", mail.trim_end().replace('\n', "\r\n"))).await
    }
}

/// The answer of PLAIN.
fn plain(user: &str, password: &str) -> String {
    STANDARD.encode(format!("\0{user}\0{password}"))
}
