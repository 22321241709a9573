//! Systems: none, unknown ones, old ones, two at once.

use crate::archive::Tar;
use crate::case::{Case, case};
use crate::contents::{
    ALPINE_20, DEBIAN_12, INSTALLED, OS_RELEASE, STATUS, alpine, flawed_debian, go_program, installed,
    new_status, old_status, rpm, sound_debian,
};
use crate::image::{Image, Layer};

const NO_DATABASE: &str = "unknown (unsupported: no_package_database)";

/// A system that says what it is, with dpkg's database.
fn dpkg_system(release: &str) -> Tar {
    Tar::default().file(OS_RELEASE, release).file(STATUS, old_status())
}

pub(crate) fn cases() -> Vec<Case> {
    [controls(), without_database(), unknown(), releases(), several()].into_iter().flatten().collect()
}

fn controls() -> Vec<Case> {
    vec![
        case("debian-sound", "clean", "control: complete, nothing to find", [sound_debian()]),
        case("debian-flawed", "CVE-2023-5678", "control: complete, one to find", [flawed_debian()]),
        case("alpine-sound", "clean", "control", [alpine("3.3.2-r0")]),
        case("alpine-flawed", "CVE-2024-5535", "control", [alpine("3.3.1-r0")]),
        case(
            "arm64-only",
            "CVE-2023-5678",
            "the platform is none of ours to choose",
            Image::from([flawed_debian()]).platform("linux", "arm64"),
        ),
        case(
            "windows",
            NO_DATABASE,
            "no package database of any kind that is read",
            Image::from([Tar::default().file("Files/Windows/System32/ntdll.dll", b"MZ")])
                .platform("windows", "amd64"),
        ),
    ]
}

fn without_database() -> Vec<Case> {
    vec![
        case("no-layers", NO_DATABASE, "nothing was looked at", Image::of::<Layer>([])),
        case("empty-archive", NO_DATABASE, "a tar of its two end blocks alone", [Tar::default()]),
        case("zero-bytes", NO_DATABASE, "runtimes take it for an empty layer", [Layer::plain(vec![])]),
        case(
            "scratch-program",
            NO_DATABASE,
            "one program that nothing is known of",
            [Tar::default().file("app", b"\x7fELF and nothing else")],
        ),
        case(
            "scratch-go",
            "CVE-2024-45337 (partial: no_package_database)",
            "what its program says is judged, the rest is not known",
            [Tar::default().file("app", go_program("v0.30.0"))],
        ),
        case(
            "scratch-go-sound",
            "unknown (partial: no_package_database)",
            "the program alone says nothing of a system",
            [Tar::default().file("app", go_program("v0.31.0"))],
        ),
        case(
            "stripped",
            NO_DATABASE,
            "dpkg's lists of files are there, its database is not",
            [Tar::default()
                .file(OS_RELEASE, DEBIAN_12)
                .file("var/lib/dpkg/info/openssl.list", "/usr/bin/openssl\n")],
        ),
        case(
            "only-a-backup",
            NO_DATABASE,
            "`status-old` is of another day",
            [Tar::default().file(OS_RELEASE, DEBIAN_12).file("var/lib/dpkg/status-old", old_status())],
        ),
        case(
            "empty-database",
            "unknown (unsupported: no_package_database the package database names no package)",
            "every system has packages: an emptied database hides them",
            [Tar::default().file(OS_RELEASE, DEBIAN_12).file(STATUS, b"")],
        ),
        case(
            "blank-database",
            "unknown (unsupported: no_package_database the package database names no package)",
            "the same with lines",
            [Tar::default().file(OS_RELEASE, DEBIAN_12).file(STATUS, b"\n\n \n")],
        ),
        case(
            "chisel",
            "unknown (unsupported: unread_kind chisel, no_package_database)",
            "Ubuntu's chiselled images keep a list that is not read",
            [Tar::default().file("var/lib/chisel/manifest.wall", b"\x28\xb5\x2f\xfd")],
        ),
        case(
            "pacman",
            "unknown (unsupported: unread_kind alpm, no_package_database)",
            "Arch's packages are not read",
            [Tar::default()
                .file(OS_RELEASE, "ID=arch\n")
                .file("var/lib/pacman/local/bash-5/desc", "%NAME%\nbash\n")],
        ),
    ]
}

fn unknown() -> Vec<Case> {
    vec![
        case(
            "no-os-release",
            "unknown (unsupported: unknown_distribution)",
            "whose packages these are is not known",
            [Tar::default().file(STATUS, old_status())],
        ),
        case(
            "unknown-os",
            "unknown (unsupported: unknown_distribution hobbyos 1)",
            "nobody writes advisories for it",
            [dpkg_system("ID=hobbyos\nVERSION_ID=1\n")],
        ),
        case(
            "derivative",
            "unknown (unsupported: unknown_distribution kali 2024.1)",
            "its packages are not those of Debian's advisories",
            [dpkg_system("ID=kali\nID_LIKE=debian\nVERSION_ID=\"2024.1\"\n")],
        ),
        case(
            "sid",
            "unknown (unsupported: unknown_distribution debian)",
            "a release that is in the making has no advisories of its own",
            [dpkg_system("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux trixie/sid\"\n")],
        ),
        case(
            "os-release-without-id",
            "unknown (unsupported: unknown_distribution)",
            "a name for people is no identifier",
            [dpkg_system("NAME=Debian\n")],
        ),
        case(
            "os-release-empty",
            "unknown (unsupported: unknown_distribution)",
            "it says nothing",
            [dpkg_system("")],
        ),
        case(
            "os-release-dangling",
            "unknown (unsupported: unknown_distribution)",
            "the link leads nowhere",
            [Tar::default().symlink(OS_RELEASE, "../run/os-release").file(STATUS, old_status())],
        ),
        case(
            "os-release-loop",
            "unknown (unsupported: unknown_distribution)",
            "a link to itself ends",
            [Tar::default().symlink(OS_RELEASE, "os-release").file(STATUS, old_status())],
        ),
        case(
            "os-release-a-folder",
            "unknown (unsupported: unknown_distribution)",
            "a folder stands where the file should",
            [Tar::default().folder("etc/os-release/").file(STATUS, old_status())],
        ),
    ]
}

fn releases() -> Vec<Case> {
    let padded = format!("ID=debian\nVERSION_ID=12\n{}ID=alpine\n", "# padding\n".repeat(8_000));
    vec![
        case(
            "debian-10",
            "unknown (unsupported: no_advisories_for_distribution Debian:10)",
            "nothing is known of this release",
            [dpkg_system("ID=debian\nVERSION_ID=10\n")],
        ),
        case(
            "end-of-life",
            "unknown (partial: end_of_life_distribution Alpine:v3.19)",
            "what became known since its end is in no advisory",
            [Tar::default()
                .file(OS_RELEASE, "ID=alpine\nVERSION_ID=3.19.1\n")
                .file(INSTALLED, installed("3.1.8-r0"))],
        ),
        case(
            "os-release-linked",
            "CVE-2023-5678",
            "the usual link to /usr/lib",
            [Tar::default()
                .symlink(OS_RELEASE, "../usr/lib/os-release")
                .file("usr/lib/os-release", DEBIAN_12)
                .file(STATUS, old_status())],
        ),
        case(
            "os-release-last-id-counts",
            "CVE-2023-5678",
            "as the shell reads it",
            [dpkg_system("ID=alpine\nVERSION_ID=3.20\nID=debian\nVERSION_ID=12\n")],
        ),
        case(
            "os-release-cr-lf",
            "CVE-2023-5678",
            "line ends of another system",
            [dpkg_system("ID=debian\r\nVERSION_ID=\"12\"\r\n")],
        ),
        case(
            "os-release-too-long",
            "CVE-2023-5678 (partial: bound_reached database_too_large: etc/os-release)",
            "what stands behind the bound could say something else",
            [dpkg_system(&padded)],
        ),
        case(
            "os-release-of-the-top",
            "unknown (unsupported: no_advisories_for_distribution Debian:10)",
            "the upper layer's file counts",
            [flawed_debian(), Tar::default().file(OS_RELEASE, "ID=debian\nVERSION_ID=10\n")],
        ),
        case(
            "debian-version-alone",
            "CVE-2023-5678",
            "systems older than os-release have this",
            [Tar::default().file("etc/debian_version", "12.4\n").file(STATUS, old_status())],
        ),
    ]
}

fn several() -> Vec<Case> {
    vec![
        case(
            "dpkg-and-apk",
            "CVE-2023-5678 (partial: unread_kind apk)",
            "packages of a second system cannot be judged by the advisories of the first",
            [flawed_debian().file(INSTALLED, installed("3.3.1-r0"))],
        ),
        case(
            "sound-dpkg-and-apk",
            "unknown (partial: unread_kind apk)",
            "the same with nothing to find in the first",
            [sound_debian(), Tar::default().file(INSTALLED, installed("3.3.1-r0"))],
        ),
        case(
            "dpkg-and-rpm",
            "unknown (partial: unread_kind rpm)",
            "the same with rpm",
            [sound_debian().file("var/lib/rpm/rpmdb.sqlite", rpm("rpmdb.sqlite"))],
        ),
        case(
            "alpine-and-dpkg",
            "unknown (partial: unread_kind deb)",
            "the same the other way around",
            [alpine("3.3.2-r0").file(STATUS, new_status())],
        ),
        case(
            "a-system-inside",
            "unknown (partial: unread_kind deb)",
            "a root file system in a folder may be one to start",
            [sound_debian().file("opt/rootfs/var/lib/dpkg/status", old_status())],
        ),
        case(
            "an-alpine-inside",
            "unknown (partial: unread_kind apk)",
            "the same with apk",
            [sound_debian().file("srv/chroot/lib/apk/db/installed", installed("3.3.1-r0"))],
        ),
        case(
            "conda",
            "unknown (partial: unread_kind pypi)",
            "conda's packages are not read",
            [sound_debian().file("opt/conda/conda-meta/openssl-3.0.13.json", b"{}")],
        ),
        case(
            "both-apk-places",
            "CVE-2024-5535",
            "both places of the database are read",
            [Tar::default()
                .file(OS_RELEASE, ALPINE_20)
                .file(INSTALLED, installed("3.3.2-r0"))
                .file("usr/lib/apk/db/installed", installed("3.3.1-r0"))],
        ),
    ]
}
