//! The version order of NuGet: semantic versions with a fourth component, without regard to case ("NuGet package
//! version reference").

use std::cmp::Ordering;

use super::semver;

/// Compares two versions; total over all strings.
pub fn compare(left: &str, right: &str) -> Ordering {
    semver::compare_by(left, right, |left, right| {
        let lower = |bytes: &[u8]| bytes.iter().map(u8::to_ascii_lowercase).collect::<Vec<_>>();
        lower(left).cmp(&lower(right))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_known_pairs() {
        for (left, order, right) in [
            ("1.0.0.0", Ordering::Equal, "1.0"),
            ("1.0.0.1", Ordering::Greater, "1.0.0"),
            ("1.00.01", Ordering::Equal, "1.0.1"),
            ("1.0.0-Beta", Ordering::Equal, "1.0.0-beta"),
            ("1.0.0-BETA.2", Ordering::Less, "1.0.0-beta.11"),
            ("1.0.0-alpha", Ordering::Less, "1.0.0-Beta"),
            ("1.0.0-rc", Ordering::Less, "1.0.0"),
            ("1.0.0+sha", Ordering::Equal, "1.0.0"),
            ("12.0.3", Ordering::Less, "13.0.1"),
        ] {
            assert_eq!(compare(left, right), order, "{left} against {right}");
            assert_eq!(compare(right, left), order.reverse(), "{right} against {left}");
        }
    }
}
