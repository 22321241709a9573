//! The archive and the lake in buckets that answer as S3 does on a bad day. moto keeps the objects.

mod lake;

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use cve_monitor_adapters::aws::s3::{MAX_OBJECT_BYTES, S3Archive, S3Settings, S3Sink, create_bucket};
use cve_monitor_core::ports::{ArchiveError, ReportArchive as _, ReportObject, ReportSink as _, SinkError};
use cve_monitor_core::scan::ReportId;
use cve_monitor_core::vocabulary::{Digest, Timestamp};
use cve_monitor_tests::fakes::aws_proxy::{AwsProxy, Fault, Rule, Service, Which};
use futures::future::join_all;
use xtask::aws::Emulator;

use crate::emulators;
use crate::fake_server::{FakeServer, Reply, Seen};

/// The bucket of each test; each has a name of its own.
struct Stage {
    proxy: AwsProxy,
    config: SdkConfig,
    settings: S3Settings,
}

impl Stage {
    /// None where moto cannot be raised: it is said, and the conformance rows show it as skipped.
    async fn open(bucket: &str) -> Option<Self> {
        let moto = match emulators::config(Emulator::Moto).await {
            Ok(config) => config,
            Err(why) => {
                println!("SKIPPED: {why}");
                return None;
            }
        };
        let proxy = AwsProxy::start(moto.endpoint_url().expect("one"), &[]).await;
        // What the adapter does is seen better where the SDK does nothing.
        let config = emulators::config_for(proxy.url()).await.into_builder();
        let config = config.retry_config(RetryConfig::disabled()).build();
        create_bucket(&config, bucket).await.expect("moto makes buckets");
        Some(Self { proxy, config, settings: S3Settings { bucket: bucket.to_owned(), kms_key: None } })
    }

    fn sink(&self) -> S3Sink {
        S3Sink::new(&self.config, self.settings.clone())
    }

    fn archive(&self) -> S3Archive {
        S3Archive::new(&self.config, self.settings.clone())
    }

    fn befall(&self, operation: &'static str, which: Which, fault: Fault) {
        self.proxy.add(Rule::for_operation(Service::S3, operation, which, fault));
    }

    fn calls(&self, operation: &str) -> u64 {
        self.proxy.take_calls().get(&format!("s3 {operation}")).copied().unwrap_or_default()
    }
}

fn report(body: &str) -> ReportObject {
    let assessed = Timestamp::from_millis(1_772_366_400_000);
    ReportObject { id: ReportId("0123456789abcdef".to_owned()), assessed, body: body.as_bytes().to_vec() }
}

#[tokio::test]
async fn an_upload_that_met_another_one_is_tried_again() {
    let Some(stage) = Stage::open("wire-met").await else { return };
    stage.befall("PutObject", Which::Next(2), Fault::refuse(409, "ConditionalRequestConflict"));
    assert_eq!(stage.sink().deliver(&report("{}")).await, Ok(()));
    assert_eq!(stage.calls("PutObject"), 3);
}

#[tokio::test]
async fn an_upload_that_meets_others_for_long_is_transient_after_five_attempts() {
    let Some(stage) = Stage::open("wire-met-for-long").await else { return };
    stage.befall("PutObject", Which::All, Fault::refuse(409, "ConditionalRequestConflict"));
    let refused = stage.sink().deliver(&report("{}")).await;
    assert!(
        matches!(&refused, Err(SinkError::Transient(why)) if why.contains("wire-met-for-long")),
        "{refused:?}"
    );
    assert_eq!(stage.calls("PutObject"), 5);
}

#[tokio::test]
async fn a_delivery_whose_answer_was_lost_is_found_done_when_it_is_repeated() {
    let Some(stage) = Stage::open("wire-lost").await else { return };
    stage.befall("PutObject", Which::Next(1), Fault::LoseAnswer);
    let lost = stage.sink().deliver(&report("{}")).await;
    assert!(matches!(lost, Err(SinkError::Transient(_))), "{lost:?}");
    assert_eq!(stage.sink().deliver(&report("{}")).await, Ok(()));
    // The second attempt was refused by the condition, and what was there was read.
    assert_eq!(stage.calls("GetObject"), 1);
}

#[tokio::test]
async fn what_lies_under_a_key_is_compared_and_never_overwritten() {
    let Some(stage) = Stage::open("wire-occupied").await else { return };
    assert_eq!(stage.sink().deliver(&report("{\"a\":1}")).await, Ok(()));
    // As long, longer, shorter.
    for other in ["{\"a\":2}", "{\"a\":10}", "{}"] {
        let refused = stage.sink().deliver(&report(other)).await;
        assert!(matches!(refused, Err(SinkError::Occupied(_))), "{other}: {refused:?}");
    }
    assert_eq!(stage.sink().deliver(&report("{\"a\":1}")).await, Ok(()));
}

#[tokio::test]
async fn of_twenty_deliveries_at_once_all_succeed_and_one_object_is_left() {
    let Some(stage) = Stage::open("wire-crowd").await else { return };
    let sink = Arc::new(stage.sink());
    let all = join_all((0..20).map(|_| {
        let sink = Arc::clone(&sink);
        async move { sink.deliver(&report("{}")).await }
    }));
    assert!(all.await.iter().all(Result::is_ok));
    // Refused deliveries compare: all but the one that wrote.
    assert_eq!(stage.calls("GetObject"), 19);
}

#[tokio::test]
async fn a_bucket_that_asks_to_slow_down_or_fails_is_transient() {
    let Some(stage) = Stage::open("wire-slow").await else { return };
    for fault in [Fault::throttling(Service::S3), Fault::failure(Service::S3)] {
        for operation in ["PutObject", "GetObject", "DeleteObject"] {
            stage.befall(operation, Which::Next(1), fault.clone());
        }
        let (archive, digest) = (stage.archive(), Digest::of(b"{}"));
        assert!(matches!(stage.sink().deliver(&report("{}")).await, Err(SinkError::Transient(_))));
        assert!(matches!(archive.get(&digest).await, Err(ArchiveError::Transient(_))));
        assert!(matches!(archive.remove(&digest).await, Err(ArchiveError::Transient(_))));
        assert_eq!(archive.put(b"{}").await, Ok(digest));
    }
}

#[tokio::test]
async fn every_call_may_fail_once_before_or_after_its_effect() {
    let Some(stage) = Stage::open("wire-each-once").await else { return };
    for fault in [Fault::failure(Service::S3), Fault::LoseAnswer] {
        stage.proxy.mend();
        stage.proxy.add(Rule::for_service(Service::S3, Which::EveryOther, fault));
        let (archive, sink) = (stage.archive(), stage.sink());
        while archive.put(b"{\"kept\":1}").await.is_err() {}
        let body = loop {
            if let Ok(body) = archive.get(&Digest::of(b"{\"kept\":1}")).await {
                break body;
            }
        };
        assert_eq!(body, Some(b"{\"kept\":1}".to_vec()));
        while sink.deliver(&report("{\"kept\":1}")).await.is_err() {}
    }
}

#[tokio::test]
async fn who_may_not_is_told_the_bucket_and_the_rights() {
    let Some(stage) = Stage::open("wire-denied").await else { return };
    stage.proxy.add(Rule::for_service(Service::S3, Which::All, Fault::denial(Service::S3)));
    let why = stage.archive().put(b"{}").await.expect_err("it is denied");
    let ArchiveError::Transient(why) = why else { panic!("{why}") };
    assert!(why.contains("`wire-denied`") && why.contains("s3:PutObject"), "{why}");
    let why = create_bucket(&stage.config, "wire-denied").await.expect_err("it is denied").to_string();
    assert!(why.contains("`wire-denied`") && why.contains("somebody else's"), "{why}");
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_named_with_the_remedy() {
    let Some(stage) = Stage::open("wire-there").await else { return };
    let absent = S3Settings { bucket: "wire-absent".to_owned(), kms_key: None };
    let why = S3Sink::new(&stage.config, absent.clone()).deliver(&report("{}")).await;
    assert!(
        matches!(&why, Err(SinkError::Permanent(why)) if why.contains("`wire-absent`") && why.contains("aws init")),
        "{why:?}"
    );
    // Not "no such body": that would be a body lost.
    let why = S3Archive::new(&stage.config, absent).get(&Digest::of(b"")).await;
    assert!(matches!(why, Err(ArchiveError::Permanent(_))), "{why:?}");
}

#[tokio::test]
async fn a_bucket_is_made_once() {
    let Some(stage) = Stage::open("wire-made").await else { return };
    let again = create_bucket(&stage.config, "wire-made").await.expect("it is there");
    assert!(again.existed && again.name == "wire-made");
}

/// A server that keeps nothing, and what it was asked.
async fn asked_for(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> (FakeServer, SdkConfig) {
    let server = FakeServer::start(answer).await;
    let config = emulators::config_for(&format!("http://{}", server.host)).await.into_builder();
    (server, config.retry_config(RetryConfig::disabled()).build())
}

#[tokio::test]
async fn a_key_of_kms_and_the_condition_are_in_the_upload() {
    let (server, config) = asked_for(|_| Reply::status(200)).await;
    let settings = S3Settings { bucket: "lake".to_owned(), kms_key: Some("alias/reports".to_owned()) };
    assert_eq!(S3Sink::new(&config, settings).deliver(&report("{}")).await, Ok(()));
    let [upload] = &server.seen()[..] else { panic!("one call") };
    assert_eq!(upload.path(), "/lake/year%3D2026/month%3D03/day%3D01/0123456789abcdef.json");
    assert_eq!(upload.header("if-none-match"), Some("*"));
    assert_eq!(upload.header("content-type"), Some("application/json"));
    assert_eq!(upload.header("x-amz-server-side-encryption"), Some("aws:kms"));
    assert_eq!(upload.header("x-amz-server-side-encryption-aws-kms-key-id"), Some("alias/reports"));
    assert_eq!(upload.header("x-amz-server-side-encryption-bucket-key-enabled"), Some("true"));
    // A checksum of the SDK's own guards the way there.
    assert!(upload.header("x-amz-checksum-crc32").is_some() || upload.header("x-amz-trailer").is_some());
}

#[tokio::test]
async fn without_a_key_of_kms_the_bucket_decides() {
    let (server, config) = asked_for(|_| Reply::status(200)).await;
    let settings = S3Settings { bucket: "lake".to_owned(), kms_key: None };
    assert_eq!(S3Archive::new(&config, settings).put(b"{}").await, Ok(Digest::of(b"{}")));
    let [upload] = &server.seen()[..] else { panic!("one call") };
    assert_eq!(upload.header("x-amz-server-side-encryption"), None);
    assert_eq!(upload.header("if-none-match"), None);
}

#[tokio::test]
async fn an_object_that_breaks_off_is_transient_and_one_over_the_bound_is_damaged() {
    let settings = S3Settings { bucket: "archive".to_owned(), kms_key: None };
    let (_server, config) = asked_for(|_| Reply::ok(vec![b'x'; 1000]).cut_after(10)).await;
    let got = S3Archive::new(&config, settings.clone()).get(&Digest::of(b"")).await;
    assert!(matches!(got, Err(ArchiveError::Transient(_))), "{got:?}");
    // By what is announced: none of it is read.
    for (length, is_damaged) in [(MAX_OBJECT_BYTES, false), (MAX_OBJECT_BYTES + 1, true)] {
        let (_server, config) = asked_for(move |_| Reply::ok(vec![0; length]).cut_after(1)).await;
        let got = S3Archive::new(&config, settings.clone()).get(&Digest::of(b"")).await;
        match is_damaged {
            true => assert_eq!(got, Err(ArchiveError::Corrupt(Digest::of(b"")))),
            false => assert!(matches!(got, Err(ArchiveError::Transient(_))), "{got:?}"),
        }
    }
}
