//! Reading mail: IMAP.

mod errand;
mod folder;
mod mark;
mod stream;
mod take;
mod told;
mod uids;
mod watch;
mod wire;

pub(crate) use errand::Errands;
pub(crate) use watch::listen;
pub(crate) use wire::Wire;
