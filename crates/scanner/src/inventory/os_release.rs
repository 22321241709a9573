//! `etc/os-release`, and the advisory ecosystem of a distribution's release.

use serde::{Deserialize, Serialize};

/// Where distributions say what they are; the first that exists counts.
pub(crate) const PATHS: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];
/// Whether a file says what a distribution is, there or where links may point at.
pub(crate) fn is_release_file(path: &str) -> bool {
    PATHS.contains(&path) || path.ends_with("/os-release")
}

/// Bytes of an os-release file that are kept.
pub(crate) const MAX_OS_RELEASE_BYTES: usize = 64 << 10;

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
        let field = |wanted: &str| {
            let value = text.lines().rev().find_map(|line| {
                let (name, value) = line.trim().split_once('=')?;
                (name.trim() == wanted).then(|| unquote(value.trim()))
            });
            value.filter(|value| !value.is_empty())
        };
        let id = field("ID")?.to_ascii_lowercase();
        let version_id = field("VERSION_ID");
        let ecosystem = version_id.as_deref().and_then(|version| ecosystem(&id, version));
        Some(Self { id, version_id, pretty_name: field("PRETTY_NAME"), ecosystem })
    }

    /// The namespace, as Clair writes it: `debian:12`.
    pub fn namespace(&self) -> String {
        match &self.version_id {
            Some(version) => format!("{}:{version}", self.id),
            None => self.id.clone(),
        }
    }
}

/// Derivatives are left out on purpose: their packages are not those that the advisories speak of.
fn ecosystem(id: &str, version: &str) -> Option<String> {
    match id {
        "debian" => {
            let major = version.split('.').next().unwrap_or(version);
            major.bytes().all(|byte| byte.is_ascii_digit()).then(|| format!("Debian:{major}"))
        }
        "ubuntu" => {
            let (year, month) = version.split_once('.')?;
            let month = month.split('.').next().unwrap_or(month);
            let is_long_term = month == "04" && year.parse::<u32>().ok()? % 2 == 0;
            Some(format!("Ubuntu:{year}.{month}{}", if is_long_term { ":LTS" } else { "" }))
        }
        _ => None,
    }
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
mod tests {
    use super::*;

    fn ecosystem_of(text: &str) -> Option<String> {
        Distribution::parse(text).and_then(|distribution| distribution.ecosystem)
    }

    #[test]
    fn releases_have_an_ecosystem_each() {
        for (text, expected) in [
            ("ID=debian\nVERSION_ID=\"12\"", Some("Debian:12")),
            ("ID=debian\nVERSION_ID=12.4", Some("Debian:12")),
            ("ID=ubuntu\nVERSION_ID='22.04'", Some("Ubuntu:22.04:LTS")),
            ("ID=ubuntu\nVERSION_ID=\"24.10\"", Some("Ubuntu:24.10")),
            ("ID=ubuntu\nVERSION_ID=\"23.04\"", Some("Ubuntu:23.04")),
            ("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux trixie/sid\"", None),
            ("ID=kali\nID_LIKE=debian\nVERSION_ID=\"2024.1\"", None),
        ] {
            assert_eq!(ecosystem_of(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_last_of_a_field_counts_and_quotes_come_off() {
        let found = Distribution::parse("ID=a\n# ID=c\nID=\"b\"\nPRETTY_NAME=\"The \\\"B\\\"\"\n").unwrap();
        assert_eq!(found.id, "b");
        assert_eq!(found.pretty_name.as_deref(), Some("The \"B\""));
        assert_eq!(found.namespace(), "b");
    }

    #[test]
    fn a_text_without_an_id_names_nothing() {
        assert_eq!(Distribution::parse("NAME=x\n"), None);
        assert_eq!(Distribution::parse(""), None);
    }
}
