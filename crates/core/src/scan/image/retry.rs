//! How long to wait after a failure, and how often to try.

use std::time::Duration;

use super::FailureClass;
use crate::vocabulary::{Digest, ImageId};

/// How often a step may fail in a row before the image is given up: with the waits below, about half a day.
pub const ATTEMPTS_MAX: u32 = 20;
/// How often something may arrive damaged before it is given up: another transfer rarely helps a fourth time.
pub const CORRUPT_ATTEMPTS_MAX: u32 = 5;

const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// The wait before attempt `failures` + 1: doubled each time, bounded, and spread over its upper half by the
/// image's own digest, so that a thousand images that failed together do not come back together.
#[must_use]
pub fn backoff(image: &ImageId, failures: u32, retry_after: Option<Duration>) -> Duration {
    let doubled =
        FIRST_WAIT.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    let longest = doubled.min(LONGEST_WAIT);
    let spread = Digest::of(format!("{image}\n{failures}").as_bytes());
    let share = u32::from_str_radix(&spread.hex()[..4], 16).unwrap_or(0);
    let wait = longest / 2 + longest / 2 * share / 0xFFFF;
    wait.max(retry_after.unwrap_or_default())
}

/// How often a step may fail in this way in a row; none: as often as it likes.
#[must_use]
pub(super) fn attempts_allowed(class: FailureClass) -> Option<u32> {
    match class {
        // The other side is well and asks for patience: giving up would punish the image for the crowd.
        FailureClass::Throttled => None,
        FailureClass::Transient | FailureClass::Denied | FailureClass::NotIndexed => Some(ATTEMPTS_MAX),
        FailureClass::Corrupt => Some(CORRUPT_ATTEMPTS_MAX),
        FailureClass::Permanent | FailureClass::Archived => Some(1),
        FailureClass::Loading | FailureClass::Behind => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> ImageId {
        format!("r.example/a@{}", Digest::of(b"m")).parse().unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn waits_grow_to_their_bound_and_stay_in_the_upper_half() {
        for failures in 1..=40 {
            let wait = backoff(&image(), failures, None);
            let full = (FIRST_WAIT * 2_u32.saturating_pow(failures.min(12) - 1)).min(LONGEST_WAIT);
            assert!(wait >= full / 2 && wait <= full, "{failures}: {wait:?} of {full:?}");
        }
    }

    #[test]
    fn what_the_other_side_asks_for_is_the_least() {
        let asked = Duration::from_secs(9_999);
        assert_eq!(backoff(&image(), 1, Some(asked)), asked);
    }
}
