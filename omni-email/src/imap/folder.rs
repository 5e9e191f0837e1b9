//! What is asked of a mailbox, each question one command.

use omni_core::Timestamp;
use omni_core::error::{Error, ErrorKind, Result};

use super::told::{Code, Fetched, Listed, Purpose, Told};
use super::uids::Uids;
use super::wire::{Refused, Wire, quoted};

/// Most bytes that sizes and dates may take: some hundred thousand mails.
const SIZES: u64 = 64 << 20;
/// Most mails of one command, so that its line stays under 8,000 bytes.
pub(crate) const PER_COMMAND: usize = 200;
/// Names of the folder of sent mail where the server does not say which it is.
const SENT: [&str; 16] = [
    "Sent",
    "Sent Items",
    "Sent Messages",
    "Sent Mail",
    "[Gmail]/Sent Mail",
    "INBOX.Sent",
    "Отправленные",
    "Исходящие",
    "Gesendet",
    "Gesendete Elemente",
    "Gesendete Objekte",
    "Éléments envoyés",
    "Enviados",
    "Inviata",
    "送信済みアイテム",
    "[Gmail]/Отправленные",
];
/// The same for spam.
const JUNK: [&str; 6] = ["Spam", "Junk", "Junk Email", "Junk E-mail", "Bulk", "Спам"];

/// A folder that can be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folder {
    /// Its name for people.
    pub(crate) name: String,
    /// Its name on the wire.
    wire: String,
}

/// The folders of a mailbox.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folders {
    all: Vec<Listed>,
}

impl Folders {
    /// Asks for all of them. Purposes (RFC 6154) come with a plain LIST, whatever the server says it can do.
    pub(crate) async fn list(wire: &mut Wire) -> Result<Self> {
        let answer = wire.command("LIST", r#"LIST "" "*""#).await?;
        let all = answer.into_iter().filter_map(|told| match told {
            Told::Folder(folder) if folder.opens => Some(folder),
            _ => None,
        });
        Ok(Self { all: all.collect() })
    }

    /// A folder by its name; INBOX in any case (RFC 3501, 5.1).
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration), with the names that are there.
    pub(crate) fn named(&self, name: &str) -> Result<Folder> {
        if name.eq_ignore_ascii_case("INBOX") {
            return Ok(Folder { name: "INBOX".to_owned(), wire: "INBOX".to_owned() });
        }
        self.all.iter().map(Folder::of).find(|folder| folder.name == name).ok_or_else(|| {
            let there: Vec<String> = self.all.iter().take(30).map(|listed| Folder::of(listed).name).collect();
            Error::configuration("select", format!("there is no folder {name:?}"))
                .with_advice(format!("set one of: {}", there.join(", ")))
        })
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = Folder> + '_ {
        self.all.iter().map(Folder::of)
    }

    /// The folder of sent mail.
    pub(crate) fn sent(&self) -> Option<Folder> {
        self.for_purpose(Purpose::Sent, &SENT)
    }

    /// The folder of spam.
    pub(crate) fn junk(&self) -> Option<Folder> {
        self.for_purpose(Purpose::Junk, &JUNK)
    }

    fn for_purpose(&self, purpose: Purpose, names: &[&str]) -> Option<Folder> {
        let declared = self.all.iter().find(|folder| folder.purpose == Some(purpose)).map(Folder::of);
        declared.or_else(|| {
            names.iter().find_map(|name| self.all.iter().map(Folder::of).find(|folder| folder.name == *name))
        })
    }
}

impl Folder {
    fn of(listed: &Listed) -> Self {
        // Names are modified UTF-7 (RFC 3501, 5.1.3); one that is not stays as it is.
        let name = utf7_imap::decode_utf7_imap(listed.name.clone());
        Self { name, wire: listed.name.clone() }
    }

    fn quoted(&self, operation: &'static str) -> Result<String> {
        quoted(operation, &self.wire)
    }
}

/// A folder that was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    /// The version of its UIDs.
    pub(crate) uid_validity: u32,
    /// The UID that the next mail is expected to get; some servers never say.
    pub(crate) uid_next: Option<u32>,
    /// How many mails it holds.
    pub(crate) exists: u32,
}

/// How a folder is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    /// To read: nothing in it changes.
    ToRead,
    /// To change flags.
    ToChange,
}

impl Wire {
    /// Opens a folder.
    pub(crate) async fn open_folder(&mut self, folder: &Folder, open: Open) -> Result<Opened> {
        let (operation, verb) = match open {
            Open::ToRead => ("EXAMINE", "EXAMINE"),
            Open::ToChange => ("SELECT", "SELECT"),
        };
        let answer = self.command(operation, &format!("{verb} {}", folder.quoted(operation)?)).await?;
        let (mut validity, mut next, mut exists) = (None, None, 0);
        for told in answer {
            match told {
                Told::Code(Code::UidValidity(v)) => validity = Some(v),
                Told::Code(Code::UidNext(n)) => next = Some(n),
                Told::Exists(mails) => exists = mails,
                _ => {}
            }
        }
        // What was there when the folder was opened is no news.
        self.take_news();
        let uid_validity = validity.filter(|v| *v > 0).ok_or_else(|| {
            Error::new(ErrorKind::Protocol, operation)
                .with_text("the server does not say which version of its UIDs the folder has (UIDVALIDITY)")
                .with("folder", &folder.name)
        })?;
        Ok(Opened { uid_validity, uid_next: next, exists })
    }

    /// The mails that a search finds, in order.
    pub(crate) async fn search(&mut self, criteria: &str) -> Result<Uids> {
        let answer = self.command("SEARCH", &format!("UID SEARCH {criteria}")).await?;
        let found = answer.into_iter().filter_map(|told| match told {
            Told::Found(uids) => Some(uids),
            _ => None,
        });
        Ok(found.flatten().collect())
    }

    /// The mails that the server took on a day or later, by its own calendar.
    pub(crate) async fn search_since(&mut self, day: Timestamp) -> Result<Uids> {
        self.search(&format!("SINCE {}", imap_day(day))).await
    }

    /// The mails with this Message-ID in the open folder.
    pub(crate) async fn search_message(&mut self, message_id: &str) -> Result<Uids> {
        let id = quoted("SEARCH", &format!("<{message_id}>"))?;
        self.search(&format!("HEADER Message-ID {id}")).await
    }

    /// UID, date and size of the mails of a set, as far as they are there, in the order of their UIDs.
    pub(crate) async fn sizes(&mut self, set: &str) -> Result<Vec<Fetched>> {
        let line = format!("UID FETCH {set} (UID INTERNALDATE RFC822.SIZE)");
        let mut mails = self.fetched(&line, SIZES).await?;
        mails.retain(|mail| mail.size.is_some());
        mails.sort_by_key(|mail| mail.uid);
        mails.dedup_by_key(|mail| mail.uid);
        Ok(mails)
    }

    /// The whole of these mails. `bytes` is what they take by the server's account.
    pub(crate) async fn whole(&mut self, uids: &Uids, bytes: u64) -> Result<Vec<Fetched>> {
        let line = format!("UID FETCH {} (UID FLAGS BODY.PEEK[])", uids.to_set());
        let mut mails = self.fetched(&line, allowance(bytes)).await?;
        mails.retain(|mail| mail.piece("").is_some());
        Ok(mails)
    }

    /// The leaves of one mail.
    pub(crate) async fn structure(&mut self, uid: u32) -> Result<Option<Fetched>> {
        let line = format!("UID FETCH {uid} (UID FLAGS BODYSTRUCTURE)");
        Ok(self.fetched(&line, 4 << 20).await?.into_iter().find(|mail| mail.leaves.is_some()))
    }

    /// Sections of one mail (`HEADER`, `1`, `2.MIME`), in the order asked for, each at most so many bytes.
    pub(crate) async fn sections(
        &mut self,
        uid: u32,
        sections: &[String],
        at_most: u64,
    ) -> Result<Option<Fetched>> {
        let items: Vec<String> = sections.iter().map(|s| format!("BODY.PEEK[{s}]<0.{at_most}>")).collect();
        let line = format!("UID FETCH {uid} (UID {})", items.join(" "));
        let bytes = at_most.saturating_mul(sections.len() as u64);
        Ok(self.fetched(&line, allowance(bytes)).await?.into_iter().find(|mail| !mail.pieces.is_empty()))
    }

    /// A stretch of one section of one mail. `None` when the mail is gone, nothing behind its end.
    pub(crate) async fn stretch(
        &mut self,
        uid: u32,
        section: &str,
        from: u64,
        length: u64,
    ) -> Result<Option<bytes::Bytes>> {
        let line = format!("UID FETCH {uid} (UID BODY.PEEK[{section}]<{from}.{length}>)");
        let mails = self.fetched(&line, allowance(length)).await?;
        let found = mails.iter().find_map(|mail| mail.piece(section));
        Ok(found.map(|bytes| bytes.cloned().unwrap_or_default()))
    }

    /// Adds a flag to mails, without an answer for each.
    pub(crate) async fn add_flag(&mut self, uids: &Uids, flag: &str) -> Result<()> {
        let line = format!("UID STORE {} +FLAGS.SILENT ({flag})", uids.to_set());
        self.command("STORE", &line).await.map(|_| ())
    }

    /// Puts a mail into a folder, as seen. A folder that is not there is made (RFC 3501, TRYCREATE).
    pub(crate) async fn append(&mut self, folder: &Folder, mail: &[u8]) -> Result<()> {
        let name = folder.quoted("APPEND")?;
        let line = format!("APPEND {name} (\\Seen) {{{}}}", mail.len());
        match self.command_with("APPEND", &line, mail).await {
            Ok(_) => Ok(()),
            Err(Refused { code: Some(Code::TryCreate), .. }) => {
                self.command("CREATE", &format!("CREATE {name}")).await?;
                self.command_with("APPEND", &line, mail).await.map(|_| ()).map_err(|refused| refused.error)
            }
            Err(refused) => Err(refused.error),
        }
    }

    /// Runs a FETCH. Items that name no UID are news that nobody asked for, and are left out.
    async fn fetched(&mut self, line: &str, bytes: u64) -> Result<Vec<Fetched>> {
        let answer = self.command_of("FETCH", line, bytes).await?;
        let mails = answer.into_iter().filter_map(|told| match told {
            Told::Mail(mail) if mail.uid.is_some() => Some(mail),
            _ => None,
        });
        Ok(mails.collect())
    }
}

/// Room for an answer about so many bytes of mail: sizes of some servers are off, and every item has words around it.
fn allowance(bytes: u64) -> u64 {
    bytes.saturating_add(bytes / 4).saturating_add(1 << 20)
}

/// A day as SEARCH wants it: `1-Feb-1994` (RFC 3501, date).
fn imap_day(at: Timestamp) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let date = mail_parser::DateTime::from_timestamp(at.as_millis().div_euclid(1000));
    let month = MONTHS.get(usize::from(date.month.saturating_sub(1))).copied().unwrap_or("Jan");
    format!("{}-{month}-{:04}", date.day, date.year)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(name: &str, purpose: Option<Purpose>) -> Listed {
        Listed { name: name.to_owned(), separator: None, opens: true, purpose }
    }

    #[test]
    fn a_declared_folder_goes_before_one_that_is_only_called_so() {
        let all = vec![listed("Sent", None), listed("Outbox", Some(Purpose::Sent)), listed("Spam", None)];
        let folders = Folders { all };
        assert_eq!(folders.sent().map(|f| f.name), Some("Outbox".to_owned()));
        assert_eq!(folders.junk().map(|f| f.name), Some("Spam".to_owned()));
    }

    #[test]
    fn russian_names_are_read_and_written_in_modified_utf_7() {
        let folders = Folders { all: vec![listed("&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-", None)] };
        let sent = folders.sent().expect("the folder");
        assert_eq!(sent.name, "Отправленные");
        assert_eq!(sent.quoted("SELECT").expect("ASCII"), "\"&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-\"");
        assert_eq!(folders.named("Отправленные").map(|f| f.wire).ok(), Some(sent.wire));
    }

    #[test]
    fn a_folder_that_is_not_there_is_answered_with_those_that_are() {
        let folders = Folders { all: vec![listed("Продажи", None)] };
        let error = folders.named("Sales").expect_err("not there");
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("Продажи"), "{error}");
        assert!(folders.named("inbox").is_ok());
    }

    #[test]
    fn days_are_written_as_search_wants_them() {
        assert_eq!(imap_day(Timestamp::from_secs(760_105_000)), "1-Feb-1994");
    }
}
