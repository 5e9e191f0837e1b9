//! Settings: a file, the environment, the command line. Nothing is required.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use omni::core::policy::ChannelPolicy;
use omni::{Book, ChannelKey, Provider};
use serde::{Deserialize, Serialize};
use url::Url;

/// What the desk was told.
pub(crate) struct Settings {
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// The address under which providers reach us; ours, when they need not reach us from outside.
    pub(crate) public_url: Option<Url>,
    /// The database file.
    pub(crate) database: PathBuf,
    /// Who may answer.
    pub(crate) agents: Vec<Agent>,
    /// How conversations are handled, for every tenant.
    pub(crate) book: Option<Book>,
    /// The accounts; without any, providers are simulated.
    pub(crate) channels: Vec<ChannelSettings>,
}

/// A person who answers.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Agent {
    /// The name that the hub knows.
    pub(crate) id: String,
    /// The name that people read.
    pub(crate) name: String,
}

/// One account.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChannelSettings {
    /// Whose it is.
    #[serde(default = "tenant")]
    pub(crate) tenant: String,
    /// Our name of it.
    pub(crate) id: String,
    /// The connector.
    pub(crate) provider: Provider,
    /// What agents read.
    pub(crate) title: Option<String>,
    /// How its conversations are handled, whatever the book says.
    pub(crate) policy: Option<ChannelPolicy>,
    /// What the connector is told: see its own `Config`.
    pub(crate) config: serde_json::Value,
}

impl ChannelSettings {
    /// The hub's name of the channel.
    pub(crate) fn key(&self) -> ChannelKey {
        ChannelKey::new(self.tenant.clone(), self.id.clone())
    }

    /// What agents read.
    pub(crate) fn title(&self) -> String {
        self.title.clone().unwrap_or_else(|| self.id.clone())
    }
}

/// The file, as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    listen: Option<SocketAddr>,
    public_url: Option<Url>,
    database: Option<PathBuf>,
    /// A file beside this one.
    book: Option<PathBuf>,
    agent: Vec<Agent>,
    channel: Vec<ChannelSettings>,
}

impl Settings {
    /// Reads everything there is.
    pub(crate) fn load() -> Result<Self, String> {
        let (path, file) = read_file()?;
        let book = file.book.as_ref().map(|book| read_book(&path, book)).transpose()?;
        let listen = match env::args().nth(1).or_else(|| env::var("LISTEN").ok()) {
            Some(given) => Some(given.parse().map_err(|_| {
                format!("cannot listen on {given:?}: give an address and a port, such as 127.0.0.1:8080")
            })?),
            None => file.listen,
        };
        Ok(Self {
            listen: listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            public_url: file.public_url,
            database: env::var_os("OMNI_DB")
                .map(PathBuf::from)
                .or(file.database)
                .unwrap_or_else(|| PathBuf::from("omni-inbox.db")),
            agents: if file.agent.is_empty() { demo_agents() } else { file.agent },
            book,
            channels: file.channel,
        })
    }
}

impl Settings {
    /// Where providers reach a desk that listens at an address.
    pub(crate) fn reached_at(&self, at: SocketAddr) -> Url {
        self.public_url.clone().unwrap_or_else(|| local_url(at))
    }
}

/// The file that says most of it, and where it was read.
fn read_file() -> Result<(PathBuf, File), String> {
    let named = env::var_os("OMNI_CONFIG").map(PathBuf::from);
    let path = named.clone().unwrap_or_else(|| PathBuf::from("omni.toml"));
    match fs::read_to_string(&path) {
        // The text is kept out of the message: it holds secrets.
        Ok(text) => match toml::from_str(&text) {
            Ok(file) => Ok((path, file)),
            Err(e) => Err(format!("{}: {}", path.display(), e.message())),
        },
        Err(e) if e.kind() == ErrorKind::NotFound && named.is_none() => Ok((path, File::default())),
        Err(e) => Err(format!("{}: {e}", path.display())),
    }
}

/// A book, named relative to the settings. All that is wrong with it is told at once, each with its line.
fn read_book(settings: &Path, book: &Path) -> Result<Book, String> {
    let path = settings.parent().unwrap_or(Path::new("")).join(book);
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    Book::from_toml(&text).map_err(|bad| bad.in_file(path.display().to_string()).to_string())
}

fn tenant() -> String {
    "demo".to_owned()
}

fn demo_agents() -> Vec<Agent> {
    [("anna", "Anna"), ("boris", "Boris"), ("vera", "Vera")]
        .map(|(id, name)| Agent { id: id.to_owned(), name: name.to_owned() })
        .into()
}

fn local_url(at: SocketAddr) -> Url {
    // An address that means "every interface" is none to call.
    let host = if at.ip().is_unspecified() { "127.0.0.1".to_owned() } else { at.ip().to_string() };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    #[allow(clippy::expect_used)] // made of an address and a port
    Url::parse(&format!("http://{host}:{}/", at.port())).expect("an address is a valid host")
}
