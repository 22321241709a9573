//! Folders and archives, whole, broken and half-copied.

use std::io::Write as _;

use super::*;

const RECORD: &str = r#"{"id":"A-1","affected":[]}"#;

fn ids(location: &SourceLocation) -> Result<Vec<String>, SourceError> {
    let mut ids = Vec::new();
    for_each_record(location, |record| {
        ids.push(record.id);
        Ok::<(), SourceError>(())
    })?;
    Ok(ids)
}

fn folder_of(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn zip_of(files: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn in_folder(folder: &tempfile::TempDir) -> Result<Vec<String>, SourceError> {
    ids(&SourceLocation::Folder(folder.path().to_owned()))
}

#[test]
fn folders_are_read_in_any_depth_and_other_files_passed_over() {
    let archive = zip_of(&[("x/y.json", r#"{"id":"Z"}"#), ("README.md", "text")]);
    let folder = folder_of(&[
        ("Debian/a.json", RECORD.as_bytes()),
        ("deep/er/b.JSON", br#"{"id":"B"}"#),
        ("Ubuntu/all.zip", &archive),
        ("README.md", b"text"),
        (".git/config.json", b"not json"),
    ]);
    assert_eq!(in_folder(&folder).unwrap(), ["A-1", "Z", "B"]);
}

#[test]
fn an_archive_is_a_source_by_itself() {
    let folder = folder_of(&[("all.zip", &zip_of(&[("b.json", r#"{"id":"B"}"#), ("a.json", RECORD)]))]);
    assert_eq!(ids(&SourceLocation::Zip(folder.path().join("all.zip"))).unwrap(), ["A-1", "B"]);
}

#[test]
fn a_file_that_does_not_parse_ends_it_by_name() {
    for content in [&b"{\"id\":\"A"[..], b"", b"[]", b"{\"modified\":\"x\"}", b"{\"id\":\"\"}"] {
        let folder = folder_of(&[("a.json", RECORD.as_bytes()), ("broken.json", content)]);
        let error = in_folder(&folder).unwrap_err();
        assert!(matches!(error, SourceError::NotOsv { .. }), "{error}");
        assert!(error.to_string().contains("broken.json"), "{error}");
    }
}

#[test]
fn an_archive_cut_anywhere_is_refused() {
    let whole = zip_of(&[("a.json", RECORD), ("b.json", r#"{"id":"B"}"#)]);
    for length in 0..whole.len() {
        let folder = folder_of(&[("all.zip", &whole[..length])]);
        let error = in_folder(&folder).unwrap_err();
        assert!(error.to_string().contains("all.zip"), "{length}: {error}");
    }
}

#[test]
fn a_member_that_does_not_match_its_checksum_is_refused() {
    let mut archive = zip_of(&[("a.json", &format!("{RECORD}{}", " ".repeat(100)))]);
    // The first byte of the compressed content, behind the local header and the name.
    archive[30 + "a.json".len() + 2] ^= 0xff;
    let folder = folder_of(&[("all.zip", &archive)]);
    assert!(in_folder(&folder).is_err());
}

#[test]
fn nothing_there_is_an_error_not_an_empty_source() {
    assert!(matches!(in_folder(&folder_of(&[])).unwrap_err(), SourceError::Empty { .. }));
    assert!(matches!(in_folder(&folder_of(&[("a.txt", b"")])).unwrap_err(), SourceError::Empty { .. }));
    let folder = folder_of(&[("all.zip", &zip_of(&[]))]);
    assert!(matches!(in_folder(&folder).unwrap_err(), SourceError::Empty { .. }));
    let missing = SourceLocation::Folder(folder.path().join("missing"));
    assert!(matches!(ids(&missing).unwrap_err(), SourceError::Unreadable { .. }));
}

#[test]
fn a_record_is_bounded_at_the_limit() {
    let of_length = |length: u64| {
        let mut json = RECORD.as_bytes().to_vec();
        json.resize(usize::try_from(length).unwrap(), b' ');
        in_folder(&folder_of(&[("a.json", &json)]))
    };
    assert_eq!(of_length(MAX_RECORD_BYTES).unwrap(), ["A-1"]);
    assert!(matches!(of_length(MAX_RECORD_BYTES + 1), Err(SourceError::RecordTooLarge { .. })));
}

#[test]
fn folders_are_bounded_at_the_limit() {
    let at_depth = |depth: usize| {
        in_folder(&folder_of(&[(&format!("{}a.json", "d/".repeat(depth)), RECORD.as_bytes())]))
    };
    assert_eq!(at_depth(MAX_FOLDER_DEPTH).unwrap(), ["A-1"]);
    assert!(matches!(at_depth(MAX_FOLDER_DEPTH + 1), Err(SourceError::TooDeep { .. })));
}
