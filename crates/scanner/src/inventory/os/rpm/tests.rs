//! Databases of all three kinds, whole and broken. `testdata/Packages` was written by Berkeley DB, the SQLite files by
//! SQLite, `Packages.db` by hand after `rpmpkg.c`.

use std::collections::BTreeSet;
use std::io::Read as _;

use proptest::prelude::*;

use super::*;
use crate::inventory::extractor::extract_from;

const BERKELEY: &[u8] = include_bytes!("testdata/Packages.gz");
const NDB: &[u8] = include_bytes!("testdata/Packages.db.gz");
const PLAIN: &[u8] = include_bytes!("testdata/rpmdb.sqlite.gz");
/// From the middle of which a package was removed, and to which two were added; as its log says.
const LOGGED: &[u8] = include_bytes!("testdata/logged.sqlite.gz");
const LOG: &[u8] = include_bytes!("testdata/logged.sqlite-wal.gz");

fn unzip(bytes: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut content).unwrap();
    content
}

fn parse(content: &[u8]) -> Extracted {
    extract_from(&EXTRACTOR, "var/lib/rpm/Packages", content)
}

fn parse_with_log(content: &[u8], log: &[u8]) -> Extracted {
    let mut found = Extracted::within(crate::DEFAULT_MAX_RECORD_BYTES);
    extract(&File { path: "var/lib/rpm/rpmdb.sqlite", content, beside: Some(log) }, &mut found);
    found
}

fn names(found: &Extracted) -> Vec<&str> {
    let mut names: Vec<&str> = found.packages.iter().map(|package| package.name.as_str()).collect();
    names.sort_unstable();
    names
}

const BEFORE: [&str; 5] = ["npm", "perl-libs", "platform-python", "python3-pyyaml", "tzdata"];

#[test]
fn a_berkeley_database_is_read() {
    let found = parse(&unzip(BERKELEY));
    assert_eq!((found.packages.len(), found.malformed_parts), (19, 0));
    let openssl = found.packages.iter().find(|package| package.name == "openssl-libs").unwrap();
    assert_eq!((openssl.version.as_str(), openssl.arch.as_str()), ("1:1.1.1k-6.el8_5", "x86_64"));
    assert_eq!((openssl.source.as_str(), openssl.source_version.as_str()), ("openssl", "1.1.1k-6.el8_5"));
}

#[test]
fn ndb_and_sqlite_hold_the_same() {
    let (ndb, sqlite) = (parse(&unzip(NDB)), parse(&unzip(PLAIN)));
    assert_eq!((ndb.malformed_parts, sqlite.malformed_parts), (0, 0));
    let sorted = |found: &Extracted| found.packages.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(sorted(&ndb), sorted(&sqlite));
    assert_eq!(names(&sqlite), BEFORE, "the imported key is no package");
    let npm = sqlite.packages.iter().find(|package| package.name == "npm").unwrap();
    assert_eq!(npm.version, "1:9.5.0-1.18.14.2.2.module_el8.7.0+3483+8ee76a6e");
    assert_eq!((npm.source.as_str(), npm.module.as_deref()), ("nodejs", Some("nodejs:18")));
    assert_eq!(npm.source_version, "18.14.2-2.module_el8.7.0+3483+8ee76a6e");
}

#[test]
fn files_belong_to_their_packages() {
    let found = parse(&unzip(PLAIN));
    let owned: Vec<_> =
        found.owned.of_interest.iter().map(|files| (files.package.as_str(), files.paths.join(","))).collect();
    let metadata = "usr/lib64/python3.6/site-packages/PyYAML-3.12-py3.6.egg-info";
    let expected = [
        ("python3-pyyaml", metadata.to_owned()),
        ("npm", "usr/lib/node_modules/npm/package.json".to_owned()),
        ("tzdata", String::new()),
    ];
    assert_eq!(owned, expected);
}

#[test]
fn what_was_committed_to_the_log_counts() {
    let (database, log) = (unzip(LOGGED), unzip(LOG));
    assert_eq!(names(&parse(&database)), BEFORE);
    let found = parse_with_log(&database, &log);
    let after = ["late", "later", "perl-libs", "platform-python", "python3-pyyaml", "tzdata"];
    assert_eq!((names(&found), found.malformed_parts), (after.to_vec(), 0));
}

#[test]
fn a_log_that_is_cut_counts_up_to_its_last_whole_commit() {
    let (database, log) = (unzip(LOGGED), unzip(LOG));
    // Frames of one page each: the removal, the first package, the second one.
    let mut seen = BTreeSet::new();
    for length in (0..log.len()).step_by(401) {
        let found = parse_with_log(&database, &log[..length]);
        assert_eq!(found.malformed_parts, 0, "{length}");
        seen.insert(names(&found).len());
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [4, 5]);
    for empty in [&[][..], &[0; 32][..]] {
        assert_eq!(parse_with_log(&database, empty).packages.len(), 5);
    }
}

#[test]
fn a_log_by_itself_is_a_part_that_cannot_be_read_unless_it_says_nothing() {
    let alone = |log: &[u8]| extract_from(&SQLITE, "var/lib/rpm/rpmdb.sqlite-wal", log).malformed_parts;
    assert_eq!(alone(&unzip(LOG)), 1);
    assert_eq!(alone(b""), 0);
    assert_eq!(alone(&unzip(LOG)[..32]), 0);
}

#[test]
fn what_is_no_database_is_malformed() {
    for content in [&b""[..], b"text", &[0; 4096], b"SQLite format 3\0", b"RpmP"] {
        let found = parse(content);
        assert_eq!((found.packages.len(), found.malformed_parts), (0, 1), "{content:?}");
    }
}

#[test]
fn a_database_cut_anywhere_is_never_whole() {
    for (database, step) in [(unzip(BERKELEY), 509), (unzip(NDB), 61), (unzip(PLAIN), 509)] {
        for length in (0..database.len()).step_by(step) {
            assert!(parse(&database[..length]).malformed_parts > 0, "{length} of {}", database.len());
        }
    }
}

#[test]
fn a_database_that_names_one_header_without_end_ends() {
    // Every slot of the first page is that of the one package which is as long as the rest of the file.
    let header = unzip(NDB)[4096 + 16..4096 + 16 + 324].to_vec();
    let body = [&b"BlbS\x01\0\0\0\0\0\0\0"[..], &324u32.to_le_bytes(), &header].concat();
    let blocks = (body.len() + 12).div_ceil(16);
    let mut database = [&b"RpmP\0\0\0\0\0\0\0\0\x01\0\0\0"[..], &[0; 16]].concat();
    let slot = [&b"Slot\x01\0\0\0\0\x01\0\0"[..], &u32::try_from(blocks).unwrap().to_le_bytes()].concat();
    database.extend(slot.repeat((4096 - 32) / 16));
    database.extend(body);
    database.resize(4096 + blocks * 16 - 4, 0);
    database.extend(b"BlbE");
    let found = parse(&database);
    assert_eq!(found.malformed_parts, 1);
    assert!(found.packages.len() <= database.len() / header.len(), "{}", found.packages.len());
}

#[test]
fn places_of_the_image_and_of_inner_systems_are_claimed() {
    for path in ["var/lib/rpm/Packages", "usr/share/rpm/Packages.db", "srv/x/usr/lib/sysimage/rpm/Packages"] {
        assert!((EXTRACTOR.claims_path)(path), "{path}");
    }
    for path in ["var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite-wal"] {
        assert!((SQLITE.claims_path)(path), "{path}");
        assert!(!(EXTRACTOR.claims_path)(path), "{path}");
    }
    for path in ["var/lib/rpm/Name", "opt/Packages", "myvar/lib/rpm/Packages", "var/lib/rpm/rpmdb.sqlite-shm"]
    {
        assert!(!(EXTRACTOR.claims_path)(path) && !(SQLITE.claims_path)(path), "{path}");
    }
}

/// A real database in which some bytes are others, and some numbers large.
fn broken(database: &[u8]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let database = database.to_vec();
    let length = database.len();
    let byte = (0..length, any::<u8>()).prop_map(|(at, byte)| (at, vec![byte]));
    let number = (0..length, prop_oneof![Just(0u32), Just(1), Just(u32::MAX), any::<u32>()], any::<bool>());
    let number = number.prop_map(|(at, number, is_big)| {
        (at, if is_big { number.to_be_bytes() } else { number.to_le_bytes() }.to_vec())
    });
    // The front of a file says the most about it.
    let front = (0..length.min(4096), any::<u8>()).prop_map(|(at, byte)| (at, vec![byte]));
    let changes = prop::collection::vec(prop_oneof![byte, number, front], 1..12);
    (changes, 0..=length / 8).prop_map(move |(changes, cut)| {
        let mut broken = database.clone();
        for (at, bytes) in changes {
            let room = bytes.len().min(broken.len() - at);
            broken[at..at + room].copy_from_slice(&bytes[..room]);
        }
        broken.truncate(length - if cut > length / 16 { cut } else { 0 });
        broken
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn broken_berkeley_databases_end(database in broken(&unzip(BERKELEY))) {
        prop_assert!(parse(&database).packages.len() <= database.len());
    }

    #[test]
    fn broken_ndb_databases_end(database in broken(&unzip(NDB))) {
        prop_assert!(parse(&database).packages.len() <= database.len());
    }

    #[test]
    fn broken_sqlite_databases_end(database in broken(&unzip(LOGGED)), log in broken(&unzip(LOG))) {
        let found = parse_with_log(&database, &log);
        prop_assert!(found.packages.len() <= database.len() + log.len());
    }

    #[test]
    fn any_bytes_behind_a_magic_number_end(magic in 0..3usize, bytes in prop::collection::vec(any::<u8>(), 0..9000)) {
        let front = [unzip(BERKELEY)[..100].to_vec(), unzip(NDB)[..32].to_vec(), unzip(PLAIN)[..100].to_vec()];
        let found = parse(&[&front[magic][..], &bytes].concat());
        prop_assert!(found.packages.len() <= bytes.len());
    }
}
