//! Drives images through the production system, from the layout to the archived report.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use cve_monitor_bins::config::{Loaded, Overrides, Variables, load_with};
use cve_monitor_bins::wiring::{AsOfClock, System};
use cve_monitor_core::pipeline::{Driver, Outcome, history, index_children};
use cve_monitor_core::scan::{Event, ImageEvent, StreamId};
use cve_monitor_core::vocabulary::{Cause, Digest, ImageId, Lane, RequestId, ScanRequest};
use serde_json::Value;

use crate::advisories::records;

const AS_OF: &str = "2026-03-01";
const REGISTRY: &str = "torture";
const REPOSITORY: &str = "images";

/// A system over one layout or archive, with advisories.
pub(crate) struct Run {
    system: System,
    driver: Driver,
}

impl Run {
    /// Over a registry of this kind at a path.
    pub(crate) async fn over(kind: &str, path: &Path, work: &Path) -> Self {
        let source = work.join("source");
        fs::create_dir_all(&source).unwrap();
        for (id, record) in records() {
            fs::write(source.join(format!("{id}.json")), record).unwrap();
        }
        let loaded = settings(kind, path, work);
        let clock = Arc::new(AsOfClock::new(AS_OF.parse().unwrap()));
        let system = System::open_at(&loaded, clock).await.unwrap();
        system.refresh().await.unwrap();
        let driver = Driver::new(Arc::clone(&system.ports));
        Self { system, driver }
    }

    /// The image of a tag.
    pub(crate) async fn tagged(&self, tag: &str) -> Digest {
        let registry = self.system.ports.registries.get(&REGISTRY.parse().unwrap()).unwrap();
        registry.resolve(&REPOSITORY.parse().unwrap(), &tag.parse().unwrap()).await.unwrap()
    }

    /// The verdict over an image or an index, as the table has it.
    pub(crate) async fn verdict(&self, digest: &Digest) -> String {
        let image = ImageId {
            registry: REGISTRY.parse().unwrap(),
            repository: REPOSITORY.parse().unwrap(),
            digest: digest.clone(),
        };
        let request = ScanRequest {
            id: RequestId::derived(&["torture", digest.as_str()]),
            image: image.clone(),
            cause: Cause::Push { tag: None },
            at_least: None,
        };
        match self.driver.drive(&request, Lane::Push).await.unwrap() {
            Outcome::Reported { .. } => spelled(&self.report(&image).await),
            Outcome::Index(_) => {
                let mut verdicts = vec![];
                for child in index_children(&self.system.ports, &image).await.unwrap().unwrap() {
                    verdicts.push(Box::pin(self.verdict(&child)).await);
                }
                format!("index of [{}]", verdicts.join("; "))
            }
            Outcome::Artifact(kind) => format!("not an image: {}", kind.as_str()),
            Outcome::Deleted => "refused: not found".to_owned(),
            Outcome::Waiting { .. } | Outcome::Abandoned { .. } => {
                format!("refused: {}", self.refusal(&image).await)
            }
            Outcome::Current => spelled(&self.report(&image).await),
            other => format!("{other:?}"),
        }
    }

    async fn report(&self, image: &ImageId) -> Value {
        let series = history(&self.system.ports, image).await.unwrap();
        let body = self.system.ports.archive.get(&series.last().unwrap().report.body).await.unwrap();
        serde_json::from_slice(&body.unwrap()).unwrap()
    }

    /// The class of the last step that failed.
    async fn refusal(&self, image: &ImageId) -> String {
        let events = self.system.ports.store.read(&StreamId::image(image), 1, 100).await.unwrap();
        let failed = events.iter().rev().find_map(|recorded| match &recorded.event {
            Event::Image(ImageEvent::StepFailed { class, .. }) => Some(format!("{class:?}").to_lowercase()),
            _ => None,
        });
        failed.unwrap_or_else(|| "no step failed".to_owned())
    }
}

fn settings(kind: &str, path: &Path, work: &Path) -> Loaded {
    let config = work.join("cve-monitor.toml");
    let text = format!(
        "[store]\npath = \"state.db\"\n[advisories]\nsources = [\"source\"]\n\
         [[registry]]\nname = \"{REGISTRY}\"\nkind = \"{kind}\"\npath = {:?}\nrepository = \"{REPOSITORY}\"\n",
        path.display().to_string()
    );
    fs::write(&config, text).unwrap();
    load_with(&Overrides { file: Some(config), settings: vec![] }, &Variables::of(&[]), work).unwrap()
}

/// `clean`, the vulnerabilities, or `unknown`; behind it the level and the reasons of a look that was not complete.
fn spelled(report: &Value) -> String {
    let findings = report["Vulnerabilities"].as_object().unwrap().values();
    let names = findings.flat_map(|found| found.as_array().unwrap()).map(|found| text(&found["Name"]));
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    let word = match text(&report["Verdict"]) {
        "vulnerable" => names.join(" "),
        word => {
            assert!(names.is_empty(), "{report}");
            word.to_owned()
        }
    };
    let completeness = &report["Completeness"];
    let reasons: Vec<String> = completeness["Reasons"].as_array().unwrap().iter().map(reason).collect();
    match text(&completeness["Level"]) {
        "complete" if reasons.is_empty() => word,
        level => format!("{word} ({level}: {})", reasons.join(", ")),
    }
}

/// The code and what it is about, without the layer's digest.
fn reason(reason: &Value) -> String {
    let code = text(&reason["Code"]);
    match reason["Detail"].as_str().map(|detail| {
        detail
            .split_once(": ")
            .filter(|(layer, _)| layer.starts_with("sha256:"))
            .map_or(detail, |(_, rest)| rest)
    }) {
        Some(detail) => format!("{code} {detail}"),
        None => code.to_owned(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
