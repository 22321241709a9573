//! Names of which is remembered only that they were there.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

/// Names that one set remembers: a layer seldom has as many, and each costs some ten bytes.
pub(super) const MAX_NAMES: usize = 1 << 18;

/// A set of names, by hashes that nobody outside can foresee.
#[derive(Debug, Default)]
pub(super) struct Names {
    hashes: HashSet<u64>,
    state: RandomState,
}

impl Names {
    /// Remembers a name; false where there is no room for it.
    pub(super) fn insert(&mut self, name: &str) -> bool {
        let hash = self.state.hash_one(name);
        if self.hashes.len() == MAX_NAMES {
            return self.hashes.contains(&hash);
        }
        self.hashes.insert(hash);
        true
    }

    /// Whether a name is remembered.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.hashes.contains(&self.state.hash_one(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_names_as_the_bound_are_remembered() {
        let mut names = Names::default();
        assert!((0..MAX_NAMES).all(|n| names.insert(&n.to_string())));
        assert!(!names.insert("one more") && !names.contains("one more"));
        assert!(names.insert("0") && names.contains("0"));
    }
}
