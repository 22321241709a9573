//! Whether a rule affects a version: the evaluation of the OSV schema, with dpkg's order.
//!
//! Where the schema leaves a choice: events of equal versions take the order introduced, last affected, fixed,
//! limit (so that a range whose start is its fix is empty); listed versions compare as text; several ranges and
//! the list are a union; a rule with neither affects nothing.

use std::cmp::Ordering;

use crate::advisory::{Event, Range, Rule};
use crate::version::dpkg;

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
pub fn evaluate(rule: &Rule, version: &str) -> Option<Fix> {
    let hits: Vec<Fix> = rule.ranges.iter().filter_map(|range| in_range(range, version)).collect();
    if hits.is_empty() {
        return rule
            .versions
            .iter()
            .any(|listed| listed == version)
            .then(|| fix_after(&rule.ranges, version));
    }
    // The version has to leave every range that it is in.
    if hits.contains(&Fix::None) {
        return Some(Fix::None);
    }
    hits.into_iter().max_by(|left, right| match (left, right) {
        (Fix::In(left), Fix::In(right)) => dpkg::compare(left, right),
        (Fix::In(_), _) => Ordering::Less,
        (_, Fix::In(_)) => Ordering::Greater,
        _ => Ordering::Equal,
    })
}

fn in_range(range: &Range, version: &str) -> Option<Fix> {
    let mut events: Vec<&Event> = range.events.iter().collect();
    events.sort_by(|left, right| compare_events(left, right));
    let mut limits = events.iter().filter_map(|event| match event {
        Event::Limit(limit) => Some(limit),
        _ => None,
    });
    let below = |limit: &String| limit == "*" || dpkg::compare(version, limit).is_lt();
    if limits.clone().next().is_some() && !limits.any(below) {
        return None;
    }
    let mut affected = false;
    for event in &events {
        match event {
            Event::Introduced(at) if at == "0" || dpkg::compare(at, version).is_le() => affected = true,
            Event::Fixed(at) if dpkg::compare(at, version).is_le() => affected = false,
            Event::LastAffected(at) if dpkg::compare(at, version).is_lt() => affected = false,
            _ => {}
        }
    }
    if !affected {
        return None;
    }
    let end = events.into_iter().find_map(|event| match event {
        Event::Fixed(at) if dpkg::compare(at, version).is_gt() => Some(Fix::In(at.clone())),
        Event::LastAffected(at) if dpkg::compare(at, version).is_ge() => Some(Fix::Unsaid),
        _ => None,
    });
    Some(end.unwrap_or(Fix::None))
}

/// A listed version outside every range: the next fix, if any range has one.
fn fix_after(ranges: &[Range], version: &str) -> Fix {
    let fixes = ranges.iter().flat_map(|range| &range.events).filter_map(|event| match event {
        Event::Fixed(at) if dpkg::compare(at, version).is_gt() => Some(at),
        _ => None,
    });
    fixes.min_by(|left, right| dpkg::compare(left, right)).map_or(Fix::Unsaid, |at| Fix::In(at.clone()))
}

fn compare_events(left: &Event, right: &Event) -> Ordering {
    let key = |event: &Event| match event {
        Event::Introduced(at) => (0, at.clone()),
        Event::LastAffected(at) => (1, at.clone()),
        Event::Fixed(at) => (2, at.clone()),
        Event::Limit(at) => (3, at.clone()),
    };
    let ((left_kind, left), (right_kind, right)) = (key(left), key(right));
    // An introduction at "0" is below everything, pre-releases of 0 included.
    let starts = |kind: u8, at: &str| kind == 0 && at == "0";
    match (starts(left_kind, &left), starts(right_kind, &right)) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => dpkg::compare(&left, &right).then(left_kind.cmp(&right_kind)),
    }
}

#[cfg(test)]
mod tests;
