//! `docs/torture.md`: the table for people, held against the rows.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::case::Case;
use crate::families::FAMILIES;
use crate::saved;

/// Set, the page is written anew.
const WRITE: &str = "CVE_MONITOR_WRITE_PAGES";

const HEAD: &str = "# Images made to mislead

What becomes of them, and why. Each is built by `tests/torture`, driven from an OCI layout through the production system to its
archived report, and must end with this verdict; the same test cuts the last layer of each at several places, and none may be
clean then. Most hold one flawed package: a verdict that does not name its CVE must say that the look was not complete.

`clean` and a CVE alone mean that the look was complete. In parentheses stand the level of one that was not, and its reasons.
`refused` means that there is no report, the image is tried again, and then there is a dead letter.

This page is written by `CVE_MONITOR_WRITE_PAGES=1 cargo test -p cve-monitor-tests --test torture -- page`.
";

fn path() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/torture.md").into()
}

fn row(case: &Case) -> String {
    format!("| {} | {} | {} |\n", case.name, case.expected, case.why)
}

#[test]
fn the_page_has_every_row() {
    let mut page = HEAD.to_owned();
    let mut count = 0;
    for (family, rows) in FAMILIES {
        let rows = rows();
        count += rows.len();
        write!(page, "\n## {family}\n\n| image | verdict | why |\n|---|---|---|\n").unwrap();
        page.extend(rows.iter().map(row));
    }
    write!(page, "\n{count} images.\n\n").unwrap();
    let (saved, once) = (saved::rows().len(), saved::READ_ONCE);
    writeln!(
        page,
        "## From a docker archive\n\n{saved} of them are also read from an archive as `docker save` wrote it"
    )
    .unwrap();
    writeln!(
        page,
        "before its version 25, and podman does. The others have no form there: indexes, manifests that say"
    )
    .unwrap();
    writeln!(
        page,
        "more than their layers, and blobs that are missing or others than promised. Those of {once} are not"
    )
    .unwrap();
    page.push_str("read twice. All end alike but these:\n\n| image | verdict | why |\n|---|---|---|\n");
    for (name, verdict, why) in saved::OTHERWISE {
        writeln!(page, "| {name} | {verdict} | {why} |").unwrap();
    }
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(path(), &page).unwrap();
    }
    let written = std::fs::read_to_string(path()).unwrap_or_default();
    assert!(page == written, "docs/torture.md is not what the rows say: write it anew with {WRITE}=1");
}
