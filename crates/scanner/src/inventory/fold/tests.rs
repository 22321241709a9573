//! Images of a few records, folded.

use super::*;
use crate::inventory::os::dpkg;
use crate::inventory::record::{EXTRACTOR_VERSION, Node, OwnedFiles, RECORD_FORMAT, UnreadEvidence};

fn layer(nodes: Vec<(&str, NodeContent)>) -> LayerRecord {
    let nodes = nodes.into_iter().map(|(path, content)| Node { path: path.into(), content });
    LayerRecord {
        format: RECORD_FORMAT,
        extractor: EXTRACTOR_VERSION.into(),
        blob_digest: String::new(),
        blob_bytes: 0,
        diff_id: None,
        content_bytes: 0,
        members: 0,
        nodes: nodes.collect(),
        whiteouts: Vec::new(),
        opaque_directories: Vec::new(),
        unread: Vec::new(),
        problems: Vec::new(),
    }
}

fn without(mut record: LayerRecord, whiteouts: &[&str]) -> LayerRecord {
    record.whiteouts = whiteouts.iter().map(|path| (*path).to_owned()).collect();
    record
}

fn opaque(mut record: LayerRecord, directory: &str) -> LayerRecord {
    record.opaque_directories = vec![directory.to_owned()];
    record
}

fn with_evidence(mut record: LayerRecord, kind: PackageKind, paths: &[&str]) -> LayerRecord {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    record.unread.push(UnreadEvidence { kind, paths, more: 0, more_under: String::new() });
    record
}

fn packages(names: &[&str]) -> NodeContent {
    let package = |name: &&str| InstalledPackage::new(PackageKind::Deb, name, "1", "amd64");
    NodeContent::Packages {
        kinds: vec![PackageKind::Deb],
        packages: names.iter().map(package).collect(),
        owned: vec![],
        problem: None,
    }
}

fn symlink(target: &str) -> NodeContent {
    NodeContent::Symlink { target: target.into() }
}

fn hard_link(target: &str) -> NodeContent {
    NodeContent::HardLink { target: target.into() }
}

fn folded(layers: &[LayerRecord]) -> ImageInventory {
    fold(&layers.iter().collect::<Vec<_>>())
}

/// (name, layer) of every package.
fn found(layers: &[LayerRecord]) -> Vec<(String, usize)> {
    folded(layers).packages.into_iter().map(|package| (package.name, package.layer)).collect()
}

fn codes(layers: &[LayerRecord]) -> Vec<&'static str> {
    folded(layers).problems.iter().map(|(_, problem)| problem.code()).collect()
}

fn status(names: &[&str]) -> LayerRecord {
    layer(vec![(dpkg::STATUS, packages(names))])
}

#[test]
fn the_newest_database_counts_and_a_package_keeps_the_layer_since_which_it_is_there() {
    let layers = [status(&["a", "b"]), layer(vec![]), status(&["a"]), status(&["a", "b", "c"])];
    assert_eq!(found(&layers[..1]), [("a".into(), 0), ("b".into(), 0)]);
    assert_eq!(found(&layers[..3]), [("a".into(), 0)]);
    assert_eq!(found(&layers), [("a".into(), 0), ("b".into(), 3), ("c".into(), 3)]);
}

#[test]
fn a_database_that_was_away_brings_its_packages_back_anew() {
    let layers = [status(&["a"]), without(layer(vec![]), &["var/lib"]), status(&["a"])];
    assert_eq!(found(&layers[..2]), []);
    assert!(!folded(&layers[..2]).has_package_database);
    assert_eq!(found(&layers), [("a".into(), 2)]);
}

#[test]
fn whiteouts_and_opaque_directories_act_on_lower_layers_only() {
    let replaced = without(status(&["b"]), &["var/lib/dpkg/status"]);
    assert_eq!(found(&[status(&["a"]), replaced]), [("b".into(), 1)]);
    let replaced = opaque(status(&["b"]), "var/lib/dpkg");
    assert_eq!(found(&[status(&["a"]), replaced]), [("b".into(), 1)]);
    assert_eq!(found(&[status(&["a"]), opaque(layer(vec![]), "")]), []);
}

#[test]
fn anything_over_a_directory_hides_what_is_below_it() {
    for content in [NodeContent::Other, symlink("/nowhere")] {
        assert_eq!(found(&[status(&["a"]), layer(vec![("var/lib/dpkg", content)])]), []);
    }
    let untouched = layer(vec![("var/lib/dpkg", NodeContent::Directory)]);
    assert_eq!(found(&[status(&["a"]), untouched]), [("a".into(), 0)]);
}

#[test]
fn a_database_is_reached_through_links_of_any_kind_and_layer() {
    let file = layer(vec![("data/status", packages(&["a"]))]);
    for link in [
        layer(vec![(dpkg::STATUS, symlink("/data/status"))]),
        layer(vec![(dpkg::STATUS, symlink("../../../data/status"))]),
        layer(vec![(dpkg::STATUS, hard_link("data/status"))]),
        layer(vec![("var/lib/dpkg", symlink("/data"))]),
        layer(vec![("var", symlink("v")), ("v/lib/dpkg/status", hard_link("data/status"))]),
    ] {
        let inventory = folded(&[file.clone(), link.clone()]);
        assert_eq!(inventory.packages.len(), 1, "{link:?}");
        assert_eq!(inventory.packages[0].location, dpkg::STATUS);
        assert!(inventory.problems.is_empty(), "{link:?}");
    }
}

#[test]
fn a_hard_link_keeps_the_content_that_it_was_made_of() {
    let layers = [
        layer(vec![("data/status", packages(&["a"])), (dpkg::STATUS, hard_link("data/status"))]),
        layer(vec![("data/status", packages(&["b"]))]),
    ];
    assert_eq!(found(&layers), [("a".into(), 0)]);
}

#[test]
fn a_link_that_leads_nowhere_is_a_problem_and_never_an_empty_database() {
    for content in [symlink("/nowhere"), symlink("status"), hard_link("nowhere"), NodeContent::Directory] {
        let layers = [layer(vec![(dpkg::STATUS, content)])];
        assert_eq!(codes(&layers), ["database_unreachable"], "{layers:?}");
        assert!(!folded(&layers).has_package_database);
    }
    assert_eq!(codes(&[layer(vec![(dpkg::STATUS_FOLDER, symlink("/nowhere"))])]), ["database_unreachable"]);
}

#[test]
fn a_place_that_another_place_is_linked_to_is_one_database_or_none() {
    let merged = layer(vec![("lib", symlink("usr/lib"))]);
    let with_dpkg = [merged.clone(), status(&["a"])];
    assert!(folded(&with_dpkg).problems.is_empty());
    let apk = NodeContent::Packages {
        kinds: vec![PackageKind::Apk],
        packages: vec![InstalledPackage::new(PackageKind::Apk, "a", "1", "x86_64")],
        owned: vec![],
        problem: None,
    };
    let inventory = folded(&[merged, layer(vec![("usr/lib/apk/db/installed", apk)])]);
    assert_eq!(inventory.packages.len(), 1);
    assert_eq!(inventory.packages[0].location, "lib/apk/db/installed");
    assert!(inventory.unread.is_empty());
}

#[test]
fn a_folder_that_is_linked_to_and_has_no_database_is_no_problem_unless_nothing_is_known_of_it() {
    let linked =
        |target: &str| layer(vec![("var/lib/rpm", symlink(target)), (dpkg::STATUS, packages(&["a"]))]);
    let known = layer(vec![("data/rpm/x.jar", packages(&[]))]);
    assert!(folded(&[known, linked("/data/rpm")]).problems.is_empty());
    assert!(folded(&[linked("../../usr/lib/sysimage/rpm")]).problems.is_empty());
    assert!(codes(&[linked("/mnt")]).contains(&"database_unreachable"));
}

#[test]
fn links_are_followed_up_to_the_limit() {
    use super::overlay::MAX_LINK_HOPS;
    let chain = |links: usize| {
        let mut nodes = vec![("l0".to_owned(), packages(&["a"]))];
        nodes.extend((1..links).map(|n| (format!("l{n}"), symlink(&format!("l{}", n - 1)))));
        nodes.push((dpkg::STATUS.to_owned(), symlink(&format!("/l{}", links - 1))));
        layer(nodes.iter().map(|(path, content)| (path.as_str(), content.clone())).collect())
    };
    assert_eq!(found(&[chain(MAX_LINK_HOPS)]), [("a".into(), 0)]);
    assert_eq!(codes(&[chain(MAX_LINK_HOPS + 1)]), ["database_unreachable"]);
}

#[test]
fn a_write_through_a_linked_directory_lands_behind_it() {
    let layers =
        [layer(vec![("var/lib/dpkg", symlink("/data")), ("data/status", packages(&["a"]))]), status(&["b"])];
    assert_eq!(found(&layers), [("b".into(), 1)]);
}

#[test]
fn problems_of_a_database_go_with_it() {
    let problem = Some(LayerProblem::MalformedDatabase { path: dpkg::STATUS.into(), parts: 1 });
    let broken = layer(vec![(
        dpkg::STATUS,
        NodeContent::Packages { kinds: vec![PackageKind::Deb], packages: vec![], owned: vec![], problem },
    )]);
    assert_eq!(codes(std::slice::from_ref(&broken)), ["malformed_database"]);
    assert!(codes(&[broken, status(&["a"])]).is_empty());
}

#[test]
fn the_top_os_release_that_can_be_read_names_the_distribution() {
    let text = |id: &str| NodeContent::OsRelease { text: format!("ID={id}\n") };
    let id = |layers: &[LayerRecord]| folded(layers).distribution.map(|distribution| distribution.id);
    let base =
        layer(vec![("usr/lib/os-release", text("a")), ("etc/os-release", symlink("../usr/lib/os-release"))]);
    assert_eq!(id(std::slice::from_ref(&base)).as_deref(), Some("a"));
    let upgraded = layer(vec![("usr/lib/os-release", text("b"))]);
    assert_eq!(id(&[base.clone(), upgraded]).as_deref(), Some("b"));
    let broken = layer(vec![("etc/os-release", symlink("/nowhere"))]);
    assert_eq!(id(&[base.clone(), broken]).as_deref(), Some("a"));
    assert_eq!(id(&[base, without(layer(vec![]), &["etc/os-release", "usr"])]), None);
    assert_eq!(id(&[]), None);
}

#[test]
fn evidence_goes_with_its_files() {
    let paths = ["app/node_modules/a/package.json", "app/node_modules/b/package.json"];
    let base = with_evidence(layer(vec![]), PackageKind::Npm, &paths);
    assert_eq!(folded(std::slice::from_ref(&base)).unread[&PackageKind::Npm].count, 2);
    let removed = without(layer(vec![]), &[paths[0]]);
    let left = folded(&[base.clone(), removed]).unread;
    assert_eq!((left[&PackageKind::Npm].count, left[&PackageKind::Npm].example.as_str()), (1, paths[1]));
    for gone in [without(layer(vec![]), &["app"]), opaque(layer(vec![]), "app/node_modules")] {
        assert!(folded(&[base.clone(), gone]).unread.is_empty());
    }
}

#[test]
fn evidence_goes_with_what_is_put_in_its_place() {
    let path = "app/lib/log4j-core.jar";
    let none = NodeContent::Packages {
        kinds: vec![PackageKind::Maven],
        packages: vec![],
        owned: vec![],
        problem: None,
    };
    let unnamed = with_evidence(layer(vec![(path, none.clone())]), PackageKind::Maven, &[path]);
    let count = |layers: &[LayerRecord]| folded(layers).unread.get(&PackageKind::Maven).map(|it| it.count);
    assert_eq!(count(&[unnamed.clone(), unnamed.clone()]), Some(1));
    assert_eq!(count(&[unnamed, layer(vec![(path, none)])]), None);
}

#[test]
fn counted_evidence_goes_with_its_directory() {
    let mut base = with_evidence(layer(vec![]), PackageKind::Npm, &["app/node_modules/a/package.json"]);
    (base.unread[0].more, base.unread[0].more_under) = (7, "app/node_modules".into());
    assert_eq!(folded(std::slice::from_ref(&base)).unread[&PackageKind::Npm].count, 8);
    assert!(folded(&[base, without(layer(vec![]), &["app"])]).unread.is_empty());
}

#[test]
fn files_that_a_package_of_any_layer_owns_are_no_evidence() {
    let list =
        |paths: &[&str]| NodeContent::Owner { paths: paths.iter().map(|path| (*path).to_owned()).collect() };
    let owner = list(&["usr/lib/x/x.jar"]);
    let base = layer(vec![("var/lib/dpkg/info/x.list", owner), (dpkg::STATUS, packages(&["x"]))]);
    let touched = with_evidence(layer(vec![]), PackageKind::Maven, &["lib/x/x.jar", "opt/y.jar"]);
    let unread = folded(&[base.clone(), touched.clone()]).unread;
    assert_eq!(
        (unread[&PackageKind::Maven].count, unread[&PackageKind::Maven].example.as_str()),
        (1, "opt/y.jar")
    );
    let purged = without(layer(vec![]), &["var/lib/dpkg/info/x.list"]);
    assert_eq!(folded(&[base, touched, purged]).unread[&PackageKind::Maven].count, 2);
}

#[test]
fn the_database_of_a_system_inside_the_image_is_evidence_of_more() {
    let inner = layer(vec![("srv/chroot/var/lib/dpkg/status", packages(&["a"]))]);
    let inventory = folded(&[status(&["b"]), inner]);
    assert_eq!(inventory.packages.len(), 1);
    assert_eq!(inventory.unread[&PackageKind::Deb].example, "srv/chroot/var/lib/dpkg/status");
}

#[test]
fn what_cannot_be_read_of_a_package_of_the_distribution_is_no_problem_until_something_is_put_over_it() {
    let path = "usr/lib/x/x.jar";
    let list = NodeContent::Owner { paths: vec![path.to_owned()] };
    let broken = NodeContent::Packages {
        kinds: vec![PackageKind::Maven],
        packages: vec![],
        owned: vec![],
        problem: Some(LayerProblem::MalformedDatabase { path: path.to_owned(), parts: 1 }),
    };
    let left_behind = layer(vec![("var/lib/dpkg/info/x.list", list), (path, broken.clone())]);
    assert_eq!(codes(std::slice::from_ref(&left_behind)), ["malformed_database"], "its owner is not there");
    let mut owned = left_behind;
    owned.nodes.extend(status(&["x"]).nodes);
    assert!(codes(std::slice::from_ref(&owned)).is_empty());
    let over = layer(vec![(path, broken)]);
    assert_eq!(codes(&[owned, over.clone()]), ["malformed_database"]);
    assert_eq!(codes(&[over]), ["malformed_database"]);
}

/// A Python distribution, as its metadata name it.
fn python(version: &str) -> NodeContent {
    NodeContent::Packages {
        kinds: vec![PackageKind::Pypi],
        packages: vec![InstalledPackage::new(PackageKind::Pypi, "pyyaml", version, "")],
        owned: vec![],
        problem: None,
    }
}

fn system(kind: PackageKind, name: &str, owned: &[&str]) -> NodeContent {
    let paths = owned.iter().map(|path| (*path).to_owned()).collect();
    NodeContent::Packages {
        kinds: vec![kind],
        packages: vec![InstalledPackage::new(kind, name, "1", "x86_64")],
        owned: vec![OwnedFiles { package: name.to_owned(), paths }],
        problem: None,
    }
}

fn owners(layers: &[LayerRecord]) -> Vec<Option<String>> {
    let packages = folded(layers).packages.into_iter();
    packages.filter(|package| package.kind == PackageKind::Pypi).map(|package| package.owned_by).collect()
}

const METADATA: &str = "usr/lib/python3/dist-packages/PyYAML.egg-info";

#[test]
fn a_languages_package_belongs_to_the_systems_package_that_brought_it() {
    let list = NodeContent::Owner { paths: vec![METADATA.to_owned()] };
    for (layer, owner) in [
        (
            layer(vec![
                (dpkg::STATUS, packages(&["python3-yaml"])),
                ("var/lib/dpkg/info/python3-yaml:amd64.list", list),
                (METADATA, python("6.0")),
            ]),
            "deb:python3-yaml",
        ),
        (
            layer(vec![
                ("lib/apk/db/installed", system(PackageKind::Apk, "py3-yaml", &[METADATA])),
                (METADATA, python("6.0")),
            ]),
            "apk:py3-yaml",
        ),
        (
            layer(vec![
                ("var/lib/rpm/Packages", system(PackageKind::Rpm, "python3-pyyaml", &[METADATA])),
                (METADATA, python("6.0")),
            ]),
            "rpm:python3-pyyaml",
        ),
    ] {
        let owned = [Some(owner.to_owned())];
        assert_eq!(owners(std::slice::from_ref(&layer)), owned);
        let touched = self::layer(vec![(METADATA, python("6.0"))]);
        assert_eq!(owners(&[layer.clone(), touched]), owned, "the same again");
        let replaced = self::layer(vec![(METADATA, python("6.1"))]);
        assert_eq!(owners(&[layer.clone(), replaced]), [None], "put over it by something else");
        let elsewhere = self::layer(vec![("opt/PyYAML.egg-info", python("6.0"))]);
        assert_eq!(owners(&[layer.clone(), elsewhere]), [None, owned[0].clone()]);
    }
}

#[test]
fn a_package_that_is_not_there_owns_nothing() {
    let list = NodeContent::Owner { paths: vec![METADATA.to_owned()] };
    let left_behind = layer(vec![
        (dpkg::STATUS, packages(&["base-files"])),
        ("var/lib/dpkg/info/gone.list", list),
        (METADATA, python("6.0")),
    ]);
    let inventory = folded(&[left_behind, with_evidence(layer(vec![]), PackageKind::Alpm, &[METADATA])]);
    let python = inventory.packages.iter().find(|package| package.kind == PackageKind::Pypi);
    assert_eq!(python.unwrap().owned_by, None);
    assert_eq!(inventory.unread[&PackageKind::Alpm].count, 1);
}

#[test]
fn what_was_there_before_its_owner_belongs_to_it() {
    let before = layer(vec![(METADATA, python("6.0"))]);
    let after = layer(vec![("lib/apk/db/installed", system(PackageKind::Apk, "py3-yaml", &[METADATA]))]);
    assert_eq!(owners(&[before.clone(), after.clone()]), [Some("apk:py3-yaml".into())]);
    let removed = without(layer(vec![]), &["lib/apk/db/installed"]);
    assert_eq!(owners(&[before, after, removed]), [None]);
}

#[test]
fn databases_of_two_systems_count_both() {
    let inventory = folded(&[
        status(&["a"]),
        layer(vec![("usr/lib/sysimage/rpm/rpmdb.sqlite", system(PackageKind::Rpm, "b", &[]))]),
    ]);
    let found: Vec<_> = inventory.packages.iter().map(|p| (p.kind, p.name.as_str(), p.layer)).collect();
    assert_eq!(found, [(PackageKind::Rpm, "b", 1), (PackageKind::Deb, "a", 0)]);
    assert!(inventory.problems.is_empty() && inventory.unread.is_empty());
}

#[test]
fn a_database_that_a_whiteout_removed_is_gone() {
    let base = layer(vec![
        ("var/lib/rpm", symlink("../../usr/lib/sysimage/rpm")),
        ("usr/lib/sysimage/rpm/rpmdb.sqlite", system(PackageKind::Rpm, "a", &[])),
    ]);
    let location =
        |layers: &[LayerRecord]| folded(layers).packages.first().map(|package| package.location.clone());
    assert_eq!(location(std::slice::from_ref(&base)).as_deref(), Some("var/lib/rpm/rpmdb.sqlite"));
    for gone in ["usr/lib/sysimage/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage"] {
        let layers = [base.clone(), without(layer(vec![]), &[gone])];
        assert_eq!(location(&layers), None, "{gone}");
        assert!(!folded(&layers).has_package_database, "{gone}");
    }
}

#[test]
fn a_log_above_its_database_is_evidence_of_more_until_it_goes() {
    let problem = Some(LayerProblem::MalformedDatabase { path: "x".into(), parts: 1 });
    let log =
        NodeContent::Packages { kinds: vec![PackageKind::Rpm], packages: vec![], owned: vec![], problem };
    let base = layer(vec![("var/lib/rpm/rpmdb.sqlite", system(PackageKind::Rpm, "a", &[]))]);
    let above = layer(vec![("var/lib/rpm/rpmdb.sqlite-wal", log)]);
    let layers = [base, above, without(layer(vec![]), &["var/lib/rpm/rpmdb.sqlite-wal"])];
    let unread = folded(&layers[..2]).unread;
    assert_eq!(unread[&PackageKind::Rpm].example, "var/lib/rpm/rpmdb.sqlite-wal");
    assert!(folded(&layers).unread.is_empty());
}

#[test]
fn a_program_goes_when_a_script_is_put_over_it() {
    let program = NodeContent::Packages {
        kinds: vec![PackageKind::Cargo, PackageKind::Golang],
        packages: vec![InstalledPackage::new(PackageKind::Golang, "stdlib", "1.21.3", "")],
        owned: vec![],
        problem: None,
    };
    let base = layer(vec![("usr/bin/tool", program)]);
    assert_eq!(folded(std::slice::from_ref(&base)).packages.len(), 1);
    let script = layer(vec![("usr/bin/tool", NodeContent::Other)]);
    assert!(folded(&[base.clone(), script]).packages.is_empty());
    let moved = layer(vec![("usr/bin", symlink("/opt/bin"))]);
    assert!(folded(&[base, moved]).packages.is_empty());
}

#[test]
fn a_broken_database_is_a_problem_though_a_package_says_that_it_is_its_own() {
    let path = "var/lib/rpm/Packages";
    let problem = LayerProblem::MalformedDatabase { path: path.to_owned(), parts: 1 };
    let NodeContent::Packages { kinds, packages, owned, .. } = system(PackageKind::Rpm, "rpm", &[path])
    else {
        panic!()
    };
    let broken = NodeContent::Packages { kinds, packages, owned, problem: Some(problem) };
    assert_eq!(codes(&[layer(vec![(path, broken)])]), ["malformed_database"]);
}

/// Where packages were found.
fn locations(layers: &[LayerRecord]) -> Vec<String> {
    folded(layers).packages.into_iter().map(|package| package.location).collect()
}

fn jar() -> NodeContent {
    NodeContent::Packages {
        kinds: vec![PackageKind::Maven],
        packages: vec![InstalledPackage::new(PackageKind::Maven, "g:a", "1", "")],
        owned: vec![],
        problem: None,
    }
}

#[test]
fn a_hard_link_outlives_the_name_that_its_layer_removes() {
    let base = layer(vec![("opt/a.jar", jar())]);
    let above = without(layer(vec![("opt/b.bin", hard_link("opt/a.jar"))]), &["opt/a.jar"]);
    assert_eq!(locations(&[base, above]), ["opt/b.bin"]);
}

#[test]
fn a_folder_takes_the_place_of_a_link() {
    let base = layer(vec![("opt", symlink("data"))]);
    let through = layer(vec![("opt/a.jar", jar())]);
    let over = layer(vec![("opt", NodeContent::Directory), ("opt/a.jar", jar())]);
    let gone = without(layer(vec![]), &["data"]);
    assert_eq!(locations(&[base.clone(), through.clone()]), ["data/a.jar"]);
    assert_eq!(locations(&[base.clone(), through, gone.clone()]), Vec::<String>::new());
    assert_eq!(locations(&[base, over, gone]), ["opt/a.jar"]);
}

#[test]
fn a_database_behind_a_folder_that_may_be_an_unrecorded_link_is_unreachable() {
    let base = layer(vec![("opt/a.so/x.jar", jar()), ("var/lib/rpm", symlink("/opt/a.so"))]);
    let problems = folded(&[base]).problems;
    assert!(problems.iter().all(|(_, problem)| problem.code() == "database_unreachable"), "{problems:?}");
    assert!(!problems.is_empty());
}
