//! An installation of its own: queues, tables, buckets, an ECR, and advisories that can change.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use aws_config::retry::RetryConfig;
use aws_config::{AppName, SdkConfig};
use aws_sdk_s3::Client;
use cve_monitor_adapters::aws::dynamodb::create_tables;
use cve_monitor_adapters::aws::s3::{S3Settings, create_bucket};
use cve_monitor_adapters::aws::sqs_queue::create_queues;
use cve_monitor_adapters::embedded::advisories::{
    AdvisoryMirror, AdvisorySource, AdvisoryStore, Ask, MirrorSettings, Order,
};
use cve_monitor_core::ports::Registry;
use cve_monitor_core::vocabulary::{ImageId, RegistryName};
use cve_monitor_terraform::rights::Program;
use cve_monitor_tests::fakes::aws_proxy::{AwsProxy, Service};
use cve_monitor_tests::fakes::ecr::{self, FakeEcr, Place, Pushed};
use serde_json::Value;
use tempfile::TempDir;

use crate::clock::SkippingClock;
use crate::emulators::{REGION, config_for};
use crate::root;

/// Who lends the rights to read an account's registries.
pub(crate) const ROLE: &str = "cve-monitor-reader";
/// What the role demands.
pub(crate) const EXTERNAL_ID: &str = "scenario";

/// Account and region.
pub(crate) type Home = (&'static str, &'static str);

/// An installation.
pub(crate) struct Stage {
    pub(crate) proxy: AwsProxy,
    pub(crate) ecr: FakeEcr,
    pub(crate) clock: Arc<SkippingClock>,
    /// Through the proxy. Nothing is tried again by the SDK: what fails once fails for the adapters.
    pub(crate) config: SdkConfig,
    pub(crate) homes: Vec<Home>,
    /// Registries that are not ECR's.
    pub(crate) others: Vec<Arc<dyn Registry>>,
    pub(crate) prefix: String,
    pub(crate) folder: TempDir,
    /// Past the proxy: what others see.
    moto: SdkConfig,
}

impl Stage {
    /// Makes what an installation needs, and brings in the first state of the advisories.
    pub(crate) async fn raise(moto: SdkConfig, prefix: &str, homes: &[Home]) -> Self {
        let ecr = FakeEcr::start().await;
        let url = ecr.url();
        let services = [(Service::Ecr, url.as_str()), (Service::Sts, url.as_str())];
        let proxy = AwsProxy::start(moto.endpoint_url().expect("one"), &services).await;
        let config = config_for(proxy.url()).await.into_builder();
        let config = config.retry_config(RetryConfig::disabled()).build();
        create_queues(&moto, prefix).await.unwrap();
        create_tables(&moto, prefix).await.unwrap();
        let stage = Self {
            proxy,
            ecr,
            clock: Arc::default(),
            config,
            homes: homes.to_vec(),
            others: vec![],
            prefix: prefix.to_owned(),
            folder: TempDir::new().unwrap(),
            moto,
        };
        for bucket in [stage.archive(), stage.lake()] {
            create_bucket(&stage.moto, &bucket.bucket).await.unwrap();
        }
        for (account, _) in homes {
            stage.ecr.world().add_role(&role(account), Some(EXTERNAL_ID));
        }
        stage.advisories("first").await;
        stage
    }

    /// For the calls of a program, which bear its name.
    pub(crate) fn config_of(&self, program: Program) -> SdkConfig {
        let name = AppName::new(program.name()).unwrap();
        self.config.to_builder().app_name(name).build()
    }

    pub(crate) fn archive(&self) -> S3Settings {
        S3Settings { bucket: format!("{}-archive", self.prefix), kms_key: None }
    }

    pub(crate) fn lake(&self) -> S3Settings {
        S3Settings { bucket: format!("{}-reports", self.prefix), kms_key: None }
    }

    pub(crate) fn advisory_folder(&self) -> PathBuf {
        self.folder.path().join("advisories")
    }

    /// Brings in a state of the advisories of the examples.
    pub(crate) async fn advisories(&self, state: &str) {
        // Always the same source, in another state.
        let source = self.folder.path().join("source");
        let _ = std::fs::remove_dir_all(&source);
        std::fs::create_dir(&source).unwrap();
        for entry in std::fs::read_dir(root().join("examples/advisories").join(state)).unwrap() {
            let from = entry.unwrap().path();
            std::fs::copy(&from, source.join(from.file_name().unwrap())).unwrap();
        }
        let store = AdvisoryStore::open(self.advisory_folder()).unwrap();
        let mirror = AdvisoryMirror::new(MirrorSettings::new(self.folder.path().join("exports"))).unwrap();
        let source = AdvisorySource::parse(&source.display().to_string()).unwrap();
        let order = Order { sources: vec![source], ..Order::default() };
        store.update(&mirror, &order, &Ask::All, &|_| {}).await.unwrap();
    }

    /// Pushes an image of the examples as `demo/NAME:1`; answers it, and what ECR announces.
    pub(crate) fn push(&self, home: Home, name: &str) -> (ImageId, Vec<Value>) {
        let (account, region) = home;
        let pushed = Pushed::from_layout(&root().join("examples/images"), name).unwrap();
        let place = Place::new(account, region, &format!("demo/{name}"));
        let mut world = self.ecr.world();
        world.create_repository(&place);
        let (digest, events) = world.push(&place, Some("1"), &pushed);
        (format!("{}/demo/{name}@{digest}", registry_name(home)).parse().unwrap(), events)
    }

    /// Sends what ECR announces to the queue, as EventBridge does.
    pub(crate) async fn announce(&self, events: &[Value]) {
        let moto = self.moto.endpoint_url().unwrap();
        let queue = format!("{moto}/123456789012/{}-push", self.prefix);
        ecr::send(moto, &queue, REGION, events).await.unwrap();
    }

    /// The reports in the bucket, each with its key.
    pub(crate) async fn reports(&self) -> BTreeMap<String, Value> {
        let config = aws_sdk_s3::config::Builder::from(&self.moto).force_path_style(true);
        let (client, bucket) = (Client::from_conf(config.build()), self.lake().bucket);
        let listed = client.list_objects_v2().bucket(&bucket).send().await.unwrap();
        let mut reports = BTreeMap::new();
        for object in listed.contents() {
            let key = object.key().unwrap().to_owned();
            let body = client.get_object().bucket(&bucket).key(&key).send().await.unwrap();
            let body = body.body.collect().await.unwrap().to_vec();
            reports.insert(key, serde_json::from_slice(&body).unwrap());
        }
        reports
    }

    /// Prints the calls since the last time.
    pub(crate) fn print_calls(&self, what: &str) {
        let calls = self.proxy.take_calls();
        let paid: u64 = calls.iter().filter(|(name, _)| !name.ends_with("(empty)")).map(|(_, n)| n).sum();
        println!("{what}: {paid} calls, and receives that brought nothing");
        for (name, number) in calls {
            println!("  {number:4} {name}");
        }
    }
}

/// The name of an account's registry in a region.
pub(crate) fn registry_name((account, region): Home) -> RegistryName {
    format!("{account}.dkr.ecr.{region}.amazonaws.com").parse().unwrap()
}

pub(crate) fn role(account: &str) -> String {
    format!("arn:aws:iam::{account}:role/{ROLE}")
}

/// The vulnerabilities that a report names.
pub(crate) fn vulnerabilities(report: &Value) -> BTreeSet<String> {
    let by_severity = report["Vulnerabilities"].as_object().unwrap().values();
    by_severity
        .flat_map(|findings| findings.as_array().unwrap())
        .map(|finding| finding["Name"].as_str().unwrap().to_owned())
        .collect()
}
