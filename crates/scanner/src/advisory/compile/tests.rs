//! Databases compiled from small folders.

use std::fs;

use super::*;
use crate::advisory::database::MAX_IDLE_CONNECTIONS;
use crate::advisory::{SourceLocation, changed_ecosystems, changed_packages};

/// A folder of records that a test changes, and a folder of databases.
struct Bench {
    records: tempfile::TempDir,
    out: tempfile::TempDir,
}

impl Bench {
    fn new(count: usize) -> Self {
        let bench = Self { records: tempfile::tempdir().unwrap(), out: tempfile::tempdir().unwrap() };
        (0..count).for_each(|n| bench.put(n, &record(n, "1")));
        bench
    }

    fn put(&self, n: usize, json: &str) {
        fs::write(self.records.path().join(format!("{n}.json")), json).unwrap();
    }

    fn remove(&self, n: usize) {
        fs::remove_file(self.records.path().join(format!("{n}.json"))).unwrap();
    }

    fn source(&self, name: &str) -> Source {
        let location = SourceLocation::Folder(self.records.path().into());
        Source { name: name.into(), location, only: None }
    }

    fn compile(&self, parent: Option<&Database>) -> Result<Compiled, CompileError> {
        compile(&[self.source("own")], parent, self.out.path(), &ShrinkPolicy::default())
    }

    fn database(&self, parent: Option<&Database>) -> Database {
        Database::open(self.compile(parent).unwrap().path).unwrap()
    }

    fn files(&self) -> usize {
        fs::read_dir(self.out.path()).unwrap().count()
    }
}

fn record(n: usize, fixed: &str) -> String {
    let stamp = format!("2026-01-{:02}T00:00:00Z", n % 28 + 1);
    format!(
        r#"{{"id":"DEBIAN-CVE-2026-{n}","modified":"{stamp}","summary":"S","upstream":["CVE-2026-{n}"],
        "affected":[{{"package":{{"ecosystem":"Debian:12","name":"p{n:03}"}},
        "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
    )
}

fn changed(old: &Database, new: &Database) -> Vec<String> {
    changed_packages(old, new, None, 1000).unwrap().into_iter().map(|key| key.name).collect()
}

#[test]
fn a_database_says_what_it_holds_and_where_it_comes_from() {
    let bench = Bench::new(5);
    let first = bench.database(None);
    assert_eq!((first.generation(), first.parent()), (1, None));
    assert_eq!(first.info().sources["own"].records, 5);
    assert_eq!(first.ecosystems()["Debian:12"].as_deref(), Some("2026-01-05T00:00:00Z"));
    let rules = first.lookup("Debian:12", "p001").unwrap();
    assert_eq!(rules.len(), 1);
    assert_eq!(first.text(&rules[0].record).unwrap().description, "S");
    assert_eq!(first.lookup("Debian:11", "p001").unwrap(), []);

    bench.put(1, &record(1, "2"));
    let second = bench.database(Some(&first));
    assert_eq!(second.generation(), 2);
    assert_eq!(second.parent().unwrap().id, first.id());
    assert_eq!(changed(&first, &second), ["p001"]);
}

#[test]
fn identical_content_is_no_new_database() {
    let bench = Bench::new(5);
    let first = bench.database(None);
    let again = bench.compile(Some(&first)).unwrap();
    assert!(again.unchanged);
    assert_eq!((again.path.as_path(), again.generation), (first.path(), 1));
    assert_eq!(bench.files(), 1);
    // Other file names, the same records.
    fs::rename(bench.records.path().join("0.json"), bench.records.path().join("zzz.json")).unwrap();
    assert!(bench.compile(Some(&first)).unwrap().unchanged);
}

#[test]
fn content_that_returns_is_another_generation_with_the_same_id() {
    let bench = Bench::new(5);
    let first = bench.database(None);
    bench.put(1, &record(1, "2"));
    let second = bench.database(Some(&first));
    bench.put(1, &record(1, "1"));
    let third = bench.database(Some(&second));
    assert_eq!(third.id(), first.id());
    assert_ne!(third.path(), first.path());
    assert_eq!(third.generation(), 3);
    assert_eq!(changed(&second, &third), ["p001"]);
    assert!(changed(&first, &third).is_empty());
}

#[test]
fn texts_and_stamps_make_a_database_but_no_change() {
    let bench = Bench::new(5);
    let first = bench.database(None);
    bench.put(
        1,
        &record(1, "1").replace(r#""summary":"S""#, r#""summary":"T""#).replace("2026-01", "2027-01"),
    );
    let second = bench.database(Some(&first));
    assert_ne!(second.id(), first.id());
    assert_eq!(changed(&first, &second), Vec::<String>::new());
}

#[test]
fn withdrawn_records_match_nothing_and_their_packages_changed() {
    let bench = Bench::new(5);
    let first = bench.database(None);
    let withdrawn = record(3, "1").replace(r#""summary""#, r#""withdrawn":"2026-02-01T00:00:00Z","summary""#);
    bench.put(3, &withdrawn);
    let second = bench.database(Some(&first));
    assert_eq!(second.lookup("Debian:12", "p003").unwrap(), []);
    assert_eq!(changed(&first, &second), ["p003"]);
}

#[test]
fn pages_of_changes_make_up_the_whole() {
    let bench = Bench::new(20);
    let first = bench.database(None);
    (0..20).filter(|n| n % 3 != 0).for_each(|n| bench.put(n, &record(n, "2")));
    bench.put(20, &record(20, "1"));
    let second = bench.database(Some(&first));
    let whole = changed_packages(&first, &second, None, 1000).unwrap();
    assert_eq!(whole.len(), 14);
    for limit in 1..=15 {
        let mut paged: Vec<crate::PackageKey> = Vec::new();
        loop {
            let page = changed_packages(&first, &second, paged.last(), limit).unwrap();
            let is_last = page.len() < limit;
            paged.extend(page);
            if is_last {
                break;
            }
        }
        assert_eq!(paged, whole, "pages of {limit}");
    }
    assert_eq!(changed(&second, &first).len(), whole.len(), "either way round");
}

#[test]
fn an_ecosystem_that_appears_is_told() {
    let bench = Bench::new(5);
    let first = bench.database(None);
    bench.put(9, &record(9, "1").replace("Debian:12", "Ubuntu:24.04:LTS"));
    let second = bench.database(Some(&first));
    assert_eq!(changed_ecosystems(&first, &second), ["Ubuntu:24.04:LTS"]);
}

#[test]
fn a_release_whose_support_ends_is_told_and_no_single_stamp_ends_it() {
    let bench = Bench::new(0);
    let put = |n: usize, release: &str, day: &str| {
        let mut json: serde_json::Value = serde_json::from_str(&record(n, "1")).unwrap();
        json["modified"] = format!("{day}T00:00:00Z").into();
        json["affected"][0]["package"]["ecosystem"] = release.into();
        bench.put(n, &json.to_string());
    };
    (0..5).for_each(|n| put(n, "Debian:11", "2026-08-30"));
    (5..10).for_each(|n| put(n, "Debian:13", "2026-08-31"));
    let first = bench.database(None);
    put(5, "Debian:13", "2099-01-01");
    let second = bench.database(Some(&first));
    assert_eq!(second.ecosystems()["Debian:13"].as_deref(), Some("2099-01-01T00:00:00Z"));
    assert!(changed_ecosystems(&first, &second).is_empty(), "one record does not tell the day");
    (6..9).for_each(|n| put(n, "Debian:13", "2026-09-01"));
    let third = bench.database(Some(&second));
    assert_eq!(changed_ecosystems(&second, &third), ["Debian:11"]);
    assert_eq!(changed_ecosystems(&third, &second), ["Debian:11"], "either way round");
}

#[test]
fn what_is_not_matched_is_counted_and_left_out() {
    let bench = Bench::new(1);
    for (n, ecosystem) in [(1, "Debian"), (2, "Ubuntu:Pro:22.04:LTS"), (3, "Bitnami")] {
        bench.put(n, &record(n, "1").replace("Debian:12", ecosystem));
    }
    let compiled = bench.compile(None).unwrap();
    assert_eq!((compiled.stats.records, compiled.stats.entries_not_matched, compiled.stats.rules), (4, 3, 1));
}

#[test]
fn a_source_that_shrinks_vanishes_or_breaks_is_refused_by_name_and_nothing_is_written() {
    let bench = Bench::new(10);
    let first = bench.database(None);
    (0..3).for_each(|n| bench.remove(n));
    let error = bench.compile(Some(&first)).unwrap_err();
    assert!(
        matches!(&error, CompileError::Shrunken { name, before: 10, after: 7, .. } if name == "own"),
        "{error}"
    );
    let other = compile(&[bench.source("other")], Some(&first), bench.out.path(), &ShrinkPolicy::default());
    assert!(matches!(other, Err(CompileError::Vanished { name, records: 10 }) if name == "own"));
    bench.put(5, "{");
    let error = bench.compile(Some(&first)).unwrap_err();
    assert!(matches!(&error, CompileError::Source { name, .. } if name == "own"), "{error}");
    assert_eq!(bench.files(), 1, "the old database alone");
}

#[test]
fn a_smaller_source_is_accepted_by_name_and_at_the_edge() {
    let bench = Bench::new(10);
    let first = bench.database(None);
    (0..2).for_each(|n| bench.remove(n));
    assert_eq!(bench.database(Some(&first)).generation(), 2);
    (2..9).for_each(|n| bench.remove(n));
    let accepting = ShrinkPolicy { accepted: ["own".to_owned()].into(), ..ShrinkPolicy::default() };
    let compiled = compile(&[bench.source("own")], Some(&first), bench.out.path(), &accepting).unwrap();
    assert_eq!(Database::open(compiled.path).unwrap().info().sources["own"].records, 1);
}

#[test]
fn records_that_are_there_but_say_nothing_any_more_are_noticed() {
    let bench = Bench::new(60);
    let first = bench.database(None);
    (0..60).for_each(|n| bench.put(n, &format!(r#"{{"id":"DEBIAN-CVE-2026-{n}","affected":[]}}"#)));
    let error = bench.compile(Some(&first)).unwrap_err();
    assert!(
        matches!(&error, CompileError::Shrunken { name, after: 0, .. } if name == "Debian:12"),
        "{error}"
    );
}

#[test]
fn the_last_source_that_has_a_record_counts() {
    let (upstream, own) = (Bench::new(3), Bench::new(0));
    own.put(1, &record(1, "9"));
    let sources = [upstream.source("upstream"), own.source("own")];
    let compiled = compile(&sources, None, own.out.path(), &ShrinkPolicy::default()).unwrap();
    let database = Database::open(&compiled.path).unwrap();
    let rules = database.lookup("Debian:12", "p001").unwrap();
    assert_eq!(rules.len(), 1);
    assert!(format!("{rules:?}").contains("\"9\""), "{rules:?}");
    assert_eq!(compiled.stats.overridden, 1);
}

/// A record of packages of several ecosystems, each fixed in a version of its own.
fn shared(n: usize, fixed: &[(&str, &str)], more: &str) -> String {
    let affected: Vec<_> = fixed
        .iter()
        .map(|(ecosystem, fixed)| {
            format!(
                r#"{{"package":{{"ecosystem":"{ecosystem}","name":"p"}},"ranges":[{{"type":"ECOSYSTEM",
                "events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}"#
            )
        })
        .collect();
    format!(r#"{{"id":"GHSA-{n}",{more}"affected":[{}]}}"#, affected.join(","))
}

/// Compiles what mirrors have of these ecosystems.
fn exports(parent: Option<&Database>, out: &Bench, exports: &[(&str, &Bench)]) -> Database {
    let source = |(only, bench): &(&str, &Bench)| Source {
        only: Some((*only).to_owned()),
        ..bench.source(&format!("mirror/{only}"))
    };
    let sources: Vec<_> = exports.iter().map(source).collect();
    Database::open(compile(&sources, parent, out.out.path(), &ShrinkPolicy::default()).unwrap().path).unwrap()
}

#[test]
fn an_export_covers_its_own_ecosystem_alone_so_that_another_one_is_news_when_it_comes() {
    let (debian, maven, pypi) = (Bench::new(2), Bench::new(0), Bench::new(0));
    let both = shared(1, &[("Maven", "2"), ("PyPI", "3")], "");
    maven.put(1, &both);
    pypi.put(1, &both);
    let first = exports(None, &debian, &[("Debian", &debian), ("Maven", &maven)]);
    assert!(first.has_ecosystem("Maven") && first.has_ecosystem("Debian:12"));
    assert!(!first.has_ecosystem("PyPI"), "one record is not all that is known");
    assert_eq!(first.lookup("PyPI", "p").unwrap(), []);
    let more = [("Debian", &debian), ("Maven", &maven), ("PyPI", &pypi)];
    let second = exports(Some(&first), &debian, &more);
    assert_eq!(changed_ecosystems(&first, &second), ["PyPI"]);
    assert_eq!(second.lookup("PyPI", "p").unwrap().len(), 1);
    // What is taken whole counts whole.
    let folder = compile(&[maven.source("own")], None, maven.out.path(), &ShrinkPolicy::default()).unwrap();
    assert!(Database::open(folder.path).unwrap().has_ecosystem("PyPI"));
}

#[test]
fn an_old_export_overrides_nothing_that_a_newer_one_says_of_its_own_ecosystem() {
    let (npm, pypi) = (Bench::new(0), Bench::new(0));
    for n in [1, 2] {
        npm.put(n, &shared(n, &[("PyPI", "1"), ("npm", "1")], ""));
    }
    pypi.put(1, &shared(1, &[("PyPI", "5"), ("npm", "5")], ""));
    pypi.put(2, &shared(2, &[("PyPI", "5")], r#""withdrawn":"2026-02-01T00:00:00Z","#));
    for order in [[("PyPI", &pypi), ("npm", &npm)], [("npm", &npm), ("PyPI", &pypi)]] {
        let database = exports(None, &npm, &order);
        let rules = database.lookup("PyPI", "p").unwrap();
        assert_eq!(rules.len(), 1, "the other is withdrawn");
        assert!(format!("{rules:?}").contains("\"5\""), "{rules:?}");
        assert_eq!(database.lookup("npm", "p").unwrap().len(), 2, "as npm's own export says");
    }
}

#[test]
fn an_own_record_overrides_exports_and_an_export_of_one_release_covers_that_release() {
    let (upstream, own) = (Bench::new(2), Bench::new(0));
    upstream.put(5, &shared(5, &[("Debian:12", "1"), ("Debian:11", "1")], ""));
    own.put(1, r#"{"id":"DEBIAN-CVE-2026-1","affected":[]}"#);
    let export = Source { only: Some("Debian:12".to_owned()), ..upstream.source("mirror/Debian:12") };
    let before = [own.source("own"), export.clone()];
    let after = [export, own.source("own")];
    for (sources, left) in [(before, 1), (after, 0)] {
        let compiled = compile(&sources, None, own.out.path(), &ShrinkPolicy::default()).unwrap();
        let database = Database::open(&compiled.path).unwrap();
        assert_eq!(database.lookup("Debian:12", "p001").unwrap().len(), left);
        assert!(database.has_ecosystem("Debian:12") && !database.has_ecosystem("Debian:11"));
    }
}

#[test]
fn several_records_of_one_id_in_one_source_all_count() {
    let bench = Bench::new(2);
    bench.put(7, &record(1, "1"));
    bench.put(8, &record(1, "5"));
    let compiled = bench.compile(None).unwrap();
    assert_eq!(compiled.stats.records, 2, "ids, not files");
    let database = Database::open(compiled.path).unwrap();
    assert_eq!(database.lookup("Debian:12", "p001").unwrap().len(), 2);
}

#[test]
fn sources_need_names_of_their_own() {
    let bench = Bench::new(1);
    let twice = [bench.source("own"), bench.source("own")];
    let policy = ShrinkPolicy::default();
    let error = compile(&twice, None, bench.out.path(), &policy).unwrap_err();
    assert!(matches!(error, CompileError::DuplicateSource { .. }));
    assert!(matches!(compile(&[], None, bench.out.path(), &policy), Err(CompileError::NoSources)));
}

#[test]
fn a_database_file_that_is_cut_or_of_another_schema_is_refused() {
    let bench = Bench::new(50);
    let database = bench.database(None);
    let whole = fs::read(database.path()).unwrap();
    let copy = bench.out.path().join("copy.sqlite");
    for length in [0, 10, 100, 4096, whole.len() - 1] {
        fs::write(&copy, &whole[..length]).unwrap();
        assert!(
            matches!(Database::open(&copy), Err(crate::advisory::DatabaseError::Damaged { .. })),
            "{length}"
        );
    }
    fs::write(&copy, &whole).unwrap();
    let connection = rusqlite::Connection::open(&copy).unwrap();
    connection
        .execute_batch("UPDATE meta SET value = replace(value, '\"schema\":6', '\"schema\":99')")
        .unwrap();
    drop(connection);
    let error = Database::open(&copy).unwrap_err();
    assert!(matches!(error, crate::advisory::DatabaseError::Schema { found: 99, .. }), "{error}");
    assert!(matches!(
        Database::open(bench.out.path().join("missing")),
        Err(crate::advisory::DatabaseError::Io { .. })
    ));
}

#[test]
fn a_database_is_shared_between_threads() {
    let bench = Bench::new(50);
    let database = bench.database(None);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let database = database.clone();
            scope.spawn(move || {
                (0..50).for_each(|n| {
                    assert_eq!(database.lookup("Debian:12", &format!("p{n:03}")).unwrap().len(), 1)
                });
            });
        }
    });
}

#[test]
fn so_many_names_are_tried_for_an_unfinished_file_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut held: Vec<Unfinished> = vec![];
    for _ in 0..MAX_UNFINISHED_FILES {
        held.push(Unfinished::create(folder.path()).unwrap());
    }
    let refused = Unfinished::create(folder.path()).err().map(|error| error.kind());
    assert_eq!(refused, Some(io::ErrorKind::AlreadyExists));
    // One that was given up leaves its name.
    held.pop();
    assert!(Unfinished::create(folder.path()).is_ok());
}

#[test]
fn so_many_idle_connections_are_kept_and_no_more() {
    let bench = Bench::new(1);
    let database = bench.database(None);
    fn nested(database: &Database, depth: usize) {
        database.query(|_| Ok((depth > 0).then(|| nested(database, depth - 1)))).unwrap();
    }
    nested(&database, MAX_IDLE_CONNECTIONS + 3);
    assert_eq!(database.idle_connections(), MAX_IDLE_CONNECTIONS);
}
