//! Whether a source lost so much that it looks like a broken copy.

use std::collections::BTreeSet;

use super::CompileError;
use crate::advisory::database::DatabaseInfo;

/// The share of a source that may go from one database to the next.
pub const DEFAULT_MAX_SHRINK_PERCENT: u8 = 20;
/// Entries of an ecosystem from which on its share is watched: a handful may well go at once.
const MIN_WATCHED_ENTRIES: u64 = 50;

/// When a smaller source is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShrinkPolicy {
    /// The largest share, in percent, that a source or an ecosystem may lose.
    pub max_shrink_percent: u8,
    /// Names of sources and ecosystems that may lose any share, or vanish.
    pub accepted: BTreeSet<String>,
}

impl Default for ShrinkPolicy {
    fn default() -> Self {
        Self { max_shrink_percent: DEFAULT_MAX_SHRINK_PERCENT, accepted: BTreeSet::new() }
    }
}

/// Compares with the parent: records of each source, and entries of each ecosystem (so that records that are
/// still there but say nothing any more are noticed too).
pub(super) fn check(
    parent: &DatabaseInfo,
    contents: &DatabaseInfo,
    policy: &ShrinkPolicy,
) -> Result<(), CompileError> {
    let watched = |name: &&String| !policy.accepted.contains(*name);
    for name in parent.sources.keys().filter(watched) {
        let before = parent.sources[name].records;
        match contents.sources.get(name) {
            None => return Err(CompileError::Vanished { name: name.clone(), records: before }),
            Some(stats) => check_share(name, before, stats.records, policy)?,
        }
    }
    // Who accepts that a source shrinks accepts what that does to its ecosystems.
    if parent.sources.keys().all(|name| watched(&name)) {
        for name in parent.ecosystems.keys().filter(watched) {
            let before = parent.ecosystems[name].entries;
            let after = contents.ecosystems.get(name).map_or(0, |stats| stats.entries);
            if before >= MIN_WATCHED_ENTRIES {
                check_share(name, before, after, policy)?;
            }
        }
    }
    Ok(())
}

fn check_share(name: &str, before: u64, after: u64, policy: &ShrinkPolicy) -> Result<(), CompileError> {
    let max_shrink_percent = policy.max_shrink_percent.min(100);
    if after * 100 < before * u64::from(100 - max_shrink_percent) {
        return Err(CompileError::Shrunken { name: name.to_owned(), before, after, max_shrink_percent });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_refused_past_its_edge() {
        let policy = ShrinkPolicy::default();
        let left = 100 - u64::from(DEFAULT_MAX_SHRINK_PERCENT);
        assert!(check_share("s", 100, left, &policy).is_ok());
        assert!(check_share("s", 100, left - 1, &policy).is_err());
        assert!(check_share("s", 100, 200, &policy).is_ok());
        let none = ShrinkPolicy { max_shrink_percent: 0, ..ShrinkPolicy::default() };
        assert!(check_share("s", 3, 3, &none).is_ok());
        assert!(check_share("s", 3, 2, &none).is_err());
    }
}
