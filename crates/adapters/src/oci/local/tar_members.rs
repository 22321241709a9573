//! Where the members of a tar lie in its file: one pass over the headers, nothing unpacked.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use tar::EntryType;

/// The most members of an archive; an image has a few for each layer.
const MAX_MEMBERS: usize = 65_536;
/// How many links in a row are followed; docker's own make one.
const MAX_LINKS: usize = 8;

/// A regular member: where its bytes begin, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Member {
    pub(super) offset: u64,
    pub(super) size: u64,
}

#[derive(Debug)]
enum Entry {
    File(Member),
    /// The path that it leads to, from the root of the archive.
    Link(String),
}

/// The members of an archive by path.
#[derive(Debug)]
pub(super) struct Members {
    entries: HashMap<String, Entry>,
}

impl Members {
    /// Reads the headers. Where a path comes twice the last counts, as when unpacking.
    pub(super) fn index(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|e| e.to_string())?;
        let length = file.metadata().map_err(|e| e.to_string())?.len();
        let mut file = BufReader::new(file);
        refuse_compressed(&mut file)?;
        let mut archive = tar::Archive::new(file);
        let mut entries = HashMap::new();
        for entry in archive.entries_with_seek().map_err(|e| e.to_string())? {
            let entry = entry.map_err(|e| format!("no tar archive, or cut short: {e}"))?;
            if entries.len() == MAX_MEMBERS {
                return Err(format!("it has more than {MAX_MEMBERS} members"));
            }
            let Some(name) = normal("", &String::from_utf8_lossy(&entry.path_bytes())) else { continue };
            let target = entry.link_name_bytes().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            let found = match (entry.header().entry_type(), target) {
                (EntryType::Regular | EntryType::Continuous, _) => {
                    let member = Member { offset: entry.raw_file_position(), size: entry.size() };
                    if member.offset.saturating_add(member.size) > length {
                        return Err(format!("it is cut short: `{name}` reaches beyond its end"));
                    }
                    Some(Entry::File(member))
                }
                (EntryType::Symlink, Some(target)) => normal(parent(&name), &target).map(Entry::Link),
                (EntryType::Link, Some(target)) => normal("", &target).map(Entry::Link),
                _ => None,
            };
            found.and_then(|found| entries.insert(name, found));
        }
        Ok(Self { entries })
    }

    /// A member by its path, links followed.
    pub(super) fn get(&self, path: &str) -> Option<Member> {
        let mut path = normal("", path)?;
        for _ in 0..=MAX_LINKS {
            match self.entries.get(&path)? {
                Entry::File(member) => return Some(*member),
                Entry::Link(target) => path.clone_from(target),
            }
        }
        None
    }
}

/// Reads a small member whole.
pub(super) fn read(file: &mut File, member: Member, max: u64) -> Result<Vec<u8>, String> {
    if member.size > max {
        return Err(format!("it is {} bytes long; at most {max} are read", member.size));
    }
    let mut bytes = Vec::new();
    section(file, member).and_then(|mut part| part.read_to_end(&mut bytes)).map_err(|e| e.to_string())?;
    Ok(bytes)
}

/// The bytes of a member.
pub(super) fn section(file: &mut File, member: Member) -> io::Result<io::Take<&mut File>> {
    file.seek(SeekFrom::Start(member.offset))?;
    Ok(file.take(member.size))
}

fn refuse_compressed(file: &mut BufReader<File>) -> Result<(), String> {
    const MAGIC: [(&[u8], &str, &str); 4] = [
        (&[0x1f, 0x8b], "gzip", "gunzip FILE"),
        (&[0x28, 0xb5, 0x2f, 0xfd], "zstd", "zstd -d FILE"),
        (&[0xfd, b'7', b'z', b'X', b'Z'], "xz", "xz -d FILE"),
        (b"BZh", "bzip2", "bunzip2 FILE"),
    ];
    let mut start = Vec::new();
    file.by_ref().take(8).read_to_end(&mut start).map_err(|e| e.to_string())?;
    file.rewind().map_err(|e| e.to_string())?;
    match MAGIC.iter().find(|(magic, ..)| start.starts_with(magic)) {
        Some((_, kind, remedy)) => Err(format!(
            "it is compressed with {kind}, and members are read by their place: decompress it with `{remedy}`"
        )),
        None => Ok(()),
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A path from the root of the archive; none where it leads out of it or to the root itself.
fn normal(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    let base = if path.starts_with('/') { "" } else { folder };
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    if parts.is_empty() { None } else { Some(parts.join("/")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_from_the_root_and_never_out_of_it() {
        for (folder, path, expected) in [
            ("", "./a/b", Some("a/b")),
            ("a", "../b/layer.tar", Some("b/layer.tar")),
            ("a", "/b", Some("b")),
            ("a", "../../b", None),
            ("", "./", None),
        ] {
            assert_eq!(normal(folder, path).as_deref(), expected, "{folder} {path}");
        }
    }

    #[test]
    fn links_are_followed_up_to_the_bound_and_not_in_circles() {
        let chain = |links: usize| {
            let link = |i: usize| (format!("l{i}"), Entry::Link(format!("l{}", i + 1)));
            let mut entries: HashMap<String, Entry> = (0..links).map(link).collect();
            entries.insert(format!("l{links}"), Entry::File(Member { offset: 512, size: 1 }));
            Members { entries }.get("l0")
        };
        assert_eq!(chain(MAX_LINKS), Some(Member { offset: 512, size: 1 }));
        assert_eq!(chain(MAX_LINKS + 1), None);
        let circle = HashMap::from([("a".to_owned(), Entry::Link("a".to_owned()))]);
        assert_eq!(Members { entries: circle }.get("a"), None);
    }

    #[test]
    fn as_many_members_as_the_bound_are_read_and_one_more_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let archive = |members: usize| {
            let path = folder.path().join("a.tar");
            let mut builder = tar::Builder::new(io::BufWriter::new(File::create(&path).unwrap()));
            for i in 0..members {
                let mut header = tar::Header::new_ustar();
                header.set_size(0);
                builder.append_data(&mut header, i.to_string(), io::empty()).unwrap();
            }
            builder.into_inner().unwrap();
            Members::index(&path).map(|m| m.entries.len())
        };
        assert_eq!(archive(MAX_MEMBERS), Ok(MAX_MEMBERS));
        assert!(archive(MAX_MEMBERS + 1).unwrap_err().contains("more than 65536 members"));
    }
}
