//! The directory, member by member.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn members_come_in_order_with_their_content() {
    let bytes = archive(&[("a", b"first"), ("b/c", b"")]);
    let archive = Archive::open(&bytes).unwrap();
    let members: Vec<_> = archive.members().map(Result::unwrap).collect();
    assert_eq!(members.iter().map(|member| &*member.name).collect::<Vec<_>>(), ["a", "b/c"]);
    assert_eq!(&*archive.content(&members[0], 5).unwrap(), b"first");
    assert_eq!(archive.content(&members[0], 4), Err(ContentError::TooLarge));
    assert_eq!(&*archive.content(&members[1], 0).unwrap(), b"");
}

#[test]
fn an_empty_archive_has_no_members() {
    let bytes = archive(&[]);
    assert_eq!(Archive::open(&bytes).unwrap().members().count(), 0);
    assert!(Archive::open(&bytes[..bytes.len() - 1]).is_none());
}

#[test]
fn encrypted_members_and_unknown_methods_have_no_content() {
    let bytes = archive(&[("a", b"first")]);
    let directory = bytes.len() - 22 - 47;
    for (offset, value) in [(8, 1), (10, 12)] {
        let mut changed = bytes.clone();
        changed[directory + offset] = value;
        let archive = Archive::open(&changed).unwrap();
        let member = archive.members().next().unwrap().unwrap();
        assert_eq!(archive.content(&member, 100), Err(ContentError::Malformed));
    }
}

#[test]
fn a_directory_that_breaks_off_says_so_once() {
    let mut bytes = archive(&[("a", b"first"), ("b", b"second")]);
    let second = bytes.len() - 22 - 47;
    bytes[second] = b'X';
    let members: Vec<_> = Archive::open(&bytes).unwrap().members().collect();
    assert_eq!(members.len(), 2);
    assert_eq!(members[1], Err(MalformedDirectory));
}

#[test]
fn what_does_not_fit_into_32_bits_stands_in_the_extra_field() {
    let extra = [&[9, 0, 1, 0, 7][..], &[1, 0, 16, 0], &5u64.to_le_bytes(), &6u64.to_le_bytes()].concat();
    assert_eq!(wide([u32::MAX, 3, u32::MAX], &extra), Some([5, 3, 6]));
    assert_eq!(wide([1, 2, 3], &[]), Some([1, 2, 3]));
    assert_eq!(wide([u32::MAX; 3], &extra), None);
    assert_eq!(wide([u32::MAX, 2, 3], &[]), None);
}

#[test]
fn the_end_of_the_directory_is_found_in_front_of_the_longest_comment_and_no_further() {
    let bytes = archive(&[("a", b"first")]);
    for (behind, is_found) in [(MAX_END_BYTES - END_BYTES, true), (MAX_END_BYTES - END_BYTES + 1, false)] {
        let with_comment = [bytes.clone(), vec![b' '; behind]].concat();
        assert_eq!(Archive::open(&with_comment).is_some(), is_found, "{behind}");
    }
}
