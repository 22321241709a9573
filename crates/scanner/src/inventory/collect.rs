//! One layer's members become its record: which are read, which are noted, which are passed over.

mod capture;
mod held;
mod lines;
mod memory;
mod owned;
mod passed;
mod places;

use std::collections::HashSet;

use self::held::{HeldFiles, MAX_HELD_BYTES};
use self::lines::OwnerList;
use self::memory::{OF_PROCESS, SharedMemory, StayingClaim};
use self::passed::Names;
use self::places::{is_structural, leads_to_place};
use super::extractor::{Candidate, Extractor, HEAD_BYTES, LayerOwners, Reads, extractors, is_claimed};
use super::kind::PackageKind;
use super::os_release;
use super::record::{Node, NodeContent, PATH_OVERHEAD_BYTES};
use super::unread;
use crate::layer::path::{self, MemberPath, is_library};
use crate::layer::{Extraction, LayerProblem, Limits, Member, MemberKind, TarError};

/// Different problems that one layer's record lists.
pub(crate) const MAX_PROBLEMS: usize = 64;

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
    owners: LayerOwners,
    /// The content of the file at hand; kept, so that not every file asks for memory.
    buffer: Vec<u8>,
    held: HeldFiles,
    max_held_bytes: usize,
    memory: &'static SharedMemory,
    /// Where more than a little stays until the layer's end.
    staying: Option<StayingClaim<'static>>,
    /// Files that a hard link may bring to a path of interest.
    linkable: HashSet<String>,
    /// Files that nothing is kept of: a hard link to any other file may lead to one of a lower layer.
    passed_over: Names,
    /// Folders that nothing is kept of.
    folders: Names,
    /// Symbolic links that are kept.
    links: Names,
    room_bytes: usize,
    limits: Limits,
    lock_files: bool,
}

/// The content of the current member, as far as a collector wants it.
pub(crate) trait Content {
    fn peek(&mut self, wanted: usize) -> Result<&[u8], TarError>;
    fn chunk(&mut self) -> Result<Option<&[u8]>, TarError>;
    /// Bytes that have not been handed out.
    fn remaining(&self) -> u64;
}

impl Collector {
    pub(crate) fn new(extraction: &Extraction) -> Self {
        let Extraction { limits, lock_files } = *extraction;
        Self {
            found: Collected::default(),
            owners: LayerOwners::default(),
            buffer: Vec::new(),
            held: HeldFiles::default(),
            max_held_bytes: MAX_HELD_BYTES,
            memory: &OF_PROCESS,
            staying: None,
            linkable: HashSet::new(),
            passed_over: Names::default(),
            folders: Names::default(),
            links: Names::default(),
            room_bytes: limits.max_record_bytes,
            limits,
            lock_files,
        }
    }

    pub(crate) fn member(&mut self, member: &Member, content: &mut impl Content) -> Result<(), TarError> {
        let path = match path::clean(&member.name) {
            MemberPath::Inside(path) if path.is_empty() => return Ok(()),
            MemberPath::Inside(path) => path,
            // Some runtimes refuse such an archive, others unpack the member inside the root.
            MemberPath::Escapes(path) => {
                if member.kind != MemberKind::Directory {
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
            MemberKind::Regular => self.file(path, member, content)?,
            MemberKind::HardLink => self.hard_link(path, &member.link),
            // A link may be part of any path, and hides what lower layers have below it.
            MemberKind::Symlink if is_structural(&path) || !is_library(&path) => {
                self.links.insert(&path);
                self.node(path, NodeContent::Symlink { target: member.link.clone() });
            }
            MemberKind::Directory => self.folder(path),
            MemberKind::Other if is_structural(&path) || self.may_name_packages(&path) => {
                self.node(path, NodeContent::Other);
            }
            MemberKind::Symlink | MemberKind::Other => {}
        }
        self.stays(self.limits.max_record_bytes.saturating_sub(self.room_bytes));
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
        if is_structural(&path)
            || is_claimed(&path, self.lock_files)
            || self.linkable.contains(&target)
            || !self.passed_over.contains(&target)
        {
            self.node(path, NodeContent::HardLink { target });
        } else {
            self.passed_over.insert(&path);
        }
    }

    /// A folder takes the place of a link, in this layer or a lower one: it is kept where something lies in it.
    fn folder(&mut self, path: String) {
        if leads_to_place(&path) || self.links.contains(&path) || !self.folders.insert(&path) {
            self.node(path, NodeContent::Directory);
        }
    }

    fn file(&mut self, path: String, member: &Member, content: &mut impl Content) -> Result<(), TarError> {
        if os_release::is_release_file(&path) {
            return self.os_release(path, content);
        }
        if let Some(list) = OwnerList::of(&path) {
            return self.owner_list(path, list, content);
        }
        let head = content.peek(HEAD_BYTES)?;
        let candidate = Candidate { path: &path, mode: member.mode, head };
        let wanted: Vec<&'static Extractor> =
            extractors(self.lock_files).filter(|each| each.claims(&candidate)).collect();
        if let [extractor] = wanted[..]
            && let Reads::Together(ending) = extractor.reads
        {
            return self.hold(path, member, extractor, ending, content);
        }
        if !wanted.is_empty() {
            return self.packages(path, member.sparse, &wanted, content);
        }
        // It is not told apart from one that nothing is kept of: of some of those a node is kept.
        self.passed_over.insert(&path);
        // A script may stand where a lower layer has the program that it starts.
        let is_script = head.starts_with(b"#!");
        if let Some(kind) = unread::kind_of_path(&path).filter(|_| !head.is_empty()) {
            self.evidence(kind, &path);
        }
        if is_script || is_structural(&path) {
            self.node(path, NodeContent::Other);
        }
        Ok(())
    }

    fn owner_list(
        &mut self,
        path: String,
        list: OwnerList,
        content: &mut impl Content,
    ) -> Result<(), TarError> {
        let owned = list.read(content, self.room_bytes)?;
        if owned.over_limit {
            self.record_full();
        }
        if let Some(node) = self.node(path, NodeContent::Owner { paths: Vec::new() }) {
            let kept = self.owners.add(node, owned.owned);
            let paths: Vec<String> = kept.into_iter().flat_map(|files| files.paths).collect();
            let bytes: usize = paths.iter().map(|path| path.len() + PATH_OVERHEAD_BYTES).sum();
            if self.spend(bytes) {
                self.found.nodes[node].content = NodeContent::Owner { paths };
            }
        }
        Ok(())
    }

    fn os_release(&mut self, path: String, content: &mut impl Content) -> Result<(), TarError> {
        let mut text = Vec::new();
        while let Some(piece) = content.chunk()? {
            let room = os_release::MAX_OS_RELEASE_BYTES - text.len();
            text.extend_from_slice(&piece[..piece.len().min(room)]);
            // The last of a field counts: what is not read might have said something else.
            if piece.len() > room {
                let limit_bytes = os_release::MAX_OS_RELEASE_BYTES as u64;
                self.problem(LayerProblem::DatabaseTooLarge { path: path.clone(), limit_bytes });
                break;
            }
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        if self.spend(text.len()) {
            self.node(path, NodeContent::OsRelease { text });
        }
        Ok(())
    }

    fn evidence(&mut self, kind: PackageKind, path: &str) {
        if self.spend(path.len()) {
            self.found.evidence.push((kind, path.to_owned()));
        }
    }

    /// Keeps a node; the answer is where, unless there is no room for it.
    fn node(&mut self, path: String, content: NodeContent) -> Option<usize> {
        let is_file = matches!(content, NodeContent::Packages { .. } | NodeContent::OsRelease { .. });
        let target_bytes = match &content {
            NodeContent::Symlink { target } | NodeContent::HardLink { target } => target.len(),
            _ => 0,
        };
        self.spend(path.len() * 2 + target_bytes).then(|| {
            if is_file {
                self.linkable.insert(path.clone());
            }
            self.found.nodes.push(Node { path, content });
            self.found.nodes.len() - 1
        })
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

    /// Whether a file would be read, or be evidence of a kind that is not, for its path.
    fn may_name_packages(&self, path: &str) -> bool {
        is_claimed(path, self.lock_files) || unread::kind_of_path(path).is_some()
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

#[cfg(test)]
mod tests;
