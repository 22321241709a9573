//! A bundle is made: beside its place, and renamed when it is whole.

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use cve_monitor_core::vocabulary::Digest;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::{BundleError, Bundled, FORMAT, MANIFEST, MANIFEST_HASH, Manifest, blocking, member};
use crate::embedded::advisories::AdvisoryMirror;
use crate::embedded::advisories::mirror::Cache;

impl AdvisoryMirror {
    /// Writes what is kept of these ecosystems of mirrors into one file; what is not kept is left out. A file that is
    /// there is replaced once the new one is whole.
    ///
    /// # Errors
    /// Where nothing is kept, something kept is damaged, or the file cannot be written.
    pub async fn export(&self, wanted: &[(Url, String)], to: &Path) -> Result<Vec<Bundled>, BundleError> {
        let (mut archives, mut paths, mut locks) = (vec![], vec![], vec![]);
        for (base, ecosystem) in wanted {
            let (address, cache) = self.place(base, ecosystem)?;
            let lock = self.lock(&cache).await?;
            let Some(known) = cache.validators(&address) else { continue };
            archives.push(Bundled {
                ecosystem: ecosystem.clone(),
                mirror: base.to_string(),
                bytes: known.bytes,
                digest: known.digest,
                etag: known.etag,
                last_modified: known.last_modified,
                checked: known.checked,
            });
            paths.push(cache);
            // Held until everything is written: what the manifest says is what is there.
            locks.push(lock);
        }
        if archives.is_empty() {
            return Err(BundleError::Nothing);
        }
        let to = to.to_owned();
        blocking(move || {
            let _locks = locks;
            write(&Manifest { format: FORMAT, archives }, &paths, &to)
        })
        .await
    }
}

fn write(manifest: &Manifest, caches: &[Cache], to: &Path) -> Result<Vec<Bundled>, BundleError> {
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let io = |error| BundleError::io(to, error);
    let unfinished = tempfile::NamedTempFile::new_in(folder).map_err(io)?;
    let mut bundle = tar::Builder::new(io::BufWriter::new(unfinished.as_file()));
    let json = serde_json::to_vec_pretty(manifest).map_err(|error| io(error.into()))?;
    let hash = Digest::of(&json).to_string();
    for (name, bytes) in [(MANIFEST, json.as_slice()), (MANIFEST_HASH, hash.as_bytes())] {
        bundle.append_data(&mut header(bytes.len() as u64), name, bytes).map_err(io)?;
    }
    for (number, (bundled, cache)) in manifest.archives.iter().zip(caches).enumerate() {
        let file = File::open(&cache.archive).map_err(|error| BundleError::io(&cache.archive, error))?;
        let mut hashing = Hashing { from: file, hash: Sha256::new() };
        bundle.append_data(&mut header(bundled.bytes), member(number), &mut hashing).map_err(io)?;
        if Digest::from_hash(&hashing.hash.finalize()) != bundled.digest {
            return Err(BundleError::Kept { ecosystem: bundled.ecosystem.clone() });
        }
    }
    let mut written = bundle.into_inner().map_err(io)?;
    written.flush().map_err(io)?;
    drop(written);
    unfinished.as_file().sync_all().map_err(io)?;
    readable_by_others(unfinished.path()).map_err(io)?;
    unfinished.persist(PathBuf::from(to)).map_err(|error| io(error.error))?;
    Ok(manifest.archives.clone())
}

/// It holds nothing but what is public, and somebody else may carry it.
fn readable_by_others(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

fn header(bytes: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o644);
    header.set_cksum();
    header
}

struct Hashing {
    from: File,
    hash: Sha256,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.hash.update(&buffer[..read]);
        Ok(read)
    }
}
