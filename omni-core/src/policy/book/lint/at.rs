//! Paths into a book.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fmt;

/// Where something is in a book.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct At(Vec<Step>);

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Step {
    Index(usize),
    Key(String),
}

impl At {
    /// The same with a key behind it.
    pub(in super::super) fn key(&self, key: impl AsRef<str>) -> Self {
        self.then(Step::Key(key.as_ref().to_owned()))
    }

    /// The same with keys behind it.
    pub(in super::super) fn keys<const N: usize>(&self, keys: [&str; N]) -> Self {
        keys.into_iter().fold(self.clone(), |at, key| at.key(key))
    }

    /// The same with an index behind it.
    pub(in super::super) fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    pub(in super::super) fn then(&self, step: Step) -> Self {
        let mut at = self.clone();
        at.0.push(step);
        at
    }

    pub(in super::super) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether it is one of these, or in one.
    pub(in super::super) fn is_in(&self, set: &BTreeSet<At>) -> bool {
        (1..=self.0.len()).any(|n| self.0.get(..n).is_some_and(|outer| set.contains(outer)))
    }
}

impl Borrow<[Step]> for At {
    fn borrow(&self) -> &[Step] {
        &self.0
    }
}

impl fmt::Display for At {
    /// As TOML writes it: `channels."shop.ru".auto_replies[0]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => {
                    if i > 0 {
                        f.write_str(".")?;
                    }
                    let is_bare = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
                    match !key.is_empty() && key.chars().all(is_bare) {
                        true => f.write_str(key)?,
                        false => write!(f, "{key:?}")?,
                    }
                }
            }
        }
        Ok(())
    }
}
