//! The version order of Alpine's apk: `digits{.digits}letter{_suffix{digits}}{~hash}{-r{digits}}` (apk-package(5)), in
//! the order of apk-tools 2.14 and 3.

use std::cmp::Ordering;

use super::digits::{compare_numbers, take_digits, take_while};

/// Suffixes before the release, then after it; a release without a suffix lies between them.
const SUFFIXES: [(&[u8], i8); 9] = [
    (b"alpha", -4),
    (b"beta", -3),
    (b"pre", -2),
    (b"rc", -1),
    (b"cvs", 1),
    (b"svn", 2),
    (b"git", 3),
    (b"hg", 4),
    (b"p", 5),
];

/// Compares two versions.
///
/// Total over all strings: secdb holds versions that apk itself would refuse. What does not follow the grammar ends
/// the version, and compares as text.
pub fn compare(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (Tokens::of(left), Tokens::of(right));
    loop {
        let (left, right) = (left.next(), right.next());
        let order = match (&left, &right) {
            (Token::End, Token::End) => return Ordering::Equal,
            // A suffix may be below no suffix at all; of other tokens, the one that comes first in the grammar is above.
            (Token::Suffix(rank), other) if !matches!(other, Token::Suffix(_)) => {
                if *rank < 0 {
                    Ordering::Less
                } else {
                    other.place().cmp(&left.place())
                }
            }
            (other, Token::Suffix(rank)) if !matches!(other, Token::Suffix(_)) => {
                if *rank < 0 {
                    Ordering::Greater
                } else {
                    right.place().cmp(&other.place())
                }
            }
            _ => right.place().cmp(&left.place()).then_with(|| left.compare_value(&right)),
        };
        if order != Ordering::Equal || matches!(left, Token::Invalid(_)) {
            return order;
        }
    }
}

/// The parts of a version, in the order of the grammar.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    First(&'a [u8]),
    Digits(&'a [u8]),
    Letter(u8),
    Suffix(i8),
    SuffixNumber(&'a [u8]),
    Hash(&'a [u8]),
    Revision(&'a [u8]),
    End,
    Invalid(&'a [u8]),
}

impl Token<'_> {
    fn place(&self) -> u8 {
        match self {
            Self::First(_) => 0,
            Self::Digits(_) => 1,
            Self::Letter(_) => 2,
            Self::Suffix(_) => 3,
            Self::SuffixNumber(_) => 4,
            Self::Hash(_) => 5,
            Self::Revision(_) => 6,
            Self::End => 7,
            Self::Invalid(_) => 8,
        }
    }

    /// Compares two tokens of one place.
    fn compare_value(&self, other: &Self) -> Ordering {
        match (self, other) {
            // Behind the first dot a leading zero makes a fraction of the component: 1.02 is before 1.1.
            (Self::Digits(left), Self::Digits(right))
                if left.starts_with(b"0") || right.starts_with(b"0") =>
            {
                left.cmp(right)
            }
            (Self::First(left), Self::First(right))
            | (Self::Digits(left), Self::Digits(right))
            | (Self::SuffixNumber(left), Self::SuffixNumber(right))
            | (Self::Revision(left), Self::Revision(right)) => compare_numbers(left, right),
            (Self::Letter(left), Self::Letter(right)) => left.cmp(right),
            (Self::Suffix(left), Self::Suffix(right)) => left.cmp(right),
            (Self::Hash(left), Self::Hash(right)) | (Self::Invalid(left), Self::Invalid(right)) => {
                left.cmp(right)
            }
            _ => Ordering::Equal,
        }
    }
}

struct Tokens<'a> {
    rest: &'a [u8],
    last: Option<u8>,
}

impl<'a> Tokens<'a> {
    fn of(version: &'a str) -> Self {
        Self { rest: version.trim().as_bytes(), last: None }
    }

    fn next(&mut self) -> Token<'a> {
        let (token, rest) = self.read();
        // Places only grow, but for the two that may repeat.
        let repeats =
            |place: u8| matches!((self.last, place), (Some(1), 1) | (Some(2), 1) | (Some(3 | 4), 3));
        let place = token.place();
        if self.last.is_some_and(|last| place <= last && !repeats(place)) {
            return Token::Invalid(std::mem::take(&mut self.rest));
        }
        self.last = Some(place);
        self.rest = rest;
        token
    }

    fn read(&self) -> (Token<'a>, &'a [u8]) {
        let invalid = (Token::Invalid(self.rest), &self.rest[..0]);
        let digits_of = |bytes: &'a [u8]| Some(take_digits(bytes)).filter(|(digits, _)| !digits.is_empty());
        match (self.last, self.rest) {
            (_, []) => (Token::End, self.rest),
            (None, bytes) => digits_of(bytes).map_or(invalid, |(digits, rest)| (Token::First(digits), rest)),
            (Some(0 | 1), [letter @ b'a'..=b'z', rest @ ..]) => (Token::Letter(*letter), rest),
            // Old packages have numbers behind the letter: 5.1p1.
            (Some(2), [b'0'..=b'9', ..]) => {
                let (digits, rest) = take_digits(self.rest);
                (Token::Digits(digits), rest)
            }
            (Some(3), [b'0'..=b'9', ..]) => {
                let (digits, rest) = take_digits(self.rest);
                (Token::SuffixNumber(digits), rest)
            }
            (_, [b'.', rest @ ..]) => {
                digits_of(rest).map_or(invalid, |(digits, rest)| (Token::Digits(digits), rest))
            }
            (_, [b'_', rest @ ..]) => {
                let (name, rest) = take_while(rest, |byte| byte.is_ascii_lowercase());
                let rank = SUFFIXES.iter().find(|(suffix, _)| *suffix == name);
                rank.map_or(invalid, |(_, rank)| (Token::Suffix(*rank), rest))
            }
            (_, [b'~', rest @ ..]) => {
                let (hash, rest) = take_while(rest, |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                (Token::Hash(hash), rest)
            }
            (_, [b'-', b'r', rest @ ..]) => {
                let (digits, rest) = take_digits(rest);
                (Token::Revision(digits), rest)
            }
            _ => invalid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_known_pairs() {
        for (left, order, right) in [
            ("2.34", Ordering::Greater, "0.1.0_alpha"),
            ("0.1.0_alpha", Ordering::Less, "0.1.0"),
            ("0.1.0_alpha", Ordering::Less, "0.1.0_beta"),
            ("0.1.0_alpha1", Ordering::Less, "0.1.0_alpha2"),
            ("1.0_p1", Ordering::Greater, "1.0"),
            ("1.0_p1", Ordering::Greater, "1.0-r5"),
            ("1.0_rc1", Ordering::Less, "1.0-r0"),
            ("1.0_git20200101", Ordering::Greater, "1.0"),
            ("1.0a", Ordering::Greater, "1.0"),
            ("1.0a", Ordering::Less, "1.0.1"),
            ("1.0a_rc1", Ordering::Less, "1.0a"),
            ("1.02", Ordering::Less, "1.1"),
            ("1.10", Ordering::Greater, "1.9"),
            ("1.1.0", Ordering::Greater, "1.1"),
            ("01.1", Ordering::Equal, "1.1"),
            ("3.1.8-r0", Ordering::Less, "3.1.8-r1"),
            ("3.1.8-r1", Ordering::Less, "3.1.8-r10"),
            ("1.0", Ordering::Less, "1.0-r0"),
            ("5.1p1-r0", Ordering::Less, "5.1p2-r0"),
            ("1.0_pre1_p2", Ordering::Greater, "1.0_pre1"),
            ("1.0~abc", Ordering::Less, "1.0~abd"),
            ("99999999999999999999999", Ordering::Less, "100000000000000000000000"),
            ("1.0?x", Ordering::Less, "1.0?y"),
        ] {
            assert_eq!(compare(left, right), order, "{left} against {right}");
            assert_eq!(compare(right, left), order.reverse(), "{right} against {left}");
        }
    }
}
