//! An OCI image layout in a folder (OCI image-spec, image-layout.md).

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use cve_monitor_core::ports::{BlobLocation, RegistryError};
use cve_monitor_core::vocabulary::Digest;
use url::Url;

use super::super::file::read_small;
use super::references::{self, MAX_INDEX_BYTES, Named};
use super::{OpenError, Opened};

const WHAT: &str = "an OCI layout";
const INDEX: &str = "index.json";

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(super) async fn open(path: PathBuf) -> Result<Self, OpenError> {
        if !tokio::fs::metadata(path.join(INDEX)).await.is_ok_and(|meta| meta.is_file()) {
            let reason =
                "there is no `index.json` in it; write one with `skopeo copy docker://NAME oci:PATH`";
            return Err(OpenError::new(&path, WHAT, reason));
        }
        // An absolute path survives a change of the working folder.
        let path = tokio::fs::canonicalize(&path).await.map_err(|e| OpenError::new(&path, WHAT, e))?;
        let folder = Self { path };
        folder.names().await.map_err(|e| OpenError::new(&folder.path, WHAT, e))?;
        Ok(folder)
    }

    /// What the index names now.
    pub(super) async fn names(&self) -> Result<Vec<Named>, RegistryError> {
        let file = self.path.join(INDEX);
        let Some(bytes) = read_small(&file, MAX_INDEX_BYTES).await.map_err(|e| self.gone(&e))? else {
            return Err(RegistryError::Unsupported(format!(
                "{} is longer than {MAX_INDEX_BYTES} bytes",
                file.display()
            )));
        };
        // Another tool may be writing it at this moment: what does not parse now may the next time.
        references::parse_index(&bytes)
            .map_err(|e| RegistryError::Transient(format!("{}: {e}", file.display())))
    }

    pub(super) async fn blob(&self, digest: &Digest) -> Result<Opened, RegistryError> {
        match tokio::fs::File::open(self.file(digest)).await {
            Ok(file) => {
                let meta = file.metadata().await.map_err(|e| self.gone(&e))?;
                Ok(Opened { size: meta.len(), reader: Box::new(file) })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Err(self.not_found(digest).await),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                Err(RegistryError::Denied(format!("{}: {error}", self.file(digest).display())))
            }
            Err(error) => Err(self.gone(&error)),
        }
    }

    pub(super) async fn location(&self, digest: &Digest) -> Result<BlobLocation, RegistryError> {
        let file = self.file(digest);
        self.blob(digest).await?;
        let uri = Url::from_file_path(&file)
            .map_err(|()| RegistryError::Unsupported(format!("{} has no address", file.display())))?;
        Ok(BlobLocation { uri: uri.into(), headers: Vec::new(), expires: None })
    }

    fn file(&self, digest: &Digest) -> PathBuf {
        self.path.join("blobs").join("sha256").join(digest.hex())
    }

    /// A blob is gone only where its layout is there: a folder that is not mounted deletes no image.
    async fn not_found(&self, digest: &Digest) -> RegistryError {
        match tokio::fs::metadata(self.path.join(INDEX)).await {
            Ok(_) => RegistryError::NotFound(format!("{digest} in the layout {}", self.path.display())),
            Err(error) => self.gone(&error),
        }
    }

    fn gone(&self, error: &std::io::Error) -> RegistryError {
        RegistryError::Transient(format!("the layout {}: {error}", Path::display(&self.path)))
    }
}
