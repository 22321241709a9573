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

/// A member that a header of its own names.
fn named(front: &[u8]) -> Result<Vec<(String, Vec<u8>)>, TarError> {
    walk(&[front, &header("a", b'0', 0, "")].concat())
}

#[test]
fn archives_that_two_readers_would_read_in_two_ways_are_malformed() {
    let gnu = [header("L", b'L', 2, ""), padded(b"b\0")].concat();
    let name = pax(b'x', &record("path", "c"));
    for front in [
        pax(b'g', &record("path", "everywhere")),
        pax(b'g', &record("size", "0")),
        [name.clone(), pax(b'x', &record("mtime", "1"))].concat(),
        [gnu.clone(), name.clone()].concat(),
        [name.clone(), gnu.clone()].concat(),
        pax(b'x', &record("path", "a\0b")),
        vec![0; BLOCK],
    ] {
        assert!(matches!(named(&front), Err(TarError::Malformed(_))), "{:?}", named(&front));
    }
    let comment = pax(b'g', &record("comment", "of git"));
    for (front, expected) in [(gnu, "b"), (name, "c"), (comment, "a")] {
        assert_eq!(named(&front).unwrap()[0].0, expected);
    }
}

#[test]
fn only_a_type_of_old_makes_a_folder_of_a_name() {
    for (flag, content) in [(b'0', b"abc".to_vec()), (0, vec![])] {
        let archive = [header("folder/", flag, 3, ""), padded(&content)].concat();
        assert_eq!(walk(&archive).unwrap(), [("folder/".to_owned(), content)]);
    }
}

#[test]
fn a_prefix_stands_where_the_form_has_it() {
    let of = |magic: &[u8], prefix: &[u8], trailer: &[u8]| {
        let mut block = header("name", b'0', 0, "");
        block[257..257 + magic.len()].copy_from_slice(magic);
        block[345..345 + prefix.len()].copy_from_slice(prefix);
        block[512 - trailer.len()..].copy_from_slice(trailer);
        seal(&mut block);
        walk(&block).unwrap().remove(0).0
    };
    let long = [b'p'; 155];
    assert_eq!(of(b"ustar\0", &long, b"").len(), 155 + "/name".len());
    assert_eq!(of(b"ustar\0", &long, b"tar\0").len(), 131 + "/name".len(), "star keeps dates behind it");
    assert_eq!(of(b"ustar  \0", b"old/go", b""), "old/go/name");
    assert_eq!(of(b"ustar  \0", b"00000000017 00000000017 ", b""), "name", "dates of GNU");
    assert_eq!(of(b"\0\0\0\0\0\0", b"old/go", b""), "name");
}

#[test]
fn a_map_in_front_of_a_sparse_files_content_is_skipped() {
    let sparse = |map: &[u8]| {
        let content = [padded(map), b"data".to_vec()].concat();
        let head = header("sparse", b'0', content.len() as u64, "");
        walk(&[pax(b'x', &record("GNU.sparse.major", "1")), head, padded(&content)].concat())
    };
    assert_eq!(sparse(b"1\n0\n4\n").unwrap()[0].1, b"data");
    let pieces = (0..200).map(|n| format!("{n}\n1\n"));
    assert_eq!(sparse(format!("200\n{}", pieces.collect::<String>()).as_bytes()).unwrap()[0].1, b"data");
    for none in [&b""[..], b"x\n", b"1\n0\n", b"99999999999999999999\n", b"18446744073709551615\n"] {
        assert!(matches!(sparse(none), Err(TarError::Malformed(_))), "{none:?}");
    }
}

#[test]
fn a_map_in_front_of_a_sparse_files_content_is_bounded_at_the_limit() {
    let sparse = |bytes: usize| {
        let map = [b"1\n0\n".to_vec(), vec![b'0'; bytes - 5], b"\n".to_vec()].concat();
        let content = [padded(&map), b"data".to_vec()].concat();
        let head = header("sparse", b'0', content.len() as u64, "");
        walk(&[pax(b'x', &record("GNU.sparse.major", "1")), head, padded(&content)].concat())
    };
    let limit = usize::try_from(MAX_EXTENDED_HEADER_BYTES).unwrap();
    assert_eq!(sparse(limit).unwrap()[0].1, b"data");
    assert!(matches!(sparse(limit + 1), Err(TarError::Malformed(_))));
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
