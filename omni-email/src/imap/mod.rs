//! Reading mail: IMAP.

mod folder;
mod mark;
mod stream;
mod told;
mod uids;
mod wire;
