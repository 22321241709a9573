//! Archives written by hand, walked.

use super::*;

/// A header block with a right checksum.
fn header(name: &str, type_flag: u8, size: u64, link: &str) -> Vec<u8> {
    let mut block = vec![0u8; BLOCK];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    block[156] = type_flag;
    block[157..157 + link.len()].copy_from_slice(link.as_bytes());
    block[257..265].copy_from_slice(b"ustar\x0000");
    seal(&mut block);
    block
}

fn seal(block: &mut [u8]) {
    block[148..156].copy_from_slice(b"        ");
    let sum: u64 = block.iter().map(|&byte| u64::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

fn padded(content: &[u8]) -> Vec<u8> {
    let mut padded = content.to_vec();
    padded.resize(content.len().next_multiple_of(BLOCK), 0);
    padded
}

fn record(key: &str, value: &str) -> String {
    let body = key.len() + value.len() + 3;
    let mut length = body + body.to_string().len();
    if length.to_string().len() != body.to_string().len() {
        length += 1;
    }
    format!("{length} {key}={value}\n")
}

fn pax(flag: u8, records: &str) -> Vec<u8> {
    [header("pax", flag, records.len() as u64, ""), padded(records.as_bytes())].concat()
}

/// (name, content) of every member.
fn walk(archive: &[u8]) -> Result<Vec<(String, Vec<u8>)>, TarError> {
    walk_within(archive, 1 << 15)
}

fn walk_within(archive: &[u8], max_name_bytes: usize) -> Result<Vec<(String, Vec<u8>)>, TarError> {
    let mut tar = TarReader::new(archive, max_name_bytes);
    let mut members = Vec::new();
    while let Some(member) = tar.next_member()? {
        let mut content = Vec::new();
        while let Some(piece) = tar.chunk()? {
            content.extend_from_slice(piece);
        }
        members.push((member.name, content));
    }
    Ok(members)
}

#[test]
fn gnu_and_pax_names_reach_their_member() {
    let long = "d/".repeat(90) + "file";
    let archive = [
        header("././@LongLink", b'L', long.len() as u64 + 1, ""),
        padded(format!("{long}\0").as_bytes()),
        header("short", b'0', 3, ""),
        padded(b"abc"),
        pax(b'x', &record("path", "from/pax")),
        header("other", b'0', 1, ""),
        padded(b"z"),
        vec![0; BLOCK * 2],
    ]
    .concat();
    let members = walk(&archive).unwrap();
    assert_eq!(members, [(long, b"abc".to_vec()), ("from/pax".into(), b"z".to_vec())]);
}

#[test]
fn a_pax_size_overrides_the_header() {
    let archive = [
        pax(b'x', &record("size", "600")),
        header("big", b'0', 0, ""),
        padded(&[7; 600]),
        header("next", b'0', 0, ""),
    ]
    .concat();
    let members = walk(&archive).unwrap();
    assert_eq!(members.len(), 2);
    assert_eq!(members[0].1.len(), 600);
}

#[test]
fn global_fields_hold_until_a_member_has_its_own() {
    let archive = [
        pax(b'g', &record("path", "everywhere")),
        header("a", b'0', 0, ""),
        pax(b'x', &record("path", "own")),
        header("b", b'0', 0, ""),
    ]
    .concat();
    let names: Vec<_> = walk(&archive).unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["everywhere", "own"]);
}

#[test]
fn old_sparse_maps_are_skipped() {
    let mut sparse = header("sparse", b'S', 512, "");
    sparse[257..265].copy_from_slice(b"ustar  \0");
    sparse[482] = 1;
    seal(&mut sparse);
    let mut map = vec![0; BLOCK];
    map[504] = 1;
    let archive = [sparse, map, vec![0; BLOCK], vec![9; BLOCK], header("after", b'0', 0, "")].concat();
    let members = walk(&archive).unwrap();
    assert_eq!(members, [("sparse".into(), vec![9; BLOCK]), ("after".into(), vec![])]);
}

#[test]
fn links_have_no_content_whatever_their_size_says() {
    let archive = [header("link", b'1', 4096, "target"), header("after", b'0', 0, "")].concat();
    assert_eq!(walk(&archive).unwrap().len(), 2);
}

#[test]
fn an_archive_may_end_at_a_block_but_not_inside_one() {
    let archive = [header("a", b'0', 3, ""), padded(b"abc")].concat();
    assert_eq!(walk(&archive).unwrap().len(), 1);
    assert!(matches!(walk(&archive[..archive.len() - 1]), Err(TarError::Truncated)));
    assert!(matches!(walk(&archive[..100]), Err(TarError::Truncated)));
}

#[test]
fn a_wrong_checksum_is_malformed() {
    let mut archive = header("a", b'0', 0, "");
    archive[0] = b'b';
    assert!(matches!(walk(&archive), Err(TarError::Malformed(_))));
}

#[test]
fn names_are_bounded_at_the_limit() {
    let archive = pax(b'x', &record("path", "12345678"));
    let archive = [archive, header("a", b'0', 0, "")].concat();
    assert_eq!(walk_within(&archive, 8).unwrap().len(), 1);
    assert!(matches!(walk_within(&archive, 7), Err(TarError::NameTooLong(7))));
}

#[test]
fn extended_headers_are_bounded_at_the_limit() {
    let limit = MAX_EXTENDED_HEADER_BYTES;
    let at = |size: u64| {
        let mut content = b"n\0".to_vec();
        content.resize(usize::try_from(size).unwrap(), 0);
        [header("L", b'L', size, ""), padded(&content), header("a", b'0', 0, "")].concat()
    };
    assert_eq!(walk(&at(limit)).unwrap()[0].0, "n");
    assert!(matches!(walk(&at(limit + 1)), Err(TarError::NameTooLong(bytes)) if bytes == limit));
}

#[test]
fn a_member_larger_than_the_buffer_arrives_whole() {
    let content = vec![5; BUFFER_BYTES * 2 + 17];
    let archive = [header("big", b'0', content.len() as u64, ""), padded(&content)].concat();
    assert_eq!(walk(&archive).unwrap()[0].1, content);
}
