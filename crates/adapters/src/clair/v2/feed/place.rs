//! The feed's cursor: how complete Clair's data is, and up to which notification we have followed.

use cve_monitor_core::ports::Cursor;

/// What was found of Clair's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::clair::v2) enum Latch {
    /// It was never complete.
    Loading,
    /// It is complete. It stays so while the database lives.
    Ready,
    /// It was complete, and the database was emptied since. The operator's word was about the one that is gone.
    Lost,
}

impl Latch {
    const ALL: [Self; 3] = [Self::Loading, Self::Ready, Self::Lost];

    fn word(self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::Ready => "ready",
            Self::Lost => "lost",
        }
    }
}

/// A place in the feed; as a cursor, `<latch>:<position>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::clair::v2) struct Place {
    pub(in crate::clair::v2) latch: Latch,
    /// The version of the last notification that was followed, in the feed's stream.
    pub(in crate::clair::v2) position: u64,
}

impl Place {
    pub(in crate::clair::v2) fn cursor(self) -> Cursor {
        Cursor(format!("{}:{}", self.latch.word(), self.position))
    }

    /// None where the cursor is another feed's.
    pub(in crate::clair::v2) fn read(cursor: &Cursor) -> Option<Self> {
        let (word, position) = cursor.0.split_once(':')?;
        let latch = Latch::ALL.into_iter().find(|latch| latch.word() == word)?;
        Some(Self { latch, position: position.parse().ok()? })
    }
}

/// Up to which version of the feed's stream its notifications were followed, as this feed's cursor says: what the inbox
/// has to know.
#[must_use]
pub fn followed_up_to(cursor: &Cursor) -> u64 {
    Place::read(cursor).map_or(0, |place| place.position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_read_back_and_foreign_ones_are_none() {
        for latch in Latch::ALL {
            for position in [0, 17, u64::MAX] {
                let place = Place { latch, position };
                assert_eq!(Place::read(&place.cursor()), Some(place));
                assert_eq!(followed_up_to(&place.cursor()), position);
            }
        }
        for foreign in ["", "ready", "ready:", "ready:-1", "17", "open:17", "ready:1:2"] {
            assert_eq!(Place::read(&Cursor(foreign.to_owned())), None, "{foreign}");
        }
    }
}
