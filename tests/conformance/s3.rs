//! The archive and the lake in buckets, on moto.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use cve_monitor_adapters::aws::s3::{S3Archive, S3Settings, S3Sink, create_bucket};
use cve_monitor_core::ports::{ReportArchive, ReportSink};
use cve_monitor_core::testkit::laws::report_archive::ReportArchiveHarness;
use cve_monitor_core::testkit::laws::report_sink::ReportSinkHarness;
use cve_monitor_core::testkit::laws::{self, Harness, UniqueNames};
use cve_monitor_core::vocabulary::Digest;
use xtask::aws::Emulator;

use crate::emulators;
use crate::rows::Rows;

pub(crate) fn register(rows: &mut Rows) {
    rows.add("report_archive", "s3_moto", laws::report_archive::LAWS, || {
        Box::pin(async { Ok(Box::new(FreshBucket::make().await?) as _) })
    });
    rows.add("report_sink", "s3_moto", laws::report_sink::LAWS, || {
        Box::pin(async { Ok(Box::new(FreshBucket::make().await?) as _) })
    });
}

/// How many buckets were made: all rows share moto.
static BUCKETS: AtomicU32 = AtomicU32::new(0);

/// A bucket of its own.
struct FreshBucket {
    names: UniqueNames,
    config: SdkConfig,
    bucket: String,
}

impl FreshBucket {
    async fn make() -> Result<Self, String> {
        let config = emulators::config(Emulator::Moto).await?;
        let bucket = format!("conformance-{}", BUCKETS.fetch_add(1, Ordering::Relaxed));
        let made = create_bucket(&config, &bucket).await.expect("moto makes buckets");
        assert!(!made.existed, "{bucket} is not of this row alone");
        Ok(Self { names: UniqueNames::new("b"), config, bucket })
    }

    fn settings(&self) -> S3Settings {
        S3Settings { bucket: self.bucket.clone(), kms_key: None }
    }

    /// Not the adapter's own: what others see.
    fn client(&self) -> Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(true);
        Client::from_conf(config.build())
    }

    async fn keys(&self) -> Vec<String> {
        let listed = self.client().list_objects_v2().bucket(&self.bucket).send().await.expect("a listing");
        listed.contents().iter().map(|object| object.key().expect("a key").to_owned()).collect()
    }
}

#[async_trait]
impl Harness for FreshBucket {
    async fn advance(&self, by: Duration) {
        tokio::time::sleep(by).await;
    }

    fn unique(&self) -> String {
        self.names.make()
    }
}

#[async_trait]
impl ReportArchiveHarness for FreshBucket {
    fn archive(&self) -> Arc<dyn ReportArchive> {
        Arc::new(S3Archive::new(&self.config, self.settings()))
    }

    async fn damage(&self, digest: &Digest) -> Option<()> {
        let keys = self.keys().await;
        let key = keys.iter().find(|key| key.contains(digest.hex()))?;
        let damage = ByteStream::from_static(b"damage");
        self.client().put_object().bucket(&self.bucket).key(key).body(damage).send().await.ok().map(drop)
    }
}

#[async_trait]
impl ReportSinkHarness for FreshBucket {
    fn sink(&self) -> Arc<dyn ReportSink> {
        Arc::new(S3Sink::new(&self.config, self.settings()))
    }

    async fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        for key in self.keys().await {
            let object = self.client().get_object().bucket(&self.bucket).key(&key).send().await;
            let body = object.expect("it was listed").body.collect().await.expect("a whole object");
            found.insert(key, body.to_vec());
        }
        found
    }
}
