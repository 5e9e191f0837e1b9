//! What kind of mail server it is.

use std::collections::BTreeSet;

/// What an IMAP server can do beyond IMAP4rev1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[allow(missing_docs)] // named as in CAPABILITY
pub enum Ability {
    Condstore,
    Enable,
    Id,
    Idle,
    LiteralPlus,
    Move,
    SaslIr,
    SpecialUse,
    UidPlus,
    Unselect,
}

impl Ability {
    /// All of them.
    pub const ALL: [Ability; 10] = [
        Ability::Condstore,
        Ability::Enable,
        Ability::Id,
        Ability::Idle,
        Ability::LiteralPlus,
        Ability::Move,
        Ability::SaslIr,
        Ability::SpecialUse,
        Ability::UidPlus,
        Ability::Unselect,
    ];

    /// Its name in CAPABILITY.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Ability::Condstore => "CONDSTORE",
            Ability::Enable => "ENABLE",
            Ability::Id => "ID",
            Ability::Idle => "IDLE",
            Ability::LiteralPlus => "LITERAL+",
            Ability::Move => "MOVE",
            Ability::SaslIr => "SASL-IR",
            Ability::SpecialUse => "SPECIAL-USE",
            Ability::UidPlus => "UIDPLUS",
            Ability::Unselect => "UNSELECT",
        }
    }
}

/// What an SMTP server can do beyond RFC 5321.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[allow(missing_docs)] // named as in EHLO
pub enum Extension {
    Dsn,
    EightBitMime,
    EnhancedStatusCodes,
    Pipelining,
    Size,
    SmtpUtf8,
}

impl Extension {
    /// All of them.
    pub const ALL: [Extension; 6] = [
        Extension::Dsn,
        Extension::EightBitMime,
        Extension::EnhancedStatusCodes,
        Extension::Pipelining,
        Extension::Size,
        Extension::SmtpUtf8,
    ];

    /// Its name in the answer to EHLO.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Extension::Dsn => "DSN",
            Extension::EightBitMime => "8BITMIME",
            Extension::EnhancedStatusCodes => "ENHANCEDSTATUSCODES",
            Extension::Pipelining => "PIPELINING",
            Extension::Size => "SIZE",
            Extension::SmtpUtf8 => "SMTPUTF8",
        }
    }
}

/// A way to log in with SASL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[allow(missing_docs)] // named as in AUTH=
pub enum Mechanism {
    Login,
    OauthBearer,
    Plain,
    Xoauth2,
}

impl Mechanism {
    /// All of them.
    pub const ALL: [Mechanism; 4] =
        [Mechanism::Plain, Mechanism::Login, Mechanism::Xoauth2, Mechanism::OauthBearer];

    /// Its name, as both protocols say it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Login => "LOGIN",
            Mechanism::OauthBearer => "OAUTHBEARER",
            Mechanism::Plain => "PLAIN",
            Mechanism::Xoauth2 => "XOAUTH2",
        }
    }
}

/// A folder that a mailbox begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFolder {
    /// Its name, in plain Unicode, with the separator of the server between its steps.
    pub name: String,
    /// What it is for, as RFC 6154 says it: `\Sent`.
    pub use_for: Option<&'static str>,
}

/// What kind of mail server it is. By default it can all it knows, speaks in clear and has TLS as well.
#[derive(Clone, Debug)]
#[must_use]
pub struct Settings {
    pub(super) address: String,
    pub(super) password: String,
    pub(super) user: Option<String>,
    pub(super) folders: Vec<NewFolder>,
    pub(super) separator: char,
    pub(super) abilities: BTreeSet<Ability>,
    pub(super) extensions: BTreeSet<Extension>,
    pub(super) mechanisms: BTreeSet<Mechanism>,
    pub(super) size_limit: usize,
    pub(super) connections: usize,
    pub(super) starttls: Starttls,
    pub(super) sent: SentCopies,
}

/// What STARTTLS is to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Starttls {
    /// Not offered.
    None,
    /// Offered; a login in clear is taken as well.
    Offered,
    /// Nobody logs in without it: `LOGINDISABLED`, no AUTH before it.
    Demanded,
}

/// Who puts mail that was handed in into the Sent folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SentCopies {
    /// The client, or nobody.
    ByClient,
    /// The server, as Gmail and Microsoft do.
    ByServer,
}

impl Settings {
    /// A server with one mailbox, whose user name is its address, and the usual folders.
    pub fn new(address: &str, password: &str) -> Self {
        let folder = |(name, use_for): (&str, _)| NewFolder { name: name.to_owned(), use_for };
        let folders = [
            ("INBOX", None),
            ("Drafts", Some("\\Drafts")),
            ("Sent", Some("\\Sent")),
            ("Junk", Some("\\Junk")),
            ("Trash", Some("\\Trash")),
        ];
        Self {
            address: address.to_owned(),
            password: password.to_owned(),
            user: None,
            folders: folders.map(folder).to_vec(),
            separator: '/',
            abilities: Ability::ALL.into(),
            extensions: Extension::ALL.into(),
            mechanisms: Mechanism::ALL.into(),
            size_limit: 25 << 20,
            connections: 50,
            starttls: Starttls::Offered,
            sent: SentCopies::ByClient,
        }
    }

    /// The user name, when it is not the address.
    pub fn user(mut self, user: &str) -> Self {
        self.user = Some(user.to_owned());
        self
    }

    /// The folders of every mailbox; INBOX has to be among them.
    pub fn folders(mut self, folders: &[(&str, Option<&'static str>)]) -> Self {
        let folder = |&(name, use_for): &(&str, _)| NewFolder { name: name.to_owned(), use_for };
        self.folders = folders.iter().map(folder).collect();
        self
    }

    /// What stands between the steps of a folder's name.
    pub fn separator(mut self, separator: char) -> Self {
        self.separator = separator;
        self
    }

    /// An IMAP server that cannot do this.
    pub fn without(mut self, ability: Ability) -> Self {
        self.abilities.remove(&ability);
        self
    }

    /// An SMTP server that cannot do this.
    pub fn without_extension(mut self, extension: Extension) -> Self {
        self.extensions.remove(&extension);
        self
    }

    /// SASL mechanisms, of both protocols. LOGIN as a command of IMAP stays.
    pub fn mechanisms(mut self, mechanisms: &[Mechanism]) -> Self {
        self.mechanisms = mechanisms.iter().copied().collect();
        self
    }

    /// Largest mail, in bytes, to be handed in or appended.
    pub fn size_limit(mut self, bytes: usize) -> Self {
        self.size_limit = bytes;
        self
    }

    /// How many IMAP connections may be logged in at once.
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = most;
        self
    }

    /// What STARTTLS is to it.
    pub fn starttls(mut self, starttls: Starttls) -> Self {
        self.starttls = starttls;
        self
    }

    /// Who puts copies into Sent.
    pub fn sent_copies(mut self, sent: SentCopies) -> Self {
        self.sent = sent;
        self
    }

    pub(super) fn can(&self, ability: Ability) -> bool {
        self.abilities.contains(&ability)
    }

    pub(super) fn offers(&self, extension: Extension) -> bool {
        self.extensions.contains(&extension)
    }
}
