//! The version order of dpkg, as `dpkg --compare-versions` computes it.

use std::cmp::Ordering;

use super::digits::{compare_numbers, take_digits, take_while};

/// Compares two Debian version strings: epoch, then upstream version, then revision.
///
/// Total over all strings, so that a malformed version in an advisory can never stop a scan: what dpkg
/// would refuse (an epoch that is not a number) counts as part of the upstream version.
pub fn compare(left: &str, right: &str) -> Ordering {
    let (left_epoch, left_upstream, left_revision) = split(left.trim().as_bytes());
    let (right_epoch, right_upstream, right_revision) = split(right.trim().as_bytes());
    compare_numbers(left_epoch, right_epoch)
        .then_with(|| compare_part(left_upstream, right_upstream))
        .then_with(|| compare_part(left_revision, right_revision))
}

/// Splits into epoch, upstream version and revision; an absent part is empty, which equals `0`.
fn split(version: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let (epoch, rest) = match version.iter().position(|&byte| byte == b':') {
        Some(colon) if colon > 0 && version[..colon].iter().all(u8::is_ascii_digit) => {
            (&version[..colon], &version[colon + 1..])
        }
        _ => (&version[..0], version),
    };
    match rest.iter().rposition(|&byte| byte == b'-') {
        Some(hyphen) => (epoch, &rest[..hyphen], &rest[hyphen + 1..]),
        None => (epoch, rest, &rest[rest.len()..]),
    }
}

/// Compares by alternating runs of non-digits and digits.
fn compare_part(mut left: &[u8], mut right: &[u8]) -> Ordering {
    while !left.is_empty() || !right.is_empty() {
        let (left_text, left_rest) = take_while(left, |byte| !byte.is_ascii_digit());
        let (right_text, right_rest) = take_while(right, |byte| !byte.is_ascii_digit());
        let (left_number, left_after) = take_digits(left_rest);
        let (right_number, right_after) = take_digits(right_rest);
        let order =
            compare_text(left_text, right_text).then_with(|| compare_numbers(left_number, right_number));
        if order != Ordering::Equal {
            return order;
        }
        left = left_after;
        right = right_after;
    }
    Ordering::Equal
}

/// `~` sorts before the end, the end before letters, letters before everything else.
fn compare_text(left: &[u8], right: &[u8]) -> Ordering {
    let rank = |bytes: &[u8], at: usize| match bytes.get(at) {
        None => 0,
        Some(b'~') => -1,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    (0..left.len().max(right.len()))
        .map(|at| rank(left, at).cmp(&rank(right, at)))
        .find(|order| *order != Ordering::Equal)
        .unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_known_pairs() {
        for (left, order, right) in [
            ("1.0", Ordering::Equal, "1.0-0"),
            ("1:1rc", Ordering::Equal, "1:1rc0"),
            ("1.", Ordering::Equal, "1.0"),
            ("1.0~rc1", Ordering::Less, "1.0"),
            ("1.0", Ordering::Less, "1.0+deb12u1"),
            ("1.0a", Ordering::Less, "1.0+"),
            ("0:9", Ordering::Equal, "9"),
            ("1:1", Ordering::Greater, "9"),
            ("2.38.1-5+deb12u9", Ordering::Greater, "2.38.1-5+deb12u3"),
            ("10", Ordering::Greater, "9"),
            ("99999999999999999999999", Ordering::Less, "100000000000000000000000"),
            ("1.0~~", Ordering::Less, "1.0~"),
            ("1-2-3", Ordering::Less, "1-3-1"),
            ("", Ordering::Equal, "0"),
        ] {
            assert_eq!(compare(left, right), order, "{left} against {right}");
            assert_eq!(compare(right, left), order.reverse(), "{right} against {left}");
        }
    }
}
