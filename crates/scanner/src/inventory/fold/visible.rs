//! What can be seen of an image's packages after some of its layers.

use std::collections::BTreeSet;

use super::overlay::{Overlay, Resolved};
use crate::inventory::extractor::{EXTRACTORS, Extractor, Places, is_claimed, lies_anywhere};
use crate::inventory::kind::PackageKind;
use crate::inventory::record::{InstalledPackage, NodeContent};
use crate::layer::LayerProblem;

/// The packages that are visible, the databases among what names them, and what of it cannot be read.
#[derive(Debug, Default)]
pub(super) struct Visible<'a> {
    /// Whether any package database is there, even an empty one.
    pub(super) has_database: bool,
    /// Each with the path of the file that names it.
    pub(super) packages: Vec<(String, &'a InstalledPackage)>,
    /// What cannot be read of the databases, each with the layer of the file.
    pub(super) problems: Vec<(usize, LayerProblem)>,
    /// What cannot be read of files that lie anywhere.
    pub(super) file_problems: Vec<(usize, LayerProblem)>,
    /// The databases.
    pub(super) databases: Vec<&'a NodeContent>,
    /// Where the databases lie, links followed.
    real_paths: BTreeSet<String>,
}

impl<'a> Visible<'a> {
    pub(super) fn of(overlay: &Overlay<'a>, top: usize) -> Self {
        let mut visible = Self::default();
        for extractor in EXTRACTORS {
            for place in extractor.fixed_places() {
                match place.strip_suffix('/') {
                    Some(folder) => visible.folder(overlay, extractor, folder, top),
                    None => visible.place(overlay, place, top),
                }
            }
        }
        visible.anywhere(overlay);
        visible
    }

    fn place(&mut self, overlay: &Overlay<'a>, place: &str, top: usize) {
        match overlay.resolve(place) {
            // Two places may be one, through a link.
            Resolved::Found(content, layer) => {
                if self.real_paths.insert(overlay.follow(place).unwrap_or_default()) {
                    self.database(place, content, layer);
                }
            }
            Resolved::Unreachable => self.unreachable(place, top),
            Resolved::Absent => {}
        }
    }

    fn folder(&mut self, overlay: &Overlay<'a>, extractor: &Extractor, folder: &str, top: usize) {
        let files = overlay.children(folder);
        if files.is_empty() && overlay.is_link(folder) {
            self.unreachable(folder, top);
        }
        for (name, content, layer) in files {
            let location = format!("{folder}/{name}");
            let is_file = !matches!(content, NodeContent::Directory);
            if is_file && (extractor.claims_path)(&location) {
                match overlay.resolve(&location) {
                    Resolved::Found(content, layer) => {
                        self.real_paths.extend(overlay.follow(&location));
                        self.database(&location, content, layer);
                    }
                    Resolved::Absent | Resolved::Unreachable => self.unreachable(&location, layer),
                }
            }
        }
    }

    fn database(&mut self, location: &str, content: &'a NodeContent, layer: usize) {
        match content {
            NodeContent::Packages { packages, problem, .. } => {
                self.has_database = true;
                self.packages.extend(packages.iter().map(|package| (location.to_owned(), package)));
                self.problems.extend(problem.iter().map(|problem| (layer, problem.clone())));
                self.databases.push(content);
            }
            _ => self.unreachable(location, layer),
        }
    }

    fn anywhere(&mut self, overlay: &Overlay<'a>) {
        for (path, content, layer) in overlay.nodes() {
            match content {
                NodeContent::Packages { kinds, packages, problem, .. }
                    if kinds.iter().any(|kind| lies_anywhere(*kind)) =>
                {
                    let found = packages.iter().filter(|package| lies_anywhere(package.kind));
                    self.packages.extend(found.map(|package| (format!("{path}{}", package.inside), package)));
                    self.file_problems.extend(problem.iter().map(|problem| (layer, problem.clone())));
                }
                // A link to a file that was not known for what it is.
                NodeContent::HardLink { .. }
                    if is_claimed(path, overlay.has_lock_files()) && !is_fixed(path) =>
                {
                    let problem = LayerProblem::DatabaseUnreachable { path: path.to_owned() };
                    self.file_problems.push((layer, problem));
                }
                _ => {}
            }
        }
    }

    fn unreachable(&mut self, location: &str, layer: usize) {
        self.problems.push((layer, LayerProblem::DatabaseUnreachable { path: location.to_owned() }));
    }

    /// Databases that nothing reads: those of systems inside the image.
    pub(super) fn inner_databases<'o>(
        &self,
        overlay: &'o Overlay<'a>,
    ) -> impl Iterator<Item = (PackageKind, &'o str)> {
        overlay.nodes().filter_map(|(path, content, _)| {
            let NodeContent::Packages { kinds, .. } = content else { return None };
            let is_inner = is_fixed(path) && !self.real_paths.contains(path);
            let kind = kinds.first().filter(|kind| is_inner && !lies_anywhere(**kind))?;
            Some((*kind, path))
        })
    }
}

/// Whether a path is that of a database, of the image or of a system inside it.
fn is_fixed(path: &str) -> bool {
    let fixed = |extractor: &&Extractor| matches!(extractor.places, Places::Fixed(_));
    EXTRACTORS.iter().filter(fixed).any(|extractor| (extractor.claims_path)(path))
}
