//! Where advisories come from, as a person names it.

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

/// A source of OSV records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdvisorySource {
    /// A folder of records, and of archives of them, in any depth.
    Folder(PathBuf),
    /// A zip archive of records.
    Archive(PathBuf),
    /// The address of a mirror of OSV's exports: `<address>/<Ecosystem>/all.zip` are the archives.
    Mirror(Url),
}

/// Why a text names no source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no source of advisories: {problem}")]
pub struct InvalidSource {
    text: String,
    problem: String,
}

impl AdvisorySource {
    /// Reads `DIR`, `FILE.zip` or `http(s)://…`.
    ///
    /// # Errors
    /// Where there is no such folder or file, or the address is none.
    pub fn parse(text: &str) -> Result<Self, InvalidSource> {
        let invalid = |problem: String| InvalidSource { text: text.to_owned(), problem };
        if text.contains("://") {
            let base = Url::parse(text).map_err(|error| invalid(error.to_string()))?;
            if !base.username().is_empty() || base.password().is_some() {
                // Not repeated: it may hold a password.
                let text = "(an address with credentials)".to_owned();
                return Err(InvalidSource {
                    text,
                    problem: "a mirror is read without credentials".to_owned(),
                });
            }
            return match base.scheme() {
                "http" | "https" if base.query().is_none() && base.fragment().is_none() => {
                    Ok(Self::Mirror(base))
                }
                "http" | "https" => Err(invalid("an address of a mirror ends with its path".to_owned())),
                other => Err(invalid(format!("expected http or https, not {other}"))),
            };
        }
        let path = Path::new(text);
        let metadata = std::fs::metadata(path).map_err(|error| {
            invalid(format!("{error}; name a folder, a zip archive, or the address of a mirror"))
        })?;
        let is_archive = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
        match (metadata.is_dir(), is_archive) {
            (true, _) => Ok(Self::Folder(path.to_owned())),
            (false, true) => Ok(Self::Archive(path.to_owned())),
            (false, false) => Err(invalid("expected a folder, or a file whose name ends in .zip".to_owned())),
        }
    }
}

impl fmt::Display for AdvisorySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) | Self::Archive(path) => path.display().fmt(f),
            Self::Mirror(base) => f.write_str(base.as_str().trim_end_matches('/')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_an_archive_and_an_address_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("all.ZIP");
        std::fs::write(&archive, "").unwrap();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        assert_eq!(
            AdvisorySource::parse(&text(folder.path())),
            Ok(AdvisorySource::Folder(folder.path().to_owned()))
        );
        assert_eq!(AdvisorySource::parse(&text(&archive)), Ok(AdvisorySource::Archive(archive)));
        let mirror = AdvisorySource::parse("https://mirror.example/osv").unwrap();
        assert_eq!(mirror, AdvisorySource::Mirror("https://mirror.example/osv".parse().unwrap()));
    }

    #[test]
    fn what_is_none_of_them_is_refused_by_name_and_a_password_is_not_repeated() {
        for bad in ["/absent/advisories", "ftp://mirror.example/", "https://mirror.example/?x=1", "https://"]
        {
            let refused = AdvisorySource::parse(bad).unwrap_err().to_string();
            assert!(refused.contains(bad), "{refused}");
        }
        let refused = AdvisorySource::parse("https://u:s3cret@mirror.example/").unwrap_err().to_string();
        assert!(!refused.contains("s3cret") && refused.contains("without credentials"), "{refused}");
    }
}
