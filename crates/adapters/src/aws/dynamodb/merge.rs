//! One order out of several shards, each in order.

use std::collections::VecDeque;

/// The next entries of a shard.
#[derive(Debug)]
pub(super) struct Run<T> {
    /// In order; at least one where `more`.
    pub(super) entries: VecDeque<T>,
    /// Whether the shard goes on after them.
    pub(super) more: bool,
}

/// How many entries of each shard make a page of all. Those that are read and not used are read again, so a page is
/// rather a little short.
pub(super) fn share(limit: usize, shards: usize) -> usize {
    limit.div_ceil(shards.max(1))
}

/// The least entries of all runs, each with the place of its run: at most `limit`, and none that an unread one of another
/// shard could come before.
pub(super) fn least<T, K: Ord>(runs: &mut [Run<T>], limit: usize, key: impl Fn(&T) -> K) -> Vec<(usize, T)> {
    let mut found = vec![];
    while found.len() < limit && !runs.iter().any(|run| run.entries.is_empty() && run.more) {
        let fronts = runs.iter().enumerate().filter_map(|(n, run)| Some((key(run.entries.front()?), n)));
        let Some((_, first)) = fronts.min() else { break };
        found.extend(runs[first].entries.pop_front().map(|entry| (first, entry)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(of: &[(&[u32], bool)]) -> Vec<Run<u32>> {
        of.iter()
            .map(|(entries, more)| Run { entries: entries.iter().copied().collect(), more: *more })
            .collect()
    }

    fn merged(of: &[(&[u32], bool)], limit: usize) -> Vec<u32> {
        least(&mut runs(of), limit, |n| *n).into_iter().map(|(_, n)| n).collect()
    }

    #[test]
    fn nothing_is_given_that_an_unread_entry_could_come_before() {
        assert_eq!(merged(&[(&[1, 4, 9], true), (&[2, 3], true)], 10), [1, 2, 3]);
        assert_eq!(merged(&[(&[1, 4, 9], false), (&[2, 3], false), (&[], false)], 10), [1, 2, 3, 4, 9]);
        assert_eq!(merged(&[(&[1, 4], false), (&[2], true)], 10), [1, 2]);
        assert_eq!(merged(&[(&[1, 4], false), (&[2, 3], false)], 3), [1, 2, 3]);
    }

    #[test]
    fn a_page_of_one_reads_one_of_each_shard() {
        assert_eq!((share(1, 4), share(4, 4), share(5, 4), share(500, 4)), (1, 1, 2, 125));
    }
}
