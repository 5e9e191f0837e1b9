//! What is in an Auto.ru [`Address`].

use omni_core::error::ErrorKind;
use omni_core::{Address, Error, Result};

/// Begins the address of a room of the REST API.
const ROOM: &str = "room:";
/// Begins the address of a buyer whose id could be read as something else.
const BUYER: &str = "buyer:";

/// Where to speak.
///
/// Written as [`Address`], a buyer is their id alone, a room is `room:<id>`. Neither has parts behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AutoruAddress {
    /// Whoever a webhook named as its sender.
    Buyer(String),
    /// A room of the REST API. Which buyer's id belongs to it is not told.
    Room(String),
}

impl From<&AutoruAddress> for Address {
    fn from(address: &AutoruAddress) -> Address {
        match address {
            AutoruAddress::Buyer(id) if id.starts_with(ROOM) || id.starts_with(BUYER) => {
                Address::new(format!("{BUYER}{id}"))
            }
            AutoruAddress::Buyer(id) => Address::new(id),
            AutoruAddress::Room(id) => Address::new(format!("{ROOM}{id}")),
        }
    }
}

impl TryFrom<&Address> for AutoruAddress {
    type Error = Error;

    fn try_from(address: &Address) -> Result<Self> {
        let main = address.main();
        let (id, make): (&str, fn(String) -> Self) = match (main.strip_prefix(ROOM), main.strip_prefix(BUYER))
        {
            (Some(id), _) => (id, Self::Room),
            (None, Some(id)) => (id, Self::Buyer),
            (None, None) => (&main, Self::Buyer),
        };
        let has_parts = address.as_str().contains('?');
        if id.trim().is_empty() || id.chars().any(char::is_control) || has_parts {
            return Err(Error::new(ErrorKind::NotFound, "address")
                .with_text("not an address of Auto.ru")
                .with_advice("use the address of an event: a buyer's id, or room:<id>"));
        }
        Ok(make(id.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<AutoruAddress> {
        AutoruAddress::try_from(&text.parse::<Address>().unwrap())
    }

    #[test]
    fn a_buyer_is_an_id_and_a_room_says_so() {
        assert_eq!(read("9d1f3c").unwrap(), AutoruAddress::Buyer("9d1f3c".into()));
        assert_eq!(read("room:8a8a").unwrap(), AutoruAddress::Room("8a8a".into()));
        let odd = AutoruAddress::Buyer("room:8a8a".into());
        assert_eq!(Address::from(&odd).as_str(), "buyer:room:8a8a");
    }

    #[test]
    fn what_has_no_id_or_more_than_one_is_no_address() {
        for bad in ["", " ", "?", "room:", "buyer:", "a\0b", "9d1f3c?thread=1", "room:\n"] {
            assert_eq!(read(bad).unwrap_err().kind(), ErrorKind::NotFound, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn every_id_survives_being_an_address(id in "(room:|buyer:|)[^\\p{C}\\s]{1,20}", room: bool) {
            let address = if room { AutoruAddress::Room(id) } else { AutoruAddress::Buyer(id) };
            let stored = Address::from(&address).to_string();
            prop_assert_eq!(read(&stored).unwrap(), address);
        }
    }
}
