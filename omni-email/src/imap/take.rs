//! Fetching mails: many small ones at once, a large one by its words.

use bytes::Bytes;
use omni_core::error::Result;

use crate::mail::{File, PartPath, Raw};
use crate::mailbox::Mailbox;
use crate::parse::{self, LoadedText};

use super::folder::Folder;
use super::told::{Fetched, Leaf};
use super::uids::Uids;
use super::wire::Wire;

/// Most mails and bytes of one step between two commits.
const STEP_MAILS: usize = 50;
const STEP_BYTES: u64 = 4 << 20;
/// Most bytes of headers, and of one text, that are fetched of a mail that is too large to be fetched whole.
const HEADERS: u64 = 1 << 20;
const WORDS: u64 = 2 << 20;
/// Most texts of such a mail.
const TEXTS: usize = 16;

/// What became of a mail that was to be fetched.
#[derive(Debug)]
pub(crate) enum Taken {
    /// Here it is.
    Mail(Box<Raw>),
    /// It was moved or deleted meanwhile.
    Gone,
    /// It is there, and the server has no bytes of it.
    Nothing,
}

/// How many of these mails are fetched at once.
pub(crate) fn step(mails: &[Fetched], careful: u32, max_whole: u64) -> usize {
    let mut bytes = 0u64;
    let alone = |mail: &Fetched| {
        mail.uid.is_some_and(|uid| uid <= careful) || mail.size.is_some_and(|size| size > max_whole)
    };
    let fits = mails.iter().take(STEP_MAILS).take_while(|mail| {
        bytes = bytes.saturating_add(mail.size.unwrap_or(0));
        bytes <= STEP_BYTES && !alone(mail)
    });
    fits.count().max(1)
}

/// Fetches the mails of a step, in its order.
pub(crate) async fn fetch(
    wire: &mut Wire,
    mailbox: &Mailbox,
    folder: &Folder,
    validity: u32,
    step: &[Fetched],
) -> Result<Vec<Taken>> {
    if let [mail] = step
        && let (Some(uid), Some(size)) = (mail.uid, mail.size)
        && size > mailbox.config.max_whole
    {
        return Ok(vec![words(wire, folder, validity, mail, uid).await?]);
    }
    let uids: Uids = step.iter().filter_map(|mail| mail.uid).collect();
    let bytes = step.iter().filter_map(|mail| mail.size).fold(0, u64::saturating_add);
    // A server that lies about sizes is still held to what a whole mail may have.
    let mails = wire.whole(&uids, bytes.max(mailbox.config.max_whole)).await?;
    let taken = |wanted: &Fetched| match mails.iter().find(|mail| mail.uid == wanted.uid) {
        None => Taken::Gone,
        Some(mail) => match mail.piece("").flatten().filter(|bytes| !bytes.is_empty()) {
            None => Taken::Nothing,
            Some(bytes) => Taken::Mail(Box::new(raw(folder, validity, wanted, mail, bytes.clone()))),
        },
    };
    Ok(step.iter().map(taken).collect())
}

fn raw(folder: &Folder, validity: u32, wanted: &Fetched, fetched: &Fetched, bytes: Bytes) -> Raw {
    Raw {
        folder: folder.name.clone(),
        uid_validity: validity,
        uid: wanted.uid.unwrap_or_default(),
        internal_date: wanted.internal_date,
        flags: fetched.flags.clone().unwrap_or_default(),
        bytes,
        not_loaded: Vec::new(),
    }
}

/// A mail of which nothing can be had.
pub(crate) fn unreadable(folder: &Folder, validity: u32, uid: u32) -> Raw {
    let wanted = Fetched { uid: Some(uid), ..Fetched::default() };
    raw(folder, validity, &wanted, &Fetched::default(), Bytes::new())
}

/// Headers and words of a mail that is too large; its files are listed, and fetched when somebody asks for them.
async fn words(wire: &mut Wire, folder: &Folder, validity: u32, mail: &Fetched, uid: u32) -> Result<Taken> {
    let Some(described) = wire.structure(uid).await? else { return Ok(Taken::Gone) };
    let leaves = described.leaves.clone().unwrap_or_default();
    let texts = texts(&leaves);
    let Some(headers) = wire.sections(uid, &["HEADER".to_owned()], HEADERS).await? else {
        return Ok(Taken::Gone);
    };
    let Some(headers) = headers.piece("HEADER").flatten().cloned() else { return Ok(Taken::Nothing) };
    // A mail of one part has its description in the headers of the mail.
    let single = leaves.len() == 1;
    let mut parts = Vec::new();
    for leaf in &texts {
        let mut wanted = vec![leaf.section.clone()];
        wanted.extend((!single).then(|| format!("{}.MIME", leaf.section)));
        let Some(fetched) = wire.sections(uid, &wanted, WORDS).await? else { return Ok(Taken::Gone) };
        let piece = |name: &str| fetched.piece(name).flatten().cloned().unwrap_or_default();
        parts.push((piece(&format!("{}.MIME", leaf.section)), piece(&leaf.section)));
    }
    let loaded: Vec<_> = parts.iter().map(|(mime, bytes)| LoadedText { mime, bytes }).collect();
    let mut raw = raw(folder, validity, mail, &described, parse::reduced(&headers, &loaded).into());
    let is_text = |leaf: &&Leaf| texts.iter().any(|text| text.section == leaf.section);
    raw.not_loaded = leaves.iter().filter(|leaf| !is_text(leaf)).map(listed).collect();
    Ok(Taken::Mail(Box::new(raw)))
}

/// The leaves that are the mail's words: plain ones, and HTML.
fn texts(leaves: &[Leaf]) -> Vec<Leaf> {
    let of = |mime: &'static str| {
        let fits = move |leaf: &&Leaf| leaf.mime == mime && !leaf.attached && leaf.name.is_none();
        leaves.iter().filter(fits).take(TEXTS).cloned()
    };
    of("text/plain").chain(of("text/html")).collect()
}

fn listed(leaf: &Leaf) -> File {
    // Base64 makes four characters of three bytes, and a line break of two after 76.
    let size = if leaf.base64 { leaf.octets / 78 * 57 + leaf.octets % 78 * 3 / 4 } else { leaf.octets };
    let name = leaf.name.as_deref().map(parse::file_name).unwrap_or_default();
    let name = if name.is_empty() { format!("attachment-{}", leaf.section) } else { name };
    File {
        part: PartPath(leaf.section.clone()),
        name,
        mime: leaf.mime.clone(),
        size,
        shown_as: leaf.content_id.clone(),
        decoration: false,
    }
}
