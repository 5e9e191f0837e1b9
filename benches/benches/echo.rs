//! Messages a second through the `echo` example, against a bare hyper server that does the same call.
//!
//! Each server runs on one processor, the load on another; what counts is the time until the last answer
//! arrived at the provider. Servers take turns, and the ratio is of one run. Build the example first:
//!
//! ```text
//! cargo build --release --example echo --features full
//! cargo bench -p omni-benches --bench echo            # optionally: -- in-flight messages runs
//! ```

#![allow(clippy::indexing_slicing)] // a wrong index is a fault of the bench, and ends it

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use omni_benches::{median, text_update};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::Notify;

const TOKEN: &str = "7000000001:AAbenchbenchbenchbenchbenchbenchbenc";
const SECRET: &str = "bench-secret";

/// The provider's side: takes every call, counts it.
#[derive(Default)]
struct Provider {
    answers: AtomicU64,
    wanted: AtomicU64,
    reached: Notify,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let numbers: Vec<u64> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let in_flight = numbers.first().copied().unwrap_or(64);
    let messages = numbers.get(1).copied().unwrap_or(60_000);
    let runs = numbers.get(2).copied().unwrap_or(5);
    pin_self_to_last_processor();
    let provider = Arc::new(Provider::default());
    let api = serve_provider(provider.clone()).await?;
    let files = tempfile::tempdir()?;
    let bare = env!("CARGO_BIN_EXE_bare-hyper");
    let echo = echo_binary()?;
    let mut all: [Vec<Measured>; 3] = Default::default();
    for run in 0..runs {
        let sqlite = format!("sqlite:{}", files.path().join(format!("run{run}.db")).display());
        for (index, (binary, store)) in
            [(Path::new(bare), "none"), (&echo, "memory"), (&echo, &*sqlite)].into_iter().enumerate()
        {
            let mut server = Server::start(binary, store, &api).await?;
            measure(&server, &provider, in_flight, messages / 10).await?;
            let measured = measure(&server, &provider, in_flight, messages).await?;
            server.child.kill().await?;
            println!("run {run}: {:<11} {measured}", NAMES[index]);
            all[index].push(measured);
        }
    }
    println!("in flight {in_flight}, {messages} messages, {runs} runs, medians:");
    for (name, measured) in NAMES.iter().zip(&all) {
        let of = |part: fn(&Measured) -> f64| median(measured.iter().map(part).collect());
        let ratio = median(measured.iter().zip(&all[0]).map(|(m, bare)| m.rate / bare.rate).collect());
        let typical = Measured { rate: of(|m| m.rate), processor: of(|m| m.processor) };
        println!("{name:<11} {typical}, {ratio:.2} of bare hyper");
    }
    Ok(())
}

const NAMES: [&str; 3] = ["bare hyper", "echo memory", "echo sqlite"];

/// What one run showed.
struct Measured {
    /// Messages a second.
    rate: f64,
    /// Processor time of the server for a message, in microseconds: not blurred by what else the machine does.
    processor: f64,
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>7.0} messages/s {:>6.1} us of processor each", self.rate, self.processor)
    }
}

/// The load gets the last processor, the server the first: neither takes from the other.
fn pin_self_to_last_processor() {
    let last = std::thread::available_parallelism().map_or(0, |n| n.get() - 1);
    let pinned = std::process::Command::new("taskset")
        .args(["-cp", &last.to_string(), &std::process::id().to_string()])
        .stdout(Stdio::null())
        .status();
    if !pinned.is_ok_and(|s| s.success()) {
        println!("taskset is not there: processors are shared, ratios are rough");
    }
}

fn echo_binary() -> Result<PathBuf, Box<dyn Error>> {
    let bench = std::env::current_exe()?;
    let release = bench.parent().and_then(Path::parent).ok_or("no target directory")?;
    let echo = release.join("examples/echo");
    if echo.exists() {
        Ok(echo)
    } else {
        Err("first: cargo build --release --example echo --features full".into())
    }
}

struct Server {
    child: Child,
    address: String,
}

impl Server {
    async fn start(binary: &Path, store: &str, api: &str) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new("taskset")
            .args(["-c", "0"])
            .arg(binary)
            .env("TELEGRAM_TOKEN", TOKEN)
            .env("TELEGRAM_SECRET", SECRET)
            .env("TELEGRAM_API", api)
            .env("OMNI_STORE", store)
            .env("LISTEN", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = lines.next_line().await?.ok_or("the server ended at once")?;
        let address = line.strip_prefix("listening on http://").ok_or("unexpected output")?.to_owned();
        Ok(Self { child, address })
    }
}

impl Server {
    /// Processor time used so far, by Linux's books: in steps of 10 ms.
    fn processor_seconds(&self) -> f64 {
        let id = self.child.id().unwrap_or_default();
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // The name may hold spaces; the fields behind it do not. `utime` and `stime` are 14 and 15 of all.
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
    }
}

/// Sends `messages` over `in_flight` connections; the rate at which their answers arrived.
async fn measure(
    server: &Server,
    provider: &Arc<Provider>,
    in_flight: u64,
    messages: u64,
) -> Result<Measured, Box<dyn Error>> {
    let wanted = provider.answers.load(Ordering::SeqCst) + messages;
    provider.wanted.store(wanted, Ordering::SeqCst);
    let (begun, used) = (Instant::now(), server.processor_seconds());
    let clients: Vec<_> = (0..in_flight)
        .map(|client| {
            let share = messages / in_flight + u64::from(client < messages % in_flight);
            let address = server.address.clone();
            tokio::spawn(async move { send_updates(&address, client, share).await })
        })
        .collect();
    for client in clients {
        client.await?.map_err(|e| e.to_string())?;
    }
    let all = async {
        while provider.answers.load(Ordering::SeqCst) < wanted {
            provider.reached.notified().await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(60), all).await.is_err() {
        return Err(
            format!("{} answers are missing", wanted - provider.answers.load(Ordering::SeqCst)).into()
        );
    }
    let rate = messages as f64 / begun.elapsed().as_secs_f64();
    Ok(Measured { rate, processor: (server.processor_seconds() - used) / messages as f64 * 1e6 })
}

/// One webhook connection: the next update only after the answer to the former. Sixteen chats a connection; the
/// ids of updates and messages grow over all of them, as a bot's do.
async fn send_updates(address: &str, client: u64, messages: u64) -> std::io::Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut request, mut answer) = (Vec::new(), vec![0u8; 4096]);
    for _ in 0..messages {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let body = text_update(id, 1_000_000 + client * 16 + id % 16, "Здравствуйте 👋 ещё продаётся?");
        request.clear();
        request.extend_from_slice(
            format!(
                "POST /webhooks/telegram HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n\
                 X-Telegram-Bot-Api-Secret-Token: {SECRET}\r\nContent-Length: {}\r\n\r\n",
                body.len()
            )
            .as_bytes(),
        );
        request.extend_from_slice(&body);
        stream.write_all(&request).await?;
        let mut got = 0;
        while !answer[..got].windows(4).any(|w| w == b"\r\n\r\n") {
            let read = stream.read(&mut answer[got..]).await?;
            if read == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            got += read;
        }
        if !answer.starts_with(b"HTTP/1.1 200") {
            return Err(std::io::Error::other(String::from_utf8_lossy(&answer[..got]).into_owned()));
        }
    }
    Ok(())
}

async fn serve_provider(provider: Arc<Provider>) -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer_calls(stream, provider.clone()));
        }
    });
    Ok(format!("http://{address}"))
}

/// Answers every call as Telegram would a text, without looking at more than its length.
async fn answer_calls(mut stream: TcpStream, provider: Arc<Provider>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        while let Some(length) = whole_request(&buffer) {
            buffer.drain(..length);
            let count = provider.answers.fetch_add(1, Ordering::SeqCst) + 1;
            let body = format!(
                r#"{{"ok":true,"result":{{"message_id":{count},"from":{{"id":7000000001,"is_bot":true,"first_name":"Bench"}},"chat":{{"id":1,"type":"private","first_name":"A"}},"date":1767225600,"text":"ok"}}}}"#
            );
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await?;
            if count == provider.wanted.load(Ordering::SeqCst) {
                provider.reached.notify_one();
            }
        }
        if stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
    }
}

/// The length of the first request in the buffer, when it is there whole.
fn whole_request(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&buffer[..head]).ok()?;
    let length = text
        .lines()
        .find_map(|l| l.split_once(':').filter(|(n, _)| n.eq_ignore_ascii_case("content-length")))
        .and_then(|(_, v)| v.trim().parse::<usize>().ok())
        .unwrap_or(0);
    (buffer.len() >= head + length).then_some(head + length)
}
