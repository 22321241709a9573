//! RPM's databases, of each of the three kinds, whole and broken.

use crate::archive::Tar;
use crate::case::{Case, case};
use crate::contents::{ALMA_8, OS_RELEASE, rpm};

const BERKELEY: &str = "var/lib/rpm/Packages";
const NDB: &str = "usr/lib/sysimage/rpm/Packages.db";
const SQLITE: &str = "var/lib/rpm/rpmdb.sqlite";
/// Where the table of packages begins.
const SQLITE_ROOT: usize = 4096;
const PYTHON: &str = "CVE-2023-24329";

fn alma(path: &str, database: impl AsRef<[u8]>) -> Tar {
    Tar::default().file(OS_RELEASE, ALMA_8).file(path, database)
}

/// None of its packages can be told.
fn lost(path: &str) -> &'static str {
    format!("unknown (unsupported: layer_unreadable malformed_database: {path}, no_package_database the package database names no package)").leak()
}

fn partly(found: &str, path: &str) -> &'static str {
    format!("{found} (partial: layer_unreadable malformed_database: {path})").leak()
}

fn cut(name: &str, part: usize) -> Vec<u8> {
    let bytes = rpm(name);
    bytes[..bytes.len() / part].to_vec()
}

fn zeroed(name: &str, from: usize, bytes: usize) -> Vec<u8> {
    let mut database = rpm(name);
    database[from..from + bytes].fill(0);
    database
}

pub(crate) fn cases() -> Vec<Case> {
    [whole(), broken(), logs()].into_iter().flatten().collect()
}

fn whole() -> Vec<Case> {
    vec![
        case(
            "rpm-berkeley",
            "CVE-2022-1292 CVE-2023-24329",
            "the form of old",
            [alma(BERKELEY, rpm("Packages"))],
        ),
        case("rpm-ndb", PYTHON, "SUSE's form", [alma(NDB, rpm("Packages.db"))]),
        case("rpm-sqlite", PYTHON, "the form of today", [alma(SQLITE, rpm("rpmdb.sqlite"))]),
        case(
            "rpm-sysimage-linked",
            PYTHON,
            "the old place leads to the new one",
            [alma("usr/lib/sysimage/rpm/rpmdb.sqlite", rpm("rpmdb.sqlite"))
                .symlink("var/lib/rpm", "../../usr/lib/sysimage/rpm")],
        ),
        case(
            "rpm-two-databases",
            "CVE-2022-1292 CVE-2023-24329",
            "both are read: rpm reads one, and which is not told",
            [alma(BERKELEY, rpm("Packages")).file(SQLITE, rpm("rpmdb.sqlite"))],
        ),
        case(
            "rpm-sqlite-named-packages",
            PYTHON,
            "the bytes tell the form, not the name",
            [alma(BERKELEY, rpm("rpmdb.sqlite"))],
        ),
        case(
            "rpm-deleted",
            "unknown (unsupported: no_package_database)",
            "removed by whiteout",
            [alma(SQLITE, rpm("rpmdb.sqlite")), Tar::default().whiteout(SQLITE)],
        ),
        case(
            "rpm-fedora",
            "unknown (unsupported: unknown_distribution fedora 40)",
            "not in OSV form",
            [Tar::default().file(OS_RELEASE, "ID=fedora\nVERSION_ID=40\n").file(SQLITE, rpm("rpmdb.sqlite"))],
        ),
    ]
}

fn broken() -> Vec<Case> {
    vec![
        case("rpm-berkeley-empty", lost(BERKELEY), "no bytes at all", [alma(BERKELEY, b"")]),
        case("rpm-ndb-empty", lost(NDB), "no bytes at all", [alma(NDB, b"")]),
        case("rpm-sqlite-empty", lost(SQLITE), "no bytes at all", [alma(SQLITE, b"")]),
        case(
            "rpm-berkeley-cut",
            partly("CVE-2022-1292 CVE-2023-24329", BERKELEY),
            "half of it",
            [alma(BERKELEY, cut("Packages", 2))],
        ),
        case("rpm-ndb-cut", partly("unknown", NDB), "half of it", [alma(NDB, cut("Packages.db", 2))]),
        case("rpm-sqlite-cut", lost(SQLITE), "half of it", [alma(SQLITE, cut("rpmdb.sqlite", 2))]),
        case(
            "rpm-berkeley-no-magic",
            lost(BERKELEY),
            "no database",
            [alma(BERKELEY, zeroed("Packages", 12, 4))],
        ),
        case(
            "rpm-sqlite-no-magic",
            lost(SQLITE),
            "no database",
            [alma(SQLITE, zeroed("rpmdb.sqlite", 0, 16))],
        ),
        case(
            "rpm-berkeley-page-lost",
            "CVE-2022-1292",
            "a page of zeros is how Berkeley DB keeps a free one: a bucket that was emptied tells nothing of it",
            [alma(BERKELEY, zeroed("Packages", 8192, 4096))],
        ),
        case(
            "rpm-sqlite-page-lost",
            lost(SQLITE),
            "a page of zeros in the middle",
            [alma(SQLITE, zeroed("rpmdb.sqlite", SQLITE_ROOT, 100))],
        ),
        case(
            "rpm-ndb-slots-lost",
            lost(NDB),
            "its table of slots is gone",
            [alma(NDB, zeroed("Packages.db", 0, 32))],
        ),
        case("rpm-garbage", lost(BERKELEY), "bytes that are nothing", [alma(BERKELEY, [0xa5; 40_000])]),
    ]
}

fn logs() -> Vec<Case> {
    let (database, log) = (rpm("logged.sqlite"), rpm("logged.sqlite-wal"));
    let beside = format!("{SQLITE}-wal");
    vec![
        case(
            "rpm-sqlite-with-its-log",
            PYTHON,
            "what was written last lies beside it",
            [alma(SQLITE, &database).file(&beside, &log)],
        ),
        case(
            "rpm-sqlite-log-cut",
            PYTHON,
            "SQLite itself ends at the first broken frame",
            [alma(SQLITE, &database).file(&beside, &log[..log.len() - 100])],
        ),
        case(
            "rpm-sqlite-log-in-upper-layer",
            "CVE-2023-24329 (partial: unread_kind rpm)",
            "a log alone belongs to a database that was read without it",
            [alma(SQLITE, &database), Tar::default().file(&beside, &log)],
        ),
    ]
}
