//! Answers: manifests and their forms, refusals and their meaning.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cve_monitor_adapters::oci::bounds::MAX_ERROR_BYTES;
use cve_monitor_adapters::oci::{DistributionRegistry, DistributionSettings};
use cve_monitor_core::ports::{Registry as _, RegistryError};
use cve_monitor_core::vocabulary::{Digest, ImageId, MAX_MANIFEST_BYTES, MediaType};

use super::{MANIFEST, image, registry, settings};
use crate::fake_server::{FakeServer, Reply};

#[tokio::test]
async fn all_forms_of_a_manifest_are_asked_for_and_the_one_that_came_is_told() {
    let server = FakeServer::start(|_| {
        Reply::ok(MANIFEST).header("content-type", format!("{}; charset=utf-8", MediaType::DOCKER_LIST))
    })
    .await;
    let manifest = registry(&server).manifest(&image(&server)).await.unwrap();
    assert_eq!(manifest.media_type, Some(MediaType(MediaType::DOCKER_LIST.to_owned())));
    let seen = &server.seen()[0];
    assert_eq!(seen.header("accept"), Some(MediaType::ACCEPTED.join(", ").as_str()));
    assert_eq!(seen.target, format!("/v2/team/app/manifests/{}", Digest::of(MANIFEST)));
}

#[tokio::test]
async fn a_manifest_that_is_another_is_corrupt() {
    let server = FakeServer::start(|_| Reply::ok(r#"{"schemaVersion":3}"#)).await;
    let answer = registry(&server).manifest(&image(&server)).await;
    assert!(matches!(answer, Err(RegistryError::Corrupt(_))), "{answer:?}");
}

#[tokio::test]
async fn the_bound_of_a_manifest_holds_at_its_edge_announced_or_not() {
    for (length, chunked, good) in [
        (MAX_MANIFEST_BYTES, false, true),
        (MAX_MANIFEST_BYTES, true, true),
        (MAX_MANIFEST_BYTES + 1, false, false),
        (MAX_MANIFEST_BYTES + 1, true, false),
    ] {
        let body = vec![b' '; length];
        let asked = Digest::of(&body);
        let server = FakeServer::start(move |_| {
            let reply = Reply::ok(body.clone());
            if chunked { reply.chunked() } else { reply }
        })
        .await;
        let answer = registry(&server).manifest(&ImageId { digest: asked, ..image(&server) }).await;
        match good {
            true => assert_eq!(answer.map(|manifest| manifest.bytes.len()), Ok(length)),
            false => assert!(matches!(answer, Err(RegistryError::Unsupported(_)))),
        }
    }
}

#[tokio::test]
async fn a_manifest_is_gone_only_where_the_registry_itself_says_so() {
    let server = FakeServer::start(|_| Reply::error(404, "MANIFEST_UNKNOWN")).await;
    let gone = registry(&server).manifest(&image(&server)).await;
    assert!(matches!(gone, Err(RegistryError::NotFound(_))), "{gone:?}");
    let proxy = FakeServer::start(|_| Reply::ok("<h1>no such backend</h1>").with_status(404)).await;
    let lost = registry(&proxy).manifest(&image(&proxy)).await;
    assert!(matches!(lost, Err(RegistryError::Transient(_))), "{lost:?}");
}

/// A page of some proxy, or of some framework, may be longer than what is read of an error, or break off: then nobody has
/// said that the image is not there.
#[tokio::test]
async fn a_not_found_that_is_not_heard_to_its_end_makes_nothing_gone() {
    let said = |length: usize| {
        let mut body = Reply::error(404, "MANIFEST_UNKNOWN").body().to_vec();
        body.resize(length, b' ');
        Reply::ok(body).with_status(404)
    };
    for (reply, is_gone) in [
        (said(MAX_ERROR_BYTES), true),
        (said(MAX_ERROR_BYTES).chunked(), true),
        (said(MAX_ERROR_BYTES + 1), false),
        (said(MAX_ERROR_BYTES + 1).chunked(), false),
        (said(MAX_ERROR_BYTES).cut_after(100), false),
    ] {
        let server = FakeServer::start(move |_| reply.clone()).await;
        let error = registry(&server).manifest(&image(&server)).await.unwrap_err();
        match is_gone {
            true => assert!(matches!(error, RegistryError::NotFound(_)), "{error}"),
            false => assert!(matches!(error, RegistryError::Transient(_)), "{error}"),
        }
    }
}

#[tokio::test]
async fn a_pause_is_kept_by_everyone_until_it_is_over() {
    let server =
        FakeServer::start(|_| Reply::error(429, "TOOMANYREQUESTS").header("retry-after", "3600")).await;
    let registry = registry(&server);
    for _ in 0..3 {
        let error = registry.manifest(&image(&server)).await.unwrap_err();
        let RegistryError::Throttled { retry_after: Some(wait), .. } = error else { panic!("{error}") };
        assert!(wait > Duration::from_secs(3500) && wait <= Duration::from_secs(3600));
    }
    // The second and third were answered without asking.
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_pause_of_no_length_is_over_at_once_and_a_date_is_understood() {
    let calls = AtomicUsize::new(0);
    let server = FakeServer::start(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::status(429).header("retry-after", "0"),
        1 => Reply::ok(MANIFEST),
        _ => Reply::status(429)
            .header("date", "Wed, 21 Oct 2015 07:28:00 GMT")
            .header("retry-after", "Wed, 21 Oct 2015 07:30:00 GMT"),
    })
    .await;
    let registry = registry(&server);
    assert!(matches!(registry.manifest(&image(&server)).await, Err(RegistryError::Throttled { .. })));
    assert!(registry.manifest(&image(&server)).await.is_ok());
    let error = registry.manifest(&image(&server)).await.unwrap_err();
    let RegistryError::Throttled { retry_after, .. } = error else { panic!("{error}") };
    assert_eq!(retry_after, Some(Duration::from_secs(120)));
}

fn hold_the_thread() {
    std::thread::sleep(Duration::from_millis(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_more_requests_are_under_way_than_allowed() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (inside, peak) = (Arc::clone(&now), Arc::clone(&most));
    let server = FakeServer::start(move |_| {
        peak.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        hold_the_thread();
        inside.fetch_sub(1, Ordering::SeqCst);
        Reply::ok(MANIFEST)
    })
    .await;
    let mut settings = settings(&server);
    settings.max_in_flight = 2;
    let registry = DistributionRegistry::new(settings).unwrap();
    let image = image(&server);
    let all = futures::future::join_all((0..20).map(|_| registry.manifest(&image))).await;
    assert!(all.iter().all(Result::is_ok));
    assert!(most.load(Ordering::SeqCst) <= 2, "{most:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_transient() {
    let server = FakeServer::start(|_| Reply::ok(MANIFEST)).await;
    let mut settings = settings(&server);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    settings.endpoint = Some(format!("http://{closed}").parse().unwrap());
    let answer = DistributionRegistry::new(settings).unwrap().manifest(&image(&server)).await;
    assert!(matches!(answer, Err(RegistryError::Transient(_))), "{answer:?}");
}

#[tokio::test]
async fn plain_http_is_not_spoken_unasked_even_to_this_machine() {
    let server = FakeServer::start(|_| Reply::ok(MANIFEST)).await;
    let encrypted = DistributionSettings::new(server.host.parse().unwrap());
    let answer = DistributionRegistry::new(encrypted).unwrap().manifest(&image(&server)).await;
    assert!(matches!(answer, Err(RegistryError::Transient(_))), "{answer:?}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn docker_hub_keeps_its_name_wherever_it_is_reached() {
    let server = FakeServer::start(|_| Reply::ok(MANIFEST)).await;
    let mut settings = DistributionSettings::new("docker.io".parse().unwrap());
    settings.endpoint = Some(server.url("").parse().unwrap());
    settings.insecure = true;
    let registry = DistributionRegistry::new(settings).unwrap();
    let identity = registry.identity();
    assert_eq!((identity.name.as_str(), identity.registry_id.as_str()), ("docker.io", "docker.io"));
    assert!(registry.manifest(&image(&server)).await.is_ok());
}

#[tokio::test]
async fn a_file_of_authorities_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    for (content, expected) in [(None, "No such file"), (Some(""), "no PEM certificate")] {
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let mut settings = DistributionSettings::new("a.example".parse().unwrap());
        settings.ca_file = Some(file.clone());
        let error = DistributionRegistry::new(settings).unwrap_err().to_string();
        assert!(error.contains("ca.pem") && error.contains(expected), "{error}");
    }
}
