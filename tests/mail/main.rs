//! E-mail against real servers: Dovecot and Postfix, started here.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

mod accounts;
mod desk;
mod exactly_once;
mod receiving;
mod sending;
mod servers;
#[path = "../support"]
mod support {
    pub(crate) mod built;
    pub(crate) mod process;
}
