//! Comparing and signing, on well-kept libraries: `subtle`, `hmac`, `sha2`.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Whether a secret from outside is the expected one, in time that depends on the given one alone.
///
/// All of it is compared, whatever was found before, so neither the place of the first difference nor the
/// length of the expected secret is told.
pub fn constant_time_eq(given: &[u8], expected: &[u8]) -> bool {
    let mut equal = given.len().ct_eq(&expected.len());
    let mut expected = expected.chunks(WORD);
    for given in given.chunks(WORD) {
        equal &= word(given).ct_eq(&word(expected.next().unwrap_or_default()));
    }
    equal.into()
}

const WORD: usize = size_of::<u64>();

/// Up to eight bytes as a number; the missing ones are zero.
fn word(bytes: &[u8]) -> u64 {
    let mut whole = [0; WORD];
    whole.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    u64::from_le_bytes(whole)
}

/// HMAC-SHA-256 of `message` under `key`.
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    keyed(key).chain_update(message).finalize().into_bytes().into()
}

/// Whether `signature` is the HMAC-SHA-256 of `message` under `key`, compared in constant time.
pub fn verify_hmac_sha256(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    keyed(key).chain_update(message).verify_slice(signature).is_ok()
}

#[allow(clippy::expect_used)] // HMAC is defined for keys of every length: RFC 2104, section 2.
fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// Reads a hexadecimal signature of either case; `None` for anything else.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(u8::try_from(nibble(*high)? << 4 | nibble(*low)?).ok()?),
            _ => None,
        })
        .collect()
}

fn nibble(digit: u8) -> Option<u32> {
    char::from(digit).to_digit(16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_matches_rfc_4231_case_2() {
        let signature = from_hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843").unwrap();
        assert_eq!(hmac_sha256(b"Jefe", b"what do ya want for nothing?").to_vec(), signature);
        assert!(verify_hmac_sha256(b"Jefe", b"what do ya want for nothing?", &signature));
        assert!(!verify_hmac_sha256(b"Jefe", b"what do ya want for nothing!", &signature));
        assert!(!verify_hmac_sha256(b"Jefe", b"what do ya want for nothing?", &signature[..31]));
    }

    #[test]
    fn equal_means_equal_in_content_and_length() {
        assert!(constant_time_eq("секрет".as_bytes(), "секрет".as_bytes()));
        assert!(constant_time_eq(b"", b""));
        for (given, expected) in [
            ("secret", "secre"),
            ("", "x"),
            ("a\0", "a"),
            ("first of two words", "first of two wordS"),
            ("First of two words", "first of two words"),
        ] {
            assert!(!constant_time_eq(given.as_bytes(), expected.as_bytes()), "{given} {expected}");
            assert!(!constant_time_eq(expected.as_bytes(), given.as_bytes()), "{expected} {given}");
            assert!(constant_time_eq(given.as_bytes(), given.as_bytes()), "{given}");
        }
    }

    #[test]
    fn hex_of_odd_length_or_other_signs_is_refused() {
        assert_eq!(from_hex("0aFF"), Some(vec![10, 255]));
        assert_eq!(from_hex("0aF"), None);
        assert_eq!(from_hex("ж"), None);
    }
}
