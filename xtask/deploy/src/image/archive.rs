//! Archives that depend on their contents alone: sorted, without times, owners or names of the machine.

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::{Compression, GzBuilder};

/// A file or a folder.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    path: String,
    mode: u32,
    owner: u32,
    /// None for a folder.
    bytes: Option<Vec<u8>>,
}

impl Entry {
    /// A file of root.
    pub(crate) fn file(path: &str, mode: u32, bytes: Vec<u8>) -> Self {
        Self { path: path.to_owned(), mode, owner: 0, bytes: Some(bytes) }
    }

    /// A folder; those above a file need not be named.
    pub(crate) fn folder(path: &str, mode: u32, owner: u32) -> Self {
        Self { path: path.to_owned(), mode, owner, bytes: None }
    }
}

/// An archive of these, with the folders above them.
pub(crate) fn tar(entries: Vec<Entry>) -> Result<Vec<u8>, String> {
    let mut by_path: BTreeMap<String, Entry> = BTreeMap::new();
    for entry in entries {
        let above = entry.path.match_indices('/').map(|(at, _)| entry.path[..at].to_owned());
        for folder in above.collect::<Vec<_>>() {
            by_path.entry(folder.clone()).or_insert_with(|| Entry::folder(&folder, 0o755, 0));
        }
        by_path.insert(entry.path.clone(), entry);
    }
    let mut builder = tar::Builder::new(Vec::new());
    for (path, entry) in by_path {
        let mut header = tar::Header::new_ustar();
        header.set_mode(entry.mode);
        header.set_uid(entry.owner.into());
        header.set_gid(entry.owner.into());
        header.set_mtime(0);
        let bytes = entry.bytes.unwrap_or_else(|| {
            header.set_entry_type(tar::EntryType::Directory);
            vec![]
        });
        header.set_size(bytes.len() as u64);
        builder
            .append_data(&mut header, &path, bytes.as_slice())
            .map_err(|error| format!("{path} cannot be archived: {error}"))?;
    }
    builder.into_inner().map_err(|error| format!("an archive cannot be written: {error}"))
}

/// Compressed, without a name or a time.
pub(crate) fn gzip(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut encoder = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::new(6));
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .map_err(|error| format!("an archive cannot be compressed: {error}"))
}
