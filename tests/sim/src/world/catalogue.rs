//! The images of a run: what each is made of, and where it is just now.

use std::collections::BTreeSet;

use cve_monitor_core::vocabulary::{Digest, ImageId, RegistryName, RepositoryName};

use crate::stage::Chance;

/// Packages that layers are made of.
pub(crate) const PACKAGES: [&str; 5] = ["openssl", "zlib", "curl", "bash", "glibc"];
/// Their versions.
pub(crate) const VERSIONS: [&str; 2] = ["1", "2"];
const REPOSITORIES: [&str; 3] = ["base/os", "team/app", "team/tool"];

/// What an image of the catalogue is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An image of these layers, each a text of lines `KIND NAME VERSION`.
    Image(Vec<String>),
    /// An index of these others, by their place in the catalogue.
    Index(Vec<usize>),
    /// A signature.
    Artifact,
}

/// An image of the catalogue, and where it is.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) kind: Kind,
    pub(crate) repository: RepositoryName,
    pub(crate) tag: String,
    /// Its id; none before it was first pushed.
    pub(crate) id: Option<ImageId>,
    /// The registry has it.
    pub(crate) present: bool,
    /// A tag leads to it.
    pub(crate) tagged: bool,
    /// Its manifest, or the layer that it has alone, is broken.
    pub(crate) damaged: bool,
    /// The registry keeps it in its archive.
    pub(crate) archived: bool,
}

impl Known {
    fn new(kind: Kind, repository: &str, tag: String) -> Option<Self> {
        Some(Self {
            kind,
            repository: repository.parse().ok()?,
            tag,
            id: None,
            present: false,
            tagged: false,
            damaged: false,
            archived: false,
        })
    }

    /// The digest of the layer that no other image has.
    pub(crate) fn own_layer(&self) -> Option<Digest> {
        let Kind::Image(layers) = &self.kind else { return None };
        layers.last().map(|layer| Digest::of(layer.as_bytes()))
    }

    /// The digests of its layers.
    pub(crate) fn layers(&self) -> BTreeSet<Digest> {
        let Kind::Image(layers) = &self.kind else { return BTreeSet::new() };
        layers.iter().map(|layer| Digest::of(layer.as_bytes())).collect()
    }
}

fn layer(chance: &mut Chance) -> String {
    let mut lines = String::new();
    for _ in 0..chance.between(1, 3) {
        let package = PACKAGES[chance.below(PACKAGES.len())];
        let version = VERSIONS[chance.below(VERSIONS.len())];
        lines.push_str(&format!("deb {package} {version}\n"));
    }
    match chance.below(12) {
        0 => lines.push_str("java log4j 2\n"),
        1 => lines.push_str("what is this\nfile\n"),
        _ => {}
    }
    lines
}

/// The catalogue of a run.
pub(crate) fn drawn(chance: &mut Chance, _: &RegistryName) -> Vec<Known> {
    let bases: Vec<String> = (0..chance.between(3, 7)).map(|_| layer(chance)).collect();
    let mut images = vec![];
    for n in 0..chance.between(3, 12) {
        let repository = REPOSITORIES[chance.below(REPOSITORIES.len())];
        let mut layers: Vec<String> =
            (0..chance.between(0, 2)).map(|_| bases[chance.below(bases.len())].clone()).collect();
        // Its own, so that damage to it is damage to this image alone; in some images nothing can be read at all.
        layers.push(if chance.happens(1000) {
            format!("java app{n} 1\n")
        } else {
            format!("deb app{n} 1\n")
        });
        images.extend(Known::new(Kind::Image(layers), repository, format!("v{n}")));
    }
    for n in 0..chance.between(0, 2) {
        let repository = REPOSITORIES[chance.below(REPOSITORIES.len())];
        let in_repository = |(at, known): (usize, &Known)| {
            let is_image = matches!(known.kind, Kind::Image(_));
            (is_image && known.repository.to_string() == repository).then_some(at)
        };
        let mut children: Vec<usize> = images.iter().enumerate().filter_map(in_repository).collect();
        while children.len() > 3 {
            children.remove(chance.below(children.len()));
        }
        if !children.is_empty() {
            images.extend(Known::new(Kind::Index(children), repository, format!("multi{n}")));
        }
    }
    images.extend(Known::new(Kind::Artifact, REPOSITORIES[0], "sha256-0.sig".to_owned()));
    images
}
