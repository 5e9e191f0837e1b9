//! What is in an Avito [`Address`]: a chat's id and nothing beside it.

use omni_core::error::ErrorKind;
use omni_core::{Address, Error, Result};

/// Longer than any id there is.
const MAX: usize = 256;

/// The id of the chat that an address names.
///
/// Ids are opaque: `u2i-` and what follows is seen in practice and promised nowhere. What is refused here could not
/// be one part of a path.
pub(crate) fn chat(operation: &'static str, address: &Address) -> Result<String> {
    let id = address.main();
    // An address with parts is longer than its main part.
    let is_bare = Address::new(&id) == *address;
    if is_bare && is_segment(&id) {
        return Ok(id.into_owned());
    }
    Err(Error::new(ErrorKind::NotFound, operation)
        .with_text("not an Avito address")
        .with_advice("use the address of an event: the id of a chat that a buyer opened"))
}

/// Whether an opaque id can be one part of a path.
pub(crate) fn is_segment(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX && id != "." && id != ".." && !id.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_chat() {
        for id in ["u2i-AbCdEf~1234", "u2u-1/2", "a2u 100%", "чат?"] {
            assert_eq!(chat("sendMessage", &Address::new(id)).unwrap(), id);
        }
    }

    #[test]
    fn an_address_that_is_no_part_of_a_path_is_refused() {
        for foreign in ["", "?", ".", "..", "a\0b", "a\nb", "1?thread=2"] {
            let error = chat("sendMessage", &foreign.parse().unwrap()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{foreign}");
        }
        assert!(chat("sendMessage", &Address::new("x".repeat(257))).is_err());
    }
}
