//! Layers built in memory, whole and broken, read to their end.

use std::io::{Cursor, Write as _};

use sha2::{Digest, Sha256};

use super::*;
use crate::inventory::NodeContent;

const STATUS: &str = "Package: openssl\nStatus: install ok installed\nVersion: 3.0.9-1\n";

/// A tar archive of regular files.
pub(crate) fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, content) in files {
        let mut header = [0u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        header[148..156].copy_from_slice(b"        ");
        let sum: u64 = header.iter().map(|&byte| u64::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        archive.extend_from_slice(&header);
        archive.extend_from_slice(content);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 1).unwrap()
}

fn expect(blob: &[u8]) -> ExpectedBlob {
    ExpectedBlob {
        digest: digest_text(&Sha256::digest(blob)),
        size: Some(blob.len() as u64),
        media_type: "application/vnd.oci.image.layer.v1.tar+gzip".into(),
    }
}

fn read(blob: &[u8]) -> LayerRecord {
    read_layer(blob, &expect(blob), &Extraction::default()).unwrap()
}

fn read_within(blob: &[u8], change: impl Fn(&mut Limits)) -> LayerRecord {
    let mut extraction = Extraction::default();
    change(&mut extraction.limits);
    read_layer(blob, &expect(blob), &extraction).unwrap()
}

fn codes(record: &LayerRecord) -> Vec<&'static str> {
    record.problems.iter().map(LayerProblem::code).collect()
}

fn package_count(record: &LayerRecord) -> usize {
    let packages = record.nodes.iter().map(|node| match &node.content {
        NodeContent::Packages { packages, .. } => packages.len(),
        _ => 0,
    });
    packages.sum()
}

fn status_layer() -> Vec<u8> {
    tar_of(&[("etc/os-release", b"ID=debian\n"), ("var/lib/dpkg/status", STATUS.as_bytes())])
}

#[test]
fn every_compression_and_any_number_of_members_read_the_same() {
    let tar = status_layer();
    let (left, right) = tar.split_at(700);
    let skippable = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let diff_id = Some(digest_text(&Sha256::digest(&tar)));
    for (what, blob) in [
        ("tar", tar.clone()),
        ("gzip", gzip(&tar)),
        ("gzip members", [gzip(left), gzip(right)].concat()),
        ("zstd", zstd(&tar)),
        ("zstd frames", [zstd(left), zstd(right)].concat()),
        ("skippable first", [skippable.clone(), zstd(&tar)].concat()),
        ("skippable last", [zstd(&tar), skippable].concat()),
    ] {
        let record = read(&blob);
        assert_eq!(record.problems, [], "{what}");
        assert_eq!(record.diff_id, diff_id, "{what}");
        assert_eq!(package_count(&record), 1, "{what}");
        assert_eq!(record.blob_bytes, blob.len() as u64, "{what}");
    }
}

#[test]
fn a_blob_cut_anywhere_and_pushed_so_is_never_without_a_problem() {
    let tar = status_layer();
    for whole in [gzip(&tar), zstd(&tar)] {
        for length in 1..whole.len() {
            let record = read(&whole[..length]);
            assert!(!record.problems.is_empty(), "{length} of {} bytes", whole.len());
            assert_eq!(record.diff_id, None);
        }
    }
}

#[test]
fn bytes_that_are_not_those_asked_for_are_an_error() {
    let blob = gzip(&status_layer());
    let expected = expect(&blob);
    let read = |bytes: &[u8], expected: &ExpectedBlob| {
        read_layer(bytes, expected, &Extraction::default()).unwrap_err()
    };

    let mut flipped = blob.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert!(matches!(read(&flipped, &expected), LayerError::DigestMismatch { .. }));
    let short = read(&blob[..blob.len() - 1], &expected);
    assert!(
        matches!(short, LayerError::SizeMismatch { actual_bytes, .. } if actual_bytes == blob.len() as u64 - 1)
    );
    let long = read(&[&blob[..], b"x"].concat(), &expected);
    assert!(
        matches!(long, LayerError::SizeMismatch { actual_bytes, .. } if actual_bytes == blob.len() as u64 + 1)
    );
    let unsized_blob = ExpectedBlob { size: None, ..expected.clone() };
    assert!(matches!(read(b"", &unsized_blob), LayerError::DigestMismatch { .. }));
    for digest in ["", "sha512:00", "sha256:00", &expected.digest.to_uppercase()] {
        let expected = ExpectedBlob { digest: digest.into(), ..expected.clone() };
        assert!(matches!(read(&blob, &expected), LayerError::UnsupportedDigest { .. }), "{digest}");
    }
}

#[test]
fn a_reader_that_fails_is_an_error_and_never_a_truncated_layer() {
    struct Failing<'a>(&'a [u8]);
    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::new(io::ErrorKind::ConnectionReset, "reset")),
                read => Ok(read),
            }
        }
    }
    let blob = gzip(&status_layer());
    for length in [0, 5, blob.len() / 2, blob.len() - 1] {
        let error = read_layer(Failing(&blob[..length]), &expect(&blob), &Extraction::default()).unwrap_err();
        assert!(
            matches!(error, LayerError::Io { read_bytes, .. } if read_bytes == length as u64),
            "{length}"
        );
    }
}

#[test]
fn content_that_no_retry_mends_is_a_problem() {
    let garbage = [b'x'; 600];
    assert_eq!(codes(&read(&garbage)), ["unsupported_format"]);
    assert_eq!(codes(&read(b"BZh91AY")), ["unsupported_format"]);
    assert_eq!(codes(&read(&gzip(&garbage))), ["malformed_archive"]);
    let mut corrupt = gzip(&status_layer());
    let middle = corrupt.len() / 2;
    corrupt[middle..middle + 8].fill(0xff);
    assert_eq!(read(&corrupt).problems.len(), 1);
    let tar = status_layer();
    let encrypted = ExpectedBlob {
        media_type: "application/vnd.oci.image.layer.v1.tar+gzip+encrypted".into(),
        ..expect(&tar)
    };
    let record = read_layer(Cursor::new(&tar), &encrypted, &Extraction::default()).unwrap();
    assert_eq!(codes(&record), ["encrypted"]);
    assert_eq!(package_count(&record), 0);
}

#[test]
fn an_empty_blob_is_an_empty_layer() {
    let record = read(b"");
    assert_eq!((record.members, record.problems.len()), (0, 0));
}

#[test]
fn what_lies_behind_the_archives_end_counts_for_the_diff_id_only() {
    let tar = [status_layer(), tar_of(&[("var/lib/dpkg/status", b"Package: x\nVersion: 1\n")])].concat();
    let record = read(&gzip(&tar));
    assert_eq!(record.diff_id, Some(digest_text(&Sha256::digest(&tar))));
    assert_eq!(record.members, 2);
}

#[test]
fn decompressed_bytes_are_bounded_at_the_limit() {
    let tar = status_layer();
    let length = tar.len() as u64;
    let blob = gzip(&tar);
    assert_eq!(read_within(&blob, |limits| limits.max_layer_bytes = length).problems, []);
    let over = read_within(&blob, |limits| limits.max_layer_bytes = length - 1);
    assert_eq!(over.problems, [LayerProblem::LayerTooLarge { limit_bytes: length - 1 }]);
    assert_eq!(over.diff_id, None);
}

#[test]
fn compressed_bytes_of_unknown_size_are_bounded_at_the_limit() {
    let blob = gzip(&status_layer());
    let expected = ExpectedBlob { size: None, ..expect(&blob) };
    let within = |max_blob_bytes| {
        let mut extraction = Extraction::default();
        extraction.limits.max_blob_bytes = max_blob_bytes;
        read_layer(&blob[..], &expected, &extraction)
    };
    assert!(within(blob.len() as u64).is_ok());
    // The limit cuts the blob short, so that it cannot be the one that was asked for.
    assert!(matches!(within(blob.len() as u64 - 2), Err(LayerError::DigestMismatch { .. })));
}

#[test]
fn members_are_bounded_at_the_limit() {
    let blob = status_layer();
    assert_eq!(read_within(&blob, |limits| limits.max_entries = 2).problems, []);
    let over = read_within(&blob, |limits| limits.max_entries = 1);
    assert_eq!(over.problems, [LayerProblem::TooManyMembers { limit_members: 1 }]);
}

#[test]
fn a_database_is_bounded_at_the_limit() {
    let blob = status_layer();
    let problem = |limit: usize| {
        let record = read_within(&blob, |limits| limits.max_captured_bytes = limit);
        let database = record.nodes.into_iter().find(|node| node.path == "var/lib/dpkg/status").unwrap();
        match database.content {
            NodeContent::Packages { problem, .. } => problem.map(|problem| problem.code()),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(problem(STATUS.len()), None);
    assert_eq!(problem(STATUS.len() - 1), Some("database_too_large"));
}

#[test]
fn a_record_is_bounded_whatever_the_archive_holds() {
    let names: Vec<String> = (0..500).map(|n| format!("app/node_modules/p{n}/package.json")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"{}"[..])).collect();
    let blob = tar_of(&files);
    assert_eq!(read(&blob).problems, []);
    let over = read_within(&blob, |limits| limits.max_record_bytes = 4096);
    assert_eq!(over.problems, [LayerProblem::RecordTooLarge { limit_bytes: 4096 }]);
    assert!(serde_json::to_string(&over).unwrap().len() < 8192);
}

#[test]
fn a_window_larger_than_the_limit_is_refused() {
    let content = status_layer();
    let with_window = |log: u32| {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(log).unwrap();
        encoder.include_contentsize(false).unwrap();
        encoder.write_all(&content).unwrap();
        encoder.finish().unwrap()
    };
    assert_eq!(read(&with_window(MAX_ZSTD_WINDOW_LOG)).problems, []);
    assert_eq!(codes(&read(&with_window(MAX_ZSTD_WINDOW_LOG + 1))), ["corrupt_compression"]);
}
