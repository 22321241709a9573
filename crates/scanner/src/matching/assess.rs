//! Judges an image's inventory by a database: no layer is read, nothing else is asked.

pub(super) mod group;
mod owners;
pub(super) mod wanted;

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use self::group::{Hit, group};
use self::owners::looked_after;
use self::wanted::{Wanted, wanted};
use super::completeness::Completeness;
use super::evaluate::evaluate;
use super::finding::{Finding, Subject};
use crate::advisory::{Database, DatabaseError, Ecosystem, RecordText, Rule, UNNAMED_MODULE};
use crate::{ImageInventory, PackageInstance, PackageKind};

/// What is known about an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matched {
    /// What was found, sorted by location, package, architecture and name.
    pub findings: Vec<Finding>,
    /// What was found in language packages that the distribution brought, whose advisories speak for them; in the
    /// same order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppressed: Vec<Suppressed>,
    /// How complete the look was.
    pub completeness: Completeness,
}

/// What would be a finding if the distribution did not look after the package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressed {
    /// What was found.
    pub finding: Finding,
    /// The distribution's package that brought it, such as `deb:python3-yaml`.
    pub owned_by: String,
}

/// Judges an inventory by a database. The same two always give the same answer.
///
/// Packages of the distribution are matched in the ecosystem of its release, by the names and versions that the
/// ecosystem speaks of; packages of languages in those of their languages. What is found in a language's package that
/// the distribution looks after is no finding. Records of one vulnerability become one finding a package.
///
/// # Errors
///
/// [`DatabaseError`] where the database is damaged.
pub fn assess(inventory: &ImageInventory, database: &Database) -> Result<Matched, DatabaseError> {
    let owners = looked_after(inventory, database)?;
    let mut matched = Matched {
        findings: Vec::new(),
        suppressed: Vec::new(),
        completeness: Completeness::of(inventory, Some(database), &owners),
    };
    let mut assessment = Assessment::new(inventory, database);
    for package in &inventory.packages {
        let findings = assessment.package(package)?;
        match package.owned_by.as_deref().filter(|owner| owners.contains(owner)) {
            None => matched.findings.extend(findings),
            Some(owner) => {
                let owned =
                    findings.into_iter().map(|finding| Suppressed { finding, owned_by: owner.to_owned() });
                matched.suppressed.extend(owned);
            }
        }
    }
    matched.findings.sort_by(|left, right| left.place().cmp(&right.place()));
    matched.suppressed.sort_by(|left, right| left.finding.place().cmp(&right.finding.place()));
    Ok(matched)
}

/// What is known about an inventory without any advisory: as [`assess`] with an empty database.
pub fn assess_without(inventory: &ImageInventory) -> Matched {
    let completeness = Completeness::of(inventory, None, &BTreeSet::new());
    Matched { findings: Vec::new(), suppressed: Vec::new(), completeness }
}

/// Keeps what was looked up: the packages of one source share its rules.
struct Assessment<'a> {
    database: &'a Database,
    distribution: Option<&'a str>,
    namespace: Option<String>,
    ecosystems: HashMap<PackageKind, Option<Rc<Ecosystem>>>,
    rules: HashMap<(PackageKind, String), Rc<[Rule]>>,
    texts: HashMap<String, RecordText>,
}

impl<'a> Assessment<'a> {
    fn new(inventory: &'a ImageInventory, database: &'a Database) -> Self {
        let distribution = inventory.distribution.as_ref();
        Self {
            database,
            distribution: distribution.and_then(|distribution| distribution.ecosystem.as_deref()),
            namespace: distribution.map(|distribution| distribution.namespace()),
            ecosystems: HashMap::new(),
            rules: HashMap::new(),
            texts: HashMap::new(),
        }
    }

    fn package(&mut self, package: &PackageInstance) -> Result<Vec<Finding>, DatabaseError> {
        let Some(ecosystem) = self.ecosystem(package.kind) else { return Ok(Vec::new()) };
        let wanted = wanted(package, &ecosystem);
        let mut rules = Vec::with_capacity(wanted.len());
        for Wanted { name, .. } in &wanted {
            rules.push(self.rules(&ecosystem, name)?);
        }
        let mut hits: Vec<Hit<'_>> = Vec::new();
        for (Wanted { version, order, .. }, rules) in wanted.iter().zip(&rules) {
            let in_module = rules.iter().filter(|rule| is_of_module(rule, package));
            hits.extend(in_module.filter_map(|rule| Some((rule, evaluate(rule, *order, version)?))));
        }
        let namespace = self.namespace.as_deref().filter(|_| ecosystem.is_system());
        let subject = Subject {
            package,
            ecosystem: &ecosystem,
            namespace: namespace.unwrap_or(&ecosystem.name).to_owned(),
            order: wanted.first().map_or_else(|| ecosystem.order(), |wanted| wanted.order),
        };
        let mut findings = Vec::new();
        for group in group(&hits, ecosystem.is_system()) {
            let mut texts = Vec::with_capacity(group.hits.len());
            for (rule, _) in &group.hits {
                texts.push(self.text(&rule.record)?);
            }
            let rated = self.database.rating(group.name)?;
            findings.push(Finding::of(&group, &subject, &texts, rated));
        }
        Ok(findings)
    }

    fn ecosystem(&mut self, kind: PackageKind) -> Option<Rc<Ecosystem>> {
        let distribution = self.distribution;
        let of_kind = || Ecosystem::of(kind, distribution).map(Rc::new);
        self.ecosystems.entry(kind).or_insert_with(of_kind).clone()
    }

    fn rules(&mut self, ecosystem: &Ecosystem, name: &str) -> Result<Rc<[Rule]>, DatabaseError> {
        let key = (ecosystem.kind(), name.to_owned());
        if let Some(rules) = self.rules.get(&key) {
            return Ok(Rc::clone(rules));
        }
        let rules: Rc<[Rule]> = self.database.lookup(&ecosystem.name, name)?.into();
        self.rules.insert(key, Rc::clone(&rules));
        Ok(rules)
    }

    fn text(&mut self, record: &str) -> Result<RecordText, DatabaseError> {
        if let Some(text) = self.texts.get(record) {
            return Ok(text.clone());
        }
        let text = self.database.text(record)?;
        self.texts.insert(record.to_owned(), text.clone());
        Ok(text)
    }
}

/// A module's package has its fixes in its own stream; all others have them outside modules. One whose release says
/// that it was built in a module, but not in which, may have them anywhere.
fn is_of_module(rule: &Rule, package: &PackageInstance) -> bool {
    match package.module.as_deref() {
        None if package.kind == PackageKind::Rpm && package.version.contains(".module") => true,
        None => rule.modules.is_empty(),
        Some(module) => rule.modules.iter().any(|of_rule| of_rule == module || of_rule == UNNAMED_MODULE),
    }
}

#[cfg(test)]
mod tests;
