//! Registries that lie on this machine: an OCI layout folder, an OCI archive, a docker archive.
//!
//! Nothing is unpacked or written. A folder is read anew on each listing, so that what another tool has put into
//! it since is found; an archive is indexed once, when it is opened.

mod archive;
mod docker_save;
mod folder;
mod references;
mod source;
mod tar_members;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::BytesMut;
use cve_monitor_core::ports::{BlobLocation, BlobStream, ListedImage, Registry, RegistryError};
use cve_monitor_core::vocabulary::{
    Descriptor, Digest, ImageId, MAX_MANIFEST_BYTES, Page, PageToken, RawManifest, Referrer,
    RegistryIdentity, RegistryName, RepositoryName, Tag,
};
use futures::StreamExt as _;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::http::page_after;
use crate::verifier::{Verifier, corrupt, verify_manifest};
use archive::Archive;
use folder::Folder;
use references::{Contents, Named};

pub use archive::ArchiveForm;
pub use references::{MAX_INDEX_BYTES, repository_name};
pub use source::{ImageSource, LocalName, SourceError};

/// How many bytes of a blob are read at a time.
const CHUNK_BYTES: usize = 256 * 1024;
/// How many manifests are asked whose subject is an image.
pub const MAX_SUBJECTS: usize = 1000;

/// A layout or an archive as a registry.
///
/// An image whose name in it is a bare tag, or that has none, lies in the repository that the caller names; one
/// whose name is a whole reference lies in that reference's repository.
#[derive(Debug)]
pub struct LocalRegistry {
    name: RegistryName,
    repository: RepositoryName,
    files: Files,
}

#[derive(Debug)]
enum Files {
    Folder(Folder),
    Archive(Archive),
}

/// A blob that was found: its size in bytes and its bytes.
struct Opened {
    size: u64,
    reader: Box<dyn AsyncRead + Send + Unpin>,
}

/// Why a layout or an archive cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path} cannot be read as {what}: {reason}")]
pub struct OpenError {
    path: String,
    what: &'static str,
    reason: String,
}

impl OpenError {
    fn new(path: &Path, what: &'static str, reason: impl std::fmt::Display) -> Self {
        Self { path: path.display().to_string(), what, reason: reason.to_string() }
    }
}

impl LocalRegistry {
    /// Opens an OCI layout folder, as `skopeo copy … oci:PATH` and `docker buildx build --output type=oci` write it.
    ///
    /// # Errors
    /// Where it is not one.
    pub async fn open_layout(
        name: RegistryName,
        repository: RepositoryName,
        path: PathBuf,
    ) -> Result<Self, OpenError> {
        let folder = Folder::open(path).await?;
        Ok(Self { name, repository, files: Files::Folder(folder) })
    }

    /// Opens an archive. One by `docker save` before its version 25, or by podman, has no manifests: they are made
    /// of the true digests of its members, for which its layers are read once here.
    ///
    /// # Errors
    /// Where it is not one, is compressed, or lacks a member that it names.
    pub async fn open_archive(
        name: RegistryName,
        repository: RepositoryName,
        path: PathBuf,
        form: ArchiveForm,
    ) -> Result<Self, OpenError> {
        let archive = Archive::open(path, form).await?;
        Ok(Self { name, repository, files: Files::Archive(archive) })
    }

    /// The images that a name of [`ImageSource`] means here, sorted; all of them without a name.
    ///
    /// # Errors
    /// `NotFound` where the name means none; else as a listing.
    pub async fn select(&self, name: Option<&LocalName>) -> Result<Vec<ImageId>, RegistryError> {
        let found = self.contents().await?.matching(name);
        match name {
            Some(name) if found.is_empty() => Err(RegistryError::NotFound(format!("`{name}`"))),
            _ => Ok(found
                .into_iter()
                .map(|(repository, digest)| ImageId { registry: self.name.clone(), repository, digest })
                .collect()),
        }
    }

    /// Every tag that is there, sorted.
    ///
    /// # Errors
    /// As a listing.
    pub async fn all_tags(&self) -> Result<Vec<Tag>, RegistryError> {
        Ok(self.contents().await?.all_tags())
    }

    async fn contents(&self) -> Result<Contents, RegistryError> {
        let named: Vec<Named> = match &self.files {
            Files::Folder(folder) => folder.names().await?,
            Files::Archive(archive) => archive.names().to_vec(),
        };
        Ok(Contents::of(&self.repository, named))
    }

    async fn open(&self, digest: &Digest) -> Result<Opened, RegistryError> {
        match &self.files {
            Files::Folder(folder) => folder.blob(digest).await,
            Files::Archive(archive) => archive.blob(digest).await,
        }
    }
}

#[async_trait]
impl Registry for LocalRegistry {
    fn identity(&self) -> RegistryIdentity {
        RegistryIdentity { name: self.name.clone(), registry_id: self.name.as_str().to_owned(), region: None }
    }

    async fn repositories(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<RepositoryName>, RegistryError> {
        let names = self.contents().await?.repositories();
        Ok(page_after(&names, RepositoryName::as_str, after.as_ref(), limit))
    }

    async fn images(
        &self,
        repository: &RepositoryName,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ListedImage>, RegistryError> {
        let images = self.contents().await?.images(repository)?;
        Ok(page_after(&images, |image| image.digest.as_str(), after.as_ref(), limit))
    }

    async fn resolve(&self, repository: &RepositoryName, tag: &Tag) -> Result<Digest, RegistryError> {
        self.contents().await?.resolve(repository, tag)
    }

    async fn manifest(&self, image: &ImageId) -> Result<RawManifest, RegistryError> {
        let mut opened = self.open(&image.digest).await?;
        if opened.size > MAX_MANIFEST_BYTES as u64 {
            return Err(RegistryError::Unsupported(format!(
                "the manifest {} is {} bytes long; at most {MAX_MANIFEST_BYTES} are read",
                image.digest, opened.size
            )));
        }
        let mut bytes = Vec::new();
        let mut bounded = (&mut opened.reader).take(MAX_MANIFEST_BYTES as u64 + 1);
        bounded.read_to_end(&mut bytes).await.map_err(|e| unreadable(&image.digest, &e))?;
        verify_manifest(&image.digest, &bytes)?;
        // The bytes say themselves what they are; nothing here knows better.
        Ok(RawManifest { media_type: None, bytes })
    }

    async fn blob(
        &self,
        _repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobStream, RegistryError> {
        let opened = self.open(&blob.digest).await?;
        if opened.size != blob.size {
            return Err(corrupt(blob, &format!("{} bytes are stored", opened.size)));
        }
        Ok(verified(opened.reader, blob.clone()))
    }

    async fn location(
        &self,
        _repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobLocation, RegistryError> {
        match &self.files {
            Files::Folder(folder) => folder.location(&blob.digest).await,
            Files::Archive(_) => Err(RegistryError::Unsupported(
                "a blob inside an archive has no address; unpack the archive and use oci:PATH".to_owned(),
            )),
        }
    }

    async fn tags(&self, image: &ImageId) -> Result<Vec<Tag>, RegistryError> {
        Ok(self.contents().await?.tags(&image.repository, &image.digest))
    }

    /// Those whose subject it is, of the manifests that the index names.
    async fn referrers(&self, image: &ImageId) -> Result<Vec<Referrer>, RegistryError> {
        let named = self.contents().await?.images(&image.repository)?;
        if named.len() > MAX_SUBJECTS {
            let why =
                format!("{} manifests, of which any may refer to it: at most {MAX_SUBJECTS}", named.len());
            return Err(RegistryError::Unsupported(why));
        }
        let mut found = vec![];
        for listed in named {
            match self.manifest(&image.sibling(listed.digest)).await {
                Ok(manifest) => found.extend(manifest.referring_to(&image.digest)),
                // A layout may name what it does not hold.
                Err(RegistryError::NotFound(_) | RegistryError::Unsupported(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}

/// The bytes of a reader, ended by an error where they are not what was promised.
fn verified(reader: Box<dyn AsyncRead + Send + Unpin>, promised: Descriptor) -> BlobStream {
    let digest = promised.digest.clone();
    let state = (reader, Verifier::new(promised));
    futures::stream::try_unfold(state, move |state| {
        let digest = digest.clone();
        async move {
            let (mut reader, mut verifier) = state;
            let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
            let read = reader.read_buf(&mut chunk).await.map_err(|e| unreadable(&digest, &e))?;
            if read == 0 {
                return verifier.finish().map(|()| None);
            }
            verifier.take(&chunk)?;
            Ok(Some((chunk.freeze(), (reader, verifier))))
        }
    })
    .boxed()
}

fn unreadable(digest: &Digest, error: &std::io::Error) -> RegistryError {
    RegistryError::Transient(format!("reading {digest}: {error}"))
}

#[cfg(test)]
mod tests;
