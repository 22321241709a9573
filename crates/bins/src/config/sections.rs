//! The sections, typed, with the bounds of their values.

mod metrics;

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Value;

use super::places;
use super::read::Reader;
use super::settings::{Origin, Settings};
use super::{Config, Environment, Secret, Variables};

pub use metrics::CloudWatch;

const SECOND: u64 = 1;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

const fn seconds(least: u64, most: u64) -> RangeInclusive<Duration> {
    Duration::from_secs(least)..=Duration::from_secs(most)
}

/// Bounds of `scope.newer_than`.
const NEWER_THAN: RangeInclusive<Duration> = seconds(HOUR, 3650 * DAY);
/// Bounds of `ingest.concurrency`, in images.
const CONCURRENCY: RangeInclusive<u32> = 1..=64;
/// Bounds of `ingest.lease`: it is extended in time only if it is not too short.
const LEASE: RangeInclusive<Duration> = seconds(10, HOUR);
/// Bounds of `ingest.wait`.
const WAIT: RangeInclusive<Duration> = seconds(1, MINUTE);
/// Bounds of `watch.poll`.
const POLL: RangeInclusive<Duration> = seconds(1, DAY);
/// Bounds of `reconcile.every`.
const EVERY: RangeInclusive<Duration> = seconds(MINUTE, 30 * DAY);
/// Bounds of `reconcile.sweep_after`.
const SWEEP_AFTER: RangeInclusive<Duration> = seconds(HOUR, 365 * DAY);
/// Bounds of `reconcile.lists_per_second`, in pages.
const LISTS_PER_SECOND: RangeInclusive<u32> = 1..=1000;
/// Bounds of `retention.*`: the store removes no body that is younger than a day.
const RETENTION: RangeInclusive<Duration> = seconds(DAY, 3650 * DAY);

/// Patterns that must all match; at least one is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeRule {
    /// Of the registry.
    pub registry: Option<String>,
    /// Of the repository.
    pub repository: Option<String>,
    /// Of one of its tags.
    pub tag: Option<String>,
    /// Of its platform.
    pub platform: Option<String>,
}

/// Which images are looked at.
#[derive(Debug, Clone, Default)]
pub struct ScopeSettings {
    /// At least one must match, where there are any.
    pub include: Vec<ScopeRule>,
    /// None may match.
    pub exclude: Vec<ScopeRule>,
    /// Images that were pushed longer ago are passed over.
    pub newer_than: Option<Duration>,
}

/// The work on images.
#[derive(Debug, Clone)]
pub struct Ingest {
    /// How many images at once.
    pub concurrency: usize,
    /// For how long a message is hidden from others.
    pub lease: Duration,
    /// How long a look into an empty queue lasts.
    pub wait: Duration,
}

/// The one-machine service.
#[derive(Debug, Clone)]
pub struct Watch {
    /// Where notifications are received.
    pub listen: SocketAddr,
    /// How often registries are looked at.
    pub poll: Duration,
    /// What notifications must carry.
    pub webhook_token: Option<Secret>,
}

/// The comparison with registries.
#[derive(Debug, Clone)]
pub struct Reconcile {
    /// How often.
    pub every: Duration,
    /// After how long an image that nothing verified is assessed again.
    pub sweep_after: Duration,
    /// Pages of listings in a second, at most.
    pub lists_per_second: u32,
}

/// What is kept for how long.
#[derive(Debug, Clone)]
pub struct Retention {
    /// Superseded report bodies.
    pub report_bodies: Duration,
    /// Requests that were given up.
    pub dead_letters: Duration,
}

/// Whether anyone can ask how it goes.
#[derive(Debug, Clone)]
pub struct Health {
    /// Where.
    pub listen: Option<SocketAddr>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged.
#[derive(Debug, Clone)]
pub struct Log {
    /// How.
    pub format: LogFormat,
    /// Level or directives.
    pub level: String,
}

/// Folders that nobody named stand beside the store, and that in the user's folder of data; advisories, which can be
/// had again, in that of caches, unless somebody has said where the store is.
pub(super) fn add_derived_defaults(settings: &mut Settings, variables: &Variables) {
    let home = variables.data_home().map(|folder| folder.join("cve-monitor"));
    let home = home.unwrap_or_else(|| PathBuf::from("cve-monitor-data"));
    let cache = variables.cache().filter(|_| settings.get("store.path").is_none());
    let mut put = |key: &str, path: &Path| {
        if settings.get(key).is_none() {
            settings.set(key, Value::String(path.display().to_string()), Origin::Default);
        }
    };
    if let Some(cache) = cache {
        put("advisories.folder", &cache.join("advisories"));
    }
    put("store.path", &home.join("state.db"));
    let file = Reader::new(settings).path("store.path").unwrap_or_default();
    let beside = file.parent().unwrap_or(Path::new("")).to_owned();
    let mut put = |key: &str, name: &str| {
        if settings.get(key).is_none() {
            let path = beside.join(name).display().to_string();
            settings.set(key, Value::String(path), Origin::Default);
        }
    };
    put("reports.folder", "reports");
    put("advisories.folder", "advisories");
}

/// Reads all sections, so that every problem is noted; none where a value is missing.
pub(super) fn read(
    reader: &mut Reader<'_>,
    variables: &Variables,
    environment: &Environment,
) -> Option<Config> {
    let store = places::store(reader);
    let queue = places::queue(reader);
    let reports = places::reports(reader);
    let aws = places::aws(reader);
    let registries = (0..reader.entries("registry"))
        .filter_map(|at| places::registry(reader, at, variables, environment))
        .collect::<Vec<_>>();
    for (at, registry) in registries.iter().enumerate() {
        if registries[..at].iter().any(|other| other.name == registry.name) {
            reader.problems.push(format!("two registries are named {}: rename or remove one", registry.name));
        }
    }
    let scope = ScopeSettings {
        include: rules(reader, "scope.include"),
        exclude: rules(reader, "scope.exclude"),
        newer_than: reader.duration("scope.newer_than", &NEWER_THAN),
    };
    let scanner = places::scanner(reader);
    let advisories = places::advisories(reader);
    let ingest = ingest(reader);
    let watch = watch(reader);
    let reconcile = reconcile(reader);
    let retention = retention(reader);
    let health = Health { listen: reader.address("health.listen") };
    let metrics = metrics::read(reader);
    let log = log(reader);
    let config = Config {
        store: store?,
        queue: queue?,
        reports: reports?,
        aws,
        registries,
        scope,
        scanner: scanner?,
        advisories: advisories?,
        ingest: ingest?,
        watch: watch?,
        reconcile: reconcile?,
        retention: retention?,
        health,
        metrics,
        log: log?,
    };
    if reader.problems.is_empty() && !config.uses_aws() {
        reader.refuse_foreign(&places::AWS_KEYS, "a configuration in which nothing is on AWS");
    }
    Some(config)
}

fn rules(reader: &mut Reader<'_>, list: &str) -> Vec<ScopeRule> {
    let rules = (0..reader.entries(list)).map(|at| {
        let mut pattern = |name: &str| reader.text(&format!("{list}[{at}].{name}")).map(str::to_owned);
        ScopeRule {
            registry: pattern("registry"),
            repository: pattern("repository"),
            tag: pattern("tag"),
            platform: pattern("platform"),
        }
    });
    rules.collect()
}

fn ingest(reader: &mut Reader<'_>) -> Option<Ingest> {
    let concurrency = reader.count("ingest.concurrency", &CONCURRENCY);
    let lease = reader.duration("ingest.lease", &LEASE);
    let wait = reader.duration("ingest.wait", &WAIT);
    Some(Ingest { concurrency: usize::try_from(concurrency?).ok()?, lease: lease?, wait: wait? })
}

fn watch(reader: &mut Reader<'_>) -> Option<Watch> {
    let listen = reader.address("watch.listen");
    let poll = reader.duration("watch.poll", &POLL);
    let webhook_token = reader.secret_file("watch.webhook_token_file");
    Some(Watch { listen: listen?, poll: poll?, webhook_token })
}

fn reconcile(reader: &mut Reader<'_>) -> Option<Reconcile> {
    let every = reader.duration("reconcile.every", &EVERY);
    let sweep_after = reader.duration("reconcile.sweep_after", &SWEEP_AFTER);
    let lists_per_second = reader.count("reconcile.lists_per_second", &LISTS_PER_SECOND);
    Some(Reconcile { every: every?, sweep_after: sweep_after?, lists_per_second: lists_per_second? })
}

fn retention(reader: &mut Reader<'_>) -> Option<Retention> {
    let report_bodies = reader.duration("retention.report_bodies", &RETENTION);
    let dead_letters = reader.duration("retention.dead_letters", &RETENTION);
    Some(Retention { report_bodies: report_bodies?, dead_letters: dead_letters? })
}

fn log(reader: &mut Reader<'_>) -> Option<Log> {
    let format = reader.parsed("log.format", |text| match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => Err(format!("`{other}` is no format: expected \"text\" or \"json\"")),
    });
    let level = reader.text("log.level").map(str::to_owned);
    Some(Log { format: format?, level: level? })
}
