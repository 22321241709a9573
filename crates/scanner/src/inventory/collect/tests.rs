//! Members by hand: what is kept, what is noted, and where the bounds lie.

use std::io::Read as _;

use super::memory::SMALL_BYTES;
use super::*;
use crate::inventory::language::lock::MAX_LOCK_BYTES;
use crate::inventory::language::{dotnet, java, node, php, python};
use crate::inventory::os::{apk, dpkg, rpm};

/// Content that lies in memory.
struct Bytes<'a>(&'a [u8]);

impl Content for Bytes<'_> {
    fn peek(&mut self, wanted: usize) -> Result<&[u8], TarError> {
        Ok(&self.0[..wanted.min(self.0.len())])
    }

    fn chunk(&mut self) -> Result<Option<&[u8]>, TarError> {
        let all = std::mem::take(&mut self.0);
        Ok((!all.is_empty()).then_some(all))
    }

    fn remaining(&self) -> u64 {
        self.0.len() as u64
    }
}

fn collect(members: &[(&str, MemberKind, &str, &[u8])]) -> Collected {
    collect_within(members, &Limits::default())
}

fn collect_within(members: &[(&str, MemberKind, &str, &[u8])], limits: &Limits) -> Collected {
    let extraction = Extraction { limits: *limits, ..Extraction::default() };
    let mut collector = Collector::new(&extraction);
    for (name, kind, link, content) in members {
        let member =
            Member { name: (*name).into(), kind: *kind, link: (*link).into(), sparse: false, mode: 0o644 };
        collector.member(&member, &mut Bytes(content)).unwrap();
    }
    collector.finish()
}

fn file<'a>(name: &'a str, content: &'a [u8]) -> (&'a str, MemberKind, &'a str, &'a [u8]) {
    (name, MemberKind::Regular, "", content)
}

fn paths(found: &Collected) -> Vec<&str> {
    found.nodes.iter().map(|node| node.path.as_str()).collect()
}

const DATABASE: &[u8] = b"Package: a\nVersion: 1\n";

#[test]
fn databases_are_kept_wherever_they_lie_but_known_copies_are_not() {
    let found = collect(&[
        file("var/lib/dpkg/status", DATABASE),
        file("var/lib/dpkg/status-old", DATABASE),
        file("var/lib/dpkg/available", DATABASE),
        file("var/lib/apt/lists/x_Packages", DATABASE),
        file("srv/repository/Packages", DATABASE),
        file("var/lib/dpkg/status.d/base", DATABASE),
        file("var/lib/dpkg/status.d/base.md5sums", b"0  usr/bin/a\n"),
        file("data/elsewhere", DATABASE),
        file("data/text", b"Packages: many\n"),
    ]);
    assert_eq!(paths(&found), ["var/lib/dpkg/status", "var/lib/dpkg/status.d/base", "data/elsewhere"]);
}

#[test]
fn whiteouts_are_taken_by_name_and_tricks_are_not() {
    let found = collect(&[
        file("var/.wh.lib", b""),
        file(".wh.top", b""),
        file("srv/.wh..wh..opq", b""),
        file(".wh..wh.plnk", b""),
        file("a/.wh.", b""),
        file("a/.wh..", b""),
        file("a/.wh...", b""),
    ]);
    assert_eq!(found.whiteouts, ["var/lib", "top"]);
    assert_eq!(found.opaque_directories, ["srv"]);
}

#[test]
fn evidence_is_kept_though_a_list_says_that_a_package_owns_it() {
    let desc = "var/lib/pacman/local/bash-5/desc";
    let list = format!("/{desc}\n");
    let mut found = collect(&[file(desc, b"x"), file("var/lib/dpkg/info/gone.list", list.as_bytes())]);
    assert_eq!(found.unread()[0].paths, [desc]);
}

#[test]
fn names_that_climb_out_are_ignored_and_told() {
    let found = collect(&[
        file("../../var/lib/dpkg/status", DATABASE),
        file("../tmp/x", b"x"),
        ("../", MemberKind::Directory, "", b""),
    ]);
    assert!(found.nodes.is_empty());
    let left = |path: &str| LayerProblem::NameLeavesRoot { path: path.into() };
    assert_eq!(found.problems, [left("var/lib/dpkg/status"), left("tmp/x")]);
}

#[test]
fn a_release_file_is_read_up_to_its_bound() {
    let of = |bytes: usize| {
        let text = vec![b'#'; bytes];
        let found = collect(&[file("etc/os-release", &text)]);
        let NodeContent::OsRelease { text } = &found.nodes[0].content else { panic!() };
        (text.len(), found.problems.len())
    };
    let most = os_release::MAX_OS_RELEASE_BYTES;
    assert_eq!(of(most), (most, 0));
    assert_eq!(of(most + 1), (most, 1));
}

#[test]
fn folders_are_kept_where_something_lies_in_them_and_in_front_of_it() {
    let jar = b"no archive";
    let folder = |name| (name, MemberKind::Directory, "", b"".as_slice());
    let found = collect(&[file("srv/a/x.jar", jar), folder("srv/a"), folder("srv"), folder("srv/empty")]);
    assert_eq!(paths(&found), ["srv", "srv/a", "srv/a/x.jar"]);
    let found =
        collect(&[("srv/a", MemberKind::Symlink, "b", b""), folder("srv/a"), file("srv/a/x.jar", jar)]);
    assert_eq!(paths(&found), ["srv/a", "srv/a", "srv/a/x.jar"], "the later of two members of one name");
}

#[test]
fn files_told_by_their_content_are_named_by_their_owners_in_either_spelling_of_usr() {
    let list = b"/.\n/lib/x/a.jar\n/bin/tool\n/bin/plain\n";
    let mut program = b"\x7fELF............\xff Go buildinf:\x08\x02".to_vec();
    program.extend([0; 16]);
    program.extend(b"\x08go1.21.3\x00");
    let found = collect(&[
        file("usr/lib/x/a.jar", b"no archive"),
        file("usr/bin/tool", &program),
        file("usr/bin/plain", b"\x7fELF"),
        file("usr/local/bin/tool", &program),
        file("usr/local/bin/plain", b"\x7fELF"),
        file("opt/empty.jar", b""),
        file("var/lib/dpkg/info/x.list", list),
    ]);
    // What holds nothing hides what lower layers have there, unless it is part of a package.
    let expected = [
        "usr/bin/tool",
        "usr/local/bin/tool",
        "usr/local/bin/plain",
        "opt/empty.jar",
        "var/lib/dpkg/info/x.list",
    ];
    assert_eq!(paths(&found), expected);
    let NodeContent::Packages { packages, .. } = &found.nodes[0].content else { panic!() };
    assert_eq!((packages[0].kind, packages[0].name.as_str()), (PackageKind::Golang, "stdlib"));
    let NodeContent::Owner { paths } = &found.nodes[4].content else { panic!() };
    assert_eq!(*paths, ["usr/lib/x/a.jar", "usr/bin/tool"]);
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let found = collect(&[file("app/x.jar", b"PK\x03\x04 and no more"), file("a.dist-info/METADATA", b"")]);
    let problems: Vec<_> = found
        .nodes
        .iter()
        .map(|node| match &node.content {
            NodeContent::Packages { problem: Some(problem), .. } => problem.code(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(problems, ["malformed_database", "malformed_database"]);
}

#[test]
fn links_that_may_lead_to_a_database_are_kept() {
    let found = collect(&[
        ("lib", MemberKind::Symlink, "usr/lib", b""),
        ("var/lib", MemberKind::Symlink, "/data", b""),
        ("usr/share/x", MemberKind::Symlink, "y", b""),
        ("usr/lib/libx.so.1", MemberKind::Symlink, "libx.so.1.0", b""),
        file("data/status", DATABASE),
        ("other/status", MemberKind::HardLink, "./data/status", b""),
        file("data/text", b"text"),
        ("other/text", MemberKind::HardLink, "data/text", b""),
        ("other/copy", MemberKind::HardLink, "other/text", b""),
        ("other/lower", MemberKind::HardLink, "data/lower", b""),
        ("etc", MemberKind::Directory, "", b""),
        ("home", MemberKind::Directory, "", b""),
        ("var/lib/dpkg/status", MemberKind::Other, "", b""),
    ]);
    let expected = [
        "lib",
        "var/lib",
        "usr/share/x",
        "data/status",
        "other/status",
        "other/lower",
        "etc",
        "var/lib/dpkg/status",
    ];
    assert_eq!(paths(&found), expected);
}

#[test]
fn targets_of_links_cost_what_they_are_long() {
    let target = "t".repeat(1000);
    let bytes = 2 * "var".len() + target.len() + PATH_OVERHEAD_BYTES;
    for kind in [MemberKind::Symlink, MemberKind::HardLink] {
        let within = |max_record_bytes: usize| {
            let limits = Limits { max_record_bytes, ..Limits::default() };
            collect_within(&[("var", kind, &target, b"")], &limits)
        };
        assert_eq!((within(bytes).nodes.len(), within(bytes).problems.len()), (1, 0), "{kind:?}");
        let past = within(bytes - 1);
        assert_eq!((past.nodes.len(), past.problems[0].code()), (0, "record_too_large"), "{kind:?}");
    }
}

#[test]
fn problems_are_bounded_at_the_limit() {
    let names: Vec<String> = (0..=MAX_PROBLEMS).map(|n| format!("../{n}.jar")).collect();
    let members: Vec<_> = names.iter().map(|name| file(name, b"PK")).collect();
    assert_eq!(collect(&members[..MAX_PROBLEMS]).problems.len(), MAX_PROBLEMS);
    assert_eq!(collect(&members).problems.len(), MAX_PROBLEMS);
}

#[test]
fn os_release_is_cut_at_the_limit() {
    let kept = |bytes: usize| match &collect(&[file("etc/os-release", &vec![b'x'; bytes])]).nodes[0].content {
        NodeContent::OsRelease { text } => text.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(kept(os_release::MAX_OS_RELEASE_BYTES), os_release::MAX_OS_RELEASE_BYTES);
    assert_eq!(kept(os_release::MAX_OS_RELEASE_BYTES + 1), os_release::MAX_OS_RELEASE_BYTES);
}

#[test]
fn a_list_of_owned_files_costs_no_more_than_there_is_room_for() {
    let list: Vec<u8> = (0..10_000).flat_map(|n| format!("/x/{n}.jar\n").into_bytes()).collect();
    let limits = Limits { max_record_bytes: 10_000, ..Limits::default() };
    let found = collect_within(&[file("var/lib/dpkg/info/x.list", &list)], &limits);
    assert!(found.nodes.is_empty());
    assert_eq!(found.problems, [LayerProblem::RecordTooLarge { limit_bytes: 10_000 }]);
}

fn unzip(bytes: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut content).unwrap();
    content
}

/// A database of five packages, and a log that removes one and adds two.
fn logged() -> (Vec<u8>, Vec<u8>) {
    let database = unzip(include_bytes!("../os/rpm/testdata/logged.sqlite.gz"));
    (database, unzip(include_bytes!("../os/rpm/testdata/logged.sqlite-wal.gz")))
}

const SQLITE: &str = "var/lib/rpm/rpmdb.sqlite";
const SQLITE_LOG: &str = "var/lib/rpm/rpmdb.sqlite-wal";

/// The path, the number of packages and the problem of each node.
fn read_nodes(found: &Collected) -> Vec<(&str, usize, Option<&'static str>)> {
    let of = |node: &'_ Node| match &node.content {
        NodeContent::Packages { packages, problem, .. } => {
            (packages.len(), problem.as_ref().map(LayerProblem::code))
        }
        _ => (0, None),
    };
    found.nodes.iter().map(|node| (node.path.as_str(), of(node).0, of(node).1)).collect()
}

#[test]
fn a_database_and_its_log_are_read_together_whichever_comes_first() {
    let (database, log) = logged();
    for members in
        [[file(SQLITE, &database), file(SQLITE_LOG, &log)], [file(SQLITE_LOG, &log), file(SQLITE, &database)]]
    {
        assert_eq!(read_nodes(&collect(&members)), [(SQLITE, 6, None)]);
    }
    assert_eq!(read_nodes(&collect(&[file(SQLITE, &database)])), [(SQLITE, 5, None)]);
    assert_eq!(read_nodes(&collect(&[file(SQLITE, &database), file(SQLITE_LOG, b"")])), [(SQLITE, 5, None)]);
}

#[test]
fn a_log_without_its_database_is_a_problem_unless_it_says_nothing() {
    let (_, log) = logged();
    let found = collect(&[file(SQLITE_LOG, &log)]);
    assert_eq!(read_nodes(&found), [(SQLITE_LOG, 0, Some("malformed_database"))]);
    assert!(collect(&[file(SQLITE_LOG, b"")]).nodes.is_empty());
}

#[test]
fn of_two_files_with_one_name_the_last_counts() {
    let (database, _) = logged();
    let found = collect(&[file(SQLITE, b"SQLite format 3\0"), file(SQLITE, &database)]);
    assert_eq!(read_nodes(&found).last(), Some(&(SQLITE, 5, None)));
}

#[test]
fn a_hard_link_stands_behind_the_database_that_it_leads_to() {
    let (database, _) = logged();
    let found = collect(&[
        file("usr/lib/sysimage/rpm/rpmdb.sqlite", &database),
        (SQLITE, MemberKind::HardLink, "usr/lib/sysimage/rpm/rpmdb.sqlite", b""),
    ]);
    assert_eq!(paths(&found), ["usr/lib/sysimage/rpm/rpmdb.sqlite", SQLITE]);
}

#[test]
fn files_are_held_up_to_the_limit() {
    let (database, log) = logged();
    assert_eq!(Collector::new(&Extraction::default()).max_held_bytes, held::MAX_HELD_BYTES);
    let within = |max_held_bytes: usize| {
        let mut collector = Collector { max_held_bytes, ..Collector::new(&Extraction::default()) };
        for (name, content) in [(SQLITE, &database), (SQLITE_LOG, &log)] {
            let member = Member {
                name: name.into(),
                kind: MemberKind::Regular,
                link: String::new(),
                sparse: false,
                mode: 0o644,
            };
            collector.member(&member, &mut Bytes(content)).unwrap();
        }
        read_nodes(&collector.finish())
            .into_iter()
            .map(|(_, packages, problem)| (packages, problem))
            .collect()
    };
    let all = database.len() + log.len();
    let read: Vec<(usize, Option<&str>)> = within(all);
    assert_eq!(read, [(6, None)]);
    // Without its log the database is that of an earlier day: the log's own problem says so.
    let read: Vec<(usize, Option<&str>)> = within(all - 1);
    assert_eq!(read, [(5, None), (0, Some("database_too_large"))]);
}

#[test]
fn readings_that_share_too_little_memory_for_both_wait_for_each_other_and_read_all() {
    let mut large = DATABASE.to_vec();
    large.resize(SMALL_BYTES + 1, b'\n');
    let memory: &'static SharedMemory = Box::leak(Box::new(SharedMemory::new(SMALL_BYTES + 1)));
    let read = || {
        let mut collector = Collector { memory, ..Collector::new(&Extraction::default()) };
        let no_database = vec![b'x'; SMALL_BYTES + 1];
        for (path, content) in [("var/lib/dpkg/status", &large), (SQLITE, &no_database)] {
            let member = Member {
                name: path.into(),
                kind: MemberKind::Regular,
                link: String::new(),
                sparse: false,
                mode: 0o644,
            };
            collector.member(&member, &mut Bytes(content)).unwrap();
        }
        assert!(collector.staying.is_some(), "a held file stays");
        let found = collector.finish();
        let read = read_nodes(&found);
        (read[0].1, read[1].2)
    };
    std::thread::scope(|scope| {
        let readings: Vec<_> = (0..4).map(|_| scope.spawn(read)).collect();
        for reading in readings {
            assert_eq!(reading.join().unwrap(), (1, Some("malformed_database")));
        }
    });
}

#[test]
fn a_file_is_read_up_to_the_limit_of_its_kind() {
    let path = "lib/apk/db/installed";
    let stanza = b"P:a\nV:1\n\n";
    let within = |max_captured_bytes: usize| {
        let limits = Limits { max_captured_bytes, ..Limits::default() };
        read_nodes(&collect_within(&[file(path, stanza)], &limits))[0].2
    };
    assert_eq!(within(stanza.len()), None);
    assert_eq!(within(stanza.len() - 1), Some("database_too_large"));
}

#[test]
fn scripts_and_links_that_belong_to_no_package_hide_what_lower_layers_have_there() {
    let found = collect(&[
        file("usr/bin/wrapped", b"#!/bin/sh"),
        file("usr/bin/owned", b"#!/bin/sh"),
        file("usr/share/text", b"text"),
        ("opt/app", MemberKind::Symlink, "/srv/app", b""),
        ("usr/share/owned", MemberKind::Symlink, "x", b""),
        file("lib/apk/db/installed", b"P:a\nV:1\nF:usr/bin\nR:owned\nF:usr/share\nR:owned\n"),
    ]);
    assert_eq!(paths(&found), ["usr/bin/wrapped", "opt/app", "lib/apk/db/installed"]);
}

#[test]
fn a_database_names_those_of_its_files_that_hold_packages() {
    let metadata = "usr/lib/python3.11/site-packages/a-1.dist-info/METADATA";
    let installed = "P:py3-a\nV:1\nF:usr/lib/python3.11/site-packages/a-1.dist-info\nR:METADATA\nR:RECORD\n\
                     F:bin\nR:tool\n";
    let mut program = b"\x7fELF............\xff Go buildinf:\x08\x02".to_vec();
    program.extend([0; 16]);
    program.extend(b"\x08go1.21.3\x00");
    let found = collect(&[
        file("bin/tool", &program),
        file("lib/apk/db/installed", installed.as_bytes()),
        file(metadata, b"Name: a\nVersion: 1\n\n"),
    ]);
    let NodeContent::Packages { owned, .. } = &found.nodes[1].content else { panic!() };
    assert_eq!(owned[0].package, "py3-a");
    assert_eq!(owned[0].paths, [metadata, "usr/bin/tool"]);
}

#[test]
fn lock_files_are_read_where_that_is_asked_for() {
    let lock = br#"{"lockfileVersion":3,"packages":{"node_modules/lodash":{"version":"4.17.20"}}}"#;
    let within = |lock_files: bool| {
        let mut collector = Collector::new(&Extraction { lock_files, ..Extraction::default() });
        for name in ["app/package-lock.json", "app/node_modules/a/package-lock.json"] {
            let member = Member {
                name: name.into(),
                kind: MemberKind::Regular,
                link: String::new(),
                sparse: false,
                mode: 0o644,
            };
            collector.member(&member, &mut Bytes(lock)).unwrap();
        }
        collector.finish()
    };
    assert_eq!(paths(&within(false)), [""; 0]);
    assert_eq!(paths(&within(true)), ["app/package-lock.json"]);
}

/// Bytes of the longest file that is read in these tests.
const MOST_READ_BYTES: usize = 4 << 20;

/// So many blank lines, a piece at a time.
struct Blank(usize);

static BLANK: [u8; 64 << 10] = [b'\n'; 64 << 10];

impl Content for Blank {
    fn peek(&mut self, wanted: usize) -> Result<&[u8], TarError> {
        Ok(&BLANK[..wanted.min(self.0)])
    }

    fn chunk(&mut self) -> Result<Option<&[u8]>, TarError> {
        let taken = self.0.min(BLANK.len());
        self.0 -= taken;
        Ok((taken > 0).then(|| &BLANK[..taken]))
    }

    fn remaining(&self) -> u64 {
        self.0 as u64
    }
}

#[test]
fn files_are_read_whole_up_to_the_bound_of_their_kind() {
    let too_large = |path: &str, bytes: usize| {
        let mut collector = Collector::new(&Extraction { lock_files: true, ..Extraction::default() });
        let (name, link) = (path.to_owned(), String::new());
        let member = Member { name, kind: MemberKind::Regular, link, sparse: false, mode: 0o644 };
        collector.member(&member, &mut Blank(bytes)).unwrap();
        let found = collector.finish();
        found.nodes.iter().find_map(|node| match &node.content {
            NodeContent::Packages {
                problem: Some(LayerProblem::DatabaseTooLarge { limit_bytes, .. }),
                ..
            } => Some(usize::try_from(*limit_bytes).unwrap()),
            _ => None,
        })
    };
    for (path, bound) in [
        ("var/lib/dpkg/status", dpkg::MAX_STATUS_BYTES),
        ("lib/apk/db/installed", apk::MAX_INSTALLED_BYTES),
        ("var/lib/rpm/Packages", rpm::MAX_DATABASE_BYTES),
        ("var/lib/rpm/rpmdb.sqlite", rpm::MAX_DATABASE_BYTES),
        ("app/node_modules/a/package.json", node::MAX_PACKAGE_JSON_BYTES),
        ("app/a.jar", java::MAX_ARCHIVE_BYTES),
        ("app/a.egg", python::MAX_EGG_BYTES),
        ("app/a.deps.json", dotnet::MAX_DEPS_JSON_BYTES),
        ("app/vendor/composer/installed.json", php::MAX_INSTALLED_BYTES),
        ("app/package-lock.json", MAX_LOCK_BYTES),
        ("app/yarn.lock", MAX_LOCK_BYTES),
        ("app/pnpm-lock.yaml", MAX_LOCK_BYTES),
        ("app/poetry.lock", MAX_LOCK_BYTES),
        ("app/Cargo.lock", MAX_LOCK_BYTES),
        ("app/Gemfile.lock", MAX_LOCK_BYTES),
        ("app/composer.lock", MAX_LOCK_BYTES),
        ("app/go.mod", MAX_LOCK_BYTES),
    ] {
        let extractor = extractors(true).find(|each| (each.claims_path)(path)).unwrap();
        assert_eq!(extractor.max_bytes, bound, "{path}");
        assert!(bound <= Limits::default().max_captured_bytes, "{path}");
        // Reading the longest takes long in a build that is not optimised; that they are captured whole is the same code.
        if bound <= MOST_READ_BYTES {
            assert_eq!(too_large(path, bound), None, "{path}");
        }
        assert_eq!(too_large(path, bound + 1), Some(bound), "{path}");
    }
}
