//! What the server knows: mailboxes, folders, mails, and what it was told.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use omni_core::Timestamp;

use super::fault::Command;
use super::settings::{NewFolder, Settings};
use super::submission::Submission;

/// Lines kept of what clients said; the oldest go first.
const MAX_LINES: usize = 100_000;
/// The first UIDVALIDITY; each next folder has the next one.
const UID_VALIDITY: u32 = 1_700_000_000;

/// Everything.
#[derive(Debug)]
pub(super) struct State {
    pub(super) settings: Settings,
    /// Mailboxes by address, in lower case.
    pub(super) boxes: BTreeMap<String, Store>,
    pub(super) sent: Vec<Submission>,
    /// Recipients that are always refused, and how.
    pub(super) refused: BTreeMap<String, String>,
    pub(super) counts: Counts,
    pub(super) open: Open,
    /// What IMAP clients said.
    pub(super) said: Vec<(Command, String)>,
    pub(super) is_down: bool,
    next_validity: u32,
    pub(super) next_queue: u64,
}

/// How often things happened since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// IMAP connections taken.
    pub imap_connections: u64,
    /// Logins by IMAP that were right.
    pub imap_logins: u64,
    /// Logins by IMAP that were refused.
    pub imap_refusals: u64,
    /// SMTP connections taken.
    pub smtp_connections: u64,
    /// Logins by SMTP that were right.
    pub smtp_logins: u64,
    /// Logins by SMTP that were refused.
    pub smtp_refusals: u64,
}

/// What is open now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Open {
    /// IMAP connections.
    pub imap: usize,
    /// Those of them that are logged in.
    pub logged_in: usize,
    /// Those of them that wait in IDLE.
    pub idling: usize,
    /// SMTP connections.
    pub smtp: usize,
}

/// A mailbox.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) user: String,
    pub(super) password: String,
    pub(super) tokens: BTreeSet<String>,
    pub(super) folders: Vec<Folder>,
}

/// A folder.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) name: String,
    pub(super) use_for: Option<&'static str>,
    pub(super) uid_validity: u32,
    pub(super) uid_next: u32,
    pub(super) mod_seq: u64,
    /// By UID.
    pub(super) mails: BTreeMap<u32, Stored>,
}

/// A mail in a folder.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) raw: Bytes,
    pub(super) flags: BTreeSet<String>,
    pub(super) at: Timestamp,
    pub(super) mod_seq: u64,
    /// Whether no session was told of it yet.
    pub(super) recent: bool,
}

impl State {
    pub(super) fn new(settings: Settings) -> Self {
        let user = settings.user.clone().unwrap_or_else(|| settings.address.clone());
        let (address, password) = (settings.address.clone(), settings.password.clone());
        let mut state = Self {
            settings,
            boxes: BTreeMap::new(),
            sent: Vec::new(),
            refused: BTreeMap::new(),
            counts: Counts::default(),
            open: Open::default(),
            said: Vec::new(),
            is_down: false,
            next_validity: UID_VALIDITY,
            next_queue: 1,
        };
        state.add_box(&address, &user, &password);
        state
    }

    pub(super) fn add_box(&mut self, address: &str, user: &str, password: &str) {
        let folders = self.settings.folders.clone();
        let folders = folders.into_iter().map(|folder| self.new_folder(folder)).collect();
        let store =
            Store { user: user.to_owned(), password: password.to_owned(), tokens: BTreeSet::new(), folders };
        self.boxes.insert(address.to_ascii_lowercase(), store);
    }

    pub(super) fn new_folder(&mut self, folder: NewFolder) -> Folder {
        Folder {
            name: folder.name,
            use_for: folder.use_for,
            uid_validity: self.new_validity(),
            uid_next: 1,
            mod_seq: 1,
            mails: BTreeMap::new(),
        }
    }

    pub(super) fn new_validity(&mut self) -> u32 {
        self.next_validity += 1;
        self.next_validity
    }

    pub(super) fn folder(&self, address: &str, name: &str) -> Option<&Folder> {
        self.boxes.get(address)?.folders.iter().find(|folder| folder.is(name))
    }

    pub(super) fn folder_mut(&mut self, address: &str, name: &str) -> Option<&mut Folder> {
        self.boxes.get_mut(address)?.folders.iter_mut().find(|folder| folder.is(name))
    }

    /// The folder for a use: `\Sent`.
    pub(super) fn folder_for(&mut self, address: &str, use_for: &str) -> Option<&mut Folder> {
        self.boxes.get_mut(address)?.folders.iter_mut().find(|folder| folder.use_for == Some(use_for))
    }

    /// The mailbox that a recipient's mail goes to: plus addresses go where they go without what stands behind the plus.
    pub(super) fn box_of(&self, recipient: &str) -> Option<String> {
        let recipient = recipient.to_ascii_lowercase();
        let (local, domain) = recipient.rsplit_once('@')?;
        let local = local.split_once('+').map_or(local, |(before, _)| before);
        let found = format!("{local}@{domain}");
        self.boxes.contains_key(&found).then_some(found)
    }

    /// The mailbox of a user name.
    pub(super) fn box_of_user(&self, user: &str) -> Option<(&String, &Store)> {
        self.boxes.iter().find(|(_, store)| store.user.eq_ignore_ascii_case(user))
    }

    pub(super) fn note(&mut self, command: Command, line: String) {
        if self.said.len() == MAX_LINES {
            self.said.remove(0);
        }
        self.said.push((command, line));
    }
}

impl Folder {
    /// INBOX is one folder in whatever case (RFC 3501, 5.1).
    pub(super) fn is(&self, name: &str) -> bool {
        self.name == name || (name.eq_ignore_ascii_case("INBOX") && self.name == "INBOX")
    }

    /// Puts a mail in, and says its UID.
    pub(super) fn add(&mut self, raw: Bytes, flags: BTreeSet<String>, at: Timestamp) -> u32 {
        let uid = self.uid_next;
        self.put(uid, raw, flags, at);
        uid
    }

    /// Puts a mail in under this UID.
    pub(super) fn put(&mut self, uid: u32, raw: Bytes, flags: BTreeSet<String>, at: Timestamp) {
        self.uid_next = self.uid_next.max(uid.saturating_add(1));
        self.mod_seq += 1;
        self.mails.insert(uid, Stored { raw, flags, at, mod_seq: self.mod_seq, recent: true });
    }

    /// Changes a mail's flags; `None` when there is no such mail.
    pub(super) fn flag(&mut self, uid: u32, change: impl FnOnce(&mut BTreeSet<String>)) -> Option<()> {
        let mail = self.mails.get_mut(&uid)?;
        let before = mail.flags.clone();
        change(&mut mail.flags);
        if mail.flags != before {
            self.mod_seq += 1;
            mail.mod_seq = self.mod_seq;
        }
        Some(())
    }

    pub(super) fn remove(&mut self, uid: u32) -> Option<Stored> {
        let gone = self.mails.remove(&uid)?;
        self.mod_seq += 1;
        Some(gone)
    }

    /// Numbers all mails anew, as servers do that lost their index.
    pub(super) fn renumber(&mut self, uid_validity: u32) {
        self.uid_validity = uid_validity;
        let mails = std::mem::take(&mut self.mails);
        self.uid_next = 1;
        for (_, mail) in mails {
            self.mails.insert(self.uid_next, mail);
            self.uid_next += 1;
        }
    }
}
