//! What an image's distribution is, by its own files, and the advisory ecosystem of its release.

mod ecosystem;
mod older;

use serde::{Deserialize, Serialize};

use self::ecosystem::ecosystem;

/// Where distributions say what they are; the first that says something counts. Those after os-release are of the
/// time before it, and the more telling come first: Oracle's `redhat-release` says that it is Red Hat's.
pub(crate) const PATHS: [&str; 11] = [
    "etc/os-release",
    "usr/lib/os-release",
    "etc/alpine-release",
    "etc/oracle-release",
    "etc/almalinux-release",
    "etc/rocky-release",
    "etc/centos-release",
    "etc/redhat-release",
    "etc/system-release",
    "etc/lsb-release",
    "etc/debian_version",
];
/// Bytes of such a file that are kept.
pub(crate) const MAX_OS_RELEASE_BYTES: usize = 64 << 10;

/// Whether a file says what a distribution is, there or where links may point at.
pub(crate) fn is_release_file(path: &str) -> bool {
    PATHS.contains(&path) || path.ends_with("/os-release")
}

/// The distribution of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// `ID`, such as `debian`.
    pub id: String,
    /// `VERSION_ID`, such as `12`; rolling releases have none.
    pub version_id: Option<String>,
    /// `PRETTY_NAME`.
    pub pretty_name: Option<String>,
    /// The OSV ecosystem of its advisories, such as `Debian:12`; none where this version knows none.
    pub ecosystem: Option<String>,
}

impl Distribution {
    /// Reads the text of an os-release file; none without an `ID`.
    pub fn parse(text: &str) -> Option<Self> {
        let id = field(text, "ID")?.to_ascii_lowercase();
        let (version, name) = (field(text, "VERSION_ID"), field(text, "PRETTY_NAME"));
        Some(Self::of(&id, version.as_deref(), name.as_deref()))
    }

    /// Reads a file of one of [`PATHS`].
    pub(crate) fn parse_file(path: &str, text: &str) -> Option<Self> {
        if path.ends_with("os-release") { Self::parse(text) } else { older::parse(path, text) }
    }

    pub(crate) fn of(id: &str, version_id: Option<&str>, pretty_name: Option<&str>) -> Self {
        Self {
            id: id.to_owned(),
            version_id: version_id.map(str::to_owned),
            pretty_name: pretty_name.map(str::to_owned),
            ecosystem: ecosystem(id, version_id, pretty_name),
        }
    }

    /// The namespace, as Clair writes it: `debian:12`.
    pub fn namespace(&self) -> String {
        match &self.version_id {
            Some(version) => format!("{}:{version}", self.id),
            None => self.id.clone(),
        }
    }
}

/// The last value of a field; none where it is empty.
fn field(text: &str, wanted: &str) -> Option<String> {
    let value = text.lines().rev().find_map(|line| {
        let (name, value) = line.trim().split_once('=')?;
        (name.trim() == wanted).then(|| unquote(value.trim()))
    });
    value.filter(|value| !value.is_empty())
}

/// Takes off the quotes of a shell word, and the backslashes inside them.
fn unquote(value: &str) -> String {
    let quoted = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    let inner = quoted('"').or_else(|| quoted('\'')).unwrap_or(value);
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        text.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    text
}

#[cfg(test)]
mod tests;
