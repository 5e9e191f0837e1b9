//! Dovecot and Postfix on loopback, and what a test does to them.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use omni::email::{Config, Server, Tls};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Every mailbox here has this password.
pub(crate) const PASSWORD: &str = "secret-пароль";

/// How addresses begin.
const NAMES: [&str; 4] = ["support", "anna", "away", SMALL];
/// Such mailboxes hold 2 KB.
const SMALL: &str = "full";

/// A running pair of servers. They end with this process.
pub(crate) struct Servers {
    folder: PathBuf,
    imap: u16,
    imaps: u16,
    smtp: u16,
    submission: u16,
}

impl Servers {
    /// The pair that most tests share: each has mailboxes of its own there.
    pub(crate) fn shared() -> &'static Servers {
        static SHARED: OnceLock<Servers> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A pair for a test that stops it.
    pub(crate) fn start() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("omni-mail-{}-{number}", std::process::id()));
        let [imap, imaps, smtp, submission] = free_ports();
        let servers = Self { folder, imap, imaps, smtp, submission };
        servers.write_users();
        servers.resume();
        servers
    }

    /// All that tests will need: Dovecot sees a change of the file a second later only.
    fn write_users(&self) {
        std::fs::create_dir_all(&self.folder).unwrap();
        let user = |name: &str, number: u32| {
            let extra = if name == SMALL { "userdb_quota_rule=*:bytes=2K" } else { "" };
            format!("{name}-{number}@test.example:{{PLAIN}}{PASSWORD}::::::{extra}\n")
        };
        let users = NAMES.iter().flat_map(|name| (0..100).map(|number| user(name, number)));
        std::fs::write(self.folder.join("users"), users.collect::<String>()).unwrap();
    }

    /// Starts them after [`Self::stop`]: the mail is still there.
    pub(crate) fn resume(&self) {
        let ports = [self.imap, self.imaps, self.smtp, self.submission].map(|port| port.to_string());
        let program = script();
        let done = Command::new(program)
            .arg("start")
            .arg(&self.folder)
            .args(ports)
            .arg(std::process::id().to_string())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "./test installs what the mail servers need: {told}");
    }

    /// Stops both.
    pub(crate) fn stop(&self) {
        succeeded(&Command::new(script()).arg("stop").arg(&self.folder).output().unwrap());
    }

    /// A mailbox of its own for a test, whose address begins with one of [`NAMES`].
    pub(crate) fn mailbox(&self, name: &str) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        assert!(NAMES.contains(&name), "{name} is none of {NAMES:?}");
        format!("{name}-{}@test.example", NUMBER.fetch_add(1, Ordering::Relaxed))
    }

    /// Lets a mailbox answer every mail with an absence notice.
    pub(crate) fn on_vacation(&self, address: &str) {
        let home = self.folder.join("mail").join(address);
        std::fs::create_dir_all(&home).unwrap();
        std::fs::copy(self.folder.join("vacation.sieve"), home.join(".dovecot.sieve")).unwrap();
        let owned = Command::new("chown").args(["-R", "nobody:nogroup"]).arg(&home).output().unwrap();
        succeeded(&owned);
    }

    /// Settings for a mailbox here, over TLS on both sides.
    pub(crate) fn config(&self, address: &str) -> Config {
        let server = |port, tls| Server { host: "localhost".into(), port, tls };
        let mut config = Config::new(address, PASSWORD)
            .at(server(self.imaps, Tls::Implicit), server(self.submission, Tls::Starttls));
        config.ca_pem = Some(self.authority());
        // Only IDLE can be quicker than an hour here.
        config.poll_seconds = 3600;
        config
    }

    /// The same, reading mail over STARTTLS.
    pub(crate) fn starttls(&self, address: &str) -> Config {
        let mut config = self.config(address);
        config.imap = Some(Server { host: "localhost".into(), port: self.imap, tls: Tls::Starttls });
        config
    }

    /// The root that the servers' certificate comes from.
    pub(crate) fn authority(&self) -> String {
        std::fs::read_to_string(self.folder.join("tls/ca.pem")).unwrap()
    }

    /// Dovecot's own tool.
    pub(crate) fn doveadm(&self, arguments: &[&str]) -> String {
        let done =
            Command::new("doveadm").arg("-c").arg(self.folder.join("dovecot.conf")).args(arguments).output();
        succeeded(&done.unwrap())
    }

    /// Ends the sessions of a mailbox, as a server that restarts does.
    pub(crate) fn kick(&self, address: &str) {
        // Its exit code says whether there was a session: one that just ended by itself is fine too.
        let _ = Command::new("doveadm")
            .arg("-c")
            .arg(self.folder.join("dovecot.conf"))
            .args(["kick", address])
            .output()
            .unwrap();
    }

    /// The mails of a folder, oldest first, as they lie there.
    pub(crate) fn mails(&self, address: &str, folder: &str) -> Vec<String> {
        let found = self.doveadm(&["search", "-u", address, "mailbox", folder, "all"]);
        let uids = found.lines().filter_map(|line| line.split_whitespace().nth(1));
        let mail = |uid: &str| {
            let told = self.doveadm(&["fetch", "-u", address, "text", "mailbox", folder, "uid", uid]);
            told.strip_prefix("text:\n").unwrap_or(&told).trim_end_matches('\u{c}').to_owned()
        };
        uids.map(mail).collect()
    }

    /// Where a mailbox keeps its mail: files put into `new` are mails.
    pub(crate) fn maildir(&self, address: &str) -> PathBuf {
        self.folder.join("mail").join(address).join("Maildir")
    }

    /// Waits until a folder holds so many mails.
    pub(crate) async fn wait_for_mails(&self, address: &str, folder: &str, count: usize) -> Vec<String> {
        let waited = async {
            loop {
                let mails = self.mails(address, folder);
                if mails.len() >= count {
                    return mails;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), waited).await.expect("mails in the folder")
    }

    /// Takes mail for `greylist@` from now on.
    pub(crate) fn end_greylisting(&self) {
        let rows = self.folder.join("postfix/etc/recipients");
        let kept = std::fs::read_to_string(&rows).unwrap();
        let kept: Vec<&str> = kept.lines().filter(|row| !row.starts_with("greylist@")).collect();
        std::fs::write(&rows, kept.join("\n") + "\n").unwrap();
        for verb in ["stop", "start"] {
            let mut postfix = Command::new("postfix");
            postfix.arg("-c").arg(self.folder.join("postfix/etc")).arg(verb);
            // Daemons that hold our pipes would keep us waiting.
            let done =
                postfix.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
            assert!(done.success(), "postfix {verb}");
        }
    }

    /// What Postfix did so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("postfix/log")).unwrap()
    }

    /// Brings a mail in from outside, as the sender's server would.
    pub(crate) async fn deliver(&self, from: &str, to: &str, mail: &str) {
        let stream = TcpStream::connect(("127.0.0.1", self.smtp)).await.unwrap();
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        let mail = mail.replace("\r\n", "\n").replace('\n', "\r\n").replace("\r\n.", "\r\n..");
        let said = [
            String::new(),
            "EHLO [127.0.0.1]\r\n".to_owned(),
            format!("MAIL FROM:<{from}>\r\n"),
            format!("RCPT TO:<{to}>\r\n"),
            "DATA\r\n".to_owned(),
            format!("{mail}\r\n.\r\n"),
        ];
        for say in said {
            write.write_all(say.as_bytes()).await.unwrap();
            loop {
                let line = lines.next_line().await.unwrap().expect("an answer");
                assert!(line.starts_with(['2', '3']), "{line}");
                if line.as_bytes().get(3) != Some(&b'-') {
                    break;
                }
            }
        }
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail/servers")
}

fn succeeded(done: &Output) -> String {
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{told}");
    String::from_utf8(done.stdout.clone()).unwrap()
}

/// Ports that are free now.
fn free_ports() -> [u16; 4] {
    let held: [TcpListener; 4] = std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

/// A customer's mail in one part.
pub(crate) fn mail(from: &str, to: &str, id: &str, subject: &str, text: &str) -> String {
    format!(
        "From: {from}\nTo: <{to}>\nMessage-ID: <{id}>\nDate: Sat, 21 Nov 2026 10:00:00 +0300\nSubject: {subject}\n\
         MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}\n"
    )
}
