//! The version order of Maven (`ComparableVersion` of maven-artifact 3; pom reference, "Version Order Specification").

use std::cmp::Ordering;

use super::digits::{compare_numbers, is_zero};

/// Qualifiers in their order; the empty one is the release. All others come after them, as text.
const QUALIFIERS: [&[u8]; 7] = [b"alpha", b"beta", b"milestone", b"rc", b"snapshot", b"", b"sp"];
/// Where the release stands in them.
const RELEASE: usize = 5;

/// Compares two versions; total over all strings.
///
/// A hyphen, and every change between digits and letters, begins a list within the list; zeros and release
/// qualifiers at the end of a list do not count.
pub fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.trim().to_ascii_lowercase(), right.trim().to_ascii_lowercase());
    let (left, right) = (Lists::of(left.as_bytes()), Lists::of(right.as_bytes()));
    // A list within a list is always its last item: where both sides have one, the lists are left for good.
    for depth in 0.. {
        for at in 0.. {
            let order = match (left.item(depth, at), right.item(depth, at)) {
                (None, None) => return Ordering::Equal,
                (Some(Item::List), Some(Item::List)) => break,
                (Some(Item::List), None) => return left.compare_with_nothing(depth + 1),
                (None, Some(Item::List)) => return right.compare_with_nothing(depth + 1).reverse(),
                (Some(left), None) => left.compare_with_nothing(),
                (None, Some(right)) => right.compare_with_nothing().reverse(),
                (Some(left), Some(right)) => left.compare(right),
            };
            if order != Ordering::Equal {
                return order;
            }
        }
    }
    Ordering::Equal
}

#[derive(Clone, Copy)]
enum Item<'a> {
    Number(&'a [u8]),
    Word(&'a [u8]),
    List,
}

impl<'a> Item<'a> {
    fn of(text: &'a [u8]) -> Self {
        if text.first().is_none_or(u8::is_ascii_digit) { Self::Number(text) } else { Self::word(text, false) }
    }

    fn word(text: &'a [u8], before_digit: bool) -> Self {
        Self::Word(match text {
            b"a" if before_digit => b"alpha",
            b"b" if before_digit => b"beta",
            b"m" if before_digit => b"milestone",
            b"ga" | b"final" | b"release" => b"",
            b"cr" => b"rc",
            other => other,
        })
    }

    /// Numbers are above lists, lists above words.
    fn compare(self, other: Self) -> Ordering {
        let place = |item| match item {
            Self::Word(_) => 0,
            Self::List => 1,
            Self::Number(_) => 2,
        };
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => compare_numbers(left, right),
            (Self::Word(left), Self::Word(right)) => rank(left).cmp(&rank(right)),
            _ => place(self).cmp(&place(other)),
        }
    }

    /// Compares with the end of the other version.
    fn compare_with_nothing(self) -> Ordering {
        match self {
            Self::Number(digits) if is_zero(digits) => Ordering::Equal,
            Self::Number(_) => Ordering::Greater,
            Self::Word(word) => rank(word).0.cmp(&RELEASE),
            Self::List => Ordering::Equal,
        }
    }
}

fn rank(word: &[u8]) -> (usize, &[u8]) {
    match QUALIFIERS.iter().position(|qualifier| *qualifier == word) {
        Some(at) => (at, b""),
        None => (QUALIFIERS.len(), word),
    }
}

/// The lists of a version, each the last item of the one before.
struct Lists<'a> {
    lists: Vec<Vec<Item<'a>>>,
}

impl<'a> Lists<'a> {
    fn of(version: &'a [u8]) -> Self {
        let mut lists = vec![Vec::new()];
        let (mut start, mut in_digits) = (0, false);
        for (at, &byte) in version.iter().enumerate() {
            let text = &version[start..at];
            let changes = !text.is_empty() && in_digits != byte.is_ascii_digit();
            match byte {
                b'.' | b'-' => {
                    push(&mut lists, Item::of(text));
                    start = at + 1;
                    if byte == b'-' {
                        lists.push(Vec::new());
                    }
                    continue;
                }
                b'0'..=b'9' if changes => {
                    // A word before a number stands in a list of its own, whatever is before the word.
                    own_list(&mut lists);
                    push(&mut lists, Item::word(text, true));
                    lists.push(Vec::new());
                    start = at;
                }
                _ if changes => {
                    push(&mut lists, Item::Number(text));
                    lists.push(Vec::new());
                    start = at;
                }
                _ => {}
            }
            in_digits = byte.is_ascii_digit();
        }
        let text = &version[start..];
        if !text.is_empty() {
            if !in_digits {
                own_list(&mut lists);
            }
            push(&mut lists, Item::of(text));
        }
        for list in &mut lists {
            let counts = |item: &Item<'_>| {
                !matches!(item, Item::Number(digits) if is_zero(digits)) && !matches!(item, Item::Word(b""))
            };
            list.truncate(list.iter().rposition(counts).map_or(0, |last| last + 1));
        }
        while lists.last().is_some_and(Vec::is_empty) {
            lists.pop();
        }
        Self { lists }
    }

    fn item(&self, depth: usize, at: usize) -> Option<Item<'a>> {
        let list = self.lists.get(depth)?;
        match list.get(at) {
            None if at == list.len() && depth + 1 < self.lists.len() => Some(Item::List),
            item => item.copied(),
        }
    }

    fn compare_with_nothing(&self, from: usize) -> Ordering {
        let items = self.lists.iter().skip(from).flatten();
        let mut orders = items.map(|item| item.compare_with_nothing());
        orders.find(|order| *order != Ordering::Equal).unwrap_or(Ordering::Equal)
    }
}

fn push<'a>(lists: &mut [Vec<Item<'a>>], item: Item<'a>) {
    if let Some(list) = lists.last_mut() {
        list.push(item);
    }
}

fn own_list(lists: &mut Vec<Vec<Item<'_>>>) {
    if lists.last().is_some_and(|list| !list.is_empty()) {
        lists.push(Vec::new());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_known_pairs() {
        for (left, order, right) in [
            ("1", Ordering::Equal, "1.0.0"),
            ("1", Ordering::Equal, "1-ga"),
            ("1.0", Ordering::Equal, "1.0.Final"),
            ("1-alpha", Ordering::Less, "1-beta"),
            ("1-a1", Ordering::Equal, "1-alpha-1"),
            ("1-milestone", Ordering::Less, "1-rc"),
            ("1-cr1", Ordering::Equal, "1-rc1"),
            ("1-rc", Ordering::Less, "1-SNAPSHOT"),
            ("1-snapshot", Ordering::Less, "1"),
            ("1", Ordering::Less, "1-sp"),
            ("1-sp", Ordering::Less, "1-abc"),
            ("1-abc", Ordering::Less, "1-1"),
            ("1-1", Ordering::Less, "1.1"),
            ("1.0-1", Ordering::Equal, "1-1"),
            ("29.0-jre", Ordering::Less, "30.0-jre"),
            ("2.9.8", Ordering::Less, "2.9.10.1"),
            ("1.0.0.X1", Ordering::Less, "1.0.0-X2"),
            ("20040616", Ordering::Greater, "3.2.2"),
            ("1foo2", Ordering::Less, "1foo10"),
            ("99999999999999999999999", Ordering::Less, "100000000000000000000000"),
            ("1..0", Ordering::Equal, "1"),
            ("4.1.68.Final", Ordering::Less, "4.1.77.Final"),
        ] {
            assert_eq!(compare(left, right), order, "{left} against {right}");
            assert_eq!(compare(right, left), order.reverse(), "{right} against {left}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = "1-".repeat(200_000);
        assert_eq!(compare(&deep, &format!("{deep}2")), Ordering::Less);
    }
}
