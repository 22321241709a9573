//! How packages of a kind are found in files, and the one list of all that are read.
//!
//! A new kind is a module in `os/` or `language/` with a constant named `EXTRACTOR`, and a line in
//! [`EXTRACTORS`]. All else follows from the list: which files a layer's walk captures, what an image's fold looks
//! for, which owned files matter, and which kinds a look has covered.

mod extracted;
mod owned;

use super::kind::PackageKind;
use super::{language, os};

pub(crate) use self::extracted::Extracted;
#[cfg(test)]
pub(crate) use self::extracted::extract_from;
pub(crate) use self::owned::LayerOwners;

/// Everything that is read. Where two want one file, both get it.
pub(crate) const EXTRACTORS: &[Extractor] = &[
    os::apk::EXTRACTOR,
    os::dpkg::EXTRACTOR,
    os::rpm::EXTRACTOR,
    os::rpm::SQLITE,
    language::dotnet::EXTRACTOR,
    language::java::EXTRACTOR,
    language::node::EXTRACTOR,
    language::php::EXTRACTOR,
    language::program::EXTRACTOR,
    language::python::EGG_EXTRACTOR,
    language::python::EXTRACTOR,
    language::ruby::EXTRACTOR,
];

/// What is read beside them where [`Extraction::lock_files`](crate::Extraction) asks for it.
pub(crate) const LOCK_EXTRACTORS: &[Extractor] = &[
    language::lock::cargo::EXTRACTOR,
    language::lock::composer::EXTRACTOR,
    language::lock::gomod::EXTRACTOR,
    language::lock::npm::EXTRACTOR,
    language::lock::pnpm::EXTRACTOR,
    language::lock::python::EXTRACTOR,
    language::lock::ruby::EXTRACTOR,
    language::lock::yarn::EXTRACTOR,
];

/// The kinds that this version reads; every other kind is evidence of what it does not see.
pub const READ_KINDS: &[PackageKind] = &[
    PackageKind::Apk,
    PackageKind::Cargo,
    PackageKind::Composer,
    PackageKind::Deb,
    PackageKind::Gem,
    PackageKind::Golang,
    PackageKind::Maven,
    PackageKind::Npm,
    PackageKind::Nuget,
    PackageKind::Pypi,
    PackageKind::Rpm,
];

/// Bytes of the longest path of a file that a package owns, as Linux has it; longer ones are passed over.
pub(crate) const MAX_PATH_BYTES: usize = 4096;

/// Bytes of a file's beginning that [`Extractor::claims_content`] sees.
pub(crate) const HEAD_BYTES: usize = 64;

/// How packages of some kinds are found in the files of a layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extractor {
    /// The kinds of packages that it finds.
    pub(crate) kinds: &'static [PackageKind],
    /// Which of its files count in an image.
    pub(crate) places: Places,
    /// Whether a file is wanted for its path alone. Asked of every path of a layer, links and owned files
    /// included: it has to be cheap.
    pub(crate) claims_path: fn(&str) -> bool,
    /// Whether a file that is not wanted for its path is wanted for what it is. Not asked of empty files.
    pub(crate) claims_content: fn(&Candidate<'_>) -> bool,
    /// How much of a file it needs.
    pub(crate) reads: Reads,
    /// Bytes of a file that are captured, at most.
    pub(crate) max_bytes: usize,
    /// Reads a file. Whatever it holds, this ends and does not panic.
    pub(crate) extract: fn(&File<'_>, &mut Extracted),
}

/// Which files of an extractor count in an image.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Places {
    /// What these paths lead to, through links of any kind. One that ends with `/` stands for every claimed file in
    /// that folder. The same file elsewhere belongs to a system inside the image, which is not judged.
    Fixed(&'static [&'static str]),
    /// Every one, where it lies.
    Anywhere,
}

/// How much of a file an extractor needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    /// All of it: a longer one than the extractor's bound is a problem of the layer, with its path.
    Whole,
    /// What stands in front: the rest of a longer one is passed over.
    Beginning,
    /// A program, piece by piece: little of it is kept, whatever its length.
    Program,
    /// All of it, and all of the file beside it whose name has this ending more. The extractor claims both by their
    /// paths; they are held until the layer's end.
    Together(&'static str),
}

/// A file before its content is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    /// Its path in the layer, without a leading slash.
    pub(crate) path: &'a str,
    /// Its permission bits.
    #[expect(dead_code, reason = "programs are the first that are told by it")]
    pub(crate) mode: u32,
    /// Its first [`HEAD_BYTES`] bytes, or all of them.
    pub(crate) head: &'a [u8],
}

/// A file with its content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct File<'a> {
    /// Its path in the layer, without a leading slash.
    pub(crate) path: &'a str,
    /// Its bytes, as many as the extractor reads.
    pub(crate) content: &'a [u8],
    /// Those of the file beside it, where the layer has that and the extractor reads them together.
    pub(crate) beside: Option<&'a [u8]>,
}

impl Extractor {
    /// Whether a file is to be read.
    pub(crate) fn claims(&self, candidate: &Candidate<'_>) -> bool {
        (self.claims_path)(candidate.path) || (!candidate.head.is_empty() && (self.claims_content)(candidate))
    }

    /// The fixed places; none for packages that lie anywhere.
    pub(crate) fn fixed_places(&self) -> &'static [&'static str] {
        match self.places {
            Places::Fixed(places) => places,
            Places::Anywhere => &[],
        }
    }
}

/// For extractors that know their files by their paths.
pub(crate) fn no_content(_: &Candidate<'_>) -> bool {
    false
}

/// All extractors, with those of lock files or without.
pub(crate) fn extractors(lock_files: bool) -> impl Iterator<Item = &'static Extractor> {
    EXTRACTORS.iter().chain(if lock_files { LOCK_EXTRACTORS } else { &[] })
}

/// Whether any extractor wants a file for its path.
pub(crate) fn is_claimed(path: &str, lock_files: bool) -> bool {
    extractors(lock_files).any(|extractor| (extractor.claims_path)(path))
}

/// Whether an extractor of packages that lie anywhere wants a file for its path.
pub(crate) fn is_claimed_anywhere(path: &str) -> bool {
    extractors(true)
        .filter(|extractor| matches!(extractor.places, Places::Anywhere))
        .any(|extractor| (extractor.claims_path)(path))
}

/// Whether a path is one at which a database is looked for.
pub(crate) fn is_place(path: &str) -> bool {
    EXTRACTORS.iter().any(|extractor| extractor.fixed_places().contains(&path))
}

/// Whether packages of a kind lie anywhere: those of languages do, and may be owned by those of a distribution.
pub(crate) fn lies_anywhere(kind: PackageKind) -> bool {
    EXTRACTORS
        .iter()
        .any(|extractor| matches!(extractor.places, Places::Anywhere) && extractor.kinds.contains(&kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    #[test]
    fn every_module_of_an_extractor_is_in_the_list() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/inventory");
        let list = fs::read_to_string(source.join("extractor.rs")).unwrap();
        for folder in ["os", "language", "language/lock"] {
            let module = folder.replace('/', "::");
            for entry in fs::read_dir(source.join(folder)).into_iter().flatten() {
                let path = entry.unwrap().path();
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                if path.extension().is_none_or(|extension| extension != "rs") {
                    continue;
                }
                let text = fs::read_to_string(&path).unwrap();
                let extractors: Vec<&str> = text
                    .lines()
                    .filter_map(|line| line.strip_prefix("pub(crate) const ")?.split_once(": Extractor"))
                    .map(|(constant, _)| constant)
                    .collect();
                let parent = fs::read_to_string(source.join(format!("{folder}.rs"))).unwrap();
                assert!(parent.contains(&format!("mod {name};")), "{folder}/{name}.rs is no module");
                for constant in extractors {
                    let line = format!("{module}::{name}::{constant}");
                    assert!(list.contains(&line), "{line} is not in EXTRACTORS");
                }
            }
        }
    }

    #[test]
    fn the_kinds_that_are_read_are_those_of_the_list() {
        let kinds: BTreeSet<_> = extractors(true).flat_map(|extractor| extractor.kinds).copied().collect();
        assert_eq!(kinds.into_iter().collect::<Vec<_>>(), READ_KINDS);
    }
}
