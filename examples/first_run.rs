//! The first run: five real images that share a base, scanned with one set of advisories, then followed into a second
//! one. Prints which images got a new report, why the others did not, and how many layer bytes the second phase read.
//!
//! `cargo run --release --locked -p cve-monitor-bins --example first_run`

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use cve_monitor_bins::config::{Loaded, Overrides, Variables, load_with};
use cve_monitor_bins::wiring::{AsOfClock, System};
use cve_monitor_core::pipeline::{
    Followed, Ingest, Notifier, Outcome, ReconcileMode, ReconcileSettings, Reconciler, history,
    index_children,
};
use cve_monitor_core::vocabulary::{FindingKey, ImageId, RegistryName, RepositoryName, SeverityCounts};

/// The date that the run stands at: it prints the same next year.
const AS_OF: &str = "2026-03-01";
const REGISTRY: &str = "examples";
const REPOSITORY: &str = "images";

type Failed = Box<dyn Error + Send + Sync>;

/// A first run that has been set up.
pub struct FirstRun {
    root: PathBuf,
    work: PathBuf,
    /// The system that it runs on.
    pub system: System,
    loaded: Loaded,
}

/// What came of a phase: by image, how each drive of it ended.
pub type Outcomes = BTreeMap<ImageId, Vec<Outcome>>;

/// Whether an image got a new report.
#[must_use]
pub fn is_reported(outcomes: &Outcomes, image: &ImageId) -> bool {
    outcomes.get(image).is_some_and(|all| all.iter().any(|one| matches!(one, Outcome::Reported { .. })))
}

impl FirstRun {
    /// Sets up in the folder `work`, which is emptied, from the examples under `root`.
    pub async fn set_up(root: &Path, work: &Path) -> Result<Self, Failed> {
        if work.exists() {
            fs::remove_dir_all(work)?;
        }
        fs::create_dir_all(work)?;
        let config = work.join("cve-monitor.toml");
        let images = root.join("examples/images");
        let text = format!(
            "[store]\npath = \"state.db\"\n[advisories]\nsources = [\"source\"]\n\
             [[registry]]\nname = \"{REGISTRY}\"\nkind = \"oci-layout\"\npath = {:?}\nrepository = \"{REPOSITORY}\"\n",
            images.display().to_string()
        );
        fs::write(&config, text)?;
        let overrides = Overrides { file: Some(config), settings: vec![] };
        // No variable and no file of the user's: the run is the same everywhere.
        let loaded = load_with(&overrides, &Variables::of(&[]), work)?;
        let clock = Arc::new(AsOfClock::new(AS_OF.parse()?));
        let system = System::open_at(&loaded, clock).await.map_err(|error| error.to_string())?;
        Ok(Self { root: root.to_owned(), work: work.to_owned(), system, loaded })
    }

    /// Lets the source of advisories hold `state`, brings it in, and follows what has changed.
    pub async fn advisories(&self, state: &str) -> Result<Followed, Failed> {
        let source = self.work.join("source");
        if source.exists() {
            fs::remove_dir_all(&source)?;
        }
        fs::create_dir(&source)?;
        for entry in fs::read_dir(self.root.join("examples/advisories").join(state))? {
            let from = entry?.path();
            fs::copy(&from, source.join(from.file_name().unwrap_or_default()))?;
        }
        self.system.refresh().await.map_err(|error| error.to_string())?;
        let notifier = Notifier::new(Arc::clone(&self.system.ports), Arc::clone(&self.system.feed));
        Ok(notifier.follow().await?)
    }

    /// Queues everything that the layout names.
    pub async fn reconcile(&self) -> Result<(), Failed> {
        let reconciler = Reconciler::new(Arc::clone(&self.system.ports), ReconcileSettings::default());
        let registry: RegistryName = REGISTRY.parse()?;
        reconciler.round(&registry, ReconcileMode::Apply, &mut |_, _| {}).await?;
        Ok(())
    }

    /// Works until nothing is left.
    pub async fn ingest(&self) -> Outcomes {
        let seen: Arc<Mutex<Outcomes>> = Arc::default();
        let watched = Arc::clone(&seen);
        let ingest =
            Ingest::new(Arc::clone(&self.system.ports), self.system.ingest_settings(&self.loaded.config))
                .on_outcome(Arc::new(move |image, outcome| {
                    if let Ok(mut seen) = watched.lock() {
                        seen.entry(image.clone()).or_default().push(outcome.clone());
                    }
                }));
        ingest.run_until_idle().await;
        seen.lock().map(|seen| seen.clone()).unwrap_or_default()
    }

    /// The images by what people call them; those of an index by its tag and their platform.
    pub async fn images(&self) -> Result<BTreeMap<String, ImageId>, Failed> {
        let registry = self.system.ports.registries.get(&REGISTRY.parse()?).ok_or("no registry")?;
        let repository: RepositoryName = REPOSITORY.parse()?;
        let mut named = BTreeMap::new();
        for listed in registry.images(&repository, None, 100).await?.items {
            let image = ImageId {
                registry: REGISTRY.parse()?,
                repository: repository.clone(),
                digest: listed.digest,
            };
            let children = index_children(&self.system.ports, &image).await?;
            for tag in listed.tags {
                for child in children.iter().flatten() {
                    let child = image.sibling(child.clone());
                    let platform = self.report(&child).await?["Platform"].as_str().unwrap_or("?").to_owned();
                    named.insert(format!("{tag}@{platform}"), child);
                }
                if children.is_none() {
                    named.insert(tag.to_string(), image.clone());
                }
            }
        }
        Ok(named)
    }

    /// The last report of an image.
    pub async fn report(&self, image: &ImageId) -> Result<serde_json::Value, Failed> {
        let series = history(&self.system.ports, image).await?;
        let last = series.last().ok_or_else(|| format!("{image} has no report"))?;
        let body = self.system.ports.archive.get(&last.report.body).await?;
        Ok(serde_json::from_slice(&body.ok_or("the body of a report is gone")?)?)
    }
}

fn main() -> ExitCode {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let ran = tokio::runtime::Runtime::new()
        .map_err(Failed::from)
        .and_then(|runtime| runtime.block_on(run(&root, &root.join("target/first-run"))));
    match ran {
        Ok(0) => ExitCode::SUCCESS,
        Ok(bytes) => {
            eprintln!("error: {bytes} layer bytes were read again; none was to be");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The whole run; the layer bytes that its second phase read.
async fn run(root: &Path, work: &Path) -> Result<u64, Failed> {
    let run = FirstRun::set_up(root, work).await?;
    run.advisories("first").await?;
    run.reconcile().await?;
    run.ingest().await;
    let images = run.images().await?;
    let distinct: BTreeSet<&ImageId> = images.values().collect();
    println!(
        "Phase 1: {} images under {} names, the first set of advisories, as of {AS_OF}\n",
        distinct.len(),
        images.len()
    );
    table(&run, &images).await?;
    let before = run.system.layer_bytes_read().unwrap_or_default();
    println!("\nlayer bytes read: {before}\n");

    let followed = run.advisories("second").await?;
    let outcomes = run.ingest().await;
    println!("Phase 2: the second set of advisories; {} change followed\n", followed.changes);
    for (name, image) in &images {
        print_change(&run, name, image, &outcomes).await?;
    }
    println!();
    table(&run, &images).await?;
    let read = run.system.layer_bytes_read().unwrap_or_default() - before;
    println!("\nlayer bytes read in phase 2: {read}");
    Ok(read)
}

async fn table(run: &FirstRun, images: &BTreeMap<String, ImageId>) -> Result<(), Failed> {
    println!(
        "{:<30} {:<11} {:<9} {:>8} {:>5} {:>6} {:>4} {:>10} {:>7}",
        "image", "verdict", "look", "critical", "high", "medium", "low", "negligible", "unknown"
    );
    for (name, image) in images {
        let series = history(&run.system.ports, image).await?;
        let last = &series.last().ok_or_else(|| format!("{image} has no report"))?.report;
        let SeverityCounts { critical, high, medium, low, negligible, unknown } = last.counts;
        let level = format!("{:?}", last.level).to_lowercase();
        println!(
            "{name:<30} {:<11} {level:<9} {critical:>8} {high:>5} {medium:>6} {low:>4} {negligible:>10} {unknown:>7}",
            last.verdict.to_string()
        );
    }
    Ok(())
}

/// Whether an image got a new report in phase 2, with what is new and gone; or why not.
async fn print_change(
    run: &FirstRun,
    name: &str,
    image: &ImageId,
    outcomes: &Outcomes,
) -> Result<(), Failed> {
    if is_reported(outcomes, image) {
        let series = history(&run.system.ports, image).await?;
        let last = series.last().ok_or_else(|| format!("{image} has no report"))?;
        println!("{name}: NEW REPORT");
        print_findings("new ", last.new.as_deref());
        print_findings("gone", last.gone.as_deref());
    } else if outcomes.contains_key(image) {
        println!("{name}: no new report: assessed again, and its findings are the same");
    } else {
        println!("{name}: no new report: nothing that changed names a package of its layers");
    }
    Ok(())
}

fn print_findings(what: &str, keys: Option<&[FindingKey]>) {
    let lines: BTreeSet<String> = keys
        .unwrap_or_default()
        .iter()
        .map(|key| {
            let fixed =
                key.fixed_by.as_deref().map_or_else(|| "no fix".to_owned(), |by| format!("fixed in {by}"));
            format!(
                "{:<16} {:<9} {} {}, {fixed}",
                key.name,
                key.severity.to_string(),
                key.package,
                key.version
            )
        })
        .collect();
    for line in lines {
        println!("  {what} {line}");
    }
}
