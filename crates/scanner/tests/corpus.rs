//! Real images and hostile ones, judged by an independent program's answers (`fixtures/expected.json`).

#[path = "corpus/expected.rs"]
mod expected;
#[path = "corpus/layout.rs"]
mod layout;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cve_monitor_scanner::advisory::{
    Database, ShrinkPolicy, Source, SourceLocation, changed_ecosystems, changed_packages, compile,
};
use cve_monitor_scanner::matching::{Completeness, Finding, Matched, Reason, assess};
use cve_monitor_scanner::{ImageInventory, LayerRecord, PackageKind, fold, sbom};

use crate::expected::{Expected, FindingRow};
use crate::layout::Layout;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The databases before and after the update.
struct Databases {
    base: Database,
    updated: Database,
    _folder: tempfile::TempDir,
}

impl Databases {
    fn compile() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = |name: &str| Source {
            name: name.to_owned(),
            location: SourceLocation::Zip(fixtures().join(format!("osv-{name}.zip"))),
            only: None,
        };
        let policy = ShrinkPolicy::default();
        let base = compile(&[source("base")], None, folder.path(), &policy).unwrap();
        let base = Database::open(base.path).unwrap();
        let sources = [source("base"), source("update")];
        let updated = compile(&sources, Some(&base), folder.path(), &policy).unwrap();
        Self { base, updated: Database::open(updated.path).unwrap(), _folder: folder }
    }
}

fn image(layout: &Layout, manifest: &str) -> (ImageInventory, Vec<LayerRecord>) {
    let records = layout.records(manifest);
    (fold(&records.iter().collect::<Vec<_>>()), records)
}

/// A row for each record of each finding: the independent program does not merge records of one CVE.
fn rows<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> BTreeSet<FindingRow> {
    let row = |finding: &Finding, record: &String| FindingRow {
        record: record.clone(),
        package: finding.package.clone(),
        version: finding.version.clone(),
        arch: finding.arch.clone(),
        location: finding.location.clone(),
        layer: finding.layer,
    };
    let rows_of = |finding: &'a Finding| finding.records.iter().map(move |record| row(finding, record));
    findings.into_iter().flat_map(rows_of).collect()
}

fn compare(what: &str, found: &BTreeSet<FindingRow>, expected: &BTreeSet<FindingRow>) {
    let missed: Vec<_> = expected.difference(found).collect();
    let extra: Vec<_> = found.difference(expected).collect();
    println!("{what}: {} found, {} missed, {} extra", found.len(), missed.len(), extra.len());
    assert!(missed.is_empty() && extra.is_empty(), "{what}\nmissed: {missed:#?}\nextra: {extra:#?}");
}

#[test]
fn every_image_has_the_packages_and_distribution_that_it_should() {
    let layout = Layout::open(&fixtures().join("oci"));
    for (name, expected) in Expected::load(&fixtures()) {
        let (inventory, _) = image(&layout, &expected.manifest);
        let found: BTreeSet<_> = inventory.packages.iter().map(expected::package_row).collect();
        let missed: Vec<_> = expected.packages.difference(&found).collect();
        let extra: Vec<_> = found.difference(&expected.packages).collect();
        assert!(missed.is_empty() && extra.is_empty(), "{name}\nmissed: {missed:#?}\nextra: {extra:#?}");
        println!("{name}: {} packages", found.len());
        let distribution = inventory.distribution.as_ref().unwrap();
        assert_eq!(distribution.ecosystem.as_deref(), Some(expected.distribution.as_str()), "{name}");
        let unread: BTreeSet<_> = inventory.unread.keys().map(|kind| kind.as_str().to_owned()).collect();
        assert_eq!(unread, expected.unread, "{name}: {:?}", inventory.unread);
        assert!(inventory.problems.is_empty(), "{name}: {:?}", inventory.problems);
    }
}

#[test]
fn every_image_has_the_findings_that_it_should_before_and_after_an_update() {
    let databases = Databases::compile();
    let layout = Layout::open(&fixtures().join("oci"));
    for (name, expected) in Expected::load(&fixtures()) {
        let (inventory, _) = image(&layout, &expected.manifest);
        let before = assess(&inventory, &databases.base).unwrap();
        let after = assess(&inventory, &databases.updated).unwrap();
        compare(&format!("{name} before"), &rows(&before.findings), &expected.base);
        compare(&format!("{name} after"), &rows(&after.findings), &expected.updated);
        let suppressed = after.suppressed.iter().flat_map(|suppressed| {
            let reason = format!("owned by {}", suppressed.owned_by);
            rows([&suppressed.finding]).into_iter().map(move |row| (row, reason.clone()))
        });
        assert_eq!(suppressed.collect::<BTreeSet<_>>(), expected.suppressed, "{name}");
        // The change is told without a layer: by records as the independent program counts them.
        let keys = |rows: &BTreeSet<FindingRow>| rows.iter().map(FindingRow::key).collect::<BTreeSet<_>>();
        let (before, after) = (keys(&rows(&before.findings)), keys(&rows(&after.findings)));
        assert_eq!(after.difference(&before).cloned().collect::<BTreeSet<_>>(), expected.new, "{name}");
        assert_eq!(before.difference(&after).cloned().collect::<BTreeSet<_>>(), expected.resolved, "{name}");
    }
}

#[test]
fn fixed_versions_are_those_of_the_records() {
    let databases = Databases::compile();
    let layout = Layout::open(&fixtures().join("oci"));
    for (name, expected) in Expected::load(&fixtures()) {
        let (inventory, _) = image(&layout, &expected.manifest);
        for finding in assess(&inventory, &databases.updated).unwrap().findings {
            let [record] = &finding.records[..] else { continue };
            let fixes = &expected.fixes[&(record.clone(), finding.package.clone(), finding.arch.clone())];
            match &finding.fixed_by {
                Some(fix) => assert!(fixes.contains(fix), "{name}: {finding:?} against {fixes:?}"),
                None => assert!(fixes.is_empty(), "{name}: {finding:?} against {fixes:?}"),
            }
        }
    }
}

#[test]
fn a_look_is_partial_for_what_is_not_read_and_what_no_advisory_speaks_of() {
    let databases = Databases::compile();
    let layout = Layout::open(&fixtures().join("oci"));
    for (name, expected) in Expected::load(&fixtures()) {
        let (inventory, _) = image(&layout, &expected.manifest);
        let completeness = assess(&inventory, &databases.base).unwrap().completeness;
        println!("{name}: {completeness:?}");
        let without_advisories = |ecosystem: &str| {
            let reason = Reason::NoAdvisoriesForEcosystem { ecosystem: ecosystem.to_owned() };
            completeness.reasons().contains(&reason)
        };
        match name.split(['-', '@']).next().unwrap() {
            // The advisories go on after the release's support has ended.
            "alpine319" => {
                let ecosystem = expected.distribution.clone();
                let ended = Reason::EndOfLifeDistribution { ecosystem, ended: "2025-11-01".to_owned() };
                assert_eq!(completeness, Completeness::Partial { reasons: vec![ended] });
            }
            // Four jars have nothing that names their group, and nothing speaks of Java or .NET.
            "distroless12" => {
                assert!(matches!(completeness, Completeness::Partial { .. }), "{name}: {completeness:?}");
                assert!(without_advisories("Maven") && without_advisories("NuGet"), "{completeness:?}");
                let jars = completeness.reasons().iter().find_map(|reason| match reason {
                    Reason::UnreadKind { kind: PackageKind::Maven, count, .. } => Some(*count),
                    _ => None,
                });
                assert_eq!(jars, Some(4));
            }
            _ => assert_eq!(completeness, Completeness::Complete, "{name}"),
        }
    }
}

#[test]
fn the_change_feed_names_every_image_whose_findings_changed() {
    let databases = Databases::compile();
    let mut changed = BTreeSet::new();
    let mut after = None;
    loop {
        let page = changed_packages(&databases.base, &databases.updated, after.as_ref(), 7).unwrap();
        let is_last = page.len() < 7;
        after = page.last().cloned().or(after);
        changed.extend(page);
        if is_last {
            break;
        }
    }
    let whole = changed_packages(&databases.base, &databases.updated, None, 1_000_000).unwrap();
    assert_eq!(changed.iter().cloned().collect::<Vec<_>>(), whole, "pages make up the whole");
    // Between March and October 2026 lies the end of its support.
    assert_eq!(changed_ecosystems(&databases.base, &databases.updated), ["Debian:11"]);
    let layout = Layout::open(&fixtures().join("oci"));
    for (name, expected) in Expected::load(&fixtures()) {
        let (_, records) = image(&layout, &expected.manifest);
        let keys: BTreeSet<_> = records.iter().flat_map(LayerRecord::posting_keys).collect();
        let is_candidate = !keys.is_disjoint(&changed);
        let is_affected = !expected.new.is_empty() || !expected.resolved.is_empty();
        assert!(is_candidate || !is_affected, "{name} changed, but no key of it did");
    }
}

#[test]
fn one_image_in_several_compressions_is_one_inventory() {
    let layout = Layout::open(&fixtures().join("oci"));
    let expected = Expected::load(&fixtures());
    for (left, right) in [("deb12-python", "deb12-python-zstd"), ("deb11-node", "deb11-node-mixed")] {
        let (left, left_records) = image(&layout, &expected[left].manifest);
        let (right, right_records) = image(&layout, &expected[right].manifest);
        assert_eq!(left, right);
        let diff_ids = |records: &[LayerRecord]| -> Vec<_> {
            records.iter().map(|record| record.diff_id.clone().unwrap()).collect()
        };
        assert_eq!(diff_ids(&left_records), diff_ids(&right_records));
    }
}

#[test]
fn what_our_own_sboms_say_is_judged_as_the_layers_are() {
    let databases = Databases::compile();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/images");
    let mut found = 0;
    for layout in [fixtures().join("oci"), examples].map(|folder| Layout::open(&folder)) {
        for (name, manifest) in layout.manifests() {
            let (of_layers, _) = image(&layout, &manifest);
            let judged = assess(&of_layers, &databases.updated).unwrap();
            found += judged.findings.len();
            let subject = sbom::Subject {
                image: &name,
                digest: Some(&manifest),
                layers: &[],
                created: "2026-03-01T12:00:00Z",
                tool_version: "1",
            };
            let documents = [sbom::cyclonedx(&of_layers, &subject), sbom::spdx(&of_layers, &subject)];
            for document in documents {
                let of_sbom = sbom::read_sbom(document.unwrap().as_bytes(), &manifest, &manifest).unwrap();
                let again = assess(&of_sbom, &databases.updated).unwrap();
                // A jar without a group has no package URL that names it.
                let mut keys = of_layers.posting_keys();
                keys.retain(|key| key.kind != PackageKind::Maven || key.name.contains(':'));
                assert_eq!(keys, of_sbom.posting_keys(), "{name}");
                // An SBOM does not prove in which layer a package lies.
                let without_layer = |finding: &Finding| Finding { layer: 0, ..finding.clone() };
                let findings = |of: &Matched| of.findings.iter().map(without_layer).collect::<Vec<_>>();
                assert_eq!(findings(&again), findings(&judged), "{name}");
                let owners = |of: &Matched| -> BTreeSet<_> {
                    of.suppressed
                        .iter()
                        .map(|each| (each.finding.name.clone(), each.owned_by.clone()))
                        .collect()
                };
                assert_eq!(owners(&again), owners(&judged), "{name}");
                // What is not complete is not in the SBOM either, which then says so in its own words.
                let is_complete = |of: &Matched| of.completeness == Completeness::Complete;
                assert_eq!(is_complete(&again), is_complete(&judged), "{name}: {:?}", again.completeness);
            }
        }
    }
    assert!(found > 0);
}

#[test]
fn diff_ids_are_those_of_the_configuration() {
    let layout = Layout::open(&fixtures().join("oci"));
    for (name, expected) in Expected::load(&fixtures()) {
        let (_, records) = image(&layout, &expected.manifest);
        let found: Vec<_> = records.into_iter().map(|record| record.diff_id.unwrap()).collect();
        assert_eq!(found, layout.diff_ids(&expected.manifest), "{name}");
    }
}

#[test]
fn hostile_archives_end_as_they_should() {
    let databases = Databases::compile();
    let layout = Layout::open(&fixtures().join("hostile"));
    let json = std::fs::read_to_string(fixtures().join("hostile/expected.json")).unwrap();
    let cases: serde_json::Value = serde_json::from_str(&json).unwrap();
    let mut tried = 0;
    for (name, case) in cases.as_object().unwrap() {
        let records = layout.records(&layout.manifest(name));
        let inventory = fold(&records.iter().collect::<Vec<_>>());
        let matched = assess(&inventory, &databases.base).unwrap();
        println!("{name}: {:?}", matched.completeness);
        tried += 1;
        let Some(packages) = case["packages"].as_array() else {
            assert_ne!(matched.completeness, Completeness::Complete, "{name}");
            continue;
        };
        let packages: BTreeSet<_> =
            packages.iter().map(|row| (text(&row[0]), text(&row[1]), text(&row[2]))).collect();
        let found: BTreeSet<_> = inventory
            .packages
            .iter()
            .map(|package| (package.kind.as_str().to_owned(), package.name.clone(), package.version.clone()))
            .collect();
        assert_eq!(found, packages, "{name}");
        if packages.is_empty() {
            assert!(matches!(matched.completeness, Completeness::Unsupported { .. }), "{name}");
        }
    }
    assert_eq!(tried, 16);
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().unwrap().to_owned()
}
