//! Orders of versions: every two strings compare, and but for Maven's there are no circles.

use std::cmp::Ordering;

use cve_monitor_scanner::version::VersionOrder;

/// The first byte picks an order; behind it stand versions, a line each, of which the first three count.
pub(crate) fn orders(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let order = VersionOrder::ALL[usize::from(*first) % VersionOrder::ALL.len()];
    let text = String::from_utf8_lossy(rest);
    let versions: Vec<&str> = text.split('\n').take(3).collect();
    let compare = |left: &str, right: &str| order.compare(left, right);
    for left in &versions {
        assert_eq!(compare(left, left), Ordering::Equal, "{order:?}: {left:?} is itself");
        for right in &versions {
            let (one, other) = (compare(left, right), compare(right, left));
            assert_eq!(one, other.reverse(), "{order:?}: {left:?} and {right:?}");
            // Maven's own order goes in circles: `1.0-alpha-1`, `1.0`, `1.pha-1` (a list is above a word, the end below it).
            for last in versions.iter().filter(|_| order != VersionOrder::Maven) {
                if one != Ordering::Greater && compare(right, last) != Ordering::Greater {
                    let whole = compare(left, last);
                    assert_ne!(whole, Ordering::Greater, "{order:?}: {left:?}, {right:?}, {last:?}");
                }
            }
        }
    }
}
