//! What a person types to name an image or where images are: `oci:PATH[:REF]`, `oci-archive:FILE[:REF]`,
//! `docker-archive:FILE[:REF]` (containers-transports(5)), or a reference to a registry.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use cve_monitor_core::vocabulary::{Digest, Reference, Tag};

use super::ArchiveForm;

/// Where an image is to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageSource {
    /// A layout in a folder.
    Layout {
        /// The folder.
        path: PathBuf,
        /// The image in it; none means all.
        image: Option<LocalName>,
    },
    /// An archive in a file.
    Archive {
        /// The file.
        path: PathBuf,
        /// Of which kind.
        form: ArchiveForm,
        /// The image in it; none means all.
        image: Option<LocalName>,
    },
    /// A registry.
    Registry(Reference),
}

/// How an image in a layout or an archive is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalName {
    /// By its tag.
    Tag(Tag),
    /// By its digest.
    Digest(Digest),
    /// By a whole reference.
    Reference(Reference),
}

impl fmt::Display for LocalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
            Self::Reference(reference) => reference.fmt(f),
        }
    }
}

/// Why a text names no source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` names no image: {reason}")]
pub struct SourceError {
    text: String,
    reason: String,
}

const LOCAL_FORMS: &str = "for a folder or file write oci:PATH, oci-archive:FILE or docker-archive:FILE";
/// Transports that other tools know and this one does not, with what to do instead.
const FOREIGN: [(&str, &str); 6] = [
    ("docker-daemon:", "save it first: `docker save NAME -o FILE.tar`, then docker-archive:FILE.tar"),
    ("containers-storage:", "save it first: `podman save NAME -o FILE.tar`, then docker-archive:FILE.tar"),
    ("dir:", "copy it first: `skopeo copy dir:PATH oci:PATH2`, then oci:PATH2"),
    ("ostree:", "copy it first with `skopeo copy … oci:PATH`, then oci:PATH"),
    ("sif:", "copy it first with `skopeo copy … oci:PATH`, then oci:PATH"),
    ("tarball:", "a tar of files is no image: build one first"),
];

impl FromStr for ImageSource {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let fail = |reason: String| SourceError { text: text.chars().take(300).collect(), reason };
        if let Some((name, remedy)) = FOREIGN.iter().find(|(name, _)| text.starts_with(name)) {
            return Err(fail(format!("`{name}` is not read here; {remedy}")));
        }
        if let Some(rest) = text.strip_prefix("oci:") {
            let (path, image) = local(rest).map_err(fail)?;
            return Ok(Self::Layout { path, image });
        }
        for (prefix, form) in [("oci-archive:", ArchiveForm::Oci), ("docker-archive:", ArchiveForm::Docker)] {
            if let Some(rest) = text.strip_prefix(prefix) {
                let (path, image) = local(rest).map_err(fail)?;
                return Ok(Self::Archive { path, form, image });
            }
        }
        if text.starts_with(['.', '/', '~']) {
            return Err(fail(format!("it looks like a path; {LOCAL_FORMS}")));
        }
        let reference = text.strip_prefix("docker://").unwrap_or(text);
        reference.parse().map(Self::Registry).map_err(|e| fail(format!("{e}; {LOCAL_FORMS}")))
    }
}

/// `PATH[:REF]`; the first colon divides, as in the tools that this notation comes from.
fn local(rest: &str) -> Result<(PathBuf, Option<LocalName>), String> {
    let (path, name) = match rest.split_once(':') {
        Some((path, name)) => (path, Some(name)),
        None => (rest, None),
    };
    if path.is_empty() {
        return Err("the path is missing after the first `:`".to_owned());
    }
    Ok((PathBuf::from(path), name.map(local_name).transpose()?))
}

fn local_name(text: &str) -> Result<LocalName, String> {
    if let Ok(digest) = text.strip_prefix('@').unwrap_or(text).parse::<Digest>() {
        return Ok(LocalName::Digest(digest));
    }
    if let Ok(tag) = text.parse::<Tag>() {
        return Ok(LocalName::Tag(tag));
    }
    text.parse()
        .map(LocalName::Reference)
        .map_err(|_| format!("`{text}` is no tag, no digest and no reference"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notation_is_told_apart() {
        let digest = Digest::of(b"m");
        let layout = |image| ImageSource::Layout { path: "a/b".into(), image };
        let archive = |form, image| ImageSource::Archive { path: "/x.tar".into(), form, image };
        let reference = || "docker.io/library/debian:12".parse::<Reference>().unwrap();
        for (text, expected) in [
            ("oci:a/b".to_owned(), layout(None)),
            ("oci:a/b:v1".to_owned(), layout(Some(LocalName::Tag("v1".parse().unwrap())))),
            (format!("oci:a/b:@{digest}"), layout(Some(LocalName::Digest(digest.clone())))),
            (format!("oci:a/b:{digest}"), layout(Some(LocalName::Digest(digest)))),
            ("oci-archive:/x.tar".to_owned(), archive(ArchiveForm::Oci, None)),
            (
                "docker-archive:/x.tar:debian:12".to_owned(),
                archive(ArchiveForm::Docker, Some(LocalName::Reference(reference()))),
            ),
            ("debian:12".to_owned(), ImageSource::Registry(reference())),
            ("docker://debian:12".to_owned(), ImageSource::Registry(reference())),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_what_to_do() {
        for (text, expected) in [
            ("docker-daemon:debian:12", "docker save"),
            ("dir:/x", "skopeo copy"),
            ("oci:", "the path is missing"),
            ("oci::v1", "the path is missing"),
            ("oci:a:b c", "no tag, no digest and no reference"),
            ("./image.tar", "docker-archive:FILE"),
            ("", "oci:PATH"),
        ] {
            let error = text.parse::<ImageSource>().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
