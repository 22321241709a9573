//! The files that are checked, in memory: a mistake is planted without a file being written.

use std::collections::BTreeMap;
use std::path::Path;

/// What is read: folders of the repository, or files.
const READ: [&str; 4] = ["terraform", "crates/adapters/src/aws", "docs/aws.md", "docs/report-schema"];
/// What terraform leaves behind.
const LEFT_BEHIND: &str = ".terraform";

/// Texts by their paths from the root of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    files: BTreeMap<String, String>,
}

impl Code {
    /// Reads the repository.
    ///
    /// # Errors
    /// Where a file cannot be read: it is named.
    pub fn read(root: &Path) -> Result<Self, String> {
        let mut files = BTreeMap::new();
        for path in READ {
            collect(root, path, &mut files)?;
        }
        Ok(Self { files })
    }

    /// The text of a file.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// The files under a folder whose names end so, with their paths.
    pub fn under<'a>(&'a self, folder: &'a str, ending: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let inside = move |path: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        let texts = self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        texts.filter(move |(path, _)| path.ends_with(ending) && inside(path))
    }

    /// The same with one place changed.
    ///
    /// # Errors
    /// Where the file has that text not exactly once.
    pub fn changed(&self, path: &str, from: &str, to: &str) -> Result<Self, String> {
        let text = self.text(path).ok_or_else(|| format!("there is no {path}"))?;
        let times = text.matches(from).count();
        if times != 1 {
            return Err(format!("{path} has `{from}` {times} times, expected once"));
        }
        let mut files = self.files.clone();
        files.insert(path.to_owned(), text.replacen(from, to, 1));
        Ok(Self { files })
    }

    /// Writes the files under a folder, in folders as in the repository.
    ///
    /// # Errors
    /// Where a file cannot be written: it is named.
    pub fn write(&self, folder: &Path) -> Result<(), String> {
        for (path, text) in &self.files {
            let to = folder.join(path);
            let made = to.parent().map_or(Ok(()), std::fs::create_dir_all);
            made.and_then(|()| std::fs::write(&to, text))
                .map_err(|error| format!("{}: {error}", to.display()))?;
        }
        Ok(())
    }
}

fn collect(root: &Path, path: &str, files: &mut BTreeMap<String, String>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{path} cannot be read: {error}");
    let full = root.join(path);
    if full.is_file() {
        // What is not text is not ours to check.
        if let Ok(text) = String::from_utf8(std::fs::read(full).map_err(failed)?) {
            files.insert(path.to_owned(), text);
        }
        return Ok(());
    }
    for entry in std::fs::read_dir(full).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let name = name.to_string_lossy();
        if name != LEFT_BEHIND {
            collect(root, &format!("{path}/{name}"), files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_fits_nowhere_or_twice_is_refused() {
        let code = Code { files: BTreeMap::from([("a/b.tf".to_owned(), "one two two".to_owned())]) };
        assert_eq!(code.changed("a/b.tf", "one", "1").unwrap().text("a/b.tf"), Some("1 two two"));
        for (path, from) in [("a/b.tf", "two"), ("a/b.tf", "three"), ("b.tf", "one")] {
            assert!(code.changed(path, from, "").is_err(), "{path} {from}");
        }
        assert_eq!(code.under("a", ".tf").count(), 1);
        assert_eq!(code.under("a/b", ".tf").count(), 0);
    }
}
