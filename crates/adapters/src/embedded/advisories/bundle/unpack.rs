//! A bundle is taken over: everything of it is verified before anything of it is used.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use cve_monitor_core::vocabulary::Digest;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use url::Url;

use super::{
    BundleError, Bundled, FORMAT, MANIFEST, MANIFEST_HASH, MAX_MANIFEST_BYTES, Manifest, blocking, member,
};
use crate::embedded::advisories::mirror::Validators;
use crate::embedded::advisories::{AdvisoryMirror, MirrorError};

/// Bytes that are copied at a time.
const PIECE_BYTES: usize = 64 * 1024;

impl AdvisoryMirror {
    /// Takes a bundle over as what is kept of these mirrors. An archive that came from none of them stands for the first.
    /// What is kept and was vouched for later stays. Answers what the bundle holds.
    ///
    /// # Errors
    /// Where the bundle is not whole: then nothing of it was taken over.
    pub async fn import(&self, mirrors: &[Url], from: &Path) -> Result<Vec<Bundled>, BundleError> {
        let folder = self.settings().cache.clone();
        std::fs::create_dir_all(&folder).map_err(|error| BundleError::io(&folder, error))?;
        let (path, cap) = (from.to_owned(), self.settings().max_export_bytes);
        let verified = blocking(move || verify(&path, &folder, cap)).await?;
        let mut taken = vec![];
        for (bundled, file) in verified {
            if let Some(base) = standing_for(mirrors, &bundled) {
                self.take(base, &bundled, file).await?;
                taken.push(bundled);
            }
        }
        Ok(taken)
    }

    async fn take(&self, base: &Url, bundled: &Bundled, file: NamedTempFile) -> Result<(), BundleError> {
        let (address, cache) = self.place(base, &bundled.ecosystem)?;
        let _lock = self.lock(&cache).await?;
        if cache.validators(&address).is_some_and(|known| known.checked > bundled.checked) {
            return Ok(());
        }
        // What one mirror knows an archive by says nothing to another.
        let is_of_mirror = bundled.mirror == base.as_str();
        let validators = Validators {
            address: address.to_string(),
            bytes: bundled.bytes,
            etag: bundled.etag.clone().filter(|_| is_of_mirror),
            last_modified: bundled.last_modified.clone().filter(|_| is_of_mirror),
            digest: bundled.digest.clone(),
            checked: bundled.checked,
        };
        blocking(move || {
            let io = |error| BundleError::io(&cache.unfinished, error);
            let file = file.persist(&cache.unfinished).map_err(|error| io(error.error))?;
            cache.keep(&file, &validators).map_err(io)
        })
        .await
    }
}

fn standing_for<'a>(mirrors: &'a [Url], bundled: &Bundled) -> Option<&'a Url> {
    mirrors.iter().find(|base| base.as_str() == bundled.mirror).or(mirrors.first())
}

/// The archives of a bundle, each in a file of its own beside the cache's.
fn verify(path: &Path, folder: &Path, max_bytes: u64) -> Result<Vec<(Bundled, NamedTempFile)>, BundleError> {
    let file = File::open(path).map_err(|error| BundleError::io(path, error))?;
    let mut archive = tar::Archive::new(io::BufReader::new(file));
    let damaged = |error: io::Error| BundleError::damaged(path, error);
    let mut members = Members { path, entries: archive.entries().map_err(damaged)? };
    let json = members.small(MANIFEST)?;
    let hash = members.small(MANIFEST_HASH)?;
    if Digest::of(&json).to_string().as_bytes() != hash {
        return Err(BundleError::damaged(path, "its manifest is not what its hash promises"));
    }
    let form: serde_json::Value =
        serde_json::from_slice(&json).map_err(|error| BundleError::damaged(path, error))?;
    let found = form["format"].as_u64().and_then(|format| u32::try_from(format).ok()).unwrap_or_default();
    if found != FORMAT {
        return Err(BundleError::Newer { path: path.display().to_string(), found });
    }
    let manifest: Manifest =
        serde_json::from_value(form).map_err(|error| BundleError::damaged(path, error))?;
    let mut verified = vec![];
    for (number, bundled) in manifest.archives.into_iter().enumerate() {
        if bundled.bytes > max_bytes {
            let address = format!("{}: {}", path.display(), bundled.ecosystem);
            return Err(MirrorError::TooLarge { address, max_bytes }.into());
        }
        let file = members.large(&member(number), &bundled, folder)?;
        verified.push((bundled, file));
    }
    Ok(verified)
}

/// The members of a bundle, in their order.
struct Members<'a, R: Read> {
    path: &'a Path,
    entries: tar::Entries<'a, R>,
}

impl<'a, R: Read> Members<'a, R> {
    fn next(&mut self, name: &str) -> Result<tar::Entry<'a, R>, BundleError> {
        let missing = || BundleError::damaged(self.path, format!("it ends before its member {name}"));
        let entry = self.entries.next().ok_or_else(missing)?;
        let entry = entry.map_err(|error| BundleError::damaged(self.path, error))?;
        let found: PathBuf =
            entry.path().map_err(|error| BundleError::damaged(self.path, error))?.into_owned();
        if found != Path::new(name) {
            let problem = format!("{} stands where {name} should", found.display());
            return Err(BundleError::damaged(self.path, problem));
        }
        Ok(entry)
    }

    fn small(&mut self, name: &str) -> Result<Vec<u8>, BundleError> {
        let entry = self.next(name)?;
        if entry.size() > MAX_MANIFEST_BYTES {
            return Err(BundleError::damaged(self.path, format!("its member {name} is too long")));
        }
        let mut bytes = vec![];
        let read = entry.take(MAX_MANIFEST_BYTES).read_to_end(&mut bytes);
        read.map_err(|error| BundleError::damaged(self.path, error))?;
        Ok(bytes)
    }

    fn large(&mut self, name: &str, bundled: &Bundled, folder: &Path) -> Result<NamedTempFile, BundleError> {
        let mut entry = self.next(name)?;
        let damaged = |problem: String| {
            BundleError::damaged(self.path, format!("the archive of {}: {problem}", bundled.ecosystem))
        };
        if entry.size() != bundled.bytes {
            return Err(damaged(format!("{} bytes where {} were announced", entry.size(), bundled.bytes)));
        }
        let mut file = NamedTempFile::new_in(folder).map_err(|error| BundleError::io(folder, error))?;
        let (mut hash, mut read, mut piece) = (Sha256::new(), 0, vec![0; PIECE_BYTES]);
        loop {
            let count = entry.read(&mut piece).map_err(|error| damaged(error.to_string()))?;
            if count == 0 {
                break;
            }
            hash.update(&piece[..count]);
            read += count as u64;
            file.write_all(&piece[..count]).map_err(|error| BundleError::io(folder, error))?;
        }
        if read != bundled.bytes || Digest::from_hash(&hash.finalize()) != bundled.digest {
            return Err(damaged("it is not what its hash promises".to_owned()));
        }
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_may_have_so_many_bytes_and_no_more() {
        for (bytes, good) in [(MAX_MANIFEST_BYTES, true), (MAX_MANIFEST_BYTES + 1, false)] {
            let mut builder = tar::Builder::new(vec![]);
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes);
            builder.append_data(&mut header, MANIFEST, io::repeat(b' ').take(bytes)).unwrap();
            let bundle = builder.into_inner().unwrap();
            let mut archive = tar::Archive::new(bundle.as_slice());
            let mut members = Members { path: Path::new("bundle.tar"), entries: archive.entries().unwrap() };
            let read = members.small(MANIFEST).map(|content| content.len() as u64);
            assert_eq!(read.as_ref().ok(), good.then_some(&bytes), "{read:?}");
        }
    }
}
