//! Java archives: inside one another, broken, and made to cost time.

use zip::CompressionMethod;

use crate::archive::Tar;
use crate::case::{Case, case};
use crate::contents::{POM, log4j, sound_debian, zipped, zipped_by};
use crate::image::Image;

const FOUND: &str = "CVE-2021-44228";
const BROKEN: &str = "unknown (partial: layer_unreadable malformed_database: app/a.jar)";
const BROKEN_UNNAMED: &str =
    "unknown (partial: unread_kind maven, layer_unreadable malformed_database: app/a.jar)";
const TOO_LARGE: &str = "unknown (partial: bound_reached database_too_large: app/a.jar)";

fn jar(bytes: impl AsRef<[u8]>) -> Image {
    [sound_debian(), Tar::default().file("app/a.jar", bytes)].into()
}

/// A sound archive with this in it.
fn around(name: &str, inner: &[u8]) -> Vec<u8> {
    zipped(&[(POM, b"groupId=org.example\nartifactId=outer\nversion=1\n"), (name, inner)])
}

/// Archives inside archives, so many around the innermost.
fn nested(depth: usize) -> Vec<u8> {
    (0..depth).fold(log4j("2.14.1"), |inner, _| around("BOOT-INF/lib/x.jar", &inner))
}

/// An archive whose bytes at the first place of a text are changed.
fn patched(mut bytes: Vec<u8>, after: &[u8], offset: usize, new: &[u8]) -> Vec<u8> {
    let at = bytes.windows(after.len()).position(|window| window == after).unwrap() + offset;
    bytes[at..at + new.len()].copy_from_slice(new);
    bytes
}

const CENTRAL: &[u8] = b"PK\x01\x02";

pub(crate) fn cases() -> Vec<Case> {
    [inside(), broken(), costly(), named()].into_iter().flatten().collect()
}

fn inside() -> Vec<Case> {
    vec![
        case("jar", FOUND, "control", jar(log4j("2.14.1"))),
        case("jar-sound", "clean", "control", jar(log4j("2.17.0"))),
        case("jar-in-jar", FOUND, "as Spring Boot packs them", jar(nested(1))),
        case("jar-eight-deep", FOUND, "as deep as the bound", jar(nested(8))),
        case("jar-nine-deep", TOO_LARGE, "one deeper than the bound", jar(nested(9))),
        case("jar-behind-a-script", FOUND, "archives that start themselves", {
            jar([b"#!/bin/sh\nexec java -jar $0\n".to_vec(), log4j("2.14.1")].concat())
        }),
        case("jar-stored", FOUND, "members need not be compressed", {
            let properties = b"groupId=org.apache.logging.log4j\nartifactId=log4j-core\nversion=2.14.1\n";
            jar(zipped_by(CompressionMethod::Stored, &[(POM, properties)]))
        }),
    ]
}

fn broken() -> Vec<Case> {
    let whole = log4j("2.14.1");
    let encrypted = patched(whole.clone(), CENTRAL, 8, &[1, 0]);
    let by_lzma = patched(whole.clone(), CENTRAL, 10, &[14, 0]);
    let away = patched(whole.clone(), CENTRAL, 42, &[0xff, 0xff, 0xff, 0x7f]);
    let damaged = patched(around("lib/x.jar", &whole), b"lib/x.jar", 40, &[0xff; 16]);
    vec![
        case("jar-cut", BROKEN, "its directory stands at its end", jar(&whole[..whole.len() / 2])),
        case("jar-without-end", BROKEN, "the last bytes are gone", jar(&whole[..whole.len() - 22])),
        case("jar-encrypted", BROKEN_UNNAMED, "no key, no look", jar(encrypted)),
        case("jar-of-unknown-method", BROKEN_UNNAMED, "packed in a way that is not read", jar(by_lzma)),
        case("jar-member-outside", BROKEN_UNNAMED, "a member that lies beyond the end", jar(away)),
        case("jar-inner-damaged", BROKEN, "the archive inside does not unpack", jar(damaged)),
        case("jar-empty", "clean", "a file without bytes holds nothing", jar(b"")),
        case("jar-that-is-text", "clean", "a name does not make an archive", jar(b"hello")),
        case("jar-then-garbage", FOUND, "bytes behind an archive do not hide it", {
            jar([whole.clone(), vec![b'x'; 3_000]].concat())
        }),
    ]
}

fn costly() -> Vec<Case> {
    let zeros = vec![0; 160 << 20];
    let bomb = around("lib/x.jar", &zeros);
    let entry: Vec<(String, &[u8])> = (0..20_000).map(|n| (format!("d/{n}/{POM}"), b"".as_slice())).collect();
    let entries: Vec<(&str, &[u8])> = entry.iter().map(|(name, content)| (name.as_str(), *content)).collect();
    vec![
        case("jar-bomb", TOO_LARGE, "160 MiB of zeros inside 160 KiB", jar(bomb)),
        case(
            "jar-of-20000-properties",
            "unknown (partial: bound_reached database_too_large: app/a.jar)",
            "more to begin to inflate than one file may cost",
            jar(zipped(&entries)),
        ),
        case(
            "jar-properties-bomb",
            "unknown (partial: unread_kind maven)",
            "a properties file of megabytes: what names the archive is not in front",
            jar(zipped(&[(POM, &vec![b'#'; 4 << 20]), ("a/A.class", b"x")])),
        ),
    ]
}

fn named() -> Vec<Case> {
    vec![
        case("jar-unnamed", "unknown (partial: unread_kind maven)", "code that says nowhere what it is", {
            jar(zipped(&[("org/A.class", b"\xca\xfe\xba\xbe")]))
        }),
        case(
            "jar-named-by-its-file",
            "unknown (partial: unread_kind maven)",
            "a name without a group is that of many",
            {
                let manifest = b"Manifest-Version: 1.0\nImplementation-Vendor-Id: org.apache.logging.log4j\nImplementation-Title: log4j-core\nImplementation-Version: 2.14.1\n";
                let bytes = zipped(&[("META-INF/MANIFEST.MF", manifest), ("org/A.class", b"x")]);
                Image::from([sound_debian(), Tar::default().file("app/log4j-core-2.14.1.jar", bytes)])
            },
        ),
        case(
            "jar-with-backslashes",
            "unknown (partial: unread_kind maven)",
            "names of another system's tools name no properties",
            {
                let name = POM.replace('/', "\\");
                let properties = b"groupId=org.apache.logging.log4j\nartifactId=log4j-core\nversion=2.14.1\n";
                jar(zipped(&[(&name, properties), ("org/A.class", b"x")]))
            },
        ),
        case("war-in-ear", FOUND, "archives of servers", {
            let war = zipped(&[("WEB-INF/lib/log4j.jar", &log4j("2.14.1"))]);
            let ear = zipped(&[("web.war", &war)]);
            Image::from([sound_debian(), Tar::default().file("app/shop.ear", ear)])
        }),
    ]
}
