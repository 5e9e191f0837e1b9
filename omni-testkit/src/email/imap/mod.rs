//! A session of IMAP.

mod change;
mod fetch;
mod folders;
mod idle;
mod login;
mod parse;
mod search;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use super::fault::{Command, ImapFault};
use super::settings::{Ability, Starttls};
use super::state::{Folder, State};
use super::wire::{LINE, Line, LineEnd, Wire};
use super::{Core, ended};
use parse::{By, Literal, Piece, Request};

/// What a client hears whose folder has other numbers now, or is gone.
const INCONSISTENT: &str = "* BYE IMAP session state is inconsistent, please relogin.\r\n";

/// Speaks with one client until either ends it.
pub(super) async fn serve(core: Arc<Core>, wire: Wire) {
    core.note(|state| {
        state.counts.imap_connections += 1;
        state.open.imap += 1;
    });
    let mut session = Session { core: Arc::clone(&core), wire, user: None, selected: None, waits: Waits::No };
    let bye = tokio::select! {
        biased;
        bye = ended(&core) => bye,
        // However it ended: the client sees the end.
        _ = session.run() => None,
    };
    if let Some(words) = bye {
        // The client may be gone already.
        let _ = session.wire.write(format!("* BYE {words}\r\n")).await;
    }
    session.wire.end().await;
    session.leaves();
}

struct Session {
    core: Arc<Core>,
    wire: Wire,
    /// The mailbox, when logged in.
    user: Option<String>,
    selected: Option<Selected>,
    waits: Waits,
}

/// Whether a session waits in IDLE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    No,
    Idle,
}

/// A folder as this client knows it.
#[derive(Debug)]
struct Selected {
    name: String,
    uid_validity: u32,
    access: Access,
    /// UIDs by their places.
    uids: Vec<u32>,
    /// Those of them that this session was the first to be told of.
    recent: BTreeSet<u32>,
    /// Changes up to this one were told.
    mod_seq: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    ReadWrite,
    ReadOnly,
}

/// Whether a session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Goes,
    Ends,
}

/// An answer: untagged responses with their line ends, and the words behind the tag.
#[derive(Debug)]
struct Answer {
    untagged: Vec<Vec<u8>>,
    status: String,
}

/// What became of a command; an error is NO or BAD with its words.
type Handled = Result<Answer, String>;

impl Answer {
    fn ok(words: &str) -> Self {
        Self { untagged: Vec::new(), status: format!("OK {words}") }
    }

    /// The same answer with this response before the last line.
    fn with(mut self, response: impl AsRef<[u8]>) -> Self {
        self.untagged.push([b"* ", response.as_ref(), b"\r\n"].concat());
        self
    }
}

impl Session {
    fn leaves(&mut self) {
        self.core.note(|state| {
            state.open.imap -= 1;
            state.open.logged_in -= usize::from(self.user.is_some());
            state.open.idling -= usize::from(self.waits == Waits::Idle);
        });
    }

    async fn run(&mut self) -> io::Result<()> {
        if self.greets().await? == Flow::Ends {
            return Ok(());
        }
        loop {
            let line = match self.wire.line(LINE).await {
                Ok(Some(line)) => line,
                Ok(None) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return self.wire.write("* BYE Too long a line\r\n").await;
                }
                Err(error) => return Err(error),
            };
            if self.command(line).await? == Flow::Ends {
                return Ok(());
            }
        }
    }

    async fn greets(&mut self) -> io::Result<Flow> {
        let greeting = format!("* OK [CAPABILITY {}] ready.\r\n", self.capabilities());
        match self.core.imap.strike(Command::Greeting, "") {
            Some(ImapFault::Bye(words)) => {
                self.wire.write(format!("* BYE {words}\r\n")).await?;
                return Ok(Flow::Ends);
            }
            Some(ImapFault::Close) => return Ok(Flow::Ends),
            Some(ImapFault::Silence) => {
                self.wire.listens_for_nothing().await;
                return Ok(Flow::Ends);
            }
            Some(ImapFault::Delay(by)) => tokio::time::sleep(by).await,
            Some(ImapFault::Replaces(from, to)) => {
                self.wire.write(greeting.replace(&from, &to)).await?;
                return Ok(Flow::Goes);
            }
            _ => {}
        }
        self.wire.write(greeting).await?;
        Ok(Flow::Goes)
    }

    async fn command(&mut self, line: Line) -> io::Result<Flow> {
        let Some((tag, command, _)) = parse::head(&line.bytes) else {
            self.wire.write("* BAD Error in IMAP command received by server.\r\n").await?;
            return Ok(Flow::Goes);
        };
        if line.end == LineEnd::Lf {
            return self.ends_with(&tag, "BAD A line ends with CRLF").await;
        }
        if self.is_inconsistent() {
            self.wire.write(INCONSISTENT).await?;
            return Ok(Flow::Ends);
        }
        self.core.note(|state| state.note(command, told(command, &line.text())));
        let mut fault = self.core.imap.strike(command, &line.text());
        if let Some(flow) = self.early(&tag, command, &mut fault).await? {
            return Ok(flow);
        }
        let Some(pieces) = self.pieces(line, &tag, command).await? else { return Ok(Flow::Goes) };
        let request = match parse::request(&pieces) {
            Ok(request) => request,
            Err(wrong) => return self.ends_with(&tag, &format!("BAD {}", wrong.0)).await,
        };
        match command {
            Command::Authenticate => self.authenticate(&request, fault).await,
            Command::Idle => self.idle(&request, fault).await,
            Command::Starttls => self.starttls(&request, fault).await,
            _ => {
                let handled = self.handle(&request, fault.as_ref());
                self.answer(&request, handled, fault).await
            }
        }
    }

    /// Faults that come before anything is carried out; `None` when the command goes on.
    async fn early(
        &mut self,
        tag: &str,
        command: Command,
        fault: &mut Option<ImapFault>,
    ) -> io::Result<Option<Flow>> {
        let plus_comes = command == Command::Idle;
        match fault.take() {
            Some(ImapFault::No(words)) => self.ends_with(tag, &format!("NO {words}")).await.map(Some),
            Some(ImapFault::Bad(words)) => self.ends_with(tag, &format!("BAD {words}")).await.map(Some),
            Some(ImapFault::Silence) => {
                self.wire.listens_for_nothing().await;
                Ok(Some(Flow::Ends))
            }
            Some(ImapFault::Close) if !plus_comes => Ok(Some(Flow::Ends)),
            Some(ImapFault::Bye(words)) if !plus_comes => {
                self.wire.write(format!("* BYE {words}\r\n")).await?;
                Ok(Some(Flow::Ends))
            }
            Some(ImapFault::Delay(by)) => {
                tokio::time::sleep(by).await;
                Ok(None)
            }
            Some(ImapFault::Before(lines)) => {
                for line in lines {
                    self.wire.write(format!("{line}\r\n")).await?;
                }
                Ok(None)
            }
            Some(ImapFault::Delivers(raw)) => {
                let now = self.core.ground.now();
                self.core.note(|state| {
                    let inbox = self.user.as_ref().and_then(|user| state.folder_mut(user, "INBOX"));
                    inbox.map(|inbox| inbox.add(raw, BTreeSet::new(), now))
                });
                self.tells(Expunges::Held).await.map(|()| None)
            }
            Some(ImapFault::Expunges(uid)) => {
                // Without a folder there is nothing to delete, and nobody to tell.
                let _ = self.within(|folder, _| folder.remove(uid));
                self.tells(Expunges::Told).await.map(|()| None)
            }
            other => {
                *fault = other;
                Ok(None)
            }
        }
    }

    async fn tells(&mut self, expunges: Expunges) -> io::Result<()> {
        let news = self.news(expunges);
        self.wire.write(news.concat()).await
    }

    /// The whole command with its literals; `None` when it was refused before they came.
    async fn pieces(
        &mut self,
        mut line: Line,
        tag: &str,
        command: Command,
    ) -> io::Result<Option<Vec<Piece>>> {
        let mut pieces = Vec::new();
        while let Some((size, kind)) = parse::literal(&line.bytes) {
            if let Some(refusal) = self.refuses(command, &line, size, kind) {
                self.ends_with(tag, &refusal).await?;
                if kind == Literal::AtOnce {
                    // It comes all the same, and with it the rest of the command.
                    self.wire.bytes(size).await?;
                    self.wire.line(LINE).await?;
                }
                return Ok(None);
            }
            if kind == Literal::Asked {
                self.wire.write("+ OK\r\n").await?;
            }
            let literal = self.wire.bytes(size).await?;
            pieces.push(Piece { line: line.bytes, literal: Some(literal) });
            line = self.wire.line(LINE).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        }
        pieces.push(Piece { line: line.bytes, literal: None });
        Ok(Some(pieces))
    }

    /// Why a literal is not wanted.
    fn refuses(&self, command: Command, line: &Line, size: usize, kind: Literal) -> Option<String> {
        let state = self.core.state();
        if kind == Literal::AtOnce && !state.settings.can(Ability::LiteralPlus) {
            return Some("BAD Literals wait for a continuation here".to_owned());
        }
        if command != Command::Append {
            return (size > LINE).then(|| "BAD Too long a literal".to_owned());
        }
        let Some(user) = &self.user else { return Some("BAD Please login first.".to_owned()) };
        if size > state.settings.size_limit {
            return Some("NO [TOOBIG] The mail is too large".to_owned());
        }
        let piece = Piece { line: line.bytes.clone(), literal: Some(Vec::new()) };
        let request = parse::request(&[piece, Piece { line: Vec::new(), literal: None }]).ok()?;
        let name = folders::folder_name(request.arguments.first())?;
        let known = state.folder(user, &name).is_some();
        (!known).then(|| format!("NO [TRYCREATE] Mailbox doesn't exist: {name}"))
    }

    /// Carries a command out.
    fn handle(&mut self, request: &Request, fault: Option<&ImapFault>) -> Handled {
        match request.command {
            Command::Capability => Ok(self.capability()),
            Command::Noop => Ok(Answer::ok("NOOP completed.")),
            Command::Logout => Ok(Answer::ok("Logout completed").with("BYE Logging out")),
            Command::Id => self.id(),
            Command::Login => self.login(request),
            Command::Unknown => Err("BAD Unknown command".to_owned()),
            _ if self.user.is_none() => Err("BAD Please login first.".to_owned()),
            Command::Enable => self.enable(request),
            Command::List => self.list(request),
            Command::Select => self.select(request, Access::ReadWrite),
            Command::Examine => self.select(request, Access::ReadOnly),
            Command::Status => self.status(request),
            Command::Create => self.create(request),
            Command::Delete => self.delete(request),
            Command::Subscribe => Ok(Answer::ok("Subscribe completed")),
            Command::Append => self.append(request),
            _ if self.selected.is_none() => Err("BAD No mailbox selected".to_owned()),
            Command::Fetch => self.fetch(request, fault),
            Command::Search => self.search(request),
            Command::Store => self.flag(request),
            Command::Copy | Command::Move => self.copy(request),
            Command::Expunge => self.expunge(request),
            Command::Close => self.close(),
            Command::Unselect => self.unselect(),
            _ => Err("BAD Unknown command".to_owned()),
        }
    }

    /// Sends an answer, as far as a fault lets it.
    async fn answer(
        &mut self,
        request: &Request,
        handled: Handled,
        fault: Option<ImapFault>,
    ) -> io::Result<Flow> {
        let (mut lines, status) = match handled {
            Ok(answer) => (answer.untagged, answer.status),
            Err(status) => (Vec::new(), status),
        };
        let by_place = request.by == By::Place;
        let held = matches!(request.command, Command::Fetch | Command::Store | Command::Search) && by_place;
        lines.extend(self.news(if held { Expunges::Held } else { Expunges::Told }));
        let last = format!("{} {status}\r\n", request.tag).into_bytes();
        let (bytes, flow) = shaped(lines, last, fault.as_ref());
        match fault {
            Some(ImapFault::LosesAnswer) => return Ok(Flow::Ends),
            Some(ImapFault::Slow { pieces, pause }) => {
                for piece in bytes.chunks(bytes.len().div_ceil(pieces.max(1)).max(1)) {
                    tokio::time::sleep(pause).await;
                    self.wire.write(piece).await?;
                }
            }
            _ => self.wire.write(bytes).await?,
        }
        let is_over = request.command == Command::Logout;
        Ok(if is_over { Flow::Ends } else { flow })
    }

    async fn ends_with(&mut self, tag: &str, status: &str) -> io::Result<Flow> {
        self.wire.write(format!("{tag} {status}\r\n")).await?;
        Ok(Flow::Goes)
    }

    /// The mailbox that is logged in, the folder that is selected, and both as they are now.
    fn within<T>(&mut self, work: impl FnOnce(&mut Folder, &mut Selected) -> T) -> Result<T, String> {
        let gone = || "NO [NONEXISTENT] The folder is gone".to_owned();
        let (Some(user), Some(selected)) = (&self.user, &mut self.selected) else { return Err(gone()) };
        let mut state = self.core.state();
        let folder = state.folder_mut(user, &selected.name).ok_or_else(gone)?;
        let done = work(folder, selected);
        drop(state);
        self.core.ground.changed();
        Ok(done)
    }

    /// Whether a login in clear is taken.
    fn takes_login(&self, state: &State) -> bool {
        self.wire.is_secure() || state.settings.starttls != Starttls::Demanded
    }
}

/// Whether removed mails may be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expunges {
    Told,
    /// While an answer speaks of places, they stay as they are.
    Held,
}

/// An answer as a fault leaves it.
fn shaped(mut lines: Vec<Vec<u8>>, last: Vec<u8>, fault: Option<&ImapFault>) -> (Vec<u8>, Flow) {
    match fault {
        Some(ImapFault::Amid(more)) => {
            let more = more.iter().map(|line| format!("{line}\r\n").into_bytes());
            let at = lines.len().min(1);
            lines.splice(at..at, more);
        }
        Some(ImapFault::Without(text)) => {
            lines.retain(|line| !line.windows(text.len().max(1)).any(|part| part == text.as_bytes()));
        }
        Some(ImapFault::CutAfterResponses(count)) => {
            lines.truncate(*count);
            return (lines.concat(), Flow::Ends);
        }
        _ => {}
    }
    lines.push(last);
    if let Some(ImapFault::Replaces(from, to)) = fault {
        lines = lines.iter().map(|line| replaced(line, from, to)).collect();
    }
    let mut bytes = lines.concat();
    let cut = match fault {
        Some(ImapFault::CutAfter(count)) => Some(*count),
        Some(ImapFault::CutInLiteral) => in_literal(&bytes),
        _ => None,
    };
    match cut {
        Some(count) => {
            bytes.truncate(count);
            (bytes, Flow::Ends)
        }
        None => (bytes, Flow::Goes),
    }
}

/// A response with its first line changed; what follows it is a mail.
fn replaced(line: &[u8], from: &str, to: &str) -> Vec<u8> {
    let end = line.windows(2).position(|pair| pair == b"\r\n").unwrap_or(line.len());
    let (head, rest) = line.split_at_checked(end).unwrap_or((line, b""));
    let head = String::from_utf8_lossy(head).replace(from, to);
    [head.as_bytes(), rest].concat()
}

/// The middle of the first literal.
fn in_literal(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        if let Some((size, _)) = parse::literal(line.trim_ascii_end()) {
            return Some(at + size / 2);
        }
    }
    None
}

/// A line as it is kept: without its tag, and without what is secret.
fn told(command: Command, line: &str) -> String {
    let line = line.split_once(' ').map_or(line, |(_, rest)| rest);
    match command {
        Command::Login => "LOGIN".to_owned(),
        Command::Authenticate => line.split(' ').take(2).collect::<Vec<_>>().join(" "),
        _ => line.to_owned(),
    }
}
