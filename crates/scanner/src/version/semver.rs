//! Semantic versions (semver.org 2.0.0, section 11), as npm, Go and crates.io order them, read leniently.

use std::cmp::Ordering;

use super::digits::{compare_numbers, take_digits, take_while};

/// Compares two versions.
///
/// Total over all strings: a leading `v` or `=` is passed over, missing components are zero, there may be more than
/// three, numbers have no limit, and the pre-release may follow without a hyphen, as in the Go toolchain's `1.22rc1`.
/// Build metadata (`+incompatible` too) does not count.
pub fn compare(left: &str, right: &str) -> Ordering {
    compare_by(left, right, |left, right| left.cmp(right))
}

/// Compares with an order of words of the caller's.
pub(super) fn compare_by(left: &str, right: &str, words: fn(&[u8], &[u8]) -> Ordering) -> Ordering {
    let (left, right) = (Parts::of(left), Parts::of(right));
    compare_components(left.components, right.components).then_with(|| {
        match (left.pre_release.is_empty(), right.pre_release.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => compare_identifiers(left.identifiers(), right.identifiers(), words),
        }
    })
}

struct Parts<'a> {
    components: &'a [u8],
    pre_release: &'a [u8],
    /// The pre-release follows the number at once: its words end where its numbers begin.
    attached: bool,
}

impl<'a> Parts<'a> {
    fn of(version: &'a str) -> Self {
        let version = version.trim().trim_start_matches(['v', 'V', '=', ' ']).as_bytes();
        let (version, _) = take_while(version, |byte| byte != b'+');
        let (components, rest) = take_while(version, |byte| byte.is_ascii_digit() || byte == b'.');
        match rest {
            [b'-', rest @ ..] => Self { components, pre_release: rest, attached: false },
            _ => Self { components, pre_release: rest, attached: true },
        }
    }

    fn identifiers(&self) -> Identifiers<'a> {
        Identifiers { rest: Some(self.pre_release), attached: self.attached }
    }
}

struct Identifiers<'a> {
    rest: Option<&'a [u8]>,
    attached: bool,
}

impl<'a> Iterator for Identifiers<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let (mut identifier, mut after) = take_while(rest, |byte| byte != b'.');
        if self.attached {
            let (word, behind) = take_while(rest, |byte| byte != b'.' && !byte.is_ascii_digit());
            if !word.is_empty() && behind.first().is_some_and(u8::is_ascii_digit) {
                (identifier, after) = (word, behind);
            }
        }
        self.rest = match after {
            [] => None,
            [b'.', after @ ..] => Some(after),
            after => Some(after),
        };
        Some(identifier)
    }
}

fn compare_components(left: &[u8], right: &[u8]) -> Ordering {
    let (mut left, mut right) = (left.split(|&byte| byte == b'.'), right.split(|&byte| byte == b'.'));
    loop {
        let (left, right) = (left.next(), right.next());
        if left.is_none() && right.is_none() {
            return Ordering::Equal;
        }
        let order = compare_numbers(left.unwrap_or_default(), right.unwrap_or_default());
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Numbers are below words; where one list is the beginning of the other, the longer is above.
fn compare_identifiers(
    mut left: Identifiers<'_>,
    mut right: Identifiers<'_>,
    words: fn(&[u8], &[u8]) -> Ordering,
) -> Ordering {
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(left), Some(right)) => match (is_number(left), is_number(right)) {
                (true, true) => compare_numbers(left, right),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => words(left, right),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn is_number(identifier: &[u8]) -> bool {
    !identifier.is_empty() && take_digits(identifier).1.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_known_pairs() {
        for (left, order, right) in [
            ("1.0.0-alpha", Ordering::Less, "1.0.0-alpha.1"),
            ("1.0.0-alpha.1", Ordering::Less, "1.0.0-alpha.beta"),
            ("1.0.0-alpha.beta", Ordering::Less, "1.0.0-beta"),
            ("1.0.0-beta.2", Ordering::Less, "1.0.0-beta.11"),
            ("1.0.0-rc.1", Ordering::Less, "1.0.0"),
            ("4.16.4", Ordering::Less, "4.16.5-0"),
            ("0.0.0-0", Ordering::Less, "0.0.0-alpha"),
            ("v1.4.0", Ordering::Equal, "1.4.0"),
            ("v3.2.0+incompatible", Ordering::Equal, "3.2.0"),
            ("1.0", Ordering::Equal, "1.0.0"),
            ("1.0.0.1", Ordering::Greater, "1.0.0"),
            ("0.0.0-20210119194325-5f4716e94777", Ordering::Less, "0.0.0-20210520170846-37e1c6afe023"),
            ("v1.2.4-0.20210101000000-abcdefabcdef", Ordering::Less, "1.2.4"),
            ("1.22rc1", Ordering::Equal, "1.22.0-rc.1"),
            ("1.22rc2", Ordering::Less, "1.22rc10"),
            ("1.19.0-0", Ordering::Less, "1.19beta1"),
            ("99999999999999999999999.0.0", Ordering::Less, "100000000000000000000000.0.0"),
        ] {
            assert_eq!(compare(left, right), order, "{left} against {right}");
            assert_eq!(compare(right, left), order.reverse(), "{right} against {left}");
        }
    }
}
