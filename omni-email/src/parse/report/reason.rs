//! Why a mail did not arrive.

use omni_core::error::{Error, ErrorKind, Retry};

use super::{Reason, Recipient};

pub(super) fn of(one: &Recipient) -> Reason {
    match one.status.as_deref() {
        Some("5.2.2") => Reason::Full,
        _ => Reason::Other,
    }
}

pub(super) fn error(one: &Recipient) -> Option<Error> {
    one.reason()?;
    Some(Error::new(ErrorKind::RecipientUnreachable, "delivery").with_retry(Retry::Never))
}
