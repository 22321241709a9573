//! Archives, in and around one another.

use std::io::{Cursor, Write};

use proptest::prelude::*;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;
use crate::inventory::extractor::extract_from;

const ROOM: Bounds = Bounds { nested_bytes: 1 << 20, work_bytes: 8 << 20, retained_bytes: 1 << 20 };

fn zipped(method: CompressionMethod, members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn deflated(members: &[(&str, &[u8])]) -> Vec<u8> {
    zipped(CompressionMethod::Deflated, members)
}

fn stored(members: &[(&str, &[u8])]) -> Vec<u8> {
    zipped(CompressionMethod::Stored, members)
}

fn properties(artifact: &str, version: &str) -> Vec<u8> {
    format!("groupId=org.example\nartifactId={artifact}\nversion={version}\n").into_bytes()
}

const POM: &str = "META-INF/maven/org.example/x/pom.properties";

/// The packages as `name version inside`.
fn rows(parsed: &Parsed) -> Vec<String> {
    let row = |package: &LanguagePackage| {
        format!("{} {} {}", package.name, package.version, package.inside).trim_end().to_owned()
    };
    parsed.packages.iter().map(row).collect()
}

fn complete(path: &str, bytes: &[u8]) -> Vec<String> {
    let parsed = read(path, bytes, ROOM);
    assert_eq!((parsed.malformed_parts, parsed.over_limit), (0, false), "{parsed:?}");
    rows(&parsed)
}

#[test]
fn archives_are_known_by_their_suffix() {
    for path in ["a/x.jar", "x.WAR", "b/c.ear", "é.jar"] {
        assert!(is_archive(path), "{path}");
    }
    for path in ["x.jarx", "jar", "x.zip", "", "é"] {
        assert!(!is_archive(path), "{path}");
    }
}

#[test]
fn a_shaded_archive_holds_several_packages_once_each() {
    let (one, two) = (properties("one", "1"), properties("two", "2"));
    let members: [(&str, &[u8]); 4] = [
        ("a/pom.properties", &one),
        ("b/pom.properties", &two),
        ("c/pom.properties", &one),
        ("x.class", b"x"),
    ];
    for archive in [deflated(&members), stored(&members)] {
        for itself in ["one-1.jar", "shaded.jar"] {
            assert_eq!(complete(itself, &archive), ["org.example:one 1", "org.example:two 2"], "{itself}");
        }
        let with_its_own = ["org.example:one 1", "org.example:two 2", "shaded 3.0"];
        assert_eq!(complete("shaded-3.0.jar", &archive), with_its_own);
    }
}

#[test]
fn code_that_nothing_names_is_told() {
    let class: (&str, &[u8]) = ("org/apache/logging/log4j/core/Logger.class", b"x");
    let unnamed = |file: &str, members: &[(&str, &[u8])]| read(file, &deflated(members), ROOM).unnamed;
    assert!(unnamed("log4j-core.jar", &[class]));
    assert!(unnamed("log4j-core.jar", &[class, ("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\n")]));
    assert!(unnamed("app.war", &[("lib/log4j-core.jar", &deflated(&[class]))]));
    assert!(!unnamed("log4j-core-2.14.1.jar", &[class]));
    assert!(!unnamed("log4j-core.jar", &[class, (POM, &properties("log4j-core", "2.14.1"))]));
    assert!(!unnamed("log4j-sources.jar", &[("org/apache/Logger.java", b"x")]));
    let named = deflated(&[(POM, &properties("inner", "1"))]);
    assert!(!unnamed("app.jar", &[class, ("BOOT-INF/lib/inner-1.jar", &named)]));
    let found = extract_from(&EXTRACTOR, "log4j-core.jar", &deflated(&[class]));
    assert_eq!((found.unnamed, found.malformed_parts), (Some(PackageKind::Maven), 0));
}

#[test]
fn archives_inside_are_read_and_say_where_they_lie() {
    let inner = deflated(&[(POM, &properties("inner", "1.3.2"))]);
    let middle = stored(&[("lib/inner-9.jar", &inner)]);
    let outer = deflated(&[("WEB-INF/lib/middle-1.0.jar", &middle)]);
    assert_eq!(
        complete("opt/web.war", &outer),
        [
            "org.example:inner 1.3.2 !WEB-INF/lib/middle-1.0.jar!lib/inner-9.jar",
            "middle 1.0 !WEB-INF/lib/middle-1.0.jar"
        ]
    );
}

#[test]
fn a_script_may_stand_in_front() {
    let mut archive = b"#!/bin/sh\nexec java -jar \"$0\"\n".to_vec();
    archive.extend(deflated(&[(POM, &properties("app", "1"))]));
    assert_eq!(complete("app.jar", &archive), ["org.example:app 1"]);
}

#[test]
fn an_archive_may_have_a_comment_that_looks_like_its_end() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.set_comment("PK\u{5}\u{6} and more, so that it is long enough to be one").unwrap();
    writer.start_file(POM, SimpleFileOptions::default()).unwrap();
    writer.write_all(&properties("app", "1")).unwrap();
    let archive = writer.finish().unwrap().into_inner();
    assert_eq!(complete("app.jar", &archive), ["org.example:app 1"]);
}

#[test]
fn large_offsets_are_read() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(POM, SimpleFileOptions::default().large_file(true)).unwrap();
    writer.write_all(&properties("app", "1")).unwrap();
    let archive = writer.finish().unwrap().into_inner();
    assert_eq!(complete("app.jar", &archive), ["org.example:app 1"]);
    // Written by Python's zipfile with a 64-bit end of the directory, and a script in front.
    let archive = include_bytes!("sixty-four.jar");
    assert_eq!(complete("app.jar", archive), ["org.example:sixty-four 64"]);
}

#[test]
fn no_archive_names_nothing() {
    assert_eq!(read("x-1.0.jar", b"", ROOM), Parsed::default());
    assert_eq!(read("x-1.0.jar", b"version https://git-lfs.github.com/spec/v1\n", ROOM), Parsed::default());
}

#[test]
fn half_an_archive_is_malformed() {
    let archive = deflated(&[(POM, &properties("app", "1"))]);
    assert_eq!(read("x.jar", &archive[..archive.len() / 2], ROOM), Parsed::malformed());
    let nested = stored(&[("a.jar", &archive[..archive.len() - 30])]);
    assert_eq!(read("x.jar", &nested, ROOM), Parsed::malformed());
}

#[test]
fn a_member_that_does_not_inflate_is_malformed() {
    let mut archive = deflated(&[(POM, &properties("app", "1"))]);
    let content = 30 + POM.len();
    archive[content..content + 8].fill(0xff);
    assert_eq!(read("x.jar", &archive, ROOM).malformed_parts, 1);
}

fn nest(levels: usize) -> Vec<u8> {
    let innermost = stored(&[(POM, &properties("deep", "1"))]);
    (0..levels).fold(innermost, |inner, _| stored(&[("n.jar", &inner)]))
}

#[test]
fn depth_has_a_limit_that_is_told() {
    let at = read("x.jar", &nest(MAX_DEPTH), ROOM);
    assert_eq!((at.packages.len(), at.over_limit), (1, false));
    let past = read("x.jar", &nest(MAX_DEPTH + 1), ROOM);
    assert_eq!((past.packages.len(), past.over_limit), (0, true));
}

#[test]
fn metadata_is_read_up_to_the_limit() {
    let manifest = |bytes: usize| {
        let text = "Implementation-Version: 1.0\nImplementation-Title: named\n";
        [vec![b' '; bytes - text.len() - 1], b"\n".to_vec(), text.as_bytes().to_vec()].concat()
    };
    let at = deflated(&[("META-INF/MANIFEST.MF", &manifest(MAX_METADATA_BYTES))]);
    assert_eq!(complete("x.jar", &at), ["named 1.0"]);
    let past = deflated(&[("META-INF/MANIFEST.MF", &manifest(MAX_METADATA_BYTES + 60))]);
    assert_eq!(complete("x.jar", &past), [""; 0]);
    // A bomb costs no more than that.
    let bomb = deflated(&[("META-INF/MANIFEST.MF", &vec![0; 16 << 20])]);
    assert_eq!(complete("x-1.0.jar", &bomb), ["x 1.0"]);
}

#[test]
fn nested_archives_are_held_within_the_limit() {
    let inner = stored(&[(POM, &properties("inner", "1"))]);
    let outer = deflated(&[("a.jar", &inner)]);
    let at = read("x.jar", &outer, Bounds { nested_bytes: inner.len(), ..ROOM });
    assert_eq!((at.packages.len(), at.over_limit), (1, false));
    let past = read("x.jar", &outer, Bounds { nested_bytes: inner.len() - 1, ..ROOM });
    assert_eq!((past.packages.len(), past.over_limit), (0, true));
    // What is held on the way counts, too; what is not packed is not held.
    let outermost = deflated(&[("b.jar", &outer)]);
    let both = inner.len() + outer.len();
    assert!(!read("x.jar", &outermost, Bounds { nested_bytes: both, ..ROOM }).over_limit);
    assert!(read("x.jar", &outermost, Bounds { nested_bytes: both - 1, ..ROOM }).over_limit);
    let outermost = stored(&[("b.jar", &outer)]);
    assert!(!read("x.jar", &outermost, Bounds { nested_bytes: outer.len(), ..ROOM }).over_limit);
}

/// One stored archive that the directory names many times: each is small, all together are not.
fn overlapping(times: usize) -> Vec<u8> {
    let inner = stored(&[("zeroes", &vec![0; 1 << 16])]);
    let one = stored(&[("n.jar", &inner)]);
    let directory_bytes = 46 + "n.jar".len();
    let at = one.len() - 22 - directory_bytes;
    let mut bomb = one[..at].to_vec();
    for _ in 0..times {
        bomb.extend_from_slice(&one[at..at + directory_bytes]);
    }
    let mut end = one[at + directory_bytes..].to_vec();
    end[12..16].copy_from_slice(&u32::try_from(times * directory_bytes).unwrap().to_le_bytes());
    bomb.extend(end);
    bomb
}

#[test]
fn members_that_share_their_bytes_are_stopped_at_the_limit_of_work() {
    let bomb = overlapping(10);
    let inner_bytes = stored(&[("zeroes", &vec![0; 1 << 16])]).len() as u64;
    // Each is looked up, taken and walked.
    let work_bytes = bomb.len() as u64 + 10 * (MEMBER_WORK_BYTES + 2 * inner_bytes);
    assert!(!read("x.jar", &bomb, Bounds { work_bytes, ..ROOM }).over_limit);
    assert!(read("x.jar", &bomb, Bounds { work_bytes: work_bytes - 1, ..ROOM }).over_limit);
    assert!(extract_from(&EXTRACTOR, "x.jar", &overlapping(10_000)).too_large.is_some());
}

#[test]
fn a_larger_file_may_cost_more_work_in_proportion() {
    for bytes in [0, 1, MAX_ARCHIVE_BYTES as u64] {
        let Bounds { nested_bytes, work_bytes, retained_bytes } = Bounds::of(bytes, 7);
        assert_eq!((nested_bytes, retained_bytes), (MAX_NESTED_BYTES, 7));
        assert_eq!(work_bytes, MAX_WORK_BYTES + MAX_WORK_RATIO * bytes);
    }
}

#[test]
fn what_is_returned_is_within_the_limit() {
    let packages: Vec<_> =
        (0..9).map(|at| (format!("{at}/{POM}"), properties("x", &at.to_string()))).collect();
    let members: Vec<_> = packages.iter().map(|(name, text)| (name.as_str(), text.as_slice())).collect();
    let archive = deflated(&members);
    let one = size_of::<LanguagePackage>() + "org.example:x".len() + 1;
    let at = read("x.jar", &archive, Bounds { retained_bytes: one * 9, ..ROOM });
    assert_eq!((at.packages.len(), at.over_limit), (9, false));
    let past = read("x.jar", &archive, Bounds { retained_bytes: one * 9 - 1, ..ROOM });
    assert_eq!((past.packages.len(), past.over_limit), (8, true));
}

proptest! {
    #[test]
    fn no_mutation_of_an_archive_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..24),
        cut in any::<prop::sample::Index>(),
    ) {
        let inner = deflated(&[(POM, &properties("inner", "1"))]);
        let outer = stored(&[("lib/inner.jar", &inner), ("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\n")]);
        let mut archive = [&b"#!/bin/sh\n"[..], &outer].concat();
        for (at, byte) in changes {
            let at = at.index(archive.len());
            archive[at] = byte;
        }
        let _ = read("x-1.0.jar", &archive, ROOM);
        let _ = read("x-1.0.jar", &archive[..cut.index(archive.len())], ROOM);
        let front = b"PK\x03\x04";
        let _ = read("x-1.0.jar", &[front, &archive[..]].concat(), ROOM);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut archive = bytes.clone();
        archive.extend_from_slice(b"PK\x05\x06");
        archive.extend_from_slice(&bytes);
        let _ = read("x.jar", &archive, ROOM);
    }
}
