//! What reports say, held against each other and against a scan by itself.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// By image, what its findings and its completeness are.
pub(crate) type Contents = BTreeMap<String, (Value, Value)>;

pub(crate) fn json_lines(bytes: &[u8]) -> Vec<Value> {
    String::from_utf8_lossy(bytes).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a report says, apart from when and by which state of the advisories.
pub(crate) fn content(report: &Value) -> (Value, Value) {
    let by_severity = report["Vulnerabilities"].as_object().unwrap();
    let said = |f: &Value| {
        json!([f["Name"], f["FeatureName"], f["FeatureVersion"], f["FixedBy"], f["Severity"], f["Status"]])
    };
    let mut findings: Vec<String> =
        by_severity.values().flat_map(|all| all.as_array().unwrap()).map(|f| said(f).to_string()).collect();
    findings.sort();
    (json!(findings), report["Completeness"].clone())
}

/// What a scan printed, a report a line.
pub(crate) fn scanned(printed: &[u8]) -> Contents {
    let digest = |report: &Value| report["ImageDigest"].as_str().unwrap().to_owned();
    json_lines(printed).iter().map(|report| (digest(report), content(report))).collect()
}

/// The reports of each image in their order: each names the one before it. None where one is still on its way.
pub(crate) fn series(reports: Vec<Value>) -> BTreeMap<String, Vec<Value>> {
    let mut after: BTreeMap<(String, Option<String>), Vec<Value>> = BTreeMap::new();
    for report in reports {
        let key = (
            report["ImageDigest"].as_str().unwrap().to_owned(),
            report["PreviousReportId"].as_str().map(str::to_owned),
        );
        after.entry(key).or_default().push(report);
    }
    let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let images: Vec<String> = after.keys().map(|(image, _)| image.clone()).collect();
    for image in images {
        let mut previous = None;
        while let Some(mut next) = after.remove(&(image.clone(), previous.clone())) {
            assert_eq!(next.len(), 1, "two reports of {image} follow the same one");
            let next = next.remove(0);
            previous = next["ReportId"].as_str().map(str::to_owned);
            all.entry(image.clone()).or_default().push(next);
        }
    }
    // A report whose predecessor is still on its way is no series yet.
    if !after.is_empty() {
        all.clear();
    }
    all
}

/// What the last report of each image says.
pub(crate) fn latest(reports: Vec<Value>) -> Contents {
    series(reports).into_iter().filter_map(|(image, all)| Some((image, content(all.last()?)))).collect()
}

/// The images that have two reports in a row that say the same, once for each such pair.
pub(crate) fn repeated(reports: Vec<Value>) -> Vec<String> {
    let pairs = series(reports).into_iter().flat_map(|(image, all)| {
        let same = all.windows(2).filter(|pair| content(&pair[0]) == content(&pair[1])).count();
        std::iter::repeat_n(image, same)
    });
    pairs.collect()
}
