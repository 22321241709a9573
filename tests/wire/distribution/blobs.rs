//! Blobs: hashed as they pass, taken up again where the connection breaks.

use cve_monitor_adapters::oci::bounds::MAX_RESUMES;
use cve_monitor_core::ports::{Registry as _, RegistryError};

use super::{descriptor, image, read, registry, repository};
use crate::fake_server::{FakeServer, Reply, Seen};

fn content() -> Vec<u8> {
    (0..200_000_u32).map(|n| (n % 251) as u8).collect()
}

/// Where a request wants to begin.
fn from(seen: &Seen) -> Option<usize> {
    seen.header("range")?.strip_prefix("bytes=")?.split('-').next()?.parse().ok()
}

/// Serves parts as RFC 9110 has them.
fn part(seen: &Seen) -> Reply {
    let content = content();
    match from(seen) {
        None => Reply::ok(content),
        Some(from) => Reply::ok(&content[from..])
            .with_status(206)
            .header("content-range", format!("bytes {from}-{}/{}", content.len() - 1, content.len())),
    }
}

#[tokio::test]
async fn a_blob_arrives_whole_and_unpacked_by_nobody() {
    let server = FakeServer::start(part).await;
    assert_eq!(read(&registry(&server), &descriptor(&content())).await, Ok(content()));
    assert_eq!(server.seen()[0].header("accept-encoding"), Some("identity"));
}

#[tokio::test]
async fn a_transfer_that_breaks_is_taken_up_where_it_broke() {
    let server = FakeServer::start(|seen| {
        let reply = part(seen);
        match from(seen) {
            None => reply.cut_after(70_000),
            Some(place) if place < 100_000 => reply.cut_after(50_000),
            Some(_) => reply,
        }
    })
    .await;
    assert_eq!(read(&registry(&server), &descriptor(&content())).await, Ok(content()));
    let places: Vec<_> = server.seen().iter().map(from).collect();
    assert_eq!(places, [None, Some(70_000), Some(120_000)]);
}

#[tokio::test]
async fn a_server_that_knows_no_parts_sends_the_whole_again_and_nothing_comes_twice() {
    let server = FakeServer::start(|seen| {
        let whole = Reply::ok(content());
        if from(seen).is_none() { whole.cut_after(150_000) } else { whole }
    })
    .await;
    assert_eq!(read(&registry(&server), &descriptor(&content())).await, Ok(content()));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_transfer_that_always_breaks_ends_as_transient_after_so_many_more_tries() {
    let server = FakeServer::start(|seen| part(seen).cut_after(1)).await;
    let answer = read(&registry(&server), &descriptor(&content())).await;
    assert!(matches!(answer, Err(RegistryError::Transient(_))), "{:?}", answer.err());
    assert_eq!(server.seen().len(), 1 + MAX_RESUMES as usize);
}

#[tokio::test]
async fn another_part_than_was_asked_for_is_not_taken() {
    let server = FakeServer::start(|seen| match from(seen) {
        None => part(seen).cut_after(70_000),
        Some(_) => Reply::ok(&content()[80_000..])
            .with_status(206)
            .header("content-range", format!("bytes 80000-199999/{}", content().len())),
    })
    .await;
    let answer = read(&registry(&server), &descriptor(&content())).await;
    assert!(matches!(answer, Err(RegistryError::Transient(_))), "{:?}", answer.err());
}

#[tokio::test]
async fn a_blob_that_goes_while_it_is_read_is_not_found() {
    let server = FakeServer::start(|seen| match from(seen) {
        None => part(seen).cut_after(70_000),
        Some(_) => Reply::error(404, "BLOB_UNKNOWN"),
    })
    .await;
    let answer = read(&registry(&server), &descriptor(&content())).await;
    assert!(matches!(answer, Err(RegistryError::NotFound(_))), "{:?}", answer.err());
}

#[tokio::test]
async fn other_bytes_fewer_or_more_are_corrupt() {
    let promised = content();
    let mut other = promised.clone();
    other[1234] ^= 1;
    for served in [
        Reply::ok(other),
        Reply::ok(&promised[1..]),
        Reply::ok([promised.as_slice(), b"x"].concat()),
        Reply::ok(&promised[1..]).chunked(),
        Reply::ok([promised.as_slice(), b"x"].concat()).chunked(),
    ] {
        let server = FakeServer::start(move |_| served.clone()).await;
        let answer = read(&registry(&server), &descriptor(&promised)).await;
        assert!(matches!(answer, Err(RegistryError::Corrupt(_))), "{:?}", answer.map(|bytes| bytes.len()));
    }
}

#[tokio::test]
async fn an_open_blob_takes_no_place_among_the_requests() {
    let server = FakeServer::start(|seen| {
        if seen.path().contains("/manifests/") { Reply::ok(super::MANIFEST) } else { part(seen) }
    })
    .await;
    let mut settings = super::settings(&server);
    settings.max_in_flight = 1;
    let registry = cve_monitor_adapters::oci::DistributionRegistry::new(settings).unwrap();
    let open = registry.blob(&repository(), &descriptor(&content())).await.unwrap();
    assert!(registry.manifest(&image(&server)).await.is_ok());
    drop(open);
}
