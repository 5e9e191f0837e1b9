//! Errands: what is wanted of a mailbox beside listening, on a connection of its own.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use omni_core::error::{Error, ErrorKind, Result};
use tokio::sync::Mutex;
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

impl Kept {
    async fn open(mailbox: &Mailbox) -> Result<Self> {
        let mut wire = mailbox.open().await?;
        let folders = Folders::list(&mut wire).await?;
        Ok(Self { wire, folders, used: Instant::now() })
    }
}

impl Errands {
    pub(crate) fn new(mailbox: Arc<Mailbox>) -> Self {
        Self { mailbox, kept: Mutex::default() }
    }

    /// Logs in, looks for the folders of the settings, and says what is there.
    pub(crate) async fn check(&self) -> Result<Vec<String>> {
        let names = self.mailbox.config.folders.clone();
        self.run(async |kept: &mut Kept| {
            for name in &names {
                let folder = kept.folders.named(name)?;
                kept.wire.open_folder(&folder, Open::ToRead).await?;
            }
            let mut warnings = Vec::new();
            if kept.folders.sent().is_none() {
                warnings.push("there is no folder of sent mail: what is sent from elsewhere is not seen".to_owned());
            }
            if !kept.wire.can("IDLE") {
                warnings.push("the server cannot say when mail comes: it is looked for now and then".to_owned());
            }
            Ok(warnings)
        })
        .await
    }

    /// Whether a mail lies in the Sent folder. `None` when there is no such folder.
    pub(crate) async fn sent_holds(&self, message_id: &str) -> Result<Option<bool>> {
        self.run(async |kept: &mut Kept| {
            let Some(sent) = kept.folders.sent() else { return Ok(None) };
            kept.wire.open_folder(&sent, Open::ToRead).await?;
            Ok(Some(!kept.wire.search_message(message_id).await?.is_empty()))
        })
        .await
    }

    /// Puts the very mail that went out into the Sent folder, unless the provider does so by itself. A failure is
    /// logged and no more: the mail was sent.
    pub(crate) async fn copy_to_sent(&self, message_id: &str, mail: &Bytes) {
        for attempt in 1..=COPIES {
            sleep(BY_ITSELF * attempt).await;
            let copied = async {
                match self.sent_holds(message_id).await? {
                    Some(false) => self.append_to_sent(mail).await,
                    _ => Ok(()),
                }
            };
            match copied.await {
                Ok(()) => return,
                Err(error) => debug!(%error, attempt, "the copy was not put into the Sent folder"),
            }
        }
        warn!("the Sent folder has no copy of a sent mail");
    }

    async fn append_to_sent(&self, mail: &Bytes) -> Result<()> {
        self.run(async |kept: &mut Kept| match kept.folders.sent() {
            Some(sent) => kept.wire.append(&sent, mail).await,
            None => Ok(()),
        })
        .await
    }

    /// Marks a mail as seen, in whichever folder of the settings it is. One that is nowhere is a success.
    pub(crate) async fn mark_seen(&self, message_id: &str) -> Result<()> {
        let names = self.mailbox.config.folders.clone();
        self.run(async |kept: &mut Kept| {
            for name in &names {
                let folder = kept.folders.named(name)?;
                kept.wire.open_folder(&folder, Open::ToChange).await?;
                let found = kept.wire.search_message(message_id).await?;
                if !found.is_empty() {
                    return kept.wire.add_flag(&found, "\\Seen").await;
                }
            }
            Ok(())
        })
        .await
    }

    /// The bytes of a file, and its media type.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when the mail is gone, [`TooLarge`](ErrorKind::TooLarge) over `cap` bytes.
    pub(crate) async fn file(&self, file: &FileRef, cap: u64) -> Result<(String, Bytes)> {
        self.run(async |kept: &mut Kept| {
            let uid = self.find(kept, file).await?;
            let size = kept.wire.sizes(&uid.to_string()).await?.first().and_then(|mail| mail.size);
            let whole = size.is_some_and(|size| size <= self.mailbox.config.max_whole);
            let (mime, bytes) = if whole || file.part.is_none() {
                self.out_of_whole(kept, uid, size.unwrap_or(0), file, cap).await?
            } else {
                out_of_section(kept, uid, file, cap).await?
            };
            match u64::try_from(bytes.len()) {
                Ok(length) if length <= cap => Ok((mime, bytes)),
                _ => Err(too_large(cap)),
            }
        })
        .await
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

    async fn out_of_whole(
        &self,
        kept: &mut Kept,
        uid: u32,
        size: u64,
        file: &FileRef,
        cap: u64,
    ) -> Result<(String, Bytes)> {
        if file.part.is_none() && size > cap {
            return Err(too_large(cap));
        }
        let uids: Uids = [uid].into_iter().collect();
        let mails = kept.wire.whole(&uids, size.max(self.mailbox.config.max_whole)).await?;
        let raw = mails.iter().find_map(|mail| mail.piece("").flatten()).ok_or_else(gone)?;
        match &file.part {
            None => Ok(("message/rfc822".to_owned(), raw.clone())),
            Some(part) => parse::extract(raw, part).ok_or_else(gone),
        }
    }

    /// Runs an errand on the connection that is kept, or on a new one.
    ///
    /// *Cancel safety*: a dropped errand takes its connection with it.
    async fn run<T>(&self, mut errand: impl AsyncFnMut(&mut Kept) -> Result<T>) -> Result<T> {
        let mut place = self.kept.lock().await;
        if let Some(mut kept) = place.take().filter(|kept| kept.used.elapsed() < KEPT) {
            match errand(&mut kept).await {
                // The server may have ended the connection while nobody looked.
                Err(error) if error.kind() == ErrorKind::Network => {}
                done => {
                    keep(&mut place, kept, &done);
                    return done;
                }
            }
        }
        let mut kept = Kept::open(&self.mailbox).await?;
        let done = errand(&mut kept).await;
        keep(&mut place, kept, &done);
        done
    }
}

/// Keeps a connection that is in step.
fn keep<T>(place: &mut Option<Kept>, mut kept: Kept, done: &Result<T>) {
    let in_step = match done {
        Ok(_) => true,
        Err(error) => matches!(error.kind(), ErrorKind::NotFound | ErrorKind::TooLarge),
    };
    if in_step {
        kept.used = Instant::now();
        *place = Some(kept);
    }
}

/// A file of a mail that is too large to be fetched whole: its headers, then its bytes, stretch by stretch.
async fn out_of_section(kept: &mut Kept, uid: u32, file: &FileRef, cap: u64) -> Result<(String, Bytes)> {
    let section = file.part.as_ref().map(|part| part.0.clone()).unwrap_or_default();
    // A file within a winmail.dat is got out of the whole of it.
    let (section, inner) = match section.split_once('!') {
        Some((section, inner)) => (section.to_owned(), Some(format!("1!{inner}"))),
        None => (section, None),
    };
    let mime = kept.wire.stretch(uid, &format!("{section}.MIME"), 0, MIME).await?.ok_or_else(gone)?;
    let mut mail = BytesMut::from(mime.trim_ascii_end());
    mail.extend_from_slice(b"\r\n\r\n");
    // Base64 with its line breaks is 78 bytes for 57.
    let most = cap.saturating_mul(78) / 57 + MIME;
    let mut at = 0;
    loop {
        let stretch = kept.wire.stretch(uid, &section, at, STRETCH).await?.ok_or_else(gone)?;
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
    parse::extract(&mail, &PartPath(inner.unwrap_or_else(|| "1".to_owned()))).ok_or_else(gone)
}

fn gone() -> Error {
    Error::new(ErrorKind::NotFound, "fetch").with_text("the mail is not in the mailbox any more")
}

fn too_large(cap: u64) -> Error {
    Error::new(ErrorKind::TooLarge, "fetch").with("most_bytes", cap)
}
