//! What Clair's own notifier tells; no part of the product depends on it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use xtask::clair::ClairV4;

use super::data::State;
use crate::bells::Bells;
use crate::stage::{ground, open_folder};

/// It polls once a minute and then delivers once a minute, the shortest that it takes.
const LIMIT: Duration = Duration::from_secs(4 * 60);

pub(super) async fn clairs_own_notifier_loses_the_older_of_two_changes_between_its_polls(programs: PathBuf) {
    let folder = open_folder();
    let ground = ground(folder.path(), &["distroless"]);
    let bells = Bells::listen().await;
    let clair = ClairV4::start(&programs, &ground, &bells.url()).unwrap();
    index_distroless(&clair, &ground).await;
    // All before its first poll, a minute after its start.
    let first = State::of("first");
    first.import(&clair, folder.path());
    let older = first.with("CVE-2099-0001", "zlib", "");
    older.import(&clair, folder.path());
    older.with("CVE-2099-0002", "zlib", "").import(&clair, folder.path());

    let bells = bells.wait_for(1, LIMIT).await;
    let expected = BTreeSet::from([("added".to_owned(), "CVE-2099-0002".to_owned())]);
    assert_eq!(bells.len(), 1);
    assert_eq!(told(&clair, &bells[0]).await, expected, "the changes before it are never told");
}

async fn index_distroless(clair: &ClairV4, ground: &xtask::clair::Ground) {
    let http = reqwest::Client::new();
    let repository = format!("http://{}/v2/demo/distroless", ground.registry.address);
    let manifest = http
        .get(format!("{repository}/manifests/1"))
        .header("accept", "application/vnd.oci.image.manifest.v1+json")
        .send()
        .await
        .unwrap();
    let digest = manifest.headers()["docker-content-digest"].to_str().unwrap().to_owned();
    let manifest: Value = manifest.json().await.unwrap();
    let layers: Vec<Value> = manifest["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| layer["digest"].as_str().unwrap())
        .map(|digest| json!({"hash": digest, "uri": format!("{repository}/blobs/{digest}"), "headers": {}}))
        .collect();
    let indexed = http
        .post(format!("http://{}/indexer/api/v1/index_report", clair.address))
        .json(&json!({"hash": digest, "layers": layers}))
        .send()
        .await
        .unwrap();
    assert_eq!(indexed.status(), 201);
}

/// What a bell is about: whether it was added or removed, and the name.
async fn told(clair: &ClairV4, bell: &Value) -> BTreeSet<(String, String)> {
    let id = bell["notification_id"].as_str().unwrap();
    let url = format!("http://{}/notifier/api/v1/notification/{id}?page_size=1000", clair.address);
    let page: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = page["notifications"].as_array().unwrap();
    all.iter().map(|one| (text(&one["reason"]), text(&one["vulnerability"]["name"]))).collect()
}
