//! Pages out of a sorted list, with the last entry of a page as the token of the next: durable by itself, and
//! right even where entries before or after it have come or gone meanwhile.

use cve_monitor_core::vocabulary::{Page, PageToken};

/// The page of at most `limit` (at least one) entries after the token, of a list that is sorted by `key`.
pub(crate) fn page_after<T: Clone>(
    sorted: &[T],
    key: impl Fn(&T) -> &str,
    after: Option<&PageToken>,
    limit: usize,
) -> Page<T> {
    let start = after.map_or(0, |token| sorted.partition_point(|item| key(item) <= token.0.as_str()));
    let rest = sorted.get(start..).unwrap_or_default();
    let items: Vec<T> = rest.iter().take(limit.max(1)).cloned().collect();
    let next = if items.len() < rest.len() {
        items.last().map(|item| PageToken(key(item).to_owned()))
    } else {
        None
    };
    Page { items, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(list: &[&str], after: Option<&str>, limit: usize) -> (String, Option<String>) {
        let list: Vec<String> = list.iter().map(ToString::to_string).collect();
        let page = page_after(&list, String::as_str, after.map(|t| PageToken(t.to_owned())).as_ref(), limit);
        (page.items.join(","), page.next.map(|token| token.0))
    }

    #[test]
    fn pages_follow_each_other_and_the_last_has_no_next() {
        assert_eq!(page(&["a", "b", "c"], None, 2), ("a,b".to_owned(), Some("b".to_owned())));
        assert_eq!(page(&["a", "b", "c"], Some("b"), 2), ("c".to_owned(), None));
        assert_eq!(page(&["a", "b"], None, 2), ("a,b".to_owned(), None));
        assert_eq!(page(&[], None, 2), (String::new(), None));
        assert_eq!(page(&["a", "b"], None, 0), ("a".to_owned(), Some("a".to_owned())));
    }

    #[test]
    fn an_entry_that_went_or_came_meanwhile_loses_no_other() {
        assert_eq!(page(&["a", "c"], Some("b"), 5).0, "c");
        assert_eq!(page(&["a", "aa", "c"], Some("b"), 5).0, "c");
    }
}
