//! What comes after a place, as a pure decision.

use cve_monitor_core::ports::Next;
use cve_monitor_core::vocabulary::Generation;

use super::place::{Latch, Place};

/// What was found out about Clair and the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// Whether the database is still the one that was found complete. Matters where the data is ready.
    pub(super) witness: bool,
    /// Whether the data is proven to be complete. Matters where it is not ready.
    pub(super) complete: bool,
    /// Whether the operator says that the data is complete.
    pub(super) word: bool,
    /// The version of the first notification after the place.
    pub(super) bell: Option<u64>,
}

/// Where to begin: a sweep over everything covers all notifications that have arrived by now.
pub(super) fn begin(complete: bool, last_bell: u64) -> Next {
    let latch = if complete { Latch::Ready } else { Latch::Loading };
    gap(Place { latch, position: last_bell }, "everything")
}

/// What comes after a place.
pub(super) fn step(from: Place, seen: &Seen) -> Next {
    let to = |latch| Place { latch, ..from };
    match from.latch {
        Latch::Ready if !seen.witness => {
            let latch = if seen.word { Latch::Lost } else { Latch::Loading };
            gap(to(latch), "everything: Clair's database was emptied")
        }
        // Clair tells of no change before its first load is complete: everything is looked at again.
        Latch::Loading | Latch::Lost if seen.complete => gap(to(Latch::Ready), "the first load"),
        // A word that was taken back may be given again.
        Latch::Lost if !seen.word => gap(to(Latch::Loading), "everything: Clair's database is a new one"),
        _ => match seen.bell {
            Some(version) => Next::Change {
                to: Place { position: version, ..from }.cursor(),
                generation: Generation(version),
            },
            None => Next::UpToDate,
        },
    }
}

fn gap(to: Place, scope: &str) -> Next {
    Next::Gap { to: to.cursor(), scope: scope.to_owned(), generation: Generation(to.position) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Seen = Seen { witness: true, complete: false, word: false, bell: None };

    fn at(latch: Latch, position: u64) -> Place {
        Place { latch, position }
    }

    /// The cursor of a gap, and whether it is one.
    fn moved(next: Next) -> Option<(Place, bool)> {
        match next {
            Next::UpToDate => None,
            Next::Change { to, generation } => {
                let place = Place::read(&to)?;
                assert_eq!(generation, Generation(place.position));
                Some((place, false))
            }
            Next::Gap { to, generation, .. } => {
                let place = Place::read(&to)?;
                assert_eq!(generation, Generation(place.position));
                Some((place, true))
            }
        }
    }

    #[test]
    fn the_first_sweep_covers_every_notification_that_has_arrived() {
        assert_eq!(moved(begin(false, 7)), Some((at(Latch::Loading, 7), true)));
        assert_eq!(moved(begin(true, 0)), Some((at(Latch::Ready, 0), true)));
    }

    #[test]
    fn notifications_are_followed_one_by_one_whatever_the_data() {
        for latch in [Latch::Loading, Latch::Ready, Latch::Lost] {
            let seen = Seen { bell: Some(9), word: true, ..QUIET };
            assert_eq!(moved(step(at(latch, 4), &seen)), Some((at(latch, 9), false)));
            assert_eq!(moved(step(at(latch, 4), &Seen { bell: None, ..seen })), None);
        }
    }

    #[test]
    fn complete_data_is_a_gap_once_and_before_any_notification() {
        let seen = Seen { complete: true, bell: Some(9), ..QUIET };
        assert_eq!(moved(step(at(Latch::Loading, 4), &seen)), Some((at(Latch::Ready, 4), true)));
        assert_eq!(moved(step(at(Latch::Ready, 4), &seen)), Some((at(Latch::Ready, 9), false)));
    }

    #[test]
    fn an_emptied_database_is_a_gap_and_the_word_given_for_the_old_one_does_not_count() {
        let emptied = Seen { witness: false, ..QUIET };
        assert_eq!(moved(step(at(Latch::Ready, 4), &emptied)), Some((at(Latch::Loading, 4), true)));
        let said = Seen { word: true, ..emptied };
        assert_eq!(moved(step(at(Latch::Ready, 4), &said)), Some((at(Latch::Lost, 4), true)));
        assert_eq!(moved(step(at(Latch::Lost, 4), &said)), None);
        // Proven in another way, or the word taken back.
        let proven = Seen { complete: true, ..said };
        assert_eq!(moved(step(at(Latch::Lost, 4), &proven)), Some((at(Latch::Ready, 4), true)));
        assert_eq!(moved(step(at(Latch::Lost, 4), &emptied)), Some((at(Latch::Loading, 4), true)));
    }
}
