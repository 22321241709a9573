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

#[cfg(test)]
mod tests {
    use super::*;

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
