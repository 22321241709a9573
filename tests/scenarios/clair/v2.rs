//! Clair 2.0.9.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cve_monitor_adapters::clair::v2::{
    ClairV2Feed, ClairV2Scanner, ClairV2Settings, Proof, followed_up_to, notification_name,
};
use cve_monitor_core::pipeline::{Inbox, Registries};
use serde_json::{Value, json};
use xtask::clair::ClairV2;

use crate::bells::Bells;
use crate::stage::{Parts, Stage, counted, ground, names, open_folder};
use crate::{Scenario, scenarios};

/// The scenarios, by what they show.
pub(crate) const SCENARIOS: &[(&str, Scenario)] =
    scenarios![self::a_notification_reports_exactly_the_images_whose_chain_has_the_package];

/// A notification is posted at the start of the process, or else within five minutes.
const BELL_LIMIT: Duration = Duration::from_secs(60);

async fn a_notification_reports_exactly_the_images_whose_chain_has_the_package(programs: PathBuf) {
    let folder = open_folder();
    // The layers of the last one are zstd, which Clair 2 does not read.
    let ground = ground(folder.path(), &["debian-base", "debian-python", "debian-node"]);
    let bells = Bells::listen().await;
    let mut clair = ClairV2::start(&programs, &ground, &bells.url()).unwrap();
    let url = format!("http://{}/", clair.address);
    let settings = ClairV2Settings::new(url.parse().unwrap());
    let stage = Stage::open(&ground, |parts| async move {
        let Parts { registry, store, clock, .. } = parts;
        let feed = ClairV2Feed::new(&settings, Proof::Word, Arc::clone(&store)).unwrap();
        let registries = Registries::new([registry]);
        let scanner = ClairV2Scanner::connect(&settings, registries, store, clock).await.unwrap();
        (Arc::new(scanner) as _, Arc::new(feed) as _)
    })
    .await;

    // It knows nothing yet: layers are read, and nothing is said of those that could be.
    stage.reconcile().await;
    let worked = stage.ingest().await;
    println!("Clair 2.0.9 without advisories: {worked:?}");
    println!("requests: {:?}", counted(&clair.requests().unwrap()));
    for image in ["debian-base", "debian-python"] {
        assert_eq!(stage.reports(&stage.image(image).await).await, 0, "{image}");
    }
    post(&url, "CVE-2025-5278", "coreutils").await;
    assert_eq!(stage.follow(1).await, 1, "nothing was followed yet: a gap");
    stage.ingest().await;
    stage.wake().await;
    for image in ["debian-base", "debian-python"] {
        let rows = stage.rows(&stage.image(image).await).await;
        let found: Vec<_> = rows.iter().map(|row| (&*row.vulnerability, &*row.package)).collect();
        assert_eq!(found, [("CVE-2025-5278", "coreutils")], "{image}");
    }
    assert_eq!(
        stage.report(&stage.image("debian-node").await).await["Verdict"],
        "unknown",
        "what cannot be read is not clean"
    );

    // The first notification tells nothing new.
    let inbox = Inbox::new(Arc::clone(&stage.ports), &stage.feed_name(), followed_up_to);
    let first = ring(&mut clair, &bells, &inbox, 1).await;
    assert_eq!(stage.follow(1).await, 0);
    assert_eq!(stage.ingest().await.reported, names([]));

    // The second one is about a package that a layer above the shared base brings.
    post(&url, "CVE-2099-0001", "sqlite3").await;
    let second = ring(&mut clair, &bells, &inbox, 2).await;
    assert_ne!(first, second);
    assert_eq!(stage.follow(1).await, 0);
    let before = clair.requests().unwrap().len();
    let worked = stage.ingest().await;
    assert_eq!(worked.reported, names(["debian-python"]));
    println!("requests of one re-report: {:?}", counted(&clair.requests().unwrap()[before..]));
    let rows = stage.rows(&stage.image("debian-python").await).await;
    assert!(rows.iter().any(|row| row.vulnerability == "CVE-2099-0001"));

    stage.follow(0).await;
    let told: Value =
        reqwest::get(format!("{url}v1/notifications/{first}?limit=1")).await.unwrap().json().await.unwrap();
    assert!(told["Notification"]["Deleted"].is_string(), "what was followed is deleted: {told}");
}

/// Gives Clair a vulnerability without a fix.
async fn post(url: &str, name: &str, package: &str) {
    let namespace = "debian:12";
    let vulnerability = json!({"Vulnerability": {
        "Name": name,
        "NamespaceName": namespace,
        "Severity": "Medium",
        "FixedIn": [
            {"Name": package, "NamespaceName": namespace, "VersionFormat": "dpkg", "Version": "None"}
        ]
    }});
    let url = format!("{url}v1/namespaces/{namespace}/vulnerabilities");
    let answer = reqwest::Client::new().post(url).json(&vulnerability).send().await.unwrap();
    assert_eq!(answer.status(), 201);
}

/// Starts Clair anew, so that it looks for notifications at once, and records the one that it posts; its name.
async fn ring(clair: &mut ClairV2, bells: &Bells, inbox: &Inbox, count: usize) -> String {
    clair.stop();
    clair.resume().unwrap();
    let bell = bells.wait_for(count, BELL_LIMIT).await.remove(count - 1);
    let body = bell.to_string();
    let name = notification_name(body.as_bytes()).unwrap();
    inbox.ring(name).await.unwrap();
    name.to_owned()
}
