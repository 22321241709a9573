//! Reports in a folder, for those who read them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use tokio::fs::{File, ReadDir};
use tokio::io::BufReader;

use crate::lake::{Body, Entry, LakeError};

/// Reads what a [`super::FolderSink`] writes.
#[derive(Debug, Clone)]
pub struct FolderLake {
    root: PathBuf,
}

impl FolderLake {
    /// The reports under this root, which must exist.
    ///
    /// # Errors
    /// Where it is not a folder.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, LakeError> {
        let root = root.as_ref().to_owned();
        if !root.is_dir() {
            return Err(LakeError(format!(
                "{} is not a folder: name the one that holds reports",
                root.display()
            )));
        }
        Ok(Self { root })
    }

    /// What lies right under a folder of it (`""` is the root), in no order. One that is not there has nothing in it.
    #[must_use]
    pub fn list(&self, folder: &str) -> BoxStream<'static, Result<Entry, LakeError>> {
        let (path, folder) = (self.root.join(folder), folder.to_owned());
        let opened = async move {
            match tokio::fs::read_dir(&path).await {
                Ok(entries) => entries_of(entries, path, folder).boxed(),
                Err(error) if error.kind() == ErrorKind::NotFound => stream::empty().boxed(),
                Err(error) => stream::iter([Err(failed(&path, &error))]).boxed(),
            }
        };
        stream::once(opened).flatten().boxed()
    }

    /// Begins to read an object; none where it is not there any more.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn read(&self, key: &str) -> Result<Option<Body>, LakeError> {
        let path = self.root.join(key);
        match File::open(&path).await {
            Ok(file) => Ok(Some(Box::pin(BufReader::new(file)))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&path, &error)),
        }
    }

    /// Where an object lies, for people.
    #[must_use]
    pub fn place(&self, key: &str) -> String {
        self.root.join(key).display().to_string()
    }
}

fn entries_of(
    entries: ReadDir,
    path: PathBuf,
    folder: String,
) -> impl futures::Stream<Item = Result<Entry, LakeError>> {
    stream::try_unfold((entries, path, folder), |(mut entries, path, folder)| async move {
        let Some(entry) = entries.next_entry().await.map_err(|error| failed(&path, &error))? else {
            return Ok(None);
        };
        let name = entry.file_name().to_string_lossy().into_owned();
        let key = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        // Links are followed: a lake may be put together from several disks.
        let is_folder = match tokio::fs::metadata(entry.path()).await {
            Ok(inner) => inner.is_dir(),
            // It leads nowhere, or was removed just now: who reads it is told so.
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(failed(&entry.path(), &error)),
        };
        let entry = if is_folder { Entry::Folder(key) } else { Entry::Object(key) };
        Ok(Some((entry, (entries, path, folder))))
    })
}

fn failed(path: &Path, error: &std::io::Error) -> LakeError {
    LakeError(format!("{} cannot be read: {error}", path.display()))
}
