//! The layers that a change may affect: those in which one of its packages was ever found, in the order in which the
//! layers were stored, each once.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use cve_monitor_core::ports::{Candidates, Cursor, FeedError};
use cve_monitor_core::vocabulary::{LayerKey, Page, PageToken};
use cve_monitor_scanner::PackageKey;
use cve_monitor_scanner::advisory::changed_packages;
use rusqlite::Connection;

use super::{State, blocking};
use crate::embedded::scanner::rows;
use crate::embedded::{Database, DatabaseError};

/// How many changed packages are read at a time.
const PACKAGES_AT_ONCE: usize = 1000;
/// The most keys of a page, whatever the caller asks for.
const PAGE_MAX: usize = 5_000;
/// How many steps through postings a page takes at most: it then ends early, and is not the last.
const STEPS_MAX: usize = 200_000;
/// How many postings of all packages together are read ahead, so that not each step is a statement of its own.
const AHEAD_MAX: usize = 100_000;
/// How many of one package.
const AHEAD_OF_PACKAGE: usize = 256;

/// The packages that differ between two states, as far as any layer holds them.
#[derive(Debug)]
pub(super) struct Changed {
    from: Cursor,
    to: Cursor,
    /// A package that is first found in a layer later is not among them: whoever indexes that layer assesses it after
    /// `to` was published.
    packages: Vec<i64>,
}

impl Changed {
    pub(super) async fn between(
        from: &Cursor,
        to: &Cursor,
        old: State,
        new: State,
        database: &Database,
    ) -> Result<Self, FeedError> {
        let (mut packages, mut after): (Vec<i64>, Option<PackageKey>) = (vec![], None);
        loop {
            let (old, new, last) = (old.clone(), new.clone(), after.take());
            let keys = blocking(move || {
                changed_packages(&old.database, &new.database, last.as_ref(), PACKAGES_AT_ONCE)
                    .map_err(|error| FeedError::Transient(error.to_string()))
            })
            .await?;
            after = keys.last().filter(|_| keys.len() == PACKAGES_AT_ONCE).cloned();
            packages.extend(database.read(move |state| rows::package_numbers(state, &keys)).await?);
            if after.is_none() {
                return Ok(Self { from: from.clone(), to: to.clone(), packages });
            }
        }
    }

    pub(super) fn is_between(&self, from: &Cursor, to: &Cursor) -> bool {
        self.from == *from && self.to == *to
    }
}

/// A page of the layers. Its token is the number of the last layer: numbers are never given twice.
pub(super) async fn page(
    database: &Database,
    changed: Arc<Changed>,
    after: Option<PageToken>,
    limit: usize,
) -> Result<Candidates, DatabaseError> {
    let after = match after {
        Some(token) => token.0.parse().map_err(|_| {
            DatabaseError::Refused(format!("`{token}` is not a page token of this feed's candidates"))
        })?,
        None => i64::MIN,
    };
    let limit = page_limit(limit);
    database.read(move |state| merged(state, &changed.packages, after, limit, STEPS_MAX)).await
}

fn page_limit(limit: usize) -> usize {
    limit.clamp(1, PAGE_MAX)
}

/// How many postings of each of so many packages are read ahead.
fn ahead(packages: usize, limit: usize) -> usize {
    (AHEAD_MAX / packages.max(1)).clamp(1, AHEAD_OF_PACKAGE.min(limit))
}

/// The postings of a package from a layer on, read ahead so far.
struct Postings {
    package: i64,
    layers: VecDeque<i64>,
    ahead: usize,
}

impl Postings {
    /// The first layer after one that was passed.
    fn after(&mut self, state: &Connection, layer: i64) -> Result<Option<i64>, DatabaseError> {
        if self.layers.is_empty() {
            self.layers = rows::next_layers(state, self.package, layer, self.ahead)?.into();
        }
        Ok(self.layers.pop_front())
    }
}

/// Merges the postings of all packages, which are sorted by layer each.
fn merged(
    state: &Connection,
    packages: &[i64],
    after: i64,
    limit: usize,
    steps_max: usize,
) -> Result<Candidates, DatabaseError> {
    let ahead = ahead(packages.len(), limit);
    let mut postings: Vec<Postings> = packages
        .iter()
        .map(|package| Postings { package: *package, layers: VecDeque::new(), ahead })
        .collect();
    let mut heads = BinaryHeap::with_capacity(packages.len());
    for (at, of_package) in postings.iter_mut().enumerate() {
        heads.extend(of_package.after(state, after)?.map(|layer| Reverse((layer, at))));
    }
    let (mut items, mut steps) = (vec![], 0);
    while let Some(Reverse((layer, _))) = heads.peek().copied() {
        items.push(LayerKey(rows::layer_digest(state, layer)?.to_string()));
        while let Some(Reverse((_, at))) = heads.peek().copied().filter(|head| head.0.0 == layer) {
            heads.pop();
            heads.extend(postings[at].after(state, layer)?.map(|next| Reverse((next, at))));
            steps += 1;
        }
        if !heads.is_empty() && (items.len() == limit || steps >= steps_max) {
            return Ok(Page { items, next: Some(PageToken(layer.to_string())) });
        }
    }
    Ok(Page::last(items))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::scanner::fixture::{Bench, layer};

    #[test]
    fn a_page_and_what_is_read_ahead_for_it_have_bounds() {
        for (limit, expected) in [(0, 1), (PAGE_MAX, PAGE_MAX), (PAGE_MAX + 1, PAGE_MAX)] {
            assert_eq!(page_limit(limit), expected);
        }
        for packages in [0, 1, AHEAD_MAX / AHEAD_OF_PACKAGE, 1000, AHEAD_MAX] {
            let each = ahead(packages, PAGE_MAX);
            assert!((1..=AHEAD_OF_PACKAGE).contains(&each) && each * packages <= AHEAD_MAX, "{packages}");
        }
        // Of more packages than that each needs one all the same, and a page takes no more steps than that.
        assert_eq!(ahead(AHEAD_MAX + 1, PAGE_MAX), 1);
        assert_eq!(STEPS_MAX.max(AHEAD_MAX), STEPS_MAX, "what is read ahead is used by the same page");
    }

    #[tokio::test]
    async fn a_page_ends_at_its_bound_of_steps_and_the_next_goes_on_there() {
        let bench = Bench::new();
        for n in 0..4 {
            bench.indexed(&[layer(&[("openssl", &n.to_string()), ("zlib", "1")])]).await;
        }
        let keys = |steps_max: usize, after: i64| {
            let read = bench.database.read(move |state| {
                let packages: Vec<i64> = state
                    .prepare("SELECT id FROM scanner_packages")?
                    .query_map([], |row| row.get(0))?
                    .collect::<Result<_, _>>()?;
                merged(state, &packages, after, 100, steps_max)
            });
            async { read.await.unwrap() }
        };
        // Two steps a layer: one for each of its packages.
        assert_eq!(keys(5, 0).await.items.len(), 3);
        let page = keys(4, 0).await;
        assert_eq!(page.items.len(), 2);
        let after = page.next.unwrap().0.parse().unwrap();
        let rest = keys(usize::MAX, after).await;
        assert_eq!((rest.items.len(), rest.next), (2, None));
        assert_eq!(keys(0, 0).await.items.len(), 1);
    }
}
