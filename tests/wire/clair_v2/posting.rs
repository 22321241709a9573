//! Layers are posted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cve_monitor_adapters::clair::v2::bounds::{CHAINS_MAX, POSTS_MAX};
use cve_monitor_core::ports::{Clock as _, RegistryError, Scanner as _, ScannerError};
use cve_monitor_core::testkit::ManualClock;
use cve_monitor_core::testkit::model::MemoryRegistry;
use cve_monitor_core::vocabulary::MediaType;
use serde_json::Value;

use super::{Bench, NOT_THERE, captured, is_empty_layer, posted, stored, transient, willing};
use crate::fake_clair_v2::{Fetchable, HOST};
use crate::fake_server::{Reply, Seen};

/// Answers the first posts of real layers with these, in this order, and then takes everything.
fn first(names: &[&'static str]) -> impl Fn(&Seen) -> Reply + Send + Sync + 'static {
    let queue = Mutex::new(names.iter().rev().copied().collect::<Vec<_>>());
    move |seen| match posted(seen) {
        Some(_) if !is_empty_layer(seen) => queue.lock().unwrap().pop().map_or_else(stored, captured),
        _ => willing(seen),
    }
}

fn text<'a>(layer: &'a Value, key: &str) -> &'a str {
    layer[key].as_str().unwrap_or_default()
}

#[tokio::test]
async fn layers_are_posted_parents_first_each_from_its_own_address() {
    let bench = Bench::new(willing).await;
    let request = bench.image(&["base", "app"]).await;
    bench.scanner.index(&request).await.unwrap();
    let posted = bench.posted();
    let [base, app, image] = posted.as_slice() else { panic!("{posted:?}") };
    assert!(base.get("ParentName").is_none());
    assert_eq!(app["ParentName"], base["Name"]);
    assert_eq!((text(image, "Path"), &image["ParentName"]), ("/dev/null", &app["Name"]));
    for (number, (layer, blob)) in [base, app].into_iter().zip(&request.manifest.layers).enumerate() {
        let address = format!("{HOST}team/app/{}?token=t{}", blob.digest, number + 1);
        assert_eq!(text(layer, "Path"), address);
        assert_eq!(
            layer["Headers"]["Authorization"],
            format!("Bearer t{}", number + 1),
            "one value, no list"
        );
        assert_eq!(text(layer, "Format"), "Docker");
        let key = &bench.scanner.keys(&request)[number].0;
        assert_eq!(text(layer, "Name"), format!("{key}.{}", blob.digest.hex()));
    }
    assert_eq!(bench.scanner.identity().name, "clair-v2");
    assert_eq!(bench.scanner.identity().version, "3.1");
}

#[tokio::test]
async fn an_image_that_clair_has_is_not_posted_again() {
    let bench = Bench::new(|seen| match seen.path().ends_with(".image") {
        true => captured("44-get-plain"),
        false => willing(seen),
    })
    .await;
    let request = bench.image(&["base"]).await;
    bench.scanner.index(&request).await.unwrap();
    assert_eq!(bench.posted(), Vec::<Value>::new());
}

#[tokio::test]
async fn what_clair_could_not_fetch_is_posted_again_from_a_fresh_address() {
    for refusal in ["11-post-fetch-404", "12-post-fetch-401", "13-post-fetch-500", "14-post-conn-refused"] {
        let bench = Bench::new(first(&[refusal])).await;
        let request = bench.image(&["base"]).await;
        bench.scanner.index(&request).await.unwrap();
        let posted = bench.posted();
        assert!(text(&posted[0], "Path").ends_with("?token=t1"), "{posted:?}");
        assert!(text(&posted[1], "Path").ends_with("?token=t2"), "{posted:?}");
        assert_eq!(posted[0]["Name"], posted[1]["Name"]);
    }
}

#[tokio::test]
async fn the_registry_says_why_clair_could_not_fetch() {
    const REFUSED: [&str; POSTS_MAX as usize] = ["11-post-fetch-404"; POSTS_MAX as usize];
    let served = Bench::new(first(&REFUSED)).await;
    let error = transient(served.scanner.index(&served.image(&["base"]).await).await);
    assert!(error.contains("serves to others") && error.contains("certificate"), "{error}");
    assert_eq!(served.posted().len(), POSTS_MAX as usize);
    assert!(!error.contains("token") && !error.contains("Bearer"), "{error}");

    let registry = Arc::new(MemoryRegistry::new("r.example".parse().unwrap()));
    let (closing, answer) = (Arc::clone(&registry), first(&REFUSED));
    let watched = Arc::new(Fetchable::new(Arc::clone(&registry)));
    let denied = RegistryError::Denied("no right".to_owned());
    let bench = Bench::with(registry, watched, move |seen| {
        if posted(seen).is_some() && !is_empty_layer(seen) {
            closing.fail_repository(&"team/app".parse().unwrap(), Some(denied.clone()));
        }
        answer(seen)
    })
    .await;
    let error = bench.scanner.index(&bench.image(&["base"]).await).await;
    assert!(matches!(error, Err(ScannerError::Denied(_))), "{error:?}");

    let gone = Bench::new(willing).await;
    let request = gone.image(&["base"]).await;
    gone.registry.delete_blob(&request.manifest.layers[0].digest);
    let error = gone.scanner.index(&request).await;
    assert!(matches!(error, Err(ScannerError::Gone(_))), "{error:?}");
}

#[tokio::test]
async fn a_layer_that_no_registry_may_hold_is_noted() {
    let bench = Bench::new(willing).await;
    let mut request = bench.image(&["windows", "app"]).await;
    let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    request.manifest.layers[0].media_type = MediaType(foreign.to_owned());
    bench.registry.delete_blob(&request.manifest.layers[0].digest);
    bench.scanner.index(&request).await.unwrap();
    let names: Vec<String> = bench.posted().iter().map(|layer| text(layer, "Name").to_owned()).collect();
    assert!(names[1].ends_with(".absent"), "{names:?}");
}

#[tokio::test]
async fn a_chain_that_lost_a_layer_is_begun_anew() {
    let bench = Bench::new({
        let posts = AtomicUsize::new(0);
        move |seen: &Seen| match posted(seen) {
            Some(layer) if layer.get("ParentName").is_some() && posts.fetch_add(1, Ordering::SeqCst) == 0 => {
                captured("10-post-unknown-parent")
            }
            _ => willing(seen),
        }
    })
    .await;
    let request = bench.image(&["base", "app"]).await;
    bench.scanner.index(&request).await.unwrap();
    let posted = bench.posted();
    assert_eq!(posted.len(), 5, "{posted:?}");
    assert_eq!((&posted[0]["Name"], &posted[1]["Name"]), (&posted[2]["Name"], &posted[3]["Name"]));

    let lost = Bench::new(|seen| match posted_child(seen) {
        true => captured("10-post-unknown-parent"),
        false => willing(seen),
    })
    .await;
    transient(lost.scanner.index(&lost.image(&["base", "app"]).await).await);
    assert_eq!(lost.posted().len(), 2 * CHAINS_MAX as usize, "the base and what stands on it");
}

fn posted_child(seen: &Seen) -> bool {
    posted(seen).is_some_and(|layer| layer.get("ParentName").is_some())
}

#[tokio::test]
async fn a_layer_that_clair_cannot_read_is_left_out_and_noted() {
    for refusal in ["15-post-garbage-blob", "17-post-zstd-layer"] {
        let bench = Bench::new({
            let seen_names = Mutex::new(BTreeMap::<String, usize>::new());
            move |seen: &Seen| {
                let Some(layer) = posted(seen).filter(|_| !is_empty_layer(seen)) else {
                    return willing(seen);
                };
                // The second layer that is posted, however often.
                let (name, mut names) = (text(&layer, "Name").to_owned(), seen_names.lock().unwrap());
                let number = names.len();
                let number = *names.entry(name).or_insert(number);
                if number == 1 { captured(refusal) } else { stored() }
            }
        })
        .await;
        let request = bench.image(&["base", "bad", "app"]).await;
        bench.scanner.index(&request).await.unwrap();
        let posted = bench.posted();
        let [base, bad, again, app, note, image] = posted.as_slice() else { panic!("{posted:?}") };
        assert_eq!(bad["Name"], again["Name"]);
        assert_eq!(app["ParentName"], base["Name"], "it stands on the layer below");
        let key = &bench.scanner.keys(&request)[2].0;
        assert!(text(app, "Name").starts_with(key), "the feed finds it under its key");
        assert_eq!(text(app, "Name").split('.').count(), 3, "and it is no layer of a whole chain");
        assert!(
            text(note, "Name").ends_with(&format!("{}.archive", request.manifest.layers[1].digest.hex()))
        );
        assert_eq!((&note["ParentName"], &image["ParentName"]), (&app["Name"], &note["Name"]));
        assert_eq!(text(note, "Path"), "/dev/null");
    }
}

#[tokio::test]
async fn a_layer_that_was_cut_short_is_read_the_second_time() {
    let bench = Bench::new(first(&["16-post-truncated-gzip"])).await;
    let request = bench.image(&["base"]).await;
    bench.scanner.index(&request).await.unwrap();
    let posted = bench.posted();
    assert_eq!(posted.len(), 3, "the layer twice, and the image: {posted:?}");
    assert_eq!(posted[2]["ParentName"], posted[1]["Name"]);
}

#[tokio::test]
async fn packages_of_an_unknown_system_are_noted_at_once() {
    for refusal in ["21-post-packages-without-os", "c2-reanalyse-child-with-dpkg-db"] {
        let bench = Bench::new(first(&[refusal])).await;
        let request = bench.image(&["base"]).await;
        bench.scanner.index(&request).await.unwrap();
        let posted = bench.posted();
        let [_, note, image] = posted.as_slice() else { panic!("{posted:?}") };
        assert!(text(note, "Name").ends_with(".system"), "{note}");
        assert!(note.get("ParentName").is_none() && image["ParentName"] == note["Name"]);
    }
}

#[tokio::test]
async fn zstd_is_never_posted() {
    let bench = Bench::new(willing).await;
    let mut request = bench.image(&["base", "app"]).await;
    let zstd = "application/vnd.oci.image.layer.v1.tar+zstd";
    request.manifest.layers[1].media_type = MediaType(zstd.to_owned());
    bench.scanner.index(&request).await.unwrap();
    let posted = bench.posted();
    let [base, note, _] = posted.as_slice() else { panic!("{posted:?}") };
    assert!(text(base, "Path").starts_with(HOST) && text(note, "Name").ends_with(".zstd"), "{posted:?}");
}

#[tokio::test]
async fn a_wrong_request_is_permanent() {
    for refusal in [
        "26-post-bad-format",
        "27-post-no-name",
        "28-post-no-path",
        "29-post-no-format",
        "30-post-no-layer",
        "31-post-not-json",
        "32-post-empty-body",
        "33-post-body-over-1MiB",
    ] {
        let bench = Bench::new(first(&[refusal])).await;
        let error = bench.scanner.index(&bench.image(&["base"]).await).await;
        assert!(matches!(error, Err(ScannerError::Permanent(_))), "{refusal}: {error:?}");
        assert_eq!(bench.posted().len(), 1, "{refusal}");
    }
}

#[tokio::test]
async fn a_database_in_trouble_is_transient() {
    let bench = Bench::new(first(&["34-post-name-129-chars"])).await;
    let request = bench.image(&["base"]).await;
    assert!(transient(bench.scanner.index(&request).await).contains("querying the backend"));
    bench.scanner.index(&request).await.unwrap();
}

/// Time passes as soon as somebody waits for it.
fn hurry(clock: &Arc<ManualClock>) -> tokio::task::JoinHandle<()> {
    let clock = Arc::clone(clock);
    tokio::spawn(async move {
        loop {
            if let Some(at) = clock.next_wake() {
                clock.set(at);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
}

#[tokio::test]
async fn a_layer_that_takes_longer_than_clair_answers_is_waited_for() {
    let asked = Arc::new(AtomicUsize::new(0));
    let bench = Bench::new({
        let (asked, timed_out) = (Arc::clone(&asked), first(&["d1-api-timeout"]));
        move |seen: &Seen| match seen.method.as_str() {
            "GET" if !seen.path().ends_with(".image") => match asked.fetch_add(1, Ordering::SeqCst) {
                0 | 1 => captured("d2-get-right-after-timeout"),
                _ => captured("d3-get-4s-after-timeout"),
            },
            _ => timed_out(seen),
        }
    })
    .await;
    let request = bench.image(&["slow"]).await;
    let passing = hurry(&bench.clock);
    bench.scanner.index(&request).await.unwrap();
    passing.abort();
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    assert_eq!(bench.posted().len(), 2, "the layer was posted once, and the image");
}

#[tokio::test]
async fn it_is_not_waited_for_longer_than_is_allowed() {
    let bench = Bench::new(first(&["d1-api-timeout"])).await;
    let request = bench.image(&["slow"]).await;
    let (before, passing) = (bench.clock.now(), hurry(&bench.clock));
    let error = transient(bench.scanner.index(&request).await);
    passing.abort();
    assert!(error.contains("for more than 1800 s"), "{error}");
    assert_eq!(bench.clock.now().since(before), Duration::from_secs(1800));
}

#[tokio::test]
async fn another_server_is_told_apart() {
    for refusal in ["53-404-route", "55-method-not-allowed", "57-trailing-slash"] {
        let bench = Bench::new(first(&[refusal])).await;
        let error = transient(bench.scanner.index(&bench.image(&["base"]).await).await);
        assert!(error.contains("not the API of Clair v2"), "{refusal}: {error}");
    }
}

#[tokio::test]
async fn another_engine_reads_everything_anew() {
    let upgraded = Arc::new(AtomicUsize::new(3));
    let bench = Bench::new({
        let upgraded = Arc::clone(&upgraded);
        move |seen: &Seen| match posted(seen) {
            Some(_) => {
                let engine = upgraded.load(Ordering::SeqCst);
                Reply::ok(format!(r#"{{"Layer":{{"IndexedByVersion":{engine}}}}}"#)).with_status(201)
            }
            None => captured(NOT_THERE),
        }
    })
    .await;
    let request = bench.image(&["base"]).await;
    let (identity, keys) = (bench.scanner.identity(), bench.scanner.keys(&request));
    upgraded.store(4, Ordering::SeqCst);
    bench.scanner.index(&request).await.unwrap();
    assert_ne!(bench.scanner.identity(), identity);
    assert_ne!(bench.scanner.keys(&request), keys);
}

#[tokio::test]
async fn a_registry_without_addresses_is_refused() {
    let registry = Arc::new(MemoryRegistry::new("r.example".parse().unwrap()));
    let bench = Bench::with(Arc::clone(&registry), registry, willing).await;
    let error = bench.scanner.index(&bench.image(&["base"]).await).await;
    assert!(matches!(error, Err(ScannerError::Permanent(_))), "{error:?}");
    assert_eq!(bench.posted(), Vec::<Value>::new(), "Clair would have opened a file of its own");
}

#[tokio::test]
async fn an_image_without_layers_is_an_image() {
    let bench = Bench::new(willing).await;
    bench.scanner.index(&bench.image(&[]).await).await.unwrap();
    assert_eq!(bench.posted().len(), 1);
}
