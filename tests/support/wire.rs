//! HTTP/1.1 by hand: requests that no well-behaved client would make, and the status they get.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Longer than any answer takes, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a body is announced.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Framing {
    /// With its length.
    Length,
    /// In pieces, its length unknown beforehand.
    Chunked,
    /// In pieces, with more to come that never does.
    Endless,
}

/// One request. The secret header is a header like any other.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) framing: Framing,
    pub(crate) body: &'a [u8],
}

/// Makes the request and returns the status of its answer.
///
/// Reading does not wait for the body to be written: a server may answer, and close, in the middle of it.
pub(crate) async fn status(address: SocketAddr, request: &Request<'_>) -> u16 {
    let (mut from, mut to) = TcpStream::connect(address).await.unwrap().into_split();
    let bytes = written(address, request);
    let writing = async {
        // A server that has seen enough closes the connection.
        let _ = to.write_all(&bytes).await;
        // Kept open: half a connection may be taken for one that is gone.
        to
    };
    let reading = async {
        let mut answer = Vec::new();
        let mut piece = [0; 1024];
        while !answer.windows(2).any(|pair| pair == b"\r\n") {
            let length = from.read(&mut piece).await.unwrap_or_default();
            assert!(length > 0, "the connection was closed without an answer");
            answer.extend_from_slice(&piece[..length]);
        }
        let line = String::from_utf8_lossy(&answer).into_owned();
        line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{line}"))
    };
    let both = async { tokio::join!(writing, reading).1 };
    match tokio::time::timeout(PATIENCE, both).await {
        Ok(status) => status,
        Err(_) => panic!("waited {PATIENCE:?} in vain for an answer"),
    }
}

fn written(address: SocketAddr, request: &Request<'_>) -> Vec<u8> {
    let Request { method, path, headers, framing, body } = request;
    let mut head =
        format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n");
    for (name, value) in *headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match framing {
        Framing::Length => {
            let mut bytes = format!("{head}content-length: {}\r\n\r\n", body.len()).into_bytes();
            bytes.extend_from_slice(body);
            bytes
        }
        Framing::Chunked | Framing::Endless => {
            let mut bytes = format!("{head}transfer-encoding: chunked\r\n\r\n").into_bytes();
            for piece in body.chunks(16 << 10) {
                bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                bytes.extend_from_slice(piece);
                bytes.extend_from_slice(b"\r\n");
            }
            if let Framing::Chunked = framing {
                bytes.extend_from_slice(b"0\r\n\r\n");
            }
            bytes
        }
    }
}
