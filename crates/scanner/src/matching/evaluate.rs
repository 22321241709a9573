//! Whether a rule affects a version: the evaluation of the OSV schema, in the order of the ecosystem.
//!
//! Where the schema leaves a choice: events of equal versions take the order introduced, last affected, fixed,
//! limit (so that a range whose start is its fix is empty); listed versions are those that the order calls equal;
//! several ranges and the list are a union; a rule with neither affects nothing.

use std::cmp::Ordering;

use crate::advisory::{Event, Range, Rule};
use crate::version::{VersionOrder, pep440};

/// What a rule that affects a version says about getting rid of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// The first version that is not affected any more.
    In(String),
    /// There is none.
    None,
    /// The rule says which versions are affected, but not what follows them.
    Unsaid,
}

/// Whether the rule affects the version, and where that ends.
pub fn evaluate(rule: &Rule, order: VersionOrder, version: &str) -> Option<Fix> {
    let hits: Vec<Fix> = rule.ranges.iter().filter_map(|range| in_range(range, order, version)).collect();
    if hits.is_empty() {
        let is_listed = rule
            .versions
            .iter()
            .any(|listed| listed == version || order.compare(listed, beside(order, version, listed)).is_eq());
        return is_listed.then(|| fix_after(&rule.ranges, order, version));
    }
    // The version has to leave every range that it is in.
    if hits.contains(&Fix::None) {
        return Some(Fix::None);
    }
    hits.into_iter().max_by(|left, right| match (left, right) {
        (Fix::In(left), Fix::In(right)) => order.compare(left, right),
        (Fix::In(_), _) => Ordering::Less,
        (_, Fix::In(_)) => Ordering::Greater,
        _ => Ordering::Equal,
    })
}

/// Whether a range holds a version.
pub(crate) fn holds(range: &Range, order: VersionOrder, version: &str) -> bool {
    in_range(range, order, version).is_some()
}

/// The last event up to the version decides; the first one past it that ends the range says how. Without sorting,
/// since not every order of versions is transitive.
fn in_range(range: &Range, order: VersionOrder, version: &str) -> Option<Fix> {
    let mut limits = range.events.iter().filter_map(|event| match event {
        Event::Limit(limit) => Some(limit),
        _ => None,
    });
    let below = |limit: &String| limit == "*" || order.compare(version, limit).is_lt();
    if limits.clone().next().is_some() && !limits.any(below) {
        return None;
    }
    let by_order = |left: &&Event, right: &&Event| compare_events(left, right, order);
    let has_come = |event: &&Event| match event {
        Event::Introduced(at) => at == "0" || order.compare(at, version).is_le(),
        Event::Fixed(at) => order.compare(at, version).is_le(),
        Event::LastAffected(at) => order.compare(at, beside(order, version, at)).is_lt(),
        Event::Limit(_) => false,
    };
    let last = range.events.iter().filter(has_come).max_by(by_order)?;
    if !matches!(last, Event::Introduced(_)) {
        return None;
    }
    let ends = |event: &&Event| matches!(event, Event::Fixed(_) | Event::LastAffected(_)) && !has_come(event);
    Some(match range.events.iter().filter(ends).min_by(by_order) {
        Some(Event::Fixed(at)) => Fix::In(at.clone()),
        Some(_) => Fix::Unsaid,
        None => Fix::None,
    })
}

/// What of a version is compared with one that it may equal.
fn beside<'a>(order: VersionOrder, version: &'a str, bound: &str) -> &'a str {
    if order == VersionOrder::Pep440 { pep440::beside(version, bound) } else { version }
}

/// A listed version outside every range: the next fix, if any range has one.
fn fix_after(ranges: &[Range], order: VersionOrder, version: &str) -> Fix {
    let fixes = ranges.iter().flat_map(|range| &range.events).filter_map(|event| match event {
        Event::Fixed(at) if order.compare(at, version).is_gt() => Some(at),
        _ => None,
    });
    fixes.min_by(|left, right| order.compare(left, right)).map_or(Fix::Unsaid, |at| Fix::In(at.clone()))
}

fn compare_events(left: &Event, right: &Event, order: VersionOrder) -> Ordering {
    fn key(event: &Event) -> (u8, &str) {
        match event {
            Event::Introduced(at) => (0, at),
            Event::LastAffected(at) => (1, at),
            Event::Fixed(at) => (2, at),
            Event::Limit(at) => (3, at),
        }
    }
    let ((left_kind, left), (right_kind, right)) = (key(left), key(right));
    // An introduction at "0" is below everything, pre-releases of 0 included.
    let starts = |kind: u8, at: &str| kind == 0 && at == "0";
    match (starts(left_kind, left), starts(right_kind, right)) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => order.compare(left, right).then(left_kind.cmp(&right_kind)),
    }
}

#[cfg(test)]
mod tests;
