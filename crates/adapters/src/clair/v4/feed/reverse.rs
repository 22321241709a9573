//! How the images are found that an advisory may concern: by asking Clair's indexer, or in our own layer index.
//!
//! The indexer looks a distribution up by all of its members and a repository by name and address, as its own scanners
//! write them; the updaters write some of them otherwise, and reports are matched by fewer members. So a question is
//! written as the *scanners* write. For the ecosystems about which it does not answer the truth at all see
//! [`keys`](super::super::keys).

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

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(advisory: &Value) -> Lookup {
        Lookup::of(&Advisory::read(advisory.to_string().as_bytes()).unwrap())
    }

    fn ask(advisory: &Value) -> Value {
        match lookup(advisory) {
            Lookup::Ask(question) => serde_json::from_str(&question.0).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    fn of(did: &str, version: &str, pretty: &str) -> Value {
        let distribution = json!({"did": did, "version": version, "pretty_name": pretty});
        json!({"package": {"name": "openssl"}, "distribution": distribution, "repository": {"cpe": ""}})
    }

    #[test]
    fn a_release_is_written_as_the_scanners_write_it() {
        let debian = ask(&of("debian", "12 (bookworm)", ""));
        assert_eq!(
            debian["distribution"],
            json!({
                "did": "debian", "name": "Debian GNU/Linux", "version": "12 (bookworm)", "version_id": "12",
                "version_code_name": "bookworm", "pretty_name": "Debian GNU/Linux 12 (bookworm)",
                "arch": "", "cpe": ""
            })
        );
        let ubuntu = ask(&of("ubuntu", "22.04 (Jammy)", ""));
        assert_eq!(ubuntu["distribution"]["version_code_name"], "jammy");
        assert_eq!(ubuntu["distribution"]["pretty_name"], "Ubuntu 22.04");
        for (pretty, version) in [("Alpine Linux v3.20", "3.20"), ("Alpine Linux edge", "edge")] {
            let alpine = ask(&of("alpine", "", pretty));
            assert_eq!(alpine["distribution"]["version"], version);
            assert_eq!(alpine["distribution"]["version_id"], "");
        }
    }

    #[test]
    fn packages_that_are_built_from_a_source_of_another_version_are_asked_about_in_any_version() {
        for (did, version, asked) in
            [("debian", "12 (bookworm)", ""), ("ubuntu", "22.04 (Jammy)", ""), ("amzn", "2023", "1.2-3")]
        {
            let mut advisory = of(did, version, "");
            advisory["fixed_in_version"] = json!("1.2-3");
            assert_eq!(ask(&advisory)["fixed_in_version"], asked, "{did}");
        }
    }

    #[test]
    fn what_cannot_be_rewritten_is_asked_as_it_is() {
        for (did, version) in [("debian", "sid"), ("ubuntu", ""), ("alpine", ""), ("amzn", "2023")] {
            let advisory = of(did, version, "");
            assert_eq!(ask(&advisory)["distribution"], advisory["distribution"], "{did}");
        }
    }

    #[test]
    fn what_the_indexer_does_not_answer_the_truth_about_is_looked_up_by_its_package() {
        let own = |ecosystem: &str| Lookup::Own {
            ecosystem: ecosystem.to_owned(),
            key: LayerKey(format!("package:{ecosystem}:openssl")),
        };
        for did in ["ol", "sles", "photon", "rhel", "something-new"] {
            assert_eq!(lookup(&of(did, "8", "")), own(did));
        }
        for name in ["go", "npm", "maven", "rubygems"] {
            let mut advisory = of("", "", "");
            advisory["repository"] = json!({"name": name, "uri": "https://example.test/"});
            assert_eq!(lookup(&advisory), own(name));
        }
        for (key, ecosystem) in [("rhel-cpe-repository", "rhel"), ("rhcc-container-repository", "rhcc")] {
            let mut red_hat = of("", "", "");
            red_hat["repository"] = json!({"name": "cpe:2.3:o:redhat", "key": key});
            assert_eq!(lookup(&red_hat), own(ecosystem));
        }
    }

    #[test]
    fn an_advisory_about_no_package_or_of_no_ecosystem_is_looked_up_nowhere() {
        assert_eq!(lookup(&of("", "", "")), Lookup::Unknown);
        let mut new = of("debian", "12 (bookworm)", "");
        new["repository"] = json!({"name": "a-new-one"});
        assert_eq!(lookup(&new), Lookup::Unknown);
        for package in [Value::Null, json!({}), json!({"name": ""})] {
            let mut nameless = of("debian", "12 (bookworm)", "");
            nameless["package"] = package;
            assert_eq!(lookup(&nameless), Lookup::Unknown);
        }
    }

    #[test]
    fn texts_are_not_asked_and_members_that_clair_takes_for_granted_are_there() {
        let advisory = json!({
            "id": "1", "updater": "u", "name": "CVE", "description": "d", "links": "l", "issued": "i",
            "severity": "s", "normalized_severity": "High", "package": {"name": "flask", "kind": "binary"},
            "repository": {"name": "pypi", "uri": "https://pypi.org/"}, "fixed_in_version": "fixed=1", "range": {},
        });
        assert_eq!(
            ask(&advisory),
            json!({
                "package": {"name": "flask", "kind": "binary"}, "distribution": {}, "range": {},
                "repository": {"name": "pypi", "uri": PYPI}, "fixed_in_version": "fixed=1",
            })
        );
    }

    #[test]
    fn questions_stand_in_one_request_each_under_its_own_id() {
        let Lookup::Ask(question) = lookup(&of("debian", "12 (bookworm)", "")) else { panic!("no question") };
        let request = Question::request(&[question.clone(), question.of_any_version(), Question::control()]);
        let request: Value = serde_json::from_slice(&request).unwrap();
        let ids: Vec<_> = request["vulnerabilities"].as_array().unwrap().iter().map(|v| &v["id"]).collect();
        assert_eq!(ids, ["0", "1", "2"]);
        assert_eq!(request["vulnerabilities"][1]["fixed_in_version"], "");
        assert_eq!(
            serde_json::from_slice::<Value>(&Question::request(&[])).unwrap()["vulnerabilities"],
            json!([])
        );
    }
}
