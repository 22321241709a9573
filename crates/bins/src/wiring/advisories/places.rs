//! Where advisories are read from, and where what came of them is kept.

use std::path::{Path, PathBuf};

use cve_monitor_adapters::embedded::advisories::AdvisorySource as Source;
use cve_monitor_core::vocabulary::Digest;

use super::EXPORTS;
use crate::config::AdvisorySource;
use crate::wiring::WiringError;

/// The databases of one scan's sources, in the cache: a folder for each list of sources.
const SCANS: &str = "scan";
/// How much of the hash of a list of sources names its folder, in characters.
const KEY: usize = 16;

/// The folder of the databases that are compiled from these sources.
pub(super) fn of_sources(cache: &Path, sources: &[AdvisorySource], ecosystems: &[String]) -> PathBuf {
    let mut spelt: Vec<String> = sources.iter().map(ToString::to_string).collect();
    spelt.extend(ecosystems.iter().cloned());
    let key: String = Digest::of(spelt.join("\n").as_bytes()).hex().chars().take(KEY).collect();
    cache.join(SCANS).join(key)
}

/// The archives that the services keep, where this user may write there too; else those of the cache.
pub(super) fn exports(folder: &Path, cache: &Path) -> PathBuf {
    let shared = folder.join(EXPORTS);
    let is_ours = std::fs::create_dir_all(&shared).and_then(|()| tempfile::tempfile_in(&shared)).is_ok();
    if is_ours { shared } else { cache.join(EXPORTS) }
}

pub(super) fn place(source: &AdvisorySource) -> Result<Source, WiringError> {
    if let AdvisorySource::Url(url) = source
        && url.path().to_ascii_lowercase().ends_with(".zip")
    {
        let problem =
            format!("{url} is one archive: fetch it to a file and name that, or name the mirror it is in");
        return Err(WiringError::of(problem));
    }
    Source::parse(&source.to_string()).map_err(WiringError::of)
}

/// The same source named from another folder shares the cache.
pub(super) fn absolute(source: &AdvisorySource) -> AdvisorySource {
    let whole = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    match source {
        AdvisorySource::Folder(path) => AdvisorySource::Folder(whole(path)),
        AdvisorySource::Zip(path) => AdvisorySource::Zip(whole(path)),
        AdvisorySource::Url(url) => AdvisorySource::Url(url.clone()),
    }
}
