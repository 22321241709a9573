//! Databases of Alpine, with the oddities of real ones.

use super::*;
use crate::inventory::extractor::extract_from;

const BUSYBOX: &str = "C:Q1pPBZ2CFEXbxSbzW2oxqxKxGvtbk=\nP:busybox-binsh\nV:1.36.1-r15\nA:x86_64\nS:1504\nI:8192\n\
                       T:busybox ash /bin/sh\nU:https://busybox.net/\nL:GPL-2.0-only\no:busybox\n\
                       m:A <a@example.org>\nt:1699383189\nc:d1b6f274f29076967826e0ecf6ebcaa5d360272f\n\
                       p:/bin/sh cmd:sh=1.36.1-r15\nF:bin\nR:sh\na:0:0:777\nZ:Q1pcfTfDNEbNKQc2s1tia7da05M8Q=\n";

fn parse(text: &str) -> Extracted {
    extract_from(&EXTRACTOR, INSTALLED, text.as_bytes())
}

#[test]
fn a_package_has_its_origin_as_source() {
    let found = parse(BUSYBOX);
    let package = &found.packages[0];
    assert_eq!((package.name.as_str(), package.version.as_str()), ("busybox-binsh", "1.36.1-r15"));
    assert_eq!((package.source.as_str(), package.source_version.as_str()), ("busybox", "1.36.1-r15"));
    assert_eq!((package.arch.as_str(), found.malformed_parts), ("x86_64", 0));
}

#[test]
fn a_package_without_an_origin_is_its_own() {
    let found = parse("C:Q1=\nP:tool\nV:1-r0\nA:noarch\n\nC:Q1=\nP:other\nV:2-r0");
    let sources: Vec<_> = found.packages.iter().map(|package| package.source.as_str()).collect();
    assert_eq!(sources, ["tool", "other"]);
}

#[test]
fn keys_are_told_by_their_case() {
    let found = parse("P:a\np:so:libb.so\nV:1\nv:2\nA:x86_64\na:0:0:755\nO:no\n");
    assert_eq!(found.packages, [InstalledPackage::new(PackageKind::Apk, "a", "1", "x86_64")]);
}

#[test]
fn files_belong_to_the_package_of_their_stanza() {
    let text = "P:py3-yaml\nV:6.0.1-r1\nF:usr/lib/python3.11/site-packages/PyYAML-6.0.1.dist-info\nR:METADATA\nR:RECORD\n\
                F:\nR:top\n\nP:other\nV:1\nF:opt\nR:other.jar\n";
    let owned: Vec<_> = parse(text)
        .owned
        .of_interest
        .iter()
        .map(|files| (files.package.clone(), files.paths.join(",")))
        .collect();
    let metadata = "usr/lib/python3.11/site-packages/PyYAML-6.0.1.dist-info/METADATA";
    assert_eq!(owned, [("py3-yaml".into(), metadata.into()), ("other".into(), "opt/other.jar".to_owned())]);
}

#[test]
fn paths_of_files_are_read_up_to_the_limit() {
    let owned = |bytes: usize| {
        let folder = "f".repeat(bytes - "/a.jar".len());
        parse(&format!("P:a\nV:1\nF:{folder}\nR:a.jar\n")).owned.of_interest.len()
    };
    assert_eq!((owned(MAX_PATH_BYTES), owned(MAX_PATH_BYTES + 1)), (1, 0));
}

#[test]
fn blank_lines_are_harmless_and_what_cannot_be_read_is_counted() {
    let found = parse("\n\nP:a\nV:1\n\n\n\nP:no-version\n\nnot a field\nP:b\nV:1\n\n\n");
    let names: Vec<_> = found.packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!((names, found.malformed_parts), (vec!["a", "b"], 2));
    assert_eq!(parse("").malformed_parts, 0);
}

#[test]
fn both_places_and_those_of_inner_systems_are_claimed() {
    for path in [INSTALLED, INSTALLED_MERGED, "srv/root/lib/apk/db/installed"] {
        assert!(claims_path(path), "{path}");
    }
    assert!(!claims_path("mylib/apk/db/installed"));
    assert!(!claims_path("lib/apk/db/installed.bak"));
    assert!(EXTRACTOR.claims(&Candidate { path: "data/db", mode: 0o644, head: b"C:Q1pPBZ" }));
}
