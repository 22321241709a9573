//! Pages over what lies sorted in memory.

use crate::vocabulary::{Page, PageToken};

/// The page of at most `limit` entries of `sorted`, whose tokens are greater than `after`. A limit of zero is
/// taken as one: a page that can never advance would never end.
pub(super) fn page_of<K, T>(
    sorted: impl IntoIterator<Item = (K, T)>,
    after: Option<&PageToken>,
    limit: usize,
    token: impl Fn(&K) -> String,
) -> Page<T> {
    let mut rest =
        sorted.into_iter().filter(|(key, _)| after.is_none_or(|after| token(key) > after.0)).peekable();
    let mut items = vec![];
    let mut last = None;
    while items.len() < limit.max(1)
        && let Some((key, item)) = rest.next()
    {
        last = Some(PageToken(token(&key)));
        items.push(item);
    }
    Page { items, next: rest.peek().and(last) }
}

/// A number as a token whose byte order is the number's.
pub(super) fn ordered(number: u64) -> String {
    format!("{number:020}")
}
