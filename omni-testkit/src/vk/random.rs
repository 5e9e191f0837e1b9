//! Keys, codes and numbers from a seed.

use crate::sim::random;

/// The generator of the simulators, with what VK makes of it.
#[derive(Clone, Debug)]
pub(super) struct Random(random::Random);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(random::Random::new(seed))
    }

    /// So many hexadecimal digits.
    pub(super) fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.0.next()));
        }
        text.truncate(digits);
        text
    }
}
