//! An archive of images: the tar of an OCI layout, or what `docker save` and `podman save` write.

use std::collections::HashMap;
use std::fs::File;
use std::io::SeekFrom;
use std::path::{Path, PathBuf};

use cve_monitor_core::ports::RegistryError;
use cve_monitor_core::vocabulary::Digest;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::references::{self, MAX_INDEX_BYTES, Named};
use super::tar_members::{Member, Members, read};
use super::{OpenError, Opened, docker_save};

/// Which archive it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveForm {
    /// The tar of an OCI layout (`skopeo copy … oci-archive:FILE`, `podman save --format oci-archive`).
    Oci,
    /// `docker save`, of any version, and `podman save`.
    Docker,
}

impl ArchiveForm {
    fn as_str(self) -> &'static str {
        match self {
            Self::Oci => "an OCI archive",
            Self::Docker => "a docker archive",
        }
    }
}

/// An archive: its file, what it names, and where the bytes of each digest lie.
#[derive(Debug)]
pub(super) struct Archive {
    path: PathBuf,
    names: Vec<Named>,
    stored: Stored,
}

/// Where the bytes of a digest are.
#[derive(Debug)]
enum Stored {
    /// By the paths of an OCI layout.
    Layout(Members),
    /// By digests that were worked out when the archive was opened.
    Digests(HashMap<Digest, Place>),
}

/// Where the bytes of one digest are.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// In the file.
    Member(Member),
    /// Here: a manifest that the archive itself does not have.
    Made(Vec<u8>),
}

impl Archive {
    pub(super) async fn open(path: PathBuf, form: ArchiveForm) -> Result<Self, OpenError> {
        let opened = path.clone();
        // Reads headers, and hashes the layers of the old docker form: no work for the polling thread.
        tokio::task::spawn_blocking(move || Self::index(opened, form))
            .await
            .unwrap_or_else(|e| Err(OpenError::new(&path, form.as_str(), e)))
    }

    fn index(path: PathBuf, form: ArchiveForm) -> Result<Self, OpenError> {
        let fail = |reason: String| OpenError::new(&path, form.as_str(), reason);
        let members = Members::index(&path).map_err(fail)?;
        let mut file = File::open(&path).map_err(|e| fail(e.to_string()))?;
        let (names, stored) = match (form, members.get("index.json"), members.get("manifest.json")) {
            (_, Some(index), _) => {
                let names = read(&mut file, index, MAX_INDEX_BYTES)
                    .and_then(|bytes| references::parse_index(&bytes))
                    .map_err(|e| fail(format!("index.json: {e}")))?;
                (names, Stored::Layout(members))
            }
            (ArchiveForm::Docker, None, Some(list)) => {
                let made = docker_save::manifests(&mut file, &members, list).map_err(fail)?;
                (made.names, Stored::Digests(made.places))
            }
            (ArchiveForm::Oci, None, Some(_)) => {
                return Err(fail("it is one by `docker save`: write docker-archive:FILE".to_owned()));
            }
            (_, None, None) => {
                return Err(fail("neither `index.json` nor `manifest.json` is in it".to_owned()));
            }
        };
        Ok(Self { path, names, stored })
    }

    pub(super) fn names(&self) -> &[Named] {
        &self.names
    }

    pub(super) async fn blob(&self, digest: &Digest) -> Result<Opened, RegistryError> {
        let place = match &self.stored {
            Stored::Layout(members) => {
                members.get(&format!("blobs/sha256/{}", digest.hex())).map(Place::Member)
            }
            Stored::Digests(places) => places.get(digest).cloned(),
        };
        match place {
            None => Err(RegistryError::NotFound(format!("{digest} in the archive {}", self.path.display()))),
            Some(Place::Made(bytes)) => {
                Ok(Opened { size: bytes.len() as u64, reader: Box::new(std::io::Cursor::new(bytes)) })
            }
            Some(Place::Member(member)) => open(&self.path, member).await.map_err(|e| {
                RegistryError::Transient(format!(
                    "reading {digest} of the archive {}: {e}",
                    self.path.display()
                ))
            }),
        }
    }
}

async fn open(path: &Path, member: Member) -> std::io::Result<Opened> {
    let mut file = tokio::fs::File::open(path).await?;
    file.seek(SeekFrom::Start(member.offset)).await?;
    Ok(Opened { size: member.size, reader: Box::new(file.take(member.size)) })
}
