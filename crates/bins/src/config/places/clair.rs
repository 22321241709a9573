//! Which scanner, and where Clair is.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use cve_monitor_adapters::embedded::SbomUse;
use url::Url;

use super::super::Secret;
use super::super::read::Reader;
use super::aws::is_here;
use super::kinds::ScannerKind;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Bounds of `clair.poll`.
const POLL: RangeInclusive<Duration> = Duration::from_secs(1)..=HOUR;
/// Bounds of `clair.settle`.
const SETTLE: RangeInclusive<Duration> = Duration::ZERO..=HOUR;
/// Bounds of `clair.period`.
const PERIOD: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(30 * 24 * 3600);
/// Bounds of `clair.loading_deadline`.
const LOADING_DEADLINE: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(30 * 24 * 3600);
/// Bounds of `clair.index_timeout`.
const INDEX_TIMEOUT: RangeInclusive<Duration> = MINUTE..=DAY;
/// Bounds of `clair.layer_generation`.
const LAYER_GENERATION: RangeInclusive<u32> = 1..=u32::MAX;
/// The longest `clair.webhook_path`, in bytes.
pub(in super::super) const MAX_PATH_BYTES: usize = 200;
/// Paths that the same address answers already.
const TAKEN: [&str; 4] = ["/healthz", "/readyz", "/metrics", "/webhooks/distribution"];

/// Who looks into images.
#[derive(Debug, Clone)]
pub enum ScannerSettings {
    /// The scanner inside.
    Embedded(Embedded),
    /// A Clair of version 4.
    ClairV4(Box<Clair>),
    /// A Clair of version 2.
    ClairV2(Box<Clair>),
}

impl ScannerSettings {
    /// How the scanner inside reads images; as it does by default where it is not the scanner.
    #[must_use]
    pub fn embedded(&self) -> Embedded {
        match self {
            Self::Embedded(embedded) => *embedded,
            Self::ClairV4(_) | Self::ClairV2(_) => Embedded::default(),
        }
    }

    /// The server, where the scanner is one.
    #[must_use]
    pub fn clair(&self) -> Option<&Clair> {
        match self {
            Self::Embedded(_) => None,
            Self::ClairV4(clair) | Self::ClairV2(clair) => Some(clair),
        }
    }
}

/// How the scanner inside reads images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Embedded {
    /// Whether lock files are read.
    pub lock_files: bool,
    /// What is done with an SBOM that is attached to an image.
    pub sbom: SbomUse,
}

/// A Clair.
#[derive(Debug, Clone)]
pub struct Clair {
    /// Where it is; of version 4 the indexer.
    pub url: Url,
    /// Where its matcher is.
    pub matcher_url: Url,
    /// Certificates that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// The key that requests and bells are signed with, in base64.
    pub psk: Option<Secret>,
    /// Who signs requests.
    pub issuer: String,
    /// How often it is asked what it has learnt.
    pub poll: Duration,
    /// How long an update is left alone.
    pub settle: Duration,
    /// The updaters that are expected; those that its first load showed where there is none.
    pub updaters: Vec<String>,
    /// How often its updaters run.
    pub period: Duration,
    /// How long a missing updater is waited for.
    pub loading_deadline: Duration,
    /// How long it may take to index an image.
    pub index_timeout: Duration,
    /// Part of the names of layers.
    pub layer_generation: u32,
    /// Somebody's word that its first load is complete.
    pub assume_ready: bool,
    /// Where its notifications are received.
    pub webhook_path: String,
    /// Whether bells need no signature.
    pub webhook_unsigned: bool,
}

/// Reads `scanner` and `clair`.
pub(in super::super) fn scanner(reader: &mut Reader<'_>) -> Option<ScannerSettings> {
    let kind = reader.parsed("scanner.kind", ScannerKind::read);
    let given = reader.is_given("clair.url");
    let settings = clair(reader);
    let sbom = reader.parsed("scanner.sbom", SbomUse::read);
    let embedded = Embedded { lock_files: reader.flag("scanner.lock_files"), sbom: sbom.unwrap_or_default() };
    let kind = kind?;
    match (kind, given) {
        (ScannerKind::Embedded, true) => {
            reader.refuse("clair.url", "the scanner is the embedded one: set scanner.kind, or remove this");
        }
        (ScannerKind::ClairV4 | ScannerKind::ClairV2, false) => {
            let kind = kind.as_str();
            reader.refuse("clair.url", &format!("it is missing: scanner.kind = \"{kind}\" needs it"));
        }
        _ => {}
    }
    let is_server = kind != ScannerKind::Embedded;
    if is_server && embedded.lock_files {
        reader.refuse("scanner.lock_files", "Clair decides what it reads: remove this");
    }
    if is_server && embedded.sbom != SbomUse::Ignore {
        reader.refuse("scanner.sbom", "Clair reads layers alone: remove this");
    }
    match kind {
        ScannerKind::Embedded => Some(ScannerSettings::Embedded(embedded)),
        ScannerKind::ClairV4 => settings.map(Box::new).map(ScannerSettings::ClairV4),
        ScannerKind::ClairV2 => settings.map(Box::new).map(ScannerSettings::ClairV2),
    }
}

fn clair(reader: &mut Reader<'_>) -> Option<Clair> {
    let insecure = reader.flag("clair.insecure");
    let url = address(reader, "clair.url", insecure);
    let matcher_url = address(reader, "clair.matcher_url", insecure);
    let ca_file = reader.path("clair.ca_file");
    let psk = reader.secret_file("clair.psk_file");
    let issuer = reader.text("clair.issuer").map(str::to_owned);
    let poll = reader.duration("clair.poll", &POLL);
    let settle = reader.duration("clair.settle", &SETTLE);
    let updaters = reader.list("clair.updaters").unwrap_or_default();
    let updaters = updaters.into_iter().map(str::to_owned).collect();
    let period = reader.duration("clair.period", &PERIOD);
    let loading_deadline = reader.duration("clair.loading_deadline", &LOADING_DEADLINE);
    let index_timeout = reader.duration("clair.index_timeout", &INDEX_TIMEOUT);
    let layer_generation = reader.count("clair.layer_generation", &LAYER_GENERATION);
    let assume_ready = reader.flag("clair.assume_ready");
    let webhook_path = reader.parsed("clair.webhook_path", path);
    let webhook_unsigned = reader.flag("clair.webhook_unsigned");
    let url = url?;
    Some(Clair {
        matcher_url: matcher_url.unwrap_or_else(|| url.clone()),
        url,
        ca_file,
        psk,
        issuer: issuer?,
        poll: poll?,
        settle: settle?,
        updaters,
        period: period?,
        loading_deadline: loading_deadline?,
        index_timeout: index_timeout?,
        layer_generation: layer_generation?,
        assume_ready,
        webhook_path: webhook_path?,
        webhook_unsigned,
    })
}

/// Plain HTTP is for this machine alone, unless somebody says otherwise: what opens a registry's layers goes that way.
fn address(reader: &mut Reader<'_>, name: &str, insecure: bool) -> Option<Url> {
    let url = reader.parsed(name, super::endpoint)?;
    if url.scheme() == "http" && !is_here(&url) && !insecure {
        reader.refuse(name, "it is plain HTTP to another machine: write https, or set clair.insecure = true");
    }
    Some(url)
}

fn path(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
    if !text.starts_with('/') || text.len() < 2 || text.len() > MAX_PATH_BYTES || !text.chars().all(plain) {
        return Err(format!(
            "expected a path as in /webhooks/clair, of letters, digits, and -_.~/, at most {MAX_PATH_BYTES} bytes"
        ));
    }
    if TAKEN.contains(&text) {
        return Err(format!("{text} is answered already: choose another path"));
    }
    Ok(text.to_owned())
}
