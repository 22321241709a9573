//! Which images a layout or an archive names, by repository and tag.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cve_monitor_core::ports::{ListedImage, RegistryError};
use cve_monitor_core::vocabulary::{Digest, InvalidName, Reference, RepositoryName, Tag};
use serde::Deserialize;

use super::LocalName;

/// The longest `index.json` or `manifest.json` that is read, in bytes.
pub const MAX_INDEX_BYTES: u64 = 8 * 1024 * 1024;
/// The pre-defined annotation (OCI image-spec, annotations.md); tools put a tag or a whole reference there.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The whole reference, as containerd and `docker save` add it beside the bare tag.
const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// What a folder or file is called whose own name has no character that a repository may have.
const UNNAMED: &str = "image";
/// The longest repository name that is derived from a path, in characters.
const MAX_DERIVED: usize = 128;

/// One entry of an index: a digest and what it is called there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) digest: Digest,
    pub(super) name: Option<String>,
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    digest: Digest,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

/// Reads `index.json`. Its entries may be indexes in turn; those are resolved like any other manifest.
pub(super) fn parse_index(bytes: &[u8]) -> Result<Vec<Named>, String> {
    let index: Index = serde_json::from_slice(bytes).map_err(|e| format!("no OCI index: {e}"))?;
    Ok(index
        .manifests
        .into_iter()
        .map(|entry| {
            let mut annotations = entry.annotations.unwrap_or_default();
            let name = annotations.remove(CONTAINERD_NAME).or_else(|| annotations.remove(REF_NAME));
            Named { digest: entry.digest, name }
        })
        .collect())
}

/// The images by repository, and the tags by image.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    images: BTreeMap<RepositoryName, BTreeMap<Digest, BTreeSet<Tag>>>,
}

impl Contents {
    /// Sorts entries into repositories. A tag leads to one image: where two claim it, the first keeps it and the
    /// other is listed without.
    pub(super) fn of(repository: &RepositoryName, named: Vec<Named>) -> Self {
        let mut contents = Self::default();
        let mut taken = BTreeMap::new();
        for Named { digest, name } in named {
            let (repository, tag) = place(repository, name.as_deref());
            let tags =
                contents.images.entry(repository.clone()).or_default().entry(digest.clone()).or_default();
            let Some(tag) = tag else { continue };
            let owner = taken.entry((repository, tag.clone())).or_insert_with(|| digest.clone());
            if *owner == digest {
                tags.insert(tag);
            } else {
                tracing::warn!(%digest, %tag, %owner, "two images claim a tag; it stays with the first");
            }
        }
        contents
    }

    pub(super) fn repositories(&self) -> Vec<RepositoryName> {
        self.images.keys().cloned().collect()
    }

    pub(super) fn images(&self, repository: &RepositoryName) -> Result<Vec<ListedImage>, RegistryError> {
        let images = self.images.get(repository).ok_or_else(|| missing(repository, "is not there"))?;
        let listed = |(digest, tags): (&Digest, &BTreeSet<Tag>)| ListedImage {
            digest: digest.clone(),
            tags: tags.iter().cloned().collect(),
            pushed: None,
        };
        Ok(images.iter().map(listed).collect())
    }

    pub(super) fn resolve(&self, repository: &RepositoryName, tag: &Tag) -> Result<Digest, RegistryError> {
        let images = self.images.get(repository).ok_or_else(|| missing(repository, "is not there"))?;
        let found = images.iter().find(|(_, tags)| tags.contains(tag)).map(|(digest, _)| digest.clone());
        found.ok_or_else(|| missing(repository, &format!("has no tag {tag}")))
    }

    /// The images that a name means; all of them without one.
    pub(super) fn matching(&self, name: Option<&LocalName>) -> Vec<(RepositoryName, Digest)> {
        let all = self.images.iter().flat_map(|(repository, images)| {
            images.iter().map(move |(digest, tags)| (repository, digest, tags))
        });
        let means = |repository: &RepositoryName, digest: &Digest, tags: &BTreeSet<Tag>| match name {
            None => true,
            Some(LocalName::Tag(tag)) => tags.contains(tag),
            Some(LocalName::Digest(wanted)) => wanted == digest,
            Some(LocalName::Reference(wanted)) => {
                let by_tag = || wanted.tag.as_ref().is_some_and(|tag| tags.contains(tag));
                wanted.repository == *repository
                    && wanted.digest.as_ref().map_or_else(by_tag, |d| d == digest)
            }
        };
        let chosen = all.filter(|(repository, digest, tags)| means(repository, digest, tags));
        chosen.map(|(repository, digest, _)| (repository.clone(), digest.clone())).collect()
    }

    pub(super) fn all_tags(&self) -> Vec<Tag> {
        let tags: BTreeSet<&Tag> = self.images.values().flat_map(BTreeMap::values).flatten().collect();
        tags.into_iter().cloned().collect()
    }

    pub(super) fn tags(&self, repository: &RepositoryName, digest: &Digest) -> Vec<Tag> {
        let tags = self.images.get(repository).and_then(|images| images.get(digest));
        tags.map(|tags| tags.iter().cloned().collect()).unwrap_or_default()
    }
}

fn missing(repository: &RepositoryName, what: &str) -> RegistryError {
    RegistryError::NotFound(format!("repository {repository} {what}"))
}

/// The repository and tag of an entry: a bare tag stays in the given repository, a whole reference brings its own;
/// a name that is neither leaves the image untagged.
fn place(repository: &RepositoryName, name: Option<&str>) -> (RepositoryName, Option<Tag>) {
    let Some(name) = name else { return (repository.clone(), None) };
    if let Ok(tag) = name.parse::<Tag>() {
        return (repository.clone(), Some(tag));
    }
    match name.parse::<Reference>() {
        Ok(reference) => (reference.repository, reference.tag),
        Err(_) => (repository.clone(), None),
    }
}

/// A repository's name out of the name of a folder or a file: `/x/My App.tar` is `my-app`; where nothing of it may
/// stand in one, `image`.
///
/// # Errors
/// Never in practice; the type of a parsed name says so no better.
pub fn repository_name(path: &Path) -> Result<RepositoryName, InvalidName> {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let letters = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let name: String = stem.chars().map(letters).take(MAX_DERIVED).collect();
    name.trim_matches(['.', '_', '-']).parse().or_else(|_| UNNAMED.parse())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(text: &str) -> RepositoryName {
        text.parse().unwrap()
    }

    fn named(content: &str, name: Option<&str>) -> Named {
        Named { digest: Digest::of(content.as_bytes()), name: name.map(str::to_owned) }
    }

    #[test]
    fn tags_and_whole_references_are_told_apart() {
        for (name, expected) in [
            (None, ("app", None)),
            (Some("v1.2"), ("app", Some("v1.2"))),
            (Some("docker.io/library/debian:12"), ("library/debian", Some("12"))),
            (Some("debian:12"), ("library/debian", Some("12"))),
            (Some("localhost:5000/a/b"), ("a/b", Some("latest"))),
            (Some("no name at all"), ("app", None)),
            (Some(""), ("app", None)),
        ] {
            let (place, tag) = place(&repository("app"), name);
            assert_eq!((place.as_str(), tag.as_ref().map(Tag::as_str)), expected, "{name:?}");
        }
    }

    #[test]
    fn one_image_with_two_tags_is_listed_once() {
        let entries = vec![named("m", Some("b")), named("m", Some("a")), named("n", None)];
        let contents = Contents::of(&repository("app"), entries);
        let images = contents.images(&repository("app")).unwrap();
        let mut tags: Vec<String> = images.iter().map(|i| format!("{:?}", i.tags)).collect();
        tags.sort();
        assert_eq!(tags, ["[]", "[a, b]"]);
    }

    #[test]
    fn a_tag_that_two_images_claim_stays_with_the_first() {
        let contents = Contents::of(&repository("app"), vec![named("m", Some("a")), named("n", Some("a"))]);
        let tag: Tag = "a".parse().unwrap();
        assert_eq!(contents.resolve(&repository("app"), &tag), Ok(Digest::of(b"m")));
        assert_eq!(contents.images(&repository("app")).map(|i| i.len()), Ok(2));
        assert!(contents.tags(&repository("app"), &Digest::of(b"n")).is_empty());
    }

    #[test]
    fn a_name_means_what_it_says_and_no_name_means_all() {
        let entries = vec![named("m", Some("v1")), named("n", Some("debian:v1")), named("o", None)];
        let contents = Contents::of(&repository("app"), entries);
        let digest = Digest::of(b"o");
        for (name, expected) in [
            (None, 3),
            (Some(LocalName::Tag("v1".parse().unwrap())), 2),
            (Some(LocalName::Digest(digest)), 1),
            (Some(LocalName::Reference("debian:v1".parse().unwrap())), 1),
            (Some(LocalName::Reference("debian:v2".parse().unwrap())), 0),
            (Some(LocalName::Tag("v2".parse().unwrap())), 0),
        ] {
            assert_eq!(contents.matching(name.as_ref()).len(), expected, "{name:?}");
        }
    }

    #[test]
    fn the_fuller_of_two_annotations_counts() {
        let digest = Digest::of(b"m");
        let json = format!(
            r#"{{"schemaVersion":2,"manifests":[{{"digest":"{digest}","size":1,"annotations":{{
                "{CONTAINERD_NAME}":"docker.io/team/app:v1","{REF_NAME}":"v1"}}}},{{"digest":"{digest}"}}]}}"#
        );
        let names: Vec<_> = parse_index(json.as_bytes()).unwrap().into_iter().map(|n| n.name).collect();
        assert_eq!(names, [Some("docker.io/team/app:v1".to_owned()), None]);
        assert!(parse_index(b"[]").is_err());
    }

    #[test]
    fn a_path_gives_a_repository_a_name() {
        for (path, name) in
            [("/x/My App.tar", "my-app"), ("layout", "layout"), ("/x/..", "image"), ("/x/-_.tar", "image")]
        {
            assert_eq!(repository_name(Path::new(path)).map(String::from).as_deref(), Ok(name), "{path}");
        }
        for length in [MAX_DERIVED, MAX_DERIVED + 1] {
            let name = repository_name(Path::new(&format!("{}.tar", "a".repeat(length)))).unwrap();
            assert_eq!(name.as_str().len(), MAX_DERIVED);
        }
    }
}
