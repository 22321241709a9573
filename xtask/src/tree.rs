//! The files of the repository, with the text of those that rules read.

use std::collections::BTreeMap;
use std::path::Path;

use crate::source::Source;

/// Texts above this are data, not something that a rule reads. In bytes.
const MAX_TEXT_BYTES: u64 = 1024 * 1024;

/// Folders that hold no file of ours.
const SKIPPED: [&str; 3] = [".git", "target", "node_modules"];

/// The files by path, `/`-separated from the root; none in place of the text of data.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, Option<String>>,
    sources: BTreeMap<String, Source>,
    unparsed: Vec<(String, String)>,
}

impl Tree {
    /// Reads the repository.
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        let mut files = BTreeMap::new();
        collect(root, "", &mut files)?;
        Ok(Self::with(files))
    }

    /// A small tree for a test of a rule.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self::with(files.iter().map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned()))).collect())
    }

    fn with(files: BTreeMap<String, Option<String>>) -> Self {
        let mut tree = Self { files, ..Self::default() };
        for (path, text) in &tree.files {
            let Some(text) = text.as_ref().filter(|_| path.ends_with(".rs")) else { continue };
            match Source::parse(text, &module_path(path)) {
                Ok(source) => {
                    tree.sources.insert(path.clone(), source);
                }
                Err(problem) => tree.unparsed.push((path.clone(), problem)),
            }
        }
        tree
    }

    /// The text of a file; none where there is no such file, or it is data.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// Whether there is such a file or folder.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path) || self.under(&format!("{path}/")).next().is_some()
    }

    /// Every path that begins with `prefix`, sorted.
    pub(crate) fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.files
            .range(prefix.to_owned()..)
            .map(|(path, _)| path.as_str())
            .take_while(move |path| path.starts_with(prefix))
    }

    /// Every file of text, with its path.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// Every Rust file, with its path.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.sources.iter().map(|(path, source)| (path.as_str(), source))
    }

    /// One Rust file.
    pub(crate) fn source(&self, path: &str) -> Option<&Source> {
        self.sources.get(path)
    }

    /// Rust files that are none, with the problem.
    pub(crate) fn unparsed(&self) -> &[(String, String)] {
        &self.unparsed
    }
}

fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Option<String>>) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{} cannot be read: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(told)? {
        let entry = entry.map_err(told)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        let kind = entry.file_type().map_err(told)?;
        if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
            collect(&entry.path(), &path, files)?;
        } else if kind.is_file() {
            let small = entry.metadata().map_err(told)?.len() <= MAX_TEXT_BYTES;
            // What is not UTF-8 is data.
            let text = if small { std::fs::read_to_string(entry.path()).ok() } else { None };
            files.insert(path, text);
        }
    }
    Ok(())
}

/// The module that a file is: `crates/core/src/scan/event.rs` is `scan`, `event`.
fn module_path(path: &str) -> Vec<String> {
    let inside = path.split_once("/src/").map_or(path, |(_, inside)| inside);
    let stem = inside.trim_end_matches(".rs");
    let root = matches!(stem, "lib" | "main");
    stem.split('/').filter(|_| !root).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_the_module_that_its_path_spells() {
        assert_eq!(module_path("crates/core/src/scan/event.rs"), ["scan", "event"]);
        assert!(module_path("crates/core/src/lib.rs").is_empty());
    }

    #[test]
    fn a_folder_is_there_when_a_file_is_in_it() {
        let tree = Tree::of(&[("docs/decisions/0001-a.md", "")]);
        assert!(tree.has("docs/decisions") && tree.has("docs/decisions/0001-a.md"));
        assert!(!tree.has("docs/decision"));
    }
}
