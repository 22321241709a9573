//! Blobs of layers: compressions, damage, and what registries do not hold.

use crate::archive::Tar;
use crate::case::{Case, case};
use crate::contents::{LODASH, LODASH_OLD, flawed_debian, sound_debian};
use crate::image::{GZIP, Image, Layer, Stored, TAR, ZSTD, gzip, zstd};

const FOREIGN: &str = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
const NONDISTRIBUTABLE: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
const UNKNOWN: &str = "unknown (partial: layer_unreadable";

fn app() -> Vec<u8> {
    Tar::default().file(LODASH, LODASH_OLD).end()
}

/// The same, in a layer that no other row has: what was read of a layer is kept under its digest.
fn its_own(row: &str) -> Vec<u8> {
    Tar::default().file(LODASH, LODASH_OLD).file("srv/row", row).end()
}

/// Sound Debian, and a layer above it.
fn below(layer: Layer) -> Image {
    Image::of([sound_debian().into(), layer])
}

fn unread(problem: &str) -> &'static str {
    format!("{UNKNOWN} {problem})").leak()
}

pub(crate) fn cases() -> Vec<Case> {
    [packed(), cut(), not_archives(), promised(), elsewhere()].into_iter().flatten().collect()
}

fn packed() -> Vec<Case> {
    let archive = app();
    let (left, right) = archive.split_at(700);
    let skippable = |bytes: Vec<u8>| [b"\x5a\x2a\x4d\x18\x03\0\0\0abc".as_slice(), &bytes].concat();
    vec![
        case(
            "zstd",
            "CVE-2021-23337",
            "known by its first bytes",
            below(Layer::packed(ZSTD, &archive, zstd)),
        ),
        case("uncompressed", "CVE-2021-23337", "a bare archive", below(Layer::plain(archive.clone()))),
        case("gzip-of-members", "CVE-2021-23337", "gzip may be written in pieces", {
            below(Layer::raw(GZIP, [gzip(left), gzip(b""), gzip(right)].concat()))
        }),
        case("zstd-of-frames", "CVE-2021-23337", "and so may zstd", {
            below(Layer::raw(ZSTD, [zstd(left), zstd(right)].concat()))
        }),
        case("zstd-begins-with-skippable-frame", "CVE-2021-23337", "as zstd:chunked has it", {
            below(Layer::raw(ZSTD, skippable(zstd(&archive))))
        }),
        case(
            "media-type-says-gzip-of-zstd",
            "CVE-2021-23337",
            "media types lie more often than first bytes",
            below(Layer::packed(GZIP, &archive, zstd)),
        ),
        case(
            "media-type-says-tar-of-gzip",
            "CVE-2021-23337",
            "the same",
            below(Layer::packed(TAR, &archive, gzip)),
        ),
        case("media-type-of-nothing", "CVE-2021-23337", "a type that nobody knows", {
            below(Layer::packed("application/octet-stream", &archive, gzip))
        }),
        case("gzip-in-gzip", unread("truncated"), "what is inside is no archive", {
            below(Layer::raw(GZIP, gzip(&gzip(&archive))))
        }),
        case(
            "gzip-then-garbage",
            "CVE-2021-23337 (partial: layer_unreadable truncated)",
            "bytes behind the stream are not accounted for",
            below(Layer::raw(GZIP, [gzip(&archive), b"garbage".to_vec()].concat())),
        ),
        case(
            "zstd-then-garbage",
            "CVE-2021-23337 (partial: layer_unreadable corrupt_compression)",
            "the same",
            below(Layer::raw(ZSTD, [zstd(&archive), b"garbage".to_vec()].concat())),
        ),
    ]
}

fn cut() -> Vec<Case> {
    let archive = app();
    let half = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    let all_but = |bytes: Vec<u8>, missing: usize| bytes[..bytes.len() - missing].to_vec();
    let damaged = |mut bytes: Vec<u8>| {
        let at = bytes.len() - 6;
        bytes[at] ^= 1;
        bytes
    };
    vec![
        case("truncated-gzip", unread("truncated"), "cut before it was pushed: its digest is right", {
            below(Layer::raw(GZIP, half(gzip(&archive))))
        }),
        case(
            "truncated-zstd",
            unread("truncated"),
            "the same",
            below(Layer::raw(ZSTD, half(zstd(&archive)))),
        ),
        case("truncated-in-a-member", unread("truncated"), "the archive ends in a file", {
            below(Layer::plain(archive[..520].to_vec()))
        }),
        case("truncated-in-a-header", unread("truncated"), "the archive ends in a header", {
            below(Layer::plain(sound_debian().raw(&archive[..300]).open_end()))
        }),
        case(
            "gzip-without-its-sum",
            "CVE-2021-23337 (partial: layer_unreadable truncated)",
            "what is read so far counts",
            below(Layer::raw(GZIP, all_but(gzip(&archive), 8))),
        ),
        case(
            "gzip-of-wrong-sum",
            "CVE-2021-23337 (partial: layer_unreadable corrupt_compression)",
            "the sum says that these are not the bytes that were packed",
            below(Layer::raw(GZIP, damaged(gzip(&archive)))),
        ),
        case("gzip-header-alone", unread("truncated"), "a stream without content", {
            below(Layer::raw(GZIP, gzip(&archive)[..10].to_vec()))
        }),
        case(
            "two-bytes-of-gzip",
            unread("truncated"),
            "not even a header",
            below(Layer::raw(GZIP, vec![0x1f, 0x8b])),
        ),
        case(
            "truncated-is-the-base",
            "CVE-2021-23337 (partial: layer_unreadable truncated, no_package_database)",
            "the layer above is still judged",
            Image::of([Layer::raw(GZIP, half(gzip(&sound_debian().end()))), Layer::plain(app())]),
        ),
    ]
}

fn not_archives() -> Vec<Case> {
    let other = |found: &str| unread(&format!("unsupported_format: {found}"));
    let first = |bytes: &[u8]| below(Layer::raw(TAR, [bytes, &[b'x'; 600]].concat()));
    // The name of its first member is the beginning of a zstd stream.
    let polyglot = Tar::default().file(b"\x50\x2a\x4d\x18\x10\x00\x00\x00", b"").raw(app());
    vec![
        case("text", other("neither gzip, zstd nor tar"), "no archive at all", first(b"hello")),
        case("zip", other("zip"), "an archive of another kind", first(b"PK\x03\x04")),
        case("xz", other("xz"), "no runtime unpacks it", first(b"\xfd7zXZ\0")),
        case("bzip2", other("bzip2"), "docker unpacks it, in layers of old", first(b"BZh9")),
        case("lz4", other("lz4"), "no runtime unpacks it", first(b"\x04\x22\x4d\x18")),
        case(
            "both-zstd-and-tar",
            other("both compressed and a tar archive"),
            "two readings of the same bytes",
            below(Layer::plain(polyglot.end())),
        ),
        case("zeros", "clean", "blocks of zeros are an empty archive", below(Layer::plain(vec![0; 10_240]))),
        case(
            "encrypted",
            unread("encrypted"),
            "no key, no look",
            below(Layer::raw("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", vec![7; 600])),
        ),
        case(
            "encrypted-says-its-type",
            unread("encrypted"),
            "a blob that reads well, and is not what it reads as once it is decrypted",
            Image::of([
                sound_debian().into(),
                Layer::packed(
                    "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
                    &sound_debian().end(),
                    gzip,
                ),
            ]),
        ),
    ]
}

fn promised() -> Vec<Case> {
    let corrupt = "refused: corrupt";
    let layer = |name: &str| Layer::packed(GZIP, &its_own(name), gzip);
    let other = |name: &str, change: fn(&mut Vec<u8>)| {
        let mut bytes = layer(name).bytes;
        change(&mut bytes);
        below(layer(name).stored(Stored::As(bytes)))
    };
    vec![
        case("wrong-digest", corrupt, "the bytes are not those that the manifest names", {
            other("wrong-digest", |bytes| bytes[20] ^= 1)
        }),
        case(
            "fewer-bytes",
            corrupt,
            "cut in the registry",
            other("fewer-bytes", |bytes| bytes.truncate(bytes.len() / 2)),
        ),
        case("more-bytes", corrupt, "something was added", other("more-bytes", |bytes| bytes.push(0))),
        case("no-bytes", corrupt, "nothing is left of it", other("no-bytes", Vec::clear)),
        case("wrong-size", corrupt, "the digest is right, the size is not", {
            below(layer("wrong-size")).manifest(|manifest| manifest["layers"][1]["size"] = 7.into())
        }),
        case("size-of-terabytes", corrupt, "the same with a size beyond everything", {
            below(layer("size-of-terabytes"))
                .manifest(|manifest| manifest["layers"][1]["size"] = (1_u64 << 50).into())
        }),
        case("missing-layer", corrupt, "the registry does not hold what the manifest names", {
            below(layer("missing-layer").stored(Stored::Nowhere))
        }),
        case(
            "wrong-diff-id",
            "CVE-2021-23337",
            "the blob is the promised one; what a runtime makes of it is less, not more",
            below(layer("wrong-diff-id"))
                .config(|config| config["rootfs"]["diff_ids"][1] = "sha256:00".into()),
        ),
    ]
}

fn elsewhere() -> Vec<Case> {
    let absent =
        |name: &str, media_type| below(Layer::raw(media_type, gzip(&its_own(name))).stored(Stored::Nowhere));
    vec![
        case(
            "foreign",
            unread(
                "unsupported_format: no bytes: the registry does not hold a layer of type application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            ),
            "registries do not hold it, by its licence",
            absent("foreign", FOREIGN),
        ),
        case(
            "nondistributable",
            unread(
                "unsupported_format: no bytes: the registry does not hold a layer of type application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
            ),
            "the same in OCI's words",
            absent("nondistributable", NONDISTRIBUTABLE),
        ),
        case("foreign-and-held", "CVE-2021-23337", "one that the registry does hold is read", {
            below(Layer::packed(FOREIGN, &app(), gzip))
        }),
        case(
            "urls",
            "refused: corrupt",
            "addresses in a manifest are not followed: they are foreign input",
            {
                absent("urls", GZIP).manifest(|manifest| {
                    manifest["layers"][1]["urls"] = serde_json::json!(["http://169.254.169.254/latest"]);
                })
            },
        ),
        case(
            "empty-json-layer",
            unread("unsupported_format: neither gzip, zstd nor tar"),
            "OCI's `{}` for nothing",
            below(Layer::raw("application/vnd.oci.empty.v1+json", b"{}".to_vec())),
        ),
        case(
            "base-is-flawed",
            "CVE-2023-5678 (partial: layer_unreadable truncated)",
            "findings are told though something was not seen",
            Image::of([flawed_debian().into(), Layer::raw(GZIP, gzip(&app())[..40].to_vec())]),
        ),
    ]
}
