//! Small images against small databases.

use std::collections::BTreeMap;
use std::fs;

use super::*;
use crate::advisory::{ShrinkPolicy, Source, SourceLocation, compile};
use crate::matching::{FixStatus, Reason, Severity, SeveritySource};
use crate::{Distribution, LayerProblem, Unread};

/// A database of records given as JSON.
fn database(records: &[&str]) -> (Database, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    fs::create_dir(&source).unwrap();
    for (n, record) in records.iter().enumerate() {
        fs::write(source.join(format!("{n}.json")), record).unwrap();
    }
    let source = Source { name: "own".into(), location: SourceLocation::Folder(source), only: None };
    let compiled = compile(&[source], None, folder.path(), &ShrinkPolicy::default()).unwrap();
    (Database::open(compiled.path).unwrap(), folder)
}

/// A record about util-linux; `more` are further fields of the record, `entry` of what is affected.
fn record(id: &str, ecosystem: &str, events: &str, more: &str, entry: &str) -> String {
    format!(
        r#"{{"id":"{id}",{more}"affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"util-linux"}},{entry}
        "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}}{events}]}}]}}]}}"#
    )
}

fn fixed(version: &str) -> String {
    format!(r#",{{"fixed":"{version}"}}"#)
}

fn image(os_release: &str) -> ImageInventory {
    ImageInventory {
        distribution: Distribution::parse(os_release),
        packages: vec![PackageInstance {
            kind: PackageKind::Deb,
            name: "bsdutils".into(),
            version: "1:2.38.1-5".into(),
            arch: "amd64".into(),
            source: "util-linux".into(),
            source_version: "2.38.1-5".into(),
            location: "var/lib/dpkg/status".into(),
            layer: 0,
            module: None,
            owned_by: None,
        }],
        unread: BTreeMap::new(),
        problems: Vec::new(),
        looked_at: vec![PackageKind::Deb],
        has_package_database: true,
        sbom: None,
    }
}

const DEBIAN_12: &str = "ID=debian\nVERSION_ID=\"12\"\n";

fn findings(records: &[&str]) -> Vec<Finding> {
    let (database, _folder) = database(records);
    assess(&image(DEBIAN_12), &database).unwrap().findings
}

#[test]
fn the_sources_version_decides_not_the_binarys() {
    let below = record("A", "Debian:12", &fixed("2.38.1-4"), "", "");
    let above = record("B", "Debian:12", &fixed("2.38.1-6"), "", "");
    let found = findings(&[&below, &above]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].records, ["B"]);
    assert_eq!(found[0].fixed_by.as_deref(), Some("2.38.1-6"));
    assert_eq!((found[0].package.as_str(), found[0].namespace.as_str()), ("bsdutils", "debian:12"));
}

#[test]
fn other_releases_and_records_without_a_release_do_not_apply() {
    for ecosystem in ["Debian:11", "Debian", "Ubuntu:22.04:LTS", "PyPI"] {
        let own = record("OWN", "Debian:12", &fixed("1"), "", "");
        assert_eq!(findings(&[&own, &record("X", ecosystem, "", "", "")]), [], "{ecosystem}");
    }
}

#[test]
fn records_of_one_cve_are_one_finding() {
    let tracker = record(
        "DEBIAN-CVE-2026-1",
        "Debian:12",
        "",
        r#""upstream":["CVE-2026-1"],"#,
        r#""ecosystem_specific":{"urgency":"not yet assigned"},"#,
    );
    let vector = r#""severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"#;
    let advisory = record(
        "DSA-1-1",
        "Debian:12",
        &fixed("2.38.1-9"),
        &format!(r#""aliases":["CVE-2026-1","EUVD-1"],"summary":"It leaks.",{vector}"#),
        "",
    );
    let several = record("DSA-2-1", "Debian:12", "", r#""upstream":["CVE-2026-2","CVE-2026-3"],"#, "");
    let found = findings(&[&tracker, &advisory, &several]);
    let names: Vec<_> = found.iter().map(|finding| finding.name.as_str()).collect();
    assert_eq!(names, ["CVE-2026-1", "CVE-2026-2", "CVE-2026-3"]);
    let merged = &found[0];
    assert_eq!(merged.records, ["DEBIAN-CVE-2026-1", "DSA-1-1"]);
    assert_eq!(merged.aliases, ["EUVD-1"]);
    assert_eq!((merged.status, merged.fixed_by.as_deref()), (FixStatus::FixAvailable, Some("2.38.1-9")));
    assert_eq!((merged.severity, merged.severity_source), (Severity::Critical, SeveritySource::CvssV3));
    assert_eq!((merged.description.as_str(), merged.cvss.len()), ("It leaks.", 1));
    assert_eq!((&found[1].records[..], found[1].aliases.len()), (&["DSA-2-1".to_owned()][..], 0));
}

#[test]
fn the_status_says_what_there_is_to_do() {
    let status = |events: &str, urgency: &str| {
        let entry = format!(r#""ecosystem_specific":{{"urgency":"{urgency}"}},"#);
        findings(&[&record("A", "Debian:12", events, "", &entry)])[0].status
    };
    assert_eq!(status(&fixed("9"), "end-of-life"), FixStatus::FixAvailable);
    assert_eq!(status("", "low"), FixStatus::NoFix);
    assert_eq!(status("", "end-of-life"), FixStatus::EndOfLife);
    assert_eq!(status(r#",{"last_affected":"9"}"#, "low"), FixStatus::Undetermined);
    let component = |word: &str| {
        let components = format!(r#"[{{"component_name":"stdlib","latest_event_status":"{word}"}}]"#);
        let entry = format!(r#""ecosystem_specific":{{"components":{components}}},"#);
        findings(&[&record("A", "Debian:12", "", "", &entry)])[0].status
    };
    assert_eq!(component("fix-not-planned"), FixStatus::WontFix);
    assert_eq!(component("pending-upstream-fix"), FixStatus::NoFix);
}

#[test]
fn the_look_is_complete_only_where_nothing_stands_against_it() {
    let (database, _folder) = database(&[&record("A", "Debian:12", &fixed("1"), "", "")]);
    let completeness = |inventory: &ImageInventory| assess(inventory, &database).unwrap().completeness;
    let whole = image(DEBIAN_12);
    assert_eq!(completeness(&whole), Completeness::Complete);

    let mut jars = whole.clone();
    jars.unread.insert(PackageKind::Maven, Unread { count: 2, example: "a.jar".into() });
    jars.problems.push((1, LayerProblem::Encrypted));
    let Completeness::Partial { reasons } = completeness(&jars) else { panic!() };
    assert_eq!(reasons.iter().map(Reason::code).collect::<Vec<_>>(), ["unread_kind", "layer_problem"]);

    let unsupported = |inventory: &ImageInventory| match completeness(inventory) {
        Completeness::Unsupported { reasons } => reasons[0].code(),
        other => panic!("{other:?}"),
    };
    assert_eq!(unsupported(&image("ID=debian\nVERSION_ID=\"11\"\n")), "no_advisories_for_distribution");
    assert_eq!(unsupported(&image("ID=kali\nVERSION_ID=\"1\"\n")), "unknown_distribution");
    assert_eq!(unsupported(&image("")), "unknown_distribution");
    assert_eq!(unsupported(&ImageInventory { packages: vec![], ..whole.clone() }), "empty_package_database");
    let none = ImageInventory { has_package_database: false, packages: vec![], ..whole };
    assert_eq!(unsupported(&none), "no_package_database");
}

#[test]
fn ubuntu_is_matched_by_its_release_and_without_pro() {
    let ubuntu = image("ID=ubuntu\nVERSION_ID=\"22.04\"\n");
    let own = record(
        "UBUNTU-CVE-2026-1",
        "Ubuntu:22.04:LTS",
        &fixed("2.38.1-5ubuntu1"),
        r#""severity":[{"type":"Ubuntu","score":"medium"}],"#,
        "",
    );
    let pro = record("USN-1-1", "Ubuntu:Pro:22.04:LTS", &fixed("99"), "", "");
    let (database, _folder) = database(&[&own, &pro]);
    let matched = assess(&ubuntu, &database).unwrap();
    assert_eq!(matched.completeness, Completeness::Complete);
    let [finding] = &matched.findings[..] else { panic!("{:?}", matched.findings) };
    assert_eq!((finding.name.as_str(), finding.namespace.as_str()), ("CVE-2026-1", "ubuntu:22.04"));
    assert_eq!(
        (finding.severity, finding.severity_source),
        (Severity::Medium, SeveritySource::UbuntuPriority)
    );
}

/// A package of its own, of any kind.
fn package(kind: PackageKind, name: &str, version: &str) -> PackageInstance {
    let location = format!("app/{name}");
    let of_debian = image("").packages.remove(0);
    let (source, source_version) = (name.to_owned(), version.to_owned());
    let (name, version) = (source.clone(), source_version.clone());
    PackageInstance {
        kind,
        name,
        version,
        arch: String::new(),
        source,
        source_version,
        location,
        ..of_debian
    }
}

fn with(os_release: &str, packages: Vec<PackageInstance>) -> ImageInventory {
    ImageInventory { packages, ..image(os_release) }
}

/// A record about any package.
fn about(id: &str, ecosystem: &str, name: &str, fixed: &str, more: &str) -> String {
    format!(
        r#"{{"id":"{id}",{more}"affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"{name}"}},
        "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
    )
}

#[test]
fn packages_of_languages_are_judged_in_the_ecosystems_of_their_languages() {
    for (kind, ecosystem, name, named, installed, fixed) in [
        (PackageKind::Pypi, "PyPI", "Jinja2_X", "jinja2-x", "2.10rc1", "2.10"),
        (PackageKind::Npm, "npm", "@hapi/hoek", "@hapi/hoek", "8.5.0", "8.5.1"),
        (PackageKind::Maven, "Maven", "a:b", "a:b", "1.0-SNAPSHOT", "1"),
        (PackageKind::Golang, "Go", "m", "m", "v1.2.3-0.20200101000000-abc", "1.2.3"),
        (PackageKind::Cargo, "crates.io", "smallvec", "smallvec", "1.6.0", "1.6.1"),
        (PackageKind::Gem, "RubyGems", "rack", "rack", "2.1.4", "2.1.4.1"),
        (PackageKind::Composer, "Packagist", "Twig/Twig", "twig/twig", "v2.14.10", "2.14.11"),
        (PackageKind::Nuget, "NuGet", "Newtonsoft.Json", "newtonsoft.json", "12.0.3", "13.0.1"),
    ] {
        let affected = about("A", ecosystem, named, fixed, "");
        let not_affected = about("B", ecosystem, named, installed, "");
        let (database, _folder) = database(&[&affected, &not_affected]);
        let inventory = with("", vec![package(kind, name, installed)]);
        let found = assess(&inventory, &database).unwrap().findings;
        assert_eq!(found.len(), 1, "{kind}: {found:?}");
        assert_eq!(
            (found[0].kind, found[0].records[0].as_str(), found[0].namespace.as_str()),
            (kind, "A", ecosystem)
        );
        assert_eq!((found[0].source.as_str(), found[0].fixed_by.as_deref()), ("", Some(fixed)));
    }
}

#[test]
fn what_the_distribution_brought_is_suppressed_and_what_came_by_itself_is_not() {
    let of_owner = about("B", "Debian:12", "pyyaml", "1", "");
    let (database, _folder) = database(&[&about("A", "PyPI", "pyyaml", "99", ""), &of_owner]);
    let own = package(PackageKind::Pypi, "pyyaml", "6.0.1");
    let owner =
        PackageInstance { source: "pyyaml".into(), ..package(PackageKind::Deb, "python3-yaml", "6.0-3") };
    let owned = PackageInstance {
        owned_by: Some("deb:python3-yaml".into()),
        ..package(PackageKind::Pypi, "pyyaml", "6.0")
    };
    let matched = assess(&with(DEBIAN_12, vec![own, owned, owner]), &database).unwrap();
    assert_eq!(matched.findings.iter().map(|finding| &*finding.version).collect::<Vec<_>>(), ["6.0.1"]);
    assert_eq!(matched.suppressed.len(), 1);
    assert_eq!(
        (&*matched.suppressed[0].finding.version, &*matched.suppressed[0].owned_by),
        ("6.0", "deb:python3-yaml")
    );
}

#[test]
fn what_a_package_brought_that_no_advisory_speaks_of_is_judged_by_its_language() {
    let log4j = about("A", "Maven", "a:log4j", "99", "");
    let others = about("B", "Debian:12", "zlib", "1", "");
    let (database, _folder) = database(&[&log4j, &others]);
    let jar = PackageInstance {
        owned_by: Some("deb:elasticsearch".into()),
        ..package(PackageKind::Maven, "a:log4j", "2.14.1")
    };
    let without_group = PackageInstance { name: "beans".into(), ..jar.clone() };
    let owner = package(PackageKind::Deb, "elasticsearch", "7.15.0");
    for os_release in [DEBIAN_12, "ID=debian\nVERSION_ID=\"11\"\n", "ID=unheard-of\n", ""] {
        let packages = vec![jar.clone(), without_group.clone(), owner.clone()];
        let matched = assess(&with(os_release, packages), &database).unwrap();
        assert_eq!(matched.findings.len(), 1, "{os_release}");
        assert_eq!(matched.suppressed, [], "{os_release}");
        let codes: Vec<_> = matched.completeness.reasons().iter().map(Reason::code).collect();
        assert!(codes.contains(&"unread_kind"), "{os_release}: {codes:?}");
    }
}

#[test]
fn a_modules_package_is_matched_by_the_fixes_of_its_stream_alone() {
    let summary = |stream: &str| format!(r#""summary":"Important: nodejs:{stream} security update","#);
    let of_18 = about("ALSA-18", "AlmaLinux:8", "npm", "1:9.8.0-1.module_el8.9.0+1+a", &summary("18"));
    let of_22 = about("ALSA-22", "AlmaLinux:8", "npm", "1:22.0.0-1.module_el8.9.0+1+a", &summary("22"));
    let plain = about("ALSA-0", "AlmaLinux:8", "npm", "1:99-1.el8", "");
    let (database, _folder) = database(&[&of_18, &of_22, &plain]);
    let npm = package(PackageKind::Rpm, "npm", "1:9.5.0-1.module_el8.7.0+1+a");
    let records = |version: &str, module: Option<&str>| {
        let module = module.map(str::to_owned);
        let npm = PackageInstance { module, version: version.to_owned(), ..npm.clone() };
        let mut inventory = with("ID=almalinux\nVERSION_ID=8\n", vec![npm]);
        if let Some(distribution) = &mut inventory.distribution {
            distribution.ecosystem = Some("AlmaLinux:8".into());
        }
        let found = assess(&inventory, &database).unwrap().findings;
        found.into_iter().flat_map(|finding| finding.records).collect::<Vec<_>>()
    };
    assert_eq!(records(&npm.version, Some("nodejs:18")), ["ALSA-18"]);
    assert_eq!(records(&npm.version, Some("nodejs:22")), ["ALSA-22"]);
    assert_eq!(records(&npm.version, Some("nodejs:20")), [""; 0]);
    assert_eq!(records(&npm.version, None), ["ALSA-0", "ALSA-18", "ALSA-22"], "in a module that is not told");
    assert_eq!(records("1:9.5.0-1.el8", None), ["ALSA-0"]);
}

#[test]
fn a_look_is_partial_where_a_language_has_no_advisories_and_unsupported_where_nothing_has() {
    let (database, _folder) = database(&[&about("A", "PyPI", "flask", "1", "")]);
    let flask = || package(PackageKind::Pypi, "flask", "2");
    let codes = |packages: Vec<PackageInstance>, database: Option<&Database>| {
        let scratch = ImageInventory { has_package_database: false, ..with("", packages) };
        let completeness = match database {
            Some(database) => assess(&scratch, database).unwrap().completeness,
            None => assess_without(&scratch).completeness,
        };
        let codes = completeness.reasons().iter().map(Reason::code).collect::<Vec<_>>();
        (matches!(completeness, Completeness::Partial { .. }), codes)
    };
    assert_eq!(codes(vec![flask()], Some(&database)), (true, vec!["no_package_database"]));
    let with_crate = vec![flask(), package(PackageKind::Cargo, "time", "0.1")];
    assert_eq!(
        codes(with_crate, Some(&database)),
        (true, vec!["no_package_database", "no_advisories_for_ecosystem"])
    );
    let without = vec!["no_package_database", "no_advisories_for_ecosystem"];
    assert_eq!(codes(vec![flask()], None), (false, without));
    let jar = package(PackageKind::Maven, "commons-beanutils", "1.9.3");
    let of_jar = codes(vec![flask(), jar], Some(&database)).1;
    assert_eq!(of_jar, ["no_package_database", "no_advisories_for_ecosystem", "unread_kind"]);
}

#[test]
fn a_version_that_python_does_not_know_makes_the_look_partial() {
    let later = about("A", "PyPI", "odd", "3.0", "").replace(r#""introduced":"0""#, r#""introduced":"2.0""#);
    let (database, _folder) = database(&[&later, &record("B", "Debian:12", &fixed("1"), "", "")]);
    let look = |version: &str| {
        let mut inventory = image(DEBIAN_12);
        inventory.packages.push(package(PackageKind::Pypi, "odd", version));
        assess(&inventory, &database).unwrap().completeness
    };
    let odd = Reason::UnreadKind { kind: PackageKind::Pypi, count: 1, example: "app/odd".into() };
    assert_eq!(look("2.5-custom_build"), Completeness::Partial { reasons: vec![odd] });
    assert_eq!(look("3.0+custom.build"), Completeness::Complete);
}

#[test]
fn packages_of_another_distributions_kind_make_the_look_partial() {
    let (database, _folder) = database(&[&record("A", "Debian:12", &fixed("1"), "", "")]);
    let mut inventory = image(DEBIAN_12);
    inventory.packages.push(package(PackageKind::Rpm, "bash", "0:5-1"));
    let Completeness::Partial { reasons } = assess(&inventory, &database).unwrap().completeness else {
        panic!()
    };
    let expected = Reason::UnreadKind { kind: PackageKind::Rpm, count: 1, example: "app/bash".into() };
    assert_eq!(reasons, [expected]);
}

#[test]
fn a_release_past_its_end_is_never_clean_once_the_distribution_has_gone_on() {
    let look = |modified: &str, newer: &str| {
        let old = record("A", "Debian:10", &fixed("1"), &format!(r#""modified":"{modified}","#), "");
        let newer = record("B", "Debian:12", &fixed("1"), &format!(r#""modified":"{newer}","#), "");
        let (database, _folder) = database(&[&old, &newer]);
        assess(&image("ID=debian\nVERSION_ID=\"10\"\n"), &database).unwrap().completeness
    };
    assert_eq!(look("2024-06-01T00:00:00Z", "2024-06-30T23:00:00Z"), Completeness::Complete);
    let ended = Reason::EndOfLifeDistribution { ecosystem: "Debian:10".into(), ended: "2024-06-30".into() };
    let partial = Completeness::Partial { reasons: vec![ended] };
    assert_eq!(look("2024-06-01T00:00:00Z", "2024-07-01T00:00:00Z"), partial);
}

#[test]
fn ratings_beside_the_records_tell_more_of_a_finding_and_change_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    fs::create_dir(&source).unwrap();
    let json =
        record("DEBIAN-CVE-2024-3094", "Debian:12", &fixed("99"), r#""upstream":["CVE-2024-3094"],"#, "");
    fs::write(source.join("record.json"), json).unwrap();
    let own = [Source { name: "own".into(), location: SourceLocation::Folder(source.clone()), only: None }];
    let policy = ShrinkPolicy::default();
    let open = |path| Database::open(path).unwrap();
    let plain = open(compile(&own, None, folder.path(), &policy).unwrap().path);
    fs::write(source.join("epss_scores-current.csv"), "cve,epss,percentile\nCVE-2024-3094,0.9,1\n").unwrap();
    let kev = r#"{"vulnerabilities":[{"cveID":"CVE-2024-3094"}]}"#;
    fs::write(source.join("known_exploited_vulnerabilities.json"), kev).unwrap();
    let rated = open(compile(&own, Some(&plain), folder.path(), &policy).unwrap().path);
    assert_eq!(rated.generation(), 2);
    assert_eq!(crate::advisory::changed_packages(&plain, &rated, None, 9).unwrap(), []);
    let found = |database| assess(&image(DEBIAN_12), database).unwrap().findings.remove(0);
    let (before, after) = (found(&plain), found(&rated));
    assert_eq!((before.epss.as_deref(), before.known_exploited), (None, false));
    assert_eq!((after.epss.as_deref(), after.known_exploited), (Some("0.9"), true));
    assert_eq!(Finding { epss: None, known_exploited: false, ..after }, before);
}
