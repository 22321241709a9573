//! Image references as people type them (distribution/reference: `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`).

use std::fmt;
use std::str::FromStr;

use super::{Digest, RegistryName, RepositoryName, Tag};

/// The registry that a reference without a host means, and the namespace of its one-part names.
const DEFAULT_REGISTRY: &str = "docker.io";
const DEFAULT_NAMESPACE: &str = "library";
const DEFAULT_TAG: &str = "latest";

/// A parsed reference: a digest wins over a tag; without either the tag is `latest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The registry's host and port.
    pub registry: RegistryName,
    /// The repository.
    pub repository: RepositoryName,
    /// The tag, where no digest stands alone.
    pub tag: Option<Tag>,
    /// The digest, where one was given.
    pub digest: Option<Digest>,
}

/// Why a text is not a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{reference}` is not an image reference: {reason} (expected [HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST])"
)]
pub struct ReferenceError {
    reference: String,
    reason: String,
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let fail = |reason: String| ReferenceError { reference: text.chars().take(300).collect(), reason };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse::<Digest>().map_err(|e| fail(e.to_string()))?)),
            None => (text, None),
        };
        let (rest, tag) = match rest.rsplit_once(':') {
            // A colon before a slash belongs to the port.
            Some((path, tag)) if !tag.contains('/') => {
                (path, Some(tag.parse::<Tag>().map_err(|e| fail(e.to_string()))?))
            }
            _ => (rest, None),
        };
        let (host, path) = match rest.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path.to_owned()),
            Some(_) => (DEFAULT_REGISTRY, rest.to_owned()),
            None => (DEFAULT_REGISTRY, format!("{DEFAULT_NAMESPACE}/{rest}")),
        };
        let tag = match (&tag, &digest) {
            (None, None) => Some(DEFAULT_TAG.parse::<Tag>().map_err(|e| fail(e.to_string()))?),
            _ => tag,
        };
        Ok(Self {
            registry: host.parse().map_err(|e: super::InvalidName| fail(e.to_string()))?,
            repository: path.parse().map_err(|e: super::InvalidName| fail(e.to_string()))?,
            tag,
            digest,
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.as_ref().map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_mean_what_they_mean_everywhere() {
        for (short, long) in [
            ("debian", "docker.io/library/debian:latest"),
            ("debian:12", "docker.io/library/debian:12"),
            ("team/app", "docker.io/team/app:latest"),
            ("localhost/app", "localhost/app:latest"),
            ("localhost:5000/a/b:v1", "localhost:5000/a/b:v1"),
            ("ghcr.io/a/b", "ghcr.io/a/b:latest"),
        ] {
            assert_eq!(short.parse::<Reference>().map(|r| r.to_string()), Ok(long.to_owned()));
        }
        let pinned = format!("a.example/b@{}", Digest::of(b""));
        assert_eq!(pinned.parse::<Reference>().map(|r| r.to_string()), Ok(pinned));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for bad in ["", "UPPER", "a:b:c", "a@sha256:12", "a/:t", "host.example/"] {
            let error = bad.parse::<Reference>().err().map(|e| e.to_string()).unwrap_or_default();
            assert!(error.contains("is not an image reference"), "{bad}: {error}");
        }
    }
}
