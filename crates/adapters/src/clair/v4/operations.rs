//! Update operations: what each of Clair's updaters has brought, and when. A set of the latest ones *is* the state of
//! its knowledge.

use std::collections::BTreeMap;

use cve_monitor_core::vocabulary::{Digest, Generation, Knowledge, KnowledgeId, Timestamp};
use serde::{Deserialize, Serialize};

/// The name of an update operation: a UUID, as Clair writes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct OperationRef(String);

impl OperationRef {
    /// The text: hexadecimal digits and hyphens, so that it may stand in a query as it is.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for OperationRef {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let uuid = text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        if uuid { Ok(Self(text)) } else { Err("not the UUID of an update operation".to_owned()) }
    }
}

impl From<OperationRef> for String {
    fn from(name: OperationRef) -> Self {
        name.0
    }
}

/// One operation of an updater. The list does not say its kind: it was asked for by kind.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Operation {
    /// Its name.
    #[serde(rename = "ref")]
    pub(super) name: OperationRef,
    /// When its transaction *began*: a long operation becomes visible after a short one that began later.
    pub(super) date: Timestamp,
}

/// The vulnerability operations that Clair retains, newest first, of each updater that has any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Operations(BTreeMap<String, Vec<Operation>>);

impl<'de> Deserialize<'de> for Operations {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // `null` stands for an empty map, and for an empty list in one.
        let read = Option::<BTreeMap<String, Option<Vec<Operation>>>>::deserialize(deserializer)?;
        let lists = read.unwrap_or_default().into_iter();
        Ok(Self(
            lists
                .filter_map(|(name, list)| Some((name, list?)))
                .filter(|(_, list)| !list.is_empty())
                .collect(),
        ))
    }
}

impl Operations {
    /// Whether no updater has completed yet.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The updaters with their operations, newest first and never empty.
    pub(super) fn updaters(&self) -> impl Iterator<Item = (&str, &[Operation])> {
        self.0.iter().map(|(updater, list)| (updater.as_str(), list.as_slice()))
    }

    /// What is retained of an updater, newest first; empty where there is none.
    pub(super) fn of(&self, updater: &str) -> &[Operation] {
        self.0.get(updater).map_or(&[], Vec::as_slice)
    }

    /// The latest operation of each updater.
    pub(super) fn latest(&self) -> impl Iterator<Item = (&str, &Operation)> {
        self.updaters().filter_map(|(updater, list)| Some((updater, list.first()?)))
    }

    /// The same with the latest operation of each updater alone.
    pub(super) fn into_latest(mut self) -> Self {
        for list in self.0.values_mut() {
            list.truncate(1);
        }
        self
    }

    /// Whether any of these operations is one that another list has for the same updater: lists of one database have
    /// operations in common, unless between them all of one's were collected.
    pub(super) fn continues(&self, other: &Self) -> bool {
        self.updaters().any(|(updater, list)| {
            list.iter().any(|operation| other.of(updater).iter().any(|known| known.name == operation.name))
        })
    }

    /// The knowledge that reports are made from while these are the latest operations: its identity is the set of
    /// updaters and operations, its generation the latest date among them in milliseconds.
    pub(super) fn knowledge(&self) -> Knowledge {
        let set: String =
            self.latest().map(|(updater, last)| format!("{updater} {}\n", last.name.0)).collect();
        let dates = || self.latest().map(|(_, last)| last.date);
        Knowledge {
            id: Some(KnowledgeId(Digest::of(set.as_bytes()).short().to_owned())),
            generation: Some(generation(dates().max().unwrap_or(Timestamp::from_millis(0)))),
            last_changed: self.latest().map(|(updater, last)| (updater.to_owned(), last.date)).collect(),
        }
    }
}

/// Whether an updater's name is of this pattern: a `*` in it stands for any text.
pub(super) fn matches(pattern: &str, updater: &str) -> bool {
    match pattern.split_once('*') {
        Some((before, after)) => {
            updater.len() >= before.len() + after.len()
                && updater.starts_with(before)
                && updater.ends_with(after)
        }
        None => pattern == updater,
    }
}

/// The place of an operation in the feed: its date, in milliseconds since 1970.
pub(super) fn generation(date: Timestamp) -> Generation {
    Generation(u64::try_from(date.as_millis()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"{
        "osv/go": [{"ref":"11111111-1111-4111-8111-111111111111","updater":"osv/go","fingerprint":"x",
                    "date":"2026-07-24T10:00:00.5Z","kind":""}],
        "debian/updater": [
            {"ref":"33333333-3333-4333-8333-333333333333","date":"2026-07-24T12:00:00+02:00","new":[1]},
            {"ref":"22222222-2222-4222-8222-222222222222","date":"2026-07-23T10:00:00Z"}],
        "gone": [], "nothing": null}"#;

    #[test]
    fn the_latest_operations_are_the_knowledge() {
        let operations: Operations = serde_json::from_str(LIST).unwrap();
        let knowledge = operations.knowledge();
        assert_eq!(knowledge.generation, Some(generation("2026-07-24T10:00:00.5Z".parse().unwrap())));
        let changed: Vec<_> =
            knowledge.last_changed.iter().map(|(name, at)| format!("{name} {at}")).collect();
        assert_eq!(changed, ["debian/updater 2026-07-24T10:00:00.000Z", "osv/go 2026-07-24T10:00:00.500Z"]);
        let older =
            LIST.replace("33333333-3333-4333-8333-333333333333", "44444444-4444-4444-8444-444444444444");
        let other: Operations = serde_json::from_str(&older).unwrap();
        assert_ne!(other.knowledge().id, knowledge.id);
        assert_eq!(operations.of("debian/updater").len(), 2);
        assert_eq!(operations.of("gone"), []);
    }

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(matches("oracle-*-updater", "oracle-2024-updater"));
        assert!(matches("oracle-*-updater", "oracle-all-updater"));
        assert!(!matches("oracle-*-updater", "oracle-updater"));
        assert!(!matches("rhel-vex", "rhel-vex-2"));
    }

    #[test]
    fn lists_of_one_database_have_an_operation_in_common() {
        let all: Operations = serde_json::from_str(LIST).unwrap();
        let latest = all.clone().into_latest();
        assert_eq!(latest.of("debian/updater").len(), 1);
        assert_eq!(latest.knowledge(), all.knowledge());
        assert!(all.continues(&latest) && latest.continues(&all));
        let refilled: Operations = serde_json::from_str(&LIST.replace("-4", "-5")).unwrap();
        assert!(!refilled.continues(&latest));
        assert!(!Operations::default().continues(&latest));
    }

    #[test]
    fn null_is_an_empty_list() {
        assert!(serde_json::from_str::<Operations>("null").unwrap().is_empty());
        assert!(serde_json::from_str::<Operations>("{}").unwrap().is_empty());
    }

    #[test]
    fn a_ref_that_could_change_a_query_is_refused() {
        for text in ["", "11111111-1111-4111-8111-11111111111&", "11111111-1111-4111-8111-1111111111111"] {
            assert!(OperationRef::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
