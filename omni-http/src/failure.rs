//! What a failed request means, without its address.

use std::error::Error as StdError;

use omni_core::Error;
use omni_core::error::ErrorKind;
use omni_core::outbound::SendError;

/// Sorts a failed request: certainly not carried out, or perhaps.
///
/// Only what happens before the first byte of the request can be written is certain: a connection that did
/// not come to stand, and a request that could not be built. A time-out, a reset and a broken answer may all
/// come after the other side has read everything. A total time-out that falls into connecting cannot be told
/// from one that does not, so it counts as perhaps.
pub(crate) fn of_request(operation: &'static str, error: &reqwest::Error) -> SendError {
    if error.is_builder() {
        return SendError::Rejected(
            Error::new(ErrorKind::Internal, operation).with_text("the request could not be built"),
        );
    }
    let described = describe(operation, error);
    if error.is_connect() { SendError::Rejected(described) } else { SendError::Unknown(described) }
}

/// The error for a person: what failed, and never where.
pub(crate) fn describe(operation: &'static str, error: &reqwest::Error) -> Error {
    let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Network };
    Error::new(kind, operation).with_text(chain(error))
}

/// The texts of an error and of those below it. Errors of reqwest may hold the address, in a nested one too,
/// so their own text is replaced by what kind they are.
pub(crate) fn chain(error: &reqwest::Error) -> String {
    let mut text = kind_of(error).to_owned();
    let mut below = error.source();
    while let Some(error) = below {
        text.push_str(": ");
        match error.downcast_ref::<reqwest::Error>() {
            Some(nested) => text.push_str(kind_of(nested)),
            None => text.push_str(&error.to_string()),
        }
        below = error.source();
    }
    text
}

fn kind_of(error: &reqwest::Error) -> &'static str {
    if error.is_builder() {
        "the request or client could not be built"
    } else if error.is_connect() {
        "could not connect"
    } else if error.is_timeout() {
        "no answer in time"
    } else if error.is_redirect() {
        "redirected too far"
    } else if error.is_body() || error.is_decode() {
        "the connection broke within the body"
    } else {
        "the request failed"
    }
}
