//! The images that a person names, and the registries that they lie in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cve_monitor_adapters::oci::{ArchiveForm, ImageSource, LocalName, LocalRegistry, repository_name};
use cve_monitor_core::ports::{Registry, RegistryError};
use cve_monitor_core::vocabulary::{ImageId, Reference, RegistryName};

use super::Asked;
use crate::config::{Files, FilesForm, Loaded};
use crate::wiring::WiringError;
use crate::wiring::aws::Aws;
use crate::wiring::registries::{self, Opened};

/// The most tags that are named where a layout or an archive does not have the one that was asked for.
const MAX_TAGS_NAMED: usize = 20;
/// What can be scanned where no registry can be reached.
const OFFLINE: &str =
    "\n  without a network, name a layout or an archive: oci:FOLDER, oci-archive:FILE or docker-archive:FILE";

/// The images with their registries.
#[derive(Debug)]
pub(super) struct Sources {
    images: Vec<(ImageSource, RegistryName)>,
    registries: BTreeMap<RegistryName, Opened>,
}

impl Sources {
    pub(super) async fn open(loaded: &Loaded, asked: &Asked) -> Result<Self, WiringError> {
        let mut sources = Self { images: vec![], registries: BTreeMap::new() };
        let aws = Aws::new(loaded.config.aws.clone());
        let mut files: BTreeMap<PathBuf, RegistryName> = BTreeMap::new();
        for image in &asked.images {
            let name = match image {
                ImageSource::Registry(reference) => {
                    if asked.offline {
                        let problem =
                            format!("{reference} lies in a registry, and --offline forbids to ask it");
                        return Err(WiringError::of(problem));
                    }
                    sources.open_registry(loaded, &aws, asked, reference).await?
                }
                ImageSource::Layout { path, .. } | ImageSource::Archive { path, .. } => match files.get(path)
                {
                    Some(name) => name.clone(),
                    None => {
                        let name = sources.open_files(image, path).await?;
                        files.insert(path.clone(), name.clone());
                        name
                    }
                },
            };
            sources.images.push((image.clone(), name));
        }
        Ok(sources)
    }

    async fn open_registry(
        &mut self,
        loaded: &Loaded,
        aws: &Aws,
        asked: &Asked,
        reference: &Reference,
    ) -> Result<RegistryName, WiringError> {
        let name = reference.registry.clone();
        if !self.registries.contains_key(&name) {
            let opened = match loaded.config.registry(&name) {
                Some(settings) => registries::open(settings, aws, &loaded.environment).await?,
                None => registries::unconfigured(name.clone(), asked.insecure, &loaded.environment)?,
            };
            self.registries.insert(name.clone(), opened);
        }
        Ok(name)
    }

    /// Files have no host: they go by their kind, the second of a kind by its number.
    async fn open_files(&mut self, image: &ImageSource, path: &Path) -> Result<RegistryName, WiringError> {
        let kind = match image {
            ImageSource::Archive { form: ArchiveForm::Docker, .. } => "docker-archive",
            ImageSource::Archive { .. } => "oci-archive",
            ImageSource::Layout { .. } | ImageSource::Registry(_) => "oci-layout",
        };
        let names = std::iter::once(kind.to_owned()).chain((2..).map(|n: u64| format!("{kind}-{n}")));
        let free = names.filter_map(|name| name.parse::<RegistryName>().ok());
        let name = free.into_iter().find(|name| !self.registries.contains_key(name));
        let name = name.ok_or_else(|| WiringError::of(format!("no name is left for {}", path.display())))?;
        let repository = repository_name(path).map_err(WiringError::of)?;
        let form = match image {
            ImageSource::Archive { form, .. } => FilesForm::Archive(*form),
            ImageSource::Layout { .. } | ImageSource::Registry(_) => FilesForm::Layout,
        };
        let files = Files { form, path: path.to_owned(), repository };
        let opened = Opened::Local(registries::files(&name, &files).await?);
        self.registries.insert(name.clone(), opened);
        Ok(name)
    }

    pub(super) fn registries(&self) -> impl Iterator<Item = Arc<dyn Registry>> {
        self.registries.values().map(Opened::registry)
    }

    /// The images, in the order in which they were named; a layout or an archive without a name means all in it.
    pub(super) async fn find(&self) -> Vec<Result<ImageId, WiringError>> {
        let mut found = vec![];
        for (source, name) in &self.images {
            match self.find_one(source, name).await {
                Ok(images) => found.extend(images.into_iter().map(Ok)),
                Err(error) => found.push(Err(error)),
            }
        }
        found
    }

    async fn find_one(&self, source: &ImageSource, name: &RegistryName) -> Result<Vec<ImageId>, WiringError> {
        match (source, self.registries.get(name)) {
            (ImageSource::Registry(reference), Some(opened)) => {
                Ok(vec![resolve(opened.registry().as_ref(), reference).await?])
            }
            (
                ImageSource::Layout { path, image } | ImageSource::Archive { path, image, .. },
                Some(Opened::Local(local)),
            ) => {
                let images = match (local.select(image.as_ref()).await, image) {
                    (Ok(images), _) => images,
                    (Err(RegistryError::NotFound(_)), Some(image)) => {
                        return Err(absent(local, path, image).await);
                    }
                    (Err(error), _) => return Err(WiringError::of(format!("{}: {error}", path.display()))),
                };
                if images.is_empty() {
                    return Err(WiringError::of(format!("{} holds no image", path.display())));
                }
                Ok(images)
            }
            _ => Err(WiringError::of(format!("nothing is known of {name}"))),
        }
    }
}

/// Why a layout or an archive has no image by this name, and which tags it has.
async fn absent(local: &LocalRegistry, path: &Path, image: &LocalName) -> WiringError {
    let there = named(&local.all_tags().await.unwrap_or_default());
    WiringError::of(format!("{} has no image `{image}`; it has: {there}", path.display()))
}

fn named<T: ToString>(tags: &[T]) -> String {
    let mut there: Vec<String> = tags.iter().take(MAX_TAGS_NAMED).map(ToString::to_string).collect();
    if tags.len() > MAX_TAGS_NAMED {
        there.push(format!("and {} more", tags.len() - MAX_TAGS_NAMED));
    }
    if there.is_empty() { "its images have no tags".to_owned() } else { there.join(", ") }
}

async fn resolve(registry: &dyn Registry, reference: &Reference) -> Result<ImageId, WiringError> {
    let digest = match (&reference.digest, &reference.tag) {
        (Some(digest), _) => digest.clone(),
        (None, Some(tag)) => registry.resolve(&reference.repository, tag).await.map_err(|error| {
            let remedy = if matches!(error, RegistryError::Transient(_)) { OFFLINE } else { "" };
            WiringError::of(format!("{reference}: {error}{remedy}"))
        })?,
        (None, None) => return Err(WiringError::of(format!("{reference} names neither a tag nor a digest"))),
    };
    Ok(ImageId { registry: reference.registry.clone(), repository: reference.repository.clone(), digest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_tags_are_named_and_the_others_counted() {
        let tags: Vec<usize> = (0..=MAX_TAGS_NAMED).collect();
        assert!(named(&tags[..MAX_TAGS_NAMED]).ends_with(", 18, 19"));
        assert!(named(&tags).ends_with(", 18, 19, and 1 more"));
        assert_eq!(named::<usize>(&[]), "its images have no tags");
    }
}
