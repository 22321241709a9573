//! The version order of RubyGems (`Gem::Version`).

use std::cmp::Ordering;

use super::digits::{compare_numbers, is_zero, take_digits, take_while};

/// Compares two versions; total over all strings.
///
/// Segments are runs of digits or letters; a hyphen stands for `.pre.`; words are below numbers, and zeros at the end
/// of the numbers, and of what follows the first word, do not count.
pub fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (canonical_segments(left), canonical_segments(right));
    for at in 0..left.len().max(right.len()) {
        let zero: &[u8] = b"0";
        let (left, right) = (left.get(at).unwrap_or(&zero), right.get(at).unwrap_or(&zero));
        let order = match (is_number(left), is_number(right)) {
            (true, true) => compare_numbers(left, right),
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => left.cmp(right),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

fn canonical_segments(version: &str) -> Vec<&[u8]> {
    let segments = segments(version.trim().as_bytes());
    let first_word = segments.iter().position(|segment| !is_number(segment)).unwrap_or(segments.len());
    let (numbers, words) = segments.split_at(first_word);
    [without_zeros(numbers), without_zeros(words)].concat()
}

fn segments(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut segments = Vec::new();
    while let Some(&first) = bytes.first() {
        if first.is_ascii_digit() {
            let (digits, rest) = take_digits(bytes);
            segments.push(digits);
            bytes = rest;
        } else if first.is_ascii_alphabetic() {
            let (word, rest) = take_while(bytes, |byte| byte.is_ascii_alphabetic());
            segments.push(word);
            bytes = rest;
        } else {
            if first == b'-' {
                segments.push(b"pre");
            }
            bytes = &bytes[1..];
        }
    }
    segments
}

fn without_zeros<'a>(segments: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let end = segments.iter().rposition(|segment| !is_number(segment) || !is_zero(segment));
    segments[..end.map_or(0, |end| end + 1)].to_vec()
}

fn is_number(segment: &[u8]) -> bool {
    segment.first().is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_known_pairs() {
        for (left, order, right) in [
            ("1.0", Ordering::Equal, "1"),
            ("1.0.0.rc1", Ordering::Less, "1.0.0"),
            ("1.0.rc1", Ordering::Equal, "1.rc1"),
            ("1.0.0-beta", Ordering::Equal, "1.0.0.pre.beta"),
            ("1.0.a", Ordering::Less, "1.0.b"),
            ("1.a.2", Ordering::Less, "1.a.10"),
            ("1.8.2.a", Ordering::Less, "1.8.2"),
            ("1.8.2.a9", Ordering::Less, "1.8.2.a10"),
            ("2.1.4.1", Ordering::Greater, "2.1.4"),
            ("1.0.A", Ordering::Less, "1.0.a"),
            ("0.beta.1", Ordering::Equal, "0.0.beta.1"),
            ("5.2.4", Ordering::Less, "6.0.0.rc2"),
            ("", Ordering::Equal, "0"),
        ] {
            assert_eq!(compare(left, right), order, "{left} against {right}");
            assert_eq!(compare(right, left), order.reverse(), "{right} against {left}");
        }
    }
}
