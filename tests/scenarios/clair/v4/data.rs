//! States of the advisories, as they are imported into Clair 4.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use xtask::clair::{ClairV4, offline};

use crate::root;

/// Clair takes no state in twice, by its fingerprint: every import of ours has another.
static IMPORTS: AtomicU32 = AtomicU32::new(0);

/// The date that stands in the file; Clair keeps the time of the import instead.
const DATE: &str = "2026-03-01T00:00:00Z";

/// A complete state of the updater for Debian.
#[derive(Debug, Clone)]
pub(super) struct State(Vec<Value>);

impl State {
    /// A state of the examples.
    pub(super) fn of(name: &str) -> Self {
        Self(offline::vulnerabilities(root(), name).unwrap())
    }

    /// The same, and one vulnerability of a source package of Debian 12 more; without a fix where `fixed` is empty.
    pub(super) fn with(&self, name: &str, package: &str, fixed: &str) -> Self {
        let model = self.0.iter().find(|line| line["distribution"]["version_id"] == "12").unwrap();
        let mut line = model.clone();
        line["name"] = json!(name);
        line["description"] = json!("written for this scenario");
        line["package"]["name"] = json!(package);
        line["fixed_in_version"] = json!(fixed);
        let mut all = self.0.clone();
        all.push(line);
        Self(all)
    }

    /// The same without one vulnerability.
    pub(super) fn without(&self, name: &str) -> Self {
        let rest: Vec<Value> = self.0.iter().filter(|line| line["name"] != name).cloned().collect();
        assert!(rest.len() < self.0.len(), "{name} is there to be removed");
        Self(rest)
    }

    /// The same with another description everywhere.
    pub(super) fn in_other_words(&self) -> Self {
        let mut all = self.0.clone();
        all.iter_mut().for_each(|line| line["description"] = json!("in other words"));
        Self(all)
    }

    /// Lets Clair have it.
    pub(super) fn import(&self, clair: &ClairV4, folder: &Path) {
        let fingerprint = format!("import {}", IMPORTS.fetch_add(1, Ordering::Relaxed));
        let file = folder.join("import.json");
        std::fs::write(&file, offline::text(&fingerprint, DATE, &self.0)).unwrap();
        clair.import(&file).unwrap();
    }
}
