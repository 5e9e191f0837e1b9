//! Numbers made out of our own ids and out of what events say.

use omni_core::{MessageId, crypto};

/// The number by which VK knows a repeated message: a positive `i32`, never 0, which would mean "do not look".
///
/// `random_id` is cut at 32 bits and compared within one peer, where 31 bits of a hash do not meet by accident.
/// <https://dev.vk.com/method/messages.send> (read 2026-11)
pub(crate) fn random_id(id: MessageId) -> i32 {
    let hash = folded(b"random_id", &id.to_bytes());
    let positive = u32::try_from(hash & 0x7fff_ffff).unwrap_or_default();
    i32::try_from(positive).unwrap_or_default().max(1)
}

/// A name for an event that has no id: equal bytes, equal name.
pub(crate) fn fingerprint(json: &str) -> String {
    format!("{:016x}", folded(b"event", json.as_bytes()))
}

/// The first bytes of a keyed hash, so that numbers of different uses have nothing to do with each other.
fn folded(key: &[u8], bytes: &[u8]) -> u64 {
    let whole = crypto::hmac_sha256(key, bytes);
    whole.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_message_is_positive_and_always_the_same() {
        let mut seen = std::collections::HashSet::new();
        for byte in 0..=255 {
            let id = MessageId::from_bytes([byte; 16]);
            let number = random_id(id);
            assert!(number > 0);
            assert_eq!(number, random_id(id));
            assert!(seen.insert(number));
        }
    }

    #[test]
    fn different_bodies_have_different_names() {
        assert_eq!(fingerprint("{}"), fingerprint("{}"));
        assert_ne!(fingerprint(r#"{"a":1}"#), fingerprint(r#"{"a":2}"#));
    }
}
