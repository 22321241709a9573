//! The rows that each question has to be answered with, computed from what another program computed for the same images and
//! advisories: no report is read for it.

use std::collections::{BTreeMap, BTreeSet};

use cve_monitor_bins::lake::{Day, Question};
use serde_json::{Value, json};

use super::stage::{FIRST, PLACES, SECOND, TODAY, root};

pub(crate) type Row = Vec<Value>;

/// The vulnerability that the query `where` names.
pub(crate) const CVE: &str = "CVE-2025-5278";

/// Why the look at an image is partial, written down from what `examples/images/README.md` says is in it: no advisories are
/// shipped for these kinds, and the Java archives have no classes.
const REASONS: [(&str, &[(&str, &str)]); 4] = [
    ("debian-python-build", &[(NO_ADVISORIES, "PyPI")]),
    ("debian-python", &[(NO_ADVISORIES, "PyPI")]),
    ("debian-node", &[(NO_ADVISORIES, "PyPI"), (NO_ADVISORIES, "RubyGems"), (NO_ADVISORIES, "npm")]),
    (
        "distroless",
        &[
            (NO_ADVISORIES, "Go"),
            (NO_ADVISORIES, "Maven"),
            (NO_ADVISORIES, "NuGet"),
            (NO_ADVISORIES, "Packagist"),
            (NO_ADVISORIES, "crates.io"),
            ("unread_kind", "maven"),
        ],
    ),
];
const NO_ADVISORIES: &str = "no_advisories_for_distribution";

const SEVERITIES: [&str; 6] = ["Critical", "High", "Medium", "Low", "Negligible", "Unknown"];

/// CVE, severity, binary package, installed version, fixed version.
type Finding = (String, String, String, String, Option<String>);

/// An image of the examples; two of their names may lead to one.
struct Image {
    digest: String,
    tags: BTreeSet<String>,
    facts: Value,
}

impl Image {
    /// By digest.
    fn all() -> Vec<Self> {
        let text = std::fs::read_to_string(root().join("examples/expected.json")).unwrap();
        let all: Value = serde_json::from_str(&text).unwrap();
        let mut images: BTreeMap<String, Self> = BTreeMap::new();
        for (name, facts) in all["images"].as_object().unwrap() {
            let digest = facts["manifest"].as_str().unwrap().to_owned();
            let tag = name.split('@').next().unwrap().to_owned();
            let new = || Self { digest: digest.clone(), tags: BTreeSet::new(), facts: facts.clone() };
            images.entry(digest.clone()).or_insert_with(new).tags.insert(tag);
        }
        images.into_values().collect()
    }

    fn name(&self, (registry, repository): (&str, &str)) -> Value {
        json!(format!("{registry}/{repository}@{}", self.digest))
    }

    fn changed(&self) -> bool {
        self.facts["changed"].as_bool().unwrap()
    }

    /// The set of advisories that its newest report is of, and when that was made.
    fn newest(&self) -> (&'static str, &'static str) {
        if self.changed() { ("second", SECOND) } else { ("first", FIRST) }
    }

    fn findings(&self, state: &str) -> BTreeSet<Finding> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let row = |row: &Value| {
            let fixed = row[4].as_str().map(str::to_owned);
            (text(&row[0]), text(&row[5]), text(&row[2]), text(&row[3]), fixed)
        };
        self.facts[state].as_array().unwrap().iter().map(row).collect()
    }

    fn new_findings(&self) -> BTreeSet<Finding> {
        let (before, after) = (self.findings("first"), self.findings("second"));
        after.difference(&before).cloned().collect()
    }

    fn counts(&self, state: &str) -> [u64; 6] {
        SEVERITIES.map(|severity| self.facts["count"][state][severity].as_u64().unwrap())
    }

    /// `debian:12`
    fn ecosystem(&self) -> String {
        self.facts["distribution"].as_str().unwrap().to_lowercase()
    }
}

/// The rows of a question, on the day `TODAY`, with its own defaults.
pub(crate) fn rows(question: Question) -> Vec<Row> {
    if question == Question::Trend {
        return trend();
    }
    let images = Image::all();
    PLACES
        .iter()
        .flat_map(|place| images.iter().flat_map(|image| of_image(question, image, *place)))
        .collect()
}

fn of_image(question: Question, image: &Image, place: (&str, &str)) -> Vec<Row> {
    let (name, tags, (state, at)) = (image.name(place), json!(image.tags), image.newest());
    match question {
        Question::Critical => match image.counts(state)[0] {
            0 => vec![],
            critical => vec![vec![name, tags, json!(critical), json!(at)]],
        },
        Question::New => {
            let row = |(cve, severity, package, version, fixed): Finding| {
                let mut row = vec![name.clone(), tags.clone()];
                row.extend([cve, severity, package, version].map(|text| json!(text)));
                row.extend([json!(fixed), json!(SECOND)]);
                row
            };
            image.new_findings().into_iter().map(row).collect()
        }
        Question::Where => {
            // The base layer brings coreutils.
            let layer = image.facts["layers"][0].clone();
            let row = |(cve, severity, package, version, fixed): Finding| {
                let mut row = vec![name.clone(), tags.clone()];
                row.extend([cve, severity, package, version].map(|text| json!(text)));
                row.extend([json!(fixed), layer.clone(), json!(at)]);
                row
            };
            image.findings(state).into_iter().filter(|found| found.0 == CVE).map(row).collect()
        }
        Question::TimeToReport => {
            let named: BTreeSet<(String, String)> =
                image.new_findings().into_iter().map(|found| (found.0, found.1)).collect();
            let (ecosystem, changed) = (image.ecosystem(), newest_advisory(&image.ecosystem()));
            let row = |(cve, severity): (String, String)| {
                vec![
                    name.clone(),
                    json!(cve),
                    json!(severity),
                    json!(ecosystem),
                    json!(changed),
                    json!(SECOND),
                    json!(HOURS),
                ]
            };
            named.into_iter().map(row).collect()
        }
        Question::Stale if image.changed() => vec![],
        Question::Stale => vec![vec![name, tags, json!("vulnerable"), json!(FIRST)]],
        Question::Incomplete => {
            let known = REASONS.iter().find(|(tag, _)| image.tags.contains(*tag));
            let row = |(code, detail): &(&str, &str)| {
                let mut row = vec![name.clone(), tags.clone()];
                row.extend(["vulnerable", "partial", code, detail].map(|word| json!(word)));
                row.push(json!(at));
                row
            };
            known.into_iter().flat_map(|(_, reasons)| reasons.iter().map(row)).collect()
        }
        Question::Trend => vec![],
    }
}

/// From 2026-02-20T00:00, the newest `modified` of either release, to [`SECOND`].
const HOURS: f64 = 225.5;

/// The newest `modified` of the records of the second set that are about an ecosystem.
fn newest_advisory(ecosystem: &str) -> String {
    let mut newest = String::new();
    for entry in std::fs::read_dir(root().join("examples/advisories/second")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let record: Value = serde_json::from_str(&text).unwrap();
        let about = |one: &Value| one["package"]["ecosystem"].as_str().unwrap().to_lowercase() == ecosystem;
        if record["affected"].as_array().is_some_and(|all| all.iter().any(about)) {
            newest = newest.max(record["modified"].as_str().unwrap().to_owned());
        }
    }
    newest.replace('Z', ".000Z")
}

/// 30 days: those before the second set have the counts of the first.
fn trend() -> Vec<Row> {
    let (images, today): (_, Day) = (Image::all(), TODAY.parse().unwrap());
    let mut rows = vec![];
    for day in (0..30).rev().map(|before| today.minus(before)) {
        let mut sums = [0; 6];
        for image in &images {
            let state = if day == today { image.newest().0 } else { "first" };
            sums.iter_mut().zip(image.counts(state)).for_each(|(sum, count)| *sum += count);
        }
        for (registry, repository) in PLACES {
            let mut row =
                vec![json!(day.to_string()), json!(registry), json!(repository), json!(images.len())];
            row.extend(sums.map(|sum| json!(sum)));
            rows.push(row);
        }
    }
    rows
}
