//! What is read of documents that other tools write, and of those that nobody should.

use super::*;
use crate::inventory::Distribution;

const IMAGE: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const DIGEST: &str = "sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd";

fn read(document: &str) -> Result<ImageInventory, SbomProblem> {
    read_sbom(document.as_bytes(), DIGEST, IMAGE)
}

fn problems(document: &str) -> Vec<&'static str> {
    read(document).unwrap().sbom.unwrap().problems.iter().map(SbomProblem::code).collect()
}

fn cyclonedx_of(components: &str) -> String {
    format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{components}]}}"#)
}

fn deb(name: &str) -> String {
    format!(r#"{{"type":"library","name":"{name}","purl":"pkg:deb/debian/{name}@1?distro=debian-12"}}"#)
}

fn line(package: &PackageInstance) -> String {
    let PackageInstance { kind, name, version, source, source_version, location, .. } = package;
    format!("{kind} {name} {version} of {source} {source_version} in {location}")
}

const OF_SYFT: [&str; 6] = [
    "npm @hapi/hoek 8.5.0 of @hapi/hoek 8.5.0 in app/node_modules/@hapi/hoek/package.json",
    "pypi pyyaml 6.0 of pyyaml 6.0 in usr/lib/python3/dist-packages/PyYAML-6.0.dist-info/METADATA",
    "pypi pyyaml 6.0.1 of pyyaml 6.0.1 in usr/local/lib/python3.11/dist-packages/PyYAML-6.0.1.dist-info/METADATA",
    "deb bsdutils 1:2.38.1-5+deb12u3 of util-linux 2.38.1-5+deb12u3 in var/lib/dpkg/status",
    "deb libssl3 3.0.20-1~deb12u2 of openssl 3.0.20-1~deb12u2 in var/lib/dpkg/status",
    "deb python3-yaml 6.0-3+b2 of pyyaml 6.0-3 in var/lib/dpkg/status",
];

#[test]
fn what_syft_writes_is_read_in_both_formats() {
    for (document, format) in [
        (include_str!("golden/syft.cdx.json"), "CycloneDX 1.6"),
        (include_str!("golden/syft.spdx.json"), "SPDX 2.3"),
    ] {
        let found = read(document).unwrap();
        assert_eq!(found.packages.iter().map(line).collect::<Vec<_>>(), OF_SYFT, "{format}");
        let debian = found.distribution.as_ref().and_then(|distribution| distribution.ecosystem.as_deref());
        assert_eq!(debian, Some("Debian:12"));
        let source = found.sbom.unwrap();
        assert_eq!((source.digest.as_deref(), source.format.as_str()), (Some(DIGEST), format));
        assert_eq!(source.problems, [], "{format}");
        assert_eq!(found.looked_at, [PackageKind::Deb, PackageKind::Npm, PackageKind::Pypi]);
    }
}

#[test]
fn who_brought_a_package_is_read_where_the_format_has_it() {
    let found = read(include_str!("golden/syft.spdx.json")).unwrap();
    let owners: Vec<_> = found.packages.iter().map(|package| package.owned_by.as_deref()).collect();
    assert_eq!(owners, [None, Some("deb:python3-yaml"), None, None, None, None]);
}

#[test]
fn what_trivy_writes_has_its_sources_in_properties() {
    let component = r#"{"type":"operating-system","name":"redhat","version":"9.4"},
        {"type":"application","name":"Node.js"},
        {"type":"library","name":"openssl-libs","version":"3.0.7-27.el9",
         "purl":"pkg:rpm/redhat/openssl-libs@3.0.7-27.el9?arch=x86_64&distro=redhat-9.4&epoch=1",
         "properties":[{"name":"aquasecurity:trivy:SrcName","value":"openssl"},
                       {"name":"aquasecurity:trivy:SrcEpoch","value":"1"},
                       {"name":"aquasecurity:trivy:SrcRelease","value":"27.el9"},
                       {"name":"aquasecurity:trivy:SrcVersion","value":"3.0.7"}]}"#;
    let found = read(&cyclonedx_of(component)).unwrap();
    let [package] = &found.packages[..] else { panic!("{found:?}") };
    assert_eq!(line(package), "rpm openssl-libs 1:3.0.7-27.el9 of openssl 1:3.0.7-27.el9 in ");
    assert_eq!(found.distribution.unwrap().id, "rhel");
    assert_eq!(found.sbom.unwrap().problems, []);
}

#[test]
fn components_inside_components_count() {
    let inner = deb("inner");
    let outer = format!(r#"{{"type":"application","name":"app","components":[{inner}]}}"#);
    assert_eq!(read(&cyclonedx_of(&outer)).unwrap().packages[0].name, "inner");
}

#[test]
fn what_is_not_known_is_told() {
    let components = r#"{"type":"library","name":"a"},{"type":"library","name":"z","purl":"pkg:conan/z@1"},
        {"type":"file","name":"/bin/x"},{"type":"library","name":"b","purl":"pkg:npm/b"}"#;
    let found = read(&cyclonedx_of(components)).unwrap();
    assert_eq!(found.sbom.unwrap().problems.len(), 2);
    assert_eq!(found.unread[&PackageKind::Npm].count, 1);
    assert!(!found.has_package_database && found.distribution.is_none() && found.packages.is_empty());
}

#[test]
fn a_document_that_names_no_source_hides_what_advisories_speak_of() {
    let all: Vec<String> = (0..MIN_SYSTEM_PACKAGES).map(|n| deb(&format!("p{n}"))).collect();
    assert_eq!(problems(&cyclonedx_of(&all.join(","))), ["no_source_packages"]);
    assert_eq!(problems(&cyclonedx_of(&all[1..].join(","))), [""; 0]);
}

#[test]
fn a_document_that_says_that_it_is_incomplete_is() {
    let document =
        r#"{"bomFormat":"CycloneDX","specVersion":"1.6","compositions":[{"aggregate":"incomplete"}]}"#;
    assert_eq!(problems(document), ["incomplete"]);
    let comment =
        r#"{"spdxVersion":"SPDX-2.3","comment":"This inventory is not complete. x.","packages":null}"#;
    assert_eq!(problems(comment), ["incomplete"]);
}

#[test]
fn a_statement_is_about_an_image_and_may_lie_in_an_envelope() {
    use base64::Engine as _;
    let statement = |digest: &str| {
        let document = cyclonedx_of(&deb("a"));
        format!(
            r#"{{"_type":"s","subject":[{{"name":"x","digest":{{"sha256":"{digest}"}}}}],"predicate":{document}}}"#
        )
    };
    let own = statement(&IMAGE[7..]);
    assert_eq!(read(&own).unwrap().packages.len(), 1);
    assert_eq!(read(&statement(&DIGEST[7..])), Err(SbomProblem::OtherImage));
    let envelope = |payload: &str| {
        format!(r#"{{"payloadType":"application/vnd.in-toto+json","payload":"{payload}","signatures":[]}}"#)
    };
    let coded = base64::engine::general_purpose::STANDARD.encode(&own);
    assert_eq!(read(&envelope(&coded)).unwrap().packages.len(), 1);
    assert!(matches!(read(&envelope("§")), Err(SbomProblem::Unreadable { .. })));
}

#[test]
fn what_is_no_document_is_refused_and_ends() {
    let deep = format!("{}{}", r#"{"predicate":"#.repeat(100_000), "}".repeat(100_000));
    let nested = cyclonedx_of(&format!("{}{}", r#"{"components":["#.repeat(50_000), "]}".repeat(50_000)));
    let truncated = &cyclonedx_of(&deb("a"))[..60];
    for document in ["", "[]", "{}", "null", r#"{"spdxVersion":"SPDX-3.0"}"#, &deep, &nested, truncated] {
        let error = read(document).unwrap_err();
        assert_eq!(error.code(), "unreadable", "{}", &document[..document.len().min(60)]);
    }
}

#[test]
fn bounds_end_in_a_problem_with_their_name() {
    let at = vec![r#"{"type":"library"}"#; MAX_SBOM_PACKAGES].join(",");
    assert_eq!(problems(&cyclonedx_of(&at)), ["unknown_packages"]);
    let past = format!(r#"{at},{{"type":"library"}}"#);
    assert_eq!(read(&cyclonedx_of(&past)).unwrap_err().code(), "too_many_packages");
    let mut long = cyclonedx_of("");
    long.push_str(&" ".repeat(MAX_SBOM_BYTES - long.len()));
    assert!(read(&long).is_ok());
    long.push(' ');
    assert_eq!(read(&long), Err(SbomProblem::TooLong { limit_bytes: MAX_SBOM_BYTES as u64 }));
}

#[test]
fn our_own_documents_read_back_the_same() {
    let mut whole = crate::sbom::tests::inventory();
    let mut openssl = crate::sbom::tests::package(PackageKind::Rpm, "openssl", "1:1.1.1k-5");
    openssl.source_version = "1.1.1k-5".to_owned();
    openssl.module = Some("openssl:3".to_owned());
    let goutils =
        crate::sbom::tests::package(PackageKind::Golang, "github.com/Masterminds/goutils", "v1.1.0");
    whole.packages.extend([openssl, goutils]);
    whole.distribution =
        Distribution::parse("ID=opensuse-leap\nVERSION_ID=15.5\nPRETTY_NAME=\"openSUSE Leap 15.5\"");
    for package in &mut whole.packages {
        package.layer = 0;
    }
    whole.packages.sort_by(|left, right| place(left).cmp(&place(right)));
    let subject = crate::sbom::tests::SUBJECT;
    for document in [crate::sbom::cyclonedx(&whole, &subject), crate::sbom::spdx(&whole, &subject)] {
        let found = read(&document.unwrap()).unwrap();
        assert_eq!(found.packages, whole.packages);
        assert_eq!(found.distribution, whole.distribution);
        assert_eq!(found.sbom.unwrap().problems, []);
    }
}
