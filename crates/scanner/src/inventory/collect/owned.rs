//! At a layer's end: what its packages own is told from what came by itself.

use std::collections::BTreeSet;

use super::places::is_structural;
use super::{Collected, Collector};
use crate::inventory::extractor::{LayerOwners, lies_anywhere};
use crate::inventory::record::NodeContent;
use crate::inventory::unread::merge_usr;
use crate::layer::path;

impl Collector {
    /// Evidence stays, whoever owns it: only an image tells whether its owner is installed.
    pub(crate) fn finish(mut self) -> Collected {
        self.read_held();
        let owners = std::mem::take(&mut self.owners);
        self.name_owners(&owners);
        self.found.nodes.retain(|node| match &node.content {
            NodeContent::Owner { paths } => !paths.is_empty(),
            NodeContent::Packages { packages, problem: None, .. } if !packages.is_empty() => true,
            NodeContent::Packages { problem: None, .. }
            | NodeContent::Symlink { .. }
            | NodeContent::Other => is_structural(&node.path) || owners.owner_of(&node.path).is_none(),
            _ => true,
        });
        self.keep_folders();
        self.found
    }

    /// Keeps the folders that what names packages lies in, in front of it: one may take the place of a lower layer's
    /// link, and what lies in it is not where the link led to.
    fn keep_folders(&mut self) {
        let mut kept = BTreeSet::new();
        for node in &self.found.nodes {
            if matches!(node.content, NodeContent::Packages { .. } | NodeContent::HardLink { .. }) {
                kept.extend(path::folders(&node.path).filter(|folder| self.folders.contains(folder)));
            }
        }
        let kept: Vec<String> = kept.into_iter().map(str::to_owned).collect();
        let nodes = std::mem::take(&mut self.found.nodes);
        for folder in kept {
            self.node(folder, NodeContent::Directory);
        }
        self.found.nodes.extend(nodes);
    }

    /// Files whose packages were told by their content are owned too: their owners' lists name them from now on.
    fn name_owners(&mut self, owners: &LayerOwners) {
        let mut named = Vec::new();
        for node in &self.found.nodes {
            let NodeContent::Packages { packages, .. } = &node.content else { continue };
            if packages.iter().any(|package| lies_anywhere(package.kind))
                && let Some(owner) = owners.owner_of(&node.path)
            {
                named.push((owner, merge_usr(&node.path)));
            }
        }
        for ((node, package), path) in named {
            if !self.spend(path.len()) {
                return;
            }
            let paths = match self.found.nodes.get_mut(node).map(|node| &mut node.content) {
                Some(NodeContent::Owner { paths }) => paths,
                Some(NodeContent::Packages { owned, .. }) => match owned.get_mut(package) {
                    Some(files) => &mut files.paths,
                    None => continue,
                },
                _ => continue,
            };
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
    }
}
