//! What comes after our places in Clair's list of operations: a pure rule.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use cve_monitor_core::vocabulary::Timestamp;

use super::super::operations::{Operation, OperationRef, Operations};
use super::cursor::Places;

/// When we first saw each operation that is listed.
///
/// Clair commits an operation and refreshes what its reports are made from *afterwards*: an operation is followed only
/// some time after it was seen, never at once. Its date cannot stand for that: it is the transaction's beginning.
#[derive(Debug, Default)]
pub(super) struct FirstSeen(BTreeMap<OperationRef, Timestamp>);

impl FirstSeen {
    /// Takes a list in: what is new is first seen now, what is listed no more is forgotten.
    pub(super) fn note(&mut self, operations: &Operations, now: Timestamp) {
        let mut seen = std::mem::take(&mut self.0);
        self.0 = operations
            .updaters()
            .flat_map(|(_, list)| list)
            .map(|operation| {
                let at = seen.remove(&operation.name).unwrap_or(now);
                (operation.name.clone(), at)
            })
            .collect();
    }

    /// Whether an operation was first seen at least this long ago.
    fn is_settled(&self, operation: &Operation, settle: Duration, now: Timestamp) -> bool {
        self.0.get(&operation.name).is_some_and(|seen| now.since(*seen) >= settle)
    }
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing, or nothing that has settled.
    UpToDate,
    /// One operation of one updater, or its end.
    Change {
        /// The places after it.
        to: Places,
    },
    /// These updaters cannot be followed from where we were.
    Gap {
        /// Their names; empty where nothing was followed yet.
        updaters: Vec<String>,
        /// The places after it.
        to: Places,
    },
}

/// Decides; `places` is none where nothing was followed yet.
///
/// The order of a list counts, not the dates in it: Clair lists operations in the order of their beginning, and its
/// reports are made from the first of the list. So one that ends late, and appears *behind* our place, was never what
/// a report was made from.
pub(super) fn step(
    operations: &Operations,
    places: Option<&Places>,
    seen: &FirstSeen,
    settle: Duration,
    now: Timestamp,
) -> Step {
    let settled = |operation: &&Operation| seen.is_settled(operation, settle, now);
    let Some(places) = places else {
        let newest =
            operations.updaters().filter_map(|(name, list)| Some((name, list.iter().find(settled)?)));
        let to: Places = newest.map(|(name, operation)| (name.to_owned(), operation.into())).collect();
        return if to.is_empty() { Step::UpToDate } else { Step::Gap { updaters: vec![], to } };
    };
    let (mut lost, mut to) = (vec![], places.clone());
    let mut oldest: Option<(&str, &Operation)> = None;
    for (updater, list) in operations.updaters() {
        let ours = places.get(updater);
        match ours.and_then(|place| list.iter().position(|operation| operation.name == place.name)) {
            Some(0) => {}
            Some(at) => {
                let next = Some(&list[at - 1]).filter(settled);
                let is_older = |next: &Operation| oldest.is_none_or(|(_, first)| next.date < first.date);
                if let Some(next) = next.filter(|next| is_older(next)) {
                    oldest = Some((updater, next));
                }
            }
            None => {
                if let Some(newest) = list.iter().find(settled) {
                    lost.push(updater.to_owned());
                    to.insert(updater.to_owned(), newest.into());
                }
            }
        }
    }
    match (lost.is_empty(), oldest) {
        (false, _) => Step::Gap { updaters: lost, to },
        (true, Some((updater, next))) => {
            to.insert(updater.to_owned(), next.into());
            Step::Change { to }
        }
        (true, None) => retire(operations, places).map_or(Step::UpToDate, |to| Step::Change { to }),
    }
}

/// An updater that has vanished no longer counts into the generation of what Clair knows: with its date, every assessment
/// would be behind the feed until another updater completes. So its place is dated back, one at a time. A Clair without
/// any operation was emptied: it is loading, and says so itself.
fn retire(operations: &Operations, places: &Places) -> Option<Places> {
    let newest = operations.latest().map(|(_, operation)| operation.date).max()?;
    let is_late = |updater: &&str| places.get(*updater).is_some_and(|place| place.date > newest);
    let updater = vanished(operations, places).into_iter().find(is_late)?;
    let mut to = places.clone();
    if let Some(place) = to.get_mut(updater) {
        place.date = newest;
    }
    Some(to)
}

/// The updaters that were followed and of which Clair lists nothing any more.
pub(super) fn vanished<'a>(operations: &Operations, places: &'a Places) -> Vec<&'a str> {
    places.keys().map(String::as_str).filter(|updater| operations.of(updater).is_empty()).collect()
}

/// The updater that differs between two places, with its operations there; an error names all of them where it is not
/// exactly one.
pub(super) fn moved(from: &Places, to: &Places) -> Result<(String, OperationRef, OperationRef), String> {
    let differs = to.iter().filter(|(updater, place)| from.get(*updater) != Some(*place));
    let differing: Vec<_> = differs.collect();
    match differing[..] {
        [(updater, place)] => match from.get(updater) {
            Some(before) => Ok((updater.clone(), before.name.clone(), place.name.clone())),
            None => Err(updater.clone()),
        },
        _ => Err(differing.iter().map(|(updater, _)| updater.as_str()).collect::<Vec<_>>().join(", ")),
    }
}
