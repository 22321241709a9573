//! Databases with the oddities of real ones.

use super::*;
use crate::inventory::extractor::extract_from;

fn parse(text: &str) -> Extracted {
    extract_from(&EXTRACTOR, STATUS, text.as_bytes())
}

fn names(text: &str) -> Vec<String> {
    parse(text).packages.into_iter().map(|package| package.name).collect()
}

#[test]
fn the_source_is_the_package_itself_unless_named() {
    let parsed = parse(
        "Package: bsdutils\nStatus: install ok installed\nArchitecture: amd64\nSource: util-linux (2.38.1-5)\n\
         Version: 1:2.38.1-5\n\nPackage: apt\nStatus: install ok installed\nVersion: 2.6.1\n",
    );
    let [bsdutils, apt] = &parsed.packages[..] else { panic!("{parsed:?}") };
    assert_eq!((bsdutils.source.as_str(), bsdutils.source_version.as_str()), ("util-linux", "2.38.1-5"));
    assert_eq!((apt.source.as_str(), apt.source_version.as_str()), ("apt", "2.6.1"));
    assert_eq!(parsed.malformed_parts, 0);
}

#[test]
fn presence_is_the_third_word_of_the_status() {
    let stanza = |name: &str, status: &str| format!("Package: {name}\nStatus: {status}\nVersion: 1\n\n");
    let text = [
        stanza("installed", "install ok installed"),
        stanza("held", "hold ok installed"),
        stanza("to-remove", "deinstall ok installed"),
        stanza("broken", "install reinstreq half-installed"),
        stanza("unpacked", "install ok unpacked"),
        stanza("triggers", "install ok triggers-pending"),
        stanza("removed", "deinstall ok config-files"),
        stanza("purged", "purge ok not-installed"),
    ]
    .concat();
    assert_eq!(names(&text), ["installed", "held", "to-remove", "broken", "unpacked", "triggers"]);
}

#[test]
fn a_stanza_without_status_is_present() {
    assert_eq!(names("Package: base-files\nVersion: 12.4\n"), ["base-files"]);
}

#[test]
fn one_name_in_two_architectures_is_two_packages_and_the_last_stanza_of_one_wins() {
    let parsed = parse(
        "Package: libc6\nArchitecture: amd64\nVersion: 1\n\nPackage: libc6\nArchitecture: i386\nVersion: 1\n\n\
         Package: libc6\nArchitecture: amd64\nVersion: 2\n",
    );
    let found: Vec<_> = parsed.packages.iter().map(|p| (p.arch.as_str(), p.version.as_str())).collect();
    assert_eq!(found, [("amd64", "2"), ("i386", "1")]);
}

#[test]
fn continuations_blank_lines_and_a_missing_last_line_end_do_no_harm() {
    let text = "\n\nPackage: a\nVersion: 1\nConffiles:\n /etc/a 0\nDescription: text\n Version: 9\n .\n \t\n\n\n\
                package: b\nVERSION:2";
    let parsed = parse(text);
    let found: Vec<_> = parsed.packages.iter().map(|p| (p.name.as_str(), p.version.as_str())).collect();
    assert_eq!(found, [("a", "1"), ("b", "2")]);
}

#[test]
fn what_cannot_be_read_is_counted_and_the_rest_is_kept() {
    let parsed = parse("Package: no-version\n\nVersion: 1\n\nnot a field\n\nPackage: good\nVersion: 1\n");
    assert_eq!(parsed.packages.len(), 1);
    assert_eq!(parsed.malformed_parts, 3);
}

#[test]
fn removed_packages_need_no_version() {
    assert_eq!(parse("Package: gone\nStatus: purge ok not-installed\n").malformed_parts, 0);
}

#[test]
fn zeroes_are_one_malformed_part() {
    let parsed = extract_from(&EXTRACTOR, STATUS, &[0; 1 << 20]);
    assert!(parsed.packages.is_empty());
    assert_eq!(parsed.malformed_parts, 1);
}

#[test]
fn what_is_kept_is_bounded_at_the_limit() {
    let text = "Package: a\nVersion: 1\n\nPackage: b\nVersion: 1\n";
    let one = InstalledPackage::new(PackageKind::Deb, "a", "1", "").retained_bytes();
    let within = |limit: usize| {
        let mut found = Extracted::within(limit);
        extract(&File { path: STATUS, content: text.as_bytes(), beside: None }, &mut found);
        (found.packages.len(), found.over_limit)
    };
    assert_eq!(within(one * 2), (2, false));
    assert_eq!(within(one * 2 - 1), (1, true));
}

#[test]
fn databases_are_known_by_path_or_content_and_copies_are_not() {
    let head = b"Package: a\n";
    let claims = |path| EXTRACTOR.claims(&Candidate { path, mode: 0o644, head });
    for path in [STATUS, "srv/x/var/lib/dpkg/status", "var/lib/dpkg/status.d/base", "data/elsewhere"] {
        assert!(claims(path), "{path}");
    }
    for path in ["var/lib/dpkg/status-old", "var/lib/dpkg/available", "var/lib/apt/lists/x", "srv/Packages"] {
        assert!(!claims(path), "{path}");
    }
    assert!(!EXTRACTOR.claims(&Candidate { path: "data/text", mode: 0o644, head: b"Packages: many" }));
    assert!(!claims_path("var/lib/dpkg/status.d/base.md5sums"));
}

#[test]
fn lists_name_their_packages() {
    for (list, package) in
        [("apt.list", "apt"), ("libc6:amd64.list", "libc6"), ("base.md5sums", "base"), ("g++.list", "g++")]
    {
        assert_eq!(owner_of_list(list), package);
    }
}
