//! What is in the [`Address`] of a program's chat: the program's id of it and nothing else.

use std::borrow::Cow;

use omni_core::error::ErrorKind;
use omni_core::{Address, Error, Result};

use crate::wire::ID_MAX;

/// The program's id of the chat at an address.
pub(crate) fn chat<'a>(operation: &'static str, address: &'a Address) -> Result<Cow<'a, str>> {
    let main = address.main();
    // Parts behind a `?` are another connector's: ids with such signs are escaped.
    if (1..=ID_MAX).contains(&main.len()) && Address::new(&main) == *address {
        return Ok(main);
    }
    Err(Error::new(ErrorKind::NotFound, operation)
        .with_text("not an address of this channel")
        .with_advice("use the address of an event, or the program's id of the chat"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_any_form_survives_being_an_address() {
        for id in ["5", "комната 7", "a?b=c", "100%", "a/b#c", "👋", "http://chat.example/?room=1"] {
            let address = Address::new(id);
            assert_eq!(chat("send", &address).unwrap(), id);
            assert_eq!(chat("send", &address.to_string().parse().unwrap()).unwrap(), id);
        }
    }

    #[test]
    fn an_address_of_another_channel_is_refused() {
        for foreign in ["", "?", "7?thread=1", "-100?business=a&thread=2", &"x".repeat(257)] {
            let error = chat("send", &foreign.parse::<Address>().unwrap()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{foreign}");
        }
    }
}
