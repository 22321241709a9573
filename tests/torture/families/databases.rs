//! Databases of dpkg and apk: odd ones, broken ones.

use crate::archive::Tar;
use crate::case::{Case, case};
use crate::contents::{
    ALPINE_20, DEBIAN_12, INSTALLED, OS_RELEASE, STATUS, flawed_debian, installed, new_status, old_status,
    stanza,
};

const BROKEN: &str = "unknown (partial: layer_unreadable malformed_database: var/lib/dpkg/status)";
const BROKEN_APK: &str = "unknown (partial: layer_unreadable malformed_database: lib/apk/db/installed)";

fn dpkg(status: impl AsRef<[u8]>) -> [Tar; 1] {
    [Tar::default().file(OS_RELEASE, DEBIAN_12).file(STATUS, status)]
}

fn apk(database: impl AsRef<[u8]>) -> [Tar; 1] {
    [Tar::default().file(OS_RELEASE, ALPINE_20).file(INSTALLED, database)]
}

/// A stanza in a state, in front of sound ones.
fn in_state(state: &str) -> [Tar; 1] {
    let openssl = stanza("openssl", "3.0.9-1").replace("install ok installed", state);
    dpkg(openssl + &stanza("zlib1g", "1"))
}

pub(crate) fn cases() -> Vec<Case> {
    [states(), broken(), odd(), distroless(), of_apk()].into_iter().flatten().collect()
}

fn states() -> Vec<Case> {
    vec![
        case(
            "deb-config-files",
            "clean",
            "removed; its settings alone are left",
            in_state("deinstall ok config-files"),
        ),
        case("deb-not-installed", "clean", "never installed", in_state("install ok not-installed")),
        case("deb-deinstall-installed", "CVE-2023-5678", "to be removed, and still there", {
            in_state("deinstall ok installed")
        }),
        case(
            "deb-half-configured",
            "CVE-2023-5678",
            "its files are on disk",
            in_state("install ok half-configured"),
        ),
        case(
            "deb-unpacked",
            "CVE-2023-5678",
            "its files are on disk",
            in_state("install reinstreq unpacked"),
        ),
        case(
            "deb-state-unknown",
            "CVE-2023-5678",
            "a state that nobody knows is not gone",
            in_state("install ok whatever"),
        ),
        case("deb-no-state", "CVE-2023-5678", "no state is not gone", {
            dpkg(stanza("openssl", "3.0.9-1").replace("Status: install ok installed\n", ""))
        }),
    ]
}

fn broken() -> Vec<Case> {
    let sound = new_status();
    vec![
        case("deb-cut-in-a-stanza", BROKEN, "the last stanza lacks its version", {
            dpkg(sound.clone() + "Package: openssl\nStatus: install ok ins")
        }),
        case("deb-no-version", BROKEN, "a package without a version cannot be judged", {
            dpkg(sound.clone() + "Package: libx\nStatus: install ok installed\n\n")
        }),
        case("deb-no-name", BROKEN, "a version of nothing", {
            dpkg(sound.clone() + "Status: install ok installed\nVersion: 1\n\n")
        }),
        case(
            "deb-empty-version",
            BROKEN,
            "the same with a field that is empty",
            dpkg(sound.clone() + &stanza("libx", "")),
        ),
        case("deb-line-without-colon", BROKEN, "a line that is no field", {
            dpkg(sound.clone() + "Package: libx\nVersion: 1\ngarbage\n\n")
        }),
        case(
            "deb-binary",
            "unknown (unsupported: layer_unreadable malformed_database: var/lib/dpkg/status, no_package_database the package database names no package)",
            "no database at all",
            dpkg([0xff; 4096]),
        ),
        case("deb-nul-in-the-middle", BROKEN, "a block of zeros, as a crash leaves it", {
            dpkg([sound.as_bytes(), &[0; 512], b"\n\n"].concat())
        }),
        case("deb-name-beyond-the-bound", BROKEN, "a name of 5,000 bytes is none", {
            dpkg(sound.clone() + &stanza(&"n".repeat(5_000), "1"))
        }),
        case(
            "deb-packed",
            "unknown (unsupported: layer_unreadable malformed_database: var/lib/dpkg/status, no_package_database the package database names no package)",
            "a packed database is none",
            dpkg(crate::image::gzip(sound.as_bytes())),
        ),
    ]
}

fn odd() -> Vec<Case> {
    vec![
        case(
            "deb-no-end-of-line",
            "CVE-2023-5678",
            "the last line may lack its end",
            dpkg(old_status().trim_end()),
        ),
        case("deb-many-blank-lines", "CVE-2023-5678", "as many as somebody likes", {
            dpkg(old_status().replace("\n\n", "\n\n\n \n\n"))
        }),
        case("deb-lower-case-fields", "CVE-2023-5678", "fields are told in any case", {
            dpkg(old_status().replace("Package:", "package:").replace("Version:", "VERSION:"))
        }),
        case(
            "deb-twice-last-counts",
            "clean",
            "of two stanzas of one package the last counts, as dpkg has it",
            dpkg(stanza("openssl", "3.0.9-1") + &new_status()),
        ),
        case("deb-twice-of-two-architectures", "CVE-2023-5678", "two architectures are two packages", {
            dpkg(stanza("openssl", "3.0.9-1").replace("amd64", "i386") + &new_status())
        }),
        case("deb-field-twice", "CVE-2023-5678", "the last of a field counts, as dpkg has it", {
            dpkg(new_status().replace("Version: 3.0.15", "Version: 9\nVersion: 3.0.9"))
        }),
        case("deb-by-its-source", "CVE-2023-5678", "advisories speak of sources", {
            dpkg(stanza("libssl3", "3.0.9-1").replace("Version:", "Source: openssl\nVersion:"))
        }),
        case("deb-source-of-its-own-version", "CVE-2023-5678", "the source's version counts", {
            dpkg(stanza("libssl3", "9").replace("Version:", "Source: openssl (3.0.9-1)\nVersion:"))
        }),
        case(
            "deb-version-not-a-version",
            "CVE-2023-5678",
            "what cannot be compared well sorts below: it is told",
            dpkg(stanza("openssl", "~~~garbage")),
        ),
        case(
            "deb-broken-below-a-sound-one",
            "clean",
            "what is replaced is not missed",
            [dpkg([0xff; 100])[0].clone(), Tar::default().file(STATUS, new_status())],
        ),
        case(
            "deb-sound-below-a-broken-one",
            BROKEN,
            "what counts is broken",
            [flawed_debian(), Tar::default().file(STATUS, new_status() + "Package: openssl\n")],
        ),
    ]
}

fn distroless() -> Vec<Case> {
    let of = |name: &str, stanza: &str| {
        Tar::default().file(OS_RELEASE, DEBIAN_12).file(format!("var/lib/dpkg/status.d/{name}"), stanza)
    };
    let openssl = "Package: openssl\nVersion: 3.0.9-1\nArchitecture: amd64\n";
    let sound = || of("openssl", &openssl.replace("3.0.9", "3.0.15"));
    vec![
        case("distroless", "CVE-2023-5678", "a file a package", [of("openssl", openssl)]),
        case(
            "distroless-and-status",
            "CVE-2023-5678",
            "both forms at once",
            [of("openssl", openssl).file(STATUS, new_status().replace("openssl", "other"))],
        ),
        case(
            "distroless-broken",
            "unknown (partial: layer_unreadable malformed_database: var/lib/dpkg/status.d/libx)",
            "one of the files names no version",
            [sound().file("var/lib/dpkg/status.d/libx", "Package: libx\n")],
        ),
        case(
            "distroless-linked",
            "unknown (partial: layer_unreadable database_unreachable: var/lib/dpkg/status.d/libx)",
            "one of the files leads nowhere",
            [sound().symlink("var/lib/dpkg/status.d/libx", "/nowhere")],
        ),
        case(
            "distroless-folder-linked",
            "unknown (unsupported: layer_unreadable database_unreachable: var/lib/dpkg/status.d, no_package_database)",
            "the folder leads nowhere",
            [Tar::default().file(OS_RELEASE, DEBIAN_12).symlink("var/lib/dpkg/status.d", "/nowhere")],
        ),
    ]
}

fn of_apk() -> Vec<Case> {
    let sound = installed("3.3.2-r0");
    vec![
        case(
            "apk-cut-in-a-stanza",
            BROKEN_APK,
            "the last stanza lacks its version",
            apk(sound.clone() + "C:Q1c=\nP:libx\n"),
        ),
        case(
            "apk-line-without-colon",
            BROKEN_APK,
            "a line that is no field",
            apk(sound + "C:Q1c=\nP:libx\nV:1-r0\ngarbage\n\n"),
        ),
        case(
            "apk-cr-lf",
            "CVE-2024-5535",
            "line ends of another system",
            apk(installed("3.3.1-r0").replace('\n', "\r\n")),
        ),
        case(
            "apk-no-checksum",
            "CVE-2024-5535",
            "the place tells what it is",
            apk("P:openssl\nV:3.3.1-r0\n"),
        ),
        case(
            "apk-binary",
            "unknown (unsupported: layer_unreadable malformed_database: lib/apk/db/installed, no_package_database the package database names no package)",
            "no database",
            apk([0xff; 64]),
        ),
        case(
            "apk-linked-folder",
            "CVE-2024-5535",
            "/lib leads to /usr/lib",
            [Tar::default()
                .file(OS_RELEASE, ALPINE_20)
                .symlink("lib", "usr/lib")
                .file("usr/lib/apk/db/installed", installed("3.3.1-r0"))],
        ),
    ]
}
