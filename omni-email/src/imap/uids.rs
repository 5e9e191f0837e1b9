//! Sets of UIDs, as ranges: ten thousand mails in a row are one.

use std::fmt;
use std::ops::RangeInclusive;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A set of UIDs. Written as IMAP writes it: `1:5,9`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Uids {
    /// Ascending, apart from each other.
    ranges: Vec<RangeInclusive<u32>>,
}

impl Uids {
    /// Whether nothing is in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many are in it.
    pub(crate) fn len(&self) -> u64 {
        self.ranges.iter().map(|r| u64::from(r.end() - r.start()) + 1).sum()
    }

    /// Whether one is in it.
    pub(crate) fn has(&self, uid: u32) -> bool {
        let at = self.ranges.partition_point(|r| *r.end() < uid);
        self.ranges.get(at).is_some_and(|r| r.contains(&uid))
    }

    /// All of them, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.ranges.iter().cloned().flatten()
    }

    /// Puts one in.
    pub(crate) fn add(&mut self, uid: u32) {
        let at = self.ranges.partition_point(|r| *r.end() < uid.saturating_sub(1));
        let Some(range) = self.ranges.get_mut(at).filter(|r| *r.start() <= uid.saturating_add(1)) else {
            self.ranges.insert(at, uid..=uid);
            return;
        };
        *range = uid.min(*range.start())..=uid.max(*range.end());
        let end = *range.end();
        // It may have closed the gap to the next one.
        if let Some(next) =
            self.ranges.get(at + 1).filter(|next| *next.start() <= end.saturating_add(1)).cloned()
        {
            self.ranges.remove(at + 1);
            if let Some(range) = self.ranges.get_mut(at) {
                *range = *range.start()..=*next.end();
            }
        }
    }

    /// Takes one out.
    pub(crate) fn remove(&mut self, uid: u32) {
        let at = self.ranges.partition_point(|r| *r.end() < uid);
        let Some(range) = self.ranges.get(at).filter(|r| r.contains(&uid)).cloned() else { return };
        let before = (*range.start() < uid).then(|| *range.start()..=uid - 1);
        let after = (uid < *range.end()).then(|| uid + 1..=*range.end());
        self.ranges.splice(at..=at, before.into_iter().chain(after));
    }

    /// Keeps those that are in both.
    pub(crate) fn retain(&mut self, both: &Uids) {
        *self = self.iter().filter(|uid| both.has(*uid)).collect();
    }

    /// As IMAP writes it. An empty set is empty text, which IMAP has no word for.
    pub(crate) fn to_set(&self) -> String {
        self.to_string()
    }
}

impl FromIterator<u32> for Uids {
    fn from_iter<I: IntoIterator<Item = u32>>(uids: I) -> Self {
        let mut sorted: Vec<u32> = uids.into_iter().collect();
        sorted.sort_unstable();
        let mut ranges: Vec<RangeInclusive<u32>> = Vec::new();
        for uid in sorted {
            match ranges.last_mut() {
                Some(last) if uid <= last.end().saturating_add(1) => *last = *last.start()..=uid,
                _ => ranges.push(uid..=uid),
            }
        }
        Self { ranges }
    }
}

impl fmt::Display for Uids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, range) in self.ranges.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            if range.start() == range.end() {
                write!(f, "{comma}{}", range.start())?;
            } else {
                write!(f, "{comma}{}:{}", range.start(), range.end())?;
            }
        }
        Ok(())
    }
}

impl Serialize for Uids {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Uids {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let mut ranges: Vec<RangeInclusive<u32>> = Vec::new();
        for piece in text.split(',').filter(|piece| !piece.is_empty()) {
            let (start, end) = piece.split_once(':').unwrap_or((piece, piece));
            let read = |n: &str| n.parse::<u32>().map_err(|_| D::Error::custom("not a set of UIDs"));
            let (start, end) = (read(start)?, read(end)?);
            if start > end || ranges.last().is_some_and(|last| start <= last.end().saturating_add(1)) {
                return Err(D::Error::custom("not an ordered set of UIDs"));
            }
            ranges.push(start..=end);
        }
        Ok(Self { ranges })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ten_thousand_mails_in_a_row_are_one_range() {
        let uids: Uids = (1..=10_000).collect();
        assert_eq!(uids.to_set(), "1:10000");
        assert_eq!(uids.len(), 10_000);
    }

    #[test]
    fn the_greatest_uid_is_no_special_case() {
        let mut uids = Uids::default();
        uids.add(u32::MAX);
        uids.add(u32::MAX - 1);
        assert_eq!(uids.to_set(), format!("{}:{}", u32::MAX - 1, u32::MAX));
        uids.remove(u32::MAX);
        assert_eq!(uids.len(), 1);
    }

    #[test]
    fn a_set_that_is_none_is_refused() {
        for wrong in ["5:1", "1,1", "1:3,4", "x", "1:*"] {
            assert!(serde_json::from_value::<Uids>(wrong.into()).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn it_holds_what_was_put_in_and_not_taken_out(
            changes in prop::collection::vec((any::<bool>(), 1u32..60), 0..200)
        ) {
            let (mut uids, mut model) = (Uids::default(), BTreeSet::new());
            for (adds, uid) in changes {
                if adds {
                    uids.add(uid);
                    model.insert(uid);
                } else {
                    uids.remove(uid);
                    model.remove(&uid);
                }
                prop_assert!(uids.iter().eq(model.iter().copied()));
                prop_assert_eq!(uids.len(), model.len() as u64);
            }
            prop_assert_eq!(&model.iter().copied().collect::<Uids>(), &uids);
            let text = serde_json::to_string(&uids).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<Uids>(&text).expect("the same"), uids);
        }
    }
}
