//! Two inventories, package by package: both in CycloneDX, compared by their package URLs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// What two inventories of an image have in common, and what not.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) shared: usize,
    pub(super) only_ours: Vec<String>,
    pub(super) only_theirs: Vec<String>,
}

impl Compared {
    pub(super) fn of(ours: &Path, theirs: &Path) -> Result<Self, String> {
        Ok(Self::between(&packages(&document(ours)?), &packages(&document(theirs)?)))
    }

    fn between(ours: &BTreeSet<String>, theirs: &BTreeSet<String>) -> Self {
        Self {
            shared: ours.intersection(theirs).count(),
            only_ours: ours.difference(theirs).cloned().collect(),
            only_theirs: theirs.difference(ours).cloned().collect(),
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({"shared": self.shared, "only_ours": self.only_ours, "only_theirs": self.only_theirs})
    }
}

fn document(path: &Path) -> Result<Value, String> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", path.display()))
}

fn packages(document: &Value) -> BTreeSet<String> {
    let components = document["components"].as_array().map_or(&[][..], Vec::as_slice);
    components.iter().filter_map(|component| component["purl"].as_str().map(normal)).collect()
}

/// Type, namespace, name and version alone, in one spelling: qualifiers and what is escaped differ between tools.
fn normal(purl: &str) -> String {
    let end = purl.find(['?', '#']).unwrap_or(purl.len());
    let plain = unescaped(&purl[..end]);
    if plain.starts_with("pkg:golang/") {
        return plain.to_lowercase();
    }
    match plain.strip_prefix("pkg:pypi/") {
        Some(rest) => {
            let (name, version) = rest.split_once('@').unwrap_or((rest, ""));
            format!("pkg:pypi/{}@{version}", name.to_lowercase().replace(['_', '.'], "-"))
        }
        None => plain,
    }
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let byte = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) => {
                plain.push(byte);
                plain.extend_from_slice(&part.as_bytes()[2..]);
            }
            None => {
                plain.push(b'%');
                plain.extend_from_slice(part.as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_the_same_in_every_spelling() {
        assert_eq!(normal("pkg:deb/debian/g%2B%2B@1%3A2?arch=amd64"), "pkg:deb/debian/g++@1:2");
        assert_eq!(normal("pkg:pypi/Zope.Interface@5.4"), normal("pkg:pypi/zope-interface@5.4"));
        assert_eq!(normal("pkg:golang/A/b@v1#c"), "pkg:golang/a/b@v1");
        assert_eq!(unescaped("100%"), "100%");
    }

    #[test]
    fn what_only_one_has_is_named() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let compared = Compared::between(&set(&["a", "b"]), &set(&["b", "c"]));
        let expected = Compared { shared: 1, only_ours: vec!["a".into()], only_theirs: vec!["c".into()] };
        assert_eq!(compared, expected);
    }
}
