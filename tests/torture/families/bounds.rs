//! Many, long, and large: everything ends within its bounds, and says so.

use crate::archive::{Header, Tar};
use crate::case::{Case, case};
use crate::contents::{
    DEBIAN_12, LODASH, LODASH_OLD, OS_RELEASE, STATUS, flawed_debian, old_status, sound_debian, stanza,
};
use crate::image::{GZIP, Image, Layer, gzip};

pub(crate) fn cases() -> Vec<Case> {
    let many =
        (0..100_000).fold(sound_debian(), |tar, n| tar.entry(&Header::file(format!("srv/{n}"), 0), b""));
    let packages: String = (0..20_000).map(|n| stanza(&format!("lib{n}"), "1")).collect();
    let links = (0..50_000).fold(sound_debian(), |tar, n| tar.symlink(&format!("srv/{n}"), "target"));
    let whiteouts = (0..20_000).fold(Tar::default(), |tar, n| tar.whiteout(&format!("srv/{n}")));
    let zeros = Tar::default().file("srv/zeros", vec![0; 200 << 20]).end();
    let status = [old_status().into_bytes(), vec![b'\n'; 65 << 20]].concat();
    vec![
        case(
            "100000-files",
            "CVE-2021-23337",
            "a layer of very many files is read to its end",
            [many.file(LODASH, LODASH_OLD)],
        ),
        case(
            "20000-packages",
            "CVE-2023-5678",
            "a database of very many packages",
            [Tar::default().file(OS_RELEASE, DEBIAN_12).file(STATUS, packages + &old_status())],
        ),
        case(
            "50000-links",
            "CVE-2021-23337",
            "links are kept: each may be part of a path",
            [links.file(LODASH, LODASH_OLD)],
        ),
        case("20000-whiteouts", "CVE-2023-5678", "cost what they remove", [flawed_debian(), whiteouts]),
        case("gzip-bomb", "CVE-2023-5678", "200 MiB of zeros in 900 KiB stream by", {
            Image::of([flawed_debian().into(), Layer::raw(GZIP, gzip(&zeros))])
        }),
        case(
            "database-beyond-its-bound",
            "unknown (unsupported: no_package_database the package database names no package, bound_reached database_too_large: var/lib/dpkg/status)",
            "64 MiB are a hundred times a desktop's database",
            [Tar::default().file(OS_RELEASE, DEBIAN_12).file(STATUS, status)],
        ),
        case(
            "deep-folders",
            "CVE-2021-23337",
            "a path of a thousand folders",
            [sound_debian()
                .pax(&[("path", format!("{}{LODASH}", "d/".repeat(1_000)).as_bytes())])
                .file("cut", LODASH_OLD)],
        ),
    ]
}
