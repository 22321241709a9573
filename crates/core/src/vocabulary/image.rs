//! Names of registries, repositories, tags and images.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Digest;

/// Why a text is not a name of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {what}: {rule}")]
pub struct InvalidName {
    what: &'static str,
    rule: &'static str,
    text: String,
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidName { what: $what, rule: $rule, text: text.chars().take(96).collect() })
                }
            }
        }

        impl TryFrom<String> for $type {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// The host (and port) of a registry, or the name that the configuration gives a local layout.
    RegistryName,
    "registry name",
    "1 to 255 characters out of letters, digits, `.`, `-`, `_` and `:`",
    |text| (1..=255).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:".contains(&b))
);

name!(
    /// A repository (distribution-spec, "Pulling manifests": `<name>`).
    RepositoryName,
    "repository name",
    "up to 255 characters: lower-case letters and digits joined by `.`, `_`, `-`, in parts joined by `/`",
    |text| text.len() <= 255
        && text.split('/').all(|part| {
            let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            edge(part.as_bytes().first())
                && edge(part.as_bytes().last())
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
        })
);

name!(
    /// A tag (distribution-spec: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`).
    Tag,
    "tag",
    "up to 128 letters, digits, `_`, `.` and `-`, not beginning with `.` or `-`",
    |text| (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
);

/// One manifest in one repository of one registry: what a stream of events, and a report, is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ImageId {
    /// The registry.
    pub registry: RegistryName,
    /// The repository in it.
    pub repository: RepositoryName,
    /// The digest of the manifest.
    pub digest: Digest,
}

impl ImageId {
    /// The same registry and repository, another digest: a child or a parent of this image.
    #[must_use]
    pub fn sibling(&self, digest: Digest) -> Self {
        Self { registry: self.registry.clone(), repository: self.repository.clone(), digest }
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}@{}", self.registry, self.repository, self.digest)
    }
}

impl fmt::Debug for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ImageId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let invalid = || InvalidName {
            what: "image",
            rule: "expected REGISTRY/REPOSITORY@sha256:…",
            text: text.chars().take(160).collect(),
        };
        let (registry, rest) = text.split_once('/').ok_or_else(invalid)?;
        let (repository, digest) = rest.split_once('@').ok_or_else(invalid)?;
        Ok(Self {
            registry: registry.parse()?,
            repository: repository.parse()?,
            digest: digest.parse().map_err(|_| invalid())?,
        })
    }
}

/// How a registry is named in reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryIdentity {
    /// The name under which its images are known.
    pub name: RegistryName,
    /// `registryId` of the reports: the account on ECR, the host elsewhere.
    pub registry_id: String,
    /// The region, where there is one.
    pub region: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_the_grammar_of_the_distribution_specification() {
        for good in ["a", "library/debian", "a.b-c_d/e__f", "9/0"] {
            assert!(good.parse::<RepositoryName>().is_ok(), "{good}");
        }
        for bad in ["", "A", "a/", "/a", "a//b", ".a", "a-", "a b", &"a".repeat(256)] {
            assert!(bad.parse::<RepositoryName>().is_err(), "{bad}");
        }
        assert!("v1.0_x-".parse::<Tag>().is_ok() && ".v".parse::<Tag>().is_err());
        assert!("a".repeat(128).parse::<Tag>().is_ok() && "a".repeat(129).parse::<Tag>().is_err());
    }

    #[test]
    fn an_image_reads_back_what_it_writes() {
        let text = format!("localhost:5000/team/app@{}", Digest::of(b"m"));
        assert_eq!(text.parse::<ImageId>().map(|id| id.to_string()), Ok(text));
    }
}
