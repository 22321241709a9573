//! The version order of RPM: `epoch:version-release`, as `rpmvercmp` and `rpmverCmp` of rpm compute it.

use std::cmp::Ordering;

use super::digits::{compare_numbers, take_digits, take_while};

/// Compares two `[epoch:]version[-release]`. A missing epoch is 0; a missing release is below every release, so that
/// the order is total (rpm itself leaves releases out of account there when it resolves dependencies).
pub fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (Evr::of(left), Evr::of(right));
    compare_numbers(left.epoch, right.epoch).then_with(|| left.compare_without_epoch(right))
}

/// Compares as [`compare`] does, but without epochs: for versions of source packages, whose file names, all that a
/// binary package knows of its source, leave the epoch out.
pub fn compare_without_epoch(left: &str, right: &str) -> Ordering {
    Evr::of(left).compare_without_epoch(Evr::of(right))
}

#[derive(Clone, Copy)]
struct Evr<'a> {
    epoch: &'a [u8],
    version: &'a [u8],
    release: Option<&'a [u8]>,
}

impl<'a> Evr<'a> {
    /// As rpm's `parseEVR`: an epoch is digits before the first colon, a release what follows the last hyphen.
    fn of(text: &'a str) -> Self {
        let bytes = text.trim().as_bytes();
        let (digits, rest) = take_digits(bytes);
        let (epoch, rest) = match rest {
            [b':', rest @ ..] => (digits, rest),
            _ => (&bytes[..0], bytes),
        };
        match rest.iter().rposition(|&byte| byte == b'-') {
            Some(hyphen) => Self { epoch, version: &rest[..hyphen], release: Some(&rest[hyphen + 1..]) },
            None => Self { epoch, version: rest, release: None },
        }
    }

    fn compare_without_epoch(self, other: Self) -> Ordering {
        compare_part(self.version, other.version).then_with(|| match (self.release, other.release) {
            (Some(left), Some(right)) => compare_part(left, right),
            (left, right) => left.is_some().cmp(&right.is_some()),
        })
    }
}

/// `rpmvercmp`: segments of digits or letters; `~` is below everything, `^` above the end alone.
fn compare_part(mut left: &[u8], mut right: &[u8]) -> Ordering {
    loop {
        left = skip_separators(left);
        right = skip_separators(right);
        match (left.first(), right.first()) {
            (Some(b'~'), Some(b'~')) | (Some(b'^'), Some(b'^')) => {
                left = &left[1..];
                right = &right[1..];
                continue;
            }
            (Some(b'~'), _) => return Ordering::Less,
            (_, Some(b'~')) => return Ordering::Greater,
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(b'^'), _) => return Ordering::Less,
            (_, Some(b'^')) => return Ordering::Greater,
            _ => {}
        }
        let (left_digits, right_digits) = (left[0].is_ascii_digit(), right[0].is_ascii_digit());
        // A number is newer than a word.
        if left_digits != right_digits {
            return left_digits.cmp(&right_digits);
        }
        let keep = |byte: u8| {
            if left_digits { byte.is_ascii_digit() } else { byte.is_ascii_alphabetic() }
        };
        let (left_segment, left_rest) = take_while(left, keep);
        let (right_segment, right_rest) = take_while(right, keep);
        let order = if left_digits {
            compare_numbers(left_segment, right_segment)
        } else {
            left_segment.cmp(right_segment)
        };
        if order != Ordering::Equal {
            return order;
        }
        left = left_rest;
        right = right_rest;
    }
}

fn skip_separators(bytes: &[u8]) -> &[u8] {
    take_while(bytes, |byte| !byte.is_ascii_alphanumeric() && byte != b'~' && byte != b'^').1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_known_pairs() {
        for (left, order, right) in [
            ("1.0", Ordering::Less, "2.0"),
            ("2.0.1a", Ordering::Greater, "2.0.1"),
            ("5.5p1", Ordering::Less, "5.5p10"),
            ("10xyz", Ordering::Less, "10.1xyz"),
            ("xyz10", Ordering::Less, "xyz10.1"),
            ("xyz.4", Ordering::Less, "8"),
            ("6.0.rc1", Ordering::Greater, "6.0"),
            ("10b2", Ordering::Greater, "10a1"),
            ("1.0aa", Ordering::Greater, "1.0a"),
            ("10.0001", Ordering::Equal, "10.1"),
            ("4.999.9", Ordering::Less, "5.0"),
            ("20101121", Ordering::Less, "20101122"),
            ("2_0", Ordering::Equal, "2.0"),
            ("a+", Ordering::Equal, "a_"),
            ("1.0~rc1", Ordering::Less, "1.0"),
            ("1.0~rc1~git123", Ordering::Less, "1.0~rc1"),
            ("1.0^", Ordering::Greater, "1.0"),
            ("1.0^git1", Ordering::Less, "1.0.1"),
            ("1.0^git1", Ordering::Less, "1.01"),
            ("1.0~rc1^git1", Ordering::Greater, "1.0~rc1"),
            ("1.0^git1~pre", Ordering::Less, "1.0^git1"),
            ("99999999999999999999999", Ordering::Less, "100000000000000000000000"),
            ("4:5.26.3-420.el8", Ordering::Greater, "5.26.4-1.el8"),
            ("0:7.61.1-22.el8", Ordering::Equal, "7.61.1-22.el8"),
            ("1-1.el8", Ordering::Less, "1-1.el8_4.2"),
            ("1-0", Ordering::Greater, "1"),
        ] {
            assert_eq!(compare(left, right), order, "{left} against {right}");
            assert_eq!(compare(right, left), order.reverse(), "{right} against {left}");
        }
    }

    #[test]
    fn an_unknown_epoch_does_not_count() {
        assert_eq!(compare_without_epoch("5.26.3-420", "4:5.26.3-421"), Ordering::Less);
        assert_eq!(compare_without_epoch("5.26.3-421", "4:5.26.3-421"), Ordering::Equal);
    }
}
