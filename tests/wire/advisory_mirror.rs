//! A mirror of OSV's exports: asked on condition, and believed only where what comes is whole.

use std::fs;
use std::io::Write as _;
use std::sync::Mutex;

use cve_monitor_adapters::embedded::advisories::{
    AdvisoryMirror, Fetched, MAX_EXPORT_BYTES, MAX_MIRROR_REDIRECTS, MirrorError, MirrorSettings, Progress,
};
use tempfile::TempDir;

use crate::fake_server::{FakeServer, Reply, Seen};
use crate::tls_server::TlsServer;

/// An archive of one record about a package of Debian 12.
fn archive(package: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    zip.start_file("DEBIAN-CVE-2026-1.json", zip::write::SimpleFileOptions::default()).unwrap();
    write!(
        zip,
        r#"{{"id":"DEBIAN-CVE-2026-1","modified":"2026-02-01T00:00:00Z","summary":"a flaw",
        "affected":[{{"package":{{"ecosystem":"Debian:12","name":"{package}"}},
        "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}}]}}]}}]}}"#
    )
    .unwrap();
    zip.finish().unwrap().into_inner()
}

fn quiet(_: Progress<'_>) {}

struct Bench {
    server: FakeServer,
    folder: TempDir,
}

impl Bench {
    async fn new(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self { server: FakeServer::start(answer).await, folder: tempfile::tempdir().unwrap() }
    }

    fn settings(&self) -> MirrorSettings {
        let mut settings = MirrorSettings::new(self.folder.path().join("cache"));
        settings.insecure = true;
        settings
    }

    async fn fetch_with(&self, settings: MirrorSettings) -> Result<Fetched, MirrorError> {
        let mirror = AdvisoryMirror::new(settings).unwrap();
        mirror.fetch(&self.server.url("/osv").parse().unwrap(), "Debian", &quiet).await
    }

    async fn fetch(&self) -> Result<Fetched, MirrorError> {
        self.fetch_with(self.settings()).await
    }
}

#[tokio::test]
async fn an_archive_is_transferred_once_and_then_only_asked_for_on_condition() {
    let bench = Bench::new(|seen| match seen.header("if-none-match") {
        Some("\"v1\"") => Reply::status(304),
        _ => Reply::ok(archive("openssl")).header("etag", "\"v1\""),
    })
    .await;
    let first = bench.fetch().await.unwrap();
    assert!(first.transferred);
    assert_eq!(fs::read(&first.path).unwrap(), archive("openssl"));
    let second = bench.fetch().await.unwrap();
    assert_eq!((second.transferred, &second.path), (false, &first.path));
    // A cache that was tampered with is not vouched for by its validators.
    fs::write(&first.path, "short").unwrap();
    assert!(bench.fetch().await.unwrap().transferred);
    let asked: Vec<_> = bench.server.seen_at("/osv/Debian/all.zip");
    let conditions: Vec<_> = asked.iter().map(|seen| seen.header("if-none-match").is_some()).collect();
    assert_eq!(conditions, [false, true, false]);
}

#[tokio::test]
async fn a_mirror_without_etags_is_asked_by_date() {
    const DATE: &str = "Sun, 01 Feb 2026 00:00:00 GMT";
    let bench = Bench::new(|seen| match seen.header("if-modified-since") {
        Some(DATE) => Reply::status(304),
        _ => Reply::ok(archive("openssl")).header("last-modified", DATE),
    })
    .await;
    assert!(bench.fetch().await.unwrap().transferred);
    assert!(!bench.fetch().await.unwrap().transferred);
}

#[tokio::test]
async fn what_is_cut_short_too_large_or_no_archive_leaves_what_was_there() {
    let whole = archive("openssl");
    let bound = whole.len() as u64;
    let replies = Mutex::new(vec![
        Reply::status(503),
        Reply::ok(zip_without_members()),
        Reply::ok("a page of a proxy that wants a login"),
        Reply::ok(whole.iter().copied().chain([0]).collect::<Vec<u8>>()).chunked(),
        Reply::ok(whole.iter().copied().chain([0]).collect::<Vec<u8>>()),
        Reply::ok(whole[..whole.len() - 1].to_vec()).chunked(),
        Reply::ok(whole.clone()).cut_after(100),
        Reply::ok(whole.clone()),
    ]);
    let bench = Bench::new(move |_| replies.lock().unwrap().pop().unwrap()).await;
    let fetch = || {
        let mut settings = bench.settings();
        assert_eq!(settings.max_export_bytes, MAX_EXPORT_BYTES, "unless told otherwise");
        // As large as the whole archive: the bound itself is within.
        settings.max_export_bytes = bound;
        bench.fetch_with(settings)
    };
    let first = fetch().await.unwrap();
    let mut refusals = vec![];
    for _ in 0..7 {
        refusals.push(fetch().await.unwrap_err());
        assert_eq!(fs::read(&first.path).unwrap(), whole);
    }
    let [cut, short, large, unannounced, page, empty, busy] = refusals.as_slice() else {
        panic!("{refusals:?}")
    };
    assert!(matches!(cut, MirrorError::BrokeOff { bytes: 100, .. }), "{cut}");
    assert!(matches!(short, MirrorError::NoArchive { .. }), "{short}");
    assert!(matches!(large, MirrorError::TooLarge { .. }), "{large}");
    assert!(matches!(unannounced, MirrorError::TooLarge { .. }), "{unannounced}");
    assert!(matches!(page, MirrorError::NoArchive { .. }), "{page}");
    assert!(matches!(empty, MirrorError::NoArchive { .. }), "{empty}");
    assert!(matches!(busy, MirrorError::Refused { problem, .. } if problem.contains("503")), "{busy}");
    let left =
        fs::read_dir(bench.folder.path().join("cache")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().contains("unfinished")));
}

fn zip_without_members() -> Vec<u8> {
    zip::ZipWriter::new(std::io::Cursor::new(vec![])).finish().unwrap().into_inner()
}

#[tokio::test]
async fn plain_http_is_used_only_where_it_was_asked_for() {
    let bench = Bench::new(|_| Reply::ok(archive("openssl"))).await;
    let mut settings = bench.settings();
    settings.insecure = false;
    let refused = bench.fetch_with(settings).await;
    assert!(matches!(refused, Err(MirrorError::Unencrypted { .. })), "{refused:?}");
    assert_eq!(bench.server.seen().len(), 0);
}

#[tokio::test]
async fn redirects_are_followed_to_private_addresses_only_where_that_was_asked_for() {
    let store = FakeServer::start(|_| Reply::ok(archive("openssl"))).await;
    for target in [store.url("/all.zip"), store.url("/all.zip").replace("127.0.0.1", "localhost")] {
        let bench = Bench::new(move |_| Reply::status(302).header("location", target.clone())).await;
        let refused = bench.fetch().await.unwrap_err().to_string();
        assert!(refused.contains("allow_private"), "{refused}");
        assert_eq!(store.seen().len(), 0);
    }
    let target = store.url("/all.zip");
    let bench = Bench::new(move |_| Reply::status(302).header("location", target.clone())).await;
    let mut settings = bench.settings();
    settings.allow_private = true;
    assert!(bench.fetch_with(settings.clone()).await.unwrap().transferred);
    settings.insecure = false;
    assert!(matches!(bench.fetch_with(settings).await, Err(MirrorError::Unencrypted { .. })));
}

#[tokio::test]
async fn so_many_redirects_of_a_mirror_are_followed_and_no_more() {
    for (hops, good) in [(MAX_MIRROR_REDIRECTS, true), (MAX_MIRROR_REDIRECTS + 1, false)] {
        let bench = Bench::new(move |seen| {
            let at: usize = seen.path().strip_prefix("/hop/").and_then(|n| n.parse().ok()).unwrap_or(0);
            let next = format!("/hop/{}", at + 1);
            if at == hops { Reply::ok(archive("x")) } else { Reply::status(302).header("location", next) }
        })
        .await;
        let answer = bench.fetch().await;
        assert_eq!(answer.is_ok(), good, "{answer:?}");
    }
}

#[tokio::test]
async fn an_authority_of_one_s_own_is_believed_by_a_mirror_s_client_once_it_is_named() {
    let server = TlsServer::start(archive("openssl")).await;
    let folder = tempfile::tempdir().unwrap();
    let fetch = async |ca_file| {
        let settings = MirrorSettings { ca_file, ..MirrorSettings::new(folder.path().join("cache")) };
        let base = format!("https://{}/osv", server.host).parse().unwrap();
        AdvisoryMirror::new(settings).unwrap().fetch(&base, "Debian", &quiet).await
    };
    let stranger = fetch(None).await.unwrap_err().to_string();
    assert!(stranger.contains("UnknownIssuer"), "{stranger}");
    assert!(fetch(Some(server.authority_file(folder.path()))).await.unwrap().transferred);
}

#[tokio::test]
async fn offline_the_cache_is_used_and_an_empty_one_is_an_error_with_the_remedy() {
    let bench = Bench::new(|_| Reply::ok(archive("openssl"))).await;
    let offline = || {
        let mut settings = bench.settings();
        settings.offline = true;
        settings
    };
    let refused = bench.fetch_with(offline()).await.unwrap_err().to_string();
    assert!(refused.contains("Debian") && refused.contains("fetch them once online"), "{refused}");
    bench.fetch().await.unwrap();
    assert!(!bench.fetch_with(offline()).await.unwrap().transferred);
    assert_eq!(bench.server.seen().len(), 1);
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let bench = Bench::new(|_| Reply::status(404)).await;
    let refused = bench.fetch().await.unwrap_err();
    assert!(matches!(refused, MirrorError::NotFound { .. }), "{refused}");
    assert!(refused.to_string().contains("/osv/Debian/all.zip"));
}
