//! What is in a Viber [`Address`]: the person's id and nothing else.

use omni_core::error::ErrorKind;
use omni_core::{Address, Error, Result};

/// Longer than every id that was seen: those have 24 characters.
const LONGEST: usize = 128;

/// The person at an address. Ids are Base64, with `/`, `+` and `=`, and another for each bot:
/// <https://developers.viber.com/docs/faq/> (read 2026-11).
pub(crate) fn person(operation: &'static str, address: &Address) -> Result<String> {
    let main = address.main();
    let is_id = (1..=LONGEST).contains(&main.len())
        && main.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'-' | b'_'));
    // Without parts the text is the main part alone.
    if is_id && address.as_str() == main {
        return Ok(main.into_owned());
    }
    Err(Error::new(ErrorKind::NotFound, operation)
        .with_text("not a Viber address")
        .with_advice("use the address of an event, or the id of a user as a callback told it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_any_form_survives_being_an_address() {
        for id in ["uQ0abcd1234EFGH5678ijA==", "a/b+c/d+e/f+g/h+i/j+k==", "01234567890A="] {
            let address = Address::new(id);
            assert_eq!(address.to_string(), id);
            assert_eq!(person("send", &address).unwrap(), id);
        }
    }

    #[test]
    fn an_address_of_another_channel_is_refused() {
        for foreign in ["", "ivan@example.com", "нигде", "a b", "7?thread=1", "%3F", &"x".repeat(129)] {
            let error = person("send", &foreign.parse::<Address>().unwrap()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{foreign}");
        }
    }
}
