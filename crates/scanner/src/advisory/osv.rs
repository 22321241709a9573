//! The parts of an OSV record that matching needs, read leniently: real data has gaps.

use serde::{Deserialize, Serialize};

/// An OSV record.
#[derive(Debug, Clone, Deserialize)]
pub struct OsvRecord {
    /// Its id; file names do not count.
    pub id: String,
    /// When it says that it was last changed; changes without a new stamp happen.
    #[serde(default)]
    pub modified: Option<String>,
    /// When it was withdrawn.
    #[serde(default)]
    pub withdrawn: Option<String>,
    /// Other ids of the same vulnerability.
    #[serde(default, deserialize_with = "or_default")]
    pub aliases: Vec<String>,
    /// The vulnerabilities that this record is a distribution's word on.
    #[serde(default, deserialize_with = "or_default")]
    pub upstream: Vec<String>,
    /// One line.
    #[serde(default)]
    pub summary: Option<String>,
    /// Many lines.
    #[serde(default)]
    pub details: Option<String>,
    /// Severities that hold for all that is affected.
    #[serde(default, deserialize_with = "or_default")]
    pub severity: Vec<SeverityEntry>,
    /// Similar vulnerabilities; some distributions list here those that a record of theirs fixes.
    #[serde(default, deserialize_with = "or_default")]
    pub related: Vec<String>,
    /// What is affected.
    #[serde(default, deserialize_with = "or_default")]
    pub affected: Vec<Affected>,
    /// Where to read more.
    #[serde(default, deserialize_with = "or_default")]
    pub references: Vec<Reference>,
    /// The database's own fields.
    #[serde(default, deserialize_with = "or_default")]
    pub database_specific: SpecificFields,
}

/// One severity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SeverityEntry {
    /// `CVSS_V4`, `CVSS_V3`, `CVSS_V2`, `Ubuntu`, …
    #[serde(rename = "type", default)]
    pub kind: String,
    /// A vector, or a word.
    #[serde(default)]
    pub score: String,
}

/// One affected package.
#[derive(Debug, Clone, Deserialize)]
pub struct Affected {
    /// The package; records about a repository alone have none.
    #[serde(default)]
    pub package: Option<Package>,
    /// Severities that hold for this package.
    #[serde(default, deserialize_with = "or_default")]
    pub severity: Vec<SeverityEntry>,
    /// Ranges of versions.
    #[serde(default, deserialize_with = "one_or_many")]
    pub ranges: Vec<Range>,
    /// Versions, listed.
    #[serde(default, deserialize_with = "or_default")]
    pub versions: Vec<String>,
    /// The ecosystem's own fields.
    #[serde(default, deserialize_with = "or_default")]
    pub ecosystem_specific: SpecificFields,
}

/// A package's name in its ecosystem.
#[derive(Debug, Clone, Deserialize)]
pub struct Package {
    /// `Debian:12`, `PyPI`, …
    #[serde(default)]
    pub ecosystem: String,
    /// The name that the ecosystem matches by.
    #[serde(default)]
    pub name: String,
}

/// A range of versions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Range {
    /// `ECOSYSTEM`, `SEMVER` or `GIT`; some dumps leave it out.
    #[serde(rename = "type", default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The events, in any order.
    #[serde(default, deserialize_with = "events")]
    pub events: Vec<Event>,
}

/// One event of a range.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The first affected version; `0` is below everything.
    Introduced(String),
    /// The last affected version.
    LastAffected(String),
    /// The first version that is no longer affected.
    Fixed(String),
    /// Versions from here on are not spoken of.
    Limit(String),
}

/// A link.
#[derive(Debug, Clone, Deserialize)]
pub struct Reference {
    /// `ADVISORY`, `WEB`, …
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The address.
    #[serde(default)]
    pub url: String,
}

/// The words of severity that databases keep in fields of their own.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct SpecificFields {
    /// Debian's urgency.
    #[serde(default, deserialize_with = "word")]
    pub urgency: Option<String>,
    /// GitHub's severity.
    #[serde(default, deserialize_with = "word")]
    pub severity: Option<String>,
    /// Ubuntu's priority.
    #[serde(default, deserialize_with = "word")]
    pub ubuntu_priority: Option<String>,
    /// Chainguard's word on each component of the package.
    #[serde(default, deserialize_with = "components")]
    pub components: Vec<Component>,
}

/// A component of a package.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Component {
    /// `fixed`, `fix-not-planned`, `false-positive-determination`, …
    #[serde(default, alias = "latest_event_status", deserialize_with = "word")]
    pub status: Option<String>,
}

/// One event a key; old records put several keys into one object.
fn events<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Event>, D::Error> {
    #[derive(Deserialize)]
    struct Keys {
        introduced: Option<String>,
        last_affected: Option<String>,
        fixed: Option<String>,
        limit: Option<String>,
    }
    let objects = Option::<Vec<Keys>>::deserialize(deserializer)?.unwrap_or_default();
    let events = objects.into_iter().flat_map(|keys| {
        [
            keys.introduced.map(Event::Introduced),
            keys.last_affected.map(Event::LastAffected),
            keys.fixed.map(Event::Fixed),
            keys.limit.map(Event::Limit),
        ]
    });
    Ok(events.flatten().collect())
}

/// `null` where a list or an object belongs means that there is none.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Some databases write a single range without the list around it.
fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Range>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Ranges {
        Many(Vec<Range>),
        One(Range),
    }
    Ok(match Option::deserialize(deserializer)? {
        None => Vec::new(),
        Some(Ranges::Many(ranges)) => ranges,
        Some(Ranges::One(range)) => vec![range],
    })
}

/// Components; other databases keep other things under the same name, which say nothing here.
fn components<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Component>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// A word; other databases keep other types under the same name, which say nothing here.
fn word<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(word) => Some(word),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_of_real_data_are_read() {
        let record: OsvRecord = serde_json::from_str(
            r#"{"id":"X","aliases":null,"affected":[{"ranges":[{"events":[{"introduced":"0"},{"fixed":"2"}]}],
                "ecosystem_specific":{"urgency":3,"severity":"HIGH","more":{}}},{"package":{"name":"a"}}],
                "unknown":[1,2]}"#,
        )
        .unwrap();
        assert_eq!(record.affected.len(), 2);
        assert_eq!(record.affected[0].ranges[0].events[1], Event::Fixed("2".into()));
        assert_eq!(record.affected[0].ecosystem_specific.urgency, None);
        assert_eq!(record.affected[0].ecosystem_specific.severity.as_deref(), Some("HIGH"));
    }

    #[test]
    fn a_single_range_needs_no_list() {
        let json = r#"{"id":"X","affected":[{"ranges":{"events":[{"introduced":"0"}]}},{"ranges":null}]}"#;
        let record: OsvRecord = serde_json::from_str(json).unwrap();
        assert_eq!(record.affected[0].ranges[0].events, [Event::Introduced("0".into())]);
        assert!(record.affected[1].ranges.is_empty());
        let broken = r#"{"id":"X","affected":[{"ranges":"many"}]}"#;
        assert!(serde_json::from_str::<OsvRecord>(broken).is_err());
    }

    #[test]
    fn a_record_without_an_id_is_none() {
        assert!(serde_json::from_str::<OsvRecord>(r#"{"modified":"2026-01-01T00:00:00Z"}"#).is_err());
    }
}
