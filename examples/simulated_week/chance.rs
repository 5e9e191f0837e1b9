//! Chance that can be repeated.

use std::hash::{Hash, Hasher};
use std::time::Duration;

/// A source of numbers for one matter: they follow from the seed and from what they are for. So the order in which
/// things happen to be looked at changes nothing, and a week with the same seed is the same week.
#[derive(Debug)]
pub(crate) struct Chance {
    state: u64,
}

/// FNV-1a: small, and the same on every machine and in every version of Rust.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl Chance {
    /// For the `turn`-th time that something is decided about `matter`.
    pub(crate) fn of(seed: u64, matter: &str, turn: u64) -> Self {
        let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
        matter.as_bytes().hash(&mut hasher);
        Self { state: hasher.finish() ^ seed.rotate_left(32) ^ turn.wrapping_mul(0x9e37_79b9_7f4a_7c15) }
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// Whether something happens that happens so often in a thousand times.
    pub(crate) fn permille(&mut self, often: u64) -> bool {
        self.below(1000) < often
    }

    /// A time between two, in seconds.
    pub(crate) fn secs(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_secs(from + self.below(to.saturating_sub(from) + 1))
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, among: &[T]) -> Option<T> {
        let index = usize::try_from(self.below(among.len() as u64)).unwrap_or_default();
        among.get(index).copied()
    }
}
