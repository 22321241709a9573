//! How the images are found that an advisory may concern: by asking Clair's indexer, or in our own layer index.
//!
//! The indexer looks a distribution up by all of its members and a repository by name and address, as its own scanners
//! write them; the updaters write some of them otherwise, and reports are matched by fewer members. So a question is
//! written as the *scanners* write. For the ecosystems about which it does not answer the truth at all see
//! [`keys`](super::super::keys).

#[cfg(test)]
mod tests;

use cve_monitor_core::vocabulary::LayerKey;
use serde_json::{Value, json};

use super::super::keys;
use super::diff::Advisory;

/// What a question has no use for: the indexer compares packages and versions.
const NOT_ASKED: [&str; 8] =
    ["description", "id", "issued", "links", "name", "normalized_severity", "severity", "updater"];
/// The address of PyPI as the scanner of Python packages writes it; the updater's is another.
const PYPI: &str = "https://pypi.org/simple";

/// Where the images of an advisory are looked up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Lookup {
    /// In Clair's indexer.
    Ask(Question),
    /// In our own layer index, under the name of a package.
    Own {
        /// The ecosystem.
        ecosystem: String,
        /// The key of the package.
        key: LayerKey,
    },
    /// Nowhere: it is about no package, or about one of no known ecosystem.
    Unknown,
}

impl Lookup {
    /// Where those of this advisory are.
    pub(super) fn of(advisory: &Advisory) -> Self {
        match (ecosystem(advisory), advisory.of("package", "name")) {
            (None, _) | (_, "") => Self::Unknown,
            (Some(known), _) if keys::is_looked_up(known) => Self::Ask(Question::about(advisory, known)),
            (Some(own), package) => {
                Self::Own { ecosystem: own.to_owned(), key: keys::package_key(own, package) }
            }
        }
    }

    /// How much it takes to keep it.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Ask(question) => question.0.len(),
            Self::Own { ecosystem, key } => ecosystem.len() + key.0.len(),
            Self::Unknown => 0,
        }
    }
}

/// The ecosystem of an advisory, as [`keys`] name it for packages; none where none of these is known.
fn ecosystem(advisory: &Advisory) -> Option<&str> {
    let (key, name) = (advisory.of("repository", "key"), advisory.of("repository", "name"));
    match (key, name, advisory.of("distribution", "did")) {
        // Red Hat's: repositories are product names (CPE), which matchers compare as patterns.
        ("rhel-cpe-repository", ..) => Some("rhel"),
        ("rhcc-container-repository", ..) => Some("rhcc"),
        ("", "go" | "maven" | "npm" | "pypi" | "rubygems", _) => Some(name),
        ("", "", did) if !did.is_empty() => Some(did),
        _ => None,
    }
}

/// An advisory as the indexer understands it: the JSON of an object, without its `id`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Question(String);

impl Question {
    fn about(advisory: &Advisory, ecosystem: &str) -> Self {
        let mut asked = advisory.members().clone();
        for name in NOT_ASKED {
            asked.remove(name);
        }
        // Clair takes both for granted, and falls over what is missing.
        for name in ["distribution", "repository"] {
            if !asked.get(name).is_some_and(Value::is_object) {
                asked.insert(name.to_owned(), json!({}));
            }
        }
        let distribution = match ecosystem {
            "debian" => debian(advisory.of("distribution", "version")),
            "ubuntu" => ubuntu(advisory.of("distribution", "version")),
            "alpine" => alpine(advisory.of("distribution", "pretty_name")),
            // The updater and the scanner of Amazon Linux share one table of releases.
            _ => None,
        };
        if let Some(distribution) = distribution {
            asked.insert("distribution".to_owned(), distribution);
        }
        if ecosystem == "pypi" {
            asked.insert("repository".to_owned(), json!({"name": "pypi", "uri": PYPI}));
        }
        // Reports compare the version of the installed package, the indexer that of its source: they may differ, and an
        // image that only the report calls vulnerable must be named. So these are asked about any version.
        if matches!(ecosystem, "debian" | "ubuntu") {
            asked.insert("fixed_in_version".to_owned(), Value::from(""));
        }
        Self(Value::Object(asked).to_string())
    }

    /// About any version of the package: wider, and without a version that the indexer could fail to read.
    pub(super) fn of_any_version(&self) -> Self {
        match serde_json::from_str(&self.0) {
            Ok(Value::Object(mut asked)) => {
                asked.insert("fixed_in_version".to_owned(), Value::from(""));
                Self(Value::Object(asked).to_string())
            }
            _ => self.clone(),
        }
    }

    /// A question that the indexer looks up like any other, about what no image holds: where it is answered, it is not
    /// the indexer that is in trouble.
    pub(super) fn control() -> Self {
        const NOTHING: &str = "cve-monitor-control";
        let distribution = json!({
            "did": NOTHING, "name": NOTHING, "pretty_name": NOTHING, "version": NOTHING,
            "version_code_name": NOTHING, "version_id": NOTHING,
        });
        let package = json!({"name": NOTHING, "kind": "source"});
        let repository = json!({});
        let asked = json!({
            "package": package, "distribution": distribution, "repository": repository, "fixed_in_version": "",
        });
        Self(asked.to_string())
    }

    /// The body of a request that asks all of these.
    pub(super) fn request(questions: &[Self]) -> Vec<u8> {
        let mut body = String::from(r#"{"vulnerabilities":["#);
        for (number, question) in questions.iter().enumerate() {
            if number > 0 {
                body.push(',');
            }
            // The indexer keeps its answers by `id`. There are always other members: the package is one.
            body.push_str(&format!(r#"{{"id":"{number}",{}"#, question.0.strip_prefix('{').unwrap_or("}")));
        }
        body.push_str("]}");
        body.into_bytes()
    }
}

/// A release as the scanners write it: those of `os-release`, filled up.
fn release(did: &str, name: &str, pretty: &str, version: &str, id: &str, code: &str) -> Option<Value> {
    Some(json!({
        "did": did, "name": name, "pretty_name": pretty, "version": version, "version_id": id,
        "version_code_name": code, "arch": "", "cpe": "",
    }))
}

/// `12 (bookworm)`, split.
fn number_and_name(version: &str) -> Option<(&str, &str)> {
    let (number, name) = version.split_once(" (")?;
    Some((number, name.strip_suffix(')')?))
}

/// Reports are matched by `did`, `name` and `version` alone (claircore, debian/matcher.go, debian/releases.go).
fn debian(version: &str) -> Option<Value> {
    let (number, name) = number_and_name(version)?;
    let pretty = format!("Debian GNU/Linux {version}");
    release("debian", "Debian GNU/Linux", &pretty, version, number, name)
}

/// As Debian's (claircore, ubuntu/updaterset.go): `22.04 (Jammy)` is named `jammy`.
fn ubuntu(version: &str) -> Option<Value> {
    let (number, name) = number_and_name(version)?;
    release("ubuntu", "Ubuntu", &format!("Ubuntu {number}"), version, number, &name.to_lowercase())
}

/// Reports are matched by `did`, `name` and `pretty_name`; the scanner writes the number into `version`, the updater into
/// `version_id` (claircore, alpine/distributionscanner.go, alpine/release.go).
fn alpine(pretty: &str) -> Option<Value> {
    let number = pretty.strip_prefix("Alpine Linux ")?;
    release("alpine", "Alpine Linux", pretty, number.strip_prefix('v').unwrap_or(number), "", "")
}
