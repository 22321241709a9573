//! The configuration: one TOML file, overridden by the environment, overridden by flags; every value typed and bounded.
//!
//! Only this module reads the environment; what others need of it is handed on as [`Environment`]. A key that is
//! unknown, missing or out of bounds is an error that names the key, where it stands, and what to do.

mod duration;
mod environment;
mod error;
mod keys;
mod places;
mod read;
mod sections;
mod settings;
#[cfg(test)]
mod tests;
mod text;

use std::path::{Path, PathBuf};

use cve_monitor_core::vocabulary::RegistryName;

pub use cve_monitor_adapters::oci::Secret;
pub use duration::{parse_duration, write_duration};
pub use environment::{Environment, Variables};
pub use error::ConfigError;
pub use keys::{Key, Kind, keys};
pub use places::{
    Advisories, AdvisorySource, Aws, Bucket, Clair, Ecr, EcrLayers, Embedded, Files, FilesForm, Queue,
    QueueKind, RegistryAt, RegistryKind, RegistrySettings, Reports, ReportsKind, ScannerKind,
    ScannerSettings, Store, StoreAt, StoreKind,
};
pub use sections::{
    CloudWatch, Health, Ingest, Log, LogFormat, Reconcile, Retention, ScopeRule, ScopeSettings, Watch,
};
pub use settings::{Origin, Settings};
pub use text::{checked, default_init_path, init, show};

/// The longest configuration file, in bytes.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;
/// The file in the working folder.
const LOCAL_FILE: &str = "cve-monitor.toml";
/// The file in the user's folder of configurations.
const HOME_FILE: &str = "cve-monitor/config.toml";
/// The file of the machine.
const MACHINE_FILE: &str = "/etc/cve-monitor/config.toml";

/// The whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// `[store]`
    pub store: Store,
    /// `[queue]`
    pub queue: Queue,
    /// `[reports]`
    pub reports: Reports,
    /// `[aws]`
    pub aws: Aws,
    /// `[[registry]]`
    pub registries: Vec<RegistrySettings>,
    /// `[scope]`
    pub scope: ScopeSettings,
    /// `[scanner]` and `[clair]`
    pub scanner: ScannerSettings,
    /// `[advisories]`
    pub advisories: Advisories,
    /// `[ingest]`
    pub ingest: Ingest,
    /// `[watch]`
    pub watch: Watch,
    /// `[reconcile]`
    pub reconcile: Reconcile,
    /// `[retention]`
    pub retention: Retention,
    /// `[health]`
    pub health: Health,
    /// `[metrics]`; none where CloudWatch is told nothing.
    pub metrics: Option<CloudWatch>,
    /// `[log]`
    pub log: Log,
}

impl Config {
    /// The registry of a name.
    #[must_use]
    pub fn registry(&self, name: &RegistryName) -> Option<&RegistrySettings> {
        self.registries.iter().find(|registry| registry.name == *name)
    }

    /// Whether anything of it is on AWS.
    #[must_use]
    pub fn uses_aws(&self) -> bool {
        self.store.at != StoreAt::Sqlite
            || self.queue != Queue::Sqlite
            || matches!(self.reports, Reports::S3(_))
            || self.registries.iter().any(|registry| matches!(registry.at, RegistryAt::Ecr(_)))
    }

    /// For programs that are of no use without a registry.
    ///
    /// # Errors
    /// Where there is none.
    pub fn require_registries(&self) -> Result<(), ConfigError> {
        let problem = "no registry is configured: add a [[registry]] with its name to the configuration file \
                       (`cve-monitor config init` writes one to start from)";
        if self.registries.is_empty() { Err(problem.to_owned().into()) } else { Ok(()) }
    }

    /// What programs on other machines would not find, where they would find the rest; nothing where all is shared, or
    /// nothing is.
    #[must_use]
    pub fn tied_to_this_machine(&self) -> Vec<String> {
        if self.store.at == StoreAt::Sqlite && self.queue == Queue::Sqlite {
            return vec![];
        }
        let file = self.store.path.display();
        let mut local = vec![];
        if self.store.at == StoreAt::Sqlite {
            local.push(format!("the store is in {file}"));
        }
        if self.queue == Queue::Sqlite {
            local.push(format!("the queue is in {file}"));
        }
        if matches!(self.scanner, ScannerSettings::Embedded(_)) {
            local.push(format!("what the scanner inside has read is in {file}"));
        }
        if let Reports::Folder(folder) = &self.reports {
            local.push(format!("reports are delivered to {}", folder.display()));
        }
        local
    }

    /// For programs that share their work with others: on two machines, each would follow changes for the images that
    /// it has read itself alone, and call the others' up to date.
    ///
    /// # Errors
    /// Where a part of what they share is on this machine alone, and nobody has said that all of them are.
    pub fn require_one_place(&self) -> Result<(), ConfigError> {
        let local = self.tied_to_this_machine();
        if local.is_empty() || self.store.one_machine {
            return Ok(());
        }
        let problem = format!(
            "programs on other machines would not see everything: {}. Set store.one_machine = true if ingest, \
             notifier and reconciler all run here (or use `cve-monitor watch`); else move it to AWS, with Clair as the scanner",
            local.join("; ")
        );
        Err(problem.into())
    }
}

/// What flags say about the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The file.
    pub file: Option<PathBuf>,
    /// Values, the later ones winning.
    pub settings: Vec<Override>,
}

/// A value that a flag gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The key, `watch.listen`.
    pub key: String,
    /// The value as a variable would hold it.
    pub value: String,
    /// The flag, `--listen`.
    pub flag: String,
}

/// A configuration with what it came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What else the environment says.
    pub environment: Environment,
    /// The file, where there is one.
    pub file: Option<PathBuf>,
    /// The values with their origins.
    pub settings: Settings,
}

/// Reads the configuration of this process.
///
/// # Errors
/// Names everything that is wrong with it.
pub fn load(overrides: &Overrides) -> Result<Loaded, ConfigError> {
    load_with(overrides, &Variables::of_process(), Path::new(""))
}

/// Reads a configuration with these variables and this working folder.
///
/// # Errors
/// As [`load`].
pub fn load_with(
    overrides: &Overrides,
    variables: &Variables,
    working_folder: &Path,
) -> Result<Loaded, ConfigError> {
    let file = find_file(overrides, variables, working_folder)?;
    let mut settings = Settings::defaults();
    if let Some(path) = &file {
        settings.add_file(path, &read_file(path)?);
    }
    settings.add_variables(variables);
    settings.add_flags(&overrides.settings);
    sections::add_derived_defaults(&mut settings, variables);
    let environment = Environment::of(variables);
    let mut reader = read::Reader::new(&settings);
    let config = sections::read(&mut reader, variables, &environment);
    match config {
        Some(config) if reader.problems.is_empty() => Ok(Loaded { config, environment, file, settings }),
        _ => Err(ConfigError::of(reader.problems)),
    }
}

/// The file that is named, else the first of the usual ones that is there; none at all is a configuration, too.
fn find_file(
    overrides: &Overrides,
    variables: &Variables,
    working_folder: &Path,
) -> Result<Option<PathBuf>, ConfigError> {
    let variable = variables.get(environment::FILE_VARIABLE).map(PathBuf::from);
    let named = overrides.file.clone().map(|path| (path, "--config"));
    if let Some((path, by)) = named.or_else(|| Some((variable?, environment::FILE_VARIABLE))) {
        let path = working_folder.join(path);
        if path.is_file() {
            return Ok(Some(path));
        }
        let write = "name one that is, or write one with `cve-monitor config init`";
        return Err(format!(
            "the configuration file {}, named by {by}, is not there: {write}",
            path.display()
        )
        .into());
    }
    let at_home = variables.config_home().map(|folder| folder.join(HOME_FILE));
    let usual = [Some(working_folder.join(LOCAL_FILE)), at_home, Some(PathBuf::from(MACHINE_FILE))];
    Ok(usual.into_iter().flatten().find(|path| path.is_file()))
}

fn read_file(path: &Path) -> Result<String, ConfigError> {
    use std::io::Read as _;
    let fail =
        |reason: String| ConfigError::from(format!("the configuration file {} {reason}", path.display()));
    let file = std::fs::File::open(path).map_err(|e| fail(format!("cannot be opened: {e}")))?;
    let mut text = String::new();
    let read = file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text);
    let read = read.map_err(|e| fail(format!("cannot be read: {e}")))?;
    if read as u64 > MAX_FILE_BYTES {
        return Err(fail(format!("is longer than {MAX_FILE_BYTES} bytes")));
    }
    Ok(text)
}
