//! One layer's members become its record: which are read, which are noted, which are passed over.

mod owners;

use std::collections::HashSet;

use self::owners::{Owners, PATH_OVERHEAD_BYTES};
use super::dpkg::{self, StatusParser};
use super::kind::PackageKind;
use super::os_release;
use super::record::{Node, NodeContent};
use super::unread::{self, ProgramScan};
use crate::layer::path::{self, MemberPath};
use crate::layer::{LayerProblem, Limits, Member, MemberKind, TarError};

/// Different problems that one layer's record lists.
pub(crate) const MAX_PROBLEMS: usize = 64;
/// Bytes that tell what a file is.
const HEAD_BYTES: usize = 16;

/// What a collector found in the members of one layer.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    pub(crate) nodes: Vec<Node>,
    pub(crate) whiteouts: Vec<String>,
    pub(crate) opaque_directories: Vec<String>,
    pub(crate) problems: Vec<LayerProblem>,
    evidence: Vec<(PackageKind, String)>,
}

impl Collected {
    pub(crate) fn unread(&mut self) -> Vec<super::record::UnreadEvidence> {
        unread::group(std::mem::take(&mut self.evidence))
    }
}

/// Takes members one at a time.
pub(crate) struct Collector {
    found: Collected,
    owners: Owners,
    /// Files that a hard link may bring to a path of interest.
    linkable: HashSet<String>,
    room_bytes: usize,
    limits: Limits,
}

/// The content of the current member, as far as a collector wants it.
pub(crate) trait Content {
    fn peek(&mut self, wanted: usize) -> Result<&[u8], TarError>;
    fn chunk(&mut self) -> Result<Option<&[u8]>, TarError>;
}

impl Collector {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            found: Collected::default(),
            owners: Owners::default(),
            linkable: HashSet::new(),
            room_bytes: limits.max_record_bytes,
            limits: *limits,
        }
    }

    /// Files the packages own are no evidence: they are part of what was read.
    pub(crate) fn finish(mut self) -> Collected {
        self.found.evidence.retain(|(_, path)| !self.owners.owns(path));
        self.found
    }

    pub(crate) fn member(&mut self, member: &Member, content: &mut impl Content) -> Result<(), TarError> {
        let path = match path::clean(&member.name) {
            MemberPath::Inside(path) if path.is_empty() => return Ok(()),
            MemberPath::Inside(path) => path,
            MemberPath::Escapes(path) => {
                if is_watched(&path) || unread::kind_of_path(&path).is_some() {
                    self.problem(LayerProblem::NameLeavesRoot { path });
                }
                return Ok(());
            }
        };
        if let Some(hidden) = path::file_name(&path).strip_prefix(".wh.") {
            self.whiteout(path::parent(&path), hidden);
            return Ok(());
        }
        match member.kind {
            MemberKind::Regular => self.file(path, member.sparse, content)?,
            MemberKind::HardLink => self.hard_link(path, &member.link),
            // Links at the top (`lib -> usr/lib`) may be part of any path.
            MemberKind::Symlink if is_watched(&path) || !path.contains('/') => {
                self.node(path, NodeContent::Symlink { target: member.link.clone() });
            }
            MemberKind::Directory if is_watched(&path) => self.node(path, NodeContent::Directory),
            MemberKind::Other if is_watched(&path) => self.node(path, NodeContent::Other),
            MemberKind::Symlink | MemberKind::Directory | MemberKind::Other => {}
        }
        Ok(())
    }

    fn whiteout(&mut self, directory: &str, hidden: &str) {
        if hidden == ".wh..opq" {
            if self.spend(directory.len()) {
                self.found.opaque_directories.push(directory.to_owned());
            }
            return;
        }
        // Names that begin twice are the storage driver's own; `.` and `..` would name another directory.
        if hidden.starts_with(".wh.") || matches!(hidden, "" | "." | "..") {
            return;
        }
        let path = if directory.is_empty() { hidden.to_owned() } else { format!("{directory}/{hidden}") };
        if self.spend(path.len()) {
            self.found.whiteouts.push(path);
        }
    }

    fn hard_link(&mut self, path: String, link: &str) {
        let (MemberPath::Inside(target) | MemberPath::Escapes(target)) = path::clean(link);
        if let Some(kind) = unread::kind_of_path(&path) {
            self.evidence(kind, &path);
        }
        if is_watched(&path) || self.linkable.contains(&target) {
            self.node(path, NodeContent::HardLink { target });
        }
    }

    fn file(&mut self, path: String, sparse: bool, content: &mut impl Content) -> Result<(), TarError> {
        if os_release::PATHS.contains(&path.as_str()) || path::file_name(&path) == "os-release" {
            return self.os_release(path, content);
        }
        if is_database(&path) {
            return self.database(path, sparse, content);
        }
        if let Some(list) = owners::List::of(&path) {
            let paths = self.owners.read(list, content, self.room_bytes)?;
            let bytes: usize = paths.iter().map(|path| path.len() + PATH_OVERHEAD_BYTES).sum();
            if !paths.is_empty() && self.spend(bytes) {
                self.node(path, NodeContent::Owner { paths });
            }
            return Ok(());
        }
        let head = content.peek(HEAD_BYTES)?;
        if head.is_empty() {
            if is_watched(&path) {
                self.node(path, NodeContent::Other);
            }
            return Ok(());
        }
        if let Some(kind) = unread::kind_of_path(&path) {
            self.evidence(kind, &path);
        } else if unread::is_program(head) {
            return self.program(&path, content);
        } else if dpkg::looks_like_database(head) && !dpkg::is_known_copy(&path) {
            // A link may point at it, in this layer or in one above.
            return self.database(path, sparse, content);
        }
        if is_watched(&path) {
            self.node(path, NodeContent::Other);
        }
        Ok(())
    }

    fn os_release(&mut self, path: String, content: &mut impl Content) -> Result<(), TarError> {
        let mut text = Vec::new();
        while let Some(piece) = content.chunk()? {
            let room = os_release::MAX_OS_RELEASE_BYTES - text.len();
            text.extend_from_slice(&piece[..piece.len().min(room)]);
            if text.len() == os_release::MAX_OS_RELEASE_BYTES {
                break;
            }
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        if self.spend(text.len()) {
            self.node(path, NodeContent::OsRelease { text });
        }
        Ok(())
    }

    fn database(&mut self, path: String, sparse: bool, content: &mut impl Content) -> Result<(), TarError> {
        if sparse {
            let problem = Some(LayerProblem::SparseDatabase { path: path.clone() });
            self.node(path, NodeContent::Packages { packages: Vec::new(), problem });
            return Ok(());
        }
        let mut parser = StatusParser::new(self.room_bytes);
        let mut left = self.limits.max_captured_bytes;
        let mut too_large = false;
        while let Some(piece) = content.chunk()? {
            if piece.len() > left {
                too_large = true;
                break;
            }
            left -= piece.len();
            parser.push(piece);
        }
        let parsed = parser.finish();
        if parsed.over_limit {
            self.record_full();
        }
        let problem = if too_large {
            let limit_bytes = self.limits.max_captured_bytes as u64;
            Some(LayerProblem::DatabaseTooLarge { path: path.clone(), limit_bytes })
        } else if parsed.malformed_parts > 0 {
            Some(LayerProblem::MalformedDatabase { path: path.clone(), parts: parsed.malformed_parts })
        } else {
            None
        };
        let bytes: usize = parsed.packages.iter().map(dpkg::retained_bytes).sum();
        if self.spend(bytes) {
            self.node(path, NodeContent::Packages { packages: parsed.packages, problem });
        }
        Ok(())
    }

    fn program(&mut self, path: &str, content: &mut impl Content) -> Result<(), TarError> {
        let mut scan = ProgramScan::new();
        while let Some(piece) = content.chunk()? {
            scan.push(piece);
        }
        for kind in scan.found() {
            self.evidence(kind, path);
        }
        Ok(())
    }

    fn evidence(&mut self, kind: PackageKind, path: &str) {
        if self.spend(path.len()) {
            self.found.evidence.push((kind, path.to_owned()));
        }
    }

    fn node(&mut self, path: String, content: NodeContent) {
        let is_file = matches!(content, NodeContent::Packages { .. } | NodeContent::OsRelease { .. });
        if self.spend(path.len() * 2) {
            if is_file {
                self.linkable.insert(path.clone());
            }
            self.found.nodes.push(Node { path, content });
        }
    }

    /// Takes room for something retained; false, and a problem once, when the record is full.
    fn spend(&mut self, bytes: usize) -> bool {
        match self.room_bytes.checked_sub(bytes + PATH_OVERHEAD_BYTES) {
            Some(left) => {
                self.room_bytes = left;
                true
            }
            None => {
                self.record_full();
                false
            }
        }
    }

    fn record_full(&mut self) {
        self.problem(LayerProblem::RecordTooLarge { limit_bytes: self.limits.max_record_bytes as u64 });
    }

    fn problem(&mut self, problem: LayerProblem) {
        if self.found.problems.len() < MAX_PROBLEMS && !self.found.problems.contains(&problem) {
            self.found.problems.push(problem);
        }
    }
}

/// Whether a path is, or leads to, a file whose absence or presence decides what an image holds.
fn is_watched(path: &str) -> bool {
    let targets = [os_release::PATHS[0], os_release::PATHS[1], dpkg::STATUS, dpkg::STATUS_FOLDER];
    targets.iter().any(|target| path::is_at_or_below(target, path))
        || path::parent(path) == dpkg::STATUS_FOLDER
}

fn is_database(path: &str) -> bool {
    path == dpkg::STATUS
        || (path::parent(path) == dpkg::STATUS_FOLDER && dpkg::is_status_file(path::file_name(path)))
}

#[cfg(test)]
mod tests;
