//! The advisories of the examples in the offline format of Clair 4, as `clairctl import-updaters` reads it: one JSON
//! object on each line, one line for each package that a vulnerability affects in one release.
//!
//! The lines say what Clair's own updater for Debian would say: Debian's urgency as the severity, and source packages.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

/// The updater that the lines are from; Clair finds nothing in vulnerabilities whose updater has another name.
pub const UPDATER: &str = "debian/updater";

/// The states of the advisory source that the examples have, with their dates. Clair keeps a date of its own.
const STATES: [(&str, &str); 2] = [("first", "2026-02-01T00:00:00Z"), ("second", "2026-03-01T00:00:00Z")];

/// The releases that have advisories.
const RELEASES: [(&str, &str); 3] = [("11", "bullseye"), ("12", "bookworm"), ("13", "trixie")];

/// What is read of an advisory in OSV form.
#[derive(Deserialize)]
struct Advisory {
    upstream: Vec<String>,
    summary: String,
    affected: Vec<Affected>,
    withdrawn: Option<String>,
}

#[derive(Deserialize)]
struct Affected {
    package: Package,
    ranges: Vec<Range>,
    ecosystem_specific: Specific,
}

#[derive(Deserialize)]
struct Package {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct Range {
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    fixed: Option<String>,
}

#[derive(Deserialize)]
struct Specific {
    urgency: String,
}

/// The file of a state.
#[must_use]
pub fn file(root: &Path, state: &str) -> PathBuf {
    root.join("examples/clair").join(format!("{state}.json"))
}

/// Writes the files of both states.
pub(crate) fn write(root: &Path) -> Result<(), String> {
    for (state, date) in STATES {
        let file = file(root, state);
        let text = text(state, date, &vulnerabilities(root, state)?);
        std::fs::write(&file, text)
            .map_err(|error| format!("{} cannot be written: {error}", file.display()))?;
    }
    Ok(())
}

/// A file of vulnerabilities: a complete state of the updater. Clair takes no state in twice, by its fingerprint.
#[must_use]
pub fn text(fingerprint: &str, date: &str, vulnerabilities: &[Value]) -> String {
    let line = |vulnerability: &Value| {
        let line = json!({
            "Updater": UPDATER,
            "Fingerprint": fingerprint,
            "Date": date,
            // Only to tell one state from the next in a file: Clair gives a reference of its own.
            "Ref": "00000000-0000-4000-8000-000000000001",
            "Kind": "vulnerability",
            "Vuln": vulnerability,
        });
        format!("{line}\n")
    };
    vulnerabilities.iter().map(line).collect()
}

/// The vulnerabilities of a state of the examples, as they stand in the lines.
///
/// # Errors
/// The advisories cannot be read.
pub fn vulnerabilities(root: &Path, state: &str) -> Result<Vec<Value>, String> {
    let folder = root.join("examples/advisories").join(state);
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    files.sort();
    let mut lines = Vec::new();
    for file in files {
        let failed = |problem: String| format!("{}: {problem}", file.display());
        let text = std::fs::read_to_string(&file).map_err(|error| failed(error.to_string()))?;
        let advisory: Advisory = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
        lines.extend(advisory.lines().map_err(failed)?);
    }
    Ok(lines)
}

impl Advisory {
    fn lines(&self) -> Result<Vec<Value>, String> {
        let name = self.upstream.first().ok_or("it names no CVE")?;
        let affected = self.affected.iter().filter(|_| self.withdrawn.is_none());
        affected.map(|affected| self.line(name, affected)).collect()
    }

    fn line(&self, name: &str, affected: &Affected) -> Result<Value, String> {
        let ecosystem = &affected.package.ecosystem;
        let release = RELEASES.iter().find(|(number, _)| ecosystem.strip_prefix("Debian:") == Some(number));
        let (number, code_name) = release.ok_or_else(|| format!("`{ecosystem}` is no known release"))?;
        let fixed =
            affected.ranges.iter().flat_map(|range| &range.events).find_map(|event| event.fixed.as_deref());
        let urgency = &affected.ecosystem_specific.urgency;
        Ok(json!({
            "updater": UPDATER,
            "name": name,
            "description": self.summary,
            "links": format!("https://security-tracker.debian.org/tracker/{name}"),
            "severity": urgency,
            "normalized_severity": normalized(urgency),
            "package": {"name": affected.package.name, "kind": "source"},
            "distribution": {
                "did": "debian",
                "name": "Debian GNU/Linux",
                "version": format!("{number} ({code_name})"),
                "version_code_name": code_name,
                "version_id": number,
                "pretty_name": format!("Debian GNU/Linux {number} ({code_name})"),
            },
            // Empty where there is no fix.
            "fixed_in_version": fixed.unwrap_or_default(),
        }))
    }
}

/// What Clair makes of Debian's urgency (claircore, `debian/severity.go`).
fn normalized(urgency: &str) -> &'static str {
    match urgency {
        "unimportant" => "Low",
        "low" => "Medium",
        "medium" => "High",
        "high" => "Critical",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_files_are_those_that_would_be_written() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (state, date) in STATES {
            let lines = vulnerabilities(&root, state).unwrap_or_else(|problem| panic!("{problem}"));
            let committed = std::fs::read_to_string(file(&root, state)).unwrap_or_default();
            assert!(committed == text(state, date, &lines), "{state}: run `cargo xtask dev clair-data`");
        }
    }
}
