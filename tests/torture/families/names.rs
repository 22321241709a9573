//! Names of members: spellings, escapes, and headers that two readers would take for different things.

use crate::archive::{Header, Tar, octal};
use crate::case::{Case, case};
use crate::contents::{
    DEBIAN_12, LODASH, LODASH_OLD, OS_RELEASE, STATUS, flawed_debian, go_program, log4j, new_status,
    old_status, sound_debian,
};

const ESCAPES: &str =
    "a name that climbs out of the root lands in it with some runtimes: whoever wrote it means harm";

fn release() -> Tar {
    Tar::default().file(OS_RELEASE, DEBIAN_12)
}

/// A file under a path, by a header that a change makes odd.
fn odd(name: &str, content: &str, change: impl FnOnce(&mut Header)) -> Tar {
    let mut header = Header::file(name, content.len());
    change(&mut header);
    sound_debian().entry(&header, content)
}

pub(crate) fn cases() -> Vec<Case> {
    [
        spellings(),
        escapes(),
        bytes(),
        long(),
        two_readings(),
        two_more_readings(),
        sparse(),
        headers(),
        odd_headers(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn spellings() -> Vec<Case> {
    let spelled = |name: &str| [release().file(name, old_status())];
    vec![
        case("dot-slash", "CVE-2023-5678", "the usual spelling of `tar .`", spelled("./var/lib/dpkg/status")),
        case("absolute", "CVE-2023-5678", "a leading slash is none", spelled("/var/lib/dpkg/status")),
        case("double-slash", "CVE-2023-5678", "empty parts are none", spelled("var//lib///dpkg//status")),
        case(
            "dots-inside",
            "CVE-2023-5678",
            "`.` and `..` inside cancel out",
            spelled("var/./x/../lib/dpkg/status"),
        ),
        case(
            "upper-case",
            "unknown (unsupported: no_package_database)",
            "Linux tells cases apart: this is no database",
            spelled("VAR/LIB/DPKG/STATUS"),
        ),
        case(
            "name-with-backslashes",
            "unknown (unsupported: no_package_database)",
            "a backslash is part of a name",
            spelled("var\\lib\\dpkg\\status"),
        ),
        case(
            "upper-case-jar",
            "CVE-2021-44228 (partial: unread_kind maven)",
            "Java takes a suffix in any case; whose properties these are is less certain",
            [sound_debian().file("app/LOG4J-CORE-2.14.1.JAR", log4j("2.14.1"))],
        ),
    ]
}

fn escapes() -> Vec<Case> {
    vec![
        case(
            "escape-to-database",
            "unknown (partial: layer_unreadable name_leaves_root: var/lib/dpkg/status)",
            ESCAPES,
            [sound_debian().file("../../var/lib/dpkg/status", old_status())],
        ),
        case(
            "escape-of-program",
            "unknown (partial: layer_unreadable name_leaves_root: opt/app)",
            ESCAPES,
            [sound_debian().file("../../opt/app", go_program("v0.30.0"))],
        ),
        case(
            "escape-in-the-middle",
            "unknown (partial: layer_unreadable name_leaves_root: opt/x.jar)",
            ESCAPES,
            [sound_debian().file("a/../../opt/x.jar", log4j("2.14.1"))],
        ),
        case(
            "escape-of-whiteout",
            "unknown (partial: layer_unreadable name_leaves_root: srv/.wh.x)",
            ESCAPES,
            [sound_debian().file("../srv/.wh.x", b"")],
        ),
        case(
            "escape-of-link",
            "unknown (partial: layer_unreadable name_leaves_root: var)",
            ESCAPES,
            [sound_debian(), Tar::default().symlink("../var", "/data")],
        ),
    ]
}

fn bytes() -> Vec<Case> {
    vec![
        case(
            "two-names-not-utf-8",
            "CVE-2021-44228",
            "names that differ in bytes that are no text are two files",
            [sound_debian()
                .file(b"app/\xff/log4j-core-2.14.1.jar", log4j("2.14.1"))
                .file(b"app/\xfe/log4j-core-2.14.1.jar", log4j("2.17.0"))],
        ),
        case(
            "name-looks-escaped",
            "CVE-2021-44228",
            "a name may hold the very characters that stand for such bytes",
            [sound_debian()
                .file(b"app/\xff/log4j-core-2.14.1.jar", log4j("2.14.1"))
                .file("app/\u{fffd}ff/log4j-core-2.14.1.jar", log4j("2.17.0"))],
        ),
        case(
            "pax-name-with-nul",
            "unknown (partial: layer_unreadable malformed_archive)",
            "some readers end a name at its NUL",
            [sound_debian().pax(&[("path", b"var/lib/dpkg/status\0x")]).file("x", old_status())],
        ),
    ]
}

fn long() -> Vec<Case> {
    let deep = format!("{}/node_modules/lodash/package.json", "deep/".repeat(40).trim_end_matches('/'));
    let endless = "n/".repeat(20_000);
    vec![
        case(
            "gnu-long-name",
            "CVE-2021-23337",
            "a name in a header of its own",
            [sound_debian().gnu(b'L', &deep).file("cut", LODASH_OLD)],
        ),
        case(
            "pax-long-name",
            "CVE-2021-23337",
            "the same of PAX",
            [sound_debian().pax(&[("path", deep.as_bytes())]).file("cut", LODASH_OLD)],
        ),
        case(
            "ustar-prefix",
            "CVE-2021-23337",
            "a name in two parts",
            [odd("package.json", LODASH_OLD, |header| header.prefix = b"app/node_modules/lodash".to_vec())],
        ),
        case(
            "gnu-long-link",
            "CVE-2023-5678",
            "a long target",
            [release()
                .file("opt/db", old_status())
                .gnu(b'K', format!("{}opt/db", "/".repeat(150)))
                .symlink(STATUS, "")],
        ),
        case(
            "name-beyond-the-bound",
            "unknown (partial: bound_reached name_too_long)",
            "a name longer than any system takes ends the reading",
            [sound_debian().gnu(b'L', endless).file("cut", LODASH_OLD)],
        ),
        case(
            "extended-header-beyond-the-bound",
            "unknown (partial: bound_reached name_too_long)",
            "1 MiB is the bound of Go's reader, too",
            [sound_debian().extended(b'x', "x", &vec![b' '; (1 << 20) + 1]).file("cut", LODASH_OLD)],
        ),
    ]
}

/// Two readers would see two things: what runtimes see counts, or else nothing does.
fn two_readings() -> Vec<Case> {
    let hidden = Tar::default().file("x", b"y").zeros(2).open_end();
    let malformed = "unknown (partial: layer_unreadable malformed_archive)";
    vec![
        case(
            "file-with-a-folders-name",
            "CVE-2021-23337",
            "a file whose name ends with a slash has its content; taken for a folder, the content would be read as headers",
            [sound_debian().entry(&Header::file("srv/x/", hidden.len()), &hidden).file(LODASH, LODASH_OLD)],
        ),
        case(
            "old-folder",
            "CVE-2021-23337",
            "archives older than ustar mark a folder by its name alone",
            [sound_debian().entry(&Header::of(0, "srv/x/", 0), b"").file(LODASH, LODASH_OLD)],
        ),
        case(
            "global-name",
            malformed,
            "one name for all members: some readers obey, others do not",
            [sound_debian().global(&[("path", b"srv/x")]).file(LODASH, LODASH_OLD)],
        ),
        case(
            "global-size",
            malformed,
            "the same with a size",
            [sound_debian().global(&[("size", b"0")]).file(LODASH, LODASH_OLD)],
        ),
        case(
            "global-comment",
            "CVE-2021-23337",
            "`git archive` leaves a comment",
            [sound_debian().global(&[("comment", b"0123")]).file(LODASH, LODASH_OLD)],
        ),
        case(
            "two-pax-headers",
            malformed,
            "some readers add them up, others take the last",
            [sound_debian().pax(&[("path", b"srv/x")]).pax(&[("mtime", b"1")]).file(LODASH, LODASH_OLD)],
        ),
    ]
}

fn two_more_readings() -> Vec<Case> {
    let malformed = "unknown (partial: layer_unreadable malformed_archive)";
    vec![
        case(
            "two-long-names",
            malformed,
            "GNU's name and PAX's differ: readers disagree on which counts",
            [sound_debian().gnu(b'L', LODASH).pax(&[("path", b"srv/x")]).file("cut", LODASH_OLD)],
        ),
        case(
            "prefix-of-old-go",
            "CVE-2021-23337",
            "Go's writers before 1.8 put a prefix where GNU keeps dates; Go's reader still takes it",
            [odd("package.json", LODASH_OLD, |header| {
                header.magic = *b"ustar  \0";
                header.prefix = b"app/node_modules/lodash".to_vec();
            })],
        ),
        case(
            "pax-records-behind-a-nul",
            malformed,
            "some readers stop at a NUL, others do not",
            [sound_debian().extended(b'x', "x", b"11 mtime=1\n\x0010 path=a\n").file(LODASH, LODASH_OLD)],
        ),
        case(
            "lone-zero-block",
            malformed,
            "some readers stop at the first block of zeros, others go on",
            [sound_debian().zeros(1).file(LODASH, LODASH_OLD)],
        ),
        case(
            "bytes-behind-the-end",
            malformed,
            "`tar --ignore-zeros` reads what follows the end",
            [sound_debian().zeros(2).file(LODASH, LODASH_OLD)],
        ),
    ]
}

fn sparse() -> Vec<Case> {
    let map = |content: &[u8]| {
        let mut map = format!("1\n0\n{}\n", content.len()).into_bytes();
        map.resize(512, 0);
        [map, content.to_vec()].concat()
    };
    let lost = "unknown (unsupported: layer_unreadable sparse_database: var/lib/dpkg/status, no_package_database the package database names no package)";
    let major: &[(&str, &[u8])] = &[("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0")];
    let unread = |path: &str| format!("unknown (partial: layer_unreadable sparse_database: {path})");
    let [jar, program] = ["app/a.jar", "opt/app"].map(|path| &*unread(path).leak());
    vec![
        case(
            "sparse-database",
            lost,
            "files with holes are not put together",
            [release().entry(&Header::of(b'S', STATUS, 4), b"Pack")],
        ),
        case(
            "sparse-second-database",
            lost,
            "the same where another file of the name is below",
            [sound_debian(), Tar::default().pax(major).file(STATUS, map(new_status().as_bytes()))],
        ),
        case(
            "sparse-jar",
            jar,
            "the same of a jar",
            [sound_debian().pax(major).file("app/a.jar", map(&log4j("2.14.1")))],
        ),
        case(
            "sparse-program",
            program,
            "a program is known for what it is though a map stands in front of it",
            [sound_debian().pax(major).file("opt/app", map(&go_program("v0.30.0")))],
        ),
        case(
            "sparse-log",
            "clean",
            "`lastlog` is sparse in many a base image, and nothing that is read",
            [sound_debian().pax(major).file("var/log/lastlog", map(b"last"))],
        ),
    ]
}

fn headers() -> Vec<Case> {
    let malformed = "unknown (partial: layer_unreadable malformed_archive)";
    let truncated = "unknown (partial: layer_unreadable truncated)";
    let negative = [0xff; 12];
    let huge = [0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    vec![
        case(
            "wrong-checksum",
            malformed,
            "a header that is none",
            [odd(LODASH, LODASH_OLD, |header| {
                header.checksum_off_by = 1;
            })],
        ),
        case(
            "negative-size",
            malformed,
            "a size below zero",
            [odd(LODASH, LODASH_OLD, |header| {
                header.size = negative;
            })],
        ),
        case(
            "size-not-a-number",
            malformed,
            "a size of letters",
            [odd(LODASH, LODASH_OLD, |header| {
                header.size = *b"twelve bytes";
            })],
        ),
        case(
            "size-of-exabytes",
            truncated,
            "a size that the archive does not have",
            [odd(LODASH, LODASH_OLD, |header| header.size = huge)],
        ),
        case(
            "size-beyond-the-end",
            truncated,
            "one byte more than there is",
            [odd(LODASH, "", |header| {
                header.size = octal(2048);
            })],
        ),
    ]
}

fn odd_headers() -> Vec<Case> {
    vec![
        case(
            "pax-size",
            "CVE-2021-23337",
            "PAX's size counts, the header's does not",
            [sound_debian()
                .pax(&[("size", LODASH_OLD.len().to_string().as_bytes())])
                .entry(&Header { size: octal(0), ..Header::file(LODASH, 0) }, LODASH_OLD)],
        ),
        case(
            "link-with-a-size",
            "CVE-2021-23337",
            "links have no content, whatever their size says",
            [sound_debian()
                .entry(&Header { size: octal(512), ..Header::of(b'2', "srv/x", 0) }, b"")
                .file(LODASH, LODASH_OLD)],
        ),
        case(
            "unknown-type",
            "CVE-2021-23337",
            "what no reader knows is taken for a file",
            [sound_debian().entry(&Header::of(b'Z', "srv/x", 3), b"abc").file(LODASH, LODASH_OLD)],
        ),
        case(
            "volume-label",
            "CVE-2023-5678",
            "GNU's label in front",
            [Tar::default().entry(&Header::of(b'V', "label", 0), b"").raw(flawed_debian().open_end())],
        ),
        case(
            "no-end",
            "CVE-2023-5678",
            "runtimes take an archive without its end blocks, cut between members",
            [crate::image::Layer::plain(flawed_debian().open_end())],
        ),
    ]
}
