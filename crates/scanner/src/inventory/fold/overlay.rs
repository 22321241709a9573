//! The few paths of an image that matter, layer over layer, as a container runtime would see them.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Bound;

use crate::inventory::extractor::is_place;
use crate::inventory::kind::PackageKind;
use crate::inventory::record::{LayerRecord, NodeContent};
use crate::layer::path::{folders, is_at_or_below, is_library, join_target, parent};

/// Symbolic links followed on the way to one file, as Linux has it.
pub(crate) const MAX_LINK_HOPS: usize = 40;

/// Where a path leads.
#[derive(Debug)]
pub(crate) enum Resolved<'a> {
    /// To this node.
    Found(&'a NodeContent, usize),
    /// Nowhere: there is nothing at a path where it would be seen.
    Absent,
    /// Through a link to something that was not recorded, or in circles.
    Unreachable,
}

/// A file of a kind that is not read, and the layer that brought it.
#[derive(Debug)]
struct Evidence {
    kinds: Vec<PackageKind>,
}

/// Evidence that was only counted.
#[derive(Debug)]
pub(crate) struct Uncounted<'a> {
    pub(crate) kind: PackageKind,
    pub(crate) count: u64,
    pub(crate) under: &'a str,
}

/// Where links lead on the way along a path.
#[derive(Debug)]
struct Way {
    /// The real path.
    end: String,
    /// The folder that the last link leads to; none where there was no link, or the file itself is one.
    folder: Option<String>,
}

/// The state of an image's paths of interest after some of its layers.
#[derive(Debug, Default)]
pub(crate) struct Overlay<'a> {
    nodes: BTreeMap<String, (&'a NodeContent, usize)>,
    evidence: BTreeMap<&'a str, Evidence>,
    uncounted: Vec<Uncounted<'a>>,
    has_lock_files: bool,
}

impl<'a> Overlay<'a> {
    /// Puts a layer on top. What it removes is removed first: that acts on lower layers only.
    pub(crate) fn apply(&mut self, record: &'a LayerRecord, layer: usize) {
        self.has_lock_files |= record.has_lock_files();
        let linked = self.linked(record);
        for path in &record.whiteouts {
            let path = self.locate(path);
            self.nodes.remove(&path);
            self.hide_below(&path);
            self.evidence.remove(path.as_str());
        }
        for path in &record.opaque_directories {
            let path = self.follow(path).unwrap_or_else(|| path.clone());
            self.hide_below(&path);
        }
        for node in &record.nodes {
            self.evidence.remove(node.path.as_str());
            let path = self.locate(&node.path);
            let content = match &node.content {
                NodeContent::HardLink { target } => {
                    let target = self.locate(target);
                    let here = self.nodes.get(&target).map(|(content, _)| *content);
                    here.or_else(|| linked.get(&target).copied()).unwrap_or(&node.content)
                }
                content => content,
            };
            let is_directory = |content: &NodeContent| matches!(content, NodeContent::Directory);
            match self.nodes.get(&path) {
                Some((old, _)) if is_directory(content) && is_directory(old) => continue,
                None if is_directory(content) => {}
                _ => self.hide_below(&path),
            }
            self.nodes.insert(path, (content, layer));
        }
        for group in &record.unread {
            for path in &group.paths {
                let here = self.evidence.entry(path).or_insert_with(|| Evidence { kinds: Vec::new() });
                here.kinds.push(group.kind);
            }
            if group.more > 0 {
                let (kind, count) = (group.kind, group.more);
                self.uncounted.push(Uncounted { kind, count, under: &group.more_under });
            }
        }
    }

    /// What hard links of a layer lead to in lower ones: it outlives the name that the layer removes.
    fn linked(&self, record: &LayerRecord) -> BTreeMap<String, &'a NodeContent> {
        let targets = record.nodes.iter().filter_map(|node| match &node.content {
            NodeContent::HardLink { target } => Some(self.locate(target)),
            _ => None,
        });
        targets
            .filter_map(|target| {
                self.nodes.get(&target).map(|(content, _)| *content).map(|content| (target, content))
            })
            .collect()
    }

    /// Whether lock files were read of any layer.
    pub(crate) fn has_lock_files(&self) -> bool {
        self.has_lock_files
    }

    /// What a path leads to, links followed.
    pub(crate) fn resolve(&self, path: &str) -> Resolved<'a> {
        let Some(way) = self.walk(path) else { return Resolved::Unreachable };
        match self.nodes.get(&way.end) {
            Some((NodeContent::HardLink { .. }, _)) => Resolved::Unreachable,
            Some((content, layer)) => Resolved::Found(content, *layer),
            // Whatever were at a place of a database, or in a folder that is there, would have been recorded.
            None if way.end == path => Resolved::Absent,
            // Links that are named like libraries are not recorded.
            None if folders(&way.end).any(is_library) => Resolved::Unreachable,
            None if is_place(&way.end) => Resolved::Absent,
            None if way.folder.is_some_and(|folder| self.is_known(&folder)) => Resolved::Absent,
            None => Resolved::Unreachable,
        }
    }

    /// Whether anything was recorded in a folder, or that it is there.
    fn is_known(&self, folder: &str) -> bool {
        let prefix = format!("{folder}/");
        let below = self.nodes.range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded)).next();
        folder.is_empty()
            || matches!(self.nodes.get(folder), Some((NodeContent::Directory, _)))
            || below.is_some_and(|(path, _)| path.starts_with(&prefix))
    }

    /// Whether the path itself, whatever leads to it, is a symbolic link.
    pub(crate) fn is_link(&self, path: &str) -> bool {
        matches!(self.nodes.get(&self.locate(path)), Some((NodeContent::Symlink { .. }, _)))
    }

    /// The nodes directly in a directory, by file name.
    pub(crate) fn children(&self, directory: &str) -> Vec<(&str, &'a NodeContent, usize)> {
        let Some(directory) = self.follow(directory) else { return Vec::new() };
        let prefix = format!("{directory}/");
        self.nodes
            .range(prefix.clone()..)
            .take_while(|(path, _)| path.starts_with(&prefix))
            .filter(|(path, _)| parent(path) == directory)
            .map(|(path, (content, layer))| (&path[prefix.len()..], *content, *layer))
            .collect()
    }

    /// The real path of a path, links followed; none in a circle.
    pub(crate) fn follow(&self, path: &str) -> Option<String> {
        self.walk(path).map(|way| way.end)
    }

    fn walk(&self, path: &str) -> Option<Way> {
        let mut way = Way { end: path.to_owned(), folder: None };
        let mut is_linked = false;
        for _ in 0..=MAX_LINK_HOPS {
            let Some((at, target)) = self.first_link(&way.end) else { return Some(way) };
            let rest = &way.end[at.len()..];
            let folder = join_target(parent(at), target);
            is_linked |= rest.is_empty();
            way = Way {
                end: join_target("", &format!("{folder}{rest}")),
                folder: (!is_linked).then_some(folder),
            };
        }
        None
    }

    /// All nodes that are visible, with their layers.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (&str, &'a NodeContent, usize)> {
        self.nodes.iter().map(|(path, (content, layer))| (path.as_str(), *content, *layer))
    }

    /// The evidence that is still visible.
    pub(crate) fn evidence(&self) -> impl Iterator<Item = (PackageKind, &'a str)> {
        self.evidence.iter().flat_map(|(path, here)| here.kinds.iter().map(|kind| (*kind, *path)))
    }

    /// The evidence that was only counted and may still be visible.
    pub(crate) fn uncounted(&self) -> &[Uncounted<'a>] {
        &self.uncounted
    }

    /// The path with the links of its directories followed, but not the last one: what a member replaces.
    fn locate(&self, path: &str) -> String {
        let directory = parent(path);
        if directory.is_empty() {
            return path.to_owned();
        }
        match self.follow(directory) {
            Some(real) if real != directory => format!("{real}{}", &path[directory.len()..]),
            _ => path.to_owned(),
        }
    }

    fn first_link<'p>(&self, path: &'p str) -> Option<(&'p str, &'a str)> {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        ends.map(|end| &path[..end]).find_map(|prefix| match self.nodes.get(prefix) {
            Some((NodeContent::Symlink { target }, _)) => Some((prefix, target.as_str())),
            _ => None,
        })
    }

    fn hide_below(&mut self, directory: &str) {
        remove_below(&mut self.nodes, directory);
        remove_below(&mut self.evidence, directory);
        self.uncounted.retain(|group| !is_at_or_below(group.under, directory));
    }
}

/// Costs what it removes, not what there is: a layer may hold very many whiteouts.
fn remove_below<K: Ord + Borrow<str> + Clone, V>(map: &mut BTreeMap<K, V>, directory: &str) {
    if directory.is_empty() {
        map.clear();
        return;
    }
    let prefix = format!("{directory}/");
    let from = (Bound::Included(prefix.as_str()), Bound::Unbounded);
    let below = map.range::<str, _>(from).take_while(|(path, _)| (*path).borrow().starts_with(&prefix));
    let below: Vec<K> = below.map(|(path, _)| path.clone()).collect();
    for path in below {
        map.remove(path.borrow());
    }
}
