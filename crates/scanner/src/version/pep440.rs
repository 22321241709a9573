//! The version order of Python packages (PEP 440).

use std::cmp::Ordering;
use std::str::FromStr;

use pep440_rs::Version;

/// Compares two versions. What is no version by PEP 440 is below every one that is, as setuptools had it before such
/// versions were refused; two of those compare as text.
pub fn compare(left: &str, right: &str) -> Ordering {
    match (Version::from_str(left.trim()), Version::from_str(right.trim())) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        (Ok(_), Err(_)) => Ordering::Greater,
        (Err(_), Ok(_)) => Ordering::Less,
        (Err(_), Err(_)) => left.cmp(right),
    }
}

/// Whether a text is a version by PEP 440.
pub fn is_version(text: &str) -> bool {
    Version::from_str(text.trim()).is_ok()
}

/// What of a version is compared with a bound that it may equal: PEP 440 leaves its local part, `+cpu`, out where the
/// bound has none ("Version matching", "Inclusive ordered comparison").
pub(crate) fn beside<'a>(version: &'a str, bound: &str) -> &'a str {
    match version.split_once('+') {
        Some((public, _)) if !bound.contains('+') => public,
        _ => version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_part_counts_where_the_bound_has_one() {
        assert_eq!(beside("2.6.0+cpu", "2.6.0"), "2.6.0");
        assert_eq!(beside("2.6.0+cpu", "2.6.0+cu118"), "2.6.0+cpu");
        assert_eq!(beside("2.6.0", "2.6.0+cpu"), "2.6.0");
    }

    #[test]
    fn versions_are_told_from_other_texts() {
        for (text, expected) in [("2.5", true), (" v6.2.0 ", true), ("2.5-custom_build", false), ("", false)]
        {
            assert_eq!(is_version(text), expected, "{text}");
        }
    }

    #[test]
    fn the_order_of_known_pairs() {
        for (left, order, right) in [
            ("1.0", Ordering::Equal, "1.0.0"),
            ("6.2", Ordering::Equal, "v6.2.0"),
            ("1.0.dev1", Ordering::Less, "1.0a1"),
            ("1.0a1.dev1", Ordering::Less, "1.0a1"),
            ("1.0a2", Ordering::Less, "1.0b1"),
            ("1.0b1", Ordering::Less, "1.0rc1"),
            ("1.0c1", Ordering::Equal, "1.0rc1"),
            ("9.3.0rc1", Ordering::Less, "9.3.0"),
            ("9.3.0", Ordering::Less, "9.3.0.post1"),
            ("1.0-1", Ordering::Equal, "1.0.post1"),
            ("1.0", Ordering::Less, "1.0+local"),
            ("1.0+abc", Ordering::Less, "1.0+5"),
            ("2024.1", Ordering::Less, "1!1.0"),
            ("1.0-ALPHA_1", Ordering::Equal, "1.0a1"),
            ("2004d-not-pep", Ordering::Less, "0.0.1"),
        ] {
            assert_eq!(compare(left, right), order, "{left} against {right}");
            assert_eq!(compare(right, left), order.reverse(), "{right} against {left}");
        }
    }
}
