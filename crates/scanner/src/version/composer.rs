//! The version order of Composer: versions normalised as composer/semver does, then in the order of PHP's
//! `version_compare`.

use std::cmp::Ordering;

use super::digits::{compare_numbers, take_digits, take_while};

/// The most components that a version is filled up to.
const COMPONENTS: usize = 4;
/// The longest first component; longer ones are dates.
const MAX_MAJOR_DIGITS: usize = 5;
/// The digits of a year, which a date begins with.
const YEAR_DIGITS: usize = 4;
/// The most groups of two digits of a date.
const DATE_GROUPS: usize = 6;
/// A year, the groups, and a last group of three digits, each with its separator.
const MAX_DATE_BYTES: usize = YEAR_DIGITS + 3 * DATE_GROUPS + 4;
/// What PHP ranks words by: the first that a word begins with. Unknown words are below all.
const RANKS: [(&str, u8); 9] =
    [("dev", 1), ("alpha", 2), ("a", 2), ("beta", 3), ("b", 3), ("RC", 4), ("rc", 4), ("pl", 6), ("p", 6)];
/// A number's rank, and that of the version's end.
const NUMBER_RANK: u8 = 5;
/// How Composer spells the stabilities, in the order in which it looks for them.
const STABILITIES: [(&str, &str); 9] = [
    ("stable", ""),
    ("beta", "beta"),
    ("b", "beta"),
    ("rc", "RC"),
    ("alpha", "alpha"),
    ("a", "alpha"),
    ("patch", "patch"),
    ("pl", "patch"),
    ("p", "patch"),
];

/// Compares two versions; total over all strings. What Composer would refuse compares as PHP compares any text.
pub fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (normalized(left), normalized(right));
    let (mut left, mut right) = (Tokens(left.as_bytes()), Tokens(right.as_bytes()));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (Some(left), Some(right)) if is_number(left) && is_number(right) => compare_numbers(left, right),
            (Some(left), None) if is_number(left) => Ordering::Greater,
            (None, Some(right)) if is_number(right) => Ordering::Less,
            (left, right) => rank(left).cmp(&rank(right)),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn rank(token: Option<&[u8]>) -> u8 {
    match token {
        Some(word) if !is_number(word) => {
            RANKS.iter().find(|(name, _)| word.starts_with(name.as_bytes())).map_or(0, |(_, rank)| *rank)
        }
        _ => NUMBER_RANK,
    }
}

fn is_number(token: &[u8]) -> bool {
    token.first().is_some_and(u8::is_ascii_digit)
}

/// Runs of digits, and runs of letters.
struct Tokens<'a>(&'a [u8]);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (_, rest) = take_while(self.0, |byte| !byte.is_ascii_alphanumeric());
        let digits = rest.first()?.is_ascii_digit();
        let (token, rest) =
            take_while(rest, |byte| byte.is_ascii_alphanumeric() && byte.is_ascii_digit() == digits);
        self.0 = rest;
        Some(token)
    }
}

/// `VersionParser::normalize`, but for what it refuses.
fn normalized(version: &str) -> String {
    let version = version.trim();
    let version = version.split_once(" as ").map_or(version, |(version, _)| version.trim_end());
    let version = without_stability_flag(version);
    if version.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("dev-")) {
        return format!("dev-{}", &version[4..]);
    }
    let version = version.split_once('+').map_or(version, |(version, _)| version);
    let bare = version.strip_prefix(['v', 'V']).unwrap_or(version);
    classical(bare).or_else(|| date(bare)).or_else(|| branch(bare)).unwrap_or_else(|| bare.to_owned())
}

fn without_stability_flag(version: &str) -> &str {
    match version.rsplit_once('@') {
        Some((before, "stable" | "RC" | "rc" | "beta" | "alpha" | "dev")) => before,
        _ => version,
    }
}

/// One to four numbers, then modifiers.
fn classical(version: &str) -> Option<String> {
    let (major, mut rest) = digits(version);
    if major.is_empty() || major.len() > MAX_MAJOR_DIGITS {
        return None;
    }
    let mut normalized = major.to_owned();
    for _ in 1..COMPONENTS {
        let (component, after) = rest.strip_prefix('.').map(digits).unwrap_or_default();
        normalized.push('.');
        if component.is_empty() {
            normalized.push('0');
        } else {
            normalized.push_str(component);
            rest = after;
        }
    }
    Some(normalized + &modifiers(rest)?)
}

/// A year, then groups of two digits, then up to three digits, with or without separators; then modifiers.
fn date(version: &str) -> Option<String> {
    let is_part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b':' | b'-');
    let longest = version.bytes().take(MAX_DATE_BYTES).take_while(|byte| is_part(byte)).count();
    (YEAR_DIGITS..=longest).rev().find_map(|end| {
        let (date, rest) = version.split_at(end);
        let (year, groups) = date.split_at(YEAR_DIGITS);
        let is_date = digits(year).0 == year && are_date_groups(groups.as_bytes(), 0);
        is_date.then(|| modifiers(rest)).flatten().map(|rest| date.replace([':', '-'], ".") + &rest)
    })
}

fn are_date_groups(text: &[u8], before: usize) -> bool {
    let group = match text {
        [b'.' | b':' | b'-', group @ ..] => group,
        group => group,
    };
    match group {
        [] => before > 0 && text.is_empty(),
        [b'0'..=b'9', b'0'..=b'9', rest @ ..]
            if before < DATE_GROUPS && are_date_groups(rest, before + 1) =>
        {
            true
        }
        last => before > 0 && last.len() <= 3 && last.iter().all(u8::is_ascii_digit),
    }
}

/// `2.x-dev`, the end of a numbered branch: above all releases of it.
fn branch(version: &str) -> Option<String> {
    let name = strip_suffix_ignoring_case(version, "dev")?;
    let name = name.strip_suffix(['.', '-']).unwrap_or(name);
    let parts: Vec<&str> = name.split('.').collect();
    let (major, others) = parts.split_first()?;
    let is_wild = |part: &str| matches!(part, "x" | "X" | "*");
    let is_number = |part: &str| !part.is_empty() && digits(part).0 == part;
    if !is_number(major)
        || others.len() >= COMPONENTS
        || !others.iter().all(|part| is_number(part) || is_wild(part))
    {
        return None;
    }
    let component = |at: usize| parts.get(at).filter(|part| !is_wild(part)).copied().unwrap_or("9999999");
    Some(format!("{}.{}.{}.{}-dev", component(0), component(1), component(2), component(3)))
}

/// What may follow the numbers: a stability with its own numbers, and `dev`. None where something else does.
fn modifiers(text: &str) -> Option<String> {
    let bare = text.strip_prefix(['.', '_', '-']).unwrap_or(text);
    let stability = STABILITIES.iter().find_map(|(name, spelling)| {
        let after = strip_prefix_ignoring_case(bare, name)?;
        let (numbers, after) = stability_numbers(after);
        let dev = dev_suffix(after)?;
        Some(match *spelling {
            "" => String::new(),
            spelling => format!("-{spelling}{}{dev}", numbers.trim_start_matches(['.', '-'])),
        })
    });
    stability.or_else(|| dev_suffix(bare).map(str::to_owned))
}

/// Numbers behind a stability, each with a dot or hyphen before it or none.
fn stability_numbers(text: &str) -> (&str, &str) {
    let mut end = 0;
    loop {
        let rest = &text[end..];
        let number = rest.strip_prefix(['.', '-']).unwrap_or(rest);
        let length = digits(number).0.len();
        if length == 0 {
            return text.split_at(end);
        }
        end += rest.len() - number.len() + length;
    }
}

fn dev_suffix(text: &str) -> Option<&'static str> {
    match text.strip_prefix(['.', '-']).unwrap_or(text) {
        _ if text.is_empty() => Some(""),
        dev if dev.eq_ignore_ascii_case("dev") => Some("-dev"),
        _ => None,
    }
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(take_digits(text.as_bytes()).0.len())
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn strip_suffix_ignoring_case<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let (rest, end) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    end.eq_ignore_ascii_case(suffix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_component_of_so_many_digits_is_a_number_and_of_more_it_is_a_date_or_nothing() {
        let digits = |count: usize| "9".repeat(count);
        assert!(classical(&format!("{}.1", digits(MAX_MAJOR_DIGITS))).is_some());
        assert_eq!(classical(&format!("{}.1", digits(MAX_MAJOR_DIGITS + 1))), None);
    }

    #[test]
    fn the_longest_date_is_one_and_a_longer_one_is_none() {
        let longest = format!("2010{}-999", "-01".repeat(DATE_GROUPS));
        assert_eq!(longest.len(), MAX_DATE_BYTES);
        assert!(date(&longest).is_some());
        assert_eq!(date(&format!("{longest}9")), None);
    }

    #[test]
    fn the_order_of_known_pairs() {
        for (left, order, right) in [
            ("v4.4.10", Ordering::Less, "4.4.13"),
            ("1.0", Ordering::Equal, "1.0.0.0"),
            ("1.0.0-alpha", Ordering::Less, "1.0.0-beta"),
            ("1.0.0b2", Ordering::Equal, "1.0.0-BETA2"),
            ("1.0.0-beta.2", Ordering::Less, "1.0.0-beta.11"),
            ("1.0.0-RC1", Ordering::Less, "1.0.0"),
            ("1.0.0", Ordering::Less, "1.0.0-patch1"),
            ("1.0.0-p1", Ordering::Equal, "1.0.0-pl1"),
            ("1.0.0-dev", Ordering::Less, "1.0.0-alpha"),
            ("1.0.0-beta-dev", Ordering::Less, "1.0.0-beta1"),
            ("1.0.0-stable", Ordering::Equal, "1.0.0"),
            ("1.0.0+build", Ordering::Equal, "1.0.0"),
            ("dev-master", Ordering::Less, "0.0.1"),
            ("2.x-dev", Ordering::Greater, "2.99.0"),
            ("2.x-dev", Ordering::Less, "3.0.0"),
            ("2010-01-02", Ordering::Less, "2010-01-03"),
            ("20100102", Ordering::Greater, "99999.0"),
            ("1.0.0@beta", Ordering::Equal, "1.0.0"),
            ("99999999999999999999999.0", Ordering::Less, "100000000000000000000000.0"),
        ] {
            assert_eq!(compare(left, right), order, "{left} against {right}");
            assert_eq!(compare(right, left), order.reverse(), "{right} against {left}");
        }
    }
}
