//! Errands: what is wanted of a mailbox beside listening, on a connection of its own.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use omni_core::error::{Error, ErrorKind, Result};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep};
use tracing::{debug, warn};

use crate::mail::PartPath;
use crate::mailbox::Mailbox;
use crate::parse;
use crate::parse::event::FileRef;

use super::folder::{Folder, Folders, Open};
use super::uids::Uids;
use super::wire::Wire;

/// How long a connection is kept for the next errand.
const KEPT: Duration = Duration::from_secs(30);
/// How long a provider gets to put a sent mail into its Sent folder by itself.
const BY_ITSELF: Duration = Duration::from_secs(5);
/// How often a copy is tried.
const COPIES: u32 = 3;
/// How large the pieces of a large file are.
const STRETCH: u64 = 1 << 20;
/// Most bytes of the headers of a part.
const MIME: u64 = 64 << 10;

/// Does errands, one at a time.
#[derive(Debug)]
pub(crate) struct Errands {
    mailbox: Arc<Mailbox>,
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    wire: Wire,
    folders: Folders,
    used: Instant,
}

/// A connection, lent for one errand. Dropped without [`Self::give_back`] it is closed: who knows what its server still
/// has to say.
struct Lent<'a> {
    place: MutexGuard<'a, Option<Kept>>,
    kept: Kept,
}

impl Lent<'_> {
    fn give_back(mut self) {
        self.kept.used = Instant::now();
        *self.place = Some(self.kept);
    }
}

impl Errands {
    pub(crate) fn new(mailbox: Arc<Mailbox>) -> Self {
        Self { mailbox, kept: Mutex::default() }
    }

    /// The connection that is kept, if it still stands, or a new one.
    async fn lend(&self) -> Result<Lent<'_>> {
        let mut place = self.kept.lock().await;
        if let Some(mut kept) = place.take().filter(|kept| kept.used.elapsed() < KEPT)
            && kept.wire.command("NOOP", "NOOP").await.is_ok()
        {
            return Ok(Lent { place, kept });
        }
        let mut wire = self.mailbox.open().await?;
        let folders = Folders::list(&mut wire).await?;
        Ok(Lent { place, kept: Kept { wire, folders, used: Instant::now() } })
    }

    /// Logs in, looks for the folders of the settings, and says what is there.
    pub(crate) async fn check(&self) -> Result<Vec<String>> {
        let mut lent = self.lend().await?;
        let Kept { wire, folders, .. } = &mut lent.kept;
        for name in &self.mailbox.config.folders {
            wire.open_folder(&folders.named(name)?, Open::ToRead).await?;
        }
        let mut warnings = Vec::new();
        if folders.sent().is_none() {
            warnings
                .push("there is no folder of sent mail: what is sent from elsewhere is not seen".to_owned());
        }
        if !wire.can("IDLE") {
            warnings.push("the server cannot say when mail comes: it is looked for now and then".to_owned());
        }
        lent.give_back();
        Ok(warnings)
    }

    /// Whether a mail lies in the Sent folder. `None` when there is no such folder.
    pub(crate) async fn sent_holds(&self, message_id: &str) -> Result<Option<bool>> {
        let mut lent = self.lend().await?;
        let Some(sent) = lent.kept.folders.sent() else { return Ok(None) };
        lent.kept.wire.open_folder(&sent, Open::ToRead).await?;
        let found = lent.kept.wire.search_message(message_id).await?;
        lent.give_back();
        Ok(Some(!found.is_empty()))
    }

    /// Puts the very mail that went out into the Sent folder, unless the provider does so by itself. A failure is
    /// logged and no more: the mail was sent.
    pub(crate) async fn copy_to_sent(&self, message_id: &str, mail: &Bytes) {
        for attempt in 1..=COPIES {
            sleep(BY_ITSELF * attempt).await;
            match self.copy_once(message_id, mail).await {
                Ok(()) => return,
                Err(error) => debug!(%error, attempt, "the copy was not put into the Sent folder"),
            }
        }
        warn!("the Sent folder has no copy of a sent mail");
    }

    async fn copy_once(&self, message_id: &str, mail: &Bytes) -> Result<()> {
        if self.sent_holds(message_id).await? != Some(false) {
            return Ok(());
        }
        let mut lent = self.lend().await?;
        let Some(sent) = lent.kept.folders.sent() else { return Ok(()) };
        lent.kept.wire.append(&sent, mail).await?;
        lent.give_back();
        Ok(())
    }

    /// Marks a mail as seen, in whichever folder of the settings it is. One that is nowhere is a success.
    pub(crate) async fn mark_seen(&self, message_id: &str) -> Result<()> {
        let mut lent = self.lend().await?;
        let Kept { wire, folders, .. } = &mut lent.kept;
        for name in &self.mailbox.config.folders {
            wire.open_folder(&folders.named(name)?, Open::ToChange).await?;
            let found = wire.search_message(message_id).await?;
            if !found.is_empty() {
                wire.add_flag(&found, "\\Seen").await?;
                break;
            }
        }
        lent.give_back();
        Ok(())
    }

    /// The bytes of a file, and its media type.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when the mail is gone, [`TooLarge`](ErrorKind::TooLarge) over `cap` bytes.
    pub(crate) async fn file(&self, file: &FileRef, cap: u64) -> Result<(String, Bytes)> {
        let mut lent = self.lend().await?;
        let uid = self.find(&mut lent.kept, file).await?;
        let wire = &mut lent.kept.wire;
        let size = wire.sizes(&uid.to_string()).await?.first().and_then(|mail| mail.size).unwrap_or(u64::MAX);
        let (mime, bytes) = match &file.part {
            None if size > cap => return Err(too_large(cap)),
            None => ("message/rfc822".to_owned(), self.raw(wire, uid, size).await?),
            Some(part) if size <= self.mailbox.config.max_whole => {
                parse::extract(&self.raw(wire, uid, size).await?, part).ok_or_else(gone)?
            }
            Some(part) => out_of_section(wire, uid, part, cap).await?,
        };
        lent.give_back();
        if bytes.len() as u64 > cap {
            return Err(too_large(cap));
        }
        Ok((mime, bytes))
    }

    /// Opens the folder that a file's mail is in, and says which it is there. A mail that was moved is found by its
    /// Message-ID.
    async fn find(&self, kept: &mut Kept, file: &FileRef) -> Result<u32> {
        if let Ok(folder) = kept.folders.named(&file.folder)
            && let Ok(opened) = kept.wire.open_folder(&folder, Open::ToRead).await
            && opened.uid_validity == file.uid_validity
            && !kept.wire.sizes(&file.uid.to_string()).await?.is_empty()
        {
            return Ok(file.uid);
        }
        let Some(message_id) = &file.message_id else { return Err(gone()) };
        for folder in self.places(&kept.folders, &file.folder) {
            kept.wire.open_folder(&folder, Open::ToRead).await?;
            if let Some(uid) = kept.wire.search_message(message_id).await?.iter().last() {
                return Ok(uid);
            }
        }
        Err(gone())
    }

    /// Where a mail may be: the folder it was in, those of the settings, then all others.
    fn places(&self, folders: &Folders, first: &str) -> Vec<Folder> {
        let usual = std::iter::once(first).chain(self.mailbox.config.folders.iter().map(String::as_str));
        let mut places: Vec<Folder> = Vec::new();
        for folder in usual.filter_map(|name| folders.named(name).ok()).chain(folders.all()) {
            if !places.contains(&folder) {
                places.push(folder);
            }
        }
        places
    }

    /// A whole mail.
    async fn raw(&self, wire: &mut Wire, uid: u32, size: u64) -> Result<Bytes> {
        let uids: Uids = [uid].into_iter().collect();
        let mails = wire.whole(&uids, size.max(self.mailbox.config.max_whole)).await?;
        mails.iter().find_map(|mail| mail.piece("").flatten()).cloned().ok_or_else(gone)
    }
}

/// A file of a mail that is too large to be fetched whole: its headers, then its bytes, stretch by stretch.
async fn out_of_section(wire: &mut Wire, uid: u32, part: &PartPath, cap: u64) -> Result<(String, Bytes)> {
    // A file within a winmail.dat is got out of the whole of it.
    let (section, inner) = match part.0.split_once('!') {
        Some((section, inner)) => (section, format!("1!{inner}")),
        None => (part.0.as_str(), "1".to_owned()),
    };
    let mime = wire.stretch(uid, &format!("{section}.MIME"), 0, MIME).await?.ok_or_else(gone)?;
    let mut mail = BytesMut::from(mime.trim_ascii_end());
    mail.extend_from_slice(b"\r\n\r\n");
    // Base64 with its line breaks is 78 bytes for 57.
    let most = cap.saturating_mul(78) / 57 + MIME;
    let mut at = 0;
    loop {
        let stretch = wire.stretch(uid, section, at, STRETCH).await?.ok_or_else(gone)?;
        let length = stretch.len() as u64;
        mail.extend_from_slice(&stretch);
        at += length;
        if at > most {
            return Err(too_large(cap));
        }
        if length < STRETCH {
            break;
        }
    }
    parse::extract(&mail, &PartPath(inner)).ok_or_else(gone)
}

fn gone() -> Error {
    Error::new(ErrorKind::NotFound, "fetch").with_text("the mail is not in the mailbox any more")
}

fn too_large(cap: u64) -> Error {
    Error::new(ErrorKind::TooLarge, "fetch").with("most_bytes", cap)
}
