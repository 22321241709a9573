//! The lake in a bucket, for those who ask it: listings of many pages, objects that go meanwhile, rights that are missing.

use aws_sdk_s3::Client;
use cve_monitor_adapters::aws::s3::S3Lake;
use cve_monitor_adapters::lake::{Entry, LakeError};
use cve_monitor_bins::lake::{Asked, Question, Row, Told, answer};
use cve_monitor_bins::wiring::Lake;
use cve_monitor_tests::fakes::aws_proxy::{Fault, Service, Which};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use tokio::io::AsyncReadExt as _;

use super::Stage;

const DAY: &str = "year=2026/month=03/day=01";
/// More than a page: S3 lists a thousand keys at a time.
const MANY: usize = 1_001;

impl Stage {
    fn lake(&self) -> S3Lake {
        S3Lake::new(&self.config, self.settings.clone())
    }

    /// Not the adapter's own: as others write.
    async fn put(&self, key: &str, body: String) {
        let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(true).build();
        let put = Client::from_conf(config).put_object().bucket(&self.settings.bucket).key(key);
        put.body(body.into_bytes().into()).send().await.expect("moto takes it");
    }

    /// So many objects of a day.
    async fn fill(&self, many: usize, body: impl Fn(usize) -> String) {
        let put = async |image: usize| self.put(&format!("{DAY}/{image}.json"), body(image)).await;
        stream::iter(0..many).map(put).buffer_unordered(16).collect::<()>().await;
    }

    async fn list(&self, folder: &str) -> Result<Vec<Entry>, LakeError> {
        self.lake().list(folder).try_collect().await
    }

    async fn ask(&self) -> Result<(Vec<Row>, Told), LakeError> {
        let until = "2026-03-01".parse().expect("a day");
        let asked = Asked { question: Question::Critical, cve: None, since: None, until, stale_days: 0 };
        let mut rows = vec![];
        let told = answer(&Lake::Bucket(self.lake()), &asked, &mut |row| rows.push(row)).await?;
        Ok((rows, told))
    }
}

/// A report of an image, as short as one may be.
fn short(image: usize) -> String {
    let found = json!({
        "Name": "CVE-2024-1", "NamespaceName": "debian:12", "Severity": "Critical", "FeatureName": "zlib1g",
        "FeatureVersion": "1", "FixedBy": null, "Layer": null, "Aliases": [], "Records": [],
    });
    let report = json!({
        "SchemaVersion": "1.0", "ReportId": image.to_string(), "PreviousReportId": null,
        "AssessedAt": "2026-03-01T10:00:00.000Z", "AnalyzedImageName": format!("r/app@{image:04}"),
        "ECRMetadata": { "repositoryName": "app" }, "Registry": { "Name": "r" }, "Tags": [], "ParentIndexes": [],
        "Verdict": "vulnerable", "Completeness": { "Level": "complete", "Reasons": [] },
        "Knowledge": { "LastChanged": [] }, "New": [],
        "Vulnerabilities": {
            "Critical": [found], "High": [], "Medium": [], "Low": [], "Negligible": [], "Unknown": [],
        },
    });
    format!("{report}\n")
}

#[tokio::test]
async fn a_day_of_more_reports_than_a_page_has_is_listed_and_answered_whole() {
    let Some(stage) = Stage::open("wire-lake-many").await else { return };
    stage.fill(MANY, short).await;
    assert_eq!(stage.list("").await, Ok(vec![Entry::Folder("year=2026".to_owned())]));
    stage.calls("ListObjectsV2");
    let mut listed = stage.list(DAY).await.expect("it is listed");
    assert_eq!(stage.calls("ListObjectsV2"), 2);
    let all = listed.len();
    listed.dedup();
    assert_eq!((all, listed.len()), (MANY, MANY));
    let (rows, told) = stage.ask().await.expect("it is answered");
    assert_eq!((rows.len(), told.reports, told.is_whole()), (MANY, MANY as u64, true), "{:?}", told.problems);
    // By image, whatever the order in which the objects came.
    assert!(rows.first().is_some_and(|row| row[0] == "r/app@0000"));
    assert!(rows.last().is_some_and(|row| row[0] == "r/app@1000"));
    // A later page that cannot be had is no end of the listing.
    let lake = stage.lake();
    let mut entries = lake.list(DAY);
    for _ in 0..MANY - 1 {
        assert!(matches!(entries.next().await, Some(Ok(_))));
    }
    stage.befall("ListObjectsV2", Which::All, Fault::failure(Service::S3));
    assert!(matches!(entries.next().await, Some(Err(_))));
}

#[tokio::test]
async fn a_report_that_goes_between_the_listing_and_the_look_is_named_and_the_rest_is_answered() {
    let Some(stage) = Stage::open("wire-lake-gone").await else { return };
    stage.fill(3, short).await;
    stage.befall("GetObject", Which::Next(1), Fault::refuse(404, "NoSuchKey"));
    let (rows, told) = stage.ask().await.expect("it is answered");
    assert_eq!((rows.len(), told.problems.len()), (2, 1));
    let problem = told.problems[0].to_string();
    assert!(
        problem.starts_with("s3://wire-lake-gone/year=2026/month=03/day=01/")
            && problem.contains("not there any more"),
        "{problem}"
    );
}

#[tokio::test]
async fn an_empty_bucket_has_no_reports_and_one_that_is_not_there_is_no_empty_one() {
    let Some(mut stage) = Stage::open("wire-lake-empty").await else { return };
    let (rows, told) = stage.ask().await.expect("it is answered");
    assert!(rows.is_empty() && told.is_whole());
    stage.settings.bucket = "wire-lake-absent".to_owned();
    let why = stage.ask().await.expect_err("nothing is there").to_string();
    assert!(why.contains("`wire-lake-absent`"), "{why}");
}

#[tokio::test]
async fn who_may_not_list_or_read_is_told_the_bucket_and_the_right() {
    let Some(stage) = Stage::open("wire-lake-denied").await else { return };
    stage.put(&format!("{DAY}/1.json"), short(1)).await;
    for (operation, right) in [("ListObjectsV2", "s3:ListBucket"), ("GetObject", "s3:GetObject")] {
        stage.proxy.mend();
        stage.befall(operation, Which::All, Fault::denial(Service::S3));
        let why = stage.ask().await.expect_err("it is denied").to_string();
        assert!(why.contains("`wire-lake-denied`") && why.contains(right), "{why}");
    }
}

#[tokio::test]
async fn an_object_is_read_as_it_was_put() {
    let Some(stage) = Stage::open("wire-lake-read").await else { return };
    stage.put("a b+c/1.json", "{}".to_owned()).await;
    assert_eq!(stage.list("a b+c").await, Ok(vec![Entry::Object("a b+c/1.json".to_owned())]));
    let mut text = String::new();
    let mut body = stage.lake().read("a b+c/1.json").await.expect("it is read").expect("it is there");
    body.read_to_string(&mut text).await.expect("text");
    assert_eq!(text, "{}");
    assert!(stage.lake().read("a b+c/2.json").await.expect("it is looked for").is_none());
}
