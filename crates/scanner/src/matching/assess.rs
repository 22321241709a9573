//! Judges an image's inventory by a database: no layer is read, nothing else is asked.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::completeness::Completeness;
use super::evaluate::evaluate;
use super::finding::{Finding, Hit};
use crate::advisory::{Database, DatabaseError, RecordText, Rule};
use crate::{Distribution, ImageInventory, PackageInstance, PackageKind};

/// What is known about an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matched {
    /// What was found, sorted by location, package, architecture and name.
    pub findings: Vec<Finding>,
    /// How complete the look was.
    pub completeness: Completeness,
}

/// Judges an inventory by a database. The same two always give the same answer.
///
/// A package is matched by its source's name and version, in the ecosystem of the image's release. Records of
/// one CVE become one finding a package.
///
/// # Errors
///
/// [`DatabaseError`] where the database is damaged.
pub fn assess(inventory: &ImageInventory, database: &Database) -> Result<Matched, DatabaseError> {
    let completeness = Completeness::of(inventory, database);
    let mut findings = Vec::new();
    if let Some(distribution) = &inventory.distribution
        && let Some(ecosystem) = &distribution.ecosystem
    {
        let mut assessment = Assessment::new(database, distribution, ecosystem);
        let of_the_distribution = |package: &&PackageInstance| package.kind == PackageKind::Deb;
        for package in inventory.packages.iter().filter(of_the_distribution) {
            assessment.package(package, &mut findings)?;
        }
    }
    findings.sort_by(|left, right| {
        let key = |finding: &Finding| {
            (finding.location.clone(), finding.package.clone(), finding.arch.clone(), finding.name.clone())
        };
        key(left).cmp(&key(right))
    });
    Ok(Matched { findings, completeness })
}

/// Keeps what was looked up: the packages of one source share its rules.
struct Assessment<'a> {
    database: &'a Database,
    ecosystem: &'a str,
    namespace: String,
    rules: HashMap<&'a str, Vec<Rule>>,
    texts: HashMap<String, RecordText>,
}

impl<'a> Assessment<'a> {
    fn new(database: &'a Database, distribution: &Distribution, ecosystem: &'a str) -> Self {
        let namespace = distribution.namespace();
        Self { database, ecosystem, namespace, rules: HashMap::new(), texts: HashMap::new() }
    }

    fn package(
        &mut self,
        package: &'a PackageInstance,
        findings: &mut Vec<Finding>,
    ) -> Result<(), DatabaseError> {
        if !self.rules.contains_key(package.source.as_str()) {
            let rules = self.database.lookup(self.ecosystem, &package.source)?;
            self.rules.insert(&package.source, rules);
        }
        let mut by_name: BTreeMap<&str, Vec<Hit<'_>>> = BTreeMap::new();
        for rule in self.rules.get(package.source.as_str()).into_iter().flatten() {
            if let Some(fix) = evaluate(rule, &package.source_version) {
                let name = rule.single_cve().unwrap_or(&rule.record);
                by_name.entry(name).or_default().push((rule, fix));
            }
        }
        for (name, hits) in by_name {
            let mut texts = Vec::with_capacity(hits.len());
            for (rule, _) in &hits {
                if !self.texts.contains_key(&rule.record) {
                    self.texts.insert(rule.record.clone(), self.database.text(&rule.record)?);
                }
                texts.extend(self.texts.get(&rule.record).cloned());
            }
            findings.push(Finding::of(name, &hits, package, &self.namespace, &texts));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
