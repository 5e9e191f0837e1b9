//! What goes wrong, and at which step.

use std::time::Duration;

use bytes::Bytes;

/// A step of an IMAP session. A command and its UID form are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[allow(missing_docs)] // named as the commands
pub enum Command {
    /// The server's first line.
    Greeting,
    Append,
    Authenticate,
    Capability,
    Close,
    Copy,
    Create,
    Delete,
    Enable,
    Examine,
    Expunge,
    Fetch,
    Id,
    Idle,
    List,
    Login,
    Logout,
    Move,
    Noop,
    Search,
    Select,
    Starttls,
    Status,
    Store,
    Subscribe,
    Unselect,
    /// A word that no command is.
    Unknown,
}

impl Command {
    /// The command of a word, in whatever case.
    pub(super) fn read(word: &str) -> Self {
        match word.to_ascii_uppercase().as_str() {
            "APPEND" => Command::Append,
            "AUTHENTICATE" => Command::Authenticate,
            "CAPABILITY" => Command::Capability,
            "CLOSE" => Command::Close,
            "COPY" => Command::Copy,
            "CREATE" => Command::Create,
            "DELETE" => Command::Delete,
            "ENABLE" => Command::Enable,
            "EXAMINE" => Command::Examine,
            "EXPUNGE" => Command::Expunge,
            "FETCH" => Command::Fetch,
            "ID" => Command::Id,
            "IDLE" => Command::Idle,
            "LIST" => Command::List,
            "LOGIN" => Command::Login,
            "LOGOUT" => Command::Logout,
            "MOVE" => Command::Move,
            "CHECK" | "NOOP" => Command::Noop,
            "SEARCH" => Command::Search,
            "SELECT" => Command::Select,
            "STARTTLS" => Command::Starttls,
            "STATUS" => Command::Status,
            "STORE" => Command::Store,
            "SUBSCRIBE" => Command::Subscribe,
            "UNSELECT" => Command::Unselect,
            _ => Command::Unknown,
        }
    }
}

/// What an IMAP server does instead of, or to, its proper answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ImapFault {
    /// Tagged NO with these words, a response code in brackets included; nothing is carried out.
    No(String),
    /// Tagged BAD with these words; nothing is carried out.
    Bad(String),
    /// `* BYE` with these words, and the end; nothing is carried out. To IDLE: after its `+`.
    Bye(String),
    /// The end without a word; nothing is carried out. To IDLE: after its `+`.
    Close,
    /// Carried out, and the end without an answer.
    LosesAnswer,
    /// Not a word from here on; the connection stays open.
    Silence,
    /// To IDLE: its `+`, and not a word from there on.
    Deaf,
    /// Carried out after this time.
    Delay(Duration),
    /// These lines (without their ends) come first: before a `+` too.
    Before(Vec<String>),
    /// These lines come behind the first line of the answer.
    Amid(Vec<String>),
    /// This mail lands in INBOX first, and its EXISTS is told before the answer or the `+`.
    Delivers(Bytes),
    /// Another program deletes the mail of this UID in the folder that is selected first, and its EXPUNGE is told before
    /// the answer or the `+`.
    Expunges(u32),
    /// Lines with this text are left out of the answer.
    Without(String),
    /// In the lines of the answer, not within mails, this text is replaced by that.
    Replaces(String, String),
    /// The answer ends after so many bytes, and with it the connection.
    CutAfter(usize),
    /// The answer ends after so many untagged responses (mails of a FETCH), and with it the connection.
    CutAfterResponses(usize),
    /// The answer ends in the middle of its first literal, and with it the connection.
    CutInLiteral,
    /// A FETCH tells every body as NIL.
    NilBody,
    /// A FETCH announces every literal with this size, and sends what there is.
    Announces(u64),
    /// The answer comes in so many pieces with this pause before each.
    Slow {
        /// Number of pieces.
        pieces: usize,
        /// Pause before each piece.
        pause: Duration,
    },
    /// To STARTTLS: this text right behind the answer, in clear, as a man in the middle would put it there.
    Injects(String),
}

/// A step of an SMTP session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// The server's first line.
    Connect,
    /// EHLO and HELO.
    Ehlo,
    /// STARTTLS.
    Starttls,
    /// AUTH; its answer comes when the exchange is over.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO, each.
    Rcpt,
    /// DATA.
    Data,
    /// While the mail is sent, before its dot.
    Content,
    /// The dot behind the mail.
    Dot,
    /// RSET.
    Rset,
    /// NOOP.
    Noop,
    /// QUIT.
    Quit,
}

/// What an SMTP server does instead of, or to, its proper answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SmtpFault {
    /// This answer, code and words, lines parted by `\n`; nothing is carried out.
    Reply(String),
    /// This answer, and the end; nothing is carried out.
    ReplyAndClose(String),
    /// The end without a word; nothing is carried out.
    Close,
    /// Carried out, and the end without an answer.
    LosesAnswer,
    /// Not a word from here on; the connection stays open, nothing is carried out.
    Silence,
    /// Carried out after this time.
    Delay(Duration),
    /// Carried out at once, answered after this time.
    DelayAnswer(Duration),
    /// Carried out; the answer comes byte by byte with this pause before each.
    Slow(Duration),
    /// To STARTTLS: this text right behind the answer, in clear, as a man in the middle would put it there.
    Injects(String),
}
