//! Where advisories come from and how far their sources are trusted.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use url::Url;

use super::super::read::Reader;

/// Bounds of `advisories.refresh`, a minute to a week: mirrors are asked politely.
const REFRESH: RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(7 * 24 * 60 * 60);
/// Bounds of `advisories.max_shrink_percent`, in percent.
const SHRINK_PERCENT: RangeInclusive<u32> = 0..=100;

/// What is known about vulnerabilities.
#[derive(Debug, Clone)]
pub struct Advisories {
    /// The folder of the compiled databases.
    pub folder: PathBuf,
    /// Where advisories come from.
    pub sources: Vec<AdvisorySource>,
    /// Which ecosystems are taken from a mirror; those that the images have where none is named.
    pub ecosystems: Vec<String>,
    /// Whether no mirror is ever asked.
    pub offline: bool,
    /// How often the sources are looked at.
    pub refresh: Duration,
    /// A source that loses a larger share of its records is refused.
    pub max_shrink_percent: u8,
    /// Sources or ecosystems that may.
    pub accept_shrink: BTreeSet<String>,
    /// Whether plain HTTP is allowed.
    pub insecure: bool,
    /// Whether mirrors may redirect to networks that are not public.
    pub allow_private: bool,
    /// Certificates that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
}

/// Where advisories in OSV form come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdvisorySource {
    /// A folder of `.json` and `.zip` files.
    Folder(PathBuf),
    /// A `.zip` file.
    Zip(PathBuf),
    /// An address: of a `.zip`, or of a mirror with one `ECOSYSTEM/all.zip` each.
    Url(Url),
}

impl FromStr for AdvisorySource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains("://") {
            // The text may carry credentials: it is not repeated.
            let url =
                Url::parse(text).map_err(|e| format!("an advisory source's address cannot be read: {e}"))?;
            return match url.scheme() {
                _ if !url.username().is_empty() || url.password().is_some() => {
                    Err("an advisory source's address carries credentials: they are not supported".to_owned())
                }
                "http" | "https" => Ok(Self::Url(url)),
                scheme => {
                    Err(format!("`{scheme}:` is not spoken: a source is a folder, a .zip, http: or https:"))
                }
            };
        }
        let path = PathBuf::from(text);
        let zip = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
        match (text.is_empty(), zip) {
            (true, _) => Err("an advisory source is empty: give a folder, a .zip or an address".to_owned()),
            (_, true) => Ok(Self::Zip(path)),
            (_, false) => Ok(Self::Folder(path)),
        }
    }
}

impl fmt::Display for AdvisorySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) | Self::Zip(path) => path.display().fmt(f),
            Self::Url(url) => url.fmt(f),
        }
    }
}

impl AdvisorySource {
    /// The same source, a relative path being meant from this folder.
    #[must_use]
    fn meant_from(self, base: &Path) -> Self {
        match self {
            Self::Folder(path) => Self::Folder(base.join(path)),
            Self::Zip(path) => Self::Zip(base.join(path)),
            Self::Url(url) => Self::Url(url),
        }
    }
}

/// Reads the section.
pub(in super::super) fn advisories(reader: &mut Reader<'_>) -> Option<Advisories> {
    let insecure = reader.flag("advisories.insecure");
    let base = reader.base("advisories.sources");
    let mut sources = Vec::new();
    for text in reader.list("advisories.sources").unwrap_or_default() {
        match text.parse::<AdvisorySource>() {
            Ok(AdvisorySource::Url(url)) if url.scheme() == "http" && !insecure => {
                let problem = "one is plain HTTP: write https, or set advisories.insecure = true";
                reader.refuse("advisories.sources", problem);
            }
            Ok(source) => sources.push(source.meant_from(&base)),
            Err(problem) => reader.refuse("advisories.sources", &problem),
        }
    }
    let allow_private = reader.flag("advisories.allow_private");
    let ca_file = reader.path("advisories.ca_file");
    let folder = reader.path("advisories.folder");
    let ecosystems = owned(reader.list("advisories.ecosystems")).collect();
    let offline = reader.flag("advisories.offline");
    let refresh = reader.duration("advisories.refresh", &REFRESH);
    let shrink = reader.count("advisories.max_shrink_percent", &SHRINK_PERCENT);
    let accept_shrink = owned(reader.list("advisories.accept_shrink")).collect();
    Some(Advisories {
        folder: folder?,
        sources,
        ecosystems,
        offline,
        refresh: refresh?,
        max_shrink_percent: u8::try_from(shrink?).ok()?,
        accept_shrink,
        insecure,
        allow_private,
        ca_file,
    })
}

fn owned(list: Option<Vec<&str>>) -> impl Iterator<Item = String> {
    list.unwrap_or_default().into_iter().map(str::to_owned)
}
