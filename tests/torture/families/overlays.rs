//! Layers over layers: what is removed, replaced, and reached through links.

use crate::archive::{Header, Tar};
use crate::case::{Case, case};
use crate::contents::{
    DEBIAN_12, LODASH, LODASH_NEW, LODASH_OLD, OS_RELEASE, STATUS, flawed_debian, go_program, log4j,
    new_status, old_status, sound_debian,
};
use crate::image::{Image, Layer};

const NO_DATABASE: &str = "unknown (unsupported: no_package_database)";
const UNREACHABLE: &str =
    "unknown (unsupported: layer_unreadable database_unreachable: var/lib/dpkg/status, no_package_database)";

/// Debian without its database.
fn release() -> Tar {
    Tar::default().file(OS_RELEASE, DEBIAN_12)
}

fn flawed_app() -> Tar {
    Tar::default().file(LODASH, LODASH_OLD)
}

pub(crate) fn cases() -> Vec<Case> {
    [removed(), replaced(), symlinks(), endless_links(), hard_links(), moved()]
        .into_iter()
        .flatten()
        .collect()
}

fn removed() -> Vec<Case> {
    vec![
        case(
            "whiteout",
            NO_DATABASE,
            "a deleted database hides what is installed",
            [flawed_debian(), Tar::default().whiteout(STATUS)],
        ),
        case(
            "whiteout-of-folder",
            NO_DATABASE,
            "the same by its folder",
            [flawed_debian(), Tar::default().whiteout("var/lib/dpkg")],
        ),
        case(
            "opaque-folder",
            NO_DATABASE,
            "the same by an opaque folder",
            [flawed_debian(), Tar::default().opaque("var/lib/dpkg")],
        ),
        case(
            "opaque-root",
            NO_DATABASE,
            "the same by an opaque root",
            [flawed_debian(), Tar::default().opaque("")],
        ),
        case(
            "whiteout-and-new",
            "clean",
            "the upper layer's own database counts, in any order",
            [flawed_debian(), Tar::default().file(STATUS, new_status()).whiteout(STATUS)],
        ),
        case(
            "opaque-and-new",
            "clean",
            "an opaque marker acts on lower layers only",
            [flawed_debian(), Tar::default().file(STATUS, new_status()).opaque("var/lib/dpkg")],
        ),
        case(
            "whiteout-of-its-own",
            "CVE-2023-5678",
            "a whiteout does not act on its own layer",
            [flawed_debian().whiteout(STATUS)],
        ),
        case(
            "whiteout-of-nothing",
            "CVE-2023-5678",
            "names that no whiteout may have are passed over",
            [flawed_debian(), Tar::default().file("var/lib/dpkg/.wh.", b"").file("var/lib/dpkg/.wh...", b"")],
        ),
        case(
            "package-removed",
            "clean",
            "an application that is gone is gone",
            [sound_debian(), flawed_app(), Tar::default().whiteout("app/node_modules/lodash")],
        ),
        case(
            "package-replaced",
            "clean",
            "the upper layer's copy counts",
            [sound_debian(), flawed_app(), Tar::default().file(LODASH, LODASH_NEW)],
        ),
        case(
            "package-back",
            "CVE-2021-23337",
            "removed and brought back",
            [sound_debian(), flawed_app(), Tar::default().whiteout(LODASH), flawed_app()],
        ),
    ]
}

fn replaced() -> Vec<Case> {
    let device = |kind: u8| Tar::default().entry(&Header::of(kind, STATUS, 0), b"");
    vec![
        case(
            "folder-over-database",
            UNREACHABLE,
            "a folder names no packages",
            [flawed_debian(), Tar::default().folder("var/lib/dpkg/status/")],
        ),
        case(
            "device-over-database",
            UNREACHABLE,
            "a device 0:0 hides the file as overlayfs does it",
            [flawed_debian(), device(b'3')],
        ),
        case("pipe-over-database", UNREACHABLE, "a pipe names no packages", [flawed_debian(), device(b'6')]),
        case(
            "file-over-folder",
            NO_DATABASE,
            "a file in the place of dpkg's folder hides it",
            [flawed_debian(), Tar::default().file("var/lib/dpkg", b"x")],
        ),
        case(
            "identical-layers",
            "CVE-2023-5678",
            "one digest twice is one layer, read once",
            [flawed_debian(), flawed_debian()],
        ),
        case("two-hundred-layers", "CVE-2023-5678", "as many as anyone has", many_layers(200)),
        case(
            "duplicates-last-counts",
            "CVE-2023-5678",
            "the later member of one name is what is unpacked",
            [sound_debian().file(STATUS, old_status())],
        ),
    ]
}

fn many_layers(count: usize) -> Image {
    let one = |n: usize| Layer::from(Tar::default().file(format!("srv/{n}"), format!("{n}")));
    Image::of(std::iter::once(flawed_debian().into()).chain((1..count).map(one)))
}

fn chain(links: usize) -> Tar {
    let last = release().file("opt/db/0", old_status());
    (1..links)
        .fold(last, |tar, n| tar.symlink(&format!("opt/db/{n}"), &(n - 1).to_string()))
        .symlink(STATUS, &format!("/opt/db/{}", links - 1))
}

fn symlinks() -> Vec<Case> {
    vec![
        case(
            "link-relative",
            "CVE-2023-5678",
            "the database is reached through a link",
            [release().file("opt/db", old_status()).symlink(STATUS, "../../../opt/db")],
        ),
        case(
            "link-absolute",
            "CVE-2023-5678",
            "from the image's own root",
            [release().file("opt/db", old_status()).symlink(STATUS, "/opt/db")],
        ),
        case(
            "link-out-of-the-root",
            "CVE-2023-5678",
            "too many `..` end at the root, as in a container",
            [release().file("opt/db", old_status()).symlink(STATUS, "../../../../../../../opt/db")],
        ),
        case(
            "link-over-layers",
            "CVE-2023-5678",
            "the link and its target come in any order of layers",
            [release().symlink(STATUS, "/opt/db"), Tar::default().file("opt/db", old_status())],
        ),
        case(
            "link-of-folder",
            "CVE-2023-5678",
            "dpkg's folder is the link",
            [release().symlink("var/lib/dpkg", "../../opt/dpkg").file("opt/dpkg/status", old_status())],
        ),
        case(
            "link-of-top-folder",
            "CVE-2023-5678",
            "even the top folder may be one",
            [release().symlink("var", "data").file("data/lib/dpkg/status", old_status())],
        ),
        case(
            "link-through-file-name",
            UNREACHABLE,
            "what it leads to was not taken for a database",
            [release().file("opt/db", b"garbage").symlink(STATUS, "/opt/db")],
        ),
        case("link-dangling", UNREACHABLE, "it leads nowhere", [release().symlink(STATUS, "/opt/db")]),
    ]
}

fn endless_links() -> Vec<Case> {
    vec![
        case("link-loop", UNREACHABLE, "a link to itself ends", [release().symlink(STATUS, "status")]),
        case(
            "link-circle",
            UNREACHABLE,
            "so does a circle",
            [release().symlink(STATUS, "/opt/a").symlink("opt/a", "/opt/b").symlink("opt/b", "/opt/a")],
        ),
        case("link-40-hops", "CVE-2023-5678", "as many links as Linux follows", [chain(40)]),
        case("link-41-hops", UNREACHABLE, "one more", [chain(41)]),
        case(
            "link-over-database",
            UNREACHABLE,
            "an upper layer turns the database into a link to nothing",
            [flawed_debian(), Tar::default().symlink(STATUS, "/nowhere")],
        ),
        case(
            "link-target-removed",
            UNREACHABLE,
            "the target goes in an upper layer",
            [
                release().file("opt/db", old_status()).symlink(STATUS, "/opt/db"),
                Tar::default().whiteout("opt/db"),
            ],
        ),
        case(
            "second-database-behind-a-library",
            "unknown (partial: layer_unreadable database_unreachable: var/lib/rpm/Packages, layer_unreadable database_unreachable: var/lib/rpm/Packages.db, layer_unreadable database_unreachable: var/lib/rpm/rpmdb.sqlite)",
            "a link that is named like a library, and is a folder, may lead to another system's database",
            [
                sound_debian().file("opt/a.so/x.jar", log4j("2.17.0")),
                Tar::default()
                    .symlink("opt/a.so", "data")
                    .symlink("var/lib/rpm", "/opt/a.so")
                    .file("opt/data/y", b"z"),
            ],
        ),
    ]
}

fn hard_links() -> Vec<Case> {
    vec![
        case(
            "hard-link",
            "CVE-2023-5678",
            "to an earlier member",
            [release().file("opt/db", old_status()).hard_link(STATUS, "opt/db")],
        ),
        case(
            "hard-link-to-lower-layer",
            "CVE-2023-5678",
            "to a file of a lower layer",
            [release().file("opt/db", old_status()), Tar::default().hard_link(STATUS, "opt/db")],
        ),
        case("hard-link-dangling", UNREACHABLE, "to nothing", [release().hard_link(STATUS, "opt/db")]),
        case(
            "hard-link-to-unread",
            UNREACHABLE,
            "to a file that was not taken for a database",
            [release().file("opt/db", b"garbage").hard_link(STATUS, "opt/db")],
        ),
        case(
            "hard-link-absolute",
            "CVE-2023-5678",
            "its target is written from the root",
            [release().file("opt/db", old_status()).hard_link(STATUS, "/opt/db")],
        ),
        case(
            "hard-link-outlives-its-target",
            "CVE-2023-5678",
            "the first name goes, the file stays",
            [
                release().file("opt/db", old_status()),
                Tar::default().hard_link(STATUS, "opt/db").whiteout("opt/db"),
            ],
        ),
        case(
            "program-renamed-by-hard-link",
            "CVE-2024-45337",
            "a program of a lower layer gets a new name, the old one is removed",
            [
                sound_debian().file("opt/app", go_program("v0.30.0")),
                Tar::default().hard_link("opt/other", "opt/app").whiteout("opt/app"),
            ],
        ),
        case(
            "hard-link-to-the-old-target",
            "CVE-2023-5678",
            "the link names the file, not what is written later",
            [release().file("opt/db", old_status()).hard_link(STATUS, "opt/db").file("opt/db", new_status())],
        ),
    ]
}

fn moved() -> Vec<Case> {
    vec![
        case(
            "folder-over-link",
            "CVE-2021-44228",
            "a folder that replaces a link is not what the link led to",
            [
                sound_debian().symlink("opt", "data").file("data/x", b"y"),
                Tar::default().folder("opt/").file("opt/log4j-core-2.14.1.jar", log4j("2.14.1")),
                Tar::default().whiteout("data"),
            ],
        ),
        case(
            "deep-folder-over-link",
            "CVE-2021-44228",
            "the same further down",
            [
                sound_debian().symlink("srv/app/lib", "../data").file("srv/data/x", b"y"),
                Tar::default()
                    .folder("srv/app/lib/")
                    .file("srv/app/lib/log4j-core-2.14.1.jar", log4j("2.14.1")),
                Tar::default().whiteout("srv/data"),
            ],
        ),
        case(
            "written-through-a-link",
            "CVE-2021-44228",
            "what is written through a link lies behind it",
            [
                sound_debian().symlink("opt", "data").folder("data/"),
                Tar::default().file("opt/log4j-core-2.14.1.jar", log4j("2.14.1")),
                Tar::default().whiteout("opt"),
            ],
        ),
        case(
            "removed-through-a-link",
            "clean",
            "what is removed through a link was behind it",
            [
                sound_debian().symlink("opt", "data").file("data/log4j-core-2.14.1.jar", log4j("2.14.1")),
                Tar::default().whiteout("opt/log4j-core-2.14.1.jar"),
            ],
        ),
    ]
}
