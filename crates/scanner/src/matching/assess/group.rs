//! Which records speak of one vulnerability: by aliases, and by what they are a distribution's word on.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::advisory::{Rule, is_cve};
use crate::matching::Fix;

/// A rule that affects the package, and what it says about a fix.
pub(in crate::matching) type Hit<'a> = (&'a Rule, Fix);

/// One vulnerability, and all that says that a package has it.
#[derive(Debug)]
pub(in crate::matching) struct Group<'a> {
    /// The smallest CVE among its names; else the smallest GHSA; else the smallest record's id.
    pub(in crate::matching) name: &'a str,
    /// All its names, sorted, its own included.
    pub(in crate::matching) names: BTreeSet<&'a str>,
    /// The rules; never empty.
    pub(in crate::matching) hits: Vec<&'a Hit<'a>>,
}

/// Groups the hits of one package, sorted by name.
///
/// Aliases are symmetric and transitive (OSV schema, "aliases field"): whatever they connect is one vulnerability. A
/// record that is about several CVEs, as an erratum is, belongs to the group of each, and connects nothing.
pub(in crate::matching) fn group<'a>(hits: &'a [Hit<'a>], is_system: bool) -> Vec<Group<'a>> {
    let mut names = Names::default();
    let mut members: Vec<(usize, &Hit<'_>)> = Vec::new();
    for hit in hits {
        let rule = hit.0;
        let cves = cves(rule, is_system);
        if cves.len() > 1 {
            members.extend(cves.into_iter().map(|cve| (names.node(cve), hit)));
            continue;
        }
        let own = names.node(&rule.record);
        // What a record is a word on is one thing with it where it is a single thing.
        let upstream = if cves.len() == 1 || rule.upstream.len() == 1 { &rule.upstream[..] } else { &[] };
        for name in cves.into_iter().chain(rule.aliases.iter().chain(upstream).map(String::as_str)) {
            names.unite(own, name);
        }
        members.push((own, hit));
    }
    let mut groups: BTreeMap<usize, (BTreeSet<&str>, Vec<&Hit<'_>>)> = BTreeMap::new();
    for (node, hit) in members {
        groups.entry(names.root(node)).or_default().1.push(hit);
    }
    for (name, node) in &names.nodes {
        if let Some((names, _)) = groups.get_mut(&names.root(*node)) {
            names.insert(name);
        }
    }
    let mut groups: Vec<Group<'_>> = groups.into_values().map(|(names, hits)| named(names, hits)).collect();
    groups.sort_by_key(|group| group.name);
    groups
}

fn named<'a>(mut names: BTreeSet<&'a str>, hits: Vec<&'a Hit<'a>>) -> Group<'a> {
    let first = |is_wanted: fn(&str) -> bool| names.iter().copied().find(|name| is_wanted(name));
    let record = hits.iter().map(|hit| hit.0.record.as_str()).min().unwrap_or_default();
    let name = first(is_cve).or_else(|| first(|name| name.starts_with("GHSA-"))).unwrap_or(record);
    // Of several upstream records that are no CVEs nothing is known but that they belong here.
    names.extend(
        hits.iter()
            .filter(|hit| cves(hit.0, true).len() <= 1)
            .flat_map(|hit| &hit.0.upstream)
            .map(String::as_str),
    );
    Group { name, names, hits }
}

/// The CVEs that a record says it is about. Distributions list CVEs as aliases too, though they are several.
fn cves(rule: &Rule, is_system: bool) -> BTreeSet<&str> {
    let aliases = if is_system { &rule.aliases[..] } else { &[] };
    let names = std::iter::once(&rule.record).chain(&rule.upstream).chain(aliases);
    // `DEBIAN-CVE-2024-1` and `UBUNTU-CVE-2024-1` name theirs.
    names.filter_map(|name| name.find("CVE-").map(|at| &name[at..])).filter(|name| is_cve(name)).collect()
}

/// Sets of names that are one thing.
#[derive(Default)]
struct Names<'a> {
    nodes: HashMap<&'a str, usize>,
    parents: Vec<usize>,
}

impl<'a> Names<'a> {
    fn node(&mut self, name: &'a str) -> usize {
        let next = self.parents.len();
        let node = *self.nodes.entry(name).or_insert(next);
        if node == next {
            self.parents.push(next);
        }
        node
    }

    fn unite(&mut self, node: usize, name: &'a str) {
        let other = self.node(name);
        let (left, right) = (self.root(node), self.root(other));
        self.parents[left.max(right)] = left.min(right);
    }

    fn root(&self, mut node: usize) -> usize {
        while self.parents[node] != node {
            node = self.parents[node];
        }
        node
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(is_system: bool, records: &[&str]) -> Vec<(String, Vec<String>)> {
        let rules: Vec<Rule> = records.iter().map(|record| serde_json::from_str(record).unwrap()).collect();
        let hits: Vec<Hit<'_>> = rules.iter().map(|rule| (rule, Fix::None)).collect();
        let owned = |group: &Group<'_>| group.names.iter().map(|name| (*name).to_owned()).collect();
        group(&hits, is_system).iter().map(|group| (group.name.to_owned(), owned(group))).collect()
    }

    fn names(is_system: bool, records: &[&str]) -> Vec<String> {
        groups(is_system, records).into_iter().map(|(name, _)| name).collect()
    }

    const PYSEC: &str = r#"{"record":"PYSEC-2024-1","aliases":["GHSA-a"]}"#;
    const GHSA: &str = r#"{"record":"GHSA-a","aliases":["CVE-2024-1"]}"#;

    #[test]
    fn aliases_are_symmetric_and_transitive() {
        let found = groups(false, &[PYSEC, GHSA]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, "CVE-2024-1");
        assert_eq!(found[0].1, ["CVE-2024-1", "GHSA-a", "PYSEC-2024-1"]);
        assert_eq!(names(false, &[PYSEC]), ["GHSA-a"]);
        assert_eq!(names(false, &[r#"{"record":"GO-1","aliases":["EUVD-1"]}"#]), ["GO-1"]);
    }

    #[test]
    fn two_cves_that_are_aliases_are_one_vulnerability_of_a_language() {
        let both = r#"{"record":"GO-1","aliases":["CVE-2024-2","CVE-2024-1"]}"#;
        assert_eq!(names(false, &[both]), ["CVE-2024-1"]);
        assert_eq!(names(true, &[both]), ["CVE-2024-1", "CVE-2024-2"]);
    }

    #[test]
    fn an_erratum_belongs_to_each_of_its_cves_and_connects_none() {
        let erratum = r#"{"record":"DSA-1-1","upstream":["CVE-2024-1","CVE-2024-2"]}"#;
        let tracker = r#"{"record":"DEBIAN-CVE-2024-2","upstream":["CVE-2024-2"]}"#;
        let found = groups(true, &[erratum, tracker]);
        assert_eq!(found[0], ("CVE-2024-1".into(), vec!["CVE-2024-1".into()]));
        assert_eq!(found[1], ("CVE-2024-2".into(), vec!["CVE-2024-2".into(), "DEBIAN-CVE-2024-2".into()]));
    }

    #[test]
    fn one_cve_and_its_other_names_upstream_are_one() {
        let chainguard = r#"{"record":"CGA-1","upstream":["CVE-2024-1","GHSA-a"]}"#;
        assert_eq!(groups(true, &[chainguard])[0].1, ["CGA-1", "CVE-2024-1", "GHSA-a"]);
        let ubuntu = r#"{"record":"USN-1-1","upstream":["CVE-2024-1","UBUNTU-CVE-2024-1"]}"#;
        assert_eq!(names(true, &[ubuntu, chainguard]), ["CVE-2024-1"]);
    }

    #[test]
    fn several_upstream_records_without_a_cve_are_names_of_the_record_alone() {
        let of_several = r#"{"record":"CGA-1","upstream":["GHSA-a","GHSA-b"]}"#;
        let of_one = r#"{"record":"CGA-2","upstream":["GHSA-a"]}"#;
        let found = groups(true, &[of_several, of_one]);
        assert_eq!(found[0], ("CGA-1".into(), vec!["CGA-1".into(), "GHSA-a".into(), "GHSA-b".into()]));
        assert_eq!(found[1].0, "GHSA-a");
    }
}
