//! Packages of languages: metadata that is broken, programs that say only half.

use crate::archive::Tar;
use crate::case::{Case, case};
use crate::contents::{LODASH, LODASH_OLD, crates, go_program, program_with_section, sound_debian, stanza};
use crate::image::Image;

const DIST_INFO: &str = "usr/lib/python3/site-packages/requests-2.30.0.dist-info/METADATA";

fn with(path: &str, content: impl AsRef<[u8]>) -> Image {
    [sound_debian(), Tar::default().file(path, content)].into()
}

fn broken(path: &str) -> &'static str {
    format!("unknown (partial: layer_unreadable malformed_database: {path})").leak()
}

fn too_large(path: &str) -> &'static str {
    format!("unknown (partial: bound_reached database_too_large: {path})").leak()
}

pub(crate) fn cases() -> Vec<Case> {
    [scripts(), scripts_of_others(), programs(), owned()].into_iter().flatten().collect()
}

fn scripts() -> Vec<Case> {
    let huge = format!(r#"{{"name":"lodash","pad":"{}","version":"4.17.20"}}"#, "x".repeat(4 << 20));
    let deep =
        format!(r#"{{"name":"lodash","x":{}{},"version":"4.17.20"}}"#, "[".repeat(5_000), "]".repeat(5_000));
    vec![
        case("npm", "CVE-2021-23337", "control", with(LODASH, LODASH_OLD)),
        case("npm-cut", broken(LODASH), "half of a package.json", with(LODASH, &LODASH_OLD[..20])),
        case(
            "npm-not-utf-8",
            "clean",
            "Node, too, reads U+FFFD there: a package that no advisory names",
            with(LODASH, b"{\"name\":\"\xff\",\"version\":\"1\"}"),
        ),
        case("npm-too-long", too_large(LODASH), "a package.json of 4 MiB and more", with(LODASH, huge)),
        case(
            "npm-deeply-nested",
            "CVE-2021-23337",
            "five thousand brackets are passed over",
            with(LODASH, deep),
        ),
        case(
            "npm-twice-in-one-file",
            "CVE-2021-23337",
            "of two versions in one object the last counts, as Node has it",
            with(LODASH, r#"{"name":"lodash","version":"4.17.21","version":"4.17.20"}"#),
        ),
        case("npm-version-a-number", broken(LODASH), "a version that is no text names no package", {
            with(LODASH, r#"{"name":"lodash","version":4}"#)
        }),
        case(
            "npm-by-folder-link",
            "CVE-2021-23337",
            "pnpm's links lead to the real folder, which is read",
            {
                [
                    sound_debian(),
                    Tar::default()
                        .file(
                            "app/node_modules/.pnpm/lodash@4.17.20/node_modules/lodash/package.json",
                            LODASH_OLD,
                        )
                        .symlink("app/node_modules/lodash", ".pnpm/lodash@4.17.20/node_modules/lodash"),
                ]
            },
        ),
        case(
            "yarn-plug-and-play",
            "unknown (partial: unread_kind npm)",
            "yarn keeps packages packed",
            with("app/.pnp.cjs", b"x"),
        ),
    ]
}

fn scripts_of_others() -> Vec<Case> {
    vec![
        case("python", "CVE-2023-32681", "control", with(DIST_INFO, "Name: requests\nVersion: 2.30.0\n")),
        case(
            "python-named-by-its-folder",
            "CVE-2023-32681",
            "an emptied METADATA: the folder tells",
            with(DIST_INFO, b""),
        ),
        case(
            "python-headers-behind-text",
            "CVE-2023-32681",
            "the description is not read; the folder tells",
            with(DIST_INFO, "\nName: other\nVersion: 9\n"),
        ),
        case("gem", "CVE-2022-24836", "control", {
            with(
                "usr/lib/ruby/gems/specifications/nokogiri-1.13.3.gemspec",
                "# stub: nokogiri 1.13.3 ruby lib\n",
            )
        }),
        case("nuget", "CVE-2024-21907", "control", {
            with("app/a.deps.json", r#"{"libraries":{"Newtonsoft.Json/13.0.0":{"type":"package"}}}"#)
        }),
        case(
            "nuget-cut",
            broken("app/a.deps.json"),
            "half of it",
            with("app/a.deps.json", r#"{"libraries":{"Newt"#),
        ),
        case(
            "composer-no-advisories",
            "unknown (partial: no_advisories_for_distribution Packagist)",
            "nothing is known of PHP's packages",
            with("srv/vendor/composer/installed.json", r#"[{"name":"a/b","version":"1"}]"#),
        ),
    ]
}

fn programs() -> Vec<Case> {
    let go = go_program("v0.30.0");
    vec![
        case("go", "CVE-2024-45337", "control", with("opt/app", &go)),
        case("go-sound", "clean", "control", with("opt/app", go_program("v0.31.0"))),
        case(
            "go-list-cut",
            too_large("opt/app"),
            "the list of modules ends before its end",
            with("opt/app", &go[..go.len() - 30]),
        ),
        case(
            "go-header-alone",
            "clean",
            "the marker alone is what any reader of such headers holds",
            with("opt/app", &go[..90]),
        ),
        case("go-without-modules", broken("opt/app"), "a program without a list cannot be judged", {
            with("opt/app", [&go[..96], b"\x08go1.23.4\0"].concat())
        }),
        case(
            "rust",
            "CVE-2021-25900",
            "control",
            with("opt/app", program_with_section(".dep-v0", &crates("1.6.0"))),
        ),
        case("rust-list-damaged", broken("opt/app"), "the list does not unpack", {
            with("opt/app", program_with_section(".dep-v0", b"garbage"))
        }),
        case("rust-bomb", too_large("opt/app"), "a list that unpacks to more than the bound", {
            with("opt/app", program_with_section(".dep-v0", &bomb()))
        }),
        case(
            "go-not-executable",
            "CVE-2024-45337",
            "mode bits do not hide a program",
            with("srv/data.bin", &go),
        ),
        case(
            "go-named-like-a-jar",
            "CVE-2024-45337",
            "a file may be read for its name and for what it is",
            with("app/x.jar", &go),
        ),
    ]
}

/// 16 MiB of zeros.
fn bomb() -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::ZlibEncoder::new(vec![], flate2::Compression::fast());
    encoder.write_all(&vec![b' '; 16 << 20]).unwrap();
    encoder.finish().unwrap()
}

fn owned() -> Vec<Case> {
    let list = |path: &str| Tar::default().file("var/lib/dpkg/info/node-lodash.list", format!("/{path}\n"));
    let status = stanza("zlib1g", "1") + &stanza("node-lodash", "4.17.20-1");
    let system = || {
        Tar::default().file("etc/os-release", crate::contents::DEBIAN_12).file("var/lib/dpkg/status", &status)
    };
    let brought = "usr/share/nodejs/node_modules/lodash/package.json";
    vec![
        case(
            "brought-by-the-distribution",
            "CVE-2021-23337",
            "nobody speaks of the distribution's package: its own language does",
            [system(), list(brought).file(brought, LODASH_OLD)],
        ),
        case(
            "owned-by-a-package-that-is-not-there",
            "CVE-2021-23337",
            "lists stay behind when packages go: they own nothing",
            [sound_debian(), list(brought).file(brought, LODASH_OLD)],
        ),
    ]
}
